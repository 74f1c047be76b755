//! Rule packs on their way to a till: one file with a version that only goes up, days, and a signature.
//!
//! The file is text: a header of `name: value` lines, an empty line, then the contents as JSON. What is signed is the
//! whole file but for the line with the signature.

pub mod shelf;
pub mod signature;

use std::fmt::Write as _;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use yijie_rules::{PackError, Packs};

use signature::{PublicKey, SecretKey, SignatureError};

const FIRST_LINE: &str = "yijie-packs 1";

/// Pack files that travel together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contents {
    /// Goes up with every bundle of one key.
    pub version: u64,
    /// First day its packs are settled by.
    pub from: Date,
    /// Last day it may be installed on.
    pub until: Date,
    /// The pack files, overlays after their packs.
    pub packs: Vec<PackText>,
}

/// One pack file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackText {
    /// Its name, for errors.
    pub file: String,
    /// Its text.
    pub toml: String,
}

/// Why a bundle is refused.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Not the form of a bundle.
    #[error("{0}")]
    Form(String),
    /// The signature does not hold, or the key is not the pinned one.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// Its last day is over.
    #[error("version {version} ended on {until}")]
    Expired {
        /// Its version.
        version: u64,
        /// Its last day.
        until: Date,
    },
    /// Its last day is before its first.
    #[error("it would end on {until}, before it begins on {from}")]
    Backwards {
        /// First day.
        from: Date,
        /// Last day.
        until: Date,
    },
    /// Not above the version that is installed.
    #[error("version {version} is not above version {installed}, which is installed")]
    NotNewer {
        /// Its version.
        version: u64,
        /// The installed one.
        installed: u64,
    },
    /// A pack of it has a mistake.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// A pack has the id and version of a known one and another text.
    #[error("{pack} {version} is a known version with another text")]
    SameVersion {
        /// The pack's id.
        pack: String,
        /// Its version.
        version: String,
    },
    /// No key is pinned on this till.
    #[error("no key is pinned; install with --key once")]
    NoKey,
    /// Another key is pinned.
    #[error("another key is pinned on this till")]
    OtherKey,
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl BundleError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            BundleError::Form(_) => "BUNDLE_UNREADABLE",
            BundleError::Signature(error) => error.code(),
            BundleError::Expired { .. } => "BUNDLE_EXPIRED",
            BundleError::Backwards { .. } => "BUNDLE_DATES",
            BundleError::NotNewer { .. } => "BUNDLE_NOT_NEWER",
            BundleError::Pack(_) => "BUNDLE_PACK_BROKEN",
            BundleError::SameVersion { .. } => "BUNDLE_PACK_VERSION",
            BundleError::NoKey => "BUNDLE_NO_KEY",
            BundleError::OtherKey => "BUNDLE_OTHER_KEY",
            BundleError::File { .. } => "FILE_FAILED",
        }
    }
}

/// Writes and signs a bundle.
///
/// # Errors
/// [`BundleError`] if its days or packs have a mistake, or the key cannot sign.
pub fn sign(contents: &Contents, key: &SecretKey) -> Result<String, BundleError> {
    contents.packs_over(Packs::builtin())?;
    if contents.until < contents.from {
        let (from, until) = (contents.from, contents.until);
        return Err(BundleError::Backwards { from, until });
    }
    let json = serde_json::to_string_pretty(contents).map_err(|e| BundleError::Form(e.to_string()))?;
    let public = key.public()?;
    let (head, rest) = signed_parts(public.algorithm(), &public.fingerprint(), &json);
    let signature = key.sign(format!("{head}{rest}").as_bytes())?;
    Ok(format!("{head}signature: {signature}\n{rest}"))
}

/// Reads a bundle whose signature holds under the key. Days and versions are the caller's to judge.
///
/// # Errors
/// [`BundleError`] if it is not a bundle, or not one signed with this key.
pub fn open(text: &str, key: &PublicKey) -> Result<Contents, BundleError> {
    let form = |missing: &str| BundleError::Form(format!("no {missing}"));
    let rest = text
        .strip_prefix(FIRST_LINE)
        .and_then(|rest| rest.strip_prefix('\n'));
    let (algorithm, rest) =
        header(rest.ok_or_else(|| form(FIRST_LINE))?, "algorithm").ok_or_else(|| form("algorithm"))?;
    let (fingerprint, rest) = header(rest, "key").ok_or_else(|| form("key"))?;
    let (signature, rest) = header(rest, "signature").ok_or_else(|| form("signature"))?;
    let json = rest.strip_prefix('\n').ok_or_else(|| form("empty line"))?;
    if algorithm != key.algorithm() || fingerprint != key.fingerprint() {
        return Err(SignatureError::OtherKey.into());
    }
    let (head, rest) = signed_parts(algorithm, fingerprint, json);
    key.verify(format!("{head}{rest}").as_bytes(), signature)?;
    serde_json::from_str(json).map_err(|e| BundleError::Form(e.to_string()))
}

/// The contents of a text that has the form of a bundle, whoever signed it: to be looked at, never to be settled by.
/// `None` = it does not have that form.
pub fn contents_unverified(text: &str) -> Option<Result<Contents, BundleError>> {
    let (_, json) = text.strip_prefix(FIRST_LINE)?.split_once("\n\n")?;
    Some(serde_json::from_str(json).map_err(|e| BundleError::Form(e.to_string())))
}

impl Contents {
    /// Its packs laid over others.
    ///
    /// # Errors
    /// [`BundleError`] if one has a mistake, or another text than the known pack of its id and version.
    pub fn packs_over(&self, mut packs: Packs) -> Result<Packs, BundleError> {
        let before = packs.clone();
        for PackText { file, toml } in &self.packs {
            packs.add(file, toml)?;
        }
        for pack in packs.iter() {
            let known = before.get(pack.id());
            let same = known.is_some_and(|known| known.version() == pack.version());
            if same && before.text(pack.id()) != packs.text(pack.id()) {
                return Err(BundleError::SameVersion {
                    pack: pack.id().to_owned(),
                    version: pack.version().to_owned(),
                });
            }
        }
        Ok(packs)
    }

    /// Refuses a bundle whose last day is over.
    ///
    /// # Errors
    /// [`BundleError::Expired`].
    pub fn check_days(&self, today: Date) -> Result<(), BundleError> {
        if self.until < today {
            let (version, until) = (self.version, self.until);
            return Err(BundleError::Expired { version, until });
        }
        Ok(())
    }
}

/// What is signed, before and after the place of the signature.
fn signed_parts(algorithm: &str, fingerprint: &str, json: &str) -> (String, String) {
    let head = format!("{FIRST_LINE}\nalgorithm: {algorithm}\nkey: {fingerprint}\n");
    (head, format!("\n{json}"))
}

fn header<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let (line, rest) = text.split_once('\n')?;
    Some((line.strip_prefix(name)?.strip_prefix(": ")?, rest))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // writing to a String cannot fail
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let lower = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if !text.len().is_multiple_of(2) || !text.as_bytes().iter().all(lower) {
        return None;
    }
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}
