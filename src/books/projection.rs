//! What an entry means for the store: the rows it writes, which depend on the entry and on what earlier ones left there.

use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use yijie_agency::PersonRecord;
use yijie_offline_cache::{Change, Key, Store};
use yijie_rules::{Accumulated, Money, OwnAccount};

use super::guard::{Behind, Steady};
use super::recent::Recent;
use super::row::{Course, SaleRow};
use super::{
    BILLS, BooksError, CATALOGUE, CLEARINGS, CLOSED, COURSES, CREDENTIALS, DECLINED, HELD, META, MSGIDS,
    OPERATORS, PACKS, PERSONS, ROWS_FORM, SALES, TRIES, days, decode, look, not_understood, prints, uploads,
    waiting,
};
use crate::operators::Tries;
use crate::record::{Record, Sale};

/// Room for the rows of most entries.
const ROWS_BYTES: usize = 8192;

/// Rows an entry writes; collected, then applied in one step with the entry's number.
#[derive(Default)]
pub(super) struct Rows {
    rows: Vec<(&'static str, OwnKey, Option<Range<usize>>)>,
    /// The values, one behind the other.
    values: Vec<u8>,
    /// The sale the entry is about, after it.
    pub(super) sale: Option<SaleRow>,
}

enum OwnKey {
    Plain(Vec<u8>),
    Secret(Vec<u8>),
}

impl OwnKey {
    fn of(key: Key<'_>) -> OwnKey {
        match key {
            Key::Plain(bytes) => OwnKey::Plain(bytes.to_vec()),
            Key::Secret(bytes) => OwnKey::Secret(bytes.to_vec()),
        }
    }

    fn key(&self) -> Key<'_> {
        match self {
            OwnKey::Plain(bytes) => Key::Plain(bytes),
            OwnKey::Secret(bytes) => Key::Secret(bytes),
        }
    }
}

impl Rows {
    pub(super) fn put<T: Serialize>(
        &mut self,
        tree: &'static str,
        key: Key<'_>,
        value: &T,
    ) -> Result<(), BooksError> {
        let from = self.values.len();
        serde_json::to_writer(&mut self.values, value).map_err(|e| not_understood(0, &e))?;
        self.rows
            .push((tree, OwnKey::of(key), Some(from..self.values.len())));
        Ok(())
    }

    pub(super) fn delete(&mut self, tree: &'static str, key: Key<'_>) {
        self.rows.push((tree, OwnKey::of(key), None));
    }

    pub(super) fn changes(&self) -> Vec<Change<'_>> {
        self.rows
            .iter()
            .map(|(tree, key, value)| match value {
                Some(at) => Change::Put {
                    tree,
                    key: key.key(),
                    value: self.values.get(at.clone()).unwrap_or_default(),
                },
                None => Change::Delete { tree, key: key.key() },
            })
            .collect()
    }
}

/// What an entry finds in the store.
pub(super) trait Found {
    fn value(&self, tree: &'static str, key: Key<'_>) -> Result<Option<Vec<u8>>, BooksError>;

    fn read<T: DeserializeOwned>(&self, tree: &'static str, key: Key<'_>) -> Result<Option<T>, BooksError> {
        self.value(tree, key)?.map(|value| decode(&value)).transpose()
    }

    /// The bill that an entry committed.
    fn bill(&self, seq: u64) -> Result<Arc<Sale>, BooksError> {
        let bill = self.read(BILLS, Key::Plain(&seq.to_be_bytes()))?;
        bill.map(Arc::new).ok_or(BooksError::NoSuchSale)
    }

    /// The entry that committed the sale of this id.
    fn seq(&self, id: &str) -> Result<Option<u64>, BooksError> {
        self.read(SALES, Key::Secret(id.as_bytes()))
    }

    fn sale(&self, id: &str) -> Result<Option<SaleRow>, BooksError> {
        self.seq(id)?.map(|seq| self.row(self.course(seq)?)).transpose()
    }

    /// What came of the bill that an entry committed.
    fn course(&self, seq: u64) -> Result<Course, BooksError> {
        let course = self.read(COURSES, Key::Plain(&seq.to_be_bytes()))?;
        course.ok_or(BooksError::NoSuchSale)
    }

    /// A sale of which this came.
    fn row(&self, course: Course) -> Result<SaleRow, BooksError> {
        Ok(SaleRow::kept(self.bill(course.seq)?, course))
    }
}

impl Found for Store {
    fn value(&self, tree: &'static str, key: Key<'_>) -> Result<Option<Vec<u8>>, BooksError> {
        Ok(self.get(tree, key)?)
    }
}

/// The store, and the sales worked on last.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) store: Arc<Store>,
    pub(super) recent: Arc<Recent>,
}

impl Found for Kept {
    fn value(&self, tree: &'static str, key: Key<'_>) -> Result<Option<Vec<u8>>, BooksError> {
        self.store.value(tree, key)
    }

    fn seq(&self, id: &str) -> Result<Option<u64>, BooksError> {
        match self.recent.seq(id) {
            Some(seq) => Ok(Some(seq)),
            None => self.store.seq(id),
        }
    }

    fn bill(&self, seq: u64) -> Result<Arc<Sale>, BooksError> {
        if let Some(bill) = self.recent.bill(seq) {
            return Ok(bill);
        }
        let bill = self.store.bill(seq)?;
        self.recent.read(seq, &bill);
        Ok(bill)
    }

    fn course(&self, seq: u64) -> Result<Course, BooksError> {
        match self.recent.course(seq) {
            Some(course) => Ok(course),
            None => self.store.course(seq),
        }
    }
}

/// What an entry means for the store. Depends only on the entry and on what earlier entries left there.
pub(super) fn rows_of(
    found: &impl Found,
    seq: u64,
    time_ms: i64,
    clock: Steady,
    record: &Record,
) -> Result<Rows, BooksError> {
    let mut rows = Rows {
        values: Vec::with_capacity(ROWS_BYTES),
        ..Rows::default()
    };
    match record {
        Record::Operator { operator, .. } => {
            rows.put(OPERATORS, Key::Secret(operator.id.as_bytes()), operator)?;
            rows.delete(TRIES, Key::Secret(operator.id.as_bytes()));
        }
        Record::Opened { institution } => rows.put(META, Key::Plain(b"institution"), &institution.code)?,
        Record::PinTried { operator, right } => {
            let key = Key::Secret(operator.as_bytes());
            if *right {
                rows.delete(TRIES, key);
            } else {
                let tries: Tries = found.read(TRIES, key)?.unwrap_or_default();
                let wrong = tries.wrong.saturating_add(1);
                rows.put(
                    TRIES,
                    key,
                    &Tries {
                        wrong,
                        last_ms: clock.ms(),
                    },
                )?;
            }
        }
        Record::Settings { files } => rows.put(META, Key::Plain(b"settings"), files)?,
        Record::Behind { why, since, .. } => {
            let earlier: Option<Behind> = found
                .read::<Option<Behind>>(META, Key::Plain(b"behind"))?
                .flatten();
            let behind = Behind {
                why: why.clone(),
                since: earlier.map_or_else(|| since.clone(), |earlier| earlier.since.min(since.clone())),
            };
            rows.put(META, Key::Plain(b"behind"), &Some(behind))?;
        }
        Record::Compared { .. } => rows.put(META, Key::Plain(b"behind"), &None::<Behind>)?,
        Record::Pack { id, toml } => rows.put(PACKS, Key::Plain(id.as_bytes()), &(time_ms, toml))?,
        Record::Bundle { version, key, text } => {
            rows.put(META, Key::Plain(b"bundle"), &(version, key, text))?;
        }
        Record::Catalogue { items, .. } => rows.put(CATALOGUE, Key::Plain(b"items"), items)?,
        Record::LostCards { card_sns } => rows.put(META, Key::Plain(b"lost-cards"), card_sns)?,
        Record::Person { person } => {
            let psn_no = &person.baseinfo.psn_no;
            rows.put(PERSONS, Key::Secret(psn_no.as_bytes()), &(clock.ms(), person))?;
            let card_no = person.facts.card.as_ref().map(|card| &card.card_no);
            for known_by in [Some(psn_no), Some(&person.baseinfo.certno), card_no]
                .into_iter()
                .flatten()
            {
                if !known_by.is_empty() {
                    rows.put(CREDENTIALS, Key::Secret(known_by.as_bytes()), psn_no)?;
                }
            }
        }
        Record::Held { no, bill: Some(bill) } => {
            rows.put(HELD, Key::Plain(&no.to_be_bytes()), &(no, bill))?
        }
        Record::Held { no, bill: None } => rows.delete(HELD, Key::Plain(&no.to_be_bytes())),
        Record::Declined { sale, refusal } => rows.put(DECLINED, Key::Secret(sale.as_bytes()), refusal)?,
        Record::Sale { sale, sending } => {
            if sale.offline.as_ref().is_some_and(|terms| terms.carried) {
                let own = sale.settlement.accounts_after.own.as_ref().map(|own| own.balc);
                use_up(
                    found,
                    &mut rows,
                    &sale.claim.person.psn_no,
                    own,
                    &sale.settlement.accumulated_after,
                )?;
            }
            let row = SaleRow::new((**sale).clone(), *sending, seq, time_ms);
            rows.put(SALES, Key::Secret(sale.id.as_bytes()), &seq)?;
            rows.put(BILLS, Key::Plain(&seq.to_be_bytes()), sale)?;
            look::place(&mut rows, seq, &sale.id, time_ms)?;
            sell(found, &mut rows, None, row)?;
        }
        Record::Closed { date, totals, .. } => {
            rows.put(CLOSED, Key::Plain(date.as_bytes()), totals)?;
        }
        Record::FoundReversing { msgid, .. } => note_msgid(found, &mut rows, msgid)?,
        Record::ClearingApplied { month, clr_type, .. } => {
            rows.put(
                CLEARINGS,
                Key::Plain(format!("{month}{clr_type}").as_bytes()),
                record,
            )?;
        }
        Record::ClearingWithdrawn { month, clr_type, .. } => {
            rows.delete(CLEARINGS, Key::Plain(format!("{month}{clr_type}").as_bytes()));
        }
        _ => {
            if let Some(id) = record.sale() {
                let before = found.sale(id)?.ok_or(BooksError::NoSuchSale)?;
                let mut row = before.clone().after(record, time_ms);
                days::place(&mut rows, seq, record, &mut row, time_ms)?;
                prints::place(&mut rows, seq, record, &mut row)?;
                if let Record::Settled { reply, .. } = record {
                    let sale = &row.sale;
                    let own = sale.claim.accounts.own.as_ref().map(|own| {
                        let left = || own.balc.saturating_sub(reply.setlinfo.acct_pay);
                        reply.balance().unwrap_or_else(left)
                    });
                    let used = reply
                        .accumulated_after
                        .as_ref()
                        .unwrap_or(&sale.settlement.accumulated_after);
                    use_up(found, &mut rows, &sale.claim.person.psn_no, own, used)?;
                }
                sell(found, &mut rows, Some(&before), row)?;
            }
        }
    }
    if seq == 1 {
        rows.put(META, Key::Plain(b"form"), &ROWS_FORM)?;
    }
    clock.keep_in(&mut rows)?;
    Ok(rows)
}

/// The books' record of a person after a sale: what the year has used and the balance, until the agency is asked anew.
fn use_up(
    found: &impl Found,
    rows: &mut Rows,
    psn_no: &str,
    own: Option<Money>,
    used: &[Accumulated],
) -> Result<(), BooksError> {
    let known: Option<(i64, PersonRecord)> = found.read(PERSONS, Key::Secret(psn_no.as_bytes()))?;
    let Some((taken_ms, mut person)) = known else {
        return Ok(());
    };
    if let Some(balc) = own {
        person.facts.own = Some(OwnAccount { balc });
    }
    for row in used {
        match person
            .facts
            .accumulated
            .iter_mut()
            .find(|old| old.pool == row.pool && old.key == row.key)
        {
            Some(old) => old.clone_from(row),
            None => person.facts.accumulated.push(row.clone()),
        }
    }
    rows.put(PERSONS, Key::Secret(psn_no.as_bytes()), &(taken_ms, person))
}

/// The row of a sale, the message ids it is found by, and its place among what waits.
fn sell(
    found: &impl Found,
    rows: &mut Rows,
    before: Option<&SaleRow>,
    row: SaleRow,
) -> Result<(), BooksError> {
    let sale: &Sale = &row.sale;
    rows.put(COURSES, Key::Plain(&row.seq.to_be_bytes()), &row.course)?;
    if before.is_none_or(|before| before.msgid != row.msgid) {
        rows.put(MSGIDS, Key::Secret(row.msgid.as_bytes()), &sale.id)?;
    }
    // A refund stands in the agency's statement under the message id of its reversal.
    if row.last_msgid != row.msgid && before.is_none_or(|before| before.last_msgid != row.last_msgid) {
        rows.put(MSGIDS, Key::Secret(row.last_msgid.as_bytes()), &sale.id)?;
    }
    if before.is_none_or(|before| before.greatest_msgid() != row.greatest_msgid()) {
        note_msgid(found, rows, row.greatest_msgid())?;
    }
    uploads::place(rows, before, &row)?;
    waiting::place(found, rows, before, &row)?;
    rows.sale = Some(row);
    Ok(())
}

/// An older sale may be worked on after a younger one: the greatest id used is what new ones go on after.
fn note_msgid(found: &impl Found, rows: &mut Rows, msgid: &str) -> Result<(), BooksError> {
    let greatest: Option<String> = found.read(META, Key::Plain(b"msgid"))?;
    if greatest.is_none_or(|greatest| greatest.as_str() < msgid) {
        rows.put(META, Key::Plain(b"msgid"), &msgid)?;
    }
    Ok(())
}
