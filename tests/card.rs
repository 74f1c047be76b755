//! `yijie card` through a real pcscd with the virtual reader, against the program's own virtual card and against one
//! that shares no code with it; `yijie scan` on a real pseudo-terminal.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong here fails the test"
)]

mod common;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use common::{Ended, finish, run, serve, yijie};
use serde_json::{Value, json};
use yijie_hardware::{CardPresence, PcscDaemon, VpcdLock, list_readers};

const READER: &str = "Virtual PCD 00 00";
const LOOKS_MAX: u32 = 1_000;
const PAUSE: Duration = Duration::from_millis(10);
/// Looks after which an empty reader counts as empty: the service asks the reader every 400 ms, so that a card put in and
/// taken out between two of its questions still comes.
const LOOKS_EMPTY: u32 = 60;

/// The virtual reader of this machine, for this process until it ends. The service ends with it.
static READERS: LazyLock<(VpcdLock, Option<PcscDaemon>)> = LazyLock::new(|| {
    let lock = VpcdLock::acquire().unwrap();
    let start = || {
        PcscDaemon::start().unwrap_or_else(|error| {
            panic!("{error}; these tests need the Debian packages pcscd and vsmartcard-vpcd")
        })
    };
    (lock, (!PcscDaemon::running()).then(start))
});
static TURN: Mutex<()> = Mutex::new(());

/// The virtual reader, for one test at a time.
struct Machine {
    _turn: MutexGuard<'static, ()>,
}

impl Machine {
    fn new() -> Machine {
        // A test that failed has taken its card out.
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        LazyLock::force(&READERS);
        Machine { _turn: turn }
    }

    /// Waits until the reader shows a card, or none.
    fn wait_for(&self, state: &str) {
        let wanted = match state {
            "present" => CardPresence::Present,
            _ => CardPresence::Empty,
        };
        let mut seen = 0;
        for _ in 0..LOOKS_MAX {
            let readers = list_readers().unwrap();
            let reader = readers.iter().find(|reader| reader.name == READER);
            let reader = reader
                .unwrap_or_else(|| panic!("no {READER} (Debian package vsmartcard-vpcd) in {readers:?}"));
            seen = if reader.card == wanted { seen + 1 } else { 0 };
            if seen > 0 && (wanted == CardPresence::Present || seen >= LOOKS_EMPTY) {
                return;
            }
            thread::sleep(PAUSE);
        }
        panic!("the reader never shows a card as {state}");
    }
}

/// The reader's row in the program's list.
fn listed() -> Value {
    let rows = run(["card", "list", "--json"], "").exit(0).json();
    let found = rows
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["reader"] == READER);
    found.unwrap().clone()
}

/// How a card lets its records be addressed (P2: short file identifier, tag or number).
#[derive(Clone, Copy, PartialEq)]
enum Way {
    NumberInFile,
    TagInFile,
    TagInSelected,
}

/// A card of a generation's layout, written down from the specification's bytes alone.
struct Foreign {
    version: &'static [u8; 4],
    way: Way,
    /// Tags it keeps to itself, as cards of the third generation do without external authentication.
    hidden: &'static [u8],
    /// Leaves the reader instead of answering this command, counted from 1.
    pulled_at: Option<u32>,
    social: bool,
}

const FIRST: Foreign = Foreign {
    version: b"1.00",
    way: Way::NumberInFile,
    hidden: &[],
    pulled_at: None,
    social: true,
};
const SECOND: Foreign = Foreign {
    version: b"2.00",
    way: Way::TagInFile,
    ..FIRST
};
const THIRD: Foreign = Foreign {
    version: b"3.00",
    way: Way::TagInSelected,
    hidden: &[0x07, 0x08, 0x09, 0x4E],
    ..FIRST
};

impl Foreign {
    fn records(&self, file: u8) -> Vec<Vec<u8>> {
        let record = |tag: u8, value: &[u8]| [&[tag, u8::try_from(value.len()).unwrap()], value].concat();
        let padded = |value: &[u8], length: usize| [value, &vec![0; length - value.len()]].concat();
        if file == 5 {
            return vec![
                record(
                    0x01,
                    b"\x53\x01\x00\xD1\x56\x00\x00\x05\x11\x22\x33\x44\x55\x66\x77\x88",
                ),
                record(0x02, b"1"),
                record(0x03, self.version),
                record(0x04, b"\x53\x01\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"),
                record(0x05, b"\x20\x22\x05\x06"),
                record(0x06, b"\x20\x32\x05\x05"),
                record(0x07, b"E5301777X"),
            ];
        }
        let mut records = vec![
            record(0x08, b"530102196507150047"),
            // 赵丽 in GB18030
            record(0x09, &padded(b"\xD5\xD4\xC0\xF6", 30)),
            record(0x4E, &[0xFF; 20]),
            record(0x0A, b"2"),
            record(0x0B, b"\x03"),
            record(0x0C, b"\x53\x01\x02"),
            record(0x0D, b"\x19\x65\x07\x15"),
        ];
        if self.version[0] == b'1' {
            records.remove(2);
        }
        records
    }

    fn answer(&self, command: &[u8], selected: &mut u8) -> Vec<u8> {
        let (ins, p1, p2, p3) = (command[1], command[2], command[3], command[4]);
        match (ins, p1) {
            (0xA4, 4)
                if self.social && command[5..].starts_with(b"sx1.sh.\xC9\xE7\xBB\xE1\xB1\xA3\xD5\xCF") =>
            {
                vec![0x90, 0x00]
            }
            (0xA4, 4) => vec![0x6A, 0x82],
            (0xA4, _) if command.len() >= 7 && command[5] == 0xEF => {
                *selected = command[6];
                vec![0x90, 0x00]
            }
            (0xB2, _) => {
                let (file, by_number) = (p2 >> 3, p2 & 7 == 4);
                let way = match (file, by_number) {
                    (0, false) => Way::TagInSelected,
                    (_, false) => Way::TagInFile,
                    (0, true) => return vec![0x6A, 0x86],
                    (_, true) => Way::NumberInFile,
                };
                if way != self.way {
                    return vec![0x6A, 0x86];
                }
                let records = self.records(if file == 0 { *selected } else { file });
                let found = match way {
                    Way::NumberInFile => records.get(usize::from(p1).wrapping_sub(1)),
                    _ => records.iter().find(|record| record[0] == p1),
                };
                match found {
                    None => vec![0x6A, 0x83],
                    Some(record) if self.hidden.contains(&record[0]) => vec![0x69, 0x82],
                    Some(record) if p3 != 0 && usize::from(p3) != record.len() => {
                        vec![0x6C, u8::try_from(record.len()).unwrap()]
                    }
                    Some(record) => [record, &[0x90, 0x00][..]].concat(),
                }
            }
            _ => vec![0x6D, 0x00],
        }
    }

    /// Into the virtual reader: two bytes of length and a message, both ways.
    fn insert(self) -> Inserted {
        let stream = TcpStream::connect("127.0.0.1:35963")
            .unwrap_or_else(|e| panic!("the virtual reader (Debian package vsmartcard-vpcd): {e}"));
        stream.set_nodelay(true).unwrap();
        let mut line = stream.try_clone().unwrap();
        let serving = thread::spawn(move || {
            let (mut selected, mut count) = (0, 0);
            let mut length = [0; 2];
            while line.read_exact(&mut length).is_ok() {
                let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
                if line.read_exact(&mut message).is_err() {
                    return;
                }
                let answer = match message[..] {
                    [4] => b"\x3B\x6D\x00\x00\x00\x81\x4E\x53\x01\x00\x11\x22\x33\x44\x55\x66\x77".to_vec(),
                    [_] => {
                        (selected, count) = (0, 0);
                        continue;
                    }
                    _ => {
                        count += 1;
                        if self.pulled_at == Some(count) {
                            let _ = line.shutdown(Shutdown::Both);
                            return;
                        }
                        self.answer(&message, &mut selected)
                    }
                };
                let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
                if line.write_all(&[&length[..], &answer].concat()).is_err() {
                    return;
                }
            }
        });
        Inserted {
            stream,
            serving: Some(serving),
        }
    }
}

/// In the reader until dropped.
struct Inserted {
    stream: TcpStream,
    serving: Option<JoinHandle<()>>,
}

impl Drop for Inserted {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
        if let Some(serving) = self.serving.take() {
            let _ = serving.join();
        }
    }
}

fn read(args: &[&str]) -> Ended {
    run([&["card", "read"], args].concat(), "")
}

#[test]
fn a_foreign_card_of_every_generation_is_read() {
    let machine = Machine::new();
    machine.wait_for("empty");
    read(&[]).exit(3).says("NO_CARD");
    for (card, version, shows_holder) in [
        (FIRST, "1.00", true),
        (SECOND, "2.00", true),
        (THIRD, "3.00", false),
    ] {
        assert_eq!(listed(), json!({"reader": READER, "card": "empty", "atr": ""}));
        let inserted = card.insert();
        machine.wait_for("present");
        assert_eq!(
            listed(),
            json!({"reader": READER, "card": "present", "atr": "3B6D000000814E53010011223344556677"})
        );
        let told = read(&["--json"]).exit(0).json();
        let holder = |text: &str| if shows_holder { json!(text) } else { json!(null) };
        for (key, value) in [
            ("version", json!(version)),
            ("region_code", json!("530100")),
            ("card_sn", json!("530100D1560000051122334455667788")),
            ("card_no", holder("E5301777X")),
            ("id_no", holder("530102196507150047")),
            ("name", holder("赵丽")),
            ("nation", json!("03")),
            ("birthplace", json!("530102")),
            ("birth_date", json!("1965-07-15")),
            ("issued_on", json!("2022-05-06")),
            ("expires_on", json!("2032-05-05")),
            ("atr_history", json!("00814E53010011223344556677")),
        ] {
            assert_eq!(told[key], value, "{version} {key}: {told}");
        }
        let by_name = read(&["--json", "--reader", READER]).exit(0).json();
        assert_eq!(by_name, told);
        for (lang, label) in [("zh", "卡有效期"), ("en", "expires on")] {
            let words = read(&["--lang", lang]).exit(0).out;
            assert!(words.contains(label) && words.contains("2032-05-05"), "{words}");
            assert_eq!(words.contains("赵丽"), shows_holder, "{words}");
        }
        drop(inserted);
        machine.wait_for("empty");
    }
    read(&["--wait-s", "1"]).exit(3).says("NO_CARD");
    read(&["--reader", "No such reader"]).exit(3).says("NO_READER");
}

#[test]
fn a_card_pulled_while_it_is_read_is_told_and_the_next_one_is_read() {
    let machine = Machine::new();
    machine.wait_for("empty");
    for at in [1, 2, 5, 9] {
        let inserted = Foreign {
            pulled_at: Some(at),
            ..SECOND
        }
        .insert();
        machine.wait_for("present");
        let told = read(&["--json"]).exit(3);
        let error: Value = serde_json::from_str(&told.err).unwrap();
        assert_eq!(error["error"]["code"], "CARD_REMOVED", "command {at}");
        assert_ne!(error["error"]["advice"], "");
        assert_eq!(told.out, "", "half a card is no card");
        for secret in ["530102196507150047", "赵丽", "E5301777X"] {
            assert!(!told.err.contains(secret));
        }
        drop(inserted);
        machine.wait_for("empty");
    }
    let bank = Foreign {
        social: false,
        ..SECOND
    }
    .insert();
    machine.wait_for("present");
    read(&[]).exit(3).says("CARD_NOT_SOCIAL");
    drop(bank);
    machine.wait_for("empty");
    let _card = SECOND.insert();
    machine.wait_for("present");
    assert_eq!(read(&["--json"]).exit(0).json()["name"], "赵丽");
}

#[test]
fn the_emulated_card_holds_what_its_file_says() {
    let machine = Machine::new();
    machine.wait_for("empty");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("person.json");
    let person = json!({
        "version": "2.00", "card_sn": "530100D1560000050102030405060708", "card_no": "A7654321X",
        "id_no": "53010219851230001X", "name": "阿卜杜热合曼·麦麦提依明·吐尔逊江", "sex": "1", "nation": "05",
        "birthplace": "530102", "birth_date": "19851230", "issued_on": "20210203", "expires_on": "20310202",
        "pin": "654321",
    });
    fs::write(&file, person.to_string()).unwrap();
    let (mut emulator, line, _out) = serve(
        yijie(["card", "emulate", file.to_str().unwrap(), "--lang", "en"]),
        &dir.path().join("log"),
    );
    assert!(line.contains("35963"), "{line}");
    machine.wait_for("present");
    let told = read(&["--json"]).exit(0).json();
    for key in [
        "version",
        "card_sn",
        "card_no",
        "id_no",
        "name",
        "nation",
        "birthplace",
    ] {
        assert_eq!(told[key], person[key], "{key}");
    }
    for (key, day) in [
        ("birth_date", "1985-12-30"),
        ("issued_on", "2021-02-03"),
        ("expires_on", "2031-02-02"),
    ] {
        assert_eq!(told[key], day);
    }
    let with_pin = |pin: &str| finish(yijie(["card", "read", "--json", "--pin-stdin"]), pin);
    with_pin("12\n").exit(1);
    let wrong: Value = serde_json::from_str(&with_pin("111111\n").exit(3).err).unwrap();
    assert_eq!(wrong["error"]["code"], "PIN_WRONG");
    assert_eq!(with_pin("654321\n").exit(0).json(), told);
    emulator.kill();
    machine.wait_for("empty");
    read(&[]).exit(3).says("NO_CARD");

    for (text, why) in [
        ("{", "no JSON"),
        (r#"{"nmae": "x"}"#, "an unknown key"),
        (r#"{"card_no": "1234567890"}"#, "too long"),
    ] {
        fs::write(&file, text).unwrap();
        let told = run(["card", "emulate", file.to_str().unwrap()], "");
        assert_eq!(told.code, Some(1), "{why}");
        told.says("PERSON_FILE_INVALID");
    }
    fs::write(&file, "{}").unwrap();
    run(["card", "emulate", "/nowhere/person.json"], "")
        .exit(1)
        .says("PERSON_FILE_INVALID");
    run(["card", "emulate", file.to_str().unwrap(), "--port", "1"], "")
        .exit(3)
        .says("VIRTUAL_READER_MISSING");
}

/// What a card that behaves oddly does with a command.
enum Reply {
    Bytes(Vec<u8>),
    /// Late, but not never.
    Late(Vec<u8>),
    /// Never.
    Nothing,
}

/// Any card: its answer to reset, and what it says to each command since it was powered.
fn insert_odd(atr: &[u8], mut says: impl FnMut(&[u8]) -> Reply + Send + 'static) -> Inserted {
    let stream = TcpStream::connect("127.0.0.1:35963").unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut line, atr) = (stream.try_clone().unwrap(), atr.to_vec());
    let serving = thread::spawn(move || {
        let mut length = [0; 2];
        while line.read_exact(&mut length).is_ok() {
            let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
            if line.read_exact(&mut message).is_err() {
                return;
            }
            let answer = match message[..] {
                [4] => atr.clone(),
                [_] => continue,
                _ => match says(&message) {
                    Reply::Bytes(answer) => answer,
                    Reply::Late(answer) => {
                        thread::sleep(Duration::from_millis(40));
                        answer
                    }
                    Reply::Nothing => continue,
                },
            };
            let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
            if line.write_all(&[&length[..], &answer].concat()).is_err() {
                return;
            }
        }
    });
    Inserted {
        stream,
        serving: Some(serving),
    }
}

const ATR: &[u8] = b"\x3B\x6D\x00\x00\x00\x81\x4E\x53\x01\x00\x11\x22\x33\x44\x55\x66\x77";
/// As a contactless reader makes it up: no byte of it is the card's own.
const CONTACTLESS_ATR: &[u8] =
    b"\x3B\x8E\x80\x01\x80\x31\x80\x66\xB1\x84\x0C\x01\x6E\x01\x83\x00\x90\x00\x1C";

/// A card that hands every answer over in pieces (61xx, then GET RESPONSE), insists on its own lengths (6Cxx), has no
/// name extension, keeps the holder's records in an order of its own, and writes the name with four-byte characters.
fn in_pieces(late: bool) -> impl FnMut(&[u8]) -> Reply + Send {
    // 王㐂𠮷
    let name = b"\xCD\xF5\x81\x39\xEF\x31\x95\x34\xB2\x35";
    let mut padded = [0; 30];
    padded[..name.len()].copy_from_slice(name);
    let record = |tag: u8, value: &[u8]| [&[tag, u8::try_from(value.len()).unwrap()], value].concat();
    let mut holder = vec![
        record(0x0D, b"\x19\x65\x07\x15"),
        record(0x09, &padded),
        record(0x0A, b"1"),
        record(0x08, b"530102196507150047"),
        record(0x0C, b"\x53\x01\x02"),
        record(0x0B, b"\x01"),
    ];
    let mut all = SECOND.records(5);
    all.append(&mut holder);
    let mut waiting = Vec::new();
    move |command: &[u8]| {
        let told = std::mem::take(&mut waiting);
        let answer = match (command[1], command[2], command[3]) {
            (0xA4, 4, 0) if SECOND.answer(command, &mut 0) == [0x90, 0x00] => {
                waiting = b"\x6F\x11\x84\x0Fsx1.sh.\xC9\xE7\xBB\xE1\xB1\xA3\xD5\xCF".to_vec();
                vec![0x61, 0x13]
            }
            (0xA4, 4, 0) => vec![0x6A, 0x82],
            // It knows no short file identifiers.
            (0xB2, _, p2) if p2 & 0xF8 != 0 => vec![0x6A, 0x86],
            (0xA4, 2, 0) => vec![0x6A, 0x86],
            (0xA4, 0, 0) => vec![0x90, 0x00],
            (0xB2, tag, 0) => match all.iter().find(|record| record[0] == tag) {
                None => vec![0x6A, 0x83],
                Some(record) if usize::from(command[4]) != record.len() => {
                    vec![0x6C, u8::try_from(record.len()).unwrap()]
                }
                Some(record) => {
                    waiting = record.clone();
                    vec![0x61, u8::try_from(record.len()).unwrap()]
                }
            },
            (0xC0, 0, 0) if told.is_empty() => vec![0x69, 0x85],
            (0xC0, 0, 0) => [&told[..], &[0x90, 0x00]].concat(),
            _ => vec![0x6D, 0x00],
        };
        if late {
            Reply::Late(answer)
        } else {
            Reply::Bytes(answer)
        }
    }
}

#[test]
fn cards_that_answer_oddly_late_or_never_are_read_or_told() {
    let machine = Machine::new();
    machine.wait_for("empty");
    for (atr, late, history) in [
        (ATR, false, "00814E53010011223344556677"),
        (CONTACTLESS_ATR, false, "80318066B1840C016E0183009000"),
        (ATR, true, "00814E53010011223344556677"),
    ] {
        let inserted = insert_odd(atr, in_pieces(late));
        machine.wait_for("present");
        let told = read(&["--json"]).exit(0).json();
        for (key, value) in [
            ("name", "王㐂𠮷"),
            ("id_no", "530102196507150047"),
            ("card_no", "E5301777X"),
            ("birth_date", "1965-07-15"),
            ("nation", "01"),
            ("atr_history", history),
        ] {
            assert_eq!(told[key], value, "late {late} {key}: {told}");
        }
        drop(inserted);
        machine.wait_for("empty");
    }
    // One that says nothing to its third command: told within the deadline, and the reader is usable after it.
    let mut commands = 0;
    let mut card = in_pieces(false);
    let mute = insert_odd(ATR, move |command| {
        commands += 1;
        if commands == 3 {
            Reply::Nothing
        } else {
            card(command)
        }
    });
    machine.wait_for("present");
    let told = read(&["--json", "--wait-s", "2"]).exit(3);
    let error: Value = serde_json::from_str(&told.err).unwrap();
    assert_eq!(error["error"]["code"], "CARD_NO_ANSWER");
    assert_eq!(told.out, "");
    drop(mute);
    machine.wait_for("empty");
    // Rubbish instead of records, and instead of an answer.
    for (answer, code) in [
        (&b"\x90\x00"[..], "CARD_UNREADABLE"),
        (b"\x01\xFF\x00\x90\x00", "CARD_UNREADABLE"),
        (b"\x6F\x00", "CARD_REFUSED"),
        (b"\x93\x03", "CARD_LOCKED"),
    ] {
        let inserted = insert_odd(ATR, move |command| {
            Reply::Bytes(if command[1] == 0xA4 {
                vec![0x90, 0x00]
            } else {
                answer.to_vec()
            })
        });
        machine.wait_for("present");
        let told = read(&["--json"]).exit(3);
        let error: Value = serde_json::from_str(&told.err).unwrap();
        assert_eq!(error["error"]["code"], code, "{answer:02X?}");
        drop(inserted);
        machine.wait_for("empty");
    }
    let _card = SECOND.insert();
    machine.wait_for("present");
    assert_eq!(read(&["--json"]).exit(0).json()["name"], "赵丽");
}

#[test]
fn a_card_of_generation_three_opens_to_a_module_in_the_second_slot_and_its_string_is_the_ministrys() {
    let machine = Machine::new();
    machine.wait_for("empty");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("person.json");
    let person = json!({
        "version": "3.00", "card_sn": "530100D1560000050102030405060708", "card_no": "A7654321X",
        "id_no": "53010219851230001X", "name": "欧阳𠮷", "issued_on": "20210203", "expires_on": "20310202",
    });
    fs::write(&file, person.to_string()).unwrap();
    let emulate = |args: &[&str], log: &str| {
        let args = [&["card", "emulate", "--lang", "en"], args].concat();
        serve(yijie(args), &dir.path().join(log))
    };
    let (_card, ..) = emulate(&[file.to_str().unwrap()], "card");
    machine.wait_for("present");
    let hidden = read(&["--json"]).exit(0).json();
    assert_eq!(
        (&hidden["version"], &hidden["name"]),
        (&json!("3.00"), &Value::Null)
    );
    let module = "Virtual PCD 00 01";
    read(&["--psam", module]).exit(3).says("PSAM_MISSING");
    let (_module, ..) = emulate(&["--psam", "--port", "35964"], "module");
    let with_module = ["--reader", READER, "--psam", module];
    let told = (0..LOOKS_MAX)
        .map(|_| read(&[&["--json"], &with_module[..]].concat()))
        .find(|told| told.code == Some(0))
        .expect("the module is seen");
    assert_eq!(told.json()["name"], "欧阳𠮷");
    assert_eq!(told.json()["card_no"], "A7654321X");
    let string = read(&[&["--basic-info"], &with_module[..]].concat()).exit(0).out;
    let items: Vec<&str> = string.trim_end().split('|').collect();
    assert_eq!(items.len(), 12, "eleven items, each ended: {string}");
    let [
        region,
        id_no,
        card_no,
        card_sn,
        name,
        reset,
        version,
        from,
        until,
        terminal,
        device,
        end,
    ] = items[..]
    else {
        panic!("{string}")
    };
    assert_eq!(
        [
            region, id_no, card_no, card_sn, name, version, from, until, terminal, device, end
        ],
        [
            "530100",
            "53010219851230001X",
            "A7654321X",
            "530100D1560000050102030405060708",
            "欧阳𠮷",
            "3.00",
            "20210203",
            "20310202",
            "",
            "",
            ""
        ]
    );
    assert_eq!(reset.len(), 26, "thirteen historical bytes: {reset}");
}

#[test]
fn without_the_smart_card_service_the_code_says_so() {
    for args in [vec!["card", "list"], vec!["card", "read"]] {
        let ask = |more: &[&str]| {
            let mut command = yijie([&args[..], more].concat());
            // Where the service would be looked for; other tests may have one running.
            command.env("PCSCLITE_CSOCK_NAME", "/nonexistent/pcscd.comm");
            finish(command, "").exit(3)
        };
        ask(&[]).says("NO_PCSC_SERVICE");
        ask(&["--lang", "en"]).says("NO_PCSC_SERVICE");
        let json: Value = serde_json::from_str(&ask(&["--json"]).err).unwrap();
        assert_eq!(json["error"]["code"], "NO_PCSC_SERVICE");
    }
}
