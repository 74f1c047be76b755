//! The counter's own: a person, fourteen lines with long names, reasons, a refusal, offers.

use yijie_ui::slint::{ComponentHandle, SharedString};
use yijie_ui::{
    AppWindow, BillLine, Counter, HeldBill, Item, Level, Message, Pair, PersonState, Reason, Status,
};

use super::{Tongue, model, pair};

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

pub(super) fn lines(t: Tongue) -> Vec<BillLine> {
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
