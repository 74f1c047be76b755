//! Records that stand in line together: each is told what came of it and of nothing else, whatever goes wrong with one.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what goes wrong here fails the test"
)]

use std::path::Path;
use std::sync::{Arc, mpsc};

use yijie::books::{Books, Findings};
use yijie::record::Record;
use yijie_offline_cache::{SimulatedDisk, Trouble};

const INSTITUTION: &str = "H53010200001";
/// More than a segment of the journal holds.
const TOO_LONG: usize = 20_000_000;

fn open(disk: &SimulatedDisk, dir: &Path) -> (Books, Findings) {
    Books::open_on(Arc::new(disk.clone()), dir, INSTITUTION, 0).unwrap()
}

fn lost(card_sn: &str) -> Record {
    Record::LostCards {
        card_sns: vec![card_sn.to_owned()],
    }
}

/// Of a sale that was never made.
fn unbookable() -> Record {
    Record::Printed {
        sale: "nobody's".to_owned(),
        copies_before: 0,
    }
}

/// Calls of the disk that one record costs by itself.
fn calls_of_one(books: &Books, disk: &SimulatedDisk) -> u32 {
    // The first of a journal makes its segment too.
    books.append(&lost("first"), 0).unwrap();
    let calls = disk.calls();
    books.append(&lost("alone"), 0).unwrap();
    disk.calls() - calls
}

/// What came of records that share a flush, in their order: the entry's number, or the code.
fn in_one_group(books: &Books, records: Vec<Record>) -> Vec<Result<u64, &'static str>> {
    let (go_on, held_up) = mpsc::channel::<()>();
    let (begin, begun) = mpsc::channel();
    // The bookkeeper is held up by the one before, so that all of them are in line when it comes back.
    let hold = move |_| {
        begin.send(()).unwrap();
        // Ends when the sender is gone.
        assert!(held_up.recv().is_err());
    };
    books.enter(lost("before").into(), 0, hold).unwrap();
    begun.recv().unwrap();
    let told: Vec<_> = records
        .into_iter()
        .map(|record| {
            let (tell, told) = mpsc::channel();
            let done = move |booked| drop(tell.send(booked));
            books.enter(record.into(), 0, done).unwrap();
            told
        })
        .collect();
    drop(go_on);
    told.iter()
        .map(|told| told.recv().unwrap().map_err(|error| error.code()))
        .collect()
}

#[test]
fn a_group_shares_a_flush() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), SimulatedDisk::default());
    let (books, _) = open(&disk, dir.path());
    let alone = calls_of_one(&books, &disk);
    let calls = disk.calls();
    let booked = in_one_group(&books, (0..50).map(|no| lost(&no.to_string())).collect());
    assert_eq!(booked, (4..54).map(Ok).collect::<Vec<_>>());
    assert_eq!(
        disk.calls() - calls,
        2 * alone,
        "the one that held it up, and the fifty"
    );
    assert_eq!(books.lost_cards().unwrap(), ["49"]);
}

#[test]
fn one_that_does_not_fit_is_refused_and_the_others_are_booked() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), SimulatedDisk::default());
    let (books, _) = open(&disk, dir.path());
    let booked = in_one_group(&books, vec![lost("a"), lost(&"9".repeat(TOO_LONG)), lost("b")]);
    assert_eq!(booked, [Ok(2), Err("JOURNAL_ENTRY_TOO_LARGE"), Ok(3)]);
    assert_eq!(books.lost_cards().unwrap(), ["b"]);
    assert_eq!(books.append(&lost("c"), 0).unwrap(), 4);
}

#[test]
fn after_one_that_cannot_be_booked_nothing_is() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), SimulatedDisk::default());
    let (books, _) = open(&disk, dir.path());
    let booked = in_one_group(&books, vec![lost("a"), unbookable(), lost("b")]);
    assert_eq!(booked, [Ok(2), Err("SALE_NOT_FOUND"), Err("BOOKS_STALLED")]);
    assert_eq!(books.lost_cards().unwrap(), ["a"]);
    assert_eq!(books.check_known().unwrap_err().code(), "BOOKS_STALLED");
    let calls = disk.calls();
    assert_eq!(books.append(&lost("c"), 0).unwrap_err().code(), "BOOKS_STALLED");
    assert_eq!(disk.calls(), calls, "the journal is left alone");
}

#[test]
fn a_flush_that_fails_leaves_all_of_its_group_in_doubt() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), SimulatedDisk::default());
    let (books, _) = open(&disk, dir.path());
    let each = calls_of_one(&books, &disk);
    // The flush is the last call of each.
    disk.trouble_at(2 * each - 1, Trouble::FlushFails);
    let booked = in_one_group(&books, vec![lost("a"), lost("b")]);
    assert_eq!(booked, [Err("JOURNAL_STOPPED"); 2]);
    assert_eq!(books.lost_cards().unwrap(), ["before"]);
    assert_eq!(books.check_known().unwrap_err().code(), "BOOKS_STALLED");
    assert_eq!(books.append(&lost("c"), 0).unwrap_err().code(), "BOOKS_STALLED");
}

#[test]
fn what_a_kill_takes_of_the_store_is_read_back_from_the_journal() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), SimulatedDisk::default());
    let (books, _) = open(&disk, dir.path());
    for no in 0..5 {
        books.append(&lost(&no.to_string()), 0).unwrap();
    }
    books.kill();
    let (books, findings) = open(&disk, dir.path());
    assert_eq!(findings.replayed, 5);
    assert_eq!(books.lost_cards().unwrap(), ["4"]);
    drop(books);
    assert_eq!(open(&disk, dir.path()).1.replayed, 0);
}
