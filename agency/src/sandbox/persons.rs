//! The persons file: a JSON array of whom the sandbox insures.
//!
//! Each object has the parts of a 1101 answer, `baseinfo`, `insuinfo`, `idetinfo`, and beside them `facts` (what the
//! year has used, registered diseases, benefit dates and suspension per insurance, own and family accounts, the card)
//! and `ec_codes`, the medical-insurance codes that stand for the person. `agency/sandbox/persons.json` is an example
//! with every case; amounts are strings; an unknown key is an error.

use std::{fs, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::SandboxError;
use crate::{
    PersonRecord,
    messages::person::{BaseInfo, IdentityRow, InsuredRow, PersonFacts},
};

/// Invented people for the demo and for tests: the text of a persons file.
pub const DEMO_PERSONS: &str = include_str!("../../sandbox/persons.json");

/// A person of the sandbox.
#[derive(Clone)]
pub(crate) struct SandboxPerson {
    pub(crate) record: PersonRecord,
    pub(crate) ec_codes: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct FileEntry {
    baseinfo: BaseInfo,
    insuinfo: Vec<InsuredRow>,
    #[serde(default)]
    idetinfo: Vec<IdentityRow>,
    #[serde(default)]
    facts: PersonFacts,
    #[serde(default)]
    ec_codes: Vec<String>,
}

pub(crate) fn read(file: &Path) -> Result<Vec<SandboxPerson>, SandboxError> {
    let text = fs::read_to_string(file).map_err(|source| SandboxError::PersonsUnreadable {
        file: file.to_owned(),
        source,
    })?;
    parse(&text).map_err(|problem| SandboxError::PersonsMalformed {
        file: file.to_owned(),
        problem,
    })
}

/// Reads a persons file's text; the error names the place and the key.
pub(crate) fn parse(text: &str) -> Result<Vec<SandboxPerson>, String> {
    let array: Vec<Value> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    array
        .into_iter()
        .enumerate()
        .map(|(nth, value)| read_one(value).map_err(|problem| format!("[{nth}]{problem}")))
        .collect()
}

fn read_one(value: Value) -> Result<SandboxPerson, String> {
    let entry: FileEntry = serde_json::from_value(value.clone()).map_err(|error| format!(": {error}"))?;
    let understood = serde_json::to_value(&entry).map_err(|error| format!(": {error}"))?;
    unknown_key(&value, &understood).map_or(Ok(()), |path| Err(format!("{path}: unknown key")))?;
    if entry.baseinfo.psn_no.is_empty() {
        return Err(".baseinfo.psn_no: missing".to_owned());
    }
    let FileEntry {
        baseinfo,
        insuinfo,
        idetinfo,
        facts,
        ec_codes,
    } = entry;
    Ok(SandboxPerson {
        record: PersonRecord {
            baseinfo,
            insuinfo,
            idetinfo,
            facts,
        },
        ec_codes,
    })
}

/// The path of a key that stands in `written` but means nothing.
fn unknown_key(written: &Value, understood: &Value) -> Option<String> {
    match (written, understood) {
        (Value::Object(written), Value::Object(understood)) => written.iter().find_map(|(key, value)| {
            let Some(known) = understood.get(key) else {
                return Some(format!(".{key}"));
            };
            unknown_key(value, known).map(|rest| format!(".{key}{rest}"))
        }),
        (Value::Array(written), Value::Array(understood)) => written
            .iter()
            .zip(understood)
            .enumerate()
            .find_map(|(nth, (value, known))| unknown_key(value, known).map(|rest| format!("[{nth}]{rest}"))),
        _ => None,
    }
}

/// The sandbox's token of a person's code: 38 characters, region first. It does not expire, so that a sale from an
/// outage can still name it.
pub(crate) fn ec_token(record: &PersonRecord) -> String {
    // FNV-1a, 64 bits, twice: the token has to be stable, not secret.
    let hash = |seed: u64| {
        let bytes = record.baseinfo.psn_no.bytes();
        bytes.fold(seed, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    };
    let region = record
        .insuinfo
        .first()
        .map_or("000000", |row| row.insuplc_admdvs.as_str());
    let tail = format!(
        "{:016x}{:016x}",
        hash(0xcbf2_9ce4_8422_2325),
        hash(0x8422_2325_cbf2_9ce4)
    );
    format!("{region}ec{}", tail.get(..30).unwrap_or_default())
}
