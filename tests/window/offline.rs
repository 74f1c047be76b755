//! The agency goes away and comes back: provisional on screen, the queue fills and drains.

use yijie::advice;
use yijie::books::row::SaleState;
use yijie::desk::Page;
use yijie::desk::patient::Patient;
use yijie::desk::pay::PayState;
use yijie_rules::Lang;
use yijie_ui::slint::platform::Key;

use crate::hand::{Hand, at_the_till};
use crate::stage::{card_in, card_out, scanned};

fn verified(hand: &mut Hand) {
    hand.until("verified", |state| matches!(state.patient, Patient::Verified(_)));
}

/// Six packs on the bill and to the money.
fn to_the_money(hand: &mut Hand) {
    hand.happens([(); 6].map(|()| scanned("6900000010112")));
    hand.until("six packs", |state| {
        state.bill.lines.first().is_some_and(|line| line.quantity == "6")
    });
    hand.key(Key::F9);
    hand.until("to the money", |state| {
        state.page == Page::Pay && state.pay.state == PayState::Editing
    });
}

#[test]
fn a_sale_waits_out_the_outage_and_is_settled() {
    at_the_till("offline", |hand| {
        hand.sign_in();
        hand.happens(card_in(1));
        verified(hand);
        hand.happens([card_out()]);
        hand.until("the counter is free", |state| {
            matches!(state.patient, Patient::None)
        });

        hand.stage.stop_agency();
        hand.happens(card_in(1));
        verified(hand);
        hand.must_say(&["离线：结果为暂定"]);
        // The line may have been refused or cut: either is told in its own words.
        let cause = hand.state.outage.as_ref().map(|outage| outage.cause.clone());
        let told = advice::text(&cause.expect("an outage"), Lang::Zh);
        hand.must_mention(&["本机缓存", told]);
        hand.look("counter-person");
        to_the_money(hand);
        hand.must_mention(&["暂定"]);
        hand.look("pay");
        hand.key(Key::Return);
        hand.until("in the journal and printed", |state| {
            state.receipt.as_ref().is_some_and(|row| row.copies == 1)
        });
        assert_eq!(hand.state.receipt.as_ref().unwrap().state, SaleState::Committed);
        hand.must_mention(&["暂定，以医保结算为准", "医保结算单（暂定）"]);
        hand.must_print(&["最迟结算时间", "多退少补"]);
        hand.look("receipt");
        hand.happens([card_out()]);
        hand.until("the next patient", |state| state.page == Page::Counter);

        hand.key(Key::F10);
        hand.until("the queue", |state| {
            state.page == Page::Queue && state.standing.queue.len() == 1
        });
        assert!(
            !hand.says("用 ↑ ↓ 选择一笔"),
            "the oldest is chosen and its particulars shown"
        );
        hand.key(Key::DownArrow);
        hand.must_say(&["75.00"]);
        hand.must_mention(&["待上传", "段**"]);
        hand.look("queue");
        assert!(hand.stage.ledger().is_empty());

        hand.stage.start_agency();
        hand.key(Key::F5);
        hand.until("the queue is drained", |state| {
            state.standing.queue.is_empty() && state.standing.settled_today.0 == 1 && state.outage.is_none()
        });
        assert!(!hand.says("离线：结果为暂定"));
        hand.must_say(&["没有等待的结算"]);
        hand.look("queue-drained");
        let ledger = hand.stage.ledger();
        assert_eq!(ledger.len(), 1);
        assert_eq!(ledger[0].fund_pay_sumamt.to_string(), "9.00");
    });
}

#[test]
fn who_is_unknown_offline_pays_in_full_and_signing_in_works() {
    at_the_till("outage", |hand| {
        hand.stage.stop_agency();
        hand.sign_in();
        hand.must_mention(&["离线"]);
        hand.look("counter-signed-in-offline");
        hand.key(Key::Escape);
        hand.until("read", |state| state.notice.is_none());
        hand.happens(card_in(2));
        hand.until("refused", |state| matches!(state.patient, Patient::Refused(..)));
        hand.must_mention(&["没有这位参保人的记录"]);
        hand.look("counter-unknown-person");
        hand.happens([scanned("5399000000000000000000000001")]);
        hand.until(
            "a code needs the network",
            |state| matches!(&state.patient, Patient::Refused(notice, _) if notice.code == "CODE_NEEDS_NETWORK"),
        );
        hand.look("counter-code-needs-network");
        hand.key(Key::F7);
        hand.key(Key::Return);
        hand.until(
            "paid in full instead",
            |state| matches!(&state.bill.self_pay, Some(why) if why == "CODE_NEEDS_NETWORK"),
        );
        to_the_money(hand);
        hand.look("pay-in-full");
        hand.key(Key::Return);
        hand.until("printed", |state| {
            state.receipt.as_ref().is_some_and(|row| row.copies == 1)
        });
        hand.must_mention(&["自费票据"]);
        hand.look("receipt-in-full");
    });
}

/// The agency's figures differ from the printed ones: the year was used elsewhere meanwhile.
#[test]
fn two_sales_of_one_person_wait_in_order() {
    at_the_till("order", |hand| {
        hand.sign_in();
        hand.happens(card_in(1));
        verified(hand);
        hand.happens([card_out()]);
        hand.until("free", |state| matches!(state.patient, Patient::None));
        hand.stage.stop_agency();
        for n in 1..=2 {
            hand.happens(card_in(1));
            verified(hand);
            to_the_money(hand);
            hand.key(Key::Return);
            hand.until("printed", |state| {
                state.receipt.as_ref().is_some_and(|row| row.copies == 1)
            });
            hand.happens([card_out()]);
            hand.until("waits", |state| {
                state.page == Page::Counter && state.standing.queue.len() == n
            });
        }
        hand.key(Key::F10);
        hand.until("the queue", |state| state.page == Page::Queue);
        hand.key(Key::DownArrow);
        hand.until("the second", |state| state.queue_selected == 1);
        hand.look("queue-two");
        hand.stage.start_agency();
        hand.key(Key::UpArrow);
        hand.until("the first", |state| state.queue_selected == 0);
        hand.key(Key::F6);
        hand.until("found out", |state| state.standing.settled_today.0 >= 1);
        hand.key(Key::F5);
        hand.until("drained", |state| state.standing.queue.is_empty());
        let funds: Vec<String> = hand
            .stage
            .ledger()
            .iter()
            .map(|row| row.fund_pay_sumamt.to_string())
            .collect();
        assert_eq!(funds, ["9.00", "9.00"]);
        assert!(
            hand.state.standing.differences.is_empty(),
            "what was printed is what was settled"
        );
    });
}
