//! The till's books: every record goes to the journal first, and what the counter asks for stands in the store.

mod bills;
mod days;
pub mod guard;
pub mod look;
mod prints;
pub mod row;
pub mod uploads;
pub mod waiting;

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, mpsc};
use std::thread;

use serde::Serialize;
use serde::de::DeserializeOwned;
use yijie_agency::{MsgIds, PersonRecord};
use yijie_offline_cache::{
    Change, DataLock, Disk, Draft, Entry, Journal, JournalError, Key, Limits, LockError, OsDisk, Store,
    StoreError, StoreOpened, Vault, VaultError, Witness,
};
use yijie_rules::{Accumulated, Money, OwnAccount, Refusal};

use crate::catalogue::Item;
use crate::clock;
use crate::operators::{Operator, Tries};
use crate::record::{Record, Sale};
use bills::Bills;
use guard::{Behind, Steady, clock_fault};
use row::{Course, SaleRow};
pub use waiting::{Standing, Waiting, WaitingSale};

/// Form of the rows in the store. A store of another form is set aside and built anew from the journal.
const ROWS_FORM: u32 = 6;

/// Entries brought into a store that is behind in one step.
const ENTRIES_PER_STEP: usize = 1024;

/// Sales as committed; what came of them stands under [`SALES`] and is all that later entries write.
const BILLS: &str = "bills";
const SALES: &str = "sales";
const QUEUE: &str = "queue";
const OPEN: &str = "open";
const MSGIDS: &str = "msgids";
const DECLINED: &str = "declined";
const PERSONS: &str = "persons";
const CREDENTIALS: &str = "credentials";
const OPERATORS: &str = "operators";
const PACKS: &str = "packs";
const CATALOGUE: &str = "catalogue";
const TRIES: &str = "tries";
const HELD: &str = "held";
const SETTLED: &str = "settled";
const REFUNDED: &str = "refunded";
const SOLD: &str = "sold";
const CLOSED: &str = "closed";
const CLEARINGS: &str = "clearings";
const DIFFERENCES: &str = "differences";
const PRINTS: &str = "prints";
const TRACES: &str = "traces";
const UPLOADS: &str = "uploads";
const META: &str = "meta";

/// Why the books cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum BooksError {
    /// Another program works on this data directory, or it cannot be locked.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The keys cannot be opened.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The journal cannot be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An entry or row passed its checks but is not what this version writes.
    #[error("entry {seq} is not understood by this version, at byte {at}")]
    Body {
        /// Entry, 0 for a row of the store.
        seq: u64,
        /// Where in its body. What stands there may be a person's, so it is not told.
        at: usize,
    },
    /// The store knows entries the journal does not: the journal is an older copy.
    #[error("the journal ends at {journal}, but entries up to {store} were written here")]
    RolledBack {
        /// Last entry of the journal.
        journal: u64,
        /// Last entry the store has seen.
        store: u64,
    },
    /// No sale of this id.
    #[error("no sale has this id")]
    NoSuchSale,
    /// An earlier write failed half-way; only a restart makes the books whole.
    #[error("an earlier entry could not be booked")]
    Stalled,
}

impl BooksError {
    /// Stable code of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            BooksError::Lock(e) => e.code(),
            BooksError::Vault(e) => e.code(),
            BooksError::Journal(e) => e.code(),
            BooksError::Store(e) => e.code(),
            BooksError::Body { .. } => "ENTRY_NOT_UNDERSTOOD",
            BooksError::RolledBack { .. } => "JOURNAL_ROLLED_BACK",
            BooksError::NoSuchSale => "SALE_NOT_FOUND",
            BooksError::Stalled => "BOOKS_STALLED",
        }
    }
}

/// What opening found worth telling.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// A half-written last entry was cut off; it was never acknowledged. Where it is kept.
    pub torn_tail: Option<PathBuf>,
    /// The store did not open or was gone, and was rebuilt from the journal: where the old one is kept, else its place.
    pub store_rebuilt: Option<PathBuf>,
    /// Entries read back into the store.
    pub replayed: u64,
    /// The clock stands before the last entry, or long after it: stable code.
    pub clock: Option<&'static str>,
    /// Settings or TLS files that are others than when they were last looked at.
    pub settings_changed: Vec<String>,
}

/// The books of one data directory, held by one process.
pub struct Books {
    journal: Journal,
    store: Store,
    bills: Bills,
    projected: Mutex<Projected>,
    caught_up: Condvar,
    /// A write was left in doubt: only the next opening tells whether it is there.
    in_doubt: AtomicBool,
    msgids: Arc<MsgIds>,
    vault: Vault,
    witness: OnceLock<Witness>,
    _lock: DataLock,
}

struct Projected {
    seq: u64,
    clock: Steady,
    failed: bool,
}

impl Books {
    /// Opens the books: lock, keys, journal, store, then what the store has not seen yet.
    ///
    /// # Errors
    /// [`BooksError`]; nothing is changed where it cannot be opened.
    pub fn open(data: &Path, institution_code: &str, till: u8) -> Result<(Books, Findings), BooksError> {
        let msgids = MsgIds::new(institution_code, till).scattered();
        Books::open_with(Arc::new(OsDisk), data, msgids)
    }

    /// As [`Books::open`], with the journal on another disk than the machine's.
    ///
    /// # Errors
    /// [`BooksError`].
    pub fn open_on(
        disk: Arc<dyn Disk>,
        data: &Path,
        institution_code: &str,
        till: u8,
    ) -> Result<(Books, Findings), BooksError> {
        Books::open_with(disk, data, MsgIds::new(institution_code, till))
    }

    fn open_with(disk: Arc<dyn Disk>, data: &Path, msgids: MsgIds) -> Result<(Books, Findings), BooksError> {
        let lock = DataLock::acquire(data)?;
        let vault = Vault::open_or_create(data)?;
        // Each reads all it has; neither needs the other for that.
        let (journal, store) = thread::scope(|scope| {
            let store = scope.spawn(|| Store::open(data, &vault));
            let journal = Journal::open_on(disk, data, &vault, Limits::default());
            (journal, store.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        let (journal, opened) = journal?;
        let last = journal.last().map_or(0, |(seq, _)| seq);
        let mut findings = Findings {
            torn_tail: opened.torn.map(|torn| torn.kept),
            clock: clock_fault(opened.last_time_ms, clock::now_ms()),
            ..Findings::default()
        };
        let mut caught_up = |store| caught_up(store, data, &vault, &journal, last, &mut findings);
        let (store, clock) = match caught_up(store?) {
            // A row came back damaged. The store is only an index: opened again it is set aside and built anew.
            Err(BooksError::Store(StoreError::Damaged { .. })) => caught_up(Store::open(data, &vault)?)?,
            other => other?,
        };
        let last_msgid: Option<String> = store.read(META, Key::Plain(b"msgid"))?;
        if let Some(last) = last_msgid {
            msgids.note_used(&last);
        }
        let books = Books {
            journal,
            store,
            bills: Bills::default(),
            projected: Mutex::new(Projected {
                seq: last,
                clock,
                failed: false,
            }),
            caught_up: Condvar::new(),
            in_doubt: AtomicBool::new(false),
            msgids: Arc::new(msgids),
            vault,
            witness: OnceLock::new(),
            _lock: lock,
        };
        Ok((books, findings))
    }

    /// Writes a record: durable in the journal, then visible in the store, then returned.
    ///
    /// # Errors
    /// [`BooksError::Journal`]: it is not written and nothing may be built on it. Another error: it may be durable, and
    /// nothing more is written until the books are opened again.
    pub fn append(&self, record: &Record, time_ms: i64) -> Result<u64, BooksError> {
        if lock(&self.projected).failed {
            return Err(BooksError::Stalled);
        }
        let body = serde_json::to_vec(record).map_err(|e| not_understood(0, &e))?;
        let draft = Draft {
            kind: record.kind(),
            time_ms,
            body: &body,
        };
        let entry = self.journal.append(draft).inspect_err(|error| {
            if matches!(error, JournalError::Stopped { .. }) {
                self.in_doubt.store(true, Ordering::Release);
            }
        })?;
        self.project_in_turn(entry.seq, entry.time_ms, record)?;
        Ok(entry.seq)
    }

    /// Fails once a write was left in doubt: how its sale stands is known when the books are opened anew, and until then
    /// nothing is to be sent by what they say now.
    ///
    /// # Errors
    /// [`BooksError::Stalled`].
    pub fn check_known(&self) -> Result<(), BooksError> {
        if self.in_doubt.load(Ordering::Acquire) {
            return Err(BooksError::Stalled);
        }
        Ok(())
    }

    /// Several tills' threads append at once; the store takes their entries in the journal's order.
    fn project_in_turn(&self, seq: u64, time_ms: i64, record: &Record) -> Result<(), BooksError> {
        let mut projected = lock(&self.projected);
        while projected.seq + 1 != seq {
            if projected.failed {
                return Err(BooksError::Stalled);
            }
            projected = self
                .caught_up
                .wait(projected)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let clock = projected.clock.at(time_ms);
        let done = rows_of(&self.kept(), seq, time_ms, clock, record)
            .and_then(|rows| Ok(self.store.apply(seq, &rows.changes())?));
        projected.failed = done.is_err();
        if done.is_ok() {
            projected.seq = seq;
            projected.clock = clock;
        }
        self.caught_up.notify_all();
        done
    }

    /// Notes how far the journal goes, so that a cut-off end would be noticed; does nothing if that is noted already.
    ///
    /// # Errors
    /// [`BooksError`] if the disk refuses.
    pub fn mark(&self) -> Result<(), BooksError> {
        self.journal.mark()?;
        self.note_witness();
        Ok(())
    }

    /// A message id no request of this till has left under.
    #[must_use]
    pub fn next_msgid(&self) -> String {
        self.msgids.next()
    }

    /// Issues those ids; the client shares it.
    #[must_use]
    pub fn msgids(&self) -> Arc<MsgIds> {
        self.msgids.clone()
    }

    /// A sale by its id.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn sale(&self, id: &str) -> Result<Option<SaleRow>, BooksError> {
        self.kept().sale(id)
    }

    /// The sale a message id was used for.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn sale_of_msgid(&self, msgid: &str) -> Result<Option<String>, BooksError> {
        self.store.read(MSGIDS, Key::Secret(msgid.as_bytes()))
    }

    /// What a rule answered to a client id that never became a sale.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn declined(&self, id: &str) -> Result<Option<Refusal>, BooksError> {
        self.store.read(DECLINED, Key::Secret(id.as_bytes()))
    }

    /// Every sale, in no promised order.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn sales(&self) -> Result<Vec<SaleRow>, BooksError> {
        let bills = self.store.scan(BILLS)?;
        let rows = bills.map(|item| {
            let sale: Sale = decode(&item?.1)?;
            self.sale(&sale.id)?.ok_or(BooksError::NoSuchSale)
        });
        rows.collect()
    }

    /// The last known record of a person, by card number, citizen number or psn_no, and when it was taken: earlier by
    /// what the clock was set back since, so that it does not get younger.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn person(&self, known_by: &str) -> Result<Option<(i64, PersonRecord)>, BooksError> {
        let psn_no: Option<String> = self.store.read(CREDENTIALS, Key::Secret(known_by.as_bytes()))?;
        let Some(psn_no) = psn_no else { return Ok(None) };
        let known: Option<(i64, PersonRecord)> = self.store.read(PERSONS, Key::Secret(psn_no.as_bytes()))?;
        Ok(known.map(|(taken, person)| (self.wall_ms(taken), person)))
    }

    /// An operator by number.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn operator(&self, id: &str) -> Result<Option<Operator>, BooksError> {
        self.store.read(OPERATORS, Key::Secret(id.as_bytes()))
    }

    /// All operators.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn operators(&self) -> Result<Vec<Operator>, BooksError> {
        self.all(OPERATORS)
    }

    /// A rule pack this till has settled by, as `id@version`: since when, and its text.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn pack(&self, id: &str) -> Result<Option<(i64, String)>, BooksError> {
        self.store.read(PACKS, Key::Plain(id.as_bytes()))
    }

    /// The newest bundle of rule packs this till has had: version, pinned key, text.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn bundle(&self) -> Result<Option<(u64, String, String)>, BooksError> {
        self.store.read(META, Key::Plain(b"bundle"))
    }

    /// The price list.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn catalogue(&self) -> Result<Vec<Item>, BooksError> {
        Ok(self
            .store
            .read(CATALOGUE, Key::Plain(b"items"))?
            .unwrap_or_default())
    }

    /// Identification codes of cards reported lost.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn lost_cards(&self) -> Result<Vec<String>, BooksError> {
        Ok(self
            .store
            .read(META, Key::Plain(b"lost-cards"))?
            .unwrap_or_default())
    }

    /// Bills put aside.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn held(&self) -> Result<Vec<(u32, serde_json::Value)>, BooksError> {
        self.all(HELD)
    }

    /// The agency's number of the present session (签到), if it gave one.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn sign_no(&self) -> Result<Option<String>, BooksError> {
        Ok(self
            .store
            .read::<Option<String>>(META, Key::Plain(b"sign-no"))?
            .flatten())
    }

    /// Every entry of the journal from `from_seq` on, as written.
    pub fn entries(&self, from_seq: u64) -> impl Iterator<Item = Result<(Entry, Record), BooksError>> + '_ {
        self.journal.replay(from_seq).map(|entry| {
            let entry = entry?;
            let record = record_of(&entry)?;
            Ok((entry, record))
        })
    }

    fn kept(&self) -> Kept<'_> {
        Kept {
            store: &self.store,
            bills: &self.bills,
        }
    }

    fn all<T: DeserializeOwned>(&self, tree: &'static str) -> Result<Vec<T>, BooksError> {
        self.store.scan(tree)?.map(|item| decode(&item?.1)).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The store with every entry of the journal in it.
fn caught_up(
    (mut store, mut opened): (Store, StoreOpened),
    data: &Path,
    vault: &Vault,
    journal: &Journal,
    last: u64,
    findings: &mut Findings,
) -> Result<(Store, Steady), BooksError> {
    let form = || store.read::<u32>(META, Key::Plain(b"form")).ok().flatten();
    if opened.applied_seq > 0 && form() != Some(ROWS_FORM) {
        findings.store_rebuilt = Some(store.set_aside()?);
        (store, opened) = Store::open(data, vault)?;
    }
    if opened.set_aside.is_some() {
        findings.store_rebuilt = opened.set_aside;
    }
    if opened.applied_seq == 0 && last > 0 && findings.store_rebuilt.is_none() {
        findings.store_rebuilt = Some(data.join("store"));
    }
    if opened.applied_seq > last {
        return Err(BooksError::RolledBack {
            journal: last,
            store: opened.applied_seq,
        });
    }
    let seen = opened.applied_seq;
    let mut clock = Steady::kept_in(&store)?;
    let mut behind = Lagging::new(&store);
    thread::scope(|scope| {
        // One thread reads, checks and decodes, the other books.
        let (decoded, entries) = mpsc::sync_channel(ENTRIES_PER_STEP);
        scope.spawn(move || {
            for entry in journal.replay(seen) {
                let entry = entry.map_err(BooksError::from).and_then(|entry| {
                    let record = (entry.seq > seen).then(|| record_of(&entry)).transpose()?;
                    Ok((entry.seq, entry.time_ms, record))
                });
                if decoded.send(entry).is_err() {
                    return;
                }
            }
        });
        for entry in entries {
            let (seq, time_ms, record) = entry?;
            let Some(record) = record else {
                clock = clock.from(time_ms);
                continue;
            };
            clock = clock.at(time_ms);
            behind.add(seq, rows_of(&behind, seq, time_ms, clock, &record)?);
            findings.replayed += 1;
            if behind.seqs.len() >= ENTRIES_PER_STEP {
                behind.apply()?;
            }
        }
        behind.apply()
    })?;
    drop(behind);
    Ok((store, clock))
}

fn not_understood(seq: u64, error: &serde_json::Error) -> BooksError {
    BooksError::Body {
        seq,
        at: error.column(),
    }
}

fn record_of(entry: &Entry) -> Result<Record, BooksError> {
    serde_json::from_slice(&entry.body).map_err(|e| not_understood(entry.seq, &e))
}

fn decode<T: DeserializeOwned>(value: &[u8]) -> Result<T, BooksError> {
    serde_json::from_slice(value).map_err(|e| not_understood(0, &e))
}

/// Rows an entry writes; collected, then applied in one step with the entry's number.
#[derive(Default)]
struct Rows {
    rows: Vec<(&'static str, OwnKey, Option<Vec<u8>>)>,
}

#[derive(PartialEq, Eq, Hash)]
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
    fn put<T: Serialize>(&mut self, tree: &'static str, key: Key<'_>, value: &T) -> Result<(), BooksError> {
        let value = serde_json::to_vec(value).map_err(|e| not_understood(0, &e))?;
        self.rows.push((tree, OwnKey::of(key), Some(value)));
        Ok(())
    }

    fn delete(&mut self, tree: &'static str, key: Key<'_>) {
        self.rows.push((tree, OwnKey::of(key), None));
    }

    fn changes(&self) -> Vec<Change<'_>> {
        self.rows
            .iter()
            .map(|(tree, key, value)| match value {
                Some(value) => Change::Put {
                    tree,
                    key: key.key(),
                    value,
                },
                None => Change::Delete { tree, key: key.key() },
            })
            .collect()
    }
}

/// What an entry finds in the store.
trait Found {
    fn value(&self, tree: &'static str, key: Key<'_>) -> Result<Option<Vec<u8>>, BooksError>;

    fn read<T: DeserializeOwned>(&self, tree: &'static str, key: Key<'_>) -> Result<Option<T>, BooksError> {
        self.value(tree, key)?.map(|value| decode(&value)).transpose()
    }

    fn bill(&self, id: &str) -> Result<Option<Arc<Sale>>, BooksError> {
        Ok(self.read(BILLS, Key::Secret(id.as_bytes()))?.map(Arc::new))
    }

    fn sale(&self, id: &str) -> Result<Option<SaleRow>, BooksError> {
        let course: Option<Course> = self.read(SALES, Key::Secret(id.as_bytes()))?;
        let Some(course) = course else { return Ok(None) };
        let sale = self.bill(id)?.ok_or(BooksError::NoSuchSale)?;
        Ok(Some(SaleRow::kept(sale, course)))
    }
}

impl Found for Store {
    fn value(&self, tree: &'static str, key: Key<'_>) -> Result<Option<Vec<u8>>, BooksError> {
        Ok(self.get(tree, key)?)
    }
}

/// The store, and the bills read from it last.
struct Kept<'a> {
    store: &'a Store,
    bills: &'a Bills,
}

impl Found for Kept<'_> {
    fn value(&self, tree: &'static str, key: Key<'_>) -> Result<Option<Vec<u8>>, BooksError> {
        self.store.value(tree, key)
    }

    fn bill(&self, id: &str) -> Result<Option<Arc<Sale>>, BooksError> {
        if let Some(bill) = self.bills.get(id) {
            return Ok(Some(bill));
        }
        let bill = self.store.bill(id)?;
        if let Some(bill) = &bill {
            self.bills.keep(bill);
        }
        Ok(bill)
    }
}

/// A store that is behind the journal, and the rows that many entries put on top of it: written in one step, each row
/// as the last of them left it.
struct Lagging<'a> {
    store: &'a Store,
    seqs: Vec<u64>,
    latest: HashMap<(&'static str, OwnKey), Option<Vec<u8>>>,
}

impl<'a> Lagging<'a> {
    fn new(store: &'a Store) -> Lagging<'a> {
        Lagging {
            store,
            seqs: Vec::new(),
            latest: HashMap::new(),
        }
    }

    fn add(&mut self, seq: u64, rows: Rows) {
        self.seqs.push(seq);
        self.latest.extend(
            rows.rows
                .into_iter()
                .map(|(tree, key, value)| ((tree, key), value)),
        );
    }

    fn apply(&mut self) -> Result<(), BooksError> {
        let rows = Rows {
            rows: self
                .latest
                .drain()
                .map(|((tree, key), value)| (tree, key, value))
                .collect(),
        };
        let changes = rows.changes();
        let last = self.seqs.last().copied();
        let steps = self.seqs.drain(..).map(|seq| {
            let all: &[Change<'_>] = if Some(seq) == last { &changes } else { &[] };
            (seq, all)
        });
        Ok(self.store.apply_run(steps)?)
    }
}

impl Found for Lagging<'_> {
    fn value(&self, tree: &'static str, key: Key<'_>) -> Result<Option<Vec<u8>>, BooksError> {
        match self.latest.get(&(tree, OwnKey::of(key))) {
            Some(drafted) => Ok(drafted.clone()),
            None => self.store.value(tree, key),
        }
    }
}

/// What an entry means for the store. Depends only on the entry and on what earlier entries left there.
fn rows_of(
    found: &impl Found,
    seq: u64,
    time_ms: i64,
    clock: Steady,
    record: &Record,
) -> Result<Rows, BooksError> {
    let mut rows = Rows::default();
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
        Record::Session { sign_no, begins, .. } => {
            rows.put(
                META,
                Key::Plain(b"sign-no"),
                if *begins { sign_no } else { &None },
            )?;
        }
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
            rows.put(BILLS, Key::Secret(sale.id.as_bytes()), sale)?;
            look::place(&mut rows, seq, &sale.id, time_ms)?;
            sell(found, &mut rows, None, &row)?;
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
                    let own = sale.claim.accounts.own.as_ref().map(|_| reply.setlinfo.balc);
                    let used = reply
                        .accumulated_after
                        .as_ref()
                        .unwrap_or(&sale.settlement.accumulated_after);
                    use_up(found, &mut rows, &sale.claim.person.psn_no, own, used)?;
                }
                sell(found, &mut rows, Some(&before), &row)?;
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
    row: &SaleRow,
) -> Result<(), BooksError> {
    let sale: &Sale = &row.sale;
    rows.put(SALES, Key::Secret(sale.id.as_bytes()), &row.course)?;
    if before.is_none_or(|before| before.msgid != row.msgid) {
        rows.put(MSGIDS, Key::Secret(row.msgid.as_bytes()), &sale.id)?;
    }
    note_msgid(found, rows, row.greatest_msgid())?;
    uploads::place(rows, before, row)?;
    waiting::place(found, rows, before, row)
}

/// An older sale may be worked on after a younger one: the greatest id used is what new ones go on after.
fn note_msgid(found: &impl Found, rows: &mut Rows, msgid: &str) -> Result<(), BooksError> {
    let greatest: Option<String> = found.read(META, Key::Plain(b"msgid"))?;
    if greatest.is_none_or(|greatest| greatest.as_str() < msgid) {
        rows.put(META, Key::Plain(b"msgid"), &msgid)?;
    }
    Ok(())
}
