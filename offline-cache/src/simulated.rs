//! A disk that remembers what a flush made durable, for whoever cuts its power, fills it or fails its flushes.
//!
//! Files are really written, so that reading needs no stand-in; beside them it keeps what a power cut would leave.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::disk::{Disk, LogFile, OsDisk};
use crate::journal::lock;

const SECTOR_BYTES: usize = 512;

/// What goes wrong at the disk's `n`-th call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Power goes: this call and all after it fail.
    PowerCut,
    /// Half of what is appended is taken, then the disk is full. Other calls go well.
    Full,
    /// As `Full`, and what was taken can't be cut off again.
    FullForGood,
    /// The flush fails, and the system calls the lost pages clean.
    FlushFails,
}

/// Clones are the same disk.
#[derive(Clone, Default)]
pub struct SimulatedDisk(Arc<Mutex<Remembered>>);

#[derive(Default)]
struct Remembered {
    files: Vec<Contents>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    calls: u32,
    trouble: Option<(u32, Trouble)>,
    dead: bool,
}

/// `current` up to `durable` outlives a cut; of the rest anything may. Lost pages never will.
#[derive(Default)]
struct Contents {
    current: Vec<u8>,
    durable: usize,
    lost: bool,
}

struct SimulatedFile {
    disk: SimulatedDisk,
    file: usize,
    real: Box<dyn LogFile>,
}

fn eio() -> io::Error {
    io::Error::from_raw_os_error(5)
}

impl SimulatedDisk {
    /// A disk on which everything under `dir` has long been durable.
    ///
    /// # Errors
    /// The machine's own disk refused.
    pub fn holding(dir: &Path) -> io::Result<SimulatedDisk> {
        let disk = SimulatedDisk::default();
        for item in fs::read_dir(dir)? {
            let path = item?.path();
            if path.is_dir() {
                for inner in fs::read_dir(&path)? {
                    disk.adopt(&inner?.path())?;
                }
            } else {
                disk.adopt(&path)?;
            }
        }
        Ok(disk)
    }

    fn adopt(&self, path: &Path) -> io::Result<()> {
        if !path.is_file() {
            return Ok(());
        }
        let current = fs::read(path)?;
        let mut disk = lock(&self.0);
        let file = disk.files.len();
        disk.files.push(Contents {
            durable: current.len(),
            current,
            lost: false,
        });
        disk.names.insert(path.to_owned(), file);
        disk.durable_names.insert(path.to_owned(), file);
        Ok(())
    }

    /// Whether its power is gone, or it took no more for good.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        lock(&self.0).dead
    }

    /// The trouble that was to come does not.
    pub fn calm(&self) {
        lock(&self.0).trouble = None;
    }

    /// Something goes wrong at the `call`-th call from now on, 0 being the next.
    pub fn trouble_at(&self, call: u32, trouble: Trouble) {
        let mut disk = lock(&self.0);
        disk.trouble = Some((disk.calls + call, trouble));
    }

    /// How many calls there were.
    #[must_use]
    pub fn calls(&self) -> u32 {
        lock(&self.0).calls
    }

    /// What trouble this call has, if any.
    fn call(&self) -> io::Result<Option<Trouble>> {
        let mut disk = lock(&self.0);
        let now = disk.calls;
        disk.calls += 1;
        let trouble = disk
            .trouble
            .filter(|(at, _)| *at == now)
            .map(|(_, trouble)| trouble);
        disk.dead |= trouble == Some(Trouble::PowerCut);
        if disk.dead { Err(eio()) } else { Ok(trouble) }
    }

    /// A call that flushes: whether it fails. A failure whose call was none waits for the first flush after it.
    fn flush_fails(&self) -> io::Result<bool> {
        self.call()?;
        let mut disk = lock(&self.0);
        let fails = matches!(disk.trouble, Some((at, Trouble::FlushFails)) if at < disk.calls);
        if fails {
            disk.trouble = None;
        }
        Ok(fails)
    }

    /// Writes what a power cut now would leave of `from` into `to`, which may be the same; `draw(n)` decides between n
    /// ways.
    ///
    /// # Errors
    /// The machine's own disk refused.
    pub fn left_after_cut(
        &self,
        from: &Path,
        to: &Path,
        draw: &mut dyn FnMut(usize) -> usize,
    ) -> io::Result<()> {
        let disk = lock(&self.0);
        for (path, file) in &disk.names {
            let (Some(contents), Ok(place)) = (disk.files.get(*file), path.strip_prefix(from)) else {
                continue;
            };
            let target = to.join(place);
            let durable_name = disk.durable_names.get(path) == Some(file);
            if !durable_name && draw(2) == 0 {
                match fs::remove_file(&target) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => continue,
                }
            }
            let mut bytes = contents.current.clone();
            if contents.lost {
                bytes.truncate(contents.durable);
            }
            scatter(&mut bytes, contents.durable, draw);
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(target, bytes)?;
        }
        Ok(())
    }
}

/// Of what lies beyond `durable`: nothing, a beginning, or sectors here and there with zeros between.
fn scatter(bytes: &mut Vec<u8>, durable: usize, draw: &mut dyn FnMut(usize) -> usize) {
    let pending = bytes.len() - durable;
    if pending == 0 {
        return;
    }
    match draw(4) {
        0 => bytes.truncate(durable),
        1 => bytes.truncate(durable + draw(pending + 1)),
        2 => {}
        _ => {
            for start in (0..bytes.len()).step_by(SECTOR_BYTES) {
                let end = (start + SECTOR_BYTES).min(bytes.len());
                if end > durable
                    && draw(2) == 0
                    && let Some(sector) = bytes.get_mut(start.max(durable)..end)
                {
                    sector.fill(0);
                }
            }
        }
    }
}

impl Disk for SimulatedDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn LogFile>> {
        self.call()?;
        let real = OsDisk.create(path)?;
        let mut disk = lock(&self.0);
        disk.files.push(Contents::default());
        let file = disk.files.len() - 1;
        disk.names.insert(path.to_owned(), file);
        Ok(Box::new(SimulatedFile {
            disk: self.clone(),
            file,
            real,
        }))
    }

    fn open(&self, path: &Path, len: u64) -> io::Result<Box<dyn LogFile>> {
        self.call()?;
        let real = OsDisk.open(path, len)?;
        let known = lock(&self.0).names.get(path).copied();
        let Some(file) = known else {
            return Err(io::ErrorKind::NotFound.into());
        };
        if let Some(contents) = lock(&self.0).files.get_mut(file) {
            contents
                .current
                .truncate(usize::try_from(len).unwrap_or(usize::MAX));
        }
        Ok(Box::new(SimulatedFile {
            disk: self.clone(),
            file,
            real,
        }))
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.call()?;
        OsDisk.replace(path, bytes)?;
        let mut disk = lock(&self.0);
        disk.files.push(Contents {
            current: bytes.to_vec(),
            durable: bytes.len(),
            lost: false,
        });
        let file = disk.files.len() - 1;
        disk.names.insert(path.to_owned(), file);
        disk.durable_names.insert(path.to_owned(), file);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call()?;
        OsDisk.remove(path)?;
        let mut disk = lock(&self.0);
        disk.names.remove(path);
        disk.durable_names.remove(path);
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        if self.flush_fails()? {
            return Err(eio());
        }
        let mut disk = lock(&self.0);
        let synced: Vec<_> = disk
            .names
            .iter()
            .filter(|(path, _)| path.parent() == Some(dir))
            .map(|(path, file)| (path.clone(), *file))
            .collect();
        disk.durable_names.extend(synced);
        Ok(())
    }

    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        Ok(u64::MAX)
    }
}

impl LogFile for SimulatedFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let trouble = self.disk.call()?;
        let full = matches!(trouble, Some(Trouble::Full | Trouble::FullForGood));
        let half = bytes.get(..bytes.len() / 2).unwrap_or_default();
        let taken = if full { half } else { bytes };
        self.real.append(taken)?;
        let mut disk = lock(&self.disk.0);
        if let Some(contents) = disk.files.get_mut(self.file) {
            contents.current.extend_from_slice(taken);
        }
        disk.dead |= trouble == Some(Trouble::FullForGood);
        if full {
            Err(io::ErrorKind::StorageFull.into())
        } else {
            Ok(())
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        let fails = self.disk.flush_fails()?;
        let mut disk = lock(&self.disk.0);
        let Some(contents) = disk.files.get_mut(self.file) else {
            return Err(eio());
        };
        if fails {
            contents.lost = true;
            return Err(eio());
        }
        if !contents.lost {
            contents.durable = contents.current.len();
        }
        Ok(())
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.disk.call()?;
        self.real.cut(len)?;
        let mut disk = lock(&self.disk.0);
        if let Some(contents) = disk.files.get_mut(self.file) {
            contents
                .current
                .truncate(usize::try_from(len).unwrap_or(usize::MAX));
            contents.durable = contents.current.len();
        }
        Ok(())
    }
}
