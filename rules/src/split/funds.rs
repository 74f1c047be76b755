//! The funds: deductible, then what each pool has left; the cascade of pools stands in `cascade`. Fractions stay exact.

use std::sync::Arc;

use jiff::civil::Date;
use smol_str::{SmolStr, format_smolstr};

use super::buckets::{Bucket, Funds, GroupPaid, Touched};
use super::lines::Group;
use super::{Refused, Run};
use crate::claim::Used;
use crate::decimal::Ratio;
use crate::exact::Exact;
use crate::pack::{Axes, Benefit, Counts, Deductible, Limit, Parameter, Per, Pool};

impl<'a> Run<'a> {
    pub(super) fn pay_group(&mut self, group: &Group<'a>, funds: &mut Funds<'a>) -> Result<(), Refused> {
        let benefit = group.benefit;
        if benefit.pay.is_empty() {
            return Ok(());
        }
        let mut scope = group.scope;
        if let Some(price) = &benefit.case_price {
            let axes = self.axes;
            scope = self.amount(price, &axes)?.map_or(scope, |price| price.min(scope));
            funds.hospital += group.scope - scope;
        }
        if benefit.account_first {
            let held = self.held_by_account(funds).min(scope);
            self.trace.account_first(benefit, scope, held);
            funds.by_account += held;
            scope -= held;
        }
        let mut borne = 0;
        if group.drugs.is_empty() {
            let key = benefit
                .deductible
                .as_ref()
                .and_then(|deductible| self.key(deductible.per));
            borne = self.bear(benefit, key, scope, funds)?;
        }
        let mut room = scope;
        for (drug, of_drug) in &group.drugs {
            let of_drug = room.min(*of_drug);
            room -= of_drug;
            borne += self.bear(benefit, Some(drug.clone()), of_drug, funds)?;
        }
        funds.deductible += borne;
        let paid = self.cascade(benefit, scope, borne, funds)?;
        self.count_expense(benefit, scope, borne, funds);
        if !self.pack.layers.is_empty() {
            funds.groups.push(GroupPaid {
                benefit: &benefit.id,
                scope,
                borne,
                first: group.first,
                paid,
            });
        }
        Ok(())
    }

    /// What the own account may still pay before the funds of this bill, fen.
    fn held_by_account(&self, funds: &Funds<'a>) -> i64 {
        let own = self
            .claim
            .accounts
            .own
            .as_ref()
            .filter(|_| self.pack.accounts.own);
        own.map_or(0, |own| own.balc.fen() - funds.by_account)
    }

    /// A limit on expense counts on its pool's row; where pool and benefit are of one name, that is the benefit's own.
    fn count_expense(&self, benefit: &'a Benefit, scope: i64, borne: i64, funds: &mut Funds<'a>) {
        for place in 0..funds.buckets.len() {
            let Some(pool) = funds.buckets.get(place).map(|bucket| bucket.pool) else {
                break;
            };
            let counts = |limit: &&Limit| limit.of != Counts::Fund && pool.id != benefit.id;
            let Some(limit) = pool.limit.as_ref().filter(counts) else {
                continue;
            };
            let pays = |own: &Arc<Pool>| {
                let mut chain = std::iter::successors(Some(own), |pool| pool.within.as_ref());
                chain.any(|of| Arc::ptr_eq(of, pool))
            };
            if scope > 0 && benefit.pay.iter().any(|step| pays(&step.pool)) {
                let key = self.key(limit.per);
                funds.touched.push(Touched {
                    row: &pool.id,
                    key,
                    deductible: borne,
                    scope,
                });
            }
        }
    }

    /// How often the year has seen the benefit before: the rows of other visits that hold expense or a deductible.
    fn times_before(&self, benefit: &Benefit, key: Option<&SmolStr>) -> usize {
        let rows = self.claim.accumulated.iter().filter(|row| row.pool == benefit.id);
        let others = rows.filter(|row| key.is_none() || row.key.as_ref() != key);
        let others = others.filter(|row| !row.in_scope.is_zero() || !row.deductible.is_zero());
        others.count()
    }

    /// Takes the deductible off a scope and notes it on the benefit's row. Returns what the person bears, fen.
    fn bear(
        &mut self,
        benefit: &'a Benefit,
        key: Option<SmolStr>,
        scope: i64,
        funds: &mut Funds<'a>,
    ) -> Result<i64, Refused> {
        self.axes.turn = self
            .times_before(benefit, key.as_ref())
            .min(self.pack.turns.len().saturating_sub(1));
        let mut borne = 0;
        if let Some(deductible) = &benefit.deductible {
            let row = deductible.shared.as_ref().unwrap_or(&benefit.id);
            let (whole, already, level) = self.due(row, deductible, key.as_ref())?;
            borne = (whole - already).clamp(0, scope);
            if let Some(year_max) = &deductible.year_max
                && let Some(left) = self.left_to_bear(row, year_max)?
            {
                borne = borne.min(left);
            }
            self.trace
                .deductible(benefit, deductible.per, level, (whole, already, scope), borne);
            if let Some(shared) = deductible.shared.as_ref().filter(|_| borne > 0) {
                funds.touched.push(Touched {
                    row: shared,
                    key: key.clone(),
                    deductible: borne,
                    scope: 0,
                });
            }
        }
        if scope > 0 {
            funds.touched.push(Touched {
                row: &benefit.id,
                key,
                deductible: borne,
                scope,
            });
        }
        Ok(borne)
    }

    /// What the year's ceiling on deductibles leaves to be borne, fen; `None` = there is no ceiling.
    fn left_to_bear(&mut self, row: &SmolStr, year_max: &'a Parameter) -> Result<Option<i64>, Refused> {
        let axes = self.axes;
        let before = Used::of_pool(&self.claim.accumulated, row).deductible;
        let most = self.amount(year_max, &axes)?;
        Ok(most.map(|most| (most - before).max(0)))
    }

    /// The whole deductible in fen, what of it is borne already, and the level it was taken at.
    fn due(
        &mut self,
        row: &SmolStr,
        deductible: &'a Deductible,
        key: Option<&SmolStr>,
    ) -> Result<(i64, i64, &'a SmolStr), Refused> {
        let axes = self.axes_at(deductible.level);
        let mut whole = self.amount(&deductible.amount, &axes)?.unwrap_or(0);
        if let Some(times) = &deductible.times {
            let ratio = Ratio::from_scaled(self.figure(times, &axes)?.scaled);
            whole = self.fits(Exact::fen(whole).times(ratio).and_then(Exact::half_up))?;
        }
        let mut already = match deductible.per {
            Per::Settlement => 0,
            _ => Used::of_row(&self.claim.accumulated, row, key).deductible,
        };
        if let Some(takes_over) = &deductible.takes_over {
            let days = self.figure(&takes_over.days, &axes)?.scaled;
            let own = (takes_over.row == *row).then_some(key).flatten();
            let over = self.taken_over(&takes_over.row, days, takes_over.any_institution, own);
            already = already.saturating_add(over);
        }
        let level = self.pack.levels.get(axes.level).unwrap_or(&self.pack.area);
        Ok((whole, already.min(whole), level))
    }

    /// What an emergency in the same institution, at most so many calendar days ago, has borne already (KM-15 13, Q-10).
    /// The visit's own row counts by itself.
    fn taken_over(&self, row: &str, days: i64, any_institution: bool, own: Option<&SmolStr>) -> i64 {
        let code = &self.claim.institution.fixmedins_code;
        let admitted = self.claim.visit.begntime.date();
        let rows = self.claim.accumulated.iter().filter(|used| used.pool == row);
        let rows = rows.filter(|used| own.is_none() || used.key.as_ref() != own);
        let recent = rows.filter(|used| {
            let key = used.key.as_ref().and_then(|key| key.rsplit_once('/'));
            let day = key
                .filter(|(institution, _)| any_institution || institution == code)
                .and_then(|(_, day)| day.parse::<Date>().ok());
            let since = day
                .and_then(|day| admitted.since(day).ok())
                .map(|span| i64::from(span.get_days()));
            since.is_some_and(|since| (0..=days).contains(&since))
        });
        recent.fold(0, |sum: i64, used| sum.saturating_add(used.deductible.fen()))
    }

    /// The key of the row on which something counts that lasts as long; `None` = the year's one row.
    pub(super) fn key(&self, per: Per) -> Option<SmolStr> {
        let day = self.day;
        let month = || format_smolstr!("{:04}-{:02}", day.year(), day.month());
        let disease = || self.claim.visit.dise_codg.clone().unwrap_or_default();
        match per {
            Per::Settlement | Per::Year | Per::DrugYear => None,
            Per::Visit => {
                let institution = &self.claim.institution.fixmedins_code;
                Some(format_smolstr!(
                    "{institution}/{}",
                    self.claim.visit.begntime.date()
                ))
            }
            Per::Day => Some(format_smolstr!("{day}")),
            Per::Month => Some(month()),
            Per::Quarter => Some(format_smolstr!("{:04}-Q{}", day.year(), (day.month() + 2) / 3)),
            Per::DiseaseYear => Some(disease()),
            Per::DiseaseMonth => Some(format_smolstr!("{}/{}", disease(), month())),
        }
    }

    pub(super) fn axes_at(&self, level: Option<usize>) -> Axes {
        Axes {
            level: level.unwrap_or(self.axes.level),
            ..self.axes
        }
    }

    /// The place of a pool's bucket; opened with what its limit, and those it counts with, have left.
    pub(super) fn bucket(
        &mut self,
        benefit: Option<&'a Benefit>,
        level: Option<usize>,
        pool: &'a Arc<Pool>,
        borne: i64,
        funds: &mut Funds<'a>,
    ) -> Result<usize, Refused> {
        let known = |bucket: &Bucket<'_>| Arc::ptr_eq(bucket.pool, pool);
        if let Some(place) = funds.buckets.iter().position(known) {
            return Ok(place);
        }
        let parent = match &pool.within {
            Some(parent) => Some(self.bucket(benefit, level, parent, borne, funds)?),
            None => None,
        };
        let own = match &pool.limit {
            Some(limit) => self.left_of(benefit, level, pool, limit)?,
            None => None,
        };
        let above = parent.and_then(|parent| funds.buckets.get(parent)?.before);
        let of = pool.limit.as_ref().map(|limit| limit.of);
        let by_fund = own.filter(|_| of == Some(Counts::Fund));
        funds.buckets.push(Bucket {
            pool,
            parent,
            paid: Exact::ZERO,
            before: own.into_iter().chain(above).min(),
            left: by_fund.map(Exact::fen),
            room: match of {
                // the deductible counts with the expense that the limit measures
                Some(Counts::InScope) => own.map(|left| Exact::fen(left - borne)),
                Some(Counts::AboveDeductible) => own.map(Exact::fen),
                _ => None,
            },
            roundable: by_fund,
            threshold: None,
            rounded: 0,
            parts: Vec::new(),
        });
        Ok(funds.buckets.len() - 1)
    }

    /// What the pool has left of its limit, fen; `None` = there is none.
    fn left_of(
        &mut self,
        benefit: Option<&'a Benefit>,
        level: Option<usize>,
        pool: &'a Pool,
        limit: &'a Limit,
    ) -> Result<Option<i64>, Refused> {
        let axes = self.axes_at(level);
        let mut whole = match (&limit.each_further_disease, benefit) {
            (Some(further), Some(benefit)) => self.limit_by_diseases(benefit, limit, further, &axes)?,
            _ => self.amount(&limit.amount, &axes)?,
        };
        if limit.each_member {
            let members = i64::from(self.claim.person.household_members.unwrap_or(1));
            whole = match whole {
                Some(each) => Some(self.fits(each.checked_mul(members))?),
                None => None,
            };
        }
        if let Some(at_most) = &limit.at_most {
            let most = self.amount(at_most, &axes)?;
            whole = whole.into_iter().chain(most).min();
        }
        let rows = &self.claim.accumulated;
        let used = match limit.per {
            Per::Year => Used::of_pool(rows, &pool.id),
            per => Used::of_row(rows, &pool.id, self.key(per).as_ref()),
        };
        let used = match limit.of {
            Counts::Fund => used.fund,
            Counts::InScope => used.in_scope,
            Counts::AboveDeductible => used.above_deductible(),
        };
        Ok(whole.map(|whole| whole.saturating_sub(used).max(0)))
    }

    /// The largest among the registered diseases; further ones add to it (KM-15 10, Q-7).
    fn limit_by_diseases(
        &mut self,
        benefit: &'a Benefit,
        limit: &'a Limit,
        further: &'a Parameter,
        axes: &Axes,
    ) -> Result<Option<i64>, Refused> {
        let mut whole = Some(0);
        let classes: Vec<usize> = self.classes_registered(benefit).collect();
        for class in &classes {
            let axes = Axes {
                class: *class,
                ..*axes
            };
            let figure = self.amount(&limit.amount, &axes)?;
            whole = whole.zip(figure).map(|(most, figure)| most.max(figure));
        }
        let others = i64::try_from(classes.len().saturating_sub(1)).unwrap_or(0);
        let further = self.amount(further, axes)?.unwrap_or(0);
        let more = self.fits(further.checked_mul(others))?;
        whole.map(|whole| self.fits(whole.checked_add(more))).transpose()
    }
}
