//! Layers: what other funds pay of the scope the benefits leave to the person (serious illness, civil servants,
//! assistance), in the pack's order, each after the ones before it.

use super::funds::{Bucket, Funds, Touched};
use super::{Refused, Run};
use crate::claim::{Flag, used};
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

    /// The person's part within the scope, less what earlier layers pay, counts on the pool's row over the year:
    /// first up to the threshold, then by the bands above it. Returns what the layer pays, fen.
    fn pay_layer(
        &mut self,
        layer: &'a Layer,
        paid_before: i64,
        funds: &mut Funds<'a>,
    ) -> Result<i64, Refused> {
        let mut scope: i64 = 0;
        let mut paid = Exact::ZERO;
        for group in &funds.groups {
            if layer.benefits.contains(group.benefit) {
                scope += group.scope;
                paid = self.fits(paid.add(group.paid))?;
            }
        }
        let base = (scope - self.fits(paid.half_up())? - paid_before).max(0);
        if base == 0 {
            return Ok(0);
        }
        let pool = &layer.pay.pool;
        let axes = self.axes;
        let whole = match &layer.threshold {
            Some(threshold) => self.figure(threshold, &axes)?.scaled,
            None => 0,
        };
        let row = used(&self.claim.accumulated, &pool.id, None).unwrap_or_default();
        let already = row.deductible.fen().min(whole);
        let borne = (whole - already).min(base);
        funds.touched.push(Touched {
            benefit: &pool.id,
            key: None,
            deductible: borne,
            scope: base,
        });
        if base == borne {
            return Ok(0);
        }
        let place = match funds.place(pool) {
            Some(place) => place,
            None => {
                let before = self.left(None, &layer.pay)?;
                let mut bucket = Bucket::of_layer(pool, before);
                bucket.threshold = layer.threshold.is_some().then_some((whole, already));
                funds.open(bucket)
            }
        };
        let from = Exact::fen((row.in_scope.fen() - row.deductible.fen()).max(0));
        let ratio = funds.ratio;
        let (pays, _) = self.pay_step(&layer.pay, place, Exact::fen(base - borne), from, funds)?;
        // the ratio of a result is that of the benefit, not of a layer above it
        funds.ratio = ratio;
        self.fits(pays.half_up())
    }
}
