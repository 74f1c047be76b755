//! The counter page's properties and callbacks.

use yijie_ui::slint::ComponentHandle as _;
use yijie_ui::{AppWindow, Counter, Overlay};

use super::{RELATIONS, View};
use crate::desk::Key;
use crate::record::Agent;
use crate::view::{Keys, list, row};

pub(in crate::view) fn apply(window: &AppWindow, before: Option<&View>, view: &View) {
    let counter = window.global::<Counter<'_>>();
    counter.set_person_state(view.person.0);
    counter.set_person_name(view.person.1.clone());
    counter.set_person_note(view.person.2.clone());
    list(counter.get_person_lines(), &view.person_lines, |m| {
        counter.set_person_lines(m)
    });
    counter.set_person_shown(view.shown);
    counter.set_agent_text(view.agent.clone());
    counter.set_agent_authorisation_needed(view.authorisation_needed);
    list(counter.get_agent_relations(), &view.relations, |m| {
        counter.set_agent_relations(m)
    });
    counter.set_benefit_text(view.benefit.clone());
    list(counter.get_benefits(), &view.benefits, |m| {
        counter.set_benefits(m)
    });
    list(counter.get_lines(), &view.lines, |m| counter.set_lines(m));
    counter.set_line_count_text(view.line_count.clone());
    if before.map(|b| (b.selected, b.lines.len())) != Some((view.selected, view.lines.len())) {
        counter.set_selected(view.selected);
    }
    let [total, fund, account, family, cash, left] = view.sums.clone();
    counter.set_total(total);
    counter.set_fund(fund);
    counter.set_account(account);
    counter.set_family(family);
    counter.set_cash(cash);
    counter.set_account_left(left);
    counter.set_account_on(view.account_on);
    counter.set_family_available(view.family.0);
    counter.set_family_on(view.family.1);
    counter.set_provisional(view.provisional);
    counter.set_grade_text(view.grade.clone());
    list(counter.get_reasons(), &view.reasons, |m| counter.set_reasons(m));
    counter.set_message(view.message.clone());
    // The field is the cashier's; only a clearing by the desk overwrites it.
    if before.is_some_and(|b| b.entry.0 != view.entry.0) {
        counter.set_entry_text(view.entry.1.clone());
        counter.set_suggestion(-1);
    }
    list(counter.get_suggestions(), &view.suggestions, |m| {
        counter.set_suggestions(m)
    });
    counter.set_can_pay(view.can_pay);
    counter.set_busy(view.busy);
    list(counter.get_held(), &view.held, |m| counter.set_held(m));
    let asked = view.approval.clone();
    if asked.is_some() && counter.get_overlay() == Overlay::None {
        counter.set_overlay(Overlay::Approval);
    } else if asked.is_none() && counter.get_overlay() == Overlay::Approval {
        counter.set_overlay(Overlay::None);
    }
    let (text, error) = asked.unwrap_or_default();
    counter.set_approval_text(text);
    counter.set_approval_error(error);
}

pub(in crate::view) fn connect(window: &AppWindow, keys: &Keys) {
    let counter = window.global::<Counter<'_>>();
    let to = keys.clone();
    counter.on_entry_changed(move |text| {
        to.typed(&text);
        to.press(Key::Entry(text.into()));
    });
    let to = keys.clone();
    counter.on_entry_accepted(move |text| {
        if to.entered(&text).is_none() {
            to.press(Key::Accept(text.into()));
        } else {
            // What was looked for while the code was being typed is over.
            to.press(Key::Entry(String::new()));
        }
    });
    let to = keys.clone();
    counter.on_pick(move |at| to.press(Key::Pick(row(at))));
    let to = keys.clone();
    counter.on_select(move |at| to.press(Key::Select(row(at))));
    let to = keys.clone();
    counter.on_set_quantity(move |at, quantity| to.press(Key::Quantity(row(at), quantity.into())));
    let to = keys.clone();
    counter.on_remove_line(move |at| to.press(Key::Remove(row(at))));
    let to = keys.clone();
    counter.on_choose_benefit(move |at| to.press(Key::Benefit(row(at))));
    let to = keys.clone();
    counter.on_toggle_account(move || to.press(Key::ToggleAccount));
    let to = keys.clone();
    counter.on_toggle_family(move || to.press(Key::ToggleFamily));
    let to = keys.clone();
    counter.on_hold(move || to.press(Key::Hold));
    let to = keys.clone();
    counter.on_recall(move |at| to.press(Key::Recall(row(at))));
    let to = keys.clone();
    counter.on_clear(move || to.press(Key::Clear));
    let to = keys.clone();
    counter.on_pay(move || to.press(Key::Pay));
    let to = keys.clone();
    counter.on_agent_purchase(move |name, id_no, relation, authorisation| {
        let relation = RELATIONS.get(row(relation)).map_or("other", |(code, ..)| *code);
        to.press(Key::Agent(Agent {
            name: name.into(),
            id_no: id_no.to_uppercase().as_str().into(),
            relation: relation.to_owned(),
            authorisation: (!authorisation.is_empty()).then(|| authorisation.into()),
        }));
    });
    let to = keys.clone();
    counter.on_agent_withdraw(move || to.press(Key::NoAgent));
    let to = keys.clone();
    counter.on_approve(move |id, pin| {
        to.press(Key::Approve {
            id: id.into(),
            pin: pin.into(),
        })
    });
    let to = keys.clone();
    counter.on_show_person(move || to.press(Key::ShowPerson));
    let to = keys.clone();
    counter.on_approval_cancel(move || to.press(Key::CancelApproval));
    let to = keys.clone();
    counter.on_dismiss_message(move || to.press(Key::Dismiss));
}
