//! `yijie agency`: the sandbox agency to test against, and its ledger.

use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use yijie_agency::{Keys, Profile, Sandbox, SandboxSettings, decode_reply, read_ledger};

use super::{Failure, Out, tasks};
use crate::config;

/// A sandbox to serve.
#[derive(Args)]
pub struct Serve {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Province profile: a name, or the path of a TOML file.
    #[arg(long, default_value = "plain")]
    profile: String,
    /// Who is insured, JSON.
    #[arg(long)]
    persons: Option<PathBuf>,
    /// An unknown person counts as insured as the claim says.
    #[arg(long)]
    any_person: bool,
    /// How it misbehaves.
    #[arg(long)]
    faults: Option<PathBuf>,
}

/// A raw reply on standard input.
#[derive(Args)]
pub struct Decode {
    /// Transaction number.
    #[arg(long)]
    infno: String,
    /// Province profile: a name, or the path of a TOML file.
    #[arg(long, default_value = "plain")]
    profile: String,
    /// Directory with the profile's keys, to open an encrypted reply and check a signed one.
    #[arg(long)]
    keys: Option<PathBuf>,
}

fn profile(name: &str) -> Result<Profile, Failure> {
    Profile::named(name).map_err(|e| Failure::input(e.code(), &e))
}

/// Serves until the program is ended. Its books name people in clear, as an agency's may: they have no place among a
/// till's.
///
/// # Errors
/// [`Failure`].
pub fn sandbox(data: PathBuf, serve: Serve, out: Out) -> Result<(), Failure> {
    let place = std::path::absolute(&data).unwrap_or_else(|_| data.clone());
    if let Some(till) = place.ancestors().find(|dir| config::path(dir).exists()) {
        return Err(Failure::input("AGENCY_IN_TILL", till.display()));
    }
    let settings = SandboxSettings {
        listen: serve.listen,
        data,
        profile: profile(&serve.profile)?,
        persons: serve.persons,
        any_person: serve.any_person,
        faults: serve.faults,
    };
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

/// What a raw reply means: exit code 0 settled, 2 refused, 3 unknown.
///
/// # Errors
/// [`Failure`].
pub fn decode(what: &Decode, out: Out) -> Result<(), Failure> {
    let profile = profile(&what.profile)?;
    let infno = what.infno.trim();
    if !names_a_transaction(infno) {
        return Err(Failure::input("INFNO_UNKNOWN", infno));
    }
    let keys = what.keys.as_ref().map(|dir| Keys::of_terminal(&profile, dir));
    let keys = keys
        .transpose()
        .map_err(|e| Failure::input(e.code(), &e))?
        .unwrap_or_default();
    let mut body = Vec::new();
    io::stdin()
        .read_to_end(&mut body)
        .map_err(|e| Failure::input("INPUT_UNREADABLE", e))?;
    let decoded = decode_reply(infno, &body, &profile, &keys);
    out.line(serde_json::to_string_pretty(&decoded).map_err(|e| Failure::could_not("INTERNAL", e))?)?;
    let Some(code) = decoded.code else { return Ok(()) };
    let detail = decoded.why.or(decoded.message).unwrap_or_default();
    Err(match decoded.outcome {
        "refused" => Failure::refused(code, detail),
        _ => Failure::could_not(code, detail),
    })
}

/// Four digits and at most a province's letter, or the code decoder's name.
fn names_a_transaction(infno: &str) -> bool {
    let digits = infno.trim_end_matches(|end: char| end.is_ascii_alphabetic());
    let national = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    infno == "ec.query" || national && infno.len() <= 5
}
