//! The bytes of one record: tag, length, value; packed decimal, dates, GB18030 text, and what padding means.

use encoding_rs::GB18030;
use jiff::civil::Date;

use crate::card_error::DataFault;

/// The value of a record whose tag must be `tag`. Bytes behind the stated length are ignored.
pub fn value_of(record: &[u8], tag: u8) -> Result<&[u8], DataFault> {
    let (found, value) = split(record)?;
    if found == tag {
        Ok(value)
    } else {
        Err(DataFault::WrongTag { expected: tag, found })
    }
}

/// Tag and value of a record.
pub fn split(record: &[u8]) -> Result<(u8, &[u8]), DataFault> {
    let [tag, length, rest @ ..] = record else {
        return Err(DataFault::TooShort { length: record.len() });
    };
    let stated = usize::from(*length);
    let value = rest.get(..stated).ok_or(DataFault::Truncated {
        stated,
        found: rest.len(),
    })?;
    Ok((*tag, value))
}

/// A left-aligned value without its padding: it ends before a tail of 00 and FF. Blank values are `None`.
pub fn unpadded(value: &[u8]) -> Option<&[u8]> {
    let end = value
        .iter()
        .rposition(|byte| !matches!(byte, 0x00 | 0xFF))
        .map_or(0, |last| last + 1);
    value.get(..end).filter(|kept| !kept.is_empty())
}

/// Text of the AN class: letters, digits and the like in ASCII. Blank is `None`.
pub fn ascii(value: &[u8]) -> Result<Option<String>, DataFault> {
    let Some(kept) = unpadded(value) else {
        return Ok(None);
    };
    if !kept.iter().all(|byte| matches!(byte, 0x20..0x7F)) {
        return Err(DataFault::NotText);
    }
    Ok(not_blank(&String::from_utf8_lossy(kept)))
}

/// Text in GB18030, four-byte characters included. It ends at the first 00 or FF, neither of which is in any
/// character. Blank is `None`.
pub fn chinese(value: &[u8]) -> Result<Option<String>, DataFault> {
    let kept = value
        .split(|byte| matches!(byte, 0x00 | 0xFF))
        .next()
        .unwrap_or_default();
    let text = GB18030
        .decode_without_bom_handling_and_without_replacement(kept)
        .ok_or(DataFault::NotText)?;
    Ok(not_blank(&text))
}

fn not_blank(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Packed decimal digits, without the F padding. Blank is `None`.
pub fn packed_decimal(value: &[u8]) -> Result<Option<String>, DataFault> {
    let Some(kept) = value
        .iter()
        .rposition(|byte| *byte != 0xFF)
        .and_then(|last| value.get(..=last))
    else {
        return Ok(None);
    };
    let mut digits = hex(kept);
    if digits.ends_with('F') {
        digits.pop();
    }
    if digits.bytes().all(|digit| digit.is_ascii_digit()) {
        Ok(Some(digits))
    } else {
        Err(DataFault::NotDecimal)
    }
}

/// A date of four bytes of packed decimal, YYYYMMDD. All F or all 0 is `None`.
pub fn packed_date(value: &[u8]) -> Result<Option<Date>, DataFault> {
    match packed_decimal(value)? {
        None => Ok(None),
        Some(digits) if digits.bytes().all(|digit| digit == b'0') => Ok(None),
        Some(digits) if digits.len() == 8 => Date::strptime("%Y%m%d", &digits)
            .map(Some)
            .map_err(|_| DataFault::NotADate),
        Some(digits) => Err(DataFault::TooShort {
            length: digits.len() / 2,
        }),
    }
}

/// Upper-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02X}");
    }
    text
}

/// Bytes of hexadecimal text, spaces allowed; `None` if it is none.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|character| *character != ' ')
        .map(|character| character.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty()
        .then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn splits_records_and_says_what_is_wrong() {
        assert_eq!(
            value_of(&[0x03, 0x02, 0x41, 0x42, 0x99], 0x03),
            Ok(&[0x41, 0x42][..])
        );
        assert_eq!(value_of(&[0x03], 0x03), Err(DataFault::TooShort { length: 1 }));
        assert_eq!(
            value_of(&[0x04, 0x00], 0x03),
            Err(DataFault::WrongTag {
                expected: 3,
                found: 4
            })
        );
        assert_eq!(
            value_of(&[0x03, 0x04, 0x41], 0x03),
            Err(DataFault::Truncated { stated: 4, found: 1 })
        );
    }

    #[test]
    fn decodes_text_of_every_length_of_character() {
        // 王 2 bytes, 㐂 (81 39 EF 31) and 𠮷 (95 34 B2 35) 4 bytes each, padded with 00 or FF.
        let name = [
            0xCD, 0xF5, 0x81, 0x39, 0xEF, 0x31, 0x95, 0x34, 0xB2, 0x35, 0x00, 0x00,
        ];
        assert_eq!(chinese(&name), Ok(Some("王㐂𠮷".to_owned())));
        assert_eq!(chinese(&[0xCD, 0xF5, 0xFF, 0xFF]), Ok(Some("王".to_owned())));
        assert_eq!(chinese(&[0xFF; 20]), Ok(None));
        assert_eq!(chinese(&[0x00; 30]), Ok(None));
        assert_eq!(chinese(&[0x20; 30]), Ok(None));
        assert_eq!(chinese(&[0xCD, 0xF5, 0x81, 0x00]), Err(DataFault::NotText));
    }

    #[test]
    fn decodes_packed_dates() {
        assert_eq!(
            packed_date(&[0x20, 0x31, 0x12, 0x02]),
            Ok(Some(jiff::civil::date(2031, 12, 2)))
        );
        assert_eq!(packed_date(&[0xFF; 4]), Ok(None));
        assert_eq!(packed_date(&[0x00; 4]), Ok(None));
        assert_eq!(packed_date(&[0x20, 0x23, 0x02, 0x30]), Err(DataFault::NotADate));
        assert_eq!(packed_date(&[0x20, 0x2A, 0x02, 0x30]), Err(DataFault::NotDecimal));
        assert_eq!(
            packed_date(&[0x20, 0x23, 0xFF, 0xFF]),
            Err(DataFault::TooShort { length: 2 })
        );
        assert_eq!(packed_decimal(&[0x53, 0x01, 0xFF]), Ok(Some("5301".to_owned())));
        assert_eq!(packed_decimal(&[0x53, 0x0F]), Ok(Some("530".to_owned())));
    }

    #[test]
    fn hexadecimal_goes_both_ways() {
        assert_eq!(from_hex("3B 6d00"), Some(vec![0x3B, 0x6D, 0x00]));
        assert_eq!(hex(&[0x3B, 0x6D, 0x00]), "3B6D00");
        assert_eq!(from_hex("3B6"), None);
        assert_eq!(from_hex("3B6G"), None);
    }

    proptest! {
        #[test]
        fn random_bytes_never_break_the_decoders(bytes in proptest::collection::vec(any::<u8>(), 0..64), tag in any::<u8>()) {
            if let Ok(value) = value_of(&bytes, tag) {
                prop_assert_eq!(value.len(), usize::from(bytes[1]));
            }
            let _ = (ascii(&bytes), chinese(&bytes), packed_decimal(&bytes), packed_date(&bytes));
            prop_assert_eq!(from_hex(&hex(&bytes)), Some(bytes));
        }
    }
}
