//! The funds: deductible, then a cascade of pools, each paying its share until it is exhausted. Fractions stay exact.

use std::cmp::Ordering;
use std::sync::Arc;

use jiff::civil::Date;
use smol_str::{SmolStr, format_smolstr};

use super::lines::Group;
use super::trace::Paid;
use super::{Refused, Run};
use crate::claim::used;
use crate::decimal::Ratio;
use crate::exact::Exact;
use crate::pack::{Axes, Benefit, Deductible, Pay, Per, Pool};

/// What the funds do with a bill.
#[derive(Default)]
pub(super) struct Funds<'a> {
    pub(super) buckets: Vec<Bucket<'a>>,
    pub(super) touched: Vec<Touched<'a>>,
    /// Deductible borne by the person, fen.
    pub(super) deductible: i64,
    /// The ratio of the first pool that still pays.
    pub(super) ratio: Option<Ratio>,
}

/// One pool's part of the bill: exact until its one rounding.
pub(super) struct Bucket<'a> {
    pub(super) pool: &'a Arc<Pool>,
    pub(super) paid: Exact,
    /// What the pool had left before this bill, fen.
    pub(super) before: Option<i64>,
    left: Option<Exact>,
    pub(super) rounded: i64,
    /// How it came about, for the trace.
    pub(super) parts: Vec<Paid<'a>>,
}

/// What the benefit's own row takes.
pub(super) struct Touched<'a> {
    pub(super) benefit: &'a SmolStr,
    pub(super) key: Option<SmolStr>,
    pub(super) deductible: i64,
    pub(super) scope: i64,
}

impl<'a> Run<'a> {
    pub(super) fn pay_group(&mut self, group: &Group<'a>, funds: &mut Funds<'a>) -> Result<(), Refused> {
        let benefit = group.benefit;
        if benefit.pay.is_empty() {
            return Ok(());
        }
        let mut borne = 0;
        if group.drugs.is_empty() {
            let key = benefit
                .deductible
                .as_ref()
                .and_then(|deductible| self.row_key(deductible));
            borne = self.bear(benefit, key, group.scope, funds)?;
        }
        for (drug, scope) in &group.drugs {
            borne += self.bear(benefit, Some(drug.clone()), *scope, funds)?;
        }
        funds.deductible += borne;
        self.cascade(benefit, Exact::fen(group.scope - borne), funds)
    }

    /// Takes the deductible off a scope and notes it on the benefit's row. Returns what the person bears, fen.
    fn bear(
        &mut self,
        benefit: &'a Benefit,
        key: Option<SmolStr>,
        scope: i64,
        funds: &mut Funds<'a>,
    ) -> Result<i64, Refused> {
        let mut borne = 0;
        if let Some(deductible) = &benefit.deductible {
            let (whole, already, level) = self.due(benefit, deductible, key.as_ref())?;
            borne = (whole - already).clamp(0, scope);
            self.trace
                .deductible(benefit, deductible.per, level, (whole, already, scope), borne);
        }
        if borne > 0 || scope > 0 {
            funds.touched.push(Touched {
                benefit: &benefit.id,
                key,
                deductible: borne,
                scope,
            });
        }
        Ok(borne)
    }

    /// The whole deductible in fen, what of it is borne already, and the level it was taken at.
    fn due(
        &mut self,
        benefit: &'a Benefit,
        deductible: &'a Deductible,
        key: Option<&SmolStr>,
    ) -> Result<(i64, i64, &'a SmolStr), Refused> {
        let axes = self.axes_at(deductible.level);
        let mut whole = self.figure(&deductible.amount, &axes)?.scaled;
        if let Some(times) = &deductible.times {
            let ratio = Ratio::from_scaled(self.figure(times, &axes)?.scaled);
            whole = self.fits(Exact::fen(whole).times(ratio).and_then(Exact::half_up))?;
        }
        let mut already = match deductible.per {
            Per::Settlement => 0,
            Per::Visit | Per::Year | Per::DrugYear => {
                used(&self.claim.accumulated, &benefit.id, key).map_or(0, |row| row.deductible.fen())
            }
        };
        if let Some(takes_over) = &deductible.takes_over {
            let days = self.figure(&takes_over.days, &axes)?.scaled;
            already = self.fits(already.checked_add(self.taken_over(&takes_over.row, days)))?;
        }
        let level = self.pack.levels.get(axes.level).unwrap_or(&self.pack.area);
        Ok((whole, already.min(whole), level))
    }

    /// What an emergency in the same institution, at most so many calendar days ago, has borne already (KM-15 13, Q-10).
    fn taken_over(&self, row: &str, days: i64) -> i64 {
        let code = &self.claim.institution.fixmedins_code;
        let admitted = self.claim.visit.begntime.date();
        let rows = self.claim.accumulated.iter().filter(|used| used.pool == row);
        let recent = rows.filter(|used| {
            let key = used.key.as_ref().and_then(|key| key.rsplit_once('/'));
            let day = key
                .filter(|(institution, _)| institution == code)
                .and_then(|(_, day)| day.parse::<Date>().ok());
            let since = day
                .and_then(|day| admitted.since(day).ok())
                .map(|span| i64::from(span.get_days()));
            since.is_some_and(|since| (0..=days).contains(&since))
        });
        recent.fold(0, |sum: i64, used| sum.saturating_add(used.deductible.fen()))
    }

    fn row_key(&self, deductible: &Deductible) -> Option<SmolStr> {
        let institution = &self.claim.institution.fixmedins_code;
        let visit_key = || format_smolstr!("{institution}/{}", self.claim.visit.begntime.date());
        (deductible.per == Per::Visit).then(visit_key)
    }

    fn axes_at(&self, level: Option<usize>) -> Axes {
        Axes {
            level: level.unwrap_or(self.axes.level),
            ..self.axes
        }
    }

    /// Each pool pays its share of the eligible expense; where it is exhausted, the expense it paid for is what it
    /// paid ÷ its share (kept exact), and the next pool goes on with the rest (KM-15 9 ¶4, Q-3).
    fn cascade(
        &mut self,
        benefit: &'a Benefit,
        eligible: Exact,
        funds: &mut Funds<'a>,
    ) -> Result<(), Refused> {
        let mut eligible = eligible;
        for step in &benefit.pay {
            if funds.ratio.is_some() && !eligible.is_positive() {
                return Ok(());
            }
            let ratio = self.ratio(step)?;
            let place = self.bucket(benefit, step, funds)?;
            let Some(bucket) = funds.buckets.get_mut(place) else {
                return Ok(());
            };
            let exhausted = bucket.left.is_some_and(|left| !left.is_positive());
            if !exhausted {
                funds.ratio = funds.ratio.or(Some(ratio));
                let owed = self.fits(eligible.times(ratio))?;
                let owes_more = match bucket.left {
                    Some(left) => self.fits(owed.compare(left))? == Ordering::Greater,
                    None => false,
                };
                let pays = if owes_more {
                    bucket.left.unwrap_or(owed)
                } else {
                    owed
                };
                bucket.paid = self.fits(bucket.paid.add(pays))?;
                if let Some(left) = bucket.left {
                    bucket.left = Some(self.fits(left.sub(pays))?);
                }
                if self.trace.is_on() {
                    bucket.parts.push(Paid {
                        step,
                        eligible,
                        ratio,
                        capped: owes_more,
                        cites: self.cites(step),
                    });
                }
                if !owes_more {
                    return Ok(());
                }
                eligible = self.fits(pays.divided_by(ratio).and_then(|consumed| eligible.sub(consumed)))?;
            }
            if !step.goes_on {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The sum of a step's ratios.
    fn ratio(&mut self, step: &'a Pay) -> Result<Ratio, Refused> {
        let axes = self.axes_at(step.level);
        let mut scaled = 0;
        for parameter in &step.ratio {
            scaled += self.figure(parameter, &axes)?.scaled;
        }
        Ok(Ratio::from_scaled(scaled.clamp(0, 1_000_000)))
    }

    /// The figures of a step with where each comes from, for the trace.
    fn cites(&self, step: &'a Pay) -> Vec<(Ratio, &'a SmolStr)> {
        let axes = self.axes_at(step.level);
        let figures = step
            .ratio
            .iter()
            .filter_map(|parameter| parameter.on(self.day, &axes).ok());
        figures
            .filter(|figure| figure.scaled != 0)
            .map(|figure| (Ratio::from_scaled(figure.scaled), figure.cite))
            .collect()
    }

    /// The place of the step's bucket; opened with what the pool's limit has left.
    fn bucket(
        &mut self,
        benefit: &'a Benefit,
        step: &'a Pay,
        funds: &mut Funds<'a>,
    ) -> Result<usize, Refused> {
        let known = funds
            .buckets
            .iter()
            .position(|bucket| Arc::ptr_eq(bucket.pool, &step.pool));
        if let Some(place) = known {
            return Ok(place);
        }
        let before = self.left(benefit, step)?;
        funds.buckets.push(Bucket {
            pool: &step.pool,
            paid: Exact::ZERO,
            before,
            left: before.map(Exact::fen),
            rounded: 0,
            parts: Vec::new(),
        });
        Ok(funds.buckets.len() - 1)
    }

    /// What the pool has left of its limit for the natural year, fen; `None` = it has no limit.
    fn left(&mut self, benefit: &'a Benefit, step: &'a Pay) -> Result<Option<i64>, Refused> {
        let Some(limit) = &step.pool.limit else {
            return Ok(None);
        };
        let axes = self.axes_at(step.level);
        let mut whole = 0;
        if let Some(further) = &limit.each_further_disease {
            // base: the largest among the registered diseases; further ones add to it (KM-15 10, Q-7)
            let classes: Vec<usize> = self.classes_registered(benefit).collect();
            for class in &classes {
                let figure = self.figure(
                    &limit.amount,
                    &Axes {
                        class: *class,
                        ..axes
                    },
                )?;
                whole = whole.max(figure.scaled);
            }
            let others = i64::try_from(classes.len().saturating_sub(1)).unwrap_or(0);
            let further = self.figure(further, &axes)?.scaled;
            whole = self.fits(
                further
                    .checked_mul(others)
                    .and_then(|more| whole.checked_add(more)),
            )?;
        } else {
            whole = whole.max(self.figure(&limit.amount, &axes)?.scaled);
        }
        if let Some(at_most) = &limit.at_most {
            whole = whole.min(self.figure(at_most, &axes)?.scaled);
        }
        let used = used(&self.claim.accumulated, &step.pool.id, None).map_or(0, |row| row.fund.fen());
        Ok(Some((whole - used).max(0)))
    }
}
