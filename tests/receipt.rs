//! `yijie receipt`: ESC/POS read back by the command tables, PDFs by poppler's tools, reprints, provisional sales, claim
//! slips, and printers that do not print.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong here fails the test"
)]

mod common;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{Ended, Shop, person, run, sale, text};
use serde_json::{Value, json};

/// The receipt of a sale, to files in the shop's directory.
fn receipt(shop: &Shop, id: &str, extra: &[&str]) -> Ended {
    let mut args = vec!["receipt", id, "--json", "--data", shop.data.to_str().unwrap()];
    args.extend(extra);
    run(args, "")
}

/// A sale with a rare name among its goods, paid in part in cash.
fn rich(id: &str) -> Value {
    let mut rich = sale(id, &person(1), "200.00");
    rich.as_object_mut().unwrap().remove("accounts");
    rich["lines"][0]["name"] = json!("阿莫西林胶囊");
    rich["lines"].as_array_mut().unwrap().push(json!({
        "feedetl_sn": "2", "name": "𠮷㐂丸", "chrgitm_lv": "03", "pric": "20.00", "cnt": "1",
        "det_item_fee_sumamt": "20.00",
    }));
    rich
}

/// What a tool of the system says of a file.
fn tool(program: &str, args: &[&str], file: &Path) -> String {
    let mut command = Command::new(program);
    command.args(args).arg(file);
    if program == "pdftotext" {
        command.arg("-");
    }
    let done = command
        .output()
        .unwrap_or_else(|e| panic!("{program} (poppler-utils, see scripts/setup.sh): {e}"));
    assert!(
        done.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8(done.stdout).unwrap()
}

/// Decodes GB18030 with the system's iconv, which shares nothing with this program.
fn gb18030(bytes: &[u8]) -> String {
    let mut child = Command::new("iconv")
        .args(["-f", "GB18030", "-t", "UTF-8"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success());
    String::from_utf8(done.stdout).unwrap()
}

#[derive(Debug, Default)]
struct Printed {
    text: String,
    qr: Vec<Vec<u8>>,
    pulses: Vec<(u8, u8)>,
    images: Vec<(usize, usize)>,
    cuts: usize,
}

/// Reads ESC/POS; what the tables of commands do not know fails.
fn decode(bytes: &[u8]) -> Printed {
    let (mut printed, mut text, mut stored) = (Printed::default(), Vec::new(), Vec::new());
    let mut rest = bytes;
    while !rest.is_empty() {
        let used = match rest {
            [0x1B, 0x40, ..] | [0x1C, 0x26 | 0x2E, ..] => 2,
            [0x1B, 0x45 | 0x61 | 0x64, _, ..] | [0x1D | 0x1C, 0x21, _, ..] => 3,
            [0x1B, 0x70, 0 | 1, t1, t2, ..] => {
                printed.pulses.push((*t1, *t2));
                5
            }
            [0x1D, 0x56, 0x41 | 0x42, _, ..] => {
                printed.cuts += 1;
                4
            }
            [0x1D, 0x76, 0x30, _, xl, xh, yl, yh, ..] => {
                let wide = usize::from(*xl) + 256 * usize::from(*xh);
                let high = usize::from(*yl) + 256 * usize::from(*yh);
                assert!(rest[8..8 + wide * high].iter().any(|dots| *dots != 0));
                printed.images.push((wide * 8, high));
                8 + wide * high
            }
            [0x1D, 0x28, 0x6B, low, high, 0x31, function, data @ ..] => {
                let length = usize::from(*low) + 256 * usize::from(*high);
                match function {
                    0x50 => stored = data[1..length - 2].to_vec(),
                    0x51 => printed.qr.push(stored.clone()),
                    _ => {}
                }
                5 + length
            }
            [] => break,
            [byte, ..] => {
                assert!(
                    *byte == b'\n' || *byte >= 0x20,
                    "{:x?}",
                    &rest[..rest.len().min(4)]
                );
                text.push(*byte);
                1
            }
        };
        rest = &rest[used..];
    }
    printed.text = gb18030(&text);
    printed
}

/// The text of a document, without the spaces that lay it out.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn a_receipt_is_on_paper_and_in_a_pdf_with_the_same_figures() {
    let shop = Shop::open();
    let told = shop.try_sell(&[], &text(&[rich("a")])).exit(0);
    let answer = &told.lines()[0];
    let (bytes, pdf) = (shop.dir.path().join("r.bin"), shop.dir.path().join("r.pdf"));
    let targets = [
        "--escpos",
        bytes.to_str().unwrap(),
        "--pdf",
        pdf.to_str().unwrap(),
    ];
    assert_eq!(receipt(&shop, "a", &targets).exit(0).json()["copies"], 1);
    let printed = decode(&std::fs::read(&bytes).unwrap());
    let setl_id = answer["setl_id"].as_str().unwrap();
    assert_eq!(printed.qr, [setl_id.as_bytes()]);
    assert_eq!(printed.cuts, 1);
    assert!(
        matches!(printed.pulses[..], [(on, off)] if on > 0 && off > 0),
        "cash opens the drawer"
    );
    assert_eq!(
        printed.images,
        [(576, 24)],
        "the line with rare characters is drawn"
    );
    let in_pdf = squeezed(&tool("pdftotext", &["-layout"], &pdf));
    assert!(in_pdf.contains("𠮷㐂丸[丙]"), "{in_pdf}");
    for said in [
        "医保结算单",
        "阿莫西林胶囊[甲]",
        "医疗费总额220.00元",
        "统筹基金支付84.00元",
        "现金支付",
        setl_id,
    ] {
        assert!(in_pdf.contains(said), "{said} in {in_pdf}");
        assert!(
            squeezed(&printed.text).contains(said),
            "{said} in {}",
            printed.text
        );
    }
    assert!(!printed.text.contains("补打") && !printed.text.contains("暂定"));
    // Every face is embedded, as a subset, and its characters can be read back.
    let fonts = tool("pdffonts", &[], &pdf);
    let fonts: Vec<&str> = fonts.lines().skip(2).collect();
    assert!(fonts.len() >= 2, "{fonts:?}");
    for font in fonts {
        assert!(font.contains("yes yes yes") && font.contains('+'), "{font}");
    }
    assert!(std::fs::metadata(&pdf).unwrap().len() < 200_000);
}

#[test]
fn a_reprint_says_so_leaves_the_drawer_shut_and_fits_narrow_paper() {
    let shop = Shop::open();
    shop.try_sell(&[], &text(&[rich("a")])).exit(0);
    let path = shop.dir.path().join("r.bin");
    let target = ["--escpos", path.to_str().unwrap(), "--paper", "58"];
    receipt(&shop, "a", &target).exit(0);
    std::fs::remove_file(&path).unwrap();
    let told = receipt(&shop, "a", &target).exit(0).json();
    assert_eq!((&told["copies"], &told["reprint"]), (&json!(2), &json!(true)));
    let again = decode(&std::fs::read(&path).unwrap());
    assert!(again.text.contains("*** 补打 ***"), "{}", again.text);
    assert_eq!(again.pulses, []);
    assert_eq!(again.images, [(384, 24)]);
    for line in again.text.lines() {
        let columns: usize = line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
        assert!(columns <= 32, "{line:?}");
    }
    let kinds: Vec<String> = shop
        .journal()
        .iter()
        .map(|entry| entry["kind"].as_str().unwrap().to_owned())
        .filter(|kind| kind == "printed")
        .collect();
    assert_eq!(kinds.len(), 2);
}

#[test]
fn a_statement_has_every_figure_with_its_reasons_sources_and_grades() {
    let shop = Shop::open();
    let told = shop.try_sell(&[], &text(&[rich("a")])).exit(0);
    let answer = &told.lines()[0];
    let path = shop.dir.path().join("s.pdf");
    let handed_out = receipt(&shop, "a", &["--statement", path.to_str().unwrap()])
        .exit(0)
        .json();
    assert_eq!(handed_out["copies"], 0, "a statement is no receipt");
    let said = squeezed(&tool("pdftotext", &["-layout"], &path));
    let setlinfo = answer["setlinfo"].as_object().unwrap();
    assert_eq!(setlinfo.len(), 22);
    for (field, amount) in setlinfo {
        let figure = format!("{field}{}", amount.as_str().unwrap());
        assert!(said.contains(&figure), "{figure} in {said}");
    }
    for step in answer["trace"].as_array().unwrap() {
        assert!(
            said.contains(&squeezed(step["article"].as_str().unwrap())),
            "{step}"
        );
    }
    let packs = run(["packs", "--json"], "").exit(0).json();
    let pack = packs
        .as_array()
        .unwrap()
        .iter()
        .find(|pack| pack["id"] == answer["pack"]["id"]);
    for source in pack.unwrap()["sources"].as_array().unwrap() {
        assert!(
            said.contains(&squeezed(source["name"].as_str().unwrap())),
            "{source}"
        );
    }
    for grade in ["法规", "官方文件", "第三方报道"] {
        assert!(said.contains(grade), "{grade}");
    }
    let fonts = tool("pdffonts", &[], &path);
    assert!(
        fonts.lines().skip(2).all(|font| font.contains("yes yes yes")),
        "{fonts}"
    );
}

#[test]
fn a_statement_of_a_pack_with_another_laid_over_it_has_the_sources_of_both() {
    let shop = Shop::with(&["--sandbox-figures"]);
    let mut resident = sale("a", &person(1), "300.00");
    resident["person"]["insutype"] = json!("390");
    resident["person"]["psn_type"] = json!("14");
    shop.sell(&[], &[resident]);
    let path = shop.dir.path().join("s.pdf");
    receipt(&shop, "a", &["--statement", path.to_str().unwrap()]).exit(0);
    let said = squeezed(&tool("pdftotext", &["-layout"], &path));
    for source in ["没有任何依据的虚构数值", "昆明市"] {
        assert!(said.contains(source), "{source} in {said}");
    }
}

#[test]
fn a_statement_that_fails_keeps_no_receipt_back() {
    let shop = Shop::open();
    shop.try_sell(&[], &text(&[rich("a")])).exit(0);
    let (pdf, nowhere) = (shop.dir.path().join("r.pdf"), shop.dir.path().join("none/s.pdf"));
    let nowhere = ["--statement", nowhere.to_str().unwrap()];
    let alone = receipt(&shop, "a", &nowhere).exit(3);
    alone.says_json("FILE_FAILED");
    assert_eq!(alone.out, "");
    let both = receipt(
        &shop,
        "a",
        &[&nowhere[..], &["--pdf", pdf.to_str().unwrap()]].concat(),
    )
    .exit(3);
    both.says_json("FILE_FAILED");
    assert_eq!(both.json()["copies"], 1);
    assert_eq!(both.json()["statement"], json!(null));
    assert!(pdf.exists());
}

#[test]
fn a_sale_that_waits_is_marked_provisional() {
    let shop = Shop::open();
    shop.try_sell(&["--offline"], &text(&[sale("a", &person(1), "200.00")]))
        .exit(0);
    let state = shop.queue()[0]["state"].as_str().unwrap().to_owned();
    let (bytes, pdf) = (shop.dir.path().join("r.bin"), shop.dir.path().join("r.pdf"));
    let targets = [
        "--escpos",
        bytes.to_str().unwrap(),
        "--pdf",
        pdf.to_str().unwrap(),
    ];
    receipt(&shop, "a", &targets).exit(0);
    let printed = decode(&std::fs::read(&bytes).unwrap()).text;
    let in_pdf = tool("pdftotext", &["-layout"], &pdf);
    for said in [printed, in_pdf] {
        match state.as_str() {
            "committed" => assert!(said.contains("暂定") && said.contains("最迟结算时间"), "{said}"),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn a_cost_paid_in_advance_gives_a_claim_slip_with_the_documents_and_the_last_day() {
    let shop = Shop::open();
    let mut claim = sale("a", &person(1), "200.00");
    // A resident of Honghe in another province, who told nobody: not connected.
    claim["person"]["insutype"] = json!("390");
    claim["person"]["insuplc_admdvs"] = json!("532500");
    claim["visit"]["mdtrtarea_admvs"] = json!("510100");
    claim["visit"]["registered_referral"] = json!("none");
    let told = shop.sell(&["--offline"], &[claim]);
    assert_eq!(told[0]["setlinfo"]["psn_cash_pay"], "200.00", "{told:?}");
    let path = shop.dir.path().join("r.bin");
    receipt(&shop, "a", &["--escpos", path.to_str().unwrap()]).exit(0);
    let printed = decode(&std::fs::read(&path).unwrap()).text;
    for said in [
        "申报凭证",
        "出院证明",
        "医疗费用发票",
        "费用清单",
        "患者身份证明",
        "参保地经办机构",
        "2027-12-20",
        "红政规〔2022〕2号 第二十二条",
    ] {
        assert!(printed.contains(said), "{said} in {printed}");
    }
}

#[test]
fn a_printer_that_does_not_print_is_told_and_the_receipt_does_not_count() {
    let shop = Shop::open();
    shop.try_sell(&[], &text(&[rich("a")])).exit(0);
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp://{}", gone.local_addr().unwrap());
    drop(gone);
    let data = shop.data.to_str().unwrap();
    run(
        [
            "receipt", "a", "--lang", "en", "--data", data, "--escpos", &address,
        ],
        "",
    )
    .exit(3)
    .says("PRINTER_MISSING");
    run(["receipt", "a", "--lang", "en", "--data", data], "")
        .exit(3)
        .says("PRINTER_NOT_SET");
    run(
        [
            "receipt",
            "b",
            "--lang",
            "en",
            "--data",
            data,
            "--pdf",
            "/tmp/never.pdf",
        ],
        "",
    )
    .exit(1)
    .says("SALE_NOT_FOUND");
    let path = shop.dir.path().join("r.bin");
    assert_eq!(
        receipt(&shop, "a", &["--escpos", path.to_str().unwrap()])
            .exit(0)
            .json()["copies"],
        1
    );
}
