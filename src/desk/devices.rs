//! The devices of the till as the devices page shows them: what each last told, and what came of its test. Nothing
//! tried here starts a sale, and nothing of a person is kept.

use std::collections::BTreeMap;

use yijie_hardware::{IdReaderEvent, OnDisplay, ReaderEvent, Scan};

use super::{Condition, Effect, Event, Health, Page, State, customer, patient};
use crate::config;

/// How often devices that tell nothing by themselves are looked at while the page is open.
const LOOK_PAUSE_MS: i64 = 3_000;
/// How long a test stands on the customer display.
const SHOWN_MS: i64 = 5_000;

/// A device that can be tried.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Device {
    /// The card reader of this name.
    Reader(String),
    /// The security module (PSAM).
    Module,
    /// The scanner.
    Scanner,
    /// The identity-card reader.
    IdReader,
    /// The printer.
    Printer,
    /// The cash drawer at the printer.
    Drawer,
    /// The customer's display or window.
    Display,
    /// The line to the agency.
    Agency,
    /// The disk with the journal.
    Disk,
}

/// What came of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trial {
    /// It is under way.
    Running,
    /// The cashier is to scan a code, or to lay a card on.
    Waiting,
    /// It worked; figures of it, in no language.
    Done(String),
    /// It did not; the stable code of why.
    Failed(String),
}

/// What is in a card reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InReader {
    /// Nothing.
    Nothing,
    /// A card that is being read, since when.
    Card(i64),
    /// A card that was read: its version, and how long that took.
    Read {
        /// 规范版本.
        version: String,
        /// From the card's coming to its data.
        took_ms: i64,
    },
    /// A card that was not read; the stable code of why.
    Fault(String),
}

/// What the desk knows of the devices beyond the status bar.
#[derive(Debug, Clone, Default)]
pub struct Devices {
    /// What the settings name.
    pub fitted: config::Devices,
    /// Where the agency answers.
    pub agency: String,
    /// Card readers, and what is in them.
    pub readers: BTreeMap<String, InReader>,
    /// The security module.
    pub module: Condition,
    /// The identity-card reader.
    pub id_reader: Condition,
    /// The customer display.
    pub display: Condition,
    /// What it shows.
    pub displayed: OnDisplay,
    /// A test stands on the customer's display and window until then.
    pub display_test_until_ms: i64,
    /// Free bytes of the journal's disk; absent until looked at.
    pub free_bytes: Option<Result<u64, String>>,
    /// What was scanned last: kind, characters and symbology, never the code.
    pub last_scan: Option<LastScan>,
    /// Tests, and when each began or ended.
    pub trials: BTreeMap<Device, (i64, Trial)>,
    /// Row moved to.
    pub selected: usize,
    looked_ms: i64,
}

/// The last scan without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastScan {
    /// When.
    pub time_ms: i64,
    /// What it was.
    pub kind: &'static str,
    /// How long it was.
    pub characters: usize,
    /// AIM identifier, where the scanner sends it.
    pub symbology: Option<String>,
}

/// What looking at the devices found. `None`: not fitted, or at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// The printer.
    pub printer: Option<Result<(), String>>,
    /// The security module.
    pub module: Option<Result<(), String>>,
    /// Free bytes of the disk.
    pub free_bytes: Result<u64, String>,
}

/// The rows of the page.
#[must_use]
pub fn rows(state: &State) -> Vec<Device> {
    let known = &state.devices;
    let mut rows: Vec<Device> = known.readers.keys().cloned().map(Device::Reader).collect();
    if rows.is_empty() {
        rows.push(Device::Reader(known.fitted.reader.clone().unwrap_or_default()));
    }
    if known.fitted.psam.is_some() {
        rows.push(Device::Module);
    }
    rows.extend([
        Device::Scanner,
        Device::IdReader,
        Device::Printer,
        Device::Drawer,
        Device::Display,
        Device::Agency,
        Device::Disk,
    ]);
    rows
}

/// To the page: what does not tell by itself is looked at.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    state.page = Page::Devices;
    look(state)
}

fn look(state: &mut State) -> Vec<Effect> {
    state.devices.looked_ms = state.now_ms;
    vec![Effect::LookAtDevices]
}

/// Time passes.
pub(super) fn tick(state: &mut State) -> Vec<Effect> {
    if state.page == Page::Devices && state.now_ms - state.devices.looked_ms >= LOOK_PAUSE_MS {
        return look(state);
    }
    Vec::new()
}

/// The test button of a row.
pub(super) fn test(state: &mut State, row: usize) -> Vec<Effect> {
    let Some(device) = rows(state).into_iter().nth(row) else {
        return Vec::new();
    };
    if matches!(state.devices.trials.get(&device), Some((_, Trial::Running))) {
        return Vec::new();
    }
    let fitted = &state.devices.fitted;
    let (trial, effect) = match &device {
        Device::Scanner => (Trial::Waiting, None),
        Device::IdReader if fitted.id_reader.is_none() => (failed("ID_READER_NOT_SET"), None),
        Device::IdReader => (Trial::Waiting, None),
        Device::Printer | Device::Drawer if fitted.printer.is_none() => (failed("PRINTER_NOT_SET"), None),
        Device::Display if fitted.display.is_none() && !fitted.customer_window => {
            (failed("DISPLAY_NOT_SET"), None)
        }
        Device::Display => {
            state.devices.display_test_until_ms = state.now_ms + SHOWN_MS;
            match fitted.display {
                // What is sent follows from the state; its outcome ends the test.
                Some(_) => (Trial::Running, None),
                None => (Trial::Done(String::new()), None),
            }
        }
        _ => (Trial::Running, Some(Effect::TestDevice(device.clone()))),
    };
    note(state, device, trial);
    effect.into_iter().collect()
}

fn failed(code: &str) -> Trial {
    Trial::Failed(code.to_owned())
}

fn note(state: &mut State, device: Device, trial: Trial) {
    state.devices.trials.insert(device, (state.now_ms, trial));
}

/// A test ended.
pub(super) fn tested(state: &mut State, device: Device, result: Result<String, String>) -> Vec<Effect> {
    let health = |result: &Result<String, String>, condition: &mut Condition| match result {
        Ok(_) => condition.set(Health::Ok, ""),
        Err(code) => condition.set(Health::Fault, code),
    };
    match &device {
        Device::Printer | Device::Drawer => health(&result, &mut state.printer),
        Device::Module => health(&result, &mut state.devices.module),
        _ => {}
    }
    let trial = match result {
        Ok(detail) => Trial::Done(detail),
        Err(code) => Trial::Failed(code),
    };
    note(state, device, trial);
    Vec::new()
}

/// The devices were looked at.
pub(super) fn looked(state: &mut State, found: Looked) -> Vec<Effect> {
    let take = |seen: Option<Result<(), String>>, condition: &mut Condition| match seen {
        Some(Ok(())) => condition.set(Health::Ok, ""),
        Some(Err(code)) => condition.set(Health::Fault, &code),
        None => {}
    };
    take(found.printer, &mut state.printer);
    take(found.module, &mut state.devices.module);
    state.devices.free_bytes = Some(found.free_bytes);
    Vec::new()
}

/// What the customer display was to show reached it, or why not.
pub(super) fn displayed(state: &mut State, result: Result<(), String>) -> Vec<Effect> {
    let trial = match &result {
        Ok(()) => {
            state.devices.display.set(Health::Ok, "");
            Trial::Done(String::new())
        }
        Err(code) => {
            state.devices.display.set(Health::Fault, code);
            Trial::Failed(code.clone())
        }
    };
    if matches!(
        state.devices.trials.get(&Device::Display),
        Some((_, Trial::Running))
    ) {
        note(state, Device::Display, trial);
    }
    Vec::new()
}

/// What the customer display has to show by now, if that is not what it shows.
pub(super) fn display(state: &mut State) -> Option<Effect> {
    state.devices.fitted.display.as_ref()?;
    let shown = customer::on_display(state);
    if shown == state.devices.displayed {
        return None;
    }
    state.devices.displayed = shown.clone();
    Some(Effect::Display(shown))
}

/// The readers as they stand after this event.
pub(super) fn reader(state: &mut State, event: &ReaderEvent) {
    let now_ms = state.now_ms;
    let readers = &mut state.devices.readers;
    let mut put = |reader: &String, what| drop(readers.insert(reader.clone(), what));
    match event {
        ReaderEvent::ServiceDown => readers.clear(),
        ReaderEvent::ServiceUp => {}
        ReaderEvent::ReaderOut { reader } => drop(readers.remove(reader)),
        ReaderEvent::ReaderIn { reader } | ReaderEvent::CardOut { reader } => put(reader, InReader::Nothing),
        ReaderEvent::CardIn { reader } => put(reader, InReader::Card(now_ms)),
        ReaderEvent::CardFault { reader, error } => put(reader, InReader::Fault(error.code().to_owned())),
        ReaderEvent::CardRead { reader, card } => {
            let since_ms = match readers.get(reader) {
                Some(InReader::Card(since_ms)) => *since_ms,
                _ => now_ms,
            };
            readers.insert(
                reader.clone(),
                InReader::Read {
                    version: card.version.clone(),
                    took_ms: now_ms - since_ms,
                },
            );
        }
    }
}

/// Back to the counter: the card put in meanwhile is the next patient's.
pub(super) fn leave(state: &mut State) -> Vec<Effect> {
    match state.card_waiting.take() {
        Some(card) => patient::card_read(state, &card),
        None => Vec::new(),
    }
}

/// A code was scanned: whether it was for the test of the scanner and nothing else.
pub(super) fn scanned(state: &mut State, scan: &Scan) -> bool {
    let last = LastScan {
        time_ms: state.now_ms,
        kind: scan.kind.word(),
        characters: scan.text.chars().count(),
        symbology: scan.symbology.clone(),
    };
    state.devices.last_scan = Some(last);
    let here = state.page == Page::Devices;
    if here {
        note(state, Device::Scanner, Trial::Done(String::new()));
    }
    here
}

/// The identity-card reader told something: whether that was for its test and nothing else.
pub(super) fn id_reader(state: &mut State, event: &IdReaderEvent) -> bool {
    let condition = &mut state.devices.id_reader;
    let trial = match event {
        IdReaderEvent::Ready => {
            condition.set(Health::Ok, "");
            return false;
        }
        IdReaderEvent::Lost { error } => {
            condition.set(Health::Fault, error.code());
            return false;
        }
        IdReaderEvent::Fault { error } => {
            condition.set(Health::Warning, error.code());
            failed(error.code())
        }
        IdReaderEvent::Read(_) => {
            condition.set(Health::Ok, "");
            Trial::Done(String::new())
        }
    };
    let here = state.page == Page::Devices;
    if here {
        note(state, Device::IdReader, trial);
    }
    here
}

/// What opening the till says of the devices it has: those that are fitted and have told nothing yet are asked.
#[must_use]
pub fn first(fitted: &config::Devices, agency: &str) -> Devices {
    let busy = |fitted: bool| Condition {
        health: if fitted { Health::Busy } else { Health::Off },
        code: String::new(),
    };
    Devices {
        module: busy(fitted.psam.is_some()),
        id_reader: busy(fitted.id_reader.is_some()),
        display: busy(fitted.display.is_some()),
        fitted: fitted.clone(),
        agency: agency.to_owned(),
        ..Devices::default()
    }
}

/// Events of this room.
#[derive(Debug)]
pub enum Told {
    /// The devices were looked at.
    Looked(Looked),
    /// A test ended: figures of it in no language, or the stable code of why not.
    Tested(Device, Result<String, String>),
    /// What the customer display was to show reached it, or the stable code of why not.
    Displayed(Result<(), String>),
}

/// Takes one of them in.
pub(super) fn told(state: &mut State, told: Told) -> Vec<Effect> {
    match told {
        Told::Looked(found) => looked(state, found),
        Told::Tested(device, result) => tested(state, device, result),
        Told::Displayed(result) => displayed(state, result),
    }
}

impl From<Told> for Event {
    fn from(told: Told) -> Event {
        Event::Devices(told)
    }
}
