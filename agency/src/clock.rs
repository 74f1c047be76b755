//! The wall clock of the national platform: Beijing time, whatever the till's own time zone is set to. A simulation
//! puts its own time in its place.

use std::cell::Cell;

use jiff::{Timestamp, civil::DateTime, tz};
use tokio::time::Instant;

thread_local! {
    /// Instant of tokio's clock and the wall clock it stands for, on a thread whose time is simulated.
    static SIMULATED: Cell<Option<(Instant, Timestamp)>> = const { Cell::new(None) };
}

/// The wall clock; on a thread whose time is simulated, what tokio's clock makes of it.
pub fn now() -> Timestamp {
    match SIMULATED.get() {
        Some((start, time)) => time.saturating_add(start.elapsed()).unwrap_or(time),
        None => Timestamp::now(),
    }
}

/// From now on this thread's wall clock begins at `time` and goes with tokio's clock, which can be paused.
pub fn simulate_clock(time: Timestamp) {
    SIMULATED.set(Some((Instant::now(), time)));
}

/// Now, in Beijing time, to the second.
pub fn beijing_now() -> DateTime {
    let zone = tz::TimeZone::fixed(tz::offset(8));
    let now = now().to_zoned(zone).datetime();
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
