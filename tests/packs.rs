//! `yijie packs`, and `yijie split` with packs of a directory: replaced, listed, checked, broken, signed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong here fails the test"
)]

#[path = "packs/bundles.rs"]
mod bundles;
mod common;

use std::fs;
use std::path::Path;

use common::{Ended, files, run};
use serde_json::{Value, json};

const CLAIM: &str = include_str!("fixtures/ordinary-retired-level2.claim.json");
const KUNMING: &str = include_str!("../rules/packs/530100-kunming/employee.toml");

fn split(args: &[&str], stdin: &str) -> Ended {
    run([&["split"], args].concat(), stdin)
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
