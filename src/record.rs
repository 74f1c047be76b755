//! What the journal holds: one variant a kind of entry, written once and never changed.

use std::collections::BTreeMap;

mod day;
mod sale;

use serde::{Deserialize, Serialize};
use yijie_agency::{PersonRecord, SettledReply};
use yijie_rules::{Lang, Money, Options, Refusal};

pub use day::{ClosedTotal, Mended, Share};
pub use sale::{Agent, Closing, Difference, Goods, OfflineTerms, Refund, Sale};

use crate::catalogue::Item;
use crate::config::Institution;
use crate::operators::Operator;

/// How a split is made that is kept and printed: with its reasons, in Chinese, whatever the language of the screen.
pub const KEPT: Options = Options {
    pack: None,
    trace: true,
    lang: Lang::Zh,
};

/// Body of a journal entry.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// First entry of every journal.
    Opened {
        /// The institution the till was prepared for.
        institution: Institution,
    },
    /// An operator was added or changed.
    Operator {
        /// Who, with the salted hash of the PIN.
        operator: Operator,
        /// The supervisor who did it; absent at `init`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// A wrong PIN, or the right one after wrong ones.
    PinTried {
        /// Whose.
        operator: String,
        /// Whether it was right.
        right: bool,
    },
    /// A second person let something happen that one alone may not do.
    Approved {
        /// What: `id-number`, `reveal`, `reversal`, `export`.
        what: String,
        /// Who asked for it.
        operator: String,
        /// Who approved.
        by: String,
        /// What it is about: a sale, a person, a file.
        about: String,
    },
    /// The settings or TLS files are others than before: keyed hash of each by its name.
    Settings {
        /// File name to hash.
        files: BTreeMap<String, String>,
    },
    /// New keys seal what is written from now on.
    KeysRotated {
        /// Who asked for it.
        operator: String,
    },
    /// The journal was damaged and made anew: what stood before the damage is unchanged, what stood behind it follows.
    Salvaged {
        /// Who asked for it.
        operator: String,
        /// Whether the PIN could still be checked.
        checked: bool,
        /// The first broken entry.
        broken: u64,
        /// Entries, by their old numbers, of which nothing is left.
        lost: Vec<u64>,
        /// Old numbers of the entries that follow, in their order.
        follow: Vec<u64>,
        /// Old numbers of entries that can be read but not booked, since the sale they are about is lost.
        orphans: Vec<u64>,
        /// Where the damaged files are kept.
        kept: String,
    },
    /// Entries that once were written here are missing (a backup put back, a salvage): the agency is to be asked before
    /// anything is sold.
    Behind {
        /// Stable code of how that was noticed.
        why: String,
        /// The last entry there ever was, as far as is known.
        known_seq: u64,
        /// From this day on the agency may hold what is not here, `yyyy-MM-dd`.
        since: String,
    },
    /// The agency's totals were compared with the books after that.
    Compared {
        /// From which day on.
        since: String,
        /// What the agency said of each total.
        totals: Vec<ClosedTotal>,
        /// The supervisor who goes on although they do not agree.
        accepted_by: Option<String>,
    },
    /// An operator began (signed in) or ended work.
    Session {
        /// Operator number.
        operator: String,
        /// Began, or ended.
        begins: bool,
        /// The agency's 签到 number; absent when signed in without network.
        sign_no: Option<String>,
    },
    /// A rule pack this till settles by, whole.
    Pack {
        /// `id@version`.
        id: String,
        /// Its text.
        toml: String,
    },
    /// A bundle of rule packs that stands on this till's shelf, whole: should the shelf lose it, it is put back.
    Bundle {
        /// Its version; nothing below it is settled by any more.
        version: u64,
        /// The pinned key, PEM.
        key: String,
        /// The bundle.
        text: String,
    },
    /// The list of goods and services this till sells; replaces the one before.
    Catalogue {
        /// Every item.
        items: Vec<Item>,
        /// The supervisor who replaced the one before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// Cards reported lost, as the agency listed them; replaces the list before.
    LostCards {
        /// Card identification codes (卡识别码).
        card_sns: Vec<String>,
    },
    /// What the agency said about a person: the snapshot an outage falls back on.
    Person {
        /// The agency's answer to 1101.
        person: Box<PersonRecord>,
    },
    /// A bill put aside (挂单) or taken up again (取单, `bill` absent).
    Held {
        /// Number of the held bill.
        no: u32,
        /// The bill, as the desk keeps it.
        bill: Option<serde_json::Value>,
    },
    /// A sale: the promise that everything after is about.
    Sale {
        /// The sale.
        sale: Box<Sale>,
        /// True if its request leaves at once: after a crash it counts as possibly sent.
        sending: bool,
    },
    /// A request a rule refused; kept so that the same client id gets the same answer.
    Declined {
        /// The client's id.
        sale: String,
        /// The rule's answer.
        refusal: Refusal,
    },
    /// The request of a waiting sale is about to leave.
    Attempt {
        /// Sale id.
        sale: String,
        /// Message id it leaves under.
        msgid: String,
    },
    /// The request surely never left; the sale waits (or was taken back if `withdrawn`).
    NotSent {
        /// Sale id.
        sale: String,
        /// Stable code of the cause.
        cause: String,
        /// The terms under which it waits.
        offline: Option<OfflineTerms>,
        /// Why it may not wait, if it may not: stable code and the limit.
        withdrawn: Option<(String, String)>,
    },
    /// The agency settled.
    Settled {
        /// Sale id.
        sale: String,
        /// Message id it was settled under.
        msgid: String,
        /// The agency's figures: these stand.
        reply: Box<SettledReply>,
        /// Where they differ from what the patient was told.
        difference: Option<Difference>,
    },
    /// The agency refused.
    Refused {
        /// Sale id.
        sale: String,
        /// infcode of the answer.
        infcode: String,
        /// Its text.
        message: String,
    },
    /// Nobody knows whether the agency settled.
    Unknown {
        /// Sale id.
        sale: String,
        /// Stable code of the cause.
        cause: String,
    },
    /// A reversal (2103 or 2601) is about to leave.
    Reversing {
        /// Sale id.
        sale: String,
        /// Message id of the reversal.
        msgid: String,
        /// Who asked for it.
        operator: String,
        /// True if the sale itself ends; false if it is to be settled anew under another message id.
        over: bool,
    },
    /// The settlement is undone at the agency.
    Reversed {
        /// Sale id.
        sale: String,
        /// The refund (2103), which counts on a day of its own; absent where the settlement counts as never made (2601).
        #[serde(default)]
        refund: Option<Refund>,
    },
    /// The agency refused to undo the settlement: it stands.
    ReversalRefused {
        /// Sale id.
        sale: String,
        /// The agency's text.
        message: String,
    },
    /// The agency's books of packs are about to be told (3505, 3506).
    Uploading {
        /// Sale id.
        sale: String,
        /// Message id it leaves under, again and again until there is an answer.
        msgid: String,
        /// Which packs.
        goods: Goods,
    },
    /// The agency took it.
    Uploaded {
        /// Sale id.
        sale: String,
        /// Message id it left under.
        msgid: String,
    },
    /// The agency refused it. The settlement stands all the same.
    UploadRefused {
        /// Sale id.
        sale: String,
        /// Message id it left under.
        msgid: String,
        /// Stable code.
        code: String,
        /// The agency's text.
        message: String,
    },
    /// A supervisor closed what the agency refused to take.
    UploadDropped {
        /// Sale id.
        sale: String,
        /// Who.
        operator: String,
    },
    /// A settlement that stands in no sale here is about to be reversed (2601).
    FoundReversing {
        /// Message id of the reversal.
        msgid: String,
        /// Message id the agency holds it under.
        omsgid: String,
        /// Transaction it was settled by.
        oinfno: String,
        /// Whose.
        psn_no: String,
        /// Who asked for it.
        operator: String,
    },
    /// A supervisor closed a difference with the patient.
    DifferenceClosed {
        /// Sale id.
        sale: String,
        /// Who.
        operator: String,
        /// How.
        closing: Closing,
        /// Cash collected (positive) or given back (negative).
        cash: Money,
    },
    /// A receipt is to be printed.
    PrintWanted {
        /// Sale id.
        sale: String,
    },
    /// The bytes of a receipt are about to leave: until it counts as printed it may or may not be on paper.
    Printing {
        /// Sale id.
        sale: String,
    },
    /// A receipt was printed.
    Printed {
        /// Sale id.
        sale: String,
        /// 0 the first time.
        copies_before: u32,
    },
    /// The day was closed.
    Closed {
        /// Day, `yyyy-MM-dd`.
        date: String,
        /// What the agency said of each total.
        totals: Vec<ClosedTotal>,
        /// Where its detail (3202) disagreed, and what a supervisor confirmed to be done about it.
        #[serde(default)]
        mended: Vec<Mended>,
    },
    /// The clearing of a month was applied for (3203).
    ClearingApplied {
        /// Month, `yyyyMM`.
        month: String,
        /// Category (清算类别).
        clr_type: String,
        /// The agency's number of the application.
        clr_appy_evt_id: String,
        /// Who applied.
        operator: String,
    },
    /// It was withdrawn (3204).
    ClearingWithdrawn {
        /// Month, `yyyyMM`.
        month: String,
        /// Category.
        clr_type: String,
        /// The agency's number of the application.
        clr_appy_evt_id: String,
        /// Who withdrew it.
        operator: String,
    },
    /// Records left the till.
    Exported {
        /// Who took them.
        operator: String,
        /// File name they went to.
        to: String,
        /// The second person, where two are needed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approver: Option<String>,
    },
}

impl Record {
    /// Kind in the clear part of the entry.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Record::Opened { .. } => "opened",
            Record::Operator { .. } => "operator",
            Record::Session { .. } => "session",
            Record::Pack { .. } => "pack",
            Record::Bundle { .. } => "bundle",
            Record::Catalogue { .. } => "catalogue",
            Record::LostCards { .. } => "lost-cards",
            Record::Person { .. } => "person",
            Record::Held { .. } => "held",
            Record::Sale { .. } => "sale",
            Record::Declined { .. } => "declined",
            Record::Attempt { .. } => "attempt",
            Record::NotSent { .. } => "not-sent",
            Record::Settled { .. } => "settled",
            Record::Refused { .. } => "refused",
            Record::Unknown { .. } => "unknown",
            Record::Reversing { .. } => "reversing",
            Record::Reversed { .. } => "reversed",
            Record::ReversalRefused { .. } => "reversal-refused",
            Record::Uploading { .. } => "uploading",
            Record::Uploaded { .. } => "uploaded",
            Record::UploadRefused { .. } => "upload-refused",
            Record::UploadDropped { .. } => "upload-dropped",
            Record::FoundReversing { .. } => "found-reversing",
            Record::DifferenceClosed { .. } => "diff-closed",
            Record::PrintWanted { .. } => "print-wanted",
            Record::Printing { .. } => "printing",
            Record::Printed { .. } => "printed",
            Record::Closed { .. } => "closed",
            Record::ClearingApplied { .. } => "clearing-applied",
            Record::ClearingWithdrawn { .. } => "clearing-undone",
            Record::Exported { .. } => "exported",
            Record::PinTried { .. } => "pin-tried",
            Record::Approved { .. } => "approved",
            Record::Settings { .. } => "settings",
            Record::KeysRotated { .. } => "keys-rotated",
            Record::Salvaged { .. } => "salvaged",
            Record::Behind { .. } => "behind",
            Record::Compared { .. } => "compared",
        }
    }

    /// Who did what the entry says; blank where nobody in particular did.
    #[must_use]
    pub fn operator(&self) -> &str {
        match self {
            Record::Operator { operator, by } => by.as_ref().unwrap_or(&operator.id),
            Record::Catalogue { by, .. } => by.as_deref().unwrap_or_default(),
            Record::Session { operator, .. }
            | Record::Reversing { operator, .. }
            | Record::PinTried { operator, .. }
            | Record::Approved { operator, .. }
            | Record::KeysRotated { operator }
            | Record::Salvaged { operator, .. }
            | Record::DifferenceClosed { operator, .. }
            | Record::ClearingApplied { operator, .. }
            | Record::Exported { operator, .. } => operator,
            Record::Sale { sale, .. } => &sale.operator,
            _ => "",
        }
    }

    /// The sale the entry is about.
    #[must_use]
    pub fn sale(&self) -> Option<&str> {
        match self {
            Record::Sale { sale, .. } => Some(&sale.id),
            Record::Declined { sale, .. }
            | Record::Attempt { sale, .. }
            | Record::NotSent { sale, .. }
            | Record::Settled { sale, .. }
            | Record::Refused { sale, .. }
            | Record::Unknown { sale, .. }
            | Record::Reversing { sale, .. }
            | Record::Reversed { sale, .. }
            | Record::DifferenceClosed { sale, .. }
            | Record::ReversalRefused { sale, .. }
            | Record::Uploading { sale, .. }
            | Record::Uploaded { sale, .. }
            | Record::UploadRefused { sale, .. }
            | Record::UploadDropped { sale, .. }
            | Record::PrintWanted { sale }
            | Record::Printing { sale }
            | Record::Printed { sale, .. } => Some(sale),
            _ => None,
        }
    }
}
