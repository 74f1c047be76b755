//! The bill: lines, what is typed to find them, and the split that follows every change.

use serde::{Deserialize, Serialize};
use yijie_agency::SoldCode;
use yijie_rules::{
    Accounts, Claim, Flag, Line, Money, Options, Outcome, OwnAccount, Quantity, UnitPrice, split,
};

use super::offline::paid_in_full;
use super::patient::{self, Patient};
use super::{Effect, Level, Notice, State};
use crate::catalogue::{Catalogue, Found, Item};
use crate::config::Institution;
use crate::record::{Agent, Record};

/// fixmedins_type of a retail pharmacy.
const PHARMACY: &str = "2";
/// Most lines a bill may have: one message to the agency holds them.
const LINES_MAX: usize = 100;

/// What is being bought.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Bill {
    /// Lines, in the order they were sold.
    pub lines: Vec<BillLine>,
    /// The own account is not to be used.
    pub account_off: bool,
    /// Family accounts are not to be used.
    pub family_off: bool,
    /// Registered disease the visit is for; absent for an ordinary visit or purchase.
    pub disease: Option<String>,
    /// An emergency rescue, as the physician says.
    #[serde(default)]
    pub emergency: bool,
    /// The customer pays all, without insurance; the stable code of why.
    #[serde(skip)]
    pub self_pay: Option<String>,
    /// Line moved to.
    #[serde(skip)]
    pub selected: usize,
    /// Who collects for the patient.
    pub agent: Option<Agent>,
    /// The split of the lines; absent while there is none.
    #[serde(skip)]
    pub outcome: Option<Outcome>,
}

/// One line.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct BillLine {
    /// The item as in the price list when it was sold.
    pub item: Item,
    /// Quantity, up to four decimals.
    pub quantity: String,
    /// Trace codes scanned for it.
    pub trace_codes: Vec<String>,
    /// What the scan told of a pack besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packs: Vec<SoldCode>,
}

/// A bill put aside.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HeldBill {
    /// When.
    pub time_ms: i64,
    /// Whose, masked; blank if nobody was verified.
    pub person: String,
    /// What.
    pub bill: Bill,
}

impl Bill {
    /// Price of one of a line: the cash price, where the price list has one, if the customer pays all.
    #[must_use]
    pub fn price(&self, line: &BillLine) -> Money {
        match line.item.cash_price {
            Some(cash) if self.self_pay.is_some() => cash,
            _ => line.item.price,
        }
    }

    /// Dearer under insurance than for cash, which is forbidden (昆明市人民政府令第161号 第二十九条（四）).
    #[must_use]
    pub fn above_cash(&self, line: &BillLine) -> bool {
        line.item.cash_price.is_some_and(|cash| self.price(line) > cash)
    }

    /// price × quantity, half-up to the fen; nothing if the quantity is not a number.
    #[must_use]
    pub fn amount(&self, line: &BillLine) -> Option<Money> {
        self.price(line).times(Quantity::parse(&line.quantity).ok()?)
    }

    /// Medical category of the bill.
    #[must_use]
    pub fn med_type(&self, institution: &Institution) -> &'static str {
        match self.disease {
            _ if self.emergency => "13",
            Some(_) => "14",
            None => plain_med_type(institution),
        }
    }

    /// Sum of the lines.
    #[must_use]
    pub fn total(&self) -> Money {
        self.lines
            .iter()
            .filter_map(|line| self.amount(line))
            .fold(Money::ZERO, Money::saturating_add)
    }
}

/// Medical category without a registered disease: purchase at a pharmacy, ordinary outpatient elsewhere.
#[must_use]
pub fn plain_med_type(institution: &Institution) -> &'static str {
    if institution.kind == PHARMACY { "41" } else { "11" }
}

/// What a bill may be settled under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Benefit {
    /// The institution's plain one.
    Plain,
    /// For a registered disease.
    Disease(String),
    /// Emergency rescue, at a hospital.
    Emergency,
    /// None: the customer pays all and may claim later.
    SelfPay,
}

/// What the bill may be settled under: plainly, for a disease registered today, or as an emergency at a hospital, where
/// the patient is insured; and paid in full by anyone.
#[must_use]
pub fn benefits(state: &State) -> Vec<Benefit> {
    let mut benefits = Vec::new();
    if let Patient::Verified(verified) = &state.patient
        && verified.insured()
    {
        let today = crate::clock::today(state.now_ms);
        let registered = verified
            .person
            .registered_diseases
            .iter()
            .filter(|disease| disease.valid_on(today));
        benefits.push(Benefit::Plain);
        benefits.extend(registered.map(|disease| Benefit::Disease(disease.dise_codg.to_string())));
        if state.setup.institution.kind != PHARMACY {
            benefits.push(Benefit::Emergency);
        }
    }
    benefits.push(Benefit::SelfPay);
    benefits
}

/// A benefit was chosen.
pub(super) fn choose_benefit(state: &mut State, row: usize) -> Vec<Effect> {
    let (disease, emergency) = match benefits(state).into_iter().nth(row) {
        Some(Benefit::SelfPay) => return patient::pays_all(state),
        Some(Benefit::Plain) => (None, false),
        Some(Benefit::Disease(disease)) => (Some(disease), false),
        Some(Benefit::Emergency) => (None, true),
        None => return Vec::new(),
    };
    state.bill.disease = disease;
    state.bill.emergency = emergency;
    state.bill.self_pay = None;
    resplit(state);
    Vec::new()
}

/// The entry field changed: what fits.
pub(super) fn entry(state: &mut State, text: String) -> Vec<Effect> {
    state.suggestions = match state.setup.catalogue.find(&text) {
        Found::One(item) => position(&state.setup.catalogue, item).into_iter().collect(),
        Found::Several(items) => items
            .iter()
            .filter_map(|item| position(&state.setup.catalogue, item))
            .collect(),
    };
    state.entry = text;
    Vec::new()
}

fn position(catalogue: &Catalogue, item: &Item) -> Option<usize> {
    catalogue
        .items()
        .iter()
        .position(|known| std::ptr::eq(known, item))
}

/// The entry was confirmed, or a pack was scanned.
pub(super) fn accept(state: &mut State, text: &str) -> Vec<Effect> {
    let pack = SoldCode {
        code: text.trim().to_owned(),
        ..SoldCode::default()
    };
    accept_pack(state, text, pack)
}

/// The same where the scan tells of the pack as well.
pub(super) fn accept_pack(state: &mut State, text: &str, pack: SoldCode) -> Vec<Effect> {
    let text = text.trim();
    if text.is_empty() {
        return Vec::new();
    }
    if yijie_hardware::IdNumber::parse(text).is_some() {
        state.entry_taken();
        return patient::id_typed(state, text);
    }
    let catalogue = state.setup.catalogue.clone();
    let found = match catalogue.find(text) {
        Found::One(item) => Some(item),
        Found::Several(items) => match items.as_slice() {
            [only] => Some(*only),
            _ => None,
        },
    };
    match found {
        Some(item) => sell(state, item, pack),
        None if state.suggestions.is_empty() => {
            state.notice = Some(Notice::new(Level::Warning, "ITEM_NOT_FOUND").about(short(text)));
            Vec::new()
        }
        None => pick(state, 0),
    }
}

fn short(text: &str) -> String {
    text.chars().take(24).collect()
}

/// A suggestion was chosen.
pub(super) fn pick(state: &mut State, row: usize) -> Vec<Effect> {
    let catalogue = state.setup.catalogue.clone();
    match state
        .suggestions
        .get(row)
        .and_then(|at| catalogue.items().get(*at))
    {
        Some(item) => sell(state, item, SoldCode::default()),
        None => Vec::new(),
    }
}

/// One more of an item; nothing is sold before the patient is verified.
fn sell(state: &mut State, item: &Item, pack: SoldCode) -> Vec<Effect> {
    state.entry_taken();
    if !matches!(state.patient, Patient::Verified(_)) {
        return state.fail("VERIFY_FIRST");
    }
    let traced = state.setup.catalogue.is_trace_code(&pack.code);
    let trace = traced.then(|| pack.code.clone());
    if let Some(code) = &trace
        && state
            .bill
            .lines
            .iter()
            .any(|line| line.trace_codes.contains(code))
    {
        return state.fail("TRACE_CODE_TWICE");
    }
    // A scan that found nothing must not pass unseen because the next one did.
    if state
        .notice
        .as_ref()
        .is_none_or(|notice| notice.code != "ITEM_NOT_FOUND")
    {
        state.notice = None;
    }
    if state.bill.lines.len() >= LINES_MAX {
        return state.fail("BILL_TOO_LONG");
    }
    let same = |line: &BillLine| line.item.code == item.code && line.item.name == item.name;
    let row = state
        .bill
        .lines
        .iter()
        .position(same)
        .unwrap_or(state.bill.lines.len());
    let packs = (traced && !(pack.lot.is_empty() && pack.expires_on.is_empty())).then_some(pack);
    match state.bill.lines.get_mut(row) {
        Some(line) => {
            let more = line.quantity.parse::<u32>().map(|n| n.saturating_add(1));
            match more {
                Ok(n) => line.quantity = n.to_string(),
                Err(_) => return state.fail("QUANTITY_NOT_WHOLE"),
            }
            line.trace_codes.extend(trace);
            line.packs.extend(packs);
        }
        None => state.bill.lines.push(BillLine {
            item: item.clone(),
            quantity: "1".to_owned(),
            trace_codes: trace.into_iter().collect(),
            packs: packs.into_iter().collect(),
        }),
    }
    state.bill.selected = row;
    resplit(state);
    Vec::new()
}

/// A line's quantity: a positive number with at most four decimals.
pub(super) fn quantity(state: &mut State, row: usize, text: &str) -> Vec<Effect> {
    let text = text.trim();
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let shaped = !whole.is_empty() && whole.len() <= 5 && part.len() <= 4 && digits(whole) && digits(part);
    if !shaped || text.bytes().all(|b| b == b'0' || b == b'.') || text.ends_with('.') {
        return state.fail("QUANTITY_WRONG");
    }
    if let Some(line) = state.bill.lines.get_mut(row) {
        text.clone_into(&mut line.quantity);
        state.notice = None;
        resplit(state);
    }
    Vec::new()
}

/// A line goes.
pub(super) fn remove(state: &mut State, row: usize) -> Vec<Effect> {
    if row < state.bill.lines.len() {
        state.bill.lines.remove(row);
        state.bill.selected = row.min(state.bill.lines.len().saturating_sub(1));
        resplit(state);
    }
    Vec::new()
}

/// 挂单.
pub(super) fn hold(state: &mut State) -> Vec<Effect> {
    if state.bill.lines.is_empty() {
        return state.fail("NOTHING_TO_HOLD");
    }
    let no = state.held.iter().map(|(no, _)| *no).max().unwrap_or(0) + 1;
    let person = match &state.patient {
        Patient::Verified(verified) => crate::view::mask_name(&verified.record.baseinfo.psn_name),
        _ => String::new(),
    };
    let held = HeldBill {
        time_ms: state.now_ms,
        person,
        bill: std::mem::take(&mut state.bill),
    };
    let bill = serde_json::to_value(&held).ok();
    state.held.push((no, held));
    state.next_patient();
    state.tell(Level::Info, "BILL_HELD");
    vec![Effect::Write(Box::new(Record::Held { no, bill }))]
}

/// 取单: the lines come back; the patient is verified anew.
pub(super) fn recall(state: &mut State, row: usize) -> Vec<Effect> {
    if !state.bill.lines.is_empty() {
        return state.fail("BILL_OPEN");
    }
    if row >= state.held.len() {
        return Vec::new();
    }
    let (no, held) = state.held.remove(row);
    let self_pay = state.bill.self_pay.take();
    state.bill = Bill {
        self_pay,
        ..held.bill
    };
    resplit(state);
    if !matches!(state.patient, Patient::Verified(_)) {
        state.tell(Level::Info, "VERIFY_FIRST");
    }
    vec![Effect::Write(Box::new(Record::Held { no, bill: None }))]
}

/// Trace codes of the packs on a bill, by the lines of its claim. A broken quantity is part of a pack.
pub(super) fn traces(bill: &Bill) -> Vec<SoldCode> {
    let lines = bill.lines.iter().enumerate();
    let codes = lines.flat_map(|(index, line)| {
        line.trace_codes.iter().map(move |code| SoldCode {
            feedetl_sn: (index + 1).to_string(),
            code: code.clone(),
            split: line.quantity.contains('.'),
            ..told_of(line, code)
        })
    });
    codes.collect()
}

fn told_of(line: &BillLine, code: &str) -> SoldCode {
    let told = line.packs.iter().find(|pack| pack.code == code);
    told.cloned().unwrap_or_default()
}

/// The claim of the bill as it stands; absent until someone is verified and something is on it.
#[must_use]
pub fn claim(state: &State) -> Option<Claim> {
    let Patient::Verified(verified) = &state.patient else {
        return None;
    };
    if state.bill.lines.is_empty() {
        return None;
    }
    let mut lines = Vec::new();
    for (index, sold) in state.bill.lines.iter().enumerate() {
        lines.push(line(&state.bill, index, sold)?);
    }
    let facts = &verified.record.facts;
    let own = facts.own.clone().or_else(|| row_balance(verified));
    Some(Claim {
        person: verified.person.clone(),
        institution: patient::institution(state),
        visit: patient::visit(state),
        lines,
        accounts: Accounts {
            acct_used_flag: Some(if state.bill.account_off {
                Flag::No
            } else {
                Flag::Yes
            }),
            own,
            family: if state.bill.family_off {
                Vec::new()
            } else {
                facts.family.clone()
            },
        },
        accumulated: facts.accumulated.clone(),
    })
}

fn row_balance(verified: &patient::Verified) -> Option<OwnAccount> {
    let row = verified
        .record
        .insuinfo
        .iter()
        .find(|row| row.insutype == verified.person.insutype)?;
    row.balc.map(|balc| OwnAccount { balc })
}

fn line(bill: &Bill, index: usize, sold: &BillLine) -> Option<Line> {
    let item = &sold.item;
    Some(Line {
        feedetl_sn: (index + 1).to_string().into(),
        med_list_codg: (!item.code.is_empty()).then(|| item.code.as_str().into()),
        name: Some(item.name.as_str().into()),
        chrgitm_lv: item.level,
        selfpay_prop: item.selfpay_prop,
        pric_uplmt_amt: item.price_limit,
        pric: UnitPrice::parse(&bill.price(sold).to_string()).ok(),
        cnt: Quantity::parse(&sold.quantity).ok(),
        det_item_fee_sumamt: Some(bill.amount(sold)?),
        hi_nego_drug_flag: Some(item.negotiated),
        cash_pric: item
            .cash_price
            .and_then(|price| UnitPrice::parse(&price.to_string()).ok()),
        rx_flag: item.rx_flag,
        goods: item.goods,
        prd_days: None,
        day_cnt: None,
        for_diseases: item.for_diseases(),
    })
}

/// Names of the goods dearer under insurance than for cash: what a refused price is about.
fn names_above_cash(state: &State) -> String {
    let names = state.bill.lines.iter().filter(|line| state.bill.above_cash(line));
    names
        .map(|line| line.item.name.as_str())
        .collect::<Vec<_>>()
        .join("、")
}

/// What a claim of this bill comes to.
pub(super) fn settle(state: &State, claim: &Claim, options: &Options) -> Outcome {
    match state.bill.self_pay {
        Some(_) => Outcome::Settled(Box::new(paid_in_full(claim, options.lang))),
        None => split(&state.setup.packs, claim, options),
    }
}

/// Computes the split anew.
pub(super) fn resplit(state: &mut State) {
    state.bill.outcome = claim(state).map(|claim| {
        let options = Options {
            pack: None,
            trace: true,
            lang: state.lang,
        };
        settle(state, &claim, &options)
    });
    if let Some(Outcome::Refused(refusal)) = &state.bill.outcome {
        state.notice = Some(Notice::new(Level::Error, refusal.code()).about(names_above_cash(state)));
    }
}
