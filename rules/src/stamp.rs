//! Dates and times as the national interface writes them: "2026-03-01", "2026-03-01 09:30:00".

use std::fmt;

use jiff::civil::{Date, DateTime, Time};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Date and time at the counter, no zone: "2026-03-01 09:30:00"; a date alone is its midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp(pub DateTime);

impl Stamp {
    /// Reads "2026-03-01 09:30:00", "2026-03-01 09:30" or "2026-03-01".
    pub fn parse(text: &str) -> Option<Stamp> {
        let (day, time) = text.split_at_checked(10)?;
        let mut parts = day.splitn(3, '-');
        let year = i16::try_from(digits::<4>(parts.next()?)?).ok()?;
        let (month, day) = (digits::<2>(parts.next()?)?, digits::<2>(parts.next()?)?);
        let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
        if time.is_empty() {
            return Some(Stamp(date.to_datetime(Time::midnight())));
        }
        let mut parts = time.strip_prefix([' ', 'T'])?.splitn(3, ':');
        let mut part = || parts.next().map(|part| i8::try_from(digits::<2>(part)?).ok());
        let (hour, minute, second) = (part()??, part()??, part().unwrap_or(Some(0))?);
        Some(Stamp(date.to_datetime(Time::new(hour, minute, second, 0).ok()?)))
    }

    /// The day.
    pub fn date(self) -> Date {
        self.0.date()
    }
}

/// Exactly N digits.
fn digits<const N: usize>(text: &str) -> Option<u16> {
    let number = text.bytes().try_fold(0, |sum: u16, byte| {
        byte.is_ascii_digit()
            .then(|| sum.wrapping_mul(10).wrapping_add(u16::from(byte - b'0')))
    });
    number.filter(|_| text.len() == N)
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let t = self.0;
        write!(
            f,
            "{} {:02}:{:02}:{:02}",
            t.date(),
            t.hour(),
            t.minute(),
            t.second()
        )
    }
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

struct StampVisitor;

impl de::Visitor<'_> for StampVisitor {
    type Value = Stamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time such as \"2026-03-01 09:30:00\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Stamp, E> {
        Stamp::parse(text).ok_or_else(|| E::custom("expected a time such as \"2026-03-01 09:30:00\""))
    }
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Stamp, D::Error> {
        deserializer.deserialize_str(StampVisitor)
    }
}

/// A day that may be written with a time after it; only the day counts.
pub(crate) mod day {
    use super::*;

    struct DayVisitor;

    impl de::Visitor<'_> for DayVisitor {
        type Value = Date;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a date such as \"2026-03-01\"")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Date, E> {
            let stamp = Stamp::parse(text);
            stamp
                .map(Stamp::date)
                .ok_or_else(|| E::custom("expected a date such as \"2026-03-01\""))
        }
    }

    struct Day(Date);

    impl<'de> Deserialize<'de> for Day {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Day, D::Error> {
            deserializer.deserialize_str(DayVisitor).map(Day)
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
        Ok(Option::<Day>::deserialize(deserializer)?.map(|day| day.0))
    }
}

/// A span of days, both ends counted; an open end is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Period {
    /// First day.
    #[serde(deserialize_with = "day::deserialize")]
    pub begndate: Option<Date>,
    /// Last day.
    #[serde(deserialize_with = "day::deserialize")]
    pub enddate: Option<Date>,
}

impl Period {
    /// Whether the day lies in the period.
    pub fn contains(&self, day: Date) -> bool {
        self.begndate.is_none_or(|first| first <= day) && self.enddate.is_none_or(|last| day <= last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes() {
        for (text, written) in [
            ("2026-03-01 09:30:00", Some("2026-03-01 09:30:00")),
            ("2026-03-01T09:30:00", Some("2026-03-01 09:30:00")),
            ("2026-03-01 09:30", Some("2026-03-01 09:30:00")),
            ("2026-03-01", Some("2026-03-01 00:00:00")),
            ("2026-02-29", None),
            ("2026-03-01 24:00:00", None),
            ("2026-03-01 9:30:00", None),
            ("20260301", None),
            ("", None),
        ] {
            assert_eq!(
                Stamp::parse(text).map(|stamp| stamp.to_string()).as_deref(),
                written,
                "{text}"
            );
        }
    }
}
