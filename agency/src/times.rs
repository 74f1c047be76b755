//! Times as gateways write them.

use jiff::{Timestamp, civil::DateTime, tz::Offset};

use crate::{
    clock::{beijing, wire_time},
    numbers::half_width,
};

/// A time as the interface writes it, `yyyy-MM-dd HH:mm:ss`, out of what gateways make of it: slashes, a T, an offset, a
/// twelve-hour clock, digits only, milliseconds since 1970. A day alone stays a day. None where it is none, or where a
/// word stands in it that could mean another time.
pub(crate) fn time(text: &str) -> Option<String> {
    let text = half_width(text);
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return Some(wire_time(beijing(stamp)));
    }
    let digits_only = text.bytes().all(|byte| byte.is_ascii_digit());
    if digits_only && text.len() == 13 {
        let stamp = Timestamp::from_millisecond(text.parse().ok()?).ok()?;
        return Some(wire_time(beijing(stamp)));
    }
    if digits_only {
        let at = [0..4, 4..6, 6..8, 8..10, 10..12, 12..14];
        let groups: Vec<&str> = at.into_iter().map_while(|place| text.get(place)).collect();
        return of_groups(&groups, None, None);
    }
    let (local, zone) = zone_of(&text)?;
    let groups: Vec<&str> = local
        .split(|letter: char| !letter.is_ascii_digit())
        .filter(|group| !group.is_empty())
        .collect();
    let separators = |letter: char| letter.is_ascii_digit() || " \t-/.:,T年月日号时点分秒".contains(letter);
    let mut words = local.split(separators).filter(|word| !word.is_empty());
    let half = words.next();
    let meant = match half {
        Some(word) => Some(half_of_day(word)?),
        None => None,
    };
    if words.next().is_some() {
        return None;
    }
    of_groups(&groups, meant, zone)
}

/// What a word says of an hour of the twelve-hour clock.
#[derive(Clone, Copy)]
enum Half {
    Morning,
    Noon,
    Afternoon,
    /// From six on; what comes after midnight may be the next day.
    Evening,
    /// The same, and the hours before dawn.
    Night,
}

fn half_of_day(word: &str) -> Option<Half> {
    let word = word.to_ascii_lowercase();
    Some(match word.as_str() {
        "am" | "a" | "上午" | "凌晨" | "早上" | "清晨" => Half::Morning,
        "中午" => Half::Noon,
        "pm" | "p" | "下午" | "午后" | "傍晚" | "后" => Half::Afternoon,
        "晚上" | "晚" => Half::Evening,
        "夜里" | "半夜" => Half::Night,
        _ => return None,
    })
}

impl Half {
    /// The hour of the day; None: none of this half, or one of two.
    fn hour(self, told: i8) -> Option<i8> {
        match (self, told) {
            (Half::Morning, 12) => Some(0),
            (Half::Morning, 0..=11) => Some(told),
            (Half::Noon, 1 | 2) => Some(told + 12),
            (Half::Noon, 11..=14) => Some(told),
            (Half::Afternoon, 1..=11) | (Half::Evening | Half::Night, 6..=11) => Some(told + 12),
            (Half::Afternoon, 12..=23) | (Half::Evening | Half::Night, 18..=23) => Some(told),
            (Half::Night, 1..=5) => Some(told),
            _ => None,
        }
    }
}

/// A time without its zone, and the zone where one is told.
fn zone_of(text: &str) -> Option<(String, Option<Offset>)> {
    let text = text.trim();
    let mut bare = text.to_owned();
    let mut zone = None;
    for (name, hours) in [
        ("[Asia/Shanghai]", 8),
        ("[UTC]", 0),
        ("UTC", 0),
        ("GMT", 0),
        ("CST", 8),
        ("Z", 0),
    ] {
        if let Some(rest) = bare.strip_suffix(name) {
            bare = rest.trim_end().to_owned();
            zone = Some(Offset::from_hours(hours).ok()?);
        }
    }
    // p.m. and its like.
    bare = bare
        .replace("p.m.", "pm")
        .replace("P.M.", "pm")
        .replace("a.m.", "am")
        .replace("A.M.", "am");
    let clock = bare.find(':').unwrap_or(bare.len());
    let sign = bare
        .get(clock..)
        .and_then(|rest| rest.find(['+', '-']))
        .map(|at| clock + at);
    let Some(sign) = sign else {
        return Some((bare, zone));
    };
    let (local, told) = bare.split_at(sign);
    let digits: String = told.chars().skip(1).filter(|letter| *letter != ':').collect();
    let minutes = match (digits.get(..2), digits.get(2..)) {
        (Some(hours), Some(rest)) if digits.len() <= 4 => {
            let rest = if rest.is_empty() {
                0
            } else {
                rest.parse::<i32>().ok()?
            };
            hours.parse::<i32>().ok()? * 60 + rest
        }
        _ => return None,
    };
    let minutes = if told.starts_with('-') { -minutes } else { minutes };
    let offset = Offset::from_seconds(minutes * 60).ok()?;
    Some((local.trim_end().to_owned(), Some(offset)))
}

fn of_groups(groups: &[&str], half: Option<Half>, zone: Option<Offset>) -> Option<String> {
    let number = |at: usize| groups.get(at).and_then(|group: &&str| group.parse::<i16>().ok());
    let small = |at: usize| number(at).and_then(|number| i8::try_from(number).ok());
    let (year, month, day) = (number(0).filter(|year| *year >= 1900)?, small(1)?, small(2)?);
    if groups.len() == 3 && half.is_none() && zone.is_none() {
        let day = DateTime::new(year, month, day, 0, 0, 0, 0).ok()?;
        return Some(day.date().to_string());
    }
    // Seven: parts of a second.
    if groups.len() > 7 {
        return None;
    }
    let hour = match half {
        Some(half) => half.hour(small(3)?)?,
        None => small(3)?,
    };
    let seconds = if groups.len() > 5 { small(5)? } else { 0 };
    let local = DateTime::new(year, month, day, hour, small(4)?, seconds, 0).ok()?;
    match zone {
        Some(zone) => Some(wire_time(beijing(zone.to_timestamp(local).ok()?))),
        None => Some(wire_time(local)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_however_they_are_written() {
        for (told, meant) in [
            ("2026-03-01 22:30:00", Some("2026-03-01 22:30:00")),
            ("2026/3/1 9:05:07", Some("2026-03-01 09:05:07")),
            ("2026-03-01T22:30:00", Some("2026-03-01 22:30:00")),
            ("2026-03-01T22:30:00.250+08:00", Some("2026-03-01 22:30:00")),
            ("2026-03-01T14:30:00Z", Some("2026-03-01 22:30:00")),
            ("1772375400000", Some("2026-03-01 22:30:00")),
            ("20260301223000", Some("2026-03-01 22:30:00")),
            ("20260301223000123", Some("2026-03-01 22:30:00")),
            ("2026-03-01 下午 10:30:00", Some("2026-03-01 22:30:00")),
            ("2026-03-01 10:30:00 PM", Some("2026-03-01 22:30:00")),
            ("2026-03-01 12:30:00 AM", Some("2026-03-01 00:30:00")),
            ("2026-03-01 12:30:00 PM", Some("2026-03-01 12:30:00")),
            ("2026-03-01", Some("2026-03-01")),
            ("20260301", Some("2026-03-01")),
            (
                "２０２６－０３－０１ ２２：３０：００",
                Some("2026-03-01 22:30:00"),
            ),
            ("2026年3月1日 22时30分00秒", Some("2026-03-01 22:30:00")),
            ("2026-03-01 10:30:00 p.m.", Some("2026-03-01 22:30:00")),
            ("2026-03-01 10:30:00 P.M.", Some("2026-03-01 22:30:00")),
            ("2026-03-01 10:30:00 P", Some("2026-03-01 22:30:00")),
            ("2026-03-01 中午1:30:00", Some("2026-03-01 13:30:00")),
            ("2026-03-01 中午12:30:00", Some("2026-03-01 12:30:00")),
            ("2026-03-01 中午3:30:00", None),
            ("2026-03-01 夜里11:30:00", Some("2026-03-01 23:30:00")),
            ("2026-03-01 夜里1:30:00", Some("2026-03-01 01:30:00")),
            ("2026-03-01 傍晚6:30:00", Some("2026-03-01 18:30:00")),
            ("2026-03-01 午后2:30:00", Some("2026-03-01 14:30:00")),
            ("2026-03-01 后10:30:00", Some("2026-03-01 22:30:00")),
            ("2026-03-01 晚上10:30:00", Some("2026-03-01 22:30:00")),
            ("2026-03-01 晚上12:30:00", None),
            ("2026-03-01 上午 22:30:00", None),
            ("2026-03-01 14:30:00 UTC", Some("2026-03-01 22:30:00")),
            ("2026-03-01 14:30:00 GMT", Some("2026-03-01 22:30:00")),
            ("2026-03-01 14:30:00Z", Some("2026-03-01 22:30:00")),
            ("2026-03-01 14:30:00 +00:00", Some("2026-03-01 22:30:00")),
            ("2026-03-01 22:30:00 +0800", Some("2026-03-01 22:30:00")),
            ("2026-03-01T14:30:00.000+0000", Some("2026-03-01 22:30:00")),
            ("2026-03-01T22:30:00[Asia/Shanghai]", Some("2026-03-01 22:30:00")),
            ("2026-03-01 22:30:00 CST", Some("2026-03-01 22:30:00")),
            ("2026-03-01 10:30:00 PM UTC", Some("2026-03-02 06:30:00")),
            ("2026-03-01 22:30:00 garbage", None),
            ("2026-03-01 10:30:00 22:30:00", None),
            ("2026-03-01 10:30:00 オフ", None),
            ("昨天", None),
            ("10:30:00 PM", None),
            ("2026-02-30 10:00:00", None),
            ("2026-03-01 25:61:00", None),
            ("0", None),
        ] {
            assert_eq!(time(told).as_deref(), meant, "{told}");
        }
    }
}
