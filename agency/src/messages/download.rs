//! 9102 file download, and the list of lost cards it brings.
//!
//! The interface has 9102 but names no lost-card list. The file query number and file name below, and the columns
//! of the text, are the sandbox agency's convention; a real agency's have to be asked for.

use std::{fmt, io::Read};

use serde::{Deserialize, Serialize};

use crate::fields::{Checked, FieldFault, required};

/// file_qury_no of the lost-card list, by the sandbox's convention.
pub(crate) const LOST_CARDS_QUERY_NO: &str = "LOSTCARD";
/// File name of the lost-card list, by the sandbox's convention.
pub(crate) const LOST_CARDS_FILE: &str = "lost_card.txt.zip";
/// Unpacked lists beyond this size are refused.
const TEXT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A card that was reported lost.
#[derive(Clone, PartialEq, Eq)]
pub struct LostCard {
    /// Card number.
    pub card_no: String,
    /// Card identification code (卡识别码); may be empty.
    pub card_sn: String,
    /// Day of the report, yyyy-MM-dd; may be empty.
    pub lost_on: String,
}

impl fmt::Debug for LostCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LostCard")
            .field("lost_on", &self.lost_on)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct DownloadInput {
    #[serde(rename = "fsDownloadIn")]
    pub(crate) download: DownloadData,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct DownloadData {
    pub(crate) file_qury_no: String,
    pub(crate) filename: String,
    pub(crate) fixmedins_code: String,
}

impl Checked for DownloadInput {
    fn check(&self) -> Result<(), FieldFault> {
        required("file_qury_no", &self.download.file_qury_no, 30)?;
        required("filename", &self.download.filename, 200)?;
        required("fixmedins_code", &self.download.fixmedins_code, 30)
    }
}

/// Whether a body is a ZIP and not an envelope with an error.
pub(crate) fn is_zip(body: &[u8]) -> bool {
    body.starts_with(b"PK")
}

/// Reads the lost cards from the ZIP of one tab-separated text. A broken file is an error as a whole: half a list
/// would let the other half's cards pass.
pub(crate) fn read_lost_cards(body: &[u8]) -> Result<Vec<LostCard>, &'static str> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(body)).map_err(|_| "not a readable ZIP")?;
    let file = archive.by_index(0).map_err(|_| "no file in the ZIP")?;
    let mut bytes = Vec::new();
    file.take(TEXT_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|_| "the ZIP is damaged")?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len > TEXT_BYTES_MAX) {
        return Err("the file is too large");
    }
    let text = String::from_utf8(bytes).map_err(|_| "the file is not UTF-8")?;
    text.lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .map(read_row)
        .collect()
}

fn read_row(line: &str) -> Result<LostCard, &'static str> {
    let mut cells = line
        .split('\t')
        .map(|cell| if cell == "null" { "" } else { cell }.to_owned());
    let card = LostCard {
        card_no: cells.next().unwrap_or_default(),
        card_sn: cells.next().unwrap_or_default(),
        lost_on: cells.next().unwrap_or_default(),
    };
    if card.card_no.is_empty() {
        Err("a row without card number")
    } else {
        Ok(card)
    }
}
