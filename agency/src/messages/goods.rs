//! 3505 goods sold and 3506 goods returned (商品销售、商品销售退货), with the packs' trace codes.

use serde::{Deserialize, Serialize};

use super::{
    codes,
    form::{message, must},
};
use crate::{
    fields::{Checked, FieldFault, required},
    lenient::{Fields, Node},
    numbers::whole_number,
    output::Output,
    profile::TraceCodes,
    verdict::{praises, yes_or_no},
};

message! {
    /// selinfo of 3505: one drug of one lot. A drug from two lots is two rows. The specification asks for lot, dates and
    /// pharmacist always; what a counter does not know is left blank here, not made up.
    pub GoodsSold {
        med_list_codg must 50, fixmedins_hilist_id must 30, fixmedins_hilist_name must 200, fixmedins_bchno must 30,
        prsc_dr_cert_type mayopen 6, prsc_dr_certno may 50, prsc_dr_name may 50, phar_cert_type mayopen 6, phar_certno may 50,
        phar_name may 50, phar_prac_cert_no may 50, hi_feesetl_type maycode codes::HI_FEESETL_TYPE, setl_id may 30, mdtrt_sn must 30,
        psn_no may 30, psn_cert_type mayopen 6, certno may 50, psn_name may 50, manu_lotnum may 30, manu_date mayday,
        expy_end mayday, rx_flag code codes::RX_FLAG, trdn_flag flag, finl_trns_pric maypric, rxno may 40, rx_circ_flag flag,
        rtal_docno must 40, stoout_no may 40, bchno may 30, drug_prod_barc may 30, shelf_posi may 20, sel_retn_cnt cnt,
        sel_retn_time time, sel_retn_opter_name must 50, memo may 500, mdtrt_setl_type maycode codes::MDTRT_SETL_TYPE,
    }
    and |row| match row.mdtrt_setl_type.as_str() {
        "1" => must("setl_id", &row.setl_id, 30),
        _ => Ok(()),
    }
}

message! {
    /// selinfo of 3506.
    pub GoodsReturned {
        med_list_codg must 50, fixmedins_hilist_id must 30, fixmedins_hilist_name must 200, fixmedins_bchno must 30,
        setl_id may 30, psn_no may 30, psn_cert_type mayopen 6, certno may 50, psn_name may 50, manu_lotnum may 30,
        manu_date mayday, expy_end mayday, rx_flag code codes::RX_FLAG, trdn_flag flag, finl_trns_pric maypric, sel_retn_cnt cnt,
        sel_retn_time time, sel_retn_opter_name must 50, memo may 500, medins_prod_sel_no may 50, mdtrt_sn may 30,
    }
}

/// One code of drugtracinfo.
#[derive(Serialize, Deserialize, Default, Clone)]
#[serde(default)]
pub(crate) struct TraceCode {
    pub(crate) drug_trac_codg: String,
}

/// 3505 and 3506: the row, and the codes where the province wants them.
#[derive(Serialize, Deserialize, Default)]
#[serde(default, bound(deserialize = "T: Default + Deserialize<'de>"))]
pub(crate) struct GoodsInput<T> {
    pub(crate) selinfo: GoodsNode<T>,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default, bound(deserialize = "T: Default + Deserialize<'de>"))]
pub(crate) struct GoodsNode<T> {
    #[serde(flatten)]
    pub(crate) row: T,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) drugtracinfo: Vec<TraceCode>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) drug_trac_codg: String,
}

impl<T> GoodsInput<T> {
    /// Codes in the province's node; None: it takes one code a row, and there are more.
    pub(crate) fn of(row: T, codes: &[String], style: TraceCodes) -> Option<GoodsInput<T>> {
        let (drugtracinfo, drug_trac_codg) = match (style, codes) {
            (TraceCodes::SaleSingle, []) => (Vec::new(), String::new()),
            (TraceCodes::SaleSingle, [only]) => (Vec::new(), only.clone()),
            (TraceCodes::SaleSingle, _) => return None,
            (TraceCodes::Sale | TraceCodes::Settlement, codes) => {
                let codes = codes.iter().map(|code| TraceCode {
                    drug_trac_codg: code.clone(),
                });
                (codes.collect(), String::new())
            }
        };
        Some(GoodsInput {
            selinfo: GoodsNode {
                row,
                drugtracinfo,
                drug_trac_codg,
            },
        })
    }

    /// The codes, wherever they stand.
    pub(crate) fn codes(&self) -> Vec<&str> {
        let single = Some(self.selinfo.drug_trac_codg.as_str()).filter(|code| !code.is_empty());
        let listed = self
            .selinfo
            .drugtracinfo
            .iter()
            .map(|code| code.drug_trac_codg.as_str());
        single.into_iter().chain(listed).collect()
    }
}

impl<T: Checked> Checked for GoodsInput<T> {
    fn check(&self) -> Result<(), FieldFault> {
        self.selinfo.row.check()?;
        self.codes()
            .into_iter()
            .try_for_each(|code| required("drug_trac_codg", code, 100))
    }
}

/// What the second level of the answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Accepted {
    Yes,
    /// In the agency's words.
    No(String),
}

/// infcode 0 is half of it: where the answer has a retRslt, only 1 is yes, and some provinces' transactions always have
/// one. None: it can't be read.
pub(crate) fn read_accepted(output: &Output<'_>, always_told: bool) -> Option<Accepted> {
    if let Output::Opaque(words) = output {
        return (!always_told && praises(words)).then_some(Accepted::Yes);
    }
    let mut told = false;
    if let Some(fields) = output.fields() {
        let inner: Vec<Fields<'_>> = ["result", "data"]
            .iter()
            .flat_map(|name| fields.items(name))
            .filter_map(Node::fields)
            .collect();
        for row in std::iter::once(&fields).chain(&inner) {
            let ret = row.text("retRslt");
            let no = whole_number(&ret).is_some_and(|ret| ret != 1);
            match yes_or_no(&ret) {
                Some(true) => told = true,
                None if ret.is_empty() => {}
                None if !no => return None,
                _ => return Some(Accepted::No(row.text_of(&["msgRslt", "memo"]))),
            }
            // A text where the rows belong may say anything.
            let words = row
                .get("result")
                .filter(|node| node.is_string())
                .and_then(Node::text);
            if words.is_some_and(|words| yes_or_no(&words) != Some(true) && !praises(&words)) {
                return None;
            }
        }
    }
    (told || !always_told).then_some(Accepted::Yes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::Reply;

    #[test]
    fn the_second_level_decides() {
        let read = |output: &str| {
            let body = format!(r#"{{"infcode":0,"output":{output}}}"#);
            read_accepted(&Reply::parse(body.as_bytes()).ok().unwrap().output, false)
        };
        for yes in [
            "null",
            "{}",
            r#"{"result":{"retRslt":"1"}}"#,
            r#"{"result":{"retRslt":1}}"#,
            r#"{"result":null}"#,
        ] {
            assert_eq!(read(yes), Some(Accepted::Yes), "{yes}");
        }
        let no = Some(Accepted::No("追溯码重复".to_owned()));
        assert_eq!(read(r#"{"result":{"retRslt":"0","msgRslt":"追溯码重复"}}"#), no);
        assert_eq!(
            read(r#"{"result":[{"retRslt":"1"},{"retRslt":2,"msgRslt":"追溯码重复"}]}"#),
            no
        );
        assert_eq!(read("\"Zm9v\""), None);
        assert_eq!(read(r#"{"retRslt":"0","msgRslt":"追溯码重复"}"#), no);
        assert_eq!(read(r#"{"data":{"result":{"retRslt":1}}}"#), Some(Accepted::Yes));
        assert_eq!(read(r#"{"result":"{\"retRslt\":\"0\"}"}"#), None);
        let always = |output: &str| {
            let body = format!(r#"{{"infcode":0,"output":{output}}}"#);
            read_accepted(&Reply::parse(body.as_bytes()).ok().unwrap().output, true)
        };
        for untold in [
            "null",
            "{}",
            r#"{"result":null}"#,
            r#"{"result":{"retRslt":null}}"#,
        ] {
            assert_eq!(always(untold), None, "{untold}");
        }
        assert_eq!(always(r#"{"result":{"retRslt":"1"}}"#), Some(Accepted::Yes));
    }

    #[test]
    fn codes_go_where_the_province_wants_them() {
        let codes = ["8".repeat(20), "9".repeat(20)];
        let written = |codes: &[String], style| {
            GoodsInput::of(GoodsReturned::default(), codes, style)
                .map(|input| serde_json::to_value(&input).unwrap())
        };
        let listed = written(&codes, TraceCodes::Sale).unwrap();
        assert_eq!(listed["selinfo"]["drugtracinfo"][1]["drug_trac_codg"], codes[1]);
        let single = written(&codes[..1], TraceCodes::SaleSingle).unwrap();
        assert_eq!(single["selinfo"]["drug_trac_codg"], codes[0]);
        assert!(written(&codes, TraceCodes::SaleSingle).is_none());
    }
}
