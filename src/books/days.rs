//! The days of the agency's statements: which settlement and which refund counts on which day.

use std::collections::BTreeSet;

use jiff::civil::Date;
use yijie_offline_cache::Key;

use super::row::{Course, SaleRow, SaleState};
use super::{
    Books, BooksError, CLEARINGS, CLOSED, COURSES, DIFFERENCES, Found as _, REFUNDED, Rows, SETTLED, decode,
};
use crate::clock;
use crate::record::{ClosedTotal, Record};

/// The day the agency dates a settlement by, which is what its statements go by; ours where it gives none.
fn day_of(agency_time: &str, time_ms: i64) -> Date {
    let given = agency_time.get(..10).and_then(|day| day.parse().ok());
    given.unwrap_or_else(|| clock::today(time_ms))
}

/// Where a sale stands among the days, the differences and the uploads, after an entry about it.
pub(super) fn place(
    rows: &mut Rows,
    seq: u64,
    record: &Record,
    row: &mut SaleRow,
    time_ms: i64,
) -> Result<(), BooksError> {
    let at = |day: Date| [day.to_string().as_bytes(), &seq.to_be_bytes()].concat();
    match record {
        Record::Settled {
            difference, reply, ..
        } => {
            // Other figures of the same settlement, taken over from the agency's statement.
            if let Some(place) = &row.settled_at {
                rows.delete(SETTLED, Key::Plain(place));
                rows.delete(DIFFERENCES, Key::Plain(place));
            }
            let place = at(day_of(&reply.setl_time, time_ms));
            rows.put(SETTLED, Key::Plain(&place), &row.sale.id)?;
            if difference.is_some() {
                rows.put(DIFFERENCES, Key::Plain(&place), &row.sale.id)?;
            }
            row.settled_at = Some(place);
        }
        Record::DifferenceClosed { .. } => {
            if let Some(place) = &row.settled_at {
                rows.delete(DIFFERENCES, Key::Plain(place));
            }
        }
        Record::Reversed { refund, .. } => {
            let Some(place) = row.settled_at.clone() else {
                return Ok(());
            };
            rows.delete(DIFFERENCES, Key::Plain(&place));
            match refund {
                // A refund has a day of its own, and the settlement keeps its.
                Some(refund) => {
                    let place = at(day_of(&refund.setl_time, time_ms));
                    rows.put(REFUNDED, Key::Plain(&place), &row.sale.id)?;
                    // It was moved from the day it was asked for.
                    if let Some(before) = row.refunded_at.replace(place) {
                        rows.delete(REFUNDED, Key::Plain(&before));
                    }
                }
                // As if it had never been made.
                None => {
                    rows.delete(SETTLED, Key::Plain(&place));
                    row.settled_at = None;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

impl Books {
    /// Sales settled on a Beijing day and not undone since, in the order they were settled.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn settled_on(&self, day: Date) -> Result<Vec<SaleRow>, BooksError> {
        let mut rows = self.rows_of(SETTLED, day.to_string().as_bytes())?;
        rows.retain(|row| row.state == SaleState::Settled);
        Ok(rows)
    }

    /// What counts on a day at the agency: settlements, those included that were refunded later, and the refunds.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn counted_on(&self, day: Date) -> Result<(Vec<SaleRow>, Vec<SaleRow>), BooksError> {
        let day = day.to_string();
        Ok((
            self.rows_of(SETTLED, day.as_bytes())?,
            self.rows_of(REFUNDED, day.as_bytes())?,
        ))
    }

    /// The settling agencies that anything was ever settled by.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn settling_agencies(&self) -> Result<BTreeSet<String>, BooksError> {
        let mut agencies = BTreeSet::new();
        for item in self.kept.store.scan(COURSES)? {
            let course: Course = decode(&item?.1)?;
            agencies.extend(course.reply.map(|reply| reply.clr_optins));
        }
        Ok(agencies)
    }

    /// The application for clearing a month (`yyyyMM`) in a category, unless it was withdrawn.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn clearing(&self, month: &str, clr_type: &str) -> Result<Option<Record>, BooksError> {
        let key = format!("{month}{clr_type}");
        self.kept.store.read(CLEARINGS, Key::Plain(key.as_bytes()))
    }

    /// What the last close of a day found, if it was closed.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn closed(&self, day: Date) -> Result<Option<Vec<ClosedTotal>>, BooksError> {
        self.kept
            .store
            .read(CLOSED, Key::Plain(day.to_string().as_bytes()))
    }
}
