//! The list of lost cards, which 9102 brings.
//!
//! The interface has 9102 but names no lost-card list. The file query number and file name below, and the columns
//! of the text, are the sandbox agency's convention; a real agency's have to be asked for.

use std::fmt;

use crate::zip_text::unpack_text;

/// file_qury_no of the lost-card list, by the sandbox's convention.
pub(crate) const LOST_CARDS_QUERY_NO: &str = "LOSTCARD";
/// File name of the lost-card list, by the sandbox's convention.
pub(crate) const LOST_CARDS_FILE: &str = "lost_card.txt.zip";

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

/// Reads the lost cards from the ZIP of one tab-separated text. A broken file is an error as a whole: half a list
/// would let the other half's cards pass.
pub(crate) fn read_lost_cards(body: &[u8]) -> Result<Vec<LostCard>, &'static str> {
    let text = unpack_text(body)?;
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
