//! What the store promises: order, one entry's changes at once, nothing wrong ever read, and a fresh start when damaged.

#![expect(
    clippy::unwrap_used,
    reason = "tests, but not seen as such outside a test function"
)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;

use common::{Dice, copy_dir, draft, entries, files, vault};
use proptest::prelude::*;
use yijie_offline_cache::{Change, Journal, Key, Store, StoreOpened, Vault};

const QUEUE: &str = "queue";
const PERSONS: &str = "persons";

fn put<'a>(tree: &'static str, key: Key<'a>, value: &'a [u8]) -> Change<'a> {
    Change::Put { tree, key, value }
}

fn open(dir: &Path, vault: &Vault) -> (Store, StoreOpened) {
    Store::open(dir, vault).unwrap()
}

fn pairs(store: &Store, tree: &'static str) -> Vec<(Vec<u8>, Vec<u8>)> {
    store.scan(tree).unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn changes_are_there_after_reopening_in_the_order_of_their_keys() {
    let dir = tempfile::tempdir().unwrap();
    let vault = vault(dir.path());
    let (store, opened) = open(dir.path(), &vault);
    assert_eq!(
        opened,
        StoreOpened {
            set_aside: None,
            applied_seq: 0
        }
    );
    let numbers = [700_u64, 3, 256, 1].map(u64::to_be_bytes);
    for (seq, number) in (1..).zip(&numbers) {
        let person = Key::Secret(b"530102195803020017");
        store
            .apply(
                seq,
                &[
                    put(QUEUE, Key::Plain(number), number),
                    put(PERSONS, person, number),
                ],
            )
            .unwrap();
    }
    store
        .apply(
            5,
            &[Change::Delete {
                tree: QUEUE,
                key: Key::Plain(&numbers[2]),
            }],
        )
        .unwrap();
    store.apply(6, &[]).unwrap();
    for reopened in [false, true] {
        let store = if reopened { None } else { Some(&store) };
        let fresh;
        let store = match store {
            Some(store) => store,
            None => {
                let copy = tempfile::tempdir().unwrap();
                copy_dir(dir.path(), copy.path());
                let (opened_copy, opened) = open(copy.path(), &vault);
                assert_eq!(
                    opened,
                    StoreOpened {
                        set_aside: None,
                        applied_seq: 6
                    }
                );
                fresh = opened_copy;
                &fresh
            }
        };
        let keys: Vec<_> = pairs(store, QUEUE).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, [1_u64, 3, 700].map(|number| number.to_be_bytes().to_vec()));
        assert_eq!(
            store.get(PERSONS, Key::Secret(b"530102195803020017")).unwrap(),
            Some(numbers[3].to_vec())
        );
        assert_eq!(
            store.get(PERSONS, Key::Plain(b"530102195803020017")).unwrap(),
            None
        );
        assert_eq!(
            store.get("person", Key::Secret(b"530102195803020017")).unwrap(),
            None
        );
        assert_eq!((pairs(store, PERSONS).len(), pairs(store, "none").len()), (1, 0));
        let with_prefix = store.scan_prefix(QUEUE, &[0; 7]).unwrap().count();
        assert_eq!(with_prefix, 2);
        if !reopened {
            store.flush().unwrap();
        }
    }
}

#[test]
fn each_entry_is_applied_once_and_none_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path(), &vault(dir.path()));
    let key = Key::Plain(b"k");
    store.apply(1, &[put(QUEUE, key, b"one")]).unwrap();
    store.apply(1, &[put(QUEUE, key, b"again")]).unwrap();
    assert_eq!(store.get(QUEUE, key).unwrap().unwrap(), b"one");
    assert_eq!(
        store.apply(3, &[put(QUEUE, key, b"three")]).unwrap_err().code(),
        "STORE_GAP"
    );
    assert_eq!(
        store.apply(2, &[put("", key, b"")]).unwrap_err().code(),
        "STORE_TREE_NAME"
    );
    assert_eq!(
        store.apply(2, &[put("a\0b", key, b"")]).unwrap_err().code(),
        "STORE_TREE_NAME"
    );
    store.apply(2, &[put(QUEUE, key, b"two")]).unwrap();
    assert_eq!(
        (store.get(QUEUE, key).unwrap().unwrap(), store.applied_seq()),
        (b"two".to_vec(), 2)
    );
    let gap = store.apply(4, &[put(QUEUE, key, b"four")]).unwrap_err();
    assert_eq!(gap.code(), "STORE_GAP");
    assert_eq!(
        (store.get(QUEUE, key).unwrap().unwrap(), store.applied_seq()),
        (b"two".to_vec(), 2)
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_changes_leave_what_a_map_would_hold_written_out_or_not(
        runs in prop::collection::vec((any::<bool>(), prop::collection::vec((any::<bool>(), 0_u8..6, prop::option::of(prop::collection::vec(any::<u8>(), 0..40))), 0..6)), 1..12)
    ) {
        let dir = tempfile::tempdir().unwrap();
        let vault = vault(dir.path());
        let mut expected = BTreeMap::new();
        let all = |store: &Store| -> BTreeMap<(&str, Vec<u8>), Vec<u8>> {
            let of = |tree| pairs(store, tree).into_iter().map(move |(key, value)| ((tree, key), value));
            of(QUEUE).chain(of(PERSONS)).collect()
        };
        let (store, _) = open(dir.path(), &vault);
        for (seq, (flush, changes)) in (1..).zip(&runs) {
            let keys: Vec<[u8; 1]> = changes.iter().map(|change| [change.1]).collect();
            let changes: Vec<Change<'_>> = changes.iter().zip(&keys).map(|((queue, _, value), key)| {
                let tree = if *queue { QUEUE } else { PERSONS };
                match value {
                    Some(value) => {
                        expected.insert((tree, key.to_vec()), value.clone());
                        Change::Put { tree, key: Key::Plain(key), value }
                    }
                    None => {
                        expected.remove(&(tree, key.to_vec()));
                        Change::Delete { tree, key: Key::Plain(key) }
                    }
                }
            }).collect();
            store.apply(seq, &changes).unwrap();
            if *flush {
                store.flush().unwrap();
            }
            prop_assert_eq!(&all(&store), &expected);
            for key in 0..6 {
                let held = store.get(QUEUE, Key::Plain(&[key])).unwrap();
                prop_assert_eq!(held.as_ref(), expected.get(&(QUEUE, vec![key])));
            }
        }
        drop(store);
        let (store, opened) = open(dir.path(), &vault);
        prop_assert_eq!(opened, StoreOpened { set_aside: None, applied_seq: runs.len() as u64 });
        prop_assert_eq!(all(&store), expected);
    }
}

/// What leaves for sled is read all the while: from memory before, from sled after, never from neither.
#[test]
fn a_reader_misses_nothing_while_the_store_is_written_out() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path(), &vault(dir.path()));
    let at = |seq: u64| seq.to_be_bytes();
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for seq in 1..=400 {
                store
                    .apply(seq, &[put(QUEUE, Key::Plain(&at(seq)), b"sale")])
                    .unwrap();
                if seq.is_multiple_of(4) {
                    store.flush().unwrap();
                }
            }
        });
        let mut reads = 0_u64;
        while !writer.is_finished() {
            let applied = store.applied_seq();
            assert!(pairs(&store, QUEUE).len() as u64 >= applied);
            if applied > 0 {
                assert_eq!(
                    store.get(QUEUE, Key::Plain(&at(applied))).unwrap().unwrap(),
                    b"sale"
                );
            }
            reads += 1;
        }
        assert!(reads > 0);
    });
}

#[test]
fn no_person_and_no_value_stands_in_clear() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path(), &vault(dir.path()));
    let (id, name) = (b"530102195803020017", "张三丰".as_bytes());
    let change = put(PERSONS, Key::Secret(id), name);
    (1..300).for_each(|seq| store.apply(seq, &[change]).unwrap());
    let shown = format!("{change:?} {store:?}");
    assert!(!shown.contains("5301") && !shown.contains("[53"), "{shown}");
    drop(store);
    for path in files(dir.path()) {
        let bytes = fs::read(&path).unwrap();
        assert!(
            !bytes
                .windows(6)
                .any(|part| id.windows(6).chain([&name[..6]]).any(|secret| secret == part))
        );
    }
}

/// A store of 600 entries, a small part of it deleted again, and the journal it comes from.
fn sample(dir: &Path, vault: &Vault) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let (journal, _) = Journal::open(dir, vault).unwrap();
    let bodies: Vec<Vec<u8>> = (0..600_u32)
        .map(|number| number.to_be_bytes().repeat(1 + number as usize % 60))
        .collect();
    let drafts: Vec<_> = bodies.iter().map(|body| draft(body)).collect();
    journal.append_all(&drafts).unwrap();
    let (store, _) = open(dir, vault);
    replay(&journal, &store);
    store.scan(QUEUE).unwrap().collect::<Result<_, _>>().unwrap()
}

fn replay(journal: &Journal, store: &Store) {
    for entry in entries(journal, store.applied_seq() + 1) {
        let number = entry.seq.to_be_bytes();
        let earlier = (entry.seq / 2).to_be_bytes();
        let mut changes = vec![put(QUEUE, Key::Plain(&number), &entry.body)];
        if entry.seq.is_multiple_of(5) {
            changes.push(Change::Delete {
                tree: QUEUE,
                key: Key::Plain(&earlier),
            });
        }
        store.apply(entry.seq, &changes).unwrap();
        if entry.seq.is_multiple_of(7) {
            store.flush().unwrap();
        }
    }
}

#[test]
fn a_damaged_store_is_set_aside_and_rebuilt_or_was_not_harmed() {
    let mut dice = Dice::new("damaged store");
    let whole = tempfile::tempdir().unwrap();
    let vault = vault(whole.path());
    let expected = sample(whole.path(), &vault);
    let targets: Vec<_> = files(&whole.path().join("store"))
        .into_iter()
        .filter(|path| fs::metadata(path).unwrap().len() > 0)
        .collect();
    assert!(!targets.is_empty());
    let rounds: usize = std::env::var("YIJIE_ROUNDS").map_or(30, |rounds| rounds.parse().unwrap());
    let (mut set_aside, mut behind) = (0, 0);
    for round in 0..rounds {
        let dir = tempfile::tempdir().unwrap();
        copy_dir(whole.path(), dir.path());
        let target = &targets[dice.below(targets.len())];
        let target = dir.path().join(target.strip_prefix(whole.path()).unwrap());
        let mut bytes = fs::read(&target).unwrap();
        let used = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        let at = dice.below(used);
        match round % 3 {
            0 => bytes[at] ^= 1 << dice.below(8),
            1 => bytes.iter_mut().skip(at).take(4096).for_each(|byte| *byte = 0),
            _ => bytes.truncate(at),
        }
        fs::write(&target, &bytes).unwrap();

        let (journal, _) = Journal::open(dir.path(), &vault).unwrap();
        let (store, opened) = open(dir.path(), &vault);
        if let Some(aside) = &opened.set_aside {
            assert_eq!(opened.applied_seq, 0);
            assert!(aside.join("db").exists());
            set_aside += 1;
        }
        behind += usize::from(opened.set_aside.is_none() && opened.applied_seq < 600);
        replay(&journal, &store);
        let found: BTreeMap<_, _> = store.scan(QUEUE).unwrap().collect::<Result<_, _>>().unwrap();
        assert!(found == expected, "round {round}: silently wrong");
        drop(store);
        assert_eq!(
            open(dir.path(), &vault).1,
            StoreOpened {
                set_aside: None,
                applied_seq: 600
            }
        );
    }
    println!(
        "{rounds} damaged stores: {set_aside} set aside, {behind} behind and replayed, the rest unharmed"
    );
    assert!(set_aside > rounds / 10, "the damage has lost its teeth");
}

#[test]
fn a_store_of_another_vault_or_kind_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let (store, _) = open(elsewhere.path(), &vault(elsewhere.path()));
    store.apply(1, &[put(QUEUE, Key::Plain(b"k"), b"v")]).unwrap();
    drop(store);
    copy_dir(&elsewhere.path().join("store"), &dir.path().join("store"));
    let (store, opened) = open(dir.path(), &vault(dir.path()));
    assert_eq!(
        opened,
        StoreOpened {
            set_aside: Some(dir.path().join("store.damaged")),
            applied_seq: 0
        }
    );
    drop(store);
    fs::remove_dir_all(dir.path().join("store")).unwrap();
    fs::write(dir.path().join("store"), b"no directory").unwrap();
    let (_, opened) = open(dir.path(), &vault(dir.path()));
    assert_eq!(opened.set_aside, Some(dir.path().join("store.damaged.2")));
}

#[test]
fn a_value_put_back_to_an_older_one_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let vault = vault(dir.path());
    let (store, _) = open(dir.path(), &vault);
    store.apply(1, &[put(QUEUE, Key::Plain(b"k"), b"old")]).unwrap();
    drop(store);
    let raw = |change: &dyn Fn(&sled::Db)| {
        let db = sled::open(dir.path().join("store")).unwrap();
        change(&db);
        db.flush().unwrap();
    };
    let key = b"queue\0k";
    let old = std::cell::RefCell::new(None);
    raw(&|db| *old.borrow_mut() = db.get(key).unwrap());
    let (store, _) = open(dir.path(), &vault);
    store.apply(2, &[put(QUEUE, Key::Plain(b"k"), b"new")]).unwrap();
    drop(store);
    raw(&|db| drop(db.insert(key, old.take().unwrap()).unwrap()));
    assert!(open(dir.path(), &vault).1.set_aside.is_some());
}

#[test]
fn a_store_whose_opening_died_twice_is_not_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let vault = vault(dir.path());
    let (store, _) = open(dir.path(), &vault);
    store
        .apply(
            1,
            &[
                put(QUEUE, Key::Plain(b"k"), b"v"),
                put(QUEUE, Key::Plain(b"l"), b"w"),
            ],
        )
        .unwrap();
    drop(store);
    // An opening that died twice without a word: sled took the whole process with it.
    fs::write(dir.path().join("store.doubt"), b"?").unwrap();
    let (store, opened) = open(dir.path(), &vault);
    assert_eq!((opened.set_aside, pairs(&store, QUEUE).len()), (None, 2));
    drop(store);
    fs::write(dir.path().join("store.doubt"), b"??").unwrap();
    let (store, opened) = open(dir.path(), &vault);
    assert!(opened.set_aside.is_some());
    assert!(pairs(&store, QUEUE).is_empty());
}

#[test]
fn a_store_in_use_is_no_damaged_store() {
    let dir = tempfile::tempdir().unwrap();
    let vault = vault(dir.path());
    let (store, _) = open(dir.path(), &vault);
    store.apply(1, &[put(QUEUE, Key::Plain(b"k"), b"v")]).unwrap();
    assert_eq!(
        Store::open(dir.path(), &vault).unwrap_err().code(),
        "STORE_IN_USE"
    );
    drop(store);
    assert_eq!(
        open(dir.path(), &vault).1,
        StoreOpened {
            set_aside: None,
            applied_seq: 1
        }
    );
}
