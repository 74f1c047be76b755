//! What leaves the terminal: what a claim and the institution tell stands in the messages.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::{
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex},
};

use common::{ACTIVE, client_settings, pharmacy_sale, sale};
use serde_json::{Value, json};
use yijie_agency::{Answer, Carried, Carrier, Client, MsgIds, SaleRequest};
use yijie_rules::{Department, Practitioner};

/// Says yes to everything and keeps it.
#[derive(Debug, Default)]
struct Kept(Mutex<Vec<Value>>);

impl Carrier for Kept {
    fn carry<'a>(
        &'a self,
        _path: &'a str,
        body: Vec<u8>,
    ) -> Pin<Box<dyn Future<Output = Carried> + Send + 'a>> {
        self.0
            .lock()
            .unwrap()
            .push(serde_json::from_slice(&body).unwrap());
        let yes =
            json!({"infcode": 0, "output": {"data": {"mdtrt_id": "M1"}, "result": [{"feedetl_sn": "1"}]}});
        Box::pin(async move { Carried::Body(yes.to_string().into_bytes()) })
    }
}

fn client(institution: &str) -> (Client, Arc<Kept>) {
    let kept = Arc::new(Kept::default());
    let ids = Arc::new(MsgIds::new(institution, 0));
    let mut settings = client_settings("", Path::new(""), &ids);
    settings.institution.code = institution.to_owned();
    (
        Client::within(settings, Arc::clone(&kept) as Arc<dyn Carrier>),
        kept,
    )
}

/// The inputs of a sale's messages up to its trial, by number.
async fn tried(sale: &SaleRequest) -> Value {
    let (client, kept) = client("H53010200001");
    client.presettle(sale).await;
    let sent = kept.0.lock().unwrap();
    let inputs = sent
        .iter()
        .map(|body| (body["infno"].as_str().unwrap().to_owned(), body["input"].clone()));
    inputs.collect::<serde_json::Map<_, _>>().into()
}

/// A field of 40 000 characters holds what a province takes, however much an agency that recomputes would.
#[tokio::test]
async fn a_bill_too_long_for_one_message_does_not_leave() {
    let kept = Arc::new(Kept::default());
    let ids = Arc::new(MsgIds::new("P53010200001", 0));
    let mut settings = client_settings("", Path::new(""), &ids);
    settings.profile.claim_in_exp_content = false;
    let client = Client::within(settings, Arc::clone(&kept) as Arc<dyn Carrier>);
    let mut bill = pharmacy_sale(ACTIVE, "2.00");
    let line = bill.claim.lines[0].clone();
    bill.claim.lines = (1..=400)
        .map(|no| {
            let mut line = line.clone();
            line.feedetl_sn = no.to_string().as_str().into();
            line
        })
        .collect();
    match client.settle(&ids.next(), &bill).await {
        Answer::NotSent(cause) => assert_eq!(cause.code(), "BILL_TOO_LONG"),
        other => panic!("{other:?}"),
    }
    assert!(kept.0.lock().unwrap().is_empty());
}

fn named(mut sale: SaleRequest) -> SaleRequest {
    let visit = &mut sale.claim.visit;
    visit.practitioner = Some(Practitioner {
        dr_codg: "D530100000001".into(),
        listed: true,
    });
    visit.department = Some(Department {
        dept_code: "A03.05".into(),
        fund_settlement_suspended: None,
    });
    visit.rxno = Some("RX20260301".into());
    sale
}

const DOCTOR: &str = "D530100000001";
const DEPT: &str = "A03.05";

#[tokio::test]
async fn physician_department_and_prescription_stand_where_they_are_asked_for() {
    let outpatient = sale(ACTIVE, "10.00");
    let mut stay = outpatient.clone();
    stay.claim.visit.med_type = "21".into();
    let pharmacy = pharmacy_sale(ACTIVE, "10.00");
    for (bill, place, known, unknown) in [
        (&outpatient, "/2201/data/atddr_no", DOCTOR, "99"),
        (&outpatient, "/2201/data/dr_name", DOCTOR, "未指定"),
        (&outpatient, "/2201/data/dept_code", DEPT, "99"),
        (&outpatient, "/2201/data/dept_name", DEPT, "未指定"),
        (&outpatient, "/2203/diseinfo/0/diag_dept", DEPT, "未指定"),
        (&outpatient, "/2203/diseinfo/0/dise_dor_no", DOCTOR, "99"),
        (&outpatient, "/2203/diseinfo/0/dise_dor_name", DOCTOR, "未指定"),
        (&outpatient, "/2204/feedetail/0/bilg_dept_codg", DEPT, "99"),
        (&outpatient, "/2204/feedetail/0/bilg_dr_codg", DOCTOR, "99"),
        (&outpatient, "/2204/feedetail/0/bilg_dr_name", DOCTOR, "未指定"),
        (&outpatient, "/2204/feedetail/0/rxno", "RX20260301", ""),
        (&outpatient, "/2204/feedetail/0/rx_circ_flag", "1", "0"),
        (&stay, "/2401/mdtrtinfo/atddr_no", DOCTOR, "99"),
        (&stay, "/2401/mdtrtinfo/chfpdr_name", DOCTOR, "未指定"),
        (&stay, "/2401/mdtrtinfo/adm_dept_codg", DEPT, "99"),
        (&stay, "/2401/diseinfo/0/dise_dor_no", DOCTOR, "99"),
        (&stay, "/2301/feedetail/0/bilg_dept_name", DEPT, "未指定"),
        (&stay, "/2402/dscginfo/dscg_dept_codg", DEPT, "99"),
        (&stay, "/2402/dscginfo/dscg_dept_name", DEPT, "未指定"),
        (&pharmacy, "/2101/drugdetail/0/rxno", "RX20260301", ""),
        (&pharmacy, "/2101/drugdetail/0/rx_circ_flag", "1", "0"),
        (&pharmacy, "/2101/drugdetail/0/bilg_dr_codg", DOCTOR, ""),
    ] {
        for (bill, value) in [(named(bill.clone()), known), (bill.clone(), unknown)] {
            let sent = tried(&bill).await;
            let found = sent.pointer(place).and_then(Value::as_str).unwrap_or_default();
            assert_eq!(found, value, "{place}");
        }
    }
}

#[tokio::test]
async fn an_insurance_code_is_decoded_for_what_the_institution_does_with_it() {
    for (institution, business) in [("H53010200001", "01301"), ("P53010200001", "02121")] {
        let (client, kept) = client(institution);
        client.decode_code("QR").await;
        let sent = kept.0.lock().unwrap();
        assert_eq!(sent[0]["data"]["businessType"], business, "{institution}");
    }
}
