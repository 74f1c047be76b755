//! A slip or a statement laid out on pages: where each text, line and code stands. Lengths are in thousandths of a
//! point, so that no float is needed before the page is drawn.

use crate::fold::fold;
use crate::pdf;
use crate::receipt::{Align, Paper, Slip, SlipRow, TextStyle, code_point, mark_text};
use crate::typeface::Typeface;

/// A millimetre and a point.
const MM: u32 = 2_835;
const PT: u32 = 1_000;
/// Distance between baselines, in hundredths of the size.
const LEADING: u32 = 145;

/// What a sheet is printed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SheetForm {
    /// One page as long as the slip, as wide as the paper of a receipt printer.
    Roll(Paper),
    /// Pages of A4.
    A4,
}

/// A cell of a row of a table.
#[derive(Clone, PartialEq, Eq)]
pub struct Cell {
    /// What stands in it, wrapped where it is too long.
    pub text: String,
    /// Its part of the row's width.
    pub share: u32,
    /// Where the text stands.
    pub align: Align,
    /// Bold.
    pub bold: bool,
}

/// A row of a sheet.
#[derive(Clone, PartialEq, Eq)]
pub enum SheetRow {
    /// As on a slip.
    Slip(SlipRow),
    /// Side by side.
    Cells(Vec<Cell>),
}

/// A document to be printed on pages. `Debug` shows only its size.
#[derive(Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Title of the file.
    pub title: String,
    /// What it is printed on.
    pub form: SheetForm,
    /// From the top.
    pub rows: Vec<SheetRow>,
}

impl std::fmt::Debug for Sheet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sheet")
            .field("form", &self.form)
            .field("rows", &self.rows.len())
            .finish_non_exhaustive()
    }
}

impl Slip {
    /// The slip as it comes out of the printer, as a sheet.
    pub fn to_sheet(&self, title: impl Into<String>, paper: Paper) -> Sheet {
        Sheet {
            title: title.into(),
            form: SheetForm::Roll(paper),
            rows: self.rows.iter().cloned().map(SheetRow::Slip).collect(),
        }
    }
}

impl Sheet {
    /// The sheet as a PDF file, with the faces it uses embedded; `None` if they cannot be embedded.
    pub fn to_pdf(&self, typeface: &Typeface) -> Option<Vec<u8>> {
        let mut layout = Layout::new(self.form, typeface);
        for row in &self.rows {
            layout.row(row);
        }
        pdf::draw(&self.title, layout.width, &layout.finish(), typeface)
    }
}

/// Something at its place; a text's place is the start of its baseline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Placed {
    Text {
        x: u32,
        y: u32,
        size: u32,
        bold: bool,
        text: String,
    },
    Rule {
        x: u32,
        y: u32,
        width: u32,
    },
    Qr {
        x: u32,
        y: u32,
        side: u32,
        text: String,
    },
}

/// A page and all on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) height: u32,
    pub(crate) placed: Vec<Placed>,
}

struct Layout<'typeface> {
    typeface: &'typeface Typeface,
    width: u32,
    margin: u32,
    /// Of a text of normal size.
    size: u32,
    /// Height of a page; a roll has none.
    height: Option<u32>,
    pages: Vec<Page>,
    placed: Vec<Placed>,
    y: u32,
}

impl<'typeface> Layout<'typeface> {
    fn new(form: SheetForm, typeface: &'typeface Typeface) -> Self {
        let (width, height, margin, size) = match form {
            SheetForm::Roll(Paper::Mm58) => (58 * MM, None, 4 * MM, 8 * PT),
            SheetForm::Roll(Paper::Mm80) => (80 * MM, None, 4 * MM, 8 * PT),
            SheetForm::A4 => (210 * MM, Some(297 * MM), 16 * MM, 9 * PT),
        };
        Self {
            typeface,
            width,
            margin,
            size,
            height,
            pages: Vec::new(),
            placed: Vec::new(),
            y: margin,
        }
    }

    fn finish(mut self) -> Vec<Page> {
        let height = self.height.unwrap_or(self.y + self.margin);
        self.pages.push(Page {
            height,
            placed: self.placed,
        });
        self.pages
    }

    fn inner(&self) -> u32 {
        self.width - 2 * self.margin
    }

    /// Makes room for something so high, on a new page if this one is full.
    fn make_room(&mut self, height: u32) {
        if let Some(page) = self.height
            && self.y + height > page - self.margin
            && self.y > self.margin
        {
            self.pages.push(Page {
                height: page,
                placed: std::mem::take(&mut self.placed),
            });
            self.y = self.margin;
        }
    }

    fn row(&mut self, row: &SheetRow) {
        match row {
            SheetRow::Cells(cells) => self.cells(cells),
            SheetRow::Slip(SlipRow::Text { text, style }) => self.text(text, *style),
            SheetRow::Slip(SlipRow::Pair { left, right, bold }) => self.pair(left, right, *bold),
            SheetRow::Slip(SlipRow::Rule) => {
                self.make_room(self.size);
                let y = self.y + self.size / 2;
                self.placed.push(Placed::Rule {
                    x: self.margin,
                    y,
                    width: self.inner(),
                });
                self.y += self.size;
            }
            SheetRow::Slip(SlipRow::Blank) => self.y += self.size,
            SheetRow::Slip(SlipRow::Qr { text }) => self.qr(text),
            SheetRow::Slip(SlipRow::Mark { text }) => self.text(
                &mark_text(text),
                TextStyle {
                    align: Align::Centre,
                    large: false,
                    bold: true,
                },
            ),
        }
    }

    fn text(&mut self, text: &str, style: TextStyle) {
        let size = if style.large { self.size * 3 / 2 } else { self.size };
        for line in self.fold(text, self.inner(), size, style.bold) {
            self.make_room(leading(size));
            self.line(&line, (self.margin, self.inner()), size, style.align, style.bold);
            self.y += leading(size);
        }
    }

    fn pair(&mut self, left: &str, right: &str, bold: bool) {
        let size = self.size;
        let right_width = self.measure(&self.drawable(right), size, bold);
        // The right text stands beside the last line of the left one, where there is room for both.
        let gap = size / 2;
        let free = self.inner().saturating_sub(right_width + gap);
        let beside = free >= self.inner() / 4;
        let lines = self.fold(left, if beside { free } else { self.inner() }, size, bold);
        let last = lines.len().saturating_sub(1);
        for (index, line) in lines.iter().enumerate() {
            self.make_room(leading(size));
            self.line(line, (self.margin, self.inner()), size, Align::Left, bold);
            if index == last && beside {
                let right = self.drawable(right);
                self.line(&right, (self.margin, self.inner()), size, Align::Right, bold);
            }
            self.y += leading(size);
        }
        if !beside {
            self.text(
                right,
                TextStyle {
                    align: Align::Right,
                    large: false,
                    bold,
                },
            );
        }
    }

    fn cells(&mut self, cells: &[Cell]) {
        let size = self.size * 8 / 9;
        let gap = size / 2;
        let shares = cells.iter().map(|cell| cell.share).sum::<u32>().max(1);
        let mut x = self.margin;
        let mut columns = Vec::new();
        for cell in cells {
            let width = self.inner() / shares * cell.share;
            let lines = self.fold(&cell.text, width.saturating_sub(gap), size, cell.bold);
            columns.push((x, width.saturating_sub(gap), cell, lines));
            x += width;
        }
        let lines_max = columns.iter().map(|column| column.3.len()).max().unwrap_or(0);
        for index in 0..lines_max {
            self.make_room(leading(size));
            for (x, width, cell, lines) in &columns {
                if let Some(line) = lines.get(index) {
                    self.line(line, (*x, *width), size, cell.align, cell.bold);
                }
            }
            self.y += leading(size);
        }
    }

    fn qr(&mut self, text: &str) {
        let side = 24 * MM;
        self.make_room(side + self.size);
        self.placed.push(Placed::Qr {
            x: (self.width - side) / 2,
            y: self.y + self.size / 2,
            side,
            text: text.to_owned(),
        });
        self.y += side + self.size;
    }

    /// Places one line that fits, without moving on.
    fn line(&mut self, line: &str, (x, width): (u32, u32), size: u32, align: Align, bold: bool) {
        if line.is_empty() {
            return;
        }
        let free = width.saturating_sub(self.measure(line, size, bold));
        let x = match align {
            Align::Left => x,
            Align::Centre => x + free / 2,
            Align::Right => x + free,
        };
        self.placed.push(Placed::Text {
            x,
            y: self.y + size,
            size,
            bold,
            text: line.to_owned(),
        });
    }

    fn measure(&self, text: &str, size: u32, bold: bool) -> u32 {
        text.chars()
            .map(|character| self.width_of(character, size, bold))
            .sum()
    }

    fn width_of(&self, character: char, size: u32, bold: bool) -> u32 {
        let glyph = self.typeface.glyph(character, bold);
        glyph.map_or(0, |glyph| glyph.advance * size / 1000)
    }

    /// The text with every character that no face holds written as its code point.
    fn drawable(&self, text: &str) -> String {
        code_point(text, |character| self.typeface.has(character))
    }

    /// The lines of a text in a column of this width.
    fn fold(&self, text: &str, width: u32, size: u32, bold: bool) -> Vec<String> {
        fold(&self.drawable(text), width, |character| {
            self.width_of(character, size, bold)
        })
    }
}

fn leading(size: u32) -> u32 {
    size * LEADING / 100
}
