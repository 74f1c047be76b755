//! Where receipt bytes go: a file, a serial port, a USB printer's device file, or a network printer.
//!
//! Nothing here waits without limit: a printer that takes no bytes for a while is told as such, and what it was to
//! print can be sent again as a whole.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::serial::{Line, ScannerError};

/// How long a printer may take no byte at all.
const STALL_MAX: Duration = Duration::from_secs(5);
/// How long a network printer may take to answer the call.
const CONNECT_MAX: Duration = Duration::from_secs(3);
/// How long a printer may take to tell its state. Many never do, and are believed to be well.
const STATE_WAIT: Duration = Duration::from_millis(300);
const PAUSE: Duration = Duration::from_millis(10);
/// DLE EOT 1 and 4: offline? paper?
const ASK_OFFLINE: [u8; 3] = [0x10, 0x04, 0x01];
const ASK_PAPER: [u8; 3] = [0x10, 0x04, 0x04];
/// Bits of the answers.
const OFFLINE: u8 = 0x08;
const NO_PAPER: u8 = 0x60;
/// ESC @, ESC p 0 25 250.
const DRAWER: [u8; 7] = [0x1B, 0x40, 0x1B, 0x70, 0x00, 0x19, 0xFA];

/// Where a printer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrinterPort {
    /// Bytes are appended to a file.
    File(PathBuf),
    /// RS-232, USB-CDC or pty; always 8 data bits, no parity, 1 stop bit.
    Serial {
        /// Its path or name.
        port: String,
        /// Its speed.
        baud: u32,
    },
    /// A device file that takes bytes as they are, such as `/dev/usb/lp0`.
    Device(PathBuf),
    /// A network printer, `host:port`.
    Tcp(String),
}

/// Why bytes are not on paper.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrinterError {
    /// The port, device or host is not there.
    #[error("the printer is not there")]
    Missing(#[source] io::Error),
    /// The printer says that it is offline, or its cover is open.
    #[error("the printer is offline")]
    Offline,
    /// The printer says that it has no paper.
    #[error("the printer is out of paper")]
    OutOfPaper,
    /// The printer takes no more bytes.
    #[error("the printer takes no bytes")]
    Stalled,
    /// Anything else.
    #[error("the printer failed")]
    Failed(#[source] io::Error),
}

impl PrinterError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "PRINTER_MISSING",
            Self::Offline => "PRINTER_OFFLINE",
            Self::OutOfPaper => "PRINTER_OUT_OF_PAPER",
            Self::Stalled => "PRINTER_STALLED",
            Self::Failed(_) => "PRINTER_FAILED",
        }
    }
}

impl From<io::Error> for PrinterError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Self::Stalled,
            _ => Self::Failed(error),
        }
    }
}

impl PrinterPort {
    /// Reads a setting: `tcp://HOST:PORT` (port 9100 if left out), `serial:PORT`, or the path of a device or file.
    /// A path that is a terminal is a serial port; other devices and pipes take bytes as they are.
    pub fn parse(text: &str, baud: u32) -> Self {
        if let Some(host) = text.strip_prefix("tcp://") {
            let host = host.trim_end_matches('/');
            let with_port = host
                .rsplit_once(':')
                .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
            return Self::Tcp(if with_port {
                host.to_owned()
            } else {
                format!("{host}:9100")
            });
        }
        if let Some(port) = text.strip_prefix("serial:") {
            let port = port.to_owned();
            return Self::Serial { port, baud };
        }
        let serial = ["/dev/tty", "/dev/pts/", "/dev/serial/", "/dev/rfcomm", "COM"];
        if serial.iter().any(|start| text.starts_with(start)) || is_terminal(Path::new(text)) {
            let port = text.to_owned();
            return Self::Serial { port, baud };
        }
        // A printer that is switched off has no device file yet; there is none to be made for it.
        if text.starts_with("/dev/") || is_device(Path::new(text)) {
            return Self::Device(PathBuf::from(text));
        }
        Self::File(PathBuf::from(text))
    }

    /// Sends bytes, after the printer was asked whether it can print. It has taken them all when this returns `Ok`.
    pub fn send(&self, bytes: &[u8]) -> Result<(), PrinterError> {
        self.ready()?.print(bytes)
    }

    /// Opens the way to the printer and asks whether it can print, without printing.
    pub fn ready(&self) -> Result<ReadyPrinter, PrinterError> {
        let mut way = self.open()?;
        let answers = !matches!(self, Self::File(_)) && ask_state(&mut way)?;
        Ok(ReadyPrinter { way, answers })
    }

    /// Opens the cash drawer at the printer.
    pub fn open_drawer(&self) -> Result<(), PrinterError> {
        self.send(&DRAWER)
    }

    fn open(&self) -> Result<Way, PrinterError> {
        match self {
            Self::File(path) => OpenOptions::new()
                .append(true)
                .create(true)
                .open(path)
                .map(Way::Plain)
                .map_err(|error| match error.kind() {
                    io::ErrorKind::NotFound => PrinterError::Missing(error),
                    _ => PrinterError::Failed(error),
                }),
            Self::Serial { port, baud } => Line::open(port, *baud).map(Way::Serial).map_err(missing),
            Self::Device(path) => open_device(path).map(Way::Plain).map_err(PrinterError::Missing),
            Self::Tcp(host) => connect(host).map(Way::Tcp).map_err(PrinterError::Missing),
        }
    }
}

/// A printer that is there and has not said that it cannot print.
#[must_use]
pub struct ReadyPrinter {
    way: Way,
    /// It tells its state when it is asked.
    answers: bool,
}

impl std::fmt::Debug for ReadyPrinter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReadyPrinter")
    }
}

impl ReadyPrinter {
    /// Sends bytes. After an error some of them may be on paper. That a printer's port took them does not say that they
    /// reached it: one that tells its state is asked for it behind them.
    pub fn print(mut self, bytes: &[u8]) -> Result<(), PrinterError> {
        self.way.write_patiently(bytes)?;
        self.way.finish()?;
        if self.answers {
            match self.way.state(ASK_PAPER, STALL_MAX)? {
                Answer::State(state) if state & NO_PAPER != 0 => return Err(PrinterError::OutOfPaper),
                Answer::Gone => return Err(PrinterError::Failed(io::ErrorKind::BrokenPipe.into())),
                Answer::State(_) | Answer::Silence => {}
            }
        }
        self.way.close()
    }
}

pub(crate) fn missing(error: ScannerError) -> PrinterError {
    PrinterError::Missing(match error {
        ScannerError::PortMissing => io::ErrorKind::NotFound.into(),
        ScannerError::PortBusy => io::ErrorKind::ResourceBusy.into(),
        ScannerError::PortDenied => io::ErrorKind::PermissionDenied.into(),
        ScannerError::Unplugged => io::ErrorKind::BrokenPipe.into(),
        ScannerError::Fault { source } => source,
    })
}

fn connect(host: &str) -> io::Result<TcpStream> {
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    for address in host.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_MAX) {
            Ok(stream) => {
                stream.set_nonblocking(true)?;
                return Ok(stream);
            }
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

#[cfg(unix)]
fn is_device(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    std::fs::metadata(path)
        .is_ok_and(|found| found.file_type().is_char_device() || found.file_type().is_fifo())
}

#[cfg(not(unix))]
fn is_device(_path: &Path) -> bool {
    false
}

/// Whether a path, perhaps a link, leads to a terminal.
fn is_terminal(path: &Path) -> bool {
    std::fs::canonicalize(path)
        .is_ok_and(|real| real.starts_with("/dev/pts") || real.to_string_lossy().starts_with("/dev/tty"))
}

/// A device that cannot take a byte says so instead of holding whoever writes; one that cannot be read still prints.
#[cfg(unix)]
fn open_device(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
    let mut options = OpenOptions::new();
    options.write(true).custom_flags(libc::O_NONBLOCK);
    if std::fs::metadata(path)?.file_type().is_fifo() {
        return options.open(path);
    }
    let write_only = options.clone();
    options.read(true).open(path).or_else(|_| write_only.open(path))
}

#[cfg(not(unix))]
fn open_device(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).open(path)
}

/// An opened way to a printer.
enum Way {
    Plain(File),
    Serial(Line),
    Tcp(TcpStream),
}

impl Way {
    fn write_some(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.write(bytes),
            Self::Serial(line) => line.write(bytes),
            Self::Tcp(stream) => stream.write(bytes),
        }
    }

    fn read_some(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.read(bytes),
            Self::Serial(line) => line.read(bytes),
            Self::Tcp(stream) => stream.read(bytes),
        }
    }

    /// Writes all; slow is well, standing still is not.
    fn write_patiently(&mut self, mut bytes: &[u8]) -> Result<(), PrinterError> {
        let mut moved = Instant::now();
        while !bytes.is_empty() {
            match self.write_some(bytes) {
                Ok(0) => return Err(PrinterError::Failed(io::ErrorKind::WriteZero.into())),
                Ok(length) => {
                    bytes = bytes.get(length..).unwrap_or_default();
                    moved = Instant::now();
                }
                Err(error) if is_wait(&error) => {
                    if moved.elapsed() >= STALL_MAX {
                        return Err(PrinterError::Stalled);
                    }
                    thread::sleep(PAUSE);
                }
                Err(error) => return Err(PrinterError::Failed(error)),
            }
        }
        Ok(())
    }

    /// Lets the bytes leave the computer.
    fn finish(&mut self) -> Result<(), PrinterError> {
        match self {
            Self::Plain(file) => Ok(file.flush()?),
            Self::Serial(line) => {
                let (mut moved, mut before) = (Instant::now(), u32::MAX);
                loop {
                    let left = line.unsent();
                    if left == 0 {
                        return Ok(());
                    }
                    if left < before {
                        (moved, before) = (Instant::now(), left);
                    }
                    if moved.elapsed() >= STALL_MAX {
                        line.forget_unsent();
                        return Err(PrinterError::Stalled);
                    }
                    thread::sleep(PAUSE);
                }
            }
            Self::Tcp(_) => Ok(()),
        }
    }

    /// Says that nothing more comes.
    fn close(self) -> Result<(), PrinterError> {
        match self {
            Self::Plain(_) | Self::Serial(_) => Ok(()),
            Self::Tcp(stream) => Ok(stream.shutdown(std::net::Shutdown::Write)?),
        }
    }

    /// One byte of state, if it is told.
    fn state(&mut self, question: [u8; 3], wait: Duration) -> Result<Answer, PrinterError> {
        self.write_patiently(&question)?;
        let until = Instant::now() + wait;
        let mut byte = [0];
        while Instant::now() < until {
            match self.read_some(&mut byte) {
                // The bits that are the same in every such answer.
                Ok(1) if byte[0] & 0x93 == 0x12 => return Ok(Answer::State(byte[0])),
                Ok(1..) => {}
                Err(error) if is_wait(&error) => thread::sleep(PAUSE),
                Ok(0) | Err(_) => return Ok(Answer::Gone),
            }
        }
        Ok(Answer::Silence)
    }
}

/// What comes of asking for the state.
enum Answer {
    State(u8),
    /// Nothing in time.
    Silence,
    /// Nothing can come: the other end is gone, or nothing can be read from it.
    Gone,
}

fn is_wait(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}

/// Whether the printer tells its state, if that does not say that it cannot print. Paper is asked for first: a printer
/// without paper is offline too, and paper is what the cashier can mend.
fn ask_state(way: &mut Way) -> Result<bool, PrinterError> {
    match way.state(ASK_PAPER, STATE_WAIT)? {
        Answer::State(state) if state & NO_PAPER != 0 => Err(PrinterError::OutOfPaper),
        // Silent once, silent always.
        Answer::Silence | Answer::Gone => Ok(false),
        Answer::State(_) => match way.state(ASK_OFFLINE, STATE_WAIT)? {
            Answer::State(state) if state & OFFLINE != 0 => Err(PrinterError::Offline),
            _ => Ok(true),
        },
    }
}
