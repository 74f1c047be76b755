//! 2101 trial settlement, 2102 settlement, 2103 cancellation: a bill settled in one call, details and all. Which
//! transactions settle a bill is decided here and nowhere else ([`transactions_of`]).

use serde::{Deserialize, Serialize};
use yijie_rules::{Claim, Flag, Line, Money};

use crate::{
    fields::{Checked, FieldFault, code, flag, open, optional, required, time},
    messages::{
        codes,
        form::{message, sum},
        person::Credential,
    },
    profile::Profile,
};

/// A sale to be settled.
#[derive(Debug, Clone, PartialEq)]
pub struct SaleRequest {
    /// The bill with its person, visit and accounts, as the split engine takes it.
    pub claim: Claim,
    /// What the patient showed.
    pub credential: Credential,
    /// Invoice or slip number (invono), required by 2102.
    pub invono: String,
    /// Trace codes of the packs, for the provinces that want them with the settlement.
    pub traces: Vec<SoldCode>,
}

/// The trace code of a pack that is sold, and what is known of the pack; what is not is blank.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoldCode {
    /// The line it belongs to.
    pub feedetl_sn: String,
    /// drug_trac_codg.
    pub code: String,
    /// Part of the pack only (拆零): the code may come again.
    pub split: bool,
    /// manu_lotnum.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub lot: String,
    /// manu_date, yyyy-MM-dd.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub made_on: String,
    /// expy_end, yyyy-MM-dd.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub expires_on: String,
}

impl SoldCode {
    /// Whether one message may tell of both: of one line and one lot, both whole or both split.
    pub fn goes_with(&self, other: &SoldCode) -> bool {
        let of = |code: &SoldCode| {
            let lot = [&code.feedetl_sn, &code.lot, &code.made_on, &code.expires_on];
            (lot.map(String::clone), code.split)
        };
        of(self) == of(other)
    }
}

impl std::fmt::Debug for SoldCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SoldCode")
            .field("feedetl_sn", &self.feedetl_sn)
            .finish_non_exhaustive()
    }
}

/// The transaction numbers by which one kind of bill is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transactions {
    /// Trial settlement.
    pub presettle: &'static str,
    /// Settlement: the number a reversal names as oinfno.
    pub settle: &'static str,
    /// Cancellation.
    pub cancel: &'static str,
}

/// Which transactions settle a claim: a pharmacy's in one call, a hospital's as a visit, outpatient or inpatient.
pub fn transactions_of(claim: &Claim, profile: &Profile) -> Transactions {
    let institution = &claim.institution;
    let pharmacy = match institution.fixmedins_type.as_deref() {
        Some(kind) => kind == "2",
        None => institution.fixmedins_code.starts_with('P'),
    };
    transactions_for(pharmacy, &claim.visit.med_type, profile)
}

/// The same by what a settlement tells of itself: whether a pharmacy's, and its kind of care.
pub(crate) fn transactions_for(pharmacy: bool, med_type: &str, profile: &Profile) -> Transactions {
    if pharmacy || med_type.starts_with("41") || !profile.hospital_visits {
        PHARMACY
    } else if INPATIENT_CARE.contains(&med_type) {
        INPATIENT
    } else {
        OUTPATIENT
    }
}

/// Kinds of care with a stay.
pub(crate) const INPATIENT_CARE: [&str; 9] = ["21", "22", "23", "24", "25", "26", "27", "28", "52"];

/// The settlement category (清算类别) a kind of care counts in.
pub fn clr_type_of(med_type: &str) -> &'static str {
    match med_type {
        shop if shop.starts_with("41") => "41",
        stay if INPATIENT_CARE.contains(&stay) => "21",
        _ => "11",
    }
}

/// The pharmacy's transactions.
pub const PHARMACY: Transactions = Transactions {
    presettle: "2101",
    settle: "2102",
    cancel: "2103",
};

/// A hospital's for outpatients.
pub const OUTPATIENT: Transactions = Transactions {
    presettle: "2206",
    settle: "2207",
    cancel: "2208",
};

/// A hospital's for inpatients.
pub const INPATIENT: Transactions = Transactions {
    presettle: "2303",
    settle: "2304",
    cancel: "2305",
};

impl Transactions {
    /// The one whose settlement has this number; a pharmacy's for any other.
    pub(crate) fn settled_by(settle: &str) -> Transactions {
        let all = [OUTPATIENT, INPATIENT];
        all.into_iter()
            .find(|numbers| numbers.settle == settle)
            .unwrap_or(PHARMACY)
    }

    pub(crate) fn in_one_call(self) -> bool {
        self == PHARMACY
    }

    pub(crate) fn inpatient(self) -> bool {
        self == INPATIENT
    }
}

/// Which settlement to cancel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelRequest {
    /// The person, and the region for the envelope.
    pub insured: Insured,
    /// Settlement to cancel.
    pub setl_id: String,
    /// Its visit.
    pub mdtrt_id: String,
    /// Those it was settled by.
    pub transactions: Transactions,
}

/// A person as envelopes and queries name one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Insured {
    /// Person number.
    pub psn_no: String,
    /// Region insured in (from the row of 1101 that was chosen).
    pub insuplc_admdvs: String,
}

impl std::fmt::Debug for Insured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Insured")
            .field("insuplc_admdvs", &self.insuplc_admdvs)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct SaleInput {
    pub(crate) druginfo: DrugInfo,
    pub(crate) drugdetail: Vec<DrugDetail>,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct DrugInfo {
    pub(crate) psn_no: String,
    pub(crate) mdtrt_cert_type: String,
    pub(crate) mdtrt_cert_no: String,
    pub(crate) begntime: String,
    pub(crate) medfee_sumamt: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) invono: String,
    pub(crate) insutype: String,
    pub(crate) dise_codg: String,
    pub(crate) dise_name: String,
    pub(crate) acct_used_flag: String,
    pub(crate) med_type: String,
    /// Our own use of the extension parameter: `{"claim": …}` as text.
    #[serde(rename = "expContent", alias = "exp_content")]
    pub(crate) exp_content: String,
}

message! {
    /// A row of drugdetail. The last two are no fields of the specification's: what a province's gateway may say of the
    /// line itself.
    pub(crate) DrugDetail {
        feedetl_sn must 30, rxno may 30, rx_circ_flag flag, fee_ocur_time time, med_list_codg must 50,
        medins_list_codg must 150, det_item_fee_sumamt sum, cnt cnt, pric pric, prd_days maysum, bilg_dr_codg may 30,
        bilg_dr_name may 50,
        #[serde(skip_serializing_if = "String::is_empty")]
        chrgitm_lv may 3,
        #[serde(skip_serializing_if = "String::is_empty")]
        selfpay_prop mayratio,
    }
}

/// What stands in exp_content of a sale.
#[derive(Serialize)]
struct SaleExtension<'a> {
    claim: &'a Claim,
}

impl SaleInput {
    pub(crate) fn of(sale: &SaleRequest, settling: bool, profile: &Profile) -> Result<SaleInput, FieldFault> {
        let claim = &sale.claim;
        let unfit = |field| {
            move |_| FieldFault {
                field,
                problem: "can't be written",
            }
        };
        let exp_content = if profile.claim_in_exp_content {
            serde_json::to_string(&SaleExtension { claim }).map_err(unfit("expContent"))?
        } else {
            String::new()
        };
        let total = claim_total(claim).ok_or(FieldFault {
            field: "det_item_fee_sumamt",
            problem: "missing",
        })?;
        Ok(SaleInput {
            druginfo: DrugInfo {
                psn_no: claim.person.psn_no.to_string(),
                mdtrt_cert_type: sale.credential.cert_type().to_owned(),
                mdtrt_cert_no: sale.credential.cert_no().to_owned(),
                begntime: claim.visit.begntime.to_string(),
                medfee_sumamt: total.to_string(),
                invono: if settling {
                    sale.invono.clone()
                } else {
                    String::new()
                },
                insutype: claim.person.insutype.to_string(),
                dise_codg: text_of(claim.visit.dise_codg.as_ref()),
                dise_name: String::new(),
                acct_used_flag: flag_text(claim.accounts.acct_used_flag, Flag::Yes).to_owned(),
                med_type: claim.visit.med_type.to_string(),
                exp_content,
            },
            drugdetail: claim.lines.iter().map(|line| detail_of(claim, line)).collect(),
        })
    }

    /// The bill without what only its settlement has: a trial of the same bill has the same.
    pub(crate) fn fingerprint(&self) -> String {
        let info = &self.druginfo;
        let rows = self.drugdetail.iter().flat_map(|row| {
            [
                &row.feedetl_sn,
                &row.med_list_codg,
                &row.cnt,
                &row.pric,
                &row.det_item_fee_sumamt,
            ]
            .map(String::as_str)
        });
        let head = [
            &info.psn_no,
            &info.mdtrt_cert_no,
            &info.begntime,
            &info.insutype,
            &info.dise_codg,
            &info.acct_used_flag,
            &info.med_type,
            &info.exp_content,
        ];
        let head = head.into_iter().map(String::as_str);
        head.chain(rows).collect::<Vec<_>>().join("\n")
    }

    /// As [`Checked::check`], for 2102, which also needs an invoice number.
    pub(crate) fn check_settling(&self) -> Result<(), FieldFault> {
        self.check()?;
        required("invono", &self.druginfo.invono, 20)
    }
}

impl Checked for SaleInput {
    fn check(&self) -> Result<(), FieldFault> {
        let info = &self.druginfo;
        required("psn_no", &info.psn_no, 30)?;
        code("mdtrt_cert_type", &info.mdtrt_cert_type, codes::MDTRT_CERT_TYPE)?;
        required("mdtrt_cert_no", &info.mdtrt_cert_no, 50)?;
        time("begntime", &info.begntime)?;
        sum("medfee_sumamt", &info.medfee_sumamt)?;
        open("insutype", &info.insutype, 6)?;
        optional("dise_codg", &info.dise_codg, 30)?;
        optional("dise_name", &info.dise_name, 500)?;
        flag("acct_used_flag", &info.acct_used_flag)?;
        open("med_type", &info.med_type, 6)?;
        if self.drugdetail.is_empty() {
            return Err(FieldFault {
                field: "drugdetail",
                problem: "missing",
            });
        }
        self.drugdetail.iter().try_for_each(Checked::check)
    }
}

/// The sum of the lines; None if one has no amount or the sum is too large.
fn claim_total(claim: &Claim) -> Option<Money> {
    let amounts: Option<Vec<Money>> = claim.lines.iter().map(|line| line.det_item_fee_sumamt).collect();
    Money::sum(amounts?)
}

/// A line without catalogue code goes under its own number, a line without price as one piece at its amount.
fn detail_of(claim: &Claim, line: &Line) -> DrugDetail {
    let amount = line
        .det_item_fee_sumamt
        .map(|amount| amount.to_string())
        .unwrap_or_default();
    let code = line
        .med_list_codg
        .as_ref()
        .map_or_else(|| line.feedetl_sn.to_string(), ToString::to_string);
    let rxno = claim.visit.rxno.as_ref();
    let doctor = claim.visit.practitioner.as_ref().map(|known| &known.dr_codg);
    DrugDetail {
        feedetl_sn: line.feedetl_sn.to_string(),
        rxno: text_of(rxno),
        rx_circ_flag: match rxno {
            Some(_) => "1",
            None => flag_text(claim.visit.rx_circ_flag, Flag::No),
        }
        .to_owned(),
        prd_days: text_of(line.prd_days.as_ref()),
        bilg_dr_codg: text_of(doctor),
        bilg_dr_name: text_of(doctor),
        fee_ocur_time: claim.visit.begntime.to_string(),
        medins_list_codg: code.clone(),
        med_list_codg: code,
        cnt: line
            .cnt
            .filter(|_| line.pric.is_some())
            .map_or_else(|| "1".to_owned(), |cnt| cnt.to_string()),
        pric: line.pric.map_or_else(|| amount.clone(), |pric| pric.to_string()),
        det_item_fee_sumamt: amount,
        ..DrugDetail::default()
    }
}

fn text_of<T: ToString>(value: Option<&T>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

fn flag_text(flag: Option<Flag>, neutral: Flag) -> &'static str {
    match flag.unwrap_or(neutral) {
        Flag::No => "0",
        Flag::Yes => "1",
    }
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct CancelInput {
    pub(crate) data: CancelData,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct CancelData {
    pub(crate) psn_no: String,
    pub(crate) setl_id: String,
    pub(crate) mdtrt_id: String,
}

impl From<&CancelRequest> for CancelInput {
    fn from(request: &CancelRequest) -> Self {
        CancelInput {
            data: CancelData {
                psn_no: request.insured.psn_no.clone(),
                setl_id: request.setl_id.clone(),
                mdtrt_id: request.mdtrt_id.clone(),
            },
        }
    }
}

impl Checked for CancelInput {
    fn check(&self) -> Result<(), FieldFault> {
        required("psn_no", &self.data.psn_no, 30)?;
        required("setl_id", &self.data.setl_id, 30)?;
        required("mdtrt_id", &self.data.mdtrt_id, 30)
    }
}
