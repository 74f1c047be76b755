//! From when until when a certificate of the TLS files is valid.

use jiff::Timestamp;
use x509_parser::pem::Pem;

/// A certificate's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// First moment.
    pub from: Timestamp,
    /// Last moment.
    pub until: Timestamp,
}

/// The validity of the first certificate in a PEM file; `None` if it holds none that can be read.
pub fn validity(pem: &[u8]) -> Option<Validity> {
    let first = Pem::iter_from_buffer(pem).next()?.ok()?;
    let certificate = first.parse_x509().ok()?;
    let time = certificate.validity();
    Some(Validity {
        from: Timestamp::from_second(time.not_before.timestamp()).ok()?,
        until: Timestamp::from_second(time.not_after.timestamp()).ok()?,
    })
}
