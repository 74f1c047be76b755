//! A row of docs/benchmarks.md.

use std::time::Duration;

/// Prints median and 99th percentile; gives the median.
pub(crate) fn print(what: &str, mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    println!(
        "{what}\tp50 {:.2?}\tp99 {:.2?}\tn {}",
        at(50),
        at(99),
        times.len()
    );
    at(50)
}
