//! The journal on a disk that loses power, fills up, or fails to flush.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::simulated::{SimulatedDisk, Trouble};
use crate::{Draft, Entry, Journal, JournalError, Limits, Vault, verify};

const LIMITS: Limits = Limits {
    segment_bytes_max: 6_000,
    free_bytes_min: 0,
};

struct Dice(u64);

impl Dice {
    fn new(test: &str) -> Self {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_nanos() as u64;
        let seed = std::env::var("YIJIE_SEED").map_or(now, |seed| seed.parse().unwrap());
        println!("{test}: YIJIE_SEED={seed}");
        Self(seed | 1)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }
}

fn draft(body: &[u8]) -> Draft<'_> {
    Draft {
        kind: "sale",
        time_ms: 0,
        body,
    }
}

fn on(disk: &SimulatedDisk, dir: &Path, vault: &Vault) -> Journal {
    Journal::open_on(Arc::new(disk.clone()), dir, vault, LIMITS)
        .unwrap()
        .0
}

fn entries(journal: &Journal) -> Vec<Entry> {
    journal.replay(1).collect::<Result<_, _>>().unwrap()
}

fn copy_keys(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for name in ["vault", "machine.key"] {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

/// Writes from several threads until the power goes; what was acknowledged, pairs with a common first number.
fn write_until_dark(journal: &Journal, sizes: &[usize]) -> Vec<Vec<Entry>> {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let writer = || {
            let mut acknowledged = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let mut body = number.to_be_bytes().to_vec();
                body.resize(8 + sizes[number % sizes.len()], 0xA5);
                let pair = [draft(&body), draft(&body)];
                match journal.append_all(&pair[..1 + number % 2]) {
                    Ok(entries) => acknowledged.push(entries),
                    Err(_) => return acknowledged,
                }
            }
        };
        let writers: Vec<_> = (0..3).map(|_| scope.spawn(writer)).collect();
        writers
            .into_iter()
            .flat_map(|writer| writer.join().unwrap())
            .collect()
    })
}

#[test]
fn no_power_cut_loses_an_acknowledged_entry_or_tears_a_batch() {
    let mut dice = Dice::new("power cut");
    let (mut acknowledged_total, mut torn_total) = (0, 0);
    for round in 0..200 {
        let root = tempfile::tempdir().unwrap();
        let (dir, left) = (root.path().join("before"), root.path().join("after"));
        let vault = Vault::create(&dir).unwrap();
        let disk = SimulatedDisk::default();
        let mut journal = on(&disk, &dir, &vault);
        if round % 3 == 0 {
            (0..dice.below(40)).for_each(|_| drop(journal.append(draft(&[1; 100])).unwrap()));
            drop(journal);
            journal = on(&disk, &dir, &vault);
        }
        let before = entries(&journal);
        disk.trouble_at(dice.below(120) as u32, Trouble::PowerCut);
        let sizes: Vec<usize> = (0..7).map(|_| dice.below(1_500)).collect();
        let acknowledged = write_until_dark(&journal, &sizes);
        disk.left_after_cut(&dir, &left, &mut |ways| dice.below(ways))
            .unwrap();
        copy_keys(&dir, &left);

        let (journal, opened) =
            Journal::open(&left, &vault).unwrap_or_else(|error| panic!("round {round}: {error}"));
        let found = entries(&journal);
        assert_eq!(
            found.get(..before.len()),
            Some(before.as_slice()),
            "round {round}"
        );
        for entry in acknowledged.iter().flatten() {
            assert_eq!(
                found.get(entry.seq as usize - 1),
                Some(entry),
                "round {round}: acknowledged and lost"
            );
        }
        let mut rest = &found[before.len()..];
        while let Some(entry) = rest.first() {
            let number = usize::from_be_bytes(entry.body[..8].try_into().unwrap());
            let of_one_call = 1 + number % 2;
            assert!(
                rest[..of_one_call].iter().all(|other| other.body == entry.body),
                "round {round}: half a call"
            );
            rest = &rest[of_one_call..];
        }
        journal.append(draft(b"after")).unwrap();
        drop(journal);
        assert_eq!(
            verify(&left, Some(&vault)).unwrap().entries,
            found.len() as u64 + 1
        );
        acknowledged_total += acknowledged.len();
        torn_total += usize::from(opened.torn.is_some());
    }
    println!("200 power cuts: {acknowledged_total} acknowledged calls, 0 lost; {torn_total} torn tails cut");
    assert!(
        acknowledged_total > 200 && torn_total > 5,
        "the simulation has lost its teeth"
    );
}

#[test]
fn a_failed_flush_stops_the_journal_until_it_is_opened_anew() {
    // At the second call after opening: the flush of a segment, new (call 2) or begun (call 1).
    for (written_before, at) in [(0, 2), (0, 3), (3, 1)] {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("data");
        let vault = Vault::create(&dir).unwrap();
        let disk = SimulatedDisk::default();
        let journal = on(&disk, &dir, &vault);
        (0..written_before).for_each(|_| drop(journal.append(draft(b"before")).unwrap()));
        disk.trouble_at(at, Trouble::FlushFails);
        let error = journal.append(draft(b"doubtful")).unwrap_err();
        assert!(matches!(error, JournalError::Stopped { .. }), "{error}");
        let calls = disk.calls();
        for _ in 0..3 {
            assert_eq!(
                journal.append(draft(b"refused")).unwrap_err().code(),
                "JOURNAL_STOPPED"
            );
        }
        assert_eq!(disk.calls(), calls, "the file is left alone");
        assert_eq!(entries(&journal).len(), written_before);
        drop(journal);

        // What is seen once opened anew is really there: a power cut at once takes none of it.
        let journal = on(&disk, &dir, &vault);
        let seen = entries(&journal);
        assert!((written_before..=written_before + 1).contains(&seen.len()));
        let left = root.path().join("left");
        disk.left_after_cut(&dir, &left, &mut |_| 0).unwrap();
        copy_keys(&dir, &left);
        assert_eq!(entries(&Journal::open(&left, &vault).unwrap().0), seen);
        journal.append(draft(b"goes on")).unwrap();
    }
}

#[test]
fn a_full_disk_refuses_one_entry_and_keeps_the_chain() {
    for (written_before, at) in [(0, 1), (3, 0)] {
        let root = tempfile::tempdir().unwrap();
        let vault = Vault::create(root.path()).unwrap();
        let disk = SimulatedDisk::default();
        let journal = on(&disk, root.path(), &vault);
        (0..written_before).for_each(|_| drop(journal.append(draft(b"before")).unwrap()));
        disk.trouble_at(at, Trouble::Full);
        assert_eq!(journal.append(draft(b"no room")).unwrap_err().code(), "DISK_FULL");
        let next = journal.append(draft(b"room again")).unwrap();
        assert_eq!(next.seq, written_before + 1);
        drop(journal);
        let (journal, opened) = Journal::open(root.path(), &vault).unwrap();
        assert_eq!((opened.entries, opened.torn), (written_before + 1, None));
        assert_eq!(entries(&journal).pop(), Some(next));
    }
}

#[test]
fn a_full_disk_that_keeps_half_an_entry_stops_the_journal() {
    let root = tempfile::tempdir().unwrap();
    let vault = Vault::create(root.path()).unwrap();
    let disk = SimulatedDisk::default();
    let journal = on(&disk, root.path(), &vault);
    let first = journal.append(draft(b"first")).unwrap();
    disk.trouble_at(0, Trouble::FullForGood);
    assert_eq!(
        journal.append(draft(b"half")).unwrap_err().code(),
        "JOURNAL_STOPPED"
    );
    drop(journal);
    let (journal, opened) = Journal::open(root.path(), &vault).unwrap();
    assert!(opened.torn.is_some());
    assert_eq!(entries(&journal), [first]);
}

#[test]
fn all_who_share_a_failed_flush_are_told() {
    let root = tempfile::tempdir().unwrap();
    let vault = Vault::create(root.path()).unwrap();
    let disk = SimulatedDisk::default();
    let journal = on(&disk, root.path(), &vault);
    disk.trouble_at(41, Trouble::FlushFails);
    let acknowledged: Vec<_> = write_until_dark(&journal, &[10]).into_iter().flatten().collect();
    let mut found = entries(&journal);
    assert_eq!(found.len(), acknowledged.len());
    found.retain(|entry| !acknowledged.contains(entry));
    assert_eq!(found, []);
}
