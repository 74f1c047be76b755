//! The blocks a benefit is built of, compiled: pools with their limits, deductibles, steps of a cascade, layers.

use std::sync::Arc;

use serde::Deserialize;
use smol_str::SmolStr;

use super::Parameter;

/// Where the goods are handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Place {
    /// A medical institution.
    Hospital,
    /// A retail pharmacy.
    Pharmacy,
    /// A retail pharmacy, on an outside prescription: the prescriber's level counts.
    Prescription,
}

/// The column of `setlinfo` that a pool's payments stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::enum_variant_names, reason = "the national field names")]
pub(crate) enum Column {
    HifpPay,
    CvlservPay,
    HifesPay,
    HifmiPay,
    HifobPay,
    MafPay,
    HifdmPay,
    OthPay,
}

#[derive(Clone, Debug)]
pub(crate) struct Pool {
    pub(crate) id: SmolStr,
    pub(crate) title: SmolStr,
    pub(crate) fund_pay_type: SmolStr,
    pub(crate) column: Column,
    pub(crate) limit: Option<Limit>,
    /// The pool whose limit this one's payments count with too.
    pub(crate) within: Option<Arc<Pool>>,
    pub(crate) needs: Option<Needs>,
}

/// The insurance of its own that a fund pays for: its type, and the article that wants it.
#[derive(Clone, Debug)]
pub(crate) struct Needs {
    pub(crate) insutype: SmolStr,
    pub(crate) article: SmolStr,
}

/// A pool's limit, for the natural year where nothing else is said.
#[derive(Clone, Debug)]
pub(crate) struct Limit {
    pub(crate) amount: Arc<Parameter>,
    pub(crate) of: Counts,
    pub(crate) per: Per,
    pub(crate) each_further_disease: Option<Arc<Parameter>>,
    /// The amount is for each member of the household, which shares it.
    pub(crate) each_member: bool,
    pub(crate) at_most: Option<Arc<Parameter>>,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counts {
    /// What the fund pays.
    Fund,
    /// The expense within the scope.
    InScope,
    /// The same without the deductible.
    AboveDeductible,
}

#[derive(Clone, Debug)]
pub(crate) struct Benefit {
    pub(crate) id: SmolStr,
    pub(crate) title: SmolStr,
    pub(crate) article: SmolStr,
    pub(crate) level_min: usize,
    pub(crate) when: Vec<When>,
    /// A share that the person pays before the deductible.
    pub(crate) first_self_pay: Option<Arc<Parameter>>,
    /// As much of the scope as the own account holds is the person's, before the deductible.
    pub(crate) account_first: bool,
    /// What the whole case is worth; the institution bears what the scope has above it.
    pub(crate) case_price: Option<Arc<Parameter>>,
    pub(crate) deductible: Option<Deductible>,
    pub(crate) pay: Vec<Pay>,
}

#[derive(Clone, Debug)]
pub(crate) struct When {
    pub(crate) med_types: u64,
    pub(crate) at: Option<Place>,
    /// Benefit of the registered disease of the visit.
    pub(crate) disease: Option<SmolStr>,
    /// Its classes; none = any.
    pub(crate) classes: Vec<usize>,
    pub(crate) negotiated: bool,
    pub(crate) prehospital_120: Option<bool>,
    /// Rows of each axis it is for; none = all.
    pub(crate) levels: Vec<usize>,
    pub(crate) statuses: Vec<usize>,
    pub(crate) ages: Vec<usize>,
    pub(crate) regions: Vec<usize>,
    pub(crate) civil_servant: Option<bool>,
}

#[derive(Clone, Debug)]
pub(crate) struct Deductible {
    pub(crate) amount: Arc<Parameter>,
    pub(crate) level: Option<usize>,
    pub(crate) times: Option<Arc<Parameter>>,
    pub(crate) per: Per,
    /// Most that is borne in a year.
    pub(crate) year_max: Option<Arc<Parameter>>,
    /// The row on which it is borne together with other benefits.
    pub(crate) shared: Option<SmolStr>,
    pub(crate) takes_over: Option<TakesOver>,
}

/// How often a deductible is borne, and how long a limit lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Per {
    /// Each settlement anew.
    Settlement,
    /// Once for the same institution and first day.
    Visit,
    Day,
    Month,
    Quarter,
    /// Once in the natural year.
    Year,
    /// Once for each drug in the natural year.
    DrugYear,
    /// For each registered disease of a visit, in the year and in the month.
    DiseaseYear,
    DiseaseMonth,
}

#[derive(Clone, Debug)]
pub(crate) struct TakesOver {
    pub(crate) row: SmolStr,
    pub(crate) days: Arc<Parameter>,
    pub(crate) any_institution: bool,
}

/// One step of a cascade: this pool pays this share, until it is exhausted.
#[derive(Clone, Debug)]
pub(crate) struct Pay {
    pub(crate) pool: Arc<Pool>,
    pub(crate) ratio: Vec<Arc<Parameter>>,
    /// Shares the sum of the ratios is multiplied by.
    pub(crate) times: Vec<Arc<Parameter>>,
    /// It pays of the same expense as the step before it.
    pub(crate) beside: bool,
    /// The first ratio that goes by amount, and whether the year's expense counts.
    pub(crate) bands: Option<Bands>,
    /// Most the pool pays in one settlement.
    pub(crate) at_most: Option<Arc<Parameter>>,
    pub(crate) level: Option<usize>,
    /// Whether the next step goes on with what an exhausted pool no longer pays.
    pub(crate) goes_on: bool,
    pub(crate) article: SmolStr,
}

/// A ratio that goes by amount.
#[derive(Clone, Debug)]
pub(crate) struct Bands {
    pub(crate) of: Arc<Parameter>,
    /// The bands count the year's expense above the deductible, not this settlement's.
    pub(crate) in_year: bool,
    /// The deductible counts in the bands too.
    pub(crate) from_zero: bool,
}

/// What another fund pays of the scope that the benefits leave to the person, once for the bill.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    pub(crate) benefits: Vec<SmolStr>,
    /// None = everybody.
    pub(crate) statuses: Vec<usize>,
    pub(crate) civil_servant: bool,
    pub(crate) covers: Covers,
    pub(crate) threshold: Option<Arc<Parameter>>,
    /// Threshold and bands count over the natural year, not in each settlement.
    pub(crate) by_year: bool,
    pub(crate) pay: Pay,
}

/// The parts of a person's burden a layer looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Covers {
    pub(crate) deductible: bool,
    /// What the ratios and limits of the funds leave.
    pub(crate) share: bool,
    pub(crate) first_self_pay: bool,
}
