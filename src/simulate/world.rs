//! One world: people come and buy, the cashier takes back, works on the queue and prints, and meanwhile the power goes,
//! the disk fills, the agency is away and the network does what it likes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use yijie_agency::{Credential, MsgIds, SaleRequest, SoldCode};
use yijie_offline_cache::{SimulatedDisk, Trouble};
use yijie_rules::{Claim, Money, Outcome, Packs, SetlInfo, split};

use super::net::{Net, province};
use super::till::{Crash, INSTITUTION, Till, client};
use super::{Broken, SimulateError, Tally, check};
use crate::books::row::{SaleRow, SaleState};
use crate::books::{Books, BooksError};
use crate::reconcile::{Action, ReconcileError};
use crate::record::{Closing, KEPT, Record, Sale};
use crate::sync::{Drained, Sync};
use crate::{clock, reconcile};

/// Five minutes to midnight in Beijing: the day turns within most worlds.
const START_MS: i64 = 1_772_294_100_000;
const PERSONS: u32 = 5;
const FAULTS_OF_HUNDRED: u32 = 25;
/// Steps after which every sale is looked at, not only those that moved.
const CHECK_ALL_STEPS: u64 = 25;
/// Passes after which a healed world must have an empty queue.
const PASSES_MAX: u32 = 12;

/// Why a world ends before its time.
pub(super) enum End {
    Broken(Broken),
    Failed(SimulateError),
}

impl<E: Into<SimulateError>> From<E> for End {
    fn from(error: E) -> End {
        End::Failed(error.into())
    }
}

impl From<Broken> for End {
    fn from(broken: Broken) -> End {
        End::Broken(broken)
    }
}

/// What a task of the till came to.
pub(super) enum Event {
    Sold(Result<SaleRow, BooksError>),
    Drained(Result<Drained, BooksError>),
    Moved(Result<SaleRow, BooksError>),
}

/// A piece of paper in a patient's hand.
pub(super) struct Receipt {
    pub(super) sale: String,
    pub(super) sums: SetlInfo,
    pub(super) state: SaleState,
}

/// What the outside has seen of this world, which no crash takes back.
#[derive(Default)]
pub(super) struct Seen {
    /// Sales acknowledged, and the person of each.
    pub(super) sales: BTreeMap<String, String>,
    pub(super) receipts: Vec<Receipt>,
    /// Purchases made elsewhere, by message id.
    pub(super) elsewhere: Vec<String>,
}

pub(super) struct World {
    data: PathBuf,
    dice: fastrand::Rng,
    net: Net,
    packs: Arc<Packs>,
    till: Option<Till>,
    seen: Seen,
    /// Numbers of sales begun, acknowledged or not.
    begun: u32,
    other_till: MsgIds,
    /// Sales that waited a step before.
    waited: BTreeSet<String>,
    steps: u64,
}

impl World {
    pub(super) fn new(dir: &Path, mut dice: fastrand::Rng) -> Result<World, SimulateError> {
        let start = jiff::Timestamp::from_millisecond(START_MS).unwrap_or_default();
        yijie_agency::simulate_clock(start);
        let province = province(&mut dice);
        let net = Net::new(dir.join("agency"), dice.fork(), province)?;
        net.faults(FAULTS_OF_HUNDRED);
        let data = dir.join("till");
        let packs = Arc::new(Packs::builtin());
        let till = Till::start(&data, SimulatedDisk::default(), &net, &packs)?;
        Ok(World {
            data,
            dice,
            net,
            packs,
            till: Some(till),
            seen: Seen::default(),
            begun: 0,
            other_till: MsgIds::new(INSTITUTION, 9),
            waited: BTreeSet::new(),
            steps: 0,
        })
    }

    /// Takes the steps, then heals everything and looks at the whole.
    pub(super) async fn live(&mut self, steps: u64, tally: &mut Tally) -> Result<(), End> {
        for _ in 0..steps {
            tally.steps += 1;
            self.step(tally).await?;
            let pause = match self.dice.u8(..10) {
                0 => self.dice.u64(1_000..60_000),
                _ => self.dice.u64(1..1_000),
            };
            tokio::time::sleep(Duration::from_millis(pause)).await;
            self.take_events(tally)?;
            if self.till.as_ref().is_some_and(|till| till.disk.is_dead()) {
                tally.power_cuts += 1;
                self.crash(Crash::PowerCut).await?;
            }
            self.check_step()?;
        }
        self.heal(tally).await
    }

    async fn step(&mut self, tally: &mut Tally) -> Result<(), End> {
        match self.dice.u8(..100) {
            0..40 => self.sell(),
            40..50 => self.sell_offline(tally)?,
            50..65 => self.drain(),
            65..70 => self.undo(),
            70..74 => self.resolve(),
            74..78 => self.buy_elsewhere().await,
            78..80 => self.close_difference()?,
            80..84 => {
                tally.outages += 1;
                self.net.agency_down();
            }
            84..92 => self.net.agency_up()?,
            92..95 => {
                tally.kills += 1;
                self.crash(Crash::Kill).await?;
            }
            95..97 => {
                tally.power_cuts += 1;
                self.crash(Crash::PowerCut).await?;
            }
            97 => self.trouble(Trouble::PowerCut),
            98 => self.trouble(Trouble::FlushFails),
            _ => self.trouble(Trouble::Full),
        }
        Ok(())
    }

    fn trouble(&mut self, trouble: Trouble) {
        let at = self.dice.u32(..20);
        if let Some(till) = &self.till {
            till.disk.trouble_at(at, trouble);
        }
    }

    fn person(&mut self) -> String {
        format!("5301{:022}", self.dice.u32(..PERSONS))
    }

    /// The next sale: its bill tells at the agency which sale a settlement is of.
    fn next_sale(&mut self) -> Option<Sale> {
        self.begun += 1;
        let psn_no = self.person();
        let yuan = if self.dice.u8(..10) == 0 { 900 } else { 40 };
        let amount = format!("{}.{:02}", yuan + self.begun / 100, self.begun % 100);
        let claim = claim(&psn_no, &amount)?;
        let Outcome::Settled(settlement) = split(&self.packs, &claim, &KEPT) else {
            return None;
        };
        let msgid = self.till.as_ref()?.books.next_msgid();
        // Two sales in three are of packs with a trace code.
        let packs = self.dice.u32(..3);
        let traces = (0..packs).map(|nth| SoldCode {
            feedetl_sn: "1".to_owned(),
            code: format!("8{nth}{:018}", self.begun),
            split: false,
            ..SoldCode::default()
        });
        let traces = traces.collect();
        let (id, credential) = (
            format!("sale-{}", self.begun),
            Credential::IdNumber { certno: psn_no },
        );
        Some(Sale {
            traces,
            ..Sale::new(id, msgid, claim, *settlement, credential, "001".to_owned())
        })
    }

    fn sell(&mut self) {
        let Some(sale) = self.next_sale() else { return };
        let Some(till) = &mut self.till else { return };
        let sync = till.sync.clone();
        if sync.may_try() {
            till.tasks
                .spawn(async move { Event::Sold(sync.sell(sale, true, |_| ()).await) });
        } else {
            let sold = sync.sell_offline(sale, "AGENCY_UNREACHABLE");
            till.tasks.spawn(async move { Event::Sold(sold) });
        }
    }

    fn sell_offline(&mut self, tally: &mut Tally) -> Result<(), End> {
        let Some(sale) = self.next_sale() else {
            return Ok(());
        };
        let Some(till) = &self.till else { return Ok(()) };
        match till.sync.sell_offline(sale, "OFFLINE_ASKED") {
            Ok(row) => self.acknowledge(&row, tally),
            Err(error) => refused_by_disk(&error),
        }
    }

    fn drain(&mut self) {
        let Some(till) = self.till.as_mut().filter(|till| !till.draining) else {
            return;
        };
        till.draining = true;
        let sync = till.sync.clone();
        if self.dice.bool() {
            sync.try_now();
        }
        till.tasks
            .spawn(async move { Event::Drained(sync.drain(|_| ()).await) });
    }

    /// A sale that was acknowledged at some time.
    fn some_sale(&mut self) -> Option<String> {
        let count = self.seen.sales.len();
        let at = (count > 0).then(|| self.dice.usize(..count))?;
        self.seen.sales.keys().nth(at).cloned()
    }

    fn undo(&mut self) {
        let Some(id) = self.some_sale() else { return };
        let Some(till) = &mut self.till else { return };
        let settled = till.books.sale(&id).ok().flatten();
        if settled.is_some_and(|row| row.state == SaleState::Settled) {
            let sync = till.sync.clone();
            till.tasks
                .spawn(async move { Event::Moved(sync.undo(&id, "002").await) });
        }
    }

    fn resolve(&mut self) {
        let Some(id) = self.some_sale() else { return };
        let Some(till) = &mut self.till else { return };
        let sync = till.sync.clone();
        till.tasks
            .spawn(async move { Event::Moved(sync.resolve(&id).await) });
    }

    /// The person buys at another till of the institution, so that this till's figures are stale.
    async fn buy_elsewhere(&mut self) {
        let psn_no = self.person();
        let Some(claim) = claim(&psn_no, "33.33") else {
            return;
        };
        let msgid = self.other_till.next();
        let request = SaleRequest {
            claim,
            credential: Credential::IdNumber { certno: psn_no },
            invono: "1".to_owned(),
            traces: Vec::new(),
        };
        self.net.faults(0);
        let other = client(&self.net, Arc::new(MsgIds::new(INSTITUTION, 8)));
        if other.settle(&msgid, &request).await.done().is_some() {
            self.seen.elsewhere.push(msgid);
        }
        self.net.faults(FAULTS_OF_HUNDRED);
    }

    fn close_difference(&mut self) -> Result<(), End> {
        let Some(till) = &self.till else { return Ok(()) };
        let rows = till.books.differences()?;
        let Some(row) = rows.first() else { return Ok(()) };
        let cash = row.difference.clone().unwrap_or_default().cash;
        let record = Record::DifferenceClosed {
            sale: row.sale.id.clone(),
            operator: "001".to_owned(),
            closing: if cash > Money::ZERO {
                Closing::Collected
            } else {
                Closing::Refunded
            },
            cash,
        };
        // Where the disk refuses, the difference stays open, which is what is looked at.
        match till.books.append(&record, clock::now_ms()) {
            Ok(_) => Ok(()),
            Err(error) => refused_by_disk(&error),
        }
    }

    /// A sale was acknowledged: the patient gets a receipt, unless it was refused.
    fn acknowledge(&mut self, row: &SaleRow, tally: &mut Tally) -> Result<(), End> {
        let (sale, psn_no) = (&row.sale.id, &row.sale.claim.person.psn_no);
        if self.seen.sales.insert(sale.clone(), psn_no.to_string()).is_none() {
            tally.sales += 1;
        }
        let Some(till) = &self.till else { return Ok(()) };
        if row.state == SaleState::Refused {
            return Ok(());
        }
        let record = Record::Printed {
            sale: sale.clone(),
            copies_before: row.copies,
        };
        // Paper first, as at the counter: the copy counts even where the disk refuses to note it.
        let noted = till.books.append(&record, clock::now_ms());
        tally.receipts += 1;
        self.seen.receipts.push(Receipt {
            sale: sale.clone(),
            sums: row.sums().clone(),
            state: row.state,
        });
        match noted {
            Ok(_) => Ok(()),
            Err(error) => refused_by_disk(&error),
        }
    }

    fn take_events(&mut self, tally: &mut Tally) -> Result<(), End> {
        loop {
            let Some(till) = &mut self.till else { return Ok(()) };
            let Some(done) = till.tasks.try_join_next() else {
                return Ok(());
            };
            match done {
                Ok(Event::Sold(Ok(row))) => {
                    check::sale(&till.books, &row.sale.id, self.net.ledger().as_deref())?;
                    self.acknowledge(&row, tally)?;
                }
                Ok(Event::Moved(Ok(row))) => {
                    check::sale(&till.books, &row.sale.id, self.net.ledger().as_deref())?
                }
                Ok(Event::Drained(drained)) => {
                    till.draining = false;
                    if let Err(error) = drained {
                        refused_by_disk(&error)?;
                    }
                }
                Ok(Event::Sold(Err(error)) | Event::Moved(Err(error))) => refused_by_disk(&error)?,
                Err(error) if error.is_panic() => {
                    return Err(Broken::new("no task of the till panics", error).into());
                }
                Err(_) => {}
            }
        }
    }

    /// Ends the till and starts it again on what is left; what was acknowledged is asked for.
    async fn crash(&mut self, how: Crash) -> Result<(), End> {
        let Some(till) = self.till.take() else {
            return Ok(());
        };
        let disk = till.crash(how, &mut self.dice).await?;
        let down = Duration::from_millis(self.dice.u64(500..30_000));
        tokio::time::sleep(down).await;
        let started = Till::start(&self.data, disk, &self.net, &self.packs);
        let till = started.map_err(|error| Broken::new("a crash leaves books that open", error.code()))?;
        let books = till.books.clone();
        self.till = Some(till);
        check::acknowledged(&books, &self.seen)?;
        self.check_all(&books)
    }

    /// After every step: the agency's ledger as a whole, each sale that waits or did a step before, and now and then all
    /// of them.
    fn check_step(&mut self) -> Result<(), End> {
        self.steps += 1;
        let ledger = self.net.ledger();
        let books = self.till.as_ref().map(|till| till.books.clone());
        if let Some(books) = &books {
            let mut waiting = BTreeSet::new();
            for sale in books.waiting_sales()? {
                waiting.insert(sale?.id);
            }
            for id in waiting.union(&self.waited) {
                check::sale(books, id, ledger.as_deref())?;
            }
            self.waited = waiting;
            if self.steps.is_multiple_of(CHECK_ALL_STEPS) {
                self.check_all(books)?;
            }
        }
        let (Some(ledger), Some(packs)) = (ledger, self.net.packs_sold()) else {
            return Ok(());
        };
        check::ledger(&ledger)?;
        Ok(check::packs(&ledger, &packs)?)
    }

    fn check_all(&self, books: &Books) -> Result<(), End> {
        match self.net.ledger() {
            Some(ledger) => Ok(check::books(books, &ledger)?),
            None => Ok(()),
        }
    }

    /// Every day the world saw balances at the agency, the other till's purchases being its own.
    async fn close_days(&self, books: &Books, sync: &Sync) -> Result<(), End> {
        let (mut day, last) = (clock::today(START_MS), clock::today(clock::now_ms()));
        while day <= last {
            let refused =
                |error: ReconcileError| Broken::new("a healed world can close its days", error.code());
            let mut found = reconcile::compare(books, sync, day).await.map_err(refused)?;
            let moved = found.rows.iter().filter(|row| row.action == Action::MoveRefund);
            let moved: Vec<_> = moved.cloned().collect();
            for row in &moved {
                sync.mend(row, day, "001").await?;
            }
            if !moved.is_empty() {
                found = reconcile::compare(books, sync, day).await.map_err(refused)?;
            }
            if !found.balanced() {
                let rows: Vec<_> = found
                    .rows
                    .iter()
                    .map(|row| (&row.msgid, row.result().to_owned(), row.action.word()))
                    .collect();
                return Err(Broken::new(
                    "every day balances",
                    format!("{day}: {rows:?} {:?}", found.totals),
                )
                .into());
            }
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        Ok(())
    }

    /// Nothing goes wrong any more: the queue empties, and both sides hold the same.
    async fn heal(&mut self, tally: &mut Tally) -> Result<(), End> {
        self.net.faults(0);
        self.net.agency_up()?;
        // Whatever is still on its way arrives.
        tokio::time::sleep(Duration::from_secs(200)).await;
        self.take_events(tally)?;
        self.crash(Crash::Kill).await?;
        let Some(till) = &self.till else { return Ok(()) };
        let (books, sync) = (till.books.clone(), till.sync.clone());
        for pass in 0.. {
            sync.try_now();
            let drained = sync.drain(|_| ()).await?;
            if drained.left + drained.uploads_left == 0 {
                break;
            }
            if pass == PASSES_MAX {
                let mut open = books.queue(1)?;
                open.extend(books.uploads()?.next().transpose()?);
                let found = open
                    .first()
                    .map(|row| format!("{:?} {:?}", row.history, row.uploads));
                return Err(
                    Broken::new("a healed world finishes every sale", found.unwrap_or_default()).into(),
                );
            }
            tokio::time::sleep(Duration::from_secs(30)).await;
        }
        let ledger = self.net.ledger().unwrap_or_default();
        self.check_step()?;
        self.check_all(&books)?;
        check::accounted(&books, &ledger, &self.seen)?;
        check::packs_told(&books, &self.net.packs_sold().unwrap_or_default())?;
        self.close_days(&books, &sync).await?;
        let stands = books
            .sales()?
            .into_iter()
            .filter(|row| row.state == SaleState::Settled);
        tally.settled += u64::try_from(stands.count()).unwrap_or_default();
        tally.differences += u64::try_from(books.differences()?.len()).unwrap_or_default();
        drop(sync);
        check::rebuilt(&self.data, self.till.take(), books)?;
        Ok(())
    }
}

/// A disk in trouble may refuse; anything else may not go wrong.
fn refused_by_disk(error: &BooksError) -> Result<(), End> {
    match error.code() {
        "DISK_ERROR" | "DISK_FULL" | "JOURNAL_STOPPED" | "BOOKS_STALLED" | "SALE_NOT_FOUND" => Ok(()),
        code => Err(Broken::new("only the disk's troubles stop the books", code).into()),
    }
}

/// A claim of a retired person at a level 2 hospital: one class 甲 line.
fn claim(psn_no: &str, amount: &str) -> Option<Claim> {
    let text = serde_json::json!({
        "person": {"psn_no": psn_no, "insutype": "310", "psn_type": "12", "insuplc_admdvs": "530100", "psn_insu_stas": "1"},
        "institution": {"fixmedins_code": INSTITUTION, "fixmedins_type": "1", "medinslv": "2"},
        "visit": {"med_type": "11", "begntime": "2026-03-01 09:30:00", "mdtrtarea_admvs": "530100"},
        "lines": [{"feedetl_sn": "1", "chrgitm_lv": "01", "det_item_fee_sumamt": amount}],
        "accounts": {"acct_used_flag": "1", "own": {"balc": "400.00"}},
    });
    Claim::from_json(text.to_string().as_bytes()).ok()
}
