//! The data directory harmed: bytes flipped, entries taken out, tails torn, the store lost, keys gone, no right to write.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong here fails the test"
)]

mod common;

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Chance, PROGRAM, Shop, clean, files, finish, person, record_starts, sale};
use serde_json::Value;

fn segment(shop: &Shop) -> PathBuf {
    let found = files(&shop.data.join("journal"));
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

#[test]
fn a_flipped_byte_is_found_and_its_entry_named() {
    let shop = Shop::busy();
    let file = segment(&shop);
    let sound = fs::read(&file).unwrap();
    let starts = record_starts(&sound);
    let entries = shop.journal().len();
    assert_eq!(starts.len(), entries, "every record has its mark");
    let mut chance = Chance::new();
    let mut places: Vec<usize> = vec![0, 7, 20, sound.len() - 1];
    for (no, start) in starts.iter().enumerate() {
        let end = starts.get(no + 1).copied().unwrap_or(sound.len());
        let inside = usize::try_from(chance.below((end - start) as u64)).unwrap();
        places.extend([*start, start + 6, start + 20, start + inside]);
    }
    for at in places {
        let mut bytes = sound.clone();
        bytes[at] ^= 1 << chance.below(8);
        fs::write(&file, &bytes).unwrap();
        let told = shop.run(&["journal", "verify"]).exit(3);
        // A header belongs to the entry after it.
        let entry = starts.iter().filter(|start| **start <= at).count().max(1);
        let named = told
            .err
            .split_whitespace()
            .any(|word| word.trim_matches(|c: char| !c.is_ascii_digit()).parse() == Ok(entry));
        assert!(named, "byte {at} of entry {entry} of {entries}: {}", told.err);
        assert!(told.err.starts_with("JOURNAL_"), "{}", told.err);
        // Nothing is sold on a journal like that, and nothing in it is changed.
        let refused = shop
            .try_sell(&[], &sale("new", &person(1), "10.00").to_string())
            .exit(3);
        assert!(refused.err.starts_with("JOURNAL_"), "{}", refused.err);
        assert_eq!(refused.out, "");
        assert!(
            fs::read(&file).unwrap() == bytes,
            "byte {at}: the journal was changed"
        );
    }
    fs::write(&file, &sound).unwrap();
    shop.run(&["journal", "verify"]).exit(0);
    shop.run(&["queue", "drain"]).exit(0);
}

#[test]
fn entries_cut_off_removed_or_swapped_are_found() {
    let shop = Shop::busy();
    let file = segment(&shop);
    let sound = fs::read(&file).unwrap();
    let starts = record_starts(&sound);
    let last = starts[starts.len() - 1];
    let (a, b, c) = (starts[3], starts[4], starts[5]);
    let swapped = [&sound[..a], &sound[b..c], &sound[a..b], &sound[c..]].concat();
    let removed = [&sound[..a], &sound[b..]].concat();
    let repeated = [&sound[..b], &sound[a..b], &sound[b..]].concat();
    for (bytes, what) in [
        (sound[..last].to_vec(), "the last entry cut off"),
        (sound[..last + 30].to_vec(), "half of the last entry cut off"),
        (swapped, "two entries swapped"),
        (removed, "an entry removed"),
        (repeated, "an entry repeated"),
        (Vec::new(), "everything"),
    ] {
        fs::write(&file, &bytes).unwrap();
        let told = shop.run(&["journal", "verify"]).exit(3);
        assert!(told.err.starts_with("JOURNAL_"), "{what}: {}", told.err);
        shop.try_sell(&[], "").exit(3);
        assert!(
            fs::read(&file).unwrap() == bytes,
            "{what}: the journal was changed"
        );
    }
    fs::remove_file(&file).unwrap();
    shop.run(&["journal", "verify"]).exit(3);
    shop.try_sell(&[], "").exit(3);
    fs::write(&file, &sound).unwrap();
    shop.run(&["journal", "verify"]).exit(0);
}

#[test]
fn a_torn_tail_is_cut_kept_and_told_and_no_sale_is_missing() {
    for lang in ["zh", "en"] {
        let shop = Shop::busy();
        let file = segment(&shop);
        let before = shop.journal();
        let sound = fs::read(&file).unwrap();
        // The beginning of a record, as a power cut leaves it.
        let torn = sound[*record_starts(&sound).last().unwrap()..][..60].to_vec();
        OpenOptions::new()
            .append(true)
            .open(&file)
            .unwrap()
            .write_all(&torn)
            .unwrap();
        let told = shop.run(&["queue", "list", "--json", "--lang", lang]).exit(0);
        let error: Value = serde_json::from_str(&told.err).unwrap();
        assert_eq!(error["error"]["code"], "TORN_TAIL_CUT");
        let kept = PathBuf::from(error["error"]["detail"].as_str().unwrap());
        assert!(kept.starts_with(&shop.data) && fs::read(&kept).unwrap() == torn);
        assert_eq!(told.json().as_array().unwrap().len(), 1);
        assert!(fs::read(&file).unwrap() == sound);
        assert_eq!(shop.run(&["queue", "list"]).exit(0).err, "", "told once");
        assert_eq!(shop.journal(), before);
        shop.run(&["journal", "verify"]).exit(0);
        assert_eq!(
            shop.sell(&[], &[sale("after", &person(7), "100.00")])[0]["state"],
            "settled"
        );
    }
}

/// What the store is needed for still works, and nothing is sold twice.
fn works_as_before(shop: &Shop, before: &[Value], why: &str) {
    assert_eq!(shop.queue()[0]["sale"], "waits", "{why}");
    let sales: Vec<Value> = (1..=3)
        .map(|no| sale(&format!("s{no}"), &person(no), "100.00"))
        .collect();
    assert_eq!(shop.sell(&["--offline"], &sales), before, "{why}");
    assert_eq!(
        shop.sell(&[], &[sale("new", &person(8), "100.00")])[0]["state"],
        "settled",
        "{why}"
    );
    shop.run(&["queue", "drain"]).exit(0);
    assert_eq!(shop.agency.settled().len(), 5, "{why}");
    shop.run(&["journal", "verify"]).exit(0);
}

#[test]
fn a_damaged_or_missing_store_is_rebuilt_told_and_the_till_sells() {
    type Harm = fn(&Path);
    let harms: [(&str, Harm); 5] = [
        ("removed", |store| fs::remove_dir_all(store).unwrap()),
        ("emptied", |store| {
            files(store)
                .iter()
                .for_each(|file| fs::remove_file(file).unwrap());
        }),
        ("garbage in its file", |store| {
            fs::write(store.join("db"), "not a database".repeat(5000)).unwrap();
        }),
        ("bytes overwritten in its middle", |store| {
            let mut bytes = fs::read(store.join("db")).unwrap();
            let length = bytes.len();
            bytes[100..length / 2].fill(0x5A);
            fs::write(store.join("db"), bytes).unwrap();
        }),
        ("a file in its place", |store| {
            fs::remove_dir_all(store).unwrap();
            fs::write(store, "not a folder").unwrap();
        }),
    ];
    for (what, harm) in harms {
        let shop = Shop::busy();
        let sales: Vec<Value> = (1..=3)
            .map(|no| sale(&format!("s{no}"), &person(no), "100.00"))
            .collect();
        let before = shop.sell(&["--offline"], &sales);
        harm(&shop.data.join("store"));
        let first = shop.run(&["queue", "list"]).exit(0);
        assert!(first.err.starts_with("STORE_REBUILT: "), "{what}: {}", first.err);
        assert_eq!(shop.run(&["queue", "list"]).exit(0).err, "", "{what}: told once");
        works_as_before(&shop, &before, what);
    }
}

#[test]
fn an_older_store_catches_up_and_an_older_journal_is_refused() {
    let shop = Shop::busy();
    let sales: Vec<Value> = (1..=3)
        .map(|no| sale(&format!("s{no}"), &person(no), "100.00"))
        .collect();
    let copy = |from: &str, to: &str| {
        let (from, to) = (shop.data.join(from), shop.dir.path().join(to));
        let ran = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
        assert!(ran.success());
    };
    let back = |from: &str, to: &str| {
        let (from, to) = (shop.dir.path().join(from), shop.data.join(to));
        if to.is_dir() {
            fs::remove_dir_all(&to).unwrap();
        }
        let ran = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
        assert!(ran.success());
    };
    copy("store", "old-store");
    copy("journal", "old-journal");
    copy("journal.mark", "old-mark");
    shop.sell(&[], &[sale("later", &person(20), "100.00")]);
    let before = shop.sell(&["--offline"], &sales);
    back("old-store", "store");
    assert_eq!(
        shop.sell(&["--offline"], &[sale("later", &person(20), "100.00")])[0]["state"],
        "settled"
    );
    assert_eq!(shop.sell(&["--offline"], &sales), before);
    copy("journal", "new-journal");
    copy("journal.mark", "new-mark");
    // An older copy under the newer store, with and without its mark.
    for mark in ["new-mark", "old-mark"] {
        back("old-journal", "journal");
        back(mark, "journal.mark");
        let told = shop
            .try_sell(&[], &sale("x", &person(21), "1.00").to_string())
            .exit(3);
        assert!(
            ["JOURNAL_CUT_OFF: ", "JOURNAL_ROLLED_BACK: ", "JOURNAL_BROKEN: "]
                .iter()
                .any(|code| told.err.starts_with(code)),
            "{}",
            told.err
        );
    }
    back("new-journal", "journal");
    back("new-mark", "journal.mark");
    shop.run(&["queue", "drain"]).exit(0);
    shop.run(&["journal", "verify"]).exit(0);
}

#[test]
fn a_data_directory_that_cannot_be_written_is_told() {
    let shop = Shop::busy();
    let nobody = 65_534;
    let root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let all = |visit: &dyn Fn(&Path)| {
        let mut dirs = vec![shop.data.clone()];
        while let Some(dir) = dirs.pop() {
            visit(&dir);
            for entry in fs::read_dir(&dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    dirs.push(path);
                } else {
                    visit(&path);
                }
            }
        }
    };
    let mode = |write: u32| {
        move |path: &Path| {
            let bits = if path.is_dir() { 0o500 } else { 0o400 };
            fs::set_permissions(path, fs::Permissions::from_mode(bits | write)).unwrap();
        }
    };
    // Nothing is closed to root: it works as nobody, with a copy of the program that nobody can reach.
    let program = if root {
        fs::set_permissions(shop.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let copy = shop.dir.path().join("yijie");
        fs::copy(PROGRAM, &copy).unwrap();
        all(&|path| chown(path, Some(nobody), Some(nobody)).unwrap());
        copy
    } else {
        PathBuf::from(PROGRAM)
    };
    let run = |args: &[&str], stdin: &str| {
        let mut command = clean(Command::new(&program), args);
        command.arg("--data").arg(&shop.data);
        if root {
            command.uid(nobody).gid(nobody);
        }
        finish(command, stdin)
    };
    let order = sale("x", &person(30), "100.00").to_string();
    all(&mode(0));
    for args in [
        vec!["sell"],
        vec!["queue", "drain"],
        vec!["journal", "list"],
        vec!["close"],
    ] {
        run(&args, &order).exit(3).says("DATA_DIR_NOT_WRITABLE");
    }
    all(&mode(0o200));
    let sold = run(&["sell"], &order).exit(0).lines();
    assert_eq!(sold[0]["state"], "settled");
    // Only the journal's folder is closed.
    fs::set_permissions(shop.data.join("journal"), fs::Permissions::from_mode(0o500)).unwrap();
    fs::set_permissions(segment(&shop), fs::Permissions::from_mode(0o400)).unwrap();
    run(&["sell"], &order).exit(3).says("DATA_DIR_NOT_WRITABLE");
    fs::set_permissions(shop.data.join("journal"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(segment(&shop), fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(run(&["sell"], &order).exit(0).lines(), sold);
    run(&["journal", "verify"], "").exit(0);
}

/// A command that sees a directory on a disk that is mounted read-only; as root by a mount of its own, else in a user
/// namespace.
fn on_a_read_only_disk(dir: &Path, command: Command) -> Command {
    const MOUNT: &str =
        r#"dir=$1; shift; mount --bind "$dir" "$dir" && mount -o remount,bind,ro "$dir" && exec "$@""#;
    let root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let mut mounted = Command::new("unshare");
    if !root {
        mounted.arg("--map-root-user");
    }
    let mut mounted = clean(mounted, ["--mount", "sh", "-c", MOUNT, "sh"]);
    mounted
        .arg(dir)
        .arg(command.get_program())
        .args(command.get_args());
    let set = command
        .get_envs()
        .filter_map(|(name, value)| Some((name, value?)));
    mounted.envs(set);
    mounted
}

#[test]
fn a_data_directory_on_a_disk_mounted_read_only_is_told_and_works_again_afterwards() {
    let shop = Shop::busy();
    let probe = finish(on_a_read_only_disk(&shop.data, Command::new("true")), "");
    if probe.code != Some(0) {
        // As in some containers. The rights of files are taken away in the test before.
        eprintln!("no mount can be made here: {}", probe.err);
        return;
    }
    let contents = || -> Vec<(PathBuf, Vec<u8>)> {
        let files = shop.files().into_iter();
        files
            .map(|file| (file.clone(), fs::read(file).unwrap()))
            .collect()
    };
    let (journal, before) = (shop.journal(), contents());
    let order = sale("x", &person(30), "100.00").to_string();
    for args in [
        vec!["sell"],
        vec!["queue", "drain"],
        vec!["queue", "list"],
        vec!["journal", "list"],
        vec!["receipt", "s1", "--pdf", "/dev/null"],
        vec!["keys", "rotate", "--operator", "001", "--pin-stdin"],
        vec!["close"],
    ] {
        let told = finish(on_a_read_only_disk(&shop.data, shop.command(&args)), &order);
        told.exit(3).says("DATA_DIR_NOT_WRITABLE");
    }
    finish(
        on_a_read_only_disk(&shop.data, shop.command(&["journal", "verify"])),
        "",
    )
    .exit(0);
    assert!(contents() == before, "nothing was changed");
    assert_eq!(shop.agency.settled().len(), 3, "nothing was sold");
    assert_eq!(shop.journal(), journal);
    assert_eq!(
        shop.sell(&[], &[sale("x", &person(30), "100.00")])[0]["state"],
        "settled"
    );
    shop.run(&["journal", "verify"]).exit(0);
}

#[test]
fn keys_that_are_missing_wrong_or_exposed_are_told_and_nothing_is_made_anew() {
    let shop = Shop::busy();
    let before = shop.journal();
    let key = shop.data.join("machine.key");
    let vault = shop.data.join("vault");
    let (key_bytes, vault_bytes) = (fs::read(&key).unwrap(), fs::read(&vault).unwrap());
    let refused = |code: &str| {
        for args in [vec!["sell"], vec!["journal", "list"], vec!["queue", "list"]] {
            shop.run(&args).exit(3).says(code);
        }
    };
    fs::remove_file(&key).unwrap();
    refused("VAULT_KEY_MISSING");
    assert!(!key.exists());
    fs::write(&key, &key_bytes).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    refused("VAULT_KEY_EXPOSED");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    fs::remove_file(&vault).unwrap();
    refused("VAULT_MISSING");
    assert!(!vault.exists());
    let other = Shop::busy();
    fs::copy(other.data.join("vault"), &vault).unwrap();
    refused("VAULT_WRONG_KEY");
    fs::write(&vault, &vault_bytes[..20]).unwrap();
    refused("VAULT_DAMAGED");
    fs::write(&vault, &vault_bytes).unwrap();
    assert_eq!(shop.journal(), before);
}
