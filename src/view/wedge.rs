//! A scanner that types like a keyboard is told from a person: it types a whole code, evenly and faster than anyone,
//! and ends it with Enter. The times are given, so that the judgement can be tested.

/// Shorter entries are taken as typed; nothing depends on which they are.
const LENGTH_MIN: usize = 8;
/// Longest time between two characters on average, and once: the window may be drawing.
const GAP_MEAN_MS_MAX: i64 = 30;
const GAP_MS_MAX: i64 = 120;

/// Longer texts are no codes; nobody reads that far.
const LENGTH_MAX: usize = 4096;

/// What has been typed since the last pause, into a field or where there is none. No `Debug`: it may be a patient's code.
#[derive(Default)]
pub(super) struct Typing {
    began_ms: i64,
    last_ms: i64,
    /// Characters that stood in the field before.
    before: usize,
    /// All that stand in it.
    characters: usize,
    /// A correction or a paste: not a scanner's way.
    by_hand: bool,
    /// Where there is no field that holds it.
    text: String,
}

impl Typing {
    /// A key was pressed where there is no field. A pause begins a new text; other keys than characters end it.
    pub(super) fn key(&mut self, now_ms: i64, text: &str) {
        let mut characters = text.chars();
        let (Some(character), None) = (characters.next(), characters.next()) else {
            return *self = Typing::default();
        };
        // The window's own keys are private characters.
        if character.is_control() || matches!(character, '\u{E000}'..='\u{F8FF}') {
            // Shift goes with a capital letter.
            return;
        }
        if now_ms - self.last_ms > GAP_MS_MAX || self.text.len() >= LENGTH_MAX {
            *self = Typing::default();
        }
        self.text.push(character);
        self.edited(now_ms, self.text.chars().count());
    }

    /// Enter was pressed where there is no field: the text, if a scanner typed it.
    pub(super) fn code_of_scanner(&mut self, now_ms: i64) -> Option<String> {
        let text = std::mem::take(&mut self.text);
        self.ended_by_scanner(now_ms, text.chars().count()).map(|_| text)
    }

    /// The field changed to a text of this many characters.
    pub(super) fn edited(&mut self, now_ms: i64, characters: usize) {
        if characters == 1 || now_ms - self.last_ms > GAP_MS_MAX {
            self.began_ms = now_ms;
            self.before = characters.saturating_sub(1);
            self.by_hand = false;
        } else {
            self.by_hand |= characters != self.characters + 1;
        }
        self.last_ms = now_ms;
        self.characters = characters;
    }

    /// Enter was pressed on a text of this many characters: how many of them stood there before a scanner typed the
    /// others, if one did. The next text begins anew.
    pub(super) fn ended_by_scanner(&mut self, now_ms: i64, characters: usize) -> Option<usize> {
        let typed = std::mem::take(self);
        let count = characters.checked_sub(typed.before)?;
        let gaps = i64::try_from(count).unwrap_or(i64::MAX);
        let by_scanner = !typed.by_hand
            && count >= LENGTH_MIN
            && typed.characters == characters
            && now_ms - typed.last_ms <= GAP_MS_MAX
            && now_ms - typed.began_ms <= gaps.saturating_mul(GAP_MEAN_MS_MAX);
        by_scanner.then_some(typed.before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Types so many characters with these pauses, over and over, and Enter.
    fn by_scanner(characters: usize, pauses_ms: &[i64]) -> bool {
        let (mut typing, mut now_ms) = (Typing::default(), 1_000_000);
        let mut pauses = pauses_ms.iter().cycle();
        for typed in 1..=characters {
            typing.edited(now_ms, typed);
            now_ms += pauses.next().unwrap();
        }
        typing.ended_by_scanner(now_ms, characters) == Some(0)
    }

    #[test]
    fn a_scanner_is_even_and_faster_than_anyone() {
        for (characters, pauses_ms, scanner) in [
            (13, &[1][..], true),
            (20, &[10], true),
            (28, &[5, 15, 30], true),
            // The window was drawing once.
            (13, &[2, 2, 2, 100, 2, 2, 2], true),
            // The fastest typists need 70 ms and more a key.
            (13, &[70], false),
            (18, &[60, 90, 120], false),
            // Too short to matter.
            (7, &[1], false),
            // A burst, then a look at the paper.
            (13, &[1, 1, 1, 400], false),
        ] {
            assert_eq!(
                by_scanner(characters, pauses_ms),
                scanner,
                "{characters} at {pauses_ms:?}"
            );
        }
    }

    #[test]
    fn where_there_is_no_field_a_code_is_heard_all_the_same() {
        let mut typing = Typing::default();
        let type_at = |typing: &mut Typing, text: &str, pause_ms: i64, mut now_ms: i64| {
            for letter in text.chars() {
                typing.key(now_ms, &letter.to_string());
                now_ms += pause_ms;
            }
            typing.code_of_scanner(now_ms)
        };
        assert_eq!(
            type_at(&mut typing, "6901234567892", 5, 1_000).as_deref(),
            Some("6901234567892")
        );
        assert_eq!(type_at(&mut typing, "6901234567892", 90, 10_000), None, "by hand");
        assert_eq!(
            type_at(&mut typing, "ABcd5678", 5, 20_000).as_deref(),
            Some("ABcd5678"),
            "what was typed by hand before is forgotten"
        );
        assert_eq!(typing.code_of_scanner(20_200), None, "Enter alone");
    }

    #[test]
    fn a_code_behind_what_was_typed_by_hand_is_a_code() {
        let mut typing = Typing::default();
        for (now_ms, characters) in [(1_000, 1), (1_200, 2), (1_400, 3)] {
            typing.edited(now_ms, characters);
        }
        for typed in 0..13 {
            typing.edited(3_000 + 5 * typed, 4 + usize::try_from(typed).unwrap());
        }
        assert_eq!(
            typing.ended_by_scanner(3_070, 16),
            Some(3),
            "200 was typed by hand"
        );
        // Where a key filled the field in.
        for typed in 0..13 {
            typing.edited(9_000 + 5 * typed, 7 + usize::try_from(typed).unwrap());
        }
        assert_eq!(typing.ended_by_scanner(9_070, 19), Some(6));
        typing.edited(20_000, 20);
        assert_eq!(typing.ended_by_scanner(20_005, 20), None, "pasted behind it");
    }

    #[test]
    fn a_paste_and_a_correction_are_a_person() {
        let mut typing = Typing::default();
        typing.edited(0, 13);
        assert_eq!(typing.ended_by_scanner(1, 13), None, "pasted");
        for characters in [1, 2, 3, 4, 5, 6, 7, 8, 7, 8, 9] {
            typing.edited(10, characters);
        }
        assert_eq!(typing.ended_by_scanner(11, 9), None, "corrected");
        for characters in 1..=9 {
            typing.edited(20, characters);
        }
        assert_eq!(
            typing.ended_by_scanner(21, 9),
            Some(0),
            "the next text begins anew"
        );
    }
}
