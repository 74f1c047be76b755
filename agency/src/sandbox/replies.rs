//! What the sandbox answers, as JSON in the interface's envelope.

use serde_json::{Map, Value, json};
use yijie_rules::{FundPay, LineCut, Money, SetlInfo};

use super::ledger::{Settled, SettlementState};
use crate::{
    PersonRecord,
    clock::{beijing_now, compact_time, wire_time},
    profile::Profile,
    zip_text::{NotPacked, pack},
};

/// A business refusal: infcode -2, a stable code, and words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct No {
    pub(crate) code: String,
    pub(crate) words: String,
}

impl No {
    pub(crate) fn new(code: &str, words: impl Into<String>) -> No {
        No {
            code: code.to_owned(),
            words: words.into(),
        }
    }

    /// How it is told: with the code in front, or as a real platform does, in Chinese words only.
    pub(crate) fn told(&self, words_only: bool) -> String {
        if !words_only {
            return format!("{} {}", self.code, self.words);
        }
        match self.words.split_once(':') {
            Some((field, problem)) if problem.is_ascii() => format!("字段{field}不符合要求"),
            None if self.words.is_ascii() => "报文内容不符合要求".to_owned(),
            _ => self.words.clone(),
        }
    }
}

pub(crate) fn success(region: &str, serial: u64, output: Value) -> Map<String, Value> {
    envelope(region, serial, 0, "", output)
}

pub(crate) fn refusal(region: &str, serial: u64, told: &str) -> Map<String, Value> {
    envelope(region, serial, -2, told, Value::Null)
}

/// infcode -1: the sandbox's own trouble.
pub(crate) fn system_error(region: &str, serial: u64, words: &str) -> Map<String, Value> {
    envelope(region, serial, -1, words, Value::Null)
}

fn envelope(region: &str, serial: u64, infcode: i32, err_msg: &str, output: Value) -> Map<String, Value> {
    let time = compact_time(beijing_now());
    let head = [
        ("infcode", json!(infcode)),
        ("inf_refmsgid", json!(format!("{region:0<6}{time}{serial:010}"))),
        ("refmsg_time", json!(format!("{time}000"))),
        ("respond_time", json!(format!("{time}000"))),
        ("cainfo", json!("")),
        ("warn_msg", Value::Null),
        ("err_msg", json!(err_msg)),
        ("output", output),
    ];
    head.into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

pub(crate) fn person(record: &PersonRecord) -> Value {
    let base = &record.baseinfo;
    let today = beijing_now().date();
    let age = base.brdy.parse::<jiff::civil::Date>().map_or(0, |born| {
        today.year() - born.year() - i16::from((today.month(), today.day()) < (born.month(), born.day()))
    });
    let rows: Vec<Value> = record.insuinfo.iter().map(insured_row).collect();
    json!({
        "baseinfo": {
            "psn_no": base.psn_no, "psn_cert_type": base.psn_cert_type, "certno": base.certno,
            "psn_name": base.psn_name, "gend": base.gend, "naty": base.naty, "brdy": base.brdy,
            "age": format!("{age}.0"),
            "exp_content": json!(record.facts).to_string(),
        },
        "insuinfo": rows,
        "idetinfo": record.idetinfo,
    })
}

fn insured_row(row: &crate::InsuredRow) -> Value {
    let date = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
    json!({
        "insutype": row.insutype, "psn_type": row.psn_type, "psn_insu_stas": row.psn_insu_stas,
        "insuplc_admdvs": row.insuplc_admdvs, "cvlserv_flag": row.cvlserv_flag,
        "psn_insu_date": date(&row.psn_insu_date), "paus_insu_date": date(&row.paus_insu_date),
        "emp_name": row.emp_name, "balc": row.balc.unwrap_or(Money::ZERO),
    })
}

/// setlinfo's amounts, summed as the province does; 2101 and 2102 have no hosp_part_amt.
fn amounts(info: &SetlInfo, profile: &Profile) -> Map<String, Value> {
    let mut info = info.clone();
    if profile.fund_sum_includes_account {
        info.fund_pay_sumamt = info.fund_pay_sumamt.saturating_add(info.acct_pay);
    }
    if profile.family_inside_account {
        info.acct_pay = info.acct_pay.saturating_add(info.acct_mulaid_pay);
    }
    let mut fields = match json!(info) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    fields.remove("hosp_part_amt");
    fields
}

fn details(info: &SetlInfo, funds: &[FundPay]) -> Value {
    let mut rows: Vec<Value> = funds.iter().map(|fund| {
        json!({
            "fund_pay_type": fund.fund_pay_type, "fund_pay_type_name": null, "inscp_scp_amt": info.inscp_scp_amt,
            "crt_payb_lmt_amt": fund.crt_payb_lmt_amt, "fund_payamt": fund.fund_payamt, "setl_proc_info": null,
        })
    }).collect();
    for (kind, name, amount) in [
        ("310200", "个人账户", info.acct_pay),
        ("310201", "个人账户家庭共济", info.acct_mulaid_pay),
    ] {
        if !amount.is_zero() {
            rows.push(json!({
                "fund_pay_type": kind, "fund_pay_type_name": name, "inscp_scp_amt": info.inscp_scp_amt,
                "crt_payb_lmt_amt": null, "fund_payamt": amount, "setl_proc_info": null,
            }));
        }
    }
    Value::Array(rows)
}

fn cuts(rows: &[LineCut]) -> Value {
    json!(rows)
}

/// 2101 and 2102.
pub(crate) fn settlement(settled: &Settled, profile: &Profile) -> Value {
    let mut info = amounts(&settled.setlinfo, profile);
    identify(&mut info, settled);
    json!({
        "setlinfo": info,
        "setldetail": details(&settled.setlinfo, &settled.setldetail),
        "detlcutinfo": cuts(&settled.detlcutinfo),
        "exp_content": json!({"accumulated_after": settled.accumulated_after}).to_string(),
    })
}

/// 5203, with that transaction's spellings.
pub(crate) fn found(settled: &Settled, state: SettlementState, profile: &Profile) -> Value {
    let mut info = amounts(&settled.setlinfo, profile);
    identify(&mut info, settled);
    respell(&mut info);
    info.insert(
        "refd_setl_flag".to_owned(),
        json!(if state == SettlementState::Reversed {
            "1"
        } else {
            "0"
        }),
    );
    json!({ "setlinfo": info, "setldetail": details(&settled.setlinfo, &settled.setldetail) })
}

/// 2103: a settlement of its own with negative amounts, in that transaction's spellings.
pub(crate) fn cancellation(
    settled: &Settled,
    cancel_setl_id: &str,
    msgid: &str,
    balance: Money,
    profile: &Profile,
) -> Value {
    let mut info = amounts(&settled.setlinfo, profile);
    for (name, value) in &mut info {
        if let Some(amount) = value
            .as_str()
            .filter(|amount| name != "pool_prop_selfpay" && *amount != "0.00")
        {
            *value = json!(format!("-{amount}"));
        }
    }
    identify(&mut info, settled);
    respell(&mut info);
    info.insert("setl_id".to_owned(), json!(cancel_setl_id));
    info.insert("medins_setl_id".to_owned(), json!(msgid));
    info.insert("setl_time".to_owned(), json!(wire_time(beijing_now())));
    info.insert("balc".to_owned(), json!(balance));
    json!({ "setlinfo": info, "setldetail": [] })
}

fn identify(info: &mut Map<String, Value>, settled: &Settled) {
    let setl_id = if settled.setl_id.is_empty() {
        Value::Null
    } else {
        json!(settled.setl_id)
    };
    let setl_time = if settled.setl_id.is_empty() {
        Value::Null
    } else {
        json!(settled.setl_time)
    };
    for (name, value) in [
        ("setl_id", setl_id),
        ("setl_time", setl_time),
        ("mdtrt_id", json!(settled.mdtrt_id)),
        ("psn_no", json!(settled.psn_no)),
        ("medins_setl_id", json!(settled.msgid)),
        ("insutype", json!(settled.insutype)),
        ("med_type", json!(settled.med_type)),
        ("clr_optins", json!(settled.clr_optins)),
        ("clr_way", json!("01")),
        ("clr_type", json!(settled.clr_type)),
    ] {
        info.insert(name.to_owned(), value);
    }
}

fn respell(info: &mut Map<String, Value>) {
    for (from, to) in [("psn_part_amt", "psn_pay"), ("psn_cash_pay", "cash_payamt")] {
        if let Some(value) = info.remove(from) {
            info.insert(to.to_owned(), value);
        }
    }
}

/// The lost-card list: one tab-separated row a card, in a ZIP.
pub(crate) fn lost_cards<'a>(records: impl Iterator<Item = &'a PersonRecord>) -> Result<Vec<u8>, NotPacked> {
    let lost = records
        .filter_map(|record| record.facts.card.as_ref())
        .filter(|card| card.lost);
    let text: String = lost
        .map(|card| format!("{}\t{}\tnull\n", card.card_no, card.card_sn))
        .collect();
    pack("lost_card.txt", text.as_bytes())
}
