//! The price list: replaced whole by a supervisor, or not at all.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong here fails the test"
)]

mod common;

use std::fmt::Write as _;
use std::fs;

use common::{Ended, OPERATOR, PIN, Shop, finish};

const HEAD: &str = "code,name,spec,initials,barcode,trace_prefix,level,selfpay_prop,price_limit,price,cash_price,goods,negotiated\n";

fn import(shop: &Shop, bytes: &[u8], pin: &str) -> Ended {
    let file = shop.dir.path().join("list.csv");
    fs::write(&file, bytes).unwrap();
    let args = [
        "catalogue",
        "import",
        file.to_str().unwrap(),
        "--operator",
        OPERATOR,
        "--pin-stdin",
    ];
    finish(shop.command(&args), &format!("{pin}\n"))
}

fn names(shop: &Shop) -> Vec<String> {
    let told = shop.run(&["catalogue", "list", "--json"]).exit(0).json();
    let items = told.as_array().unwrap();
    items
        .iter()
        .map(|item| item["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_supervisor_replaces_the_price_list_whole_or_not_at_all() {
    let shop = Shop::open();
    let first = format!("\u{feff}{HEAD}XA0001,阿莫西林胶囊,0.25g×24,amxljn,,,01,,,12.50,,drug,0\n");
    import(&shop, first.as_bytes(), PIN).exit(0);
    assert_eq!(names(&shop), ["阿莫西林胶囊"]);

    let broken =
        format!("{HEAD}XA0002,布洛芬,,blf,,,01,,,8.00,,drug,0\nXA0003,氯雷他定,,lltd,,,01,,,dear,,drug,0\n");
    let refused = import(&shop, broken.as_bytes(), PIN).exit(1);
    assert!(
        refused.says("CATALOGUE_ROW_UNREADABLE").err.contains("row 3"),
        "{}",
        refused.err
    );
    // 阿 in GBK: a spreadsheet's older way to save
    import(&shop, b"code,name\nXA0001,\xb0\xa2\n", PIN)
        .exit(1)
        .says("CATALOGUE_NOT_UTF8");
    import(&shop, first.as_bytes(), "999999")
        .exit(2)
        .says("PIN_NOT_RIGHT");
    assert_eq!(names(&shop), ["阿莫西林胶囊"]);

    let entries = shop.journal();
    assert_eq!(
        entries
            .iter()
            .filter(|entry| entry["kind"] == "catalogue")
            .count(),
        1
    );
}

#[test]
fn a_large_pharmacy_has_thirty_thousand_items() {
    let shop = Shop::open();
    let mut list = HEAD.to_owned();
    for number in 0..30_000 {
        writeln!(list, "XA{number:05},药品名称较长的品种{number},0.25g×24片 某某制药股份有限公司,ypmc{number},,,01,,,12.50,,drug,0").unwrap();
    }
    import(&shop, list.as_bytes(), PIN).exit(0);
    assert_eq!(names(&shop).len(), 30_000);
    shop.run(&["journal", "verify"]).exit(0);
}
