//! Checks of one message's fields before it leaves, and again when it arrives at the sandbox.

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
    /// The first field that is missing, too long or no amount.
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
            problem: "too long",
        });
    }
    Ok(())
}

/// Required: a decimal number.
pub(crate) fn number(field: &'static str, value: &str) -> Result<(), FieldFault> {
    required(field, value, 25)?;
    match crate::lenient::amount(value) {
        Some(_) => Ok(()),
        None => Err(FieldFault {
            field,
            problem: "not a number",
        }),
    }
}
