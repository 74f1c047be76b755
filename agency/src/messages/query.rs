//! 5203 settlement query, which resolves a settlement in doubt.

use serde::{Deserialize, Serialize};

use crate::fields::{Checked, FieldFault, optional, required};

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct QueryInput {
    pub(crate) data: QueryData,
}

/// `medins_setl_id` is no field of 5203 in the specification: a settlement in doubt has no setl_id yet, and the
/// msgid kept in medins_setl_id is all there is. The sandbox looks it up; a real gateway has to be asked.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct QueryData {
    pub(crate) psn_no: String,
    pub(crate) setl_id: String,
    pub(crate) mdtrt_id: String,
    pub(crate) medins_setl_id: String,
}

impl Checked for QueryInput {
    fn check(&self) -> Result<(), FieldFault> {
        let data = &self.data;
        required("psn_no", &data.psn_no, 30)?;
        optional("setl_id", &data.setl_id, 30)?;
        optional("mdtrt_id", &data.mdtrt_id, 30)?;
        optional("medins_setl_id", &data.medins_setl_id, 30)?;
        if data.setl_id.is_empty() && data.mdtrt_id.is_empty() && data.medins_setl_id.is_empty() {
            return Err(FieldFault {
                field: "setl_id",
                problem: "missing",
            });
        }
        Ok(())
    }
}
