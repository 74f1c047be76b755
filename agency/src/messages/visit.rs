//! A hospital's visit: 2201–2205 outpatient, 2301–2302 and 2401–2405 inpatient, and the settlement of either (2206,
//! 2207, 2303, 2304), which names the visit instead of the goods.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use yijie_rules::{Money, Quantity, UnitPrice};

use super::{
    codes,
    form::message,
    settled::{EMPTY, IDENTITY_BROKEN, Irregularity, UNREADABLE},
};
use crate::{
    envelope::INPUT_LEN_MAX,
    fields::{Checked, FieldFault},
    lenient::{Fields, Node},
    numbers::{amount, without_currency},
    output::Output,
};

message! {
    /// 2201: an outpatient registers.
    pub Registration {
        psn_no must 30, insutype open 6, begntime time, mdtrt_cert_type code codes::MDTRT_CERT_TYPE, mdtrt_cert_no must 50,
        ipt_otp_no must 30, atddr_no must 30, dr_name must 50, dept_code must 30, dept_name must 100, caty must 6,
    }
}

message! {
    /// 2202: a registration is taken back.
    pub RegistrationCancel { psn_no must 30, mdtrt_id must 30, ipt_otp_no must 30, }
}

message! {
    /// mdtrtinfo of 2203 and 2203A: what the visit is for.
    pub VisitInfo {
        mdtrt_id must 30, psn_no must 30, med_type open 6, begntime time, main_cond_dscr may 1000,
        dise_codg may 30, dise_name may 500, birctrl_type may 6, birctrl_matn_date mayday, matn_type may 6,
        geso_val maysum,
    }
}

message! {
    /// A diagnosis.
    pub Diagnosis {
        diag_type code codes::DIAG_TYPE, diag_srt_no whole, diag_code must 20, diag_name must 100, diag_dept must 50,
        dise_dor_no must 30, dise_dor_name must 50, diag_time time, vali_flag flag,
    }
}

/// 2203.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct VisitInput {
    pub(crate) mdtrtinfo: VisitInfo,
    pub(crate) diseinfo: Vec<Diagnosis>,
}

impl Checked for VisitInput {
    fn check(&self) -> Result<(), FieldFault> {
        self.mdtrtinfo.check()?;
        self.diseinfo.iter().try_for_each(Checked::check)
    }
}

message! {
    /// A row of 2204 and 2301.
    pub FeeDetail {
        feedetl_sn must 30, mdtrt_id must 30, psn_no must 30, chrg_bchno must 30, dise_codg may 30, rxno may 30,
        rx_circ_flag flag, fee_ocur_time time, med_list_codg must 50, medins_list_codg must 150,
        det_item_fee_sumamt sum, cnt cnt, pric pric, sin_dos_dscr may 200, used_frqu_dscr may 200, prd_days maysum,
        medc_way_dscr may 200, bilg_dept_codg must 30, bilg_dept_name must 100, bilg_dr_codg must 30,
        bilg_dr_name must 50, acord_dept_codg may 30, acord_dept_name may 100, orders_dr_code may 30,
        orders_dr_name may 50, hosp_appr_flag code codes::HOSP_APPR_FLAG, tcmdrug_used_way may 6, etip_flag mayflag, etip_hosp_code may 30,
        dscg_tkdrug_flag mayflag, matn_fee_flag may 6,
        #[serde(skip_serializing_if = "String::is_empty")]
        chrgitm_lv may 3,
        #[serde(skip_serializing_if = "String::is_empty")]
        selfpay_prop mayratio,
    }
}

/// 2204 and 2301.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct FeeInput {
    pub(crate) feedetail: Vec<FeeDetail>,
}

/// Most rows of one call.
const ROWS_MAX: usize = 100;
/// Most bytes of them: encrypted, a third more is sent.
const ROWS_LEN_MAX: usize = INPUT_LEN_MAX / 4 * 3 - 100;

impl FeeInput {
    /// The rows in as many calls as they take.
    pub(crate) fn in_calls(rows: Vec<FeeDetail>) -> Vec<FeeInput> {
        let mut calls = vec![FeeInput::default()];
        let mut room = ROWS_LEN_MAX;
        for row in rows {
            let length = serde_json::to_string(&row).map_or(0, |text| text.len() + 1);
            if let Some(call) = calls.last_mut()
                && (call.feedetail.is_empty() || call.feedetail.len() < ROWS_MAX && length <= room)
            {
                call.feedetail.push(row);
            } else {
                calls.push(FeeInput { feedetail: vec![row] });
                room = ROWS_LEN_MAX;
            }
            room = room.saturating_sub(length);
        }
        calls
    }
}

impl Checked for FeeInput {
    fn check(&self) -> Result<(), FieldFault> {
        if self.feedetail.is_empty() {
            return Err(FieldFault {
                field: "feedetail",
                problem: "missing",
            });
        }
        self.feedetail.iter().try_for_each(Checked::check)
    }
}

message! {
    /// 2205 and 2302: details that are not settled are taken back; chrg_bchno 0000 for all of them.
    pub FeeCancel { mdtrt_id must 30, chrg_bchno must 30, psn_no must 30, }
}

message! {
    /// 2206 and 2303.
    pub VisitBill {
        psn_no must 30, mdtrt_cert_type code codes::MDTRT_CERT_TYPE, mdtrt_cert_no must 50, med_type open 6, medfee_sumamt sum,
        psn_setlway code codes::PSN_SETLWAY, mdtrt_id must 30, chrg_bchno must 30, acct_used_flag flag, insutype open 6,
        invono may 20, fulamt_ownpay_amt maysum, overlmt_selfpay maysum, preselfpay_amt maysum, inscp_scp_amt maysum,
        #[serde(alias = "expContent")]
        exp_content may 200000,
    }
}

message! {
    /// A drug's code with the settlement, where the province wants it there. min_prcunt_type 2: the smallest package.
    pub(crate) SettledCode {
        feedetl_sn must 30, drug_trac_codg must 100, trdn_flag flag, min_prcunt_type code codes::MIN_PRCUNT_TYPE,
    }
}

/// 2206, 2207, 2303, 2304.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct VisitBillInput {
    pub(crate) data: VisitBill,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) drug_trac_info: Vec<SettledCode>,
}

impl Checked for VisitBillInput {
    fn check(&self) -> Result<(), FieldFault> {
        self.data.check()?;
        self.drug_trac_info.iter().try_for_each(Checked::check)
    }
}

impl VisitBillInput {
    /// As [`Checked::check`], for 2207 and 2304, which repeat the trial's amounts.
    pub(crate) fn check_settling(&self) -> Result<(), FieldFault> {
        self.check()?;
        let data = &self.data;
        super::form::sum("fulamt_ownpay_amt", &data.fulamt_ownpay_amt)?;
        super::form::sum("overlmt_selfpay", &data.overlmt_selfpay)?;
        super::form::sum("preselfpay_amt", &data.preselfpay_amt)?;
        super::form::sum("inscp_scp_amt", &data.inscp_scp_amt)
    }
}

message! {
    /// mdtrtinfo of 2401 and 2403: a patient is admitted, or an admission is corrected.
    pub Admission {
        psn_no must 30, insutype open 6, coner_name may 50, tel may 50, begntime time, mdtrt_cert_type code codes::MDTRT_CERT_TYPE,
        mdtrt_cert_no must 50, med_type open 6, ipt_no must 30, medrcdno may 30, atddr_no must 30,
        chfpdr_name must 50, adm_diag_dscr must 200, adm_dept_codg must 30, adm_dept_name must 100, adm_bed may 30,
        dscg_maindiag_code must 20, dscg_maindiag_name must 300, mdtrt_id may 30, dise_codg may 30,
    }
}

/// 2401 and 2403.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct AdmissionInput {
    pub(crate) mdtrtinfo: Admission,
    pub(crate) diseinfo: Vec<Diagnosis>,
}

impl Checked for AdmissionInput {
    fn check(&self) -> Result<(), FieldFault> {
        self.mdtrtinfo.check()?;
        self.diseinfo.iter().try_for_each(Checked::check)
    }
}

message! {
    /// dscginfo of 2402: a patient is discharged.
    pub Discharge {
        mdtrt_id must 30, psn_no must 30, insutype open 6, endtime time, dise_codg may 30, dise_name may 500,
        oprn_oprt_code may 30, oprn_oprt_name may 500, cop_flag mayflag, dscg_dept_codg must 30, dscg_dept_name must 100,
        dscg_bed may 30, dscg_way must 3, die_date mayday,
    }
}

/// 2402.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct DischargeInput {
    pub(crate) dscginfo: Discharge,
    pub(crate) diseinfo: Vec<Diagnosis>,
}

impl Checked for DischargeInput {
    fn check(&self) -> Result<(), FieldFault> {
        self.dscginfo.check()?;
        self.diseinfo.iter().try_for_each(Checked::check)
    }
}

message! {
    /// 2404 and 2405: an admission or a discharge is taken back.
    pub StayCancel { mdtrt_id must 30, psn_no must 30, }
}

/// The visit that 2201 and 2401 open.
#[derive(Serialize)]
pub(crate) struct Opened {
    pub(crate) mdtrt_id: String,
    psn_no: String,
    ipt_otp_no: String,
}

pub(crate) fn read_opened(output: &Output<'_>) -> Option<Opened> {
    let named = output
        .with_any(&["mdtrtinfo"])
        .and_then(|around| around.get("mdtrtinfo")?.fields());
    let told = named.or_else(|| output.with_any(&["mdtrt_id"]))?;
    let mdtrt_id = told.id("mdtrt_id");
    (!mdtrt_id.is_empty()).then(|| Opened {
        mdtrt_id,
        psn_no: told.id("psn_no"),
        ipt_otp_no: told.text("ipt_otp_no"),
    })
}

/// Its number.
pub(crate) fn read_mdtrt_id(output: &Output<'_>) -> Option<String> {
    read_opened(output).map(|opened| opened.mdtrt_id)
}

/// The one identity of a row.
pub(crate) const ROW_IDENTITY: &str =
    "det_item_fee_sumamt = own pay + over limit + first self-pay + in scope, row by row";

/// What 2204 and 2301 make of the details.
pub(crate) struct FeeRows {
    pub(crate) rows: Vec<FeeRow>,
    pub(crate) irregularities: Vec<Irregularity>,
}

/// A row of their answer.
#[derive(Serialize)]
pub(crate) struct FeeRow {
    feedetl_sn: String,
    cnt: String,
    pric: String,
    det_item_fee_sumamt: Option<Money>,
    fulamt_ownpay_amt: Option<Money>,
    overlmt_amt: Option<Money>,
    preselfpay_amt: Option<Money>,
    inscp_scp_amt: Option<Money>,
    selfpay_prop: String,
    /// Empty where there is none (999999).
    pric_uplmt_amt: String,
    chrgitm_lv: String,
    med_chrgitm_type: String,
    lmt_used_flag: String,
    memo: String,
}

/// None where not one detail is in it.
pub(crate) fn read_fee_rows(output: &Output<'_>) -> Option<FeeRows> {
    let mut irregularities = Vec::new();
    let node = output.node()?;
    let named = node.fields().and_then(|fields| {
        let mut lists = ["result", "feedetail", "data"]
            .iter()
            .map(|name| fields.items(name));
        lists.find(|rows| !rows.is_empty())
    });
    let rows: Vec<FeeRow> = named
        .unwrap_or_else(|| node.rows())
        .into_iter()
        .filter_map(Node::fields)
        .map(|row| fee_row(&row, &mut irregularities))
        .collect();
    let mut seen = HashSet::new();
    for row in &rows {
        if !row.feedetl_sn.is_empty() && !seen.insert(row.feedetl_sn.as_str()) {
            irregularities.push(Irregularity::new(
                "ROW_TWICE",
                &format!("feedetl_sn {}", row.feedetl_sn),
            ));
        }
    }
    let told = rows.iter().any(|row| !row.feedetl_sn.is_empty());
    told.then_some(FeeRows { rows, irregularities })
}

fn fee_row(row: &Fields<'_>, irregularities: &mut Vec<Irregularity>) -> FeeRow {
    let mut money = |spellings: &[&str]| {
        let name = spellings.first().copied().unwrap_or_default();
        let text = row.text_of(spellings);
        let read = amount(&without_currency(&text));
        let odd = match &read {
            None if text.is_empty() => Some(EMPTY),
            None => Some(UNREADABLE),
            Some(amount) => amount.rounded.then_some("AMOUNT_BELOW_FEN"),
        };
        irregularities.extend(odd.map(|code| Irregularity::new(code, name)));
        read.map(|amount| amount.money)
    };
    let found = FeeRow {
        feedetl_sn: row.id("feedetl_sn"),
        det_item_fee_sumamt: money(&["det_item_fee_sumamt"]),
        fulamt_ownpay_amt: money(&["fulamt_ownpay_amt"]),
        overlmt_amt: money(&["overlmt_amt", "overlmt_selfpay"]),
        preselfpay_amt: money(&["preselfpay_amt"]),
        inscp_scp_amt: money(&["inscp_scp_amt"]),
        selfpay_prop: row.text("selfpay_prop"),
        pric_uplmt_amt: Some(row.text("pric_uplmt_amt"))
            .filter(|limit| !limit.starts_with("999999"))
            .unwrap_or_default(),
        chrgitm_lv: row.text("chrgitm_lv"),
        med_chrgitm_type: row.text("med_chrgitm_type"),
        lmt_used_flag: row.text("lmt_used_flag"),
        cnt: row.text("cnt"),
        pric: row.text("pric"),
        memo: row.text("memo"),
    };
    let mut expect = |code: &'static str, holds: bool| {
        if !holds {
            let row = format!("feedetl_sn {}", found.feedetl_sn);
            irregularities.push(Irregularity::new(code, &row));
        }
    };
    let parts = [
        found.fulamt_ownpay_amt,
        found.overlmt_amt,
        found.preselfpay_amt,
        found.inscp_scp_amt,
    ];
    // A part that is not told is none where the others come to the whole.
    let whole = found.det_item_fee_sumamt;
    expect(
        IDENTITY_BROKEN,
        whole.is_some() && Money::sum(parts.into_iter().flatten()) == whole,
    );
    let multiplies = whole.and_then(|whole| is_product(&found.cnt, &found.pric, whole));
    expect("PRICE_TIMES_COUNT_DIFFERS", multiplies != Some(false));
    found
}

/// Whether count and price come to an amount, but for the fen that rounding may take either way; None: they can't be read.
fn is_product(cnt: &str, pric: &str, amount: Money) -> Option<bool> {
    let (cnt, pric) = (Quantity::parse(cnt).ok()?, UnitPrice::parse(pric).ok()?);
    let product = i128::from(cnt.scaled()) * i128::from(pric.scaled());
    let fen = 10_i128.pow(Quantity::PLACES + UnitPrice::PLACES - 2);
    Some((product - i128::from(amount.fen()) * fen).abs() < fen)
}
