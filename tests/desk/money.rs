//! Taking the money: 2101 first, then cash, then one commit, then what the agency made of it.

use yijie::books::row::{SaleRow, SaleState};
use yijie::desk::pay::PayState;
use yijie::desk::{Effect, Event, Health, Key, Page};
use yijie::record::Record;
use yijie_agency::{Answer, AuditFinding, Cause};
use yijie_rules::Money;

use crate::till::{AMOXICILLIN, CLAVULANATE, NOW, Till, asked, card, paid, refused, reply, settled, unsent};

/// A payment of 66.00 in cash, ready to be confirmed.
fn paying() -> Till {
    let mut till = Till::selling(1, &[AMOXICILLIN; 6]);
    till.key(Key::ToggleAccount);
    till.ask_for_money();
    till
}

#[test]
fn the_agencys_trial_figures_are_what_the_patient_is_told() {
    let mut till = Till::selling(1, &[AMOXICILLIN; 6]);
    let (question, sale) = asked(till.key(Key::Pay));
    assert_eq!(till.paying(), PayState::Asking);
    let mut figures = sale.told;
    figures.hifp_pay = Money::parse("7.00").unwrap();
    figures.fund_pay_sumamt = Money::parse("7.00").unwrap();
    figures.psn_part_amt = Money::parse("68.00").unwrap();
    figures.psn_cash_pay = Money::parse("2.00").unwrap();
    till.send(Event::PreSettled(question, Answer::Done(reply(figures))));
    assert_eq!(
        (till.told(), till.state.page),
        ("AGENCY_FIGURES_DIFFER", Page::Pay)
    );
    let (sale, send) = till.confirm();
    assert!(send && sale.offline.is_none());
    assert_eq!(paid(&sale.told), ["7.00", "66.00", "0.00", "2.00"]);
    assert_eq!(paid(&sale.settlement.setlinfo), ["9.00", "66.00", "0.00", "0.00"]);
    assert_eq!(sale.tendered, Money::parse("2.00").ok());
}

#[test]
fn what_the_audit_finds_stands_there_when_the_money_is_asked_for() {
    let finding = |says: &str| AuditFinding {
        rule: "重复开药".to_owned(),
        says: says.to_owned(),
    };
    let mut till = Till::selling(1, &[AMOXICILLIN; 6]);
    let (question, sale) = asked(till.key(Key::Pay));
    till.send(Event::Audited(
        question.wrapping_sub(1),
        vec![finding("别的单据")],
    ));
    till.send(Event::Audited(question, vec![finding("同一单据中重复")]));
    till.send(Event::PreSettled(question, Answer::Done(reply(sale.told))));
    assert_eq!((till.told(), till.state.page), ("AUDIT_FINDINGS", Page::Pay));
    assert_eq!(
        till.state.notice.as_ref().unwrap().detail,
        "重复开药 同一单据中重复"
    );
    // It stops nobody, and the next bill begins without it.
    let row = till.commit("audited");
    assert!(row.sale.offline.is_none());
}

#[test]
fn a_refused_trial_goes_back_to_the_bill() {
    let mut till = Till::selling(1, &[AMOXICILLIN]);
    let (question, _) = asked(till.key(Key::Pay));
    till.send(Event::PreSettled(
        question,
        refused("INSTITUTION_SUSPENDED 机构已暂停"),
    ));
    assert_eq!((till.told(), till.state.page), ("AGENCY_REFUSED", Page::Counter));
    assert_eq!(till.state.bill.lines.len(), 1);
    assert!(till.state.pay.sale.is_none());
}

#[test]
fn a_trial_that_cannot_be_asked_is_neither_outage_nor_sale() {
    let mut till = Till::selling(1, &[AMOXICILLIN]);
    let (question, _) = asked(till.key(Key::Pay));
    let cause = Cause::RequestInvalid {
        field: "expContent",
        problem: "too long",
    };
    till.send(Event::PreSettled(question, Answer::NotSent(cause)));
    assert_eq!((till.told(), till.state.page), ("REQUEST_INVALID", Page::Counter));
    assert_eq!(till.state.outage, None);
}

#[test]
fn an_answer_about_the_bill_before_does_not_count() {
    for leave in [Key::Back, Key::Go(Page::Counter)] {
        let mut till = Till::selling(1, &[AMOXICILLIN; 6]);
        let (first, sale) = asked(till.key(Key::Pay));
        till.key(leave);
        assert_eq!(
            (till.state.page, till.paying()),
            (Page::Counter, PayState::Editing)
        );
        till.scan(CLAVULANATE);
        let (second, larger) = asked(till.key(Key::Pay));
        assert_ne!(first, second);
        till.send(Event::PreSettled(first, Answer::Done(reply(sale.told))));
        assert_eq!(till.paying(), PayState::Asking, "the answer is still to come");
        till.send(Event::PreSettled(second, Answer::Done(reply(larger.told))));
        assert_eq!(till.told(), "");
        assert_eq!(till.confirm().0.told.medfee_sumamt.to_string(), "103.00");
    }
}

#[test]
fn leaving_the_payment_gives_it_up_and_a_late_failure_cannot_bring_it_back() {
    let mut till = Till::selling(1, &[AMOXICILLIN; 6]);
    let (question, _) = asked(till.key(Key::Pay));
    till.key(Key::Go(Page::Queue));
    till.key(Key::Go(Page::Counter));
    till.scan(CLAVULANATE);
    till.send(Event::PreSettled(question, unsent()));
    assert_eq!(till.state.page, Page::Counter);
    assert!(till.state.pay.sale.is_none());
    assert_eq!(till.key(Key::Confirm).len(), 0, "nothing is confirmed from here");
}

#[test]
fn cash_must_be_an_amount_and_enough() {
    let mut till = paying();
    for (typed, told, change) in [
        ("", "", Some("0.00")),
        ("66", "", Some("0.00")),
        ("100", "", Some("34.00")),
        (" 66.5 ", "", Some("0.50")),
        ("65.99", "CASH_SHORT", None),
        ("0", "CASH_SHORT", None),
        ("-100", "AMOUNT_WRONG", None),
        ("100.001", "AMOUNT_WRONG", None),
        ("abc", "AMOUNT_WRONG", None),
        ("1066", "", Some("1000.00")),
        ("1066.01", "AMOUNT_WRONG", None),
        ("6900000010112", "AMOUNT_WRONG", None),
        ("81001370000000000123", "AMOUNT_WRONG", None),
    ] {
        till.key(Key::Tendered(typed.to_owned()));
        assert_eq!(
            till.state.pay.change().map(|sum| sum.to_string()).as_deref(),
            change,
            "{typed:?}"
        );
        if !told.is_empty() {
            assert_eq!(till.key(Key::Confirm).len(), 0, "{typed:?}");
            assert_eq!(till.told(), told, "{typed:?}");
        }
    }
    till.key(Key::Tendered("100".to_owned()));
    assert_eq!(till.confirm().0.tendered.unwrap().to_string(), "100.00");
}

#[test]
fn confirming_twice_commits_once() {
    let mut till = paying();
    till.confirm();
    for key in [Key::Confirm, Key::Confirm, Key::Pay, Key::Back] {
        assert_eq!(till.key(key).len(), 0);
        assert_eq!(till.paying(), PayState::Committing);
    }
}

/// Whatever a cashier does while the journal is written or the agency settles, the sale runs its course.
#[test]
fn nothing_disturbs_a_commit_under_way() {
    for sending in [false, true] {
        let mut till = paying();
        if sending {
            till.commit("A");
        } else {
            till.confirm();
        }
        let (page, state) = (till.state.page, till.paying());
        for key in [
            Key::Clear,
            Key::Hold,
            Key::Remove(0),
            Key::Quantity(0, "9".to_owned()),
            Key::ToggleAccount,
            Key::SignOut,
            Key::Accept(AMOXICILLIN.to_owned()),
            Key::Pay,
            Key::Confirm,
            Key::Back,
            Key::NextSale,
            Key::Recall(0),
            Key::Go(Page::Counter),
            Key::Go(Page::SignIn),
        ] {
            let name = format!("{key:?}");
            assert_eq!(till.key(key).len(), 0, "{name}");
            assert_eq!((till.state.page, till.paying()), (page, state), "{name}");
            assert_eq!(till.state.bill.lines[0].quantity, "6", "{name}");
        }
        assert_eq!(till.told(), "SALE_UNDER_WAY");
        till.key(Key::Go(Page::About));
        till.key(Key::Back);
        assert_eq!(
            (till.state.page, till.paying()),
            (Page::Pay, state),
            "back where it was"
        );
        till.key(Key::Go(Page::Queue));
        till.key(Key::Go(Page::Counter));
        assert_eq!(till.state.page, Page::Pay);
        till.card_out();
        till.insert(card(2));
        assert_eq!((till.state.page, till.paying()), (Page::Pay, state));
    }
}

#[test]
fn a_journal_that_fails_sold_nothing_and_the_cashier_may_try_again() {
    let mut till = paying();
    till.confirm();
    till.send(Event::CommitFailed {
        code: "JOURNAL_STOPPED".to_owned(),
    });
    assert_eq!((till.told(), till.state.page), ("JOURNAL_STOPPED", Page::Pay));
    assert_eq!(till.paying(), PayState::Editing);
    till.confirm();
}

fn moved(row: SaleRow, record: &Record) -> Event {
    Event::SaleMoved(Box::new(row.after(record, NOW)))
}

#[test]
fn what_became_of_the_sale_is_shown_and_printed_once() {
    type Next = fn(&SaleRow) -> Record;
    let outcomes: [(&str, Next, SaleState, &str); 3] = [
        (
            "settled",
            |row| Record::Settled {
                sale: row.sale.id.clone(),
                msgid: row.msgid.clone(),
                reply: Box::new(reply(row.sale.told.clone())),
                difference: None,
            },
            SaleState::Settled,
            "",
        ),
        (
            "unknown",
            |row| Record::Unknown {
                sale: row.sale.id.clone(),
                cause: "AGENCY_TIMEOUT".to_owned(),
            },
            SaleState::Unknown,
            "OUTCOME_UNKNOWN",
        ),
        (
            "surely not sent, and carried",
            |row| Record::NotSent {
                sale: row.sale.id.clone(),
                cause: "AGENCY_UNREACHABLE".to_owned(),
                offline: None,
                withdrawn: None,
            },
            SaleState::Committed,
            "",
        ),
    ];
    for (name, next, state, told) in outcomes {
        let mut till = paying();
        let row = till.commit("A");
        assert_eq!(
            (till.paying(), till.state.page),
            (PayState::Sending, Page::Pay),
            "{name}"
        );
        let record = next(&row);
        let effects = till.send(moved(row.clone(), &record));
        assert!(
            matches!(&effects[..], [Effect::Print(printed)] if printed.state == state),
            "{name}: {effects:?}"
        );
        assert_eq!((till.state.page, till.told()), (Page::Receipt, told), "{name}");
        assert_eq!(
            till.send(moved(row, &record)).len(),
            0,
            "{name}: told twice, printed once"
        );
        till.key(Key::Back);
        assert_eq!(till.state.page, Page::Counter, "{name}");
        assert!(till.state.bill.lines.is_empty(), "{name}");
    }
}

#[test]
fn a_refused_sale_goes_back_to_the_bill_and_prints_nothing() {
    for (record, told, detail) in [
        (
            Record::Refused {
                sale: "A".to_owned(),
                infcode: "-2".to_owned(),
                message: "余额不足".to_owned(),
            },
            "AGENCY_REFUSED",
            "余额不足",
        ),
        (
            Record::NotSent {
                sale: "A".to_owned(),
                cause: "AGENCY_UNREACHABLE".to_owned(),
                offline: None,
                withdrawn: Some(("OFFLINE_LIMIT_SALE".to_owned(), "1000.00".to_owned())),
            },
            "OFFLINE_LIMIT_SALE",
            "1000.00",
        ),
    ] {
        let mut till = paying();
        let row = till.commit("A");
        let effects = till.send(moved(row, &record));
        assert!(effects.is_empty(), "{effects:?}");
        assert_eq!((till.told(), till.state.page), (told, Page::Counter));
        assert_eq!(till.state.notice.as_ref().unwrap().detail, detail);
        assert_eq!(till.state.bill.lines.len(), 1, "it can be paid otherwise");
    }
}

/// The queue drains while the cashier pays: another patient's sale must not be taken for this one.
#[test]
fn another_sale_that_moves_is_not_the_one_being_paid() {
    let mut first = paying();
    let mut other = first.commit("A");
    std::sync::Arc::make_mut(&mut other.sale).psn_name = Some("李𬀩".to_owned());
    let mut till = paying();
    assert_eq!(
        till.send(Event::SaleMoved(Box::new(settled(other.clone()))))
            .len(),
        0
    );
    let own = till.commit("B");
    assert_eq!(
        till.send(Event::SaleMoved(Box::new(settled(other)))).len(),
        0,
        "not printed"
    );
    assert_eq!((till.state.page, till.paying()), (Page::Pay, PayState::Sending));
    let effects = till.send(Event::SaleMoved(Box::new(settled(own))));
    assert!(matches!(&effects[..], [Effect::Print(row)] if row.sale.id == "B"));
}

#[test]
fn the_receipt_follows_its_sale_prints_again_and_ends_with_the_card() {
    let mut till = paying();
    let row = till.commit("A");
    let unknown = Record::Unknown {
        sale: "A".to_owned(),
        cause: "AGENCY_TIMEOUT".to_owned(),
    };
    let row = row.after(&unknown, NOW);
    till.send(Event::SaleMoved(Box::new(row.clone())));
    till.send(Event::SaleMoved(Box::new(settled(row))));
    assert_eq!(till.state.receipt.as_ref().unwrap().state, SaleState::Settled);
    assert!(matches!(&till.key(Key::Print)[..], [Effect::Print(row)] if row.state == SaleState::Settled));
    for (printed, health, code) in [
        (
            Err("PRINTER_NO_PAPER".to_owned()),
            Health::Fault,
            "PRINTER_NO_PAPER",
        ),
        (Ok(()), Health::Ok, ""),
    ] {
        till.send(Event::Printed(printed));
        assert_eq!(
            (till.state.printer.health, till.state.printer.code.as_str()),
            (health, code)
        );
    }
    till.key(Key::Go(Page::Queue));
    till.key(Key::Go(Page::Counter));
    assert_eq!(
        till.state.page,
        Page::Receipt,
        "the counter page of a sale just made is its receipt"
    );
    till.card_out();
    assert_eq!(till.state.page, Page::Counter);
    assert!(till.state.receipt.is_none() && till.state.bill.lines.is_empty());
    assert_eq!(till.key(Key::Print).len(), 0);
}

#[test]
fn a_printer_that_fails_is_told_until_it_prints() {
    let mut till = paying();
    let row = till.commit("A");
    till.send(Event::SaleMoved(Box::new(settled(row))));
    till.send(Event::Printed(Err("PRINTER_FAILED".to_owned())));
    assert_eq!(till.told(), "PRINTER_FAILED");
    till.send(Event::Printed(Ok(())));
    assert_eq!(till.told(), "");
}

#[test]
fn the_next_card_on_the_receipt_page_begins_the_next_sale() {
    let mut till = paying();
    let row = till.commit("A");
    till.send(Event::SaleMoved(Box::new(settled(row))));
    let effects = till.card_in(2);
    assert!(matches!(&effects[..], [Effect::AskPerson(_)]));
    assert_eq!(till.state.page, Page::Counter);
    assert!(till.state.bill.lines.is_empty());
}
