//! The keys: made once, opened by their machine key alone, rotated without losing what they sealed, never overwritten.

#![expect(
    clippy::unwrap_used,
    reason = "tests, but not seen as such outside a test function"
)]

mod common;

use std::fs;
use std::path::Path;

use common::{copy_dir, draft, entries, files, five_entries, vault};
use yijie_offline_cache::{DataLock, Journal, Vault, verify};

fn snapshot(dir: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    files(dir)
        .into_iter()
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

/// After `harm` the vault answers `code` to both ways of opening, and no file has changed.
fn check_refused(harm: impl FnOnce(&Path), code: &str) {
    let dir = tempfile::tempdir().unwrap();
    five_entries(dir.path());
    harm(dir.path());
    let before = snapshot(dir.path());
    assert_eq!(Vault::open(dir.path()).unwrap_err().code(), code);
    assert_eq!(Vault::open_or_create(dir.path()).unwrap_err().code(), code);
    assert_eq!(snapshot(dir.path()), before);
}

#[test]
fn what_is_wrong_with_the_keys_is_said_and_nothing_overwritten() {
    let other_key = |dir: &Path| {
        let other = tempfile::tempdir().unwrap();
        vault(other.path());
        fs::copy(other.path().join("machine.key"), dir.join("machine.key")).unwrap();
    };
    check_refused(other_key, "VAULT_WRONG_KEY");
    check_refused(
        |dir| fs::remove_file(dir.join("machine.key")).unwrap(),
        "VAULT_KEY_MISSING",
    );
    check_refused(|dir| fs::remove_file(dir.join("vault")).unwrap(), "VAULT_MISSING");
    check_refused(|dir| fs::write(dir.join("vault"), b"").unwrap(), "VAULT_DAMAGED");
    check_refused(
        |dir| fs::write(dir.join("machine.key"), b"").unwrap(),
        "VAULT_DAMAGED",
    );
    #[cfg(unix)]
    check_refused(
        |dir| {
            let open_to_all = std::os::unix::fs::PermissionsExt::from_mode(0o644);
            fs::set_permissions(dir.join("machine.key"), open_to_all).unwrap();
        },
        "VAULT_KEY_EXPOSED",
    );
}

#[test]
fn a_flipped_bit_at_any_byte_of_the_keys_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    vault(dir.path());
    for name in ["vault", "machine.key"] {
        let path = dir.path().join(name);
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            fs::write(&path, &bytes).unwrap();
            assert_eq!(
                Vault::open(dir.path()).unwrap_err().code(),
                "VAULT_DAMAGED",
                "{name} byte {at}"
            );
        }
        fs::write(&path, &whole).unwrap();
        Vault::open(dir.path()).unwrap();
    }
}

#[test]
fn a_later_version_is_named() {
    let dir = tempfile::tempdir().unwrap();
    vault(dir.path());
    for name in ["vault", "machine.key"] {
        let path = dir.path().join(name);
        let whole = fs::read(&path).unwrap();
        let mut bytes = whole.clone();
        bytes[7] = 9;
        let body = bytes.len() - 4;
        let crc = crc32c::crc32c(&bytes[..body]);
        bytes[body..].copy_from_slice(&crc.to_be_bytes());
        fs::write(&path, &bytes).unwrap();
        assert_eq!(
            Vault::open(dir.path()).unwrap_err().code(),
            "VAULT_VERSION",
            "{name}"
        );
        fs::write(&path, &whole).unwrap();
    }
}

#[test]
fn a_second_vault_is_not_made_over_the_first() {
    let dir = tempfile::tempdir().unwrap();
    vault(dir.path());
    assert_eq!(Vault::create(dir.path()).unwrap_err().code(), "VAULT_EXISTS");
}

#[test]
fn rotation_keeps_the_past_readable_and_closes_the_future_to_the_old_key() {
    let dir = tempfile::tempdir().unwrap();
    let written = five_entries(dir.path());
    let old = tempfile::tempdir().unwrap();
    copy_dir(dir.path(), old.path());

    let keys = vault(dir.path());
    let (journal, _) = Journal::open(dir.path(), &keys).unwrap();
    keys.rotate().unwrap();
    let sixth = journal.append(draft(b"after rotation")).unwrap();
    drop(journal);
    let keys = vault(dir.path());
    keys.rotate().unwrap();
    let (journal, opened) = Journal::open(dir.path(), &vault(dir.path())).unwrap();
    assert_eq!(opened.entries, 6);
    let mut all = written;
    all.push(sixth);
    assert_eq!(entries(&journal, 1), all);
    drop(journal);

    // A stolen copy of the old key files opens neither the new vault nor the new entries.
    let old_vault = vault(old.path());
    assert!(verify(dir.path(), Some(&old_vault)).is_err());
    fs::copy(old.path().join("machine.key"), dir.path().join("machine.key")).unwrap();
    assert_eq!(Vault::open(dir.path()).unwrap_err().code(), "VAULT_WRONG_KEY");
}

#[test]
fn a_rotation_cut_short_is_finished_or_undone() {
    let dir = tempfile::tempdir().unwrap();
    let written = five_entries(dir.path());
    let before = tempfile::tempdir().unwrap();
    copy_dir(dir.path(), before.path());
    vault(dir.path()).rotate().unwrap();
    let new_key = fs::read(dir.path().join("machine.key")).unwrap();
    let new_vault = fs::read(dir.path().join("vault")).unwrap();
    for vault_written in [false, true] {
        let cut = tempfile::tempdir().unwrap();
        copy_dir(before.path(), cut.path());
        fs::copy(
            cut.path().join("machine.key"),
            cut.path().join("machine.key.next"),
        )
        .unwrap();
        fs::write(cut.path().join("machine.key.next"), &new_key).unwrap();
        if vault_written {
            fs::write(cut.path().join("vault"), &new_vault).unwrap();
        }
        let (journal, _) = Journal::open(cut.path(), &vault(cut.path())).unwrap();
        assert_eq!(entries(&journal, 1), written);
        assert!(!cut.path().join("machine.key.next").exists());
        assert_eq!(
            fs::read(cut.path().join("machine.key")).unwrap() == new_key,
            vault_written
        );
    }
}

#[cfg(unix)]
#[test]
fn the_machine_key_may_lie_on_another_volume() {
    let dir = tempfile::tempdir().unwrap();
    let stick = tempfile::tempdir().unwrap();
    vault(dir.path());
    let (here, there) = (dir.path().join("machine.key"), stick.path().join("till-1.key"));
    fs::rename(&here, &there).unwrap();
    std::os::unix::fs::symlink(&there, &here).unwrap();
    let before = fs::read(&there).unwrap();
    vault(dir.path()).rotate().unwrap();
    assert!(fs::symlink_metadata(&here).unwrap().is_symlink());
    assert_ne!(fs::read(&there).unwrap(), before);
    vault(dir.path());
    fs::remove_file(&there).unwrap();
    assert_eq!(Vault::open(dir.path()).unwrap_err().code(), "VAULT_KEY_MISSING");
}

#[test]
fn a_data_directory_has_one_holder() {
    let dir = tempfile::tempdir().unwrap();
    let held = DataLock::acquire(dir.path()).unwrap();
    assert_eq!(
        DataLock::acquire(dir.path()).unwrap_err().code(),
        "DATA_DIR_IN_USE"
    );
    drop(held);
    DataLock::acquire(dir.path()).unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"").unwrap();
    assert_eq!(DataLock::acquire(&file).unwrap_err().code(), "DISK_ERROR");
}
