//! Every province's profile, end to end: the same day under each, and nobody comes in who speaks another's.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use common::*;
use yijie_agency::{
    Answer, CancelRequest, Cause, Client, ClientSettings, Credential, OUTPATIENT, Operator, Profile,
    SettlementState, StatementTotals, StatementVerdict,
};
use yijie_rules::Money;

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

#[tokio::test]
async fn a_day_under_every_profile() {
    for name in Profile::names() {
        let mut rig = Rig::under(name).await;
        let operator = Operator {
            id: "0001".to_owned(),
            name: "示例收款员".to_owned(),
            kind: "1".to_owned(),
        };
        done(rig.client.sign_in(operator, "", "127.0.0.1").await);
        let record = done(
            rig.client
                .person(&Credential::Card {
                    card_no: "D99990009".to_owned(),
                    card_sn: "53990000000000000000000000000009".to_owned(),
                })
                .await,
        );
        assert_eq!(record.baseinfo.psn_no, CHILD, "{name}");
        done(rig.client.lost_cards().await);

        // 200.00: the fund, the own account and a relative's, so that every way to write the sums shows.
        let mut claim = claim(CHILD, "200.00");
        claim.accounts = serde_json::from_str(&format!(
            r#"{{"acct_used_flag":"1","own":{{"balc":"20.00"}},"family":[{{"psn_no":"{RETIRED}","relation":"parent","listed":true,"insuplc_admdvs":"530100","balc":"1.00"}}]}}"#
        ))
        .unwrap();
        let sale = sale_of(claim);
        let trial = done(rig.client.presettle(&sale).await);
        let msgid = rig.ids.next();
        let settled = done(rig.client.settle(&msgid, &sale).await);
        let check = |reply: &yijie_agency::SettledReply| {
            assert_eq!(reply.irregularities, [], "{name}");
            assert_eq!(reply.setlinfo.acct_pay, money("20.00"), "{name}");
            assert_eq!(reply.setlinfo.acct_mulaid_pay, money("103.00"), "{name}");
            assert_eq!(reply.setlinfo.psn_cash_pay, money("0.00"), "{name}");
            assert_eq!(reply.setlinfo.fund_pay_sumamt, money("77.00"), "{name}");
        };
        check(&trial);
        check(&settled);
        let found = done(rig.client.find_settlement(&insured(CHILD), &msgid).await).unwrap();
        assert_eq!(found.setl_id, settled.setl_id);
        assert_eq!(found.setlinfo.acct_pay, money("20.00"), "{name}");
        assert_eq!(found.setlinfo.fund_pay_sumamt, money("77.00"), "{name}");

        let totals = StatementTotals {
            insutype: "310".to_owned(),
            clr_type: settled.clr_type.clone(),
            setl_optins: settled.clr_optins.clone(),
            begndate: settled.setl_time[..10].to_owned(),
            enddate: settled.setl_time[..10].to_owned(),
            medfee_sumamt: money("200.00"),
            fund_pay_sumamt: money("77.00"),
            acct_pay: money("20.00"),
            setl_count: 1,
        };
        let statement = done(rig.client.statement_total(&totals).await);
        assert_eq!(statement.verdict, StatementVerdict::Balanced, "{name}");

        let cancelled = done(
            rig.client
                .cancel(
                    &rig.ids.next(),
                    &CancelRequest {
                        insured: insured(CHILD),
                        setl_id: settled.setl_id.clone(),
                        mdtrt_id: settled.mdtrt_id.clone(),
                        transactions: OUTPATIENT,
                    },
                )
                .await,
        );
        assert_eq!(cancelled.setlinfo.medfee_sumamt, money("200.00"), "{name}");
        let again = rig.ids.next();
        done(rig.client.settle(&again, &sale).await);
        let number = rig.client.transactions_of(&sale.claim).settle;
        done(
            rig.client
                .reverse(&rig.ids.next(), &insured(CHILD), &again, number)
                .await,
        );
        let states: Vec<SettlementState> = rig.ledger().iter().map(|row| row.state).collect();
        assert_eq!(states, [SettlementState::Reversed, SettlementState::Reversed]);

        let ticket = done(rig.client.upload_file("a.zip", b"PK").await);
        assert_eq!(
            done(rig.client.download_file(&ticket.file_qury_no, "a.zip").await),
            b"PK"
        );
        done(rig.client.sign_out().await);

        // The token of the gateway that was does not open the one that is: asked for anew, unless money moves.
        rig.restart().await;
        done(rig.client.lost_cards().await);
    }
}

#[tokio::test]
async fn a_terminal_of_another_profile_settles_nothing() {
    for agency in Profile::names() {
        let rig = Rig::under(agency).await;
        for terminal in Profile::names().filter(|terminal| *terminal != agency) {
            let (url, tls) = {
                let sandbox = rig.sandbox.as_ref().unwrap();
                (sandbox.url(), sandbox.tls_dir())
            };
            let client = Client::new(ClientSettings {
                profile: Profile::built_in(terminal).unwrap(),
                ..client_settings(&url, &tls, &rig.ids)
            })
            .unwrap();
            let answer = client.settle(&rig.ids.next(), &sale(ACTIVE, "10.00")).await;
            assert!(
                !matches!(answer, Answer::Done(_)),
                "{terminal} at {agency}: {answer:?}"
            );
        }
        assert!(rig.ledger().is_empty(), "{agency}");
    }
}

/// The sandbox forgets its tokens with a restart at the same address: the terminal's is then refused.
#[tokio::test]
async fn a_token_no_longer_taken_is_renewed_for_a_question_and_leaves_money_in_doubt() {
    let mut rig = Rig::under("jilin").await;
    done(rig.client.lost_cards().await);
    let client = rig.client.clone();
    let sandbox = rig.sandbox.take().unwrap();
    rig.settings.listen = sandbox.address();
    sandbox.stop().await;
    rig.restart().await;
    let answer = client
        .settle(&rig.ids.next(), &pharmacy_sale(ACTIVE, "10.00"))
        .await;
    assert_eq!(unknown(answer), Cause::HttpStatus { status: 401 });
    done(client.lost_cards().await);
    assert!(rig.ledger().is_empty());
}

/// Where every message wants the number of a sign-in, whoever works without a window has one too, and one for all.
#[tokio::test]
async fn a_province_that_wants_a_sign_in_gets_one() {
    let rig = Rig::under("jilin").await;
    let signed_in = || {
        let ledger = std::fs::read_to_string(rig.settings.data.join("ledger.jsonl")).unwrap();
        ledger.matches("\"signed_in\"").count()
    };
    let (one, other) = (sale(ACTIVE, "10.00"), sale(RETIRED, "20.00"));
    let (first, second) = (rig.ids.next(), rig.ids.next());
    let (first, second) = tokio::join!(
        rig.client.settle(&first, &one),
        rig.client.settle(&second, &other)
    );
    assert_eq!((first.done().is_some(), second.done().is_some()), (true, true));
    assert_eq!((rig.ledger().len(), signed_in()), (2, 1));
    // Signed out, and on.
    done(rig.client.sign_out().await);
    done(rig.client.lost_cards().await);
    done(rig.client.settle(&rig.ids.next(), &sale(ACTIVE, "30.00")).await);
    assert_eq!((rig.ledger().len(), signed_in()), (3, 2));
    // Nobody can sign in: nothing is settled, nothing refused, and nothing in doubt.
    done(rig.client.sign_out().await);
    for (what, cause) in [("close", Cause::Reset), ("system_error", Cause::SignedOff)] {
        rig.faults(&format!(
            "[[fault]]\non = \"9001\"\nwhat = \"{what}\"\ntimes = 9\n"
        ));
        let answer = rig.client.settle(&rig.ids.next(), &sale(ACTIVE, "40.00")).await;
        assert_eq!(answer, Answer::NotSent(cause));
    }
    // One is granted for another day, the agency's clock being a day ahead meanwhile.
    rig.faults("[[fault]]\non = \"9001\"\nwhat = \"wrong_clock\"\nseconds = 86400\ntimes = 9\n");
    let answer = rig.client.settle(&rig.ids.next(), &sale(ACTIVE, "50.00")).await;
    assert_eq!(answer, Answer::NotSent(Cause::SignedOff));
    assert_eq!(rig.ledger().len(), 3);
}
