//! Claims and packs with something broken in them: read or refused, never a panic, and what is read is settled soundly.
//! YIJIE_MUTATIONS sets how many of each; YIJIE_SEED repeats a run.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "helpers of tests"
)]

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};

use serde_json::Value;
use yijie_rules::{Claim, Options, Outcome, Packs, check_pack, sandbox_overlays, split};

/// splitmix64
struct Chance(u64);

impl Chance {
    fn new() -> Chance {
        let given = std::env::var("YIJIE_SEED")
            .ok()
            .and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        eprintln!("YIJIE_SEED={seed}");
        Chance(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end.max(1) as u64)).unwrap()
    }

    fn of<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list.get(self.below(list.len())).unwrap()
    }
}

fn many(usual: usize) -> usize {
    let given = std::env::var("YIJIE_MUTATIONS")
        .ok()
        .and_then(|text| text.parse().ok());
    given.unwrap_or(usual)
}

/// What is put in somebody's way.
const JSON_BITS: [&str; 24] = [
    "null",
    "true",
    "-1",
    "0",
    "1e400",
    "-0.00",
    "\"\"",
    "\"0.001\"",
    "\"99999999999999.99\"",
    "{}",
    "[]",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u0000",
    "\u{0}",
    "2026-02-29",
    "9999-12-31 23:59:59",
    "１",
];
const TOML_BITS: [&str; 20] = [
    "[",
    "]",
    "[[",
    "=",
    "\"",
    "\"\"\"",
    "#",
    "0000-01-01",
    "9999-12-31",
    "2026-02-29",
    "-1",
    "true",
    "{}",
    "\"-0.50\"",
    "\"1e9\"",
    "reading:",
    "reading:nothing",
    "level_min = \"9\"\n",
    "by = [\"band\", \"level\"]\n",
    "\u{0}",
];

/// One change: a byte, a cut, a repetition, or a bit put in.
fn mutate(text: &mut Vec<u8>, bits: &[&str], chance: &mut Chance) {
    let at = chance.below(text.len());
    let end = (at + 1 + chance.below(40)).min(text.len());
    match chance.below(6) {
        0 => {
            if let Some(byte) = text.get_mut(at) {
                *byte ^= 1 << chance.below(8);
            }
        }
        1 => text.truncate(at),
        2 => drop(text.drain(at..end)),
        3 => {
            let piece: Vec<u8> = text.drain(at..end).collect();
            let twice = [piece.as_slice(), piece.as_slice()].concat();
            drop(text.splice(at..at, twice));
        }
        4 => drop(text.splice(at..at, chance.of(bits).bytes())),
        _ => drop(text.splice(at..end, chance.of(bits).bytes())),
    }
}

fn claims() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases");
    let mut claims = vec![include_str!("example/ordinary-retired-level2.claim.json").to_owned()];
    for entry in std::fs::read_dir(folder).unwrap() {
        let sheet: Value = serde_json::from_slice(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap();
        let mut claim = sheet["base"].clone();
        for case in sheet["cases"].as_array().unwrap() {
            for (part, over) in case["claim"].as_object().unwrap() {
                match (claim.get_mut(part), over) {
                    (Some(Value::Object(base)), Value::Object(over)) => base.extend(over.clone()),
                    (_, over) => claim[part] = over.clone(),
                }
            }
            claims.push(claim.to_string());
        }
    }
    claims
}

#[test]
fn a_broken_claim_is_refused_or_settled_soundly() {
    let packs = Packs::builtin().with_sandbox_figures();
    let (claims, mut chance) = (claims(), Chance::new());
    let (mut read, mut refused) = (0, 0);
    for _ in 0..many(6_000) {
        let mut text = claims
            .get(chance.below(claims.len()))
            .unwrap()
            .clone()
            .into_bytes();
        for _ in 0..=chance.below(3) {
            mutate(&mut text, &JSON_BITS, &mut chance);
        }
        let claim = match Claim::from_json(&text) {
            Ok(claim) => claim,
            Err(error) => {
                refused += 1;
                let told = error.to_string();
                assert!(
                    !told.is_empty() && !told.contains("530100000000"),
                    "a person's number: {told}"
                );
                continue;
            }
        };
        read += 1;
        let outcome = split(&packs, &claim, &Options::default());
        if let Outcome::Settled(settlement) = &outcome {
            assert_eq!(settlement.check(), Ok(()));
        }
        let mut written = Vec::new();
        outcome.write_json(&mut written);
        assert_eq!(
            String::from_utf8(written).unwrap(),
            serde_json::to_string(&outcome).unwrap()
        );
        // what was read is written in a form that is read as the same
        let again = serde_json::to_vec(&claim).unwrap();
        assert_eq!(Claim::from_json(&again), Ok(claim));
    }
    assert!(read > 0 && refused > 0, "{read} read, {refused} refused");
}

#[test]
fn a_broken_pack_is_refused_at_a_line_or_settles_soundly() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/packs");
    let packs = Packs::builtin();
    let mut texts: Vec<String> = [
        "530100-kunming/employee",
        "532500-honghe/resident",
        "510400-panzhihua/resident",
    ]
    .iter()
    .map(|file| std::fs::read_to_string(format!("{folder}/{file}.toml")).unwrap())
    .collect();
    texts.extend(sandbox_overlays().iter().map(|(_, text)| (*text).to_owned()));
    let claims: Vec<Claim> = claims()
        .iter()
        .filter_map(|text| Claim::from_json(text.as_bytes()).ok())
        .collect();
    let mut chance = Chance::new();
    let (mut good, mut bad) = (0, 0);
    for _ in 0..many(400) {
        let mut text = texts.get(chance.below(texts.len())).unwrap().clone().into_bytes();
        mutate(&mut text, &TOML_BITS, &mut chance);
        let text = String::from_utf8_lossy(&text);
        let faults = check_pack(&packs, "broken.toml", &text);
        let mut changed = packs.clone();
        assert_eq!(changed.add("broken.toml", &text).is_ok(), faults.is_empty());
        for fault in &faults {
            assert!(
                fault.line >= 1 && fault.line <= text.lines().count() + 1,
                "{fault}"
            );
        }
        if !faults.is_empty() {
            bad += 1;
            continue;
        }
        good += 1;
        for _ in 0..20 {
            let claim = claims.get(chance.below(claims.len())).unwrap();
            if let Outcome::Settled(settlement) = split(&changed, claim, &Options::default()) {
                assert_eq!(settlement.check(), Ok(()));
            }
        }
    }
    assert!(good > 0 && bad > 0, "{good} good, {bad} bad");
}
