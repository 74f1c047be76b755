//! `yijie keys rotate`: new keys for what is written from now on.

use std::path::Path;

use serde_json::json;

use super::people::Who;
use super::{Failure, Out};
use crate::config;

/// Runs it, for a supervisor.
///
/// # Errors
/// [`Failure`]; the old keys stand then, or the next start finishes what was begun.
pub fn rotate(data: &Path, who: &Who, out: Out) -> Result<u8, Failure> {
    let config = config::load(data)?;
    let (books, _) = super::books(data, &config, out)?;
    let by = who.supervisor(&books, out)?;
    books.rotate_keys(&by.id)?;
    out.print(&json!({"rotated": true, "operator": by.id}), || {
        out.lang
            .pick(
                "已换新密钥；请重新备份 machine.key 和 vault。",
                "New keys are in place; back up machine.key and vault again.",
            )
            .to_owned()
    })?;
    Ok(0)
}
