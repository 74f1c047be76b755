//! What does not go: each refusal and fault is told, with what to do, and the window stays usable.

use yijie::desk::patient::Patient;
use yijie::desk::pay::PayState;
use yijie::desk::{Event, Page};
use yijie_hardware::{CardError, ReaderEvent, ReaderFault, ScannerError, ScannerEvent};
use yijie_ui::slint::platform::Key;

use crate::hand::at_the_till;
use crate::stage::{card_in, card_out, scanned};

#[test]
fn a_message_is_seen_and_goes_with_escape() {
    at_the_till("message", |hand| {
        hand.sign_in();
        hand.enters("6900000010112");
        hand.until("told", |state| state.notice.is_some());
        hand.must_mention(&["VERIFY_FIRST"]);
        hand.glance("counter-verify-first");
        hand.key(Key::Escape);
        hand.until("read", |state| state.notice.is_none());
        assert!(!hand.texts().iter().any(|text| text.contains("VERIFY_FIRST")));
        hand.happens(card_in(1));
        hand.until("usable", |state| matches!(state.patient, Patient::Verified(_)));
        hand.enters("0");
        hand.until("not found", |state| state.notice.is_some());
        hand.must_mention(&["ITEM_NOT_FOUND"]);
        hand.key(Key::Escape);
        hand.until("read", |state| state.notice.is_none());
        hand.enters("6900000010112");
        hand.until("sold", |state| {
            state.bill.lines.len() == 1 && state.notice.is_none()
        });
    });
}

#[test]
fn each_person_who_cannot_be_served_is_told_why() {
    at_the_till("person", |hand| {
        hand.sign_in();
        for (person, name, code) in [
            (5, "lost-card", "CARD_LOST"),
            (6, "expired-card", "CARD_EXPIRED"),
            (7, "not-insured", "NOT_INSURED"),
            (8, "waiting-period", "WAITING_PERIOD"),
        ] {
            hand.happens(card_in(person));
            hand.until(
                name,
                |state| matches!(&state.patient, Patient::Refused(notice, _) if notice.code == code),
            );
            hand.must_mention(&[code, "核验未通过"]);
            hand.glance(name);
            hand.happens([card_out()]);
            hand.until("free", |state| matches!(state.patient, Patient::None));
        }
        hand.happens(card_in(4));
        hand.until("suspended", |state| matches!(state.patient, Patient::Verified(_)));
        hand.happens([scanned("6900000010112"), scanned("6900000010228")]);
        hand.until("all self-pay", |state| state.bill.lines.len() == 2);
        hand.must_say(&["40.50", "暂停联网结算"]);
        hand.glance("suspended");
    });
}

#[test]
fn goods_and_prices_that_do_not_go_on_an_insured_bill() {
    at_the_till("goods", |hand| {
        hand.sign_in();
        hand.happens(card_in(9));
        hand.until("verified", |state| matches!(state.patient, Patient::Verified(_)));
        hand.happens(["6900000010112", "6900000013854"].map(scanned));
        hand.until("two lines", |state| state.bill.lines.len() == 2);
        hand.key(Key::F9);
        hand.until("refused", |state| state.notice.is_some());
        hand.must_mention(&["GOODS_NOT_MEDICAL", "蜂蜜"]);
        hand.glance("excluded");
        hand.key(Key::F8);
        hand.until("one line", |state| state.bill.lines.len() == 1);
        hand.happens([scanned("6900000012758")]);
        hand.until("refused", |state| {
            state
                .notice
                .as_ref()
                .is_some_and(|notice| notice.code == "PRICE_ABOVE_CASH")
        });
        hand.must_say(&["–"]);
        hand.must_mention(&["复方丹参滴丸"]);
        hand.glance("price-above-cash");
        hand.key(Key::F8);
        hand.until("one line", |state| state.bill.lines.len() == 1);
        hand.key(Key::F3);
        hand.until("held", |state| {
            state.held.len() == 1 && state.bill.lines.is_empty()
        });
        hand.glance("held");
        hand.key(Key::F4);
        hand.glance("recall");
        hand.key(Key::Return);
        hand.until("recalled", |state| {
            state.held.is_empty() && state.bill.lines.len() == 1
        });
        hand.glance("recalled");
    });
}

#[test]
fn sheets_over_the_counter_work_by_keys() {
    at_the_till("sheets", |hand| {
        hand.sign_in();
        hand.enters("539999196210119027");
        hand.until("a supervisor is asked for", |state| {
            state.awaiting_approval.is_some()
        });
        hand.glance("approval");
        hand.enters("001");
        hand.enters("000000");
        hand.until("wrong", |state| state.sign_in_notice.is_some());
        hand.glance("approval-wrong");
        hand.enters("001");
        hand.enters("246810");
        hand.until("approved", |state| matches!(state.patient, Patient::Verified(_)));
        assert!(hand.state.awaiting_approval.is_none());
        hand.happens([(); 40].map(|()| scanned("6900000010112")));
        hand.until("forty", |state| {
            state.bill.lines.first().is_some_and(|line| line.quantity == "40")
        });
        hand.must_say(&["264.00"]);
        hand.key(Key::F6);
        hand.types("李四");
        hand.key(Key::Return);
        hand.types("539999198611209218");
        hand.key(Key::Return);
        hand.key(Key::Return);
        hand.until("a wrong number", |state| state.notice.is_some());
        hand.must_mention(&["AGENT_ID_WRONG"]);
        hand.glance("agent-wrong");
        hand.key(Key::F6);
        hand.glance("agent");
        hand.types("李四");
        hand.key(Key::Return);
        hand.types("539999198611209217");
        hand.key(Key::Return);
        hand.key(Key::Return);
        hand.until("noted", |state| state.bill.agent.is_some());
        hand.must_mention(&["李* · 配偶"]);
        hand.key(Key::F7);
        hand.glance("benefit");
        hand.key(Key::DownArrow);
        hand.key(Key::Return);
        hand.until("chronic", |state| state.bill.disease.is_some());
        hand.must_say(&["160.00"]);
        hand.glance("chronic");
        hand.key(Key::F9);
        hand.until("the patient's authorisation is asked for", |state| {
            state.notice.is_some()
        });
        hand.must_mention(&["AGENT_NEEDS_AUTHORISATION"]);
        hand.key(Key::F6);
        hand.glance("agent-authorised");
        hand.types("李四");
        hand.key(Key::Return);
        hand.types("539999198611209217");
        hand.key(Key::Return);
        hand.enters("W7");
        hand.until("noted", |state| {
            let agent = state.bill.agent.as_ref();
            agent.is_some_and(|agent| agent.authorisation.as_deref() == Some("W7"))
        });
        hand.key(Key::F1);
        hand.glance("help");
        hand.key(Key::Escape);
        hand.key(Key::Escape);
        hand.glance("clear");
        hand.key(Key::Return);
        hand.until("given up", |state| state.bill.lines.is_empty());
    });
}

#[test]
fn broken_devices_are_shown_and_the_till_sells_on() {
    at_the_till("devices", |hand| {
        hand.sign_in();
        let reader = || "Virtual PCD 00 00".to_owned();
        let error = || CardError::from(ReaderFault::CardRemoved);
        hand.happens([
            Event::Reader(ReaderEvent::CardIn { reader: reader() }),
            Event::Reader(ReaderEvent::CardFault {
                reader: reader(),
                error: error(),
            }),
            Event::Reader(ReaderEvent::CardOut { reader: reader() }),
        ]);
        hand.until("pulled", |state| state.notice.is_some());
        hand.must_mention(&["CARD_REMOVED"]);
        hand.happens([
            Event::Reader(ReaderEvent::ReaderOut { reader: reader() }),
            Event::Reader(ReaderEvent::ServiceDown),
            Event::Scanner(ScannerEvent::Lost {
                error: ScannerError::Unplugged,
            }),
        ]);
        hand.until("the scanner is gone", |state| {
            state.scanner.code == "SCANNER_UNPLUGGED"
        });
        hand.glance("reader-and-scanner");
        let (code, printer) = ("5399000000000000000000000002", hand.stage.printer());
        std::fs::create_dir(&printer).unwrap();
        hand.happens([scanned(code)]);
        hand.until("by code", |state| matches!(state.patient, Patient::Verified(_)));
        hand.happens([scanned("6900000010112")]);
        hand.until("sold", |state| state.bill.lines.len() == 1);
        hand.key(Key::F9);
        hand.until("to the money", |state| {
            state.page == Page::Pay && state.pay.state == PayState::Editing
        });
        hand.key(Key::Return);
        hand.until("settled, not printed", |state| {
            state.page == Page::Receipt && !state.printer.code.is_empty()
        });
        hand.must_mention(&["PRINTER_FAILED"]);
        hand.glance("not-printed");
        std::fs::remove_dir(&printer).unwrap();
        hand.key(Key::F2);
        hand.until("printed", |state| state.printer.code.is_empty());
        assert_eq!(
            hand.stage.ledger().len(),
            1,
            "printing again settles nothing again"
        );
    });
}
