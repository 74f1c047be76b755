//! The sandbox agency without its server: what arrives is done at once. For a simulation, where no TLS can run; what
//! goes wrong on the way is the simulation's.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use super::{LedgerRow, SandboxError, SandboxSettings, agency::Answered, make_data_dir, serve::Site};

/// An agency within the process, on the same ledger file.
pub struct LocalAgency(Mutex<Site>);

impl LocalAgency {
    /// Opens it on its ledger; `listen` is not looked at.
    pub fn open(settings: SandboxSettings) -> Result<LocalAgency, SandboxError> {
        make_data_dir(&settings.data)?;
        Ok(LocalAgency(Mutex::new(Site::open(settings)?)))
    }

    /// A request arrives: done, on disk, and this is its answer. None: there is no such service.
    pub fn deliver(&self, path: &str, body: &[u8]) -> Option<Vec<u8>> {
        let mut site = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answered = site.done(path, body);
        site.agency.written().flushed().ok()?;
        answered.map(|answered| match answered {
            Answered::Json(text) => text.into_bytes(),
            Answered::Zip(bytes) => bytes,
        })
    }

    /// Trace codes of the packs that count as sold, and the settlement each was sold with.
    pub fn packs_sold(&self) -> BTreeMap<String, String> {
        let site = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        site.agency.packs_sold()
    }

    /// All settlements, oldest first.
    pub fn ledger(&self) -> Vec<LedgerRow> {
        let site = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        site.agency.ledger()
    }
}

impl fmt::Debug for LocalAgency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalAgency").finish_non_exhaustive()
    }
}
