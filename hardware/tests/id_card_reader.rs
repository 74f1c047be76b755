//! The identity-card reader against a module written for this test from the published frames, at a pseudo-terminal.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong here fails the test"
)]

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use yijie_hardware::{IdCard, IdReaderEvent, VirtualScanner, read_id_card, watch_id_reader};

const HANG: Duration = Duration::from_secs(20);

/// What the module answers now.
#[derive(Clone, Copy, PartialEq)]
enum Desk {
    Empty,
    Card,
    Unselectable,
    Silent,
    Noisy,
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// 256 bytes of text as iconv writes them: fields padded with spaces, UTF-16LE.
fn text() -> Vec<u8> {
    let fields = [
        ("欧阳𠮷", 30),
        ("2", 2),
        ("01", 4),
        ("19491231", 16),
        ("云南省昆明市五华区翠湖南路1号", 70),
        ("11010519491231002X", 36),
        ("昆明市公安局五华分局", 30),
        ("20200101", 16),
        ("长期", 16),
        ("", 36),
    ];
    let mut bytes = Vec::new();
    for (field, length) in fields {
        let end = bytes.len() + length;
        for unit in field.encode_utf16() {
            bytes.extend(unit.to_le_bytes());
        }
        while bytes.len() < end {
            bytes.extend([0x20, 0x00]);
        }
    }
    assert_eq!(bytes.len(), 256);
    bytes
}

fn whole_card() -> Vec<u8> {
    let mut frame = hex("AAAAAA9669 0508 000090 0100 0400");
    frame.extend(text());
    frame.extend([0x5A; 1024]);
    let sum = frame[5..].iter().fold(0, |sum, byte| sum ^ byte);
    frame.push(sum);
    assert_eq!(frame.len(), 1295);
    frame
}

/// A SAM-V module; its answers come in small pieces.
fn module(desk: Arc<Mutex<Desk>>) -> String {
    let mut port = VirtualScanner::open().unwrap();
    let path = port.path().to_owned();
    thread::spawn(move || {
        let mut asked = Vec::new();
        loop {
            asked.extend(port.receive().unwrap());
            let now = *desk.lock().unwrap();
            let frames = [
                hex("AAAAAA96690003200122"),
                hex("AAAAAA96690003200221"),
                hex("AAAAAA96690003300132"),
            ];
            let Some(question) = frames.iter().position(|frame| asked.ends_with(frame)) else {
                continue;
            };
            asked.clear();
            let answer = match (now, question) {
                (Desk::Silent, _) => continue,
                (Desk::Empty, 0) => hex("AAAAAA9669000400008084"),
                (Desk::Noisy, 0) => [vec![0x00, 0xAA, 0x96], hex("AAAAAA9669000400008084")].concat(),
                (_, 0) => hex("AAAAAA9669000800009F0000000097"),
                (Desk::Unselectable, _) => hex("AAAAAA9669000400008185"),
                (_, 1) => hex("AAAAAA9669000C00009000000000000000009C"),
                _ => whole_card(),
            };
            for piece in answer.chunks(100) {
                port.send(piece).unwrap();
            }
        }
    });
    path
}

fn check(card: &IdCard) {
    assert_eq!(card.name, "欧阳𠮷");
    assert_eq!(card.sex, "2");
    assert_eq!(card.nation, "01");
    assert_eq!(card.birth_date, "19491231");
    assert_eq!(card.address, "云南省昆明市五华区翠湖南路1号");
    assert_eq!(card.id_no, "11010519491231002X");
    assert_eq!(card.issuer, "昆明市公安局五华分局");
    assert_eq!(card.valid_from, "20200101");
    assert_eq!(card.valid_until, "长期");
    assert_eq!(format!("{card:?}"), "IdCard(…)");
}

#[test]
fn a_card_is_found_selected_and_read() {
    let desk = Arc::new(Mutex::new(Desk::Card));
    let path = module(desk.clone());
    check(&read_id_card(&path).unwrap().unwrap());
    *desk.lock().unwrap() = Desk::Empty;
    assert_eq!(read_id_card(&path).unwrap(), None);
    *desk.lock().unwrap() = Desk::Noisy;
    assert_eq!(
        read_id_card(&path).unwrap(),
        None,
        "noise before a frame is read over"
    );
    *desk.lock().unwrap() = Desk::Unselectable;
    assert_eq!(read_id_card(&path).unwrap_err().code(), "ID_CARD_REFUSED");
    *desk.lock().unwrap() = Desk::Silent;
    assert_eq!(read_id_card(&path).unwrap_err().code(), "ID_READER_NO_ANSWER");
    assert_eq!(
        read_id_card("/dev/pts/99999").unwrap_err().code(),
        "ID_READER_MISSING"
    );
}

#[test]
fn a_card_is_told_once_each_time_it_is_laid_on_and_a_lost_reader_comes_back() {
    let desk = Arc::new(Mutex::new(Desk::Empty));
    let path = module(desk.clone());
    let (told, events) = mpsc::channel();
    let _watch = watch_id_reader(&path, move |event| drop(told.send(event))).unwrap();
    let next = || events.recv_timeout(HANG).unwrap();
    assert!(matches!(next(), IdReaderEvent::Ready));
    for _ in 0..2 {
        *desk.lock().unwrap() = Desk::Card;
        match next() {
            IdReaderEvent::Read(card) => check(&card),
            other => panic!("{other:?}"),
        }
        thread::sleep(Duration::from_millis(700));
        assert!(events.try_recv().is_err(), "a card that lies there is told once");
        *desk.lock().unwrap() = Desk::Empty;
        thread::sleep(Duration::from_millis(700));
    }
    *desk.lock().unwrap() = Desk::Unselectable;
    assert!(matches!(next(), IdReaderEvent::Fault { error } if error.code() == "ID_CARD_REFUSED"));
    *desk.lock().unwrap() = Desk::Silent;
    assert!(matches!(next(), IdReaderEvent::Lost { error } if error.code() == "ID_READER_NO_ANSWER"));
    *desk.lock().unwrap() = Desk::Empty;
    assert!(matches!(next(), IdReaderEvent::Ready));
}
