//! The demo's parts: agency, people, card, scanner and till, and a hand that works them.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;

use serde::Deserialize;
use serde_json::json;
use yijie_agency::{BaseInfo, CardFacts, DEMO_PERSONS, Profile, Sandbox, SandboxSettings};
use yijie_hardware::{
    InsertedCard, PcscDaemon, ReaderEvent, VPCD_ADDRESS, VirtualCard, VirtualScanner, VpcdLock,
    read_social_card,
};

use super::{CASHIER, INSPECTOR, OPERATOR, PIN};
use crate::books::Books;
use crate::commands::init::{NewTill, prepare};
use crate::commands::{Failure, OtherAgency, Out, Till};
use crate::config::{Devices, Institution};
use crate::desk::Event;
use crate::operators::{Operator, Role};
use crate::record::Record;
use crate::{clock, devices};

const CATALOGUE: &str = include_str!("../../demo/catalogue.csv");
const READER: &str = "Virtual PCD 00 00";

/// A person of the sandbox, as far as the demo needs one.
#[derive(Deserialize)]
struct Insured {
    baseinfo: BaseInfo,
    facts: Facts,
    #[serde(default)]
    ec_codes: Vec<String>,
}

#[derive(Deserialize)]
struct Facts {
    card: Option<CardFacts>,
}

/// How a virtual card gets to the terminal.
enum Reader {
    /// Through a real pcscd with the virtual reader.
    Pcsc {
        _daemon: Option<PcscDaemon>,
        _lock: VpcdLock,
        card: Option<InsertedCard>,
    },
    /// Through the same reading code in this process.
    InProcess { card_in: bool },
}

/// Who works here beside the first operator, so that two persons can be met at the window.
pub(super) fn staff(books: &Books) -> Result<(), Failure> {
    for (id, name, role) in [
        (CASHIER, "李倩", Role::Cashier),
        (INSPECTOR, "孙立", Role::Inspector),
    ] {
        let operator = Operator::new(id, name, role, PIN).map_err(|e| Failure::could_not(e.code(), &e))?;
        let by = Some(OPERATOR.to_owned());
        books.append(&Record::Operator { operator, by }, clock::now_ms())?;
    }
    Ok(())
}

/// All parts of the demo.
pub(super) struct Stage {
    agency_data: PathBuf,
    agency: Option<Sandbox>,
    address: SocketAddr,
    people: Vec<Insured>,
    reader: Reader,
    scanner: VirtualScanner,
    pub(super) till: Till,
    pub(super) printer: PathBuf,
}

impl Stage {
    /// Sets up every part in a fresh directory.
    pub(super) async fn set(dir: &Path, out: Out) -> Result<Stage, Failure> {
        let people: Vec<Insured> =
            serde_json::from_str(DEMO_PERSONS).map_err(|e| Failure::could_not("INTERNAL", e))?;
        let agency_data = dir.join("agency");
        std::fs::create_dir_all(&agency_data).map_err(|e| Failure::could_not("FILE_FAILED", e))?;
        let persons = dir.join("persons.json");
        std::fs::write(&persons, DEMO_PERSONS).map_err(|e| Failure::could_not("FILE_FAILED", e))?;
        let agency = start(&agency_data, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let scanner = VirtualScanner::open().map_err(|e| Failure::could_not(e.code(), &e))?;
        let catalogue = dir.join("catalogue.csv");
        std::fs::write(&catalogue, CATALOGUE).map_err(|e| Failure::could_not("FILE_FAILED", e))?;
        let (data, printer) = (dir.join("till"), dir.join("receipts.escpos"));
        prepare(
            &data,
            &NewTill {
                institution: Institution {
                    code: "H53010200001".to_owned(),
                    name: "昆明翠湖社区医院（演示）".to_owned(),
                    kind: "1".to_owned(),
                    level: Some("2".to_owned()),
                    area: "530100".to_owned(),
                },
                agency: agency.url(),
                tls: agency.tls_dir(),
                operator: OPERATOR.to_owned(),
                operator_name: "周敏".to_owned(),
                pin: PIN.to_owned(),
                devices: Devices {
                    scanner: Some(scanner.path().to_owned()),
                    printer: Some(printer.display().to_string()),
                    ..Devices::default()
                },
                catalogue: Some(catalogue),
                till: 0,
                sandbox_figures: true,
                profile: "plain".to_owned(),
            },
        )?;
        let till = Till::open_with(&data, &OtherAgency::default(), None, out)?;
        let reader = reader(out)?;
        Ok(Stage {
            agency_data,
            address: agency.address(),
            agency: Some(agency),
            people,
            reader,
            scanner,
            till,
            printer,
        })
    }

    /// Watches the demo's devices.
    pub(super) fn watch(&self, events: &Sender<Event>) -> devices::Devices {
        let pcsc = matches!(self.reader, Reader::Pcsc { .. });
        if !pcsc {
            drop(events.send(Event::Reader(ReaderEvent::ReaderIn {
                reader: READER.to_owned(),
            })));
        }
        devices::watch(&self.till.config.devices, pcsc, events)
    }

    /// Puts a person's card in.
    pub(super) fn insert(&mut self, person: usize, events: &Sender<Event>) -> Result<(), Failure> {
        self.pull(events);
        let card = self.card(person)?;
        match &mut self.reader {
            Reader::Pcsc { card: slot, .. } => {
                *slot = Some(
                    card.insert(VPCD_ADDRESS)
                        .map_err(|e| Failure::could_not(e.code(), &e))?,
                );
            }
            Reader::InProcess { card_in } => {
                *card_in = true;
                let reader = READER.to_owned();
                drop(events.send(Event::Reader(ReaderEvent::CardIn {
                    reader: reader.clone(),
                })));
                drop(events.send(Event::Reader(
                    match read_social_card(&mut card.in_process(), None) {
                        Ok(card) => ReaderEvent::CardRead {
                            reader,
                            card: Box::new(card),
                        },
                        Err(error) => ReaderEvent::CardFault { reader, error },
                    },
                )));
            }
        }
        Ok(())
    }

    fn card(&self, person: usize) -> Result<VirtualCard, Failure> {
        let person = self
            .people
            .get(person)
            .ok_or_else(|| Failure::input("USAGE", person + 1))?;
        let base = &person.baseinfo;
        let card = person
            .facts
            .card
            .as_ref()
            .ok_or_else(|| Failure::input("NO_CARD", ""))?;
        let digits = |date: &str| date.replace('-', "");
        let text = json!({
            "version": "2.00", "card_sn": card.card_sn, "card_no": card.card_no, "id_no": base.certno,
            "name": base.psn_name, "sex": base.gend, "nation": base.naty, "birth_date": digits(&base.brdy),
            "expires_on": digits(&card.expires_on),
        });
        VirtualCard::from_json(&text.to_string()).map_err(|e| Failure::could_not(e.code(), &e))
    }

    /// Takes the card out.
    pub(super) fn pull(&mut self, events: &Sender<Event>) {
        match &mut self.reader {
            Reader::Pcsc { card, .. } => drop(card.take()),
            Reader::InProcess { card_in } => {
                if std::mem::take(card_in) {
                    drop(events.send(Event::Reader(ReaderEvent::CardOut {
                        reader: READER.to_owned(),
                    })));
                }
            }
        }
    }

    /// Scans a text.
    pub(super) fn scan(&mut self, text: &str) -> Result<(), Failure> {
        self.scanner
            .scan(text)
            .map_err(|e| Failure::could_not("SCANNER_FAULT", e))
    }

    /// Scans a person's medical-insurance code.
    pub(super) fn scan_code(&mut self, person: usize) -> Result<(), Failure> {
        let code = self
            .people
            .get(person)
            .and_then(|person| person.ec_codes.first())
            .cloned();
        self.scan(&code.ok_or_else(|| Failure::input("USAGE", person + 1))?)
    }

    /// Pulls the network: the agency is gone.
    pub(super) async fn stop_agency(&mut self) {
        if let Some(agency) = self.agency.take() {
            agency.stop().await;
        }
    }

    /// The agency is back, at the same address, with the same ledger.
    pub(super) async fn start_agency(&mut self) -> Result<(), Failure> {
        if self.agency.is_none() {
            self.agency = Some(start(&self.agency_data, self.address).await?);
        }
        Ok(())
    }

    /// The agency's data directory.
    pub(super) fn agency_data(&self) -> &Path {
        &self.agency_data
    }

    /// Tells who can be served.
    pub(super) fn list(&self, out: Out) -> Result<(), Failure> {
        for (index, person) in self.people.iter().enumerate() {
            out.line(format!("  {} {}", index + 1, person.baseinfo.psn_name))?;
        }
        Ok(())
    }

    /// One command of the demo's shell.
    pub(super) async fn work(&mut self, line: &str, events: &Sender<Event>) -> Result<(), Failure> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |text: &str| {
            text.parse::<usize>()
                .ok()
                .and_then(|n| n.checked_sub(1))
                .ok_or_else(|| Failure::input("USAGE", text))
        };
        match words.as_slice() {
            [] => Ok(()),
            ["card", n] => self.insert(number(n)?, events),
            ["pull"] => {
                self.pull(events);
                Ok(())
            }
            ["code", n] => self.scan_code(number(n)?),
            ["scan", text] => self.scan(text),
            ["agency", "off"] => {
                self.stop_agency().await;
                Ok(())
            }
            ["agency", "on"] => self.start_agency().await,
            ["quit"] => yijie_ui::slint::quit_event_loop().map_err(|e| Failure::could_not("INTERNAL", e)),
            _ => Err(Failure::input("USAGE", line)),
        }
    }
}

async fn start(data: &Path, listen: SocketAddr) -> Result<Sandbox, Failure> {
    let profile = Profile::built_in("plain").map_err(|e| Failure::could_not(e.code(), &e))?;
    let persons = data.with_file_name("persons.json");
    let settings = SandboxSettings {
        listen,
        data: data.to_owned(),
        profile,
        persons: Some(persons),
        any_person: false,
        faults: None,
    };
    Sandbox::start(settings)
        .await
        .map_err(|e| Failure::could_not(e.code(), &e))
}

/// A real pcscd where one can be had, else the same reading code in this process; says which.
fn reader(out: Out) -> Result<Reader, Failure> {
    let why = match VpcdLock::try_acquire() {
        Ok(Some(lock)) => {
            let running = PcscDaemon::running();
            match if running {
                Ok(None)
            } else {
                PcscDaemon::start().map(Some)
            } {
                Ok(daemon) => {
                    let text = out.lang.pick(
                        "读卡：真实 pcscd 与虚拟读卡器（vpcd）",
                        "cards: a real pcscd with the virtual reader (vpcd)",
                    );
                    super::tell(out, text)?;
                    return Ok(Reader::Pcsc {
                        _daemon: daemon,
                        _lock: lock,
                        card: None,
                    });
                }
                Err(error) => error.to_string(),
            }
        }
        Ok(None) => "vpcd is in use".to_owned(),
        Err(error) => error.to_string(),
    };
    let text = match out.lang {
        yijie_rules::Lang::Zh => format!("读卡：进程内通道（没有可用的 pcscd：{why}）"),
        yijie_rules::Lang::En => format!("cards: in this process, for there is no pcscd to use ({why})"),
    };
    super::tell(out, &text)?;
    Ok(Reader::InProcess { card_in: false })
}
