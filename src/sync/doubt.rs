//! What became of a sale nobody knows of: ask (5203, 5201), reverse (2601), and what undoes a settlement (2103).

use yijie_agency::{AgencyRefusal, Answer, CancelRequest, MSGID_REPEATED, SettledReply};

use super::{Sync, insured, outcome, settled};
use crate::books::BooksError;
use crate::books::row::SaleRow;
use crate::clock;
use crate::record::{Record, Refund};

/// The agency refused to reverse.
const REFUSED: &str = "REVERSAL_REFUSED";

impl Sync {
    /// The settlement the agency holds under the sale's message id, if it holds one.
    pub(super) async fn held(&self, row: &SaleRow) -> Answer<Option<SettledReply>> {
        let answer = self.client.find_settlement(&insured(row), &row.msgid).await;
        self.heard(&answer);
        answer
    }

    /// The agency may have settled: ask; if it holds nothing, reverse, so that a late arrival finds the door shut.
    pub(super) async fn find_out(&self, row: SaleRow) -> Result<SaleRow, BooksError> {
        if self.client.settings().profile.repeated_msgid_idempotent {
            // This agency answers a repeated message id with its first answer.
            let answer = self.settle(&row).await;
            return match answer {
                Answer::NotSent(cause) | Answer::Unknown(cause) => {
                    self.still_unknown(row, cause.code()).await
                }
                // The first copy may still be on its way, and would not be refused then: the door is shut first.
                Answer::Refused(_) => self.shut(row).await,
                answer @ Answer::Done(_) => {
                    let record = outcome(&row, answer);
                    self.write(record, row).await
                }
            };
        }
        let answer = self.held(&row).await;
        match answer {
            Answer::Done(Some(reply)) if !reply.refunded => {
                let record = settled(&row, reply);
                self.write(record, row).await
            }
            Answer::Done(_) | Answer::Refused(_) => self.shut(row).await,
            Answer::NotSent(cause) | Answer::Unknown(cause) => self.still_unknown(row, cause.code()).await,
        }
    }

    /// 2601, so that what is still on its way finds the door shut; the sale then leaves under another message id.
    async fn shut(&self, row: SaleRow) -> Result<SaleRow, BooksError> {
        let operator = row.sale.operator.clone();
        let row = self.begin_reversal(row, operator, false).await?;
        self.reverse(row).await
    }

    /// Asks what the agency holds under a sale's message id and books it; sends and reverses nothing.
    ///
    /// # Errors
    /// [`BooksError`] if the books cannot be written.
    pub async fn look(&self, row: SaleRow) -> Result<SaleRow, BooksError> {
        match self.held(&row).await {
            Answer::Done(Some(reply)) if !reply.refunded => {
                let record = settled(&row, reply);
                self.write(record, row).await
            }
            _ => Ok(row),
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
        self.write(record, row).await
    }

    /// First journal the message id a reversal leaves under: one that is only in memory could be issued again after a
    /// crash, and the agency would take another request for a repetition.
    pub(super) async fn begin_reversal(
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
        self.write(record, row).await
    }

    async fn reversed(&self, row: SaleRow, refund: Option<Refund>) -> Result<SaleRow, BooksError> {
        let record = Record::Reversed {
            sale: row.sale.id.clone(),
            refund,
        };
        self.write(record, row).await
    }

    /// 2601 of what may or may not have been settled, under the message id journalled last.
    async fn reverse(&self, row: SaleRow) -> Result<SaleRow, BooksError> {
        let settle = self.client.transactions_of(&row.sale.claim).settle;
        let answer = self
            .client
            .reverse(&row.last_msgid, &insured(&row), &row.msgid, settle)
            .await;
        self.heard(&answer);
        let refused_before = row.cause.as_ref().is_some_and(|(code, _)| code == REFUSED);
        match answer {
            Answer::Done(()) => self.reversed(row, None).await,
            Answer::Refused(refusal) if gone(&refusal) => self.reversed(row, None).await,
            Answer::Refused(refusal) if refusal.is_repetition() && !refused_before => {
                self.still_unknown(row, MSGID_REPEATED).await
            }
            // Neither found nor to be reversed: only the day's detail (3202) can say.
            Answer::Refused(_) => self.still_unknown(row, REFUSED).await,
            Answer::NotSent(cause) | Answer::Unknown(cause) => self.still_unknown(row, cause.code()).await,
        }
    }

    /// A reversal without an answer: a sale to be settled anew is reversed again, one that is over cancelled again
    /// unless the agency says that it is gone.
    pub(super) async fn reverse_again(&self, row: SaleRow) -> Result<SaleRow, BooksError> {
        let operator = asked_by(&row);
        if row.reversal_over != Some(true) {
            if row.cause.as_ref().is_some_and(|(code, _)| code == REFUSED)
                && let Answer::Done(Some(reply)) = self.held(&row).await
                && !reply.refunded
            {
                let record = settled(&row, reply);
                return self.write(record, row).await;
            }
            // The same request again does no harm, a reversal being what it is, and costs no entry while the line is
            // down. Where the agency has had it, another message id gets the answer that was lost.
            let had = row.cause.as_ref().is_some_and(|(code, _)| code == MSGID_REPEATED);
            let row = if had {
                self.begin_reversal(row, operator, false).await?
            } else {
                row
            };
            return self.reverse(row).await;
        }
        let answer = self.held(&row).await;
        match answer {
            Answer::Done(Some(reply)) if reply.refunded => {
                let refund = refund_of(&row, None);
                self.reversed(row, Some(refund)).await
            }
            // Not finding a settlement there has been does not undo it.
            Answer::Done(found) => {
                let row = self.begin_reversal(row, operator, true).await?;
                self.cancel(row, found.is_some()).await
            }
            Answer::Refused(_) => self.still_unknown(row, REFUSED).await,
            Answer::NotSent(cause) | Answer::Unknown(cause) => self.still_unknown(row, cause.code()).await,
        }
    }

    /// 2103 of a settlement, under the message id journalled last; 2601 of one whose number nobody knows. Refused, it
    /// counts as settled only where it is known to stand.
    pub(super) async fn cancel(&self, row: SaleRow, stands: bool) -> Result<SaleRow, BooksError> {
        let Some(reply) = &row.reply else {
            return self.still_unknown(row, REFUSED).await;
        };
        let transactions = self.client.transactions_of(&row.sale.claim);
        let insured = insured(&row);
        let answer = if reply.setl_id.is_empty() {
            let (msgid, original) = (&row.last_msgid, &row.msgid);
            let answer = self
                .client
                .reverse(msgid, &insured, original, transactions.settle)
                .await;
            answer.map(|()| None)
        } else {
            let request = CancelRequest {
                insured,
                setl_id: reply.setl_id.clone(),
                mdtrt_id: reply.mdtrt_id.clone(),
                transactions,
            };
            self.client.cancel(&row.last_msgid, &request).await.map(Some)
        };
        self.heard(&answer);
        match answer {
            Answer::Done(reply) => {
                let refund = refund_of(&row, reply);
                self.reversed(row, Some(refund)).await
            }
            Answer::Refused(refusal) if gone(&refusal) => {
                let refund = refund_of(&row, None);
                self.reversed(row, Some(refund)).await
            }
            Answer::Refused(refusal) if refusal.is_repetition() => {
                self.still_unknown(row, MSGID_REPEATED).await
            }
            Answer::Refused(_) if !stands => self.still_unknown(row, REFUSED).await,
            Answer::Refused(refusal) => {
                let record = Record::ReversalRefused {
                    sale: row.sale.id.clone(),
                    message: refusal.message,
                };
                self.write(record, row).await
            }
            Answer::NotSent(cause) | Answer::Unknown(cause) => self.still_unknown(row, cause.code()).await,
        }
    }
}

/// Who asked for the reversal that is under way.
fn asked_by(row: &SaleRow) -> String {
    row.reversed_by.as_ref().unwrap_or(&row.sale.operator).clone()
}

/// The agency holds nothing to reverse: never arrived, or reversed before. Either way there is no settlement.
pub(super) fn gone(refusal: &AgencyRefusal) -> bool {
    matches!(refusal.reason(), Some("ORIGINAL_NOT_FOUND" | "ALREADY_REVERSED"))
}

/// The refund as the agency told it; where the answer was lost, it is of the time at which it was asked for.
fn refund_of(row: &SaleRow, reply: Option<SettledReply>) -> Refund {
    match reply {
        Some(reply) => Refund {
            setl_id: reply.setl_id,
            setl_time: reply.setl_time,
        },
        None => Refund {
            setl_id: String::new(),
            setl_time: row
                .last("reversing")
                .map(|step| clock::stamp(step.time_ms))
                .unwrap_or_default(),
        },
    }
}
