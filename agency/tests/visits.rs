//! A hospital's visit step by step, a stay, trace codes and questions; the sandbox as strict as the platform.

mod common;

use common::*;
use yijie_agency::{
    Answer, BenefitQuestion, CancelRequest, Cause, DiseaseQuestion, GoodsReturned, GoodsSold, INPATIENT,
    OUTPATIENT, PersonTimeQuestion, Profile, SaleRequest, SettlementState, SoldCode, StayCancel,
    UsedQuestion, VisitQuestion,
};

fn code(serial: u32) -> String {
    format!("8123456{serial:013}")
}

#[tokio::test]
async fn what_a_trial_opened_a_settlement_goes_on_with_and_another_bill_does_not() {
    let rig = Rig::start().await;
    let visits = || {
        let ledger = std::fs::read_to_string(rig.settings.data.join("ledger.jsonl")).unwrap();
        let opened = ledger
            .lines()
            .filter(|line| line.contains("\"kind\":\"visit\"") && line.contains("\"described\":false"));
        opened.count()
    };
    let first = sale(ACTIVE, "100.00");
    let trial = done(rig.client.presettle(&first).await);
    let settled = done(rig.client.settle(&rig.ids.next(), &first).await);
    assert_eq!(settled.mdtrt_id, trial.mdtrt_id);
    assert_eq!(visits(), 1);
    // Another bill clears the visit that is open and goes on in it.
    let trial = done(rig.client.presettle(&first).await);
    let other = sale(ACTIVE, "70.00");
    let settled = done(rig.client.settle(&rig.ids.next(), &other).await);
    assert_eq!((settled.mdtrt_id, visits()), (trial.mdtrt_id, 2));
    assert_eq!(settled.setlinfo.medfee_sumamt.to_string(), "70.00");
}

#[tokio::test]
async fn a_trial_gone_stale_is_refused_and_nothing_is_settled() {
    let rig = Rig::start().await;
    let bill = sale(ACTIVE, "9000.00");
    done(rig.client.presettle(&bill).await);
    // Another till of the institution uses the same person's account meanwhile.
    let elsewhere = yijie_agency::Client::new(rig.client.settings().clone()).unwrap();
    done(elsewhere.settle(&rig.ids.next(), &sale(ACTIVE, "8000.00")).await);
    assert_eq!(
        refused(rig.client.settle(&rig.ids.next(), &bill).await),
        "TRIAL_STALE"
    );
    assert_eq!(rig.ledger().len(), 1);
    done(rig.client.settle(&rig.ids.next(), &bill).await);
}

/// A step before 2207 without an answer: no money has moved, and the sale can go again under the same msgid.
#[tokio::test]
async fn a_step_that_is_lost_settles_nothing() {
    let rig = Rig::start().await;
    for step in ["2201", "2203", "2204", "2206"] {
        for what in ["bad_gateway_after_commit", "close", "html"] {
            rig.faults(&format!(
                "[[fault]]\non = \"{step}\"\nwhat = \"{what}\"\ntimes = 1\n"
            ));
            let msgid = rig.ids.next();
            let bill = sale(ACTIVE, "10.00");
            let cause = not_sent(rig.client.settle(&msgid, &bill).await);
            assert!(
                !matches!(cause, Cause::RequestInvalid { .. }),
                "{step} {what}: {cause:?}"
            );
            let held = rig.ledger().len();
            assert_eq!(
                done(rig.client.find_settlement(&insured(ACTIVE), &msgid).await),
                None
            );
            done(rig.client.settle(&msgid, &bill).await);
            assert_eq!(rig.ledger().len(), held + 1, "{step} {what}");
        }
    }
}

#[tokio::test]
async fn a_stay_is_admitted_discharged_settled_and_cancelled() {
    let rig = Rig::start().await;
    let mut claim = claim(ACTIVE, "3000.00");
    claim.visit.med_type = "21".into();
    let bill = sale_of(claim);
    assert_eq!(rig.client.transactions_of(&bill.claim), INPATIENT);
    let msgid = rig.ids.next();
    let settled = done(rig.client.settle(&msgid, &bill).await);
    assert_eq!(settled.clr_type, "21");
    let cancel = |transactions| CancelRequest {
        insured: insured(ACTIVE),
        setl_id: settled.setl_id.clone(),
        mdtrt_id: settled.mdtrt_id.clone(),
        transactions,
    };
    let wrong = rig.client.cancel(&rig.ids.next(), &cancel(OUTPATIENT)).await;
    assert_eq!(refused(wrong), "TRANSACTION_OTHER");
    let reversal = rig
        .client
        .reverse(&rig.ids.next(), &insured(ACTIVE), &msgid, "2207")
        .await;
    assert_eq!(refused(reversal), "TRANSACTION_OTHER");
    let place = "530100";
    let stay = StayCancel {
        mdtrt_id: settled.mdtrt_id.clone(),
        psn_no: ACTIVE.to_owned(),
    };
    assert_eq!(
        refused(rig.client.cancel_discharge(place, stay.clone()).await),
        "VISIT_SETTLED"
    );
    done(rig.client.cancel(&rig.ids.next(), &cancel(INPATIENT)).await);
    assert_eq!(rig.ledger()[0].state, SettlementState::Reversed);
    assert_eq!(
        refused(rig.client.cancel_admission(place, stay).await),
        "VISIT_SETTLED"
    );
}

#[tokio::test]
async fn a_pack_is_sold_once() {
    let rig = Rig::start().await;
    let settled = done(
        rig.client
            .settle(&rig.ids.next(), &pharmacy_sale(ACTIVE, "30.00"))
            .await,
    );
    let sold = |setl_id: &str| GoodsSold {
        med_list_codg: "XA0000001".to_owned(),
        fixmedins_hilist_id: "1".to_owned(),
        fixmedins_hilist_name: "甲类药".to_owned(),
        fixmedins_bchno: "B1".to_owned(),
        phar_name: "示例".to_owned(),
        phar_prac_cert_no: "Y1".to_owned(),
        mdtrt_sn: "1".to_owned(),
        manu_lotnum: "L1".to_owned(),
        manu_date: "2026-01-01".to_owned(),
        expy_end: "2028-01-01".to_owned(),
        rx_flag: "0".to_owned(),
        trdn_flag: "0".to_owned(),
        rx_circ_flag: "0".to_owned(),
        rtal_docno: "R1".to_owned(),
        sel_retn_cnt: "1".to_owned(),
        sel_retn_time: "2026-03-01 09:30:00".to_owned(),
        sel_retn_opter_name: "示例收款员".to_owned(),
        psn_no: ACTIVE.to_owned(),
        setl_id: setl_id.to_owned(),
        mdtrt_setl_type: "1".to_owned(),
        ..GoodsSold::default()
    };
    let place = "530100";
    let sell = |setl_id: String, serial: u32| {
        let (client, ids, row) = (rig.client.clone(), rig.ids.clone(), sold(&setl_id));
        async move { client.goods_sold(&ids.next(), place, row, &[code(serial)]).await }
    };
    done(sell(settled.setl_id.clone(), 1).await);
    assert_eq!(
        refused(sell("S-NOWHERE".to_owned(), 2).await),
        "SETTLEMENT_NOT_FOUND"
    );
    let again = done(
        rig.client
            .settle(&rig.ids.next(), &pharmacy_sale(ACTIVE, "30.00"))
            .await,
    );
    let Answer::Refused(used) = sell(again.setl_id.clone(), 1).await else {
        unreachable!("a pack sold twice")
    };
    assert_eq!((used.infcode, used.reason()), (0, Some("TRACE_CODE_USED")));
    let returned_of = |setl_id: &str| GoodsReturned {
        med_list_codg: "XA0000001".to_owned(),
        fixmedins_hilist_id: "1".to_owned(),
        fixmedins_hilist_name: "甲类药".to_owned(),
        fixmedins_bchno: "B1".to_owned(),
        manu_lotnum: "L1".to_owned(),
        manu_date: "2026-01-01".to_owned(),
        expy_end: "2028-01-01".to_owned(),
        rx_flag: "0".to_owned(),
        trdn_flag: "0".to_owned(),
        sel_retn_cnt: "1".to_owned(),
        sel_retn_time: "2026-03-01 09:30:00".to_owned(),
        sel_retn_opter_name: "示例收款员".to_owned(),
        setl_id: setl_id.to_owned(),
        ..GoodsReturned::default()
    };
    let returned = returned_of(&settled.setl_id);
    let back = rig
        .client
        .goods_returned(&rig.ids.next(), place, returned.clone(), &[code(1)])
        .await;
    done(back);
    let back = rig
        .client
        .goods_returned(&rig.ids.next(), place, returned, &[code(1)])
        .await;
    assert_eq!(refused(back), "TRACE_CODE_NOT_SOLD");
    done(sell(again.setl_id.clone(), 1).await);

    // Hubei wants the codes with the settlement.
    let rig = Rig::under("hubei").await;
    let mut bill = sale(ACTIVE, "10.00");
    bill.traces = vec![SoldCode {
        feedetl_sn: "1".to_owned(),
        code: code(7),
        split: false,
        ..SoldCode::default()
    }];
    let msgid = rig.ids.next();
    let settled = done(rig.client.settle(&msgid, &bill).await);
    assert_eq!(
        refused(rig.client.settle(&rig.ids.next(), &bill).await),
        "TRACE_CODE_USED"
    );
    // 3505 tells of them once more, and no more than once.
    let tell = || {
        let (client, ids, row) = (rig.client.clone(), rig.ids.clone(), sold(&settled.setl_id));
        async move { client.goods_sold(&ids.next(), place, row, &[code(7)]).await }
    };
    done(tell().await);
    assert!(matches!(tell().await, Answer::Refused(no) if no.reason() == Some("TRACE_CODE_USED")));
    let back = rig
        .client
        .goods_returned(&rig.ids.next(), place, returned_of(&settled.setl_id), &[code(7)])
        .await;
    done(back);
    done(
        rig.client
            .reverse(&rig.ids.next(), &insured(ACTIVE), &msgid, "2207")
            .await,
    );
    done(rig.client.settle(&rig.ids.next(), &bill).await);
}

#[tokio::test]
async fn what_is_asked_is_answered_under_every_profile() {
    for name in Profile::names() {
        let rig = Rig::under(name).await;
        let settled = done(rig.client.settle(&rig.ids.next(), &sale(ACTIVE, "1000.00")).await);
        let (client, place, psn_no) = (&rig.client, "530100", ACTIVE.to_owned());
        let benefit = BenefitQuestion {
            psn_no: psn_no.clone(),
            insutype: "310".to_owned(),
            fixmedins_code: INSTITUTION.to_owned(),
            med_type: "11".to_owned(),
            begntime: "2026-03-01 09:30:00".to_owned(),
            ..BenefitQuestion::default()
        };
        let rows = done(client.benefits(place, benefit.clone()).await);
        assert!(
            rows[0].contains(&("trt_enjymnt_flag".to_owned(), "1".to_owned())),
            "{name}: {rows:?}"
        );
        let asked = PersonTimeQuestion {
            psn_no: psn_no.clone(),
            ..PersonTimeQuestion::default()
        };
        let visit = VisitQuestion {
            psn_no: psn_no.clone(),
            setl_id: settled.setl_id.clone(),
            mdtrt_id: settled.mdtrt_id.clone(),
        };
        let visits = done(client.visits(place, asked.clone()).await);
        assert!(
            visits[0].contains(&("mdtrt_id".to_owned(), settled.mdtrt_id.clone())),
            "{name}"
        );
        assert_eq!(
            done(client.fee_details(place, visit.clone()).await).len(),
            1,
            "{name}"
        );
        assert!(done(client.diagnoses(place, visit).await).is_empty());
        assert!(done(client.chronic_drugs(place, asked).await).is_empty());
        let used = UsedQuestion {
            psn_no: psn_no.clone(),
            cum_ym: String::new(),
        };
        assert!(!done(client.used(place, used).await).is_empty(), "{name}");
        let chronic = DiseaseQuestion {
            psn_no: "539900000000000000000010".to_owned(),
        };
        assert_eq!(
            done(client.registered_diseases(place, chronic).await).len(),
            1,
            "{name}"
        );
        assert_eq!(
            refused(client.withdraw_clearing("C1").await),
            "CLEARING_NOT_FOUND"
        );
        let empty = BenefitQuestion {
            med_type: String::new(),
            ..benefit
        };
        assert_eq!(
            not_sent(client.benefits(place, empty).await).code(),
            "REQUEST_INVALID"
        );
    }
}

#[tokio::test]
async fn a_province_that_audits_tells_what_it_finds_before_and_after_the_trial() {
    let rig = Rig::under("guangdong").await;
    let mut bill = pharmacy_sale(ACTIVE, "120.00");
    let trial = done(rig.client.presettle(&bill).await);
    assert_eq!(rig.client.audit(&bill, None).await, []);
    assert_eq!(rig.client.audit(&bill, Some(&trial.setlinfo)).await, []);
    let mut again = bill.claim.lines[0].clone();
    again.feedetl_sn = "2".into();
    bill.claim.lines.push(again);
    for found in [
        rig.client.audit(&bill, None).await,
        rig.client.audit(&bill, Some(&trial.setlinfo)).await,
    ] {
        let rules: Vec<&str> = found.iter().map(|finding| finding.rule.as_str()).collect();
        assert_eq!(rules, ["重复开药"]);
        assert!(found[0].says.contains("甲类药") && !format!("{found:?}").contains("甲类药"));
    }
    // Silence stops nobody; a province without an audit is not asked.
    rig.faults("[[fault]]\non = \"3101\"\nwhat = \"html\"\n");
    assert_eq!(rig.client.audit(&bill, None).await, []);
    let plain = Rig::start().await;
    plain.faults("[[fault]]\non = \"3101\"\nwhat = \"close\"\n");
    assert_eq!(plain.client.audit(&bill, None).await, []);
}

/// A bill of as many lines, each of 2.00 and with all a window knows of one.
fn long_bill(mut bill: SaleRequest, lines: usize) -> SaleRequest {
    let line = yijie_rules::Line {
        med_list_codg: Some("XA10BAD012A001010104020".into()),
        name: Some("盐酸二甲双胍缓释片（示例药业股份有限公司）".into()),
        chrgitm_lv: yijie_rules::ItemClass::B,
        selfpay_prop: yijie_rules::Ratio::parse("0.0500").ok(),
        pric_uplmt_amt: yijie_rules::UnitPrice::parse("1234.5678").ok(),
        cash_pric: yijie_rules::UnitPrice::parse("1234.5678").ok(),
        hi_nego_drug_flag: Some(yijie_rules::Flag::No),
        for_diseases: Some(vec!["M00500".into(), "M03900".into()]),
        ..bill.claim.lines.remove(0)
    };
    let numbered = (1..=lines).map(|nth| yijie_rules::Line {
        feedetl_sn: nth.to_string().into(),
        ..line.clone()
    });
    bill.claim.lines.extend(numbered);
    bill
}

#[tokio::test]
async fn a_long_bill_goes_in_several_calls() {
    let rig = Rig::start().await;
    for (bill, fits) in [(sale(ACTIVE, "2.00"), 90), (pharmacy_sale(ACTIVE, "2.00"), 60)] {
        let settled = done(
            rig.client
                .settle(&rig.ids.next(), &long_bill(bill.clone(), fits))
                .await,
        );
        assert_eq!(
            settled.setlinfo.medfee_sumamt.to_string(),
            format!("{}.00", fits * 2)
        );
    }
}
