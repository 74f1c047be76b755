//! TLS beneath the client: which cryptographic provider it uses, and what its failures mean.

use std::io;

use crate::answer::Cause;

/// Installs ring as the process's TLS provider. May be called any number of times, from any thread; the first
/// call wins and later ones change nothing.
pub fn install_crypto() {
    // An error only says that a provider is installed already.
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
}

/// What a broken socket means, where that is clear.
pub(crate) fn io_cause(kind: io::ErrorKind) -> Option<Cause> {
    match kind {
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => Some(Cause::Reset),
        io::ErrorKind::TimedOut => Some(Cause::Timeout),
        _ => None,
    }
}

/// What a TLS failure means.
pub(crate) fn tls_cause(error: &rustls::Error) -> Cause {
    use rustls::{AlertDescription as Alert, CertificateError as Bad, Error as Tls};
    match error {
        Tls::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. }) => Cause::CertExpired,
        Tls::InvalidCertificate(Bad::NotValidYet | Bad::NotValidYetContext { .. }) => Cause::CertNotYetValid,
        Tls::InvalidCertificate(Bad::UnknownIssuer | Bad::BadSignature) => Cause::CertUnknownCa,
        Tls::InvalidCertificate(Bad::NotValidForName | Bad::NotValidForNameContext { .. }) => {
            Cause::CertWrongHost
        }
        Tls::InvalidCertificate(Bad::Revoked) => Cause::CertRevoked,
        Tls::InvalidCertificate(_) => Cause::CertInvalid,
        Tls::AlertReceived(
            Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied,
        ) => Cause::ClientCertRefused,
        _ => Cause::TlsRefused,
    }
}
