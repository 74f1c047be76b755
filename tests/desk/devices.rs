//! The devices page and what the customer is shown, as events and effects.

use yijie::config;
use yijie::desk::approval::Deed;
use yijie::desk::customer::{Serving, on_display, serving};
use yijie::desk::devices::{Device, InReader, Looked, Told, Trial, first, rows};
use yijie::desk::patient::Patient;
use yijie::desk::{Effect, Event, Health, Key, Page};
use yijie_hardware::{
    IdCard, IdReaderError, IdReaderEvent, Lamp, OnDisplay, ReaderEvent, ScannerError, ScannerEvent,
};

use crate::till::{AMOXICILLIN, Till};

fn fitted() -> config::Devices {
    config::Devices {
        printer: Some("/dev/usb/lp0".to_owned()),
        display: Some("/dev/ttyS1".to_owned()),
        id_reader: Some("/dev/ttyS2".to_owned()),
        ..config::Devices::default()
    }
}

/// A till with these devices, at their page.
fn at_the_page(mut till: Till, fitted: &config::Devices) -> Till {
    till.state.devices = first(fitted, "https://agency");
    let effects = till.key(Key::Go(Page::Devices));
    assert!(matches!(effects[0], Effect::LookAtDevices), "{effects:?}");
    till
}

fn row(till: &Till, device: &Device) -> usize {
    rows(&till.state).iter().position(|row| row == device).unwrap()
}

fn trial(till: &Till, device: &Device) -> Trial {
    till.state.devices.trials[device].1.clone()
}

fn id_card() -> Box<IdCard> {
    Box::new(IdCard {
        name: "赵丽".to_owned(),
        sex: "2".to_owned(),
        nation: "01".to_owned(),
        birth_date: "19650715".to_owned(),
        address: String::new(),
        id_no: "11010519491231002X".to_owned(),
        issuer: String::new(),
        valid_from: String::new(),
        valid_until: String::new(),
    })
}

#[test]
fn what_is_scanned_or_laid_on_at_the_devices_page_is_a_test_and_no_sale() {
    let mut till = at_the_page(Till::open(), &fitted());
    till.key(Key::TestDevice(row(&till, &Device::Scanner)));
    assert_eq!(trial(&till, &Device::Scanner), Trial::Waiting);
    let code = "5399000000000000000000000002";
    assert!(
        till.scan(code)
            .iter()
            .all(|effect| !matches!(effect, Effect::Decode(_)))
    );
    let last = till.state.devices.last_scan.clone().unwrap();
    assert_eq!((last.kind, last.characters), ("insurance-code", 28));
    assert!(
        !format!("{last:?}").contains("5399"),
        "the code itself is not kept"
    );
    assert_eq!(trial(&till, &Device::Scanner), Trial::Done(String::new()));

    till.key(Key::TestDevice(row(&till, &Device::IdReader)));
    assert_eq!(trial(&till, &Device::IdReader), Trial::Waiting);
    till.send(Event::IdReader(IdReaderEvent::Fault {
        error: IdReaderError::NoAnswer,
    }));
    assert_eq!(
        trial(&till, &Device::IdReader),
        Trial::Failed("ID_READER_NO_ANSWER".to_owned())
    );
    till.send(Event::IdReader(IdReaderEvent::Read(id_card())));
    assert_eq!(trial(&till, &Device::IdReader), Trial::Done(String::new()));
    assert_eq!(
        till.state.awaiting_approval, None,
        "nobody is asked to approve a test"
    );

    assert!(till.card_in(1).is_empty(), "a card on this page asks nobody");
    assert!(matches!(till.state.patient, Patient::None));
    assert!(matches!(
        till.state.devices.readers.values().next(),
        Some(InReader::Read { version, .. }) if version == "2.00"
    ));
    let effects = till.key(Key::Go(Page::Counter));
    assert!(
        matches!(effects[..], [Effect::AskPerson(_)]),
        "back at the counter the card is the next patient's: {effects:?}"
    );
}

#[test]
fn an_identity_card_laid_on_at_the_counter_is_a_number_that_a_supervisor_approves() {
    let mut till = Till::open();
    till.send(Event::IdReader(IdReaderEvent::Ready));
    till.send(Event::IdReader(IdReaderEvent::Read(id_card())));
    assert_eq!(
        till.state.awaiting_approval,
        Some(Deed::IdNumber("11010519491231002X".to_owned()))
    );
    let mut wrong = id_card();
    wrong.id_no = "110105194912310021".to_owned();
    let mut till = Till::open();
    till.send(Event::IdReader(IdReaderEvent::Read(wrong)));
    assert_eq!(till.told(), "ID_NUMBER_WRONG");
    till.send(Event::IdReader(IdReaderEvent::Lost {
        error: IdReaderError::Port(ScannerError::PortMissing),
    }));
    assert_eq!(till.told(), "ID_READER_MISSING");
    assert_eq!(till.state.devices.id_reader.health, Health::Fault);
    till.send(Event::IdReader(IdReaderEvent::Ready));
    assert_eq!(till.told(), "");
    assert_eq!(till.state.devices.id_reader.health, Health::Ok);
}

#[test]
fn each_test_is_asked_once_and_its_outcome_stands_in_its_row() {
    let mut till = at_the_page(Till::open(), &fitted());
    for device in [
        Device::Reader(String::new()),
        Device::Printer,
        Device::Drawer,
        Device::Agency,
        Device::Disk,
    ] {
        let at = row(&till, &device);
        let effects = till.key(Key::TestDevice(at));
        assert!(
            matches!(&effects[..], [Effect::TestDevice(tried)] if *tried == device),
            "{device:?}: {effects:?}"
        );
        assert!(till.key(Key::TestDevice(at)).is_empty(), "not while it runs");
        till.send(Event::Devices(Told::Tested(
            device.clone(),
            Err("PRINTER_OFFLINE".to_owned()),
        )));
        assert_eq!(trial(&till, &device), Trial::Failed("PRINTER_OFFLINE".to_owned()));
    }
    assert_eq!(till.state.printer.code, "PRINTER_OFFLINE");
    till.send(Event::Devices(Told::Looked(Looked {
        printer: Some(Ok(())),
        module: None,
        free_bytes: Ok(5 << 30),
    })));
    assert_eq!(till.state.printer.health, Health::Ok);
    assert_eq!(till.state.devices.free_bytes, Some(Ok(5 << 30)));
    // What is not fitted says so instead of being tried.
    let mut till = at_the_page(Till::open(), &config::Devices::default());
    for (device, code) in [
        (Device::IdReader, "ID_READER_NOT_SET"),
        (Device::Printer, "PRINTER_NOT_SET"),
        (Device::Drawer, "PRINTER_NOT_SET"),
        (Device::Display, "DISPLAY_NOT_SET"),
    ] {
        assert!(till.key(Key::TestDevice(row(&till, &device))).is_empty());
        assert_eq!(trial(&till, &device), Trial::Failed(code.to_owned()));
    }
    assert!(till.key(Key::TestDevice(99)).is_empty());
    till.key(Key::Go(Page::Counter));
    assert!(till.key(Key::TestDevice(0)).is_empty(), "only on its page");
}

#[test]
fn the_page_looks_again_while_it_is_open() {
    let mut till = at_the_page(Till::open(), &fitted());
    till.now += 1_000;
    let looks = |effects: &[Effect]| {
        effects
            .iter()
            .filter(|effect| matches!(effect, Effect::LookAtDevices))
            .count()
    };
    assert_eq!(looks(&till.send(Event::Tick)), 0);
    till.now += 3_000;
    assert_eq!(looks(&till.send(Event::Tick)), 1);
    till.key(Key::Go(Page::Counter));
    till.now += 60_000;
    assert_eq!(looks(&till.send(Event::Tick)), 0);
}

#[test]
fn with_two_readers_one_may_go() {
    let mut till = Till::open();
    let reader = |name: &str| name.to_owned();
    for name in ["A", "B"] {
        till.send(Event::Reader(ReaderEvent::ReaderIn { reader: reader(name) }));
    }
    assert_eq!(
        rows(&till.state)[..2],
        [Device::Reader(reader("A")), Device::Reader(reader("B"))]
    );
    till.send(Event::Reader(ReaderEvent::ReaderOut { reader: reader("A") }));
    assert_eq!((till.state.reader.health, till.told()), (Health::Ok, ""));
    till.send(Event::Reader(ReaderEvent::ReaderOut { reader: reader("B") }));
    assert_eq!(
        (till.state.reader.health, till.told()),
        (Health::Fault, "NO_READER")
    );
    till.send(Event::Reader(ReaderEvent::ServiceDown));
    assert_eq!(till.told(), "NO_PCSC_SERVICE");
    till.send(Event::Reader(ReaderEvent::ServiceUp));
    till.send(Event::Reader(ReaderEvent::ReaderIn { reader: reader("A") }));
    assert_eq!((till.state.reader.health, till.told()), (Health::Ok, ""));
}

#[test]
fn a_scanner_of_the_wrong_speed_or_unplugged_is_told_and_taken_back() {
    let mut till = Till::open();
    till.send(Event::Scanner(ScannerEvent::Opened));
    till.send(Event::Scanner(ScannerEvent::Garbage));
    assert_eq!(till.told(), "SCANNER_GARBAGE");
    till.send(Event::Scanner(ScannerEvent::Lost {
        error: ScannerError::Unplugged,
    }));
    assert_eq!(till.told(), "SCANNER_UNPLUGGED");
    till.send(Event::Scanner(ScannerEvent::Opened));
    assert_eq!((till.state.scanner.health, till.told()), (Health::Ok, ""));
}

/// What the display is to show of what this brought.
fn shown(effects: Vec<Effect>) -> Option<OnDisplay> {
    effects.into_iter().rev().find_map(|effect| match effect {
        Effect::Display(shown) => Some(shown),
        _ => None,
    })
}

fn amount(lamp: Lamp, sum: &str) -> Option<OnDisplay> {
    Some(OnDisplay::Amount(lamp, sum.to_owned()))
}

#[test]
fn the_customer_sees_total_insurance_what_is_to_be_paid_and_the_change() {
    let mut till = Till::open();
    till.state.devices = first(&fitted(), "");
    assert_eq!(serving(&till.state), Serving::Nobody);
    till.verify(1);
    let sold = till.scan(AMOXICILLIN);
    assert_eq!(shown(sold), amount(Lamp::Total, "12.50"));
    assert_eq!(shown(till.scan(AMOXICILLIN)), amount(Lamp::Total, "25.00"));
    till.ask_for_money();
    let due = till.state.pay.cash_due();
    let insurance = yijie_rules::Money::parse("25.00")
        .unwrap()
        .checked_sub(due)
        .unwrap();
    // One after the other: a display of one amount turns.
    let mut turns = Vec::new();
    for _ in 0..8 {
        till.now += 1_000;
        till.send(Event::Tick);
        turns.push(on_display(&till.state));
    }
    for (lamp, sum) in [
        (Lamp::Total, "25.00".to_owned()),
        (Lamp::Dark, insurance.to_string()),
        (Lamp::Received, due.to_string()),
    ] {
        assert!(
            turns.contains(&OnDisplay::Amount(lamp, sum.clone())),
            "{sum}: {turns:?}"
        );
    }
    let handed = due
        .checked_add(yijie_rules::Money::parse("7.30").unwrap())
        .unwrap();
    let typed = till.key(Key::Tendered(handed.to_string()));
    assert_eq!(shown(typed), amount(Lamp::Change, "7.30"));
    till.key(Key::Tendered(String::new()));
    till.key(Key::Back);
    assert_eq!(shown(till.key(Key::Clear)), Some(OnDisplay::Nothing));
    // A test stands for a moment, then the desk's own again.
    till.key(Key::Go(Page::Devices));
    let tested = till.key(Key::TestDevice(row(&till, &Device::Display)));
    assert_eq!(shown(tested), amount(Lamp::Total, "888888.88"));
    till.send(Event::Devices(Told::Displayed(Err("DISPLAY_MISSING".to_owned()))));
    assert_eq!(
        trial(&till, &Device::Display),
        Trial::Failed("DISPLAY_MISSING".to_owned())
    );
    till.now += 6_000;
    assert_eq!(shown(till.send(Event::Tick)), Some(OnDisplay::Nothing));
    till.send(Event::Devices(Told::Displayed(Ok(()))));
    assert_eq!(till.state.devices.display.health, Health::Ok);
}
