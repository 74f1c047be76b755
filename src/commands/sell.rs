//! `yijie sell`: sales in, one a line, committed and settled without a window; the same id again gives the same answer.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _};
use std::path::Path;

use clap::Args;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use yijie_agency::{Credential, SoldCode};
use yijie_rules::{Claim, Flag, Lang, Outcome, Refusal, split};

use super::people::{CLIENT, Who};
use super::{Failure, OtherAgency, Out, Till, tasks};
use crate::books::row::{SaleRow, SaleState};
use crate::operators::Role;
use crate::record::{KEPT, OfflineTerms, Record, Sale};
use crate::{advice, clock, reconcile};

/// Longest id a client may give a sale.
const ID_LEN_MAX: usize = 64;
/// Longest trace code.
const CODE_LEN_MAX: usize = 100;
/// Longest lot number.
const LOT_LEN_MAX: usize = 30;

/// How sales are made.
#[derive(Args)]
pub struct Request {
    #[command(flatten)]
    agency: OtherAgency,
    #[command(flatten)]
    who: Who,
    /// Do not ask the agency.
    #[arg(long)]
    offline: bool,
}

/// Runs until standard input ends. Exit code 1 if a line could not be read.
///
/// # Errors
/// [`Failure`] if the books cannot be opened or written; what was printed before stands.
pub fn run(data: &Path, request: &Request, out: Out) -> Result<u8, Failure> {
    let till = Till::open(data, &request.agency, out)?;
    let operator = operator(&till, request, out)?;
    let tasks = tasks()?;
    tasks.block_on(reconcile::caught_up(&till.books, &till.sync))?;
    let counter = Counter {
        till,
        operator,
        offline: request.offline,
    };
    let mut exit = 0;
    for line in io::stdin().lock().split(b'\n') {
        let line = line.map_err(|e| Failure::input("CLAIM_NOT_JSON", e))?;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let (id, answer) = match Order::parse(&line) {
            Ok(order) => (Some(order.id.clone()), tasks.block_on(counter.sell(order))?),
            Err(refused) => {
                exit = 1;
                (None, refused)
            }
        };
        out.line(answer.to_string())?;
        if let Some(id) = id {
            tasks.block_on(counter.told(&id))?;
        }
    }
    tasks.block_on(counter.till.sync.client().close_abandoned());
    Ok(exit)
}

fn operator(till: &Till, request: &Request, out: Out) -> Result<String, Failure> {
    if request.who.operator.is_none() {
        return Ok(CLIENT.to_owned());
    }
    let operator = request.who.signed(&till.books, out)?;
    if operator.role == Role::Inspector {
        return Err(Failure::refused("INSPECTOR_SELLS_NOTHING", operator.id));
    }
    Ok(operator.id)
}

/// One line of input.
pub(super) struct Order {
    pub(super) id: String,
    claim: Claim,
    credential: Credential,
    traces: Vec<SoldCode>,
}

/// A row of `drugtracinfo`: the trace code of a pack on a line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Trace {
    feedetl_sn: String,
    drug_trac_codg: String,
    /// Part of the pack only (拆零).
    #[serde(default)]
    trdn_flag: Option<Flag>,
    #[serde(default)]
    manu_lotnum: Option<String>,
    #[serde(default)]
    manu_date: Option<Date>,
    #[serde(default)]
    expy_end: Option<Date>,
}

/// The packs' trace codes, each of a line of the claim.
fn traces(given: Option<&RawValue>, claim: &Claim) -> Result<Vec<SoldCode>, String> {
    let rows = given.map(|rows| serde_json::from_str::<Option<Vec<Trace>>>(rows.get()));
    // What was given may be anything: it is not repeated.
    let rows = rows.transpose().map_err(|_| {
        "$.drugtracinfo: feedetl_sn, drug_trac_codg, trdn_flag, manu_lotnum, manu_date, expy_end".to_owned()
    })?;
    let mut codes: Vec<SoldCode> = Vec::new();
    for (nth, row) in rows.flatten().unwrap_or_default().into_iter().enumerate() {
        let of_a_line = claim
            .lines
            .iter()
            .any(|line| line.feedetl_sn.as_str() == row.feedetl_sn);
        if !of_a_line {
            return Err(format!("$.drugtracinfo[{nth}].feedetl_sn: no such line"));
        }
        let shaped = (1..=CODE_LEN_MAX).contains(&row.drug_trac_codg.len())
            && row.drug_trac_codg.bytes().all(|byte| byte.is_ascii_graphic());
        if !shaped || codes.iter().any(|known| known.code == row.drug_trac_codg) {
            return Err(format!(
                "$.drugtracinfo[{nth}].drug_trac_codg: unreadable or twice"
            ));
        }
        let lot = row.manu_lotnum.unwrap_or_default();
        if lot.chars().count() > LOT_LEN_MAX {
            return Err(format!("$.drugtracinfo[{nth}].manu_lotnum: ≤ {LOT_LEN_MAX}"));
        }
        codes.push(SoldCode {
            feedetl_sn: row.feedetl_sn,
            code: row.drug_trac_codg,
            split: row.trdn_flag == Some(Flag::Yes),
            lot,
            made_on: row.manu_date.map(|day| day.to_string()).unwrap_or_default(),
            expires_on: row.expy_end.map(|day| day.to_string()).unwrap_or_default(),
        });
    }
    Ok(codes)
}

impl Order {
    /// Reads a line; else its answer. What is not read here goes to the claim as it is written, numbers to the last digit.
    pub(super) fn parse(line: &[u8]) -> Result<Order, Value> {
        let line =
            std::str::from_utf8(line).map_err(|e| unreadable(None, "CLAIM_NOT_UTF8", e.to_string()))?;
        let mut fields: BTreeMap<String, &RawValue> =
            serde_json::from_str(line).map_err(|e| unreadable(None, "CLAIM_NOT_JSON", e.to_string()))?;
        let id = fields.remove("sale").map(|id| serde_json::from_str(id.get()));
        let id: String = match id {
            Some(Ok(Value::String(id))) if !id.is_empty() => id,
            _ => return Err(unreadable(None, "SALE_ID_MISSING", "$.sale".to_owned())),
        };
        let refused = |code: &str, says: String| unreadable(Some(&id), code, says);
        if id.len() > ID_LEN_MAX {
            return Err(refused("SALE_ID_TOO_LONG", format!("$.sale: ≤ {ID_LEN_MAX}")));
        }
        if id.chars().any(char::is_control) {
            return Err(refused("SALE_ID_UNPRINTABLE", "$.sale".to_owned()));
        }
        let credential = fields
            .remove("credential")
            .map(|given| serde_json::from_str::<Credential>(given.get()))
            .transpose();
        // What was given may be a person's number: it is not repeated.
        let credential = credential.map_err(|_| {
            let says = "$.credential: mdtrt_cert_type 01, 02 or 03";
            refused("CLAIM_FIELD", says.to_owned())
        })?;
        let given = fields.remove("drugtracinfo");
        let claim = serde_json::to_vec(&fields)
            .map_err(|e| refused("CLAIM_NOT_JSON", e.to_string()))
            .and_then(|text| Claim::from_json(&text).map_err(|e| refused(e.code(), e.to_string())))?;
        // A client program has verified the person; it names him by the number it got from the agency.
        let credential = credential.unwrap_or_else(|| Credential::IdNumber {
            certno: claim.person.psn_no.to_string(),
        });
        let traces = traces(given, &claim).map_err(|says| refused("CLAIM_FIELD", says))?;
        Ok(Order {
            id,
            claim,
            credential,
            traces,
        })
    }
}

/// The answer to a line that is no order.
fn unreadable(id: Option<&str>, code: &str, says: String) -> Value {
    json!({
        "sale": id, "msgid": null, "state": "refused", "outcome": "unreadable", "code": code, "says": says,
        "advice": advice::advice(code, Lang::Zh),
    })
}

/// A till that sells what a program orders.
pub(super) struct Counter {
    pub(super) till: Till,
    /// In whose name.
    pub(super) operator: String,
    /// Do not ask the agency.
    pub(super) offline: bool,
}

impl Counter {
    /// After the answer: the packs are told of, where the sale stands and the agency answers.
    pub(super) async fn told(&self, id: &str) -> Result<(), Failure> {
        let sync = &self.till.sync;
        let row = self.till.books.sale(id)?;
        if !self.offline && row.is_some_and(|row| row.next_upload(false).is_some()) && sync.may_tell_goods() {
            sync.upload_of(id).await?;
        }
        Ok(())
    }

    pub(super) async fn sell(&self, order: Order) -> Result<Value, Failure> {
        if let Some(known) = self.till.books.sale(&order.id)? {
            let open = !known.state.is_final() && !self.offline && self.till.sync.may_try();
            let row = if open {
                // All that waits, not this sale alone: a person's sales are settled in the order they were made.
                self.till.sync.drain(|_| ()).await?;
                self.till.books.sale(&order.id)?.unwrap_or(known)
            } else {
                known
            };
            return Ok(answer(&row));
        }
        if let Some(refusal) = self.till.books.declined(&order.id)? {
            return Ok(declined(&order.id, &refusal));
        }
        for code in order.traces.iter().filter(|code| !code.split) {
            if self.till.books.pack_sold(&code.code)?.is_some() {
                return Ok(pack_sold(&order.id));
            }
        }
        let settlement = match split(&self.till.sync.packs(), &order.claim, &KEPT) {
            Outcome::Settled(settlement) => *settlement,
            Outcome::Refused(refusal) => {
                let record = Record::Declined {
                    sale: order.id.clone(),
                    refusal: refusal.clone(),
                };
                self.till.books.append(&record, clock::now_ms())?;
                return Ok(declined(&order.id, &refusal));
            }
        };
        let (msgid, operator) = (self.till.books.next_msgid(), self.operator.clone());
        let sale = Sale {
            traces: order.traces,
            ..Sale::new(
                order.id,
                msgid,
                order.claim,
                settlement,
                order.credential,
                operator,
            )
        };
        let online = self.online(&sale).await?;
        let sync = &self.till.sync;
        let row = if online {
            sync.sell(sale, true, |_| ()).await?
        } else if self.offline {
            sync.sell_offline(sale, "OFFLINE_ASKED")?
        } else {
            sync.sell_offline(sale, "EARLIER_SALE_OPEN")?
        };
        Ok(answer(&row))
    }

    /// Whether the sale may leave at once: the line is not known to be down, and nothing of the same person waits.
    async fn online(&self, sale: &Sale) -> Result<bool, Failure> {
        if self.offline {
            return Ok(false);
        }
        if self.till.sync.may_try() && self.till.books.waiting()?.count > 0 {
            self.till.sync.drain(|_| ()).await?;
        }
        let open = self.till.books.open_sales(&sale.claim.person.psn_no)?;
        Ok(self.till.sync.may_try() && open.is_empty())
    }
}

/// A pack that stands with another sale of this till is not sold again; nothing is kept, for it may be returned.
fn pack_sold(id: &str) -> Value {
    let code = "TRACE_CODE_USED";
    json!({
        "sale": id, "msgid": null, "state": "refused", "outcome": "refused", "code": code,
        "says": advice::text(code, Lang::Zh), "advice": advice::advice(code, Lang::Zh),
    })
}

fn declined(id: &str, refusal: &Refusal) -> Value {
    let mut told = json!({"sale": id, "msgid": null, "state": "refused"});
    merge(
        &mut told,
        serde_json::to_value(Outcome::Refused(refusal.clone())).unwrap_or_default(),
    );
    told
}

fn merge(into: &mut Value, from: Value) {
    if let (Some(into), Value::Object(from)) = (into.as_object_mut(), from) {
        into.extend(from);
    }
}

/// How far the agency was told of a sale's packs; nothing for a sale without trace codes.
pub(super) fn uploads(row: &SaleRow) -> Option<Value> {
    if row.sale.traces.is_empty() {
        return None;
    }
    let state = match (row.upload_refused(), row.next_upload(false)) {
        (Some(_), _) => "refused",
        (None, Some(_)) => "waiting",
        (None, None) if row.uploads.is_empty() => "none",
        (None, None) => "done",
    };
    Some(json!({"state": state, "code": row.upload_refused().map(|(code, _)| code)}))
}

/// The line for a sale as it stands: the split, and the agency's figures in its place where they are known.
#[must_use]
pub fn answer(row: &SaleRow) -> Value {
    let mut told = json!({"sale": row.sale.id, "msgid": row.msgid, "state": row.word()});
    merge(
        &mut told,
        serde_json::to_value(Outcome::Settled(Box::new(row.sale.settlement.clone()))).unwrap_or_default(),
    );
    let mut more = Map::new();
    if let Some(reply) = &row.reply {
        more.insert("setl_id".to_owned(), json!(reply.setl_id));
        more.insert("setlinfo".to_owned(), json!(reply.setlinfo));
    }
    if let Some(difference) = &row.difference {
        more.insert("difference".to_owned(), json!(difference));
    }
    if let Some(OfflineTerms {
        reason, settle_by_ms, ..
    }) = &row.sale.offline
    {
        let settle_by = (*settle_by_ms < i64::MAX).then(|| clock::stamp(*settle_by_ms));
        more.insert(
            "offline".to_owned(),
            json!({"reason": reason, "settle_by": settle_by}),
        );
    }
    if let Some((code, particulars)) = &row.cause {
        more.insert("code".to_owned(), json!(code));
        more.insert("says".to_owned(), json!(advice::text(code, Lang::Zh)));
        more.insert("advice".to_owned(), json!(advice::advice(code, Lang::Zh)));
        if !particulars.is_empty() {
            more.insert("detail".to_owned(), json!(particulars));
        }
        if row.state == SaleState::Refused {
            more.insert("outcome".to_owned(), json!("refused"));
        }
    }
    merge(&mut told, Value::Object(more));
    told
}
