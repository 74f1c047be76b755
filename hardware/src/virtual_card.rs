//! A social-security card in software, for the demo and the tests: in this process, or in the virtual reader.
//!
//! A card of version 3 hides 卡号, 社会保障号码 and 姓名 until external authentication, as real ones do; its key is
//! that of the virtual PSAM.

use std::convert::Infallible;
use std::hash::{BuildHasher as _, RandomState};

use crate::apdu::StatusWord;
use crate::card_error::CardItem;
use crate::card_files::{APPLICATION_NAME, CardFile};
use crate::card_record::from_hex;
use crate::channel::{CardChannel, ReaderFault};
use crate::person::{Person, VirtualCardError, packed, padded, split_name};
use crate::pin::Pin;
use crate::psam::READ_KEY;
use crate::virtual_psam;
use crate::vpcd::Chip;

/// How many wrong PINs the card takes.
const PIN_TRIES_MAX: u8 = 3;
/// How many wrong authentications it takes.
const AUTH_TRIES_MAX: u8 = 5;

/// A social-security card in software. `Debug` shows only its state.
pub struct VirtualCard {
    atr: Vec<u8>,
    /// Records in the order of their numbers.
    issuer: Vec<CardRecord>,
    holder: Vec<CardRecord>,
    pin: [u8; 3],
    tries_left: u8,
    auth_tries_left: u8,
    /// Region in ASCII, as the key is diversified by.
    region: [u8; 6],
    challenge: Option<[u8; 8]>,
    authenticated: bool,
    application_selected: bool,
    file: Option<CardFile>,
    /// What a GET RESPONSE fetches.
    waiting: Vec<u8>,
}

struct CardRecord {
    tag: u8,
    /// Tag, length, value.
    bytes: Vec<u8>,
    hidden: bool,
}

impl std::fmt::Debug for VirtualCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VirtualCard")
            .field("application_selected", &self.application_selected)
            .field("tries_left", &self.tries_left)
            .finish_non_exhaustive()
    }
}

impl VirtualCard {
    /// The card of a person file.
    pub fn from_json(json: &str) -> Result<Self, VirtualCardError> {
        Self::new(&serde_json::from_str(json)?)
    }

    /// The card of a person.
    pub fn new(person: &Person) -> Result<Self, VirtualCardError> {
        let third = person.version.starts_with('3');
        let card_sn = packed("card_sn", &person.card_sn, 16)?;
        let region = person.card_sn.as_bytes().first_chunk().copied();
        let region = region.ok_or(VirtualCardError::Field { field: "card_sn" })?;
        let (name, extension) = split_name(person)?;
        let atr = match &person.atr {
            Some(atr) => from_hex(atr)
                .filter(|atr| atr.len() >= 2)
                .ok_or(VirtualCardError::Field { field: "atr" })?,
            None => default_atr(&card_sn),
        };
        let issuer = vec![
            CardRecord::open(CardItem::CardSn, card_sn),
            CardRecord::other(0x02, b"3"),
            CardRecord::open(
                CardItem::Version,
                padded("version", person.version.as_bytes(), 4)?,
            ),
            CardRecord::other(0x04, &[0xFF; 12]),
            CardRecord::open(CardItem::IssuedOn, packed("issued_on", &person.issued_on, 4)?),
            CardRecord::open(CardItem::ExpiresOn, packed("expires_on", &person.expires_on, 4)?),
            CardRecord::shown(
                CardItem::CardNo,
                padded("card_no", person.card_no.as_bytes(), 9)?,
                !third,
            ),
        ];
        let mut holder = vec![
            CardRecord::shown(
                CardItem::IdNo,
                padded("id_no", person.id_no.as_bytes(), 18)?,
                !third,
            ),
            CardRecord::shown(CardItem::Name, name, !third),
            CardRecord::open(CardItem::Sex, padded("sex", person.sex.as_bytes(), 1)?),
            CardRecord::open(CardItem::Nation, packed("nation", &person.nation, 1)?),
            CardRecord::open(CardItem::Birthplace, packed("birthplace", &person.birthplace, 3)?),
            CardRecord::open(CardItem::BirthDate, packed("birth_date", &person.birth_date, 4)?),
        ];
        if !person.version.starts_with('1') {
            holder.insert(2, CardRecord::shown(CardItem::NameExtension, extension, !third));
        }
        let pin = *Pin::new(&person.pin)
            .ok_or(VirtualCardError::Field { field: "pin" })?
            .packed();
        Ok(Self {
            atr,
            issuer,
            holder,
            pin,
            tries_left: PIN_TRIES_MAX,
            auth_tries_left: AUTH_TRIES_MAX,
            region,
            challenge: None,
            authenticated: false,
            application_selected: false,
            file: None,
            waiting: Vec::new(),
        })
    }

    /// This card as a channel of this process, powered.
    pub fn in_process(self) -> InProcessCard {
        InProcessCard { card: self }
    }

    fn select_by_name(&mut self, length: usize, rest: &[u8]) -> Vec<u8> {
        if rest.get(..length) != Some(&APPLICATION_NAME) {
            return status(StatusWord::FILE_NOT_FOUND);
        }
        self.application_selected = true;
        self.file = None;
        let mut description = vec![0x6F, 0x19, 0x84, 0x0F];
        description.extend_from_slice(&APPLICATION_NAME);
        description.extend_from_slice(&[0xA5, 0x06, 0x9F, 0x0C, 0x03, 0x86, 0x01, 0x03]);
        // Without Le the description waits, as under T=0.
        if rest.len() == length {
            let waiting = u8::try_from(description.len()).unwrap_or(0);
            self.waiting = description;
            return vec![0x61, waiting];
        }
        done(description)
    }

    fn select_file(&mut self, id: u16) -> Vec<u8> {
        let file = [CardFile::Issuer, CardFile::Holder]
            .into_iter()
            .find(|file| file.id() == id);
        if !self.application_selected || file.is_none() {
            return status(StatusWord::FILE_NOT_FOUND);
        }
        self.file = file;
        status(StatusWord::OK)
    }

    fn read_record(&mut self, p1: u8, p2: u8, le: usize) -> Vec<u8> {
        let file = match p2 & 0xF8 {
            0x00 => self.file,
            short_id => [CardFile::Issuer, CardFile::Holder]
                .into_iter()
                .find(|file| file.short_id_in_p2() == short_id),
        };
        let records = match (self.application_selected, file) {
            (true, Some(CardFile::Issuer)) => &self.issuer,
            (true, Some(CardFile::Holder)) => &self.holder,
            _ => return status(StatusWord::FILE_NOT_FOUND),
        };
        let record = match p2 & 0x07 {
            0x00 => records.iter().find(|record| record.tag == p1),
            0x04 => usize::from(p1)
                .checked_sub(1)
                .and_then(|index| records.get(index)),
            _ => return status(StatusWord::WRONG_P1P2),
        };
        self.file = file;
        match record {
            None => status(StatusWord::RECORD_NOT_FOUND),
            Some(record) if record.hidden && !self.authenticated => status(StatusWord::SECURITY),
            Some(record) if le == 0 || le == record.bytes.len() => done(record.bytes.clone()),
            Some(record) => vec![0x6C, u8::try_from(record.bytes.len()).unwrap_or(0)],
        }
    }

    fn challenge(&mut self) -> Vec<u8> {
        // A stand-in's challenge only has to differ from the last one.
        let challenge = RandomState::new().hash_one(()).to_be_bytes();
        self.challenge = Some(challenge);
        done(challenge.to_vec())
    }

    fn authenticate(&mut self, data: &[u8]) -> Vec<u8> {
        let (Some(challenge), Some(card_factor)) = (self.challenge.take(), self.atr.last_chunk()) else {
            return status(StatusWord(0x6985));
        };
        if self.auth_tries_left == 0 {
            return status(StatusWord::LOCKED);
        }
        let expected = virtual_psam::expected(*card_factor, self.region, challenge);
        if data == [expected, challenge].as_flattened() {
            self.auth_tries_left = AUTH_TRIES_MAX;
            self.authenticated = true;
            return status(StatusWord::OK);
        }
        self.auth_tries_left -= 1;
        vec![0x63, 0xC0 | self.auth_tries_left]
    }

    fn verify(&mut self, pin: &[u8]) -> Vec<u8> {
        if self.tries_left == 0 {
            return status(StatusWord::LOCKED);
        }
        if pin == self.pin {
            self.tries_left = PIN_TRIES_MAX;
            return status(StatusWord::OK);
        }
        self.tries_left -= 1;
        vec![0x63, 0xC0 | self.tries_left]
    }
}

impl Chip for VirtualCard {
    fn atr(&self) -> &[u8] {
        &self.atr
    }

    fn reset(&mut self) {
        self.application_selected = false;
        self.authenticated = false;
        self.challenge = None;
        self.file = None;
        self.waiting.clear();
    }

    fn answer(&mut self, command: &[u8]) -> Vec<u8> {
        let waiting = std::mem::take(&mut self.waiting);
        match command {
            [0x00, 0xA4, 0x04, 0x00, length, rest @ ..] => self.select_by_name(usize::from(*length), rest),
            [0x00, 0xA4, 0x00 | 0x02, 0x00, 0x02, high, low, ..] => {
                self.select_file(u16::from_be_bytes([*high, *low]))
            }
            [0x00, 0xB2, p1, p2, le] => self.read_record(*p1, *p2, usize::from(*le)),
            [0x00, 0xC0, 0x00, 0x00, le] => get_response(waiting, usize::from(*le)),
            [0x00, 0x84, 0x00, 0x00, 0x08] => self.challenge(),
            [0x00, 0x82, 0x00, READ_KEY, 0x10, data @ ..] => self.authenticate(data),
            [0x00, 0x82, 0x00, _, ..] => status(StatusWord(0x6A88)),
            [0x00, 0x20, 0x00, 0x00, 0x03, pin @ ..] => self.verify(pin),
            [0x00, 0xA4 | 0xB2 | 0xC0 | 0x20 | 0x84 | 0x82, _, _, ..] => status(StatusWord::WRONG_P1P2),
            [0x00, _, _, _, ..] => status(StatusWord::UNKNOWN_INSTRUCTION),
            [_, _, _, _, ..] => status(StatusWord::UNKNOWN_CLASS),
            _ => status(StatusWord::WRONG_LENGTH),
        }
    }
}

impl CardRecord {
    fn open(item: CardItem, value: Vec<u8>) -> Self {
        Self::shown(item, value, true)
    }

    fn shown(item: CardItem, value: Vec<u8>, shown: bool) -> Self {
        let tag = item.place().map_or(0x00, |place| place.tag);
        Self {
            hidden: !shown,
            ..Self::other(tag, &value)
        }
    }

    /// A record that the terminal does not read.
    fn other(tag: u8, value: &[u8]) -> Self {
        let mut bytes = vec![tag, u8::try_from(value.len()).unwrap_or(0)];
        bytes.extend_from_slice(value);
        Self {
            tag,
            bytes,
            hidden: false,
        }
    }
}

/// A virtual card as a channel of this process.
#[derive(Debug)]
pub struct InProcessCard {
    card: VirtualCard,
}

impl CardChannel for InProcessCard {
    type Error = Infallible;

    fn atr(&self) -> &[u8] {
        &self.card.atr
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, Infallible> {
        Ok(self.card.answer(command))
    }
}

impl From<Infallible> for ReaderFault {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

fn done(mut data: Vec<u8>) -> Vec<u8> {
    data.extend_from_slice(&[0x90, 0x00]);
    data
}

fn status(status: StatusWord) -> Vec<u8> {
    status.0.to_be_bytes().to_vec()
}

fn get_response(waiting: Vec<u8>, le: usize) -> Vec<u8> {
    match waiting.len() {
        0 => status(StatusWord(0x6985)),
        length if le == 0 || le == length => done(waiting),
        length => vec![0x6C, u8::try_from(length).unwrap_or(0)],
    }
}

fn default_atr(card_sn: &[u8]) -> Vec<u8> {
    let mut atr = vec![0x3B, 0x6D, 0x00, 0x00, 0x00, 0x81, 0x4E, 0x43, 0x21, 0x86, 0x60];
    atr.extend_from_slice(card_sn.last_chunk::<6>().unwrap_or(&[0; 6]));
    atr
}
