//! `yijie packs sign`, `verify`, `install`, `fetch`, `diff`: packs as signed bundles, and what one set changes against another.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::civil::Date;
use serde_json::{Value, json};
use yijie_agency::Answer;
use yijie_rules::{Change, Lang, Packs, diff_packs};

use super::files;
use crate::bundle::shelf::Shelf;
use crate::bundle::signature::{PublicKey, SecretKey};
use crate::bundle::{self, BundleError, Contents, PackText};
use crate::clock;
use crate::commands::{Failure, OtherAgency, Out, Till, tasks};

impl From<BundleError> for Failure {
    fn from(error: BundleError) -> Failure {
        Failure::could_not(error.code(), &error)
    }
}

/// What a bundle is made of.
#[derive(Debug, Args)]
pub struct ToSign {
    /// The directory.
    dir: PathBuf,
    /// Secret key, Ed25519 or SM2 in PKCS#8 PEM (openssl genpkey -algorithm ed25519).
    #[arg(long)]
    key: PathBuf,
    /// Version of the bundle, above every one before it.
    #[arg(long = "bundle-version")]
    version: u64,
    /// First day its packs are settled by, yyyy-MM-dd; otherwise today.
    #[arg(long)]
    from: Option<Date>,
    /// Last day it may be installed on.
    #[arg(long)]
    until: Date,
    /// File to write.
    #[arg(long)]
    to: PathBuf,
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|e| Failure::could_not("FILE_FAILED", format!("{}: {e}", path.display())))
}

fn read_text(path: &Path) -> Result<String, Failure> {
    let bytes = read(path)?;
    String::from_utf8(bytes).map_err(|_| BundleError::Form("UTF-8 expected".to_owned()).into())
}

fn today() -> Date {
    clock::today(clock::now_ms())
}

/// Signs the packs of a directory.
///
/// # Errors
/// [`Failure`] if a pack has a mistake, the key is none, or a file cannot be read or written.
pub fn sign(order: &ToSign, out: Out) -> Result<(), Failure> {
    let key = SecretKey::from_pem(&read(&order.key)?).map_err(BundleError::from)?;
    let named = |(file, toml): (String, String)| {
        let short = Path::new(&file).strip_prefix(&order.dir).map(Path::to_owned);
        let file = short.map_or(file, |short| short.display().to_string());
        PackText { file, toml }
    };
    let mut packs: Vec<PackText> = files(&order.dir)?.into_iter().map(named).collect();
    if packs.is_empty() {
        return Err(BundleError::Form(format!("{}: *.toml", order.dir.display())).into());
    }
    // an overlay needs its pack before it
    packs.sort_by_key(|pack| yijie_rules::is_overlay(&pack.toml));
    let contents = Contents {
        version: order.version,
        from: order.from.unwrap_or_else(today),
        until: order.until,
        packs,
    };
    let text = bundle::sign(&contents, &key)?;
    fs::write(&order.to, text)
        .map_err(|e| Failure::could_not("FILE_FAILED", format!("{}: {e}", order.to.display())))?;
    tell(&contents, &key.public().map_err(BundleError::from)?, out)
}

/// Checks a bundle as an installation would, and installs nothing. With a key and no data directory, only the bundle
/// itself is checked.
///
/// # Errors
/// [`Failure`] says why it would be refused.
pub fn verify(path: &Path, key: Option<&Path>, data: Option<&Path>, out: Out) -> Result<(), Failure> {
    let text = read_text(path)?;
    let shelf = data.map(Shelf::of);
    let key = match (key, &shelf) {
        (Some(key), _) => PublicKey::from_pem(&read(key)?).map_err(BundleError::from)?,
        (None, Some(shelf)) => shelf.key()?,
        (None, None) => return Err(BundleError::NoKey.into()),
    };
    let contents = match &shelf {
        Some(shelf) => shelf.check(&text, &key, today())?,
        None => {
            let contents = bundle::open(&text, &key)?;
            contents.check_days(today())?;
            contents.packs_over(Packs::builtin())?;
            contents
        }
    };
    tell(&contents, &key, out)
}

/// Installs a bundle on a till; where no key is pinned yet, the given one is.
///
/// # Errors
/// [`Failure`] says why it is refused; what was installed before stays in use.
pub fn install(path: &Path, key: Option<&Path>, data: &Path, out: Out) -> Result<(), Failure> {
    crate::config::load(data)?;
    let text = read_text(path)?;
    let pem = key.map(read).transpose()?;
    let shelf = Shelf::of(data);
    let contents = shelf.install(&text, pem.as_deref(), today())?;
    tell(&contents, &shelf.key()?, out)
}

/// Asks the agency for its bundle (9102) and installs it, if it is newer than the one installed.
///
/// # Errors
/// [`Failure`] if none is offered, none comes, or it is refused as [`install`] would.
pub fn fetch(key: Option<&Path>, data: &Path, agency: &OtherAgency, out: Out) -> Result<(), Failure> {
    let pem = key.map(read).transpose()?;
    let till = Till::open(data, agency, out)?;
    let text = match tasks()?.block_on(till.sync.client().rule_packs()) {
        Answer::Done(text) => text,
        Answer::Refused(refusal) => return Err(Failure::refused("BUNDLE_NOT_OFFERED", refusal.message)),
        Answer::NotSent(cause) | Answer::Unknown(cause) => {
            return Err(Failure::could_not(cause.code(), &cause));
        }
    };
    let shelf = Shelf::of(data);
    match shelf.install(&text, pem.as_deref(), today()) {
        Ok(contents) => tell(&contents, &shelf.key()?, out),
        Err(BundleError::NotNewer { .. }) => out.print(&json!({"version": null}), || {
            let none = out.lang.pick("没有更新的规则包", "there is no newer bundle");
            none.to_owned()
        }),
        Err(error) => Err(error.into()),
    }
}

fn tell(contents: &Contents, key: &PublicKey, out: Out) -> Result<(), Failure> {
    let packs = contents.packs_over(Packs::builtin())?;
    let files = contents.packs.iter().map(|pack| pack.file.as_str());
    let listed: Vec<Value> = packs
        .iter()
        .map(|pack| json!({"id": pack.id(), "version": pack.version()}))
        .collect();
    let told = json!({
        "version": contents.version, "from": contents.from, "until": contents.until,
        "algorithm": key.algorithm(), "key": key.fingerprint(),
        "files": files.collect::<Vec<_>>(), "packs": listed,
    });
    out.print(&told, || {
        let names: Vec<String> = packs
            .iter()
            .map(|pack| format!("  {} {}", pack.id(), pack.version()))
            .collect();
        let (version, from, until) = (contents.version, contents.from, contents.until);
        let head = match out.lang {
            Lang::Zh => format!("规则包第 {version} 版：{from} 起启用，{until} 前可安装；安装后各规则包为"),
            Lang::En => {
                format!("bundle {version}: in force from {from}, to be installed by {until}; with it the packs are")
            }
        };
        format!(
            "{head}\n{}\n  {} {}",
            names.join("\n"),
            key.algorithm(),
            key.fingerprint()
        )
    })
}

/// Tells what the second set of packs changes against the first. Each is a directory, a pack file, a bundle (its
/// signature is not looked at here), or `builtin`.
///
/// # Errors
/// [`Failure`] if one of them cannot be read or has a mistake.
pub fn diff(old: &Path, new: &Path, out: Out) -> Result<(), Failure> {
    let ((old, _), (new, first_day)) = (set(old)?, set(new)?);
    let mut changes = diff_packs(&old, &new, out.lang);
    for change in &mut changes {
        change.from = change.from.max(first_day);
    }
    out.print(&changes, || {
        if changes.is_empty() {
            return out.lang.pick("没有变化", "nothing changes").to_owned();
        }
        let lines: Vec<String> = changes.iter().map(|change| words(change, out.lang)).collect();
        lines.join("\n")
    })
}

fn words(change: &Change, lang: Lang) -> String {
    let days = match (change.from, change.until, lang) {
        (None, _, Lang::Zh) => "启用之日起".to_owned(),
        (None, _, Lang::En) => "once in force".to_owned(),
        (Some(from), None, Lang::Zh) => format!("{from} 起"),
        (Some(from), None, Lang::En) => format!("from {from}"),
        (Some(from), Some(until), Lang::Zh) => format!("{from} 至 {until}"),
        (Some(from), Some(until), Lang::En) => format!("from {from} to {until}"),
    };
    format!("{} · {days} · {}", change.pack, change.says)
}

/// The packs a word on the command line stands for, and a bundle's first day.
fn set(path: &Path) -> Result<(Packs, Option<Date>), Failure> {
    if path.as_os_str() == "builtin" {
        return Ok((Packs::builtin(), None));
    }
    if path.is_dir() {
        return Ok((super::load(&[path.to_owned()])?, None));
    }
    let text = read_text(path)?;
    if let Some(contents) = bundle::contents_unverified(&text) {
        let contents = contents?;
        return Ok((contents.packs_over(Packs::builtin())?, Some(contents.from)));
    }
    let mut packs = Packs::builtin();
    packs
        .add(&path.display().to_string(), &text)
        .map_err(|e| super::pack_error(&e))?;
    Ok((packs, None))
}
