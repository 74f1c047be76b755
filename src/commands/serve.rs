//! `yijie serve`: the till for HIS and pharmacy software on the same machine, over HTTP and without a window.
//!
//! Only this machine reaches it, and there only who may read the token in the data directory. What waits is worked on
//! meanwhile. `serve/openapi.json` describes it, and is what `/openapi.json` answers.

use std::collections::HashSet;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path as Named, Query, Request as HttpRequest, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use axum::{Router, serve};
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use yijie_rules::{Claim, Options, split};

use super::people::{Approver, CLIENT, Who};
use super::sell::{Counter, Order, answer};
use super::{Failure, OtherAgency, Out, Till, queue, tasks};
use crate::books::BooksError;
use crate::config::write_private;
use crate::runtime::renewal::Renewal;
use crate::{print, reconcile, slip};

/// In the data directory: what a program has to show.
const TOKEN_FILE: &str = "serve.token";
const TOKEN_LEN: usize = 32;
/// Pause between two passes over what waits.
const PASS_PAUSE: Duration = Duration::from_secs(15);
const OPENAPI: &str = include_str!("serve/openapi.json");

/// Where it listens.
#[derive(Args)]
pub struct Request {
    #[command(flatten)]
    agency: OtherAgency,
    /// Address of this machine, such as 127.0.0.1:8650; port 0 takes a free one.
    #[arg(long)]
    listen: SocketAddr,
}

/// What the requests share.
struct Desk {
    counter: Counter,
    token: String,
    out: Out,
    /// Ids of sales that are being made: one is not made twice at a time.
    at_work: Mutex<HashSet<String>>,
}

/// A sale's id while the sale is being made; free again when dropped.
struct AtWork(Arc<Desk>, String);

impl Desk {
    fn begin(self: &Arc<Self>, id: &str) -> Option<AtWork> {
        let mut at_work = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        at_work
            .insert(id.to_owned())
            .then(|| AtWork(self.clone(), id.to_owned()))
    }

    fn till(&self) -> &Till {
        &self.counter.till
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        let mut at_work = self.0.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        at_work.remove(&self.1);
    }
}

/// Serves until it is told to stop (SIGINT, SIGTERM); what was begun is finished first.
///
/// # Errors
/// [`Failure`] if the address is not this machine's own or taken, or the books cannot be opened.
pub fn run(data: &Path, request: &Request, out: Out) -> Result<u8, Failure> {
    if !request.listen.ip().is_loopback() {
        return Err(Failure::input("LISTEN_NOT_LOCAL", request.listen));
    }
    let till = Till::open(data, &request.agency, out)?;
    let token = token(&data.join(TOKEN_FILE))?;
    tasks()?.block_on(async {
        reconcile::caught_up(&till.books, &till.sync).await?;
        let busy = |e: io::Error| Failure::could_not("ADDRESS_IN_USE", format!("{}: {e}", request.listen));
        let listener = TcpListener::bind(request.listen).await.map_err(busy)?;
        out.line(format!(
            "listening on http://{}",
            listener.local_addr().map_err(busy)?
        ))?;
        let sync = till.sync.clone();
        let desk = Arc::new(Desk {
            counter: Counter {
                till,
                operator: CLIENT.to_owned(),
                offline: false,
            },
            token,
            out,
            at_work: Mutex::default(),
        });
        let passes = tokio::spawn(work_on_queue(desk.clone()));
        let told = stopped().map_err(|e| Failure::could_not("INTERNAL", e))?;
        let served = serve(listener, routes(desk)).with_graceful_shutdown(told).await;
        passes.abort();
        sync.client().close_abandoned().await;
        served.map_err(|e| Failure::could_not("INTERNAL", e))?;
        Ok(0)
    })
}

/// The token of this data directory; made at the first start.
fn token(path: &Path) -> Result<String, Failure> {
    let failed = |e: String| Failure::could_not("FILE_FAILED", format!("{}: {e}", path.display()));
    match std::fs::read_to_string(path) {
        Ok(token) if token.trim().len() == 2 * TOKEN_LEN => Ok(token.trim().to_owned()),
        Ok(_) => Err(failed("?".to_owned())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let mut bytes = [0; TOKEN_LEN];
            getrandom::fill(&mut bytes).map_err(|e| failed(e.to_string()))?;
            let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            write_private(path, token.as_bytes())?;
            Ok(token)
        }
        Err(e) => Err(failed(e.to_string())),
    }
}

fn stopped() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

async fn work_on_queue(desk: Arc<Desk>) {
    let renewal = Renewal::of(desk.till(), desk.out);
    loop {
        let sync = &desk.till().sync;
        if renewal.due() {
            match renewal.read(&desk.till().books) {
                Ok(packs) => sync.settle_by(Arc::new(packs)),
                Err(failure) => failure.report(desk.out),
            }
        }
        if sync.may_try()
            && let Err(error) = sync.drain(|_| ()).await
        {
            Failure::from(error).report(desk.out);
        }
        tokio::time::sleep(PASS_PAUSE).await;
    }
}

fn routes(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/split", post(split_claim))
        .route("/packs", get(packs))
        .route("/sales", post(sell))
        .route("/sales/{id}", get(sale))
        .route("/sales/{id}/resolve", post(resolve))
        .route("/sales/{id}/reverse", post(reverse))
        .route("/sales/{id}/receipt", post(receipt))
        .route("/queue", get(waiting))
        .route("/queue/drain", post(drain))
        .route("/differences", get(differences))
        .route_layer(middleware::from_fn_with_state(desk.clone(), known))
        .route(
            "/openapi.json",
            get(async || ([(header::CONTENT_TYPE, "application/json")], OPENAPI)),
        )
        .fallback(async || {
            Refused(
                Failure::input("NO_SUCH_PATH", "/openapi.json"),
                StatusCode::NOT_FOUND,
            )
        })
        .with_state(desk)
}

/// Lets pass who shows the token.
async fn known(State(desk): State<Arc<Desk>>, request: HttpRequest, next: Next) -> Response {
    let shown = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    if shown == Some(desk.token.as_str()) {
        return next.run(request).await;
    }
    Refused(
        Failure::refused("TOKEN_WRONG", TOKEN_FILE),
        StatusCode::UNAUTHORIZED,
    )
    .into_response()
}

/// A failure of a command as an answer.
struct Refused(Failure, StatusCode);

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Refused {
        let status = match (failure.exit, failure.code.as_str()) {
            (_, "SALE_NOT_FOUND") => StatusCode::NOT_FOUND,
            (1, _) => StatusCode::BAD_REQUEST,
            (2, _) => StatusCode::CONFLICT,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        Refused(failure, status)
    }
}

impl From<BooksError> for Refused {
    fn from(error: BooksError) -> Refused {
        Failure::from(error).into()
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.1, Json(self.0.json(yijie_rules::Lang::Zh))).into_response()
    }
}

type Answered = Result<Json<Value>, Refused>;

/// `?trace=false` leaves the reasons out.
#[derive(Deserialize)]
struct SplitOptions {
    trace: Option<bool>,
}

async fn split_claim(
    State(desk): State<Arc<Desk>>,
    Query(asked): Query<SplitOptions>,
    body: Bytes,
) -> Answered {
    let claim = Claim::from_json(&body).map_err(|e| Failure::input(e.code(), &e))?;
    let options = Options {
        pack: None,
        trace: asked.trace.unwrap_or(true),
        lang: desk.out.lang,
    };
    Ok(Json(json!(split(&desk.till().sync.packs(), &claim, &options))))
}

async fn packs(State(desk): State<Arc<Desk>>) -> Answered {
    Ok(Json(json!(desk.till().sync.packs().list())))
}

async fn sell(State(desk): State<Arc<Desk>>, body: Bytes) -> Result<Response, Refused> {
    let order = match Order::parse(&body) {
        Ok(order) => order,
        Err(unread) => return Ok((StatusCode::BAD_REQUEST, Json(unread)).into_response()),
    };
    let id = order.id.clone();
    let Some(at_work) = desk.begin(&id) else {
        return Err(Failure::refused("SALE_AT_WORK", id).into());
    };
    // On a task of its own: a client that hangs up does not leave the sale half made.
    let made = tokio::spawn(async move {
        let told = desk.counter.sell(order).await;
        drop(at_work);
        told.map(|told| (told, desk))
    });
    let (told, desk) = made.await.map_err(|e| Failure::could_not("INTERNAL", e))??;
    tokio::spawn(async move {
        // What cannot be told now is told with the queue.
        drop(desk.counter.told(&id).await);
    });
    Ok(Json(told).into_response())
}

async fn sale(State(desk): State<Arc<Desk>>, Named(id): Named<String>) -> Answered {
    Ok(Json(answer(&queue::find(desk.till(), &id)?)))
}

async fn resolve(State(desk): State<Arc<Desk>>, Named(id): Named<String>) -> Answered {
    let row = queue::find_one(desk.till(), &id)?;
    let row = desk.till().sync.resolve(&row.sale.id).await?;
    Ok(Json(answer(&row)))
}

async fn reverse(State(desk): State<Arc<Desk>>, Named(id): Named<String>) -> Answered {
    let (who, approver) = (Who::default(), Approver::default());
    let row = queue::reverse(desk.till(), &id, &who, &approver, desk.out).await?;
    Ok(Json(answer(&row)))
}

/// A copy of the receipt as PDF: it counts as handed out.
async fn receipt(State(desk): State<Arc<Desk>>, Named(id): Named<String>) -> Result<Response, Refused> {
    let till = desk.till();
    let row = queue::find(till, &id)?;
    let slip = slip::of(&row, &till.config.institution);
    let pdf = slip::to_pdf(&slip, &row, till.config.devices.paper)
        .ok_or_else(|| Failure::could_not("INTERNAL", "pdf"))?;
    print::note_printed(&till.books, &row)?;
    Ok(([(header::CONTENT_TYPE, "application/pdf")], pdf).into_response())
}

async fn waiting(State(desk): State<Arc<Desk>>) -> Answered {
    let books = &desk.till().books;
    let rows = books.open_rows()?.chain(books.uploads()?);
    let briefs: Result<Vec<Value>, BooksError> = rows.map(|row| Ok(queue::brief(&row?))).collect();
    Ok(Json(json!(briefs?)))
}

async fn drain(State(desk): State<Arc<Desk>>) -> Answered {
    desk.till().sync.try_now();
    let drained = desk.till().sync.drain(|_| ()).await?;
    Ok(Json(json!({
        "finished": drained.finished, "left": drained.left,
        "uploaded": drained.uploaded, "uploads_left": drained.uploads_left,
    })))
}

async fn differences(State(desk): State<Arc<Desk>>) -> Answered {
    let rows = desk.till().books.differences()?;
    Ok(Json(rows.iter().map(answer).collect()))
}
