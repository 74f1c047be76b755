//! Counter page: lines, amounts, reasons; the person and the window's properties beside it.

mod person;
mod window;

pub(super) use window::{apply, connect};

use yijie_rules::{Grade, ItemClass, Lang, Money, Outcome, Settlement, StepKind};
use yijie_ui::slint::SharedString;
use yijie_ui::{BillLine, HeldBill, Item, Level, Message, Pair, PersonState, Reason};

use super::{figure, message, told};
use crate::desk::approval::Deed;
use crate::desk::bill::{self, Benefit};
use crate::desk::patient::Patient;
use crate::desk::{self, State};
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
    shown: bool,
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
        person: person::person(state),
        person_lines: verified
            .map(|verified| match &state.bill.self_pay {
                Some(reason) => vec![person::self_paying(reason, lang)],
                None => person::particulars(verified, state),
            })
            .unwrap_or_default(),
        agent: state
            .bill
            .agent
            .as_ref()
            .map(|agent| person::agent_text(agent, state))
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
            .map(|(index, sold)| line(&state.bill, index, sold, settlement, lang))
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
            state,
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
        approval: state.awaiting_approval.as_ref().map(|deed| {
            let about = match deed {
                Deed::IdNumber(_) | Deed::ShowPerson(_) | Deed::Mend(_) => String::new(),
                Deed::PastLimit(limit) => {
                    let (code, figure) = limit.split_once(' ').unwrap_or((limit, ""));
                    format!("{} {figure}", advice::text(code, lang))
                }
                _ => deed.about(),
            };
            let text = format!("{} {about}", advice::text(deed.code(), lang));
            let error = state.sign_in_notice.as_ref().map(|notice| told(notice, state));
            (text.trim_end().into(), error.unwrap_or_default().into())
        }),
        shown: state.shows_persons(),
        selected: i32::try_from(state.bill.selected).unwrap_or(-1),
    }
}

fn benefit_text(med_type: &str, lang: Lang) -> &'static str {
    match med_type {
        "41" => lang.pick("药店购药", "Pharmacy purchase"),
        "14" => lang.pick("门诊慢特病", "Chronic or special disease"),
        "13" => lang.pick("急诊抢救", "Emergency rescue"),
        _ => lang.pick("普通门诊", "Ordinary outpatient"),
    }
}

fn self_pay_text(lang: Lang) -> &'static str {
    lang.pick("全额自费", "Paid in full, no insurance")
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
                Benefit::Emergency => (benefit_text("13", state.lang), SharedString::new()),
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

fn line(
    bill: &bill::Bill,
    index: usize,
    sold: &bill::BillLine,
    settlement: Option<&Settlement>,
    lang: Lang,
) -> BillLine {
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
        _ if bill.above_cash(sold) => (lang.pick("高于现金价", "Above cash price"), Level::Error),
        _ => ("", Level::Info),
    };
    BillLine {
        no: no.into(),
        name: sold.item.name.as_str().into(),
        spec: sold.item.spec.as_str().into(),
        level: class(sold.item.level, lang).into(),
        price: figure(bill.price(sold)).into(),
        quantity: sold.quantity.as_str().into(),
        amount: bill.amount(sold).map(figure).unwrap_or_default().into(),
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
        StepKind::AccountFirst => lang.pick("先用账户", "Account first"),
        StepKind::Deductible => lang.pick("起付线", "Deductible"),
        StepKind::Pool => lang.pick("统筹支付", "Fund"),
        StepKind::Account => lang.pick("个人账户", "Own account"),
        StepKind::FamilyAccount => lang.pick("家庭共济", "Family account"),
        StepKind::Hospital => lang.pick("医院负担", "Institution"),
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
