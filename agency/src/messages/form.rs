//! The form of a message's node: named texts, each required or not and of a length, checked before it leaves and again
//! at the sandbox.

/// `must N`: required, at most N characters; `may N`: optional. The others are required, and with `may` before them
/// optional: `code LIST` a value of a closed list, `open N` one of an open list, `sum` an amount (N16,2), `cnt` (N16,4),
/// `pric` (N16,6), none of them below zero, `whole`, `time`, `day`, `month` (yyyyMM), `flag` (0 or 1). What fields have
/// to do with each other stands behind the braces, after `and`.
macro_rules! message {
    ($(#[$meta:meta])* $vis:vis $name:ident {
        $($(#[$field_meta:meta])* $field:ident $kind:ident $($arg:expr)?,)*
    } $(and $more:expr)?) => {
        $(#[$meta])*
        #[derive(Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(default)]
        $vis struct $name {
            $(
                #[doc = concat!("`", stringify!($field), "` of the interface.")]
                $(#[$field_meta])*
                $vis $field: String,
            )*
        }

        impl $crate::fields::Checked for $name {
            fn check(&self) -> Result<(), $crate::fields::FieldFault> {
                $($crate::messages::form::$kind(stringify!($field), &self.$field $(, $arg)?)?;)*
                $(
                    let more: fn(&Self) -> Result<(), $crate::fields::FieldFault> = $more;
                    more(self)?;
                )?
                Ok(())
            }
        }

        // Texts may name a person.
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}
pub(crate) use message;

use serde::{Deserialize, Serialize};

use crate::fields::{Checked, FieldFault, unsigned};
pub(crate) use crate::fields::{code, day, flag, month, open, optional as may, required as must, time};

pub(crate) fn sum(field: &'static str, value: &str) -> Result<(), FieldFault> {
    unsigned(field, value, 2)
}

pub(crate) fn cnt(field: &'static str, value: &str) -> Result<(), FieldFault> {
    unsigned(field, value, 4)
}

pub(crate) fn pric(field: &'static str, value: &str) -> Result<(), FieldFault> {
    unsigned(field, value, 6)
}

pub(crate) fn whole(field: &'static str, value: &str) -> Result<(), FieldFault> {
    unsigned(field, value, 0)
}

type Check = fn(&'static str, &str) -> Result<(), FieldFault>;

fn given(check: Check, field: &'static str, value: &str) -> Result<(), FieldFault> {
    if value.is_empty() {
        Ok(())
    } else {
        check(field, value)
    }
}

pub(crate) fn maycode(field: &'static str, value: &str, known: &[&str]) -> Result<(), FieldFault> {
    if value.is_empty() {
        Ok(())
    } else {
        code(field, value, known)
    }
}

pub(crate) fn mayopen(field: &'static str, value: &str, max: usize) -> Result<(), FieldFault> {
    if value.is_empty() {
        Ok(())
    } else {
        open(field, value, max)
    }
}

pub(crate) fn maymonth(field: &'static str, value: &str) -> Result<(), FieldFault> {
    given(month, field, value)
}

pub(crate) fn maysum(field: &'static str, value: &str) -> Result<(), FieldFault> {
    given(sum, field, value)
}

pub(crate) fn maypric(field: &'static str, value: &str) -> Result<(), FieldFault> {
    given(pric, field, value)
}

pub(crate) fn mayratio(field: &'static str, value: &str) -> Result<(), FieldFault> {
    given(|field, value| unsigned(field, value, 4), field, value)
}

pub(crate) fn maytime(field: &'static str, value: &str) -> Result<(), FieldFault> {
    given(time, field, value)
}

pub(crate) fn mayday(field: &'static str, value: &str) -> Result<(), FieldFault> {
    given(day, field, value)
}

pub(crate) fn mayflag(field: &'static str, value: &str) -> Result<(), FieldFault> {
    given(flag, field, value)
}

/// The node most messages have.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct Data<T> {
    pub(crate) data: T,
}

impl<T: Checked> Checked for Data<T> {
    fn check(&self) -> Result<(), FieldFault> {
        self.data.check()
    }
}
