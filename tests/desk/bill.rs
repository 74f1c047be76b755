//! What is bought: finding it, counting it, the split that follows, putting it aside.

use std::sync::Arc;

use yijie::catalogue::Catalogue;
use yijie::desk::bill::{self, Benefit};
use yijie::desk::patient::Patient;
use yijie::desk::{Effect, Event, Key, Page};
use yijie::record::{Agent, Record};
use yijie_agency::Answer;
use yijie_rules::{Lang, Outcome};

use crate::till::{
    AMOXICILLIN, CLAVULANATE, DEARER_INSURED, HONEY, Till, VITAMINS, code, credential, record,
};

fn lines(till: &Till) -> Vec<(&str, &str)> {
    let lines = till.state.bill.lines.iter();
    lines
        .map(|line| (line.item.name.as_str(), line.quantity.as_str()))
        .collect()
}

#[test]
fn every_way_to_name_an_item_sells_it() {
    for typed in [
        AMOXICILLIN,
        "XJ01CAA0000000000000001",
        "81001370000000000123",
        "amxljn",
        "阿莫西林胶囊",
        "  amxljn ",
    ] {
        let mut till = Till::selling(1, &[]);
        till.key(Key::Accept(typed.to_owned()));
        assert_eq!(lines(&till), [("阿莫西林胶囊", "1")], "{typed:?}");
        assert_eq!(till.told(), "", "{typed:?}");
    }
    let mut till = Till::selling(1, &[]);
    till.scan("]d2010690000001011217270101101234");
    assert_eq!(lines(&till), [("阿莫西林胶囊", "1")], "a GS1 DataMatrix");
}

#[test]
fn initials_offer_what_fits_and_enter_takes_the_first() {
    let mut till = Till::selling(1, &[]);
    till.key(Key::Entry("amxl".to_owned()));
    assert_eq!(till.state.suggestions.len(), 2);
    till.key(Key::Pick(1));
    assert_eq!(lines(&till), [("阿莫西林克拉维酸钾片", "1")]);
    assert!(till.state.suggestions.is_empty());
    till.key(Key::Entry("amxl".to_owned()));
    till.key(Key::Accept("amxl".to_owned()));
    assert_eq!(
        lines(&till),
        [("阿莫西林克拉维酸钾片", "1"), ("阿莫西林胶囊", "1")]
    );
    till.key(Key::Pick(5));
    assert_eq!(lines(&till).len(), 2, "no such row");
}

#[test]
fn what_is_not_in_the_list_is_told_short() {
    let mut till = Till::selling(1, &[]);
    till.key(Key::Accept("没有这种药".repeat(20)));
    let notice = till.state.notice.as_ref().unwrap();
    assert_eq!(
        (notice.code.as_str(), notice.detail.chars().count()),
        ("ITEM_NOT_FOUND", 24)
    );
}

#[test]
fn nothing_is_sold_before_the_patient_is_verified() {
    let mut till = Till::open();
    till.scan(AMOXICILLIN);
    assert_eq!((till.told(), lines(&till).len()), ("VERIFY_FIRST", 0));
    assert_eq!(till.key(Key::Pay).len(), 0);
    assert_eq!(till.state.page, Page::Counter);
}

#[test]
fn a_quantity_is_a_positive_number_of_four_decimals_at_most() {
    let mut till = Till::selling(1, &[AMOXICILLIN]);
    for bad in [
        "", " ", "0", "0.0", "-1", "1.", "1.23456", "123456", "a", "1e3", "1,5", ".", "１", ".5",
    ] {
        till.key(Key::Quantity(0, bad.to_owned()));
        assert_eq!(till.told(), "QUANTITY_WRONG", "{bad:?}");
        assert_eq!(lines(&till), [("阿莫西林胶囊", "1")], "{bad:?}");
        till.key(Key::Dismiss);
    }
    for (good, amount) in [
        ("2", "25.00"),
        ("0.5", "6.25"),
        ("99999", "1249987.50"),
        (" 3 ", "37.50"),
        ("0.0001", "0.00"),
    ] {
        till.key(Key::Quantity(0, good.to_owned()));
        assert_eq!(till.told(), "", "{good:?}");
        assert_eq!(till.state.bill.total().to_string(), amount, "{good:?}");
    }
    till.key(Key::Quantity(7, "2".to_owned()));
    assert_eq!(lines(&till), [("阿莫西林胶囊", "0.0001")], "no such line");
    till.scan(AMOXICILLIN);
    assert_eq!(
        till.told(),
        "QUANTITY_NOT_WHOLE",
        "one more of a broken pack is a question, not a guess"
    );
}

#[test]
fn the_same_item_counts_up_and_is_the_line_moved_to() {
    let mut till = Till::selling(1, &[AMOXICILLIN, CLAVULANATE, AMOXICILLIN]);
    assert_eq!(
        lines(&till),
        [("阿莫西林胶囊", "2"), ("阿莫西林克拉维酸钾片", "1")]
    );
    assert_eq!(till.state.bill.selected, 0, "F2 must change the line just sold");
    till.scan(CLAVULANATE);
    assert_eq!(till.state.bill.selected, 1);
    till.key(Key::Remove(1));
    assert_eq!(till.state.bill.selected, 0, "never past the end");
    till.key(Key::Remove(9));
    assert_eq!(lines(&till), [("阿莫西林胶囊", "2")]);
    till.key(Key::Remove(0));
    assert!(till.state.bill.outcome.is_none());
    till.key(Key::Pay);
    assert_eq!(till.told(), "NOTHING_TO_PAY");
}

#[test]
fn a_trace_code_is_sold_once() {
    let mut till = Till::selling(1, &[]);
    for (code, told) in [
        ("81001370000000000123", ""),
        ("81001370000000000123", "TRACE_CODE_TWICE"),
        ("81001370000000000124", ""),
    ] {
        till.scan(code);
        assert_eq!(till.told(), told, "{code}");
    }
    assert_eq!(lines(&till), [("阿莫西林胶囊", "2")]);
    assert_eq!(
        till.state.bill.lines[0].trace_codes,
        ["81001370000000000123", "81001370000000000124"]
    );
}

/// A GS1 code whose serial number is the pack's trace code tells lot and expiry as well.
#[test]
fn what_a_scan_tells_of_a_pack_goes_with_its_trace_code() {
    let mut till = Till::selling(1, &[]);
    till.scan("]d201069000000101121728123110AB12\u{1D}2181001370000000000123");
    till.scan("81001370000000000124");
    // A serial number that is no trace code is none.
    till.scan("]d201069000000101121728123110AB12\u{1D}21123");
    assert_eq!(lines(&till), [("阿莫西林胶囊", "3")]);
    till.scan("]d201069000000101122181001370000000000123");
    assert_eq!(till.told(), "TRACE_CODE_TWICE");
    // Put aside and taken up again, it is the same.
    till.key(Key::Hold);
    till.verify(1);
    till.key(Key::Recall(0));
    till.ask_for_money();
    let sale = till.state.pay.sale.as_ref().unwrap();
    let told: Vec<_> = sale
        .traces
        .iter()
        .map(|pack| (pack.code.as_str(), pack.lot.as_str(), pack.expires_on.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("81001370000000000123", "AB12", "2028-12-31"),
            ("81001370000000000124", "", "")
        ]
    );
}

#[test]
fn a_scan_outside_the_counter_page_sells_nothing() {
    let mut till = Till::selling(1, &[AMOXICILLIN]);
    till.ask_for_money();
    till.scan(AMOXICILLIN);
    assert_eq!(till.told(), "SCAN_NOT_HERE");
    till.key(Key::Go(Page::Queue));
    till.scan(AMOXICILLIN);
    assert_eq!(lines(&till), [("阿莫西林胶囊", "1")]);
}

#[test]
fn every_change_splits_anew_to_the_fen() {
    let mut till = Till::selling(1, &[AMOXICILLIN; 6]);
    // Retired, level 2: (75.00 − 60.00) × 0.60.
    assert_eq!(till.split(), ["9.00", "66.00", "0.00", "0.00"]);
    till.key(Key::ToggleAccount);
    assert_eq!(till.split(), ["9.00", "0.00", "0.00", "66.00"]);
    // 乙 28.00: 1.40 first; (101.60 − 60.00) × 0.60.
    till.scan(CLAVULANATE);
    assert_eq!(till.split(), ["24.96", "0.00", "0.00", "78.04"]);
    till.key(Key::Remove(0));
    assert_eq!(till.split(), ["0.00", "0.00", "0.00", "28.00"]);
    till.key(Key::ToggleAccount);
    assert_eq!(till.split(), ["0.00", "28.00", "0.00", "0.00"]);
}

#[test]
fn a_family_account_helps_and_can_be_left_alone() {
    let mut till = Till::selling(9, &[AMOXICILLIN; 6]);
    // Active, level 2: (75.00 − 60.00) × 0.55; own 20.00, the parent's account the rest.
    assert_eq!(till.split(), ["8.25", "20.00", "46.75", "0.00"]);
    till.key(Key::ToggleFamily);
    assert_eq!(till.split(), ["8.25", "20.00", "0.00", "46.75"]);
}

#[test]
fn a_registered_disease_opens_its_benefit() {
    let mut till = Till::selling(10, &[AMOXICILLIN; 40]);
    // 1200.00 of the year's fund is used; (500.00 − 60.00) × 0.60.
    assert_eq!(till.split()[0], "264.00");
    assert_eq!(
        bill::benefits(&till.state),
        [
            Benefit::Plain,
            Benefit::Disease("M03900".to_owned()),
            Benefit::Emergency,
            Benefit::SelfPay
        ]
    );
    till.key(Key::Benefit(1));
    // Chronic: (500.00 − 300.00) × 0.80.
    assert_eq!(till.split()[0], "160.00");
    till.key(Key::Benefit(7));
    assert_eq!(till.split()[0], "160.00", "no such benefit");
    till.key(Key::Benefit(0));
    assert_eq!(till.split()[0], "264.00");
}

#[test]
fn an_item_for_another_disease_stays_off_its_bill() {
    let mut till = Till::selling(10, &[]);
    let mut goods = till.state.setup.catalogue.items().to_vec();
    for item in &mut goods {
        item.diseases = match item.barcode.as_str() {
            AMOXICILLIN => "I10 M03".to_owned(),
            CLAVULANATE => "I10".to_owned(),
            _ => String::new(),
        };
    }
    till.state.setup.catalogue = Arc::new(Catalogue::new(goods));
    till.sell(&[AMOXICILLIN, CLAVULANATE]);
    till.key(Key::Benefit(1));
    till.key(Key::Pay);
    assert_eq!(till.told(), "ITEM_NOT_FOR_DISEASE");
    assert_eq!(till.state.notice.as_ref().unwrap().detail, "阿莫西林克拉维酸钾片");
    till.key(Key::Remove(1));
    till.ask_for_money();
    assert_eq!(till.state.page, Page::Pay);
}

#[test]
fn goods_that_are_no_medicine_stay_off_an_insured_bill() {
    let mut till = Till::selling(1, &[AMOXICILLIN, HONEY]);
    let settlement = till.state.bill.outcome.as_ref().unwrap().settled().unwrap();
    assert_eq!(settlement.excluded.len(), 1);
    assert_eq!(
        settlement.setlinfo.medfee_sumamt.to_string(),
        "12.50",
        "in none of the sums"
    );
    till.key(Key::Pay);
    assert_eq!(
        (till.told(), till.state.page),
        ("GOODS_NOT_MEDICAL", Page::Counter)
    );
    assert_eq!(till.state.notice.as_ref().unwrap().detail, "蜂蜜");
    till.key(Key::Remove(1));
    till.ask_for_money();
    assert_eq!(till.state.page, Page::Pay);
}

#[test]
fn a_price_above_the_cash_price_is_refused_at_once_and_again_at_the_payment() {
    let mut till = Till::selling(1, &[DEARER_INSURED]);
    assert!(matches!(till.state.bill.outcome, Some(Outcome::Refused(_))));
    assert_eq!(till.told(), "PRICE_ABOVE_CASH");
    till.key(Key::Dismiss);
    till.key(Key::Pay);
    assert_eq!(
        (till.told(), till.state.page),
        ("PRICE_ABOVE_CASH", Page::Counter)
    );
}

#[test]
fn the_reasons_follow_the_language_and_the_sale_stays_chinese() {
    let says = |till: &Till| -> Vec<String> {
        let settled = till
            .state
            .bill
            .outcome
            .as_ref()
            .and_then(|o| o.settled())
            .unwrap();
        settled.trace.iter().map(|step| step.says.clone()).collect()
    };
    let mut till = Till::selling(1, &[AMOXICILLIN; 6]);
    let zh = says(&till);
    till.key(Key::Language(Lang::En));
    let en = says(&till);
    assert_eq!(zh.len(), en.len());
    for (zh, en) in zh.iter().zip(&en) {
        assert_ne!(zh, en);
    }
    let sums = till.split();
    till.ask_for_money();
    let sale = till.confirm().0;
    let kept: Vec<String> = sale
        .settlement
        .trace
        .iter()
        .map(|step| step.says.clone())
        .collect();
    assert_eq!(kept, zh, "what is printed is Chinese");
    till.key(Key::Language(Lang::Zh));
    assert_eq!((says(&till), till.split()), (zh, sums));
}

#[test]
fn a_refused_price_names_the_goods() {
    let till = Till::selling(1, &[AMOXICILLIN, DEARER_INSURED]);
    assert_eq!(till.state.notice.as_ref().unwrap().detail, "复方丹参滴丸");
    let bill = &till.state.bill;
    assert!(bill.above_cash(&bill.lines[1]) && !bill.above_cash(&bill.lines[0]));
}

#[test]
fn a_scan_that_found_nothing_is_not_hidden_by_the_next() {
    let mut till = Till::selling(1, &["6900000099999"]);
    assert_eq!(till.told(), "ITEM_NOT_FOUND");
    till.sell(&[AMOXICILLIN]);
    assert_eq!((till.told(), lines(&till).len()), ("ITEM_NOT_FOUND", 1));
}

#[test]
fn a_drug_for_a_registered_disease_is_collected_on_a_written_authorisation() {
    let agent = |authorisation: Option<&str>| {
        Key::Agent(Agent {
            name: "李𬀩".to_owned(),
            id_no: "539999198611209217".to_owned(),
            relation: "child".to_owned(),
            authorisation: authorisation.map(str::to_owned),
        })
    };
    let mut till = Till::selling(10, &[AMOXICILLIN]);
    till.key(Key::Benefit(1));
    till.key(agent(None));
    assert_eq!(till.key(Key::Pay).len(), 0);
    assert_eq!(
        (till.told(), till.state.page),
        ("AGENT_NEEDS_AUTHORISATION", Page::Counter)
    );
    till.key(agent(Some("W7")));
    till.ask_for_money();
    assert_eq!(
        till.confirm().0.agent.unwrap().authorisation.as_deref(),
        Some("W7")
    );
}

#[test]
fn a_bill_put_aside_comes_back_for_whoever_is_verified_next() {
    let mut till = Till::selling(1, &[AMOXICILLIN; 6]);
    let effects = till.key(Key::Hold);
    assert!(
        matches!(&effects[..], [Effect::Write(r)] if matches!(**r, Record::Held { no: 1, bill: Some(_) }))
    );
    assert_eq!((till.told(), lines(&till).len()), ("BILL_HELD", 0));
    assert!(matches!(till.state.patient, Patient::None));
    assert_eq!(till.state.held[0].1.person, "段**");
    till.key(Key::Hold);
    assert_eq!(till.told(), "NOTHING_TO_HOLD");

    till.verify(2);
    till.scan(CLAVULANATE);
    till.key(Key::Recall(0));
    assert_eq!(till.told(), "BILL_OPEN");
    till.key(Key::Clear);
    assert_eq!(till.key(Key::Recall(3)).len(), 0);
    let effects = till.key(Key::Recall(0));
    assert!(matches!(&effects[..], [Effect::Write(r)] if matches!(**r, Record::Held { no: 1, bill: None })));
    assert_eq!(
        (till.told(), lines(&till)),
        ("VERIFY_FIRST", vec![("阿莫西林胶囊", "6")])
    );
    assert!(till.state.bill.outcome.is_none());
    till.key(Key::Pay);
    assert_eq!(till.told(), "VERIFY_FIRST");

    for by_code in [false, true] {
        if by_code {
            let (text, person, token) = code(1);
            till.scan(&text);
            assert_eq!(till.told(), "", "a recalled bill is nobody's yet");
            till.send(Event::CodeDecoded(text, Answer::Done(person)));
            till.send(Event::PersonAnswered(token, Answer::Done(record(1))));
        } else {
            till.card_in(1);
            till.send(Event::PersonAnswered(credential(1), Answer::Done(record(1))));
        }
        assert_eq!(till.split(), ["9.00", "66.00", "0.00", "0.00"]);
        till.key(Key::Hold);
        till.key(Key::Recall(0));
    }
}

#[test]
fn a_bill_has_a_longest_length() {
    let mut till = Till::selling(1, &[]);
    let mut goods = yijie::catalogue::Catalogue::default().items().to_vec();
    for n in 0..101 {
        let mut item = till.state.setup.catalogue.items()[0].clone();
        item.code = format!("XA{n:021}");
        item.barcode = String::new();
        item.trace_prefix = String::new();
        goods.push(item);
    }
    till.state.setup.catalogue = std::sync::Arc::new(yijie::catalogue::Catalogue::new(goods));
    for n in 0..101 {
        till.key(Key::Accept(format!("XA{n:021}")));
    }
    assert_eq!((till.told(), lines(&till).len()), ("BILL_TOO_LONG", 100));
}

#[test]
fn consent_names_what_the_fund_does_not_look_at() {
    let mut till = Till::selling(1, &[VITAMINS, AMOXICILLIN]);
    till.ask_for_money();
    assert_eq!(till.state.pay.consent(), ["复合维生素片"]);
    till.key(Key::Confirm);
    assert_eq!(till.told(), "CONSENT_NEEDED");
    till.key(Key::Consent(true));
    till.key(Key::Consent(false));
    till.key(Key::Confirm);
    assert_eq!(till.told(), "CONSENT_NEEDED", "taken back");
    till.key(Key::Consent(true));
    assert_eq!(till.confirm().0.consent, ["复合维生素片"]);
}

#[test]
fn in_an_emergency_nobody_is_asked_to_agree() {
    let mut till = Till::selling(1, &[VITAMINS, AMOXICILLIN]);
    let choices = bill::benefits(&till.state);
    let rescue = choices.iter().position(|choice| *choice == Benefit::Emergency);
    till.key(Key::Benefit(rescue.unwrap()));
    let named = till.state.bill.outcome.as_ref().unwrap().settled().unwrap();
    assert_eq!(named.benefit, "emergency");
    till.ask_for_money();
    assert!(till.state.pay.consent().is_empty());
    assert!(till.confirm().0.consent.is_empty());
}
