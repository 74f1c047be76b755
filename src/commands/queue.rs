//! `yijie queue` and `yijie reverse`: what has not reached a final state, and working on it.

use std::path::Path;

use serde_json::{Value, json};
use yijie_rules::Lang;

use super::sell::answer;
use super::{Failure, OtherAgency, Out, Till, tasks};
use crate::books::row::{SaleRow, SaleState};
use crate::{advice, clock};

/// What is asked of the queue.
pub enum Request {
    /// List it.
    List,
    /// Work on all of it.
    Drain,
    /// One sale with its history.
    Show(String),
    /// Work on one sale.
    Resolve(String),
    /// Undo a settled sale.
    Reverse(String),
}

/// Runs it. Exit code 3 if something stays open that was to be finished.
///
/// # Errors
/// [`Failure`].
pub fn run(data: &Path, agency: &OtherAgency, request: Request, out: Out) -> Result<u8, Failure> {
    let till = Till::open(data, agency, out)?;
    match request {
        Request::List => {
            let queue = till.books.queue()?;
            out.print(&queue.iter().map(brief).collect::<Vec<_>>(), || {
                list(&queue, out.lang)
            })?;
            Ok(0)
        }
        Request::Drain => {
            let drained = tasks()?.block_on(till.sync.drain(|row| {
                if !out.json {
                    // The summary below is what counts; a closed output ends the command there.
                    drop(out.line(words(row, out.lang)));
                }
            }))?;
            let told = json!({"finished": drained.finished, "left": drained.left});
            out.print(&told, || match out.lang {
                Lang::Zh => format!("完成 {} 笔，未完成 {} 笔", drained.finished, drained.left),
                Lang::En => format!("{} finished, {} left", drained.finished, drained.left),
            })?;
            if drained.left == 0 {
                return Ok(0);
            }
            let cause = till
                .sync
                .outage()
                .map_or_else(|| "OUTCOME_UNKNOWN".to_owned(), |outage| outage.cause);
            Err(Failure::could_not(&cause, ""))
        }
        Request::Show(id) => {
            let row = find(&till, &id)?;
            out.print(&answer(&row), || history(&row, out.lang))?;
            Ok(0)
        }
        Request::Resolve(id) => {
            let id = find(&till, &id)?.sale.id;
            finish(&tasks()?.block_on(till.sync.advance(&id))?, out)
        }
        Request::Reverse(id) => {
            let row = find(&till, &id)?;
            if !matches!(
                row.state,
                SaleState::Settled | SaleState::Reversing | SaleState::Reversed
            ) {
                return Err(Failure::input("SALE_NOT_SETTLED", row.word()));
            }
            let row = tasks()?.block_on(till.sync.undo(&row.sale.id, "client"))?;
            if row.state == SaleState::Settled {
                let (code, detail) = row.cause.clone().unwrap_or_default();
                return Err(Failure {
                    exit: 2,
                    code,
                    detail,
                });
            }
            finish(&row, out)
        }
    }
}

/// A sale by its id or by a message id.
fn find(till: &Till, id: &str) -> Result<SaleRow, Failure> {
    let id = till.books.sale_of_msgid(id)?.unwrap_or_else(|| id.to_owned());
    till.books
        .sale(&id)?
        .ok_or_else(|| Failure::input("SALE_NOT_FOUND", id))
}

fn finish(row: &SaleRow, out: Out) -> Result<u8, Failure> {
    out.print(&answer(row), || words(row, out.lang))?;
    if row.state.is_final() {
        return Ok(0);
    }
    let code = row.cause.as_ref().map_or("OUTCOME_UNKNOWN", |(code, _)| code);
    Err(Failure::could_not(code, ""))
}

fn brief(row: &SaleRow) -> Value {
    let sums = &row.sale.settlement.setlinfo;
    json!({
        "sale": row.sale.id, "msgid": row.msgid, "state": row.word(), "time": clock::stamp(row.time_ms),
        "medfee_sumamt": sums.medfee_sumamt, "fund_pay_sumamt": sums.fund_pay_sumamt,
        "settle_by": row.sale.offline.as_ref().filter(|terms| terms.carried).map(|terms| clock::stamp(terms.settle_by_ms)),
        "code": row.cause.as_ref().map(|(code, _)| code),
    })
}

fn words(row: &SaleRow, lang: Lang) -> String {
    let said = row
        .cause
        .as_ref()
        .map(|(code, _)| advice::text(code, lang))
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

fn list(queue: &[SaleRow], lang: Lang) -> String {
    if queue.is_empty() {
        return lang.pick("没有待处理的结算", "nothing waits").to_owned();
    }
    queue
        .iter()
        .map(|row| words(row, lang))
        .collect::<Vec<_>>()
        .join("\n")
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
