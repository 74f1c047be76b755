//! The end of the journal: one batch at a time is encoded, written and flushed, all of it or nothing.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Disk, LogFile};
use crate::journal::{Entry, JournalError, Limits, Pending};
use crate::record::{self, Head, Position};
use crate::segment;
use crate::vault::Vault;

pub(crate) struct Writer {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    vault: Vault,
    limits: Limits,
    tail: Option<Tail>,
    durable: Position,
    stopped: Option<(PathBuf, Arc<io::Error>)>,
}

/// The segment that is being written.
struct Tail {
    file: Box<dyn LogFile>,
    path: PathBuf,
    bytes: u64,
}

impl Writer {
    pub(crate) fn new(
        disk: Arc<dyn Disk>,
        dir: PathBuf,
        vault: Vault,
        limits: Limits,
        last_segment: Option<(PathBuf, u64)>,
        durable: Position,
    ) -> Result<Self, JournalError> {
        let tail = match last_segment {
            None => None,
            Some((path, bytes)) => Some(Tail {
                file: disk.open(&path, bytes).map_err(JournalError::disk(&path))?,
                path,
                bytes,
            }),
        };
        Ok(Self {
            disk,
            dir,
            vault,
            limits,
            tail,
            durable,
            stopped: None,
        })
    }

    pub(crate) fn durable(&self) -> Position {
        self.durable
    }

    /// Makes `drafts` durable as one batch.
    pub(crate) fn commit(&mut self, drafts: Vec<Pending>) -> Result<Vec<Entry>, JournalError> {
        if let Some((path, source)) = &self.stopped {
            return Err(JournalError::Stopped {
                path: path.clone(),
                source: Arc::clone(source),
            });
        }
        let free_bytes = self
            .disk
            .free_bytes(&self.dir)
            .map_err(JournalError::disk(&self.dir))?;
        let free_bytes_min = self.limits.free_bytes_min;
        if free_bytes < free_bytes_min {
            return Err(JournalError::SpaceLow {
                free_bytes,
                free_bytes_min,
            });
        }
        let (bytes, entries) = self.encode(drafts)?;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let room = self.limits.segment_bytes_max;
        match &mut self.tail {
            Some(tail) if tail.bytes.saturating_add(length) <= room => self.write(&bytes, length)?,
            _ => self.begin_segment(&bytes)?,
        }
        if let Some(last) = entries.last() {
            self.durable = Position {
                seq: last.seq,
                hash: last.hash,
            };
        }
        Ok(entries)
    }

    fn encode(&self, drafts: Vec<Pending>) -> Result<(Vec<u8>, Vec<Entry>), JournalError> {
        let batch_len = u32::try_from(drafts.len()).unwrap_or(u32::MAX);
        let lengths = drafts
            .iter()
            .map(|draft| record::record_length(&draft.kind, &draft.body));
        let mut bytes = Vec::with_capacity(lengths.fold(0, usize::saturating_add));
        let mut entries = Vec::with_capacity(drafts.len());
        let mut position = self.durable;
        for (batch_at, Pending { kind, time_ms, body }) in (0..batch_len).zip(drafts) {
            let seq = position.seq.saturating_add(1);
            let prev = position.hash;
            let head = Head {
                seq,
                time_ms,
                batch_at,
                batch_len,
                prev,
                kind: &kind,
            };
            let hash =
                record::encode_onto(&mut bytes, &self.vault, &head, &body).map_err(JournalError::Random)?;
            position = Position { seq, hash };
            entries.push(Entry {
                seq,
                time_ms,
                kind,
                body,
                hash,
                prev,
            });
        }
        Ok((bytes, entries))
    }

    fn write(&mut self, bytes: &[u8], length: u64) -> Result<(), JournalError> {
        let Some(tail) = &mut self.tail else { return Ok(()) };
        if let Err(error) = tail.file.append(bytes) {
            // What a full disk took of it goes again; where even that fails, nobody knows what is there.
            return match tail.file.cut(tail.bytes) {
                Ok(()) => Err(JournalError::disk(&tail.path)(error)),
                Err(_) => {
                    let path = tail.path.clone();
                    Err(self.stop(path, error))
                }
            };
        }
        if let Err(error) = tail.file.sync() {
            let path = tail.path.clone();
            return Err(self.stop(path, error));
        }
        tail.bytes = tail.bytes.saturating_add(length);
        Ok(())
    }

    fn begin_segment(&mut self, batch: &[u8]) -> Result<(), JournalError> {
        let path = self
            .dir
            .join(segment::file_name(self.durable.seq.saturating_add(1)));
        let mut bytes = segment::header(self.durable);
        bytes.extend_from_slice(batch);
        let mut file = self.disk.create(&path).map_err(JournalError::disk(&path))?;
        if let Err(error) = file.append(&bytes) {
            drop(file);
            return Err(self.abandon(&path, error));
        }
        if let Err(error) = file.sync().and_then(|()| self.disk.sync_dir(&self.dir)) {
            return Err(self.stop(path, error));
        }
        let bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.tail = Some(Tail { file, path, bytes });
        Ok(())
    }

    fn abandon(&mut self, path: &Path, error: io::Error) -> JournalError {
        match self.disk.remove(path) {
            Ok(()) => JournalError::disk(path)(error),
            Err(_) => self.stop(path.to_owned(), error),
        }
    }

    /// After a failed flush the system may have dropped the pages and call the next flush good: no second try.
    fn stop(&mut self, path: PathBuf, error: io::Error) -> JournalError {
        let source = Arc::new(error);
        self.tail = None;
        self.stopped = Some((path.clone(), Arc::clone(&source)));
        JournalError::Stopped { path, source }
    }
}
