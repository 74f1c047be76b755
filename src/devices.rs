//! Reader, scanner and printer of this till: their threads' news as events, and receipts to paper.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::sync::mpsc::Sender;

use yijie_hardware::{
    Paper, ReaderWatch, ScannerSettings, ScannerWatch, Slip, WatchSettings, watch_readers, watch_scanner,
};

use crate::config;
use crate::desk::{Event, Level, Notice};

/// The running watches; dropping them ends their threads.
pub struct Devices {
    _reader: Option<ReaderWatch>,
    _scanner: Option<ScannerWatch>,
}

/// Starts watching what the settings name, and the card readers if they are wanted. A device that cannot be watched
/// is told and does without: the till sells all the same.
#[must_use]
pub fn watch(settings: &config::Devices, readers: bool, events: &Sender<Event>) -> Devices {
    let tell = |code: &str| drop(events.send(Event::Told(Notice::new(Level::Warning, code))));
    let to = events.clone();
    // A closed channel means the program is ending; there is nobody left to tell.
    let on_reader = move |event| drop(to.send(Event::Reader(event)));
    let reader = readers.then(|| watch_readers(WatchSettings::default(), on_reader));
    let to = events.clone();
    let on_scanner = move |event| drop(to.send(Event::Scanner(event)));
    let scanner = settings.scanner.as_ref().map(|port| {
        watch_scanner(
            ScannerSettings {
                baud: settings.scanner_baud,
                ..ScannerSettings::at(port)
            },
            on_scanner,
        )
    });
    Devices {
        _reader: reader.and_then(|watch| watch.map_err(|e| tell(e.code())).ok()),
        _scanner: scanner.and_then(|watch| watch.map_err(|e| tell(e.code())).ok()),
    }
}

/// Why a receipt is not on paper.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    /// The settings name no printer.
    #[error("no printer is set")]
    NotSet,
    /// The device or file does not take the bytes.
    #[error("the printer does not take the receipt")]
    Failed(#[from] std::io::Error),
}

impl PrintError {
    /// Stable code of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            PrintError::NotSet => "PRINTER_NOT_SET",
            PrintError::Failed(_) => "PRINTER_FAILED",
        }
    }
}

/// Sends a slip to a printer's device file, or appends it to a file.
///
/// # Errors
/// [`PrintError`].
pub fn print(slip: &Slip, printer: Option<&Path>) -> Result<(), PrintError> {
    let path = printer.ok_or(PrintError::NotSet)?;
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(&slip.to_escpos(Paper::Mm80))?;
    file.flush()?;
    Ok(())
}
