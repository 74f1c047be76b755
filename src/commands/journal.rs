//! `yijie journal`: the records of the till, listed, shown, verified and exported for an inspector.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};
use yijie_offline_cache::{DataLock, Entry, Vault, verify};
use yijie_rules::Lang;

use super::people::{Allowed, Approver, Who, four_eyes};
use super::{Failure, OtherAgency, Out, resume, salvage};
use crate::books::Books;
use crate::record::Record;
use crate::{clock, config};

/// What is asked of the journal.
#[derive(Subcommand)]
pub enum Request {
    /// One line an entry.
    List,
    /// One entry whole.
    Show {
        /// Number of the entry.
        seq: u64,
    },
    /// Check every checksum and the chain.
    Verify,
    /// Write everything to a file, CSV or JSON by its ending, with who took it.
    Export {
        /// The file; must not exist.
        #[arg(long)]
        to: PathBuf,
        /// Who asks for it.
        #[command(flatten)]
        who: Who,
        /// Who approves.
        #[command(flatten)]
        approver: Approver,
    },
    /// Make a damaged journal anew from all that can be read of it; the damaged files are kept.
    Salvage {
        /// Who asks for it.
        #[command(flatten)]
        who: Who,
    },
    /// After a backup was put back or a journal salvaged: ask the agency what it holds, and go on.
    Resume {
        /// The agency to ask.
        #[command(flatten)]
        agency: OtherAgency,
        /// Who asks for it.
        #[command(flatten)]
        who: Who,
    },
}

/// Runs it.
///
/// # Errors
/// [`Failure`].
pub fn run(data: &Path, request: Request, out: Out) -> Result<u8, Failure> {
    match request {
        Request::Verify => return verified(data, out),
        Request::Salvage { who } => return salvage::run(data, &who, out),
        Request::Resume { agency, who } => return resume::run(data, &agency, &who, out),
        Request::List => list(data, out),
        Request::Show { seq } => show(data, seq, out),
        Request::Export { to, who, approver } => export(data, &to, &who, &approver, out),
    }
    .map(|()| 0)
}

fn opened(data: &Path, out: Out) -> Result<Books, Failure> {
    Ok(super::books(data, &config::load(data)?, out)?.0)
}

fn list(data: &Path, out: Out) -> Result<(), Failure> {
    let rows = each(&opened(data, out)?, |_, _, row| row)?;
    out.print(&rows, || rows.iter().map(words).collect::<Vec<_>>().join("\n"))
}

fn show(data: &Path, seq: u64, out: Out) -> Result<(), Failure> {
    let (entry, record) = opened(data, out)?
        .entries(seq)
        .next()
        .transpose()?
        .filter(|(entry, _)| entry.seq == seq)
        .ok_or_else(|| Failure::input("ENTRY_NOT_FOUND", seq))?;
    let row = summary(&entry, &record, &mut String::new());
    let told = serde_json::to_string_pretty(&whole(row, &record));
    out.line(told.map_err(|e| Failure::could_not("INTERNAL", e))?)
}

fn export(data: &Path, to: &Path, who: &Who, approver: &Approver, out: Out) -> Result<(), Failure> {
    let books = opened(data, out)?;
    let place = to.display().to_string();
    let Allowed { operator, approver } = four_eyes(&books, who, approver, "export", &place, out)?;
    let failed = |e: std::io::Error| Failure::could_not("FILE_FAILED", format!("{}: {e}", to.display()));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)
        .map_err(failed)?;
    // Booked first, so that the file itself ends with who took it.
    let record = Record::Exported {
        operator: operator.clone(),
        to: place.clone(),
        approver,
    };
    books.append(&record, clock::now_ms())?;
    file.write_all(all_entries(&books, to)?.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(failed)?;
    out.print(&json!({"exported": place, "operator": operator}), || {
        format!("{place} ← {operator}")
    })
}

/// Works on a till's journal whether or not the till runs as it should: nothing but the journal is opened, and nothing
/// is written, so that an inspector's read-only copy can be checked.
fn verified(data: &Path, out: Out) -> Result<u8, Failure> {
    let _lock = match DataLock::acquire(data) {
        Ok(lock) => Some(lock),
        Err(error) if error.code() == "DATA_DIR_NOT_WRITABLE" => None,
        Err(error) => return Err(Failure::could_not(error.code(), &error)),
    };
    let vault = Vault::open(data).map_err(|e| Failure::could_not(e.code(), &e))?;
    match verify(data, Some(&vault)) {
        Ok(whole) => {
            let hash: String = whole.last_hash.iter().map(|byte| format!("{byte:02x}")).collect();
            out.print(
                &json!({"whole": true, "entries": whole.entries, "last_hash": hash}),
                || match out.lang {
                    Lang::Zh => format!("日志完整：{} 条，末条摘要 {hash}", whole.entries),
                    Lang::En => format!("journal whole: {} entries, last hash {hash}", whole.entries),
                },
            )?;
            Ok(0)
        }
        Err(broken) => Err(Failure::could_not(broken.code(), &broken)),
    }
}

/// Something made of every entry and its row.
fn each<T>(books: &Books, mut make: impl FnMut(&Entry, &Record, Value) -> T) -> Result<Vec<T>, Failure> {
    let mut msgids = std::collections::HashMap::new();
    let mut made = Vec::new();
    for item in books.entries(1) {
        let (entry, record) = item.map_err(Failure::from)?;
        let known = record.sale().map(str::to_owned).unwrap_or_default();
        let row = summary(&entry, &record, msgids.entry(known).or_insert_with(String::new));
        made.push(make(&entry, &record, row));
    }
    Ok(made)
}

/// An entry in one row; `msgid` is the sale's message id so far, and is brought up to date.
fn summary(entry: &Entry, record: &Record, msgid: &mut String) -> Value {
    let state = match record {
        Record::Sale { sale, sending } => {
            msgid.clone_from(&sale.msgid);
            match (&sale.offline, sending) {
                (Some(terms), _) if !terms.carried => "self-paid",
                (_, true) => "sending",
                (_, false) => "committed",
            }
        }
        Record::Attempt { msgid: anew, .. } => {
            msgid.clone_from(anew);
            "sending"
        }
        Record::NotSent {
            withdrawn: Some(_), ..
        }
        | Record::Refused { .. }
        | Record::Declined { .. } => "refused",
        Record::NotSent { .. } => "committed",
        Record::Settled { msgid: known, .. } => {
            msgid.clone_from(known);
            "settled"
        }
        Record::ReversalRefused { .. } => "settled",
        Record::Unknown { .. } => "unknown",
        Record::Reversing { .. } => "reversing",
        Record::Reversed { .. } => "reversed",
        _ => "",
    };
    json!({
        "seq": entry.seq, "time": clock::stamp(entry.time_ms), "kind": entry.kind, "sale": record.sale(),
        "msgid": (!msgid.is_empty() && record.sale().is_some()).then(|| msgid.clone()),
        "state": (!state.is_empty()).then_some(state),
    })
}

/// An entry's row with its body.
fn whole(mut row: Value, record: &Record) -> Value {
    if let Some(fields) = row.as_object_mut() {
        let body = serde_json::to_value(record).unwrap_or_default();
        fields.insert("record".to_owned(), body);
    }
    row
}

fn words(row: &Value) -> String {
    let text = |key: &str| {
        row.get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let seq = row.get("seq").and_then(Value::as_u64).unwrap_or_default();
    format!(
        "{seq:>8}  {}  {:<10} {:<10} {}",
        text("time"),
        text("kind"),
        text("state"),
        text("sale")
    )
    .trim_end()
    .to_owned()
}

fn all_entries(books: &Books, to: &Path) -> Result<String, Failure> {
    if to.extension().is_none_or(|ending| ending != "csv") {
        let entries = each(books, |_, record, row| whole(row, record))?;
        return serde_json::to_string_pretty(&entries).map_err(|e| Failure::could_not("INTERNAL", e));
    }
    let mut table = csv::Writer::from_writer(Vec::new());
    let failed = |e: csv::Error| Failure::could_not("INTERNAL", e);
    table.write_record(COLUMNS).map_err(failed)?;
    let lines = each(books, |entry, record, row| {
        let text = |key: &str| {
            row.get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let hash: String = entry.hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let who = [record.operator(), approver(record)].map(str::to_owned);
        let mut cells = vec![entry.seq.to_string()];
        cells.extend(["time", "kind", "sale", "msgid", "state"].map(text));
        cells.extend(who);
        cells.extend(amounts(record));
        cells.push(hash);
        cells.into_iter().map(plain).collect::<Vec<_>>()
    })?;
    for cells in lines {
        table.write_record(cells).map_err(failed)?;
    }
    let bytes = table
        .into_inner()
        .map_err(|e| Failure::could_not("INTERNAL", e))?;
    String::from_utf8(bytes).map_err(|e| Failure::could_not("INTERNAL", e))
}

/// Columns of an export in CSV.
const COLUMNS: [&str; 13] = [
    "seq",
    "time",
    "kind",
    "sale",
    "msgid",
    "state",
    "operator",
    "approver",
    "medfee_sumamt",
    "fund_pay_sumamt",
    "acct_pay",
    "psn_cash_pay",
    "hash",
];

/// The second person of what one alone may not do.
fn approver(record: &Record) -> &str {
    match record {
        Record::Approved { by, .. } => by,
        Record::Exported { approver, .. } => approver.as_deref().unwrap_or_default(),
        Record::Compared { accepted_by, .. } => accepted_by.as_deref().unwrap_or_default(),
        _ => "",
    }
}

/// What a sale or a settlement comes to: bill, funds, own account, cash.
fn amounts(record: &Record) -> [String; 4] {
    let sums = match record {
        Record::Sale { sale, .. } => &sale.told,
        Record::Settled { reply, .. } => &reply.setlinfo,
        _ => return Default::default(),
    };
    [
        sums.medfee_sumamt,
        sums.fund_pay_sumamt,
        sums.acct_pay,
        sums.psn_cash_pay,
    ]
    .map(|sum| sum.to_string())
}

/// A spreadsheet takes a cell that begins like a formula for one; a client's sale id may begin like that.
fn plain(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@']) {
        format!("'{cell}")
    } else {
        cell
    }
}
