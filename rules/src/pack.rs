//! A rule pack, compiled: what the file says, with every name resolved, so that a split looks nothing up by text.

mod compile;
mod describe;
mod diff;
mod fault;
mod figure;
mod file;
mod file_terms;
mod set;
mod terms;

use std::sync::Arc;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

pub(crate) use describe::each;
pub use diff::{Change, diff};
pub use fault::{PackError, PackFault};
pub(crate) use figure::{Axes, Figure, FigureFault, NONE, Parameter};
pub use set::{PackSummary, Packs, check, is_overlay, sandbox_overlays};
pub(crate) use terms::{Enrolment, Newborn, PaidYear, Region, Waiting, in_area};

use crate::claim::{Cause, Goods, Person, Visit};
use crate::decimal::Ratio;
use crate::money::Money;
use crate::outcome::Grade;

/// One regulation's rules for one insurance type of one pooling area.
#[derive(Clone, Debug)]
pub struct Pack {
    pub(crate) id: SmolStr,
    pub(crate) version: SmolStr,
    pub(crate) title: SmolStr,
    pub(crate) area: SmolStr,
    pub(crate) insutype: Vec<SmolStr>,
    pub(crate) from: Date,
    pub(crate) until: Date,
    pub(crate) sources: Vec<Source>,
    pub(crate) readings: Vec<Reading>,
    pub(crate) levels: Vec<SmolStr>,
    pub(crate) level_otherwise: usize,
    pub(crate) status_prefixes: Vec<(SmolStr, usize)>,
    pub(crate) statuses: Vec<SmolStr>,
    /// Disease classes; the first is `other`.
    pub(crate) classes: Vec<SmolStr>,
    pub(crate) diseases: Diseases,
    pub(crate) med_types: Vec<SmolStr>,
    pub(crate) inpatient_med_types: u64,
    pub(crate) inpatient_by_admission: bool,
    pub(crate) article: Articles,
    pub(crate) goods_excluded: Vec<Goods>,
    pub(crate) goods_uncoded_at_pharmacy: Vec<Goods>,
    pub(crate) causes: Vec<CauseRule>,
    pub(crate) regions: Vec<Region>,
    /// Rows of the tables by region: `local` and each name.
    pub(crate) region_names: Vec<SmolStr>,
    /// First year of age of each group; the first group begins at birth.
    pub(crate) ages: Vec<u8>,
    pub(crate) age_names: Vec<SmolStr>,
    /// Rows of the tables by turn: the benefit's first time in the natural year …, the last for every later one.
    pub(crate) turns: Vec<SmolStr>,
    pub(crate) enrolment: Enrolment,
    pub(crate) accounts: AccountRules,
    pub(crate) parameters: Vec<Arc<Parameter>>,
    pub(crate) benefits: Vec<Benefit>,
    pub(crate) layers: Vec<Layer>,
    pub(crate) offline: OfflineLimits,
}

/// A document that figures and rules are taken from.
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    /// Its id in the pack.
    pub id: SmolStr,
    /// How it is cited: "昆政办〔2022〕15号".
    pub title: SmolStr,
    /// Its full name.
    pub name: String,
    /// How far it can be relied on.
    pub grade: Grade,
}

/// Where the regulation is silent or double: the meaning the pack takes.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Name of the switch.
    pub name: SmolStr,
    /// The meaning taken.
    pub value: SmolStr,
    /// Number in the list of ambiguous points.
    pub question: String,
    /// Why this one, and what the other would be.
    pub because: String,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Diseases {
    /// Beginning of a disease code, benefit, class.
    pub(crate) by_code: Vec<(SmolStr, SmolStr, usize)>,
    pub(crate) by_med_type: Vec<(SmolStr, SmolStr)>,
}

/// The citation of each step that is not a benefit's own.
#[derive(Clone, Debug)]
pub(crate) struct Articles {
    pub(crate) scope: SmolStr,
    pub(crate) first_self_pay: SmolStr,
    pub(crate) goods: SmolStr,
    pub(crate) price: SmolStr,
    pub(crate) insured: SmolStr,
    pub(crate) person_suspended: SmolStr,
    pub(crate) institution_suspended: SmolStr,
    pub(crate) account: SmolStr,
    pub(crate) family: SmolStr,
    pub(crate) cash: SmolStr,
}

#[derive(Clone, Debug)]
pub(crate) struct CauseRule {
    pub(crate) cause: Cause,
    pub(crate) article: SmolStr,
    pub(crate) account: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct AccountRules {
    /// Whether the scheme has personal accounts.
    pub(crate) own: bool,
    pub(crate) relations: Vec<SmolStr>,
    pub(crate) family_area: SmolStr,
    pub(crate) pays_out_of_scope: bool,
}

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
}

/// A pool's limit, for the natural year where nothing else is said.
#[derive(Clone, Debug)]
pub(crate) struct Limit {
    pub(crate) amount: Arc<Parameter>,
    pub(crate) of: Counts,
    pub(crate) per: Per,
    pub(crate) each_further_disease: Option<Arc<Parameter>>,
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

/// What a terminal may do without network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OfflineMode {
    /// Full self-pay with a claim slip.
    SelfPay,
    /// The institution carries the fund part up to the limits.
    Carry,
}

/// Limits of an offline sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OfflineLimits {
    /// What may be done at all.
    pub mode: OfflineMode,
    /// Fund part of one sale.
    pub fund_per_sale_max: Money,
    /// Fund part of one person in one outage.
    pub fund_per_person_max: Money,
    /// Fund part of one outage.
    pub fund_per_outage_max: Money,
    /// Age of the person's snapshot in hours.
    pub snapshot_age_h_max: u32,
    /// Share of the last known account balance that may be debited.
    pub account_share: Ratio,
    /// Hours within which the sale must be settled.
    pub settle_within_h: u32,
    /// Where the limits come from.
    pub source: SmolStr,
    /// The article there.
    pub article: SmolStr,
    /// How far that can be relied on.
    pub grade: Grade,
}

impl OfflineLimits {
    /// Nothing but self-pay: what a pack without `[offline]` allows.
    pub const SELF_PAY: OfflineLimits = OfflineLimits {
        mode: OfflineMode::SelfPay,
        fund_per_sale_max: Money::ZERO,
        fund_per_person_max: Money::ZERO,
        fund_per_outage_max: Money::ZERO,
        snapshot_age_h_max: 0,
        account_share: Ratio::ZERO,
        settle_within_h: 0,
        source: SmolStr::new_static(""),
        article: SmolStr::new_static(""),
        grade: Grade::Regulation,
    };
}

impl Pack {
    /// Pack id, such as `kunming-employee`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Version, with that of its overlays.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Title for people.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// 统筹区
    pub fn area(&self) -> &str {
        &self.area
    }

    /// First day it answers for.
    pub fn from(&self) -> Date {
        self.from
    }

    /// Last day it answers for; `None` = open.
    pub fn until(&self) -> Option<Date> {
        (self.until < Date::MAX).then_some(self.until)
    }

    /// What a terminal may do without network.
    pub fn offline(&self) -> &OfflineLimits {
        &self.offline
    }

    /// The switches where the regulation is silent or double.
    pub fn readings(&self) -> &[Reading] {
        &self.readings
    }

    /// Title of a benefit, for screens and paper.
    pub fn benefit_title(&self, benefit: &str) -> Option<&str> {
        self.benefits
            .iter()
            .find(|known| known.id == benefit)
            .map(|known| known.title.as_str())
    }

    /// The terms of treatment elsewhere that a visit meets; `None` = local.
    pub(crate) fn region(&self, person: &Person, visit: &Visit) -> Option<&Region> {
        let has_med_type =
            |region: &Region| region.med_types == 0 || region.med_types & self.med_type(&visit.med_type) != 0;
        self.regions
            .iter()
            .find(|region| region.meets(person, visit) && has_med_type(region))
    }

    pub(crate) fn answers_for_person(&self, person: &Person, visit: &Visit) -> bool {
        let place = person.insuplc_admdvs.as_ref().or(visit.mdtrtarea_admvs.as_ref());
        self.insutype.contains(&person.insutype)
            && place.is_some_and(|place| in_area(place, &self.area))
            && self.covers(self.rule_date(visit))
    }

    pub(crate) fn covers(&self, day: Date) -> bool {
        self.from <= day && day <= self.until
    }

    /// The day that decides year and rule version: settlement, and for an admission what the pack's reading says.
    pub fn rule_date(&self, visit: &Visit) -> Date {
        if self.med_type(&visit.med_type) & self.inpatient_med_types == 0 {
            return visit.settled_at().date();
        }
        if self.inpatient_by_admission {
            return visit.begntime.date();
        }
        visit.enddate.unwrap_or_else(|| visit.settled_at()).date()
    }

    /// The bit of a med_type; 0 when the pack does not know it.
    pub(crate) fn med_type(&self, code: &str) -> u64 {
        self.med_types
            .iter()
            .position(|known| known == code)
            .map_or(0, |place| 1 << place)
    }
}
