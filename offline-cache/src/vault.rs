//! The keys: data keys that seal journal and store, themselves sealed by a key file of this machine.
//!
//! `machine.key` holds a random key (mode 0600; a symbolic link may put it on another volume). `vault` holds the data
//! keys, sealed by it. The newest data key seals, all of them open, and store keys are hashed with a key derived from
//! the first, so that they stay the same after a rotation.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use chacha20poly1305::aead::{AeadInPlace, KeyInit};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::file;

const KEY_MAGIC: &[u8; 8] = b"YJKEY\0\0\x01";
const VAULT_MAGIC: &[u8; 8] = b"YJVAULT\x01";
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
const CRC_BYTES: usize = 4;
/// Number of the data key, nonce and tag: what sealing adds to a body.
pub(crate) const SEAL_BYTES: usize = 4 + NONCE_BYTES + TAG_BYTES;
const HASH_CONTEXT: &str = "yijie offline-cache 2026 keyed hash of store keys and of the mark";

type Secret = Zeroizing<[u8; KEY_BYTES]>;

/// The opened keys of one data directory. Clones share them.
#[derive(Clone)]
pub struct Vault {
    inner: Arc<Inner>,
}

struct Inner {
    dir: PathBuf,
    hash_key: Secret,
    ring: RwLock<Vec<Secret>>,
}

/// Why the keys can't be had. Nothing has been overwritten.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// A vault is already there.
    #[error("{} already holds a vault", dir.display())]
    Exists {
        /// The data directory.
        dir: PathBuf,
    },
    /// There are entries but no vault to read them with.
    #[error("{} is missing, and what it seals is still there", path.display())]
    VaultMissing {
        /// Where it should be.
        path: PathBuf,
    },
    /// There is a vault but no machine key.
    #[error("the machine key {} is missing", path.display())]
    KeyMissing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The machine key is whole but belongs to another vault.
    #[error("the machine key {} does not open this vault", path.display())]
    WrongKey {
        /// The key file.
        path: PathBuf,
    },
    /// Others than its owner may read the machine key.
    #[error("the machine key {} may be read by others (mode {mode:o})", path.display())]
    KeyExposed {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A key file fails its checksum or has the wrong size.
    #[error("{} is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// A key file was written by another version.
    #[error("{} has format version {found}, this program reads version 1", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u8,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    Random(#[source] getrandom::Error),
    /// The disk refused.
    #[error("{} can't be read or written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl VaultError {
    /// A stable code for advice.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Exists { .. } => "VAULT_EXISTS",
            Self::VaultMissing { .. } => "VAULT_MISSING",
            Self::KeyMissing { .. } => "VAULT_KEY_MISSING",
            Self::WrongKey { .. } => "VAULT_WRONG_KEY",
            Self::KeyExposed { .. } => "VAULT_KEY_EXPOSED",
            Self::Damaged { .. } => "VAULT_DAMAGED",
            Self::Version { .. } => "VAULT_VERSION",
            Self::Random(_) => "NO_RANDOM",
            Self::Io { source, .. } => file::io_code(source),
        }
    }
}

/// What a seal says when it does not open: another key, another place, or changed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unsealable;

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("dir", &self.inner.dir)
            .finish_non_exhaustive()
    }
}

impl Vault {
    /// Makes new keys in `dir`.
    ///
    /// # Errors
    /// [`VaultError::Exists`] where there is a vault already, [`VaultError::VaultMissing`] where there are entries that
    /// a lost vault sealed.
    pub fn create(dir: &Path) -> Result<Self, VaultError> {
        let (vault_path, key_path) = paths(dir);
        if vault_path.exists() {
            return Err(VaultError::Exists { dir: dir.to_owned() });
        }
        if holds_entries(dir) {
            return Err(VaultError::VaultMissing { path: vault_path });
        }
        file::make_dir(dir).map_err(io_at(dir))?;
        let machine = random_secret()?;
        let ring = vec![random_secret()?];
        write_key(&key_path, &machine)?;
        write_vault(&vault_path, &machine, &ring)?;
        Self::with_ring(dir, ring, &vault_path)
    }

    /// Opens the keys of `dir`; finishes a rotation that was cut short.
    ///
    /// # Errors
    /// Each says what is wrong with which file; nothing is changed.
    pub fn open(dir: &Path) -> Result<Self, VaultError> {
        let (vault_path, key_path) = paths(dir);
        if !vault_path.exists() {
            return Err(VaultError::VaultMissing { path: vault_path });
        }
        let next_path = next_key_path(&key_path);
        let ring = match read_key(&key_path).and_then(|machine| read_vault(&vault_path, &machine, &key_path))
        {
            Ok(ring) => {
                remove_if_there(&next_path)?;
                ring
            }
            Err(first) if next_path.exists() => {
                let opened =
                    read_key(&next_path).and_then(|machine| read_vault(&vault_path, &machine, &next_path));
                let Ok(ring) = opened else { return Err(first) };
                adopt_key(&next_path, &key_path)?;
                ring
            }
            Err(error) => return Err(error),
        };
        Self::with_ring(dir, ring, &vault_path)
    }

    /// Opens the keys of `dir`, or makes them where nothing was ever sealed.
    ///
    /// # Errors
    /// As [`Vault::open`] and [`Vault::create`].
    pub fn open_or_create(dir: &Path) -> Result<Self, VaultError> {
        if paths(dir).0.exists() {
            Self::open(dir)
        } else {
            Self::create(dir)
        }
    }

    /// A new machine key, and a new data key for all that is sealed from now on; what was sealed before stays readable.
    ///
    /// # Errors
    /// A failure before the new vault is in place leaves the old keys, one after it is put right by the next open.
    pub fn rotate(&self) -> Result<(), VaultError> {
        let (vault_path, key_path) = paths(&self.inner.dir);
        let next_path = next_key_path(&key_path);
        let mut ring = self.inner.ring.write().unwrap_or_else(PoisonError::into_inner);
        let machine = random_secret()?;
        let mut longer = ring.clone();
        longer.push(random_secret()?);
        write_key(&next_path, &machine)?;
        write_vault(&vault_path, &machine, &longer)?;
        *ring = longer;
        adopt_key(&next_path, &key_path)
    }

    fn with_ring(dir: &Path, ring: Vec<Secret>, vault_path: &Path) -> Result<Self, VaultError> {
        let first = ring.first().ok_or_else(|| VaultError::Damaged {
            path: vault_path.to_owned(),
        })?;
        let hash_key = Zeroizing::new(blake3::derive_key(HASH_CONTEXT, first.as_slice()));
        Ok(Self {
            inner: Arc::new(Inner {
                dir: dir.to_owned(),
                hash_key,
                ring: RwLock::new(ring),
            }),
        })
    }

    /// A keyed hash of a file's bytes, to notice later that it was changed.
    #[must_use]
    pub fn fingerprint(&self, bytes: &[u8]) -> [u8; 32] {
        self.keyed_hash(&[b"file", bytes])
    }

    /// Adds `body`, sealed with the newest data key and bound to `place`, to `out`.
    pub(crate) fn seal_onto(
        &self,
        out: &mut Vec<u8>,
        place: &[u8],
        body: &[u8],
    ) -> Result<(), getrandom::Error> {
        let ring = self.inner.ring.read().unwrap_or_else(PoisonError::into_inner);
        let Some(key) = ring.last() else {
            return Err(getrandom::Error::UNEXPECTED);
        };
        let number = u32::try_from(ring.len()).unwrap_or(u32::MAX);
        seal_with(key, number, out, place, body)
    }

    /// The body of what [`Vault::seal_onto`] wrote for the same `place`.
    pub(crate) fn unseal(&self, place: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Unsealable> {
        let (number, rest) = sealed.split_first_chunk::<4>().ok_or(Unsealable)?;
        let ring = self.inner.ring.read().unwrap_or_else(PoisonError::into_inner);
        let index = u32::from_be_bytes(*number).checked_sub(1).ok_or(Unsealable)?;
        let key = usize::try_from(index)
            .ok()
            .and_then(|index| ring.get(index))
            .ok_or(Unsealable)?;
        unseal_with(key, place, rest)
    }

    /// The keyed hash of `parts`, each with its length, so that no two lists meet in one hash.
    pub(crate) fn keyed_hash(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.inner.hash_key);
        for part in parts {
            hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(part);
        }
        *hasher.finalize().as_bytes()
    }
}

fn seal_with(
    key: &Secret,
    number: u32,
    out: &mut Vec<u8>,
    place: &[u8],
    body: &[u8],
) -> Result<(), getrandom::Error> {
    let mut nonce = [0_u8; NONCE_BYTES];
    getrandom::fill(&mut nonce)?;
    out.reserve(SEAL_BYTES.saturating_add(body.len()));
    out.extend_from_slice(&number.to_be_bytes());
    out.extend_from_slice(&nonce);
    let start = out.len();
    out.extend_from_slice(body);
    let cipher = XChaCha20Poly1305::new(key.as_slice().into());
    let clear = out.get_mut(start..).unwrap_or_default();
    match cipher.encrypt_in_place_detached(XNonce::from_slice(&nonce), place, clear) {
        Ok(tag) => {
            out.extend_from_slice(&tag);
            Ok(())
        }
        // Only a body beyond 256 GiB gets here; it must not stay in clear.
        Err(_) => {
            out.truncate(start);
            Err(getrandom::Error::UNEXPECTED)
        }
    }
}

fn unseal_with(key: &Secret, place: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Unsealable> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(Unsealable)?;
    let (body, tag) = rest.split_last_chunk::<TAG_BYTES>().ok_or(Unsealable)?;
    let mut body = body.to_vec();
    let cipher = XChaCha20Poly1305::new(key.as_slice().into());
    cipher
        .decrypt_in_place_detached(XNonce::from_slice(nonce), place, &mut body, Tag::from_slice(tag))
        .map_err(|_| Unsealable)?;
    Ok(body)
}

fn paths(dir: &Path) -> (PathBuf, PathBuf) {
    (dir.join("vault"), dir.join("machine.key"))
}

fn next_key_path(key_path: &Path) -> PathBuf {
    real(key_path).with_extension("key.next")
}

/// Where a link points, so that replacing the file keeps the link.
fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn holds_entries(dir: &Path) -> bool {
    fs::read_dir(crate::journal::segments_dir(dir)).is_ok_and(|mut names| names.next().is_some())
}

fn io_at(path: &Path) -> impl FnOnce(io::Error) -> VaultError {
    let path = path.to_owned();
    move |source| VaultError::Io { path, source }
}

/// Asks first, so that a vault on a read-only disk opens for those who only read.
fn remove_if_there(path: &Path) -> Result<(), VaultError> {
    if path.exists() {
        fs::remove_file(path).map_err(io_at(path))
    } else {
        Ok(())
    }
}

fn adopt_key(next: &Path, key_path: &Path) -> Result<(), VaultError> {
    let key_path = real(key_path);
    fs::rename(next, &key_path).map_err(io_at(&key_path))?;
    file::sync_dir(key_path.parent().unwrap_or(Path::new("."))).map_err(io_at(&key_path))
}

fn random_secret() -> Result<Secret, VaultError> {
    let mut secret = Secret::default();
    getrandom::fill(secret.as_mut_slice()).map_err(VaultError::Random)?;
    Ok(secret)
}

fn write_key(path: &Path, key: &Secret) -> Result<(), VaultError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_MAGIC.len() + KEY_BYTES + CRC_BYTES));
    bytes.extend_from_slice(KEY_MAGIC);
    bytes.extend_from_slice(key.as_slice());
    let crc = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&crc.to_be_bytes());
    let path = real(path);
    file::replace(&path, &bytes).map_err(io_at(&path))
}

fn read_key(path: &Path) -> Result<Secret, VaultError> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(VaultError::KeyMissing {
                path: path.to_owned(),
            });
        }
        Err(error) => return Err(io_at(path)(error)),
        Ok(metadata) => refuse_exposed(path, &metadata)?,
    }
    let bytes = Zeroizing::new(fs::read(path).map_err(io_at(path))?);
    let body = checked_body(path, &bytes, *KEY_MAGIC)?;
    let key = <[u8; KEY_BYTES]>::try_from(body).map_err(|_| VaultError::Damaged {
        path: path.to_owned(),
    })?;
    Ok(Zeroizing::new(key))
}

#[cfg(unix)]
fn refuse_exposed(path: &Path, metadata: &fs::Metadata) -> Result<(), VaultError> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(VaultError::KeyExposed {
            path: path.to_owned(),
            mode,
        })
    }
}

#[cfg(not(unix))]
fn refuse_exposed(_: &Path, _: &fs::Metadata) -> Result<(), VaultError> {
    Ok(())
}

fn write_vault(path: &Path, machine: &Secret, ring: &[Secret]) -> Result<(), VaultError> {
    let body = Zeroizing::new(
        ring.iter()
            .flat_map(|key| key.iter().copied())
            .collect::<Vec<u8>>(),
    );
    let mut bytes = VAULT_MAGIC.to_vec();
    seal_with(machine, 0, &mut bytes, VAULT_MAGIC, &body).map_err(VaultError::Random)?;
    let crc = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&crc.to_be_bytes());
    file::replace(path, &bytes).map_err(io_at(path))
}

fn read_vault(path: &Path, machine: &Secret, key_path: &Path) -> Result<Vec<Secret>, VaultError> {
    let bytes = fs::read(path).map_err(io_at(path))?;
    let damaged = || VaultError::Damaged {
        path: path.to_owned(),
    };
    let body = checked_body(path, &bytes, *VAULT_MAGIC)?;
    let sealed = body.strip_prefix(&[0; 4]).ok_or_else(damaged)?;
    let opened = unseal_with(machine, VAULT_MAGIC, sealed);
    let keys = Zeroizing::new(opened.map_err(|_| VaultError::WrongKey {
        path: key_path.to_owned(),
    })?);
    let (keys, rest) = keys.as_chunks::<KEY_BYTES>();
    if keys.is_empty() || !rest.is_empty() {
        return Err(damaged());
    }
    Ok(keys.iter().map(|key| Zeroizing::new(*key)).collect())
}

/// What stands between the magic (seven bytes and a version) and the checksum.
fn checked_body<'a>(path: &Path, bytes: &'a [u8], magic: [u8; 8]) -> Result<&'a [u8], VaultError> {
    let damaged = || VaultError::Damaged {
        path: path.to_owned(),
    };
    let (checked, crc) = bytes.split_last_chunk::<CRC_BYTES>().ok_or_else(damaged)?;
    if crc32c::crc32c(checked) != u32::from_be_bytes(*crc) {
        return Err(damaged());
    }
    let (found, body) = checked.split_first_chunk::<8>().ok_or_else(damaged)?;
    let ([name @ .., version], [wanted_name @ .., wanted_version]) = (*found, magic);
    if name != wanted_name {
        return Err(damaged());
    }
    if version != wanted_version {
        return Err(VaultError::Version {
            path: path.to_owned(),
            found: version,
        });
    }
    Ok(body)
}
