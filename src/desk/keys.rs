//! What an operator may do, by who is signed in and on which page, and where it goes.

use super::{
    Effect, Health, Key, Level, Page, State, approval, bill, day, devices, lookup, patient, pay, session,
};

pub(super) fn pressed(state: &mut State, key: Key) -> Vec<Effect> {
    match key {
        Key::Language(lang) => {
            state.lang = lang;
            bill::resplit(state);
            return Vec::new();
        }
        Key::SignIn { id, pin } => return session::sign_in(state, id, pin),
        _ if state.locked.is_some() => return Vec::new(),
        Key::Dismiss => {
            state.notice = None;
            state.day.failed = None;
            return Vec::new();
        }
        Key::Go(Page::About) => {
            state.page = Page::About;
            return Vec::new();
        }
        // Nobody need sign in to see what is plugged in.
        Key::Go(Page::Devices) => return devices::open(state),
        Key::ShowDevice(row) => {
            state.devices.selected = row;
            return Vec::new();
        }
        Key::TestDevice(row) if state.page == Page::Devices => return devices::test(state, row),
        Key::TestDevice(_) => return Vec::new(),
        _ => {}
    }
    if state.operator.is_none() || state.signing_in {
        if matches!(key, Key::Go(_) | Key::Back) {
            state.page = Page::SignIn;
        }
        return Vec::new();
    }
    if state.pay.committing() && (changes_bill(&key) || matches!(key, Key::SignOut)) {
        return state.fail("SALE_UNDER_WAY");
    }
    if state.page != Page::Counter && changes_bill(&key) {
        return Vec::new();
    }
    if !state.sells() && !reads(&key) {
        return state.fail("INSPECTOR_SELLS_NOTHING");
    }
    match key {
        Key::SignOut => session::sign_out(state),
        Key::Go(page) => go(state, page),
        Key::Entry(text) => bill::entry(state, text),
        Key::Accept(text) => bill::accept(state, &text),
        Key::Pick(row) => bill::pick(state, row),
        Key::Select(row) => {
            state.bill.selected = row;
            Vec::new()
        }
        Key::Benefit(row) => bill::choose_benefit(state, row),
        Key::Quantity(row, quantity) => bill::quantity(state, row, &quantity),
        Key::Remove(row) => bill::remove(state, row),
        Key::ToggleAccount => {
            state.bill.account_off = !state.bill.account_off;
            bill::resplit(state);
            Vec::new()
        }
        Key::ToggleFamily => {
            state.bill.family_off = !state.bill.family_off;
            bill::resplit(state);
            Vec::new()
        }
        Key::Hold => bill::hold(state),
        Key::Recall(row) => bill::recall(state, row),
        Key::Clear => {
            state.next_patient();
            Vec::new()
        }
        Key::Agent(agent) => patient::agent(state, agent),
        Key::NoAgent => {
            state.bill.agent = None;
            Vec::new()
        }
        Key::Approve { id, pin } => approval::given(state, id, pin),
        Key::CancelApproval => {
            state.awaiting_approval = None;
            state.sign_in_notice = None;
            Vec::new()
        }
        Key::Pay => pay::begin(state),
        Key::Tendered(text) => pay::tendered(state, text),
        Key::Consent(given) => {
            state.pay.consent_given = given;
            Vec::new()
        }
        Key::Confirm => pay::confirm(state),
        Key::Back if state.page == Page::Devices => go(state, Page::Counter),
        Key::Back => pay::back(state),
        Key::Print => match &state.receipt {
            Some(row) => {
                state.printer.set(Health::Busy, "");
                vec![Effect::Print(Box::new(row.clone()))]
            }
            None => Vec::new(),
        },
        Key::NextSale => {
            if state.page == Page::Receipt {
                state.next_patient();
            }
            Vec::new()
        }
        Key::Drain => vec![Effect::TryNow],
        Key::ShowSale(row) => {
            state.queue_selected = row;
            Vec::new()
        }
        Key::Resolve(row) => match state.queue_rows().nth(row) {
            Some(row) => vec![Effect::Resolve(row.sale.id.clone())],
            None => Vec::new(),
        },
        Key::Lock => session::lock(state),
        Key::ShowPerson if state.shows_persons() => {
            state.shown_until_ms = 0;
            Vec::new()
        }
        Key::ShowPerson => approval::show_person(state),
        Key::PassLimit => pay::ask_past_limit(state),
        Key::CloseDifference { cash_moved } => lookup::close_difference(state, cash_moved),
        Key::FindSales(text) => lookup::find(state, text),
        Key::ChooseSale(row) => {
            state.lookup.selected = row;
            Vec::new()
        }
        Key::PrintAgain => match state.lookup.chosen() {
            Some(row) => vec![Effect::Print(Box::new(row.clone()))],
            None => Vec::new(),
        },
        Key::Reverse => lookup::reverse(state),
        Key::TurnDay(by) => day::turn(state, by),
        Key::Compare => day::compare(state),
        Key::ChooseRow(row) => {
            state.day.selected = row;
            Vec::new()
        }
        Key::MarkRow(row) => day::mark(state, row),
        Key::ConfirmDay => day::confirm(state),
        Key::ApplyForClearing => day::ask_for_clearing(state),
        Key::TurnLeaf { older } => lookup::leaf(state, older),
        Key::ChooseEntry(row) => {
            state.journal.selected = row;
            Vec::new()
        }
        Key::Language(_) | Key::SignIn { .. } | Key::Dismiss | Key::ShowDevice(_) | Key::TestDevice(_) => {
            Vec::new()
        }
    }
}

/// What somebody who only reads may do.
fn reads(key: &Key) -> bool {
    matches!(
        key,
        Key::SignOut
            | Key::Lock
            | Key::Go(_)
            | Key::Back
            | Key::ShowSale(_)
            | Key::ShowPerson
            | Key::Approve { .. }
            | Key::CancelApproval
            | Key::FindSales(_)
            | Key::ChooseSale(_)
            | Key::TurnDay(_)
            | Key::ChooseRow(_)
            | Key::TurnLeaf { .. }
            | Key::ChooseEntry(_)
    )
}

/// What begins, changes or ends a bill: for the counter page only, where the bill is seen.
fn changes_bill(key: &Key) -> bool {
    matches!(
        key,
        Key::Accept(_)
            | Key::Pick(_)
            | Key::Benefit(_)
            | Key::Quantity(..)
            | Key::Remove(_)
            | Key::ToggleAccount
            | Key::ToggleFamily
            | Key::Hold
            | Key::Recall(_)
            | Key::Clear
            | Key::Agent(_)
            | Key::NoAgent
            | Key::Pay
    )
}

fn go(state: &mut State, page: Page) -> Vec<Effect> {
    let tried = state.page == Page::Devices;
    let mut effects = Vec::new();
    match page {
        Page::Queue => state.page = Page::Queue,
        Page::Sales => effects.extend(lookup::open(state)),
        Page::Day => effects.extend(day::open(state)),
        Page::Journal if state.inspects() => effects.extend(lookup::open_journal(state)),
        Page::Journal => state.tell(Level::Error, "JOURNAL_FOR_INSPECTORS"),
        Page::Counter if !state.sells() => state.tell(Level::Error, "INSPECTOR_SELLS_NOTHING"),
        Page::Counter if state.pay.committing() => state.page = Page::Pay,
        Page::Counter if state.receipt.is_some() => state.page = Page::Receipt,
        Page::Counter => {
            state.pay = pay::Pay::default();
            state.page = Page::Counter;
        }
        _ => {}
    }
    if tried {
        effects.extend(devices::leave(state));
    }
    effects
}
