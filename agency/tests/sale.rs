//! One sale and what may become of it, against a real sandbox over mutual TLS: figures to the fen.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use common::*;
use yijie_agency::{Answer, CancelRequest, Credential, OUTPATIENT, Profile, SettlementState};
use yijie_rules::{Flag, Money, Options, Outcome, Packs, split};

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

#[tokio::test]
async fn from_code_to_settlement_and_back() {
    let rig = Rig::start().await;
    let client = &rig.client;
    let operator = client.settings().operator.clone();
    let sign_in = done(client.sign_in(operator, "02-00-00-00-00-01", "127.0.0.1").await);
    assert!((1..=32).contains(&sign_in.sign_no.len()));

    let decoded = done(client.decode_code("5399000000000000000000000002").await);
    assert_eq!(decoded.insu_org, "530100");
    let record = done(
        client
            .person(&Credential::Token {
                ec_token: decoded.ec_token.clone(),
            })
            .await,
    );
    let by_id = done(
        client
            .person(&Credential::IdNumber {
                certno: decoded.id_no.clone(),
            })
            .await,
    );
    assert_eq!(record, by_id);
    assert_eq!(record.baseinfo.psn_no, ACTIVE);
    assert_eq!(record.insuinfo.len(), 2);
    assert_eq!(record.insuinfo[0].balc, Some(money("1530.00")));
    assert!(
        !format!("{record:?}{decoded:?}").contains(&record.baseinfo.psn_name),
        "Debug names nobody"
    );

    let mut claim = claim(ACTIVE, "200.00");
    claim.person = record.to_rules_person(&record.insuinfo[0]);
    claim.accounts.own = record.facts.own.clone();
    claim.accounts.acct_used_flag = Some(Flag::Yes);
    let sale = yijie_agency::SaleRequest {
        claim: claim.clone(),
        credential: Credential::Token {
            ec_token: decoded.ec_token,
        },
        invono: "INV1".to_owned(),
        traces: Vec::new(),
    };
    // Level 2, active: (200 - 60) x 55 % = 77.00; 123.00 from the account.
    let trial = done(client.presettle(&sale).await);
    assert_eq!(trial.setlinfo.hifp_pay, money("77.00"));
    assert!(trial.setl_id.is_empty());
    assert!(rig.ledger().is_empty(), "a trial commits nothing");

    let msgid = rig.ids.next();
    let settled = done(client.settle(&msgid, &sale).await);
    assert_eq!(settled.setlinfo, trial.setlinfo);
    assert_eq!(settled.setlinfo.acct_pay, money("123.00"));
    assert_eq!(settled.setlinfo.balc, money("1407.00"));
    assert_eq!(settled.medins_setl_id, msgid);
    assert_eq!(settled.irregularities, []);
    let Outcome::Settled(own) = split(&Packs::builtin(), &claim, &options()) else {
        panic!("refused")
    };
    assert_eq!(settled.setlinfo, own.setlinfo, "terminal and agency agree");
    assert_eq!(
        settled.accumulated_after.as_deref(),
        Some(own.accumulated_after.as_slice())
    );

    let after = done(
        client
            .person(&Credential::IdNumber {
                certno: decoded.id_no,
            })
            .await,
    );
    assert_eq!(after.facts.own.map(|own| own.balc), Some(money("1407.00")));

    let found = done(client.find_settlement(&insured(ACTIVE), &msgid).await).unwrap();
    assert_eq!(
        (found.setl_id.as_str(), found.refunded),
        (settled.setl_id.as_str(), false)
    );
    assert_eq!(found.setlinfo, settled.setlinfo);

    let request = CancelRequest {
        insured: insured(ACTIVE),
        setl_id: settled.setl_id,
        mdtrt_id: settled.mdtrt_id,
        transactions: OUTPATIENT,
    };
    let cancelled = done(client.cancel(&rig.ids.next(), &request).await);
    assert_eq!(cancelled.setlinfo.medfee_sumamt, money("200.00"));
    assert_eq!(
        cancelled.setlinfo.balc,
        money("1530.00"),
        "the account has its money back"
    );
    assert_eq!(
        refused(client.cancel(&rig.ids.next(), &request).await),
        "ALREADY_REVERSED"
    );
    assert!(
        done(client.find_settlement(&insured(ACTIVE), &msgid).await)
            .unwrap()
            .refunded
    );
    assert_eq!(rig.ledger()[0].state, SettlementState::Reversed);
    done(client.sign_out().await);
}

fn options() -> Options {
    Options {
        pack: None,
        trace: false,
        lang: yijie_rules::Lang::Zh,
    }
}

#[tokio::test]
async fn the_agency_goes_by_its_own_figures() {
    let mut rig = Rig::start().await;
    // The terminal believes nothing was used. The year allows 6000.00; (10060 - 60) x 55 % = 5500.00.
    let first = done(
        rig.client
            .settle(&rig.ids.next(), &sale(ACTIVE, "10060.00"))
            .await,
    );
    assert_eq!(first.setlinfo.hifp_pay, money("5500.00"));
    // Stale figures again: 500.00 are left of the pool, the rest is paid by what lies above it.
    let stale = sale(ACTIVE, "1060.00");
    let Outcome::Settled(own) = split(&Packs::builtin(), &stale.claim, &options()) else {
        panic!("refused")
    };
    assert_eq!(own.setlinfo.hifp_pay, money("550.00"));
    let second = done(rig.client.settle(&rig.ids.next(), &stale).await);
    assert_ne!(
        second.setlinfo.hifp_pay, own.setlinfo.hifp_pay,
        "the agency disagrees"
    );
    let ordinary = second
        .setldetail
        .iter()
        .find(|row| row.fund_payamt == money("500.00"));
    assert!(ordinary.is_some(), "{:?}", second.setldetail);

    // It remembers across a restart, and reversal gives back the pool.
    rig.restart().await;
    let third = done(rig.client.presettle(&sale(ACTIVE, "1060.00")).await);
    assert!(
        third
            .setldetail
            .iter()
            .all(|row| row.fund_payamt != money("500.00")),
        "{:?}",
        third.setldetail
    );
    let msgids: Vec<String> = rig.ledger().into_iter().map(|row| row.msgid).collect();
    for msgid in &msgids {
        done(
            rig.client
                .reverse(&rig.ids.next(), &insured(ACTIVE), msgid, "2207")
                .await,
        );
    }
    let fresh = done(rig.client.presettle(&sale(ACTIVE, "1060.00")).await);
    assert_eq!(fresh.setlinfo.hifp_pay, money("550.00"));
    assert!(
        rig.ledger()
            .iter()
            .all(|row| row.state == SettlementState::Reversed)
    );
}

#[tokio::test]
async fn a_family_account_is_one_account_whoever_uses_it() {
    let rig = Rig::start().await;
    let mut claim = claim(CHILD, "200.00");
    claim.accounts = serde_json::from_str(&format!(
        r#"{{"acct_used_flag":"1","own":{{"balc":"20.00"}},"family":[{{"psn_no":"{RETIRED}","relation":"parent","listed":true,"insuplc_admdvs":"530100","balc":"1.00"}}]}}"#
    ))
    .unwrap();
    let msgid = rig.ids.next();
    let settled = done(rig.client.settle(&msgid, &sale_of(claim)).await);
    // 123.00 to bear: 20.00 own, 103.00 from the parent, whose balance only the agency knows.
    assert_eq!(settled.setlinfo.acct_pay, money("20.00"));
    assert_eq!(settled.setlinfo.acct_mulaid_pay, money("103.00"));
    assert_eq!(settled.setlinfo.psn_cash_pay, money("0.00"));
    assert_eq!(settled.irregularities, []);
    let balance = || async {
        let parent = Credential::Card {
            card_no: "D99990001".to_owned(),
            card_sn: "53990000000000000000000000000001".to_owned(),
        };
        done(rig.client.person(&parent).await)
            .facts
            .own
            .map(|own| own.balc)
    };
    assert_eq!(balance().await, Some(money("723.40")));
    done(
        rig.client
            .reverse(&rig.ids.next(), &insured(CHILD), &msgid, "2207")
            .await,
    );
    assert_eq!(balance().await, Some(money("826.40")));
}

#[tokio::test]
async fn a_msgid_counts_once() {
    let mut rig = Rig::start().await;
    let sale = sale(ACTIVE, "100.00");
    let msgid = rig.ids.next();
    done(rig.client.settle(&msgid, &sale).await);
    assert_eq!(refused(rig.client.settle(&msgid, &sale).await), "MSGID_REPEATED");
    rig.restart().await;
    assert_eq!(refused(rig.client.settle(&msgid, &sale).await), "MSGID_REPEATED");
    assert_eq!(rig.ledger().len(), 1);

    let mut profile = Profile::built_in("plain").unwrap();
    profile.repeated_msgid_idempotent = true;
    rig.settings.profile = profile;
    rig.restart().await;
    let again = done(rig.client.settle(&msgid, &sale).await);
    assert_eq!(again.setl_id, rig.ledger()[0].setl_id);
    assert_eq!(rig.ledger().len(), 1);
}

#[tokio::test]
async fn reversals() {
    let mut rig = Rig::start().await;
    let person = insured(ACTIVE);
    let msgid = rig.ids.next();
    // Never arrived: refused, and should it arrive late, refused as well, even after a restart.
    assert_eq!(
        refused(rig.client.reverse(&rig.ids.next(), &person, &msgid, "2207").await),
        "ORIGINAL_NOT_FOUND"
    );
    assert_eq!(
        refused(rig.client.settle(&msgid, &sale(ACTIVE, "50.00")).await),
        "MSGID_REVERSED"
    );
    rig.restart().await;
    assert_eq!(
        refused(rig.client.settle(&msgid, &sale(ACTIVE, "50.00")).await),
        "MSGID_REVERSED"
    );
    assert_eq!(
        refused(rig.client.reverse(&rig.ids.next(), &person, &msgid, "2207").await),
        "ALREADY_REVERSED"
    );

    let msgid = rig.ids.next();
    let settled = done(rig.client.settle(&msgid, &sale(ACTIVE, "50.00")).await);
    assert_eq!(
        refused(
            rig.client
                .reverse(&rig.ids.next(), &insured(CHILD), &msgid, "2207")
                .await
        ),
        "ORIGINAL_OF_ANOTHER"
    );
    assert_eq!(
        not_sent(rig.client.reverse(&rig.ids.next(), &person, &msgid, "1101").await).code(),
        "REQUEST_INVALID"
    );
    done(rig.client.reverse(&rig.ids.next(), &person, &msgid, "2207").await);
    assert_eq!(
        refused(rig.client.reverse(&rig.ids.next(), &person, &msgid, "2207").await),
        "ALREADY_REVERSED"
    );
    let request = CancelRequest {
        insured: person.clone(),
        setl_id: settled.setl_id,
        mdtrt_id: settled.mdtrt_id,
        transactions: OUTPATIENT,
    };
    assert_eq!(
        refused(rig.client.cancel(&rig.ids.next(), &request).await),
        "ALREADY_REVERSED"
    );

    // A cancellation in doubt can be reversed: the settlement stands again.
    let settled = done(rig.client.settle(&rig.ids.next(), &sale(ACTIVE, "70.00")).await);
    let request = CancelRequest {
        insured: person.clone(),
        setl_id: settled.setl_id,
        mdtrt_id: settled.mdtrt_id,
        transactions: OUTPATIENT,
    };
    let cancel = rig.ids.next();
    done(rig.client.cancel(&cancel, &request).await);
    done(
        rig.client
            .reverse(&rig.ids.next(), &person, &cancel, "2208")
            .await,
    );
    let states: Vec<SettlementState> = rig.ledger().iter().map(|row| row.state).collect();
    assert_eq!(states, [SettlementState::Reversed, SettlementState::Settled]);
    let nobody = CancelRequest {
        insured: person,
        setl_id: "S".to_owned(),
        mdtrt_id: "M".to_owned(),
        transactions: OUTPATIENT,
    };
    assert_eq!(
        refused(rig.client.cancel(&rig.ids.next(), &nobody).await),
        "SETTLEMENT_NOT_FOUND"
    );
}

#[tokio::test]
async fn refusals_name_their_reason() {
    let rig = Rig::start().await;
    let client = &rig.client;
    assert_eq!(
        refused(client.presettle(&sale("539900000000000000009999", "10.00")).await),
        "PERSON_UNKNOWN"
    );
    assert_eq!(
        refused(client.presettle(&sale("539900000000000000000007", "10.00")).await),
        "NOT_INSURED"
    );
    assert_eq!(
        refused(client.presettle(&sale("539900000000000000000008", "10.00")).await),
        "WAITING_PERIOD"
    );
    let mut foreign = sale(ACTIVE, "10.00");
    foreign.credential = Credential::Card {
        card_no: "D99990001".to_owned(),
        card_sn: "X".to_owned(),
    };
    assert_eq!(refused(client.presettle(&foreign).await), "CREDENTIAL_OF_ANOTHER");
    let card = |sn: &str| Credential::Card {
        card_no: "D99990001".to_owned(),
        card_sn: sn.to_owned(),
    };
    assert_eq!(
        refused(client.person(&card("53990000000000000000000000000099")).await),
        "CARD_SN_OTHER"
    );
    assert_eq!(
        refused(
            client
                .person(&Credential::IdNumber {
                    certno: "0".to_owned()
                })
                .await
        ),
        "PERSON_UNKNOWN"
    );
    let Answer::Refused(stale_code) = client.decode_code("0000000000000000000000000000").await else {
        panic!()
    };
    assert_eq!(stale_code.infcode, 500_049);

    // What is not fit to be sent is not sent.
    let mut blank = sale(ACTIVE, "10.00");
    blank.invono.clear();
    assert_eq!(
        not_sent(client.settle(&rig.ids.next(), &blank).await).to_string(),
        "the request is not fit to be sent: invono: missing"
    );
    assert_eq!(
        not_sent(
            client
                .person(&Credential::Token {
                    ec_token: String::new()
                })
                .await
        )
        .code(),
        "REQUEST_INVALID"
    );
    assert!(rig.ledger().is_empty());
}

#[tokio::test]
async fn a_suspended_person_is_settled_without_fund() {
    let rig = Rig::start().await;
    let settled = done(
        rig.client
            .settle(&rig.ids.next(), &sale("539900000000000000000004", "100.00"))
            .await,
    );
    assert_eq!(settled.setlinfo.fund_pay_sumamt, Money::ZERO);
    assert_eq!(settled.setlinfo.psn_cash_pay, money("100.00"));
}

#[tokio::test]
async fn goods_that_are_not_medical_are_in_none_of_the_sums() {
    let rig = Rig::start().await;
    let mut claim = claim(ACTIVE, "160.00");
    let mut food = claim.lines[0].clone();
    food.feedetl_sn = "2".into();
    food.goods = yijie_rules::Goods::Food;
    claim.lines.push(food);
    let settled = done(rig.client.settle(&rig.ids.next(), &sale_of(claim)).await);
    assert_eq!(settled.setlinfo.medfee_sumamt, money("160.00"));
    assert_eq!(settled.setlinfo.hifp_pay, money("55.00"));
}
