//! Gets every committed sale to the agency exactly once: send, find out, reverse, send anew; a person's sales in order.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use yijie_agency::{
    AgencyRefusal, Answer, CancelRequest, Cause, Client, Insured, PHARMACY, SaleRequest, SettledReply,
};
use yijie_rules::Packs;

use crate::books::row::{SaleRow, SaleState};
use crate::books::{Books, BooksError};
use crate::clock;
use crate::desk::Outage;
use crate::desk::offline::{Exposure, Verdict, judge};
use crate::record::{Difference, Record};

/// First and longest pause after the agency could not be reached, in milliseconds.
const PAUSE_MS_MIN: i64 = 500;
const PAUSE_MS_MAX: i64 = 30_000;
/// Code of a message id that the agency has seen before.
const REPEATED: &str = "MSGID_REPEATED";
/// Most requests one sale may need in one go: query, reversal, new settlement.
const GO_STEPS_MAX: u32 = 4;

/// The way to the agency and what is known of its condition.
pub struct Sync {
    books: Arc<Books>,
    client: Client,
    packs: Arc<Packs>,
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    outage: Option<Outage>,
    pause_ms: i64,
    retry_at_ms: i64,
}

/// What one pass over the queue did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drained {
    /// Sales that reached a final state.
    pub finished: usize,
    /// Sales still waiting or unknown.
    pub left: usize,
}

impl Sync {
    /// A way to the agency over these books.
    #[must_use]
    pub fn new(books: Arc<Books>, client: Client, packs: Arc<Packs>) -> Sync {
        Sync {
            books,
            client,
            packs,
            line: Mutex::default(),
        }
    }

    /// The client, for calls that move no money.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Since when and why the agency cannot be reached, if it cannot.
    #[must_use]
    pub fn outage(&self) -> Option<Outage> {
        self.line
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .outage
            .clone()
    }

    /// False while a pause after a failed attempt lasts.
    #[must_use]
    pub fn may_try(&self) -> bool {
        let line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        line.outage.is_none() || clock::now_ms() >= line.retry_at_ms
    }

    /// Someone asks for it: no pause is kept.
    pub fn try_now(&self) {
        self.line
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retry_at_ms = 0;
    }

    /// Takes note of what an answer says about the line.
    pub fn heard<T>(&self, answer: &Answer<T>) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Answer::Done(_) | Answer::Refused(_) => *line = Line::default(),
            Answer::NotSent(cause) if unfit(cause) => {}
            Answer::NotSent(cause) | Answer::Unknown(cause) => {
                let now_ms = clock::now_ms();
                line.pause_ms = (line.pause_ms * 2).clamp(PAUSE_MS_MIN, PAUSE_MS_MAX);
                line.retry_at_ms = now_ms + line.pause_ms;
                if line.outage.is_none() {
                    line.outage = Some(Outage {
                        since_ms: now_ms,
                        cause: cause.code().to_owned(),
                    });
                }
            }
        }
    }

    /// Sends a sale that was committed as sending, and books what came of it.
    ///
    /// # Errors
    /// [`BooksError`] if the books cannot be written; the sale is then unknown after a restart.
    pub async fn send(&self, row: SaleRow, exposure: &Exposure) -> Result<SaleRow, BooksError> {
        let record = match self.settle(&row).await {
            Answer::NotSent(cause) if !unfit(&cause) => self.not_sent(&row, cause.code(), exposure),
            answer => outcome(&row, answer),
        };
        self.write(&record, row).await
    }

    /// A request that surely never left: the sale waits within the pack's limits, or is taken back.
    fn not_sent(&self, row: &SaleRow, cause: &str, exposure: &Exposure) -> Record {
        let now_ms = clock::now_ms();
        let outage = self.outage().unwrap_or(Outage {
            since_ms: now_ms,
            cause: cause.to_owned(),
        });
        // The agency answered about the person just before.
        let verdict = judge(&self.packs, &row.sale, now_ms, exposure, &outage, now_ms);
        let (offline, withdrawn) = match verdict {
            Verdict::Carry(terms) => (Some(terms), None),
            Verdict::SelfPay(code, limit) => (None, Some((code.to_owned(), limit))),
        };
        Record::NotSent {
            sale: row.sale.id.clone(),
            cause: cause.to_owned(),
            offline,
            withdrawn,
        }
    }

    /// Works on one sale until it has a final state or the agency cannot say.
    ///
    /// # Errors
    /// [`BooksError`] if the books cannot be read or written.
    pub async fn advance(&self, id: &str) -> Result<SaleRow, BooksError> {
        let mut row = self.books.sale(id)?.ok_or(BooksError::NoSuchSale)?;
        for _ in 0..GO_STEPS_MAX {
            row = match row.state {
                SaleState::Committed => self.attempt(row).await?,
                SaleState::Sending | SaleState::Unknown => self.find_out(row).await?,
                SaleState::Reversing => self.reverse_again(row).await?,
                SaleState::Settled | SaleState::Refused | SaleState::Reversed | SaleState::SelfPaid => {
                    return Ok(row);
                }
            };
            if self.outage().is_some() {
                return Ok(row);
            }
        }
        Ok(row)
    }

    /// First journal that the request leaves, then let it.
    async fn attempt(&self, row: SaleRow) -> Result<SaleRow, BooksError> {
        let msgid = if row.msgid_spent {
            self.books.next_msgid()
        } else {
            row.msgid.clone()
        };
        let row = self
            .write(
                &Record::Attempt {
                    sale: row.sale.id.clone(),
                    msgid,
                },
                row,
            )
            .await?;
        let record = outcome(&row, self.settle(&row).await);
        self.write(&record, row).await
    }

    /// The agency may have settled: ask; if it holds nothing, reverse, so that a late arrival finds the door shut.
    async fn find_out(&self, row: SaleRow) -> Result<SaleRow, BooksError> {
        let answer = self.client.find_settlement(&insured(&row), &row.msgid).await;
        self.heard(&answer);
        match answer {
            Answer::Done(Some(reply)) if !reply.refunded => {
                let record = settled(&row, reply);
                self.write(&record, row).await
            }
            Answer::Done(_) | Answer::Refused(_) => {
                let operator = row.sale.operator.clone();
                let row = self.begin_reversal(row, operator, false).await?;
                self.reverse(row).await
            }
            Answer::NotSent(cause) | Answer::Unknown(cause) => self.still_unknown(row, cause.code()).await,
        }
    }

    async fn still_unknown(&self, row: SaleRow, cause: &str) -> Result<SaleRow, BooksError> {
        if row.cause.as_ref().is_some_and(|(known, _)| known == cause) {
            return Ok(row);
        }
        let record = Record::Unknown {
            sale: row.sale.id.clone(),
            cause: cause.to_owned(),
        };
        self.write(&record, row).await
    }

    /// First journal the message id a reversal leaves under: one that is only in memory could be issued again after a
    /// crash, and the agency would take another request for a repetition.
    async fn begin_reversal(
        &self,
        row: SaleRow,
        operator: String,
        over: bool,
    ) -> Result<SaleRow, BooksError> {
        let record = Record::Reversing {
            sale: row.sale.id.clone(),
            msgid: self.books.next_msgid(),
            operator,
            over,
        };
        self.write(&record, row).await
    }

    async fn reversed(&self, row: SaleRow) -> Result<SaleRow, BooksError> {
        let record = Record::Reversed {
            sale: row.sale.id.clone(),
        };
        self.write(&record, row).await
    }

    /// 2601 of what may or may not have been settled, under the message id journalled last.
    async fn reverse(&self, row: SaleRow) -> Result<SaleRow, BooksError> {
        let answer = self
            .client
            .reverse(&row.last_msgid, &insured(&row), &row.msgid, PHARMACY.settle)
            .await;
        self.heard(&answer);
        match answer {
            Answer::Done(()) => self.reversed(row).await,
            Answer::Refused(refusal) if gone(&refusal) => self.reversed(row).await,
            Answer::Refused(refusal) if repeated(&refusal) => self.still_unknown(row, REPEATED).await,
            Answer::Refused(_) => self.still_unknown(row, "REVERSAL_REFUSED").await,
            Answer::NotSent(cause) | Answer::Unknown(cause) => self.still_unknown(row, cause.code()).await,
        }
    }

    /// A reversal without an answer: a sale to be settled anew is reversed again, one that is over cancelled again
    /// unless the agency says that it is gone.
    async fn reverse_again(&self, row: SaleRow) -> Result<SaleRow, BooksError> {
        let operator = row.sale.operator.clone();
        if row.reversal_over != Some(true) {
            // The same request again does no harm, a reversal being what it is, and costs no entry while the line is
            // down. Where the agency has had it, another message id gets the answer that was lost.
            let had = row.cause.as_ref().is_some_and(|(code, _)| code == REPEATED);
            let row = if had {
                self.begin_reversal(row, operator, false).await?
            } else {
                row
            };
            return self.reverse(row).await;
        }
        let answer = self.client.find_settlement(&insured(&row), &row.msgid).await;
        self.heard(&answer);
        match answer {
            Answer::Done(Some(reply)) if !reply.refunded => {
                let row = self.begin_reversal(row, operator, true).await?;
                self.cancel(row).await
            }
            Answer::Done(_) => self.reversed(row).await,
            Answer::Refused(_) => self.still_unknown(row, "REVERSAL_REFUSED").await,
            Answer::NotSent(cause) | Answer::Unknown(cause) => self.still_unknown(row, cause.code()).await,
        }
    }

    /// 2103 of a settlement that is known to stand, under the message id journalled last.
    async fn cancel(&self, row: SaleRow) -> Result<SaleRow, BooksError> {
        let Some(reply) = &row.reply else {
            return self.still_unknown(row, "REVERSAL_REFUSED").await;
        };
        let request = CancelRequest {
            insured: insured(&row),
            setl_id: reply.setl_id.clone(),
            mdtrt_id: reply.mdtrt_id.clone(),
        };
        let answer = self.client.cancel(&row.last_msgid, &request).await;
        self.heard(&answer);
        match answer {
            Answer::Done(_) => self.reversed(row).await,
            Answer::Refused(refusal) if gone(&refusal) => self.reversed(row).await,
            Answer::Refused(refusal) if repeated(&refusal) => self.still_unknown(row, REPEATED).await,
            // It stands, and the agency says so: settled it stays.
            Answer::Refused(refusal) => {
                let record = Record::ReversalRefused {
                    sale: row.sale.id.clone(),
                    message: refusal.message,
                };
                self.write(&record, row).await
            }
            Answer::NotSent(cause) | Answer::Unknown(cause) => self.still_unknown(row, cause.code()).await,
        }
    }

    /// Cancels a settled sale for good.
    ///
    /// # Errors
    /// [`BooksError`] if the books cannot be read or written.
    pub async fn undo(&self, id: &str, operator: &str) -> Result<SaleRow, BooksError> {
        let row = self.books.sale(id)?.ok_or(BooksError::NoSuchSale)?;
        if row.state != SaleState::Settled {
            return self.advance(id).await;
        }
        let row = self.begin_reversal(row, operator.to_owned(), true).await?;
        self.cancel(row).await
    }

    /// Works on the queue, oldest first. A sale that stays open holds up its own person's later sales, nobody else's.
    ///
    /// # Errors
    /// [`BooksError`] if the books cannot be read or written.
    pub async fn drain(&self, mut moved: impl FnMut(&SaleRow)) -> Result<Drained, BooksError> {
        let mut held_up = HashSet::new();
        let mut drained = Drained::default();
        for row in self.books.queue()? {
            let person = row.sale.claim.person.psn_no.clone();
            if held_up.contains(&person) || !self.may_try() {
                drained.left += 1;
                continue;
            }
            let row = self.advance(&row.sale.id).await?;
            moved(&row);
            if row.state.is_final() {
                drained.finished += 1;
            } else {
                drained.left += 1;
                held_up.insert(person);
            }
        }
        Ok(drained)
    }

    async fn settle(&self, row: &SaleRow) -> Answer<SettledReply> {
        let request = SaleRequest {
            claim: row.sale.claim.clone(),
            credential: row.sale.credential.clone(),
            invono: invoice_no(row),
        };
        let answer = self.client.settle(&row.msgid, &request).await;
        self.heard(&answer);
        answer
    }

    /// Journals a record about a sale and gives the sale as it stands then. The flush is waited for on a thread that
    /// may block, so that a slow disk holds up this sale only.
    async fn write(&self, record: &Record, row: SaleRow) -> Result<SaleRow, BooksError> {
        let time_ms = clock::now_ms();
        let (books, owned) = (self.books.clone(), record.clone());
        match tokio::task::spawn_blocking(move || books.append(&owned, time_ms)).await {
            Ok(written) => written.map(|_| row.after(record, time_ms)),
            Err(_) => Err(BooksError::Stalled),
        }
    }
}

/// What an answer to a settlement request is booked as.
fn outcome(row: &SaleRow, answer: Answer<SettledReply>) -> Record {
    let sale = row.sale.id.clone();
    match answer {
        Answer::Done(reply) => settled(row, reply),
        // The agency has seen this message id before: the first copy arrived, so what became of it is to be asked.
        Answer::Refused(refusal) if repeated(&refusal) => Record::Unknown {
            sale,
            cause: REPEATED.to_owned(),
        },
        Answer::Refused(refusal) => refused(&sale, refusal),
        Answer::Unknown(cause) => Record::Unknown {
            sale,
            cause: cause.code().to_owned(),
        },
        // No waiting makes such a request fit.
        Answer::NotSent(cause) if unfit(&cause) => Record::Refused {
            sale,
            infcode: cause.code().to_owned(),
            message: cause.to_string(),
        },
        Answer::NotSent(cause) => Record::NotSent {
            sale,
            cause: cause.code().to_owned(),
            offline: None,
            withdrawn: None,
        },
    }
}

/// The request itself is at fault, not the way to the agency.
fn unfit(cause: &Cause) -> bool {
    matches!(cause, Cause::RequestInvalid { .. })
}

/// Number of the receipt at the agency (invono, 20 characters): till-wide, from the journal entry.
fn invoice_no(row: &SaleRow) -> String {
    format!("{:020}", row.seq)
}

fn insured(row: &SaleRow) -> Insured {
    let person = &row.sale.claim.person;
    Insured {
        psn_no: person.psn_no.to_string(),
        insuplc_admdvs: person
            .insuplc_admdvs
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
    }
}

/// The agency has seen the message id before.
fn repeated(refusal: &AgencyRefusal) -> bool {
    refusal.reason() == Some(REPEATED)
}

/// The agency holds nothing to reverse: never arrived, or reversed before. Either way there is no settlement.
fn gone(refusal: &AgencyRefusal) -> bool {
    matches!(refusal.reason(), Some("ORIGINAL_NOT_FOUND" | "ALREADY_REVERSED"))
}

fn refused(id: &str, refusal: AgencyRefusal) -> Record {
    Record::Refused {
        sale: id.to_owned(),
        infcode: refusal.infcode.to_string(),
        message: refusal.message,
    }
}

/// The agency's figures stand; where they differ from what the patient was told, the difference is kept.
fn settled(row: &SaleRow, reply: SettledReply) -> Record {
    let (told, stands) = (&row.sale.told, &reply.setlinfo);
    let account = |sums: &yijie_rules::SetlInfo| sums.acct_pay.saturating_add(sums.acct_mulaid_pay);
    let difference = Difference {
        fund: stands.fund_pay_sumamt.saturating_sub(told.fund_pay_sumamt),
        account: account(stands).saturating_sub(account(told)),
        cash: stands.psn_cash_pay.saturating_sub(told.psn_cash_pay),
    };
    Record::Settled {
        sale: row.sale.id.clone(),
        msgid: row.msgid.clone(),
        difference: (difference != Difference::default()).then_some(difference),
        reply: Box::new(reply),
    }
}
