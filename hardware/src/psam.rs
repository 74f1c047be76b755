//! External authentication: how a card of generation 3.0 is shown that this terminal may read its holder.
//!
//! The keys are in a security module, never here: a PSAM in a second slot of the reader, or an HSM behind a network.
//! Either is a [`SecurityModule`]. The commands are those seen in the field; no real module was at hand.

use zeroize::Zeroizing;

use crate::apdu::{StatusWord, exchange, select_by_name};
use crate::card_error::{CardError, CardItem, CardStep, DataFault};
use crate::channel::{CardChannel, ReaderFault};

/// The module's application for the social-security environment.
pub(crate) const PSAM_APPLICATION: [u8; 6] = [0xD1, 0x56, 0x00, 0x00, 0x05, 0x90];
/// Number of the key for reading the holder's file (RKSSSE), on the card and in the module.
pub(crate) const READ_KEY: u8 = 0x0A;
/// Usage of a key that is diversified twice: by card and by region.
pub(crate) const TWO_LEVELS: u8 = 0x40;
/// `sx`, which stands behind the region.
pub(crate) const REGION_TAIL: [u8; 2] = *b"sx";

/// What a module needs to know of the card.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthRequest {
    /// The last eight bytes of the answer to reset.
    pub card_factor: [u8; 8],
    /// Region of the card, six digits in ASCII.
    pub region: [u8; 6],
    /// The card's challenge.
    pub challenge: [u8; 8],
}

impl std::fmt::Debug for AuthRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AuthRequest(…)")
    }
}

/// Whoever holds the keys.
pub trait SecurityModule {
    /// The cryptogram that proves them to the card.
    fn cryptogram(&mut self, request: &AuthRequest) -> Result<[u8; 8], CardError>;
}

/// A PSAM behind a channel.
#[derive(Debug)]
pub struct Psam<C>(pub C);

impl<C: CardChannel> Psam<C> {
    /// SELECT of the module's application: what is in the slot is a module.
    pub(crate) fn select(&mut self) -> Result<(), CardError> {
        match exchange(&mut self.0, &select_by_name(&PSAM_APPLICATION))?.status {
            StatusWord::OK => Ok(()),
            _ => Err(CardError::ModuleMissing),
        }
    }
}

impl<C: CardChannel> SecurityModule for Psam<C> {
    fn cryptogram(&mut self, request: &AuthRequest) -> Result<[u8; 8], CardError> {
        self.select()?;
        let channel = &mut self.0;
        let mut prepare = vec![0xBF, 0xDE, TWO_LEVELS, READ_KEY, 0x18];
        prepare.extend_from_slice(&request.card_factor);
        prepare.extend_from_slice(&request.region);
        prepare.extend_from_slice(&REGION_TAIL);
        prepare.extend_from_slice(&request.challenge);
        let mut calculate = vec![0x80, 0xFA, 0x00, 0x00, 0x08];
        calculate.extend_from_slice(&request.challenge);
        let mut answer = Zeroizing::new(Vec::new());
        for command in [prepare, calculate] {
            let response = exchange(channel, &command)?;
            if response.status != StatusWord::OK {
                return Err(CardError::Refused {
                    step: CardStep::AskModule,
                    status: response.status,
                });
            }
            answer = response.data;
        }
        first_eight(&answer)
    }
}

/// GET CHALLENGE, the module's word, EXTERNAL AUTHENTICATE. The application must be selected.
pub(crate) fn authenticate<C: CardChannel>(
    channel: &mut C,
    region: &str,
    module: &mut dyn SecurityModule,
) -> Result<(), CardError> {
    let challenge = exchange(channel, &[0x00, 0x84, 0x00, 0x00, 0x08])?;
    if challenge.status != StatusWord::OK {
        return Err(CardError::Refused {
            step: CardStep::GetChallenge,
            status: challenge.status,
        });
    }
    let missing = CardError::Reader(ReaderFault::NoAnswer);
    let request = AuthRequest {
        card_factor: *channel.atr().last_chunk().ok_or(missing)?,
        region: region.as_bytes().try_into().unwrap_or(*b"000000"),
        challenge: first_eight(&challenge.data)?,
    };
    let cryptogram = Zeroizing::new(module.cryptogram(&request)?);
    let mut command = Zeroizing::new(vec![0x00, 0x82, 0x00, READ_KEY, 0x10]);
    command.extend_from_slice(&*cryptogram);
    command.extend_from_slice(&request.challenge);
    match exchange(channel, &command)?.status {
        StatusWord::OK => Ok(()),
        status => Err(CardError::NotAuthenticated { status }),
    }
}

fn first_eight(bytes: &[u8]) -> Result<[u8; 8], CardError> {
    bytes.first_chunk().copied().ok_or(CardError::Unreadable {
        item: CardItem::Answer,
        source: DataFault::TooShort { length: bytes.len() },
    })
}
