//! The envelope around every message that goes out.

use serde::{Deserialize, Serialize};

use crate::{
    fields::{Checked, FieldFault, code, open, optional, required, time},
    messages::codes,
    msgid::MSGID_LEN,
};

/// Longest `input`, in characters as it is sent.
pub(crate) const INPUT_LEN_MAX: usize = 40_000;

/// The request envelope (18 fields, and enc_type where a province encrypts).
#[derive(Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Envelope<I> {
    pub(crate) infno: String,
    pub(crate) msgid: String,
    pub(crate) mdtrtarea_admvs: String,
    pub(crate) insuplc_admdvs: String,
    pub(crate) recer_sys_code: String,
    pub(crate) dev_no: String,
    pub(crate) dev_safe_info: String,
    pub(crate) cainfo: String,
    pub(crate) signtype: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) enc_type: String,
    pub(crate) infver: String,
    pub(crate) opter_type: String,
    pub(crate) opter: String,
    pub(crate) opter_name: String,
    pub(crate) inf_time: String,
    pub(crate) fixmedins_code: String,
    pub(crate) fixmedins_name: String,
    pub(crate) sign_no: String,
    pub(crate) input: I,
}

impl<I: Default> Default for Envelope<I> {
    fn default() -> Self {
        Envelope {
            infno: String::new(),
            msgid: String::new(),
            mdtrtarea_admvs: String::new(),
            insuplc_admdvs: String::new(),
            recer_sys_code: String::new(),
            dev_no: String::new(),
            dev_safe_info: String::new(),
            cainfo: String::new(),
            signtype: String::new(),
            enc_type: String::new(),
            infver: String::new(),
            opter_type: String::new(),
            opter: String::new(),
            opter_name: String::new(),
            inf_time: String::new(),
            fixmedins_code: String::new(),
            fixmedins_name: String::new(),
            sign_no: String::new(),
            input: I::default(),
        }
    }
}

impl<I> Envelope<I> {
    /// The same envelope around something else.
    pub(crate) fn with<J>(&self, input: J) -> Envelope<J> {
        Envelope {
            infno: self.infno.clone(),
            msgid: self.msgid.clone(),
            mdtrtarea_admvs: self.mdtrtarea_admvs.clone(),
            insuplc_admdvs: self.insuplc_admdvs.clone(),
            recer_sys_code: self.recer_sys_code.clone(),
            dev_no: self.dev_no.clone(),
            dev_safe_info: self.dev_safe_info.clone(),
            cainfo: self.cainfo.clone(),
            signtype: self.signtype.clone(),
            enc_type: self.enc_type.clone(),
            infver: self.infver.clone(),
            opter_type: self.opter_type.clone(),
            opter: self.opter.clone(),
            opter_name: self.opter_name.clone(),
            inf_time: self.inf_time.clone(),
            fixmedins_code: self.fixmedins_code.clone(),
            fixmedins_name: self.fixmedins_name.clone(),
            sign_no: self.sign_no.clone(),
            input,
        }
    }
}

impl<I> Checked for Envelope<I> {
    fn check(&self) -> Result<(), FieldFault> {
        required("infno", &self.infno, 6)?;
        required("msgid", &self.msgid, MSGID_LEN)?;
        required("mdtrtarea_admvs", &self.mdtrtarea_admvs, 6)?;
        optional("insuplc_admdvs", &self.insuplc_admdvs, 6)?;
        open("recer_sys_code", &self.recer_sys_code, 10)?;
        optional("dev_no", &self.dev_no, 100)?;
        optional("dev_safe_info", &self.dev_safe_info, 2000)?;
        optional("cainfo", &self.cainfo, 1024)?;
        optional("signtype", &self.signtype, 10)?;
        required("infver", &self.infver, 6)?;
        code("opter_type", &self.opter_type, codes::OPTER_TYPE)?;
        required("opter", &self.opter, 30)?;
        required("opter_name", &self.opter_name, 50)?;
        time("inf_time", &self.inf_time)?;
        required("fixmedins_code", &self.fixmedins_code, 30)?;
        required("fixmedins_name", &self.fixmedins_name, 200)?;
        optional("sign_no", &self.sign_no, 32)
    }
}
