//! Reading JSON that does not keep to its specification: numbers or strings, null or missing, an object inside a
//! string, one object where a list belongs.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

use crate::{
    numbers::{whole_digits, whole_number},
    verdict::WORDS,
};

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

    /// The rows of a list, also of one inside what wraps it; a single object counts as a list of one.
    pub(crate) fn rows(self) -> Vec<Node<'a>> {
        self.rows_within(WRAPPED_MAX)
    }

    fn rows_within(self, depth: u32) -> Vec<Node<'a>> {
        let fields = if self.raw().starts_with('{') {
            self.fields()
        } else {
            None
        };
        match fields.filter(Fields::is_shell).zip(depth.checked_sub(1)) {
            Some((shell, depth)) => shell.lists().flat_map(|node| node.rows_within(depth)).collect(),
            None => self.items(),
        }
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

    /// What is odd about it, wherever in it that stands.
    pub(crate) fn survey(self) -> Survey {
        let mut survey = Survey::default();
        self.look_through(DEPTH_MAX, &mut survey);
        survey
    }

    fn look_through(self, depth: u32, survey: &mut Survey) {
        let Some(depth) = depth.checked_sub(1) else { return };
        if self.raw().starts_with('[') {
            for row in self.items() {
                row.look_into(depth, survey);
            }
        } else if let Ok(fields) = serde_json::from_str::<Fields<'_>>(self.raw()) {
            if survey.disputed.is_none() {
                survey.disputed = fields.disputed().map(str::to_owned);
            }
            for (name, node) in fields.iter() {
                if node.is_container() || !stays_packed(name) {
                    node.look_into(depth, survey);
                }
            }
        }
    }

    fn look_into(self, depth: u32, survey: &mut Survey) {
        if self.is_container() {
            self.look_through(depth, survey);
        } else {
            let text = self.raw().strip_prefix('"').unwrap_or_default();
            survey.packed |= text.trim_start().starts_with(['{', '[']);
        }
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

    /// The same with what stands as JSON inside a text in its own place; None where there is no such text. What is JSON in a
    /// text by agreement stays.
    pub(crate) fn unpacked(self) -> Option<String> {
        let mut text = String::new();
        let mut packed = false;
        self.unpack(DEPTH_MAX, &mut packed, &mut text)?;
        packed.then_some(text)
    }

    fn unpack(self, depth: u32, packed: &mut bool, text: &mut String) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match self.raw().as_bytes().first() {
            Some(b'{') => {
                let fields: Fields<'_> = serde_json::from_str(self.raw()).ok()?;
                text.push('{');
                for (nth, (name, node)) in fields.iter().enumerate() {
                    text.push_str(if nth > 0 { "," } else { "" });
                    text.push_str(&serde_json::to_string(name).ok()?);
                    text.push(':');
                    if stays_packed(name) {
                        text.push_str(node.raw());
                    } else {
                        node.unpack(depth, packed, text)?;
                    }
                }
                text.push('}');
            }
            Some(b'[') => {
                text.push('[');
                for (nth, node) in self.items().into_iter().enumerate() {
                    text.push_str(if nth > 0 { "," } else { "" });
                    node.unpack(depth, packed, text)?;
                }
                text.push(']');
            }
            Some(b'"') => {
                let inner = self.text().unwrap_or_default();
                match Node::parse(&inner).filter(|node| node.is_container()) {
                    Some(node) => {
                        *packed = true;
                        node.unpack(depth, packed, text)?;
                    }
                    None => text.push_str(self.raw()),
                }
            }
            _ => text.push_str(self.raw()),
        }
        Some(())
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
        let count = self.text().and_then(|text| whole_number(&text));
        self.is_count(name) && (!is_among(name, &COUNTS) || count == Some(0))
    }

    /// A count beside a list's rows.
    fn is_count(self, name: &str) -> bool {
        let number = self.text().and_then(|text| whole_number(&text));
        number.is_some() && (is_among(name, &COUNTS) || is_among(name, &PAGES))
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

    /// Lists and objects in it.
    pub(crate) fn lists(&self) -> impl Iterator<Item = Node<'a>> {
        self.iter()
            .map(|(_, node)| node)
            .filter(|node| node.is_container())
    }

    /// It only wraps lists or objects: beside them are at most counts.
    pub(crate) fn is_shell(&self) -> bool {
        let beside =
            |(name, node): (&str, Node<'_>)| node.is_container() || node.is_null() || node.is_count(name);
        self.lists().next().is_some() && self.iter().all(beside)
    }

    /// How many rows there are by its own count; None where it does not say.
    pub(crate) fn rows_in_all(&self) -> Option<i64> {
        let told = |names: &[&str]| {
            let mut found = self.iter().filter(|(name, _)| is_among(name, names));
            found.find_map(|(_, node)| whole_number(&node.text()?))
        };
        let several = told(&["pages"]).is_some_and(|pages| pages > 1);
        if several { Some(i64::MAX) } else { told(&COUNTS) }
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
        self.get(name).map(Node::rows).unwrap_or_default()
    }
}

/// What is JSON in a text by agreement, or may be in words.
fn stays_packed(name: &str) -> bool {
    same_letters(name, "exp_content") || WORDS.contains(&name)
}

/// What is odd about a reply's content.
#[derive(Default)]
pub(crate) struct Survey {
    /// A field that stands there twice, or in two spellings, and says different things.
    pub(crate) disputed: Option<String>,
    /// There is a text that looks like JSON.
    pub(crate) packed: bool,
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

/// Whether a name is one of these, whatever its capitals and underscores.
pub(crate) fn is_among(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| same_letters(known, name))
}

/// Whether two names are the same but for capitals and underscores.
fn same_letters(one: &str, other: &str) -> bool {
    fn letters(name: &str) -> impl Iterator<Item = u8> + '_ {
        let bytes = name.bytes().filter(|byte| *byte != b'_');
        bytes.map(|byte| byte.to_ascii_lowercase())
    }
    // Most differ in the first letter already.
    letters(one).next() == letters(other).next()
        && one.len().abs_diff(other.len()) <= 8
        && letters(one).eq(letters(other))
}

#[cfg(test)]
mod tests {
    use super::*;

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
