//! The sled store: what can be rebuilt from the journal, kept for quick reading. The only file that names sled.
//!
//! sled 0.34.7 does not fsync, and damaged files of its make it panic, refuse, or lose records in silence. So nothing
//! lives here alone: what is written carries the number of the last journal entry in it, the whole content has a keyed
//! sum that is checked at opening, and a store that fails in any way is moved aside and begun anew.
//!
//! One sled tree holds everything, so that one batch is some entries' changes and the marker. A key is the caller's tree,
//! a zero byte and the key; a value is sealed and bound to its key. The marker's key is one zero byte.

use std::collections::btree_map;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::iter::Peekable;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;
use std::{fmt, thread};

use crate::content::{Content, MARKER_KEY};
use crate::file;
use crate::journal::lock;
use crate::recover::free_name;
use crate::unwritten::{Changes, Unwritten};
use crate::vault::Vault;

const CACHE_BYTES: u64 = 64 << 20;
/// Entries whose changes go into sled in one step; what a crash takes of them is replayed.
const ENTRIES_PER_STEP_MAX: usize = 1024;
/// Room for a zero byte and the hash that a secret key stands as; a plain one is shorter, mostly.
const KEY_BYTES: usize = 33;
const LOCK_TRIES_MAX: u32 = 200;
const LOCK_PAUSE: Duration = Duration::from_millis(10);
/// Openings that ended without a result before the store is no longer tried.
const FAILED_OPENINGS_MAX: u64 = 2;

/// A key as the caller knows it.
#[derive(Clone, Copy)]
pub enum Key<'a> {
    /// Stands as it is, in the order of its bytes: numbers, never a person's.
    Plain(&'a [u8]),
    /// Stands as its keyed hash: identifiers of persons. Found again by itself only.
    Secret(&'a [u8]),
}

/// One change of the store.
#[derive(Clone, Copy)]
pub enum Change<'a> {
    /// Sets a value.
    Put {
        /// Which tree: a short name without a zero byte.
        tree: &'static str,
        /// Under which key.
        key: Key<'a>,
        /// What; sealed on disk.
        value: &'a [u8],
    },
    /// Takes a value away, if there is one.
    Delete {
        /// Which tree.
        tree: &'static str,
        /// Under which key.
        key: Key<'a>,
    },
}

/// What opening found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOpened {
    /// Where a store that could not be trusted was moved to; the one that is open now is empty then.
    pub set_aside: Option<PathBuf>,
    /// The last journal entry whose changes are in it.
    pub applied_seq: u64,
}

/// Why the store can't be opened, read or changed. The journal is not touched by any of it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It is damaged; the next opening sets it aside and begins anew.
    #[error("the store {} is damaged", path.display())]
    Damaged {
        /// Its directory.
        path: PathBuf,
        /// What sled said, if it said anything.
        #[source]
        source: Option<sled::Error>,
    },
    /// It can't be had now, though nothing says that it is damaged: disk full, no permission, in use.
    #[error("the store {} can't be read or written", path.display())]
    Unavailable {
        /// Its directory.
        path: PathBuf,
        /// What sled said.
        source: sled::Error,
    },
    /// Another store of the same directory is open.
    #[error("the store {} is in use", path.display())]
    InUse {
        /// Its directory.
        path: PathBuf,
    },
    /// A file beside it can't be read or written.
    #[error("{} can't be read or written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An earlier change failed half-way; it must be opened anew.
    #[error("an earlier change of the store failed; it must be opened anew")]
    Stopped,
    /// The changes of another journal entry come first.
    #[error("changes of entry {found}, but those of entry {expected} come next")]
    Gap {
        /// What comes next.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// A tree's name is empty or holds a zero byte.
    #[error("a tree can't be named {tree:?}")]
    TreeName {
        /// The name.
        tree: &'static str,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    Random(#[source] getrandom::Error),
}

impl StoreError {
    /// A stable code for advice.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Damaged { .. } => "STORE_DAMAGED",
            Self::Unavailable {
                source: sled::Error::Io(source),
                ..
            }
            | Self::Io { source, .. } => file::io_code(source),
            Self::Unavailable { .. } => "STORE_UNAVAILABLE",
            Self::InUse { .. } => "STORE_IN_USE",
            Self::Stopped => "STORE_STOPPED",
            Self::Gap { .. } => "STORE_GAP",
            Self::TreeName { .. } => "STORE_TREE_NAME",
            Self::Random(_) => "NO_RANDOM",
        }
    }
}

/// The store of one data directory. One process at a time, any number of threads.
pub struct Store {
    /// There until the store is dropped.
    db: Option<sled::Db>,
    vault: Vault,
    place: Arc<Place>,
    unwritten: RwLock<Unwritten>,
    /// What sled holds; whoever writes there has it.
    content: Mutex<Content>,
    stopped: AtomicBool,
}

/// Where the store is, and the file beside it that counts openings without a result.
struct Place {
    path: PathBuf,
    doubt: PathBuf,
}

impl Store {
    /// Opens the store under `dir`; one that is damaged is set aside and an empty one begun, told in [`StoreOpened`].
    ///
    /// # Errors
    /// Disk full, no permission, in use; never damage.
    pub fn open(dir: &Path, vault: &Vault) -> Result<(Self, StoreOpened), StoreError> {
        let place = Arc::new(Place {
            path: dir.join("store"),
            doubt: dir.join("store.doubt"),
        });
        place.wait_for_lock()?;
        let mut set_aside = None;
        if place.doubt_count() >= FAILED_OPENINGS_MAX && place.path.exists() {
            set_aside = Some(place.set_aside()?);
        }
        place.count_doubt(1)?;
        let opened = match Self::open_at(&place, vault) {
            Err(StoreError::Damaged { .. }) if set_aside.is_none() => {
                set_aside = Some(place.set_aside()?);
                Self::open_at(&place, vault)
            }
            other => other,
        };
        place.clear_doubt()?;
        let store = opened?;
        let applied_seq = store.applied_seq();
        Ok((
            store,
            StoreOpened {
                set_aside,
                applied_seq,
            },
        ))
    }

    fn open_at(place: &Arc<Place>, vault: &Vault) -> Result<Self, StoreError> {
        if !place.path.exists() {
            file::make_dir(&place.path).map_err(place.io_at(&place.path))?;
        }
        let config = sled::Config::new()
            .path(&place.path)
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(None);
        let db = place.guard(|| config.open())?;
        let content = place.guard(|| Content::survey(vault, db.iter()))?;
        let content = content.ok_or_else(|| place.damaged(None))?;
        Ok(Self {
            db: Some(db),
            vault: vault.clone(),
            place: Arc::clone(place),
            unwritten: RwLock::new(Unwritten::on_top_of(content.applied_seq)),
            content: Mutex::new(content),
            stopped: AtomicBool::new(false),
        })
    }

    /// The last journal entry whose changes are in the store.
    #[must_use]
    pub fn applied_seq(&self) -> u64 {
        self.with_unwritten(|unwritten| unwritten.applied_seq)
    }

    /// Makes the changes of journal entry `seq`: all of them or none, and never twice. They are read from now on, and
    /// written by [`Store::flush`] with those of other entries; [`Store::is_full`] says that it is time for it.
    ///
    /// # Errors
    /// [`StoreError::Gap`] when the changes of another entry come first, [`StoreError::Stopped`] after a flush that
    /// failed.
    pub fn apply(&self, seq: u64, changes: &[Change<'_>]) -> Result<(), StoreError> {
        self.check()?;
        let mut keyed = Changes::new();
        for change in changes {
            let (tree, key, value) = match *change {
                Change::Put { tree, key, value } => (tree, key, Some(value.to_vec())),
                Change::Delete { tree, key } => (tree, key, None),
            };
            keyed.insert(self.full_key(tree, key)?, value);
        }
        let mut unwritten = self.unwritten_mut();
        let expected = unwritten.applied_seq.saturating_add(1);
        if seq < expected {
            return Ok(());
        }
        if seq > expected {
            return Err(StoreError::Gap { expected, found: seq });
        }
        unwritten.add(seq, keyed);
        Ok(())
    }

    /// Whether so many entries' changes are in memory that they should be written out.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.steps_behind() > 0
    }

    /// How many times over.
    #[must_use]
    pub fn steps_behind(&self) -> usize {
        self.with_unwritten(|unwritten| unwritten.entries / ENTRIES_PER_STEP_MAX)
    }

    /// Fails once a flush has failed: nothing is taken until the store is opened anew.
    ///
    /// # Errors
    /// [`StoreError::Stopped`].
    pub fn check(&self) -> Result<(), StoreError> {
        if self.stopped.load(Ordering::Acquire) {
            return Err(StoreError::Stopped);
        }
        Ok(())
    }

    /// Takes and writes nothing more: what is in memory goes with it, as a kill would have it.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
    }

    /// Writes out what is in memory, so that less must be replayed after a crash; other entries' changes are taken
    /// meanwhile. Done by itself at the end.
    ///
    /// # Errors
    /// The disk refused; nothing more is taken until opened anew.
    pub fn flush(&self) -> Result<(), StoreError> {
        let mut content = lock(&self.content);
        self.check()?;
        let mut unwritten = self.unwritten_mut();
        if unwritten.entries == 0 {
            return Ok(());
        }
        let (applied_seq, changes) = (unwritten.applied_seq, unwritten.leave());
        drop(unwritten);
        let mut after = *content;
        after.applied_seq = applied_seq;
        let written = self.write(&changes, &mut after).and_then(|()| self.sync());
        written.inspect_err(|_| self.stop())?;
        *content = after;
        Ok(())
    }

    fn write(&self, changes: &Changes, content: &mut Content) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        for (full_key, value) in changes {
            let old = self.sled(|db| db.get(full_key))?;
            let mut sealed = None;
            if let Some(value) = value {
                let mut seal = Vec::new();
                self.vault
                    .seal_onto(&mut seal, full_key, value)
                    .map_err(StoreError::Random)?;
                batch.insert(full_key.as_slice(), seal.as_slice());
                sealed = Some(seal);
            } else {
                batch.remove(full_key.as_slice());
            }
            content.replace(&self.vault, full_key, old.as_deref(), sealed.as_deref());
        }
        let marker = content.encode(&self.vault).map_err(StoreError::Random)?;
        batch.insert(&MARKER_KEY, marker);
        self.sled(|db| db.apply_batch(batch))
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.sled(|db| db.flush().map(drop))?;
        let path = self.place.path.join("db");
        File::open(&path)
            .and_then(|db| db.sync_all())
            .map_err(|source| StoreError::Io { path, source })
    }

    fn unwritten_mut(&self) -> RwLockWriteGuard<'_, Unwritten> {
        self.unwritten.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_unwritten<T>(&self, read: impl FnOnce(&Unwritten) -> T) -> T {
        read(&self.unwritten.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The value under `key`.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where its seal does not open.
    pub fn get(&self, tree: &'static str, key: Key<'_>) -> Result<Option<Vec<u8>>, StoreError> {
        let full_key = self.full_key(tree, key)?;
        if let Some(value) = self.with_unwritten(|unwritten| unwritten.get(&full_key).cloned()) {
            return Ok(value);
        }
        let Some(sealed) = self.sled(|db| db.get(&full_key))? else {
            return Ok(None);
        };
        let value = self
            .vault
            .unseal(&full_key, &sealed)
            .map_err(|_| self.place.damaged(None))?;
        Ok(Some(value))
    }

    /// All of a tree in the order of its keys.
    ///
    /// # Errors
    /// Only for a name that no tree can have; reading errors come as items.
    pub fn scan(&self, tree: &'static str) -> Result<Scan, StoreError> {
        self.scan_prefix(tree, &[])
    }

    /// What a tree holds under plain keys that begin with `prefix`, in their order.
    ///
    /// # Errors
    /// As [`Store::scan`].
    pub fn scan_prefix(&self, tree: &'static str, prefix: &[u8]) -> Result<Scan, StoreError> {
        let tree_bytes = self.full_key(tree, Key::Plain(&[]))?.len();
        let prefix = self.full_key(tree, Key::Plain(prefix))?;
        // In this order: what leaves memory meanwhile is in sled.
        let unwritten = self.with_unwritten(|unwritten| unwritten.with_prefix(&prefix));
        let items = self.sled(|db| Ok(db.scan_prefix(prefix)))?;
        Ok(Scan {
            items: items.peekable(),
            unwritten: unwritten.into_iter().peekable(),
            tree_bytes,
            vault: self.vault.clone(),
            place: Arc::clone(&self.place),
            over: false,
        })
    }

    fn sled<T>(&self, call: impl FnOnce(&sled::Db) -> sled::Result<T>) -> Result<T, StoreError> {
        let db = self.db.as_ref().ok_or(StoreError::Stopped)?;
        self.place.guard(|| call(db))
    }

    fn full_key(&self, tree: &'static str, key: Key<'_>) -> Result<Vec<u8>, StoreError> {
        if tree.is_empty() || tree.bytes().any(|byte| byte == 0) {
            return Err(StoreError::TreeName { tree });
        }
        let mut full = Vec::with_capacity(tree.len().saturating_add(KEY_BYTES));
        full.extend_from_slice(tree.as_bytes());
        full.push(0);
        match key {
            Key::Plain(key) => full.extend_from_slice(key),
            Key::Secret(key) => {
                full.extend_from_slice(&self.vault.keyed_hash(&[b"key", tree.as_bytes(), key]))
            }
        }
        Ok(full)
    }
}

/// Key and value.
type Pair = (Vec<u8>, Vec<u8>);

/// Keys and values in the order of keys; ends after the first error. A secret key comes as its hash.
pub struct Scan {
    items: Peekable<sled::Iter>,
    unwritten: Peekable<btree_map::IntoIter<Vec<u8>, Option<Vec<u8>>>>,
    tree_bytes: usize,
    vault: Vault,
    place: Arc<Place>,
    over: bool,
}

impl Scan {
    /// The next key and value; what is unwritten says of a key goes before what sled says.
    fn step(&mut self) -> Result<Option<Pair>, StoreError> {
        loop {
            let place = &self.place;
            let stored = place.guard(|| match self.items.peek() {
                Some(Ok((key, _))) => Ok(Some(key.clone())),
                Some(Err(error)) => Err(error.clone()),
                None => Ok(None),
            })?;
            let unwritten = self.unwritten.next_if(|(key, _)| {
                let stored = stored.as_deref();
                stored.is_none_or(|stored| key.as_slice() <= stored)
            });
            if let Some((key, value)) = unwritten {
                if stored.as_deref() == Some(&key) {
                    drop(self.items.next());
                }
                if let Some(value) = value {
                    return Ok(Some((key, value)));
                }
                continue;
            }
            let item = self
                .items
                .next()
                .transpose()
                .map_err(|error| place.damaged(Some(error)))?;
            let Some((key, sealed)) = item else {
                return Ok(None);
            };
            let value = self
                .vault
                .unseal(&key, &sealed)
                .map_err(|_| place.damaged(None))?;
            return Ok(Some((key.to_vec(), value)));
        }
    }
}

impl Iterator for Scan {
    type Item = Result<Pair, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let item = self.step().transpose()?;
        self.over = item.is_err();
        Some(item.map(|(key, value)| (key.get(self.tree_bytes..).unwrap_or_default().to_vec(), value)))
    }
}

impl Place {
    /// Calls into sled, which panics on some damaged files instead of returning an error.
    fn guard<T>(&self, call: impl FnOnce() -> sled::Result<T>) -> Result<T, StoreError> {
        match catch_unwind(AssertUnwindSafe(call)) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(source)) if is_damage(&source) => Err(self.damaged(Some(source))),
            Ok(Err(source)) => Err(StoreError::Unavailable {
                path: self.path.clone(),
                source,
            }),
            Err(_) => Err(self.damaged(None)),
        }
    }

    /// Notes that this store is not to be opened again.
    fn damaged(&self, source: Option<sled::Error>) -> StoreError {
        // Where even the note can't be written, the next opening finds the damage again by itself.
        let _unwritten = self.count_doubt(FAILED_OPENINGS_MAX);
        StoreError::Damaged {
            path: self.path.clone(),
            source,
        }
    }

    /// sled's own threads let go of a closed store's lock a moment after the store is gone.
    fn wait_for_lock(&self) -> Result<(), StoreError> {
        let Ok(db) = File::open(self.path.join("db")) else {
            return Ok(());
        };
        for _ in 0..LOCK_TRIES_MAX {
            match db.try_lock() {
                Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
                _ => return Ok(()),
            }
        }
        Err(StoreError::InUse {
            path: self.path.clone(),
        })
    }

    fn set_aside(&self) -> Result<PathBuf, StoreError> {
        let dir = self.path.parent().unwrap_or(Path::new("."));
        let to = free_name(dir, "store.damaged");
        fs::rename(&self.path, &to)
            .and_then(|()| file::sync_dir(dir))
            .map_err(self.io_at(&self.path))?;
        Ok(to)
    }

    fn doubt_count(&self) -> u64 {
        fs::metadata(&self.doubt).map_or(0, |metadata| metadata.len())
    }

    fn count_doubt(&self, by: u64) -> Result<(), StoreError> {
        let add = || {
            let mut doubt = file::options().append(true).create(true).open(&self.doubt)?;
            (0..by).try_for_each(|_| doubt.write_all(b"?"))
        };
        add().map_err(self.io_at(&self.doubt))
    }

    fn clear_doubt(&self) -> Result<(), StoreError> {
        match fs::remove_file(&self.doubt) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.io_at(&self.doubt)(error)),
            _ => Ok(()),
        }
    }

    fn io_at(&self, path: &Path) -> impl FnOnce(io::Error) -> StoreError + use<> {
        let path = path.to_owned();
        move |source| StoreError::Io { path, source }
    }
}

/// A full disk, a missing permission and a lock held by another process are no damage; they must not cost the store.
fn is_damage(error: &sled::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, NotADirectory, UnexpectedEof};
    match error {
        sled::Error::Io(error) => {
            matches!(
                error.kind(),
                UnexpectedEof | InvalidData | InvalidInput | NotADirectory
            )
        }
        _ => true,
    }
}

impl Store {
    /// Moves the store aside, for a caller whose rows have another form now; the next opening begins an empty one.
    ///
    /// # Errors
    /// The disk refused; the store stays where it is.
    pub fn set_aside(self) -> Result<PathBuf, StoreError> {
        let place = Arc::clone(&self.place);
        drop(self);
        place.wait_for_lock()?;
        place.set_aside()
    }
}

impl Drop for Store {
    /// On a disk that takes nothing more sled panics as it closes; all it could not keep is replayed.
    fn drop(&mut self) {
        let _replayed = self.flush();
        let db = self.db.take();
        let _replayed = catch_unwind(AssertUnwindSafe(|| drop(db)));
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let applied_seq = self.applied_seq();
        f.debug_struct("Store")
            .field("path", &self.place.path)
            .field("applied_seq", &applied_seq)
            .finish()
    }
}

impl fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(key) => f.debug_tuple("Plain").field(key).finish(),
            Self::Secret(_) => f.write_str("Secret(..)"),
        }
    }
}

impl fmt::Debug for Change<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Put { tree, key, .. } => f
                .debug_struct("Put")
                .field("tree", tree)
                .field("key", key)
                .finish_non_exhaustive(),
            Self::Delete { tree, key } => f
                .debug_struct("Delete")
                .field("tree", tree)
                .field("key", key)
                .finish(),
        }
    }
}
