//! GS1 element strings (a drug's GTIN, lot, expiry and serial in one code) and the GTIN's check digit.

use jiff::civil::Date;

/// Separates an element of variable length from the next one.
pub const SEPARATOR: char = '\u{1D}';

/// The elements a counter uses. Others are read over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gs1 {
    /// 01: GTIN of 14 digits, check digit verified.
    pub gtin: Option<String>,
    /// 10: lot.
    pub lot: Option<String>,
    /// 17: expiry; a day of 00 is the month's last.
    pub expires_on: Option<Date>,
    /// 21: serial number.
    pub serial: Option<String>,
}

/// Reads an element string; `None` if it is none to its last character. Some scanners send it as it is printed under
/// the symbol, with the identifiers in parentheses.
pub fn parse(text: &str) -> Option<Gs1> {
    if text.starts_with('(') {
        return parse_plain(&without_parentheses(text)?);
    }
    parse_plain(text)
}

/// `(01)…(10)…` as a symbol carries it: a separator before each identifier does no harm.
fn without_parentheses(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    for element in text.split('(').skip(1) {
        let (identifier, value) = element.split_once(')')?;
        let form = Form::of(identifier)?;
        if form.identifier_length != identifier.len() || value.contains(')') {
            return None;
        }
        plain.push(SEPARATOR);
        plain.push_str(identifier);
        plain.push_str(value);
    }
    Some(plain)
}

fn parse_plain(text: &str) -> Option<Gs1> {
    let mut rest = text.strip_prefix(SEPARATOR).unwrap_or(text);
    let mut elements = Gs1::default();
    if rest.is_empty()
        || !rest
            .chars()
            .all(|character| character == SEPARATOR || character.is_ascii_graphic())
    {
        return None;
    }
    while !rest.is_empty() {
        let form = Form::of(rest)?;
        let (identifier, tail) = rest.split_at_checked(form.identifier_length)?;
        let value = match form.value {
            ValueForm::Digits(length) => tail
                .get(..length)
                .filter(|value| value.bytes().all(|digit| digit.is_ascii_digit()))?,
            ValueForm::UpTo(length_max) => {
                let value = tail.split(SEPARATOR).next()?;
                (!value.is_empty() && value.len() <= length_max).then_some(value)?
            }
        };
        match identifier {
            "01" => elements.gtin = Some(value.to_owned()).filter(|gtin| is_gtin(gtin)).map(Some)?,
            "10" => elements.lot = Some(value.to_owned()),
            "17" => elements.expires_on = Some(date(value)?),
            "21" => elements.serial = Some(value.to_owned()),
            _ => {}
        }
        rest = tail.get(value.len()..)?;
        rest = rest.strip_prefix(SEPARATOR).unwrap_or(rest);
    }
    Some(elements)
}

/// Whether these are 8, 12, 13 or 14 digits with a right check digit.
pub fn is_gtin(text: &str) -> bool {
    if !matches!(text.len(), 8 | 12 | 13 | 14) || !text.bytes().all(|digit| digit.is_ascii_digit()) {
        return false;
    }
    let sum: u32 = text
        .bytes()
        .rev()
        .zip([1, 3].into_iter().cycle())
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    sum.is_multiple_of(10)
}

/// YYMMDD of this century.
fn date(digits: &str) -> Option<Date> {
    let number = |range: std::ops::Range<usize>| digits.get(range)?.parse::<i8>().ok();
    let (year, month, day) = (number(0..2)?, number(2..4)?, number(4..6)?);
    match day {
        0 => Some(Date::new(2000 + i16::from(year), month, 1).ok()?.last_of_month()),
        day => Date::new(2000 + i16::from(year), month, day).ok(),
    }
}

struct Form {
    identifier_length: usize,
    value: ValueForm,
}

enum ValueForm {
    Digits(usize),
    UpTo(usize),
}

impl Form {
    /// The form of the element at the start of `text`, from the GS1 General Specifications, section 3.
    fn of(text: &str) -> Option<Self> {
        let (identifier_length, value) = match text.get(..2)? {
            "00" => (2, ValueForm::Digits(18)),
            "01" | "02" | "03" => (2, ValueForm::Digits(14)),
            "11" | "12" | "13" | "15" | "16" | "17" => (2, ValueForm::Digits(6)),
            "20" => (2, ValueForm::Digits(2)),
            "10" | "21" | "22" => (2, ValueForm::UpTo(20)),
            "30" | "37" => (2, ValueForm::UpTo(8)),
            "90" => (2, ValueForm::UpTo(30)),
            "91" | "92" | "93" | "94" | "95" | "96" | "97" | "98" | "99" => (2, ValueForm::UpTo(90)),
            "41" => (3, ValueForm::Digits(13)),
            "23" | "24" | "25" | "40" | "42" | "71" => (3, ValueForm::UpTo(30)),
            "31" | "32" | "33" | "34" | "35" | "36" => (4, ValueForm::Digits(6)),
            "39" | "43" | "70" | "72" | "80" | "81" | "82" => (4, ValueForm::UpTo(90)),
            _ => return None,
        };
        Some(Self {
            identifier_length,
            value,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn elements(gtin: &str, lot: &str, expires_on: Option<Date>, serial: &str) -> Gs1 {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Gs1 {
            gtin: some(gtin),
            lot: some(lot),
            expires_on,
            serial: some(serial),
        }
    }

    #[test]
    fn reads_elements_in_any_order() {
        let cases = [
            ("0106901234567892", elements("06901234567892", "", None, "")),
            (
                "010690123456789217281231 10AB12".replace(' ', "").leak() as &str,
                elements("06901234567892", "AB12", Some(date(2028, 12, 31)), ""),
            ),
            (
                "10AB12\u{1D}0106901234567892\u{1D}21SER/1",
                elements("06901234567892", "AB12", None, "SER/1"),
            ),
            // A day of 00 in a leap year; production date, quantity and weight are read over.
            (
                "\u{1D}1728020011270101305\u{1D}3103000195",
                elements("", "", Some(date(2028, 2, 29)), ""),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn refuses_what_is_no_element_string() {
        for text in [
            "",
            "\u{1D}",
            "0106901234567893", // check digit
            "010690123456789",  // too short
            "17281331",         // month 13
            "172812",
            "10",
            "10ABCDEFGHIJKLMNOPQRSTU", // lot of 21
            "0106901234567892X",
            "01中文901234567892",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn knows_a_gtin_by_its_check_digit() {
        for good in [
            "6901234567892",
            "06901234567892",
            "96385074",
            "036000291452",
            "4006381333931",
        ] {
            assert!(is_gtin(good), "{good}");
        }
        for bad in [
            "6901234567893",
            "690123456789",
            "12345678901234567890",
            "690123456789X",
            "",
        ] {
            assert!(!is_gtin(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn random_text_never_breaks_the_parser(text in ".{0,60}") {
            let _ = (parse(&text), is_gtin(&text));
        }
    }
}
