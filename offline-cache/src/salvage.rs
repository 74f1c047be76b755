//! A damaged journal made usable again: the sound part stands, what can still be read behind the damage is handed to the
//! caller to be booked anew, and the damaged files are kept as they are.
//!
//! Everything is built in `salvage/` and put in place by renaming, so that a power cut leaves the damaged journal or the
//! new one. A record behind the damage counts only if its checksum and its seal hold: the seal binds its number, time,
//! kind and predecessor.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::file;
use crate::journal::{Draft, Entry, Journal, JournalError, segments_dir};
use crate::mark;
use crate::record::{self, MAGIC, Position};
use crate::recover::free_name;
use crate::replay::{Replay, entry};
use crate::segment::{self, Broken};
use crate::vault::Vault;

/// What a damaged journal still holds.
#[derive(Debug)]
pub struct Wreck {
    /// Where it is broken first.
    pub broken: Broken,
    /// The last entry before that; 0 if none is sound.
    pub sound_seq: u64,
    /// Entries behind the damage whose checksum and seal hold, in order.
    pub behind: Vec<Entry>,
    /// The greatest number that an entry is known to have had: the mark's, or of those behind the damage.
    pub known_seq: u64,
    /// Where the damaged files will be kept.
    pub kept: PathBuf,
    entries: Replay,
}

impl Wreck {
    /// Numbers of which no entry is left.
    pub fn lost(&self) -> impl Iterator<Item = u64> + '_ {
        let mut behind = self.behind.iter().map(|entry| entry.seq).peekable();
        (self.sound_seq.saturating_add(1)..=self.known_seq)
            .filter(move |seq| behind.next_if(|found| found == seq).is_none())
    }

    /// The sound entries, in order; once.
    pub fn sound(&mut self) -> impl Iterator<Item = Result<Entry, JournalError>> + '_ {
        &mut self.entries
    }
}

/// An entry to be written into the new journal.
pub struct Again {
    /// Its kind.
    pub kind: String,
    /// Its clock.
    pub time_ms: i64,
    /// What it says.
    pub body: Vec<u8>,
}

/// Looks at the journal under `dir`; nothing is changed. Nothing where it is whole.
///
/// # Errors
/// The disk refused.
pub fn inspect(dir: &Path, vault: &Vault) -> Result<Option<Wreck>, JournalError> {
    finish_renaming(dir).map_err(JournalError::disk(dir))?;
    let broken = match crate::verify(dir, Some(vault)) {
        Ok(_) => return Ok(None),
        Err(JournalError::Broken(broken)) => broken,
        Err(error) => return Err(error),
    };
    let segments = segments_dir(dir);
    let paths = segment::list(&segments).map_err(JournalError::disk(&segments))?;
    let mut sound = Position::START;
    let mut behind = BTreeMap::new();
    let mut still_sound = true;
    for (_, path) in paths {
        let bytes = fs::read(&path).map_err(JournalError::disk(&path))?;
        let mut from = 0;
        if still_sound {
            let walked = segment::walk(&bytes, sound, &mut |record, _| record.open(vault).map(drop));
            still_sound = walked.fault.is_none();
            sound = walked.to;
            from = walked.sound_bytes;
        }
        collect(
            bytes.get(from..).unwrap_or_default(),
            vault,
            sound.seq,
            &mut behind,
        );
    }
    let (_, marked) = mark::read(dir, Some(vault)).map_err(JournalError::disk(dir))?;
    let found_seq = behind.last_key_value().map_or(0, |(seq, _)| *seq);
    let known_seq = marked.map_or(0, |mark| mark.seq).max(found_seq).max(sound.seq);
    Ok(Some(Wreck {
        broken,
        sound_seq: sound.seq,
        behind: behind.into_values().collect(),
        known_seq,
        kept: free_name(dir, "journal.damaged"),
        entries: Replay::new(segments, vault.clone(), 1, sound.seq),
    }))
}

/// Puts a journal in the damaged one's place: its sound part, then `again`. The damaged files go to `wreck.kept`.
///
/// # Errors
/// The disk refused; the damaged journal is where it was, or the next [`inspect`] finishes what was begun.
pub fn rebuild(dir: &Path, vault: &Vault, wreck: &Wreck, again: &[Again]) -> Result<(), JournalError> {
    let draft = dir.join("salvage");
    if draft.exists() {
        fs::remove_dir_all(&draft).map_err(JournalError::disk(&draft))?;
    }
    copy_sound(&segments_dir(dir), &segments_dir(&draft), vault)?;
    let (journal, _) = Journal::open(&draft, vault)?;
    for entry in again {
        journal.append(Draft {
            kind: &entry.kind,
            time_ms: entry.time_ms,
            body: &entry.body,
        })?;
    }
    drop(journal);
    let old_mark = mark::path(dir);
    if old_mark.exists() {
        let kept = segments_dir(dir).join("journal.mark");
        fs::rename(&old_mark, &kept).map_err(JournalError::disk(&old_mark))?;
    }
    fs::rename(segments_dir(dir), &wreck.kept).map_err(JournalError::disk(&wreck.kept))?;
    file::sync_dir(dir).map_err(JournalError::disk(dir))?;
    finish_renaming(dir).map_err(JournalError::disk(dir))
}

/// The damaged journal is out of the way only once the new one is whole.
fn finish_renaming(dir: &Path) -> std::io::Result<()> {
    let draft = dir.join("salvage");
    if segments_dir(dir).exists() || !segments_dir(&draft).exists() {
        return Ok(());
    }
    fs::rename(mark::path(&draft), mark::path(dir))?;
    fs::rename(segments_dir(&draft), segments_dir(dir))?;
    fs::remove_dir_all(&draft)?;
    file::sync_dir(dir)
}

fn copy_sound(from: &Path, to: &Path, vault: &Vault) -> Result<(), JournalError> {
    file::make_dir(to).map_err(JournalError::disk(to))?;
    let mut sound = Position::START;
    for (first, path) in segment::list(from).map_err(JournalError::disk(from))? {
        let bytes = fs::read(&path).map_err(JournalError::disk(&path))?;
        let walked = segment::walk(&bytes, sound, &mut |record, _| record.open(vault).map(drop));
        sound = walked.to;
        if walked.sound_bytes > segment::HEADER_BYTES {
            let copy = to.join(segment::file_name(first));
            let part = bytes.get(..walked.sound_bytes).unwrap_or_default();
            file::replace(&copy, part).map_err(JournalError::disk(&copy))?;
        }
        if walked.fault.is_some() {
            break;
        }
    }
    Ok(())
}

/// Every record in `bytes` that is genuine and comes after `sound_seq`.
fn collect(bytes: &[u8], vault: &Vault, sound_seq: u64, found: &mut BTreeMap<u64, Entry>) {
    let places = bytes.windows(MAGIC.len()).enumerate();
    for (at, _) in places.filter(|(_, window)| *window == MAGIC) {
        let parsed = bytes.get(at..).map(record::parse);
        if let Some(Ok(record)) = parsed
            && record.head.seq > sound_seq
            && let Ok(entry) = entry(&record, vault)
        {
            found.insert(entry.seq, entry);
        }
    }
}
