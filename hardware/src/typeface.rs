//! The faces bundled with the program: which characters they hold, how wide those are, and what they look like in
//! dots. Receipts are measured with it, and drawn with it where a printer's own font lacks a character.

use std::fmt;

use ab_glyph::{Font, FontRef, Glyph as Outline, PxScale, point};

/// Top of the em above the baseline, in thousandths of an em, for faces of Chinese.
const ASCENT: u32 = 880;
/// A dot is black from this much ink on, in 255ths.
const INK_MIN: u8 = 110;

/// Faces tried in turn for each character.
pub struct Typeface {
    faces: Vec<Face>,
}

struct Face {
    data: &'static [u8],
    font: FontRef<'static>,
    bold: bool,
}

/// A character of one of the faces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Glyph {
    /// Number of the face.
    pub(crate) face: usize,
    /// Number in the face.
    pub(crate) id: u16,
    /// Its width, in thousandths of an em.
    pub(crate) advance: u32,
}

impl fmt::Debug for Typeface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Typeface")
            .field("faces", &self.faces.len())
            .finish_non_exhaustive()
    }
}

impl Typeface {
    /// A typeface of these font files, in the order in which they are asked; `None` if one of them is no font.
    pub fn new(regular: &[&'static [u8]], bold: &[&'static [u8]]) -> Option<Self> {
        let regular = regular.iter().map(|data| (*data, false));
        let faces = regular
            .chain(bold.iter().map(|data| (*data, true)))
            .map(|(data, bold)| {
                let font = FontRef::try_from_slice(data).ok()?;
                Some(Face { data, font, bold })
            })
            .collect::<Option<Vec<_>>>()?;
        Some(Self { faces })
    }

    /// Whether a face holds the character.
    pub fn has(&self, character: char) -> bool {
        self.glyph(character, false).is_some()
    }

    /// The character in the first face that holds it; bold faces first if it is to be bold.
    pub(crate) fn glyph(&self, character: char, bold: bool) -> Option<Glyph> {
        let faces = || self.faces.iter().enumerate();
        let wanted = faces().filter(|(_, face)| bold && face.bold);
        wanted
            .chain(faces().filter(|(_, face)| !face.bold))
            .find_map(|(index, face)| {
                let id = face.font.glyph_id(character);
                (id.0 != 0).then(|| Glyph {
                    face: index,
                    id: id.0,
                    advance: face.advance(id),
                })
            })
    }

    /// The font files, by the number of their face.
    pub(crate) fn files(&self) -> impl Iterator<Item = &'static [u8]> {
        self.faces.iter().map(|face| face.data)
    }

    /// A character in a cell of this width, 64 at most, and height: its rows from the top, the leftmost dot the highest
    /// bit. No rows for a character without ink or of no face.
    pub(crate) fn dots(&self, character: char, bold: bool, (width, height): (u32, u32)) -> Vec<u64> {
        let glyph = self.glyph(character, bold);
        let Some((glyph, face)) = glyph.and_then(|glyph| Some((glyph, self.faces.get(glyph.face)?))) else {
            return Vec::new();
        };
        // A twelfth of the cell stays free between lines.
        let em = height * 11 / 12;
        let left = (i64::from(width) - i64::from(em * glyph.advance / 1000)) / 2;
        let baseline = i64::from((height - em) / 2 + em * ASCENT / 1000);
        let mut rows = Vec::new();
        face.dots(ab_glyph::GlyphId(glyph.id), em, |x, y| {
            let (x, y) = (left + i64::from(x), baseline + i64::from(y));
            if let (Ok(x), Ok(y)) = (u32::try_from(x), usize::try_from(y))
                && x < width.min(u64::BITS)
            {
                rows.resize(usize::try_from(height).unwrap_or(0), 0);
                if let Some(row) = rows.get_mut(y) {
                    *row |= 1 << (u64::BITS - 1 - x);
                }
            }
        });
        rows
    }
}

#[expect(
    clippy::float_arithmetic,
    reason = "the font library measures in floats; nothing here is money"
)]
impl Face {
    fn advance(&self, id: ab_glyph::GlyphId) -> u32 {
        let em = self.font.units_per_em().unwrap_or(1000.0);
        (self.font.h_advance_unscaled(id) * 1000.0 / em).round() as u32
    }

    /// The black dots of a glyph whose em is so many dots high, counted from the start of its baseline.
    fn dots(&self, id: ab_glyph::GlyphId, em: u32, mut dot: impl FnMut(i32, i32)) {
        let units = self.font.units_per_em().unwrap_or(1000.0);
        let scale = PxScale::from(em as f32 * self.font.height_unscaled() / units);
        let outline: Outline = id.with_scale_and_position(scale, point(0.0, 0.0));
        let Some(outlined) = self.font.outline_glyph(outline) else {
            return;
        };
        let corner = outlined.px_bounds().min;
        outlined.draw(|x, y, ink| {
            if ink * 255.0 >= f32::from(INK_MIN) {
                dot(corner.x as i32 + x as i32, corner.y as i32 + y as i32);
            }
        });
    }
}
