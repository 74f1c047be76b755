//! What counts in a period: the sums of 3201, the settlements one by one of 3202, and months whose accounts are closed.

use jiff::civil::Date;
use yijie_rules::Money;

use super::{Book, Row, Sent, Sign, Stands};
use crate::{
    messages::{statement::StatementData, statement_detail::StatementRow},
    sandbox::ledger::Settled,
};

/// Whose settlements of which days; an empty category or agency takes all.
pub(crate) struct Period<'a> {
    pub(crate) fixmedins_code: &'a str,
    pub(crate) clr_type: &'a str,
    pub(crate) clr_optins: &'a str,
    pub(crate) begndate: &'a str,
    pub(crate) enddate: &'a str,
}

/// A settlement or refund that counts, the refund with its amounts negative.
pub(crate) struct Held {
    pub(crate) row: StatementRow,
    /// What it was sent under.
    pub(crate) msgid: String,
    pub(crate) cash: Money,
    pub(crate) in_scope: Money,
}

impl Book {
    /// The sums of 3201, refunds subtracted, and how many settlements less refunds, never below none.
    pub(crate) fn totals(&self, fixmedins_code: &str, asked: &StatementData) -> Option<([Money; 3], i64)> {
        let (first, last): (Date, Date) = (
            asked.stmt_begndate.parse().ok()?,
            asked.stmt_enddate.parse().ok()?,
        );
        let within = |day: Option<Date>| day.is_some_and(|day| first <= day && day <= last);
        let mut sums = [Money::ZERO; 3];
        let mut count = 0;
        for Row { settled, stands } in &self.rows {
            let asked_for = settled.fixmedins_code == fixmedins_code
                && settled.insutype == asked.insutype
                && settled.clr_type == asked.clr_type
                && settled.clr_optins == asked.setl_optins;
            if !asked_for || *stands == Stands::Reversed {
                continue;
            }
            let info = &settled.setlinfo;
            let amounts = [info.medfee_sumamt, info.fund_pay_sumamt, info.acct_pay];
            let mut book = |sign: Sign, step: i64| {
                for (sum, amount) in sums.iter_mut().zip(amounts) {
                    *sum = sign.of(*sum, amount);
                }
                count += step;
            };
            if within(settled.day()) {
                book(Sign::Plus, 1);
            }
            if let Stands::Cancelled(day) = stands
                && within(*day)
            {
                book(Sign::Minus, -1);
            }
        }
        Some((sums, count.max(0)))
    }

    /// The settlements and refunds that count in a period, one by one.
    pub(crate) fn detail(&self, period: &Period<'_>) -> Option<Vec<Held>> {
        let (first, last): (Date, Date) = (period.begndate.parse().ok()?, period.enddate.parse().ok()?);
        let within = |day: Option<Date>| day.is_some_and(|day| first <= day && day <= last);
        let either = |asked: &str, held: &str| asked.is_empty() || asked == held;
        let mut rows = Vec::new();
        for (at, Row { settled, stands }) in self.rows.iter().enumerate() {
            let asked_for = settled.fixmedins_code == period.fixmedins_code
                && either(period.clr_type, &settled.clr_type)
                && either(period.clr_optins, &settled.clr_optins);
            if !asked_for || *stands == Stands::Reversed {
                continue;
            }
            let info = &settled.setlinfo;
            let held = |sign: Sign, msgid: String| Held {
                row: StatementRow {
                    setl_id: settled.setl_id.clone(),
                    mdtrt_id: settled.mdtrt_id.clone(),
                    psn_no: settled.psn_no.clone(),
                    medfee_sumamt: sign.of(Money::ZERO, info.medfee_sumamt),
                    fund_pay_sumamt: sign.of(Money::ZERO, info.fund_pay_sumamt),
                    acct_pay: sign.of(Money::ZERO, info.acct_pay),
                    refund: matches!(sign, Sign::Minus),
                },
                msgid,
                cash: sign.of(Money::ZERO, info.psn_cash_pay),
                in_scope: sign.of(Money::ZERO, info.inscp_scp_amt),
            };
            if within(settled.day()) {
                rows.push(held(Sign::Plus, settled.msgid.clone()));
            }
            if let Stands::Cancelled(day) = stands
                && within(*day)
            {
                rows.push(held(Sign::Minus, self.msgid_of_cancellation(at)));
            }
        }
        Some(rows)
    }

    fn msgid_of_cancellation(&self, of: usize) -> String {
        let found = self
            .by_msgid
            .iter()
            .find(|(_, sent)| matches!(sent, Sent::Cancellation(at) if *at == of));
        found.map(|(msgid, _)| msgid.clone()).unwrap_or_default()
    }

    /// The msgid a settlement was sent under.
    pub(crate) fn msgid_of(&self, setl_id: &str) -> Option<String> {
        let row = self.rows.get(*self.by_setl_id.get(setl_id)?)?;
        Some(row.settled.msgid.clone())
    }

    /// The number of the application for clearing a month, if there is one.
    pub(crate) fn cleared(&self, fixmedins_code: &str, clr_type: &str, setlym: &str) -> Option<&str> {
        let asked = [fixmedins_code, clr_type, setlym];
        let found = self.clearings.iter().find(|(_, of)| of.iter().eq(asked));
        found.map(|(number, _)| number.as_str())
    }

    /// Whether this institution has an application of this number.
    pub(crate) fn has_application(&self, fixmedins_code: &str, number: &str) -> bool {
        let of = self.clearings.get(number);
        of.is_some_and(|[institution, ..]| institution == fixmedins_code)
    }

    /// Whether a settlement belongs to a month whose accounts are closed.
    pub(crate) fn is_cleared(&self, settled: &Settled) -> bool {
        let month: String = settled
            .setl_time
            .chars()
            .filter(char::is_ascii_digit)
            .take(6)
            .collect();
        self.cleared(&settled.fixmedins_code, &settled.clr_type, &month)
            .is_some()
    }
}
