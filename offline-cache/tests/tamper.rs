//! What a crash, a bad disk or a hand does to the journal's files is found and named, and never taken for data.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests, but not seen as such outside a test function"
)]

mod common;

use std::fs;
use std::path::Path;

use common::{copy_dir, draft, entries, five_entries, segments, small_segments, vault};
use yijie_offline_cache::{Broken, Entry, Fault, Journal, JournalError, MarkFound, Vault, verify};

struct Sample {
    root: tempfile::TempDir,
    vault: Vault,
    written: Vec<Entry>,
    bytes: Vec<u8>,
    copies: usize,
}

impl Sample {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("0");
        let written = five_entries(&dir);
        let bytes = fs::read(&segments(&dir)[0]).unwrap();
        Self {
            vault: vault(&dir),
            root,
            written,
            bytes,
            copies: 0,
        }
    }

    /// A fresh copy whose only segment holds `bytes`.
    fn with(&mut self, bytes: &[u8]) -> std::path::PathBuf {
        self.copies += 1;
        let dir = self.root.path().join(self.copies.to_string());
        copy_dir(&self.root.path().join("0"), &dir);
        fs::write(&segments(&dir)[0], bytes).unwrap();
        dir
    }

    /// Where each record begins, and where the last ends.
    fn edges(&self) -> Vec<usize> {
        let mut edges = vec![52];
        while let Some(at) = edges.last().copied().filter(|at| *at < self.bytes.len()) {
            edges.push(at + u32::from_be_bytes(self.bytes[at + 4..at + 8].try_into().unwrap()) as usize);
        }
        edges
    }
}

fn broken(outcome: Result<impl Sized, JournalError>) -> Broken {
    match outcome {
        Err(JournalError::Broken(broken)) => broken,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("taken for sound"),
    }
}

fn forget_mark(dir: &Path) {
    fs::remove_file(dir.join("journal.mark")).unwrap();
}

#[test]
fn a_tail_torn_at_any_byte_is_cut_told_and_kept() {
    let mut sample = Sample::new();
    let edges = sample.edges();
    assert_eq!(edges.len(), 6);
    // The three of one batch are there together or not at all.
    let whole_batches = [(edges[0], 0), (edges[1], 1), (edges[4], 4), (edges[5], 5)];
    for cut in 0..sample.bytes.len() {
        let torn_bytes = sample.bytes[..cut].to_vec();
        let dir = sample.with(&torn_bytes);
        forget_mark(&dir);
        let (sound, count) = whole_batches
            .iter()
            .rev()
            .find(|(at, _)| *at <= cut)
            .copied()
            .unwrap_or((0, 0));

        assert_eq!(
            verify(&dir, Some(&sample.vault)).unwrap().unfinished_bytes,
            (cut - sound) as u64,
            "cut {cut}"
        );
        let (journal, opened) = Journal::open(&dir, &sample.vault).unwrap();
        assert_eq!(
            (opened.entries, opened.mark),
            (count as u64, MarkFound::Missing),
            "cut {cut}"
        );
        assert_eq!(entries(&journal, 1), sample.written[..count], "cut {cut}");
        match opened.torn {
            None => assert_eq!(sound, cut),
            Some(torn) => {
                assert_eq!(
                    (torn.offset, torn.bytes),
                    (sound as u64, (cut - sound) as u64),
                    "cut {cut}"
                );
                assert_eq!(
                    fs::read(torn.kept).unwrap(),
                    sample.bytes[sound..cut],
                    "cut {cut}"
                );
            }
        }
        let next = journal.append(draft(b"next")).unwrap();
        assert_eq!(next.seq, count as u64 + 1);
        drop(journal);
        let (journal, opened) = Journal::open(&dir, &sample.vault).unwrap();
        assert_eq!(
            (opened.entries, opened.torn),
            (count as u64 + 1, None),
            "cut {cut}"
        );
        assert_eq!(entries(&journal, next.seq), [next]);
    }
}

#[test]
fn an_acknowledged_tail_that_is_gone_is_no_torn_tail() {
    let mut sample = Sample::new();
    for cut in 0..sample.bytes.len() {
        let shorter = sample.bytes[..cut].to_vec();
        let dir = sample.with(&shorter);
        let found = broken(Journal::open(&dir, &sample.vault));
        assert!(found.seq <= 5 && found.offset <= cut as u64, "cut {cut}: {found}");
        assert_eq!(
            fs::read(&segments(&dir)[0]).unwrap(),
            shorter,
            "nothing is changed"
        );
        assert_eq!(broken(verify(&dir, None)), found);
    }
}

#[test]
fn a_flipped_bit_at_any_byte_is_found_and_named() {
    let mut sample = Sample::new();
    let edges = sample.edges();
    for at in 0..sample.bytes.len() {
        let mut bytes = sample.bytes.clone();
        bytes[at] ^= 1 << (at % 8);
        let dir = sample.with(&bytes);
        let found = broken(Journal::open(&dir, &sample.vault));
        let record = edges.iter().filter(|edge| **edge <= at).count();
        if record == 0 {
            assert_eq!((found.offset, found.what), (0, Fault::Header), "byte {at}");
        } else {
            assert_eq!(found.offset, edges[record - 1] as u64, "byte {at}: {found}");
            assert!(
                matches!(found.what, Fault::Marker | Fault::Length | Fault::Checksum),
                "byte {at}: {found}"
            );
        }
        assert_eq!(broken(verify(&dir, None)), found, "byte {at}");
        assert_eq!(found.code(), "JOURNAL_BROKEN");
    }
}

#[test]
fn a_flipped_bit_before_the_last_batch_is_damage_even_without_a_mark() {
    let mut sample = Sample::new();
    let edges = sample.edges();
    for at in 0..edges[4] {
        let mut bytes = sample.bytes.clone();
        bytes[at] ^= 0x20;
        let dir = sample.with(&bytes);
        forget_mark(&dir);
        let found = broken(Journal::open(&dir, &sample.vault));
        assert!(found.offset <= at as u64, "byte {at}: {found}");
    }
}

#[test]
fn removed_repeated_and_reordered_records_are_found() {
    let mut sample = Sample::new();
    let edges = sample.edges();
    let parts: Vec<Vec<u8>> = edges
        .windows(2)
        .map(|edge| sample.bytes[edge[0]..edge[1]].to_vec())
        .collect();
    let header = sample.bytes[..52].to_vec();
    for (order, seq, what) in [
        (vec![1, 2, 3, 4], 1, Fault::Sequence { found: 2 }),
        (vec![0, 4], 2, Fault::Sequence { found: 5 }),
        (vec![0, 1, 3, 4], 2, Fault::Sequence { found: 4 }),
        (vec![0, 0, 1, 2, 3, 4], 2, Fault::Sequence { found: 1 }),
        (vec![0, 1, 2, 3, 4, 4], 6, Fault::Sequence { found: 5 }),
        (vec![0, 2, 1, 3, 4], 2, Fault::Sequence { found: 3 }),
        (vec![4, 1, 2, 3, 0], 1, Fault::Sequence { found: 5 }),
        (vec![0, 1, 2, 3], 5, Fault::CutOff { known_seq: 5 }),
        (vec![], 1, Fault::CutOff { known_seq: 5 }),
    ] {
        let mut bytes = header.clone();
        order
            .iter()
            .for_each(|part: &usize| bytes.extend_from_slice(&parts[*part]));
        let dir = sample.with(&bytes);
        for found in [
            broken(Journal::open(&dir, &sample.vault)),
            broken(verify(&dir, None)),
        ] {
            let named = (found.seq, found.what);
            // A gap inside a batch is named at the batch or at the record; the number that stands there is the proof.
            assert!(
                named == (seq, what) || named == (seq + 1, what),
                "{order:?}: {found}"
            );
        }
    }
}

#[test]
fn a_forged_record_does_not_pass_though_its_checksums_fit() {
    let mut sample = Sample::new();
    let edges = sample.edges();
    let reseal = |bytes: &mut Vec<u8>, record: usize| {
        let end = edges[record + 1] - 4;
        let crc = crc32c::crc32c(&bytes[edges[record]..end]);
        bytes[end..end + 4].copy_from_slice(&crc.to_be_bytes());
    };
    // A changed body in the middle breaks the chain at the next record; in the last record, the mark and the seal.
    for (record, seq, what) in [
        (0, 2, Fault::Chain),
        (3, 5, Fault::Chain),
        (4, 5, Fault::OtherHistory),
    ] {
        let mut bytes = sample.bytes.clone();
        bytes[edges[record + 1] - 30] ^= 1;
        reseal(&mut bytes, record);
        let dir = sample.with(&bytes);
        let found = broken(verify(&dir, None));
        assert_eq!((found.seq, found.what), (seq, what));
    }
    let mut bytes = sample.bytes.clone();
    bytes[edges[5] - 30] ^= 1;
    reseal(&mut bytes, 4);
    let dir = sample.with(&bytes);
    forget_mark(&dir);
    let found = broken(Journal::open(&dir, &sample.vault));
    assert_eq!((found.seq, found.what), (5, Fault::Seal));
    assert_eq!(broken(verify(&dir, Some(&sample.vault))), found);
}

#[test]
fn a_version_of_later_days_is_named() {
    let mut sample = Sample::new();
    let edges = sample.edges();
    let mut bytes = sample.bytes.clone();
    bytes[7] = 2;
    let crc = crc32c::crc32c(&bytes[..48]);
    bytes[48..52].copy_from_slice(&crc.to_be_bytes());
    let mut later_record = sample.bytes.clone();
    later_record[edges[4] + 3] = 2;
    let end = edges[5] - 4;
    let crc = crc32c::crc32c(&later_record[edges[4]..end]);
    later_record[end..].copy_from_slice(&crc.to_be_bytes());
    for bytes in [bytes, later_record] {
        let dir = sample.with(&bytes);
        forget_mark(&dir);
        let found = broken(Journal::open(&dir, &sample.vault));
        assert_eq!((found.what, found.code()), (Fault::Version(2), "JOURNAL_VERSION"));
        assert_eq!(fs::read(&segments(&dir)[0]).unwrap(), bytes, "nothing is changed");
    }
}

#[test]
fn a_missing_or_foreign_segment_is_found() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("0");
    let keys = vault(&dir);
    let (journal, _) = Journal::open_with(&dir, &keys, small_segments(500)).unwrap();
    (0..12_u8).for_each(|number| drop(journal.append(draft(&[number; 40])).unwrap()));
    drop(journal);
    let names: Vec<_> = segments(&dir)
        .iter()
        .map(|path| path.file_name().unwrap().to_owned())
        .collect();
    assert!(names.len() >= 4);
    for (removed, name) in names.iter().enumerate() {
        let copy = root.path().join(format!("removed-{removed}"));
        copy_dir(&dir, &copy);
        fs::remove_file(copy.join("journal").join(name)).unwrap();
        let found = broken(Journal::open(&copy, &keys));
        let first: u64 = name.to_str().unwrap()[..20].parse().unwrap();
        assert_eq!(found.seq, first, "{found}");
        assert!(
            matches!(
                found.what,
                Fault::Sequence { .. } | Fault::CutOff { known_seq: 12 }
            ),
            "{found}"
        );
    }
    let other = root.path().join("other");
    copy_dir(&dir, &other);
    fs::copy(
        other.join("journal").join(&names[1]),
        other.join("journal").join(&names[2]),
    )
    .unwrap();
    assert!(matches!(
        broken(Journal::open(&other, &keys)).what,
        Fault::Sequence { .. }
    ));
    fs::remove_dir_all(other.join("journal")).unwrap();
    assert_eq!(
        broken(Journal::open(&other, &keys)).what,
        Fault::CutOff { known_seq: 12 }
    );
}

#[test]
fn a_damaged_mark_is_told_and_made_anew() {
    let mut sample = Sample::new();
    let bytes = sample.bytes.clone();
    let length = fs::read(sample.root.path().join("0/journal.mark")).unwrap().len();
    for at in 0..length {
        let dir = sample.with(&bytes);
        let mut mark = fs::read(dir.join("journal.mark")).unwrap();
        mark[at] ^= 0x40;
        fs::write(dir.join("journal.mark"), mark).unwrap();
        let (journal, opened) = Journal::open(&dir, &sample.vault).unwrap();
        assert_eq!(
            (opened.mark, opened.entries),
            (MarkFound::Damaged, 5),
            "byte {at}"
        );
        drop(journal);
        assert_eq!(
            Journal::open(&dir, &sample.vault).unwrap().1.mark,
            MarkFound::Sound
        );
    }
}

#[test]
fn a_journal_of_another_vault_is_not_added_to() {
    let mut sample = Sample::new();
    let bytes = sample.bytes.clone();
    let dir = sample.with(&bytes);
    let elsewhere = sample.root.path().join("elsewhere");
    let found = broken(Journal::open(&dir, &vault(&elsewhere)));
    assert_eq!(found.what, Fault::Seal);
    assert_eq!(fs::read(&segments(&dir)[0]).unwrap(), bytes);
}
