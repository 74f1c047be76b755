//! Starts a smart-card service with the virtual reader, for the demo and the tests, where none runs.
//!
//! The service listens at a fixed place of the machine, and the virtual reader at fixed ports; whoever starts it
//! or puts cards into the virtual reader takes the [`VpcdLock`] first, in every process.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::pcsc::list_readers;

/// The service's directory, and its socket and note of its process there.
const DIRECTORY: &str = "/run/pcscd";
const SOCKET: &str = "/run/pcscd/pcscd.comm";
const PROCESS_FILE: &str = "/run/pcscd/pcscd.pid";
/// Runs the service as long as this process lives: with it the pipe to this shell closes, however it ends, and the
/// service must not outlive it. Killed, the service leaves its socket and note behind.
const GUARD: &str = r#"
"$0" --foreground </dev/null & service=$!
exec 3<&0
(read -r _ <&3; kill -9 $service) </dev/null & watcher=$!
wait $service; status=$?
kill $watcher
rm -f "$1" "$2"
exit $status
"#;
/// Where the service may be installed.
const PROGRAMS: [&str; 4] = [
    "/usr/sbin/pcscd",
    "/sbin/pcscd",
    "/usr/local/sbin/pcscd",
    "/usr/bin/pcscd",
];
/// Where the virtual reader's package tells the service of it.
const VIRTUAL_READER_SETTINGS: &str = "/etc/reader.conf.d/vpcd";
/// One place for the whole machine, whatever each program's TMPDIR is.
const LOCK_FILE: &str = "/tmp/yijie-vpcd.lock";
/// How the virtual reader's names begin.
const VIRTUAL_READER: &str = "Virtual PCD";
/// How long a start may take.
const START_WAIT_MAX: Duration = Duration::from_secs(10);
const POLL_PAUSE: Duration = Duration::from_millis(20);

/// Why no service with a virtual reader could be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DaemonError {
    /// A package is missing.
    #[error("the Debian package {package} is not installed")]
    NotInstalled {
        /// Its name.
        package: &'static str,
    },
    /// A service runs already: use that.
    #[error("a smart-card service runs already")]
    AlreadyRunning,
    /// The service ended at once.
    #[error("the smart-card service ended at once ({status})")]
    Ended {
        /// How it ended.
        status: ExitStatus,
    },
    /// The service runs and does not get ready.
    #[error("the smart-card service does not get ready")]
    NotReady,
    /// The machine refused.
    #[error("the smart-card service cannot be started")]
    Io(#[from] io::Error),
}

impl DaemonError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotInstalled { .. } => "PCSCD_NOT_INSTALLED",
            Self::AlreadyRunning => "PCSCD_ALREADY_RUNNING",
            Self::Ended { .. } => "PCSCD_ENDED",
            Self::NotReady => "PCSCD_NOT_READY",
            Self::Io(_) => "PCSCD_CANNOT_START",
        }
    }
}

/// A running service with a virtual reader, stopped when dropped.
#[derive(Debug)]
pub struct PcscDaemon {
    guard: Child,
}

impl PcscDaemon {
    /// Whether a service answers on this machine.
    pub fn running() -> bool {
        UnixStream::connect(socket()).is_ok()
    }

    /// Starts a service and waits until it shows the virtual reader, which listens for cards by then.
    pub fn start() -> Result<Self, DaemonError> {
        if Self::running() {
            return Err(DaemonError::AlreadyRunning);
        }
        if !Path::new(VIRTUAL_READER_SETTINGS).exists() {
            return Err(DaemonError::NotInstalled {
                package: "vsmartcard-vpcd",
            });
        }
        std::fs::create_dir_all(DIRECTORY)?;
        let mut daemon = Self { guard: spawn()? };
        let until = Instant::now() + START_WAIT_MAX;
        loop {
            if let Some(status) = daemon.guard.try_wait()? {
                return Err(DaemonError::Ended { status });
            }
            match list_readers() {
                Ok(readers)
                    if readers
                        .iter()
                        .any(|reader| reader.name.starts_with(VIRTUAL_READER)) =>
                {
                    return Ok(daemon);
                }
                _ => {}
            }
            if Instant::now() >= until {
                return Err(DaemonError::NotReady);
            }
            thread::sleep(POLL_PAUSE);
        }
    }
}

impl Drop for PcscDaemon {
    fn drop(&mut self) {
        // The pipe closes, and the service ends; it may have ended by itself.
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

fn spawn() -> Result<Child, DaemonError> {
    let program = PROGRAMS.iter().find(|program| Path::new(program).exists());
    let program = program.ok_or(DaemonError::NotInstalled { package: "pcscd" })?;
    Ok(Command::new("/bin/sh")
        .args(["-c", GUARD, program, SOCKET, PROCESS_FILE])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?)
}

/// Where the service's socket is; the client library follows the same variable.
fn socket() -> PathBuf {
    std::env::var_os("PCSCLITE_CSOCK_NAME").map_or_else(|| Path::new(SOCKET).to_owned(), PathBuf::from)
}

/// The right to use the virtual reader of this machine, one process at a time. It is given back when dropped.
#[derive(Debug)]
pub struct VpcdLock {
    _file: File,
}

impl VpcdLock {
    /// Waits until the virtual reader is free.
    pub fn acquire() -> io::Result<Self> {
        let file = lock_file()?;
        file.lock()?;
        Ok(Self { _file: file })
    }

    /// Takes the virtual reader if it is free.
    pub fn try_acquire() -> io::Result<Option<Self>> {
        let file = lock_file()?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// One file for all users: whoever comes second can open it for reading at least, which is enough to lock it.
fn lock_file() -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(LOCK_FILE)
        .or_else(|_| File::open(LOCK_FILE))
}
