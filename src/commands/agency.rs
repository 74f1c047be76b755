//! `yijie agency`: the sandbox agency to test against, and its ledger.

use std::io::{self, Read as _};
use std::path::Path;

use yijie_agency::{Keys, Profile, Sandbox, SandboxSettings, decode_reply, read_ledger};

use super::{Failure, Out, tasks};

/// Serves until the program is ended.
///
/// # Errors
/// [`Failure`].
pub fn sandbox(settings: SandboxSettings, out: Out) -> Result<(), Failure> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    tasks()?.block_on(async {
        let sandbox = Sandbox::start(settings)
            .await
            .map_err(|e| Failure::could_not(e.code(), &e))?;
        out.line(format!("listening on {}", sandbox.url()))?;
        let waited = tokio::signal::ctrl_c().await;
        sandbox.stop().await;
        waited.map_err(|e| Failure::could_not("INTERNAL", e))
    })
}

/// What a sandbox holds.
///
/// # Errors
/// [`Failure`].
pub fn ledger(data: &Path, out: Out) -> Result<(), Failure> {
    if !data.is_dir() {
        return Err(Failure::input("LEDGER_UNREADABLE", data.display()));
    }
    let rows = read_ledger(data).map_err(|e| Failure::could_not(e.code(), &e))?;
    out.print(&rows, || {
        rows.iter()
            .map(|row| {
                format!(
                    "{}  {}  {}  {}  {}",
                    row.setl_id, row.msgid, row.medfee_sumamt, row.fund_pay_sumamt, row.acct_pay
                )
            })
            .collect::<Vec<_>>()
            .join("\n")
    })
}

/// What a raw reply on standard input means: exit code 0 settled, 2 refused, 3 unknown.
///
/// # Errors
/// [`Failure`].
pub fn decode(infno: &str, profile: &str, keys: Option<&Path>, out: Out) -> Result<u8, Failure> {
    let profile = Profile::built_in(profile).map_err(|e| Failure::input(e.code(), &e))?;
    let keys = keys.map(|dir| Keys::of_terminal(&profile, dir)).transpose();
    let keys = keys
        .map_err(|e| Failure::input(e.code(), &e))?
        .unwrap_or_default();
    let mut body = Vec::new();
    io::stdin()
        .read_to_end(&mut body)
        .map_err(|e| Failure::input("INPUT_UNREADABLE", e))?;
    let decoded = decode_reply(infno, &body, &profile, &keys);
    out.line(serde_json::to_string_pretty(&decoded).map_err(|e| Failure::could_not("INTERNAL", e))?)?;
    Ok(match decoded.outcome {
        "settled" => 0,
        "refused" => 2,
        _ => 3,
    })
}
