//! 2601 reversal (冲正): undoes a settlement or a cancellation whose outcome this side does not know.

use serde::{Deserialize, Serialize};

use super::codes;
use crate::fields::{Checked, FieldFault, code, required};

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct ReversalInput {
    pub(crate) data: ReversalData,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct ReversalData {
    pub(crate) psn_no: String,
    pub(crate) omsgid: String,
    pub(crate) oinfno: String,
}

impl Checked for ReversalInput {
    fn check(&self) -> Result<(), FieldFault> {
        required("psn_no", &self.data.psn_no, 30)?;
        required("omsgid", &self.data.omsgid, 30)?;
        let oinfno = self.data.oinfno.as_str();
        code(
            "oinfno",
            oinfno.strip_suffix('A').unwrap_or(oinfno),
            codes::OINFNO,
        )
    }
}
