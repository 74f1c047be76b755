//! The counter as a pure function: `(State, Event) -> Effects`. No IO, no clock, no thread; the window, the headless
//! commands and the simulation drive the same function.

pub mod bill;
pub mod customer;
pub mod devices;
pub mod offline;
pub mod patient;
pub mod pay;
pub mod verify;

use std::collections::BTreeMap;
use std::sync::Arc;

use yijie_agency::{Answer, Credential, DecodedPerson, PersonRecord, SettledReply};
use yijie_hardware::{IdReaderEvent, OnDisplay, ReaderEvent, ScannerEvent, SocialCard};
use yijie_rules::{Lang, Packs};

use crate::books::row::SaleRow;
use crate::books::{Findings, Standing};
use crate::catalogue::Catalogue;
use crate::config::Institution;
use crate::operators::{Operator, Role};
use crate::record::{Agent, Record, Sale};
use bill::Bill;
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
    /// What is plugged in, and how it is doing.
    Devices,
    /// Version and licences.
    About,
}

/// How much a notice matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// For information.
    Info,
    /// The cashier should know.
    Warning,
    /// It does not go on like this.
    Error,
}

/// Something to tell the cashier: a stable code, which [`crate::advice`] puts into words, and what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// How much it matters.
    pub level: Level,
    /// Stable code.
    pub code: String,
    /// What it is about, in no language or the agency's: an amount, a date, a name of goods.
    pub detail: String,
}

impl Notice {
    /// A notice without particulars.
    #[must_use]
    pub fn new(level: Level, code: &str) -> Notice {
        Notice {
            level,
            code: code.to_owned(),
            detail: String::new(),
        }
    }

    /// The same with particulars.
    #[must_use]
    pub fn about(mut self, detail: impl Into<String>) -> Notice {
        self.detail = detail.into();
        self
    }
}

/// How a device or line is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Health {
    /// Works.
    Ok,
    /// At work.
    Busy,
    /// Works, with something to look at.
    Warning,
    /// Does not work.
    Fault,
    /// Not fitted, or not asked yet.
    #[default]
    Off,
}

/// A device's condition with the stable code of what is wrong, blank if nothing is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Condition {
    /// How it is doing.
    pub health: Health,
    /// Stable code.
    pub code: String,
}

impl Condition {
    fn set(&mut self, health: Health, code: &str) {
        self.health = health;
        code.clone_into(&mut self.code);
    }
}

/// Since when and why the agency cannot be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// Since when.
    pub since_ms: i64,
    /// Stable code of the cause.
    pub cause: String,
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
    /// An id number typed as the last resort, waiting for a supervisor.
    pub awaiting_approval: Option<String>,
}

/// All that happens outside.
pub enum Event {
    /// Time passes; sent about once a second.
    Tick,
    /// Reader.
    Reader(ReaderEvent),
    /// Scanner.
    Scanner(ScannerEvent),
    /// Identity-card reader.
    IdReader(IdReaderEvent),
    /// Something the operator did.
    Key(Key),
    /// The PIN of a sign-in was checked: the operator, or why nobody is let in.
    PinChecked(Result<Operator, Notice>),
    /// The PIN of an approval was checked.
    ApprovalChecked(Result<Operator, Notice>),
    /// 9001 was answered.
    SignedIn(Answer<String>),
    /// The agency decoded this medical-insurance code.
    CodeDecoded(String, Answer<DecodedPerson>),
    /// The agency answered 1101 (for the credential asked).
    PersonAnswered(Credential, Answer<PersonRecord>),
    /// The books' last record of the person of a credential, and when it was taken.
    SnapshotFound(Credential, Option<(i64, Box<PersonRecord>)>),
    /// The agency answered 2101, to the question of this number.
    PreSettled(u32, Answer<SettledReply>),
    /// The sale stands in the journal.
    Committed(Box<SaleRow>),
    /// It does not: nothing was sold.
    CommitFailed {
        /// Stable code.
        code: String,
    },
    /// A sale got another state.
    SaleMoved(Box<SaleRow>),
    /// What the books hold open, after it changed.
    QueueRead(Box<Standing>),
    /// The line came up or went down, seen by any call.
    Line(Result<(), String>),
    /// Work on the queue began or ended.
    Draining(bool),
    /// The receipt was printed, or why not.
    Printed(Result<(), String>),
    /// How many receipts wait for the printer.
    PrintsWaiting(usize),
    /// The devices were looked at, tried or shown something.
    Devices(devices::Told),
    /// The price list, packs or lost cards were renewed.
    SetupRead(Setup),
    /// Something went wrong that the cashier should know.
    Told(Notice),
}

/// What an operator can do at the window.
#[derive(Debug, Clone)]
pub enum Key {
    /// Sign in.
    SignIn {
        /// Operator number.
        id: String,
        /// PIN.
        pin: String,
    },
    /// Sign out.
    SignOut,
    /// Change the language.
    Language(Lang),
    /// Another page.
    Go(Page),
    /// The entry field changed.
    Entry(String),
    /// The entry was confirmed.
    Accept(String),
    /// A suggestion was chosen.
    Pick(usize),
    /// A line was moved to.
    Select(usize),
    /// A benefit was chosen: position in the list of those the person may use.
    Benefit(usize),
    /// A line's quantity.
    Quantity(usize, String),
    /// A line goes.
    Remove(usize),
    /// Use the own account or not.
    ToggleAccount,
    /// Use family accounts or not.
    ToggleFamily,
    /// Put the bill aside.
    Hold,
    /// Take one up again: position in the list of held bills.
    Recall(usize),
    /// Give the bill up.
    Clear,
    /// Someone collects for the patient.
    Agent(Agent),
    /// The patient came after all.
    NoAgent,
    /// A supervisor approves what is asked.
    Approve {
        /// Operator number.
        id: String,
        /// PIN.
        pin: String,
    },
    /// Nobody approves.
    CancelApproval,
    /// To the money.
    Pay,
    /// Cash handed over, as typed.
    Tendered(String),
    /// The patient agrees to pay what the fund does not look at.
    Consent(bool),
    /// Commit the sale.
    Confirm,
    /// One step back.
    Back,
    /// Print the receipt (again).
    Print,
    /// The next patient.
    NextSale,
    /// Work on the queue now.
    Drain,
    /// A row of the queue page was moved to.
    ShowSale(usize),
    /// Find out about one sale of the queue.
    Resolve(usize),
    /// A row of the devices page was moved to.
    ShowDevice(usize),
    /// Try the device of that row.
    TestDevice(usize),
    /// The notice was read.
    Dismiss,
}

/// What the desk asks for.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Check a sign-in PIN.
    CheckPin {
        /// Operator number.
        id: String,
        /// PIN.
        pin: String,
    },
    /// Check a supervisor's PIN.
    CheckApproval {
        /// Who asks for the approval.
        asked_by: String,
        /// Operator number.
        id: String,
        /// PIN.
        pin: String,
    },
    /// 9001 for this operator.
    SignIn(Operator),
    /// 9002.
    SignOut(Operator),
    /// Decode a medical-insurance code.
    Decode(String),
    /// 1101.
    AskPerson(Credential),
    /// Look a person up in the books.
    FindSnapshot(Credential),
    /// 2101.
    PreSettle {
        /// Number of the question.
        question: u32,
        /// What is asked about.
        sale: Box<Sale>,
    },
    /// Journal the sale, then send it unless it is sold offline.
    Commit {
        /// The sale, its message id still blank.
        sale: Box<Sale>,
        /// Send at once.
        send: bool,
    },
    /// Journal something else.
    Write(Box<Record>),
    /// Print a receipt.
    Print(Box<SaleRow>),
    /// Work on the queue.
    Drain,
    /// Work on one sale.
    Resolve(String),
    /// Look at the devices that tell nothing by themselves.
    LookAtDevices,
    /// Try a device.
    TestDevice(devices::Device),
    /// Show this on the customer display.
    Display(OnDisplay),
    /// Ask whether the agency answers again, unless a pause lasts.
    Probe,
    /// Ask and work on the queue at once, whatever pause lasts.
    TryNow,
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
        self.page = Page::Counter;
    }
}

/// Takes one event in: changes the state and says what is to be done.
pub fn step(state: &mut State, now_ms: i64, event: Event) -> Vec<Effect> {
    state.now_ms = now_ms;
    let mut effects = take(state, event);
    effects.extend(devices::display(state));
    effects
}

fn take(state: &mut State, event: Event) -> Vec<Effect> {
    let now_ms = state.now_ms;
    match event {
        Event::Tick => tick(state),
        Event::Reader(event) => patient::reader(state, event),
        Event::Scanner(event) => patient::scanner(state, event),
        Event::IdReader(event) => patient::id_reader(state, event),
        Event::CodeDecoded(code, answer) => patient::decoded(state, &code, answer),
        Event::PersonAnswered(credential, answer) => patient::answered(state, &credential, answer),
        Event::SnapshotFound(credential, found) => patient::snapshot(state, &credential, found),
        Event::Key(key) => self::key(state, key),
        Event::PinChecked(operator) => pin_checked(state, operator),
        Event::ApprovalChecked(operator) => approval_checked(state, operator),
        Event::SignedIn(answer) => signed_in(state, answer),
        Event::PreSettled(question, answer) => pay::presettled(state, question, answer),
        Event::Committed(row) => pay::committed(state, *row),
        Event::CommitFailed { code } => pay::commit_failed(state, &code),
        Event::SaleMoved(row) => pay::moved(state, *row),
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
            state.drained_ms = now_ms;
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

fn key(state: &mut State, key: Key) -> Vec<Effect> {
    match key {
        Key::Language(lang) => {
            state.lang = lang;
            bill::resplit(state);
            return Vec::new();
        }
        Key::SignIn { id, pin } => {
            if state.operator.is_some() || state.signing_in {
                return Vec::new();
            }
            state.signing_in = true;
            state.sign_in_notice = None;
            return vec![Effect::CheckPin { id, pin }];
        }
        Key::Dismiss => {
            state.notice = None;
            return Vec::new();
        }
        Key::Go(Page::About) => {
            state.page = Page::About;
            return Vec::new();
        }
        // Nobody need sign in to see what is plugged in.
        Key::Go(Page::Devices) => return devices::open(state),
        Key::ShowDevice(row) => {
            state.devices.selected = row;
            return Vec::new();
        }
        Key::TestDevice(row) if state.page == Page::Devices => return devices::test(state, row),
        Key::TestDevice(_) => return Vec::new(),
        _ => {}
    }
    if state.operator.is_none() || state.signing_in {
        if matches!(key, Key::Go(_) | Key::Back) {
            state.page = Page::SignIn;
        }
        return Vec::new();
    }
    if state.pay.committing() && (changes_bill(&key) || matches!(key, Key::SignOut)) {
        return state.fail("SALE_UNDER_WAY");
    }
    if state.page != Page::Counter && changes_bill(&key) {
        return Vec::new();
    }
    match key {
        Key::SignOut => sign_out(state),
        Key::Go(page) => go(state, page),
        Key::Entry(text) => bill::entry(state, text),
        Key::Accept(text) => bill::accept(state, &text),
        Key::Pick(row) => bill::pick(state, row),
        Key::Select(row) => {
            state.bill.selected = row;
            Vec::new()
        }
        Key::Benefit(row) => bill::choose_benefit(state, row),
        Key::Quantity(row, quantity) => bill::quantity(state, row, &quantity),
        Key::Remove(row) => bill::remove(state, row),
        Key::ToggleAccount => {
            state.bill.account_off = !state.bill.account_off;
            bill::resplit(state);
            Vec::new()
        }
        Key::ToggleFamily => {
            state.bill.family_off = !state.bill.family_off;
            bill::resplit(state);
            Vec::new()
        }
        Key::Hold => bill::hold(state),
        Key::Recall(row) => bill::recall(state, row),
        Key::Clear => {
            state.next_patient();
            Vec::new()
        }
        Key::Agent(agent) => patient::agent(state, agent),
        Key::NoAgent => {
            state.bill.agent = None;
            Vec::new()
        }
        Key::Approve { id, pin } => {
            let asked_by = state.operator.as_ref().map(|o| o.id.clone()).unwrap_or_default();
            vec![Effect::CheckApproval { asked_by, id, pin }]
        }
        Key::CancelApproval => {
            state.awaiting_approval = None;
            state.sign_in_notice = None;
            Vec::new()
        }
        Key::Pay => pay::begin(state),
        Key::Tendered(text) => pay::tendered(state, text),
        Key::Consent(given) => {
            state.pay.consent_given = given;
            Vec::new()
        }
        Key::Confirm => pay::confirm(state),
        Key::Back if state.page == Page::Devices => go(state, Page::Counter),
        Key::Back => pay::back(state),
        Key::Print => match &state.receipt {
            Some(row) => {
                state.printer.set(Health::Busy, "");
                vec![Effect::Print(Box::new(row.clone()))]
            }
            None => Vec::new(),
        },
        Key::NextSale => {
            if state.page == Page::Receipt {
                state.next_patient();
            }
            Vec::new()
        }
        Key::Drain => vec![Effect::TryNow],
        Key::ShowSale(row) => {
            state.queue_selected = row;
            Vec::new()
        }
        Key::Resolve(row) => match state.queue_rows().nth(row) {
            Some(row) => vec![Effect::Resolve(row.sale.id.clone())],
            None => Vec::new(),
        },
        Key::Language(_) | Key::SignIn { .. } | Key::Dismiss | Key::ShowDevice(_) | Key::TestDevice(_) => {
            Vec::new()
        }
    }
}

/// What begins, changes or ends a bill: for the counter page only, where the bill is seen.
fn changes_bill(key: &Key) -> bool {
    matches!(
        key,
        Key::Accept(_)
            | Key::Pick(_)
            | Key::Benefit(_)
            | Key::Quantity(..)
            | Key::Remove(_)
            | Key::ToggleAccount
            | Key::ToggleFamily
            | Key::Hold
            | Key::Recall(_)
            | Key::Clear
            | Key::Agent(_)
            | Key::NoAgent
            | Key::Approve { .. }
            | Key::Pay
    )
}

fn go(state: &mut State, page: Page) -> Vec<Effect> {
    let tried = state.page == Page::Devices;
    match page {
        Page::Queue => state.page = Page::Queue,
        Page::Counter if state.pay.committing() => state.page = Page::Pay,
        Page::Counter if state.receipt.is_some() => state.page = Page::Receipt,
        Page::Counter => {
            state.pay = Pay::default();
            state.page = Page::Counter;
        }
        _ => {}
    }
    if tried { devices::leave(state) } else { Vec::new() }
}

fn pin_checked(state: &mut State, checked: Result<Operator, Notice>) -> Vec<Effect> {
    if !state.signing_in {
        return Vec::new();
    }
    let operator = match checked {
        Ok(operator) if operator.role != Role::Inspector => operator,
        other => {
            let notice = other.err();
            state.signing_in = false;
            state.sign_in_notice =
                Some(notice.unwrap_or_else(|| Notice::new(Level::Error, "INSPECTOR_SELLS_NOTHING")));
            return Vec::new();
        }
    };
    state.operator = Some(operator.clone());
    vec![Effect::SignIn(operator)]
}

fn signed_in(state: &mut State, answer: Answer<String>) -> Vec<Effect> {
    let (Some(operator), true) = (&state.operator, state.signing_in) else {
        return Vec::new();
    };
    let mut session = Record::Session {
        operator: operator.id.clone(),
        begins: true,
        sign_no: None,
    };
    state.signing_in = false;
    // What opening the books found waits to be read by whoever signs in first.
    let found = state.notice.take();
    state.next_patient();
    state.notice = found;
    match answer {
        Answer::Done(number) => {
            if let Record::Session { sign_no, .. } = &mut session {
                *sign_no = Some(number);
            }
            state.line_up();
        }
        Answer::Refused(refusal) => {
            state.operator = None;
            state.page = Page::SignIn;
            state.sign_in_notice = Some(Notice::new(Level::Error, "SIGN_IN_REFUSED").about(refusal.message));
            return Vec::new();
        }
        Answer::NotSent(cause) | Answer::Unknown(cause) => {
            state.line_down(cause.code());
            state.tell(Level::Warning, "SIGNED_IN_OFFLINE");
        }
    }
    let mut effects = vec![Effect::Write(Box::new(session))];
    if state.outage.is_none() {
        effects.push(Effect::Drain);
    }
    if let Some(card) = state.card_waiting.take() {
        effects.extend(patient::card_read(state, &card));
    }
    effects
}

fn sign_out(state: &mut State) -> Vec<Effect> {
    if state.receipt.is_none() && !state.bill.lines.is_empty() {
        return state.fail("BILL_OPEN");
    }
    state.next_patient();
    state.page = Page::SignIn;
    match state.operator.take() {
        Some(operator) => {
            let session = Record::Session {
                operator: operator.id.clone(),
                begins: false,
                sign_no: None,
            };
            vec![Effect::Write(Box::new(session)), Effect::SignOut(operator)]
        }
        None => Vec::new(),
    }
}

fn approval_checked(state: &mut State, checked: Result<Operator, Notice>) -> Vec<Effect> {
    match checked {
        Ok(operator) if operator.role == Role::Supervisor => {
            state.sign_in_notice = None;
            match state.awaiting_approval.take() {
                Some(_) if patient::mid_bill(state) => state.fail("OTHER_PERSON_MID_BILL"),
                Some(certno) => {
                    let approved = Record::Approved {
                        what: "id-number".to_owned(),
                        operator: state.operator.as_ref().map(|o| o.id.clone()).unwrap_or_default(),
                        by: operator.id,
                        about: certno.clone(),
                    };
                    let mut effects = vec![Effect::Write(Box::new(approved))];
                    effects.extend(patient::ask(state, Credential::IdNumber { certno }));
                    effects
                }
                None => Vec::new(),
            }
        }
        Ok(_) => {
            state.sign_in_notice = Some(Notice::new(Level::Error, "SUPERVISOR_NEEDED"));
            Vec::new()
        }
        Err(notice) => {
            state.sign_in_notice = Some(notice);
            Vec::new()
        }
    }
}
