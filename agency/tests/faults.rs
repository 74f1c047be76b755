//! Each misbehaviour of the agency, what the client makes of it, and that the truth can be found out afterwards.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::*;
use yijie_agency::{Client, Credential, SettlementState};

fn fault(on: &str, what: &str) -> String {
    format!("[[fault]]\non = \"{on}\"\nwhat = \"{what}\"\ntimes = 1\n")
}

/// A client that gives up soon, for faults that keep it waiting.
fn hasty(rig: &Rig) -> Client {
    let mut settings = rig.client.settings().clone();
    settings.timeout = Duration::from_millis(600);
    Client::new(settings).unwrap()
}

#[tokio::test]
async fn every_fault_leaves_the_outcome_unknown_and_the_truth_findable() {
    let rig = Rig::start().await;
    let hasty = hasty(&rig);
    let person = insured(ACTIVE);
    for (what, code, committed) in [
        ("lose_request", "AGENCY_TIMEOUT", false),
        ("lose_reply_after_commit", "AGENCY_TIMEOUT", true),
        ("bad_gateway_after_commit", "AGENCY_HTTP_STATUS", true),
        ("html", "AGENCY_BODY_UNREADABLE", true),
        ("half_body", "AGENCY_BODY_UNREADABLE", true),
        ("maintenance", "AGENCY_HTTP_STATUS", false),
        ("system_error", "AGENCY_SYSTEM_ERROR", false),
        ("system_error_after_commit", "AGENCY_SYSTEM_ERROR", true),
        ("close", "AGENCY_RESET", false),
    ] {
        rig.faults(&fault("2102", what));
        let msgid = rig.ids.next();
        let client = if code == "AGENCY_TIMEOUT" {
            &hasty
        } else {
            &rig.client
        };
        let cause = unknown(client.settle(&msgid, &sale(ACTIVE, "100.00")).await);
        assert_eq!(cause.code(), code, "{what}");
        let found = done(rig.client.find_settlement(&person, &msgid).await);
        assert_eq!(found.is_some(), committed, "{what}");
        let reversal = rig.client.reverse(&rig.ids.next(), &person, &msgid, "2207").await;
        if committed {
            done(reversal);
        } else {
            assert_eq!(refused(reversal), "ORIGINAL_NOT_FOUND", "{what}");
        }
        let row = rig.ledger().into_iter().find(|row| row.msgid == msgid);
        assert_eq!(
            row.map(|row| row.state),
            committed.then_some(SettlementState::Reversed),
            "{what}"
        );
    }
    // The fault is used up.
    done(rig.client.settle(&rig.ids.next(), &sale(ACTIVE, "100.00")).await);
}

#[tokio::test]
async fn late_and_twice() {
    let rig = Rig::start().await;
    let late = |ms: u32| format!("[[fault]]\non = \"2102\"\nwhat = \"late_ms\"\nms = {ms}\ntimes = 1\n");
    rig.faults(&late(100));
    done(rig.client.settle(&rig.ids.next(), &sale(ACTIVE, "100.00")).await);

    rig.faults(&late(60_000));
    let msgid = rig.ids.next();
    assert_eq!(
        unknown(hasty(&rig).settle(&msgid, &sale(ACTIVE, "100.00")).await).code(),
        "AGENCY_TIMEOUT"
    );
    assert!(done(rig.client.find_settlement(&insured(ACTIVE), &msgid).await).is_some());

    rig.faults(&fault("2102", "twice"));
    done(rig.client.settle(&rig.ids.next(), &sale(ACTIVE, "100.00")).await);
    assert_eq!(
        rig.ledger().len(),
        3,
        "the second arrival of one msgid settles nothing"
    );
}

#[tokio::test]
async fn the_reversal_itself_may_be_lost() {
    let rig = Rig::start().await;
    let person = insured(ACTIVE);
    let msgid = rig.ids.next();
    done(rig.client.settle(&msgid, &sale(ACTIVE, "100.00")).await);
    rig.faults(&fault("2601", "bad_gateway_after_commit"));
    let lost = unknown(rig.client.reverse(&rig.ids.next(), &person, &msgid, "2207").await);
    assert_eq!(
        lost.to_string(),
        "the agency's gateway answered with HTTP status 502"
    );
    assert!(
        done(rig.client.find_settlement(&person, &msgid).await)
            .unwrap()
            .refunded
    );
    assert_eq!(
        refused(rig.client.reverse(&rig.ids.next(), &person, &msgid, "2207").await),
        "ALREADY_REVERSED"
    );
}

#[tokio::test]
async fn the_plug_is_pulled_between_commit_and_reply() {
    let mut rig = Rig::start().await;
    rig.faults(&fault("2102", "lose_reply_after_commit"));
    let msgid = rig.ids.next();
    let (client, id) = (rig.client.clone(), msgid.clone());
    let waiting = tokio::spawn(async move { client.settle(&id, &sale(ACTIVE, "100.00")).await });
    while rig.ledger().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(rig.sandbox.take());
    assert_eq!(unknown(waiting.await.unwrap()).code(), "AGENCY_RESET");
    // The lock on the ledger goes with the last request of the one that was killed.
    rig.restart().await;
    let found = done(rig.client.find_settlement(&insured(ACTIVE), &msgid).await).unwrap();
    assert_eq!(found.medins_setl_id, msgid);
    assert!(!found.refunded);
}

#[tokio::test]
async fn queries_and_the_decoder_have_faults_too() {
    let rig = Rig::start().await;
    let code = "5399000000000000000000000002";
    for what in ["html", "half_body"] {
        rig.faults(&fault("ec.query", what));
        assert_eq!(
            unknown(rig.client.decode_code(code).await).code(),
            "AGENCY_BODY_UNREADABLE",
            "{what}"
        );
    }
    rig.faults(&fault("9102", "half_body"));
    assert_eq!(
        unknown(rig.client.lost_cards().await).code(),
        "AGENCY_BODY_UNREADABLE"
    );
    rig.faults("[{\"on\": \"*\", \"what\": \"bad_gateway_after_commit\"}]");
    let anyone = Credential::IdNumber {
        certno: "1".to_owned(),
    };
    for _ in 0..3 {
        assert_eq!(
            unknown(rig.client.person(&anyone).await).code(),
            "AGENCY_HTTP_STATUS"
        );
    }
    // A faults file with a mistake changes nothing; the sandbox tells it on standard error.
    rig.faults("[[fault]]\non = \"*\"\nwhat = \"explode\"\n");
    assert_eq!(
        unknown(rig.client.person(&anyone).await).to_string(),
        "the agency's gateway answered with HTTP status 502"
    );
    rig.faults("");
    assert_eq!(refused(rig.client.person(&anyone).await), "PERSON_UNKNOWN");
}

#[tokio::test]
async fn many_tills_at_once() {
    let rig = Rig::with(|settings| settings.any_person = true).await;
    let mut tills = tokio::task::JoinSet::new();
    for till in 0..8 {
        let (client, ids) = (rig.client.clone(), rig.ids.clone());
        tills.spawn(async move {
            for nth in 0..10 {
                let psn_no = format!("9000000000000000000{till:02}{:03}", nth % 3);
                done(client.settle(&ids.next(), &sale(&psn_no, "100.00")).await);
            }
        });
    }
    while let Some(till) = tills.join_next().await {
        till.unwrap();
    }
    let rows = rig.ledger();
    assert_eq!(rows.len(), 80);
    let distinct: std::collections::HashSet<&str> = rows.iter().map(|row| row.msgid.as_str()).collect();
    assert_eq!(distinct.len(), 80);
}

#[tokio::test]
async fn a_limited_rate_a_wrong_clock_and_old_figures() {
    let rig = Rig::start().await;
    rig.faults("[[fault]]\non = \"1101\"\nwhat = \"rate_limit\"\nper_second = 1\n");
    let asked = Credential::IdNumber {
        certno: "539900199001010003".to_owned(),
    };
    let mut limited = 0;
    for _ in 0..20 {
        match rig.client.person(&asked).await {
            yijie_agency::Answer::Unknown(cause) => {
                assert_eq!(
                    cause.to_string(),
                    "the agency's gateway answered with HTTP status 429"
                );
                limited += 1;
            }
            answer => assert!(!matches!(answer, yijie_agency::Answer::NotSent(_))),
        }
    }
    assert!(limited > 0);

    rig.faults("[[fault]]\non = \"2102\"\nwhat = \"wrong_clock\"\nseconds = -86400\n");
    let yesterday = done(rig.client.settle(&rig.ids.next(), &sale(ACTIVE, "1000.00")).await);
    rig.faults("");
    let today = done(rig.client.presettle(&sale(ACTIVE, "1000.00")).await);
    assert!(yesterday.setl_time < yijie_agency::beijing_now().to_string());
    assert!(
        today.setlinfo.balc < yesterday.setlinfo.balc,
        "the account was used"
    );

    rig.faults("[[fault]]\nwhat = \"stale_figures\"\n");
    let old = done(rig.client.presettle(&sale(ACTIVE, "1000.00")).await);
    assert_eq!(old.setlinfo, yesterday.setlinfo);
    let person = insured(ACTIVE);
    let lost = rig
        .client
        .find_settlement(&person, &yesterday.medins_setl_id)
        .await;
    assert_eq!(done(lost), None, "the copy that is asked has not heard of it yet");
    let settled = done(rig.client.settle(&rig.ids.next(), &sale(ACTIVE, "1000.00")).await);
    assert_eq!(
        settled.setlinfo, today.setlinfo,
        "what moves money goes by the book"
    );
}
