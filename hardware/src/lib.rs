//! Devices of the counter: card reader, social-security card, scanner, receipt bytes, and their virtual twins.
//!
//! A card is read through [`CardChannel`], whatever carries the bytes: a reader of the machine ([`pcsc`]), a card
//! in this process ([`VirtualCard::in_process`]) or a transcript ([`transcript`]). Readers and scanners are watched
//! by threads of their own, which report [`ReaderEvent`] and [`ScannerEvent`]; nothing here decides about a sale.

pub mod apdu;
pub mod card_error;
pub mod card_record;
pub mod channel;
pub mod display;
pub mod gs1;
pub mod id_card_reader;
pub mod id_number;
pub mod pcsc;
#[cfg(unix)]
pub mod pcsc_daemon;
pub mod person;
pub mod pin;
pub mod printer;
pub mod psam;
pub mod reader_watch;
pub mod receipt;
pub mod scanner;
pub mod serial;
pub mod sheet;
pub mod social_card;
pub mod trace_code;
pub mod transcript;
pub mod typeface;
pub mod virtual_card;
pub mod virtual_psam;
#[cfg(unix)]
pub mod virtual_scanner;
pub mod vpcd;

mod card_files;
mod escpos;
mod fold;
mod pdf;
mod reader_decisions;
mod record_reader;

pub use self::pcsc::{CardPresence, ReaderState, Shown, check_module, list_readers, read_in_reader};
pub use card_error::{CardError, CardItem, CardStep, OtherCard};
pub use channel::{CardChannel, ReaderFault};
pub use display::{DISPLAY_BAUD, Lamp, OnDisplay};
pub use id_card_reader::{
    IdCard, IdReaderError, IdReaderEvent, IdReaderWatch, check_id_reader, read_id_card, watch_id_reader,
};
pub use id_number::{IdNumber, Sex};
#[cfg(unix)]
pub use pcsc_daemon::{DaemonError, PcscDaemon, VpcdLock};
pub use person::{Person, VirtualCardError};
pub use pin::{Pin, PinOutcome, verify_pin};
pub use printer::{PrinterError, PrinterPort};
pub use psam::{AuthRequest, Psam, SecurityModule};
pub use reader_watch::{ReaderEvent, ReaderWatch, WatchSettings, watch_readers};
pub use receipt::{Align, Paper, Slip, SlipRow, TextStyle};
pub use scanner::{CodeKind, Framed, Framer, Scan, classify, classify_by};
pub use serial::{ScannerError, ScannerEvent, ScannerSettings, ScannerWatch, check_scanner, watch_scanner};
pub use sheet::{Cell, Sheet, SheetForm, SheetRow};
pub use social_card::{Generation, SocialCard, read_social_card, read_with_module};
pub use trace_code::{TraceCodeError, TraceCodeRule, TraceCodes};
pub use typeface::Typeface;
pub use virtual_card::VirtualCard;
pub use virtual_psam::VirtualPsam;
#[cfg(unix)]
pub use virtual_scanner::VirtualScanner;
pub use vpcd::{InsertedCard, VPCD_ADDRESS, VPCD_SECOND_ADDRESS};
