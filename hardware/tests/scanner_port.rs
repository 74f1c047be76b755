//! A scanner at a real pseudo-terminal: split and merged reads, bursts, unplugging and plugging in again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test support: what goes wrong here fails the test"
)]

use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use yijie_hardware::{CodeKind, ScannerEvent, ScannerSettings, ScannerWatch, VirtualScanner, watch_scanner};

/// No test waits that long unless it has failed.
const HANG: Duration = Duration::from_secs(30);

struct Port {
    events: Receiver<ScannerEvent>,
    watch: ScannerWatch,
}

impl Port {
    fn watching(settings: ScannerSettings) -> Self {
        let (sender, events) = mpsc::channel();
        let watch = watch_scanner(settings, move |event| {
            let _ = sender.send(event);
        })
        .unwrap();
        Self { events, watch }
    }

    fn next(&self) -> String {
        match self.events.recv_timeout(HANG).expect("an event") {
            ScannerEvent::Opened => "opened".to_owned(),
            ScannerEvent::Lost { error } => error.code().to_owned(),
            ScannerEvent::Scanned(scan) => scan.text,
            ScannerEvent::Garbage => "garbage".to_owned(),
        }
    }
}

#[test]
fn codes_come_whole_however_they_are_sent() {
    let mut scanner = VirtualScanner::open().unwrap();
    let port = Port::watching(ScannerSettings::at(scanner.path()));
    assert_eq!(port.next(), "opened");
    scanner.scan("6901234567892").unwrap();
    assert_eq!(port.next(), "6901234567892");
    for part in [
        "81773",
        "2202886",
        "",
        "16423835",
        "\r",
        "\n",
        "1234567890123",
        "456789012345678\r\n69012",
        "34567892\t",
    ] {
        scanner.send(part.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(60));
    }
    assert_eq!(port.next(), "81773220288616423835");
    assert_eq!(port.next(), "1234567890123456789012345678");
    assert_eq!(port.next(), "6901234567892");
    scanner.send(b"\xF8\x00\x80\r").unwrap();
    assert_eq!(port.next(), "garbage");
    scanner.scan("]d201069012345678921728123110AB12").unwrap();
    let ScannerEvent::Scanned(scan) = port.events.recv_timeout(HANG).unwrap() else {
        panic!("no scan")
    };
    assert!(
        matches!(&scan.kind, CodeKind::Gs1 { lot: Some(lot), .. } if lot == "AB12"),
        "{scan:?}"
    );
    assert_eq!(scan.symbology.as_deref(), Some("]d2"));
}

#[test]
fn bursts_lose_and_double_nothing() {
    let mut scanner = VirtualScanner::open().unwrap();
    let port = Port::watching(ScannerSettings::at(scanner.path()));
    assert_eq!(port.next(), "opened");
    let codes: Vec<String> = (0..5000).map(|number| format!("8177322{number:013}")).collect();
    for burst in codes.chunks(50) {
        scanner.send((burst.join("\r\n") + "\r\n").as_bytes()).unwrap();
    }
    for code in &codes {
        assert_eq!(&port.next(), code);
    }
}

/// A stream as no scanner sends it: cut anywhere, every terminator, now and then a pause. `YIJIE_CODES` says how many.
#[test]
fn no_random_split_loses_or_doubles_a_code() {
    let count: u64 = std::env::var("YIJIE_CODES").map_or(5_000, |count| count.parse().unwrap());
    let seed = std::env::var("YIJIE_SEED").map_or_else(
        |_| u64::from(std::process::id()) * 2 + 1,
        |seed| seed.parse().unwrap(),
    );
    println!("YIJIE_SEED={seed}");
    let mut dice = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut throw = move |sides: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice % sides
    };
    let mut scanner = VirtualScanner::open().unwrap();
    let port = Port::watching(ScannerSettings::at(scanner.path()));
    assert_eq!(port.next(), "opened");
    let code = |number: u64| format!("8177322{number:013}");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for first in (0..count).step_by(50) {
                let mut burst = String::new();
                for number in first..(first + 50).min(count) {
                    burst += &code(number);
                    burst += ["\r", "\n", "\r\n", "\t"][throw(4) as usize];
                }
                let mut rest = burst.as_bytes();
                while !rest.is_empty() {
                    let (part, more) = rest.split_at(rest.len().min(1 + throw(90) as usize));
                    scanner.send(part).unwrap();
                    rest = more;
                    if throw(200) == 0 {
                        std::thread::sleep(Duration::from_millis(throw(4)));
                    }
                }
            }
        });
        for number in 0..count {
            assert_eq!(port.next(), code(number), "YIJIE_SEED={seed}");
        }
    });
    assert!(
        port.events.recv_timeout(Duration::from_millis(300)).is_err(),
        "nothing more came"
    );
}

#[test]
fn a_scanner_without_terminator_is_ended_by_silence() {
    let mut scanner = VirtualScanner::open().unwrap();
    let port = Port::watching(ScannerSettings {
        silence_ms: 200,
        ..ScannerSettings::at(scanner.path())
    });
    assert_eq!(port.next(), "opened");
    for code in ["6901234567892", "96385074"] {
        scanner.send(code.as_bytes()).unwrap();
        assert_eq!(port.next(), code);
    }
}

#[test]
fn unplugged_and_plugged_in_again_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (host, device) = (folder.path().join("host"), folder.path().join("device"));
    let port = Port::watching(ScannerSettings::at(host.to_str().unwrap()));
    assert_eq!(port.next(), "SCANNER_PORT_MISSING");
    for round in 0..3 {
        let mut cable = Cable::plug(&host, &device);
        assert_eq!(port.next(), "opened", "round {round}");
        std::fs::write(&device, "6901234567892\r96385074\r\n").unwrap();
        assert_eq!(port.next(), "6901234567892");
        assert_eq!(port.next(), "96385074");
        // A code without its end does not count when the cable is pulled.
        std::fs::write(&device, "11112222").unwrap();
        cable.pull();
        assert_eq!(port.next(), "SCANNER_UNPLUGGED");
    }
    drop(port.watch);
    assert!(
        port.events.recv_timeout(HANG).is_err(),
        "nothing is told after the end"
    );
}

#[test]
fn a_virtual_scanner_that_goes_away_is_told() {
    let scanner = VirtualScanner::open().unwrap();
    let port = Port::watching(ScannerSettings::at(scanner.path()));
    assert_eq!(port.next(), "opened");
    drop(scanner);
    assert_eq!(port.next(), "SCANNER_UNPLUGGED");
}

#[test]
fn a_port_in_use_is_told_and_taken_when_it_is_free() {
    let mut scanner = VirtualScanner::open().unwrap();
    let first = Port::watching(ScannerSettings::at(scanner.path()));
    assert_eq!(first.next(), "opened");
    let second = Port::watching(ScannerSettings::at(scanner.path()));
    assert_eq!(second.next(), "SCANNER_PORT_BUSY");
    drop(first.watch);
    assert_eq!(second.next(), "opened");
    scanner.scan("96385074").unwrap();
    assert_eq!(second.next(), "96385074");
}

/// Two linked pseudo-terminals under stable names.
struct Cable(Child);

impl Cable {
    fn plug(host: &std::path::Path, device: &std::path::Path) -> Self {
        let end = |path: &std::path::Path| format!("PTY,link={},raw,echo=0", path.display());
        let child = Command::new("socat")
            .args([end(host), end(device)])
            .stderr(Stdio::null())
            .spawn()
            .expect("socat (Debian package socat)");
        let start = Instant::now();
        while !(host.exists() && device.exists()) {
            assert!(start.elapsed() < HANG, "socat makes no pseudo-terminals");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self(child)
    }

    fn pull(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
