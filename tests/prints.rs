//! Receipts that wait for paper: printers that are off, out of paper or stop half-way, a till that is killed meanwhile. None
//! is lost, and one that may be the second says so.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong here fails the test"
)]

mod common;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

use common::{INSTITUTION, Running, Shop, person, sale};
use yijie::books::Books;
use yijie::clock;
use yijie::config::{Devices, Institution};
use yijie::print::{Printed, Printing};
use yijie::record::Record;

/// 补打 in GB18030.
const AGAIN: &[u8] = b"\xB2\xB9\xB4\xF2";
const PULSE: &[u8] = b"\x1Bp\x00\x19\xFA";

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// How a printer behaves.
#[derive(Clone, Copy, PartialEq)]
enum Does {
    Print,
    HaveNoPaper,
    /// Takes so many bytes of a receipt, and is switched off.
    StopAfter(usize),
    /// Takes so many bytes and no more, as long as it is called.
    HangAfter(usize),
}

/// A printer at a port of this machine that tells its state.
struct Printer {
    address: String,
    does: Arc<Mutex<Does>>,
    /// What reached it of each receipt.
    paper: Receiver<Vec<u8>>,
}

impl Printer {
    fn start() -> Printer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (to, paper) = mpsc::channel();
        let does = Arc::new(Mutex::new(Does::Print));
        let printer = Printer {
            address: format!("tcp://{}", listener.local_addr().unwrap()),
            does: Arc::clone(&does),
            paper,
        };
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let does = *does.lock().unwrap();
                receive(stream, does, &to);
            }
        });
        printer
    }

    fn now(&self, does: Does) {
        *self.does.lock().unwrap() = does;
    }

    fn devices(&self) -> Devices {
        Devices {
            printer: Some(self.address.clone()),
            ..Devices::default()
        }
    }
}

fn receive(mut stream: TcpStream, does: Does, to: &Sender<Vec<u8>>) {
    let (mut got, mut byte) = (Vec::new(), [0]);
    while matches!(stream.read(&mut byte), Ok(1)) {
        got.push(byte[0]);
        if let [.., 0x10, 0x04, n] = got[..] {
            got.truncate(got.len() - 3);
            let answer = if does == Does::HaveNoPaper && n == 4 {
                0x72
            } else {
                0x12
            };
            stream.write_all(&[answer]).unwrap();
        }
        match does {
            Does::StopAfter(length) if got.len() >= length => break,
            Does::HangAfter(length) if got.len() >= length => {
                to.send(std::mem::take(&mut got)).unwrap();
                // Until the other side is gone.
                while matches!(stream.read(&mut byte), Ok(1)) {}
            }
            _ => {}
        }
    }
    if !got.is_empty() {
        to.send(got).unwrap();
    }
}

/// What came of each receipt in one pass over what waits, by a till that has just been opened.
fn work(shop: &Shop, devices: &Devices) -> Vec<String> {
    let (books, _) = Books::open(&shop.data, INSTITUTION, 0).unwrap();
    let institution = Institution {
        code: INSTITUTION.to_owned(),
        name: "昆明翠湖社区医院".to_owned(),
        kind: "1".to_owned(),
        level: Some("2".to_owned()),
        area: "530100".to_owned(),
    };
    let mut told = Vec::new();
    let printing = Printing::of(devices);
    printing
        .work(&books, &institution, |printed| {
            told.push(match printed {
                Printed::Done(row) => format!("{} {}", row.sale.id, row.copies),
                Printed::Failed(error) => error.code().to_owned(),
            });
        })
        .unwrap();
    told
}

/// A shop with sales paid in cash whose receipts are wanted.
fn shop(sales: &[&str]) -> Shop {
    let shop = Shop::open();
    for (no, id) in (1..).zip(sales) {
        let mut cash = sale(id, &person(no), "100.00");
        cash.as_object_mut().unwrap().remove("accounts");
        assert_eq!(shop.sell(&[], &[cash])[0]["state"], "settled");
    }
    let (books, _) = Books::open(&shop.data, INSTITUTION, 0).unwrap();
    for id in sales {
        let sale = (*id).to_owned();
        books
            .append(&Record::PrintWanted { sale }, clock::now_ms())
            .unwrap();
    }
    drop(books);
    shop
}

#[test]
fn without_paper_receipts_wait_over_a_restart_and_come_out_once_in_order() {
    let (shop, printer) = (shop(&["a", "b"]), Printer::start());
    printer.now(Does::HaveNoPaper);
    for _ in 0..2 {
        assert_eq!(work(&shop, &printer.devices()), ["PRINTER_OUT_OF_PAPER"]);
    }
    assert!(printer.paper.try_recv().is_err(), "not a byte left");
    printer.now(Does::Print);
    assert_eq!(work(&shop, &printer.devices()), ["a 1", "b 1"]);
    for _ in 0..2 {
        let receipt = printer.paper.recv().unwrap();
        assert!(!has(&receipt, AGAIN) && has(&receipt, PULSE));
    }
    assert_eq!(work(&shop, &printer.devices()), [] as [String; 0], "none twice");
}

#[test]
fn a_receipt_that_stopped_half_way_is_printed_again_and_says_so() {
    let (shop, printer) = (shop(&["a"]), Printer::start());
    printer.now(Does::StopAfter(300));
    assert_eq!(work(&shop, &printer.devices()), ["PRINTER_FAILED"]);
    assert!(has(&printer.paper.recv().unwrap(), PULSE));
    let steps = |shop: &Shop| {
        let rows = shop.journal();
        let kinds = rows.iter().map(|row| row["kind"].as_str().unwrap().to_owned());
        kinds.filter(|kind| kind.starts_with("print")).collect::<Vec<_>>()
    };
    assert_eq!(steps(&shop), ["print-wanted", "printing"]);
    // However often it fails, that stands in the journal once.
    assert_eq!(work(&shop, &printer.devices()), ["PRINTER_FAILED"]);
    assert_eq!(steps(&shop), ["print-wanted", "printing"]);
    assert!(has(&printer.paper.recv().unwrap(), AGAIN));
    printer.now(Does::Print);
    assert_eq!(work(&shop, &printer.devices()), ["a 1"]);
    let receipt = printer.paper.recv().unwrap();
    assert!(
        has(&receipt, AGAIN) && !has(&receipt, PULSE),
        "the drawer stays shut"
    );
    assert_eq!(steps(&shop), ["print-wanted", "printing", "printed"]);
}

#[test]
fn a_till_killed_while_it_prints_prints_again_and_says_so() {
    let (shop, printer) = (shop(&["a"]), Printer::start());
    printer.now(Does::HangAfter(300));
    let mut command = shop.command(&["receipt", "a", "--escpos", &printer.address]);
    let mut printing = Running(command.stdout(Stdio::null()).spawn().unwrap());
    assert!(has(&printer.paper.recv().unwrap(), PULSE));
    printing.kill();
    printer.now(Does::Print);
    assert_eq!(work(&shop, &printer.devices()), ["a 1"], "it still waits");
    let receipt = printer.paper.recv().unwrap();
    assert!(has(&receipt, AGAIN) && !has(&receipt, PULSE));
    shop.run(&["journal", "verify"]).exit(0);
}

#[test]
fn a_device_file_takes_the_bytes_as_they_are() {
    let shop = shop(&["a"]);
    let device = shop.dir.path().join("lp0");
    assert!(Command::new("mkfifo").arg(&device).status().unwrap().success());
    let path = device.to_str().unwrap();
    // Switched off: nobody reads.
    shop.run(&["receipt", "a", "--lang", "en", "--escpos", path])
        .exit(3)
        .says("PRINTER_MISSING");
    let mut end = std::fs::File::options()
        .read(true)
        .custom_flags(nix::libc::O_NONBLOCK)
        .open(&device)
        .unwrap();
    shop.run(&["receipt", "a", "--escpos", path]).exit(0);
    let mut got = Vec::new();
    end.read_to_end(&mut got).unwrap();
    let receipt = got.strip_prefix(b"\x10\x04\x04").expect("asked for its paper");
    assert!(receipt.starts_with(b"\x1B@") && has(receipt, PULSE) && !has(receipt, AGAIN));
}
