//! A social-security card written for the tests alone, from raw bytes: it shares no code with the crate, so that
//! reader and virtual card do not only agree with each other.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its own part of the card"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test support: what goes wrong here fails the test"
)]

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use yijie_hardware::CardChannel;

pub const SSSE: &[u8] = b"sx1.sh.\xC9\xE7\xBB\xE1\xB1\xA3\xD5\xCF";

/// The ways a card may let records be addressed, as bits 3 and (short file id) of P2 say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    TagSelected,
    TagShort,
    NumberSelected,
    NumberShort,
}

pub const ALL_WAYS: [Way; 4] = [
    Way::TagSelected,
    Way::TagShort,
    Way::NumberSelected,
    Way::NumberShort,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// The card never answers.
    Silence,
    /// The card is pulled instead of answering.
    Pull,
}

#[derive(Debug, Clone)]
pub struct ForeignCard {
    pub atr: Vec<u8>,
    pub ef05: Vec<Vec<u8>>,
    pub ef06: Vec<Vec<u8>>,
    pub ways: BTreeSet<Way>,
    /// Tags answered with 6982.
    pub hidden: Vec<u8>,
    /// P1 accepted by SELECT of a file.
    pub select_p1: Vec<u8>,
    /// Every record takes a GET RESPONSE, in pieces of this many bytes.
    pub piecewise: Option<usize>,
    /// The record's length is one byte more than the usual: the usual Le is wrong.
    pub odd_lengths: bool,
    /// What the card says to an addressing it does not know, and to a Le that is not exact (none: 6Cxx).
    pub unknown_way: u16,
    pub wrong_le: Option<u16>,
    /// Application names that can be selected.
    pub applications: Vec<Vec<u8>>,
    /// What SELECT says where the name is unknown.
    pub unknown_application: u16,
    pub pin: [u8; 3],
    pub pin_tries: u8,
    /// What happens at the n-th command (from 1) after power-on.
    pub mishap: Option<(usize, Mishap)>,
    pub log: Arc<Mutex<Vec<Vec<u8>>>>,
    selected: bool,
    file: u8,
    pending: Vec<u8>,
    commands: usize,
}

fn record(tag: u8, value: &[u8], length: usize, pad: u8) -> Vec<u8> {
    let mut bytes = vec![tag, length as u8];
    bytes.extend_from_slice(value);
    bytes.resize(length + 2, pad);
    bytes
}

impl ForeignCard {
    /// A card of generation 2.0 or 3.0: EF06 with the name extension in third place.
    pub fn new(version: &[u8; 4]) -> Self {
        let sn = [
            0x63, 0x99, 0x00, 0xD1, 0x56, 0x00, 0x00, 0x05, 0x00, 0xBF, 0x7C, 0x7A, 0x48, 0xFB, 0x49, 0x66,
        ];
        let mut card = Self {
            atr: hex("3B6D000000814E43238697159900BF7C7A"),
            ef05: vec![
                record(0x01, &sn, 16, 0xFF),
                record(0x02, b"3", 1, 0),
                record(0x03, version, 4, 0),
                record(0x04, &[0x63, 0x99, 0x00], 12, 0xFF),
                record(0x05, &[0x20, 0x21, 0x12, 0x03], 4, 0xFF),
                record(0x06, &[0x20, 0x31, 0x12, 0x02], 4, 0xFF),
                record(0x07, b"X00000019", 9, 0),
            ],
            ef06: vec![
                record(0x08, b"11010519491231002X", 18, 0),
                // 王小明
                record(0x09, b"\xCD\xF5\xD0\xA1\xC3\xF7", 30, 0),
                record(0x4E, b"", 20, 0xFF),
                record(0x0A, b"2", 1, 0),
                record(0x0B, &[0x01], 1, 0xFF),
                record(0x0C, &[0x11, 0x01, 0x05], 3, 0xFF),
                record(0x0D, &[0x19, 0x49, 0x12, 0x31], 4, 0xFF),
            ],
            ways: ALL_WAYS.into(),
            hidden: Vec::new(),
            select_p1: vec![0x00, 0x02],
            piecewise: None,
            odd_lengths: false,
            unknown_way: 0x6A86,
            wrong_le: None,
            applications: vec![SSSE.to_vec()],
            unknown_application: 0x6A82,
            pin: [0x12, 0x34, 0x56],
            pin_tries: 3,
            mishap: None,
            log: Arc::default(),
            selected: false,
            file: 0,
            pending: Vec::new(),
            commands: 0,
        };
        if version[0] == b'1' {
            card.ef06.remove(2);
        }
        if version[0] == b'3' {
            card.hidden = vec![0x07, 0x08, 0x09, 0x4E];
        }
        card
    }

    /// Replaces the record of a tag.
    pub fn with(mut self, tag: u8, value: &[u8], length: usize, pad: u8) -> Self {
        for bytes in self.ef05.iter_mut().chain(&mut self.ef06) {
            if bytes[0] == tag {
                *bytes = record(tag, value, length, pad);
            }
        }
        self
    }

    pub fn without(mut self, tag: u8) -> Self {
        self.ef05.retain(|bytes| bytes[0] != tag);
        self.ef06.retain(|bytes| bytes[0] != tag);
        self
    }

    pub fn commands_sent(&self) -> usize {
        self.log.lock().unwrap().len()
    }

    fn power(&mut self) {
        self.selected = false;
        self.file = 0;
        self.pending.clear();
        self.commands = 0;
    }

    fn answer(&mut self, apdu: &[u8]) -> Result<Vec<u8>, Mishap> {
        self.log.lock().unwrap().push(apdu.to_vec());
        self.commands += 1;
        if let Some((at, mishap)) = self.mishap
            && at == self.commands
        {
            return Err(mishap);
        }
        Ok(self.answer_in_time(apdu))
    }

    fn answer_in_time(&mut self, apdu: &[u8]) -> Vec<u8> {
        let sw = |sw: u16| sw.to_be_bytes().to_vec();
        if apdu.len() < 5 {
            return sw(0x6700);
        }
        let (ins, p1, p2, p3) = (apdu[1], apdu[2], apdu[3], apdu[4]);
        match ins {
            0xA4 if p1 == 4 => {
                let name = apdu[5..5 + usize::from(p3)].to_vec();
                if !self.applications.contains(&name) {
                    return sw(self.unknown_application);
                }
                self.selected = name == SSSE;
                self.pending = vec![0x6F, 0x02, 0x84, 0x00];
                vec![0x61, 0x04]
            }
            _ if !self.selected => sw(0x6A82),
            0xA4 if !self.select_p1.contains(&p1) => sw(0x6A86),
            0xA4 => match apdu[5..] {
                [0xEF, 0x05] => {
                    self.file = 5;
                    sw(0x9000)
                }
                [0xEF, 0x06] => {
                    self.file = 6;
                    sw(0x9000)
                }
                _ => sw(0x6A82),
            },
            0xB2 => self.read(p1, p2, p3),
            0xC0 => {
                if self.pending.is_empty() {
                    return sw(0x6985);
                }
                if usize::from(p3) > self.pending.len() {
                    return vec![0x6C, self.pending.len() as u8];
                }
                let mut piece: Vec<u8> = self.pending.drain(..usize::from(p3)).collect();
                match (self.pending.len(), self.piecewise) {
                    (0, _) => piece.extend([0x90, 0x00]),
                    (left, size) => piece.extend([0x61, left.min(size.unwrap_or(left)) as u8]),
                }
                piece
            }
            0x20 => {
                if self.pin_tries == 0 {
                    return sw(0x6983);
                }
                if apdu[5..] == self.pin {
                    return sw(0x9000);
                }
                self.pin_tries -= 1;
                sw(0x63C0 | u16::from(self.pin_tries))
            }
            _ => sw(0x6D00),
        }
    }

    fn read(&mut self, p1: u8, p2: u8, le: u8) -> Vec<u8> {
        let sw = |sw: u16| sw.to_be_bytes().to_vec();
        let way = match (p2 >> 3, p2 & 7) {
            (0, 0) => Way::TagSelected,
            (_, 0) => Way::TagShort,
            (0, 4) => Way::NumberSelected,
            (_, 4) => Way::NumberShort,
            _ => return sw(0x6A86),
        };
        if !self.ways.contains(&way) {
            return sw(self.unknown_way);
        }
        let file = match (p2 >> 3, self.file) {
            (0, selected) => selected,
            (short, _) => short,
        };
        let records = match file {
            5 => &self.ef05,
            6 => &self.ef06,
            _ => return sw(0x6A82),
        };
        let found = match way {
            Way::TagSelected | Way::TagShort => records.iter().find(|bytes| bytes[0] == p1),
            Way::NumberSelected | Way::NumberShort => records.get(usize::from(p1).wrapping_sub(1)),
        };
        let Some(found) = found else { return sw(0x6A83) };
        if self.hidden.contains(&found[0]) {
            return sw(0x6982);
        }
        let mut bytes = found.clone();
        if self.odd_lengths {
            bytes.push(0x00);
        }
        if let Some(size) = self.piecewise {
            let first = bytes.len().min(size) as u8;
            self.pending = bytes;
            return vec![0x61, first];
        }
        if le != 0 && usize::from(le) != bytes.len() {
            return self.wrong_le.map_or(vec![0x6C, bytes.len() as u8], sw);
        }
        bytes.extend([0x90, 0x00]);
        bytes
    }

    /// Puts the card into the virtual reader at a port.
    pub fn insert(self, port: u16) -> ForeignInserted {
        let stream = TcpStream::connect(("127.0.0.1", port))
            .expect("the virtual reader listens (Debian package vsmartcard-vpcd)");
        let served = stream.try_clone().unwrap();
        let mut card = self;
        let thread = std::thread::spawn(move || card.serve(served));
        ForeignInserted {
            stream,
            thread: Some(thread),
        }
    }

    fn serve(&mut self, mut stream: TcpStream) {
        loop {
            let mut length = [0; 2];
            quick(&stream);
            if stream.read_exact(&mut length).is_err() {
                return;
            }
            let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
            quick(&stream);
            if stream.read_exact(&mut message).is_err() {
                return;
            }
            let answer = match message[..] {
                [4] => self.atr.clone(),
                [_] => {
                    self.power();
                    continue;
                }
                _ => match self.answer(&message) {
                    Ok(answer) => answer,
                    Err(Mishap::Pull) => {
                        stream.shutdown(Shutdown::Both).unwrap();
                        return;
                    }
                    Err(Mishap::Silence) => continue,
                },
            };
            let mut bytes = (answer.len() as u16).to_be_bytes().to_vec();
            bytes.extend(answer);
            if stream.write_all(&bytes).is_err() {
                return;
            }
        }
    }
}

fn quick(stream: &TcpStream) {
    socket2::SockRef::from(stream).set_tcp_quickack(true).unwrap();
}

pub fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|index| u8::from_str_radix(&text[index * 2..index * 2 + 2], 16).unwrap())
        .collect()
}

/// In the reader until dropped.
pub struct ForeignInserted {
    stream: TcpStream,
    thread: Option<JoinHandle<()>>,
}

impl Drop for ForeignInserted {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl CardChannel for ForeignCard {
    type Error = Infallible;

    fn atr(&self) -> &[u8] {
        &self.atr
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, Infallible> {
        Ok(self.answer(command).expect("mishaps are for the virtual reader"))
    }
}
