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
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_yijie");
pub const OPERATOR: &str = "001";
pub const PIN: &str = "246810";
pub const INSTITUTION: &str = "H53010200001";
/// No command takes that long unless it hangs.
const HANG: Duration = Duration::from_secs(120);
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
pub fn finish(mut command: Command, stdin: &str) -> Ended {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = Running(command.spawn().unwrap());
    let mut pipe = child.0.stdin.take().unwrap();
    let text = stdin.to_owned();
    // A command may end without reading all of its input.
    let feeding = thread::spawn(move || drop(pipe.write_all(text.as_bytes())));
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

/// A sandbox agency in a process of its own, and the directory that outlives it.
pub struct Agency {
    pub data: PathBuf,
    pub url: String,
    extra: Vec<String>,
    process: Option<(Running, BufReader<ChildStdout>)>,
}

impl Agency {
    /// Starts one that insures everybody.
    pub fn start(data: &Path, extra: &[&str]) -> Agency {
        let mut agency = Agency {
            data: data.to_owned(),
            url: String::new(),
            extra: extra.iter().map(|arg| (*arg).to_owned()).collect(),
            process: None,
        };
        fs::create_dir_all(data).unwrap();
        agency.url = agency.listen("127.0.0.1:0");
        agency
    }

    fn listen(&mut self, address: &str) -> String {
        let mut command = yijie(["agency", "sandbox", "--listen", address, "--data"]);
        command.arg(&self.data).args(&self.extra);
        command.arg("--faults").arg(self.faults());
        let (running, line, out) = serve(command, &self.data.join("stderr.txt"));
        let url = line.strip_prefix("listening on ").unwrap_or_else(|| {
            let err = fs::read_to_string(self.data.join("stderr.txt")).unwrap_or_default();
            panic!("the sandbox says {line:?} and {err}")
        });
        self.process = Some((running, out));
        url.to_owned()
    }

    /// kill -9.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Starts it again at the same address.
    pub fn come_back(&mut self) {
        self.stop();
        let address = self.url.strip_prefix("https://").unwrap().to_owned();
        assert_eq!(self.listen(&address), self.url);
    }

    pub fn faults(&self) -> PathBuf {
        self.data.join("faults.toml")
    }

    /// How it misbehaves from now on.
    pub fn misbehave(&self, faults: &str) {
        let fresh = self.data.join("faults.new");
        fs::write(&fresh, faults).unwrap();
        fs::rename(&fresh, self.faults()).unwrap();
    }

    pub fn tls(&self) -> PathBuf {
        self.data.join("tls")
    }

    /// What it holds.
    #[track_caller]
    pub fn ledger(&self) -> Vec<Value> {
        let data = self.data.to_str().unwrap();
        let told = run(["agency", "ledger", "--json", "--data", data], "").exit(0);
        told.json().as_array().unwrap().clone()
    }

    /// The rows that stand.
    #[track_caller]
    pub fn settled(&self) -> Vec<Value> {
        let rows = self.ledger();
        rows.into_iter().filter(|row| row["state"] == "settled").collect()
    }
}

/// One fault of the faults file.
pub fn fault(on: &str, what: &str, times: u32) -> String {
    format!("[[fault]]\non = \"{on}\"\nwhat = \"{what}\"\nms = 1500\ntimes = {times}\n")
}

/// An agency and a till prepared for it, in a directory that is gone at the end.
pub struct Shop {
    pub dir: tempfile::TempDir,
    pub agency: Agency,
    pub data: PathBuf,
}

impl Shop {
    /// A till that waits one second for an answer, so that lost ones cost little.
    pub fn open() -> Shop {
        let dir = tempfile::tempdir().unwrap();
        let agency = Agency::start(&dir.path().join("agency"), &["--any-person"]);
        let data = dir.path().join("till");
        let shop = Shop { dir, agency, data };
        shop.init(&[]).exit(0);
        shop.answer_within(1);
        shop
    }

    pub fn init(&self, more: &[&str]) -> Ended {
        let mut command = self.command(&["init", "--fixmedins", INSTITUTION, "--level", "2"]);
        command.args([
            "--operator",
            OPERATOR,
            "--pin-stdin",
            "--agency",
            &self.agency.url,
        ]);
        command.arg("--tls").arg(self.agency.tls()).args(more);
        finish(command, &format!("{PIN}\n"))
    }

    /// Sets how long the till waits for an answer.
    pub fn answer_within(&self, seconds: u32) {
        let file = self.data.join("yijie.toml");
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.lines().map(|line| match line.split_once(" = ") {
            Some(("answer_s_max", _)) => format!("answer_s_max = {seconds}\n"),
            _ => format!("{line}\n"),
        });
        let changed: String = lines.collect();
        assert_ne!(changed, format!("{text}\n"));
        fs::write(file, changed).unwrap();
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = yijie(args);
        command.arg("--data").arg(&self.data);
        command
    }

    /// Runs a command on the till.
    pub fn run(&self, args: &[&str]) -> Ended {
        finish(self.command(args), "")
    }

    /// Sells, and gives the answers.
    #[track_caller]
    pub fn sell(&self, args: &[&str], sales: &[Value]) -> Vec<Value> {
        self.try_sell(args, &text(sales)).exit(0).lines()
    }

    pub fn try_sell(&self, args: &[&str], stdin: &str) -> Ended {
        finish(self.command(&[&["sell"], args].concat()), stdin)
    }

    /// The journal's rows.
    #[track_caller]
    pub fn journal(&self) -> Vec<Value> {
        let told = self.run(&["journal", "list", "--json"]).exit(0);
        told.json().as_array().unwrap().clone()
    }

    #[track_caller]
    pub fn queue(&self) -> Vec<Value> {
        let told = self.run(&["queue", "list", "--json"]).exit(0);
        told.json().as_array().unwrap().clone()
    }

    /// Every file under the data directory.
    pub fn files(&self) -> Vec<PathBuf> {
        files(&self.data)
    }
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

/// `yijie sell` that is asked one sale after the other.
pub struct Seller {
    pub process: Running,
    stdin: Option<ChildStdin>,
    out: BufReader<ChildStdout>,
    err: thread::JoinHandle<String>,
}

impl Seller {
    pub fn start(shop: &Shop, args: &[&str]) -> Seller {
        let mut command = shop.command(&[&["sell"], args].concat());
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut process = Running(command.spawn().unwrap());
        Seller {
            stdin: process.0.stdin.take(),
            out: BufReader::new(process.0.stdout.take().unwrap()),
            err: reading(process.0.stderr.take().unwrap()),
            process,
        }
    }

    /// Puts a sale in; false if the program is gone.
    pub fn tell(&mut self, sale: &Value) -> bool {
        let pipe = self.stdin.as_mut().unwrap();
        pipe.write_all(format!("{sale}\n").as_bytes()).is_ok()
    }

    /// The next whole line; None if the program is gone.
    pub fn hear(&mut self) -> Option<Value> {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line.ends_with('\n').then(|| serde_json::from_str(&line).unwrap())
    }

    #[track_caller]
    pub fn ask(&mut self, sale: &Value) -> Value {
        assert!(self.tell(sale));
        self.hear().expect("an answer")
    }

    /// Ends the input and waits for the program's end.
    pub fn finish(mut self) -> Ended {
        drop(self.stdin.take());
        let mut out = String::new();
        self.out.read_to_string(&mut out).unwrap();
        Ended {
            code: self.process.end().code(),
            out,
            err: self.err.join().unwrap(),
        }
    }
}

/// Sales as the program reads them, one a line.
pub fn text(sales: &[Value]) -> String {
    sales.iter().map(|sale| format!("{sale}\n")).collect()
}

/// A sale of a retired person at a level 2 hospital: one class 甲 line.
pub fn sale(id: &str, psn_no: &str, amount: &str) -> Value {
    let mut sale = claim(psn_no, amount);
    sale["sale"] = json!(id);
    sale
}

/// The same as a claim.
pub fn claim(psn_no: &str, amount: &str) -> Value {
    json!({
        "person": {"psn_no": psn_no, "insutype": "310", "psn_type": "12", "insuplc_admdvs": "530100", "psn_insu_stas": "1"},
        "institution": {"fixmedins_code": INSTITUTION, "fixmedins_type": "1", "medinslv": "2"},
        "visit": {"med_type": "11", "begntime": "2026-03-01 09:30:00", "mdtrtarea_admvs": "530100"},
        "lines": [{"feedetl_sn": "1", "med_list_codg": "XA0000001", "name": "甲类药", "chrgitm_lv": "01",
                   "det_item_fee_sumamt": amount, "goods": "drug"}],
        "accounts": {"acct_used_flag": "1", "own": {"balc": "1000.00"}},
    })
}

/// A person number nobody else has.
pub fn person(no: u32) -> String {
    format!("5301{no:022}")
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

/// Output of a plain system program; a missing one fails and names its package.
pub fn system(package: &str, program: &str, args: &[&str]) -> Output {
    let ran = Command::new(program).args(args).output();
    ran.unwrap_or_else(|e| panic!("{program} (Debian package {package}): {e}"))
}
