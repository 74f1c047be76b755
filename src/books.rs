//! The till's books: every record goes to the journal first, and what the counter asks for stands in the store.

mod bookkeeper;
mod catch_up;
mod days;
pub mod guard;
pub mod look;
mod prints;
mod projection;
mod recent;
pub mod row;
pub mod uploads;
pub mod waiting;

use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use serde::de::DeserializeOwned;
use yijie_agency::{MsgIds, PersonRecord};
use yijie_offline_cache::{
    DataLock, Disk, Entry, Journal, JournalError, Key, Limits, LockError, OsDisk, Store, StoreError, Vault,
    VaultError,
};
use yijie_rules::Refusal;

use crate::catalogue::Item;
use crate::clock;
use crate::operators::Operator;
use crate::record::Record;
use bookkeeper::Bookkeeper;
use catch_up::caught_up;
use guard::clock_fault;
use projection::{Found, Kept, Rows};
use row::SaleRow;
pub use waiting::{Standing, Waiting, WaitingSale};

/// Form of the rows in the store. A store of another form is set aside and built anew from the journal.
const ROWS_FORM: u32 = 8;

/// Nothing to write for so long is a pause: what is in memory goes to disk then.
const PAUSE: Duration = Duration::from_secs(1);

/// The entry that committed a sale, by the sale's id.
const SALES: &str = "sales";
/// Sales as committed, by that entry: in the order they were made, so that what is worked on together lies together.
const BILLS: &str = "bills";
/// What came of them, likewise: all that later entries write.
const COURSES: &str = "courses";
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
    /// The system gives no thread to write with.
    #[error("the books cannot be written: the system gives no thread")]
    Thread(#[source] std::io::Error),
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
            BooksError::Thread(_) | BooksError::Stalled => "BOOKS_STALLED",
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

/// Message ids of which none is issued again after a crash: up to which second there may be some stands in a file. Where
/// the disk does not take it, chance keeps them apart.
fn kept(msgids: MsgIds, data: &Path, disk: Arc<dyn Disk>) -> MsgIds {
    let path = data.join("msgid.mark");
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    msgids.kept(before.trim_end(), move |second| {
        let _unkept = disk.replace(&path, format!("{second}\n").as_bytes());
    })
}

/// The books of one data directory, held by one process.
pub struct Books {
    /// Ends, with all that stood in line written, before the rest is closed.
    bookkeeper: Bookkeeper,
    journal: Arc<Journal>,
    kept: Kept,
    msgids: Arc<MsgIds>,
    vault: Vault,
    _lock: DataLock,
}

impl Books {
    /// Opens the books: lock, keys, journal, store, then what the store has not seen yet.
    ///
    /// # Errors
    /// [`BooksError`]; nothing is changed where it cannot be opened.
    pub fn open(data: &Path, institution_code: &str, till: u8) -> Result<(Books, Findings), BooksError> {
        let msgids = MsgIds::new(institution_code, till).scattered();
        Books::open_with(Arc::new(OsDisk), data, msgids, Some(PAUSE))
    }

    /// As [`Books::open`], with the journal on another disk than the machine's, and nothing done but what is asked for: a
    /// pause of the machine is none of a simulation.
    ///
    /// # Errors
    /// [`BooksError`].
    pub fn open_on(
        disk: Arc<dyn Disk>,
        data: &Path,
        institution_code: &str,
        till: u8,
    ) -> Result<(Books, Findings), BooksError> {
        Books::open_with(disk, data, MsgIds::new(institution_code, till), None)
    }

    fn open_with(
        disk: Arc<dyn Disk>,
        data: &Path,
        msgids: MsgIds,
        pause: Option<Duration>,
    ) -> Result<(Books, Findings), BooksError> {
        let lock = DataLock::acquire(data)?;
        let vault = Vault::open_or_create(data)?;
        let msgids = kept(msgids, data, disk.clone());
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
        let journal = Arc::new(journal);
        let kept = Kept {
            store: Arc::new(store),
            recent: Arc::default(),
        };
        let books = Books {
            bookkeeper: Bookkeeper::start(Arc::clone(&journal), kept.clone(), clock, pause)
                .map_err(BooksError::Thread)?,
            journal,
            kept,
            msgids: Arc::new(msgids),
            vault,
            _lock: lock,
        };
        Ok((books, findings))
    }

    /// Writes a record: durable in the journal, then visible in the store, then returned.
    ///
    /// # Errors
    /// [`BooksError::Journal`]: it is not written (after [`JournalError::Stopped`]: nobody knows) and nothing may be built
    /// on it. Another error: it may be durable, and nothing more is written until the books are opened again.
    pub fn append(&self, record: &Record, time_ms: i64) -> Result<u64, BooksError> {
        let (tell, told) = mpsc::sync_channel(1);
        self.enter(Arc::new(record.clone()), time_ms, move |booked| {
            drop(tell.send(booked));
        })?;
        told.recv().unwrap_or(Err(BooksError::Stalled))
    }

    /// As [`Books::append`], without waiting: `done` is told of the entry, on the thread that wrote it. It may neither
    /// append nor hold the books.
    ///
    /// # Errors
    /// [`BooksError`]: it does not stand in line. What comes of one that does, `done` is told.
    pub fn enter(
        &self,
        record: Arc<Record>,
        time_ms: i64,
        done: impl FnOnce(Result<u64, BooksError>) + Send + 'static,
    ) -> Result<(), BooksError> {
        self.bookkeeper.enter(record, time_ms, Box::new(done))
    }

    /// Ends as a kill would: what is in memory only goes with them.
    pub fn kill(self) {
        self.kept.store.stop();
    }

    /// Fails once a write was left in doubt: how its sale stands is known when the books are opened anew, and until then
    /// nothing is to be sent by what they say now.
    ///
    /// # Errors
    /// [`BooksError::Stalled`].
    pub fn check_known(&self) -> Result<(), BooksError> {
        if self.bookkeeper.known().in_doubt {
            return Err(BooksError::Stalled);
        }
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
        self.kept.sale(id)
    }

    /// The sale that an entry committed.
    ///
    /// # Errors
    /// [`BooksError`] if there is none, or the store cannot be read.
    pub fn sale_at(&self, seq: u64) -> Result<SaleRow, BooksError> {
        self.kept.row(self.kept.course(seq)?)
    }

    /// The sale a message id was used for.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn sale_of_msgid(&self, msgid: &str) -> Result<Option<String>, BooksError> {
        self.kept.store.read(MSGIDS, Key::Secret(msgid.as_bytes()))
    }

    /// The sales a number names: the one whose id it is first, then the one it is a message id of, if that is another.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn named(&self, number: &str) -> Result<Vec<SaleRow>, BooksError> {
        let by_msgid = self.sale_of_msgid(number)?.filter(|id| id != number);
        let ids = std::iter::once(number).chain(by_msgid.as_deref());
        ids.filter_map(|id| self.sale(id).transpose()).collect()
    }

    /// What a rule answered to a client id that never became a sale.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn declined(&self, id: &str) -> Result<Option<Refusal>, BooksError> {
        self.kept.store.read(DECLINED, Key::Secret(id.as_bytes()))
    }

    /// Every sale, oldest first.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn sales(&self) -> Result<Vec<SaleRow>, BooksError> {
        let courses = self.kept.store.scan(COURSES)?;
        courses.map(|item| self.kept.row(decode(&item?.1)?)).collect()
    }

    /// The last known record of a person, by card number, citizen number or psn_no, and when it was taken: earlier by
    /// what the clock was set back since, so that it does not get younger.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn person(&self, known_by: &str) -> Result<Option<(i64, PersonRecord)>, BooksError> {
        let psn_no: Option<String> = self
            .kept
            .store
            .read(CREDENTIALS, Key::Secret(known_by.as_bytes()))?;
        let Some(psn_no) = psn_no else { return Ok(None) };
        let known: Option<(i64, PersonRecord)> =
            self.kept.store.read(PERSONS, Key::Secret(psn_no.as_bytes()))?;
        Ok(known.map(|(taken, person)| (self.wall_ms(taken), person)))
    }

    /// An operator by number.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn operator(&self, id: &str) -> Result<Option<Operator>, BooksError> {
        self.kept.store.read(OPERATORS, Key::Secret(id.as_bytes()))
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
        self.kept.store.read(PACKS, Key::Plain(id.as_bytes()))
    }

    /// The newest bundle of rule packs this till has had: version, pinned key, text.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn bundle(&self) -> Result<Option<(u64, String, String)>, BooksError> {
        self.kept.store.read(META, Key::Plain(b"bundle"))
    }

    /// The price list.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn catalogue(&self) -> Result<Vec<Item>, BooksError> {
        Ok(self
            .kept
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
            .kept
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

    /// Every entry of the journal from `from_seq` on, as written.
    pub fn entries(&self, from_seq: u64) -> impl Iterator<Item = Result<(Entry, Record), BooksError>> + '_ {
        self.journal.replay(from_seq).map(|entry| {
            let entry = entry?;
            let record = record_of(&entry)?;
            Ok((entry, record))
        })
    }

    fn all<T: DeserializeOwned>(&self, tree: &'static str) -> Result<Vec<T>, BooksError> {
        self.kept.store.scan(tree)?.map(|item| decode(&item?.1)).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
