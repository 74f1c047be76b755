//! The card's PIN: six digits, packed into three bytes, wiped after use.

use zeroize::Zeroizing;

use crate::apdu::{StatusWord, exchange, verify};
use crate::card_error::{CardError, CardStep};
use crate::channel::CardChannel;

/// A PIN of six digits as the card wants it. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Pin(Zeroizing<[u8; 3]>);

impl Pin {
    /// Takes six digits; anything else is no PIN.
    pub fn new(digits: &str) -> Option<Self> {
        let digits: &[u8; 6] = digits.as_bytes().try_into().ok()?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let [a, b, c, d, e, f] = digits.map(|digit| digit & 0x0F);
        Some(Self(Zeroizing::new([a << 4 | b, c << 4 | d, e << 4 | f])))
    }

    /// The three packed bytes.
    pub fn packed(&self) -> &[u8; 3] {
        &self.0
    }
}

impl std::fmt::Debug for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pin(…)")
    }
}

/// What the card says to a PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinOutcome {
    /// Right.
    Accepted,
    /// Wrong.
    Wrong {
        /// How often the card still accepts a try.
        tries_left: u8,
    },
    /// Locked, now or before.
    Locked,
}

/// VERIFY: shows the PIN to the card. The application must be selected.
pub fn verify_pin<C: CardChannel>(channel: &mut C, pin: &Pin) -> Result<PinOutcome, CardError> {
    let status = exchange(channel, &verify(pin.packed()))?.status;
    match status {
        StatusWord::OK => Ok(PinOutcome::Accepted),
        StatusWord::LOCKED => Ok(PinOutcome::Locked),
        _ => match status.tries_left() {
            Some(0) => Ok(PinOutcome::Locked),
            Some(tries_left) => Ok(PinOutcome::Wrong { tries_left }),
            None => Err(CardError::Refused {
                step: CardStep::VerifyPin,
                status,
            }),
        },
    }
}
