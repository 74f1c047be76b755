//! The counter by keyboard alone: one test an intent.

use slint::ComponentHandle;
use slint::platform::Key;
use yijie_ui::{Counter, Message, Overlay, Page, Status, slint};

use crate::record::{Record, listen};
use crate::sample::{self, Tongue};
use crate::{AppWindow, chord, go, in_window, key, says, settle, speak, type_text};

const SIZE: (u32, u32) = (1366, 768);

/// A counter page with a bill on it, and everything it asks written down.
fn at_counter(test: impl FnOnce(&AppWindow, &Record) + Send) {
    in_window(SIZE, |ui| {
        let record = listen(ui);
        sample::online(ui, Tongue(true));
        sample::bill(ui, Tongue(true));
        go(ui, Page::Counter);
        test(ui, &record);
    });
}

#[test]
fn what_is_typed_lands_in_the_entry_at_once() {
    at_counter(|ui, record| {
        type_text(ui, "amx");
        assert_eq!(record.take(), ["typed a", "typed am", "typed amx"]);
        key(ui, Key::Return);
        assert_eq!(record.take(), ["entered amx"]);
        assert_eq!(
            ui.global::<Counter>().get_entry_text(),
            "",
            "the field is free for the next scan"
        );
    });
}

#[test]
fn a_scanner_that_types_fast_loses_nothing() {
    at_counter(|ui, record| {
        let codes: Vec<String> = (0..50u64).map(|n| format!("81{:018}", n * 7_919)).collect();
        for code in &codes {
            type_text(ui, code);
            key(ui, Key::Return);
        }
        let entered: Vec<String> = record
            .take()
            .into_iter()
            .filter(|what| what.starts_with("entered"))
            .collect();
        let expected: Vec<String> = codes.iter().map(|code| format!("entered {code}")).collect();
        assert_eq!(entered, expected);
    });
}

#[test]
fn enter_takes_a_suggestion_only_after_the_arrows_chose_one() {
    at_counter(|ui, record| {
        sample::suggestions(ui, Tongue(true));
        ui.global::<Counter>().set_suggestion(-1);
        key(ui, Key::Return);
        assert_eq!(record.take(), ["entered amxl"]);

        ui.global::<Counter>().set_entry_text("amxl".into());
        key(ui, Key::DownArrow);
        key(ui, Key::DownArrow);
        key(ui, Key::DownArrow);
        key(ui, Key::UpArrow);
        key(ui, Key::Return);
        assert_eq!(record.take(), ["pick 1"]);
    });
}

#[test]
fn typing_on_forgets_the_chosen_suggestion() {
    at_counter(|ui, record| {
        sample::offer(ui, Tongue(true));
        type_text(ui, "am");
        key(ui, Key::DownArrow);
        record.take();
        key(ui, "x");
        key(ui, Key::Return);
        assert_eq!(record.take(), ["typed amx", "entered amx"]);
    });
}

#[test]
fn arrows_choose_a_line_and_stop_at_the_ends() {
    at_counter(|ui, record| {
        key(ui, Key::DownArrow);
        key(ui, Key::UpArrow);
        key(ui, Key::PageDown);
        key(ui, Key::PageDown);
        key(ui, Key::PageDown);
        assert_eq!(
            record.take(),
            ["select 4", "select 3", "select 11", "select 13", "select 13"]
        );
        key(ui, Key::PageUp);
        key(ui, Key::PageUp);
        assert_eq!(record.take(), ["select 5", "select 0"]);
    });
}

#[test]
fn f2_changes_the_quantity_and_gives_the_focus_back() {
    at_counter(|ui, record| {
        key(ui, Key::F2);
        assert_eq!(ui.global::<Counter>().get_overlay(), Overlay::Quantity);
        type_text(ui, "12");
        key(ui, Key::Return);
        assert_eq!(
            record.take(),
            ["quantity 3 12"],
            "typing replaces the old quantity"
        );
        assert_eq!(ui.global::<Counter>().get_overlay(), Overlay::None);
        type_text(ui, "a");
        assert_eq!(record.take(), ["typed a"]);
    });
}

#[test]
fn each_function_key_asks_for_one_thing() {
    let cases: &[(Key, &[&str])] = &[
        (Key::F3, &["hold"]),
        (Key::F5, &["account"]),
        (Key::F8, &["remove 3"]),
        (Key::F9, &["pay"]),
        (Key::F10, &["go Queue"]),
        (Key::F11, &["language en"]),
        (Key::F12, &["sign-out"]),
    ];
    at_counter(|ui, record| {
        for (pressed, asked) in cases {
            key(ui, *pressed);
            assert_eq!(record.take(), *asked, "{pressed:?}");
        }
        chord(ui, Key::Shift, Key::F5);
        assert_eq!(record.take(), ["family"]);
    });
}

#[test]
fn without_a_bill_nothing_can_be_held_removed_or_paid() {
    in_window(SIZE, |ui| {
        let record = listen(ui);
        sample::online(ui, Tongue(true));
        go(ui, Page::Counter);
        for pressed in [Key::F2, Key::F3, Key::F8, Key::F9] {
            key(ui, pressed);
        }
        chord(ui, Key::Shift, Key::F5);
        assert_eq!(record.take(), [] as [&str; 0]);
        assert_eq!(ui.global::<Counter>().get_overlay(), Overlay::None);
    });
}

#[test]
fn f4_recalls_the_chosen_bill() {
    at_counter(|ui, record| {
        key(ui, Key::F4);
        key(ui, Key::DownArrow);
        key(ui, Key::DownArrow);
        key(ui, Key::DownArrow);
        key(ui, Key::UpArrow);
        key(ui, Key::Return);
        assert_eq!(record.take(), ["recall 1"]);
        assert_eq!(ui.global::<Counter>().get_overlay(), Overlay::None);
    });
}

#[test]
fn f7_chooses_the_benefit() {
    at_counter(|ui, record| {
        key(ui, Key::F7);
        key(ui, Key::DownArrow);
        key(ui, Key::Return);
        assert_eq!(record.take(), ["benefit 1"]);
    });
}

#[test]
fn f6_records_an_agent_with_both_identities() {
    at_counter(|ui, record| {
        key(ui, Key::F6);
        key(ui, Key::Return);
        type_text(ui, "李四");
        key(ui, Key::DownArrow);
        key(ui, Key::Return);
        assert_eq!(
            record.take(),
            [] as [&str; 0],
            "nothing is recorded while the ID number is missing"
        );
        type_text(ui, "11010519491231002X");
        key(ui, Key::Return);
        key(ui, Key::Return);
        assert_eq!(record.take(), ["agent 李四 11010519491231002X 1 "]);
    });
}

#[test]
fn an_agent_for_special_disease_needs_the_written_authorisation() {
    at_counter(|ui, record| {
        ui.global::<Counter>().set_agent_authorisation_needed(true);
        key(ui, Key::F6);
        type_text(ui, "李四");
        key(ui, Key::Return);
        type_text(ui, "11010519491231002X");
        key(ui, Key::Return);
        key(ui, Key::Return);
        assert_eq!(record.take(), [] as [&str; 0]);
        type_text(ui, "W7");
        key(ui, Key::Return);
        assert_eq!(record.take(), ["agent 李四 11010519491231002X 0 W7"]);
    });
}

#[test]
fn a_supervisor_approves_or_the_cashier_gives_up() {
    at_counter(|ui, record| {
        sample::overlay(ui, Tongue(true), Overlay::Approval);
        settle(ui);
        type_text(ui, "9001");
        key(ui, Key::Return);
        type_text(ui, "2468");
        key(ui, Key::Return);
        assert_eq!(record.take(), ["approve 9001 2468"]);
        assert_eq!(
            ui.global::<Counter>().get_overlay(),
            Overlay::Approval,
            "the program closes it once approved"
        );
        key(ui, Key::Escape);
        assert_eq!(record.take(), ["no approval"]);
        assert_eq!(ui.global::<Counter>().get_overlay(), Overlay::None);
    });
}

#[test]
fn escape_takes_one_thing_back_at_a_time() {
    at_counter(|ui, record| {
        ui.global::<Counter>().set_message(sample::message(Tongue(true)));
        type_text(ui, "x");
        record.take();
        key(ui, Key::Escape);
        assert_eq!(record.take(), ["dismiss"], "first the message");
        ui.global::<Counter>().set_message(Message::default());
        key(ui, Key::Escape);
        assert_eq!(record.take(), ["typed "], "then the entry");
        key(ui, Key::Escape);
        assert_eq!(
            ui.global::<Counter>().get_overlay(),
            Overlay::Clear,
            "then it asks before the bill goes"
        );
        assert_eq!(record.take(), [] as [&str; 0]);
        key(ui, Key::Escape);
        assert_eq!(
            ui.global::<Counter>().get_overlay(),
            Overlay::None,
            "a second Escape keeps the bill"
        );
        assert_eq!(record.take(), [] as [&str; 0]);
        key(ui, Key::Escape);
        key(ui, Key::Return);
        assert_eq!(record.take(), ["clear"]);
    });
}

#[test]
fn a_scanner_typing_into_a_sheet_confirms_nothing_and_its_code_is_not_lost() {
    for overlay in [
        Overlay::Clear,
        Overlay::Recall,
        Overlay::Benefit,
        Overlay::Help,
        Overlay::Quantity,
    ] {
        at_counter(|ui, record| {
            ui.global::<Counter>().set_overlay(overlay);
            settle(ui);
            type_text(ui, "6901234567892");
            key(ui, Key::Return);
            assert_eq!(record.take(), ["entered 6901234567892"], "{overlay:?}");
            assert_eq!(ui.global::<Counter>().get_overlay(), Overlay::None);
        });
    }
}

#[test]
fn f1_shows_every_key_and_enter_closes_it() {
    at_counter(|ui, record| {
        key(ui, Key::F1);
        assert!(says(ui, "切换语言"));
        key(ui, Key::Return);
        assert!(!says(ui, "切换语言"));
        type_text(ui, "a");
        assert_eq!(record.take(), ["typed a"]);
    });
}

#[test]
fn keys_of_the_bill_are_dead_under_a_sheet() {
    at_counter(|ui, record| {
        for overlay in [
            Overlay::Help,
            Overlay::Quantity,
            Overlay::Recall,
            Overlay::Benefit,
            Overlay::Agent,
            Overlay::Approval,
            Overlay::Clear,
        ] {
            ui.global::<Counter>().set_overlay(overlay);
            settle(ui);
            for pressed in [
                Key::F2,
                Key::F3,
                Key::F4,
                Key::F5,
                Key::F6,
                Key::F7,
                Key::F8,
                Key::F9,
                Key::F10,
                Key::F12,
            ] {
                key(ui, pressed);
            }
            assert_eq!(record.take(), [] as [&str; 0], "{overlay:?}");
            assert_eq!(ui.global::<Counter>().get_overlay(), overlay);
        }
    });
}

#[test]
fn language_changes_under_the_cashiers_hands_without_losing_the_entry() {
    at_counter(|ui, record| {
        type_text(ui, "am");
        speak(ui, "en");
        settle(ui);
        assert!(says(ui, "Take payment") && !says(ui, "收款"));
        type_text(ui, "x");
        assert_eq!(record.take(), ["typed a", "typed am", "typed amx"]);
        key(ui, Key::F11);
        assert_eq!(record.take(), ["language zh"]);
    });
}

#[test]
fn going_offline_shows_since_when_why_and_how_long() {
    at_counter(|ui, _| {
        assert!(!says(ui, "离线：结果为暂定"));
        sample::outage(ui, Tongue(true));
        settle(ui);
        assert!(says(ui, "离线：结果为暂定"));
        for text in [
            "自 09:12",
            "医保网络不通（N02）",
            "须在 22:47:10 内上传",
            "128 笔 ¥38,412.60",
        ] {
            assert!(says(ui, text), "{text}");
        }
        ui.global::<Status>().set_offline(false);
        settle(ui);
        assert!(!says(ui, "离线：结果为暂定"));
    });
}
