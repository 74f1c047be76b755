//! The bills worked on last, as they are in the store: a bill is never changed, and a settlement takes several entries.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use super::lock;
use crate::record::Sale;

/// As many as a drain works on at a time, twice.
const KEPT_MAX: usize = 128;

/// Some bills by the entries that committed them.
#[derive(Default)]
pub(super) struct Bills(Mutex<Recent>);

#[derive(Default)]
struct Recent {
    bills: HashMap<u64, Arc<Sale>>,
    oldest_first: VecDeque<u64>,
}

impl Bills {
    pub(super) fn get(&self, seq: u64) -> Option<Arc<Sale>> {
        lock(&self.0).bills.get(&seq).cloned()
    }

    pub(super) fn keep(&self, seq: u64, bill: &Arc<Sale>) {
        let mut recent = lock(&self.0);
        if recent.bills.insert(seq, bill.clone()).is_some() {
            return;
        }
        recent.oldest_first.push_back(seq);
        if recent.oldest_first.len() > KEPT_MAX
            && let Some(oldest) = recent.oldest_first.pop_front()
        {
            recent.bills.remove(&oldest);
        }
    }
}
