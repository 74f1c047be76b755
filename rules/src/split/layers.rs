//! Layers: what other funds pay of the burden the benefits leave to the person (serious illness, civil servants,
//! assistance), in the pack's order, each after the ones before it.

use super::buckets::{Funds, Touched};
use super::{Refused, Run};
use crate::claim::{Flag, Used};
use crate::exact::Exact;
use crate::pack::Layer;

impl<'a> Run<'a> {
    pub(super) fn pay_layers(&mut self, funds: &mut Funds<'a>) -> Result<(), Refused> {
        let mut paid_before: i64 = 0;
        for layer in &self.pack.layers {
            if self.is_for(layer) {
                paid_before += self.pay_layer(layer, paid_before, funds)?;
            }
        }
        Ok(())
    }

    fn is_for(&self, layer: &Layer) -> bool {
        let status = self.axes.status;
        (layer.statuses.is_empty() || status.is_some_and(|status| layer.statuses.contains(&status)))
            && (!layer.civil_servant || self.claim.person.cvlserv_flag == Some(Flag::Yes))
    }

    /// The parts of the person's burden it covers, less what earlier layers pay, fen.
    fn burden(&self, layer: &Layer, paid_before: i64, funds: &Funds<'a>) -> Result<i64, Refused> {
        let covers = layer.covers;
        let mut base: i64 = 0;
        let mut paid = Exact::ZERO;
        for group in &funds.groups {
            if !layer.benefits.contains(group.benefit) {
                continue;
            }
            if covers.deductible {
                base += group.borne;
            }
            if covers.share {
                base += group.scope - group.borne;
                paid = self.fits(paid.add(group.paid))?;
            }
            if covers.first_self_pay {
                base += group.first;
            }
        }
        Ok((base - self.fits(paid.half_up())? - paid_before).max(0))
    }

    /// What it covers counts on the pool's row over the year: first up to the threshold, then by the bands. Returns
    /// what the layer pays, fen.
    fn pay_layer(
        &mut self,
        layer: &'a Layer,
        paid_before: i64,
        funds: &mut Funds<'a>,
    ) -> Result<i64, Refused> {
        let base = self.burden(layer, paid_before, funds)?;
        if base == 0 || self.lacks(&layer.pay.pool) {
            return Ok(0);
        }
        let pool = &layer.pay.pool;
        let axes = self.axes;
        let whole = match &layer.threshold {
            Some(threshold) => self.amount(threshold, &axes)?.unwrap_or(0),
            None => 0,
        };
        let used = if layer.by_year {
            Used::of_row(&self.claim.accumulated, &pool.id, None)
        } else {
            Used::default()
        };
        let already = used.deductible.min(whole);
        let borne = (whole - already).min(base);
        funds.touched.push(Touched {
            row: &pool.id,
            key: None,
            deductible: borne,
            scope: base,
        });
        if base == borne {
            return Ok(0);
        }
        let place = self.bucket(None, None, pool, borne, funds)?;
        if let Some(bucket) = funds.buckets.get_mut(place) {
            bucket.threshold = layer.threshold.is_some().then_some((whole, already));
        }
        let from = match &layer.pay.bands {
            Some(bands) if bands.from_zero => used.in_scope.saturating_add(borne),
            _ => used.above_deductible(),
        };
        let ratio = funds.ratio;
        let (pays, _) = self.pay_step(
            &layer.pay,
            place,
            Exact::fen(base - borne),
            Exact::fen(from),
            funds,
        )?;
        // the ratio of a result is that of the benefit, not of a layer above it
        funds.ratio = ratio;
        self.fits(pays.half_up())
    }
}
