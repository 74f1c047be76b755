//! `yijie catalogue`: the price list of the till, listed, and replaced by a supervisor.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;
use yijie_rules::Lang;

use super::people::Who;
use super::{Failure, Out};
use crate::catalogue::{Catalogue, Item};
use crate::record::Record;
use crate::{clock, config};

/// What is asked of the price list.
#[derive(Subcommand)]
pub enum Request {
    /// Every item.
    List,
    /// Replace it by a CSV file, whole or not at all.
    Import {
        /// The file, UTF-8.
        file: PathBuf,
        /// Who asks for it.
        #[command(flatten)]
        who: Who,
    },
}

/// Runs it.
///
/// # Errors
/// [`Failure`]; the list before stands then.
pub fn run(data: &Path, request: &Request, out: Out) -> Result<(), Failure> {
    let config = config::load(data)?;
    let (books, _) = super::books(data, &config, out)?;
    match request {
        Request::List => {
            let items = books.catalogue()?;
            out.print(&items, || items.iter().map(line).collect::<Vec<_>>().join("\n"))
        }
        Request::Import { file, who } => {
            let items = read(file)?;
            let by = who.supervisor(&books, out)?.id;
            let (before, now) = (books.catalogue()?.len(), items.len());
            let record = Record::Catalogue {
                items,
                by: Some(by.clone()),
            };
            books.append(&record, clock::now_ms())?;
            out.print(
                &json!({"items": now, "before": before, "operator": by}),
                || match out.lang {
                    Lang::Zh => format!("价目表已换：{before} 项 → {now} 项"),
                    Lang::En => format!("price list replaced: {before} items → {now}"),
                },
            )
        }
    }
}

/// A price list in CSV, as spreadsheets write it: with or without a byte order mark.
///
/// # Errors
/// [`Failure`] with the row.
pub fn read(file: &Path) -> Result<Vec<Item>, Failure> {
    let place = file.display();
    let bytes =
        std::fs::read(file).map_err(|e| Failure::could_not("FILE_FAILED", format!("{place}: {e}")))?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::input("CATALOGUE_NOT_UTF8", &place))?;
    Catalogue::from_csv(text.trim_start_matches('\u{feff}'))
        .map_err(|e| Failure::input(e.code(), format!("{place}: {e}")))
}

fn line(item: &Item) -> String {
    format!("{}  {}  {}  {}", item.code, item.name, item.spec, item.price)
}
