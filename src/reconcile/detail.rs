//! Settlement by settlement (3202): what differs, what is to be done about it, and what is another till's.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use yijie_agency::{
    Answer, Insured, MsgIds, StatementFile, StatementFinding, StatementRow, StatementVerdict,
};
use yijie_rules::Money;

use super::totals::{Group, Own, own};
use super::{Action, ReconcileError, Row};
use crate::books::row::{SaleRow, SaleState};
use crate::books::{Books, BooksError};
use crate::clock;
use crate::record::{ClosedTotal, Share};
use crate::sync::Sync;

/// 3202 for every category and agency with a total that does not agree, or with a sale only the detail can explain.
pub(super) async fn details(
    books: &Books,
    sync: &Sync,
    day: Date,
    own: &Own,
    stuck: Vec<SaleRow>,
) -> Result<Vec<Row>, ReconcileError> {
    let places: BTreeSet<(String, String)> = own
        .totals
        .values()
        .filter(|total| !total.balanced || !stuck.is_empty())
        .map(|total| (total.clr_type.clone(), total.clr_optins.clone()))
        .collect();
    let mut rows = Vec::new();
    for (clr_type, clr_optins) in &places {
        for finding in detail(sync, day, own, clr_type, clr_optins).await? {
            rows.push(judge(books, own, finding)?);
        }
    }
    // What is unknown here and was in none of the findings, the agency does not hold.
    for row in stuck {
        if !places.is_empty() && !rows.iter().any(|found| found.msgid == row.msgid) {
            rows.push(Row {
                finding: None,
                sale: Some(row.sale.id.clone()),
                msgid: row.msgid.clone(),
                action: Action::SettleAnew,
            });
        }
    }
    Ok(rows)
}

async fn detail(
    sync: &Sync,
    day: Date,
    own: &Own,
    clr_type: &str,
    clr_optins: &str,
) -> Result<Vec<StatementFinding>, ReconcileError> {
    let mut file = StatementFile {
        file_qury_no: String::new(),
        setl_optins: clr_optins.to_owned(),
        clr_type: clr_type.to_owned(),
        begndate: day.to_string(),
        enddate: day.to_string(),
        medfee_sumamt: Money::ZERO,
        fund_pay_sumamt: Money::ZERO,
        cash_payamt: Money::ZERO,
        setl_count: 0,
    };
    let mut lines = Vec::new();
    for (line, row) in &own.rows {
        let reply = row.reply.as_ref();
        if reply.is_none_or(|reply| reply.clr_type != clr_type || reply.clr_optins != clr_optins) {
            continue;
        }
        file.medfee_sumamt = file.medfee_sumamt.saturating_add(line.medfee_sumamt);
        file.fund_pay_sumamt = file.fund_pay_sumamt.saturating_add(line.fund_pay_sumamt);
        let cash = row.sums().psn_cash_pay;
        file.cash_payamt = if line.refund {
            file.cash_payamt.saturating_sub(cash)
        } else {
            file.cash_payamt.saturating_add(cash)
        };
        file.setl_count += if line.refund { -1 } else { 1 };
        lines.push(line.clone());
    }
    let answer = sync.client().statement_detail(&lines, file).await;
    sync.heard(&answer);
    match answer {
        Answer::Done(findings) => Ok(findings),
        Answer::Refused(refusal) => Err(ReconcileError::Refused {
            infcode: refusal.infcode,
        }),
        Answer::NotSent(cause) | Answer::Unknown(cause) => Err(ReconcileError::NoAnswer(cause)),
    }
}

/// What other tills settled and refunded on a day, with its category: where the day's totals say that there is any.
pub(super) async fn of_others(
    books: &Books,
    sync: &Sync,
    day: Date,
    totals: &[ClosedTotal],
) -> Result<Vec<(String, StatementFinding)>, ReconcileError> {
    let shared = totals.iter().filter(|total| !total.others.is_empty());
    let places: BTreeSet<_> = shared.map(|total| (&total.clr_type, &total.clr_optins)).collect();
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let (own, mut found) = (own(books, day)?, Vec::new());
    for (clr_type, clr_optins) in places {
        for finding in detail(sync, day, &own, clr_type, clr_optins).await? {
            let row = judge(books, &own, finding)?;
            let others = row.finding.filter(|_| row.action == Action::OtherTill);
            found.extend(others.map(|finding| (clr_type.clone(), finding)));
        }
    }
    Ok(found)
}

/// What is to be done about a finding.
fn judge(books: &Books, own: &Own, finding: StatementFinding) -> Result<Row, BooksError> {
    let by_msgid = match books.sale_of_msgid(&finding.msgid)? {
        Some(id) => books.sale(&id)?,
        None => None,
    };
    let listed = own
        .rows
        .iter()
        .find(|(line, _)| line.setl_id == finding.setl_id && line.refund == finding.refund)
        .filter(|_| !finding.setl_id.is_empty())
        .map(|(_, row)| row.clone());
    let ids: &MsgIds = &books.msgids();
    let foreign = ids.till_of(&finding.msgid) != Some(ids.till());
    let sale = listed.or(by_msgid);
    let (sale, action) = match (finding.verdict, &sale) {
        (StatementVerdict::AgencyMore, None) if finding.refund => match refunded_by_agency(own, &finding) {
            Some(row) => (Some(row), Action::BookRefund),
            None if foreign => (None, Action::OtherTill),
            None => (None, Action::CallAgency),
        },
        (StatementVerdict::AgencyMore, None) if foreign => (None, Action::OtherTill),
        (StatementVerdict::AgencyMore, None) => (None, Action::Reverse),
        (StatementVerdict::AgencyMore, Some(row)) if finding.refund => {
            let action = if row.state == SaleState::Settled || refund_untold(row) {
                Action::BookRefund
            } else {
                Action::CallAgency
            };
            (sale, action)
        }
        (StatementVerdict::AgencyMore, Some(row)) => {
            let action = match row.state {
                _ if row.msgid != finding.msgid => Action::Reverse,
                SaleState::Refused | SaleState::Reversed | SaleState::Committed => Action::Reverse,
                SaleState::Sending | SaleState::Unknown | SaleState::Reversing => Action::TakeOver,
                SaleState::Settled | SaleState::SelfPaid => Action::CallAgency,
            };
            (sale, action)
        }
        (StatementVerdict::TerminalMore, Some(row)) if !finding.refund && row.state == SaleState::Settled => {
            (sale, Action::SettleAnew)
        }
        (StatementVerdict::TerminalMore, Some(row)) if finding.refund && dated_by_us(row) => {
            (sale, Action::MoveRefund)
        }
        (StatementVerdict::Differs, Some(row)) if !finding.refund && row.state == SaleState::Settled => {
            (sale, Action::TakeFigures)
        }
        _ => (sale, Action::CallAgency),
    };
    let msgid = match &sale {
        Some(row) if finding.msgid.is_empty() => row.msgid.clone(),
        _ => finding.msgid.clone(),
    };
    Ok(Row {
        finding: Some(finding),
        sale: sale.map(|row| row.sale.id.clone()),
        msgid,
        action,
    })
}

/// Whether the agency did not tell of a refund, its answer being lost: only its statement says which day it is of.
fn refund_untold(row: &SaleRow) -> bool {
    row.refund
        .as_ref()
        .is_some_and(|refund| refund.setl_id.is_empty())
}

/// Whether such a refund is dated by when it was asked for.
fn dated_by_us(row: &SaleRow) -> bool {
    let asked = row.last("reversing").map(|step| clock::stamp(step.time_ms));
    let dated = row.refund.as_ref().map(|refund| &refund.setl_time);
    refund_untold(row) && asked.as_ref() == dated
}

/// The settlement of ours that a refund at the agency undoes: the same person's, over the same amounts.
fn refunded_by_agency(own: &Own, finding: &StatementFinding) -> Option<SaleRow> {
    let undone = |line: &StatementRow| {
        line.psn_no == finding.psn_no
            && line.medfee_sumamt.saturating_add(finding.medfee_sumamt).is_zero()
            && line
                .fund_pay_sumamt
                .saturating_add(finding.fund_pay_sumamt)
                .is_zero()
    };
    let found = own
        .rows
        .iter()
        .find(|(line, row)| !line.refund && row.state == SaleState::Settled && undone(line));
    found.map(|(_, row)| row.clone())
}

/// Puts what other tills settled to the totals it belongs to. Where several insurances share category and agency, the
/// agency is asked which it was.
pub(super) async fn share_out(sync: &Sync, rows: &[Row], totals: &mut BTreeMap<Group, ClosedTotal>) {
    let ids = sync.client().settings().msgids.clone();
    for row in rows.iter().filter(|row| row.action == Action::OtherTill) {
        let Some(finding) = &row.finding else { continue };
        let Some(till) = ids.till_of(&finding.msgid) else {
            continue;
        };
        let insutype = if totals.len() > 1 {
            insurance_of(sync, finding).await
        } else {
            None
        };
        let total = totals.values_mut().find(|total| {
            insutype
                .as_ref()
                .is_none_or(|insutype| *insutype == total.insutype)
        });
        let Some(total) = total else { continue };
        let at = total.others.iter().position(|share| share.till == till);
        let at = at.unwrap_or_else(|| {
            total.others.push(Share {
                till,
                count: 0,
                medfee: Money::ZERO,
                fund: Money::ZERO,
                account: Money::ZERO,
            });
            total.others.len() - 1
        });
        let Some(share) = total.others.get_mut(at) else {
            continue;
        };
        share.count += if finding.refund { -1 } else { 1 };
        share.medfee = share.medfee.saturating_add(finding.medfee_sumamt);
        share.fund = share.fund.saturating_add(finding.fund_pay_sumamt);
        share.account = share.account.saturating_add(finding.acct_pay);
    }
}

async fn insurance_of(sync: &Sync, finding: &StatementFinding) -> Option<String> {
    let insured = Insured {
        psn_no: finding.psn_no.clone(),
        insuplc_admdvs: String::new(),
    };
    let answer = sync.client().find_settlement(&insured, &finding.msgid).await;
    answer.done().flatten().map(|reply| reply.insutype)
}
