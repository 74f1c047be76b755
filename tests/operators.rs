//! Who may do what at a till: roles, lock-out, four eyes, and all of it in the journal.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong here fails the test"
)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use common::{Ended, OPERATOR, PIN, Shop, finish, person, sale};
use serde_json::{Value, json};

const NEW_PIN: &str = "135790";

/// A file with a PIN that only its owner may read.
fn pin_file(shop: &Shop, name: &str, pin: &str) -> String {
    let file = shop.dir.path().join(name);
    fs::write(&file, format!("{pin}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    file.display().to_string()
}

/// `yijie operator …` by the first operator.
fn operator(shop: &Shop, args: &[&str], new_pin: &str) -> Ended {
    let mut all = vec!["operator"];
    all.extend(args);
    all.extend(["--operator", OPERATOR, "--pin-stdin"]);
    finish(shop.command(&all), &format!("{PIN}\n{new_pin}\n"))
}

/// The records of a kind, in order.
fn records(shop: &Shop, kind: &str) -> Vec<Value> {
    let rows = shop.journal();
    let of_kind = rows.iter().filter(|row| row["kind"] == kind);
    of_kind
        .map(|row| {
            shop.run(&["journal", "show", &row["seq"].to_string()])
                .exit(0)
                .json()["record"]
                .clone()
        })
        .collect()
}

#[test]
fn a_supervisor_adds_disables_and_resets_and_nobody_else_does() {
    let shop = Shop::open();
    operator(
        &shop,
        &["add", "002", "--name", "王芳", "--role", "cashier"],
        NEW_PIN,
    )
    .exit(0);
    operator(&shop, &["add", "002", "--role", "cashier"], NEW_PIN)
        .exit(1)
        .says("OPERATOR_EXISTS");
    operator(&shop, &["add", "003", "--role", "inspector"], "12")
        .exit(1)
        .says("PIN_SHAPE");
    operator(&shop, &["disable", OPERATOR], "")
        .exit(2)
        .says("LAST_SUPERVISOR");
    let own = pin_file(&shop, "own", NEW_PIN);
    shop.run(&[
        "operator",
        "disable",
        OPERATOR,
        "--operator",
        "002",
        "--pin-file",
        &own,
    ])
    .exit(2)
    .says("SUPERVISOR_NEEDED");
    let order = sale("a", &person(1), "100.00").to_string();
    let sell = |pin: &str| shop.try_sell(&["--operator", "002", "--pin-file", pin], &order);
    assert_eq!(sell(&own).exit(0).lines()[0]["state"], "settled");
    operator(&shop, &["reset", "002"], "998877").exit(0);
    sell(&own).exit(2).says("PIN_NOT_RIGHT");
    let fresh = pin_file(&shop, "fresh", "998877");
    sell(&fresh).exit(0);
    operator(&shop, &["disable", "002"], "").exit(0);
    sell(&fresh).exit(2).says("OPERATOR_DISABLED");
    operator(&shop, &["enable", "002"], "").exit(0);
    sell(&fresh).exit(0);

    let listed = shop.run(&["operator", "list", "--json"]).exit(0).json();
    assert_eq!(
        listed[1],
        json!({"operator": "002", "name": "王芳", "role": "cashier", "disabled": false})
    );
    assert!(!listed.to_string().contains("argon2"));
    let by: Vec<Value> = records(&shop, "operator")
        .iter()
        .map(|record| record["by"].clone())
        .collect();
    assert_eq!(
        by,
        [
            Value::Null,
            json!("001"),
            json!("001"),
            json!("001"),
            json!("001")
        ]
    );
}

#[test]
fn wrong_pins_lock_out_across_restarts_and_the_right_one_does_not_help_before_time() {
    let shop = Shop::open();
    let wrong = pin_file(&shop, "wrong", "000000");
    let right = pin_file(&shop, "right", PIN);
    let sell = |pin: &str| {
        shop.try_sell(
            &["--operator", OPERATOR, "--pin-file", pin],
            &sale("a", &person(1), "100.00").to_string(),
        )
    };
    for _ in 0..3 {
        sell(&wrong).exit(2).says("PIN_NOT_RIGHT");
    }
    for pin in [&wrong, &right] {
        let told = sell(pin).exit(2);
        told.says("OPERATOR_LOCKED_OUT");
        assert!(told.err.contains(" s\n"), "how long: {}", told.err);
        assert_eq!(told.out, "");
    }
    // The index lost is no way around it either.
    fs::remove_dir_all(shop.data.join("store")).unwrap();
    assert!(sell(&right).exit(2).err.contains("OPERATOR_LOCKED_OUT"));
    let tried = records(&shop, "pin-tried");
    assert_eq!(tried.len(), 3);
    assert!(tried.iter().all(|record| record["right"] == false));
}

#[test]
fn reversal_and_export_take_four_eyes_where_two_people_work() {
    let shop = Shop::busy();
    // One operator: no second pair of eyes, and a program may ask as it may sell.
    shop.run(&["reverse", "s1"]).exit(0);
    operator(&shop, &["add", "002", "--role", "cashier"], NEW_PIN).exit(0);
    operator(&shop, &["add", "009", "--role", "inspector"], "112233").exit(0);
    let cashier = pin_file(&shop, "cashier", NEW_PIN);
    let supervisor = pin_file(&shop, "supervisor", PIN);
    let inspector = pin_file(&shop, "inspector", "112233");
    let asks = ["--operator", "002", "--pin-file", &cashier];
    let to = shop.dir.path().join("out.json").display().to_string();
    let reverse = ["reverse", "s2"];
    let export = ["journal", "export", "--to", &to];
    for what in [&reverse[..], &export[..]] {
        for (more, code) in [
            (vec![], "TWO_PERSONS_NEEDED"),
            (asks.to_vec(), "TWO_PERSONS_NEEDED"),
            (
                [&asks[..], &["--approver", "002", "--approver-pin-file", &cashier]].concat(),
                "TWO_PERSONS_NEEDED",
            ),
            (
                [
                    &asks[..],
                    &["--approver", OPERATOR, "--approver-pin-file", &cashier],
                ]
                .concat(),
                "PIN_NOT_RIGHT",
            ),
        ] {
            shop.run(&[what, &more].concat()).exit(2).says(code);
        }
        assert!(!fs::exists(&to).unwrap());
    }
    let by_inspector = ["--approver", "009", "--approver-pin-file", &inspector];
    shop.run(&[&reverse[..], &asks, &by_inspector].concat())
        .exit(2)
        .says("SUPERVISOR_NEEDED");
    let by_supervisor = ["--approver", OPERATOR, "--approver-pin-file", &supervisor];
    shop.run(&[&reverse[..], &asks, &by_supervisor].concat()).exit(0);
    shop.run(&[&export[..], &asks, &by_inspector].concat()).exit(0);
    let approved = records(&shop, "approved");
    let what: Vec<_> = approved
        .iter()
        .map(|record| (record["what"].as_str().unwrap(), record["by"].as_str().unwrap()))
        .collect();
    assert_eq!(what, [("reversal", "001"), ("export", "009")]);
    assert_eq!(approved[0]["about"], "s2");
    let exported = records(&shop, "exported");
    assert_eq!(
        (&exported[0]["operator"], &exported[0]["approver"]),
        (&json!("002"), &json!("009"))
    );
    let reversing = records(&shop, "reversing");
    assert_eq!(reversing[1]["operator"], "002");
    // An inspector sells nothing.
    shop.try_sell(&["--operator", "009", "--pin-file", &inspector], "")
        .exit(2)
        .says("INSPECTOR_SELLS_NOTHING");
    shop.run(&["journal", "verify"]).exit(0);
}

#[test]
fn new_keys_keep_what_was_written_readable() {
    let shop = Shop::busy();
    let before = shop.journal();
    let keys = ["machine.key", "vault"].map(|name| shop.data.join(name));
    let old = keys.clone().map(|file| fs::read(file).unwrap());
    let wrong = pin_file(&shop, "wrong", "000000");
    shop.run(&["keys", "rotate", "--operator", OPERATOR, "--pin-file", &wrong])
        .exit(2)
        .says("PIN_NOT_RIGHT");
    assert!(keys.clone().map(|file| fs::read(file).unwrap()) == old);
    let right = pin_file(&shop, "right", PIN);
    shop.run(&["keys", "rotate", "--operator", OPERATOR, "--pin-file", &right])
        .exit(0);
    for (file, old) in keys.iter().zip(&old) {
        assert!(fs::read(file).unwrap() != *old);
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let after = shop.journal();
    assert_eq!(after[..before.len()], before[..]);
    assert_eq!(after.last().unwrap()["kind"], "keys-rotated");
    assert_eq!(
        shop.sell(&[], &[sale("new", &person(30), "100.00")])[0]["state"],
        "settled"
    );
    shop.run(&["journal", "verify"]).exit(0);
    // The old machine key opens nothing any more, and nothing is overwritten.
    fs::write(&keys[0], &old[0]).unwrap();
    shop.run(&["queue", "list"]).exit(3).says("VAULT_WRONG_KEY");
    assert!(fs::read(&keys[0]).unwrap() == old[0]);
}
