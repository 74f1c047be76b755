//! The cascade: each pool pays its share, band by band, until it is exhausted. Fractions stay exact.

use std::cmp::Ordering;

use smol_str::SmolStr;

use super::funds::Funds;
use super::trace::Paid;
use super::{Refused, Run};
use crate::claim::{Accumulated, used};
use crate::decimal::Ratio;
use crate::exact::Exact;
use crate::pack::{Axes, Bands, Benefit, Pay};

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
        let mut paid = Exact::ZERO;
        for step in &benefit.pay {
            if funds.ratio.is_some() && !eligible.is_positive() {
                break;
            }
            let place = self.bucket(benefit, step, borne, funds)?;
            let from = match &step.bands {
                Some(bands) => {
                    let before = Exact::fen(self.before_bands(benefit, bands, borne));
                    self.fits(before.add(whole).and_then(|all| all.sub(eligible)))?
                }
                None => Exact::ZERO,
            };
            let (pays, rest) = self.pay_step(step, place, eligible, from, funds)?;
            paid = self.fits(paid.add(pays))?;
            eligible = rest;
            if !step.goes_on {
                break;
            }
        }
        Ok(paid)
    }

    /// What counts in the bands of a step before the expense this bill brings them, fen.
    fn before_bands(&self, benefit: &'a Benefit, bands: &Bands, borne: i64) -> i64 {
        let row = if bands.in_year {
            used(&self.claim.accumulated, &benefit.id, None).unwrap_or_default()
        } else {
            Accumulated::default()
        };
        if bands.from_zero {
            row.in_scope.fen().saturating_add(borne)
        } else {
            (row.in_scope.fen() - row.deductible.fen()).max(0)
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
            Some(parameter) => Some(Exact::fen(self.figure(parameter, &axes)?.scaled)),
            None => None,
        };
        loop {
            let upper = self.band(step, position, &mut axes)?;
            let ratio = self.ratio(step, &axes)?;
            let Some(bucket) = funds.buckets.get_mut(place) else {
                break;
            };
            if !bucket.is_open() {
                break;
            }
            funds.ratio = funds.ratio.or(Some(ratio));
            let mut piece = rest;
            if let Some(upper) = upper {
                piece = self.fits(piece.min(upper))?;
            }
            if let Some(room) = bucket.room {
                piece = self.fits(piece.min(room))?;
            }
            let owed = self.fits(piece.times(ratio))?;
            let mut left = bucket.left;
            if let Some(most) = most {
                left = Some(self.fits(left.map_or(Some(most), |left| left.min(most)))?);
            }
            let capped = match left {
                Some(left) if self.fits(owed.compare(left))? == Ordering::Greater => Some(left),
                _ => None,
            };
            let pays = capped.unwrap_or(owed);
            bucket.paid = self.fits(bucket.paid.add(pays))?;
            paid = self.fits(paid.add(pays))?;
            for left in [&mut bucket.left, &mut most].into_iter().flatten() {
                *left = self.fits(left.sub(pays))?;
            }
            if self.trace.is_on() {
                bucket.parts.push(Paid {
                    step,
                    eligible: piece,
                    ratio,
                    capped,
                    cites: self.cites(step, &axes),
                });
            }
            let consumed = match capped {
                Some(_) => self.fits(pays.divided_by(ratio))?,
                None => piece,
            };
            if let Some(room) = &mut bucket.room {
                *room = self.fits(room.sub(consumed))?;
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

    /// The sum of a step's ratios; none is the whole.
    fn ratio(&mut self, step: &'a Pay, axes: &Axes) -> Result<Ratio, Refused> {
        if step.ratio.is_empty() {
            return Ok(Ratio::from_scaled(1_000_000));
        }
        let mut scaled = 0;
        for parameter in &step.ratio {
            scaled += self.figure(parameter, axes)?.scaled;
        }
        Ok(Ratio::from_scaled(scaled.clamp(0, 1_000_000)))
    }

    /// The figures of a step with where each comes from, for the trace.
    fn cites(&self, step: &'a Pay, axes: &Axes) -> Vec<(Ratio, &'a SmolStr)> {
        let figures = step
            .ratio
            .iter()
            .filter_map(|parameter| parameter.on(self.day, axes).ok());
        figures
            .filter(|figure| figure.scaled != 0)
            .map(|figure| (Ratio::from_scaled(figure.scaled), figure.cite))
            .collect()
    }
}
