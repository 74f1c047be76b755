//! Blocks that no published pack of this folder uses yet, each over a pack changed in one place; and the mistakes they can have.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use serde_json::{Value, json};
use yijie_rules::{Claim, Options, Packs, check_pack, split};

const HENGYANG: &str = include_str!("packs/430400-hengyang-employee.toml");
const BEIJING: &str = include_str!("packs/110000-beijing-employee.toml");

fn changed(text: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(text.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "the pack no longer has {old:?}");
        text.replacen(old, new, 1)
    })
}

fn packs(text: &str) -> Packs {
    let mut packs = Packs::default();
    packs.add("changed.toml", text).unwrap();
    packs
}

/// 1000.00 at level 3, active.
fn claim(area: &str, med_type: &str, fen: i64, accumulated: Value) -> Value {
    json!({
        "person": {"psn_no": "P", "insutype": "310", "psn_type": "11", "insuplc_admdvs": area, "brdy": "1980-01-01"},
        "institution": {"fixmedins_code": "H1", "medinslv": "3"},
        "visit": {"med_type": med_type, "begntime": "2026-03-01 09:30:00"},
        "lines": [{"det_item_fee_sumamt": yijie_rules::Money::from_fen(fen).to_string()}],
        "accumulated": accumulated
    })
}

/// Each pool with what it pays and what it had left, then the cash.
fn paid(packs: &Packs, claim: &Value) -> Vec<String> {
    let claim = Claim::from_json(claim.to_string().as_bytes()).unwrap();
    let outcome = split(packs, &claim, &Options::default());
    let settled = outcome.settled().unwrap();
    let rows = settled.setldetail.iter().map(|row| {
        let left = row
            .crt_payb_lmt_amt
            .map_or("-".to_owned(), |left| left.to_string());
        format!("{} {} of {left}", row.pool, row.fund_payamt)
    });
    rows.chain([settled.setlinfo.psn_cash_pay.to_string()]).collect()
}

#[test]
fn a_limit_on_expense_counts_the_scope_with_its_deductible() {
    const LIMIT: (&str, &str) = (
        r#"limit = { amount = "outpatient-limit" }"#,
        r#"limit = { amount = "outpatient-limit", of = "in-scope" }"#,
    );
    let stop = packs(&changed(HENGYANG, &[LIMIT]));
    // limit 1500 of expense: of 2000.00 within the scope 1500 count, less the deductible 100, at 60 %
    let first = claim("430406", "11", 200_000, json!([]));
    assert_eq!(
        paid(&stop, &first),
        ["ordinary-outpatient 840.00 of 1500.00", "1160.00"]
    );
    // 1200 used: 300 left, the deductible 100 of it, 200 at 60 %
    let used = json!([{"pool": "ordinary-outpatient", "in_scope": "1200.00", "fund": "660.00", "deductible": "100.00"}]);
    assert_eq!(
        paid(&stop, &claim("430406", "11", 200_000, used)),
        ["ordinary-outpatient 120.00 of 300.00", "1880.00"]
    );
    // nothing is left
    let full = json!([{"pool": "ordinary-outpatient", "in_scope": "1500.00"}]);
    assert_eq!(paid(&stop, &claim("430406", "11", 200_000, full)), ["2000.00"]);
    // overflow: what the limit leaves out goes on, 500 at 60 % in a second pool
    let second = "exhausted = \"go-on\"\n[[benefit.pay]]\npool = \"above\"\nratio = [\"outpatient-ratio\"]\n\n[[pool]]\nid = \"above\"\ntitle = \"超限\"\nfund_pay_type = \"330100\"\ncolumn = \"hifob_pay\"\nunlimited = { source = \"HY-27\", article = \"测试\" }\n";
    let goes_on = packs(&changed(HENGYANG, &[LIMIT, ("exhausted = \"stop\"\n", second)]));
    assert_eq!(
        paid(&goes_on, &first),
        [
            "ordinary-outpatient 840.00 of 1500.00",
            "above 300.00 of -",
            "860.00"
        ]
    );
}

#[test]
fn bands_may_count_the_year_and_begin_above_the_deductible() {
    let used = json!([{"pool": "inpatient", "in_scope": "29300.00", "deductible": "1300.00"}]);
    let claim = claim("110105", "21", 500_000, used);
    // a later admission: deductible 650, 4350 left. From zero, over the year: 29300 + 650; 50 x 85 % + 4300 x 90 %
    let from_zero = packs(&changed(
        BEIJING,
        &[("bands_from = \"zero\"", "bands = \"year\"\nbands_from = \"zero\"")],
    ));
    assert_eq!(
        paid(&from_zero, &claim),
        ["inpatient 3912.50 of 500000.00", "1087.50"]
    );
    // above the deductible: 28000 counted; 2000 x 85 % + 2350 x 90 %
    let above = packs(&changed(
        BEIJING,
        &[("bands_from = \"zero\"", "bands = \"year\"")],
    ));
    assert_eq!(
        paid(&above, &claim),
        ["inpatient 3815.00 of 500000.00", "1185.00"]
    );
    // each settlement anew: 4350 x 85 %
    let anew = packs(&changed(BEIJING, &[("bands_from = \"zero\"\n", "")]));
    assert_eq!(paid(&anew, &claim), ["inpatient 3697.50 of 500000.00", "1302.50"]);
}

const CIVIL: &str = r#"
overlay = "kunming-employee"
version = "cv.1"
[[source]]
id = "CV"
title = "演示"
name = "没有依据"
grade = "sandbox"
[parameter.civil-ratio]
title = "公务员医疗补助比例"
unit = "ratio"
[[parameter.civil-ratio.value]]
from = 2022-04-01
source = "CV"
article = "无"
value = "0.50"
[[pool]]
id = "civil-servant"
title = "公务员医疗补助"
fund_pay_type = "320100"
column = "cvlserv_pay"
unlimited = { source = "CV", article = "无" }
[[layer]]
pool = "civil-servant"
source = "CV"
article = "无"
benefits = ["ordinary-outpatient"]
civil_servant = true
ratio = ["civil-ratio"]
"#;

#[test]
fn an_overlay_adds_a_layer_for_civil_servants_only() {
    let mut packs = Packs::builtin();
    packs.add("civil.toml", CIVIL).unwrap();
    let mut claim = claim("530102", "11", 100_000, json!([]));
    // (1000 - 90) x 50 % = 455; of the 545 left the layer pays half, 272.50
    assert_eq!(
        paid(&packs, &claim),
        ["ordinary-outpatient 455.00 of 6000.00", "545.00"]
    );
    claim["person"]["cvlserv_flag"] = json!("1");
    assert_eq!(
        paid(&packs, &claim),
        [
            "ordinary-outpatient 455.00 of 6000.00",
            "civil-servant 272.50 of -",
            "272.50"
        ]
    );
}

#[test]
fn the_bands_of_an_overlays_layer_begin_at_its_threshold_or_at_zero() {
    let banded = changed(
        CIVIL,
        &[
            ("unit = \"ratio\"\n", "unit = \"ratio\"\nby = [\"band\"]\n"),
            (
                "value = \"0.50\"\n",
                "bands = [\"0.00\", \"300.00\"]\ntable = { \"0.00\" = \"0.50\", \"300.00\" = \"0.80\" }\n\
                 [parameter.civil-threshold]\ntitle = \"起付\"\nunit = \"yuan\"\n[[parameter.civil-threshold.value]]\n\
                 from = 2022-04-01\nsource = \"CV\"\narticle = \"无\"\nvalue = \"200.00\"\n",
            ),
            (
                "civil_servant = true\n",
                "threshold = \"civil-threshold\"\nbands_from = \"zero\"\nper = \"settlement\"\n",
            ),
        ],
    );
    // 545 is the person's, 200 stays with him; from zero 100 x 50 % + 245 x 80 %, above the threshold 300 x 50 % + 45 x 80 %
    for (overlay, pays, cash) in [
        (banded.clone(), "246.00", "299.00"),
        (
            changed(&banded, &[("bands_from = \"zero\"\n", "")]),
            "186.00",
            "359.00",
        ),
    ] {
        let mut packs = Packs::builtin();
        packs.add("civil.toml", &overlay).unwrap();
        let found = paid(&packs, &claim("530102", "11", 100_000, json!([])));
        assert_eq!(found.get(1), Some(&format!("civil-servant {pays} of -")));
        assert_eq!(found.last().map(String::as_str), Some(cash));
    }
}

#[test]
fn each_mistake_in_them_is_found_at_its_line() {
    let cases: &[(&str, &str, &str, &str)] = &[
        (
            BEIJING,
            "bands = [\"0.00\", \"30000.00\"",
            "bands = [\"1.00\", \"30000.00\"",
            "PACK_BAD_VALUE",
        ),
        (
            BEIJING,
            "\"30000.00\", \"40000.00\"]",
            "\"40000.00\", \"40000.00\"]",
            "PACK_BAD_VALUE",
        ),
        (
            BEIJING,
            "by = [\"status\", \"level\", \"band\"]",
            "by = [\"status\", \"level\"]",
            "PACK_BAD_VALUE",
        ),
        (
            BEIJING,
            "table.retired.70 = ",
            "table.retired.80 = ",
            "PACK_BAD_VALUE",
        ),
        (BEIJING, "from = 70", "from = 0", "PACK_BAD_VALUE"),
        (
            BEIJING,
            "limit = { amount = \"outpatient-limit\" }",
            "limit = { amount = \"outpatient-limit\", of = \"expense\" }",
            "PACK_BAD_VALUE",
        ),
        (
            HENGYANG,
            "year_max = \"outpatient-deductible-max\"",
            "year_max = \"outpatient-ratio\"",
            "PACK_BAD_VALUE",
        ),
        (
            HENGYANG,
            "pool = \"ordinary-outpatient\"\n",
            "pool = \"ordinary\"\n",
            "PACK_UNKNOWN_NAME",
        ),
        (
            HENGYANG,
            "limit = { amount = \"outpatient-limit\" }",
            "limit = { amount = \"outpatient-limit\", per = \"week\" }",
            "PACK_BAD_VALUE",
        ),
        (
            HENGYANG,
            "limit = { amount = \"outpatient-limit\" }",
            "limit = { amount = \"outpatient-limit\" }\nwithin = \"all\"",
            "PACK_UNKNOWN_NAME",
        ),
        (
            HENGYANG,
            "at = \"hospital\" }",
            "at = \"hospital\", region = [\"abroad\"] }",
            "PACK_UNKNOWN_NAME",
        ),
        (
            HENGYANG,
            "exhausted = \"stop\"",
            "beside = true",
            "PACK_BAD_VALUE",
        ),
        (
            HENGYANG,
            "per = \"settlement\",",
            "per = \"settlement\", shared = \"ordinary-outpatient\",",
            "PACK_BAD_VALUE",
        ),
        (
            HENGYANG,
            "retired = [\"12\"]",
            "retired = [\"11\"]",
            "PACK_DEFINED_TWICE",
        ),
        (
            HENGYANG,
            "known = [\"1\", \"2\"",
            "known = [\"1\", \"1\"",
            "PACK_DEFINED_TWICE",
        ),
        (HENGYANG, "\"parent\", \"child\"", "\"parents\"", "PACK_BAD_VALUE"),
        (HENGYANG, "area = \"430400\"", "area = \"衡阳\"", "PACK_BAD_VALUE"),
        (
            HENGYANG,
            "insutype = [\"310\"]",
            "insutype = []",
            "PACK_BAD_VALUE",
        ),
        (
            HENGYANG,
            "id = \"hengyang-employee\"",
            "id = \"\"",
            "PACK_BAD_VALUE",
        ),
        (
            HENGYANG,
            "from = 2022-10-01\n",
            "from = 2022-10-01\nuntil = 2022-09-30\n",
            "PACK_BAD_VALUE",
        ),
        (
            HENGYANG,
            "med_type = [\"11\"]",
            "med_type = []",
            "PACK_NEVER_REACHED",
        ),
        (
            BEIJING,
            "when = [{ med_type = [\"11\"], at = \"hospital\" }]",
            "when = [{ med_type = [\"11\", \"21\"] }]",
            "PACK_NEVER_REACHED",
        ),
        (
            BEIJING,
            "ratio = [\"outpatient-ratio\"]\n",
            "ratio = [\"outpatient-ratio\"]\nexhausted = \"stop\"\n",
            "PACK_NEVER_REACHED",
        ),
        // tables by three turns, and one row for the whole year
        (
            BEIJING,
            "insutype = [\"310\"]\n",
            "insutype = [\"310\"]\nturns = [\"first\", \"second\", \"later\"]\n",
            "PACK_BAD_VALUE",
        ),
        (
            BEIJING,
            "insutype = [\"310\"]\n",
            "insutype = [\"310\"]\nturns = [\"first\"]\n",
            "PACK_BAD_VALUE",
        ),
    ];
    for (text, old, new, code) in cases {
        let text = changed(text, &[(old, new)]);
        let found = check_pack(&Packs::default(), "x.toml", &text);
        assert!(
            found.iter().any(|error| error.code() == *code),
            "{new}: {found:#?}"
        );
    }
    // an overlay's mistake is told in the overlay
    let broken = changed(
        CIVIL,
        &[(
            "benefits = [\"ordinary-outpatient\"]",
            "benefits = [\"ordinary\"]",
        )],
    );
    let found = check_pack(&Packs::builtin(), "civil.toml", &broken);
    assert_eq!(
        found
            .iter()
            .map(|error| (error.code(), error.file.as_str(), error.line))
            .collect::<Vec<_>>(),
        [("PACK_UNKNOWN_NAME", "civil.toml", 27)]
    );
}
