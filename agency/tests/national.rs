//! A terminal of another maker: requests as national samples write them, and bills of national fields only.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use common::*;
use serde_json::{Value, json};
use yijie_agency::SettlementState;

const PERSON: &str = "00000000000000000001";

/// The requests of a published terminal in their order, with numbers, empty and missing fields as it writes them.
fn requests() -> Vec<(String, Value)> {
    let all: Vec<Value> = serde_json::from_str(include_str!("samples/requests.json")).unwrap();
    all.into_iter()
        .map(|mut row| (row["infno"].as_str().unwrap().to_owned(), row["input"].take()))
        .collect()
}

#[test]
fn every_request_of_another_maker_is_read_as_object_and_as_text() {
    for (profile, as_text) in [
        ("plain", false),
        ("plain", true),
        ("hebei", false),
        ("guangdong", true),
    ] {
        let mut desk = Desk::with(profile, |settings| settings.any_person = true);
        let (mut mdtrt_id, mut settled) = (String::new(), String::new());
        for (infno, input) in requests() {
            let text = input.to_string().replace("300000001", &mdtrt_id);
            let mut input: Value = serde_json::from_str(&text).unwrap();
            match infno.as_str() {
                // The published amounts are those of a drug of class 02; the row says so.
                "2204" => {
                    input["feedetail"][0]["chrgitm_lv"] = json!("02");
                    input["feedetail"][0]["selfpay_prop"] = json!(0.05);
                }
                "2601" => input["data"]["omsgid"] = json!(settled),
                _ => {}
            }
            if as_text {
                input = json!(input.to_string());
            }
            let msgid = desk.msgid();
            let reply = desk.send(&infno, &msgid, input);
            match infno.as_str() {
                "1101" => assert!(words(&reply).starts_with("PERSON_UNKNOWN"), "{reply}"),
                // Whether it takes what is left blank there is another matter.
                "3505" => assert!(!reply.to_string().contains("UNREADABLE"), "{reply}"),
                _ => assert_eq!(reply["infcode"], json!(0), "{profile} {infno}: {reply}"),
            }
            let output = match &reply["output"] {
                Value::String(text) => serde_json::from_str(text).unwrap(),
                output => output.clone(),
            };
            let text = |pointer: &str| {
                output
                    .pointer(pointer)
                    .and_then(Value::as_str)
                    .unwrap()
                    .to_owned()
            };
            match infno.as_str() {
                "9001" => desk.head["sign_no"] = json!(text("/signinoutb/sign_no")),
                "2201" => mdtrt_id = text("/data/mdtrt_id"),
                "2207" => settled = msgid,
                "3201" => assert_eq!(output["stmtinfo"]["stmt_rslt_dscr"], "医药机构多"),
                _ => {}
            }
        }
        let ledger = desk.ledger();
        assert_eq!(ledger.len(), 1);
        assert_eq!(
            (ledger[0].psn_no.as_str(), ledger[0].state),
            (PERSON, SettlementState::Reversed)
        );
        assert_eq!(ledger[0].medfee_sumamt.to_string(), "4.52");
    }
}

fn bill(amount: &str) -> Value {
    json!({
        "psn_no": ACTIVE, "mdtrt_cert_type": "02", "mdtrt_cert_no": "x", "begntime": "2026-03-01 09:30:00",
        "medfee_sumamt": amount, "invono": "1", "insutype": 310, "acct_used_flag": 1, "med_type": "41",
        "dise_codg": null,
    })
}

fn line(number: &str, cnt: &str, pric: &str, amount: &str) -> Value {
    json!({
        "feedetl_sn": number, "rx_circ_flag": 0, "fee_ocur_time": "2026-03-01 09:30:00", "med_list_codg": number,
        "medins_list_codg": number, "det_item_fee_sumamt": amount, "cnt": cnt, "pric": pric,
    })
}

/// The claim of these lines, as a terminal sends it along that knows the rules.
fn claim(med_type: &str, kind: &str, lines: &Value) -> Value {
    json!({"claim": {
        "person": {"psn_no": ACTIVE, "insutype": "310", "psn_type": "1101", "insuplc_admdvs": "530100"},
        "institution": {"fixmedins_code": INSTITUTION, "fixmedins_type": kind},
        "visit": {"med_type": med_type, "begntime": "2026-03-01 09:30:00", "mdtrtarea_admvs": "530100"},
        "lines": lines,
        "accounts": {"acct_used_flag": "1"},
    }})
}

#[test]
fn a_pharmacys_bill_of_national_fields_is_split_by_the_same_rules() {
    let mut desk = Desk::start();
    let mut second = line("2", "1", "500.00", "500.00");
    second["chrgitm_lv"] = json!("02");
    second["selfpay_prop"] = json!(0.1);
    let sale = |along: Option<Value>| {
        let mut info = bill("1000.00");
        info["expContent"] = along.map_or(Value::Null, |along| json!(along.to_string()));
        json!({"druginfo": info, "drugdetail": [line("1", "3", "166.666667", "500.00"), second]})
    };
    let told = json!([
        {"feedetl_sn": "1", "pric": "166.666667", "cnt": "3", "det_item_fee_sumamt": "500.00"},
        {"feedetl_sn": "2", "chrgitm_lv": "02", "selfpay_prop": "0.1", "det_item_fee_sumamt": "500.00"},
    ]);
    let trial = desk.done("2101", sale(None));
    let along = desk.done("2101", sale(Some(claim("41", "2", &told))));
    assert_eq!(trial["setldetail"], along["setldetail"]);
    assert_eq!(trial["setlinfo"]["preselfpay_amt"], "50.00");
    assert_eq!(
        trial["setlinfo"]["fund_pay_sumamt"],
        along["setlinfo"]["fund_pay_sumamt"]
    );
    // Another use of the extension is no claim.
    let settled = desk.done("2102", sale(Some(json!({"er_flag": "0"}))));
    assert_eq!(settled["setlinfo"]["acct_pay"], trial["setlinfo"]["acct_pay"]);
    assert_ne!(settled["setlinfo"]["acct_pay"], "0.00");
    assert_eq!(desk.ledger()[0].medfee_sumamt.to_string(), "1000.00");
    let mut short = sale(None);
    short["druginfo"]["medfee_sumamt"] = json!("999.99");
    assert_eq!(
        desk.refused("2101", short),
        "FIELDS_DISAGREE medfee_sumamt: differs from the details"
    );
}

#[test]
fn a_visit_of_national_fields_is_settled_at_the_amounts_of_its_trial() {
    let mut desk = Desk::start();
    let registered = desk.done(
        "2201",
        json!({"data": {
            "psn_no": ACTIVE, "insutype": "310", "begntime": "2026-03-01 09:30:00", "mdtrt_cert_type": "02",
            "mdtrt_cert_no": "x", "ipt_otp_no": "1", "atddr_no": "1", "dr_name": "医师", "dept_code": "1",
            "dept_name": "内科", "caty": "A03",
        }}),
    );
    let mdtrt_id = registered["data"]["mdtrt_id"].clone();
    let visit = json!({
        "mdtrt_id": mdtrt_id, "psn_no": ACTIVE, "med_type": "11", "begntime": "2026-03-01 09:30:00",
    });
    assert_eq!(
        desk.refused("2203", json!({"mdtrtinfo": visit, "diseinfo": []})),
        "FIELD_INVALID diseinfo: missing"
    );
    let diagnosis = json!({
        "diag_type": "1", "diag_srt_no": 1, "diag_code": "J00", "diag_name": "x", "diag_dept": "1",
        "dise_dor_no": "1", "dise_dor_name": "医师", "diag_time": "2026-03-01 09:30:00", "vali_flag": 1,
    });
    desk.done("2203", json!({"mdtrtinfo": visit, "diseinfo": [diagnosis]}));
    let detail = |number: &str, cnt: &str, pric: &str, amount: &str, approved: u8| {
        let mut row = line(number, cnt, pric, amount);
        for (name, value) in [
            ("mdtrt_id", mdtrt_id.clone()),
            ("psn_no", json!(ACTIVE)),
            ("chrg_bchno", json!("B1")),
            ("bilg_dept_codg", json!("1")),
            ("bilg_dept_name", json!("内科")),
            ("bilg_dr_codg", json!("1")),
            ("bilg_dr_name", json!("医师")),
            ("hosp_appr_flag", json!(approved)),
        ] {
            row[name] = value;
        }
        row
    };
    assert_eq!(
        desk.refused(
            "2204",
            json!({"feedetail": [detail("1", "3", "33.335", "100.00", 0)]})
        ),
        "FIELDS_DISAGREE det_item_fee_sumamt: not cnt x pric"
    );
    let rows = [
        detail("1", "3", "33.335", "100.01", 0),
        detail("2", "1", "9.99", "9.99", 2),
    ];
    let cut = desk.done("2204", json!({"feedetail": rows}));
    assert_eq!(cut["result"][1]["chrgitm_lv"], "03");
    let data = |amounts: Option<&Value>, along: Option<String>| {
        let mut data = json!({
            "psn_no": ACTIVE, "mdtrt_cert_type": "02", "mdtrt_cert_no": "x", "med_type": "11",
            "medfee_sumamt": 110, "psn_setlway": "01", "mdtrt_id": mdtrt_id, "chrg_bchno": "B1",
            "acct_used_flag": "1", "insutype": "310", "expContent": along,
        });
        for field in [
            "fulamt_ownpay_amt",
            "overlmt_selfpay",
            "preselfpay_amt",
            "inscp_scp_amt",
        ] {
            if let Some(amounts) = amounts {
                data[field] = amounts[field].clone();
            }
        }
        json!({"data": data})
    };
    let told = json!([
        {"feedetl_sn": "1", "det_item_fee_sumamt": "100.01"},
        {"feedetl_sn": "2", "chrgitm_lv": "03", "det_item_fee_sumamt": "9.99"},
    ]);
    // Under its other spelling the claim is read too.
    let along = desk.done("2206", data(None, Some(claim("11", "1", &told).to_string())));
    let trial = desk.done("2206", data(None, None));
    assert_eq!(trial["setldetail"], along["setldetail"]);
    assert_eq!(trial["setlinfo"]["fulamt_ownpay_amt"], "9.99");
    let mut other = trial["setlinfo"].clone();
    other["inscp_scp_amt"] = json!(100);
    assert!(
        desk.refused("2207", data(Some(&other), None))
            .starts_with("AMOUNTS_DIFFER")
    );
    let settled = desk.done("2207", data(Some(&trial["setlinfo"]), None));
    assert_eq!(
        settled["setlinfo"]["fund_pay_sumamt"],
        trial["setlinfo"]["fund_pay_sumamt"]
    );
    assert_eq!(settled["setlinfo"]["clr_optins"], "530199");
    assert_eq!(desk.ledger()[0].medfee_sumamt.to_string(), "110.00");
}
