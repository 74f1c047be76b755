//! What waits: the queue in its order, each person's open sales, and sums of it all that cost no walk through the queue.

use serde::{Deserialize, Serialize};
use yijie_offline_cache::Key;
use yijie_rules::Money;

use super::row::{SaleRow, SaleState};
use super::{Books, BooksError, DIFFERENCES, Found, META, OPEN, QUEUE, Rows, decode};
use crate::desk::offline::Exposure;
use jiff::civil::Date;

/// Most open sales that are shown at once; the sums count all.
const SHOWN_MAX: usize = 200;
const SUMS: Key<'_> = Key::Plain(b"waiting");

/// Sums of the sales without a final state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// How many.
    pub count: usize,
    /// Sum of their bills.
    pub amount: Money,
    /// How many of them may have reached the agency.
    pub unknown: usize,
    /// Fund money carried by those that were sold without the agency.
    pub carried: Money,
    /// Sales, final ones, whose packs the agency is still to be told of.
    pub uploads: usize,
}

/// One of the queue, as far as its order is concerned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingSale {
    /// Sale id.
    pub id: String,
    /// Whose it is: his sales keep their order.
    pub psn_no: String,
}

/// A person's open sales.
#[derive(Default, Serialize, Deserialize)]
struct Open {
    psn_no: String,
    /// Entry that committed it, and id; oldest first.
    sales: Vec<(u64, String)>,
    carried: Money,
}

/// What the books hold open, and the day so far.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// Sales without a final state, oldest first; the first few hundred where there are more.
    pub queue: Vec<SaleRow>,
    /// Sums of all of them.
    pub waiting: Waiting,
    /// Fund money that those sold without the agency carry.
    pub exposure: Exposure,
    /// Settled sales whose figures differ from what the patient was told, oldest first, until a supervisor closes them.
    pub differences: Vec<SaleRow>,
    /// Sales settled today, and the sum of their bills.
    pub settled_today: (usize, Money),
}

impl Standing {
    /// With these sales open and nothing else.
    #[must_use]
    pub fn of(queue: Vec<SaleRow>) -> Standing {
        let mut waiting = Waiting::default();
        for row in &queue {
            waiting.add(row);
        }
        Standing {
            exposure: Exposure::of(&queue),
            waiting,
            queue,
            ..Standing::default()
        }
    }
}

impl Waiting {
    fn add(&mut self, row: &SaleRow) {
        self.uploads += usize::from(row.next_upload(false).is_some());
        if row.state.is_final() {
            return;
        }
        self.count += 1;
        self.amount = self.amount.saturating_add(bill(row));
        self.unknown += usize::from(row.state != SaleState::Committed);
        self.carried = self.carried.saturating_add(carried(row));
    }

    fn take(&mut self, row: &SaleRow) {
        let told = usize::from(row.next_upload(false).is_some());
        self.uploads = self.uploads.saturating_sub(told);
        if row.state.is_final() {
            return;
        }
        self.count = self.count.saturating_sub(1);
        self.amount = self.amount.saturating_sub(bill(row));
        self.unknown = self
            .unknown
            .saturating_sub(usize::from(row.state != SaleState::Committed));
        self.carried = self.carried.saturating_sub(carried(row));
    }
}

fn bill(row: &SaleRow) -> Money {
    row.sale.settlement.setlinfo.medfee_sumamt
}

fn carried(row: &SaleRow) -> Money {
    let carried = row.sale.offline.as_ref().is_some_and(|terms| terms.carried);
    if carried && !row.state.is_final() {
        row.sale.settlement.setlinfo.fund_pay_sumamt
    } else {
        Money::ZERO
    }
}

/// Where a sale stands among what waits, after an entry about it.
pub(super) fn place(
    found: &impl Found,
    rows: &mut Rows,
    before: Option<&SaleRow>,
    row: &SaleRow,
) -> Result<(), BooksError> {
    let mut sums: Waiting = found.read(META, SUMS)?.unwrap_or_default();
    if let Some(before) = before {
        sums.take(before);
    }
    sums.add(row);
    rows.put(META, SUMS, &sums)?;
    let waited = before.is_some_and(|before| !before.state.is_final());
    let waits = !row.state.is_final();
    if waited == waits && before.map(carried) == Some(carried(row)) {
        return Ok(());
    }

    let psn_no = row.sale.claim.person.psn_no.as_str();
    let person = Key::Secret(psn_no.as_bytes());
    let mut open: Open = found.read(OPEN, person)?.unwrap_or_default();
    psn_no.clone_into(&mut open.psn_no);
    open.carried = open
        .carried
        .saturating_sub(before.map(carried).unwrap_or_default())
        .saturating_add(carried(row));
    open.sales.retain(|(seq, _)| *seq != row.seq);
    let at = row.seq.to_be_bytes();
    if row.state.is_final() {
        rows.delete(QUEUE, Key::Plain(&at));
    } else {
        let behind = open.sales.partition_point(|(seq, _)| *seq < row.seq);
        open.sales.insert(behind, (row.seq, row.sale.id.clone()));
        let waiting = WaitingSale {
            id: row.sale.id.clone(),
            psn_no: psn_no.to_owned(),
        };
        rows.put(QUEUE, Key::Plain(&at), &waiting)?;
    }
    if open.sales.is_empty() {
        rows.delete(OPEN, person);
        Ok(())
    } else {
        rows.put(OPEN, person, &open)
    }
}

impl Books {
    /// The queue, oldest first, read as it is walked; what is added or finished meanwhile may or may not come.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn waiting_sales(
        &self,
    ) -> Result<impl Iterator<Item = Result<WaitingSale, BooksError>> + use<>, BooksError> {
        Ok(self.kept.store.scan(QUEUE)?.map(|item| decode(&item?.1)))
    }

    /// Sales without a final state, oldest first, read as they are walked.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn open_rows(
        &self,
    ) -> Result<impl Iterator<Item = Result<SaleRow, BooksError>> + use<'_>, BooksError> {
        let rows = self.waiting_sales()?.map(|sale| self.sale(&sale?.id));
        // Finished since the queue was read: no longer of it.
        Ok(rows.filter_map(|row| row.map(|row| row.filter(|row| !row.state.is_final())).transpose()))
    }

    /// The first of them, at most `count_max`.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn queue(&self, count_max: usize) -> Result<Vec<SaleRow>, BooksError> {
        self.open_rows()?.take(count_max).collect()
    }

    /// Sums of what waits.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn waiting(&self) -> Result<Waiting, BooksError> {
        Ok(self.kept.store.read(META, SUMS)?.unwrap_or_default())
    }

    /// A person's open sales, oldest first: the entry that committed each, and its id.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn open_sales(&self, psn_no: &str) -> Result<Vec<(u64, String)>, BooksError> {
        let open: Option<Open> = self.kept.store.read(OPEN, Key::Secret(psn_no.as_bytes()))?;
        Ok(open.unwrap_or_default().sales)
    }

    /// Fund money carried by what waits, in all and of this one person.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn exposure(&self, psn_no: &str) -> Result<Exposure, BooksError> {
        let open: Option<Open> = self.kept.store.read(OPEN, Key::Secret(psn_no.as_bytes()))?;
        let person = open.map(|open| (psn_no.to_owned(), open.carried));
        Ok(Exposure::known(self.waiting()?.carried, person))
    }

    /// What is open, and the settlements of a day.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn standing(&self, day: Date) -> Result<Standing, BooksError> {
        let settled = self.settled_on(day)?;
        let bills = settled
            .iter()
            .filter_map(|row| row.reply.as_ref())
            .map(|reply| reply.setlinfo.medfee_sumamt);
        let waiting = self.waiting()?;
        let mut persons = Vec::new();
        if !waiting.carried.is_zero() {
            for item in self.kept.store.scan(OPEN)? {
                let open: Open = decode(&item?.1)?;
                persons.push((open.psn_no, open.carried));
            }
        }
        Ok(Standing {
            queue: self.queue(SHOWN_MAX)?,
            exposure: Exposure::known(waiting.carried, persons),
            waiting,
            differences: self.differences()?,
            settled_today: (settled.len(), bills.fold(Money::ZERO, Money::saturating_add)),
        })
    }

    /// Settled sales whose figures differ from what the patient was told and that nobody has closed, oldest first.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn differences(&self) -> Result<Vec<SaleRow>, BooksError> {
        self.rows_of(DIFFERENCES, &[])
    }

    /// The sales whose ids stand in a tree under keys that begin so, in the order of the keys.
    pub(super) fn rows_of(&self, tree: &'static str, prefix: &[u8]) -> Result<Vec<SaleRow>, BooksError> {
        let mut rows = Vec::new();
        for item in self.kept.store.scan_prefix(tree, prefix)? {
            let id: String = decode(&item?.1)?;
            rows.push(self.sale(&id)?.ok_or(BooksError::NoSuchSale)?);
        }
        Ok(rows)
    }
}
