//! A busy morning at a pharmacy's till, in both languages: long names, fourteen lines, an outage, differences.

use std::rc::Rc;

use slint::{ComponentHandle, ModelRc, SharedString, VecModel};
use yijie_ui::{
    About, AppWindow, Counter, Health, Level, Overlay, Pair, Pay, PayState, Queue, QueueRow, Receipt,
    ReceiptRow, ReceiptStyle, SaleState, Session, Status, slint,
};

mod counter;
mod devices;
mod office;

use counter::lines;
pub use counter::{bill, message, offer, small_bill, suggestions};
pub use devices::devices;
pub use office::{day, journal, sales, supervisor};

/// Chinese or English, whichever the window speaks.
#[derive(Clone, Copy)]
pub struct Tongue(pub bool);

impl Tongue {
    fn say(self, zh: &str, en: &str) -> SharedString {
        if self.0 { zh.into() } else { en.into() }
    }
}

fn model<T: Clone + 'static>(rows: Vec<T>) -> ModelRc<T> {
    ModelRc::from(Rc::new(VecModel::from(rows)))
}

fn pair(label: SharedString, value: &str) -> Pair {
    Pair {
        label,
        value: value.into(),
        level: Level::Info,
    }
}

/// Who works here, all devices well, nothing waiting.
pub fn online(ui: &AppWindow, t: Tongue) {
    let session = ui.global::<Session>();
    session.set_signed_in(true);
    session.set_sells(true);
    session.set_operator_name(t.say("杨雪梅", "Yang Xuemei"));
    session.set_role_text(t.say("收费员", "Cashier"));
    session.set_institution_name(t.say(
        "昆明市五华区健之佳连锁药店（人民中路店）",
        "Jianzhijia Pharmacy, Renmin Middle Road, Wuhua, Kunming",
    ));
    session.set_institution_code("P53010200317".into());
    session.set_known_operators(model(vec!["1001".into(), "1002".into(), "9001".into()]));
    let status = ui.global::<Status>();
    status.set_network(Health::Ok);
    status.set_network_text(t.say("在线 42 ms", "online 42 ms"));
    status.set_waiting_count(0);
    status.set_waiting_amount("0.00".into());
    status.set_reader(Health::Ok);
    status.set_reader_text(t.say("就绪", "ready"));
    status.set_scanner(Health::Ok);
    status.set_scanner_text(t.say("就绪", "ready"));
    status.set_printer(Health::Ok);
    status.set_printer_text(t.say("就绪", "ready"));
    status.set_pack(Health::Ok);
    status.set_pack_text(t.say(
        "kunming-employee 2026.3 · 2 天",
        "kunming-employee 2026.3 · 2 days",
    ));
    status.set_clock_text("2026-03-01 09:41".into());
    status.set_offline(false);
}

/// The line is down since a while, five sales wait, the printer is out of paper.
pub fn outage(ui: &AppWindow, t: Tongue) {
    let status = ui.global::<Status>();
    status.set_network(Health::Fault);
    status.set_network_text(t.say("断开", "down"));
    status.set_waiting_count(128);
    status.set_waiting_amount("38,412.60".into());
    status.set_oldest_deadline("22:47:10".into());
    status.set_reader(Health::Ok);
    status.set_scanner(Health::Warning);
    status.set_scanner_text(t.say("未连接", "unplugged"));
    status.set_printer(Health::Fault);
    status.set_printer_text(t.say("缺纸", "no paper"));
    status.set_pack(Health::Warning);
    status.set_pack_text(t.say(
        "kunming-employee 2026.3 · 12 天",
        "kunming-employee 2026.3 · 12 days",
    ));
    status.set_offline(true);
    status.set_offline_since("09:12".into());
    status.set_offline_reason(t.say("医保网络不通（N02）", "agency line down (N02)"));
    status.set_offline_allowed(t.say(
        "每笔统筹上限 200.00，每人上限 300.00，账户上限为已知余额的 50%",
        "Fund up to 200.00 a sale, 300.00 a person; account up to 50% of last balance",
    ));
}

/// The pay page with consent outstanding.
pub fn pay(ui: &AppWindow, t: Tongue) {
    let pay = ui.global::<Pay>();
    pay.set_state(PayState::Editing);
    pay.set_total("125,922.40".into());
    pay.set_fund("5,545.01".into());
    pay.set_account("3,208.44".into());
    pay.set_family("1,200.00".into());
    pay.set_cash_due("115,968.95".into());
    pay.set_provisional(ui.global::<Status>().get_offline());
    pay.set_tendered("116,000.00".into());
    pay.set_change("31.05".into());
    pay.set_covered(true);
    pay.set_can_confirm(false);
    pay.set_quick(model(vec![
        "115,968.95".into(),
        "115,970".into(),
        "116,000".into(),
        "120,000".into(),
    ]));
    pay.set_consent_text(t.say(
        "以下项目不在医保基金支付范围内，由参保人自费，须在结算前知情同意。",
        "The fund does not pay for these goods. The patient pays for them and must agree before the sale.",
    ));
    pay.set_consent_lines(model(vec![
        pair(t.say("血糖试纸 超限价", "Test strips over limit"), "12.00"),
        pair(t.say("蛋白粉（乳清）", "Whey protein powder"), "298.00"),
        pair(t.say("合计自费", "Own expense"), "310.00"),
    ]));
}

/// The receipt of that sale.
pub fn receipt(ui: &AppWindow, t: Tongue) {
    let receipt = ui.global::<Receipt>();
    receipt.set_title(t.say(
        "昆明市五华区健之佳连锁药店",
        "Jianzhijia Pharmacy, Wuhua, Kunming",
    ));
    let offline = ui.global::<Status>().get_offline();
    receipt.set_provisional(offline);
    receipt.set_state(if offline {
        SaleState::Committed
    } else {
        SaleState::Settled
    });
    receipt.set_state_text(if offline {
        t.say("已记账，待上传", "recorded, waiting to be sent")
    } else {
        t.say("医保已结算", "settled")
    });
    receipt.set_sale_no("P53010200317-20260301-000128".into());
    receipt.set_cash_due("115,968.95".into());
    receipt.set_tendered("116,000.00".into());
    receipt.set_change("31.05".into());
    receipt.set_print_health(if offline { Health::Fault } else { Health::Ok });
    receipt.set_print_text(if offline {
        t.say("缺纸，装纸后自动补打", "no paper; prints by itself once refilled")
    } else {
        t.say("已打印", "printed")
    });
    let row = |left: SharedString, right: &str, style| ReceiptRow {
        left,
        right: right.into(),
        style,
    };
    let rule = || row(SharedString::new(), "", ReceiptStyle::Rule);
    let mut rows = vec![
        row(
            t.say("医疗保险结算凭证", "Medical insurance settlement"),
            "",
            ReceiptStyle::Centre,
        ),
        row(
            t.say("2026-03-01 09:41  单号 000128", "2026-03-01 09:41  No. 000128"),
            "",
            ReceiptStyle::Centre,
        ),
        rule(),
    ];
    for line in lines(t) {
        rows.push(row(line.name.clone(), "", ReceiptStyle::Plain));
        let each = format!("  {} × {}", line.price, line.quantity);
        rows.push(row(each.into(), &line.amount, ReceiptStyle::Plain));
    }
    rows.push(rule());
    rows.push(row(t.say("合计", "Total"), "125,922.40", ReceiptStyle::Strong));
    rows.push(row(
        t.say("统筹基金", "Pooled fund"),
        "5,545.01",
        ReceiptStyle::Plain,
    ));
    rows.push(row(
        t.say("个人账户", "Personal account"),
        "3,208.44",
        ReceiptStyle::Plain,
    ));
    rows.push(row(
        t.say("家庭共济", "Family account"),
        "1,200.00",
        ReceiptStyle::Plain,
    ));
    rows.push(row(t.say("现金", "Cash"), "115,968.95", ReceiptStyle::Large));
    rows.push(rule());
    rows.push(row(
        t.say("昆政办〔2022〕15号 第九条", "Kunming 2022 No. 15, art. 9"),
        "",
        ReceiptStyle::Centre,
    ));
    receipt.set_rows(model(rows));
}

/// Sales in every state.
pub fn queue(ui: &AppWindow, t: Tongue) {
    let states = [
        (SaleState::Sending, "正在上传", "sending", "", "", false),
        (
            SaleState::Committed,
            "待上传",
            "waiting",
            "医保网络不通（N02）",
            "22:47",
            false,
        ),
        (
            SaleState::Unknown,
            "结果未知",
            "unknown",
            "等待回应超时，正在查询",
            "01:12",
            true,
        ),
        (
            SaleState::Difference,
            "有差异",
            "difference",
            "医保结果与小票不同",
            "",
            false,
        ),
        (
            SaleState::Refused,
            "医保拒绝",
            "refused",
            "参保人待遇暂停",
            "",
            false,
        ),
        (SaleState::Reversed, "已冲正", "reversed", "", "", false),
        (SaleState::Settled, "已结算", "settled", "", "", false),
    ];
    let rows: Vec<QueueRow> = (0..14)
        .map(|n| {
            let (state, zh, en, reason, deadline, urgent) = states[n % states.len()];
            QueueRow {
                no: format!("20260301-{:06}", 115 + n).into(),
                time: format!("03-01 09:{:02}", 12 + n * 2).into(),
                person: if n == 4 {
                    "阿卜杜热西提·*****".into()
                } else {
                    "王**".into()
                },
                amount: if n == 3 {
                    "125,922.40".into()
                } else {
                    "86.40".into()
                },
                fund: if n == 3 { "5,545.01".into() } else { "43.20".into() },
                state,
                state_text: t.say(zh, en),
                reason: t.say(
                    reason,
                    if reason.is_empty() {
                        ""
                    } else {
                        "agency line down (N02)"
                    },
                ),
                deadline: deadline.into(),
                urgent,
                difference: if state == SaleState::Difference {
                    "−1,204.50".into()
                } else {
                    SharedString::new()
                },
            }
        })
        .collect();
    let queue = ui.global::<Queue>();
    queue.set_rows(model(rows));
    queue.set_selected(3);
    queue.set_waiting_count("128".into());
    queue.set_waiting_amount("38,412.60".into());
    queue.set_unknown_count("2".into());
    queue.set_difference_count("1".into());
    queue.set_settled_today("214".into());
    queue.set_settled_amount("1,061,930.15".into());
    queue.set_drain_text(t.say("上次 09:38，12 笔已结算", "last run 09:38, 12 settled"));
    queue.set_detail(model(vec![
        pair(t.say("单号", "Sale"), "20260301-000118"),
        pair(t.say("小票统筹", "Printed fund"), "5,545.01"),
        pair(t.say("医保统筹", "Agency's fund"), "4,340.51"),
        Pair {
            label: t.say("应退补", "To collect"),
            value: "1,204.50".into(),
            level: Level::Warning,
        },
    ]));
    queue.set_history(model(vec![
        pair("09:18:02".into(), &t.say("记账", "recorded")),
        pair("09:18:02".into(), &t.say("离线，排队", "offline, queued")),
        pair("09:36:40".into(), &t.say("上传 2102", "sent 2102")),
        pair(
            "09:36:41".into(),
            &t.say("已结算，金额不同", "settled, amounts differ"),
        ),
    ]));
    queue.set_can_resolve(true);
    queue.set_closings(model(vec![
        pair(
            t.say("已向参保人补收现金", "Collected from the patient"),
            "1,204.50",
        ),
        pair(
            t.say(
                "不收不退，按医保结果接受",
                "No cash moves, the agency's figures stand",
            ),
            "",
        ),
    ]));
    queue.set_resolve_text(t.say("处理差异", "Resolve the difference"));
}

/// Version and licences.
pub fn about(ui: &AppWindow, t: Tongue) {
    let about = ui.global::<About>();
    about.set_version("0.1.0".into());
    about.set_build_text("x86_64-unknown-linux-gnu · release".into());
    about.set_licence_text(t.say("本程序以 Apache-2.0 许可发布。界面使用 Slint（免版税许可 2.0）。", "This program is under the Apache-2.0 licence. The window is made with Slint (royalty-free licence 2.0)."));
    about.set_font_licence(include_str!("../../fonts/OFL.txt").into());
}

/// The relations, approval text and so on that the sheets show.
pub fn overlay(ui: &AppWindow, t: Tongue, overlay: Overlay) {
    let counter = ui.global::<Counter>();
    counter.set_approval_text(t.say(
        "以身份证号代替社保卡和医保码核验，须由主管确认本人到场并出示证件。",
        "An ID number stands in for card and code: a supervisor must see the person and the document.",
    ));
    counter.set_approval_error(t.say("口令不对，还可试 2 次", "Wrong PIN, 2 tries left"));
    counter.set_overlay(overlay);
}
