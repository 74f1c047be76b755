//! What is on the way: one request at a time for each person (and one about a sale's packs), so that nothing is asked,
//! reversed or sent behind the back of a request that is still out.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The persons, or sales, whose turn is taken.
#[derive(Default)]
pub(super) struct Turns {
    taken: Mutex<HashSet<String>>,
    freed: Notify,
}

/// A turn; given back when dropped.
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    of: String,
}

impl Turns {
    /// The turn, unless somebody has it.
    pub(super) fn try_turn(&self, of: &str) -> Option<Turn<'_>> {
        self.lock().insert(of.to_owned()).then(|| Turn {
            turns: self,
            of: of.to_owned(),
        })
    }

    /// The turn, as soon as it is free.
    pub(super) async fn turn(&self, of: &str) -> Turn<'_> {
        loop {
            let freed = self.freed.notified();
            if let Some(turn) = self.try_turn(of) {
                return turn;
            }
            freed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.lock().remove(&self.of);
        self.turns.freed.notify_waiters();
    }
}
