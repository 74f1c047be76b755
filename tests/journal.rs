//! The books on disk: tampering found, torn tails cut, the store expendable, one process at a time, nothing personal
//! in clear, and export for an inspector.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong here fails the test"
)]

mod common;

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{Chance, PIN, PROGRAM, Seller, Shop, clean, files, finish, person, sale, yijie};
use serde_json::{Value, json};

/// A till with some settled sales, one that was refused and one that waits.
fn busy() -> Shop {
    let shop = Shop::open();
    let mut refused = sale("refused", &person(9), "10.00");
    refused["person"]["insutype"] = json!("999");
    let sales: Vec<Value> = (1..=3)
        .map(|no| sale(&format!("s{no}"), &person(no), "100.00"))
        .chain([refused])
        .collect();
    shop.sell(&[], &sales);
    shop.sell(&["--offline"], &[sale("waits", &person(4), "100.00")]);
    shop
}

fn segment(shop: &Shop) -> PathBuf {
    let found = files(&shop.data.join("journal"));
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

/// Where the records of a segment begin.
fn records(bytes: &[u8]) -> Vec<usize> {
    let found = bytes.windows(4).enumerate();
    found
        .filter(|(_, window)| *window == b"YJR\x01")
        .map(|(at, _)| at)
        .collect()
}

#[test]
fn the_list_has_one_row_an_entry_in_a_stable_shape() {
    let shop = busy();
    let rows = shop.journal();
    let keys = ["seq", "time", "kind", "sale", "msgid", "state"];
    for (no, row) in rows.iter().enumerate() {
        let fields = row.as_object().unwrap();
        assert_eq!(
            fields.keys().collect::<BTreeSet<_>>(),
            keys.map(str::to_owned).iter().collect::<BTreeSet<_>>()
        );
        assert_eq!(row["seq"], json!(no + 1));
        let time = row["time"].as_str().unwrap();
        assert!(
            time.len() == 19 && time[4..5] == *"-" && time[10..11] == *" ",
            "{time}"
        );
    }
    let of_sale = |id: &str| -> Vec<(String, String)> {
        let rows = rows.iter().filter(|row| row["sale"] == id);
        rows.map(|row| {
            (
                row["kind"].as_str().unwrap().to_owned(),
                row["state"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
    };
    let pair = |kind: &str, state: &str| (kind.to_owned(), state.to_owned());
    assert_eq!(
        of_sale("s1"),
        [pair("sale", "sending"), pair("settled", "settled")]
    );
    assert_eq!(of_sale("refused"), [pair("declined", "refused")]);
    assert_eq!(of_sale("waits"), [pair("sale", "committed")]);
    for row in rows.iter().filter(|row| row["kind"] == "settled") {
        let shown = shop
            .run(&["journal", "show", &row["seq"].to_string()])
            .exit(0)
            .json();
        for key in keys {
            assert_eq!(shown[key], row[key], "{key}");
        }
        assert_eq!(shown["record"]["reply"]["setlinfo"]["medfee_sumamt"], "100.00");
    }
    let words = shop.run(&["journal", "list"]).exit(0).out;
    assert_eq!(words.lines().count(), rows.len());
    let whole = shop.run(&["journal", "verify", "--json"]).exit(0).json();
    assert_eq!(
        (&whole["whole"], &whole["entries"]),
        (&json!(true), &json!(rows.len()))
    );
    for lang in ["zh", "en"] {
        let words = shop.run(&["journal", "verify", "--lang", lang]).exit(0).out;
        assert!(
            words.contains(&rows.len().to_string()) && words.contains(whole["last_hash"].as_str().unwrap())
        );
    }
}

#[test]
fn a_flipped_byte_is_found_and_its_entry_named() {
    let shop = busy();
    let file = segment(&shop);
    let sound = fs::read(&file).unwrap();
    let starts = records(&sound);
    let entries = shop.journal().len();
    assert_eq!(starts.len(), entries, "every record has its mark");
    let mut chance = Chance::new();
    let mut places: Vec<usize> = vec![0, 7, 20, sound.len() - 1];
    for (no, start) in starts.iter().enumerate() {
        let end = starts.get(no + 1).copied().unwrap_or(sound.len());
        let inside = usize::try_from(chance.below((end - start) as u64)).unwrap();
        places.extend([*start, start + 6, start + 20, start + inside]);
    }
    for at in places {
        let mut bytes = sound.clone();
        bytes[at] ^= 1 << chance.below(8);
        fs::write(&file, &bytes).unwrap();
        let told = shop.run(&["journal", "verify"]).exit(3);
        // A header belongs to the entry after it.
        let entry = starts.iter().filter(|start| **start <= at).count().max(1);
        let named = told
            .err
            .split_whitespace()
            .any(|word| word.trim_matches(|c: char| !c.is_ascii_digit()).parse() == Ok(entry));
        assert!(named, "byte {at} of entry {entry} of {entries}: {}", told.err);
        assert!(told.err.starts_with("JOURNAL_"), "{}", told.err);
        // Nothing is sold on a journal like that, and nothing in it is changed.
        let refused = shop
            .try_sell(&[], &sale("new", &person(1), "10.00").to_string())
            .exit(3);
        assert!(refused.err.starts_with("JOURNAL_"), "{}", refused.err);
        assert_eq!(refused.out, "");
        assert!(
            fs::read(&file).unwrap() == bytes,
            "byte {at}: the journal was changed"
        );
    }
    fs::write(&file, &sound).unwrap();
    shop.run(&["journal", "verify"]).exit(0);
    shop.run(&["queue", "drain"]).exit(0);
}

#[test]
fn entries_cut_off_removed_or_swapped_are_found() {
    let shop = busy();
    let file = segment(&shop);
    let sound = fs::read(&file).unwrap();
    let starts = records(&sound);
    let last = starts[starts.len() - 1];
    let (a, b, c) = (starts[3], starts[4], starts[5]);
    let swapped = [&sound[..a], &sound[b..c], &sound[a..b], &sound[c..]].concat();
    let removed = [&sound[..a], &sound[b..]].concat();
    let repeated = [&sound[..b], &sound[a..b], &sound[b..]].concat();
    for (bytes, what) in [
        (sound[..last].to_vec(), "the last entry cut off"),
        (sound[..last + 30].to_vec(), "half of the last entry cut off"),
        (swapped, "two entries swapped"),
        (removed, "an entry removed"),
        (repeated, "an entry repeated"),
        (Vec::new(), "everything"),
    ] {
        fs::write(&file, &bytes).unwrap();
        let told = shop.run(&["journal", "verify"]).exit(3);
        assert!(told.err.starts_with("JOURNAL_"), "{what}: {}", told.err);
        shop.try_sell(&[], "").exit(3);
        assert!(
            fs::read(&file).unwrap() == bytes,
            "{what}: the journal was changed"
        );
    }
    fs::remove_file(&file).unwrap();
    shop.run(&["journal", "verify"]).exit(3);
    shop.try_sell(&[], "").exit(3);
    fs::write(&file, &sound).unwrap();
    shop.run(&["journal", "verify"]).exit(0);
}

#[test]
fn a_torn_tail_is_cut_kept_and_told_and_no_sale_is_missing() {
    for lang in ["zh", "en"] {
        let shop = busy();
        let file = segment(&shop);
        let before = shop.journal();
        let sound = fs::read(&file).unwrap();
        // The beginning of a record, as a power cut leaves it.
        let torn = sound[*records(&sound).last().unwrap()..][..60].to_vec();
        OpenOptions::new()
            .append(true)
            .open(&file)
            .unwrap()
            .write_all(&torn)
            .unwrap();
        let told = shop.run(&["queue", "list", "--json", "--lang", lang]).exit(0);
        let error: Value = serde_json::from_str(&told.err).unwrap();
        assert_eq!(error["error"]["code"], "TORN_TAIL_CUT");
        let kept = PathBuf::from(error["error"]["detail"].as_str().unwrap());
        assert!(kept.starts_with(&shop.data) && fs::read(&kept).unwrap() == torn);
        assert_eq!(told.json().as_array().unwrap().len(), 1);
        assert!(fs::read(&file).unwrap() == sound);
        assert_eq!(shop.run(&["queue", "list"]).exit(0).err, "", "told once");
        assert_eq!(shop.journal(), before);
        shop.run(&["journal", "verify"]).exit(0);
        assert_eq!(
            shop.sell(&[], &[sale("after", &person(7), "100.00")])[0]["state"],
            "settled"
        );
    }
}

/// What the store is needed for still works, and nothing is sold twice.
fn works_as_before(shop: &Shop, before: &[Value], why: &str) {
    assert_eq!(shop.queue()[0]["sale"], "waits", "{why}");
    let sales: Vec<Value> = (1..=3)
        .map(|no| sale(&format!("s{no}"), &person(no), "100.00"))
        .collect();
    assert_eq!(shop.sell(&["--offline"], &sales), before, "{why}");
    assert_eq!(
        shop.sell(&[], &[sale("new", &person(8), "100.00")])[0]["state"],
        "settled",
        "{why}"
    );
    shop.run(&["queue", "drain"]).exit(0);
    assert_eq!(shop.agency.settled().len(), 5, "{why}");
    shop.run(&["journal", "verify"]).exit(0);
}

#[test]
fn a_damaged_or_missing_store_is_rebuilt_told_and_the_till_sells() {
    type Harm = fn(&Path);
    let harms: [(&str, Harm); 5] = [
        ("removed", |store| fs::remove_dir_all(store).unwrap()),
        ("emptied", |store| {
            files(store)
                .iter()
                .for_each(|file| fs::remove_file(file).unwrap());
        }),
        ("garbage in its file", |store| {
            fs::write(store.join("db"), "not a database".repeat(5000)).unwrap();
        }),
        ("bytes overwritten in its middle", |store| {
            let mut bytes = fs::read(store.join("db")).unwrap();
            let length = bytes.len();
            bytes[100..length / 2].fill(0x5A);
            fs::write(store.join("db"), bytes).unwrap();
        }),
        ("a file in its place", |store| {
            fs::remove_dir_all(store).unwrap();
            fs::write(store, "not a folder").unwrap();
        }),
    ];
    for (what, harm) in harms {
        let shop = busy();
        let sales: Vec<Value> = (1..=3)
            .map(|no| sale(&format!("s{no}"), &person(no), "100.00"))
            .collect();
        let before = shop.sell(&["--offline"], &sales);
        harm(&shop.data.join("store"));
        let first = shop.run(&["queue", "list"]).exit(0);
        assert!(first.err.starts_with("STORE_REBUILT: "), "{what}: {}", first.err);
        assert_eq!(shop.run(&["queue", "list"]).exit(0).err, "", "{what}: told once");
        works_as_before(&shop, &before, what);
    }
}

#[test]
fn an_older_store_catches_up_and_an_older_journal_is_refused() {
    let shop = busy();
    let sales: Vec<Value> = (1..=3)
        .map(|no| sale(&format!("s{no}"), &person(no), "100.00"))
        .collect();
    let copy = |from: &str, to: &str| {
        let (from, to) = (shop.data.join(from), shop.dir.path().join(to));
        let ran = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
        assert!(ran.success());
    };
    let back = |from: &str, to: &str| {
        let (from, to) = (shop.dir.path().join(from), shop.data.join(to));
        if to.is_dir() {
            fs::remove_dir_all(&to).unwrap();
        }
        let ran = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
        assert!(ran.success());
    };
    copy("store", "old-store");
    copy("journal", "old-journal");
    copy("journal.mark", "old-mark");
    shop.sell(&[], &[sale("later", &person(20), "100.00")]);
    let before = shop.sell(&["--offline"], &sales);
    back("old-store", "store");
    assert_eq!(
        shop.sell(&["--offline"], &[sale("later", &person(20), "100.00")])[0]["state"],
        "settled"
    );
    assert_eq!(shop.sell(&["--offline"], &sales), before);
    copy("journal", "new-journal");
    copy("journal.mark", "new-mark");
    // An older copy under the newer store, with and without its mark.
    for mark in ["new-mark", "old-mark"] {
        back("old-journal", "journal");
        back(mark, "journal.mark");
        let told = shop
            .try_sell(&[], &sale("x", &person(21), "1.00").to_string())
            .exit(3);
        assert!(
            ["JOURNAL_CUT_OFF: ", "JOURNAL_ROLLED_BACK: ", "JOURNAL_BROKEN: "]
                .iter()
                .any(|code| told.err.starts_with(code)),
            "{}",
            told.err
        );
    }
    back("new-journal", "journal");
    back("new-mark", "journal.mark");
    shop.run(&["queue", "drain"]).exit(0);
    shop.run(&["journal", "verify"]).exit(0);
}

#[test]
fn a_second_process_is_kept_out() {
    let shop = Shop::open();
    let mut seller = Seller::start(&shop, &[]);
    assert_eq!(seller.ask(&sale("a", &person(1), "100.00"))["state"], "settled");
    for args in [
        vec!["sell"],
        vec!["queue", "list"],
        vec!["queue", "drain"],
        vec!["journal", "list"],
        vec!["journal", "verify"],
        vec!["close"],
    ] {
        shop.run(&args).exit(3).says("DATA_DIR_IN_USE");
        let told = shop.run(&[&args[..], &["--json"]].concat()).exit(3);
        let json: Value = serde_json::from_str(&told.err).unwrap();
        assert_eq!(json["error"]["code"], "DATA_DIR_IN_USE");
    }
    assert_eq!(seller.ask(&sale("b", &person(2), "100.00"))["state"], "settled");
    // Killed, it leaves no lock behind.
    seller.process.kill();
    assert_eq!(shop.run(&["queue", "list", "--json"]).exit(0).json(), json!([]));
}

#[test]
fn an_export_names_who_took_it_and_overwrites_nothing() {
    let shop = busy();
    let dir = shop.dir.path();
    let rows = shop.journal();
    let (csv, as_json) = (dir.join("export.csv"), dir.join("export.json"));
    let export = |to: &Path| {
        shop.run(&[
            "journal",
            "export",
            "--operator",
            "007",
            "--to",
            to.to_str().unwrap(),
        ])
    };
    export(&csv).exit(0);
    export(&as_json).exit(0);
    for file in [&csv, &as_json] {
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        let before = fs::read(file).unwrap();
        export(file).exit(3).says("FILE_FAILED");
        assert!(fs::read(file).unwrap() == before);
    }
    export(&dir.join("nowhere/x.csv")).exit(3).says("FILE_FAILED");
    let after = shop.journal();
    let exports: Vec<&Value> = after.iter().filter(|row| row["kind"] == "exported").collect();
    assert_eq!(exports.len(), 2, "what failed is not booked as done");
    let shown = shop
        .run(&["journal", "show", &exports[0]["seq"].to_string()])
        .exit(0)
        .json();
    assert_eq!(shown["record"]["operator"], "007");
    assert_eq!(shown["record"]["to"], json!(csv.to_str().unwrap()));

    let text = fs::read_to_string(&csv).unwrap();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(
        lines[0],
        [
            "seq", "time", "kind", "sale", "msgid", "state", "operator", "hash"
        ]
    );
    assert_eq!(lines.len(), rows.len() + 2, "a header, and the export itself");
    for (line, row) in lines[1..].iter().zip(&after) {
        assert_eq!(line.len(), 8, "{line:?}");
        assert_eq!(line[0], row["seq"].to_string());
        for (cell, key) in [(1, "time"), (2, "kind"), (3, "sale"), (4, "msgid"), (5, "state")] {
            assert_eq!(line[cell], row[key].as_str().unwrap_or_default(), "{key}");
        }
        assert_eq!(line[7].len(), 64);
    }
    let last = &lines[lines.len() - 1];
    assert_eq!((last[2], last[6]), ("exported", "007"));

    let entries: Vec<Value> = serde_json::from_str(&fs::read_to_string(&as_json).unwrap()).unwrap();
    assert_eq!(entries.len(), rows.len() + 2);
    for (entry, row) in entries.iter().zip(&after) {
        for key in ["seq", "time", "kind", "sale", "msgid", "state"] {
            assert_eq!(entry[key], row[key], "{key} of {row}");
        }
        assert!(entry["record"].is_object());
    }
    let last = entries.last().unwrap();
    assert_eq!(
        (&last["kind"], &last["record"]["operator"]),
        (&json!("exported"), &json!("007"))
    );
    assert!(
        entries
            .iter()
            .any(|entry| entry["record"]["settlement"].is_null() && entry["kind"] == "settled")
    );
    shop.run(&["journal", "verify"]).exit(0);
}

/// Every text under a key that names a person, wherever it stands.
fn personal(value: &Value, found: &mut BTreeSet<String>) {
    const KEYS: [&str; 8] = [
        "psn_name", "certno", "card_no", "card_sn", "ec_token", "psn_no", "id_no", "emp_name",
    ];
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(text) if KEYS.contains(&key.as_str()) && !text.is_empty() => {
                        found.insert(text.clone());
                    }
                    _ => personal(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| personal(value, found)),
        _ => {}
    }
}

fn gb18030(text: &str) -> Vec<u8> {
    let mut iconv = Command::new("iconv")
        .args(["-f", "UTF-8", "-t", "GB18030"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("iconv (Debian package libc-bin): {e}"));
    iconv.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let told = iconv.wait_with_output().unwrap();
    assert!(told.status.success());
    told.stdout
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn nothing_personal_stands_in_clear_on_disk_or_in_what_commands_print() {
    // The demo's day: cards, codes and ID numbers of people with names, settled, provisional and printed.
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("demo");
    let demo = run_demo(&root);
    let data = root.join("till");
    let mut at_rest: Vec<(String, Vec<u8>)> = Vec::new();
    let read_all = |at_rest: &mut Vec<(String, Vec<u8>)>| {
        for file in files(&data) {
            at_rest.push((file.display().to_string(), fs::read(&file).unwrap()));
        }
    };
    read_all(&mut at_rest);
    let till = |args: &[&str]| {
        let mut command = yijie(args);
        command.arg("--data").arg(&data).env("RUST_LOG", "trace");
        finish(command, "")
    };
    let export = dir.path().join("export.json");
    till(&["journal", "export", "--to", export.to_str().unwrap()]).exit(0);
    let exported: Value = serde_json::from_str(&fs::read_to_string(&export).unwrap()).unwrap();
    let mut secrets = BTreeSet::new();
    personal(&exported, &mut secrets);
    let names = secrets.iter().filter(|text| !text.is_ascii()).count();
    assert!(
        secrets.len() >= 8 && names >= 1,
        "the demo's journal names people: {secrets:?}"
    );
    secrets.insert("246810".to_owned());

    let mut printed = vec![("demo".to_owned(), demo.out + &demo.err)];
    for args in [
        vec!["queue", "list"],
        vec!["queue", "list", "--json"],
        vec!["queue", "drain"],
        vec!["journal", "list"],
        vec!["journal", "list", "--json"],
        vec!["journal", "verify"],
        vec!["close"],
        vec!["reverse", "nobody"],
        vec!["queue", "show", "nobody"],
    ] {
        let told = till(&args);
        printed.push((args.join(" "), told.out + &told.err));
    }
    let listed = till(&["journal", "list", "--json"]).exit(0).json();
    let id = listed
        .as_array()
        .unwrap()
        .iter()
        .find_map(|row| row["sale"].as_str());
    let shown = till(&["queue", "show", id.unwrap()]).exit(0);
    printed.push(("queue show".to_owned(), shown.out + &shown.err));
    read_all(&mut at_rest);
    for secret in &secrets {
        let national = gb18030(secret);
        for (file, bytes) in &at_rest {
            assert!(!contains(bytes, secret.as_bytes()), "{secret} in {file}");
            assert!(!contains(bytes, &national), "{secret} in {file}, GB18030");
        }
        // The demo's own people and PIN are on its screen to be played with; numbers and codes are not.
        for (what, text) in &printed {
            let by_design = what == "demo" && (!secret.is_ascii() || secret == "246810");
            assert!(
                by_design || !text.contains(secret),
                "{secret} printed by {what}:\n{text}"
            );
        }
    }
}

fn run_demo(root: &Path) -> common::Ended {
    let mut command = yijie(["demo", "--headless", "--data"]);
    command.arg(root).env("RUST_LOG", "trace");
    finish(command, "").exit(0)
}

#[test]
fn credentials_of_a_client_program_stay_out_of_the_clear_too() {
    let mut shop = Shop::open();
    let secrets = [
        "ID53010219580302771X",
        "CARDNO9988776",
        "D15600000588776655443322110077AA",
        "TOKEN0000000000000000000000000000000077",
        "AGENTED530102199001017788",
    ];
    let credentials = [
        json!({"mdtrt_cert_type": "02", "certno": secrets[0]}),
        json!({"mdtrt_cert_type": "03", "card_no": secrets[1], "card_sn": secrets[2]}),
        json!({"mdtrt_cert_type": "01", "ec_token": secrets[3]}),
    ];
    let mut sales = Vec::new();
    for (no, credential) in credentials.into_iter().enumerate() {
        let mut order = sale(
            &format!("s{no}"),
            &person(600 + u32::try_from(no).unwrap()),
            "100.00",
        );
        order["credential"] = credential;
        sales.push(order);
    }
    // Something wrong with a secret in it: the answer and the log name the field, not the value.
    let mut wrong = sale("wrong", &person(700), "100.00");
    wrong["person"]["brdy"] = json!(secrets[4]);
    sales.push(wrong);
    let mut wrong = sale("wrong-2", &person(701), "100.00");
    wrong["credential"] = json!({"type": secrets[4]});
    sales.push(wrong);
    let online = shop.try_sell(&[], &common::text(&sales)).exit(1);
    assert_eq!(
        online.lines()[..3]
            .iter()
            .map(|answer| answer["state"].clone())
            .collect::<Vec<_>>(),
        ["settled"; 3],
        "{}",
        online.out
    );
    shop.agency.stop();
    for order in &mut sales {
        order["sale"] = json!(format!("{}-offline", order["sale"].as_str().unwrap()));
    }
    let offline = shop.try_sell(&[], &common::text(&sales)).exit(1);
    let mut secrets: Vec<String> = secrets.iter().map(|text| (*text).to_owned()).collect();
    secrets.extend((600..603).chain(700..702).map(person));
    secrets.push(PIN.to_owned());
    for secret in secrets {
        for file in shop.files() {
            assert!(
                !contains(&fs::read(&file).unwrap(), secret.as_bytes()),
                "{secret} in {}",
                file.display()
            );
        }
        for told in [&online, &offline] {
            assert!(
                !told.out.contains(&secret) && !told.err.contains(&secret),
                "{secret} in {}\n{}",
                told.out,
                told.err
            );
        }
    }
}

#[test]
fn a_data_directory_that_cannot_be_written_is_told() {
    let shop = busy();
    let nobody = 65_534;
    let root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let all = |visit: &dyn Fn(&Path)| {
        let mut dirs = vec![shop.data.clone()];
        while let Some(dir) = dirs.pop() {
            visit(&dir);
            for entry in fs::read_dir(&dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    dirs.push(path);
                } else {
                    visit(&path);
                }
            }
        }
    };
    let mode = |write: u32| {
        move |path: &Path| {
            let bits = if path.is_dir() { 0o500 } else { 0o400 };
            fs::set_permissions(path, fs::Permissions::from_mode(bits | write)).unwrap();
        }
    };
    // Nothing is closed to root: it works as nobody, with a copy of the program that nobody can reach.
    let program = if root {
        fs::set_permissions(shop.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let copy = shop.dir.path().join("yijie");
        fs::copy(PROGRAM, &copy).unwrap();
        all(&|path| chown(path, Some(nobody), Some(nobody)).unwrap());
        copy
    } else {
        PathBuf::from(PROGRAM)
    };
    let run = |args: &[&str], stdin: &str| {
        let mut command = clean(Command::new(&program), args);
        command.arg("--data").arg(&shop.data);
        if root {
            command.uid(nobody).gid(nobody);
        }
        finish(command, stdin)
    };
    let order = sale("x", &person(30), "100.00").to_string();
    all(&mode(0));
    for args in [
        vec!["sell"],
        vec!["queue", "drain"],
        vec!["journal", "list"],
        vec!["close"],
    ] {
        run(&args, &order).exit(3).says("DATA_DIR_NOT_WRITABLE");
    }
    all(&mode(0o200));
    let sold = run(&["sell"], &order).exit(0).lines();
    assert_eq!(sold[0]["state"], "settled");
    // Only the journal's folder is closed.
    fs::set_permissions(shop.data.join("journal"), fs::Permissions::from_mode(0o500)).unwrap();
    fs::set_permissions(segment(&shop), fs::Permissions::from_mode(0o400)).unwrap();
    run(&["sell"], &order).exit(3).says("DATA_DIR_NOT_WRITABLE");
    fs::set_permissions(shop.data.join("journal"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(segment(&shop), fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(run(&["sell"], &order).exit(0).lines(), sold);
    run(&["journal", "verify"], "").exit(0);
}

#[test]
fn keys_that_are_missing_wrong_or_exposed_are_told_and_nothing_is_made_anew() {
    let shop = busy();
    let before = shop.journal();
    let key = shop.data.join("machine.key");
    let vault = shop.data.join("vault");
    let (key_bytes, vault_bytes) = (fs::read(&key).unwrap(), fs::read(&vault).unwrap());
    let refused = |code: &str| {
        for args in [vec!["sell"], vec!["journal", "list"], vec!["queue", "list"]] {
            shop.run(&args).exit(3).says(code);
        }
    };
    fs::remove_file(&key).unwrap();
    refused("VAULT_KEY_MISSING");
    assert!(!key.exists());
    fs::write(&key, &key_bytes).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    refused("VAULT_KEY_EXPOSED");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    fs::remove_file(&vault).unwrap();
    refused("VAULT_MISSING");
    assert!(!vault.exists());
    let other = busy();
    fs::copy(other.data.join("vault"), &vault).unwrap();
    refused("VAULT_WRONG_KEY");
    fs::write(&vault, &vault_bytes[..20]).unwrap();
    refused("VAULT_DAMAGED");
    fs::write(&vault, &vault_bytes).unwrap();
    assert_eq!(shop.journal(), before);
}
