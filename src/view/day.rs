//! Day close page: both sides' figures, the rows that differ, how far it is.

use yijie_agency::StatementVerdict;
use yijie_rules::{Lang, Money};
use yijie_ui::slint::{ComponentHandle as _, SharedString};
use yijie_ui::{AppWindow, Day, DayRow, DayTotal, Health, Level, Message, Pair};

use super::{Keys, figure, list, message, row};
use crate::advice;
use crate::commands::close::action_words;
use crate::desk::day::{Sums, Work};
use crate::desk::{Key, Page, State, day};
use crate::reconcile::Row;
use crate::record::{ClosedTotal, Mended};

#[derive(Clone, PartialEq)]
pub(super) struct View {
    date: SharedString,
    state: (Health, SharedString),
    totals: Vec<DayTotal>,
    rows: Vec<DayRow>,
    selected: i32,
    busy: bool,
    can_compare: bool,
    confirm: SharedString,
    can_apply: bool,
    mended: Vec<Pair>,
    message: Message,
}

pub(super) fn view(state: &State) -> View {
    let lang = state.lang;
    let day = &state.day;
    let wanted = day.wanted().len();
    let idle = day.work == Work::None && state.sells();
    let notice = day.failed.as_ref().or(state.notice.as_ref());
    let last = day.rows().count().checked_sub(1);
    View {
        date: day.date.map(|date| date.to_string()).unwrap_or_default().into(),
        state: standing(day, lang),
        totals: day.own.iter().map(|total| day_total(total, day, lang)).collect(),
        rows: day.rows().map(|row| day_row(row, day, lang)).collect(),
        selected: last
            .and_then(|last| i32::try_from(day.selected.min(last)).ok())
            .unwrap_or(-1),
        busy: day.work != Work::None,
        can_compare: idle,
        confirm: if idle && wanted > 0 {
            match lang {
                Lang::Zh => format!("处理所选 {wanted} 笔").into(),
                Lang::En => format!("Do the {wanted} marked").into(),
            }
        } else {
            SharedString::new()
        },
        can_apply: idle && day.balanced(),
        mended: day
            .found
            .iter()
            .flat_map(|found| &found.reconciliation.mended)
            .map(|done| mended(done, lang))
            .collect(),
        message: message(notice.filter(|_| state.page == Page::Day), state),
    }
}

fn standing(day: &day::Day, lang: Lang) -> (Health, SharedString) {
    let (health, zh, en) = match (day.work, &day.failed) {
        (Work::Comparing, _) => (
            Health::Busy,
            "正在与中心对账，可以先去收费",
            "Comparing, you may go on selling",
        ),
        (Work::Mending, _) => (
            Health::Busy,
            "正在逐笔处理，可以先去收费",
            "Working row by row, you may go on selling",
        ),
        (Work::Applying, _) => (Health::Busy, "正在申请清算", "Applying for clearing"),
        (Work::None, Some(_)) => (Health::Warning, "尚未对上账", "Not compared"),
        (Work::None, None) if day.balanced() => (Health::Ok, "已对平", "Balanced"),
        (Work::None, None) if day.found.is_some() && day.own.is_empty() && day.rows().next().is_none() => {
            (Health::Off, "当日没有结算", "Nothing was settled")
        }
        (Work::None, None) if day.found.is_some() || day.earlier.is_some() => {
            (Health::Fault, "未对平", "Not balanced")
        }
        (Work::None, None) => (Health::Off, "尚未对账", "Not compared yet"),
    };
    (health, lang.pick(zh, en).into())
}

fn day_total(own: &ClosedTotal, day: &day::Day, lang: Lang) -> DayTotal {
    let insurance = match own.insutype.as_str() {
        "310" => lang.pick("职工医保", "Employees"),
        "390" => lang.pick("居民医保", "Residents"),
        other => other,
    };
    let judged = day.said_of(own);
    let agency = day.agency_of(own);
    let texts = agency
        .map(texts)
        .unwrap_or_else(|| std::array::from_fn(|_| "–".into()));
    let [count, medfee, fund, account] = texts;
    let (health, verdict): (Health, SharedString) = match judged {
        None => (Health::Off, lang.pick("未对账", "Not compared").into()),
        Some(total) if total.balanced => (Health::Ok, lang.pick("平", "Agrees").into()),
        Some(total) => (
            Health::Fault,
            format!("{} {}", lang.pick("不平", "Differs"), total.result).into(),
        ),
    };
    let [own_count, own_medfee, own_fund, own_account] = texts_of_own(own);
    DayTotal {
        name: format!("{insurance} · {} · {}", own.clr_type, own.clr_optins).into(),
        count: own_count,
        medfee: own_medfee,
        fund: own_fund,
        account: own_account,
        agency_count: count,
        agency_medfee: medfee,
        agency_fund: fund,
        agency_account: account,
        health,
        verdict,
    }
}

fn texts_of_own(own: &ClosedTotal) -> [SharedString; 4] {
    texts(Sums::of(own))
}

fn texts(sums: Sums) -> [SharedString; 4] {
    [
        sums.count.to_string().into(),
        figure(sums.medfee).into(),
        figure(sums.fund).into(),
        figure(sums.account).into(),
    ]
}

fn day_row(row: &Row, day: &day::Day, lang: Lang) -> DayRow {
    let verdict = row.finding.as_ref().map(|found| found.verdict);
    let own = row.sale.as_ref().and_then(|id| {
        let sale = day.found.as_ref()?.sales.get(id)?;
        Some(sale.sums().clone())
    });
    let pair = |sums: Option<(Money, Money)>| -> (SharedString, SharedString) {
        sums.map_or(("–".into(), SharedString::new()), |(medfee, fund)| {
            (figure(medfee).into(), figure(fund).into())
        })
    };
    let here = match verdict {
        Some(StatementVerdict::AgencyMore) => None,
        _ => own.map(|sums| (sums.medfee_sumamt, sums.fund_pay_sumamt)),
    };
    let there = match (&row.finding, verdict) {
        (Some(found), Some(StatementVerdict::AgencyMore | StatementVerdict::Differs)) => {
            Some((found.medfee_sumamt, found.fund_pay_sumamt))
        }
        _ => None,
    };
    let ((own, own_fund), (agency, agency_fund)) = (pair(here), pair(there));
    let what = match verdict {
        Some(StatementVerdict::AgencyMore) => lang.pick("中心多", "Agency more"),
        Some(StatementVerdict::TerminalMore) => lang.pick("本机多", "Till more"),
        Some(StatementVerdict::Differs) => lang.pick("金额不同", "Amounts differ"),
        Some(StatementVerdict::Balanced | StatementVerdict::Other) => row.result(),
        None => lang.pick("中心没有", "Not there"),
    };
    let can = row.action.can_be_done();
    DayRow {
        no: row.sale.as_deref().unwrap_or(&row.msgid).into(),
        what: what.into(),
        own,
        agency,
        own_fund,
        agency_fund,
        action: action_words(row, lang).into(),
        can,
        on: can && !day.left_out.contains(&row.msgid),
    }
}

fn mended(done: &Mended, lang: Lang) -> Pair {
    let (how, level) = if done.failed.is_empty() {
        (lang.pick("已完成", "done"), Level::Info)
    } else {
        (advice::text(&done.failed, lang), Level::Warning)
    };
    Pair {
        label: done.msgid.as_str().into(),
        value: format!("{how}  {}", done.operator).into(),
        level,
    }
}

pub(super) fn apply(window: &AppWindow, before: Option<&View>, view: &View) {
    let day = window.global::<Day<'_>>();
    day.set_date_text(view.date.clone());
    day.set_health(view.state.0);
    day.set_state_text(view.state.1.clone());
    list(day.get_totals(), &view.totals, |m| day.set_totals(m));
    list(day.get_rows(), &view.rows, |m| day.set_rows(m));
    day.set_busy(view.busy);
    day.set_can_compare(view.can_compare);
    day.set_can_confirm(!view.confirm.is_empty());
    day.set_confirm_text(view.confirm.clone());
    day.set_can_apply(view.can_apply);
    list(day.get_mended(), &view.mended, |m| day.set_mended(m));
    day.set_message(view.message.clone());
    if before.map(|b| b.selected) != Some(view.selected) {
        day.set_selected(view.selected);
    }
}

pub(super) fn connect(window: &AppWindow, keys: &Keys) {
    let day = window.global::<Day<'_>>();
    let to = keys.clone();
    day.on_turn(move |by| to.press(Key::TurnDay(by)));
    let to = keys.clone();
    day.on_compare(move || to.press(Key::Compare));
    let to = keys.clone();
    day.on_show(move |at| to.press(Key::ChooseRow(row(at))));
    let to = keys.clone();
    day.on_mark(move |at| to.press(Key::MarkRow(row(at))));
    let to = keys.clone();
    day.on_confirm(move || to.press(Key::ConfirmDay));
    let to = keys.clone();
    day.on_apply(move || to.press(Key::ApplyForClearing));
    let to = keys.clone();
    day.on_dismiss_message(move || to.press(Key::Dismiss));
}
