//! `yijie sell`, `queue` and `reverse` against a sandbox agency over real TLS.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong here fails the test"
)]

mod common;

use common::{Seller, Shop, fault, finish_fed, person, sale, text};
use serde_json::{Value, json};

/// More questions than any pause of the terminal outlasts.
const QUESTIONS_MAX: u32 = 400;

#[test]
fn a_sale_is_settled_and_the_same_id_again_gives_the_same_line() {
    let shop = Shop::open();
    let first = sale("till-1/000001", &person(1), "200.00");
    let told = shop.try_sell(&[], &text(std::slice::from_ref(&first))).exit(0);
    assert_eq!(told.err, "");
    let answer = &told.lines()[0];
    assert_eq!(answer["sale"], "till-1/000001");
    assert_eq!(answer["state"], "settled");
    // (200.00 − 60.00) × 60 % = 84.00, the rest from the account.
    for (field, amount) in [
        ("medfee_sumamt", "200.00"),
        ("act_pay_dedc", "60.00"),
        ("hifp_pay", "84.00"),
        ("fund_pay_sumamt", "84.00"),
        ("acct_pay", "116.00"),
        ("psn_cash_pay", "0.00"),
        ("balc", "884.00"),
    ] {
        assert_eq!(answer["setlinfo"][field], amount, "{field}");
    }
    let ledger = shop.agency.ledger();
    assert_eq!(ledger.len(), 1);
    for (row, told) in [
        ("msgid", &answer["msgid"]),
        ("setl_id", &answer["setl_id"]),
        ("medfee_sumamt", &answer["setlinfo"]["medfee_sumamt"]),
        ("fund_pay_sumamt", &answer["setlinfo"]["fund_pay_sumamt"]),
        ("acct_pay", &answer["setlinfo"]["acct_pay"]),
        ("psn_no", &json!(person(1))),
        ("state", &json!("settled")),
    ] {
        assert_eq!(&ledger[0][row], told, "{row}");
    }
    let journal = shop.journal();
    // In the same run, in another run, offline, and with another claim under the same id.
    let other = sale("till-1/000001", &person(2), "999.00");
    let again = shop
        .try_sell(&[], &text(&[first.clone(), first.clone(), other]))
        .exit(0);
    assert_eq!(again.out, told.out.repeat(3));
    let offline = shop.try_sell(&["--offline"], &text(&[first])).exit(0);
    assert_eq!(offline.out, told.out);
    assert_eq!(shop.agency.ledger(), ledger);
    assert_eq!(shop.journal(), journal, "asking again writes nothing");
}

#[test]
fn an_input_line_that_is_no_sale_gets_its_answer_and_the_others_theirs() {
    let shop = Shop::open();
    let mut unknown = sale("c", &person(3), "10.00");
    unknown["person"]["colour"] = json!("red");
    let mut refused = sale("d", &person(4), "100.00");
    refused["lines"][0]["pric"] = json!("100.00");
    refused["lines"][0]["cnt"] = json!("1");
    refused["lines"][0]["cash_pric"] = json!("99.00");
    let mut nameless = sale("e", &person(5), "10.00");
    nameless.as_object_mut().unwrap().remove("sale");
    let input = [
        sale("a", &person(1), "100.00").to_string(),
        "{\"sale\": \"b\", ".to_owned(),
        unknown.to_string(),
        refused.to_string(),
        nameless.to_string(),
        sale(&"x".repeat(65), &person(6), "10.00").to_string(),
        sale("a\u{1}", &person(6), "10.00").to_string(),
        "null".to_owned(),
        String::new(),
        sale("z", &person(7), "100.00").to_string(),
    ];
    let answers = shop.try_sell(&[], &input.join("\n")).exit(1).lines();
    let got: Vec<(&str, &str)> = answers
        .iter()
        .map(|row| {
            (
                row["state"].as_str().unwrap(),
                row["code"].as_str().unwrap_or_default(),
            )
        })
        .collect();
    assert_eq!(
        got,
        [
            ("settled", ""),
            ("refused", "CLAIM_NOT_JSON"),
            ("refused", "CLAIM_FIELD"),
            ("refused", "PRICE_ABOVE_CASH"),
            ("refused", "SALE_ID_MISSING"),
            ("refused", "SALE_ID_TOO_LONG"),
            ("refused", "SALE_ID_UNPRINTABLE"),
            ("refused", "CLAIM_NOT_JSON"),
            ("settled", ""),
        ]
    );
    assert!(answers[2]["says"].as_str().unwrap().contains("person.colour"));
    assert_eq!(
        (&answers[2]["sale"], &answers[1]["sale"]),
        (&json!("c"), &json!(null))
    );
    assert_eq!(answers[3]["article"], "昆明市人民政府令第161号 第二十九条（四）");
    assert_eq!(shop.agency.ledger().len(), 2);
    // A refusal by rule is kept: the same id is refused again even with a better claim; a line never read is not.
    let mut better = sale("d", &person(4), "100.00");
    better["lines"][0]["name"] = json!("改过");
    let again = shop.sell(&[], &[refused, better, sale("c", &person(3), "10.00")]);
    assert_eq!(again[0], answers[3]);
    assert_eq!(again[1], answers[3]);
    assert_eq!(again[2]["state"], "settled");
}

#[test]
fn a_line_in_another_encoding_is_answered_in_its_place() {
    let shop = Shop::open();
    let one_line = |id: &str, no| text(&[sale(id, &person(no), "10.00")]).into_bytes();
    // A name as a HIS writes it in GBK.
    let mut gbk = one_line("b", 2);
    let name = gbk
        .windows(9)
        .position(|bytes| bytes == "甲类药".as_bytes())
        .unwrap();
    gbk.splice(name..name + 9, *b"\xbc\xd7\xc0\xe0\xd2\xa9");
    let input = [one_line("a", 1), gbk, one_line("c", 3)].concat();
    let answers = finish_fed(shop.command(&["sell"]), &input).exit(1).lines();
    let states: Vec<&Value> = answers.iter().map(|answer| &answer["state"]).collect();
    assert_eq!(states, ["settled", "refused", "settled"]);
    assert_eq!(
        (&answers[1]["outcome"], &answers[1]["code"]),
        (&json!("unreadable"), &json!("CLAIM_NOT_UTF8"))
    );
    assert!(answers[1]["advice"].as_str().unwrap().contains("UTF-8"));
    assert_eq!(shop.agency.settled().len(), 2);
}

#[test]
fn numbers_of_a_sale_are_read_to_the_last_digit() {
    let shop = Shop::open();
    let priced = |id: &str, price: &str| {
        let mut priced = sale(id, &person(1), "");
        let line = priced["lines"][0].as_object_mut().unwrap();
        line.remove("det_item_fee_sumamt");
        line.insert("pric".to_owned(), json!("PRICE"));
        priced.to_string().replace("\"PRICE\"", price)
    };
    let input = [
        priced("exact", "50.1"),
        priced("more", "50.100000000000001"),
        priced("large", "90071992547409.93"),
    ]
    .join("\n");
    let answers = shop.try_sell(&["--offline"], &input).exit(1).lines();
    assert_eq!(answers[0]["setlinfo"]["medfee_sumamt"], "50.10");
    for answer in &answers[1..] {
        assert_eq!(answer["code"], "CLAIM_FIELD", "{answer}");
        assert!(
            answer["says"].as_str().unwrap().contains("lines[0].pric"),
            "{answer}"
        );
    }
    assert_eq!(shop.queue().len(), 1);
}

#[test]
fn offline_sales_wait_and_are_settled_in_order() {
    let shop = Shop::open();
    let sales: Vec<Value> = (1..=4)
        .map(|no| sale(&format!("s{no}"), &person(no % 2), &format!("{no}00.00")))
        .collect();
    let answers = shop.sell(&["--offline"], &sales);
    for answer in &answers {
        assert_eq!(answer["state"], "committed");
        assert_eq!(answer["offline"]["reason"], "OFFLINE_ASKED");
        assert!(answer["offline"]["settle_by"].is_string());
        assert!(answer.get("setl_id").is_none());
    }
    assert!(shop.agency.ledger().is_empty());
    let queue = shop.queue();
    let ids = |rows: &[Value], key: &str| -> Vec<String> {
        let texts = rows.iter().map(|row| row[key].as_str().unwrap().to_owned());
        texts.collect()
    };
    assert_eq!(ids(&queue, "sale"), ["s1", "s2", "s3", "s4"]);
    for (row, answer) in queue.iter().zip(&answers) {
        assert_eq!(row["state"], "committed");
        assert_eq!(row["msgid"], answer["msgid"]);
        assert_eq!(row["medfee_sumamt"], answer["setlinfo"]["medfee_sumamt"]);
        assert_eq!(row["settle_by"], answer["offline"]["settle_by"]);
    }
    for lang in ["zh", "en"] {
        let words = shop.run(&["queue", "list", "--lang", lang]).exit(0).out;
        assert_eq!(words.lines().count(), 4, "{words}");
    }
    let drained = shop.run(&["queue", "drain", "--json"]).exit(0).json();
    assert_eq!(drained, json!({"finished": 4, "left": 0}));
    assert_eq!(shop.queue(), Vec::<Value>::new());
    let ledger = shop.agency.settled();
    // Two persons' sales go at the same time; each one's in the order they were made.
    for no in 0..2 {
        let of_person = |rows: &[Value]| -> Vec<Value> {
            let found = rows.iter().filter(|row| {
                let made = row["sale"].as_str().map(|id| id[1..].parse::<u32>().unwrap() % 2);
                made == Some(no) || row["psn_no"] == person(no).as_str()
            });
            found.map(|row| row["msgid"].clone()).collect()
        };
        assert_eq!(of_person(&ledger), of_person(&answers));
    }
    let mut amounts = ids(&ledger, "medfee_sumamt");
    amounts.sort();
    assert_eq!(amounts, ["100.00", "200.00", "300.00", "400.00"]);
    assert_eq!(
        shop.run(&["queue", "drain", "--json"]).exit(0).json(),
        json!({"finished": 0, "left": 0})
    );
    // The sale is now told as settled, once.
    let after = shop.sell(&[], &sales);
    assert!(after.iter().all(|answer| answer["state"] == "settled"));
    assert_eq!(shop.agency.ledger().len(), 4);
}

#[test]
fn the_agency_goes_away_in_the_middle_of_a_run_and_comes_back() {
    let mut shop = Shop::open();
    let mut seller = Seller::start(&shop, &[]);
    assert_eq!(
        seller.ask(&sale("before", &person(1), "100.00"))["state"],
        "settled"
    );
    shop.agency.stop();
    let first = seller.ask(&sale("gone-1", &person(1), "100.00"));
    // The open connection broke under the request, or a new one was refused: either way nothing is lost.
    assert!(
        ["committed", "unknown"].contains(&first["state"].as_str().unwrap()),
        "{first}"
    );
    assert!(first["code"].as_str().unwrap().starts_with("AGENCY_"), "{first}");
    assert_ne!(first["says"], "");
    let second = seller.ask(&sale("gone-2", &person(2), "100.00"));
    assert_eq!(second["state"], "committed", "{second}");
    assert!(
        second["offline"]["reason"]
            .as_str()
            .unwrap()
            .starts_with("AGENCY_"),
        "{second}"
    );
    shop.agency.come_back();
    let mut no = 0;
    let back = loop {
        no += 1;
        let answer = seller.ask(&sale(&format!("back-{no}"), &person(1000 + no), "61.00"));
        if answer["state"] == "settled" {
            break answer;
        }
        assert!(no < QUESTIONS_MAX, "{answer}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    assert!(back.get("offline").is_none());
    seller.finish().exit(0);
    shop.run(&["queue", "drain"]).exit(0);
    let settled = shop.agency.settled();
    assert_eq!(settled.len(), usize::try_from(3 + no).unwrap());
    for id in ["gone-1", "gone-2"] {
        let shown = shop.run(&["queue", "show", id, "--json"]).exit(0).json();
        assert_eq!(shown["state"], "settled");
        assert!(settled.iter().any(|row| row["msgid"] == shown["msgid"]));
    }
    shop.run(&["journal", "verify"]).exit(0);
}

#[test]
fn beyond_the_offline_limits_a_sale_is_refused_with_the_limit_and_stays_so() {
    let mut shop = Shop::open();
    shop.agency.stop();
    let mut large: Vec<Value> = (1..=4)
        .map(|no| sale(&format!("person-{no}"), &person(2), "1700.00"))
        .collect();
    // (1700.00 − 60.00) × 60 % = 984.00: three of them stay below 3000.00.
    let mut sales = vec![sale("sale", &person(1), "2000.00")];
    sales.append(&mut large);
    let answers = shop.sell(&[], &sales);
    let told = |answer: &Value| -> (String, String, String) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (
            text(&answer["state"]),
            text(&answer["code"]),
            text(&answer["detail"]),
        )
    };
    let refused = |code: &str, limit: &str| ("refused".to_owned(), code.to_owned(), limit.to_owned());
    assert_eq!(told(&answers[0]), refused("OFFLINE_LIMIT_SALE", "1000.00"));
    for answer in &answers[1..4] {
        assert_eq!(answer["state"], "committed", "{answer}");
    }
    assert_eq!(told(&answers[4]), refused("OFFLINE_LIMIT_PERSON", "3000.00"));
    for answer in [&answers[0], &answers[4]] {
        assert_eq!(answer["outcome"], "refused");
        assert_ne!(answer["says"], "");
        assert_ne!(answer["advice"], "");
    }
    assert_eq!(shop.queue().len(), 3);
    // The same with the outage known beforehand, in another run: limits count what waits.
    let later = shop.sell(&["--offline"], &[sale("person-5", &person(2), "1700.00")]);
    assert_eq!(told(&later[0]), refused("OFFLINE_LIMIT_PERSON", "3000.00"));
    // The client was told to take cash: the same id is never settled afterwards.
    shop.agency.come_back();
    shop.run(&["queue", "drain"]).exit(0);
    let again = shop.sell(&[], &sales);
    for no in [0, 4] {
        assert_eq!(again[no], answers[no]);
    }
    assert_eq!(shop.sell(&[], &[sale("person-5", &person(2), "1700.00")]), later);
    assert_eq!(shop.agency.ledger().len(), 3);
    // What waited is settled and counts no more.
    let new = shop.sell(&["--offline"], &[sale("person-6", &person(2), "1700.00")]);
    assert_eq!(new[0]["state"], "committed");
}

#[test]
fn a_sale_on_its_way_when_the_line_breaks_is_judged_like_any_other_offline_sale() {
    let mut shop = Shop::open();
    shop.agency.stop();
    // The first finds the outage out, the second knows of it.
    let answers = shop.sell(
        &[],
        &[
            sale("first", &person(1), "200.00"),
            sale("second", &person(2), "200.00"),
        ],
    );
    for key in ["state", "code", "setlinfo", "accounts_after"] {
        assert_eq!(answers[0][key], answers[1][key], "{key}");
    }
    assert_eq!(answers[0]["state"], "committed");
    assert_eq!(answers[0]["offline"]["reason"], answers[1]["offline"]["reason"]);
}

#[test]
fn a_stale_claim_ends_in_a_difference_that_is_told() {
    let shop = Shop::open();
    let with_balance = |id: &str, balc: &str| {
        let mut sale = sale(id, &person(1), "200.00");
        sale["accounts"]["own"]["balc"] = json!(balc);
        sale
    };
    let first = &shop.sell(&[], &[with_balance("first", "150.00")])[0];
    assert!(first.get("difference").is_none(), "{first}");
    assert_eq!(first["setlinfo"]["balc"], "34.00");
    // 116.00 was left to pay and 150.00 stated; the agency knows of 34.00.
    let stale = &shop.sell(&[], &[with_balance("stale", "150.00")])[0];
    assert_eq!(stale["state"], "settled");
    assert_eq!(
        stale["difference"],
        json!({"fund": "0.00", "account": "-82.00", "cash": "82.00"})
    );
    let row = &shop.agency.ledger()[1];
    for (stands, told) in [
        ("acct_pay", "34.00"),
        ("psn_cash_pay", "82.00"),
        ("fund_pay_sumamt", "84.00"),
    ] {
        assert_eq!(row[stands], told);
        assert_eq!(stale["setlinfo"][stands], told, "the agency's figures stand");
    }
    let shown = shop.run(&["queue", "show", "stale", "--json"]).exit(0).json();
    assert_eq!(&shown, stale);
}

#[test]
fn one_sale_is_shown_by_id_and_message_id_and_undone_once() {
    let shop = Shop::open();
    let sales = [sale("a", &person(1), "100.00"), sale("b", &person(1), "100.00")];
    let answers = shop.sell(&[], &sales);
    let msgid = answers[0]["msgid"].as_str().unwrap();
    let by_id = shop.run(&["queue", "show", "a", "--json"]).exit(0).json();
    let by_msgid = shop.run(&["queue", "show", msgid, "--json"]).exit(0).json();
    assert_eq!(by_id, answers[0]);
    assert_eq!(by_msgid, answers[0]);
    let words = shop.run(&["queue", "show", "a"]).exit(0).out;
    assert!(words.contains("settled") && words.contains("100.00"), "{words}");
    for action in ["show", "resolve"] {
        shop.run(&["queue", action, "nobody"])
            .exit(1)
            .says("SALE_NOT_FOUND");
    }
    shop.run(&["reverse", "nobody"]).exit(1).says("SALE_NOT_FOUND");

    let undone = shop.run(&["reverse", "a", "--json"]).exit(0).json();
    assert_eq!(undone["state"], "reversed");
    let states: Vec<Value> = shop
        .agency
        .ledger()
        .iter()
        .map(|row| row["state"].clone())
        .collect();
    assert_eq!(states, ["reversed", "settled"]);
    assert_eq!(shop.run(&["reverse", msgid, "--json"]).exit(0).json(), undone);
    assert_eq!(
        shop.sell(&[], &sales[..1])[0]["state"],
        "reversed",
        "never sold anew"
    );
    assert_eq!(shop.agency.ledger().len(), 2);

    shop.sell(&["--offline"], &[sale("c", &person(2), "100.00")]);
    shop.run(&["reverse", "c"]).exit(1).says("SALE_NOT_SETTLED");
    let resolved = shop.run(&["queue", "resolve", "c", "--json"]).exit(0).json();
    assert_eq!(resolved["state"], "settled");
}

#[test]
fn an_id_that_is_another_sales_message_id_undoes_neither() {
    let shop = Shop::open();
    let first = &shop.sell(&[], &[sale("a", &person(1), "100.00")])[0];
    let taken = first["msgid"].as_str().unwrap();
    let second = &shop.sell(&[], &[sale(taken, &person(2), "50.00")])[0];
    assert_eq!(second["state"], "settled");
    let shown = shop.run(&["queue", "show", taken, "--json"]).exit(0).json();
    assert_eq!(&shown, second, "its own id wins");
    for args in [
        &["reverse", taken][..],
        &["queue", "resolve", taken],
        &["queue", "resolve", taken, "--difference", "accept"],
    ] {
        let told = shop.run(args).exit(1);
        told.says("SALE_ID_AMBIGUOUS");
        assert!(
            told.err.contains(second["msgid"].as_str().unwrap()),
            "{}",
            told.err
        );
    }
    assert_eq!(shop.agency.settled().len(), 2);
    let other = second["msgid"].as_str().unwrap();
    let undone = shop.run(&["reverse", other, "--json"]).exit(0).json();
    assert_eq!(undone["sale"], taken);
    let undone = shop.run(&["reverse", "a", "--json"]).exit(0).json();
    assert_eq!(undone["sale"], "a");
}

#[test]
fn a_reversal_without_answer_is_finished_later() {
    let shop = Shop::open();
    shop.sell(&[], &[sale("a", &person(1), "100.00")]);
    shop.agency
        .misbehave(&fault("2103", "bad_gateway_after_commit", 1));
    shop.run(&["reverse", "a"]).exit(3).says("AGENCY_HTTP_STATUS");
    assert_eq!(shop.queue()[0]["state"], "reversing");
    shop.run(&["queue", "drain"]).exit(0);
    assert_eq!(
        shop.run(&["queue", "show", "a", "--json"]).exit(0).json()["state"],
        "reversed"
    );
    assert_eq!(shop.agency.settled().len(), 0);
}

/// An agency whose answers are behind does not find what it holds.
#[test]
fn a_settlement_that_is_not_found_is_not_thought_undone() {
    let shop = Shop::open();
    shop.sell(&[], &[sale("a", &person(1), "100.00")]);
    let lost = fault("2103", "lose_request", 1) + &fault("5203", "stale_figures", 100);
    shop.agency.misbehave(&lost);
    shop.run(&["reverse", "a"]).exit(3).says("AGENCY_TIMEOUT");
    assert_eq!(shop.agency.settled().len(), 1);
    // It is undone again, rather than by what was not found.
    shop.run(&["queue", "drain"]).exit(0);
    assert_eq!(shop.agency.settled().len(), 0);
    // Where it was undone the first time, it is refused the second, which says so.
    shop.sell(&[], &[sale("b", &person(1), "200.00")]);
    let lost = fault("2103", "bad_gateway_after_commit", 1) + &fault("5203", "stale_figures", 100);
    shop.agency.misbehave(&lost);
    shop.run(&["reverse", "b"]).exit(3);
    shop.run(&["queue", "drain"]).exit(0);
    for id in ["a", "b"] {
        let shown = shop.run(&["queue", "show", id, "--json"]).exit(0).json();
        assert_eq!(shown["state"], "reversed");
    }
    assert_eq!((shop.agency.settled().len(), shop.agency.ledger().len()), (0, 2));
}

#[test]
fn an_agency_in_trouble_does_not_make_a_settlement_look_undone() {
    let shop = Shop::open();
    shop.sell(&[], &[sale("a", &person(1), "100.00")]);
    shop.agency.misbehave(&fault("2103", "lose_request", 1));
    shop.run(&["reverse", "a"]).exit(3).says("AGENCY_TIMEOUT");
    // An error of the agency's own says nothing of whether the settlement stands.
    shop.agency.misbehave(&fault("5203", "system_error", 100));
    shop.run(&["queue", "resolve", "a"]).exit(3);
    assert_eq!(shop.queue()[0]["state"], "reversing");
    assert_eq!(shop.agency.settled().len(), 1);
    shop.agency.misbehave("");
    shop.run(&["queue", "resolve", "a"]).exit(0);
    assert_eq!(shop.agency.settled().len(), 0);
}

#[test]
fn every_way_an_answer_can_fail_ends_with_one_settlement() {
    let shop = Shop::open();
    for (no, (what, code)) in [
        ("lose_request", "AGENCY_TIMEOUT"),
        ("lose_reply_after_commit", "AGENCY_TIMEOUT"),
        ("late_ms", "AGENCY_TIMEOUT"),
        ("bad_gateway_after_commit", "AGENCY_HTTP_STATUS"),
        ("html", "AGENCY_BODY_UNREADABLE"),
        ("half_body", "AGENCY_BODY_UNREADABLE"),
        ("close", "AGENCY_RESET"),
    ]
    .into_iter()
    .enumerate()
    {
        shop.agency.misbehave(&fault("2102", what, 1));
        let order = sale(what, &person(u32::try_from(no).unwrap()), "100.00");
        let answer = &shop.sell(&[], std::slice::from_ref(&order))[0];
        assert_eq!(
            (&answer["state"], &answer["code"]),
            (&json!("unknown"), &json!(code)),
            "{what}: {answer}"
        );
        assert_ne!(answer["advice"], "");
        assert_eq!(shop.queue()[0]["state"], "unknown");
        let again = &shop.sell(&[], &[order])[0];
        assert_eq!(again["state"], "settled", "{what}: {again}");
        let settled = shop.agency.settled();
        assert_eq!(settled.len(), no + 1, "{what}");
        assert_eq!(settled[no]["msgid"], again["msgid"], "{what}");
    }
    shop.agency.misbehave(&fault("2102", "twice", 1));
    let twice = &shop.sell(&[], &[sale("twice", &person(99), "100.00")])[0];
    assert_eq!(twice["state"], "settled");
    assert_eq!(shop.agency.settled().len(), 8);
}
