//! Replies that leave something unsaid, or say two things: nothing is made up, and nothing ambiguous is settled.

use yijie_agency::{Keys, Profile, decode_reply};

/// The amounts of a settlement that adds up, with some fields put in another way.
fn settlement(fields: &str) -> String {
    format!(
        r#"{{"infcode":0,"output":{{"setlinfo":{{"setl_id":"S1","medfee_sumamt":"20.00","inscp_scp_amt":"20.00",
        "hifp_pay":"15.00","psn_part_amt":"5.00","hosp_part_amt":"0.00",{fields}}}}}}}"#
    )
}

#[test]
fn what_a_settlement_does_not_say_is_not_made_up() {
    let shares = r#""fund_pay_sumamt":"15.00","acct_pay":"5.00","psn_cash_pay":"0.00","balc":"7.00""#;
    let with = |more: &str| settlement(&format!("{shares},{more}"));
    for (body, outcome, odd) in [
        (settlement(shares), "settled", ""),
        (
            with(r#""refd_setl_flag":"maybe""#),
            "settled",
            "FLAG_UNKNOWN refd_setl_flag",
        ),
        (
            with(r#""cash_payamt":"99""#),
            "settled",
            "SPELLINGS_DIFFER psn_cash_pay",
        ),
        (
            with(r#""setl_time":"20260301223000""#),
            "settled",
            "TIME_SPELLED_OTHERWISE setl_time",
        ),
        (
            with(r#""setl_time":"昨天""#),
            "settled",
            "TIME_UNREADABLE setl_time",
        ),
        // Cash that is not told is nothing: the others come to the bill.
        (
            settlement(r#""fund_pay_sumamt":"15.00","acct_pay":"5.00","balc":1"#),
            "settled",
            "",
        ),
        (
            settlement(r#""fund_pay_sumamt":"15.00","acct_pay":"5.00","psn_cash_pay":"0""#),
            "settled",
            "AMOUNT_EMPTY balc",
        ),
        // Here nobody can say who pays the rest.
        (
            settlement(r#""fund_pay_sumamt":"15.00","psn_cash_pay":"0.00""#),
            "unknown",
            "",
        ),
        (
            settlement(r#""fund_pay_sumamt":"15.00","acct_pay":"伍","psn_cash_pay":"0.00""#),
            "unknown",
            "",
        ),
        // A currency is no part of an amount.
        (
            settlement(r#""fund_pay_sumamt":"15.00","acct_pay":"5元","psn_cash_pay":"0.00""#),
            "settled",
            "AMOUNT_SPELLED_OTHERWISE acct_pay",
        ),
        (settlement(r#""hosp_part_amt":"20.00""#), "unknown", ""),
        // Two numbers, or none.
        (with(r#""setl_id":"S2""#), "unknown", ""),
        (with(r#""setlId":"S2""#), "unknown", ""),
        (settlement(shares).replace(r#""S1""#, r#""-""#), "unknown", ""),
        (settlement(shares).replace(r#""S1""#, "false"), "unknown", ""),
        // Two settlements.
        (
            settlement(shares)
                .replace(
                    r#"{"setlinfo":"#,
                    r#"{"setlinfo":[{"setl_id":"S0","medfee_sumamt":1},"#,
                )
                .replace("}}}", "}]}}"),
            "unknown",
            "",
        ),
    ] {
        let decoded = decode_reply(
            "2207",
            body.as_bytes(),
            &Profile::built_in("plain").unwrap(),
            &Keys::default(),
        );
        assert_eq!(decoded.outcome, outcome, "{body}");
        let noted: Vec<String> = decoded
            .irregularities
            .iter()
            .map(|odd| format!("{} {}", odd.code, odd.field))
            .collect();
        assert!(
            odd.is_empty() || noted.iter().any(|noted| noted == odd),
            "{body}: {noted:?}"
        );
    }
    let read = |body: &str, profile: &str| {
        serde_json::to_value(decode_reply(
            "2207",
            body.as_bytes(),
            &Profile::built_in(profile).unwrap(),
            &Keys::default(),
        ))
        .unwrap()
    };
    let untold = read(
        &settlement(r#""fund_pay_sumamt":"15.00","acct_pay":"5.00","psn_cash_pay":"0""#),
        "plain",
    );
    assert!(
        untold["reply"]["setlinfo"]["balc"].is_null(),
        "no balance is not a balance of zero"
    );
    let identities: Vec<&str> = untold["identities"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|check| check["identity"].as_str())
        .collect();
    assert!(
        !identities.iter().any(|identity| identity.contains("setldetail")),
        "nothing to check: {identities:?}"
    );
    // A profile says the sum has the account in it; this reply's has not.
    let sum = read(&settlement(shares), "guangdong");
    assert_eq!(sum["reply"]["setlinfo"]["fund_pay_sumamt"], "15.00");
    let id = read(&settlement(shares).replace(r#""S1""#, "400000001.0"), "plain");
    assert_eq!(id["reply"]["setl_id"], "400000001");
}

#[test]
fn a_reply_that_contradicts_itself_is_unknown() {
    let plain = Profile::built_in("plain").unwrap();
    for (infno, body, outcome) in [
        ("2601", r#"{"infcode":0}"#, "settled"),
        (
            "2601",
            r#"{"infcode":0,"output":{"infcode":-2,"err_msg":"未找到原交易"}}"#,
            "unknown",
        ),
        ("2601", r#"{"infCode":"-2","infcode":0}"#, "unknown"),
        ("2601", r#"{"infcode":-2,"infcode":0}"#, "unknown"),
        ("2601", r#"{"infcode":0,"success":"false"}"#, "unknown"),
        ("2601", r#"{"infcode":0,"success":0}"#, "unknown"),
        ("2601", r#"{"infcode":0,"code":500}"#, "unknown"),
        ("2601", r#"{"infcode":0,"err_msg":"冲正失败"}"#, "unknown"),
        ("2601", r#"{"infcode":"200","err_msg":"成功"}"#, "unknown"),
        ("2601", r#"{"infcode":-2,"err_msg":"未找到原交易"}"#, "refused"),
        ("3203", r#"{"infcode":0,"output":{}}"#, "unknown"),
        ("2204", r#"{"infcode":0,"output":{}}"#, "unknown"),
        ("2204", r#"{"infcode":-1,"err_msg":"系统异常"}"#, "unknown"),
        ("3505", r#"{"infcode":-1,"err_msg":"系统异常"}"#, "unknown"),
        ("3505A", r#"{"infcode":0,"output":{}}"#, "unknown"),
        ("3505A", r#"{"infcode":0,"output":{"retRslt":"1"}}"#, "settled"),
        ("1101", r#"{"infcode":-1,"err_msg":"系统异常"}"#, "refused"),
    ] {
        let decoded = decode_reply(infno, body.as_bytes(), &plain, &Keys::default());
        assert_eq!(decoded.outcome, outcome, "{infno} {body}");
        assert_eq!(decoded.code.is_some(), outcome != "settled", "{infno} {body}");
    }
    // The words of a refusal, wherever they stand; zero bytes behind a body.
    for body in [
        r#"{"infcode":-2,"error_msg":"参保人不存在"}"#,
        r#"{"infcode":-2,"errMsg":"参保人不存在"}"#,
        r#"{"infcode":-2,"data":{"message":"参保人不存在"}}"#,
        "{\"infcode\":-2,\"err_msg\":\"参保人不存在\"}\0\0\0",
    ] {
        let decoded = decode_reply("2207", body.as_bytes(), &plain, &Keys::default());
        assert_eq!(
            (decoded.outcome, decoded.message.as_deref()),
            ("refused", Some("参保人不存在")),
            "{body}"
        );
    }
    let mixed = br#"{"infcode":0,"output":{"setlinfo":{"setl_id":"S9","medfee_sumamt":"-25.10","acct_pay":"25.10"}}}"#;
    let decoded = decode_reply("2208", mixed, &plain, &Keys::default());
    assert!(
        decoded.irregularities.iter().any(|odd| odd.code == "SIGNS_MIXED"),
        "{:?}",
        decoded.irregularities
    );
}
