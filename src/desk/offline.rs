//! What may be sold without the agency: the limits of the signed rule pack, like a payment card's floor limit.

use std::collections::HashMap;

use jiff::civil::Date;
use yijie_rules::{
    AccountsAfter, Claim, Code, Grade, Lang, LineCut, Money, Note, OfflineLimits, OfflineMode, Options,
    Outcome, Pack, PackRef, Packs, Ratio, SetlInfo, Settlement, StepKind, TraceStep, split,
};

use super::Outage;
use crate::books::row::SaleRow;
use crate::record::{OfflineTerms, Sale};

const HOUR_MS: i64 = 3_600_000;

/// What is not settled on the spot is paid by the patient and claimed later.
const ADVANCE_ARTICLE: &str = "昆政办〔2022〕15号 第二十六条";

/// Stands for the pack and the benefit of a bill that no pack has a say in.
pub const SELF_PAY: &str = "self-pay";

/// Fund money promised by sales that wait, in all and per person.
#[derive(Debug, Clone, Default)]
pub struct Exposure {
    outage: Money,
    persons: HashMap<String, Money>,
}

impl Exposure {
    /// Of the sales that wait.
    #[must_use]
    pub fn of(queue: &[SaleRow]) -> Exposure {
        let mut exposure = Exposure::default();
        for row in queue
            .iter()
            .filter(|row| row.sale.offline.as_ref().is_some_and(|terms| terms.carried))
        {
            exposure.add(
                &row.sale.claim.person.psn_no,
                row.sale.settlement.setlinfo.fund_pay_sumamt,
            );
        }
        exposure
    }

    /// Of sums that are known: in all, and of these persons.
    #[must_use]
    pub fn known(outage: Money, persons: impl IntoIterator<Item = (String, Money)>) -> Exposure {
        Exposure {
            outage,
            persons: persons.into_iter().collect(),
        }
    }

    /// One more sale waits.
    pub fn add(&mut self, psn_no: &str, fund: Money) {
        self.outage = self.outage.saturating_add(fund);
        let person = self.persons.entry(psn_no.to_owned()).or_default();
        *person = person.saturating_add(fund);
    }

    fn person(&self, psn_no: &str) -> Money {
        self.persons.get(psn_no).copied().unwrap_or_default()
    }
}

/// Whether a sale may carry the fund's part without the agency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may, under these terms.
    Carry(OfflineTerms),
    /// The patient pays in full and claims later; the stable code of the limit that says so, and its figure.
    SelfPay(&'static str, String),
}

/// Judges one sale; `snapshot_ms` is when the agency's record of the person was taken.
#[must_use]
pub fn judge(
    packs: &Packs,
    sale: &Sale,
    snapshot_ms: i64,
    exposure: &Exposure,
    outage: &Outage,
    now_ms: i64,
) -> Verdict {
    let pack = &sale.settlement.pack;
    let limits = packs
        .get(&pack.id)
        .map_or(OfflineLimits::SELF_PAY, |pack| pack.offline().clone());
    let psn_no = &sale.claim.person.psn_no;
    let balance = sale
        .claim
        .accounts
        .own
        .as_ref()
        .map(|own| own.balc)
        .unwrap_or_default();
    if sale
        .settlement
        .notes
        .iter()
        .any(|note| note.code == Code::AdvancePayment)
    {
        return Verdict::SelfPay(Code::AdvancePayment.as_str(), String::new());
    }
    if limits.mode == OfflineMode::SelfPay {
        return Verdict::SelfPay("OFFLINE_NOT_CARRIED", String::new());
    }
    if now_ms.saturating_sub(snapshot_ms) > i64::from(limits.snapshot_age_h_max) * HOUR_MS {
        return Verdict::SelfPay("OFFLINE_SNAPSHOT_OLD", format!("{} h", limits.snapshot_age_h_max));
    }
    let sums = &sale.settlement.setlinfo;
    let fund = sums.fund_pay_sumamt;
    let over = |used: Money, max: Money| used.saturating_add(fund) > max;
    if over(Money::ZERO, limits.fund_per_sale_max) {
        return Verdict::SelfPay("OFFLINE_LIMIT_SALE", limits.fund_per_sale_max.to_string());
    }
    if over(exposure.person(psn_no), limits.fund_per_person_max) {
        return Verdict::SelfPay("OFFLINE_LIMIT_PERSON", limits.fund_per_person_max.to_string());
    }
    if over(exposure.outage, limits.fund_per_outage_max) {
        return Verdict::SelfPay("OFFLINE_LIMIT_OUTAGE", limits.fund_per_outage_max.to_string());
    }
    if balance
        .share(limits.account_share)
        .is_none_or(|share| sums.acct_pay > share)
    {
        return Verdict::SelfPay("OFFLINE_LIMIT_ACCOUNT", limits.account_share.to_string());
    }
    Verdict::Carry(terms(&limits, sale, outage, now_ms))
}

/// What the packs of this area allow without the agency for somebody who showed only a code that nobody here can decode:
/// the stable code of it, and the limits within which the same person would be served by card.
#[must_use]
pub fn for_one_unknown(packs: &Packs, area: &str, today: Date) -> (&'static str, String) {
    let in_force = |pack: &&Pack| pack.from() <= today && pack.until().is_none_or(|until| today <= until);
    let limits = packs
        .iter()
        .filter(|pack| pack.area() == area && pack.offline().mode == OfflineMode::Carry)
        .filter(in_force)
        .map(|pack| {
            let limits = pack.offline();
            format!(
                "{} ≤ {} · {} h",
                pack.id(),
                limits.fund_per_sale_max,
                limits.snapshot_age_h_max
            )
        })
        .collect::<Vec<_>>();
    if limits.is_empty() {
        ("CODE_OFFLINE_SELF_PAY", String::new())
    } else {
        ("CODE_NEEDS_NETWORK", limits.join(", "))
    }
}

fn terms(limits: &OfflineLimits, sale: &Sale, outage: &Outage, now_ms: i64) -> OfflineTerms {
    let pack = &sale.settlement.pack;
    OfflineTerms {
        reason: outage.cause.clone(),
        since_ms: outage.since_ms,
        carried: true,
        settle_by_ms: now_ms + i64::from(limits.settle_within_h) * HOUR_MS,
        pack: format!("{}@{}", pack.id, pack.version),
    }
}

/// Makes a sale fit to be carried past the limit that `offer` named, where a supervisor may allow that: a sum is too
/// large. Nobody may where the pack carries nothing, the person is suspended, or their record is too old.
#[must_use]
pub fn carry_past(
    packs: &Packs,
    sale: &mut Sale,
    options: &Options,
    code: &str,
    outage: &Outage,
    now_ms: i64,
) -> bool {
    let sums = [
        "OFFLINE_LIMIT_SALE",
        "OFFLINE_LIMIT_PERSON",
        "OFFLINE_LIMIT_OUTAGE",
    ];
    if !sums.contains(&code) {
        return false;
    }
    within_account(packs, sale, options);
    let limits = packs.get(&sale.settlement.pack.id);
    sale.offline = limits.map(|pack| terms(pack.offline(), sale, outage, now_ms));
    sale.offline.is_some()
}

/// No more from an account than the pack's share of its last known balance.
fn within_account(packs: &Packs, sale: &mut Sale, options: &Options) {
    if let Outcome::Settled(settlement) = split(packs, &within_account_share(packs, &sale.claim), options) {
        sale.told = settlement.setlinfo.clone();
        sale.settlement = *settlement;
    }
}

/// Makes a sale fit to be made without the agency: no more from an account than the pack's share of its last known
/// balance, and under the terms of the verdict.
///
/// # Errors
/// The stable code of the limit that forbids it, and its figure; the sale is as before.
pub fn offer(
    packs: &Packs,
    sale: &mut Sale,
    options: &Options,
    snapshot_ms: i64,
    exposure: &Exposure,
    outage: &Outage,
    now_ms: i64,
) -> Result<(), (&'static str, String)> {
    let mut offered = sale.clone();
    within_account(packs, &mut offered, options);
    match judge(packs, &offered, snapshot_ms, exposure, outage, now_ms) {
        Verdict::Carry(terms) => {
            offered.offline = Some(terms);
            *sale = offered;
            Ok(())
        }
        Verdict::SelfPay(code, limit) => Err((code, limit)),
    }
}

fn within_account_share(packs: &Packs, claim: &Claim) -> Claim {
    let share = packs
        .choose(claim)
        .map_or(Ratio::ZERO, |pack| pack.offline().account_share);
    let mut claim = claim.clone();
    let own = claim.accounts.own.iter_mut().map(|own| &mut own.balc);
    for balc in own.chain(claim.accounts.family.iter_mut().map(|family| &mut family.balc)) {
        *balc = balc.share(share).unwrap_or_default();
    }
    claim
}

/// The same bill with every fund and account at zero: the patient pays all and claims later
/// (红政规〔2022〕2号 第二十二条; 昆政办〔2022〕15号 第二十六条).
#[must_use]
pub fn settle_in_cash(settlement: &Settlement) -> Settlement {
    let whole = settlement.setlinfo.medfee_sumamt;
    let before = &settlement.setlinfo;
    let mut cash = settlement.clone();
    cash.setlinfo = SetlInfo {
        medfee_sumamt: whole,
        fulamt_ownpay_amt: before.fulamt_ownpay_amt,
        overlmt_selfpay: before.overlmt_selfpay,
        preselfpay_amt: before.preselfpay_amt,
        inscp_scp_amt: before.inscp_scp_amt,
        psn_part_amt: whole,
        psn_cash_pay: whole,
        balc: before.balc.saturating_add(before.acct_pay),
        ..SetlInfo::default()
    };
    cash.setldetail.clear();
    cash.accumulated_after.clear();
    cash.accounts_after = AccountsAfter::default();
    cash.trace.retain(|step| {
        matches!(
            step.step,
            StepKind::FullOwnPay | StepKind::OverLimit | StepKind::FirstSelfPay
        )
    });
    if !cash.notes.iter().any(|note| note.code == Code::AdvancePayment) {
        cash.notes.push(Note {
            code: Code::AdvancePayment,
            article: ADVANCE_ARTICLE.into(),
        });
    }
    cash
}

/// A bill no pack has a say in: the customer pays all of it. Who is insured after all may claim it later.
#[must_use]
pub fn paid_in_full(claim: &Claim, lang: Lang) -> Settlement {
    let sums = claim.lines.iter().filter_map(|line| line.det_item_fee_sumamt);
    let whole = sums.fold(Money::ZERO, Money::saturating_add);
    let cut = |line: &yijie_rules::Line| LineCut {
        feedetl_sn: line.feedetl_sn.clone(),
        fulamt_ownpay_amt: line.det_item_fee_sumamt.unwrap_or_default(),
        overlmt_amt: Money::ZERO,
        preselfpay_amt: Money::ZERO,
        inscp_scp_amt: Money::ZERO,
    };
    Settlement {
        pack: PackRef {
            id: SELF_PAY.into(),
            version: "".into(),
        },
        benefit: SELF_PAY.into(),
        setlinfo: SetlInfo {
            medfee_sumamt: whole,
            fulamt_ownpay_amt: whole,
            psn_part_amt: whole,
            psn_cash_pay: whole,
            ..SetlInfo::default()
        },
        setldetail: Vec::new(),
        detlcutinfo: claim.lines.iter().map(cut).collect(),
        accumulated_after: Vec::new(),
        accounts_after: AccountsAfter::default(),
        excluded: Vec::new(),
        notes: Vec::new(),
        grade: Grade::Regulation,
        trace: vec![TraceStep {
            step: StepKind::Cash,
            article: ADVANCE_ARTICLE.into(),
            says: lang
                .pick(
                    "未经医保结算，全部由本人支付",
                    "not settled by insurance, paid in full by the customer",
                )
                .to_owned(),
            amount: whole,
        }],
    }
}
