//! `yijie close` and `yijie reconcile`: the day's totals against the agency's (3201), one call a total.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::Date;
use yijie_agency::{Answer, StatementTotals, StatementVerdict};
use yijie_rules::{Lang, Money};

use super::{Failure, OtherAgency, Out, Till, tasks};
use crate::books::Books;
use crate::record::{ClosedTotal, Record};
use crate::sync::Sync;
use crate::{advice, clock};

/// Closes a day, today unless another is named. Exit code 2 if a total does not agree.
///
/// # Errors
/// [`Failure`] if sales are still open or the agency does not answer.
pub fn run(data: &Path, agency: &OtherAgency, date: Option<Date>, out: Out) -> Result<u8, Failure> {
    let till = Till::open(data, agency, out)?;
    let day = date.unwrap_or_else(|| clock::today(clock::now_ms()));
    let open = till.books.waiting()?.count;
    if open > 0 {
        return Err(Failure::could_not("SALES_STILL_OPEN", open));
    }
    let totals = tasks()?.block_on(compare(&till.books, &till.sync, day))?;
    out.print(&totals, || words(day, &totals, out.lang))?;
    Ok(if totals.iter().all(|total| total.balanced) {
        0
    } else {
        2
    })
}

/// Asks the agency about every total of a day and books what it said.
///
/// # Errors
/// [`Failure`].
pub async fn compare(books: &Books, sync: &Sync, day: Date) -> Result<Vec<ClosedTotal>, Failure> {
    let mut totals = totals_of(books, day)?;
    for total in &mut totals {
        let answer = sync
            .client()
            .statement_total(&StatementTotals {
                insutype: total.insutype.clone(),
                clr_type: total.clr_type.clone(),
                setl_optins: total.clr_optins.clone(),
                begndate: day.to_string(),
                enddate: day.to_string(),
                medfee_sumamt: total.medfee,
                fund_pay_sumamt: total.fund,
                acct_pay: total.account,
                setl_count: u32::try_from(total.count).unwrap_or_default(),
            })
            .await;
        sync.heard(&answer);
        match answer {
            Answer::Done(said) => {
                total.balanced = said.verdict == StatementVerdict::Balanced;
                total.result = said.stmt_rslt;
            }
            Answer::Refused(refusal) => total.result = refusal.infcode.to_string(),
            Answer::NotSent(cause) | Answer::Unknown(cause) => {
                return Err(Failure::could_not(cause.code(), cause));
            }
        }
    }
    let record = Record::Closed {
        date: day.to_string(),
        totals: totals.clone(),
        mended: Vec::new(),
    };
    books.append(&record, clock::now_ms())?;
    Ok(totals)
}

/// Sums of a day by insurance, settlement category and settling agency.
pub(super) fn totals_of(books: &Books, day: Date) -> Result<Vec<ClosedTotal>, Failure> {
    let mut totals: BTreeMap<(String, String, String), ClosedTotal> = BTreeMap::new();
    for row in books.settled_on(day)? {
        let Some(reply) = row.reply else { continue };
        let key = (
            reply.insutype.clone(),
            reply.clr_type.clone(),
            reply.clr_optins.clone(),
        );
        let total = totals.entry(key).or_insert_with(|| ClosedTotal {
            insutype: reply.insutype.clone(),
            clr_type: reply.clr_type.clone(),
            clr_optins: reply.clr_optins.clone(),
            count: 0,
            medfee: Money::ZERO,
            fund: Money::ZERO,
            account: Money::ZERO,
            result: String::new(),
            balanced: false,
            others: Vec::new(),
        });
        total.count += 1;
        total.medfee = total.medfee.saturating_add(reply.setlinfo.medfee_sumamt);
        total.fund = total.fund.saturating_add(reply.setlinfo.fund_pay_sumamt);
        total.account = total.account.saturating_add(reply.setlinfo.acct_pay);
    }
    Ok(totals.into_values().collect())
}

/// The totals for a person to read.
#[must_use]
pub fn words(day: Date, totals: &[ClosedTotal], lang: Lang) -> String {
    let mut lines = vec![match lang {
        Lang::Zh => format!("{day} 对总账"),
        Lang::En => format!("{day} totals against the agency"),
    }];
    if totals.is_empty() {
        lines.push(lang.pick("  当日无结算", "  nothing was settled").to_owned());
    }
    for total in totals {
        let said = if total.balanced {
            lang.pick("平", "agrees")
        } else {
            advice::text("TOTAL_NOT_BALANCED", lang)
        };
        lines.push(match lang {
            Lang::Zh => format!(
                "  险种 {} 类别 {}：{} 笔 总额 {} 基金 {} 账户 {} → {said}（{}）",
                total.insutype,
                total.clr_type,
                total.count,
                total.medfee,
                total.fund,
                total.account,
                total.result
            ),
            Lang::En => format!(
                "  insurance {} category {}: {} sales, bills {}, funds {}, accounts {} → {said} ({})",
                total.insutype,
                total.clr_type,
                total.count,
                total.medfee,
                total.fund,
                total.account,
                total.result
            ),
        });
    }
    lines.join("\n")
}
