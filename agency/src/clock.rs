//! The wall clock of the national platform: Beijing time, whatever the till's own time zone is set to.

use jiff::{Timestamp, civil::DateTime, tz};

/// Now, in Beijing time, to the second.
pub fn beijing_now() -> DateTime {
    let zone = tz::TimeZone::fixed(tz::offset(8));
    let now = Timestamp::now().to_zoned(zone).datetime();
    now.with().subsec_nanosecond(0).build().unwrap_or(now)
}

/// `yyyy-MM-dd HH:mm:ss`, the interface's DT format.
pub(crate) fn wire_time(time: DateTime) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `yyyyMMddHHmmss`, as message ids carry it.
pub(crate) fn compact_time(time: DateTime) -> String {
    time.strftime("%Y%m%d%H%M%S").to_string()
}
