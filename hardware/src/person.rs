//! The person file: what a virtual social-security card holds, as JSON.
//!
//! A card is described by a JSON object. Every key may be left out; an unknown key is an error.
//!
//! | key | meaning | when left out |
//! |---|---|---|
//! | `version` | 规范版本, `"1.00"`, `"2.00"`, `"3.00"` … | `"2.00"` |
//! | `card_sn` | 卡识别码, 32 hexadecimal digits | region 530100 and a fixed tail |
//! | `card_no` | 卡号, up to 9 characters | `"A12345678"` |
//! | `id_no` | 社会保障号码, up to 18 characters | `"530102195803020019"` |
//! | `name` | 姓名; what does not fit in 30 bytes of GB18030 goes to 姓名扩展 | `"张三"` |
//! | `sex` | `"1"` or `"2"` | `"1"` |
//! | `nation` | two digits | `"01"` |
//! | `birthplace` | region code, six digits | `"530102"` |
//! | `birth_date` | `YYYYMMDD` | `"19580302"` |
//! | `issued_on`, `expires_on` | `YYYYMMDD` | `"20200101"`, `"20991231"` |
//! | `atr` | answer to reset, hexadecimal | 3B6D0000 and 13 historical bytes, the last six from `card_sn` |
//! | `pin` | six digits; the card locks after three wrong ones | `"123456"` |
//!
//! A card of version 3 hides 卡号, 社会保障号码 and 姓名, as real ones do without external authentication.

use std::io;

use encoding_rs::GB18030;
use serde::Deserialize;

use crate::card_record::from_hex;

/// Why there is no virtual card, or why it left the reader.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VirtualCardError {
    /// The person file is no JSON of the right form.
    #[error("the person file cannot be read")]
    Json(#[from] serde_json::Error),
    /// A field of the person file does not fit on a card.
    #[error("the person file's `{field}` does not fit on a card")]
    Field {
        /// Its key.
        field: &'static str,
    },
    /// The virtual reader does not listen, or went away.
    #[error("the virtual reader is not there")]
    Reader(#[from] io::Error),
}

impl VirtualCardError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Json(_) | Self::Field { .. } => "PERSON_FILE_INVALID",
            Self::Reader(_) => "VIRTUAL_READER_MISSING",
        }
    }
}

/// What a virtual card holds; see the module for its keys in JSON.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Person {
    /// 规范版本.
    pub version: String,
    /// 卡识别码.
    pub card_sn: String,
    /// 卡号.
    pub card_no: String,
    /// 社会保障号码.
    pub id_no: String,
    /// 姓名.
    pub name: String,
    /// 性别.
    pub sex: String,
    /// 民族.
    pub nation: String,
    /// 出生地.
    pub birthplace: String,
    /// 出生日期.
    pub birth_date: String,
    /// 发卡日期.
    pub issued_on: String,
    /// 卡有效期.
    pub expires_on: String,
    /// Answer to reset.
    pub atr: Option<String>,
    /// PIN.
    pub pin: String,
}

impl Default for Person {
    fn default() -> Self {
        Self {
            version: "2.00".to_owned(),
            card_sn: "530100D1560000050000000000000001".to_owned(),
            card_no: "A12345678".to_owned(),
            id_no: "530102195803020019".to_owned(),
            name: "张三".to_owned(),
            sex: "1".to_owned(),
            nation: "01".to_owned(),
            birthplace: "530102".to_owned(),
            birth_date: "19580302".to_owned(),
            issued_on: "20200101".to_owned(),
            expires_on: "20991231".to_owned(),
            atr: None,
            pin: "123456".to_owned(),
        }
    }
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// Digits, or hexadecimal for the card identification code, packed and padded with F.
pub(crate) fn packed(field: &'static str, digits: &str, length: usize) -> Result<Vec<u8>, VirtualCardError> {
    let even = if digits.len().is_multiple_of(2) {
        digits.to_owned()
    } else {
        format!("{digits}F")
    };
    let mut bytes = from_hex(&even)
        .filter(|bytes| bytes.len() <= length)
        .ok_or(VirtualCardError::Field { field })?;
    bytes.resize(length, 0xFF);
    Ok(bytes)
}

pub(crate) fn padded(field: &'static str, text: &[u8], length: usize) -> Result<Vec<u8>, VirtualCardError> {
    let mut bytes = text.to_vec();
    if bytes.len() > length || !bytes.is_ascii() {
        return Err(VirtualCardError::Field { field });
    }
    bytes.resize(length, 0x00);
    Ok(bytes)
}

/// The name in GB18030: 30 bytes of whole characters, and the rest for the extension of generation 2.0.
pub(crate) fn split_name(person: &Person) -> Result<(Vec<u8>, Vec<u8>), VirtualCardError> {
    let error = || VirtualCardError::Field { field: "name" };
    let (mut name, mut extension) = (Vec::new(), Vec::new());
    for character in person.name.chars() {
        let mut buffer = [0; 4];
        let (bytes, _, unmappable) = GB18030.encode(character.encode_utf8(&mut buffer));
        if unmappable {
            return Err(error());
        }
        let part = if extension.is_empty() && name.len() + bytes.len() <= 30 {
            &mut name
        } else {
            &mut extension
        };
        part.extend_from_slice(&bytes);
    }
    if extension.len() > 20 || (!extension.is_empty() && person.version.starts_with('1')) {
        return Err(error());
    }
    name.resize(30, 0x00);
    extension.resize(20, 0xFF);
    Ok((name, extension))
}
