//! Operators of the till: role and PIN, checked by argon2id so that a stolen disk does not give the PIN away.

use argon2::Argon2;
use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use serde::{Deserialize, Serialize};

/// What an operator may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sells.
    Cashier,
    /// Sells, approves, reverses, closes the day.
    Supervisor,
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
}

impl std::fmt::Debug for Operator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operator")
            .field("id", &self.id)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
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
