//! Who may have a fund pay at all: insured, within the days of benefits, not suspended, for a cause the fund bears.

use jiff::civil::Date;
use smol_str::SmolStr;

use super::{Refused, refusal};
use crate::claim::{Institution, Person, Visit};
use crate::codes::{Code, Lang};
use crate::outcome::Note;
use crate::pack::{CauseRule, Pack};

/// What the person's standing leaves of the bill.
pub(super) struct Standing<'a> {
    /// Network settlement is suspended: the article.
    suspended: Option<&'a SmolStr>,
    /// The cause is not the fund's to bear.
    cause: Option<&'a CauseRule>,
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
        if let Some(code) = not_insured(person, treated) {
            return refuse(code, &pack.article.insured);
        }
        let suspended = person.network_settlement_suspended;
        let suspended = suspended.is_some_and(|days| days.contains(treated) || days.contains(settled));
        let cause = pack.causes.iter().find(|rule| rule.cause == visit.cause);
        Ok(Standing {
            suspended: suspended.then_some(&pack.article.person_suspended),
            cause,
        })
    }

    /// Whether any fund may pay.
    pub(super) fn funds_pay(&self) -> bool {
        self.suspended.is_none() && self.cause.is_none()
    }

    /// Whether accounts may be debited.
    pub(super) fn accounts_pay(&self) -> bool {
        self.suspended.is_none() && self.cause.is_none_or(|rule| rule.account)
    }

    pub(super) fn notes(&self) -> Vec<Note> {
        let note = |code: Code, article: &SmolStr| Note {
            code,
            article: article.clone(),
        };
        let suspended = self.suspended.map(|article| note(Code::AdvancePayment, article));
        let cause = self.cause.map(|rule| note(Code::CauseNotPayable, &rule.article));
        suspended.into_iter().chain(cause).collect()
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
