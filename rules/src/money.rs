//! Money: yuan with exactly two decimals, never a float, written as text.

use std::fmt;
use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::decimal::{DecimalError, Quantity, Ratio, ScaledVisitor, parse_scaled};

/// An amount in yuan, two decimals. Parsing refuses what it cannot hold exactly; nothing is rounded here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

const PLACES: u32 = 2;

impl Money {
    /// 0.00
    pub const ZERO: Money = Money(0);

    /// From fen (1/100 yuan).
    pub const fn from_fen(fen: i64) -> Money {
        Money(fen)
    }

    /// The amount in fen.
    pub const fn fen(self) -> i64 {
        self.0
    }

    /// Reads "90", "90.5" or "90.00"; more than two significant decimals is an error, not a rounding.
    pub fn parse(text: &str) -> Result<Money, DecimalError> {
        parse_scaled(text, PLACES).map(Money::from_fen)
    }

    /// The sum, or `None` when it is too large.
    pub fn checked_add(self, other: Money) -> Option<Money> {
        self.fen().checked_add(other.fen()).map(Money::from_fen)
    }

    /// The difference, or `None` when it is too large.
    pub fn checked_sub(self, other: Money) -> Option<Money> {
        self.fen().checked_sub(other.fen()).map(Money::from_fen)
    }

    /// The sum, held at the largest amount there is: for running totals on a screen, never for a split.
    pub fn saturating_add(self, other: Money) -> Money {
        Money::from_fen(self.fen().saturating_add(other.fen()))
    }

    /// The difference, held likewise.
    pub fn saturating_sub(self, other: Money) -> Money {
        Money::from_fen(self.fen().saturating_sub(other.fen()))
    }

    /// This unit price for a quantity, half-up to the fen; `None` when it is too large.
    pub fn times(self, quantity: Quantity) -> Option<Money> {
        let scaled = Decimal::from_i128_with_scale(quantity.scaled().into(), Quantity::PLACES);
        self.decimal().checked_mul(scaled).and_then(Money::round_half_up)
    }

    /// A share of the amount, half-up to the fen; `None` when it is too large.
    pub fn share(self, ratio: Ratio) -> Option<Money> {
        let scaled = Decimal::from_i128_with_scale(ratio.scaled().into(), Ratio::PLACES);
        self.decimal().checked_mul(scaled).and_then(Money::round_half_up)
    }

    fn decimal(self) -> Decimal {
        Decimal::new(self.0, PLACES)
    }

    /// Half-up (away from zero) to the fen.
    fn round_half_up(value: Decimal) -> Option<Money> {
        let rounded = value.round_dp_with_strategy(PLACES, RoundingStrategy::MidpointAwayFromZero);
        let fen = rounded.checked_mul(Decimal::ONE_HUNDRED)?.trunc();
        i64::try_from(fen).ok().map(Money::from_fen)
    }

    /// The sum of many, or `None` when it is too large.
    pub fn sum<I: IntoIterator<Item = Money>>(amounts: I) -> Option<Money> {
        let mut fens = amounts.into_iter().map(Money::fen);
        fens.try_fold(0_i64, i64::checked_add).map(Money::from_fen)
    }

    /// Appends the amount as it is written everywhere.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(text(self.fen(), &mut [0; TEXT_LEN]).as_bytes());
    }

    /// Whether the amount is 0.00.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Whether the amount is below 0.00.
    pub fn is_negative(self) -> bool {
        self.fen() < 0
    }
}

impl Default for Money {
    fn default() -> Money {
        Money::ZERO
    }
}

/// Room for a sign, 19 digits and the point.
const TEXT_LEN: usize = 24;

/// Writes the amount from its last digit backwards: printing amounts is half the work of a result line.
fn text(fen: i64, buffer: &mut [u8; TEXT_LEN]) -> &str {
    let mut left = fen.unsigned_abs();
    let mut sign_due = fen < 0;
    let mut start = TEXT_LEN;
    for (place, slot) in (0..).zip(buffer.iter_mut().rev()) {
        *slot = if place == PLACES {
            b'.'
        } else if left > 0 || place <= PLACES + 1 {
            let digit = u8::try_from(left % 10).unwrap_or(0);
            left /= 10;
            b'0' + digit
        } else if sign_due {
            sign_due = false;
            b'-'
        } else {
            break;
        };
        start -= 1;
    }
    buffer
        .get(start..)
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
        .unwrap_or("")
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(text(self.fen(), &mut [0; TEXT_LEN]))
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Money {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Money, DecimalError> {
        Money::parse(text)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(text(self.fen(), &mut [0; TEXT_LEN]))
    }
}

impl<'de> Deserialize<'de> for Money {
    /// Reads text or a whole number. A fraction written as a bare JSON number is read by
    /// [`crate::Claim::from_json`], which hands it over as text; a float never reaches an amount.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
        deserializer
            .deserialize_any(ScaledVisitor {
                places: PLACES,
                expects: "an amount such as \"90.00\"",
            })
            .and_then(|fen| {
                if fen.unsigned_abs() >= FEN_END {
                    return Err(de::Error::custom("the amount is too large"));
                }
                Ok(Money::from_fen(fen))
            })
    }
}

/// National amounts are N16,2: sixteen digits, two of them decimals.
const FEN_END: u64 = 10_000_000_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        for (text, fen, shown) in [
            ("0", 0, "0.00"),
            ("90", 9000, "90.00"),
            ("90.5", 9050, "90.50"),
            ("0.01", 1, "0.01"),
            ("-0.07", -7, "-0.07"),
            ("-12.30", -1230, "-12.30"),
            ("12345678901234.56", 1_234_567_890_123_456, "12345678901234.56"),
            ("33.330000", 3333, "33.33"),
        ] {
            let money = Money::parse(text).unwrap();
            assert_eq!(money.fen(), fen, "{text}");
            assert_eq!(money.to_string(), shown);
        }
        for wrong in [
            "", "-", ".", "1.", ".5", "1_000", "1,000", "0.001", "+1", " 1", "1 ", "１", "1e999", "NaN",
        ] {
            assert!(Money::parse(wrong).is_err(), "{wrong:?} must be refused");
        }
    }

    #[test]
    fn json_numbers_never_pass_through_a_float() {
        assert_eq!(serde_json::from_str::<Money>("90").unwrap().to_string(), "90.00");
        assert_eq!(
            serde_json::from_str::<Money>("\"0.10\"").unwrap().to_string(),
            "0.10"
        );
        assert!(serde_json::from_str::<Money>("0.10").is_err());
        assert!(
            serde_json::from_str::<Money>("\"100000000000000.00\"").is_err(),
            "beyond N16,2"
        );
    }
    #[test]
    fn shares_and_quantities_are_rounded_half_up() {
        let yuan = |text: &str| Money::parse(text).unwrap();
        for (amount, ratio, share) in [
            ("0.10", "0.05", "0.01"),
            ("0.09", "0.05", "0.00"),
            ("100.00", "0.80", "80.00"),
        ] {
            assert_eq!(
                yuan(amount).share(Ratio::parse(ratio).unwrap()),
                Some(yuan(share)),
                "{amount} × {ratio}"
            );
        }
        for (price, count, amount) in [
            ("12.35", "0.5", "6.18"),
            ("12.34", "0.1", "1.23"),
            ("20.00", "10", "200.00"),
        ] {
            assert_eq!(
                yuan(price).times(Quantity::parse(count).unwrap()),
                Some(yuan(amount)),
                "{price} × {count}"
            );
        }
        let most = Money::from_fen(i64::MAX);
        assert_eq!(most.times(Quantity::parse("1000").unwrap()), None);
        assert_eq!(most.saturating_add(yuan("0.01")), most);
    }
}
