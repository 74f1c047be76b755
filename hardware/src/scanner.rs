//! What a scanner sends: bytes into codes, and codes into kinds.
//!
//! The medical-insurance code has no published form, so it is known by exclusion: long, plain ASCII, and none of
//! the other kinds. The agency decides what it is worth.

use std::time::{Duration, Instant};

use encoding_rs::GB18030;
use jiff::civil::Date;
use serde::Serialize;

use crate::gs1::{self, SEPARATOR};
use crate::id_number::IdNumber;
use crate::trace_code::TraceCodes;

/// A longer code than any scanner sends.
const CODE_LENGTH_MAX: usize = 4096;
/// The shortest text taken for a medical-insurance code.
const INSURANCE_CODE_LENGTH_MIN: usize = 20;
/// How old the beginning of a code may grow where codes are known to end with a terminator.
const UNFINISHED_AGE_MAX: Duration = Duration::from_secs(2);

/// What a code seems to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CodeKind {
    /// Perhaps a medical-insurance code (医保码): opaque, and never logged.
    InsuranceCode,
    /// A drug's trace code (药品追溯码), by the till's rules; 20 digits if nothing else is set.
    TraceCode,
    /// A GTIN (EAN-8, UPC-A, EAN-13, ITF-14) with a right check digit.
    Gtin,
    /// A GS1 element string.
    Gs1 {
        /// 01: GTIN of 14 digits.
        gtin: Option<String>,
        /// 10: lot.
        lot: Option<String>,
        /// 17: expiry.
        expires_on: Option<Date>,
        /// 21: serial number.
        serial: Option<String>,
    },
    /// A citizen number with a right check digit.
    IdNumber,
    /// None of these.
    Unknown,
}

impl CodeKind {
    /// The stable word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::InsuranceCode => "insurance-code",
            Self::TraceCode => "trace-code",
            Self::Gtin => "gtin",
            Self::Gs1 { .. } => "gs1",
            Self::IdNumber => "id-number",
            Self::Unknown => "unknown",
        }
    }
}

/// One code, as scanned. `Debug` shows the text of goods only.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Scan {
    /// What it seems to be.
    #[serde(flatten)]
    pub kind: CodeKind,
    /// The text, without AIM identifier and terminator.
    pub text: String,
    /// The AIM symbology identifier (`]E0`), where the scanner sends it.
    pub symbology: Option<String>,
}

impl std::fmt::Debug for Scan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Scan");
        shown
            .field("kind", &self.kind)
            .field("symbology", &self.symbology);
        match self.kind {
            CodeKind::TraceCode | CodeKind::Gtin | CodeKind::Gs1 { .. } => {
                shown.field("text", &self.text).finish()
            }
            _ => shown.field("length", &self.text.len()).finish_non_exhaustive(),
        }
    }
}

/// What came out of the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Framed {
    /// A code.
    Scan(Scan),
    /// Bytes that are no text, as from a wrong baud rate, or a code without its end.
    Garbage,
}

/// Says what a text is; an AIM symbology identifier at its start is taken off. A trace code has 20 digits here.
pub fn classify(text: &str) -> Scan {
    classify_by(text, &TraceCodes::default())
}

/// The same with the till's own rules for trace codes.
pub fn classify_by(text: &str, trace_codes: &TraceCodes) -> Scan {
    let (symbology, text) = match aim_identifier(text) {
        Some((identifier, rest)) => (Some(identifier), rest),
        None => (None, text),
    };
    let kind = kind_of(symbology, text, trace_codes);
    Scan {
        kind,
        text: text.to_owned(),
        symbology: symbology.map(str::to_owned),
    }
}

fn kind_of(symbology: Option<&str>, text: &str, trace_codes: &TraceCodes) -> CodeKind {
    let says_gs1 = matches!(symbology, Some("]C1" | "]e0" | "]d2" | "]Q3" | "]J1"));
    // A citizen number stays one whatever a rule for trace codes says.
    if IdNumber::parse(text).is_some() {
        return CodeKind::IdNumber;
    }
    if !says_gs1 && trace_codes.fit(text) {
        return CodeKind::TraceCode;
    }
    if gs1::is_gtin(text) {
        return CodeKind::Gtin;
    }
    // Without a mark of GS1, only what begins with a GTIN is taken for it.
    if (says_gs1 || text.contains(SEPARATOR) || text.starts_with("01") || text.starts_with("(01)"))
        && let Some(gs1::Gs1 {
            gtin,
            lot,
            expires_on,
            serial,
        }) = gs1::parse(text)
    {
        return CodeKind::Gs1 {
            gtin,
            lot,
            expires_on,
            serial,
        };
    }
    let opaque = text.bytes().all(|character| character.is_ascii_graphic()) && !text.contains("://");
    // An element string with something wrong in it is no person's code either.
    let opaque = opaque && !text.starts_with('(');
    if opaque && !says_gs1 && text.len() >= INSURANCE_CODE_LENGTH_MIN {
        return CodeKind::InsuranceCode;
    }
    CodeKind::Unknown
}

/// Splits `]cm` off: a bracket, the letter of a symbology, a modifier.
fn aim_identifier(text: &str) -> Option<(&str, &str)> {
    let [
        b']',
        b'A' | b'C' | b'E' | b'F' | b'I' | b'J' | b'L' | b'Q' | b'X' | b'd' | b'e' | b'z',
        b'0'..=b'9',
        ..,
    ] = text.as_bytes()
    else {
        return None;
    };
    text.split_at_checked(3)
}

/// Cuts a stream of bytes into codes, however the bytes are cut when they arrive.
///
/// A code ends with CR, LF, CR LF or TAB. Until the first of these is seen, silence ends a code too.
pub struct Framer {
    silence: Duration,
    trace_codes: TraceCodes,
    buffer: Vec<u8>,
    last_byte_at: Option<Instant>,
    terminator_seen: bool,
    /// The code has grown beyond all measure; the rest of it is thrown away.
    overrun: bool,
}

impl std::fmt::Debug for Framer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Framer")
            .field("bytes", &self.buffer.len())
            .finish_non_exhaustive()
    }
}

impl Framer {
    /// A framer that takes this much silence for the end of a code, if the scanner sends no terminator.
    pub fn new(silence: Duration) -> Self {
        Self {
            silence,
            trace_codes: TraceCodes::default(),
            buffer: Vec::new(),
            last_byte_at: None,
            terminator_seen: false,
            overrun: false,
        }
    }

    /// The same with the till's own rules for trace codes.
    pub fn with_trace_codes(self, trace_codes: TraceCodes) -> Self {
        Self { trace_codes, ..self }
    }

    /// Takes bytes that arrived at `now` and gives the codes they complete.
    pub fn push(&mut self, bytes: &[u8], now: Instant) -> Vec<Framed> {
        let mut framed = Vec::new();
        if !bytes.is_empty() {
            self.last_byte_at = Some(now);
        }
        for byte in bytes {
            if matches!(byte, b'\r' | b'\n' | b'\t') {
                self.terminator_seen = true;
                framed.extend(self.take());
            } else if self.buffer.len() < CODE_LENGTH_MAX {
                self.buffer.push(*byte);
            } else {
                self.overrun = true;
            }
        }
        framed
    }

    /// Gives the code that silence ends, if it does at `now`.
    pub fn pass_time(&mut self, now: Instant) -> Option<Framed> {
        let age = now.saturating_duration_since(self.last_byte_at?);
        if self.buffer.is_empty() {
            return None;
        }
        match self.terminator_seen {
            false if age >= self.silence => self.take(),
            true if age >= UNFINISHED_AGE_MAX => {
                self.overrun = true;
                self.take()
            }
            _ => None,
        }
    }

    /// Empties the buffer.
    fn take(&mut self) -> Option<Framed> {
        let bytes = std::mem::take(&mut self.buffer);
        if std::mem::take(&mut self.overrun) {
            return Some(Framed::Garbage);
        }
        match text_of(&bytes) {
            Some(text) if text.is_empty() => None,
            Some(text) => Some(Framed::Scan(classify_by(&text, &self.trace_codes))),
            None => Some(Framed::Garbage),
        }
    }
}

/// UTF-8 or else GB18030; `None` for what no scanner sends.
fn text_of(bytes: &[u8]) -> Option<String> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => GB18030
            .decode_without_bom_handling_and_without_replacement(bytes)?
            .into_owned(),
    };
    let foreign = |character: char| {
        let private = matches!(character, '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..);
        // GS, RS and EOT belong to GS1 and its envelopes.
        private || (character.is_control() && !matches!(character, '\u{1D}' | '\u{1E}' | '\u{04}'))
    };
    (!text.contains(foreign)).then(|| text.trim_matches(' ').to_owned())
}

#[cfg(test)]
#[path = "scanner_tests.rs"]
mod tests;
