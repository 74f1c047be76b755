//! Day close: each total against the agency's (3201); where they differ, settlement by settlement (3202), and for each
//! that differs what can be done about it. What is done is confirmed by a supervisor; then the totals are asked again.
//!
//! The agency counts by institution, a till only what it sold: what the detail shows of other tills is their share of
//! the total, known by the till's digit in the message id, and no difference.

mod clearing;
mod detail;
mod missing;
mod totals;

use std::collections::HashSet;

use jiff::civil::Date;
use serde::Serialize;
use yijie_agency::{Cause, StatementFinding};

use crate::books::row::{SaleRow, SaleState};
use crate::books::{Books, BooksError};
use crate::clock;
use crate::record::{ClosedTotal, Mended, Record};
use crate::sync::Sync;
pub use clearing::{Month, apply, withdraw};
pub use missing::{caught_up, compared, totals_since};
pub use totals::totals_of;

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
    /// A day of the month does not balance.
    #[error("{day} does not balance")]
    NotBalanced {
        /// Which.
        day: Date,
    },
    /// The agency refused to clear a month, or to take the application back.
    #[error("{said}")]
    ClearingRefused {
        /// In its words.
        said: String,
    },
    /// An application stands at the agency of which nobody here knows the number.
    #[error("")]
    ClearingNumberUnknown,
    /// Entries of this till are missing, and the agency could not be asked what it holds.
    #[error("{} {source}", source.code())]
    Behind {
        /// Lost to damage of the journal; else by a backup that was put back.
        salvaged: bool,
        /// Why not.
        source: Box<ReconcileError>,
    },
    /// The agency holds settlements that are missing here.
    #[error("{since}")]
    AgencyHoldsMore {
        /// From which day on.
        since: Date,
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
            ReconcileError::NotBalanced { .. } => "TOTAL_NOT_BALANCED",
            ReconcileError::ClearingRefused { .. } => "CLEARING_REFUSED",
            ReconcileError::ClearingNumberUnknown => "CLEARING_NUMBER_UNKNOWN",
            ReconcileError::Behind { salvaged: true, .. } => "JOURNAL_SALVAGED",
            ReconcileError::Behind { .. } => "TILL_ROLLED_BACK",
            ReconcileError::AgencyHoldsMore { .. } => "AGENCY_HOLDS_MORE",
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
    /// The agency refunded it, on this day: so do we.
    BookRefund,
    /// A refund whose answer was lost is dated by when it was asked for; the agency counts it the next day: so do we.
    MoveRefund,
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
            Action::MoveRefund => "move-refund",
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
            let failed = sync.mend(row, day, operator).await?;
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
    let stuck = stuck(books, day)?;
    let mut own = totals::own(books, day)?;
    let settled: Vec<totals::Group> = own.totals.keys().cloned().collect();
    // The agency may hold what this till does not.
    for group in totals::expected(books, sync, day)? {
        let nothing = ClosedTotal::nothing(group.clone());
        own.totals.entry(group).or_insert(nothing);
    }
    for total in own.totals.values_mut() {
        totals::ask_of(sync, day, total).await?;
    }
    let rows = detail::details(books, sync, day, &own, stuck).await?;
    detail::share_out(sync, &rows, &mut own.totals).await;
    for total in own.totals.values_mut().filter(|total| !total.others.is_empty()) {
        totals::ask_of(sync, day, total).await?;
    }
    own.totals
        .retain(|group, total| settled.contains(group) || !total.balanced || !total.others.is_empty());
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

/// Sales of the day that only the agency's statement can explain. The queue is read as it is walked; what waits behind
/// such a sale of the same person waits for the statement too.
fn stuck(books: &Books, day: Date) -> Result<Vec<SaleRow>, ReconcileError> {
    let (mut stuck, mut persons, mut count) = (Vec::new(), HashSet::new(), 0);
    for row in books.open_rows()? {
        let row = row?;
        let behind = row.state == SaleState::Committed;
        if only_the_statement_can_say(&row) {
            persons.insert(row.sale.claim.person.psn_no.clone());
            if left_on(&row) == day {
                stuck.push(row);
            }
        } else if !behind || !persons.contains(&row.sale.claim.person.psn_no) {
            count += 1;
        }
    }
    if count > 0 {
        return Err(ReconcileError::StillOpen { count });
    }
    Ok(stuck)
}

/// A sale that could neither be found nor reversed.
fn only_the_statement_can_say(row: &SaleRow) -> bool {
    row.cause
        .as_ref()
        .is_some_and(|(code, _)| matches!(code.as_str(), "REVERSAL_REFUSED" | "REQUEST_INVALID"))
}

/// The day on which the request of an unknown sale left.
fn left_on(row: &SaleRow) -> Date {
    clock::today(row.last("attempt").map_or(row.time_ms, |step| step.time_ms))
}
