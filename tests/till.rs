//! `yijie init`, operators, the day close, and ways to the agency that do not work; codes and advice on standard error.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong here fails the test"
)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use common::{Agency, OPERATOR, PIN, Shop, fault, files, finish, person, run, sale, yijie};
use serde_json::{Value, json};

fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let named = |file: &Path| file.strip_prefix(dir).unwrap().display().to_string();
    files(dir)
        .iter()
        .map(|file| (named(file), fs::read(file).unwrap()))
        .collect()
}

#[test]
fn a_data_directory_is_prepared_once_and_privately() {
    let shop = Shop::open();
    let open_to_others = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o077;
    assert_eq!(open_to_others(&shop.data), 0);
    // Files of the store follow the process's umask; the directory keeps others out.
    for file in shop
        .files()
        .iter()
        .filter(|file| !file.starts_with(shop.data.join("store")))
    {
        assert_eq!(open_to_others(file), 0, "{}", file.display());
    }
    let before = contents(&shop.data);
    shop.init(&[]).exit(1).says("DATA_ALREADY_PREPARED");
    assert_eq!(contents(&shop.data), before);
    let rows = shop.journal();
    assert_eq!(
        (&rows[0]["kind"], &rows[1]["kind"]),
        (&json!("opened"), &json!("operator"))
    );
}

#[test]
fn what_cannot_be_prepared_leaves_nothing_in_the_way() {
    let dir = tempfile::tempdir().unwrap();
    let agency = Agency::start(&dir.path().join("agency"), &["--any-person"]);
    let data = dir.path().join("till");
    let init = |url: &str, tls: &Path, pin: &str| {
        let mut command = yijie([
            "init",
            "--fixmedins",
            "P53010200002",
            "--operator",
            "7",
            "--pin-stdin",
        ]);
        command.args(["--agency", url]).arg("--tls").arg(tls);
        command.arg("--data").arg(&data);
        finish(command, pin)
    };
    for pin in ["", "12345\n", "1234567890123\n", "12345a\n"] {
        init(&agency.url, &agency.tls(), pin).exit(1).says("PIN_SHAPE");
    }
    for url in ["http://127.0.0.1:9", "gibberish", "https://"] {
        init(url, &agency.tls(), PIN).exit(3).says("AGENCY_URL_INVALID");
    }
    let elsewhere = dir.path().join("elsewhere");
    init(&agency.url, &elsewhere, PIN).exit(3).says("TLS_CA_MISSING");
    init(&agency.url, &agency.tls(), PIN).exit(0);
    for args in [vec!["queue", "list"], vec!["journal", "list"], vec!["sell"]] {
        let mut command = yijie(&args);
        command.arg("--data").arg(dir.path().join("nowhere"));
        finish(command, "").exit(1).says("DATA_NOT_PREPARED");
    }
    assert!(!dir.path().join("nowhere").exists(), "asking makes no directory");
}

#[test]
fn an_operator_signs_with_the_right_pin_or_not_at_all() {
    let shop = Shop::open();
    let pin = shop.dir.path().join("pin");
    let sell = |operator: &str, text: &str| {
        fs::write(&pin, text).unwrap();
        shop.try_sell(
            &["--operator", operator, "--pin-file", pin.to_str().unwrap()],
            &sale("a", &person(1), "100.00").to_string(),
        )
    };
    // From the third wrong PIN on the operator is locked out for a while.
    for wrong in ["246811", "\n"] {
        sell(OPERATOR, wrong).exit(2).says("PIN_NOT_RIGHT");
    }
    sell("009", PIN).exit(1).says("OPERATOR_UNKNOWN");
    shop.try_sell(&["--operator", OPERATOR], "")
        .exit(1)
        .says("PIN_FILE_MISSING");
    shop.try_sell(&["--operator", OPERATOR, "--pin-file", "/nowhere"], "")
        .exit(1)
        .says("PIN_FILE_MISSING");
    assert!(shop.agency.ledger().is_empty(), "nobody sold anything");
    let sold = sell(OPERATOR, &format!("{PIN}\n")).exit(0).lines();
    assert_eq!(sold[0]["state"], "settled");
    let entry = shop
        .journal()
        .into_iter()
        .find(|row| row["kind"] == "sale")
        .unwrap();
    let whole = shop
        .run(&["journal", "show", &entry["seq"].to_string()])
        .exit(0)
        .json();
    assert_eq!(whole["record"]["sale"]["operator"], OPERATOR);
    for wrong in ["", "2468100"] {
        sell(OPERATOR, wrong).exit(2).says("PIN_NOT_RIGHT");
    }
}

#[test]
fn the_day_is_closed_when_the_totals_agree() {
    let shop = Shop::open();
    shop.run(&["close", "--lang", "en"]).exit(0);

    shop.sell(
        &[],
        &[
            sale("a", &person(1), "200.00"),
            sale("b", &person(2), "50.00"),
            sale("c", &person(3), "70.00"),
        ],
    );
    shop.run(&["reverse", "c"]).exit(0);
    shop.sell(&["--offline"], &[sale("d", &person(4), "100.00")]);
    shop.run(&["close"]).exit(3).says("SALES_STILL_OPEN");
    shop.run(&["queue", "drain"]).exit(0);
    let totals = shop.run(&["close", "--json"]).exit(0).json();
    let totals = totals.as_array().unwrap();
    assert_eq!(totals.len(), 1);
    assert_eq!(totals[0]["count"], 3);
    assert_eq!(totals[0]["medfee"], "350.00");
    assert_eq!(totals[0]["balanced"], true);
    assert_eq!(shop.journal().last().unwrap()["kind"], "closed");
    // Another till of the institution: the agency holds more than this one knows.
    let second = shop.beside("till-1", &["--till", "1"]);
    second.sell(&[], &[sale("a", &person(9), "200.00")]);
    for lang in ["zh", "en"] {
        let words = shop.run(&["close", "--lang", lang]).exit(0).out;
        assert!(words.contains("350.00"), "{words}");
    }
    let totals = shop.run(&["close", "--json"]).exit(0).json();
    assert_eq!(totals[0]["count"], 3, "its own");
    assert_eq!(totals[0]["others"][0]["till"], 1);
    assert_eq!(totals[0]["others"][0]["medfee"], "200.00");
    shop.agency
        .misbehave(&fault("3201", "bad_gateway_after_commit", 9));
    shop.run(&["close"]).exit(3).says("AGENCY_HTTP_STATUS");
}

#[test]
fn a_way_to_the_agency_that_does_not_work_is_told_and_loses_nothing() {
    let mut shop = Shop::open();
    let order = sale("a", &person(1), "100.00");
    let input = order.to_string();
    let dir = shop.dir.path().join("tls");
    let tls = dir.to_str().unwrap();
    fs::create_dir(&dir).unwrap();
    let put = |name: &str, from: &Path| {
        fs::copy(from.join(name), dir.join(name)).unwrap();
    };
    // Files missing, one after the other; unreadable ones; an address that is none.
    for (name, code) in [
        ("ca.pem", "TLS_CA_MISSING"),
        ("client.pem", "TLS_CERT_MISSING"),
        ("client.key", "TLS_KEY_MISSING"),
    ] {
        shop.try_sell(&["--tls", tls], &input).exit(3).says(code);
        shop.run(&["queue", "drain", "--tls", tls]).exit(3).says(code);
        put(name, &shop.agency.tls());
    }
    for name in ["ca.pem", "client.pem", "client.key"] {
        fs::write(dir.join(name), "no certificate").unwrap();
        shop.try_sell(&["--tls", tls], &input)
            .exit(3)
            .says("TLS_FILES_UNREADABLE");
        put(name, &shop.agency.tls());
    }
    for url in ["http://127.0.0.1:1", "127.0.0.1:1", "https://", "ftp://x"] {
        shop.try_sell(&["--agency", url], &input)
            .exit(3)
            .says("AGENCY_URL_INVALID");
    }
    assert!(shop.agency.ledger().is_empty());
    assert!(shop.journal().iter().all(|row| row["sale"].is_null()));

    // Another authority than the agency's: nothing was sent, so the sale waits.
    let other = Agency::start(&shop.dir.path().join("other"), &["--any-person"]);
    put("ca.pem", &other.tls());
    let waits = &shop.try_sell(&["--tls", tls], &input).exit(0).lines()[0];
    assert_eq!(waits["state"], "committed", "{waits}");
    let code = waits["code"].as_str().unwrap();
    assert!(code.starts_with("AGENCY_") || code.starts_with("TLS_"), "{waits}");
    assert_eq!(waits["offline"]["reason"], code);
    shop.run(&["queue", "drain", "--tls", tls]).exit(3).says(code);

    // The right authority and a certificate of another: the agency does not let the terminal in.
    put("ca.pem", &shop.agency.tls());
    put("client.pem", &other.tls());
    put("client.key", &other.tls());
    let unknown = shop.sell(&["--tls", tls], &[sale("b", &person(2), "100.00")]);
    assert!(
        ["unknown", "committed"].contains(&unknown[0]["state"].as_str().unwrap()),
        "{}",
        unknown[0]
    );
    let told = shop.run(&["queue", "drain", "--tls", tls, "--json"]).exit(3);
    let error: Value = serde_json::from_str(&told.err).unwrap();
    for part in ["code", "text", "advice"] {
        assert_ne!(error["error"][part], "", "{error}");
    }
    assert_eq!(told.json()["left"], 2, "the summary comes all the same");

    // Nobody there, and a stranger who does not speak TLS.
    let nobody = shop
        .run(&["queue", "drain", "--agency", "https://127.0.0.1:1"])
        .exit(3);
    nobody.says("AGENCY_UNREACHABLE");
    let address = shop.agency.url.clone();
    shop.agency.stop();
    shop.run(&["queue", "drain"]).exit(3).says("AGENCY_UNREACHABLE");
    shop.run(&["close"]).exit(3).says("SALES_STILL_OPEN");
    shop.agency.come_back();
    assert_eq!(shop.agency.url, address);
    assert!(shop.agency.ledger().is_empty());
    shop.run(&["queue", "drain"]).exit(0);
    assert_eq!(shop.agency.settled().len(), 2);
    shop.run(&["journal", "verify"]).exit(0);
}

#[test]
fn errors_are_json_where_json_is_asked_for_and_speak_the_language_asked_for() {
    let shop = Shop::open();
    for (args, code) in [
        (vec!["queue", "show", "x"], "SALE_NOT_FOUND"),
        (vec!["reverse", "x"], "SALE_NOT_FOUND"),
        (vec!["journal", "show", "999"], "ENTRY_NOT_FOUND"),
        (vec!["sell", "--agency", "http://x"], "AGENCY_URL_INVALID"),
        (
            vec![
                "init",
                "--agency",
                "https://x",
                "--tls",
                "/",
                "--fixmedins",
                "H1",
                "--operator",
                "1",
                "--pin-stdin",
            ],
            "PIN_SHAPE",
        ),
    ] {
        let told = shop.run(&[&args[..], &["--json"]].concat());
        assert!(matches!(told.code, Some(1 | 3)));
        let json: Value = serde_json::from_str(&told.err).unwrap_or_else(|e| panic!("{e}: {}", told.err));
        assert_eq!(json["error"]["code"], code);
        let zh = shop.run(&[&args[..], &["--lang", "zh"]].concat());
        let en = shop.run(&[&args[..], &["--lang", "en"]].concat());
        zh.says(code);
        en.says(code);
        let chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        assert!(chinese(&zh.err) && !chinese(&en.err), "{}\n{}", zh.err, en.err);
    }
    // The sandbox too.
    let taken = shop.agency.url.strip_prefix("https://").unwrap();
    let other = shop.dir.path().join("second");
    let other = other.to_str().unwrap();
    run(["agency", "sandbox", "--listen", taken, "--data", other], "")
        .exit(3)
        .says("SANDBOX_ADDRESS_IN_USE");
    run(
        ["agency", "sandbox", "--data", shop.agency.data.to_str().unwrap()],
        "",
    )
    .exit(3)
    .says("LEDGER_IN_USE");
    let file = shop.dir.path().join("broken");
    fs::write(&file, "[{]").unwrap();
    let broken = file.to_str().unwrap();
    run(["agency", "sandbox", "--data", other, "--faults", broken], "")
        .exit(3)
        .says("FAULTS_FILE_MALFORMED");
    run(["agency", "sandbox", "--data", other, "--persons", broken], "")
        .exit(3)
        .says("PERSONS_FILE_MALFORMED");
    run(["agency", "sandbox", "--data", other, "--profile", "mars"], "").exit(1);
}

#[test]
fn wrong_usage_is_exit_code_one_with_a_code_and_help_is_zero() {
    for args in [
        vec!["split", "--colour"],
        vec!["frobnicate"],
        vec!["scan"],
        vec!["split", "--packs"],
        vec!["card", "emulate"],
        vec!["reconcile", "--date", "yesterday"],
    ] {
        run(&args, "").exit(1).says("USAGE");
        let told = run([&["--json"], &args[..]].concat(), "").exit(1);
        let json: Value = serde_json::from_str(&told.err).unwrap();
        assert_eq!(json["error"]["code"], "USAGE", "{args:?}");
    }
    for args in [vec!["--help"], vec!["split", "--help"], vec!["--version"]] {
        let told = run(&args, "").exit(0);
        assert!(told.out.contains("yijie") && told.err.is_empty());
    }
}
