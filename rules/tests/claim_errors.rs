//! Texts that are not a claim: the JSON path, what is wrong, and never the value.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use serde_json::{Value, json};
use yijie_rules::{Claim, ClaimError, Options, Packs, split};

fn claim() -> Value {
    json!({
        "person": {"psn_no": "530100SECRET", "insutype": "310", "psn_type": "11", "insuplc_admdvs": "530100"},
        "institution": {"fixmedins_code": "H1", "fixmedins_type": "1", "medinslv": "3"},
        "visit": {"med_type": "11", "begntime": "2026-03-01 09:30:00"},
        "lines": [{"feedetl_sn": "1", "det_item_fee_sumamt": "100.00"}]
    })
}

fn read(change: impl FnOnce(&mut Value)) -> Result<Claim, ClaimError> {
    let mut claim = claim();
    change(&mut claim);
    Claim::from_json(claim.to_string().as_bytes())
}

fn set(pointer: &str, value: Value) -> Result<Claim, ClaimError> {
    read(|claim| {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = claim.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        if value == json!("(gone)") {
            parent.remove(key);
        } else {
            parent.insert(key.to_owned(), value);
        }
    })
}

#[test]
fn path_and_reason() {
    let cases = [
        (
            "/visit/rx_circ_flag",
            json!(true),
            "visit.rx_circ_flag",
            "this kind of value does not stand here; expected text",
        ),
        (
            "/person/psn_nr",
            json!("1"),
            "person.psn_nr",
            "unknown field `psn_nr`",
        ),
        ("/wrong", json!(1), "wrong", "unknown field `wrong`"),
        (
            "/person/psn_no",
            json!("(gone)"),
            "person",
            "missing field `psn_no`",
        ),
        (
            "/visit/begntime",
            json!("(gone)"),
            "visit",
            "missing field `begntime`",
        ),
        (
            "/visit/begntime",
            json!("2026-02-30 09:30:00"),
            "visit.begntime",
            "expected a time",
        ),
        (
            "/visit/begntime",
            json!("SECRET"),
            "visit.begntime",
            "expected a time",
        ),
        (
            "/visit/enddate",
            json!("2026-02-28 23:59:59"),
            "visit.enddate",
            "must not be before begntime",
        ),
        ("/visit/cause", json!("SECRET"), "visit.cause", "expected one of"),
        (
            "/visit/prehospital_120",
            json!("SECRET"),
            "visit.prehospital_120",
            "expected a boolean",
        ),
        ("/person/brdy", json!("SECRET"), "person.brdy", "expected a date"),
        (
            "/person/psn_no",
            json!(["SECRET"]),
            "person.psn_no",
            "expected a string",
        ),
        (
            "/person/interrupted_months",
            json!("SECRET"),
            "person.interrupted_months",
            "expected a whole number",
        ),
        (
            "/lines/0/det_item_fee_sumamt",
            json!("1.001"),
            "lines[0].det_item_fee_sumamt",
            "more than 2 decimals",
        ),
        (
            "/lines/0/det_item_fee_sumamt",
            json!(1.001),
            "lines[0].det_item_fee_sumamt",
            "more than 2 decimals",
        ),
        (
            "/lines/0/det_item_fee_sumamt",
            json!("1,00"),
            "lines[0].det_item_fee_sumamt",
            "not a decimal number",
        ),
        (
            "/lines/0/det_item_fee_sumamt",
            json!("-1.00"),
            "lines[0].det_item_fee_sumamt",
            "below zero",
        ),
        (
            "/lines/0/det_item_fee_sumamt",
            json!(true),
            "lines[0].det_item_fee_sumamt",
            "expected an amount",
        ),
        (
            "/lines/0/det_item_fee_sumamt",
            json!("(gone)"),
            "lines[0].det_item_fee_sumamt",
            "missing",
        ),
        (
            "/lines/0/selfpay_prop",
            json!("1.01"),
            "lines[0].selfpay_prop",
            "between 0 and 1",
        ),
        ("/lines/0/cnt", json!("0"), "lines[0].cnt", "above zero"),
        (
            "/lines/0/cnt",
            json!("1.00001"),
            "lines[0].cnt",
            "more than 4 decimals",
        ),
        ("/lines/0/pric", json!("-0.01"), "lines[0].pric", "below zero"),
        (
            "/lines/0/chrgitm_lv",
            json!("04"),
            "lines[0].chrgitm_lv",
            "expected one of",
        ),
        (
            "/lines/0/goods",
            json!("gold"),
            "lines[0].goods",
            "expected one of",
        ),
        ("/lines", json!([]), "lines", "at least one"),
        (
            "/lines",
            json!([{"feedetl_sn": "1", "pric": "1"}, {"feedetl_sn": "1", "pric": "1"}]),
            "lines[1].feedetl_sn",
            "earlier line",
        ),
        (
            "/accounts",
            json!({"own": {"balc": "-1"}}),
            "accounts.own.balc",
            "below zero",
        ),
        (
            "/accounts",
            json!({"own": {"balc": 1e20}}),
            "accounts.own.balc",
            "too large",
        ),
        (
            "/accounts",
            json!({"acct_used_flag": "2"}),
            "accounts.acct_used_flag",
            "expected",
        ),
        (
            "/accumulated",
            json!([{"pool": "chronic", "fund": "-0.01"}]),
            "accumulated[0]",
            "below zero",
        ),
        (
            "/person/network_settlement_suspended",
            json!({"from": null}),
            "person.network_settlement_suspended.from",
            "unknown field",
        ),
    ];
    for (pointer, value, path, reason) in cases {
        let error = set(pointer, value.clone()).expect_err(pointer);
        let ClaimError::Field {
            path: found,
            reason: why,
        } = &error
        else {
            unreachable!("{error}")
        };
        assert_eq!(found, path, "{value}: {error}");
        assert!(why.contains(reason), "{value}: {error}");
        assert!(!error.to_string().contains("SECRET"), "{error}");
        assert_eq!(error.code(), "CLAIM_FIELD");
    }
}

#[test]
fn texts_that_are_not_json() {
    for text in [
        "",
        "{",
        "{\"person\":}",
        "\u{feff}{}",
        "{\"person\": \"\\ud800\"}",
    ] {
        let error = Claim::from_json(text.as_bytes()).expect_err(text);
        assert_eq!(error.code(), "CLAIM_NOT_JSON", "{text}: {error}");
    }
    assert_eq!(Claim::from_json(b"[]").unwrap_err().code(), "CLAIM_FIELD");
    assert_eq!(
        Claim::from_json(b"\"\xff\"").unwrap_err().code(),
        "CLAIM_NOT_JSON"
    );
    let twice = br#"{"person": {"psn_no": "1", "psn_no": "2"}}"#;
    assert!(
        Claim::from_json(twice)
            .unwrap_err()
            .to_string()
            .contains("duplicate field")
    );
    let mut two = claim().to_string();
    two.push_str("{}");
    assert_eq!(
        Claim::from_json(two.as_bytes()).unwrap_err().code(),
        "CLAIM_NOT_JSON"
    );
}

#[test]
fn numbers_are_read_exactly() {
    let text = claim().to_string().replace("\"100.00\"", "12345678901234.56");
    let claim = Claim::from_json(text.as_bytes()).unwrap();
    assert_eq!(
        claim
            .lines
            .first()
            .unwrap()
            .det_item_fee_sumamt
            .unwrap()
            .to_string(),
        "12345678901234.56"
    );
    let again = Claim::from_json(serde_json::to_string(&claim).unwrap().as_bytes()).unwrap();
    assert_eq!(again, claim);
    assert!(!format!("{claim:?}").contains("SECRET"));
}

#[test]
fn sums_beyond_the_fields_are_refused_not_wrapped() {
    let lines: Vec<Value> = (0..2000)
        .map(|n| json!({"feedetl_sn": n.to_string(), "det_item_fee_sumamt": "99999999999999.99"}))
        .collect();
    let claim = set("/lines", json!(lines)).unwrap();
    let outcome = serde_json::to_value(split(&Packs::builtin(), &claim, &Options::default())).unwrap();
    assert_eq!(outcome.get("code").unwrap(), "AMOUNT_TOO_LARGE");
}
