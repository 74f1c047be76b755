//! Card reader, scanner and identity-card reader of this till: their threads' news as events.

use std::sync::mpsc::Sender;

use yijie_hardware::{
    IdReaderWatch, ReaderWatch, ScannerSettings, ScannerWatch, WatchSettings, watch_id_reader, watch_readers,
    watch_scanner,
};

use crate::config;
use crate::desk::{Event, Level, Notice};

/// The running watches; dropping them ends their threads.
pub struct Devices {
    _reader: Option<ReaderWatch>,
    _scanner: Option<ScannerWatch>,
    _id_reader: Option<IdReaderWatch>,
}

/// Starts watching what the settings name, and the card readers if they are wanted. A device that cannot be watched
/// is told and does without: the till sells all the same.
#[must_use]
pub fn watch(settings: &config::Devices, readers: bool, events: &Sender<Event>) -> Devices {
    let tell = |code: &str| drop(events.send(Event::Told(Notice::new(Level::Warning, code))));
    let to = events.clone();
    // A closed channel means the program is ending; there is nobody left to tell.
    let on_reader = move |event| drop(to.send(Event::Reader(event)));
    let wanted = WatchSettings {
        reader: settings.reader.clone(),
        psam: settings.psam.clone(),
        ..WatchSettings::default()
    };
    let reader = readers.then(|| watch_readers(wanted, on_reader));
    let to = events.clone();
    let on_scanner = move |event| drop(to.send(Event::Scanner(event)));
    let scanner = settings.scanner.as_ref().map(|port| {
        watch_scanner(
            ScannerSettings {
                baud: settings.scanner_baud,
                trace_codes: settings.trace_codes.clone(),
                ..ScannerSettings::at(port)
            },
            on_scanner,
        )
    });
    let to = events.clone();
    let on_id_reader = move |event| drop(to.send(Event::IdReader(event)));
    let id_reader = settings.id_reader.as_ref();
    let id_reader = id_reader.map(|port| watch_id_reader(port, on_id_reader));
    Devices {
        _id_reader: id_reader.and_then(|watch| watch.map_err(|e| tell(e.code())).ok()),
        _reader: reader.and_then(|watch| watch.map_err(|e| tell(e.code())).ok()),
        _scanner: scanner.and_then(|watch| watch.map_err(|e| tell(e.code())).ok()),
    }
}
