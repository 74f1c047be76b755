//! Decimals that are not money: ratios, unit prices, quantities; and the one strict reader of decimal text.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use crate::money::Money;

/// Why a decimal text was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecimalError {
    /// Not digits with at most one point inside.
    #[error("not a decimal number")]
    NotANumber,
    /// More decimals than the field holds; rounding it would be a guess.
    #[error("more than {places} decimals")]
    TooManyDecimals {
        /// How many the field holds.
        places: u32,
    },
    /// Does not fit the field.
    #[error("the number is too large")]
    TooLarge,
}

impl DecimalError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            DecimalError::NotANumber => "DECIMAL_NOT_A_NUMBER",
            DecimalError::TooManyDecimals { .. } => "DECIMAL_TOO_PRECISE",
            DecimalError::TooLarge => "DECIMAL_TOO_LARGE",
        }
    }
}

/// Reads decimal text as a whole number of 10^-places. Exact or an error.
pub(crate) fn parse_scaled(text: &str, places: u32) -> Result<i64, DecimalError> {
    match parse_plain(text, places) {
        Err(DecimalError::NotANumber) if text.contains(['e', 'E']) => {
            // JSON allows 1e2; nothing else writes it, so the slow way is good enough.
            let plain = Decimal::from_scientific(text).map_err(|_| DecimalError::NotANumber)?;
            parse_plain(&plain.to_string(), places)
        }
        read => read,
    }
}

fn parse_plain(text: &str, places: u32) -> Result<i64, DecimalError> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let mut value: i64 = 0;
    let mut whole = false;
    let mut decimals: Option<u32> = None;
    let times_ten = |value: i64, digit: u8| {
        let tenfold = value.checked_mul(10);
        tenfold.and_then(|tenfold| tenfold.checked_add(i64::from(digit)))
    };
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        match (digit, &mut decimals) {
            (0, Some(seen)) if *seen >= places => *seen += 1,
            (1..=9, Some(seen)) if *seen >= places => return Err(DecimalError::TooManyDecimals { places }),
            (0..=9, seen) => {
                value = times_ten(value, digit).ok_or(DecimalError::TooLarge)?;
                match seen {
                    Some(seen) => *seen += 1,
                    None => whole = true,
                }
            }
            (_, None) if *byte == b'.' && whole => decimals = Some(0),
            _ => return Err(DecimalError::NotANumber),
        }
    }
    if !whole || decimals == Some(0) {
        return Err(DecimalError::NotANumber);
    }
    for _ in decimals.unwrap_or(0)..places {
        value = times_ten(value, 0).ok_or(DecimalError::TooLarge)?;
    }
    Ok(if negative { -value } else { value })
}

/// Reads text or a whole JSON number as a scaled integer.
pub(crate) struct ScaledVisitor {
    pub(crate) places: u32,
    pub(crate) expects: &'static str,
}

impl de::Visitor<'_> for ScaledVisitor {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expects)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<i64, E> {
        parse_scaled(text, self.places)
            .map_err(|error| E::custom(format_args!("{error}; expected {}", self.expects)))
    }

    fn visit_u64<E: de::Error>(self, whole: u64) -> Result<i64, E> {
        let scaled = i64::try_from(whole)
            .ok()
            .and_then(|w| w.checked_mul(10_i64.checked_pow(self.places)?));
        scaled.ok_or_else(|| E::custom(DecimalError::TooLarge))
    }

    fn visit_i64<E: de::Error>(self, whole: i64) -> Result<i64, E> {
        whole
            .checked_mul(10_i64.pow(self.places))
            .ok_or_else(|| E::custom(DecimalError::TooLarge))
    }
}

macro_rules! scaled_decimal {
    ($(#[$doc:meta])* $name:ident, $places:literal, $shown:literal, $expects:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            /// 10 to this power is one.
            pub const PLACES: u32 = $places;

            /// From a whole number of the smallest unit.
            pub const fn from_scaled(scaled: i64) -> $name {
                $name(scaled)
            }

            /// As a whole number of the smallest unit.
            pub const fn scaled(self) -> i64 {
                self.0
            }

            /// Exact or an error.
            pub fn parse(text: &str) -> Result<$name, DecimalError> {
                parse_scaled(text, $places).map($name::from_scaled)
            }
        }

        impl fmt::Display for $name {
            /// The shortest form with at least the usual decimals.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let cent = 10_i64.pow($places - 2);
                if $shown == 2 && self.scaled() % cent == 0 {
                    // nearly every ratio and price; the quick way matters for ratios of a result line
                    return fmt::Display::fmt(&Money::from_fen(self.scaled() / cent), f);
                }
                let mut shown = Decimal::new(self.0, $places).normalize();
                shown.rescale(shown.scale().max($shown));
                write!(f, "{shown}")
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                let visitor = ScaledVisitor { places: $places, expects: $expects };
                deserializer.deserialize_any(visitor).map($name::from_scaled)
            }
        }
    };
}

scaled_decimal!(
    /// A share of an amount, "0.05" for 5 %.
    Ratio, 6, 2, "a ratio such as \"0.05\""
);
scaled_decimal!(
    /// A unit price or price ceiling in yuan, up to six decimals (N16,6).
    UnitPrice, 6, 2, "a unit price such as \"33.33\""
);
scaled_decimal!(
    /// A quantity, up to four decimals (N16,4).
    Quantity, 4, 0, "a quantity such as \"1\""
);

impl Ratio {
    /// 0
    pub const ZERO: Ratio = Ratio(0);
    /// 1
    pub const ONE: Ratio = Ratio(1_000_000);

    /// Appends the ratio as it is written everywhere.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        if self.0 % 10_000 == 0 {
            Money::from_fen(self.0 / 10_000).write(out);
        } else {
            out.extend_from_slice(self.to_string().as_bytes());
        }
    }

    /// As a percentage for people: "5 %", "88.5 %".
    pub fn percent(self) -> String {
        Percent(self).to_string()
    }
}

/// A ratio as a percentage, written where it stands.
pub(crate) struct Percent(pub(crate) Ratio);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scaled = self.0.scaled();
        if scaled % 10_000 == 0 {
            return write!(f, "{} %", scaled / 10_000);
        }
        let hundredfold = Decimal::new(scaled, 4).normalize();
        write!(f, "{hundredfold} %")
    }
}

impl Quantity {
    /// 1
    pub const ONE: Quantity = Quantity(10_000);
}

impl Default for Ratio {
    fn default() -> Ratio {
        Ratio::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortest_form_with_the_usual_decimals() {
        assert_eq!(Ratio::parse("0.6").unwrap().to_string(), "0.60");
        assert_eq!(Ratio::parse("0.885").unwrap().to_string(), "0.885");
        assert_eq!(Ratio::parse("1").unwrap().to_string(), "1.00");
        assert_eq!(Ratio::parse("0.885").unwrap().percent(), "88.5 %");
        assert_eq!(Quantity::parse("10").unwrap().to_string(), "10");
        assert_eq!(Quantity::parse("0.25").unwrap().to_string(), "0.25");
        assert_eq!(UnitPrice::parse("999999").unwrap().to_string(), "999999.00");
        assert_eq!(
            Quantity::parse("0.00001"),
            Err(DecimalError::TooManyDecimals { places: 4 })
        );
        assert_eq!(Quantity::parse("1e2").unwrap().to_string(), "100");
    }
}
