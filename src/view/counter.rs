//! Counter page: person, lines, amounts, reasons.

use yijie_rules::{Code, Grade, ItemClass, Lang, Money, Outcome, Settlement, StepKind};
use yijie_ui::slint::{ComponentHandle as _, SharedString};
use yijie_ui::{
    AppWindow, BillLine, Counter, HeldBill, Item, Level, Message, Overlay, Pair, PersonState, Reason,
};

use super::{Keys, figure, list, mask_name, message, row};
use crate::desk::bill::{self, Benefit};
use crate::desk::patient::{Patient, Verified};
use crate::desk::{self, Key, State};
use crate::record::Agent;
use crate::{advice, clock};

/// Relations an agent may have, as the window lists them.
const RELATIONS: [(&str, &str, &str); 4] = [
    ("spouse", "配偶", "Spouse"),
    ("parent", "父母", "Parent"),
    ("child", "子女", "Child"),
    ("other", "其他", "Other"),
];

#[derive(Clone, PartialEq)]
pub(super) struct View {
    person: (PersonState, SharedString, SharedString),
    person_lines: Vec<Pair>,
    agent: SharedString,
    relations: Vec<SharedString>,
    authorisation_needed: bool,
    benefit: SharedString,
    benefits: Vec<Pair>,
    lines: Vec<BillLine>,
    line_count: SharedString,
    sums: [SharedString; 6],
    account_on: bool,
    family: (bool, bool),
    provisional: bool,
    grade: SharedString,
    reasons: Vec<Reason>,
    message: Message,
    entry: (u32, SharedString),
    suggestions: Vec<Item>,
    can_pay: bool,
    busy: bool,
    held: Vec<HeldBill>,
    approval: Option<(SharedString, SharedString)>,
    selected: i32,
}

pub(super) fn view(state: &State) -> View {
    let lang = state.lang;
    let settlement = state.bill.outcome.as_ref().and_then(Outcome::settled);
    let verified = match &state.patient {
        Patient::Verified(verified) => Some(verified.as_ref()),
        _ => None,
    };
    View {
        person: person(state),
        person_lines: verified
            .map(|verified| match &state.bill.self_pay {
                Some(reason) => vec![self_paying(reason, lang)],
                None => particulars(verified, lang),
            })
            .unwrap_or_default(),
        agent: state
            .bill
            .agent
            .as_ref()
            .map(|agent| agent_text(agent, lang))
            .unwrap_or_default()
            .into(),
        authorisation_needed: state.bill.disease.is_some(),
        relations: RELATIONS
            .iter()
            .map(|(_, zh, en)| lang.pick(*zh, *en).into())
            .collect(),
        benefit: match state.bill.self_pay {
            Some(_) => self_pay_text(lang),
            None => benefit_text(state.bill.med_type(&state.setup.institution), lang),
        }
        .into(),
        benefits: benefits(state),
        lines: state
            .bill
            .lines
            .iter()
            .enumerate()
            .map(|(index, sold)| line(index, sold, settlement, lang))
            .collect(),
        line_count: count_text(state.bill.lines.len(), lang).into(),
        sums: sums(state, settlement),
        account_on: !state.bill.account_off,
        family: (
            verified.is_some_and(|verified| !verified.record.facts.family.is_empty()),
            !state.bill.family_off,
        ),
        provisional: state.outage.is_some() && state.bill.self_pay.is_none(),
        grade: settlement
            .filter(|_| state.bill.self_pay.is_none())
            .map(|settlement| grade(settlement.grade, lang))
            .unwrap_or_default()
            .into(),
        reasons: settlement
            .map(|settlement| reasons(settlement, lang))
            .unwrap_or_default(),
        message: message(
            state
                .notice
                .as_ref()
                .filter(|_| state.page == desk::Page::Counter),
            lang,
        ),
        entry: (state.entry_cleared, state.entry.as_str().into()),
        suggestions: suggestions(state),
        can_pay: verified.is_some() && settlement.is_some(),
        busy: matches!(state.patient, Patient::Checking { .. }),
        held: state
            .held
            .iter()
            .map(|(no, held)| held_bill(*no, held, lang))
            .collect(),
        approval: state.awaiting_approval.as_ref().map(|_| {
            let error = state
                .sign_in_notice
                .as_ref()
                .map(|n| advice::text(&n.code, lang))
                .unwrap_or_default();
            (advice::text("ID_NEEDS_APPROVAL", lang).into(), error.into())
        }),
        selected: i32::try_from(state.bill.selected).unwrap_or(-1),
    }
}

fn person(state: &State) -> (PersonState, SharedString, SharedString) {
    let lang = state.lang;
    match &state.patient {
        Patient::None => (PersonState::None, SharedString::new(), SharedString::new()),
        Patient::Checking { .. } => (PersonState::Checking, SharedString::new(), SharedString::new()),
        Patient::Refused(notice, _) => (
            PersonState::Refused,
            SharedString::new(),
            advice::text(&notice.code, lang).into(),
        ),
        Patient::Verified(verified) => {
            let shown = match verified.credential.cert_type() {
                "03" => lang.pick("社保卡", "Social-security card"),
                "01" => lang.pick("医保码", "Insurance code"),
                _ => lang.pick("身份证号（主管核准）", "ID number, approved"),
            };
            if !verified.insured() {
                let name = verified.name().map(|name| mask_name(&name));
                let name = name.unwrap_or_else(|| lang.pick("自费顾客", "Cash customer").to_owned());
                return (PersonState::SelfPaying, name.into(), SharedString::new());
            }
            let note = if verified.card_out {
                format!("{shown} · {}", lang.pick("卡已取出", "card taken out"))
            } else if verified.from_snapshot {
                let taken = clock::stamp(verified.record_ms);
                format!(
                    "{shown} · {} {}",
                    lang.pick("本机缓存", "cached"),
                    taken.get(5..16).unwrap_or_default()
                )
            } else {
                format!("{shown} · {}", lang.pick("已联网核验", "verified online"))
            };
            (
                PersonState::Verified,
                mask_name(&verified.record.baseinfo.psn_name).into(),
                note.into(),
            )
        }
    }
}

fn particulars(verified: &Verified, lang: Lang) -> Vec<Pair> {
    let pair = |zh: &str, en: &str, value: String, level: Level| Pair {
        label: lang.pick(zh, en).into(),
        value: value.into(),
        level,
    };
    let person = &verified.person;
    let insured = match person.insutype.as_str() {
        "310" => lang.pick("职工医保", "Employee"),
        "390" => lang.pick("居民医保", "Resident"),
        other => other,
    };
    let kind = match person.psn_type.get(..2) {
        Some("11") => lang.pick("在职", "active"),
        Some("12") => lang.pick("退休", "retired"),
        _ => person.psn_type.as_str(),
    };
    let mut pairs = vec![
        pair("险种", "Insurance", format!("{insured} · {kind}"), Level::Info),
        pair(
            "参保地",
            "Insured in",
            person.insuplc_admdvs.as_deref().unwrap_or("—").to_owned(),
            Level::Info,
        ),
        status(verified, lang),
    ];
    let own = verified
        .record
        .facts
        .own
        .as_ref()
        .map(|own| own.balc)
        .or_else(|| {
            verified
                .record
                .insuinfo
                .iter()
                .find(|row| row.insutype == person.insutype.as_str())
                .and_then(|row| row.balc)
        });
    let balance = own.map_or_else(|| lang.pick("无账户", "None").to_owned(), figure);
    pairs.push(pair("账户余额", "Account", balance, Level::Info));
    if let Some(day) = verified.shown.expires_on {
        pairs.push(pair("卡有效期", "Card valid to", day.to_string(), Level::Info));
    }
    for note in &verified.notes {
        pairs.push(pair(
            "注意",
            "Note",
            note.code.text().text(lang).to_owned(),
            Level::Warning,
        ));
    }
    pairs
}

fn status(verified: &Verified, lang: Lang) -> Pair {
    let suspended = verified
        .notes
        .iter()
        .any(|note| note.code == Code::AdvancePayment);
    let (value, level) = if suspended {
        (lang.pick("暂停联网结算", "Suspended"), Level::Warning)
    } else {
        (lang.pick("正常参保", "Insured"), Level::Info)
    };
    Pair {
        label: lang.pick("状态", "Status").into(),
        value: value.into(),
        level,
    }
}

fn agent_text(agent: &Agent, lang: Lang) -> String {
    let relation = RELATIONS.iter().find(|(code, ..)| *code == agent.relation);
    let relation = relation
        .map(|(_, zh, en)| lang.pick(*zh, *en))
        .unwrap_or_default();
    format!("{} · {relation}", mask_name(&agent.name))
}

fn benefit_text(med_type: &str, lang: Lang) -> &'static str {
    match med_type {
        "41" => lang.pick("药店购药", "Pharmacy purchase"),
        "14" => lang.pick("门诊慢特病", "Chronic or special disease"),
        _ => lang.pick("普通门诊", "Ordinary outpatient"),
    }
}

fn self_pay_text(lang: Lang) -> &'static str {
    lang.pick("全额自费", "Paid in full, no insurance")
}

fn self_paying(reason: &str, lang: Lang) -> Pair {
    Pair {
        label: lang.pick("原因", "Why").into(),
        value: advice::text(reason, lang).into(),
        level: Level::Warning,
    }
}

fn benefits(state: &State) -> Vec<Pair> {
    bill::benefits(state)
        .into_iter()
        .map(|benefit| {
            let (label, value) = match benefit {
                Benefit::Plain => {
                    let plain = bill::plain_med_type(&state.setup.institution);
                    (benefit_text(plain, state.lang), SharedString::new())
                }
                Benefit::Disease(disease) => (benefit_text("14", state.lang), disease.into()),
                Benefit::SelfPay => (self_pay_text(state.lang), SharedString::new()),
            };
            Pair {
                label: label.into(),
                value,
                level: Level::Info,
            }
        })
        .collect()
}

fn line(index: usize, sold: &bill::BillLine, settlement: Option<&Settlement>, lang: Lang) -> BillLine {
    let no = (index + 1).to_string();
    let cut = settlement.and_then(|s| s.detlcutinfo.iter().find(|cut| cut.feedetl_sn == no.as_str()));
    let excluded = settlement.and_then(|s| s.excluded.iter().find(|line| line.feedetl_sn == no.as_str()));
    let borne = cut.map_or(Money::ZERO, |cut| {
        cut.fulamt_ownpay_amt
            .saturating_add(cut.overlmt_amt)
            .saturating_add(cut.preselfpay_amt)
    });
    let (flag, flag_level) = match (excluded, cut) {
        (Some(_), _) => (
            lang.pick("非医保物品，另开单", "Not medical, sell apart"),
            Level::Error,
        ),
        (None, Some(cut)) if cut.fulamt_ownpay_amt > Money::ZERO => {
            (lang.pick("自费", "Own expense"), Level::Warning)
        }
        (None, Some(cut)) if cut.overlmt_amt > Money::ZERO => {
            (lang.pick("超限价", "Above limit"), Level::Warning)
        }
        _ if sold.above_cash() => (lang.pick("高于现金价", "Above cash price"), Level::Error),
        _ => ("", Level::Info),
    };
    BillLine {
        no: no.into(),
        name: sold.item.name.as_str().into(),
        spec: sold.item.spec.as_str().into(),
        level: class(sold.item.level, lang).into(),
        price: figure(sold.price()).into(),
        quantity: sold.quantity.as_str().into(),
        amount: sold.amount().map(figure).unwrap_or_default().into(),
        self_pay: if borne > Money::ZERO {
            figure(borne).into()
        } else {
            SharedString::new()
        },
        flag: flag.into(),
        flag_level,
        excluded: excluded.is_some(),
    }
}

fn class(class: ItemClass, lang: Lang) -> &'static str {
    match class {
        ItemClass::A => lang.pick("甲", "A"),
        ItemClass::B => lang.pick("乙", "B"),
        ItemClass::C => lang.pick("丙", "C"),
    }
}

fn step_title(step: StepKind, lang: Lang) -> &'static str {
    match step {
        StepKind::FullOwnPay => lang.pick("全自费", "Own expense"),
        StepKind::OverLimit => lang.pick("超限价", "Above the price limit"),
        StepKind::FirstSelfPay => lang.pick("先行自付", "First self-pay"),
        StepKind::Deductible => lang.pick("起付线", "Deductible"),
        StepKind::Pool => lang.pick("统筹支付", "Fund"),
        StepKind::Account => lang.pick("个人账户", "Own account"),
        StepKind::FamilyAccount => lang.pick("家庭共济", "Family account"),
        StepKind::Cash => lang.pick("现金", "Cash"),
    }
}

fn sums(state: &State, settlement: Option<&Settlement>) -> [SharedString; 6] {
    let Some(sums) = settlement.map(|settlement| &settlement.setlinfo) else {
        // A bill that cannot be settled as it is must not read as one that costs nothing.
        let zero: SharedString = if state.bill.lines.is_empty() {
            figure(Money::ZERO).into()
        } else {
            "–".into()
        };
        let total = figure(state.bill.total()).into();
        return [
            total,
            zero.clone(),
            zero.clone(),
            zero.clone(),
            zero,
            SharedString::new(),
        ];
    };
    let left = settlement
        .and_then(|s| s.accounts_after.own.as_ref())
        .map(|own| figure(own.balc))
        .unwrap_or_default();
    [
        figure(sums.medfee_sumamt).into(),
        figure(sums.fund_pay_sumamt).into(),
        figure(sums.acct_pay).into(),
        figure(sums.acct_mulaid_pay).into(),
        figure(sums.psn_cash_pay).into(),
        left.into(),
    ]
}

fn grade(grade: Grade, lang: Lang) -> &'static str {
    match grade {
        Grade::Regulation => lang.pick("依据：法规原文", "Figures: regulation"),
        Grade::Official => lang.pick("依据：官方文件", "Figures: official document"),
        Grade::Reported => lang.pick("依据：公开报道", "Figures: reported"),
        Grade::Sandbox => lang.pick("含测试数值", "Test figures"),
    }
}

fn reasons(settlement: &Settlement, lang: Lang) -> Vec<Reason> {
    settlement
        .trace
        .iter()
        .map(|step| Reason {
            article: step.article.as_str().into(),
            title: step_title(step.step, lang).into(),
            says: step.says.as_str().into(),
            amount: figure(step.amount).into(),
        })
        .collect()
}

fn suggestions(state: &State) -> Vec<Item> {
    let items = state.setup.catalogue.items();
    state
        .suggestions
        .iter()
        .filter_map(|at| items.get(*at))
        .map(|item| Item {
            code: item.code.as_str().into(),
            name: item.name.as_str().into(),
            spec: item.spec.as_str().into(),
            level: class(item.level, state.lang).into(),
            price: figure(item.price).into(),
        })
        .collect()
}

fn count_text(lines: usize, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("{lines} 项"),
        Lang::En if lines == 1 => "1 line".to_owned(),
        Lang::En => format!("{lines} lines"),
    }
}

fn held_bill(no: u32, held: &bill::HeldBill, lang: Lang) -> HeldBill {
    HeldBill {
        no: no.to_string().into(),
        time: clock::stamp(held.time_ms).get(11..16).unwrap_or_default().into(),
        person: held.person.as_str().into(),
        count: count_text(held.bill.lines.len(), lang).into(),
        amount: figure(held.bill.total()).into(),
    }
}

pub(super) fn apply(window: &AppWindow, before: Option<&View>, view: &View) {
    let counter = window.global::<Counter<'_>>();
    counter.set_person_state(view.person.0);
    counter.set_person_name(view.person.1.clone());
    counter.set_person_note(view.person.2.clone());
    list(counter.get_person_lines(), &view.person_lines, |m| {
        counter.set_person_lines(m)
    });
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

pub(super) fn connect(window: &AppWindow, keys: &Keys) {
    let counter = window.global::<Counter<'_>>();
    let to = keys.clone();
    counter.on_entry_changed(move |text| to.press(Key::Entry(text.into())));
    let to = keys.clone();
    counter.on_entry_accepted(move |text| to.press(Key::Accept(text.into())));
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
    counter.on_approval_cancel(move || to.press(Key::CancelApproval));
    let to = keys.clone();
    counter.on_dismiss_message(move || to.press(Key::Dismiss));
}
