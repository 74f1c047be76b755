//! Where the platform is strict the sandbox is: message ids, sign numbers, places, packs, files, admissions, sums.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use common::*;
use serde_json::{Value, json};
use yijie_agency::{Answer, StatementFile, StatementRow};
use yijie_rules::Money;

fn visits_of(psn_no: &str) -> Value {
    json!({"data": {"psn_no": psn_no}})
}

fn code_of(words: &str) -> &str {
    words.split(' ').next().unwrap()
}

#[test]
fn a_message_id_is_used_once_by_one_institution_whatever_for() {
    let mut desk = Desk::start();
    let msgid = desk.msgid();
    assert_eq!(desk.send("5201", &msgid, visits_of(ACTIVE))["infcode"], 0);
    for infno in ["5201", "5301", "9001"] {
        let reply = desk.send(infno, &msgid, visits_of(ACTIVE));
        assert_eq!(words(&reply), "MSGID_REPEATED 报文ID重复");
    }
    // What was refused has used its id too; a shorter one is an id.
    let short = "H53010200001210627101410";
    assert!(words(&desk.send("5201", short, visits_of("nobody"))).starts_with("PERSON_UNKNOWN"));
    let again = desk.send("5201", short, visits_of(ACTIVE));
    assert!(words(&again).starts_with("MSGID_REPEATED"));
    desk.head["fixmedins_code"] = json!("H53010200002");
    assert_eq!(desk.send("5201", &msgid, visits_of(ACTIVE))["infcode"], 0);
    // A question's id may still be a settlement's, a refused settlement's nothing's.
    let sold = desk.send("2102", &msgid, sale("nothing", "41"));
    assert!(words(&sold).starts_with("FIELD_INVALID"), "{sold}");
    for (infno, input) in [
        ("2102", sale("10.00", "41")),
        ("5201", visits_of(ACTIVE)),
        ("2102", sale("10.00", "41")),
    ] {
        assert!(words(&desk.send(infno, &msgid, input)).starts_with("MSGID_REPEATED"));
    }
}

#[test]
fn a_sign_number_is_one_that_was_given_and_has_not_ended() {
    let mut desk = Desk::start();
    let sign_in = json!({"signIn": {"opter_no": "0001", "ip": "127.0.0.1"}});
    // Whoever signs in may still carry an old one.
    desk.head["sign_no"] = json!("359754");
    let given = desk.done("9001", sign_in)["signinoutb"]["sign_no"].clone();
    let unknown = |words: String| assert_eq!(words, "SIGN_NO_UNKNOWN 未签到或已签退");
    unknown(desk.refused("5201", visits_of(ACTIVE)));
    desk.head["sign_no"] = given.clone();
    desk.restart();
    desk.done("5201", visits_of(ACTIVE));
    desk.head["fixmedins_code"] = json!("H53010200002");
    unknown(desk.refused("5201", visits_of(ACTIVE)));
    desk.head["fixmedins_code"] = json!(INSTITUTION);
    let sign_out = |sign_no: &Value| json!({"signOut": {"sign_no": sign_no, "opter_no": "0001"}});
    unknown(desk.refused("9002", sign_out(&json!("359754"))));
    desk.done("9002", sign_out(&given));
    unknown(desk.refused("5201", visits_of(ACTIVE)));
    desk.restart();
    desk.head["sign_no"] = json!("");
    unknown(desk.refused("9002", sign_out(&given)));
    desk.done("5201", visits_of(ACTIVE));
}

#[test]
fn a_person_is_named_with_the_place_of_insurance() {
    let mut desk = Desk::start();
    let elsewhere = "539900000000000000000003";
    assert_eq!(
        desk.refused("5201", visits_of(elsewhere)),
        "FIELDS_DISAGREE insuplc_admdvs: not the person's"
    );
    desk.head["insuplc_admdvs"] = json!("532500");
    desk.done("5201", visits_of(elsewhere));
    desk.head["insuplc_admdvs"] = Value::Null;
    assert_eq!(
        desk.refused("5201", visits_of(elsewhere)),
        "FIELD_INVALID insuplc_admdvs: missing"
    );
    // Where nobody is named, no place is asked for.
    desk.done("9001", json!({"signIn": {"opter_no": "0001", "ip": "127.0.0.1"}}));
}

fn sold(setl_id: &Value, code: &str) -> Value {
    json!({"selinfo": {
        "med_list_codg": "XA0000001", "fixmedins_hilist_id": "1", "fixmedins_hilist_name": "甲类药",
        "fixmedins_bchno": "B1", "phar_name": "示例", "phar_prac_cert_no": "Y1", "mdtrt_sn": "1",
        "manu_lotnum": "L1", "manu_date": "2026-01-01", "expy_end": "2028-01-01", "rx_flag": 0, "trdn_flag": 0,
        "rx_circ_flag": 0, "rtal_docno": "R1", "sel_retn_cnt": 1, "sel_retn_time": "2026-03-01 09:30:00",
        "sel_retn_opter_name": "示例", "psn_no": ACTIVE, "psn_cert_type": "01", "setl_id": setl_id,
        "mdtrt_setl_type": 1, "hi_feesetl_type": "1", "drugtracinfo": [{"drug_trac_codg": code}],
    }})
}

fn sale(amount: &str, med_type: &str) -> Value {
    json!({
        "druginfo": {
            "psn_no": ACTIVE, "mdtrt_cert_type": "02", "mdtrt_cert_no": "x", "begntime": "2026-03-01 09:30:00",
            "medfee_sumamt": amount, "invono": "1", "insutype": "310", "acct_used_flag": "1", "med_type": med_type,
        },
        "drugdetail": [{
            "feedetl_sn": "1", "rx_circ_flag": "0", "fee_ocur_time": "2026-03-01 09:30:00", "med_list_codg": "1",
            "medins_list_codg": "1", "det_item_fee_sumamt": amount, "cnt": "1", "pric": amount,
        }],
    })
}

#[test]
fn a_pack_is_told_of_once_and_its_code_is_typed_signs() {
    let mut desk = Desk::start();
    let settled = desk.done("2102", sale("30.00", "41"))["setlinfo"]["setl_id"].clone();
    let told = |desk: &mut Desk, code: &str| {
        let output = desk.done("3505", sold(&settled, code));
        let no = output["result"]["retRslt"] == "0";
        no.then(|| output["result"]["msgRslt"].as_str().unwrap().to_owned())
    };
    assert_eq!(told(&mut desk, "8123456/A-01"), None);
    let again = told(&mut desk, "8123456/A-01");
    assert_eq!(again.as_deref(), Some("TRACE_CODE_USED 追溯码已有销售记录"));
    for wrong in ["8123456 01", "８123456", "追溯码"] {
        assert_eq!(
            desk.refused("3505", sold(&settled, wrong)),
            "FIELD_INVALID drug_trac_codg: not of its form"
        );
    }
}

fn admission(own_no: &str) -> Value {
    json!({
        "mdtrtinfo": {
            "psn_no": ACTIVE, "insutype": "310", "begntime": "2026-03-01 09:30:00", "mdtrt_cert_type": "02",
            "mdtrt_cert_no": "x", "med_type": "21", "ipt_no": own_no, "atddr_no": "1", "chfpdr_name": "医师",
            "adm_diag_dscr": "x", "adm_dept_codg": "1", "adm_dept_name": "内科", "dscg_maindiag_code": "J00",
            "dscg_maindiag_name": "x",
        },
        "diseinfo": [{
            "diag_type": "1", "diag_srt_no": 1, "diag_code": "J00", "diag_name": "x", "diag_dept": "1",
            "dise_dor_no": "1", "dise_dor_name": "医师", "diag_time": "2026-03-01 09:30:00", "vali_flag": "1",
        }],
    })
}

fn details(mdtrt_id: &str, amount: &str) -> Value {
    json!({"feedetail": [{
        "feedetl_sn": "1", "mdtrt_id": mdtrt_id, "psn_no": ACTIVE, "chrg_bchno": "B1", "rx_circ_flag": "0",
        "fee_ocur_time": "2026-03-01 09:30:00", "med_list_codg": "1", "medins_list_codg": "1",
        "det_item_fee_sumamt": amount, "cnt": 1, "pric": amount, "bilg_dept_codg": "1", "bilg_dept_name": "内科",
        "bilg_dr_codg": "1", "bilg_dr_name": "医师", "hosp_appr_flag": "0",
    }]})
}

#[test]
fn a_stay_of_national_fields_is_settled_by_its_trial() {
    let mut desk = Desk::start();
    let admitted = desk.done("2401", admission("1"));
    let mdtrt_id = admitted["result"]["mdtrt_id"].as_str().unwrap().to_owned();
    desk.done("2301", details(&mdtrt_id, "3000.00"));
    let discharge = json!({
        "dscginfo": {
            "mdtrt_id": mdtrt_id, "psn_no": ACTIVE, "insutype": "310", "endtime": "2026-03-05 10:00:00",
            "dscg_dept_codg": "1", "dscg_dept_name": "内科", "dscg_way": "1",
        },
        "diseinfo": admission("1")["diseinfo"],
    });
    desk.done("2402", discharge);
    let mut bill = json!({"data": {
        "psn_no": ACTIVE, "mdtrt_cert_type": "02", "mdtrt_cert_no": "x", "med_type": "21", "medfee_sumamt": 3000,
        "psn_setlway": "01", "mdtrt_id": mdtrt_id, "chrg_bchno": "B1", "acct_used_flag": "1", "insutype": "310",
    }});
    let trial = desk.done("2303", bill.clone());
    for field in [
        "fulamt_ownpay_amt",
        "overlmt_selfpay",
        "preselfpay_amt",
        "inscp_scp_amt",
    ] {
        bill["data"][field] = trial["setlinfo"][field].clone();
    }
    let settled = desk.done("2304", bill);
    assert_ne!(settled["setlinfo"]["hifp_pay"], "0.00");
    assert_eq!(settled["setlinfo"]["hifp_pay"], trial["setlinfo"]["hifp_pay"]);
    assert_eq!(settled["setlinfo"]["clr_type"], "21");
}

#[test]
fn an_admission_that_arrived_is_reversed_and_one_on_its_way_is_shut_out() {
    let mut desk = Desk::start();
    let reverse =
        |omsgid: &str, oinfno: &str| json!({"data": {"psn_no": ACTIVE, "omsgid": omsgid, "oinfno": oinfno}});
    let msgid = desk.msgid();
    let reply = desk.send("2401", &msgid, admission("1"));
    let mdtrt_id = reply["output"]["result"]["mdtrt_id"].as_str().unwrap().to_owned();
    let stay = json!({"data": {"mdtrt_id": mdtrt_id, "psn_no": ACTIVE}});
    assert_eq!(
        code_of(&desk.refused("2601", reverse(&msgid, "2304"))),
        "TRANSACTION_OTHER"
    );
    desk.done("2301", details(&mdtrt_id, "1.00"));
    assert_eq!(
        code_of(&desk.refused("2601", reverse(&msgid, "2401"))),
        "DETAILS_LEFT"
    );
    desk.done(
        "2302",
        json!({"data": {"mdtrt_id": mdtrt_id, "psn_no": ACTIVE, "chrg_bchno": "0000"}}),
    );
    desk.restart();
    desk.done("2601", reverse(&msgid, "2401"));
    assert_eq!(
        desk.refused("2601", reverse(&msgid, "2401")),
        "ALREADY_REVERSED 原交易已冲正"
    );
    assert_eq!(code_of(&desk.refused("2404", stay)), "VISIT_NOT_FOUND");
    // Its own number is free again, its message id is not.
    assert_eq!(
        code_of(&words(&desk.send("2401", &msgid, admission("1")))),
        "MSGID_REPEATED"
    );
    desk.done("2401", admission("1"));
    let late = desk.msgid();
    assert_eq!(
        desk.refused("2601", reverse(&late, "2401")),
        "ORIGINAL_NOT_FOUND 未找到原交易"
    );
    assert_eq!(
        code_of(&words(&desk.send("2401", &late, admission("2")))),
        "MSGID_REVERSED"
    );
    let mut undiagnosed = admission("3");
    undiagnosed["diseinfo"] = Value::Null;
    assert_eq!(
        desk.refused("2401", undiagnosed),
        "FIELD_INVALID diseinfo: missing"
    );
}

#[test]
fn a_file_is_handed_to_whom_it_was_made_for() {
    let mut desk = Desk::start();
    let bytes = json!([80, 75, 3, 4, 255]);
    let up = |institution: &str| json!({"fsUploadIn": {"in": bytes, "filename": "a.zip", "fixmedins_code": institution}});
    let ticket = desk.done("9101", up(INSTITUTION));
    let down = |institution: &str, name: &str| {
        json!({"fsDownloadIn": {
            "file_qury_no": ticket["file_qury_no"], "filename": name, "fixmedins_code": institution,
        }})
    };
    let msgid = desk.msgid();
    let whole = desk.deliver("9102", &msgid, down(INSTITUTION, "a.zip"));
    assert_eq!(whole, [80, 75, 3, 4, 255]);
    let missing = |words: String| assert_eq!(words, "FILE_NOT_FOUND 文件不存在或已过期");
    missing(desk.refused("9102", down(INSTITUTION, "b.zip")));
    missing(desk.refused("9102", down("plc", "a.zip")));
    desk.head["fixmedins_code"] = json!("H53010200002");
    missing(desk.refused("9102", down("H53010200002", "a.zip")));
    missing(desk.refused("9102", down(INSTITUTION, "a.zip")));
}

#[tokio::test]
async fn a_statements_file_has_all_its_sums() {
    let rig = Rig::start().await;
    let settled = done(
        rig.client
            .settle(&rig.ids.next(), &common::sale(ACTIVE, "9000.00"))
            .await,
    );
    let info = &settled.setlinfo;
    assert!(!info.psn_cash_pay.is_zero());
    let row = StatementRow {
        setl_id: settled.setl_id.clone(),
        mdtrt_id: settled.mdtrt_id.clone(),
        psn_no: ACTIVE.to_owned(),
        medfee_sumamt: info.medfee_sumamt,
        fund_pay_sumamt: info.fund_pay_sumamt,
        acct_pay: info.acct_pay,
        refund: false,
    };
    let day = settled.setl_time[..10].to_owned();
    let file = StatementFile {
        file_qury_no: String::new(),
        setl_optins: settled.clr_optins.clone(),
        clr_type: settled.clr_type.clone(),
        begndate: day.clone(),
        enddate: day,
        medfee_sumamt: info.medfee_sumamt,
        fund_pay_sumamt: info.fund_pay_sumamt,
        cash_payamt: info.psn_cash_pay,
        setl_count: 1,
    };
    let rows = [row];
    assert_eq!(done(rig.client.statement_detail(&rows, file.clone()).await), []);
    let mut wrong = [(); 2].map(|()| file.clone());
    wrong[0].cash_payamt = Money::ZERO;
    wrong[1].setl_count = 2;
    for other in wrong {
        let answer = rig.client.statement_detail(&rows, other).await;
        assert_eq!(refused(answer), "FIELDS_DISAGREE");
    }
    // What differs is what the statement is there to find.
    let mut less = rows.clone();
    less[0].acct_pay = Money::ZERO;
    let cash = StatementFile {
        cash_payamt: info.psn_cash_pay.saturating_add(info.acct_pay),
        ..file
    };
    assert_eq!(done(rig.client.statement_detail(&less, cash).await).len(), 1);
}

#[tokio::test]
async fn refusals_come_in_words_only_on_request() {
    let rig = Rig::start().await;
    rig.faults("[[fault]]\nwhat = \"words_only\"\n");
    let reverse = |omsgid: String| {
        let (client, ids) = (rig.client.clone(), rig.ids.clone());
        async move {
            match client
                .reverse(&ids.next(), &insured(ACTIVE), &omsgid, "2102")
                .await
            {
                Answer::Refused(refusal) => (refusal.infcode, refusal.message),
                other => unreachable!("{other:?}"),
            }
        }
    };
    let said = |words: &str| (-2, words.to_owned());
    let never = rig.ids.next();
    assert_eq!(reverse(never.clone()).await, said("未找到原交易"));
    assert_eq!(reverse(never).await, said("原交易已冲正"));
    // What is no refusal is as ever.
    done(
        rig.client
            .settle(&rig.ids.next(), &pharmacy_sale(ACTIVE, "10.00"))
            .await,
    );
}
