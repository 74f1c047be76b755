//! The way between till and agency, on which everything that can go wrong does: messages are lost, late, doubled, torn,
//! answered by a gateway; the agency goes away and comes back with what its ledger holds.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use yijie_agency::{
    Carried, Carrier, Cause, LedgerRow, LocalAgency, Profile, SandboxError, SandboxSettings, TraceCodes,
};

/// How long the till waits for an answer.
pub(super) const ANSWER_WAIT: Duration = Duration::from_secs(20);
/// The latest that a message on its way arrives.
const LATEST_MS: u64 = 90_000;

/// The network and the agency at its end. Clones are the same.
#[derive(Clone)]
pub(super) struct Net(Arc<Mutex<Inner>>);

struct Inner {
    agency: Option<Arc<LocalAgency>>,
    settings: SandboxSettings,
    dice: fastrand::Rng,
    /// Of a hundred messages so many meet something.
    faults: u32,
}

/// What happens to one message.
enum Fate {
    Fine,
    NeverLeaves,
    RequestLost,
    RequestLate(Duration),
    AnswerLost,
    Reset { done: bool },
    Doubled { second_answers: bool },
    DoubledLate(Duration),
    Gateway { done: bool },
    Html { done: bool },
    Torn,
    SystemError { done: bool },
}

impl Net {
    pub(super) fn new(data: PathBuf, dice: fastrand::Rng, profile: Profile) -> Result<Net, SandboxError> {
        let settings = SandboxSettings {
            listen: std::net::SocketAddr::from(([127, 0, 0, 1], 0)),
            data,
            profile,
            persons: None,
            any_person: true,
            faults: None,
        };
        let net = Net(Arc::new(Mutex::new(Inner {
            agency: None,
            settings,
            dice,
            faults: 0,
        })));
        net.agency_up()?;
        Ok(net)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets how many of a hundred messages meet something.
    pub(super) fn faults(&self, of_hundred: u32) {
        self.lock().faults = of_hundred;
    }

    /// The agency's process ends; what it has answered is in its ledger.
    pub(super) fn agency_down(&self) {
        self.lock().agency = None;
    }

    /// It starts again on that ledger.
    pub(super) fn agency_up(&self) -> Result<(), SandboxError> {
        let mut inner = self.lock();
        if inner.agency.is_none() {
            inner.agency = Some(Arc::new(LocalAgency::open(inner.settings.clone())?));
        }
        Ok(())
    }

    /// What the agency holds; nothing while it is down.
    pub(super) fn ledger(&self) -> Option<Vec<LedgerRow>> {
        let agency = self.lock().agency.clone();
        agency.map(|agency| agency.ledger())
    }

    /// The packs that count as sold there, with the settlement of each; nothing while it is down.
    pub(super) fn packs_sold(&self) -> Option<BTreeMap<String, String>> {
        let agency = self.lock().agency.clone();
        agency.map(|agency| agency.packs_sold())
    }

    /// The profile both sides speak.
    pub(super) fn profile(&self) -> Profile {
        self.lock().settings.profile.clone()
    }

    fn deliver(&self, path: &str, body: &[u8]) -> Carried {
        let agency = self.lock().agency.clone();
        match agency.map(|agency| agency.deliver(path, body)) {
            None => Carried::Unknown(Cause::Reset),
            Some(None) => Carried::Unknown(Cause::HttpStatus { status: 404 }),
            Some(Some(answer)) => Carried::Body(answer),
        }
    }

    /// Delivers it after a while, whoever still waits.
    fn deliver_late(&self, path: &str, body: &[u8], after: Duration) {
        let (this, path, body) = (self.clone(), path.to_owned(), body.to_vec());
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            this.deliver(&path, &body);
        });
    }

    fn fate(&self) -> (Duration, Fate) {
        let mut inner = self.lock();
        let (faults, up) = (inner.faults, inner.agency.is_some());
        let dice = &mut inner.dice;
        let latency = Duration::from_millis(dice.u64(1..200));
        if !up {
            let fate = if dice.u8(..4) == 0 {
                Fate::RequestLost
            } else {
                Fate::NeverLeaves
            };
            return (latency, fate);
        }
        if dice.u32(..100) >= faults {
            return (latency, Fate::Fine);
        }
        let late = Duration::from_millis(dice.u64(1..LATEST_MS));
        let done = dice.bool();
        let fate = match dice.u8(..12) {
            0 => Fate::NeverLeaves,
            1 => Fate::RequestLost,
            2 | 3 => Fate::RequestLate(late),
            4 => Fate::AnswerLost,
            5 => Fate::Reset { done },
            6 => Fate::Doubled { second_answers: done },
            7 => Fate::DoubledLate(late),
            8 => Fate::Gateway { done },
            9 => Fate::Html { done },
            10 => Fate::Torn,
            _ => Fate::SystemError { done },
        };
        (latency, fate)
    }

    async fn carry_on(&self, path: &str, body: Vec<u8>) -> Carried {
        let (latency, fate) = self.fate();
        tokio::time::sleep(latency).await;
        let if_done = |done: bool| {
            if done {
                self.deliver(path, &body);
            }
        };
        let carried = match fate {
            Fate::Fine => self.deliver(path, &body),
            Fate::NeverLeaves => return Carried::NotSent(Cause::Unreachable),
            Fate::RequestLost => return no_answer().await,
            Fate::RequestLate(after) => {
                self.deliver_late(path, &body, after);
                return no_answer().await;
            }
            Fate::AnswerLost => {
                self.deliver(path, &body);
                return no_answer().await;
            }
            Fate::Reset { done } => {
                if_done(done);
                Carried::Unknown(Cause::Reset)
            }
            Fate::Doubled { second_answers } => {
                let first = self.deliver(path, &body);
                let second = self.deliver(path, &body);
                if second_answers { second } else { first }
            }
            Fate::DoubledLate(after) => {
                self.deliver_late(path, &body, after);
                self.deliver(path, &body)
            }
            Fate::Gateway { done } => {
                if_done(done);
                Carried::Unknown(Cause::HttpStatus { status: 502 })
            }
            Fate::Html { done } => {
                if_done(done);
                Carried::Body(b"<!DOCTYPE html><html><body>busy</body></html>".to_vec())
            }
            Fate::Torn => match self.deliver(path, &body) {
                Carried::Body(mut answer) => {
                    answer.truncate(answer.len() / 2);
                    Carried::Body(answer)
                }
                other => other,
            },
            Fate::SystemError { done } => {
                if_done(done);
                Carried::Body(br#"{"infcode":-1,"inf_refmsgid":"","err_msg":"","output":null}"#.to_vec())
            }
        };
        tokio::time::sleep(latency).await;
        carried
    }
}

async fn no_answer() -> Carried {
    tokio::time::sleep(ANSWER_WAIT).await;
    Carried::Unknown(Cause::Timeout)
}

impl Carrier for Net {
    fn carry<'a>(
        &'a self,
        path: &'a str,
        body: Vec<u8>,
    ) -> Pin<Box<dyn Future<Output = Carried> + Send + 'a>> {
        Box::pin(self.carry_on(path, body))
    }
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Net").finish_non_exhaustive()
    }
}

/// A province: what may be asked, and where, is others' than its neighbour's.
pub(super) fn province(dice: &mut fastrand::Rng) -> Profile {
    #[expect(
        clippy::expect_used,
        reason = "it is built in, and a test loads every built-in profile"
    )]
    let plain = Profile::built_in("plain").expect("plain is built in");
    Profile {
        // Drawn without being taken, so that seeds that once failed go the way they went.
        signed_in: dice.clone().u8(..3) == 0,
        query_by_msgid: dice.u8(..3) > 0,
        repeated_msgid_idempotent: dice.u8(..4) == 0,
        hospital_visits: dice.u8(..3) > 0,
        trace_codes: match dice.u8(..3) {
            0 => TraceCodes::SaleSingle,
            1 => TraceCodes::Settlement,
            _ => TraceCodes::Sale,
        },
        ..plain
    }
}
