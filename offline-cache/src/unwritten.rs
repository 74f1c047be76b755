//! Changes that are read but not in sled yet. Writing many entries' in one step costs sled little more than one's; what
//! a crash takes of them is replayed from the journal.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

/// Values by full key, in clear; nothing where one is taken away.
pub(crate) type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The changes of the last entries.
pub(crate) struct Unwritten {
    /// Last entry whose changes are here or in sled.
    pub(crate) applied_seq: u64,
    /// Entries whose changes are here and not on their way.
    pub(crate) entries: usize,
    newest: Changes,
    /// On their way into sled, or there: what was changed last is read soonest, and here it costs nothing.
    leaving: Arc<Changes>,
}

impl Unwritten {
    /// Nothing yet, where sled holds the changes up to an entry.
    pub(crate) fn on_top_of(applied_seq: u64) -> Unwritten {
        Unwritten {
            applied_seq,
            entries: 0,
            newest: Changes::new(),
            leaving: Arc::default(),
        }
    }

    /// The changes of one more entry.
    pub(crate) fn add(&mut self, seq: u64, changes: Changes) {
        self.applied_seq = seq;
        self.entries = self.entries.saturating_add(1);
        self.newest.extend(changes);
    }

    /// What stands here under a key: a value, or that it is taken away; nothing where only sled knows.
    pub(crate) fn get(&self, full_key: &[u8]) -> Option<&Option<Vec<u8>>> {
        self.newest.get(full_key).or_else(|| self.leaving.get(full_key))
    }

    /// All that stands here under keys that begin so.
    pub(crate) fn with_prefix(&self, prefix: &[u8]) -> Changes {
        let from = (Bound::Included(prefix), Bound::Unbounded);
        let of = |changes: &Changes| -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
            let range = changes.range::<[u8], _>(from);
            let begins = range.take_while(|(key, _)| key.starts_with(prefix));
            begins.map(|(key, value)| (key.clone(), value.clone())).collect()
        };
        let mut found: Changes = of(&self.leaving).into_iter().collect();
        found.extend(of(&self.newest));
        found
    }

    /// All of it goes into sled now, and stays readable until the next goes.
    pub(crate) fn leave(&mut self) -> Arc<Changes> {
        self.entries = 0;
        self.leaving = Arc::new(std::mem::take(&mut self.newest));
        Arc::clone(&self.leaving)
    }
}
