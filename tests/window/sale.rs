//! One sale from sign-in to the next patient, online, by keys alone.

use yijie::books::row::SaleState;
use yijie::desk::Page;
use yijie::desk::patient::Patient;
use yijie::desk::pay::PayState;
use yijie_agency::SettlementState;
use yijie_rules::Lang;
use yijie_ui::slint::platform::Key;

use crate::hand::{Hand, at_the_till};
use crate::stage::{OPERATOR, PIN, card_in, card_out};

/// Sells by initials and gives the quantity.
fn sells(hand: &mut Hand, initials: &str, quantity: &str) {
    let before = hand.state.bill.lines.len();
    hand.enters(initials);
    hand.until("the line stands", |state| state.bill.lines.len() == before + 1);
    hand.key(Key::F2);
    hand.enters(quantity);
    let wanted = quantity.to_owned();
    hand.until("the quantity stands", |state| {
        state.bill.lines[before].quantity == wanted
    });
}

#[test]
fn a_sale_online_by_keys_alone() {
    at_the_till("online", |hand| {
        hand.look("sign-in");
        hand.enters(OPERATOR);
        hand.enters("111111");
        hand.until("the PIN is wrong", |state| state.sign_in_notice.is_some());
        hand.must_mention(&["编号或口令不对", "核对编号后重新输入口令"]);
        hand.look("sign-in-wrong-pin");
        hand.enters(PIN);
        hand.until("signed in", |state| state.page == Page::Counter);
        assert!(!hand.says("离线：结果为暂定"));
        hand.look("counter-empty");

        hand.happens(card_in(1));
        hand.until("verified", |state| matches!(state.patient, Patient::Verified(_)));
        hand.must_say(&["段**", "826.40", "社保卡 · 已联网核验"]);
        hand.look("counter-person");

        hand.types("amxl");
        hand.until("two fit", |state| state.suggestions.len() == 2);
        hand.look("counter-typing");
        hand.key(Key::DownArrow);
        hand.key(Key::DownArrow);
        hand.key(Key::Return);
        hand.until("picked", |state| state.bill.lines.len() == 1);
        assert_eq!(hand.state.bill.lines[0].item.name, "阿莫西林克拉维酸钾片");
        sells(hand, "amxljn", "6");
        sells(hand, "tbfxzp", "2");
        sells(hand, "fhwssp", "1");
        hand.key(Key::F5);
        hand.until("the account is left alone", |state| state.bill.account_off);
        // 75.00 甲; 28.00 乙 of which 1.40 first; 45.20 of which 5.20 above the limit; 48.00 丙.
        // In scope 141.60: (141.60 − 60.00) × 0.60 = 48.96.
        hand.must_say(&["196.20", "48.96", "147.24"]);
        hand.look("counter-bill");

        hand.key(Key::F9);
        hand.until("the agency agrees", |state| {
            state.page == Page::Pay && state.pay.state == PayState::Editing
        });
        hand.must_mention(&["147.24", "复合维生素片"]);
        hand.look("pay-consent-missing");
        hand.key(Key::F2);
        hand.until("the patient agrees", |state| state.pay.consent_given);
        hand.types("200");
        hand.until("cash", |state| state.pay.tendered == "200");
        hand.must_say(&["找零"]);
        hand.look("pay");
        hand.key(Key::Return);
        hand.until("settled and printed", |state| {
            state.receipt.as_ref().is_some_and(|row| row.copies == 1)
        });
        assert_eq!(hand.state.page, Page::Receipt);
        assert_eq!(hand.state.receipt.as_ref().unwrap().state, SaleState::Settled);
        assert!(!hand.stage.paper().is_empty());
        hand.must_mention(&["已结算", "医保结算单", "已打印"]);
        hand.look("receipt");

        let ledger = hand.stage.ledger();
        assert_eq!(ledger.len(), 1);
        assert_eq!(ledger[0].fund_pay_sumamt.to_string(), "48.96");
        assert_eq!(ledger[0].state, SettlementState::Settled);

        hand.key(Key::Return);
        hand.until("the next patient", |state| {
            state.page == Page::Counter && matches!(state.patient, Patient::None)
        });
        hand.happens([card_out()]);
        hand.key(Key::F10);
        hand.until("the queue is empty", |state| {
            state.page == Page::Queue && state.standing.settled_today.0 == 1
        });
        hand.must_say(&["196.20"]);
        hand.look("queue-empty");
        hand.key(Key::Escape);
        hand.until("back", |state| state.page == Page::Counter);
        hand.key(Key::F12);
        hand.until("signed out", |state| {
            state.page == Page::SignIn && state.operator.is_none()
        });
    });
}

#[test]
fn every_text_changes_with_the_language_and_back() {
    at_the_till("language", |hand| {
        hand.sign_in();
        hand.happens(card_in(1));
        hand.until("verified", |state| matches!(state.patient, Patient::Verified(_)));
        sells(hand, "amxljn", "6");
        let zh = hand.texts();
        hand.speak(Lang::En);
        let en = hand.texts();
        hand.must_say(&["Employee · retired", "Social-security card · verified online"]);
        hand.speak(Lang::Zh);
        assert_eq!(hand.texts(), zh, "back to what it was");
        let stay: Vec<&String> = zh.iter().filter(|text| en.contains(text)).collect();
        for text in stay {
            let words = text
                .chars()
                .any(|letter| letter.is_alphabetic() && !letter.is_ascii());
            assert!(
                !words || hand.is_data(text),
                "{text:?} is the same in both languages"
            );
        }
    });
}
