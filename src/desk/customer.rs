//! What the customer is shown: the sums of the sale under way, on a display of eight digits and in a window of its own.

use yijie_hardware::{Lamp, OnDisplay};
use yijie_rules::{Money, Outcome, SetlInfo};

use super::State;
use super::patient::Patient;

/// How long one amount stands on a display that shows one at a time.
const TURN_MS: i64 = 2_000;
/// What a test shows: every segment of it.
const TEST: &str = "888888.88";

/// The sums a customer is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sums {
    /// 合计.
    pub total: Money,
    /// What fund and accounts pay; absent while that is not known.
    pub insurance: Option<Money>,
    /// What remains to be paid in cash.
    pub due: Money,
}

/// Where the customer's sale stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serving {
    /// Nobody is being served.
    Nobody,
    /// The bill is being made up.
    Bill(Sums),
    /// The money is being taken; what was handed over and what goes back, once that is typed.
    Paying(Sums, Option<(Money, Money)>),
    /// Sold; what was handed over and what goes back.
    Paid(Sums, Option<(Money, Money)>),
}

/// Where the sale at this desk stands for its customer.
#[must_use]
pub fn serving(state: &State) -> Serving {
    if state.operator.is_none() {
        return Serving::Nobody;
    }
    if let Some(row) = &state.receipt {
        let cash = row.sale.tendered.zip(row.change());
        return Serving::Paid(sums(row.sums()), cash);
    }
    if let Some(sale) = &state.pay.sale {
        let typed = !state.pay.tendered.trim().is_empty();
        let cash = state.pay.tendered_sum().zip(state.pay.change());
        return Serving::Paying(sums(&sale.told), cash.filter(|_| typed));
    }
    if state.bill.lines.is_empty() {
        return Serving::Nobody;
    }
    match state.bill.outcome.as_ref().and_then(Outcome::settled) {
        Some(settlement) => Serving::Bill(sums(&settlement.setlinfo)),
        None => {
            let total = state.bill.total();
            Serving::Bill(Sums {
                total,
                insurance: None,
                due: total,
            })
        }
    }
}

fn sums(told: &SetlInfo) -> Sums {
    let insurance = told
        .fund_pay_sumamt
        .saturating_add(told.acct_pay)
        .saturating_add(told.acct_mulaid_pay);
    Sums {
        total: told.medfee_sumamt,
        insurance: Some(insurance),
        due: told.psn_cash_pay,
    }
}

/// Name of who is served, as it is known; a window shows it masked.
#[must_use]
pub fn name(state: &State) -> Option<String> {
    if let Some(row) = &state.receipt {
        return row.sale.psn_name.clone();
    }
    match &state.patient {
        Patient::Verified(verified) => verified.name(),
        _ => None,
    }
}

/// What eight digits can say of it: the total while the bill grows; total, insurance and what is to be paid in turn
/// while the money is taken; then the change.
#[must_use]
pub fn on_display(state: &State) -> OnDisplay {
    if state.now_ms < state.devices.display_test_until_ms {
        return OnDisplay::Amount(Lamp::Total, TEST.to_owned());
    }
    let (lamp, sum) = match serving(state) {
        Serving::Nobody => return OnDisplay::Nothing,
        Serving::Bill(sums) => (Lamp::Total, sums.total),
        Serving::Paying(_, Some((_, change))) | Serving::Paid(_, Some((_, change))) => (Lamp::Change, change),
        Serving::Paying(sums, None) => match state.now_ms.div_euclid(TURN_MS).rem_euclid(4) {
            0 => (Lamp::Total, sums.total),
            1 => (Lamp::Dark, sums.insurance.unwrap_or(Money::ZERO)),
            _ => (Lamp::Received, sums.due),
        },
        Serving::Paid(sums, None) => (Lamp::Received, sums.due),
    };
    OnDisplay::Amount(lamp, sum.to_string())
}

/// The figures are this till's own: the agency has not confirmed them.
#[must_use]
pub fn provisional(state: &State) -> bool {
    match (&state.receipt, &state.pay.sale) {
        (Some(row), _) => !row.state.is_final(),
        (None, Some(sale)) => sale.offline.as_ref().is_some_and(|terms| terms.carried),
        (None, None) => state.outage.is_some() && state.bill.self_pay.is_none(),
    }
}
