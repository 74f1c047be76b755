//! `yijie split` and `yijie packs` from the shell: exit codes, order, forms of output, packs of a directory.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong here fails the test"
)]

mod common;

use std::fs;
use std::path::Path;

use common::{Ended, claim, files, person, run, text};
use serde_json::{Value, json};

const CLAIM: &str = include_str!("fixtures/ordinary-retired-level2.claim.json");
const RESULT: &str = include_str!("fixtures/ordinary-retired-level2.result.json");
const KUNMING: &str = include_str!("../rules/packs/530100-kunming/employee.toml");

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

/// The built-in pack with one figure changed.
fn changed_pack(dir: &Path, from: &str, to: &str) {
    assert!(KUNMING.contains(from), "the pack no longer says {from}");
    fs::create_dir_all(dir.join("530100")).unwrap();
    fs::write(
        dir.join("530100/employee.toml"),
        KUNMING
            .replace(from, to)
            .replace("version = \"2026", "version = \"2027"),
    )
    .unwrap();
}

const DEDUCTIBLES: &str = r#"table = { "1" = "30.00", "2" = "60.00", "3" = "90.00" }"#;

#[test]
fn a_pack_of_a_directory_replaces_the_built_in_one() {
    let dir = tempfile::tempdir().unwrap();
    changed_pack(
        dir.path(),
        DEDUCTIBLES,
        r#"table = { "1" = "30.00", "2" = "10.00", "3" = "90.00" }"#,
    );
    let packs = dir.path().to_str().unwrap();
    let result = split(&["--packs", packs], CLAIM).exit(0).json();
    // (295.00 − 10.00) × 60 %
    assert_eq!(result["setlinfo"]["act_pay_dedc"], "10.00");
    assert_eq!(result["setlinfo"]["fund_pay_sumamt"], "171.00");
    assert!(
        result["pack"]["version"].as_str().unwrap().starts_with("2027"),
        "{}",
        result["pack"]
    );
    let listed = run(["packs", "--json", "--packs", packs], "").exit(0).json();
    let of_kunming = |list: &Value| -> Vec<String> {
        let rows = list.as_array().unwrap().iter();
        rows.filter(|pack| pack["id"] == "kunming-employee")
            .map(|pack| pack["version"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(of_kunming(&listed).len(), 1);
    assert!(of_kunming(&listed)[0].starts_with("2027"));
    // The last directory wins.
    let other = tempfile::tempdir().unwrap();
    changed_pack(
        other.path(),
        DEDUCTIBLES,
        r#"table = { "1" = "30.00", "2" = "20.00", "3" = "90.00" }"#,
    );
    let both = split(
        &["--packs", packs, "--packs", other.path().to_str().unwrap()],
        CLAIM,
    )
    .exit(0)
    .json();
    assert_eq!(both["setlinfo"]["act_pay_dedc"], "20.00");
    // Named, and by number only where it answers.
    split(&["--pack", "kunming-employee"], CLAIM).exit(0);
    split(&["--pack", "atlantis"], CLAIM)
        .exit(3)
        .says("PACK_NOT_FOUND");
}

#[test]
fn packs_are_listed_with_area_dates_sources_and_grades() {
    let listed = run(["packs", "--json"], "").exit(0).json();
    let kunming = listed
        .as_array()
        .unwrap()
        .iter()
        .find(|pack| pack["id"] == "kunming-employee")
        .unwrap();
    assert_eq!(kunming["area"], "530100");
    assert_eq!(kunming["insutype"], json!(["310"]));
    assert_eq!(kunming["from"], "2022-04-01");
    for key in ["version", "title", "until", "sources", "grades", "missing"] {
        assert!(kunming.get(key).is_some(), "{key} in {kunming}");
    }
    let sources = kunming["sources"].as_array().unwrap();
    assert!(
        sources
            .iter()
            .any(|source| source["title"] == "昆政办〔2022〕15号" && source["grade"] == "regulation")
    );
    for lang in ["zh", "en"] {
        let words = run(["packs", "--lang", lang], "").exit(0).out;
        for part in [
            "kunming-employee",
            "530100",
            "2022-04-01",
            "昆政办〔2022〕15号",
            "[regulation]",
        ] {
            assert!(words.contains(part), "{part} in\n{words}");
        }
    }
}

#[test]
fn every_built_in_pack_passes_its_own_check() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/packs");
    assert!(
        files(&dir)
            .iter()
            .any(|file| file.extension().is_some_and(|ending| ending == "toml"))
    );
    let told = run(["packs", "check", dir.to_str().unwrap(), "--json"], "").exit(0);
    assert_eq!(told.json(), json!([]));
    run(["packs", "check", dir.to_str().unwrap()], "").exit(0);
}

#[test]
fn a_broken_pack_is_told_by_file_line_and_remedy() {
    let line_of = |text: &str, part: &str| {
        let found = text.lines().position(|line| line.contains(part));
        found.unwrap_or_else(|| panic!("{part} not found")) + 1
    };
    for (from, to, code, at) in [
        // A level without figure.
        (
            DEDUCTIBLES,
            r#"table = { "1" = "30.00", "2" = "60.00" }"#,
            "PACK_MISSING_CELL",
            None,
        ),
        // A key the format does not have.
        (
            "area = \"530100\"",
            "area = \"530100\"\ncolour = \"red\"",
            "",
            Some("colour"),
        ),
        // A ratio above one.
        (
            r#"table = { "1" = "0.60", "2" = "0.55", "3" = "0.50" }"#,
            r#"table = { "1" = "1.60", "2" = "0.55", "3" = "0.50" }"#,
            "PACK_BAD_VALUE",
            None,
        ),
        // Grassroots institutions no better off than big hospitals.
        (
            r#"table = { "1" = "0.60", "2" = "0.55", "3" = "0.50" }"#,
            r#"table = { "1" = "0.50", "2" = "0.55", "3" = "0.60" }"#,
            "PACK_GRASSROOTS_NOT_HIGHER",
            None,
        ),
        // No figure for the beginning.
        (
            "[[parameter.outpatient-deductible.value]]\nfrom = 2022-04-01",
            "[[parameter.outpatient-deductible.value]]\nfrom = 2022-07-01",
            "PACK_GAP",
            None,
        ),
        // Two figures for one day.
        (
            "[parameter.outpatient-ratio]",
            "[[parameter.outpatient-deductible.value]]\nfrom = 2023-01-01\nsource = \"KM-15\"\narticle = \"第九条第二款\"\ntable = { \"1\" = \"30.00\", \"2\" = \"60.00\", \"3\" = \"90.00\" }\n\n[parameter.outpatient-ratio]",
            "PACK_OVERLAP",
            None,
        ),
        // A source that is not there.
        (
            "goods = { source = \"KM-SUP\"",
            "goods = { source = \"KM-XXX\"",
            "PACK_UNKNOWN_NAME",
            Some("KM-XXX"),
        ),
        // No TOML.
        (
            "id = \"kunming-employee\"",
            "id = kunming",
            "",
            Some("id = kunming"),
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        changed_pack(dir.path(), from, to);
        let packs = dir.path().to_str().unwrap();
        let file = dir.path().join("530100/employee.toml");
        let changed = fs::read_to_string(&file).unwrap();

        let told = run(["packs", "check", packs, "--json"], "").exit(3);
        let mistakes = told.json();
        let mistakes = mistakes.as_array().unwrap();
        assert!(!mistakes.is_empty(), "{to}");
        if !code.is_empty() {
            assert!(
                mistakes.iter().any(|mistake| mistake["code"] == code),
                "{code} in {mistakes:?}"
            );
        }
        for mistake in mistakes {
            assert_eq!(mistake["file"], json!(file.to_str().unwrap()));
            let line = usize::try_from(mistake["line"].as_u64().unwrap()).unwrap();
            assert!(line >= 1 && line <= changed.lines().count(), "{mistake}");
            assert_ne!(mistake["says"], "");
            assert_ne!(mistake["advice"], "");
        }
        if let Some(at) = at {
            assert_eq!(mistakes[0]["line"], json!(line_of(&changed, at)), "{mistakes:?}");
        }
        let words = run(["packs", "check", packs, "--lang", "en"], "").exit(3).out;
        let place = format!("{}:{}", file.display(), mistakes[0]["line"]);
        assert!(
            words.contains(&place) && words.contains("→"),
            "{place} in\n{words}"
        );

        // Nothing is split by a broken pack, nor by the built-in one in its stead.
        let told = split(&["--packs", packs], CLAIM).exit(3);
        assert!(
            told.err.starts_with("PACK_") && told.err.contains("employee.toml"),
            "{}",
            told.err
        );
        assert_eq!(told.out, "");
    }
    let nowhere = tempfile::tempdir().unwrap().path().join("nowhere");
    for args in [
        vec!["packs", "check", nowhere.to_str().unwrap()],
        vec!["packs", "--packs", nowhere.to_str().unwrap()],
        vec!["split", "--packs", nowhere.to_str().unwrap()],
    ] {
        run(args, CLAIM).exit(3).says("PACKS_DIR_UNREADABLE");
    }
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
