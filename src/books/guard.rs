//! What keeps the books honest: a witness outside the data directory, settings that changed, a clock that jumped, wrong
//! PINs, new keys.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use yijie_offline_cache::{Key, Witness};

use super::row::SaleState;
use super::{Books, BooksError, Found, META, Rows, TRIES};
use crate::clock;
use crate::operators::Tries;
use crate::record::Record;

/// How far the clock may stand before the last entry.
const CLOCK_BEHIND_MS_MAX: i64 = 10 * 60_000;
/// How long after the last entry the clock may stand before it is doubted: 180 days.
const CLOCK_AHEAD_MS_MAX: i64 = 180 * 86_400_000;

/// How far a clock may be set back without notice: it is corrected by the network all day.
const SET_BACK_MS_MIN: i64 = 1_000;
const SET_BACK: Key<'_> = Key::Plain(b"set-back");

/// A clock that only goes on: what the wall clock was ever set back by, between one entry and the next, is added to it.
/// Whatever an age or a wait hangs on is kept by it, so that setting the clock back makes nothing young again.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Steady {
    wall_ms: i64,
    back_ms: i64,
    set_back: bool,
}

impl Steady {
    /// As the entries left it that the store has seen.
    pub(super) fn kept_in(store: &impl Found) -> Result<Steady, BooksError> {
        Ok(Steady {
            back_ms: store.read(META, SET_BACK)?.unwrap_or_default(),
            ..Steady::default()
        })
    }

    /// The last entry that the store has seen is of this time.
    pub(super) fn from(self, wall_ms: i64) -> Steady {
        Steady { wall_ms, ..self }
    }

    /// After an entry of this time.
    pub(super) fn at(self, wall_ms: i64) -> Steady {
        let by_ms = self.wall_ms.saturating_sub(wall_ms);
        let set_back = by_ms >= SET_BACK_MS_MIN;
        Steady {
            wall_ms: if set_back {
                wall_ms
            } else {
                wall_ms.max(self.wall_ms)
            },
            back_ms: self.back_ms.saturating_add(if set_back { by_ms } else { 0 }),
            set_back,
        }
    }

    /// What it shows.
    pub(super) fn ms(self) -> i64 {
        self.wall_ms.saturating_add(self.back_ms)
    }

    /// Puts what an entry changed of it among the entry's rows.
    pub(super) fn keep_in(self, rows: &mut Rows) -> Result<(), BooksError> {
        if self.set_back {
            rows.put(META, SET_BACK, &self.back_ms)?;
        }
        Ok(())
    }
}

/// Why the agency must be asked before anything is sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behind {
    /// Stable code of how it was noticed.
    pub why: String,
    /// From this day on the agency may hold what is not here.
    pub since: String,
}

impl Books {
    /// From now on a witness in `dir`, outside the data directory, is told how far the journal goes. One that knows more
    /// than the journal means that the data directory was put back from a backup: that is journalled, and what waits
    /// counts as possibly sent.
    ///
    /// # Errors
    /// [`BooksError`] if the journal cannot be written.
    pub fn keep_witness(&self, dir: &Path) -> Result<(), BooksError> {
        let witness = Witness::at(dir, &self.vault);
        let last = self.journal.last().map_or(0, |(seq, _)| seq);
        if let Some(known_seq) = witness.known_seq().filter(|known| *known > last) {
            let last_ms = self
                .journal
                .replay(last)
                .next()
                .transpose()?
                .map(|entry| entry.time_ms);
            self.fall_behind("TILL_ROLLED_BACK", known_seq, last_ms)?;
        }
        self.bookkeeper.tell_witness(witness);
        Ok(())
    }

    /// Journals that entries after `sound_ms` are missing, and that what waits may have been sent.
    ///
    /// # Errors
    /// [`BooksError`] if the journal cannot be read or written.
    pub fn fall_behind(&self, why: &str, known_seq: u64, sound_ms: Option<i64>) -> Result<(), BooksError> {
        let now_ms = clock::now_ms();
        let since = clock::today(sound_ms.unwrap_or(now_ms).min(now_ms)).to_string();
        let record = Record::Behind {
            why: why.to_owned(),
            known_seq,
            since,
        };
        self.append(&record, now_ms)?;
        for row in self.open_rows()? {
            let row = row?;
            if row.state == SaleState::Committed {
                let sale = row.sale.id.clone();
                let cause = why.to_owned();
                self.append(&Record::Unknown { sale, cause }, now_ms)?;
            }
        }
        Ok(())
    }

    /// Why the agency must be asked before anything is sold, if it must.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn behind(&self) -> Result<Option<Behind>, BooksError> {
        Ok(self
            .kept
            .store
            .read::<Option<Behind>>(META, Key::Plain(b"behind"))?
            .flatten())
    }

    /// Code of the institution the till was prepared for, as its first entry has it.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn institution(&self) -> Result<Option<String>, BooksError> {
        self.kept.store.read(META, Key::Plain(b"institution"))
    }

    /// Whether more than one person works at this till, so that there is a second pair of eyes.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn two_persons(&self) -> Result<bool, BooksError> {
        Ok(self
            .operators()?
            .iter()
            .filter(|operator| !operator.disabled)
            .count()
            > 1)
    }

    /// An operator's wrong PINs.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn tries(&self, operator: &str) -> Result<Tries, BooksError> {
        let tries: Tries = self
            .kept
            .store
            .read(TRIES, Key::Secret(operator.as_bytes()))?
            .unwrap_or_default();
        Ok(Tries {
            last_ms: self.wall_ms(tries.last_ms),
            ..tries
        })
    }

    /// What the wall clock, as it stands now, would have shown when the steady one showed `steady_ms`.
    pub(super) fn wall_ms(&self, steady_ms: i64) -> i64 {
        let now = self.bookkeeper.known().clock.at(clock::now_ms());
        steady_ms.saturating_sub(now.back_ms)
    }

    /// Compares files with what they were when last looked at; those that changed are journalled, and named once.
    ///
    /// # Errors
    /// [`BooksError`] if the journal cannot be written.
    pub fn note_settings(&self, files: &[PathBuf]) -> Result<Vec<String>, BooksError> {
        let mut found = BTreeMap::new();
        for path in files {
            let bytes = std::fs::read(path).unwrap_or_default();
            let hash = self
                .vault
                .fingerprint(&bytes)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            found.insert(name, hash);
        }
        let known: Option<BTreeMap<String, String>> = self.kept.store.read(META, Key::Plain(b"settings"))?;
        if known.as_ref() == Some(&found) {
            return Ok(Vec::new());
        }
        let changed = match known {
            None => Vec::new(),
            Some(known) => {
                let names = found.keys().filter(|name| known.get(*name) != found.get(*name));
                names.cloned().collect()
            }
        };
        self.append(&Record::Settings { files: found }, clock::now_ms())?;
        Ok(changed)
    }

    /// Makes new keys for what is written from now on, and journals who asked for it.
    ///
    /// # Errors
    /// [`BooksError`]; where the new keys could not be put in place the old ones stand.
    pub fn rotate_keys(&self, operator: &str) -> Result<(), BooksError> {
        self.vault.rotate()?;
        let record = Record::KeysRotated {
            operator: operator.to_owned(),
        };
        self.append(&record, clock::now_ms())?;
        Ok(())
    }
}

/// A clock that stands before the last entry, or so long after it that it may be wrong.
pub(super) fn clock_fault(last_ms: Option<i64>, now_ms: i64) -> Option<&'static str> {
    let since_ms = now_ms.saturating_sub(last_ms?);
    if since_ms < -CLOCK_BEHIND_MS_MAX {
        Some("CLOCK_BEHIND")
    } else {
        (since_ms > CLOCK_AHEAD_MS_MAX).then_some("CLOCK_AHEAD")
    }
}
