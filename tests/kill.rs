//! kill -9 of the terminal, and now and then of the agency, at moments of chance: nothing is lost, nothing is doubled.
//!
//! `YIJIE_ROUNDS` sets how many kills there are (12 unless given), `YIJIE_SEED` repeats a run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "what goes wrong here fails the test"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use common::{Chance, Running, Shop, fault, person, sale, text};
use serde_json::{Value, json};

const SALES_PER_ROUND: usize = 5;
/// Each run is given all the day's sales again, so a day may not grow too long.
const ROUNDS_PER_DAY_MAX: u32 = 25;
const PERSONS: u64 = 4;
/// How long a run may go on before it is killed: mostly short, as runs are, now and then long enough for lost answers.
const RUN_MS_MAX: [u64; 3] = [150, 300, 1_500];
/// How long a kill waits for the lines it aims at.
const AIM_MS_MAX: u64 = 3_000;
const DRAINS_MAX: u32 = 30;

struct Round {
    shop: Shop,
    chance: Chance,
    sales: Vec<Value>,
    /// All answers seen to each client id, in the order they were printed.
    answers: HashMap<String, Vec<Value>>,
    killed: u32,
    outages: u32,
}

impl Round {
    /// As if a till's day went on: more sales, most of them of people seen before.
    fn more_sales(&mut self) {
        for _ in 0..SALES_PER_ROUND {
            let no = self.sales.len();
            let who = person(u32::try_from(self.chance.below(PERSONS)).unwrap());
            // The amount tells in the agency's ledger which sale a settlement is of.
            let mut order = sale(
                &format!("sale-{no}"),
                &who,
                &format!("{}.{:02}", 61 + no / 100, no % 100),
            );
            order["drugtracinfo"] = json!([{"feedetl_sn": "1", "drug_trac_codg": code_of(no)}]);
            self.sales.push(order);
        }
    }

    fn misbehave(&mut self) {
        const ON: [&str; 10] = [
            "2207", "2207", "2206", "2204", "2201", "5203", "5201", "2601", "3505", "*",
        ];
        const WHAT: [&str; 14] = [
            "late_ms",
            "lose_reply_after_commit",
            "lose_request",
            "twice",
            "bad_gateway_after_commit",
            "half_body",
            "close",
            "html",
            "system_error",
            "system_error_after_commit",
            "stale_figures",
            "wrong_clock",
            "maintenance",
            "rate_limit",
        ];
        let mut faults = format!("# {}\n", self.chance.next());
        for _ in 0..self.chance.below(5) {
            let on = ON[usize::try_from(self.chance.below(ON.len() as u64)).unwrap()];
            let what = WHAT[usize::try_from(self.chance.below(WHAT.len() as u64)).unwrap()];
            faults.push_str(&fault(on, what, 1 + u32::try_from(self.chance.below(3)).unwrap()));
            faults.push_str(&format!("after = {}\n", self.chance.below(4)));
        }
        self.shop.agency.misbehave(&faults);
    }

    /// Starts a command whose input and output are files, so that what was printed stays there.
    fn start(&self, args: &[&str]) -> (Running, PathBuf) {
        let input = self.shop.dir.path().join("input");
        fs::write(&input, text(&self.sales)).unwrap();
        let output = self.shop.dir.path().join("output");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.shop.dir.path().join("stderr"))
            .unwrap();
        let mut command = self.shop.command(args);
        command
            .stdin(Stdio::from(File::open(input).unwrap()))
            .stdout(Stdio::from(File::create(&output).unwrap()))
            .stderr(Stdio::from(log));
        (Running(command.spawn().unwrap()), output)
    }

    /// One run that ends in a kill, unless it was through before.
    fn run_and_kill(&mut self) {
        let draining = self.chance.below(5) == 0;
        let args: &[&str] = if draining { &["queue", "drain"] } else { &["sell"] };
        let (mut running, output) = self.start(args);
        let outage = self.chance.below(3) == 0;
        if outage {
            self.outages += 1;
            self.wait();
            self.shop.agency.stop();
        }
        if draining || self.chance.below(2) == 0 {
            self.wait();
        } else {
            // Right after a new line: at the seam between answer, journal and request.
            let known = self.answers.len() as u64;
            let wanted = known + self.chance.below(SALES_PER_ROUND as u64);
            let started = Instant::now();
            while (printed(&output).len() as u64) < wanted
                && started.elapsed().as_millis() < AIM_MS_MAX.into()
            {
                thread::sleep(Duration::from_millis(1));
            }
            thread::sleep(Duration::from_micros(self.chance.below(10_000)));
        }
        if running.0.try_wait().unwrap().is_none() {
            self.killed += 1;
        }
        running.kill();
        if !draining {
            self.note(&output);
        }
        if outage {
            self.shop.agency.come_back();
        }
    }

    fn wait(&mut self) {
        let max = RUN_MS_MAX[usize::try_from(self.chance.below(3)).unwrap()];
        thread::sleep(Duration::from_millis(self.chance.below(max)));
    }

    fn note(&mut self, output: &PathBuf) {
        for answer in printed(output) {
            let id = answer["sale"].as_str().unwrap().to_owned();
            self.answers.entry(id).or_default().push(answer);
        }
    }

    /// The same input until every line of it is answered.
    fn finish_input(&mut self) {
        let (mut running, output) = self.start(&["sell"]);
        assert!(running.end().success(), "{}", self.errors());
        self.note(&output);
        assert_eq!(printed(&output).len(), self.sales.len());
    }

    fn errors(&self) -> String {
        fs::read_to_string(self.shop.dir.path().join("stderr")).unwrap_or_default()
    }

    fn drain(&self) {
        self.shop.agency.misbehave("");
        for _ in 0..DRAINS_MAX {
            if self.shop.run(&["queue", "drain"]).code == Some(0) {
                return;
            }
        }
        let queue = self.shop.queue();
        let first = string(&queue[0], "sale");
        let history = self.shop.run(&["queue", "show", &first]).out;
        panic!("the queue does not get empty: {first}\n{history}\n{queue:?}");
    }
}

/// The trace code of a sale's pack.
fn code_of(no: usize) -> String {
    format!("8{no:019}")
}

/// Whole lines of an output; one that a kill cut short was not printed.
fn printed(output: &PathBuf) -> Vec<Value> {
    let mut bytes = fs::read(output).unwrap();
    bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or(0));
    let whole = String::from_utf8(bytes).unwrap();
    whole
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect()
}

fn string(row: &Value, key: &str) -> String {
    row[key]
        .as_str()
        .unwrap_or_else(|| panic!("{key} in {row}"))
        .to_owned()
}

#[test]
fn no_kill_loses_or_doubles_a_sale() {
    let rounds: u32 = match std::env::var("YIJIE_ROUNDS") {
        Ok(text) => text.parse().expect("YIJIE_ROUNDS is a number"),
        Err(_) => 12,
    };
    let mut chance = Chance::new();
    let mut left = rounds;
    while left > 0 {
        let today = left.min(ROUNDS_PER_DAY_MAX);
        chance = day(today, chance);
        left -= today;
    }
}

/// A new shop's day.
fn day(rounds: u32, chance: Chance) -> Chance {
    let mut day = Round {
        shop: Shop::open(),
        chance,
        sales: Vec::new(),
        answers: HashMap::new(),
        killed: 0,
        outages: 0,
    };
    for _ in 0..rounds {
        day.more_sales();
        day.misbehave();
        day.run_and_kill();
    }
    day.finish_input();
    day.drain();
    let journal = day.shop.journal();
    // Asked once more, every sale is settled.
    day.finish_input();
    eprintln!(
        "{rounds} rounds, {} killed at work, {} outages, {} sales, {} entries",
        day.killed,
        day.outages,
        day.sales.len(),
        journal.len()
    );
    assert!(
        day.killed > 0 || rounds < 4,
        "every run was through before its kill"
    );

    answers_agree(&day, &journal);
    ledger_is_journal(&day, &journal);
    packs_are_told(&day);
    let told = day.shop.run(&["journal", "verify", "--json"]).exit(0).json();
    assert_eq!(told["whole"], true);
    assert_eq!(told["entries"], json!(day.shop.journal().len()));
    day.chance
}

/// What was printed stands in the journal, and what was settled stays as it was told.
fn answers_agree(day: &Round, journal: &[Value]) {
    let booked: BTreeSet<&str> = journal
        .iter()
        .filter(|row| row["kind"] == "sale")
        .map(|row| row["sale"].as_str().unwrap())
        .collect();
    let booked_count = journal.iter().filter(|row| row["kind"] == "sale").count();
    assert_eq!(booked_count, booked.len(), "a client id was booked twice");
    for order in &day.sales {
        let id = order["sale"].as_str().unwrap();
        let answers = &day.answers[id];
        assert!(
            booked.contains(id),
            "{id} was answered and is not in the journal: {answers:?}"
        );
        let first_settled = answers.iter().position(|answer| answer["state"] == "settled");
        let Some(first_settled) = first_settled else {
            panic!("{id} was never settled: {answers:#?}")
        };
        let (open, settled) = answers.split_at(first_settled);
        for answer in open {
            assert!(
                ["committed", "unknown"].contains(&answer["state"].as_str().unwrap()),
                "{answer}"
            );
        }
        for answer in settled {
            assert_eq!(answer, &settled[0], "a settled sale is told differently");
        }
    }
}

/// Each sale's pack stands at the agency with the settlement that stands.
fn packs_are_told(day: &Round) {
    let ledger = fs::read_to_string(day.shop.agency.data.join("ledger.jsonl")).unwrap();
    let mut sold = BTreeMap::new();
    for line in ledger.lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        for code in entry["codes"].as_array().into_iter().flatten() {
            let code = code.as_str().unwrap().to_owned();
            if entry["returned"] == true {
                sold.remove(&code);
            } else {
                sold.insert(code, string(&entry, "setl_id"));
            }
        }
    }
    let settled: BTreeMap<String, String> = day
        .shop
        .agency
        .settled()
        .iter()
        .map(|row| (string(row, "medfee_sumamt"), string(row, "setl_id")))
        .collect();
    let wanted: BTreeMap<String, String> = (0..day.sales.len())
        .map(|no| {
            let amount = string(&day.sales[no]["lines"][0], "det_item_fee_sumamt");
            (code_of(no), settled[&amount].clone())
        })
        .collect();
    assert_eq!(sold, wanted, "agency on the left");
}

/// The agency's settlements are the journal's, one to one, in every person's order.
fn ledger_is_journal(day: &Round, journal: &[Value]) {
    let ledger = day.shop.agency.settled();
    let mut settled_in_journal = BTreeMap::new();
    for row in journal.iter().filter(|row| row["kind"] == "settled") {
        let before = settled_in_journal.insert(string(row, "msgid"), string(row, "sale"));
        assert_eq!(before, None, "settled twice in the journal: {row}");
    }
    assert_eq!(settled_in_journal.len(), day.sales.len());
    let at_agency: BTreeSet<String> = ledger.iter().map(|row| string(row, "msgid")).collect();
    assert_eq!(at_agency.len(), ledger.len(), "a message id settled twice");
    assert_eq!(
        at_agency,
        settled_in_journal.keys().cloned().collect(),
        "agency on the left, journal on the right"
    );
    for row in &ledger {
        let id = &settled_in_journal[&string(row, "msgid")];
        let answer = day.answers[id].last().unwrap();
        for field in ["medfee_sumamt", "fund_pay_sumamt", "acct_pay", "psn_cash_pay"] {
            assert_eq!(row[field], answer["setlinfo"][field], "{id} {field}");
        }
        assert_eq!(row["setl_id"], answer["setl_id"], "{id}");
        assert_eq!(row["msgid"], answer["msgid"], "{id}");
    }
    for order in &day.sales {
        let amount = &order["lines"][0]["det_item_fee_sumamt"];
        let found = ledger
            .iter()
            .filter(|row| row["medfee_sumamt"] == *amount)
            .count();
        assert_eq!(found, 1, "{order}");
    }
    let of_person = |psn_no: &Value| -> (Vec<Value>, Vec<Value>) {
        let rows = ledger.iter().filter(|row| row["psn_no"] == *psn_no);
        let made = day
            .sales
            .iter()
            .filter(|order| order["person"]["psn_no"] == *psn_no);
        (
            rows.map(|row| row["medfee_sumamt"].clone()).collect(),
            made.map(|order| order["lines"][0]["det_item_fee_sumamt"].clone())
                .collect(),
        )
    };
    for order in &day.sales {
        let (settled, made) = of_person(&order["person"]["psn_no"]);
        assert_eq!(settled, made, "a person's sales out of order");
    }
}
