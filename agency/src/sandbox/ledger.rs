//! The sandbox's ledger: append-only JSON lines, on disk before anything is answered, replayed at the start.

use std::{
    fmt,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, PoisonError},
};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use yijie_rules::{Accumulated, FamilyAccount, FundPay, LineCut, Money, OwnAccount, Person, SetlInfo};

use super::{book::Book, visit::Visit};

const FILE: &str = "ledger.jsonl";

/// One line of the ledger.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Entry {
    /// A person never seen before, taken over from a claim.
    Registered(Box<Registered>),
    /// 9001.
    SignedIn { sign_no: String, fixmedins_code: String },
    /// 9002.
    SignedOut { sign_no: String },
    /// 3506 of packs that were not sold: answered, and a late copy of it is answered the same.
    NotReturned { msgid: String },
    /// 2102, 2207, 2304.
    Settled(Box<Settled>),
    /// A hospital's visit as it stands now.
    Visit(Box<Visit>),
    /// 2202, 2404.
    VisitClosed { mdtrt_id: String },
    /// Trace codes of packs that were sold with a settlement, or came back.
    Goods {
        setl_id: String,
        codes: Vec<String>,
        returned: bool,
        /// Of 3505 or 3506; blank where the codes came with the settlement, and go with it.
        #[serde(default)]
        msgid: String,
    },
    /// 2103: a refund of its own day.
    Cancelled {
        msgid: String,
        cancel_setl_id: String,
        setl_id: String,
        time: String,
    },
    /// 2601 of a settlement or cancellation: it counts as never made.
    Reversed {
        msgid: String,
        omsgid: String,
        time: String,
    },
    /// 3203: the month's accounts are closed.
    ClearingApplied {
        clr_appy_evt_id: String,
        fixmedins_code: String,
        clr_type: String,
        setlym: String,
        time: String,
    },
    /// 3204: they are open again.
    ClearingWithdrawn { clr_appy_evt_id: String },
    /// 2601 of a msgid that never arrived: should it still arrive, it is refused.
    Tombstone {
        msgid: String,
        omsgid: String,
        psn_no: String,
        time: String,
    },
}

/// A person's opening state.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Registered {
    pub(crate) person: Person,
    pub(crate) own: Option<OwnAccount>,
    pub(crate) family: Vec<FamilyAccount>,
    pub(crate) accumulated: Vec<Accumulated>,
    /// The year the accumulated rows belong to.
    pub(crate) year: i16,
}

/// A settlement and all that follows from it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Settled {
    /// The national number of the transaction that settled.
    #[serde(default = "in_one_call")]
    pub(crate) infno: String,
    pub(crate) setl_id: String,
    pub(crate) mdtrt_id: String,
    pub(crate) msgid: String,
    pub(crate) fixmedins_code: String,
    pub(crate) psn_no: String,
    pub(crate) insutype: String,
    pub(crate) med_type: String,
    pub(crate) clr_type: String,
    pub(crate) clr_optins: String,
    pub(crate) setl_time: String,
    /// The year whose accumulators it uses.
    pub(crate) year: i16,
    pub(crate) setlinfo: SetlInfo,
    pub(crate) setldetail: Vec<FundPay>,
    pub(crate) detlcutinfo: Vec<LineCut>,
    /// What it added to each pool.
    pub(crate) used: Vec<Accumulated>,
    /// What it took from whose account.
    pub(crate) debits: Vec<Debit>,
    pub(crate) accumulated_after: Vec<Accumulated>,
}

fn in_one_call() -> String {
    "2102".to_owned()
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Debit {
    pub(crate) psn_no: String,
    pub(crate) amount: Money,
}

impl Settled {
    pub(crate) fn day(&self) -> Option<Date> {
        self.setl_time.get(..10)?.parse().ok()
    }
}

/// Whether a settlement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SettlementState {
    /// It stands.
    Settled,
    /// It was cancelled (2103) or reversed (2601).
    Reversed,
}

/// A settlement as the sandbox holds it, for comparison with a terminal's journal. `Debug` shows no person.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct LedgerRow {
    /// Settlement number.
    pub setl_id: String,
    /// Visit number.
    pub mdtrt_id: String,
    /// The terminal's message id.
    pub msgid: String,
    /// Person number.
    pub psn_no: String,
    /// Insurance type.
    pub insutype: String,
    /// Kind of care.
    pub med_type: String,
    /// Settlement category.
    pub clr_type: String,
    /// Settling agency.
    pub clr_optins: String,
    /// Time of the settlement at the agency.
    pub setl_time: String,
    /// Total.
    pub medfee_sumamt: Money,
    /// Funds.
    pub fund_pay_sumamt: Money,
    /// Own account.
    pub acct_pay: Money,
    /// Family accounts.
    pub acct_mulaid_pay: Money,
    /// Cash.
    pub psn_cash_pay: Money,
    /// Whether it stands.
    pub state: SettlementState,
}

impl fmt::Debug for LedgerRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LedgerRow")
            .field("setl_id", &self.setl_id)
            .field("msgid", &self.msgid)
            .field("medfee_sumamt", &self.medfee_sumamt)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// A ledger that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file can't be read or written.
    #[error("the ledger {file} can't be read or written")]
    Io {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line that is not the last one is damaged.
    #[error("line {line} of the ledger {file} is damaged")]
    Damaged {
        /// Which file.
        file: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
    /// Another sandbox works on it.
    #[error("another sandbox works on the ledger {file}")]
    InUse {
        /// Which.
        file: PathBuf,
    },
}

impl LedgerError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            LedgerError::Io { .. } => "LEDGER_UNREADABLE",
            LedgerError::Damaged { .. } => "LEDGER_DAMAGED",
            LedgerError::InUse { .. } => "LEDGER_IN_USE",
        }
    }
}

/// What the sandbox under `data` holds, oldest first; may be called while it runs. A last line that is still being
/// written is not counted.
pub fn read_ledger(data: &Path) -> Result<Vec<LedgerRow>, LedgerError> {
    let file = data.join(FILE);
    let text = match fs::read(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(LedgerError::Io { file, source }),
    };
    let mut book = Book::default();
    for entry in parse(&file, &text)?.0 {
        book.apply(&entry);
    }
    Ok(book.ledger_rows())
}

/// The ledger, open for appending.
#[derive(Debug)]
pub(crate) struct Ledger {
    path: PathBuf,
    file: File,
    flush: Arc<Flush>,
}

/// Flushes of the ledger, shared by whoever waits for one.
#[derive(Debug)]
struct Flush {
    path: PathBuf,
    /// A handle of its own: the ledger's lock goes with the other one.
    file: File,
    state: Mutex<FlushState>,
    flushed: Condvar,
}

#[derive(Debug, Default)]
struct FlushState {
    written: u64,
    flushed: u64,
    flushing: bool,
    broken: bool,
}

/// How far the ledger went at a moment.
pub(crate) struct Written {
    flush: Arc<Flush>,
    upto: u64,
}

impl Written {
    /// Waits until that much is on disk. Whoever comes while a flush runs shares the next one.
    pub(crate) fn flushed(&self) -> Result<(), LedgerError> {
        let flush = &self.flush;
        let mut state = flush.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if state.flushed >= self.upto {
                return Ok(());
            }
            if state.broken {
                return Err(LedgerError::Io {
                    file: flush.path.clone(),
                    source: io::Error::other("an earlier flush failed"),
                });
            }
            if state.flushing {
                state = flush.flushed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            state.flushing = true;
            let target = state.written;
            drop(state);
            let done = flush.file.sync_data();
            state = flush.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.flushing = false;
            match done {
                Ok(()) => state.flushed = target,
                Err(_) => state.broken = true,
            }
            flush.flushed.notify_all();
        }
    }
}

impl Ledger {
    /// Opens or begins the ledger, cuts off a torn last line, and hands over what it holds.
    pub(crate) fn open(data: &Path) -> Result<(Ledger, Vec<Entry>), LedgerError> {
        let path = data.join(FILE);
        let failed = |source| LedgerError::Io {
            file: path.clone(),
            source,
        };
        let file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LedgerError::InUse { file: path }),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let text = fs::read(&path).map_err(failed)?;
        let (entries, whole) = parse(&path, &text)?;
        if whole < text.len() {
            tracing::warn!(
                bytes = text.len() - whole,
                "the ledger's last line was torn and is cut off"
            );
            file.set_len(u64::try_from(whole).unwrap_or(u64::MAX))
                .map_err(failed)?;
        }
        file.sync_all().map_err(failed)?;
        let flush = Arc::new(Flush {
            file: OpenOptions::new().append(true).open(&path).map_err(failed)?,
            path: path.clone(),
            state: Mutex::default(),
            flushed: Condvar::new(),
        });
        Ok((Ledger { path, file, flush }, entries))
    }

    /// Writes entries. They are on disk once [`Written::flushed`] says so.
    pub(crate) fn append(&mut self, entries: &[Entry]) -> Result<(), LedgerError> {
        let failed = |source| LedgerError::Io {
            file: self.path.clone(),
            source,
        };
        let mut state = self.flush.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.broken {
            return Err(failed(io::Error::other("an earlier flush failed")));
        }
        let mut lines = Vec::new();
        for entry in entries {
            serde_json::to_writer(&mut lines, entry).map_err(|error| failed(error.into()))?;
            lines.push(b'\n');
        }
        let before = self.file.metadata().map_err(failed)?.len();
        let written = self.file.write_all(&lines);
        if written.is_err() {
            // Half a line must not be continued by the next one.
            self.file.set_len(before).map_err(failed)?;
        }
        written.map_err(failed)?;
        state.written += 1;
        Ok(())
    }

    /// How far it goes now.
    pub(crate) fn written(&self) -> Written {
        let state = self.flush.state.lock().unwrap_or_else(PoisonError::into_inner);
        Written {
            flush: Arc::clone(&self.flush),
            upto: state.written,
        }
    }
}

/// The entries of all whole lines, and how many bytes these are.
fn parse(file: &Path, text: &[u8]) -> Result<(Vec<Entry>, usize), LedgerError> {
    let whole = text
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |last| last + 1);
    let lines = text
        .get(..whole)
        .unwrap_or_default()
        .split(|byte| *byte == b'\n')
        .enumerate();
    let entries = lines.filter(|(_, line)| !line.is_empty()).map(|(nth, line)| {
        serde_json::from_slice(line).map_err(|source| LedgerError::Damaged {
            file: file.to_owned(),
            line: nth + 1,
            source,
        })
    });
    Ok((entries.collect::<Result<_, _>>()?, whole))
}
