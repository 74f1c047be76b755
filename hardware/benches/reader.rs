//! What reading a card costs beyond the reader's own time: the whole, from the card's coming to its data, against a
//! bare loop of the same commands through the same reader in the same run. Real pcscd, a virtual card that answers at
//! once. Prints rows for docs/benchmarks.md; run by `scripts/bench.sh`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a benchmark that cannot run must stop and say so"
)]

mod table;

use std::ffi::CString;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use pcsc::{Context, Disposition, Protocols, Scope, ShareMode};
use yijie_hardware::transcript::{RecordingChannel, Transcript};
use yijie_hardware::{
    PcscDaemon, ReaderEvent, Shown, VPCD_ADDRESS, VirtualCard, VpcdLock, WatchSettings, read_in_reader,
    read_social_card, watch_readers,
};

const READER: &str = "Virtual PCD 00 00";
const ROUNDS: usize = 200;
const CARDS: usize = 15;
const WAIT: Duration = Duration::from_secs(30);

fn card() -> VirtualCard {
    VirtualCard::from_json(r#"{"version": "2.00"}"#).unwrap()
}

fn main() {
    let _lock = VpcdLock::acquire().unwrap();
    let _daemon = (!PcscDaemon::running()).then(|| PcscDaemon::start().unwrap());
    let commands = commands();
    println!("commands to a 2.0 card\t{}", commands.len());

    let (told, events) = mpsc::channel();
    let watch = watch_readers(WatchSettings::default(), move |event| {
        let _ = told.send((Instant::now(), event));
    })
    .unwrap();
    let mut seen = Vec::new();
    for _ in 0..CARDS {
        let inserted = card().insert(VPCD_ADDRESS).unwrap();
        let mut came = None;
        loop {
            match events.recv_timeout(WAIT).unwrap() {
                (at, ReaderEvent::CardIn { .. }) => came = Some(at),
                (at, ReaderEvent::CardRead { .. }) => {
                    seen.push(at.duration_since(came.unwrap()));
                    break;
                }
                (_, ReaderEvent::CardFault { error, .. }) => panic!("{error}"),
                _ => {}
            }
        }
        drop(inserted);
        while !matches!(
            events.recv_timeout(WAIT).unwrap(),
            (_, ReaderEvent::CardOut { .. })
        ) {}
    }
    drop(watch);

    let _inserted = card().insert(VPCD_ADDRESS).unwrap();
    read_in_reader(Some(READER), &Shown::default(), WAIT).unwrap();
    let (mut bare, mut whole) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bare.push(bare_loop(&commands));
        let begin = Instant::now();
        read_in_reader(Some(READER), &Shown::default(), WAIT).unwrap();
        whole.push(begin.elapsed());
    }
    let bare = table::print("the reader's own time: the commands alone", bare);
    let whole = table::print(
        "one read: service, connection, transaction, commands, decoding",
        whole,
    );
    let seen = table::print("card in to person read, by the watch", seen);
    println!(
        "beyond the reader's own time, one read\tp50 {:.2?}",
        whole.saturating_sub(bare)
    );
    println!(
        "beyond the reader's own time, by the watch\tp50 {:.2?}",
        seen.saturating_sub(bare)
    );
}

/// The commands that reading this card takes.
fn commands() -> Vec<Vec<u8>> {
    let mut recording = RecordingChannel::new(card().in_process());
    read_social_card(&mut recording, None).unwrap();
    let transcript: Transcript = recording.into_transcript();
    transcript.commands().map(<[u8]>::to_vec).collect()
}

/// The commands through the reader and nothing else.
fn bare_loop(commands: &[Vec<u8>]) -> Duration {
    let context = Context::establish(Scope::User).unwrap();
    let reader = CString::new(READER).unwrap();
    let card = context
        .connect(&reader, ShareMode::Shared, Protocols::ANY)
        .unwrap();
    let mut answer = [0; 258];
    let begin = Instant::now();
    for command in commands {
        card.transmit(command, &mut answer).unwrap();
    }
    let took = begin.elapsed();
    card.disconnect(Disposition::LeaveCard)
        .map_err(|(_, error)| error)
        .unwrap();
    took
}
