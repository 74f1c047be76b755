//! 3202 statement of details (对明细账): the file of the terminal's settlements, and the agency's findings about it.

use std::fmt;

use serde::{Deserialize, Serialize};
use yijie_rules::Money;

use super::form::{mayopen, whole};
use crate::{
    fields::{Checked, FieldFault, day, in_order, number, required},
    messages::statement::StatementVerdict,
    numbers::money,
    profile::StatementStyle,
};

/// A row of the file: a settlement, or a refund with its amounts negative.
#[derive(Clone, PartialEq, Eq)]
pub struct StatementRow {
    /// Settlement number.
    pub setl_id: String,
    /// Visit number.
    pub mdtrt_id: String,
    /// Person number.
    pub psn_no: String,
    /// Total.
    pub medfee_sumamt: Money,
    /// Funds.
    pub fund_pay_sumamt: Money,
    /// Own account.
    pub acct_pay: Money,
    /// refd_setl_flag.
    pub refund: bool,
}

/// A row of the result: where the agency's settlements and the file differ.
#[derive(Clone, PartialEq, Eq)]
pub struct StatementFinding {
    /// Person number.
    pub psn_no: String,
    /// Visit number; empty where the terminal does not have the settlement.
    pub mdtrt_id: String,
    /// Settlement number; empty where the terminal does not have it.
    pub setl_id: String,
    /// Message id the settlement was sent under, for a reversal (2601).
    pub msgid: String,
    /// What it comes to.
    pub verdict: StatementVerdict,
    /// stmt_rslt as the agency wrote it.
    pub stmt_rslt: String,
    /// It is about a refund.
    pub refund: bool,
    /// The agency's total.
    pub medfee_sumamt: Money,
    /// The agency's funds.
    pub fund_pay_sumamt: Money,
    /// The agency's own account part.
    pub acct_pay: Money,
}

impl fmt::Debug for StatementRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatementRow")
            .field("setl_id", &self.setl_id)
            .field("medfee_sumamt", &self.medfee_sumamt)
            .field("refund", &self.refund)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for StatementFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatementFinding")
            .field("msgid", &self.msgid)
            .field("verdict", &self.verdict)
            .field("medfee_sumamt", &self.medfee_sumamt)
            .field("refund", &self.refund)
            .finish_non_exhaustive()
    }
}

/// A cell as the province writes it: what is empty has a sign of its own.
fn cell(text: &str, style: &StatementStyle) -> String {
    if text.is_empty() {
        style.null.clone()
    } else {
        text.to_owned()
    }
}

/// The text of the file, one settlement a line.
pub(crate) fn write_rows(rows: &[StatementRow], style: &StatementStyle) -> String {
    let cell = |text: &str| cell(text, style);
    let lines = rows.iter().map(|row| {
        let mut cells = vec![
            cell(&row.setl_id),
            cell(&row.mdtrt_id),
            cell(&row.psn_no),
            row.medfee_sumamt.to_string(),
            row.fund_pay_sumamt.to_string(),
            row.acct_pay.to_string(),
            flag(row.refund).to_owned(),
        ];
        if style.exp_content_column {
            cells.push(style.null.clone());
        }
        cells.join(&style.separator) + "\n"
    });
    lines.collect()
}

/// Reads the file as the agency does.
pub(crate) fn read_rows(text: &str, style: &StatementStyle) -> Result<Vec<StatementRow>, &'static str> {
    each_line(text, style, |cells| {
        Ok(StatementRow {
            setl_id: cells.text(0),
            mdtrt_id: cells.text(1),
            psn_no: cells.text(2),
            medfee_sumamt: cells.money(3)?,
            fund_pay_sumamt: cells.money(4)?,
            acct_pay: cells.money(5)?,
            refund: cells.flag(6),
        })
    })
}

/// Reads the result. A row that cannot be read makes the whole unreadable: a finding left out would look like
/// agreement.
pub(crate) fn read_findings(
    text: &str,
    style: &StatementStyle,
) -> Result<Vec<StatementFinding>, &'static str> {
    each_line(text, style, |cells| {
        let stmt_rslt = cells.text(4);
        Ok(StatementFinding {
            psn_no: cells.text(0),
            mdtrt_id: cells.text(1),
            setl_id: cells.text(2),
            msgid: cells.text(3),
            verdict: StatementVerdict::of(&stmt_rslt, style),
            stmt_rslt,
            refund: cells.flag(5),
            medfee_sumamt: cells.money(7)?,
            fund_pay_sumamt: cells.money(8)?,
            acct_pay: cells.money(9)?,
        })
    })
}

/// The text of the result, as the sandbox writes it.
pub(crate) fn write_findings(
    rows: &[StatementFinding],
    memo: fn(StatementVerdict) -> &'static str,
    style: &StatementStyle,
) -> String {
    let cell = |text: &str| cell(text, style);
    let lines = rows.iter().map(|row| {
        let cells = [
            cell(&row.psn_no),
            cell(&row.mdtrt_id),
            cell(&row.setl_id),
            cell(&row.msgid),
            row.stmt_rslt.clone(),
            flag(row.refund).to_owned(),
            memo(row.verdict).to_owned(),
            row.medfee_sumamt.to_string(),
            row.fund_pay_sumamt.to_string(),
            row.acct_pay.to_string(),
            style.null.clone(),
        ];
        cells.join(&style.separator) + "\n"
    });
    lines.collect()
}

fn flag(refund: bool) -> &'static str {
    if refund { "1" } else { "0" }
}

/// The cells of one line.
struct Cells<'a> {
    cells: Vec<&'a str>,
    null: &'a str,
}

impl Cells<'_> {
    fn text(&self, at: usize) -> String {
        let text = self.cells.get(at).map(|cell| cell.trim()).unwrap_or_default();
        if text == self.null || text == "null" {
            String::new()
        } else {
            text.to_owned()
        }
    }

    /// An empty amount is zero.
    fn money(&self, at: usize) -> Result<Money, &'static str> {
        let text = self.text(at);
        if text.is_empty() {
            return Ok(Money::ZERO);
        }
        money(&text).ok_or("a row with an amount that is none")
    }

    /// 0, 1, or three digits of the same.
    fn flag(&self, at: usize) -> bool {
        self.text(at).ends_with('1')
    }
}

fn each_line<T>(
    text: &str,
    style: &StatementStyle,
    read: impl Fn(&Cells<'_>) -> Result<T, &'static str>,
) -> Result<Vec<T>, &'static str> {
    text.trim_start_matches('\u{feff}')
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let cells = Cells {
                cells: line.split(style.separator.as_str()).collect(),
                null: &style.null,
            };
            if cells.cells.len() < 7 {
                return Err("a row with too few cells");
            }
            read(&cells)
        })
        .collect()
}

/// Which file is to be compared, and its sums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementFile {
    /// Number of the file that went up by 9101.
    pub file_qury_no: String,
    /// Settling agency.
    pub setl_optins: String,
    /// Settlement category.
    pub clr_type: String,
    /// First day, yyyy-MM-dd.
    pub begndate: String,
    /// Last day, yyyy-MM-dd.
    pub enddate: String,
    /// Total fees, refunds subtracted.
    pub medfee_sumamt: Money,
    /// Fund payments, refunds subtracted.
    pub fund_pay_sumamt: Money,
    /// Cash, refunds subtracted.
    pub cash_payamt: Money,
    /// Settlements less refunds.
    pub setl_count: i64,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct DetailInput {
    pub(crate) data: DetailData,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct DetailData {
    pub(crate) setl_optins: String,
    pub(crate) file_qury_no: String,
    pub(crate) stmt_begndate: String,
    pub(crate) stmt_enddate: String,
    pub(crate) medfee_sumamt: String,
    pub(crate) fund_pay_sumamt: String,
    pub(crate) cash_payamt: String,
    pub(crate) fixmedins_setl_cnt: String,
    pub(crate) clr_type: String,
}

impl From<&StatementFile> for DetailInput {
    fn from(file: &StatementFile) -> Self {
        DetailInput {
            data: DetailData {
                setl_optins: file.setl_optins.clone(),
                file_qury_no: file.file_qury_no.clone(),
                stmt_begndate: file.begndate.clone(),
                stmt_enddate: file.enddate.clone(),
                medfee_sumamt: file.medfee_sumamt.to_string(),
                fund_pay_sumamt: file.fund_pay_sumamt.to_string(),
                cash_payamt: file.cash_payamt.to_string(),
                fixmedins_setl_cnt: file.setl_count.max(0).to_string(),
                clr_type: file.clr_type.clone(),
            },
        }
    }
}

impl Checked for DetailInput {
    fn check(&self) -> Result<(), FieldFault> {
        let data = &self.data;
        required("setl_optins", &data.setl_optins, 6)?;
        required("file_qury_no", &data.file_qury_no, 30)?;
        day("stmt_begndate", &data.stmt_begndate)?;
        day("stmt_enddate", &data.stmt_enddate)?;
        in_order("stmt_enddate", &data.stmt_begndate, &data.stmt_enddate)?;
        number("medfee_sumamt", &data.medfee_sumamt)?;
        number("fund_pay_sumamt", &data.fund_pay_sumamt)?;
        number("cash_payamt", &data.cash_payamt)?;
        whole("fixmedins_setl_cnt", &data.fixmedins_setl_cnt)?;
        mayopen("clr_type", &data.clr_type, 6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;

    fn money(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    #[test]
    fn rows_are_read_back_in_every_style() {
        let plain = Profile::built_in("plain").unwrap().statement;
        let commas = StatementStyle {
            separator: ",".to_owned(),
            null: "NULL".to_owned(),
            exp_content_column: true,
            ..plain.clone()
        };
        let rows = [
            StatementRow {
                setl_id: "1".to_owned(),
                mdtrt_id: String::new(),
                psn_no: "53".to_owned(),
                medfee_sumamt: money("10.05"),
                fund_pay_sumamt: money("0"),
                acct_pay: money("3.10"),
                refund: false,
            },
            StatementRow {
                setl_id: "1".to_owned(),
                mdtrt_id: "M".to_owned(),
                psn_no: "53".to_owned(),
                medfee_sumamt: money("-10.05"),
                fund_pay_sumamt: money("0"),
                acct_pay: money("-3.10"),
                refund: true,
            },
        ];
        for style in [plain.clone(), commas] {
            assert_eq!(read_rows(&write_rows(&rows, &style), &style).unwrap(), rows);
        }
        assert_eq!(
            write_rows(&rows[..1], &plain),
            "1\tnull\t53\t10.05\t0.00\t3.10\t0\n"
        );
    }

    #[test]
    fn findings_are_understood_and_a_broken_one_spoils_all() {
        let style = Profile::built_in("plain").unwrap().statement;
        let text = "53\tnull\tnull\tH1\t000101\t0\t中心多\t10.00\t\tnull\n\n53\tM1\tS1\tH2\t000103\t001\t\t-1.5\t-1\t0\tnull\n";
        let rows = read_findings(text, &style).unwrap();
        assert_eq!(rows[0].verdict, StatementVerdict::AgencyMore);
        assert_eq!((rows[0].setl_id.as_str(), rows[0].msgid.as_str()), ("", "H1"));
        assert_eq!(rows[0].fund_pay_sumamt, Money::ZERO);
        assert!(rows[1].refund);
        assert_eq!(rows[1].medfee_sumamt, money("-1.50"));
        assert_eq!(rows[1].verdict, StatementVerdict::Differs);
        for broken in ["53\tM1\tS1", "53\tM1\tS1\tH2\t000103\t0\t\tten\t0\t0"] {
            assert!(read_findings(&format!("{text}{broken}"), &style).is_err());
        }
    }
}
