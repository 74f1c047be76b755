//! The funds: deductible, then what each pool has left; the cascade of pools stands in `cascade`. Fractions stay exact.

use std::sync::Arc;

use jiff::civil::Date;
use smol_str::{SmolStr, format_smolstr};

use super::lines::Group;
use super::trace::Paid;
use super::{Refused, Run};
use crate::claim::used;
use crate::decimal::Ratio;
use crate::exact::Exact;
use crate::pack::{Axes, Benefit, Deductible, Parameter, Pay, Per, Pool};

/// What the funds do with a bill.
#[derive(Default)]
pub(super) struct Funds<'a> {
    pub(super) buckets: Vec<Bucket<'a>>,
    pub(super) touched: Vec<Touched<'a>>,
    /// Scope and payments of each benefit, where the pack has layers.
    pub(super) groups: Vec<GroupPaid<'a>>,
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
    pub(super) left: Option<Exact>,
    /// What is left of a limit that counts expense.
    pub(super) room: Option<Exact>,
    /// Threshold of a layer and what of it was borne before this bill, fen.
    pub(super) threshold: Option<(i64, i64)>,
    pub(super) rounded: i64,
    /// How it came about, for the trace.
    pub(super) parts: Vec<Paid<'a>>,
}

impl Bucket<'_> {
    /// Whether anything is left of its limits.
    pub(super) fn is_open(&self) -> bool {
        let limits = [self.left, self.room];
        limits.into_iter().flatten().all(Exact::is_positive)
    }
}

/// What the benefits' funds pay of one benefit's scope.
pub(super) struct GroupPaid<'a> {
    pub(super) benefit: &'a SmolStr,
    pub(super) scope: i64,
    pub(super) paid: Exact,
}

/// What the benefit's own row takes.
pub(super) struct Touched<'a> {
    pub(super) benefit: &'a SmolStr,
    pub(super) key: Option<SmolStr>,
    pub(super) deductible: i64,
    pub(super) scope: i64,
}

impl<'a> Funds<'a> {
    /// Adds a bucket; its place.
    pub(super) fn open(&mut self, bucket: Bucket<'a>) -> usize {
        self.buckets.push(bucket);
        self.buckets.len() - 1
    }

    /// The place of a pool's bucket.
    pub(super) fn place(&self, pool: &Arc<Pool>) -> Option<usize> {
        self.buckets
            .iter()
            .position(|bucket| Arc::ptr_eq(bucket.pool, pool))
    }
}

impl<'a> Bucket<'a> {
    /// The bucket of a fund that pays after the benefits' funds.
    pub(super) fn of_layer(pool: &'a Arc<Pool>, before: Option<i64>) -> Bucket<'a> {
        Bucket {
            pool,
            paid: Exact::ZERO,
            before,
            left: before.map(Exact::fen),
            room: None,
            threshold: None,
            rounded: 0,
            parts: Vec::new(),
        }
    }
}

impl<'a> Run<'a> {
    pub(super) fn pay_group(&mut self, group: &Group<'a>, funds: &mut Funds<'a>) -> Result<(), Refused> {
        let benefit = group.benefit;
        if benefit.pay.is_empty() {
            return Ok(());
        }
        self.axes.turn = usize::from(self.had_before(benefit));
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
        let paid = self.cascade(benefit, group.scope, borne, funds)?;
        if !self.pack.layers.is_empty() {
            funds.groups.push(GroupPaid {
                benefit: &benefit.id,
                scope: group.scope,
                paid,
            });
        }
        Ok(())
    }

    /// Whether the year has seen the benefit before: its own row holds expense or a deductible.
    fn had_before(&self, benefit: &Benefit) -> bool {
        let mut rows = self.claim.accumulated.iter().filter(|row| row.pool == benefit.id);
        rows.any(|row| !row.in_scope.is_zero() || !row.deductible.is_zero())
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
            if let Some(year_max) = &deductible.year_max {
                borne = borne.min(self.left_to_bear(benefit, year_max)?);
            }
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

    /// What the year's ceiling on deductibles leaves to be borne, fen.
    fn left_to_bear(&mut self, benefit: &'a Benefit, year_max: &'a Parameter) -> Result<i64, Refused> {
        let axes = self.axes;
        let most = self.figure(year_max, &axes)?.scaled;
        let rows = self.claim.accumulated.iter().filter(|row| row.pool == benefit.id);
        let before = rows.fold(0, |sum: i64, row| sum.saturating_add(row.deductible.fen()));
        Ok((most - before).max(0))
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

    pub(super) fn axes_at(&self, level: Option<usize>) -> Axes {
        Axes {
            level: level.unwrap_or(self.axes.level),
            ..self.axes
        }
    }

    /// The place of the step's bucket; opened with what the pool's limit has left.
    pub(super) fn bucket(
        &mut self,
        benefit: &'a Benefit,
        step: &'a Pay,
        borne: i64,
        funds: &mut Funds<'a>,
    ) -> Result<usize, Refused> {
        if let Some(place) = funds.place(&step.pool) {
            return Ok(place);
        }
        let before = self.left(Some(benefit), step)?;
        let in_scope = step.pool.limit.as_ref().is_some_and(|limit| limit.in_scope);
        Ok(funds.open(Bucket {
            pool: &step.pool,
            paid: Exact::ZERO,
            before,
            left: before.filter(|_| !in_scope).map(Exact::fen),
            // the deductible counts with the expense that the limit measures
            room: before.filter(|_| in_scope).map(|left| Exact::fen(left - borne)),
            threshold: None,
            rounded: 0,
            parts: Vec::new(),
        }))
    }

    /// What the pool has left of its limit for the natural year, fen; `None` = it has no limit.
    pub(super) fn left(
        &mut self,
        benefit: Option<&'a Benefit>,
        step: &'a Pay,
    ) -> Result<Option<i64>, Refused> {
        let Some(limit) = &step.pool.limit else {
            return Ok(None);
        };
        let axes = self.axes_at(step.level);
        let mut whole = 0;
        if let (Some(further), Some(benefit)) = (&limit.each_further_disease, benefit) {
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
        let used = used(&self.claim.accumulated, &step.pool.id, None).map_or(0, |row| {
            if limit.in_scope { row.in_scope } else { row.fund }.fen()
        });
        Ok(Some((whole - used).max(0)))
    }
}
