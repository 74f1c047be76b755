//! What a commit costs over a bare write and fdatasync of the same bytes, in the same run on the same disk; what sixteen
//! writers gain by sharing flushes; how long opening and rebuilding take with 100 000 entries.
//!
//! `cargo bench -p yijie-offline-cache [-- DIRECTORY]`: the directory says which disk.

#![expect(clippy::print_stdout, reason = "prints its table")]
#![expect(clippy::float_arithmetic, reason = "ratios of times, no money")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that fails may stop"
)]

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use yijie_offline_cache::{Change, Draft, Journal, Key, Limits, Store, Vault};

const BODY_BYTES: usize = 700;
const COMMITS: usize = 4_000;
const WRITERS: usize = 16;
const SALE_BYTES: usize = 3_500;
const ROW_BYTES: usize = 5_000;
const ENTRIES: u32 = 100_000;

fn main() {
    let place = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    let root = match &place {
        Some(place) => tempfile::tempdir_in(place).unwrap(),
        None => tempfile::tempdir().unwrap(),
    };
    println!("| measure | value |\n|---|---|");
    one_writer(&root.path().join("one"));
    many_writers(&root.path().join("many"));
    recovery(&root.path().join("recovery"));
}

fn row(measure: &str, value: &str) {
    println!("| {measure} | {value} |");
}

fn draft(body: &[u8]) -> Draft<'_> {
    Draft {
        kind: "sale",
        time_ms: 0,
        body,
    }
}

fn open(dir: &Path) -> (Vault, Journal) {
    let vault = Vault::open_or_create(dir).unwrap();
    let (journal, _) = Journal::open_with(dir, &vault, Limits::default()).unwrap();
    (vault, journal)
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Bare and journal take turns, so that whatever else the disk does meets both.
fn one_writer(dir: &Path) {
    let (_, journal) = open(dir);
    let body = [0x5A; BODY_BYTES];
    journal.append(draft(&body)).unwrap();
    let record_bytes = fs::read_dir(dir.join("journal"))
        .unwrap()
        .map(|item| item.unwrap().metadata().unwrap().len());
    let record = vec![0x5A; record_bytes.sum::<u64>() as usize - 52];
    let mut bare_file = File::create(dir.join("bare")).unwrap();
    let (mut bare, mut own) = (Vec::new(), Vec::new());
    for round in 0..COMMITS * 2 {
        let start = Instant::now();
        if round % 2 == 0 {
            bare_file.write_all(&record).unwrap();
            bare_file.sync_data().unwrap();
            bare.push(start.elapsed());
        } else {
            journal.append(draft(&body)).unwrap();
            own.push(start.elapsed());
        }
    }
    bare.sort();
    own.sort();
    for (name, at) in [("p50", COMMITS / 2), ("p99", COMMITS * 99 / 100)] {
        let (bare, own) = (micros(bare[at]), micros(own[at]));
        row(
            &format!("bare write+fdatasync of {} bytes, {name}", record.len()),
            &format!("{bare:.0} µs"),
        );
        row(
            &format!("commit of one entry ({BODY_BYTES}-byte body), {name}"),
            &format!("{own:.0} µs ({:.2}×)", own / bare),
        );
    }
}

fn many_writers(dir: &Path) {
    let (_, journal) = open(dir);
    let body = [0x5A; BODY_BYTES];
    let run = |writers: usize, each: usize| {
        let start = Instant::now();
        thread::scope(|scope| {
            for _ in 0..writers {
                scope.spawn(|| (0..each).for_each(|_| drop(journal.append(draft(&body)).unwrap())));
            }
        });
        (writers * each) as f64 / start.elapsed().as_secs_f64()
    };
    let mut rates: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    for _ in 0..7 {
        rates[0].push(run(1, 500));
        rates[1].push(run(WRITERS, 500));
    }
    let [one, many] = rates.map(|mut rates| {
        rates.sort_by(f64::total_cmp);
        rates[3]
    });
    row("entries per second, one writer", &format!("{one:.0}"));
    row(
        &format!("entries per second, {WRITERS} writers"),
        &format!("{many:.0} ({:.1}×)", many / one),
    );
}

/// Bodies and rows are as large as a till's: a sale with its reasons, and every second entry its answer.
fn recovery(dir: &Path) {
    let (vault, journal) = open(dir);
    let body = [0x5A; SALE_BYTES];
    for _ in 0..ENTRIES / 1_000 {
        journal.append_all(&vec![draft(&body); 1_000]).unwrap();
    }
    // As after a kill: no mark at the end, no clean close.
    std::mem::forget(journal);
    let start = Instant::now();
    let (journal, opened) = Journal::open(dir, &vault).unwrap();
    assert_eq!(opened.entries, u64::from(ENTRIES));
    row(
        &format!("open and check a journal of {ENTRIES} entries after a kill"),
        &format!("{:.0} ms", micros(start.elapsed()) / 1e3),
    );

    let start = Instant::now();
    assert_eq!(
        journal
            .replay(1)
            .map(|entry| entry.unwrap().body.len())
            .sum::<usize>(),
        ENTRIES as usize * SALE_BYTES
    );
    row(
        "read all of it",
        &format!("{:.0} ms", micros(start.elapsed()) / 1e3),
    );

    let (store, _) = Store::open(dir, &vault).unwrap();
    let start = Instant::now();
    for entry in journal.replay(1) {
        let seq = entry.unwrap().seq;
        let put = Change::Put {
            tree: "sales",
            key: Key::Secret(&seq.div_ceil(2).to_be_bytes()),
            value: &[0x5A; ROW_BYTES],
        };
        let changes = if seq % 2 == 0 { vec![put] } else { Vec::new() };
        store.apply(seq, &changes).unwrap();
        if store.is_full() {
            store.flush().unwrap();
        }
    }
    store.flush().unwrap();
    row(
        &format!("rebuild the store from it, one row of {ROW_BYTES} bytes for two entries"),
        &format!("{:.0} ms", micros(start.elapsed()) / 1e3),
    );
    drop(store);
    let start = Instant::now();
    let (store, opened) = Store::open(dir, &vault).unwrap();
    assert_eq!(opened.applied_seq, u64::from(ENTRIES));
    row(
        "open and check that store",
        &format!("{:.0} ms", micros(start.elapsed()) / 1e3),
    );
    drop(store);
}
