//! Signing in and out, pages, languages: who may do what before a patient comes.

use yijie::books::Findings;
use yijie::desk::patient::Patient;
use yijie::desk::{Effect, Event, Key, Level, Notice, Page};
use yijie::operators::Role;
use yijie::record::Record;
use yijie_agency::Answer;
use yijie_rules::Lang;

use crate::till::{AMOXICILLIN, Till, operator, refused, unsent, wrong_pin};

fn sign_in() -> Key {
    Key::SignIn {
        id: "001".to_owned(),
        pin: "246810".to_owned(),
    }
}

fn session(effects: &[Effect]) -> Option<(bool, Option<String>)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Write(record) => match &**record {
            Record::Session { begins, sign_no, .. } => Some((*begins, sign_no.clone())),
            _ => None,
        },
        _ => None,
    })
}

#[test]
fn the_agency_accepts_refuses_or_is_away() {
    for (answer, page, told, written) in [
        (
            Answer::Done("S7".to_owned()),
            Page::Counter,
            "",
            Some((true, Some("S7".to_owned()))),
        ),
        (unsent(), Page::Counter, "SIGNED_IN_OFFLINE", Some((true, None))),
        (refused("操作员不存在"), Page::SignIn, "SIGN_IN_REFUSED", None),
    ] {
        let mut till = Till::closed();
        assert!(matches!(&till.key(sign_in())[..], [Effect::CheckPin { .. }]));
        let effects = till.send(Event::PinChecked(Ok(operator(Role::Cashier))));
        assert!(matches!(&effects[..], [Effect::SignIn(_)]));
        assert_eq!(till.state.page, Page::SignIn, "not before the answer");
        let effects = till.send(Event::SignedIn(answer));
        assert_eq!(session(&effects), written);
        assert_eq!((till.state.page, till.state.signing_in), (page, false));
        let shown = till.state.notice.as_ref().or(till.state.sign_in_notice.as_ref());
        assert_eq!(shown.map_or("", |notice| notice.code.as_str()), told);
        assert_eq!(till.state.operator.is_some(), page == Page::Counter);
    }
}

#[test]
fn a_wrong_pin_says_so_and_the_next_try_is_free() {
    let mut till = Till::closed();
    till.key(sign_in());
    assert_eq!(till.send(Event::PinChecked(Err(wrong_pin()))).len(), 0);
    assert_eq!(till.state.sign_in_notice.as_ref().unwrap().code, "PIN_NOT_RIGHT");
    assert_eq!(till.key(sign_in()).len(), 1);
    assert_eq!(till.state.sign_in_notice, None);
}

#[test]
fn one_try_at_a_time_and_nobody_signs_in_over_another() {
    let mut till = Till::closed();
    till.key(sign_in());
    assert_eq!(till.key(sign_in()).len(), 0);
    till.send(Event::PinChecked(Ok(operator(Role::Cashier))));
    assert_eq!(till.key(Key::SignOut).len(), 0, "the answer is awaited");
    assert_eq!(till.key(Key::Go(Page::Counter)).len(), 0);
    assert_eq!(till.state.page, Page::SignIn);
    till.send(Event::SignedIn(Answer::Done("S1".to_owned())));
    till.verify(1);
    till.sell(&[AMOXICILLIN]);
    assert_eq!(till.key(sign_in()).len(), 0);
    assert_eq!(till.send(Event::PinChecked(Err(wrong_pin()))).len(), 0);
    assert_eq!(till.send(Event::SignedIn(refused("迟到"))).len(), 0);
    assert_eq!((till.state.page, till.state.bill.lines.len()), (Page::Counter, 1));
}

#[test]
fn before_signing_in_only_language_and_licences_answer() {
    let mut till = Till::closed();
    for key in [
        Key::Accept(AMOXICILLIN.to_owned()),
        Key::Pay,
        Key::Confirm,
        Key::Drain,
        Key::Hold,
        Key::SignOut,
        Key::Go(Page::Counter),
        Key::Go(Page::Queue),
        Key::Print,
        Key::Resolve(0),
    ] {
        let name = format!("{key:?}");
        assert_eq!(till.key(key).len(), 0, "{name}");
        assert_eq!(till.state.page, Page::SignIn, "{name}");
    }
    assert_eq!(till.card_in(1).len(), 0);
    assert_eq!(till.scan(AMOXICILLIN).len(), 0);
    assert!(matches!(till.state.patient, Patient::None));
    assert_eq!(till.told(), "");
    till.key(Key::Language(Lang::En));
    assert_eq!(till.state.lang, Lang::En);
    till.key(Key::Go(Page::About));
    assert_eq!(till.state.page, Page::About);
    till.key(Key::Back);
    assert_eq!(till.state.page, Page::SignIn);
}

#[test]
fn signing_out_ends_the_session_and_leaves_nobody_on_the_screen() {
    let mut till = Till::selling(1, &[AMOXICILLIN]);
    assert_eq!(till.key(Key::SignOut).len(), 0);
    assert_eq!((till.told(), till.state.bill.lines.len()), ("BILL_OPEN", 1));
    till.key(Key::Remove(0));
    let effects = till.key(Key::SignOut);
    assert_eq!(session(&effects), Some((false, None)));
    assert!(matches!(effects.last(), Some(Effect::SignOut(_))));
    assert_eq!((till.state.page, till.state.bill.lines.len()), (Page::SignIn, 0));
    assert!(till.state.operator.is_none() && matches!(till.state.patient, Patient::None));
}

#[test]
fn a_card_put_in_before_the_sign_in_starts_the_sale_after_it() {
    for taken_out in [false, true] {
        let mut till = Till::closed();
        till.card_in(1);
        if taken_out {
            till.card_out();
        }
        till.key(sign_in());
        till.send(Event::PinChecked(Ok(operator(Role::Cashier))));
        let effects = till.send(Event::SignedIn(Answer::Done("S1".to_owned())));
        let asks = effects
            .iter()
            .any(|effect| matches!(effect, Effect::AskPerson(_)));
        assert_eq!(asks, !taken_out);
    }
}

#[test]
fn a_failed_approval_is_not_shown_at_the_next_sign_in() {
    let mut till = Till::open();
    till.scan("539999198611209217");
    till.send(Event::ApprovalChecked(Err(wrong_pin())));
    till.card_in(1);
    till.key(Key::SignOut);
    assert_eq!(till.state.sign_in_notice, None);
}

#[test]
fn what_opening_the_books_found_is_told_and_can_be_dismissed() {
    let mut till = Till::closed();
    till.state.note_findings(&Findings {
        torn_tail: Some("journal/torn".into()),
        ..Findings::default()
    });
    assert_eq!(till.told(), "TORN_TAIL_CUT");
    till.key(sign_in());
    till.send(Event::PinChecked(Ok(operator(Role::Cashier))));
    till.send(Event::SignedIn(Answer::Done("S1".to_owned())));
    assert_eq!(
        (till.state.page, till.told()),
        (Page::Counter, "TORN_TAIL_CUT"),
        "read after signing in"
    );
    till.send(Event::Told(Notice::new(Level::Error, "STORE_STOPPED")));
    assert_eq!(till.told(), "STORE_STOPPED");
    till.key(Key::Dismiss);
    assert_eq!(till.told(), "");
}

#[test]
fn the_queue_and_the_licences_lead_back_to_the_bill() {
    let mut till = Till::selling(1, &[AMOXICILLIN]);
    for page in [Page::Queue, Page::About] {
        for back in [Key::Back, Key::Go(Page::Counter)] {
            till.key(Key::Go(page));
            assert_eq!(till.state.page, page);
            till.key(back);
            assert_eq!((till.state.page, till.state.bill.lines.len()), (Page::Counter, 1));
        }
    }
}

#[test]
fn the_phone_for_complaints_is_that_of_the_area() {
    let mut till = Till::closed();
    assert_eq!(till.state.complaints_phone(), "12393");
    till.state.setup.institution.area = "990100".to_owned();
    assert_eq!(
        till.state.complaints_phone(),
        "",
        "no pack, no rule that asks for one"
    );
}
