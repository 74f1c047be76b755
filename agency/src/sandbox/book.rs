//! The sandbox's book: who is insured, which settlements stand, and what each person and account has used. It is
//! what the persons file and the ledger say, and nothing else.

mod facts;
mod periods;
mod visits;

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::civil::Date;
use yijie_rules::{Accumulated, FamilyAccount, Money, OwnAccount, Person};

pub(crate) use periods::{Held, Period};

use super::{
    ledger::{Entry, LedgerRow, Registered, Settled, SettlementState},
    visit::Visit,
};
use crate::{PersonRecord, messages::pharmacy::Transactions};

type PoolKey = (String, Option<String>);

/// See the module.
#[derive(Default)]
pub(crate) struct Book {
    openings: HashMap<String, Opening>,
    rows: Vec<Row>,
    by_setl_id: HashMap<String, usize>,
    by_msgid: HashMap<String, Sent>,
    tombstones: HashSet<String>,
    /// Applications for clearing, by number: institution, category, month.
    clearings: BTreeMap<String, [String; 3]>,
    /// Fen taken from an account, by holder.
    debited: HashMap<String, Money>,
    used: HashMap<(String, i16), BTreeMap<PoolKey, Accumulated>>,
    /// Visits that are not settled yet.
    visits: HashMap<String, Visit>,
    visits_opened: u64,
    /// Person and visit that a 2401 opened, by its message id.
    admissions: HashMap<String, (String, String)>,
    /// The institution that signed in, by the number it got.
    signed_in: HashMap<String, String>,
    /// Trace codes of packs that were sold, with which sale, and whether by the settlement itself.
    sold: HashMap<String, (String, bool)>,
    /// Message ids of 3505 and 3506.
    goods_msgids: HashSet<String>,
    /// Balance with which a relative's account that is nobody's own was first seen.
    family_openings: HashMap<String, Money>,
}

/// A person before the first settlement.
struct Opening {
    /// One for each insurance.
    persons: Vec<Person>,
    own: Option<OwnAccount>,
    family: Vec<FamilyAccount>,
    accumulated: Vec<Accumulated>,
    /// The year of the accumulated rows; None: every year begins with them.
    year: Option<i16>,
}

struct Row {
    settled: Settled,
    stands: Stands,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stands {
    Settled,
    Cancelled(Option<Date>),
    Reversed,
}

/// What a msgid was used for.
#[derive(Clone, Copy)]
pub(crate) enum Sent {
    Settlement(usize),
    Cancellation(usize),
    Reversal,
}

/// What a reversal finds.
pub(crate) enum Original {
    Standing,
    /// A cancellation whose money the person or a relative has used since.
    UsedSince,
    AlreadyReversed,
    OfAnother,
    NotReversible,
    NotFound,
}

impl Book {
    /// Takes a person from the persons file.
    pub(crate) fn insure(&mut self, record: &PersonRecord) {
        let opening = Opening {
            persons: record
                .insuinfo
                .iter()
                .map(|row| record.to_rules_person(row))
                .collect(),
            own: record.facts.own.clone(),
            family: record.facts.family.clone(),
            accumulated: record.facts.accumulated.clone(),
            year: None,
        };
        self.open(&record.baseinfo.psn_no, opening);
    }

    fn open(&mut self, psn_no: &str, opening: Opening) {
        for account in &opening.family {
            self.family_openings
                .entry(account.psn_no.to_string())
                .or_insert(account.balc);
        }
        self.openings.insert(psn_no.to_owned(), opening);
    }

    pub(crate) fn knows(&self, psn_no: &str) -> bool {
        self.openings.contains_key(psn_no)
    }

    /// What a msgid was used for, if it was.
    pub(crate) fn sent(&self, msgid: &str) -> Option<Sent> {
        self.by_msgid.get(msgid).copied()
    }

    pub(crate) fn is_tombstoned(&self, msgid: &str) -> bool {
        self.tombstones.contains(msgid)
    }

    /// The settlement at a place of the book.
    pub(crate) fn settlement(&self, at: usize) -> Option<(&Settled, SettlementState)> {
        self.rows.get(at).map(|row| (&row.settled, row.state()))
    }

    /// A settlement by its own number, its visit's or its msgid.
    pub(crate) fn find(&self, psn_no: &str, setl_id: &str, mdtrt_id: &str, msgid: &str) -> Option<usize> {
        let of_person = |at: &usize| self.rows.get(*at).is_some_and(|row| row.settled.psn_no == psn_no);
        if !setl_id.is_empty() {
            return self.by_setl_id.get(setl_id).copied().filter(of_person);
        }
        if !msgid.is_empty() {
            return match self.sent(msgid) {
                Some(Sent::Settlement(at)) => Some(at).filter(of_person),
                _ => None,
            };
        }
        self.rows
            .iter()
            .rposition(|row| row.settled.mdtrt_id == mdtrt_id && row.settled.psn_no == psn_no)
    }

    /// The sale a pack's trace code stands with, and whether the settlement alone said so.
    pub(crate) fn sold_with(&self, code: &str) -> Option<(&str, bool)> {
        let sold = self.sold.get(code);
        sold.map(|(sale, with_settlement)| (sale.as_str(), *with_settlement))
    }

    /// Every pack that counts as sold: its code and the sale.
    pub(crate) fn packs_sold(&self) -> impl Iterator<Item = (&str, &str)> {
        self.sold
            .iter()
            .map(|(code, (sale, _))| (code.as_str(), sale.as_str()))
    }

    /// Whether something that the ledger keeps came under this msgid.
    pub(crate) fn has_used(&self, msgid: &str) -> bool {
        self.by_msgid.contains_key(msgid)
            || self.goods_msgids.contains(msgid)
            || self.admissions.contains_key(msgid)
    }

    /// Whether 9001 gave this institution the number, and 9002 has not ended it.
    pub(crate) fn is_signed_in(&self, fixmedins_code: &str, sign_no: &str) -> bool {
        self.signed_in
            .get(sign_no)
            .is_some_and(|code| code == fixmedins_code)
    }

    /// A person's settlements, oldest first.
    pub(crate) fn of_person<'b>(
        &'b self,
        psn_no: &'b str,
    ) -> impl Iterator<Item = (&'b Settled, SettlementState)> {
        let rows = self.rows.iter().filter(move |row| row.settled.psn_no == psn_no);
        rows.map(|row| (&row.settled, row.state()))
    }

    /// How many settlements there are, for the next number.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The transaction a msgid was used for; None: for none that can be reversed.
    pub(crate) fn number_of(&self, msgid: &str) -> Option<&str> {
        if self.admissions.contains_key(msgid) {
            return Some("2401");
        }
        let (at, cancelled) = match self.sent(msgid)? {
            Sent::Settlement(at) => (at, false),
            Sent::Cancellation(at) => (at, true),
            Sent::Reversal => return None,
        };
        let settle = self.rows.get(at)?.settled.infno.as_str();
        Some(if cancelled {
            Transactions::settled_by(settle).cancel
        } else {
            settle
        })
    }

    /// What a reversal of `omsgid` would meet.
    pub(crate) fn original(&self, psn_no: &str, omsgid: &str) -> Original {
        let (at, standing): (usize, fn(Stands) -> bool) = match self.sent(omsgid) {
            Some(Sent::Settlement(at)) => (at, |stands| stands == Stands::Settled),
            Some(Sent::Cancellation(at)) => (at, |stands| matches!(stands, Stands::Cancelled(_))),
            Some(Sent::Reversal) => return Original::NotReversible,
            None if self.is_tombstoned(omsgid) => return Original::AlreadyReversed,
            None => return Original::NotFound,
        };
        match self.rows.get(at) {
            Some(row) if row.settled.psn_no != psn_no => Original::OfAnother,
            Some(row)
                if standing(row.stands) && row.stands != Stands::Settled && self.used_since(at, row) =>
            {
                Original::UsedSince
            }
            Some(row) if standing(row.stands) => Original::Standing,
            _ => Original::AlreadyReversed,
        }
    }

    /// Whether a later settlement stands that drew on the same person's pools or the same accounts.
    fn used_since(&self, at: usize, row: &Row) -> bool {
        let holders: HashSet<&str> = row
            .settled
            .debits
            .iter()
            .map(|debit| debit.psn_no.as_str())
            .collect();
        self.rows
            .iter()
            .skip(at + 1)
            .filter(|later| later.stands == Stands::Settled)
            .any(|later| {
                later.settled.psn_no == row.settled.psn_no
                    || later
                        .settled
                        .debits
                        .iter()
                        .any(|debit| holders.contains(debit.psn_no.as_str()))
            })
    }

    /// Takes over a ledger entry, at the start and as it happens.
    pub(crate) fn apply(&mut self, entry: &Entry) {
        match entry {
            Entry::Registered(registered) => self.register(registered),
            Entry::Settled(settled) => self.settle(settled),
            Entry::SignedIn {
                sign_no,
                fixmedins_code,
            } => {
                self.signed_in.insert(sign_no.clone(), fixmedins_code.clone());
            }
            Entry::NotReturned { msgid } => {
                self.goods_msgids.insert(msgid.clone());
            }
            Entry::SignedOut { sign_no } => {
                self.signed_in.remove(sign_no);
            }
            Entry::Visit(visit) => self.note_visit(visit),
            Entry::VisitClosed { mdtrt_id } => {
                self.visits.remove(mdtrt_id);
            }
            Entry::Goods {
                setl_id,
                codes,
                returned,
                msgid,
            } => {
                for code in codes {
                    if *returned {
                        self.sold.remove(code);
                    } else {
                        self.sold
                            .insert(code.clone(), (setl_id.clone(), msgid.is_empty()));
                    }
                }
                if !msgid.is_empty() {
                    self.goods_msgids.insert(msgid.clone());
                }
            }
            Entry::Cancelled {
                msgid, setl_id, time, ..
            } => {
                if let Some(at) = self.by_setl_id.get(setl_id).copied() {
                    let day = time.get(..10).and_then(|day| day.parse().ok());
                    self.change(at, Stands::Cancelled(day));
                    self.by_msgid.insert(msgid.clone(), Sent::Cancellation(at));
                }
            }
            Entry::Reversed { msgid, omsgid, .. } => {
                match self.sent(omsgid) {
                    Some(Sent::Settlement(at)) => self.change(at, Stands::Reversed),
                    Some(Sent::Cancellation(at)) => self.change(at, Stands::Settled),
                    Some(Sent::Reversal) | None => {}
                }
                self.by_msgid.insert(msgid.clone(), Sent::Reversal);
            }
            Entry::ClearingApplied {
                clr_appy_evt_id,
                fixmedins_code,
                clr_type,
                setlym,
                ..
            } => {
                let of = [fixmedins_code.clone(), clr_type.clone(), setlym.clone()];
                self.clearings.insert(clr_appy_evt_id.clone(), of);
            }
            Entry::ClearingWithdrawn { clr_appy_evt_id } => {
                self.clearings.remove(clr_appy_evt_id);
            }
            Entry::Tombstone { msgid, omsgid, .. } => {
                self.tombstones.insert(omsgid.clone());
                self.by_msgid.insert(msgid.clone(), Sent::Reversal);
            }
        }
    }

    fn register(&mut self, registered: &Registered) {
        let opening = Opening {
            persons: vec![registered.person.clone()],
            own: registered.own.clone(),
            family: registered.family.clone(),
            accumulated: registered.accumulated.clone(),
            year: Some(registered.year),
        };
        self.open(registered.person.psn_no.as_str(), opening);
    }

    fn settle(&mut self, settled: &Settled) {
        let at = self.rows.len();
        self.visits.remove(&settled.mdtrt_id);
        self.by_setl_id.insert(settled.setl_id.clone(), at);
        self.by_msgid.insert(settled.msgid.clone(), Sent::Settlement(at));
        self.rows.push(Row {
            settled: settled.clone(),
            stands: Stands::Reversed,
        });
        self.change(at, Stands::Settled);
    }

    /// Gives back or takes again what a settlement used, as it stops or begins to stand.
    fn change(&mut self, at: usize, stands: Stands) {
        let Some(row) = self.rows.get_mut(at) else { return };
        let before = std::mem::replace(&mut row.stands, stands);
        let sign = match (before == Stands::Settled, stands == Stands::Settled) {
            (false, true) => Sign::Plus,
            (true, false) => Sign::Minus,
            _ => return,
        };
        let settled = &row.settled;
        let pools = self
            .used
            .entry((settled.psn_no.clone(), settled.year))
            .or_default();
        for used in &settled.used {
            add(pools, used, sign);
        }
        if stands != Stands::Settled {
            let setl_id = settled.setl_id.clone();
            // What 3505 told, 3506 takes back.
            self.sold
                .retain(|_, (sale, with_settlement)| !*with_settlement || *sale != setl_id);
        }
        for debit in &settled.debits {
            let sum = self.debited.entry(debit.psn_no.clone()).or_default();
            *sum = sign.of(*sum, debit.amount);
        }
    }

    /// All settlements, oldest first.
    pub(crate) fn ledger_rows(&self) -> Vec<LedgerRow> {
        self.rows.iter().map(Row::ledger_row).collect()
    }
}

impl Row {
    fn state(&self) -> SettlementState {
        if self.stands == Stands::Settled {
            SettlementState::Settled
        } else {
            SettlementState::Reversed
        }
    }

    fn ledger_row(&self) -> LedgerRow {
        let settled = &self.settled;
        LedgerRow {
            setl_id: settled.setl_id.clone(),
            mdtrt_id: settled.mdtrt_id.clone(),
            msgid: settled.msgid.clone(),
            psn_no: settled.psn_no.clone(),
            insutype: settled.insutype.clone(),
            med_type: settled.med_type.clone(),
            clr_type: settled.clr_type.clone(),
            clr_optins: settled.clr_optins.clone(),
            setl_time: settled.setl_time.clone(),
            medfee_sumamt: settled.setlinfo.medfee_sumamt,
            fund_pay_sumamt: settled.setlinfo.fund_pay_sumamt,
            acct_pay: settled.setlinfo.acct_pay,
            acct_mulaid_pay: settled.setlinfo.acct_mulaid_pay,
            psn_cash_pay: settled.setlinfo.psn_cash_pay,
            state: self.state(),
        }
    }
}

#[derive(Clone, Copy)]
enum Sign {
    Plus,
    Minus,
}

impl Sign {
    /// Saturates: amounts of N16,2 can't reach the end of the range.
    fn of(self, sum: Money, amount: Money) -> Money {
        let changed = match self {
            Sign::Plus => sum.checked_add(amount),
            Sign::Minus => sum.checked_sub(amount),
        };
        changed.unwrap_or(sum)
    }
}

fn add(rows: &mut BTreeMap<PoolKey, Accumulated>, row: &Accumulated, sign: Sign) {
    let key = (row.pool.to_string(), row.key.as_ref().map(ToString::to_string));
    let sum = rows.entry(key).or_insert_with(|| Accumulated {
        pool: row.pool.clone(),
        key: row.key.clone(),
        ..Accumulated::default()
    });
    sum.deductible = sign.of(sum.deductible, row.deductible);
    sum.fund = sign.of(sum.fund, row.fund);
    sum.in_scope = sign.of(sum.in_scope, row.in_scope);
}

/// What `after` has more than `before`, pool by pool; may be negative where a pool hands over to another.
pub(crate) fn difference(before: &[Accumulated], after: &[Accumulated]) -> Vec<Accumulated> {
    let mut rows = BTreeMap::new();
    for row in after {
        add(&mut rows, row, Sign::Plus);
        if let Some(old) = before
            .iter()
            .find(|old| old.pool == row.pool && old.key == row.key)
        {
            add(&mut rows, old, Sign::Minus);
        }
    }
    rows.into_values().collect()
}
