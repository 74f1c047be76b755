//! The bookkeeper: the one thread that writes. What stands in line together goes to the journal with one flush, then
//! into the store, so that many sales at a time cost little more than one. In a pause it writes out what is in memory.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread::{self, Builder, JoinHandle};
use std::time::Duration;

use yijie_offline_cache::{Draft, Journal, JournalError, Witness};

use super::guard::Steady;
use super::projection::{Kept, rows_of};
use super::{BooksError, lock, not_understood};
use crate::record::Record;

/// Most records that share a flush.
const GROUP_MAX: usize = 128;

/// Room for the body of most entries.
const BODY_BYTES: usize = 4096;

/// So many steps behind, the store is waited for.
const STEPS_BEHIND_MAX: usize = 4;

/// How long those told of the last flush are waited for, to have them back in line for the next: where only one writes
/// nothing is waited for.
const GATHERING: Duration = Duration::from_millis(2);

/// Told what came of a record, on the bookkeeper's thread.
pub(super) type Done = Box<dyn FnOnce(Result<u64, BooksError>) + Send>;

/// Takes records in the order they come; what stands in line when it is dropped is written first.
pub(super) struct Bookkeeper {
    line: Option<mpsc::Sender<InLine>>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    journal: Arc<Journal>,
    kept: Kept,
    known: Mutex<Known>,
    witness: Mutex<Option<Witness>>,
}

/// What holds after the last entry.
#[derive(Clone, Copy)]
pub(super) struct Known {
    pub(super) clock: Steady,
    /// How the books stand is known only when they are opened anew: a write was left in doubt, or an entry that is in the
    /// journal is not in the store.
    pub(super) in_doubt: bool,
}

struct InLine {
    record: Arc<Record>,
    time_ms: i64,
    body: Vec<u8>,
    done: Done,
}

impl Bookkeeper {
    /// Begins. Without a `pause` nothing is written but what is asked for.
    pub(super) fn start(
        journal: Arc<Journal>,
        kept: Kept,
        clock: Steady,
        pause: Option<Duration>,
    ) -> std::io::Result<Bookkeeper> {
        let (line, records) = mpsc::channel();
        let shared = Arc::new(Shared {
            journal,
            kept,
            known: Mutex::new(Known {
                clock,
                in_doubt: false,
            }),
            witness: Mutex::default(),
        });
        let writing = Arc::clone(&shared);
        let thread = Builder::new()
            .name("bookkeeper".to_owned())
            .spawn(move || writing.work_off(&records, pause))?;
        Ok(Bookkeeper {
            line: Some(line),
            shared,
            thread: Some(thread),
        })
    }

    pub(super) fn known(&self) -> Known {
        *lock(&self.shared.known)
    }

    /// From now on this witness is told, in pauses and at the end.
    pub(super) fn tell_witness(&self, witness: Witness) {
        *lock(&self.shared.witness) = Some(witness);
        self.shared.note_witness();
    }

    pub(super) fn enter(&self, record: Arc<Record>, time_ms: i64, done: Done) -> Result<(), BooksError> {
        let mut body = Vec::with_capacity(BODY_BYTES);
        serde_json::to_writer(&mut body, &*record).map_err(|e| not_understood(0, &e))?;
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

impl Shared {
    /// Until nobody can come any more. The store is written out by a thread of its own while entries go on; there is none
    /// where nothing may happen by itself.
    fn work_off(&self, records: &Receiver<InLine>, pause: Option<Duration>) {
        thread::scope(|scope| {
            let (full, writing) = mpsc::sync_channel(0);
            let writer = move || writing.iter().for_each(|()| self.write_out());
            let beside = pause.is_some() && Builder::new().spawn_scoped(scope, writer).is_ok();
            self.take_in(records, pause, beside.then_some(full));
        });
    }

    fn take_in(&self, records: &Receiver<InLine>, pause: Option<Duration>, full: Option<SyncSender<()>>) {
        let mut last_group = 1;
        loop {
            let first = match pause {
                Some(pause) => records.recv_timeout(pause),
                None => records.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            let mut group = match first {
                Ok(first) => vec![first],
                Err(RecvTimeoutError::Timeout) => {
                    self.write_out();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return self.write_out(),
            };
            if last_group > 1 {
                thread::sleep(GATHERING);
            }
            group.extend(records.try_iter().take(GROUP_MAX - group.len()));
            last_group = group.len();
            self.book(group);
            match (self.kept.store.steps_behind(), &full) {
                (0, _) => {}
                // Told again until it has the time.
                (1..STEPS_BEHIND_MAX, Some(full)) => drop(full.try_send(())),
                _ => self.write_out(),
            }
        }
    }

    /// Writes a group, and tells each what came of it.
    fn book(&self, group: Vec<InLine>) {
        if lock(&self.known).in_doubt || self.kept.store.check().is_err() {
            return tell(group, || Err(BooksError::Stalled));
        }
        let drafts: Vec<Draft<'_>> = group
            .iter()
            .map(|in_line| Draft {
                kind: in_line.record.kind(),
                time_ms: in_line.time_ms,
                body: &in_line.body,
            })
            .collect();
        match self.journal.append_all(&drafts) {
            Ok(entries) => {
                let mut written = entries.into_iter().zip(group);
                for (entry, in_line) in written.by_ref() {
                    let booked = self.put_in_store(entry.seq, &in_line);
                    let failed = booked.is_err();
                    if failed {
                        lock(&self.known).in_doubt = true;
                    }
                    (in_line.done)(booked.map(|()| entry.seq));
                    if failed {
                        // What comes after it cannot be booked either.
                        break;
                    }
                }
                let left = written.map(|(_, in_line)| in_line).collect();
                tell(left, || Err(BooksError::Stalled));
            }
            // One that does not fit is no reason to refuse the others.
            Err(JournalError::TooLarge { .. } | JournalError::Kind { .. }) if group.len() > 1 => {
                for alone in group {
                    self.book(vec![alone]);
                }
            }
            Err(error) => {
                if matches!(error, JournalError::Stopped { .. }) {
                    lock(&self.known).in_doubt = true;
                }
                tell(group, || Err(error.clone().into()));
            }
        }
    }

    fn put_in_store(&self, seq: u64, in_line: &InLine) -> Result<(), BooksError> {
        let clock = lock(&self.known).clock.at(in_line.time_ms);
        let rows = rows_of(&self.kept, seq, in_line.time_ms, clock, &in_line.record)?;
        self.kept.store.apply(seq, &rows.changes())?;
        if let Some(row) = rows.sale {
            self.kept.recent.written(row);
        }
        lock(&self.known).clock = clock;
        Ok(())
    }

    /// Notes how far the journal goes, so that a cut-off end would be noticed, and writes the store out. What the disk
    /// refuses here is behind, not wrong; a store that it refused takes no more entries.
    fn write_out(&self) {
        let _behind = self.journal.mark();
        self.note_witness();
        let _stopped = self.kept.store.flush();
    }

    /// Where no witness can be kept there is none: the till works without.
    fn note_witness(&self) {
        if let Some(witness) = &*lock(&self.witness) {
            drop(witness.note(&self.journal));
        }
    }
}

fn tell(group: Vec<InLine>, outcome: impl Fn() -> Result<u64, BooksError>) {
    for in_line in group {
        (in_line.done)(outcome());
    }
}
