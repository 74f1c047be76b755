//! Tests of slips: text by columns, bytes by a small decoder that knows only ESC/POS.

use super::*;
use crate::typeface::Typeface;

/// The faces that the terminal bundles, read from where they stand.
fn typeface() -> Typeface {
    let file = |name: &str| -> &'static [u8] {
        let path = format!("{}/../ui/fonts/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read(path).unwrap().leak()
    };
    Typeface::new(
        &[file("NotoSansSC-Regular.ttf"), file("NotoSansSC-Rare.otf")],
        &[file("NotoSansSC-SemiBold.ttf")],
    )
    .unwrap()
}

fn sample() -> Slip {
    Slip::new()
        .open_drawer()
        .title("示范药房")
        .centred("明细")
        .rule()
        .pair("阿莫西林胶囊 0.25g*24粒", "12.50")
        .bold_pair("合计", "12.50")
        .blank()
        .qr("20260301-000017")
        .mark("补打")
}

#[test]
fn text_is_laid_out_by_columns() {
    let text = sample().to_text(32);
    let expected = [
        "            示范药房",
        "              明细",
        "--------------------------------",
        "阿莫西林胶囊 0.25g*24粒    12.50",
        "合计                       12.50",
        "",
        "[QR] 20260301-000017",
        "          *** 补打 ***",
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    for columns in [20, 32, 42, 48] {
        for line in sample().to_text(columns).lines() {
            assert!(width(line) <= columns, "{line:?} in {columns}");
        }
    }
}

#[test]
fn a_pair_too_long_for_its_line_is_wrapped_and_loses_nothing() {
    let slip = Slip::new().pair("注射用头孢曲松钠他唑巴坦钠", "1234.50");
    assert_eq!(slip.to_text(20), "注射用头孢曲松钠他唑\n巴坦钠       1234.50\n");
    let slip = Slip::new().pair("注射用头孢曲松钠他唑巴坦", "12345678901234567");
    assert_eq!(
        slip.to_text(20),
        "注射用头孢曲松钠他唑\n巴坦\n   12345678901234567\n"
    );
    assert_eq!(Slip::new().pair("只有左边", "").to_text(20), "只有左边\n");
}

#[test]
fn no_character_vanishes_and_none_becomes_a_command() {
    let slip = Slip::new().text("王㐂𠮷\u{1B}p\u{7}€");
    assert_eq!(slip.to_text(48), "王㐂𠮷 p €\n");
    let printed = decode(&slip.to_escpos(Paper::Mm80, &typeface()));
    assert_eq!(printed.drawn.len(), 1, "the line is drawn as a whole");
    // No bundled face holds it, so it stands as its code point, in letters the printer has.
    let bytes = Slip::new()
        .text("王\u{3FFFD}")
        .to_escpos(Paper::Mm80, &typeface());
    assert!(contains(&bytes, b"\xCD\xF5[U+3FFFD]\n"));
}

#[test]
fn a_rare_character_is_drawn_where_it_stands_and_looks_like_itself() {
    for (paper, width, large) in [
        (Paper::Mm58, 384, false),
        (Paper::Mm80, 576, false),
        (Paper::Mm80, 576, true),
    ] {
        let style = TextStyle {
            large,
            ..TextStyle::default()
        };
        let drawn = |text: &str| {
            let bytes = Slip::new().styled(text, style).to_escpos(paper, &typeface());
            let mut drawn = decode(&bytes).drawn;
            assert_eq!(drawn.len(), 1, "{text}");
            drawn.remove(0)
        };
        let cell = if large { 48 } else { 24 };
        let (one, other) = (drawn("姓名 㐂"), drawn("姓名 𠮷"));
        for picture in [&one, &other] {
            assert_eq!(picture.width, width);
            assert_eq!(picture.height, cell);
        }
        let ink = |picture: &Picture, from: usize| {
            (0..cell * cell)
                .map(|at| picture.dot(from + at % cell, at / cell))
                .collect::<Vec<_>>()
        };
        // Two characters and a space before it.
        let (first, second) = (ink(&one, cell * 5 / 2), ink(&other, cell * 5 / 2));
        assert_ne!(first, second);
        for character in [first, second] {
            let black = character.iter().filter(|dot| **dot).count();
            assert!(
                black > cell * cell / 20 && black < cell * cell / 2,
                "{black} dots"
            );
        }
        assert_eq!(ink(&one, 0), ink(&other, 0), "姓 is 姓 in both");
        assert!(
            ink(&one, cell * 7 / 2).iter().all(|dot| !dot),
            "nothing behind it"
        );
    }
}

#[test]
fn the_drawer_pulse_carries_both_times_and_eats_no_text() {
    let bytes = Slip::new()
        .open_drawer()
        .text("AB")
        .to_escpos(Paper::Mm58, &typeface());
    assert_eq!(bytes[..9], [0x1B, 0x40, 0x1C, 0x26, 0x1B, 0x70, 0x00, 0x19, 0xFA]);
    assert!(!contains(
        &Slip::new().text("AB").to_escpos(Paper::Mm58, &typeface()),
        b"\x1B\x70"
    ));
}

#[test]
fn bytes_decode_to_the_same_slip() {
    for (paper, columns) in [(Paper::Mm58, 32), (Paper::Mm80, 48)] {
        let printed = decode(&sample().to_escpos(paper, &typeface()));
        assert_eq!(printed.drawer_pulses, 1);
        assert_eq!(printed.cuts, 1);
        assert_eq!(printed.qr, ["20260301-000017"]);
        let texts: Vec<&str> = printed.lines.iter().map(|line| line.text.as_str()).collect();
        let pair = pair_lines("阿莫西林胶囊 0.25g*24粒", "12.50", columns).remove(0);
        let total = pair_lines("合计", "12.50", columns).remove(0);
        let rule = "-".repeat(columns);
        assert_eq!(
            texts,
            [
                "示范药房",
                "明细",
                rule.as_str(),
                pair.as_str(),
                total.as_str(),
                "",
                "",
                "*** 补打 ***",
                "",
                "",
                ""
            ]
        );
        let styles: Vec<_> = printed
            .lines
            .iter()
            .map(|line| (line.align, line.large, line.bold))
            .collect();
        assert_eq!(styles[0], (1, true, true), "title");
        assert_eq!(styles[1], (1, false, false), "centred");
        assert_eq!(styles[3], (0, false, false), "pair");
        assert_eq!(styles[4], (0, false, true), "total");
        assert_eq!(styles[7], (1, true, true), "mark");
        for line in &printed.lines {
            assert!(
                width(&line.text) * if line.large { 2 } else { 1 } <= columns,
                "{:?}",
                line.text
            );
        }
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[derive(Default)]
struct Printed {
    lines: Vec<Line>,
    qr: Vec<String>,
    drawn: Vec<Picture>,
    drawer_pulses: usize,
    cuts: usize,
}

/// A raster image.
struct Picture {
    width: usize,
    height: usize,
    bytes: Vec<u8>,
}

impl Picture {
    fn dot(&self, x: usize, y: usize) -> bool {
        self.bytes[y * self.width / 8 + x / 8] >> (7 - x % 8) & 1 == 1
    }
}

struct Line {
    text: String,
    align: u8,
    large: bool,
    bold: bool,
}

/// Reads ESC/POS by the command tables; an unknown command fails the test.
fn decode(mut bytes: &[u8]) -> Printed {
    let mut printed = Printed::default();
    let (mut align, mut latin, mut chinese, mut bold, mut chinese_mode) = (0, 0, 0, false, false);
    let mut text = Vec::new();
    let mut stored = String::new();
    loop {
        let used = match bytes {
            [] => break,
            [b'\n', ..] => {
                assert!(chinese_mode);
                let line = GB18030
                    .decode_without_bom_handling_and_without_replacement(&text)
                    .unwrap()
                    .into_owned();
                assert_eq!(latin == 0x11, chinese == 0x0C, "both fonts are of one size");
                printed.lines.push(Line {
                    text: line,
                    align,
                    large: latin == 0x11,
                    bold,
                });
                text.clear();
                1
            }
            [0x1B, 0x40, ..] => 2,
            [0x1C, 0x26, ..] => {
                chinese_mode = true;
                2
            }
            [0x1B, 0x70, 0, t1, t2, ..] => {
                assert!(*t1 > 0 && t2 > t1);
                printed.drawer_pulses += 1;
                5
            }
            [0x1B, 0x61, n @ 0..=2, ..] => {
                assert!(text.is_empty(), "alignment counts only at the start of a line");
                align = *n;
                3
            }
            [0x1B, 0x45, n, ..] => {
                bold = *n == 1;
                3
            }
            [0x1D, 0x21, n, ..] => {
                latin = *n;
                3
            }
            [0x1C, 0x21, n, ..] => {
                chinese = *n;
                3
            }
            [0x1D, 0x76, 0x30, 0x00, wide, 0, high, 0, rest @ ..] => {
                assert!(text.is_empty(), "an image begins a line");
                let (width, height) = (usize::from(*wide), usize::from(*high));
                printed.drawn.push(Picture {
                    width: width * 8,
                    height,
                    bytes: rest[..width * height].to_vec(),
                });
                8 + width * height
            }
            [0x1B, 0x64, n, ..] => {
                for _ in 0..*n {
                    printed.lines.push(Line {
                        text: String::new(),
                        align,
                        large: false,
                        bold,
                    });
                }
                3
            }
            [0x1D, 0x56, 0x42, _, ..] => {
                printed.cuts += 1;
                4
            }
            [0x1D, 0x28, 0x6B, low, high, rest @ ..] => {
                let length = usize::from(u16::from_le_bytes([*low, *high]));
                match &rest[..length] {
                    [0x31, 0x50, 0x30, data @ ..] => stored = String::from_utf8(data.to_vec()).unwrap(),
                    [0x31, 0x51, 0x30] => printed.qr.push(stored.clone()),
                    [0x31, 0x41 | 0x43 | 0x45, ..] => {}
                    other => panic!("unknown QR command {other:x?}"),
                }
                5 + length
            }
            [byte, ..] => {
                assert!(
                    *byte >= 0x20,
                    "unknown command {:x?}",
                    &bytes[..bytes.len().min(4)]
                );
                text.push(*byte);
                1
            }
        };
        bytes = &bytes[used..];
    }
    printed
}
