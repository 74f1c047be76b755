//! Claims worked by hand: every file of tests/cases holds claims, what must come out, and the arithmetic.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use serde_json::Value;
use yijie_rules::{Claim, Lang, Options, Outcome, Packs, sandbox_overlays, split};

fn options() -> Options {
    Options {
        lang: Lang::En,
        ..Options::default()
    }
}

/// The built-in packs, with the made-up figures of the sandbox, and with the files of tests/packs, as a sheet asks.
fn packs(sheet: &Value) -> Packs {
    let mut packs = Packs::builtin();
    if sheet["sandbox"] == true {
        for (file, toml) in sandbox_overlays() {
            packs.add(file, toml).unwrap();
        }
    }
    for file in sheet["packs"].as_array().into_iter().flatten() {
        let file = file.as_str().unwrap();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/packs");
        let toml = std::fs::read_to_string(format!("{folder}/{file}")).unwrap();
        packs.add(file, &toml).unwrap();
    }
    packs
}

fn result(packs: &Packs, claim: &Value) -> Value {
    let claim = Claim::from_json(claim.to_string().as_bytes()).unwrap();
    let outcome = split(packs, &claim, &options());
    let text = serde_json::to_string(&outcome).unwrap();
    let mut written = Vec::new();
    outcome.write_json(&mut written);
    assert_eq!(
        String::from_utf8(written).unwrap(),
        text,
        "one JSON, however it is written"
    );
    assert_eq!(
        Outcome::from_json(text.as_bytes()).unwrap(),
        outcome,
        "a result reads back as it was written"
    );
    serde_json::from_str(&text).unwrap()
}

/// Lays `over` onto `base`: objects key by key, everything else replaced.
fn lay(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                lay(base.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over.clone(),
    }
}

/// Every key that is expected is there and equal; arrays have the same length.
fn assert_within(expected: &Value, found: &Value, path: &str) {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            for (key, value) in expected {
                let found = found
                    .get(key)
                    .unwrap_or_else(|| panic!("{path}.{key} is missing"));
                assert_within(value, found, &format!("{path}.{key}"));
            }
        }
        (Value::Array(expected), Value::Array(found)) => {
            assert_eq!(expected.len(), found.len(), "{path}: {found:?}");
            for (place, (expected, found)) in expected.iter().zip(found).enumerate() {
                assert_within(expected, found, &format!("{path}[{place}]"));
            }
        }
        (expected, found) => assert_eq!(expected, found, "{path}"),
    }
}

#[test]
fn the_contract_example_field_for_field() {
    let claim: Value =
        serde_json::from_str(include_str!("example/ordinary-retired-level2.claim.json")).unwrap();
    let mut expected: Value =
        serde_json::from_str(include_str!("example/ordinary-retired-level2.result.json")).unwrap();
    let found = result(&Packs::builtin(), &claim);
    expected["pack"]["version"] = found["pack"]["version"].clone();
    let steps = expected["trace"].as_array_mut().unwrap();
    for (step, found) in steps.iter_mut().zip(found["trace"].as_array().unwrap()) {
        assert!(!found["says"].as_str().unwrap().is_empty());
        step["says"] = found["says"].clone();
        if step["article"] == "…" {
            assert!(!found["article"].as_str().unwrap().is_empty());
            step["article"] = found["article"].clone();
        }
    }
    assert_eq!(found, expected);
}

#[test]
fn cases_worked_by_hand() {
    let mut files: Vec<_> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.sort();
    assert!(files.len() >= 11, "the case files are missing");
    let mut wrong = Vec::new();
    let mut count = 0;
    for file in &files {
        let sheet: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let packs = packs(&sheet);
        for case in sheet["cases"].as_array().unwrap() {
            let name = format!(
                "{}: {}",
                file.file_name().unwrap().display(),
                case["about"].as_str().unwrap()
            );
            let mut claim = sheet["base"].clone();
            lay(&mut claim, &case["claim"]);
            count += 1;
            let checked = std::panic::catch_unwind(|| {
                let found = result(&packs, &claim);
                assert_within(&case["expect"], &found, "result");
                assert_trace_adds_up(&found);
            });
            if checked.is_err() {
                eprintln!(
                    "--- {name}\n{}",
                    serde_json::to_string_pretty(&result(&packs, &claim)).unwrap()
                );
                wrong.push(name);
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count} cases are wrong: {wrong:#?}",
        wrong.len()
    );
}

/// Every fen of the bill stands in a fund, account or cash step, and every cut in a step of its kind.
fn assert_trace_adds_up(found: &Value) {
    if found["outcome"] != "settled" {
        return;
    }
    let fen = |value: &Value| yijie_rules::Money::parse(value.as_str().unwrap()).unwrap().fen();
    let sum = |kinds: &[&str]| -> i64 {
        let steps = found["trace"].as_array().unwrap().iter();
        steps
            .filter(|step| kinds.contains(&step["step"].as_str().unwrap()))
            .map(|step| fen(&step["amount"]))
            .sum()
    };
    let sums = &found["setlinfo"];
    assert_eq!(
        sum(&["pool", "account", "family-account", "cash"]),
        fen(&sums["medfee_sumamt"])
    );
    assert_eq!(sum(&["pool"]), fen(&sums["fund_pay_sumamt"]));
    assert_eq!(sum(&["account"]), fen(&sums["acct_pay"]));
    assert_eq!(sum(&["family-account"]), fen(&sums["acct_mulaid_pay"]));
    assert_eq!(sum(&["cash"]), fen(&sums["psn_cash_pay"]));
    assert_eq!(sum(&["deductible"]), fen(&sums["act_pay_dedc"]));
    assert_eq!(sum(&["first-self-pay"]), fen(&sums["preselfpay_amt"]));
    assert_eq!(sum(&["over-limit"]), fen(&sums["overlmt_selfpay"]));
    assert_eq!(sum(&["full-own-pay"]), fen(&sums["fulamt_ownpay_amt"]));
    for step in found["trace"].as_array().unwrap() {
        assert!(
            !step["article"].as_str().unwrap().is_empty(),
            "a step without article: {step}"
        );
    }
}
