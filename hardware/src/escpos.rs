//! A slip as ESC/POS bytes for receipt printers with a Chinese font (GB18030, Chinese mode on). A line with a character
//! that such a font lacks is drawn as dots, whole, so that its columns stay.

use std::collections::HashMap;

use encoding_rs::GB18030;

use crate::receipt::{
    Align, Paper, Slip, SlipRow, TextStyle, aligned, code_point, in_printer, mark_text, pair_lines, wrap,
};
use crate::typeface::Typeface;

/// ESC @: forget all settings.
const INITIALISE: [u8; 2] = [0x1B, 0x40];
/// FS &: Chinese mode on.
const CHINESE_MODE: [u8; 2] = [0x1C, 0x26];
/// ESC p 0 t1 t2: pulse to the drawer at pin 2, 50 ms on and 500 ms off. Both times belong to the command.
const DRAWER_PULSE: [u8; 5] = [0x1B, 0x70, 0x00, 0x19, 0xFA];
/// ESC d 3, GS V 66 0: out of the case, then cut, leaving one point.
const FEED_AND_CUT: [u8; 7] = [0x1B, 0x64, 0x03, 0x1D, 0x56, 0x42, 0x00];
/// Side of one square of a QR code, in dots.
const QR_DOTS: u8 = 6;
/// Dots of a column, and of the height of a line.
const COLUMN_DOTS: usize = 12;
const LINE_DOTS: usize = 24;

pub(crate) fn encode(slip: &Slip, paper: Paper, typeface: &Typeface) -> Vec<u8> {
    let mut job = Job {
        bytes: INITIALISE.to_vec(),
        columns: paper.columns(),
        typeface,
        drawn: HashMap::new(),
    };
    job.bytes.extend_from_slice(&CHINESE_MODE);
    if slip.opens_drawer {
        job.bytes.extend_from_slice(&DRAWER_PULSE);
    }
    for row in &slip.rows {
        job.row(row);
    }
    job.bytes.extend_from_slice(&FEED_AND_CUT);
    job.bytes
}

/// A slip on its way to bytes.
struct Job<'typeface> {
    bytes: Vec<u8>,
    columns: usize,
    typeface: &'typeface Typeface,
    /// Characters that were drawn, bold and large or not: a slip repeats its own again and again.
    drawn: HashMap<(char, bool, bool), Vec<u64>>,
}

impl Job<'_> {
    fn row(&mut self, row: &SlipRow) {
        match row {
            SlipRow::Text { text, style } => self.text(&self.printable(text), *style),
            SlipRow::Pair { left, right, bold } => {
                let style = TextStyle {
                    bold: *bold,
                    ..TextStyle::default()
                };
                for line in pair_lines(&self.printable(left), &self.printable(right), self.columns) {
                    self.text(&line, style);
                }
            }
            SlipRow::Rule => self.text(&"-".repeat(self.columns), TextStyle::default()),
            SlipRow::Blank => self.bytes.push(b'\n'),
            SlipRow::Qr { text } => push_qr(&mut self.bytes, text),
            SlipRow::Mark { text } => {
                let style = TextStyle {
                    align: Align::Centre,
                    large: true,
                    bold: true,
                };
                self.text(&self.printable(&mark_text(text)), style);
            }
        }
    }

    fn printable(&self, text: &str) -> String {
        code_point(text, |character| {
            in_printer(character) || self.typeface.has(character)
        })
    }

    /// A text that is printable already, with its style set before and taken back after.
    fn text(&mut self, text: &str, style: TextStyle) {
        let bytes = &mut self.bytes;
        push_align(bytes, style.align);
        if style.bold {
            bytes.extend_from_slice(&[0x1B, 0x45, 0x01]);
        }
        if style.large {
            push_size(bytes, 0x11, 0x0C);
        }
        let columns = if style.large {
            self.columns / 2
        } else {
            self.columns
        };
        for line in wrap(text, columns) {
            if line.chars().all(in_printer) {
                self.bytes.extend_from_slice(&GB18030.encode(&line).0);
                self.bytes.push(b'\n');
            } else {
                self.draw(&aligned(&line, style.align, columns), style, columns);
            }
        }
        let bytes = &mut self.bytes;
        if style.large {
            push_size(bytes, 0x00, 0x00);
        }
        if style.bold {
            bytes.extend_from_slice(&[0x1B, 0x45, 0x00]);
        }
        if style.align != Align::Left {
            push_align(bytes, Align::Left);
        }
    }

    /// GS v 0: a line as dots, a whole line wide. It moves the paper on by its own height.
    fn draw(&mut self, line: &str, style: TextStyle, columns: usize) {
        let times = if style.large { 2 } else { 1 };
        let (column, height) = (COLUMN_DOTS * times, LINE_DOTS * times);
        let row_bytes = columns * column / 8;
        let [low, high] = u16::try_from(row_bytes).unwrap_or(0).to_le_bytes();
        let rows = u8::try_from(height).unwrap_or(0);
        self.bytes
            .extend_from_slice(&[0x1D, 0x76, 0x30, 0x00, low, high, rows, 0x00]);
        let start = self.bytes.len();
        self.bytes.resize(start + row_bytes * height, 0);
        let dots = self.bytes.get_mut(start..).unwrap_or_default();
        let mut left = 0;
        for character in line.chars() {
            let width = if character.is_ascii() { column } else { 2 * column };
            let cell = self
                .drawn
                .entry((character, style.bold, style.large))
                .or_insert_with(|| {
                    let size = [width, height].map(|dots| u32::try_from(dots).unwrap_or(0));
                    self.typeface.dots(character, style.bold, size.into())
                });
            for (row, cell) in dots.chunks_exact_mut(row_bytes).zip(cell) {
                let into = row.get_mut(left / 8..).unwrap_or_default();
                for (byte, dots) in into.iter_mut().zip((*cell >> (left % 8)).to_be_bytes()) {
                    *byte |= dots;
                }
            }
            left += width;
        }
    }
}

/// GS ! for Latin and FS ! for Chinese characters: some printers let the first rule both, some do not.
fn push_size(bytes: &mut Vec<u8>, latin: u8, chinese: u8) {
    bytes.extend_from_slice(&[0x1D, 0x21, latin, 0x1C, 0x21, chinese]);
}

/// ESC a.
fn push_align(bytes: &mut Vec<u8>, align: Align) {
    let n = match align {
        Align::Left => 0,
        Align::Centre => 1,
        Align::Right => 2,
    };
    bytes.extend_from_slice(&[0x1B, 0x61, n]);
}

/// GS ( k: model 2, size, error correction M, store, print; in the middle.
fn push_qr(bytes: &mut Vec<u8>, text: &str) {
    // A QR code holds fewer bytes than that.
    let data = text.as_bytes().get(..2953).unwrap_or(text.as_bytes());
    let [low, high] = u16::try_from(data.len() + 3).unwrap_or(u16::MAX).to_le_bytes();
    push_align(bytes, Align::Centre);
    bytes.extend_from_slice(&[0x1D, 0x28, 0x6B, 0x04, 0x00, 0x31, 0x41, 0x32, 0x00]);
    bytes.extend_from_slice(&[0x1D, 0x28, 0x6B, 0x03, 0x00, 0x31, 0x43, QR_DOTS]);
    bytes.extend_from_slice(&[0x1D, 0x28, 0x6B, 0x03, 0x00, 0x31, 0x45, 0x31]);
    bytes.extend_from_slice(&[0x1D, 0x28, 0x6B, low, high, 0x31, 0x50, 0x30]);
    bytes.extend_from_slice(data);
    bytes.extend_from_slice(&[0x1D, 0x28, 0x6B, 0x03, 0x00, 0x31, 0x51, 0x30]);
    bytes.push(b'\n');
    push_align(bytes, Align::Left);
}
