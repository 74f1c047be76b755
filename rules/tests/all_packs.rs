//! What holds of every claim under every pack: the built-in ones, the residents' with the figures of the sandbox, and
//! the cities of other provinces. proptest prints the seed of a failure and keeps it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use std::collections::BTreeSet;
use std::sync::OnceLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use serde_json::{Value, json};
use yijie_rules::{
    Accumulated, Claim, Lang, Money, Options, Outcome, Packs, Settlement, StepKind, TraceStep, split,
};

const ELSEWHERE: [&str; 4] = [
    "110000-beijing-employee.toml",
    "430400-hengyang-employee.toml",
    "610200-tongchuan-resident.toml",
    "990100-every-block-employee.toml",
];

fn packs() -> &'static Packs {
    static PACKS: OnceLock<Packs> = OnceLock::new();
    PACKS.get_or_init(|| {
        let mut packs = Packs::builtin().with_sandbox_figures();
        for file in ELSEWHERE {
            let path = format!("{}/tests/packs/{file}", env!("CARGO_MANIFEST_DIR"));
            packs.add(file, &std::fs::read_to_string(path).unwrap()).unwrap();
        }
        packs.add("packs/README.md", page_city()).unwrap();
        packs
    })
}

/// The whole city of the documentation page.
fn page_city() -> &'static str {
    let page = include_str!("../packs/README.md");
    let (_, rest) = page.split_once("```toml\n").unwrap();
    rest.split_once("\n```").unwrap().0
}

/// Area and insurance type of every pack.
fn schemes() -> Vec<(String, String)> {
    let list = packs().list();
    let of = list
        .iter()
        .map(|pack| (pack.area.to_string(), pack.insutype[0].to_string()));
    of.collect()
}

fn yuan(fen: i64) -> String {
    Money::from_fen(fen).to_string()
}

prop_compose! {
    fn line()(
        fen in prop_oneof![0_i64..1_000, 1_000_i64..500_000, 500_000_i64..30_000_000],
        class in select(&["01", "01", "02", "03"]),
        prop in select(&["0", "0.05", "0.1", "0.333333"]),
        drug in select(&["A", "B", ""]),
        negotiated in select(&["0", "0", "0", "1"]),
        goods in select(&["drug", "drug", "service", "consumable", "daily"]),
        ceiling in proptest::option::of(1_i64..100_000),
    ) -> Value {
        json!({"med_list_codg": drug, "chrgitm_lv": class, "selfpay_prop": prop, "hi_nego_drug_flag": negotiated,
            "goods": goods, "pric_uplmt_amt": ceiling.map(yuan), "det_item_fee_sumamt": yuan(fen)})
    }
}

prop_compose! {
    fn used()(
        pool in select(&["ordinary-outpatient", "inpatient", "chronic", "special", "serious-illness", "assistance", "large-amount", "two-diseases"]),
        fund in prop_oneof![Just(0_i64), 1_i64..50_000, 1_i64..50_000_000],
        deductible in prop_oneof![Just(0_i64), 1_i64..100_000],
        more in prop_oneof![Just(0_i64), 1_i64..50_000_000],
    ) -> Value {
        json!({"pool": pool, "key": null, "fund": yuan(fund), "deductible": yuan(deductible), "in_scope": yuan(fund + deductible + more)})
    }
}

prop_compose! {
    fn claim()(
        scheme in select(schemes()),
        lines in vec(line(), 1..5),
        used in vec(used(), 0..5),
        psn_type in select(&["11", "1201", "14", "1501", "1502"]),
        level in select(&["1", "2", "3"]),
        med_type in select(&["11", "11", "13", "140104", "140201", "15", "21", "21", "24", "28", "41", "52"]),
        disease in select(&["C1", "S1", "T1", "none"]),
        birth in select(&["1931-04-05", "1958-03-02", "2001-07-09", "2020-02-29"]),
        place in select(&["home", "home", "home", "110000", "530100", "532503"]),
        referral in select(&[None, Some("registered"), Some("late"), Some("none")]),
        cause in select(&["illness", "illness", "illness", "illness", "work_injury", "wellness"]),
        civil in select(&["0", "1"]),
        own in proptest::option::of(0_i64..2_000_000),
        family in vec((0_i64..50_000, any::<bool>()), 0..2),
    ) -> Value {
        let (area, insutype) = scheme;
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
            json!({"psn_no": format!("F\"{n}"), "relation": "parent", "listed": listed, "balc": yuan(fen)})
        }).collect();
        let disease_benefit = match disease { "C1" => "chronic", "S1" => "special", _ => "two-diseases" };
        json!({
            "person": {"psn_no": "P", "insutype": insutype, "psn_type": psn_type, "insuplc_admdvs": area, "brdy": birth,
                "cvlserv_flag": civil, "registered_diseases": [{"dise_codg": "C1", "benefit": disease_benefit},
                {"dise_codg": "S1", "benefit": disease_benefit}, {"dise_codg": "T1", "benefit": disease_benefit}]},
            "institution": {"fixmedins_code": "H1", "fixmedins_type": if med_type == "41" { "2" } else { "1" }, "medinslv": level},
            "visit": {"med_type": med_type, "begntime": "2026-03-01 09:30:00", "dise_codg": disease, "cause": cause,
                "registered_referral": referral, "mdtrtarea_admvs": if place == "home" { area.as_str() } else { place }},
            "lines": lines,
            "accounts": {"own": own.map(|fen| json!({"balc": yuan(fen)})), "family": family},
            "accumulated": rows
        })
    }
}

fn outcome(claim: &Value, lang: Lang) -> Outcome {
    let claim = Claim::from_json(claim.to_string().as_bytes()).unwrap();
    let options = Options {
        lang,
        ..Options::default()
    };
    split(packs(), &claim, &options)
}

fn settled(claim: &Value) -> Option<Settlement> {
    outcome(claim, Lang::Zh).settled().cloned()
}

fn sum(steps: &[TraceStep], kinds: &[StepKind]) -> i64 {
    let of_kind = steps.iter().filter(|step| kinds.contains(&step.step));
    of_kind.map(|step| step.amount.fen()).sum()
}

fn row<'a>(rows: &'a [Accumulated], like: &Accumulated) -> Option<&'a Accumulated> {
    rows.iter()
        .find(|row| row.pool == like.pool && row.key == like.key)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_fen_has_its_step_and_the_sums_hold(claim in claim()) {
        use StepKind::{Account, Cash, Deductible, FamilyAccount, FirstSelfPay, FullOwnPay, Hospital, OverLimit, Pool};
        for lang in [Lang::Zh, Lang::En] {
            let outcome = outcome(&claim, lang);
            let text = serde_json::to_string(&outcome).unwrap();
            let mut written = Vec::new();
            outcome.write_json(&mut written);
            prop_assert_eq!(std::str::from_utf8(&written), Ok(text.as_str()));
            prop_assert_eq!(&Outcome::from_json(text.as_bytes()).unwrap(), &outcome);
            let Outcome::Settled(settlement) = &outcome else { continue };
            prop_assert_eq!(settlement.check(), Ok(()));
            let (sums, steps) = (&settlement.setlinfo, &settlement.trace);
            for (kinds, whole) in [
                (&[Pool, Account, FamilyAccount, Hospital, Cash][..], sums.medfee_sumamt),
                (&[Pool], sums.fund_pay_sumamt),
                (&[Account], sums.acct_pay),
                (&[FamilyAccount], sums.acct_mulaid_pay),
                (&[Cash], sums.psn_cash_pay),
                (&[Deductible], sums.act_pay_dedc),
                (&[FirstSelfPay], sums.preselfpay_amt),
                (&[OverLimit], sums.overlmt_selfpay),
                (&[FullOwnPay], sums.fulamt_ownpay_amt),
            ] {
                prop_assert_eq!(sum(steps, kinds), whole.fen(), "{:?}", kinds);
            }
            for step in steps {
                prop_assert!(!step.article.is_empty() && step.says.contains(&step.amount.to_string()), "{:?}", step);
            }
            let explained = settlement.explain(lang);
            prop_assert!(steps.iter().all(|step| explained.contains(&step.says)));
        }
    }

    #[test]
    fn no_fund_pays_more_than_it_had_left(claim in claim()) {
        let Some(settlement) = settled(&claim) else { return Ok(()) };
        for row in &settlement.setldetail {
            prop_assert!(row.crt_payb_lmt_amt.is_none_or(|left| row.fund_payamt <= left), "{:?}", row);
        }
        let sums = &settlement.setlinfo;
        prop_assert!(sums.fund_pay_sumamt.fen() <= sums.inscp_scp_amt.fen() + sums.preselfpay_amt.fen());
    }

    #[test]
    fn more_in_scope_never_means_less_fund(claim in claim(), more in 1_i64..1_000_000) {
        let Some(before) = settled(&claim) else { return Ok(()) };
        let mut larger = claim;
        let line = &mut larger["lines"][0];
        line["pric_uplmt_amt"] = Value::Null;
        let fen = Money::parse(line["det_item_fee_sumamt"].as_str().unwrap()).unwrap().fen();
        line["det_item_fee_sumamt"] = json!(yuan(fen + more));
        let Some(after) = settled(&larger) else { return Ok(()) };
        prop_assert!(after.setlinfo.fund_pay_sumamt >= before.setlinfo.fund_pay_sumamt);
    }

    #[test]
    fn the_order_of_lines_does_not_matter(claim in claim()) {
        let mut turned = claim.clone();
        turned["lines"].as_array_mut().unwrap().reverse();
        match (settled(&claim), settled(&turned)) {
            (Some(one), Some(other)) => {
                prop_assert_eq!(one.setlinfo, other.setlinfo);
                prop_assert_eq!(one.setldetail, other.setldetail);
                prop_assert_eq!(one.accounts_after, other.accounts_after);
            }
            (one, other) => prop_assert_eq!(one.is_some(), other.is_some()),
        }
    }

    /// A reversal takes the settlement's own amounts off again, so they must be what the rows have grown by.
    #[test]
    fn a_reversal_gives_back_every_accumulator(claim in claim()) {
        let Some(settlement) = settled(&claim) else { return Ok(()) };
        let before: Vec<Accumulated> = serde_json::from_value(claim["accumulated"].clone()).unwrap();
        let mut fund = 0;
        for after in &settlement.accumulated_after {
            let was = row(&before, after).cloned().unwrap_or_default();
            let added = after.fund.fen() - was.fund.fen();
            prop_assert!(added >= 0 && after.deductible >= was.deductible && after.in_scope >= was.in_scope);
            fund += added;
            let rows = settlement.setldetail.iter().filter(|row| row.pool == after.pool);
            let paid: i64 = rows.map(|row| row.fund_payamt.fen()).sum();
            // a pool that others count with grows by what they pay
            prop_assert!(added == 0 || added >= paid, "{}", after.pool);
        }
        prop_assert!(fund >= settlement.setlinfo.fund_pay_sumamt.fen());
    }
}

#[test]
fn the_city_of_the_page_settles_as_the_page_says() {
    assert_eq!(
        yijie_rules::check_pack(&Packs::default(), "page", page_city()),
        []
    );
    let mut claim = json!({
        "person": {"psn_no": "P", "insutype": "310", "psn_type": "12", "insuplc_admdvs": "990200", "brdy": "1954-01-01"},
        "institution": {"medinslv": "3"},
        "visit": {"med_type": "21", "begntime": "2026-03-01 09:30:00", "enddate": "2026-03-09"},
        "lines": [{"det_item_fee_sumamt": "20000.00"}]
    });
    let first = settled(&claim).unwrap();
    assert_eq!(first.setlinfo.act_pay_dedc.to_string(), "800.00");
    assert_eq!(first.setlinfo.hifp_pay.to_string(), "17472.00");
    assert_eq!(first.setlinfo.psn_cash_pay.to_string(), "2528.00");
    claim["accumulated"] = json!(first.accumulated_after);
    claim["lines"] = json!([{"det_item_fee_sumamt": "1000.00"}]);
    let second = settled(&claim).unwrap();
    assert_eq!(second.setlinfo.hifp_pay.to_string(), "273.00");
    let page = include_str!("../packs/README.md");
    for figure in ["19 200.00", "17 472.00", "2 528.00", "273.00"] {
        assert!(page.contains(figure), "{figure}");
    }
}

#[test]
fn the_random_claims_reach_every_pack_and_most_benefits() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for _ in 0..4000 {
        if let Some(settlement) = settled(&claim().new_tree(&mut runner).unwrap().current()) {
            seen.insert((settlement.pack.id.to_string(), settlement.benefit.to_string()));
        }
    }
    for pack in packs().iter() {
        let benefits = seen.iter().filter(|(id, _)| id == pack.id()).count();
        assert!(benefits >= 1, "{} is never settled: {seen:?}", pack.id());
    }
    assert!(seen.len() >= 25, "{seen:?}");
}
