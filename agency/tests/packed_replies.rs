//! Replies whose content is all there, in another place or another form than agreed: what is legible is read, and told.
#![expect(clippy::unwrap_used, reason = "tests")]

use serde_json::Value;
use yijie_agency::{Keys, Profile, decode_reply, pack};

const INFO: &str = r#"{"setl_id":"S1","medfee_sumamt":"20.00","fulamt_ownpay_amt":"0","overlmt_selfpay":"0","preselfpay_amt":"0",
    "inscp_scp_amt":"20.00","hifp_pay":"15.00","fund_pay_sumamt":"15.00","psn_part_amt":"5.00","acct_pay":"5.00","psn_cash_pay":"0.00",
    "hosp_part_amt":"0.00","acct_mulaid_pay":"0","balc":"7.00"}"#;

fn quoted(inner: &str) -> String {
    serde_json::to_string(inner).unwrap()
}

fn reply(output: &str) -> String {
    format!(r#"{{"infcode":0,"output":{output}}}"#)
}

/// Outcome, codes of what is odd, and the whole as JSON.
fn read(infno: &str, body: &[u8], profile: &str) -> (String, Vec<String>, Value) {
    let decoded = decode_reply(
        infno,
        body,
        &Profile::built_in(profile).unwrap(),
        &Keys::default(),
    );
    let codes = decoded.irregularities.iter().map(|odd| odd.code.to_string());
    (
        decoded.outcome.to_owned(),
        codes.collect(),
        serde_json::to_value(&decoded).unwrap(),
    )
}

#[test]
fn a_settlement_is_read_in_whatever_it_is_packed() {
    let output = format!(r#"{{"setlinfo":{INFO}}}"#);
    let with = |from: &str, to: &str| reply(&output).replace(from, to);
    let packed = format!(r#"{{"setlinfo":{}}}"#, quoted(INFO));
    for (body, odd) in [
        (reply(&packed), "OUTPUT_IS_TEXT"),
        (reply(&quoted(&packed)), "OUTPUT_IS_TEXT"),
        (quoted(&reply(&output)), "ENVELOPE_WRAPPED"),
        (
            format!(r#"{{"head":{{"infcode":0}},"body":{{"output":{output}}}}}"#),
            "ENVELOPE_WRAPPED",
        ),
        (
            format!(r#"{{"head":{{"infcode":0}},"body":{output}}}"#),
            "ENVELOPE_WRAPPED",
        ),
        (
            format!(r#"{{"type":"success","message":"成功","data":{output}}}"#),
            "ENVELOPE_OF_GATEWAY",
        ),
        (with(r#""infcode":0"#, r#""infcode":"0.00""#), ""),
        (with(r#""infcode":0"#, r#""infcode":0e5"#), ""),
        (
            with(r#""acct_pay":"5.00""#, r#""acct_pay":"５．００""#),
            "AMOUNT_SPELLED_OTHERWISE",
        ),
        (
            with(r#""acct_pay":"5.00""#, r#""acct_pay":"5.00元""#),
            "AMOUNT_SPELLED_OTHERWISE",
        ),
        (
            with(r#""acct_pay":"5.00""#, r#""acct_pay":"￥5""#),
            "AMOUNT_SPELLED_OTHERWISE",
        ),
        (with(r#""fund_pay_sumamt":"15.00","#, ""), "AMOUNT_DERIVED"),
        (
            with(r#""S1""#, r#""S1","setl_time":{"time":1772375400000}"#),
            "TIME_UNREADABLE",
        ),
    ] {
        let (outcome, odds, json) = read("2207", body.as_bytes(), "plain");
        let amounts = ["acct_pay", "fund_pay_sumamt"].map(|name| &json["reply"]["setlinfo"][name]);
        assert_eq!(
            (outcome.as_str(), amounts),
            ("settled", [&"5.00".into(), &"15.00".into()]),
            "{body}"
        );
        assert!(
            odd.is_empty() || odds.iter().any(|told| told == odd),
            "{body}: {odds:?}"
        );
        assert_eq!(
            odds.iter().filter(|told| *told == odd).count(),
            usize::from(!odd.is_empty()),
            "{body}"
        );
    }
    for (body, what) in [
        (&b"\x1f\x8b\x08\0\0"[..], "gzip"),
        (b"\xff\xfe{\0}\0", "UTF-16"),
        (b"{\0}\0", "UTF-16"),
        (b"<soapenv:Envelope/>", "XML"),
        (b"<html/>", "HTML"),
    ] {
        let (outcome, _, json) = read("2207", body, "plain");
        assert_eq!(outcome, "unknown");
        assert!(json["why"].as_str().unwrap().contains(what), "{what}: {json}");
    }
}

#[test]
fn rows_are_read_wherever_they_stand_and_none_only_where_there_are_none() {
    let rows = r#"[{"mdtrt_id":"M1","setl_id":"S1"}]"#;
    let infnos = ["2001", "5201", "5202", "5204", "5205", "5206", "5301"];
    for (output, found, odd) in [
        (format!(r#"{{"mdtrtinfo":{rows}}}"#), "M1", ""),
        (rows.to_owned(), "M1", ""),
        (r#"[{"mdtrt_id":"M1"},{"mdtrt_id":"M2"}]"#.to_owned(), "M1", ""),
        (format!(r#"{{"output":{{"mdtrtinfo":{rows}}}}}"#), "M1", ""),
        (format!(r#"{{"result":{{"mdtrtinfo":{rows}}}}}"#), "M1", ""),
        (
            format!(r#"{{"data":{{"list":{rows},"total":1,"pageNum":1,"pages":1}}}}"#),
            "M1",
            "",
        ),
        (
            format!(r#"{{"mdtrtinfo":{{"list":{rows},"total":1}}}}"#),
            "M1",
            "",
        ),
        (
            format!(r#"{{"mdtrtinfo":{}}}"#, quoted(rows)),
            "M1",
            "OUTPUT_IS_TEXT",
        ),
        (
            format!(r#"{{"mdtrtinfo":{rows},"pages":3}}"#),
            "M1",
            "ROWS_INCOMPLETE",
        ),
        (
            format!(r#"{{"data":{{"list":{rows},"total":250}}}}"#),
            "M1",
            "ROWS_INCOMPLETE",
        ),
        ("null".to_owned(), "none", ""),
        ("{}".to_owned(), "none", ""),
        (r#"{"mdtrtinfo":[]}"#.to_owned(), "none", ""),
        (r#"{"data":{"list":[],"total":0}}"#.to_owned(), "none", ""),
        (r#"{"data":{"list":[],"total":3}}"#.to_owned(), "unknown", ""),
        (r#"{"mdtrtinfo":["M1"]}"#.to_owned(), "unknown", ""),
    ] {
        for infno in infnos {
            let (outcome, odds, json) = read(infno, reply(&output).as_bytes(), "plain");
            let told = match (outcome.as_str(), json["reply"].as_array()) {
                ("settled", Some(rows)) if rows.is_empty() => "none",
                ("settled", _) => json["reply"][0]["mdtrt_id"].as_str().unwrap(),
                (outcome, _) => outcome,
            };
            assert_eq!(told, found, "{infno} {output}");
            assert!(
                odd.is_empty() || odds.iter().any(|told| told == odd),
                "{output}: {odds:?}"
            );
        }
    }
}

#[test]
fn nobody_is_uninsured_because_a_list_is_elsewhere() {
    let base = r#""psn_no":"P1","psn_name":"甲""#;
    let row = r#"{"insutype":310.0,"psn_insu_stas":1.0,"balc":"1.00"}"#;
    for (output, insured) in [
        (
            format!(r#"{{"baseinfo":{{{base}}},"insuinfo":[{row}]}}"#),
            "310 1",
        ),
        (
            format!(
                r#"{{"baseinfo":{{{base}}},"insuinfo":{}}}"#,
                quoted(&format!("[{row}]"))
            ),
            "310 1",
        ),
        (
            format!(r#"{{"baseinfo":{{{base},"insuinfo":[{row}]}}}}"#),
            "310 1",
        ),
        (
            format!(r#"{{"baseinfo":{{{base}}},"insuinfo":{{"list":[{row}]}}}}"#),
            "310 1",
        ),
        (
            format!(r#"{{"data":{{"baseinfo":{{{base}}},"insuinfo":[{row}]}}}}"#),
            "310 1",
        ),
        (
            format!(r#"{{"baseinfo":{{{base}}},"insuinfo":{{"insutype":["310"],"balc":["1.00"]}}}}"#),
            "unknown",
        ),
        (
            format!(r#"{{"baseinfo":{{{base}}},"insuinfo":"310"}}"#),
            "unknown",
        ),
        (format!(r#"{{"baseinfo":{{{base}}},"insuinfo":[]}}"#), "settled"),
    ] {
        let (outcome, _, json) = read("1101", reply(&output).as_bytes(), "plain");
        let row = &json["reply"]["insuinfo"][0];
        let told = match (row["insutype"].as_str(), row["psn_insu_stas"].as_str()) {
            (Some(kind), Some(state)) => format!("{kind} {state}"),
            _ => outcome,
        };
        assert_eq!(told, insured, "{output}");
    }
    let beside = format!(
        r#"{{"infcode":0,"output":{{"baseinfo":{{{base}}},"insuinfo":[{row}]}},"idetinfo":[{{"psn_idet_type":"2101"}}]}}"#
    );
    let (_, odds, json) = read("1101", beside.as_bytes(), "plain");
    assert_eq!(json["reply"]["idetinfo"][0]["psn_idet_type"], "2101");
    assert_eq!(odds, ["OUTPUT_ELSEWHERE"]);
}

#[test]
fn a_number_is_itself_or_none() {
    for (told, meant) in [
        ("4.0E8", "400000000"),
        ("400000001.0", "400000001"),
        ("53010000000000001e0", "53010000000000001"),
        (r#""12E5""#, "12E5"),
        (r#""2026-0001""#, "2026-0001"),
        ("53010000000000001.5", ""),
        ("1e400", ""),
        ("-5", ""),
        ("0.0", ""),
        (r#""0""#, ""),
        (r#""00""#, ""),
        (r#""０""#, ""),
        (r#""NULL""#, ""),
        (r#""N/A""#, ""),
        (r#""--""#, ""),
        (r#""无""#, ""),
        (r#""空""#, ""),
        (r#""{}""#, ""),
        (r#""[]""#, ""),
        ("\"\u{200b}\"", ""),
        ("\" S1\u{200b}\"", "S1"),
    ] {
        let output = format!(r#"{{"setlinfo":{INFO}}}"#).replace(r#""S1""#, told);
        let (outcome, _, json) = read("2207", reply(&output).as_bytes(), "plain");
        assert_eq!(
            json["reply"]["setl_id"].as_str().unwrap_or_default(),
            meant,
            "{told}"
        );
        assert_eq!(outcome == "settled", !meant.is_empty(), "{told}");
    }
}

#[test]
fn the_second_level_says_yes_or_no_in_many_ways() {
    for infno in ["3505", "3506", "3505A"] {
        for (told, outcome) in [
            ("1", "settled"),
            ("1.0", "settled"),
            ("true", "settled"),
            (r#""true""#, "settled"),
            (r#""01""#, "settled"),
            (r#""１""#, "settled"),
            (r#""成功""#, "settled"),
            (r#""Y""#, "settled"),
            (r#""0""#, "refused"),
            ("false", "refused"),
            (r#""失败""#, "refused"),
            (r#""?""#, "unknown"),
        ] {
            let output = format!(r#"{{"result":{{"retRslt":{told},"msgRslt":"重复"}}}}"#);
            assert_eq!(
                read(infno, reply(&output).as_bytes(), "plain").0,
                outcome,
                "{infno} {told}"
            );
        }
    }
}

#[test]
fn a_refusal_that_leaves_open_whether_it_was_done_is_none() {
    for (infno, words, outcome) in [
        ("2207", "已结算，请勿重复结算", "unknown"),
        ("2102", "交易处理中，请稍后查询", "unknown"),
        ("2102", "网关超时", "unknown"),
        ("2208", "结果未知", "unknown"),
        ("2601", "Read timed out", "unknown"),
        ("3505", "该报文已处理", "unknown"),
        ("2208", "已结算清算，不能撤销", "refused"),
        ("2601", "原交易已冲正", "refused"),
        ("2208", "已撤销", "refused"),
        ("2207", "余额不足", "refused"),
        ("1101", "查询超时", "refused"),
    ] {
        let body = format!(r#"{{"infcode":-2,"err_msg":"{words}"}}"#);
        assert_eq!(
            read(infno, body.as_bytes(), "plain").0,
            outcome,
            "{infno} {words}"
        );
    }
    let opened = r#"{"infcode":-2,"err_msg":"处理失败","output":{"result":{"mdtrt_id":"M1"}}}"#;
    assert_eq!(read("2401", opened.as_bytes(), "plain").0, "unknown");
}

#[test]
fn details_say_what_is_odd_about_them() {
    let row = r#""cnt":2,"pric":4.52,"det_item_fee_sumamt":9.04,"fulamt_ownpay_amt":0,"overlmt_amt":0,"preselfpay_amt":0.45"#;
    let one = format!(r#"{{"feedetl_sn":"1",{row},"inscp_scp_amt":8.59}}"#);
    for (rows, odd) in [
        (one.clone(), ""),
        (format!("{one},{one}"), "ROW_TWICE"),
        (
            one.replace(r#""cnt":2"#, r#""cnt":3"#),
            "PRICE_TIMES_COUNT_DIFFERS",
        ),
        (format!(r#"{{"feedetl_sn":"1",{row}}}"#), "AMOUNT_EMPTY"),
    ] {
        let (outcome, odds, json) = read(
            "2204",
            reply(&format!(r#"{{"result":[{rows}]}}"#)).as_bytes(),
            "plain",
        );
        assert_eq!(outcome, "settled", "{rows}");
        assert_eq!(
            odds.first().map(String::as_str).unwrap_or_default(),
            odd,
            "{rows}: {odds:?}"
        );
        let scope = &json["reply"]["result"][0]["inscp_scp_amt"];
        assert_eq!(scope.is_null(), odd == "AMOUNT_EMPTY", "{rows}");
    }
}

#[test]
fn a_reversal_tells_what_it_undid_or_nothing() {
    let undone = |fields: &str| reply(&format!(r#"{{"setlinfo":{{"setl_id":"R1",{fields}}}}}"#));
    let (_, _, json) = read(
        "2208",
        undone(r#""medfee_sumamt":-200,"fund_pay_sumamt":-130,"hifp_pay":-130,"acct_pay":-50,"psn_cash_pay":null"#).as_bytes(),
        "plain",
    );
    let info = &json["reply"]["setlinfo"];
    assert_eq!(
        (&info["acct_pay"], &info["psn_cash_pay"]),
        (&"50.00".into(), &Value::Null)
    );
    let (_, odds, _) = read(
        "2208",
        undone(r#""medfee_sumamt":0,"acct_pay":0"#).as_bytes(),
        "plain",
    );
    assert!(odds.iter().any(|odd| odd == "NOTHING_UNDONE"), "{odds:?}");
}

#[test]
fn a_file_is_its_own_answer() {
    let zip = pack("a.txt", b"P1\tM1\n").unwrap();
    let (outcome, _, json) = read("9102", &zip, "plain");
    assert_eq!(
        (outcome.as_str(), &json["reply"]["bytes"]),
        ("settled", &6.into())
    );
    for body in [&zip[..40], br#"{"infcode":0}"#, b"PK\x03\x04garbage"] {
        assert_eq!(read("9102", body, "plain").0, "unknown");
    }
}

#[test]
fn a_signature_nobody_checked_is_told() {
    let output = format!(r#"{{"setlinfo":{INFO}}}"#);
    let (outcome, odds, _) = read("2207", reply(&quoted(&output)).as_bytes(), "jilin");
    assert_eq!(outcome, "settled");
    assert!(odds.iter().any(|odd| odd == "SIGNATURE_UNCHECKED"), "{odds:?}");
}
