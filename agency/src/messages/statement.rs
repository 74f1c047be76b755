//! 3201 statement of totals (对总账): do both sides hold the same sums for a day?

use serde::{Deserialize, Serialize};
use yijie_rules::Money;

use super::form::whole;
use crate::{
    fields::{Checked, FieldFault, day, in_order, number, open, required},
    output::Output,
    profile::StatementStyle,
};

/// The terminal's sums of one insurance type, settlement category and settling agency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementTotals {
    /// Insurance type.
    pub insutype: String,
    /// Settlement category (清算类别).
    pub clr_type: String,
    /// Settling agency: clr_optins of the settlements.
    pub setl_optins: String,
    /// First day, yyyy-MM-dd.
    pub begndate: String,
    /// Last day, yyyy-MM-dd.
    pub enddate: String,
    /// Total fees, refunds subtracted.
    pub medfee_sumamt: Money,
    /// Fund payments, refunds subtracted.
    pub fund_pay_sumamt: Money,
    /// Personal account payments, refunds subtracted.
    pub acct_pay: Money,
    /// Settlements less refunds.
    pub setl_count: u32,
}

/// The agency's finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementResult {
    /// What it comes to.
    pub verdict: StatementVerdict,
    /// stmt_rslt as the agency wrote it.
    pub stmt_rslt: String,
    /// The agency's remark.
    pub stmt_rslt_dscr: String,
}

/// stmt_rslt, understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementVerdict {
    /// Both sides agree (000000 in most provinces; the profile has the codes).
    Balanced,
    /// The agency holds more (000101).
    AgencyMore,
    /// The terminal holds more (000102).
    TerminalMore,
    /// The amounts differ (000103).
    Differs,
    /// A code of the province's own: not balanced, as far as anyone can tell.
    Other,
}

impl StatementVerdict {
    pub(crate) fn of(stmt_rslt: &str, style: &StatementStyle) -> StatementVerdict {
        let verdicts = [
            (&style.balanced, StatementVerdict::Balanced),
            (&style.agency_more, StatementVerdict::AgencyMore),
            (&style.terminal_more, StatementVerdict::TerminalMore),
            (&style.differs, StatementVerdict::Differs),
        ];
        let found = verdicts
            .iter()
            .find(|(codes, _)| codes.iter().any(|code| code == stmt_rslt));
        found.map_or(StatementVerdict::Other, |(_, verdict)| *verdict)
    }
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct StatementInput {
    pub(crate) data: StatementData,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct StatementData {
    pub(crate) insutype: String,
    pub(crate) clr_type: String,
    pub(crate) setl_optins: String,
    pub(crate) stmt_begndate: String,
    pub(crate) stmt_enddate: String,
    pub(crate) medfee_sumamt: String,
    pub(crate) fund_pay_sumamt: String,
    pub(crate) acct_pay: String,
    pub(crate) fixmedins_setl_cnt: String,
}

impl From<&StatementTotals> for StatementInput {
    fn from(totals: &StatementTotals) -> Self {
        StatementInput {
            data: StatementData {
                insutype: totals.insutype.clone(),
                clr_type: totals.clr_type.clone(),
                setl_optins: totals.setl_optins.clone(),
                stmt_begndate: totals.begndate.clone(),
                stmt_enddate: totals.enddate.clone(),
                medfee_sumamt: totals.medfee_sumamt.to_string(),
                fund_pay_sumamt: totals.fund_pay_sumamt.to_string(),
                acct_pay: totals.acct_pay.to_string(),
                fixmedins_setl_cnt: totals.setl_count.to_string(),
            },
        }
    }
}

impl Checked for StatementInput {
    fn check(&self) -> Result<(), FieldFault> {
        let data = &self.data;
        open("insutype", &data.insutype, 6)?;
        open("clr_type", &data.clr_type, 6)?;
        required("setl_optins", &data.setl_optins, 6)?;
        day("stmt_begndate", &data.stmt_begndate)?;
        day("stmt_enddate", &data.stmt_enddate)?;
        in_order("stmt_enddate", &data.stmt_begndate, &data.stmt_enddate)?;
        number("medfee_sumamt", &data.medfee_sumamt)?;
        number("fund_pay_sumamt", &data.fund_pay_sumamt)?;
        number("acct_pay", &data.acct_pay)?;
        whole("fixmedins_setl_cnt", &data.fixmedins_setl_cnt)
    }
}

pub(crate) fn read_statement(output: &Output<'_>, style: &StatementStyle) -> Option<StatementResult> {
    let info = output.with_any(&["stmtinfo"])?.get("stmtinfo")?.fields()?;
    let stmt_rslt = info.text("stmt_rslt");
    (!stmt_rslt.is_empty()).then(|| StatementResult {
        verdict: StatementVerdict::of(&stmt_rslt, style),
        stmt_rslt_dscr: info.text("stmt_rslt_dscr"),
        stmt_rslt,
    })
}
