//! From a reply's bytes to what it means: for the client, and for people who look at a raw reply.

use serde::Serialize;
use serde_json::{
    json,
    value::{RawValue, to_raw_value},
};

use crate::{
    answer::{AgencyRefusal, Answer, Cause},
    envelope::Output,
    keys::Keys,
    messages::{
        person,
        settled::{self, IDENTITIES, IDENTITY_BROKEN, Irregularity, SettledReply},
        sign, statement,
    },
    profile::Profile,
    seal::Seal,
};

/// Whether a call may have moved money, so that an agency's system error leaves it in doubt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    Asks,
    Commits,
}

/// What a body amounts to. Whatever is not a well-formed reply of the interface is unknown.
pub(crate) fn understand<T>(
    seal: &Seal,
    body: &[u8],
    weight: Weight,
    read: impl FnOnce(&Output<'_>) -> Option<T>,
) -> Answer<T> {
    let reply = match seal.reply(body) {
        Ok(reply) => reply,
        Err(fault) => return Answer::Unknown(Cause::BodyUnreadable { what: fault.what() }),
    };
    if reply.infcode == -1 && weight == Weight::Commits && seal.profile.system_error_unknown {
        return Answer::Unknown(Cause::AgencySystemError);
    }
    if reply.infcode != 0 {
        return Answer::Refused(AgencyRefusal {
            infcode: reply.infcode,
            message: reply.err_msg,
        });
    }
    match read(&reply.output) {
        Some(value) => Answer::Done(value),
        None if matches!(reply.output, Output::Opaque(_)) => Answer::Unknown(Cause::BodyUnreadable {
            what: "the output is encrypted or no JSON",
        }),
        None => Answer::Unknown(Cause::BodyUnreadable {
            what: "the output lacks what it should hold",
        }),
    }
}

/// A raw reply as this terminal understands it. Holds the reply's content, personal data included: for the eyes of
/// whoever had the reply already, not for logs (and so without `Debug`).
#[derive(Clone, Serialize)]
pub struct Decoded {
    /// The transaction it was read as.
    pub infno: String,
    /// settled (done), refused or unknown.
    pub outcome: &'static str,
    /// Stable code, when unknown.
    pub code: Option<&'static str>,
    /// What is the matter, when unknown.
    pub why: Option<String>,
    /// infcode, if the reply has one.
    pub infcode: Option<i64>,
    /// The agency's text, when refused.
    pub message: Option<String>,
    /// The content: under normalised names where the transaction is known here, else as it came.
    pub reply: Option<Box<RawValue>>,
    /// Money identities and whether they hold, of a settlement.
    pub identities: Vec<IdentityCheck>,
    /// What is odd.
    pub irregularities: Vec<Irregularity>,
}

/// One money identity of a settlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IdentityCheck {
    /// Which.
    pub identity: &'static str,
    /// Whether it holds.
    pub holds: bool,
}

/// Reads the reply of transaction `infno` as the client would.
pub fn decode_reply(infno: &str, body: &[u8], profile: &Profile, keys: &Keys) -> Decoded {
    let seal = Seal {
        profile: profile.clone(),
        keys: keys.clone(),
    };
    let plain = profile.national_of(infno);
    let weight = match plain {
        "2102" | "2103" | "2207" | "2208" | "2304" | "2305" | "2401" | "2601" => Weight::Commits,
        _ => Weight::Asks,
    };
    let answer = understand(&seal, body, weight, |output| content(plain, output, profile));
    let reply = seal.reply(body).ok();
    let mut decoded = Decoded {
        infno: infno.to_owned(),
        outcome: "settled",
        code: None,
        why: None,
        infcode: reply.as_ref().map(|reply| reply.infcode),
        message: None,
        reply: None,
        identities: Vec::new(),
        irregularities: Vec::new(),
    };
    match answer {
        Answer::Done(Content::Settled(settled)) => decoded.take_settled(&settled),
        Answer::Done(Content::Other(value)) => decoded.reply = value,
        Answer::Refused(refusal) => {
            decoded.outcome = "refused";
            decoded.message = Some(refusal.message);
        }
        Answer::NotSent(cause) | Answer::Unknown(cause) => {
            decoded.outcome = "unknown";
            decoded.code = Some(cause.code());
            decoded.why = Some(cause.to_string());
        }
    }
    if reply.is_some_and(|reply| twelve_hours_apart(&reply.inf_refmsgid, &reply.refmsg_time)) {
        decoded
            .irregularities
            .push(Irregularity::new("CLOCK_TWELVE_HOURS", "refmsg_time"));
    }
    decoded
}

impl Decoded {
    fn take_settled(&mut self, settled: &SettledReply) {
        let mut reply = json!(settled);
        if let Some(fields) = reply.as_object_mut() {
            fields.remove("irregularities");
        }
        self.reply = to_raw_value(&reply).ok();
        self.irregularities.clone_from(&settled.irregularities);
        let broken = |identity: &&str| {
            settled
                .irregularities
                .iter()
                .any(|odd| odd.code == IDENTITY_BROKEN && odd.field == **identity)
        };
        self.identities = IDENTITIES
            .iter()
            .map(|identity| IdentityCheck {
                identity,
                holds: !broken(identity),
            })
            .collect();
    }
}

enum Content {
    Settled(Box<SettledReply>),
    Other(Option<Box<RawValue>>),
}

fn content(infno: &str, output: &Output<'_>, profile: &Profile) -> Option<Content> {
    let settled = |reply| Content::Settled(Box::new(reply));
    match infno {
        "2101" | "2206" | "2303" => settled::read_trial(output, profile).map(settled),
        "2102" | "2207" | "2304" => settled::read_settled(output, profile).map(settled),
        "2103" | "2208" | "2305" => settled::read_cancelled(output, profile).map(settled),
        "5203" => {
            settled::read_found(output, profile).map(|found| found.map_or(Content::Other(None), settled))
        }
        "1101" | "1161" => {
            person::read_person(output).map(|record| Content::Other(to_raw_value(&record).ok()))
        }
        "9001" => {
            let read = sign::read_sign_in(output)?;
            Some(Content::Other(
                to_raw_value(&json!({"sign_no": read.sign_no, "sign_time": read.sign_time})).ok(),
            ))
        }
        "3201" => {
            let read = statement::read_statement(output, &profile.statement)?;
            let found = json!({"stmt_rslt": read.stmt_rslt, "stmt_rslt_dscr": read.stmt_rslt_dscr});
            Some(Content::Other(to_raw_value(&found).ok()))
        }
        _ if matches!(output, Output::Opaque(_)) => None,
        _ => {
            Some(Content::Other(output.node().and_then(|node| {
                RawValue::from_string(node.raw().to_owned()).ok()
            })))
        }
    }
}

/// Whether refmsg_time is the time inside inf_refmsgid told by a twelve-hour clock.
fn twelve_hours_apart(inf_refmsgid: &str, refmsg_time: &str) -> bool {
    let hour = |text: Option<&str>| text.and_then(|hour| hour.parse::<u8>().ok());
    let (Some(told), Some(meant)) = (hour(refmsg_time.get(8..10)), hour(inf_refmsgid.get(14..16))) else {
        return false;
    };
    refmsg_time.get(..8) == inf_refmsgid.get(6..14) && meant > 12 && told == meant - 12
}
