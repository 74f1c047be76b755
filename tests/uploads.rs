//! Trace codes after the settlement: told to the agency from a queue of their own, returned where the settlement was
//! undone, and never a reason to settle again.

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

use common::{OPERATOR, PIN, Shop, fault, person, sale};
use serde_json::{Value, json};

fn code(no: u32) -> String {
    format!("8{no:019}")
}

/// A sale of one line with packs of these codes.
fn packs(id: &str, no: u32, codes: &[u32]) -> Value {
    let mut sale = sale(id, &person(no), "100.00");
    let rows: Vec<Value> = codes
        .iter()
        .map(|no| json!({"feedetl_sn": "1", "drug_trac_codg": code(*no)}))
        .collect();
    sale["drugtracinfo"] = json!(rows);
    sale
}

/// What the agency was told of packs, oldest first: the codes, and whether they came back.
fn told(shop: &Shop) -> Vec<(Vec<String>, bool)> {
    let ledger = fs::read_to_string(shop.agency.data.join("ledger.jsonl")).unwrap();
    let entries = ledger
        .lines()
        .map(|line| -> Value { serde_json::from_str(line).unwrap() });
    entries
        .filter(|entry| entry["kind"] == "goods")
        .map(|entry| {
            let codes = serde_json::from_value(entry["codes"].clone()).unwrap();
            (codes, entry["returned"] == true)
        })
        .collect()
}

fn by_supervisor(shop: &Shop, args: &[&str]) -> common::Ended {
    let pin = shop.dir.path().join("pin");
    fs::write(&pin, PIN).unwrap();
    fs::set_permissions(&pin, fs::Permissions::from_mode(0o600)).unwrap();
    let who = ["--operator", OPERATOR, "--pin-file", pin.to_str().unwrap()];
    shop.run(&[args, &who].concat())
}

#[test]
fn packs_are_told_after_the_sale_and_come_back_with_its_reversal() {
    let shop = Shop::open();
    let answers = shop.sell(
        &[],
        &[packs("a", 1, &[1, 2]), packs("b", 2, &[]), packs("c", 3, &[3])],
    );
    assert!(answers.iter().all(|row| row["state"] == "settled"));
    assert_eq!(
        told(&shop),
        [(vec![code(1), code(2)], false), (vec![code(3)], false)]
    );
    assert_eq!(shop.queue(), [] as [Value; 0]);
    let shown = shop.run(&["queue", "show", "a", "--json"]).exit(0).json();
    assert_eq!(shown["uploads"], json!({"state": "done", "code": null}));

    // A pack is sold once, also by another name and in the same claim; what came back may be sold again.
    for again in [packs("d", 4, &[2]), packs("e", 4, &[9, 9])] {
        let told = shop.try_sell(&[], &again.to_string());
        assert_eq!(told.lines()[0]["state"], "refused", "{again}");
    }
    assert_eq!(
        shop.sell(&[], &[packs("d", 4, &[2])])[0]["code"],
        "TRACE_CODE_USED"
    );
    assert_eq!(shop.agency.settled().len(), 3);
    shop.run(&["reverse", "a"]).exit(0);
    shop.run(&["queue", "drain"]).exit(0);
    assert_eq!(told(&shop)[2], (vec![code(1), code(2)], true));
    assert_eq!(shop.sell(&[], &[packs("d", 4, &[2])])[0]["state"], "settled");
    assert_eq!(told(&shop)[3], (vec![code(2)], false));
}

#[test]
fn a_line_that_is_not_there_and_a_code_that_is_none_are_refused() {
    let shop = Shop::open();
    for rows in [
        json!([{"feedetl_sn": "2", "drug_trac_codg": code(1)}]),
        json!([{"feedetl_sn": "1", "drug_trac_codg": ""}]),
        json!([{"feedetl_sn": "1", "drug_trac_codg": "x".repeat(101)}]),
        json!([{"feedetl_sn": "1"}]),
        json!("8123"),
    ] {
        let mut sale = sale("x", &person(1), "10.00");
        sale["drugtracinfo"] = rows.clone();
        let told = shop.try_sell(&[], &sale.to_string()).exit(1);
        assert_eq!(told.lines()[0]["code"], "CLAIM_FIELD", "{rows}");
    }
    assert_eq!(shop.agency.ledger(), [] as [Value; 0]);
}

#[test]
fn an_upload_that_fails_waits_over_a_restart_and_the_settlement_is_not_sent_again() {
    let shop = Shop::open();
    let faults = [
        "lose_reply_after_commit",
        "lose_request",
        "half_body",
        "html",
        "bad_gateway_after_commit",
        "maintenance",
        "system_error",
        "close",
    ];
    for (no, what) in (1..).zip(faults) {
        shop.agency.misbehave(&fault("3505", what, 50));
        let answer = &shop.sell(&[], &[packs(what, no, &[no])])[0];
        assert_eq!(answer["state"], "settled", "{what}");
        let queue = shop.queue();
        assert_eq!(queue.len(), 1, "{what}: {queue:?}");
        assert_eq!(queue[0]["state"], "settled");
        assert_eq!(queue[0]["uploads"]["state"], "waiting");
        let text = shop.run(&["queue", "list", "--lang", "zh"]).exit(0).out;
        assert!(text.contains("追溯码还没有上传"), "{text}");
        shop.run(&["queue", "drain"]).exit(3).says("UPLOADS_WAIT");
        // Sales go on meanwhile.
        let other = sale(&format!("other {what}"), &person(100 + no), "10.00");
        assert_eq!(shop.sell(&[], &[other])[0]["state"], "settled");

        shop.agency.misbehave("");
        shop.run(&["queue", "drain"]).exit(0);
        assert_eq!(shop.queue(), [] as [Value; 0], "{what}");
        // However often it was sent: it counts once, and nothing was settled twice. What may have arrived came back
        // before it was told anew.
        let all = told(&shop);
        let of_it: Vec<bool> = all
            .iter()
            .filter(|(codes, _)| *codes == [code(no)])
            .map(|(_, back)| *back)
            .collect();
        let turns: Vec<bool> = (0..of_it.len()).map(|at| at % 2 == 1).collect();
        assert_eq!((&of_it, of_it.last()), (&turns, Some(&false)), "{what}: {all:?}");
        assert_eq!(
            shop.agency.ledger().len(),
            2 * usize::try_from(no).unwrap(),
            "{what}"
        );
    }
}

#[test]
fn what_waits_when_the_sale_is_undone_does_not_leave_or_comes_back() {
    let shop = Shop::open();
    shop.agency
        .misbehave(&fault("3505", "lose_reply_after_commit", 50));
    shop.sell(&[], &[packs("a", 1, &[1])]);
    shop.agency.misbehave("");
    shop.run(&["reverse", "a"]).exit(0);
    shop.run(&["queue", "drain"]).exit(0);
    assert_eq!(told(&shop), [(vec![code(1)], false), (vec![code(1)], true)]);
    // Sold without the agency, and settled later: told after that.
    shop.sell(&["--offline"], &[packs("b", 2, &[2])]);
    assert_eq!(told(&shop).len(), 2);
    shop.run(&["queue", "drain"]).exit(0);
    assert_eq!(told(&shop)[2], (vec![code(2)], false));
}

#[test]
fn a_code_another_till_has_sold_is_refused_told_and_closed_by_a_supervisor() {
    let shop = Shop::open();
    let other = shop.beside("other", &["--till", "3"]);
    other.sell(&[], &[packs("x", 9, &[1])]);
    assert_eq!(shop.sell(&[], &[packs("a", 1, &[1])])[0]["state"], "settled");
    assert_eq!(
        shop.queue()[0]["uploads"],
        json!({"state": "refused", "code": "TRACE_CODE_USED"})
    );
    shop.run(&["queue", "resolve", "a"])
        .exit(2)
        .says("TRACE_CODE_USED");
    // Only a supervisor closes it.
    let accept = ["queue", "resolve", "a", "--difference", "accept"];
    shop.run(&accept).exit(1).says("USAGE");
    by_supervisor(&shop, &accept).exit(0);
    assert_eq!(shop.queue(), [] as [Value; 0]);
    assert_eq!(shop.agency.settled().len(), 2);
}

#[test]
fn each_province_has_its_codes_where_it_wants_them() {
    for (profile, messages) in [
        ("guangdong", 2),
        ("hubei", 2),
        ("jilin", 1),
        ("hebei", 1),
        ("plain", 1),
    ] {
        let shop = Shop::under(profile);
        assert_eq!(
            shop.sell(&[], &[packs("a", 1, &[1, 2])])[0]["state"],
            "settled",
            "{profile}"
        );
        let all = told(&shop);
        assert_eq!(all.len(), messages, "{profile}: {all:?}");
        assert_eq!(shop.queue(), [] as [Value; 0], "{profile}");
        shop.run(&["reverse", "a"]).exit(0);
        shop.run(&["queue", "drain"]).exit(0);
        assert_eq!(
            shop.sell(&[], &[packs("b", 1, &[1])])[0]["state"],
            "settled",
            "{profile}"
        );
    }
}
