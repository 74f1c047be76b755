//! `yijie init`, `sell`, `queue`, `reverse` and `close` against a sandbox agency over real TLS.

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

use common::{Agency, OPERATOR, PIN, Seller, Shop, fault, files, finish, person, run, sale, text, yijie};
use serde_json::{Value, json};

/// More questions than any pause of the terminal outlasts.
const QUESTIONS_MAX: u32 = 400;

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
fn a_sale_is_settled_and_the_same_id_again_gives_the_same_line() {
    let shop = Shop::open();
    let first = sale("till-1/000001", &person(1), "200.00");
    let told = shop.try_sell(&[], &text(std::slice::from_ref(&first))).exit(0);
    assert_eq!(told.err, "");
    let answer = &told.lines()[0];
    assert_eq!(answer["sale"], "till-1/000001");
    assert_eq!(answer["state"], "settled");
    // (200.00 − 60.00) × 60 % = 84.00, the rest from the account.
    for (field, amount) in [
        ("medfee_sumamt", "200.00"),
        ("act_pay_dedc", "60.00"),
        ("hifp_pay", "84.00"),
        ("fund_pay_sumamt", "84.00"),
        ("acct_pay", "116.00"),
        ("psn_cash_pay", "0.00"),
        ("balc", "884.00"),
    ] {
        assert_eq!(answer["setlinfo"][field], amount, "{field}");
    }
    let ledger = shop.agency.ledger();
    assert_eq!(ledger.len(), 1);
    for (row, told) in [
        ("msgid", &answer["msgid"]),
        ("setl_id", &answer["setl_id"]),
        ("medfee_sumamt", &answer["setlinfo"]["medfee_sumamt"]),
        ("fund_pay_sumamt", &answer["setlinfo"]["fund_pay_sumamt"]),
        ("acct_pay", &answer["setlinfo"]["acct_pay"]),
        ("psn_no", &json!(person(1))),
        ("state", &json!("settled")),
    ] {
        assert_eq!(&ledger[0][row], told, "{row}");
    }
    let journal = shop.journal();
    // In the same run, in another run, offline, and with another claim under the same id.
    let other = sale("till-1/000001", &person(2), "999.00");
    let again = shop
        .try_sell(&[], &text(&[first.clone(), first.clone(), other]))
        .exit(0);
    assert_eq!(again.out, told.out.repeat(3));
    let offline = shop.try_sell(&["--offline"], &text(&[first])).exit(0);
    assert_eq!(offline.out, told.out);
    assert_eq!(shop.agency.ledger(), ledger);
    assert_eq!(shop.journal(), journal, "asking again writes nothing");
}

#[test]
fn an_input_line_that_is_no_sale_gets_its_answer_and_the_others_theirs() {
    let shop = Shop::open();
    let mut unknown = sale("c", &person(3), "10.00");
    unknown["person"]["colour"] = json!("red");
    let mut refused = sale("d", &person(4), "100.00");
    refused["lines"][0]["pric"] = json!("100.00");
    refused["lines"][0]["cnt"] = json!("1");
    refused["lines"][0]["cash_pric"] = json!("99.00");
    let mut nameless = sale("e", &person(5), "10.00");
    nameless.as_object_mut().unwrap().remove("sale");
    let input = [
        sale("a", &person(1), "100.00").to_string(),
        "{\"sale\": \"b\", ".to_owned(),
        unknown.to_string(),
        refused.to_string(),
        nameless.to_string(),
        sale(&"x".repeat(65), &person(6), "10.00").to_string(),
        sale("a\u{1}", &person(6), "10.00").to_string(),
        "null".to_owned(),
        String::new(),
        sale("z", &person(7), "100.00").to_string(),
    ];
    let answers = shop.try_sell(&[], &input.join("\n")).exit(1).lines();
    let got: Vec<(&str, &str)> = answers
        .iter()
        .map(|row| {
            (
                row["state"].as_str().unwrap(),
                row["code"].as_str().unwrap_or_default(),
            )
        })
        .collect();
    assert_eq!(
        got,
        [
            ("settled", ""),
            ("refused", "CLAIM_NOT_JSON"),
            ("refused", "CLAIM_FIELD"),
            ("refused", "PRICE_ABOVE_CASH"),
            ("refused", "SALE_ID_MISSING"),
            ("refused", "SALE_ID_TOO_LONG"),
            ("refused", "SALE_ID_TOO_LONG"),
            ("refused", "CLAIM_NOT_JSON"),
            ("settled", ""),
        ]
    );
    assert!(answers[2]["says"].as_str().unwrap().contains("person.colour"));
    assert_eq!(
        (&answers[2]["sale"], &answers[1]["sale"]),
        (&json!("c"), &json!(null))
    );
    assert_eq!(answers[3]["article"], "昆明市人民政府令第161号 第二十九条（四）");
    assert_eq!(shop.agency.ledger().len(), 2);
    // A refusal by rule is kept: the same id is refused again even with a better claim; a line never read is not.
    let mut better = sale("d", &person(4), "100.00");
    better["lines"][0]["name"] = json!("改过");
    let again = shop.sell(&[], &[refused, better, sale("c", &person(3), "10.00")]);
    assert_eq!(again[0], answers[3]);
    assert_eq!(again[1], answers[3]);
    assert_eq!(again[2]["state"], "settled");
}

#[test]
fn offline_sales_wait_and_are_settled_in_order() {
    let shop = Shop::open();
    let sales: Vec<Value> = (1..=4)
        .map(|no| sale(&format!("s{no}"), &person(no % 2), &format!("{no}00.00")))
        .collect();
    let answers = shop.sell(&["--offline"], &sales);
    for answer in &answers {
        assert_eq!(answer["state"], "committed");
        assert_eq!(answer["offline"]["reason"], "OFFLINE_ASKED");
        assert!(answer["offline"]["settle_by"].is_string());
        assert!(answer.get("setl_id").is_none());
    }
    assert!(shop.agency.ledger().is_empty());
    let queue = shop.queue();
    let ids = |rows: &[Value], key: &str| -> Vec<String> {
        let texts = rows.iter().map(|row| row[key].as_str().unwrap().to_owned());
        texts.collect()
    };
    assert_eq!(ids(&queue, "sale"), ["s1", "s2", "s3", "s4"]);
    for (row, answer) in queue.iter().zip(&answers) {
        assert_eq!(row["state"], "committed");
        assert_eq!(row["msgid"], answer["msgid"]);
        assert_eq!(row["medfee_sumamt"], answer["setlinfo"]["medfee_sumamt"]);
        assert_eq!(row["settle_by"], answer["offline"]["settle_by"]);
    }
    for lang in ["zh", "en"] {
        let words = shop.run(&["queue", "list", "--lang", lang]).exit(0).out;
        assert_eq!(words.lines().count(), 4, "{words}");
    }
    let drained = shop.run(&["queue", "drain", "--json"]).exit(0).json();
    assert_eq!(drained, json!({"finished": 4, "left": 0}));
    assert_eq!(shop.queue(), Vec::<Value>::new());
    let ledger = shop.agency.settled();
    assert_eq!(
        ids(&ledger, "msgid"),
        ids(&answers, "msgid"),
        "in the order they were made"
    );
    assert_eq!(
        ids(&ledger, "medfee_sumamt"),
        ["100.00", "200.00", "300.00", "400.00"]
    );
    assert_eq!(
        shop.run(&["queue", "drain", "--json"]).exit(0).json(),
        json!({"finished": 0, "left": 0})
    );
    // The sale is now told as settled, once.
    let after = shop.sell(&[], &sales);
    assert!(after.iter().all(|answer| answer["state"] == "settled"));
    assert_eq!(shop.agency.ledger().len(), 4);
}

#[test]
fn the_agency_goes_away_in_the_middle_of_a_run_and_comes_back() {
    let mut shop = Shop::open();
    let mut seller = Seller::start(&shop, &[]);
    assert_eq!(
        seller.ask(&sale("before", &person(1), "100.00"))["state"],
        "settled"
    );
    shop.agency.stop();
    let first = seller.ask(&sale("gone-1", &person(1), "100.00"));
    // The open connection broke under the request, or a new one was refused: either way nothing is lost.
    assert!(
        ["committed", "unknown"].contains(&first["state"].as_str().unwrap()),
        "{first}"
    );
    assert!(first["code"].as_str().unwrap().starts_with("AGENCY_"), "{first}");
    assert_ne!(first["says"], "");
    let second = seller.ask(&sale("gone-2", &person(2), "100.00"));
    assert_eq!(second["state"], "committed", "{second}");
    assert!(
        second["offline"]["reason"]
            .as_str()
            .unwrap()
            .starts_with("AGENCY_"),
        "{second}"
    );
    shop.agency.come_back();
    let mut no = 0;
    let back = loop {
        no += 1;
        let answer = seller.ask(&sale(&format!("back-{no}"), &person(1000 + no), "61.00"));
        if answer["state"] == "settled" {
            break answer;
        }
        assert!(no < QUESTIONS_MAX, "{answer}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    assert!(back.get("offline").is_none());
    seller.finish().exit(0);
    shop.run(&["queue", "drain"]).exit(0);
    let settled = shop.agency.settled();
    assert_eq!(settled.len(), usize::try_from(3 + no).unwrap());
    for id in ["gone-1", "gone-2"] {
        let shown = shop.run(&["queue", "show", id, "--json"]).exit(0).json();
        assert_eq!(shown["state"], "settled");
        assert!(settled.iter().any(|row| row["msgid"] == shown["msgid"]));
    }
    shop.run(&["journal", "verify"]).exit(0);
}

#[test]
fn beyond_the_offline_limits_a_sale_is_refused_with_the_limit_and_stays_so() {
    let mut shop = Shop::open();
    shop.agency.stop();
    let mut poor = sale("account", &person(3), "200.00");
    poor["accounts"]["own"]["balc"] = json!("100.00");
    let mut large: Vec<Value> = (1..=4)
        .map(|no| sale(&format!("person-{no}"), &person(2), "1700.00"))
        .collect();
    // (1700.00 − 60.00) × 60 % = 984.00: three of them stay below 3000.00.
    let mut sales = vec![sale("sale", &person(1), "2000.00"), poor];
    sales.append(&mut large);
    let answers = shop.sell(&[], &sales);
    let told = |answer: &Value| -> (String, String, String) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (
            text(&answer["state"]),
            text(&answer["code"]),
            text(&answer["detail"]),
        )
    };
    let refused = |code: &str, limit: &str| ("refused".to_owned(), code.to_owned(), limit.to_owned());
    assert_eq!(told(&answers[0]), refused("OFFLINE_LIMIT_SALE", "1000.00"));
    assert_eq!(told(&answers[1]), refused("OFFLINE_LIMIT_ACCOUNT", "0.80"));
    for answer in &answers[2..5] {
        assert_eq!(answer["state"], "committed", "{answer}");
    }
    assert_eq!(told(&answers[5]), refused("OFFLINE_LIMIT_PERSON", "3000.00"));
    for answer in [&answers[0], &answers[1], &answers[5]] {
        assert_eq!(answer["outcome"], "refused");
        assert_ne!(answer["says"], "");
        assert_ne!(answer["advice"], "");
    }
    assert_eq!(shop.queue().len(), 3);
    // The same with the outage known beforehand, in another run: limits count what waits.
    let later = shop.sell(&["--offline"], &[sale("person-5", &person(2), "1700.00")]);
    assert_eq!(told(&later[0]), refused("OFFLINE_LIMIT_PERSON", "3000.00"));
    // The client was told to take cash: the same id is never settled afterwards.
    shop.agency.come_back();
    shop.run(&["queue", "drain"]).exit(0);
    let again = shop.sell(&[], &sales);
    for no in [0, 1, 5] {
        assert_eq!(again[no], answers[no]);
    }
    assert_eq!(shop.sell(&[], &[sale("person-5", &person(2), "1700.00")]), later);
    assert_eq!(shop.agency.ledger().len(), 3);
    // What waited is settled and counts no more.
    let new = shop.sell(&["--offline"], &[sale("person-6", &person(2), "1700.00")]);
    assert_eq!(new[0]["state"], "committed");
}

#[test]
fn a_stale_claim_ends_in_a_difference_that_is_told() {
    let shop = Shop::open();
    let with_balance = |id: &str, balc: &str| {
        let mut sale = sale(id, &person(1), "200.00");
        sale["accounts"]["own"]["balc"] = json!(balc);
        sale
    };
    let first = &shop.sell(&[], &[with_balance("first", "150.00")])[0];
    assert!(first.get("difference").is_none(), "{first}");
    assert_eq!(first["setlinfo"]["balc"], "34.00");
    // 116.00 was left to pay and 150.00 stated; the agency knows of 34.00.
    let stale = &shop.sell(&[], &[with_balance("stale", "150.00")])[0];
    assert_eq!(stale["state"], "settled");
    assert_eq!(
        stale["difference"],
        json!({"fund": "0.00", "account": "-82.00", "cash": "82.00"})
    );
    let row = &shop.agency.ledger()[1];
    for (stands, told) in [
        ("acct_pay", "34.00"),
        ("psn_cash_pay", "82.00"),
        ("fund_pay_sumamt", "84.00"),
    ] {
        assert_eq!(row[stands], told);
        assert_eq!(stale["setlinfo"][stands], told, "the agency's figures stand");
    }
    let shown = shop.run(&["queue", "show", "stale", "--json"]).exit(0).json();
    assert_eq!(&shown, stale);
}

#[test]
fn one_sale_is_shown_by_id_and_message_id_and_undone_once() {
    let shop = Shop::open();
    let sales = [sale("a", &person(1), "100.00"), sale("b", &person(1), "100.00")];
    let answers = shop.sell(&[], &sales);
    let msgid = answers[0]["msgid"].as_str().unwrap();
    let by_id = shop.run(&["queue", "show", "a", "--json"]).exit(0).json();
    let by_msgid = shop.run(&["queue", "show", msgid, "--json"]).exit(0).json();
    assert_eq!(by_id, answers[0]);
    assert_eq!(by_msgid, answers[0]);
    let words = shop.run(&["queue", "show", "a"]).exit(0).out;
    assert!(words.contains("settled") && words.contains("100.00"), "{words}");
    for action in ["show", "resolve"] {
        shop.run(&["queue", action, "nobody"])
            .exit(1)
            .says("SALE_NOT_FOUND");
    }
    shop.run(&["reverse", "nobody"]).exit(1).says("SALE_NOT_FOUND");

    let undone = shop.run(&["reverse", "a", "--json"]).exit(0).json();
    assert_eq!(undone["state"], "reversed");
    let states: Vec<Value> = shop
        .agency
        .ledger()
        .iter()
        .map(|row| row["state"].clone())
        .collect();
    assert_eq!(states, ["reversed", "settled"]);
    assert_eq!(shop.run(&["reverse", msgid, "--json"]).exit(0).json(), undone);
    assert_eq!(
        shop.sell(&[], &sales[..1])[0]["state"],
        "reversed",
        "never sold anew"
    );
    assert_eq!(shop.agency.ledger().len(), 2);

    shop.sell(&["--offline"], &[sale("c", &person(2), "100.00")]);
    shop.run(&["reverse", "c"]).exit(1).says("SALE_NOT_SETTLED");
    let resolved = shop.run(&["queue", "resolve", "c", "--json"]).exit(0).json();
    assert_eq!(resolved["state"], "settled");
}

#[test]
fn a_reversal_without_answer_is_finished_later() {
    let shop = Shop::open();
    shop.sell(&[], &[sale("a", &person(1), "100.00")]);
    shop.agency
        .misbehave(&fault("2103", "bad_gateway_after_commit", 1));
    shop.run(&["reverse", "a"]).exit(3).says("AGENCY_HTTP_STATUS");
    assert_eq!(shop.queue()[0]["state"], "reversing");
    shop.run(&["queue", "drain"]).exit(0);
    assert_eq!(
        shop.run(&["queue", "show", "a", "--json"]).exit(0).json()["state"],
        "reversed"
    );
    assert_eq!(shop.agency.settled().len(), 0);
}

#[test]
fn every_way_an_answer_can_fail_ends_with_one_settlement() {
    let shop = Shop::open();
    for (no, (what, code)) in [
        ("lose_request", "AGENCY_TIMEOUT"),
        ("lose_reply_after_commit", "AGENCY_TIMEOUT"),
        ("late_ms", "AGENCY_TIMEOUT"),
        ("bad_gateway_after_commit", "AGENCY_HTTP_STATUS"),
        ("html", "AGENCY_BODY_UNREADABLE"),
        ("half_body", "AGENCY_BODY_UNREADABLE"),
        ("close", "AGENCY_RESET"),
    ]
    .into_iter()
    .enumerate()
    {
        shop.agency.misbehave(&fault("2102", what, 1));
        let order = sale(what, &person(u32::try_from(no).unwrap()), "100.00");
        let answer = &shop.sell(&[], std::slice::from_ref(&order))[0];
        assert_eq!(
            (&answer["state"], &answer["code"]),
            (&json!("unknown"), &json!(code)),
            "{what}: {answer}"
        );
        assert_ne!(answer["advice"], "");
        assert_eq!(shop.queue()[0]["state"], "unknown");
        let again = &shop.sell(&[], &[order])[0];
        assert_eq!(again["state"], "settled", "{what}: {again}");
        let settled = shop.agency.settled();
        assert_eq!(settled.len(), no + 1, "{what}");
        assert_eq!(settled[no]["msgid"], again["msgid"], "{what}");
    }
    shop.agency.misbehave(&fault("2102", "twice", 1));
    let twice = &shop.sell(&[], &[sale("twice", &person(99), "100.00")])[0];
    assert_eq!(twice["state"], "settled");
    assert_eq!(shop.agency.settled().len(), 8);
}

#[test]
fn the_day_is_closed_when_the_totals_agree() {
    let shop = Shop::open();
    shop.run(&["close", "--lang", "en"]).exit(0);
    let mut pharmacy = sale("b", &person(2), "50.00");
    pharmacy["visit"]["med_type"] = json!("11");
    shop.sell(
        &[],
        &[
            sale("a", &person(1), "200.00"),
            pharmacy,
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
    let second = Shop {
        dir: tempfile::tempdir().unwrap(),
        data: shop.dir.path().join("till-1"),
        agency: Agency::start(&shop.dir.path().join("unused"), &[]),
    };
    let mut init = second.command(&[
        "init",
        "--fixmedins",
        common::INSTITUTION,
        "--level",
        "2",
        "--till",
        "1",
    ]);
    init.args(["--operator", "002", "--pin-stdin", "--agency", &shop.agency.url]);
    init.arg("--tls").arg(shop.agency.tls());
    finish(init, PIN).exit(0);
    second.sell(&[], &[sale("a", &person(9), "200.00")]);
    for lang in ["zh", "en"] {
        let words = shop.run(&["close", "--lang", lang]).exit(2).out;
        assert!(words.contains("350.00"), "{words}");
    }
    shop.agency
        .misbehave(&fault("3201", "bad_gateway_after_commit", 9));
    shop.run(&["close"]).exit(3).says("AGENCY_HTTP_STATUS");
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
    for wrong in ["246811", "", "\n", "2468100"] {
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
