//! Queue page: what is on the way to the agency, what is unknown, and where its figures differ.

use yijie_rules::{Lang, Money};
use yijie_ui::slint::{ComponentHandle as _, SharedString};
use yijie_ui::{AppWindow, Level, Message, Pair, Queue, QueueRow, SaleState};

use super::{Keys, figure, list, mask_name, message, row, sale_state, state_text, time_left};
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
        detail: shown.map(|row| detail(row, lang)).unwrap_or_default(),
        history: shown.map(|row| history(row, lang)).unwrap_or_default(),
        can_resolve,
        resolve: if can_resolve {
            lang.pick("查询并处理此笔", "Find out now").into()
        } else {
            SharedString::new()
        },
        message: message(
            state.notice.as_ref().filter(|_| state.page == desk::Page::Queue),
            lang,
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
        person: row
            .sale
            .psn_name
            .as_deref()
            .map(mask_name)
            .unwrap_or_default()
            .into(),
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

fn signed(sum: Money) -> String {
    if sum > Money::ZERO {
        format!("+{}", figure(sum))
    } else {
        figure(sum)
    }
}

fn drain_text(state: &State) -> String {
    match (&state.outage, state.draining) {
        (_, true) => state.lang.pick("正在逐笔上传", "Uploading one by one").to_owned(),
        (Some(outage), false) => advice::text(&outage.cause, state.lang).to_owned(),
        (None, false) => String::new(),
    }
}

fn detail(row: &SaleRow, lang: Lang) -> Vec<Pair> {
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

fn history(row: &SaleRow, lang: Lang) -> Vec<Pair> {
    row.history
        .iter()
        .map(|step| {
            let said = step
                .code
                .as_deref()
                .map(|code| advice::text(code, lang))
                .unwrap_or_default();
            let what = match step.kind.as_str() {
                "sale" => lang.pick("已记账", "Committed"),
                "attempt" => lang.pick("发送", "Sent"),
                "not-sent" => lang.pick("未发出", "Not sent"),
                "settled" => lang.pick("已结算", "Settled"),
                "refused" => lang.pick("被拒绝", "Refused"),
                "unknown" => lang.pick("结果不明", "Unknown"),
                "reversing" => lang.pick("冲正", "Reversing"),
                "reversed" => lang.pick("已冲正", "Reversed"),
                "reversal-refused" => lang.pick("撤销被拒绝", "Reversal refused"),
                "print-wanted" => lang.pick("待打印", "To be printed"),
                "diff-closed" => lang.pick("差异已处理", "Difference closed"),
                "printed" => lang.pick("已打印", "Printed"),
                other => other,
            };
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
    queue.on_dismiss_message(move || to.press(Key::Dismiss));
}
