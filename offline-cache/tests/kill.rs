//! A process that writes is killed at a random moment, again and again on one data directory: what it had acknowledged
//! is there, in order, and journal and store agree. A second process on the directory is refused.

#![expect(
    clippy::print_stdout,
    reason = "the killed process and the test tell over their output"
)]
#![expect(clippy::unwrap_used, reason = "a test, though with a main of its own")]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, thread};

use common::{Dice, draft, entries, small_segments, vault};
use yijie_offline_cache::{Change, DataLock, Entry, Journal, Key, Store, verify};

const SEGMENT_BYTES_MAX: u64 = 40_000;
const IN_USE: i32 = 17;

fn main() {
    let mut arguments = env::args().skip(1);
    if arguments.next().as_deref() == Some("write") {
        write_until_killed(Path::new(&arguments.next().unwrap()));
    }
    let mut dice = Dice::new("kill");
    let rounds: usize = env::var("YIJIE_ROUNDS").map_or(25, |rounds| rounds.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    let mut torn = 0;
    for round in 0..rounds {
        let mut child = start(dir.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        lines.read_line(&mut first).unwrap();
        assert!(!first.is_empty(), "round {round}: the writer did not start");
        if round == 0 {
            check_second_process_is_refused(dir.path());
        }
        thread::sleep(Duration::from_micros(dice.below(60_000) as u64));
        child.kill().unwrap();
        child.wait().unwrap();
        let mut rest = String::new();
        lines.read_to_string(&mut rest).unwrap();
        // The last line may have been cut by the kill; a whole one ends with its newline.
        let whole = rest.rsplit_once('\n').map_or("", |(whole, _)| whole);
        acknowledged.extend([first.trim()].into_iter().chain(whole.lines()).map(parse));
        torn += usize::from(check_nothing_lost(dir.path(), &acknowledged));
    }
    println!(
        "{rounds} kills: {} acknowledged entries, 0 lost; {torn} torn tails cut",
        acknowledged.len()
    );
    assert!(acknowledged.len() > rounds * 4);
}

fn start(dir: &Path) -> Child {
    let program = env::current_exe().unwrap();
    Command::new(program)
        .arg("write")
        .arg(dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn check_second_process_is_refused(dir: &Path) {
    assert_eq!(DataLock::acquire(dir).unwrap_err().code(), "DATA_DIR_IN_USE");
    assert_eq!(start(dir).wait().unwrap().code(), Some(IN_USE));
}

fn parse(line: &str) -> (u64, String) {
    let (seq, body) = line.split_once(' ').unwrap();
    (seq.parse().unwrap(), body.to_owned())
}

fn check_nothing_lost(dir: &Path, acknowledged: &[(u64, String)]) -> bool {
    let _lock = DataLock::acquire(dir).unwrap();
    let vault = vault(dir);
    let (journal, opened) = Journal::open_with(dir, &vault, small_segments(SEGMENT_BYTES_MAX)).unwrap();
    let found = entries(&journal, 1);
    for (seq, body) in acknowledged {
        assert_eq!(
            found.get(*seq as usize - 1).map(|entry| entry.body.as_slice()),
            Some(body.as_bytes())
        );
    }
    let (store, _) = Store::open(dir, &vault).unwrap();
    assert!(
        store.applied_seq() <= opened.last_seq,
        "the store may lag behind the journal, not run ahead"
    );
    catch_up(&journal, &store);
    let in_store: Vec<_> = store
        .scan("entries")
        .unwrap()
        .map(|pair| pair.unwrap().1)
        .collect();
    assert!(in_store.iter().eq(found.iter().map(|entry| &entry.body)));
    drop(journal);
    assert_eq!(verify(dir, Some(&vault)).unwrap().entries, opened.last_seq);
    opened.torn.is_some()
}

fn catch_up(journal: &Journal, store: &Store) {
    for entry in entries(journal, store.applied_seq() + 1) {
        store
            .apply(entry.seq, &[put(&entry, &entry.seq.to_be_bytes())])
            .unwrap();
    }
}

fn put<'a>(entry: &'a Entry, key: &'a [u8]) -> Change<'a> {
    Change::Put {
        tree: "entries",
        key: Key::Plain(key),
        value: &entry.body,
    }
}

/// Four threads append and tell each entry once it is acknowledged; a fifth brings the store after.
fn write_until_killed(dir: &Path) -> ! {
    let Ok(_lock) = DataLock::acquire(dir) else {
        std::process::exit(IN_USE)
    };
    let vault = vault(dir);
    let (journal, _) = Journal::open_with(dir, &vault, small_segments(SEGMENT_BYTES_MAX)).unwrap();
    let (store, _) = Store::open(dir, &vault).unwrap();
    let start = journal.last().map_or(0, |last| last.0);
    thread::scope(|scope| {
        for writer in 0..4 {
            let journal = &journal;
            scope.spawn(move || {
                for number in 0_u64.. {
                    let body = format!(
                        "{start}/{writer}/{number}/{}",
                        "x".repeat(number as usize * 37 % 900)
                    );
                    let entry = journal.append(draft(body.as_bytes())).unwrap();
                    let line = format!("{} {body}\n", entry.seq);
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                    std::io::stdout().flush().unwrap();
                }
            });
        }
        loop {
            catch_up(&journal, &store);
        }
    })
}
