//! The cascade: each pool pays its share, band by band, until it is exhausted. Fractions stay exact.

use std::cmp::Ordering;
use std::sync::Arc;

use smol_str::SmolStr;

use super::buckets::Funds;
use super::trace::Paid;
use super::{Refused, Run};
use crate::claim::Used;
use crate::decimal::Ratio;
use crate::exact::Exact;
use crate::pack::{Axes, Bands, Benefit, Parameter, Pay, Pool};

impl<'a> Run<'a> {
    /// Each pool pays its share of the eligible expense; where it is exhausted, the expense it paid for is what it
    /// paid ÷ its share (kept exact), and the next pool goes on with the rest (KM-15 9 ¶4, Q-3). Returns what the
    /// funds pay.
    pub(super) fn cascade(
        &mut self,
        benefit: &'a Benefit,
        scope: i64,
        borne: i64,
        funds: &mut Funds<'a>,
    ) -> Result<Exact, Refused> {
        let whole = Exact::fen(scope - borne);
        let mut eligible = whole;
        let mut above = whole;
        let mut paid = Exact::ZERO;
        let mut stopped = false;
        for step in &benefit.pay {
            if !step.beside {
                if stopped || (funds.ratio.is_some() && !eligible.is_positive()) {
                    break;
                }
                above = eligible;
            }
            if above.is_positive() && self.lacks(&step.pool) {
                continue;
            }
            let place = self.bucket(Some(benefit), step.level, &step.pool, borne, funds)?;
            let from = match &step.bands {
                Some(bands) => {
                    let before = Exact::fen(self.before_bands(benefit, bands, borne));
                    self.fits(before.add(whole).and_then(|all| all.sub(above)))?
                }
                None => Exact::ZERO,
            };
            let (pays, rest) = self.pay_step(step, place, above, from, funds)?;
            paid = self.fits(paid.add(pays))?;
            if !step.beside {
                eligible = rest;
                stopped = !step.goes_on;
            }
        }
        Ok(paid)
    }

    /// Whether the fund is one of an insurance that the registry says the person does not have; it is noted then.
    pub(super) fn lacks(&mut self, pool: &'a Pool) -> bool {
        let Some(needs) = &pool.needs else { return false };
        let mut supplements = self.claim.person.supplements.iter();
        let row = supplements.find(|row| row.insutype == needs.insutype);
        let lacks = row.is_some_and(|row| row.psn_insu_stas != "1");
        if lacks {
            self.lacking = Some(&needs.article);
        }
        lacks
    }

    /// What counts in the bands of a step before the expense this bill brings them, fen.
    fn before_bands(&self, benefit: &'a Benefit, bands: &Bands, borne: i64) -> i64 {
        let used = if bands.in_year {
            Used::of_pool(&self.claim.accumulated, &benefit.id)
        } else {
            Used::default()
        };
        if bands.from_zero {
            used.in_scope.saturating_add(borne)
        } else {
            used.above_deductible()
        }
    }

    /// One pool pays its share of an expense that begins at an amount `from`, band by band. Returns what it pays and
    /// the expense it no longer pays for.
    pub(super) fn pay_step(
        &mut self,
        step: &'a Pay,
        place: usize,
        eligible: Exact,
        from: Exact,
        funds: &mut Funds<'a>,
    ) -> Result<(Exact, Exact), Refused> {
        let mut axes = self.axes_at(step.level);
        let mut rest = eligible;
        let mut position = from;
        let mut paid = Exact::ZERO;
        let mut most = match &step.at_most {
            Some(parameter) => self.amount(parameter, &axes)?.map(Exact::fen),
            None => None,
        };
        loop {
            let upper = self.band(step, position, &mut axes)?;
            let ratio = self.ratio(step, &axes)?;
            if !funds.is_open(place) {
                break;
            }
            funds.ratio = funds.ratio.or(Some(ratio));
            let (left, room) = self.fits(funds.left(place))?;
            let within = self.fits(least(upper, room))?;
            let piece = self.fits(within.map_or(Some(rest), |most| rest.min(most)))?;
            let owed = self.fits(piece.times(ratio))?;
            let capped = match self.fits(least(left, most))? {
                Some(left) if self.fits(owed.compare(left))? == Ordering::Greater => Some(left),
                _ => None,
            };
            let pays = capped.unwrap_or(owed);
            let consumed = match capped {
                Some(_) => self.fits(pays.divided_by(ratio))?,
                None => piece,
            };
            self.fits(funds.take(place, pays, consumed))?;
            paid = self.fits(paid.add(pays))?;
            if let Some(left) = &mut most {
                *left = self.fits(left.sub(pays))?;
            }
            if self.trace.is_on() {
                let part = Paid {
                    step,
                    eligible: piece,
                    ratio,
                    capped,
                    cites: self.cites(step, &axes),
                };
                funds.note(place, part);
            }
            rest = self.fits(rest.sub(consumed))?;
            if capped.is_some() || upper.is_none() || !rest.is_positive() {
                break;
            }
            position = self.fits(position.add(consumed))?;
        }
        Ok((paid, rest))
    }

    /// Puts the band of an amount into the axes; what is left of the band, `None` = it is open or there are no bands.
    fn band(&mut self, step: &'a Pay, position: Exact, axes: &mut Axes) -> Result<Option<Exact>, Refused> {
        let Some(bands) = &step.bands else { return Ok(None) };
        axes.amount = self.fits(position.floor())?;
        let bounds = bands.of.bands_on(self.day);
        let upper = bounds.iter().find(|bound| **bound > axes.amount);
        upper
            .map(|bound| self.fits(Exact::fen(*bound).sub(position)))
            .transpose()
    }

    /// The sum of a step's ratios (none is the whole), times its factors; at six decimals, half-up.
    fn ratio(&mut self, step: &'a Pay, axes: &Axes) -> Result<Ratio, Refused> {
        let one = Ratio::ONE.scaled();
        let mut scaled = if step.ratio.is_empty() { one } else { 0 };
        for parameter in &step.ratio {
            scaled += self.figure(parameter, axes)?.scaled;
        }
        scaled = scaled.clamp(0, one);
        for parameter in &step.times {
            let factor = self.figure(parameter, axes)?.scaled;
            // at most 10^6 × 10^6
            scaled = (scaled * factor.max(0) + one / 2) / one;
        }
        Ok(Ratio::from_scaled(scaled))
    }

    /// The figures of a step with where each comes from, for the trace: summands that are not zero, then factors.
    fn cites(&self, step: &'a Pay, axes: &Axes) -> Vec<(Ratio, &'a SmolStr)> {
        let figure = |parameter: &'a Arc<Parameter>| parameter.on(self.day, axes).ok();
        let summands = step
            .ratio
            .iter()
            .filter_map(figure)
            .filter(|figure| figure.scaled != 0);
        let figures = summands.chain(step.times.iter().filter_map(figure));
        figures
            .map(|figure| (Ratio::from_scaled(figure.scaled), figure.cite))
            .collect()
    }
}

/// The smaller of two amounts; the outer `None` is one beyond what can be computed.
pub(super) fn least(one: Option<Exact>, other: Option<Exact>) -> Option<Option<Exact>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(Some(one.min(other)?)),
        (one, other) => Some(one.or(other)),
    }
}
