//! Who is signed in (9001, 9002), and signing in anew where the agency wants it.

use std::sync::{MutexGuard, PoisonError};

use super::Client;
use crate::{
    answer::{Answer, Cause, SIGNED_OFF},
    messages::sign::{self, Operator, SignIn, SignInData, SignInInput, SignOutData, SignOutInput},
};

/// The terminal's address until a sign-in tells it.
const LOOPBACK: &str = "127.0.0.1";

/// Who works at the terminal, and the number of the sign-in.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) operator: Operator,
    /// Where the operator sits.
    mac: String,
    ip: String,
    pub(super) sign_no: String,
}

impl Session {
    /// Of an operator who has not signed in yet.
    pub(super) fn begun(operator: Operator) -> Session {
        Session {
            operator,
            mac: String::new(),
            ip: LOOPBACK.to_owned(),
            sign_no: String::new(),
        }
    }
}

impl Client {
    /// 9001: signs an operator in. Later calls carry the operator and the sign number.
    pub async fn sign_in(&self, operator: Operator, mac: &str, ip: &str) -> Answer<SignIn> {
        let data = SignInData {
            opter_no: operator.id.clone(),
            mac: mac.to_owned(),
            ip: ip.to_owned(),
        };
        *self.session() = Session {
            operator,
            mac: data.mac.clone(),
            ip: data.ip.clone(),
            sign_no: String::new(),
        };
        let input = SignInInput { sign_in: data };
        let answer = self.ask("9001", "", &input, sign::read_sign_in).await;
        if let Answer::Done(sign_in) = &answer {
            self.session().sign_no.clone_from(&sign_in.sign_no);
        }
        answer
    }

    /// A sign-in ends with the day, and where a province wants one nobody may have signed in yet: 9001 anew, unless
    /// someone has done it since a message left with this number.
    async fn sign_in_anew(&self, ended: &str) -> Answer<()> {
        let _alone = self.signing_in.lock().await;
        let (operator, mac, ip) = {
            let session = self.session();
            if session.sign_no != ended {
                return Answer::Done(());
            }
            (session.operator.clone(), session.mac.clone(), session.ip.clone())
        };
        Box::pin(self.sign_in(operator, &mac, &ip)).await.map(drop)
    }

    /// The answer to a message that left with this number. Nothing where the agency refused it for want of a sign-in,
    /// which it has now: so refused, it has done nothing, and is to be sent once more. Without one it counts as not sent.
    pub(super) async fn unless_signed_off<T>(&self, answer: Answer<T>, sign_no: &str) -> Option<Answer<T>> {
        if !wants_sign_in(&answer) {
            return Some(answer);
        }
        match self.sign_in_anew(sign_no).await {
            Answer::Done(()) => None,
            Answer::Refused(_) => Some(Answer::NotSent(Cause::SignedOff)),
            Answer::NotSent(cause) | Answer::Unknown(cause) => Some(Answer::NotSent(cause)),
        }
    }

    /// 9002: signs the operator out, the visits closed that nothing will come of.
    pub async fn sign_out(&self) -> Answer<()> {
        self.abandon_trials();
        self.close_abandoned().await;
        let data = {
            let session = self.session();
            SignOutData {
                sign_no: session.sign_no.clone(),
                opter_no: session.operator.id.clone(),
            }
        };
        let answer = self
            .ask("9002", "", &SignOutInput { sign_out: data }, |_| Some(()))
            .await;
        if let Answer::Done(()) = answer {
            self.session().sign_no.clear();
        }
        answer
    }

    pub(super) fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The agency refused for want of a sign-in, and has done nothing.
fn wants_sign_in<T>(answer: &Answer<T>) -> bool {
    matches!(answer, Answer::Refused(refusal) if refusal.reason() == Some(SIGNED_OFF))
}

/// What is refused for want of a sign-in although there is one counts as not sent, too.
pub(super) fn or_not_sent<T>(answer: Answer<T>) -> Answer<T> {
    if wants_sign_in(&answer) {
        Answer::NotSent(Cause::SignedOff)
    } else {
        answer
    }
}
