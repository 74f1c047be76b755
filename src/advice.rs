//! What a cashier can do about each code: words in Chinese and English, one row a code.

mod counter;
mod keeping;
mod office;
mod statement;
mod till;

use yijie_rules::{CodeText, Lang, codes};

/// Words of one code.
#[derive(Debug, Clone, Copy)]
pub struct Advice {
    /// Stable code.
    pub code: &'static str,
    zh: &'static str,
    en: &'static str,
    advice_zh: &'static str,
    advice_en: &'static str,
}

impl Advice {
    /// What happened.
    #[must_use]
    pub fn text(&self, lang: Lang) -> &'static str {
        lang.pick(self.zh, self.en)
    }

    /// What to do now.
    #[must_use]
    pub fn advice(&self, lang: Lang) -> &'static str {
        lang.pick(self.advice_zh, self.advice_en)
    }
}

/// A table of [`Advice`]: code, then `what happened => what to do now` in Chinese and in English.
macro_rules! rows {
    ($($code:literal $zh:literal => $advice_zh:literal $en:literal => $advice_en:literal)*) => {
        &[$($crate::advice::Advice {
            code: $code, zh: $zh, en: $en, advice_zh: $advice_zh, advice_en: $advice_en,
        }),*]
    };
}
use rows;

/// Says that a code has no words.
const UNKNOWN: Advice = Advice {
    code: "UNKNOWN_CODE",
    zh: "这个代码没有文字说明。",
    en: "This code has no explanation.",
    advice_zh: "记下代码，告诉软件供应商；没有把握时不要重复收费。",
    advice_en: "Write the code down for the software vendor; if in doubt, do not charge again.",
};

/// Where the words of a code stand.
#[derive(Debug, Clone, Copy)]
pub enum Words {
    /// Here.
    Terminal(&'static Advice),
    /// With the rules, which word what a split leaves behind.
    Rules(&'static CodeText),
}

impl Words {
    /// Code that the words belong to: the one asked for, or `UNKNOWN_CODE`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Words::Terminal(row) => row.code,
            Words::Rules(row) => row.code.as_str(),
        }
    }

    /// What happened.
    #[must_use]
    pub fn text(self, lang: Lang) -> &'static str {
        match self {
            Words::Terminal(row) => row.text(lang),
            Words::Rules(row) => row.text(lang),
        }
    }

    /// What to do now.
    #[must_use]
    pub fn advice(self, lang: Lang) -> &'static str {
        match self {
            Words::Terminal(row) => row.advice(lang),
            Words::Rules(row) => row.advice(lang),
        }
    }
}

fn own() -> impl Iterator<Item = &'static Advice> {
    counter::ROWS
        .iter()
        .chain(statement::ROWS)
        .chain(till::ROWS)
        .chain(keeping::ROWS)
        .chain(office::ROWS)
        .chain(std::iter::once(&UNKNOWN))
}

/// Words of a code; those of `UNKNOWN_CODE` if it has none.
#[must_use]
pub fn find(code: &str) -> Words {
    let rules = || {
        codes()
            .iter()
            .find(|row| row.code.as_str() == code)
            .map(Words::Rules)
    };
    own()
        .find(|row| row.code == code)
        .map(Words::Terminal)
        .or_else(rules)
        .unwrap_or(Words::Terminal(&UNKNOWN))
}

/// What happened, for a code.
#[must_use]
pub fn text(code: &str, lang: Lang) -> &'static str {
    find(code).text(lang)
}

/// What to do now, for a code.
#[must_use]
pub fn advice(code: &str, lang: Lang) -> &'static str {
    find(code).advice(lang)
}

/// Every code that has words.
pub fn all() -> impl Iterator<Item = &'static str> {
    own()
        .map(|row| row.code)
        .chain(codes().iter().map(|row| row.code.as_str()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    /// Folders whose codes can reach the screen. What the sandbox answers is the agency's; only its errors count.
    const FOLDERS: [&str; 4] = ["src", "agency/src", "hardware/src", "offline-cache/src"];
    /// Beginnings of names of environment variables, which look like codes.
    const VARIABLES: [&str; 6] = ["CARGO_", "YIJIE_", "PCSCLITE_", "LC_", "XDG_", "WAYLAND_"];

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                found.push(path);
            }
        }
    }

    /// From `text`'s first brace to the one that closes it.
    fn body(text: &str) -> &str {
        let mut depth = 0_i32;
        for (at, c) in text.char_indices() {
            depth += i32::from(c == '{') - i32::from(c == '}');
            if c == '}' && depth == 0 {
                return &text[..at];
            }
        }
        text
    }

    /// Literals of nothing but capitals, digits and underscores, four or more.
    fn literals(text: &str) -> impl Iterator<Item = &str> {
        let shaped = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        text.match_indices('"').filter_map(move |(at, _)| {
            let rest = &text[at + 1..];
            let code = &rest[..rest.find(|c| !shaped(c))?];
            let whole = rest[code.len()..].starts_with('"') && code.len() >= 4;
            (whole && code.starts_with(|c: char| c.is_ascii_uppercase())).then_some(code)
        })
    }

    /// Every code the sources can show, and a file that has it.
    fn shown() -> BTreeMap<String, PathBuf> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        for folder in FOLDERS {
            sources(&root.join(folder), &mut files);
        }
        let mut found = BTreeMap::new();
        for path in files {
            let place = path.strip_prefix(root).unwrap().with_extension("");
            if place.starts_with("src/advice") || place.to_string_lossy().ends_with("_tests") {
                continue;
            }
            let whole = fs::read_to_string(&path).unwrap();
            let text = whole.split("\n#[cfg(test)]\nmod tests {").next().unwrap();
            for (at, _) in text.match_indices("fn code(") {
                found.extend(literals(body(&text[at..])).map(|code| (code.to_owned(), place.clone())));
            }
            if !place.starts_with("agency/src/sandbox") {
                let codes = literals(text).filter(|text| text.contains('_'));
                let codes = codes.filter(|text| !VARIABLES.iter().any(|name| text.starts_with(name)));
                found.extend(codes.map(|code| (code.to_owned(), place.clone())));
            }
        }
        found
    }

    #[test]
    fn every_code_of_the_sources_has_words() {
        let shown = shown();
        for sample in [
            "NO_READER",
            "CARD_LOCKED",
            "SCANNER_UNPLUGGED",
            "AGENCY_TIMEOUT",
            "TLS_KEY_MISSING",
            "DISK_FULL",
            "JOURNAL_BROKEN",
            "VAULT_WRONG_KEY",
            "BOOKS_STALLED",
            "VERIFY_FIRST",
            "CARD_LOST",
            "PIN_NOT_RIGHT",
            "SIGNED_IN_OFFLINE",
            "OFFLINE_LIMIT_SALE",
            "SCANNER_GARBAGE",
            "REVERSAL_REFUSED",
        ] {
            assert!(
                shown.contains_key(sample),
                "the search of the sources misses {sample}"
            );
        }
        let known: Vec<&str> = all().collect();
        let silent: Vec<_> = shown
            .iter()
            .filter(|(code, _)| !known.contains(&code.as_str()))
            .collect();
        assert!(silent.is_empty(), "codes without words: {silent:#?}");
    }

    #[test]
    fn every_code_stands_once() {
        let mut known: Vec<&str> = all().collect();
        known.sort_unstable();
        let twice: Vec<_> = known.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(twice.is_empty(), "{twice:?}");
    }

    #[test]
    fn words_are_short_whole_sentences() {
        for row in own() {
            for text in [row.zh, row.advice_zh] {
                assert!(
                    text.ends_with('。') && (5..=30).contains(&text.chars().count()),
                    "{}: {text}",
                    row.code
                );
                assert!(!text.contains([',', ';', '(', '!', '！']), "{}: {text}", row.code);
            }
            for text in [row.en, row.advice_en] {
                assert!(
                    text.is_ascii() && text.ends_with('.') && (12..=90).contains(&text.len()),
                    "{}: {text}",
                    row.code
                );
            }
        }
    }

    #[test]
    fn words_are_found_here_and_with_the_rules() {
        for code in all() {
            let words = find(code);
            assert_eq!(words.code(), code);
            assert_eq!(text(code, Lang::Zh), words.text(Lang::Zh));
            assert_ne!(words.advice(Lang::Zh), words.advice(Lang::En), "{code}");
        }
        assert!(matches!(find("NO_CARD"), Words::Terminal(_)));
        assert!(matches!(find("NO_PACK"), Words::Rules(_)));
        for none in ["", "no_card", "NO_SUCH_CODE"] {
            assert_eq!(find(none).code(), "UNKNOWN_CODE", "{none}");
        }
    }
}
