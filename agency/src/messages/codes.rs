//! The closed code lists of the interface: a message with another value does not leave. Open lists, to which provinces
//! add values of their own (insutype 险种类型, psn_cert_type 证件类型, med_type 医疗类别, clr_type 清算类别, recer_sys_code
//! 接收方系统代码), are not here: of those only the form is looked at, since an unknown value must not stop a sale or a close.

/// 就诊凭证类型.
pub(crate) const MDTRT_CERT_TYPE: &[&str] = &["01", "02", "03", "04"];
/// 经办人类别.
pub(crate) const OPTER_TYPE: &[&str] = &["1", "2", "3"];
/// 性别.
pub(crate) const GEND: &[&str] = &["0", "1", "2", "9"];
/// 个人结算方式.
pub(crate) const PSN_SETLWAY: &[&str] = &["01", "02"];
/// 诊断类别.
pub(crate) const DIAG_TYPE: &[&str] = &["1", "2", "3"];
/// 医院审批标志.
pub(crate) const HOSP_APPR_FLAG: &[&str] = &["0", "1", "2"];
/// 处方药标志: without, with prescription, both.
pub(crate) const RX_FLAG: &[&str] = &["0", "1", "2"];
/// 医保费用结算类型: not by the insurance, here, elsewhere.
pub(crate) const HI_FEESETL_TYPE: &[&str] = &["0", "1", "2"];
/// 就诊结算类型: by the insurance, by the patient.
pub(crate) const MDTRT_SETL_TYPE: &[&str] = &["1", "2"];
/// 最小包装类型.
pub(crate) const MIN_PRCUNT_TYPE: &[&str] = &["2"];
/// 清算方式.
pub(crate) const CLR_WAY: &[&str] = &["01", "02", "03", "04", "05", "99"];
/// 冲正交易's 原交易编号, without the letter of a variant (2102A, 2207A, 2304A).
pub(crate) const OINFNO: &[&str] = &["2102", "2103", "2207", "2208", "2304", "2305", "2401"];
/// 目录类别.
pub(crate) const LIST_TYPE: &[&str] = &["101", "102", "103", "104", "201", "301"];
/// 医疗收费项目类别.
pub(crate) const MED_CHRGITM_TYPE: &[&str] = &[
    "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "14",
];
/// 收费项目等级.
pub(crate) const CHRGITM_LV: &[&str] = &["01", "02", "03"];
/// 定点医药机构类型.
pub(crate) const FIXMEDINS_TYPE: &[&str] = &["1", "2", "3", "4", "5"];
/// 用码业务类型 of a medical institution: settlement.
pub(crate) const SETTLES: &str = "01301";
/// 用码业务类型 of a pharmacy: purchase.
pub(crate) const BUYS: &str = "02121";
