//! Laid-out pages as a PDF file: texts with their faces embedded and subset, lines, QR codes.

use std::collections::BTreeMap;
use std::ops::Range;

use krilla::color::luma;
use krilla::geom::{Path, PathBuilder, Point, Rect};
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::{Location, Surface};
use krilla::text::{Font, GlyphId};
use krilla::{Data, Document};
use qrcode::{Color, EcLevel, QrCode};

use crate::sheet::{Page, Placed};
use crate::typeface::{Glyph, Typeface};

/// Thickness of a line across, in thousandths of a point.
const RULE_THICKNESS: u32 = 400;

/// The file; `None` if a face cannot be embedded or a page has no size.
pub(crate) fn draw(title: &str, width: u32, pages: &[Page], typeface: &Typeface) -> Option<Vec<u8>> {
    let fonts = typeface
        .files()
        .map(|data| Font::new(Data::from(data), 0))
        .collect::<Option<Vec<_>>>()?;
    let mut document = Document::new();
    document.set_metadata(
        Metadata::new()
            .title(title.to_owned())
            .language("zh-CN".to_owned()),
    );
    for laid_out in pages {
        let settings = PageSettings::from_wh(points(width), points(laid_out.height))?;
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        surface.set_fill(Some(Fill {
            paint: luma::Color::black().into(),
            ..Fill::default()
        }));
        for placed in &laid_out.placed {
            put(&mut surface, placed, typeface, &fonts);
        }
        surface.finish();
        page.finish();
    }
    document.finish().ok()
}

fn put(surface: &mut Surface<'_>, placed: &Placed, typeface: &Typeface, fonts: &[Font]) {
    match placed {
        Placed::Text {
            x,
            y,
            size,
            bold,
            text,
        } => put_text(surface, (*x, *y), *size, *bold, text, typeface, fonts),
        Placed::Rule { x, y, width } => {
            if let Some(path) = boxes([(*x, *y, *width, RULE_THICKNESS)]) {
                surface.draw_path(&path);
            }
        }
        Placed::Qr { x, y, side, text } => {
            if let Some(path) = squares(*x, *y, *side, text) {
                surface.draw_path(&path);
            }
        }
    }
}

/// A text, cut where its face changes.
fn put_text(
    surface: &mut Surface<'_>,
    (mut x, y): (u32, u32),
    size: u32,
    bold: bool,
    text: &str,
    typeface: &Typeface,
    fonts: &[Font],
) {
    let mut runs: Vec<Run> = Vec::new();
    for character in text.chars() {
        let Some(glyph) = typeface.glyph(character, bold) else {
            continue;
        };
        match runs.last_mut() {
            Some(run) if run.face == glyph.face => run.push(character, glyph),
            _ => runs.push(Run::of(character, glyph)),
        }
    }
    for run in runs {
        if let Some(font) = fonts.get(run.face) {
            let start = Point::from_xy(points(x), points(y));
            surface.draw_glyphs(start, &run.glyphs, font.clone(), &run.text, points(size), false);
        }
        x += run
            .glyphs
            .iter()
            .map(|glyph| glyph.advance * size / 1000)
            .sum::<u32>();
    }
}

/// Characters of one face.
struct Run {
    face: usize,
    text: String,
    glyphs: Vec<Measured>,
}

/// A glyph with its width in thousandths of an em.
struct Measured {
    id: u16,
    advance: u32,
    range: Range<usize>,
}

impl Run {
    fn of(character: char, glyph: Glyph) -> Run {
        let mut run = Run {
            face: glyph.face,
            text: String::new(),
            glyphs: Vec::new(),
        };
        run.push(character, glyph);
        run
    }

    fn push(&mut self, character: char, glyph: Glyph) {
        let start = self.text.len();
        self.text.push(character);
        self.glyphs.push(Measured {
            id: glyph.id,
            advance: glyph.advance,
            range: start..self.text.len(),
        });
    }
}

impl krilla::text::Glyph for Measured {
    fn glyph_id(&self) -> GlyphId {
        GlyphId::new(u32::from(self.id))
    }

    fn text_range(&self) -> Range<usize> {
        self.range.clone()
    }

    #[expect(clippy::float_arithmetic, reason = "the drawing library measures in floats")]
    fn x_advance(&self, size: f32) -> f32 {
        points(self.advance) * size
    }

    fn x_offset(&self, _size: f32) -> f32 {
        0.0
    }

    fn y_offset(&self, _size: f32) -> f32 {
        0.0
    }

    fn y_advance(&self, _size: f32) -> f32 {
        0.0
    }

    fn location(&self) -> Option<Location> {
        None
    }
}

/// The black squares of a QR code; `None` if it holds no such text.
fn squares(x: u32, y: u32, side: u32, text: &str) -> Option<Path> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let colors = code.to_colors();
    let module = side / u32::try_from(width).ok()?.max(1);
    let mut by_row: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, color) in colors.into_iter().enumerate() {
        if color == Color::Dark {
            by_row.entry(index / width).or_default().push(index % width);
        }
    }
    boxes(by_row.into_iter().flat_map(|(row, columns)| {
        columns.into_iter().filter_map(move |column| {
            let left = x + u32::try_from(column).ok()? * module;
            let top = y + u32::try_from(row).ok()? * module;
            Some((left, top, module, module))
        })
    }))
}

/// Filled boxes: left, top, width, height.
fn boxes(boxes: impl IntoIterator<Item = (u32, u32, u32, u32)>) -> Option<Path> {
    let mut path = PathBuilder::new();
    for (left, top, width, height) in boxes {
        path.push_rect(Rect::from_xywh(
            points(left),
            points(top),
            points(width),
            points(height),
        )?);
    }
    path.finish()
}

/// Thousandths of a point as the drawing library wants them.
#[expect(
    clippy::float_arithmetic,
    reason = "the drawing library measures in floats; nothing here is money"
)]
fn points(thousandths: u32) -> f32 {
    thousandths as f32 / 1000.0
}
