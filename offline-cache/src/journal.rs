//! The journal: appended entries are durable on return, many threads share one flush, nothing is ever changed.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::disk::{Disk, OsDisk};
use crate::file;
use crate::mark::{self, MarkFound};
use crate::record::{self, KIND_BYTES_MAX, Position};
use crate::recover;
use crate::replay::Replay;
use crate::segment::{self, Broken};
use crate::vault::Vault;
use crate::writer::Writer;

/// Flushes between two writings of the mark while there is no pause to do it in.
const FLUSHES_PER_MARK: u32 = 256;

/// How often the one who flushes lets others run, to have those of the last flush back in line.
const YIELDS_MAX: u32 = 64;

/// What is to be written.
#[derive(Clone, Copy)]
pub struct Draft<'a> {
    /// What it is: 1 to 16 visible ASCII characters, in clear on disk.
    pub kind: &'a str,
    /// Wall clock in ms since 1970, in clear on disk.
    pub time_ms: i64,
    /// What it says; sealed on disk.
    pub body: &'a [u8],
}

/// What has been written.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number: the first is 1, none is left out.
    pub seq: u64,
    /// The draft's clock.
    pub time_ms: i64,
    /// The draft's kind.
    pub kind: String,
    /// The draft's body.
    pub body: Vec<u8>,
    /// The hash of its record.
    pub hash: [u8; 32],
    /// The hash of the record before.
    pub prev: [u8; 32],
}

/// How large and how full it may get.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// A segment is closed before it grows beyond this; also the most that one append may hold.
    pub segment_bytes_max: u64,
    /// Appends are refused while the disk has less than this, so that the rest of the machine can still be mended.
    pub free_bytes_min: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            segment_bytes_max: 16 << 20,
            free_bytes_min: 8 << 20,
        }
    }
}

/// What opening found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// How many entries there are.
    pub entries: u64,
    /// The number of the last; 0 when there is none.
    pub last_seq: u64,
    /// The clock of the last.
    pub last_time_ms: Option<i64>,
    /// A write that a crash cut short, never acknowledged: cut off and kept.
    pub torn: Option<Torn>,
    /// In what state the mark was; it is whole again now.
    pub mark: MarkFound,
}

/// A torn tail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn {
    /// The segment it was cut from.
    pub segment: PathBuf,
    /// Where.
    pub offset: u64,
    /// How much.
    pub bytes: u64,
    /// Where those bytes are now.
    pub kept: PathBuf,
}

/// Why the journal can't be opened, read or written. Cloned to every thread that shared the flush.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// It is damaged or altered. Nothing has been changed.
    #[error("the journal is broken at {0}")]
    Broken(#[from] Broken),
    /// The disk refused; an append that says so has left nothing behind.
    #[error("{} can't be read or written", path.display())]
    Disk {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// A flush failed. Whether the entries it was for are on disk is known only after the journal is opened anew; until
    /// then nothing more is taken.
    #[error("the flush of {} failed; the journal must be opened anew", path.display())]
    Stopped {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// The disk is nearly full. Nothing has been written.
    #[error("{free_bytes} bytes are free on the disk, {free_bytes_min} are needed")]
    SpaceLow {
        /// What is free.
        free_bytes: u64,
        /// What must be.
        free_bytes_min: u64,
    },
    /// A kind must be 1 to 16 visible ASCII characters.
    #[error("a kind of {length} bytes, or not of visible ASCII characters")]
    Kind {
        /// Its length.
        length: usize,
    },
    /// More than one segment can hold.
    #[error("{bytes} bytes in one append, {bytes_max} can be")]
    TooLarge {
        /// What it would take.
        bytes: usize,
        /// What there is.
        bytes_max: usize,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    Random(#[source] getrandom::Error),
}

impl JournalError {
    /// A stable code for advice.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Broken(broken) => broken.code(),
            Self::Disk { source, .. } => file::io_code(source),
            Self::Stopped { .. } => "JOURNAL_STOPPED",
            Self::SpaceLow { .. } => "DISK_FULL",
            Self::Kind { .. } => "JOURNAL_KIND",
            Self::TooLarge { .. } => "JOURNAL_ENTRY_TOO_LARGE",
            Self::Random(_) => "NO_RANDOM",
        }
    }

    pub(crate) fn disk(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Disk {
            path,
            source: Arc::new(source),
        }
    }
}

/// The journal of one data directory. One process at a time (see [`crate::DataLock`]), any number of threads.
pub struct Journal {
    dir: PathBuf,
    disk: Arc<dyn Disk>,
    vault: Vault,
    batch_bytes_max: usize,
    line: Mutex<Line>,
    writer: Mutex<Writer>,
    mark: Mutex<Option<Position>>,
}

/// Who waits for a flush.
struct Line {
    waiting: VecDeque<Waiting>,
    flushing: bool,
    durable: Position,
    flushes: u32,
    last_group: usize,
}

/// The drafts of one append call, and where its outcome goes.
struct Waiting {
    drafts: Vec<Pending>,
    bytes: usize,
    turn: Arc<Turn>,
}

/// A draft that waits for its flush.
pub(crate) struct Pending {
    pub(crate) kind: String,
    pub(crate) time_ms: i64,
    pub(crate) body: Vec<u8>,
}

type Outcome = Result<Vec<Entry>, JournalError>;

enum State {
    Waiting,
    Lead,
    Done(Outcome),
}

struct Turn {
    state: Mutex<State>,
    changed: Condvar,
}

impl Turn {
    fn set(&self, state: State) {
        *lock(&self.state) = state;
        self.changed.notify_one();
    }

    /// The outcome, or nothing if it is on this thread to flush.
    fn wait(&self) -> Option<Outcome> {
        let mut state = lock(&self.state);
        loop {
            match std::mem::replace(&mut *state, State::Waiting) {
                State::Waiting => state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                State::Lead => return None,
                State::Done(outcome) => return Some(outcome),
            }
        }
    }
}

impl Journal {
    /// Opens the journal under `dir`, checking every entry; cuts a torn tail off and keeps it aside.
    ///
    /// # Errors
    /// [`JournalError::Broken`] names the first entry that is damaged, missing or altered; nothing is changed then.
    pub fn open(dir: &Path, vault: &Vault) -> Result<(Self, Opened), JournalError> {
        Self::open_with(dir, vault, Limits::default())
    }

    /// As [`Journal::open`], with limits of one's own.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open_with(dir: &Path, vault: &Vault, limits: Limits) -> Result<(Self, Opened), JournalError> {
        Self::open_on(Arc::new(OsDisk), dir, vault, limits)
    }

    /// As [`Journal::open_with`], on another disk than the machine's.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open_on(
        disk: Arc<dyn Disk>,
        dir: &Path,
        vault: &Vault,
        limits: Limits,
    ) -> Result<(Self, Opened), JournalError> {
        let recovered = recover::recover(&*disk, dir, vault)?;
        let durable = recovered.position;
        let writer = Writer::new(
            Arc::clone(&disk),
            segments_dir(dir),
            vault.clone(),
            limits,
            recovered.tail,
            durable,
        )?;
        let room = usize::try_from(limits.segment_bytes_max).unwrap_or(usize::MAX);
        let journal = Self {
            dir: dir.to_owned(),
            disk,
            vault: vault.clone(),
            batch_bytes_max: room.saturating_sub(segment::HEADER_BYTES),
            line: Mutex::new(Line {
                waiting: VecDeque::new(),
                flushing: false,
                durable,
                flushes: 0,
                last_group: 0,
            }),
            writer: Mutex::new(writer),
            mark: Mutex::new(recovered.marked),
        };
        journal.mark()?;
        Ok((journal, recovered.opened))
    }

    /// Writes one entry; it is durable on return.
    ///
    /// # Errors
    /// See [`JournalError`]; after [`JournalError::Stopped`] the entry may or may not be there once opened anew, after
    /// any other it is not.
    pub fn append(&self, draft: Draft<'_>) -> Result<Entry, JournalError> {
        let mut entries = self.append_all(&[draft])?;
        // One draft in, one entry out.
        entries.pop().ok_or(JournalError::TooLarge {
            bytes: 0,
            bytes_max: 0,
        })
    }

    /// Writes several entries with one flush; after a crash all of them are there or none.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn append_all(&self, drafts: &[Draft<'_>]) -> Result<Vec<Entry>, JournalError> {
        if drafts.is_empty() {
            return Ok(Vec::new());
        }
        let bytes = self.check(drafts)?;
        let drafts = drafts.iter().map(|draft| Pending {
            kind: draft.kind.to_owned(),
            time_ms: draft.time_ms,
            body: draft.body.to_vec(),
        });
        let turn = Arc::new(Turn {
            state: Mutex::new(State::Waiting),
            changed: Condvar::new(),
        });
        let mut line = lock(&self.line);
        line.waiting.push_back(Waiting {
            drafts: drafts.collect(),
            bytes,
            turn: Arc::clone(&turn),
        });
        let leads = !std::mem::replace(&mut line.flushing, true);
        drop(line);
        if !leads && let Some(outcome) = turn.wait() {
            return outcome;
        }
        self.flush_line();
        // The one who flushes stands first in line, so its own outcome is there now.
        turn.wait().unwrap_or(Ok(Vec::new()))
    }

    /// The entries from `from_seq` to the last one durable now, in order, opened and checked again.
    #[must_use]
    pub fn replay(&self, from_seq: u64) -> Replay {
        let last_seq = lock(&self.line).durable.seq;
        Replay::new(segments_dir(&self.dir), self.vault.clone(), from_seq, last_seq)
    }

    /// Number and hash of the last durable entry.
    #[must_use]
    pub fn last(&self) -> Option<(u64, [u8; 32])> {
        let durable = lock(&self.line).durable;
        (durable.seq > 0).then_some((durable.seq, durable.hash))
    }

    /// Notes beside the journal how far it goes, so that a cut-off end is noticed. Done by itself now and then and at
    /// the end; call it in a pause.
    ///
    /// # Errors
    /// The disk refused; the old mark is still good.
    pub fn mark(&self) -> Result<(), JournalError> {
        let mut marked = lock(&self.mark);
        let durable = lock(&self.line).durable;
        if durable.seq == 0 || *marked == Some(durable) {
            return Ok(());
        }
        let path = mark::path(&self.dir);
        let bytes = mark::encode(&self.vault, durable);
        self.disk
            .replace(&path, &bytes)
            .map_err(JournalError::disk(&path))?;
        *marked = Some(durable);
        Ok(())
    }

    /// What is free on the disk of the journal.
    ///
    /// # Errors
    /// The disk does not say.
    pub fn free_bytes(&self) -> Result<u64, JournalError> {
        self.disk
            .free_bytes(&self.dir)
            .map_err(JournalError::disk(&self.dir))
    }

    /// Flushes those who stand first in line, names the next to do so, and tells the outcomes.
    fn flush_line(&self) {
        let group = self.take_group();
        let sizes: Vec<usize> = group.iter().map(|waiting| waiting.drafts.len()).collect();
        let (turns, drafts): (Vec<_>, Vec<_>) = group
            .into_iter()
            .map(|waiting| (waiting.turn, waiting.drafts))
            .unzip();
        let (outcome, durable) = {
            let mut writer = lock(&self.writer);
            let outcome = writer.commit(drafts.into_iter().flatten().collect());
            (outcome, writer.durable())
        };
        let mut line = lock(&self.line);
        line.durable = durable;
        line.flushes = line.flushes.wrapping_add(1);
        let mark_due = line.flushes.is_multiple_of(FLUSHES_PER_MARK);
        match line.waiting.front() {
            Some(next) => next.turn.set(State::Lead),
            None => line.flushing = false,
        }
        drop(line);
        share(outcome, &sizes, &turns);
        if mark_due {
            // A mark that can't be written now is behind, not wrong; the next one tries again.
            let _behind = self.mark();
        }
    }

    /// Those who were told of the last flush a moment ago are about to come back; without them flushes of one and of all
    /// the others would take turns. Where only one thread writes, nothing is waited for.
    fn take_group(&self) -> Vec<Waiting> {
        let mut line = lock(&self.line);
        for _ in 0..YIELDS_MAX {
            if line.waiting.len() >= line.last_group {
                break;
            }
            drop(line);
            thread::yield_now();
            line = lock(&self.line);
        }
        let mut bytes = 0_usize;
        let mut group = Vec::new();
        while let Some(next) = line.waiting.front() {
            bytes = bytes.saturating_add(next.bytes);
            if bytes > self.batch_bytes_max && !group.is_empty() {
                break;
            }
            group.extend(line.waiting.pop_front());
        }
        line.last_group = group.len();
        group
    }

    fn check(&self, drafts: &[Draft<'_>]) -> Result<usize, JournalError> {
        let mut bytes = 0_usize;
        for Draft { kind, body, .. } in drafts {
            let length = kind.len();
            if length == 0 || length > KIND_BYTES_MAX || !kind.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(JournalError::Kind { length });
            }
            bytes = bytes.saturating_add(record::record_length(kind, body));
        }
        let bytes_max = self.batch_bytes_max;
        if bytes > bytes_max {
            Err(JournalError::TooLarge { bytes, bytes_max })
        } else {
            Ok(bytes)
        }
    }
}

fn share(outcome: Outcome, sizes: &[usize], turns: &[Arc<Turn>]) {
    let mut outcome = outcome.map(Vec::into_iter);
    for (turn, size) in turns.iter().zip(sizes) {
        let own = match &mut outcome {
            Ok(entries) => Ok(entries.by_ref().take(*size).collect()),
            Err(error) => Err(error.clone()),
        };
        turn.set(State::Done(own));
    }
}

/// A thread that panicked has left nothing half done behind these locks.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where the segments of a data directory are.
pub(crate) fn segments_dir(dir: &Path) -> PathBuf {
    dir.join("journal")
}

impl Drop for Journal {
    fn drop(&mut self) {
        let _behind = self.mark();
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal")
            .field("dir", &self.dir)
            .field("last", &self.last().map(|last| last.0))
            .finish()
    }
}

impl fmt::Debug for Draft<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft")
            .field("kind", &self.kind)
            .field("time_ms", &self.time_ms)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Entry");
        shown
            .field("seq", &self.seq)
            .field("kind", &self.kind)
            .field("time_ms", &self.time_ms);
        shown
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
