//! `yijie split`: claims in, results out, as docs/integration.md says; one, or one a line.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use yijie_rules::{Claim, ClaimError, Options, Outcome, Packs, split};

use super::{Failure, Out, packs};

/// Read and written at once.
const READ_LEN: usize = 1 << 17;
const WRITE_LEN: usize = 1 << 16;

/// How claims are split.
#[derive(Args)]
pub struct Request {
    /// Directory with more packs; may be given again.
    #[arg(long = "packs")]
    packs: Vec<PathBuf>,
    /// Pack to use, whatever the claim says.
    #[arg(long)]
    pack: Option<String>,
    /// Leave the reasons out.
    #[arg(long)]
    no_trace: bool,
    /// For a person to read.
    #[arg(long)]
    explain: bool,
    /// One claim a line.
    #[arg(long)]
    jsonl: bool,
}

/// Runs it; the exit code is 0 settled, 1 unreadable, 2 refused, 3 pack error.
///
/// # Errors
/// [`Failure`].
pub fn run(request: &Request, out: Out) -> Result<u8, Failure> {
    let packs = packs::load(&request.packs)?;
    if let Some(id) = &request.pack
        && packs.get(id).is_none()
    {
        return Err(Failure {
            exit: 3,
            code: "PACK_NOT_FOUND".to_owned(),
            detail: id.clone(),
        });
    }
    let options = Options {
        pack: request.pack.clone(),
        trace: !request.no_trace,
        lang: out.lang,
    };
    if request.jsonl {
        lines(&packs, &options)
    } else {
        one(&packs, &options, request.explain, out)
    }
}

fn unreadable(error: &ClaimError) -> Failure {
    Failure::input(error.code(), error)
}

fn one(packs: &Packs, options: &Options, explain: bool, out: Out) -> Result<u8, Failure> {
    let mut text = Vec::new();
    io::stdin()
        .read_to_end(&mut text)
        .map_err(|e| Failure::input("CLAIM_NOT_JSON", e))?;
    let claim = Claim::from_json(&text).map_err(|e| unreadable(&e))?;
    let outcome = split(packs, &claim, options);
    match &outcome {
        Outcome::Settled(settlement) if explain && !out.json => out.line(settlement.explain(out.lang))?,
        Outcome::Refused(refusal) if explain && !out.json => {
            let (code, says, article) = (refusal.code(), &refusal.says, &refusal.article);
            out.line(format!("{code}: {says} [{article}]\n{}", refusal.advice))?;
        }
        _ => {
            out.line(serde_json::to_string_pretty(&outcome).map_err(|e| Failure::could_not("INTERNAL", e))?)?
        }
    }
    Ok(match outcome {
        Outcome::Settled(_) => 0,
        Outcome::Refused(_) => 2,
    })
}

/// Every line gets its answer, in order; a line that cannot be read says so and the others go on. What is answered is
/// written as soon as no more input waits, so that a program may ask line by line.
fn lines(packs: &Packs, options: &Options) -> Result<u8, Failure> {
    let mut exit = 0;
    let mut stdin = BufReader::with_capacity(READ_LEN, io::stdin().lock());
    let mut stdout = io::stdout().lock();
    let mut line = Vec::new();
    let mut answers = Vec::with_capacity(2 * WRITE_LEN);
    loop {
        line.clear();
        if stdin
            .read_until(b'\n', &mut line)
            .map_err(|e| Failure::input("CLAIM_NOT_JSON", e))?
            == 0
        {
            break;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match Claim::from_json(&line) {
            Ok(claim) => split(packs, &claim, options).write_json(&mut answers),
            Err(error) => {
                exit = 1;
                let told = json!({"outcome": "unreadable", "code": error.code(), "says": error.to_string()});
                answers.extend_from_slice(told.to_string().as_bytes());
            }
        }
        answers.push(b'\n');
        if answers.len() >= WRITE_LEN || stdin.buffer().is_empty() {
            stdout.write_all(&answers)?;
            stdout.flush()?;
            answers.clear();
        }
    }
    stdout.write_all(&answers)?;
    stdout.flush()?;
    Ok(exit)
}
