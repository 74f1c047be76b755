//! What the tests of journal, vault and store share.
#![expect(dead_code, reason = "each test program uses its own part")]
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests, but not seen as such outside a test function"
)]

use std::fs;
use std::path::{Path, PathBuf};

use yijie_offline_cache::{Draft, Entry, Journal, Limits, Vault};

pub(crate) fn vault(dir: &Path) -> Vault {
    Vault::open_or_create(dir).unwrap()
}

pub(crate) fn small_segments(segment_bytes_max: u64) -> Limits {
    Limits {
        segment_bytes_max,
        ..Limits::default()
    }
}

pub(crate) fn draft(body: &[u8]) -> Draft<'_> {
    Draft {
        kind: "sale",
        time_ms: 1_767_225_600_000,
        body,
    }
}

pub(crate) fn entries(journal: &Journal, from_seq: u64) -> Vec<Entry> {
    journal.replay(from_seq).collect::<Result<_, _>>().unwrap()
}

/// Every file under `dir`, sorted.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for item in fs::read_dir(dir).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path))
        } else {
            found.push(path)
        }
    }
    found.sort();
    found
}

pub(crate) fn segments(dir: &Path) -> Vec<PathBuf> {
    files(&dir.join("journal"))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "segment"))
        .collect()
}

pub(crate) fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for path in files(from) {
        let target = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&path, &target).unwrap();
    }
}

/// A journal of five entries, closed in peace: one alone, three of one batch, one alone.
pub(crate) fn five_entries(dir: &Path) -> Vec<Entry> {
    let vault = vault(dir);
    let (journal, _) = Journal::open(dir, &vault).unwrap();
    let mut written = vec![journal.append(draft(b"one")).unwrap()];
    written.extend(
        journal
            .append_all(&[draft(b"two"), draft(b""), draft(&[7; 300])])
            .unwrap(),
    );
    written.push(journal.append(draft(b"five")).unwrap());
    written
}

/// Numbers that look random; the seed is printed by the tests that draw one.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(test: &str) -> Self {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_nanos() as u64;
        let seed = std::env::var("YIJIE_SEED").map_or(now, |seed| seed.parse().unwrap());
        println!("{test}: YIJIE_SEED={seed}");
        Self(seed | 1)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }
}
