//! The claim's accounts, and what the year has used so far.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::Flag;
use crate::money::Money;

/// Whose accounts may pay.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accounts {
    /// 个人账户使用标志; absent = the accounts that are given may be used.
    #[serde(default)]
    pub acct_used_flag: Option<Flag>,
    /// The person's own account; absent = he has none, which is not a balance of 0.00.
    #[serde(default)]
    pub own: Option<OwnAccount>,
    /// Family accounts (家庭共济), in the order they are debited.
    #[serde(default, deserialize_with = "super::read::null_is_default")]
    pub family: Vec<FamilyAccount>,
}

/// The person's own account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnAccount {
    /// 余额
    pub balc: Money,
}

/// The account of a relative.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FamilyAccount {
    /// 人员编号 of the holder.
    pub psn_no: SmolStr,
    /// The holder is the patient's spouse, parent or child.
    #[serde(default)]
    pub relation: Option<SmolStr>,
    /// Whether the holder has put the patient on his list.
    #[serde(default, deserialize_with = "super::read::null_is_default")]
    pub listed: bool,
    /// Where the holder is insured; absent = here.
    #[serde(default)]
    pub insuplc_admdvs: Option<SmolStr>,
    /// 余额
    pub balc: Money,
}

/// What a pool has used so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accumulated {
    /// Pool id of the pack.
    pub pool: SmolStr,
    /// The drug, or institution and day of an emergency; else null.
    #[serde(default)]
    pub key: Option<SmolStr>,
    /// Deductible borne.
    #[serde(default, deserialize_with = "super::read::null_is_default")]
    pub deductible: Money,
    /// Paid by the fund.
    #[serde(default, deserialize_with = "super::read::null_is_default")]
    pub fund: Money,
    /// Expense within the policy scope.
    #[serde(default, deserialize_with = "super::read::null_is_default")]
    pub in_scope: Money,
}
