//! Writes down everything the window asks of the program, in order, in words a test can compare.

use std::cell::RefCell;
use std::rc::Rc;

use yijie_ui::slint::ComponentHandle;
use yijie_ui::{AppWindow, Counter, Day, Devices, Journal, Pay, Queue, Receipt, Sales, Session};

/// What has been asked so far.
#[derive(Clone, Default)]
pub struct Record(Rc<RefCell<Vec<String>>>);

impl Record {
    fn note(&self, what: impl Into<String>) {
        self.0.borrow_mut().push(what.into());
    }

    /// Takes what has been asked since the last time.
    pub fn take(&self) -> Vec<String> {
        self.0.take()
    }
}

macro_rules! record {
    ($record:ident, $global:ident, $($on:ident($($arg:ident),*) $say:literal),* $(,)?) => {
        $( { let record = $record.clone(); $global.$on(move |$($arg),*| record.note(format!($say))); } )*
    };
}

/// Listens to every callback of every page.
pub fn listen(ui: &AppWindow) -> Record {
    let record = Record::default();
    let session = ui.global::<Session>();
    record!(record, session,
        on_sign_in(id, pin) "sign-in {id} {pin}", on_sign_out() "sign-out", on_lock() "lock",
        on_set_language(to) "language {to}", on_go(page) "go {page:?}",
    );
    let counter = ui.global::<Counter>();
    record!(record, counter,
        on_entry_changed(text) "typed {text}", on_entry_accepted(text) "entered {text}",
        on_pick(row) "pick {row}", on_select(row) "select {row}",
        on_set_quantity(row, quantity) "quantity {row} {quantity}", on_remove_line(row) "remove {row}",
        on_choose_benefit(row) "benefit {row}", on_toggle_account() "account", on_toggle_family() "family",
        on_hold() "hold", on_recall(row) "recall {row}", on_clear() "clear", on_pay() "pay",
        on_agent_purchase(name, id, relation, paper) "agent {name} {id} {relation} {paper}",
        on_agent_withdraw() "no agent", on_approve(id, pin) "approve {id} {pin}",
        on_approval_cancel() "no approval", on_show_person() "show person", on_dismiss_message() "dismiss",
    );
    let pay = ui.global::<Pay>();
    record!(record, pay,
        on_tendered_changed(text) "tendered {text}", on_set_consent(given) "consent {given}",
        on_confirm() "confirm", on_back() "back", on_pass_limit() "pass limit", on_dismiss_message() "dismiss",
    );
    let receipt = ui.global::<Receipt>();
    record!(record, receipt, on_print() "print", on_next_sale() "next", on_dismiss_message() "dismiss");
    let queue = ui.global::<Queue>();
    record!(record, queue,
        on_drain_now() "drain", on_show(row) "show {row}", on_resolve(row) "resolve {row}",
        on_close_difference(row) "close {row}", on_dismiss_message() "dismiss",
    );
    let sales = ui.global::<Sales>();
    record!(record, sales,
        on_find(text) "find {text}", on_show(row) "show {row}", on_print() "print", on_reverse() "reverse",
        on_dismiss_message() "dismiss",
    );
    let day = ui.global::<Day>();
    record!(record, day,
        on_turn(by) "turn {by}", on_compare() "compare", on_show(row) "show {row}", on_mark(row) "mark {row}",
        on_confirm() "confirm", on_apply() "apply", on_dismiss_message() "dismiss",
    );
    let journal = ui.global::<Journal>();
    record!(record, journal,
        on_show(row) "show {row}", on_turn(older) "older {older}", on_dismiss_message() "dismiss",
    );
    let devices = ui.global::<Devices>();
    record!(record, devices, on_show(row) "show {row}", on_test(row) "test {row}");
    record
}
