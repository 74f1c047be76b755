//! A receipt of sixty goods with their reasons: its bytes for a printer, and its PDF. Prints rows for
//! docs/benchmarks.md; run by `scripts/bench.sh`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot run must stop and say so"
)]

mod table;

use std::time::Instant;

use yijie_hardware::{Paper, Slip, Typeface};

const ROUNDS: usize = 100;

/// Sixty goods of two rows each, a reason for each, and a QR code; so many of the names have a rare character.
fn slip(rare: usize) -> Slip {
    let mut slip = Slip::new()
        .title("医保结算单")
        .centred("昆明翠湖社区医院")
        .pair("参保人", if rare > 0 { "㐂*" } else { "王*" })
        .rule();
    for number in 1..=60 {
        let name = if number < rare {
            "阿莫西林克拉维酸钾片㐂"
        } else {
            "阿莫西林克拉维酸钾片"
        };
        slip = slip
            .text(format!("{name} {number} [乙]"))
            .pair(format!("  12.50 × {number}"), format!("{number}2.50"));
    }
    for number in 1..=60 {
        slip = slip.text(format!("· 昆政办〔2022〕15号 第七条 第 {number} 项先行自付 5%"));
    }
    slip.bold_pair("现金支付", "136.00 元").qr("530100G0000001234567")
}

fn main() {
    let regular: &[u8] = include_bytes!("../../ui/fonts/NotoSansSC-Regular.ttf");
    let rare: &[u8] = include_bytes!("../../ui/fonts/NotoSansSC-Rare.otf");
    let bold: &[u8] = include_bytes!("../../ui/fonts/NotoSansSC-SemiBold.ttf");
    let face = Typeface::new(&[regular, rare], &[bold]).unwrap();
    for (rare, what) in [
        (0, "no rare character"),
        (1, "a rare name"),
        (60, "a rare character in every line"),
    ] {
        let slip = slip(rare);
        measure(&format!("60 lines to bytes, {what}"), || {
            slip.to_escpos(Paper::Mm80, &face).len()
        });
        measure(&format!("60 lines to PDF, {what}"), || {
            slip.to_sheet("60", Paper::Mm80).to_pdf(&face).unwrap().len()
        });
    }
}

fn measure(what: &str, mut work: impl FnMut() -> usize) {
    let times = (0..ROUNDS)
        .map(|_| {
            let begin = Instant::now();
            std::hint::black_box(work());
            begin.elapsed()
        })
        .collect();
    table::print(what, times);
}
