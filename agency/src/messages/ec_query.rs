//! ec.query: the agency decodes a medical-insurance code (医保码) to a person. Its envelope is its own.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{lenient::Node, reply::plain};

/// The person a medical-insurance code stands for.
#[derive(Clone, PartialEq, Eq)]
pub struct DecodedPerson {
    /// Kind of identity document (01 resident ID).
    pub id_type: String,
    /// Its number.
    pub id_no: String,
    /// Name.
    pub name: String,
    /// Token of the code, for 1101 and settlement with mdtrt_cert_type 01.
    pub ec_token: String,
    /// Region the person is insured in.
    pub insu_org: String,
}

impl fmt::Debug for DecodedPerson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecodedPerson")
            .field("id_type", &self.id_type)
            .field("insu_org", &self.insu_org)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct EcQuery {
    pub(crate) data: EcQueryData,
    pub(crate) org_id: String,
    pub(crate) trans_type: String,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct EcQueryData {
    pub(crate) org_id: String,
    pub(crate) business_type: String,
    pub(crate) operator_id: String,
    pub(crate) operator_name: String,
    pub(crate) office_id: String,
    pub(crate) office_name: String,
    pub(crate) ec_qr_code: String,
}

/// What the decoder answered.
pub(crate) enum EcReply {
    Person(DecodedPerson),
    Refused { code: i64, message: String },
    Unreadable(&'static str),
}

pub(crate) fn read(body: &[u8]) -> EcReply {
    let (body, _) = plain(body);
    let text = std::str::from_utf8(&body).unwrap_or_default();
    let text = text.trim_start_matches('\u{feff}').trim();
    let Some(fields) = Node::parse(text).and_then(Node::fields) else {
        return EcReply::Unreadable("no JSON object");
    };
    let Ok(code) = fields.text("code").parse::<i64>() else {
        return EcReply::Unreadable("code is no number");
    };
    if code != 0 {
        return EcReply::Refused {
            code,
            message: fields.text("message"),
        };
    }
    let Some(data) = fields.get("data") else {
        return EcReply::Unreadable("no data");
    };
    let inner;
    let data = if data.is_string() {
        inner = data.text().unwrap_or_default();
        Node::parse(&inner)
    } else {
        Some(data)
    };
    let Some(data) = data.and_then(Node::fields) else {
        return EcReply::Unreadable("data is no object");
    };
    let person = DecodedPerson {
        id_type: data.text("idType"),
        id_no: data.text("idNo"),
        name: data.text("userName"),
        ec_token: data.text("ecToken"),
        insu_org: data.text("insuOrg"),
    };
    if person.id_no.is_empty() && person.ec_token.is_empty() {
        return EcReply::Unreadable("neither idNo nor ecToken");
    }
    EcReply::Person(person)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_as_an_object_and_as_a_string() {
        for body in [
            r#"{"code":0,"data":{"idNo":"1","idType":"01","userName":"甲","ecToken":"t","insuOrg":"530100","email":"null"}}"#,
            r#"{"code":"0","data":"{\"idNo\":\"1\",\"idType\":\"01\",\"userName\":\"甲\",\"ecToken\":\"t\",\"insuOrg\":\"530100\"}"}"#,
        ] {
            let EcReply::Person(person) = read(body.as_bytes()) else {
                panic!("{body}")
            };
            assert_eq!((person.id_no.as_str(), person.ec_token.as_str()), ("1", "t"));
            assert!(!format!("{person:?}").contains('甲'));
        }
    }

    #[test]
    fn a_captured_answer() {
        let body = include_bytes!("../../tests/samples/ec.query_response.json");
        let EcReply::Person(person) = read(body) else {
            panic!("not a person")
        };
        assert_eq!(
            (person.id_type.as_str(), person.insu_org.as_str()),
            ("01", "430000")
        );
        assert_eq!((person.id_no.len(), person.ec_token.len()), (18, 32));
    }

    #[test]
    fn refusals_and_rubbish() {
        let refused = r#"{"code":500049,"message":"电子凭证二维码无效"}"#;
        assert!(matches!(
            read(refused.as_bytes()),
            EcReply::Refused { code: 500_049, .. }
        ));
        for body in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"code":0}"#,
            r#"{"code":0,"data":"x"}"#,
            r#"{"code":0,"data":{}}"#,
        ] {
            assert!(matches!(read(body.as_bytes()), EcReply::Unreadable(_)), "{body}");
        }
    }
}
