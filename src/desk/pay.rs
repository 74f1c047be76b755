//! Taking the money: the agency's own figures first where it answers, then consent and cash, then the commit.

use yijie_agency::{Answer, AuditFinding, Cause, SettledReply};
use yijie_rules::{Claim, Money, Outcome, Settlement};

use super::approval::{self, Deed};
use super::offline::{carry_past, offer, settle_in_cash};
use super::patient::Patient;
use super::{Effect, Level, Notice, Page, State, bill};
use crate::books::row::{SaleRow, SaleState};
use crate::record::{KEPT, OfflineTerms, Sale};

/// Most change a counter gives.
const CHANGE_FEN_MAX: i64 = 100_000;

/// Where the payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PayState {
    /// The agency is asked what it would settle (2101).
    Asking,
    /// Cash is counted.
    #[default]
    Editing,
    /// The journal is written.
    Committing,
    /// The agency settles.
    Sending,
}

/// The payment under way.
#[derive(Debug, Clone, Default)]
pub struct Pay {
    /// Where it stands.
    pub state: PayState,
    /// The sale as it will be committed.
    pub sale: Option<Box<Sale>>,
    /// Cash handed over, as typed.
    pub tendered: String,
    /// The patient agreed to pay what the fund does not look at.
    pub consent_given: bool,
    /// What the agency's rules find fault with, in its words.
    pub findings: Vec<String>,
    /// The sale as it would be carried past a limit of the pack, and that limit: a supervisor may allow it.
    pub past: Option<(Box<Sale>, String)>,
}

impl Pay {
    /// A commit or its answer is awaited: nothing else may begin.
    #[must_use]
    pub fn committing(&self) -> bool {
        matches!(self.state, PayState::Committing | PayState::Sending)
    }

    /// An answer is awaited that the page waits for.
    #[must_use]
    pub fn under_way(&self) -> bool {
        self.state != PayState::Editing
    }

    /// Cash the patient has to pay.
    #[must_use]
    pub fn cash_due(&self) -> Money {
        self.sale
            .as_ref()
            .map_or(Money::ZERO, |sale| sale.told.psn_cash_pay)
    }

    /// What was handed over, if it is an amount; nothing typed counts as the exact sum. So much change as nobody has in
    /// the drawer means that a code was scanned into the field.
    #[must_use]
    pub fn tendered_sum(&self) -> Option<Money> {
        if self.tendered.trim().is_empty() {
            return Some(self.cash_due());
        }
        Money::parse(self.tendered.trim())
            .ok()
            .filter(|sum| *sum >= Money::ZERO && sum.saturating_sub(self.cash_due()).fen() <= CHANGE_FEN_MAX)
    }

    /// What goes back, if enough was handed over.
    #[must_use]
    pub fn change(&self) -> Option<Money> {
        self.tendered_sum()?
            .checked_sub(self.cash_due())
            .filter(|rest| *rest >= Money::ZERO)
    }

    /// Names of the goods that the patient must agree to pay in full.
    #[must_use]
    pub fn consent(&self) -> &[String] {
        self.sale.as_ref().map_or(&[], |sale| &sale.consent)
    }
}

/// F9: to the money.
pub(super) fn begin(state: &mut State) -> Vec<Effect> {
    let Patient::Verified(verified) = &state.patient else {
        return state.fail("VERIFY_FIRST");
    };
    if verified.card_out {
        return state.fail("CARD_BACK_IN");
    }
    // A drug for a registered disease collected by another needs the patient's written authorisation (第二十三条).
    let agent = state.bill.agent.as_ref();
    if state.bill.disease.is_some() && agent.is_some_and(|agent| agent.authorisation.is_none()) {
        return state.fail("AGENT_NEEDS_AUTHORISATION");
    }
    let (Some(claim), Some(operator)) = (bill::claim(state), &state.operator) else {
        return state.fail("NOTHING_TO_PAY");
    };
    let settlement = match bill::settle(state, &claim, &KEPT) {
        Outcome::Refused(_) => {
            bill::resplit(state);
            return Vec::new();
        }
        Outcome::Settled(settlement) => settlement,
    };
    if let Some(excluded) = settlement.excluded.first() {
        let name = name_of(state, &excluded.feedetl_sn).unwrap_or_default();
        state.notice = Some(Notice::new(Level::Error, excluded.code.as_str()).about(name));
        return Vec::new();
    }
    let sale = Box::new(Sale {
        id: String::new(),
        msgid: String::new(),
        consent: if state.bill.self_pay.is_none() && asks_consent(state, &settlement, &claim) {
            outside_scope(state, &settlement)
        } else {
            Vec::new()
        },
        claim,
        told: settlement.setlinfo.clone(),
        settlement: *settlement,
        credential: verified.credential.clone(),
        psn_name: verified.name(),
        agent: state.bill.agent.clone(),
        operator: operator.id.clone(),
        offline: None,
        tendered: None,
        traces: bill::traces(&state.bill),
    });
    state.notice = None;
    state.pay = Pay {
        sale: Some(sale.clone()),
        ..Pay::default()
    };
    state.page = Page::Pay;
    if let Some(reason) = state.bill.self_pay.clone() {
        all_in_cash(state, reason);
        return Vec::new();
    }
    if let Some(outage) = state.outage.as_ref().map(|outage| outage.cause.clone()) {
        return without_agency(state, &outage);
    }
    state.pay.state = PayState::Asking;
    state.question = state.question.wrapping_add(1);
    vec![Effect::PreSettle {
        question: state.question,
        sale,
    }]
}

/// Not in an emergency, where the pack's regulation says so.
fn asks_consent(state: &State, settlement: &Settlement, claim: &Claim) -> bool {
    let pack = state.setup.packs.get(&settlement.pack.id);
    pack.is_none_or(|pack| pack.asks_consent(&claim.visit))
}

/// Goods wholly outside the fund's scope (自费): the patient agrees before they are billed (第二十五条（四）).
fn outside_scope(state: &State, settlement: &Settlement) -> Vec<String> {
    settlement
        .detlcutinfo
        .iter()
        .filter(|cut| cut.fulamt_ownpay_amt > Money::ZERO)
        .filter_map(|cut| name_of(state, &cut.feedetl_sn))
        .collect()
}

/// Name of the goods on a line of the claim.
fn name_of(state: &State, feedetl_sn: &str) -> Option<String> {
    let index = feedetl_sn.parse::<usize>().ok()?.checked_sub(1)?;
    Some(state.bill.lines.get(index)?.item.name.clone())
}

/// The findings stand on the page when the money is asked for: what to do about them is the counter's to decide.
pub(super) fn audited(state: &mut State, question: u32, findings: Vec<AuditFinding>) -> Vec<Effect> {
    if state.pay.state == PayState::Asking && question == state.question {
        let words = findings
            .into_iter()
            .map(|finding| format!("{} {}", finding.rule, finding.says));
        state
            .pay
            .findings
            .extend(words.map(|words| words.trim().to_owned()));
    }
    Vec::new()
}

pub(super) fn presettled(state: &mut State, question: u32, answer: Answer<SettledReply>) -> Vec<Effect> {
    if state.pay.state != PayState::Asking || question != state.question {
        return Vec::new();
    }
    state.pay.state = PayState::Editing;
    match answer {
        Answer::Done(reply) => {
            state.line_up();
            if let Some(sale) = state.pay.sale.as_mut() {
                let differ = sale.told != reply.setlinfo;
                sale.told = reply.setlinfo;
                if differ {
                    state.tell(Level::Warning, "AGENCY_FIGURES_DIFFER");
                }
            }
            if !state.pay.findings.is_empty() {
                let findings = state.pay.findings.join("；");
                state.notice = Some(Notice::new(Level::Warning, "AUDIT_FINDINGS").about(findings));
            }
            Vec::new()
        }
        Answer::Refused(refusal) => {
            state.line_up();
            state.page = Page::Counter;
            state.pay = Pay::default();
            state.notice = Some(Notice::new(Level::Error, "AGENCY_REFUSED").about(refusal.message));
            Vec::new()
        }
        // No waiting makes such a request fit, and the line is not at fault.
        Answer::NotSent(cause @ Cause::RequestInvalid { .. }) => {
            state.page = Page::Counter;
            state.pay = Pay::default();
            state.notice = Some(Notice::new(Level::Error, cause.code()).about(cause.to_string()));
            Vec::new()
        }
        Answer::NotSent(cause) | Answer::Unknown(cause) => {
            state.line_down(cause.code());
            without_agency(state, cause.code())
        }
    }
}

/// The agency does not answer: carry the fund's part within the pack's limits, or the patient pays all.
fn without_agency(state: &mut State, cause: &str) -> Vec<Effect> {
    state.line_down(cause);
    state.page = Page::Pay;
    let (Some(outage), Patient::Verified(verified), Some(sale)) =
        (&state.outage, &state.patient, state.pay.sale.as_mut())
    else {
        return Vec::new();
    };
    let (packs, now_ms) = (&state.setup.packs, state.now_ms);
    let exposure = &state.exposure;
    let mut past = sale.clone();
    match offer(packs, sale, &KEPT, verified.record_ms, exposure, outage, now_ms) {
        Ok(()) => state.notice = Some(Notice::new(Level::Warning, "SOLD_PROVISIONALLY")),
        Err((code, limit)) => {
            if carry_past(packs, &mut past, &KEPT, code, outage, now_ms) {
                state.pay.past = Some((past, format!("{code} {limit}")));
            }
            sale.settlement = settle_in_cash(&sale.settlement);
            let reason = outage.cause.clone();
            all_in_cash(state, reason);
            state.notice = Some(Notice::new(Level::Warning, code).about(limit));
        }
    }
    Vec::new()
}

/// A supervisor is asked to let the fund's part be carried past the limit.
pub(super) fn ask_past_limit(state: &mut State) -> Vec<Effect> {
    match &state.pay.past {
        Some((_, limit)) if state.page == Page::Pay && !state.pay.under_way() => {
            let deed = Deed::PastLimit(limit.clone());
            approval::ask(state, deed)
        }
        _ => Vec::new(),
    }
}

/// The supervisor did: the sale is carried, provisional as any other.
pub(super) fn past_limit(state: &mut State) -> Vec<Effect> {
    if state.page != Page::Pay || state.pay.under_way() {
        return state.fail("LIMIT_NO_LONGER");
    }
    let Some((sale, _)) = state.pay.past.take() else {
        return state.fail("LIMIT_NO_LONGER");
    };
    state.pay = Pay {
        sale: Some(sale),
        ..Pay::default()
    };
    state.tell(Level::Warning, "SOLD_PROVISIONALLY");
    Vec::new()
}

/// The sale ends here: the patient pays all of it and may claim it later.
fn all_in_cash(state: &mut State, reason: String) {
    let since_ms = state
        .outage
        .as_ref()
        .map_or(state.now_ms, |outage| outage.since_ms);
    if let Some(sale) = state.pay.sale.as_mut() {
        let pack = &sale.settlement.pack;
        sale.told = sale.settlement.setlinfo.clone();
        sale.offline = Some(OfflineTerms {
            reason,
            since_ms,
            carried: false,
            settle_by_ms: i64::MAX,
            pack: format!("{}@{}", pack.id, pack.version),
        });
    }
}

pub(super) fn tendered(state: &mut State, text: String) -> Vec<Effect> {
    if state.pay.state == PayState::Editing {
        state.pay.tendered = text;
    }
    Vec::new()
}

/// Commits the sale.
pub(super) fn confirm(state: &mut State) -> Vec<Effect> {
    if state.page != Page::Pay || state.pay.state != PayState::Editing {
        return Vec::new();
    }
    if matches!(&state.patient, Patient::Verified(verified) if verified.card_out) {
        return state.fail("CARD_BACK_IN");
    }
    if !state.pay.consent().is_empty() && !state.pay.consent_given {
        return state.fail("CONSENT_NEEDED");
    }
    if state.pay.tendered_sum().is_none() {
        return state.fail("AMOUNT_WRONG");
    }
    if state.pay.change().is_none() {
        return state.fail("CASH_SHORT");
    }
    let tendered = state.pay.tendered_sum();
    let Some(sale) = state.pay.sale.as_mut() else {
        return Vec::new();
    };
    sale.tendered = tendered;
    state.pay.state = PayState::Committing;
    let send = sale.offline.is_none();
    vec![Effect::Commit {
        sale: sale.clone(),
        send,
    }]
}

pub(super) fn committed(state: &mut State, row: SaleRow) -> Vec<Effect> {
    if state.pay.state != PayState::Committing {
        return Vec::new();
    }
    if row.state == SaleState::Sending {
        state.pay.state = PayState::Sending;
        if let Some(sale) = state.pay.sale.as_mut() {
            sale.id = row.sale.id.clone();
        }
        return Vec::new();
    }
    finish(state, row)
}

/// Shows and prints what became of the sale.
fn finish(state: &mut State, row: SaleRow) -> Vec<Effect> {
    state.pay.state = PayState::Editing;
    state.page = Page::Receipt;
    state.receipt = Some(row.clone());
    vec![Effect::Print(Box::new(row))]
}

pub(super) fn commit_failed(state: &mut State, code: &str) -> Vec<Effect> {
    if state.pay.state != PayState::Committing {
        return Vec::new();
    }
    state.pay.state = PayState::Editing;
    state.fail(code)
}

/// A sale got another state: the one being paid, the one on the receipt page, or one of the queue.
pub(super) fn moved(state: &mut State, row: SaleRow) -> Vec<Effect> {
    if let Some(shown) = state
        .receipt
        .as_mut()
        .filter(|shown| shown.sale.id == row.sale.id)
    {
        // Printer and sync tell from threads of their own: what comes late does not take a sale back.
        if row.history.len() >= shown.history.len() {
            *shown = row;
        }
        return Vec::new();
    }
    let paid = state.pay.sale.as_ref().is_some_and(|sale| sale.id == row.sale.id);
    if state.pay.state != PayState::Sending || !paid {
        return Vec::new();
    }
    match row.state {
        SaleState::Sending => Vec::new(),
        SaleState::Refused => {
            state.pay = Pay::default();
            state.page = Page::Counter;
            let (code, text) = row.course.cause.unwrap_or_default();
            state.notice = Some(Notice::new(Level::Error, &code).about(text));
            Vec::new()
        }
        SaleState::Unknown => {
            state.tell(Level::Warning, "OUTCOME_UNKNOWN");
            let notice = state.notice.clone();
            let effects = finish(state, row);
            state.notice = notice;
            effects
        }
        _ => finish(state, row),
    }
}

/// One step back.
pub(super) fn back(state: &mut State) -> Vec<Effect> {
    match state.page {
        Page::Pay if !state.pay.committing() => {
            state.pay = Pay::default();
            state.page = Page::Counter;
            state.notice = None;
        }
        Page::Queue | Page::About | Page::Sales | Page::Day | Page::Journal | Page::Devices
            if state.sells() =>
        {
            state.page = if state.receipt.is_some() {
                Page::Receipt
            } else if state.pay.committing() {
                Page::Pay
            } else {
                Page::Counter
            };
        }
        Page::Receipt => state.next_patient(),
        _ => {}
    }
    Vec::new()
}
