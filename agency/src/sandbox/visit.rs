//! A hospital's visits at the sandbox: opened, described, its details uploaded, tried, settled, in this order.

use serde::{Deserialize, Serialize};
use yijie_rules::{Money, SetlInfo};

use super::replies::No;
use crate::{messages::pharmacy::DrugDetail, numbers::money};

/// A visit that is not settled yet.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Visit {
    pub(crate) mdtrt_id: String,
    pub(crate) psn_no: String,
    pub(crate) insutype: String,
    pub(crate) fixmedins_code: String,
    /// The institution's own number of it (ipt_otp_no, ipt_no).
    pub(crate) own_no: String,
    pub(crate) inpatient: bool,
    /// When it was opened.
    #[serde(default)]
    pub(crate) begntime: String,
    /// The message that opened a stay (2401), which can be reversed.
    #[serde(default)]
    pub(crate) msgid: String,
    /// When the treatment began and a stay ended, by the institution's own words.
    #[serde(default)]
    pub(crate) treated_from: String,
    #[serde(default)]
    pub(crate) treated_until: String,
    #[serde(default)]
    pub(crate) dise_codg: String,
    /// 2203 was heard.
    pub(crate) described: bool,
    /// 2402 was heard.
    pub(crate) discharged: bool,
    pub(crate) details: Vec<Detail>,
    pub(crate) trial: Option<Trial>,
}

/// A detail, as far as a settlement looks at it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Detail {
    pub(crate) chrg_bchno: String,
    #[serde(flatten)]
    pub(crate) line: DrugDetail,
}

/// What the last trial came to.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Trial {
    chrg_bchno: String,
    amounts: [Money; 4],
    fund: Money,
}

impl Trial {
    pub(crate) fn of(chrg_bchno: &str, info: &SetlInfo) -> Trial {
        Trial {
            chrg_bchno: chrg_bchno.to_owned(),
            amounts: [
                info.fulamt_ownpay_amt,
                info.overlmt_selfpay,
                info.preselfpay_amt,
                info.inscp_scp_amt,
            ],
            fund: info.fund_pay_sumamt,
        }
    }

    /// What 2207 repeats has to be what the trial said.
    pub(crate) fn matches(&self, chrg_bchno: &str, repeated: [&str; 4]) -> bool {
        let same = |(amount, text): (&Money, &str)| money(text) == Some(*amount);
        self.chrg_bchno == chrg_bchno && self.amounts.iter().zip(repeated).all(same)
    }
}

impl Visit {
    /// The details of one batch; a settlement without any has nothing to settle.
    pub(crate) fn batch(&self, chrg_bchno: &str) -> Result<Vec<&Detail>, No> {
        let batch: Vec<&Detail> = self
            .details
            .iter()
            .filter(|detail| detail.chrg_bchno == chrg_bchno)
            .collect();
        if batch.is_empty() {
            return Err(No::new("DETAILS_MISSING", "该批次没有费用明细，请先上传"));
        }
        Ok(batch)
    }

    /// Whether it may be settled now.
    pub(crate) fn ready(&self) -> Result<(), No> {
        match (self.inpatient, self.described, self.discharged) {
            (false, false, _) => Err(No::new("VISIT_NOT_DESCRIBED", "就诊信息尚未上传（2203）")),
            (true, _, false) => Err(No::new("NOT_DISCHARGED", "尚未办理出院（2402）")),
            _ => Ok(()),
        }
    }
}
