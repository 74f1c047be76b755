//! setlinfo and setldetail, field by field, with every oddity named.

use yijie_rules::{Money, Ratio, SetlInfo};

use super::{FundLine, Irregularity, Signs};
use crate::{
    lenient::{Fields, Node},
    numbers::{amount, told_money, without_currency},
    times::time,
};

pub(super) const PERSON_PART: [&str; 2] = ["psn_part_amt", "psn_pay"];
pub(super) const BALANCE: &str = "balc";
/// Codes of an amount that is missing, and of one that is none.
pub(in crate::messages) const EMPTY: &str = "AMOUNT_EMPTY";
pub(in crate::messages) const UNREADABLE: &str = "AMOUNT_UNREADABLE";
/// Code of an amount that was not told but follows from others.
pub(super) const DERIVED: &str = "AMOUNT_DERIVED";
/// Amounts that the interface does not oblige an agency to tell. hosp_part_amt is none of 2101's and 2102's.
const OPTIONAL: [&str; 3] = ["act_pay_dedc", "hifdm_pay", "hosp_part_amt"];

/// What is read of one object, and what was odd about it.
pub(super) struct Reading<'f, 'a> {
    info: &'f Fields<'a>,
    pub(super) signs: Signs,
    /// Amounts that are missing or none.
    pub(super) untold: Vec<&'static str>,
    /// Whether an amount above zero was there, and one below.
    pub(super) signs_seen: [bool; 2],
    /// acct_pay had acct_mulaid_pay in it.
    pub(super) family_was_inside: bool,
    pub(super) irregularities: Vec<Irregularity>,
}

impl<'f, 'a> Reading<'f, 'a> {
    pub(super) fn of(info: &'f Fields<'a>, signs: Signs) -> Reading<'f, 'a> {
        Reading {
            info,
            signs,
            untold: Vec::new(),
            signs_seen: [false; 2],
            family_was_inside: false,
            irregularities: Vec::new(),
        }
    }

    pub(super) fn is_told(&self, name: &str) -> bool {
        !self.untold.contains(&name)
    }

    /// Notes that an amount follows from others.
    pub(super) fn derived(&mut self, name: &'static str) {
        self.untold.retain(|untold| *untold != name);
        self.note(DERIVED, name);
    }

    pub(super) fn note(&mut self, code: &'static str, field: &str) {
        self.irregularities.push(Irregularity::new(code, field));
    }

    /// The amounts; None if not even the total can be read.
    pub(super) fn setlinfo(&mut self) -> Option<SetlInfo> {
        let medfee_sumamt = self.found(&["medfee_sumamt", "med_fee_sumamt", "medfeeSumamt"])?;
        Some(SetlInfo {
            medfee_sumamt,
            fulamt_ownpay_amt: self.money(&["fulamt_ownpay_amt"]),
            overlmt_selfpay: self.money(&["overlmt_selfpay", "overlmt_amt", "overlmt_selfpay_amt"]),
            preselfpay_amt: self.money(&["preselfpay_amt", "prese_ifpay_amt"]),
            inscp_scp_amt: self.money(&["inscp_scp_amt", "inscp_amt"]),
            act_pay_dedc: self.money(&["act_pay_dedc"]),
            pool_prop_selfpay: self.ratio("pool_prop_selfpay"),
            hifp_pay: self.money(&["hifp_pay"]),
            cvlserv_pay: self.money(&["cvlserv_pay"]),
            hifes_pay: self.money(&["hifes_pay"]),
            hifmi_pay: self.money(&["hifmi_pay"]),
            hifob_pay: self.money(&["hifob_pay"]),
            maf_pay: self.money(&["maf_pay"]),
            hifdm_pay: self.money(&["hifdm_pay"]),
            oth_pay: self.money(&["oth_pay"]),
            fund_pay_sumamt: self.money(&["fund_pay_sumamt"]),
            psn_part_amt: self.money(&PERSON_PART),
            acct_pay: self.money(&["acct_pay"]),
            acct_mulaid_pay: self.money(&["acct_mulaid_pay"]),
            psn_cash_pay: self.money(&[
                "psn_cash_pay",
                "cash_payamt",
                "pdn_cash_pay",
                "psnCash_pay",
                "cashPayamt",
            ]),
            hosp_part_amt: self.money(&["hosp_part_amt", "ownpay_hosp_part"]),
            balc: self.balance(),
        })
    }

    /// An amount under the first spelling that has one; zero, and a note, where it is missing or null. One that need not
    /// be told is worth the note only where it is there as null.
    fn money(&mut self, spellings: &[&'static str]) -> Money {
        match self.found(spellings) {
            Some(amount) => amount,
            None => {
                if let Some(name) = spellings.first() {
                    let unreadable = |odd: &Irregularity| {
                        odd.code == UNREADABLE && spellings.contains(&odd.field.as_str())
                    };
                    if !self.irregularities.iter().any(unreadable)
                        && (self.info.has(name) || !OPTIONAL.contains(name))
                    {
                        self.note(EMPTY, name);
                    }
                    self.untold.push(name);
                }
                Money::ZERO
            }
        }
    }

    /// A time in the interface's form; one that cannot be read stays as it is.
    pub(super) fn time(&mut self, name: &str) -> String {
        let told = self.info.text(name);
        match time(&told) {
            Some(time) => {
                if time != told {
                    self.note("TIME_SPELLED_OTHERWISE", name);
                }
                time
            }
            None => {
                if !told.is_empty() || !self.info.get(name).is_none_or(Node::is_bare) {
                    self.note("TIME_UNREADABLE", name);
                }
                told
            }
        }
    }

    fn found(&mut self, spellings: &[&str]) -> Option<Money> {
        let info = self.info;
        for (nth, name) in spellings.iter().enumerate() {
            let text = info.text(name);
            if text.is_empty() {
                continue;
            }
            match info.other_spelling(name) {
                Some(spelling) => self.note("FIELD_SPELLED_OTHERWISE", spelling),
                None if nth > 0 => self.note("FIELD_SPELLED_OTHERWISE", name),
                None => {}
            }
            let spelled = info.other_spelling(name).unwrap_or(name);
            let money = self.amount(&text, spelled)?;
            self.signs_seen[0] |= money > Money::ZERO;
            self.signs_seen[1] |= money.is_negative();
            let others = spellings.iter().skip(nth.saturating_add(1));
            let mut others = others.filter_map(|name| told_money(&info.text(name)));
            if others.any(|other| other != money) {
                self.note("SPELLINGS_DIFFER", name);
            }
            return Some(if self.signs == Signs::Dropped && money.is_negative() {
                Money::ZERO.checked_sub(money).unwrap_or(money)
            } else {
                money
            });
        }
        None
    }

    /// The balance keeps its sign: it is no part of a reversal's amounts.
    fn balance(&mut self) -> Money {
        let text = self.info.text(BALANCE);
        if text.is_empty() {
            self.note(EMPTY, BALANCE);
            return Money::ZERO;
        }
        self.amount(&text, BALANCE).unwrap_or(Money::ZERO)
    }

    fn amount(&mut self, text: &str, name: &str) -> Option<Money> {
        let bare = without_currency(text);
        if bare != text {
            self.note("AMOUNT_SPELLED_OTHERWISE", name);
        }
        let Some(amount) = amount(&bare) else {
            self.note(UNREADABLE, name);
            return None;
        };
        if amount.rounded {
            self.note("AMOUNT_BELOW_FEN", name);
        }
        let money = amount.money;
        if money.is_negative() && self.signs == Signs::Kept {
            self.note("AMOUNT_NEGATIVE", name);
        }
        Some(money)
    }

    fn ratio(&mut self, name: &str) -> Ratio {
        let text = self.info.text(name);
        if text.is_empty() {
            return Ratio::ZERO;
        }
        Ratio::parse(&text).unwrap_or_else(|_| {
            self.note("RATIO_UNREADABLE", name);
            Ratio::ZERO
        })
    }

    /// setldetail, beside setlinfo or in it.
    pub(super) fn details(&mut self, around: &Fields<'_>) -> Vec<FundLine> {
        let beside = around.get("setldetail").is_some();
        let around = if beside { around } else { self.info };
        let rows = around.items("setldetail");
        let lines: Vec<FundLine> = rows.iter().filter_map(|row| self.fund_line(*row)).collect();
        let unread = rows.is_empty() && !around.get("setldetail").is_none_or(Node::is_bare);
        if unread || lines.len() != rows.len() {
            self.note("LIST_UNREADABLE", "setldetail");
        }
        lines
    }

    fn fund_line(&mut self, row: Node<'_>) -> Option<FundLine> {
        let row = row.fields()?;
        let mut reading = Reading::of(&row, self.signs);
        let fund_pay_type = row.code("fund_pay_type");
        if !known_fund(&fund_pay_type) {
            reading.note("FUND_TYPE_UNKNOWN", &fund_pay_type);
        }
        let fund_payamt = reading.money(&["fund_payamt"]);
        if self.signs == Signs::Dropped {
            self.signs_seen[0] |= reading.signs_seen[0];
            self.signs_seen[1] |= reading.signs_seen[1];
        }
        let line = FundLine {
            fund_pay_type_name: row.text("fund_pay_type_name"),
            fund_payamt,
            inscp_scp_amt: reading.found(&["inscp_scp_amt"]),
            crt_payb_lmt_amt: reading.found(&["crt_payb_lmt_amt"]),
            fund_pay_type,
        };
        self.irregularities.append(&mut reading.irregularities);
        Some(line)
    }
}

const KNOWN_FUNDS: [&str; 27] = [
    "310100", "310101", "310103", "310200", "310201", "320100", "330100", "330101", "340100", "350100",
    "360100", "370100", "390100", "390200", "390300", "390400", "510100", "610100", "610102", "610103",
    "610104", "620100", "640100", "999900", "999901", "999996", "999997",
];

fn known_fund(fund_pay_type: &str) -> bool {
    KNOWN_FUNDS.contains(&fund_pay_type)
}
