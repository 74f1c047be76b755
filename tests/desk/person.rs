//! Who is served: card, code, typed number; the agency, else the books; and what comes late.

use std::sync::Arc;

use jiff::civil::date;
use yijie::desk::approval::Deed;
use yijie::desk::patient::Patient;
use yijie::desk::{Effect, Event, Key, Page};
use yijie::operators::Role;
use yijie::record::Record;
use yijie_agency::{Answer, Cause, Credential, PersonRecord};
use yijie_hardware::{ReaderEvent, SocialCard};
use yijie_rules::Packs;

use crate::till::{
    AMOXICILLIN, HOUR, NOW, Till, card, code, credential, operator, reader, record, refused, setup, unsent,
    wrong_pin,
};

fn verified(till: &Till) -> Option<&str> {
    match &till.state.patient {
        Patient::Verified(verified) => Some(&verified.record.baseinfo.psn_name),
        _ => None,
    }
}

fn refusal(till: &Till) -> &str {
    match &till.state.patient {
        Patient::Refused(notice, _) => &notice.code,
        other => panic!("a refusal expected, not {other:?}"),
    }
}

#[test]
fn a_card_that_cannot_be_used_is_refused_before_anyone_is_asked() {
    let change = |change: fn(&mut SocialCard)| {
        let mut card = card(1);
        change(&mut card);
        card
    };
    let lost = card(1).card_sn.clone();
    for (name, card, lost_cards, code) in [
        ("expired", card(6), vec![], "CARD_EXPIRED"),
        ("on the lost-card list", card(1), vec![lost], "CARD_LOST"),
        (
            "a digit of the citizen number changed",
            change(|card| card.id_no = Some("539999195803029120".to_owned())),
            vec![],
            "ID_NUMBER_WRONG",
        ),
        (
            "a third-generation card that keeps its number",
            change(|card| card.card_no = None),
            vec![],
            "CARD_HIDES_HOLDER",
        ),
        (
            "a card that keeps its holder",
            change(|card| card.id_no = None),
            vec![],
            "CARD_HIDES_HOLDER",
        ),
    ] {
        let mut till = Till::open();
        till.state.setup.lost_cards = lost_cards.into();
        let effects = till.insert(card);
        assert!(effects.is_empty(), "{name}: {effects:?}");
        assert_eq!((refusal(&till), till.told()), (code, code), "{name}");
    }
}

#[test]
fn a_card_is_good_on_its_last_day() {
    for (last, code) in [(date(2026, 3, 1), ""), (date(2026, 2, 28), "CARD_EXPIRED")] {
        let mut till = Till::open();
        let mut card = card(1);
        card.expires_on = Some(last);
        till.insert(card);
        assert_eq!(till.told(), code, "{last}");
    }
}

/// (what is odd, person, change of the agency's record, code of the refusal; blank if verified)
type Odd = (&'static str, usize, fn(&mut PersonRecord), &'static str);

const RECORDS: &[Odd] = &[
    ("as it should be", 1, |_| {}, ""),
    ("employee and formerly resident", 2, |_| {}, ""),
    (
        "insured elsewhere, without rules here",
        3,
        |r| r.insuinfo[0].insuplc_admdvs = "110000".to_owned(),
        "NO_PACK",
    ),
    ("lost, says the record", 5, |_| {}, "CARD_LOST"),
    ("insurance paused", 7, |_| {}, "NOT_INSURED"),
    ("in the waiting period", 8, |_| {}, "WAITING_PERIOD"),
    ("no insurance at all", 1, |r| r.insuinfo.clear(), "NOT_INSURED"),
    (
        "of another person",
        1,
        |r| r.baseinfo.certno = "539999198611209217".to_owned(),
        "RECORD_OTHER_PERSON",
    ),
    (
        "of another name",
        1,
        |r| r.baseinfo.psn_name = "段秀蘭".to_owned(),
        "RECORD_OTHER_PERSON",
    ),
    (
        "with a newer card",
        1,
        |r| r.facts.card.as_mut().unwrap().card_sn = "5399000000000000000000000000000F".to_owned(),
        "CARD_REPLACED",
    ),
    (
        "with a card that ended yesterday",
        1,
        |r| r.facts.card.as_mut().unwrap().expires_on = "2026-02-28".to_owned(),
        "CARD_EXPIRED",
    ),
];

#[test]
fn the_agencys_record_decides() {
    for (odd, person, change, code) in RECORDS {
        let mut till = Till::open();
        let effects = till.card_in(*person);
        assert!(
            matches!(&effects[..], [Effect::AskPerson(asked)] if *asked == credential(*person)),
            "{odd}: {effects:?}"
        );
        let mut record = record(*person);
        change(&mut record);
        let name = record.baseinfo.psn_name.clone();
        let effects = till.send(Event::PersonAnswered(credential(*person), Answer::Done(record)));
        assert!(
            matches!(&effects[..], [Effect::Write(record)] if matches!(**record, Record::Person { .. })),
            "{odd}: the record is kept for an outage: {effects:?}"
        );
        assert_eq!(till.told(), *code, "{odd}");
        if code.is_empty() {
            assert_eq!(verified(&till), Some(name.as_str()), "{odd}");
        } else {
            assert_eq!(refusal(&till), *code, "{odd}");
            assert_eq!(till.scan(AMOXICILLIN).len(), 0);
            assert_eq!(till.told(), "VERIFY_FIRST", "{odd}: nothing is sold");
            assert!(till.state.bill.lines.is_empty());
        }
    }
}

#[test]
fn a_person_the_agency_does_not_know_is_refused_in_its_words() {
    let mut till = Till::open();
    till.card_in(1);
    till.send(Event::PersonAnswered(
        credential(1),
        refused("PERSON_UNKNOWN 查无此人"),
    ));
    assert_eq!(till.told(), "PERSON_NOT_FOUND");
    assert_eq!(
        till.state.notice.as_ref().unwrap().detail,
        "PERSON_UNKNOWN 查无此人"
    );
}

#[test]
fn a_request_that_cannot_be_sent_is_no_outage() {
    let mut till = Till::open();
    till.card_in(1);
    let cause = Cause::RequestInvalid {
        field: "mdtrt_cert_no",
        problem: "too long",
    };
    let effects = till.send(Event::PersonAnswered(credential(1), Answer::NotSent(cause)));
    assert!(effects.is_empty(), "{effects:?}");
    assert_eq!(till.told(), "REQUEST_INVALID");
    assert_eq!(till.state.outage, None);
}

#[test]
fn a_suspended_person_pays_all_and_both_are_told() {
    let mut till = Till::selling(4, &[]);
    assert_eq!(till.told(), "ADVANCE_PAYMENT");
    till.sell(&[AMOXICILLIN; 6]);
    assert_eq!(till.split(), ["0.00", "0.00", "0.00", "75.00"]);
    let settlement = till.state.bill.outcome.as_ref().unwrap().settled().unwrap();
    assert!(
        settlement
            .notes
            .iter()
            .any(|note| note.code.as_str() == "ADVANCE_PAYMENT")
    );
}

#[test]
fn pulling_the_card_ends_the_check_or_an_empty_bill_but_only_pauses_a_full_one() {
    let mut till = Till::open();
    till.send(Event::Reader(ReaderEvent::CardIn { reader: reader() }));
    assert!(matches!(till.state.patient, Patient::Checking { .. }));
    till.card_fault();
    till.card_out();
    assert!(matches!(till.state.patient, Patient::None), "pulled mid-read");
    assert_eq!(till.told(), "CARD_REMOVED");

    let mut till = Till::open();
    till.card_in(1);
    till.card_out();
    assert!(
        matches!(till.state.patient, Patient::None),
        "pulled while the agency was asked"
    );
    assert_eq!(till.told(), "CARD_REMOVED");
    till.send(Event::PersonAnswered(credential(1), Answer::Done(record(1))));
    assert!(
        matches!(till.state.patient, Patient::None),
        "the answer came too late"
    );

    let mut till = Till::selling(1, &[]);
    till.card_out();
    assert!(matches!(till.state.patient, Patient::None), "nothing on the bill");

    let mut till = Till::selling(1, &[AMOXICILLIN]);
    till.card_out();
    assert_eq!(verified(&till), Some("段秀兰"), "the bill stays");
    assert_eq!(till.key(Key::Pay).len(), 0);
    assert_eq!((till.told(), till.state.page), ("CARD_BACK_IN", Page::Counter));
    assert_eq!(till.card_in(1).len(), 0, "the same card asks nobody");
    assert_eq!(till.told(), "");
    till.ask_for_money();
    assert_eq!(till.state.page, Page::Pay);
    till.card_out();
    assert_eq!(till.key(Key::Confirm).len(), 0);
    assert_eq!(till.told(), "CARD_BACK_IN");
    till.card_in(1);
    assert!(till.confirm().1);
}

#[test]
fn nobody_else_is_served_mid_bill() {
    let (text, ..) = code(2);
    type Try = fn(&mut Till, &str) -> Vec<Effect>;
    let tries: [(&str, Try, &str); 4] = [
        ("card", |till, _| till.card_in(2), "OTHER_PERSON_MID_BILL"),
        ("expired card", |till, _| till.card_in(6), "CARD_EXPIRED"),
        ("code", |till, code| till.scan(code), "OTHER_PERSON_MID_BILL"),
        (
            "citizen number",
            |till, _| till.scan("539999198611209217"),
            "OTHER_PERSON_MID_BILL",
        ),
    ];
    for (name, with, told) in tries {
        let mut till = Till::selling(1, &[AMOXICILLIN]);
        till.card_out();
        assert_eq!(with(&mut till, &text).len(), 0, "{name}");
        assert_eq!(till.told(), told, "{name}");
        assert_eq!(verified(&till), Some("段秀兰"), "{name}");
        assert_eq!(till.state.bill.lines.len(), 1, "{name}");
        assert_eq!(till.state.awaiting_approval, None, "{name}");
    }
}

#[test]
fn before_the_first_line_another_card_simply_takes_over() {
    let mut till = Till::selling(1, &[]);
    till.card_in(2);
    till.send(Event::PersonAnswered(credential(2), Answer::Done(record(2))));
    assert_eq!(verified(&till), Some("李𬀩"));
}

#[test]
fn an_answer_about_someone_else_does_not_count() {
    let mut till = Till::open();
    till.card_in(1);
    till.card_out();
    till.card_in(2);
    till.send(Event::PersonAnswered(credential(1), Answer::Done(record(1))));
    assert!(
        matches!(till.state.patient, Patient::Checking { .. }),
        "late, of the card before"
    );
    assert_eq!(till.told(), "");
    till.send(Event::PersonAnswered(credential(2), Answer::Done(record(2))));
    assert_eq!(verified(&till), Some("李𬀩"));

    let mut till = Till::open();
    till.card_in(1);
    till.card_out();
    till.send(Event::Reader(ReaderEvent::CardIn { reader: reader() }));
    till.send(Event::PersonAnswered(credential(1), Answer::Done(record(1))));
    assert_eq!(verified(&till), None, "the card in the reader is not read yet");

    let (first, second) = (code(1), code(2));
    let mut till = Till::open();
    till.scan(&first.0);
    till.scan(&second.0);
    let effects = till.send(Event::CodeDecoded(first.0, Answer::Done(first.1)));
    assert!(effects.is_empty(), "late, of the code before: {effects:?}");
    let effects = till.send(Event::CodeDecoded(second.0, Answer::Done(second.1)));
    assert!(matches!(&effects[..], [Effect::AskPerson(asked)] if *asked == second.2));
}

#[test]
fn a_code_is_decoded_by_the_agency_and_then_looked_up() {
    let (text, person, credential) = code(2);
    let mut till = Till::open();
    let effects = till.scan(&text);
    assert!(matches!(&effects[..], [Effect::Decode(asked)] if *asked == text));
    till.card_out();
    assert!(
        matches!(till.state.patient, Patient::Checking { .. }),
        "an empty reader ends no check of a code"
    );
    till.card_fault();
    assert!(
        matches!(till.state.patient, Patient::Checking { .. }),
        "nor does a broken card"
    );
    let effects = till.send(Event::CodeDecoded(text, Answer::Done(person)));
    assert!(matches!(&effects[..], [Effect::AskPerson(asked)] if *asked == credential));
    till.send(Event::PersonAnswered(credential, Answer::Done(record(2))));
    assert_eq!(verified(&till), Some("李𬀩"));
    till.sell(&[AMOXICILLIN]);
    till.card_out();
    assert_eq!(till.key(Key::Pay).len(), 1, "no card has to stay in");
}

#[test]
fn a_code_that_is_refused_or_cannot_be_asked_about_serves_nobody() {
    let (text, mut person, _) = code(2);
    let mut till = Till::open();
    till.scan(&text);
    till.send(Event::CodeDecoded(text.clone(), refused("码已失效")));
    assert_eq!(refusal(&till), "CODE_NOT_ACCEPTED");

    till.scan(&text);
    till.send(Event::CodeDecoded(text.clone(), unsent()));
    assert_eq!(refusal(&till), "CODE_NEEDS_NETWORK");
    assert_eq!(till.state.outage.as_ref().unwrap().cause, "AGENCY_UNREACHABLE");
    let limits = |till: &Till| till.state.notice.as_ref().unwrap().detail.clone();
    assert_eq!(limits(&till), "kunming-employee ≤ 1000.00 · 168 h", "of the pack");
    // A pack that carries nothing, one of other limits, and one of another area.
    for (line, instead, area, code, told) in [
        (
            "mode = \"carry\"",
            "mode = \"self-pay\"",
            "530100",
            "CODE_OFFLINE_SELF_PAY",
            "",
        ),
        (
            "fund_per_sale_max = \"1000.00\"",
            "fund_per_sale_max = \"77.00\"",
            "530100",
            "CODE_NEEDS_NETWORK",
            "kunming-employee ≤ 77.00 · 168 h",
        ),
        ("", "", "532500", "CODE_OFFLINE_SELF_PAY", ""),
    ] {
        let mut till = Till::open();
        let mut packs = Packs::builtin();
        let pack = packs.text("kunming-employee").unwrap();
        packs.add("test.toml", &pack.replacen(line, instead, 1)).unwrap();
        till.state.setup.packs = Arc::new(packs);
        till.state.setup.institution.area = area.to_owned();
        till.scan(&text);
        till.send(Event::CodeDecoded(text.clone(), unsent()));
        assert_eq!((refusal(&till), limits(&till).as_str()), (code, told));
    }

    till.scan(&text);
    person.id_no = "539999198611209218".to_owned();
    till.send(Event::CodeDecoded(text, Answer::Done(person)));
    assert_eq!(refusal(&till), "ID_NUMBER_WRONG");
}

#[test]
fn a_typed_citizen_number_waits_for_a_supervisor() {
    let number = "539999198611209217";
    let approve = || Key::Approve {
        id: "009".to_owned(),
        pin: "1".to_owned(),
    };
    let mut till = Till::open();
    assert_eq!(till.key(Key::Accept(number.to_owned())).len(), 0);
    assert_eq!(
        till.state.awaiting_approval,
        Some(Deed::IdNumber(number.to_owned()))
    );
    for (checked, told) in [
        (None, "PIN_NOT_RIGHT"),
        (Some(Role::Cashier), "SUPERVISOR_NEEDED"),
    ] {
        assert!(matches!(&till.key(approve())[..], [Effect::CheckApproval { .. }]));
        assert_eq!(
            till.send(Event::ApprovalChecked(
                checked.map(operator).ok_or_else(wrong_pin)
            ))
            .len(),
            0
        );
        assert_eq!(till.state.sign_in_notice.as_ref().unwrap().code, told);
    }
    till.key(Key::CancelApproval);
    assert_eq!(till.state.sign_in_notice, None);
    assert_eq!(
        till.send(Event::ApprovalChecked(Ok(operator(Role::Supervisor))))
            .len(),
        0,
        "nothing waits any more"
    );

    till.scan(number);
    till.key(approve());
    let effects = till.send(Event::ApprovalChecked(Ok(operator(Role::Supervisor))));
    let [Effect::Allow { approval, deed, by }] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert!(matches!(&**approval, Record::Approved { what, by, about, .. }
            if what == "id-number" && *by == operator(Role::Supervisor).id && about == number));
    assert!(!format!("{deed:?}").contains(number));
    let effects = till.send(Event::Allowed(deed.clone(), by.clone()));
    let asked = Credential::IdNumber {
        certno: number.to_owned(),
    };
    assert!(matches!(&effects[..], [Effect::AskPerson(credential)] if *credential == asked));
    till.send(Event::PersonAnswered(asked, Answer::Done(record(2))));
    assert_eq!(verified(&till), Some("李𬀩"));
}

#[test]
fn a_card_makes_the_approval_needless() {
    let mut till = Till::open();
    till.scan("539999198611209217");
    till.card_in(1);
    assert_eq!(till.state.awaiting_approval, None);
}

#[test]
fn without_the_agency_the_books_speak() {
    for (name, found, code) in [
        ("fresh", Some((NOW - HOUR, record(1))), ""),
        (
            "old: verified, and judged at the payment",
            Some((NOW - 200 * HOUR, record(1))),
            "",
        ),
        ("unknown", None, "OFFLINE_PERSON_UNKNOWN"),
        ("of another card", Some((NOW, record(2))), "RECORD_OTHER_PERSON"),
        (
            "lost when last asked",
            Some((NOW, record(5))),
            "RECORD_OTHER_PERSON",
        ),
    ] {
        let mut till = Till::open();
        till.card_in(1);
        let effects = till.send(Event::PersonAnswered(
            credential(1),
            Answer::Unknown(Cause::Timeout),
        ));
        assert!(matches!(&effects[..], [Effect::FindSnapshot(asked)] if *asked == credential(1)));
        assert_eq!(till.state.outage.as_ref().unwrap().cause, "AGENCY_TIMEOUT");
        let found = found.map(|(at, record)| (at, Box::new(record)));
        till.send(Event::SnapshotFound(credential(1), found));
        assert_eq!(till.told(), code, "{name}");
        match &till.state.patient {
            Patient::Verified(verified) => assert!(verified.from_snapshot && code.is_empty(), "{name}"),
            other => assert!(!code.is_empty(), "{name}: {other:?}"),
        }
    }
}

#[test]
fn a_list_renewed_while_a_card_is_in_refuses_the_next_card() {
    let mut till = Till::open();
    let renewed = yijie::desk::Setup {
        lost_cards: vec![card(1).card_sn.clone()].into(),
        ..setup()
    };
    till.send(Event::SetupRead(renewed));
    till.card_in(1);
    assert_eq!(refusal(&till), "CARD_LOST");
}
