//! The books as they are asked for: listed, exported for an inspector, held by one process, nothing personal in clear.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong here fails the test"
)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{INSTITUTION, PIN, Seller, Shop, files, finish, person, sale, yijie};
use serde_json::{Value, json};
use yijie::books::Books;
use yijie::record::{Agent, Record};

#[test]
fn the_list_has_one_row_an_entry_in_a_stable_shape() {
    let shop = Shop::busy();
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
fn message_ids_go_on_after_the_greatest_ever_used() {
    let shop = Shop::busy();
    let listed = shop.journal();
    let record_of = |kind: &str, id: &str| {
        let row = listed.iter().find(|row| row["kind"] == kind && row["sale"] == id);
        let seq = row.unwrap()["seq"].to_string();
        shop.run(&["journal", "show", &seq]).exit(0).json()["record"].clone()
    };
    let books = || Books::open(&shop.data, INSTITUTION, 0).unwrap().0;
    let append = |books: &Books, record: Value| {
        let record: Record = serde_json::from_value(record).unwrap();
        books.append(&record, 1_900_000_000_000).unwrap();
    };
    // Sold while the clock was ahead; then it was set right, and an older sale was worked on.
    let second_of = |books: &Books| books.next_msgid()[INSTITUTION.len()..][..14].to_owned();
    let ahead = format!("{INSTITUTION}209912312359000007");
    let mut young = record_of("sale", "s2");
    young["sale"]["id"] = json!("young");
    young["sale"]["msgid"] = json!(ahead);
    let older = ["s1", "s3"].map(|id| record_of("settled", id));
    let opened = books();
    append(&opened, young);
    append(&opened, older[0].clone());
    drop(opened);
    let reopened = books();
    assert_eq!(second_of(&reopened), "20991231235901");
    // A reversal's id counts as well.
    let reversal = format!("{INSTITUTION}209912312359300100");
    append(
        &reopened,
        json!({"record": "reversing", "sale": "s1", "msgid": reversal, "operator": "001", "over": false}),
    );
    append(&reopened, older[1].clone());
    drop(reopened);
    assert_eq!(second_of(&books()), "20991231235931");
    // What was drawn since stands in no journal, and is not drawn again.
    assert_eq!(second_of(&books()), "20991231235933");
    // And where only the journal is left, and the store is built anew from it.
    fs::remove_dir_all(shop.data.join("store")).unwrap();
    fs::remove_file(shop.data.join("msgid.mark")).unwrap();
    assert_eq!(second_of(&books()), "20991231235931");
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
    let shop = Shop::busy();
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
            "hash"
        ]
    );
    assert_eq!(lines.len(), rows.len() + 2, "a header, and the export itself");
    for (line, row) in lines[1..].iter().zip(&after) {
        assert_eq!(line.len(), 13, "{line:?}");
        assert_eq!(line[0], row["seq"].to_string());
        for (cell, key) in [(1, "time"), (2, "kind"), (3, "sale"), (4, "msgid"), (5, "state")] {
            assert_eq!(line[cell], row[key].as_str().unwrap_or_default(), "{key}");
        }
        assert_eq!(line[12].len(), 64);
        let bill = if ["sale", "settled"].contains(&line[2]) {
            "100.00"
        } else {
            ""
        };
        assert_eq!(line[8], bill, "{line:?}");
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
fn what_waits_for_paper_or_is_printed_leaves_nothing_personal_in_clear() {
    let shop = Shop::open();
    // Printed into the data directory itself, as a file and as PDFs.
    let paper = shop.data.join("receipts").display().to_string();
    let pdf = shop.data.join("receipt.pdf").display().to_string();
    let statement = shop.data.join("statement.pdf").display().to_string();
    let (name, agent) = ("欧阳翠湖", "司马官渡");
    let numbers = ["530102199001017788", "CARDNO9988776"];
    let mut order = sale("a", &person(801), "100.00");
    order["credential"] = json!({"mdtrt_cert_type": "03", "card_no": numbers[1], "card_sn": "D15600000588776655443322110077AA"});
    shop.sell(&[], &[order]);
    {
        let (books, _) = Books::open(&shop.data, INSTITUTION, 0).unwrap();
        let row = books.sale("a").unwrap().unwrap();
        let mut sold = (*row.sale).clone();
        // As the window books it: with names, and an agent.
        sold.id = "b".to_owned();
        sold.msgid = books.next_msgid();
        sold.psn_name = Some(name.to_owned());
        sold.agent = Some(Agent {
            name: agent.to_owned(),
            id_no: numbers[0].to_owned(),
            relation: "child".to_owned(),
            authorisation: None,
        });
        let (sale, sending) = (Box::new(sold), false);
        books
            .append(&Record::Sale { sale, sending }, 1_900_000_000_000)
            .unwrap();
        let sale = "b".to_owned();
        books
            .append(&Record::PrintWanted { sale }, 1_900_000_000_000)
            .unwrap();
    }
    let gone = ["receipt", "b", "--escpos", "tcp://127.0.0.1:1"];
    let told = [
        shop.run(&gone).exit(3),
        shop.run(&[
            "receipt",
            "b",
            "--escpos",
            &paper,
            "--pdf",
            &pdf,
            "--statement",
            &statement,
        ])
        .exit(0),
        shop.run(&["journal", "list"]),
        shop.run(&["queue", "show", "b"]),
    ];
    let in_pdf = |file: &str| {
        let read = Command::new("pdftotext").args([file, "-"]).output();
        let read = read.unwrap_or_else(|e| panic!("pdftotext (Debian package poppler-utils): {e}"));
        String::from_utf8(read.stdout).unwrap()
    };
    let mut clear: Vec<(String, Vec<u8>)> = shop
        .files()
        .iter()
        .map(|file| (file.display().to_string(), fs::read(file).unwrap()))
        .collect();
    clear.extend([&pdf, &statement].map(|file| (format!("text of {file}"), in_pdf(file).into_bytes())));
    clear.extend(told.iter().map(|told| {
        (
            "output".to_owned(),
            format!("{}{}", told.out, told.err).into_bytes(),
        )
    }));
    let masked = clear.iter().find(|(what, _)| *what == format!("text of {pdf}"));
    assert!(
        contains(&masked.unwrap().1, "欧***".as_bytes()),
        "the name stands there, masked"
    );
    for secret in [name, agent].into_iter().chain(numbers) {
        for (what, bytes) in &clear {
            for written in [secret.as_bytes().to_vec(), gb18030(secret)] {
                assert!(!contains(bytes, &written), "{secret} in {what}");
            }
        }
    }
}

#[test]
fn a_sandbox_agency_keeps_its_books_out_of_a_tills_directory() {
    let shop = Shop::open();
    for place in [shop.data.clone(), shop.data.join("agency"), shop.data.join("a/b")] {
        let place = place.display().to_string();
        let told = finish(yijie(["agency", "sandbox", "--lang", "en", "--data", &place]), "");
        told.exit(1).says("AGENCY_IN_TILL");
    }
    assert!(!shop.data.join("agency").exists() && !shop.data.join("a").exists());
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
fn a_running_till_leaves_no_core_and_its_files_are_its_owners_alone() {
    let shop = Shop::open();
    let mut seller = Seller::start(&shop, &[]);
    assert_eq!(seller.ask(&sale("a", &person(1), "100.00"))["state"], "settled");
    let limits = fs::read_to_string(format!("/proc/{}/limits", seller.process.0.id())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(
        core.split_whitespace().filter(|word| *word == "0").count(),
        2,
        "{core}"
    );
    seller.finish().exit(0);
    for file in shop.files() {
        let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o077;
        assert_eq!(mode, 0, "{}", file.display());
    }
}
