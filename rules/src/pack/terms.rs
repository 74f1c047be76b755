//! Terms of persons and places: treatment elsewhere, and the days of benefits that follow from enrolment.

use std::sync::Arc;

use smol_str::SmolStr;

use super::Parameter;
use crate::claim::{Person, Referral, Visit};

/// Terms of treatment elsewhere; the first that a visit meets.
#[derive(Clone, Debug)]
pub(crate) struct Region {
    /// Row of the tables by region; 0 = `local`.
    pub(crate) row: usize,
    pub(crate) article: SmolStr,
    pub(super) treated_in: Vec<SmolStr>,
    pub(super) treated_outside: Vec<SmolStr>,
    pub(super) insured_in: Vec<SmolStr>,
    pub(super) referral: Vec<Referral>,
    /// 0 = any.
    pub(super) med_types: u64,
    /// The person pays in advance.
    pub(crate) advance: bool,
}

/// How the days of benefits follow from birth, enrolment and payment, where the registry does not say them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Enrolment {
    pub(crate) year: Option<PaidYear>,
    pub(crate) newborn: Option<Newborn>,
    pub(crate) waiting: Option<Waiting>,
}

#[derive(Clone, Debug)]
pub(crate) struct PaidYear {
    pub(crate) article: SmolStr,
    /// Who pays during a year has benefits in it at once, not from the next 1 January.
    pub(crate) at_once: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Newborn {
    pub(crate) article: SmolStr,
    /// `None` = they only have no waiting period.
    pub(crate) days: Option<Arc<Parameter>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) article: SmolStr,
    pub(crate) months: Arc<Parameter>,
    pub(crate) months_max: Option<Arc<Parameter>>,
    pub(crate) months_each_missed_year: Option<Arc<Parameter>>,
    pub(crate) interrupted_months_min: Arc<Parameter>,
    /// Who enrols in the year of treatment itself has missed the enrolment period.
    pub(crate) in_the_year_is_late: bool,
}

impl Region {
    /// Its conditions in one line, for people.
    pub(super) fn conditions(&self) -> String {
        let areas = |word: &str, areas: &[SmolStr]| match areas {
            [] => String::new(),
            areas => format!("{word} {} ", areas.join(" ")),
        };
        let referral: Vec<String> = self
            .referral
            .iter()
            .map(|r| format!("{r:?}").to_lowercase())
            .collect();
        let words = format!(
            "{}{}{}{}",
            areas("treated_in", &self.treated_in),
            areas("treated_outside", &self.treated_outside),
            areas("insured_in", &self.insured_in),
            referral.join("/")
        );
        words.trim_end().to_owned()
    }

    pub(super) fn meets(&self, person: &Person, visit: &Visit) -> bool {
        self.referral_meets(visit.registered_referral)
            && (self.treated_outside.is_empty() || self.is_outside(visit))
            && (self.treated_in.is_empty() || within(&self.treated_in, visit.mdtrtarea_admvs.as_ref()))
            && (self.insured_in.is_empty() || within(&self.insured_in, person.insuplc_admdvs.as_ref()))
    }

    /// Without a place of treatment, a registration for treatment elsewhere says that it is elsewhere.
    fn is_outside(&self, visit: &Visit) -> bool {
        match &visit.mdtrtarea_admvs {
            Some(_) => !within(&self.treated_outside, visit.mdtrtarea_admvs.as_ref()),
            None => visit.registered_referral.is_some() && self.treated_in.is_empty(),
        }
    }

    /// Elsewhere, nothing said is not registered; at home nothing needs to be said.
    fn referral_meets(&self, referral: Option<Referral>) -> bool {
        let elsewhere = (!self.treated_outside.is_empty()).then_some(Referral::None);
        self.referral.is_empty()
            || referral
                .or(elsewhere)
                .is_some_and(|referral| self.referral.contains(&referral))
    }
}

fn within(areas: &[SmolStr], place: Option<&SmolStr>) -> bool {
    place.is_some_and(|place| areas.iter().any(|area| in_area(place, area)))
}

/// Whether an administrative code lies in an area: 530102 lies in 530100 and in 530000.
pub(crate) fn in_area(code: &str, area: &str) -> bool {
    let area = area.strip_suffix("00").unwrap_or(area);
    let area = area.strip_suffix("00").unwrap_or(area);
    code.starts_with(area)
}
