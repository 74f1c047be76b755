//! Where one sale stands: the state its journal entries have brought it to.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use yijie_agency::SettledReply;
use yijie_rules::{Money, SetlInfo};

use super::uploads::Upload;
use crate::record::{Closing, Difference, OfflineTerms, Record, Refund, Sale};

/// State of a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SaleState {
    /// In the journal, surely not at the agency.
    Committed,
    /// Its request is leaving; after a crash this reads as unknown.
    Sending,
    /// The agency settled it.
    Settled,
    /// The agency refused it, or it was taken back before it left.
    Refused,
    /// The agency may have settled it.
    Unknown,
    /// Its reversal is leaving or unanswered.
    Reversing,
    /// Undone.
    Reversed,
    /// Sold without the agency and paid in full by the patient, who claims with the slip.
    SelfPaid,
}

impl SaleState {
    /// Word in the commands' output.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            SaleState::Committed => "committed",
            SaleState::Settled => "settled",
            SaleState::Refused => "refused",
            SaleState::Sending | SaleState::Unknown => "unknown",
            SaleState::Reversing => "reversing",
            SaleState::Reversed => "reversed",
            SaleState::SelfPaid => "self-paid",
        }
    }

    /// Nothing more comes of it by itself.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(
            self,
            SaleState::Settled | SaleState::Refused | SaleState::Reversed | SaleState::SelfPaid
        )
    }
}

/// Why a difference is not closed so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClosingError {
    /// There is none.
    #[error("{sale}")]
    NoDifference {
        /// The sale.
        sale: String,
    },
    /// The cash would go the wrong way.
    #[error("{cash}")]
    OtherWay {
        /// What the patient still owes; negative: is owed.
        cash: Money,
    },
}

impl ClosingError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ClosingError::NoDifference { .. } => "NO_DIFFERENCE",
            ClosingError::OtherWay { .. } => "DIFFERENCE_OTHER_WAY",
        }
    }
}

/// One step of a sale's history.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub time_ms: i64,
    /// Kind of the journal entry.
    pub kind: String,
    /// Stable code that came with it, where one did.
    pub code: Option<String>,
}

/// A sale and all that came of it.
#[derive(Debug, Clone)]
pub struct SaleRow {
    /// As committed, under the terms it waits under. The store keeps it once, however many entries follow.
    pub sale: Arc<Sale>,
    /// What came of it.
    pub course: Course,
}

impl Deref for SaleRow {
    type Target = Course;

    fn deref(&self) -> &Course {
        &self.course
    }
}

impl DerefMut for SaleRow {
    fn deref_mut(&mut self) -> &mut Course {
        &mut self.course
    }
}

/// What came of a sale: all that its later entries change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Course {
    /// Where it stands.
    pub state: SaleState,
    /// Entry that committed it.
    pub seq: u64,
    /// When it was committed.
    pub time_ms: i64,
    /// Message id its settlement is known by; another than the first after a reversal and a new attempt.
    pub msgid: String,
    /// Latest message id used for it, a reversal's included.
    pub last_msgid: String,
    /// The agency's figures.
    pub reply: Option<SettledReply>,
    /// Where they differ from what the patient was told.
    pub difference: Option<Difference>,
    /// The terms under which it waits, where those came after its commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<OfflineTerms>,
    /// Why it is refused, unknown or waiting: code and text.
    pub cause: Option<(String, String)>,
    /// A reversal is under way: true if it ends the sale, false if the sale is to be settled anew.
    pub reversal_over: Option<bool>,
    /// The message id has been used up by a reversal: the next attempt needs another.
    pub msgid_spent: bool,
    /// Place among the settlements, day first; absent while it is not settled.
    pub settled_at: Option<Vec<u8>>,
    /// Where its refund stands among the day's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunded_at: Option<Vec<u8>>,
    /// Who asked for the reversal that is under way.
    pub reversed_by: Option<String>,
    /// Message ids that were tried before and reversed: should one of them settle all the same, it is this sale's.
    pub spent: Vec<String>,
    /// The refund, where it was undone by one.
    pub refund: Option<Refund>,
    /// How the difference was closed with the patient.
    pub closing: Option<Closing>,
    /// Receipts printed.
    pub copies: u32,
    /// Entry since which a receipt waits for paper.
    #[serde(default)]
    pub print_wanted: Option<u64>,
    /// The bytes of a receipt were leaving, and nothing says yet that it is printed: the next one may be the second.
    #[serde(default)]
    pub printing: bool,
    /// Messages about its packs (3505, 3506).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uploads: Vec<Upload>,
    /// What happened, oldest first.
    pub history: Vec<Step>,
}

impl SaleRow {
    /// A sale just committed.
    #[must_use]
    pub fn new(sale: impl Into<Arc<Sale>>, sending: bool, seq: u64, time_ms: i64) -> SaleRow {
        let sale = sale.into();
        let course = Course::of(&sale, sending, seq, time_ms);
        SaleRow { sale, course }
    }

    /// As the store keeps it.
    pub(super) fn kept(mut sale: Arc<Sale>, course: Course) -> SaleRow {
        if course.terms.is_some() {
            Arc::make_mut(&mut sale).offline.clone_from(&course.terms);
        }
        SaleRow { sale, course }
    }

    /// The row after one more entry about it.
    #[must_use]
    pub fn after(self, record: &Record, time_ms: i64) -> SaleRow {
        SaleRow::kept(self.sale, self.course.after(record, time_ms))
    }

    /// Word of its state in the commands' output. A reversal that only finds out what became of the sale leaves it
    /// unknown until then.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match (self.state, self.reversal_over) {
            (SaleState::Reversing, Some(false)) => SaleState::Unknown.word(),
            (state, _) => state.word(),
        }
    }

    /// The figures that stand: the agency's where known, else those the patient was told.
    #[must_use]
    pub fn sums(&self) -> &SetlInfo {
        self.reply
            .as_ref()
            .map_or(&self.sale.told, |reply| &reply.setlinfo)
    }

    /// The own account's balance afterwards, where there is an account and its balance was told.
    #[must_use]
    pub fn balance(&self) -> Option<Money> {
        let own = self.sale.settlement.accounts_after.own.as_ref()?;
        match &self.reply {
            Some(reply) => reply.balance(),
            None => Some(own.balc),
        }
    }

    /// The difference, while nobody has closed it.
    #[must_use]
    pub fn open_difference(&self) -> Option<&Difference> {
        self.difference
            .as_ref()
            .filter(|_| self.state == SaleState::Settled && self.closing.is_none())
    }

    /// What is journalled when a supervisor closes its difference with the patient: the cash that moves is the
    /// difference's. Where there is none, accepting closes what the agency refused to take of the trace codes.
    ///
    /// # Errors
    /// [`ClosingError`].
    pub fn closed(&self, closing: Closing, operator: String) -> Result<Record, ClosingError> {
        let sale = self.sale.id.clone();
        let Some(difference) = self.open_difference() else {
            if closing == Closing::Accepted && self.upload_refused().is_some() {
                return Ok(Record::UploadDropped { sale, operator });
            }
            return Err(ClosingError::NoDifference { sale });
        };
        let cash = match closing {
            Closing::Accepted => Money::ZERO,
            Closing::Collected if difference.cash > Money::ZERO => difference.cash,
            Closing::Refunded if difference.cash < Money::ZERO => difference.cash,
            Closing::Collected | Closing::Refunded => {
                let cash = difference.cash;
                return Err(ClosingError::OtherWay { cash });
            }
        };
        Ok(Record::DifferenceClosed {
            sale,
            operator,
            closing,
            cash,
        })
    }

    /// What went back of the cash handed over.
    #[must_use]
    pub fn change(&self) -> Option<Money> {
        self.sale.tendered?.checked_sub(self.sale.told.psn_cash_pay)
    }
}

impl Course {
    fn of(sale: &Sale, sending: bool, seq: u64, time_ms: i64) -> Course {
        Course {
            state: match (&sale.offline, sending) {
                (Some(terms), _) if !terms.carried => SaleState::SelfPaid,
                (_, true) => SaleState::Sending,
                (_, false) => SaleState::Committed,
            },
            seq,
            time_ms,
            msgid: sale.msgid.clone(),
            last_msgid: sale.msgid.clone(),
            reply: None,
            difference: None,
            terms: None,
            cause: sale
                .offline
                .as_ref()
                .map(|terms| (terms.reason.clone(), String::new())),
            reversal_over: None,
            msgid_spent: false,
            settled_at: None,
            refunded_at: None,
            reversed_by: None,
            spent: Vec::new(),
            refund: None,
            closing: None,
            copies: 0,
            print_wanted: None,
            printing: false,
            uploads: Vec::new(),
            history: vec![Step {
                time_ms,
                kind: "sale".to_owned(),
                code: None,
            }],
        }
    }

    /// After one more entry about it.
    fn after(mut self, record: &Record, time_ms: i64) -> Course {
        let mut code = None;
        match record {
            Record::Attempt { msgid, .. } => {
                self.state = SaleState::Sending;
                if self.msgid_spent {
                    self.spent.push(std::mem::take(&mut self.msgid));
                }
                self.msgid_spent = false;
                msgid.clone_into(&mut self.msgid);
                msgid.clone_into(&mut self.last_msgid);
            }
            Record::NotSent {
                cause,
                offline,
                withdrawn,
                ..
            } => {
                self.state = if withdrawn.is_some() {
                    SaleState::Refused
                } else {
                    SaleState::Committed
                };
                self.cause = Some(match withdrawn {
                    Some(limit) => limit.clone(),
                    None => (cause.clone(), String::new()),
                });
                if offline.is_some() {
                    self.terms.clone_from(offline);
                }
                code = Some(cause.clone());
            }
            Record::Settled {
                reply,
                difference,
                msgid,
                ..
            } => {
                self.state = SaleState::Settled;
                msgid.clone_into(&mut self.msgid);
                self.reply = Some((**reply).clone());
                self.difference.clone_from(difference);
                self.closing = None;
                self.cause = None;
            }
            Record::Refused { infcode, message, .. } => {
                self.state = SaleState::Refused;
                self.cause = Some(("AGENCY_REFUSED".to_owned(), message.clone()));
                code = Some(infcode.clone());
            }
            Record::Unknown { cause, .. } => {
                self.state = if self.state == SaleState::Reversing {
                    SaleState::Reversing
                } else {
                    SaleState::Unknown
                };
                self.cause = Some((cause.clone(), String::new()));
                code = Some(cause.clone());
            }
            Record::Reversing {
                msgid,
                over,
                operator,
                ..
            } => {
                self.state = SaleState::Reversing;
                self.reversed_by = Some(operator.clone());
                self.reversal_over = Some(*over);
                msgid.clone_into(&mut self.last_msgid);
            }
            Record::Reversed { refund, .. } => {
                self.refund.clone_from(refund);
                self.reversed_by = None;
                let over = self.reversal_over.take() == Some(true) || refund.is_some();
                self.state = if over {
                    SaleState::Reversed
                } else {
                    SaleState::Committed
                };
                self.msgid_spent = true;
                self.cause = None;
                if !over {
                    self.reply = None;
                }
            }
            Record::ReversalRefused { message, .. } => {
                self.state = SaleState::Settled;
                self.reversal_over = None;
                self.reversed_by = None;
                self.cause = Some(("REVERSAL_REFUSED".to_owned(), message.clone()));
            }
            Record::DifferenceClosed { closing, .. } => self.closing = Some(*closing),
            Record::Printing { .. } => self.printing = true,
            Record::Printed { copies_before, .. } => {
                self.copies = copies_before + 1;
                self.printing = false;
            }
            Record::UploadRefused { code: refused, .. } => {
                code = Some(refused.clone());
                self.tell_packs(record);
            }
            _ => self.tell_packs(record),
        }
        self.history.push(Step {
            time_ms,
            kind: record.kind().to_owned(),
            code,
        });
        self
    }

    /// The greatest message id that anything about it left under.
    #[must_use]
    pub fn greatest_msgid(&self) -> &str {
        let told = self.uploads.iter().map(|upload| upload.msgid.as_str());
        told.fold(&self.last_msgid, |greatest, msgid| greatest.max(msgid))
    }

    /// When the request that was journalled last as this kind left.
    #[must_use]
    pub fn last(&self, kind: &str) -> Option<&Step> {
        self.history.iter().rev().find(|step| step.kind == kind)
    }
}
