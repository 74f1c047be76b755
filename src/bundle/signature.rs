//! Keys and signatures of bundles, whatever the algorithm; the one place that names it. Keys are PEM files as openssl
//! writes them: PKCS#8 for signing, SubjectPublicKeyInfo for verifying.

use ring::digest;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer};

/// What stands before the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410).
const ED25519_SPKI: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// Why a key or signature is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not a key of a known algorithm.
    #[error("not an Ed25519 key in PEM")]
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// Ed25519; its SubjectPublicKeyInfo.
    Ed25519(Vec<u8>),
}

impl PublicKey {
    /// Reads a PEM file's text.
    ///
    /// # Errors
    /// [`SignatureError::Key`].
    pub fn from_pem(pem: &[u8]) -> Result<PublicKey, SignatureError> {
        let info = SubjectPublicKeyInfoDer::from_pem_slice(pem).map_err(|_| SignatureError::Key)?;
        let is_ed25519 = info.len() == ED25519_SPKI.len() + 32 && info.starts_with(&ED25519_SPKI);
        if !is_ed25519 {
            return Err(SignatureError::Key);
        }
        Ok(PublicKey::Ed25519(info.to_vec()))
    }

    /// Name of the algorithm in a bundle's header.
    #[must_use]
    pub fn algorithm(&self) -> &'static str {
        match self {
            PublicKey::Ed25519(_) => "ed25519",
        }
    }

    /// SHA-256 of the key, by which people compare it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        match self {
            PublicKey::Ed25519(info) => super::hex(digest::digest(&digest::SHA256, info).as_ref()),
        }
    }

    /// Whether the signature is this key's over the message.
    ///
    /// # Errors
    /// [`SignatureError::Broken`].
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        match self {
            PublicKey::Ed25519(info) => {
                let key = info.get(ED25519_SPKI.len()..).unwrap_or_default();
                UnparsedPublicKey::new(&ED25519, key)
                    .verify(message, signature)
                    .map_err(|_| SignatureError::Broken)
            }
        }
    }
}

/// A key that signs.
#[derive(Debug)]
pub enum SecretKey {
    /// Ed25519.
    Ed25519(Ed25519KeyPair),
}

impl SecretKey {
    /// Reads a PEM file's text.
    ///
    /// # Errors
    /// [`SignatureError::Key`].
    pub fn from_pem(pem: &[u8]) -> Result<SecretKey, SignatureError> {
        let key = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| SignatureError::Key)?;
        // openssl leaves the public half out; it is derived then
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.secret_pkcs8_der());
        pair.map(SecretKey::Ed25519).map_err(|_| SignatureError::Key)
    }

    /// Name of the algorithm in a bundle's header.
    #[must_use]
    pub fn algorithm(&self) -> &'static str {
        self.public().algorithm()
    }

    /// The key that verifies what this one signs.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        match self {
            SecretKey::Ed25519(pair) => {
                let public = pair.public_key();
                PublicKey::Ed25519(ED25519_SPKI.iter().chain(public.as_ref()).copied().collect())
            }
        }
    }

    /// Signs.
    ///
    /// # Errors
    /// [`SignatureError::Key`] if the key cannot sign.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
        match self {
            SecretKey::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }
}
