//! The claim: person, institution, visit, lines, accounts and what the year has used so far.
//! Field names are the national interface's where it has one; the pack page (rules/packs/README.md) says how a pack uses them.

mod accounts;
mod read;
mod redact;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

pub use accounts::{Accounts, Accumulated, FamilyAccount, OwnAccount};
pub use read::ClaimError;
pub(crate) use read::Used;

use crate::decimal::{Quantity, Ratio, UnitPrice};
use crate::money::Money;
use crate::stamp::{Period, Stamp, day};

/// One bill of one person at one institution, before it is split.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Who is treated.
    pub person: Person,
    /// Where.
    pub institution: Institution,
    /// When, and as what.
    pub visit: Visit,
    /// The goods and services.
    pub lines: Vec<Line>,
    /// Whose accounts may pay.
    #[serde(default, deserialize_with = "read::null_is_default")]
    pub accounts: Accounts,
    /// What the year (or admission, or drug) has used so far; no row = nothing.
    #[serde(default, deserialize_with = "read::null_is_default")]
    pub accumulated: Vec<Accumulated>,
}

/// The insured person as the registry knows him.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// 人员编号
    pub psn_no: SmolStr,
    /// 险种: 310 employees, 390 residents.
    pub insutype: SmolStr,
    /// 人员类别: 11… active, 12… retired.
    pub psn_type: SmolStr,
    /// 参保地
    #[serde(default)]
    pub insuplc_admdvs: Option<SmolStr>,
    /// 出生日期
    #[serde(default, deserialize_with = "day::deserialize")]
    pub brdy: Option<Date>,
    /// 公务员标志
    #[serde(default)]
    pub cvlserv_flag: Option<Flag>,
    /// 参保状态: "1" = insured.
    #[serde(default)]
    pub psn_insu_stas: Option<SmolStr>,
    /// First day of benefits where the registry says one (waiting period, gap, newborn).
    #[serde(default, deserialize_with = "day::deserialize")]
    pub benefit_begndate: Option<Date>,
    /// Last day of benefits where the registry says one.
    #[serde(default, deserialize_with = "day::deserialize")]
    pub benefit_enddate: Option<Date>,
    /// Enrolment day, where the pack derives the first day of benefits itself.
    #[serde(default, deserialize_with = "day::deserialize")]
    pub enrolled_on: Option<Date>,
    /// Months without contribution before it.
    #[serde(default, deserialize_with = "read::whole_number")]
    pub interrupted_months: Option<u32>,
    /// Day of payment.
    #[serde(default, deserialize_with = "day::deserialize")]
    pub paid_on: Option<Date>,
    /// 暂停联网结算: the person pays in advance on these days.
    #[serde(default)]
    pub network_settlement_suspended: Option<Period>,
    /// 门诊慢特病备案 (5301).
    #[serde(default, deserialize_with = "read::null_is_default")]
    pub registered_diseases: Vec<RegisteredDisease>,
    /// Members of the household that are insured here; absent = the person alone.
    #[serde(default, deserialize_with = "read::whole_number")]
    pub household_members: Option<u32>,
    /// The other insurances the registry lists for the person (rows of 1101); what has no row counts as insured.
    #[serde(default, deserialize_with = "read::null_is_default")]
    pub supplements: Vec<Supplement>,
}

/// Another insurance of the person, such as 330 职工大额医疗费用补助.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Supplement {
    /// 险种
    pub insutype: SmolStr,
    /// 参保状态: "1" = insured.
    pub psn_insu_stas: SmolStr,
}

/// One registered chronic or special disease.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisteredDisease {
    /// 病种编码
    pub dise_codg: SmolStr,
    /// "chronic" or "special"; absent = the pack decides by the code.
    #[serde(default)]
    pub benefit: Option<SmolStr>,
    /// Disease class of the pack ("mental_illness", "renal_failure", "severe_mental_illness").
    #[serde(default)]
    pub class: Option<SmolStr>,
    /// First day of the registration.
    #[serde(default, deserialize_with = "day::deserialize")]
    pub begndate: Option<Date>,
    /// Last day of the registration.
    #[serde(default, deserialize_with = "day::deserialize")]
    pub enddate: Option<Date>,
}

impl RegisteredDisease {
    /// Whether the registration holds on the day.
    pub fn valid_on(&self, on: Date) -> bool {
        Period {
            begndate: self.begndate,
            enddate: self.enddate,
        }
        .contains(on)
    }
}

/// The designated institution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Institution {
    /// 定点医药机构编号
    #[serde(default, deserialize_with = "read::null_is_default")]
    pub fixmedins_code: SmolStr,
    /// "1" medical institution, "2" retail pharmacy; absent = "1".
    #[serde(default)]
    pub fixmedins_type: Option<SmolStr>,
    /// 医院等级; absent or unknown = the pack's lowest level.
    #[serde(default)]
    pub medinslv: Option<SmolStr>,
    /// 暂停医疗保险基金结算 on these days.
    #[serde(default)]
    pub fund_settlement_suspended: Option<Period>,
}

/// The visit, admission or purchase.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Visit {
    /// 医疗类别
    pub med_type: SmolStr,
    /// Begin of the visit or admission.
    pub begntime: Stamp,
    /// End of the visit, discharge.
    #[serde(default)]
    pub enddate: Option<Stamp>,
    /// Time of settlement; absent = `begntime`.
    #[serde(default)]
    pub setl_time: Option<Stamp>,
    /// 病种编码 of the visit.
    #[serde(default)]
    pub dise_codg: Option<SmolStr>,
    /// Why the person needs treatment.
    #[serde(default, deserialize_with = "read::null_is_default")]
    pub cause: Cause,
    /// 院前急救: rescue on the ambulance.
    #[serde(default, deserialize_with = "read::null_is_default")]
    pub prehospital_120: bool,
    /// 互联网医院: `medinslv` is that of the hospital it depends on.
    #[serde(default, deserialize_with = "read::null_is_default")]
    pub internet_hospital: bool,
    /// 外购处方标志
    #[serde(default)]
    pub rx_circ_flag: Option<Flag>,
    /// 外购处方号: the bill is for an outside prescription.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rxno: Option<SmolStr>,
    /// Level of the institution that prescribed.
    #[serde(default)]
    pub prescriber_medinslv: Option<SmolStr>,
    /// Inter-region registration.
    #[serde(default)]
    pub registered_referral: Option<Referral>,
    /// 就医地
    #[serde(default)]
    pub mdtrtarea_admvs: Option<SmolStr>,
    /// The physician, where the program that asks knows him.
    #[serde(default)]
    pub practitioner: Option<Practitioner>,
    /// The department, likewise.
    #[serde(default)]
    pub department: Option<Department>,
}

/// Who treats or prescribes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Practitioner {
    /// 医师编码
    pub dr_codg: SmolStr,
    /// Whether he stands in the agency's base of practitioners (执业人员信息库).
    pub listed: bool,
}

/// The department that treats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Department {
    /// 科室编码
    pub dept_code: SmolStr,
    /// 暂停涉及医疗保险基金使用的医药服务 on these days.
    #[serde(default)]
    pub fund_settlement_suspended: Option<Period>,
}

impl Visit {
    /// Time of settlement.
    pub fn settled_at(&self) -> Stamp {
        self.setl_time.unwrap_or(self.begntime)
    }
}

/// Why the person needs treatment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Illness: the fund pays.
    #[default]
    Illness,
    /// 工伤
    WorkInjury,
    /// 第三人负担
    ThirdParty,
    /// 公共卫生
    PublicHealth,
    /// 境外就医
    Abroad,
    /// 体育健身、养生保健
    Wellness,
}

/// Inter-region registration of the visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Referral {
    /// Registered before the visit.
    Registered,
    /// Registered only afterwards.
    Late,
    /// Not registered.
    None,
}

/// "0" or "1".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Flag {
    /// "0"
    #[serde(rename = "0")]
    No,
    /// "1"
    #[serde(rename = "1")]
    Yes,
}

/// One line of the bill.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// 费用明细流水号; absent = the line's place, counted from 1.
    #[serde(default, deserialize_with = "read::null_is_default")]
    pub feedetl_sn: SmolStr,
    /// 医疗目录编码
    #[serde(default)]
    pub med_list_codg: Option<SmolStr>,
    /// Name for people.
    #[serde(default)]
    pub name: Option<SmolStr>,
    /// 收费项目等级; absent = 甲.
    #[serde(default, deserialize_with = "read::null_is_default")]
    pub chrgitm_lv: ItemClass,
    /// 先行自付比例
    #[serde(default)]
    pub selfpay_prop: Option<Ratio>,
    /// 定价上限金额 for one unit.
    #[serde(default)]
    pub pric_uplmt_amt: Option<UnitPrice>,
    /// 单价
    #[serde(default)]
    pub pric: Option<UnitPrice>,
    /// 数量
    #[serde(default)]
    pub cnt: Option<Quantity>,
    /// 明细项目费用总额; absent = price × quantity. [`Claim::from_json`] fills it in.
    #[serde(default)]
    pub det_item_fee_sumamt: Option<Money>,
    /// 医保谈判药品标志
    #[serde(default)]
    pub hi_nego_drug_flag: Option<Flag>,
    /// The same article's cash price for one unit.
    #[serde(default)]
    pub cash_pric: Option<UnitPrice>,
    /// 处方药标志; absent = not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rx_flag: Option<RxFlag>,
    /// What kind of goods.
    #[serde(default, deserialize_with = "read::null_is_default")]
    pub goods: Goods,
    /// 周期天数: the days that the quantity is prescribed for.
    #[serde(default)]
    pub prd_days: Option<Quantity>,
    /// What is used of it in a day, in the unit of `cnt`.
    #[serde(default)]
    pub day_cnt: Option<Quantity>,
    /// Beginnings of the diseases it is used for; absent = not known, none = for no registered disease.
    #[serde(default)]
    pub for_diseases: Option<Vec<SmolStr>>,
}

/// 甲 / 乙 / 丙.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ItemClass {
    /// 甲类
    #[default]
    #[serde(rename = "01")]
    A,
    /// 乙类
    #[serde(rename = "02")]
    B,
    /// 丙类, 自费
    #[serde(rename = "03")]
    C,
}

/// Whether a drug needs a prescription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RxFlag {
    /// 非处方药
    #[serde(rename = "0")]
    Otc,
    /// 处方药
    #[serde(rename = "1")]
    Prescription,
    /// 双跨药: sold as either.
    #[serde(rename = "2")]
    Both,
}

/// Kinds of goods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goods {
    /// 药品
    #[default]
    Drug,
    /// 诊疗项目
    Service,
    /// 医用耗材
    Consumable,
    /// 医疗器械
    Device,
    /// 食品
    Food,
    /// 化妆品
    Cosmetic,
    /// 生活用品
    Daily,
    /// Anything else that is not medical.
    Other,
}
