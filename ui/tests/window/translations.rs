//! Every fixed text is translatable and translated: read from the sources themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const PO: &str = include_str!("../../lang/en/LC_MESSAGES/yijie-ui.po");

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("tests") {
            sources(&path, found);
        } else if path.extension().is_some_and(|ext| ext == "slint") {
            found.push(path);
        }
    }
}

/// Name and text of each .slint file, comments taken out.
fn slint_files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    sources(root, &mut paths);
    assert!(paths.len() > 20, "the sources are found");
    paths
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let code: Vec<&str> = text
                .lines()
                .map(|line| line.split("//").next().unwrap())
                .collect();
            (
                path.strip_prefix(root).unwrap().display().to_string(),
                code.join("\n"),
            )
        })
        .collect()
}

/// Each string literal with what stands before it.
fn literals(code: &str) -> Vec<(&str, String)> {
    let mut found = Vec::new();
    let mut rest = 0;
    while let Some(start) = code[rest..].find('"').map(|at| at + rest) {
        let mut end = start + 1;
        while !code[end..].starts_with('"') {
            end += if code[end..].starts_with('\\') {
                2
            } else {
                code[end..].chars().next().unwrap().len_utf8()
            };
        }
        found.push((&code[..start], code[start + 1..end].to_owned()));
        rest = end + 1;
    }
    found
}

fn translations() -> BTreeMap<String, String> {
    let unquote = |line: &str| line.trim().trim_matches('"').to_owned();
    let mut map = BTreeMap::new();
    let mut id = String::new();
    for line in PO.lines() {
        if let Some(rest) = line.strip_prefix("msgid ") {
            id = unquote(rest);
        } else if let Some(rest) = line.strip_prefix("msgstr ") {
            assert!(
                map.insert(id.clone(), unquote(rest)).is_none(),
                "{id:?} stands twice in the .po file"
            );
        }
    }
    map.remove("");
    map
}

fn marked() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (_, code) in slint_files() {
        found.extend(
            literals(&code)
                .into_iter()
                .filter(|(before, _)| before.ends_with("@tr("))
                .map(|(_, text)| text),
        );
    }
    found
}

fn placeholders(text: &str) -> BTreeSet<char> {
    text.split('{')
        .skip(1)
        .filter_map(|rest| rest.chars().next())
        .collect()
}

#[test]
fn every_marked_text_has_an_english_one() {
    let english = translations();
    let marked = marked();
    assert!(marked.len() > 80);
    let missing: Vec<&String> = marked
        .iter()
        .filter(|text| english.get(*text).is_none_or(String::is_empty))
        .collect();
    assert!(missing.is_empty(), "no English for {missing:?}");
    let stale: Vec<&String> = english.keys().filter(|text| !marked.contains(*text)).collect();
    assert!(stale.is_empty(), "no longer used: {stale:?}");
    for (zh, en) in &english {
        assert_eq!(placeholders(zh), placeholders(en), "{zh:?} / {en:?}");
        assert!(
            !en.chars()
                .any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter)),
            "{en:?}"
        );
    }
}

#[test]
fn no_fixed_text_goes_round_the_translation() {
    // Names of keys, of the two languages in themselves, of the font, and file paths are the same in every language.
    let same = |before: &str, text: &str| {
        let code = before.trim_end();
        code.ends_with("@tr(")
            || code.ends_with("key:")
            || code.ends_with("accept-key: string =")
            || code.ends_with("accept-key:")
            || code.ends_with("import")
            || code.ends_with("from")
            || ["zh", "en", "中文", "English", "Noto Sans SC"].contains(&text)
            || (code.ends_with('?') || code.ends_with(':')) && text.starts_with('F') && text.contains("\\{")
    };
    let mut loose = Vec::new();
    for (file, code) in slint_files() {
        for (before, text) in literals(&code) {
            let mut shown = String::new();
            let mut inside = false;
            for letter in text.replace("\\{", "\u{1}").chars() {
                inside = if letter == '\u{1}' {
                    true
                } else {
                    inside && letter != '}'
                };
                if !inside && letter.is_alphabetic() {
                    shown.push(letter);
                }
            }
            if !shown.is_empty() && !same(before, &text) {
                loose.push(format!("{file}: {text:?}"));
            }
        }
    }
    assert!(loose.is_empty(), "not in @tr: {loose:#?}");
}
