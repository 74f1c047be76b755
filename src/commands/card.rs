//! `yijie card`: readers, one social-security card, and a virtual card for the virtual reader.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::json;
use yijie_hardware::{CardPresence, Pin, Shown, VirtualCard, VirtualPsam, list_readers, read_in_reader};

use super::{Failure, Out, pin_from_stdin};

/// What is asked of the readers.
#[derive(Subcommand)]
pub enum Request {
    /// List the readers.
    List,
    /// Read one card.
    Read(Read),
    /// Serve a virtual card, or a security module with test keys, to the virtual reader.
    Emulate(Emulate),
}

/// Runs it.
///
/// # Errors
/// [`Failure`].
pub fn run(request: &Request, out: Out) -> Result<(), Failure> {
    match request {
        Request::List => list(out),
        Request::Read(how) => read(how, out),
        Request::Emulate(what) => emulate(what, out),
    }
}

/// Lists readers and whether a card is in.
fn list(out: Out) -> Result<(), Failure> {
    let readers = list_readers().map_err(|e| Failure::could_not(e.code(), &e))?;
    let told: Vec<_> = readers
        .iter()
        .map(|reader| {
            let card = match reader.card {
                CardPresence::Empty => "empty",
                CardPresence::Present => "present",
                CardPresence::Mute => "mute",
                CardPresence::HeldByOther => "held",
            };
            json!({"reader": reader.name, "card": card, "atr": reader.atr})
        })
        .collect();
    if readers.is_empty() {
        return Err(Failure::could_not("NO_READER", ""));
    }
    out.print(&told, || {
        let text = |row: &serde_json::Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
        told.iter()
            .map(|row| {
                format!(
                    "{}  {}  {}",
                    text(row, "reader"),
                    text(row, "card"),
                    text(row, "atr")
                )
                .trim_end()
                .to_owned()
            })
            .collect::<Vec<_>>()
            .join("\n")
    })
}

/// How a card is to be read.
#[derive(Args)]
pub struct Read {
    /// Reader, if not any.
    #[arg(long)]
    reader: Option<String>,
    /// Reader with the security module (PSAM) that a 3.0 card asks for.
    #[arg(long)]
    psam: Option<String>,
    /// Read the card's PIN from standard input.
    #[arg(long)]
    pin_stdin: bool,
    /// Longest wait for the card's answers, in seconds.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=60))]
    wait_s: u64,
    /// Print the ministry's basic-information string: eleven items, each ended by |.
    #[arg(long)]
    basic_info: bool,
}

/// What stands on the virtual reader.
#[derive(Args)]
pub struct Emulate {
    /// The person on the card.
    #[arg(required_unless_present = "psam")]
    person: Option<PathBuf>,
    /// A security module instead of a card.
    #[arg(long, conflicts_with = "person")]
    psam: bool,
    /// vpcd's port.
    #[arg(long, default_value_t = 35963)]
    port: u16,
}

/// Reads one card.
fn read(read: &Read, out: Out) -> Result<(), Failure> {
    let pin = if read.pin_stdin {
        let text = pin_from_stdin()?;
        Some(Pin::new(&text).ok_or_else(|| Failure::input("CARD_PIN_SHAPE", ""))?)
    } else {
        None
    };
    let psam = read.psam.clone();
    let wait = Duration::from_secs(read.wait_s);
    let card = read_in_reader(read.reader.as_deref(), &Shown { pin, psam }, wait)
        .map_err(|e| Failure::could_not(e.code(), &e))?;
    if read.basic_info {
        // This reader has neither a terminal number nor a device number of its own.
        return out.line(card.basic_info_string("", ""));
    }
    out.print(&card, || {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "—".to_owned());
        let day =
            |value: &Option<jiff::civil::Date>| value.map_or_else(|| "—".to_owned(), |day| day.to_string());
        let zh = out.lang == yijie_rules::Lang::Zh;
        let row = |zh_label: &str, en_label: &str, value: String| {
            format!("{}: {value}", if zh { zh_label } else { en_label })
        };
        [
            row("规范版本", "version", card.version.clone()),
            row("发卡地区", "region", card.region_code.clone()),
            row("卡识别码", "card sn", card.card_sn.clone()),
            row("卡号", "card number", text(&card.card_no)),
            row("社会保障号码", "id number", text(&card.id_no)),
            row("姓名", "name", text(&card.name)),
            row("出生日期", "birth date", day(&card.birth_date)),
            row("发卡日期", "issued on", day(&card.issued_on)),
            row("卡有效期", "expires on", day(&card.expires_on)),
        ]
        .join("\n")
    })
}

/// Serves a virtual card, or a virtual security module with test keys, to the virtual reader until it is taken out or the
/// program ends.
fn emulate(what: &Emulate, out: Out) -> Result<(), Failure> {
    let at = ("127.0.0.1", what.port);
    let inserted = match &what.person {
        Some(person) => card_of(person)?.insert(at),
        None => VirtualPsam::new().insert(at),
    };
    let inserted = inserted.map_err(|e| Failure::could_not(e.code(), &e))?;
    told_inserted(what.port, out)?;
    inserted.wait().map_err(|e| Failure::could_not(e.code(), &e))
}

fn card_of(person: &Path) -> Result<VirtualCard, Failure> {
    let text = std::fs::read_to_string(person)
        .map_err(|e| Failure::input("PERSON_FILE_INVALID", format!("{}: {e}", person.display())))?;
    VirtualCard::from_json(&text).map_err(|e| Failure::input(e.code(), &e))
}

fn told_inserted(port: u16, out: Out) -> Result<(), Failure> {
    out.print(&json!({"inserted": true, "port": port}), || match out.lang {
        yijie_rules::Lang::Zh => format!("虚拟卡已插入（vpcd 端口 {port}），Ctrl-C 取出"),
        yijie_rules::Lang::En => format!("virtual card inserted (vpcd port {port}); Ctrl-C takes it out"),
    })
}
