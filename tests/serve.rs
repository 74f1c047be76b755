//! `yijie serve`: the till over HTTP, for programs of the same machine that know the token.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong here fails the test"
)]

mod common;

use std::thread;

use common::served::Served;
use common::{Shop, claim, person, sale};
use serde_json::{Value, json};

#[test]
fn a_program_sells_looks_up_prints_and_undoes() {
    let shop = Shop::open();
    let till = Served::start(&shop);
    let order = sale("his/1", &person(1), "100.00");

    let (status, split) = till.ask("POST", "/split?trace=false", &claim(&person(1), "100.00"));
    assert_eq!(
        (status, &split["outcome"], &split["trace"]),
        (200, &json!("settled"), &json!([]))
    );
    let (status, sold) = till.ask("POST", "/sales", &order);
    assert_eq!((status, &sold["state"]), (200, &json!("settled")));
    assert_eq!(
        sold["setlinfo"]["fund_pay_sumamt"],
        split["setlinfo"]["fund_pay_sumamt"]
    );
    let (_, again) = till.ask("POST", "/sales", &order);
    assert_eq!(again["setl_id"], sold["setl_id"]);
    let (status, found) = till.ask("GET", "/sales/his%2F1", &Value::Null);
    assert_eq!((status, &found["setl_id"]), (200, &sold["setl_id"]));
    assert_eq!(shop.agency.settled().len(), 1);

    let (status, pdf) = till.ask_as(&till.token, "POST", "/sales/his%2F1/receipt", "");
    assert_eq!((status, &pdf[..5]), (200, &b"%PDF-"[..]));
    let (status, undone) = till.ask("POST", "/sales/his%2F1/reverse", &Value::Null);
    assert_eq!((status, &undone["state"]), (200, &json!("reversed")));
    assert!(shop.agency.settled().is_empty());
    assert_eq!(till.ask("GET", "/packs", &Value::Null).0, 200);
    till.stop();
    shop.run(&["journal", "verify"]).exit(0);
}

#[test]
fn the_same_sale_asked_for_by_many_at_once_is_made_once() {
    let shop = Shop::open();
    let till = Served::start(&shop);
    let order = sale("once", &person(1), "100.00");
    thread::scope(|scope| {
        let asked: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| till.ask("POST", "/sales", &order)))
            .collect();
        for answer in asked {
            let (status, told) = answer.join().unwrap();
            match status {
                200 => assert_eq!(told["state"], "settled"),
                409 => assert_eq!(told["error"]["code"], "SALE_AT_WORK"),
                _ => panic!("{status} {told}"),
            }
        }
    });
    assert_eq!(shop.agency.settled().len(), 1);
}

#[test]
fn an_outage_is_sold_through_and_worked_off() {
    let mut shop = Shop::open();
    let till = Served::start(&shop);
    shop.agency.stop();
    let (status, sold) = till.ask("POST", "/sales", &sale("s1", &person(1), "100.00"));
    assert_eq!((status, &sold["state"]), (200, &json!("committed")));
    let (_, queue) = till.ask("GET", "/queue", &Value::Null);
    assert_eq!(queue[0]["sale"], "s1");
    shop.agency.come_back();
    let (status, drained) = till.ask("POST", "/queue/drain", &Value::Null);
    assert_eq!((status, &drained["left"]), (200, &json!(0)));
    let (_, found) = till.ask("GET", "/sales/s1", &Value::Null);
    assert_eq!(found["state"], "settled");
    assert_eq!(till.ask("GET", "/differences", &Value::Null), (200, json!([])));
    assert_eq!(till.ask("POST", "/sales/s1/resolve", &Value::Null).0, 200);
}

#[test]
fn bad_requests_are_told_by_code() {
    let shop = Shop::open();
    let told = shop.run(&["serve", "--listen", "0.0.0.0:0"]).exit(1);
    told.says("LISTEN_NOT_LOCAL");
    let till = Served::start(&shop);
    for (status, code, method, path, body) in [
        (404, "NO_SUCH_PATH", "GET", "/", ""),
        (404, "SALE_NOT_FOUND", "GET", "/sales/none", ""),
        (400, "CLAIM_NOT_JSON", "POST", "/split", "{"),
    ] {
        let (answered, told) = till.ask_as(&till.token, method, path, body);
        let told: Value = serde_json::from_slice(&told).unwrap();
        assert_eq!((answered, &told["error"]["code"]), (status, &json!(code)));
    }
    let (status, told) = till.ask_as(&till.token, "POST", "/sales", "{}");
    let told: Value = serde_json::from_slice(&told).unwrap();
    assert_eq!((status, &told["code"]), (400, &json!("SALE_ID_MISSING")));
    let order = sale("s1", &person(1), "100.00").to_string();
    for token in ["", "x", &till.token[1..]] {
        assert_eq!(till.ask_as(token, "POST", "/sales", &order).0, 401);
    }
    let (_, till_two) = (&till, shop.run(&["serve", "--listen", "127.0.0.1:0"]).exit(3));
    till_two.says("DATA_DIR_IN_USE");
    assert!(shop.agency.ledger().is_empty());
}

#[test]
fn the_document_names_every_path_and_each_answers() {
    let shop = Shop::open();
    let till = Served::start(&shop);
    let (status, document) = till.ask_as("", "GET", "/openapi.json", "");
    assert_eq!(status, 200);
    let document: Value = serde_json::from_slice(&document).unwrap();
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 11);
    for (path, methods) in paths {
        for method in methods.as_object().unwrap().keys() {
            let open = path == "/openapi.json";
            let (status, answer) = till.ask_as("", &method.to_uppercase(), &path.replace("{id}", "x"), "{}");
            // Without the token nothing is done, and a path that is not there would say so.
            assert_eq!(
                status,
                if open { 200 } else { 401 },
                "{method} {path}: {answer:?}"
            );
        }
    }
}
