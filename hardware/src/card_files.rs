//! The layout of the social-security application: name, files, and the tag and length of each record.

use crate::card_error::CardItem;

/// The application's name, `sx1.sh.社会保障` in GB18030.
pub(crate) const APPLICATION_NAME: [u8; 15] = [
    0x73, 0x78, 0x31, 0x2E, 0x73, 0x68, 0x2E, 0xC9, 0xE7, 0xBB, 0xE1, 0xB1, 0xA3, 0xD5, 0xCF,
];

/// The UnionPay debit application, by which a bank card is known.
pub(crate) const BANK_APPLICATION: [u8; 8] = [0xA0, 0x00, 0x00, 0x03, 0x33, 0x01, 0x01, 0x01];

/// The two files a counter reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CardFile {
    /// EF05, issuer data.
    Issuer,
    /// EF06, the holder's basic data.
    Holder,
}

impl CardFile {
    /// File identifier.
    pub(crate) fn id(self) -> u16 {
        match self {
            Self::Issuer => 0xEF05,
            Self::Holder => 0xEF06,
        }
    }

    /// Short file identifier, already at its place in P2.
    pub(crate) fn short_id_in_p2(self) -> u8 {
        match self {
            Self::Issuer => 0x05 << 3,
            Self::Holder => 0x06 << 3,
        }
    }
}

/// Where a data item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: CardFile,
    pub(crate) tag: u8,
    /// Length of the value, without tag and length byte.
    pub(crate) length: u8,
}

impl CardItem {
    /// Where this item stands; `None` for what is no record.
    pub(crate) fn place(self) -> Option<Place> {
        let (file, tag, length) = match self {
            Self::Answer => return None,
            Self::CardSn => (CardFile::Issuer, 0x01, 16),
            Self::Version => (CardFile::Issuer, 0x03, 4),
            Self::IssuedOn => (CardFile::Issuer, 0x05, 4),
            Self::ExpiresOn => (CardFile::Issuer, 0x06, 4),
            Self::CardNo => (CardFile::Issuer, 0x07, 9),
            Self::IdNo => (CardFile::Holder, 0x08, 18),
            Self::Name => (CardFile::Holder, 0x09, 30),
            Self::NameExtension => (CardFile::Holder, 0x4E, 20),
            Self::Sex => (CardFile::Holder, 0x0A, 1),
            Self::Nation => (CardFile::Holder, 0x0B, 1),
            Self::Birthplace => (CardFile::Holder, 0x0C, 3),
            Self::BirthDate => (CardFile::Holder, 0x0D, 4),
        };
        Some(Place { file, tag, length })
    }
}
