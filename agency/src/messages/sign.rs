//! 9001 sign in, 9002 sign out (签到、签退).

use serde::{Deserialize, Serialize};

use crate::{
    fields::{Checked, FieldFault, optional, required},
    output::Output,
};

/// Their transactions.
pub(crate) const NUMBERS: [&str; 2] = ["9001", "9002"];

/// Who operates the terminal (经办人).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Operator number (opter).
    pub id: String,
    /// Operator name (opter_name).
    pub name: String,
    /// opter_type: 1 a person, 2 a self-service terminal, 3 a mobile terminal.
    pub kind: String,
}

/// The answer to 9001.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// Number of the sign-in, carried by every later message of the operator.
    pub sign_no: String,
    /// The agency's time of the sign-in, as it wrote it.
    pub sign_time: String,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct SignInInput {
    #[serde(rename = "signIn")]
    pub(crate) sign_in: SignInData,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct SignInData {
    pub(crate) opter_no: String,
    pub(crate) mac: String,
    pub(crate) ip: String,
}

impl Checked for SignInInput {
    fn check(&self) -> Result<(), FieldFault> {
        required("opter_no", &self.sign_in.opter_no, 20)?;
        optional("mac", &self.sign_in.mac, 20)?;
        required("ip", &self.sign_in.ip, 20)
    }
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct SignOutInput {
    #[serde(rename = "signOut")]
    pub(crate) sign_out: SignOutData,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct SignOutData {
    pub(crate) sign_no: String,
    pub(crate) opter_no: String,
}

impl Checked for SignOutInput {
    fn check(&self) -> Result<(), FieldFault> {
        required("sign_no", &self.sign_out.sign_no, 32)?;
        required("opter_no", &self.sign_out.opter_no, 20)
    }
}

pub(crate) fn read_sign_in(output: &Output<'_>) -> Option<SignIn> {
    let node = output.with_any(&["signinoutb"])?.get("signinoutb")?.fields()?;
    let sign_no = node.id("sign_no");
    (!sign_no.is_empty()).then(|| SignIn {
        sign_no,
        sign_time: node.text("sign_time"),
    })
}
