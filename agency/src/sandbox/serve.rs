//! The sandbox's server: mutual TLS, HTTP/1.1, and the misdeeds of the faults file.

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited, combinators::UnsyncBoxBody};
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::{Body, Frame, Incoming},
    header::{CONTENT_LENGTH, CONTENT_TYPE},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use super::{
    SandboxError, SandboxSettings,
    agency::{Agency, Answered},
    door::Door,
    faults::{self, Faults, Misdeed},
    files::Files,
    ledger::Ledger,
    persons, tls_dir,
};
use crate::{clock, keys::Keys, seal::Seal};

const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);

/// The agency and what goes wrong at its door.
pub(crate) struct Site {
    pub(crate) agency: Agency,
    pub(crate) faults: Faults,
    door: Door,
}

/// None once the sandbox is stopped.
pub(crate) type Shared = Arc<Mutex<Option<Site>>>;
type Reply = Response<UnsyncBoxBody<Bytes, io::Error>>;

/// Serves until the task is dropped; then every connection breaks.
pub(crate) async fn serve(listener: TcpListener, tls: Arc<ServerConfig>, site: Shared) {
    let acceptor = TlsAcceptor::from(tls);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, acceptor.clone(), Arc::clone(&site)));
                }
                Err(error) => {
                    // Out of file handles or the like: give it time instead of spinning.
                    tracing::warn!(%error, "the sandbox can't accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, site: Shared) {
    // Without it a small reply may wait for the other side's acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY can't be set");
    }
    let stream = match tokio::time::timeout(HANDSHAKE_MAX, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return tracing::info!(%error, "TLS handshake refused"),
        Err(_) => return tracing::info!("TLS handshake took too long"),
    };
    let service = service_fn(move |request| answer(request, Arc::clone(&site)));
    if let Err(error) = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await
    {
        tracing::debug!(%error, "connection ended");
    }
}

/// What is done with one request.
enum Deed {
    Answer(Answered),
    Late(Answered, u64),
    Status(StatusCode, &'static str),
    Html,
    HalfBody(Answered),
    Silence,
    Close,
}

async fn answer(request: Request<Incoming>, site: Shared) -> Result<Reply, io::Error> {
    let path = request.uri().path().to_owned();
    let headers = request.headers().clone();
    let body = match Limited::new(request.into_body(), BODY_BYTES_MAX).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return Ok(page(StatusCode::PAYLOAD_TOO_LARGE, "too large")),
    };
    let deed = tokio::task::spawn_blocking(move || {
        let (deed, written) = {
            let mut site = site.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(site) = site.as_mut() else {
                return Deed::Close;
            };
            (site.deed(&path, &headers, &body), site.agency.written())
        };
        // Others' requests are worked on meanwhile, and share the next flush.
        match written.flushed() {
            Ok(()) => deed,
            Err(error) => {
                tracing::error!(%error, "the ledger can't be flushed");
                Deed::Close
            }
        }
    });
    match deed.await.map_err(io::Error::other)? {
        Deed::Answer(answered) => Ok(reply(answered)),
        Deed::Late(answered, ms) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            Ok(reply(answered))
        }
        Deed::Status(status, text) => Ok(page(status, text)),
        Deed::Html => Ok(page(StatusCode::OK, "系统繁忙")),
        Deed::HalfBody(answered) => Ok(half(answered)),
        Deed::Silence => std::future::pending().await,
        Deed::Close => Err(io::Error::new(
            io::ErrorKind::ConnectionAborted,
            "closed on request of the faults file",
        )),
    }
}

impl Site {
    /// Reads persons, faults and ledger.
    pub(crate) fn open(settings: SandboxSettings) -> Result<Site, SandboxError> {
        let persons = settings.persons.map(|file| persons::read(&file)).transpose()?;
        if let Some(file) = &settings.faults {
            let malformed = |source| SandboxError::Faults {
                file: file.clone(),
                source: Box::new(source),
            };
            faults::check(file).map_err(malformed)?;
        }
        let keys = Keys::of_agency(&settings.profile, &tls_dir(&settings.data))?;
        let (ledger, entries) = Ledger::open(&settings.data)?;
        let door = Door::new(&settings.profile, keys.gateway.clone());
        let seal = Seal {
            profile: settings.profile,
            keys,
        };
        Ok(Site {
            agency: Agency::new(
                seal,
                persons.unwrap_or_default(),
                settings.any_person,
                Files::new(&settings.data),
                ledger,
                &entries,
            ),
            faults: Faults::new(settings.faults),
            door,
        })
    }

    /// The answer to a request nothing goes wrong with; None: there is no such service.
    pub(crate) fn done(&mut self, path: &str, body: &[u8]) -> Option<Answered> {
        if self.agency.is_ec_query(path) {
            return Some(self.agency.ec_query(body));
        }
        let known = self.agency.is_transaction(path, &Agency::infno_of(body));
        known.then(|| self.agency.transact(body))
    }

    fn deed(&mut self, path: &str, headers: &HeaderMap, body: &[u8]) -> Deed {
        if self.door.gives_tokens(path) {
            return match self.door.token(headers, body) {
                Some(token) => Deed::Answer(Answered::Json(token)),
                None => Deed::Status(StatusCode::UNAUTHORIZED, "unauthorized"),
            };
        }
        if !self.door.admits(headers) {
            return Deed::Status(StatusCode::UNAUTHORIZED, "unauthorized");
        }
        let decoder = self.agency.is_ec_query(path);
        let infno = if decoder {
            "ec.query".to_owned()
        } else {
            Agency::infno_of(body)
        };
        if !decoder && !self.agency.is_transaction(path, &infno) {
            return Deed::Status(StatusCode::NOT_FOUND, "no such service");
        }
        let fault = self.faults.next(self.agency.national_of(&infno));
        let mut done = || {
            if decoder {
                self.agency.ec_query(body)
            } else {
                self.agency.transact(body)
            }
        };
        let Some(fault) = fault else {
            return Deed::Answer(done());
        };
        match fault.what {
            Misdeed::LoseRequest => Deed::Silence,
            Misdeed::Close => Deed::Close,
            Misdeed::LateMs => Deed::Late(done(), fault.ms),
            Misdeed::HalfBody => Deed::HalfBody(done()),
            Misdeed::Twice => {
                let first = done();
                done();
                Deed::Answer(first)
            }
            Misdeed::LoseReplyAfterCommit => {
                done();
                Deed::Silence
            }
            Misdeed::BadGatewayAfterCommit => {
                done();
                Deed::Status(StatusCode::BAD_GATEWAY, "bad gateway")
            }
            Misdeed::Html => {
                done();
                Deed::Html
            }
            Misdeed::WrongClock => Deed::Answer(clock::ahead(fault.seconds, done)),
            Misdeed::StaleFigures => Deed::Answer(self.agency.by_old_figures(body)),
            Misdeed::WordsOnly => Deed::Answer(self.agency.in_words(body)),
            Misdeed::Maintenance => Deed::Status(StatusCode::SERVICE_UNAVAILABLE, "系统维护中"),
            Misdeed::RateLimit => Deed::Status(StatusCode::TOO_MANY_REQUESTS, "too many requests"),
            Misdeed::SystemError => Deed::Answer(self.agency.broken(body)),
            Misdeed::SystemErrorAfterCommit => {
                done();
                Deed::Answer(self.agency.broken(body))
            }
        }
    }
}

fn content(answered: Answered) -> (&'static str, Bytes) {
    match answered {
        Answered::Json(text) => ("application/json; charset=utf-8", Bytes::from(text)),
        Answered::Zip(bytes) => ("application/zip", Bytes::from(bytes)),
    }
}

fn reply(answered: Answered) -> Reply {
    let (kind, bytes) = content(answered);
    response(StatusCode::OK, kind, full(bytes))
}

fn page(status: StatusCode, text: &str) -> Reply {
    let page = format!("<!DOCTYPE html><html><body><h1>{text}</h1></body></html>");
    response(status, "text/html; charset=utf-8", full(Bytes::from(page)))
}

fn full(bytes: Bytes) -> UnsyncBoxBody<Bytes, io::Error> {
    Full::new(bytes)
        .map_err(|never: Infallible| match never {})
        .boxed_unsync()
}

fn response(status: StatusCode, kind: &'static str, body: UnsyncBoxBody<Bytes, io::Error>) -> Reply {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(kind));
    response
}

/// Announces the whole body and breaks off in its middle.
fn half(answered: Answered) -> Reply {
    let (kind, bytes) = content(answered);
    let announced = bytes.len();
    let torn = TornBody {
        first: Some(bytes.slice(..announced / 2)),
        rest: Box::pin(tokio::time::sleep(TORN_AFTER)),
    };
    let mut response = response(StatusCode::OK, kind, torn.boxed_unsync());
    response.headers_mut().insert(CONTENT_LENGTH, announced.into());
    response
}

/// Long enough for the first half to get away.
const TORN_AFTER: Duration = Duration::from_millis(30);

struct TornBody {
    first: Option<Bytes>,
    rest: Pin<Box<tokio::time::Sleep>>,
}

impl Body for TornBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(bytes) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        self.rest.as_mut().poll(context).map(|()| {
            let why = "broken off on request of the faults file";
            Some(Err(io::Error::new(io::ErrorKind::ConnectionAborted, why)))
        })
    }
}
