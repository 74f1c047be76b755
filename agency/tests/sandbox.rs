//! What the sandbox keeps and is given: ledger, statements, persons file, lost cards, people taken over.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::{fs, io::Write};

use common::*;
use serde_json::Value;
use yijie_agency::{CancelRequest, OUTPATIENT, Sandbox, StatementTotals, StatementVerdict};
use yijie_rules::{Money, Options, Outcome, Packs, split};

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

fn options() -> Options {
    Options {
        pack: None,
        trace: false,
        lang: yijie_rules::Lang::Zh,
    }
}

#[tokio::test]
async fn any_person_is_taken_over_once() {
    let mut rig = Rig::with(|settings| settings.any_person = true).await;
    let stranger = "900000000000000000000001";
    let mut request = sale(stranger, "1060.00");
    request.claim.accumulated =
        serde_json::from_str(r#"[{"pool":"ordinary-outpatient","fund":"5545.01"}]"#).unwrap();
    request.claim.accounts = serde_json::from_str(r#"{"own":{"balc":"100.00"}}"#).unwrap();
    let Outcome::Settled(own) = split(&Packs::builtin(), &request.claim, &options()) else {
        panic!("refused")
    };
    assert_eq!(done(rig.client.presettle(&request).await).setlinfo, own.setlinfo);
    assert_eq!(
        done(rig.client.settle(&rig.ids.next(), &request).await).setlinfo,
        own.setlinfo,
        "as the claim says"
    );
    rig.restart().await;
    // From now on the ledger rules: pool and account are used up, whatever the claim says.
    let second = done(rig.client.settle(&rig.ids.next(), &request).await);
    assert_ne!(second.setlinfo, own.setlinfo);
    assert_eq!(second.setlinfo.acct_pay, Money::ZERO);
    // People of the persons file are not taken from the claim.
    assert_eq!(
        refused(
            rig.client
                .presettle(&sale("539900000000000000000007", "10.00"))
                .await
        ),
        "NOT_INSURED"
    );
}

#[tokio::test]
async fn statements() {
    let rig = Rig::start().await;
    for amount in ["100.00", "33.33"] {
        done(rig.client.settle(&rig.ids.next(), &sale(ACTIVE, amount)).await);
    }
    let reversed = rig.ids.next();
    done(rig.client.settle(&reversed, &sale(ACTIVE, "500.00")).await);
    done(
        rig.client
            .reverse(&rig.ids.next(), &insured(ACTIVE), &reversed, "2207")
            .await,
    );
    let cancelled = done(rig.client.settle(&rig.ids.next(), &sale(ACTIVE, "600.00")).await);
    let request = CancelRequest {
        insured: insured(ACTIVE),
        setl_id: cancelled.setl_id,
        mdtrt_id: cancelled.mdtrt_id.clone(),
        transactions: OUTPATIENT,
    };
    done(rig.client.cancel(&rig.ids.next(), &request).await);

    let rows = rig.ledger();
    let (first, last) = (&rows[0].setl_time[..10], &rows[3].setl_time[..10]);
    // 100.00: (100 - 60) x 55 % = 22.00; 33.33 lies below the deductible; account: 78.00 + 33.33.
    let totals = StatementTotals {
        insutype: "310".to_owned(),
        clr_type: cancelled.clr_type,
        setl_optins: cancelled.clr_optins,
        begndate: first.to_owned(),
        enddate: last.to_owned(),
        medfee_sumamt: money("133.33"),
        fund_pay_sumamt: money("22.00"),
        acct_pay: money("111.33"),
        setl_count: 2,
    };
    let ask = |change: fn(&mut StatementTotals)| {
        let mut totals = totals.clone();
        change(&mut totals);
        let client = rig.client.clone();
        async move { done(client.statement_total(&totals).await).verdict }
    };
    assert_eq!(ask(|_| {}).await, StatementVerdict::Balanced);
    assert_eq!(
        ask(|totals| totals.setl_count = 1).await,
        StatementVerdict::AgencyMore
    );
    assert_eq!(
        ask(|totals| totals.setl_count = 3).await,
        StatementVerdict::TerminalMore
    );
    assert_eq!(
        ask(|totals| totals.acct_pay = money("111.32")).await,
        StatementVerdict::Differs
    );
    assert_eq!(
        ask(|totals| totals.insutype = "390".to_owned()).await,
        StatementVerdict::TerminalMore
    );
    assert_eq!(
        ask(|totals| {
            totals.begndate = "2099-01-01".to_owned();
            totals.enddate = "2099-01-31".to_owned();
        })
        .await,
        StatementVerdict::TerminalMore
    );
}

#[tokio::test]
async fn the_list_of_lost_cards() {
    let rig = Rig::start().await;
    let cards = done(rig.client.lost_cards().await);
    assert_eq!(cards.len(), 1);
    assert_eq!(cards[0].card_no, "D99990005");
    assert!(!format!("{cards:?}").contains("D9999"));
}

#[tokio::test]
async fn the_ledger_survives_a_torn_line_and_refuses_a_damaged_one() {
    let mut rig = Rig::start().await;
    done(rig.client.settle(&rig.ids.next(), &sale(ACTIVE, "100.00")).await);
    assert_eq!(
        Sandbox::start(rig.settings.clone()).await.unwrap_err().code(),
        "LEDGER_IN_USE"
    );
    rig.sandbox.take().unwrap().stop().await;
    let file = rig.settings.data.join("ledger.jsonl");
    let whole = fs::read(&file).unwrap();
    fs::OpenOptions::new()
        .append(true)
        .open(&file)
        .unwrap()
        .write_all(b"{\"kind\":\"settled\",\"setl")
        .unwrap();
    assert_eq!(rig.ledger().len(), 1);
    rig.restart().await;
    assert_eq!(fs::read(&file).unwrap(), whole, "the torn line is cut off");
    done(rig.client.settle(&rig.ids.next(), &sale(ACTIVE, "100.00")).await);
    assert_eq!(rig.ledger().len(), 2);

    rig.sandbox.take().unwrap().stop().await;
    let mut damaged = fs::read(&file).unwrap();
    damaged[5] = b'!';
    fs::write(&file, damaged).unwrap();
    assert_eq!(
        Sandbox::start(rig.settings.clone()).await.unwrap_err().code(),
        "LEDGER_DAMAGED"
    );
    assert_eq!(
        yijie_agency::read_ledger(&rig.settings.data).unwrap_err().code(),
        "LEDGER_DAMAGED"
    );
}

#[tokio::test]
async fn a_wrong_persons_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("persons.json");
    let mut people: Vec<Value> = serde_json::from_str(yijie_agency::DEMO_PERSONS).unwrap();
    assert!((8..=10).contains(&people.len()));
    people[2]["facts"]["benefit"] = Value::from("x");
    fs::write(&file, serde_json::to_vec(&people).unwrap()).unwrap();
    let mut settings = Rig::start().await.settings;
    settings.data = dir.path().join("agency");
    settings.persons = Some(file);
    let error = Sandbox::start(settings.clone()).await.unwrap_err();
    assert_eq!(error.code(), "PERSONS_FILE_MALFORMED");
    assert!(
        error.to_string().contains("[2].facts.benefit: unknown key"),
        "{error}"
    );
    settings.persons = Some(dir.path().join("nowhere.json"));
    assert_eq!(
        Sandbox::start(settings).await.unwrap_err().code(),
        "PERSONS_FILE_UNREADABLE"
    );
}

#[test]
fn demo_people_have_valid_and_distinct_numbers() {
    let people: Vec<Value> = serde_json::from_str(yijie_agency::DEMO_PERSONS).unwrap();
    let mut seen = std::collections::HashSet::new();
    for person in &people {
        let certno = person["baseinfo"]["certno"].as_str().unwrap();
        let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
        let sum: u32 = certno
            .chars()
            .zip(weights)
            .map(|(digit, weight)| digit.to_digit(10).unwrap() * weight)
            .sum();
        assert_eq!(
            certno.chars().last(),
            "10X98765432".chars().nth((sum % 11) as usize),
            "{certno}"
        );
        assert!(certno.starts_with("539999"), "no region has this code");
        assert_eq!(
            certno[6..14],
            person["baseinfo"]["brdy"].as_str().unwrap().replace('-', "")
        );
        for number in [
            certno,
            person["ec_codes"][0].as_str().unwrap(),
            person["facts"]["card"]["card_no"].as_str().unwrap(),
        ] {
            assert!(seen.insert(number.to_owned()), "{number} twice");
        }
    }
}

#[tokio::test]
async fn a_file_goes_up_and_comes_down_after_a_restart() {
    let mut rig = Rig::start().await;
    let zip = yijie_agency::pack("a.txt", "甲\t1\n".as_bytes()).unwrap();
    let ticket = done(rig.client.upload_file("a.txt.zip", &zip).await);
    assert_eq!(ticket.filename, "a.txt.zip");
    rig.restart().await;
    let found = done(rig.client.download_file(&ticket.file_qury_no, "a.txt.zip").await);
    assert_eq!(yijie_agency::unpack_text(&found), Ok("甲\t1\n".to_owned()));
    for (number, name) in [
        (ticket.file_qury_no.as_str(), "b.zip"),
        ("F0", "a.txt.zip"),
        ("../x", "a"),
    ] {
        assert_eq!(
            refused(rig.client.download_file(number, name).await),
            "FILE_NOT_FOUND"
        );
    }
    let cause = not_sent(rig.client.upload_file("a.zip", b"").await);
    assert_eq!(cause.code(), "REQUEST_INVALID");
}
