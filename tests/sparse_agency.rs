//! An agency that leaves out of its replies what the interface does not oblige it to tell: the day is closed all the same.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what goes wrong here fails the test"
)]

use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use yijie::books::Books;
use yijie::books::row::{SaleRow, SaleState};
use yijie::reconcile::totals_of;
use yijie::record::{KEPT, Sale};
use yijie::sync::Sync;
use yijie_agency::{Carried, Carrier, Client, ClientSettings, Credential, InstitutionId, Operator, Profile};
use yijie_rules::{Claim, Outcome, Packs, split};

const INSTITUTION: &str = "P53010200001";

/// Answers a settlement with its amounts and little else, and keeps what it was sent.
#[derive(Debug, Default)]
struct Sparse {
    /// What stands in setlinfo beside the amounts.
    told: &'static str,
    sent: Mutex<Vec<Value>>,
}

impl Carrier for Sparse {
    fn carry<'a>(
        &'a self,
        _path: &'a str,
        body: Vec<u8>,
    ) -> Pin<Box<dyn Future<Output = Carried> + Send + 'a>> {
        let message: Value = serde_json::from_slice(&body).unwrap();
        let output = match message["infno"].as_str().unwrap() {
            "2102" => format!(
                r#"{{"setlinfo":{{{}"medfee_sumamt":"20.00","inscp_scp_amt":"20.00","hifp_pay":"0.00",
                "fund_pay_sumamt":"0.00","psn_part_amt":"20.00","acct_pay":"20.00","psn_cash_pay":"0.00"}}}}"#,
                self.told
            ),
            "1101" => r#"{"baseinfo":{"psn_no":"53","psn_name":"甲"},"insuinfo":[{"insutype":"310","insuplc_admdvs":"530100"}]}"#
                .to_owned(),
            "5301" => r#"{"feedetail":[{"begndate":"2020-10-01","enddate":"20991231","opspDiseCode":"M03900"}]}"#.to_owned(),
            _ => "null".to_owned(),
        };
        self.sent.lock().unwrap().push(message);
        let reply = format!(r#"{{"infcode":0,"output":{output}}}"#);
        Box::pin(async move { Carried::Body(reply.into_bytes()) })
    }
}

fn settings(books: &Books) -> ClientSettings {
    ClientSettings {
        url: String::new(),
        tls_dir: Path::new("").to_owned(),
        institution: InstitutionId {
            code: INSTITUTION.to_owned(),
            name: "测试药店".to_owned(),
            admdvs: "530100".to_owned(),
        },
        operator: Operator {
            id: "001".to_owned(),
            name: "001".to_owned(),
            kind: "1".to_owned(),
        },
        dev_no: String::new(),
        profile: Profile::built_in("plain").unwrap(),
        timeout: Duration::from_secs(20),
        connect_timeout: Duration::from_secs(5),
        msgids: books.msgids(),
    }
}

fn sale(books: &Books) -> Sale {
    let claim = format!(
        r#"{{"person":{{"psn_no":"53010000000000000000000001","insutype":"310","psn_type":"11","insuplc_admdvs":"530100","psn_insu_stas":"1"}},"institution":{{"fixmedins_code":"{INSTITUTION}","fixmedins_type":"2"}},"visit":{{"med_type":"41","begntime":"2026-03-01 09:30:00","mdtrtarea_admvs":"530100"}},"lines":[{{"feedetl_sn":"1","chrgitm_lv":"01","goods":"drug","pric":"20.00","cnt":"1","det_item_fee_sumamt":"20.00"}}],"accounts":{{"acct_used_flag":"1","own":{{"balc":"100.00"}}}}}}"#
    );
    let claim = Claim::from_json(claim.as_bytes()).unwrap();
    let Outcome::Settled(settlement) = split(&Packs::builtin(), &claim, &KEPT) else {
        panic!("the claim is refused")
    };
    let credential = Credential::IdNumber {
        certno: "530102199001011234".to_owned(),
    };
    Sale::new(
        "a".to_owned(),
        books.next_msgid(),
        claim,
        *settlement,
        credential,
        "001".to_owned(),
    )
}

fn till(dir: &Path, agency: &Arc<Sparse>) -> (Arc<Books>, Sync) {
    let (books, _) = Books::open(dir, INSTITUTION, 0).unwrap();
    let books = Arc::new(books);
    let client = Client::within(settings(&books), agency.clone());
    let sync = Sync::new(books.clone(), client, Arc::new(Packs::builtin()));
    (books, sync)
}

/// A sale that was settled, with its numbers and no more.
struct Sold {
    agency: Arc<Sparse>,
    books: Arc<Books>,
    sync: Sync,
    row: SaleRow,
    _dir: tempfile::TempDir,
}

async fn sold() -> Sold {
    let dir = tempfile::tempdir().unwrap();
    let agency = Arc::new(Sparse {
        told: r#""setl_id":"S1","mdtrt_id":"M1","#,
        ..Sparse::default()
    });
    let (books, sync) = till(dir.path(), &agency);
    let row = sync.sell(sale(&books), true, |_| ()).await.unwrap();
    Sold {
        agency,
        books,
        sync,
        row,
        _dir: dir,
    }
}

#[tokio::test]
async fn registered_diseases_are_asked_for_where_the_record_has_none() {
    let dir = tempfile::tempdir().unwrap();
    let agency = Arc::new(Sparse::default());
    let (_books, sync) = till(dir.path(), &agency);
    let credential = Credential::IdNumber {
        certno: "530102199001011234".to_owned(),
    };
    let person = sync.client().person(&credential).await.done().unwrap();
    let disease = &person.facts.registered_diseases[0];
    assert_eq!(disease.dise_codg, "M03900");
    let days = [disease.begndate, disease.enddate].map(|day| day.unwrap().to_string());
    assert_eq!(days, ["2020-10-01", "2099-12-31"]);
    let sent = agency.sent.lock().unwrap();
    assert_eq!(
        (&sent[1]["infno"], &sent[1]["insuplc_admdvs"]),
        (&"5301".into(), &"530100".into())
    );
}

#[tokio::test]
async fn what_statements_go_by_is_filled_in_and_a_balance_is_not() {
    let Sold { books, row, _dir, .. } = sold().await;
    assert_eq!(row.state, SaleState::Settled);
    let totals = totals_of(&books, yijie::clock::today(yijie::clock::now_ms())).unwrap();
    let group = (
        totals[0].insutype.as_str(),
        totals[0].clr_type.as_str(),
        totals[0].clr_optins.as_str(),
    );
    assert_eq!((totals.len(), group), (1, ("310", "41", "530199")));
    assert_eq!(row.balance(), None, "none was told");
}

#[tokio::test]
async fn a_settlement_of_which_nobody_knows_the_number_is_undone_by_its_message() {
    let Sold {
        agency,
        books,
        sync,
        row,
        _dir,
    } = sold().await;
    // As the agency's statement tells of it: without the number.
    let mut reply = row.reply.clone().unwrap();
    reply.setl_id.clear();
    let unnumbered = yijie::record::Record::Settled {
        sale: "a".to_owned(),
        msgid: row.msgid.clone(),
        difference: None,
        reply: Box::new(reply),
    };
    books.append(&unnumbered, yijie::clock::now_ms()).unwrap();
    let undone = sync.undo("a", "001").await.unwrap();
    assert_eq!(undone.state, SaleState::Reversed);
    let sent = agency.sent.lock().unwrap();
    let last = sent.last().unwrap();
    assert_eq!(last["infno"], "2601");
    assert_eq!(last["input"]["data"]["omsgid"], row.msgid.as_str());
}
