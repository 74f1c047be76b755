//! A till with many entries starts again: after a kill, and with its store gone. Prints how long it took.
//!
//! `YIJIE_ENTRIES` sets how many entries there are (4 000 unless given); docs/reliability.md has the figures of 100 000.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "what goes wrong here fails the test"
)]

mod common;

use std::fs;
use std::time::Instant;

use common::{Seller, Shop, person, sale};
use serde_json::{Value, json};
use yijie_offline_cache::{Draft, Journal, Vault};

/// Sales of a day, as they are journalled: two entries each.
const SALES_PER_FLUSH: usize = 64;

/// What `journal show` says of the first entry of a kind about a sale.
fn record_of(shop: &Shop, kind: &str, id: &str) -> Value {
    let listed = shop.journal();
    let row = listed.iter().find(|row| row["kind"] == kind && row["sale"] == id);
    let seq = row.unwrap()["seq"].to_string();
    shop.run(&["journal", "show", &seq]).exit(0).json()["record"].clone()
}

/// Appends settled sales of many people until the journal has that many entries.
fn fill(shop: &Shop, entries: usize) {
    let (mut sold, mut settled) = (record_of(shop, "sale", "s1"), record_of(shop, "settled", "s1"));
    let vault = Vault::open(&shop.data).unwrap();
    let (journal, opened) = Journal::open(&shop.data, &vault).unwrap();
    let sales = entries.saturating_sub(usize::try_from(opened.entries).unwrap()) / 2;
    let numbers: Vec<usize> = (0..sales).collect();
    for run in numbers.chunks(SALES_PER_FLUSH) {
        let mut bodies = Vec::new();
        for no in run {
            let (id, msgid) = (format!("day-{no}"), format!("H530102000012025010100{no:08}"));
            sold["sale"]["id"] = json!(id);
            sold["sale"]["msgid"] = json!(msgid);
            sold["sale"]["claim"]["person"]["psn_no"] = json!(person(u32::try_from(10_000 + no).unwrap()));
            settled["sale"] = json!(id);
            settled["msgid"] = json!(msgid);
            bodies.push(("sale", serde_json::to_vec(&sold).unwrap()));
            bodies.push(("settled", serde_json::to_vec(&settled).unwrap()));
        }
        let drafts: Vec<Draft<'_>> = bodies
            .iter()
            .map(|(kind, body)| Draft {
                kind,
                time_ms: 1_760_000_000_000,
                body,
            })
            .collect();
        journal.append_all(&drafts).unwrap();
    }
}

#[test]
fn a_till_with_many_entries_starts_again_after_a_kill_and_without_its_store() {
    let entries: usize = match std::env::var("YIJIE_ENTRIES") {
        Ok(text) => text.parse().expect("YIJIE_ENTRIES is a number"),
        Err(_) => 4_000,
    };
    let shop = Shop::busy();
    fill(&shop, entries);
    let timed = |what: &str, args: &[&str]| {
        let started = Instant::now();
        let ended = shop.run(args).exit(0);
        eprintln!(
            "{entries} entries, {what}: {} in {} ms",
            args.join(" "),
            started.elapsed().as_millis()
        );
        ended
    };
    timed("store behind by all of them", &["queue", "list"]);
    let mut seller = Seller::start(&shop, &[]);
    assert_eq!(
        seller.ask(&sale("killed", &person(77), "100.00"))["state"],
        "settled"
    );
    seller.process.kill();
    timed("killed", &["queue", "list"]);
    let listed = shop.journal();
    assert!(listed.len() >= entries && listed.iter().any(|row| row["sale"] == "killed"));
    timed("at peace", &["queue", "list"]);
    fs::remove_dir_all(shop.data.join("store")).unwrap();
    timed("store gone", &["queue", "list"]).says("STORE_REBUILT");
    let answers = shop.sell(
        &["--offline"],
        &[
            sale("day-0", &person(1), "1.00"),
            sale("killed", &person(77), "100.00"),
        ],
    );
    assert!(
        answers.iter().all(|answer| answer["state"] == "settled"),
        "{answers:?}"
    );
    shop.run(&["journal", "verify"]).exit(0);
}
