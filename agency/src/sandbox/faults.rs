//! Misbehaviour on request: a faults file, read again at every request. `agency/sandbox/README.md` describes it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::civil::Time;
use serde::{Deserialize, de::Error as _};

use crate::clock::{beijing_now, now};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// Everything is done, by a clock that is `seconds` off.
    WrongClock,
    /// What is asked is answered from the state before anybody's first settlement.
    StaleFigures,
    /// It is done; a refusal is told in Chinese words, without the code in front.
    WordsOnly,
    /// Nothing is done; the gateway says that it is being worked on.
    Maintenance,
    /// Nothing is done beyond `per_second` requests; the gateway answers 429.
    RateLimit,
    /// Nothing is done; infcode -1.
    SystemError,
    /// Everything is done; infcode -1 all the same.
    SystemErrorAfterCommit,
}

const MISDEEDS: [(&str, Misdeed); 15] = [
    ("lose_request", Misdeed::LoseRequest),
    ("lose_reply_after_commit", Misdeed::LoseReplyAfterCommit),
    ("late_ms", Misdeed::LateMs),
    ("twice", Misdeed::Twice),
    ("bad_gateway_after_commit", Misdeed::BadGatewayAfterCommit),
    ("html", Misdeed::Html),
    ("half_body", Misdeed::HalfBody),
    ("close", Misdeed::Close),
    ("wrong_clock", Misdeed::WrongClock),
    ("stale_figures", Misdeed::StaleFigures),
    ("words_only", Misdeed::WordsOnly),
    ("maintenance", Misdeed::Maintenance),
    ("rate_limit", Misdeed::RateLimit),
    ("system_error", Misdeed::SystemError),
    ("system_error_after_commit", Misdeed::SystemErrorAfterCommit),
];

/// Other words for the same.
const SYNONYMS: [(&str, &str); 8] = [
    ("lose_reply", "lose_reply_after_commit"),
    ("late", "late_ms"),
    ("bad_gateway", "bad_gateway_after_commit"),
    ("502_after_commit", "bad_gateway_after_commit"),
    ("maintenance_window", "maintenance"),
    ("half_a_body", "half_body"),
    ("answer_late", "late_ms"),
    ("answer_twice", "twice"),
];

impl<'de> Deserialize<'de> for Misdeed {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Misdeed, D::Error> {
        let written = String::deserialize(from)?;
        let word = written.trim().to_ascii_lowercase().replace(['-', ' '], "_");
        let word = SYNONYMS
            .iter()
            .find(|(other, _)| *other == word)
            .map_or(word.as_str(), |(_, word)| word);
        let found = MISDEEDS.iter().find(|(name, _)| *name == word);
        found.map(|(_, misdeed)| *misdeed).ok_or_else(|| {
            let known: Vec<&str> = MISDEEDS.iter().map(|(name, _)| *name).collect();
            D::Error::custom(format!("what = {written:?} is none of {}", known.join(", ")))
        })
    }
}

/// One entry of the file.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Fault {
    #[serde(default = "all", alias = "infno", deserialize_with = "served")]
    on: String,
    pub(crate) what: Misdeed,
    /// For `late_ms`.
    #[serde(default, alias = "delay_ms")]
    pub(crate) ms: u64,
    /// For `wrong_clock`: how far it is ahead; negative: behind.
    #[serde(default = "twelve_hours_behind")]
    pub(crate) seconds: i64,
    /// For `rate_limit`.
    #[serde(default = "one")]
    per_second: u32,
    #[serde(default)]
    times: Option<u32>,
    /// So many requests pass before it begins.
    #[serde(default)]
    after: u32,
    /// Of the requests it could befall, so many in a hundred.
    #[serde(default = "hundred")]
    percent: u64,
    /// Only between these hours of the day, Beijing time; over midnight where `until` is the earlier one.
    #[serde(default)]
    from: Option<Time>,
    #[serde(default)]
    until: Option<Time>,
}

fn all() -> String {
    "*".to_owned()
}

fn served<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let on = String::deserialize(from)?;
    if on == "*" || SERVED.contains(&on.as_str()) {
        return Ok(on);
    }
    let known = SERVED.join(", ");
    Err(D::Error::custom(format!("on = {on:?} is none of *, {known}")))
}

fn twelve_hours_behind() -> i64 {
    -12 * 60 * 60
}

fn one() -> u32 {
    1
}

fn hundred() -> u64 {
    100
}

const KEYS: [&str; 13] = [
    "on",
    "infno",
    "what",
    "ms",
    "delay_ms",
    "seconds",
    "per_second",
    "times",
    "after",
    "percent",
    "from",
    "until",
    "note",
];

/// What is served here, by its national number.
const SERVED: [&str; 44] = [
    "1101", "2001", "2101", "2102", "2103", "2201", "2202", "2203", "2204", "2205", "2206", "2207", "2208",
    "2301", "2302", "2303", "2304", "2305", "2401", "2402", "2403", "2404", "2405", "2601", "3101", "3102",
    "3201", "3202", "3203", "3204", "3505", "3506", "5201", "5202", "5203", "5204", "5205", "5206", "5301",
    "9001", "9002", "9101", "9102", "ec.query",
];

/// Transactions that are the same for another kind of desk: what is asked for one befalls all.
const SAME: [[&str; 3]; 3] = [
    ["2101", "2206", "2303"],
    ["2102", "2207", "2304"],
    ["2103", "2208", "2305"],
];

/// A faults file that can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FaultsError {
    #[error("it can't be read")]
    Unreadable(#[from] io::Error),
    #[error("neither a JSON array nor TOML with [[fault]] tables: {0}")]
    Malformed(String),
}

#[derive(Debug)]
struct Counted {
    fault: Fault,
    met: u32,
    used: u32,
    second: i64,
    in_second: u32,
}

/// The faults file and how often each fault was applied.
#[derive(Debug)]
pub(crate) struct Faults {
    file: Option<PathBuf>,
    text: String,
    faults: Vec<Counted>,
}

impl Faults {
    pub(crate) fn new(file: Option<PathBuf>) -> Faults {
        Faults {
            file,
            text: String::new(),
            faults: Vec::new(),
        }
    }

    /// The fault that befalls this request (`infno` is the national number), if there is one. A file that is not
    /// there yet holds no faults; one that can't be used leaves those that were, and says so once.
    pub(crate) fn next(&mut self, infno: &str) -> Option<Fault> {
        if let Err(error) = self.reread() {
            tracing::error!(%error, "the faults file can't be used: the faults stay what they were");
        }
        self.faults
            .iter_mut()
            .find_map(|counted| counted.befalls(infno).then(|| counted.fault.clone()))
    }

    fn reread(&mut self) -> Result<(), FaultsError> {
        let Some(file) = &self.file else { return Ok(()) };
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error.into()),
        };
        if text != self.text {
            self.text.clone_from(&text);
            let (faults, unknown) = parse(&text)?;
            for key in unknown {
                tracing::warn!(
                    key,
                    known = KEYS.join(", "),
                    "the faults file has an unknown key, which does nothing"
                );
            }
            self.faults = faults.into_iter().map(Counted::new).collect();
        }
        Ok(())
    }
}

impl Counted {
    fn new(fault: Fault) -> Counted {
        Counted {
            fault,
            met: 0,
            used: 0,
            second: 0,
            in_second: 0,
        }
    }

    fn befalls(&mut self, infno: &str) -> bool {
        let fault = &self.fault;
        let same = |on: &str| {
            SAME.iter()
                .any(|family| family.contains(&on) && family.contains(&infno))
        };
        if !(fault.on == "*" || fault.on == infno || same(&fault.on)) || !fault.in_hours() {
            return false;
        }
        self.met += 1;
        if self.met <= fault.after || fault.times.is_some_and(|times| self.used >= times) {
            return false;
        }
        // Spread over the requests by a fixed stride, so that the same file does the same every time.
        if u64::from(self.met) * 61 % 100 >= fault.percent {
            return false;
        }
        if fault.what == Misdeed::RateLimit {
            let second = now().as_second();
            self.in_second = if second == self.second {
                self.in_second + 1
            } else {
                1
            };
            self.second = second;
            if self.in_second <= fault.per_second {
                return false;
            }
        }
        self.used += 1;
        true
    }
}

impl Fault {
    fn in_hours(&self) -> bool {
        let time = beijing_now().time();
        match (self.from, self.until) {
            (None, None) => true,
            (Some(from), None) => from <= time,
            (None, Some(until)) => time < until,
            (Some(from), Some(until)) if from <= until => from <= time && time < until,
            (Some(from), Some(until)) => from <= time || time < until,
        }
    }
}

/// Checks a faults file once, so that a mistake shows at the start; that there is none yet is told.
pub(crate) fn check(file: &Path) -> Result<(), FaultsError> {
    if !file.exists() {
        tracing::warn!(file = %file.display(), "there is no faults file yet: nothing goes wrong until there is");
    }
    Faults::new(Some(file.to_owned())).reread()
}

/// The faults of a text, and the keys that mean nothing.
fn parse(text: &str) -> Result<(Vec<Fault>, Vec<String>), FaultsError> {
    let malformed = |error: &dyn std::fmt::Display| FaultsError::Malformed(error.to_string());
    let start = text.trim_start();
    let array = start.strip_prefix('[').map(str::trim_start);
    let json = start.starts_with('{') || array.is_some_and(|rest| rest.starts_with(['{', ']']));
    let whole: toml::Value = if json {
        serde_json::from_str(text).map_err(|error| malformed(&error))?
    } else {
        toml::from_str(text).map_err(|error| malformed(&error))?
    };
    let listed = match &whole {
        toml::Value::Array(rows) => Some(rows),
        toml::Value::Table(table) => {
            let rows = table.get("fault").or_else(|| table.get("faults"));
            match rows {
                None if table.is_empty() => return Ok((Vec::new(), Vec::new())),
                None => None,
                Some(rows) => rows.as_array(),
            }
        }
        _ => None,
    };
    let rows = listed.ok_or_else(|| malformed(&"no list of faults in it"))?;
    let mut unknown = Vec::new();
    let mut faults = Vec::new();
    for (nth, row) in rows.iter().enumerate() {
        let keys = row.as_table().into_iter().flat_map(|row| row.keys());
        unknown.extend(keys.filter(|key| !KEYS.contains(&key.as_str())).cloned());
        let fault = row.clone().try_into::<Fault>();
        faults.push(fault.map_err(|error| malformed(&format!("fault {}: {error}", nth + 1)))?);
    }
    Ok((faults, unknown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_counts_and_reread() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("faults");
        let mut faults = Faults::new(Some(file.clone()));
        assert!(faults.next("2102").is_none());
        let what = |faults: &mut Faults, infno: &str| faults.next(infno).map(|fault| (fault.what, fault.ms));

        fs::write(
            &file,
            "[[fault]]\non = \"2102\"\nwhat = \"late_ms\"\nms = 7\ntimes = 1\nsurprise = 3\n",
        )
        .unwrap();
        assert_eq!(what(&mut faults, "1101"), None);
        assert_eq!(
            what(&mut faults, "2207"),
            Some((Misdeed::LateMs, 7)),
            "of any desk"
        );
        assert_eq!(what(&mut faults, "2102"), None, "used up");

        fs::write(&file, r#"[{"on":"*","what":"bad-gateway-after-commit"}]"#).unwrap();
        for infno in ["9001", "ec.query", "9001"] {
            assert_eq!(
                what(&mut faults, infno),
                Some((Misdeed::BadGatewayAfterCommit, 0))
            );
        }
        for wrong in [
            "[{\"on\":\"*\",\"what\":\"explode\"}]",
            "fault = 3",
            "[[fault]]\non=\"*\"",
            "[[fault]]\non=\"2102x\"\nwhat=\"html\"",
            "{",
            "html",
        ] {
            fs::write(&file, wrong).unwrap();
            assert!(check(&file).is_err(), "{wrong}");
            // While it runs, the faults stay what they were.
            assert_eq!(
                what(&mut faults, "2102"),
                Some((Misdeed::BadGatewayAfterCommit, 0)),
                "{wrong}"
            );
        }
        let told = parse("[[fault]]\nwhat = \"explode\"").unwrap_err().to_string();
        assert!(
            told.contains("fault 1") && told.contains("lose_request"),
            "{told}"
        );
        fs::write(&file, "").unwrap();
        assert_eq!(what(&mut faults, "2102"), None);
    }

    #[test]
    fn a_fault_on_what_is_not_served_is_refused() {
        for on in SERVED {
            parse(&format!("[[fault]]\non = \"{on}\"\nwhat = \"html\"")).unwrap();
        }
        for on in ["2207A", "9999", ""] {
            let told = parse(&format!("[[fault]]\non = \"{on}\"\nwhat = \"html\""))
                .unwrap_err()
                .to_string();
            assert!(told.contains("fault 1") && told.contains("2207"), "{told}");
        }
        // Every number that stands before an arrow there is served.
        let arms = include_str!("agency.rs").split("fn dispatch(").nth(1).unwrap();
        let arms = arms.split("other =>").next().unwrap();
        let mut dispatched: Vec<&str> = arms.split('"').skip(1).step_by(2).collect();
        dispatched.push("ec.query");
        dispatched.sort_unstable();
        assert_eq!(dispatched, SERVED);
    }

    #[test]
    fn after_percent_and_rate() {
        let count = |text: &str, requests: u32| {
            let (faults, unknown) = parse(text).unwrap();
            assert_eq!(unknown, Vec::<String>::new());
            let mut fault = Counted::new(faults[0].clone());
            (0..requests).filter(|_| fault.befalls("2102")).count()
        };
        assert_eq!(count(r#"[{"what":"html","after":3,"times":2}]"#, 10), 2);
        assert_eq!(count(r#"{"faults":[{"what":"html","percent":20}]}"#, 100), 20);
        assert_eq!(count(r#"[{"what":"html","on":"9001"}]"#, 10), 0);
        let limited = count(r#"[{"what":"rate_limit","per_second":5}]"#, 100);
        assert!(limited > 80, "{limited}");
        let never = r#"[{"what":"maintenance","from":"00:00:00","until":"00:00:00"}]"#;
        assert_eq!(count(never, 3), 0);
        assert_eq!(count(r#"[{"what":"maintenance","from":"00:00"}]"#, 3), 3);
    }
}
