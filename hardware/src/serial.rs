//! Serial ports (RS-232, USB-CDC, pty): scanners, opened, read, lost and opened again by path; and plain lines to
//! other devices.

use std::io::{self, Read, Write};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

#[cfg(unix)]
use std::os::fd::AsRawFd as _;

use serde::{Deserialize, Serialize};
use serialport::{ClearBuffer, ErrorKind, SerialPort};

use crate::scanner::{Framed, Framer, Scan};
use crate::trace_code::TraceCodes;

/// Longest wait for bytes: how exactly silence is measured and how soon the watch ends.
const READ_WAIT: Duration = Duration::from_millis(50);
/// First and longest pause before a lost port is tried again.
const REOPEN_PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// Where a scanner is and how it speaks. Always 8 data bits, no parity, 1 stop bit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScannerSettings {
    /// Path or name of the port.
    pub port: String,
    /// Baud rate; most scanners come with 9600. USB ones ignore it.
    #[serde(default = "default_baud")]
    pub baud: u32,
    /// How long a scanner without terminator is silent after a code, in milliseconds.
    #[serde(default = "default_silence_ms")]
    pub silence_ms: u64,
    /// What counts as a drug's trace code.
    #[serde(default)]
    pub trace_codes: TraceCodes,
}

fn default_baud() -> u32 {
    9600
}

fn default_silence_ms() -> u64 {
    500
}

impl ScannerSettings {
    /// The usual settings at this port.
    pub fn at(port: impl Into<String>) -> Self {
        Self {
            port: port.into(),
            baud: default_baud(),
            silence_ms: default_silence_ms(),
            trace_codes: TraceCodes::default(),
        }
    }
}

/// Why a scanner's port cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScannerError {
    /// There is no such port: not plugged in, or a wrong path.
    #[error("the scanner's port does not exist")]
    PortMissing,
    /// Another program uses the port.
    #[error("another program uses the scanner's port")]
    PortBusy,
    /// The user may not open the port.
    #[error("no permission to open the scanner's port")]
    PortDenied,
    /// The port was open and went away.
    #[error("the scanner was unplugged")]
    Unplugged,
    /// Anything else the port reported.
    #[error("the scanner's port failed")]
    Fault {
        /// What it reported.
        #[source]
        source: io::Error,
    },
}

impl ScannerError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::PortMissing => "SCANNER_PORT_MISSING",
            Self::PortBusy => "SCANNER_PORT_BUSY",
            Self::PortDenied => "SCANNER_PORT_DENIED",
            Self::Unplugged => "SCANNER_UNPLUGGED",
            Self::Fault { .. } => "SCANNER_FAULT",
        }
    }
}

impl From<serialport::Error> for ScannerError {
    fn from(error: serialport::Error) -> Self {
        let kind = error.kind();
        let source = io::Error::from(error);
        match (kind, source.kind()) {
            // On Unix the library says "no device" for a port that is locked by another program.
            (ErrorKind::NoDevice, _) if cfg!(unix) => Self::PortBusy,
            (ErrorKind::NoDevice, _) | (_, io::ErrorKind::NotFound) => Self::PortMissing,
            (_, io::ErrorKind::PermissionDenied) => Self::PortDenied,
            _ => Self::Fault { source },
        }
    }
}

/// What happened at the scanner.
#[derive(Debug)]
pub enum ScannerEvent {
    /// The port is open.
    Opened,
    /// The port cannot be opened, or was lost. Told once; it is tried again until it opens.
    Lost {
        /// Why.
        error: ScannerError,
    },
    /// A code was scanned.
    Scanned(Scan),
    /// Bytes came that are no code: wrong baud rate, or a code without its end.
    Garbage,
}

/// Whether a scanner's port can be opened; it is closed again.
pub fn check_scanner(settings: &ScannerSettings) -> Result<(), ScannerError> {
    Line::open(&settings.port, settings.baud).map(drop)
}

/// A running watch of a scanner. It ends when this is dropped; the listener is not called after that.
#[derive(Debug)]
pub struct ScannerWatch {
    stop: Option<Sender<()>>,
    listener: Option<JoinHandle<()>>,
}

impl Drop for ScannerWatch {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(listener) = self.listener.take()
            && listener.thread().id() != thread::current().id()
        {
            let _ = listener.join();
        }
    }
}

/// Watches the scanner at a port and calls `on_event` from a thread of its own until the result is dropped.
pub fn watch_scanner(
    settings: ScannerSettings,
    on_event: impl FnMut(ScannerEvent) + Send + 'static,
) -> Result<ScannerWatch, ScannerError> {
    let (stop, stopped) = mpsc::channel();
    let listener = thread::Builder::new()
        .name("scanner-watch".to_owned())
        .spawn(move || {
            Listener {
                settings,
                stopped,
                on_event,
            }
            .run()
        })
        .map_err(|source| ScannerError::Fault { source })?;
    Ok(ScannerWatch {
        stop: Some(stop),
        listener: Some(listener),
    })
}

struct Listener<F> {
    settings: ScannerSettings,
    /// Closed when the watch is dropped.
    stopped: Receiver<()>,
    on_event: F,
}

impl<F: FnMut(ScannerEvent)> Listener<F> {
    fn run(&mut self) {
        let mut pause = REOPEN_PAUSES.0;
        let mut loss_told = false;
        loop {
            let error = match self.open() {
                Ok(mut port) => {
                    (pause, loss_told) = (REOPEN_PAUSES.0, false);
                    (self.on_event)(ScannerEvent::Opened);
                    match self.listen(port.as_mut()) {
                        Some(error) => error,
                        None => return,
                    }
                }
                Err(error) => error,
            };
            if !loss_told {
                loss_told = true;
                (self.on_event)(ScannerEvent::Lost { error });
            }
            if self.sleep(pause) {
                return;
            }
            pause = (pause * 2).min(REOPEN_PAUSES.1);
        }
    }

    fn open(&self) -> Result<Box<dyn SerialPort>, ScannerError> {
        let mut port = serialport::new(&self.settings.port, self.settings.baud)
            .timeout(READ_WAIT)
            .open()?;
        // Some USB scanners send only with DTR set; a port without that line refuses, and needs it not.
        let _ = port.write_data_terminal_ready(true);
        Ok(port)
    }

    /// Reads until the port is lost (then why) or the watch ends.
    fn listen(&mut self, port: &mut dyn SerialPort) -> Option<ScannerError> {
        let mut framer = Framer::new(Duration::from_millis(self.settings.silence_ms))
            .with_trace_codes(self.settings.trace_codes.clone());
        let mut buffer = [0; 1024];
        loop {
            if self.sleep(Duration::ZERO) {
                return None;
            }
            let framed = match port.read(&mut buffer) {
                Ok(0) => return Some(ScannerError::Unplugged),
                Ok(length) => framer.push(buffer.get(..length).unwrap_or_default(), Instant::now()),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    framer.pass_time(Instant::now()).into_iter().collect()
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => Vec::new(),
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    return Some(ScannerError::Unplugged);
                }
                Err(source) => return Some(ScannerError::Fault { source }),
            };
            for framed in framed {
                (self.on_event)(match framed {
                    Framed::Scan(scan) => ScannerEvent::Scanned(scan),
                    Framed::Garbage => ScannerEvent::Garbage,
                });
            }
        }
    }

    /// Sleeps; true if the watch has ended.
    fn sleep(&self, pause: Duration) -> bool {
        self.stopped.recv_timeout(pause) == Err(RecvTimeoutError::Disconnected)
    }
}

/// A serial line to a device that is spoken to: printer, display, identity-card reader.
pub(crate) struct Line(Box<dyn SerialPort>);

impl Line {
    /// Opens a port. Reading and writing give up after a moment with `TimedOut`.
    pub(crate) fn open(port: &str, baud: u32) -> Result<Self, ScannerError> {
        Ok(Self(serialport::new(port, baud).timeout(READ_WAIT).open()?))
    }

    /// How many bytes have not left yet.
    pub(crate) fn unsent(&self) -> u32 {
        // A port that cannot tell has sent them.
        self.0.bytes_to_write().unwrap_or(0)
    }

    /// Throws away what has not left, so that closing the port does not wait for it.
    pub(crate) fn forget_unsent(&self) {
        // Where that fails, closing waits as long as the system sees fit.
        let _ = self.0.clear(ClearBuffer::Output);
    }
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Two ends of a pseudo-terminal.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct Pty {
    /// The device's end.
    pub(crate) master: serialport::TTYPort,
    /// Keeps the terminal's end alive while nobody has it open.
    _slave: serialport::TTYPort,
    /// Path of the terminal's end.
    pub(crate) path: String,
}

/// Opens a pseudo-terminal whose slave another program can open by path.
#[cfg(unix)]
pub(crate) fn open_pty() -> Result<Pty, ScannerError> {
    let (master, slave) = serialport::TTYPort::pair()?;
    // A program started meanwhile must not keep the device plugged in.
    for end in [&master, &slave] {
        let closed = nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC);
        nix::fcntl::fcntl(end.as_raw_fd(), closed)
            .map_err(|error| ScannerError::Fault { source: error.into() })?;
    }
    let path = slave.name().ok_or(ScannerError::PortMissing)?;
    Ok(Pty {
        master,
        _slave: slave,
        path,
    })
}
