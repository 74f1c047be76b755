//! Random claims of every pack: persons, visits, lines, accounts, and a year that is often just below a limit.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use yijie_rules::Money;

use super::packs;

/// Area and insurance type of every pack; Kunming's employees, who have the most benefits, oftener.
fn schemes() -> Vec<(String, String)> {
    let of = |pack: &yijie_rules::PackSummary| (pack.area.to_string(), pack.insutype[0].to_string());
    let mut all: Vec<_> = packs().list().iter().map(of).collect();
    let kunming = all[0].clone();
    all.extend([kunming.clone(), kunming.clone(), kunming]);
    all
}

pub(crate) fn yuan(fen: i64) -> String {
    Money::from_fen(fen).to_string()
}

/// Names of rows of the packs and a limit one of them has; what the year has used is often just below it.
const ROWS: [(&str, i64); 14] = [
    ("ordinary-outpatient", 600_000),
    ("ordinary-outpatient", 150_000),
    ("outpatient", 200_000),
    ("outpatient", 2_000_000),
    ("inpatient", 8_000_000),
    ("inpatient", 13_000_000),
    ("large-amount", 42_000_000),
    ("chronic", 500_000),
    ("chronic-year", 130_000),
    ("special", 900_000),
    ("clinic", 100_000),
    ("serious-illness", 22_222_200),
    ("assistance", 300_000),
    ("two-diseases", 30_000),
];

prop_compose! {
    fn line()(
        fen in prop_oneof![0_i64..1_000, 1_000_i64..500_000, 500_000_i64..30_000_000],
        class in select(&["01", "01", "02", "03"]),
        prop in select(&["0", "0.03", "0.05", "0.125", "0.333333", "1"]),
        drug in select(&["A", "B", ""]),
        negotiated in select(&["0", "0", "0", "1"]),
        goods in select(&["drug", "drug", "service", "consumable", "device", "daily"]),
        ceiling in proptest::option::of(1_i64..100_000),
        used_for in select(&[None, None, None, Some("C"), Some("")]),
    ) -> Value {
        json!({"for_diseases": used_for.map(|code| json!([code])),
            "med_list_codg": drug, "chrgitm_lv": class, "selfpay_prop": prop, "hi_nego_drug_flag": negotiated,
            "goods": goods, "pric_uplmt_amt": ceiling.map(yuan), "det_item_fee_sumamt": yuan(fen)})
    }
}

prop_compose! {
    fn used()(
        row in select(&ROWS),
        left in prop_oneof![Just(0_i64), 1_i64..5_000, 5_000_i64..50_000_000],
        deductible in prop_oneof![Just(0_i64), 1_i64..100_000],
        more in prop_oneof![Just(0_i64), 1_i64..50_000_000],
    ) -> Value {
        let fund = (row.1 - left).max(0);
        json!({"pool": row.0, "key": null, "fund": yuan(fund), "deductible": yuan(deductible), "in_scope": yuan(fund + deductible + more)})
    }
}

prop_compose! {
    fn person_and_visit()(
        scheme in select(schemes()),
        psn_type in select(&["11", "1201", "14", "1501", "1502"]),
        level in select(&["1", "2", "3", "9"]),
        med_type in select(&["11", "11", "13", "14", "140104", "140201", "15", "21", "21", "24", "28", "41", "52"]),
        disease in select(&["C1", "C2", "S1", "S2", "T1", "K35", "none"]),
        birth in select(&["1931-04-05", "1958-03-02", "2001-07-09", "2020-02-29"]),
        place in select(&["home", "home", "home", "110000", "530100", "532503"]),
        referral in select(&[None, None, Some("registered"), Some("late"), Some("none")]),
        cause in select(&["illness", "illness", "illness", "illness", "illness", "work_injury", "wellness"]),
        civil in select(&["0", "1"]),
        rx in select(&["0", "1"]),
        rescue in any::<bool>(),
    ) -> Value {
        let (area, insutype) = scheme;
        json!({
            "person": {"psn_no": "P", "insutype": insutype, "psn_type": psn_type, "insuplc_admdvs": area, "brdy": birth,
                "cvlserv_flag": civil, "registered_diseases": [
                    {"dise_codg": "C1", "benefit": "chronic"}, {"dise_codg": "C2", "benefit": "chronic", "class": "mental_illness"},
                    {"dise_codg": "S1", "benefit": "special"}, {"dise_codg": "S2", "benefit": "special", "class": "renal_failure"},
                    {"dise_codg": "T1", "benefit": "two-diseases"}]},
            "institution": {"fixmedins_code": "H1", "fixmedins_type": if med_type == "41" { "2" } else { "1" }, "medinslv": level},
            "visit": {"med_type": med_type, "begntime": "2026-03-01 09:30:00", "dise_codg": disease, "cause": cause, "rx_circ_flag": rx,
                "prescriber_medinslv": level, "prehospital_120": rescue, "registered_referral": referral,
                "mdtrtarea_admvs": if place == "home" { area.as_str() } else { place }}
        })
    }
}

prop_compose! {
    pub(crate) fn claim()(
        mut claim in person_and_visit(),
        lines in vec(line(), 1..6),
        used in vec(used(), 0..5),
        own in proptest::option::of(0_i64..2_000_000),
        family in vec((0_i64..50_000, any::<bool>()), 0..3),
        members in proptest::option::of(1_u8..5),
        large_amount in select(&["1", "1", "2"]),
    ) -> Value {
        claim["person"]["household_members"] = json!(members);
        claim["person"]["supplements"] = json!([{"insutype": "330", "psn_insu_stas": large_amount}]);
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
        claim["lines"] = json!(lines);
        claim["accounts"] = json!({"own": own.map(|fen| json!({"balc": yuan(fen)})), "family": family});
        claim["accumulated"] = json!(rows);
        claim
    }
}
