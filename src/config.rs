//! `yijie.toml` of a data directory: institution, agency and devices of this till, and where its files stand.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use yijie_hardware::{DISPLAY_BAUD, Paper, TraceCodes};

/// Settings of one till.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The institution this till settles for.
    pub institution: Institution,
    /// Where the agency answers; the TLS files stand in `tls/` of the data directory.
    pub agency: Agency,
    /// What is plugged in.
    #[serde(default)]
    pub devices: Devices,
    /// Number of this till in the institution, 0–9: the first digit of the message ids' serial part.
    #[serde(default)]
    pub till: u8,
    /// Fill what no document publishes with made-up figures, to show every benefit. Never where people are settled for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sandbox_figures: bool,
}

/// A designated institution as the agency knows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Institution {
    /// fixmedins_code.
    pub code: String,
    /// fixmedins_name.
    pub name: String,
    /// fixmedins_type: 1 medical institution, 2 pharmacy.
    #[serde(rename = "type")]
    pub kind: String,
    /// medinslv: 1 to 3; a pharmacy has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// Administrative division (医保区划) where it stands.
    pub area: String,
}

/// Address and timing of the agency's gateway.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agency {
    /// https:// address.
    pub url: String,
    /// Longest wait for an answer before a settlement counts as unknown, in seconds.
    #[serde(default = "answer_s_max")]
    pub answer_s_max: u64,
    /// Province profile, a name or the path of a TOML file: how the gateway wants to be spoken to.
    #[serde(default = "profile")]
    pub profile: String,
}

fn profile() -> String {
    "plain".to_owned()
}

fn answer_s_max() -> u64 {
    20
}

/// Devices of the counter; what is absent is looked for (reader) or not used (scanner, printer).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Devices {
    /// PC/SC reader name; absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader: Option<String>,
    /// PC/SC reader with the security module (PSAM) that 3.0 cards ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub psam: Option<String>,
    /// Serial port of the scanner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scanner: Option<String>,
    /// Its speed in baud.
    #[serde(default = "baud")]
    pub scanner_baud: u32,
    /// What counts as a drug's trace code; 20 digits if nothing is set.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub trace_codes: TraceCodes,
    /// Serial port of the identity-card reader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_reader: Option<String>,
    /// Where receipts go: `tcp://HOST:9100`, a serial port, a device such as `/dev/usb/lp0`, or a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub printer: Option<String>,
    /// Speed of a printer at a serial port.
    #[serde(default = "baud")]
    pub printer_baud: u32,
    /// Width of its paper in millimetres: 58 or 80.
    #[serde(default)]
    pub paper: Paper,
    /// Serial port of the customer display (LED8).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
    /// Its speed in baud.
    #[serde(default = "display_baud")]
    pub display_baud: u32,
    /// A second window for the customer, on the second screen where there is one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub customer_window: bool,
}

impl Default for Devices {
    fn default() -> Devices {
        Devices {
            reader: None,
            psam: None,
            id_reader: None,
            scanner: None,
            scanner_baud: baud(),
            printer: None,
            printer_baud: baud(),
            paper: Paper::default(),
            display: None,
            display_baud: display_baud(),
            customer_window: false,
            trace_codes: TraceCodes::default(),
        }
    }
}

fn baud() -> u32 {
    9600
}

fn display_baud() -> u32 {
    DISPLAY_BAUD
}

fn is_usual(codes: &TraceCodes) -> bool {
    *codes == TraceCodes::default()
}

/// Why a till's settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No `yijie.toml`: the directory was never prepared.
    #[error("{0} holds no yijie.toml")]
    NotPrepared(PathBuf),
    /// The directory is in use by a prepared till.
    #[error("{0} is already a till's data directory")]
    AlreadyPrepared(PathBuf),
    /// A file of it cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is not what a settings file looks like.
    #[error("{path}: {source}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        source: toml::de::Error,
    },
}

impl ConfigError {
    /// Stable code of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ConfigError::NotPrepared(_) => "DATA_NOT_PREPARED",
            ConfigError::AlreadyPrepared(_) => "DATA_ALREADY_PREPARED",
            ConfigError::File { .. } => "FILE_FAILED",
            ConfigError::Unreadable { .. } => "CONFIG_UNREADABLE",
        }
    }
}

/// Settings file of a data directory.
#[must_use]
pub fn path(data: &Path) -> PathBuf {
    data.join("yijie.toml")
}

/// TLS files of a data directory.
#[must_use]
pub fn tls_dir(data: &Path) -> PathBuf {
    data.join("tls")
}

/// The files that say who the till is and whom it trusts.
#[must_use]
pub fn files(data: &Path) -> Vec<PathBuf> {
    let tls = tls_dir(data);
    let names = ["ca.pem", "client.pem", "client.key", "revoked.pem"];
    std::iter::once(path(data))
        .chain(names.map(|name| tls.join(name)))
        .collect()
}

/// Reads a data directory's settings.
///
/// # Errors
/// [`ConfigError`] if there are none or they cannot be understood.
pub fn load(data: &Path) -> Result<Config, ConfigError> {
    let path = path(data);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(ConfigError::NotPrepared(data.to_owned()));
        }
        Err(source) => return Err(ConfigError::File { path, source }),
    };
    toml::from_str(&text).map_err(|source| ConfigError::Unreadable { path, source })
}

/// Writes a new data directory's settings and takes the TLS files and `keys` in, private to this user.
///
/// # Errors
/// [`ConfigError::AlreadyPrepared`] if it has settings; [`ConfigError::File`] if a file cannot be read or written.
pub fn prepare(data: &Path, config: &Config, tls_from: &Path, keys: &[&str]) -> Result<(), ConfigError> {
    let path = path(data);
    if path.exists() {
        return Err(ConfigError::AlreadyPrepared(data.to_owned()));
    }
    let into = tls_dir(data);
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&into);
    made.map_err(|source| ConfigError::File {
        path: into.clone(),
        source,
    })?;
    for name in ["ca.pem", "client.pem", "client.key"].iter().chain(keys) {
        let from = tls_from.join(name);
        let bytes = fs::read(&from).map_err(|source| ConfigError::File { path: from, source })?;
        write_private(&into.join(name), &bytes)?;
    }
    let revoked = tls_from.join("revoked.pem");
    if revoked.exists() {
        let bytes = fs::read(&revoked).map_err(|source| ConfigError::File {
            path: revoked,
            source,
        })?;
        write_private(&into.join("revoked.pem"), &bytes)?;
    }
    let text = toml::to_string_pretty(config).unwrap_or_default();
    write_private(&path, text.as_bytes())
}

/// Writes a file that only this user can read, durably.
///
/// # Errors
/// [`ConfigError::File`] with the path.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), ConfigError> {
    let write = || {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|source| ConfigError::File {
        path: path.to_owned(),
        source,
    })
}
