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
        let (day, time) = text.as_bytes().split_at_checked(10)?;
        let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = day else {
            return None;
        };
        let year = 100 * i16::from(two([y1, y2])?) + i16::from(two([y3, y4])?);
        let date = Date::new(year, two([m1, m2])?, two([d1, d2])?).ok()?;
        let time = match *time {
            [] => Time::midnight(),
            [b' ' | b'T', h1, h2, b':', m1, m2] => Time::new(two([h1, h2])?, two([m1, m2])?, 0, 0).ok()?,
            [b' ' | b'T', h1, h2, b':', m1, m2, b':', s1, s2] => {
                Time::new(two([h1, h2])?, two([m1, m2])?, two([s1, s2])?, 0).ok()?
            }
            _ => return None,
        };
        Some(Stamp(date.to_datetime(time)))
    }

    /// The day.
    pub fn date(self) -> Date {
        self.0.date()
    }
}

/// Two digits.
fn two(digits: [u8; 2]) -> Option<i8> {
    let [tens, ones] = digits.map(|digit| digit.wrapping_sub(b'0'));
    let number = (tens < 10 && ones < 10).then(|| 10 * tens + ones)?;
    i8::try_from(number).ok()
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
