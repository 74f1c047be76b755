//! SM2 signatures, SM3 digests and SM4 encryption (GB/T 32918, 32905, 32907). The only file that names sm2, sm3, sm4.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use sm2::{
    PublicKey, SecretKey,
    dsa::{
        Signature, SigningKey, VerifyingKey,
        signature::{Signer, Verifier},
    },
    elliptic_curve::Generate,
    pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, LineEnding},
};
use sm3::{Digest, Sm3};
use sm4::{
    Sm4,
    cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit},
};
use zeroize::Zeroizing;

/// The distinguishing identifier every implementation seen signs with.
const DISTINGUISHING_ID: &str = "1234567812345678";
const BLOCK: usize = 16;

/// Key material that can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no SM2 key in PEM, DER, Base64 or hex")]
pub struct KeyUnreadable;

/// How the bytes of a signature are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureForm {
    /// r and s, 64 bytes, in Base64.
    Base64,
    /// r and s, 64 bytes, in upper-case hex.
    Hex,
    /// The DER of the standard's certificates, in upper-case hex.
    HexDer,
}

/// A private SM2 key; wiped when it is dropped. What the library copies of it to sign, read or write is not wiped: the
/// number on the stack and in the parser's buffers, until something else stands there.
#[derive(Clone)]
pub struct SignKey {
    secret: SecretKey,
    public: VerifyKey,
}

impl SignKey {
    /// A new key.
    ///
    /// # Errors
    /// Where the system gives no random numbers that make a key.
    pub fn generate() -> Result<SignKey, KeyUnreadable> {
        SignKey::of(SecretKey::try_generate().map_err(|_| KeyUnreadable)?)
    }

    fn of(secret: SecretKey) -> Result<SignKey, KeyUnreadable> {
        let public = VerifyingKey::new(DISTINGUISHING_ID, secret.public_key()).map_err(|_| KeyUnreadable)?;
        Ok(SignKey {
            secret,
            public: VerifyKey(public),
        })
    }

    /// Reads PKCS#8, SEC 1, or the 32 bytes of the key: in PEM, Base64, hex or as they are.
    ///
    /// # Errors
    /// [`KeyUnreadable`].
    pub fn read(key: impl AsRef<[u8]>) -> Result<SignKey, KeyUnreadable> {
        let bytes = bytes_of(key.as_ref(), "PRIVATE KEY");
        // Some programs write a number with its sign.
        let number = bytes.strip_prefix(&[0]).filter(|rest| rest.len() == 32);
        let number = number.unwrap_or(&bytes);
        let secret = if number.len() == 32 {
            SecretKey::from_slice(number).ok()
        } else {
            let pkcs8 = SecretKey::from_pkcs8_der(&bytes).ok();
            pkcs8.or_else(|| SecretKey::from_sec1_der(&bytes).ok())
        };
        SignKey::of(secret.ok_or(KeyUnreadable)?)
    }

    /// The key as PKCS#8 PEM.
    ///
    /// # Errors
    /// [`KeyUnreadable`], which no key of this program is.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, KeyUnreadable> {
        self.secret
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(|_| KeyUnreadable)
    }

    /// The public key that belongs to it.
    pub fn verify_key(&self) -> VerifyKey {
        self.public.clone()
    }

    /// SM3withSM2 over a message.
    ///
    /// # Errors
    /// [`KeyUnreadable`], which the standard's mathematics all but excludes.
    pub fn sign(&self, message: &[u8], form: SignatureForm) -> Result<String, KeyUnreadable> {
        // The library's own signing key is not wiped, so none is kept.
        let key = SigningKey::new(DISTINGUISHING_ID, &self.secret).map_err(|_| KeyUnreadable)?;
        let signature: Signature = key.try_sign(message).map_err(|_| KeyUnreadable)?;
        Ok(match form {
            SignatureForm::Base64 => BASE64_STANDARD.encode(signature.to_bytes()),
            SignatureForm::Hex => hex(&signature.to_bytes()),
            SignatureForm::HexDer => hex(&der(&signature)),
        })
    }
}

/// r and s as a SEQUENCE of two INTEGERs.
fn der(signature: &Signature) -> Vec<u8> {
    let mut body = Vec::with_capacity(72);
    for part in signature.to_bytes().chunks(32) {
        let digits = part.iter().skip_while(|byte| **byte == 0).copied();
        let mut digits: Vec<u8> = digits.collect();
        if digits.first().is_none_or(|first| first & 0x80 != 0) {
            digits.insert(0, 0);
        }
        body.extend([0x02, digits.len().try_into().unwrap_or(u8::MAX)]);
        body.extend(digits);
    }
    let mut whole = vec![0x30, body.len().try_into().unwrap_or(u8::MAX)];
    whole.extend(body);
    whole
}

impl fmt::Debug for SignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignKey")
    }
}

/// A public SM2 key.
#[derive(Clone)]
pub struct VerifyKey(VerifyingKey);

impl VerifyKey {
    /// Reads a SubjectPublicKeyInfo, a point (04, x, y, or compressed) or x and y: in PEM, Base64, hex or as they are.
    ///
    /// # Errors
    /// [`KeyUnreadable`].
    pub fn read(key: impl AsRef<[u8]>) -> Result<VerifyKey, KeyUnreadable> {
        let mut bytes = bytes_of(key.as_ref(), "PUBLIC KEY");
        if bytes.len() == 64 {
            bytes.insert(0, 4);
        }
        let key = PublicKey::from_sec1_bytes(&bytes)
            .ok()
            .or_else(|| PublicKey::from_public_key_der(&bytes).ok());
        let key = key.and_then(|key| VerifyingKey::new(DISTINGUISHING_ID, key).ok());
        key.map(VerifyKey).ok_or(KeyUnreadable)
    }

    /// The key as PEM.
    ///
    /// # Errors
    /// [`KeyUnreadable`], which no key of this program is.
    pub fn to_pem(&self) -> Result<String, KeyUnreadable> {
        let key = PublicKey::from_sec1_bytes(&self.0.to_sec1_bytes()).map_err(|_| KeyUnreadable)?;
        key.to_public_key_pem(LineEnding::LF).map_err(|_| KeyUnreadable)
    }

    /// Whether a signature, in whatever form it is written, belongs to the message.
    pub fn verifies(&self, message: &[u8], signature: &str) -> bool {
        let Some(bytes) = bare(signature.trim()) else {
            return false;
        };
        let read = Signature::from_slice(&bytes).or_else(|_| Signature::from_der(&bytes));
        read.is_ok_and(|signature| self.0.verify(message, &signature).is_ok())
    }
}

impl fmt::Debug for VerifyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifyKey")
    }
}

/// An SM4 key; wiped when it is dropped.
#[derive(Clone)]
pub struct CipherKey(Zeroizing<[u8; BLOCK]>);

impl CipherKey {
    /// A key of exactly 16 bytes.
    pub fn new(bytes: &[u8]) -> Option<CipherKey> {
        bytes.try_into().ok().map(|key| CipherKey(Zeroizing::new(key)))
    }

    /// SM4 in ECB with PKCS#7 padding, in Base64: the provinces' form. ECB hides no repetition and proves nothing
    /// about its origin; the signature beside it does.
    pub fn seal(&self, plain: &[u8]) -> String {
        let cipher = Sm4::new(&(*self.0).into());
        let padding = BLOCK - plain.len() % BLOCK;
        let mut bytes = Zeroizing::new(plain.to_vec());
        bytes.resize(plain.len() + padding, padding.try_into().unwrap_or(0));
        for block in bytes.as_chunks_mut::<BLOCK>().0 {
            cipher.encrypt_block(block.into());
        }
        BASE64_STANDARD.encode(&*bytes)
    }

    /// What [`CipherKey::seal`] sealed, or the same in hex; None where it can't have been under this key.
    pub fn open(&self, sealed: &str) -> Option<Vec<u8>> {
        let cipher = Sm4::new(&(*self.0).into());
        let mut bytes = bare(sealed.trim())?;
        let (blocks, rest) = bytes.as_chunks_mut::<BLOCK>();
        if blocks.is_empty() || !rest.is_empty() {
            return None;
        }
        for block in blocks {
            cipher.decrypt_block(block.into());
        }
        let padding = usize::from(*bytes.last()?);
        let plain = bytes.len().checked_sub(padding)?;
        let padded = bytes.get(plain..)?;
        let sound = (1..=BLOCK).contains(&padding) && padded.iter().all(|byte| usize::from(*byte) == padding);
        sound.then(|| {
            bytes.truncate(plain);
            bytes
        })
    }
}

impl fmt::Debug for CipherKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CipherKey")
    }
}

/// SM3 in upper-case hex.
pub fn sm3_hex(message: &[u8]) -> String {
    hex(&Sm3::digest(message))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// The bytes of a key: what stands in the PEM block of its kind, in Base64 or hex, or the bytes themselves.
fn bytes_of(key: &[u8], kind: &str) -> Zeroizing<Vec<u8>> {
    let text = std::str::from_utf8(key).unwrap_or_default();
    let begins = format!("{kind}-----");
    let body = match text.split_once(&begins) {
        Some((_, rest)) => rest.split("-----").next().unwrap_or_default(),
        None => text,
    };
    let body: Zeroizing<String> = Zeroizing::new(body.split_whitespace().collect());
    let written = (!body.is_empty()).then(|| bare(&body)).flatten();
    Zeroizing::new(written.unwrap_or_else(|| key.to_vec()))
}

/// Bytes written in hex or Base64. Hex is tried first: a text of hex digits alone is not taken for Base64.
fn bare(text: &str) -> Option<Vec<u8>> {
    let hex = text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hex && !text.is_empty() {
        let pairs = text.as_bytes().chunks(2);
        let bytes = pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        return bytes.collect();
    }
    BASE64_STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// GB/T 32905, examples 1 and 2.
    #[test]
    fn sm3_of_the_standard() {
        assert_eq!(
            sm3_hex(b"abc"),
            "66C7F0F462EEEDD9D1F2D46BDC10E4E24167C4875CF2F7A2297DA02B8F4BA8E0"
        );
        assert_eq!(
            sm3_hex(&b"abcd".repeat(16)),
            "DEBE9FF92275B8A138604889C18E5A4D6FDB70E5387E5765293DCBA39C0C5732"
        );
    }

    /// GB/T 32907, example 1: one block, key and text the same.
    #[test]
    fn sm4_of_the_standard() {
        let block = [
            0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10,
        ];
        let key = CipherKey::new(&block).unwrap();
        let sealed = BASE64_STANDARD.decode(key.seal(&block)).unwrap();
        assert_eq!(hex(&sealed[..16]), "681EDF34D206965E86B3E94F536E4246");
    }

    /// GB/T 32918.5, annex A: the signature of "message digest" on the recommended curve.
    #[test]
    fn sm2_of_the_standard() {
        let secret = "3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8";
        let public = "0409F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020\
                      CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13";
        let signature = "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3\
                         B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA";
        assert!(
            VerifyKey::read(public)
                .unwrap()
                .verifies(b"message digest", signature)
        );
        let key = SignKey::read(secret).unwrap();
        assert_eq!(hex(&key.verify_key().0.to_sec1_bytes()), public);
        assert!(!key.verify_key().verifies(b"message digesT", signature));
    }

    #[test]
    fn what_is_signed_verifies_in_every_form_and_nothing_else_does() {
        let key = SignKey::generate().unwrap();
        let other = SignKey::generate().unwrap();
        for form in [SignatureForm::Base64, SignatureForm::Hex, SignatureForm::HexDer] {
            for nth in 0..4 {
                let message = format!("{nth}");
                let signature = key.sign(message.as_bytes(), form).unwrap();
                assert!(
                    key.verify_key().verifies(message.as_bytes(), &signature),
                    "{form:?}"
                );
                assert!(!other.verify_key().verifies(message.as_bytes(), &signature));
                assert!(!key.verify_key().verifies(b"x", &signature));
            }
        }
        let pem = key.to_pem().unwrap();
        assert_eq!(SignKey::read(&pem).unwrap().to_pem(), Ok(pem));
        let public = key.verify_key().to_pem().unwrap();
        assert_eq!(VerifyKey::read(&public).unwrap().to_pem(), Ok(public));
        for wrong in [
            "",
            "-----BEGIN PRIVATE KEY-----",
            "00",
            "zz",
            &"0".repeat(64),
            &"F".repeat(64),
        ] {
            assert!(
                SignKey::read(wrong).is_err() && VerifyKey::read(wrong).is_err(),
                "{wrong}"
            );
            assert!(!key.verify_key().verifies(b"x", wrong));
        }
    }

    #[test]
    fn what_is_sealed_opens_and_what_is_broken_does_not_panic() {
        let key = CipherKey::new(b"0123456789abcdef").unwrap();
        for length in 0..70 {
            let plain: Vec<u8> = (0..length).collect();
            let sealed = key.seal(&plain);
            assert_eq!(key.open(&sealed), Some(plain));
            for cut in 0..sealed.len() {
                let opened = key.open(&sealed[..cut]);
                assert!(opened.is_none_or(|opened| opened.len() < usize::from(length)));
            }
        }
        assert!(CipherKey::new(b"short").is_none());
        let other = CipherKey::new(b"fedcba9876543210").unwrap();
        assert_eq!(other.open(&key.seal(b"{\"a\":1}")), None);
        assert_eq!(key.open("no cipher"), None);
    }
}
