//! The sandbox agency: the other side of the national interface, with a ledger of its own, to test and show a
//! terminal against. It recomputes every split from its own records, so it disagrees with a terminal whose figures
//! are stale; it is strict about msgids; and it misbehaves on request (see `sandbox/faults.rs`).

mod agency;
mod book;
mod door;
mod faults;
mod files;
mod ledger;
mod local;
mod persons;
mod replies;
mod serve;
mod tls;
mod visit;

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{net::TcpListener, task::JoinHandle};

pub use ledger::{LedgerError, LedgerRow, SettlementState, read_ledger};
pub use local::LocalAgency;
pub use persons::DEMO_PERSONS;
pub use tls::TlsError;

use crate::{keys::KeysError, profile::Profile};

/// How a sandbox agency runs.
#[derive(Debug, Clone)]
pub struct SandboxSettings {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Directory of its ledger and of its certificates (`tls/`).
    pub data: PathBuf,
    /// The profile it speaks.
    pub profile: Profile,
    /// Persons file (JSON); None: nobody is insured but those taken over by `any_person`.
    pub persons: Option<PathBuf>,
    /// A person never seen is taken over from the claim.
    pub any_person: bool,
    /// Faults file, read again at every request.
    pub faults: Option<PathBuf>,
}

/// A sandbox that can't start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The data directory can't be made.
    #[error("the data directory {dir} can't be made")]
    Data {
        /// Which.
        dir: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The certificates.
    #[error("the sandbox's certificates can't be made or used")]
    Tls(#[from] TlsError),
    /// Keys and secrets of the profile.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The ledger.
    #[error("the sandbox's ledger can't be used")]
    Ledger(#[from] LedgerError),
    /// The persons file can't be read.
    #[error("the persons file {file} can't be read")]
    PersonsUnreadable {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The persons file is not as it should be.
    #[error("the persons file {file} is not right: {problem}")]
    PersonsMalformed {
        /// Which.
        file: PathBuf,
        /// What is wrong; names keys and places, no person.
        problem: String,
    },
    /// The faults file is not as it should be.
    #[error("the faults file {file} can't be used: {source}")]
    Faults {
        /// Which.
        file: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The address can't be listened on.
    #[error("{listen} can't be listened on")]
    Listen {
        /// Which.
        listen: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

impl SandboxError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            SandboxError::Data { .. } => "SANDBOX_DATA_UNWRITABLE",
            SandboxError::Tls(error) => error.code(),
            SandboxError::Keys(error) => error.code(),
            SandboxError::Ledger(error) => error.code(),
            SandboxError::PersonsUnreadable { .. } => "PERSONS_FILE_UNREADABLE",
            SandboxError::PersonsMalformed { .. } => "PERSONS_FILE_MALFORMED",
            SandboxError::Faults { .. } => "FAULTS_FILE_MALFORMED",
            SandboxError::Listen { .. } => "SANDBOX_ADDRESS_IN_USE",
        }
    }
}

/// A running sandbox agency. Dropping it pulls the plug: connections break, requests in progress go unanswered.
pub struct Sandbox {
    address: SocketAddr,
    data: PathBuf,
    site: serve::Shared,
    server: JoinHandle<()>,
}

impl Sandbox {
    /// Starts it; returns when it listens.
    pub async fn start(settings: SandboxSettings) -> Result<Sandbox, SandboxError> {
        crate::install_crypto();
        let (listen, data) = (settings.listen, settings.data.clone());
        make_data_dir(&data)?;
        tls::ensure(&tls_dir(&data))?;
        let tls = tls::server_config(&tls_dir(&data))?;
        let site = serve::Site::open(settings)?;
        let site = Arc::new(Mutex::new(Some(site)));
        let failed = |source| SandboxError::Listen { listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let server = tokio::spawn(serve::serve(listener, tls, Arc::clone(&site)));
        Ok(Sandbox {
            address,
            data,
            site,
            server,
        })
    }

    /// Address for a terminal on this machine.
    pub fn url(&self) -> String {
        if self.address.ip().is_unspecified() {
            return format!("https://127.0.0.1:{}", self.address.port());
        }
        format!("https://{}", self.address)
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Directory with ca.pem, client.pem and client.key for the terminal.
    pub fn tls_dir(&self) -> PathBuf {
        tls_dir(&self.data)
    }

    /// Stops listening and breaks all connections. What was answered is on disk.
    pub async fn stop(mut self) {
        self.unplug();
        // The task was just cancelled, which is all its result can say.
        let _cancelled = (&mut self.server).await;
    }

    /// Closes the ledger, once the request that is writing to it is through, and the door.
    fn unplug(&self) {
        drop(self.site.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.server.abort();
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox")
            .field("address", &self.address)
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.unplug();
    }
}

fn make_data_dir(data: &Path) -> Result<(), SandboxError> {
    fs::create_dir_all(data).map_err(|source| SandboxError::Data {
        dir: data.to_owned(),
        source,
    })
}

fn tls_dir(data: &Path) -> PathBuf {
    data.join("tls")
}
