//! The sandbox's own certificates (one authority, one server, one client), SM2 keys and gateway secrets: made at the
//! first start, kept after.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};

use crate::gm::{KeyUnreadable, SignKey, sm3_hex};

/// Certificates or keys that can't be made or used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be written or read.
    #[error("{file} can't be written or read")]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A certificate can't be made.
    #[error("a certificate can't be made")]
    Make(#[from] rcgen::Error),
    /// A file holds no certificate or key.
    #[error("{file} holds no certificate or key")]
    Pem {
        /// Which.
        file: PathBuf,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// An SM2 key can't be made.
    #[error("an SM2 key can't be made")]
    Sm2(#[from] KeyUnreadable),
    /// The certificates don't fit together.
    #[error("the certificates don't fit together")]
    Unfit(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl TlsError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            TlsError::File { .. } => "SANDBOX_TLS_FILE",
            TlsError::Make(_) | TlsError::Sm2(_) => "SANDBOX_TLS_NOT_MADE",
            TlsError::Pem { .. } => "SANDBOX_TLS_NO_PEM",
            TlsError::Unfit(_) => "SANDBOX_TLS_UNFIT",
        }
    }
}

/// Makes certificates, SM2 keys and the gateway's secrets unless they are there.
pub(crate) fn ensure(dir: &Path) -> Result<(), TlsError> {
    fs::create_dir_all(dir).map_err(|source| TlsError::File {
        file: dir.to_owned(),
        source,
    })?;
    ensure_certificates(dir)?;
    ensure_secrets(dir)
}

/// What the profiles ask for beside certificates. gateway.toml is written last, so it stands for all of them.
fn ensure_secrets(dir: &Path) -> Result<(), TlsError> {
    if dir.join("gateway.toml").is_file() {
        return Ok(());
    }
    for (private, public) in [("sm2.key", "sm2.pem"), ("agency-sm2.key", "agency-sm2.pem")] {
        let key = SignKey::generate()?;
        write(dir, private, &key.to_pem()?)?;
        write(dir, public, &key.verify_key().to_pem()?)?;
    }
    let secret = || {
        sm3_hex(
            KeyPair::generate()
                .map(|key| key.serialize_der())
                .unwrap_or_default()
                .as_slice(),
        )
    };
    let client_id: String = secret().chars().take(16).collect();
    let gateway = format!(
        "# What the sandbox's gateway knows its terminal by.\npaasid = \"sandbox\"\nsecret = \"{}\"\napikey = \"{}\"\n\
         client_id = \"{client_id}\"\nclient_secret = \"{}\"\nuser = \"terminal\"\npassword = \"{}\"\n",
        secret(),
        secret(),
        secret(),
        secret(),
    );
    write(dir, "gateway.toml", &gateway)
}

/// ca.pem is written last, so it stands for all of them.
fn ensure_certificates(dir: &Path) -> Result<(), TlsError> {
    if dir.join("ca.pem").is_file() {
        return Ok(());
    }
    let ca_key = KeyPair::generate()?;
    let ca_key_pem = ca_key.serialize_pem();
    let ca = CertifiedIssuer::self_signed(ca_params(&ca_key)?, ca_key)?;
    let (server, server_key) = issue(&ca, "yijie sandbox agency", ExtendedKeyUsagePurpose::ServerAuth)?;
    let (client, client_key) = issue(&ca, "yijie sandbox terminal", ExtendedKeyUsagePurpose::ClientAuth)?;
    write(dir, "ca.key", &ca_key_pem)?;
    write(dir, "server.key", &server_key)?;
    write(dir, "client.key", &client_key)?;
    write(dir, "server.pem", &server)?;
    write(dir, "client.pem", &client)?;
    write(dir, "ca.pem", &ca.pem())
}

fn ca_params(key: &KeyPair) -> Result<CertificateParams, TlsError> {
    let mut params = params("yijie sandbox authority", Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // Two sandboxes' authorities differ by name, so that a wrong one is unknown rather than badly signed.
    let public: String = key
        .public_key_raw()
        .iter()
        .rev()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    params
        .distinguished_name
        .push(DnType::OrganizationalUnitName, public);
    Ok(params)
}

fn issue(
    ca: &CertifiedIssuer<'_, KeyPair>,
    name: &str,
    usage: ExtendedKeyUsagePurpose,
) -> Result<(String, String), TlsError> {
    let key = KeyPair::generate()?;
    let mut params = params(name, vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![usage];
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, ca)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

fn params(name: &str, hosts: Vec<String>) -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name.push(DnType::CommonName, name);
    let today = crate::clock::beijing_now().date();
    params.not_before = date_time_ymd(i32::from(today.year()) - 1, 1, 1);
    params.not_after = date_time_ymd(i32::from(today.year()) + 10, 1, 1);
    Ok(params)
}

fn write(dir: &Path, name: &str, text: &str) -> Result<(), TlsError> {
    let file = dir.join(name);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    if name.ends_with(".key") || name == "gateway.toml" {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let written = options
        .open(&file)
        .and_then(|mut open| open.write_all(text.as_bytes()));
    written.map_err(|source| TlsError::File { file, source })
}

/// TLS 1.2 or 1.3, and no connection without a certificate of the sandbox's authority.
pub(crate) fn server_config(dir: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&dir.join("ca.pem"))? {
        roots
            .add(certificate)
            .map_err(|error| TlsError::Unfit(Box::new(error)))?;
    }
    let verifier = WebPkiClientVerifier::builder(Arc::new(roots))
        .build()
        .map_err(|error| TlsError::Unfit(Box::new(error)))?;
    let key_file = dir.join("server.key");
    let key = PrivateKeyDer::from_pem_file(&key_file).map_err(|source| TlsError::Pem {
        file: key_file,
        source,
    })?;
    let config = ServerConfig::builder()
        .with_client_cert_verifier(verifier)
        .with_single_cert(certificates(&dir.join("server.pem"))?, key)
        .map_err(|error| TlsError::Unfit(Box::new(error)))?;
    Ok(Arc::new(config))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |source| TlsError::Pem {
        file: file.to_owned(),
        source,
    };
    CertificateDer::pem_file_iter(file)
        .map_err(unreadable)?
        .collect::<Result<_, _>>()
        .map_err(unreadable)
}
