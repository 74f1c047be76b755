//! HTTP over mutual TLS, and what a failed exchange proves. The only file that names reqwest.

use std::{
    error::Error,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use zeroize::Zeroizing;

use super::{
    carrier::Carried,
    header::Header,
    settings::{ClientError, ClientSettings},
};
use crate::{
    answer::Cause,
    clock::now,
    crypto::{io_cause, tls_cause},
};

/// Replies beyond this size are not read to their end.
const REPLY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The connection pool, and how far the agency's clock was seen ahead of this computer's.
#[derive(Debug, Clone)]
pub(super) struct Http {
    pool: reqwest::Client,
    ahead_ms: Arc<Mutex<Option<i64>>>,
}

/// What is posted.
pub(super) struct Post<'a> {
    pub(super) path: &'a str,
    pub(super) content_type: &'static str,
    pub(super) headers: &'a [Header],
    pub(super) body: Vec<u8>,
}

impl Http {
    /// Makes the pool; nothing is sent yet.
    pub(super) fn new(settings: &ClientSettings) -> Result<Http, ClientError> {
        crate::install_crypto();
        let url = reqwest::Url::parse(&settings.url).map_err(|_| ClientError::UrlInvalid)?;
        if url.scheme() != "https" || url.host_str().is_none_or(str::is_empty) {
            return Err(ClientError::UrlInvalid);
        }
        Ok(Http {
            pool: http_client(settings)?,
            ahead_ms: Arc::default(),
        })
    }

    /// How far the agency's clock is ahead, by the date of its last answer; a second is its finest step.
    pub(super) fn ahead_ms(&self) -> Option<i64> {
        *self.ahead_ms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_date(&self, headers: &reqwest::header::HeaderMap) {
        let date = headers
            .get(reqwest::header::DATE)
            .and_then(|date| jiff::fmt::rfc2822::parse(date.to_str().ok()?).ok());
        if let Some(date) = date {
            let ahead_ms = date.timestamp().as_millisecond() - now().as_millisecond();
            *self.ahead_ms.lock().unwrap_or_else(PoisonError::into_inner) = Some(ahead_ms);
        }
    }

    /// Posts it and reads the whole answer.
    pub(super) async fn post(&self, base: &str, post: Post<'_>) -> Carried {
        let url = format!("{}{}", base.trim_end_matches('/'), post.path);
        let mut request = self.pool.post(url).header("content-type", post.content_type);
        for (name, value) in post.headers {
            request = request.header(*name, value.as_str());
        }
        let request = request.body(post.body);
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => return classify(&error),
        };
        self.note_date(response.headers());
        let status = response.status();
        if !status.is_success() {
            return Carried::Unknown(Cause::HttpStatus {
                status: status.as_u16(),
            });
        }
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Carried::Body(body),
                Err(error) if error.is_timeout() => return Carried::Unknown(Cause::Timeout),
                Err(_) => {
                    return Carried::Unknown(Cause::BodyUnreadable {
                        what: "the body ended early",
                    });
                }
            }
            if body.len() > REPLY_BYTES_MAX {
                return Carried::Unknown(Cause::BodyUnreadable {
                    what: "the body is too large",
                });
            }
        }
    }
}

fn http_client(settings: &ClientSettings) -> Result<reqwest::Client, ClientError> {
    let dir = &settings.tls_dir;
    let ca = read_pem(dir, "ca.pem", |dir| ClientError::CaMissing { dir })?;
    let chain = read_pem(dir, "client.pem", |dir| ClientError::CertMissing { dir })?;
    let key = read_pem(dir, "client.key", |dir| ClientError::KeyMissing { dir })?;
    let identity = Zeroizing::new([chain.as_slice(), key.as_slice()].join(&b'\n'));
    let unusable = |error: reqwest::Error| ClientError::FilesUnusable {
        dir: dir.clone(),
        source: Box::new(error),
    };
    let authorities = reqwest::Certificate::from_pem_bundle(&ca).map_err(unusable)?;
    if authorities.is_empty() {
        return Err(ClientError::FileEmpty {
            file: dir.join("ca.pem"),
        });
    }
    reqwest::Client::builder()
        .tls_certs_only(authorities)
        .tls_crls_only(revocations(dir)?)
        .identity(reqwest::Identity::from_pem(&identity).map_err(unusable)?)
        .tls_version_min(reqwest::tls::Version::TLS_1_2)
        .https_only(true)
        .no_proxy()
        // A redirected or automatically repeated POST would be a second settlement.
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .tcp_nodelay(true)
        .timeout(settings.timeout)
        .connect_timeout(settings.connect_timeout)
        .build()
        .map_err(unusable)
}

/// The authority's list of revoked certificates, where the directory has one.
fn revocations(dir: &Path) -> Result<Vec<reqwest::tls::CertificateRevocationList>, ClientError> {
    let file = dir.join("revoked.pem");
    if !file.exists() {
        return Ok(Vec::new());
    }
    let pem = fs::read(&file).map_err(|source| ClientError::FileUnreadable {
        file: file.clone(),
        source,
    })?;
    let lists = reqwest::tls::CertificateRevocationList::from_pem_bundle(&pem).map_err(|error| {
        ClientError::FilesUnusable {
            dir: dir.to_owned(),
            source: Box::new(error),
        }
    })?;
    if lists.is_empty() {
        return Err(ClientError::FileEmpty { file });
    }
    Ok(lists)
}

/// A file, wiped when it is dropped: one of them is the private key.
fn read_pem(
    dir: &Path,
    name: &str,
    missing: fn(PathBuf) -> ClientError,
) -> Result<Zeroizing<Vec<u8>>, ClientError> {
    let file = dir.join(name);
    match fs::read(&file) {
        Ok(bytes) => Ok(Zeroizing::new(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(missing(dir.to_owned())),
        Err(source) => Err(ClientError::FileUnreadable { file, source }),
    }
}

/// Not sent only where it is proved: the request is written after the connection stands, so an error of connecting
/// (address, route, TCP, TLS up to this side's end of the handshake) came before it. Under TLS 1.3 a refused client
/// certificate comes after this side's end of the handshake, together with or after the request: unknown.
fn classify(error: &reqwest::Error) -> Carried {
    let cause = deepest_cause(error);
    if error.is_connect() {
        let cause = match cause {
            _ if error.is_timeout() => Cause::Timeout,
            Some(cause) => cause,
            None => Cause::Unreachable,
        };
        return Carried::NotSent(cause);
    }
    if error.is_builder() {
        return Carried::NotSent(Cause::RequestInvalid {
            field: "url",
            problem: "can't be used",
        });
    }
    if error.is_timeout() {
        return Carried::Unknown(Cause::Timeout);
    }
    Carried::Unknown(cause.unwrap_or(Cause::Reset))
}

/// What TLS or the socket says at the bottom of the error.
fn deepest_cause(error: &reqwest::Error) -> Option<Cause> {
    let mut next: Option<&(dyn Error + 'static)> = error.source();
    let mut found = None;
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some(tls_cause(tls));
        }
        let io_error = error.downcast_ref::<io::Error>();
        found = io_error.and_then(|error| io_cause(error.kind())).or(found);
        // An io::Error's source() skips the error it wraps.
        let wrapped = io_error
            .and_then(io::Error::get_ref)
            .map(|inner| inner as &(dyn Error + 'static));
        next = wrapped.or_else(|| error.source());
    }
    found
}
