//! What the terminal and the agency call beside the split: standing, codes, packs, explanations.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use yijie_rules::{
    Cause, Claim, Code, CodeKind, Grade, Lang, Money, OfflineMode, Options, Outcome, Packs, Period, SetlInfo,
    check_person, codes, split,
};

fn claim() -> Claim {
    Claim::from_json(include_bytes!("example/ordinary-retired-level2.claim.json")).unwrap()
}

#[test]
fn standing_is_known_before_the_first_line() {
    let packs = Packs::builtin();
    let Claim {
        mut person,
        mut institution,
        mut visit,
        ..
    } = claim();
    assert_eq!(check_person(&packs, &person, &institution, &visit), Ok(vec![]));
    visit.cause = Cause::ThirdParty;
    person.network_settlement_suspended = Some(Period::default());
    let notes = check_person(&packs, &person, &institution, &visit).unwrap();
    assert_eq!(
        notes.iter().map(|note| note.code).collect::<Vec<_>>(),
        [Code::AdvancePayment, Code::CauseNotPayable]
    );
    person.psn_insu_stas = Some("4".into());
    assert_eq!(
        check_person(&packs, &person, &institution, &visit)
            .unwrap_err()
            .code(),
        "NOT_INSURED"
    );
    institution.fund_settlement_suspended = Some(Period::default());
    assert_eq!(
        check_person(&packs, &person, &institution, &visit)
            .unwrap_err()
            .code(),
        "INSTITUTION_SUSPENDED"
    );
    person.insutype = "390".into();
    assert_eq!(
        check_person(&Packs::default(), &person, &institution, &visit)
            .unwrap_err()
            .code(),
        "NO_PACK"
    );
}

#[test]
fn every_code_has_its_words_in_both_languages() {
    let mut seen = Vec::new();
    for code in codes() {
        for lang in [Lang::Zh, Lang::En] {
            assert!(
                !code.text(lang).is_empty() && !code.advice(lang).is_empty(),
                "{}",
                code.code
            );
        }
        assert!(
            code.code
                .as_str()
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        );
        assert_eq!(
            serde_json::to_string(&code.code).unwrap(),
            format!("\"{}\"", code.code)
        );
        assert!(!seen.contains(&code.code), "{} twice", code.code);
        seen.push(code.code);
    }
    let kind = |wanted: Code| codes().iter().find(|code| code.code == wanted).unwrap().kind;
    assert_eq!(kind(Code::GoodsNotMedical), CodeKind::Excluded);
    assert_eq!(kind(Code::FamilyNotListed), CodeKind::Note);
    assert_eq!(kind(Code::NoPack), CodeKind::Refusal);
}

#[test]
fn the_kunming_pack_says_what_it_rests_on() {
    let packs = Packs::builtin();
    let pack = packs.choose(&claim()).unwrap();
    assert_eq!(pack.id(), "kunming-employee");
    assert_eq!(pack.benefit_title("chronic"), Some("门诊慢性病"));
    let offline = pack.offline();
    assert_eq!(offline.mode, OfflineMode::Carry);
    assert_eq!(offline.fund_per_sale_max.to_string(), "1000.00");
    assert_eq!(offline.fund_per_person_max.to_string(), "3000.00");
    assert_eq!(offline.fund_per_outage_max.to_string(), "2000000.00");
    assert_eq!((offline.snapshot_age_h_max, offline.settle_within_h), (168, 72));
    assert_eq!(offline.account_share.to_string(), "1.00");
    assert_eq!(offline.grade, Grade::Sandbox);
    let list = packs.list();
    let summary = list.first().unwrap();
    assert_eq!(
        summary.grades,
        [Grade::Regulation, Grade::Official, Grade::Reported]
    );
    assert!(summary.missing.is_empty());
    for reading in pack.readings() {
        assert!(
            reading.question.starts_with("Q-") && !reading.because.is_empty(),
            "{}",
            reading.name
        );
    }
}

#[test]
fn a_pack_is_used_by_name_only_on_its_days() {
    let packs = Packs::builtin();
    let mut claim = claim();
    claim.person.insuplc_admdvs = Some("110100".into());
    let by_name = Options {
        pack: Some("kunming-employee".to_owned()),
        ..Options::default()
    };
    assert!(split(&packs, &claim, &by_name).settled().is_some());
    let unknown = Options {
        pack: Some("nowhere".to_owned()),
        ..Options::default()
    };
    for (options, begntime) in [(&unknown, "2026-03-01"), (&by_name, "2022-03-31")] {
        claim.visit.begntime = yijie_rules::Stamp::parse(begntime).unwrap();
        let Outcome::Refused(refused) = split(&packs, &claim, options) else {
            unreachable!("settled")
        };
        assert_eq!(refused.code(), "NO_PACK");
    }
}

#[test]
fn an_explanation_has_every_amount_and_article_in_both_languages() {
    for (lang, words) in [
        (Lang::Zh, ["现金", "起付标准", "级"]),
        (Lang::En, ["cash", "deductible", "level"]),
    ] {
        let outcome = split(
            &Packs::builtin(),
            &claim(),
            &Options {
                lang,
                ..Options::default()
            },
        );
        let settlement = outcome.settled().unwrap();
        let text = settlement.explain(lang);
        for word in words {
            assert!(text.contains(word), "{word} is not in\n{text}");
        }
        for step in &settlement.trace {
            assert!(
                text.contains(step.article.as_str()) && text.contains(&step.amount.to_string()),
                "{text}"
            );
        }
    }
    let quiet = split(
        &Packs::builtin(),
        &claim(),
        &Options {
            trace: false,
            ..Options::default()
        },
    );
    assert!(quiet.settled().unwrap().trace.is_empty());
}

#[test]
fn a_result_whose_sums_do_not_hold_is_not_read() {
    let text = include_str!("example/ordinary-retired-level2.result.json");
    assert!(Outcome::from_json(text.as_bytes()).is_ok());
    for (old, new) in [
        ("\"hifp_pay\": \"141.00\"", "\"hifp_pay\": \"141.01\""),
        ("\"psn_cash_pay\": \"59.00\"", "\"psn_cash_pay\": \"58.99\""),
        ("\"inscp_scp_amt\": \"295.00\"", "\"inscp_scp_amt\": \"294.00\""),
        ("\"fund_payamt\": \"141.00\"", "\"fund_payamt\": \"140.00\""),
        (
            "\"preselfpay_amt\": \"5.00\", \"inscp_scp_amt\": \"95.00\"",
            "\"preselfpay_amt\": \"6.00\", \"inscp_scp_amt\": \"94.00\"",
        ),
        ("\"balc\": \"0.00\"", "\"balc\": \"-0.01\""),
        ("\"excluded\": []", "\"exclude\": []"),
    ] {
        assert!(text.contains(old), "{old}");
        assert!(
            Outcome::from_json(text.replacen(old, new, 1).as_bytes()).is_err(),
            "{new} was read"
        );
    }
    let broken = SetlInfo {
        medfee_sumamt: Money::from_fen(1),
        ..SetlInfo::default()
    };
    assert_eq!(broken.check().unwrap_err().code(), "SUM_BROKEN");
}

#[test]
fn no_personal_data_in_debug() {
    let mut claim = claim();
    claim.accounts.family = vec![yijie_rules::FamilyAccount {
        psn_no: "FAMILYSECRET".into(),
        relation: None,
        listed: true,
        insuplc_admdvs: None,
        balc: Money::ZERO,
    }];
    claim.visit.dise_codg = Some("DISEASESECRET".into());
    let number = claim.person.psn_no.clone();
    let outcome = split(&Packs::builtin(), &claim, &Options::default());
    let shown = format!(
        "{claim:?} {:?} {:?} {:?} {outcome:?}",
        claim.person, claim.accounts, claim.visit
    );
    for secret in [number.as_str(), "FAMILYSECRET", "DISEASESECRET"] {
        assert!(!shown.contains(secret), "{secret} is in {shown}");
    }
}
