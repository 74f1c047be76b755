//! What a client needs, and why one can't be made.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use crate::{keys::KeysError, messages::sign::Operator, msgid::MsgIds, profile::Profile};

/// The designated institution this terminal belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstitutionId {
    /// fixmedins_code.
    pub code: String,
    /// fixmedins_name.
    pub name: String,
    /// Region of the institution (mdtrtarea_admvs).
    pub admdvs: String,
}

impl InstitutionId {
    /// A retail pharmacy, by the letter of its number.
    pub(crate) fn is_pharmacy(&self) -> bool {
        self.code.starts_with('P')
    }
}

/// All a client needs.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// Address of the agency, `https://host:port`.
    pub url: String,
    /// Directory with ca.pem, client.pem and client.key, and what the profile asks for beside them.
    pub tls_dir: PathBuf,
    /// The institution.
    pub institution: InstitutionId,
    /// Who operates the terminal before anyone signs in.
    pub operator: Operator,
    /// Device number (dev_no); may be empty.
    pub dev_no: String,
    /// The province's profile.
    pub profile: Profile,
    /// Longest wait for a whole call.
    pub timeout: Duration,
    /// Longest wait for the connection and its TLS handshake.
    pub connect_timeout: Duration,
    /// Issues the ids of calls that move no money; share it with whoever issues the others.
    pub msgids: Arc<MsgIds>,
}

/// A client that can't be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// ca.pem is missing.
    #[error("ca.pem is missing in {dir}")]
    CaMissing {
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// client.pem is missing.
    #[error("client.pem is missing in {dir}")]
    CertMissing {
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// client.key is missing.
    #[error("client.key is missing in {dir}")]
    KeyMissing {
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// A file is there but can't be read.
    #[error("{file} can't be read")]
    FileUnreadable {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The files hold no usable certificates or key, or the key is not the certificate's.
    #[error("the TLS files in {dir} can't be used")]
    FilesUnusable {
        /// Where they are.
        dir: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file holds no certificate.
    #[error("{file} holds no certificate")]
    FileEmpty {
        /// Which.
        file: PathBuf,
    },
    /// The address is not an https address.
    #[error("the agency's address has to begin with https:// and name a host")]
    UrlInvalid,
    /// A key or secret of the profile.
    #[error(transparent)]
    Keys(#[from] KeysError),
}

impl ClientError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            ClientError::CaMissing { .. } => "TLS_CA_MISSING",
            ClientError::CertMissing { .. } => "TLS_CERT_MISSING",
            ClientError::KeyMissing { .. } => "TLS_KEY_MISSING",
            ClientError::FileUnreadable { .. }
            | ClientError::FilesUnusable { .. }
            | ClientError::FileEmpty { .. } => "TLS_FILES_UNREADABLE",
            ClientError::UrlInvalid => "AGENCY_URL_INVALID",
            ClientError::Keys(error) => error.code(),
        }
    }
}
