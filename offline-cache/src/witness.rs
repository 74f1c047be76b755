//! A witness of how far the journal went, kept outside the data directory: a data directory put back from a backup is
//! sound in itself, but older than its witness.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::file;
use crate::journal::Journal;
use crate::mark;
use crate::record::Position;
use crate::vault::Vault;

/// The witness of one data directory.
#[derive(Debug)]
pub struct Witness {
    path: PathBuf,
    vault: Vault,
}

impl Witness {
    /// The witness that stands in `dir` for the keys of `vault`; its name tells nothing.
    #[must_use]
    pub fn at(dir: &Path, vault: &Vault) -> Self {
        let hash = vault.keyed_hash(&[b"witness"]);
        let name: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self {
            path: dir.join(name).with_extension("witness"),
            vault: vault.clone(),
        }
    }

    /// The last entry it knows of; nothing where there is no sound witness.
    #[must_use]
    pub fn known_seq(&self) -> Option<u64> {
        let bytes = fs::read(&self.path).ok()?;
        mark::decode(&bytes, Some(&self.vault)).map(|position| position.seq)
    }

    /// Notes how far `journal` goes.
    ///
    /// # Errors
    /// The disk refused.
    pub fn note(&self, journal: &Journal) -> io::Result<()> {
        let Some((seq, hash)) = journal.last() else {
            return Ok(());
        };
        if self.known_seq() == Some(seq) {
            return Ok(());
        }
        file::make_dir(self.path.parent().unwrap_or(Path::new(".")))?;
        file::replace(&self.path, &mark::encode(&self.vault, Position { seq, hash }))
    }
}
