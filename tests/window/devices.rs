//! The devices page in the real window: each device's state, a page really printed, the disk really written.

use yijie::desk::devices::{Device, Trial};
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
            state.page == Page::Counter && matches!(state.patient, yijie::desk::patient::Patient::Verified(_))
        });
        assert!(hand.stage.ledger().is_empty());
    });
}
