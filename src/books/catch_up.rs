//! A store that is behind its journal, or gone, or of another form, is brought up to the last entry.

use std::path::Path;
use std::sync::mpsc;
use std::thread;

use yijie_offline_cache::{Journal, Key, Store, StoreOpened, Vault};

use super::guard::Steady;
use super::projection::{Found as _, rows_of};
use super::{BooksError, Findings, META, ROWS_FORM, record_of};

/// Entries read ahead.
const READ_AHEAD_MAX: usize = 1024;

/// The store with every entry of the journal in it.
pub(super) fn caught_up(
    (mut store, mut opened): (Store, StoreOpened),
    data: &Path,
    vault: &Vault,
    journal: &Journal,
    last: u64,
    findings: &mut Findings,
) -> Result<(Store, Steady), BooksError> {
    let form = || store.read::<u32>(META, Key::Plain(b"form")).ok().flatten();
    if opened.applied_seq > 0 && form() != Some(ROWS_FORM) {
        findings.store_rebuilt = Some(store.set_aside()?);
        (store, opened) = Store::open(data, vault)?;
    }
    if opened.set_aside.is_some() {
        findings.store_rebuilt = opened.set_aside;
    }
    if opened.applied_seq == 0 && last > 0 && findings.store_rebuilt.is_none() {
        findings.store_rebuilt = Some(data.join("store"));
    }
    if opened.applied_seq > last {
        return Err(BooksError::RolledBack {
            journal: last,
            store: opened.applied_seq,
        });
    }
    let seen = opened.applied_seq;
    let mut clock = Steady::kept_in(&store)?;
    thread::scope(|scope| {
        // One thread reads, checks and decodes, the other books.
        let (decoded, entries) = mpsc::sync_channel(READ_AHEAD_MAX);
        scope.spawn(move || {
            for entry in journal.replay(seen) {
                let entry = entry.map_err(BooksError::from).and_then(|entry| {
                    let record = (entry.seq > seen).then(|| record_of(&entry)).transpose()?;
                    Ok((entry.seq, entry.time_ms, record))
                });
                if decoded.send(entry).is_err() {
                    return;
                }
            }
        });
        for entry in entries {
            let (seq, time_ms, record) = entry?;
            let Some(record) = record else {
                clock = clock.from(time_ms);
                continue;
            };
            clock = clock.at(time_ms);
            store.apply(seq, &rows_of(&store, seq, time_ms, clock, &record)?.changes())?;
            findings.replayed += 1;
            if store.is_full() {
                store.flush()?;
            }
        }
        Ok::<_, BooksError>(store.flush()?)
    })?;
    Ok((store, clock))
}
