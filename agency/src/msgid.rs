//! Message ids (msgid): 30 characters, strictly increasing, never repeated by one terminal.

use std::sync::{Mutex, PoisonError};

use jiff::{ToSpan, civil::DateTime};

use crate::clock::{beijing_now, compact_time};

/// Length of a msgid: institution code (12), time (14), sequence (4).
pub const MSGID_LEN: usize = 30;
const CODE_LEN: usize = 12;
const SEQUENCE_MAX: u16 = 9999;

/// Issues message ids. Each is greater than the one before, inside one second and when the clock steps back:
/// the second of the last id is kept, or moved on when its 9999 numbers are used up, until the clock has passed it.
///
/// The ids of one institution are unique per issuer only. Tills that share an institution code need distinct
/// clocks or a shared issuer; the interface leaves no room for a till number.
#[derive(Debug)]
pub struct MsgIds {
    code: String,
    last: Mutex<Option<(DateTime, u16)>>,
}

impl MsgIds {
    /// An issuer for an institution code, which is cut or padded with zeros to 12 characters.
    pub fn new(fixmedins_code: &str) -> MsgIds {
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
            last: Mutex::new(None),
        }
    }

    /// An issuer that goes on after `last`, the greatest msgid this terminal is known to have used. An id of
    /// another institution or shape is disregarded.
    pub fn resume(fixmedins_code: &str, last: &str) -> MsgIds {
        let ids = MsgIds::new(fixmedins_code);
        ids.note_used(last);
        ids
    }

    /// Tells the issuer of an id in use (from the journal): ids issued from now on are greater.
    pub fn note_used(&self, msgid: &str) {
        let Some(used) = self.read(msgid) else { return };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|known| known < used) {
            *last = Some(used);
        }
    }

    /// The next id.
    pub fn next(&self) -> String {
        self.next_at(beijing_now())
    }

    /// The next id when the clock shows `now`.
    pub fn next_at(&self, now: DateTime) -> String {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (second, sequence) = match *last {
            Some((second, sequence)) if now <= second && sequence < SEQUENCE_MAX => (second, sequence + 1),
            Some((second, _)) if now <= second => (second.saturating_add(1.second()), 1),
            _ => (now, 1),
        };
        *last = Some((second, sequence));
        format!("{}{}{sequence:04}", self.code, compact_time(second))
    }

    fn read(&self, msgid: &str) -> Option<(DateTime, u16)> {
        if msgid.len() != MSGID_LEN {
            return None;
        }
        let rest = msgid.strip_prefix(&self.code)?;
        let (time, sequence) = (rest.get(..14)?, rest.get(14..)?);
        let second = DateTime::strptime("%Y%m%d%H%M%S", time).ok()?;
        Some((second, sequence.parse().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn at(second: i8) -> DateTime {
        date(2026, 3, 1).at(9, 30, second, 0)
    }

    #[test]
    fn shape() {
        for (code, expected) in [
            ("H53010200001", "H53010200001202603010930000001"),
            ("P5301", "P53010000000202603010930000001"),
            ("H500233014362", "H50023301436202603010930000001"),
        ] {
            assert_eq!(MsgIds::new(code).next_at(at(0)), expected);
        }
    }

    #[test]
    fn increases_within_a_second_over_its_end_and_when_the_clock_steps_back() {
        let ids = MsgIds::new("H53010200001");
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
    fn resumes_after_the_last_one_used() {
        let ids = MsgIds::resume("H53010200001", "H53010200001202603010930300007");
        assert_eq!(ids.next_at(at(10)), "H53010200001202603010930300008");
        assert_eq!(ids.next_at(at(31)), "H53010200001202603010930310001");
        for foreign in [
            "",
            "H53010200002202603010930300007",
            "H530102000012026030109303000x7",
        ] {
            assert_eq!(
                MsgIds::resume("H53010200001", foreign).next_at(at(10)),
                "H53010200001202603010930100001"
            );
        }
    }

    #[test]
    fn the_end_of_a_second_moves_on_to_the_next() {
        let ids = MsgIds::resume("H53010200001", "H53010200001202603010930599999");
        assert_eq!(ids.next_at(at(10)), "H53010200001202603010931000001");
    }
}
