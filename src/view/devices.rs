//! Devices page: how each device is doing, and what came of its test.

use yijie_rules::Lang;
use yijie_ui::slint::{ComponentHandle as _, SharedString};
use yijie_ui::{AppWindow, DeviceRow, Devices, Level};

use super::{Keys, health, list, row};
use crate::desk::devices::{self, Device, InReader, LastScan, Trial};
use crate::desk::{Condition, Health, Key, State};
use crate::{advice, clock};

/// A disk with less is told of before the journal refuses to write.
const DISK_LOW_BYTES: u64 = 1 << 30;

#[derive(Clone, PartialEq)]
pub(super) struct View {
    rows: Vec<DeviceRow>,
    selected: i32,
}

pub(super) fn view(state: &State) -> View {
    let rows: Vec<_> = devices::rows(state)
        .iter()
        .map(|device| device_row(state, device))
        .collect();
    let last = rows.len().saturating_sub(1);
    View {
        selected: i32::try_from(state.devices.selected.min(last)).unwrap_or(0),
        rows,
    }
}

fn device_row(state: &State, device: &Device) -> DeviceRow {
    let lang = state.lang;
    let (name, test) = names(device, lang);
    let now = now(state, device);
    let (result, result_level, busy) = result(state, device);
    DeviceRow {
        name: name.into(),
        place: place(state, device).into(),
        health: health(now.health),
        state: now.text.into(),
        advice: match now.code.as_str() {
            "" => SharedString::new(),
            code => advice::advice(code, lang).into(),
        },
        test: test.into(),
        result: result.into(),
        result_level,
        busy,
    }
}

/// What a device is called, and what its test does.
fn names(device: &Device, lang: Lang) -> (&'static str, &'static str) {
    match device {
        Device::Reader(_) => lang.pick(("读卡器", "读一张卡"), ("Card reader", "Read a card")),
        Device::Module => lang.pick(("安全模块", "询问模块"), ("Security module", "Ask the module")),
        Device::Scanner => lang.pick(("扫码枪", "扫一个码"), ("Scanner", "Scan a code")),
        Device::IdReader => lang.pick(
            ("身份证阅读器", "读身份证"),
            ("ID-card reader", "Read an ID card"),
        ),
        Device::Printer => lang.pick(("打印机", "打印测试页"), ("Printer", "Print a page")),
        Device::Drawer => lang.pick(("钱箱", "打开钱箱"), ("Cash drawer", "Open it")),
        Device::Display => lang.pick(("客显", "显示测试"), ("Customer display", "Show a test")),
        Device::Agency => lang.pick(("医保平台", "询问平台"), ("Agency", "Ask it")),
        Device::Disk => lang.pick(("磁盘", "写入测试"), ("Disk", "Write to it")),
    }
}

/// Where it is.
fn place(state: &State, device: &Device) -> String {
    let fitted = &state.devices.fitted;
    let port = match device {
        Device::Reader(name) => return name.clone(),
        Device::Module => &fitted.psam,
        Device::Scanner => &fitted.scanner,
        Device::IdReader => &fitted.id_reader,
        Device::Printer | Device::Drawer => &fitted.printer,
        Device::Display => &fitted.display,
        Device::Agency => return state.devices.agency.clone(),
        Device::Disk => return String::new(),
    };
    port.clone().unwrap_or_default()
}

/// How a device is doing now.
struct Now {
    health: Health,
    text: String,
    code: String,
}

impl Now {
    fn new(health: Health, text: impl Into<String>) -> Now {
        Now {
            health,
            text: text.into(),
            code: String::new(),
        }
    }

    fn told(health: Health, code: &str, lang: Lang) -> Now {
        Now {
            health,
            text: advice::text(code, lang).to_owned(),
            code: code.to_owned(),
        }
    }

    /// A condition in words; `ready` where nothing is wrong.
    fn of(condition: &Condition, ready: &str, lang: Lang) -> Now {
        match (condition.code.as_str(), condition.health) {
            ("", Health::Off) => Now::new(Health::Off, lang.pick("未配置", "Not set up")),
            ("", Health::Busy) => Now::new(Health::Busy, lang.pick("正在连接", "Connecting")),
            ("", health) => Now::new(health, ready),
            (code, health) => Now::told(health, code, lang),
        }
    }
}

fn now(state: &State, device: &Device) -> Now {
    let lang = state.lang;
    let known = &state.devices;
    let ready = lang.pick("就绪", "Ready");
    match device {
        Device::Reader(name) => match known.readers.get(name) {
            Some(card) => reader(card, lang),
            None => Now::of(&state.reader, ready, lang),
        },
        Device::Module => Now::of(&known.module, ready, lang),
        Device::Scanner => {
            let last = known.last_scan.as_ref().map(|scan| last_scan(scan, lang));
            // A scanner that types needs no port.
            match (&known.fitted.scanner, last) {
                (None, Some(last)) => Now::new(Health::Ok, last),
                (_, last) => Now::of(&state.scanner, &last.unwrap_or_else(|| ready.to_owned()), lang),
            }
        }
        Device::IdReader => Now::of(&known.id_reader, ready, lang),
        Device::Printer => printer(state),
        Device::Drawer => Now::of(
            &state.printer,
            lang.pick("由打印机打开", "Opened by the printer"),
            lang,
        ),
        Device::Display => match &known.fitted.display {
            None if known.fitted.customer_window => {
                Now::new(Health::Ok, lang.pick("第二窗口", "A window of its own"))
            }
            _ => Now::of(&known.display, ready, lang),
        },
        Device::Agency => agency(state),
        Device::Disk => match &known.free_bytes {
            None => Now::new(Health::Busy, lang.pick("正在查看", "Being looked at")),
            Some(Err(code)) => Now::told(Health::Fault, code, lang),
            Some(Ok(free)) if *free < DISK_LOW_BYTES => Now::told(Health::Warning, "DISK_LOW", lang),
            Some(Ok(free)) => {
                let free = free >> 20;
                Now::new(
                    Health::Ok,
                    lang.pick(format!("剩余 {free} MiB"), format!("{free} MiB free")),
                )
            }
        },
    }
}

fn reader(card: &InReader, lang: Lang) -> Now {
    match card {
        InReader::Nothing => Now::new(Health::Ok, lang.pick("就绪，无卡", "Ready, no card")),
        InReader::Card(_) => Now::new(Health::Busy, lang.pick("正在读卡", "Reading a card")),
        InReader::Read { version, took_ms } => Now::new(
            Health::Ok,
            lang.pick(
                format!("已读卡 {version}，{took_ms} 毫秒"),
                format!("Card {version} read in {took_ms} ms"),
            ),
        ),
        InReader::Fault(code) => Now::told(Health::Warning, code, lang),
    }
}

fn last_scan(scan: &LastScan, lang: Lang) -> String {
    let (kind, count) = (scan_kind(scan.kind, lang), scan.characters);
    let symbology = scan.symbology.as_deref().unwrap_or_default();
    let at = clock::stamp(scan.time_ms)
        .get(11..19)
        .unwrap_or_default()
        .to_owned();
    lang.pick(
        format!("{at} {kind}，{count} 位 {symbology}"),
        format!("{at} {kind}, {count} characters {symbology}"),
    )
    .trim_end()
    .to_owned()
}

fn scan_kind(word: &str, lang: Lang) -> &'static str {
    match word {
        "insurance-code" => lang.pick("医保码", "insurance code"),
        "trace-code" => lang.pick("追溯码", "trace code"),
        "gtin" => lang.pick("商品条码", "bar code"),
        "gs1" => lang.pick("GS1 码", "GS1 code"),
        "id-number" => lang.pick("身份证号", "ID number"),
        _ => lang.pick("其他码", "unknown code"),
    }
}

fn printer(state: &State) -> Now {
    let lang = state.lang;
    let waiting = state.prints_waiting;
    let mut now = Now::of(&state.printer, lang.pick("就绪", "Ready"), lang);
    if waiting > 0 {
        now.text = lang.pick(
            format!("{}（{waiting} 张待打印）", now.text.trim_end_matches('。')),
            format!("{} ({waiting} to print)", now.text.trim_end_matches('.')),
        );
    }
    now
}

fn agency(state: &State) -> Now {
    let lang = state.lang;
    match (&state.outage, state.agency_asked) {
        (Some(outage), _) => Now::told(Health::Warning, &outage.cause, lang),
        (None, false) => Now::new(Health::Off, lang.pick("未连接", "Not asked yet")),
        (None, true) => Now::new(Health::Ok, lang.pick("在线", "Online")),
    }
}

/// What came of the last test: words, how much they matter, whether it is under way.
fn result(state: &State, device: &Device) -> (String, Level, bool) {
    let lang = state.lang;
    let Some((time_ms, trial)) = state.devices.trials.get(device) else {
        return (String::new(), Level::Info, false);
    };
    let at = clock::stamp(*time_ms).get(11..19).unwrap_or_default().to_owned();
    match trial {
        Trial::Running => (lang.pick("正在测试…", "Testing…").to_owned(), Level::Info, true),
        Trial::Waiting if *device == Device::Scanner => (
            lang.pick("请扫一个码…", "Scan a code…").to_owned(),
            Level::Info,
            true,
        ),
        Trial::Waiting => (
            lang.pick("请放一张身份证…", "Lay an ID card on…").to_owned(),
            Level::Info,
            true,
        ),
        Trial::Done(detail) => {
            let done = lang.pick("正常", "worked");
            (
                format!("{at} {done} {detail}").trim_end().to_owned(),
                Level::Info,
                false,
            )
        }
        Trial::Failed(code) => (format!("{at} {}", advice::text(code, lang)), Level::Error, false),
    }
}

pub(super) fn apply(window: &AppWindow, view: &View) {
    let page = window.global::<Devices<'_>>();
    list(page.get_rows(), &view.rows, |rows| page.set_rows(rows));
    page.set_selected(view.selected);
}

pub(super) fn connect(window: &AppWindow, keys: &Keys) {
    let page = window.global::<Devices<'_>>();
    let to = keys.clone();
    page.on_show(move |index| to.press(Key::ShowDevice(row(index))));
    let to = keys.clone();
    page.on_test(move |index| to.press(Key::TestDevice(row(index))));
}
