//! The bills worked on last, as they are in the store: a bill is never changed, and a settlement takes several entries.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use super::lock;
use crate::record::Sale;

/// As many as a drain works on at a time, twice.
const KEPT_MAX: usize = 128;

/// Some bills by sale id.
#[derive(Default)]
pub(super) struct Bills(Mutex<Recent>);

#[derive(Default)]
struct Recent {
    bills: HashMap<String, Arc<Sale>>,
    oldest_first: VecDeque<Arc<Sale>>,
}

impl Bills {
    pub(super) fn get(&self, id: &str) -> Option<Arc<Sale>> {
        lock(&self.0).bills.get(id).cloned()
    }

    pub(super) fn keep(&self, bill: &Arc<Sale>) {
        let mut recent = lock(&self.0);
        if recent.bills.insert(bill.id.clone(), bill.clone()).is_some() {
            return;
        }
        recent.oldest_first.push_back(bill.clone());
        if recent.oldest_first.len() > KEPT_MAX
            && let Some(oldest) = recent.oldest_first.pop_front()
        {
            recent.bills.remove(&oldest.id);
        }
    }
}
