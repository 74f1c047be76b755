//! Keys and secrets a province's gateway asks for, read from files beside the TLS files, wiped when dropped.
//!
//! | file | whose | what |
//! |---|---|---|
//! | `gateway.toml` | both | paasid and secret, apikey, client_id, client_secret, user, password |
//! | `sm2.key`, `agency-sm2.pem` | terminal | its private key, the agency's public key |
//! | `agency-sm2.key`, `sm2.pem` | sandbox | the same from the other side |

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::{
    gm::{CipherKey, SignKey, VerifyKey},
    profile::{Cainfo, HeaderScheme, InputForm, Profile},
};

const GATEWAY: &str = "gateway.toml";

/// What a gateway knows its caller by.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Gateway {
    pub(crate) paasid: Zeroizing<String>,
    pub(crate) secret: Zeroizing<String>,
    pub(crate) apikey: Zeroizing<String>,
    pub(crate) client_id: Zeroizing<String>,
    pub(crate) client_secret: Zeroizing<String>,
    pub(crate) user: Zeroizing<String>,
    pub(crate) password: Zeroizing<String>,
}

/// All one side holds. None of it for a profile that asks for nothing.
#[derive(Clone, Default)]
pub struct Keys {
    pub(crate) gateway: Gateway,
    pub(crate) own: Option<SignKey>,
    pub(crate) other: Option<VerifyKey>,
    pub(crate) cipher: Option<CipherKey>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

/// A key or secret that the profile asks for and that is not there.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A file can't be read.
    #[error("{file}, which the profile asks for, can't be read")]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what it should be. Its content is not repeated.
    #[error("{file}: {problem}")]
    Unusable {
        /// Which.
        file: PathBuf,
        /// What is wrong.
        problem: &'static str,
    },
}

impl KeysError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            KeysError::File { .. } => "GATEWAY_KEY_MISSING",
            KeysError::Unusable { .. } => "GATEWAY_KEY_UNUSABLE",
        }
    }
}

#[derive(Clone, Copy)]
enum Side {
    Terminal,
    Agency,
}

impl Keys {
    /// The names of the files a terminal needs under a profile, beside those of TLS.
    pub fn files(profile: &Profile) -> Vec<&'static str> {
        let mut files = Vec::new();
        if profile.headers != HeaderScheme::None || profile.input == InputForm::Ciphertext {
            files.push(GATEWAY);
        }
        if signs(profile) {
            files.push("sm2.key");
        }
        if profile.reply_signed {
            files.push("agency-sm2.pem");
        }
        files
    }

    /// A terminal's, from a directory.
    ///
    /// # Errors
    /// [`KeysError`] if the profile asks for something that is not there.
    pub fn of_terminal(profile: &Profile, dir: &Path) -> Result<Keys, KeysError> {
        Keys::read(profile, dir, Side::Terminal)
    }

    /// The sandbox's own, from its directory.
    pub(crate) fn of_agency(profile: &Profile, dir: &Path) -> Result<Keys, KeysError> {
        Keys::read(profile, dir, Side::Agency)
    }

    fn read(profile: &Profile, dir: &Path, side: Side) -> Result<Keys, KeysError> {
        let files = Keys::files(profile);
        let mut keys = Keys::default();
        if files.contains(&GATEWAY) {
            let file = dir.join(GATEWAY);
            let no_toml = || unusable(&file, "not the TOML of a gateway's secrets");
            let bytes = bytes_of(&file)?;
            let text = std::str::from_utf8(&bytes).map_err(|_| no_toml())?;
            keys.gateway = toml::from_str(text).map_err(|_| no_toml())?;
            keys.gateway
                .suffices(profile.headers)
                .map_err(|problem| unusable(&file, problem))?;
            if profile.input == InputForm::Ciphertext {
                let key = CipherKey::new(keys.gateway.client_id.as_bytes());
                keys.cipher =
                    Some(key.ok_or_else(|| unusable(&file, "client_id has to have 16 characters"))?);
            }
        }
        let (own, other) = match side {
            Side::Terminal => ("sm2.key", "agency-sm2.pem"),
            Side::Agency => ("agency-sm2.key", "sm2.pem"),
        };
        let (has_own, has_other) = match side {
            Side::Terminal => (signs(profile), profile.reply_signed),
            Side::Agency => (profile.reply_signed, signs(profile)),
        };
        if has_own {
            let file = dir.join(own);
            let key = SignKey::read(bytes_of(&file)?);
            keys.own = Some(key.map_err(|_| unusable(&file, "no private SM2 key"))?);
        }
        if has_other {
            let file = dir.join(other);
            let key = VerifyKey::read(bytes_of(&file)?);
            keys.other = Some(key.map_err(|_| unusable(&file, "no public SM2 key"))?);
        }
        Ok(keys)
    }
}

fn signs(profile: &Profile) -> bool {
    matches!(profile.cainfo, Cainfo::EnvelopeSm2 | Cainfo::InputSm2)
}

impl Gateway {
    fn suffices(&self, headers: HeaderScheme) -> Result<(), &'static str> {
        let needed: &[(&str, &'static str)] = match headers {
            HeaderScheme::None => &[],
            HeaderScheme::Tif => &[
                (&self.paasid, "paasid is missing"),
                (&self.secret, "secret is missing"),
            ],
            HeaderScheme::Apikey => &[(&self.apikey, "apikey is missing")],
            HeaderScheme::Bearer => &[
                (&self.client_id, "client_id is missing"),
                (&self.client_secret, "client_secret is missing"),
                (&self.user, "user is missing"),
                (&self.password, "password is missing"),
            ],
        };
        let missing = needed.iter().find(|(value, _)| value.is_empty());
        missing.map_or(Ok(()), |(_, problem)| Err(problem))
    }
}

fn bytes_of(file: &Path) -> Result<Zeroizing<Vec<u8>>, KeysError> {
    fs::read(file)
        .map(Zeroizing::new)
        .map_err(|source| KeysError::File {
            file: file.to_owned(),
            source,
        })
}

fn unusable(file: &Path, problem: &'static str) -> KeysError {
    KeysError::Unusable {
        file: file.to_owned(),
        problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_profile_asks_for_has_to_be_there_and_is_not_repeated() {
        let dir = tempfile::tempdir().unwrap();
        let jilin = Profile::built_in("jilin").unwrap();
        let code = |text: &str| {
            fs::write(dir.path().join(GATEWAY), text).unwrap();
            let error = Keys::of_terminal(&jilin, dir.path()).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
            error.code()
        };
        assert_eq!(
            Keys::of_terminal(&jilin, dir.path()).unwrap_err().code(),
            "GATEWAY_KEY_MISSING"
        );
        for text in [
            "client_id = 'hush",
            "hush = 1",
            "client_id = 'hush'",
            "client_id = 'hush'\nclient_secret = 'hush'\nuser = 'hush'\npassword = 'hush'",
        ] {
            assert_eq!(code(text), "GATEWAY_KEY_UNUSABLE", "{text}");
        }
        let whole = "client_id = '0123456789abcdef'\nclient_secret = 'hush'\nuser = 'u'\npassword = 'hush'";
        assert_eq!(code(whole), "GATEWAY_KEY_MISSING", "sm2.key is still to come");
        fs::write(dir.path().join("sm2.key"), "hush").unwrap();
        assert_eq!(code(whole), "GATEWAY_KEY_UNUSABLE");
        let plain = Profile::built_in("plain").unwrap();
        assert!(Keys::files(&plain).is_empty());
        assert!(Keys::of_terminal(&plain, Path::new("/nowhere")).is_ok());
    }
}
