//! The bill as the split engine takes it. A terminal may send the claim along in expContent; it then has to say the same
//! as the national fields. Without one the agency makes the claim of these:
//!
//! - The person, with accounts and what the year has used, is the book's. One taken over (`--any-person`) counts as
//!   insured in the envelope's insuplc_admdvs, active or, by insurance 39x, a resident, without an account.
//! - The sandbox has no catalogue: a line's class and own share are what `chrgitm_lv` and `selfpay_prop` of the line say,
//!   else 甲类 in full; 丙类 where `hosp_appr_flag` says that the use was not approved. What a line says of price limits,
//!   negotiated drugs and goods that are no drug is lost.
//! - The institution is a pharmacy by its code (P…) or the kind of care (41), and of the rule pack's lowest level.
//! - The relatives' accounts are those the book lists for the person.

use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use yijie_rules::{Claim, Money, Quantity, UnitPrice};

use super::{Agency, Request};
use crate::{messages::pharmacy::SaleInput, numbers::money, sandbox::replies::No};

/// A bill to be split.
pub(super) struct Bill {
    pub(super) sale: SaleInput,
    /// When a stay ended.
    pub(super) endtime: String,
}

impl Agency {
    pub(super) fn claim_of(&self, request: &Request, bill: &Bill) -> Result<Claim, No> {
        let sale = &bill.sale;
        let info = &sale.druginfo;
        let (claim, told) = match sent_along(&info.exp_content)? {
            Some(claim) => (claim, "expContent"),
            None => (self.made(request, bill)?, "the details"),
        };
        let same_lines = claim.lines.len() == sale.drugdetail.len()
            && claim.lines.iter().zip(&sale.drugdetail).all(|(line, detail)| {
                line.feedetl_sn.as_str() == detail.feedetl_sn
                    && line.det_item_fee_sumamt == money(&detail.det_item_fee_sumamt)
            });
        let total = Money::sum(claim.lines.iter().filter_map(|line| line.det_item_fee_sumamt));
        for (field, same) in [
            ("psn_no", claim.person.psn_no.as_str() == info.psn_no),
            ("insutype", claim.person.insutype.as_str() == info.insutype),
            ("med_type", claim.visit.med_type.as_str() == info.med_type),
            ("drugdetail", same_lines),
            ("medfee_sumamt", total == money(&info.medfee_sumamt)),
        ] {
            if !same {
                return Err(No::new(
                    "FIELDS_DISAGREE",
                    format!("{field}: differs from {told}"),
                ));
            }
        }
        Ok(claim)
    }

    /// See the module.
    fn made(&self, request: &Request, bill: &Bill) -> Result<Claim, No> {
        let info = &bill.sale.druginfo;
        let given = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
        let resident = info.insutype.starts_with("39");
        let pharmacy = request.fixmedins_code.starts_with('P') || info.med_type.starts_with("41");
        let circulated = bill.sale.drugdetail.iter().any(|row| row.rx_circ_flag == "1");
        let lines = bill.sale.drugdetail.iter().map(|row| {
            json!({
                "feedetl_sn": row.feedetl_sn, "med_list_codg": row.med_list_codg, "cnt": row.cnt, "pric": row.pric,
                "det_item_fee_sumamt": row.det_item_fee_sumamt, "chrgitm_lv": given(&row.chrgitm_lv),
                "selfpay_prop": given(&row.selfpay_prop),
            })
        });
        let claim = json!({
            "person": {
                "psn_no": info.psn_no, "insutype": info.insutype,
                "psn_type": if resident { "1560" } else { "1101" },
                "insuplc_admdvs": request.insuplc_admdvs, "psn_insu_stas": "1",
            },
            "institution": {
                "fixmedins_code": request.fixmedins_code, "fixmedins_type": if pharmacy { "2" } else { "1" },
            },
            "visit": {
                "med_type": info.med_type, "begntime": info.begntime, "enddate": given(&bill.endtime),
                "setl_time": given(&bill.endtime), "dise_codg": given(&info.dise_codg),
                "rx_circ_flag": if circulated { "1" } else { "0" }, "mdtrtarea_admvs": request.mdtrtarea_admvs,
            },
            "lines": lines.collect::<Vec<Value>>(),
            "accounts": {
                "acct_used_flag": info.acct_used_flag, "family": self.book.family_accounts(&info.psn_no),
            },
        });
        Claim::from_json(claim.to_string().as_bytes())
            .map_err(|error| No::new("FIELD_INVALID", error.to_string()))
    }
}

/// The claim in expContent, if there is one.
fn sent_along(exp_content: &str) -> Result<Option<Claim>, No> {
    #[derive(Deserialize)]
    struct Extension<'a> {
        #[serde(borrow)]
        claim: Option<&'a RawValue>,
    }
    if exp_content.is_empty() {
        return Ok(None);
    }
    let extension: Extension<'_> = serde_json::from_str(exp_content)
        .map_err(|_| No::new("FIELD_INVALID", "expContent: no JSON object"))?;
    let claim = extension
        .claim
        .map(|claim| Claim::from_json(claim.get().as_bytes()));
    claim
        .transpose()
        .map_err(|error| No::new("FIELD_INVALID", format!("expContent: {error}")))
}

/// A line's amount has to be price times count, half-up to the fen.
pub(super) fn multiplied(cnt: &str, pric: &str, amount: &str) -> Result<(), No> {
    let fen = || {
        let (cnt, pric) = (Quantity::parse(cnt).ok()?, UnitPrice::parse(pric).ok()?);
        // Price has six decimals, count four, fen two.
        let product = i128::from(pric.scaled()) * i128::from(cnt.scaled());
        i64::try_from((product + 50_000_000).div_euclid(100_000_000)).ok()
    };
    if fen().map(Money::from_fen) == money(amount) {
        Ok(())
    } else {
        Err(No::new("FIELDS_DISAGREE", "det_item_fee_sumamt: not cnt x pric"))
    }
}
