//! Receipt bytes to a file, a pipe, a serial port and a network printer that answers, is out of paper, or is gone.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong here fails the test"
)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use yijie_hardware::{PrinterPort, VirtualScanner};

/// A printer at a port of this machine: answers DLE EOT n with `state(n)`, and gives what it was to print.
fn printer(state: impl Fn(u8) -> Option<u8> + Send + 'static) -> (String, thread::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    let printing = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut got = Vec::new();
        let mut byte = [0];
        let mut answered = false;
        while matches!(stream.read(&mut byte), Ok(1)) {
            got.push(byte[0]);
            if let [.., 0x10, 0x04, n] = got[..] {
                got.truncate(got.len() - 3);
                match state(n) {
                    Some(answer) => stream.write_all(&[answer]).unwrap(),
                    // It answered before: it has gone.
                    None if answered => break,
                    None => {}
                }
                answered = true;
            }
        }
        got
    });
    (address, printing)
}

#[test]
fn a_network_printer_takes_the_bytes_or_says_why_not() {
    for (paper, offline, code) in [
        (Some(0x12), Some(0x12), None),
        (None, None, None),
        (Some(0x72), Some(0x1A), Some("PRINTER_OUT_OF_PAPER")),
        (Some(0x12), Some(0x1A), Some("PRINTER_OFFLINE")),
    ] {
        let (address, printing) = printer(move |n| if n == 4 { paper } else { offline });
        let sent = PrinterPort::parse(&address, 9600).send(b"receipt\n");
        assert_eq!(sent.as_ref().err().map(|error| error.code()), code);
        let printed = printing.join().unwrap();
        assert_eq!(printed, if code.is_none() { &b"receipt\n"[..] } else { b"" });
    }
}

#[test]
fn a_printer_that_is_gone_is_told() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp://{}", gone.local_addr().unwrap());
    drop(gone);
    for port in [address.as_str(), "/dev/pts/99999", "/no/such/directory/receipts"] {
        let error = PrinterPort::parse(port, 9600).send(b"x").unwrap_err();
        assert_eq!(error.code(), "PRINTER_MISSING", "{port}");
    }
}

#[test]
fn a_printer_that_stands_still_is_given_up_and_a_slow_one_is_not() {
    let big = vec![b'x'; 20_000_000];
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let still = PrinterPort::parse(&format!("tcp://{}", listener.local_addr().unwrap()), 9600);
    let error = still.send(&big).unwrap_err();
    assert_eq!(error.code(), "PRINTER_STALLED");
    let (waiting, _): (TcpStream, _) = listener.accept().unwrap();
    drop(waiting);

    let reading = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut chunk, mut total) = (vec![0; 4_000_000], 0);
        loop {
            thread::sleep(Duration::from_millis(50));
            match stream.read(&mut chunk).unwrap() {
                0 => return total,
                length => total += length,
            }
        }
    });
    still.send(&big).unwrap();
    assert_eq!(
        reading.join().unwrap(),
        big.len() + 3,
        "with the question for its paper"
    );
}

#[test]
fn a_serial_printer_gets_the_bytes() {
    let mut printer = VirtualScanner::open().unwrap();
    let port = PrinterPort::parse(printer.path(), 9600);
    assert!(matches!(port, PrinterPort::Serial { .. }), "{port:?}");
    let sending = thread::spawn(move || port.send(b"\x1B@receipt\n"));
    let mut got = Vec::new();
    while !got.ends_with(b"receipt\n") {
        got.extend(printer.receive().unwrap());
    }
    sending.join().unwrap().unwrap();
    assert_eq!(got, b"\x10\x04\x04\x1B@receipt\n");
}

#[test]
fn a_printer_that_goes_away_behind_the_bytes_did_not_print_them() {
    for (paper_at_the_end, code) in [(None, "PRINTER_FAILED"), (Some(0x72), "PRINTER_OUT_OF_PAPER")] {
        let asked = AtomicUsize::new(0);
        let (address, printing) = printer(move |n| match (n, asked.fetch_add(1, Ordering::Relaxed)) {
            (_, 0 | 1) => Some(0x12),
            _ => paper_at_the_end,
        });
        let ready = PrinterPort::parse(&address, 9600).ready().unwrap();
        let error = ready.print(b"receipt\n").unwrap_err();
        assert_eq!(error.code(), code);
        assert_eq!(printing.join().unwrap(), b"receipt\n");
    }
}

#[test]
fn a_device_that_is_switched_off_is_missing_and_is_not_made_as_a_file() {
    for (path, serial) in [("/dev/usb/lp999", false), ("/dev/serial/by-id/usb-printer", true)] {
        let port = PrinterPort::parse(path, 9600);
        assert_eq!(matches!(port, PrinterPort::Serial { .. }), serial, "{port:?}");
        assert_eq!(port.send(b"x").unwrap_err().code(), "PRINTER_MISSING");
        assert!(!std::path::Path::new(path).exists());
    }
}

#[test]
fn a_file_gets_one_receipt_after_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("receipts");
    let port = PrinterPort::parse(path.to_str().unwrap(), 9600);
    port.send(b"one").unwrap();
    port.send(b"two").unwrap();
    assert_eq!(std::fs::read(path).unwrap(), b"onetwo");
}
