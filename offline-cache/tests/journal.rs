//! What the journal promises while nothing goes wrong.

mod common;

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::{fs, thread};

use common::{draft, entries, files, five_entries, segments, small_segments, vault};
use yijie_offline_cache::{Draft, Journal, JournalError, Limits, MarkFound, verify};

#[test]
fn a_new_journal_is_empty() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, opened) = Journal::open(dir.path(), &vault(dir.path())).unwrap();
    assert_eq!(
        (opened.entries, opened.last_seq, opened.torn, opened.mark),
        (0, 0, None, MarkFound::Missing)
    );
    assert_eq!(journal.last(), None);
    assert!(entries(&journal, 0).is_empty());
    drop(journal);
    assert_eq!(verify(dir.path(), None).unwrap().entries, 0);
}

#[test]
fn entries_come_back_as_they_were_written() {
    let dir = tempfile::tempdir().unwrap();
    let written = five_entries(dir.path());
    assert_eq!(
        written.iter().map(|entry| entry.seq).collect::<Vec<_>>(),
        [1, 2, 3, 4, 5]
    );
    assert_eq!(written[0].prev, [0; 32]);
    assert!(written.windows(2).all(|pair| pair[0].hash == pair[1].prev));

    let vault = vault(dir.path());
    let (journal, opened) = Journal::open(dir.path(), &vault).unwrap();
    assert_eq!(
        (opened.entries, opened.last_seq, opened.torn, opened.mark),
        (5, 5, None, MarkFound::Sound)
    );
    assert_eq!(journal.last(), Some((5, written[4].hash)));
    for from_seq in 0..8 {
        let skipped = usize::try_from(from_seq).unwrap().saturating_sub(1).min(5);
        assert_eq!(entries(&journal, from_seq), written[skipped..], "from {from_seq}");
    }
    let sixth = journal
        .append(Draft {
            kind: "settled",
            time_ms: -1,
            body: b"six",
        })
        .unwrap();
    assert_eq!((sixth.seq, sixth.prev, sixth.time_ms), (6, written[4].hash, -1));
    assert_eq!(entries(&journal, 6), std::slice::from_ref(&sixth));

    let verified = verify(dir.path(), Some(&vault)).unwrap();
    assert_eq!(
        (verified.entries, verified.last_hash, verified.unfinished_bytes),
        (6, sixth.hash, 0)
    );
    assert!(verified.seals_opened);
}

#[test]
fn segments_are_closed_before_they_outgrow_their_size() {
    let dir = tempfile::tempdir().unwrap();
    let vault = vault(dir.path());
    let (journal, _) = Journal::open_with(dir.path(), &vault, small_segments(1000)).unwrap();
    let bodies: Vec<Vec<u8>> = (0..40_u8)
        .map(|number| vec![number; usize::from(number) * 9])
        .collect();
    let written: Vec<_> = bodies
        .iter()
        .map(|body| journal.append(draft(body)).unwrap())
        .collect();
    let sizes: Vec<u64> = segments(dir.path())
        .iter()
        .map(|path| fs::metadata(path).unwrap().len())
        .collect();
    assert!(sizes.len() > 10, "{sizes:?}");
    assert!(sizes.iter().all(|size| *size <= 1000), "{sizes:?}");
    for from_seq in 1..=40 {
        assert_eq!(
            entries(&journal, from_seq as u64),
            written[from_seq - 1..],
            "from {from_seq}"
        );
    }
    drop(journal);
    let (journal, opened) = Journal::open_with(dir.path(), &vault, small_segments(1000)).unwrap();
    assert_eq!(opened.entries, 40);
    assert_eq!(entries(&journal, 1), written);
    assert_eq!(verify(dir.path(), Some(&vault)).unwrap().entries, 40);
}

#[test]
fn what_can_not_be_an_entry_is_refused_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open_with(dir.path(), &vault(dir.path()), small_segments(1000)).unwrap();
    for (kind, code) in [
        ("", "JOURNAL_KIND"),
        ("seventeen-letters", "JOURNAL_KIND"),
        ("with space", "JOURNAL_KIND"),
        ("结算", "JOURNAL_KIND"),
        ("sixteen--letters", ""),
    ] {
        let outcome = journal.append(Draft {
            kind,
            time_ms: 0,
            body: b"",
        });
        assert_eq!(outcome.map_or_else(|error| error.code(), |_| ""), code, "{kind}");
    }
    let large = [0; 900];
    let error = journal.append_all(&[draft(b"small"), draft(&large)]).unwrap_err();
    assert_eq!(error.code(), "JOURNAL_ENTRY_TOO_LARGE");
    assert_eq!(journal.append_all(&[]).unwrap(), []);
    assert_eq!(entries(&journal, 1).len(), 1);
}

#[test]
fn a_nearly_full_disk_is_refused_before_it_is_full() {
    let dir = tempfile::tempdir().unwrap();
    let vault = vault(dir.path());
    five_entries(dir.path());
    let all_of_it = Limits {
        free_bytes_min: u64::MAX,
        ..Limits::default()
    };
    let (journal, _) = Journal::open_with(dir.path(), &vault, all_of_it).unwrap();
    let error = journal.append(draft(b"six")).unwrap_err();
    assert!(
        matches!(error, JournalError::SpaceLow { free_bytes, .. } if free_bytes == journal.free_bytes().unwrap() || free_bytes > 0)
    );
    assert_eq!(error.code(), "DISK_FULL");
    drop(journal);
    assert_eq!(verify(dir.path(), Some(&vault)).unwrap().entries, 5);
}

#[test]
fn sixteen_threads_write_one_chain() {
    let dir = tempfile::tempdir().unwrap();
    let vault = vault(dir.path());
    let (journal, _) = Journal::open_with(dir.path(), &vault, small_segments(20_000)).unwrap();
    let start = Barrier::new(16);
    let acknowledged: BTreeSet<(u64, Vec<u8>)> = thread::scope(|scope| {
        let writers: Vec<_> = (0..16)
            .map(|writer| {
                let (journal, start) = (&journal, &start);
                scope.spawn(move || {
                    start.wait();
                    let mut own = Vec::new();
                    for round in 0..30 {
                        let first = format!("{writer}/{round}/a");
                        let second = format!("{writer}/{round}/b");
                        let both = [draft(first.as_bytes()), draft(second.as_bytes())];
                        let pair = journal.append_all(&both[..1 + round % 2]).unwrap();
                        assert!(pair.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq));
                        own.extend(pair.into_iter().map(|entry| (entry.seq, entry.body)));
                    }
                    assert!(own.windows(2).all(|pair| pair[0].0 < pair[1].0));
                    own
                })
            })
            .collect();
        writers
            .into_iter()
            .flat_map(|writer| writer.join().unwrap())
            .collect()
    });
    assert_eq!(acknowledged.len(), 16 * 45);
    let read: BTreeSet<_> = entries(&journal, 1)
        .into_iter()
        .map(|entry| (entry.seq, entry.body))
        .collect();
    assert_eq!(read, acknowledged);
    drop(journal);
    assert_eq!(verify(dir.path(), Some(&vault)).unwrap().entries, 16 * 45);
}

#[test]
fn a_reader_beside_a_writer_sees_whole_entries_only() {
    let dir = tempfile::tempdir().unwrap();
    let vault = vault(dir.path());
    let (journal, _) = Journal::open_with(dir.path(), &vault, small_segments(5_000)).unwrap();
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            (0..300_u32).for_each(|number| drop(journal.append(draft(&number.to_be_bytes())).unwrap()))
        });
        while !writer.is_finished() {
            let read = entries(&journal, 1);
            assert!(
                read.iter()
                    .zip(0..)
                    .all(|(entry, number): (_, u32)| entry.body == number.to_be_bytes())
            );
            verify(dir.path(), Some(&vault)).unwrap();
        }
    });
    assert_eq!(entries(&journal, 1).len(), 300);
}

#[test]
fn nothing_of_a_body_stands_in_clear() {
    let dir = tempfile::tempdir().unwrap();
    let vault = vault(dir.path());
    let secret = b"530102195803020017";
    let (journal, _) = Journal::open(dir.path(), &vault).unwrap();
    let written: Vec<_> = (0..20).map(|_| journal.append(draft(secret)).unwrap()).collect();
    drop(journal);
    // A torn tail is kept aside; it must be as closed as the rest.
    let last = segments(dir.path()).pop().unwrap();
    let bytes = fs::read(&last).unwrap();
    fs::write(&last, &bytes[..bytes.len() - 3]).unwrap();
    fs::remove_file(dir.path().join("journal.mark")).unwrap();
    let (journal, opened) = Journal::open(dir.path(), &vault).unwrap();
    assert!(opened.torn.is_some());
    for path in files(dir.path()) {
        let bytes = fs::read(&path).unwrap();
        assert!(
            !bytes
                .windows(8)
                .any(|window| secret.windows(8).any(|part| part == window)),
            "{}",
            path.display()
        );
    }
    for shown in [
        format!("{:?}", written[0]),
        format!("{:?}", draft(secret)),
        format!("{journal:?} {vault:?}"),
    ] {
        assert!(!shown.contains("5301") && !shown.contains("[53, 51"), "{shown}");
    }
}

#[cfg(unix)]
#[test]
fn every_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("data");
    five_entries(&dir);
    assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
    for path in files(&dir) {
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600,
            "{}",
            path.display()
        );
    }
}
