//! How a message gets to the agency other than over TLS: within the process, where time is simulated.

use std::{fmt, pin::Pin};

use crate::answer::{Answer, Cause};

/// What came of carrying one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carried {
    /// The whole body of an answer that HTTP calls a success.
    Body(Vec<u8>),
    /// The message surely never left.
    NotSent(Cause),
    /// It may have arrived.
    Unknown(Cause),
}

impl Carried {
    /// What the body of an answer amounts to; where there is none, what came instead.
    pub(crate) fn and_then<T>(self, read: impl FnOnce(Vec<u8>) -> Answer<T>) -> Answer<T> {
        match self {
            Carried::Body(body) => read(body),
            Carried::NotSent(cause) => Answer::NotSent(cause),
            Carried::Unknown(cause) => Answer::Unknown(cause),
        }
    }
}

/// A way to the agency.
pub trait Carrier: fmt::Debug + Send + Sync {
    /// Carries one message to a path below the agency's address, and its answer back.
    fn carry<'a>(
        &'a self,
        path: &'a str,
        body: Vec<u8>,
    ) -> Pin<Box<dyn Future<Output = Carried> + Send + 'a>>;
}
