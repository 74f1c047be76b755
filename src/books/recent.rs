//! The sales worked on last, as the store has them: a bill is never changed, and what comes of it takes several entries.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use super::lock;
use super::row::{Course, SaleRow};
use crate::record::Sale;

/// As many as a drain works on at a time, twice.
const KEPT_MAX: usize = 128;

/// Some sales by the entries that committed them.
#[derive(Default)]
pub(super) struct Recent(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    sales: HashMap<u64, (Arc<Sale>, Option<Course>)>,
    by_id: HashMap<String, u64>,
    oldest_first: VecDeque<u64>,
}

impl Recent {
    /// The entry that committed the sale of this id.
    pub(super) fn seq(&self, id: &str) -> Option<u64> {
        lock(&self.0).by_id.get(id).copied()
    }

    pub(super) fn bill(&self, seq: u64) -> Option<Arc<Sale>> {
        lock(&self.0).sales.get(&seq).map(|(bill, _)| bill.clone())
    }

    /// What came of a sale, if whoever writes has said so.
    pub(super) fn course(&self, seq: u64) -> Option<Course> {
        lock(&self.0).sales.get(&seq)?.1.clone()
    }

    /// As read: whoever writes may have written meanwhile, so that what came of it is not kept.
    pub(super) fn read(&self, seq: u64, bill: &Arc<Sale>) {
        lock(&self.0).keep(seq, bill);
    }

    /// As the last entry left it; by whoever writes, and nobody else.
    pub(super) fn written(&self, row: SaleRow) {
        let mut kept = lock(&self.0);
        kept.keep(row.seq, &row.sale);
        if let Some((_, course)) = kept.sales.get_mut(&row.course.seq) {
            *course = Some(row.course);
        }
    }
}

impl Kept {
    fn keep(&mut self, seq: u64, bill: &Arc<Sale>) {
        if self.sales.contains_key(&seq) {
            return;
        }
        self.sales.insert(seq, (bill.clone(), None));
        self.by_id.insert(bill.id.clone(), seq);
        self.oldest_first.push_back(seq);
        if self.oldest_first.len() > KEPT_MAX
            && let Some(oldest) = self.oldest_first.pop_front()
            && let Some((bill, _)) = self.sales.remove(&oldest)
        {
            self.by_id.remove(&bill.id);
        }
    }
}
