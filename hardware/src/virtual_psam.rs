//! A PSAM in software with test keys, and what a virtual card of generation 3.0 checks against it. Real modules hold
//! other keys and, for newer cards, another cipher (SM4); what passes between card, terminal and module is the same.

use std::convert::Infallible;

use des::TdesEde2;
use des::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use zeroize::Zeroizing;

use crate::apdu::StatusWord;
use crate::channel::CardChannel;
use crate::psam::{PSAM_APPLICATION, READ_KEY, REGION_TAIL, TWO_LEVELS};
use crate::vpcd::Chip;

/// The key that every virtual card's is diversified from. It opens virtual cards only.
const TEST_KEY: [u8; 16] = *b"yijie test key 1";

type Key = Zeroizing<[u8; 16]>;

/// A PSAM in software.
#[derive(Default)]
pub struct VirtualPsam {
    selected: bool,
    prepared: Option<Key>,
    waiting: Vec<u8>,
}

impl std::fmt::Debug for VirtualPsam {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VirtualPsam")
            .field("selected", &self.selected)
            .finish_non_exhaustive()
    }
}

/// Encrypts one block.
fn encrypted(key: &[u8; 16], block: [u8; 8]) -> [u8; 8] {
    let mut bytes = block.into();
    TdesEde2::new(key.into()).encrypt_block(&mut bytes);
    bytes.into()
}

/// A key of a key: a factor, and its complement, encrypted.
fn diversified(key: &[u8; 16], factor: [u8; 8]) -> Key {
    let mut made = Zeroizing::new([0; 16]);
    let halves = [encrypted(key, factor), encrypted(key, factor.map(|byte| !byte))];
    for (to, from) in made.iter_mut().zip(halves.as_flattened()) {
        *to = *from;
    }
    made
}

/// The key for one conversation with a card: by region, by card, by the card's challenge.
fn session_key(card_factor: [u8; 8], region: [u8; 8], challenge: [u8; 8]) -> Key {
    let of_region = diversified(&TEST_KEY, region);
    let of_card = diversified(&of_region, card_factor);
    diversified(&of_card, challenge)
}

/// What a card expects in answer to its challenge.
pub(crate) fn expected(card_factor: [u8; 8], region: [u8; 6], challenge: [u8; 8]) -> [u8; 8] {
    let mut by_region = [0; 8];
    for (to, from) in by_region.iter_mut().zip(region.iter().chain(&REGION_TAIL)) {
        *to = *from;
    }
    encrypted(&session_key(card_factor, by_region, challenge), challenge)
}

fn status(status: StatusWord) -> Vec<u8> {
    status.0.to_be_bytes().to_vec()
}

impl VirtualPsam {
    /// A module, powered, nothing selected.
    pub fn new() -> Self {
        Self::default()
    }

    fn prepare(&mut self, factors: &[u8]) -> Vec<u8> {
        let (factors, rest) = factors.as_chunks::<8>();
        let ([card, region, challenge], []) = (factors, rest) else {
            return status(StatusWord::WRONG_LENGTH);
        };
        self.prepared = Some(session_key(*card, *region, *challenge));
        status(StatusWord::OK)
    }

    fn calculate(&mut self, data: &[u8]) -> Vec<u8> {
        let (Some(key), Ok(block)) = (self.prepared.take(), data.try_into()) else {
            return status(StatusWord(0x6985));
        };
        self.waiting = encrypted(&key, block).to_vec();
        vec![0x61, 0x08]
    }
}

impl Chip for VirtualPsam {
    fn atr(&self) -> &[u8] {
        &[0x3B, 0x65, 0x00, 0x00, b'P', b'S', b'A', b'M', b'0']
    }

    fn reset(&mut self) {
        *self = Self::default();
    }

    fn answer(&mut self, command: &[u8]) -> Vec<u8> {
        let waiting = std::mem::take(&mut self.waiting);
        match command {
            [0x00, 0xA4, 0x04, 0x00, 0x06, name @ ..] if name.starts_with(&PSAM_APPLICATION) => {
                self.selected = true;
                status(StatusWord::OK)
            }
            [0x00, 0xA4, ..] => status(StatusWord::FILE_NOT_FOUND),
            [0x00, 0xC0, 0x00, 0x00, _] if !waiting.is_empty() => [&waiting[..], &[0x90, 0x00]].concat(),
            _ if !self.selected => status(StatusWord(0x6985)),
            [0xBF, 0xDE, TWO_LEVELS, READ_KEY, 0x18, factors @ ..] => self.prepare(factors),
            [0xBF, 0xDE, _, _, _, ..] => status(StatusWord(0x6A88)),
            [0x80, 0xFA, 0x00, 0x00, 0x08, data @ ..] => self.calculate(data),
            _ => status(StatusWord::UNKNOWN_INSTRUCTION),
        }
    }
}

impl CardChannel for VirtualPsam {
    type Error = Infallible;

    fn atr(&self) -> &[u8] {
        Chip::atr(self)
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, Infallible> {
        Ok(self.answer(command))
    }
}
