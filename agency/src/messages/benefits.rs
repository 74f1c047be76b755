//! 2001 benefit check, and the queries 5201–5206 and 5301. The questions are typed; the answers come as their rows.

use std::collections::BTreeMap;

use yijie_rules::RegisteredDisease;

use super::form::message;
use crate::{
    fields::in_order,
    lenient::{Fields, Node, WRAPPED_MAX, WRAPPERS},
    numbers::told_money,
    output::Output,
    times::time,
};

message! {
    /// 2001: what a person may enjoy for a kind of care.
    pub BenefitQuestion {
        psn_no must 30, insutype open 6, fixmedins_code must 12, med_type open 6, begntime time, endtime maytime,
        dise_codg may 30, dise_name may 500, oprn_oprt_code may 30, oprn_oprt_name may 500, matn_type may 6,
        birctrl_type may 6, exp_content may 4000,
    }
    and |asked| in_order("endtime", &asked.begntime, &asked.endtime)
}

message! {
    /// 5201 visits, 5205 chronic-disease drugs, by person and time; the fields of 5201 are not published.
    pub PersonTimeQuestion { psn_no must 30, begntime maytime, endtime maytime, med_type mayopen 6, mdtrt_id may 30, }
    and |asked| in_order("endtime", &asked.begntime, &asked.endtime)
}

message! {
    /// 5202 diagnoses, 5204 details, 5203 by its numbers.
    pub VisitQuestion { psn_no must 30, setl_id may 30, mdtrt_id must 30, }
}

message! {
    /// 5206: what a person has used.
    pub UsedQuestion { psn_no must 30, cum_ym maymonth, }
}

message! {
    /// 5301: registered chronic and special diseases.
    pub DiseaseQuestion { psn_no must 30, }
}

/// One row of an answer: name and text of each field that is not empty, under the nation's spelling.
pub type Row = Vec<(String, String)>;

/// The rows of an answer.
pub(crate) struct Rows {
    pub(crate) rows: Vec<Row>,
    /// By its own count there are more, on other pages.
    pub(crate) incomplete: bool,
}

/// The rows of an answer, under whatever node they stand and whatever wraps them; none where the agency has nothing to
/// say. None: it says something, and no row of it can be read.
pub(crate) fn read_rows(output: &Output<'_>) -> Option<Rows> {
    if output.is_bare() {
        return Some(Rows {
            rows: Vec::new(),
            incomplete: false,
        });
    }
    let (mut rows, mut in_all) = (Vec::new(), None);
    match output.fields() {
        Some(fields) => collect(&fields, WRAPPED_MAX, &mut rows, &mut in_all),
        None => rows.extend(rows_of(output.node()?)),
    }
    rows.retain(|row| !row.is_empty());
    let incomplete = in_all.is_some_and(|in_all| i64::try_from(rows.len()).is_ok_and(|read| read < in_all));
    (!rows.is_empty()).then_some(Rows { rows, incomplete })
}

/// The rows under every name, and those in what only wraps them; an object without lists is the row itself.
fn collect(fields: &Fields<'_>, depth: u32, rows: &mut Vec<Row>, in_all: &mut Option<i64>) {
    *in_all = in_all.or(fields.rows_in_all());
    if fields.lists().next().is_none() {
        rows.push(normalised(fields));
    }
    for (name, node) in fields.iter() {
        let inner = if node.raw().starts_with('{') {
            node.fields()
        } else {
            None
        };
        let wraps = |inner: &Fields<'_>| WRAPPERS.contains(&name) || inner.is_shell();
        match inner.filter(wraps).zip(depth.checked_sub(1)) {
            Some((inner, depth)) => collect(&inner, depth, rows, in_all),
            None => rows.extend(rows_of(node)),
        }
    }
}

fn rows_of(node: Node<'_>) -> impl Iterator<Item = Row> {
    let items = node.items().into_iter().filter_map(Node::fields);
    items.map(|row| normalised(&row))
}

/// As rows and no more.
pub(crate) fn rows_only(output: &Output<'_>) -> Option<Vec<Row>> {
    read_rows(output).map(|read| read.rows)
}

/// A row's field, or the empty string.
pub(crate) fn cell<'r>(row: &'r Row, name: &str) -> &'r str {
    let found = row.iter().find(|(known, _)| known == name);
    found.map_or("", |(_, text)| text.as_str())
}

/// A row of 5301; nothing where no disease is named.
pub(crate) fn registered_disease(row: &Row) -> Option<RegisteredDisease> {
    let code = [cell(row, "opsp_dise_code"), cell(row, "dise_codg")];
    Some(RegisteredDisease {
        dise_codg: code.into_iter().find(|code| !code.is_empty())?.into(),
        benefit: None,
        class: None,
        begndate: cell(row, "begndate").parse().ok(),
        enddate: cell(row, "enddate").parse().ok(),
    })
}

/// As objects, for people.
pub(crate) fn as_objects(rows: Vec<Row>) -> Vec<BTreeMap<String, String>> {
    rows.into_iter().map(BTreeMap::from_iter).collect()
}

fn normalised(row: &Fields<'_>) -> Row {
    let filled = row.names().filter_map(|name| {
        let text = row.text(name);
        if text.is_empty() {
            return None;
        }
        let name = national(name);
        let text = if is_amount(&name) {
            told_money(&text).map_or(text, |amount| amount.to_string())
        } else if name.ends_with("date") || name.ends_with("time") {
            time(&text).unwrap_or(text)
        } else {
            text
        };
        Some((name, text))
    });
    filled.collect()
}

/// Spellings that differ from the nation's in more than capitals.
const SPELLINGS: [(&str, &str); 5] = [
    ("med_fee_sumamt", "medfee_sumamt"),
    ("insu_admdvs", "insuplc_admdvs"),
    ("prese_ifpay_amt", "preselfpay_amt"),
    ("overlmt_amt", "overlmt_selfpay"),
    ("psn_pay", "psn_part_amt"),
];

/// `opspDiseCode` and `psnCash_pay` as the nation writes them.
fn national(name: &str) -> String {
    let styled = name.bytes().any(|byte| byte.is_ascii_lowercase());
    let mut snake = String::new();
    for letter in name.chars() {
        let begins = styled && letter.is_ascii_uppercase();
        if begins && !snake.is_empty() && !snake.ends_with('_') {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    let known = SPELLINGS.iter().find(|(other, _)| *other == snake);
    known.map_or(snake, |(_, nation)| (*nation).to_owned())
}

fn is_amount(name: &str) -> bool {
    ["_amt", "_sumamt", "_pay", "_payamt", "_selfpay", "_dedc"]
        .iter()
        .any(|end| name.ends_with(end))
        || name == "balc"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::Reply;

    #[test]
    fn rows_come_under_the_nations_names_in_the_nations_forms() {
        let body = r#"{"infcode":0,"output":{"feedetail":[
            {"opspDiseCode":"M00500","begndate":"20260101","enddate":null},
            {"med_fee_sumamt":1234.5,"psnCash_pay":"1,234.50","SETL_TIME":"2026/3/1 9:05:07","cum":"12"}]}}"#;
        let reply = Reply::parse(body.as_bytes()).ok().unwrap();
        let rows = rows_only(&reply.output).unwrap();
        let told = |row: usize| -> Vec<(&str, &str)> {
            rows[row]
                .iter()
                .map(|(name, text)| (name.as_str(), text.as_str()))
                .collect()
        };
        assert_eq!(
            told(0),
            [("opsp_dise_code", "M00500"), ("begndate", "2026-01-01")]
        );
        let second = [
            ("medfee_sumamt", "1234.50"),
            ("psn_cash_pay", "1234.50"),
            ("setl_time", "2026-03-01 09:05:07"),
            ("cum", "12"),
        ];
        assert_eq!(told(1), second);
    }
}
