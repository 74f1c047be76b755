//! 3201 to 3204: the terminal's sums compared with the ledger's, the terminal's settlements compared one by one with the ledger, and a month's clearing.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::{Value, json};
use yijie_rules::Money;

use super::{Agency, Fail, Request, input};
use crate::{
    clock::{beijing_now, wire_time},
    messages::{
        clearing::{ClearingInput, WithdrawalInput},
        statement::{StatementInput, StatementVerdict},
        statement_detail::{DetailInput, StatementFinding, StatementRow, read_rows, write_findings},
    },
    numbers::money,
    sandbox::{
        book::{Held, Period},
        ledger::Entry,
        replies::No,
    },
    zip_text,
};

const RESULT_NAME: &str = "statement_result.txt";

impl Agency {
    /// 3201.
    pub(super) fn statement(&self, request: &Request) -> Result<Value, Fail> {
        let data = input::<StatementInput>(request)?.data;
        let totals = self.book.totals(&request.fixmedins_code, &data);
        let (sums, count) = totals.ok_or_else(|| No::new("FIELD_INVALID", "stmt_begndate: not a date"))?;
        let read = |text: &str| money(text).unwrap_or(Money::ZERO);
        let claimed = [
            read(&data.medfee_sumamt),
            read(&data.fund_pay_sumamt),
            read(&data.acct_pay),
        ];
        let claimed_count = data.fixmedins_setl_cnt.parse::<i64>().unwrap_or(-1);
        let style = &self.seal.profile.statement;
        let (codes, dscr) = match count.cmp(&claimed_count) {
            std::cmp::Ordering::Greater => (&style.agency_more, "中心多"),
            std::cmp::Ordering::Less => (&style.terminal_more, "医药机构多"),
            std::cmp::Ordering::Equal if sums != claimed => (&style.differs, "数据不一致"),
            std::cmp::Ordering::Equal => (&style.balanced, "平"),
        };
        let stmt_rslt = codes.first();
        Ok(
            json!({"stmtinfo": {"setl_optins": data.setl_optins, "stmt_rslt": stmt_rslt, "stmt_rslt_dscr": dscr}}),
        )
    }

    /// 3202: findings about a file that came by 9101, as a file for 9102.
    pub(super) fn detail(&mut self, request: &Request) -> Result<Value, Fail> {
        let data = input::<DetailInput>(request)?.data;
        let zip = self
            .files
            .find(&data.file_qury_no, &request.fixmedins_code)?
            .ok_or_else(|| No::new("FILE_NOT_FOUND", "对账文件不存在或已过期"))?
            .content;
        let style = self.seal.profile.statement.clone();
        let rows = zip_text::unpack_text(&zip)
            .and_then(|text| read_rows(&text, &style))
            .map_err(|what| No::new("FILE_UNREADABLE", what))?;
        let sums = [
            (
                "medfee_sumamt",
                money(&data.medfee_sumamt) == Some(sum(rows.iter().map(|row| row.medfee_sumamt))),
            ),
            (
                "fund_pay_sumamt",
                money(&data.fund_pay_sumamt) == Some(sum(rows.iter().map(|row| row.fund_pay_sumamt))),
            ),
            (
                "fixmedins_setl_cnt",
                data.fixmedins_setl_cnt == count(rows.iter().map(|row| row.refund)),
            ),
        ];
        if let Some((field, _)) = sums.iter().find(|(_, same)| !same) {
            return Err(No::new("FIELDS_DISAGREE", format!("{field}: differs from the file")).into());
        }
        let period = Period {
            fixmedins_code: &request.fixmedins_code,
            clr_type: &data.clr_type,
            clr_optins: &data.setl_optins,
            begndate: &data.stmt_begndate,
            enddate: &data.stmt_enddate,
        };
        let held = self
            .book
            .detail(&period)
            .ok_or_else(|| No::new("FIELD_INVALID", "stmt_begndate: not a date"))?;
        let cash = sum(held.iter().map(|held| held.cash));
        let findings = self.compare(&rows, held);
        // The file has no cash: the sum can be checked where the ledger holds the very same settlements.
        if findings.is_empty() && money(&data.cash_payamt) != Some(cash) {
            return Err(No::new("FIELDS_DISAGREE", "cash_payamt: differs from the settlements").into());
        }
        let text = write_findings(&findings, memo, &style);
        let zip =
            zip_text::pack(RESULT_NAME, text.as_bytes()).map_err(|error| Fail::System(Box::new(error)))?;
        let ticket = self
            .files
            .keep(&format!("{RESULT_NAME}.zip"), &zip, &request.fixmedins_code)?;
        Ok(json!({"fileinfo": {
            "file_qury_no": ticket.file_qury_no, "filename": ticket.filename, "dld_endtime": ticket.dld_endtime,
        }}))
    }

    fn compare(&self, rows: &[StatementRow], held: Vec<Held>) -> Vec<StatementFinding> {
        let mut by_place: BTreeMap<(String, bool), (StatementRow, String)> = held
            .into_iter()
            .map(|held| {
                (
                    (held.row.setl_id.clone(), held.row.refund),
                    (held.row, held.msgid),
                )
            })
            .collect();
        let mut findings = Vec::new();
        for row in rows {
            match by_place.remove(&(row.setl_id.clone(), row.refund)) {
                Some((held, msgid)) => {
                    let same = held.medfee_sumamt == row.medfee_sumamt
                        && held.fund_pay_sumamt == row.fund_pay_sumamt
                        && held.acct_pay == row.acct_pay
                        && held.psn_no == row.psn_no;
                    if !same {
                        findings.push(self.finding(held, msgid, StatementVerdict::Differs));
                    }
                }
                None => {
                    let none = StatementRow {
                        medfee_sumamt: Money::ZERO,
                        fund_pay_sumamt: Money::ZERO,
                        acct_pay: Money::ZERO,
                        ..row.clone()
                    };
                    let msgid = self.book.msgid_of(&row.setl_id).unwrap_or_default();
                    findings.push(self.finding(none, msgid, StatementVerdict::TerminalMore));
                }
            }
        }
        for (held, msgid) in by_place.into_values() {
            // As the specification has it: what the terminal does not have is named by person and msgid alone.
            let nameless = StatementRow {
                setl_id: String::new(),
                mdtrt_id: String::new(),
                ..held
            };
            findings.push(self.finding(nameless, msgid, StatementVerdict::AgencyMore));
        }
        findings
    }

    fn finding(&self, row: StatementRow, msgid: String, verdict: StatementVerdict) -> StatementFinding {
        let style = &self.seal.profile.statement;
        let codes = match verdict {
            StatementVerdict::AgencyMore => &style.agency_more,
            StatementVerdict::TerminalMore => &style.terminal_more,
            _ => &style.differs,
        };
        StatementFinding {
            psn_no: row.psn_no,
            mdtrt_id: row.mdtrt_id,
            setl_id: row.setl_id,
            msgid,
            verdict,
            stmt_rslt: codes.first().cloned().unwrap_or_default(),
            refund: row.refund,
            medfee_sumamt: row.medfee_sumamt,
            fund_pay_sumamt: row.fund_pay_sumamt,
            acct_pay: row.acct_pay,
        }
    }

    /// 3203: the sums have to be the ledger's, once a month and category.
    pub(super) fn apply_for_clearing(&mut self, request: &Request) -> Result<Value, Fail> {
        let data = input::<ClearingInput>(request)?.data;
        if self
            .book
            .cleared(&request.fixmedins_code, &data.clr_type, &data.setlym)
            .is_some()
        {
            return Err(No::new("CLEARING_APPLIED", "该月清算已申请").into());
        }
        let first = Date::strptime("%Y%m%d", format!("{}01", data.setlym))
            .map_err(|_| No::new("FIELD_INVALID", "setlym: not a month"))?;
        for (field, said, day) in [
            ("begndate", &data.begndate, first),
            ("enddate", &data.enddate, first.last_of_month()),
        ] {
            if *said != day.to_string() {
                return Err(No::new("FIELDS_DISAGREE", format!("{field}: not the month's")).into());
            }
        }
        let period = Period {
            fixmedins_code: &request.fixmedins_code,
            clr_type: &data.clr_type,
            clr_optins: "",
            begndate: &data.begndate,
            enddate: &data.enddate,
        };
        let held = self
            .book
            .detail(&period)
            .ok_or_else(|| No::new("FIELD_INVALID", "begndate: not a date"))?;
        let of = |part: fn(&Held) -> Money| sum(held.iter().map(part));
        for (field, said, summed) in [
            (
                "medfee_sumamt",
                &data.medfee_sumamt,
                of(|held| held.row.medfee_sumamt),
            ),
            ("med_sumfee", &data.med_sumfee, of(|held| held.in_scope)),
            (
                "fund_appy_sum",
                &data.fund_appy_sum,
                of(|held| held.row.fund_pay_sumamt),
            ),
            ("cash_payamt", &data.cash_payamt, of(|held| held.cash)),
            ("acct_pay", &data.acct_pay, of(|held| held.row.acct_pay)),
        ] {
            if money(said) != Some(summed) {
                return Err(No::new("CLEARING_SUMS_DIFFER", format!("{field}: {summed}")).into());
            }
        }
        let settlements = count(held.iter().map(|held| held.row.refund));
        if data.psntime != settlements {
            return Err(No::new("CLEARING_SUMS_DIFFER", format!("psntime: {settlements}")).into());
        }
        let number = format!("C{}{}{:06}", data.setlym, data.clr_type, self.book.len());
        self.commit(vec![Entry::ClearingApplied {
            clr_appy_evt_id: number.clone(),
            fixmedins_code: request.fixmedins_code.clone(),
            clr_type: data.clr_type,
            setlym: data.setlym,
            time: wire_time(beijing_now()),
        }])?;
        Ok(json!({"result": {"clr_appy_evt_id": number}}))
    }

    /// 3204.
    pub(super) fn withdraw_clearing(&mut self, request: &Request) -> Result<Value, Fail> {
        let number = input::<WithdrawalInput>(request)?.data.clr_appy_evt_id;
        if !self.book.has_application(&request.fixmedins_code, &number) {
            return Err(No::new("CLEARING_NOT_FOUND", "未找到该清算申请").into());
        }
        self.commit(vec![Entry::ClearingWithdrawn {
            clr_appy_evt_id: number,
        }])?;
        Ok(Value::Null)
    }
}

fn memo(verdict: StatementVerdict) -> &'static str {
    match verdict {
        StatementVerdict::AgencyMore => "中心多",
        StatementVerdict::TerminalMore => "医药机构多",
        _ => "数据不一致",
    }
}

/// Settlements less refunds, never below none.
fn count(refunds: impl Iterator<Item = bool>) -> String {
    let count: i64 = refunds.map(|refund| if refund { -1 } else { 1 }).sum();
    count.max(0).to_string()
}

fn sum(amounts: impl Iterator<Item = Money>) -> Money {
    amounts.fold(Money::ZERO, Money::saturating_add)
}
