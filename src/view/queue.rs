//! Queue page: what is on the way to the agency, what is unknown, and where its figures differ.

use yijie_rules::{Lang, Money};
use yijie_ui::slint::{ComponentHandle as _, Model as _, SharedString};
use yijie_ui::{AppWindow, Level, Message, Pair, Queue, QueueRow, SaleState};

use super::journal::kind_text;
use super::{Keys, figure, list, message, name, row, sale_state, state_text, time_left};
use crate::books::row::SaleRow;
use crate::desk::{self, Key, State};
use crate::{advice, clock};

const HOUR_MS: i64 = 3_600_000;

#[derive(Clone, PartialEq)]
pub(super) struct View {
    rows: Vec<QueueRow>,
    totals: [SharedString; 6],
    drain: (bool, SharedString),
    detail: Vec<Pair>,
    history: Vec<Pair>,
    can_resolve: bool,
    closings: Vec<Pair>,
    resolve: SharedString,
    message: Message,
    selected: i32,
}

pub(super) fn view(state: &State) -> View {
    let lang = state.lang;
    let standing = &state.standing;
    let last = state.queue_rows().count().checked_sub(1);
    let selected = last.map(|last| state.queue_selected.min(last));
    let shown = selected.and_then(|at| state.queue_rows().nth(at));
    let waiting = &standing.waiting;
    let can_resolve = shown.is_some_and(|row| !row.state.is_final());
    View {
        rows: state.queue_rows().map(|row| queue_row(row, state)).collect(),
        totals: [
            waiting.count.to_string().into(),
            figure(waiting.amount).into(),
            waiting.unknown.to_string().into(),
            standing.differences.len().to_string().into(),
            standing.settled_today.0.to_string().into(),
            figure(standing.settled_today.1).into(),
        ],
        drain: (state.draining, drain_text(state).into()),
        detail: shown.map(|row| detail(row, state)).unwrap_or_default(),
        history: shown.map(|row| history(row, lang)).unwrap_or_default(),
        can_resolve,
        closings: shown
            .and_then(SaleRow::open_difference)
            .map(|difference| closings(difference.cash, lang))
            .unwrap_or_default(),
        resolve: if can_resolve {
            lang.pick("查询并处理此笔", "Find out now").into()
        } else {
            SharedString::new()
        },
        message: message(
            state.notice.as_ref().filter(|_| state.page == desk::Page::Queue),
            state,
        ),
        selected: selected.and_then(|at| i32::try_from(at).ok()).unwrap_or(-1),
    }
}

fn queue_row(row: &SaleRow, state: &State) -> QueueRow {
    let lang = state.lang;
    let sums = &row.sale.settlement.setlinfo;
    let terms = row.sale.offline.as_ref().filter(|_| !row.state.is_final());
    let difference = row.open_difference().map(|difference| difference.cash);
    QueueRow {
        no: row.sale.id.as_str().into(),
        time: clock::stamp(row.time_ms).get(5..16).unwrap_or_default().into(),
        person: name(row.sale.psn_name.as_deref(), state).into(),
        amount: figure(sums.medfee_sumamt).into(),
        fund: figure(sums.fund_pay_sumamt).into(),
        state: if difference.is_some() {
            SaleState::Difference
        } else {
            sale_state(row.state)
        },
        state_text: if difference.is_some() {
            lang.pick("待多退少补", "Difference")
        } else {
            state_text(row.state, lang)
        }
        .into(),
        reason: row
            .cause
            .as_ref()
            .map(|(code, _)| advice::text(code, lang))
            .unwrap_or_default()
            .into(),
        deadline: terms
            .map(|terms| time_left(terms.settle_by_ms, state.now_ms, lang))
            .unwrap_or_default()
            .into(),
        urgent: terms.is_some_and(|terms| terms.settle_by_ms - state.now_ms < 12 * HOUR_MS),
        difference: difference.map(signed).unwrap_or_default().into(),
    }
}

/// What may be done about a difference's cash: it moves, or the till's owner bears it.
fn closings(cash: Money, lang: Lang) -> Vec<Pair> {
    let choice = |zh: &str, en: &str, value: String| Pair {
        label: lang.pick(zh, en).into(),
        value: value.into(),
        level: Level::Info,
    };
    let stays = choice(
        "不收不退，按医保结果接受",
        "No cash moves, the agency's figures stand",
        String::new(),
    );
    if cash > Money::ZERO {
        vec![
            choice("已向参保人补收现金", "Collected from the patient", figure(cash)),
            stays,
        ]
    } else if cash < Money::ZERO {
        let back = Money::ZERO.saturating_sub(cash);
        vec![
            choice("已向参保人退还现金", "Paid back to the patient", figure(back)),
            stays,
        ]
    } else {
        vec![stays]
    }
}

fn signed(sum: Money) -> String {
    if sum > Money::ZERO {
        format!("+{}", figure(sum))
    } else {
        figure(sum)
    }
}

/// What an outage says stands in the banner over the page.
fn drain_text(state: &State) -> String {
    if state.draining {
        state.lang.pick("正在逐笔上传", "Uploading one by one").to_owned()
    } else {
        String::new()
    }
}

pub(super) fn detail(row: &SaleRow, state: &State) -> Vec<Pair> {
    let lang = state.lang;
    let pair = |zh: &str, en: &str, value: String| Pair {
        label: lang.pick(zh, en).into(),
        value: value.into(),
        level: Level::Info,
    };
    let sums = &row.sale.settlement.setlinfo;
    let mut pairs = vec![
        pair("单号", "Sale", row.sale.id.clone()),
        pair("报文号", "Message id", row.msgid.clone()),
        pair("统筹", "Fund", figure(sums.fund_pay_sumamt)),
        pair("账户", "Account", figure(sums.acct_pay)),
        pair("现金", "Cash", figure(sums.psn_cash_pay)),
        pair("收费员", "Operator", row.sale.operator.clone()),
    ];
    if let Some((code, text)) = &row.cause {
        pairs.push(Pair {
            level: Level::Warning,
            ..pair("原因", "Reason", advice::text(code, lang).to_owned())
        });
        pairs.push(pair("处理", "What to do", advice::advice(code, lang).to_owned()));
        if !text.is_empty() {
            pairs.push(pair("经办机构回复", "The agency says", text.clone()));
        }
    }
    if let Some(reply) = &row.reply {
        pairs.push(pair("结算号", "Settlement", reply.setl_id.clone()));
        pairs.push(pair(
            "结算现金",
            "Cash as settled",
            figure(reply.setlinfo.psn_cash_pay),
        ));
    }
    pairs
}

pub(super) fn history(row: &SaleRow, lang: Lang) -> Vec<Pair> {
    row.history
        .iter()
        .map(|step| {
            let said = step
                .code
                .as_deref()
                .map(|code| advice::text(code, lang))
                .unwrap_or_default();
            let what = kind_text(&step.kind, lang);
            Pair {
                label: clock::stamp(step.time_ms).get(5..).unwrap_or_default().into(),
                value: format!("{what} {said}").trim().into(),
                level: Level::Info,
            }
        })
        .collect()
}

pub(super) fn apply(window: &AppWindow, before: Option<&View>, view: &View) {
    let queue = window.global::<Queue<'_>>();
    list(queue.get_rows(), &view.rows, |m| queue.set_rows(m));
    let [count, amount, unknown, differences, settled, sum] = view.totals.clone();
    queue.set_waiting_count(count);
    queue.set_waiting_amount(amount);
    queue.set_unknown_count(unknown);
    queue.set_difference_count(differences);
    queue.set_settled_today(settled);
    queue.set_settled_amount(sum);
    queue.set_draining(view.drain.0);
    queue.set_drain_text(view.drain.1.clone());
    list(queue.get_detail(), &view.detail, |m| queue.set_detail(m));
    list(queue.get_history(), &view.history, |m| queue.set_history(m));
    queue.set_can_resolve(view.can_resolve);
    queue.set_resolve_text(view.resolve.clone());
    queue.set_difference_open(!view.closings.is_empty());
    list(queue.get_closings(), &view.closings, |m| queue.set_closings(m));
    queue.set_message(view.message.clone());
    // The cashier moves; only another choice by the desk overwrites it.
    if before.map(|b| b.selected) != Some(view.selected) {
        queue.set_selected(view.selected);
    }
}

pub(super) fn connect(window: &AppWindow, keys: &Keys) {
    let queue = window.global::<Queue<'_>>();
    let to = keys.clone();
    queue.on_drain_now(move || to.press(Key::Drain));
    let to = keys.clone();
    queue.on_show(move |at| to.press(Key::ShowSale(row(at))));
    let to = keys.clone();
    queue.on_resolve(move |at| to.press(Key::Resolve(row(at))));
    let to = keys.clone();
    let there = window.as_weak();
    queue.on_close_difference(move |at| {
        // The last choice is that no cash moves.
        let choices = there
            .upgrade()
            .map(|window| window.global::<Queue<'_>>().get_closings().row_count());
        let cash_moved = choices.is_some_and(|count| row(at) + 1 < count);
        to.press(Key::CloseDifference { cash_moved });
    });
    let to = keys.clone();
    queue.on_dismiss_message(move || to.press(Key::Dismiss));
}
