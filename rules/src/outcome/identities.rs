//! What must hold of every settlement: nothing below zero, the whole by what it is for and by who pays it.

use thiserror::Error;

use super::{SetlInfo, Settlement};
use crate::money::Money;

/// A sum that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum IdentityError {
    /// An amount below zero.
    #[error("{field} is below zero")]
    Negative {
        /// The field.
        field: &'static str,
    },
    /// A sum whose parts do not add up.
    #[error("{field} is not the sum of its parts")]
    Sum {
        /// The field.
        field: &'static str,
    },
}

impl IdentityError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            IdentityError::Negative { .. } => "AMOUNT_NEGATIVE",
            IdentityError::Sum { .. } => "SUM_BROKEN",
        }
    }
}

impl SetlInfo {
    /// Checks every identity of the sums: nothing below zero, the total by what it is for, and by who pays it.
    pub fn check(&self) -> Result<(), IdentityError> {
        for (field, amount) in self.amounts() {
            if amount.is_negative() {
                return Err(IdentityError::Negative { field });
            }
        }
        let holds = |field: &'static str, whole: Money, parts: &[Money]| {
            let sum = Money::sum(parts.iter().copied());
            if sum == Some(whole) {
                Ok(())
            } else {
                Err(IdentityError::Sum { field })
            }
        };
        let scope = [
            self.fulamt_ownpay_amt,
            self.overlmt_selfpay,
            self.preselfpay_amt,
            self.inscp_scp_amt,
        ];
        holds("medfee_sumamt", self.medfee_sumamt, &scope)?;
        let funds = [
            self.hifp_pay,
            self.cvlserv_pay,
            self.hifes_pay,
            self.hifmi_pay,
            self.hifob_pay,
            self.maf_pay,
            self.hifdm_pay,
            self.oth_pay,
        ];
        holds("fund_pay_sumamt", self.fund_pay_sumamt, &funds)?;
        holds(
            "psn_part_amt",
            self.psn_part_amt,
            &[self.acct_pay, self.acct_mulaid_pay, self.psn_cash_pay],
        )?;
        holds(
            "medfee_sumamt",
            self.medfee_sumamt,
            &[self.fund_pay_sumamt, self.psn_part_amt, self.hosp_part_amt],
        )
    }

    /// Every amount with its field name, in the order of the contract.
    pub fn amounts(&self) -> [(&'static str, Money); 21] {
        [
            ("medfee_sumamt", self.medfee_sumamt),
            ("fulamt_ownpay_amt", self.fulamt_ownpay_amt),
            ("overlmt_selfpay", self.overlmt_selfpay),
            ("preselfpay_amt", self.preselfpay_amt),
            ("inscp_scp_amt", self.inscp_scp_amt),
            ("act_pay_dedc", self.act_pay_dedc),
            ("hifp_pay", self.hifp_pay),
            ("cvlserv_pay", self.cvlserv_pay),
            ("hifes_pay", self.hifes_pay),
            ("hifmi_pay", self.hifmi_pay),
            ("hifob_pay", self.hifob_pay),
            ("maf_pay", self.maf_pay),
            ("hifdm_pay", self.hifdm_pay),
            ("oth_pay", self.oth_pay),
            ("fund_pay_sumamt", self.fund_pay_sumamt),
            ("psn_part_amt", self.psn_part_amt),
            ("acct_pay", self.acct_pay),
            ("acct_mulaid_pay", self.acct_mulaid_pay),
            ("psn_cash_pay", self.psn_cash_pay),
            ("hosp_part_amt", self.hosp_part_amt),
            ("balc", self.balc),
        ]
    }
}

impl Settlement {
    /// Checks every identity: the sums, the funds against their rows, the lines against the sums.
    pub fn check(&self) -> Result<(), IdentityError> {
        self.setlinfo.check()?;
        let funds = Money::sum(self.setldetail.iter().map(|row| row.fund_payamt));
        if funds != Some(self.setlinfo.fund_pay_sumamt) {
            return Err(IdentityError::Sum {
                field: "setldetail.fund_payamt",
            });
        }
        let sums = &self.setlinfo;
        let columns = [
            ("detlcutinfo.fulamt_ownpay_amt", sums.fulamt_ownpay_amt),
            ("detlcutinfo.overlmt_amt", sums.overlmt_selfpay),
            ("detlcutinfo.preselfpay_amt", sums.preselfpay_amt),
            ("detlcutinfo.inscp_scp_amt", sums.inscp_scp_amt),
        ];
        let mut left = columns.map(|(_, sum)| sum.fen());
        for cut in &self.detlcutinfo {
            let parts = [
                cut.fulamt_ownpay_amt,
                cut.overlmt_amt,
                cut.preselfpay_amt,
                cut.inscp_scp_amt,
            ];
            for ((left, part), (field, _)) in left.iter_mut().zip(parts).zip(columns) {
                if part.is_negative() {
                    return Err(IdentityError::Negative { field });
                }
                *left = left.checked_sub(part.fen()).ok_or(IdentityError::Sum { field })?;
            }
        }
        match columns.iter().zip(left).find(|(_, left)| *left != 0) {
            Some(((field, _), _)) => Err(IdentityError::Sum { field }),
            None => Ok(()),
        }
    }
}
