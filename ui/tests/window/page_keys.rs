//! Sign-in, pay, receipt, queue and about by keyboard alone.

use slint::ComponentHandle;
use slint::platform::Key;
use yijie_ui::{Counter, Day, Message, Overlay, Page, Pay, PayState, Queue, Receipt, Sales, Session, slint};

use crate::record::{Record, listen};
use crate::sample::{self, Tongue};
use crate::{AppWindow, chord, go, in_window, key, says, settle, type_text};

const NOTHING: [&str; 0] = [];

fn at(page: Page, test: impl FnOnce(&AppWindow, &Record) + Send) {
    in_window((1366, 768), |ui| {
        let record = listen(ui);
        let zh = Tongue(true);
        sample::online(ui, zh);
        sample::pay(ui, zh);
        sample::receipt(ui, zh);
        sample::queue(ui, zh);
        sample::devices(ui, zh);
        sample::sales(ui, zh);
        sample::day(ui, zh);
        sample::journal(ui, zh);
        sample::about(ui, zh);
        go(ui, page);
        test(ui, &record);
    });
}

#[test]
fn sign_in_with_number_and_pin() {
    at(Page::SignIn, |ui, record| {
        key(ui, Key::F9);
        key(ui, Key::F12);
        type_text(ui, "1001");
        key(ui, Key::Return);
        type_text(ui, "8642");
        assert_eq!(record.take(), NOTHING);
        key(ui, Key::Return);
        assert_eq!(record.take(), ["sign-in 1001 8642"]);
        key(ui, Key::Return);
        assert_eq!(
            record.take(),
            NOTHING,
            "the PIN is gone from the field after one try"
        );
    });
}

#[test]
fn sign_in_waits_while_one_is_being_checked() {
    at(Page::SignIn, |ui, record| {
        ui.global::<Session>().set_busy(true);
        type_text(ui, "1001");
        key(ui, Key::Return);
        type_text(ui, "8642");
        key(ui, Key::Return);
        assert_eq!(record.take(), NOTHING);
        assert!(says(ui, "正在核对…"));
    });
}

#[test]
fn pay_takes_typed_money_or_an_offered_amount() {
    at(Page::Pay, |ui, record| {
        type_text(ui, "12");
        assert_eq!(
            record.take(),
            ["tendered 1", "tendered 12"],
            "typing replaces the proposed amount"
        );
        for (pressed, asked) in [
            (Key::F3, "tendered 115,968.95"),
            (Key::F4, "tendered 115,970"),
            (Key::F5, "tendered 116,000"),
            (Key::F6, "tendered 120,000"),
        ] {
            key(ui, pressed);
            assert_eq!(record.take(), [asked]);
        }
    });
}

#[test]
fn pay_needs_the_programs_word_before_it_confirms() {
    at(Page::Pay, |ui, record| {
        key(ui, Key::Return);
        key(ui, Key::F9);
        assert_eq!(record.take(), NOTHING, "consent is outstanding");
        key(ui, Key::F2);
        assert_eq!(record.take(), ["consent true"]);
        ui.global::<Pay>().set_consent_given(true);
        ui.global::<Pay>().set_can_confirm(true);
        key(ui, Key::F2);
        assert_eq!(record.take(), ["consent false"]);
        key(ui, Key::Return);
        key(ui, Key::F9);
        assert_eq!(record.take(), ["confirm", "confirm"]);
    });
}

#[test]
fn nothing_is_confirmed_twice_or_left_while_it_is_written() {
    for state in [PayState::Committing, PayState::Sending, PayState::Done] {
        at(Page::Pay, |ui, record| {
            ui.global::<Pay>().set_can_confirm(true);
            ui.global::<Pay>().set_state(state);
            for pressed in [
                Key::Return,
                Key::F9,
                Key::Escape,
                Key::F2,
                Key::F3,
                Key::F10,
                Key::F12,
            ] {
                key(ui, pressed);
            }
            assert_eq!(record.take(), NOTHING, "{state:?}");
        });
    }
}

#[test]
fn escape_leaves_the_pay_page() {
    at(Page::Pay, |ui, record| {
        ui.global::<Pay>().set_message(sample::message(Tongue(true)));
        settle(ui);
        key(ui, Key::Escape);
        ui.global::<Pay>().set_message(Message::default());
        key(ui, Key::Escape);
        assert_eq!(record.take(), ["dismiss", "back"]);
    });
}

#[test]
fn enter_on_the_receipt_calls_the_next_patient() {
    at(Page::Receipt, |ui, record| {
        key(ui, Key::F2);
        key(ui, Key::DownArrow);
        key(ui, Key::Return);
        assert_eq!(record.take(), ["print", "next"]);
        key(ui, Key::Escape);
        assert_eq!(record.take(), ["next"]);
        ui.global::<Receipt>().set_message(sample::message(Tongue(true)));
        key(ui, Key::Escape);
        assert_eq!(record.take(), ["dismiss"]);
    });
}

#[test]
fn the_queue_is_walked_drained_and_resolved() {
    at(Page::Queue, |ui, record| {
        key(ui, Key::DownArrow);
        key(ui, Key::UpArrow);
        key(ui, Key::PageDown);
        key(ui, Key::PageDown);
        assert_eq!(record.take(), ["show 4", "show 3", "show 11", "show 13"]);
        key(ui, Key::F5);
        key(ui, Key::F6);
        assert_eq!(record.take(), ["drain", "resolve 13"]);
        ui.global::<Queue>().set_draining(true);
        ui.global::<Queue>().set_can_resolve(false);
        key(ui, Key::F5);
        key(ui, Key::F6);
        assert_eq!(record.take(), NOTHING);
        key(ui, Key::Escape);
        assert_eq!(record.take(), ["go Counter"]);
    });
}

#[test]
fn the_devices_are_walked_and_tested_by_keys_alone() {
    at(Page::Counter, |ui, record| {
        chord(ui, Key::Shift, Key::F10);
        assert_eq!(record.take(), ["go Devices"]);
        go(ui, Page::Devices);
        key(ui, Key::DownArrow);
        key(ui, Key::F5);
        key(ui, Key::UpArrow);
        key(ui, Key::Return);
        assert_eq!(record.take(), ["show 5", "test 5", "show 4", "test 4"]);
        key(ui, Key::UpArrow);
        key(ui, Key::UpArrow);
        key(ui, Key::F5);
        assert_eq!(
            record.take(),
            ["show 3", "show 2"],
            "row 2 waits for a code already"
        );
        for _ in 0..20 {
            key(ui, Key::DownArrow);
        }
        assert_eq!(record.take().last().map(String::as_str), Some("show 8"));
        key(ui, Key::Escape);
        assert_eq!(record.take(), ["go Counter"]);
    });
}

#[test]
fn a_difference_is_closed_by_a_choice() {
    at(Page::Queue, |ui, record| {
        ui.global::<Queue>().set_difference_open(true);
        key(ui, Key::F6);
        assert_eq!(ui.global::<Counter>().get_overlay(), Overlay::Difference);
        key(ui, Key::DownArrow);
        key(ui, Key::DownArrow);
        key(ui, Key::Return);
        assert_eq!(record.take(), ["close 1"]);
        ui.global::<Session>().set_sells(false);
        key(ui, Key::F5);
        key(ui, Key::F6);
        assert_eq!(record.take(), NOTHING, "an inspector only looks");
    });
}

#[test]
fn what_a_scanner_types_where_there_is_no_field_is_handed_on_and_its_enter_too() {
    for page in [Page::Receipt, Page::Queue, Page::Devices, Page::About] {
        at(page, |ui, record| {
            let typed = std::rc::Rc::new(std::cell::RefCell::new(String::new()));
            let (session, heard) = (ui.global::<Session>(), typed.clone());
            session.on_key_typed(move |text| heard.borrow_mut().push_str(&text));
            session.on_typed_code(|| true);
            type_text(ui, "6901234567892");
            key(ui, Key::Return);
            assert_eq!(*typed.borrow(), "6901234567892", "{page:?}");
            assert_eq!(
                record.take(),
                NOTHING,
                "{page:?}: the scanner's Enter does nothing else"
            );
            session.on_typed_code(|| false);
            key(ui, Key::Return);
            let asked: &[&str] = match page {
                Page::Receipt => &["next"],
                Page::Devices => &["test 4"],
                _ => &[],
            };
            assert_eq!(record.take(), asked, "{page:?}: a person's Enter");
        });
    }
}

#[test]
fn a_sale_is_found_printed_and_cancelled_by_keys() {
    at(Page::Sales, |ui, record| {
        type_text(ui, "09:4");
        key(ui, Key::Return);
        key(ui, Key::DownArrow);
        key(ui, Key::PageDown);
        key(ui, Key::F2);
        key(ui, Key::F8);
        assert_eq!(
            record.take(),
            ["find 09:4", "show 1", "show 11", "print", "reverse"]
        );
        let sales = ui.global::<Sales>();
        sales.set_can_print(false);
        sales.set_can_reverse(false);
        key(ui, Key::F2);
        key(ui, Key::F8);
        chord(ui, Key::Shift, Key::F7);
        assert_eq!(record.take(), ["show person"]);
    });
}

#[test]
fn the_day_is_compared_marked_and_confirmed_by_keys() {
    at(Page::Day, |ui, record| {
        key(ui, Key::F5);
        key(ui, Key::DownArrow);
        key(ui, ' ');
        key(ui, Key::F6);
        key(ui, Key::F8);
        assert_eq!(record.take(), ["compare", "show 2", "mark 2", "confirm"]);
        key(ui, Key::LeftArrow);
        key(ui, Key::RightArrow);
        assert_eq!(record.take(), ["turn -1", "turn 1"]);
        let day = ui.global::<Day>();
        day.set_can_compare(false);
        day.set_can_confirm(false);
        day.set_can_apply(true);
        key(ui, Key::F5);
        key(ui, Key::F6);
        key(ui, Key::F8);
        assert_eq!(record.take(), ["apply"]);
    });
}

#[test]
fn past_the_end_of_the_journal_older_entries_come() {
    at(Page::Journal, |ui, record| {
        key(ui, Key::DownArrow);
        for _ in 0..4 {
            key(ui, Key::PageDown);
        }
        key(ui, Key::DownArrow);
        key(ui, Key::Home);
        assert_eq!(
            record.take(),
            [
                "show 4",
                "show 14",
                "show 24",
                "show 34",
                "show 39",
                "older true",
                "older false"
            ]
        );
    });
}

/// With Control held.
fn with_control(ui: &AppWindow, letter: char) {
    use slint::platform::WindowEvent;
    let held = slint::SharedString::from(Key::Control);
    ui.window()
        .dispatch_event(WindowEvent::KeyPressed { text: held.clone() });
    key(ui, letter);
    ui.window()
        .dispatch_event(WindowEvent::KeyReleased { text: held });
}

#[test]
fn every_page_has_its_key_and_the_till_is_locked_by_one() {
    at(Page::Counter, |ui, record| {
        ui.global::<Session>().set_inspects(true);
        for from in [
            Page::Counter,
            Page::Queue,
            Page::Sales,
            Page::Day,
            Page::Journal,
            Page::About,
        ] {
            go(ui, from);
            for (letter, asked) in [
                ('1', "go Counter"),
                ('2', "go Queue"),
                ('3', "go Sales"),
                ('4', "go Day"),
                ('5', "go Journal"),
                ('7', "go About"),
                ('l', "lock"),
            ] {
                with_control(ui, letter);
                assert_eq!(record.take(), [asked], "{from:?}");
            }
        }
        ui.global::<Session>().set_inspects(false);
        with_control(ui, '5');
        go(ui, Page::Pay);
        with_control(ui, '2');
        assert_eq!(
            record.take(),
            NOTHING,
            "not for a cashier, not while money is taken"
        );
    });
}

#[test]
fn help_opens_anywhere_and_gives_the_keys_back() {
    at(Page::Queue, |ui, record| {
        key(ui, Key::F1);
        assert_eq!(ui.global::<Counter>().get_overlay(), Overlay::Help);
        key(ui, Key::Escape);
        key(ui, Key::DownArrow);
        assert_eq!(record.take(), ["show 4"]);
    });
}

#[test]
fn from_page_to_page_the_keys_keep_working() {
    at(Page::Counter, |ui, record| {
        for (page, pressed, asked) in [
            (Page::Queue, Key::Escape, "go Counter"),
            (Page::Receipt, Key::Return, "next"),
            (Page::About, Key::Escape, "go Counter"),
            (Page::Pay, Key::Escape, "back"),
            (Page::Counter, Key::F10, "go Queue"),
        ] {
            go(ui, page);
            key(ui, pressed);
            assert_eq!(record.take(), [asked], "{page:?}");
        }
        type_text(ui, "a");
        assert_eq!(
            record.take(),
            ["typed a"],
            "back at the counter the entry has the focus"
        );
    });
}

#[test]
fn about_shows_the_marks_its_licences_ask_for() {
    at(Page::About, |ui, _| {
        assert!(says(ui, "#MadeWithSlint"), "the AboutSlint widget");
        assert!(says(ui, "字体：Noto Sans SC，SIL Open Font License 1.1"));
        assert!(
            says(ui, include_str!("../../fonts/OFL.txt")),
            "the whole licence of the font"
        );
    });
}
