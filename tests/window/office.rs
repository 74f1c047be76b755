//! Beside the counter, with key events alone: a receipt printed again, a sale cancelled by two persons, a day that
//! does not balance brought to balance, its difference closed with the patient, an inspector, a locked till.

use serde_json::{Value, json};
use yijie::books::Books;
use yijie::books::row::SaleState;
use yijie::desk::Page;
use yijie::desk::patient::Patient;
use yijie::operators::{Operator, Role};
use yijie::record::Record;
use yijie_agency::SettlementState;
use yijie_ui::slint::platform::Key;

use crate::hand::{Hand, at_the_till};
use crate::stage::{PIN, card_in, card_out, scanned};

const SUPERVISOR: &str = "009";
const INSPECTOR: &str = "005";
const OTHER_PIN: &str = "135790";

/// Two more people work here.
fn staff(hand: &mut Hand) {
    for (id, name, role) in [
        (SUPERVISOR, "赵主管", Role::Supervisor),
        (INSPECTOR, "钱检查", Role::Inspector),
    ] {
        let record = Record::Operator {
            operator: Operator::new(id, name, role, OTHER_PIN).unwrap(),
            by: Some("001".to_owned()),
        };
        hand.stage.till.books.append(&record, 1).unwrap();
    }
}

/// Six packs sold to the holder of a card, settled and printed.
fn sell(hand: &mut Hand, person: usize) -> String {
    hand.happens(card_in(person));
    hand.until("verified", |state| matches!(state.patient, Patient::Verified(_)));
    hand.happens([(); 6].map(|()| scanned("6900000010112")));
    hand.until("six packs", |state| {
        state.bill.lines.first().is_some_and(|line| line.quantity == "6")
    });
    hand.key(Key::F9);
    hand.until("to the money", |state| {
        state.page == Page::Pay && !state.pay.under_way()
    });
    hand.key(Key::Return);
    hand.until("settled and printed", |state| {
        state
            .receipt
            .as_ref()
            .is_some_and(|row| row.copies == 1 && row.state == SaleState::Settled)
    });
    let id = hand.state.receipt.as_ref().unwrap().sale.id.clone();
    hand.happens([card_out()]);
    hand.until("the next patient", |state| state.page == Page::Counter);
    id
}

/// The supervisor types number and PIN at the cashier's window.
fn approve(hand: &mut Hand) {
    hand.until("a supervisor is asked", |state| state.awaiting_approval.is_some());
    hand.enters(SUPERVISOR);
    hand.enters(OTHER_PIN);
    hand.until("approved", |state| state.awaiting_approval.is_none());
}

fn kept(books: &Books, kind: &str) -> Vec<Record> {
    let entries = books.entries(1).map(|entry| entry.unwrap().1);
    entries.filter(|record| record.kind() == kind).collect()
}

fn journal(hand: &Hand, kind: &str) -> Vec<Record> {
    kept(&hand.stage.till.books, kind)
}

fn approvals(hand: &Hand) -> Vec<(String, String, String)> {
    let approved = journal(hand, "approved");
    approved
        .into_iter()
        .map(|record| match record {
            Record::Approved {
                what, operator, by, ..
            } => (what, operator, by),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn both(what: &str) -> (String, String, String) {
    (what.to_owned(), "001".to_owned(), SUPERVISOR.to_owned())
}

#[test]
fn a_receipt_is_found_and_printed_again_and_the_sale_cancelled_by_two() {
    at_the_till("office", |hand| {
        staff(hand);
        hand.sign_in();
        let id = sell(hand, 1);
        hand.chord(Key::Control, '3');
        hand.until("the sales", |state| {
            state.page == Page::Sales && state.lookup.rows.len() == 1
        });
        hand.must_mention(&[&id, "段**"]);
        hand.enters("no such sale");
        hand.until("nothing found", |state| {
            !state.lookup.busy && state.lookup.rows.is_empty()
        });
        hand.must_say(&["没有找到结算"]);
        for _ in 0.."no such sale".len() {
            hand.key(Key::Backspace);
        }
        hand.enters(&id[9..13]);
        hand.until("found by its time", |state| state.lookup.rows.len() == 1);
        hand.key(Key::F2);
        hand.until("printed again", |state| {
            state.lookup.chosen().unwrap().copies == 2
        });
        hand.look("sales");

        hand.key(Key::F8);
        hand.until("a supervisor is asked", |state| state.awaiting_approval.is_some());
        hand.must_say(&["需要主管批准"]);
        hand.glance("sales-approval");
        // The cashier's own PIN is no second pair of eyes.
        hand.enters("001");
        hand.enters(PIN);
        hand.until("refused", |state| state.sign_in_notice.is_some());
        hand.must_mention(&["两个人"]);
        hand.key(Key::Escape);
        hand.until("given up", |state| state.awaiting_approval.is_none());
        assert_eq!(hand.stage.ledger()[0].state, SettlementState::Settled);
        hand.key(Key::F8);
        approve(hand);
        hand.until("cancelled", |state| {
            state
                .lookup
                .chosen()
                .is_some_and(|row| row.state == SaleState::Reversed)
        });
        hand.must_mention(&["已撤销，请退还现金。"]);
        hand.look("sales-cancelled");
        assert_eq!(approvals(hand), [both("reversal")]);
        assert_eq!(hand.stage.ledger()[0].state, SettlementState::Reversed);
    });
}

#[test]
fn a_day_that_differs_is_balanced_and_its_difference_closed() {
    at_the_till("day", |hand| {
        staff(hand);
        hand.sign_in();
        sell(hand, 1);
        sell(hand, 10);
        // The agency's ledger gives the first patient a yuan less from the account.
        hand.stage.rewrite_ledger(|entry| {
            if entry["kind"] == "settled" {
                let info = &mut entry["setlinfo"];
                for (field, by) in [("acct_pay", -100), ("psn_cash_pay", 100)] {
                    let fen: i64 = info[field].as_str().unwrap().replace('.', "").parse().unwrap();
                    let changed = fen + by;
                    info[field] = json!(format!("{}.{:02}", changed / 100, changed % 100));
                }
                return true;
            }
            false
        });
        hand.stage.stop_agency();
        hand.chord(Key::Control, '4');
        hand.until("the day", |state| {
            state.page == Page::Day && !state.day.own.is_empty()
        });
        hand.key(Key::F5);
        hand.until("the agency is away", |state| state.day.failed.is_some());
        hand.must_mention(&["尚未对上账"]);
        hand.look("day-offline");
        hand.stage.start_agency();
        hand.key(Key::F5);
        hand.until("compared", |state| state.day.rows().count() == 1);
        hand.must_mention(&["未对平", "金额不同，以中心为准"]);
        hand.look("day-differs");
        hand.key(Key::F6);
        approve(hand);
        hand.until("balanced", |state| state.day.balanced());
        hand.must_mention(&["已对平"]);
        hand.look("day-balanced");

        hand.chord(Key::Control, '2');
        hand.until("a difference", |state| {
            state.page == Page::Queue && state.standing.differences.len() == 1
        });
        hand.look("queue-difference");
        hand.key(Key::F6);
        hand.glance("queue-difference-choice");
        hand.key(Key::Return);
        approve(hand);
        hand.until("closed", |state| state.standing.differences.is_empty());
        assert_eq!(journal(hand, "diff-closed").len(), 1);

        hand.chord(Key::Control, '4');
        hand.until("the day", |state| state.page == Page::Day);
        hand.key(Key::F8);
        approve(hand);
        hand.until("applied for", |state| state.day.applied.is_some());
        assert_eq!(journal(hand, "clearing-applied").len(), 1);
        assert_eq!(
            approvals(hand),
            [both("day-close"), both("difference"), both("clearing")]
        );
    });
}

#[test]
fn names_are_shown_on_a_supervisors_word_and_the_till_is_locked_and_taken_up_again() {
    at_the_till("shown", |hand| {
        staff(hand);
        hand.sign_in();
        hand.happens(card_in(1));
        hand.until("verified", |state| matches!(state.patient, Patient::Verified(_)));
        assert!(!hand.says("段誉宁") && !hand.texts().iter().any(|text| text.contains("段誉")));
        hand.chord(Key::Shift, Key::F7);
        approve(hand);
        hand.until("shown", |state| state.shows_persons());
        let name = match &hand.state.patient {
            Patient::Verified(verified) => verified.record.baseinfo.psn_name.clone(),
            _ => unreachable!(),
        };
        hand.must_mention(&[&name]);
        hand.chord(Key::Shift, Key::F7);
        hand.until("hidden", |state| !state.shows_persons());
        assert!(!hand.texts().iter().any(|text| text.contains(&name)));
        assert_eq!(approvals(hand), [both("unmask")]);

        hand.chord(Key::Control, 'l');
        hand.until("locked", |state| state.locked.is_some());
        hand.must_mention(&["收款机已锁定"]);
        hand.look("locked");
        let books = hand.stage.till.books.clone();
        for n in 1..=3 {
            hand.enters("000000");
            hand.until("wrong", |state| {
                !state.signing_in && kept(&books, "pin-tried").len() == n
            });
        }
        hand.enters(PIN);
        hand.until("locked out", |state| {
            state
                .sign_in_notice
                .as_ref()
                .is_some_and(|notice| notice.code == "OPERATOR_LOCKED_OUT")
        });
        hand.must_mention(&["还需等待 0:"]);
        hand.glance("locked-out");
        assert!(
            matches!(hand.state.patient, Patient::Verified(_)),
            "the patient stays"
        );
    });
}

#[test]
fn an_inspector_sees_journal_queue_and_day_and_changes_nothing() {
    at_the_till("inspector", |hand| {
        staff(hand);
        hand.sign_in();
        sell(hand, 1);
        hand.key(Key::F12);
        hand.until("signed out", |state| state.operator.is_none());
        hand.enters(INSPECTOR);
        hand.enters(OTHER_PIN);
        hand.until("the journal", |state| {
            state.page == Page::Journal && !state.journal.lines.is_empty()
        });
        hand.must_mention(&["已结算", "签退", "操作员登记"]);
        hand.look("journal");
        hand.key(Key::DownArrow);
        hand.until("the next entry", |state| state.journal.selected == 1);
        assert!(!hand.says("收费"), "no way to the counter");
        let books = hand.stage.till.books.clone();
        // In and out, and in again.
        hand.until("the session is journalled", |_| {
            kept(&books, "session").len() == 3
        });
        let before = books.entries(1).count();
        for (letter, page) in [('2', Page::Queue), ('3', Page::Sales), ('4', Page::Day)] {
            hand.chord(Key::Control, letter);
            hand.until("another page", |state| state.page == page);
            for key in [Key::F2, Key::F5, Key::F6, Key::F8, Key::F9] {
                hand.key(key);
            }
            assert!(hand.state.awaiting_approval.is_none());
            hand.glance(match page {
                Page::Queue => "queue",
                Page::Sales => "sales",
                _ => "day",
            });
        }
        assert_eq!(books.entries(1).count(), before, "nothing was written");
    });
}

#[test]
fn a_supervisor_carries_a_sale_past_an_offline_limit() {
    at_the_till("limit", |hand| {
        staff(hand);
        hand.sign_in();
        hand.happens(card_in(1));
        hand.until("verified", |state| matches!(state.patient, Patient::Verified(_)));
        hand.stage.stop_agency();
        hand.happens([scanned("6900000010112")]);
        hand.until("a line", |state| state.bill.lines.len() == 1);
        hand.key(Key::F2);
        hand.enters("200");
        hand.until("200 packs", |state| state.bill.lines[0].quantity == "200");
        hand.key(Key::F9);
        hand.until("over the limit", |state| state.pay.past.is_some());
        hand.look("pay-over-limit");
        hand.key(Key::F7);
        approve(hand);
        hand.until("carried", |state| state.pay.past.is_none());
        hand.key(Key::Return);
        hand.until("in the journal", |state| {
            state
                .receipt
                .as_ref()
                .is_some_and(|row| row.state == SaleState::Committed)
        });
        let row = hand.state.receipt.clone().unwrap();
        assert_eq!(row.sale.told.fund_pay_sumamt.to_string(), "1464.00");
        assert_eq!(approvals(hand), [both("offline-limit")]);
    });
}

#[test]
fn a_typed_id_number_takes_a_second_person() {
    at_the_till("typed", |hand| {
        staff(hand);
        hand.sign_in();
        let people: Vec<Value> = serde_json::from_str(yijie_agency::DEMO_PERSONS).unwrap();
        hand.enters(people[0]["baseinfo"]["certno"].as_str().unwrap());
        approve(hand);
        hand.until("verified", |state| matches!(state.patient, Patient::Verified(_)));
        assert_eq!(approvals(hand), [both("id-number")]);
    });
}
