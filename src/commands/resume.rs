//! A till that lacks entries it once wrote asks the agency what it holds before anything is sold.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::ToSpan as _;
use jiff::civil::Date;
use yijie_agency::Answer;

use super::people::Who;
use super::{Failure, OtherAgency, Out, Till, close, tasks};
use crate::books::Books;
use crate::clock;
use crate::reconcile;
use crate::record::{ClosedTotal, Record};
use crate::sync::Sync;

/// Asks the agency, if entries are missing, and books what it said. Nothing is to be sold before this is well.
///
/// # Errors
/// The code of how the lack was noticed while the agency holds more or cannot be asked.
pub async fn caught_up(books: &Books, sync: &Sync) -> Result<(), Failure> {
    let Some(behind) = books.behind()? else {
        return Ok(());
    };
    let Ok(since) = behind.since.parse::<Date>() else {
        return Err(Failure::could_not("INTERNAL", behind.since));
    };
    let not_asked =
        |failed: Failure| Failure::could_not(&behind.why, format!("{} {}", failed.code, failed.detail));
    let agree = |totals: &[ClosedTotal]| totals.iter().all(|total| total.balanced);
    let mut said = totals(books, sync, since).await.map_err(not_asked)?;
    if !agree(&said) {
        // What waited here may have been settled since: looked up, and not sent again before all is known.
        for row in books.queue(usize::MAX)? {
            sync.look(row).await?;
        }
        said = totals(books, sync, since).await.map_err(not_asked)?;
    }
    if !agree(&said) {
        return Err(Failure::could_not("AGENCY_HOLDS_MORE", &behind.since));
    }
    compared(books, behind.since.clone(), said, None)
}

fn compared(
    books: &Books,
    since: String,
    totals: Vec<ClosedTotal>,
    accepted_by: Option<String>,
) -> Result<(), Failure> {
    let record = Record::Compared {
        since,
        totals,
        accepted_by,
    };
    books.append(&record, clock::now_ms())?;
    Ok(())
}

/// `yijie journal resume`: asks again, and lets a supervisor go on although the totals do not agree.
///
/// # Errors
/// [`Failure`] if the agency cannot be asked or the PIN is not right.
pub fn run(data: &Path, agency: &OtherAgency, who: &Who, out: Out) -> Result<u8, Failure> {
    let till = Till::open(data, agency, out)?;
    let tasks = tasks()?;
    match tasks.block_on(caught_up(&till.books, &till.sync)) {
        Err(failure) if failure.code == "AGENCY_HOLDS_MORE" && who.operator.is_some() => {
            let by = who.supervisor(&till.books, out)?.id;
            let Some(behind) = till.books.behind()? else {
                return Ok(0);
            };
            let since = behind.since.parse::<Date>().unwrap_or_default();
            let totals = tasks.block_on(totals(&till.books, &till.sync, since))?;
            out.print(&totals, || {
                close::total_words(since, &totals, out.lang).join("\n")
            })?;
            compared(&till.books, behind.since, totals, Some(by))?;
        }
        other => other?,
    }
    Ok(0)
}

/// The sums from a day on, by what the agency adds up separately, and what it says of each.
async fn totals(books: &Books, sync: &Sync, since: Date) -> Result<Vec<ClosedTotal>, Failure> {
    let today = clock::today(clock::now_ms());
    let mut sums: BTreeMap<(String, String, String), ClosedTotal> = BTreeMap::new();
    for place in places(books, sync)? {
        for key in reconcile::every_group(&place) {
            sums.insert(key.clone(), ClosedTotal::nothing(key));
        }
    }
    let mut day = since;
    while day <= today {
        for total in reconcile::totals_of(books, day)? {
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
        match reconcile::ask(sync, total, since, today).await {
            Answer::Done(()) => {}
            Answer::Refused(refusal) => return Err(Failure::could_not("AGENCY_REFUSED", refusal.infcode)),
            Answer::NotSent(cause) | Answer::Unknown(cause) => {
                return Err(Failure::could_not(cause.code(), cause));
            }
        }
    }
    Ok(totals)
}

/// The settling agencies there have been, or the one that is to be expected.
fn places(books: &Books, sync: &Sync) -> Result<BTreeSet<String>, Failure> {
    let sales = books.sales()?;
    let mut places: BTreeSet<String> = sales
        .into_iter()
        .filter_map(|row| row.reply)
        .map(|reply| reply.clr_optins)
        .collect();
    if places.is_empty() {
        places.insert(reconcile::usual_place(sync));
    }
    Ok(places)
}
