//! A hospital's visit up to its trial (2201, 2203, 2204, 2206; inpatient 2401, 2301, 2402, 2303), and its closing where
//! nothing comes of it.

use ring::rand::{SecureRandom as _, SystemRandom};

use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::{Client, sale::place_of};
use crate::{
    answer::{AgencyRefusal, Answer, Cause},
    clock::{beijing_now, now},
    messages::{
        benefits::{PersonTimeQuestion, Row, cell},
        form::Data,
        named::{self, NO_CATEGORY},
        pharmacy::{SaleInput, SaleRequest, Transactions},
        settled::{self, SettledReply},
        visit::{
            self, Admission, Diagnosis, Discharge, FeeCancel, FeeDetail, Registration, RegistrationCancel,
            SettledCode, StayCancel, VisitBill, VisitBillInput, VisitInfo, VisitInput,
        },
    },
    output::Output,
    profile::TraceCodes,
};

/// 2205: all details that are not settled.
const ALL_BATCHES: &str = "0000";
/// How long an opening without an answer may take to arrive at the agency after all.
const ARRIVES_WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// A visit that is open at the agency.
#[derive(Clone)]
pub(super) struct Visit {
    psn_no: String,
    /// insuplc_admdvs.
    place: String,
    mdtrt_id: String,
    chrg_bchno: String,
    /// The institution's own number of it.
    own_no: String,
    inpatient: bool,
    discharged: bool,
}

impl Visit {
    pub(super) fn is(&self, mdtrt_id: &str) -> bool {
        self.mdtrt_id == mdtrt_id
    }
}

/// An opening (2201, 2401) without an answer: the visit may be open at the agency, under a number not known here.
pub(super) struct Lost {
    psn_no: String,
    place: String,
    own_no: String,
    inpatient: bool,
    left: Timestamp,
}

/// What became of a visit that was to be closed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    Yes,
    /// The agency refuses: the visit was settled, or is gone.
    Refused,
    NoAnswer,
}

/// Why a visit did not get as far as its settlement. No money has moved.
pub(super) enum Stopped {
    Refused(AgencyRefusal),
    NotSent(Cause),
}

/// What a step before the settlement came to. Whatever became of a step without an answer, nothing was settled by it.
fn stepped<T>(answer: Answer<T>) -> Result<T, Stopped> {
    match answer {
        Answer::Done(value) => Ok(value),
        // The agency's own trouble, which a trial tells so, refuses nobody.
        Answer::Refused(refusal) if refusal.infcode == -1 => Err(Stopped::NotSent(Cause::AgencySystemError)),
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
    /// The steps up to and with the trial, on the visit that an earlier trial of the person left open or on a new one. A
    /// visit that does not get so far is to be closed.
    pub(super) async fn tried(
        &self,
        sale: &SaleRequest,
        input: &SaleInput,
        numbers: Transactions,
    ) -> Result<(Visit, SettledReply), Stopped> {
        let mut visit = self.opened(sale, input, numbers).await?;
        match self.stepped_through(sale, input, numbers, &mut visit).await {
            Ok(reply) => Ok((visit, reply)),
            Err(stopped) => {
                self.abandon(visit);
                Err(stopped)
            }
        }
    }

    /// The institution's own number of a visit (院内唯一流水). It stands in no journal, so nothing tells after a crash
    /// which are used: it is drawn.
    fn visit_number(&self) -> String {
        let mut drawn = [0; 15];
        match SystemRandom::new().fill(&mut drawn) {
            Ok(()) => drawn.iter().map(|byte| format!("{byte:02X}")).collect(),
            // Without chance a number of this process, which no other one of this second should use.
            Err(_) => self.settings.msgids.next(),
        }
    }

    async fn opened(
        &self,
        sale: &SaleRequest,
        input: &SaleInput,
        numbers: Transactions,
    ) -> Result<Visit, Stopped> {
        if let Some(visit) = self.earlier_visit(sale.claim.person.psn_no.as_str()) {
            if !numbers.inpatient()
                && !visit.inpatient
                && matches!(self.drop_details(&visit).await, Answer::Done(()))
            {
                return Ok(Visit {
                    chrg_bchno: self.settings.msgids.next(),
                    ..visit
                });
            }
            self.abandon(visit);
        }
        let own_no = self.visit_number();
        let opened = if numbers.inpatient() {
            self.admitted(sale, input, &own_no).await
        } else {
            self.registered(sale, input, &own_no).await
        };
        if matches!(opened, Answer::Unknown(_)) {
            self.trials().lost.push(Lost {
                psn_no: input.druginfo.psn_no.clone(),
                place: place_of(sale).to_owned(),
                own_no: own_no.clone(),
                inpatient: numbers.inpatient(),
                left: now(),
            });
        }
        let mdtrt_id = stepped(opened)?;
        Ok(Visit {
            psn_no: input.druginfo.psn_no.clone(),
            place: place_of(sale).to_owned(),
            chrg_bchno: self.settings.msgids.next(),
            mdtrt_id,
            own_no,
            inpatient: numbers.inpatient(),
            discharged: false,
        })
    }

    async fn stepped_through(
        &self,
        sale: &SaleRequest,
        input: &SaleInput,
        numbers: Transactions,
        visit: &mut Visit,
    ) -> Result<SettledReply, Stopped> {
        let place = place_of(sale);
        if !visit.inpatient {
            let described = VisitInput {
                mdtrtinfo: VisitInfo {
                    mdtrt_id: visit.mdtrt_id.clone(),
                    psn_no: visit.psn_no.clone(),
                    med_type: input.druginfo.med_type.clone(),
                    begntime: input.druginfo.begntime.clone(),
                    dise_codg: input.druginfo.dise_codg.clone(),
                    ..VisitInfo::default()
                },
                diseinfo: vec![diagnosis(sale, input)],
            };
            stepped(self.ask("2203", place, &described, |_| Some(())).await)?;
        }
        let infno = if visit.inpatient { "2301" } else { "2204" };
        stepped(self.details_by(infno, place, details(sale, input, visit)).await)?;
        if visit.inpatient {
            self.discharged(sale, input, visit).await?;
            visit.discharged = true;
        }
        let read = |output: &Output<'_>| settled::read_trial(output, &self.seal.profile);
        let bill = self.bill(sale, input, visit, None);
        stepped(self.ask(numbers.presettle, place, &bill, read).await)
    }

    /// 2205: all details of a visit.
    async fn drop_details(&self, visit: &Visit) -> Answer<()> {
        let data = FeeCancel {
            mdtrt_id: visit.mdtrt_id.clone(),
            chrg_bchno: ALL_BATCHES.to_owned(),
            psn_no: visit.psn_no.clone(),
        };
        if visit.inpatient {
            return self.cancel_stay_details(&visit.place, data).await;
        }
        self.ask("2205", &visit.place, &Data { data }, |_| Some(())).await
    }

    /// Closes a visit.
    pub(super) async fn close_visit(&self, visit: &Visit) -> Closed {
        let unanswered = |answer: &Answer<()>| !matches!(answer, Answer::Done(()) | Answer::Refused(_));
        let stay = StayCancel {
            mdtrt_id: visit.mdtrt_id.clone(),
            psn_no: visit.psn_no.clone(),
        };
        if visit.discharged && unanswered(&self.cancel_discharge(&visit.place, stay.clone()).await) {
            return Closed::NoAnswer;
        }
        if unanswered(&self.drop_details(visit).await) {
            return Closed::NoAnswer;
        }
        let closed = if visit.inpatient {
            self.cancel_admission(&visit.place, stay).await
        } else {
            let data = RegistrationCancel {
                psn_no: visit.psn_no.clone(),
                mdtrt_id: visit.mdtrt_id.clone(),
                ipt_otp_no: visit.own_no.clone(),
            };
            self.ask("2202", &visit.place, &Data { data }, |_| Some(())).await
        };
        match closed {
            Answer::Done(()) => Closed::Yes,
            Answer::Refused(_) => Closed::Refused,
            Answer::NotSent(_) | Answer::Unknown(_) => Closed::NoAnswer,
        }
    }

    /// Looks for the visits whose opening was not answered (5201): one that is there is to be closed, one that is not
    /// is looked for again as long as its opening may still arrive.
    pub(super) async fn find_lost(&self) {
        let all = std::mem::take(&mut self.trials().lost);
        for lost in all {
            match self.visit_of(&lost).await {
                Answer::Done(Some(visit)) => self.abandon(visit),
                Answer::Done(None) | Answer::Refused(_)
                    if now().duration_since(lost.left) > ARRIVES_WITHIN => {}
                _ => self.trials().lost.push(lost),
            }
        }
    }

    /// 5201: the visit that is open under a number of this institution's.
    async fn visit_of(&self, lost: &Lost) -> Answer<Option<Visit>> {
        // The agency's clock may be half a day off.
        let today = beijing_now().date();
        let question = PersonTimeQuestion {
            psn_no: lost.psn_no.clone(),
            begntime: format!("{} 00:00:00", today.saturating_sub(1.day())),
            endtime: format!("{} 23:59:59", today.saturating_add(1.day())),
            ..PersonTimeQuestion::default()
        };
        let own = if lost.inpatient { "ipt_no" } else { "ipt_otp_no" };
        self.visits(&lost.place, question).await.map(|rows| {
            let of_it = |row: &&Row| {
                [own, "ipt_otp_no"]
                    .iter()
                    .any(|name| cell(row, name) == lost.own_no)
            };
            let row = rows.iter().find(of_it)?;
            let mdtrt_id = Some(cell(row, "mdtrt_id")).filter(|mdtrt_id| !mdtrt_id.is_empty())?;
            Some(Visit {
                psn_no: lost.psn_no.clone(),
                place: lost.place.clone(),
                mdtrt_id: mdtrt_id.to_owned(),
                chrg_bchno: ALL_BATCHES.to_owned(),
                own_no: lost.own_no.clone(),
                inpatient: lost.inpatient,
                discharged: false,
            })
        })
    }

    /// 2201.
    async fn registered(&self, sale: &SaleRequest, input: &SaleInput, own_no: &str) -> Answer<String> {
        let info = &input.druginfo;
        let (physician, department) = (named::physician(&sale.claim), named::department(&sale.claim));
        let data = Registration {
            psn_no: info.psn_no.clone(),
            insutype: info.insutype.clone(),
            begntime: info.begntime.clone(),
            mdtrt_cert_type: info.mdtrt_cert_type.clone(),
            mdtrt_cert_no: info.mdtrt_cert_no.clone(),
            ipt_otp_no: own_no.to_owned(),
            atddr_no: physician.code,
            dr_name: physician.name,
            dept_code: department.code,
            dept_name: department.name,
            caty: NO_CATEGORY.to_owned(),
        };
        self.ask("2201", place_of(sale), &Data { data }, visit::read_mdtrt_id)
            .await
    }

    /// 2401.
    async fn admitted(&self, sale: &SaleRequest, input: &SaleInput, own_no: &str) -> Answer<String> {
        let info = &input.druginfo;
        let (physician, department) = (named::physician(&sale.claim), named::department(&sale.claim));
        let diagnosis = diagnosis(sale, input);
        let admission = Admission {
            psn_no: info.psn_no.clone(),
            insutype: info.insutype.clone(),
            begntime: info.begntime.clone(),
            mdtrt_cert_type: info.mdtrt_cert_type.clone(),
            mdtrt_cert_no: info.mdtrt_cert_no.clone(),
            med_type: info.med_type.clone(),
            ipt_no: own_no.to_owned(),
            atddr_no: physician.code,
            chfpdr_name: physician.name,
            adm_diag_dscr: diagnosis.diag_name.clone(),
            adm_dept_codg: department.code,
            adm_dept_name: department.name,
            dscg_maindiag_code: diagnosis.diag_code.clone(),
            dscg_maindiag_name: diagnosis.diag_name.clone(),
            dise_codg: info.dise_codg.clone(),
            ..Admission::default()
        };
        let msgid = self.settings.msgids.next();
        self.admit(&msgid, place_of(sale), admission, vec![diagnosis])
            .await
    }

    /// 2402.
    async fn discharged(&self, sale: &SaleRequest, input: &SaleInput, visit: &Visit) -> Result<(), Stopped> {
        let info = &input.druginfo;
        let ended = sale.claim.visit.enddate.as_ref();
        let department = named::department(&sale.claim);
        let discharge = Discharge {
            mdtrt_id: visit.mdtrt_id.clone(),
            psn_no: info.psn_no.clone(),
            insutype: info.insutype.clone(),
            endtime: ended.map_or_else(|| info.begntime.clone(), ToString::to_string),
            dscg_dept_codg: department.code,
            dscg_dept_name: department.name,
            dscg_way: "1".to_owned(),
            ..Discharge::default()
        };
        let diagnoses = vec![diagnosis(sale, input)];
        stepped(self.discharge(place_of(sale), discharge, diagnoses).await)
    }

    /// 2206 and 2303, or with the trial's figures 2207 and 2304.
    pub(super) fn bill(
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

fn diagnosis(sale: &SaleRequest, input: &SaleInput) -> Diagnosis {
    let found = named::diagnosis(&sale.claim);
    let (physician, department) = (named::physician(&sale.claim), named::department(&sale.claim));
    Diagnosis {
        diag_type: "1".to_owned(),
        diag_srt_no: "1".to_owned(),
        diag_code: found.code,
        diag_name: found.name,
        diag_dept: department.name,
        dise_dor_no: physician.code,
        dise_dor_name: physician.name,
        diag_time: input.druginfo.begntime.clone(),
        vali_flag: "1".to_owned(),
    }
}

fn details(sale: &SaleRequest, input: &SaleInput, visit: &Visit) -> Vec<FeeDetail> {
    let (physician, department) = (named::physician(&sale.claim), named::department(&sale.claim));
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
        prd_days: row.prd_days.clone(),
        bilg_dept_codg: department.code.clone(),
        bilg_dept_name: department.name.clone(),
        bilg_dr_codg: physician.code.clone(),
        bilg_dr_name: physician.name.clone(),
        hosp_appr_flag: "0".to_owned(),
        ..FeeDetail::default()
    });
    rows.collect()
}
