//! Reading JSON that does not keep to its specification: numbers or strings, null or missing, an object inside a
//! string, one object where a list belongs. Numbers are read from their digits, never through a float.

use std::{borrow::Cow, fmt};

use jiff::{Timestamp, civil::DateTime};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};
use yijie_rules::Money;

use crate::clock::{beijing, wire_time};

/// A piece of valid JSON, unread.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a>(&'a RawValue);

/// An object's fields, in the order they stand there; of one that stands there twice the last counts.
#[derive(Clone)]
pub(crate) struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    fields.push((name, value));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

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

    /// An object's fields; those of the only object in a list, too.
    pub(crate) fn fields(self) -> Option<Fields<'a>> {
        if self.raw().starts_with('[') {
            return match self.items().as_slice() {
                [only] if !only.raw().starts_with('[') => only.fields(),
                _ => None,
            };
        }
        serde_json::from_str(self.raw()).ok()
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
                let fields: Fields<'_> = serde_json::from_str(raw).ok()?;
                let given = fields.0.into_iter().filter(|(_, raw)| raw.get() != "null");
                let read = given.map(|(name, raw)| Some((name.into_owned(), Node(raw).in_texts(depth_max)?)));
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

    /// See [`Fields::id`]. A text with an E between its digits may be a number of the agency's own.
    fn id(self) -> Option<String> {
        const NOTHING: [&str; 13] = [
            "-",
            "--",
            "none",
            "undefined",
            "false",
            "true",
            "nil",
            "nan",
            "null",
            "n/a",
            "无",
            "空",
            "/",
        ];
        let text = self.text()?;
        let text = text
            .trim_matches(|letter: char| letter.is_whitespace() || matches!(letter, '\u{200b}' | '\u{feff}'));
        let zeros = text.chars().all(|letter| matches!(letter, '0' | '０'));
        if zeros || matches!(text, "{}" | "[]") || NOTHING.contains(&text.to_lowercase().as_str()) {
            return None;
        }
        let numeric = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
        if !self.is_string() || (numeric && (text.contains('.') || text.starts_with(['-', '+']))) {
            let whole = whole_digits(text).filter(|(negative, _)| !negative);
            return whole
                .map(|(_, digits)| digits)
                .filter(|digits| digits.bytes().any(|digit| digit != b'0'));
        }
        Some(text.to_owned())
    }

    /// A field somewhere in it that stands there twice, or in two spellings, and says different things.
    pub(crate) fn disputed(self, depth_max: u32) -> Option<String> {
        let depth_max = depth_max.checked_sub(1)?;
        if self.raw().starts_with('[') {
            let rows = self.items().into_iter();
            return rows
                .filter(|row| row.is_container())
                .find_map(|row| row.disputed(depth_max));
        }
        let fields: Fields<'_> = serde_json::from_str(self.raw()).ok()?;
        if let Some(name) = fields.disputed() {
            return Some(name.to_owned());
        }
        let mut inner = fields.0.iter().map(|(_, raw)| Node(raw));
        inner.find_map(|node| node.is_container().then(|| node.disputed(depth_max))?)
    }

    fn is_container(self) -> bool {
        self.raw().starts_with(['{', '['])
    }

    /// Both say the same, however they are written.
    fn same(self, other: Node<'_>) -> bool {
        if self.raw() == other.raw() {
            return true;
        }
        if self.is_container() || other.is_container() {
            let texts = |node: Node<'_>| node.in_texts(DEPTH_MAX);
            return self.is_container() && texts(self).is_some() && texts(self) == texts(other);
        }
        self.text() == other.text()
    }

    /// Nothing is in it: null, an empty text, or lists and objects of nothing else but the count of no rows.
    pub(crate) fn is_bare(self) -> bool {
        let bare = |(name, node): (&str, Node<'_>)| node.is_bare() || node.counts_nothing(name);
        match self.raw().as_bytes().first() {
            Some(b'{') => {
                serde_json::from_str(self.raw()).is_ok_and(|fields: Fields<'_>| fields.iter().all(bare))
            }
            Some(b'[') => self.items().into_iter().all(Node::is_bare),
            _ => self.text().is_none(),
        }
    }

    fn counts_nothing(self, name: &str) -> bool {
        let is = |names: &[&str]| names.iter().any(|known| same_letters(known, name));
        let number = self.text().and_then(|text| whole_number(&text));
        is(&PAGES) && number.is_some() || is(&COUNTS) && number == Some(0)
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
        let found = self.named(name).or_else(|| self.respelled(name));
        found.map(|(_, raw)| Node(raw)).filter(|node| !node.is_null())
    }

    /// Whether the field is there at all, even as null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.named(name).is_some()
    }

    fn named(&self, name: &str) -> Option<&(Cow<'a, str>, &'a RawValue)> {
        self.0.iter().rev().find(|(key, _)| key == name)
    }

    /// A field whose name differs in capitals and underscores only.
    fn respelled(&self, name: &str) -> Option<&(Cow<'a, str>, &'a RawValue)> {
        self.0.iter().find(|(key, _)| same_letters(key, name))
    }

    /// Names and values, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Node<'a>)> {
        self.0.iter().map(|(key, raw)| (key.as_ref(), Node(raw)))
    }

    /// The names, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_ref())
    }

    /// A field that is there twice, or in two spellings, and says different things.
    fn disputed(&self) -> Option<&str> {
        let styled = self
            .names()
            .any(|name| name.bytes().any(|byte| byte.is_ascii_uppercase()));
        let letters = |name: &str| name.replace('_', "").to_ascii_lowercase();
        let mut fields: Vec<(Cow<'_, str>, &str, Node<'_>)> = self
            .iter()
            .map(|(name, node)| {
                let letters = if styled {
                    letters(name).into()
                } else {
                    Cow::Borrowed(name)
                };
                (letters, name, node)
            })
            .collect();
        fields.sort_by(|one, other| one.0.cmp(&other.0));
        let differ = fields
            .array_windows()
            .find(|[one, other]| one.0 == other.0 && !one.2.same(other.2));
        differ.map(|[one, _]| one.1)
    }

    /// The object in which one of these names stands: this one, or the one within what wraps it. None: nowhere, or in
    /// several.
    pub(crate) fn with_any(self, names: &[&str]) -> Option<Fields<'a>> {
        let mut found = Vec::new();
        self.find(names, WRAPPED_MAX, &mut found);
        found.pop().filter(|_| found.is_empty())
    }

    fn find(self, names: &[&str], depth: u32, found: &mut Vec<Fields<'a>>) {
        if names.iter().any(|name| self.get(name).is_some()) {
            return found.push(self);
        }
        let Some(depth) = depth.checked_sub(1) else {
            return;
        };
        for name in WRAPPERS.iter().chain(&LISTS) {
            if let Some(inner) = self.get(name).and_then(Node::fields) {
                inner.find(names, depth, found);
            }
        }
    }

    /// How a field is spelled here, if not by its name.
    pub(crate) fn other_spelling(&self, name: &str) -> Option<&str> {
        if self.has(name) {
            return None;
        }
        self.respelled(name).map(|(key, _)| key.as_ref())
    }

    /// A field's text, or the empty string.
    pub(crate) fn text(&self, name: &str) -> String {
        self.get(name).and_then(Node::text).unwrap_or_default()
    }

    /// A number by which something is found again, or the empty string: words for nothing are none, nor are zeros, and
    /// `4001.0` and `4.001E3` are 4001.
    pub(crate) fn id(&self, name: &str) -> String {
        self.get(name).and_then(Node::id).unwrap_or_default()
    }

    /// A code, or the empty string: `310.0` is 310.
    pub(crate) fn code(&self, name: &str) -> String {
        let text = self.text(name);
        match whole_digits(&text) {
            Some((false, digits)) if text.contains('.') => digits,
            _ => text,
        }
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

/// As deep as anything in a reply stands, and deeper.
pub(crate) const DEPTH_MAX: u32 = 24;

/// Where agencies and gateways put what they have to say inside something else.
pub(crate) const WRAPPERS: [&str; 5] = ["data", "body", "result", "response", "output"];
/// The same of rows.
pub(crate) const LISTS: [&str; 6] = ["list", "rows", "row", "records", "record", "items"];
/// As deep as anybody wraps.
pub(crate) const WRAPPED_MAX: u32 = 4;

/// What lists carry beside their rows: how many there are, and on which pages.
const COUNTS: [&str; 5] = ["total", "totalnum", "totalcount", "count", "recordcounts"];
const PAGES: [&str; 6] = ["pages", "pagenum", "pagesize", "page", "size", "current"];

/// Whether two names are the same but for capitals and underscores.
fn same_letters(one: &str, other: &str) -> bool {
    fn letters(name: &str) -> impl Iterator<Item = u8> + '_ {
        let bytes = name.bytes().filter(|byte| *byte != b'_');
        bytes.map(|byte| byte.to_ascii_lowercase())
    }
    // Most differ in the first letter already.
    let first = |name: &str| name.as_bytes().first().map(u8::to_ascii_lowercase);
    first(one) == first(other) && one.len().abs_diff(other.len()) <= 8 && letters(one).eq(letters(other))
}

/// The digits of a whole number and whether it is below zero, however it is written (`3.59754E5`, `00`, `-1.0`).
fn whole_digits(token: &str) -> Option<(bool, String)> {
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

/// A time as the interface writes it, `yyyy-MM-dd HH:mm:ss`, out of what gateways make of it: slashes, a T, an offset, a
/// twelve-hour clock, digits only, milliseconds since 1970. A day alone stays a day. None where it is none.
pub(crate) fn time(text: &str) -> Option<String> {
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return Some(wire_time(beijing(stamp)));
    }
    let digits_only = text.bytes().all(|byte| byte.is_ascii_digit());
    if digits_only && text.len() == 13 {
        let stamp = Timestamp::from_millisecond(text.parse().ok()?).ok()?;
        return Some(wire_time(beijing(stamp)));
    }
    let groups: Vec<&str> = if digits_only {
        let at = [0..4, 4..6, 6..8, 8..10, 10..12, 12..14];
        at.into_iter().map_while(|place| text.get(place)).collect()
    } else {
        text.split(|letter: char| !letter.is_ascii_digit())
            .filter(|group| !group.is_empty())
            .collect()
    };
    let number = |at: usize| groups.get(at).and_then(|group: &&str| group.parse::<i16>().ok());
    let small = |at: usize| number(at).and_then(|number| i8::try_from(number).ok());
    let (year, month, day) = (number(0).filter(|year| *year >= 1900)?, small(1)?, small(2)?);
    if groups.len() == 3 {
        return Some(
            DateTime::new(year, month, day, 0, 0, 0, 0)
                .ok()?
                .date()
                .to_string(),
        );
    }
    let told = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let hour = match (
        small(3)?,
        told(&["PM", "pm", "下午", "晚上"]),
        told(&["AM", "am", "上午", "凌晨"]),
    ) {
        (hour @ 1..=11, true, _) => hour + 12,
        (12, _, true) => 0,
        (hour, ..) => hour,
    };
    let time = DateTime::new(year, month, day, hour, small(4)?, small(5).unwrap_or(0), 0).ok()?;
    Some(wire_time(time))
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
    fn times_are_read_however_they_are_written() {
        for (told, meant) in [
            ("2026-03-01 22:30:00", Some("2026-03-01 22:30:00")),
            ("2026/3/1 9:05:07", Some("2026-03-01 09:05:07")),
            ("2026-03-01T22:30:00", Some("2026-03-01 22:30:00")),
            ("2026-03-01T22:30:00.250+08:00", Some("2026-03-01 22:30:00")),
            ("2026-03-01T14:30:00Z", Some("2026-03-01 22:30:00")),
            ("1772375400000", Some("2026-03-01 22:30:00")),
            ("20260301223000", Some("2026-03-01 22:30:00")),
            ("20260301223000123", Some("2026-03-01 22:30:00")),
            ("2026-03-01 下午 10:30:00", Some("2026-03-01 22:30:00")),
            ("2026-03-01 10:30:00 PM", Some("2026-03-01 22:30:00")),
            ("2026-03-01 12:30:00 AM", Some("2026-03-01 00:30:00")),
            ("2026-03-01 12:30:00 PM", Some("2026-03-01 12:30:00")),
            ("2026-03-01", Some("2026-03-01")),
            ("20260301", Some("2026-03-01")),
            ("昨天", None),
            ("10:30:00 PM", None),
            ("2026-02-30 10:00:00", None),
            ("2026-03-01 25:61:00", None),
            ("0", None),
        ] {
            assert_eq!(time(told).as_deref(), meant, "{told}");
        }
    }

    #[test]
    fn what_is_said_twice_and_differently_is_in_dispute() {
        for (text, disputed) in [
            (r#"{"a":1,"b":2}"#, None),
            (r#"{"a":1,"a":"1"}"#, None),
            (r#"{"a":1,"b":0,"a":2}"#, Some("a")),
            (r#"{"setl_id":"1","setlId":"2"}"#, Some("setl_id")),
            (r#"{"setl_id":"1","SETL_ID":"1"}"#, None),
        ] {
            assert_eq!(
                Node::parse(text).unwrap().fields().unwrap().disputed(),
                disputed,
                "{text}"
            );
        }
    }

    #[test]
    fn numbers_become_their_digits_and_null_goes() {
        let read = |text: &str, depth| Node::parse(text).unwrap().in_texts(depth);
        let text =
            r#"{"pric":4.520000000000000001,"cnt":1,"rxno":null,"rows":[{"a":"x"},null,2e1],"flag":true}"#;
        let texts = r#"{"pric":"4.520000000000000001","cnt":"1","rows":[{"a":"x"},"2e1"],"flag":"true"}"#;
        assert_eq!(read(text, 4), serde_json::from_str(texts).ok());
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
