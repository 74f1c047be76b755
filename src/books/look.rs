//! What the window's lists look up: sales of the last days, the journal leaf by leaf.

use jiff::ToSpan as _;
use yijie_offline_cache::{Entry, Key};

use super::row::SaleRow;
use super::{Books, BooksError, Rows, SOLD};
use crate::clock;
use crate::record::Record;

/// Days back that sales are found on by anything but their whole number.
const DAYS_BACK: i32 = 14;
/// Most sales shown.
const SALES_MAX: usize = 200;
/// Entries of one leaf of the journal.
const LEAF: u64 = 200;

/// One entry of the journal for reading: no name, no number of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalLine {
    /// Number of the entry.
    pub seq: u64,
    /// When.
    pub time_ms: i64,
    /// Kind of record.
    pub kind: String,
    /// Who did it, where anyone did.
    pub operator: String,
    /// Who approved, where two were needed.
    pub by: String,
    /// The sale, the deed, or what else it is about.
    pub about: String,
}

/// Notes the day a sale was made on.
pub(super) fn place(rows: &mut Rows, seq: u64, sale: &str, time_ms: i64) -> Result<(), BooksError> {
    let at = [clock::today(time_ms).to_string().as_bytes(), &seq.to_be_bytes()].concat();
    rows.put(SOLD, Key::Plain(&at), &sale)
}

impl Books {
    /// Sales of the last days, the latest first, whose number, message id or time has `text` in it; or those it names,
    /// however old.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn look(&self, text: &str, now_ms: i64) -> Result<Vec<SaleRow>, BooksError> {
        let text = text.trim();
        let mut found = Vec::new();
        let named = self.named(text)?;
        if !named.is_empty() {
            return Ok(named);
        }
        let today = clock::today(now_ms);
        for back in 0..=DAYS_BACK {
            let Ok(day) = today.checked_sub(back.days()) else {
                break;
            };
            let rows = self.rows_of(SOLD, day.to_string().as_bytes())?;
            let fits = |row: &SaleRow| {
                let texts = [&row.sale.id, &row.msgid, &clock::stamp(row.time_ms)];
                texts.iter().any(|own| own.contains(text))
            };
            found.extend(rows.into_iter().rev().filter(fits));
            if found.len() >= SALES_MAX {
                found.truncate(SALES_MAX);
                break;
            }
        }
        Ok(found)
    }

    /// A leaf of the journal that ends before an entry, or at its end; the latest entry first.
    ///
    /// # Errors
    /// [`BooksError`] if the journal cannot be read.
    pub fn leaf(&self, before: Option<u64>) -> Result<Vec<JournalLine>, BooksError> {
        let end = before.unwrap_or_else(|| self.kept.store.applied_seq() + 1);
        let first = end.saturating_sub(LEAF).max(1);
        let count = usize::try_from(end.saturating_sub(first)).unwrap_or_default();
        let mut lines = Vec::with_capacity(count);
        for entry in self.entries(first).take(count) {
            let (entry, record) = entry?;
            lines.push(line(&entry, &record));
        }
        lines.reverse();
        Ok(lines)
    }
}

fn line(entry: &Entry, record: &Record) -> JournalLine {
    let (by, about) = match record {
        Record::Approved { what, by, about, .. } => {
            // What an approved number or person is, the export says.
            let whose = matches!(what.as_str(), "id-number" | "unmask");
            let about = if whose { "" } else { about.as_str() };
            (by.clone(), format!("{what} {about}").trim_end().to_owned())
        }
        Record::DifferenceClosed { sale, cash, .. } => (String::new(), format!("{sale}  {cash}")),
        Record::Operator { operator, .. } => (String::new(), operator.id.clone()),
        Record::Pack { id, .. } => (String::new(), id.clone()),
        Record::Closed { date, .. } => (String::new(), date.clone()),
        Record::ClearingApplied {
            month,
            clr_appy_evt_id,
            ..
        } => (String::new(), format!("{month}  {clr_appy_evt_id}")),
        Record::Exported { to, approver, .. } => (approver.clone().unwrap_or_default(), to.clone()),
        other => (String::new(), other.sale().unwrap_or_default().to_owned()),
    };
    let kind = match record {
        Record::Session { begins: true, .. } => "signed-in",
        Record::Session { .. } => "signed-out",
        Record::PinTried { right: false, .. } => "pin-wrong",
        other => other.kind(),
    };
    JournalLine {
        seq: entry.seq,
        time_ms: entry.time_ms,
        kind: kind.to_owned(),
        operator: record.operator().to_owned(),
        by,
        about,
    }
}
