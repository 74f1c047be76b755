//! The wall clock of the national platform: Beijing time, whatever the till's own time zone is set to. A simulation
//! puts its own time in its place.

use std::cell::Cell;

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz};
use tokio::time::Instant;

thread_local! {
    /// Instant of tokio's clock and the wall clock it stands for, on a thread whose time is simulated.
    static SIMULATED: Cell<Option<(Instant, Timestamp)>> = const { Cell::new(None) };
}

thread_local! {
    /// Seconds this thread's wall clock is ahead.
    static AHEAD: Cell<i64> = const { Cell::new(0) };
}

/// Does something by a wall clock that is `seconds` ahead.
pub(crate) fn ahead<T>(seconds: i64, work: impl FnOnce() -> T) -> T {
    AHEAD.set(seconds);
    let done = work();
    AHEAD.set(0);
    done
}

/// The wall clock; on a thread whose time is simulated, what tokio's clock makes of it.
pub fn now() -> Timestamp {
    let true_time = match SIMULATED.get() {
        Some((start, time)) => time.saturating_add(start.elapsed()).unwrap_or(time),
        None => Timestamp::now(),
    };
    match AHEAD.get() {
        0 => true_time,
        seconds => true_time
            .saturating_add(SignedDuration::from_secs(seconds))
            .unwrap_or(true_time),
    }
}

/// From now on this thread's wall clock begins at `time` and goes with tokio's clock, which can be paused.
pub fn simulate_clock(time: Timestamp) {
    SIMULATED.set(Some((Instant::now(), time)));
}

/// Now, in Beijing time, to the second.
pub fn beijing_now() -> DateTime {
    beijing(now())
}

/// A moment in Beijing, to the second.
pub(crate) fn beijing(moment: Timestamp) -> DateTime {
    let zone = tz::TimeZone::fixed(tz::offset(8));
    let time = moment.to_zoned(zone).datetime();
    time.with().subsec_nanosecond(0).build().unwrap_or(time)
}

/// `yyyy-MM-dd HH:mm:ss`, the interface's DT format.
pub(crate) fn wire_time(time: DateTime) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A second in digits only, as message ids have it.
pub(crate) const COMPACT: &str = "%Y%m%d%H%M%S";

/// `yyyyMMddHHmmss`, as message ids carry it.
pub(crate) fn compact_time(time: DateTime) -> String {
    time.strftime(COMPACT).to_string()
}
