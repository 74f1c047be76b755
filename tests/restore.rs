//! A data directory that is not what it was: put back from a backup, damaged and salvaged, of an older version, with
//! settings or a clock that changed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong here fails the test"
)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Ended, INSTITUTION, OPERATOR, PIN, Shop, files, finish, person, record_starts, sale};
use serde_json::{Value, json};
use yijie::books::Books;
use yijie::record::Record;
use yijie_agency::PersonRecord;

fn copy(from: &Path, to: &Path) {
    let ran = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(ran.success());
}

fn put_back(shop: &Shop, backup: &Path) {
    fs::remove_dir_all(&shop.data).unwrap();
    copy(backup, &shop.data);
}

/// A journal command by the first operator.
fn by_supervisor(shop: &Shop, args: &[&str]) -> Ended {
    let mut all = vec!["journal"];
    all.extend(args);
    all.extend(["--operator", OPERATOR, "--pin-stdin"]);
    finish(shop.command(&all), &format!("{PIN}\n"))
}

fn kinds(shop: &Shop) -> Vec<String> {
    let rows = shop.journal();
    rows.iter()
        .map(|row| row["kind"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_backup_put_back_is_noticed_and_the_agency_is_asked_before_anything_is_sold() {
    let mut shop = Shop::busy();
    let backup = shop.dir.path().join("backup");
    copy(&shop.data, &backup);
    // Nothing happened since: the backup is the till.
    put_back(&shop, &backup);
    assert_eq!(shop.run(&["queue", "list"]).exit(0).err, "");

    // What waited in the backup was settled, and nothing else was sold.
    shop.run(&["queue", "drain"]).exit(0);
    put_back(&shop, &backup);
    let order = sale("new", &person(20), "100.00").to_string();
    shop.agency.stop();
    let told = shop.try_sell(&[], &order).exit(3);
    assert!(told.err.starts_with("TILL_ROLLED_BACK: "), "{}", told.err);
    assert_eq!(told.out, "", "nothing is sold before the agency is asked");
    assert!(shop.try_sell(&["--offline"], &order).exit(3).out.is_empty());
    shop.agency.come_back();
    assert_eq!(
        shop.sell(&[], &[sale("new", &person(20), "100.00")])[0]["state"],
        "settled"
    );
    assert!(kinds(&shop).contains(&"compared".to_owned()));
    assert_eq!(shop.queue(), [] as [Value; 0]);
    assert_eq!(
        shop.agency.settled().len(),
        5,
        "what had been settled is not settled again"
    );

    // A whole sale is missing: the totals do not agree, and only a supervisor goes on.
    put_back(&shop, &backup);
    for _ in 0..2 {
        let told = shop
            .try_sell(&[], &sale("x", &person(21), "100.00").to_string())
            .exit(3);
        assert!(told.err.contains("AGENCY_HOLDS_MORE: "), "{}", told.err);
        assert_eq!(told.out, "");
    }
    shop.run(&["journal", "resume"]).exit(3);
    by_supervisor(&shop, &["resume"]).exit(0);
    assert_eq!(
        shop.sell(&[], &[sale("x", &person(21), "100.00")])[0]["state"],
        "settled"
    );
    let row = shop
        .journal()
        .into_iter()
        .rfind(|row| row["kind"] == "compared")
        .unwrap();
    let shown = shop
        .run(&["journal", "show", &row["seq"].to_string()])
        .exit(0)
        .json();
    assert_eq!(shown["record"]["accepted_by"], OPERATOR);
    assert_eq!(shop.run(&["queue", "list"]).exit(0).err, "");
}

#[test]
fn a_damaged_journal_is_salvaged_keeps_everything_and_sells_again() {
    // Which entry of the busy shop is damaged, by kind and sale.
    for (kind, id) in [
        ("settled", "s2"),
        ("sale", "s2"),
        ("operator", ""),
        ("opened", ""),
        ("pack", ""),
    ] {
        let shop = Shop::busy();
        let before = shop.journal();
        let at = before
            .iter()
            .position(|row| row["kind"] == kind && row["sale"].as_str().unwrap_or_default() == id)
            .unwrap();
        let segment = files(&shop.data.join("journal"))[0].clone();
        let mut bytes = fs::read(&segment).unwrap();
        let start = record_starts(&bytes)[at];
        bytes[start + 90] ^= 1;
        fs::write(&segment, &bytes).unwrap();
        let refused = shop
            .try_sell(&[], &sale("x", &person(40), "100.00").to_string())
            .exit(3);
        refused.says("JOURNAL_BROKEN");
        if kind != "operator" {
            let wrong = finish(
                shop.command(&["journal", "salvage", "--operator", OPERATOR, "--pin-stdin"]),
                "000000\n",
            );
            wrong.exit(2).says("PIN_NOT_RIGHT");
        }
        assert!(fs::read(&segment).unwrap() == bytes);

        let told = by_supervisor(&shop, &["salvage", "--json"]).exit(0).json();
        assert_eq!(told["broken"], json!(at + 1), "{kind} {id}");
        assert_eq!(told["lost"], json!([at + 1]), "{kind} {id}");
        assert_eq!(told["checked"], json!(kind != "operator"));
        let orphans = if kind == "sale" { 1 } else { 0 };
        assert_eq!(told["orphans"].as_array().unwrap().len(), orphans);
        assert_eq!(
            at + 1 + orphans + told["follow"].as_array().unwrap().len(),
            before.len(),
            "every entry is sound, follows, is an orphan or is lost"
        );
        let kept = shop.data.join(told["kept"].as_str().unwrap());
        assert!(fs::read(kept.join(segment.file_name().unwrap())).unwrap() == bytes);
        assert!(files(&kept).iter().any(|file| file.ends_with("journal.mark")));
        shop.run(&["journal", "verify"]).exit(0);
        // Done again it finds nothing to do.
        assert_eq!(
            by_supervisor(&shop, &["salvage", "--json"]).exit(0).json(),
            json!({"whole": true})
        );

        // The agency is asked; a settled sale that lost its entry is found there, a lost sale is told.
        let sold = shop.try_sell(&[], &sale("new", &person(41), "100.00").to_string());
        if kind == "sale" {
            assert!(sold.exit(3).err.contains("AGENCY_HOLDS_MORE"));
            by_supervisor(&shop, &["resume"]).exit(0);
        } else {
            assert_eq!(sold.exit(0).lines()[0]["state"], "settled", "{kind} {id}");
        }
        shop.run(&["queue", "drain"]).exit(0);
        let again = shop.sell(
            &[],
            &[
                sale("s1", &person(1), "100.00"),
                sale("new", &person(41), "100.00"),
            ],
        );
        assert!(again.iter().all(|answer| answer["state"] == "settled"));
        assert_eq!(
            shop.agency.settled().len(),
            5,
            "{kind} {id}: nothing is settled twice"
        );
        shop.run(&["journal", "verify"]).exit(0);
    }
}

#[test]
fn a_data_directory_of_the_version_before_opens_and_sells() {
    let shop = Shop::open();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/till-0.1.0");
    put_back(&shop, &fixture);
    copy(&shop.agency.tls(), &shop.data.join("tls"));
    let all: Vec<PathBuf> = files(&shop.data);
    for file in &all {
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let agency = ["--agency", &shop.agency.url];
    let rows = shop.journal();
    assert_eq!(
        rows.len(),
        17,
        "the 16 that were there, and what the settings are"
    );
    let states: Vec<&str> = rows.iter().filter_map(|row| row["state"].as_str()).collect();
    assert_eq!(
        states,
        [
            "sending",
            "settled",
            "sending",
            "settled",
            "sending",
            "settled",
            "refused",
            "committed",
            "reversing",
            "reversed"
        ]
    );
    assert_eq!(shop.queue()[0]["sale"], "waits");
    shop.run(&[&["queue", "drain"], &agency[..]].concat()).exit(0);
    let known = shop.sell(&agency, &[sale("s1", &person(1), "100.00")]);
    assert_eq!(known[0]["msgid"], "H53010200001202611221340230000");
    assert_eq!(shop.agency.settled().len(), 1, "what waited, and nothing else");
    shop.run(&["journal", "verify"]).exit(0);
}

#[test]
fn changed_settings_are_told_once_and_stand_in_the_journal() {
    let shop = Shop::open();
    let tell = || shop.run(&["queue", "list"]).exit(0).err;
    assert_eq!(tell(), "");
    for name in ["yijie.toml", "tls/ca.pem", "tls/client.pem", "tls/client.key"] {
        let file = shop.data.join(name);
        let mut text = fs::read(&file).unwrap();
        text.push(b'\n');
        fs::write(&file, text).unwrap();
        let told = tell();
        let last = Path::new(name).file_name().unwrap().to_str().unwrap();
        assert!(
            told.starts_with("SETTINGS_CHANGED: ") && told.contains(last),
            "{name}: {told}"
        );
        assert_eq!(tell(), "", "{name}: told once");
    }
    let settings = kinds(&shop).iter().filter(|kind| *kind == "settings").count();
    assert_eq!(settings, 6, "at first, the longest wait of the test, and four");
    let text = fs::read_to_string(shop.data.join("yijie.toml")).unwrap();
    fs::write(
        shop.data.join("yijie.toml"),
        text.replace(INSTITUTION, "H53010200002"),
    )
    .unwrap();
    shop.run(&["queue", "list"]).exit(1);
    shop.run(&["sell"]).exit(1).says("OTHER_INSTITUTION");
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let shop = Shop::open();
    let key = shop.data.join("tls/client.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    shop.run(&["sell"]).exit(3).says("SECRET_EXPOSED");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    shop.run(&["sell"]).exit(0);
}

#[test]
fn a_clock_that_was_set_back_or_is_far_ahead_is_told() {
    let now_ms = yijie::clock::now_ms();
    for (shift_ms, code) in [(86_400_000, "CLOCK_BEHIND"), (-366 * 86_400_000, "CLOCK_AHEAD")] {
        let shop = Shop::open();
        let (books, _) = Books::open(&shop.data, INSTITUTION, 0).unwrap();
        let record: Record = serde_json::from_value(json!({"record": "lost_cards", "card_sns": []})).unwrap();
        books.append(&record, now_ms + shift_ms).unwrap();
        drop(books);
        shop.run(&["queue", "list"]).exit(0).says(code);
        // The message ids go on, and the sale is made.
        assert_eq!(
            shop.sell(&[], &[sale("a", &person(1), "100.00")])[0]["state"],
            "settled"
        );
    }
}

#[test]
fn a_clock_that_was_set_back_makes_nothing_young_again_and_ends_no_lock_out() {
    const HOUR_MS: i64 = 3_600_000;
    let shop = Shop::open();
    let books = || Books::open(&shop.data, INSTITUTION, 0).unwrap().0;
    let put = |books: &Books, record: Value, time_ms: i64| {
        let record: Record = serde_json::from_value(record).unwrap();
        books.append(&record, time_ms).unwrap();
    };
    let mut known = PersonRecord::default();
    known.baseinfo.psn_no = person(1);
    let snapshot = json!({"record": "person", "person": known});
    let age_h = |books: &Books| {
        let (taken_ms, _) = books.person(&person(1)).unwrap().unwrap();
        (yijie::clock::now_ms() - taken_ms) / HOUR_MS
    };
    let wait_ms = |books: &Books| {
        let tries = books.tries(OPERATOR).unwrap();
        tries.wait_ms(yijie::clock::now_ms())
    };
    // What the clock showed was 100 hours after the snapshot when the PIN was wrong; now it shows the snapshot's time.
    let now_ms = yijie::clock::now_ms();
    let opened = books();
    put(&opened, snapshot.clone(), now_ms);
    for _ in 0..3 {
        put(
            &opened,
            json!({"record": "pin_tried", "operator": OPERATOR, "right": false}),
            now_ms + 100 * HOUR_MS,
        );
    }
    let as_before = |books: &Books| {
        assert_eq!(age_h(books), 100);
        assert!((1..=30_000).contains(&wait_ms(books)));
    };
    as_before(&opened);
    put(&opened, json!({"record": "lost_cards", "card_sns": []}), now_ms);
    as_before(&opened);
    drop(opened);
    as_before(&books());
    fs::remove_dir_all(shop.data.join("store")).unwrap();
    let opened = books();
    as_before(&opened);
    // What is asked now is as old as it is.
    put(&opened, snapshot, yijie::clock::now_ms());
    assert_eq!(age_h(&opened), 0);
}
