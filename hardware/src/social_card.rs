//! Reads a social-security card (社会保障卡) of any generation through any channel.
//!
//! A card of generation 2.0 takes twelve commands: one to select the application and eleven records by tag. The
//! date of birth is taken from the social security number where its check digit holds, and read from the card
//! where it does not. Generation 3.0 shows neither number nor name without external authentication: those are
//! `None` then, which is no error.

use jiff::civil::Date;
use serde::Serialize;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::apdu::{StatusWord, select_by_name, send};
use crate::card_error::{CardError, CardItem, CardStep, DataFault, OtherCard};
use crate::card_files::{APPLICATION_NAME, BANK_APPLICATION};
use crate::card_record::{ascii, chinese, hex, packed_date, packed_decimal, unpadded};
use crate::channel::CardChannel;
use crate::id_number::{IdNumber, Sex};
use crate::pin::{Pin, PinOutcome, verify_pin};
use crate::psam::{SecurityModule, authenticate};
use crate::record_reader::{Record, RecordReader};

/// Generation of a card, from its version (规范版本).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Generation {
    /// 1.x.
    #[serde(rename = "1")]
    First,
    /// 2.x; also a card that leaves its version blank.
    #[serde(rename = "2")]
    Second,
    /// 3.x.
    #[serde(rename = "3")]
    Third,
}

/// What a social-security card says of itself and its holder. Wiped on drop; `Debug` shows only the kind of card.
#[derive(Clone, PartialEq, Eq, Serialize, Zeroize, ZeroizeOnDrop)]
pub struct SocialCard {
    /// Generation, from the version.
    #[zeroize(skip)]
    pub generation: Generation,
    /// 规范版本, as written on the card (`2.00`); empty if the card leaves it blank.
    pub version: String,
    /// 发卡地区行政区划代码: the first six digits of the card identification code.
    pub region_code: String,
    /// 卡识别码, 32 hexadecimal digits.
    pub card_sn: String,
    /// 卡号.
    pub card_no: Option<String>,
    /// 社会保障号码.
    pub id_no: Option<String>,
    /// 姓名, with its extension.
    pub name: Option<String>,
    /// 性别.
    #[zeroize(skip)]
    pub sex: Option<Sex>,
    /// 民族, two digits (`01` = 汉).
    pub nation: Option<String>,
    /// 出生地, region code.
    pub birthplace: Option<String>,
    /// 出生日期.
    #[zeroize(skip)]
    pub birth_date: Option<Date>,
    /// 发卡日期.
    #[zeroize(skip)]
    pub issued_on: Option<Date>,
    /// 卡有效期.
    #[zeroize(skip)]
    pub expires_on: Option<Date>,
    /// 卡复位信息: the historical bytes of the answer to reset, hexadecimal.
    pub atr_history: String,
}

impl std::fmt::Debug for SocialCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SocialCard")
            .field("version", &self.version)
            .field("region_code", &self.region_code)
            .field("shows_holder", &self.id_no.is_some())
            .finish_non_exhaustive()
    }
}

impl SocialCard {
    /// The ministry's basic-information string: eleven items, each ended by `|`. Region, number, card number,
    /// card identification code, name, reset information, version, issue, expiry, terminal number, device number.
    pub fn basic_info_string(&self, terminal_no: &str, device_no: &str) -> String {
        let optional = |text: &Option<String>| text.clone().unwrap_or_default();
        let day = |date: Option<Date>| {
            date.map(|date| date.strftime("%Y%m%d").to_string())
                .unwrap_or_default()
        };
        [
            self.region_code.clone(),
            optional(&self.id_no),
            optional(&self.card_no),
            self.card_sn.clone(),
            optional(&self.name),
            self.atr_history.clone(),
            self.version.clone(),
            day(self.issued_on),
            day(self.expires_on),
            terminal_no.to_owned(),
            device_no.to_owned(),
        ]
        .into_iter()
        .fold(String::new(), |text, item| text + &item + "|")
    }
}

/// Reads the card in the channel. With a PIN, the PIN is shown to the card before the holder's file is read.
pub fn read_social_card<C: CardChannel>(channel: &mut C, pin: Option<&Pin>) -> Result<SocialCard, CardError> {
    read_with_module(channel, pin, None)
}

/// The same, with the security module that a card of generation 3.0 asks for before it shows its holder.
pub fn read_with_module<C: CardChannel>(
    channel: &mut C,
    pin: Option<&Pin>,
    module: Option<&mut dyn SecurityModule>,
) -> Result<SocialCard, CardError> {
    let atr_history = atr_history(channel.atr());
    select_application(channel)?;
    let mut records = RecordReader::new(channel);

    let card_sn = hex(&required(&mut records, CardItem::CardSn)?);
    let region_code = card_sn.get(..6).unwrap_or_default().to_owned();
    let version = read(&mut records, CardItem::Version, ascii)?.unwrap_or_default();
    let generation = generation_of(&version)?;
    let issued_on = read(&mut records, CardItem::IssuedOn, packed_date)?;
    let expires_on = read(&mut records, CardItem::ExpiresOn, packed_date)?;
    if let Some(module) = module.filter(|_| generation == Generation::Third) {
        authenticate(records.channel(), &region_code, module)?;
    }
    let card_no = read(&mut records, CardItem::CardNo, ascii)?;

    if let Some(pin) = pin {
        show_pin(records.channel(), pin)?;
    }
    let id_no = read(&mut records, CardItem::IdNo, ascii)?;
    let name = full_name(&mut records, generation)?;
    let sex = read(&mut records, CardItem::Sex, ascii)?.and_then(|code| sex_of(&code));
    let nation = read(&mut records, CardItem::Nation, packed_decimal)?;
    let birthplace = read(&mut records, CardItem::Birthplace, packed_decimal)?;
    let birth_date = match id_no.as_deref().and_then(IdNumber::parse) {
        Some(number) => Some(number.birth_date),
        None => read(&mut records, CardItem::BirthDate, packed_date)?,
    };

    Ok(SocialCard {
        generation,
        version,
        region_code,
        card_sn,
        card_no,
        id_no,
        name,
        sex,
        nation,
        birthplace,
        birth_date,
        issued_on,
        expires_on,
        atr_history,
    })
}

/// SELECT of the application. The card's description of it (61xx) is left unread: nothing here needs it.
fn select_application<C: CardChannel>(channel: &mut C) -> Result<(), CardError> {
    let status = send(channel, &select_by_name(&APPLICATION_NAME))?.status;
    if status == StatusWord::OK || status.sw1() == 0x61 {
        return Ok(());
    }
    if !matches!(
        status,
        StatusWord::FILE_NOT_FOUND
            | StatusWord::WRONG_P1P2
            | StatusWord::WRONG_LENGTH
            | StatusWord::UNKNOWN_INSTRUCTION
            | StatusWord::UNKNOWN_CLASS
    ) {
        return Err(CardError::Refused {
            step: CardStep::SelectApplication,
            status,
        });
    }
    let bank = send(channel, &select_by_name(&BANK_APPLICATION))?.status;
    let kind = if bank == StatusWord::OK || bank.sw1() == 0x61 {
        OtherCard::Bank
    } else {
        OtherCard::Unknown
    };
    Err(CardError::NotSocial { kind })
}

fn show_pin<C: CardChannel>(channel: &mut C, pin: &Pin) -> Result<(), CardError> {
    match verify_pin(channel, pin)? {
        PinOutcome::Accepted => Ok(()),
        PinOutcome::Wrong { tries_left } => Err(CardError::PinWrong { tries_left }),
        PinOutcome::Locked => Err(CardError::PinLocked),
    }
}

/// Reads and decodes an item that a card may lack, leave blank or hide.
fn read<C: CardChannel, T>(
    records: &mut RecordReader<'_, C>,
    item: CardItem,
    decode: fn(&[u8]) -> Result<Option<T>, DataFault>,
) -> Result<Option<T>, CardError> {
    match records.read(item)? {
        Record::Value(value) => decode(&value).map_err(|source| CardError::Unreadable { item, source }),
        Record::Absent | Record::Hidden => Ok(None),
    }
}

/// 姓名 and, from generation 2.0 on, 姓名扩展: joined as bytes, because a character may lie across the border.
fn full_name<C: CardChannel>(
    records: &mut RecordReader<'_, C>,
    generation: Generation,
) -> Result<Option<String>, CardError> {
    let mut bytes = Zeroizing::new(Vec::new());
    for item in [CardItem::Name, CardItem::NameExtension] {
        if item == CardItem::NameExtension && generation == Generation::First {
            continue;
        }
        if let Record::Value(value) = records.read(item)? {
            bytes.extend_from_slice(unpadded(&value).unwrap_or_default());
        }
    }
    chinese(&bytes).map_err(|source| CardError::Unreadable {
        item: CardItem::Name,
        source,
    })
}

fn required<C: CardChannel>(
    records: &mut RecordReader<'_, C>,
    item: CardItem,
) -> Result<Zeroizing<Vec<u8>>, CardError> {
    match records.read(item)? {
        Record::Value(value) if value.len() >= 16 => Ok(value),
        Record::Value(value) => Err(CardError::Unreadable {
            item,
            source: DataFault::TooShort { length: value.len() },
        }),
        Record::Absent => Err(CardError::Unreadable {
            item,
            source: DataFault::Missing,
        }),
        Record::Hidden => Err(CardError::Refused {
            step: CardStep::Read(item),
            status: StatusWord::SECURITY,
        }),
    }
}

fn generation_of(version: &str) -> Result<Generation, CardError> {
    match version.chars().next() {
        Some('1') => Ok(Generation::First),
        None | Some('2') => Ok(Generation::Second),
        Some('3') => Ok(Generation::Third),
        Some(_) => Err(CardError::Unreadable {
            item: CardItem::Version,
            source: DataFault::UnknownVersion,
        }),
    }
}

fn sex_of(code: &str) -> Option<Sex> {
    match code {
        "1" => Some(Sex::Male),
        "2" => Some(Sex::Female),
        _ => None,
    }
}

/// The historical bytes: what follows the interface bytes that T0 and each TD announce.
fn atr_history(atr: &[u8]) -> String {
    let Some(t0) = atr.get(1) else {
        return String::new();
    };
    let (mut announced, mut start) = (t0 >> 4, 2);
    loop {
        start += [0x01, 0x02, 0x04]
            .iter()
            .filter(|bit| announced & **bit != 0)
            .count();
        if announced & 0x08 == 0 {
            break;
        }
        let Some(td) = atr.get(start) else {
            return String::new();
        };
        announced = td >> 4;
        start += 1;
    }
    let tail = atr.get(start..).unwrap_or_default();
    hex(tail.get(..usize::from(t0 & 0x0F)).unwrap_or(tail))
}
