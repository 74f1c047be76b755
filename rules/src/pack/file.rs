//! The pack file as it stands in TOML: what may be written, before any of it is checked against the rest.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::file_terms::{AgeFile, ComplaintsFile, ConsentFile, EnrolmentFile, LayerFile, RegionFile};
use crate::claim::{Cause, Goods};

/// Text that remembers its place in the file.
pub(super) type Word = Spanned<String>;

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PackFile {
    pub(super) id: Word,
    pub(super) version: String,
    pub(super) title: String,
    pub(super) area: Word,
    pub(super) insutype: Vec<String>,
    pub(super) from: Spanned<Datetime>,
    pub(super) until: Option<Spanned<Datetime>>,
    #[serde(default)]
    pub(super) source: Vec<SourceFile>,
    #[serde(default)]
    pub(super) reading: Vec<ReadingFile>,
    pub(super) level: LevelFile,
    pub(super) status: BTreeMap<String, Vec<Word>>,
    pub(super) dates: DatesFile,
    #[serde(default)]
    pub(super) disease: DiseaseFile,
    pub(super) article: ArticlesFile,
    pub(super) goods: GoodsFile,
    pub(super) consent: Option<ConsentFile>,
    pub(super) complaints: Option<ComplaintsFile>,
    #[serde(default)]
    pub(super) cause: Vec<CauseFile>,
    #[serde(default)]
    pub(super) region: Vec<RegionFile>,
    #[serde(default)]
    pub(super) age: Vec<AgeFile>,
    /// Rows of the tables by turn; absent = first, later.
    #[serde(default)]
    pub(super) turns: Vec<Word>,
    pub(super) enrolment: Option<EnrolmentFile>,
    pub(super) accounts: AccountsFile,
    #[serde(default)]
    pub(super) parameter: BTreeMap<String, Spanned<ParameterFile>>,
    #[serde(default)]
    pub(super) pool: Vec<Spanned<PoolFile>>,
    #[serde(default)]
    pub(super) benefit: Vec<Spanned<BenefitFile>>,
    #[serde(default)]
    pub(super) layer: Vec<LayerFile>,
    pub(super) offline: Option<OfflineFile>,
}

/// A file that replaces or adds parameters and readings of another pack by name.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OverlayFile {
    pub(super) overlay: Word,
    pub(super) version: String,
    #[serde(default)]
    pub(super) source: Vec<SourceFile>,
    #[serde(default)]
    pub(super) reading: Vec<ReadingFile>,
    #[serde(default)]
    pub(super) parameter: BTreeMap<String, Spanned<ParameterFile>>,
    #[serde(default)]
    pub(super) pool: Vec<Spanned<PoolFile>>,
    #[serde(default)]
    pub(super) layer: Vec<LayerFile>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceFile {
    pub(super) id: Word,
    pub(super) title: String,
    pub(super) name: String,
    pub(super) grade: crate::outcome::Grade,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadingFile {
    pub(super) name: Word,
    pub(super) value: String,
    pub(super) question: String,
    pub(super) because: String,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LevelFile {
    pub(super) known: Vec<Word>,
    pub(super) otherwise: Word,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DatesFile {
    pub(super) inpatient_med_type: Vec<String>,
    pub(super) inpatient: Word,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct DiseaseFile {
    pub(super) classes: Vec<String>,
    pub(super) by_code: Vec<DiseaseCodeFile>,
    pub(super) by_med_type: Vec<DiseaseMedTypeFile>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DiseaseCodeFile {
    pub(super) code: String,
    pub(super) benefit: Word,
    pub(super) class: Option<Word>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DiseaseMedTypeFile {
    pub(super) med_type: String,
    pub(super) benefit: Word,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CiteFile {
    pub(super) source: Word,
    pub(super) article: Word,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ArticlesFile {
    pub(super) scope: CiteFile,
    pub(super) first_self_pay: CiteFile,
    pub(super) goods: CiteFile,
    pub(super) price: CiteFile,
    pub(super) insured: CiteFile,
    pub(super) person_suspended: CiteFile,
    pub(super) institution_suspended: CiteFile,
    pub(super) account: CiteFile,
    pub(super) family: CiteFile,
    pub(super) cash: CiteFile,
    pub(super) grassroots: Option<CiteFile>,
    pub(super) department_suspended: Option<CiteFile>,
    pub(super) practitioner: Option<CiteFile>,
    pub(super) quantity: Option<CiteFile>,
    pub(super) disease_item: Option<CiteFile>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GoodsFile {
    pub(super) excluded: Vec<Goods>,
    #[serde(default)]
    pub(super) uncoded_at_pharmacy: Vec<Goods>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CauseFile {
    pub(super) cause: Cause,
    pub(super) source: Word,
    pub(super) article: Word,
    pub(super) account: Word,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountsFile {
    /// Whether the scheme has personal accounts; absent = yes.
    pub(super) own: Option<Word>,
    pub(super) relations: Vec<Word>,
    pub(super) family_area: Word,
    pub(super) pays_out_of_scope: Word,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ParameterFile {
    pub(super) title: String,
    pub(super) unit: Unit,
    #[serde(default)]
    pub(super) by: Vec<Axis>,
    #[serde(default)]
    pub(super) value: Vec<Spanned<ValueFile>>,
    /// 0 = the pack's own file, 1… = the overlays in order.
    #[serde(skip)]
    pub(super) origin: usize,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ValueFile {
    pub(super) from: Datetime,
    pub(super) until: Option<Datetime>,
    pub(super) source: Word,
    pub(super) article: Word,
    pub(super) value: Option<Word>,
    pub(super) table: Option<Spanned<toml::Table>>,
    /// Lower bounds in yuan of a table by band, from "0.00" up.
    #[serde(default)]
    pub(super) bands: Vec<Word>,
    #[serde(default)]
    pub(super) not_published: bool,
}

/// What a parameter measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unit {
    /// Yuan, two decimals.
    Yuan,
    /// A share, up to six decimals.
    Ratio,
    /// Whole days.
    Days,
    /// Whole months.
    Months,
}

/// What a table's rows are chosen by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Axis {
    /// Level of the institution.
    Level,
    /// Active or retired.
    Status,
    /// Class of the registered disease; `other` for every class that is not named.
    Disease,
    /// Where the person is treated; `local`, and the pack's regions.
    Region,
    /// Age group.
    Age,
    /// How often the year has seen the benefit before: `first`, `later`, or the pack's own names.
    Turn,
    /// Amount, by the lower bounds the value gives; the last axis.
    Band,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PoolFile {
    pub(super) id: Word,
    pub(super) title: String,
    pub(super) fund_pay_type: String,
    pub(super) column: super::Column,
    pub(super) limit: Option<LimitFile>,
    /// The pool whose limit this one's payments count with too.
    pub(super) within: Option<Word>,
    /// The article that says there is no limit.
    pub(super) unlimited: Option<CiteFile>,
    /// The insurance of its own that it needs.
    pub(super) needs: Option<NeedsFile>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NeedsFile {
    pub(super) insutype: String,
    pub(super) source: Word,
    pub(super) article: Word,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitFile {
    pub(super) amount: Word,
    /// What is counted: `fund` (absent), `in-scope` or `above-deductible`.
    pub(super) of: Option<Word>,
    /// How long it lasts: absent = the natural year.
    pub(super) per: Option<Word>,
    pub(super) each_further_disease: Option<Word>,
    /// The household shares it: the amount for each member of it.
    #[serde(default)]
    pub(super) each_member: bool,
    pub(super) at_most: Option<Word>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BenefitFile {
    pub(super) id: Word,
    pub(super) title: String,
    pub(super) source: Word,
    pub(super) article: Word,
    pub(super) level_min: Option<Word>,
    pub(super) when: Vec<WhenFile>,
    /// A share that the person pays before the deductible.
    pub(super) first_self_pay: Option<Word>,
    /// The own account pays before the deductible and the funds.
    #[serde(default)]
    pub(super) account_first: bool,
    /// What the whole case is worth, whatever its lines come to.
    pub(super) case_price: Option<Word>,
    pub(super) deductible: Option<DeductibleFile>,
    #[serde(default)]
    pub(super) pay: Vec<PayFile>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WhenFile {
    pub(super) med_type: Vec<String>,
    pub(super) at: Option<super::Place>,
    pub(super) disease: Option<Word>,
    #[serde(default)]
    pub(super) class: Vec<Word>,
    pub(super) line: Option<LineKind>,
    pub(super) prehospital_120: Option<bool>,
    #[serde(default)]
    pub(super) level: Vec<Word>,
    #[serde(default)]
    pub(super) status: Vec<Word>,
    #[serde(default)]
    pub(super) age: Vec<Word>,
    #[serde(default)]
    pub(super) region: Vec<Word>,
    pub(super) civil_servant: Option<bool>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum LineKind {
    Negotiated,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeductibleFile {
    pub(super) amount: Word,
    pub(super) level: Option<Word>,
    pub(super) times: Option<Word>,
    pub(super) per: Word,
    pub(super) year_max: Option<Word>,
    /// Row on which several benefits bear one deductible.
    pub(super) shared: Option<Word>,
    pub(super) takes_over: Option<TakesOverFile>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TakesOverFile {
    pub(super) row: Word,
    pub(super) days: Word,
    /// `same` (absent) or `any`.
    pub(super) institution: Option<Word>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PayFile {
    pub(super) pool: Word,
    /// Shares that are added up; none = the whole.
    #[serde(default)]
    pub(super) ratio: Vec<Word>,
    /// Shares the sum is multiplied by.
    #[serde(default)]
    pub(super) times: Vec<Word>,
    /// It pays of the same expense as the step above it, not of what that one leaves.
    #[serde(default)]
    pub(super) beside: bool,
    /// What the bands of a ratio count: this `settlement` (absent) or the `year`.
    pub(super) bands: Option<Word>,
    /// Where they begin to count: `deductible` (absent: above it) or `zero`.
    pub(super) bands_from: Option<Word>,
    /// Most the pool pays in one settlement.
    pub(super) at_most: Option<Word>,
    pub(super) level: Option<Word>,
    pub(super) exhausted: Option<Word>,
    pub(super) source: Option<Word>,
    pub(super) article: Option<Word>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfflineFile {
    pub(super) mode: super::OfflineMode,
    pub(super) fund_per_sale_max: crate::money::Money,
    pub(super) fund_per_person_max: crate::money::Money,
    pub(super) fund_per_outage_max: crate::money::Money,
    pub(super) snapshot_age_h_max: u32,
    pub(super) account_share: crate::decimal::Ratio,
    pub(super) settle_within_h: u32,
    pub(super) source: Word,
    pub(super) article: Word,
}
