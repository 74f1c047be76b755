//! A sale at the agency: in one call at a pharmacy (2101, 2102), as a visit at a hospital (2201, 2203, 2204, 2206, 2207;
//! inpatient 2401, 2301, 2402, 2303, 2304).

use std::collections::HashMap;

use yijie_rules::Claim;

use super::{Client, not_fit, of_person};
use crate::{
    answer::{AgencyRefusal, Answer, Cause},
    decode::Weight,
    envelope::Output,
    messages::{
        form::Data,
        pharmacy::{
            CancelInput, CancelRequest, SaleInput, SaleRequest, Transactions, transactions_for,
            transactions_of,
        },
        settled::{self, SettledReply},
        visit::{
            self, Admission, AdmissionInput, Diagnosis, Discharge, DischargeInput, FeeCancel, FeeDetail,
            FeeInput, Registration, SettledCode, VisitBill, VisitBillInput, VisitInfo, VisitInput,
        },
    },
    profile::TraceCodes,
};

/// Visits opened by a trial and not settled yet are remembered up to this many.
const TRIALS_MAX: usize = 64;
/// What stands where the counter knows no doctor, department or diagnosis.
const NOT_NAMED_CODE: &str = "99";
const NOT_NAMED: &str = "未指定";
/// ICD-10: unspecified causes of morbidity.
const NO_DIAGNOSIS: (&str, &str) = ("R69", "未特指的疾病");
/// 2205: all details that are not settled.
const ALL_BATCHES: &str = "0000";

/// Visits that a trial opened, by person.
pub(super) type Trials = HashMap<String, Tried>;

/// A visit that was tried: a settlement of the same bill goes on from there.
pub(super) struct Tried {
    bill: String,
    visit: Visit,
    reply: SettledReply,
}

#[derive(Clone)]
struct Visit {
    mdtrt_id: String,
    chrg_bchno: String,
}

/// Why a visit did not get as far as its settlement. No money has moved.
enum Stopped {
    Refused(AgencyRefusal),
    NotSent(Cause),
}

/// What a step before the settlement came to. Whatever became of a step without an answer, nothing was settled by it.
fn stepped<T>(answer: Answer<T>) -> Result<T, Stopped> {
    match answer {
        Answer::Done(value) => Ok(value),
        Answer::Refused(refusal) => Err(Stopped::Refused(refusal)),
        Answer::NotSent(cause) | Answer::Unknown(cause) => Err(Stopped::NotSent(cause)),
    }
}

impl<T> From<Stopped> for Answer<T> {
    fn from(stopped: Stopped) -> Answer<T> {
        match stopped {
            Stopped::Refused(refusal) => Answer::Refused(refusal),
            Stopped::NotSent(cause) => Answer::NotSent(cause),
        }
    }
}

impl Client {
    /// The transactions by which a claim is settled under this client's profile.
    pub fn transactions_of(&self, claim: &Claim) -> Transactions {
        transactions_of(claim, &self.seal.profile)
    }

    /// The transactions by which this institution settled a bill of that kind of care.
    pub fn transactions_for(&self, med_type: &str) -> Transactions {
        let pharmacy = self.settings.institution.code.starts_with('P');
        transactions_for(pharmacy, med_type, &self.seal.profile)
    }

    /// 2101, 2206 or 2303: what a settlement would come to. Settles nothing; at a hospital the visit stays open for it.
    pub async fn presettle(&self, sale: &SaleRequest) -> Answer<SettledReply> {
        let numbers = self.transactions_of(&sale.claim);
        let input = match SaleInput::of(sale, false, &self.seal.profile) {
            Ok(input) => input,
            Err(fault) => return not_fit(&fault),
        };
        let answer = if numbers.in_one_call() {
            let read = |output: &Output<'_>| settled::read_trial(output, &self.seal.profile);
            self.ask(numbers.presettle, place_of(sale), &input, read).await
        } else {
            match self.tried(sale, &input, numbers).await {
                Ok((visit, reply)) => {
                    self.remember(sale, &input, visit, reply.clone());
                    Answer::Done(reply)
                }
                Err(stopped) => stopped.into(),
            }
        };
        of_person(answer, &sale.claim.person.psn_no)
    }

    /// 2102, 2207 or 2304: settles a sale. The msgid must be on disk before this is called. At a hospital the steps
    /// before 2207 go first, unless a trial of the same bill has done them; where one of them is not answered, the sale
    /// surely is not settled, and the answer says not sent.
    pub async fn settle(&self, msgid: &str, sale: &SaleRequest) -> Answer<SettledReply> {
        let numbers = self.transactions_of(&sale.claim);
        let input = match SaleInput::of(sale, true, &self.seal.profile) {
            Ok(input) => input,
            Err(fault) => return not_fit(&fault),
        };
        if let Err(fault) = input.check_settling() {
            return not_fit(&fault);
        }
        let read = |output: &Output<'_>| settled::read_settled(output, &self.seal.profile);
        let place = place_of(sale);
        let answer = if numbers.in_one_call() {
            self.send(numbers.settle, msgid, place, &input, Weight::Commits, read)
                .await
        } else {
            let before = match self.recall(sale, &input) {
                Some(tried) => Ok(tried),
                None => self.tried(sale, &input, numbers).await,
            };
            let (visit, trial) = match before {
                Ok(before) => before,
                Err(stopped) => return stopped.into(),
            };
            let bill = self.bill(sale, &input, &visit, Some(&trial));
            if let Err(fault) = bill.check_settling() {
                return not_fit(&fault);
            }
            self.send(numbers.settle, msgid, place, &bill, Weight::Commits, read)
                .await
        };
        of_person(answer, &sale.claim.person.psn_no).map(|mut reply| {
            reply.compare_msgid(msgid);
            reply
        })
    }

    /// 2103, 2208 or 2305: cancels a settlement that is known to stand. The reply's amounts are given without their
    /// sign.
    pub async fn cancel(&self, msgid: &str, request: &CancelRequest) -> Answer<SettledReply> {
        let input = CancelInput::from(request);
        let read = |output: &Output<'_>| settled::read_cancelled(output, &self.seal.profile);
        let place = &request.insured.insuplc_admdvs;
        let infno = request.transactions.cancel;
        let answer = self
            .send(infno, msgid, place, &input, Weight::Commits, read)
            .await;
        of_person(answer, &request.insured.psn_no)
    }

    fn remember(&self, sale: &SaleRequest, input: &SaleInput, visit: Visit, reply: SettledReply) {
        let mut trials = self.trials();
        if trials.len() >= TRIALS_MAX {
            trials.clear();
        }
        trials.insert(
            sale.claim.person.psn_no.to_string(),
            Tried {
                bill: input.fingerprint(),
                visit,
                reply,
            },
        );
    }

    /// The visit that a trial of the same bill opened; a trial counts for one settlement.
    fn recall(&self, sale: &SaleRequest, input: &SaleInput) -> Option<(Visit, SettledReply)> {
        let mut trials = self.trials();
        let psn_no = sale.claim.person.psn_no.as_str();
        if trials.get(psn_no)?.bill != input.fingerprint() {
            return None;
        }
        trials.remove(psn_no).map(|tried| (tried.visit, tried.reply))
    }

    /// The steps up to and with the trial, on the visit that an earlier trial of the person left open or on a new one.
    async fn tried(
        &self,
        sale: &SaleRequest,
        input: &SaleInput,
        numbers: Transactions,
    ) -> Result<(Visit, SettledReply), Stopped> {
        let place = place_of(sale);
        let earlier = self.trials().remove(sale.claim.person.psn_no.as_str());
        let mdtrt_id = match earlier {
            Some(tried) if !numbers.inpatient() => {
                let data = FeeCancel {
                    mdtrt_id: tried.visit.mdtrt_id.clone(),
                    chrg_bchno: ALL_BATCHES.to_owned(),
                    psn_no: input.druginfo.psn_no.clone(),
                };
                let dropped = self.ask("2205", place, &Data { data }, |_| Some(())).await;
                match dropped {
                    Answer::Done(()) => Some(tried.visit.mdtrt_id),
                    _ => None,
                }
            }
            _ => None,
        };
        let mdtrt_id = match mdtrt_id {
            Some(mdtrt_id) => mdtrt_id,
            None if numbers.inpatient() => self.admitted(sale, input).await?,
            None => self.registered(sale, input).await?,
        };
        let visit = Visit {
            chrg_bchno: self.settings.msgids.next(),
            mdtrt_id,
        };
        if !numbers.inpatient() {
            let described = VisitInput {
                mdtrtinfo: VisitInfo {
                    mdtrt_id: visit.mdtrt_id.clone(),
                    psn_no: input.druginfo.psn_no.clone(),
                    med_type: input.druginfo.med_type.clone(),
                    begntime: input.druginfo.begntime.clone(),
                    dise_codg: input.druginfo.dise_codg.clone(),
                    ..VisitInfo::default()
                },
                diseinfo: vec![self.diagnosis(input)],
            };
            stepped(self.ask("2203", place, &described, |_| Some(())).await)?;
        }
        let details = FeeInput {
            feedetail: self.details(input, &visit),
        };
        let infno = if numbers.inpatient() { "2301" } else { "2204" };
        let rows = |output: &Output<'_>| visit::read_fee_rows(output).map(|_| ());
        stepped(self.ask(infno, place, &details, rows).await)?;
        if numbers.inpatient() {
            self.discharged(sale, input, &visit).await?;
        }
        let read = |output: &Output<'_>| settled::read_trial(output, &self.seal.profile);
        let bill = self.bill(sale, input, &visit, None);
        let reply = stepped(self.ask(numbers.presettle, place, &bill, read).await)?;
        Ok((visit, reply))
    }

    /// 2201.
    async fn registered(&self, sale: &SaleRequest, input: &SaleInput) -> Result<String, Stopped> {
        let info = &input.druginfo;
        let data = Registration {
            psn_no: info.psn_no.clone(),
            insutype: info.insutype.clone(),
            begntime: info.begntime.clone(),
            mdtrt_cert_type: info.mdtrt_cert_type.clone(),
            mdtrt_cert_no: info.mdtrt_cert_no.clone(),
            ipt_otp_no: self.settings.msgids.next(),
            atddr_no: NOT_NAMED_CODE.to_owned(),
            dr_name: NOT_NAMED.to_owned(),
            dept_code: NOT_NAMED_CODE.to_owned(),
            dept_name: NOT_NAMED.to_owned(),
            caty: NOT_NAMED_CODE.to_owned(),
        };
        stepped(
            self.ask("2201", place_of(sale), &Data { data }, visit::read_mdtrt_id)
                .await,
        )
    }

    /// 2401.
    async fn admitted(&self, sale: &SaleRequest, input: &SaleInput) -> Result<String, Stopped> {
        let info = &input.druginfo;
        let diagnosis = self.diagnosis(input);
        let admission = Admission {
            psn_no: info.psn_no.clone(),
            insutype: info.insutype.clone(),
            begntime: info.begntime.clone(),
            mdtrt_cert_type: info.mdtrt_cert_type.clone(),
            mdtrt_cert_no: info.mdtrt_cert_no.clone(),
            med_type: info.med_type.clone(),
            ipt_no: self.settings.msgids.next(),
            atddr_no: NOT_NAMED_CODE.to_owned(),
            chfpdr_name: NOT_NAMED.to_owned(),
            adm_diag_dscr: diagnosis.diag_name.clone(),
            adm_dept_codg: NOT_NAMED_CODE.to_owned(),
            adm_dept_name: NOT_NAMED.to_owned(),
            dscg_maindiag_code: diagnosis.diag_code.clone(),
            dscg_maindiag_name: diagnosis.diag_name.clone(),
            dise_codg: info.dise_codg.clone(),
            ..Admission::default()
        };
        let input = AdmissionInput {
            mdtrtinfo: admission,
            diseinfo: vec![diagnosis],
        };
        stepped(
            self.ask("2401", place_of(sale), &input, visit::read_mdtrt_id)
                .await,
        )
    }

    /// 2402.
    async fn discharged(&self, sale: &SaleRequest, input: &SaleInput, visit: &Visit) -> Result<(), Stopped> {
        let info = &input.druginfo;
        let ended = sale.claim.visit.enddate.as_ref();
        let discharge = Discharge {
            mdtrt_id: visit.mdtrt_id.clone(),
            psn_no: info.psn_no.clone(),
            insutype: info.insutype.clone(),
            endtime: ended.map_or_else(|| info.begntime.clone(), ToString::to_string),
            dscg_dept_codg: NOT_NAMED_CODE.to_owned(),
            dscg_dept_name: NOT_NAMED.to_owned(),
            dscg_way: "1".to_owned(),
            ..Discharge::default()
        };
        let input = DischargeInput {
            dscginfo: discharge,
            diseinfo: vec![self.diagnosis(input)],
        };
        stepped(self.ask("2402", place_of(sale), &input, |_| Some(())).await)
    }

    fn diagnosis(&self, input: &SaleInput) -> Diagnosis {
        let info = &input.druginfo;
        let (code, name) = if info.dise_codg.is_empty() {
            NO_DIAGNOSIS
        } else {
            (info.dise_codg.as_str(), info.dise_codg.as_str())
        };
        Diagnosis {
            diag_type: "1".to_owned(),
            diag_srt_no: "1".to_owned(),
            diag_code: code.to_owned(),
            diag_name: name.to_owned(),
            diag_dept: NOT_NAMED.to_owned(),
            dise_dor_no: NOT_NAMED_CODE.to_owned(),
            dise_dor_name: NOT_NAMED.to_owned(),
            diag_time: info.begntime.clone(),
            vali_flag: "1".to_owned(),
        }
    }

    fn details(&self, input: &SaleInput, visit: &Visit) -> Vec<FeeDetail> {
        let rows = input.drugdetail.iter().map(|row| FeeDetail {
            feedetl_sn: row.feedetl_sn.clone(),
            mdtrt_id: visit.mdtrt_id.clone(),
            psn_no: input.druginfo.psn_no.clone(),
            chrg_bchno: visit.chrg_bchno.clone(),
            dise_codg: input.druginfo.dise_codg.clone(),
            rxno: row.rxno.clone(),
            rx_circ_flag: row.rx_circ_flag.clone(),
            fee_ocur_time: row.fee_ocur_time.clone(),
            med_list_codg: row.med_list_codg.clone(),
            medins_list_codg: row.medins_list_codg.clone(),
            det_item_fee_sumamt: row.det_item_fee_sumamt.clone(),
            cnt: row.cnt.clone(),
            pric: row.pric.clone(),
            bilg_dept_codg: NOT_NAMED_CODE.to_owned(),
            bilg_dept_name: NOT_NAMED.to_owned(),
            bilg_dr_codg: NOT_NAMED_CODE.to_owned(),
            bilg_dr_name: NOT_NAMED.to_owned(),
            hosp_appr_flag: "0".to_owned(),
        });
        rows.collect()
    }

    /// 2206 and 2303, or with the trial's figures 2207 and 2304.
    fn bill(
        &self,
        sale: &SaleRequest,
        input: &SaleInput,
        visit: &Visit,
        trial: Option<&SettledReply>,
    ) -> VisitBillInput {
        let info = &input.druginfo;
        let figures = trial.map(|trial| &trial.setlinfo);
        let text =
            |amount: Option<yijie_rules::Money>| amount.map(|amount| amount.to_string()).unwrap_or_default();
        let with_settlement = trial.is_some() && self.seal.profile.trace_codes == TraceCodes::Settlement;
        let codes = sale.traces.iter().filter(|_| with_settlement);
        VisitBillInput {
            data: VisitBill {
                psn_no: info.psn_no.clone(),
                mdtrt_cert_type: info.mdtrt_cert_type.clone(),
                mdtrt_cert_no: info.mdtrt_cert_no.clone(),
                med_type: info.med_type.clone(),
                medfee_sumamt: info.medfee_sumamt.clone(),
                psn_setlway: "01".to_owned(),
                mdtrt_id: visit.mdtrt_id.clone(),
                chrg_bchno: visit.chrg_bchno.clone(),
                acct_used_flag: info.acct_used_flag.clone(),
                insutype: info.insutype.clone(),
                invono: info.invono.clone(),
                fulamt_ownpay_amt: text(figures.map(|figures| figures.fulamt_ownpay_amt)),
                overlmt_selfpay: text(figures.map(|figures| figures.overlmt_selfpay)),
                preselfpay_amt: text(figures.map(|figures| figures.preselfpay_amt)),
                inscp_scp_amt: text(figures.map(|figures| figures.inscp_scp_amt)),
                exp_content: info.exp_content.clone(),
            },
            drug_trac_info: codes
                .map(|code| SettledCode {
                    feedetl_sn: code.feedetl_sn.clone(),
                    drug_trac_codg: code.code.clone(),
                    trdn_flag: if code.split { "1" } else { "0" }.to_owned(),
                    min_prcunt_type: "2".to_owned(),
                })
                .collect(),
        }
    }
}

fn place_of(sale: &SaleRequest) -> &str {
    sale.claim.person.insuplc_admdvs.as_deref().unwrap_or_default()
}
