//! `yijie split` from the shell: exit codes, order, forms of input and output.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong here fails the test"
)]

mod common;

use common::{Ended, claim, person, run, text};
use serde_json::{Value, json};

const CLAIM: &str = include_str!("fixtures/ordinary-retired-level2.claim.json");
const RESULT: &str = include_str!("fixtures/ordinary-retired-level2.result.json");

fn split(args: &[&str], stdin: &str) -> Ended {
    run([&["split"], args].concat(), stdin)
}

/// The example with one field set.
fn example_with(path: &str, value: Value) -> String {
    let mut claim: Value = serde_json::from_str(CLAIM).unwrap();
    *claim.pointer_mut(path).unwrap() = value;
    claim.to_string()
}

/// What the contract leaves to the program: version and wording.
fn without_wording(mut result: Value) -> Value {
    result["pack"].as_object_mut().unwrap().remove("version");
    for step in result["trace"].as_array_mut().unwrap() {
        step.as_object_mut().unwrap().remove("says");
        // The example gives no article for the first self-pay.
        if step["step"] == "first-self-pay" {
            step.as_object_mut().unwrap().remove("article");
        }
    }
    result
}

#[test]
fn the_example_worked_by_hand_comes_out_field_for_field() {
    let result = split(&[], CLAIM).exit(0).json();
    let expected = without_wording(serde_json::from_str(RESULT).unwrap());
    for step in result["trace"].as_array().unwrap() {
        assert_ne!(step["says"], "");
        assert_ne!(step["article"], "");
    }
    assert_ne!(result["pack"]["version"], "");
    assert_eq!(without_wording(result), expected);
    // Field order too: HIS vendors read results by eye.
    let keys = |text: &str| {
        let whole: Value = serde_json::from_str(text).unwrap();
        let mut keys: Vec<String> = whole.as_object().unwrap().keys().cloned().collect();
        keys.extend(whole["setlinfo"].as_object().unwrap().keys().cloned());
        keys
    };
    assert_eq!(keys(&split(&[], CLAIM).out), keys(RESULT));
}

#[test]
fn numbers_and_strings_are_read_alike_and_never_written() {
    let as_text = split(&[], CLAIM).exit(0).out;
    let mut claim: Value = serde_json::from_str(CLAIM).unwrap();
    claim["lines"][0]["pric"] = json!(20);
    claim["lines"][0]["cnt"] = json!(10);
    claim["lines"][0]["det_item_fee_sumamt"] = json!(200.0);
    claim["lines"][1]["selfpay_prop"] = json!(0.05);
    claim["lines"][1]["pric"] = json!(100);
    claim["lines"][1]["det_item_fee_sumamt"] = json!(100.00);
    claim["accounts"]["own"]["balc"] = json!(100);
    claim["accumulated"][0]["fund"] = json!(1200.00);
    let as_numbers = split(&[], &claim.to_string()).exit(0);
    assert_eq!(as_numbers.out, as_text);
    fn no_number(value: &Value) {
        match value {
            Value::Number(number) => panic!("{number} is written as a number"),
            Value::Array(values) => values.iter().for_each(no_number),
            Value::Object(fields) => fields.values().for_each(no_number),
            _ => {}
        }
    }
    no_number(&as_numbers.json());
}

#[test]
fn without_the_trace_all_else_stays() {
    let mut whole = split(&[], CLAIM).exit(0).json();
    let mut bare = split(&["--no-trace"], CLAIM).exit(0).json();
    let left_out = bare.as_object_mut().unwrap().remove("trace");
    assert!(left_out.is_none_or(|trace| trace == json!([])));
    assert!(
        !whole
            .as_object_mut()
            .unwrap()
            .remove("trace")
            .unwrap()
            .as_array()
            .unwrap()
            .is_empty()
    );
    assert_eq!(bare, whole);
}

#[test]
fn explained_in_both_languages_with_every_amount_and_article() {
    let zh = split(&["--explain"], CLAIM).exit(0).out;
    let en = split(&["--explain", "--lang", "en"], CLAIM).exit(0).out;
    for explained in [&zh, &en] {
        for part in [
            "kunming-employee",
            "300.00",
            "141.00",
            "100.00",
            "59.00",
            "60.00",
            "昆政办〔2022〕15号 第九条",
            "第十八条",
        ] {
            assert!(explained.contains(part), "{part} in\n{explained}");
        }
        assert!(!explained.contains('{'), "words, not JSON:\n{explained}");
    }
    for (word, wrong) in [
        ("基金支付", "funds"),
        ("现金", "cash"),
        ("起付标准", "deductible"),
    ] {
        assert!(zh.contains(word) && !zh.contains(wrong), "{zh}");
        assert!(en.contains(wrong) && !en.contains(word), "{en}");
    }
    let by_environment = |variable: &str, value: &str| {
        let mut command = common::yijie(["split", "--explain"]);
        command.env(variable, value);
        common::finish(command, CLAIM).exit(0).out
    };
    assert_eq!(by_environment("LANG", "en_US.UTF-8"), en);
    assert_eq!(by_environment("LANG", "zh_CN.UTF-8"), zh);
    assert_eq!(by_environment("LC_ALL", "en_GB.UTF-8"), en);
}

#[test]
fn a_refusal_is_explained_in_both_languages() {
    let refused = example_with("/person/psn_insu_stas", json!("2"));
    let zh = split(&["--explain"], &refused).exit(2).out;
    let en = split(&["--explain", "--lang", "en"], &refused).exit(2).out;
    for told in [&zh, &en] {
        for part in ["NOT_INSURED", "昆明市社会医疗保险条例 第十三条"] {
            assert!(told.contains(part), "{part} in\n{told}");
        }
        assert!(!told.contains('{'), "words, not JSON:\n{told}");
    }
    for (word, wrong) in [("参保状态不正常", "not insured"), ("全额自费", "Ask the person")] {
        assert!(zh.contains(word) && !zh.contains(wrong), "{zh}");
        assert!(en.contains(wrong) && !en.contains(word), "{en}");
    }
}

#[test]
fn a_rule_refuses_with_code_article_and_advice_and_exit_code_two() {
    let cases = [
        ("/person/insutype", json!("391"), "NO_PACK"),
        ("/person/psn_insu_stas", json!("2"), "NOT_INSURED"),
        ("/visit/begntime", json!("2021-03-01 09:30:00"), "NO_PACK"),
    ];
    for (path, value, code) in cases {
        let told = split(&[], &example_with(path, value)).exit(2);
        let refused = told.json();
        assert_eq!(
            (&refused["outcome"], &refused["code"]),
            (&json!("refused"), &json!(code))
        );
        for words in ["says", "advice"] {
            assert_ne!(refused[words], "", "{code}");
        }
        assert_eq!(told.err, "", "a refusal is an answer, not an error");
    }
    let mut claim: Value = serde_json::from_str(CLAIM).unwrap();
    claim["lines"][1]["cash_pric"] = json!("99.99");
    let zh = split(&[], &claim.to_string()).exit(2).json();
    assert_eq!(zh["code"], "PRICE_ABOVE_CASH");
    assert_eq!(zh["article"], "昆明市人民政府令第161号 第二十九条（四）");
    let en = split(&["--lang", "en"], &claim.to_string()).exit(2).json();
    assert_eq!(
        (&en["code"], &en["article"]),
        (&zh["code"], &zh["article"]),
        "codes and articles are the same in every language"
    );
    assert_ne!(en["says"], zh["says"]);
    // An equal price is no higher price.
    claim["lines"][1]["cash_pric"] = json!("100.00");
    split(&[], &claim.to_string()).exit(0);
}

#[test]
fn what_cannot_be_read_is_named_by_its_path() {
    let unknown = |at: &str| {
        let mut claim: Value = serde_json::from_str(CLAIM).unwrap();
        claim.pointer_mut(at).unwrap()["colour"] = json!("red");
        claim.to_string()
    };
    for (input, place) in [
        (unknown(""), "colour"),
        (unknown("/person"), "person.colour"),
        (unknown("/visit"), "visit.colour"),
        (unknown("/lines/1"), "lines[1].colour"),
        (unknown("/accounts/own"), "accounts.own.colour"),
        (unknown("/accumulated/0"), "accumulated[0].colour"),
        (
            example_with("/lines/0/det_item_fee_sumamt", json!("2 yuan")),
            "lines[0].det_item_fee_sumamt",
        ),
        (
            example_with("/lines/0/det_item_fee_sumamt", json!("-1.00")),
            "lines[0].det_item_fee_sumamt",
        ),
        (
            example_with("/lines/0/det_item_fee_sumamt", json!("1.001")),
            "lines[0].det_item_fee_sumamt",
        ),
        (
            example_with("/visit/begntime", json!("2026-02-30 09:00:00")),
            "visit.begntime",
        ),
        (example_with("/lines", json!({})), "lines"),
    ] {
        let told = split(&[], &input).exit(1);
        told.says("CLAIM_FIELD");
        assert!(told.err.contains(place), "{place} in\n{}", told.err);
        assert_eq!(told.out, "");
        let json: Value = serde_json::from_str(&split(&["--json"], &input).exit(1).err).unwrap();
        let error = &json["error"];
        assert_eq!(error["code"], "CLAIM_FIELD");
        assert!(error["detail"].as_str().unwrap().contains(place), "{json}");
        assert_ne!(error["advice"], "");
    }
    for garbage in ["", "nonsense", "[]", "{\"person\":", "\u{feff}{}", "{}{}", "null"] {
        let told = split(&[], garbage).exit(1);
        assert!(
            told.err.starts_with("CLAIM_NOT_JSON: ") || told.err.starts_with("CLAIM_FIELD: "),
            "{garbage}: {}",
            told.err
        );
        assert_eq!(told.out, "");
    }
    // Nested without end it is refused too, not a crash.
    let deep = format!("{{\"lines\":{}", "[".repeat(200_000));
    split(&[], &deep).exit(1);
    // Nobody's number appears in an error.
    let mut broken = claim("53010000000000000000008888", "1.00");
    broken["person"]["brdy"] = json!("1958-13-02");
    let told = split(&[], &broken.to_string()).exit(1);
    assert!(
        !told.err.contains("8888") && told.err.contains("person.brdy"),
        "{}",
        told.err
    );
}

#[test]
fn many_lines_are_answered_in_order_and_a_bad_one_stops_nothing() {
    let amount = |no: usize| format!("{}.{:02}", 100 + no, no % 100);
    let mut lines: Vec<String> = (0..300)
        .map(|no| claim(&person(7), &amount(no)).to_string())
        .collect();
    lines[100] = "{\"person\": 3".to_owned();
    lines[200] = {
        let mut claim = claim(&person(7), "1.00");
        claim["person"]["colour"] = json!("red");
        claim.to_string()
    };
    let mut refused = claim(&person(7), "1.00");
    refused["person"]["insutype"] = json!("999");
    lines[250] = refused.to_string();
    let told = split(&["--jsonl", "--no-trace"], &(lines.join("\n") + "\n\n  \n")).exit(1);
    let results = told.lines();
    assert_eq!(results.len(), lines.len());
    for (no, result) in results.iter().enumerate() {
        match no {
            100 => assert_eq!(result["outcome"], "unreadable"),
            200 => {
                assert_eq!(result["code"], "CLAIM_FIELD");
                assert!(
                    result["says"].as_str().unwrap().contains("person.colour"),
                    "{result}"
                );
            }
            250 => assert_eq!(
                (&result["outcome"], &result["code"]),
                (&json!("refused"), &json!("NO_PACK"))
            ),
            _ => assert_eq!(
                result["setlinfo"]["medfee_sumamt"],
                json!(amount(no)),
                "line {no}"
            ),
        }
    }
    // A line is what the same claim alone is; the last one may lack its end of line.
    let alone = split(&["--no-trace"], &lines[5]).exit(0).json();
    assert_eq!(results[5], alone);
    let unended = split(&["--jsonl", "--no-trace"], &lines[5]).exit(0);
    assert_eq!(unended.lines(), [alone]);
    assert_eq!(split(&["--jsonl"], "").exit(0).out, "");
    // A refusal is an answer: with --jsonl it is no failure of the run.
    split(&["--jsonl"], &text(&[refused])).exit(0);
}
