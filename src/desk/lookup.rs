//! Looking things up: sales of the last days, to print a receipt again or to cancel one; the journal.

use std::cmp::Ordering;

use yijie_rules::Money;

use super::approval::{self, Deed};
use super::{Effect, Level, Notice, Page, State};
use crate::books::look::JournalLine;
use crate::books::row::{SaleRow, SaleState};
use crate::record::Closing;

/// Sales found.
#[derive(Debug, Clone, Default)]
pub struct Lookup {
    /// What was looked for: part of a number, a time, a day; blank for the latest.
    pub text: String,
    /// They, the latest first.
    pub rows: Vec<SaleRow>,
    /// Row moved to.
    pub selected: usize,
    /// The books are being read.
    pub busy: bool,
    /// A cancellation is under way.
    pub reversing: bool,
}

impl Lookup {
    /// The sale moved to.
    #[must_use]
    pub fn chosen(&self) -> Option<&SaleRow> {
        self.rows.get(self.selected)
    }
}

/// A stretch of the journal.
#[derive(Debug, Clone, Default)]
pub struct Leaf {
    /// Its entries, the latest first.
    pub lines: Vec<JournalLine>,
    /// Row moved to.
    pub selected: usize,
}

/// To the page of sales.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    state.page = Page::Sales;
    let text = state.lookup.text.clone();
    find(state, text)
}

/// Looks for sales.
pub(super) fn find(state: &mut State, text: String) -> Vec<Effect> {
    state.lookup.text.clone_from(&text);
    state.lookup.busy = true;
    vec![Effect::FindSales(text)]
}

pub(super) fn found(state: &mut State, text: &str, rows: Vec<SaleRow>) -> Vec<Effect> {
    if state.lookup.text == text {
        let before = state.lookup.chosen().map(|row| row.sale.id.clone());
        let at = rows.iter().position(|row| Some(&row.sale.id) == before.as_ref());
        state.lookup.selected = at.unwrap_or_default();
        state.lookup.rows = rows;
        state.lookup.busy = false;
    }
    Vec::new()
}

/// A sale got another state: it stands in the list as it is now.
pub(super) fn moved(state: &mut State, row: &SaleRow) {
    let shown = state
        .lookup
        .rows
        .iter_mut()
        .find(|shown| shown.sale.id == row.sale.id);
    if let Some(shown) = shown.filter(|shown| row.history.len() >= shown.history.len()) {
        shown.clone_from(row);
    }
}

/// Cancels the sale moved to, if two persons want it.
pub(super) fn reverse(state: &mut State) -> Vec<Effect> {
    match state.lookup.chosen() {
        Some(_) if state.lookup.reversing => Vec::new(),
        Some(row) if row.state == SaleState::Settled => {
            let deed = Deed::Reverse(row.sale.id.clone());
            approval::ask(state, deed)
        }
        Some(_) => state.fail("SALE_NOT_SETTLED"),
        None => Vec::new(),
    }
}

/// What came of a cancellation.
pub(super) fn reversed(state: &mut State, outcome: Result<Box<SaleRow>, Notice>) -> Vec<Effect> {
    state.lookup.reversing = false;
    state.notice = Some(match outcome {
        Err(notice) => notice,
        Ok(row) => {
            moved(state, &row);
            match (row.state, &row.cause) {
                (SaleState::Reversed, _) => {
                    Notice::new(Level::Info, "SALE_REVERSED").about(row.sums().psn_cash_pay.to_string())
                }
                (_, Some((code, text))) => Notice::new(Level::Error, code).about(text),
                (_, None) => Notice::new(Level::Warning, "OUTCOME_UNKNOWN"),
            }
        }
    });
    Vec::new()
}

/// What was paid back or collected about the difference of the queue's row, if a supervisor agrees.
pub(super) fn close_difference(state: &mut State, moved_cash: bool) -> Vec<Effect> {
    let chosen = state.queue_rows().nth(state.queue_selected);
    let Some((id, cash)) = chosen.and_then(|row| Some((row.sale.id.clone(), row.open_difference()?.cash)))
    else {
        return Vec::new();
    };
    let closing = match cash.cmp(&Money::ZERO) {
        Ordering::Greater if moved_cash => Closing::Collected,
        Ordering::Less if moved_cash => Closing::Refunded,
        _ => Closing::Accepted,
    };
    approval::ask(state, Deed::CloseDifference(id, closing))
}

/// To the journal, its end first.
pub(super) fn open_journal(state: &mut State) -> Vec<Effect> {
    state.page = Page::Journal;
    state.journal.selected = 0;
    vec![Effect::ReadJournal { before: None }]
}

/// Another stretch: older entries, or back to the end.
pub(super) fn leaf(state: &State, older: bool) -> Vec<Effect> {
    let oldest = state.journal.lines.last().map(|line| line.seq);
    match (older, oldest) {
        (true, Some(seq)) if seq > 1 => vec![Effect::ReadJournal { before: Some(seq) }],
        (true, _) => Vec::new(),
        (false, _) => vec![Effect::ReadJournal { before: None }],
    }
}

pub(super) fn leaf_read(state: &mut State, lines: Vec<JournalLine>) -> Vec<Effect> {
    state.journal = Leaf { lines, selected: 0 };
    Vec::new()
}
