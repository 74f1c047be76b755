//! What a settlement came to: the lenient reading of setlinfo and setldetail, normalised, with every oddity named.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};
use yijie_rules::{Accumulated, Money, SetlInfo};

use crate::{
    lenient::{Fields, Node},
    numbers::whole_number,
    output::Output,
    profile::Profile,
};

mod reading;
mod sums;

use reading::{BALANCE, DERIVED, Reading};
pub(super) use reading::{EMPTY, UNREADABLE};
use sums::{DETAIL, PERSON};
pub(crate) use sums::{IDENTITIES, IDENTITY_BROKEN};

/// A settlement as the agency gave it, under the field names of 2102/2207. Serialises for the journal and for
/// people; `Debug` shows no person.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct SettledReply {
    /// Settlement number; empty in a trial settlement.
    pub setl_id: String,
    /// Visit number.
    pub mdtrt_id: String,
    /// Person number; empty where the agency left it out.
    pub psn_no: String,
    /// The msgid of the settlement, as the agency keeps it.
    pub medins_setl_id: String,
    /// Insurance type.
    pub insutype: String,
    /// Kind of care.
    pub med_type: String,
    /// Settling agency, for 3201.
    pub clr_optins: String,
    /// Way of settlement.
    pub clr_way: String,
    /// Category of settlement, for 3201.
    pub clr_type: String,
    /// Time of the settlement by the agency's clock, `yyyy-MM-dd HH:mm:ss` where it can be read. Not to be used for
    /// ordering.
    pub setl_time: String,
    /// refd_setl_flag 1: the settlement was cancelled or reversed.
    pub refunded: bool,
    /// The amounts.
    pub setlinfo: SetlInfo,
    /// Who paid: funds, and other sources the agency lists with them.
    pub setldetail: Vec<FundLine>,
    /// What the year has used afterwards, where the agency says so in exp_content.
    pub accumulated_after: Option<Vec<Accumulated>>,
    /// What was odd about the reply.
    #[serde(default)]
    pub irregularities: Vec<Irregularity>,
}

/// A row of setldetail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FundLine {
    /// Kind of fund; unknown kinds are kept as they are.
    pub fund_pay_type: String,
    /// Its name in the agency's words.
    pub fund_pay_type_name: String,
    /// What it paid.
    pub fund_payamt: Money,
    /// What was in its scope.
    pub inscp_scp_amt: Option<Money>,
    /// What it could have paid at most.
    pub crt_payb_lmt_amt: Option<Money>,
}

/// Something in a reply that is not as it should be, but could be understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Irregularity {
    /// Stable code.
    pub code: Cow<'static, str>,
    /// The field or identity.
    pub field: String,
}

impl Irregularity {
    pub(crate) fn new(code: &'static str, field: &str) -> Irregularity {
        Irregularity {
            code: Cow::Borrowed(code),
            field: field.to_owned(),
        }
    }
}

impl fmt::Debug for SettledReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SettledReply")
            .field("setl_id", &self.setl_id)
            .field("medins_setl_id", &self.medins_setl_id)
            .field("refunded", &self.refunded)
            .field("irregularities", &self.irregularities)
            .finish_non_exhaustive()
    }
}

impl SettledReply {
    /// The own account's balance, where the agency tells it: none is not a balance of 0.00.
    #[must_use]
    pub fn balance(&self) -> Option<Money> {
        let untold =
            |odd: &Irregularity| odd.field == BALANCE && [EMPTY, UNREADABLE].contains(&odd.code.as_ref());
        (!self.irregularities.iter().any(untold)).then_some(self.setlinfo.balc)
    }

    /// The amounts of which nobody can say what they are: not told, and the sums they belong to do not hold without them.
    pub(crate) fn untold(&self) -> impl Iterator<Item = &str> {
        let told = |name: &str| {
            let derived = |odd: &&Irregularity| odd.code == DERIVED && odd.field == name;
            self.irregularities.iter().any(|odd| derived(&odd))
        };
        let unread = self.irregularities.iter().filter(move |odd| {
            let name = odd.field.as_str();
            let nothing =
                || sums::of(name).is_some_and(|mut sums| sums.all(|sum| self.holds(sum) != Some(false)));
            odd.code == UNREADABLE || odd.code == EMPTY && !told(name) && !nothing()
        });
        unread.map(|odd| odd.field.as_str())
    }

    /// Whether a money identity holds; nothing where it could not be checked.
    pub(crate) fn holds(&self, identity: &str) -> Option<bool> {
        let noted = |code: &str, field: &str| {
            self.irregularities
                .iter()
                .any(|odd| odd.code == code && odd.field == field)
        };
        let unchecked = match identity {
            PERSON => noted(DERIVED, reading::PERSON_PART[0]),
            DETAIL => self.setldetail.is_empty(),
            _ => false,
        };
        (!unchecked).then(|| !noted(IDENTITY_BROKEN, identity))
    }

    /// Notes an echo of another msgid than the one sent.
    pub(crate) fn compare_msgid(&mut self, msgid: &str) {
        if !self.medins_setl_id.is_empty() && self.medins_setl_id != msgid {
            self.irregularities
                .push(Irregularity::new("MSGID_OTHER", "medins_setl_id"));
        }
    }
}

/// 2101, 2206: setl_id may be missing.
pub(crate) fn read_trial(output: &Output<'_>, profile: &Profile) -> Option<SettledReply> {
    read(output, profile, Signs::Kept)
}

/// 2102, 2207: without setl_id there is no settlement to speak of, and what is below zero undoes one.
pub(crate) fn read_settled(output: &Output<'_>, profile: &Profile) -> Option<SettledReply> {
    let reply = read(output, profile, Signs::Kept)?;
    (!reply.setl_id.is_empty() && !reply.setlinfo.medfee_sumamt.is_negative()).then_some(reply)
}

/// 2103, 2208: some agencies give the amounts negative, some as they were.
pub(crate) fn read_cancelled(output: &Output<'_>, profile: &Profile) -> Option<SettledReply> {
    read(output, profile, Signs::Dropped)
}

/// 5203: nothing found is an answer too. Whether it stands has to be told plainly.
pub(crate) fn read_found(output: &Output<'_>, profile: &Profile) -> Option<Option<SettledReply>> {
    let empty = |fields: &Fields<'_>, name: &str| fields.get(name).is_none_or(Node::is_bare);
    let nothing = |fields: Fields<'_>| {
        let there = fields.has(INFO[0]) || fields.other_spelling(INFO[0]).is_some();
        there && empty(&fields, INFO[0]) && empty(&fields, "setldetail")
    };
    if output.is_bare() || output.fields().is_some_and(nothing) {
        return Some(None);
    }
    let found = read_settled(output, profile)?;
    let flag_known = found.irregularities.iter().all(|odd| odd.code != FLAG_UNKNOWN);
    flag_known.then_some(Some(found))
}

/// Whether a settlement's number stands in an output, whatever else is said of it.
pub(crate) fn holds_settlement(output: &Output<'_>) -> bool {
    located(output).is_some_and(|(_, info)| !info.text("setl_id").is_empty())
}

const INFO: [&str; 2] = ["setlinfo", "setlinfo_list"];
const TOTAL: [&str; 2] = ["medfee_sumamt", "med_fee_sumamt"];
const FLAG_UNKNOWN: &str = "FLAG_UNKNOWN";

/// setlinfo and what it stands in, wherever that is; the output itself where it is the record. One setlinfo in a list is
/// that one; of two nobody knows which is meant.
fn located<'o>(output: &'o Output<'_>) -> Option<(Fields<'o>, Fields<'o>)> {
    let Some(around) = output.with_any(&INFO) else {
        let info = output.with_any(&TOTAL)?;
        return Some((info.clone(), info));
    };
    let info = INFO.iter().find_map(|name| around.get(name))?.fields()?;
    let numbered = info.get("setl_id").is_some();
    let info = if numbered {
        info
    } else {
        info.clone().with_any(&TOTAL).unwrap_or(info)
    };
    Some((around, info))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Signs {
    Kept,
    Dropped,
}

/// What refd_setl_flag says. None: a value nobody knows.
fn refunded(flag: &str) -> Option<bool> {
    match (whole_number(flag), flag.to_lowercase().as_str()) {
        (Some(0), _) | (_, "" | "０" | "false" | "f" | "n" | "no" | "否" | "正常" | "未退费") => {
            Some(false)
        }
        (Some(1), _) | (_, "１" | "true" | "t" | "y" | "yes" | "是" | "退费" | "已退费") => Some(true),
        _ => None,
    }
}

fn read(output: &Output<'_>, profile: &Profile, signs: Signs) -> Option<SettledReply> {
    let (around, info) = located(output)?;
    let refunded = refunded(&info.text("refd_setl_flag"));
    // The settlement that was undone may be told with the undoing's signs.
    let signs = if refunded == Some(true) {
        Signs::Dropped
    } else {
        signs
    };
    let mut reading = Reading::of(&info, signs);
    if matches!(output, Output::Text(_)) {
        reading.note("OUTPUT_IS_TEXT", "output");
    }
    if refunded.is_none() {
        reading.note(FLAG_UNKNOWN, "refd_setl_flag");
    }
    let mut setlinfo = reading.setlinfo()?;
    let setl_time = reading.time("setl_time");
    let setldetail = reading.details(&around);
    if reading.signs_seen == [true; 2] {
        reading.note("SIGNS_MIXED", "setlinfo");
    }
    sums::close(&mut setlinfo, &setldetail, profile, &mut reading)?;
    Some(SettledReply {
        setl_id: info.id("setl_id"),
        mdtrt_id: info.id("mdtrt_id"),
        psn_no: info.id("psn_no"),
        medins_setl_id: info.id("medins_setl_id"),
        insutype: info.code("insutype"),
        med_type: info.code("med_type"),
        clr_optins: info.code("clr_optins"),
        clr_way: info.code("clr_way"),
        clr_type: info.code("clr_type"),
        setl_time,
        refunded: refunded == Some(true),
        setlinfo,
        setldetail,
        accumulated_after: accumulated_after(&around),
        irregularities: reading.irregularities,
    })
}

#[derive(Deserialize)]
struct SettledExtension {
    accumulated_after: Option<Vec<Accumulated>>,
}

fn accumulated_after(fields: &Fields<'_>) -> Option<Vec<Accumulated>> {
    let text = fields.text_of(&["exp_content", "expContent"]);
    serde_json::from_str::<SettledExtension>(&text)
        .ok()?
        .accumulated_after
}
