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
use std::thread::{self, JoinHandle};
use std::time::Duration;

use common::{Ended, finish, run, serve, yijie};
use serde_json::{Value, json};
use yijie_hardware::{PcscDaemon, VpcdLock};

const READER: &str = "Virtual PCD 00 00";
const LOOKS_MAX: u32 = 1_000;
const PAUSE: Duration = Duration::from_millis(10);

/// The virtual reader, for one test at a time on this machine.
struct Machine {
    _daemon: Option<PcscDaemon>,
    _lock: VpcdLock,
}

impl Machine {
    fn new() -> Machine {
        let lock = VpcdLock::acquire().unwrap();
        let start = || {
            PcscDaemon::start().unwrap_or_else(|error| {
                panic!("{error}; these tests need the Debian packages pcscd and vsmartcard-vpcd")
            })
        };
        Machine {
            _daemon: (!PcscDaemon::running()).then(start),
            _lock: lock,
        }
    }

    /// Waits until the reader shows a card, or none.
    fn wait_for(&self, state: &str) {
        for _ in 0..LOOKS_MAX {
            let rows = run(["card", "list", "--json"], "").exit(0).json();
            let row = rows
                .as_array()
                .unwrap()
                .iter()
                .find(|row| row["reader"] == READER);
            let row = row.unwrap_or_else(|| panic!("no {READER} (Debian package vsmartcard-vpcd) in {rows}"));
            if row["card"] == state {
                assert_eq!(row["atr"] != "", state == "present", "{row}");
                return;
            }
            thread::sleep(PAUSE);
        }
        panic!("the reader never shows a card as {state}");
    }
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
        let inserted = card.insert();
        machine.wait_for("present");
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
        read(&[]).exit(3).says("NO_CARD");
    }
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
