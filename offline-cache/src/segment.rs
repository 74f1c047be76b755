//! One segment file: its header, its records in batches, and where and how it is broken.
//!
//! The header is `YJSEGMT`, the version (1), the number of its first record (8 bytes), the hash of the record before
//! (32) and a CRC-32C (4). Records follow without gaps.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::record::{self, MAGIC, Position, Record};

const SEGMENT_MAGIC: [u8; 7] = *b"YJSEGMT";
const VERSION: u8 = 1;
/// Size of a segment's header.
pub(crate) const HEADER_BYTES: usize = 8 + 8 + 32 + 4;

/// What is wrong at one place of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The segment's header is short, foreign or fails its checksum.
    Header,
    /// The format is of a version this program does not read.
    Version(u8),
    /// No record begins here.
    Marker,
    /// A record's length is impossible or runs beyond the end.
    Length,
    /// A record fails its checksum.
    Checksum,
    /// A record is sound but not the one that comes next: removed, repeated or reordered.
    Sequence {
        /// The number that stands there.
        found: u64,
    },
    /// A record does not continue the chain of hashes.
    Chain,
    /// Records that were flushed together are not all there.
    Batch,
    /// The seal does not open: altered, or of another vault.
    Seal,
    /// The journal ends before an entry that is known to have been durable.
    CutOff {
        /// The last entry known.
        known_seq: u64,
    },
    /// The journal is sound but is not the one of which the mark was taken.
    OtherHistory,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.write_str("segment header damaged"),
            Self::Version(found) => write!(f, "format version {found}, this program reads version {VERSION}"),
            Self::Marker => f.write_str("no record begins here"),
            Self::Length => f.write_str("impossible record length"),
            Self::Checksum => f.write_str("checksum differs"),
            Self::Sequence { found } => write!(f, "entry {found} stands in its place"),
            Self::Chain => f.write_str("hash chain broken"),
            Self::Batch => f.write_str("entries flushed together are not all there"),
            Self::Seal => f.write_str("seal does not open"),
            Self::CutOff { known_seq } => write!(f, "cut off: entry {known_seq} was durable"),
            Self::OtherHistory => f.write_str("not the history that was marked"),
        }
    }
}

/// The first broken place of a journal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq}: {what} ({} at byte {offset})", segment.display())]
pub struct Broken {
    /// The segment file.
    pub segment: PathBuf,
    /// Where in it.
    pub offset: u64,
    /// The entry that should stand there.
    pub seq: u64,
    /// What is wrong.
    pub what: Fault,
}

impl Broken {
    /// A stable code for advice.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.what {
            Fault::Version(_) => "JOURNAL_VERSION",
            Fault::CutOff { .. } => "JOURNAL_CUT_OFF",
            _ => "JOURNAL_BROKEN",
        }
    }
}

/// How far a segment is sound.
pub(crate) struct Walked {
    /// After the last whole batch.
    pub(crate) to: Position,
    /// Where that batch ends.
    pub(crate) sound_bytes: usize,
    /// What stands behind it, if anything does.
    pub(crate) fault: Option<(usize, Fault)>,
}

/// Names sort as numbers do.
pub(crate) fn file_name(first_seq: u64) -> String {
    format!("{first_seq:020}.segment")
}

/// The segments of a journal in order, each with the number of its first record.
pub(crate) fn list(dir: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for item in std::fs::read_dir(dir)? {
        let path = item?.path();
        if path.extension().is_some_and(|extension| extension == "segment") {
            let first = path
                .file_stem()
                .and_then(|stem| stem.to_str())
                .and_then(|stem| stem.parse().ok());
            // A name that is no number sorts last, where its header will not fit.
            found.push((first.unwrap_or(u64::MAX), path));
        }
    }
    found.sort();
    Ok(found)
}

/// The header of a segment that continues `after`.
pub(crate) fn header(after: Position) -> Vec<u8> {
    let mut bytes = SEGMENT_MAGIC.to_vec();
    bytes.push(VERSION);
    bytes.extend_from_slice(&after.seq.saturating_add(1).to_be_bytes());
    bytes.extend_from_slice(&after.hash);
    let crc = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&crc.to_be_bytes());
    bytes
}

/// What the segment's own header says it continues.
pub(crate) fn begins_after(bytes: &[u8]) -> Result<Position, Fault> {
    let head = bytes.get(..HEADER_BYTES).ok_or(Fault::Header)?;
    let (checked, crc) = head.split_last_chunk::<4>().ok_or(Fault::Header)?;
    if crc32c::crc32c(checked) != u32::from_be_bytes(*crc) {
        return Err(Fault::Header);
    }
    let (magic, rest) = checked.split_first_chunk::<7>().ok_or(Fault::Header)?;
    let ([version], rest) = rest.split_first_chunk::<1>().ok_or(Fault::Header)?;
    let (first, prev) = rest.split_first_chunk::<8>().ok_or(Fault::Header)?;
    let first = u64::from_be_bytes(*first);
    match () {
        () if *magic != SEGMENT_MAGIC => Err(Fault::Header),
        () if *version != VERSION => Err(Fault::Version(*version)),
        () => Ok(Position {
            seq: first.checked_sub(1).ok_or(Fault::Header)?,
            hash: prev.try_into().map_err(|_| Fault::Header)?,
        }),
    }
}

fn check_header(bytes: &[u8], after: Position) -> Result<(), Fault> {
    let says = begins_after(bytes)?;
    if says.seq != after.seq {
        return Err(Fault::Sequence {
            found: says.seq.saturating_add(1),
        });
    }
    if says.hash == after.hash {
        Ok(())
    } else {
        Err(Fault::Chain)
    }
}

/// Checks a whole segment that should continue `after` and hands each record of a whole batch, in order, to `each`
/// with its offset; `each` may refuse a record.
pub(crate) fn walk<'a>(
    bytes: &'a [u8],
    after: Position,
    each: &mut dyn FnMut(&Record<'a>, usize) -> Result<(), Fault>,
) -> Walked {
    let mut walked = Walked {
        to: after,
        sound_bytes: 0,
        fault: None,
    };
    if let Err(fault) = check_header(bytes, after) {
        walked.fault = Some((0, fault));
        return walked;
    }
    walked.sound_bytes = HEADER_BYTES;
    while walked.fault.is_none() && walked.sound_bytes < bytes.len() {
        if let Err(fault) = walk_batch(bytes, &mut walked, each) {
            walked.fault = Some(fault);
        }
    }
    walked
}

fn walk_batch<'a>(
    bytes: &'a [u8],
    walked: &mut Walked,
    each: &mut dyn FnMut(&Record<'a>, usize) -> Result<(), Fault>,
) -> Result<(), (usize, Fault)> {
    let mut batch = Vec::new();
    let mut at = walked.sound_bytes;
    let mut position = walked.to;
    let mut batch_len = 1;
    while batch.len() < batch_len {
        let rest = bytes
            .get(at..)
            .filter(|rest| !rest.is_empty())
            .ok_or((at, Fault::Batch))?;
        let record = record::parse(rest).map_err(|fault| (at, fault))?;
        check_follows(&record, position, batch.len(), batch_len).map_err(|fault| (at, fault))?;
        batch_len = usize::try_from(record.head.batch_len).unwrap_or(usize::MAX);
        position = Position {
            seq: record.head.seq,
            hash: record.hash,
        };
        let length = record.length;
        batch.push((record, at));
        at = at.saturating_add(length);
    }
    for (record, offset) in &batch {
        each(record, *offset).map_err(|fault| (*offset, fault))?;
    }
    walked.to = position;
    walked.sound_bytes = at;
    Ok(())
}

fn check_follows(record: &Record<'_>, after: Position, at: usize, batch_len: usize) -> Result<(), Fault> {
    let head = &record.head;
    if head.seq != after.seq.saturating_add(1) {
        return Err(Fault::Sequence { found: head.seq });
    }
    if head.prev != after.hash {
        return Err(Fault::Chain);
    }
    let same_batch = at == 0 || usize::try_from(head.batch_len) == Ok(batch_len);
    let in_place = usize::try_from(head.batch_at) == Ok(at) && head.batch_at < head.batch_len;
    if same_batch && in_place {
        Ok(())
    } else {
        Err(Fault::Batch)
    }
}

/// Whether what stands behind the sound part can be a write that was never acknowledged: no sound record is there
/// but of the very batch that was being written. A later batch was begun only after this one was durable.
pub(crate) fn is_torn(bytes: &[u8], walked: &Walked) -> bool {
    let Some((fault_at, fault)) = walked.fault else {
        return false;
    };
    if !matches!(
        fault,
        Fault::Header | Fault::Marker | Fault::Length | Fault::Checksum | Fault::Batch
    ) {
        return false;
    }
    let next = walked.to.seq.saturating_add(1);
    let tail = bytes.get(walked.sound_bytes..).unwrap_or_default();
    // A batch that is whole in its records but says otherwise was not cut short.
    if matches!(fault, Fault::Batch) && fault_at < bytes.len() {
        return false;
    }
    tail.windows(MAGIC.len())
        .enumerate()
        .filter(|(_, window)| *window == MAGIC)
        .all(|(at, _)| {
            let found = tail.get(at..).map(record::parse);
            found.is_none_or(|parsed| match parsed {
                Ok(record) => record.batch_first() == next,
                // Another version behind a sound checksum was written by a later program, not torn.
                Err(fault) => !matches!(fault, Fault::Version(_)),
            })
        })
}
