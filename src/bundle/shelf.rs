//! The bundles of one till: the pinned key and every bundle that was installed, in `packs/` of the data directory.
//!
//! Nothing is taken away from the shelf: whatever becomes of the newest bundle, the one before it is still there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::civil::Date;
use yijie_rules::Packs;

use super::signature::PublicKey;
use super::{BundleError, Contents, open};
use crate::config::write_private;

/// The shelf of a data directory.
#[derive(Debug, Clone)]
pub struct Shelf {
    dir: PathBuf,
}

/// What a till settles by.
#[derive(Debug)]
pub struct InUse {
    /// The built-in packs with those of the bundle over them.
    pub packs: Packs,
    /// Version of the bundle; `None` = the built-in packs alone.
    pub version: Option<u64>,
    /// What is wrong with bundles of the shelf; the best sound one is in use all the same.
    pub troubles: Vec<BundleError>,
}

impl Shelf {
    /// The shelf of a data directory; it need not exist yet.
    #[must_use]
    pub fn of(data: &Path) -> Shelf {
        Shelf {
            dir: data.join("packs"),
        }
    }

    /// When something was put on it last; nothing if nothing ever was.
    #[must_use]
    pub fn changed_at(&self) -> Option<SystemTime> {
        fs::metadata(&self.dir).and_then(|dir| dir.modified()).ok()
    }

    /// The pinned key.
    ///
    /// # Errors
    /// [`BundleError::NoKey`] if there is none; otherwise that it cannot be read.
    pub fn key(&self) -> Result<PublicKey, BundleError> {
        let path = self.key_path();
        match fs::read(&path) {
            Ok(pem) => Ok(PublicKey::from_pem(&pem)?),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Err(BundleError::NoKey),
            Err(source) => Err(BundleError::File { path, source }),
        }
    }

    /// Checks a bundle as an installation would: signature, days, version, packs.
    ///
    /// # Errors
    /// [`BundleError`] says why it is refused.
    pub fn check(&self, text: &str, key: &PublicKey, today: Date) -> Result<Contents, BundleError> {
        let contents = open(text, key)?;
        contents.check_days(today)?;
        let newest = self.installed(key)?.first().map(|(version, _)| *version);
        if let Some(installed) = newest.filter(|installed| contents.version <= *installed) {
            let version = contents.version;
            return Err(BundleError::NotNewer { version, installed });
        }
        contents.packs_over(self.in_use(Packs::builtin(), today).packs)?;
        Ok(contents)
    }

    /// Installs a bundle; where none is pinned yet, `first_key` (PEM) is pinned with it.
    ///
    /// # Errors
    /// [`BundleError`]; then nothing has changed.
    pub fn install(
        &self,
        text: &str,
        first_key: Option<&[u8]>,
        today: Date,
    ) -> Result<Contents, BundleError> {
        let given = first_key.map(PublicKey::from_pem).transpose()?;
        let key = match (self.key(), given) {
            (Ok(pinned), Some(given)) if pinned != given => return Err(BundleError::OtherKey),
            (Ok(pinned), _) => pinned,
            (Err(BundleError::NoKey), Some(given)) => given,
            (Err(error), _) => return Err(error),
        };
        let contents = self.check(text, &key, today)?;
        fs::create_dir_all(&self.dir).map_err(|e| self.failed(&self.dir, e))?;
        if let (Some(pem), false) = (first_key, self.key_path().exists()) {
            self.put(&self.key_path(), pem)?;
        }
        self.put(&self.bundle_path(contents.version), text.as_bytes())?;
        Ok(contents)
    }

    /// What the till settles by on a day: the newest sound bundle that has begun. One that has expired since stays in
    /// use, and that is told.
    #[must_use]
    pub fn in_use(&self, base: Packs, today: Date) -> InUse {
        let mut in_use = InUse {
            packs: base,
            version: None,
            troubles: Vec::new(),
        };
        if !self.dir.exists() {
            return in_use;
        }
        let texts = match self.key().and_then(|key| Ok((self.files()?, key))) {
            Ok((files, key)) => files.into_iter().map(move |path| self.read(&path, &key)),
            Err(error) => {
                in_use.troubles.push(error);
                return in_use;
            }
        };
        for contents in texts {
            let sound = contents.and_then(|contents| {
                let begun = contents.from <= today;
                Ok(match begun {
                    true => Some((contents.packs_over(in_use.packs.clone())?, contents)),
                    false => None,
                })
            });
            match sound {
                Ok(Some((packs, contents))) => {
                    in_use.troubles.extend(contents.check_days(today).err());
                    in_use.packs = packs;
                    in_use.version = Some(contents.version);
                    return in_use;
                }
                Ok(None) => {}
                Err(error) => in_use.troubles.push(error),
            }
        }
        in_use
    }

    /// The newest sound bundle of the pinned key: version, key (PEM), text.
    #[must_use]
    pub fn newest(&self) -> Option<(u64, String, String)> {
        let key = self.key().ok()?;
        let pem = fs::read_to_string(self.key_path()).ok()?;
        self.files().ok()?.into_iter().find_map(|path| {
            let text = fs::read_to_string(path).ok()?;
            let version = open(&text, &key).ok()?.version;
            Some((version, pem.clone(), text))
        })
    }

    /// Puts a bundle back that was lost or spoilt, and its key where none can be read.
    ///
    /// # Errors
    /// [`BundleError::File`].
    pub fn put_back(&self, version: u64, key: &str, text: &str) -> Result<(), BundleError> {
        fs::create_dir_all(&self.dir).map_err(|e| self.failed(&self.dir, e))?;
        if self.key().is_err() {
            self.put(&self.key_path(), key.as_bytes())?;
        }
        self.put(&self.bundle_path(version), text.as_bytes())
    }

    fn bundle_path(&self, version: u64) -> PathBuf {
        self.dir.join(format!("{version:020}.bundle"))
    }

    /// Sound bundles with their versions, newest first.
    fn installed(&self, key: &PublicKey) -> Result<Vec<(u64, Contents)>, BundleError> {
        let read = self.files()?.into_iter().map(|path| self.read(&path, key));
        // an unsound one says nothing of what may be installed
        let sound = read.filter_map(Result::ok);
        Ok(sound.map(|contents| (contents.version, contents)).collect())
    }

    fn read(&self, path: &Path, key: &PublicKey) -> Result<Contents, BundleError> {
        let text = fs::read_to_string(path).map_err(|e| self.failed(path, e))?;
        open(&text, key)
    }

    /// The bundle files, newest first by their names.
    fn files(&self) -> Result<Vec<PathBuf>, BundleError> {
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(self.failed(&self.dir, e)),
        };
        let paths: Result<Vec<PathBuf>, io::Error> =
            entries.map(|entry| entry.map(|entry| entry.path())).collect();
        let mut paths = paths.map_err(|e| self.failed(&self.dir, e))?;
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "bundle"));
        paths.sort();
        paths.reverse();
        Ok(paths)
    }

    /// Writes a file whole or not at all.
    fn put(&self, path: &Path, bytes: &[u8]) -> Result<(), BundleError> {
        let half = path.with_extension("new");
        let written = write_private(&half, bytes).map_err(|e| io::Error::other(e.to_string()));
        let placed = written.and_then(|()| {
            fs::rename(&half, path)?;
            fs::File::open(&self.dir)?.sync_all()
        });
        placed.map_err(|e| self.failed(path, e))
    }

    fn key_path(&self) -> PathBuf {
        self.dir.join("key.pem")
    }

    fn failed(&self, path: &Path, source: io::Error) -> BundleError {
        BundleError::File {
            path: path.to_owned(),
            source,
        }
    }
}
