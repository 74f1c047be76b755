//! The one loop: events in, `desk::step`, effects out. The window, the demo and the tests run the same one.

mod back_office;
mod paper;
pub mod renewal;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::Handle;
use yijie_agency::{Answer, AuditFinding, SaleRequest};

use crate::books::{Books, BooksError};

use crate::clock;
use crate::desk::devices::{Device, Told};
use crate::desk::{self, Effect, Event, Level, Notice, Setup, State};
use crate::operators::{self, Operator};
use crate::print::Printing;
use crate::reconcile;
use crate::record::{Record, Sale};
use crate::sync::Sync;
use crate::workbench::Workbench;
use renewal::Renewal;

/// How often time passes for the desk.
const TICK: Duration = Duration::from_secs(1);

/// What the loop works with.
#[derive(Clone)]
pub struct Runtime {
    /// The books.
    pub books: Arc<Books>,
    /// The way to the agency.
    pub sync: Arc<Sync>,
    /// Where network calls and flushes run.
    pub tasks: Handle,
    /// The way of receipts to paper.
    pub printing: Arc<Printing>,
    /// The devices it tries and shows things on.
    pub workbench: Arc<Workbench>,
    /// Where what came of an effect is told.
    pub events: Sender<Event>,
    /// One pass over the queue at a time.
    pub draining: Arc<AtomicBool>,
    /// Someone asked for another.
    pub drain_asked: Arc<AtomicBool>,
    /// Where new rule packs come from.
    pub renewal: Arc<Renewal>,
    /// The setup last told, for renewals.
    pub setup: Arc<Mutex<Setup>>,
}

/// Runs until every sender of events is gone, or `show` says to stop. `show` sees the state after each event.
pub fn run(
    runtime: &Runtime,
    state: &mut State,
    events: &Receiver<Event>,
    mut show: impl FnMut(&State) -> bool,
) {
    runtime.read_queue();
    runtime.print_waiting();
    if !show(state) {
        return;
    }
    loop {
        let event = match events.recv_timeout(TICK) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout) => {
                runtime.renew_packs();
                if runtime.printing.due(clock::now_ms()) {
                    runtime.print_waiting();
                }
                Event::Tick
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        for effect in desk::step(state, clock::now_ms(), event) {
            runtime.perform(effect);
        }
        if !show(state) {
            return;
        }
    }
}

impl Runtime {
    fn tell(&self, event: Event) {
        // A closed channel means the loop has ended.
        drop(self.events.send(event));
    }

    fn fault(&self, error: &BooksError) {
        self.tell(Event::Told(Notice::new(Level::Error, error.code())));
    }

    fn commit_failed(&self, code: &str) {
        self.tell(Event::CommitFailed {
            code: code.to_owned(),
        });
    }

    fn perform(&self, effect: Effect) {
        let this = self.clone();
        match effect {
            Effect::CheckPin { id, pin } => self.asking(async move {
                // Nobody sells on books that lack what the agency may hold.
                if let Err(error) = reconcile::caught_up(&this.books, &this.sync).await {
                    return Event::PinChecked(Err(back_office::notice_of(error)));
                }
                let checked = tokio::task::spawn_blocking(move || this.pin_checked(&id, &pin)).await;
                Event::PinChecked(checked.unwrap_or_else(|_| Err(Notice::new(Level::Error, "INTERNAL"))))
            }),
            Effect::CheckApproval {
                asked_by,
                alone,
                id,
                pin,
            } => self.blocking(move || {
                let second = alone || id != asked_by || !this.books.two_persons().unwrap_or(true);
                Event::ApprovalChecked(if second {
                    this.pin_checked(&id, &pin)
                } else {
                    Err(Notice::new(Level::Error, "TWO_PERSONS_NEEDED"))
                })
            }),
            Effect::Allow { approval, deed, by } => this.allow(*approval, deed, by),
            Effect::ReadDay(date) => this.read_day(date),
            Effect::Compare(date) => drop(self.tasks.spawn(this.compare(date))),
            Effect::Mend {
                date,
                msgids,
                operator,
            } => drop(self.tasks.spawn(this.mend(date, msgids, operator))),
            Effect::ApplyForClearing { date, operator } => {
                drop(self.tasks.spawn(this.apply_for_clearing(date, operator)));
            }
            Effect::CloseDifference {
                sale,
                closing,
                operator,
            } => this.close_difference(sale, closing, operator),
            Effect::Reverse { sale, operator } => drop(self.tasks.spawn(this.reverse(sale, operator))),
            Effect::FindSales(text) => this.find_sales(text),
            Effect::ReadJournal { before } => this.read_journal(before),
            Effect::SignIn(operator) => self.asking(async move {
                let who = yijie_agency::Operator {
                    id: operator.id,
                    name: operator.name,
                    kind: "1".to_owned(),
                };
                let answer = this.sync.client().sign_in(who, "", "127.0.0.1").await;
                this.sync.heard(&answer);
                if matches!(answer, Answer::Done(_)) {
                    this.renew_lost_cards().await;
                    this.fetch_packs().await;
                }
                Event::SignedIn(answer.map(|signed| signed.sign_no))
            }),
            Effect::SignOut(_) => {
                self.tasks
                    .spawn(async move { drop(this.sync.client().sign_out().await) });
            }
            Effect::Decode(code) => self.asking(async move {
                let answer = this.sync.client().decode_code(&code).await;
                this.sync.heard(&answer);
                Event::CodeDecoded(code, answer)
            }),
            Effect::AskPerson(credential) => self.asking(async move {
                let answer = this.sync.client().person(&credential).await;
                this.sync.heard(&answer);
                Event::PersonAnswered(credential, answer)
            }),
            Effect::FindSnapshot(credential) => self.blocking(move || {
                let found = this.books.person(credential.cert_no()).ok().flatten();
                Event::SnapshotFound(credential, found.map(|(at, person)| (at, Box::new(person))))
            }),
            Effect::PreSettle { question, sale } => self.asking(async move {
                let request = SaleRequest {
                    claim: sale.claim,
                    credential: sale.credential,
                    invono: String::new(),
                    traces: Vec::new(),
                };
                let client = this.sync.client();
                let (mut findings, answer) =
                    tokio::join!(client.audit(&request, None), client.presettle(&request));
                this.sync.heard(&answer);
                if let Answer::Done(trial) = &answer {
                    let more = client.audit(&request, Some(&trial.setlinfo)).await;
                    let new = |finding: &AuditFinding| !findings.contains(finding);
                    let more: Vec<_> = more.into_iter().filter(new).collect();
                    findings.extend(more);
                }
                if !findings.is_empty() {
                    this.tell(Event::Audited(question, findings));
                }
                Event::PreSettled(question, answer)
            }),
            Effect::Commit { sale, send } => {
                self.tasks.spawn(async move { this.commit(*sale, send).await });
            }
            Effect::Write(record) => {
                self.tasks.spawn_blocking(move || {
                    if let Err(error) = this.books.append(&record, clock::now_ms()) {
                        this.fault(&error);
                    }
                });
            }
            Effect::Print(row) => {
                self.tasks.spawn_blocking(move || this.want_print(&row));
            }
            Effect::Drain => {
                self.tasks.spawn(async move { this.drain().await });
            }
            Effect::Resolve(id) => {
                self.tasks.spawn(async move {
                    match this.sync.resolve(&id).await {
                        Ok(row) => this.tell(Event::SaleMoved(Box::new(row))),
                        Err(error) => this.fault(&error),
                    }
                    this.tell_line();
                    this.read_queue();
                });
            }
            Effect::LookAtDevices => {
                self.tasks.spawn_blocking(move || {
                    this.tell(Told::Looked(this.workbench.look(&this.printing)).into());
                    // What was wanted meanwhile.
                    this.print_waiting();
                });
            }
            Effect::TestDevice(Device::Agency) => {
                self.sync.try_now();
                self.asking(async move {
                    let tried = this.workbench.ask_agency(&this.sync).await;
                    this.tell_line();
                    Told::Tested(Device::Agency, tried).into()
                });
            }
            Effect::TestDevice(device) => {
                self.tasks.spawn_blocking(move || {
                    let tried = this.workbench.test(&device, &this.printing);
                    this.tell(Told::Tested(device, tried).into());
                    this.print_waiting();
                });
            }
            Effect::Display(shown) => self.workbench.show(shown),
            Effect::TryNow => {
                self.sync.try_now();
                self.drain_asked.store(true, Ordering::Release);
                self.tasks.spawn(async move {
                    this.renew_lost_cards().await;
                    this.tell_line();
                    this.drain().await;
                });
            }
            Effect::Probe => {
                if self.sync.may_try() {
                    self.tasks.spawn(async move {
                        this.renew_lost_cards().await;
                        this.tell_line();
                    });
                }
            }
        }
    }

    fn pin_checked(&self, id: &str, pin: &str) -> Result<Operator, Notice> {
        match operators::check(&self.books, id, pin, clock::now_ms()) {
            Ok(Ok(operator)) => Ok(operator),
            // At the window a number that nobody has is answered as a wrong PIN is.
            Ok(Err(refused)) if refused.code == "OPERATOR_UNKNOWN" => {
                Err(Notice::new(Level::Error, "PIN_NOT_RIGHT"))
            }
            Ok(Err(refused)) => {
                let until_ms = (refused.wait_s > 0).then(|| clock::now_ms() + refused.wait_s * 1000);
                Err(Notice {
                    until_ms,
                    ..Notice::new(Level::Error, refused.code)
                })
            }
            Err(error) => Err(Notice::new(Level::Error, error.code())),
        }
    }

    fn blocking(&self, work: impl FnOnce() -> Event + Send + 'static) {
        let this = self.clone();
        self.tasks.spawn_blocking(move || this.tell(work()));
    }

    fn asking(&self, call: impl Future<Output = Event> + Send + 'static) {
        let this = self.clone();
        self.tasks.spawn(async move { this.tell(call.await) });
    }

    fn tell_line(&self) {
        self.tell(Event::Line(match self.sync.outage() {
            None => Ok(()),
            Some(outage) => Err(outage.cause),
        }));
    }

    /// The lost-card list, which is also the cheapest question that shows whether the agency answers.
    async fn renew_lost_cards(&self) {
        let answer = self.sync.client().lost_cards().await;
        self.sync.heard(&answer);
        let Answer::Done(cards) = answer else { return };
        let card_sns: Vec<String> = cards.into_iter().map(|card| card.card_sn).collect();
        let renewed = {
            let mut setup = self
                .setup
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            if *setup.lost_cards == card_sns {
                return;
            }
            setup.lost_cards = Arc::new(card_sns.clone());
            setup.clone()
        };
        if let Err(error) = self
            .books
            .append(&Record::LostCards { card_sns }, clock::now_ms())
        {
            self.fault(&error);
        }
        self.tell(Event::SetupRead(renewed));
    }

    /// Journal first; only then the agency, and only if nothing of the same person is still open.
    async fn commit(&self, mut sale: Sale, send: bool) {
        for code in sale.traces.iter().filter(|code| !code.split) {
            match self.books.pack_sold(&code.code) {
                Ok(None) => {}
                Ok(Some(_)) => return self.commit_failed("TRACE_CODE_USED"),
                Err(error) => return self.commit_failed(error.code()),
            }
        }
        sale.msgid = self.books.next_msgid();
        sale.id = sale_id(&sale.msgid);
        let told = AtomicBool::new(false);
        let sold = self.sync.sell(sale, send, |row| {
            told.store(true, Ordering::Release);
            self.tell(Event::Committed(Box::new(row.clone())));
        });
        match sold.await {
            Ok(row) if row.history.len() > 1 => {
                self.tell(Event::SaleMoved(Box::new(row)));
                self.tell_line();
            }
            Ok(_) => {}
            Err(error) if told.load(Ordering::Acquire) => self.fault(&error),
            Err(error) => self.commit_failed(error.code()),
        }
        self.read_queue();
        if self.sync.may_try() {
            self.sync.client().close_abandoned().await;
        }
    }

    async fn drain(&self) {
        if self.draining.swap(true, Ordering::AcqRel) {
            return;
        }
        while self.sync.may_try() {
            self.drain_asked.store(false, Ordering::Release);
            self.tell(Event::Draining(true));
            let drained = self
                .sync
                .drain(|row| self.tell(Event::SaleMoved(Box::new(row.clone()))))
                .await;
            if let Err(error) = drained {
                self.fault(&error);
            }
            self.tell(Event::Draining(false));
            self.tell_line();
            self.read_queue();
            if !self.drain_asked.load(Ordering::Acquire) {
                break;
            }
            // Asked for while the pass was under way, which may have met the outage before.
            self.sync.try_now();
        }
        self.draining.store(false, Ordering::Release);
    }

    /// Tells the desk what the books hold open.
    fn read_queue(&self) {
        let this = self.clone();
        self.tasks
            .spawn_blocking(move || match this.books.standing(clock::today(clock::now_ms())) {
                Ok(standing) => this.tell(Event::QueueRead(Box::new(standing))),
                Err(error) => this.fault(&error),
            });
    }
}

/// Number of a sale made at the window, short enough to read out: day, time and serial of its message id.
fn sale_id(msgid: &str) -> String {
    let tail = msgid.len().saturating_sub(18);
    match (
        msgid.get(tail..tail + 8),
        msgid.get(tail + 8..tail + 14),
        msgid.get(tail + 14..),
    ) {
        (Some(day), Some(time), Some(serial)) => format!("{day}-{time}-{serial}"),
        _ => msgid.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_sale_number_is_the_tail_of_its_message_id() {
        assert_eq!(
            super::sale_id("H53010200001202611221126320005"),
            "20261122-112632-0005"
        );
    }
}
