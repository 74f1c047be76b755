//! Wall clock and the Beijing civil time that every message, receipt and rule is dated by.

use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, tz};

/// Milliseconds since 1970-01-01 UTC; the agency's crate holds the clock, so that a simulation replaces one for both.
#[must_use]
pub fn now_ms() -> i64 {
    yijie_agency::now().as_millisecond()
}

/// Beijing civil time of a wall clock instant; an instant out of range reads as 1970-01-01.
#[must_use]
pub fn beijing(time_ms: i64) -> DateTime {
    Timestamp::from_millisecond(time_ms)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .to_zoned(tz::TimeZone::fixed(tz::offset(8)))
        .datetime()
        .with()
        .subsec_nanosecond(0)
        .build()
        .unwrap_or_default()
}

/// `yyyy-MM-dd HH:mm:ss` in Beijing, the form of the national interface.
#[must_use]
pub fn stamp(time_ms: i64) -> String {
    let t = beijing(time_ms);
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        t.year(),
        t.month(),
        t.day(),
        t.hour(),
        t.minute(),
        t.second()
    )
}

/// Beijing calendar day.
#[must_use]
pub fn today(time_ms: i64) -> Date {
    beijing(time_ms).date()
}

#[cfg(test)]
mod tests {
    #[test]
    fn midnight_in_beijing_is_sixteen_utc() {
        assert_eq!(super::stamp(1_772_294_400_000), "2026-03-01 00:00:00");
        assert_eq!(super::stamp(1_772_294_399_999), "2026-02-28 23:59:59");
    }
}
