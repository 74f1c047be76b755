//! `yijie wire decode`, and every province's profile through the program itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod common;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use common::{Shop, finish, person, sale, yijie};

const PROFILES: [&str; 5] = ["plain", "hebei", "hubei", "jilin", "guangdong"];

fn decode(args: &[&str], body: &str) -> (i32, Value) {
    let command = yijie([&["wire", "decode"], args].concat());
    let ended = finish(command, body);
    let code = ended.code.unwrap();
    (code, serde_json::from_str(&ended.out).unwrap_or(Value::Null))
}

#[test]
fn replies_decode_to_an_outcome_and_an_exit_code() {
    let sample = |name: &str| {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("agency/tests/samples");
        fs::read_to_string(dir.join(name)).unwrap()
    };
    for (infno, body, exit, outcome) in [
        ("2207", sample("2207_response_hebei.json"), 0, "settled"),
        ("2208", sample("2208_response_hebei.json"), 0, "settled"),
        ("2207A", sample("2207_response_hebei.json"), 0, "settled"),
        ("1162", sample("gateway_failure.json"), 2, "refused"),
        ("2207", sample("gateway_failure.json"), 3, "unknown"),
        ("2102", sample("system_error.json"), 3, "unknown"),
        ("1101", sample("system_error.json"), 2, "refused"),
        ("2102", "<html>502</html>".to_owned(), 3, "unknown"),
        ("2102", String::new(), 3, "unknown"),
    ] {
        for profile in PROFILES {
            let (code, decoded) = decode(&["--infno", infno, "--profile", profile], &body);
            assert_eq!(
                (code, &decoded["outcome"]),
                (exit, &json!(outcome)),
                "{infno} {profile}"
            );
        }
    }
    for none in ["atlantis", "atlantis.toml", "/dev/null"] {
        let (code, _) = decode(&["--infno", "2102", "--profile", none], "{}");
        assert_eq!(code, 1, "{none}");
    }
}

#[test]
fn a_till_of_every_province_sells_undoes_and_agrees_with_its_agency() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/agency/profiles/jilin.toml");
    for profile in PROFILES.into_iter().chain([file]) {
        let shop = Shop::under(profile);
        let mut pharmacy = sale("p", &person(2), "35.50");
        pharmacy["institution"]["fixmedins_type"] = json!("2");
        pharmacy["visit"]["med_type"] = json!("41");
        let told = shop.sell(&[], &[sale("h", &person(1), "120.00"), pharmacy]);
        for answer in &told {
            assert_eq!(answer["state"], "settled", "{profile}: {answer}");
        }
        shop.run(&["reverse", "h"]).exit(0);
        assert_eq!(shop.agency.settled().len(), 1, "{profile}");
        let secret = shop.data.join("tls/gateway.toml");
        assert_eq!(secret.exists(), profile != "plain", "{profile}");
    }
}
