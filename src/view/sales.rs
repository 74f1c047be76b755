//! Page of sales: what was found, and the one moved to.

use yijie_ui::slint::{ComponentHandle as _, SharedString};
use yijie_ui::{AppWindow, Message, Pair, SaleLine, Sales};

use super::queue::{detail, history};
use super::{Keys, figure, list, message, row, sale_state, state_text};
use crate::books::row::{SaleRow, SaleState};
use crate::clock;
use crate::desk::{self, Key, State};

#[derive(Clone, PartialEq)]
pub(super) struct View {
    rows: Vec<SaleLine>,
    detail: Vec<Pair>,
    history: Vec<Pair>,
    selected: i32,
    busy: bool,
    can_print: bool,
    can_reverse: bool,
    reversing: bool,
    message: Message,
}

pub(super) fn view(state: &State) -> View {
    let lang = state.lang;
    let lookup = &state.lookup;
    let shown = lookup.chosen();
    View {
        rows: lookup.rows.iter().map(|row| sale_line(row, state)).collect(),
        detail: shown.map(|row| detail(row, state)).unwrap_or_default(),
        history: shown.map(|row| history(row, lang)).unwrap_or_default(),
        selected: shown
            .and_then(|_| i32::try_from(lookup.selected).ok())
            .unwrap_or(-1),
        busy: lookup.busy,
        can_print: shown.is_some() && state.sells(),
        can_reverse: state.sells() && shown.is_some_and(|row| row.state == SaleState::Settled),
        reversing: lookup.reversing,
        message: message(
            state.notice.as_ref().filter(|_| state.page == desk::Page::Sales),
            state,
        ),
    }
}

fn sale_line(row: &SaleRow, state: &State) -> SaleLine {
    let sums = row.sums();
    SaleLine {
        no: row.sale.id.as_str().into(),
        time: clock::stamp(row.time_ms).get(5..16).unwrap_or_default().into(),
        person: super::name(row.sale.psn_name.as_deref(), state).into(),
        amount: figure(sums.medfee_sumamt).into(),
        cash: figure(sums.psn_cash_pay).into(),
        state: sale_state(row.state),
        state_text: state_text(row.state, state.lang).into(),
        copies: if row.copies > 0 {
            row.copies.to_string().into()
        } else {
            SharedString::new()
        },
    }
}

pub(super) fn apply(window: &AppWindow, before: Option<&View>, view: &View) {
    let sales = window.global::<Sales<'_>>();
    list(sales.get_rows(), &view.rows, |m| sales.set_rows(m));
    list(sales.get_detail(), &view.detail, |m| sales.set_detail(m));
    list(sales.get_history(), &view.history, |m| sales.set_history(m));
    sales.set_busy(view.busy);
    sales.set_can_print(view.can_print);
    sales.set_can_reverse(view.can_reverse);
    sales.set_reversing(view.reversing);
    sales.set_message(view.message.clone());
    // The cashier moves; only another choice by the desk overwrites it.
    if before.map(|b| b.selected) != Some(view.selected) {
        sales.set_selected(view.selected);
    }
}

pub(super) fn connect(window: &AppWindow, keys: &Keys) {
    let sales = window.global::<Sales<'_>>();
    let to = keys.clone();
    sales.on_find(move |text| to.press(Key::FindSales(text.into())));
    let to = keys.clone();
    sales.on_show(move |at| to.press(Key::ChooseSale(row(at))));
    let to = keys.clone();
    sales.on_print(move || to.press(Key::PrintAgain));
    let to = keys.clone();
    sales.on_reverse(move || to.press(Key::Reverse));
    let to = keys.clone();
    sales.on_dismiss_message(move || to.press(Key::Dismiss));
}
