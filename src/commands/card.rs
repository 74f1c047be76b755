//! `yijie card`: readers, one social-security card, and a virtual card for the virtual reader.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use yijie_hardware::{CardPresence, Pin, Shown, VirtualCard, VirtualPsam, list_readers, read_in_reader};

use super::{Failure, Out, pin_from_stdin};

/// Longest wait for a card's answer.
const READ_WAIT: Duration = Duration::from_secs(10);

/// Lists readers and whether a card is in.
///
/// # Errors
/// [`Failure`].
pub fn list(out: Out) -> Result<(), Failure> {
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
pub struct Read {
    /// Reader, if not any.
    pub reader: Option<String>,
    /// Reader with the security module.
    pub psam: Option<String>,
    /// The card's PIN stands on standard input.
    pub pin_stdin: bool,
    /// Print the ministry's basic-information string and nothing else.
    pub basic_info: bool,
}

/// Reads one card.
///
/// # Errors
/// [`Failure`].
pub fn read(read: &Read, out: Out) -> Result<(), Failure> {
    let pin = if read.pin_stdin {
        let text = pin_from_stdin()?;
        Some(Pin::new(&text).ok_or_else(|| Failure::input("CARD_PIN_SHAPE", ""))?)
    } else {
        None
    };
    let psam = read.psam.clone();
    let card = read_in_reader(read.reader.as_deref(), &Shown { pin, psam }, READ_WAIT)
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

/// Serves a virtual security module with test keys to the virtual reader until it is taken out or the program ends.
///
/// # Errors
/// [`Failure`].
pub fn emulate_psam(port: u16, out: Out) -> Result<(), Failure> {
    let inserted = VirtualPsam::new().insert(("127.0.0.1", port));
    let inserted = inserted.map_err(|e| Failure::could_not(e.code(), &e))?;
    told_inserted(port, out)?;
    inserted.wait().map_err(|e| Failure::could_not(e.code(), &e))
}

/// Serves a virtual card to the virtual reader until it is taken out or the program ends.
///
/// # Errors
/// [`Failure`].
pub fn emulate(person: &Path, port: u16, out: Out) -> Result<(), Failure> {
    let text = std::fs::read_to_string(person)
        .map_err(|e| Failure::input("PERSON_FILE_INVALID", format!("{}: {e}", person.display())))?;
    let card = VirtualCard::from_json(&text).map_err(|e| Failure::input(e.code(), &e))?;
    let inserted = card
        .insert(("127.0.0.1", port))
        .map_err(|e| Failure::could_not(e.code(), &e))?;
    told_inserted(port, out)?;
    inserted.wait().map_err(|e| Failure::could_not(e.code(), &e))
}

fn told_inserted(port: u16, out: Out) -> Result<(), Failure> {
    out.print(&json!({"inserted": true, "port": port}), || match out.lang {
        yijie_rules::Lang::Zh => format!("虚拟卡已插入（vpcd 端口 {port}），Ctrl-C 取出"),
        yijie_rules::Lang::En => format!("virtual card inserted (vpcd port {port}); Ctrl-C takes it out"),
    })
}
