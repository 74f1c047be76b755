//! 3101 before and 3102 during care (事前、事中明细审核): a bill is looked through by the agency's rules, and what they
//! find is told before anybody pays. No table of their fields is public: these are the names implementations use.

use serde::{Deserialize, Serialize};
use yijie_rules::{Claim, Money, SetlInfo};

use super::{
    codes,
    form::{Data, message},
    named::{department, diagnosis, physician},
    pharmacy::SaleInput,
};
use crate::{
    fields::{Checked, FieldFault},
    output::Output,
};

message! {
    /// What is asked, and when: trig_scen 1 before care, 2 while the bill is settled.
    pub(crate) AuditHead { syscode must 50, trig_scen must 3, task_id must 30, }
}

message! {
    /// Whose bill it is.
    pub(crate) AuditPatient {
        patn_id must 30, patn_name may 50, gend maycode codes::GEND, brdy mayday, poolarea must 6, curr_mdtrt_id must 30,
    }
}

message! {
    /// The visit.
    pub(crate) AuditVisit {
        mdtrt_id must 30, medins_id must 30, medins_name must 200, medins_admdvs must 6, medins_type code codes::FIXMEDINS_TYPE,
        medins_lv may 6, adm_date time, dscg_date maytime, dscg_main_dise_codg must 30, dscg_main_dise_name must 500,
        dr_codg must 30, adm_dept_codg must 50, adm_dept_name must 100, med_mdtrt_type must 6, med_type open 6,
        matn_stas must 6, medfee_sumamt sum, ownpay_amt sum, selfpay_amt sum, hifp_payamt maysum, acct_payamt maysum,
        setl_totlnum whole, insutype open 6, reim_flag flag, out_setl_flag flag,
    }
}

message! {
    /// A diagnosis of it.
    pub(crate) AuditDiagnosis {
        dise_id must 30, inout_dise_type must 6, maindise_flag flag, dias_srt_no whole, dise_codg must 30,
        dise_name must 500, dise_date time,
    }
}

message! {
    /// A line of the bill.
    pub(crate) AuditOrder {
        rx_id must 50, rxno must 50, long_drord_flag must 3, hilist_type code codes::LIST_TYPE, chrg_type code codes::MED_CHRGITM_TYPE, drord_bhvr must 3,
        hilist_code must 50, hilist_name must 200, hilist_lv maycode codes::CHRGITM_LV, hosplist_code must 150, hosplist_name must 200,
        cnt cnt, pric pric, sumamt sum, ownpay_amt sum, selfpay_amt sum, drord_begn_date time, drord_dept_codg must 30,
        drord_dept_name must 100, drord_dr_codg must 30, drord_dr_name must 50, curr_drord_flag must 3,
    }
}

/// data of 3101 and 3102.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct AuditData {
    #[serde(flatten)]
    head: AuditHead,
    patient_dtos: Vec<Patient>,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Patient {
    #[serde(flatten)]
    who: AuditPatient,
    fsi_encounter_dtos: Vec<Visit>,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Visit {
    #[serde(flatten)]
    visit: AuditVisit,
    fsi_diagnose_dtos: Vec<AuditDiagnosis>,
    fsi_order_dtos: Vec<AuditOrder>,
}

impl Checked for AuditData {
    fn check(&self) -> Result<(), FieldFault> {
        self.head.check()?;
        not_empty("patient_dtos", &self.patient_dtos)?;
        for patient in &self.patient_dtos {
            patient.who.check()?;
            not_empty("fsi_encounter_dtos", &patient.fsi_encounter_dtos)?;
            for visit in &patient.fsi_encounter_dtos {
                visit.visit.check()?;
                not_empty("fsi_diagnose_dtos", &visit.fsi_diagnose_dtos)?;
                visit.fsi_diagnose_dtos.iter().try_for_each(Checked::check)?;
                not_empty("fsi_order_dtos", &visit.fsi_order_dtos)?;
                visit.fsi_order_dtos.iter().try_for_each(Checked::check)?;
            }
        }
        Ok(())
    }
}

fn not_empty<T>(field: &'static str, rows: &[T]) -> Result<(), FieldFault> {
    if rows.is_empty() {
        return Err(FieldFault {
            field,
            problem: "missing",
        });
    }
    Ok(())
}

/// What the question is about.
pub(crate) struct Asked<'a> {
    pub(crate) claim: &'a Claim,
    pub(crate) input: &'a SaleInput,
    /// The figures of the trial, once there was one.
    pub(crate) trial: Option<&'a SetlInfo>,
    pub(crate) institution: &'a crate::InstitutionId,
    pub(crate) task_id: String,
}

pub(crate) fn question(asked: &Asked<'_>) -> Data<AuditData> {
    let (claim, info) = (asked.claim, &asked.input.druginfo);
    let zero = || Money::ZERO.to_string();
    let sum = |of: fn(&SetlInfo) -> Money| asked.trial.map_or_else(zero, |trial| of(trial).to_string());
    let (diagnosis, physician, department) = (diagnosis(claim), physician(claim), department(claim));
    let own = |text: &str| text.to_owned();
    let visit = AuditVisit {
        mdtrt_id: asked.task_id.clone(),
        medins_id: asked.institution.code.clone(),
        medins_name: asked.institution.name.clone(),
        medins_admdvs: asked.institution.admdvs.clone(),
        medins_type: claim
            .institution
            .fixmedins_type
            .as_deref()
            .map_or_else(|| own("1"), own),
        medins_lv: claim.institution.medinslv.as_deref().map(own).unwrap_or_default(),
        adm_date: info.begntime.clone(),
        dscg_date: String::new(),
        dscg_main_dise_codg: diagnosis.code.clone(),
        dscg_main_dise_name: diagnosis.name.clone(),
        dr_codg: physician.code.clone(),
        adm_dept_codg: department.code.clone(),
        adm_dept_name: department.name.clone(),
        med_mdtrt_type: own("1"),
        med_type: info.med_type.clone(),
        matn_stas: own("0"),
        medfee_sumamt: info.medfee_sumamt.clone(),
        ownpay_amt: sum(|trial| trial.fulamt_ownpay_amt),
        selfpay_amt: sum(|trial| trial.preselfpay_amt),
        hifp_payamt: sum(|trial| trial.hifp_pay),
        acct_payamt: sum(|trial| trial.acct_pay),
        setl_totlnum: own("1"),
        insutype: info.insutype.clone(),
        reim_flag: own("0"),
        out_setl_flag: own("0"),
    };
    let diagnosed = AuditDiagnosis {
        dise_id: own("1"),
        inout_dise_type: own("1"),
        maindise_flag: own("1"),
        dias_srt_no: own("1"),
        dise_codg: diagnosis.code,
        dise_name: diagnosis.name,
        dise_date: info.begntime.clone(),
    };
    let orders = asked.input.drugdetail.iter().zip(&claim.lines);
    let orders = orders.map(|(row, line)| AuditOrder {
        rx_id: row.feedetl_sn.clone(),
        rxno: if row.rxno.is_empty() {
            row.feedetl_sn.clone()
        } else {
            row.rxno.clone()
        },
        long_drord_flag: own("0"),
        hilist_type: own("101"),
        chrg_type: own("09"),
        drord_bhvr: own("0"),
        hilist_code: row.med_list_codg.clone(),
        hilist_name: line
            .name
            .as_deref()
            .map_or_else(|| row.med_list_codg.clone(), own),
        hilist_lv: String::new(),
        hosplist_code: row.medins_list_codg.clone(),
        hosplist_name: line
            .name
            .as_deref()
            .map_or_else(|| row.med_list_codg.clone(), own),
        cnt: row.cnt.clone(),
        pric: row.pric.clone(),
        sumamt: row.det_item_fee_sumamt.clone(),
        ownpay_amt: zero(),
        selfpay_amt: zero(),
        drord_begn_date: row.fee_ocur_time.clone(),
        drord_dept_codg: department.code.clone(),
        drord_dept_name: department.name.clone(),
        drord_dr_codg: physician.code.clone(),
        drord_dr_name: physician.name.clone(),
        curr_drord_flag: own("1"),
    });
    let encounter = Visit {
        visit,
        fsi_diagnose_dtos: vec![diagnosed],
        fsi_order_dtos: orders.collect(),
    };
    let patient = Patient {
        who: AuditPatient {
            patn_id: info.psn_no.clone(),
            brdy: claim.person.brdy.map(|day| day.to_string()).unwrap_or_default(),
            poolarea: claim
                .person
                .insuplc_admdvs
                .as_deref()
                .map_or_else(|| asked.institution.admdvs.clone(), own),
            curr_mdtrt_id: asked.task_id.clone(),
            ..AuditPatient::default()
        },
        fsi_encounter_dtos: vec![encounter],
    };
    Data {
        data: AuditData {
            head: AuditHead {
                syscode: own("YIJIE"),
                trig_scen: own(if asked.trial.is_some() { "2" } else { "1" }),
                task_id: asked.task_id.clone(),
            },
            patient_dtos: vec![patient],
        },
    }
}

/// What the agency's rules found fault with. `Debug` leaves the words out: they may name the patient.
#[derive(Clone, PartialEq, Eq)]
pub struct AuditFinding {
    /// Name of the rule.
    pub rule: String,
    /// What is the matter, in the agency's words.
    pub says: String,
}

impl std::fmt::Debug for AuditFinding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuditFinding")
            .field("rule", &self.rule)
            .finish_non_exhaustive()
    }
}

/// The findings; none where the rules are content.
pub(crate) fn read_findings(output: &Output<'_>) -> Option<Vec<AuditFinding>> {
    let findings = output.rows("result")?.into_iter().map(|row| AuditFinding {
        rule: row.text_of(&["rule_name", "rule_id"]),
        says: row.text_of(&["vola_cont", "memo"]),
    });
    Some(
        findings
            .filter(|finding| !(finding.rule.is_empty() && finding.says.is_empty()))
            .collect(),
    )
}

impl Data<AuditData> {
    /// The codes of the bill's lines and how many of each, for the sandbox's rules.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        let visits = self
            .data
            .patient_dtos
            .iter()
            .flat_map(|patient| &patient.fsi_encounter_dtos);
        let orders = visits.flat_map(|visit| &visit.fsi_order_dtos);
        orders.map(|order| {
            (
                order.hilist_code.as_str(),
                order.hilist_name.as_str(),
                order.cnt.as_str(),
            )
        })
    }
}
