//! The form of a message's node: named texts, each required or not and of a length, checked before it leaves and again
//! at the sandbox.

/// `must N`: required, at most N characters; `may N`: optional; `sum`: required, a number; `maysum`: a number if given.
macro_rules! message {
    ($(#[$meta:meta])* $name:ident { $($field:ident $kind:ident $($max:literal)?,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(default)]
        pub struct $name {
            $(#[doc = concat!("`", stringify!($field), "` of the interface.")] pub $field: String,)*
        }

        impl $crate::fields::Checked for $name {
            fn check(&self) -> Result<(), $crate::fields::FieldFault> {
                $($crate::messages::form::$kind(stringify!($field), &self.$field $(, $max)?)?;)*
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

use crate::fields::{Checked, FieldFault, number, optional, required};

pub(crate) fn must(field: &'static str, value: &str, max: usize) -> Result<(), FieldFault> {
    required(field, value, max)
}

pub(crate) fn may(field: &'static str, value: &str, max: usize) -> Result<(), FieldFault> {
    optional(field, value, max)
}

pub(crate) fn sum(field: &'static str, value: &str) -> Result<(), FieldFault> {
    number(field, value)
}

pub(crate) fn maysum(field: &'static str, value: &str) -> Result<(), FieldFault> {
    if value.is_empty() {
        Ok(())
    } else {
        number(field, value)
    }
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
