//! A till that lacks entries it once wrote asks the agency what it holds before anything is sold.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;
use yijie_agency::Answer;

use super::ReconcileError;
use super::totals::{Group, ask, every_group, totals_of, usual_place};
use crate::books::{Books, BooksError};
use crate::clock;
use crate::record::{ClosedTotal, Record};
use crate::sync::Sync;

/// Asks the agency, if entries are missing, and books what it said. Nothing is to be sold before this is well.
///
/// # Errors
/// [`ReconcileError::Behind`] while the agency cannot be asked, [`ReconcileError::AgencyHoldsMore`] while it does.
pub async fn caught_up(books: &Books, sync: &Sync) -> Result<(), ReconcileError> {
    let Some(behind) = books.behind()? else {
        return Ok(());
    };
    let not_asked = |source: ReconcileError| ReconcileError::Behind {
        salvaged: behind.why == "JOURNAL_SALVAGED",
        source: Box::new(source),
    };
    let Ok(since) = behind.since.parse::<Date>() else {
        return Err(ReconcileError::AgencyHoldsMore {
            since: Date::default(),
        });
    };
    let agree = |totals: &[ClosedTotal]| totals.iter().all(|total| total.balanced);
    let mut said = totals_since(books, sync, since).await.map_err(not_asked)?;
    if !agree(&said) {
        // What waited here may have been settled since: looked up, and not sent again before all is known.
        for row in books.open_rows()? {
            sync.look(row?).await?;
        }
        said = totals_since(books, sync, since).await.map_err(not_asked)?;
    }
    if !agree(&said) {
        return Err(ReconcileError::AgencyHoldsMore { since });
    }
    Ok(compared(books, behind.since.clone(), said, None)?)
}

/// Books that the agency was asked; `accepted_by`: the supervisor who goes on although it holds more.
///
/// # Errors
/// [`BooksError`] if the books cannot be written.
pub fn compared(
    books: &Books,
    since: String,
    totals: Vec<ClosedTotal>,
    accepted_by: Option<String>,
) -> Result<(), BooksError> {
    let record = Record::Compared {
        since,
        totals,
        accepted_by,
    };
    books.append(&record, clock::now_ms())?;
    Ok(())
}

/// The sums from a day on, by what the agency adds up separately, and what it says of each.
///
/// # Errors
/// [`ReconcileError`] if the books cannot be read or the agency cannot be asked.
pub async fn totals_since(
    books: &Books,
    sync: &Sync,
    since: Date,
) -> Result<Vec<ClosedTotal>, ReconcileError> {
    let today = clock::today(clock::now_ms());
    let mut sums: BTreeMap<Group, ClosedTotal> = BTreeMap::new();
    // The settling agencies there have been, or the one that is to be expected.
    let mut places = books.settling_agencies()?;
    if places.is_empty() {
        places.insert(usual_place(sync));
    }
    for key in places.iter().flat_map(|place| every_group(place)) {
        sums.insert(key.clone(), ClosedTotal::nothing(key));
    }
    let mut day = since;
    while day <= today {
        for total in totals_of(books, day)? {
            let key = (
                total.insutype.clone(),
                total.clr_type.clone(),
                total.clr_optins.clone(),
            );
            let sum = sums
                .entry(key.clone())
                .or_insert_with(|| ClosedTotal::nothing(key));
            sum.count += total.count;
            sum.medfee = sum.medfee.saturating_add(total.medfee);
            sum.fund = sum.fund.saturating_add(total.fund);
            sum.account = sum.account.saturating_add(total.account);
        }
        day = day.saturating_add(1.day());
    }
    let mut totals: Vec<ClosedTotal> = sums.into_values().collect();
    for total in &mut totals {
        match ask(sync, total, since, today).await {
            Answer::Done(()) => {}
            Answer::Refused(refusal) => {
                return Err(ReconcileError::Refused {
                    infcode: refusal.infcode,
                });
            }
            Answer::NotSent(cause) | Answer::Unknown(cause) => return Err(ReconcileError::NoAnswer(cause)),
        }
    }
    Ok(totals)
}
