//! What the journal asks of a disk, so that another can stand in for one that loses power, fills up or fails to flush.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use crate::file;

/// The writing side of a disk; reading goes to the files directly.
pub trait Disk: Send + Sync {
    /// A new file to write on; it must not exist. Its name is durable only after [`Disk::sync_dir`].
    fn create(&self, path: &Path) -> io::Result<Box<dyn LogFile>>;
    /// An existing file, to go on at `len`.
    fn open(&self, path: &Path, len: u64) -> io::Result<Box<dyn LogFile>>;
    /// Whole new content or the old one, durable on return.
    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Takes a file away, durably.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in `dir` durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// What is left for this user.
    fn free_bytes(&self, dir: &Path) -> io::Result<u64>;
}

/// A file that only grows, or is cut back to what was durable.
pub trait LogFile: Send {
    /// Adds at the end; not durable yet.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes all appended bytes durable.
    fn sync(&mut self) -> io::Result<()>;
    /// Forgets what lies beyond `len`, durably.
    fn cut(&mut self, len: u64) -> io::Result<()>;
}

/// The machine's own disk.
pub struct OsDisk;

impl Disk for OsDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn LogFile>> {
        Ok(Box::new(OsFile(file::options().create_new(true).open(path)?)))
    }

    fn open(&self, path: &Path, len: u64) -> io::Result<Box<dyn LogFile>> {
        let mut file = file::options().open(path)?;
        file.seek(SeekFrom::Start(len))?;
        Ok(Box::new(OsFile(file)))
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        file::replace(path, bytes)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)?;
        file::sync_dir(path.parent().unwrap_or(Path::new(".")))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        file::sync_dir(dir)
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        free_bytes(dir)
    }
}

/// Bytes free on the disk of a directory.
///
/// # Errors
/// What the system says.
pub fn free_bytes(dir: &Path) -> io::Result<u64> {
    fs4::available_space(dir)
}

struct OsFile(File);

impl LogFile for OsFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.0.set_len(len)?;
        self.0.seek(SeekFrom::Start(len))?;
        self.0.sync_all()
    }
}
