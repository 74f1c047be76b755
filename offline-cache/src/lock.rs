//! One process for one data directory.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::file;

const TRIES_MAX: u32 = 10;
const PAUSE: Duration = Duration::from_millis(20);

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
    /// [`LockError::InUse`] when another process holds it and keeps it. One that ends, or starts a program, may seem to
    /// hold it for a moment more.
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
        for _ in 0..TRIES_MAX {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
                Err(TryLockError::Error(source)) => return Err(failed(&path)(source)),
            }
        }
        Err(LockError::InUse { dir: dir.to_owned() })
    }
}
