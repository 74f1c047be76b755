//! Whether words fit their boxes, measured with the bundled font itself: it has no kerning, so that the advances say it all.

use std::collections::BTreeSet;

use i_slint_backend_testing::{ElementHandle, ElementQuery};
use yijie_ui::AppWindow;

const REGULAR: &[u8] = include_bytes!("../../fonts/NotoSansSC-Regular.ttf");
const SEMI_BOLD: &[u8] = include_bytes!("../../fonts/NotoSansSC-SemiBold.ttf");

/// Size and weight of each text style, as theme.slint has them.
const STYLES: &[(&str, f32, &[u8])] = &[
    ("Caption", 13.0, REGULAR),
    ("CaptionStrong", 13.0, SEMI_BOLD),
    ("Body", 15.0, REGULAR),
    ("BodyStrong", 15.0, SEMI_BOLD),
    ("Title", 18.0, SEMI_BOLD),
    ("Heading", 24.0, SEMI_BOLD),
    ("Display", 40.0, SEMI_BOLD),
    ("Paragraph", 15.0, REGULAR),
    ("StrongParagraph", 15.0, SEMI_BOLD),
    ("SmallParagraph", 13.0, REGULAR),
];

/// Data of any length that may end in dots, because the whole of it stands elsewhere on the page
/// (the chosen bill line in full under the table, the institution on the receipt, a sale's reason in its details), or in
/// the settings (a device's port).
const MAY_BE_SHORTENED: &[&str] = &[
    "BillRow::name",
    "BillRow::spec",
    "SaleRow::reason",
    "SuggestionRow::name",
    "DeviceLine::place",
    "PaperRow::left",
    "TopBar::institution",
];

fn width(text: &str, size: f32, font: &[u8]) -> f32 {
    let face = ttf_parser::Face::parse(font, 0).expect("the bundled font");
    let units: u32 = text
        .chars()
        .map(|letter| {
            face.glyph_index(letter)
                .and_then(|glyph| face.glyph_hor_advance(glyph))
                .map_or(0, u32::from)
        })
        .sum();
    units as f32 * size / f32::from(face.units_per_em())
}

/// Words that are drawn in one of the styles.
pub fn texts(ui: &AppWindow) -> Vec<(ElementHandle, String, f32, &'static [u8], bool)> {
    ElementQuery::from_root(ui)
        .match_inherits("Words")
        .find_all()
        .into_iter()
        .filter_map(|element| {
            let style = element.type_name()?;
            let (_, size, font) = STYLES.iter().find(|(name, _, _)| *name == style.as_str())?;
            let text = element.accessible_label()?.to_string();
            let lines = style.ends_with("Paragraph");
            Some((element, text, *size, *font, lines))
        })
        .collect()
}

/// Everything on the page that is cut or hangs over the window's edge.
pub fn overflows(ui: &AppWindow, window: (u32, u32)) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (element, text, size, font, lines) in texts(ui) {
        let id = element.id().unwrap_or_default();
        let (box_size, at) = (element.size(), element.absolute_position());
        let needed = width(&text, size, font);
        let too_wide = if lines {
            // At least so many lines; each 1.4 em high.
            let rows = text
                .lines()
                .map(|row| (width(row, size, font) / box_size.width).ceil().max(1.0))
                .sum::<f32>();
            rows * size * 1.4 > box_size.height + 1.0
        } else {
            needed > box_size.width + 0.5
        };
        if too_wide && !MAY_BE_SHORTENED.contains(&id.as_str()) {
            found.insert(format!(
                "{text:?} ({id}) needs {needed:.0}, has {:.0}×{:.0}",
                box_size.width, box_size.height
            ));
        }
        if at.x < -0.5 || at.x + box_size.width > window.0 as f32 + 0.5 {
            found.insert(format!("{text:?} ({id}) hangs over the side"));
        }
    }
    found
}

#[test]
fn the_measure_sees_what_is_too_long() {
    // Ten digits of 555 units at 15 px.
    assert!((width("0123456789", 15.0, REGULAR) - 83.25).abs() < 0.01);
    assert!((width("统筹基金", 15.0, REGULAR) - 60.0).abs() < 0.01);
}

#[test]
fn figures_are_all_of_one_width() {
    for font in [REGULAR, SEMI_BOLD] {
        let zero = width("0", 100.0, font);
        for digit in '1'..='9' {
            assert_eq!(width(&digit.to_string(), 100.0, font), zero, "{digit}");
        }
    }
}

#[test]
fn the_font_has_every_character_of_gb2312_that_the_window_may_show() {
    for font in [REGULAR, SEMI_BOLD] {
        let face = ttf_parser::Face::parse(font, 0).unwrap();
        for letter in
            "医结统筹个人账户现金家庭共济甲乙丙○●◎◆◇□■△▲←→↑↓¥−×·…–０１ＡＢ，。？！：；（）〔〕《》Ⅰ Ⅷ℃"
                .chars()
        {
            assert!(
                face.glyph_index(letter).is_some(),
                "{letter} (U+{:04X})",
                u32::from(letter)
            );
        }
    }
}
