//! Every page and state in both languages and both sizes: drawn to PNG, in the right language, nothing cut.

use std::collections::BTreeSet;
use std::path::PathBuf;

use i_slint_backend_testing::{AccessibleRole, ElementQuery};
use slint::ComponentHandle;
use yijie_ui::{AppWindow, Counter, Day, Overlay, Page, Pay, PersonState, Session, slint};

use crate::fit::{overflows, texts};
use crate::sample::{self, Tongue};
use crate::{in_window, says, settle, speak};

const SMALL: (u32, u32) = (1366, 768);
const LARGE: (u32, u32) = (1920, 1080);

/// Name of a picture, how to come there, and a text it must show in Chinese and English.
type Scene = (&'static str, fn(&AppWindow, Tongue), &'static str, &'static str);

fn show(ui: &AppWindow, page: Page) {
    ui.global::<Session>().set_page(page);
}

const PAGES: &[Scene] = &[
    ("sign-in", sign_in_refused, "操作员签到", "Operator number"),
    (
        "counter-empty",
        |ui, _| show(ui, Page::Counter),
        "还没有项目",
        "No items yet",
    ),
    ("counter-refused", person_refused, "核验未通过", "Not verified"),
    (
        "counter-small",
        |ui, t| {
            sample::small_bill(ui, t);
            show(ui, Page::Counter)
        },
        "账户余额",
        "Account left",
    ),
    (
        "counter-large",
        |ui, t| {
            sample::bill(ui, t);
            show(ui, Page::Counter)
        },
        "应收现金",
        "Cash to take",
    ),
    (
        "counter-offline",
        counter_offline,
        "▲ 离线，结果为暂定",
        "▲ Offline, results are provisional",
    ),
    (
        "counter-typing",
        |ui, t| {
            sample::small_bill(ui, t);
            sample::suggestions(ui, t);
            show(ui, Page::Counter)
        },
        "可选项目",
        "Offered items",
    ),
    (
        "pay",
        |ui, t| {
            sample::bill(ui, t);
            sample::pay(ui, t);
            show(ui, Page::Pay)
        },
        "自费知情同意",
        "Consent to pay",
    ),
    ("pay-message", pay_message, "知道了", "Dismiss"),
    (
        "receipt",
        |ui, t| {
            sample::receipt(ui, t);
            show(ui, Page::Receipt)
        },
        "下一位",
        "Next patient",
    ),
    (
        "receipt-offline",
        |ui, t| {
            sample::outage(ui, t);
            sample::receipt(ui, t);
            show(ui, Page::Receipt)
        },
        "暂定，以医保结算为准",
        "Provisional until the agency settles",
    ),
    (
        "queue-empty",
        |ui, _| show(ui, Page::Queue),
        "没有等待的结算",
        "Nothing is waiting",
    ),
    (
        "queue-offline",
        |ui, t| {
            sample::outage(ui, t);
            sample::supervisor(ui, t);
            sample::queue(ui, t);
            show(ui, Page::Queue)
        },
        "立即上传",
        "Send now",
    ),
    (
        "devices",
        |ui, t| {
            sample::devices(ui, t);
            show(ui, Page::Devices)
        },
        "上次测试",
        "Last test",
    ),
    (
        "sales",
        |ui, t| {
            sample::sales(ui, t);
            show(ui, Page::Sales)
        },
        "补打小票",
        "Print the receipt",
    ),
    (
        "day",
        |ui, t| {
            sample::supervisor(ui, t);
            sample::day(ui, t);
            show(ui, Page::Day)
        },
        "申请本月清算",
        "Apply for clearing",
    ),
    (
        "day-offline",
        |ui, t| {
            sample::outage(ui, t);
            sample::day(ui, t);
            ui.global::<Day>().set_message(sample::message(t));
            show(ui, Page::Day)
        },
        "有差异的结算",
        "Settlements that differ",
    ),
    (
        "journal",
        |ui, t| {
            sample::supervisor(ui, t);
            sample::journal(ui, t);
            show(ui, Page::Journal)
        },
        "最新的记录",
        "Latest entries",
    ),
    (
        "locked",
        |ui, t| {
            let session = ui.global::<Session>();
            session.set_locked_by(if t.0 { "杨雪梅" } else { "Yang Xuemei" }.into());
            session.set_locked_id("1001".into());
            sign_in_refused(ui, t);
        },
        "收款机已锁定",
        "The till is locked",
    ),
    (
        "about",
        |ui, t| {
            sample::about(ui, t);
            show(ui, Page::About)
        },
        "版本 0.1.0",
        "Version 0.1.0",
    ),
];

const SHEETS: &[Scene] = &[
    (
        "help",
        |ui, t| sheet(ui, t, Overlay::Help),
        "切换语言",
        "Switch language",
    ),
    (
        "quantity",
        |ui, t| sheet(ui, t, Overlay::Quantity),
        "修改",
        "Change",
    ),
    (
        "benefit",
        |ui, t| sheet(ui, t, Overlay::Benefit),
        "选定",
        "Choose",
    ),
    (
        "recall",
        |ui, t| sheet(ui, t, Overlay::Recall),
        "取回挂单",
        "Recall a held bill",
    ),
    (
        "agent",
        |ui, t| sheet(ui, t, Overlay::Agent),
        "代购人登记",
        "Agent purchase",
    ),
    (
        "approval",
        |ui, t| sheet(ui, t, Overlay::Approval),
        "需要主管批准",
        "Supervisor's approval",
    ),
    (
        "difference",
        |ui, t| {
            sample::queue(ui, t);
            show(ui, Page::Queue);
            sample::overlay(ui, t, Overlay::Difference)
        },
        "处理差异（多退少补）",
        "Difference with the patient",
    ),
    (
        "clear",
        |ui, t| sheet(ui, t, Overlay::Clear),
        "清空这张账单？",
        "Clear this bill?",
    ),
];

fn sheet(ui: &AppWindow, t: Tongue, overlay: Overlay) {
    sample::bill(ui, t);
    show(ui, Page::Counter);
    sample::overlay(ui, t, overlay);
}

fn sign_in_refused(ui: &AppWindow, t: Tongue) {
    let session = ui.global::<Session>();
    session.set_sign_in_error(
        if t.0 {
            "编号或口令不对，还可试 3 次"
        } else {
            "Wrong number or PIN, 3 tries left"
        }
        .into(),
    );
    session.set_sign_in_advice(
        if t.0 {
            "忘记口令请主管重设（PIN_WRONG）"
        } else {
            "Forgotten? A supervisor can reset it (PIN_WRONG)"
        }
        .into(),
    );
    session.set_page(Page::SignIn);
}

fn person_refused(ui: &AppWindow, t: Tongue) {
    sample::small_bill(ui, t);
    let counter = ui.global::<Counter>();
    counter.set_person_state(PersonState::Refused);
    counter.set_person_note(
        if t.0 {
            "卡已挂失（2026-02-11），不能使用；可改用医保码。"
        } else {
            "The card was reported lost on 2026-02-11; use the insurance code instead."
        }
        .into(),
    );
    counter.set_can_pay(false);
    counter.set_family_on(false);
    counter.set_account_on(false);
    counter.set_account("0.00".into());
    counter.set_cash("237.98".into());
    show(ui, Page::Counter);
}

fn counter_offline(ui: &AppWindow, t: Tongue) {
    sample::outage(ui, t);
    sample::bill(ui, t);
    ui.global::<Counter>().set_message(sample::message(t));
    ui.global::<Counter>().set_busy(true);
    show(ui, Page::Counter);
}

fn pay_message(ui: &AppWindow, t: Tongue) {
    sample::outage(ui, t);
    sample::pay(ui, t);
    ui.global::<Pay>().set_consent_given(true);
    ui.global::<Pay>().set_message(sample::message(t));
    show(ui, Page::Pay);
}

fn save(ui: &AppWindow, name: &str) {
    save_window(ui.window(), name);
}

/// Draws a window to a picture for people to look at.
pub fn save_window(window: &slint::Window, name: &str) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("screens");
    std::fs::create_dir_all(&folder).unwrap();
    let picture = window.take_snapshot().unwrap();
    let file = std::fs::File::create(folder.join(format!("{name}.png"))).unwrap();
    let mut encoder = png::Encoder::new(std::io::BufWriter::new(file), picture.width(), picture.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    encoder.set_filter(png::Filter::NoFilter);
    let opaque: Vec<u8> = picture
        .as_bytes()
        .chunks_exact(4)
        .flat_map(|pixel| [pixel[0], pixel[1], pixel[2]])
        .collect();
    encoder.write_header().unwrap().write_image_data(&opaque).unwrap();
}

fn is_chinese(letter: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&letter) && !"王李阿卜杜热西提中文".contains(letter)
}

/// Buttons wholly inside the window and large enough for a finger; everything with an action has a name.
fn untouchable(ui: &AppWindow, size: (u32, u32)) -> Vec<String> {
    ElementQuery::from_root(ui)
        .match_accessible_role(AccessibleRole::Button)
        .find_all()
        .into_iter()
        .filter_map(|found| {
            let (at, extent) = (found.absolute_position(), found.size());
            let label = found.accessible_label().unwrap_or_default();
            let inside = at.x >= 0.0
                && at.y >= 0.0
                && at.x + extent.width <= size.0 as f32
                && at.y + extent.height <= size.1 as f32;
            (label.is_empty() || !inside || extent.width < 44.0 || extent.height < 44.0)
                .then(|| format!("{label:?} {at:?} {extent:?}"))
        })
        .collect()
}

fn check_all(scenes: &[Scene], size: (u32, u32)) {
    let mut wrong = BTreeSet::new();
    for (name, set, zh, en) in scenes {
        for language in ["zh", "en"] {
            let wrong = &mut wrong;
            in_window(size, move |ui| {
                let tongue = Tongue(language == "zh");
                speak(ui, language);
                sample::online(ui, tongue);
                set(ui, tongue);
                settle(ui);
                let scene = format!("{name}-{language}-{}", size.1);
                let (expected, other) = if tongue.0 { (zh, en) } else { (en, zh) };
                if !says(ui, expected) {
                    wrong.insert(format!("{scene}: {expected:?} is missing"));
                }
                if says(ui, other) {
                    wrong.insert(format!("{scene}: {other:?} is in the wrong language"));
                }
                if !tongue.0 {
                    let left = texts(ui)
                        .into_iter()
                        .map(|(_, text, ..)| text)
                        .filter(|text| text.chars().any(is_chinese));
                    wrong.extend(left.map(|text| format!("{scene}: {text:?} is not translated")));
                }
                wrong.extend(
                    overflows(ui, size)
                        .into_iter()
                        .map(|what| format!("{scene}: {what}")),
                );
                wrong.extend(
                    untouchable(ui, size)
                        .into_iter()
                        .map(|what| format!("{scene}: cannot be touched: {what}")),
                );
                save(ui, &scene);
            });
        }
    }
    let wrong: Vec<String> = wrong.into_iter().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_page_fits_1366_by_768_in_both_languages() {
    check_all(PAGES, SMALL);
}

#[test]
fn every_page_fits_1920_by_1080_in_both_languages() {
    check_all(PAGES, LARGE);
}

#[test]
fn every_sheet_fits_1366_by_768_in_both_languages() {
    check_all(SHEETS, SMALL);
}

#[test]
fn the_cash_to_take_is_the_largest_figure_and_shrinks_before_it_is_cut() {
    in_window(SMALL, |ui| {
        sample::online(ui, Tongue(true));
        sample::bill(ui, Tongue(true));
        show(ui, Page::Counter);
        let mut tops = Vec::new();
        for cash in ["0.00", "29.54", "115,968.95", "-1,234,567,890.12"] {
            ui.global::<Counter>().set_cash(cash.into());
            settle(ui);
            let found = ElementQuery::from_root(ui).match_inherits("Banner").find_all();
            let heights: Vec<f32> = found.iter().map(|banner| banner.size().height).collect();
            assert!(
                heights.len() >= 3 && heights[1..].iter().all(|height| *height < heights[0]),
                "{heights:?}"
            );
            tops.push(found[0].absolute_position().y);
        }
        assert!(
            tops.windows(2).all(|pair| pair[0] == pair[1]),
            "nothing jumps when the amount grows: {tops:?}"
        );
    });
}
