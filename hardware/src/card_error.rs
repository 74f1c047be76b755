//! Why a card was not read: the reader broke, the card refused, its data are unreadable, or it is another card.

use crate::apdu::StatusWord;
use crate::channel::ReaderFault;

/// Why a social-security card was not read. Nothing in it tells whose card it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CardError {
    /// The reader, its service or the contact to the card failed.
    #[error(transparent)]
    Reader(#[from] ReaderFault),
    /// The card answered a command with a refusal.
    #[error("the card refused to {step}: status {status}")]
    Refused {
        /// What was asked of the card.
        step: CardStep,
        /// The card's answer.
        status: StatusWord,
    },
    /// The card answered, and what it holds cannot be understood.
    #[error("the card's {item} cannot be read")]
    Unreadable {
        /// The data item.
        item: CardItem,
        /// What is wrong with it.
        #[source]
        source: DataFault,
    },
    /// The card works and is not a social-security card.
    #[error("not a social-security card ({kind})")]
    NotSocial {
        /// What it seems to be.
        kind: OtherCard,
    },
    /// No security module is where one should be.
    #[error("no security module answers")]
    ModuleMissing,
    /// The card does not accept what the security module says.
    #[error("the card does not accept the security module: status {status}")]
    NotAuthenticated {
        /// The card's answer; 63Cx tells the tries left.
        status: StatusWord,
    },
    /// The PIN is wrong.
    #[error("wrong PIN, {tries_left} tries left")]
    PinWrong {
        /// How often the card still accepts a try.
        tries_left: u8,
    },
    /// The PIN is locked after too many wrong tries.
    #[error("the card's PIN is locked")]
    PinLocked,
}

impl CardError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Reader(fault) => fault.code(),
            Self::Refused {
                step: CardStep::AskModule,
                ..
            } => "PSAM_REFUSED",
            Self::Refused { status, .. } if status.says_locked() => "CARD_LOCKED",
            Self::Refused { .. } => "CARD_REFUSED",
            Self::Unreadable { .. } => "CARD_UNREADABLE",
            Self::NotSocial { .. } => "CARD_NOT_SOCIAL",
            Self::ModuleMissing => "PSAM_MISSING",
            Self::NotAuthenticated { .. } => "PSAM_NOT_ACCEPTED",
            Self::PinWrong { .. } => "PIN_WRONG",
            Self::PinLocked => "PIN_LOCKED",
        }
    }
}

/// What the terminal asked of the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardStep {
    /// SELECT of the social-security application.
    SelectApplication,
    /// READ RECORD of one data item.
    Read(CardItem),
    /// VERIFY of the PIN.
    VerifyPin,
    /// GET CHALLENGE.
    GetChallenge,
    /// The security module's part in authentication.
    AskModule,
}

impl std::fmt::Display for CardStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SelectApplication => f.write_str("select the social-security application"),
            Self::Read(item) => write!(f, "read the {item}"),
            Self::GetChallenge => f.write_str("give a challenge"),
            Self::AskModule => f.write_str("let the security module authenticate"),
            Self::VerifyPin => f.write_str("verify the PIN"),
        }
    }
}

/// What the card in the reader seems to be, if not a social-security card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherCard {
    /// A bank card: the UnionPay application answers.
    Bank,
    /// Anything else, such as a resident ID card or an access card.
    Unknown,
}

impl std::fmt::Display for OtherCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Bank => "a bank card",
            Self::Unknown => "an unknown card",
        })
    }
}

/// A data item of the card, or the answer as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CardItem {
    /// The answer itself, before any item was found in it.
    Answer,
    /// 卡识别码.
    CardSn,
    /// 规范版本.
    Version,
    /// 发卡日期.
    IssuedOn,
    /// 卡有效期.
    ExpiresOn,
    /// 卡号.
    CardNo,
    /// 社会保障号码.
    IdNo,
    /// 姓名.
    Name,
    /// 姓名扩展.
    NameExtension,
    /// 性别.
    Sex,
    /// 民族.
    Nation,
    /// 出生地.
    Birthplace,
    /// 出生日期.
    BirthDate,
}

impl std::fmt::Display for CardItem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Answer => "answer",
            Self::CardSn => "card identification code",
            Self::Version => "version",
            Self::IssuedOn => "date of issue",
            Self::ExpiresOn => "date of expiry",
            Self::CardNo => "card number",
            Self::IdNo => "social security number",
            Self::Name => "name",
            Self::NameExtension => "name extension",
            Self::Sex => "sex",
            Self::Nation => "nation",
            Self::Birthplace => "birthplace",
            Self::BirthDate => "date of birth",
        })
    }
}

/// What is wrong with bytes of the card. Never holds the bytes themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DataFault {
    /// Fewer bytes than needed.
    #[error("{length} bytes are too few")]
    TooShort {
        /// How many there are.
        length: usize,
    },
    /// The record carries another tag than the one asked for.
    #[error("tag {found:02X} instead of {expected:02X}")]
    WrongTag {
        /// The tag asked for.
        expected: u8,
        /// The tag found.
        found: u8,
    },
    /// The record is shorter than the length it states.
    #[error("{found} bytes of {stated}")]
    Truncated {
        /// The stated length.
        stated: usize,
        /// The bytes there are.
        found: usize,
    },
    /// A digit of packed decimal is none.
    #[error("not packed decimal")]
    NotDecimal,
    /// The digits are no date of the calendar.
    #[error("not a date")]
    NotADate,
    /// The bytes are no text of GB18030.
    #[error("not GB18030 text")]
    NotText,
    /// The item is empty or missing and must not be.
    #[error("missing")]
    Missing,
    /// A version this program does not know.
    #[error("unknown version")]
    UnknownVersion,
    /// The card kept sending continuation answers.
    #[error("the answer has no end")]
    Endless,
}
