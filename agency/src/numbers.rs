//! Numbers as gateways write them, read from their digits, never through a float.

use std::borrow::Cow;

use yijie_rules::Money;

/// The digits of a whole number and whether it is below zero, however it is written (`3.59754E5`, `00`, `-1.0`).
pub(crate) fn whole_digits(token: &str) -> Option<(bool, String)> {
    let unsigned = token.strip_prefix(['-', '+']).unwrap_or(token);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let exponent = exponent.parse::<i32>().ok().filter(|e| e.abs() <= 40)?;
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = [whole, part].concat();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let places = i32::try_from(whole.len()).ok()? + exponent;
    let places = usize::try_from(places).unwrap_or(0);
    if digits.len() > places {
        let rest = digits.split_off(places);
        if rest.bytes().any(|byte| byte != b'0') {
            return None;
        }
    }
    digits.extend(std::iter::repeat_n('0', places.saturating_sub(digits.len())));
    if digits.is_empty() {
        digits.push('0');
    }
    Some((token.starts_with('-'), digits))
}

/// A whole number, however it is written.
pub(crate) fn whole_number(text: &str) -> Option<i64> {
    let (negative, digits) = whole_digits(text)?;
    let sign = if negative { "-" } else { "" };
    format!("{sign}{digits}").parse().ok()
}

/// An amount, and whether digits below the fen were rounded away (half up).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) money: Money,
    pub(crate) rounded: bool,
}

/// `1,234.50` without its commas; None where they do not stand between thousands.
fn without_commas(token: &str) -> Option<String> {
    let (whole, part) = token.split_once('.').unwrap_or((token, ""));
    let (first, rest) = whole.trim_start_matches(['-', '+']).split_once(',')?;
    let thousands = rest.split(',').all(|group| group.len() == 3) && (1..=3).contains(&first.len());
    (thousands && !part.contains(',')).then(|| token.replace(',', ""))
}

/// National amounts are N16,2: sixteen digits, two of them decimals.
const FEN_END: i128 = 10_000_000_000_000_000;
const DIGITS_MAX: u32 = 36;

/// Reads a JSON number or decimal string (sign, point, exponent) exactly. None if it is no number or does not
/// fit N16,2.
pub(crate) fn amount(token: &str) -> Option<Amount> {
    let plain;
    let token = if token.contains(',') {
        plain = without_commas(token)?;
        plain.as_str()
    } else {
        token
    };
    let negative = token.starts_with('-');
    let digits = token.strip_prefix(['-', '+']).unwrap_or(token);
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok().filter(|e| e.abs() <= 40)?),
        None => (digits, 0),
    };
    let (mut fen, mut read, mut decimals) = (0_i128, 0_u32, None);
    for byte in mantissa.bytes() {
        match byte {
            b'0'..=b'9' if read < DIGITS_MAX => {
                fen = fen.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
                read += 1;
                decimals = decimals.map(|decimals: i32| decimals + 1);
            }
            b'.' if decimals.is_none() => decimals = Some(0),
            _ => return None,
        }
    }
    let mut shift = exponent + 2 - decimals.unwrap_or(0);
    let mut rounded = false;
    while shift > 0 {
        fen = fen.checked_mul(10)?;
        shift -= 1;
    }
    if shift < 0 {
        let unit = 10_i128.checked_pow(shift.unsigned_abs().min(38))?;
        rounded = fen % unit != 0;
        fen = fen / unit + i128::from(fen % unit * 2 >= unit);
    }
    if read == 0 || fen >= FEN_END {
        return None;
    }
    let fen = i64::try_from(fen).ok()?;
    Some(Amount {
        money: Money::from_fen(if negative { -fen } else { fen }),
        rounded,
    })
}

/// The same where nobody asks what was rounded.
pub(crate) fn money(token: &str) -> Option<Money> {
    amount(token).map(|amount| amount.money)
}

/// An amount as an agency tells it.
pub(crate) fn told_money(text: &str) -> Option<Money> {
    money(&without_currency(text))
}

/// A text as its plain half-width form: `２０．００` is 20.00.
pub(crate) fn half_width(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let narrow = |letter: char| match letter {
        '\u{3000}' | '\u{a0}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => u8::try_from(u32::from(letter) - 0xfee0).map_or(letter, char::from),
        _ => letter,
    };
    Cow::Owned(text.chars().map(narrow).collect())
}

/// An amount without the currency that stands with it (`￥20`, `20.00元`), in half-width digits.
pub(crate) fn without_currency(text: &str) -> Cow<'_, str> {
    let narrow = half_width(text);
    let mut bare = narrow.trim();
    for sign in ["¥", "￥", "RMB", "CNY"] {
        bare = bare.strip_prefix(sign).unwrap_or(bare).trim_start();
    }
    for unit in ["元", "CNY", "RMB"] {
        bare = bare.strip_suffix(unit).unwrap_or(bare).trim_end();
    }
    if bare == text {
        return Cow::Borrowed(text);
    }
    Cow::Owned(bare.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_from_their_digits() {
        for (token, text, rounded) in [
            ("0", "0.00", false),
            ("0.0", "0.00", false),
            ("-0.0", "0.00", false),
            ("4.52", "4.52", false),
            ("-25.1", "-25.10", false),
            ("+7", "7.00", false),
            ("12345678901234.67", "12345678901234.67", false),
            ("1.005", "1.01", true),
            ("1.0049", "1.00", true),
            ("4.500000", "4.50", false),
            ("1.5e3", "1500.00", false),
            ("25E-1", "2.50", false),
            ("1,234.50", "1234.50", false),
            ("-12,345,678", "-12345678.00", false),
            ("1e-3", "0.00", true),
            (".5", "0.50", false),
        ] {
            let money = Money::parse(text).unwrap();
            assert_eq!(amount(token), Some(Amount { money, rounded }), "{token}");
        }
        for token in [
            "",
            "-",
            ".",
            "1,5",
            "abc",
            "1e99",
            "NaN",
            "--1",
            "1.2.3",
            "99999999999999999999",
        ] {
            assert_eq!(amount(token), None, "{token}");
        }
    }

    #[test]
    fn whole_numbers_are_read_however_they_are_written() {
        for (token, digits) in [
            ("4001", Some("4001")),
            ("0020", Some("0020")),
            ("4001.0", Some("4001")),
            ("3.59754E5", Some("359754")),
            ("5.3e+28", Some("53000000000000000000000000000")),
            ("200e-1", Some("20")),
            ("0e5", Some("000000")),
            ("0.00", Some("0")),
            ("1e-9", None),
            ("1.5", None),
            ("1e400", None),
            ("0x0", None),
            ("", None),
            ("12E", None),
        ] {
            let read = whole_digits(token).map(|(_, digits)| digits);
            assert_eq!(read.as_deref(), digits, "{token}");
        }
        assert_eq!([whole_number("-1.00"), whole_number("0E-9")], [Some(-1), Some(0)]);
    }

    #[test]
    fn a_currency_is_no_part_of_an_amount() {
        for (text, bare) in [
            ("20.00元", "20.00"),
            (" 20.00 元 ", "20.00"),
            ("￥20", "20"),
            ("¥ 20", "20"),
            ("RMB20.00", "20.00"),
            ("２０．００", "20.00"),
            ("1，234.50", "1,234.50"),
            ("2万元", "2万"),
            ("20.00", "20.00"),
        ] {
            assert_eq!(without_currency(text), bare, "{text}");
        }
    }
}
