//! Keys and signatures of bundles, whatever the algorithm: Ed25519 or SM2. Keys are PEM files as openssl writes them:
//! PKCS#8 for signing, SubjectPublicKeyInfo for verifying.

use std::fmt;

use ring::digest;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer};
use yijie_agency::{SignKey, SignatureForm, VerifyKey};

/// What stands before the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410).
const ED25519_SPKI: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// Why a key or signature is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not a key of a known algorithm.
    #[error("neither an Ed25519 nor an SM2 key in PEM")]
    Key,
    /// Signed with another key.
    #[error("signed with another key than the pinned one")]
    OtherKey,
    /// The file was changed after it was signed.
    #[error("the signature does not fit the file")]
    Broken,
}

impl SignatureError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            SignatureError::Key => "BUNDLE_KEY_UNREADABLE",
            SignatureError::OtherKey => "BUNDLE_OTHER_KEY",
            SignatureError::Broken => "BUNDLE_TAMPERED",
        }
    }
}

/// A key that verifies.
pub struct PublicKey {
    /// Its SubjectPublicKeyInfo.
    info: Vec<u8>,
    algorithm: Verifying,
}

enum Verifying {
    Ed25519,
    Sm2(Box<VerifyKey>),
}

impl PublicKey {
    /// Reads a PEM file's text.
    ///
    /// # Errors
    /// [`SignatureError::Key`].
    pub fn from_pem(pem: &[u8]) -> Result<PublicKey, SignatureError> {
        let info = SubjectPublicKeyInfoDer::from_pem_slice(pem).map_err(|_| SignatureError::Key)?;
        let algorithm = if info.starts_with(&ED25519_SPKI) && info.len() == ED25519_SPKI.len() + 32 {
            Verifying::Ed25519
        } else {
            let text = std::str::from_utf8(pem).map_err(|_| SignatureError::Key)?;
            let key = VerifyKey::read(text).map_err(|_| SignatureError::Key)?;
            Verifying::Sm2(Box::new(key))
        };
        let info = info.to_vec();
        Ok(PublicKey { info, algorithm })
    }

    /// Name of the algorithm in a bundle's header.
    #[must_use]
    pub fn algorithm(&self) -> &'static str {
        match &self.algorithm {
            Verifying::Ed25519 => "ed25519",
            Verifying::Sm2(_) => "sm2",
        }
    }

    /// SHA-256 of the key, by which people compare it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        super::hex(digest::digest(&digest::SHA256, &self.info).as_ref())
    }

    /// Whether the signature is this key's over the message.
    ///
    /// # Errors
    /// [`SignatureError::Broken`].
    pub fn verify(&self, message: &[u8], signature: &str) -> Result<(), SignatureError> {
        let holds = match &self.algorithm {
            Verifying::Ed25519 => {
                let key = self.info.get(ED25519_SPKI.len()..).unwrap_or_default();
                let key = UnparsedPublicKey::new(&ED25519, key);
                super::unhex(signature).is_some_and(|bytes| key.verify(message, &bytes).is_ok())
            }
            Verifying::Sm2(key) => key.verifies(message, signature),
        };
        if holds {
            Ok(())
        } else {
            Err(SignatureError::Broken)
        }
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &PublicKey) -> bool {
        self.info == other.info
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.algorithm(), self.fingerprint())
    }
}

/// A key that signs.
pub enum SecretKey {
    /// Ed25519.
    Ed25519(Ed25519KeyPair),
    /// SM2.
    Sm2(SignKey),
}

impl SecretKey {
    /// Reads a PEM file's text.
    ///
    /// # Errors
    /// [`SignatureError::Key`].
    pub fn from_pem(pem: &[u8]) -> Result<SecretKey, SignatureError> {
        let key = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| SignatureError::Key)?;
        // openssl leaves the public half out; it is derived then
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.secret_pkcs8_der()) {
            return Ok(SecretKey::Ed25519(pair));
        }
        let text = std::str::from_utf8(pem).map_err(|_| SignatureError::Key)?;
        let key = SignKey::read(text).map_err(|_| SignatureError::Key)?;
        Ok(SecretKey::Sm2(key))
    }

    /// The key that verifies what this one signs.
    ///
    /// # Errors
    /// [`SignatureError::Key`] if it cannot be derived.
    pub fn public(&self) -> Result<PublicKey, SignatureError> {
        match self {
            SecretKey::Ed25519(pair) => Ok(PublicKey {
                info: ED25519_SPKI
                    .iter()
                    .chain(pair.public_key().as_ref())
                    .copied()
                    .collect(),
                algorithm: Verifying::Ed25519,
            }),
            SecretKey::Sm2(key) => {
                let pem = key.verify_key().to_pem().map_err(|_| SignatureError::Key)?;
                PublicKey::from_pem(pem.as_bytes())
            }
        }
    }

    /// Signs; in hexadecimal.
    ///
    /// # Errors
    /// [`SignatureError::Key`] if the key cannot sign.
    pub fn sign(&self, message: &[u8]) -> Result<String, SignatureError> {
        match self {
            SecretKey::Ed25519(pair) => Ok(super::hex(pair.sign(message).as_ref())),
            SecretKey::Sm2(key) => {
                let signed = key.sign(message, SignatureForm::Hex);
                signed.map_err(|_| SignatureError::Key)
            }
        }
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey")
    }
}
