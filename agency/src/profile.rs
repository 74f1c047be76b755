//! Profiles: what a province does differently, as data (one TOML each).

use serde::Deserialize;

/// How one province's gateway wants to be spoken to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Name by which the profile is chosen.
    pub name: String,
    /// What it is, for people.
    pub title: String,
    /// Path of a transaction below the agency's address; `{infno}` stands for the transaction number.
    pub path: String,
    /// Path of the medical-insurance code decoder.
    pub ec_query_path: String,
    /// Receiving system (接收方系统代码).
    pub recer_sys_code: String,
    /// Interface version.
    pub infver: String,
    /// Signature type of the envelope; empty when the envelope is not signed.
    pub signtype: String,
    /// infcode -1 leaves a money transaction in doubt instead of refusing it.
    pub system_error_unknown: bool,
    /// A repeated msgid gets the first answer again.
    pub repeated_msgid_idempotent: bool,
    /// The claim travels in exp_content, for an agency that recomputes from it.
    pub claim_in_exp_content: bool,
    /// Reconciliation.
    pub statement: StatementStyle,
}

/// How a province writes its reconciliation (3201, 3202).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatementStyle {
    /// Values of stmt_rslt: both sides agree.
    pub balanced: Vec<String>,
    /// The agency holds more.
    pub agency_more: Vec<String>,
    /// The terminal holds more.
    pub terminal_more: Vec<String>,
    /// Both hold it, with other amounts.
    pub differs: Vec<String>,
    /// Between the cells of the file of 3202 and of its result.
    pub separator: String,
    /// What stands in an empty cell.
    pub null: String,
    /// The file has an eighth column, exp_content.
    pub exp_content_column: bool,
}

/// A profile that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// No built-in profile has this name.
    #[error("no profile is called {name:?}")]
    NotFound {
        /// The name asked for.
        name: String,
    },
    /// The TOML can't be read.
    #[error("the profile can't be read")]
    Unreadable {
        /// Why.
        #[source]
        source: Box<toml::de::Error>,
    },
}

impl ProfileError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            ProfileError::NotFound { .. } => "PROFILE_NOT_FOUND",
            ProfileError::Unreadable { .. } => "PROFILE_UNREADABLE",
        }
    }
}

const BUILT_IN: [(&str, &str); 1] = [("plain", include_str!("../profiles/plain.toml"))];

impl Profile {
    /// A built-in profile by name.
    pub fn built_in(name: &str) -> Result<Profile, ProfileError> {
        let found = BUILT_IN.iter().find(|(known, _)| *known == name);
        let (_, text) = found.ok_or_else(|| ProfileError::NotFound {
            name: name.to_owned(),
        })?;
        Profile::from_toml(text)
    }

    /// A profile from its TOML text.
    pub fn from_toml(text: &str) -> Result<Profile, ProfileError> {
        toml::from_str(text).map_err(|source| ProfileError::Unreadable {
            source: Box::new(source),
        })
    }

    /// Path of a transaction below the agency's address.
    pub fn path_of(&self, infno: &str) -> String {
        self.path.replace("{infno}", infno)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_profile_loads_under_its_name() {
        for (name, _) in BUILT_IN {
            assert_eq!(Profile::built_in(name).unwrap().name, name);
        }
        assert_eq!(
            Profile::built_in("nowhere").unwrap_err().code(),
            "PROFILE_NOT_FOUND"
        );
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        let text = format!("{}\nsurprise = 1\n", BUILT_IN[0].1);
        assert_eq!(
            Profile::from_toml(&text).unwrap_err().code(),
            "PROFILE_UNREADABLE"
        );
    }
}
