//! Paid in full without insurance: by who is unknown or refused, by who wants it so, by who shows nothing.

use yijie::books::row::{SaleRow, SaleState};
use yijie::desk::bill::{Benefit, benefits};
use yijie::desk::patient::Patient;
use yijie::desk::{Event, Key, Page};
use yijie::record::Sale;
use yijie_agency::Answer;

use crate::till::{
    AMOXICILLIN, CLAVULANATE, DEARER_INSURED, HONEY, NOW, Till, card, credential, paid, record, unsent,
};

/// F7, and the last choice of the list.
fn choose_self_pay(till: &mut Till) {
    let last = benefits(&till.state).len() - 1;
    assert_eq!(benefits(&till.state)[last], Benefit::SelfPay);
    assert_eq!(till.key(Key::Benefit(last)).len(), 0, "nobody is asked");
}

fn pay(till: &mut Till) -> Sale {
    assert_eq!(till.key(Key::Pay).len(), 0, "nobody is asked");
    assert_eq!(till.state.page, Page::Pay);
    let (sale, send) = till.confirm();
    assert!(!send);
    let row = SaleRow::new(sale.clone(), send, 1, NOW);
    assert_eq!(row.state, SaleState::SelfPaid);
    sale
}

#[test]
fn who_is_unknown_in_an_outage_pays_all_and_the_slip_names_him() {
    let mut till = Till::open();
    till.send(Event::Line(Err("AGENCY_UNREACHABLE".to_owned())));
    till.card_in(1);
    till.send(Event::PersonAnswered(credential(1), unsent()));
    till.send(Event::SnapshotFound(credential(1), None));
    assert_eq!(till.told(), "OFFLINE_PERSON_UNKNOWN");
    choose_self_pay(&mut till);
    till.sell(&[AMOXICILLIN, AMOXICILLIN]);
    assert_eq!(till.split(), ["0.00", "0.00", "0.00", "25.00"]);
    let sale = pay(&mut till);
    assert_eq!(paid(&sale.told), ["0.00", "0.00", "0.00", "25.00"]);
    let terms = sale.offline.unwrap();
    assert_eq!(
        (terms.carried, terms.reason.as_str()),
        (false, "OFFLINE_PERSON_UNKNOWN")
    );
    assert_eq!(sale.psn_name, card(1).name.clone());
    assert_eq!(sale.credential.cert_no(), card(1).id_no.clone().unwrap());
    assert!(sale.consent.is_empty());
    assert!(sale.settlement.check().is_ok());
}

#[test]
fn who_is_refused_pays_all_though_the_agency_answers() {
    let mut till = Till::open();
    till.verify(7);
    assert_eq!(till.told(), "NOT_INSURED");
    choose_self_pay(&mut till);
    till.sell(&[AMOXICILLIN]);
    assert_eq!(pay(&mut till).offline.unwrap().reason, "NOT_INSURED");
}

#[test]
fn who_shows_nothing_buys_at_the_cash_price_and_may_buy_food() {
    let mut till = Till::open();
    choose_self_pay(&mut till);
    till.sell(&[DEARER_INSURED, CLAVULANATE, HONEY]);
    let prices: Vec<String> = till
        .state
        .bill
        .lines
        .iter()
        .map(|l| till.state.bill.price(l).to_string())
        .collect();
    assert_eq!(prices[..2], ["27.80", "29.80"]);
    let sale = pay(&mut till);
    assert_eq!(sale.psn_name, None);
    assert_eq!(sale.told.psn_cash_pay, till.state.bill.total());
}

#[test]
fn an_insured_person_may_choose_it_and_change_his_mind() {
    let mut till = Till::selling(1, &[AMOXICILLIN; 6]);
    let insured = till.split();
    choose_self_pay(&mut till);
    assert_eq!(till.split(), ["0.00", "0.00", "0.00", "75.00"]);
    till.key(Key::Benefit(0));
    assert_eq!(till.split(), insured);
    choose_self_pay(&mut till);
    assert_eq!(pay(&mut till).psn_name.unwrap(), record(1).baseinfo.psn_name);
}

#[test]
fn a_card_shown_after_all_makes_the_bill_an_insured_one() {
    let mut till = Till::open();
    choose_self_pay(&mut till);
    till.sell(&[CLAVULANATE]);
    till.card_in(1);
    assert!(!matches!(till.state.patient, Patient::Verified(_)));
    assert!(till.key(Key::Pay).is_empty());
    assert_eq!(till.told(), "VERIFY_FIRST");
    till.send(Event::PersonAnswered(credential(1), Answer::Done(record(1))));
    assert_eq!(
        till.state.bill.price(&till.state.bill.lines[0]).to_string(),
        "28.00"
    );
    assert_eq!(benefits(&till.state)[0], Benefit::Plain);
    assert_eq!(till.state.bill.self_pay, None);
    assert_eq!(
        till.state
            .bill
            .outcome
            .as_ref()
            .unwrap()
            .settled()
            .unwrap()
            .pack
            .id,
        "kunming-employee"
    );
}

#[test]
fn while_the_money_is_taken_a_card_changes_nothing() {
    let mut till = Till::open();
    choose_self_pay(&mut till);
    till.sell(&[AMOXICILLIN]);
    till.key(Key::Pay);
    assert!(till.card_in(1).is_empty());
    assert_eq!(till.told(), "OTHER_PERSON_MID_BILL");
    assert_eq!(till.confirm().0.psn_name, None);
    assert!(till.card_in(1).is_empty(), "nor while it is committed");
}

#[test]
fn a_recalled_bill_is_the_new_customers() {
    let mut till = Till::open();
    choose_self_pay(&mut till);
    till.sell(&[CLAVULANATE]);
    till.key(Key::Hold);
    till.verify(1);
    till.key(Key::Recall(0));
    assert_eq!(
        till.state.bill.price(&till.state.bill.lines[0]).to_string(),
        "28.00"
    );
    assert_ne!(till.split()[3], "29.80");
}
