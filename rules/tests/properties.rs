//! What holds of every claim, tried on random ones; proptest prints the seed of a failure and keeps it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use std::sync::OnceLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use serde_json::{Map, Value, json};
use yijie_rules::{Accumulated, Claim, Money, Options, Outcome, Packs, Settlement, split};

fn packs() -> &'static Packs {
    static PACKS: OnceLock<Packs> = OnceLock::new();
    PACKS.get_or_init(Packs::builtin)
}

fn yuan(fen: i64) -> String {
    Money::from_fen(fen).to_string()
}

/// Yearly limits of the Kunming pools, fen; the chronic one is the highest a person can have.
const LIMITS: [(&str, i64); 4] = [
    ("ordinary-outpatient", 600_000),
    ("inpatient", 8_000_000),
    ("large-amount", 42_000_000),
    ("chronic", 500_000),
];

prop_compose! {
    fn line()(
        fen in prop_oneof![1_i64..100_000, 100_000_i64..20_000_000],
        class in select(&["01", "02", "03"]),
        prop in select(&["0", "0.03", "0.05", "0.1", "0.125", "1"]),
        drug in select(&["A", "B", "C"]),
        negotiated in select(&["0", "0", "1"]),
        goods in select(&["drug", "drug", "service", "device", "food"]),
        ceiling in proptest::option::of(1_i64..100_000),
    ) -> Value {
        json!({"med_list_codg": drug, "chrgitm_lv": class, "selfpay_prop": prop, "hi_nego_drug_flag": negotiated,
            "goods": goods, "pric_uplmt_amt": ceiling.map(yuan), "det_item_fee_sumamt": yuan(fen)})
    }
}

prop_compose! {
    /// What the year has used, often just below a limit.
    fn used()(pool in select(&LIMITS), left in prop_oneof![Just(0_i64), 1_i64..5_000, 5_000_i64..500_000], deductible in 0_i64..88_000) -> Value {
        json!({"pool": pool.0, "fund": yuan((pool.1 - left).max(0)), "deductible": yuan(deductible)})
    }
}

prop_compose! {
    fn claim()(
        lines in vec(line(), 1..6),
        used in vec(used(), 0..4),
        psn_type in select(&["11", "1201"]),
        level in select(&["1", "2", "3", "9"]),
        med_type in select(&["11", "13", "140104", "140201", "15", "21", "24", "28", "41"]),
        disease in select(&["C1", "C2", "S1", "S2"]),
        rx in select(&["0", "1"]),
        rescue in any::<bool>(),
        own in proptest::option::of(0_i64..2_000_000),
        family in vec((0_i64..50_000, any::<bool>()), 0..3),
    ) -> Value {
        let mut rows: Vec<Value> = Vec::new();
        for row in used {
            if rows.iter().all(|known| known["pool"] != row["pool"]) {
                rows.push(row);
            }
        }
        let lines: Vec<Value> = lines.into_iter().enumerate().map(|(n, mut line)| {
            line["feedetl_sn"] = json!((n + 1).to_string());
            line
        }).collect();
        let family: Vec<Value> = family.into_iter().enumerate().map(|(n, (fen, listed))| {
            json!({"psn_no": format!("F{n}"), "relation": "parent", "listed": listed, "insuplc_admdvs": "530100", "balc": yuan(fen)})
        }).collect();
        json!({
            "person": {"psn_no": "P", "insutype": "310", "psn_type": psn_type, "insuplc_admdvs": "530100", "registered_diseases": [
                {"dise_codg": "C1", "benefit": "chronic"}, {"dise_codg": "C2", "benefit": "chronic", "class": "mental_illness"},
                {"dise_codg": "S1", "benefit": "special"}, {"dise_codg": "S2", "benefit": "special", "class": "renal_failure"}]},
            "institution": {"fixmedins_code": "H1", "fixmedins_type": if med_type == "41" { "2" } else { "1" }, "medinslv": level},
            "visit": {"med_type": med_type, "begntime": "2026-03-01 09:30:00", "dise_codg": disease, "rx_circ_flag": rx,
                "prescriber_medinslv": level, "prehospital_120": rescue},
            "lines": lines,
            "accounts": {"acct_used_flag": "1", "own": own.map(|fen| json!({"balc": yuan(fen)})), "family": family},
            "accumulated": rows
        })
    }
}

fn outcome(claim: &Value) -> Outcome {
    split(
        packs(),
        &Claim::from_json(claim.to_string().as_bytes()).unwrap(),
        &Options::default(),
    )
}

/// The settlement, unless a rule refuses the claim.
fn settled(claim: &Value) -> Option<Settlement> {
    outcome(claim).settled().cloned()
}

fn fund(settlement: &Settlement) -> i64 {
    settlement.setlinfo.fund_pay_sumamt.fen()
}

fn row<'a>(rows: &'a [Accumulated], like: &Accumulated) -> Option<&'a Accumulated> {
    rows.iter()
        .find(|row| row.pool == like.pool && row.key == like.key)
}

/// The rows of the year after a settlement: the touched ones replaced.
fn carried(claim: &Value, settlement: &Settlement) -> Value {
    let mut rows: Vec<Accumulated> = serde_json::from_value(claim["accumulated"].clone()).unwrap();
    rows.retain(|known| row(&settlement.accumulated_after, known).is_none());
    rows.extend(settlement.accumulated_after.iter().cloned());
    json!(rows)
}

/// Keys in another order, amounts as bare numbers.
fn scrambled(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let fields = map.iter().rev().map(|(key, value)| {
                let numeric = matches!(
                    key.as_str(),
                    "det_item_fee_sumamt"
                        | "balc"
                        | "fund"
                        | "deductible"
                        | "selfpay_prop"
                        | "pric_uplmt_amt"
                );
                let text = value.as_str().filter(|_| numeric).map(str::to_owned);
                format!("{} : {}", json!(key), text.unwrap_or_else(|| scrambled(value)))
            });
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(" ,\n"))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(scrambled).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn the_identities_hold_and_a_result_reads_back(claim in claim()) {
        let outcome = outcome(&claim);
        if let Outcome::Settled(settlement) = &outcome {
            prop_assert_eq!(settlement.check(), Ok(()));
            let cut: i64 = settlement.trace.iter().filter(|step| {
                use yijie_rules::StepKind::{Account, Cash, FamilyAccount, Pool};
                matches!(step.step, Pool | Account | FamilyAccount | Cash)
            }).map(|step| step.amount.fen()).sum();
            prop_assert_eq!(cut, settlement.setlinfo.medfee_sumamt.fen(), "the steps add up to the bill");
        }
        let text = serde_json::to_vec(&outcome).unwrap();
        prop_assert_eq!(Outcome::from_json(&text).unwrap(), outcome);
    }

    #[test]
    fn more_in_scope_never_means_less_fund(claim in claim(), place in any::<prop::sample::Index>(), more in 1_i64..1_000_000) {
        let Some(before) = settled(&claim) else { return Ok(()) };
        let mut larger = claim.clone();
        let line = place.index(claim["lines"].as_array().unwrap().len());
        let line = &mut larger["lines"][line];
        // the added expense is wholly within the scope only where there is no price ceiling
        line["pric_uplmt_amt"] = Value::Null;
        let fen = Money::parse(line["det_item_fee_sumamt"].as_str().unwrap()).unwrap().fen();
        line["det_item_fee_sumamt"] = json!(yuan(fen + more));
        let after = settled(&larger).unwrap();
        prop_assert!(after.setlinfo.inscp_scp_amt >= before.setlinfo.inscp_scp_amt);
        prop_assert!(fund(&after) >= fund(&before), "{} < {}", fund(&after), fund(&before));
    }

    #[test]
    fn no_pool_pays_beyond_its_limit(claim in claim()) {
        let Some(settlement) = settled(&claim) else { return Ok(()) };
        for (pool, limit) in LIMITS {
            for row in settlement.accumulated_after.iter().filter(|row| row.pool == pool) {
                prop_assert!(row.fund.fen() <= limit, "{pool}: {}", row.fund);
            }
        }
        for row in &settlement.setldetail {
            prop_assert!(Some(row.fund_payamt) <= row.crt_payb_lmt_amt);
        }
    }

    #[test]
    fn a_yearly_deductible_does_not_care_where_the_bill_is_cut(claim in claim(), disease in select(&["C1", "S1"]), cut in any::<prop::sample::Index>()) {
        let mut whole = claim;
        whole["visit"]["med_type"] = json!("14");
        whole["visit"]["dise_codg"] = json!(disease);
        let Some(together) = settled(&whole) else { return Ok(()) };
        let lines = whole["lines"].as_array().unwrap().clone();
        let (first, second) = lines.split_at(cut.index(lines.len() + 1));
        let mut paid = 0;
        let mut accumulated = whole["accumulated"].clone();
        for part in [first, second].into_iter().filter(|part| !part.is_empty()) {
            let mut bill = whole.clone();
            bill["lines"] = json!(part);
            bill["accumulated"] = accumulated.clone();
            let settlement = settled(&bill).unwrap();
            accumulated = carried(&bill, &settlement);
            paid += fund(&settlement);
        }
        // one rounding for each bucket of each bill: at most half a fen for each of two pools and three bills
        prop_assert!((paid - fund(&together)).abs() <= 3, "{paid} against {}", fund(&together));
    }

    #[test]
    fn the_order_of_lines_does_not_matter(claim in claim(), turn in any::<prop::sample::Index>()) {
        let mut turned = claim.clone();
        let lines = turned["lines"].as_array_mut().unwrap();
        let by = turn.index(lines.len());
        lines.rotate_left(by);
        let (Some(one), Some(other)) = (settled(&claim), settled(&turned)) else {
            prop_assert_eq!(settled(&claim).is_some(), settled(&turned).is_some());
            return Ok(());
        };
        prop_assert_eq!(one.setlinfo, other.setlinfo);
        prop_assert_eq!(one.setldetail, other.setldetail);
        prop_assert_eq!(one.accounts_after, other.accounts_after);
        prop_assert_eq!(one.accumulated_after.len(), other.accumulated_after.len());
        for left in &one.accumulated_after {
            prop_assert_eq!(Some(left), row(&other.accumulated_after, left));
        }
    }

    #[test]
    fn what_a_settlement_adds_to_the_year_is_what_it_paid(claim in claim()) {
        let Some(settlement) = settled(&claim) else { return Ok(()) };
        let before: Vec<Accumulated> = serde_json::from_value(claim["accumulated"].clone()).unwrap();
        let (mut fund_added, mut deductible_added, mut scope_added) = (0, 0, 0);
        for after in &settlement.accumulated_after {
            let was = row(&before, after).cloned().unwrap_or_default();
            fund_added += after.fund.fen() - was.fund.fen();
            deductible_added += after.deductible.fen() - was.deductible.fen();
            scope_added += after.in_scope.fen() - was.in_scope.fen();
        }
        // so a reversal, which takes the settlement's own amounts off again, gives back every accumulator
        prop_assert_eq!(fund_added, fund(&settlement));
        prop_assert_eq!(deductible_added, settlement.setlinfo.act_pay_dedc.fen());
        let scope = if settlement.benefit == "pharmacy" { 0 } else { settlement.setlinfo.inscp_scp_amt.fen() };
        prop_assert_eq!(scope_added, scope);
    }

    #[test]
    fn key_order_and_bare_numbers_do_not_matter(claim in claim()) {
        let read = Claim::from_json(scrambled(&claim).as_bytes()).unwrap();
        prop_assert_eq!(split(packs(), &read, &Options::default()), outcome(&claim));
    }

    #[test]
    fn a_damaged_claim_or_pack_is_refused_without_harm(claim in claim(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let pack = include_str!("../packs/530100-kunming/employee.toml");
        for text in [claim.to_string().into_bytes(), pack.as_bytes().to_vec()] {
            let mut text = text;
            let place = at.index(text.len());
            if cut { text.truncate(place) } else { text[place] = byte }
            if let Ok(claim) = Claim::from_json(&text) {
                let _ = split(packs(), &claim, &Options::default());
            }
            let text = String::from_utf8_lossy(&text);
            for error in yijie_rules::check_pack(packs(), "damaged.toml", &text) {
                prop_assert!(error.line >= 1 && error.line <= text.lines().count() + 1);
            }
        }
    }
}

#[test]
fn the_random_claims_reach_every_benefit() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = Map::new();
    for _ in 0..2000 {
        let tree = claim().new_tree(&mut runner).unwrap();
        if let Some(settlement) = settled(&tree.current()) {
            seen.insert(settlement.benefit.to_string(), json!(true));
        }
    }
    let mut names: Vec<&String> = seen.keys().collect();
    names.sort();
    let all = [
        "chronic",
        "day-surgery",
        "emergency",
        "inpatient",
        "negotiated-drug",
        "ordinary-outpatient",
        "pharmacy",
        "special",
    ];
    assert_eq!(names, all);
}
