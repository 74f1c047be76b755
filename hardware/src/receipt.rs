//! The document model of a paper slip: rows, and how wide they are. It knows nothing of what they say.
//!
//! One column is one character of the printer's small Latin font; a Chinese character takes two. Lines with
//! characters that a printer's font does not hold (all beyond GBK) are drawn; those that no bundled face holds stand
//! as their code point, `[U+20BB7]`, so that none vanishes.

use encoding_rs::GB18030;
use serde::{Deserialize, Serialize};

use crate::escpos;
use crate::fold::fold;
use crate::typeface::Typeface;

/// Width of the paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Paper {
    /// 58 mm, 32 columns.
    #[serde(rename = "58")]
    Mm58,
    /// 80 mm, 48 columns.
    #[default]
    #[serde(rename = "80")]
    Mm80,
}

impl Paper {
    /// How many columns it has.
    pub fn columns(self) -> usize {
        match self {
            Self::Mm58 => 32,
            Self::Mm80 => 48,
        }
    }
}

/// Where a text stands in its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    /// At the left edge.
    #[default]
    Left,
    /// In the middle.
    Centre,
    /// At the right edge.
    Right,
}

/// How a text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TextStyle {
    /// Where it stands.
    pub align: Align,
    /// Twice as wide and twice as high.
    pub large: bool,
    /// Bold.
    pub bold: bool,
}

/// One row of a slip.
#[derive(Clone, PartialEq, Eq)]
pub enum SlipRow {
    /// A text, wrapped where it is too long.
    Text {
        /// The text.
        text: String,
        /// How it looks.
        style: TextStyle,
    },
    /// Two texts, one at each edge: an item and its amount.
    Pair {
        /// At the left edge, wrapped where it is too long.
        left: String,
        /// At the right edge of the last line.
        right: String,
        /// Both bold.
        bold: bool,
    },
    /// A line across.
    Rule,
    /// An empty line.
    Blank,
    /// A QR code.
    Qr {
        /// What it says.
        text: String,
    },
    /// A mark that nobody can overlook, such as 补打.
    Mark {
        /// What it says.
        text: String,
    },
}

/// A slip of paper. `Debug` shows only its size.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Slip {
    /// The rows, from the top.
    pub rows: Vec<SlipRow>,
    /// Whether the cash drawer opens first.
    pub opens_drawer: bool,
}

impl std::fmt::Debug for SlipRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Text { .. } => "Text(…)",
            Self::Pair { .. } => "Pair(…)",
            Self::Rule => "Rule",
            Self::Blank => "Blank",
            Self::Qr { .. } => "Qr(…)",
            Self::Mark { .. } => "Mark(…)",
        })
    }
}

impl std::fmt::Debug for Slip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slip")
            .field("rows", &self.rows.len())
            .field("opens_drawer", &self.opens_drawer)
            .finish_non_exhaustive()
    }
}

impl Slip {
    /// An empty slip.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text at the left edge.
    pub fn text(self, text: impl Into<String>) -> Self {
        self.styled(text, TextStyle::default())
    }

    /// Adds a text with a style.
    pub fn styled(mut self, text: impl Into<String>, style: TextStyle) -> Self {
        self.rows.push(SlipRow::Text {
            text: text.into(),
            style,
        });
        self
    }

    /// Adds a title: large, bold, in the middle.
    pub fn title(self, text: impl Into<String>) -> Self {
        self.styled(
            text,
            TextStyle {
                align: Align::Centre,
                large: true,
                bold: true,
            },
        )
    }

    /// Adds a text in the middle.
    pub fn centred(self, text: impl Into<String>) -> Self {
        self.styled(
            text,
            TextStyle {
                align: Align::Centre,
                ..TextStyle::default()
            },
        )
    }

    /// Adds two texts, one at each edge.
    pub fn pair(mut self, left: impl Into<String>, right: impl Into<String>) -> Self {
        self.rows.push(SlipRow::Pair {
            left: left.into(),
            right: right.into(),
            bold: false,
        });
        self
    }

    /// Adds two bold texts, one at each edge.
    pub fn bold_pair(mut self, left: impl Into<String>, right: impl Into<String>) -> Self {
        self.rows.push(SlipRow::Pair {
            left: left.into(),
            right: right.into(),
            bold: true,
        });
        self
    }

    /// Adds a line across.
    pub fn rule(mut self) -> Self {
        self.rows.push(SlipRow::Rule);
        self
    }

    /// Adds an empty line.
    pub fn blank(mut self) -> Self {
        self.rows.push(SlipRow::Blank);
        self
    }

    /// Adds a QR code.
    pub fn qr(mut self, text: impl Into<String>) -> Self {
        self.rows.push(SlipRow::Qr { text: text.into() });
        self
    }

    /// Adds a mark that nobody can overlook.
    pub fn mark(mut self, text: impl Into<String>) -> Self {
        self.rows.push(SlipRow::Mark { text: text.into() });
        self
    }

    /// Lets the cash drawer open when the slip is printed.
    pub fn open_drawer(mut self) -> Self {
        self.opens_drawer = true;
        self
    }

    /// The slip as plain text, for the preview, the command line and the file. A large text takes one line here.
    pub fn to_text(&self, columns: usize) -> String {
        let mut text = String::new();
        for row in &self.rows {
            for line in row_lines(row, columns) {
                text.push_str(line.trim_end());
                text.push('\n');
            }
        }
        text
    }

    /// The slip as bytes for an ESC/POS printer: drawer, rows, feed and cut. The typeface draws what the printer's own
    /// font lacks.
    pub fn to_escpos(&self, paper: Paper, typeface: &Typeface) -> Vec<u8> {
        escpos::encode(self, paper, typeface)
    }
}

fn row_lines(row: &SlipRow, columns: usize) -> Vec<String> {
    match row {
        SlipRow::Text { text, style } => wrap(&clean(text), columns)
            .iter()
            .map(|line| aligned(line, style.align, columns))
            .collect(),
        SlipRow::Pair { left, right, .. } => pair_lines(&clean(left), &clean(right), columns),
        SlipRow::Rule => vec!["-".repeat(columns)],
        SlipRow::Blank => vec![String::new()],
        SlipRow::Qr { text } => wrap(&format!("[QR] {}", clean(text)), columns),
        SlipRow::Mark { text } => wrap(&mark_text(text), columns)
            .iter()
            .map(|line| aligned(line, Align::Centre, columns))
            .collect(),
    }
}

/// A mark as it is written, on paper and screen.
pub(crate) fn mark_text(text: &str) -> String {
    format!("*** {} ***", clean(text))
}

/// The lines of a pair: the left text wrapped, the right one behind it or on a line of its own.
pub(crate) fn pair_lines(left: &str, right: &str, columns: usize) -> Vec<String> {
    let mut lines = wrap(left, columns);
    let last = lines.pop().unwrap_or_default();
    let used = width(&last) + width(right);
    if right.is_empty() {
        lines.push(last);
    } else if used < columns {
        lines.push(format!("{last}{}{right}", " ".repeat(columns - used)));
    } else {
        lines.push(last);
        lines.extend(
            wrap(right, columns)
                .iter()
                .map(|line| aligned(line, Align::Right, columns)),
        );
    }
    lines
}

pub(crate) fn aligned(line: &str, align: Align, columns: usize) -> String {
    let free = columns.saturating_sub(width(line));
    let before = match align {
        Align::Left => 0,
        Align::Centre => free / 2,
        Align::Right => free,
    };
    format!("{}{line}", " ".repeat(before))
}

/// The lines of a text on paper of so many columns. Never empty.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let width = u32::try_from(columns).unwrap_or(u32::MAX);
    fold(text, width, character_width)
}

/// How many columns a printable text takes.
pub(crate) fn width(text: &str) -> usize {
    let columns: u32 = text.chars().map(character_width).sum();
    usize::try_from(columns).unwrap_or(usize::MAX)
}

/// A character takes as many columns as GBK takes bytes for it.
fn character_width(character: char) -> u32 {
    if character.is_ascii() { 1 } else { 2 }
}

/// The text without control characters but line breaks: to a printer they would be commands.
pub(crate) fn clean(text: &str) -> String {
    let space = |character: char| character.is_control() && character != '\n';
    text.chars()
        .map(|character| if space(character) { ' ' } else { character })
        .collect()
}

/// The clean text with every character that is not held written as its code point.
pub(crate) fn code_point(text: &str, held: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in clean(text).chars() {
        if character == '\n' || held(character) {
            shown.push(character);
        } else {
            shown.push_str(&format!("[U+{:04X}]", u32::from(character)));
        }
    }
    shown
}

/// Whether a printer's font holds it: ASCII, or two bytes of GB18030, which is GBK, outside the user's own area.
pub(crate) fn in_printer(character: char) -> bool {
    if character.is_ascii() {
        return !character.is_ascii_control();
    }
    // All of these are in GBK, and nearly all that is ever asked for is one of them.
    if matches!(character, '\u{4E00}'..='\u{9FA5}') {
        return true;
    }
    let mut buffer = [0; 4];
    let (bytes, _, unmappable) = GB18030.encode(character.encode_utf8(&mut buffer));
    !unmappable && bytes.len() == 2 && !matches!(character, '\u{E000}'..='\u{F8FF}')
}

#[cfg(test)]
#[path = "receipt_tests.rs"]
mod tests;
