//! Pay page: what is due, what was handed over, what the patient agrees to.

use yijie_rules::{Lang, Money};
use yijie_ui::slint::{ComponentHandle as _, SharedString};
use yijie_ui::{AppWindow, Level, Message, Pair, Pay, PayState};

use super::{Keys, figure, list, message};
use crate::desk::{self, Key, State, pay};

/// Notes of the currency a patient may hand over, yuan.
const NOTES: [&str; 5] = ["10", "20", "50", "100", "200"];

#[derive(Clone, PartialEq)]
pub(super) struct View {
    state: PayState,
    sums: [SharedString; 5],
    provisional: bool,
    tendered: SharedString,
    change: SharedString,
    covered: bool,
    quick: Vec<SharedString>,
    consent: SharedString,
    consent_lines: Vec<Pair>,
    consent_given: bool,
    can_confirm: bool,
    can_pass_limit: bool,
    message: Message,
}

pub(super) fn view(state: &State) -> View {
    let pay = &state.pay;
    let lang = state.lang;
    let sums = pay
        .sale
        .as_ref()
        .map(|sale| sale.told.clone())
        .unwrap_or_default();
    let consent = pay.consent();
    View {
        state: match pay.state {
            pay::PayState::Editing => PayState::Editing,
            pay::PayState::Committing => PayState::Committing,
            pay::PayState::Asking | pay::PayState::Sending => PayState::Sending,
        },
        sums: [
            sums.medfee_sumamt,
            sums.fund_pay_sumamt,
            sums.acct_pay,
            sums.acct_mulaid_pay,
            sums.psn_cash_pay,
        ]
        .map(|sum| figure(sum).into()),
        provisional: pay
            .sale
            .as_ref()
            .and_then(|sale| sale.offline.as_ref())
            .is_some_and(|terms| terms.carried),
        tendered: pay.tendered.as_str().into(),
        change: pay.change().map(figure).unwrap_or_default().into(),
        covered: pay.change().is_some(),
        quick: quick(sums.psn_cash_pay),
        consent: if consent.is_empty() {
            SharedString::new()
        } else {
            consent_text(lang).into()
        },
        consent_lines: consent_lines(pay),
        consent_given: pay.consent_given,
        can_confirm: pay.change().is_some() && (consent.is_empty() || pay.consent_given),
        can_pass_limit: pay.past.is_some() && !pay.under_way(),
        message: message(
            state.notice.as_ref().filter(|_| state.page == desk::Page::Pay),
            state,
        ),
    }
}

/// The exact sum, and the notes that cover it; nothing if nothing is due.
fn quick(due: Money) -> Vec<SharedString> {
    if due == Money::ZERO {
        return Vec::new();
    }
    let notes = NOTES
        .iter()
        .filter_map(|note| Money::parse(note).ok())
        .filter(|note| *note > due)
        .take(3);
    std::iter::once(due)
        .chain(notes)
        .map(|sum| sum.to_string().into())
        .collect()
}

fn consent_text(lang: Lang) -> &'static str {
    lang.pick(
        "以下项目医保不予支付，患者同意自费",
        "The fund does not pay for these; the patient agrees to pay",
    )
}

fn consent_lines(pay: &pay::Pay) -> Vec<Pair> {
    let Some(sale) = &pay.sale else { return Vec::new() };
    let cuts = sale
        .settlement
        .detlcutinfo
        .iter()
        .filter(|cut| cut.fulamt_ownpay_amt > Money::ZERO);
    sale.consent
        .iter()
        .zip(cuts)
        .map(|(name, cut)| Pair {
            label: name.as_str().into(),
            value: figure(cut.fulamt_ownpay_amt).into(),
            level: Level::Warning,
        })
        .collect()
}

pub(super) fn apply(window: &AppWindow, before: Option<&View>, view: &View) {
    let pay = window.global::<Pay<'_>>();
    pay.set_state(view.state);
    let [total, fund, account, family, cash] = view.sums.clone();
    pay.set_total(total);
    pay.set_fund(fund);
    pay.set_account(account);
    pay.set_family(family);
    pay.set_cash_due(cash);
    pay.set_provisional(view.provisional);
    // The field is the cashier's; only a new payment empties it.
    if view.tendered.is_empty() && before.is_some_and(|b| !b.tendered.is_empty()) {
        pay.set_tendered(SharedString::new());
    }
    pay.set_change(view.change.clone());
    pay.set_covered(view.covered);
    list(pay.get_quick(), &view.quick, |m| pay.set_quick(m));
    pay.set_consent_text(view.consent.clone());
    list(pay.get_consent_lines(), &view.consent_lines, |m| {
        pay.set_consent_lines(m)
    });
    pay.set_consent_given(view.consent_given);
    pay.set_can_confirm(view.can_confirm);
    pay.set_can_pass_limit(view.can_pass_limit);
    pay.set_message(view.message.clone());
}

pub(super) fn connect(window: &AppWindow, keys: &Keys) {
    let pay = window.global::<Pay<'_>>();
    let to = keys.clone();
    pay.on_tendered_changed(move |text| {
        to.typed(&text);
        to.press(Key::Tendered(text.into()));
    });
    let to = keys.clone();
    pay.on_set_consent(move |given| to.press(Key::Consent(given)));
    let to = keys.clone();
    let pays = window.as_weak();
    pay.on_confirm(move || {
        let Some(window) = pays.upgrade() else { return };
        let pay = window.global::<Pay<'_>>();
        // A code scanned here is no money handed over.
        match to.entered(&pay.get_tendered()) {
            None => to.press(Key::Confirm),
            Some(before) => {
                pay.set_tendered(before.as_str().into());
                to.press(Key::Tendered(before));
            }
        }
    });
    let to = keys.clone();
    pay.on_back(move || to.press(Key::Back));
    let to = keys.clone();
    pay.on_pass_limit(move || to.press(Key::PassLimit));
    let to = keys.clone();
    pay.on_dismiss_message(move || to.press(Key::Dismiss));
}
