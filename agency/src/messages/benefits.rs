//! 2001 benefit check, and the queries 5201–5206 and 5301. The questions are typed; the answers come as their rows,
//! field names as the agency spells them.

use super::{codes, form::message};
use crate::{envelope::Output, fields::in_order, lenient::Node};

message! {
    /// 2001: what a person may enjoy for a kind of care.
    pub BenefitQuestion {
        psn_no must 30, insutype code codes::INSUTYPE, fixmedins_code must 12, med_type open 6, begntime time, endtime maytime,
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

/// One row of an answer: name and text of each field that is not empty.
pub type Row = Vec<(String, String)>;

/// The rows of an answer, under whatever node they stand; none where the agency has nothing to say.
pub(crate) fn read_rows(output: &Output<'_>) -> Option<Vec<Row>> {
    if matches!(output, Output::Opaque(_)) {
        return None;
    }
    let Some(node) = output.node() else {
        return Some(Vec::new());
    };
    let fields = node.fields()?;
    let mut rows = Vec::new();
    for name in fields.names() {
        for row in fields.items(name).into_iter().filter_map(Node::fields) {
            let filled = row.names().map(|name| (name.to_owned(), row.text(name)));
            rows.push(filled.filter(|(_, text)| !text.is_empty()).collect());
        }
    }
    if rows.is_empty() {
        let own: Row = fields
            .names()
            .map(|name| (name.to_owned(), fields.text(name)))
            .filter(|(_, text)| !text.is_empty())
            .collect();
        rows.extend((!own.is_empty()).then_some(own));
    }
    Some(rows)
}
