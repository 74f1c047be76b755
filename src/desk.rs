//! The counter as a pure function: `(State, Event) -> Effects`. No IO, no clock, no thread; the window, the headless
//! commands and the simulation drive the same function.

pub mod approval;
pub mod bill;
pub mod customer;
pub mod day;
pub mod devices;
mod event;
mod keys;
pub mod lookup;
mod notice;
pub mod offline;
pub mod patient;
pub mod pay;
mod session;
pub mod verify;

use std::collections::BTreeMap;
use std::sync::Arc;

use yijie_hardware::SocialCard;
use yijie_rules::{Lang, Pack, Packs};

use crate::books::row::SaleRow;
use crate::books::{Findings, Standing};
use crate::catalogue::Catalogue;
use crate::config::Institution;
use crate::operators::{Operator, Role};
use approval::Deed;
use bill::Bill;
use day::Day;
pub use event::{Effect, Event, Key};
use lookup::{Leaf, Lookup};
pub use notice::{Condition, Health, Level, Notice, Outage};
use offline::Exposure;
use patient::Patient;
use pay::Pay;

/// Pause between two passes over a queue that stays open although the agency answers.
const DRAIN_PAUSE_MS: i64 = 10_000;

/// Page of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// Sign in.
    SignIn,
    /// Person, lines, amounts.
    Counter,
    /// Taking the money.
    Pay,
    /// What was printed.
    Receipt,
    /// What has not reached the agency.
    Queue,
    /// Sales of the last days.
    Sales,
    /// The day against the agency's.
    Day,
    /// The journal.
    Journal,
    /// What is plugged in, and how it is doing.
    Devices,
    /// Version and licences.
    About,
}

/// What does not change while the till runs, or only as a whole.
#[derive(Clone)]
pub struct Setup {
    /// The institution.
    pub institution: Institution,
    /// Rule packs in force.
    pub packs: Arc<Packs>,
    /// Since when this till has each of them, by id.
    pub packs_since: Arc<BTreeMap<String, i64>>,
    /// Price list.
    pub catalogue: Arc<Catalogue>,
    /// Identification codes of lost cards.
    pub lost_cards: Arc<Vec<String>>,
}

/// Everything the counter knows.
pub struct State {
    /// Institution, packs, price list.
    pub setup: Setup,
    /// Wall clock, as of the last event.
    pub now_ms: i64,
    /// Language of the screen.
    pub lang: Lang,
    /// Page shown.
    pub page: Page,
    /// Who works here.
    pub operator: Option<Operator>,
    /// A sign-in is being checked.
    pub signing_in: bool,
    /// What was wrong with the last sign-in or approval.
    pub sign_in_notice: Option<Notice>,
    /// Reader.
    pub reader: Condition,
    /// A card that was put in before anyone signed in: its sale starts with the sign-in.
    pub card_waiting: Option<Box<SocialCard>>,
    /// Scanner.
    pub scanner: Condition,
    /// Printer.
    pub printer: Condition,
    /// How many receipts wait for it.
    pub prints_waiting: usize,
    /// The devices beyond these, and their tests.
    pub devices: devices::Devices,
    /// Absent while the agency answers.
    pub outage: Option<Outage>,
    /// False until the agency answered or failed to once.
    pub agency_asked: bool,
    /// Sales that are open, settled today or settled with a difference.
    pub standing: Standing,
    /// Row of the queue page moved to.
    pub queue_selected: usize,
    /// The queue is being worked on.
    pub draining: bool,
    /// When that ended last.
    pub drained_ms: i64,
    /// Fund money promised without network so far.
    pub exposure: Exposure,
    /// Who is served.
    pub patient: Patient,
    /// What is being bought.
    pub bill: Bill,
    /// Bills put aside.
    pub held: Vec<(u32, bill::HeldBill)>,
    /// Text in the entry field.
    pub entry: String,
    /// How often the desk emptied the entry field.
    pub entry_cleared: u32,
    /// Items that fit it: positions in the price list.
    pub suggestions: Vec<usize>,
    /// What to tell.
    pub notice: Option<Notice>,
    /// Taking the money.
    pub pay: Pay,
    /// Number of the latest 2101: an answer to an earlier one is about another bill.
    pub question: u32,
    /// The sale on the receipt page.
    pub receipt: Option<SaleRow>,
    /// What waits for a supervisor's word.
    pub awaiting_approval: Option<Deed>,
    /// Names and numbers are shown in full until then.
    pub shown_until_ms: i64,
    /// The till is locked; the page that comes back.
    pub locked: Option<Page>,
    /// When anything was done here last.
    pub touched_ms: i64,
    /// Sales looked up.
    pub lookup: Lookup,
    /// The day close.
    pub day: Day,
    /// The journal's leaf.
    pub journal: Leaf,
}

impl State {
    /// A till just started, nobody signed in.
    #[must_use]
    pub fn new(setup: Setup, now_ms: i64, lang: Lang) -> State {
        State {
            setup,
            now_ms,
            lang,
            page: Page::SignIn,
            operator: None,
            signing_in: false,
            sign_in_notice: None,
            reader: Condition::default(),
            card_waiting: None,
            scanner: Condition::default(),
            printer: Condition::default(),
            prints_waiting: 0,
            devices: devices::Devices::default(),
            outage: None,
            agency_asked: false,
            standing: Standing::default(),
            queue_selected: 0,
            draining: false,
            drained_ms: 0,
            exposure: Exposure::default(),
            patient: Patient::None,
            bill: Bill::default(),
            held: Vec::new(),
            entry: String::new(),
            entry_cleared: 0,
            suggestions: Vec::new(),
            notice: None,
            pay: Pay::default(),
            question: 0,
            receipt: None,
            awaiting_approval: None,
            shown_until_ms: 0,
            locked: None,
            touched_ms: now_ms,
            lookup: Lookup::default(),
            day: Day::default(),
            journal: Leaf::default(),
        }
    }

    /// Rows of the queue page: open sales, then differences.
    pub fn queue_rows(&self) -> impl Iterator<Item = &SaleRow> {
        self.standing.queue.iter().chain(&self.standing.differences)
    }

    /// What opening the books found is told first.
    pub fn note_findings(&mut self, findings: &Findings) {
        if let Some(name) = findings.settings_changed.first() {
            self.notice = Some(Notice::new(Level::Warning, "SETTINGS_CHANGED").about(name));
        }
        if let Some(code) = findings.clock {
            self.tell(Level::Warning, code);
        }
        if findings.store_rebuilt.is_some() {
            self.tell(Level::Warning, "STORE_REBUILT");
        }
        if findings.torn_tail.is_some() {
            self.tell(Level::Warning, "TORN_TAIL_CUT");
        }
    }

    /// Pack of the till's own area.
    #[must_use]
    pub fn area_pack(&self) -> Option<&Pack> {
        let area = &self.setup.institution.area;
        self.setup.packs.iter().find(|pack| pack.area() == area)
    }

    /// Phone for complaints that the insured must be able to see here; blank where no rule asks for it.
    #[must_use]
    pub fn complaints_phone(&self) -> &str {
        self.area_pack().map_or("", Pack::complaints_phone)
    }

    /// Somebody who sells is at work here.
    #[must_use]
    pub fn sells(&self) -> bool {
        let sells = self
            .operator
            .as_ref()
            .is_some_and(|own| own.role != Role::Inspector);
        sells && !self.signing_in && self.locked.is_none()
    }

    /// Whoever is signed in may read the journal.
    #[must_use]
    pub fn inspects(&self) -> bool {
        self.operator
            .as_ref()
            .is_some_and(|own| own.role != Role::Cashier)
    }

    /// Names and numbers may be read in full now.
    #[must_use]
    pub fn shows_persons(&self) -> bool {
        self.now_ms < self.shown_until_ms
    }

    /// Lines stand on the bill that are not paid.
    fn bill_open(&self) -> bool {
        self.receipt.is_none() && !self.bill.lines.is_empty()
    }

    fn tell(&mut self, level: Level, code: &str) {
        self.notice = Some(Notice::new(level, code));
    }

    /// What was told about a device no longer holds.
    fn mended(&mut self, codes: &[&str]) {
        let told = self.notice.as_ref().map(|notice| notice.code.as_str());
        if told.is_some_and(|told| codes.contains(&told)) {
            self.notice = None;
        }
    }

    fn fail(&mut self, code: &str) -> Vec<Effect> {
        self.tell(Level::Error, code);
        Vec::new()
    }

    /// The line is down: remember since when, keep the first cause.
    fn line_down(&mut self, cause: &str) {
        self.agency_asked = true;
        if self.outage.is_none() {
            self.outage = Some(Outage {
                since_ms: self.now_ms,
                cause: cause.to_owned(),
            });
        }
    }

    fn line_up(&mut self) {
        self.agency_asked = true;
        self.outage = None;
    }

    /// The entry was taken: the window's field has emptied itself, and what is typed into it next must stand.
    fn entry_taken(&mut self) {
        self.entry.clear();
        self.suggestions.clear();
    }

    /// The counter as before the patient came.
    fn next_patient(&mut self) {
        self.patient = Patient::None;
        self.bill = Bill::default();
        self.pay = Pay::default();
        self.receipt = None;
        self.notice = None;
        self.entry_taken();
        self.entry_cleared = self.entry_cleared.wrapping_add(1);
        self.awaiting_approval = None;
        self.sign_in_notice = None;
        self.shown_until_ms = 0;
        self.page = Page::Counter;
    }
}

/// Takes one event in: changes the state and says what is to be done.
pub fn step(state: &mut State, now_ms: i64, event: Event) -> Vec<Effect> {
    state.now_ms = now_ms;
    if matches!(
        event,
        Event::Key(_) | Event::Reader(_) | Event::Scanner(_) | Event::IdReader(_)
    ) {
        state.touched_ms = now_ms;
    }
    let mut effects = take(state, event);
    // Whatever happens at a locked till, its pages stay covered.
    if state.locked.is_some() && state.page != Page::SignIn {
        state.locked = Some(state.page);
        state.page = Page::SignIn;
    }
    effects.extend(devices::display(state));
    effects
}

fn take(state: &mut State, event: Event) -> Vec<Effect> {
    match event {
        Event::Tick => tick(state),
        Event::Reader(event) => patient::reader(state, event),
        Event::Scanner(event) => patient::scanner(state, event),
        Event::IdReader(event) => patient::id_reader(state, event),
        Event::CodeDecoded(code, answer) => patient::decoded(state, &code, answer),
        Event::PersonAnswered(credential, answer) => patient::answered(state, &credential, answer),
        Event::SnapshotFound(credential, found) => patient::snapshot(state, &credential, found),
        Event::Key(key) => keys::pressed(state, key),
        Event::PinChecked(operator) => session::pin_checked(state, operator),
        Event::ApprovalChecked(operator) => approval::checked(state, operator),
        Event::Allowed(deed, by) => approval::allowed(state, deed, by),
        Event::DayRead(date, own, earlier) => day::read(state, date, own, earlier),
        Event::DayCompared(date, outcome) => day::compared(state, date, outcome),
        Event::ClearingApplied(outcome) => day::applied(state, outcome),
        Event::SalesFound(text, rows) => lookup::found(state, &text, rows),
        Event::SaleReversed(outcome) => lookup::reversed(state, outcome),
        Event::JournalRead(lines) => lookup::leaf_read(state, lines),
        Event::SignedIn(answer) => session::signed_in(state, answer),
        Event::PreSettled(question, answer) => pay::presettled(state, question, answer),
        Event::Audited(question, findings) => pay::audited(state, question, findings),
        Event::Committed(row) => pay::committed(state, *row),
        Event::CommitFailed { code } => pay::commit_failed(state, &code),
        Event::SaleMoved(row) => {
            lookup::moved(state, &row);
            pay::moved(state, *row)
        }
        Event::QueueRead(standing) => {
            state.exposure = standing.exposure.clone();
            state.standing = *standing;
            Vec::new()
        }
        Event::Line(Ok(())) => {
            let back = state.outage.is_some();
            state.line_up();
            if back { vec![Effect::Drain] } else { Vec::new() }
        }
        Event::Line(Err(cause)) => {
            state.line_down(&cause);
            Vec::new()
        }
        Event::Draining(on) => {
            state.draining = on;
            state.drained_ms = state.now_ms;
            Vec::new()
        }
        Event::Printed(result) => {
            printed(state, result);
            Vec::new()
        }
        Event::PrintsWaiting(waiting) => {
            state.prints_waiting = waiting;
            Vec::new()
        }
        Event::Devices(told) => devices::told(state, told),
        Event::SetupRead(setup) => {
            state.setup = setup;
            bill::resplit(state);
            Vec::new()
        }
        Event::Told(notice) => {
            state.notice = Some(notice);
            Vec::new()
        }
    }
}

/// What fails again by itself is not told again.
fn printed(state: &mut State, result: Result<(), String>) {
    match result {
        Ok(()) => {
            let told = state.printer.code.clone();
            state.mended(&[told.as_str()]);
            state.printer.set(Health::Ok, "");
        }
        Err(code) => {
            let news = state.printer.code != code;
            state.printer.set(Health::Fault, &code);
            if news && state.notice.is_none() {
                state.tell(Level::Warning, &code);
            }
        }
    }
}

/// Time passes: what waits is tried again; how often is the way's own patience.
fn tick(state: &mut State) -> Vec<Effect> {
    if session::idle(state) {
        session::lock(state);
    }
    let mut effects = devices::tick(state);
    effects.extend(retry(state));
    effects
}

fn retry(state: &State) -> Vec<Effect> {
    let waiting = &state.standing.waiting;
    match (
        &state.operator,
        &state.outage,
        waiting.count + waiting.uploads == 0,
    ) {
        (Some(_), Some(_), _) => vec![Effect::Probe],
        (Some(_), None, false) if !state.draining && state.now_ms - state.drained_ms >= DRAIN_PAUSE_MS => {
            vec![Effect::Drain]
        }
        _ => Vec::new(),
    }
}
