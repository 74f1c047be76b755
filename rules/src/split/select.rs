//! Which benefit a line belongs to: by med_type, place, registered disease and kind of line; first match in the pack.

use smol_str::SmolStr;

use super::{Refused, Run, refusal};
use crate::claim::{Claim, Flag, RegisteredDisease};
use crate::codes::Code;
use crate::pack::{Axes, Benefit, Pack, Place, When};

/// 定点零售药店
const PHARMACY_TYPE: &str = "2";
/// 定点药店购药
const PHARMACY_MED_TYPE: &str = "41";

pub(super) fn place(claim: &Claim) -> Place {
    let at_pharmacy = claim.visit.med_type == PHARMACY_MED_TYPE
        || claim
            .institution
            .fixmedins_type
            .as_ref()
            .is_some_and(|kind| kind == PHARMACY_TYPE);
    match (at_pharmacy, claim.visit.rx_circ_flag) {
        (false, _) => Place::Hospital,
        (true, Some(Flag::Yes)) => Place::Prescription,
        (true, _) => Place::Pharmacy,
    }
}

/// Where the claim stands on each axis of the pack's tables.
pub(super) fn axes(pack: &Pack, claim: &Claim) -> Axes {
    let level = match place(claim) {
        Place::Prescription => claim.visit.prescriber_medinslv.as_ref(),
        Place::Hospital | Place::Pharmacy => claim.institution.medinslv.as_ref(),
    };
    let known = level.and_then(|code| pack.levels.iter().position(|level| level == code));
    let psn_type = &claim.person.psn_type;
    let status = pack
        .status_prefixes
        .iter()
        .find(|(prefix, _)| psn_type.starts_with(prefix.as_str()));
    Axes {
        level: known.unwrap_or(pack.level_otherwise),
        status: status.map(|(_, place)| *place),
        class: class_of_visit(pack, claim),
        age: age_group(pack, claim),
        ..no_axes(pack)
    }
}

/// Where nothing is known of a claim.
pub(super) fn no_axes(pack: &Pack) -> Axes {
    Axes {
        level: pack.level_otherwise,
        levels: pack.levels.len(),
        status: None,
        statuses: pack.statuses.len(),
        class: 0,
        classes: pack.classes.len(),
        region: 0,
        regions: pack.region_names.len(),
        age: None,
        ages: pack.ages.len(),
        turn: 0,
        turns: pack.turns.len(),
        amount: 0,
    }
}

/// The age group on the day that decides the rules; `None` = no groups, or the date of birth is not known.
fn age_group(pack: &Pack, claim: &Claim) -> Option<usize> {
    if pack.ages.is_empty() {
        return None;
    }
    let born = claim.person.brdy?;
    let day = pack.rule_date(&claim.visit);
    let had_birthday = (day.month(), day.day()) >= (born.month(), born.day());
    let years = day.year() - born.year() - i16::from(!had_birthday);
    let reached = pack.ages.partition_point(|from| i16::from(*from) <= years);
    reached.checked_sub(1)
}

/// Benefit and class of the registered disease the visit is for.
fn visit_disease<'a>(pack: &'a Pack, claim: &'a Claim) -> Option<(&'a SmolStr, usize)> {
    let code = claim.visit.dise_codg.as_ref()?;
    let treated = claim.visit.begntime.date();
    let mut registered = claim.person.registered_diseases.iter();
    let disease = registered.find(|disease| disease.dise_codg == *code && disease.valid_on(treated))?;
    let benefit = benefit_of(pack, disease).or_else(|| by_med_type(pack, claim))?;
    Some((benefit, class_of(pack, disease)))
}

/// The class of the visit's disease: as it is registered, else by the pack's list of codes.
fn class_of_visit(pack: &Pack, claim: &Claim) -> usize {
    let Some(code) = &claim.visit.dise_codg else {
        return 0;
    };
    let listed = || class_by_code(pack, code).map_or(0, |(_, _, class)| *class);
    visit_disease(pack, claim).map_or_else(listed, |(_, class)| class)
}

/// The benefit a med_type stands for by itself.
fn by_med_type<'a>(pack: &'a Pack, claim: &Claim) -> Option<&'a SmolStr> {
    let mut known = pack.diseases.by_med_type.iter();
    known
        .find(|(med_type, _)| *med_type == claim.visit.med_type)
        .map(|(_, benefit)| benefit)
}

/// The benefit a disease is registered for: as the registry says, where the pack has such a benefit, else by the pack's
/// list of codes.
fn benefit_of<'a>(pack: &'a Pack, disease: &'a RegisteredDisease) -> Option<&'a SmolStr> {
    let listed = || class_by_code(pack, &disease.dise_codg).map(|(_, benefit, _)| benefit);
    let known = |named: &&SmolStr| pack.benefits.iter().any(|benefit| benefit.id == **named);
    disease.benefit.as_ref().filter(known).or_else(listed)
}

fn class_of(pack: &Pack, disease: &RegisteredDisease) -> usize {
    match &disease.class {
        Some(class) => pack.classes.iter().position(|known| known == class).unwrap_or(0),
        None => class_by_code(pack, &disease.dise_codg).map_or(0, |(_, _, class)| *class),
    }
}

fn class_by_code<'a>(pack: &'a Pack, code: &str) -> Option<&'a (SmolStr, SmolStr, usize)> {
    let mut known = pack.diseases.by_code.iter();
    known.find(|(prefix, _, _)| code.starts_with(prefix.as_str()))
}

impl<'a> Run<'a> {
    /// The first benefit of the pack whose conditions the visit and this kind of line meet. A bill that no fund pays for
    /// is named after its benefit whether the disease is registered or not.
    pub(super) fn select(&self, negotiated: bool, funds_pay: bool) -> Result<&'a Benefit, Refused> {
        let visit = &self.claim.visit;
        let med_type = self.pack.med_type(&visit.med_type);
        let place = place(self.claim);
        let disease = visit_disease(self.pack, self.claim);
        let mut for_registered: Option<&Benefit> = None;
        for benefit in &self.pack.benefits {
            let matches = |when: &&When| {
                when.med_types & med_type != 0
                    && when.at.is_none_or(|at| at == place)
                    && (negotiated || !when.negotiated)
                    && when
                        .prehospital_120
                        .is_none_or(|wanted| wanted == visit.prehospital_120)
                    && self.is_for_person(when)
            };
            for when in benefit.when.iter().filter(matches) {
                let Some(wanted) = &when.disease else {
                    return Ok(benefit);
                };
                let meets = disease.is_some_and(|(benefit, class)| {
                    benefit == wanted && (when.classes.is_empty() || when.classes.contains(&class))
                });
                if meets {
                    return Ok(benefit);
                }
                // named in a refusal: the benefit the med_type stands for, else the first that wants a registration
                if for_registered.is_none() || by_med_type(self.pack, self.claim) == Some(wanted) {
                    for_registered = Some(benefit);
                }
            }
        }
        let (code, article) = match for_registered {
            Some(benefit) if !funds_pay => return Ok(benefit),
            Some(benefit) => (Code::BenefitNotRegistered, benefit.article.clone()),
            None => (Code::MedTypeNotCovered, self.pack.article.scope.clone()),
        };
        Err(Box::new(refusal(code, article, self.lang)))
    }

    /// Level, status, age, place and civil service, where the benefit names any.
    fn is_for_person(&self, when: &When) -> bool {
        let civil = self.claim.person.cvlserv_flag == Some(Flag::Yes);
        let named = |rows: &[usize], row: Option<usize>| {
            rows.is_empty() || row.is_some_and(|row| rows.contains(&row))
        };
        named(&when.levels, Some(self.axes.level))
            && named(&when.statuses, self.axes.status)
            && named(&when.ages, self.axes.age)
            && named(&when.regions, Some(self.axes.region))
            && when.civil_servant.is_none_or(|wanted| wanted == civil)
    }

    /// The classes of all diseases that are registered for a benefit on the day of treatment, one entry each.
    pub(super) fn classes_registered(&self, benefit: &Benefit) -> impl Iterator<Item = usize> {
        let treated = self.claim.visit.begntime.date();
        let visited = visit_disease(self.pack, self.claim).filter(|(of, _)| **of == benefit.id);
        self.claim
            .person
            .registered_diseases
            .iter()
            .filter(move |disease| disease.valid_on(treated))
            .filter_map(move |disease| {
                let is_visited = self.claim.visit.dise_codg.as_ref() == Some(&disease.dise_codg);
                let counts = benefit_of(self.pack, disease).is_some_and(|of| *of == benefit.id)
                    || (is_visited && visited.is_some());
                counts.then(|| class_of(self.pack, disease))
            })
    }
}
