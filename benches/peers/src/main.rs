//! The same claims through yijie and through a zen-engine decision: time for each, and how many come out to the fen.
//! Writes the claims and yijie's answers for `openfisca_model.py`. Usage: peers COUNT FOLDER

use std::fs;
use std::hint::black_box;
use std::time::Duration;

use serde_json::{Value, json};
use yijie_rules::{Claim, Options, Packs, split};
use zen_engine::DecisionEngine;
use zen_engine::model::DecisionContent;

/// splitmix64 with a fixed seed: every run has the same claims.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }
}

fn yuan(fen: u64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

/// A three-line outpatient bill of a Kunming employee; one in four is close to the 6000 yuan of the year.
fn claim(chance: &mut Chance, no: u64) -> Value {
    let used = if chance.below(4) == 0 {
        580_000 + chance.below(20_000)
    } else {
        chance.below(400_000)
    };
    let line = |chance: &mut Chance, sn: u64| {
        let class = ["01", "01", "02", "03"][chance.below(4) as usize];
        let (price, count) = (1 + chance.below(30_000), 1 + chance.below(5));
        let ceiling = if chance.below(3) == 0 {
            price * (50 + chance.below(60)) / 100 + 1
        } else {
            99_999_900
        };
        let prop = if class == "02" {
            ["0.05", "0.1", "0.125"][chance.below(3) as usize]
        } else {
            "0"
        };
        json!({"feedetl_sn": sn.to_string(), "med_list_codg": format!("XA{sn:07}"), "chrgitm_lv": class, "selfpay_prop": prop,
            "pric": yuan(price), "cnt": count.to_string(), "pric_uplmt_amt": yuan(ceiling), "det_item_fee_sumamt": yuan(price * count)})
    };
    let psn_type = ["11", "12"][chance.below(2) as usize];
    json!({
        "person": {"psn_no": format!("5301{no:022}"), "insutype": "310", "psn_type": psn_type,
            "insuplc_admdvs": "530100", "psn_insu_stas": "1"},
        "institution": {"fixmedins_code": "H53010200001", "fixmedins_type": "1", "medinslv": (1 + chance.below(3)).to_string()},
        "visit": {"med_type": "11", "begntime": "2026-03-01 09:30:00", "mdtrtarea_admvs": "530100"},
        "lines": [line(chance, 1), line(chance, 2), line(chance, 3)],
        "accounts": {"own": {"balc": yuan(chance.below(50_000))}},
        "accumulated": [{"pool": "ordinary-outpatient", "fund": yuan(used)}]
    })
}

/// What the peers are asked: the same bill as plain numbers.
fn plain(claim: &Value) -> Value {
    let number = |value: &Value| -> Value { serde_json::from_str(value.as_str().unwrap()).unwrap() };
    let lines: Vec<Value> = claim["lines"].as_array().unwrap().iter().map(|line| {
        json!({"amount": number(&line["det_item_fee_sumamt"]), "class": line["chrgitm_lv"].as_str().unwrap()[1..].parse::<u8>().unwrap(),
            "prop": number(&line["selfpay_prop"]), "ceiling": number(&line["pric_uplmt_amt"]), "cnt": number(&line["cnt"])})
    }).collect();
    json!({"level": number(&claim["institution"]["medinslv"]), "retired": claim["person"]["psn_type"] == "12",
        "used": number(&claim["accumulated"][0]["fund"]), "own": number(&claim["accounts"]["own"]["balc"]), "lines": lines})
}

/// Time this thread has been on a core: what other programs take of the machine does not count.
fn on_core() -> Duration {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    Duration::from_nanos(
        stat.split(' ')
            .next()
            .and_then(|ns| ns.parse().ok())
            .expect("nanoseconds"),
    )
}

fn told(what: &str, count: usize, took: Duration, exact: usize) {
    let each = took / u32::try_from(count).unwrap();
    println!(
        "{what}\t{:.0}\t{each:?}\t{exact}/{count}",
        count as f64 / took.as_secs_f64()
    );
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (count, folder) = (args[1].parse::<usize>().unwrap(), &args[2]);
    let mut chance = Chance(20_260_301);
    let claims: Vec<Value> = (0..count).map(|no| claim(&mut chance, no as u64)).collect();
    let texts: Vec<String> = claims.iter().map(Value::to_string).collect();

    let (packs, options) = (
        Packs::builtin(),
        Options {
            trace: false,
            ..Options::default()
        },
    );
    let read: Vec<Claim> = texts
        .iter()
        .map(|text| Claim::from_json(text.as_bytes()).unwrap())
        .collect();
    let started = on_core();
    for claim in &read {
        black_box(split(&packs, claim, &options));
    }
    let took = on_core() - started;
    let amounts: Vec<[String; 4]> = read
        .iter()
        .map(|claim| {
            let outcome = split(&packs, claim, &options);
            let settlement = outcome.settled().expect("these claims are settled");
            let pool = |name: &str| {
                let row = settlement.setldetail.iter().find(|row| row.pool == name);
                row.map_or_else(|| "0.00".to_owned(), |row| row.fund_payamt.to_string())
            };
            let sums = &settlement.setlinfo;
            [
                pool("ordinary-outpatient"),
                pool("inpatient"),
                sums.acct_pay.to_string(),
                sums.psn_cash_pay.to_string(),
            ]
        })
        .collect();
    told("yijie, in process", count, took, count);

    let started = on_core();
    let mut out = Vec::new();
    for text in &texts {
        out.clear();
        split(&packs, &Claim::from_json(text.as_bytes()).unwrap(), &options).write_json(&mut out);
        black_box(out.len());
    }
    told("yijie, JSON in and out", count, on_core() - started, count);

    let asked: Vec<Value> = claims.iter().map(plain).collect();
    let content: DecisionContent = serde_json::from_str(include_str!("../split.jdm.json")).unwrap();
    let mut decision = DecisionEngine::default().create_decision(content.into()).unwrap();
    decision.compile();
    let few = asked.len().min(20_000);
    let contexts: Vec<_> = asked
        .iter()
        .take(few)
        .map(|value| zen_expression::variable::Variable::from(value.clone()))
        .collect();
    let started = on_core();
    for context in &contexts {
        black_box(futures_executor::block_on(decision.evaluate(context.clone())).unwrap());
    }
    let took = on_core() - started;
    let exact = contexts
        .iter()
        .zip(&amounts)
        .filter(|(context, amounts)| {
            let answer = futures_executor::block_on(decision.evaluate((*context).clone())).unwrap();
            let answer = answer.result.to_value();
            let is = |key: &str, amount: &String| {
                format!("{:.2}", answer[key].as_f64().unwrap_or(-1.0)) == *amount
            };
            is("outpatient", &amounts[0])
                && is("inpatient", &amounts[1])
                && is("account", &amounts[2])
                && is("cash", &amounts[3])
        })
        .count();
    told("zen-engine, in process", few, took, exact);

    fs::create_dir_all(folder).unwrap();
    let rows = asked
        .iter()
        .zip(&amounts)
        .map(|(claim, amounts)| json!({"claim": claim, "amounts": amounts}).to_string() + "\n");
    fs::write(format!("{folder}/claims.jsonl"), rows.collect::<String>()).unwrap();
}
