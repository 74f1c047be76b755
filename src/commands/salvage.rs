//! `yijie journal salvage`: a damaged journal is made anew from all that can be read of it; the damaged files are kept.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;
use yijie_offline_cache::salvage::{Again, Wreck, inspect, rebuild};
use yijie_offline_cache::{DataLock, Entry, JournalError, Vault};
use yijie_rules::Lang;

use super::people::Who;
use super::{Failure, Out};
use crate::operators::{Operator, Role};
use crate::record::Record;
use crate::{clock, config};

/// What the readable entries say that salvaging needs.
#[derive(Default)]
struct Known {
    sales: BTreeSet<String>,
    operators: Vec<Operator>,
}

impl Known {
    fn note(&mut self, record: &Record) {
        match record {
            Record::Sale { sale, .. } => {
                self.sales.insert(sale.id.clone());
            }
            Record::Operator { operator, .. } => {
                self.operators.retain(|other| other.id != operator.id);
                self.operators.push(operator.clone());
            }
            _ => {}
        }
    }

    /// An entry about a sale of which nothing is left cannot be booked.
    fn is_orphan(&self, record: &Record) -> bool {
        !matches!(record, Record::Sale { .. } | Record::Declined { .. })
            && record.sale().is_some_and(|sale| !self.sales.contains(sale))
    }
}

/// Runs it, for a supervisor. Where no entry about any operator is left the PIN cannot be checked, which is recorded.
///
/// # Errors
/// [`Failure`]; the damaged journal is as it was, or the next run finishes what was begun.
pub fn run(data: &Path, who: &Who, out: Out) -> Result<u8, Failure> {
    let config = config::load(data)?;
    let failed = |e: JournalError| Failure::could_not(e.code(), &e);
    let lock = DataLock::acquire(data).map_err(|e| Failure::could_not(e.code(), &e))?;
    let vault = Vault::open(data).map_err(|e| Failure::could_not(e.code(), &e))?;
    let Some(mut wreck) = inspect(data, &vault).map_err(failed)? else {
        out.print(&json!({"whole": true}), || {
            out.lang
                .pick(
                    "账本完整，无需修复。",
                    "The journal is whole; there is nothing to mend.",
                )
                .to_owned()
        })?;
        return Ok(0);
    };
    let mut known = Known::default();
    let mut sound_ms = None;
    for entry in wreck.sound() {
        let entry = entry.map_err(failed)?;
        sound_ms = Some(entry.time_ms);
        if let Ok(record) = read(&entry) {
            known.note(&record);
        }
    }
    let mut follow = Vec::new();
    let mut orphans = Vec::new();
    let mut again = Vec::new();
    for entry in &wreck.behind {
        match read(entry) {
            Ok(record) if !known.is_orphan(&record) => {
                known.note(&record);
                follow.push(entry.seq);
                again.push(Again {
                    kind: entry.kind.clone(),
                    time_ms: entry.time_ms,
                    body: entry.body.clone(),
                });
            }
            _ => orphans.push(entry.seq),
        }
    }
    let (operator, checked) = supervisor(&known, who)?;
    let record = salvaged(&wreck, operator, checked, follow, orphans);
    let body = serde_json::to_vec(&record).map_err(|e| Failure::could_not("INTERNAL", e))?;
    let first = Again {
        kind: record.kind().to_owned(),
        time_ms: clock::now_ms(),
        body,
    };
    again.insert(0, first);
    remove_store(data)?;
    rebuild(data, &vault, &wreck, &again).map_err(failed)?;
    drop((vault, lock));
    let (books, _) = super::books(data, &config, out)?;
    books.fall_behind("JOURNAL_SALVAGED", wreck.known_seq, sound_ms)?;
    out.print(&record, || words(&record, out.lang))?;
    Ok(0)
}

fn read(entry: &Entry) -> serde_json::Result<Record> {
    serde_json::from_slice(&entry.body)
}

fn salvaged(wreck: &Wreck, operator: String, checked: bool, follow: Vec<u64>, orphans: Vec<u64>) -> Record {
    Record::Salvaged {
        operator,
        checked,
        broken: wreck.broken.seq,
        lost: wreck.lost().collect(),
        follow,
        orphans,
        kept: wreck
            .kept
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
    }
}

/// The books cannot be opened, so the PIN is checked against what can be read of them.
fn supervisor(known: &Known, who: &Who) -> Result<(String, bool), Failure> {
    let id = who
        .operator
        .clone()
        .ok_or_else(|| Failure::input("USAGE", "--operator"))?;
    let pin = who.pin()?;
    if known.operators.is_empty() {
        return Ok((id, false));
    }
    let operator = known
        .operators
        .iter()
        .find(|operator| operator.id == id && !operator.disabled);
    match operator {
        None => Err(Failure::input("OPERATOR_UNKNOWN", id)),
        Some(operator) if !operator.has_pin(&pin) => Err(Failure::refused("PIN_NOT_RIGHT", "")),
        Some(operator) if operator.role != Role::Supervisor => Err(Failure::refused("SUPERVISOR_NEEDED", id)),
        Some(_) => Ok((id, true)),
    }
}

/// It follows the old numbers, and nothing stands in it that the journal does not hold: it is built anew.
fn remove_store(data: &Path) -> Result<(), Failure> {
    let store = data.join("store");
    let failed = |e: std::io::Error| Failure::could_not("FILE_FAILED", format!("{}: {e}", store.display()));
    if !store.exists() {
        return Ok(());
    }
    std::fs::remove_dir_all(&store).map_err(failed)
}

fn words(record: &Record, lang: Lang) -> String {
    let Record::Salvaged {
        broken,
        lost,
        follow,
        orphans,
        kept,
        ..
    } = record
    else {
        return String::new();
    };
    let numbers = |seqs: &[u64]| seqs.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    match lang {
        Lang::Zh => format!(
            "账本已修复：第 {broken} 条起受损；丢失 {} 条（{}），其后 {} 条已重新记账，{} 条缺少原结算（{}）。\n原文件保存在 {kept}。收费前须先向经办机构核对（联网后自动进行）。",
            lost.len(),
            numbers(lost),
            follow.len(),
            orphans.len(),
            numbers(orphans)
        ),
        Lang::En => format!(
            "journal mended: damaged from entry {broken} on; {} lost ({}), {} behind it booked again, {} about a lost sale ({}).\nThe damaged files are in {kept}. Before anything is sold the agency is asked (by itself, once it can be reached).",
            lost.len(),
            numbers(lost),
            follow.len(),
            orphans.len(),
            numbers(orphans)
        ),
    }
}
