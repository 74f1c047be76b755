//! Watches the readers: cards that come, are read and go, readers and the service that come and go.
//!
//! What happened is decided by `Watch`, which does no IO: it takes sightings, results and the time, and says
//! which events follow and which card is to be read. Around it runs one thread that calls the listener, fed by one
//! thread that waits for the service and by one for each conversation with a card.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::card_error::CardError;
use crate::channel::ReaderFault;
use crate::pcsc::{Reading, Shown, sight_readers, start_reading};
use crate::reader_decisions::{Sighting, Step, Watch};
use crate::social_card::SocialCard;

/// Longest sleep of the watch without news.
const IDLE_WAIT: Duration = Duration::from_secs(60);

/// How readers are watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchSettings {
    /// The one reader to be watched; all where none is named.
    pub reader: Option<String>,
    /// The reader with the security module: it is not watched, and asked where a card wants it.
    pub psam: Option<String>,
    /// How long a card may take to be read before it counts as not answering.
    pub read_deadline: Duration,
}

impl Default for WatchSettings {
    fn default() -> Self {
        Self {
            reader: None,
            psam: None,
            read_deadline: Duration::from_secs(5),
        }
    }
}

impl WatchSettings {
    /// Whether a reader is watched.
    pub(crate) fn watches(&self, reader: &str) -> bool {
        self.reader.as_deref().is_none_or(|named| named == reader) && self.psam.as_deref() != Some(reader)
    }
}

/// What happened at the readers.
///
/// A card gives `CardIn`, then `CardRead` or `CardFault`, then `CardOut`. A card pulled while it is read gives
/// `CardFault` (`CARD_REMOVED`) before `CardOut`. After a fault of time (`CARD_NO_ANSWER`, `READER_BUSY`) the same
/// card may still be read: `CardRead` follows then.
#[derive(Debug)]
pub enum ReaderEvent {
    /// The smart-card service does not run. Its readers went before, each with `ReaderOut`.
    ServiceDown,
    /// The smart-card service runs.
    ServiceUp,
    /// A reader was connected, or was there at the start.
    ReaderIn {
        /// Its name.
        reader: String,
    },
    /// A reader was taken away.
    ReaderOut {
        /// Its name.
        reader: String,
    },
    /// A card was put in. It is being read.
    CardIn {
        /// The reader's name.
        reader: String,
    },
    /// A social-security card was read.
    CardRead {
        /// The reader's name.
        reader: String,
        /// What it says.
        card: Box<SocialCard>,
    },
    /// The card was not read.
    CardFault {
        /// The reader's name.
        reader: String,
        /// Why.
        error: CardError,
    },
    /// The card was taken out.
    CardOut {
        /// The reader's name.
        reader: String,
    },
}

/// A running watch. It ends when this is dropped; the listener is not called after that.
#[derive(Debug)]
pub struct ReaderWatch {
    stop: Arc<AtomicBool>,
    messages: Sender<Message>,
    listener: Option<JoinHandle<()>>,
}

impl Drop for ReaderWatch {
    fn drop(&mut self) {
        // The thread that waits for the service sees this within its longest wait and ends by itself.
        self.stop.store(true, Ordering::Release);
        let _ = self.messages.send(Message::Stop);
        if let Some(listener) = self.listener.take()
            && listener.thread().id() != thread::current().id()
        {
            let _ = listener.join();
        }
    }
}

/// Watches all readers and calls `on_event` from a thread of its own, in order, until the result is dropped.
pub fn watch_readers(
    settings: WatchSettings,
    on_event: impl FnMut(ReaderEvent) + Send + 'static,
) -> Result<ReaderWatch, ReaderFault> {
    let stop = Arc::new(AtomicBool::new(false));
    let (messages, inbox) = mpsc::channel();
    let (told, until) = (messages.clone(), Arc::clone(&stop));
    let failed = |error: std::io::Error| ReaderFault::Other {
        source: Box::new(error),
    };
    thread::Builder::new()
        .name("reader-sight".to_owned())
        .spawn(move || {
            sight_readers(&until, |sighting| {
                let _ = told.send(Message::Seen(sighting));
            });
        })
        .map_err(failed)?;
    let outbox = messages.clone();
    let listener = thread::Builder::new()
        .name("reader-watch".to_owned())
        .spawn(move || {
            Driver {
                watch: Watch::new(settings),
                readings: BTreeMap::new(),
                outbox,
                on_event,
            }
            .run(&inbox);
        });
    match listener {
        Ok(listener) => Ok(ReaderWatch {
            stop,
            messages,
            listener: Some(listener),
        }),
        Err(error) => {
            stop.store(true, Ordering::Release);
            Err(failed(error))
        }
    }
}

enum Message {
    Seen(Sighting),
    ReadEnded {
        insertion: u64,
        result: Box<Result<SocialCard, CardError>>,
    },
    Stop,
}

struct Driver<F> {
    watch: Watch,
    /// The conversations that have not ended, by insertion.
    readings: BTreeMap<u64, Reading>,
    outbox: Sender<Message>,
    on_event: F,
}

impl<F: FnMut(ReaderEvent)> Driver<F> {
    fn run(&mut self, inbox: &Receiver<Message>) {
        loop {
            let wait = self.watch.next_deadline().map_or(IDLE_WAIT, |deadline| {
                deadline.saturating_duration_since(Instant::now())
            });
            let now = Instant::now();
            let steps = match inbox.recv_timeout(wait) {
                Ok(Message::Seen(sighting)) => self.watch.see(sighting, Instant::now()),
                Ok(Message::ReadEnded { insertion, result }) => {
                    self.readings.remove(&insertion);
                    self.watch.read_ended(insertion, *result)
                }
                Err(RecvTimeoutError::Timeout) => {
                    let readings = &self.readings;
                    self.watch.pass_time(now + wait, |insertion| {
                        readings
                            .get(&insertion)
                            .map_or(ReaderFault::NoAnswer, Reading::overdue)
                    })
                }
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            };
            for step in steps {
                self.take(step);
            }
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Tell(event) => (self.on_event)(event),
            Step::Read { reader, insertion } => {
                let outbox = self.outbox.clone();
                let shown = Shown {
                    pin: None,
                    psam: self.watch.settings.psam.clone(),
                };
                let started =
                    start_reading(reader, shown, self.watch.settings.read_deadline, move |result| {
                        // The watch may have ended meanwhile.
                        let _ = outbox.send(Message::ReadEnded {
                            insertion,
                            result: Box::new(result),
                        });
                    });
                match started {
                    Ok(reading) => {
                        self.readings.insert(insertion, reading);
                    }
                    Err(fault) => {
                        let _ = self.outbox.send(Message::ReadEnded {
                            insertion,
                            result: Box::new(Err(fault.into())),
                        });
                    }
                }
            }
        }
    }
}
