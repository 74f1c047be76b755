//! `yijie queue` and `yijie reverse`: what has not reached a final state, and working on it.

use std::path::Path;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};
use yijie_rules::{Lang, Money};

use super::people::{Approver, Who, four_eyes};
use super::sell::{answer, uploads};
use super::{Failure, OtherAgency, Out, Till, tasks};
use crate::books::BooksError;
use crate::books::row::{ClosingError, SaleRow, SaleState};
use crate::record::Closing;
use crate::sync::Drained;
use crate::{advice, clock, reconcile};

/// What is asked of the queue.
#[derive(Subcommand)]
pub enum Request {
    /// List it.
    List,
    /// Work on all of it.
    Drain,
    /// One sale with its history.
    Show {
        /// Sale or message id.
        id: String,
    },
    /// Work on one sale; or, with a supervisor's PIN, close its difference with the patient.
    Resolve {
        /// Sale or message id.
        id: String,
        /// How the difference is closed: the agency's figures are accepted without cash, cash is collected, or given
        /// back.
        #[arg(long)]
        difference: Option<HowClosed>,
        /// Who closes it.
        #[command(flatten)]
        supervisor: Who,
    },
    /// Settled sales whose figures differ from what the patient was told.
    Differences,
    /// A command of its own: `yijie reverse`.
    #[command(skip)]
    Reverse(Reversal),
}

/// How a difference is closed.
#[derive(Clone, Copy, ValueEnum)]
pub enum HowClosed {
    /// The agency's figures are accepted without cash.
    Accept,
    /// Cash is collected.
    Collect,
    /// Cash is given back.
    Refund,
}

impl From<HowClosed> for Closing {
    fn from(how: HowClosed) -> Closing {
        match how {
            HowClosed::Accept => Closing::Accepted,
            HowClosed::Collect => Closing::Collected,
            HowClosed::Refund => Closing::Refunded,
        }
    }
}

/// A settled sale that is to be undone.
#[derive(Args)]
pub struct Reversal {
    /// Sale or message id.
    id: String,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    approver: Approver,
}

/// Runs it. Exit code 3 if something stays open that was to be finished.
///
/// # Errors
/// [`Failure`].
pub fn run(data: &Path, agency: &OtherAgency, request: Request, out: Out) -> Result<u8, Failure> {
    let till = Till::open(data, agency, out)?;
    if matches!(
        request,
        Request::Drain | Request::Resolve { difference: None, .. } | Request::Reverse(_)
    ) {
        tasks()?.block_on(reconcile::caught_up(&till.books, &till.sync))?;
    }
    match request {
        Request::List => {
            let rows = till.books.open_rows()?.chain(till.books.uploads()?);
            let none = out.lang.pick("没有待处理的结算", "nothing waits");
            out.each(rows, brief, |row| words(row, out.lang), none)?;
            Ok(0)
        }
        Request::Drain => {
            let drained = tasks()?.block_on(drain(&till, out))?;
            let Drained {
                finished,
                left,
                uploaded,
                uploads_left,
            } = drained;
            let mut told = Map::new();
            told.insert("finished".to_owned(), json!(finished));
            told.insert("left".to_owned(), json!(left));
            let mut words = match out.lang {
                Lang::Zh => format!("完成 {finished} 笔，未完成 {left} 笔"),
                Lang::En => format!("{finished} finished, {left} left"),
            };
            if uploaded + uploads_left > 0 {
                told.insert("uploaded".to_owned(), json!(uploaded));
                told.insert("uploads_left".to_owned(), json!(uploads_left));
                words.push_str(&match out.lang {
                    Lang::Zh => format!("；追溯码上传 {uploaded} 次，待上传 {uploads_left} 笔"),
                    Lang::En => format!("; trace codes: {uploaded} uploads, {uploads_left} sales left"),
                });
            }
            out.print(&told, || words)?;
            match (left, uploads_left) {
                (0, 0) => return Ok(0),
                (0, _) => {
                    let cause = till.sync.goods_outage().map(|outage| outage.cause);
                    return Err(Failure::could_not("UPLOADS_WAIT", cause.unwrap_or_default()));
                }
                _ => {}
            }
            let cause = till
                .sync
                .outage()
                .map_or_else(|| "OUTCOME_UNKNOWN".to_owned(), |outage| outage.cause);
            Err(Failure::could_not(&cause, ""))
        }
        Request::Show { id } => {
            let row = find(&till, &id)?;
            let mut shown = answer(&row);
            if let (Some(fields), Some(uploads)) = (shown.as_object_mut(), uploads(&row)) {
                fields.insert("uploads".to_owned(), uploads);
            }
            out.print(&shown, || history(&row, out.lang))?;
            Ok(0)
        }
        Request::Resolve {
            id, difference: None, ..
        } => {
            let row = find_one(&till, &id)?;
            if row.open_difference().is_some() {
                return Err(Failure {
                    exit: 2,
                    code: "DIFFERENCE_OPEN".to_owned(),
                    detail: difference_words(&row, out.lang),
                });
            }
            let (sync, tasks) = (&till.sync, tasks()?);
            let row = tasks.block_on(sync.resolve(&row.sale.id))?;
            tasks.block_on(sync.upload_again(&row.sale.id))?;
            let row = till.books.sale(&row.sale.id)?.unwrap_or(row);
            let exit = finish(&row, out)?;
            match (row.upload_refused(), row.next_upload(false)) {
                (Some((code, message)), _) => Err(Failure::refused(code, message)),
                (None, Some(_)) => Err(Failure::could_not("UPLOADS_WAIT", "")),
                (None, None) => Ok(exit),
            }
        }
        Request::Differences => {
            let rows = till.books.differences()?;
            out.print(&rows.iter().map(answer).collect::<Vec<_>>(), || {
                if rows.is_empty() {
                    return out
                        .lang
                        .pick("没有待多退少补的结算", "no difference is open")
                        .to_owned();
                }
                let lines = rows.iter().map(|row| difference_words(row, out.lang));
                lines.collect::<Vec<_>>().join("\n")
            })?;
            Ok(0)
        }
        Request::Resolve {
            id,
            difference: Some(how),
            supervisor,
        } => {
            let row = find_one(&till, &id)?;
            let operator = supervisor.supervisor(&till.books, out)?.id;
            let record = row.closed(how.into(), operator)?;
            let time_ms = clock::now_ms();
            till.books.append(&record, time_ms)?;
            finish(&row.after(&record, time_ms), out)
        }
        Request::Reverse(Reversal { id, who, approver }) => {
            let row = tasks()?.block_on(reverse(&till, &id, &who, &approver, out))?;
            finish(&row, out)
        }
    }
}

/// Undoes a settled sale, and tells its packs back.
pub(super) async fn reverse(
    till: &Till,
    id: &str,
    who: &Who,
    approver: &Approver,
    out: Out,
) -> Result<SaleRow, Failure> {
    let row = find_one(till, id)?;
    if !matches!(
        row.state,
        SaleState::Settled | SaleState::Reversing | SaleState::Reversed
    ) {
        return Err(Failure::input("SALE_NOT_SETTLED", row.word()));
    }
    let allowed = four_eyes(&till.books, who, approver, "reversal", &row.sale.id, out)?;
    let row = till.sync.undo(&row.sale.id, &allowed.operator).await?;
    if row.state == SaleState::Settled {
        let (code, detail) = row.cause.clone().unwrap_or_default();
        return Err(Failure {
            exit: 2,
            code,
            detail,
        });
    }
    // Packs that cannot be told back now are told back later.
    till.sync.upload_of(&row.sale.id).await?;
    Ok(row)
}

/// Passes over the queue, as long as one finishes something: an answer that was lost puts its sale off to the next.
async fn drain(till: &Till, out: Out) -> Result<Drained, BooksError> {
    let mut all = Drained::default();
    loop {
        let pass = till.sync.drain(|row| {
            if !out.json {
                // The summary is what counts; a closed output ends the command there.
                drop(out.line(words(row, out.lang)));
            }
        });
        let drained = pass.await?;
        all.finished += drained.finished;
        all.uploaded += drained.uploaded;
        (all.left, all.uploads_left) = (drained.left, drained.uploads_left);
        let nothing_left = drained.left + drained.uploads_left == 0;
        if nothing_left || drained.finished + drained.uploaded == 0 {
            return Ok(all);
        }
        till.sync.try_now();
    }
}

impl From<ClosingError> for Failure {
    fn from(error: ClosingError) -> Failure {
        Failure::input(error.code(), &error)
    }
}

fn difference_words(row: &SaleRow, lang: Lang) -> String {
    let difference = row.difference.clone().unwrap_or_default();
    let (zh, en) = if difference.cash > Money::ZERO {
        ("应补收现金", "the patient still owes")
    } else {
        ("应退还现金", "the patient is owed")
    };
    format!(
        "{}  {} {}  {} {}  {} {}",
        row.sale.id,
        lang.pick(zh, en),
        difference.cash,
        lang.pick("基金", "funds"),
        difference.fund,
        lang.pick("账户", "account"),
        difference.account
    )
}

/// A sale by its id, or else by a message id.
pub(super) fn find(till: &Till, id: &str) -> Result<SaleRow, Failure> {
    let named = till.books.named(id)?.into_iter().next();
    named.ok_or_else(|| Failure::input("SALE_NOT_FOUND", id))
}

/// The same where something is done about it: what is one sale's id and another's message id names neither.
pub(super) fn find_one(till: &Till, id: &str) -> Result<SaleRow, Failure> {
    match till.books.named(id)?.as_slice() {
        [own, other, ..] => {
            let ways = format!("{} / {}", own.msgid, other.sale.id);
            Err(Failure::input("SALE_ID_AMBIGUOUS", ways))
        }
        _ => find(till, id),
    }
}

fn finish(row: &SaleRow, out: Out) -> Result<u8, Failure> {
    out.print(&answer(row), || words(row, out.lang))?;
    if row.state.is_final() {
        return Ok(0);
    }
    let code = row.cause.as_ref().map_or("OUTCOME_UNKNOWN", |(code, _)| code);
    Err(Failure::could_not(code, ""))
}

/// A sale that waits, in a list.
pub(super) fn brief(row: &SaleRow) -> Value {
    let sums = &row.sale.settlement.setlinfo;
    json!({
        "sale": row.sale.id, "msgid": row.msgid, "state": row.word(), "time": clock::stamp(row.time_ms),
        "medfee_sumamt": sums.medfee_sumamt, "fund_pay_sumamt": sums.fund_pay_sumamt,
        "settle_by": row.sale.offline.as_ref().filter(|terms| terms.carried).map(|terms| clock::stamp(terms.settle_by_ms)),
        "code": row.cause.as_ref().map(|(code, _)| code), "uploads": uploads(row),
    })
}

fn words(row: &SaleRow, lang: Lang) -> String {
    let cause = row.cause.as_ref().map(|(code, _)| code.as_str());
    let refused = row.upload_refused().map(|(code, _)| code);
    let waiting = row.next_upload(false).map(|_| "UPLOADS_WAIT");
    let said = cause
        .or(refused)
        .or(waiting)
        .map(|code| advice::text(code, lang))
        .unwrap_or_default();
    format!(
        "{}  {:<9}  {}  {said}",
        row.sale.id,
        row.word(),
        row.sale.settlement.setlinfo.medfee_sumamt
    )
    .trim_end()
    .to_owned()
}

fn history(row: &SaleRow, lang: Lang) -> String {
    let mut lines = vec![words(row, lang)];
    for step in &row.history {
        let code = step.code.as_deref().unwrap_or_default();
        lines.push(
            format!("  {}  {} {code}", clock::stamp(step.time_ms), step.kind)
                .trim_end()
                .to_owned(),
        );
    }
    lines.join("\n")
}
