//! A disk that fills up, stops flushing or is slow under a till that sells: refused clearly, nothing lost, nothing settled
//! twice, and on as before when the disk is well again.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong here fails the test"
)]

mod common;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use common::{Ended, Shop, finish, person, sale, text};
use serde_json::Value;

/// A shop whose till works on a disk that can be told to misbehave.
struct Troubled {
    shop: Shop,
    library: PathBuf,
}

impl Troubled {
    fn shop() -> Troubled {
        let shop = Shop::open();
        let library = shop.dir.path().join("trouble.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/trouble.c");
        let built = Command::new("cc")
            .args(["-O1", "-shared", "-fPIC", "-o"])
            .arg(&library)
            .arg(source)
            .status()
            .unwrap();
        assert!(built.success());
        let troubled = Troubled { shop, library };
        troubled.disk("");
        troubled
    }

    fn file(&self) -> PathBuf {
        self.shop.dir.path().join("trouble")
    }

    /// New keys by a program that is killed before this call that changes a file; true if it came to its end before.
    fn rotate_until(&self, call: u32) -> bool {
        let mut command = self.command(&["keys", "rotate", "--operator", common::OPERATOR, "--pin-stdin"]);
        command.env("TROUBLE_DIES", call.to_string());
        match finish(command, &format!("{}\n", common::PIN)).code {
            None => false,
            Some(0) => true,
            Some(other) => panic!("exit code {other} before call {call}"),
        }
    }

    /// What the disk does from now on.
    fn disk(&self, what: &str) {
        fs::write(self.file(), what).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.shop.command(args);
        command
            .env("LD_PRELOAD", &self.library)
            .env("TROUBLE_UNDER", &self.shop.data)
            .env("TROUBLE", self.file());
        command
    }

    fn sell(&self, sales: &[Value]) -> Ended {
        finish(self.command(&["sell"]), &text(sales))
    }

    /// The disk is well again: everything is settled once, and what was told before still stands.
    fn all_settled(&self, sales: &[Value], told: &[Value]) {
        self.disk("");
        let answers = self.sell(sales).exit(0).lines();
        assert!(
            answers.iter().all(|answer| answer["state"] == "settled"),
            "{answers:?}"
        );
        for before in told {
            assert!(answers.contains(before), "{before} was told and is another now");
        }
        assert_eq!(self.shop.queue(), [] as [Value; 0]);
        assert_eq!(self.shop.agency.settled().len(), sales.len());
        let whole = self.shop.run(&["journal", "verify", "--json"]).exit(0).json();
        assert_eq!(whole["whole"], true);
    }
}

fn sales(count: u32) -> Vec<Value> {
    (0..count)
        .map(|no| sale(&format!("s{no}"), &person(no), "100.00"))
        .collect()
}

#[test]
fn a_disk_that_is_full_or_does_not_flush_at_the_start_is_told_and_nothing_is_sold() {
    let till = Troubled::shop();
    let sales = sales(3);
    let told = till.sell(&sales[..1]).exit(0).lines();
    for (trouble, code) in [("full", "DISK_FULL"), ("flush", "DISK_ERROR")] {
        till.disk(trouble);
        let refused = till.sell(&sales[1..]).exit(3);
        assert!(
            refused.err.starts_with(code) || refused.err.contains("JOURNAL_STOPPED"),
            "{trouble}: {}",
            refused.err
        );
        assert_eq!(refused.out, "", "{trouble}: nothing is told that is not on disk");
        assert_eq!(till.shop.agency.settled().len(), 1, "{trouble}");
    }
    till.all_settled(&sales, &told);
}

#[test]
fn a_disk_that_fails_between_two_sales_loses_and_doubles_none() {
    for (trouble, codes) in [
        ("full", ["DISK_FULL", "DISK_FULL"]),
        ("flush", ["JOURNAL_STOPPED", "DISK_ERROR"]),
    ] {
        let till = Troubled::shop();
        let sales = sales(4);
        let mut seller = common::Seller::of(till.command(&["sell"]));
        let told: Vec<Value> = sales[..2].iter().map(|sale| seller.ask(sale)).collect();
        till.disk(trouble);
        assert!(seller.tell(&sales[2]));
        let ended = seller.finish().exit(3);
        assert_eq!(ended.out, "", "{trouble}: nothing is told that is not on disk");
        assert!(
            codes.iter().any(|code| ended.err.starts_with(code)),
            "{trouble}: {}",
            ended.err
        );
        ended.says(ended.err.split(':').next().unwrap());
        till.all_settled(&sales, &told);
    }
}

#[test]
fn a_disk_that_fails_while_the_agency_settles_leaves_a_sale_that_is_found_out() {
    for trouble in ["full", "flush"] {
        let till = Troubled::shop();
        let sales = sales(2);
        // The answer comes late enough for the disk to fail meanwhile.
        till.shop.agency.misbehave(&common::fault("2102", "late_ms", 1));
        till.shop.answer_within(5);
        let mut seller = common::Seller::of(till.command(&["sell"]));
        assert!(seller.tell(&sales[0]));
        while till.shop.agency.settled().is_empty() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        till.disk(trouble);
        let ended = seller.finish().exit(3);
        assert_eq!(ended.out, "", "{trouble}: it is settled, and that is not on disk");
        till.all_settled(&sales, &[]);
    }
}

#[test]
fn a_slow_disk_only_takes_its_time() {
    let till = Troubled::shop();
    till.disk("slow");
    let sales = sales(2);
    let told = till.sell(&sales).exit(0).lines();
    assert!(told.iter().all(|answer| answer["state"] == "settled"));
    till.all_settled(&sales, &told);
}

#[test]
fn new_keys_whose_making_is_killed_at_any_call_leave_every_entry_readable() {
    let till = Troubled::shop();
    let sales = sales(2);
    let told = till.sell(&sales[..1]).exit(0).lines();
    let mut before = till.shop.journal();
    let keys = ["machine.key", "vault"].map(|name| till.shop.data.join(name));
    let read = || keys.clone().map(|file| fs::read(file).unwrap());
    let (mut old, mut new) = (0, 0);
    let calls = (1..)
        .find(|call| {
            let made = read();
            let ended = till.rotate_until(*call);
            let rows = till.shop.journal();
            assert_eq!(rows[..before.len()], before[..], "killed before call {call}");
            match read() == made {
                true => old += 1,
                false => new += 1,
            }
            before = rows;
            ended
        })
        .unwrap();
    // Each file is written, flushed, put in its place and its name flushed; then the keys change places; the entry.
    assert!(calls > 12, "{calls}");
    assert!(
        old >= 5 && new >= 5,
        "{old} kills left the old keys, {new} the new ones"
    );
    let left: Vec<_> = till.shop.files();
    assert!(
        left.iter()
            .all(|file| !file.display().to_string().contains(".next")),
        "{left:?}"
    );
    till.all_settled(&sales, &told);
}
