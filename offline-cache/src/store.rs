//! The sled store: what can be rebuilt from the journal, kept for quick reading. The only file that names sled.
//!
//! sled 0.34.7 does not fsync, and damaged files of its make it panic, refuse, or lose records in silence. So nothing
//! lives here alone: each change carries the number of the journal entry it comes from, the whole content has a keyed
//! sum that is checked at opening, and a store that fails in any way is moved aside and begun anew.
//!
//! One sled tree holds everything, so that one batch is one entry's changes and the marker. A key is the caller's tree,
//! a zero byte and the key; a value is sealed and bound to its key. The marker's key is one zero byte.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fmt, iter, thread};

use crate::content::{Content, MARKER_KEY};
use crate::file;
use crate::journal::lock;
use crate::recover::free_name;
use crate::vault::Vault;

const CACHE_BYTES: u64 = 64 << 20;
/// Applied entries between two flushes; what a crash takes of them is replayed.
const APPLIES_PER_FLUSH: u32 = 256;
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
    state: Mutex<State>,
}

struct State {
    content: Content,
    applies: u32,
    stopped: bool,
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
        let state = Mutex::new(State {
            content,
            applies: 0,
            stopped: false,
        });
        Ok(Self {
            db: Some(db),
            vault: vault.clone(),
            place: Arc::clone(place),
            state,
        })
    }

    /// The last journal entry whose changes are in the store.
    #[must_use]
    pub fn applied_seq(&self) -> u64 {
        lock(&self.state).content.applied_seq
    }

    /// Makes the changes of journal entry `seq`: all of them or none, and never twice.
    ///
    /// # Errors
    /// [`StoreError::Gap`] when the changes of another entry come first. After any other error but
    /// [`StoreError::TreeName`] the store takes no more changes until opened anew.
    pub fn apply(&self, seq: u64, changes: &[Change<'_>]) -> Result<(), StoreError> {
        self.apply_run(iter::once((seq, changes)))
    }

    /// Makes the changes of many journal entries in one step: the quick way to rebuild.
    ///
    /// # Errors
    /// As [`Store::apply`].
    pub fn apply_run<'a, I, C>(&self, entries: I) -> Result<(), StoreError>
    where
        I: IntoIterator<Item = (u64, C)>,
        C: AsRef<[Change<'a>]>,
    {
        let mut state = lock(&self.state);
        if state.stopped {
            return Err(StoreError::Stopped);
        }
        let mut draft = Draft {
            content: state.content,
            changes: BTreeMap::new(),
        };
        for (seq, changes) in entries {
            let expected = draft.content.applied_seq.saturating_add(1);
            if seq < expected {
                continue;
            }
            if seq > expected {
                return Err(StoreError::Gap { expected, found: seq });
            }
            for change in changes.as_ref() {
                self.draft_change(&mut draft, change)?;
            }
            draft.content.applied_seq = seq;
        }
        if draft.content.applied_seq == state.content.applied_seq {
            return Ok(());
        }
        state.stopped = true;
        self.write(&draft)?;
        state.content = draft.content;
        state.stopped = false;
        state.applies = state.applies.saturating_add(1);
        if state.applies.is_multiple_of(APPLIES_PER_FLUSH) {
            self.flush()?;
        }
        Ok(())
    }

    fn draft_change(&self, draft: &mut Draft, change: &Change<'_>) -> Result<(), StoreError> {
        let (tree, key, value) = match *change {
            Change::Put { tree, key, value } => (tree, key, Some(value)),
            Change::Delete { tree, key } => (tree, key, None),
        };
        let full_key = self.full_key(tree, key)?;
        let sealed = match value {
            None => None,
            Some(value) => {
                let mut sealed = Vec::new();
                self.vault
                    .seal_onto(&mut sealed, &full_key, value)
                    .map_err(StoreError::Random)?;
                Some(sealed)
            }
        };
        let stored;
        let old = match draft.changes.get(&full_key) {
            Some(drafted) => drafted.as_deref(),
            None => {
                stored = self.sled(|db| db.get(&full_key))?;
                stored.as_deref()
            }
        };
        draft
            .content
            .replace(&self.vault, &full_key, old, sealed.as_deref());
        draft.changes.insert(full_key, sealed);
        Ok(())
    }

    fn write(&self, draft: &Draft) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        for (key, value) in &draft.changes {
            match value {
                Some(value) => batch.insert(key.as_slice(), value.as_slice()),
                None => batch.remove(key.as_slice()),
            }
        }
        let marker = draft.content.encode(&self.vault).map_err(StoreError::Random)?;
        batch.insert(&MARKER_KEY, marker);
        self.sled(|db| db.apply_batch(batch))
    }

    /// The value under `key`.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where its seal does not open.
    pub fn get(&self, tree: &'static str, key: Key<'_>) -> Result<Option<Vec<u8>>, StoreError> {
        let full_key = self.full_key(tree, key)?;
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
        let items = self.sled(|db| Ok(db.scan_prefix(prefix)))?;
        Ok(Scan {
            items,
            tree_bytes,
            vault: self.vault.clone(),
            place: Arc::clone(&self.place),
            over: false,
        })
    }

    /// How many values a tree holds; counted, so not for every keystroke.
    ///
    /// # Errors
    /// As [`Store::get`].
    pub fn len(&self, tree: &'static str) -> Result<usize, StoreError> {
        let prefix = self.full_key(tree, Key::Plain(&[]))?;
        self.sled(|db| {
            db.scan_prefix(&prefix)
                .try_fold(0_usize, |count, item| Ok(item.map(|_| count)?.saturating_add(1)))
        })
    }

    /// Writes out what is in memory, so that less must be replayed after a crash. Done by itself now and then and at
    /// the end.
    ///
    /// # Errors
    /// The disk refused.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.sled(|db| db.flush().map(drop))?;
        let path = self.place.path.join("db");
        File::open(&path)
            .and_then(|db| db.sync_all())
            .map_err(|source| StoreError::Io { path, source })
    }

    fn sled<T>(&self, call: impl FnOnce(&sled::Db) -> sled::Result<T>) -> Result<T, StoreError> {
        let db = self.db.as_ref().ok_or(StoreError::Stopped)?;
        self.place.guard(|| call(db))
    }

    fn full_key(&self, tree: &'static str, key: Key<'_>) -> Result<Vec<u8>, StoreError> {
        if tree.is_empty() || tree.bytes().any(|byte| byte == 0) {
            return Err(StoreError::TreeName { tree });
        }
        let mut full = tree.as_bytes().to_vec();
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

/// Changes that are not written yet, each key once, and the content they lead to.
struct Draft {
    content: Content,
    changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

/// Keys and values in the order of keys; ends after the first error. A secret key comes as its hash.
pub struct Scan {
    items: sled::Iter,
    tree_bytes: usize,
    vault: Vault,
    place: Arc<Place>,
    over: bool,
}

impl Iterator for Scan {
    type Item = Result<(Vec<u8>, Vec<u8>), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let items = &mut self.items;
        let item = self.place.guard(|| items.next().transpose()).transpose()?;
        let opened = item.and_then(|(key, sealed)| {
            let value = self
                .vault
                .unseal(&key, &sealed)
                .map_err(|_| self.place.damaged(None))?;
            Ok((key.get(self.tree_bytes..).unwrap_or_default().to_vec(), value))
        });
        self.over = opened.is_err();
        Some(opened)
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
