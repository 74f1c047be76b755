//! Raw replies, as a terminal understands them: captured shapes and invented ones, and thousands of broken ones.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{fs, path::Path};

use proptest::{prelude::*, test_runner::Config};
use serde_json::Value;
use yijie_agency::{Decoded, Keys, Profile, SettledReply, decode_reply};

fn sample(name: &str) -> Vec<u8> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/samples")
        .join(name);
    fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn decode(infno: &str, name: &str) -> (Decoded, Value) {
    let decoded = decode_reply(
        infno,
        &sample(name),
        &Profile::built_in("plain").unwrap(),
        &Keys::default(),
    );
    let json = serde_json::to_value(&decoded).unwrap();
    (decoded, json)
}

#[test]
fn outcomes() {
    for (infno, name, outcome, code) in [
        ("9001", "9001_response.json", "settled", None),
        ("1101", "1101_response.json", "settled", None),
        ("2206", "2206_response_hebei.json", "settled", None),
        ("2207", "2207_response_hebei.json", "settled", None),
        ("2208", "2208_response_hebei.json", "settled", None),
        ("2305", "2305_response_made.json", "settled", None),
        ("5203", "5262_response_made.json", "settled", None),
        ("2302", "empty_output.json", "settled", None),
        ("ec.query", "ec.query_response.json", "settled", None),
        (
            "ec.query",
            "gateway_failure.json",
            "refused",
            Some("REPLY_REFUSES"),
        ),
        ("5203", "empty_output.json", "settled", None),
        (
            "2102",
            "empty_output.json",
            "unknown",
            Some("AGENCY_BODY_UNREADABLE"),
        ),
        (
            "2102",
            "system_error.json",
            "unknown",
            Some("AGENCY_SYSTEM_ERROR"),
        ),
        ("1101", "system_error.json", "refused", Some("REPLY_REFUSES")),
        ("1162", "gateway_failure.json", "refused", Some("REPLY_REFUSES")),
        (
            "2207",
            "gateway_failure.json",
            "unknown",
            Some("AGENCY_BODY_UNREADABLE"),
        ),
    ] {
        let (decoded, _) = decode(infno, name);
        assert_eq!((decoded.outcome, decoded.code), (outcome, code), "{infno} {name}");
    }
}

#[test]
fn a_settlement_with_all_identities() {
    let (decoded, json) = decode("2207", "2207_response_hebei.json");
    for (field, expected) in [
        ("/reply/setl_id", "400000001"),
        ("/reply/medins_setl_id", "H00000000001202111291809520478"),
        ("/reply/clr_optins", "131199"),
        ("/reply/setlinfo/medfee_sumamt", "4.52"),
        ("/reply/setlinfo/preselfpay_amt", "0.23"),
        ("/reply/setlinfo/acct_pay", "4.52"),
        ("/reply/setlinfo/psn_cash_pay", "0.00"),
        ("/reply/setlinfo/balc", "1373.63"),
        ("/reply/setldetail/0/fund_pay_type", "310200"),
        ("/reply/setldetail/0/fund_payamt", "4.52"),
    ] {
        assert_eq!(
            json.pointer(field).and_then(Value::as_str),
            Some(expected),
            "{field}"
        );
    }
    assert_eq!(decoded.identities.len(), 5);
    assert!(
        decoded.identities.iter().all(|check| check.holds),
        "{:?}",
        decoded.identities
    );
    assert!(decoded.irregularities.is_empty(), "{:?}", decoded.irregularities);
}

#[test]
fn a_cancellation_is_given_without_its_sign() {
    let (_, json) = decode("2208", "2208_response_hebei.json");
    assert_eq!(
        json.pointer("/reply/setlinfo/medfee_sumamt")
            .and_then(Value::as_str),
        Some("25.10")
    );
    assert_eq!(
        json.pointer("/reply/setlinfo/balc").and_then(Value::as_str),
        Some("1378.15")
    );
    let odd: Vec<&str> = json["irregularities"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|odd| odd["field"].as_str())
        .collect();
    assert!(
        odd.contains(&"psn_part_amt") && odd.contains(&"hosp_part_amt"),
        "{odd:?}"
    );
}

#[test]
fn other_spellings_text_output_and_the_twelve_hour_clock() {
    let (decoded, json) = decode("2305", "2305_response_made.json");
    let amount = |field: &str| {
        json.pointer(&format!("/reply/setlinfo/{field}"))
            .and_then(Value::as_str)
            .unwrap()
            .to_owned()
    };
    for (field, expected) in [
        ("medfee_sumamt", "3379.26"),
        ("overlmt_selfpay", "0.26"),
        ("psn_part_amt", "1307.01"),
        ("psn_cash_pay", "1300.00"),
        ("hosp_part_amt", "32.86"),
        ("cvlserv_pay", "0.00"),
        ("balc", "12.50"),
    ] {
        assert_eq!(amount(field), expected, "{field}");
    }
    assert!(
        decoded.identities.iter().take(4).all(|check| check.holds),
        "{:?}",
        decoded.identities
    );
    for code in [
        "OUTPUT_IS_TEXT",
        "FIELD_SPELLED_OTHERWISE",
        "AMOUNT_EMPTY",
        "CLOCK_TWELVE_HOURS",
    ] {
        assert!(
            decoded.irregularities.iter().any(|odd| odd.code == code),
            "{code}: {:?}",
            decoded.irregularities
        );
    }
}

#[test]
fn half_fen_unknown_funds_and_broken_sums_are_named() {
    let (decoded, json) = decode("5203", "5262_response_made.json");
    assert_eq!(
        json.pointer("/reply/setlinfo/medfee_sumamt")
            .and_then(Value::as_str),
        Some("100.01")
    );
    assert_eq!(
        json.pointer("/reply/setlinfo/pool_prop_selfpay")
            .and_then(Value::as_str),
        Some("0.60")
    );
    for (code, field) in [
        ("AMOUNT_BELOW_FEN", "med_fee_sumamt"),
        ("FIELD_SPELLED_OTHERWISE", "med_fee_sumamt"),
        ("FIELD_SPELLED_OTHERWISE", "prese_ifpay_amt"),
        ("FUND_TYPE_UNKNOWN", "888888"),
        (
            "IDENTITY_BROKEN",
            "sum of setldetail = funds, account and hospital",
        ),
    ] {
        let found = decoded
            .irregularities
            .iter()
            .any(|odd| odd.code == code && odd.field == field);
        assert!(found, "{code} {field}: {:?}", decoded.irregularities);
    }
    let holds: Vec<bool> = decoded.identities.iter().map(|check| check.holds).collect();
    assert_eq!(holds, [true, true, true, true, false]);
}

#[test]
fn odd_bodies() {
    let profile = Profile::built_in("plain").unwrap();
    for (body, outcome) in [
        (r#"{"infcode":"0","output":"k3J5cHRvZ3JhcGg="}"#, "unknown"),
        (r#"{"infcode":"1","output":{}}"#, "refused"),
        (r#"{"infcode":"-2","err_msg":"NOT_INSURED 未参保"}"#, "refused"),
        (
            r#"{"infcode":0,"output":{"setlinfo":{"setl_id":"1","medfee_sumamt":"many"}}}"#,
            "unknown",
        ),
        (
            r#"{"infcode":0,"output":{"setlinfo":{"medfee_sumamt":1}}}"#,
            "unknown",
        ),
        (r#"{"infcode":0,"output":{"setlinfo":[]}}"#, "unknown"),
        ("<html>", "unknown"),
        ("", "unknown"),
    ] {
        assert_eq!(
            decode_reply("2102", body.as_bytes(), &profile, &Keys::default()).outcome,
            outcome,
            "{body}"
        );
    }
    let found = decode_reply(
        "5203",
        br#"{"infcode":0,"output":{"setlinfo":null}}"#,
        &profile,
        &Keys::default(),
    );
    assert_eq!((found.outcome, found.reply.is_none()), ("settled", true));
    // More digits than a float holds.
    let long = br#"{"infcode":0,"output":{"setlinfo":{"setl_id":"1","medfee_sumamt":12345678901234.67,"fund_pay_sumamt":12345678901234.38,"acct_pay":null,"psn_cash_pay":0.29}}}"#;
    let json = serde_json::to_value(decode_reply("2102", long, &profile, &Keys::default())).unwrap();
    assert_eq!(
        json.pointer("/reply/setlinfo/medfee_sumamt")
            .and_then(Value::as_str),
        Some("12345678901234.67")
    );
    assert_eq!(
        json.pointer("/reply/setlinfo/psn_cash_pay")
            .and_then(Value::as_str),
        Some("0.29")
    );
}

/// Values a gateway might put anywhere.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[-+0-9.eE]{0,24}".prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z_]{1,12}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Replaces the value at the nth place of a tree (counting all values).
fn replace(tree: &mut Value, nth: &mut usize, with: &Value) {
    if *nth == 0 {
        *tree = with.clone();
        *nth = usize::MAX;
        return;
    }
    *nth = nth.wrapping_sub(1);
    match tree {
        Value::Array(rows) => rows.iter_mut().for_each(|row| replace(row, nth, with)),
        Value::Object(fields) => fields.values_mut().for_each(|value| replace(value, nth, with)),
        _ => {}
    }
}

const SAMPLES: [(&str, &str); 6] = [
    ("2207", "2207_response_hebei.json"),
    ("2208", "2208_response_hebei.json"),
    ("1101", "1101_response.json"),
    ("2305", "2305_response_made.json"),
    ("5203", "5262_response_made.json"),
    ("9001", "9001_response.json"),
];

proptest! {
    // A failure prints the seed and the smallest body; proptest-regressions keeps it.
    #![proptest_config(Config { cases: 600, ..Config::default() })]

    #[test]
    fn no_reply_breaks_the_reader(which in 0..SAMPLES.len(), changes in proptest::collection::vec((0usize..90, any_value()), 1..5)) {
        let (infno, name) = SAMPLES[which];
        let mut tree: Value = serde_json::from_slice(&sample(name)).unwrap();
        for (place, value) in &changes {
            let mut nth = *place;
            replace(&mut tree, &mut nth, value);
        }
        let body = serde_json::to_vec(&tree).unwrap();
        let decoded = decode_reply(infno, &body, &Profile::built_in("plain").unwrap(), &Keys::default());
        prop_assert!(["settled", "refused", "unknown"].contains(&decoded.outcome));
        // Done is only ever said of infcode 0.
        prop_assert!(decoded.outcome != "settled" || decoded.infcode == Some(0));
        // A settlement can be kept and read again.
        if let (true, Some(kept)) = (infno.starts_with('2'), &decoded.reply) {
            let mut shown: Value = serde_json::from_str(kept.get()).unwrap();
            // An amount that was not told is shown as none and kept as zero with a note.
            for amount in shown["setlinfo"].as_object_mut().unwrap().values_mut().filter(|amount| amount.is_null()) {
                *amount = "0.00".into();
            }
            let read: SettledReply = serde_json::from_value(shown.clone()).unwrap();
            prop_assert_eq!(serde_json::to_value(&read.setlinfo).unwrap(), shown["setlinfo"].clone());
        }
    }

    #[test]
    fn no_cut_or_garbled_body_breaks_the_reader(which in 0..SAMPLES.len(), cut in 0usize..2000, at in 0usize..2000, byte in any::<u8>()) {
        let (infno, name) = SAMPLES[which];
        let mut body = sample(name);
        let at = at % body.len();
        body[at] = byte;
        let cut_off = cut < body.len();
        body.truncate(cut);
        let decoded = decode_reply(infno, &body, &Profile::built_in("plain").unwrap(), &Keys::default());
        if cut_off && cut + 3 < sample(name).len() {
            prop_assert_eq!(decoded.outcome, "unknown");
        }
    }
}

/// Replies nobody has sent us yet.
#[test]
fn odd_replies() {
    let setlinfo = r#""setlinfo":{"setl_id":"S1","medfee_sumamt":"100.00","inscp_scp_amt":"100","fund_pay_sumamt":"60","hifp_pay":60,"psn_part_amt":40,"acct_pay":10.0,"psn_cash_pay":"30.00"}"#;
    let camel = r#""setlinfo":{"setlId":"S1","medfeeSumamt":"1,100.00","inscpScpAmt":1100,"FUND_PAY_SUMAMT":"60","hifpPay":60,"psnPartAmt":1040,"acctPay":10,"psnCashPay":1030}"#;
    let with_account = r#""setlinfo":{"setl_id":"S1","medfee_sumamt":100,"inscp_scp_amt":100,"fund_pay_sumamt":70,"hifp_pay":60,"psn_part_amt":40,"acct_pay":10,"psn_cash_pay":30}"#;
    let inside = r#""setlinfo":{"setl_id":"S1","medfee_sumamt":100,"inscp_scp_amt":100,"fund_pay_sumamt":60,"hifp_pay":60,"psn_part_amt":40,"acct_pay":10,"acct_mulaid_pay":4,"psn_cash_pay":30}"#;
    for (infno, body, outcome, odd, amounts) in [
        (
            "2102",
            format!(r#"{{"infcode":"0","output":{{{setlinfo}}}}}"#),
            "settled",
            None,
            "60.00 10.00 0.00",
        ),
        (
            "2207",
            format!(r#"{{"infcode":0,"output":{{{camel}}}}}"#),
            "settled",
            Some("FIELD_SPELLED_OTHERWISE"),
            "60.00 10.00 0.00",
        ),
        (
            "2102",
            format!(r#"{{"infcode":0,"output":[{{{setlinfo}}}]}}"#),
            "settled",
            None,
            "60.00 10.00 0.00",
        ),
        (
            "2102",
            format!(r#"{{"infcode":0,{setlinfo}}}"#),
            "settled",
            Some("OUTPUT_ELSEWHERE"),
            "60.00 10.00 0.00",
        ),
        (
            "2102",
            format!(r#"{{"infcode":0,"data":{{{setlinfo}}}}}"#),
            "settled",
            Some("OUTPUT_ELSEWHERE"),
            "60.00 10.00 0.00",
        ),
        (
            "2102",
            format!(r#"{{"code":0,"success":true,"data":{{"infcode":0,"output":{{{setlinfo}}}}}}}"#),
            "settled",
            Some("ENVELOPE_WRAPPED"),
            "60.00 10.00 0.00",
        ),
        (
            "2102",
            format!(r#"{{"infcode":0,"err_msg":"部分成功","output":{{{setlinfo}}}}}"#),
            "settled",
            Some("ERR_MSG_ON_SUCCESS"),
            "60.00 10.00 0.00",
        ),
        (
            "2102",
            format!(r#"{{"infcode":0,"output":{{{with_account}}}}}"#),
            "settled",
            Some("FUND_SUM_INCLUDES_ACCOUNT"),
            "60.00 10.00 0.00",
        ),
        (
            "2102",
            format!(r#"{{"infcode":0,"output":{{{inside}}}}}"#),
            "settled",
            Some("FAMILY_INSIDE_ACCOUNT"),
            "60.00 6.00 4.00",
        ),
        (
            "2102",
            format!(r#"{{"infcode":0,"success":false,"output":{{{setlinfo}}}}}"#),
            "unknown",
            None,
            "",
        ),
        (
            "2102",
            format!(r#"{{"infcode":-2,"output":{{{setlinfo}}}}}"#),
            "unknown",
            None,
            "",
        ),
        (
            "2102",
            r#"{"infcode":-2,"err_msg":"余额不足","output":null}"#.to_owned(),
            "refused",
            None,
            "",
        ),
        (
            "3505",
            r#"{"infcode":0,"output":{"result":{"retRslt":"0","msgRslt":"追溯码重复"}}}"#.to_owned(),
            "refused",
            None,
            "",
        ),
        (
            "2201",
            r#"{"infcode":0,"output":{"data":{"mdtrt_id":"M1"}}}"#.to_owned(),
            "settled",
            None,
            "",
        ),
        (
            "2201",
            r#"{"infcode":0,"output":{}}"#.to_owned(),
            "unknown",
            None,
            "",
        ),
    ] {
        let decoded = decode_reply(
            infno,
            body.as_bytes(),
            &Profile::built_in("plain").unwrap(),
            &Keys::default(),
        );
        assert_eq!(decoded.outcome, outcome, "{body}");
        let codes: Vec<&str> = decoded.irregularities.iter().map(|odd| &*odd.code).collect();
        assert!(odd.is_none_or(|odd| codes.contains(&odd)), "{body}: {codes:?}");
        assert!(
            decoded.identities.iter().all(|check| check.holds),
            "{body}: {codes:?}"
        );
        let json = serde_json::to_value(&decoded).unwrap();
        if !amounts.is_empty() {
            let text = |name: &str| json["reply"]["setlinfo"][name].as_str().unwrap().to_owned();
            let found = [text("fund_pay_sumamt"), text("acct_pay"), text("acct_mulaid_pay")].join(" ");
            assert_eq!(found, amounts, "{body}");
        }
    }
    let decoded = decode("1162", "gateway_failure.json").0;
    assert_eq!(decoded.message.as_deref(), Some("请使用医保电子凭证二维码"));
}

/// Gateways in front of the agency, each in a way of its own. A question may be answered by one; where money moves only
/// a settlement's number counts.
#[test]
fn gateways_in_shapes_of_their_own() {
    const PERSON: &str = r#"{"baseinfo":{"psn_no":"P1","psn_name":"甲","certno":"1"},"insuinfo":[{"insutype":"310","psn_insu_stas":"1"}]}"#;
    const SETTLED: &str = r#"{"setlinfo":{"setl_id":"S1","medfee_sumamt":"5.00","inscp_scp_amt":5,"fund_pay_sumamt":0,"psn_part_amt":5,"acct_pay":0,"psn_cash_pay":"5.0"}}"#;
    let quoted = |inner: &str| serde_json::to_string(inner).unwrap();
    let reply = |output: &str| format!(r#"{{"infcode":"0","output":{output}}}"#);
    for (infno, body, outcome, odd) in [
        // No is a no where nothing moves, and no word of the agency's where something may have.
        (
            "1101",
            r#"{"message":"参数错误","success":false,"code":500159}"#.to_owned(),
            "refused",
            "ENVELOPE_OF_GATEWAY",
        ),
        (
            "2102",
            r#"{"message":"参数错误","success":false,"code":500159}"#.to_owned(),
            "unknown",
            "ENVELOPE_OF_GATEWAY",
        ),
        (
            "2601",
            r#"{"message":"参数错误","success":"false"}"#.to_owned(),
            "unknown",
            "ENVELOPE_OF_GATEWAY",
        ),
        (
            "5203",
            r#"{"code":"E1001","msg":"机构未授权"}"#.to_owned(),
            "refused",
            "ENVELOPE_OF_GATEWAY",
        ),
        // An HTTP status in the body is about the way.
        (
            "1101",
            r#"{"status":503,"error":"Service Unavailable","path":"/fsi"}"#.to_owned(),
            "unknown",
            "",
        ),
        (
            "1101",
            r#"{"code":429,"message":"请求过于频繁"}"#.to_owned(),
            "unknown",
            "",
        ),
        ("1101", r#"{"success":false}"#.to_owned(), "unknown", ""),
        // A yes needs something in it.
        (
            "1101",
            format!(r#"{{"code":0,"message":"成功","data":{PERSON}}}"#),
            "settled",
            "ENVELOPE_OF_GATEWAY",
        ),
        (
            "1101",
            format!(r#"{{"success":true,"result":{}}}"#, quoted(PERSON)),
            "settled",
            "ENVELOPE_OF_GATEWAY",
        ),
        (
            "2102",
            format!(r#"{{"code":"0000","data":{SETTLED}}}"#),
            "settled",
            "ENVELOPE_OF_GATEWAY",
        ),
        (
            "2102",
            r#"{"code":200,"success":true,"message":"成功","data":{}}"#.to_owned(),
            "unknown",
            "ENVELOPE_OF_GATEWAY",
        ),
        (
            "2601",
            r#"{"code":200,"success":true,"data":{"ok":1}}"#.to_owned(),
            "unknown",
            "ENVELOPE_OF_GATEWAY",
        ),
        (
            "2202",
            r#"{"code":200,"success":true,"message":"accepted"}"#.to_owned(),
            "unknown",
            "",
        ),
        // The reply within others, or as text.
        (
            "2102",
            format!(r#"{{"code":0,"data":{{"body":{}}}}}"#, reply(SETTLED)),
            "settled",
            "ENVELOPE_WRAPPED",
        ),
        (
            "2102",
            format!(r#"{{"code":0,"data":{}}}"#, quoted(&reply(SETTLED))),
            "settled",
            "ENVELOPE_WRAPPED",
        ),
        (
            "2102",
            format!(r#"{{"code":0,"data":{}}}"#, quoted(&reply(&quoted(SETTLED)))),
            "settled",
            "OUTPUT_IS_TEXT",
        ),
        (
            "2102",
            format!(r#"{{"success":false,"data":{}}}"#, quoted(&reply(SETTLED))),
            "unknown",
            "",
        ),
        // infcode as it should not be.
        (
            "2102",
            format!(r#"{{"infcode":0.0,"output":{SETTLED}}}"#),
            "settled",
            "",
        ),
        (
            "2102",
            format!(r#"{{"infcode":" 0 ","output":{SETTLED}}}"#),
            "settled",
            "",
        ),
        (
            "2102",
            format!(r#"{{"INFCODE":"0","OUTPUT":{SETTLED}}}"#),
            "settled",
            "",
        ),
        ("2102", format!(r#"{{"output":{SETTLED}}}"#), "unknown", ""),
        (
            "2102",
            r#"{"infcode":"0","output":"q83vEjRWeJA="}"#.to_owned(),
            "unknown",
            "",
        ),
        ("2102", r#"{"infcode":"0","output":[]}"#.to_owned(), "unknown", ""),
        (
            "2102",
            "\u{feff}{\"infcode\":-2,\"err_msg\":\"余额不足\"}".to_owned(),
            "refused",
            "",
        ),
        (
            "2102",
            r#"<?xml version="1.0"?><soap:Envelope/>"#.to_owned(),
            "unknown",
            "",
        ),
        (
            "2102",
            format!(r#"{{"infcode":0,"output":{}"#, &SETTLED[..60]),
            "unknown",
            "",
        ),
    ] {
        let profile = Profile::built_in("plain").unwrap();
        let decoded = decode_reply(infno, body.as_bytes(), &profile, &Keys::default());
        assert_eq!(decoded.outcome, outcome, "{infno} {body}");
        let codes: Vec<&str> = decoded.irregularities.iter().map(|odd| &*odd.code).collect();
        assert!(odd.is_empty() || codes.contains(&odd), "{body}: {codes:?}");
        let told = decoded.message.is_some() || decoded.why.is_some() || outcome == "settled";
        assert!(told, "no reason: {body}");
    }
}

#[test]
fn a_body_in_gb_18030_is_read() {
    let words = [0xd3, 0xe0, 0xb6, 0xee, 0xb2, 0xbb, 0xd7, 0xe3];
    let body = [br#"{"infcode":-2,"err_msg":""#, &words[..], br#""}"#].concat();
    let profile = Profile::built_in("plain").unwrap();
    let decoded = decode_reply("2102", &body, &profile, &Keys::default());
    assert_eq!(
        (decoded.outcome, decoded.message.as_deref()),
        ("refused", Some("余额不足"))
    );
    assert_eq!(decoded.irregularities[0].code, "BODY_IS_GB18030");
    let decoded = decode_reply(
        "2102",
        b"{\"infcode\":0,\"err_msg\":\"\xff\xff\"}",
        &profile,
        &Keys::default(),
    );
    assert_eq!(decoded.outcome, "unknown");
}

#[test]
fn details_are_checked_row_by_row() {
    let row = |parts: &str| {
        format!(
            r#"{{"infcode":0,"output":{{"result":[{{"feedetl_sn":"7","det_item_fee_sumamt":4.52,{parts}}}]}}}}"#
        )
    };
    let good = row(
        r#""fulamt_ownpay_amt":0,"overlmt_amt":0.0,"preselfpay_amt":0.23,"inscp_scp_amt":4.29,"pric_uplmt_amt":999999"#,
    );
    let bad = row(r#""fulamt_ownpay_amt":null,"preselfpay_amt":"0.23","inscp_scp_amt":4.30"#);
    for (body, holds) in [(good, true), (bad, false)] {
        let decoded = decode_reply(
            "2204",
            body.as_bytes(),
            &Profile::built_in("hebei").unwrap(),
            &Keys::default(),
        );
        assert_eq!(
            (decoded.outcome, decoded.identities[0].holds),
            ("settled", holds),
            "{body}"
        );
    }
}
