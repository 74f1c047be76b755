//! 3202, 3203 and 3204: the terminal's settlements compared one by one with the ledger, and a month's clearing.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use yijie_rules::Money;

use super::{Agency, Fail, Request, input};
use crate::{
    clock::{beijing_now, wire_time},
    messages::{
        clearing::{ClearingInput, WithdrawalInput},
        statement::StatementVerdict,
        statement_detail::{DetailInput, StatementFinding, StatementRow, read_rows, write_findings},
    },
    sandbox::{book::Period, ledger::Entry, replies::No},
    zip_text,
};

const RESULT_NAME: &str = "statement_result.txt";

impl Agency {
    /// 3202: findings about a file that came by 9101, as a file for 9102.
    pub(super) fn detail(&mut self, request: &Request) -> Result<Value, Fail> {
        let data = input::<DetailInput>(request)?.data;
        let zip = self
            .files
            .find(&data.file_qury_no, "")?
            .ok_or_else(|| No::new("FILE_NOT_FOUND", "对账文件不存在"))?;
        let style = self.seal.profile.statement.clone();
        let rows = zip_text::unpack_text(&zip)
            .and_then(|text| read_rows(&text, &style))
            .map_err(|what| No::new("FILE_UNREADABLE", what))?;
        let sums = [
            sum(rows.iter().map(|row| row.medfee_sumamt)),
            sum(rows.iter().map(|row| row.fund_pay_sumamt)),
        ];
        for (field, said, summed) in [
            ("medfee_sumamt", &data.medfee_sumamt, sums.first()),
            ("fund_pay_sumamt", &data.fund_pay_sumamt, sums.get(1)),
        ] {
            if Money::parse(said).ok().as_ref() != summed {
                return Err(No::new("FIELDS_DISAGREE", format!("{field}: differs from the file")).into());
            }
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
        let findings = self.compare(&rows, held);
        let text = write_findings(&findings, memo, &style);
        let zip =
            zip_text::pack(RESULT_NAME, text.as_bytes()).map_err(|error| Fail::System(Box::new(error)))?;
        let ticket = self.files.keep(&format!("{RESULT_NAME}.zip"), &zip)?;
        Ok(json!({"fileinfo": {
            "file_qury_no": ticket.file_qury_no, "filename": ticket.filename, "dld_endtime": ticket.dld_endtime,
        }}))
    }

    fn compare(&self, rows: &[StatementRow], held: Vec<(StatementRow, String)>) -> Vec<StatementFinding> {
        let mut by_place: BTreeMap<(String, bool), (StatementRow, String)> = held
            .into_iter()
            .map(|(row, msgid)| ((row.setl_id.clone(), row.refund), (row, msgid)))
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
        for (field, said, summed) in [
            (
                "medfee_sumamt",
                &data.medfee_sumamt,
                sum(held.iter().map(|(row, _)| row.medfee_sumamt)),
            ),
            (
                "fund_appy_sum",
                &data.fund_appy_sum,
                sum(held.iter().map(|(row, _)| row.fund_pay_sumamt)),
            ),
            (
                "acct_pay",
                &data.acct_pay,
                sum(held.iter().map(|(row, _)| row.acct_pay)),
            ),
        ] {
            if Money::parse(said).ok() != Some(summed) {
                return Err(No::new("CLEARING_SUMS_DIFFER", format!("{field}: {summed}")).into());
            }
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

fn sum(amounts: impl Iterator<Item = Money>) -> Money {
    amounts.fold(Money::ZERO, Money::saturating_add)
}
