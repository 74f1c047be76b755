//! Who may have a fund pay at all: insured, within the days of benefits, not suspended, for a cause the fund bears.

use jiff::civil::Date;
use smol_str::SmolStr;

use super::enrolled::Enrolled;
use super::{Refused, refusal};
use crate::claim::{Institution, Person, Visit};
use crate::codes::{Code, Lang};
use crate::outcome::{Grade, Note};
use crate::pack::{CauseRule, Pack};

/// What the person's standing leaves of the bill.
pub(super) struct Standing<'a> {
    /// Network settlement is suspended, or there is none for treatment elsewhere without registration: the article.
    advance: Option<&'a SmolStr>,
    /// The cause is not the fund's to bear.
    cause: Option<&'a CauseRule>,
    grade: Grade,
    /// Row of the tables by region.
    region: usize,
}

impl<'a> Standing<'a> {
    pub(super) fn of(
        pack: &'a Pack,
        person: &Person,
        institution: &Institution,
        visit: &Visit,
        lang: Lang,
    ) -> Result<Standing<'a>, Refused> {
        let treated = visit.begntime.date();
        let settled = visit.settled_at().date();
        let refuse = |code: Code, article: &SmolStr| Err(Box::new(refusal(code, article.clone(), lang)));
        if institution
            .fund_settlement_suspended
            .is_some_and(|days| days.contains(settled))
        {
            return refuse(Code::InstitutionSuspended, &pack.article.institution_suspended);
        }
        if let (Some(article), Some(department)) = (&pack.article.department_suspended, &visit.department)
            && department
                .fund_settlement_suspended
                .is_some_and(|days| days.contains(settled))
        {
            return refuse(Code::DepartmentSuspended, article);
        }
        if let (Some(article), Some(practitioner)) = (&pack.article.practitioner, &visit.practitioner)
            && !practitioner.listed
        {
            return refuse(Code::PractitionerNotListed, article);
        }
        if let Some(code) = not_insured(person, treated) {
            return refuse(code, &pack.article.insured);
        }
        let mut enrolled = Enrolled {
            pack,
            person,
            visit,
            lang,
            grade: Grade::Regulation,
        };
        if person.benefit_begndate.is_none() {
            enrolled.check(treated)?;
        }
        let suspended = person.network_settlement_suspended;
        let suspended = suspended.is_some_and(|days| days.contains(treated) || days.contains(settled));
        let region = pack.region(person, visit);
        let elsewhere = || {
            region
                .filter(|region| region.advance)
                .map(|region| &region.article)
        };
        let cause = pack.causes.iter().find(|rule| rule.cause == visit.cause);
        Ok(Standing {
            advance: suspended
                .then_some(&pack.article.person_suspended)
                .or_else(elsewhere),
            cause,
            grade: enrolled.grade,
            region: region.map_or(0, |region| region.row),
        })
    }

    /// Whether any fund may pay.
    pub(super) fn funds_pay(&self) -> bool {
        self.advance.is_none() && self.cause.is_none()
    }

    /// Whether accounts may be debited.
    pub(super) fn accounts_pay(&self) -> bool {
        self.advance.is_none() && self.cause.is_none_or(|rule| rule.account)
    }

    pub(super) fn notes(&self) -> Vec<Note> {
        let note = |code: Code, article: &SmolStr| Note {
            code,
            article: article.clone(),
        };
        let advance = self.advance.map(|article| note(Code::AdvancePayment, article));
        let cause = self.cause.map(|rule| note(Code::CauseNotPayable, &rule.article));
        advance.into_iter().chain(cause).collect()
    }

    /// Row of the tables by region.
    pub(super) fn region(&self) -> usize {
        self.region
    }

    /// The weakest grade of any figure the standing rests on.
    pub(super) fn grade(&self) -> Grade {
        self.grade
    }
}

/// The registry's word on the day of treatment. "Retired" and the like are its word too, never derived here.
fn not_insured(person: &Person, treated: Date) -> Option<Code> {
    if person.psn_insu_stas.as_ref().is_some_and(|status| status != "1") {
        return Some(Code::NotInsured);
    }
    if person.benefit_begndate.is_some_and(|first| treated < first) {
        return Some(Code::WaitingPeriod);
    }
    person
        .benefit_enddate
        .is_some_and(|last| last < treated)
        .then_some(Code::NotInsured)
}
