//! `yijie demo --headless`: the main job on embedded parts holds in both languages, and cleans up after itself.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong here fails the test"
)]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use common::{Ended, files, finish, run, serve, yijie};
use serde_json::Value;

/// Runs a demo with a directory for temporary files of its own.
fn demo(args: &[&str]) -> Ended {
    let temporary = tempfile::tempdir().unwrap();
    let mut command = yijie([&["demo"], args].concat());
    command.env("TMPDIR", temporary.path());
    let told = finish(command, "").exit(0);
    assert_eq!(told.err, "");
    let left: Vec<String> = fs::read_dir(temporary.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(left, Vec::<String>::new(), "left behind");
    assert_eq!(named_in_processes(temporary.path()), Vec::<String>::new());
    told
}

/// Processes whose environment names a directory: what the demo started and left running.
fn named_in_processes(dir: &Path) -> Vec<String> {
    let wanted = dir.to_str().unwrap().as_bytes();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap() {
        let process = entry.unwrap().path();
        // Processes come and go, and those of others keep their environment to themselves.
        let environment = fs::read(process.join("environ")).unwrap_or_default();
        if environment.windows(wanted.len()).any(|window| window == wanted) {
            let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
            found.push(format!("{} {name}", process.display()));
        }
    }
    found
}

#[test]
fn a_demo_that_is_ended_leaves_nothing_behind() {
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let temporary = tempfile::tempdir().unwrap();
        let mut command = yijie(["demo", "--headless"]);
        command.env("TMPDIR", temporary.path());
        let (mut demo, line, out) = serve(command, &temporary.path().join("log"));
        assert_ne!(line, "");
        let ended = Command::new("kill")
            .args(["-s", signal, &demo.0.id().to_string()])
            .status();
        assert!(ended.unwrap().success());
        assert_eq!(demo.end().code(), Some(code));
        drop(out);
        let left: Vec<_> = files(temporary.path());
        assert_eq!(left, [temporary.path().join("log")]);
        // The smart-card service notices that its pipe is closed.
        while !named_in_processes(temporary.path()).is_empty() {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

/// Every step stands on a line of its own, numbered without gap.
fn steps(out: &str) -> Vec<u32> {
    let marked = out.lines().filter_map(|line| line.strip_prefix('['));
    marked
        .filter_map(|line| line.split_once(']')?.0.parse().ok())
        .collect()
}

#[test]
fn the_whole_day_holds_in_chinese() {
    let out = demo(&["--headless"]).out;
    assert!(chinese(&out));
    let numbers = steps(&out);
    assert!(numbers.len() >= 8, "{out}");
    assert_eq!(numbers, (1..).take(numbers.len()).collect::<Vec<u32>>());
    for part in ["断网", "离线暂定", "对总账", "全部步骤成立"] {
        assert!(out.contains(part), "{part} in\n{out}");
    }
}

#[test]
fn the_whole_day_holds_in_english() {
    let out = demo(&["--headless", "--lang", "en"]).out;
    for part in [
        "outage",
        "provisional",
        "totals against the agency",
        "every step held",
    ] {
        assert!(out.contains(part), "{part} in\n{out}");
    }
    // Up to the receipt all is English but a person's name and, of a reason, the title of its article.
    let before_receipt = out.split("] receipt").next().unwrap();
    for line in before_receipt.lines() {
        let own = match line.strip_prefix("      ") {
            Some(reason) => reason.split_once("  ").unwrap().1.split("; ").next().unwrap(),
            None => line.split_once(": ").map_or(line, |(step, _)| step),
        };
        assert!(!chinese(own), "{line}");
    }
}

#[test]
fn a_day_that_begins_in_an_outage_holds_too() {
    let out = demo(&["--headless", "--offline"]).out;
    assert!(out.contains("全部步骤成立"), "{out}");
}

#[test]
fn without_a_display_it_says_so_and_goes_on_headless() {
    let out = demo(&["--lang", "en"]).out;
    assert!(out.starts_with("no display"), "{out}");
    assert!(out.contains("every step held"));
}

#[test]
fn machine_output_is_one_step_a_line() {
    let told = demo(&["--headless", "--json", "--lang", "en"]);
    let lines: Vec<Value> = told
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    assert!(lines.iter().any(|line| line["receipt"].is_string()));
    let steps: Vec<&Value> = lines.iter().filter(|line| line["step"].is_number()).collect();
    assert!(steps.len() >= 8);
    for (no, step) in steps.iter().enumerate() {
        assert_eq!(step["step"], no + 1);
        assert_ne!(step["says"], "");
    }
    assert!(
        steps.last().unwrap()["says"]
            .as_str()
            .unwrap()
            .contains("every step held")
    );
}

#[test]
fn a_directory_of_ones_own_is_kept_and_one_in_use_refused() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("demo");
    demo(&["--headless", "--data", root.to_str().unwrap()]);
    let till = root.join("till");
    let data = till.to_str().unwrap();
    let told = run(["journal", "verify", "--json", "--data", data], "")
        .exit(0)
        .json();
    assert_eq!(told["whole"], true);
    assert_eq!(
        run(["queue", "list", "--json", "--data", data], "")
            .exit(0)
            .out
            .trim(),
        "[]"
    );
    let agency = root.join("agency");
    let ledger = run(
        ["agency", "ledger", "--json", "--data", agency.to_str().unwrap()],
        "",
    )
    .exit(0)
    .json();
    assert!(ledger.as_array().unwrap().len() >= 4, "{ledger}");
    let before = fs::read(till.join("yijie.toml")).unwrap();
    run(["demo", "--headless", "--data", root.to_str().unwrap()], "")
        .exit(1)
        .says("DATA_ALREADY_PREPARED");
    assert_eq!(fs::read(till.join("yijie.toml")).unwrap(), before);
    run(["journal", "verify", "--data", data], "").exit(0);
}
