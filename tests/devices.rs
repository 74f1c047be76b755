//! What the devices page and the desk ask of devices, done on real ones: a customer display on a pseudo-terminal, a
//! printer's file, the disk.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong here fails the test"
)]

mod common;

use std::io::Read as _;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use common::cable::Cable;
use yijie::config;
use yijie::desk::Event;
use yijie::desk::devices::{Device, Told};
use yijie::print::Printing;
use yijie::workbench::Workbench;
use yijie_hardware::{Lamp, OnDisplay};

/// Nothing takes that long unless it hangs.
const HANG: Duration = Duration::from_secs(60);

fn displayed(events: &Receiver<Event>) -> Result<(), String> {
    match events.recv_timeout(HANG).expect("what came of showing it") {
        Event::Devices(Told::Displayed(result)) => result,
        _ => panic!("another event"),
    }
}

/// Bytes at the display's end until these came last.
fn until(end: &mut std::fs::File, last: &[u8]) -> Vec<u8> {
    let (mut seen, mut byte) = (Vec::new(), [0]);
    while !seen.ends_with(last) {
        assert_eq!(end.read(&mut byte).unwrap(), 1);
        seen.push(byte[0]);
    }
    seen
}

#[test]
fn a_customer_display_shows_the_amounts_and_comes_back_after_it_was_unplugged() {
    let dir = tempfile::tempdir().unwrap();
    let mut cable = Cable::plug(dir.path());
    let fitted = config::Devices {
        display: Some(cable.port().to_owned()),
        ..config::Devices::default()
    };
    let (sender, events) = mpsc::channel();
    let bench = Workbench::of(&fitted, dir.path(), &sender);
    let open = |cable: &Cable| {
        std::fs::File::options()
            .read(true)
            .write(true)
            .open(&cable.scanner)
            .unwrap()
    };
    let mut end = open(&cable);
    assert_eq!(until(&mut end, b"\x0C"), b"\x1B@\x0C", "dark at the start");
    assert_eq!(displayed(&events), Ok(()));
    for (lamp, sum, bytes) in [
        (Lamp::Total, "136.00", &b"\x1B@\x1Bs2\x1BQA136.00\r"[..]),
        (Lamp::Dark, "100.00", b"\x1B@\x1Bs0\x1BQA100.00\r"),
        (Lamp::Received, "36.00", b"\x1B@\x1Bs3\x1BQA36.00\r"),
        (Lamp::Change, "14.00", b"\x1B@\x1Bs4\x1BQA14.00\r"),
    ] {
        bench.show(OnDisplay::Amount(lamp, sum.to_owned()));
        assert_eq!(until(&mut end, b"\r"), bytes);
        assert_eq!(displayed(&events), Ok(()));
    }
    drop(end);
    cable.socat.kill();
    bench.show(OnDisplay::Amount(Lamp::Total, "8.80".to_owned()));
    assert_eq!(displayed(&events), Err("DISPLAY_MISSING".to_owned()));
    let cable = Cable::plug(dir.path());
    let mut end = open(&cable);
    assert_eq!(
        until(&mut end, b"\r"),
        b"\x1B@\x1Bs2\x1BQA8.80\r",
        "what could not be shown is shown again by itself"
    );
}

#[test]
fn a_page_is_printed_the_drawer_opened_and_the_disk_written() {
    let dir = tempfile::tempdir().unwrap();
    let paper = dir.path().join("paper");
    let fitted = config::Devices {
        printer: Some(paper.display().to_string()),
        ..config::Devices::default()
    };
    let (sender, _events) = mpsc::channel();
    let bench = Workbench::of(&fitted, dir.path(), &sender);
    let printing = Printing::of(&fitted);
    bench.test(&Device::Printer, &printing).unwrap();
    let page = std::fs::read(&paper).unwrap();
    let has = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    // 打印测试 in GB18030, a raster picture of what the printer's own font lacks, a cut.
    assert!(has(&page, b"\xB4\xF2\xD3\xA1\xB2\xE2\xCA\xD4"));
    assert!(has(&page, b"\x1Dv0") && has(&page, b"\x1DV"));
    bench.test(&Device::Drawer, &printing).unwrap();
    let all = std::fs::read(&paper).unwrap();
    assert!(
        has(&all[page.len()..], b"\x1Bp\x00\x19\xFA"),
        "a pulse with both its times"
    );
    let told = bench.test(&Device::Disk, &printing).unwrap();
    assert!(told.contains("MiB"), "{told}");
    assert_eq!(
        std::fs::read_dir(dir.path()).unwrap().count(),
        1,
        "the disk's test leaves nothing"
    );
    let found = bench.look(&printing);
    assert_eq!((found.printer, found.module), (Some(Ok(())), None));
    assert!(found.free_bytes.unwrap() > 0);

    let gone = config::Devices {
        printer: Some(dir.path().join("nowhere/paper").display().to_string()),
        ..config::Devices::default()
    };
    let printing = Printing::of(&gone);
    let missing = Err("PRINTER_MISSING".to_owned());
    assert_eq!(bench.test(&Device::Printer, &printing), missing);
    assert_eq!(bench.test(&Device::Drawer, &printing), missing);
    let nowhere = Workbench::of(&gone, &dir.path().join("nowhere"), &sender);
    assert_eq!(
        nowhere.test(&Device::Disk, &printing),
        Err("DISK_ERROR".to_owned())
    );
}
