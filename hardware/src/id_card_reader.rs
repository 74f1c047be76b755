//! Readers of second-generation resident identity cards (SAM-V module) at a serial port: find, select, read.
//!
//! A frame is `AA AA AA 96 69`, two bytes of length, what is said, and the XOR of all from the length on. The text of
//! a card is UTF-16LE in fixed fields; its photograph is not decoded.

use std::io::{self, Read, Write};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::serial::{Line, ScannerError};

/// Speed of these readers.
pub const ID_READER_BAUD: u32 = 115_200;
const PREAMBLE: [u8; 5] = [0xAA, 0xAA, 0xAA, 0x96, 0x69];
/// What is asked, without preamble, length and sum.
const FIND: [u8; 2] = [0x20, 0x01];
const SELECT: [u8; 2] = [0x20, 0x02];
const READ: [u8; 2] = [0x30, 0x01];
/// SW1 to SW3 of the answers that are no refusal.
const FOUND: [u8; 3] = [0x00, 0x00, 0x9F];
const DONE: [u8; 3] = [0x00, 0x00, 0x90];
const NO_CARD: [u8; 3] = [0x00, 0x00, 0x80];
const TEXT_LENGTH: usize = 256;
const FRAME_LENGTH_MAX: usize = 4096;
/// How long the reader may take for an answer; a photograph takes 0.12 s at its speed.
const ANSWER_WAIT: Duration = Duration::from_millis(1500);
/// Pause between two looks for a card.
const LOOK_PAUSE: Duration = Duration::from_millis(300);
const REOPEN_PAUSE: Duration = Duration::from_secs(1);

/// What an identity card says. Wiped on drop; `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct IdCard {
    /// 姓名.
    pub name: String,
    /// 性别: 1 male, 2 female.
    pub sex: String,
    /// 民族, two digits.
    pub nation: String,
    /// 出生日期, YYYYMMDD.
    pub birth_date: String,
    /// 住址.
    pub address: String,
    /// 公民身份号码.
    pub id_no: String,
    /// 签发机关.
    pub issuer: String,
    /// 有效期起, YYYYMMDD.
    pub valid_from: String,
    /// 有效期止, YYYYMMDD, or 长期.
    pub valid_until: String,
}

impl std::fmt::Debug for IdCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdCard(…)")
    }
}

impl IdCard {
    /// The nine fields of the text of a card; `None` if it is too short or no text.
    pub fn from_text(text: &[u8]) -> Option<Self> {
        let mut fields = Fields(text.get(..TEXT_LENGTH)?);
        Some(Self {
            name: fields.take(30)?,
            sex: fields.take(2)?,
            nation: fields.take(4)?,
            birth_date: fields.take(16)?,
            address: fields.take(70)?,
            id_no: fields.take(36)?,
            issuer: fields.take(30)?,
            valid_from: fields.take(16)?,
            valid_until: fields.take(16)?,
        })
    }

    /// The text of a card with these fields; `None` where one does not fit.
    pub fn to_text(&self) -> Option<Vec<u8>> {
        let mut text = Vec::with_capacity(TEXT_LENGTH);
        for (field, length) in [
            (&self.name, 30),
            (&self.sex, 2),
            (&self.nation, 4),
            (&self.birth_date, 16),
            (&self.address, 70),
            (&self.id_no, 36),
            (&self.issuer, 30),
            (&self.valid_from, 16),
            (&self.valid_until, 16),
            (&String::new(), 36),
        ] {
            let end = text.len() + length;
            text.extend(field.encode_utf16().flat_map(u16::to_le_bytes));
            while text.len() < end {
                text.extend_from_slice(&[0x20, 0x00]);
            }
            if text.len() > end {
                return None;
            }
        }
        Some(text)
    }
}

struct Fields<'text>(&'text [u8]);

impl Fields<'_> {
    fn take(&mut self, length: usize) -> Option<String> {
        let (field, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        let units = field.as_chunks::<2>().0.iter().copied().map(u16::from_le_bytes);
        let text: Result<String, _> = char::decode_utf16(units).collect();
        Some(text.ok()?.trim_end_matches([' ', '\0']).to_owned())
    }
}

/// Why no identity card is read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdReaderError {
    /// The port cannot be used.
    #[error(transparent)]
    Port(#[from] ScannerError),
    /// The reader does not answer, or says what no reader says.
    #[error("the identity-card reader does not answer")]
    NoAnswer,
    /// The reader refuses to read the card.
    #[error("the identity card cannot be read")]
    Refused,
    /// What the card says is no text.
    #[error("the identity card's text cannot be understood")]
    Unreadable,
}

impl IdReaderError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Port(ScannerError::PortBusy) => "ID_READER_BUSY",
            Self::Port(_) => "ID_READER_MISSING",
            Self::NoAnswer => "ID_READER_NO_ANSWER",
            Self::Refused => "ID_CARD_REFUSED",
            Self::Unreadable => "ID_CARD_UNREADABLE",
        }
    }
}

/// What happened at the identity-card reader.
#[derive(Debug)]
pub enum IdReaderEvent {
    /// It is there and answers.
    Ready,
    /// It cannot be used. Told once; it is tried again until it can.
    Lost {
        /// Why.
        error: IdReaderError,
    },
    /// A card was laid on it and read. Told once for each time it is laid on.
    Read(Box<IdCard>),
    /// A card was laid on it and not read.
    Fault {
        /// Why.
        error: IdReaderError,
    },
}

/// A running watch of an identity-card reader. It ends when this is dropped.
#[derive(Debug)]
pub struct IdReaderWatch {
    stop: Option<Sender<()>>,
    listener: Option<JoinHandle<()>>,
}

impl Drop for IdReaderWatch {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(listener) = self.listener.take()
            && listener.thread().id() != thread::current().id()
        {
            let _ = listener.join();
        }
    }
}

/// Watches the identity-card reader at a port and calls `on_event` from a thread of its own until the result is dropped.
pub fn watch_id_reader(
    port: &str,
    mut on_event: impl FnMut(IdReaderEvent) + Send + 'static,
) -> Result<IdReaderWatch, IdReaderError> {
    let (stop, stopped) = mpsc::channel();
    let port = port.to_owned();
    let listener = thread::Builder::new()
        .name("id-reader-watch".to_owned())
        .spawn(move || {
            let mut told = false;
            loop {
                let error = match watch_once(&port, &stopped, &mut told, &mut on_event) {
                    Ok(()) => return,
                    Err(error) => error,
                };
                if !std::mem::replace(&mut told, true) {
                    on_event(IdReaderEvent::Lost { error });
                }
                if ended(&stopped, REOPEN_PAUSE) {
                    return;
                }
            }
        })
        .map_err(|source| ScannerError::Fault { source })?;
    Ok(IdReaderWatch {
        stop: Some(stop),
        listener: Some(listener),
    })
}

/// Sleeps; true if the watch has ended.
fn ended(stopped: &Receiver<()>, pause: Duration) -> bool {
    stopped.recv_timeout(pause) == Err(RecvTimeoutError::Disconnected)
}

/// Looks for cards until the watch ends (`Ok`) or the reader is lost.
fn watch_once(
    port: &str,
    stopped: &Receiver<()>,
    lost_told: &mut bool,
    on_event: &mut impl FnMut(IdReaderEvent),
) -> Result<(), IdReaderError> {
    let mut reader = Reader(Line::open(port, ID_READER_BAUD)?);
    let (mut ready, mut lying) = (false, false);
    loop {
        // A card that was read stays selected and is not found again; asking for it still answers.
        let found = reader.look()?;
        if !std::mem::replace(&mut ready, true) {
            *lost_told = false;
            on_event(IdReaderEvent::Ready);
        }
        if found && !std::mem::replace(&mut lying, true) {
            on_event(match reader.read_card() {
                Ok(card) => IdReaderEvent::Read(Box::new(card)),
                Err(error @ (IdReaderError::Refused | IdReaderError::Unreadable)) => {
                    IdReaderEvent::Fault { error }
                }
                Err(error) => return Err(error),
            });
        } else if !found {
            lying = false;
        }
        if ended(stopped, LOOK_PAUSE) {
            return Ok(());
        }
    }
}

/// Reads the card lying on the reader at a port, once; `None` if there is none.
pub fn read_id_card(port: &str) -> Result<Option<IdCard>, IdReaderError> {
    let mut reader = Reader(Line::open(port, ID_READER_BAUD)?);
    if !reader.look()? {
        return Ok(None);
    }
    reader.read_card().map(Some)
}

/// Whether the reader at a port answers.
pub fn check_id_reader(port: &str) -> Result<(), IdReaderError> {
    Reader(Line::open(port, ID_READER_BAUD)?).look().map(drop)
}

struct Reader(Line);

impl Reader {
    /// Whether a card lies on the reader.
    fn look(&mut self) -> Result<bool, IdReaderError> {
        match status_of(&self.ask(FIND)?) {
            Some(FOUND) => Ok(true),
            Some(NO_CARD) => Ok(false),
            _ => Err(IdReaderError::NoAnswer),
        }
    }

    /// Selects and reads the card that was found.
    fn read_card(&mut self) -> Result<IdCard, IdReaderError> {
        if status_of(&self.ask(SELECT)?) != Some(DONE) {
            return Err(IdReaderError::Refused);
        }
        let answer = self.ask(READ)?;
        if status_of(&answer) != Some(DONE) {
            return Err(IdReaderError::Refused);
        }
        // Status, length of the text, length of the photograph, text.
        let [_, _, _, high, low, _, _, text @ ..] = answer.as_slice() else {
            return Err(IdReaderError::Unreadable);
        };
        if usize::from(u16::from_be_bytes([*high, *low])) != TEXT_LENGTH {
            return Err(IdReaderError::Unreadable);
        }
        IdCard::from_text(text).ok_or(IdReaderError::Unreadable)
    }

    /// Sends a command and waits for the frame that answers it: what stands between length and sum.
    fn ask(&mut self, command: [u8; 2]) -> Result<Zeroizing<Vec<u8>>, IdReaderError> {
        self.0.write_all(&framed(&command)).map_err(lost)?;
        let until = Instant::now() + ANSWER_WAIT;
        let mut bytes = Zeroizing::new(Vec::new());
        let mut chunk = Zeroizing::new([0; 512]);
        while Instant::now() < until {
            match self.0.read(chunk.as_mut_slice()) {
                Ok(0) => return Err(ScannerError::Unplugged.into()),
                Ok(length) => bytes.extend_from_slice(chunk.get(..length).unwrap_or_default()),
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::Interrupted) => {}
                Err(error) => return Err(lost(error)),
            }
            match unframed(&bytes) {
                Frame::Whole(said) => return Ok(Zeroizing::new(said.to_vec())),
                Frame::Broken => return Err(IdReaderError::NoAnswer),
                Frame::Unfinished if bytes.len() > FRAME_LENGTH_MAX => return Err(IdReaderError::NoAnswer),
                Frame::Unfinished => {}
            }
        }
        Err(IdReaderError::NoAnswer)
    }
}

fn lost(error: io::Error) -> IdReaderError {
    IdReaderError::Port(match error.kind() {
        io::ErrorKind::BrokenPipe => ScannerError::Unplugged,
        _ => ScannerError::Fault { source: error },
    })
}

fn status_of(answer: &[u8]) -> Option<[u8; 3]> {
    answer.first_chunk().copied()
}

/// A frame around what is said.
pub(crate) fn framed(said: &[u8]) -> Vec<u8> {
    let length = u16::try_from(said.len() + 1).unwrap_or(u16::MAX).to_be_bytes();
    let sum = length.iter().chain(said).fold(0, |sum, byte| sum ^ byte);
    [&PREAMBLE, &length[..], said, &[sum]].concat()
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame<'bytes> {
    /// What is said in it.
    Whole(&'bytes [u8]),
    /// More bytes are to come.
    Unfinished,
    /// Its sum is wrong.
    Broken,
}

/// The first frame in the bytes; what stands before it is noise of the line.
pub(crate) fn unframed(bytes: &[u8]) -> Frame<'_> {
    let start = bytes
        .windows(PREAMBLE.len())
        .position(|window| window == PREAMBLE);
    let Some(body) = start.and_then(|start| bytes.get(start + PREAMBLE.len()..)) else {
        return Frame::Unfinished;
    };
    let [high, low, rest @ ..] = body else {
        return Frame::Unfinished;
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let Some((sum, said)) = rest.get(..length).and_then(<[u8]>::split_last) else {
        return if length == 0 {
            Frame::Broken
        } else {
            Frame::Unfinished
        };
    };
    if said.iter().fold(high ^ low, |sum, byte| sum ^ byte) == *sum {
        Frame::Whole(said)
    } else {
        Frame::Broken
    }
}

#[cfg(test)]
#[path = "id_card_reader_tests.rs"]
mod tests;
