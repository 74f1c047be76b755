//! Reading entries back in order.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};

use crate::journal::{Entry, JournalError};
use crate::record::{Position, Record};
use crate::segment::{self, Broken, Fault};
use crate::vault::Vault;

/// Entries in order, one segment in memory at a time; ends after the first error.
#[derive(Debug)]
pub struct Replay {
    dir: PathBuf,
    vault: Vault,
    next_seq: u64,
    last_seq: u64,
    segments: Option<VecDeque<(u64, PathBuf)>>,
    after: Option<Position>,
    ready: VecDeque<Entry>,
}

impl Replay {
    pub(crate) fn new(dir: PathBuf, vault: Vault, from_seq: u64, last_seq: u64) -> Self {
        let next_seq = from_seq.max(1);
        Self {
            dir,
            vault,
            next_seq,
            last_seq,
            segments: None,
            after: None,
            ready: VecDeque::new(),
        }
    }

    /// Takes up the next segment. Before it nothing is ready.
    fn load(&mut self) -> Result<(), JournalError> {
        let (dir, next_seq) = (&self.dir, self.next_seq);
        let mut segments = match self.segments.take() {
            Some(segments) => segments,
            None => relevant(segment::list(dir).map_err(JournalError::disk(dir))?, next_seq),
        };
        let Some((_, path)) = segments.pop_front() else {
            let known_seq = self.last_seq;
            let what = Fault::CutOff { known_seq };
            return Err(Broken {
                segment: dir.clone(),
                offset: 0,
                seq: next_seq,
                what,
            }
            .into());
        };
        self.segments = Some(segments);
        let bytes = fs::read(&path).map_err(JournalError::disk(&path))?;
        self.take_entries(&bytes, &path).map_err(JournalError::from)
    }

    fn take_entries(&mut self, bytes: &[u8], path: &Path) -> Result<(), Broken> {
        let after = match self.after {
            Some(after) => after,
            None => segment::begins_after(bytes).map_err(|what| Broken {
                segment: path.to_owned(),
                offset: 0,
                seq: self.next_seq,
                what,
            })?,
        };
        let (next_seq, last_seq) = (self.next_seq, self.last_seq);
        let (vault, ready) = (&self.vault, &mut self.ready);
        let walked = segment::walk(bytes, after, &mut |record, _| {
            if (next_seq..=last_seq).contains(&record.head.seq) {
                ready.push_back(entry(record, vault)?);
            }
            Ok(())
        });
        self.after = Some(walked.to);
        // Behind the last entry asked for another thread may be writing.
        match walked.fault {
            Some((at, what)) if walked.to.seq < last_seq => {
                let (offset, seq) = (
                    u64::try_from(at).unwrap_or(u64::MAX),
                    walked.to.seq.saturating_add(1),
                );
                Err(Broken {
                    segment: path.to_owned(),
                    offset,
                    seq,
                    what,
                })
            }
            _ => Ok(()),
        }
    }
}

impl Iterator for Replay {
    type Item = Result<Entry, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && self.next_seq <= self.last_seq {
            if let Err(error) = self.load() {
                self.last_seq = 0;
                return Some(Err(error));
            }
        }
        let entry = self.ready.pop_front()?;
        self.next_seq = entry.seq.saturating_add(1);
        Some(Ok(entry))
    }
}

/// The segment that holds `from_seq` and those behind it.
fn relevant(segments: Vec<(u64, PathBuf)>, from_seq: u64) -> VecDeque<(u64, PathBuf)> {
    let before = segments
        .iter()
        .filter(|(first, _)| *first <= from_seq)
        .count()
        .saturating_sub(1);
    segments.into_iter().skip(before).collect()
}

pub(crate) fn entry(record: &Record<'_>, vault: &Vault) -> Result<Entry, Fault> {
    let head = &record.head;
    let body = record.open(vault)?;
    let kind = head.kind.to_owned();
    Ok(Entry {
        seq: head.seq,
        time_ms: head.time_ms,
        kind,
        body,
        hash: record.hash,
        prev: head.prev,
    })
}
