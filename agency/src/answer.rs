//! What an agency's answer amounts to: done, refused, surely not sent, or unknown.

use std::{collections::BTreeMap, fmt};

use crate::fields::TOO_LONG;

/// What a refusal means, and the cause of doubt it leaves, where the agency has seen the message id before.
pub const MSGID_REPEATED: &str = "MSGID_REPEATED";

/// What a refusal means, and the cause of not being sent it leaves, where nobody has signed in or the sign-in is over.
pub(crate) const SIGNED_OFF: &str = "SIGN_NO_UNKNOWN";

/// The outcome of one call to the agency.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer<T> {
    /// The agency did it and said so in a reply that could be read.
    Done(T),
    /// The agency answered, and the answer is no.
    Refused(AgencyRefusal),
    /// The request surely never left this terminal: sending it again is safe.
    NotSent(Cause),
    /// The agency may have done it or not: query or reverse, never blindly send again.
    Unknown(Cause),
}

impl<T> Answer<T> {
    /// The value of `Done`, changed; everything else as it is.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        self.and_then(|value| Answer::Done(change(value)))
    }

    /// What the value of `Done` amounts to; everything else as it is.
    pub fn and_then<U>(self, next: impl FnOnce(T) -> Answer<U>) -> Answer<U> {
        match self {
            Answer::Done(value) => next(value),
            Answer::Refused(refusal) => Answer::Refused(refusal),
            Answer::NotSent(cause) => Answer::NotSent(cause),
            Answer::Unknown(cause) => Answer::Unknown(cause),
        }
    }

    /// The value, if it was done.
    pub fn done(self) -> Option<T> {
        match self {
            Answer::Done(value) => Some(value),
            _ => None,
        }
    }
}

/// A refusal in the agency's words. `Debug` leaves the words out: they may name the patient.
#[derive(Clone, PartialEq, Eq)]
pub struct AgencyRefusal {
    /// The reply's infcode, as a number.
    pub infcode: i64,
    /// The agency's text, for the cashier.
    pub message: String,
    reason: Option<String>,
}

impl AgencyRefusal {
    /// A refusal whose meaning is told, if at all, by a stable code at the start of the text (`ORIGINAL_NOT_FOUND ...`).
    pub fn new(infcode: i64, message: String) -> AgencyRefusal {
        let word = message.split_whitespace().next().unwrap_or_default();
        let shaped = word.contains('_')
            && word
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b == b'_' || b.is_ascii_digit());
        let reason = shaped.then(|| word.to_owned());
        AgencyRefusal {
            infcode,
            message,
            reason,
        }
    }

    /// The same where the province has words of its own for what this terminal acts on.
    pub(crate) fn in_words_of(mut self, meanings: &BTreeMap<String, Vec<String>>) -> AgencyRefusal {
        if self.reason.is_none() {
            let mut said = meanings
                .iter()
                .filter(|(_, words)| words.iter().any(|word| self.message.contains(word.as_str())));
            // Words that could mean two things mean nothing.
            if let (Some((meaning, _)), None) = (said.next(), said.next()) {
                self.reason = Some(meaning.clone());
            }
        }
        self
    }

    /// The agency has seen the message id before.
    pub fn is_repetition(&self) -> bool {
        self.reason() == Some(MSGID_REPEATED)
    }

    /// What it means, as a stable code, where that is known.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}

impl fmt::Debug for AgencyRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgencyRefusal")
            .field("infcode", &self.infcode)
            .field("reason", &self.reason())
            .finish_non_exhaustive()
    }
}

/// Why there is no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// Nothing listens at the agency's address, or the address has no route or name.
    #[error("the agency can't be reached")]
    Unreachable,
    /// The agency's certificate has expired (or this machine's clock is ahead).
    #[error("the agency's certificate has expired")]
    CertExpired,
    /// The agency's certificate is not valid yet (or this machine's clock is behind).
    #[error("the agency's certificate is not valid yet")]
    CertNotYetValid,
    /// The agency's certificate comes from an authority this terminal does not trust.
    #[error("the agency's certificate comes from an unknown authority")]
    CertUnknownCa,
    /// The agency's certificate is for another address.
    #[error("the agency's certificate is for another address")]
    CertWrongHost,
    /// The agency's certificate was revoked by its authority.
    #[error("the agency's certificate was revoked")]
    CertRevoked,
    /// The agency's certificate is refused for another reason.
    #[error("the agency's certificate is not acceptable")]
    CertInvalid,
    /// The agency refused this terminal's certificate.
    #[error("the agency refused this terminal's certificate")]
    ClientCertRefused,
    /// The two sides agree on no TLS version or cipher.
    #[error("no TLS connection could be agreed")]
    TlsRefused,
    /// No answer in time.
    #[error("the agency did not answer in time")]
    Timeout,
    /// The connection broke.
    #[error("the connection to the agency broke")]
    Reset,
    /// The answer's HTTP status is not a success.
    #[error("the agency's gateway answered with HTTP status {status}")]
    HttpStatus {
        /// The status.
        status: u16,
    },
    /// The answer is not a reply of the interface (HTML, half a body, ciphertext, another shape).
    #[error("the agency's reply can't be read: {what}")]
    BodyUnreadable {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The reply is well formed but belongs to another person.
    #[error("the agency's reply belongs to another person")]
    ReplyOther,
    /// The agency reported an error of its own system (infcode -1), which asks for a reversal.
    #[error("the agency reported an error of its own system")]
    AgencySystemError,
    /// The agency takes nothing without a sign-in, and grants none.
    #[error("nobody is signed in at the agency")]
    SignedOff,
    /// The request is not fit to be sent.
    #[error("the request is not fit to be sent: {field}: {problem}")]
    RequestInvalid {
        /// The national field.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl Cause {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Cause::Unreachable => "AGENCY_UNREACHABLE",
            Cause::CertExpired => "AGENCY_CERT_EXPIRED",
            Cause::CertNotYetValid => "AGENCY_CERT_NOT_YET_VALID",
            Cause::CertUnknownCa => "AGENCY_CERT_UNKNOWN_CA",
            Cause::CertWrongHost => "AGENCY_CERT_WRONG_HOST",
            Cause::CertRevoked => "AGENCY_CERT_REVOKED",
            Cause::CertInvalid => "AGENCY_CERT_INVALID",
            Cause::ClientCertRefused => "CLIENT_CERT_REFUSED",
            Cause::TlsRefused => "AGENCY_TLS_REFUSED",
            Cause::Timeout => "AGENCY_TIMEOUT",
            Cause::Reset => "AGENCY_RESET",
            Cause::HttpStatus { .. } => "AGENCY_HTTP_STATUS",
            Cause::BodyUnreadable { .. } => "AGENCY_BODY_UNREADABLE",
            Cause::ReplyOther => "AGENCY_REPLY_OTHER",
            Cause::AgencySystemError => "AGENCY_SYSTEM_ERROR",
            Cause::SignedOff => SIGNED_OFF,
            Cause::RequestInvalid {
                field: "input",
                problem: TOO_LONG,
            } => "BILL_TOO_LONG",
            Cause::RequestInvalid { .. } => "REQUEST_INVALID",
        }
    }
}
