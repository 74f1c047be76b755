//! What a supervisor confirmed about one row of the agency's statement (3202).

use jiff::civil::Date;
use yijie_agency::{Answer, Cause, Insured, SettledReply, StatementFinding};
use yijie_rules::Money;

use super::{Sync, doubt, settled};
use crate::books::BooksError;
use crate::books::row::SaleRow;
use crate::reconcile::{Action, Row};
use crate::record::{Record, Refund};

impl Sync {
    /// Does it; the stable code of why it could not be done, if it could not.
    ///
    /// # Errors
    /// [`BooksError`] if the books cannot be read or written.
    pub async fn mend(&self, row: &Row, day: Date, operator: &str) -> Result<Option<String>, BooksError> {
        let Some(id) = &row.sale else {
            return Ok(match (row.action, &row.finding) {
                (Action::Reverse, Some(finding)) => self.reverse_found(finding, "", operator).await?,
                _ => Some("NOTHING_TO_DO".to_owned()),
            });
        };
        let sale = self.books.sale(id)?.ok_or(BooksError::NoSuchSale)?;
        let _turn = self.people.turn(&sale.sale.claim.person.psn_no).await;
        let sale = self.books.sale(id)?.ok_or(BooksError::NoSuchSale)?;
        if row.action == Action::Reverse {
            let place = sale.sale.claim.person.insuplc_admdvs.clone().unwrap_or_default();
            return Ok(match &row.finding {
                Some(finding) => self.reverse_found(finding, &place, operator).await?,
                None => Some("NOTHING_TO_DO".to_owned()),
            });
        }
        let held = match self.held(&sale).await {
            Answer::Done(held) => held,
            Answer::Refused(refusal) if self.client.says_nothing(&refusal) => {
                return Ok(Some(Cause::AgencySystemError.code().to_owned()));
            }
            Answer::Refused(_) => None,
            Answer::NotSent(cause) | Answer::Unknown(cause) => return Ok(Some(cause.code().to_owned())),
        };
        let stands = held.as_ref().is_some_and(|reply| !reply.refunded);
        let record = match (row.action, held) {
            (Action::TakeOver | Action::TakeFigures, Some(reply)) if !reply.refunded => settled(&sale, reply),
            (Action::TakeOver, None) => match row
                .finding
                .as_ref()
                .and_then(|found| as_settled(&sale, found, day))
            {
                Some(reply) => settled(&sale, reply),
                None => return Ok(Some("AMOUNTS_DIFFER".to_owned())),
            },
            (Action::SettleAnew, _) if !stands => Record::Reversed {
                sale: sale.sale.id.clone(),
                refund: None,
            },
            (Action::BookRefund | Action::MoveRefund, Some(reply)) if reply.refunded => {
                let moved = row.action == Action::MoveRefund;
                let day = if moved { day.tomorrow().unwrap_or(day) } else { day };
                Record::Reversed {
                    sale: sale.sale.id.clone(),
                    refund: Some(Refund {
                        setl_id: String::new(),
                        setl_time: day.to_string(),
                    }),
                }
            }
            _ => return Ok(Some("AGENCY_SAYS_OTHERWISE".to_owned())),
        };
        self.write(record, sale).await?;
        Ok(None)
    }

    /// 2601 of a settlement that is in the agency's ledger and must not be. It is in the journal before it leaves.
    async fn reverse_found(
        &self,
        finding: &StatementFinding,
        place: &str,
        operator: &str,
    ) -> Result<Option<String>, BooksError> {
        let insured = Insured {
            psn_no: finding.psn_no.clone(),
            insuplc_admdvs: place.to_owned(),
        };
        // By which transaction it was settled follows from its kind of care, which the agency knows.
        let med_type = match self.client.find_settlement(&insured, &finding.msgid).await {
            Answer::Done(Some(reply)) => reply.med_type,
            Answer::Done(None) | Answer::Refused(_) => String::new(),
            Answer::NotSent(cause) | Answer::Unknown(cause) => {
                return Ok(Some(cause.code().to_owned()));
            }
        };
        let settle = self.client.transactions_for(&med_type).settle;
        let msgid = self.books.next_msgid();
        self.note(Record::FoundReversing {
            msgid: msgid.clone(),
            omsgid: finding.msgid.clone(),
            oinfno: settle.to_owned(),
            psn_no: finding.psn_no.clone(),
            operator: operator.to_owned(),
        })
        .await?;
        let answer = self
            .client
            .reverse(&msgid, &insured, &finding.msgid, settle)
            .await;
        self.heard(&answer);
        Ok(match answer {
            Answer::Done(()) => None,
            Answer::Refused(refusal) if doubt::gone(&refusal) => None,
            Answer::Refused(_) => Some("REVERSAL_REFUSED".to_owned()),
            Answer::NotSent(cause) | Answer::Unknown(cause) => Some(cause.code().to_owned()),
        })
    }
}

/// The settlement as far as the statement tells it, where the agency finds it no other way: the patient's cash is what
/// funds and account leave. None where the bills are not the same.
fn as_settled(row: &SaleRow, found: &StatementFinding, day: Date) -> Option<SettledReply> {
    let told = &row.sale.told;
    if told.medfee_sumamt != found.medfee_sumamt {
        return None;
    }
    let mut sums = told.clone();
    let same = told.fund_pay_sumamt == found.fund_pay_sumamt && told.acct_pay == found.acct_pay;
    if !same {
        sums.fund_pay_sumamt = found.fund_pay_sumamt;
        sums.acct_pay = found.acct_pay;
        sums.psn_part_amt = found
            .medfee_sumamt
            .checked_sub(found.fund_pay_sumamt)?
            .checked_sub(sums.hosp_part_amt)?;
        sums.psn_cash_pay = sums
            .psn_part_amt
            .checked_sub(found.acct_pay)?
            .checked_sub(sums.acct_mulaid_pay)?;
        if sums.psn_cash_pay < Money::ZERO {
            return None;
        }
    }
    let claim = &row.sale.claim;
    Some(SettledReply {
        setl_id: found.setl_id.clone(),
        mdtrt_id: found.mdtrt_id.clone(),
        psn_no: claim.person.psn_no.to_string(),
        medins_setl_id: found.msgid.clone(),
        insutype: claim.person.insutype.to_string(),
        med_type: claim.visit.med_type.to_string(),
        clr_optins: String::new(),
        clr_way: String::new(),
        clr_type: String::new(),
        setl_time: day.to_string(),
        refunded: false,
        setlinfo: sums,
        setldetail: Vec::new(),
        accumulated_after: None,
        irregularities: Vec::new(),
    })
}
