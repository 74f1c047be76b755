//! The commands of the shell, one file each, and what they share: exit codes, output, an opened till.

pub mod agency;
pub mod card;
pub mod catalogue;
pub mod close;
pub mod demo;
pub mod doctor;
pub mod init;
pub mod journal;
pub mod keys;
pub mod operator;
pub mod packs;
pub mod people;
pub mod queue;
pub mod receipt;
pub mod resume;
pub mod salvage;
pub mod scan;
pub mod sell;
pub mod serve;
pub mod simulate;
pub mod split;
pub mod window;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Serialize;
use yijie_agency::{Client, ClientError, ClientSettings, InstitutionId, MsgIds, Profile};
use yijie_hardware::Paper;
use yijie_rules::Lang;

use crate::books::{Books, BooksError, Findings};
use crate::config::{self, Config, ConfigError};
use crate::sync::Sync;
use crate::{advice, clock};

/// Longest wait for a connection to the agency.
const CONNECT_WAIT: Duration = Duration::from_secs(5);

/// Why a command ends with another exit code than 0.
#[derive(Debug)]
pub struct Failure {
    /// 1 bad input or usage, 2 refused by a rule, 3 could not.
    pub exit: u8,
    /// Stable code.
    pub code: String,
    /// Particulars: a path, a field, what the system said.
    pub detail: String,
}

impl Failure {
    /// Bad input or usage.
    #[must_use]
    pub fn input(code: &str, detail: impl ToString) -> Failure {
        Failure {
            exit: 1,
            code: code.to_owned(),
            detail: detail.to_string(),
        }
    }

    /// A device, the network or the disk.
    #[must_use]
    pub fn could_not(code: &str, detail: impl ToString) -> Failure {
        Failure {
            exit: 3,
            code: code.to_owned(),
            detail: detail.to_string(),
        }
    }

    /// Refused by a rule.
    #[must_use]
    pub fn refused(code: &str, detail: impl ToString) -> Failure {
        Failure {
            exit: 2,
            code: code.to_owned(),
            detail: detail.to_string(),
        }
    }

    /// Tells it on standard error, in words or as JSON.
    pub fn report(&self, out: Out) {
        let told = if out.json {
            self.json(out.lang).to_string()
        } else {
            let text = advice::text(&self.code, out.lang);
            let advice = advice::advice(&self.code, out.lang);
            let detail = if self.detail.is_empty() {
                String::new()
            } else {
                format!("\n  {}", self.detail)
            };
            format!("{}: {text}{detail}\n  → {advice}", self.code)
        };
        // With standard error gone there is nobody to tell.
        drop(writeln!(io::stderr(), "{told}"));
    }

    /// For a program: code, words, particulars, what to do.
    fn json(&self, lang: Lang) -> serde_json::Value {
        let (text, advice) = (advice::text(&self.code, lang), advice::advice(&self.code, lang));
        serde_json::json!({"error": {"code": self.code, "text": text, "detail": self.detail, "advice": advice}})
    }
}

impl From<BooksError> for Failure {
    fn from(error: BooksError) -> Failure {
        match error {
            BooksError::NoSuchSale => Failure::input(error.code(), ""),
            _ => Failure::could_not(error.code(), &error),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        match error {
            ConfigError::File { .. } => Failure::could_not(error.code(), &error),
            _ => Failure::input(error.code(), &error),
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        Failure::could_not(error.code(), &error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::could_not("OUTPUT_FAILED", error)
    }
}

/// How a command prints.
#[derive(Debug, Clone, Copy)]
pub struct Out {
    /// Machine output.
    pub json: bool,
    /// Language of the words.
    pub lang: Lang,
}

impl Out {
    /// One line on standard output.
    ///
    /// # Errors
    /// [`Failure`] if it cannot be written.
    pub fn line(&self, text: impl AsRef<str>) -> Result<(), Failure> {
        Ok(writeln!(io::stdout(), "{}", text.as_ref())?)
    }

    /// The same thing for machines or for people.
    ///
    /// # Errors
    /// [`Failure`] if it cannot be written.
    pub fn print<T: Serialize>(&self, value: &T, words: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.json {
            let json = serde_json::to_string_pretty(value).map_err(|e| Failure::could_not("INTERNAL", e))?;
            self.line(json)
        } else {
            self.line(words())
        }
    }

    /// A list of any length, each item as it comes; `none` where people are told of nothing.
    ///
    /// # Errors
    /// [`Failure`] if an item cannot be read or written.
    pub fn each<T, V: Serialize>(
        &self,
        items: impl Iterator<Item = Result<T, BooksError>>,
        value: impl Fn(&T) -> V,
        words: impl Fn(&T) -> String,
        none: &str,
    ) -> Result<(), Failure> {
        let mut before = if self.json { "[" } else { "" };
        for item in items {
            let item = item?;
            if !self.json {
                self.line(words(&item))?;
                before = "\n";
                continue;
            }
            let json =
                serde_json::to_string_pretty(&value(&item)).map_err(|e| Failure::could_not("INTERNAL", e))?;
            write!(io::stdout(), "{before}\n  {}", json.replace('\n', "\n  "))?;
            before = ",";
        }
        match (self.json, before) {
            (true, "[") => self.line("[]"),
            (true, _) => self.line("\n]"),
            (false, "") => self.line(none),
            (false, _) => Ok(()),
        }
    }
}

/// The data directory given, or this user's.
///
/// # Errors
/// [`Failure`] if there is neither.
pub fn data_dir(given: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    let share = || std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).or_else(home);
    given
        .or_else(|| share().map(|dir| dir.join("yijie")))
        .ok_or_else(|| Failure::input("USAGE", "--data"))
}

/// Width of a receipt printer's paper in millimetres, as an argument.
fn paper() -> impl TypedValueParser<Value = Paper> {
    PossibleValuesParser::new(["58", "80"]).map(|millimetres| match millimetres.as_str() {
        "58" => Paper::Mm58,
        _ => Paper::Mm80,
    })
}

/// An agency other than the configured one.
#[derive(Debug, Clone, Default, Args)]
pub struct OtherAgency {
    /// Another agency than the configured one.
    #[arg(long = "agency", global = true)]
    pub url: Option<String>,
    /// Its TLS files.
    #[arg(long, global = true)]
    pub tls: Option<PathBuf>,
}

/// An opened data directory.
pub struct Till {
    /// Where it keeps its state.
    pub data: PathBuf,
    /// Its settings.
    pub config: Config,
    /// Its books.
    pub books: Arc<Books>,
    /// What opening found.
    pub findings: Findings,
    /// The way to the agency.
    pub sync: Arc<Sync>,
}

impl Till {
    /// Opens a data directory.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn open(data: &Path, other: &OtherAgency, out: Out) -> Result<Till, Failure> {
        Till::open_with(data, other, witness_dir().as_deref(), out)
    }

    /// Opens a data directory whose witness stands in a directory outside it, if there is one.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn open_with(
        data: &Path,
        other: &OtherAgency,
        witness: Option<&Path>,
        out: Out,
    ) -> Result<Till, Failure> {
        let config = config::load(data)?;
        let (books, findings) = books_with(data, &config, witness, out)?;
        if let Some(code) = books
            .institution()?
            .filter(|code| *code != config.institution.code)
        {
            return Err(Failure::input("OTHER_INSTITUTION", code));
        }
        let books = Arc::new(books);
        let packs = Arc::new(packs::renew(&books, data, &config, out)?);
        let url = other.url.clone().unwrap_or_else(|| config.agency.url.clone());
        let tls_dir = other.tls.clone().unwrap_or_else(|| config::tls_dir(data));
        let key = tls_dir.join("client.key");
        if open_to_others(&key) {
            let exposed = Failure::could_not("SECRET_EXPOSED", key.display());
            if other.tls.is_none() {
                return Err(exposed);
            }
            exposed.report(out);
        }
        let client = client(&config, url, tls_dir, books.msgids())?;
        let sync = Arc::new(Sync::new(books.clone(), client, packs));
        Ok(Till {
            data: data.to_owned(),
            config,
            books,
            findings,
            sync,
        })
    }
}

/// Opens the books; what opening found is told on standard error, whatever comes of the command.
fn books(data: &Path, config: &Config, out: Out) -> Result<(Books, Findings), Failure> {
    books_with(data, config, witness_dir().as_deref(), out)
}

fn books_with(
    data: &Path,
    config: &Config,
    witness: Option<&Path>,
    out: Out,
) -> Result<(Books, Findings), Failure> {
    let (books, mut findings) = Books::open(data, &config.institution.code, config.till)?;
    findings.settings_changed = books.note_settings(&config::files(data))?;
    if let Some(dir) = witness {
        books.keep_witness(dir)?;
    }
    for name in &findings.settings_changed {
        Failure::could_not("SETTINGS_CHANGED", name).report(out);
    }
    if let Some(code) = findings.clock {
        Failure::could_not(code, clock::stamp(clock::now_ms())).report(out);
    }
    if let Some(behind) = books.behind()? {
        Failure::could_not(&behind.why, behind.since).report(out);
    }
    for (code, path) in [
        ("TORN_TAIL_CUT", &findings.torn_tail),
        ("STORE_REBUILT", &findings.store_rebuilt),
    ] {
        if let Some(path) = path {
            Failure::could_not(code, path.display()).report(out);
        }
    }
    Ok((books, findings))
}

/// Where this user's programs keep what is no data of theirs: a witness there is not put back with a backup of the data.
fn witness_dir() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    let state = std::env::var_os("XDG_STATE_HOME")
        .map(PathBuf::from)
        .or_else(home)?;
    state.is_absolute().then(|| state.join("yijie"))
}

/// Whether other users may read a file.
#[must_use]
pub fn open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0)
}

/// A client of the agency; address and TLS files are checked, nothing is sent.
fn client(config: &Config, url: String, tls_dir: PathBuf, msgids: Arc<MsgIds>) -> Result<Client, Failure> {
    let institution = &config.institution;
    let settings = ClientSettings {
        url,
        tls_dir,
        institution: InstitutionId {
            code: institution.code.clone(),
            name: institution.name.clone(),
            admdvs: institution.area.clone(),
        },
        operator: yijie_agency::Operator {
            id: "000".to_owned(),
            name: "yijie".to_owned(),
            kind: "1".to_owned(),
        },
        dev_no: String::new(),
        profile: Profile::named(&config.agency.profile).map_err(|e| Failure::input(e.code(), &e))?,
        timeout: Duration::from_secs(config.agency.answer_s_max),
        connect_timeout: CONNECT_WAIT,
        msgids,
    };
    Ok(Client::new(settings)?)
}

/// Threads for network calls and flushes.
///
/// # Errors
/// [`Failure`] if the system gives no threads.
pub fn tasks() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::could_not("INTERNAL", error))
}

/// One line of standard input without its end: a PIN.
///
/// # Errors
/// [`Failure`] if there is none.
pub fn pin_from_stdin() -> Result<String, Failure> {
    let mut line = String::new();
    io::stdin()
        .read_line(&mut line)
        .map_err(|e| Failure::input("PIN_SHAPE", e))?;
    Ok(line.trim().to_owned())
}
