//! A sandbox agency, a till prepared for it, and sales, for the end-to-end tests.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

use serde_json::{Value, json};

use super::{Ended, INSTITUTION, OPERATOR, PIN, Running, files, finish, reading, run, serve, yijie};

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
        Shop::with(&[])
    }

    /// The same with more said at `init`.
    pub fn with(more: &[&str]) -> Shop {
        let dir = tempfile::tempdir().unwrap();
        let agency = Agency::start(&dir.path().join("agency"), &["--any-person"]);
        let data = dir.path().join("till");
        let shop = Shop { dir, agency, data };
        shop.init(more).exit(0);
        shop.answer_within(1);
        // That the settings were changed is told once.
        shop.run(&["queue", "list"]).exit(0).says("SETTINGS_CHANGED");
        shop
    }

    /// A till and an agency of a province.
    pub fn under(profile: &str) -> Shop {
        let dir = tempfile::tempdir().unwrap();
        let agency = Agency::start(
            &dir.path().join("agency"),
            &["--any-person", "--profile", profile],
        );
        let data = dir.path().join("till");
        let shop = Shop { dir, agency, data };
        shop.init(&["--profile", profile]).exit(0);
        shop
    }

    /// Another till of the same institution at the same agency.
    pub fn beside(&self, name: &str, more: &[&str]) -> Shop {
        let other = Shop {
            dir: tempfile::tempdir().unwrap(),
            data: self.dir.path().join(name),
            agency: Agency {
                data: self.agency.data.clone(),
                url: self.agency.url.clone(),
                extra: Vec::new(),
                process: None,
            },
        };
        other.init(more).exit(0);
        other
    }

    /// A till with some settled sales, one that was refused and one that waits.
    pub fn busy() -> Shop {
        let shop = Shop::open();
        let mut refused = sale("refused", &person(9), "10.00");
        refused["person"]["insutype"] = json!("999");
        let sales: Vec<Value> = (1..=3)
            .map(|no| sale(&format!("s{no}"), &person(no), "100.00"))
            .chain([refused])
            .collect();
        shop.sell(&[], &sales);
        shop.sell(&["--offline"], &[sale("waits", &person(4), "100.00")]);
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
        command.env("XDG_STATE_HOME", self.dir.path().join("state"));
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

/// `yijie sell` that is asked one sale after the other.
pub struct Seller {
    pub process: Running,
    stdin: Option<ChildStdin>,
    out: BufReader<ChildStdout>,
    err: thread::JoinHandle<String>,
}

impl Seller {
    pub fn start(shop: &Shop, args: &[&str]) -> Seller {
        Seller::of(shop.command(&[&["sell"], args].concat()))
    }

    /// The same by a command that is made already.
    pub fn of(mut command: Command) -> Seller {
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
