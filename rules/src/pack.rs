//! A rule pack, compiled: what the file says, with every name resolved, so that a split looks nothing up by text.

mod blocks;
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

pub(crate) use blocks::{
    Bands, Benefit, Column, Counts, Covers, Deductible, Layer, Limit, Needs, Pay, Per, Place, Pool,
    TakesOver, When,
};
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
    pub(crate) consent_not_asked: u64,
    pub(crate) complaints_phone: SmolStr,
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
    // rules that hold only where the pack cites them
    pub(crate) department_suspended: Option<SmolStr>,
    pub(crate) practitioner: Option<SmolStr>,
    pub(crate) quantity: Option<SmolStr>,
    pub(crate) disease_item: Option<SmolStr>,
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

    /// Whether the patient is to agree before he is billed for what the fund does not look at: not in an emergency.
    pub fn asks_consent(&self, visit: &Visit) -> bool {
        self.med_type(&visit.med_type) & self.consent_not_asked == 0
    }

    /// Phone for complaints about the insurance, which the insured must be able to see; blank where no rule asks for it.
    pub fn complaints_phone(&self) -> &str {
        &self.complaints_phone
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
