//! A month's application for clearing (3203), once each of its days balances, and its withdrawal (3204).

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use jiff::civil::Date;
use yijie_agency::{Answer, ClearingRequest, Insured, StatementFinding};
use yijie_rules::Money;

use super::{ReconcileError, compare, detail, totals};
use crate::books::Books;
use crate::clock;
use crate::record::{ClosedTotal, Record};
use crate::sync::Sync;

/// A month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month(Date);

/// Not `yyyy-MM`.
#[derive(Debug, thiserror::Error)]
#[error("yyyy-MM")]
pub struct NotAMonth;

impl FromStr for Month {
    type Err = NotAMonth;

    fn from_str(text: &str) -> Result<Month, NotAMonth> {
        let first: Result<Date, _> = format!("{text}-01").parse();
        match first {
            Ok(first) if text.len() == 7 => Ok(Month(first)),
            _ => Err(NotAMonth),
        }
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.strftime("%Y-%m").to_string())
    }
}

impl Month {
    /// The one a day is in.
    #[must_use]
    pub fn of(day: Date) -> Month {
        Month(day.first_of_month())
    }

    /// setlym.
    fn setlym(self) -> String {
        format!("{:04}{:02}", self.0.year(), self.0.month())
    }

    /// Its days so far.
    fn days(self) -> impl Iterator<Item = Date> {
        let last = self.0.last_of_month().min(clock::today(clock::now_ms()));
        self.0
            .series(jiff::Span::new().days(1))
            .take_while(move |day| *day <= last)
    }
}

/// Applies for the clearing of a month, category by category; what was applied for. Days that were not closed, or have
/// changed since, are closed first.
///
/// # Errors
/// [`ReconcileError`]; categories applied for before stand.
pub async fn apply(
    books: &Books,
    sync: &Sync,
    month: Month,
    operator: &str,
) -> Result<Vec<Record>, ReconcileError> {
    let mut requests: BTreeMap<String, ClearingRequest> = BTreeMap::new();
    let mut told = Vec::new();
    for day in month.days() {
        let totals = balanced(books, sync, day).await?;
        for total in &totals {
            let request = requests
                .entry(total.clr_type.clone())
                .or_insert_with(|| nothing(month, &total.clr_type));
            add(request, total);
        }
        add_own(books, day, &mut requests)?;
        for (clr_type, finding) in detail::of_others(books, sync, day, &totals).await? {
            if let Some(request) = requests.get_mut(&clr_type) {
                add_others(sync, request, finding, &mut told).await;
            }
        }
    }
    let mut applied = Vec::new();
    for (clr_type, request) in requests {
        let known = books.clearing(&month.setlym(), &clr_type)?;
        let unnumbered = match &known {
            Some(Record::ClearingApplied { clr_appy_evt_id, .. }) if clr_appy_evt_id.is_empty() => true,
            Some(_) => continue,
            None => false,
        };
        let answer = sync.client().apply_for_clearing(&request).await;
        sync.heard(&answer);
        let clr_appy_evt_id = match answer {
            // An application whose answer was lost: that it stands is known now, its number is not.
            Answer::Refused(refusal) if refusal.reason() == Some("CLEARING_APPLIED") => {
                if unnumbered {
                    continue;
                }
                String::new()
            }
            answer => said(answer)?,
        };
        let record = Record::ClearingApplied {
            month: month.setlym(),
            clr_type,
            clr_appy_evt_id,
            operator: operator.to_owned(),
        };
        books.append(&record, clock::now_ms())?;
        applied.push(record);
    }
    Ok(applied)
}

/// Takes back what was applied for.
///
/// # Errors
/// [`ReconcileError`].
pub async fn withdraw(
    books: &Books,
    sync: &Sync,
    month: Month,
    operator: &str,
) -> Result<Vec<Record>, ReconcileError> {
    let categories: BTreeSet<String> = totals::every_group("")
        .map(|(_, clr_type, _)| clr_type)
        .chain(settled_under(books, month)?)
        .collect();
    let mut withdrawn = Vec::new();
    for clr_type in categories {
        let Some(Record::ClearingApplied { clr_appy_evt_id, .. }) =
            books.clearing(&month.setlym(), &clr_type)?
        else {
            continue;
        };
        if clr_appy_evt_id.is_empty() {
            return Err(ReconcileError::ClearingNumberUnknown);
        }
        let answer = sync.client().withdraw_clearing(&clr_appy_evt_id).await;
        sync.heard(&answer);
        // One that is not there any more was withdrawn by a request whose answer was lost.
        if !matches!(&answer, Answer::Refused(refusal) if refusal.reason() == Some("CLEARING_NOT_FOUND")) {
            said(answer)?;
        }
        let record = Record::ClearingWithdrawn {
            month: month.setlym(),
            clr_type,
            clr_appy_evt_id,
            operator: operator.to_owned(),
        };
        books.append(&record, clock::now_ms())?;
        withdrawn.push(record);
    }
    Ok(withdrawn)
}

fn said<T>(answer: Answer<T>) -> Result<T, ReconcileError> {
    match answer {
        Answer::Done(done) => Ok(done),
        Answer::Refused(refusal) => Err(ReconcileError::ClearingRefused {
            said: refusal.message,
        }),
        Answer::NotSent(cause) | Answer::Unknown(cause) => Err(ReconcileError::NoAnswer(cause)),
    }
}

fn settled_under(books: &Books, month: Month) -> Result<BTreeSet<String>, ReconcileError> {
    let mut categories = BTreeSet::new();
    for day in month.days() {
        let totals = totals::totals_of(books, day)?;
        categories.extend(totals.into_iter().map(|total| total.clr_type));
    }
    Ok(categories)
}

/// The totals of a day that balances: as it was closed, if nothing has changed since, else closed now.
async fn balanced(books: &Books, sync: &Sync, day: Date) -> Result<Vec<ClosedTotal>, ReconcileError> {
    let own = totals::totals_of(books, day)?;
    let same = |closed: &ClosedTotal, own: &ClosedTotal| {
        closed.insutype == own.insutype
            && closed.clr_type == own.clr_type
            && closed.clr_optins == own.clr_optins
            && (closed.count, closed.medfee, closed.fund, closed.account)
                == (own.count, own.medfee, own.fund, own.account)
    };
    if let Some(closed) = books.closed(day)?
        && closed.iter().all(|total| total.balanced)
        && own
            .iter()
            .all(|own| closed.iter().any(|closed| same(closed, own)))
    {
        return Ok(closed);
    }
    let found = compare(books, sync, day).await?;
    if found.balanced() {
        Ok(found.totals)
    } else {
        Err(ReconcileError::NotBalanced { day })
    }
}

fn nothing(month: Month, clr_type: &str) -> ClearingRequest {
    ClearingRequest {
        clr_type: clr_type.to_owned(),
        clr_way: String::new(),
        setlym: month.setlym(),
        psntime: 0,
        medfee_sumamt: Money::ZERO,
        med_sumfee: Money::ZERO,
        fund_appy_sum: Money::ZERO,
        cash_payamt: Money::ZERO,
        acct_pay: Money::ZERO,
        begndate: month.0.to_string(),
        enddate: month.0.last_of_month().to_string(),
    }
}

/// What the agency counts: this till's, and the other tills' of the institution.
fn add(request: &mut ClearingRequest, total: &ClosedTotal) {
    let others = total
        .others
        .iter()
        .map(|share| (share.count, share.medfee, share.fund, share.account));
    for (count, medfee, fund, account) in
        std::iter::once((total.count, total.medfee, total.fund, total.account)).chain(others)
    {
        request.psntime += count;
        request.medfee_sumamt = request.medfee_sumamt.saturating_add(medfee);
        request.fund_appy_sum = request.fund_appy_sum.saturating_add(fund);
        request.acct_pay = request.acct_pay.saturating_add(account);
    }
}

/// Cash and what is within the insurance's scope, of another till's settlement: the agency says it of each (5203). A
/// refund takes back what its settlement in the month had.
async fn add_others(
    sync: &Sync,
    request: &mut ClearingRequest,
    finding: StatementFinding,
    told: &mut Vec<(StatementFinding, [Money; 2])>,
) {
    let undone = |settled: &StatementFinding| {
        settled.psn_no == finding.psn_no
            && settled
                .medfee_sumamt
                .saturating_add(finding.medfee_sumamt)
                .is_zero()
            && settled
                .fund_pay_sumamt
                .saturating_add(finding.fund_pay_sumamt)
                .is_zero()
    };
    if finding.refund {
        let settled = told.iter().find(|(settled, _)| undone(settled));
        if let Some((_, [in_scope, cash])) = settled {
            request.med_sumfee = request.med_sumfee.saturating_sub(*in_scope);
            request.cash_payamt = request.cash_payamt.saturating_sub(*cash);
        }
        return;
    }
    let insured = Insured {
        psn_no: finding.psn_no.clone(),
        insuplc_admdvs: String::new(),
    };
    let answer = sync.client().find_settlement(&insured, &finding.msgid).await;
    let Some(reply) = answer.done().flatten() else {
        return;
    };
    let sums = [reply.setlinfo.inscp_scp_amt, reply.setlinfo.psn_cash_pay];
    let [in_scope, cash] = sums;
    request.med_sumfee = request.med_sumfee.saturating_add(in_scope);
    request.cash_payamt = request.cash_payamt.saturating_add(cash);
    told.push((finding, sums));
}

/// The same of this till's, whose own rows say it.
fn add_own(
    books: &Books,
    day: Date,
    requests: &mut BTreeMap<String, ClearingRequest>,
) -> Result<(), ReconcileError> {
    let (settled, refunded) = books.counted_on(day)?;
    let signed = settled
        .iter()
        .map(|row| (row, Money::saturating_add as fn(Money, Money) -> Money))
        .chain(
            refunded
                .iter()
                .map(|row| (row, Money::saturating_sub as fn(Money, Money) -> Money)),
        );
    for (row, book) in signed {
        let Some(reply) = &row.reply else { continue };
        if let Some(request) = requests.get_mut(&reply.clr_type) {
            request.med_sumfee = book(request.med_sumfee, reply.setlinfo.inscp_scp_amt);
            request.cash_payamt = book(request.cash_payamt, reply.setlinfo.psn_cash_pay);
            reply.clr_way.clone_into(&mut request.clr_way);
        }
    }
    Ok(())
}
