//! Receipts that wait for paper.

use yijie_offline_cache::Key;

use super::row::SaleRow;
use super::{Books, BooksError, PRINTS, Rows, decode};
use crate::record::Record;

/// Where a sale stands among the receipts that wait, after an entry about it.
pub(super) fn place(rows: &mut Rows, seq: u64, record: &Record, row: &mut SaleRow) -> Result<(), BooksError> {
    match record {
        Record::PrintWanted { .. } if row.print_wanted.is_none() => {
            rows.put(PRINTS, Key::Plain(&seq.to_be_bytes()), &row.sale.id)?;
            row.print_wanted = Some(seq);
        }
        Record::Printed { .. } => {
            if let Some(wanted) = row.print_wanted.take() {
                rows.delete(PRINTS, Key::Plain(&wanted.to_be_bytes()));
            }
        }
        _ => {}
    }
    Ok(())
}

impl Books {
    /// Sales whose receipt waits for paper, in the order in which they were wanted.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn prints(&self) -> Result<Vec<SaleRow>, BooksError> {
        let mut rows = Vec::new();
        for item in self.kept.store.scan(PRINTS)? {
            let id: String = decode(&item?.1)?;
            rows.push(self.sale(&id)?.ok_or(BooksError::NoSuchSale)?);
        }
        Ok(rows)
    }
}
