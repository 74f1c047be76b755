//! `yijie scan` on a real pseudo-terminal: codes classified, counted, noise and missing ports told.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong here fails the test"
)]

mod common;

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;
use std::thread;

use common::cable::{Cable, LOOKS_MAX, PAUSE};
use common::{Running, run, yijie};
use serde_json::{Value, json};

/// `yijie scan`, line by line.
struct Scan {
    process: Running,
    lines: BufReader<std::process::ChildStdout>,
}

impl Scan {
    fn start(args: &[&str]) -> Scan {
        let mut command = yijie([&["scan"], args].concat());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut process = Running(command.spawn().unwrap());
        Scan {
            lines: BufReader::new(process.0.stdout.take().unwrap()),
            process,
        }
    }

    fn next(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// What the program says when it ends.
    fn end(mut self) -> (Option<i32>, String) {
        let mut err = String::new();
        let mut pipe = self.process.0.stderr.take().unwrap();
        let code = self.process.end().code();
        pipe.read_to_string(&mut err).unwrap();
        (code, err)
    }
}

/// Scans one code again and again until the program listens and prints it.
fn until_heard(scanner: &Cable, scan: &mut Scan) {
    let (told, heard) = std::sync::mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(|| {
            told.send(scan.next()).unwrap();
        });
        for _ in 0..LOOKS_MAX {
            scanner.scan("96385074");
            if let Ok(line) = heard.recv_timeout(PAUSE * 5) {
                assert!(line.contains("96385074"), "{line}");
                return;
            }
        }
        panic!("nothing is heard of the scanner");
    });
}

#[test]
fn codes_on_a_real_port_are_classified() {
    let dir = tempfile::tempdir().unwrap();
    let mut scanner = Cable::plug(dir.path());
    let mut scan = Scan::start(&["--port", scanner.port(), "--json"]);
    until_heard(&scanner, &mut scan);
    let cases = [
        ("5301000000000000000000004242", "insurance_code"),
        ("01ABCDEFGHIJKLMNOPQRSTUV", "insurance_code"),
        ("81773220288616423835", "trace_code"),
        ("6901234567892", "gtin"),
        ("12345670", "gtin"),
        ("530102195803020019", "id_number"),
        ("53010219580302001X", "unknown"),
        ("]d201069012345678921728123110AB12", "gs1"),
        ("你好", "unknown"),
        ("https://example.org/0123456789012345", "unknown"),
        ("6901234567893", "unknown"),
    ];
    for (code, kind) in cases {
        scanner.scan(code);
        let told = loop {
            let line: Value = serde_json::from_str(&scan.next()).unwrap();
            if line["text"] != "96385074" {
                break line;
            }
        };
        assert_eq!(told["kind"], kind, "{code}: {told}");
        let bare = code.strip_prefix("]d2").unwrap_or(code);
        assert_eq!(told["text"], bare);
        if kind == "gs1" {
            assert_eq!(told["gtin"], "06901234567892");
            assert_eq!(
                (&told["lot"], &told["expires_on"]),
                (&json!("AB12"), &json!("2028-12-31"))
            );
        }
    }
    // Noise is told and the next code is read.
    scanner.send(b"\xF8\x00\x80\r");
    scanner.scan("6901234567892");
    assert!(scan.next().contains("6901234567892"));
    scanner.socat.kill();
    let (code, err) = scan.end();
    assert_eq!(code, Some(3));
    let errors: Vec<Value> = err
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let codes: Vec<&Value> = errors.iter().map(|error| &error["error"]["code"]).collect();
    assert_eq!(codes, ["SCANNER_GARBAGE", "SCANNER_UNPLUGGED"]);
}

const SETTINGS: &str = r#"
[institution]
code = "P53010200317"
name = "P53010200317"
type = "2"
area = "530100"

[agency]
url = "https://127.0.0.1:1"
"#;

#[test]
fn a_tills_own_rules_say_what_a_trace_code_is() {
    let dir = tempfile::tempdir().unwrap();
    let settings = dir.path().join("yijie.toml");
    let data = dir.path().to_str().unwrap();
    let rules = "\n[[devices.trace_codes]]\nlengths = [20]\nprefixes = [\"81\"]\n\n[[devices.trace_codes]]\nlengths = [24]\nprefixes = [\"IMP\"]\nletters = true\n";
    std::fs::write(&settings, format!("{SETTINGS}{rules}")).unwrap();
    let scanner = Cable::plug(dir.path());
    let mut scan = Scan::start(&["--port", scanner.port(), "--json", "--data", data]);
    until_heard(&scanner, &mut scan);
    for (code, kind) in [
        ("81773220288616423835", "trace_code"),
        ("IMP000000000000000000A12", "trace_code"),
        ("99773220288616423835", "insurance_code"),
        ("EXP000000000000000000A12", "insurance_code"),
        ("6901234567892", "gtin"),
    ] {
        scanner.scan(code);
        // What was sent until the program listened may still come.
        let told = std::iter::repeat_with(|| scan.next())
            .find(|line| !line.contains("96385074"))
            .unwrap();
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!((&told["kind"], &told["text"]), (&json!(kind), &json!(code)));
    }
    for (rule, why) in [
        ("lengths = [28]", "need prefixes"),
        ("lengths = [8]", "lengths must be"),
    ] {
        std::fs::write(
            &settings,
            format!("{SETTINGS}\n[[devices.trace_codes]]\n{rule}\n"),
        )
        .unwrap();
        let told = run(["scan", "--port", scanner.port(), "--data", data], "").exit(1);
        assert!(
            told.err.contains("CONFIG_UNREADABLE") && told.err.contains(why),
            "{}",
            told.err
        );
    }
}

#[test]
fn a_count_ends_the_scan() {
    let dir = tempfile::tempdir().unwrap();
    let scanner = Cable::plug(dir.path());
    let mut scan = Scan::start(&["--port", scanner.port(), "--baud", "115200", "--count", "3"]);
    until_heard(&scanner, &mut scan);
    let mut lines = 1;
    scanner.scan("6901234567892");
    scanner.scan("6901234567892");
    scanner.scan("6901234567892");
    loop {
        let line = scan.next();
        if line.is_empty() {
            break;
        }
        assert!(line.starts_with("gtin "), "{line}");
        lines += 1;
    }
    assert_eq!(lines, 3);
    let (code, err) = scan.end();
    assert_eq!((code, err.as_str()), (Some(0), ""));
}

#[test]
fn a_port_that_is_missing_or_no_port_is_told() {
    run(["scan", "--port", "/dev/nowhere"], "")
        .exit(3)
        .says("SCANNER_PORT_MISSING");
    let told = run(["scan", "--port", "/dev/null", "--json"], "").exit(3);
    let json: Value = serde_json::from_str(&told.err).unwrap();
    assert!(
        json["error"]["code"].as_str().unwrap().starts_with("SCANNER_"),
        "{json}"
    );
    let dir = tempfile::tempdir().unwrap();
    let scanner = Cable::plug(dir.path());
    let mut first = Scan::start(&["--port", scanner.port()]);
    until_heard(&scanner, &mut first);
    run(["scan", "--port", scanner.port()], "")
        .exit(3)
        .says("SCANNER_PORT_BUSY");
}
