//! A counter without a till around it: events in, effects out, and the people, cards and goods of the demo.

use std::sync::Arc;

use serde_json::{Value, json};
use yijie::books::Standing;
use yijie::books::row::{SaleRow, SaleState};
use yijie::catalogue::Catalogue;
use yijie::config::Institution;
use yijie::desk::pay::PayState;
use yijie::desk::{Effect, Event, Key, Level, Notice, Setup, State, step};
use yijie::operators::{Operator, Role};
use yijie::record::{Record, Sale};
use yijie_agency::{
    AgencyRefusal, Answer, Cause, Credential, DEMO_PERSONS, DecodedPerson, PersonRecord, SettledReply,
};
use yijie_hardware::{
    CardError, ReaderEvent, ReaderFault, ScannerEvent, SocialCard, classify, read_social_card,
};
use yijie_rules::{Lang, Packs, SetlInfo};

/// 2026-03-01 10:00 in Beijing.
pub const NOW: i64 = 1_772_330_400_000;
pub const HOUR: i64 = 3_600_000;
/// 阿莫西林胶囊, class 甲, 12.50.
pub const AMOXICILLIN: &str = "6900000010112";
/// 阿莫西林克拉维酸钾片, class 乙, 28.00, cash price 29.80.
pub const CLAVULANATE: &str = "6900000010228";
/// 复合维生素片, class 丙, 48.00: outside the fund's scope.
pub const VITAMINS: &str = "6900000012093";
/// 蜂蜜, food.
pub const HONEY: &str = "6900000013854";
/// 复方丹参滴丸: 29.80 under insurance, 27.80 for cash.
pub const DEARER_INSURED: &str = "6900000012758";

/// The counter and its clock.
pub struct Till {
    pub state: State,
    pub now: i64,
}

pub fn setup() -> Setup {
    let goods = Catalogue::from_csv(include_str!("../../src/demo/catalogue.csv")).unwrap();
    Setup {
        institution: Institution {
            code: "H53010200001".to_owned(),
            name: "昆明翠湖社区医院".to_owned(),
            kind: "1".to_owned(),
            level: Some("2".to_owned()),
            area: "530100".to_owned(),
        },
        packs: Arc::new(Packs::builtin()),
        packs_since: Arc::default(),
        catalogue: Arc::new(Catalogue::new(goods)),
        lost_cards: Arc::new(Vec::new()),
    }
}

/// What the desk hears when a PIN was wrong.
pub fn wrong_pin() -> Notice {
    Notice::new(Level::Error, "PIN_NOT_RIGHT")
}

pub fn operator(role: Role) -> Operator {
    Operator {
        id: "001".to_owned(),
        name: "周敏".to_owned(),
        role,
        pin_hash: String::new(),
        disabled: false,
    }
}

impl Till {
    /// Just started.
    pub fn closed() -> Till {
        Till {
            state: State::new(setup(), NOW, Lang::Zh),
            now: NOW,
        }
    }

    /// Signed in, the agency reachable.
    pub fn open() -> Till {
        let mut till = Till::closed();
        till.key(Key::SignIn {
            id: "001".to_owned(),
            pin: "246810".to_owned(),
        });
        till.send(Event::PinChecked(Ok(operator(Role::Cashier))));
        till.send(Event::SignedIn(Answer::Done("S1".to_owned())));
        till
    }

    /// Signed in, a person verified by card, these goods on the bill.
    pub fn selling(person: usize, goods: &[&str]) -> Till {
        let mut till = Till::open();
        till.verify(person);
        till.sell(goods);
        till
    }

    /// The same, verified from the books' record while the agency is away.
    pub fn selling_offline(person: usize, age_ms: i64, goods: &[&str]) -> Till {
        let mut till = Till::open();
        till.send(Event::Line(Err("AGENCY_UNREACHABLE".to_owned())));
        till.card_in(person);
        till.send(Event::PersonAnswered(credential(person), unsent()));
        let record = Some((till.now - age_ms, Box::new(record(person))));
        till.send(Event::SnapshotFound(credential(person), record));
        till.sell(goods);
        till
    }

    pub fn send(&mut self, event: Event) -> Vec<Effect> {
        step(&mut self.state, self.now, event)
    }

    pub fn key(&mut self, key: Key) -> Vec<Effect> {
        self.send(Event::Key(key))
    }

    /// A card goes in and is read.
    pub fn card_in(&mut self, person: usize) -> Vec<Effect> {
        self.insert(card(person))
    }

    pub fn insert(&mut self, card: SocialCard) -> Vec<Effect> {
        self.send(Event::Reader(ReaderEvent::CardIn { reader: reader() }));
        self.send(Event::Reader(ReaderEvent::CardRead {
            reader: reader(),
            card: Box::new(card),
        }))
    }

    pub fn card_out(&mut self) -> Vec<Effect> {
        self.send(Event::Reader(ReaderEvent::CardOut { reader: reader() }))
    }

    pub fn card_fault(&mut self) -> Vec<Effect> {
        let error = CardError::from(ReaderFault::CardRemoved);
        self.send(Event::Reader(ReaderEvent::CardFault {
            reader: reader(),
            error,
        }))
    }

    pub fn scan(&mut self, text: &str) -> Vec<Effect> {
        self.send(Event::Scanner(ScannerEvent::Scanned(classify(text))))
    }

    /// A card goes in and the agency knows its holder.
    pub fn verify(&mut self, person: usize) {
        self.card_in(person);
        self.send(Event::PersonAnswered(
            credential(person),
            Answer::Done(record(person)),
        ));
    }

    pub fn sell(&mut self, goods: &[&str]) {
        for code in goods {
            self.scan(code);
        }
    }

    /// Code of what the cashier is told; blank for nothing.
    pub fn told(&self) -> &str {
        self.state
            .notice
            .as_ref()
            .map_or("", |notice| notice.code.as_str())
    }

    /// The split shown, as (fund, own account, family, cash).
    pub fn split(&self) -> [String; 4] {
        let settled = self.state.bill.outcome.as_ref().and_then(|o| o.settled());
        paid(&settled.expect("a split is shown").setlinfo)
    }

    /// F9, and the agency's trial settlement agrees.
    pub fn ask_for_money(&mut self) {
        let (question, sale) = asked(self.key(Key::Pay));
        let answer = Answer::Done(reply(sale.told));
        self.send(Event::PreSettled(question, answer));
    }

    /// Enter: the sale as it leaves for the journal.
    pub fn confirm(&mut self) -> (Sale, bool) {
        let mut effects = self.key(Key::Confirm);
        match (effects.pop(), effects.is_empty()) {
            (Some(Effect::Commit { sale, send }), true) => (*sale, send),
            other => panic!("one commit expected, not {other:?}; told {:?}", self.told()),
        }
    }

    /// Enter, and the journal holds it.
    pub fn commit(&mut self, id: &str) -> SaleRow {
        let (mut sale, send) = self.confirm();
        sale.id = id.to_owned();
        sale.msgid = format!("H53010200001{id}");
        let row = SaleRow::new(sale, send, 7, self.now);
        self.send(Event::Committed(Box::new(row.clone())));
        row
    }

    pub fn queue(&mut self, queue: Vec<SaleRow>) {
        self.send(Event::QueueRead(Box::new(Standing::of(queue))));
    }

    pub fn paying(&self) -> PayState {
        self.state.pay.state
    }
}

pub fn paid(sums: &SetlInfo) -> [String; 4] {
    [
        sums.fund_pay_sumamt,
        sums.acct_pay,
        sums.acct_mulaid_pay,
        sums.psn_cash_pay,
    ]
    .map(|sum| sum.to_string())
}

pub fn reader() -> String {
    "Virtual PCD 00 00".to_owned()
}

/// A person of the sandbox, counted from 1 as its README does.
fn demo(person: usize) -> Value {
    let people: Vec<Value> = serde_json::from_str(DEMO_PERSONS).unwrap();
    people[person - 1].clone()
}

pub fn record(person: usize) -> PersonRecord {
    let mut demo = demo(person);
    demo.as_object_mut().unwrap().remove("ec_codes");
    serde_json::from_value(demo).unwrap()
}

/// The person's card, read by the real reading code from a card in this process.
pub fn card(person: usize) -> SocialCard {
    let demo = demo(person);
    let (base, card) = (&demo["baseinfo"], &demo["facts"]["card"]);
    let digits = |date: &Value| date.as_str().unwrap().replace('-', "");
    let text = json!({
        "version": "2.00", "card_sn": card["card_sn"], "card_no": card["card_no"], "id_no": base["certno"],
        "name": base["psn_name"], "sex": base["gend"], "nation": base["naty"],
        "birth_date": digits(&base["brdy"]), "expires_on": digits(&card["expires_on"]),
    });
    let card = yijie_hardware::VirtualCard::from_json(&text.to_string()).unwrap();
    read_social_card(&mut card.in_process(), None).unwrap()
}

pub fn credential(person: usize) -> Credential {
    let card = card(person);
    Credential::Card {
        card_no: card.card_no.clone().unwrap(),
        card_sn: card.card_sn.clone(),
    }
}

/// The medical-insurance code of a person, what it decodes to, and what is then shown.
pub fn code(person: usize) -> (String, DecodedPerson, Credential) {
    let demo = demo(person);
    let text = demo["ec_codes"][0].as_str().unwrap().to_owned();
    let base = record(person).baseinfo;
    let ec_token = format!("T{text}");
    let decoded = DecodedPerson {
        id_type: "01".to_owned(),
        id_no: base.certno,
        name: base.psn_name,
        ec_token: ec_token.clone(),
        insu_org: "530100".to_owned(),
    };
    (text, decoded, Credential::Token { ec_token })
}

pub fn unsent<T>() -> Answer<T> {
    Answer::NotSent(Cause::Unreachable)
}

pub fn refused<T>(message: &str) -> Answer<T> {
    Answer::Refused(AgencyRefusal::new(-2, message.to_owned()))
}

/// The agency's figures.
pub fn reply(setlinfo: SetlInfo) -> SettledReply {
    SettledReply {
        setl_id: "SETL1".to_owned(),
        mdtrt_id: "M1".to_owned(),
        psn_no: String::new(),
        medins_setl_id: String::new(),
        insutype: "310".to_owned(),
        med_type: "11".to_owned(),
        clr_optins: "530100".to_owned(),
        clr_way: "1".to_owned(),
        clr_type: "11".to_owned(),
        setl_time: String::new(),
        refunded: false,
        setlinfo,
        setldetail: Vec::new(),
        accumulated_after: None,
        irregularities: Vec::new(),
    }
}

/// The 2101 among the effects.
#[track_caller]
pub fn asked(effects: Vec<Effect>) -> (u32, Sale) {
    match <[Effect; 1]>::try_from(effects) {
        Ok([Effect::PreSettle { question, sale }]) => (question, *sale),
        other => panic!("one 2101 expected, not {other:?}"),
    }
}

/// The row after the agency settled it.
pub fn settled(row: SaleRow) -> SaleRow {
    let record = Record::Settled {
        sale: row.sale.id.clone(),
        msgid: row.msgid.clone(),
        reply: Box::new(reply(row.sale.told.clone())),
        difference: None,
    };
    let row = row.after(&record, NOW);
    assert_eq!(row.state, SaleState::Settled);
    row
}
