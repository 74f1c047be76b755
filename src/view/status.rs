//! Status bar and offline band.

use yijie_rules::{Lang, OfflineLimits, OfflineMode};
use yijie_ui::slint::{ComponentHandle as _, SharedString};
use yijie_ui::{AppWindow, Health, Status};

use super::{figure, health, time_left};
use crate::desk::{Condition, State};
use crate::{advice, clock};

const HOUR_MS: i64 = 3_600_000;

#[derive(Clone, PartialEq)]
pub(super) struct View {
    network: (Health, SharedString),
    waiting: (i32, SharedString),
    deadline: (SharedString, bool),
    devices: [(Health, SharedString); 3],
    pack: (Health, SharedString),
    clock: SharedString,
    offline: Option<[SharedString; 3]>,
}

pub(super) fn view(state: &State) -> View {
    let lang = state.lang;
    let waiting = &state.standing.waiting;
    let oldest = state
        .standing
        .queue
        .iter()
        .filter_map(|row| row.sale.offline.as_ref())
        .map(|terms| terms.settle_by_ms)
        .min();
    View {
        network: network(state),
        waiting: (
            i32::try_from(waiting.count).unwrap_or(i32::MAX),
            figure(waiting.amount).into(),
        ),
        deadline: (
            oldest
                .map(|until| time_left(until, state.now_ms, lang))
                .unwrap_or_default()
                .into(),
            oldest.is_some_and(|until| until - state.now_ms < 12 * HOUR_MS),
        ),
        devices: [
            device(&state.reader, lang),
            device(&state.scanner, lang),
            device(&state.printer, lang),
        ],
        pack: pack(state),
        clock: clock::stamp(state.now_ms).get(..16).unwrap_or_default().into(),
        offline: state.outage.as_ref().map(|outage| {
            let since = clock::stamp(outage.since_ms)
                .get(11..16)
                .unwrap_or_default()
                .to_owned();
            [
                since.into(),
                advice::text(&outage.cause, lang).into(),
                allowed(state).into(),
            ]
        }),
    }
}

fn network(state: &State) -> (Health, SharedString) {
    let (health, text) = match (&state.outage, state.agency_asked, state.draining) {
        (Some(_), ..) => (Health::Warning, state.lang.pick("离线", "Offline")),
        (None, false, _) => (Health::Off, state.lang.pick("未连接", "Not asked yet")),
        (None, true, true) => (Health::Busy, state.lang.pick("上传中", "Uploading")),
        (None, true, false) => (Health::Ok, state.lang.pick("在线", "Online")),
    };
    (health, text.into())
}

fn device(condition: &Condition, lang: Lang) -> (Health, SharedString) {
    let text = match (condition.code.is_empty(), condition.health) {
        // In full, with what to do, it is told across the page.
        (false, crate::desk::Health::Warning) => lang.pick("有问题", "Check"),
        (false, _) => lang.pick("不可用", "Not working"),
        (true, crate::desk::Health::Off) => lang.pick("未接", "Not fitted"),
        (true, crate::desk::Health::Busy) => lang.pick("读取中", "Reading"),
        (true, _) => lang.pick("正常", "Ready"),
    };
    (health(condition.health), text.into())
}

/// Pack of the till's area: id, version and how long the till has had it.
fn pack(state: &State) -> (Health, SharedString) {
    let today = clock::today(state.now_ms);
    let Some(pack) = state.area_pack() else {
        return (Health::Fault, advice::text("NO_PACK", state.lang).into());
    };
    let since = state
        .setup
        .packs_since
        .get(pack.id())
        .copied()
        .unwrap_or(state.now_ms);
    let days = (state.now_ms - since).max(0) / (24 * HOUR_MS);
    let age = match state.lang {
        Lang::Zh => format!("{days} 天"),
        Lang::En => format!("{days} days"),
    };
    if pack.from() <= today && pack.until().is_none_or(|until| today <= until) {
        return (
            Health::Ok,
            format!("{} {} · {age}", pack.id(), pack.version()).into(),
        );
    }
    (
        Health::Fault,
        format!("{} {}", pack.id(), advice::text("NO_PACK", state.lang)).into(),
    )
}

/// What may be sold until the line is back.
fn allowed(state: &State) -> String {
    let area = &state.setup.institution.area;
    let pack = state.setup.packs.iter().find(|pack| pack.area() == area);
    let limits = pack.map_or(OfflineLimits::SELF_PAY, |pack| pack.offline().clone());
    match (limits.mode, state.lang) {
        (OfflineMode::SelfPay, lang) => lang
            .pick(
                "仅可全额自费并出具申报凭证",
                "full self-pay with a claim slip only",
            )
            .to_owned(),
        (OfflineMode::Carry, Lang::Zh) => format!(
            "统筹垫付：单笔 ≤ {}，每人 ≤ {}；须在 {} 小时内上传",
            figure(limits.fund_per_sale_max),
            figure(limits.fund_per_person_max),
            limits.settle_within_h
        ),
        (OfflineMode::Carry, Lang::En) => format!(
            "fund ≤ {} a sale, ≤ {} a person; to be sent within {} h",
            figure(limits.fund_per_sale_max),
            figure(limits.fund_per_person_max),
            limits.settle_within_h
        ),
    }
}

pub(super) fn apply(window: &AppWindow, view: &View) {
    let status = window.global::<Status<'_>>();
    status.set_network(view.network.0);
    status.set_network_text(view.network.1.clone());
    status.set_waiting_count(view.waiting.0);
    status.set_waiting_amount(view.waiting.1.clone());
    status.set_oldest_deadline(view.deadline.0.clone());
    status.set_deadline_urgent(view.deadline.1);
    let [reader, scanner, printer] = &view.devices;
    status.set_reader(reader.0);
    status.set_reader_text(reader.1.clone());
    status.set_scanner(scanner.0);
    status.set_scanner_text(scanner.1.clone());
    status.set_printer(printer.0);
    status.set_printer_text(printer.1.clone());
    status.set_pack(view.pack.0);
    status.set_pack_text(view.pack.1.clone());
    status.set_clock_text(view.clock.clone());
    status.set_offline(view.offline.is_some());
    let [since, reason, allowed] = view.offline.clone().unwrap_or_default();
    status.set_offline_since(since);
    status.set_offline_reason(reason);
    status.set_offline_allowed(allowed);
}
