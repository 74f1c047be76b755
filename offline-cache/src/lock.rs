//! One process for one data directory.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::file;

/// Held as long as a process works on a data directory; the operating system lets go of it when the process ends.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

/// Why the data directory can't be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process works on it.
    #[error("another process works on {}", dir.display())]
    InUse {
        /// The data directory.
        dir: PathBuf,
    },
    /// The directory or its lock file can't be written.
    #[error("{} can't be locked", path.display())]
    Io {
        /// What was being opened or made.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl LockError {
    /// A stable code for advice.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::InUse { .. } => "DATA_DIR_IN_USE",
            Self::Io { source, .. } => file::io_code(source),
        }
    }
}

impl DataLock {
    /// Takes the lock of `dir`, making the directory (mode 0700) if it is not there.
    ///
    /// # Errors
    /// [`LockError::InUse`] at once when another process holds it; nothing is waited for.
    pub fn acquire(dir: &Path) -> Result<Self, LockError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| LockError::Io { path, source }
        };
        file::make_dir(dir).map_err(failed(dir))?;
        let path = dir.join("lock");
        let file = file::options()
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::InUse { dir: dir.to_owned() }),
            Err(TryLockError::Error(source)) => Err(failed(&path)(source)),
        }
    }
}
