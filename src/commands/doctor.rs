//! `yijie doctor`: everything a till rests on, each part ok, warning or fault, and what to do.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use yijie_agency::{Answer, MsgIds, validity};
use yijie_hardware::{
    CardPresence, PrinterPort, ScannerSettings, check_id_reader, check_module, check_scanner, list_readers,
};
use yijie_offline_cache::{Vault, free_bytes, verify};
use yijie_rules::Lang;

use super::{Failure, Out, client, tasks};
use crate::books::Books;
use crate::config::{self, Config};
use crate::{advice, clock};

const DAY_S: i64 = 86_400;
/// A certificate or pack that ends so soon is told.
const ENDS_SOON_DAYS: i64 = 30;
/// A clock further off than this is told; one further than the other makes signatures and deadlines wrong.
const CLOCK_WARN_MS: i64 = 30_000;
const CLOCK_FAULT_MS: i64 = 300_000;
/// Free space that is told, and under which the journal refuses.
const DISK_WARN_BYTES: u64 = 1 << 30;
const DISK_FAULT_BYTES: u64 = 64 << 20;

/// How a part is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// Works.
    Ok,
    /// The till can sell; someone should look at it.
    Warning,
    /// Does not work.
    Fault,
}

/// One part.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// Which part.
    pub check: &'static str,
    /// How it is doing.
    pub state: Health,
    /// Stable code of what is wrong; blank if nothing is.
    pub code: String,
    /// What it is in words.
    pub text: String,
    /// Particulars: names, dates, figures.
    pub detail: String,
    /// What to do now; blank if nothing is to be done.
    pub advice: String,
}

/// Looks at everything. Exit code 3 if a part is at fault.
///
/// # Errors
/// [`Failure`] if the answer cannot be printed.
pub fn run(data: &Path, out: Out) -> Result<u8, Failure> {
    let mut checks = Checks {
        lang: out.lang,
        found: Vec::new(),
    };
    match config::load(data) {
        Ok(config) => look(data, &config, out, &mut checks)?,
        Err(error) => {
            checks.fault("settings", error.code(), data.display());
            readers(None, &mut checks);
        }
    }
    let found = checks.found;
    out.print(&found, || found.iter().map(words).collect::<Vec<_>>().join("\n"))?;
    let worst = found.iter().map(|check| check.state).max();
    Ok(if worst == Some(Health::Fault) { 3 } else { 0 })
}

fn words(check: &Check) -> String {
    let state = match check.state {
        Health::Ok => "ok     ",
        Health::Warning => "WARNING",
        Health::Fault => "FAULT  ",
    };
    let mut line = format!("{state} {:<12} {}", check.check, check.detail);
    if !check.code.is_empty() {
        line += &format!(
            "\n        {}: {}\n        → {}",
            check.code, check.text, check.advice
        );
    }
    line.trim_end().to_owned()
}

struct Checks {
    lang: Lang,
    found: Vec<Check>,
}

impl Checks {
    fn ok(&mut self, check: &'static str, detail: impl ToString) {
        self.add(check, Health::Ok, "", detail);
    }

    fn warning(&mut self, check: &'static str, code: &str, detail: impl ToString) {
        self.add(check, Health::Warning, code, detail);
    }

    fn fault(&mut self, check: &'static str, code: &str, detail: impl ToString) {
        self.add(check, Health::Fault, code, detail);
    }

    fn add(&mut self, check: &'static str, state: Health, code: &str, detail: impl ToString) {
        let told = |words: fn(&str, Lang) -> &'static str| match code {
            "" => String::new(),
            code => words(code, self.lang).to_owned(),
        };
        self.found.push(Check {
            check,
            state,
            code: code.to_owned(),
            text: told(advice::text),
            detail: detail.to_string(),
            advice: told(advice::advice),
        });
    }
}

fn look(data: &Path, config: &Config, out: Out, checks: &mut Checks) -> Result<(), Failure> {
    let devices = &config.devices;
    readers(devices.reader.as_deref(), checks);
    if let Some(reader) = &devices.psam {
        match check_module(reader) {
            Ok(()) => checks.ok("psam", reader),
            Err(error) => checks.fault("psam", error.code(), reader),
        }
    }
    match &devices.scanner {
        None => checks.warning("scanner", "SCANNER_NOT_SET", ""),
        Some(port) => {
            let settings = ScannerSettings {
                baud: devices.scanner_baud,
                ..ScannerSettings::at(port)
            };
            match check_scanner(&settings) {
                Ok(()) => checks.ok("scanner", port),
                // The window has it, most likely.
                Err(error) if error.code() == "SCANNER_PORT_BUSY" => {
                    checks.warning("scanner", error.code(), port);
                }
                Err(error) => checks.fault("scanner", error.code(), port),
            }
        }
    }
    if let Some(port) = &devices.id_reader {
        match check_id_reader(port) {
            Ok(()) => checks.ok("id-reader", port),
            Err(error) if error.code() == "ID_READER_BUSY" => checks.warning("id-reader", error.code(), port),
            Err(error) => checks.fault("id-reader", error.code(), port),
        }
    }
    match &devices.printer {
        None => checks.warning("printer", "PRINTER_NOT_SET", ""),
        Some(printer) => match PrinterPort::parse(printer, devices.printer_baud).ready() {
            Ok(_) => checks.ok("printer", printer),
            Err(error) => checks.fault("printer", error.code(), printer),
        },
    }
    if let Some(port) = &devices.display {
        let settings = ScannerSettings {
            baud: devices.display_baud,
            ..ScannerSettings::at(port)
        };
        match check_scanner(&settings) {
            Ok(()) => checks.ok("display", port),
            // The window has it, most likely.
            Err(error) if error.code() == "SCANNER_PORT_BUSY" => checks.ok("display", port),
            Err(_) => checks.fault("display", "DISPLAY_MISSING", port),
        }
    }
    certificates(data, checks);
    disk(data, checks);
    journal(data, checks);
    packs(data, config, out, checks);
    agency(data, config, checks)
}

fn readers(named: Option<&str>, checks: &mut Checks) {
    let readers = match list_readers() {
        Ok(readers) => readers,
        Err(fault) => return checks.fault("reader", fault.code(), fault),
    };
    let wanted: Vec<_> = readers
        .iter()
        .filter(|reader| named.is_none_or(|named| reader.name == named))
        .collect();
    let told: Vec<String> = wanted
        .iter()
        .map(|reader| {
            let card = match reader.card {
                CardPresence::Empty => "empty",
                CardPresence::Present => "card",
                CardPresence::Mute => "mute",
                CardPresence::HeldByOther => "held",
            };
            format!("{} ({card})", reader.name)
        })
        .collect();
    let told = told.join(", ");
    let has = |card| wanted.iter().any(|reader| reader.card == card);
    if wanted.is_empty() {
        checks.fault("reader", "NO_READER", named.unwrap_or_default());
    } else if has(CardPresence::HeldByOther) {
        checks.warning("reader", "READER_BUSY", told);
    } else if has(CardPresence::Mute) {
        checks.warning("reader", "CARD_NO_ANSWER", told);
    } else {
        checks.ok("reader", told);
    }
}

fn certificates(data: &Path, checks: &mut Checks) {
    for (name, file) in [("certificate", "client.pem"), ("ca", "ca.pem")] {
        let path = config::tls_dir(data).join(file);
        let Some(time) = std::fs::read(&path).ok().and_then(|pem| validity(&pem)) else {
            checks.fault(name, "TLS_FILES_UNREADABLE", path.display());
            continue;
        };
        let now = Timestamp::now();
        let detail = format!(
            "{} → {}",
            clock::today(time.from.as_millisecond()),
            clock::today(time.until.as_millisecond())
        );
        if now < time.from || time.until < now {
            checks.fault(name, "CERT_NOT_VALID", detail);
        } else if time.until.as_second() - now.as_second() < ENDS_SOON_DAYS * DAY_S {
            checks.warning(name, "CERT_ENDS_SOON", detail);
        } else {
            checks.ok(name, detail);
        }
    }
}

fn disk(data: &Path, checks: &mut Checks) {
    match free_bytes(data) {
        Err(error) => checks.fault("disk", "DISK_ERROR", error),
        Ok(free) => {
            let detail = format!("{} MiB", free >> 20);
            if free < DISK_FAULT_BYTES {
                checks.fault("disk", "DISK_FULL", detail);
            } else if free < DISK_WARN_BYTES {
                checks.warning("disk", "DISK_LOW", detail);
            } else {
                checks.ok("disk", detail);
            }
        }
    }
}

/// Every checksum, seal and link, beside a running window too.
fn journal(data: &Path, checks: &mut Checks) {
    let vault = match Vault::open(data) {
        Ok(vault) => vault,
        Err(error) => return checks.fault("journal", error.code(), error),
    };
    match verify(data, Some(&vault)) {
        Ok(whole) => checks.ok("journal", whole.entries),
        Err(error) => checks.fault("journal", error.code(), error),
    }
}

fn packs(data: &Path, config: &Config, out: Out, checks: &mut Checks) {
    let today = clock::today(clock::now_ms());
    let list = super::packs::of_till(data, config, out).list();
    let own: Vec<_> = list
        .iter()
        .filter(|pack| pack.area == config.institution.area.as_str())
        .filter(|pack| pack.from <= today && pack.until.is_none_or(|until| today <= until))
        .collect();
    let told: Vec<String> = own
        .iter()
        .map(|pack| format!("{} {}", pack.id, pack.version))
        .collect();
    let soon = clock::today(clock::now_ms() + ENDS_SOON_DAYS * DAY_S * 1000);
    let told = told.join(", ");
    if own.is_empty() {
        checks.fault("packs", "NO_PACK", &config.institution.area);
    } else if own
        .iter()
        .any(|pack| pack.until.is_some_and(|until| until < soon))
    {
        checks.warning("packs", "PACK_ENDS_SOON", told);
    } else {
        checks.ok("packs", told);
    }
}

/// The cheapest question that shows whether the agency answers; its answer shows its clock.
fn agency(data: &Path, config: &Config, checks: &mut Checks) -> Result<(), Failure> {
    let url = config.agency.url.clone();
    // Message ids come from the books: who holds them now asks the agency himself.
    let books = Books::open(data, &config.institution.code, config.till);
    let msgids = match &books {
        Ok((books, _)) => books.msgids(),
        Err(error) if error.code() == "DATA_DIR_IN_USE" => {
            checks.warning("agency", error.code(), url);
            checks.warning("clock", "CLOCK_NOT_COMPARED", "");
            return Ok(());
        }
        Err(_) => Arc::new(MsgIds::new(&config.institution.code, config.till)),
    };
    let client = match client(config, url.clone(), config::tls_dir(data), msgids) {
        Ok(client) => client,
        Err(failure) => {
            checks.fault("agency", &failure.code, failure.detail);
            checks.warning("clock", "CLOCK_NOT_COMPARED", "");
            return Ok(());
        }
    };
    match tasks()?.block_on(client.lost_cards()) {
        Answer::Done(_) => checks.ok("agency", url),
        Answer::Refused(refusal) => checks.warning("agency", "AGENCY_REFUSED", refusal.message),
        Answer::NotSent(cause) | Answer::Unknown(cause) => checks.fault("agency", cause.code(), url),
    }
    match client.agency_ahead_ms() {
        None => checks.warning("clock", "CLOCK_NOT_COMPARED", ""),
        Some(ahead_ms) => {
            let detail = format!("{:+} s", ahead_ms / 1000);
            match ahead_ms.abs() {
                off if off >= CLOCK_FAULT_MS => checks.fault("clock", "CLOCK_OFF", detail),
                off if off >= CLOCK_WARN_MS => checks.warning("clock", "CLOCK_OFF", detail),
                _ => checks.ok("clock", detail),
            }
        }
    }
    Ok(())
}
