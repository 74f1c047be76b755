//! Beside the patient: who collects for them, what the devices say, in which language a refusal is told.

use yijie::desk::{Event, Health, Key};
use yijie::record::Agent;
use yijie_hardware::{ReaderEvent, ScannerError, ScannerEvent};
use yijie_rules::Lang;

use crate::till::{AMOXICILLIN, Till, reader};

#[test]
fn whoever_collects_for_the_patient_gives_a_name_and_a_number_that_can_be() {
    let agent = |name: &str, id_no: &str| {
        Key::Agent(Agent {
            name: name.to_owned(),
            id_no: id_no.to_owned(),
            relation: "child".to_owned(),
            authorisation: None,
        })
    };
    let mut till = Till::selling(1, &[AMOXICILLIN]);
    for (name, id_no, code) in [
        ("李𬀩", "539999198611209218", "AGENT_ID_WRONG"),
        ("李𬀩", "", "AGENT_ID_WRONG"),
        ("  ", "539999198611209217", "AGENT_NAME_MISSING"),
        ("段秀兰", "539999195803029129", "AGENT_IS_PATIENT"),
    ] {
        till.key(agent(name, id_no));
        assert_eq!(till.told(), code, "{name} {id_no}");
        assert_eq!(till.state.bill.agent, None);
    }
    till.key(agent("李𬀩", "539999198611209217"));
    assert_eq!(till.told(), "");
    till.ask_for_money();
    assert_eq!(
        till.confirm().0.agent.unwrap().name,
        "李𬀩",
        "it stands with the sale"
    );

    let mut till = Till::selling(1, &[AMOXICILLIN]);
    till.key(agent("李𬀩", "539999198611209217"));
    till.key(Key::NoAgent);
    till.ask_for_money();
    assert_eq!(till.confirm().0.agent, None);
}

#[test]
fn every_word_of_the_reader_and_the_scanner_is_shown() {
    let mut till = Till::open();
    for (event, health, code) in [
        (ReaderEvent::ServiceDown, Health::Fault, "NO_PCSC_SERVICE"),
        (ReaderEvent::ServiceUp, Health::Fault, "NO_READER"),
        (ReaderEvent::ReaderIn { reader: reader() }, Health::Ok, ""),
        (ReaderEvent::CardIn { reader: reader() }, Health::Busy, ""),
        (ReaderEvent::CardOut { reader: reader() }, Health::Ok, ""),
        (
            ReaderEvent::ReaderOut { reader: reader() },
            Health::Fault,
            "NO_READER",
        ),
    ] {
        let name = format!("{event:?}");
        till.send(Event::Reader(event));
        assert_eq!(
            (till.state.reader.health, till.state.reader.code.as_str()),
            (health, code),
            "{name}"
        );
        if !name.starts_with("Card") {
            assert_eq!(
                till.told(),
                code,
                "{name}: what to do is told, until it is mended"
            );
        }
    }
    till.key(Key::Dismiss);
    for (event, health, code) in [
        (ScannerEvent::Opened, Health::Ok, ""),
        (
            ScannerEvent::Lost {
                error: ScannerError::PortMissing,
            },
            Health::Fault,
            "SCANNER_PORT_MISSING",
        ),
        (ScannerEvent::Opened, Health::Ok, ""),
        (ScannerEvent::Garbage, Health::Warning, "SCANNER_GARBAGE"),
    ] {
        till.send(Event::Scanner(event));
        assert_eq!(
            (till.state.scanner.health, till.state.scanner.code.as_str()),
            (health, code)
        );
        assert_eq!(till.told(), code);
    }
    assert_eq!(till.told(), "SCANNER_GARBAGE");
    till.scan(AMOXICILLIN);
    assert_eq!(till.state.scanner.health, Health::Ok, "a good scan clears it");
}

#[test]
fn a_refusal_is_told_in_the_language_of_the_screen() {
    let mut till = Till::open();
    till.key(Key::Language(Lang::En));
    till.verify(8);
    assert_eq!(till.told(), "WAITING_PERIOD");
    let screen = yijie::view::Screen::of(&till.state);
    till.key(Key::Language(Lang::Zh));
    assert!(screen != yijie::view::Screen::of(&till.state));
    let detail = &till.state.notice.as_ref().unwrap().detail;
    assert_eq!(
        detail, "昆明市社会医疗保险条例 第十三条",
        "the article, which has one name in any language"
    );
}
