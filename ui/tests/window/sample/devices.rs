//! Every device of a counter, well, broken, at work and not fitted, with the longest words for each.

use yijie_ui::slint::ComponentHandle;
use yijie_ui::{AppWindow, DeviceRow, Devices, Health, Level};

use super::{Tongue, model};

/// Nine rows: more devices than most counters have.
pub fn devices(ui: &AppWindow, t: Tongue) {
    let row = |name: [&str; 2], place: &str, health, state: [&str; 2], advice: [&str; 2], test: [&str; 2]| {
        DeviceRow {
            name: t.say(name[0], name[1]),
            place: place.into(),
            health,
            state: t.say(state[0], state[1]),
            advice: t.say(advice[0], advice[1]),
            test: t.say(test[0], test[1]),
            ..DeviceRow::default()
        }
    };
    let none = ["", ""];
    let mut rows = vec![
        row(
            ["读卡器", "Card reader"],
            "Identiv uTrust 3700 F CL Reader 00 00",
            Health::Ok,
            ["已读卡 2.00，412 毫秒", "Card 2.00 read in 412 ms"],
            none,
            ["读一张卡", "Read a card"],
        ),
        row(
            ["安全模块", "Security module"],
            "Identiv uTrust 3700 F SAM 00 01",
            Health::Fault,
            [
                "没有找到安全模块（PSAM）。",
                "The security module (PSAM) was not found.",
            ],
            [
                "检查模块所在的卡槽和 devices.psam 设置；可改用医保码。",
                "Check the module's slot and the setting devices.psam; a code works meanwhile.",
            ],
            ["询问模块", "Ask the module"],
        ),
        row(
            ["扫码枪", "Scanner"],
            "/dev/ttyACM0",
            Health::Ok,
            [
                "09:41:12 医保码，28 位 ]Q1",
                "09:41:12 insurance code, 28 characters ]Q1",
            ],
            none,
            ["扫一个码", "Scan a code"],
        ),
        row(
            ["身份证阅读器", "ID-card reader"],
            "",
            Health::Off,
            ["未配置", "Not set up"],
            none,
            ["读身份证", "Read an ID card"],
        ),
        row(
            ["打印机", "Printer"],
            "tcp://192.168.1.87:9100",
            Health::Fault,
            [
                "打印机缺纸，这笔已记账（3 张待打印）",
                "The printer is out of paper; the sale itself is booked (3 to print)",
            ],
            [
                "装好纸后自动打印，不要重新结算。",
                "Put paper in; the receipt prints by itself then. Do not settle again.",
            ],
            ["打印测试页", "Print a page"],
        ),
        row(
            ["钱箱", "Cash drawer"],
            "tcp://192.168.1.87:9100",
            Health::Ok,
            ["由打印机打开", "Opened by the printer"],
            none,
            ["打开钱箱", "Open it"],
        ),
        row(
            ["客显", "Customer display"],
            "/dev/ttyS1",
            Health::Ok,
            ["就绪", "Ready"],
            none,
            ["显示测试", "Show a test"],
        ),
        row(
            ["医保平台", "Agency"],
            "https://10.88.12.4:8443",
            Health::Warning,
            ["医保平台没有及时回应。", "The agency did not answer in time."],
            [
                "可以继续收费，恢复后自动上传。",
                "Go on selling; it is sent by itself once the line is back.",
            ],
            ["询问平台", "Ask it"],
        ),
        row(
            ["磁盘", "Disk"],
            "",
            Health::Ok,
            ["剩余 48213 MiB", "48213 MiB free"],
            none,
            ["写入测试", "Write to it"],
        ),
    ];
    rows[0].result = t.say(
        "09:40:02 正常 2.00 · 530100 · 412 ms",
        "09:40:02 worked 2.00 · 530100 · 412 ms",
    );
    rows[2].result = t.say("请扫一个码…", "Scan a code…");
    rows[2].busy = true;
    rows[4].result = t.say(
        "09:40:30 打印机缺纸，这笔已记账。",
        "09:40:30 The printer is out of paper; the sale itself is booked.",
    );
    rows[4].result_level = Level::Error;
    let page = ui.global::<Devices>();
    page.set_rows(model(rows));
    page.set_selected(4);
}
