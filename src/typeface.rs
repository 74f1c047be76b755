//! The faces that receipts and statements are measured and drawn with: Noto Sans SC for the characters of GB 2312,
//! and for some 23 000 rarer ones.

use std::sync::LazyLock;

use yijie_hardware::Typeface;

const REGULAR: &[u8] = include_bytes!("../ui/fonts/NotoSansSC-Regular.ttf");
const SEMIBOLD: &[u8] = include_bytes!("../ui/fonts/NotoSansSC-SemiBold.ttf");
const RARE: &[u8] = include_bytes!("../ui/fonts/NotoSansSC-Rare.otf");

static TYPEFACE: LazyLock<Option<Typeface>> = LazyLock::new(|| Typeface::new(&[REGULAR, RARE], &[SEMIBOLD]));

/// The bundled typeface.
///
/// # Panics
/// Never: a test opens the faces this program was built with.
#[must_use]
#[expect(clippy::expect_used, reason = "built in, and opened by a test")]
pub fn bundled() -> &'static Typeface {
    TYPEFACE.as_ref().expect("the bundled faces are fonts")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_bundled_faces_open_and_hold_rare_characters() {
        for character in ['a', '医', '喆', '㐂', '𠮷', '龘'] {
            assert!(super::bundled().has(character), "{character}");
        }
    }
}
