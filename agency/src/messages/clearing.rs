//! 3203 application for clearing (清算申请) and 3204 its withdrawal.

use serde::{Deserialize, Serialize};
use yijie_rules::Money;

use super::{
    codes,
    form::{maycode, whole},
};
use crate::{
    fields::{Checked, FieldFault, day, in_order, month, number, open, required},
    output::Output,
};

/// What an institution asks to be paid for a month's settlements of one category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClearingRequest {
    /// Settlement category (清算类别).
    pub clr_type: String,
    /// Way of settlement.
    pub clr_way: String,
    /// Month, yyyyMM.
    pub setlym: String,
    /// Settlements less refunds.
    pub psntime: i64,
    /// Total fees.
    pub medfee_sumamt: Money,
    /// Fees the insurance recognises: within its scope.
    pub med_sumfee: Money,
    /// What the funds are asked for.
    pub fund_appy_sum: Money,
    /// Cash.
    pub cash_payamt: Money,
    /// Own accounts.
    pub acct_pay: Money,
    /// First day, yyyy-MM-dd.
    pub begndate: String,
    /// Last day.
    pub enddate: String,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct ClearingInput {
    pub(crate) data: ClearingData,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct ClearingData {
    pub(crate) clr_type: String,
    pub(crate) clr_way: String,
    pub(crate) setlym: String,
    pub(crate) psntime: String,
    pub(crate) medfee_sumamt: String,
    pub(crate) med_sumfee: String,
    pub(crate) fund_appy_sum: String,
    pub(crate) cash_payamt: String,
    pub(crate) acct_pay: String,
    pub(crate) begndate: String,
    pub(crate) enddate: String,
}

impl From<&ClearingRequest> for ClearingInput {
    fn from(request: &ClearingRequest) -> Self {
        ClearingInput {
            data: ClearingData {
                clr_type: request.clr_type.clone(),
                clr_way: two_digits(&request.clr_way),
                setlym: request.setlym.clone(),
                psntime: request.psntime.max(0).to_string(),
                medfee_sumamt: request.medfee_sumamt.to_string(),
                med_sumfee: request.med_sumfee.to_string(),
                fund_appy_sum: request.fund_appy_sum.to_string(),
                cash_payamt: request.cash_payamt.to_string(),
                acct_pay: request.acct_pay.to_string(),
                begndate: request.begndate.clone(),
                enddate: request.enddate.clone(),
            },
        }
    }
}

/// Settlements come back with 1 for 01.
fn two_digits(clr_way: &str) -> String {
    match clr_way.len() {
        1 => format!("0{clr_way}"),
        _ => clr_way.to_owned(),
    }
}

impl Checked for ClearingInput {
    fn check(&self) -> Result<(), FieldFault> {
        let data = &self.data;
        open("clr_type", &data.clr_type, 30)?;
        maycode("clr_way", &data.clr_way, codes::CLR_WAY)?;
        month("setlym", &data.setlym)?;
        whole("psntime", &data.psntime)?;
        number("medfee_sumamt", &data.medfee_sumamt)?;
        number("med_sumfee", &data.med_sumfee)?;
        number("fund_appy_sum", &data.fund_appy_sum)?;
        number("cash_payamt", &data.cash_payamt)?;
        number("acct_pay", &data.acct_pay)?;
        day("begndate", &data.begndate)?;
        day("enddate", &data.enddate)?;
        in_order("enddate", &data.begndate, &data.enddate)
    }
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct WithdrawalInput {
    pub(crate) data: WithdrawalData,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct WithdrawalData {
    pub(crate) clr_appy_evt_id: String,
}

impl Checked for WithdrawalInput {
    fn check(&self) -> Result<(), FieldFault> {
        required("clr_appy_evt_id", &self.data.clr_appy_evt_id, 30)
    }
}

/// The number of the application.
pub(crate) fn read_application(output: &Output<'_>) -> Option<String> {
    let number = output.with_any(&["clr_appy_evt_id"])?.id("clr_appy_evt_id");
    (!number.is_empty()).then_some(number)
}
