//! Exact fractions of a fen: what a fund owes before its one rounding.

use std::cmp::Ordering;

use crate::decimal::Ratio;

/// A non-negative or negative fraction of fen; the denominator is above zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exact {
    num: i128,
    den: i128,
}

/// Above this a fraction is reduced, so that a long chain of crossings cannot overflow.
const REDUCE_ABOVE: i128 = 1_000_000_000_000;

const RATIO_ONE: i128 = 1_000_000;

impl Exact {
    pub(crate) const ZERO: Exact = Exact { num: 0, den: 1 };

    pub(crate) fn fen(fen: i64) -> Exact {
        Exact {
            num: i128::from(fen),
            den: 1,
        }
    }

    /// `None` when the denominator is not above zero.
    pub(crate) fn new(num: i128, den: i128) -> Option<Exact> {
        (den > 0).then_some(Exact { num, den })
    }

    pub(crate) fn is_positive(self) -> bool {
        self.num > 0
    }

    pub(crate) fn times(self, ratio: Ratio) -> Option<Exact> {
        let num = self.num.checked_mul(i128::from(ratio.scaled()))?;
        Exact::reduced(num, self.den.checked_mul(RATIO_ONE)?)
    }

    /// `None` for a ratio that is not above zero.
    pub(crate) fn divided_by(self, ratio: Ratio) -> Option<Exact> {
        let divisor = i128::from(ratio.scaled());
        if divisor <= 0 {
            return None;
        }
        Exact::reduced(self.num.checked_mul(RATIO_ONE)?, self.den.checked_mul(divisor)?)
    }

    pub(crate) fn add(self, other: Exact) -> Option<Exact> {
        if self.den == other.den {
            return Some(Exact {
                num: self.num.checked_add(other.num)?,
                den: self.den,
            });
        }
        let left = self.num.checked_mul(other.den)?;
        let right = other.num.checked_mul(self.den)?;
        Exact::reduced(left.checked_add(right)?, self.den.checked_mul(other.den)?)
    }

    pub(crate) fn sub(self, other: Exact) -> Option<Exact> {
        self.add(Exact {
            num: other.num.checked_neg()?,
            den: other.den,
        })
    }

    pub(crate) fn min(self, other: Exact) -> Option<Exact> {
        Some(if self.compare(other)? == Ordering::Greater {
            other
        } else {
            self
        })
    }

    /// The whole fen below or at it.
    pub(crate) fn floor(self) -> Option<i64> {
        i64::try_from(self.num.div_euclid(self.den)).ok()
    }

    /// Half-up (away from zero) to the fen.
    pub(crate) fn half_up(self) -> Option<i64> {
        if self.den == 1 {
            return i64::try_from(self.num).ok();
        }
        let twice = self
            .num
            .unsigned_abs()
            .checked_mul(2)?
            .checked_add(self.den.unsigned_abs())?;
        let double = self.den.unsigned_abs().checked_mul(2)?;
        // nearly every fraction fits the machine's own division, which is many times faster
        let rounded = match (u64::try_from(twice), u64::try_from(double)) {
            (Ok(twice), Ok(double)) => i64::try_from(twice / double).ok()?,
            _ => i64::try_from(twice / double).ok()?,
        };
        Some(if self.num < 0 { -rounded } else { rounded })
    }

    fn reduced(num: i128, den: i128) -> Option<Exact> {
        if den <= REDUCE_ABOVE {
            return Exact::new(num, den);
        }
        let (mut a, mut b) = (num.unsigned_abs(), den.unsigned_abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        let common = i128::try_from(a).ok()?.max(1);
        Exact::new(num / common, den / common)
    }

    /// `None` when the comparison itself would overflow.
    pub(crate) fn compare(self, other: Exact) -> Option<Ordering> {
        if self.den == other.den {
            return Some(self.num.cmp(&other.num));
        }
        Some(
            self.num
                .checked_mul(other.den)?
                .cmp(&other.num.checked_mul(self.den)?),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(text: &str) -> Ratio {
        Ratio::parse(text).unwrap()
    }

    #[test]
    fn one_rounding_at_the_end() {
        // 90.01 at level 3: (90.01 − 90.00) × 50 % = 0.005 -> 0.01
        assert_eq!(Exact::fen(1).times(ratio("0.50")).unwrap().half_up(), Some(1));
        // 454.99 left at 55 %: 454.99 ÷ 0.55 = 827.2545…; (1000 − that) × 0.85 = 146.8336… -> 146.83
        let consumed = Exact::fen(45_499).divided_by(ratio("0.55")).unwrap();
        let rest = Exact::fen(100_000).sub(consumed).unwrap();
        assert_eq!(rest.times(ratio("0.85")).unwrap().half_up(), Some(14_683));
        assert_eq!(Exact::fen(10).divided_by(Ratio::ZERO).map(|_| ()), None);
    }

    #[test]
    fn long_chains_stay_exact() {
        let mut value = Exact::fen(9_999_999_999_999_999);
        for _ in 0..20 {
            value = value
                .divided_by(ratio("0.55"))
                .unwrap()
                .times(ratio("0.55"))
                .unwrap();
        }
        assert_eq!(value.half_up(), Some(9_999_999_999_999_999));
    }
}
