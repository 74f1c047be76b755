//! Finding out in provinces that answer differently, and what a trial leaves behind.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod common;

use common::{ACTIVE, INSTITUTION, RETIRED, Rig, done, insured, not_sent, refused, sale};
use yijie_agency::{Answer, Cainfo, ClearingRequest, Credential, Profile};
use yijie_rules::Money;

/// Visits opened and closed, by the ledger: a visit is written whenever it changes.
fn visits(rig: &Rig) -> (usize, usize) {
    let ledger = std::fs::read_to_string(rig.settings.data.join("ledger.jsonl")).unwrap();
    let kinds = |kind: &str| -> Vec<String> {
        let entries = ledger.lines().filter(|line| line.contains(kind));
        let mut ids: Vec<String> = entries
            .map(|line| {
                let entry: serde_json::Value = serde_json::from_str(line).unwrap();
                entry["mdtrt_id"].as_str().unwrap().to_owned()
            })
            .collect();
        ids.sort();
        ids.dedup();
        ids
    };
    let opened = kinds("\"kind\":\"visit\"");
    (opened.len(), kinds("\"kind\":\"visit_closed\"").len())
}

#[tokio::test]
async fn where_5203_takes_no_message_id_the_visits_lead_to_the_settlement() {
    let mut profiles: Vec<Profile> = Profile::names()
        .map(|name| Profile::built_in(name).unwrap())
        .filter(|profile| !profile.query_by_msgid)
        .collect();
    assert!(profiles.len() >= 2, "provinces that take none");
    profiles.push(Profile {
        query_by_msgid: false,
        hospital_visits: false,
        ..Profile::built_in("plain").unwrap()
    });
    for profile in profiles {
        let name = profile.name.clone();
        let rig = Rig::with(|settings| settings.profile = profile).await;
        let (first, second) = (rig.ids.next(), rig.ids.next());
        done(rig.client.settle(&first, &sale(ACTIVE, "10.00")).await);
        done(rig.client.settle(&second, &sale(ACTIVE, "20.00")).await);
        for (msgid, amount) in [(&first, "10.00"), (&second, "20.00")] {
            let found = done(rig.client.find_settlement(&insured(ACTIVE), msgid).await).unwrap();
            assert_eq!(&found.medins_setl_id, msgid, "{name}");
            assert_eq!(found.setlinfo.medfee_sumamt.to_string(), amount, "{name}");
        }
        for (person, msgid) in [(ACTIVE, rig.ids.next()), (RETIRED, first.clone())] {
            let found = done(rig.client.find_settlement(&insured(person), &msgid).await);
            assert_eq!(found, None, "{name}");
        }
        let settle = rig.client.transactions_for("11").settle;
        let reversed = rig
            .client
            .reverse(&rig.ids.next(), &insured(ACTIVE), &first, settle)
            .await;
        done(reversed);
        let found = done(rig.client.find_settlement(&insured(ACTIVE), &first).await).unwrap();
        assert!(found.refunded, "{name}");
    }
}

#[tokio::test]
async fn what_5203_cannot_say_the_visits_can_and_silence_stays_unknown() {
    let rig = Rig::start().await;
    let msgid = rig.ids.next();
    done(rig.client.settle(&msgid, &sale(ACTIVE, "10.00")).await);
    for what in ["html", "system_error"] {
        rig.faults(&format!(
            "[[fault]]\non = \"5203\"\nwhat = \"{what}\"\ntimes = 1\n"
        ));
        let found = done(rig.client.find_settlement(&insured(ACTIVE), &msgid).await);
        assert_eq!(found.unwrap().medins_setl_id, msgid, "{what}");
    }
    // Both are silent: that is no answer.
    rig.faults("[[fault]]\non = \"*\"\nwhat = \"html\"\n");
    let found = rig.client.find_settlement(&insured(ACTIVE), &msgid).await;
    assert!(matches!(found, Answer::Unknown(_)), "{found:?}");
}

#[tokio::test]
async fn where_a_message_id_may_be_repeated_it_counts_once_and_gets_the_same_answer() {
    for hospital_visits in [true, false] {
        let rig = Rig::with(|settings| {
            settings.profile.repeated_msgid_idempotent = true;
            settings.profile.hospital_visits = hospital_visits;
        })
        .await;
        let (msgid, bill) = (rig.ids.next(), sale(ACTIVE, "500.00"));
        let first = done(rig.client.settle(&msgid, &bill).await);
        let again = done(rig.client.settle(&msgid, &bill).await);
        assert_eq!(
            (&again.setl_id, &again.setlinfo),
            (&first.setl_id, &first.setlinfo)
        );
        assert_eq!(rig.ledger().len(), 1);
        // The second one's visit is of no use any more.
        rig.client.close_abandoned().await;
        let opened = if hospital_visits { (2, 1) } else { (0, 0) };
        assert_eq!(visits(&rig), opened);
    }
}

#[tokio::test]
async fn a_visit_nothing_comes_of_is_closed() {
    let rig = Rig::start().await;
    let operator = rig.client.settings().operator.clone();
    done(rig.client.sign_in(operator.clone(), "", "127.0.0.1").await);
    done(rig.client.presettle(&sale(ACTIVE, "10.00")).await);
    rig.client.close_abandoned().await;
    assert_eq!(visits(&rig), (1, 0), "the customer is still there");
    done(rig.client.presettle(&sale(RETIRED, "20.00")).await);
    rig.client.close_abandoned().await;
    assert_eq!(visits(&rig), (2, 1), "the next one came");
    // The agency does not answer: closed the next time.
    rig.faults("[[fault]]\non = \"2202\"\nwhat = \"close\"\ntimes = 2\n");
    done(rig.client.sign_out().await);
    rig.faults("");
    rig.client.close_abandoned().await;
    assert_eq!(visits(&rig), (2, 2));
    // A step that failed leaves a visit behind, and so does a settlement that was refused.
    for (step, closed) in [("2203", 3), ("2204", 4), ("2206", 5), ("2207", 6)] {
        rig.faults(&format!(
            "[[fault]]\non = \"{step}\"\nwhat = \"system_error\"\ntimes = 1\n"
        ));
        let answer = rig.client.settle(&rig.ids.next(), &sale(ACTIVE, "10.00")).await;
        assert!(!matches!(answer, Answer::Done(_)), "{step}");
        rig.faults("");
        rig.client.close_abandoned().await;
        assert_eq!(visits(&rig), (closed, closed), "{step}");
    }
    // A stay goes the longer way back: discharge, details, admission.
    let mut stay = sale(ACTIVE, "100.00");
    stay.claim.visit.med_type = "21".into();
    done(rig.client.sign_in(operator, "", "127.0.0.1").await);
    done(rig.client.presettle(&stay).await);
    done(rig.client.sign_out().await);
    assert_eq!(visits(&rig), (7, 7));
    assert_eq!(rig.ledger().len(), 0);
}

/// 2201 and 2401 without an answer: the visit is open under a number nobody told, and is found by the institution's.
#[tokio::test]
async fn a_visit_whose_opening_was_not_answered_is_found_and_closed() {
    for (med_type, opening) in [("11", "2201"), ("21", "2401")] {
        let rig = Rig::start().await;
        let mut bill = sale(ACTIVE, "10.00");
        bill.claim.visit.med_type = med_type.into();
        for (nth, what) in (1..).zip([
            "bad_gateway_after_commit",
            "html",
            "half_body",
            "system_error_after_commit",
        ]) {
            rig.faults(&format!(
                "[[fault]]\non = \"{opening}\"\nwhat = \"{what}\"\ntimes = 1\n"
            ));
            not_sent(rig.client.presettle(&bill).await);
            assert_eq!(visits(&rig), (nth, nth - 1), "{what}");
            // While 5201 is silent the visit is not given up.
            rig.faults("[[fault]]\non = \"5201\"\nwhat = \"html\"\ntimes = 1\n");
            rig.client.close_abandoned().await;
            assert_eq!(visits(&rig), (nth, nth - 1), "{what}");
            rig.client.close_abandoned().await;
            assert_eq!(visits(&rig), (nth, nth), "{what}");
        }
        // One that never arrived costs a question and nothing else.
        rig.faults(&format!(
            "[[fault]]\non = \"{opening}\"\nwhat = \"close\"\ntimes = 1\n"
        ));
        not_sent(rig.client.presettle(&bill).await);
        rig.client.close_abandoned().await;
        assert_eq!(visits(&rig), (4, 4));
    }
}

/// What the patient was told has gone stale: final only once another copy of the message would find nothing to settle.
#[tokio::test]
async fn a_stale_trial_is_refused_once_its_visit_is_closed() {
    for (fault, closed) in [
        ("", true),
        ("[[fault]]\non = \"2202\"\nwhat = \"close\"\ntimes = 1\n", false),
    ] {
        let rig = Rig::start().await;
        let bill = sale(ACTIVE, "9000.00");
        done(rig.client.presettle(&bill).await);
        let elsewhere = yijie_agency::Client::new(rig.client.settings().clone()).unwrap();
        done(elsewhere.settle(&rig.ids.next(), &sale(ACTIVE, "8000.00")).await);
        rig.faults(fault);
        let answer = rig.client.settle(&rig.ids.next(), &bill).await;
        if closed {
            assert_eq!(refused(answer), "TRIAL_STALE");
        } else {
            assert!(matches!(answer, Answer::Unknown(_)), "{answer:?}");
            rig.client.close_abandoned().await;
        }
        // The other till's was settled, this one's closed.
        assert_eq!(visits(&rig), (2, 1));
    }
}

#[tokio::test]
async fn a_question_under_an_id_that_another_process_drew_is_asked_under_another() {
    for downloads in [false, true] {
        let rig = Rig::start().await;
        done(rig.client.lost_cards().await);
        let mut settings = rig.client.settings().clone();
        settings.msgids = std::sync::Arc::new(yijie_agency::MsgIds::new(INSTITUTION, 0));
        let process = yijie_agency::Client::new(settings).unwrap();
        if downloads {
            done(process.lost_cards().await);
        } else {
            let certno = "539999198611209217".to_owned();
            done(process.person(&Credential::IdNumber { certno }).await);
        }
    }
}

#[tokio::test]
async fn closed_accounts_take_and_give_nothing() {
    let rig = Rig::start().await;
    let (msgid, bill) = (rig.ids.next(), sale(ACTIVE, "500.00"));
    let settled = done(rig.client.settle(&msgid, &bill).await);
    let month: String = settled
        .setl_time
        .chars()
        .filter(char::is_ascii_digit)
        .take(6)
        .collect();
    let first: jiff::civil::Date = format!("{}-{}-01", &month[..4], &month[4..]).parse().unwrap();
    let info = &settled.setlinfo;
    let request = ClearingRequest {
        clr_type: settled.clr_type.clone(),
        clr_way: String::new(),
        setlym: month.clone(),
        psntime: 1,
        medfee_sumamt: info.medfee_sumamt,
        med_sumfee: info.inscp_scp_amt,
        fund_appy_sum: info.fund_pay_sumamt,
        cash_payamt: info.psn_cash_pay,
        acct_pay: info.acct_pay,
        begndate: first.to_string(),
        enddate: first.last_of_month().to_string(),
    };
    let mut wrong = [(); 8].map(|()| request.clone());
    wrong[0].medfee_sumamt = Money::ZERO;
    wrong[1].med_sumfee = Money::ZERO;
    wrong[2].fund_appy_sum = Money::ZERO;
    wrong[3].cash_payamt = Money::from_fen(1);
    wrong[4].acct_pay = Money::ZERO;
    wrong[5].psntime = 2;
    wrong[6].begndate.clone_from(&request.enddate);
    wrong[7].enddate.clone_from(&request.begndate);
    for (nth, other) in wrong.iter().enumerate() {
        let code = if nth < 6 {
            "CLEARING_SUMS_DIFFER"
        } else {
            "FIELDS_DISAGREE"
        };
        assert_eq!(refused(rig.client.apply_for_clearing(other).await), code, "{nth}");
    }
    let number = done(rig.client.apply_for_clearing(&request).await);
    assert_eq!(
        refused(rig.client.apply_for_clearing(&request).await),
        "CLEARING_APPLIED"
    );
    let again = rig.client.settle(&rig.ids.next(), &bill).await;
    assert_eq!(refused(again), "ACCOUNTS_CLOSED");
    let reversed = rig
        .client
        .reverse(&rig.ids.next(), &insured(ACTIVE), &msgid, "2207")
        .await;
    assert_eq!(refused(reversed), "ACCOUNTS_CLOSED");
    done(rig.client.withdraw_clearing(&number).await);
    done(
        rig.client
            .reverse(&rig.ids.next(), &insured(ACTIVE), &msgid, "2207")
            .await,
    );
    done(rig.client.settle(&rig.ids.next(), &bill).await);
}

#[tokio::test]
async fn an_input_under_sm3_is_taken_and_a_changed_one_is_not() {
    let rig = Rig::with(|settings| settings.profile.cainfo = Cainfo::InputSm3).await;
    done(rig.client.settle(&rig.ids.next(), &sale(ACTIVE, "10.00")).await);
    let mut settings = rig.client.settings().clone();
    settings.profile.cainfo = Cainfo::None;
    let unsigned = yijie_agency::Client::new(settings).unwrap();
    let answer = unsigned.settle(&rig.ids.next(), &sale(ACTIVE, "10.00")).await;
    assert!(!matches!(answer, Answer::Done(_)));
    assert_eq!(rig.ledger().len(), 1);
}
