//! What happens at a counter's reader, through a real pcscd and the virtual reader of Debian's vsmartcard-vpcd.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test support: what goes wrong here fails the test"
)]

mod common;

use std::process::Command;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use common::{ForeignCard, ForeignInserted, Mishap};
use pcsc::{Context, Disposition, Protocols, Scope, ShareMode};
use yijie_hardware::{
    CardPresence, DaemonError, PcscDaemon, Pin, ReaderEvent, ReaderWatch, Shown, VPCD_ADDRESS,
    VPCD_SECOND_ADDRESS, VirtualCard, VirtualPsam, VpcdLock, WatchSettings, list_readers, read_in_reader,
    watch_readers,
};

const FIRST: &str = "Virtual PCD 00 00";
const SECOND: &str = "Virtual PCD 00 01";
/// No test waits that long unless it has failed.
const HANG: Duration = Duration::from_secs(30);
const DEADLINE: Duration = Duration::from_secs(10);

/// The virtual reader, for one test at a time on this machine.
struct Machine {
    daemon: Option<PcscDaemon>,
    _lock: VpcdLock,
}

impl Machine {
    fn without_service() -> Self {
        let lock = VpcdLock::acquire().unwrap();
        assert!(
            !PcscDaemon::running(),
            "another pcscd runs on this machine; stop it, these tests start their own"
        );
        Self {
            daemon: None,
            _lock: lock,
        }
    }

    fn new() -> Self {
        let mut machine = Self::without_service();
        machine.start_service();
        machine
    }

    fn start_service(&mut self) {
        self.daemon = Some(PcscDaemon::start().unwrap_or_else(|error| {
            panic!("{error}: {error:?}; these tests need the Debian packages pcscd and vsmartcard-vpcd")
        }));
    }

    fn kill_service(&mut self) {
        self.daemon = None;
    }
}

/// A watch, and what it has told.
struct Counter {
    events: Receiver<ReaderEvent>,
    watch: ReaderWatch,
}

impl Counter {
    fn watching(read_deadline: Duration) -> Self {
        let (sender, events) = mpsc::channel();
        let watch = watch_readers(
            WatchSettings {
                read_deadline,
                ..WatchSettings::default()
            },
            move |event| {
                let _ = sender.send(event);
            },
        )
        .unwrap();
        Self { events, watch }
    }

    /// A watch of a running service with two empty readers.
    fn ready() -> Self {
        let counter = Self::watching(DEADLINE);
        counter.expect(&["up", "reader 0", "reader 1"]);
        counter
    }

    fn next(&self) -> String {
        say(&self.events.recv_timeout(HANG).expect("an event"))
    }

    fn expect(&self, expected: &[&str]) {
        let told: Vec<String> = expected.iter().map(|_| self.next()).collect();
        assert_eq!(told, expected);
    }
}

/// An event in short; the reader is its last digit.
fn say(event: &ReaderEvent) -> String {
    let slot = |reader: &str| reader.chars().last().unwrap();
    match event {
        ReaderEvent::ServiceDown => "down".to_owned(),
        ReaderEvent::ServiceUp => "up".to_owned(),
        ReaderEvent::ReaderIn { reader } => format!("reader {}", slot(reader)),
        ReaderEvent::ReaderOut { reader } => format!("no reader {}", slot(reader)),
        ReaderEvent::CardIn { reader } => format!("in {}", slot(reader)),
        ReaderEvent::CardOut { reader } => format!("out {}", slot(reader)),
        ReaderEvent::CardRead { reader, card } => {
            format!("read {} {}", slot(reader), card.name.as_deref().unwrap_or("-"))
        }
        ReaderEvent::CardFault { reader, error } => format!("fault {} {}", slot(reader), error.code()),
    }
}

fn foreign() -> ForeignCard {
    ForeignCard::new(b"2.00")
}

fn insert(card: ForeignCard) -> ForeignInserted {
    card.insert(35963)
}

#[test]
fn cards_of_all_generations_come_are_read_and_go() {
    let _machine = Machine::new();
    let counter = Counter::ready();
    for (version, name) in [(b"1.00", "王小明"), (b"2.00", "王小明"), (b"3.00", "-")] {
        let card = insert(ForeignCard::new(version));
        counter.expect(&["in 0", &format!("read 0 {name}")]);
        drop(card);
        counter.expect(&["out 0"]);
    }
    let card = VirtualCard::from_json("{}")
        .unwrap()
        .insert(VPCD_ADDRESS)
        .unwrap();
    counter.expect(&["in 0", "read 0 张三"]);
    let second = foreign().insert(35964);
    counter.expect(&["in 1", "read 1 王小明"]);
    drop(card);
    counter.expect(&["out 0"]);
    drop(second);
    counter.expect(&["out 1"]);
}

#[test]
fn without_service_the_codes_say_so_and_the_watch_recovers() {
    let mut machine = Machine::without_service();
    assert_eq!(list_readers().unwrap_err().code(), "NO_PCSC_SERVICE");
    assert_eq!(
        read_in_reader(None, &Shown::default(), DEADLINE)
            .unwrap_err()
            .code(),
        "NO_PCSC_SERVICE"
    );
    let counter = Counter::watching(DEADLINE);
    counter.expect(&["down"]);
    machine.start_service();
    assert!(matches!(PcscDaemon::start(), Err(DaemonError::AlreadyRunning)));
    counter.expect(&["up", "reader 0", "reader 1"]);
    let card = insert(foreign());
    counter.expect(&["in 0", "read 0 王小明"]);
    machine.kill_service();
    counter.expect(&["out 0", "no reader 0", "no reader 1", "down"]);
    drop(card);
    machine.start_service();
    counter.expect(&["up", "reader 0", "reader 1"]);
    let _card = insert(foreign());
    counter.expect(&["in 0", "read 0 王小明"]);
}

#[test]
fn a_card_pulled_while_it_is_read_is_a_fault_and_the_next_one_is_read() {
    let _machine = Machine::new();
    let counter = Counter::ready();
    for at in [1, 2, 7, 12] {
        let mut card = foreign();
        card.mishap = Some((at, Mishap::Pull));
        let _card = insert(card);
        counter.expect(&["in 0", "fault 0 CARD_REMOVED", "out 0"]);
    }
    let _card = insert(foreign());
    counter.expect(&["in 0", "read 0 王小明"]);
}

#[test]
fn a_card_that_never_answers_is_given_up_and_the_reader_usable_after_it() {
    let _machine = Machine::new();
    let counter = Counter::watching(Duration::from_millis(500));
    counter.expect(&["up", "reader 0", "reader 1"]);
    let mut card = foreign();
    card.mishap = Some((4, Mishap::Silence));
    let inserted = insert(card.clone());
    counter.expect(&["in 0", "fault 0 CARD_NO_ANSWER"]);
    let second = foreign().insert(35964);
    counter.expect(&["in 1", "read 1 王小明"]);
    drop(second);
    counter.expect(&["out 1"]);
    drop(inserted);
    counter.expect(&["out 0"]);
    let inserted = insert(foreign());
    counter.expect(&["in 0", "read 0 王小明"]);
    drop(inserted);
    counter.expect(&["out 0"]);
    // The same without a watch, and a watch that ends while a card keeps silent.
    let _inserted = insert(card);
    counter.expect(&["in 0", "fault 0 CARD_NO_ANSWER"]);
    drop(counter.watch);
    assert_eq!(
        counter.events.recv_timeout(HANG).ok().map(|event| say(&event)),
        None,
        "nothing is told after the end"
    );
}

#[test]
fn a_silent_card_costs_a_single_read_its_deadline_and_no_more() {
    let _machine = Machine::new();
    let mut card = foreign();
    card.mishap = Some((3, Mishap::Silence));
    let inserted = insert(card);
    let error = read_in_reader(Some(FIRST), &Shown::default(), Duration::from_secs(2)).unwrap_err();
    assert_eq!(error.code(), "CARD_NO_ANSWER");
    drop(inserted);
    // The service needs a moment to see that the silent card has gone.
    let _inserted = insert(foreign());
    let mut result = read_in_reader(None, &Shown::default(), DEADLINE);
    for _ in 0..20 {
        if result.is_ok() {
            break;
        }
        result = read_in_reader(None, &Shown::default(), DEADLINE);
    }
    assert_eq!(result.unwrap().name.as_deref(), Some("王小明"));
}

#[test]
fn the_service_dying_under_a_conversation_is_told_in_order() {
    let mut machine = Machine::new();
    let counter = Counter::ready();
    let mut card = foreign();
    card.mishap = Some((5, Mishap::Silence));
    let log = card.log.clone();
    let inserted = insert(card);
    counter.expect(&["in 0"]);
    while log.lock().unwrap().len() < 5 {
        std::thread::yield_now();
    }
    machine.kill_service();
    counter.expect(&[
        "fault 0 NO_PCSC_SERVICE",
        "out 0",
        "no reader 0",
        "no reader 1",
        "down",
    ]);
    drop(inserted);
    machine.start_service();
    counter.expect(&["up", "reader 0", "reader 1"]);
    let _card = insert(foreign());
    counter.expect(&["in 0", "read 0 王小明"]);
}

#[test]
fn a_card_held_by_another_program_is_read_when_it_is_free() {
    let _machine = Machine::new();
    let _inserted = insert(foreign());
    let context = Context::establish(Scope::User).unwrap();
    let reader = wait_for_card();
    let held = context
        .connect(&reader, ShareMode::Exclusive, Protocols::ANY)
        .unwrap();
    assert_eq!(list_readers().unwrap()[0].card, CardPresence::HeldByOther);
    assert_eq!(
        read_in_reader(None, &Shown::default(), Duration::from_millis(300))
            .unwrap_err()
            .code(),
        "READER_BUSY"
    );
    let counter = Counter::watching(Duration::from_millis(300));
    counter.expect(&["up", "reader 0", "in 0", "reader 1", "fault 0 READER_BUSY"]);
    held.disconnect(Disposition::LeaveCard)
        .map_err(|(_, error)| error)
        .unwrap();
    counter.expect(&["read 0 王小明"]);
}

#[test]
fn a_card_reset_by_another_program_is_read_anew() {
    let _machine = Machine::new();
    let card = foreign();
    let log = card.log.clone();
    let _inserted = insert(card);
    let reader = wait_for_card();
    let context = Context::establish(Scope::User).unwrap();
    let mut other = context
        .connect(&reader, ShareMode::Shared, Protocols::ANY)
        .unwrap();
    let transaction = other.transaction().unwrap();
    let counter = Counter::watching(DEADLINE);
    counter.expect(&["up", "reader 0", "in 0", "reader 1"]);
    // The watch waits for its turn by now, or will; either way the reset comes before its first command.
    assert_eq!(log.lock().unwrap().len(), 0);
    transaction
        .end(Disposition::ResetCard)
        .map_err(|(_, error)| error)
        .unwrap();
    counter.expect(&["read 0 王小明"]);
}

#[test]
fn other_cards_and_empty_readers_have_their_codes() {
    let _machine = Machine::new();
    let counter = Counter::ready();
    assert_eq!(
        read_in_reader(None, &Shown::default(), DEADLINE)
            .unwrap_err()
            .code(),
        "NO_CARD"
    );
    assert_eq!(
        read_in_reader(Some("No such reader"), &Shown::default(), DEADLINE)
            .unwrap_err()
            .code(),
        "NO_READER"
    );
    let mut bank = foreign();
    bank.applications = vec![common::hex("A000000333010101")];
    let _bank = insert(bank);
    counter.expect(&["in 0", "fault 0 CARD_NOT_SOCIAL"]);
    assert_eq!(
        read_in_reader(None, &Shown::default(), DEADLINE)
            .unwrap_err()
            .code(),
        "CARD_NOT_SOCIAL"
    );
    // Two readers: the first holds a bank card, the second the one that is wanted.
    let _card = foreign().insert(35964);
    counter.expect(&["in 1", "read 1 王小明"]);
    assert_eq!(
        read_in_reader(None, &Shown::default(), DEADLINE)
            .unwrap()
            .name
            .as_deref(),
        Some("王小明")
    );
    assert_eq!(
        read_in_reader(Some(SECOND), &Shown::default(), DEADLINE)
            .unwrap()
            .name
            .as_deref(),
        Some("王小明")
    );
    assert_eq!(
        read_in_reader(Some(FIRST), &Shown::default(), DEADLINE)
            .unwrap_err()
            .code(),
        "CARD_NOT_SOCIAL"
    );
    let readers = list_readers().unwrap();
    assert_eq!(
        readers
            .iter()
            .map(|reader| reader.name.as_str())
            .collect::<Vec<_>>(),
        [FIRST, SECOND]
    );
    assert!(readers.iter().all(|reader| reader.card == CardPresence::Present));
    assert_eq!(readers[1].atr, "3B6D000000814E43238697159900BF7C7A");
}

#[test]
fn a_card_of_generation_three_shows_its_holder_to_a_security_module_in_the_second_slot() {
    let _machine = Machine::new();
    let person = r#"{"version": "3.00", "name": "欧阳𠮷", "card_no": "X12345678"}"#;
    let card = || VirtualCard::from_json(person).unwrap();
    let with_module = Shown {
        pin: None,
        psam: Some(SECOND.to_owned()),
    };
    {
        let _card = card().insert(VPCD_ADDRESS).unwrap();
        let hidden = read_in_reader(Some(FIRST), &Shown::default(), DEADLINE).unwrap();
        assert_eq!(
            (&hidden.name, &hidden.card_no, &hidden.id_no),
            (&None, &None, &None)
        );
        let missing = read_in_reader(Some(FIRST), &with_module, DEADLINE).unwrap_err();
        assert_eq!(missing.code(), "PSAM_MISSING");
    }
    let _module = VirtualPsam::new().insert(VPCD_SECOND_ADDRESS).unwrap();
    let (sender, events) = mpsc::channel();
    let settings = WatchSettings {
        psam: Some(SECOND.to_owned()),
        ..WatchSettings::default()
    };
    let watch = watch_readers(settings, move |event| drop(sender.send(event))).unwrap();
    let counter = Counter { events, watch };
    counter.expect(&["up", "reader 0"]);
    let inserted = card().insert(VPCD_ADDRESS).unwrap();
    counter.expect(&["in 0", "read 0 欧阳𠮷"]);
    let read = read_in_reader(None, &with_module, DEADLINE).unwrap();
    assert_eq!(read.card_no.as_deref(), Some("X12345678"));
    drop(inserted);
    counter.expect(&["out 0"]);
}

#[test]
fn the_pin_goes_through_the_reader() {
    let _machine = Machine::new();
    let _card = insert(foreign());
    let read = |pin: &str| {
        let shown = Shown {
            pin: Pin::new(pin),
            psam: None,
        };
        read_in_reader(None, &shown, DEADLINE).map(|card| card.name.clone())
    };
    assert_eq!(read("123456").unwrap().as_deref(), Some("王小明"));
    for code in ["PIN_WRONG", "PIN_WRONG", "PIN_LOCKED", "PIN_LOCKED"] {
        assert_eq!(read("000000").unwrap_err().code(), code);
    }
}

#[test]
fn a_foreign_reader_gets_the_same_bytes_from_the_virtual_card() {
    let _machine = Machine::new();
    let _card = VirtualCard::from_json("{}")
        .unwrap()
        .insert(VPCD_ADDRESS)
        .unwrap();
    wait_for_card();
    let output = Command::new("opensc-tool")
        .args([
            "--reader",
            "0",
            "--card-driver",
            "default",
            "--send-apdu",
            "00A404000F7378312E73682EC9E7BBE1B1A3D5CF00",
        ])
        .args([
            "--send-apdu",
            "00B2072C0B",
            "--send-apdu",
            "00A4020002EF06",
            "--send-apdu",
            "00B2080014",
        ])
        .output()
        .expect("opensc-tool (Debian package opensc)");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{text} {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let hexadecimal: String = text.split_whitespace().filter(|word| word.len() == 2).collect();
    for expected in [
        "6F19840F7378312E73682EC9E7BBE1B1A3D5CFA5069F0C03860103",
        "0709413132333435363738",
        "0812353330313032313935383033303230303139",
    ] {
        assert!(hexadecimal.contains(expected), "{expected} in {text}");
    }
}

/// Waits until the service shows the card of the first reader, and gives the reader's name.
fn wait_for_card() -> std::ffi::CString {
    let start = std::time::Instant::now();
    while list_readers().unwrap()[0].card == CardPresence::Empty {
        assert!(start.elapsed() < HANG, "the virtual reader shows no card");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::ffi::CString::new(FIRST).unwrap()
}
