//! Reading JSON that does not keep to its specification: numbers or strings, null or missing, an object inside a
//! string, one object where a list belongs. Numbers are read from their digits, never through a float.

use std::collections::BTreeMap;

use serde_json::{Value, value::RawValue};
use yijie_rules::Money;

/// A piece of valid JSON, unread.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a>(&'a RawValue);

/// An object's fields.
pub(crate) struct Fields<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Node<'a> {
    /// The whole text as one JSON value.
    pub(crate) fn parse(text: &'a str) -> Option<Node<'a>> {
        serde_json::from_str(text).ok().map(Node)
    }

    /// The raw text.
    pub(crate) fn raw(self) -> &'a str {
        self.0.get()
    }

    pub(crate) fn is_null(self) -> bool {
        self.raw() == "null"
    }

    pub(crate) fn is_string(self) -> bool {
        self.raw().starts_with('"')
    }

    /// An object's fields.
    pub(crate) fn fields(self) -> Option<Fields<'a>> {
        serde_json::from_str(self.raw()).ok().map(Fields)
    }

    /// The rows of a list; a single object counts as a list of one.
    pub(crate) fn items(self) -> Vec<Node<'a>> {
        match serde_json::from_str::<Vec<&'a RawValue>>(self.raw()) {
            Ok(rows) => rows.into_iter().map(Node).collect(),
            Err(_) if self.raw().starts_with('{') => vec![self],
            Err(_) => Vec::new(),
        }
    }

    /// The same with every number as the text of its digits, and without what is null. None: it is nested deeper.
    pub(crate) fn in_texts(self, depth_max: u32) -> Option<Value> {
        let depth_max = depth_max.checked_sub(1)?;
        let raw = self.raw();
        Some(match raw.as_bytes().first()? {
            b'{' => {
                let fields: BTreeMap<String, &RawValue> = serde_json::from_str(raw).ok()?;
                let given = fields.into_iter().filter(|(_, raw)| raw.get() != "null");
                let read = given.map(|(name, raw)| Some((name, Node(raw).in_texts(depth_max)?)));
                Value::Object(read.collect::<Option<_>>()?)
            }
            b'[' => {
                let rows = self.items().into_iter().filter(|row| !row.is_null());
                Value::Array(rows.map(|row| row.in_texts(depth_max)).collect::<Option<_>>()?)
            }
            b'"' => serde_json::from_str(raw).ok()?,
            _ => Value::String(raw.to_owned()),
        })
    }

    /// A string's or number's text, trimmed; None for null, the empty string, the word null, lists and objects.
    pub(crate) fn text(self) -> Option<String> {
        let raw = self.raw();
        let text = match raw.as_bytes().first() {
            Some(b'"') => serde_json::from_str::<String>(raw).ok()?.trim().to_owned(),
            Some(b'{' | b'[') | None => return None,
            Some(_) => raw.to_owned(),
        };
        (!text.is_empty() && text != "null").then_some(text)
    }
}

impl<'a> Fields<'a> {
    /// A field, if it is there and not null: under its name, or under the same letters in another style
    /// (`medfeeSumamt`, `MEDFEE_SUMAMT`, `medfee_sum_amt`).
    pub(crate) fn get(&self, name: &str) -> Option<Node<'a>> {
        let raw = self
            .0
            .get(name)
            .or_else(|| self.respelled(name).map(|(_, raw)| raw));
        raw.map(|raw| Node(raw)).filter(|node| !node.is_null())
    }

    /// Whether the field is there at all, even as null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The name and value of a field whose name differs in capitals and underscores only.
    fn respelled(&self, name: &str) -> Option<(&str, &&'a RawValue)> {
        let found = self.0.iter().find(|(key, _)| same_letters(key, name));
        found.map(|(key, raw)| (key.as_str(), raw))
    }

    /// The names, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// How a field is spelled here, if not by its name.
    pub(crate) fn other_spelling(&self, name: &str) -> Option<&str> {
        if self.has(name) {
            return None;
        }
        self.respelled(name).map(|(key, _)| key)
    }

    /// A field's text, or the empty string.
    pub(crate) fn text(&self, name: &str) -> String {
        self.get(name).and_then(Node::text).unwrap_or_default()
    }

    /// A field's text under the first spelling that has one.
    pub(crate) fn text_of(&self, spellings: &[&str]) -> String {
        spellings
            .iter()
            .map(|name| self.text(name))
            .find(|text| !text.is_empty())
            .unwrap_or_default()
    }

    /// The rows of a list field; none if it is missing.
    pub(crate) fn items(&self, name: &str) -> Vec<Node<'a>> {
        self.get(name).map(Node::items).unwrap_or_default()
    }
}

/// Whether two names are the same but for capitals and underscores.
fn same_letters(one: &str, other: &str) -> bool {
    fn letters(name: &str) -> impl Iterator<Item = u8> + '_ {
        let bytes = name.bytes().filter(|byte| *byte != b'_');
        bytes.map(|byte| byte.to_ascii_lowercase())
    }
    one.len().abs_diff(other.len()) <= 8 && letters(one).eq(letters(other))
}

/// An amount as decimal text with two decimals, and whether digits below the fen were rounded away (half up).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AmountText {
    pub(crate) text: String,
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

/// Reads a JSON number or decimal string (sign, point, exponent) exactly. None if it is no number or does not
/// fit N16,2.
pub(crate) fn amount(token: &str) -> Option<AmountText> {
    let plain;
    let token = if token.contains(',') {
        plain = without_commas(token)?;
        plain.as_str()
    } else {
        token
    };
    let (negative, digits) = match token.strip_prefix(['-', '+']) {
        Some(rest) => (token.starts_with('-'), rest),
        None => (false, token),
    };
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok().filter(|e| e.abs() <= 40)?),
        None => (digits, 0),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{part}");
    if all.is_empty() || all.len() > 36 || !all.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut fen: i128 = all.parse().ok()?;
    let mut shift = exponent + 2 - i32::try_from(part.len()).ok()?;
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
    if fen >= FEN_END {
        return None;
    }
    let sign = if negative && fen != 0 { "-" } else { "" };
    Some(AmountText {
        text: format!("{sign}{}.{:02}", fen / 100, fen % 100),
        rounded,
    })
}

/// The same as money.
pub(crate) fn money(token: &str) -> Option<Money> {
    amount(token).and_then(|amount| Money::parse(&amount.text).ok())
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
            assert_eq!(
                amount(token),
                Some(AmountText {
                    text: text.to_owned(),
                    rounded
                }),
                "{token}"
            );
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
    fn numbers_become_their_digits_and_null_goes() {
        let read = |text: &str, depth| Node::parse(text).unwrap().in_texts(depth);
        let text =
            r#"{"pric":4.520000000000000001,"cnt":1,"rxno":null,"rows":[{"a":"x"},null,2e1],"flag":true}"#;
        assert_eq!(
            read(text, 4).unwrap().to_string(),
            r#"{"cnt":"1","flag":"true","pric":"4.520000000000000001","rows":[{"a":"x"},"2e1"]}"#
        );
        assert_eq!(read(text, 3), None);
    }

    #[test]
    fn text_of_odd_values() {
        for (raw, text) in [
            ("\" 310 \"", Some("310")),
            ("310", Some("310")),
            ("null", None),
            ("\"null\"", None),
            ("\"\"", None),
            ("[1]", None),
            ("true", Some("true")),
        ] {
            assert_eq!(Node::parse(raw).unwrap().text().as_deref(), text, "{raw}");
        }
    }
}
