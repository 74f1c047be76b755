//! The 18-digit citizen number (公民身份号码, GB 11643): check digit, birth date, sex.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Sex as the national code table writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Sex {
    /// 男, code 1.
    #[serde(rename = "1")]
    Male,
    /// 女, code 2.
    #[serde(rename = "2")]
    Female,
}

impl Sex {
    /// The code, `1` or `2`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Male => "1",
            Self::Female => "2",
        }
    }
}

/// What a citizen number with a right check digit says. It does not keep the number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IdNumber {
    /// Date of birth.
    pub birth_date: Date,
    /// Sex.
    pub sex: Sex,
}

impl std::fmt::Debug for IdNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdNumber(…)")
    }
}

impl IdNumber {
    /// Reads a citizen number: 17 digits and a right check digit (`0`–`9`, `X` or `x`), a date that exists.
    pub fn parse(text: &str) -> Option<Self> {
        let characters: &[u8; 18] = text.as_bytes().try_into().ok()?;
        let (body, last) = (characters.first_chunk::<17>()?, characters.last()?);
        if check_digit(body)? != last.to_ascii_uppercase() {
            return None;
        }
        let birth_date = Date::strptime("%Y%m%d", text.get(6..14)?).ok()?;
        let [.., order] = body;
        let sex = if order % 2 == 1 { Sex::Male } else { Sex::Female };
        Some(Self { birth_date, sex })
    }
}

/// The check digit of 17 digits, ISO 7064 MOD 11-2; `None` if one of them is no digit.
pub fn check_digit(body: &[u8; 17]) -> Option<u8> {
    let mut remainder = 0u32;
    for character in body {
        let digit = char::from(*character).to_digit(10)?;
        remainder = (remainder + digit) * 2 % 11;
    }
    let check = (12 - remainder) % 11;
    if check == 10 {
        Some(b'X')
    } else {
        u8::try_from(check).ok().map(|digit| b'0' + digit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_with_a_right_check_digit() {
        // The worked examples of GB 11643-1999, annex A.
        let number = IdNumber::parse("11010519491231002X").unwrap();
        assert_eq!(number.birth_date.to_string(), "1949-12-31");
        assert_eq!(number.sex, Sex::Female);
        let number = IdNumber::parse("440524188001010014").unwrap();
        assert_eq!(number.birth_date.to_string(), "1880-01-01");
        assert_eq!(number.sex, Sex::Male);
        assert!(IdNumber::parse("11010519491231002x").is_some());
    }

    #[test]
    fn refuses_every_wrong_check_digit_and_odd_text() {
        for last in "0123456789".chars() {
            assert_eq!(
                IdNumber::parse(&format!("11010519491231002{last}")),
                None,
                "{last}"
            );
        }
        // Right check digit, no such day.
        let body = b"11010519490231002";
        let text = format!(
            "{}{}",
            std::str::from_utf8(body).unwrap(),
            char::from(check_digit(body).unwrap())
        );
        assert_eq!(IdNumber::parse(&text), None);
        for text in [
            "",
            "1",
            "11010519491231002",
            "11010519491231002XX",
            "110105194912310O2X",
            "身份证号码六字",
        ] {
            assert_eq!(IdNumber::parse(text), None, "{text}");
        }
    }

    #[test]
    fn one_wrong_digit_or_two_swapped_are_always_found() {
        let good = b"11010519491231002X";
        for place in 0..17 {
            for digit in b'0'..=b'9' {
                let mut text = *good;
                if text[place] == digit {
                    continue;
                }
                text[place] = digit;
                assert_eq!(
                    IdNumber::parse(std::str::from_utf8(&text).unwrap()),
                    None,
                    "place {place}"
                );
            }
            if place < 16 && good[place] != good[place + 1] {
                let mut text = *good;
                text.swap(place, place + 1);
                assert_eq!(
                    IdNumber::parse(std::str::from_utf8(&text).unwrap()),
                    None,
                    "swap {place}"
                );
            }
        }
    }
}
