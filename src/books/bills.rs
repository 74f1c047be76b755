//! The bills worked on last, as they are in the store: a bill is never changed, and a settlement takes several entries.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::lock;
use crate::record::Sale;

/// As many as are on the way to the agency at a time, twice.
const KEPT_MAX: usize = 32;

/// Some bills, the oldest first.
#[derive(Default)]
pub(super) struct Bills(Mutex<VecDeque<Arc<Sale>>>);

impl Bills {
    pub(super) fn get(&self, id: &str) -> Option<Arc<Sale>> {
        lock(&self.0).iter().rev().find(|bill| bill.id == id).cloned()
    }

    pub(super) fn keep(&self, bill: &Arc<Sale>) {
        let mut bills = lock(&self.0);
        if bills.len() >= KEPT_MAX {
            bills.pop_front();
        }
        bills.push_back(bill.clone());
    }
}
