//! Whose sales are on the way: one at a time for each person, so that nothing is asked, reversed or sent behind the back
//! of a request that is still out.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The persons whose turn is taken.
#[derive(Default)]
pub(super) struct People {
    taken: Mutex<HashSet<String>>,
    freed: Notify,
}

/// A person's turn; given back when dropped.
pub(super) struct Turn<'a> {
    people: &'a People,
    psn_no: String,
}

impl People {
    /// The person's turn, unless somebody has it.
    pub(super) fn try_turn(&self, psn_no: &str) -> Option<Turn<'_>> {
        self.lock().insert(psn_no.to_owned()).then(|| Turn {
            people: self,
            psn_no: psn_no.to_owned(),
        })
    }

    /// The person's turn, as soon as it is free.
    pub(super) async fn turn(&self, psn_no: &str) -> Turn<'_> {
        loop {
            let freed = self.freed.notified();
            if let Some(turn) = self.try_turn(psn_no) {
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
        self.people.lock().remove(&self.psn_no);
        self.people.freed.notify_waiters();
    }
}
