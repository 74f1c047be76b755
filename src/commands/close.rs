//! `yijie close` and `yijie reconcile`: the day's totals against the agency's (3201), what differs (3202), and mending
//! it; a month's application for clearing (3203).

use std::path::Path;

use clap::Args;
use jiff::civil::Date;
use serde_json::{Value, json};
use yijie_rules::Lang;

use super::people::Who;
use super::{Failure, OtherAgency, Out, Till, tasks};
use crate::reconcile::{self, Month, ReconcileError, Reconciliation, Row};
use crate::record::{ClosedTotal, Record};
use crate::{advice, clock};

/// A day that is to agree with the agency.
#[derive(Debug, Args)]
pub struct Reconcile {
    #[command(flatten)]
    agency: OtherAgency,
    /// Day, yyyy-MM-dd.
    #[arg(long)]
    date: Date,
    /// Do what is proposed about this row: its message id, or all. Needs a supervisor's PIN.
    #[arg(long)]
    confirm: Vec<String>,
    #[command(flatten)]
    supervisor: Who,
}

/// Today is closed; or a month is applied for.
#[derive(Debug, Args)]
pub struct Close {
    #[command(flatten)]
    agency: OtherAgency,
    /// Close each day of this month (yyyy-MM) that is not closed yet and, once all of them balance, apply for its
    /// clearing (3203). Needs a supervisor's PIN.
    #[arg(long, conflicts_with = "withdraw")]
    clearing: Option<Month>,
    /// Take the application for this month (yyyy-MM) back (3204). Needs a supervisor's PIN.
    #[arg(long)]
    withdraw: Option<Month>,
    #[command(flatten)]
    supervisor: Who,
}

/// Closes today, or a month.
///
/// # Errors
/// As [`run`].
pub fn close(data: &Path, request: Close, out: Out) -> Result<u8, Failure> {
    let (month, applies) = match (request.clearing, request.withdraw) {
        (Some(month), _) => (month, true),
        (None, Some(month)) => (month, false),
        (None, None) => {
            let today = Reconcile {
                agency: request.agency,
                date: clock::today(clock::now_ms()),
                confirm: Vec::new(),
                supervisor: Who::default(),
            };
            return run(data, &today, out);
        }
    };
    let till = Till::open(data, &request.agency, out)?;
    let operator = request.supervisor.supervisor(&till.books, out)?.id;
    let (books, sync) = (&till.books, &till.sync);
    let done = tasks()?.block_on(async {
        if applies {
            reconcile::apply(books, sync, month, &operator).await
        } else {
            reconcile::withdraw(books, sync, month, &operator).await
        }
    })?;
    out.print(&done, || clearing_words(&done, out.lang))?;
    Ok(0)
}

fn clearing_words(done: &[Record], lang: Lang) -> String {
    let lines: Vec<String> = done
        .iter()
        .filter_map(|record| match record {
            Record::ClearingApplied {
                month,
                clr_type,
                clr_appy_evt_id,
                ..
            } => Some((
                ("清算已申请", "clearing applied for"),
                month,
                clr_type,
                clr_appy_evt_id,
            )),
            Record::ClearingWithdrawn {
                month,
                clr_type,
                clr_appy_evt_id,
                ..
            } => Some((
                ("清算申请已撤销", "application withdrawn"),
                month,
                clr_type,
                clr_appy_evt_id,
            )),
            _ => None,
        })
        .map(|((zh, en), month, clr_type, number)| {
            let word = lang.pick(zh, en);
            format!(
                "{month}  {}  {clr_type}  {word}  {number}",
                lang.pick("类别", "category")
            )
        })
        .collect();
    if lines.is_empty() {
        lang.pick("没有需要处理的清算", "nothing to be done").to_owned()
    } else {
        lines.join("\n")
    }
}

impl From<ReconcileError> for Failure {
    fn from(error: ReconcileError) -> Failure {
        match error {
            ReconcileError::Books(error) => error.into(),
            ReconcileError::StillOpen { count } => Failure::could_not("SALES_STILL_OPEN", count),
            ReconcileError::NotBalanced { .. }
            | ReconcileError::ClearingRefused { .. }
            | ReconcileError::ClearingNumberUnknown => Failure::refused(error.code(), &error),
            other => Failure::could_not(other.code(), &other),
        }
    }
}

/// Closes a day. Exit code 2 if a total does not agree or a row is left to do.
///
/// # Errors
/// [`Failure`] if sales are still open or the agency does not answer.
pub fn run(data: &Path, request: &Reconcile, out: Out) -> Result<u8, Failure> {
    let till = Till::open(data, &request.agency, out)?;
    let day = request.date;
    let found = if request.confirm.is_empty() {
        tasks()?.block_on(reconcile::compare(&till.books, &till.sync, day))?
    } else {
        let operator = request.supervisor.supervisor(&till.books, out)?.id;
        let confirmed = |row: &Row| {
            request
                .confirm
                .iter()
                .any(|named| named == "all" || *named == row.msgid)
        };
        tasks()?.block_on(reconcile::mend(
            &till.books,
            &till.sync,
            day,
            &operator,
            confirmed,
        ))?
    };
    out.print(&told(&found), || words(&found, out.lang))?;
    Ok(if found.balanced() { 0 } else { 2 })
}

/// One object a total, with the rows of its category and agency that differ. Rows that belong to no total stand alone.
fn told(found: &Reconciliation) -> Value {
    let row = |row: &Row| {
        json!({
            "msgid": row.msgid, "sale": row.sale, "result": row.result(), "action": row.action.word(),
            "medfee": row.finding.as_ref().map(|found| found.medfee_sumamt),
            "fund": row.finding.as_ref().map(|found| found.fund_pay_sumamt),
            "account": row.finding.as_ref().map(|found| found.acct_pay),
        })
    };
    let rows: Vec<Value> = found.rows.iter().map(row).collect();
    let totals: Vec<Value> = found
        .totals
        .iter()
        .map(|total| {
            let mut told = json!(total);
            if let Some(fields) = told.as_object_mut() {
                fields.insert("rows".to_owned(), json!(rows));
                fields.insert("mended".to_owned(), json!(found.mended));
            }
            told
        })
        .collect();
    match (totals.is_empty(), rows.is_empty()) {
        (true, false) => json!([{"balanced": false, "rows": rows, "mended": found.mended}]),
        _ => json!(totals),
    }
}

/// The totals for a person to read.
#[must_use]
pub fn words(found: &Reconciliation, lang: Lang) -> String {
    let mut lines = total_words(found.day, &found.totals, lang);
    for row in found
        .rows
        .iter()
        .filter(|row| row.action != reconcile::Action::OtherTill)
    {
        let sale = row.sale.as_deref().unwrap_or("–");
        lines.push(format!(
            "  {}  {sale}  {}  → {}",
            row.msgid,
            row.result(),
            action_words(row, lang)
        ));
    }
    for done in &found.mended {
        let how = if done.failed.is_empty() {
            lang.pick("已处理", "done")
        } else {
            advice::text(&done.failed, lang)
        };
        lines.push(format!("  {}  {}  {how}", done.msgid, done.action));
    }
    lines.join("\n")
}

/// The totals of a day, a line each.
#[must_use]
pub fn total_words(day: Date, totals: &[ClosedTotal], lang: Lang) -> Vec<String> {
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
        lines.extend(total.others.iter().map(|share| match lang {
            Lang::Zh => format!(
                "    其中 {} 号机：{} 笔 总额 {} 基金 {} 账户 {}",
                share.till, share.count, share.medfee, share.fund, share.account
            ),
            Lang::En => format!(
                "    and till {}: {} sales, bills {}, funds {}, accounts {}",
                share.till, share.count, share.medfee, share.fund, share.account
            ),
        }));
    }
    lines
}

/// What is to be done about a row, in words.
#[must_use]
pub fn action_words(row: &Row, lang: Lang) -> &'static str {
    use reconcile::Action;
    let (zh, en) = match row.action {
        Action::OtherTill => ("其他收款机的结算", "another till's"),
        Action::TakeOver => ("中心已结算，按已结算入账", "settled at the agency: book it"),
        Action::Reverse => ("中心多出，冲正", "must not stand: reverse it"),
        Action::SettleAnew => ("中心没有，重新结算", "not at the agency: settle it anew"),
        Action::TakeFigures => ("金额不同，以中心为准", "other amounts: the agency's stand"),
        Action::BookRefund => ("中心已退费，本机入账", "refunded at the agency: book it"),
        Action::MoveRefund => ("退费改记到次日", "refunded the day after: move it"),
        Action::CallAgency => ("请联系医保经办机构", "call the agency"),
    };
    lang.pick(zh, en)
}
