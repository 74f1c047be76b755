//! What the cashier waits for, measured on the real parts: card to person on the screen, a settlement over TLS, and a
//! line of `sell`. Prints rows for docs/benchmarks.md; run by `scripts/bench.sh`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a benchmark that cannot run must stop and say so"
)]

mod common;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::client_settings;
use yijie::books::Books;
use yijie::desk::{self, Effect, Event, Key, Setup, State};
use yijie::record::Sale;
use yijie::sync::Sync;
use yijie::view::Screen;
use yijie::{catalogue::Catalogue, clock, config::Institution};
use yijie_agency::{Client, Credential, DEMO_PERSONS, Profile, Sandbox, SandboxSettings};
use yijie_hardware::{ReaderEvent, VirtualCard, read_social_card};
use yijie_rules::{Claim, Lang, Options, Outcome, Packs, split};

const ROUNDS: usize = 300;
const CLAIM: &str = r#"{"person":{"psn_no":"53010000000000000000000042","insutype":"310","psn_type":"12","insuplc_admdvs":"530100","psn_insu_stas":"1"},"institution":{"fixmedins_code":"H53010200001","fixmedins_type":"1","medinslv":"2"},"visit":{"med_type":"11","begntime":"2026-03-01 09:30:00"},"lines":[{"feedetl_sn":"1","chrgitm_lv":"01","pric":"20.00","cnt":"10","det_item_fee_sumamt":"200.00"}]}"#;

fn main() {
    let dir = std::env::temp_dir().join(format!("yijie-bench-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let tasks = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    tasks.block_on(measure(&dir));
    std::fs::remove_dir_all(&dir).unwrap();
}

async fn measure(dir: &Path) {
    let persons = dir.join("persons.json");
    std::fs::write(&persons, DEMO_PERSONS).unwrap();
    let sandbox = Sandbox::start(SandboxSettings {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        data: dir.join("agency"),
        profile: Profile::built_in("plain").unwrap(),
        persons: Some(persons),
        any_person: true,
        faults: None,
    })
    .await
    .unwrap();
    let (books, _) = Books::open(&dir.join("till"), "H53010200001", 0).unwrap();
    let books = Arc::new(books);
    let packs = Arc::new(Packs::builtin());
    let settings = client_settings(sandbox.url(), &sandbox.tls_dir(), "H53010200001", books.msgids());
    let client = Client::new(settings).unwrap();
    let sync = Sync::new(books.clone(), client, packs.clone());
    card(&sync, packs.clone()).await;
    sales(&sync, &books, &packs).await;
    sandbox.stop().await;
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    println!(
        "{what}\tp50 {:.2?}\tp99 {:.2?}\tn {}",
        at(50),
        at(99),
        times.len()
    );
}

/// From the card's data to the person on the screen: APDUs of a card that answers at once, verification, 1101, rules.
async fn card(sync: &Sync, packs: Arc<Packs>) {
    let institution = Institution {
        code: "H53010200001".into(),
        name: "bench".into(),
        kind: "1".into(),
        level: Some("2".into()),
        area: "530100".into(),
    };
    let setup = Setup {
        institution,
        packs,
        packs_since: Arc::default(),
        catalogue: Arc::new(Catalogue::default()),
        lost_cards: Arc::default(),
    };
    let people: serde_json::Value = serde_json::from_str(DEMO_PERSONS).unwrap();
    let (base, card) = (&people[0]["baseinfo"], &people[0]["facts"]["card"]);
    let person = serde_json::json!({
        "card_sn": card["card_sn"], "card_no": card["card_no"], "id_no": base["certno"], "name": base["psn_name"],
    })
    .to_string();
    let (mut whole, mut reading, mut asking) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let mut state = State::new(setup.clone(), clock::now_ms(), Lang::Zh);
        let operator = yijie::operators::Operator {
            id: "001".into(),
            name: "b".into(),
            role: yijie::operators::Role::Cashier,
            pin_hash: String::new(),
            disabled: false,
        };
        state.operator = Some(operator);
        state.page = desk::Page::Counter;
        desk::step(&mut state, clock::now_ms(), Event::Key(Key::Clear));
        let begin = Instant::now();
        let card =
            read_social_card(&mut VirtualCard::from_json(&person).unwrap().in_process(), None).unwrap();
        reading.push(begin.elapsed());
        let read = ReaderEvent::CardRead {
            reader: "bench".into(),
            card: Box::new(card),
        };
        let effects = desk::step(&mut state, clock::now_ms(), Event::Reader(read));
        let Some(Effect::AskPerson(credential)) = effects.into_iter().next() else {
            panic!("the desk asks nobody")
        };
        let ask = Instant::now();
        let answer = sync.client().person(&credential).await;
        asking.push(ask.elapsed());
        desk::step(
            &mut state,
            clock::now_ms(),
            Event::PersonAnswered(credential, answer),
        );
        std::hint::black_box(Screen::of(&state));
        whole.push(begin.elapsed());
        assert!(
            matches!(state.patient, desk::patient::Patient::Verified(_)),
            "not verified"
        );
    }
    print("card data to person shown, reader time excluded", whole);
    print("  of it: reading the card's records", reading);
    print("  of it: 1101 over mutual TLS on loopback", asking);
}

/// One sale: split, journal, 2102 over TLS, journal.
async fn sales(sync: &Sync, books: &Arc<Books>, packs: &Packs) {
    let claim = Claim::from_json(CLAIM.as_bytes()).unwrap();
    let options = Options {
        pack: None,
        trace: true,
        lang: Lang::Zh,
    };
    let (mut whole, mut journal) = (Vec::new(), Vec::new());
    for index in 0..ROUNDS {
        let begin = Instant::now();
        let Outcome::Settled(settlement) = split(packs, &claim, &options) else {
            panic!("the claim is refused")
        };
        let credential = Credential::IdNumber {
            certno: claim.person.psn_no.to_string(),
        };
        let sale = Sale::new(
            format!("bench-{index}"),
            books.next_msgid(),
            claim.clone(),
            *settlement,
            credential,
            "001".to_owned(),
        );
        let write = Instant::now();
        let row = sync
            .sell(sale, true, |_| journal.push(write.elapsed()))
            .await
            .unwrap();
        assert_eq!(row.state.word(), "settled");
        whole.push(begin.elapsed());
    }
    print("one sale: split, journal, 2102 over TLS, journal", whole);
    print("  of it: booking the sale (journal flushed, store)", journal);
}
