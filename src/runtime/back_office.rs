//! What the pages beside the counter ask for: approvals, the day close, cancellations, lookups. None of it keeps the
//! counter waiting: each runs in a task of its own and tells the desk when it is done.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::Runtime;
use crate::books::row::SaleState;
use crate::clock;
use crate::desk::approval::Deed;
use crate::desk::day::Found;
use crate::desk::{Event, Level, Notice};
use crate::reconcile::{self, Month, ReconcileError, Reconciliation};
use crate::record::{Closing, Record};

impl Runtime {
    /// An approval that does not stand in the journal allows nothing.
    pub(super) fn allow(self, approval: Record, deed: Deed, by: String) {
        let tasks = self.tasks.clone();
        tasks.spawn_blocking(move || match self.books.append(&approval, clock::now_ms()) {
            Ok(_) => self.tell(Event::Allowed(deed, by)),
            Err(error) => self.fault(&error),
        });
    }

    pub(super) fn read_day(self, date: Date) {
        let tasks = self.tasks.clone();
        tasks.spawn_blocking(move || {
            let read = reconcile::totals_of(&self.books, date)
                .and_then(|own| Ok(Event::DayRead(date, own, self.books.closed(date)?)));
            match read {
                Ok(event) => self.tell(event),
                Err(error) => self.fault(&error),
            }
        });
    }

    pub(super) async fn compare(self, date: Date) {
        let found = reconcile::compare(&self.books, &self.sync, date).await;
        self.compared(date, found);
    }

    pub(super) async fn mend(self, date: Date, msgids: Vec<String>, operator: String) {
        let confirmed = |row: &reconcile::Row| msgids.contains(&row.msgid);
        let found = reconcile::mend(&self.books, &self.sync, date, &operator, confirmed).await;
        self.compared(date, found);
        self.read_queue();
    }

    fn compared(&self, date: Date, found: Result<Reconciliation, ReconcileError>) {
        let outcome = found.map_err(notice_of).and_then(|reconciliation| {
            let mut sales = BTreeMap::new();
            for id in reconciliation.rows.iter().filter_map(|row| row.sale.as_ref()) {
                match self.books.sale(id) {
                    Ok(Some(row)) => drop(sales.insert(id.clone(), row)),
                    Ok(None) => {}
                    Err(error) => return Err(Notice::new(Level::Error, error.code())),
                }
            }
            Ok(Box::new(Found {
                reconciliation,
                sales,
            }))
        });
        self.tell(Event::DayCompared(date, outcome));
        self.tell_line();
    }

    pub(super) async fn apply_for_clearing(self, date: Date, operator: String) {
        let applied = reconcile::apply(&self.books, &self.sync, Month::of(date), &operator).await;
        let outcome = applied.map(|done| numbers(&done)).map_err(notice_of);
        self.tell(Event::ClearingApplied(outcome));
        self.tell_line();
    }

    pub(super) fn close_difference(self, sale: String, closing: Closing, operator: String) {
        let tasks = self.tasks.clone();
        tasks.spawn_blocking(move || {
            let row = match self.books.sale(&sale) {
                Ok(Some(row)) => row,
                Ok(None) => return self.tell(Event::Told(Notice::new(Level::Error, "SALE_NOT_FOUND"))),
                Err(error) => return self.fault(&error),
            };
            let record = match row.closed(closing, operator) {
                Ok(record) => record,
                Err(error) => {
                    let notice = Notice::new(Level::Error, error.code()).about(error.to_string());
                    return self.tell(Event::Told(notice));
                }
            };
            let time_ms = clock::now_ms();
            if let Err(error) = self.books.append(&record, time_ms) {
                return self.fault(&error);
            }
            self.tell(Event::SaleMoved(Box::new(row.after(&record, time_ms))));
            self.tell(Event::Told(
                Notice::new(Level::Info, "DIFFERENCE_IS_CLOSED").about(sale),
            ));
            self.read_queue();
        });
    }

    pub(super) async fn reverse(self, sale: String, operator: String) {
        let outcome = self.reversed(&sale, &operator).await;
        self.tell(Event::SaleReversed(outcome.map(Box::new)));
        self.tell_line();
        self.read_queue();
    }

    async fn reversed(&self, sale: &str, operator: &str) -> Result<crate::books::row::SaleRow, Notice> {
        let fault = |error: crate::books::BooksError| Notice::new(Level::Error, error.code());
        reconcile::caught_up(&self.books, &self.sync)
            .await
            .map_err(notice_of)?;
        match self.books.sale(sale).map_err(fault)? {
            Some(row) if row.state == SaleState::Settled => {}
            _ => return Err(Notice::new(Level::Error, "SALE_NOT_SETTLED")),
        }
        self.sync.undo(sale, operator).await.map_err(fault)
    }

    pub(super) fn find_sales(self, text: String) {
        let tasks = self.tasks.clone();
        tasks.spawn_blocking(move || match self.books.look(&text, clock::now_ms()) {
            Ok(rows) => self.tell(Event::SalesFound(text, rows)),
            Err(error) => self.fault(&error),
        });
    }

    pub(super) fn read_journal(self, before: Option<u64>) {
        let tasks = self.tasks.clone();
        tasks.spawn_blocking(move || match self.books.leaf(before) {
            Ok(lines) => self.tell(Event::JournalRead(lines)),
            Err(error) => self.fault(&error),
        });
    }
}

/// The agency's numbers of the applications; blank where the month was applied for already.
fn numbers(done: &[Record]) -> String {
    let numbers = done.iter().filter_map(|record| match record {
        Record::ClearingApplied { clr_appy_evt_id, .. } => Some(clr_appy_evt_id.as_str()),
        _ => None,
    });
    numbers.collect::<Vec<_>>().join("、")
}

pub(super) fn notice_of(error: ReconcileError) -> Notice {
    let notice = Notice::new(Level::Error, error.code());
    match error {
        ReconcileError::StillOpen { count } => notice.about(count.to_string()),
        ReconcileError::Refused { infcode } => notice.about(infcode.to_string()),
        ReconcileError::NotBalanced { day } => notice.about(day.to_string()),
        ReconcileError::ClearingRefused { said } => notice.about(said),
        ReconcileError::Behind { source, .. } => notice.about(format!("{} {source}", source.code())),
        ReconcileError::AgencyHoldsMore { since } => notice.about(since.to_string()),
        ReconcileError::Books(_) | ReconcileError::NoAnswer(_) | ReconcileError::ClearingNumberUnknown => {
            notice
        }
    }
}
