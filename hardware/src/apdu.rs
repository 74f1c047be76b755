//! Command APDUs and their answers: status words, and the 61xx / 6Cxx dance of T=0.

use zeroize::Zeroizing;

use crate::card_error::{CardError, CardItem, DataFault};
use crate::channel::CardChannel;

/// How many answers one command may take: 6Cxx once, then a few 61xx.
const ROUNDS_MAX: usize = 8;

/// The two status bytes that end every answer.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StatusWord(pub u16);

impl StatusWord {
    /// 9000: done.
    pub const OK: Self = Self(0x9000);
    /// 6700: wrong length.
    pub const WRONG_LENGTH: Self = Self(0x6700);
    /// 6982: security status not satisfied.
    pub const SECURITY: Self = Self(0x6982);
    /// 6983: key or PIN locked.
    pub const LOCKED: Self = Self(0x6983);
    /// 6A82: file or application not found.
    pub const FILE_NOT_FOUND: Self = Self(0x6A82);
    /// 6A83: record not found.
    pub const RECORD_NOT_FOUND: Self = Self(0x6A83);
    /// 6A86: P1 or P2 wrong.
    pub const WRONG_P1P2: Self = Self(0x6A86);
    /// 6D00: instruction unknown.
    pub const UNKNOWN_INSTRUCTION: Self = Self(0x6D00);
    /// 6E00: class unknown.
    pub const UNKNOWN_CLASS: Self = Self(0x6E00);

    /// First byte.
    pub fn sw1(self) -> u8 {
        self.0.to_be_bytes()[0]
    }

    /// Second byte.
    pub fn sw2(self) -> u8 {
        self.0.to_be_bytes()[1]
    }

    /// 63Cx: how many tries are left.
    pub fn tries_left(self) -> Option<u8> {
        (self.0 & 0xFFF0 == 0x63C0).then_some(self.sw2() & 0x0F)
    }

    /// Whether the card or its application says that it is locked for good (6A81 at SELECT, 6283, 9303).
    pub fn says_locked(self) -> bool {
        matches!(self.0, 0x6A81 | 0x6283 | 0x9303)
    }
}

impl std::fmt::Display for StatusWord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

impl std::fmt::Debug for StatusWord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StatusWord({self})")
    }
}

/// A card's answer: data, wiped on drop, and status word.
pub struct Response {
    /// The data before the status word.
    pub data: Zeroizing<Vec<u8>>,
    /// The status word.
    pub status: StatusWord,
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response")
            .field("bytes", &self.data.len())
            .field("status", &self.status)
            .finish()
    }
}

impl Response {
    /// Splits the raw answer. Fails if it is shorter than a status word.
    pub fn parse(raw: Vec<u8>) -> Result<Self, DataFault> {
        let mut data = Zeroizing::new(raw);
        let length = data.len();
        let (Some(sw2), Some(sw1)) = (data.pop(), data.pop()) else {
            return Err(DataFault::TooShort { length });
        };
        Ok(Self {
            data,
            status: StatusWord(u16::from_be_bytes([sw1, sw2])),
        })
    }
}

/// ISO 7816-4 SELECT by name.
pub fn select_by_name(name: &[u8]) -> Vec<u8> {
    let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
    let mut command = vec![0x00, 0xA4, 0x04, 0x00, length];
    command.extend_from_slice(name);
    command
}

/// ISO 7816-4 SELECT of an elementary file of the current application; `p1` is 02 or, on some cards, 00.
pub fn select_file(p1: u8, file_id: u16) -> [u8; 7] {
    let [high, low] = file_id.to_be_bytes();
    [0x00, 0xA4, p1, 0x00, 0x02, high, low]
}

/// ISO 7816-4 READ RECORD.
pub fn read_record(p1: u8, p2: u8, le: u8) -> [u8; 5] {
    [0x00, 0xB2, p1, p2, le]
}

/// ISO 7816-4 VERIFY of the application's PIN.
pub fn verify(pin: &[u8]) -> Zeroizing<Vec<u8>> {
    let length = u8::try_from(pin.len()).unwrap_or(u8::MAX);
    let mut command = Zeroizing::new(vec![0x00, 0x20, 0x00, 0x00, length]);
    command.extend_from_slice(pin);
    command
}

/// Sends one command and follows it to its end: 6Cxx resends with the right Le, 61xx fetches what is left.
pub fn exchange<C: CardChannel>(channel: &mut C, command: &[u8]) -> Result<Response, CardError> {
    let mut answer = send(channel, command)?;
    let mut data = Zeroizing::new(Vec::new());
    for _ in 0..ROUNDS_MAX {
        match answer.status.sw1() {
            0x6C if data.is_empty() => {
                let mut again = Zeroizing::new(command.to_vec());
                set_le(&mut again, answer.status.sw2());
                answer = send(channel, &again)?;
            }
            0x61 => {
                data.extend_from_slice(&answer.data);
                answer = send(channel, &[0x00, 0xC0, 0x00, 0x00, answer.status.sw2()])?;
            }
            _ => {
                data.extend_from_slice(&answer.data);
                return Ok(Response {
                    data,
                    status: answer.status,
                });
            }
        }
    }
    Err(CardError::Unreadable {
        item: CardItem::Answer,
        source: DataFault::Endless,
    })
}

/// Sends one command and returns its first answer as it is; a 61xx is left waiting on the card.
pub fn send<C: CardChannel>(channel: &mut C, command: &[u8]) -> Result<Response, CardError> {
    let raw = channel
        .transmit(command)
        .map_err(|error| CardError::Reader(error.into()))?;
    Response::parse(raw).map_err(|source| CardError::Unreadable {
        item: CardItem::Answer,
        source,
    })
}

/// Puts Le at the end of a command: over the old one (case 2), or behind the data (case 4).
fn set_le(command: &mut Vec<u8>, le: u8) {
    if command.len() == 5
        && let Some(last) = command.last_mut()
    {
        *last = le;
    } else {
        command.push(le);
    }
}
