//! 2201–2208, 2301–2305 and 2401–2405: a hospital's visit from its opening to its settlement.

use serde_json::{Value, json};

use super::{
    Agency, Fail, Request,
    claim::{Bill, multiplied},
    goods::well_formed,
    input,
};
use crate::{
    clock::{beijing_now, compact_time, wire_time},
    messages::{
        form::Data,
        pharmacy::{DrugDetail, DrugInfo, SaleInput},
        visit::{
            AdmissionInput, Diagnosis, DischargeInput, FeeCancel, FeeDetail, FeeInput, Registration,
            RegistrationCancel, StayCancel, VisitBillInput, VisitInput,
        },
    },
    profile::TraceCodes,
    sandbox::{
        ledger::Entry,
        replies::{self, No},
        visit::{Detail, Trial, Visit},
    },
};

impl Agency {
    /// 2201.
    pub(super) fn register(&mut self, request: &Request) -> Result<Value, Fail> {
        let data = input::<Data<Registration>>(request)?.data;
        let mut visit = self.new_visit(request, &data.psn_no, &data.insutype, &data.ipt_otp_no, false)?;
        visit.treated_from = data.begntime;
        let answer = json!({"data": {
            "mdtrt_id": visit.mdtrt_id, "psn_no": visit.psn_no, "ipt_otp_no": visit.own_no, "exp_content": null,
        }});
        self.note(visit)?;
        Ok(answer)
    }

    /// 2401.
    pub(super) fn admit(&mut self, request: &Request) -> Result<Value, Fail> {
        let admission = input::<AdmissionInput>(request)?;
        diagnosed(&admission.diseinfo)?;
        let data = admission.mdtrtinfo;
        let mut visit = self.new_visit(request, &data.psn_no, &data.insutype, &data.ipt_no, true)?;
        visit.msgid.clone_from(&request.msgid);
        visit.treated_from = data.begntime;
        visit.dise_codg = data.dise_codg;
        let answer = json!({"result": {"mdtrt_id": visit.mdtrt_id}});
        self.note(visit)?;
        Ok(answer)
    }

    fn new_visit(
        &self,
        request: &Request,
        psn_no: &str,
        insutype: &str,
        own_no: &str,
        inpatient: bool,
    ) -> Result<Visit, No> {
        if !self.any_person && !self.book.knows(psn_no) {
            return Err(No::new("PERSON_UNKNOWN", "未查询到该人员的参保信息"));
        }
        if self.book.has_visit(&request.fixmedins_code, own_no) {
            return Err(No::new("VISIT_REPEATED", "院内流水号重复"));
        }
        Ok(Visit {
            mdtrt_id: format!(
                "V{}{:010}",
                compact_time(beijing_now()),
                self.book.visits_opened() + 1
            ),
            psn_no: psn_no.to_owned(),
            insutype: insutype.to_owned(),
            fixmedins_code: request.fixmedins_code.clone(),
            own_no: own_no.to_owned(),
            inpatient,
            begntime: wire_time(beijing_now()),
            msgid: String::new(),
            treated_from: String::new(),
            treated_until: String::new(),
            dise_codg: String::new(),
            described: false,
            discharged: false,
            details: Vec::new(),
            trial: None,
        })
    }

    fn note(&mut self, visit: Visit) -> Result<(), Fail> {
        self.commit(vec![Entry::Visit(Box::new(visit))])
    }

    fn visit(&self, mdtrt_id: &str, psn_no: &str, inpatient: bool) -> Result<Visit, No> {
        let found = self.book.visit(mdtrt_id);
        let found = found.filter(|visit| visit.psn_no == psn_no && visit.inpatient == inpatient);
        found.cloned().ok_or_else(|| {
            if self.book.find(psn_no, "", mdtrt_id, "").is_some() {
                No::new("VISIT_SETTLED", "该就诊已结算")
            } else {
                No::new("VISIT_NOT_FOUND", "未找到该就诊登记")
            }
        })
    }

    /// 2202 and 2404.
    pub(super) fn close_visit(&mut self, request: &Request, inpatient: bool) -> Result<Value, Fail> {
        let (mdtrt_id, psn_no) = if inpatient {
            let data = input::<Data<StayCancel>>(request)?.data;
            (data.mdtrt_id, data.psn_no)
        } else {
            let data = input::<Data<RegistrationCancel>>(request)?.data;
            (data.mdtrt_id, data.psn_no)
        };
        let visit = self.visit(&mdtrt_id, &psn_no, inpatient)?;
        if !visit.details.is_empty() {
            return Err(No::new("DETAILS_LEFT", "仍有未撤销的费用明细").into());
        }
        self.commit(vec![Entry::VisitClosed { mdtrt_id }])?;
        Ok(Value::Null)
    }

    /// 2601 of a 2401: the stay counts as never begun, unless there is more to take back first.
    pub(super) fn reverse_admission(
        &mut self,
        request: &Request,
        omsgid: String,
        mdtrt_id: String,
    ) -> Result<Value, Fail> {
        match self.book.visit(&mdtrt_id) {
            Some(visit) if !visit.details.is_empty() => {
                return Err(No::new("DETAILS_LEFT", "仍有未撤销的费用明细").into());
            }
            Some(_) => {}
            None if self.book.has_settled(&mdtrt_id) => {
                return Err(No::new("VISIT_SETTLED", "该就诊已结算").into());
            }
            None => return Err(No::new("ALREADY_REVERSED", "原交易已冲正").into()),
        }
        let reversed = Entry::Reversed {
            msgid: request.msgid.clone(),
            omsgid,
            time: wire_time(beijing_now()),
        };
        self.commit(vec![reversed, Entry::VisitClosed { mdtrt_id }])?;
        Ok(Value::Null)
    }

    /// 2203.
    pub(super) fn describe(&mut self, request: &Request) -> Result<Value, Fail> {
        let described = input::<VisitInput>(request)?;
        diagnosed(&described.diseinfo)?;
        let data = described.mdtrtinfo;
        let mut visit = self.visit(&data.mdtrt_id, &data.psn_no, false)?;
        visit.described = true;
        visit.treated_from = data.begntime;
        visit.dise_codg = data.dise_codg;
        self.note(visit)?;
        Ok(Value::Null)
    }

    /// 2403: the admission's own fields are not kept here; that the stay is there is checked.
    pub(super) fn correct_admission(&self, request: &Request) -> Result<Value, Fail> {
        let data = input::<AdmissionInput>(request)?.mdtrtinfo;
        self.visit(&data.mdtrt_id, &data.psn_no, true)?;
        Ok(Value::Null)
    }

    /// 2402 and 2405.
    pub(super) fn discharge(&mut self, request: &Request, discharged: bool) -> Result<Value, Fail> {
        let (mdtrt_id, psn_no, until) = if discharged {
            let data = input::<DischargeInput>(request)?.dscginfo;
            (data.mdtrt_id, data.psn_no, data.endtime)
        } else {
            let data = input::<Data<StayCancel>>(request)?.data;
            (data.mdtrt_id, data.psn_no, String::new())
        };
        let mut visit = self.visit(&mdtrt_id, &psn_no, true)?;
        if visit.discharged == discharged {
            return Err(No::new("WRONG_ORDER", "出院状态不符").into());
        }
        visit.discharged = discharged;
        visit.treated_until = until;
        self.note(visit)?;
        Ok(Value::Null)
    }

    /// 2204 and 2301.
    pub(super) fn details(&mut self, request: &Request, inpatient: bool) -> Result<Value, Fail> {
        let rows = input::<FeeInput>(request)?.feedetail;
        let first = rows
            .first()
            .ok_or_else(|| No::new("FIELD_INVALID", "feedetail: missing"))?;
        let mut visit = self.visit(&first.mdtrt_id, &first.psn_no, inpatient)?;
        for row in &rows {
            if row.mdtrt_id != visit.mdtrt_id || row.psn_no != visit.psn_no {
                return Err(No::new("FIELDS_DISAGREE", "feedetail: more than one visit").into());
            }
            if visit
                .details
                .iter()
                .any(|detail| detail.line.feedetl_sn == row.feedetl_sn)
            {
                return Err(No::new("DETAIL_REPEATED", "费用明细流水号重复").into());
            }
            multiplied(&row.cnt, &row.pric, &row.det_item_fee_sumamt)?;
            visit.details.push(detail_of(row));
        }
        visit.trial = None;
        self.note(visit)?;
        // The details' own split comes with the trial; here each is in scope as a whole.
        let result: Vec<Value> = rows
            .iter()
            .map(|row| {
                let class = detail_of(row).line.chrgitm_lv;
                json!({
                    "feedetl_sn": row.feedetl_sn, "det_item_fee_sumamt": row.det_item_fee_sumamt, "cnt": row.cnt,
                    "pric": row.pric, "pric_uplmt_amt": 999_999, "selfpay_prop": "0", "fulamt_ownpay_amt": "0.00",
                    "overlmt_amt": "0.00", "preselfpay_amt": "0.00", "inscp_scp_amt": row.det_item_fee_sumamt,
                    "chrgitm_lv": if class.is_empty() { "01" } else { &class }, "med_chrgitm_type": "14", "memo": null,
                })
            })
            .collect();
        Ok(json!({ "result": result }))
    }

    /// 2205 and 2302.
    pub(super) fn drop_details(&mut self, request: &Request, inpatient: bool) -> Result<Value, Fail> {
        let data = input::<Data<FeeCancel>>(request)?.data;
        let mut visit = self.visit(&data.mdtrt_id, &data.psn_no, inpatient)?;
        let before = visit.details.len();
        visit
            .details
            .retain(|detail| data.chrg_bchno != "0000" && detail.chrg_bchno != data.chrg_bchno);
        if visit.details.len() == before {
            return Err(No::new("DETAILS_MISSING", "没有可撤销的费用明细").into());
        }
        visit.trial = None;
        self.note(visit)?;
        Ok(Value::Null)
    }

    /// 2206 and 2303.
    pub(super) fn presettle_visit(&mut self, request: &Request, inpatient: bool) -> Result<Value, Fail> {
        let bill = input::<VisitBillInput>(request)?;
        let (mut visit, sale) = self.bill_of(&bill, inpatient)?;
        let (_, mut settled) = self.compute(request, &sale, false)?;
        settled.mdtrt_id.clone_from(&visit.mdtrt_id);
        visit.trial = Some(Trial::of(&bill.data.chrg_bchno, &settled.setlinfo));
        self.note(visit)?;
        Ok(replies::settlement(&settled, &self.seal.profile))
    }

    /// 2207 and 2304.
    pub(super) fn settle_visit(&mut self, request: &Request, inpatient: bool) -> Result<Value, Fail> {
        let bill = input::<VisitBillInput>(request)?;
        bill.check_settling()?;
        let (visit, sale) = self.bill_of(&bill, inpatient)?;
        let data = &bill.data;
        let trial = visit.trial.as_ref();
        let trial = trial.ok_or_else(|| No::new("NOT_PRESETTLED", "尚未预结算"))?;
        let repeated = [
            data.fulamt_ownpay_amt.as_str(),
            &data.overlmt_selfpay,
            &data.preselfpay_amt,
            &data.inscp_scp_amt,
        ];
        if !trial.matches(&data.chrg_bchno, repeated) {
            return Err(No::new("AMOUNTS_DIFFER", "结算金额与预结算不一致").into());
        }
        let (opening, mut settled) = self.compute(request, &sale, true)?;
        if *trial != Trial::of(&data.chrg_bchno, &settled.setlinfo) {
            return Err(No::new("TRIAL_STALE", "预结算已失效，请重新预结算").into());
        }
        settled.mdtrt_id.clone_from(&visit.mdtrt_id);
        settled.infno = if inpatient { "2304" } else { "2207" }.to_owned();
        self.accounts_open(&settled)?;
        let codes: Vec<String> = bill
            .drug_trac_info
            .iter()
            .filter(|code| code.trdn_flag != "1")
            .map(|code| code.drug_trac_codg.clone())
            .collect();
        well_formed(codes.iter().map(String::as_str))?;
        if self.seal.profile.trace_codes == TraceCodes::Settlement {
            self.check_codes(&codes, &settled.setl_id)?;
        }
        let output = replies::settlement(&settled, &self.seal.profile);
        let mut entries: Vec<Entry> = opening
            .into_iter()
            .map(|registered| Entry::Registered(Box::new(registered)))
            .collect();
        if !codes.is_empty() {
            entries.push(Entry::Goods {
                setl_id: settled.setl_id.clone(),
                codes,
                returned: false,
                msgid: String::new(),
            });
        }
        entries.push(Entry::Settled(Box::new(settled)));
        self.commit(entries)?;
        Ok(output)
    }

    /// The bill as a pharmacy would have sent it: the settlement's fields, and the details uploaded before.
    fn bill_of(&self, bill: &VisitBillInput, inpatient: bool) -> Result<(Visit, Bill), No> {
        let data = &bill.data;
        let visit = self.visit(&data.mdtrt_id, &data.psn_no, inpatient)?;
        visit.ready()?;
        if visit.insutype != data.insutype {
            return Err(No::new("FIELDS_DISAGREE", "insutype: differs from the visit's"));
        }
        let drugdetail = visit
            .batch(&data.chrg_bchno)?
            .into_iter()
            .map(|detail| detail.line.clone())
            .collect();
        let druginfo = DrugInfo {
            psn_no: data.psn_no.clone(),
            mdtrt_cert_type: data.mdtrt_cert_type.clone(),
            mdtrt_cert_no: data.mdtrt_cert_no.clone(),
            begntime: visit.treated_from.clone(),
            dise_codg: visit.dise_codg.clone(),
            medfee_sumamt: data.medfee_sumamt.clone(),
            invono: data.invono.clone(),
            insutype: data.insutype.clone(),
            acct_used_flag: data.acct_used_flag.clone(),
            med_type: data.med_type.clone(),
            exp_content: data.exp_content.clone(),
            ..DrugInfo::default()
        };
        let bill = Bill {
            sale: SaleInput { druginfo, drugdetail },
            endtime: visit.treated_until.clone(),
        };
        Ok((visit, bill))
    }
}

/// Whether somebody said what the patient has.
fn diagnosed(diseinfo: &[Diagnosis]) -> Result<(), No> {
    if diseinfo.is_empty() {
        return Err(No::new("FIELD_INVALID", "diseinfo: missing"));
    }
    Ok(())
}

/// A row as its settlement looks at it. What was not approved, the patient bears.
fn detail_of(row: &FeeDetail) -> Detail {
    let class = if row.hosp_appr_flag == "2" {
        "03"
    } else {
        &row.chrgitm_lv
    };
    Detail {
        chrg_bchno: row.chrg_bchno.clone(),
        line: DrugDetail {
            feedetl_sn: row.feedetl_sn.clone(),
            rx_circ_flag: row.rx_circ_flag.clone(),
            med_list_codg: row.med_list_codg.clone(),
            det_item_fee_sumamt: row.det_item_fee_sumamt.clone(),
            cnt: row.cnt.clone(),
            pric: row.pric.clone(),
            chrgitm_lv: class.to_owned(),
            selfpay_prop: row.selfpay_prop.clone(),
            ..DrugDetail::default()
        },
    }
}
