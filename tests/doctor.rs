//! `yijie doctor`: a till in order, and each part broken in turn.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong here fails the test"
)]

mod common;

use std::fs;

use common::{Ended, Shop, finish, run};
use serde_json::Value;

fn doctor(shop: &Shop) -> Ended {
    shop.run(&["doctor", "--json"])
}

/// What is said of one part.
fn part(told: &Ended, check: &str) -> Value {
    let all = told.json();
    let found = all.as_array().unwrap().iter().find(|part| part["check"] == check);
    found.unwrap_or_else(|| panic!("no {check} in {all}")).clone()
}

#[track_caller]
fn is(told: &Ended, check: &str, state: &str, code: &str) {
    let part = part(told, check);
    assert_eq!(
        (part["state"].as_str(), part["code"].as_str()),
        (Some(state), Some(code)),
        "{part}"
    );
    let words = !part["text"].as_str().unwrap().is_empty() && !part["advice"].as_str().unwrap().is_empty();
    assert_eq!(words, !code.is_empty(), "{part}");
}

/// Changes the till's settings.
fn set(shop: &Shop, from: &str, to: &str) {
    let path = shop.data.join("yijie.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from} in {text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn the_devices_that_init_was_told_of_are_the_ones_looked_at() {
    let shop = Shop::open();
    let paper = shop.dir.path().join("paper").display().to_string();
    let flags = [
        ("reader", "Reader A"),
        ("psam", "Reader B"),
        ("scanner", "/dev/pts/99991"),
        ("id-reader", "/dev/pts/99992"),
        ("display", "/dev/pts/99993"),
        ("printer", paper.as_str()),
        ("paper", "58"),
    ];
    let told: Vec<String> = flags
        .iter()
        .flat_map(|(flag, value)| [format!("--{flag}"), (*value).to_owned()])
        .collect();
    let told: Vec<&str> = told.iter().map(String::as_str).collect();
    let till = shop.beside("fitted", &told);
    let settings = fs::read_to_string(till.data.join("yijie.toml")).unwrap();
    for (flag, value) in flags {
        let line = format!("{} = \"{value}\"", flag.replace('-', "_"));
        assert!(settings.contains(&line), "{line} in {settings}");
    }
    let mut command = till.command(&["doctor", "--json"]);
    command.env("PCSCLITE_CSOCK_NAME", "/nonexistent/pcscd.comm");
    let told = finish(command, "").exit(3);
    is(&told, "reader", "fault", "NO_PCSC_SERVICE");
    is(&told, "psam", "fault", "NO_PCSC_SERVICE");
    is(&told, "scanner", "fault", "SCANNER_PORT_MISSING");
    is(&told, "id-reader", "fault", "ID_READER_MISSING");
    is(&told, "display", "fault", "DISPLAY_MISSING");
    is(&told, "printer", "ok", "");
    for (flag, value) in [("--paper", "57"), ("--till", "10")] {
        let mut command = shop.command(&["init", "--fixmedins", "H53010200001", "--operator", "1"]);
        command.args(["--pin-stdin", "--agency", &shop.agency.url, flag, value]);
        command.arg("--tls").arg(shop.agency.tls());
        finish(command, "246810\n").exit(1).says("USAGE");
    }
}

#[test]
fn every_part_is_told_and_what_is_wrong_with_it() {
    let mut shop = Shop::open();
    shop.run(&["journal", "verify"]).exit(0);
    let told = doctor(&shop);
    for sound in ["certificate", "ca", "disk", "journal", "packs", "agency", "clock"] {
        is(&told, sound, "ok", "");
    }
    is(&told, "scanner", "warning", "SCANNER_NOT_SET");
    is(&told, "printer", "warning", "PRINTER_NOT_SET");
    assert!(part(&told, "reader")["state"].is_string());

    let receipts = shop.dir.path().join("receipts");
    let devices = format!(
        "[devices]\nprinter = \"{}\"\nscanner = \"/dev/pts/99999\"",
        receipts.display()
    );
    set(&shop, "[devices]", &devices);
    let told = doctor(&shop).exit(3);
    is(&told, "printer", "ok", "");
    is(&told, "scanner", "fault", "SCANNER_PORT_MISSING");
    set(&shop, receipts.to_str().unwrap(), "tcp://127.0.0.1:1");
    is(&doctor(&shop), "printer", "fault", "PRINTER_MISSING");

    shop.agency.stop();
    let told = doctor(&shop).exit(3);
    is(&told, "agency", "fault", "AGENCY_UNREACHABLE");
    is(&told, "clock", "warning", "CLOCK_NOT_COMPARED");

    fs::write(shop.data.join("tls/client.pem"), "no certificate").unwrap();
    is(&doctor(&shop), "certificate", "fault", "TLS_FILES_UNREADABLE");

    let segment = fs::read_dir(shop.data.join("journal"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|ending| ending == "segment"))
        .unwrap();
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let told = doctor(&shop).exit(3);
    assert_eq!(part(&told, "journal")["state"], "fault");
}

#[test]
fn a_directory_that_was_never_prepared_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let told = run(["doctor", "--json", "--data", dir.path().to_str().unwrap()], "").exit(3);
    is(&told, "settings", "fault", "DATA_NOT_PREPARED");
    let words = run(
        ["doctor", "--lang", "en", "--data", dir.path().to_str().unwrap()],
        "",
    )
    .exit(3);
    assert!(
        words.out.contains("DATA_NOT_PREPARED") && words.out.contains("→"),
        "{}",
        words.out
    );
}
