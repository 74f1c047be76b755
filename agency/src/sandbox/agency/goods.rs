//! 3505 and 3506: which trace codes were sold, and 2001, 3101, 3102, 3204, 5201–5206, 5301: what is asked about a person.

use std::collections::HashSet;

use serde_json::{Value, json};
use yijie_rules::Money;

use super::{Agency, Fail, Request, input};
use crate::{
    clock::beijing_now,
    messages::{
        audit::AuditData,
        benefits::{BenefitQuestion, DiseaseQuestion, PersonTimeQuestion, UsedQuestion, VisitQuestion},
        form::Data,
        goods::{GoodsInput, GoodsReturned, GoodsSold},
    },
    sandbox::{
        ledger::{Entry, Settled, SettlementState},
        replies::No,
    },
};

/// As many of one thing as the sandbox's audit lets pass.
const PIECES_MAX: Money = Money::from_fen(99_00);

impl Agency {
    /// 3505. A code that was sold before is refused on the second level, as the platform's batch does.
    pub(super) fn goods_sold(&mut self, request: &Request) -> Result<Value, Fail> {
        let goods = input::<GoodsInput<GoodsSold>>(request)?;
        well_formed(goods.codes())?;
        let row = &goods.selinfo.row;
        if row.mdtrt_setl_type == "1" {
            let found = self.book.find(&row.psn_no, &row.setl_id, "", "");
            let state = found
                .and_then(|at| self.book.settlement(at))
                .map(|(_, state)| state);
            if row.setl_id.is_empty() || state != Some(SettlementState::Settled) {
                return Err(No::new("SETTLEMENT_NOT_FOUND", "未找到该结算").into());
            }
        }
        let codes: Vec<String> = goods.codes().into_iter().map(str::to_owned).collect();
        let whole: Vec<String> = if row.trdn_flag == "1" { Vec::new() } else { codes };
        let sale = if row.setl_id.is_empty() {
            &row.rtal_docno
        } else {
            &row.setl_id
        };
        if let Err(no) = self.check_codes(&whole, sale) {
            return Ok(json!({"result": {"retRslt": "0", "msgRslt": no.told(self.words_only)}}));
        }
        self.commit(vec![Entry::Goods {
            setl_id: sale.clone(),
            codes: whole,
            returned: false,
            msgid: request.msgid.clone(),
        }])?;
        Ok(json!({"result": {"retRslt": "1", "msgRslt": "成功"}}))
    }

    /// 3506: what is returned may be sold again. Another sale's pack is none of this one's.
    pub(super) fn goods_returned(&mut self, request: &Request) -> Result<Value, Fail> {
        let goods = input::<GoodsInput<GoodsReturned>>(request)?;
        well_formed(goods.codes())?;
        let row = &goods.selinfo.row;
        let codes: Vec<String> = goods.codes().into_iter().map(str::to_owned).collect();
        let not_of_this = |code: &String| {
            let sold = self.book.sold_with(code);
            sold.is_none_or(|(sale, _)| !row.setl_id.is_empty() && sale != row.setl_id)
        };
        if row.trdn_flag != "1" && codes.iter().any(not_of_this) {
            // A copy of it that comes late, when the codes are sold again, must find that it was answered.
            let msgid = request.msgid.clone();
            self.commit(vec![Entry::NotReturned { msgid }])?;
            return Err(No::new("TRACE_CODE_NOT_SOLD", "追溯码无销售记录").into());
        }
        self.commit(vec![Entry::Goods {
            setl_id: row.setl_id.clone(),
            codes,
            returned: true,
            msgid: request.msgid.clone(),
        }])?;
        Ok(json!({"result": {"retRslt": "1", "msgRslt": "成功"}}))
    }

    /// A pack is sold once: no code stands with another sale, none twice in this one. What came with the settlement is
    /// told once more.
    pub(super) fn check_codes(&self, codes: &[String], sale: &str) -> Result<(), No> {
        let used = |code: &String| {
            let sold = self.book.sold_with(code);
            sold.is_some_and(|(other, with_settlement)| other != sale || !with_settlement)
        };
        let twice = codes
            .iter()
            .enumerate()
            .any(|(nth, code)| codes.iter().skip(nth + 1).any(|other| other == code));
        if twice || codes.iter().any(used) {
            return Err(No::new("TRACE_CODE_USED", "追溯码已有销售记录"));
        }
        Ok(())
    }

    fn known(&self, psn_no: &str) -> Result<(), No> {
        if self.book.knows(psn_no) {
            Ok(())
        } else {
            Err(No::new("PERSON_UNKNOWN", "未查询到人员信息"))
        }
    }

    /// 2001.
    pub(super) fn benefits(&self, request: &Request) -> Result<Value, Fail> {
        let data = input::<Data<BenefitQuestion>>(request)?.data;
        self.known(&data.psn_no)?;
        let day: jiff::civil::Date = data
            .begntime
            .get(..10)
            .and_then(|day| day.parse().ok())
            .ok_or_else(|| No::new("FIELD_INVALID", "begntime: not a date"))?;
        let suspended = self.book.suspended_on(&data.psn_no, &data.insutype, day);
        Ok(json!({"trtinfo": [{
            "psn_no": data.psn_no, "trt_chk_type": "1", "fund_pay_type": format!("{}100", data.insutype),
            "trt_enjymnt_flag": if suspended { "0" } else { "1" }, "begndate": null, "enddate": null,
            "trt_chk_rslt": if suspended { "暂停联网结算" } else { "" },
        }]}))
    }

    /// 3101 and 3102: the sandbox's rules find fault with a code that stands twice, and with a line of more than
    /// [`PIECES_MAX`].
    pub(super) fn audit(&self, request: &Request) -> Result<Value, Fail> {
        let question = input::<Data<AuditData>>(request)?;
        let mut seen = HashSet::new();
        let mut findings = Vec::new();
        for (code, name, cnt) in question.lines() {
            let mut find = |rule_id: &str, rule_name: &str, vola_cont: String| {
                findings.push(json!({
                    "jr_id": format!("{}-{}", request.msgid, findings.len() + 1), "rule_id": rule_id,
                    "rule_name": rule_name, "vola_cont": vola_cont, "sev_deg": "2",
                }));
            };
            if !seen.insert(code) {
                find("S01", "重复开药", format!("{name} 在同一单据中重复"));
            }
            let count = crate::numbers::money(cnt);
            if count.is_some_and(|count| count > PIECES_MAX) {
                find("S02", "超量开药", format!("{name} 数量 {cnt} 超过 {PIECES_MAX}"));
            }
        }
        Ok(json!({ "result": findings }))
    }

    /// 5201.
    pub(super) fn visits(&self, request: &Request) -> Result<Value, Fail> {
        let data = input::<Data<PersonTimeQuestion>>(request)?.data;
        self.known(&data.psn_no)?;
        let within = |time: &str| {
            (data.begntime.is_empty() || data.begntime.as_str() <= time)
                && (data.endtime.is_empty() || time <= data.endtime.as_str())
        };
        let asked = |settled: &Settled| {
            within(&settled.setl_time)
                && (data.med_type.is_empty() || data.med_type == settled.med_type)
                && (data.mdtrt_id.is_empty() || data.mdtrt_id == settled.mdtrt_id)
        };
        let settled = self.book.of_person(&data.psn_no);
        let settled = settled
            .filter(|(settled, _)| asked(settled) && !self.old_figures)
            .map(|(settled, _)| {
                json!({
                    "mdtrt_id": settled.mdtrt_id, "psn_no": settled.psn_no, "insutype": settled.insutype,
                    "begndate": settled.setl_time, "med_type": settled.med_type,
                    "fixmedins_code": settled.fixmedins_code,
                })
            });
        let open = self.book.open_visits(&data.psn_no);
        let open = open
            .into_iter()
            .filter(|visit| within(&visit.begntime) && data.med_type.is_empty())
            .filter(|visit| data.mdtrt_id.is_empty() || data.mdtrt_id == visit.mdtrt_id)
            .map(|visit| {
                json!({
                    "mdtrt_id": visit.mdtrt_id, "psn_no": visit.psn_no, "insutype": visit.insutype,
                    "begndate": visit.begntime, "fixmedins_code": visit.fixmedins_code, "ipt_otp_no": visit.own_no,
                })
            });
        let rows: Vec<Value> = settled.chain(open).collect();
        Ok(json!({ "mdtrtinfo": rows }))
    }

    /// 5202: the sandbox keeps no diagnoses.
    pub(super) fn diagnoses(&self, request: &Request) -> Result<Value, Fail> {
        let data = input::<Data<VisitQuestion>>(request)?.data;
        self.known(&data.psn_no)?;
        Ok(json!({"diseinfo": []}))
    }

    /// 5204.
    pub(super) fn fee_details(&self, request: &Request) -> Result<Value, Fail> {
        let data = input::<Data<VisitQuestion>>(request)?.data;
        let found = self.book.find(&data.psn_no, &data.setl_id, &data.mdtrt_id, "");
        let settled = found.and_then(|at| self.book.settlement(at));
        let (settled, _) = settled.ok_or_else(|| No::new("SETTLEMENT_NOT_FOUND", "未找到该结算"))?;
        Ok(json!({ "feedetail": settled.detlcutinfo }))
    }

    /// 5205: the sandbox keeps no drugs.
    pub(super) fn chronic_drugs(&self, request: &Request) -> Result<Value, Fail> {
        let data = input::<Data<PersonTimeQuestion>>(request)?.data;
        self.known(&data.psn_no)?;
        Ok(json!({"feedetail": []}))
    }

    /// 5206.
    pub(super) fn used(&self, request: &Request) -> Result<Value, Fail> {
        let data = input::<Data<UsedQuestion>>(request)?.data;
        self.known(&data.psn_no)?;
        let year = data.cum_ym.get(..4).and_then(|year| year.parse().ok());
        let rows = self
            .book
            .accumulated(&data.psn_no, year.unwrap_or(beijing_now().year()));
        let rows: Vec<Value> = rows
            .iter()
            .flat_map(|row| {
                [
                    ("deductible", row.deductible),
                    ("fund", row.fund),
                    ("in_scope", row.in_scope),
                ]
                .map(|(what, sum)| json!({"cum_type_code": format!("{}/{what}", row.pool), "cum": sum}))
            })
            .collect();
        Ok(json!({ "cuminfo": rows }))
    }

    /// 5301.
    pub(super) fn diseases(&self, request: &Request) -> Result<Value, Fail> {
        let data = input::<Data<DiseaseQuestion>>(request)?.data;
        self.known(&data.psn_no)?;
        let record = self
            .persons
            .iter()
            .find(|person| person.record.baseinfo.psn_no == data.psn_no);
        let diseases = record.map(|person| person.record.facts.registered_diseases.as_slice());
        let rows: Vec<Value> = diseases
            .unwrap_or_default()
            .iter()
            .map(|disease| {
                json!({
                    "opsp_dise_code": disease.dise_codg, "opsp_dise_name": null,
                    "begndate": disease.begndate, "enddate": disease.enddate,
                })
            })
            .collect();
        Ok(json!({ "feedetail": rows }))
    }
}

/// A code is of letters, digits and the signs of a keyboard, whoever issued it.
pub(super) fn well_formed<'a>(codes: impl IntoIterator<Item = &'a str>) -> Result<(), No> {
    let typed = |code: &str| code.bytes().all(|byte| byte.is_ascii_graphic());
    if codes.into_iter().all(typed) {
        Ok(())
    } else {
        Err(No::new("FIELD_INVALID", "drug_trac_codg: not of its form"))
    }
}
