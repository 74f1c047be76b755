//! A till with everything but a display: books in a fresh directory, a sandbox agency, cards read in this process.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime as Tasks;
use yijie::commands::init::{NewTill, prepare};
use yijie::commands::{OtherAgency, Out, Till, tasks, window};
use yijie::config::{Devices, Institution};
use yijie::desk::{Event, State};
use yijie::runtime::Runtime;
use yijie_agency::{DEMO_PERSONS, LedgerRow, Profile, Sandbox, SandboxSettings, read_ledger};
use yijie_hardware::{ReaderEvent, ScannerEvent, VirtualCard, classify, read_social_card};
use yijie_rules::Lang;

pub const OPERATOR: &str = "001";
pub const PIN: &str = "246810";
const READER: &str = "Virtual PCD 00 00";

/// All of it; what it holds goes when it is dropped.
pub struct Stage {
    agency: Option<Sandbox>,
    address: SocketAddr,
    dir: TempDir,
    pub till: Till,
    tasks: Tasks,
}

impl Stage {
    pub fn set() -> Stage {
        let dir = tempfile::tempdir().unwrap();
        let tasks = tasks().unwrap();
        std::fs::write(dir.path().join("persons.json"), DEMO_PERSONS).unwrap();
        std::fs::write(
            dir.path().join("goods.csv"),
            include_str!("../../src/demo/catalogue.csv"),
        )
        .unwrap();
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let agency = tasks.block_on(sandbox(&dir, anywhere));
        let new = NewTill {
            institution: Institution {
                code: "H53010200001".to_owned(),
                name: "昆明翠湖社区医院".to_owned(),
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
                printer: Some(dir.path().join("receipts.escpos").display().to_string()),
                ..Devices::default()
            },
            catalogue: Some(dir.path().join("goods.csv")),
            till: 0,
            sandbox_figures: false,
            profile: "plain".to_owned(),
        };
        let data = dir.path().join("till");
        prepare(&data, &new).unwrap_or_else(|failure| panic!("{failure:?}"));
        let out = Out {
            json: false,
            lang: Lang::Zh,
        };
        let till =
            Till::open(&data, &OtherAgency::default(), out).unwrap_or_else(|failure| panic!("{failure:?}"));
        Stage {
            address: agency.address(),
            agency: Some(agency),
            dir,
            till,
            tasks,
        }
    }

    /// The desk, its loop's parts and the channel of its events.
    pub fn counter(&self) -> (Runtime, State, std::sync::mpsc::Receiver<Event>) {
        let _inside = self.tasks.enter();
        let out = Out {
            json: false,
            lang: Lang::Zh,
        };
        window::counter(&self.till, out).unwrap_or_else(|failure| panic!("{failure:?}"))
    }

    /// The agency is gone.
    pub fn stop_agency(&mut self) {
        if let Some(agency) = self.agency.take() {
            self.tasks.block_on(agency.stop());
        }
    }

    /// It is back, at the same address with the same ledger.
    pub fn start_agency(&mut self) {
        assert!(self.agency.is_none());
        self.agency = Some(self.tasks.block_on(sandbox(&self.dir, self.address)));
    }

    /// The agency's ledger is brought apart from the till's books: the first entry that is changed stays so.
    pub fn rewrite_ledger(&mut self, mut change: impl FnMut(&mut Value) -> bool) {
        self.stop_agency();
        let file = self.dir.path().join("agency/ledger.jsonl");
        let mut done = false;
        let lines: Vec<String> = std::fs::read_to_string(&file)
            .unwrap()
            .lines()
            .map(|line| {
                let mut entry = serde_json::from_str(line).unwrap();
                done = done || change(&mut entry);
                entry.to_string()
            })
            .collect();
        assert!(done, "nothing was changed");
        std::fs::write(file, lines.join("\n") + "\n").unwrap();
        self.start_agency();
    }

    pub fn ledger(&self) -> Vec<LedgerRow> {
        read_ledger(&self.dir.path().join("agency")).unwrap()
    }

    /// All that went to the printer.
    pub fn paper(&self) -> Vec<u8> {
        std::fs::read(self.printer()).unwrap_or_default()
    }

    pub fn printer(&self) -> PathBuf {
        self.dir.path().join("receipts.escpos")
    }
}

async fn sandbox(dir: &TempDir, listen: SocketAddr) -> Sandbox {
    let data = dir.path().join("agency");
    std::fs::create_dir_all(&data).unwrap();
    let settings = SandboxSettings {
        listen,
        data,
        profile: Profile::built_in("plain").unwrap(),
        persons: Some(dir.path().join("persons.json")),
        any_person: false,
        faults: None,
    };
    Sandbox::start(settings).await.unwrap()
}

fn reader(event: impl FnOnce(String) -> ReaderEvent) -> Event {
    Event::Reader(event(READER.to_owned()))
}

/// The reader is there.
pub fn reader_in() -> Event {
    reader(|reader| ReaderEvent::ReaderIn { reader })
}

/// The card of a person of the sandbox (counted from 1) goes in and is read.
pub fn card_in(person: usize) -> [Event; 2] {
    let people: Vec<Value> = serde_json::from_str(DEMO_PERSONS).unwrap();
    let (base, card) = (
        &people[person - 1]["baseinfo"],
        &people[person - 1]["facts"]["card"],
    );
    let digits = |date: &Value| date.as_str().unwrap().replace('-', "");
    let text = json!({
        "version": "2.00", "card_sn": card["card_sn"], "card_no": card["card_no"], "id_no": base["certno"],
        "name": base["psn_name"], "sex": base["gend"], "nation": base["naty"],
        "birth_date": digits(&base["brdy"]), "expires_on": digits(&card["expires_on"]),
    });
    let card = VirtualCard::from_json(&text.to_string()).unwrap();
    let card = Box::new(read_social_card(&mut card.in_process(), None).unwrap());
    [
        reader(|reader| ReaderEvent::CardIn { reader }),
        reader(|reader| ReaderEvent::CardRead { reader, card }),
    ]
}

pub fn card_out() -> Event {
    reader(|reader| ReaderEvent::CardOut { reader })
}

pub fn scanned(text: &str) -> Event {
    Event::Scanner(ScannerEvent::Scanned(classify(text)))
}
