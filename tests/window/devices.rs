//! The devices page in the real window: each device's state, a page really printed, the disk really written.

use std::time::Duration;

use yijie::desk::devices::{Device, Trial};
use yijie::desk::patient::Patient;
use yijie::desk::pay::PayState;
use yijie::desk::{Event, Key as Asked, Page, State};
use yijie_ui::slint::platform::Key;

use crate::hand::at_the_till;
use crate::stage::{card_in, scanned};

fn done(state: &State, device: &Device) -> bool {
    matches!(state.devices.trials.get(device), Some((_, Trial::Done(_))))
}

#[test]
fn every_device_is_seen_and_tested_by_keys_and_nothing_is_sold() {
    at_the_till("devices-page", |hand| {
        hand.sign_in();
        hand.happens([Event::Key(Asked::Go(Page::Devices))]);
        hand.until("the disk was looked at", |state| {
            state.page == Page::Devices && state.devices.free_bytes.is_some()
        });
        // Reader, scanner, ID-card reader, printer.
        for _ in 0..3 {
            hand.key(Key::DownArrow);
        }
        hand.key(Key::F5);
        hand.until("a page printed", |state| done(state, &Device::Printer));
        let page = hand.stage.paper();
        assert!(
            page.windows(8)
                .any(|part| part == b"\xB4\xF2\xD3\xA1\xB2\xE2\xCA\xD4")
        );
        hand.key(Key::DownArrow);
        hand.key(Key::Return);
        hand.until("the drawer opened", |state| done(state, &Device::Drawer));
        assert!(hand.stage.paper().ends_with(b"\x1Bp\x00\x19\xFA"));
        for _ in 0..2 {
            hand.key(Key::DownArrow);
        }
        hand.key(Key::F5);
        hand.until("the agency answered", |state| done(state, &Device::Agency));
        hand.key(Key::DownArrow);
        hand.key(Key::F5);
        hand.until("the disk written", |state| done(state, &Device::Disk));
        hand.happens([scanned("5399000000000000000000000002")]);
        hand.happens(card_in(1));
        hand.until("a card read", |state| state.card_waiting.is_some());
        hand.must_mention(&["医保码，28 位", "已读卡 2.00"]);
        assert!(
            !hand.texts().iter().any(|text| text.contains("5399")),
            "no code on the screen"
        );
        hand.look("devices");
        hand.key(Key::Escape);
        hand.until("the card is the next patient's", |state| {
            state.page == Page::Counter && matches!(state.patient, Patient::Verified(_))
        });
        assert!(hand.stage.ledger().is_empty());
    });
}

#[test]
fn a_scanner_that_types_while_money_is_taken_pays_nothing_and_leaves_the_sum_alone() {
    at_the_till("typed-codes", |hand| {
        hand.sign_in();
        hand.happens(card_in(1));
        hand.until("verified", |state| matches!(state.patient, Patient::Verified(_)));
        hand.scans("6900000010112");
        hand.until("the goods stand on the bill", |state| state.bill.lines.len() == 1);
        hand.key(Key::F5);
        hand.until("paid in cash", |state| state.bill.account_off);
        hand.key(Key::F9);
        hand.until("to the money", |state| {
            state.page == Page::Pay && state.pay.state == PayState::Editing
        });
        let told = |state: &State| state.notice.as_ref().map(|notice| notice.code.clone());
        loop {
            hand.chord(Key::Control, "a");
            hand.types("20");
            hand.until("counted", |state| state.pay.tendered == "20");
            // Between a person's keys and a scanner's there is a pause.
            std::thread::sleep(Duration::from_millis(200));
            hand.scans("AB12345678901");
            hand.until("something is told", |state| told(state).is_some());
            // On a machine that stood still meanwhile it was typed too slowly for a scanner, and is no sum.
            if told(&hand.state).as_deref() != Some("AMOUNT_WRONG") {
                break;
            }
        }
        assert_eq!(told(&hand.state).as_deref(), Some("SCAN_NOT_HERE"));
        hand.until("what was counted still stands", |state| {
            state.pay.tendered == "20"
        });
        assert_eq!(hand.state.page, Page::Pay);
        assert!(hand.stage.ledger().is_empty(), "nothing was paid");
        hand.look("scanned");
        hand.key(Key::Return);
        hand.until("settled", |state| state.page == Page::Receipt);
        assert_eq!(hand.stage.ledger().len(), 1);
    });
}
