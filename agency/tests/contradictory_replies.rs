//! Replies that say yes and no at once, tell one thing twice, or tell a share of the bill by not telling it: what is not
//! certain is unknown.
#![expect(clippy::unwrap_used, reason = "tests")]

use serde_json::Value;
use yijie_agency::{Decoded, Keys, Profile, decode_reply};

fn decode(infno: &str, body: &str) -> Decoded {
    let plain = Profile::built_in("plain").unwrap();
    decode_reply(infno, body.as_bytes(), &plain, &Keys::default())
}

fn told(decoded: &Decoded) -> Vec<String> {
    let odd = decoded.irregularities.iter();
    odd.map(|odd| format!("{} {}", odd.code, odd.field)).collect()
}

/// 200.00: 130.00 the fund, 50.00 the own account, 20.00 cash; with some fields put in another way, or (null) left out.
fn settlement(changes: &str) -> String {
    let mut info: Value = serde_json::from_str(
        r#"{"setl_id":"S1","mdtrt_id":"M1","medfee_sumamt":"200.00","fulamt_ownpay_amt":"10.00","overlmt_selfpay":"5.50",
        "preselfpay_amt":"4.50","inscp_scp_amt":"180.00","hifp_pay":"120.00","cvlserv_pay":"0","hifes_pay":"0","hifmi_pay":"0",
        "hifob_pay":"10.00","maf_pay":"0","oth_pay":"0","fund_pay_sumamt":"130.00","psn_part_amt":"70.00","acct_pay":"50.00",
        "psn_cash_pay":"20.00","hosp_part_amt":"0","acct_mulaid_pay":"0","balc":"7.00"}"#,
    )
    .unwrap();
    let changes: Value = serde_json::from_str(&format!("{{{changes}}}")).unwrap();
    let fields = info.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        fields.insert(name.clone(), value.clone());
    }
    fields.retain(|_, value| !value.is_null());
    info.to_string()
}

fn output(changes: &str) -> String {
    format!(r#"{{"setlinfo":{}}}"#, settlement(changes))
}

fn reply(output: &str) -> String {
    format!(r#"{{"infcode":0,"output":{output}}}"#)
}

#[test]
fn a_failure_beside_around_or_inside_is_no_success() {
    for no in [
        r#"{"success":false,"message":"原交易不存在"}"#,
        r#"{"result":{"retRslt":"0","msgRslt":"冲正失败"}}"#,
        r#"{"err_msg":"冲正失败：原交易不存在"}"#,
        r#"{"code":500}"#,
        r#"{"code":-1}"#,
        r#"{"status":"FAIL"}"#,
        r#"{"data":{"infcode":-2,"err_msg":"原交易不存在"}}"#,
        r#"{"result":false}"#,
        r#"{"data":"冲正失败"}"#,
        r#""冲正失败""#,
    ] {
        for infno in ["2601", "2203", "2205", "5301"] {
            assert_eq!(decode(infno, &reply(no)).outcome, "unknown", "{infno} {no}");
        }
    }
    for beside in [
        r#""code":-1"#,
        r#""code":"E500""#,
        r#""status":"FAIL""#,
        r#""status":500"#,
        r#""type":"error""#,
        r#""ok":false"#,
        r#""flag":"0""#,
        r#""isSuccess":false"#,
        r#""warn_msg":"冲正失败""#,
        r#""error":{"code":5}"#,
    ] {
        let beside_infcode = format!(r#"{{"infcode":0,{beside}}}"#);
        assert_eq!(decode("2601", &beside_infcode).outcome, "unknown", "{beside}");
        let around = format!(r#"{{{beside},"data":{}}}"#, reply(&output("")));
        assert_eq!(decode("2207", &around).outcome, "unknown", "{around}");
    }
    let inside = output("").replacen('{', r#"{"success":false,"message":"入账失败","#, 1);
    assert_eq!(decode("2207", &reply(&inside)).outcome, "unknown");
}

#[test]
fn what_an_interface_says_anyway_is_no_failure() {
    for beside in [
        r#""code":0"#,
        r#""code":"200","msg":"操作成功""#,
        r#""code":"success","type":"success""#,
        r#""status":"1""#,
        r#""status":"0000""#,
        r#""status":"OK""#,
        r#""warn_msg":"请注意：超限用药""#,
        r#""error":null"#,
    ] {
        let body = format!(
            r#"{{"infcode":0,{beside},"output":{}}}"#,
            output(r#""cvlserv_flag":"0""#)
        );
        assert_eq!(decode("2207", &body).outcome, "settled", "{beside}");
    }
}

#[test]
fn an_answer_with_nothing_in_it_has_to_praise_itself() {
    for (words, outcome) in [
        ("", "settled"),
        ("null", "settled"),
        ("成功", "settled"),
        ("冲正成功", "settled"),
        ("操作处理成功", "settled"),
        ("Success", "settled"),
        ("正常", "settled"),
        ("处理中", "unknown"),
        ("未成功", "unknown"),
        ("部分成功", "unknown"),
        ("无此交易", "unknown"),
        ("没有可冲正的数据", "unknown"),
        ("请稍后再试", "unknown"),
        ("timeout", "unknown"),
    ] {
        for infno in [
            "2601", "2202", "2205", "2302", "2402", "2404", "9002", "3204", "2203",
        ] {
            let body = format!(r#"{{"infcode":0,"err_msg":"{words}","output":null}}"#);
            assert_eq!(decode(infno, &body).outcome, outcome, "{infno} {words}");
        }
    }
}

#[test]
fn what_is_told_twice_and_differently_counts_for_nothing() {
    let twice = |name: &str, one: &str, other: &str| format!(r#""{name}":{one},"{name}":{other}"#);
    let person = |balc: &str| {
        format!(
            r#"{{"infcode":0,"output":{{"baseinfo":{{"psn_no":"P1"}},"insuinfo":[{{"insutype":"310",{balc}}}]}}}}"#
        )
    };
    let two = |name: &str, one: &str, other: &str| format!(r#"{{"infcode":0,{}}}"#, twice(name, one, other));
    let settled = output("");
    let detail = |rows: &str| reply(&output("").replacen('{', &format!("{{{rows},"), 1));
    for (infno, body, outcome) in [
        (
            "2207",
            two("output", &settled, &output(r#""setl_id":"S2""#)),
            "unknown FIELD_TWICE output",
        ),
        (
            "2207",
            two("output", &settled, "null"),
            "unknown FIELD_TWICE output",
        ),
        ("2207", two("output", &settled, &settled), "settled"),
        (
            "2207",
            reply(&format!("{{{}}}", twice("setlinfo", &settlement(""), "{}"))),
            "unknown FIELD_TWICE setlinfo",
        ),
        (
            "2207",
            detail(&twice(
                "setldetail",
                "[]",
                r#"[{"fund_pay_type":"310100","fund_payamt":1}]"#,
            )),
            "unknown FIELD_TWICE setldetail",
        ),
        (
            "2207",
            detail(r#""setldetail":[{"fund_pay_type":"310100","fund_payamt":1,"fund_payamt":2}]"#),
            "unknown FIELD_TWICE fund_payamt",
        ),
        (
            "2601",
            two("err_msg", r#""失败""#, "null"),
            "unknown FIELD_TWICE err_msg",
        ),
        (
            "2601",
            two("success", "false", "true"),
            "unknown FIELD_TWICE success",
        ),
        ("2601", two("success", "true", "true"), "settled"),
        (
            "1101",
            person(&twice("balc", "1", "2")),
            "unknown FIELD_TWICE balc",
        ),
        ("1101", person(&twice("balc", "1", "1")), "settled"),
    ] {
        let decoded = decode(infno, &body);
        let told = told(&decoded)
            .into_iter()
            .filter(|odd| odd.starts_with("FIELD_TWICE"));
        let found: Vec<String> = std::iter::once(decoded.outcome.to_owned()).chain(told).collect();
        assert_eq!(found.join(" "), outcome, "{infno} {body}");
    }
}

#[test]
fn a_share_that_is_not_told_is_nothing_only_where_all_that_is_told_says_so() {
    for (changes, profile, outcome) in [
        (
            r#""psn_cash_pay":null,"acct_pay":"70.00""#,
            "plain",
            "settled 70.00 0.00 0.00",
        ),
        // Cash is what the part says, and the hospital's share is no cash.
        (
            r#""psn_cash_pay":null,"hosp_part_amt":"20.00""#,
            "plain",
            "unknown",
        ),
        // The own account inside the fund's sum, and not told beside it.
        (
            r#""acct_pay":null,"fund_pay_sumamt":"180.00""#,
            "plain",
            "unknown",
        ),
        (
            r#""acct_pay":null,"fund_pay_sumamt":"180.00","psn_part_amt":null"#,
            "plain",
            "unknown",
        ),
        (
            r#""acct_pay":null,"fund_pay_sumamt":"180.00","psn_part_amt":"20.00""#,
            "guangdong",
            "unknown",
        ),
        // 20.00 of a relative's beside the account, or inside it and 20.00 in cash.
        (
            r#""acct_mulaid_pay":"20.00","psn_cash_pay":null"#,
            "plain",
            "unknown",
        ),
        (
            r#""acct_mulaid_pay":"20.00","acct_pay":"70.00","psn_cash_pay":null"#,
            "plain",
            "settled 50.00 20.00 0.00",
        ),
        (
            r#""acct_mulaid_pay":"30.00""#,
            "plain",
            "settled 20.00 30.00 20.00",
        ),
        (
            r#""acct_mulaid_pay":"30.00","psn_part_amt":null"#,
            "plain",
            "settled 20.00 30.00 20.00",
        ),
        (
            r#""acct_mulaid_pay":"10.00","acct_pay":"40.00","psn_part_amt":null"#,
            "jilin",
            "settled 40.00 10.00 20.00",
        ),
        (r#""acct_mulaid_pay":"-5.00""#, "plain", "unknown"),
        // The funds one by one say what their sum is.
        (r#""fund_pay_sumamt":null"#, "plain", "settled 50.00 0.00 20.00"),
        (r#""medfee_sumamt":"-200.00""#, "plain", "unknown"),
    ] {
        let profile = Profile::built_in(profile).unwrap();
        let decoded = decode_reply(
            "2207",
            reply(&output(changes)).as_bytes(),
            &profile,
            &Keys::default(),
        );
        let json = serde_json::to_value(&decoded).unwrap();
        let amounts = ["acct_pay", "acct_mulaid_pay", "psn_cash_pay"];
        let amounts = amounts
            .iter()
            .filter_map(|name| json["reply"]["setlinfo"][name].as_str());
        let found: Vec<&str> = std::iter::once(decoded.outcome).chain(amounts).collect();
        assert_eq!(found.join(" "), outcome, "{changes}");
    }
    let listed = output(r#""acct_pay":null,"fund_pay_sumamt":"180.00","psn_part_amt":null"#);
    let listed = listed.replacen(
        '{',
        r#"{"setldetail":[{"fund_pay_type":"310200","fund_payamt":"50"}],"#,
        1,
    );
    assert_eq!(decode("2207", &reply(&listed)).outcome, "unknown");
    // What the interface obliges to tell and an agency does not is noted, and where nobody can say what it is, none.
    let decoded = decode(
        "2207",
        &reply(&output(
            r#""oth_pay":null,"hosp_part_amt":null,"psn_part_amt":"65.00","psn_cash_pay":"15.00""#,
        )),
    );
    let noted = told(&decoded);
    for odd in ["AMOUNT_EMPTY oth_pay", "AMOUNT_EMPTY hosp_part_amt"] {
        assert!(noted.iter().any(|noted| noted == odd), "{noted:?}");
    }
    let json = serde_json::to_value(&decoded).unwrap();
    let info = &json["reply"]["setlinfo"];
    assert_eq!(
        (&info["oth_pay"], &info["hosp_part_amt"]),
        (&Value::from("0.00"), &Value::Null)
    );
}

#[test]
fn a_settlement_that_was_undone_is_not_found_standing() {
    let negative =
        r#""medfee_sumamt":-200,"fund_pay_sumamt":-130,"psn_part_amt":-70,"acct_pay":-50,"psn_cash_pay":-20"#;
    for (changes, outcome) in [
        (r#""refd_setl_flag":1.0"#, "settled true"),
        (r#""refd_setl_flag":"1.0""#, "settled true"),
        (r#""refd_setl_flag":"１""#, "settled true"),
        (r#""refd_setl_flag":"是""#, "settled true"),
        (r#""refd_setl_flag":"退费""#, "settled true"),
        (r#""refd_setl_flag":"已退费""#, "settled true"),
        (r#""refd_setl_flag":true"#, "settled true"),
        (r#""refd_setl_flag":"0""#, "settled false"),
        (r#""refd_setl_flag":"否""#, "settled false"),
        (r#""refd_setl_flag":"正常""#, "settled false"),
        (r#""refd_setl_flag":false"#, "settled false"),
        (r#""refd_setl_flag":"""#, "settled false"),
        ("", "settled false"),
        (r#""refd_setl_flag":"2""#, "unknown"),
        (r#""refd_setl_flag":"?""#, "unknown"),
        (negative, "unknown"),
        (&format!(r#"{negative},"refd_setl_flag":"0""#), "unknown"),
        (&format!(r#"{negative},"refd_setl_flag":"1""#), "settled true"),
    ] {
        let decoded = decode("5203", &reply(&output(changes)));
        let json = serde_json::to_value(&decoded).unwrap();
        let refunded = json["reply"]["refunded"].as_bool();
        let found = refunded.map_or(decoded.outcome.to_owned(), |flag| {
            format!("{} {flag}", decoded.outcome)
        });
        assert_eq!(found, outcome, "{changes}");
    }
}

#[test]
fn a_settlement_is_found_wherever_it_stands() {
    let info = settlement("");
    let two = format!("[{info},{}]", settlement(r#""setl_id":"S2""#));
    for (output, found) in [
        (format!(r#"{{"data":{{"setlinfo":{info}}}}}"#), "settled S1"),
        (format!(r#"{{"output":{{"setlinfo":{info}}}}}"#), "settled S1"),
        (format!(r#"{{"result":{{"setlinfo":{info}}}}}"#), "settled S1"),
        (
            format!(r#"{{"result":{{"data":{{"setlinfo":{info}}}}}}}"#),
            "settled S1",
        ),
        (format!(r#"{{"data":[{info}]}}"#), "settled S1"),
        (info.clone(), "settled S1"),
        (format!("[{info}]"), "settled S1"),
        (
            format!(r#"{{"data":{{"list":[{info}],"total":1}}}}"#),
            "settled S1",
        ),
        (format!(r#"{{"setlinfoList":[{info}]}}"#), "settled S1"),
        (format!(r#"{{"setlinfo":{{"rows":[{info}]}}}}"#), "settled S1"),
        (format!(r#"{{"data":{two}}}"#), "unknown"),
        (two.clone(), "unknown"),
        (
            format!(r#"{{"data":{{"setlinfo":{info}}},"result":{{"setlinfo":{info}}}}}"#),
            "unknown",
        ),
        (r#"{"psn_no":"P1"}"#.to_owned(), "unknown"),
        (r#"{"data":{"list":[],"total":3}}"#.to_owned(), "unknown"),
        ("null".to_owned(), "settled"),
        ("{}".to_owned(), "settled"),
        (r#"{"setlinfo":null}"#.to_owned(), "settled"),
        (r#"{"setlinfo":{},"setldetail":[]}"#.to_owned(), "settled"),
        (r#"{"setlinfo":[]}"#.to_owned(), "settled"),
        (
            r#"{"data":{"list":[],"total":0,"pageNum":1}}"#.to_owned(),
            "settled",
        ),
    ] {
        let decoded = decode("5203", &reply(&output));
        let json = serde_json::to_value(&decoded).unwrap();
        let number = json["reply"]["setl_id"].as_str();
        let told = number.map_or(decoded.outcome.to_owned(), |number| {
            format!("{} {number}", decoded.outcome)
        });
        assert_eq!(told, found, "{output}");
    }
}
