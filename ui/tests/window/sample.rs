//! A busy morning at a pharmacy's till, in both languages: long names, fourteen lines, an outage, differences.

use std::rc::Rc;

use slint::{ComponentHandle, ModelRc, SharedString, VecModel};
use yijie_ui::{
    About, AppWindow, BillLine, Counter, Health, HeldBill, Item, Level, Message, Overlay, Pair, Pay,
    PayState, PersonState, Queue, QueueRow, Reason, Receipt, ReceiptRow, ReceiptStyle, SaleState, Session,
    Status, slint,
};

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

fn line(t: Tongue, no: usize, zh: [&str; 2], en: [&str; 2], level: [&str; 2], money: [&str; 4]) -> BillLine {
    BillLine {
        no: no.to_string().into(),
        name: t.say(zh[0], en[0]),
        spec: t.say(zh[1], en[1]),
        level: t.say(level[0], level[1]),
        price: money[0].into(),
        quantity: money[1].into(),
        self_pay: money[2].into(),
        amount: money[3].into(),
        flag: SharedString::new(),
        flag_level: Level::Info,
        excluded: false,
    }
}

fn lines(t: Tongue) -> Vec<BillLine> {
    let (a, b, c) = (["甲", "A"], ["乙", "B"], ["丙", "C"]);
    let mut rows = vec![
        line(
            t,
            1,
            ["阿莫西林胶囊", "0.25g×24粒 · 华北制药"],
            ["Amoxicillin capsules", "0.25 g × 24 · North China Pharm"],
            a,
            ["12.80", "2", "0.00", "25.60"],
        ),
        line(
            t,
            2,
            ["苯磺酸氨氯地平片（络活喜）", "5mg×28片 · 辉瑞"],
            ["Amlodipine besylate tablets (Norvasc)", "5 mg × 28 · Pfizer"],
            a,
            ["89.60", "3", "0.00", "268.80"],
        ),
        line(
            t,
            3,
            ["阿托伐他汀钙片", "20mg×7片"],
            ["Atorvastatin calcium tablets", "20 mg × 7"],
            b,
            ["38.50", "4", "7.70", "154.00"],
        ),
        line(
            t,
            4,
            [
                "注射用重组人凝血因子Ⅷ（国家谈判药品，定点药店双通道供应）",
                "250IU/瓶",
            ],
            [
                "Recombinant human coagulation factor VIII for injection (negotiated)",
                "250 IU per vial",
            ],
            b,
            ["12,480.00", "10", "6,240.00", "124,800.00"],
        ),
        line(
            t,
            5,
            ["二甲双胍缓释片", "0.5g×30片"],
            ["Metformin extended-release tablets", "0.5 g × 30"],
            a,
            ["24.90", "2", "0.00", "49.80"],
        ),
        line(
            t,
            6,
            ["云南白药气雾剂", "85g+60g"],
            ["Yunnan Baiyao aerosol", "85 g + 60 g"],
            b,
            ["46.00", "1", "4.60", "46.00"],
        ),
        line(
            t,
            7,
            ["复方丹参滴丸", "27mg×180丸"],
            ["Compound Danshen dripping pills", "27 mg × 180"],
            a,
            ["27.30", "2", "0.00", "54.60"],
        ),
        line(
            t,
            8,
            ["蛋白粉（乳清）", "900g/罐"],
            ["Whey protein powder", "900 g tin"],
            c,
            ["298.00", "1", "298.00", "298.00"],
        ),
        line(
            t,
            9,
            ["血糖试纸", "50片/盒"],
            ["Blood glucose test strips", "50 per box"],
            b,
            ["96.00", "1", "9.60", "96.00"],
        ),
        line(
            t,
            10,
            ["布洛芬缓释胶囊", "0.3g×20粒"],
            ["Ibuprofen sustained-release capsules", "0.3 g × 20"],
            a,
            ["19.80", "1", "0.00", "19.80"],
        ),
        line(
            t,
            11,
            ["奥美拉唑肠溶胶囊", "20mg×14粒"],
            ["Omeprazole enteric capsules", "20 mg × 14"],
            a,
            ["15.60", "1", "0.00", "15.60"],
        ),
        line(
            t,
            12,
            ["三七粉（饮片）", "3g×10袋"],
            ["Notoginseng powder", "3 g × 10"],
            b,
            ["68.00", "1", "6.80", "68.00"],
        ),
        line(
            t,
            13,
            ["氯雷他定片", "10mg×6片"],
            ["Loratadine tablets", "10 mg × 6"],
            a,
            ["13.20", "1", "0.00", "13.20"],
        ),
        line(
            t,
            14,
            ["碘伏消毒液", "100ml"],
            ["Povidone-iodine solution", "100 ml"],
            b,
            ["6.50", "2", "1.30", "13.00"],
        ),
    ];
    rows[3].flag = t.say("须有外配处方", "prescription needed");
    rows[3].flag_level = Level::Warning;
    rows[7].flag = t.say("不得用医保支付，须另单", "not payable, separate bill");
    rows[7].flag_level = Level::Error;
    rows[7].excluded = true;
    rows[8].flag = t.say("超限价 12.00", "12.00 over price limit");
    rows
}

fn reasons(t: Tongue) -> Vec<Reason> {
    let row = |title: [&str; 2], says: [&str; 2], amount: &str| Reason {
        article: t.say("昆政办〔2022〕15号 第九条", "Kunming 2022 No. 15, art. 9"),
        title: t.say(title[0], title[1]),
        says: t.say(says[0], says[1]),
        amount: amount.into(),
    };
    vec![
        row(
            ["政策范围内", "In scope"],
            [
                "合计 125,922.40 − 自费 298.00 − 超限价 12.00 − 先行自付 6,270.00",
                "total 125,922.40 − own 298.00 − over limit 12.00 − first self-pay 6,270.00",
            ],
            "119,342.40",
        ),
        row(
            ["起付标准", "Deductible"],
            [
                "三级机构每次 90.00，年内已付 0.00",
                "90.00 a visit at level 3, nothing paid this year",
            ],
            "90.00",
        ),
        row(
            ["统筹支付 50%", "Fund pays 50%"],
            ["在职，三级机构", "active, level 3"],
            "5,545.01",
        ),
        row(
            ["年度限额", "Yearly limit"],
            [
                "普通门诊 6,000.00，已用 454.99",
                "ordinary outpatient 6,000.00, used 454.99",
            ],
            "5,545.01",
        ),
        row(
            ["个人账户", "Personal account"],
            ["余额 3,208.44，全部使用", "balance 3,208.44, all of it used"],
            "3,208.44",
        ),
    ]
}

fn person(ui: &AppWindow, t: Tongue) {
    let counter = ui.global::<Counter>();
    counter.set_person_state(PersonState::Verified);
    counter.set_person_name(t.say("阿卜杜热西提·*****", "阿卜杜热西提·*****"));
    counter.set_person_note(t.say(
        "社保卡读取，与医保登记一致",
        "Read from the card, agrees with the register",
    ));
    counter.set_person_lines(model(vec![
        pair(t.say("证件", "ID"), "5301**********1234"),
        pair(t.say("险种", "Insurance"), &t.say("职工医保", "Employee")),
        pair(t.say("人员", "Status"), &t.say("退休", "Retired")),
        pair(
            t.say("参保地", "Region"),
            &t.say("昆明市 530100", "Kunming 530100"),
        ),
        pair(t.say("账户余额", "Account"), "3,208.44"),
        Pair {
            label: t.say("卡有效期", "Card until"),
            value: t.say("2026-03-31 将到期", "2026-03-31 soon"),
            level: Level::Warning,
        },
    ]));
    counter.set_agent_text(t.say("李*（子女）", "李* (child)"));
    counter.set_agent_relations(model(vec![
        t.say("配偶", "Spouse"),
        t.say("子女", "Child"),
        t.say("父母", "Parent"),
        t.say("其他", "Other"),
    ]));
    counter.set_benefit_text(t.say("普通门诊", "Ordinary outpatient"));
    counter.set_benefits(model(vec![
        pair(t.say("普通门诊", "Ordinary outpatient"), "11"),
        pair(t.say("门诊慢性病：高血压", "Chronic: hypertension"), "14"),
        pair(t.say("定点药店购药", "Pharmacy purchase"), "41"),
    ]));
}

/// A person verified, fourteen lines, large amounts.
pub fn bill(ui: &AppWindow, t: Tongue) {
    person(ui, t);
    let counter = ui.global::<Counter>();
    counter.set_lines(model(lines(t)));
    counter.set_selected(3);
    counter.set_line_count_text(t.say("14 项", "14 lines"));
    counter.set_total("125,922.40".into());
    counter.set_fund("5,545.01".into());
    counter.set_account("3,208.44".into());
    counter.set_family("1,200.00".into());
    counter.set_cash("115,968.95".into());
    counter.set_account_on(true);
    counter.set_family_available(true);
    counter.set_family_on(true);
    counter.set_grade_text(t.say("依据：法规", "Source: regulation"));
    counter.set_reasons(model(reasons(t)));
    counter.set_can_pay(true);
    counter.set_held(model(
        (1..=3)
            .map(|n| HeldBill {
                no: format!("G{n:02}").into(),
                time: format!("09:{}5", n + 1).into(),
                person: "王**".into(),
                count: t.say("3 项", "3 items"),
                amount: "86.40".into(),
            })
            .collect(),
    ));
    counter.set_provisional(ui.global::<Status>().get_offline());
}

/// A small everyday sale.
pub fn small_bill(ui: &AppWindow, t: Tongue) {
    bill(ui, t);
    let counter = ui.global::<Counter>();
    counter.set_person_name("王**".into());
    counter.set_agent_text(SharedString::new());
    counter.set_lines(model(lines(t).into_iter().take(3).collect()));
    counter.set_selected(2);
    counter.set_line_count_text(t.say("3 项", "3 lines"));
    counter.set_total("448.40".into());
    counter.set_fund("210.42".into());
    counter.set_account("208.44".into());
    counter.set_cash("29.54".into());
    counter.set_family_available(false);
    counter.set_account_left("3,000.00".into());
}

/// A refusal with advice.
pub fn message(t: Tongue) -> Message {
    Message {
        level: Level::Error,
        code: "TRACE_CODE_ALREADY_SOLD".into(),
        text: t.say("该追溯码已售出，不能再次结算", "This trace code was sold before and cannot be settled again"),
        advice: t.say(
            "核对药盒，换一盒扫描；若是退货再售，请主管在队列中查该码的上一笔结算。",
            "Check the box and scan another; if it came back as a return, ask the supervisor to find its last sale.",
        ),
    }
}

/// A few letters typed, and the second offer chosen.
pub fn suggestions(ui: &AppWindow, t: Tongue) {
    offer(ui, t);
    ui.global::<Counter>().set_entry_text("amxl".into());
    ui.global::<Counter>().set_suggestion(1);
}

/// What the catalogue offers for those letters.
pub fn offer(ui: &AppWindow, t: Tongue) {
    let counter = ui.global::<Counter>();
    let row = |code: &str, zh: &str, en: &str, spec: &str, price: &str| Item {
        code: code.into(),
        name: t.say(zh, en),
        spec: spec.into(),
        level: t.say("甲", "A"),
        price: price.into(),
    };
    counter.set_suggestions(model(vec![
        row(
            "XJ01CAA040E001",
            "阿莫西林胶囊",
            "Amoxicillin capsules",
            "0.25g×24",
            "12.80",
        ),
        row(
            "XJ01CAA040B002",
            "阿莫西林颗粒",
            "Amoxicillin granules",
            "0.125g×18",
            "16.50",
        ),
        row(
            "XJ01CRA040A010",
            "阿莫西林克拉维酸钾分散片",
            "Amoxicillin and clavulanate potassium dispersible tablets",
            "228.5mg×12",
            "29.90",
        ),
        row(
            "XJ01CRA040A017",
            "阿莫西林克拉维酸钾干混悬剂",
            "Amoxicillin and clavulanate potassium for suspension",
            "156.25mg×9",
            "34.20",
        ),
    ]));
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
        rows.push(row(line.name.clone(), &line.amount, ReceiptStyle::Plain));
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
