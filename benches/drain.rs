//! Draining a queue of 5 000 persons against a sandbox agency on the same machine, beside a bare reqwest loop that posts
//! the very same bodies over the same TLS with the same concurrency to a fresh sandbox. Prints rows for
//! docs/benchmarks.md; run by `scripts/bench.sh`. `YIJIE_QUEUED` sets how many sales wait (10 000 unless given).
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    clippy::float_arithmetic,
    reason = "a benchmark that cannot run must stop and say so"
)]

mod common;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use common::client_settings;
use tokio::sync::Semaphore;
use yijie::books::Books;
use yijie::record::{KEPT, Record, Sale};
use yijie::sync::Sync;
use yijie_agency::{Carried, Carrier, Client, Credential};
use yijie_rules::{Claim, Outcome, Packs, split};

const INSTITUTION: &str = "P53010200001";
const PERSONS: usize = 5_000;
/// As many as the drain has on the way at a time.
const AT_ONCE: usize = 16;

fn main() {
    let queued: usize = std::env::var("YIJIE_QUEUED").map_or(10_000, |text| text.parse().unwrap());
    let dir = std::env::temp_dir().join(format!("yijie-drain-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    let tasks = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    tasks.block_on(measure(&dir, queued));
    drop(tasks);
    fs::remove_dir_all(&dir).unwrap();
}

async fn measure(dir: &Path, queued: usize) {
    yijie_agency::install_crypto();
    let (few, _) = Queue::fill(&dir.join("few"), queued / 10).await;
    let few = few.drain().await;
    println!("drain of {} queued sales\t{}", queued / 10, few.words());
    let (many, mut bodies) = Queue::fill(&dir.join("many"), queued).await;
    // Half before and half after, so that a machine that gets faster or slower meanwhile does so for both.
    let later = bodies.split_off(queued / 2);
    let before = bare(&dir.join("before"), bodies).await;
    let many = many.drain().await;
    println!("drain of {queued} queued sales\t{}", many.words());
    let after = bare(&dir.join("after"), later).await;
    let per_second = 2.0 / (before.per_second.recip() + after.per_second.recip());
    println!(
        "bare reqwest loop, same bodies, TLS, concurrency\t{per_second:.0} settlements/s ({:.0} before, {:.0} after), {:.2} ms of a processor each",
        before.per_second,
        after.per_second,
        (before.busy_ms + after.busy_ms) / 2.0
    );
    println!("drain against it\t{:.0} %", 100.0 * many.per_second / per_second);
    println!(
        "memory the drain added, ten times the queue\t{:.1} MB against {:.1} MB",
        many.added_mb, few.added_mb
    );
}

struct Measured {
    per_second: f64,
    /// Processor time of this process, the agency's not counted, for one settlement.
    busy_ms: f64,
    added_mb: f64,
}

impl Measured {
    fn words(&self) -> String {
        format!(
            "{:.0} settlements/s, {:.2} ms of a processor each, resident memory + {:.1} MB while draining",
            self.per_second, self.busy_ms, self.added_mb
        )
    }
}

/// A sandbox agency in a process of its own, so that the memory told is the till's.
struct Agency {
    process: Child,
    url: String,
    tls_dir: PathBuf,
}

impl Agency {
    fn start(data: &Path) -> Agency {
        let mut process = Command::new(env!("CARGO_BIN_EXE_yijie"))
            .args(["agency", "sandbox", "--any-person", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let out = process.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        Agency {
            process,
            url: line.trim().strip_prefix("listening on ").unwrap().to_owned(),
            tls_dir: data.join("tls"),
        }
    }
}

impl Drop for Agency {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Sales that wait, and the agency they wait for.
struct Queue {
    _agency: Agency,
    sync: Arc<Sync>,
    queued: usize,
}

impl Queue {
    /// A queue of so many sales; and the bodies that will leave, as a tap on a second client sees them.
    async fn fill(dir: &Path, queued: usize) -> (Queue, Vec<(String, Vec<u8>)>) {
        let agency = Agency::start(&dir.join("agency"));
        let (books, _) = Books::open(&dir.join("till"), INSTITUTION, 0).unwrap();
        let books = Arc::new(books);
        let packs = Arc::new(Packs::builtin());
        let settings = |url: String| client_settings(url, &agency.tls_dir, INSTITUTION, books.msgids());
        let tap = Arc::new(Tap::default());
        let tapped = Client::within(settings(String::new()), tap.clone());
        for no in 0..queued {
            let sale = sale(&books, &packs, no);
            let request = yijie_agency::SaleRequest {
                claim: sale.claim.clone(),
                credential: sale.credential.clone(),
                invono: format!("{:020}", no + 1),
                traces: Vec::new(),
            };
            drop(tapped.settle(&sale.msgid, &request).await);
            let record = Record::Sale {
                sale: Box::new(sale),
                sending: false,
            };
            let (books, now) = (books.clone(), yijie::clock::now_ms());
            tokio::task::spawn_blocking(move || books.append(&record, now).unwrap())
                .await
                .unwrap();
        }
        let client = Client::new(settings(agency.url.clone())).unwrap();
        let bodies = std::mem::take(&mut *tap.bodies.lock().unwrap());
        let queue = Queue {
            _agency: agency,
            sync: Arc::new(Sync::new(books, client, packs)),
            queued,
        };
        (queue, bodies)
    }

    async fn drain(self) -> Measured {
        let before = resident_mb();
        let mut most = before;
        let (begin, busy) = (Instant::now(), busy_ms());
        let mut seen = 0_usize;
        let drained = self
            .sync
            .drain(|_| {
                seen += 1;
                if seen.is_multiple_of(64) {
                    most = most.max(resident_mb());
                }
            })
            .await
            .unwrap();
        let took = begin.elapsed().as_secs_f64();
        assert_eq!((drained.finished, drained.left), (self.queued, 0));
        Measured {
            per_second: per_second(self.queued, took),
            busy_ms: (busy_ms() - busy) / f64::from(u32::try_from(self.queued).unwrap()),
            added_mb: most - before,
        }
    }
}

/// The same bodies through reqwest and nothing else.
async fn bare(dir: &Path, bodies: Vec<(String, Vec<u8>)>) -> Measured {
    let agency = Agency::start(&dir.join("agency"));
    let pem = |name: &str| fs::read(agency.tls_dir.join(name)).unwrap();
    let identity = [pem("client.pem"), b"\n".to_vec(), pem("client.key")].concat();
    let client = reqwest::Client::builder()
        .tls_certs_only(reqwest::Certificate::from_pem_bundle(&pem("ca.pem")).unwrap())
        .identity(reqwest::Identity::from_pem(&identity).unwrap())
        .https_only(true)
        .no_proxy()
        .tcp_nodelay(true)
        .build()
        .unwrap();
    let (count, url) = (bodies.len(), agency.url.clone());
    let gate = Arc::new(Semaphore::new(AT_ONCE));
    let (begin, busy) = (Instant::now(), busy_ms());
    let mut posts = tokio::task::JoinSet::new();
    for (path, body) in bodies {
        let turn = gate.clone().acquire_owned().await.unwrap();
        let (client, url) = (client.clone(), format!("{url}{path}"));
        posts.spawn(async move {
            let request = client
                .post(url)
                .header("content-type", "application/json; charset=utf-8")
                .body(body);
            let answer = request.send().await.unwrap().bytes().await.unwrap();
            assert!(
                answer.windows(9).any(|part| part == b"\"setl_id\""),
                "not settled"
            );
            drop(turn);
        });
    }
    while let Some(done) = posts.join_next().await {
        done.unwrap();
    }
    Measured {
        per_second: per_second(count, begin.elapsed().as_secs_f64()),
        busy_ms: (busy_ms() - busy) / f64::from(u32::try_from(count).unwrap()),
        added_mb: 0.0,
    }
}

#[expect(clippy::cast_precision_loss, reason = "some ten thousand")]
fn per_second(count: usize, took: f64) -> f64 {
    count as f64 / took
}

fn sale(books: &Books, packs: &Packs, no: usize) -> Sale {
    let psn_no = format!("5301{:022}", no % PERSONS);
    let claim = format!(
        r#"{{"person":{{"psn_no":"{psn_no}","insutype":"310","psn_type":"11","insuplc_admdvs":"530100","psn_insu_stas":"1"}},"institution":{{"fixmedins_code":"{INSTITUTION}","fixmedins_type":"2"}},"visit":{{"med_type":"41","begntime":"2026-03-01 09:30:00","mdtrtarea_admvs":"530100"}},"lines":[{{"feedetl_sn":"1","chrgitm_lv":"01","goods":"drug","pric":"20.00","cnt":"10","det_item_fee_sumamt":"200.00"}},{{"feedetl_sn":"2","chrgitm_lv":"02","goods":"drug","selfpay_prop":"0.10","det_item_fee_sumamt":"36.50"}}],"accounts":{{"acct_used_flag":"1","own":{{"balc":"1000.00"}}}}}}"#
    );
    let claim = Claim::from_json(claim.as_bytes()).unwrap();
    let Outcome::Settled(settlement) = split(packs, &claim, &KEPT) else {
        panic!("the claim is refused")
    };
    let credential = Credential::IdNumber { certno: psn_no };
    Sale::new(
        format!("bench-{no}"),
        books.next_msgid(),
        claim,
        *settlement,
        credential,
        "001".to_owned(),
    )
}

/// Keeps what a client would send.
#[derive(Debug, Default)]
struct Tap {
    bodies: Mutex<Vec<(String, Vec<u8>)>>,
}

impl Carrier for Tap {
    fn carry<'a>(
        &'a self,
        path: &'a str,
        body: Vec<u8>,
    ) -> Pin<Box<dyn Future<Output = Carried> + Send + 'a>> {
        self.bodies.lock().unwrap().push((path.to_owned(), body));
        Box::pin(async { Carried::Unknown(yijie_agency::Cause::Timeout) })
    }
}

/// Processor time this process has taken, in ms: the kernel counts in hundredths of a second.
fn busy_ms() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() * 10.0
}

/// Resident memory of this process.
fn resident_mb() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kb = line.and_then(|line| line.split_whitespace().nth(1));
    kb.and_then(|kb| kb.parse::<f64>().ok()).unwrap_or_default() / 1024.0
}
