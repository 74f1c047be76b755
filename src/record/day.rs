//! What a day close found and did.

use serde::{Deserialize, Serialize};
use yijie_rules::Money;

/// One row of the agency's detail that disagreed, and what was done.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Mended {
    /// Message id of the settlement.
    pub msgid: String,
    /// stmt_rslt of the row.
    pub result: String,
    /// What was done: stable word.
    pub action: String,
    /// Who confirmed it; blank for what needs nobody.
    pub operator: String,
    /// Stable code of why it could not be done; blank if it was.
    pub failed: String,
}

/// Another till's part of a total, as the agency's detail (3202) shows it.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Share {
    /// Number of the till.
    pub till: u8,
    /// Settlements less reversals.
    pub count: i64,
    /// medfee_sumamt.
    pub medfee: Money,
    /// fund_pay_sumamt.
    pub fund: Money,
    /// acct_pay.
    pub account: Money,
}

/// One total of a day close (3201).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClosedTotal {
    /// insutype.
    pub insutype: String,
    /// clr_type.
    pub clr_type: String,
    /// clr_optins.
    pub clr_optins: String,
    /// Settlements less reversals.
    pub count: i64,
    /// medfee_sumamt.
    pub medfee: Money,
    /// fund_pay_sumamt.
    pub fund: Money,
    /// acct_pay.
    pub account: Money,
    /// stmt_rslt, or the code of why there is none.
    pub result: String,
    /// True if the agency's totals agree.
    pub balanced: bool,
    /// What other tills of the institution have in the agency's total; the figures above are this till's own.
    #[serde(default)]
    pub others: Vec<Share>,
}

impl ClosedTotal {
    /// Nothing yet, of this insutype, clr_type and clr_optins.
    #[must_use]
    pub fn nothing((insutype, clr_type, clr_optins): (String, String, String)) -> ClosedTotal {
        ClosedTotal {
            insutype,
            clr_type,
            clr_optins,
            count: 0,
            medfee: Money::ZERO,
            fund: Money::ZERO,
            account: Money::ZERO,
            result: String::new(),
            balanced: false,
            others: Vec::new(),
        }
    }
}
