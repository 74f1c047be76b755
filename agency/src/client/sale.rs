//! A sale at the agency: in one call at a pharmacy (2101, 2102), as a visit at a hospital (2201, 2203, 2204, 2206, 2207;
//! inpatient 2401, 2301, 2402, 2303, 2304).

use std::collections::HashMap;

use yijie_rules::Claim;

use super::{
    Client, not_fit, of_person,
    visit::{Closed, Lost, Visit},
};
use crate::{
    answer::{Answer, Cause},
    messages::{
        pharmacy::{
            CancelInput, CancelRequest, SaleInput, SaleRequest, Transactions, transactions_for,
            transactions_of,
        },
        settled::{self, SettledReply},
    },
    output::Output,
};

/// The agency's reason for refusing a settlement whose trial no longer holds.
const STALE: &str = "TRIAL_STALE";

/// Visits that are open at the agency: tried ones by person, whose settlement goes on from there, those nothing will
/// come of, and those that may have been opened.
#[derive(Default)]
pub(super) struct Trials {
    tried: HashMap<String, Tried>,
    abandoned: Vec<Visit>,
    pub(super) lost: Vec<Lost>,
}

struct Tried {
    bill: String,
    visit: Visit,
    reply: SettledReply,
}

impl Client {
    /// The transactions by which a claim is settled under this client's profile.
    pub fn transactions_of(&self, claim: &Claim) -> Transactions {
        transactions_of(claim, &self.seal.profile)
    }

    /// The transactions by which this institution settled a bill of that kind of care.
    pub fn transactions_for(&self, med_type: &str) -> Transactions {
        let pharmacy = self.settings.institution.is_pharmacy();
        transactions_for(pharmacy, med_type, &self.seal.profile)
    }

    /// 2101, 2206 or 2303: what a settlement would come to. Settles nothing; at a hospital the visit stays open for it.
    pub async fn presettle(&self, sale: &SaleRequest) -> Answer<SettledReply> {
        let numbers = self.transactions_of(&sale.claim);
        let input = match SaleInput::of(sale, false, &self.seal.profile) {
            Ok(input) => input,
            Err(fault) => return not_fit(&fault),
        };
        let answer = if numbers.in_one_call() {
            let read = |output: &Output<'_>| settled::read_trial(output, &self.seal.profile);
            self.ask(numbers.presettle, place_of(sale), &input, read).await
        } else {
            match self.tried(sale, &input, numbers).await {
                Ok((visit, reply)) => {
                    self.remember(sale, &input, visit, reply.clone());
                    Answer::Done(reply)
                }
                Err(stopped) => stopped.into(),
            }
        };
        of_person(answer, &sale.claim.person.psn_no)
    }

    /// 2102, 2207 or 2304: settles a sale. The msgid must be on disk before this is called. At a hospital the steps
    /// before 2207 go first, unless a trial of the same bill has done them; where one of them is not answered, the sale
    /// surely is not settled, and the answer says not sent.
    pub async fn settle(&self, msgid: &str, sale: &SaleRequest) -> Answer<SettledReply> {
        let numbers = self.transactions_of(&sale.claim);
        let input = match SaleInput::of(sale, true, &self.seal.profile) {
            Ok(input) => input,
            Err(fault) => return not_fit(&fault),
        };
        if let Err(fault) = input.check_settling() {
            return not_fit(&fault);
        }
        let read = |output: &Output<'_>| settled::read_settled(output, &self.seal.profile);
        let place = place_of(sale);
        let answer = if numbers.in_one_call() {
            self.send(numbers.settle, msgid, place, &input, read).await
        } else {
            self.settle_visit(msgid, sale, &input, numbers).await
        };
        of_person(answer, &sale.claim.person.psn_no).map(|mut reply| {
            reply.compare_msgid(msgid);
            reply
        })
    }

    /// 2207 or 2304 after its steps. What a trial told the patient is refused where it has gone stale, once its visit is
    /// closed and another copy of the message finds nothing to settle. A trial nobody was told of is to be made anew, for
    /// the person may be buying elsewhere: the outcome counts as unknown, so that the message id is shut before another
    /// one leaves.
    async fn settle_visit(
        &self,
        msgid: &str,
        sale: &SaleRequest,
        input: &SaleInput,
        numbers: Transactions,
    ) -> Answer<SettledReply> {
        let recalled = self.recall(sale, input);
        let told = recalled.is_some();
        let (visit, trial) = match recalled {
            Some(before) => before,
            None => match self.tried(sale, input, numbers).await {
                Ok(before) => before,
                Err(stopped) => return stopped.into(),
            },
        };
        let answer = self.settle_tried(msgid, sale, input, &visit, &trial).await;
        // A repeated message id may have been answered with the settlement of an earlier visit; and a visit that was
        // settled all the same cannot be closed, and is not.
        if matches!(&answer, Answer::Done(reply) if visit.is(&reply.mdtrt_id)) {
            return answer;
        }
        let stale = matches!(&answer, Answer::Refused(refusal) if refusal.reason() == Some(STALE));
        if stale && told && self.close_visit(&visit).await == Closed::Yes {
            return answer;
        }
        self.abandon(visit);
        if stale {
            return Answer::Unknown(Cause::AgencySystemError);
        }
        answer
    }

    async fn settle_tried(
        &self,
        msgid: &str,
        sale: &SaleRequest,
        input: &SaleInput,
        visit: &Visit,
        trial: &SettledReply,
    ) -> Answer<SettledReply> {
        let bill = self.bill(sale, input, visit, Some(trial));
        if let Err(fault) = bill.check_settling() {
            return not_fit(&fault);
        }
        let read = |output: &Output<'_>| settled::read_settled(output, &self.seal.profile);
        let infno = self.transactions_of(&sale.claim).settle;
        self.send(infno, msgid, place_of(sale), &bill, read).await
    }

    /// 2103, 2208 or 2305: cancels a settlement that is known to stand. The reply's amounts are given without their
    /// sign.
    pub async fn cancel(&self, msgid: &str, request: &CancelRequest) -> Answer<SettledReply> {
        let input = CancelInput::from(request);
        let read = |output: &Output<'_>| settled::read_cancelled(output, &self.seal.profile);
        let place = &request.insured.insuplc_admdvs;
        let infno = request.transactions.cancel;
        let answer = self.send(infno, msgid, place, &input, read).await;
        of_person(answer, &request.insured.psn_no)
    }

    /// One customer stands at the counter: what was tried for another is not settled any more.
    fn remember(&self, sale: &SaleRequest, input: &SaleInput, visit: Visit, reply: SettledReply) {
        self.abandon_trials();
        let tried = Tried {
            bill: input.fingerprint(),
            visit,
            reply,
        };
        let psn_no = sale.claim.person.psn_no.to_string();
        self.trials().tried.insert(psn_no, tried);
    }

    /// The visit that a trial of the same bill opened; a trial counts for one settlement.
    fn recall(&self, sale: &SaleRequest, input: &SaleInput) -> Option<(Visit, SettledReply)> {
        let mut trials = self.trials();
        let psn_no = sale.claim.person.psn_no.as_str();
        if trials.tried.get(psn_no)?.bill != input.fingerprint() {
            return None;
        }
        let tried = trials.tried.remove(psn_no);
        tried.map(|tried| (tried.visit, tried.reply))
    }

    /// The visit an earlier trial of the person left open, whatever its bill.
    pub(super) fn earlier_visit(&self, psn_no: &str) -> Option<Visit> {
        self.trials().tried.remove(psn_no).map(|tried| tried.visit)
    }

    /// Nothing will come of a visit: it is to be closed.
    pub(super) fn abandon(&self, visit: Visit) {
        self.trials().abandoned.push(visit);
    }

    /// Nothing will come of what was tried.
    pub(super) fn abandon_trials(&self) {
        let mut trials = self.trials();
        let visits: Vec<Visit> = trials.tried.drain().map(|(_, tried)| tried.visit).collect();
        trials.abandoned.extend(visits);
    }

    /// Closes the visits at the agency that nothing will come of (2205 and 2202, 2405, 2302 and 2404), those included
    /// whose opening was not answered. What it does not answer now is tried again the next time.
    pub async fn close_abandoned(&self) {
        self.find_lost().await;
        loop {
            let next = self.trials().abandoned.pop();
            let Some(visit) = next else { return };
            if self.close_visit(&visit).await == Closed::NoAnswer {
                return self.abandon(visit);
            }
        }
    }
}

pub(super) fn place_of(sale: &SaleRequest) -> &str {
    sale.claim.person.insuplc_admdvs.as_deref().unwrap_or_default()
}
