//! What the end-to-end tests share: the program as a child process, a sandbox agency, a prepared till, claims, chance.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test support: what goes wrong here fails the test, and each test file uses its own part"
)]

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

pub mod cable;
pub mod served;
pub mod shop;

#[allow(unused_imports, reason = "each test file uses its own part")]
pub use shop::*;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_yijie");
pub const OPERATOR: &str = "001";
pub const PIN: &str = "246810";
pub const INSTITUTION: &str = "H53010200001";
/// No command takes that long unless it hangs, not thousands of sales on a busy machine either.
const HANG: Duration = Duration::from_secs(900);
const POLL: Duration = Duration::from_millis(5);

/// A command that ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ended {
    /// Fails unless the exit code is this one.
    #[track_caller]
    pub fn exit(self, code: i32) -> Ended {
        assert_eq!(
            self.code,
            Some(code),
            "\nstdout:\n{}\nstderr:\n{}",
            self.out,
            self.err
        );
        self
    }

    /// Standard output as one JSON value.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e} in {}\n{}", self.out, self.err))
    }

    /// Standard output as one JSON value a line.
    #[track_caller]
    pub fn lines(&self) -> Vec<Value> {
        let parsed = self.out.lines().map(serde_json::from_str);
        parsed
            .collect::<Result<_, _>>()
            .unwrap_or_else(|e| panic!("{e} in {}\n{}", self.out, self.err))
    }

    /// Standard error starts with this code, explains it and says what to do.
    #[track_caller]
    pub fn says(&self, code: &str) -> &Ended {
        assert!(
            self.err.starts_with(&format!("{code}: ")),
            "{code} expected in\n{}",
            self.err
        );
        assert!(
            self.err.contains("\n  → "),
            "no advice for {code} in\n{}",
            self.err
        );
        for words in ["UNKNOWN_CODE", "没有文字说明", "has no explanation"] {
            assert!(!self.err.contains(words), "{code} has no words:\n{}", self.err);
        }
        self
    }
}

impl Ended {
    /// Standard error is this code in the form of `--json`.
    #[track_caller]
    pub fn says_json(&self, code: &str) {
        let told: Value = serde_json::from_str(&self.err).unwrap_or_else(|e| panic!("{e} in {}", self.err));
        assert_eq!(told["error"]["code"], code, "{}", self.err);
        assert_ne!(told["error"]["advice"], "");
    }
}

/// The program with arguments, under an environment that is the same everywhere.
pub fn yijie<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Command {
    clean(Command::new(PROGRAM), args)
}

/// Any program, the same way.
pub fn clean<A: AsRef<OsStr>>(mut command: Command, args: impl IntoIterator<Item = A>) -> Command {
    command.args(args);
    for name in [
        "YIJIE_DATA",
        "LC_ALL",
        "LC_MESSAGES",
        "LANG",
        "DISPLAY",
        "WAYLAND_DISPLAY",
    ] {
        command.env_remove(name);
    }
    command
}

/// Runs the program to its end.
pub fn run<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>, stdin: &str) -> Ended {
    finish(yijie(args), stdin)
}

/// Runs a command to its end. One that hangs is killed and fails the test.
pub fn finish(command: Command, stdin: &str) -> Ended {
    finish_fed(command, stdin.as_bytes())
}

/// The same with bytes that may be no text.
pub fn finish_fed(mut command: Command, stdin: &[u8]) -> Ended {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = Running(command.spawn().unwrap());
    let mut pipe = child.0.stdin.take().unwrap();
    let bytes = stdin.to_owned();
    // A command may end without reading all of its input.
    let feeding = thread::spawn(move || drop(pipe.write_all(&bytes)));
    let out = reading(child.0.stdout.take().unwrap());
    let err = reading(child.0.stderr.take().unwrap());
    let code = child.end().code();
    feeding.join().unwrap();
    Ended {
        code,
        out: out.join().unwrap(),
        err: err.join().unwrap(),
    }
}

fn reading(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        String::from_utf8(bytes).expect("output is UTF-8")
    })
}

/// A child process that does not outlive its test.
pub struct Running(pub Child);

impl Running {
    /// Waits for its end.
    pub fn end(&mut self) -> std::process::ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < HANG, "process {} hangs", self.0.id());
            thread::sleep(POLL);
        }
    }

    /// kill -9.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a program that serves until it is killed, and reads its first line.
pub fn serve(mut command: Command, log: &Path) -> (Running, String, BufReader<ChildStdout>) {
    let log_file = File::options().create(true).append(true).open(log).unwrap();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::from(log_file));
    let mut child = Running(command.spawn().unwrap());
    let mut out = BufReader::new(child.0.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    (child, line.trim_end().to_owned(), out)
}

/// Every file under a directory, in order.
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Chance that can be repeated (splitmix64).
pub struct Chance(u64);

impl Chance {
    /// From the variable YIJIE_SEED, else new; prints it.
    pub fn new() -> Chance {
        let given = std::env::var("YIJIE_SEED").ok();
        let seed = match given {
            Some(text) => text.parse().expect("YIJIE_SEED is a number"),
            None => {
                let mut bytes = [0; 8];
                File::open("/dev/urandom")
                    .unwrap()
                    .read_exact(&mut bytes)
                    .unwrap();
                u64::from_le_bytes(bytes)
            }
        };
        eprintln!("YIJIE_SEED={seed}");
        Chance(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// 0 to `end` - 1.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// Where the records of a journal's segment begin.
pub fn record_starts(bytes: &[u8]) -> Vec<usize> {
    let found = bytes.windows(4).enumerate();
    found
        .filter(|(_, window)| *window == b"YJR\x01")
        .map(|(at, _)| at)
        .collect()
}
