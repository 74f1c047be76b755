//! What the desk takes in and what it asks for: closed lists, so that every loop that drives it knows all of them.

use jiff::civil::Date;
use yijie_agency::{Answer, AuditFinding, Credential, DecodedPerson, PersonRecord, SettledReply};
use yijie_hardware::{IdReaderEvent, OnDisplay, ReaderEvent, ScannerEvent};
use yijie_rules::Lang;

use super::approval::Deed;
use super::day::Found;
use super::{Notice, Page, Setup, devices};
use crate::books::Standing;
use crate::books::look::JournalLine;
use crate::books::row::SaleRow;
use crate::operators::Operator;
use crate::record::{Agent, ClosedTotal, Closing, Record, Sale};

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
    /// An approval stands in the journal: what was asked for, and who approved.
    Allowed(Deed, String),
    /// What the till counts on a day, and what an earlier comparison found.
    DayRead(Date, Vec<ClosedTotal>, Option<Vec<ClosedTotal>>),
    /// A day was compared with the agency's.
    DayCompared(Date, Result<Box<Found>, Notice>),
    /// A month's clearing was applied for: the agency's numbers.
    ClearingApplied(Result<String, Notice>),
    /// Sales that were looked for.
    SalesFound(String, Vec<SaleRow>),
    /// What came of a cancellation.
    SaleReversed(Result<Box<SaleRow>, Notice>),
    /// A stretch of the journal, the latest entry first.
    JournalRead(Vec<JournalLine>),
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
    /// What the agency's rules find fault with in the bill that is asked about (3101, 3102); told before its figures.
    Audited(u32, Vec<AuditFinding>),
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
    /// Nobody may touch the till until the PIN is given again.
    Lock,
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
    /// Close the difference of the queue's row: the cash was moved, or the till bears it.
    CloseDifference {
        /// It was collected or paid back.
        cash_moved: bool,
    },
    /// Show name and number of the person in full.
    ShowPerson,
    /// Carry the fund's part although a limit of the pack says no.
    PassLimit,
    /// Look for sales.
    FindSales(String),
    /// A sale found was moved to.
    ChooseSale(usize),
    /// Print its receipt again.
    PrintAgain,
    /// Cancel it.
    Reverse,
    /// Another day on the day page.
    TurnDay(i32),
    /// Compare the day with the agency's.
    Compare,
    /// A row of the day page was moved to.
    ChooseRow(usize),
    /// Such a row is to be done, or not.
    MarkRow(usize),
    /// What is marked is to be done.
    ConfirmDay,
    /// Apply for the month's clearing.
    ApplyForClearing,
    /// Older entries of the journal, or back to its end.
    TurnLeaf {
        /// Older ones.
        older: bool,
    },
    /// An entry of the journal was moved to.
    ChooseEntry(usize),
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
        /// Whoever asks may approve it too.
        alone: bool,
        /// Operator number.
        id: String,
        /// PIN.
        pin: String,
    },
    /// Journal an approval, and only then tell that it is allowed.
    Allow {
        /// What is journalled.
        approval: Box<Record>,
        /// What was asked for.
        deed: Deed,
        /// Who approved.
        by: String,
    },
    /// Read what the till counts on a day.
    ReadDay(Date),
    /// 3201, and 3202 where it differs.
    Compare(Date),
    /// Do what is proposed about these rows, and compare again.
    Mend {
        /// The day.
        date: Date,
        /// Message ids of the rows.
        msgids: Vec<String>,
        /// Who confirmed.
        operator: String,
    },
    /// 3203 for the day's month.
    ApplyForClearing {
        /// The day.
        date: Date,
        /// Who confirmed.
        operator: String,
    },
    /// Close a sale's difference.
    CloseDifference {
        /// The sale.
        sale: String,
        /// How.
        closing: Closing,
        /// Who approved.
        operator: String,
    },
    /// Cancel a settled sale.
    Reverse {
        /// The sale.
        sale: String,
        /// Who asked for it.
        operator: String,
    },
    /// Look for sales in the books.
    FindSales(String),
    /// Read a stretch of the journal, the one before an entry or the last.
    ReadJournal {
        /// Entry it ends before.
        before: Option<u64>,
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
