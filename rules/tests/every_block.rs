//! What cities want and no pack of this folder from a real one says, each once, in a city that does not exist: settled by
//! hand. The year is carried from bill to bill.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use serde_json::{Value, json};
use yijie_rules::{Accumulated, Claim, Options, Packs, Settlement, check_pack, split};

const CITY: &str = include_str!("packs/990100-every-block-employee.toml");

fn settle(claim: &Value) -> Settlement {
    let mut packs = Packs::default();
    packs.add("city.toml", CITY).unwrap();
    let claim = Claim::from_json(claim.to_string().as_bytes()).unwrap();
    split(&packs, &claim, &Options::default())
        .settled()
        .unwrap()
        .clone()
}

/// Each settlement after the other, the year carried along: what each pool pays, what it had left, then the cash.
fn day(claims: &[Value]) -> Vec<Vec<String>> {
    let mut year: Vec<Accumulated> = Vec::new();
    let paid = claims.iter().map(|claim| {
        let mut claim = claim.clone();
        claim["accumulated"] = json!(year);
        let settled = settle(&claim);
        for after in &settled.accumulated_after {
            year.retain(|row| (&row.pool, &row.key) != (&after.pool, &after.key));
            year.push(after.clone());
        }
        let rows = settled.setldetail.iter().map(|row| {
            let left = row
                .crt_payb_lmt_amt
                .map_or("-".to_owned(), |left| left.to_string());
            format!("{} {} of {left}", row.pool, row.fund_payamt)
        });
        rows.chain([settled.setlinfo.psn_cash_pay.to_string()]).collect()
    });
    paid.collect()
}

fn visit(med_type: &str, fen: i64, on: &str) -> Value {
    json!({
        "person": {"psn_no": "P", "insutype": "310", "psn_type": "11", "insuplc_admdvs": "990100"},
        "institution": {"fixmedins_code": "H1", "medinslv": "3"},
        "visit": {"med_type": med_type, "begntime": format!("{on} 10:00:00")},
        "lines": [{"det_item_fee_sumamt": yijie_rules::Money::from_fen(fen).to_string()}]
    })
}

#[test]
fn the_city_has_no_mistake() {
    assert_eq!(check_pack(&Packs::default(), "city.toml", CITY), []);
}

#[test]
fn a_limit_of_a_disease_and_month_counts_with_the_limit_of_the_year() {
    let chronic = |disease: &str, fen: i64, on: &str| {
        let mut claim = visit("14", fen, on);
        claim["visit"]["dise_codg"] = json!(disease);
        claim["person"]["registered_diseases"] =
            json!([{"dise_codg": "M1", "benefit": "chronic"}, {"dise_codg": "M2", "benefit": "chronic"}]);
        claim
    };
    let day = day(&[
        chronic("M1", 40_000, "2026-03-01"),
        chronic("M1", 40_000, "2026-03-20"),
        chronic("M2", 40_000, "2026-03-20"),
        chronic("M1", 40_000, "2026-04-01"),
        chronic("M2", 40_000, "2026-04-01"),
    ]);
    // 80 %, at most 500 a disease and month, at most 1300 a year for all of them
    assert_eq!(
        day,
        [
            ["chronic 320.00 of 500.00", "80.00"],
            ["chronic 180.00 of 180.00", "220.00"],
            ["chronic 320.00 of 500.00", "80.00"],
            ["chronic 320.00 of 480.00", "80.00"],
            ["chronic 160.00 of 160.00", "240.00"],
        ]
    );
}

#[test]
fn the_deductible_falls_with_each_admission() {
    let one = visit("21", 100_000, "2026-03-01");
    let same = visit("21", 100_000, "2026-03-01");
    let day = day(&[
        one,
        same,
        visit("21", 100_000, "2026-04-01"),
        visit("21", 100_000, "2026-05-01"),
        visit("21", 100_000, "2026-06-01"),
    ]);
    // 800, nothing more in the same admission, then 400, then none; 80 % with 5 % beside it
    let paid = |basic: &str, beside: &str, cash: &str| {
        vec![
            format!("inpatient {basic} of -"),
            format!("subsidy {beside} of -"),
            cash.to_owned(),
        ]
    };
    assert_eq!(
        day,
        [
            paid("160.00", "10.00", "830.00"),
            paid("800.00", "50.00", "150.00"),
            paid("480.00", "30.00", "490.00"),
            paid("800.00", "50.00", "150.00"),
            paid("800.00", "50.00", "150.00"),
        ]
    );
}

#[test]
fn the_person_pays_a_share_first_elsewhere() {
    let mut claim = visit("21", 200_000, "2026-03-01");
    claim["visit"]["mdtrtarea_admvs"] = json!("110000");
    // 10 % first: 200; 1800 in scope, less 800: 1000 x 80 % x 90 % = 720, and 50 beside it
    assert_eq!(
        day(&[claim.clone()]),
        [["inpatient 720.00 of -", "subsidy 50.00 of -", "1230.00"]]
    );
    let sums = settle(&claim).setlinfo;
    assert_eq!(
        (sums.preselfpay_amt.to_string(), sums.inscp_scp_amt.to_string()),
        ("200.00".to_owned(), "1800.00".to_owned())
    );
}

#[test]
fn a_case_has_a_price_and_the_institution_bears_what_is_above() {
    let mut claim = visit("28", 300_000, "2026-03-01");
    claim["visit"]["dise_codg"] = json!("K35");
    // the price is 2500: less the deductible 400, 70 % of 2100; 500 is the hospital's
    let settled = settle(&claim);
    assert_eq!(settled.check(), Ok(()));
    let sums = settled.setlinfo;
    assert_eq!(
        [sums.hifp_pay, sums.psn_cash_pay, sums.hosp_part_amt].map(|sum| sum.to_string()),
        ["1470.00", "1030.00", "500.00"]
    );
    // no price is listed for any other disease: all 3000 count
    claim["visit"]["dise_codg"] = Value::Null;
    let sums = settle(&claim).setlinfo;
    assert_eq!(
        [sums.hifp_pay, sums.psn_cash_pay, sums.hosp_part_amt].map(|sum| sum.to_string()),
        ["1820.00", "1180.00", "0.00"]
    );
}

#[test]
fn two_benefits_bear_one_deductible_and_share_a_limit_on_expense() {
    let day = day(&[
        visit("11", 15_000, "2026-03-01"),
        visit("41", 15_000, "2026-03-02"),
        visit("11", 200_000, "2026-03-03"),
    ]);
    // 200 together in the year; 2000 of expense above it together: 100, then 1900; 60 % at the clinic, 50 % at the pharmacy
    assert_eq!(
        day,
        [
            vec!["150.00".to_owned()],
            vec!["outpatient 50.00 of 2000.00".to_owned(), "100.00".to_owned()],
            vec!["outpatient 1140.00 of 1900.00".to_owned(), "860.00".to_owned()],
        ]
    );
}

#[test]
fn a_layer_looks_at_the_parts_it_covers() {
    let mut claim = visit("21", 1_000_000, "2026-03-01");
    claim["lines"][0]["chrgitm_lv"] = json!("02");
    claim["lines"][0]["selfpay_prop"] = json!("0.10");
    claim["person"]["cvlserv_flag"] = json!("1");
    // 9000 in scope, less 800: 8200 x 80 % = 6560 and 410 beside; the share 1230 and the first self-pay 1000 count,
    // above 1000 each time at 50 %: 615, at most 600
    assert_eq!(
        day(&[claim.clone(), claim]),
        [
            vec![
                "inpatient 6560.00 of -",
                "subsidy 410.00 of -",
                "civil 600.00 of -",
                "2430.00"
            ],
            vec![
                "inpatient 7200.00 of -",
                "subsidy 450.00 of -",
                "civil 600.00 of -",
                "1750.00"
            ],
        ]
    );
}

#[test]
fn a_benefit_may_be_for_some_persons_only() {
    let mut claim = visit("11", 100_000, "2026-03-01");
    claim["person"]["psn_type"] = json!("12");
    claim["institution"]["medinslv"] = json!("1");
    // retired persons at level 1 bear no deductible and have 90 %
    assert_eq!(day(&[claim]), [["outpatient 900.00 of 2000.00", "100.00"]]);
}
