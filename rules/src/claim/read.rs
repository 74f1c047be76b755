//! Reading a claim from JSON text: exact numbers, the path of what is wrong, and no personal data in errors.

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Deserializer, de};
use smol_str::{SmolStr, format_smolstr};
use thiserror::Error;

use super::{Claim, Line};
use crate::decimal::Ratio;
use crate::exact::Exact;
use crate::money::Money;

/// Why a text is not a claim.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ClaimError {
    /// Not JSON.
    #[error("line {line}, column {column}: this is not JSON: {reason}")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the JSON reader missed.
        reason: String,
    },
    /// A field is missing, unknown, of the wrong kind or out of range.
    #[error("{path}: {reason}")]
    Field {
        /// JSON path, such as `lines[0].pric`.
        path: String,
        /// What is wrong; never the value.
        reason: String,
    },
}

impl ClaimError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            ClaimError::NotJson { .. } => "CLAIM_NOT_JSON",
            ClaimError::Field { .. } => "CLAIM_FIELD",
        }
    }

    fn field(path: impl Into<String>, reason: impl Into<String>) -> ClaimError {
        ClaimError::Field {
            path: path.into(),
            reason: reason.into(),
        }
    }
}

impl Claim {
    /// Reads a claim from JSON text. Amounts may be text or numbers; both are read exactly.
    pub fn from_json(text: &[u8]) -> Result<Claim, ClaimError> {
        let mut claim = match read_quickly(text) {
            Some(claim) => claim,
            // bare numbers are read as text
            None => {
                let text = numbers_as_text(text);
                match read_quickly(&text) {
                    Some(claim) => claim,
                    // a mistake: once more, keeping track of the path
                    None => read_slowly(&text)?,
                }
            }
        };
        claim.complete()?;
        Ok(claim)
    }

    /// Fills in what has a neutral value and refuses what no rule could use.
    fn complete(&mut self) -> Result<(), ClaimError> {
        if self.lines.is_empty() {
            return Err(ClaimError::field("lines", "expected at least one line"));
        }
        if self
            .visit
            .enddate
            .is_some_and(|end| end.date() < self.visit.begntime.date())
        {
            return Err(ClaimError::field("visit.enddate", "must not be before begntime"));
        }
        for (index, line) in self.lines.iter_mut().enumerate() {
            line.complete(index)?;
        }
        if let Some(index) = repeated_line(&self.lines) {
            return Err(ClaimError::field(
                format!("lines[{index}].feedetl_sn"),
                "this number stands on an earlier line",
            ));
        }
        let negative = |money: Money| money.is_negative();
        if self.accounts.own.as_ref().is_some_and(|own| negative(own.balc)) {
            return Err(ClaimError::field("accounts.own.balc", NOT_NEGATIVE));
        }
        if let Some(index) = self
            .accounts
            .family
            .iter()
            .position(|account| negative(account.balc))
        {
            return Err(ClaimError::field(
                format!("accounts.family[{index}].balc"),
                NOT_NEGATIVE,
            ));
        }
        let below =
            |row: &super::Accumulated| [row.deductible, row.fund, row.in_scope].into_iter().any(negative);
        if let Some(index) = self.accumulated.iter().position(below) {
            return Err(ClaimError::field(format!("accumulated[{index}]"), NOT_NEGATIVE));
        }
        Ok(())
    }
}

const NOT_NEGATIVE: &str = "must not be below zero";

impl Line {
    fn complete(&mut self, index: usize) -> Result<(), ClaimError> {
        let wrong =
            |field: &str, reason: &str| Err(ClaimError::field(format!("lines[{index}].{field}"), reason));
        if self.feedetl_sn.is_empty() {
            self.feedetl_sn = format_smolstr!("{}", index + 1);
        }
        if self
            .selfpay_prop
            .is_some_and(|prop| prop < Ratio::ZERO || prop.scaled() > 1_000_000)
        {
            return wrong("selfpay_prop", "must lie between 0 and 1");
        }
        for (field, price) in [
            ("pric", self.pric),
            ("pric_uplmt_amt", self.pric_uplmt_amt),
            ("cash_pric", self.cash_pric),
        ] {
            if price.is_some_and(|price| price.scaled() < 0) {
                return wrong(field, NOT_NEGATIVE);
            }
        }
        if self.cnt.is_some_and(|cnt| cnt.scaled() <= 0) {
            return wrong("cnt", "must be above zero; a refund reverses its settlement");
        }
        for (field, count) in [("prd_days", self.prd_days), ("day_cnt", self.day_cnt)] {
            if count.is_some_and(|count| count.scaled() <= 0) {
                return wrong(field, "must be above zero");
            }
        }
        match (self.det_item_fee_sumamt, self.pric) {
            (Some(amount), _) if amount.is_negative() => wrong("det_item_fee_sumamt", NOT_NEGATIVE),
            (Some(_), _) => Ok(()),
            (None, Some(price)) => {
                let millionths = i128::from(price.scaled());
                let count = self.cnt.map_or(10_000, |cnt| i128::from(cnt.scaled()));
                // price has six decimals, quantity four, fen two
                let fen = millionths
                    .checked_mul(count)
                    .and_then(|num| Exact::new(num, 100_000_000)?.half_up());
                self.det_item_fee_sumamt = fen.map(Money::from_fen);
                if fen.is_none() {
                    wrong("det_item_fee_sumamt", "the amount is too large")
                } else {
                    Ok(())
                }
            }
            (None, None) => wrong("det_item_fee_sumamt", "missing; give it, or pric and cnt"),
        }
    }
}

fn repeated_line(lines: &[Line]) -> Option<usize> {
    const FEW: usize = 16;
    if lines.len() <= FEW {
        let before = |index: usize| lines.iter().take(index);
        return lines
            .iter()
            .enumerate()
            .position(|(index, line)| before(index).any(|earlier| earlier.feedetl_sn == line.feedetl_sn));
    }
    let mut seen = HashSet::with_capacity(lines.len());
    lines.iter().position(|line| !seen.insert(&line.feedetl_sn))
}

/// Text that is checked once as a whole need not be checked string by string.
fn read_quickly(text: &[u8]) -> Option<Claim> {
    serde_json::from_str(simdutf8::basic::from_utf8(text).ok()?).ok()
}

fn read_slowly(text: &[u8]) -> Result<Claim, ClaimError> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let claim: Claim = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        // a value of a kind that a choice cannot be, such as true, is told like broken JSON
        let is_json = || serde_json::from_slice::<de::IgnoredAny>(text).is_ok();
        if error.inner().to_string().starts_with("expected value") && is_json() {
            return ClaimError::field(
                without_numbers(&path),
                "this kind of value does not stand here; expected text",
            );
        }
        explain(&path, error.inner())
    })?;
    reader.end().map_err(|error| explain("", &error))?;
    Ok(claim)
}

/// What is wrong and where, without the value that was found there.
fn explain(path: &str, error: &serde_json::Error) -> ClaimError {
    let text = error.to_string();
    let text = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(reason, _)| reason);
    if !error.is_data() {
        let (line, column) = (error.line(), error.column());
        return ClaimError::NotJson {
            line,
            column,
            reason: text.to_owned(),
        };
    }
    let reason = match (text.strip_prefix("invalid "), text.rfind(", expected ")) {
        (Some(_), Some(at)) => text.get(at + 2..).unwrap_or("not usable").to_owned(),
        _ if text.starts_with("unknown variant") => {
            let at = text.find(", expected ").map_or(0, |at| at + 2);
            text.get(at..).unwrap_or("not usable").to_owned()
        }
        _ => text.to_owned(),
    };
    let path = if path == "." || path.is_empty() {
        "claim"
    } else {
        path
    };
    ClaimError::field(without_numbers(path), without_numbers(&reason))
}

/// A name no field has may be a value where the text is broken: long numbers in it are not repeated.
fn without_numbers(text: &str) -> String {
    let runs = text
        .as_bytes()
        .chunk_by(|one, next| one.is_ascii_digit() == next.is_ascii_digit());
    runs.map(|run| match run.first() {
        Some(first) if first.is_ascii_digit() && run.len() > 5 => "…".into(),
        _ => String::from_utf8_lossy(run),
    })
    .collect()
}

/// The same JSON with every bare number as text. Text that is not JSON stays as it is wrong.
fn numbers_as_text(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len() + 64);
    let mut in_string = false;
    let mut escaped = false;
    let mut in_number = false;
    for &byte in json {
        if in_number && !matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-') {
            out.push(b'"');
            in_number = false;
        }
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if byte == b'"' {
            in_string = true;
        } else if !in_number && matches!(byte, b'0'..=b'9' | b'-') {
            out.push(b'"');
            in_number = true;
        }
        out.push(byte);
    }
    if in_number {
        out.push(b'"');
    }
    out
}

/// `null` means the same as leaving the field out.
pub(super) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// A whole number, bare or as text.
pub(super) fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    struct Whole(u32);
    struct WholeVisitor;

    impl de::Visitor<'_> for WholeVisitor {
        type Value = Whole;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number")
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<Whole, E> {
            u32::try_from(number)
                .map(Whole)
                .map_err(|_| E::custom("expected a smaller whole number"))
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Whole, E> {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let number = digits.then(|| text.parse().ok()).flatten();
            number
                .map(Whole)
                .ok_or_else(|| E::custom("expected a whole number"))
        }
    }

    impl<'de> Deserialize<'de> for Whole {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Whole, D::Error> {
            deserializer.deserialize_any(WholeVisitor)
        }
    }

    Ok(Option::<Whole>::deserialize(deserializer)?.map(|whole| whole.0))
}

/// What rows of a claim say together, fen.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Used {
    pub(crate) deductible: i64,
    pub(crate) fund: i64,
    pub(crate) in_scope: i64,
}

impl Used {
    /// All rows of a pool, whatever their keys.
    pub(crate) fn of_pool(rows: &[super::Accumulated], pool: &str) -> Used {
        Used::sum(rows.iter().filter(|row| row.pool == pool))
    }

    /// The row of a pool and key.
    pub(crate) fn of_row(rows: &[super::Accumulated], pool: &str, key: Option<&SmolStr>) -> Used {
        Used::sum(
            rows.iter()
                .filter(|row| row.pool == pool && row.key.as_ref() == key),
        )
    }

    fn sum<'a>(rows: impl Iterator<Item = &'a super::Accumulated>) -> Used {
        rows.fold(Used::default(), |sum, row| Used {
            deductible: sum.deductible.saturating_add(row.deductible.fen()),
            fund: sum.fund.saturating_add(row.fund.fen()),
            in_scope: sum.in_scope.saturating_add(row.in_scope.fen()),
        })
    }

    pub(crate) fn above_deductible(self) -> i64 {
        (self.in_scope - self.deductible).max(0)
    }
}
