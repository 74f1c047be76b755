//! What must hold: the invariants of ARCHITECTURE.md, asked of the books and of the agency's ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use yijie_agency::{LedgerRow, SettlementState};
use yijie_rules::{Money, SetlInfo};

use super::Broken;
use super::till::{INSTITUTION, Till};
use super::world::{End, Seen};
use crate::books::Books;
use crate::books::row::{SaleRow, SaleState};

const AT_MOST_ONCE: &str = "a sale is settled at the agency at most once";
const IN_ORDER: &str = "a person's sales are settled in the order they were made";
const AGREES: &str = "what the journal calls final is what the agency holds";
const KEPT: &str = "what was acknowledged is in the journal";
const IDENTITY: &str = "total = funds + person + hospital";
const SAME: &str = "at the end the agency's ledger is the journal";
const PAPER: &str = "every printed receipt is accounted for";
const PACK: &str = "a pack counts as sold with a settlement the agency made";
const TOLD: &str = "at the end the packs sold at the agency are those of the sales that stand";
const REBUILT: &str = "a store rebuilt from the journal holds the same";

/// The other till's purchases have this bill.
const ELSEWHERE: &str = "33.33";

fn standing(ledger: &[LedgerRow]) -> impl Iterator<Item = &LedgerRow> {
    ledger.iter().filter(|row| row.state == SettlementState::Settled)
}

/// Of the ledger alone: each bill stands once, and adds up.
pub(super) fn ledger(ledger: &[LedgerRow]) -> Result<(), Broken> {
    let mut bills = BTreeSet::new();
    for row in standing(ledger) {
        let bill = row.medfee_sumamt.to_string();
        if bill != ELSEWHERE && !bills.insert(bill.clone()) {
            return Err(Broken::new(AT_MOST_ONCE, bill));
        }
        let parts = [
            row.fund_pay_sumamt,
            row.acct_pay,
            row.acct_mulaid_pay,
            row.psn_cash_pay,
        ];
        if Money::sum(parts) != Some(row.medfee_sumamt) {
            return Err(Broken::new(IDENTITY, &row.setl_id));
        }
    }
    Ok(())
}

/// Of the agency's packs: each goes with a settlement there has been.
pub(super) fn packs(ledger: &[LedgerRow], packs: &BTreeMap<String, String>) -> Result<(), Broken> {
    let made: BTreeSet<&str> = ledger.iter().map(|row| row.setl_id.as_str()).collect();
    match packs.iter().find(|(_, sale)| !made.contains(sale.as_str())) {
        None => Ok(()),
        Some((code, sale)) => Err(Broken::new(PACK, format!("{code} {sale}"))),
    }
}

/// At the end: what was sold and stands was told pack by pack, and what was undone came back.
pub(super) fn packs_told(books: &Books, packs: &BTreeMap<String, String>) -> Result<(), End> {
    let mut sold = BTreeMap::new();
    for row in books.sales()? {
        if let Some((code, said)) = row.upload_refused() {
            return Err(Broken::new(TOLD, format!("{} {code} {said}", row.sale.id)).into());
        }
        let Some(reply) = row.reply.as_ref().filter(|_| row.state == SaleState::Settled) else {
            continue;
        };
        let codes = row.sale.traces.iter();
        sold.extend(codes.map(|code| (code.code.clone(), reply.setl_id.clone())));
    }
    if sold == *packs {
        return Ok(());
    }
    let apart = |a: &BTreeMap<String, String>, b: &BTreeMap<String, String>| -> Vec<String> {
        let other = a.iter().filter(|(code, sale)| b.get(*code) != Some(*sale));
        other.map(|(code, sale)| format!("{code} {sale}")).collect()
    };
    Err(Broken::new(
        TOLD,
        format!("here {:?}, there {:?}", apart(&sold, packs), apart(packs, &sold)),
    )
    .into())
}

/// A sale as the books have it by now, against what the agency holds of it.
pub(super) fn sale(books: &Books, id: &str, ledger: Option<&[LedgerRow]>) -> Result<(), End> {
    match (books.sale(id)?, ledger) {
        (Some(row), Some(ledger)) => Ok(agrees(&row, ledger)?),
        _ => Ok(()),
    }
}

fn agrees(row: &SaleRow, ledger: &[LedgerRow]) -> Result<(), Broken> {
    let bill = row.sale.settlement.setlinfo.medfee_sumamt;
    let held: Vec<&LedgerRow> = standing(ledger)
        .filter(|held| held.medfee_sumamt == bill)
        .collect();
    let holds = match row.state {
        SaleState::Settled => {
            let same = |held: &&LedgerRow| {
                let sums = row.sums();
                held.msgid == row.msgid
                    && row
                        .reply
                        .as_ref()
                        .is_some_and(|reply| reply.setl_id == held.setl_id)
                    && held.fund_pay_sumamt == sums.fund_pay_sumamt
                    && held.acct_pay == sums.acct_pay
                    && held.psn_cash_pay == sums.psn_cash_pay
            };
            held.first().is_some_and(same) && held.len() == 1
        }
        SaleState::Refused | SaleState::Reversed | SaleState::SelfPaid | SaleState::Committed => {
            held.is_empty()
        }
        SaleState::Sending | SaleState::Unknown | SaleState::Reversing => held.len() <= 1,
    };
    if holds {
        Ok(())
    } else {
        let msgids: Vec<&str> = held.iter().map(|held| held.msgid.as_str()).collect();
        let steps = steps(row);
        Err(Broken::new(
            AGREES,
            format!(
                "{} is {} as {}, the agency holds {msgids:?}; {steps:?}",
                row.sale.id,
                row.word(),
                row.msgid
            ),
        ))
    }
}

/// Who pays what; the balance shown beside it is not this sale's alone.
fn same_money(a: &SetlInfo, b: &SetlInfo) -> bool {
    a.medfee_sumamt == b.medfee_sumamt
        && a.fund_pay_sumamt == b.fund_pay_sumamt
        && a.acct_pay.saturating_add(a.acct_mulaid_pay) == b.acct_pay.saturating_add(b.acct_mulaid_pay)
        && a.psn_cash_pay == b.psn_cash_pay
}

fn steps(row: &SaleRow) -> Vec<&str> {
    row.history.iter().map(|step| step.kind.as_str()).collect()
}

/// Every sale of the books against the ledger, the order of each person's, and what waits.
pub(super) fn books(books: &Books, ledger: &[LedgerRow]) -> Result<(), End> {
    let mut rows = books.sales()?;
    rows.sort_by_key(|row| row.seq);
    let mut by_msgid = BTreeMap::new();
    for row in &rows {
        agrees(row, ledger)?;
        by_msgid.insert(row.msgid.as_str(), row.seq);
    }
    let mut latest: BTreeMap<&str, u64> = BTreeMap::new();
    for held in standing(ledger) {
        let Some(seq) = by_msgid.get(held.msgid.as_str()) else {
            continue;
        };
        let before = latest.insert(held.psn_no.as_str(), *seq);
        if before.is_some_and(|before| before > *seq) {
            return Err(Broken::new(IN_ORDER, &held.msgid).into());
        }
    }
    let open: Vec<&str> = rows
        .iter()
        .filter(|row| !row.state.is_final())
        .map(|row| row.sale.id.as_str())
        .collect();
    let queued = books.queue(usize::MAX)?;
    let queue: Vec<&str> = queued.iter().map(|row| row.sale.id.as_str()).collect();
    let count = books.waiting()?.count;
    if queue != open || count != open.len() {
        return Err(Broken::new(
            "what is not final waits, oldest first",
            format!("{open:?} {queue:?} {count}"),
        )
        .into());
    }
    Ok(())
}

/// After a crash: nothing that was told is gone.
pub(super) fn acknowledged(books: &Books, seen: &Seen) -> Result<(), End> {
    for (id, psn_no) in &seen.sales {
        let row = books.sale(id)?;
        if row.is_none_or(|row| row.sale.claim.person.psn_no != psn_no.as_str()) {
            return Err(Broken::new(KEPT, id).into());
        }
    }
    Ok(())
}

/// At the end: settlement for settlement the same on both sides, and every piece of paper stands for something known.
pub(super) fn accounted(books: &Books, ledger: &[LedgerRow], seen: &Seen) -> Result<(), End> {
    let rows = books.sales()?;
    let here: BTreeSet<&str> = rows
        .iter()
        .filter(|row| row.state == SaleState::Settled)
        .map(|row| row.msgid.as_str())
        .collect();
    let elsewhere: BTreeSet<&str> = seen.elsewhere.iter().map(String::as_str).collect();
    let there: BTreeSet<&str> = standing(ledger)
        .map(|row| row.msgid.as_str())
        .filter(|msgid| !elsewhere.contains(msgid))
        .collect();
    if here != there {
        let apart: Vec<&&str> = here.symmetric_difference(&there).collect();
        return Err(Broken::new(SAME, format!("{apart:?}")).into());
    }
    for receipt in &seen.receipts {
        let row = books.sale(&receipt.sale)?;
        let accounted = row.as_ref().is_some_and(|row| match row.state {
            SaleState::Settled => {
                same_money(&receipt.sums, row.sums())
                    || row.difference.is_some() && same_money(&receipt.sums, &row.sale.told)
            }
            SaleState::Refused => receipt.state != SaleState::Settled,
            state => state.is_final(),
        });
        if !accounted {
            let (id, state) = (&receipt.sale, receipt.state.word());
            let now = row
                .as_ref()
                .map(|row| (row.word(), steps(row), row.difference.clone()));
            return Err(Broken::new(PAPER, format!("{id} printed as {state}, now {now:?}")).into());
        }
    }
    Ok(())
}

/// The store thrown away: what the journal makes of it is what was there.
pub(super) fn rebuilt(data: &Path, till: Option<Till>, books: Arc<Books>) -> Result<(), End> {
    let before = all(&books)?;
    drop((till, books));
    let failed = |source| super::SimulateError::Directory {
        dir: data.to_owned(),
        source,
    };
    std::fs::remove_dir_all(data.join("store")).map_err(failed)?;
    let (books, _) = Books::open(data, INSTITUTION, 0)?;
    let after = all(&books)?;
    if before == after {
        Ok(())
    } else {
        let at = before.iter().zip(&after).find(|(before, after)| before != after);
        let ids = at.map(|(row, _)| row.split(',').next().unwrap_or_default().to_owned());
        Err(Broken::new(
            REBUILT,
            ids.unwrap_or_else(|| "another number of rows".to_owned()),
        )
        .into())
    }
}

fn all(books: &Books) -> Result<Vec<String>, End> {
    let mut rows = books.sales()?;
    rows.sort_by_key(|row| row.seq);
    let mut texts: Vec<String> = rows
        .iter()
        .map(|row| serde_json::to_string(&(&*row.sale, &row.course)).unwrap_or_default())
        .collect();
    texts.push(format!("{:?}", books.waiting()?));
    let differences = books.differences()?;
    texts.extend(differences.iter().map(|row| row.sale.id.clone()));
    for row in books.uploads()? {
        texts.push(row?.sale.id.clone());
    }
    Ok(texts)
}
