//! Whether words fit their boxes: Chinese and figures measured exactly, Latin letters by the narrowest they could be.

use std::collections::BTreeSet;

use i_slint_backend_testing::{ElementHandle, ElementQuery};
use yijie_ui::slint::{ComponentHandle as _, Model as _};
use yijie_ui::{AppWindow, Receipt};

/// Size of each text style, as theme.slint has them, and whether it breaks into lines.
const STYLES: &[(&str, f32, bool)] = &[
    ("Caption", 13.0, false),
    ("CaptionStrong", 13.0, false),
    ("Body", 15.0, false),
    ("BodyStrong", 15.0, false),
    ("Title", 18.0, false),
    ("Heading", 24.0, false),
    ("Display", 40.0, false),
    ("Paragraph", 15.0, true),
    ("StrongParagraph", 15.0, true),
    ("SmallParagraph", 13.0, true),
];

/// Data of any length that may end in dots, because the whole of it stands elsewhere.
const MAY_BE_SHORTENED: &[&str] = &[
    "BillRow::name",
    "BillRow::spec",
    "SaleRow::reason",
    "SuggestionRow::name",
    "PaperRow::left",
    "TopBar::institution",
];

/// Least width of a text in em of the bundled font.
fn em(text: &str) -> f32 {
    text.chars()
        .map(|letter| match letter {
            '0'..='9' => 0.555,
            'A'..='Z' | 'm' | 'w' => 0.55,
            'a'..='z' if !"fijlrt".contains(letter) => 0.47,
            letter if letter.is_ascii() => 0.22,
            letter if ('\u{3000}'..='\u{ffef}').contains(&letter) => 1.0,
            _ => 0.3,
        })
        .sum()
}

/// Words drawn in one of the styles: element, text, size, whether it may break.
pub fn texts(window: &AppWindow) -> Vec<(ElementHandle, String, f32, bool)> {
    ElementQuery::from_root(window)
        .match_inherits("Words")
        .find_all()
        .into_iter()
        .filter_map(|element| {
            let style = element.type_name()?;
            let (_, size, lines) = STYLES.iter().find(|(name, ..)| *name == style.as_str())?;
            let text = element.accessible_label()?.to_string();
            Some((element, text, *size, *lines))
        })
        .collect()
}

/// What stands on the paper of the receipt page, scrolled into sight or not: Chinese whatever the screen.
pub fn paper(window: &AppWindow) -> Vec<String> {
    let receipt = window.global::<Receipt<'_>>();
    let rows = receipt.get_rows();
    let texts = rows.iter().flat_map(|row| [row.left, row.right]);
    std::iter::once(receipt.get_title())
        .chain(texts)
        .map(|text| text.to_string())
        .collect()
}

/// What is surely cut or hangs over the window's edge.
pub fn overflows(window: &AppWindow, size: (u32, u32)) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (element, text, points, lines) in texts(window) {
        let id = element.id().unwrap_or_default();
        if MAY_BE_SHORTENED.contains(&id.as_str()) {
            continue;
        }
        let (extent, at) = (element.size(), element.absolute_position());
        let needed = em(&text) * points;
        let cut = if lines {
            let rows: f32 = text
                .lines()
                .map(|row| (em(row) * points / extent.width).ceil().max(1.0))
                .sum();
            rows * points * 1.4 > extent.height + 1.0
        } else {
            needed > extent.width + 0.5
        };
        if cut {
            found.insert(format!(
                "{text:?} ({id}) needs {needed:.0}, has {:.0}×{:.0}",
                extent.width, extent.height
            ));
        }
        if at.x < -0.5 || at.x + extent.width > size.0 as f32 + 0.5 {
            found.insert(format!("{text:?} ({id}) hangs over the side"));
        }
    }
    found
}
