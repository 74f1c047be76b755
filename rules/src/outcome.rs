//! What a split answers: a settlement whose sums hold, or a refusal.

mod identities;
mod json;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};
use smol_str::SmolStr;

pub use identities::IdentityError;

use crate::claim::{Accumulated, OwnAccount};
use crate::codes::Code;
use crate::money::Money;

/// The answer to a claim; its JSON is the contract's result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum Outcome {
    /// Split; the amounts hold together.
    Settled(Box<Settlement>),
    /// A rule refuses it.
    Refused(Refusal),
}

impl Outcome {
    /// Reads a result; a settlement whose sums do not hold is an error.
    pub fn from_json(text: &[u8]) -> Result<Outcome, serde_json::Error> {
        serde_json::from_slice(text)
    }

    /// The settlement, if it is one.
    pub fn settled(&self) -> Option<&Settlement> {
        match self {
            Outcome::Settled(settlement) => Some(settlement),
            Outcome::Refused(_) => None,
        }
    }
}

/// A rule refuses the claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// Which rule.
    pub code: Code,
    /// Its article.
    pub article: SmolStr,
    /// What happened, for people.
    pub says: String,
    /// What the cashier can do now.
    pub advice: String,
}

impl Refusal {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        self.code.as_str()
    }
}

/// A split bill.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Settlement {
    /// The pack that was used.
    pub pack: PackRef,
    /// Benefit id of the pack.
    pub benefit: SmolStr,
    /// The sums.
    pub setlinfo: SetlInfo,
    /// What each fund pays.
    pub setldetail: Vec<FundPay>,
    /// How each line was cut.
    pub detlcutinfo: Vec<LineCut>,
    /// The pools touched, after this settlement.
    pub accumulated_after: Vec<Accumulated>,
    /// The accounts after this settlement.
    pub accounts_after: AccountsAfter,
    /// Lines that must be sold on a separate bill; in none of the sums.
    pub excluded: Vec<Excluded>,
    /// What must be recorded, printed or told.
    pub notes: Vec<Note>,
    /// The weakest grade of any figure used.
    pub grade: Grade,
    /// Why, step by step; empty when no trace was asked for.
    #[serde(default)]
    pub trace: Vec<TraceStep>,
}

impl Serialize for Settlement {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Settlement::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Settlement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Settlement, D::Error> {
        let settlement = Settlement::deserialize(deserializer)?;
        settlement.check().map_err(de::Error::custom)?;
        Ok(settlement)
    }
}

/// Which pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackRef {
    /// Pack id.
    pub id: SmolStr,
    /// Pack version.
    pub version: SmolStr,
}

/// How far a figure can be relied on; the order is from strong to weak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// Stands in the regulation.
    #[default]
    Regulation,
    /// Stands in another government document.
    Official,
    /// Reported by a third party.
    Reported,
    /// Made up so that the benefit can be shown.
    Sandbox,
}

impl Grade {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Grade::Regulation => "regulation",
            Grade::Official => "official",
            Grade::Reported => "reported",
            Grade::Sandbox => "sandbox",
        }
    }
}

/// The national `setlinfo` sums.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetlInfo {
    /// 医疗费总额
    pub medfee_sumamt: Money,
    /// 全自费金额
    pub fulamt_ownpay_amt: Money,
    /// 超限价自费费用
    pub overlmt_selfpay: Money,
    /// 先行自付金额
    pub preselfpay_amt: Money,
    /// 符合政策范围金额
    pub inscp_scp_amt: Money,
    /// 实际支付起付线
    pub act_pay_dedc: Money,
    /// 统筹基金支付比例
    pub pool_prop_selfpay: crate::decimal::Ratio,
    /// 基本医疗保险统筹基金支出
    pub hifp_pay: Money,
    /// 公务员医疗补助资金支出
    pub cvlserv_pay: Money,
    /// 企业补充医疗保险基金支出
    pub hifes_pay: Money,
    /// 居民大病保险资金支出
    pub hifmi_pay: Money,
    /// 职工大额医疗费用补助基金支出
    pub hifob_pay: Money,
    /// 医疗救助基金支出
    pub maf_pay: Money,
    /// 伤残人员医疗保障基金支出
    pub hifdm_pay: Money,
    /// 其他支出
    pub oth_pay: Money,
    /// 基金支付总额
    pub fund_pay_sumamt: Money,
    /// 个人负担总金额
    pub psn_part_amt: Money,
    /// 个人账户支出
    pub acct_pay: Money,
    /// 个人账户共济支付金额
    pub acct_mulaid_pay: Money,
    /// 个人现金支出
    pub psn_cash_pay: Money,
    /// 医院负担金额
    pub hosp_part_amt: Money,
    /// 余额
    pub balc: Money,
}

/// What one fund pays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FundPay {
    /// 基金支付类型
    pub fund_pay_type: SmolStr,
    /// Pool id of the pack.
    pub pool: SmolStr,
    /// 基金支付金额
    pub fund_payamt: Money,
    /// 本次可支付限额金额: what the pool had left before this bill; null where it has no limit.
    pub crt_payb_lmt_amt: Option<Money>,
}

/// How one line was cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineCut {
    /// 费用明细流水号
    pub feedetl_sn: SmolStr,
    /// 全自费金额
    pub fulamt_ownpay_amt: Money,
    /// 超限价金额
    pub overlmt_amt: Money,
    /// 先行自付金额
    pub preselfpay_amt: Money,
    /// 符合政策范围金额
    pub inscp_scp_amt: Money,
}

/// The accounts after the settlement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountsAfter {
    /// The person's own; null = he has none.
    pub own: Option<OwnBalance>,
    /// The relatives', as in the claim.
    pub family: Vec<FamilyBalance>,
}

/// A balance.
pub type OwnBalance = OwnAccount;

/// A relative's balance.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FamilyBalance {
    /// 人员编号 of the holder.
    pub psn_no: SmolStr,
    /// 余额
    pub balc: Money,
}

impl fmt::Debug for FamilyBalance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FamilyBalance")
            .field("balc", &self.balc)
            .finish_non_exhaustive()
    }
}

/// A line that may not be on this bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Excluded {
    /// 费用明细流水号
    pub feedetl_sn: SmolStr,
    /// Why.
    pub code: Code,
    /// By which article.
    pub article: SmolStr,
}

/// What must be recorded, printed or told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// What.
    pub code: Code,
    /// By which article.
    pub article: SmolStr,
}

/// One reason: what was computed, by which article, with the numbers in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceStep {
    /// What kind of step.
    pub step: StepKind,
    /// By which article.
    pub article: SmolStr,
    /// The formula with its numbers.
    pub says: String,
    /// Its result.
    pub amount: Money,
}

/// Kinds of steps. The fund, account, hospital and cash steps of a trace add up to the whole bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepKind {
    /// 全自费
    FullOwnPay,
    /// 超限价
    OverLimit,
    /// 先行自付
    FirstSelfPay,
    /// What the own account pays before the deductible is taken; part of its `account` step or of cash.
    AccountFirst,
    /// 起付标准
    Deductible,
    /// A fund pays.
    Pool,
    /// The own account pays.
    Account,
    /// A relative's account pays.
    FamilyAccount,
    /// 医院负担: above the price of a case.
    Hospital,
    /// The remainder.
    Cash,
}

impl StepKind {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            StepKind::FullOwnPay => "full-own-pay",
            StepKind::OverLimit => "over-limit",
            StepKind::FirstSelfPay => "first-self-pay",
            StepKind::AccountFirst => "account-first",
            StepKind::Deductible => "deductible",
            StepKind::Pool => "pool",
            StepKind::Account => "account",
            StepKind::FamilyAccount => "family-account",
            StepKind::Hospital => "hospital",
            StepKind::Cash => "cash",
        }
    }
}
