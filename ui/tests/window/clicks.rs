//! Every button by its spoken label, by mouse or touch; none takes the focus from the entry.

use slint::ComponentHandle;
use yijie_ui::{Counter, Overlay, Page, Pay, slint};

use crate::record::listen;
use crate::sample::{self, Tongue};
use crate::{button, click, go, in_window, settle, type_text};

/// Page, label in Chinese and English, what is asked.
const BUTTONS: &[(Page, &str, &str, &[&str])] = &[
    (Page::SignIn, "English", "中文", &["language"]),
    (Page::Counter, "挂单", "Hold", &["hold"]),
    (Page::Counter, "删除行", "Remove", &["remove 3"]),
    (Page::Counter, "账户 用", "Account on", &["account"]),
    (Page::Counter, "共济 用", "Family on", &["family"]),
    (Page::Counter, "收款", "Take payment", &["pay"]),
    (Page::Counter, "知道了", "Dismiss", &["dismiss"]),
    (Page::Counter, "待传队列", "Queue", &["go Queue"]),
    (Page::Counter, "关于", "About", &["go About"]),
    (Page::Counter, "签退", "Sign out", &["sign-out"]),
    (Page::Pay, "116,000", "116,000", &["tendered 116,000"]),
    (Page::Pay, "参保人同意", "Patient agrees", &["consent true"]),
    (Page::Pay, "确认结算", "Settle", &["confirm"]),
    (Page::Pay, "返回", "Back", &["back"]),
    (Page::Receipt, "再打一张", "Print again", &["print"]),
    (Page::Receipt, "下一位", "Next patient", &["next"]),
    (Page::Queue, "立即上传", "Send now", &["drain"]),
    (Page::Queue, "处理差异", "Resolve the difference", &["resolve 3"]),
    (Page::Queue, "收费", "Counter", &["go Counter"]),
    (Page::Counter, "设备", "Devices", &["go Devices"]),
    (Page::Devices, "读一张卡", "Read a card", &["show 0", "test 0"]),
    (Page::Devices, "返回", "Back", &["go Counter"]),
    (Page::About, "返回", "Back", &["go Counter"]),
];

#[test]
fn every_button_asks_for_what_it_says_in_both_languages() {
    for language in ["zh", "en"] {
        in_window((1366, 768), |ui| {
            let record = listen(ui);
            let tongue = Tongue(language == "zh");
            crate::speak(ui, language);
            sample::online(ui, tongue);
            sample::bill(ui, tongue);
            sample::pay(ui, tongue);
            ui.global::<Pay>().set_can_confirm(true);
            sample::receipt(ui, tongue);
            sample::queue(ui, tongue);
            sample::devices(ui, tongue);
            ui.global::<Counter>().set_message(sample::message(tongue));
            for (page, zh, en, asked) in BUTTONS {
                go(ui, *page);
                click(ui, if tongue.0 { zh } else { en });
                let heard: Vec<String> = record
                    .take()
                    .into_iter()
                    .map(|what| what.replace(" zh", "").replace(" en", ""))
                    .collect();
                assert_eq!(heard, *asked, "{zh} / {en}");
            }
        });
    }
}

#[test]
fn sheets_open_by_button() {
    in_window((1366, 768), |ui| {
        let zh = Tongue(true);
        sample::online(ui, zh);
        sample::bill(ui, zh);
        go(ui, Page::Counter);
        for (label, overlay) in [
            ("数量", Overlay::Quantity),
            ("取单 3", Overlay::Recall),
            ("清空", Overlay::Clear),
            ("代购人", Overlay::Agent),
            ("医疗类别", Overlay::Benefit),
            ("帮助", Overlay::Help),
        ] {
            click(ui, label);
            assert_eq!(ui.global::<Counter>().get_overlay(), overlay, "{label}");
            ui.global::<Counter>().set_overlay(Overlay::None);
            settle(ui);
        }
    });
}

#[test]
fn a_click_never_takes_the_focus_from_the_entry() {
    in_window((1366, 768), |ui| {
        let record = listen(ui);
        let zh = Tongue(true);
        sample::online(ui, zh);
        sample::bill(ui, zh);
        go(ui, Page::Counter);
        for label in ["账户 用", "挂单", "阿托伐他汀钙片"] {
            click(ui, label);
            record.take();
            type_text(ui, "7");
            assert_eq!(record.take().len(), 1, "after a click on {label}");
        }
        assert_eq!(ui.global::<Counter>().get_entry_text(), "777");
    });
}

#[test]
fn a_known_operator_needs_only_the_pin() {
    in_window((1366, 768), |ui| {
        let record = listen(ui);
        sample::online(ui, Tongue(true));
        go(ui, Page::SignIn);
        click(ui, "1002");
        type_text(ui, "55");
        click(ui, "签到");
        assert_eq!(record.take(), ["sign-in 1002 55"]);
    });
}

#[test]
fn a_click_on_a_row_chooses_it() {
    in_window((1366, 768), |ui| {
        let record = listen(ui);
        let zh = Tongue(true);
        sample::online(ui, zh);
        sample::bill(ui, zh);
        sample::queue(ui, zh);
        go(ui, Page::Counter);
        click(ui, "阿莫西林胶囊");
        assert_eq!(record.take(), ["select 0"]);
        sample::suggestions(ui, zh);
        settle(ui);
        click(ui, "阿莫西林颗粒");
        assert_eq!(record.take(), ["pick 1"]);
        go(ui, Page::Queue);
        click(ui, "20260301-000116");
        assert_eq!(record.take(), ["show 1"]);
    });
}

#[test]
fn a_disabled_button_does_nothing_even_for_a_screen_reader() {
    in_window((1366, 768), |ui| {
        let record = listen(ui);
        sample::online(ui, Tongue(true));
        go(ui, Page::Counter);
        for label in ["收款", "挂单", "删除行", "清空"] {
            let found = button(ui, label);
            assert_eq!(found.accessible_enabled(), Some(false), "{label}");
            found.invoke_accessible_default_action();
            click(ui, label);
        }
        assert_eq!(record.take(), [] as [&str; 0]);
        assert_eq!(ui.global::<Counter>().get_overlay(), Overlay::None);
    });
}
