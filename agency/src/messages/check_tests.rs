//! What every message refuses to send: values outside a closed list, amounts below zero, ends before their begin.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    audit::{AuditOrder, AuditPatient, AuditVisit},
    benefits::{BenefitQuestion, PersonTimeQuestion, UsedQuestion},
    clearing::{ClearingData, ClearingInput, ClearingRequest},
    goods::{GoodsReturned, GoodsSold},
    person::PersonInput,
    pharmacy::SaleInput,
    reversal::ReversalInput,
    statement::StatementInput,
    statement_detail::DetailInput,
    visit::{Admission, Diagnosis, Discharge, FeeDetail, FeeInput, Registration, VisitBillInput, VisitInfo},
};
use crate::{
    envelope::Envelope,
    fields::{Checked, FieldFault},
};

fn check<I: DeserializeOwned + Checked>(input: &Value) -> Result<(), FieldFault> {
    serde_json::from_value::<I>(input.clone()).unwrap().check()
}

/// The message is fit as it is, with each good value, and with none of the bad ones: the field is named.
fn table<I: DeserializeOwned + Checked>(fit: &Value, rows: &[(&str, &[&str], &[&str])]) {
    assert_eq!(check::<I>(fit), Ok(()), "{fit}");
    for (place, good, bad) in rows {
        let with = |value: &str| {
            let mut input = fit.clone();
            *input.pointer_mut(place).unwrap() = json!(value);
            check::<I>(&input)
        };
        for value in *good {
            assert_eq!(with(value), Ok(()), "{place} {value}");
        }
        for value in *bad {
            let field = with(value).unwrap_err().field;
            assert!(place.ends_with(&format!("/{field}")), "{place} {value}: {field}");
        }
    }
}

const INSUTYPE: (&str, &[&str], &[&str]) = ("/insutype", &["310", "390", "311"], &["", "3 1", "3100000"]);
const CERT: (&str, &[&str], &[&str]) = ("/mdtrt_cert_type", &["01", "02", "04"], &["", "1", "05"]);
const MED_TYPE: (&str, &[&str], &[&str]) = ("/med_type", &["11", "140104", "9Z"], &["", "11 ", "1401041"]);
const AMOUNT: (&[&str], &[&str]) = (&["0", "12.30"], &["-0.01", "1.234", "x", ""]);

fn under(node: &str, (field, good, bad): (&str, &'static [&'static str], &'static [&'static str])) -> Row {
    (format!("{node}{field}"), good, bad)
}

type Row = (String, &'static [&'static str], &'static [&'static str]);

fn table_under<I: DeserializeOwned + Checked>(fit: &Value, rows: &[Row]) {
    let rows: Vec<_> = rows
        .iter()
        .map(|(place, good, bad)| (place.as_str(), *good, *bad))
        .collect();
    table::<I>(fit, &rows);
}

fn registration() -> Value {
    json!({
        "psn_no": "1", "insutype": "310", "begntime": "2026-03-01 09:30:00", "mdtrt_cert_type": "02",
        "mdtrt_cert_no": "1", "ipt_otp_no": "1", "atddr_no": "1", "dr_name": "1", "dept_code": "1", "dept_name": "1",
        "caty": "1",
    })
}

fn detail() -> Value {
    json!({
        "feedetl_sn": "1", "mdtrt_id": "1", "psn_no": "1", "chrg_bchno": "1", "rx_circ_flag": "0",
        "fee_ocur_time": "2026-03-01 09:30:00", "med_list_codg": "1", "medins_list_codg": "1",
        "det_item_fee_sumamt": "1.00", "cnt": "1", "pric": "1", "bilg_dept_codg": "1", "bilg_dept_name": "1",
        "bilg_dr_codg": "1", "bilg_dr_name": "1", "hosp_appr_flag": "0",
    })
}

#[test]
fn a_visit() {
    table::<Registration>(&registration(), &[INSUTYPE, CERT]);
    let info = json!({"mdtrt_id": "1", "psn_no": "1", "med_type": "11", "begntime": "2026-03-01 09:30:00"});
    table::<VisitInfo>(&info, &[MED_TYPE]);
    let diagnosis = json!({
        "diag_type": "1", "diag_srt_no": "1", "diag_code": "R69", "diag_name": "1", "diag_dept": "1", "dise_dor_no": "1",
        "dise_dor_name": "1", "diag_time": "2026-03-01 09:30:00", "vali_flag": "1",
    });
    table::<Diagnosis>(
        &diagnosis,
        &[
            ("/diag_type", &["1", "2", "3"], &["0", "01", ""]),
            ("/diag_srt_no", &["12"], &["-1", "1.5", ""]),
            ("/vali_flag", &["0"], &["2"]),
        ],
    );
    table::<FeeDetail>(
        &detail(),
        &[
            ("/hosp_appr_flag", &["0", "1", "2"], &["3", ""]),
            ("/det_item_fee_sumamt", AMOUNT.0, AMOUNT.1),
            ("/cnt", &["0.5"], &["-1"]),
            ("/pric", &["0.123456"], &["-1"]),
        ],
    );
    let bill = json!({
        "data": {
            "psn_no": "1", "mdtrt_cert_type": "02", "mdtrt_cert_no": "1", "med_type": "11", "medfee_sumamt": "1.00",
            "psn_setlway": "01", "mdtrt_id": "1", "chrg_bchno": "1", "acct_used_flag": "1", "insutype": "310",
            "inscp_scp_amt": "1.00",
        },
        "drug_trac_info": [
            {"feedetl_sn": "1", "drug_trac_codg": "8", "trdn_flag": "0", "min_prcunt_type": "2"},
            {"feedetl_sn": "1", "drug_trac_codg": "9", "trdn_flag": "1", "min_prcunt_type": "2"},
        ],
    });
    table_under::<VisitBillInput>(
        &bill,
        &[
            under("/data", INSUTYPE),
            under("/data", CERT),
            under("/data", MED_TYPE),
            under("/data", ("/psn_setlway", &["01", "02"], &["1", "03"])),
            under("/data", ("/medfee_sumamt", AMOUNT.0, AMOUNT.1)),
            under("/data", ("/inscp_scp_amt", &["", "0.00"], &["-1.00"])),
            under("/drug_trac_info/1", ("/trdn_flag", &["0", "1"], &["", "2"])),
            under("/drug_trac_info/1", ("/min_prcunt_type", &["2"], &["1", ""])),
            under("/drug_trac_info/1", ("/drug_trac_codg", &["x"], &[""])),
        ],
    );
    let admission = json!({
        "psn_no": "1", "insutype": "310", "begntime": "2026-03-01 09:30:00", "mdtrt_cert_type": "02",
        "mdtrt_cert_no": "1", "med_type": "21", "ipt_no": "1", "atddr_no": "1", "chfpdr_name": "1",
        "adm_diag_dscr": "1", "adm_dept_codg": "1", "adm_dept_name": "1", "dscg_maindiag_code": "1",
        "dscg_maindiag_name": "1",
    });
    table::<Admission>(&admission, &[INSUTYPE, CERT, MED_TYPE]);
    let discharge = json!({
        "mdtrt_id": "1", "psn_no": "1", "insutype": "310", "endtime": "2026-03-01 09:30:00", "dscg_dept_codg": "1",
        "dscg_dept_name": "1", "dscg_way": "1",
    });
    table::<Discharge>(&discharge, &[INSUTYPE]);
}

#[test]
fn a_sale_and_its_reversal() {
    let sale = json!({
        "druginfo": {
            "psn_no": "1", "mdtrt_cert_type": "02", "mdtrt_cert_no": "1", "begntime": "2026-03-01 09:30:00",
            "medfee_sumamt": "1.00", "insutype": "310", "acct_used_flag": "1", "med_type": "41",
        },
        "drugdetail": [{
            "feedetl_sn": "1", "rx_circ_flag": "0", "fee_ocur_time": "2026-03-01 09:30:00", "med_list_codg": "1",
            "medins_list_codg": "1", "det_item_fee_sumamt": "1.00", "cnt": "1", "pric": "1",
        }],
    });
    table_under::<SaleInput>(
        &sale,
        &[
            under("/druginfo", INSUTYPE),
            under("/druginfo", CERT),
            under("/druginfo", MED_TYPE),
            under("/druginfo", ("/medfee_sumamt", AMOUNT.0, AMOUNT.1)),
            under("/drugdetail/0", ("/det_item_fee_sumamt", AMOUNT.0, AMOUNT.1)),
            under("/drugdetail/0", ("/cnt", &["0.5"], &["-1", "0.12345"])),
            under("/drugdetail/0", ("/pric", &["0.5"], &["-1"])),
        ],
    );
    table::<ReversalInput>(
        &json!({"data": {"psn_no": "1", "omsgid": "1", "oinfno": "2207"}}),
        &[(
            "/data/oinfno",
            &["2102", "2102A", "2207A", "2304A", "2401"],
            &["2206", "2207B", "A", "", "2207AA"],
        )],
    );
}

#[test]
fn goods() {
    let sold = json!({
        "med_list_codg": "1", "fixmedins_hilist_id": "1", "fixmedins_hilist_name": "1", "fixmedins_bchno": "1",
        "mdtrt_sn": "1", "rx_flag": "0", "trdn_flag": "0", "rx_circ_flag": "0", "rtal_docno": "1", "sel_retn_cnt": "1",
        "sel_retn_time": "2026-03-01 09:30:00", "sel_retn_opter_name": "1", "setl_id": "1", "mdtrt_setl_type": "1",
        "hi_feesetl_type": "1", "psn_cert_type": "01",
    });
    let either: [(&str, &[&str], &[&str]); 3] = [
        ("/rx_flag", &["0", "1", "2"], &["", "3"]),
        ("/psn_cert_type", &["", "1", "99"], &["0 1"]),
        ("/sel_retn_cnt", &["0.5"], &["-1"]),
    ];
    let mut returned = sold.clone();
    returned["medins_prod_sel_no"] = json!("1");
    table::<GoodsReturned>(&returned, &either);
    let own: [(&str, &[&str], &[&str]); 2] = [
        ("/mdtrt_setl_type", &["1", "2", ""], &["0", "3"]),
        ("/hi_feesetl_type", &["", "0", "2"], &["3"]),
    ];
    table::<GoodsSold>(&sold, &[&either[..], &own[..]].concat());
    // Settled by the insurance, it has a settlement; paid by the patient it has none.
    table::<GoodsSold>(&sold, &[("/setl_id", &["x"], &[""])]);
    let mut paid = sold;
    paid["mdtrt_setl_type"] = json!("2");
    table::<GoodsSold>(&paid, &[("/setl_id", &[""], &[])]);
}

#[test]
fn questions() {
    let person = json!({
        "data": {"mdtrt_cert_type": "02", "mdtrt_cert_no": "1", "begntime": "", "psn_cert_type": ""},
    });
    table_under::<PersonInput>(
        &person,
        &[
            under("/data", CERT),
            under("/data", ("/begntime", &["2026-03-01 09:30:00"], &["2026-03-01"])),
            under("/data", ("/psn_cert_type", &["01", "1"], &["0-1", "1234567"])),
        ],
    );
    let ends: (&str, &[&str], &[&str]) = (
        "/endtime",
        &["", "2026-03-01 09:30:00"],
        &["2026-03-01 09:29:59", "2026-02-30 00:00:00"],
    );
    let benefit = json!({
        "psn_no": "1", "insutype": "310", "fixmedins_code": "1", "med_type": "11", "begntime": "2026-03-01 09:30:00",
        "endtime": "",
    });
    table::<BenefitQuestion>(&benefit, &[INSUTYPE, MED_TYPE, ends]);
    table::<PersonTimeQuestion>(
        &json!({"psn_no": "1", "begntime": "2026-03-01 09:30:00", "endtime": "", "med_type": ""}),
        &[ends, ("/med_type", &["", "11"], &["1-1"])],
    );
    table::<UsedQuestion>(
        &json!({"psn_no": "1", "cum_ym": ""}),
        &[("/cum_ym", &["", "202612"], &["202613", "2026-1", "20261"])],
    );
    table::<AuditPatient>(
        &json!({"patn_id": "1", "poolarea": "530100", "curr_mdtrt_id": "1", "gend": ""}),
        &[("/gend", &["", "0", "1", "2", "9"], &["3", "01"])],
    );
    let visit = json!({
        "mdtrt_id": "1", "medins_id": "1", "medins_name": "1", "medins_admdvs": "530100", "medins_type": "1",
        "adm_date": "2026-03-01 09:30:00", "dscg_main_dise_codg": "1", "dscg_main_dise_name": "1", "dr_codg": "1",
        "adm_dept_codg": "1", "adm_dept_name": "1", "med_mdtrt_type": "1", "med_type": "11", "matn_stas": "0",
        "medfee_sumamt": "1", "ownpay_amt": "0", "selfpay_amt": "0", "setl_totlnum": "1", "insutype": "310",
        "reim_flag": "0", "out_setl_flag": "0",
    });
    table::<AuditVisit>(
        &visit,
        &[INSUTYPE, MED_TYPE, ("/medins_type", &["2", "5"], &["0", "6"])],
    );
    let order = json!({
        "rx_id": "1", "rxno": "1", "long_drord_flag": "0", "hilist_type": "101", "chrg_type": "09", "drord_bhvr": "0",
        "hilist_code": "1", "hilist_name": "1", "hilist_lv": "", "hosplist_code": "1", "hosplist_name": "1",
        "cnt": "1", "pric": "1", "sumamt": "1", "ownpay_amt": "0", "selfpay_amt": "0",
        "drord_begn_date": "2026-03-01 09:30:00", "drord_dept_codg": "1", "drord_dept_name": "1",
        "drord_dr_codg": "1", "drord_dr_name": "1", "curr_drord_flag": "1",
    });
    table::<AuditOrder>(
        &order,
        &[
            ("/hilist_type", &["201", "301"], &["105", ""]),
            ("/chrg_type", &["01", "14"], &["15", "1"]),
            ("/hilist_lv", &["", "03"], &["1"]),
            ("/sumamt", AMOUNT.0, AMOUNT.1),
        ],
    );
}

/// Net sums of a day may be below zero; counts may not.
#[test]
fn statements() {
    let totals = json!({"data": {
        "insutype": "310", "clr_type": "11", "setl_optins": "530199", "stmt_begndate": "2026-03-02",
        "stmt_enddate": "2026-03-02", "medfee_sumamt": "1", "fund_pay_sumamt": "0", "acct_pay": "0", "cash_payamt": "0",
        "fixmedins_setl_cnt": "1", "file_qury_no": "F1",
    }});
    let rows: [(&str, &[&str], &[&str]); 4] = [
        ("/data/clr_type", &["21", "9903", "1"], &["4 1"]),
        ("/data/stmt_enddate", &["2026-03-03"], &["2026-03-01", "2026-3-2"]),
        ("/data/medfee_sumamt", &["-12.30"], &["", "1.001"]),
        ("/data/fixmedins_setl_cnt", &["0"], &["-1", "1.5"]),
    ];
    table::<StatementInput>(&totals, &rows);
    table::<StatementInput>(
        &totals,
        &[
            ("/data/insutype", INSUTYPE.1, INSUTYPE.2),
            ("/data/clr_type", &[], &[""]),
        ],
    );
    table::<DetailInput>(&totals, &rows);
    let clearing = json!({"data": {
        "clr_type": "11", "clr_way": "01", "setlym": "202603", "psntime": "1", "medfee_sumamt": "1", "med_sumfee": "1",
        "fund_appy_sum": "1", "cash_payamt": "0", "acct_pay": "0", "begndate": "2026-03-01", "enddate": "2026-03-31",
    }});
    table::<ClearingInput>(
        &clearing,
        &[
            ("/data/clr_type", &["41", "1"], &["", "4,1"]),
            ("/data/clr_way", &["", "05", "99"], &["1", "06"]),
            ("/data/setlym", &["202612"], &["202600", "2026-03"]),
            ("/data/psntime", &["0"], &["-1", "0.5"]),
            ("/data/enddate", &["2026-03-01"], &["2026-02-28"]),
        ],
    );
}

#[test]
fn a_way_of_settlement_is_sent_with_two_digits() {
    for (replied, sent) in [("1", "01"), ("03", "03"), ("", "")] {
        let request = ClearingRequest {
            clr_type: String::new(),
            clr_way: replied.to_owned(),
            setlym: String::new(),
            psntime: 0,
            medfee_sumamt: yijie_rules::Money::ZERO,
            med_sumfee: yijie_rules::Money::ZERO,
            fund_appy_sum: yijie_rules::Money::ZERO,
            cash_payamt: yijie_rules::Money::ZERO,
            acct_pay: yijie_rules::Money::ZERO,
            begndate: String::new(),
            enddate: String::new(),
        };
        let ClearingInput {
            data: ClearingData { clr_way, .. },
        } = ClearingInput::from(&request);
        assert_eq!(clr_way, sent);
    }
}

#[test]
fn an_envelope() {
    let envelope = json!({
        "infno": "1101", "msgid": "1", "mdtrtarea_admvs": "530100", "recer_sys_code": "YBXT", "dev_no": "",
        "dev_safe_info": "", "cainfo": "", "signtype": "", "infver": "V1.0", "opter_type": "1", "opter": "1",
        "opter_name": "1", "inf_time": "2026-03-01 09:30:00", "fixmedins_code": "1", "fixmedins_name": "1", "input": null,
    });
    let long = |length: usize| -> &'static str { "x".repeat(length).leak() };
    let (dev_no, safe, cainfo) = (long(101), long(2001), long(1025));
    for (place, good, bad) in [
        ("/opter_type", "3", "4"),
        ("/inf_time", "2026-12-31 23:59:59", "2026-12-31"),
        ("/recer_sys_code", "MBS_LOCAL", "YB XT"),
        ("/dev_no", &dev_no[1..], dev_no),
        ("/dev_safe_info", &safe[1..], safe),
        ("/cainfo", &cainfo[1..], cainfo),
        ("/signtype", "SM2", "SM2withSM3x"),
    ] {
        table::<Envelope<Value>>(&envelope, &[(place, &[good], &[bad])]);
    }
}

#[test]
fn details_go_in_calls_that_fit() {
    let row: FeeDetail = serde_json::from_value(detail()).unwrap();
    let long = FeeDetail {
        bilg_dr_name: "医".repeat(50),
        medins_list_codg: "x".repeat(150),
        ..row.clone()
    };
    for (count, row) in [(1, &row), (40, &row), (350, &row), (350, &long)] {
        let numbered = (1..=count).map(|nth| FeeDetail {
            feedetl_sn: nth.to_string(),
            ..row.clone()
        });
        let calls = FeeInput::in_calls(numbered.collect());
        for call in &calls {
            assert_eq!(call.check(), Ok(()));
            let bytes = serde_json::to_string(call).unwrap().len();
            assert!(bytes <= 30_000 && call.feedetail.len() <= 100, "{bytes}");
        }
        let sent: Vec<usize> = calls
            .iter()
            .flat_map(|call| &call.feedetail)
            .map(|row| row.feedetl_sn.parse().unwrap())
            .collect();
        assert_eq!(
            sent,
            (1..=count).collect::<Vec<_>>(),
            "in their order, none twice"
        );
    }
    assert!(
        FeeInput::in_calls(Vec::new())
            .iter()
            .any(|call| call.check().is_err())
    );
}
