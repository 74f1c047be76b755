//! Operators of the till: role and PIN, checked by argon2id so that a stolen disk does not give the PIN away; wrong PINs
//! lock an operator out for longer and longer.

use argon2::Argon2;
use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use serde::{Deserialize, Serialize};

use yijie_rules::Lang;

use crate::books::{Books, BooksError};
use crate::record::Record;

/// What an operator may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sells.
    Cashier,
    /// Sells, approves, reverses, closes the day.
    Supervisor,
    /// Reads and exports the records; sells nothing.
    Inspector,
}

impl Role {
    /// Its name on the screen.
    #[must_use]
    pub fn word(self, lang: Lang) -> &'static str {
        match self {
            Role::Cashier => lang.pick("收费员", "Cashier"),
            Role::Supervisor => lang.pick("主管", "Supervisor"),
            Role::Inspector => lang.pick("检查员", "Inspector"),
        }
    }
}

/// A person who works at this till.
#[derive(Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Operator {
    /// Operator number, opter_no at the agency.
    pub id: String,
    /// Name on screen and receipt.
    pub name: String,
    /// Role.
    pub role: Role,
    /// argon2id hash with its salt and cost (PHC string).
    pub pin_hash: String,
    /// May not work here any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
}

impl std::fmt::Debug for Operator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operator")
            .field("id", &self.id)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// Wrong PINs in a row that cost no waiting.
const FREE_TRIES: u32 = 3;
/// How long the first lock-out lasts; each further wrong PIN doubles it.
const LOCK_MS_MIN: i64 = 30_000;
/// How long a lock-out lasts at most.
const LOCK_MS_MAX: i64 = 24 * 3_600_000;

/// Wrong PINs of an operator since the last right one.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct Tries {
    /// How many.
    pub wrong: u32,
    /// When the last was, milliseconds since 1970, on a clock that is never set back.
    pub last_ms: i64,
}

impl Tries {
    /// How long nobody may try again, 0 if one may; never longer than the lock-out lasts.
    #[must_use]
    pub fn wait_ms(self, now_ms: i64) -> i64 {
        let Some(over) = self.wrong.checked_sub(FREE_TRIES) else {
            return 0;
        };
        let lasts = LOCK_MS_MIN.saturating_mul(1 << over.min(20)).min(LOCK_MS_MAX);
        self.last_ms
            .saturating_add(lasts)
            .saturating_sub(now_ms)
            .clamp(0, lasts)
    }
}

/// Why somebody is not let in: a stable code, and how long to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotLetIn {
    /// Stable code.
    pub code: &'static str,
    /// Until then nobody is asked again, in seconds; 0 if one may try at once.
    pub wait_s: i64,
}

impl NotLetIn {
    /// Without waiting.
    #[must_use]
    pub fn new(code: &'static str) -> NotLetIn {
        NotLetIn { code, wait_s: 0 }
    }

    /// The wait in words that need no language.
    #[must_use]
    pub fn detail(&self) -> String {
        if self.wait_s > 0 {
            format!("{} s", self.wait_s)
        } else {
            String::new()
        }
    }
}

/// Checks a PIN against the books. A wrong one is journalled and counts, whoever asks; a right one ends the count.
///
/// # Errors
/// [`BooksError`] if the books cannot be read or written: nobody is let in then.
pub fn check(
    books: &Books,
    id: &str,
    pin: &str,
    now_ms: i64,
) -> Result<Result<Operator, NotLetIn>, BooksError> {
    let Some(operator) = books.operator(id)? else {
        return Ok(Err(NotLetIn::new("OPERATOR_UNKNOWN")));
    };
    let tries = books.tries(id)?;
    let wait_ms = tries.wait_ms(now_ms);
    if wait_ms > 0 {
        return Ok(Err(NotLetIn {
            code: "OPERATOR_LOCKED_OUT",
            wait_s: wait_ms.saturating_add(999) / 1000,
        }));
    }
    let right = operator.has_pin(pin);
    if !right || tries.wrong > 0 {
        let record = Record::PinTried {
            operator: operator.id.clone(),
            right,
        };
        books.append(&record, now_ms)?;
    }
    Ok(match (right, operator.disabled) {
        (false, _) => Err(NotLetIn::new("PIN_NOT_RIGHT")),
        (true, true) => Err(NotLetIn::new("OPERATOR_DISABLED")),
        (true, false) => Ok(operator),
    })
}

/// Why a PIN cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// Not six to twelve digits.
    #[error("a PIN is 6 to 12 digits")]
    Shape,
    /// The hash could not be made.
    #[error("PIN hash: {0}")]
    Hash(argon2::password_hash::Error),
}

impl PinError {
    /// Stable code of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            PinError::Shape => "PIN_SHAPE",
            PinError::Hash(_) => "PIN_HASH_FAILED",
        }
    }
}

impl Operator {
    /// A new operator.
    ///
    /// # Errors
    /// [`PinError::Shape`] for a PIN that is not 6 to 12 digits.
    pub fn new(id: &str, name: &str, role: Role, pin: &str) -> Result<Operator, PinError> {
        if !(6..=12).contains(&pin.len()) || !pin.bytes().all(|b| b.is_ascii_digit()) {
            return Err(PinError::Shape);
        }
        let salt = SaltString::generate(&mut OsRng);
        let pin_hash = Argon2::default()
            .hash_password(pin.as_bytes(), &salt)
            .map_err(PinError::Hash)?
            .to_string();
        Ok(Operator {
            id: id.to_owned(),
            name: name.to_owned(),
            role,
            pin_hash,
            disabled: false,
        })
    }

    /// Whether this is the operator's PIN; takes tens of milliseconds by design.
    #[must_use]
    pub fn has_pin(&self, pin: &str) -> bool {
        PasswordHash::new(&self.pin_hash)
            .is_ok_and(|hash| Argon2::default().verify_password(pin.as_bytes(), &hash).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wrong_pin_after_the_third_doubles_the_wait() {
        let wait = |wrong, now_ms| {
            Tries {
                wrong,
                last_ms: 1_000_000,
            }
            .wait_ms(now_ms)
        };
        for (wrong, waits_s) in [
            (0, 0),
            (2, 0),
            (3, 30),
            (4, 60),
            (5, 120),
            (14, 61_440),
            (15, 86_400),
            (u32::MAX, 86_400),
        ] {
            assert_eq!(wait(wrong, 1_000_000), waits_s * 1000, "{wrong} wrong");
        }
        assert_eq!(wait(3, 1_029_999), 1);
        assert_eq!(wait(3, 1_030_000), 0);
        assert_eq!(wait(3, 0), 30_000, "no longer than it lasts");
    }

    #[test]
    fn only_its_own_pin_opens() {
        let operator = Operator::new("001", "李", Role::Supervisor, "246810").unwrap();
        assert!(operator.has_pin("246810"));
        assert!(!operator.has_pin("246811"));
        assert!(!format!("{operator:?}").contains("argon2"));
        for bad in ["", "12345", "1234567890123", "12345a"] {
            assert_eq!(
                Operator::new("001", "李", Role::Cashier, bad).unwrap_err().code(),
                "PIN_SHAPE"
            );
        }
    }
}
