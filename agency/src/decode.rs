//! From a reply's bytes to what it means: for the client, and for people who look at a raw reply.

use serde::Serialize;
use serde_json::{
    json,
    value::{RawValue, to_raw_value},
};

use crate::{
    answer::{AgencyRefusal, Answer, Cause},
    keys::Keys,
    messages::{
        benefits, clearing,
        ec_query::{self, EcReply},
        files, goods, person,
        settled::{self, IDENTITIES, IDENTITY_BROKEN, Irregularity, SettledReply},
        sign, statement, visit,
    },
    output::Output,
    profile::{Profile, leaves_in_doubt},
    reply::{Reply, gateway_words, plain},
    seal::Seal,
    verdict::praises,
    zip_text,
};

/// What hangs on the answer to a transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Nothing: it may be asked again.
    Asks,
    /// The agency holds something else afterwards, so that an error of its own system leaves in doubt whether it does.
    Changes,
    /// Money, or packs that count as sold: the like, and nobody's word but the agency's own is taken.
    Commits,
}

impl Weight {
    /// By the national number.
    pub(crate) fn of(national: &str) -> Weight {
        match national {
            "2102" | "2103" | "2207" | "2208" | "2304" | "2305" | "2401" | "2601" | "3203" | "3204"
            | "3505" | "3506" => Weight::Commits,
            "2201" | "2202" | "2203" | "2204" | "2205" | "2301" | "2302" | "2402" | "2403" | "2404"
            | "2405" => Weight::Changes,
            _ => Weight::Asks,
        }
    }
}

/// Transactions of which nothing in the answer but infcode says that they were done.
const BARE: [&str; 11] = [
    "2202", "2203", "2205", "2302", "2402", "2403", "2404", "2405", "2601", "3204", "9002",
];

/// What a body amounts to, as the answer to the transaction of that national number. Whatever is not a well-formed reply
/// of the interface, or says two things, is unknown.
pub(crate) fn understand<T>(
    seal: &Seal,
    body: &[u8],
    national: &str,
    read: impl FnOnce(&Output<'_>) -> Option<T>,
) -> Answer<T> {
    let weight = Weight::of(national);
    let unreadable = |what| Answer::Unknown(Cause::BodyUnreadable { what });
    let (body, _) = plain(body);
    let reply = match seal.reply(&body) {
        Ok(reply) => reply,
        Err(fault) => return unreadable(fault.what()),
    };
    if reply.survey.disputed.is_some() {
        return unreadable("a field is told twice and differently");
    }
    let proof = || weight != Weight::Asks && proves(national, &reply.output);
    // A gateway's word is no word of the agency's where money may have moved; a settlement's number is.
    if reply.gateway && weight == Weight::Commits && !(reply.infcode == 0 && proof()) {
        return unreadable("a gateway's answer, not the agency's: JSON without infcode");
    }
    if reply.infcode == -1 && weight != Weight::Asks && seal.profile.system_error_unknown {
        return Answer::Unknown(Cause::AgencySystemError);
    }
    if reply.infcode != 0 {
        // What it says it has not done, and gives the number of.
        if proof() {
            return unreadable("refused, and yet what it refuses in it");
        }
        if weight == Weight::Commits && praises(&reply.err_msg) {
            return unreadable("infcode and its own words say different things");
        }
        let refusal = AgencyRefusal::new(reply.infcode, reply.err_msg);
        let refusal = refusal.in_words_of(&seal.profile.refusals);
        let open = refusal.reason().is_none() && leaves_in_doubt(national, &refusal.message);
        if weight == Weight::Commits && open {
            return unreadable("refused in words that leave open whether it was done");
        }
        return Answer::Refused(refusal);
    }
    let second = goods::read_accepted(&reply.output, false);
    let goods = matches!(national, "3505" | "3506");
    let declined = weight != Weight::Asks && second != Some(goods::Accepted::Yes);
    if (reply.denied || declined) && !(goods && matches!(second, Some(goods::Accepted::No(_)))) {
        return unreadable("infcode 0, and elsewhere in it a failure");
    }
    let bare = BARE.contains(&national) || (goods && reply.output.is_bare());
    if bare && !reply.err_msg.is_empty() && !praises(&reply.err_msg) {
        return unreadable("infcode 0, and words that are not those of a success");
    }
    match &reply.output {
        Output::Opaque(words) if !praises(words) => unreadable("the output is encrypted or no JSON"),
        output => read(output).map_or_else(
            || unreadable("the output lacks what it should hold"),
            Answer::Done,
        ),
    }
}

/// Whether the number stands in an output that an agency gives to what it has done, whatever else is said of it.
fn proves(national: &str, output: &Output<'_>) -> bool {
    match national {
        "2201" | "2401" => visit::read_opened(output).is_some(),
        "3203" => clearing::read_application(output).is_some(),
        _ => settled::holds_settlement(output),
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
    /// Stable code, when refused or unknown.
    pub code: Option<&'static str>,
    /// What is the matter, when unknown.
    pub why: Option<String>,
    /// infcode, if the reply has one.
    pub infcode: Option<i64>,
    /// The agency's or the gateway's text, when refused or unknown.
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

/// Reads the reply of transaction `infno` as the client would. `keys` open an encrypted output and check a signature;
/// without them the one stays closed and the other unchecked.
pub fn decode_reply(infno: &str, body: &[u8], profile: &Profile, keys: &Keys) -> Decoded {
    if infno == "ec.query" {
        return decode_code(body);
    }
    let seal = Seal {
        profile: profile.clone(),
        keys: keys.clone(),
    };
    let national = profile.national_of(infno);
    if national == "9102" && zip_text::is_zip(body) {
        return decode_file(infno, body);
    }
    let (body, odd) = plain(body);
    let reply = seal.reply(&body).ok();
    let mut decoded = Decoded::of(infno);
    if let Some(reply) = &reply {
        decoded.infcode = (!reply.gateway).then_some(reply.infcode);
        decoded.irregularities = oddities(reply);
    }
    let odd = odd.map(|code| Irregularity::new(code, "body"));
    decoded.irregularities.extend(odd);
    let read = |output: &Output<'_>| content(infno, national, output, profile);
    match understand(&seal, &body, national, read) {
        Answer::Done(content) => decoded.take(content),
        Answer::Refused(refusal) => decoded.refuse(refusal.message),
        Answer::NotSent(cause) | Answer::Unknown(cause) => {
            decoded.doubt(&cause);
            decoded.message = match &reply {
                Some(reply) => Some(reply.err_msg.clone()).filter(|text| !text.is_empty()),
                None => gateway_words(&body),
            };
        }
    }
    decoded
}

/// 9102 answers with the file itself.
fn decode_file(infno: &str, body: &[u8]) -> Decoded {
    let mut decoded = Decoded::of(infno);
    match zip_text::unpack(body) {
        Ok(file) => decoded.reply = to_raw_value(&json!({ "bytes": file.len() })).ok(),
        Err(what) => decoded.doubt(&Cause::BodyUnreadable { what }),
    }
    decoded
}

/// The decoder of medical-insurance codes answers in an envelope of its own.
fn decode_code(body: &[u8]) -> Decoded {
    let mut decoded = Decoded::of("ec.query");
    match ec_query::read(body) {
        EcReply::Person(person) => {
            let person = json!({
                "idType": person.id_type, "idNo": person.id_no, "userName": person.name,
                "ecToken": person.ec_token, "insuOrg": person.insu_org,
            });
            (decoded.infcode, decoded.reply) = (Some(0), to_raw_value(&person).ok());
        }
        EcReply::Refused { code, message } => {
            decoded.refuse(message);
            decoded.infcode = Some(code);
        }
        EcReply::Unreadable(what) => decoded.doubt(&Cause::BodyUnreadable { what }),
    }
    decoded
}

/// What is odd about an envelope.
fn oddities(reply: &Reply<'_>) -> Vec<Irregularity> {
    let mut odd = Vec::new();
    let mut note = |holds: bool, code: &'static str, field: &str| {
        if holds {
            odd.push(Irregularity::new(code, field));
        }
    };
    note(reply.wrapped, "ENVELOPE_WRAPPED", "infcode");
    note(reply.gateway, "ENVELOPE_OF_GATEWAY", "infcode");
    note(
        matches!(reply.output, Output::Text(_)),
        "OUTPUT_IS_TEXT",
        "output",
    );
    note(reply.unchecked, "SIGNATURE_UNCHECKED", "cainfo");
    note(
        reply.output_elsewhere && !reply.gateway,
        "OUTPUT_ELSEWHERE",
        "output",
    );
    let twelve = twelve_hours_apart(&reply.inf_refmsgid, &reply.refmsg_time, &reply.respond_time);
    note(twelve, "CLOCK_TWELVE_HOURS", "refmsg_time");
    let complains = reply.infcode == 0 && !reply.err_msg.is_empty() && !praises(&reply.err_msg);
    note(complains, "ERR_MSG_ON_SUCCESS", "err_msg");
    let twice = reply.survey.disputed.as_deref();
    note(twice.is_some(), "FIELD_TWICE", twice.unwrap_or_default());
    odd
}

impl Decoded {
    fn of(infno: &str) -> Decoded {
        Decoded {
            infno: infno.to_owned(),
            outcome: "settled",
            code: None,
            why: None,
            infcode: None,
            message: None,
            reply: None,
            identities: Vec::new(),
            irregularities: Vec::new(),
        }
    }

    fn doubt(&mut self, cause: &Cause) {
        self.outcome = "unknown";
        self.code = Some(cause.code());
        self.why = Some(cause.to_string());
    }

    fn refuse(&mut self, message: String) {
        self.outcome = "refused";
        self.code = Some(REFUSED);
        self.message = Some(message);
    }

    fn take(&mut self, content: Content) {
        match content {
            Content::Settled(settled) => self.take_settled(&settled),
            Content::Rows(rows) => {
                self.reply = to_raw_value(&json!({ "result": rows.rows })).ok();
                self.identities = vec![IdentityCheck {
                    identity: visit::ROW_IDENTITY,
                    holds: rows.irregularities.iter().all(|odd| odd.code != IDENTITY_BROKEN),
                }];
                self.irregularities.extend(rows.irregularities);
            }
            Content::Other(value) => self.reply = value,
            Content::Noted(value, odd) => {
                self.reply = value;
                self.irregularities.extend(odd);
            }
            Content::Declined(message) => self.refuse(message),
        }
    }

    fn take_settled(&mut self, settled: &SettledReply) {
        let mut reply = json!(settled);
        if let Some(fields) = reply.as_object_mut() {
            fields.remove("irregularities");
        }
        for name in settled.untold() {
            if let Some(amount) = reply.pointer_mut(&format!("/setlinfo/{name}")) {
                *amount = serde_json::Value::Null;
            }
        }
        self.reply = to_raw_value(&reply).ok();
        let odd = settled.irregularities.iter().cloned();
        self.irregularities
            .retain(|told| !settled.irregularities.contains(told));
        self.irregularities.extend(odd);
        let checked = |identity: &&'static str| {
            let holds = settled.holds(identity)?;
            Some(IdentityCheck { identity, holds })
        };
        self.identities = IDENTITIES.iter().filter_map(checked).collect();
    }
}

/// Code of the agency's no.
const REFUSED: &str = "REPLY_REFUSES";

enum Content {
    Settled(Box<SettledReply>),
    Rows(visit::FeeRows),
    Other(Option<Box<RawValue>>),
    Noted(Option<Box<RawValue>>, Option<Irregularity>),
    /// infcode 0, and the second level says no (3505).
    Declined(String),
}

fn content(infno: &str, national: &str, output: &Output<'_>, profile: &Profile) -> Option<Content> {
    let settled = |reply| Content::Settled(Box::new(reply));
    match national {
        "2101" | "2206" | "2303" => settled::read_trial(output, profile).map(settled),
        "2102" | "2207" | "2304" => settled::read_settled(output, profile).map(settled),
        "2103" | "2208" | "2305" => settled::read_cancelled(output, profile).map(settled),
        "5203" => {
            settled::read_found(output, profile).map(|found| found.map_or(Content::Other(None), settled))
        }
        "1101" | "1161" | "1162" => person::read_person(output).map(|record| other(&record)),
        "9001" => sign::read_sign_in(output)
            .map(|read| other(&json!({"sign_no": read.sign_no, "sign_time": read.sign_time}))),
        "9101" | "3202" => files::read_ticket(output).map(|ticket| other(&ticket)),
        "2201" | "2401" => visit::read_opened(output).map(|opened| other(&opened)),
        "2204" | "2301" => visit::read_fee_rows(output).map(Content::Rows),
        "3203" => clearing::read_application(output)
            .map(|clr_appy_evt_id| other(&json!({ "clr_appy_evt_id": clr_appy_evt_id }))),
        "2001" | "5201" | "5202" | "5204" | "5205" | "5206" | "5301" => {
            benefits::read_rows(output).map(listed)
        }
        "3505" | "3506" => match goods::read_accepted(output, infno != national) {
            Some(goods::Accepted::No(message)) => Some(Content::Declined(message)),
            Some(goods::Accepted::Yes) => Some(raw(output)),
            None => None,
        },
        "3201" => {
            let read = statement::read_statement(output, &profile.statement)?;
            Some(other(
                &json!({"stmt_rslt": read.stmt_rslt, "stmt_rslt_dscr": read.stmt_rslt_dscr}),
            ))
        }
        "9102" => None,
        _ if matches!(output, Output::Opaque(_)) => None,
        _ => Some(raw(output)),
    }
}

fn raw(output: &Output<'_>) -> Content {
    Content::Other(
        output
            .node()
            .and_then(|node| RawValue::from_string(node.raw().to_owned()).ok()),
    )
}

fn listed(read: benefits::Rows) -> Content {
    let incomplete = read
        .incomplete
        .then(|| Irregularity::new("ROWS_INCOMPLETE", "output"));
    Content::Noted(to_raw_value(&benefits::as_objects(read.rows)).ok(), incomplete)
}

fn other(value: &impl Serialize) -> Content {
    Content::Other(to_raw_value(value).ok())
}

/// Whether refmsg_time is told by a twelve-hour clock: the time inside inf_refmsgid, or where there is none
/// respond_time, is the same but in the afternoon.
fn twelve_hours_apart(inf_refmsgid: &str, refmsg_time: &str, respond_time: &str) -> bool {
    let hour = |text: Option<&str>| text.and_then(|hour| hour.parse::<u8>().ok());
    let afternoon = |day: Option<&str>, meant: Option<&str>| {
        let (Some(told), Some(meant)) = (hour(refmsg_time.get(8..10)), hour(meant)) else {
            return false;
        };
        refmsg_time.get(..8) == day && meant > 12 && told == meant - 12
    };
    if inf_refmsgid.is_empty() {
        afternoon(respond_time.get(..8), respond_time.get(8..10))
    } else {
        afternoon(inf_refmsgid.get(6..14), inf_refmsgid.get(14..16))
    }
}
