//! Every switch of the Kunming pack does something: the meaning that is taken and the other one, side by side.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeSet;

use serde_json::{Value, json};
use yijie_rules::{Claim, Options, Packs, split};

/// The pack with one reading changed by an overlay.
fn packs_with(reading: &str, value: &str) -> Packs {
    let overlay = format!(
        "overlay = \"kunming-employee\"\nversion = \"t\"\n[[reading]]\nname = \"{reading}\"\nvalue = \"{value}\"\nquestion = \"Q-0\"\nbecause = \"test\"\n"
    );
    let mut packs = Packs::builtin();
    packs.add("reading.toml", &overlay).unwrap();
    packs
}

/// The code of a refusal, or deductible, fund, account and cash.
fn amounts(packs: &Packs, claim: &Value) -> String {
    let claim = Claim::from_json(claim.to_string().as_bytes()).unwrap();
    let found = serde_json::to_value(split(packs, &claim, &Options::default())).unwrap();
    match found.get("code") {
        Some(code) => code.as_str().unwrap().to_owned(),
        None => ["act_pay_dedc", "fund_pay_sumamt", "acct_pay", "psn_cash_pay"]
            .map(|field| {
                found
                    .pointer(&format!("/setlinfo/{field}"))
                    .unwrap()
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .join(" "),
    }
}

struct Case {
    reading: &'static str,
    other: &'static str,
    claim: Value,
    taken: &'static str,
    otherwise: &'static str,
}

/// 1000.00 at level 3, active, with what differs.
fn claim(med_type: &str, level: &str, accumulated: Value) -> Value {
    json!({
        "person": {"psn_no": "P", "insutype": "310", "psn_type": "11", "insuplc_admdvs": "530100", "registered_diseases": [
            {"dise_codg": "C", "benefit": "chronic"}, {"dise_codg": "S", "benefit": "special"},
            {"dise_codg": "R", "benefit": "special", "class": "renal_failure"}]},
        "institution": {"fixmedins_code": "H1", "fixmedins_type": "1", "medinslv": level},
        "visit": {"med_type": med_type, "begntime": "2026-03-01 09:30:00"},
        "lines": [{"med_list_codg": "N", "det_item_fee_sumamt": "1000.00"}],
        "accumulated": accumulated
    })
}

fn with(mut claim: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    claim
        .pointer_mut(parent)
        .unwrap()
        .as_object_mut()
        .unwrap()
        .insert(key.to_owned(), value);
    claim
}

fn cases() -> Vec<Case> {
    let disease = |claim: Value, code: &str| with(claim, "/visit/dise_codg", json!(code));
    let account = |claim: Value| with(claim, "/accounts", json!({"own": {"balc": "5000.00"}}));
    vec![
        Case {
            reading: "outpatient-deductible-per",
            other: "visit",
            claim: claim(
                "11",
                "3",
                json!([{"pool": "ordinary-outpatient", "key": "H1/2026-03-01", "deductible": "40.00"}]),
            ),
            // (1000 − 90) × 50 %; (1000 − 50) × 50 %
            taken: "90.00 455.00 0.00 545.00",
            otherwise: "50.00 475.00 0.00 525.00",
        },
        Case {
            reading: "crossing-bill",
            other: "stop",
            claim: claim(
                "11",
                "3",
                json!([{"pool": "ordinary-outpatient", "fund": "5950.00"}]),
            ),
            // 50 + (910 − 100) × 85 % = 738.50; 50 and no more
            taken: "90.00 738.50 0.00 261.50",
            otherwise: "90.00 50.00 0.00 950.00",
        },
        Case {
            reading: "chronic-deductible-per",
            other: "settlement",
            claim: disease(
                claim("14", "3", json!([{"pool": "chronic", "deductible": "300.00"}])),
                "C",
            ),
            // 1000 × 80 %; (1000 − 300) × 80 %
            taken: "0.00 800.00 0.00 200.00",
            otherwise: "300.00 560.00 0.00 440.00",
        },
        Case {
            reading: "special-deductible-per",
            other: "settlement",
            claim: disease(
                claim("14", "3", json!([{"pool": "special", "deductible": "880.00"}])),
                "S",
            ),
            // 1000 × 85 %; (1000 − 880) × 85 %
            taken: "0.00 850.00 0.00 150.00",
            otherwise: "880.00 102.00 0.00 898.00",
        },
        Case {
            reading: "renal-level-min",
            other: "1",
            claim: disease(claim("14", "1", json!([])), "R"),
            taken: "BENEFIT_BELOW_TIER",
            otherwise: "0.00 900.00 0.00 100.00",
        },
        Case {
            reading: "negotiated-deductible-per",
            other: "settlement",
            claim: claim(
                "15",
                "3",
                json!([{"pool": "negotiated-drug", "key": "N", "deductible": "880.00"}]),
            ),
            taken: "0.00 850.00 0.00 150.00",
            otherwise: "880.00 102.00 0.00 898.00",
        },
        Case {
            reading: "inpatient-date",
            other: "admission",
            claim: with(
                with(
                    claim("21", "3", json!([])),
                    "/visit/begntime",
                    json!("2022-03-31 09:00:00"),
                ),
                "/visit/enddate",
                json!("2022-04-01 09:00:00"),
            ),
            taken: "880.00 102.00 0.00 898.00",
            otherwise: "NO_PACK",
        },
        Case {
            reading: "account-pays-out-of-scope",
            other: "no",
            claim: with(
                account(claim("11", "3", json!([]))),
                "/lines",
                json!([{"det_item_fee_sumamt": "30.00", "chrgitm_lv": "03"}, {"det_item_fee_sumamt": "10.00"}]),
            ),
            taken: "10.00 0.00 40.00 0.00",
            otherwise: "10.00 0.00 10.00 30.00",
        },
        Case {
            reading: "cause-account",
            other: "no",
            claim: with(
                account(claim("11", "3", json!([]))),
                "/visit/cause",
                json!("work_injury"),
            ),
            taken: "0.00 0.00 1000.00 0.00",
            otherwise: "0.00 0.00 0.00 1000.00",
        },
        Case {
            reading: "unknown-level",
            other: "3",
            claim: claim("11", "9", json!([])),
            // (1000 − 30) × 60 %; (1000 − 90) × 50 %
            taken: "30.00 582.00 0.00 418.00",
            otherwise: "90.00 455.00 0.00 545.00",
        },
    ]
}

#[test]
fn each_switch_has_two_meanings() {
    let builtin = Packs::builtin();
    for case in cases() {
        assert_eq!(
            amounts(&builtin, &case.claim),
            case.taken,
            "{} as taken",
            case.reading
        );
        let other = packs_with(case.reading, case.other);
        assert_eq!(
            amounts(&other, &case.claim),
            case.otherwise,
            "{} = {}",
            case.reading,
            case.other
        );
    }
}

#[test]
fn no_switch_is_left_out() {
    let packs = Packs::builtin();
    let known: BTreeSet<String> = packs
        .get("kunming-employee")
        .into_iter()
        .flat_map(|pack| pack.readings().iter().map(|reading| reading.name.to_string()))
        .collect();
    let tried: BTreeSet<String> = cases().into_iter().map(|case| case.reading.to_owned()).collect();
    assert_eq!(known, tried);
}

/// The switches of the residents' packs that decide the days of benefits; the others are the Kunming employees'.
#[test]
fn the_switches_of_enrolment_have_two_meanings() {
    let answer = |packs: &Packs, person: Value, on: &str| {
        let mut claim = claim("41", "1", json!([]));
        claim["person"] = person;
        claim["visit"]["begntime"] = json!(on);
        amounts(packs, &claim)
    };
    let overlay = |pack: &str, reading: &str, value: &str| {
        let text = format!(
            "overlay = \"{pack}\"\nversion = \"t\"\n[[reading]]\nname = \"{reading}\"\nvalue = \"{value}\"\nquestion = \"Q-0\"\nbecause = \"test\"\n"
        );
        let mut packs = Packs::builtin();
        packs.add("reading.toml", &text).unwrap();
        packs
    };
    let paid = |area: &str, on: &str| json!({"psn_no": "P", "insutype": "390", "psn_type": "1501", "insuplc_admdvs": area, "paid_on": on});
    const CASH: &str = "0.00 0.00 0.00 1000.00";
    let builtin = Packs::builtin();
    let honghe = paid("532501", "2026-02-01");
    assert_eq!(answer(&builtin, honghe.clone(), "2026-03-01"), "WAITING_PERIOD");
    let at_once = overlay("honghe-resident", "paid-in-the-year", "at-once");
    assert_eq!(answer(&at_once, honghe, "2026-03-01"), CASH);
    // 2026-02-01 + 3 months
    let kunming = paid("530102", "2026-02-01");
    assert_eq!(answer(&builtin, kunming.clone(), "2026-04-30"), "WAITING_PERIOD");
    assert_eq!(answer(&builtin, kunming.clone(), "2026-05-01"), CASH);
    let in_time = overlay("kunming-resident", "enrolled-in-the-year", "in-time");
    assert_eq!(
        answer(&in_time, kunming, "2026-05-01"),
        "WAITING_PERIOD",
        "until the next year"
    );
    // the months are not published, but they are six at most
    let panzhihua = paid("510402", "2026-02-01");
    assert_eq!(
        answer(&builtin, panzhihua.clone(), "2026-07-31"),
        "FIGURE_NOT_PUBLISHED"
    );
    assert_eq!(answer(&builtin, panzhihua, "2026-08-01"), CASH);
}
