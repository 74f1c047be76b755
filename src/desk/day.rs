//! Day close: a day's totals against the agency's, each settlement that differs, and what a supervisor lets be done
//! about it. The work is done elsewhere; the counter goes on meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan as _;
use jiff::civil::Date;
use yijie_agency::StatementVerdict;
use yijie_rules::Money;

use super::approval::{self, Deed};
use super::{Effect, Level, Notice, Page, State};
use crate::books::row::SaleRow;
use crate::clock;
use crate::reconcile::{Month, Reconciliation, Row};
use crate::record::ClosedTotal;

/// Days back that can be looked at.
const DAYS_BACK: i32 = 62;

/// What is being done about the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Work {
    /// Nothing.
    #[default]
    None,
    /// The agency is asked (3201, 3202).
    Comparing,
    /// What was confirmed is done, and the agency asked again.
    Mending,
    /// The month's clearing is applied for (3203).
    Applying,
}

/// A day compared, with the till's sales behind the rows that differ.
#[derive(Debug, Clone)]
pub struct Found {
    /// What the comparison found.
    pub reconciliation: Reconciliation,
    /// The till's sales, by id.
    pub sales: BTreeMap<String, SaleRow>,
}

/// The day close page.
#[derive(Debug, Clone, Default)]
pub struct Day {
    /// The day; absent until the page was opened.
    pub date: Option<Date>,
    /// What the till counts on it, by insurance, category and settling agency.
    pub own: Vec<ClosedTotal>,
    /// What an earlier comparison left in the books.
    pub earlier: Option<Vec<ClosedTotal>>,
    /// What is being done.
    pub work: Work,
    /// The last comparison.
    pub found: Option<Found>,
    /// Why there is none.
    pub failed: Option<Notice>,
    /// Number of the application for clearing, if the agency took it.
    pub applied: Option<String>,
    /// Row moved to.
    pub selected: usize,
    /// Rows the operator does not want done, by message id.
    pub left_out: BTreeSet<String>,
}

impl Day {
    /// Rows to be shown: what differs, other tills' settlements left out.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        let found = self.found.iter().flat_map(|found| &found.reconciliation.rows);
        found.filter(|row| row.action != crate::reconcile::Action::OtherTill)
    }

    /// Message ids of the rows that are to be done.
    #[must_use]
    pub fn wanted(&self) -> Vec<String> {
        self.rows()
            .filter(|row| row.action.can_be_done() && !self.left_out.contains(&row.msgid))
            .map(|row| row.msgid.clone())
            .collect()
    }

    /// The day was compared and nothing is left to do.
    #[must_use]
    pub fn balanced(&self) -> bool {
        match &self.found {
            Some(found) => found.reconciliation.balanced() && !found.reconciliation.totals.is_empty(),
            None => self
                .earlier
                .as_ref()
                .is_some_and(|totals| !totals.is_empty() && totals.iter().all(|total| total.balanced)),
        }
    }
}

/// To the page: today, unless a day is being worked on.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    state.page = Page::Day;
    if state.day.work != Work::None || state.day.failed.is_some() || state.day.found.is_some() {
        return Vec::new();
    }
    let date = state.day.date.unwrap_or_else(|| clock::today(state.now_ms));
    turn_to(state, date)
}

/// Another day.
pub(super) fn turn(state: &mut State, by: i32) -> Vec<Effect> {
    if state.day.work != Work::None {
        return state.fail("DAY_AT_WORK");
    }
    let today = clock::today(state.now_ms);
    let from = state.day.date.unwrap_or(today);
    let oldest = today.checked_sub(DAYS_BACK.days()).unwrap_or(today);
    match from.checked_add(by.days()) {
        Ok(date) if (oldest..=today).contains(&date) => turn_to(state, date),
        _ => Vec::new(),
    }
}

fn turn_to(state: &mut State, date: Date) -> Vec<Effect> {
    state.day = Day {
        date: Some(date),
        ..Day::default()
    };
    vec![Effect::ReadDay(date)]
}

pub(super) fn read(
    state: &mut State,
    date: Date,
    own: Vec<ClosedTotal>,
    earlier: Option<Vec<ClosedTotal>>,
) -> Vec<Effect> {
    if state.day.date == Some(date) {
        state.day.own = own;
        state.day.earlier = earlier;
    }
    Vec::new()
}

/// Asks the agency.
pub(super) fn compare(state: &mut State) -> Vec<Effect> {
    let (Some(date), Work::None) = (state.day.date, state.day.work) else {
        return Vec::new();
    };
    state.day.work = Work::Comparing;
    state.day.failed = None;
    state.notice = None;
    vec![Effect::Compare(date)]
}

/// A row is to be done, or not after all.
pub(super) fn mark(state: &mut State, row: usize) -> Vec<Effect> {
    let chosen = state.day.rows().nth(row);
    let Some(msgid) = chosen
        .filter(|row| row.action.can_be_done())
        .map(|row| row.msgid.clone())
    else {
        return Vec::new();
    };
    if !state.day.left_out.remove(&msgid) {
        state.day.left_out.insert(msgid);
    }
    Vec::new()
}

/// What is marked is to be done: a supervisor confirms.
pub(super) fn confirm(state: &mut State) -> Vec<Effect> {
    let wanted = state.day.wanted();
    if state.day.work != Work::None || wanted.is_empty() {
        return Vec::new();
    }
    approval::ask(state, Deed::Mend(wanted))
}

/// It was confirmed.
pub(super) fn mend(state: &mut State, msgids: Vec<String>, operator: String) -> Vec<Effect> {
    let (Some(date), Work::None) = (state.day.date, state.day.work) else {
        return state.fail("DAY_AT_WORK");
    };
    state.day.work = Work::Mending;
    state.day.failed = None;
    vec![Effect::Mend {
        date,
        msgids,
        operator,
    }]
}

pub(super) fn compared(state: &mut State, date: Date, outcome: Result<Box<Found>, Notice>) -> Vec<Effect> {
    if state.day.date != Some(date) {
        return Vec::new();
    }
    state.day.work = Work::None;
    match outcome {
        Ok(found) => {
            state.line_up();
            state.day.own.clone_from(&found.reconciliation.totals);
            state.day.found = Some(*found);
            let rows = state.day.rows().count();
            state.day.selected = state.day.selected.min(rows.saturating_sub(1));
        }
        Err(notice) => state.day.failed = Some(notice),
    }
    Vec::new()
}

/// The month is to be paid: once its days are balanced, a supervisor applies for it.
pub(super) fn ask_for_clearing(state: &mut State) -> Vec<Effect> {
    if state.day.work != Work::None {
        return Vec::new();
    }
    if !state.day.balanced() {
        return state.fail("DAY_NOT_BALANCED");
    }
    match state.day.date {
        Some(date) => approval::ask(state, Deed::ApplyForClearing(Month::of(date).to_string())),
        None => Vec::new(),
    }
}

pub(super) fn apply(state: &mut State, operator: String) -> Vec<Effect> {
    let (Some(date), Work::None) = (state.day.date, state.day.work) else {
        return state.fail("DAY_AT_WORK");
    };
    state.day.work = Work::Applying;
    state.day.failed = None;
    vec![Effect::ApplyForClearing { date, operator }]
}

pub(super) fn applied(state: &mut State, outcome: Result<String, Notice>) -> Vec<Effect> {
    state.day.work = Work::None;
    match outcome {
        Ok(numbers) => {
            state.notice = Some(Notice::new(Level::Info, "CLEARING_APPLIED").about(&numbers));
            state.day.applied = Some(numbers);
        }
        Err(notice) => state.day.failed = Some(notice),
    }
    Vec::new()
}

/// Count and sums of a total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sums {
    /// How many.
    pub count: i64,
    /// Bills.
    pub medfee: Money,
    /// Funds.
    pub fund: Money,
    /// Own accounts.
    pub account: Money,
}

impl Sums {
    /// The till's own.
    #[must_use]
    pub fn of(total: &ClosedTotal) -> Sums {
        Sums {
            count: total.count,
            medfee: total.medfee,
            fund: total.fund,
            account: total.account,
        }
    }

    fn add(&mut self, other: Sums) {
        self.count += other.count;
        self.medfee = self.medfee.saturating_add(other.medfee);
        self.fund = self.fund.saturating_add(other.fund);
        self.account = self.account.saturating_add(other.account);
    }

    fn less(self) -> Sums {
        let minus = |sum: Money| Money::ZERO.saturating_sub(sum);
        Sums {
            count: -self.count,
            medfee: minus(self.medfee),
            fund: minus(self.fund),
            account: minus(self.account),
        }
    }
}

fn group(total: &ClosedTotal) -> (&str, &str, &str) {
    (&total.insutype, &total.clr_type, &total.clr_optins)
}

impl Day {
    /// What the agency said of a total, if it was asked.
    #[must_use]
    pub fn said_of(&self, own: &ClosedTotal) -> Option<&ClosedTotal> {
        let asked = match &self.found {
            Some(found) => Some(&found.reconciliation.totals),
            None => self.earlier.as_ref(),
        };
        asked?
            .iter()
            .find(|total| group(total) == group(own) && Sums::of(total) == Sums::of(own))
    }

    /// The agency's sums of a total: the till's where it agrees, else as far as its detail tells. 3201 itself names none.
    #[must_use]
    pub fn agency_of(&self, own: &ClosedTotal) -> Option<Sums> {
        let said = self.said_of(own)?;
        let mut sums = Sums::of(said);
        for share in &said.others {
            sums.add(Sums {
                count: share.count,
                medfee: share.medfee,
                fund: share.fund,
                account: share.account,
            });
        }
        if said.balanced {
            return Some(sums);
        }
        let found = self.found.as_ref()?;
        let alone = self.own.len() == 1;
        for row in self.rows() {
            let Some(finding) = &row.finding else { continue };
            let sale = row.sale.as_ref().and_then(|id| found.sales.get(id));
            let reply = sale.and_then(|sale| sale.reply.as_ref());
            match reply {
                Some(reply)
                    if (
                        reply.insutype.as_str(),
                        reply.clr_type.as_str(),
                        reply.clr_optins.as_str(),
                    ) != group(own) =>
                {
                    continue;
                }
                // Which insurance it was, the detail does not say.
                None if !alone => return None,
                _ => {}
            }
            let count = if finding.refund { -1 } else { 1 };
            let theirs = Sums {
                count,
                medfee: finding.medfee_sumamt,
                fund: finding.fund_pay_sumamt,
                account: finding.acct_pay,
            };
            let ours = reply.map(|reply| Sums {
                count,
                medfee: reply.setlinfo.medfee_sumamt,
                fund: reply.setlinfo.fund_pay_sumamt,
                account: reply.setlinfo.acct_pay,
            });
            match (finding.verdict, ours) {
                (StatementVerdict::AgencyMore, _) => sums.add(theirs),
                (StatementVerdict::TerminalMore, Some(ours)) => sums.add(ours.less()),
                (StatementVerdict::Differs, Some(ours)) => {
                    sums.add(ours.less());
                    sums.add(theirs);
                }
                _ => return None,
            }
        }
        Some(sums)
    }
}
