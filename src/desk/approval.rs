//! What a supervisor has to allow at the window: whoever asks is signed in, the supervisor types number and PIN beside
//! them. The approval stands in the journal, with both, before anything is done.

use std::fmt;

use yijie_agency::Credential;

use super::patient::Patient;
use super::{Effect, Level, Notice, State, day, patient, pay};
use crate::operators::{Operator, Role};
use crate::record::{Closing, Record};

/// How long names and numbers stay readable, milliseconds.
const SHOWN_MS: i64 = 30_000;

/// What is asked for.
#[derive(Clone, PartialEq, Eq)]
pub enum Deed {
    /// Serve the person of a typed citizen number.
    IdNumber(String),
    /// Carry the fund's part although it is over a limit of the pack: its code and figure.
    PastLimit(String),
    /// Show names and numbers in full for a while: of whom.
    ShowPerson(String),
    /// Close a sale's difference with the patient.
    CloseDifference(String, Closing),
    /// Cancel a settled sale.
    Reverse(String),
    /// Do what is proposed about these rows of the day's statement.
    Mend(Vec<String>),
    /// Apply for a month's clearing.
    ApplyForClearing(String),
}

impl fmt::Debug for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Deed {
    /// Its word in the journal.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Deed::IdNumber(_) => "id-number",
            Deed::PastLimit(_) => "offline-limit",
            Deed::ShowPerson(_) => "unmask",
            Deed::CloseDifference(..) => "difference",
            Deed::Reverse(_) => "reversal",
            Deed::Mend(_) => "day-close",
            Deed::ApplyForClearing(_) => "clearing",
        }
    }

    /// Code of the words that ask for it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Deed::IdNumber(_) => "ID_NEEDS_APPROVAL",
            Deed::PastLimit(_) => "LIMIT_NEEDS_APPROVAL",
            Deed::ShowPerson(_) => "NAMES_NEED_APPROVAL",
            Deed::CloseDifference(..) => "DIFFERENCE_NEEDS_APPROVAL",
            Deed::Reverse(_) => "REVERSAL_NEEDS_APPROVAL",
            Deed::Mend(_) => "DAY_NEEDS_APPROVAL",
            Deed::ApplyForClearing(_) => "CLEARING_NEEDS_APPROVAL",
        }
    }

    /// What it is about, as the journal keeps it.
    #[must_use]
    pub fn about(&self) -> String {
        match self {
            Deed::IdNumber(about)
            | Deed::PastLimit(about)
            | Deed::ShowPerson(about)
            | Deed::CloseDifference(about, _)
            | Deed::Reverse(about)
            | Deed::ApplyForClearing(about) => about.clone(),
            Deed::Mend(msgids) => msgids.join(" "),
        }
    }

    /// A supervisor who is signed in needs nobody else for it.
    #[must_use]
    pub fn alone_will_do(&self) -> bool {
        matches!(self, Deed::ShowPerson(_) | Deed::CloseDifference(..))
    }
}

/// Asks for a supervisor's number and PIN.
pub(super) fn ask(state: &mut State, deed: Deed) -> Vec<Effect> {
    state.sign_in_notice = None;
    state.awaiting_approval = Some(deed);
    Vec::new()
}

/// Number and PIN were typed.
pub(super) fn given(state: &State, id: String, pin: String) -> Vec<Effect> {
    let (Some(deed), Some(operator)) = (&state.awaiting_approval, &state.operator) else {
        return Vec::new();
    };
    vec![Effect::CheckApproval {
        asked_by: operator.id.clone(),
        alone: deed.alone_will_do(),
        id,
        pin,
    }]
}

/// The PIN was checked: a supervisor's goes to the journal.
pub(super) fn checked(state: &mut State, checked: Result<Operator, Notice>) -> Vec<Effect> {
    let supervisor = match checked {
        Ok(operator) if operator.role == Role::Supervisor => operator,
        Ok(_) => {
            state.sign_in_notice = Some(Notice::new(Level::Error, "SUPERVISOR_NEEDED"));
            return Vec::new();
        }
        Err(notice) => {
            state.sign_in_notice = Some(notice);
            return Vec::new();
        }
    };
    state.sign_in_notice = None;
    let Some(deed) = state.awaiting_approval.take() else {
        return Vec::new();
    };
    let approval = Record::Approved {
        what: deed.word().to_owned(),
        operator: state.operator.as_ref().map(|o| o.id.clone()).unwrap_or_default(),
        by: supervisor.id.clone(),
        about: deed.about(),
    };
    vec![Effect::Allow {
        approval: Box::new(approval),
        deed,
        by: supervisor.id,
    }]
}

/// The approval stands in the journal: what was asked for is done.
pub(super) fn allowed(state: &mut State, deed: Deed, by: String) -> Vec<Effect> {
    match deed {
        // Whoever asked has signed out meanwhile: nobody serves the person.
        Deed::IdNumber(_) if state.operator.is_none() => Vec::new(),
        Deed::IdNumber(_) if patient::mid_bill(state) => state.fail("OTHER_PERSON_MID_BILL"),
        Deed::IdNumber(certno) => patient::ask(state, Credential::IdNumber { certno }),
        Deed::PastLimit(_) => pay::past_limit(state),
        Deed::ShowPerson(_) => {
            state.shown_until_ms = state.now_ms.saturating_add(SHOWN_MS);
            Vec::new()
        }
        Deed::CloseDifference(sale, closing) => vec![Effect::CloseDifference {
            sale,
            closing,
            operator: by,
        }],
        Deed::Reverse(sale) => {
            state.lookup.reversing = true;
            let operator = state.operator.as_ref().map(|own| own.id.clone());
            let operator = operator.unwrap_or(by);
            vec![Effect::Reverse { sale, operator }]
        }
        Deed::Mend(msgids) => day::mend(state, msgids, by),
        Deed::ApplyForClearing(_) => day::apply(state, by),
    }
}

/// Whose name and number are to be shown in full: the patient's, else those of the sale chosen on the page.
pub(super) fn show_person(state: &mut State) -> Vec<Effect> {
    let sale = match state.page {
        super::Page::Queue => state.queue_rows().nth(state.queue_selected).cloned(),
        super::Page::Sales => state.lookup.chosen().cloned(),
        _ => None,
    };
    let whom = match (&state.patient, sale) {
        (_, Some(row)) => row.sale.id.clone(),
        (Patient::Verified(verified), None) => verified.person.psn_no.to_string(),
        _ => return Vec::new(),
    };
    ask(state, Deed::ShowPerson(whom))
}
