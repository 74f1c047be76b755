//! 1101 person query (人员基本信息获取): who is there, insured where and as what, and what the year has used.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use yijie_rules::{
    Accumulated, FamilyAccount, Flag, Money, OwnAccount, Period, Person, RegisteredDisease, Supplement,
};

use super::{
    codes,
    form::{mayopen, maytime},
};
use crate::{
    fields::{Checked, FieldFault, code, optional, required},
    lenient::{Fields, Node},
    numbers::told_money,
    output::Output,
};

/// What the patient shows (就诊凭证). Kept with a sale, so it can be stored; `Debug` shows the kind only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mdtrt_cert_type")]
pub enum Credential {
    /// 01: token of a decoded medical-insurance code.
    #[serde(rename = "01")]
    Token {
        /// The token (mdtrt_cert_no).
        ec_token: String,
    },
    /// 02: resident ID number.
    #[serde(rename = "02")]
    IdNumber {
        /// The number (mdtrt_cert_no).
        certno: String,
    },
    /// 03: social-security card.
    #[serde(rename = "03")]
    Card {
        /// Card number (mdtrt_cert_no).
        card_no: String,
        /// Card identification code (card_sn).
        card_sn: String,
    },
}

impl Credential {
    /// mdtrt_cert_type.
    pub fn cert_type(&self) -> &'static str {
        match self {
            Credential::Token { .. } => "01",
            Credential::IdNumber { .. } => "02",
            Credential::Card { .. } => "03",
        }
    }

    /// mdtrt_cert_no.
    pub fn cert_no(&self) -> &str {
        match self {
            Credential::Token { ec_token } => ec_token,
            Credential::IdNumber { certno } => certno,
            Credential::Card { card_no, .. } => card_no,
        }
    }

    /// card_sn, of a card.
    pub fn card_sn(&self) -> &str {
        match self {
            Credential::Card { card_sn, .. } => card_sn,
            _ => "",
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({})", self.cert_type())
    }
}

/// The agency's record of a person. `Debug` shows neither name nor numbers.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PersonRecord {
    /// Who.
    pub baseinfo: BaseInfo,
    /// Insured as what and where: one row an insurance.
    pub insuinfo: Vec<InsuredRow>,
    /// Special identities.
    pub idetinfo: Vec<IdentityRow>,
    /// What the national fields do not carry.
    pub facts: PersonFacts,
}

/// baseinfo of 1101.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BaseInfo {
    /// Person number.
    pub psn_no: String,
    /// Kind of identity document.
    pub psn_cert_type: String,
    /// Its number.
    pub certno: String,
    /// Name.
    pub psn_name: String,
    /// Sex: 1 male, 2 female, 0 and 9 unknown.
    pub gend: String,
    /// Nation.
    pub naty: String,
    /// Date of birth, yyyy-MM-dd.
    pub brdy: String,
}

/// A row of insuinfo.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct InsuredRow {
    /// Insurance type.
    pub insutype: String,
    /// Person type.
    pub psn_type: String,
    /// 1 insured.
    pub psn_insu_stas: String,
    /// Region insured in: goes into every later envelope for this person.
    pub insuplc_admdvs: String,
    /// Civil-service flag.
    pub cvlserv_flag: String,
    /// Insured since, yyyy-MM-dd.
    pub psn_insu_date: String,
    /// Paused since, yyyy-MM-dd.
    pub paus_insu_date: String,
    /// Employer.
    pub emp_name: String,
    /// Account balance; None where the agency states none.
    pub balc: Option<Money>,
}

/// A row of idetinfo.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct IdentityRow {
    /// Identity.
    pub psn_idet_type: String,
    /// Its grade.
    pub psn_type_lv: String,
    /// From.
    pub begntime: String,
    /// Until.
    pub endtime: String,
}

/// Facts of a person that no field of 1101 carries; they travel as JSON in exp_content. A real platform gives
/// them through 2001, 5206, 5301 and its family-account service.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PersonFacts {
    /// What the year has used, per pool.
    pub accumulated: Vec<Accumulated>,
    /// Registered chronic and special diseases.
    pub registered_diseases: Vec<RegisteredDisease>,
    /// Benefit dates and the like, per insurance.
    pub insured: Vec<InsuredFacts>,
    /// Own account; None: the person has none.
    pub own: Option<OwnAccount>,
    /// Family accounts the person may use.
    pub family: Vec<FamilyAccount>,
    /// Social-security card on record.
    pub card: Option<CardFacts>,
}

/// Facts of one insurance of a person.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct InsuredFacts {
    /// Insurance type of the row.
    pub insutype: String,
    /// Region of the row.
    pub insuplc_admdvs: String,
    /// Benefits from this day, yyyy-MM-dd.
    pub benefit_begndate: Option<Date>,
    /// Benefits until this day.
    pub benefit_enddate: Option<Date>,
    /// Enrolled on.
    pub enrolled_on: Option<Date>,
    /// Months of interruption.
    pub interrupted_months: Option<u32>,
    /// Contribution paid on.
    pub paid_on: Option<Date>,
    /// Suspension of network settlement.
    pub network_settlement_suspended: Option<Period>,
}

/// The card on record.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CardFacts {
    /// Card number.
    pub card_no: String,
    /// Card identification code.
    pub card_sn: String,
    /// Reported lost.
    pub lost: bool,
    /// Last day of validity, yyyy-MM-dd; empty: not known.
    pub expires_on: String,
}

impl PersonRecord {
    /// The other insurances of the record in the same place, with their state.
    fn supplements(&self, row: &InsuredRow) -> Vec<Supplement> {
        let others = self.insuinfo.iter().filter(|other| {
            other.insuplc_admdvs == row.insuplc_admdvs
                && other.insutype != row.insutype
                && !other.psn_insu_stas.is_empty()
        });
        let supplement = |other: &InsuredRow| Supplement {
            insutype: other.insutype.as_str().into(),
            psn_insu_stas: other.psn_insu_stas.as_str().into(),
        };
        others.map(supplement).collect()
    }

    /// The person as the split engine takes one, insured by this row of the record.
    pub fn to_rules_person(&self, row: &InsuredRow) -> Person {
        let same = |facts: &&InsuredFacts| {
            facts.insutype == row.insutype && facts.insuplc_admdvs == row.insuplc_admdvs
        };
        let facts = self.facts.insured.iter().find(same).cloned().unwrap_or_default();
        let given = |text: &str| (!text.is_empty()).then(|| text.into());
        Person {
            psn_no: self.baseinfo.psn_no.as_str().into(),
            insutype: row.insutype.as_str().into(),
            psn_type: row.psn_type.as_str().into(),
            insuplc_admdvs: given(&row.insuplc_admdvs),
            brdy: self.baseinfo.brdy.parse().ok(),
            cvlserv_flag: match row.cvlserv_flag.as_str() {
                "0" => Some(Flag::No),
                "1" => Some(Flag::Yes),
                _ => None,
            },
            psn_insu_stas: given(&row.psn_insu_stas),
            benefit_begndate: facts.benefit_begndate,
            benefit_enddate: facts.benefit_enddate,
            enrolled_on: facts.enrolled_on,
            interrupted_months: facts.interrupted_months,
            paid_on: facts.paid_on,
            network_settlement_suspended: facts.network_settlement_suspended,
            registered_diseases: self.facts.registered_diseases.clone(),
            supplements: self.supplements(row),
            household_members: None,
        }
    }
}

impl fmt::Debug for CardFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardFacts")
            .field("lost", &self.lost)
            .field("expires_on", &self.expires_on)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PersonRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds: Vec<&str> = self.insuinfo.iter().map(|row| row.insutype.as_str()).collect();
        f.debug_struct("PersonRecord")
            .field("insutypes", &kinds)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct PersonInput {
    pub(crate) data: PersonData,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct PersonData {
    pub(crate) mdtrt_cert_type: String,
    pub(crate) mdtrt_cert_no: String,
    pub(crate) card_sn: String,
    pub(crate) begntime: String,
    pub(crate) psn_cert_type: String,
    pub(crate) certno: String,
    pub(crate) psn_name: String,
}

impl From<&Credential> for PersonInput {
    fn from(credential: &Credential) -> Self {
        PersonInput {
            data: PersonData {
                mdtrt_cert_type: credential.cert_type().to_owned(),
                mdtrt_cert_no: credential.cert_no().to_owned(),
                card_sn: credential.card_sn().to_owned(),
                ..PersonData::default()
            },
        }
    }
}

impl Checked for PersonInput {
    fn check(&self) -> Result<(), FieldFault> {
        let data = &self.data;
        code("mdtrt_cert_type", &data.mdtrt_cert_type, codes::MDTRT_CERT_TYPE)?;
        required("mdtrt_cert_no", &data.mdtrt_cert_no, 50)?;
        if data.mdtrt_cert_type == "03" {
            required("card_sn", &data.card_sn, 32)?;
        }
        maytime("begntime", &data.begntime)?;
        mayopen("psn_cert_type", &data.psn_cert_type, 6)?;
        optional("certno", &data.certno, 50)?;
        optional("psn_name", &data.psn_name, 50)
    }
}

/// Whether the province tells with the record what the nation's has no field for.
pub(crate) fn tells_facts(output: &Output<'_>) -> bool {
    let base = output
        .fields()
        .and_then(|fields| fields.get("baseinfo")?.fields());
    base.is_some_and(|base| !base.text_of(&["exp_content", "expContent"]).is_empty())
}

/// Reads the output of 1101; None if there is no person in it.
pub(crate) fn read_person(output: &Output<'_>) -> Option<PersonRecord> {
    let fields = output.with_any(&["baseinfo"])?;
    let base = fields.get("baseinfo")?.fields()?;
    let baseinfo = BaseInfo {
        psn_no: base.id("psn_no"),
        psn_cert_type: base.text("psn_cert_type"),
        certno: base.text("certno"),
        psn_name: base.text("psn_name"),
        gend: base.text("gend"),
        naty: base.text("naty"),
        brdy: day(&base.text("brdy")),
    };
    if baseinfo.psn_no.is_empty() {
        return None;
    }
    // Beside the person, or in with it.
    let told = |name: &str| {
        fields
            .get(name)
            .or_else(|| base.get(name))
            .filter(|node| !node.is_bare())
    };
    let rows = |name: &str| -> Vec<Fields<'_>> {
        let rows = told(name).map(Node::rows).unwrap_or_default();
        rows.into_iter().filter_map(Node::fields).collect()
    };
    let insured: Vec<InsuredRow> = rows("insuinfo").iter().map(insured_row).collect();
    // Insurance that can't be read is not no insurance.
    if told("insuinfo").is_some() && insured.iter().all(|row| row.insutype.is_empty()) {
        return None;
    }
    let facts = base.text_of(&["exp_content", "expContent"]);
    Some(PersonRecord {
        baseinfo,
        insuinfo: insured,
        idetinfo: rows("idetinfo").iter().map(identity_row).collect(),
        facts: serde_json::from_str(&facts).unwrap_or_default(),
    })
}

fn insured_row(row: &Fields<'_>) -> InsuredRow {
    InsuredRow {
        insutype: row.code("insutype"),
        psn_type: row.code("psn_type"),
        psn_insu_stas: row.code("psn_insu_stas"),
        insuplc_admdvs: row.text_of(&["insuplc_admdvs", "insu_admdvs", "insuplc_admvs"]),
        cvlserv_flag: row.text("cvlserv_flag"),
        psn_insu_date: day(&row.text("psn_insu_date")),
        paus_insu_date: day(&row.text("paus_insu_date")),
        emp_name: row.text("emp_name"),
        balc: told_money(&row.text("balc")),
    }
}

fn identity_row(row: &Fields<'_>) -> IdentityRow {
    IdentityRow {
        psn_idet_type: row.text("psn_idet_type"),
        psn_type_lv: row.text("psn_type_lv"),
        begntime: row.text("begntime"),
        endtime: row.text("endtime"),
    }
}

/// The day of a date that may carry a time ("1990-01-01 00:00:00").
fn day(text: &str) -> String {
    text.split([' ', 'T']).next().unwrap_or_default().to_owned()
}
