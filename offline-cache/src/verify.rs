//! Checking a journal without opening it for writing: also beside a running terminal, also without its keys.

use std::path::Path;

use crate::journal::{JournalError, segments_dir};
use crate::mark::MarkFound;
use crate::record::Position;
use crate::recover;
use crate::replay::Replay;
use crate::vault::Vault;

/// A journal that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// How many entries there are.
    pub entries: u64,
    /// The hash of the last, which vouches for all of them; zeros when there is none.
    pub last_hash: [u8; 32],
    /// Bytes behind the last entry: a write in progress, or one that a crash cut short.
    pub unfinished_bytes: u64,
    /// Whether the end could be compared with the mark.
    pub mark: MarkFound,
    /// Whether the seals were opened too.
    pub seals_opened: bool,
}

/// Checks every length, version, checksum and link of the chain under `dir`, and with the vault every seal.
///
/// # Errors
/// [`JournalError::Broken`] names the first broken entry; [`JournalError::Disk`] means that it can't be read, or is not there.
pub fn verify(dir: &Path, vault: Option<&Vault>) -> Result<Verified, JournalError> {
    let survey = recover::survey(dir, vault)?;
    if let Some(vault) = vault {
        Replay::new(segments_dir(dir), vault.clone(), 1, survey.position.seq)
            .try_for_each(|entry| entry.map(drop))?;
    }
    let unfinished = survey
        .last
        .map_or(0, |last| last.bytes.len().saturating_sub(last.sound_bytes));
    Ok(verified(survey.position, unfinished, survey.mark_found, vault))
}

fn verified(position: Position, unfinished: usize, mark: MarkFound, vault: Option<&Vault>) -> Verified {
    Verified {
        entries: position.seq,
        last_hash: position.hash,
        unfinished_bytes: u64::try_from(unfinished).unwrap_or(u64::MAX),
        mark,
        seals_opened: vault.is_some(),
    }
}
