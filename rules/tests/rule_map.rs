//! docs/rules.md is held to what is there: every rule of the catalogue once, and every test, file and pack entry it names.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Rules of the catalogue, R-001 to R-213 with gaps between its groups.
const RULES: usize = 142;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

struct Row {
    rule: String,
    kind: String,
    place: String,
    tests: String,
}

fn rows() -> Vec<Row> {
    let page = fs::read_to_string(root().join("docs/rules.md")).unwrap();
    let of = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        assert_eq!(cells.len(), 5, "{line}");
        Row {
            rule: cells[0].to_owned(),
            kind: cells[2].to_owned(),
            place: cells[3].to_owned(),
            tests: cells[4].to_owned(),
        }
    };
    page.lines()
        .filter(|line| line.starts_with("| R-"))
        .map(of)
        .collect()
}

/// Everything between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Titles of the cases of each sheet, by its number.
fn titles() -> BTreeMap<String, Vec<String>> {
    let mut titles = BTreeMap::new();
    for entry in fs::read_dir(root().join("rules/tests/cases")).unwrap() {
        let path = entry.unwrap().path();
        let sheet: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let of = |case: &Value| case["about"].as_str().unwrap().to_owned();
        let number = path.file_name().unwrap().to_str().unwrap()[..2].to_owned();
        titles.insert(
            number,
            sheet["cases"].as_array().unwrap().iter().map(of).collect(),
        );
    }
    titles
}

fn all_text(folder: &str, ending: &str) -> String {
    let mut open = vec![root().join(folder)];
    let mut text = String::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|found| found == ending) {
            text.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
    text
}

#[test]
fn every_rule_stands_once_in_order() {
    let rows = rows();
    assert_eq!(rows.len(), RULES);
    assert!(rows.windows(2).all(|pair| pair[0].rule < pair[1].rule));
    for row in &rows {
        let done = row.tests != "–";
        let told = ["not at the counter", "not a sale", "agency", "journal"];
        let told = told.iter().any(|words| row.place.contains(words));
        assert!(
            done || told,
            "{} ({}) has neither test nor reason",
            row.rule,
            row.kind
        );
    }
}

#[test]
fn every_test_it_names_is_there() {
    let titles = titles();
    for row in rows() {
        for test in row.tests.split("; ").filter(|test| *test != "–") {
            if let Some(case) = test.strip_prefix("cases/") {
                let (sheet, words) = case.split_once(' ').unwrap();
                let found = titles
                    .get(sheet)
                    .is_some_and(|list| list.iter().any(|title| title.starts_with(words)));
                assert!(
                    found,
                    "{}: no case of sheet {sheet} begins with {words:?}",
                    row.rule
                );
                continue;
            }
            let (file, function) = test.trim_matches('`').split_once("::").unwrap();
            let path = if file.contains('/') {
                root().join(file)
            } else {
                root().join("rules/tests").join(file)
            };
            let text = fs::read_to_string(&path).unwrap_or_default();
            assert!(text.contains(&format!("fn {function}(")), "{}: {test}", row.rule);
        }
    }
}

#[test]
fn every_file_and_pack_entry_it_names_is_there() {
    let packs = all_text("rules/packs", "toml");
    let sources = all_text("rules/src", "rs") + &all_text("src", "rs");
    for row in rows() {
        for name in quoted(&row.place).filter(|name| !name.contains("yijie ")) {
            let found = if name.ends_with(".rs") {
                ["", "rules/src/"]
                    .iter()
                    .any(|folder| root().join(folder).join(name).exists())
            } else {
                let part_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
                let mut words = name
                    .split(|c| !part_of_name(c))
                    .map(|word| word.trim_matches('-'));
                words.all(|word| packs.contains(word) || sources.contains(word))
            };
            assert!(found, "{}: {name}", row.rule);
        }
    }
}
