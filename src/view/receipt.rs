//! Receipt page: the slip as printed, and where the sale stands.

use yijie_hardware::{Align, SlipRow};
use yijie_ui::slint::{ComponentHandle as _, SharedString};
use yijie_ui::{AppWindow, Health, Message, Receipt, ReceiptRow, ReceiptStyle, SaleState};

use super::{Keys, figure, health, list, message, sale_state, state_text};
use crate::books::row::SaleRow;
use crate::desk::{self, Key, State};
use crate::{advice, slip};

#[derive(Clone, PartialEq)]
pub(super) struct View {
    title: SharedString,
    rows: Vec<ReceiptRow>,
    provisional: bool,
    state: SaleState,
    state_text: SharedString,
    sale_no: SharedString,
    cash: [SharedString; 3],
    print: (Health, SharedString),
    message: Message,
}

pub(super) fn view(state: &State) -> View {
    let lang = state.lang;
    let Some(row) = &state.receipt else {
        return View {
            title: SharedString::new(),
            rows: Vec::new(),
            provisional: false,
            state: SaleState::Committed,
            state_text: SharedString::new(),
            sale_no: SharedString::new(),
            cash: Default::default(),
            print: (Health::Off, SharedString::new()),
            message: Message::default(),
        };
    };
    let due = row.sums().psn_cash_pay;
    let tendered = row.sale.tendered.unwrap_or(due);
    let printer = &state.printer;
    let printed = if printer.code.is_empty() {
        if row.copies > 0 {
            lang.pick("已打印", "Printed")
        } else {
            lang.pick("打印中", "Printing")
        }
    } else {
        advice::text(&printer.code, lang)
    };
    View {
        title: slip::title(row).into(),
        rows: rows(row, state),
        provisional: !row.state.is_final(),
        state: sale_state(row.state),
        state_text: state_text(row.state, lang).into(),
        sale_no: row.sale.id.as_str().into(),
        cash: [due, tendered, row.change().unwrap_or_default()].map(|sum| figure(sum).into()),
        print: (health(printer.health), printed.into()),
        message: message(
            state
                .notice
                .as_ref()
                .filter(|_| state.page == desk::Page::Receipt),
            state,
        ),
    }
}

/// The slip as it was printed last; its title stands above the rows already.
fn rows(row: &SaleRow, state: &State) -> Vec<ReceiptRow> {
    let mut printed = row.clone();
    printed.copies = row.copies.saturating_sub(1);
    slip::of(&printed, &state.setup.institution)
        .rows
        .iter()
        .skip(1)
        .filter(|row| !matches!(row, SlipRow::Qr { .. }))
        .map(receipt_row)
        .collect()
}

fn receipt_row(row: &SlipRow) -> ReceiptRow {
    let (left, right, style) = match row {
        SlipRow::Text { text, style } if style.large => (text.as_str(), "", ReceiptStyle::Large),
        SlipRow::Text { text, style } if style.align == Align::Centre => {
            (text.as_str(), "", ReceiptStyle::Centre)
        }
        SlipRow::Text { text, style } if style.bold => (text.as_str(), "", ReceiptStyle::Strong),
        SlipRow::Text { text, .. } => (text.as_str(), "", ReceiptStyle::Plain),
        SlipRow::Pair { left, right, bold } => (
            left.as_str(),
            right.as_str(),
            if *bold {
                ReceiptStyle::Strong
            } else {
                ReceiptStyle::Plain
            },
        ),
        SlipRow::Rule => ("", "", ReceiptStyle::Rule),
        SlipRow::Blank => ("", "", ReceiptStyle::Plain),
        SlipRow::Qr { text } => (text.as_str(), "", ReceiptStyle::Centre),
        SlipRow::Mark { text } => (text.as_str(), "", ReceiptStyle::Centre),
    };
    ReceiptRow {
        left: left.into(),
        right: right.into(),
        style,
    }
}

pub(super) fn apply(window: &AppWindow, view: &View) {
    let receipt = window.global::<Receipt<'_>>();
    receipt.set_title(view.title.clone());
    list(receipt.get_rows(), &view.rows, |m| receipt.set_rows(m));
    receipt.set_provisional(view.provisional);
    receipt.set_state(view.state);
    receipt.set_state_text(view.state_text.clone());
    receipt.set_sale_no(view.sale_no.clone());
    let [due, tendered, change] = view.cash.clone();
    receipt.set_cash_due(due);
    receipt.set_tendered(tendered);
    receipt.set_change(change);
    receipt.set_print_health(view.print.0);
    receipt.set_print_text(view.print.1.clone());
    receipt.set_message(view.message.clone());
}

pub(super) fn connect(window: &AppWindow, keys: &Keys) {
    let receipt = window.global::<Receipt<'_>>();
    let to = keys.clone();
    receipt.on_print(move || to.press(Key::Print));
    let to = keys.clone();
    receipt.on_next_sale(move || to.press(Key::NextSale));
    let to = keys.clone();
    receipt.on_dismiss_message(move || to.press(Key::Dismiss));
}
