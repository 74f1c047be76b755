//! Breaks texts into lines, on paper and on pages: between any two Chinese characters, and not within a word or number
//! that fits.

/// What may not stand at the end and at the start of a line.
const OPENING: &str = "（〔《「“";
const CLOSING: &str = "，。；：、！？）〕》」”…";

/// The lines of a text, none wider than `width` unless a single character is; its own line breaks stay. Never empty.
pub(crate) fn fold(text: &str, width: u32, width_of: impl Fn(char) -> u32) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let (mut line, mut used, mut broken) = (String::new(), 0, false);
        for word in words(paragraph) {
            let needed: u32 = word.chars().map(&width_of).sum();
            if used + needed > width && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
                (used, broken) = (0, true);
            }
            // The space between two words is the break between two lines.
            if broken && line.is_empty() && word == " " {
                continue;
            }
            if needed <= width {
                line.push_str(word);
                used += needed;
                continue;
            }
            for character in word.chars() {
                let needed = width_of(character);
                if used + needed > width && !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                line.push(character);
                used += needed;
            }
        }
        lines.push(line);
    }
    lines
}

/// Runs of letters and digits, and every other character by itself; with the opening marks before them and the closing
/// ones behind.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let after = |text: &str, marks: &str| text.trim_start_matches(|mark| marks.contains(mark)).len();
        let opened = rest.get(rest.len() - after(rest, OPENING)..)?;
        let in_word = |character: char| character.is_ascii_graphic();
        let length = match opened.chars().next() {
            Some(first) if in_word(first) => opened
                .find(|character| !in_word(character))
                .unwrap_or(opened.len()),
            first => first.map_or(0, char::len_utf8),
        };
        let left = after(opened.get(length..)?, CLOSING);
        let (word, tail) = rest.split_at_checked(rest.len() - left)?;
        rest = tail;
        (!word.is_empty()).then_some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn lines_break_between_chinese_characters_and_not_within_numbers() {
        for (text, width, lines) in [
            ("", 8, &[""][..]),
            ("医保结算单", 8, &["医保结算", "单"]),
            ("共 1234.56 元", 8, &["共 ", "1234.56 ", "元"]),
            ("12.50×123.45", 8, &["12.50×", "123.45"]),
            ("昆明市，医保", 6, &["昆明", "市，医", "保"]),
            ("市（2022〕年", 6, &["市", "（2022", "〕年"]),
            ("昆政办〔2022〕号", 10, &["昆政办", "〔2022〕号"]),
            ("第三 行 款", 5, &["第三 ", "行 款"]),
            ("第三 行", 4, &["第三", "行"]),
            ("  第 行", 6, &["  第 ", "行"]),
            ("（", 8, &["（"]),
            ("ABCDEFGHIJK", 4, &["ABCD", "EFGH", "IJK"]),
            ("一\n二", 8, &["一", "二"]),
            ("医保", 1, &["医", "保"]),
        ] {
            let width_of = |character: char| if character.is_ascii() { 1 } else { 2 };
            assert_eq!(fold(text, width, width_of), lines, "{text}");
        }
    }
}
