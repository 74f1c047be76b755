//! Day close: each total against the agency's (3201); where they differ, settlement by settlement (3202), and for each
//! that differs what can be done about it. What is done is confirmed by a supervisor; then the totals are asked again.
//!
//! The agency counts by institution, a till only what it sold: what the detail shows of other tills is their share of
//! the total, known by the till's digit in the message id, and no difference.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Serialize;
use yijie_agency::{
    Answer, Cause, Insured, MsgIds, StatementFile, StatementFinding, StatementRow, StatementTotals,
    StatementVerdict,
};
use yijie_rules::Money;

use crate::books::row::{SaleRow, SaleState};
use crate::books::{Books, BooksError};
use crate::clock;
use crate::record::{ClosedTotal, Mended, Record, Share};
use crate::sync::Sync;

/// Days back that are looked through for the agency and category a till settles under.
const LOOK_BACK_DAYS: i32 = 31;
/// Rounds of mending after which a day that does not balance is left to the supervisor.
const ROUNDS_MAX: u32 = 3;

/// Why a day cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The books.
    #[error(transparent)]
    Books(#[from] BooksError),
    /// The agency gave no usable answer.
    #[error(transparent)]
    NoAnswer(Cause),
    /// The agency refused the comparison.
    #[error("the agency refuses the statement: {infcode}")]
    Refused {
        /// Its infcode.
        infcode: i64,
    },
    /// Sales are open that can still be finished.
    #[error("{count} sales are open")]
    StillOpen {
        /// How many.
        count: usize,
    },
}

impl ReconcileError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ReconcileError::Books(error) => error.code(),
            ReconcileError::NoAnswer(cause) => cause.code(),
            ReconcileError::Refused { .. } => "STATEMENT_REFUSED",
            ReconcileError::StillOpen { .. } => "SALES_STILL_OPEN",
        }
    }
}

/// What is to be done about a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Another till of the institution settled it: nothing.
    OtherTill,
    /// The agency holds a sale that is unknown here: it is settled.
    TakeOver,
    /// The agency holds what must not stand: 2601 with the row's message id.
    Reverse,
    /// The agency does not hold it: it is sent anew.
    SettleAnew,
    /// Both hold it, with other amounts: the agency's stand, and the difference is opened.
    TakeFigures,
    /// The agency refunded it: so do we.
    BookRefund,
    /// Nothing can be done from here: the supervisor calls the agency.
    CallAgency,
}

impl Action {
    /// Stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Action::OtherTill => "other-till",
            Action::TakeOver => "take-over",
            Action::Reverse => "reverse",
            Action::SettleAnew => "settle-anew",
            Action::TakeFigures => "take-figures",
            Action::BookRefund => "book-refund",
            Action::CallAgency => "call-agency",
        }
    }

    /// Whether a supervisor's word sets it going.
    #[must_use]
    pub fn can_be_done(self) -> bool {
        !matches!(self, Action::OtherTill | Action::CallAgency)
    }
}

/// One settlement on which both sides differ.
#[derive(Debug, Clone)]
pub struct Row {
    /// What the agency found; absent for a sale that is unknown here and that the agency does not hold.
    pub finding: Option<StatementFinding>,
    /// The sale, where it is one of this till's.
    pub sale: Option<String>,
    /// Message id it was sent under.
    pub msgid: String,
    /// What is to be done.
    pub action: Action,
}

impl Row {
    /// stmt_rslt, or a word for its absence.
    #[must_use]
    pub fn result(&self) -> &str {
        self.finding.as_ref().map_or("absent", |row| &row.stmt_rslt)
    }
}

/// A day, compared.
#[derive(Debug, Clone)]
pub struct Reconciliation {
    /// The day.
    pub day: Date,
    /// Each total, and other tills' part of it.
    pub totals: Vec<ClosedTotal>,
    /// Where both sides differ.
    pub rows: Vec<Row>,
    /// What was done about earlier rows.
    pub mended: Vec<Mended>,
}

impl Reconciliation {
    /// Nothing is left to do.
    #[must_use]
    pub fn balanced(&self) -> bool {
        self.totals.iter().all(|total| total.balanced)
            && self.rows.iter().all(|row| row.action == Action::OtherTill)
    }
}

/// A total's insurance, category and settling agency.
type Group = (String, String, String);

/// What this till counts on a day.
struct Own {
    rows: Vec<(StatementRow, SaleRow)>,
    totals: BTreeMap<Group, ClosedTotal>,
}

/// Compares a day and journals what was found.
///
/// # Errors
/// [`ReconcileError`].
pub async fn compare(books: &Books, sync: &Sync, day: Date) -> Result<Reconciliation, ReconcileError> {
    close(books, sync, day, Vec::new()).await
}

/// Compares a day; does what can be done about the rows `confirmed` says yes to, and compares again, until nothing of
/// it is left.
///
/// # Errors
/// [`ReconcileError`].
pub async fn mend(
    books: &Books,
    sync: &std::sync::Arc<Sync>,
    day: Date,
    operator: &str,
    confirmed: impl Fn(&Row) -> bool,
) -> Result<Reconciliation, ReconcileError> {
    let mut mended = Vec::new();
    let mut found = compare(books, sync, day).await?;
    for _ in 0..ROUNDS_MAX {
        let wanted: Vec<&Row> = found
            .rows
            .iter()
            .filter(|row| row.action.can_be_done() && confirmed(row))
            .collect();
        if wanted.is_empty() {
            break;
        }
        for row in wanted {
            let failed = sync.mend(row, day).await?;
            mended.push(Mended {
                msgid: row.msgid.clone(),
                result: row.result().to_owned(),
                action: row.action.word().to_owned(),
                operator: operator.to_owned(),
                failed: failed.unwrap_or_default(),
            });
        }
        sync.drain(|_| ()).await?;
        found = close(books, sync, day, mended.clone()).await?;
    }
    Ok(found)
}

async fn close(
    books: &Books,
    sync: &Sync,
    day: Date,
    mended: Vec<Mended>,
) -> Result<Reconciliation, ReconcileError> {
    let open = books.queue(usize::MAX)?;
    let (stuck, waiting): (Vec<SaleRow>, Vec<SaleRow>) =
        open.into_iter().partition(only_the_statement_can_say);
    if !waiting.is_empty() {
        return Err(ReconcileError::StillOpen { count: waiting.len() });
    }
    let stuck = stuck.into_iter().filter(|row| left_on(row) == day).collect();
    let mut own = own(books, day)?;
    for total in own.totals.values_mut() {
        ask_of(sync, day, total).await?;
    }
    let rows = details(books, sync, day, &own, stuck).await?;
    share_out(sync, &rows, &mut own.totals).await;
    for total in own.totals.values_mut().filter(|total| !total.others.is_empty()) {
        ask_of(sync, day, total).await?;
    }
    let found = Reconciliation {
        day,
        totals: own.totals.into_values().collect(),
        rows,
        mended,
    };
    let record = Record::Closed {
        date: day.to_string(),
        totals: found.totals.clone(),
        mended: found.mended.clone(),
    };
    books.append(&record, clock::now_ms())?;
    Ok(found)
}

/// A sale that could neither be found nor reversed.
fn only_the_statement_can_say(row: &SaleRow) -> bool {
    let refused = row
        .cause
        .as_ref()
        .is_some_and(|(code, _)| matches!(code.as_str(), "REVERSAL_REFUSED" | "REQUEST_INVALID"));
    refused && row.reversal_over != Some(true)
}

/// The day on which the request of an unknown sale left.
fn left_on(row: &SaleRow) -> Date {
    clock::today(row.last("attempt").map_or(row.time_ms, |step| step.time_ms))
}

/// Sums of a day by insurance, settlement category and settling agency, and the settlements behind them.
fn own(books: &Books, day: Date) -> Result<Own, BooksError> {
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
pub async fn ask(sync: &Sync, total: &mut ClosedTotal, first: Date, last: Date) -> Answer<()> {
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
    match answer {
        Answer::Done(said) => {
            total.balanced = said.verdict == StatementVerdict::Balanced;
            total.result = said.stmt_rslt;
            Answer::Done(())
        }
        Answer::Refused(refusal) => Answer::Refused(refusal),
        Answer::NotSent(cause) => Answer::NotSent(cause),
        Answer::Unknown(cause) => Answer::Unknown(cause),
    }
}

/// The same of one day; a refusal is what the agency says of the total.
async fn ask_of(sync: &Sync, day: Date, total: &mut ClosedTotal) -> Result<(), ReconcileError> {
    match ask(sync, total, day, day).await {
        Answer::Done(()) => Ok(()),
        Answer::Refused(refusal) => {
            total.result = refusal.infcode.to_string();
            Ok(())
        }
        Answer::NotSent(cause) | Answer::Unknown(cause) => Err(ReconcileError::NoAnswer(cause)),
    }
}

/// 3202 for every category and agency with a total that does not agree, or with a sale only the detail can explain.
async fn details(
    books: &Books,
    sync: &Sync,
    day: Date,
    own: &Own,
    stuck: Vec<SaleRow>,
) -> Result<Vec<Row>, ReconcileError> {
    let mut places: BTreeSet<(String, String)> = own
        .totals
        .values()
        .filter(|total| !total.balanced || !stuck.is_empty())
        .map(|total| (total.clr_type.clone(), total.clr_optins.clone()))
        .collect();
    if places.is_empty() && !stuck.is_empty() {
        places = earlier_places(books, day)?;
    }
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
                sale: Some(row.sale.id),
                msgid: row.msgid,
                action: Action::SettleAnew,
            });
        }
    }
    Ok(rows)
}

/// Category and agency this till settled under lately.
fn earlier_places(books: &Books, day: Date) -> Result<BTreeSet<(String, String)>, BooksError> {
    for back in 1..=LOOK_BACK_DAYS {
        let Ok(earlier) = day.checked_sub(back.days()) else {
            break;
        };
        let (settlements, _) = books.counted_on(earlier)?;
        let places: BTreeSet<_> = settlements
            .iter()
            .filter_map(|row| row.reply.as_ref())
            .map(|reply| (reply.clr_type.clone(), reply.clr_optins.clone()))
            .collect();
        if !places.is_empty() {
            return Ok(places);
        }
    }
    Ok(BTreeSet::new())
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
        sale: sale.map(|row| row.sale.id),
        msgid,
        action,
    })
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
async fn share_out(sync: &Sync, rows: &[Row], totals: &mut BTreeMap<Group, ClosedTotal>) {
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
