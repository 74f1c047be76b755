//! What counts as a drug's trace code (药品追溯码): 20 digits, or what a till's settings say.
//!
//! Most codes have 20 digits, but importers and makers use schemes of their own, and the insurance's field
//! (drug_trac_codg) holds 30 characters. A rule gives the lengths, how a code begins, and of what it is made.

use serde::{Deserialize, Serialize};

/// Longest code the insurance's field holds.
const LENGTH_MAX: usize = 30;
/// A shorter code is no trace code: bar codes of goods are as short.
const LENGTH_MIN: usize = 15;
/// The national form: 20 digits.
const LENGTH_USUAL: usize = 20;

/// One kind of trace code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceCodeRule {
    /// How many characters it may have.
    pub lengths: Vec<usize>,
    /// How it may begin; anyhow, where none is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prefixes: Vec<String>,
    /// Letters are allowed too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub letters: bool,
}

/// The kinds of trace code a till knows; any of them will do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<TraceCodeRule>", into = "Vec<TraceCodeRule>")]
pub struct TraceCodes(Vec<TraceCodeRule>);

/// Why rules for trace codes cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TraceCodeError {
    /// There is no rule at all.
    #[error("there must be at least one rule")]
    None,
    /// A rule allows no length, or one that no trace code has.
    #[error("rule {rule}: lengths must be from {LENGTH_MIN} to {LENGTH_MAX}")]
    Lengths {
        /// Which rule, counted from 1.
        rule: usize,
    },
    /// Without a beginning, the rule would take patients' medical-insurance codes for goods.
    #[error("rule {rule}: codes of another form than {LENGTH_USUAL} digits need prefixes")]
    PrefixNeeded {
        /// Which rule, counted from 1.
        rule: usize,
    },
    /// No code of the rule can begin so.
    #[error("rule {rule}: no code of it can begin with {prefix:?}")]
    Prefix {
        /// Which rule, counted from 1.
        rule: usize,
        /// The beginning.
        prefix: String,
    },
}

impl Default for TraceCodes {
    fn default() -> Self {
        Self(vec![TraceCodeRule {
            lengths: vec![LENGTH_USUAL],
            prefixes: Vec::new(),
            letters: false,
        }])
    }
}

impl TryFrom<Vec<TraceCodeRule>> for TraceCodes {
    type Error = TraceCodeError;

    fn try_from(rules: Vec<TraceCodeRule>) -> Result<Self, TraceCodeError> {
        if rules.is_empty() {
            return Err(TraceCodeError::None);
        }
        for (rule, number) in rules.iter().zip(1..) {
            rule.check(number)?;
        }
        Ok(Self(rules))
    }
}

impl From<TraceCodes> for Vec<TraceCodeRule> {
    fn from(codes: TraceCodes) -> Self {
        codes.0
    }
}

impl TraceCodes {
    /// Whether a text is a trace code.
    pub fn fit(&self, text: &str) -> bool {
        self.0.iter().any(|rule| rule.fits(text))
    }
}

impl TraceCodeRule {
    fn check(&self, number: usize) -> Result<(), TraceCodeError> {
        let possible = |length: &usize| (LENGTH_MIN..=LENGTH_MAX).contains(length);
        if self.lengths.is_empty() || !self.lengths.iter().all(possible) {
            return Err(TraceCodeError::Lengths { rule: number });
        }
        if self.prefixes.is_empty() && (self.letters || self.lengths != [LENGTH_USUAL]) {
            return Err(TraceCodeError::PrefixNeeded { rule: number });
        }
        let shortest = self.lengths.iter().min().copied().unwrap_or_default();
        let impossible = |prefix: &&String| {
            prefix.is_empty() || prefix.len() > shortest || !prefix.bytes().all(|byte| self.allows(byte))
        };
        match self.prefixes.iter().find(impossible) {
            Some(prefix) => Err(TraceCodeError::Prefix {
                rule: number,
                prefix: prefix.clone(),
            }),
            None => Ok(()),
        }
    }

    fn allows(&self, byte: u8) -> bool {
        byte.is_ascii_digit() || (self.letters && byte.is_ascii_alphanumeric())
    }

    fn fits(&self, text: &str) -> bool {
        self.lengths.contains(&text.len())
            && text.bytes().all(|byte| self.allows(byte))
            && (self.prefixes.is_empty() || self.prefixes.iter().any(|prefix| text.starts_with(prefix)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(json: &str) -> Result<TraceCodes, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn twenty_digits_unless_the_till_says_otherwise() {
        let usual = TraceCodes::default();
        assert!(usual.fit("81773220288616423835"));
        for other in [
            "8177322028861642383",
            "817732202886164238350",
            "8177322028861642383A",
            "",
        ] {
            assert!(!usual.fit(other), "{other}");
        }
        let own = rules(
            r#"[{"lengths": [20], "prefixes": ["81", "83"]}, {"lengths": [24, 26], "prefixes": ["IMPORT"], "letters": true}]"#,
        );
        let own = own.unwrap();
        for (code, fits) in [
            ("81773220288616423835", true),
            ("83857930000879766660", true),
            ("69773220288616423835", false),
            ("IMPORT0000000000000000AB", true),
            ("IMPORT0000000000000000AB12", true),
            ("IMPORT0000000000000000AB1", false),
            ("IMPORT-000000000000000AB", false),
            ("EXPORT0000000000000000AB", false),
        ] {
            assert_eq!(own.fit(code), fits, "{code}");
        }
        let again = serde_json::to_string(&own).unwrap();
        assert_eq!(rules(&again), Ok(own));
    }

    #[test]
    fn a_rule_that_fits_nothing_or_everything_is_refused() {
        for (json, told) in [
            ("[]", "at least one rule"),
            (r#"[{"lengths": []}]"#, "rule 1: lengths"),
            (r#"[{"lengths": [20]}, {"lengths": [13]}]"#, "rule 2: lengths"),
            (r#"[{"lengths": [31]}]"#, "rule 1: lengths"),
            (r#"[{"lengths": [20, 28]}]"#, "rule 1: codes of another form"),
            (r#"[{"lengths": [20], "letters": true}]"#, "need prefixes"),
            (r#"[{"lengths": [20], "prefixes": ["8A"]}]"#, "begin with \"8A\""),
            (r#"[{"lengths": [20], "prefixes": [""]}]"#, "begin with \"\""),
            (r#"[{"lengths": [20], "pattern": "8*"}]"#, "unknown field"),
        ] {
            let error = rules(json).unwrap_err();
            assert!(error.contains(told), "{json}: {error}");
        }
    }
}
