//! What is known of the way to the agency: since when it does not answer, and until when it is left alone.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock;
use crate::desk::Outage;

/// First and longest pause after the agency could not be reached, in milliseconds.
const PAUSE_MS_MIN: i64 = 500;
const PAUSE_MS_MAX: i64 = 30_000;

/// One way, or one service at its end.
#[derive(Default)]
pub(super) struct Line(Mutex<Known>);

#[derive(Default)]
struct Known {
    outage: Option<Outage>,
    pause_ms: i64,
    retry_at_ms: i64,
}

impl Line {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Since when and why it does not answer, if it does not.
    pub(super) fn outage(&self) -> Option<Outage> {
        self.known().outage.clone()
    }

    /// False while a pause after a failed attempt lasts.
    pub(super) fn may_try(&self) -> bool {
        let known = self.known();
        known.outage.is_none() || clock::now_ms() >= known.retry_at_ms
    }

    /// Someone asks for it: no pause is kept.
    pub(super) fn try_now(&self) {
        self.known().retry_at_ms = 0;
    }

    /// It answered.
    pub(super) fn answered(&self) {
        *self.known() = Known::default();
    }

    /// It did not.
    pub(super) fn failed(&self, code: &str) {
        let now_ms = clock::now_ms();
        let mut known = self.known();
        known.pause_ms = (known.pause_ms * 2).clamp(PAUSE_MS_MIN, PAUSE_MS_MAX);
        known.retry_at_ms = now_ms + known.pause_ms;
        if known.outage.is_none() {
            known.outage = Some(Outage {
                since_ms: now_ms,
                cause: code.to_owned(),
            });
        }
    }
}
