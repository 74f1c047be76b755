//! Opening a journal: every entry checked, a torn tail told from damage, cut off and kept.

use std::fs;
use std::path::{Path, PathBuf};

use crate::disk::Disk;
use crate::file;
use crate::journal::{JournalError, Opened, Torn, segments_dir};
use crate::mark::{self, MarkFound};
use crate::record::Position;
use crate::segment::{self, Broken, Fault, Walked};
use crate::vault::Vault;

pub(crate) struct Recovered {
    pub(crate) position: Position,
    pub(crate) tail: Option<(PathBuf, u64)>,
    pub(crate) marked: Option<Position>,
    pub(crate) opened: Opened,
}

/// The journal as far as it is sound.
pub(crate) struct Survey {
    pub(crate) position: Position,
    pub(crate) last: Option<LastSegment>,
    pub(crate) last_time_ms: Option<i64>,
    pub(crate) mark_found: MarkFound,
    pub(crate) marked: Option<Position>,
}

pub(crate) struct LastSegment {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
    pub(crate) sound_bytes: usize,
}

pub(crate) fn recover(disk: &dyn Disk, dir: &Path, vault: &Vault) -> Result<Recovered, JournalError> {
    let segments = segments_dir(dir);
    file::make_dir(&segments).map_err(JournalError::disk(&segments))?;
    let survey = survey(dir, Some(vault))?;
    let position = survey.position;
    let opened = Opened {
        entries: position.seq,
        last_seq: position.seq,
        last_time_ms: survey.last_time_ms,
        torn: None,
        mark: survey.mark_found,
    };
    let mut recovered = Recovered {
        position,
        tail: None,
        marked: survey.marked,
        opened,
    };
    if let Some(last) = survey.last {
        recovered.opened.torn = keep_torn(disk, &segments, &last)?;
        // Without a mark at its very end the segment was not closed in peace, and what can be read of it may be in the
        // system's cache alone, left there by a flush that failed: written out anew, it is on the disk.
        if recovered.opened.torn.is_some() || survey.marked != Some(position) {
            let header = segment::header(position);
            let sound = last
                .bytes
                .get(..last.sound_bytes)
                .filter(|sound| !sound.is_empty());
            disk.replace(&last.path, sound.unwrap_or(&header))
                .map_err(JournalError::disk(&last.path))?;
        }
        let bytes = last.sound_bytes.max(segment::HEADER_BYTES);
        recovered.tail = Some((last.path, offset(bytes)));
    }
    Ok(recovered)
}

/// Checks all segments and compares with the mark, changing nothing.
pub(crate) fn survey(dir: &Path, vault: Option<&Vault>) -> Result<Survey, JournalError> {
    let segments = segments_dir(dir);
    let (mark_found, marked) = mark::read(dir, vault).map_err(JournalError::disk(&mark::path(dir)))?;
    let paths = segment::list(&segments).map_err(JournalError::disk(&segments))?;
    let mut survey = Survey {
        position: Position::START,
        last: None,
        last_time_ms: None,
        mark_found,
        marked,
    };
    let count = paths.len();
    for (at, (_, path)) in paths.into_iter().enumerate() {
        let is_last = at.saturating_add(1) == count;
        let bytes = fs::read(&path).map_err(JournalError::disk(&path))?;
        let walked = walk_compared(
            &bytes,
            survey.position,
            marked,
            vault.filter(|_| is_last),
            &mut survey.last_time_ms,
        );
        if let Some((at, what)) = walked.fault {
            let acknowledged = marked.is_some_and(|mark| mark.seq > walked.to.seq);
            if !is_last || acknowledged || !segment::is_torn(&bytes, &walked) {
                let seq = walked.to.seq.saturating_add(1);
                return Err(Broken {
                    segment: path,
                    offset: offset(at),
                    seq,
                    what,
                }
                .into());
            }
        }
        survey.position = walked.to;
        survey.last = Some(LastSegment {
            path,
            bytes,
            sound_bytes: walked.sound_bytes,
        });
    }
    compare(&survey, &segments)?;
    Ok(survey)
}

/// Walks a segment, comparing with the mark and, given a vault, opening every seal: of the last segment always, so that
/// nothing is added to a journal that this vault can't read.
fn walk_compared(
    bytes: &[u8],
    after: Position,
    marked: Option<Position>,
    vault: Option<&Vault>,
    last_time_ms: &mut Option<i64>,
) -> Walked {
    segment::walk(bytes, after, &mut |record, _| {
        if marked.is_some_and(|mark| mark.seq == record.head.seq && mark.hash != record.hash) {
            return Err(Fault::OtherHistory);
        }
        *last_time_ms = Some(record.head.time_ms);
        vault.map_or(Ok(()), |vault| record.open(vault).map(drop))
    })
}

fn compare(survey: &Survey, segments: &Path) -> Result<(), Broken> {
    let Some(mark) = survey.marked.filter(|mark| mark.seq > survey.position.seq) else {
        return Ok(());
    };
    let (segment, at) = match &survey.last {
        Some(last) => (last.path.clone(), offset(last.sound_bytes)),
        None => (segments.join(segment::file_name(1)), 0),
    };
    let what = Fault::CutOff { known_seq: mark.seq };
    Err(Broken {
        segment,
        offset: at,
        seq: survey.position.seq.saturating_add(1),
        what,
    })
}

fn keep_torn(disk: &dyn Disk, segments: &Path, last: &LastSegment) -> Result<Option<Torn>, JournalError> {
    let tail = last.bytes.get(last.sound_bytes..).unwrap_or_default();
    if tail.is_empty() && !last.bytes.is_empty() {
        return Ok(None);
    }
    let dir = segments.join("torn");
    file::make_dir(&dir).map_err(JournalError::disk(&dir))?;
    let stem = last.path.file_stem().unwrap_or_default().to_string_lossy();
    let kept = free_name(&dir, &format!("{stem}-{}", last.sound_bytes));
    disk.replace(&kept, tail).map_err(JournalError::disk(&kept))?;
    let (at, bytes) = (offset(last.sound_bytes), offset(tail.len()));
    Ok(Some(Torn {
        segment: last.path.clone(),
        offset: at,
        bytes,
        kept,
    }))
}

/// `name`, or `name.2` … where it is taken.
pub(crate) fn free_name(dir: &Path, name: &str) -> PathBuf {
    let plain = dir.join(name);
    let numbered = (2_u32..).map(|number| dir.join(format!("{name}.{number}")));
    std::iter::once(plain.clone())
        .chain(numbered)
        .find(|path| !path.exists())
        .unwrap_or(plain)
}

fn offset(at: usize) -> u64 {
    u64::try_from(at).unwrap_or(u64::MAX)
}
