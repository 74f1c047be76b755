//! Any order of events whatever: no panic, one commit a payment, never without a verified patient, every sum in order.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use yijie::books::Standing;
use yijie::books::row::{SaleRow, SaleState};
use yijie::desk::devices::Told;
use yijie::desk::patient::Patient;
use yijie::desk::{Effect, Event, Key, Notice, Page};
use yijie::operators::Role;
use yijie::record::{Agent, Record};
use yijie_agency::{Answer, Cause, Credential, DecodedPerson, PersonRecord};
use yijie_hardware::{ReaderEvent, ScannerEvent, SocialCard};
use yijie_rules::{Lang, Money};

use crate::till::{
    AMOXICILLIN, CLAVULANATE, DEARER_INSURED, HONEY, Till, VITAMINS, card, code, credential, operator,
    reader, record, refused, reply, settled, unsent, wrong_pin,
};

const GOODS: [&str; 6] = [
    AMOXICILLIN,
    CLAVULANATE,
    VITAMINS,
    HONEY,
    DEARER_INSURED,
    "81001370000000000123",
];
/// Of the sandbox's people: plain, plain, suspended, expired card, with family, with a disease.
const PEOPLE: [usize; 6] = [1, 2, 4, 6, 9, 10];

struct Known {
    card: SocialCard,
    credential: Credential,
    record: PersonRecord,
    code: (String, DecodedPerson, Credential),
}

fn known(person: u8) -> &'static Known {
    static KNOWN: OnceLock<Vec<Known>> = OnceLock::new();
    let all = KNOWN.get_or_init(|| {
        let known = |person: &usize| Known {
            card: card(*person),
            credential: credential(*person),
            record: record(*person),
            code: code(*person),
        };
        PEOPLE.iter().map(known).collect()
    });
    &all[usize::from(person) % all.len()]
}

/// The counter, what it waits for, and the sale on its way.
struct World {
    till: Till,
    waiting: Vec<Effect>,
    /// The commit without an outcome so far: blank until the journal gave it a number.
    committing: Option<SaleRow>,
    /// The bill is another than the one committed last.
    fresh: bool,
    queue: Vec<SaleRow>,
    sold: u32,
}

type Checked = Result<(), TestCaseError>;

fn hold(holds: bool, what: impl Into<String>) -> Checked {
    if holds {
        Ok(())
    } else {
        Err(TestCaseError::fail(what.into()))
    }
}

impl World {
    fn send(&mut self, event: Event) -> Checked {
        self.till.now += 1_000;
        let effects = self.till.send(event);
        if self.till.state.bill.lines.is_empty() {
            self.fresh = true;
        }
        for effect in effects {
            if let Effect::Commit { sale, send } = &effect {
                hold(self.committing.is_none(), "a second commit of one payment")?;
                hold(self.fresh, "the bill is sold already")?;
                self.check(sale, *send)?;
                let mut sale = sale.clone();
                self.sold += 1;
                sale.id = format!("S{}", self.sold);
                sale.msgid.clone_from(&sale.id);
                self.committing = Some(SaleRow::new(*sale, *send, u64::from(self.sold), self.till.now));
            }
            if !matches!(effect, Effect::Write(_) | Effect::SignOut(_)) {
                self.waiting.push(effect);
            }
        }
        let state = &self.till.state;
        hold(
            state.operator.is_some() || matches!(state.page, Page::SignIn | Page::About | Page::Devices),
            "a page for nobody",
        )?;
        hold(
            state.locked.is_none() || state.page == Page::SignIn,
            "a page of a locked till",
        )?;
        hold(
            self.committing.is_none() || !state.bill.lines.is_empty(),
            "the bill went while it was committed",
        )
    }

    fn check(&self, sale: &yijie::record::Sale, send: bool) -> Checked {
        let state = &self.till.state;
        let Patient::Verified(verified) = &state.patient else {
            return hold(false, "a commit without a verified patient");
        };
        hold(state.page == Page::Pay, "a commit from another page")?;
        hold(!verified.card_out, "a commit without the card")?;
        hold(
            sale.claim.person.psn_no == verified.person.psn_no,
            "a commit for another person",
        )?;
        hold(
            sale.credential == verified.credential,
            "a commit by another credential",
        )?;
        hold(
            sale.operator == state.operator.as_ref().map_or("", |o| &o.id),
            "operator",
        )?;
        hold(send == sale.offline.is_none(), "sent and offline")?;
        hold(sale.settlement.excluded.is_empty(), "goods that are no medicine")?;
        for sums in [&sale.told, &sale.settlement.setlinfo] {
            sums.check().map_err(|e| TestCaseError::fail(e.to_string()))?;
            let lines = state.bill.lines.iter().filter_map(|line| state.bill.amount(line));
            hold(
                Money::sum(lines) == Some(sums.medfee_sumamt),
                "not the bill on the screen",
            )?;
        }
        sale.settlement
            .check()
            .map_err(|e| TestCaseError::fail(e.to_string()))?;
        if sale.offline.as_ref().is_some_and(|terms| !terms.carried) {
            hold(
                sale.told.psn_cash_pay == sale.told.medfee_sumamt,
                "self-pay means all of it",
            )?;
        }
        hold(
            sale.settlement.trace.iter().all(|step| !step.says.is_ascii()),
            "an English receipt",
        )?;
        hold(
            sale.tendered.is_some_and(|cash| cash >= sale.told.psn_cash_pay),
            "cash short",
        )?;
        hold(sale.consent.is_empty() || state.pay.consent_given, "no consent")
    }

    /// Something outside answers an effect: well, badly, late or twice.
    fn answer(&mut self, how: u8, which: u8) -> Checked {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let at = usize::from(which) % self.waiting.len();
        let effect = if how == 4 {
            self.waiting[at].clone()
        } else {
            self.waiting.remove(at)
        };
        match effect {
            Effect::CheckPin { .. } => self.send(Event::PinChecked(supervisor(how))),
            Effect::CheckApproval { .. } => self.send(Event::ApprovalChecked(supervisor(how))),
            Effect::SignIn(_) => self.send(Event::SignedIn(answered(how, "S1".to_owned()))),
            Effect::Decode(text) => {
                let of = (0..PEOPLE.len() as u8)
                    .map(known)
                    .find(|known| known.code.0 == text);
                let person = of.unwrap_or_else(|| known(0)).code.1.clone();
                self.send(Event::CodeDecoded(text, answered(how, person)))
            }
            Effect::AskPerson(asked) => {
                let answer = answered(how, of(&asked));
                self.send(Event::PersonAnswered(asked, answer))
            }
            Effect::FindSnapshot(asked) => {
                let found = (how != 1).then(|| (self.till.now - 3_600_000, Box::new(of(&asked))));
                self.send(Event::SnapshotFound(asked, found))
            }
            Effect::PreSettle { question, sale } => {
                self.send(Event::PreSettled(question, answered(how, reply(sale.told))))
            }
            Effect::Commit { .. } => self.committed(how),
            Effect::Print(_) => self.send(Event::Printed(if how == 1 {
                Err("PRINTER_GONE".to_owned())
            } else {
                Ok(())
            })),
            Effect::Drain | Effect::Resolve(_) => self.drained(),
            Effect::Probe | Effect::TryNow => self.send(Event::Line(Ok(()))),
            Effect::TestDevice(device) => {
                let tried = if how == 1 {
                    Err("PRINTER_GONE".to_owned())
                } else {
                    Ok(String::new())
                };
                self.send(Event::Devices(Told::Tested(device, tried)))
            }
            Effect::Allow { deed, by, .. } if how != 1 => self.send(Event::Allowed(deed, by)),
            Effect::Reverse { .. } => self.send(Event::SaleReversed(Err(wrong_pin()))),
            Effect::Compare(date) | Effect::Mend { date, .. } => {
                self.send(Event::DayCompared(date, Err(wrong_pin())))
            }
            _ => Ok(()),
        }
    }

    /// The journal answers a commit, once whatever happens.
    fn committed(&mut self, how: u8) -> Checked {
        let Some(row) = self.committing.clone() else {
            return Ok(());
        };
        if how == 1 && row.history.len() == 1 {
            self.committing = None;
            return self.send(Event::CommitFailed {
                code: "JOURNAL_STOPPED".to_owned(),
            });
        }
        if row.state != SaleState::Sending {
            self.done(&row);
            return self.send(Event::Committed(Box::new(row)));
        }
        self.send(Event::Committed(Box::new(row.clone())))?;
        // Something else of the queue may move in between.
        self.drained()?;
        let row = match how {
            2 => row.after(
                &Record::Refused {
                    sale: String::new(),
                    infcode: "-2".to_owned(),
                    message: String::new(),
                },
                self.till.now,
            ),
            3 => row.after(
                &Record::Unknown {
                    sale: String::new(),
                    cause: "AGENCY_TIMEOUT".to_owned(),
                },
                self.till.now,
            ),
            _ => settled(row),
        };
        if row.state == SaleState::Refused {
            self.committing = None;
        } else {
            self.done(&row);
        }
        let id = row.sale.id.clone();
        self.send(Event::SaleMoved(Box::new(row)))?;
        let shown = self.till.state.receipt.as_ref();
        hold(
            shown.is_none_or(|shown| shown.sale.id == id),
            "the receipt of another sale",
        )
    }

    fn done(&mut self, row: &SaleRow) {
        self.committing = None;
        self.fresh = false;
        if !row.state.is_final() {
            self.queue.push(row.clone());
        }
    }

    fn drained(&mut self) -> Checked {
        if let Some(row) = self.queue.pop() {
            self.send(Event::SaleMoved(Box::new(settled(row))))?;
        }
        let standing = Standing::of(self.queue.clone());
        self.send(Event::QueueRead(Box::new(standing)))
    }

    fn act(&mut self, what: u8, n: u8) -> Checked {
        let item = GOODS[usize::from(n) % GOODS.len()];
        let row = usize::from(n % 4);
        let page = [
            Page::Counter,
            Page::Queue,
            Page::About,
            Page::Pay,
            Page::SignIn,
            Page::Devices,
        ][usize::from(n % 6)];
        let (id, pin) = ("001".to_owned(), "246810".to_owned());
        match what {
            0 => self.key(Key::SignIn { id, pin }),
            1..=16 => self.answer(0, n),
            17 => self.answer(1, n),
            18 => self.answer(2, n),
            19 => self.answer(3, n),
            20 => self.answer(4, n),
            21..=25 => {
                self.reader(ReaderEvent::CardIn { reader: reader() })?;
                let card = Box::new(known(n).card.clone());
                self.reader(ReaderEvent::CardRead {
                    reader: reader(),
                    card,
                })
            }
            26 => self.reader(ReaderEvent::CardIn { reader: reader() }),
            27 => self.reader(ReaderEvent::CardOut { reader: reader() }),
            28 => self.reader(ReaderEvent::ReaderOut { reader: reader() }),
            29..=36 => self.scan(item),
            37 | 38 => self.scan(&known(n).code.0),
            39 => self.scan("539999198611209217"),
            40 => self.send(Event::Scanner(ScannerEvent::Garbage)),
            41..=47 => self.key(Key::Pay),
            48..=53 => self.key(Key::Confirm),
            54 => self.key(Key::Tendered(
                ["", "100", "5000", "x", "-1"][usize::from(n % 5)].to_owned(),
            )),
            55 => self.key(Key::Consent(!n.is_multiple_of(4))),
            56 => self.key(Key::Back),
            57 => self.key(Key::Go(page)),
            58 => self.key(Key::Hold),
            59 => self.key(Key::Recall(row)),
            60 => self.key(Key::Clear),
            61 | 62 => self.key(Key::Quantity(
                row,
                ["2", "0.5", "200", "0", "x"][usize::from(n % 5)].to_owned(),
            )),
            63 => self.key(Key::Remove(row)),
            64 => self.key(Key::ToggleAccount),
            65 => self.key(Key::ToggleFamily),
            66 => self.key(Key::Agent(Agent {
                name: "李𬀩".to_owned(),
                id_no: "539999198611209217".to_owned(),
                relation: "other".to_owned(),
                authorisation: None,
            })),
            67 => self.key(Key::Approve { id, pin }),
            68 => self.key(Key::Entry("amxl".to_owned())),
            69 => self.key(Key::Pick(row)),
            70 => self.key(Key::SignOut),
            71 | 72 => self.key(Key::NextSale),
            73 => self.key(Key::Print),
            74 => self.key(Key::Drain),
            75 => self.key(Key::Resolve(row)),
            76 => self.send(Event::Tick),
            77 => self.send(Event::Line(Err("AGENCY_UNREACHABLE".to_owned()))),
            78 => self.send(Event::Line(Ok(()))),
            79 => self.send(Event::Draining(n.is_multiple_of(2))),
            80 => self.key(Key::Language(if n.is_multiple_of(2) {
                Lang::En
            } else {
                Lang::Zh
            })),
            81 => self.key(Key::Benefit(row)),
            82 => self.key(Key::Accept("amxljn".to_owned())),
            83 => self.key(Key::CancelApproval),
            84 => self.key(Key::NoAgent),
            85 => self.key(Key::Dismiss),
            86 if n.is_multiple_of(2) => self.key(Key::TestDevice(row)),
            86 => self.key(Key::ShowSale(row)),
            87 => self.key(Key::Select(row)),
            88 => self.drained(),
            89 => self.key(Key::Lock),
            90 => self.key(Key::PassLimit),
            91 => self.key(Key::ShowPerson),
            92 => self.key(Key::Go(Page::Sales)),
            93 => self.key(Key::Go(Page::Day)),
            94 => self.key(Key::Compare),
            95 => self.key(Key::CloseDifference {
                cash_moved: n.is_multiple_of(2),
            }),
            _ => self.onwards(n),
        }
    }

    /// What a cashier would do next, so that sales come about at all.
    fn onwards(&mut self, n: u8) -> Checked {
        let state = &self.till.state;
        if let Some(last) = self.waiting.len().checked_sub(1) {
            return self.answer(0, u8::try_from(last).unwrap_or(0));
        }
        let blocked = matches!(
            self.till.told(),
            "GOODS_NOT_MEDICAL" | "PRICE_ABOVE_CASH" | "CARD_BACK_IN"
        );
        match (state.page, &state.patient) {
            (Page::SignIn, _) => self.act(0, n),
            (Page::Receipt, _) => self.key(Key::NextSale),
            (Page::Queue | Page::Sales | Page::Day | Page::Journal | Page::Devices | Page::About, _) => {
                self.key(Key::Back)
            }
            (Page::Pay, _) if !state.pay.consent_given => self.key(Key::Consent(true)),
            (Page::Pay, _) if blocked => self.key(Key::Back),
            (Page::Pay, _) => self.key(Key::Confirm),
            (Page::Counter, _) if blocked => self.key(Key::Clear),
            (Page::Counter, Patient::Verified(_)) if state.bill.lines.is_empty() || n < 80 => self.act(29, n),
            (Page::Counter, Patient::Verified(_)) => self.key(Key::Pay),
            (Page::Counter, _) => self.act(21, n),
        }
    }

    fn key(&mut self, key: Key) -> Checked {
        self.send(Event::Key(key))
    }

    fn reader(&mut self, event: ReaderEvent) -> Checked {
        self.send(Event::Reader(event))
    }

    fn scan(&mut self, text: &str) -> Checked {
        self.send(Event::Scanner(ScannerEvent::Scanned(yijie_hardware::classify(
            text,
        ))))
    }
}

fn supervisor(how: u8) -> Result<yijie::operators::Operator, Notice> {
    (how != 1)
        .then(|| operator(if how == 2 { Role::Cashier } else { Role::Supervisor }))
        .ok_or_else(wrong_pin)
}

fn answered<T>(how: u8, well: T) -> Answer<T> {
    match how {
        1 => refused("不行"),
        2 => unsent(),
        3 => Answer::Unknown(Cause::Timeout),
        _ => Answer::Done(well),
    }
}

/// The agency's record for a credential, whoever shows it.
fn of(asked: &Credential) -> PersonRecord {
    let everyone = || (0..PEOPLE.len() as u8).map(known);
    let shows = |known: &&Known| {
        known.credential == *asked
            || known.code.2 == *asked
            || known.record.baseinfo.certno == asked.cert_no()
    };
    everyone().find(shows).unwrap_or_else(|| known(0)).record.clone()
}

fn seed() -> u64 {
    match std::env::var("YIJIE_SEED") {
        Ok(text) => text.parse().expect("YIJIE_SEED is a number"),
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64,
    }
}

#[test]
fn any_order_of_events_keeps_every_promise() {
    let seed = seed();
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: 400,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let sold = std::cell::Cell::new(0);
    let steps = vec((0_u8..180, any::<u8>()), 1..250);
    let outcome = runner.run(&steps, |steps| {
        let mut world = World {
            till: Till::open(),
            waiting: Vec::new(),
            committing: None,
            fresh: true,
            queue: Vec::new(),
            sold: 0,
        };
        for (what, n) in steps {
            world.act(what, n)?;
        }
        sold.set(sold.get() + world.sold);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("YIJIE_SEED={seed}: {error}");
    }
    assert!(
        sold.get() > 1_000,
        "YIJIE_SEED={seed}: only {} sales: the walk is too timid",
        sold.get()
    );
}
