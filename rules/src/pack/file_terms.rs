//! The pack file's terms of persons and places, its layers, and what the counter is told, as they stand in TOML.

use serde::Deserialize;

use super::file::Word;
use crate::claim::Referral;

/// Terms of treatment elsewhere: the first region the visit meets; a visit that meets none is `local`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RegionFile {
    pub(super) name: Word,
    pub(super) source: Word,
    pub(super) article: Word,
    #[serde(default)]
    pub(super) treated_in: Vec<String>,
    #[serde(default)]
    pub(super) treated_outside: Vec<String>,
    #[serde(default)]
    pub(super) insured_in: Vec<String>,
    #[serde(default)]
    pub(super) referral: Vec<Referral>,
    #[serde(default)]
    pub(super) med_type: Vec<String>,
    /// The person pays in advance.
    #[serde(default)]
    pub(super) advance: bool,
}

/// An age group: everyone of this age and below the next group's.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AgeFile {
    pub(super) name: Word,
    pub(super) from: u8,
}

/// How the days of benefits follow from birth, enrolment and payment, where the registry does not say them.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EnrolmentFile {
    pub(super) year: Option<YearFile>,
    pub(super) newborn: Option<NewbornFile>,
    pub(super) waiting: Option<WaitingFile>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct YearFile {
    pub(super) source: Word,
    pub(super) article: Word,
    pub(super) paid_in_the_year: Word,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewbornFile {
    pub(super) source: Word,
    pub(super) article: Word,
    /// Absent: newborns only have no waiting period.
    pub(super) days: Option<Word>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WaitingFile {
    pub(super) source: Word,
    pub(super) article: Word,
    pub(super) months: Word,
    pub(super) months_max: Option<Word>,
    pub(super) months_each_missed_year: Option<Word>,
    pub(super) interrupted_months_min: Word,
    /// `late` or `in-time`
    pub(super) enrolled_in_the_year: Word,
}

/// What another fund pays of the scope that the benefits leave to the person, once for the bill.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LayerFile {
    pub(super) pool: Word,
    pub(super) source: Word,
    pub(super) article: Word,
    pub(super) benefits: Vec<Word>,
    /// Statuses it is for; none = everybody.
    #[serde(default)]
    pub(super) status: Vec<Word>,
    /// Only for civil servants.
    #[serde(default)]
    pub(super) civil_servant: bool,
    /// Parts of the person's burden it looks at; absent = `deductible` and `share`.
    #[serde(default)]
    pub(super) covers: Vec<Word>,
    pub(super) threshold: Option<Word>,
    /// How long threshold and bands last: `year` (absent) or `settlement`.
    pub(super) per: Option<Word>,
    /// Where its bands begin to count: `threshold` (absent) or `zero`.
    pub(super) bands_from: Option<Word>,
    #[serde(default)]
    pub(super) ratio: Vec<Word>,
    #[serde(default)]
    pub(super) times: Vec<Word>,
    /// Most it pays in one settlement.
    pub(super) at_most: Option<Word>,
}

/// Where complaints go, to be shown where the insured can see it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ComplaintsFile {
    pub(super) phone: String,
    pub(super) source: Word,
    pub(super) article: Word,
}

/// When nobody is asked to agree to what the fund does not look at.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConsentFile {
    pub(super) not_asked_med_type: Vec<String>,
    pub(super) source: Word,
    pub(super) article: Word,
}
