//! The sandbox's strictness field by field, and its book under random orders of events.

use std::path::Path;

use proptest::{prelude::*, test_runner::Config};
use serde_json::{Value, json};
use yijie_rules::{Accumulated, Claim, Money};

use super::{Agency, Answered};
use crate::{
    Profile,
    keys::Keys,
    sandbox::{
        files::Files,
        ledger::{Ledger, SettlementState, read_ledger},
        persons::{self, DEMO_PERSONS},
    },
    seal::Seal,
};

const ACTIVE: &str = "539900000000000000000002";
const CHILD: &str = "539900000000000000000009";
const PARENT: &str = "539900000000000000000001";

fn agency(data: &Path) -> Agency {
    let (ledger, entries) = Ledger::open(data).unwrap();
    let people = persons::parse(DEMO_PERSONS).unwrap();
    Agency::new(
        Seal {
            profile: Profile::built_in("plain").unwrap(),
            keys: Keys::default(),
        },
        people,
        false,
        Files::new(data),
        ledger,
        &entries,
    )
}

fn ask(agency: &mut Agency, request: &Value) -> Value {
    match agency.transact(&serde_json::to_vec(request).unwrap()) {
        Answered::Json(text) => serde_json::from_str(&text).unwrap(),
        Answered::Zip(_) => panic!("a file"),
    }
}

fn envelope(infno: &str, msgid: &str, input: Value) -> Value {
    json!({
        "infno": infno, "msgid": msgid, "mdtrtarea_admvs": "530100", "insuplc_admdvs": "530100",
        "recer_sys_code": "YBXT", "infver": "V1.0", "opter_type": "1", "opter": "0001", "opter_name": "示例",
        "inf_time": "2026-03-01 09:30:00", "fixmedins_code": "H53010200001", "fixmedins_name": "示例医院",
        "sign_no": "", "input": input,
    })
}

fn settlement(msgid: &str, psn_no: &str, amount: &str) -> Value {
    let claim = json!({
        "person": {"psn_no": psn_no, "insutype": "310", "psn_type": "1101", "insuplc_admdvs": "530100"},
        "institution": {"fixmedins_code": "H53010200001", "fixmedins_type": "1", "medinslv": "2"},
        "visit": {"med_type": "11", "begntime": "2026-03-01 09:30:00"},
        "lines": [{"feedetl_sn": "1", "pric": amount, "cnt": "1", "det_item_fee_sumamt": amount}],
        "accounts": {"family": [{"psn_no": PARENT, "relation": "parent", "listed": true, "balc": "0.00"}]},
    });
    let info = json!({
        "psn_no": psn_no, "mdtrt_cert_type": "02", "mdtrt_cert_no": "x", "begntime": "2026-03-01 09:30:00",
        "medfee_sumamt": amount, "invono": "1", "insutype": "310", "acct_used_flag": "1", "med_type": "11",
        "expContent": json!({"claim": claim}).to_string(),
    });
    let detail = json!({
        "feedetl_sn": "1", "rx_circ_flag": "0", "fee_ocur_time": "2026-03-01 09:30:00", "med_list_codg": "1",
        "medins_list_codg": "1", "det_item_fee_sumamt": amount, "cnt": "1", "pric": amount,
    });
    envelope("2102", msgid, json!({"druginfo": info, "drugdetail": [detail]}))
}

/// A sign-in holds for its day.
#[tokio::test(start_paused = true)]
async fn a_number_of_the_day_before_signs_nobody_in() {
    let dir = tempfile::tempdir().unwrap();
    let mut agency = agency(dir.path());
    crate::simulate_clock("2026-03-01T23:59:00+08:00".parse().unwrap());
    let id = |no: u32| format!("H53010200001202603010930{no:06}");
    let who = json!({"signIn": {"opter_no": "0001", "mac": "", "ip": "127.0.0.1"}});
    let signed = ask(&mut agency, &envelope("9001", &id(1), who));
    let number = signed.pointer("/output/signinoutb/sign_no").unwrap().clone();
    let mut asked = |no| {
        let mut request = settlement(&id(no), ACTIVE, "10.00");
        request["sign_no"] = number.clone();
        ask(&mut agency, &request)["err_msg"].as_str().unwrap().to_owned()
    };
    assert_eq!(asked(2), "");
    tokio::time::advance(std::time::Duration::from_mins(2)).await;
    assert_eq!(asked(3), "SIGN_NO_UNKNOWN 未签到或已签退");
}

#[test]
fn a_missing_or_contradictory_field_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut agency = agency(dir.path());
    let mut count = 0;
    let mut next = || {
        count += 1;
        format!("H53010200001202603010930{count:06}")
    };
    for (place, value, words) in [
        ("/msgid", json!(""), "FIELD_INVALID msgid: missing"),
        (
            "/msgid",
            json!("1234567890123456789012345678901"),
            "FIELD_INVALID msgid: too long",
        ),
        (
            "/msgid",
            json!("H530102000012026030"),
            "FIELD_INVALID msgid: not of its form",
        ),
        (
            "/msgid",
            json!("H53010200001-20260301093000-01"),
            "FIELD_INVALID msgid: not of its form",
        ),
        (
            "/opter_type",
            json!("4"),
            "FIELD_INVALID opter_type: none of its codes",
        ),
        (
            "/inf_time",
            json!("2026-03-01"),
            "FIELD_INVALID inf_time: not of its form",
        ),
        (
            "/recer_sys_code",
            json!("SY"),
            "FIELD_INVALID recer_sys_code: another system's",
        ),
        (
            "/insuplc_admdvs",
            json!(""),
            "FIELD_INVALID insuplc_admdvs: missing",
        ),
        (
            "/insuplc_admdvs",
            json!("530300"),
            "FIELDS_DISAGREE insuplc_admdvs: not the person's",
        ),
        ("/sign_no", json!("359754"), "SIGN_NO_UNKNOWN"),
        ("/opter_name", json!(""), "FIELD_INVALID opter_name: missing"),
        (
            "/fixmedins_code",
            json!(""),
            "FIELD_INVALID fixmedins_code: missing",
        ),
        ("/infno", json!("2999"), "INFNO_UNKNOWN 不支持的交易 2999"),
        ("/input", Value::Null, "FIELD_INVALID input: missing"),
        ("/input", json!([]), "INPUT_UNREADABLE"),
        (
            "/input/druginfo/psn_no",
            json!(""),
            "FIELD_INVALID psn_no: missing",
        ),
        (
            "/input/druginfo/invono",
            json!(""),
            "FIELD_INVALID invono: missing",
        ),
        (
            "/input/druginfo/medfee_sumamt",
            json!("1,00"),
            "FIELD_INVALID medfee_sumamt: not a number",
        ),
        (
            "/input/druginfo/medfee_sumamt",
            json!("9.00"),
            "FIELDS_DISAGREE medfee_sumamt: differs from expContent",
        ),
        (
            "/input/druginfo/insutype",
            json!("390"),
            "FIELDS_DISAGREE insutype: differs from expContent",
        ),
        (
            "/input/druginfo/expContent",
            json!("no JSON"),
            "FIELD_INVALID expContent: no JSON object",
        ),
        (
            "/input/druginfo/expContent",
            json!("{\"claim\":{}}"),
            "FIELD_INVALID expContent:",
        ),
        (
            "/input/drugdetail",
            json!([]),
            "FIELD_INVALID drugdetail: missing",
        ),
        ("/input/drugdetail/0/cnt", json!(""), "FIELD_INVALID cnt: missing"),
        (
            "/input/drugdetail/0/cnt",
            json!(3),
            "FIELDS_DISAGREE det_item_fee_sumamt: not cnt x pric",
        ),
        (
            "/input/drugdetail/0/feedetl_sn",
            json!("2"),
            "FIELDS_DISAGREE drugdetail: differs from expContent",
        ),
    ] {
        let mut request = settlement(&next(), ACTIVE, "10.00");
        *request.pointer_mut(place).unwrap() = value;
        let reply = ask(&mut agency, &request);
        assert_eq!(reply["infcode"], json!(-2), "{place}");
        let message = reply["err_msg"].as_str().unwrap();
        assert!(message.starts_with(words.trim_end()), "{place}: {message}");
    }
    for (infno, input, field) in [
        ("9001", json!({"signIn": {"opter_no": "1"}}), "ip"),
        (
            "1101",
            json!({"data": {"mdtrt_cert_type": "03", "mdtrt_cert_no": "1"}}),
            "card_sn",
        ),
        (
            "2103",
            json!({"data": {"psn_no": "1", "setl_id": "1"}}),
            "mdtrt_id",
        ),
        (
            "2601",
            json!({"data": {"psn_no": "1", "oinfno": "2102"}}),
            "omsgid",
        ),
        ("3201", json!({"data": {"insutype": "310"}}), "clr_type"),
        ("5203", json!({"data": {"psn_no": "1"}}), "setl_id"),
        ("9102", json!({"fsDownloadIn": {"file_qury_no": "1"}}), "filename"),
    ] {
        let reply = ask(&mut agency, &envelope(infno, &next(), input));
        assert_eq!(
            reply["err_msg"],
            json!(format!("FIELD_INVALID {field}: missing")),
            "{infno}"
        );
    }
    let Answered::Json(reply) = agency.transact(b"{\"infno\":") else {
        panic!("a file")
    };
    assert!(reply.contains("ENVELOPE_UNREADABLE"), "{reply}");
    assert!(read_ledger(dir.path()).unwrap().is_empty());
}

#[derive(Debug, Clone)]
enum Event {
    /// Whose, for how many fen.
    Settle {
        child: bool,
        fen: i64,
    },
    /// Of the nth msgid used so far.
    Cancel {
        nth: usize,
    },
    Reverse {
        nth: usize,
    },
    /// A msgid that never arrived, and then does.
    ReverseFirst {
        fen: i64,
    },
    Again {
        nth: usize,
    },
    Restart,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (any::<bool>(), 1i64..900_000).prop_map(|(child, fen)| Event::Settle { child, fen }),
        2 => (0usize..40).prop_map(|nth| Event::Cancel { nth }),
        2 => (0usize..40).prop_map(|nth| Event::Reverse { nth }),
        1 => (1i64..90_000).prop_map(|fen| Event::ReverseFirst { fen }),
        1 => (0usize..40).prop_map(|nth| Event::Again { nth }),
        1 => Just(Event::Restart),
    ]
}

/// What the book says of everyone.
fn standing(agency: &Agency) -> Vec<(Option<Money>, Vec<Accumulated>)> {
    let of = |psn_no: &&str| {
        (
            agency.book.own_account(psn_no).map(|own| own.balc),
            agency.book.accumulated(psn_no, 2026),
        )
    };
    [ACTIVE, CHILD, PARENT].iter().map(of).collect()
}

/// A msgid that was sent: whose it is, as which transaction, and the settlement it is about.
struct Sent {
    msgid: String,
    infno: &'static str,
    psn_no: &'static str,
    setl_id: String,
    mdtrt_id: String,
}

struct Story {
    agency: Agency,
    sent: Vec<Sent>,
    count: usize,
}

impl Story {
    fn msgid(&mut self) -> String {
        self.count += 1;
        format!("H53010200001202603010930{:06}", self.count)
    }

    fn ask(&mut self, request: &Value) -> (bool, Value) {
        let reply = ask(&mut self.agency, request);
        (reply["infcode"] == json!(0), reply)
    }

    fn settle(&mut self, psn_no: &'static str, fen: i64) {
        let msgid = self.msgid();
        let (done, reply) = self.ask(&settlement(&msgid, psn_no, &Money::from_fen(fen).to_string()));
        assert!(done, "{reply}");
        let info = &reply["output"]["setlinfo"];
        let text = |field: &str| info[field].as_str().unwrap().to_owned();
        self.sent.push(Sent {
            msgid,
            infno: "2102",
            psn_no,
            setl_id: text("setl_id"),
            mdtrt_id: text("mdtrt_id"),
        });
    }

    fn happen(&mut self, event: &Event, data: &Path) {
        let nth = |nth: usize, count: usize| nth.checked_rem(count);
        match *event {
            Event::Settle { child, fen } => self.settle(if child { CHILD } else { ACTIVE }, fen),
            Event::Cancel { nth: wanted } => {
                let Some(of) = nth(wanted, self.sent.len()).and_then(|nth| self.sent.get(nth)) else {
                    return;
                };
                let (psn_no, setl_id, mdtrt_id) = (of.psn_no, of.setl_id.clone(), of.mdtrt_id.clone());
                let data = json!({"psn_no": psn_no, "setl_id": setl_id, "mdtrt_id": mdtrt_id});
                let msgid = self.msgid();
                if self.ask(&envelope("2103", &msgid, json!({"data": data}))).0 {
                    self.sent.push(Sent {
                        msgid,
                        infno: "2103",
                        psn_no,
                        setl_id,
                        mdtrt_id,
                    });
                }
            }
            Event::Reverse { nth: wanted } => {
                let Some(of) = nth(wanted, self.sent.len()).and_then(|nth| self.sent.get(nth)) else {
                    return;
                };
                let data = json!({"psn_no": of.psn_no, "omsgid": of.msgid, "oinfno": of.infno});
                let msgid = self.msgid();
                self.ask(&envelope("2601", &msgid, json!({"data": data})));
            }
            Event::ReverseFirst { fen } => {
                let (late, msgid) = (self.msgid(), self.msgid());
                let data = json!({"psn_no": ACTIVE, "omsgid": late, "oinfno": "2102"});
                assert!(!self.ask(&envelope("2601", &msgid, json!({"data": data}))).0);
                assert!(
                    !self
                        .ask(&settlement(&late, ACTIVE, &Money::from_fen(fen).to_string()))
                        .0
                );
            }
            Event::Again { nth: wanted } => {
                let Some(of) = nth(wanted, self.sent.len()).and_then(|nth| self.sent.get(nth)) else {
                    return;
                };
                let request = settlement(&of.msgid, of.psn_no, "1.00");
                assert!(!self.ask(&request).0, "a msgid counts once");
            }
            Event::Restart => {
                let before = standing(&self.agency);
                self.restart(data);
                assert_eq!(standing(&self.agency), before);
            }
        }
    }

    fn restart(&mut self, data: &Path) {
        // The ledger is locked while it is open: let go of it first.
        let elsewhere = tempfile::tempdir().unwrap();
        self.agency = agency(elsewhere.path());
        self.agency = agency(data);
    }
}

proptest! {
    // A failure prints the events; proptest keeps the seed beside this file.
    #![proptest_config(Config { cases: 30, ..Config::default() })]

    #[test]
    fn the_book_is_what_its_ledger_says(events in proptest::collection::vec(event(), 1..25)) {
        let dir = tempfile::tempdir().unwrap();
        let mut story = Story { agency: agency(dir.path()), sent: Vec::new(), count: 0 };
        let opening = standing(&story.agency);
        for event in &events {
            story.happen(event, dir.path());
        }
        // Balances are the openings less what standing settlements took; family money is the parent's.
        let rows = read_ledger(dir.path()).unwrap();
        let stand = || rows.iter().filter(|row| row.state == SettlementState::Settled);
        let of = |psn_no: &'static str| stand().filter(move |row| row.psn_no == psn_no);
        let balances: Vec<Option<Money>> = standing(&story.agency).into_iter().map(|(balance, _)| balance).collect();
        let less = |nth: usize, taken: Option<Money>| opening[nth].0.unwrap().checked_sub(taken.unwrap());
        prop_assert_eq!(balances[0], less(0, Money::sum(of(ACTIVE).map(|row| row.acct_pay))));
        prop_assert_eq!(balances[1], less(1, Money::sum(of(CHILD).map(|row| row.acct_pay))));
        prop_assert_eq!(balances[2], less(2, Money::sum(stand().map(|row| row.acct_mulaid_pay))));
        prop_assert!(balances.iter().all(|balance| balance.is_some_and(|balance| !balance.is_negative())));
        for row in &rows {
            let payers = [row.fund_pay_sumamt, row.acct_pay, row.acct_mulaid_pay, row.psn_cash_pay];
            prop_assert_eq!(Money::sum(payers), Some(row.medfee_sumamt));
        }
        // What is undone leaves no trace in pools and accounts.
        for nth in 0..story.sent.len() {
            if story.sent[nth].infno == "2102" {
                story.happen(&Event::Cancel { nth }, dir.path());
            }
        }
        prop_assert_eq!(standing(&story.agency), opening);
        story.restart(dir.path());
        let opening_again = standing(&story.agency);
        prop_assert_eq!(standing(&agency(tempfile::tempdir().unwrap().path())), opening_again);
    }
}

#[test]
fn a_claim_of_the_tests_is_a_claim() {
    let request = settlement("1", ACTIVE, "10.00");
    let text = request["input"]["druginfo"]["expContent"].as_str().unwrap();
    let claim = serde_json::from_str::<Value>(text).unwrap()["claim"].to_string();
    assert_eq!(
        Claim::from_json(claim.as_bytes()).unwrap().person.psn_no.as_str(),
        ACTIVE
    );
}
