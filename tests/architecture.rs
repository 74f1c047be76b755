//! Who may know whom, which file names which foreign library, and that every invariant of ARCHITECTURE.md has its test.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong here fails the test"
)]

use std::fs;
use std::path::{Path, PathBuf};

const CRATES: [&str; 6] = [".", "rules", "agency", "hardware", "offline-cache", "ui"];
/// Which crates of this workspace each may depend on, in whatever way.
const MAY_KNOW: [(&str, &[&str]); 5] = [
    ("rules", &[]),
    ("agency", &["yijie-rules"]),
    ("hardware", &[]),
    ("offline-cache", &[]),
    ("ui", &[]),
];
/// What the desk and the words of the codes have no business with.
const IMPURE: [&str; 18] = [
    "std::fs",
    "std::net",
    "std::thread",
    "std::process",
    "std::env",
    "std::io",
    "std::os",
    "std::sync::mpsc",
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "Zoned::now",
    "now_ms()",
    "tokio",
    "slint",
    "crate::books::Books",
    "crate::runtime",
    "crate::devices",
];
/// The one file that names each foreign library of note.
const NAMED_BY: [(&str, &str); 12] = [
    ("axum", "src/commands/serve.rs"),
    ("ab_glyph", "hardware/src/typeface.rs"),
    ("krilla", "hardware/src/pdf.rs"),
    ("qrcode", "hardware/src/pdf.rs"),
    ("pcsc", "hardware/src/pcsc.rs"),
    ("serialport", "hardware/src/serial.rs"),
    ("sled", "offline-cache/src/store.rs"),
    ("reqwest", "agency/src/client/http.rs"),
    ("sm2", "agency/src/gm.rs"),
    ("sm3", "agency/src/gm.rs"),
    ("sm4", "agency/src/gm.rs"),
    ("zip", "agency/src/zip_text.rs"),
];
const INVARIANTS_MIN: usize = 20;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Rust files of a folder and below.
fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Files of the program itself, by their path in the repository, without those that only hold tests.
fn program() -> Vec<(String, String)> {
    let mut files = Vec::new();
    for part in CRATES.iter().filter(|part| **part != "ui") {
        let dir = root().join(part).join("src");
        let found = sources(&dir);
        assert!(!found.is_empty(), "{} is empty", dir.display());
        for path in found {
            let name = path.strip_prefix(root()).unwrap().display().to_string();
            let name = name.trim_start_matches("./").to_owned();
            if !name.ends_with("tests.rs") && !name.ends_with("simulated.rs") {
                files.push((name, code_of(&read(&path))));
            }
        }
    }
    files
}

/// A file's text without comments and without its tests, which stand at its end.
fn code_of(text: &str) -> String {
    let tests = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    text[..tests]
        .lines()
        .map(|line| {
            let comment = if line.trim_start().starts_with("//") {
                0
            } else {
                line.find(" // ").unwrap_or(line.len())
            };
            format!("{}\n", &line[..comment])
        })
        .collect()
}

/// Whether a word stands in a text, not as part of a longer one or of a path.
fn names(text: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        let ends = word.ends_with(':') || !after.is_some_and(|c| c.is_alphanumeric() || c == '_');
        ends && !before.is_some_and(part_of_word)
    })
}

/// Whether a text reaches into a library: `sled::`, `use sled`, `::sled`; not `crate::sled::`.
fn names_library(text: &str, library: &str) -> bool {
    let absolute = text.match_indices(&format!("::{library}")).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '>')
    });
    absolute || names(text, &format!("{library}::")) || names(text, &format!("use {library}"))
}

#[test]
fn the_desk_and_the_words_touch_no_file_socket_clock_or_thread() {
    let mut seen = 0;
    for (name, code) in program() {
        let pure = ["src/desk.rs", "src/desk/", "src/advice.rs", "src/advice/"];
        if !pure.iter().any(|part| name.starts_with(part)) {
            continue;
        }
        seen += 1;
        for impure in IMPURE {
            assert!(!names(&code, impure), "{name} names {impure}");
        }
    }
    assert!(seen >= 8, "only {seen} files of desk and advice were found");
    // The check itself sees what it looks for.
    assert!(names("use std::fs;", "std::fs") && names("let t = Instant::now();", "Instant"));
    assert!(names_library("use ::sled::Tree;", "sled") && names_library("sled::open()", "sled"));
    assert!(!names_library("crate::sled::Tree", "sled"));
    assert!(!names("my_tokio_like", "tokio") && !names("crate::sled::Tree", "sled"));
}

#[test]
fn the_rules_are_pure() {
    for (name, code) in program() {
        if name.starts_with("rules/src/") {
            for impure in [
                "std::fs",
                "std::net",
                "std::thread",
                "std::process",
                "std::env",
                "SystemTime",
                "Instant",
            ] {
                assert!(!names(&code, impure), "{name} names {impure}");
            }
        }
    }
}

#[test]
fn the_leaf_crates_know_neither_each_other_nor_the_terminal() {
    for (part, may_know) in MAY_KNOW {
        let manifest: toml::Table = read(&root().join(part).join("Cargo.toml")).parse().unwrap();
        let tables = ["dependencies", "dev-dependencies", "build-dependencies"];
        let targets = manifest
            .get("target")
            .and_then(toml::Value::as_table)
            .into_iter()
            .flatten();
        let all = targets
            .filter_map(|(_, target)| target.as_table())
            .chain([&manifest])
            .flat_map(|table| tables.iter().filter_map(|name| table.get(*name)?.as_table()));
        let mut known = 0;
        for (name, what) in all.flatten() {
            known += 1;
            let package = what.get("package").and_then(toml::Value::as_str).unwrap_or(name);
            assert!(
                !package.starts_with("yijie") || may_know.contains(&package),
                "{part}/Cargo.toml names {package}"
            );
            let path = what.get("path").and_then(toml::Value::as_str);
            assert_eq!(path, None, "{part}/Cargo.toml takes {name} by a path");
        }
        assert!(known > 0, "{part} has no dependencies?");
    }
}

#[test]
fn one_file_names_each_foreign_library() {
    let files = program();
    for (library, place) in NAMED_BY {
        let naming: Vec<&str> = files
            .iter()
            // A module of the same name is not the library.
            .filter(|(name, code)| name == place || !code.contains(&format!("mod {library};")))
            .filter(|(_, code)| names_library(code, library))
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(naming, [place], "{library}");
    }
}

#[test]
fn no_float_is_in_the_program() {
    // Where a font or a page is drawn, the libraries measure in floats; no amount gets there but as text.
    let drawing = ["hardware/src/typeface.rs", "hardware/src/pdf.rs"];
    for (name, code) in program() {
        if drawing.contains(&name.as_str()) {
            continue;
        }
        for float in ["f32", "f64"] {
            assert!(!names(&code, float), "{name} names {float}");
        }
    }
}

#[test]
fn every_file_says_first_what_it_is_for() {
    for part in CRATES {
        for folder in ["src", "tests", "benches"] {
            let dir = root().join(part).join(folder);
            if !dir.is_dir() {
                continue;
            }
            for path in sources(&dir) {
                assert!(read(&path).starts_with("//! "), "{}", path.display());
            }
        }
    }
}

/// The rows of the table under "## Invariants": what is promised, and the tests named for it.
fn invariants() -> Vec<(String, Vec<(String, String)>)> {
    let text = read(&root().join("ARCHITECTURE.md"));
    let section = text.split("\n## Invariants\n").nth(1);
    let section = section.unwrap_or_else(|| panic!("ARCHITECTURE.md has no section Invariants"));
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| ")).skip(1);
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        assert_eq!(cells.len(), 2, "{row}");
        let mut tests: Vec<(String, String)> = Vec::new();
        for reference in cells[1].split('`').skip(1).step_by(2) {
            let (path, name) = reference
                .rsplit_once("::")
                .unwrap_or_else(|| panic!("{reference} in {row}"));
            let path = if path.is_empty() {
                tests.last().unwrap().0.clone()
            } else {
                path.to_owned()
            };
            tests.push((path, name.to_owned()));
        }
        (cells[0].to_owned(), tests)
    })
    .collect()
}

/// Whether a file has a test of this name, or is itself a test with a `main` of its own.
fn has_test(path: &str, name: &str) -> bool {
    let text = read(&root().join(path));
    let Some(at) = text.find(&format!("fn {name}(")) else {
        return false;
    };
    if name == "main" {
        let part = path.split("/tests/").next().unwrap();
        let manifest = read(&root().join(part).join("Cargo.toml"));
        return manifest.contains("harness = false");
    }
    // Attributes and doc comments stand right above.
    let above = text[..at]
        .rfind("\n\n")
        .map_or(&text[..at], |blank| &text[blank..at]);
    above.contains("#[test]") || above.contains("#[tokio::test")
}

#[test]
fn every_invariant_names_tests_that_exist() {
    let rows = invariants();
    assert!(rows.len() >= INVARIANTS_MIN, "only {} invariants", rows.len());
    assert!(!has_test("tests/architecture.rs", "no_such_test"));
    assert!(!has_test("tests/architecture.rs", "has_test"));
    for (promise, tests) in rows {
        assert!(!tests.is_empty(), "no test is named for: {promise}");
        for (path, name) in tests {
            assert!(root().join(&path).is_file(), "{path}, named for: {promise}");
            assert!(
                has_test(&path, &name),
                "{path} has no test {name}, named for: {promise}"
            );
        }
    }
}
