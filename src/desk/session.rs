//! Signing in and out, and locking the till while nobody stands at it.

use yijie_agency::Answer;

use super::{Effect, Level, Notice, Page, Patient, State, lookup, patient};
use crate::operators::{Operator, Role};
use crate::record::Record;

/// Untouched for so long, the till locks itself.
const IDLE_MS_MAX: i64 = 10 * 60_000;

/// A number and a PIN were typed.
pub(super) fn sign_in(state: &mut State, id: String, pin: String) -> Vec<Effect> {
    if state.signing_in || (state.operator.is_some() && state.locked.is_none()) {
        return Vec::new();
    }
    state.signing_in = true;
    state.sign_in_notice = None;
    vec![Effect::CheckPin { id, pin }]
}

pub(super) fn pin_checked(state: &mut State, checked: Result<Operator, Notice>) -> Vec<Effect> {
    if !state.signing_in {
        return Vec::new();
    }
    let operator = match checked {
        Ok(operator) => operator,
        Err(notice) => {
            state.signing_in = false;
            state.sign_in_notice = Some(notice);
            return Vec::new();
        }
    };
    let mut effects = Vec::new();
    if let Some(page) = state.locked {
        if state.operator.as_ref().is_some_and(|own| own.id == operator.id) {
            state.signing_in = false;
            state.locked = None;
            state.page = page;
            return Vec::new();
        }
        if state.bill_open() {
            state.signing_in = false;
            state.sign_in_notice = Some(Notice::new(Level::Error, "LOCKED_WITH_BILL"));
            return Vec::new();
        }
        effects = sign_out(state);
    }
    state.operator = Some(operator.clone());
    if operator.role == Role::Inspector {
        effects.extend(inspects(state, operator.id));
    } else {
        effects.push(Effect::SignIn(operator));
    }
    effects
}

/// An inspector reads and sells nothing: the agency is not asked.
fn inspects(state: &mut State, id: String) -> Vec<Effect> {
    state.signing_in = false;
    state.next_patient();
    let session = session(id, true, None);
    let mut effects = vec![Effect::Write(Box::new(session))];
    effects.extend(lookup::open_journal(state));
    effects
}

fn session(operator: String, begins: bool, sign_no: Option<String>) -> Record {
    Record::Session {
        operator,
        begins,
        sign_no,
    }
}

pub(super) fn signed_in(state: &mut State, answer: Answer<String>) -> Vec<Effect> {
    let (Some(operator), true) = (&state.operator, state.signing_in) else {
        return Vec::new();
    };
    let id = operator.id.clone();
    state.signing_in = false;
    // What opening the books found waits to be read by whoever signs in first.
    let found = state.notice.take();
    state.next_patient();
    state.notice = found;
    let mut number = None;
    match answer {
        Answer::Done(given) => {
            number = Some(given);
            state.line_up();
        }
        Answer::Refused(refusal) => {
            state.operator = None;
            state.page = Page::SignIn;
            state.sign_in_notice = Some(Notice::new(Level::Error, "SIGN_IN_REFUSED").about(refusal.message));
            return Vec::new();
        }
        Answer::NotSent(cause) | Answer::Unknown(cause) => {
            state.line_down(cause.code());
            state.tell(Level::Warning, "SIGNED_IN_OFFLINE");
        }
    }
    let mut effects = vec![Effect::Write(Box::new(session(id, true, number)))];
    if state.outage.is_none() {
        effects.push(Effect::Drain);
    }
    if let Some(card) = state.card_waiting.take() {
        effects.extend(patient::card_read(state, &card));
    }
    effects
}

pub(super) fn sign_out(state: &mut State) -> Vec<Effect> {
    if state.bill_open() {
        return state.fail("BILL_OPEN");
    }
    state.next_patient();
    state.page = Page::SignIn;
    state.locked = None;
    match state.operator.take() {
        Some(operator) => {
            let ends = Effect::Write(Box::new(session(operator.id.clone(), false, None)));
            if operator.role == Role::Inspector {
                vec![ends]
            } else {
                vec![ends, Effect::SignOut(operator)]
            }
        }
        None => Vec::new(),
    }
}

/// Hides everything until the PIN is given again; the bill stays.
pub(super) fn lock(state: &mut State) -> Vec<Effect> {
    if state.operator.is_some() && state.locked.is_none() && !state.pay.under_way() {
        state.locked = Some(state.page);
        state.page = Page::SignIn;
        state.sign_in_notice = None;
        state.awaiting_approval = None;
        state.shown_until_ms = 0;
    }
    Vec::new()
}

/// Whether nobody has touched the till for long.
pub(super) fn idle(state: &State) -> bool {
    let served = matches!(state.patient, Patient::Checking { .. });
    !served && state.now_ms.saturating_sub(state.touched_ms) >= IDLE_MS_MAX
}
