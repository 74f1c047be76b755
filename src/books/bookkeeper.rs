//! The bookkeeper: the one thread that writes. What stands in line together goes to the journal with one flush, then
//! into the store, so that many sales at a time cost little more than one.

use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, Builder, JoinHandle};

use yijie_offline_cache::{Draft, Journal, JournalError};

use super::guard::Steady;
use super::projection::{Kept, rows_of};
use super::{BooksError, lock, not_understood};
use crate::record::Record;

/// Most records that share a flush.
const GROUP_MAX: usize = 128;

/// How often others run first, so that those told of the last flush come back in line for the next: where only one writes
/// nothing is waited for.
const YIELDS_MAX: u32 = 16;

/// Told what came of a record, on the bookkeeper's thread.
pub(super) type Done = Box<dyn FnOnce(Result<u64, BooksError>) + Send>;

/// Takes records in the order they come; what stands in line when it is dropped is written first.
pub(super) struct Bookkeeper {
    line: Option<mpsc::Sender<InLine>>,
    at: Arc<Mutex<At>>,
    thread: Option<JoinHandle<()>>,
}

/// How far the books are written.
#[derive(Clone, Copy)]
pub(super) struct At {
    /// Last entry whose rows are in the store.
    pub(super) seq: u64,
    /// The steady clock after it.
    pub(super) clock: Steady,
    /// A write was left in doubt: only the next opening tells whether it is there.
    pub(super) in_doubt: bool,
}

struct InLine {
    record: Arc<Record>,
    time_ms: i64,
    body: Vec<u8>,
    done: Done,
}

struct Desk {
    journal: Arc<Journal>,
    kept: Kept,
    at: Arc<Mutex<At>>,
    /// An entry could not be put into the store, so that none after it can be.
    stalled: bool,
}

impl Bookkeeper {
    pub(super) fn start(
        journal: Arc<Journal>,
        kept: Kept,
        seq: u64,
        clock: Steady,
    ) -> Result<Bookkeeper, BooksError> {
        let (line, records) = mpsc::channel();
        let at = Arc::new(Mutex::new(At {
            seq,
            clock,
            in_doubt: false,
        }));
        let mut desk = Desk {
            journal,
            kept,
            at: Arc::clone(&at),
            stalled: false,
        };
        let work = move || {
            let mut last_group = 1;
            while let Ok(first) = records.recv() {
                let mut group = vec![first];
                for _ in 0..YIELDS_MAX {
                    group.extend(records.try_iter().take(GROUP_MAX - group.len()));
                    if group.len() >= last_group {
                        break;
                    }
                    thread::yield_now();
                }
                last_group = group.len();
                desk.book(group);
            }
        };
        let thread = Builder::new()
            .name("bookkeeper".to_owned())
            .spawn(work)
            .map_err(|_| BooksError::Stalled)?;
        Ok(Bookkeeper {
            line: Some(line),
            at,
            thread: Some(thread),
        })
    }

    pub(super) fn at(&self) -> At {
        *lock(&self.at)
    }

    pub(super) fn enter(&self, record: Arc<Record>, time_ms: i64, done: Done) -> Result<(), BooksError> {
        let body = serde_json::to_vec(&*record).map_err(|e| not_understood(0, &e))?;
        let line = self.line.as_ref().ok_or(BooksError::Stalled)?;
        let in_line = InLine {
            record,
            time_ms,
            body,
            done,
        };
        line.send(in_line).map_err(|_| BooksError::Stalled)
    }
}

impl Drop for Bookkeeper {
    fn drop(&mut self) {
        self.line = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Desk {
    /// Writes a group, and tells each what came of it.
    fn book(&mut self, group: Vec<InLine>) {
        if self.stalled {
            tell(group, || Err(BooksError::Stalled));
            return;
        }
        let drafts: Vec<Draft<'_>> = group
            .iter()
            .map(|entered| Draft {
                kind: entered.record.kind(),
                time_ms: entered.time_ms,
                body: &entered.body,
            })
            .collect();
        match self.journal.append_all(&drafts) {
            Ok(entries) => {
                let first = entries.first().map_or(0, |entry| entry.seq);
                let mut failed = self.put_in_store(first, &group).err();
                self.stalled = failed.is_some();
                let stalled = self.stalled;
                let mut seqs = entries.into_iter().map(|entry| entry.seq);
                tell(group, || match (failed.take(), seqs.next()) {
                    (None, Some(seq)) if !stalled => Ok(seq),
                    (failed, _) => Err(failed.unwrap_or(BooksError::Stalled)),
                });
            }
            // One that does not fit is no reason to refuse the others.
            Err(JournalError::TooLarge { .. }) if group.len() > 1 => {
                for alone in group {
                    self.book(vec![alone]);
                }
            }
            Err(error) => {
                if matches!(error, JournalError::Stopped { .. }) {
                    lock(&self.at).in_doubt = true;
                }
                tell(group, || Err(error.clone().into()));
            }
        }
    }

    /// Puts the rows of a group that is in the journal from entry `first` on into the store.
    fn put_in_store(&self, first: u64, group: &[InLine]) -> Result<(), BooksError> {
        for (seq, entered) in (first..).zip(group) {
            let clock = lock(&self.at).clock.at(entered.time_ms);
            let rows = rows_of(&self.kept, seq, entered.time_ms, clock, &entered.record)?;
            self.kept.store.apply(seq, &rows.changes())?;
            let mut at = lock(&self.at);
            (at.seq, at.clock) = (seq, clock);
        }
        Ok(())
    }
}

fn tell(group: Vec<InLine>, mut outcome: impl FnMut() -> Result<u64, BooksError>) {
    for entered in group {
        (entered.done)(outcome());
    }
}
