//! What holds of every claim under every pack: the built-in ones, the residents' with the figures of the sandbox, cities of
//! other provinces, the city of the page. proptest prints the seed of a failure and keeps it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

#[path = "random/claims.rs"]
mod claims;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use serde_json::{Value, json};
use yijie_rules::{
    Accumulated, Claim, Lang, Money, Options, Outcome, Packs, Settlement, StepKind, TraceStep, split,
};

use claims::{claim, yuan};

const ELSEWHERE: [&str; 7] = [
    "110000-beijing-employee.toml",
    "310000-shanghai-like-employee.toml",
    "430400-hengyang-employee.toml",
    "440100-guangzhou-like-employee.toml",
    "610200-tongchuan-resident.toml",
    "990100-every-block-employee.toml",
    "990300-household-resident.toml",
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

fn outcome_in(claim: &Value, lang: Lang) -> Outcome {
    let claim = Claim::from_json(claim.to_string().as_bytes()).unwrap();
    let options = Options {
        lang,
        ..Options::default()
    };
    split(packs(), &claim, &options)
}

fn outcome(claim: &Value) -> Outcome {
    outcome_in(claim, Lang::Zh)
}

/// The settlement, unless a rule refuses the claim.
fn settled(claim: &Value) -> Option<Settlement> {
    outcome(claim).settled().cloned()
}

fn fund(settlement: &Settlement) -> i64 {
    settlement.setlinfo.fund_pay_sumamt.fen()
}

fn sum(steps: &[TraceStep], kinds: &[StepKind]) -> i64 {
    let of_kind = steps.iter().filter(|step| kinds.contains(&step.step));
    of_kind.map(|step| step.amount.fen()).sum()
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

/// Where the deductible goes by the year and nothing counts by the bill, a bill may be cut in two.
fn may_be_cut(settlement: &Settlement) -> bool {
    let (pack, benefit) = (settlement.pack.id.as_str(), settlement.benefit.as_str());
    matches!(
        (pack, benefit),
        (
            _,
            "chronic" | "special" | "retired-clinic" | "clinic" | "outpatient"
        ) | ("kunming-employee", "negotiated-drug")
            | ("tongchuan-resident", "ordinary-outpatient")
    )
}

/// Keys in another order, amounts as bare numbers.
fn scrambled(value: &Value) -> String {
    const NUMERIC: [&str; 7] = [
        "det_item_fee_sumamt",
        "balc",
        "fund",
        "deductible",
        "in_scope",
        "selfpay_prop",
        "pric_uplmt_amt",
    ];
    match value {
        Value::Object(map) => {
            let fields = map.iter().rev().map(|(key, value)| {
                let numeric = NUMERIC.contains(&key.as_str());
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
    fn every_fen_has_its_step_and_the_sums_hold(claim in claim()) {
        use StepKind::{Account, Cash, Deductible, FamilyAccount, FirstSelfPay, FullOwnPay, Hospital, OverLimit, Pool};
        for lang in [Lang::Zh, Lang::En] {
            let outcome = outcome_in(&claim, lang);
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
                (&[Hospital], sums.hosp_part_amt),
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
    fn no_pool_pays_beyond_its_limit(claim in claim()) {
        let Some(settlement) = settled(&claim) else { return Ok(()) };
        for row in &settlement.setldetail {
            prop_assert!(row.crt_payb_lmt_amt.is_none_or(|left| row.fund_payamt <= left), "{:?}", row);
        }
        if settlement.pack.id == "kunming-employee" {
            for row in &settlement.accumulated_after {
                let limit = match row.pool.as_str() {
                    "ordinary-outpatient" => 600_000,
                    "inpatient" => 8_000_000,
                    "large-amount" => 42_000_000,
                    "chronic" => 500_000,
                    _ => continue,
                };
                let before: Vec<Accumulated> = serde_json::from_value(claim["accumulated"].clone()).unwrap();
                let was = self::row(&before, row).map_or(0, |row| row.fund.fen());
                prop_assert!(row.fund.fen() <= limit.max(was), "{}: {}", row.pool, row.fund);
            }
        }
        let sums = &settlement.setlinfo;
        prop_assert!(sums.fund_pay_sumamt.fen() <= sums.inscp_scp_amt.fen() + sums.preselfpay_amt.fen());
    }

    #[test]
    fn more_in_scope_never_means_less_fund(claim in claim(), place in any::<Index>(), more in 1_i64..1_000_000) {
        let Some(before) = settled(&claim) else { return Ok(()) };
        let mut larger = claim.clone();
        let line = place.index(claim["lines"].as_array().unwrap().len());
        let line = &mut larger["lines"][line];
        // the added expense is wholly within the scope only where there is no price ceiling
        line["pric_uplmt_amt"] = Value::Null;
        let fen = Money::parse(line["det_item_fee_sumamt"].as_str().unwrap()).unwrap().fen();
        line["det_item_fee_sumamt"] = json!(yuan(fen + more));
        let Some(after) = settled(&larger) else { return Ok(()) };
        prop_assert!(after.setlinfo.inscp_scp_amt >= before.setlinfo.inscp_scp_amt);
        prop_assert!(fund(&after) >= fund(&before), "{} < {}", fund(&after), fund(&before));
    }

    #[test]
    fn a_yearly_deductible_does_not_care_where_the_bill_is_cut(claim in claim(), cut in any::<Index>()) {
        let Some(together) = settled(&claim) else { return Ok(()) };
        let negotiated = |line: &Value| line["hi_nego_drug_flag"] == "1";
        let lines = claim["lines"].as_array().unwrap().clone();
        // two benefits on one bill take turns at a pool: cut apart, each may come first
        if !may_be_cut(&together) || lines.iter().any(|line| negotiated(line) != negotiated(&lines[0])) {
            return Ok(());
        }
        let (first, second) = lines.split_at(cut.index(lines.len() + 1));
        let mut paid = 0;
        let mut accumulated = claim["accumulated"].clone();
        for part in [first, second].into_iter().filter(|part| !part.is_empty()) {
            let mut bill = claim.clone();
            bill["lines"] = json!(part);
            bill["accumulated"] = accumulated.clone();
            let settlement = settled(&bill).unwrap();
            accumulated = carried(&bill, &settlement);
            paid += fund(&settlement);
        }
        // one rounding for each bucket of each bill: at most half a fen for each pool and each of three bills
        let pools = i64::try_from(together.setldetail.len()).unwrap().max(2);
        prop_assert!((paid - fund(&together)).abs() * 2 <= 3 * pools, "{paid} against {}", fund(&together));
    }

    #[test]
    fn the_order_of_lines_does_not_matter(claim in claim(), turn in any::<Index>()) {
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

    /// A reversal takes the settlement's own amounts off again, so they must be what the rows have grown by.
    #[test]
    fn a_reversal_gives_back_every_accumulator(claim in claim()) {
        let Some(settlement) = settled(&claim) else { return Ok(()) };
        let before: Vec<Accumulated> = serde_json::from_value(claim["accumulated"].clone()).unwrap();
        let (mut fund_added, mut deductible_added, mut scope_added) = (0, 0, 0);
        for after in &settlement.accumulated_after {
            let was = row(&before, after).cloned().unwrap_or_default();
            let added = after.fund.fen() - was.fund.fen();
            prop_assert!(added >= 0 && after.deductible >= was.deductible && after.in_scope >= was.in_scope);
            let rows = settlement.setldetail.iter().filter(|row| row.pool == after.pool);
            let paid: i64 = rows.map(|row| row.fund_payamt.fen()).sum();
            // a pool that others count with grows by what they pay
            prop_assert!(added == 0 || added >= paid, "{}", after.pool);
            fund_added += added;
            deductible_added += after.deductible.fen() - was.deductible.fen();
            scope_added += after.in_scope.fen() - was.in_scope.fen();
        }
        prop_assert!(fund_added >= fund(&settlement));
        prop_assert!(deductible_added >= settlement.setlinfo.act_pay_dedc.fen());
        if settlement.pack.id == "kunming-employee" {
            // its pools stand alone, and it has no layers
            prop_assert_eq!(fund_added, fund(&settlement));
            prop_assert_eq!(deductible_added, settlement.setlinfo.act_pay_dedc.fen());
            let nothing = settlement.benefit == "pharmacy" || !settlement.notes.is_empty();
            prop_assert!(nothing || scope_added == settlement.setlinfo.inscp_scp_amt.fen());
        }
    }

    #[test]
    fn key_order_and_bare_numbers_do_not_matter(claim in claim()) {
        let read = Claim::from_json(scrambled(&claim).as_bytes()).unwrap();
        prop_assert_eq!(split(packs(), &read, &Options::default()), outcome(&claim));
    }

    #[test]
    fn a_damaged_claim_or_pack_is_refused_without_harm(claim in claim(), at in any::<Index>(), byte in any::<u8>(), cut in any::<bool>()) {
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
fn the_random_claims_reach_every_pack_and_its_benefits() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    let mut cut = 0;
    for _ in 0..5000 {
        if let Some(settlement) = settled(&claim().new_tree(&mut runner).unwrap().current()) {
            cut += usize::from(may_be_cut(&settlement));
            seen.insert((settlement.pack.id.to_string(), settlement.benefit.to_string()));
        }
    }
    for pack in packs().iter() {
        assert!(
            seen.iter().any(|(id, _)| id == pack.id()),
            "{} is never settled",
            pack.id()
        );
    }
    let kunming = seen.iter().filter(|(id, _)| id == "kunming-employee");
    let kunming: Vec<&str> = kunming.map(|(_, benefit)| benefit.as_str()).collect();
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
    assert_eq!(kunming, all);
    assert!(seen.len() >= 35, "{} {seen:?}", seen.len());
    assert!(cut >= 100, "{cut} of 5000 may be cut");
}
