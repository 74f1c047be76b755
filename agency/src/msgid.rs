//! Message ids (msgid): 30 characters, strictly increasing, never repeated by one terminal.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{ToSpan, civil::DateTime};
use ring::rand::{SecureRandom, SystemRandom};

use crate::clock::{COMPACT, beijing_now, compact_time};

/// Length of a msgid: institution code (12), time (14), sequence (4).
pub const MSGID_LEN: usize = 30;
const CODE_LEN: usize = 12;
/// Numbers of one till in one second; the till is the first digit of the four.
const TILL_NUMBERS: u16 = 1000;
/// So much further than the ids issued is written down, so that it is not done every second.
const KEPT_AHEAD_SECONDS: i64 = 1;
/// A scattered second begins at one of the first so many of them.
const SCATTER: u16 = 512;

/// Issues message ids. Each is greater than the one before, inside one second and when the clock steps back:
/// the second of the last id is kept, or moved on when its numbers are used up, until the clock has passed it.
///
/// The tills of one institution share its code; each takes its own thousand of the sequence, so that no two of them
/// ever issue the same id. Two data directories under one till number are a mistake that these 30 characters cannot
/// rule out, twelve and fourteen of them being given; a scattered issuer begins every second at a number drawn anew, so
/// that they hardly ever meet.
///
/// Most ids stand in no journal. So that none is issued again after a crash, a kept issuer has it written down, before
/// it issues one, up to which second it may have.
pub struct MsgIds {
    code: String,
    first: u16,
    scattered: bool,
    issued: Mutex<Issued>,
    keep: Option<Keep>,
}

/// Writes down a second, as `yyyyMMddHHmmss`.
type Keep = Box<dyn Fn(&str) + Send + Sync>;

#[derive(Default)]
struct Issued {
    last: Option<(DateTime, u16)>,
    /// The second written down.
    kept: Option<DateTime>,
}

impl fmt::Debug for MsgIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MsgIds")
            .field("code", &self.code)
            .field("first", &self.first)
            .finish_non_exhaustive()
    }
}

impl MsgIds {
    /// An issuer for an institution code, which is cut or padded with zeros to 12 characters, and a till, 0 to 9.
    pub fn new(fixmedins_code: &str, till: u8) -> MsgIds {
        let mut code: String = fixmedins_code
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(CODE_LEN)
            .collect();
        while code.len() < CODE_LEN {
            code.push('0');
        }
        MsgIds {
            code,
            first: u16::from(till % 10) * TILL_NUMBERS,
            scattered: false,
            issued: Mutex::default(),
            keep: None,
        }
    }

    /// The same, each second beginning at a number drawn anew.
    #[must_use]
    pub fn scattered(self) -> MsgIds {
        MsgIds {
            scattered: true,
            ..self
        }
    }

    /// The same, going on after the second that `keep` wrote down last, as `yyyyMMddHHmmss`; anything else is
    /// disregarded. Where it cannot be written, ids are issued all the same.
    #[must_use]
    pub fn kept(self, kept: &str, keep: impl Fn(&str) + Send + Sync + 'static) -> MsgIds {
        if let Ok(second) = DateTime::strptime(COMPACT, kept) {
            self.use_up(second);
        }
        MsgIds {
            keep: Some(Box::new(keep)),
            ..self
        }
    }

    /// The number a second begins with.
    fn begin(&self) -> u16 {
        let mut drawn = [0; 2];
        // Without chance it begins at the first, as an issuer does that is not scattered.
        if self.scattered && SystemRandom::new().fill(&mut drawn).is_ok() {
            self.first + u16::from_be_bytes(drawn) % SCATTER
        } else {
            self.first
        }
    }

    /// Tells the issuer of an id in use (from the journal): ids issued from now on are of a later second. What was only
    /// asked stands in no journal, so the rest of that second may have been used too. An id of another institution, till
    /// or shape is disregarded.
    pub fn note_used(&self, msgid: &str) {
        if let Some(second) = self.second_of(msgid) {
            self.use_up(second);
        }
    }

    fn use_up(&self, second: DateTime) {
        let used = (second, self.first + TILL_NUMBERS - 1);
        let mut issued = self.issued();
        if issued.last.is_none_or(|known| known < used) {
            issued.last = Some(used);
        }
    }

    fn issued(&self) -> MutexGuard<'_, Issued> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The till whose ids these are.
    pub fn till(&self) -> u8 {
        u8::try_from(self.first / TILL_NUMBERS).unwrap_or_default()
    }

    /// The till of this institution that issued an id; None for an id of another shape or institution.
    pub fn till_of(&self, msgid: &str) -> Option<u8> {
        let rest = msgid.strip_prefix(&self.code)?;
        let shaped = msgid.len() == MSGID_LEN && rest.bytes().all(|byte| byte.is_ascii_digit());
        let digit = rest.get(14..15).filter(|_| shaped)?;
        digit.parse().ok()
    }

    /// The next id.
    pub fn next(&self) -> String {
        self.next_at(beijing_now())
    }

    /// The next id when the clock shows `now`.
    pub fn next_at(&self, now: DateTime) -> String {
        let mut issued = self.issued();
        let (second, sequence) = match issued.last {
            Some((second, sequence)) if now <= second && sequence < self.first + TILL_NUMBERS - 1 => {
                (second, sequence + 1)
            }
            Some((second, _)) if now <= second => (second.saturating_add(1.second()), self.begin()),
            _ => (now, self.begin()),
        };
        issued.last = Some((second, sequence));
        if let Some(keep) = &self.keep
            && issued.kept.is_none_or(|kept| kept < second)
        {
            let ahead = second.saturating_add(KEPT_AHEAD_SECONDS.seconds());
            keep(&compact_time(ahead));
            issued.kept = Some(ahead);
        }
        format!("{}{}{sequence:04}", self.code, compact_time(second))
    }

    /// The second of an id of this terminal.
    fn second_of(&self, msgid: &str) -> Option<DateTime> {
        if msgid.len() != MSGID_LEN {
            return None;
        }
        let rest = msgid.strip_prefix(&self.code)?;
        let (time, sequence) = (rest.get(..14)?, rest.get(14..)?);
        let second = DateTime::strptime(COMPACT, time).ok()?;
        let sequence: u16 = sequence.parse().ok()?;
        let own = self.first..self.first + TILL_NUMBERS;
        own.contains(&sequence).then_some(second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn resumed(last: &str) -> MsgIds {
        let ids = MsgIds::new("H53010200001", 0);
        ids.note_used(last);
        ids
    }

    fn at(second: i8) -> DateTime {
        date(2026, 3, 1).at(9, 30, second, 0)
    }

    #[test]
    fn shape() {
        for (code, expected) in [
            ("H53010200001", "H53010200001202603010930000000"),
            ("P5301", "P53010000000202603010930000000"),
            ("H500233014362", "H50023301436202603010930000000"),
        ] {
            assert_eq!(MsgIds::new(code, 0).next_at(at(0)), expected);
        }
    }

    #[test]
    fn increases_within_a_second_over_its_end_and_when_the_clock_steps_back() {
        let ids = MsgIds::new("H53010200001", 0);
        let mut before = ids.next_at(at(30));
        for n in 0..25_000 {
            let next = ids.next_at(at(if n % 3 == 0 { 30 } else { 5 }));
            assert_eq!(next.len(), MSGID_LEN);
            assert!(before < next, "{before} then {next}");
            before = next;
        }
        assert!(ids.next_at(at(59)) > before);
    }

    #[test]
    fn resumes_after_the_second_of_the_last_one_used() {
        let ids = resumed("H53010200001202603010930300007");
        assert_eq!(ids.next_at(at(10)), "H53010200001202603010930310000");
        assert_eq!(ids.next_at(at(31)), "H53010200001202603010930310001");
        assert_eq!(ids.next_at(at(32)), "H53010200001202603010930320000");
        for foreign in [
            "",
            "H53010200002202603010930300007",
            "H530102000012026030109303000x7",
            "H53010200001202603010930301007",
        ] {
            assert_eq!(resumed(foreign).next_at(at(10)), "H53010200001202603010930100000");
        }
    }

    #[test]
    fn the_end_of_a_second_moves_on_to_the_next() {
        let ids = resumed("H53010200001202603010930590999");
        assert_eq!(ids.next_at(at(10)), "H53010200001202603010931000000");
    }

    #[test]
    fn a_scattered_issuer_increases_too_and_begins_seconds_apart() {
        let ids = MsgIds::new("H53010200001", 3).scattered();
        let mut before = ids.next_at(at(0));
        let mut begun = std::collections::HashSet::new();
        for second in 1..60 {
            for _ in 0..700 {
                let next = ids.next_at(at(second));
                assert!(before < next, "{before} then {next}");
                assert_eq!(ids.till_of(&next), Some(3));
                before = next;
            }
        }
        for second in 0..40 {
            let fresh = MsgIds::new("H53010200001", 3).scattered();
            begun.insert(fresh.next_at(at(second)).split_off(26));
        }
        assert!(begun.len() > 20, "{begun:?}");
    }

    /// Whenever one ends, the next goes on with ids that none before it has issued, whatever the clock shows.
    #[test]
    fn a_kept_issuer_repeats_nothing_over_crashes() {
        let kept = std::sync::Arc::new(Mutex::new(String::new()));
        let begun = || {
            let (before, keep) = (kept.lock().unwrap().clone(), kept.clone());
            let ids = MsgIds::new("H53010200001", 0);
            ids.kept(&before, move |second| {
                second.clone_into(&mut keep.lock().unwrap())
            })
        };
        let mut last = String::new();
        for clock in [30, 30, 31, 5, 40, 40, 59, 0] {
            let ids = begun();
            for _ in 0..1_500 {
                let next = ids.next_at(at(clock));
                assert!(last < next, "{last} then {next}");
                last = next;
            }
        }
        "not a time".clone_into(&mut kept.lock().unwrap());
        assert_eq!(begun().next_at(at(10)), "H53010200001202603010930100000");
    }

    #[test]
    fn tills_of_one_institution_never_meet() {
        let mut seen = std::collections::HashSet::new();
        for till in 0..10 {
            let ids = MsgIds::new("H53010200001", till);
            for _ in 0..2_000 {
                assert!(seen.insert(ids.next_at(at(30))), "till {till}");
            }
        }
    }
}
