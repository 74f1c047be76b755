//! Day close against an agency whose ledger was brought apart from the till's books: each kind of difference is found,
//! named, mended on a supervisor's word, and the day balances.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong here fails the test"
)]

mod common;

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use common::{OPERATOR, PIN, Shop, fault, person, sale};
use serde_json::{Value, json};

/// The agency is stopped, its ledger rewritten line by line, and started again.
fn rewrite(shop: &mut Shop, change: impl Fn(Value) -> Option<Value>) {
    shop.agency.stop();
    let file = shop.agency.data.join("ledger.jsonl");
    let lines = fs::read_to_string(&file).unwrap();
    let changed: String = lines
        .lines()
        .filter_map(|line| change(serde_json::from_str(line).unwrap()))
        .map(|entry| format!("{entry}\n"))
        .collect();
    fs::write(file, changed).unwrap();
    shop.agency.come_back();
}

fn today(shop: &Shop) -> String {
    let ledger = shop.agency.ledger();
    ledger[0]["setl_time"].as_str().unwrap()[..10].to_owned()
}

/// What `reconcile` tells, and its exit code.
fn reconcile(shop: &Shop, more: &[&str], exit: i32) -> Value {
    let day = today(shop);
    let args = [&["reconcile", "--date", &day, "--json"], more].concat();
    shop.run(&args).exit(exit).json()
}

fn confirm_all(shop: &Shop, exit: i32) -> Value {
    let pin = shop.dir.path().join("pin");
    fs::write(&pin, PIN).unwrap();
    fs::set_permissions(&pin, fs::Permissions::from_mode(0o600)).unwrap();
    let pin = pin.to_str().unwrap();
    reconcile(
        shop,
        &["--confirm", "all", "--operator", OPERATOR, "--pin-file", pin],
        exit,
    )
}

fn actions(told: &Value) -> Vec<(String, String)> {
    let rows = told[0]["rows"].as_array().unwrap();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    rows.iter()
        .map(|row| (text(row, "sale"), text(row, "action")))
        .collect()
}

fn of_settlement(entry: &Value, amount: &str) -> bool {
    entry["kind"] == "settled" && entry["setlinfo"]["medfee_sumamt"] == amount
}

#[test]
fn what_the_agency_lost_is_settled_anew() {
    let mut shop = Shop::open();
    shop.sell(
        &[],
        &[sale("a", &person(1), "101.00"), sale("b", &person(2), "102.00")],
    );
    rewrite(&mut shop, |entry| {
        (!of_settlement(&entry, "102.00")).then_some(entry)
    });
    let told = reconcile(&shop, &[], 2);
    assert_eq!(told[0]["result"], "000102");
    assert_eq!(actions(&told), [("b".to_owned(), "settle-anew".to_owned())]);
    // Nothing is done without a supervisor's word.
    assert_eq!(shop.agency.settled().len(), 1);
    shop.run(&["reconcile", "--date", &today(&shop), "--confirm", "all"])
        .exit(1)
        .says("USAGE");
    let told = confirm_all(&shop, 0);
    assert_eq!(told[0]["balanced"], true);
    assert_eq!(told[0]["mended"][0]["action"], "settle-anew");
    assert_eq!(told[0]["mended"][0]["operator"], OPERATOR);
    assert_eq!(shop.agency.settled().len(), 2);
    assert_eq!(shop.queue(), Vec::<Value>::new());
    reconcile(&shop, &[], 0);
}

/// Where nothing can be reversed, only the statement says what became of a sale; the person's later ones wait for it.
#[test]
fn what_cannot_be_reversed_is_settled_anew_by_the_statement_and_what_waits_behind_it_follows() {
    let profiles = tempfile::tempdir().unwrap();
    let plain = include_str!("../agency/profiles/plain.toml");
    let own: Vec<String> = plain
        .lines()
        .map(|line| match line.starts_with("reversible") {
            true => "reversible = []".to_owned(),
            false => line.to_owned(),
        })
        .collect();
    let profile = profiles.path().join("own.toml");
    fs::write(&profile, own.join("\n")).unwrap();
    let shop = Shop::under(profile.to_str().unwrap());
    shop.answer_within(1);
    shop.sell(&[], &[sale("other", &person(2), "102.00")]);
    shop.agency.misbehave(&fault("2102", "lose_request", 1));
    assert_eq!(
        shop.sell(&[], &[sale("a", &person(1), "101.00")])[0]["state"],
        "unknown"
    );
    shop.sell(&["--offline"], &[sale("b", &person(1), "103.00")]);
    shop.run(&["queue", "drain"]).exit(3);
    let codes: Vec<Value> = shop.queue().iter().map(|row| row["code"].clone()).collect();
    assert_eq!(codes, ["REQUEST_INVALID", "OFFLINE_ASKED"]);
    let told = reconcile(&shop, &[], 2);
    assert_eq!(actions(&told), [("a".to_owned(), "settle-anew".to_owned())]);
    let told = confirm_all(&shop, 0);
    assert_eq!(told[0]["balanced"], true);
    assert_eq!((shop.agency.settled().len(), shop.queue().len()), (3, 0));
}

#[test]
fn what_the_agency_has_too_much_is_reversed() {
    let shop = Shop::open();
    shop.sell(&[], &[sale("a", &person(1), "101.00")]);
    // The same till from another data directory: its sale stands in no journal of this one.
    let lost = shop.beside("lost", &[]);
    // Two tills of one number might issue the same message id within a second.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    lost.sell(&[], &[sale("x", &person(9), "55.00")]);
    let told = reconcile(&shop, &[], 2);
    assert_eq!(told[0]["result"], "000101");
    assert_eq!(actions(&told), [(String::new(), "reverse".to_owned())]);
    let told = confirm_all(&shop, 0);
    assert_eq!(told[0]["balanced"], true);
    assert_eq!(shop.agency.settled().len(), 1);
}

#[test]
fn other_amounts_are_taken_over_and_the_difference_is_closed_by_a_supervisor() {
    let mut shop = Shop::open();
    shop.sell(&[], &[sale("a", &person(1), "101.00")]);
    rewrite(&mut shop, |mut entry| {
        if of_settlement(&entry, "101.00") {
            let info = &mut entry["setlinfo"];
            for (field, by) in [("acct_pay", -100), ("psn_cash_pay", 100)] {
                let fen: i64 = info[field].as_str().unwrap().replace('.', "").parse().unwrap();
                let changed = fen + by;
                info[field] = json!(format!("{}.{:02}", changed / 100, changed % 100));
            }
        }
        Some(entry)
    });
    let told = reconcile(&shop, &[], 2);
    assert_eq!(actions(&told), [("a".to_owned(), "take-figures".to_owned())]);
    confirm_all(&shop, 0);

    let open = shop.run(&["queue", "differences", "--json"]).exit(0).json();
    assert_eq!(open[0]["sale"], "a");
    assert_eq!(open[0]["difference"]["cash"], "1.00");
    shop.run(&["queue", "resolve", "a"])
        .exit(2)
        .says("DIFFERENCE_OPEN");
    let pin = shop.dir.path().join("pin");
    let close = |how: &str| {
        let args = [
            "queue",
            "resolve",
            "a",
            "--difference",
            how,
            "--operator",
            OPERATOR,
        ];
        shop.run(&[&args[..], &["--pin-file", pin.to_str().unwrap()]].concat())
    };
    close("refund").exit(1).says("DIFFERENCE_OTHER_WAY");
    close("collect").exit(0);
    close("accept").exit(1).says("NO_DIFFERENCE");
    assert_eq!(
        shop.run(&["queue", "differences", "--json"]).exit(0).json(),
        json!([])
    );
    assert_eq!(shop.journal().last().unwrap()["kind"], "diff-closed");
    shop.run(&["queue", "resolve", "a"]).exit(0);
}

#[test]
fn a_refund_counts_on_both_sides_and_one_the_agency_made_is_booked() {
    let mut shop = Shop::open();
    shop.sell(
        &[],
        &[sale("a", &person(1), "101.00"), sale("b", &person(2), "102.00")],
    );
    shop.run(&["reverse", "b"]).exit(0);
    let told = reconcile(&shop, &[], 0);
    assert_eq!(told[0]["count"], 1);
    assert_eq!(told[0]["medfee"], "101.00");
    // The agency loses the refund: it holds one settlement more.
    rewrite(&mut shop, |entry| (entry["kind"] != "cancelled").then_some(entry));
    let told = reconcile(&shop, &[], 2);
    assert_eq!(told[0]["result"], "000101");
    assert_eq!(actions(&told), [("b".to_owned(), "call-agency".to_owned())]);
}

/// Copies what is over to nobody: an entry of the ledger made from another one.
fn added(shop: &mut Shop, make: impl Fn(&Value) -> Option<Value>) {
    shop.agency.stop();
    let file = shop.agency.data.join("ledger.jsonl");
    let mut text = fs::read_to_string(&file).unwrap();
    let more: Vec<Value> = text
        .lines()
        .filter_map(|line| make(&serde_json::from_str(line).unwrap()))
        .collect();
    assert_eq!(more.len(), 1);
    text.push_str(&format!("{}\n", more[0]));
    fs::write(file, text).unwrap();
    shop.agency.come_back();
}

#[test]
fn a_refund_that_only_the_agency_made_is_booked() {
    let mut shop = Shop::open();
    shop.sell(
        &[],
        &[sale("a", &person(1), "101.00"), sale("b", &person(2), "102.00")],
    );
    added(&mut shop, |entry| {
        of_settlement(entry, "102.00").then(|| {
            let setl_id = entry["setl_id"].as_str().unwrap();
            json!({
                "kind": "cancelled", "msgid": "H53010200001202611221126329999", "setl_id": setl_id,
                "cancel_setl_id": format!("R{setl_id}"), "time": entry["setl_time"],
            })
        })
    });
    let told = reconcile(&shop, &[], 2);
    assert_eq!(actions(&told), [("b".to_owned(), "book-refund".to_owned())]);
    let told = confirm_all(&shop, 0);
    assert_eq!(told[0]["balanced"], true);
    assert_eq!(
        (&told[0]["count"], &told[0]["medfee"]),
        (&json!(1), &json!("101.00"))
    );
    let shown = shop.run(&["queue", "show", "b", "--json"]).exit(0).json();
    assert_eq!(shown["state"], "reversed");
    assert_eq!(shop.agency.settled().len(), 1);
}

#[test]
fn a_refund_without_an_answer_is_booked_on_the_day_the_agency_dates_it_by() {
    let mut shop = Shop::open();
    // Settled the day before, by the agency's clock.
    shop.agency
        .misbehave("[[fault]]\non = \"2102\"\nwhat = \"wrong_clock\"\nseconds = -86400\n");
    shop.sell(
        &[],
        &[sale("a", &person(1), "101.00"), sale("b", &person(2), "102.00")],
    );
    let settled_on: jiff::civil::Date = today(&shop).parse().unwrap();
    shop.agency
        .misbehave(&fault("2103", "lose_reply_after_commit", 1));
    shop.run(&["reverse", "b"]).exit(3);
    shop.run(&["queue", "drain"]).exit(0);
    // The refund too was made by that clock; the till, which was not told, dates it by its own.
    let told_under = RefCell::new(String::new());
    rewrite(&mut shop, |mut entry| {
        if entry["kind"] == "cancelled" {
            told_under.replace(entry["msgid"].as_str().unwrap().to_owned());
            entry["time"] = json!(format!("{settled_on} 23:00:00"));
        }
        Some(entry)
    });
    let reversal = told_under.into_inner();
    let asked_on = settled_on.tomorrow().unwrap().to_string();
    let pin = shop.dir.path().join("pin");
    fs::write(&pin, PIN).unwrap();
    fs::set_permissions(&pin, fs::Permissions::from_mode(0o600)).unwrap();
    let compare = |day: &str, exit: i32| {
        shop.run(&["reconcile", "--date", day, "--json"])
            .exit(exit)
            .json()
    };
    let confirm = |day: &str| {
        let args = ["reconcile", "--date", day, "--json", "--confirm", "all"];
        let by = ["--operator", OPERATOR, "--pin-file", pin.to_str().unwrap()];
        shop.run(&[&args[..], &by[..]].concat()).exit(0).json()
    };
    let told = compare(&asked_on, 2);
    assert_eq!(actions(&told), [("b".to_owned(), "move-refund".to_owned())]);
    confirm(&asked_on);
    let told = compare(&settled_on.to_string(), 2);
    assert_eq!(actions(&told), [("b".to_owned(), "book-refund".to_owned())]);
    assert_eq!(told[0]["rows"][0]["msgid"], reversal.as_str());
    let told = confirm(&settled_on.to_string());
    assert_eq!(
        (&told[0]["count"], &told[0]["medfee"]),
        (&json!(1), &json!("101.00"))
    );
    for day in [settled_on, settled_on.tomorrow().unwrap()] {
        compare(&day.to_string(), 0);
    }
    let shown = shop.run(&["queue", "show", &reversal, "--json"]).exit(0).json();
    assert_eq!(
        (&shown["sale"], &shown["state"]),
        (&json!("b"), &json!("reversed"))
    );
    assert_eq!(shop.agency.settled().len(), 1);
}

#[test]
fn a_day_on_which_nothing_was_settled_here_is_compared_and_what_is_reversed_is_journalled_first() {
    let mut shop = Shop::open();
    shop.sell(&[], &[sale("a", &person(1), "101.00")]);
    let setl_id = shop.agency.ledger()[0]["setl_id"].as_str().unwrap().to_owned();
    // Reversed here; then a settlement of this till turns up that stands in none of its sales.
    shop.run(&["reverse", "a"]).exit(0);
    let elsewhere = |entry: &Value| {
        of_settlement(entry, "101.00").then(|| {
            let mut more = entry.clone();
            more["msgid"] = json!("H53010200001202611220000000777");
            more["setl_id"] = json!(format!("{setl_id}9"));
            more["mdtrt_id"] = json!("M9");
            let day = entry["setl_time"].as_str().unwrap();
            let earlier: jiff::civil::Date = day[..10].parse().unwrap();
            more["setl_time"] = json!(format!("{} 10:00:00", earlier.yesterday().unwrap()));
            more
        })
    };
    let yesterday = {
        let day: jiff::civil::Date = today(&shop).parse().unwrap();
        day.yesterday().unwrap().to_string()
    };
    let args = ["reconcile", "--date", &yesterday, "--json"];
    assert_eq!(
        shop.run(&args).exit(0).json(),
        json!([]),
        "both sides hold nothing"
    );
    added(&mut shop, elsewhere);
    let told = shop.run(&args).exit(2).json();
    assert_eq!(told[0]["result"], "000101");
    assert_eq!(actions(&told), [(String::new(), "reverse".to_owned())]);
    let pin = shop.dir.path().join("pin");
    fs::write(&pin, PIN).unwrap();
    fs::set_permissions(&pin, fs::Permissions::from_mode(0o600)).unwrap();
    let by = [
        "--confirm",
        "all",
        "--operator",
        OPERATOR,
        "--pin-file",
        pin.to_str().unwrap(),
    ];
    shop.run(&[&args[..], &by].concat()).exit(0);
    let kinds: Vec<Value> = shop
        .journal()
        .into_iter()
        .map(|row| row["kind"].clone())
        .collect();
    assert!(kinds.contains(&json!("found-reversing")), "{kinds:?}");
    assert_eq!(shop.agency.settled(), [] as [Value; 0]);
}

#[test]
fn a_month_is_applied_for_once_its_days_balance_and_taken_back() {
    let shop = Shop::open();
    shop.sell(
        &[],
        &[sale("a", &person(1), "101.00"), sale("b", &person(2), "102.00")],
    );
    shop.run(&["reverse", "b"]).exit(0);
    shop.sell(&["--offline"], &[sale("c", &person(3), "10.00")]);
    // Another till's are applied for with this one's: what they took in cash, and a refund's not.
    let second = shop.beside("till-1", &["--till", "1"]);
    second.sell(
        &[],
        &[sale("x", &person(8), "5000.00"), sale("y", &person(9), "4000.00")],
    );
    second.run(&["reverse", "y"]).exit(0);
    let month = today(&shop)[..7].to_owned();
    let pin = shop.dir.path().join("pin");
    fs::write(&pin, PIN).unwrap();
    fs::set_permissions(&pin, fs::Permissions::from_mode(0o600)).unwrap();
    let who = [
        "--operator",
        OPERATOR,
        "--pin-file",
        pin.to_str().unwrap(),
        "--json",
    ];
    let close = |args: &[&str]| shop.run(&[&["close"], args, &who].concat());
    shop.run(&["close", "--clearing", &month]).exit(1).says("USAGE");
    close(&["--clearing", &month])
        .exit(3)
        .says_json("SALES_STILL_OPEN");
    shop.run(&["queue", "drain"]).exit(0);
    let applied = close(&["--clearing", &month]).exit(0).json();
    assert_eq!(applied[0]["record"], "clearing_applied");
    assert!(applied[0]["clr_appy_evt_id"].as_str().unwrap().starts_with('C'));
    assert_eq!(close(&["--clearing", &month]).exit(0).json(), json!([]), "once");
    // The month's accounts are closed: nothing is settled or given back in it.
    let told = shop.sell(&[], &[sale("d", &person(4), "10.00")]);
    assert_eq!(told[0]["state"], "refused");
    assert!(
        told[0]["detail"].as_str().unwrap().contains("ACCOUNTS_CLOSED"),
        "{told:?}"
    );
    shop.run(&["reverse", "a"]).exit(2);
    // The withdrawal arrives and its answer does not: asked again, it is known to be gone.
    let lost = |on: &str| shop.agency.misbehave(&fault(on, "lose_reply_after_commit", 1));
    lost("3204");
    close(&["--withdraw", &month]).exit(3).says_json("AGENCY_TIMEOUT");
    let withdrawn = close(&["--withdraw", &month]).exit(0).json();
    assert_eq!(withdrawn[0]["clr_appy_evt_id"], applied[0]["clr_appy_evt_id"]);
    assert_eq!(close(&["--withdraw", &month]).exit(0).json(), json!([]));
    assert_eq!(
        shop.sell(&[], &[sale("e", &person(4), "10.00")])[0]["state"],
        "settled"
    );
    shop.run(&["reverse", "a"]).exit(0);
    close(&["--clearing", "2026-13"]).exit(1);
    // The same of an application: that it stands is known, its number is not, and only the agency can take it back.
    lost("3203");
    close(&["--clearing", &month]).exit(3).says_json("AGENCY_TIMEOUT");
    let unnumbered = close(&["--clearing", &month]).exit(0).json();
    assert_eq!(unnumbered[0]["clr_appy_evt_id"], "");
    assert_eq!(close(&["--clearing", &month]).exit(0).json(), json!([]), "once");
    close(&["--withdraw", &month])
        .exit(2)
        .says_json("CLEARING_NUMBER_UNKNOWN");
}
