//! This till's sums of a day by insurance, category and settling agency, and what the agency says of each (3201).

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan as _;
use jiff::civil::Date;
use yijie_agency::{Answer, StatementRow, StatementTotals, StatementVerdict};
use yijie_rules::Money;

use super::ReconcileError;
use crate::books::row::SaleRow;
use crate::books::{Books, BooksError};
use crate::record::{ClosedTotal, Share};
use crate::sync::{Sync, place_of};

/// Days back that are looked through for what a till settles under.
const LOOK_BACK_DAYS: i32 = 31;
/// Insurance types: employees, residents.
const INSUTYPES: [&str; 2] = ["310", "390"];
/// Settlement categories: outpatient, inpatient, pharmacy.
const CLR_TYPES: [&str; 3] = ["11", "21", "41"];

/// A total's insurance, category and settling agency.
pub(super) type Group = (String, String, String);

/// What this till counts on a day.
pub(super) struct Own {
    pub(super) rows: Vec<(StatementRow, SaleRow)>,
    pub(super) totals: BTreeMap<Group, ClosedTotal>,
}

/// Sums of a day by insurance, settlement category and settling agency, and the settlements behind them.
pub(super) fn own(books: &Books, day: Date) -> Result<Own, BooksError> {
    let (settlements, refunds) = books.counted_on(day)?;
    let mut own = Own {
        rows: Vec::new(),
        totals: BTreeMap::new(),
    };
    let signed = settlements
        .into_iter()
        .map(|row| (row, false))
        .chain(refunds.into_iter().map(|row| (row, true)));
    for (row, refund) in signed {
        let Some(reply) = &row.reply else { continue };
        let group = (
            reply.insutype.clone(),
            reply.clr_type.clone(),
            reply.clr_optins.clone(),
        );
        let sums = &reply.setlinfo;
        let of = |amount: Money| {
            if refund {
                Money::ZERO.saturating_sub(amount)
            } else {
                amount
            }
        };
        let total = own
            .totals
            .entry(group)
            .or_insert_with_key(|group| ClosedTotal::nothing(group.clone()));
        total.count += if refund { -1 } else { 1 };
        total.medfee = total.medfee.saturating_add(of(sums.medfee_sumamt));
        total.fund = total.fund.saturating_add(of(sums.fund_pay_sumamt));
        total.account = total.account.saturating_add(of(sums.acct_pay));
        let line = StatementRow {
            setl_id: reply.setl_id.clone(),
            mdtrt_id: reply.mdtrt_id.clone(),
            psn_no: row.sale.claim.person.psn_no.to_string(),
            medfee_sumamt: of(sums.medfee_sumamt),
            fund_pay_sumamt: of(sums.fund_pay_sumamt),
            acct_pay: of(sums.acct_pay),
            refund,
        };
        own.rows.push((line, row));
    }
    Ok(own)
}

/// This till's sums of a day.
///
/// # Errors
/// [`BooksError`] if the store cannot be read.
pub fn totals_of(books: &Books, day: Date) -> Result<Vec<ClosedTotal>, BooksError> {
    Ok(own(books, day)?.totals.into_values().collect())
}

/// 3201 for one total, other tills' shares included: what the agency says of it from one day to another.
pub(super) async fn ask(sync: &Sync, total: &mut ClosedTotal, first: Date, last: Date) -> Answer<()> {
    let with = |own: Money, part: fn(&Share) -> Money| {
        total.others.iter().map(part).fold(own, Money::saturating_add)
    };
    let count = total.others.iter().map(|share| share.count).sum::<i64>() + total.count;
    let totals = StatementTotals {
        insutype: total.insutype.clone(),
        clr_type: total.clr_type.clone(),
        setl_optins: total.clr_optins.clone(),
        begndate: first.to_string(),
        enddate: last.to_string(),
        medfee_sumamt: with(total.medfee, |share| share.medfee),
        fund_pay_sumamt: with(total.fund, |share| share.fund),
        acct_pay: with(total.account, |share| share.account),
        setl_count: u32::try_from(count).unwrap_or_default(),
    };
    let answer = sync.client().statement_total(&totals).await;
    sync.heard(&answer);
    answer.map(|said| {
        total.balanced = said.verdict == StatementVerdict::Balanced;
        total.result = said.stmt_rslt;
    })
}

/// The same of one day; a refusal is what the agency says of the total.
pub(super) async fn ask_of(sync: &Sync, day: Date, total: &mut ClosedTotal) -> Result<(), ReconcileError> {
    match ask(sync, total, day, day).await {
        Answer::Done(()) => Ok(()),
        Answer::Refused(refusal) => {
            total.result = refusal.infcode.to_string();
            Ok(())
        }
        Answer::NotSent(cause) | Answer::Unknown(cause) => Err(ReconcileError::NoAnswer(cause)),
    }
}

/// What the agency may hold a day under, although the till settled nothing: what it settled under on the last day that
/// it did, or else everything there is.
pub(super) fn expected(books: &Books, sync: &Sync, day: Date) -> Result<BTreeSet<Group>, BooksError> {
    for back in 1..=LOOK_BACK_DAYS {
        let Ok(earlier) = day.checked_sub(back.days()) else {
            break;
        };
        let (settlements, _) = books.counted_on(earlier)?;
        let groups: BTreeSet<Group> = settlements
            .iter()
            .filter_map(|row| row.reply.as_ref())
            .map(|reply| {
                (
                    reply.insutype.clone(),
                    reply.clr_type.clone(),
                    reply.clr_optins.clone(),
                )
            })
            .collect();
        if !groups.is_empty() {
            return Ok(groups);
        }
    }
    Ok(every_group(&usual_place(sync)).collect())
}

/// Each insurance and category of one settling agency.
pub(super) fn every_group(place: &str) -> impl Iterator<Item = (String, String, String)> {
    INSUTYPES.into_iter().flat_map(move |insutype| {
        CLR_TYPES.map(|clr_type| (insutype.to_owned(), clr_type.to_owned(), place.to_owned()))
    })
}

/// The settling agency of an institution that has not settled anything yet: its city's.
pub(super) fn usual_place(sync: &Sync) -> String {
    place_of(&sync.client().settings().institution.admdvs)
}
