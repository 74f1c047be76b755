//! Misbehaviour on request: a faults file, read again at every request.
//!
//! TOML with `[[fault]]` tables or a JSON array of the same objects:
//!
//! ```toml
//! [[fault]]
//! on = "2102"        # transaction number, "ec.query", or "*" for all
//! what = "late_ms"   # see Misdeed
//! ms = 5000          # for late_ms
//! times = 1          # how often; left out: always
//! ```
//!
//! The first fault that matches and is not used up is applied. Changing the file's text starts its counts anew.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::Deserialize;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Misdeed {
    /// The request is swallowed: nothing is done and nothing answered, until the other side gives up.
    LoseRequest,
    /// Everything is done, and nothing answered, until the other side gives up.
    LoseReplyAfterCommit,
    /// Everything is done at once and answered `ms` later.
    LateMs,
    /// The request arrives twice; the answer is the first one's.
    Twice,
    /// Everything is done; the gateway answers 502.
    BadGatewayAfterCommit,
    /// Everything is done; the gateway answers 200 with a page of HTML.
    Html,
    /// Everything is done; the body breaks off in the middle.
    HalfBody,
    /// Nothing is done and the connection is closed.
    Close,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fault {
    on: String,
    what: Misdeed,
    #[serde(default)]
    ms: u64,
    #[serde(default)]
    times: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultFile {
    #[serde(default)]
    fault: Vec<Fault>,
}

/// A faults file that can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FaultsError {
    #[error("the faults file can't be read")]
    Unreadable(#[from] io::Error),
    #[error("the faults file is neither a JSON array nor TOML with [[fault]] tables")]
    Malformed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The faults file and how often each fault was applied.
#[derive(Debug)]
pub(crate) struct Faults {
    file: Option<PathBuf>,
    text: String,
    faults: Vec<(Fault, u32)>,
}

impl Faults {
    pub(crate) fn new(file: Option<PathBuf>) -> Faults {
        Faults {
            file,
            text: String::new(),
            faults: Vec::new(),
        }
    }

    /// The misdeed for this request and its delay in milliseconds, if there is one. A file that is not there
    /// yet holds no faults.
    pub(crate) fn next(&mut self, infno: &str) -> Result<Option<(Misdeed, u64)>, FaultsError> {
        self.reread()?;
        let applies = |fault: &Fault, used: u32| {
            (fault.on == "*" || fault.on == infno) && fault.times.is_none_or(|times| used < times)
        };
        let found = self.faults.iter_mut().find(|(fault, used)| applies(fault, *used));
        Ok(found.map(|(fault, used)| {
            *used += 1;
            (fault.what, fault.ms)
        }))
    }

    fn reread(&mut self) -> Result<(), FaultsError> {
        let Some(file) = &self.file else { return Ok(()) };
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error.into()),
        };
        if text != self.text {
            self.faults = parse(&text)?.into_iter().map(|fault| (fault, 0)).collect();
            self.text = text;
        }
        Ok(())
    }
}

/// Checks a faults file once, so that a mistake shows at the start.
pub(crate) fn check(file: &Path) -> Result<(), FaultsError> {
    Faults::new(Some(file.to_owned())).reread()
}

fn parse(text: &str) -> Result<Vec<Fault>, FaultsError> {
    if text.trim_start().starts_with('[') && !text.trim_start().starts_with("[[") {
        return serde_json::from_str(text).map_err(|error| FaultsError::Malformed(Box::new(error)));
    }
    let file: FaultFile = toml::from_str(text).map_err(|error| FaultsError::Malformed(Box::new(error)))?;
    Ok(file.fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_counts_and_reread() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("faults");
        let mut faults = Faults::new(Some(file.clone()));
        assert_eq!(faults.next("2102").unwrap(), None);

        fs::write(
            &file,
            "[[fault]]\non = \"2102\"\nwhat = \"late_ms\"\nms = 7\ntimes = 1\n",
        )
        .unwrap();
        assert_eq!(faults.next("1101").unwrap(), None);
        assert_eq!(faults.next("2102").unwrap(), Some((Misdeed::LateMs, 7)));
        assert_eq!(faults.next("2102").unwrap(), None, "used up");

        fs::write(&file, r#"[{"on":"*","what":"bad_gateway_after_commit"}]"#).unwrap();
        for infno in ["9001", "ec.query", "9001"] {
            assert_eq!(
                faults.next(infno).unwrap(),
                Some((Misdeed::BadGatewayAfterCommit, 0))
            );
        }
        for wrong in [
            "[{\"on\":\"*\",\"what\":\"explode\"}]",
            "fault = 3",
            "[[fault]]\non=\"*\"\nwhat=\"html\"\nmore=1",
        ] {
            fs::write(&file, wrong).unwrap();
            assert!(faults.next("2102").is_err(), "{wrong}");
        }
    }
}
