//! `yijie journal resume`: a till that lacks entries goes on.

use std::path::Path;

use jiff::civil::Date;

use super::people::Who;
use super::{Failure, OtherAgency, Out, Till, close, tasks};
use crate::reconcile::{self, ReconcileError};

/// Asks the agency again, and lets a supervisor go on although the totals do not agree.
///
/// # Errors
/// [`Failure`] if the agency cannot be asked or the PIN is not right.
pub fn run(data: &Path, agency: &OtherAgency, who: &Who, out: Out) -> Result<u8, Failure> {
    let till = Till::open(data, agency, out)?;
    let tasks = tasks()?;
    match tasks.block_on(reconcile::caught_up(&till.books, &till.sync)) {
        Err(ReconcileError::AgencyHoldsMore { .. }) if who.operator.is_some() => {
            let by = who.supervisor(&till.books, out)?.id;
            let Some(behind) = till.books.behind()? else {
                return Ok(0);
            };
            let since = behind.since.parse::<Date>().unwrap_or_default();
            let totals = tasks.block_on(reconcile::totals_since(&till.books, &till.sync, since))?;
            out.print(&totals, || {
                close::total_words(since, &totals, out.lang).join("\n")
            })?;
            reconcile::compared(&till.books, behind.since, totals, Some(by))?;
        }
        other => other?,
    }
    Ok(0)
}
