//! Checks of one message's fields before it leaves, and again when it arrives at the sandbox.

use jiff::civil::{Date, DateTime};

/// Problem of a field longer than the interface allows.
pub(crate) const TOO_LONG: &str = "too long";

/// A field that is missing or too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldFault {
    /// The national field.
    pub(crate) field: &'static str,
    /// What is wrong.
    pub(crate) problem: &'static str,
}

/// A message's fields can be checked.
pub(crate) trait Checked {
    /// The first field that is missing, too long, no amount or none of its codes.
    fn check(&self) -> Result<(), FieldFault>;
}

/// Required: not empty and not longer than `max` characters.
pub(crate) fn required(field: &'static str, value: &str, max: usize) -> Result<(), FieldFault> {
    if value.is_empty() {
        return Err(FieldFault {
            field,
            problem: "missing",
        });
    }
    optional(field, value, max)
}

/// Optional, but not longer than `max` characters.
pub(crate) fn optional(field: &'static str, value: &str, max: usize) -> Result<(), FieldFault> {
    if value.chars().count() > max {
        return Err(FieldFault {
            field,
            problem: TOO_LONG,
        });
    }
    Ok(())
}

/// Required: a decimal number of at most so many decimals (N16,2, N16,4, N16,6).
pub(crate) fn decimal(field: &'static str, value: &str, decimals_max: usize) -> Result<(), FieldFault> {
    required(field, value, 25)?;
    let decimals = value
        .split_once('.')
        .map_or(0, |(_, part)| part.trim_end_matches('0').len());
    if crate::numbers::amount(value).is_none() || value.contains(['e', 'E']) {
        return Err(FieldFault {
            field,
            problem: "not a number",
        });
    }
    if decimals > decimals_max {
        return Err(FieldFault {
            field,
            problem: "too many decimals",
        });
    }
    Ok(())
}

/// The same, not below zero: what is sold, not what is taken back.
pub(crate) fn unsigned(field: &'static str, value: &str, decimals_max: usize) -> Result<(), FieldFault> {
    decimal(field, value, decimals_max)?;
    if value.trim_start().starts_with('-') {
        return Err(FieldFault {
            field,
            problem: "below zero",
        });
    }
    Ok(())
}

/// Required: an amount in yuan, of either sign.
pub(crate) fn number(field: &'static str, value: &str) -> Result<(), FieldFault> {
    decimal(field, value, 2)
}

/// Required: `yyyy-MM-dd HH:mm:ss`.
pub(crate) fn time(field: &'static str, value: &str) -> Result<(), FieldFault> {
    required(field, value, 19)?;
    shaped(
        field,
        DateTime::strptime("%Y-%m-%d %H:%M:%S", value).is_ok() && value.len() == 19,
    )
}

/// Required: `yyyy-MM-dd`.
pub(crate) fn day(field: &'static str, value: &str) -> Result<(), FieldFault> {
    required(field, value, 10)?;
    shaped(
        field,
        Date::strptime("%Y-%m-%d", value).is_ok() && value.len() == 10,
    )
}

/// Required: 0 or 1.
pub(crate) fn flag(field: &'static str, value: &str) -> Result<(), FieldFault> {
    required(field, value, 1)?;
    shaped(field, matches!(value, "0" | "1"))
}

/// Required: `yyyyMM`.
pub(crate) fn month(field: &'static str, value: &str) -> Result<(), FieldFault> {
    required(field, value, 6)?;
    let digits = value.len() == 6 && value.bytes().all(|byte| byte.is_ascii_digit());
    shaped(
        field,
        digits && Date::strptime("%Y%m%d", format!("{value}01")).is_ok(),
    )
}

/// Required: one of a closed list.
pub(crate) fn code(field: &'static str, value: &str, known: &[&str]) -> Result<(), FieldFault> {
    required(field, value, usize::MAX)?;
    if known.contains(&value) {
        return Ok(());
    }
    Err(FieldFault {
        field,
        problem: "none of its codes",
    })
}

/// Required: a code of an open list, letters, digits and underscores, at most `max` of them.
pub(crate) fn open(field: &'static str, value: &str, max: usize) -> Result<(), FieldFault> {
    required(field, value, max)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    shaped(field, value.bytes().all(plain))
}

/// Days or times of one form: the end is not before the begin, where both are there.
pub(crate) fn in_order(field: &'static str, begin: &str, end: &str) -> Result<(), FieldFault> {
    if begin.is_empty() || end.is_empty() || begin <= end {
        return Ok(());
    }
    Err(FieldFault {
        field,
        problem: "before its begin",
    })
}

fn shaped(field: &'static str, right: bool) -> Result<(), FieldFault> {
    if right {
        return Ok(());
    }
    Err(FieldFault {
        field,
        problem: "not of its form",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (good, bad) in [
            (time("f", "2026-02-28 23:59:59"), time("f", "2026-02-30 00:00:00")),
            (time("f", "2026-03-01 00:00:00"), time("f", "2026-3-1 0:00:00")),
            (time("f", "2026-03-01 09:30:00"), time("f", "2026-03-01")),
            (day("f", "2028-02-29"), day("f", "2027-02-29")),
            (day("f", "2026-01-01"), day("f", "")),
            (flag("f", "0"), flag("f", "01")),
            (decimal("f", "1.234500", 4), decimal("f", "1.23451", 4)),
            (number("f", "-12.50"), number("f", "12.505")),
            (number("f", "3"), number("f", "1e2")),
            (unsigned("f", "0.00", 2), unsigned("f", "-0.01", 2)),
            (unsigned("f", "12", 0), unsigned("f", "12.5", 0)),
            (month("f", "202612"), month("f", "202613")),
            (month("f", "202601"), month("f", "2026-1")),
            (code("f", "2", &["1", "2"]), code("f", "02", &["1", "2"])),
            (code("f", "1", &["1"]), code("f", "", &["1", ""])),
            (open("f", "MBS_LOCAL", 10), open("f", "A-1", 10)),
            (open("f", "140104", 6), open("f", "1401041", 6)),
            (
                in_order("f", "2026-03-01", "2026-03-01"),
                in_order("f", "2026-03-02", "2026-03-01"),
            ),
            (in_order("f", "2026-03-02", ""), in_order("f", "2", "1")),
        ] {
            assert!(good.is_ok() && bad.is_err(), "{good:?} {bad:?}");
        }
    }
}
