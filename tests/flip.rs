//! Single bits of the whole data directory and of its witness flipped at places of chance: each is detected or harmless, none makes a panic,
//! none changes in silence what the till tells.
//!
//! `YIJIE_FLIPS` sets how many there are (60 unless given), `YIJIE_SEED` repeats a run.

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
use std::path::Path;
use std::process::Command;

use common::{Chance, Ended, Shop, files};
use serde_json::Value;

fn copy(from: &Path, to: &Path) {
    if to.exists() {
        fs::remove_dir_all(to).unwrap();
    }
    let ran = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(ran.success());
}

/// What the till tells of its store and of its journal.
fn told(shop: &Shop) -> [Ended; 2] {
    [["queue", "list", "--json"], ["journal", "list", "--json"]].map(|args| shop.run(&args))
}

#[test]
fn a_flipped_bit_anywhere_is_detected_or_harmless() {
    let flips: u64 = match std::env::var("YIJIE_FLIPS") {
        Ok(text) => text.parse().expect("YIJIE_FLIPS is a number"),
        Err(_) => 60,
    };
    let mut chance = Chance::new();
    let shop = Shop::busy();
    told(&shop);
    let sound = told(&shop);
    let (whole, state) = (shop.dir.path().join("whole"), shop.dir.path().join("state"));
    let state_kept = shop.dir.path().join("state.kept");
    copy(&shop.data, &whole);
    copy(&state, &state_kept);
    let mut places = [files(&whole), files(&state_kept)].concat();
    places.retain(|file| fs::metadata(file).unwrap().len() > 0);
    let (mut refused, mut said, mut harmless) = (0, 0, 0);
    for _ in 0..flips {
        copy(&whole, &shop.data);
        copy(&state_kept, &state);
        let file = &places[usize::try_from(chance.below(places.len() as u64)).unwrap()];
        let mut bytes = fs::read(file).unwrap();
        let at = usize::try_from(chance.below(bytes.len() as u64)).unwrap();
        bytes[at] ^= 1 << chance.below(8);
        let now_at = match file.strip_prefix(&whole) {
            Ok(name) => shop.data.join(name),
            Err(_) => state.join(file.strip_prefix(&state_kept).unwrap()),
        };
        fs::write(&now_at, bytes).unwrap();
        let place = format!("{} byte {at}", now_at.display());
        let now = told(&shop);
        for (ended, before) in now.iter().zip(&sound) {
            assert!(ended.code.is_some(), "{place}: killed by a signal\n{}", ended.err);
            assert!(
                !ended.err.contains("panicked") && !ended.err.contains("INTERNAL"),
                "{place}: {}",
                ended.err
            );
            if ended.code == Some(0) {
                // What was noticed is journalled behind what stood there.
                let (rows, known): (Vec<Value>, Vec<Value>) = (
                    serde_json::from_str(&ended.out).unwrap(),
                    serde_json::from_str(&before.out).unwrap(),
                );
                assert_eq!(rows[..known.len()], known[..], "{place} changed what is told");
            }
        }
        match &now {
            all if all.iter().any(|ended| ended.code != Some(0)) => refused += 1,
            all if all.iter().any(|ended| !ended.err.is_empty()) => said += 1,
            _ => {
                assert_eq!(
                    (&now[0].out, &now[1].out),
                    (&sound[0].out, &sound[1].out),
                    "{place}"
                );
                harmless += 1;
            }
        }
    }
    eprintln!("{flips} flips: {refused} refused, {said} told, {harmless} harmless");
}
