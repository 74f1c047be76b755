//! The pages beside the counter: sales found, a day that does not balance, a stretch of the journal.

use slint::ComponentHandle;
use yijie_ui::{
    AppWindow, Day, DayRow, DayTotal, Health, Journal, JournalRow, Level, Pair, SaleLine, SaleState, Sales,
    Session, slint,
};

use super::{Tongue, model, pair};

/// A supervisor is signed in: every page is there.
pub fn supervisor(ui: &AppWindow, t: Tongue) {
    let session = ui.global::<Session>();
    session.set_inspects(true);
    session.set_role_text(t.say("主管", "Supervisor"));
}

pub fn sales(ui: &AppWindow, t: Tongue) {
    let states = [
        (SaleState::Settled, "已结算", "Settled"),
        (SaleState::Reversed, "已撤销", "Reversed"),
        (SaleState::Committed, "待上传", "Waiting"),
        (SaleState::Refused, "未结算", "Refused"),
    ];
    let rows: Vec<SaleLine> = (0..20)
        .map(|n| {
            let (state, zh, en) = states[n % states.len()];
            let large = n == 0;
            SaleLine {
                no: format!("20260301-0941{:02}-{:04}", 59 - n, 128 - n).into(),
                time: format!("03-01 09:{:02}", 59 - n).into(),
                person: if large {
                    "阿***********".into()
                } else {
                    "王**".into()
                },
                amount: if large {
                    "125,922.40".into()
                } else {
                    "86.40".into()
                },
                cash: if large {
                    "115,968.95".into()
                } else {
                    "43.20".into()
                },
                state,
                state_text: t.say(zh, en),
                copies: if n % 3 == 0 { "2".into() } else { "1".into() },
            }
        })
        .collect();
    let sales = ui.global::<Sales>();
    sales.set_rows(model(rows));
    sales.set_selected(0);
    sales.set_can_print(true);
    sales.set_can_reverse(true);
    sales.set_detail(model(vec![
        pair(t.say("单号", "Sale"), "20260301-094159-0128"),
        pair(t.say("报文号", "Message id"), "P53010200317202603010941590128"),
        pair(t.say("统筹", "Fund"), "5,545.01"),
    ]));
    sales.set_history(model(vec![
        pair("03-01 09:41:59".into(), &t.say("已记账", "Committed")),
        pair("03-01 09:42:00".into(), &t.say("已结算", "Settled")),
    ]));
}

pub fn day(ui: &AppWindow, t: Tongue) {
    let day = ui.global::<Day>();
    day.set_date_text("2026-03-01".into());
    day.set_health(Health::Fault);
    day.set_state_text(t.say("未对平", "Not balanced"));
    day.set_totals(model(vec![
        DayTotal {
            name: t.say("职工医保 · 11 · 530199", "Employees · 11 · 530199"),
            count: "1,214".into(),
            medfee: "1,061,930.15".into(),
            fund: "545,545.01".into(),
            account: "103,208.44".into(),
            agency_count: "1,215".into(),
            agency_medfee: "1,062,016.55".into(),
            agency_fund: "545,588.21".into(),
            agency_account: "103,208.44".into(),
            health: Health::Fault,
            verdict: t.say("不平 000101", "Differs 000101"),
        },
        DayTotal {
            name: t.say("居民医保 · 11 · 530199", "Residents · 11 · 530199"),
            count: "12".into(),
            medfee: "930.15".into(),
            fund: "545.01".into(),
            account: "0.00".into(),
            agency_count: "12".into(),
            agency_medfee: "930.15".into(),
            agency_fund: "545.01".into(),
            agency_account: "0.00".into(),
            health: Health::Ok,
            verdict: t.say("平", "Agrees"),
        },
    ]));
    let row = |zh: (&str, &str), en: (&str, &str), can| DayRow {
        no: "20260301-094159-0128".into(),
        what: t.say(zh.0, en.0),
        own: "125,922.40".into(),
        agency: "125,836.00".into(),
        own_fund: "5,545.01".into(),
        agency_fund: "5,501.81".into(),
        action: t.say(zh.1, en.1),
        can,
        on: can,
    };
    day.set_rows(model(vec![
        row(
            ("中心多", "中心多出，冲正"),
            ("Agency more", "must not stand: reverse it"),
            true,
        ),
        row(
            ("本机多", "中心没有，重新结算"),
            ("Till more", "not at the agency: settle it anew"),
            true,
        ),
        row(
            ("金额不同", "金额不同，以中心为准"),
            ("Amounts differ", "other amounts: the agency's stand"),
            true,
        ),
        row(
            ("中心多", "请联系医保经办机构"),
            ("Agency more", "call the agency"),
            false,
        ),
    ]));
    day.set_selected(1);
    day.set_can_compare(true);
    day.set_can_confirm(true);
    day.set_confirm_text(t.say("处理所选 3 笔", "Do the 3 marked"));
    day.set_can_apply(false);
    day.set_mended(model(vec![Pair {
        label: "P53010200317202603010941590131".into(),
        value: t.say("撤销被拒绝  001", "Reversal refused  001"),
        level: Level::Warning,
    }]));
}

pub fn journal(ui: &AppWindow, t: Tongue) {
    let rows: Vec<JournalRow> = (0..40)
        .map(|n| JournalRow {
            no: (10_412 - n).to_string().into(),
            time: format!("2026-03-01 09:41:{:02}", 59 - n).into(),
            what: if n % 2 == 0 {
                t.say("主管批准", "Approved")
            } else {
                t.say("已向中心核对", "Compared with the agency")
            },
            about: t.say("撤销 20260301-094159-0128", "cancellation 20260301-094159-0128"),
            operator: "1002".into(),
            approver: "1001".into(),
        })
        .collect();
    let journal = ui.global::<Journal>();
    journal.set_rows(model(rows));
    journal.set_selected(3);
}
