//! Gets every committed sale to the agency exactly once: a person's sales in order, many persons' at a time.

mod booked;
mod doubt;
mod line;
mod mend;
mod turns;
mod upload;

use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use yijie_agency::{Answer, Client, SaleRequest, SettledReply};
use yijie_rules::Packs;

use crate::books::row::{SaleRow, SaleState};
use crate::books::{Books, BooksError};
use crate::clock;
use crate::desk::Outage;
use crate::desk::offline::{Verdict, judge, offer};
use crate::record::{KEPT, Record, Sale};
pub(crate) use booked::place_of;
use booked::{insured, invoice_no, outcome, settled, unfit};
use line::Line;
use turns::Turns;

/// Most requests one sale may need in one go: query, reversal, new settlement.
const GO_STEPS_MAX: u32 = 4;
/// Persons whose sales are worked on at the same time: some wait for the disk while others' requests are on the way.
const PERSONS_AT_ONCE_MAX: usize = 64;
/// Requests about them that are on the way at the same time.
const REQUESTS_AT_ONCE_MAX: usize = 16;

/// The way to the agency and what is known of its condition.
pub struct Sync {
    books: Arc<Books>,
    client: Client,
    packs: Mutex<Arc<Packs>>,
    line: Line,
    /// The service for packs has troubles of its own: they stop no sale.
    goods_line: Line,
    people: Turns,
    on_the_way: Semaphore,
    /// Sales whose packs are being told of.
    uploading: Turns,
}

/// What one pass over the queue did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drained {
    /// Sales that reached a final state.
    pub finished: usize,
    /// Sales still waiting or unknown.
    pub left: usize,
    /// Messages about packs that the agency took or refused.
    pub uploaded: usize,
    /// Sales whose packs are still to be told of.
    pub uploads_left: usize,
}

impl Sync {
    /// A way to the agency over these books.
    #[must_use]
    pub fn new(books: Arc<Books>, client: Client, packs: Arc<Packs>) -> Sync {
        Sync {
            books,
            client,
            packs: Mutex::new(packs),
            line: Line::default(),
            goods_line: Line::default(),
            people: Turns::default(),
            on_the_way: Semaphore::new(REQUESTS_AT_ONCE_MAX),
            uploading: Turns::default(),
        }
    }

    /// Settles by other packs from now on.
    pub fn settle_by(&self, packs: Arc<Packs>) {
        *self.packs.lock().unwrap_or_else(PoisonError::into_inner) = packs;
    }

    /// What is settled by.
    #[must_use]
    pub fn packs(&self) -> Arc<Packs> {
        self.packs.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The client, for calls that move no money.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Since when and why the agency cannot be reached, if it cannot.
    #[must_use]
    pub fn outage(&self) -> Option<Outage> {
        self.line.outage()
    }

    /// Why the agency's service for packs does not answer, if it does not.
    #[must_use]
    pub fn goods_outage(&self) -> Option<Outage> {
        self.goods_line.outage()
    }

    /// False while the agency, or its service for packs, is left alone.
    #[must_use]
    pub fn may_tell_goods(&self) -> bool {
        self.may_try() && self.goods_line.may_try()
    }

    /// False while a pause after a failed attempt lasts.
    #[must_use]
    pub fn may_try(&self) -> bool {
        self.line.may_try()
    }

    /// Someone asks for it: no pause is kept.
    pub fn try_now(&self) {
        self.line.try_now();
        self.goods_line.try_now();
    }

    /// Takes note of what an answer says about the line.
    pub fn heard<T>(&self, answer: &Answer<T>) {
        match answer {
            Answer::Done(_) | Answer::Refused(_) => self.line.answered(),
            Answer::NotSent(cause) if unfit(cause) => {}
            Answer::NotSent(cause) | Answer::Unknown(cause) => self.line.failed(cause.code()),
        }
    }

    /// Journals a sale and tells it, then sends it, if it is to be sent and nothing else of the same person is open or
    /// on the way. Never waits for another sale.
    ///
    /// # Errors
    /// [`BooksError`] if the books cannot be written; a sale that was told is then unknown after a restart.
    pub async fn sell(
        &self,
        sale: Sale,
        send: bool,
        committed: impl FnOnce(&SaleRow),
    ) -> Result<SaleRow, BooksError> {
        let turn = if send {
            self.people.try_turn(&sale.claim.person.psn_no)
        } else {
            None
        };
        let sending = turn.is_some() && self.books.open_sales(&sale.claim.person.psn_no)?.is_empty();
        let record = Record::Sale {
            sale: Box::new(sale.clone()),
            sending,
        };
        let time_ms = clock::now_ms();
        let seq = self.book(record.into(), time_ms).await?;
        let row = SaleRow::new(sale, sending, seq, time_ms);
        committed(&row);
        if row.state != SaleState::Sending {
            return Ok(row);
        }
        let record = match self.settle(&row).await {
            Answer::NotSent(cause) if !unfit(&cause) => self.not_sent(&row, cause.code())?,
            answer => outcome(&row, answer),
        };
        self.write(record, row).await
    }

    /// Journals a sale that is made without the agency: within the pack's limits it waits; beyond them it is taken back,
    /// so that the client can take cash instead. The claim states the person's record.
    ///
    /// # Errors
    /// [`BooksError`] if the books cannot be written.
    pub fn sell_offline(&self, mut sale: Sale, cause: &str) -> Result<SaleRow, BooksError> {
        let now_ms = clock::now_ms();
        let outage = self.outage().unwrap_or_else(|| Outage {
            since_ms: now_ms,
            cause: cause.to_owned(),
        });
        let exposure = self.books.exposure(&sale.claim.person.psn_no)?;
        let offered = offer(
            &self.packs(),
            &mut sale,
            &KEPT,
            now_ms,
            &exposure,
            &outage,
            now_ms,
        );
        let record = Record::Sale {
            sale: Box::new(sale.clone()),
            sending: false,
        };
        let seq = self.books.append(&record, now_ms)?;
        let row = SaleRow::new(sale, false, seq, now_ms);
        let Err((code, limit)) = offered else {
            return Ok(row);
        };
        let taken_back = Record::NotSent {
            sale: row.sale.id.clone(),
            cause: outage.cause,
            offline: None,
            withdrawn: Some((code.to_owned(), limit)),
        };
        self.books.append(&taken_back, now_ms)?;
        Ok(row.after(&taken_back, now_ms))
    }

    /// A request that surely never left: the sale waits within the pack's limits, or is taken back.
    fn not_sent(&self, row: &SaleRow, cause: &str) -> Result<Record, BooksError> {
        let exposure = self.books.exposure(&row.sale.claim.person.psn_no)?;
        let now_ms = clock::now_ms();
        let outage = self.outage().unwrap_or(Outage {
            since_ms: now_ms,
            cause: cause.to_owned(),
        });
        // The agency answered about the person just before.
        let verdict = judge(&self.packs(), &row.sale, now_ms, &exposure, &outage, now_ms);
        let (offline, withdrawn) = match verdict {
            Verdict::Carry(terms) => (Some(terms), None),
            Verdict::SelfPay(code, limit) => (None, Some((code.to_owned(), limit))),
        };
        Ok(Record::NotSent {
            sale: row.sale.id.clone(),
            cause: cause.to_owned(),
            offline,
            withdrawn,
        })
    }

    /// Works on one sale, and first on those of the same person that were made before it. A sale that is on the way
    /// already is left alone.
    ///
    /// # Errors
    /// [`BooksError`] if the books cannot be read or written.
    pub async fn resolve(&self, id: &str) -> Result<SaleRow, BooksError> {
        let row = self.books.sale(id)?.ok_or(BooksError::NoSuchSale)?;
        let (moved, _unread) = mpsc::unbounded_channel();
        let psn_no = &row.sale.claim.person.psn_no;
        self.work_on(psn_no, None, Some(id), &moved).await?;
        self.books.sale(id)?.ok_or(BooksError::NoSuchSale)
    }

    /// A person's open sales, oldest first, until one stays open or `last` is reached. Nothing where the oldest is
    /// another than `first`.
    async fn work_on(
        &self,
        psn_no: &str,
        first: Option<&str>,
        last: Option<&str>,
        moved: &mpsc::UnboundedSender<SaleRow>,
    ) -> Result<(), BooksError> {
        let Some(_turn) = self.people.try_turn(psn_no) else {
            return Ok(());
        };
        let oldest = || Ok::<_, BooksError>(self.books.open_sales(psn_no)?.into_iter().next());
        let mut next = oldest()?;
        if first.is_some() && next.as_ref().map(|(_, id)| id.as_str()) != first {
            return Ok(());
        }
        while let Some((seq, id)) = next {
            // Of a drain, what has not begun when the agency falls silent waits as it is.
            if first.is_some() && !self.may_try() {
                break;
            }
            let row = self.advance(self.books.sale_at(seq)?).await?;
            let stays = !row.state.is_final();
            // Nobody listens any more: the pass was given up.
            drop(moved.send(row));
            if stays || last == Some(id.as_str()) {
                break;
            }
            next = oldest()?;
        }
        Ok(())
    }

    /// Works on one sale until it has a final state or the agency cannot say. The person's turn is the caller's.
    async fn advance(&self, mut row: SaleRow) -> Result<SaleRow, BooksError> {
        self.books.check_known()?;
        for _ in 0..GO_STEPS_MAX {
            if row.state.is_final() {
                return Ok(row);
            }
            row = if row.state == SaleState::Committed {
                self.attempt(row).await?
            } else {
                let _permit = self.on_the_way.acquire().await;
                match row.state {
                    SaleState::Reversing => Box::pin(self.reverse_again(row)).await?,
                    _ => Box::pin(self.find_out(row)).await?,
                }
            };
            if self.outage().is_some() {
                return Ok(row);
            }
        }
        Ok(row)
    }

    /// First journal that the request leaves, then let it.
    async fn attempt(&self, row: SaleRow) -> Result<SaleRow, BooksError> {
        let msgid = if row.msgid_spent {
            self.books.next_msgid()
        } else {
            row.msgid.clone()
        };
        let attempt = Record::Attempt {
            sale: row.sale.id.clone(),
            msgid,
        };
        let row = self.write(attempt, row).await?;
        let permit = self.on_the_way.acquire().await;
        self.books.check_known()?;
        // It may have stood in line while the agency fell silent: then it stays here, rather than become unknown too.
        let silent = self.outage().filter(|_| !self.may_try());
        let record = match silent {
            Some(outage) => Record::NotSent {
                sale: row.sale.id.clone(),
                cause: outage.cause,
                offline: None,
                withdrawn: None,
            },
            None => outcome(&row, self.settle(&row).await),
        };
        drop(permit);
        self.write(record, row).await
    }

    /// Cancels a settled sale for good.
    ///
    /// # Errors
    /// [`BooksError`] if the books cannot be read or written.
    pub async fn undo(&self, id: &str, operator: &str) -> Result<SaleRow, BooksError> {
        let row = self.books.sale(id)?.ok_or(BooksError::NoSuchSale)?;
        let _turn = self.people.turn(&row.sale.claim.person.psn_no).await;
        let row = self.books.sale(id)?.ok_or(BooksError::NoSuchSale)?;
        if row.state != SaleState::Settled {
            return self.advance(row).await;
        }
        let row = self.begin_reversal(row, operator.to_owned(), true).await?;
        self.cancel(row, true).await
    }

    /// Works on the queue, oldest first, on many persons' sales at a time. A sale that stays open holds up its own
    /// person's later sales, nobody else's. The queue is read as it is walked.
    ///
    /// # Errors
    /// [`BooksError`] if the books cannot be read or written.
    pub async fn drain(self: &Arc<Self>, mut moved: impl FnMut(&SaleRow)) -> Result<Drained, BooksError> {
        let (told, mut telling) = mpsc::unbounded_channel();
        let mut drained = Drained::default();
        let mut tell = |row: SaleRow| {
            moved(&row);
            drained.finished += usize::from(row.state.is_final());
        };
        let mut at_work = JoinSet::new();
        for sale in self.books.waiting_sales()? {
            let sale = sale?;
            // One answer that was lost stops nobody as long as others are answered; one asks whether a silent agency
            // answers again.
            while at_work.len() >= self.persons_at_once() || (!self.may_try() && !at_work.is_empty()) {
                tokio::select! {
                    biased;
                    Some(row) = telling.recv() => tell(row),
                    Some(done) = at_work.join_next() => finished(done)?,
                }
            }
            if !self.may_try() {
                break;
            }
            // A person's later sales are worked on behind the oldest: met here, they find another one the oldest.
            let (this, told) = (self.clone(), told.clone());
            at_work.spawn(async move { this.work_on(&sale.psn_no, Some(&sale.id), None, &told).await });
        }
        drop(told);
        while let Some(row) = telling.recv().await {
            tell(row);
        }
        while let Some(done) = at_work.join_next().await {
            finished(done)?;
        }
        drained.uploaded = self.upload().await?;
        self.client.close_abandoned().await;
        let waiting = self.books.waiting()?;
        (drained.left, drained.uploads_left) = (waiting.count, waiting.uploads);
        Ok(drained)
    }

    fn persons_at_once(&self) -> usize {
        match self.outage() {
            Some(_) => 1,
            None => PERSONS_AT_ONCE_MAX,
        }
    }

    async fn settle(&self, row: &SaleRow) -> Answer<SettledReply> {
        let request = SaleRequest {
            claim: row.sale.claim.clone(),
            credential: row.sale.credential.clone(),
            invono: invoice_no(row),
            traces: row.sale.traces.clone(),
        };
        let answer = Box::pin(self.client.settle(&row.msgid, &request)).await;
        self.heard(&answer);
        answer
    }

    /// Journals a record.
    async fn note(&self, record: Record) -> Result<(), BooksError> {
        self.book(record.into(), clock::now_ms()).await?;
        Ok(())
    }

    /// Journals a record about a sale and gives the sale as it stands then.
    async fn write(&self, record: Record, row: SaleRow) -> Result<SaleRow, BooksError> {
        let (record, time_ms) = (Arc::new(record), clock::now_ms());
        self.book(record.clone(), time_ms).await?;
        Ok(row.after(&record, time_ms))
    }

    /// Waits for the books without holding up other sales. Where there is only one thread, in a simulation, it is held
    /// up, so that time stands still meanwhile.
    async fn book(&self, record: Arc<Record>, time_ms: i64) -> Result<u64, BooksError> {
        if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
            let booked = self.books.append(&record, time_ms);
            tokio::task::yield_now().await;
            return booked;
        }
        let (tell, told) = oneshot::channel();
        self.books
            .enter(record, time_ms, move |booked| drop(tell.send(booked)))?;
        told.await.unwrap_or(Err(BooksError::Stalled))
    }
}

fn finished(done: Result<Result<(), BooksError>, tokio::task::JoinError>) -> Result<(), BooksError> {
    done.unwrap_or(Err(BooksError::Stalled))
}
