//! The buckets of a bill: one for each pool that pays, exact until its one rounding, with the limits that count.

use std::sync::Arc;

use smol_str::SmolStr;

use super::cascade::least;
use super::trace::Paid;
use crate::decimal::Ratio;
use crate::exact::Exact;
use crate::pack::Pool;

/// What the funds do with a bill.
pub(super) struct Funds<'a> {
    pub(super) buckets: Vec<Bucket<'a>>,
    pub(super) touched: Vec<Touched<'a>>,
    /// Scope and payments of each benefit, where the pack has layers.
    pub(super) groups: Vec<GroupPaid<'a>>,
    /// Deductible borne by the person, fen.
    pub(super) deductible: i64,
    /// What the institution bears above the price of a case, fen.
    pub(super) hospital: i64,
    /// What was left to the own account before the funds looked at the rest, fen.
    pub(super) by_account: i64,
    /// The ratio of the first pool that still pays.
    pub(super) ratio: Option<Ratio>,
}

/// One pool's part of the bill: exact until its one rounding.
pub(super) struct Bucket<'a> {
    pub(super) pool: &'a Arc<Pool>,
    /// The bucket whose limit these payments count with too.
    pub(super) parent: Option<usize>,
    pub(super) paid: Exact,
    /// The least that its limits had left before this bill, fen.
    pub(super) before: Option<i64>,
    /// What is left of its own limit, where that counts payments.
    pub(super) left: Option<Exact>,
    /// What is left of its own limit, where that counts expense.
    pub(super) room: Option<Exact>,
    /// What its own limit on payments still lets be rounded, fen.
    pub(super) roundable: Option<i64>,
    /// Threshold of a layer and what of it was borne before this bill, fen.
    pub(super) threshold: Option<(i64, i64)>,
    pub(super) rounded: i64,
    /// How it came about, for the trace.
    pub(super) parts: Vec<Paid<'a>>,
}

/// What the benefits' funds pay of one benefit's scope.
pub(super) struct GroupPaid<'a> {
    pub(super) benefit: &'a SmolStr,
    pub(super) scope: i64,
    pub(super) borne: i64,
    pub(super) first: i64,
    pub(super) paid: Exact,
}

/// What a row of the year takes.
pub(super) struct Touched<'a> {
    pub(super) row: &'a SmolStr,
    pub(super) key: Option<SmolStr>,
    pub(super) deductible: i64,
    pub(super) scope: i64,
}

impl<'a> Funds<'a> {
    pub(super) fn new() -> Funds<'a> {
        Funds {
            buckets: Vec::with_capacity(2),
            touched: Vec::with_capacity(1),
            groups: Vec::new(),
            deductible: 0,
            hospital: 0,
            by_account: 0,
            ratio: None,
        }
    }

    /// A bucket and those it counts with.
    fn chain(&self, place: usize) -> impl Iterator<Item = &Bucket<'a>> {
        let of = |place: usize| self.buckets.get(place);
        std::iter::successors(of(place), move |bucket| bucket.parent.and_then(of))
    }

    /// Whether anything is left of all limits that count.
    pub(super) fn is_open(&self, place: usize) -> bool {
        let mut limits = self.chain(place).flat_map(|bucket| [bucket.left, bucket.room]);
        limits.all(|limit| limit.is_none_or(Exact::is_positive))
    }

    /// What is left to be paid, and of the expense that may be looked at; `None` inside = no limit.
    pub(super) fn left(&self, place: usize) -> Option<(Option<Exact>, Option<Exact>)> {
        let mut all = (None, None);
        for bucket in self.chain(place) {
            all = (least(all.0, bucket.left)?, least(all.1, bucket.room)?);
        }
        Some(all)
    }

    /// The pool pays; its limit and those it counts with shrink.
    pub(super) fn take(&mut self, place: usize, pays: Exact, consumed: Exact) -> Option<()> {
        let first = self.buckets.get_mut(place)?;
        first.paid = first.paid.add(pays)?;
        let mut at = Some(place);
        while let Some(bucket) = at.and_then(|place| self.buckets.get_mut(place)) {
            if let Some(left) = &mut bucket.left {
                *left = left.sub(pays)?;
            }
            if let Some(room) = &mut bucket.room {
                *room = room.sub(consumed)?;
            }
            at = bucket.parent;
        }
        Some(())
    }

    /// Rounds a bucket once, half-up, within what its limits still let be rounded and `most`.
    pub(super) fn round(&mut self, place: usize, most: i64) -> Option<i64> {
        let limits = self.chain(place).filter_map(|bucket| bucket.roundable);
        let most = limits.fold(most, i64::min);
        let rounded = self.buckets.get(place)?.paid.half_up()?.min(most);
        let mut at = Some(place);
        while let Some(bucket) = at.and_then(|place| self.buckets.get_mut(place)) {
            bucket.roundable = bucket.roundable.map(|left| left - rounded);
            at = bucket.parent;
        }
        self.buckets.get_mut(place)?.rounded = rounded;
        Some(rounded)
    }

    pub(super) fn note(&mut self, place: usize, part: Paid<'a>) {
        if let Some(bucket) = self.buckets.get_mut(place) {
            bucket.parts.push(part);
        }
    }
}
