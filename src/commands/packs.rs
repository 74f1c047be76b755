//! `yijie packs`: which rule packs there are, and whether those of a directory hold together; bundles of them.

pub mod bundles;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;
use yijie_rules::{Lang, PackError, PackSummary, Packs};

use self::bundles::ToSign;
use super::{Failure, OtherAgency, Out, data_dir};
use crate::books::Books;
use crate::bundle::shelf::Shelf;
use crate::clock;
use crate::config::Config;
use crate::record::Record;

fn pack_error(error: &PackError) -> Failure {
    Failure {
        exit: 3,
        code: error.code().to_owned(),
        detail: error.to_string(),
    }
}

/// The built-in packs and those of every directory; a directory's pack replaces a built-in one of the same id.
///
/// # Errors
/// [`Failure`] with exit code 3.
pub fn load(dirs: &[PathBuf]) -> Result<Packs, Failure> {
    let mut packs = Packs::builtin();
    for dir in dirs {
        for (name, text) in files(dir)? {
            packs.add(&name, &text).map_err(|e| pack_error(&e))?;
        }
    }
    Ok(packs)
}

/// What a till settles by: the built-in packs, and over them those of the bundle that is installed. What is wrong
/// with a bundle is told on standard error; the best sound one is in use all the same.
#[must_use]
pub fn of_till(data: &Path, config: &Config, out: Out) -> Packs {
    let mut base = Packs::builtin();
    if config.sandbox_figures {
        base = base.with_sandbox_figures();
    }
    let in_use = Shelf::of(data).in_use(base, clock::today(clock::now_ms()));
    for trouble in in_use.troubles {
        Failure::from(trouble).report(out);
    }
    in_use.packs
}

/// What a till settles by, read anew; the newest bundle and every pack are in the journal before it is used.
///
/// # Errors
/// [`Failure`] if the journal or the shelf cannot be read or written.
pub fn renew(books: &Books, data: &Path, config: &Config, out: Out) -> Result<Packs, Failure> {
    keep_bundle(books, data, out)?;
    let packs = of_till(data, config, out);
    keep(books, &packs)?;
    Ok(packs)
}

/// Puts the newest bundle of the shelf into the journal; a shelf that has lost it gets it back from there, and that is
/// told. So a version once in use is the least that is settled by, whatever becomes of the files.
fn keep_bundle(books: &Books, data: &Path, out: Out) -> Result<(), Failure> {
    let shelf = Shelf::of(data);
    let kept = books.bundle()?;
    let newest = shelf.newest();
    let (had, has) = (
        kept.as_ref().map(|(version, ..)| *version),
        newest.as_ref().map(|(version, ..)| *version),
    );
    match (kept, newest) {
        (Some((version, key, text)), _) if has < had => {
            shelf.put_back(version, &key, &text)?;
            Failure::could_not("BUNDLE_RESTORED", version).report(out);
        }
        (_, Some((version, key, text))) if had < has => {
            books.append(&Record::Bundle { version, key, text }, clock::now_ms())?;
        }
        _ => {}
    }
    Ok(())
}

/// Puts every pack the till may settle by into the journal, whole, so that a settlement can be recomputed from it.
fn keep(books: &Books, packs: &Packs) -> Result<(), Failure> {
    for pack in packs.list() {
        let id = format!("{}@{}", pack.id, pack.version);
        if books.pack(&id)?.is_none()
            && let Some(toml) = packs.text(&pack.id)
        {
            books.append(&Record::Pack { id, toml }, clock::now_ms())?;
        }
    }
    Ok(())
}

/// Every `.toml` under a directory, by path.
fn files(dir: &Path) -> Result<Vec<(String, String)>, Failure> {
    let failed = |path: &Path, e: std::io::Error| Failure {
        exit: 3,
        code: "PACKS_DIR_UNREADABLE".to_owned(),
        detail: format!("{}: {e}", path.display()),
    };
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).map_err(|e| failed(&dir, e))? {
            let path = entry.map_err(|e| failed(&dir, e))?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                let text = fs::read_to_string(&path).map_err(|e| failed(&path, e))?;
                found.push((path.display().to_string(), text));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// What is asked of the packs.
#[derive(Args)]
pub struct Request {
    /// Directory with more packs; may be given again.
    #[arg(long = "packs")]
    packs: Vec<PathBuf>,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Subcommand)]
enum Action {
    /// Load errors of a directory's packs.
    Check {
        /// The directory.
        dir: PathBuf,
    },
    /// Make a signed bundle of a directory's packs.
    Sign(ToSign),
    /// Check a bundle's signature, days and packs; with --data also that it is newer than what is installed.
    Verify {
        /// The bundle.
        bundle: PathBuf,
        /// Public key in PEM (openssl pkey -pubout); otherwise the one pinned in the data directory.
        #[arg(long)]
        key: Option<PathBuf>,
    },
    /// Install a bundle in the data directory; an unsigned, tampered, expired or older one is refused.
    Install {
        /// The bundle.
        bundle: PathBuf,
        /// Public key to pin, the first time.
        #[arg(long)]
        key: Option<PathBuf>,
    },
    /// Ask the agency for its bundle and install it, if it is newer. A till whose window is open does so at each sign-in.
    Fetch {
        /// Public key to pin, the first time.
        #[arg(long)]
        key: Option<PathBuf>,
        #[command(flatten)]
        agency: OtherAgency,
    },
    /// What changes for whom from which day: directories, pack files, bundles, or `builtin`.
    Diff {
        /// Before.
        old: PathBuf,
        /// After.
        new: PathBuf,
    },
}

/// Runs it; exit code 3 if a pack has a mistake.
///
/// # Errors
/// [`Failure`].
pub fn run(data: Option<PathBuf>, request: &Request, out: Out) -> Result<u8, Failure> {
    match &request.action {
        None => list(&request.packs, data.as_deref(), out),
        Some(Action::Check { dir }) => return check(dir, out),
        Some(Action::Sign(order)) => bundles::sign(order, out),
        Some(Action::Verify { bundle, key }) => bundles::verify(bundle, key.as_deref(), data.as_deref(), out),
        Some(Action::Install { bundle, key }) => {
            bundles::install(bundle, key.as_deref(), &data_dir(data)?, out)
        }
        Some(Action::Fetch { key, agency }) => bundles::fetch(key.as_deref(), &data_dir(data)?, agency, out),
        Some(Action::Diff { old, new }) => bundles::diff(old, new, out),
    }
    .map(|()| 0)
}

/// Lists the packs: of the till, where its data directory is given, else the built-in ones and those of directories.
fn list(dirs: &[PathBuf], data: Option<&Path>, out: Out) -> Result<(), Failure> {
    let packs = match data {
        Some(data) if dirs.is_empty() => of_till(data, &crate::config::load(data)?, out),
        _ => load(dirs)?,
    };
    let list = packs.list();
    out.print(&list, || {
        list.iter()
            .map(|pack| words(pack, out.lang))
            .collect::<Vec<_>>()
            .join("\n\n")
    })
}

fn words(pack: &PackSummary, lang: Lang) -> String {
    let until = pack.until.map_or_else(
        || lang.pick("至今", "until further notice").to_owned(),
        |day| day.to_string(),
    );
    let mut lines = vec![
        format!("{} {}  {}", pack.id, pack.version, pack.title),
        format!(
            "  {} {} · {} → {until}",
            pack.area,
            pack.insutype.join(" "),
            pack.from
        ),
    ];
    for source in &pack.sources {
        lines.push(format!(
            "  {} [{}] {}",
            source.title,
            source.grade.as_str(),
            source.name
        ));
    }
    for missing in &pack.missing {
        lines.push(format!("  {}: {missing}", lang.pick("未公布", "not published")));
    }
    lines.join("\n")
}

/// Checks the packs of a directory; exit code 3 if one has a mistake.
fn check(dir: &Path, out: Out) -> Result<u8, Failure> {
    let files = files(dir)?;
    let mut packs = Packs::builtin();
    let mut mistakes = Vec::new();
    for (name, text) in &files {
        mistakes.extend(yijie_rules::check_pack(&packs, name, text));
        // A pack that does not load is in the mistakes already; the others may be overlays of it.
        drop(packs.add(name, text));
    }
    let told: Vec<_> = mistakes
        .iter()
        .map(|mistake| {
            json!({
                "code": mistake.code(), "file": mistake.file, "line": mistake.line,
                "says": mistake.fault.to_string(), "advice": mistake.advice(out.lang),
            })
        })
        .collect();
    out.print(&told, || {
        if mistakes.is_empty() {
            return match out.lang {
                Lang::Zh => format!("{} 个规则包，无误", files.len()),
                Lang::En => format!("{} packs, no mistake", files.len()),
            };
        }
        let lines = mistakes
            .iter()
            .map(|mistake| format!("{mistake}\n  → {}", mistake.advice(out.lang)));
        lines.collect::<Vec<_>>().join("\n")
    })?;
    Ok(if mistakes.is_empty() { 0 } else { 3 })
}
