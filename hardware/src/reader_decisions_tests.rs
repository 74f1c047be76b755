//! Tests of the watch's decisions, without readers and without waiting.

use std::time::Duration;

use super::*;
use crate::virtual_card::VirtualCard;

const DEADLINE: Duration = Duration::from_secs(5);

struct Desk {
    watch: Watch,
    now: Instant,
}

impl Desk {
    fn new() -> Self {
        Self {
            watch: Watch::new(WatchSettings {
                read_deadline: DEADLINE,
                ..WatchSettings::default()
            }),
            now: Instant::now(),
        }
    }

    fn see(&mut self, card: CardPresence, changes: u32) -> Vec<String> {
        let view = ReaderView {
            name: "R".to_owned(),
            card,
            changes,
        };
        say(self.watch.see(Sighting::Readers(vec![view]), self.now))
    }

    fn ended(&mut self, insertion: u64, result: Result<SocialCard, CardError>) -> Vec<String> {
        say(self.watch.read_ended(insertion, result))
    }

    fn pass(&mut self, time: Duration) -> Vec<String> {
        self.now += time;
        say(self.watch.pass_time(self.now, |_| ReaderFault::NoAnswer))
    }
}

fn say(steps: Vec<Step>) -> Vec<String> {
    steps
        .into_iter()
        .map(|step| match step {
            Step::Read { insertion, .. } => format!("start {insertion}"),
            Step::Tell(ReaderEvent::ServiceDown) => "down".to_owned(),
            Step::Tell(ReaderEvent::ServiceUp) => "up".to_owned(),
            Step::Tell(ReaderEvent::ReaderIn { .. }) => "reader".to_owned(),
            Step::Tell(ReaderEvent::ReaderOut { .. }) => "no reader".to_owned(),
            Step::Tell(ReaderEvent::CardIn { .. }) => "in".to_owned(),
            Step::Tell(ReaderEvent::CardOut { .. }) => "out".to_owned(),
            Step::Tell(ReaderEvent::CardRead { .. }) => "read".to_owned(),
            Step::Tell(ReaderEvent::CardFault { error, .. }) => error.code().to_owned(),
        })
        .collect()
}

fn card() -> Result<SocialCard, CardError> {
    crate::read_social_card(&mut VirtualCard::from_json("{}").unwrap().in_process(), None)
}

const NOTHING: [&str; 0] = [];

#[test]
fn one_card_from_in_to_out() {
    let mut desk = Desk::new();
    assert_eq!(desk.see(CardPresence::Empty, 0), ["up", "reader"]);
    assert_eq!(desk.see(CardPresence::Empty, 0), NOTHING);
    assert_eq!(desk.see(CardPresence::Present, 1), ["in", "start 1"]);
    // Our own conversation changes the reader's state too.
    assert_eq!(desk.see(CardPresence::Present, 1), NOTHING);
    assert_eq!(desk.ended(1, card()), ["read"]);
    assert_eq!(desk.ended(1, card()), NOTHING, "a result counts once");
    assert_eq!(desk.pass(DEADLINE * 2), NOTHING);
    assert_eq!(desk.see(CardPresence::Empty, 2), ["out"]);
}

#[test]
fn a_card_changed_between_two_sightings_is_another_card() {
    let mut desk = Desk::new();
    assert_eq!(
        desk.see(CardPresence::Present, 1),
        ["up", "reader", "in", "start 1"]
    );
    assert_eq!(desk.ended(1, card()), ["read"]);
    assert_eq!(desk.see(CardPresence::Present, 3), ["out", "in", "start 2"]);
    // And while it is read: the first card's result must not be taken for the second's.
    assert_eq!(
        desk.see(CardPresence::Present, 5),
        ["CARD_REMOVED", "out", "in", "start 3"]
    );
    assert_eq!(desk.ended(2, card()), NOTHING);
    assert_eq!(desk.ended(3, card()), ["read"]);
}

#[test]
fn a_late_card_is_a_fault_once_and_may_still_be_read() {
    let mut desk = Desk::new();
    assert_eq!(
        desk.see(CardPresence::Present, 1),
        ["up", "reader", "in", "start 1"]
    );
    assert_eq!(desk.watch.next_deadline(), Some(desk.now + DEADLINE));
    assert_eq!(desk.pass(DEADLINE - Duration::from_millis(1)), NOTHING);
    assert_eq!(desk.pass(Duration::from_millis(1)), ["CARD_NO_ANSWER"]);
    assert_eq!(desk.watch.next_deadline(), None);
    assert_eq!(desk.pass(DEADLINE), NOTHING);
    assert_eq!(desk.ended(1, card()), ["read"]);

    assert_eq!(desk.see(CardPresence::Present, 3), ["out", "in", "start 2"]);
    assert_eq!(desk.pass(DEADLINE), ["CARD_NO_ANSWER"]);
    assert_eq!(
        desk.ended(2, Err(ReaderFault::NoAnswer.into())),
        NOTHING,
        "told already"
    );
    assert_eq!(desk.see(CardPresence::Empty, 4), ["out"]);
}

#[test]
fn a_busy_card_is_tried_again_when_it_is_free_and_a_mute_one_when_it_speaks() {
    let mut desk = Desk::new();
    assert_eq!(
        desk.see(CardPresence::HeldByOther, 1),
        ["up", "reader", "in", "start 1"]
    );
    assert_eq!(desk.ended(1, Err(ReaderFault::Busy.into())), ["READER_BUSY"]);
    assert_eq!(desk.see(CardPresence::HeldByOther, 1), NOTHING);
    assert_eq!(desk.see(CardPresence::Present, 1), ["start 2"]);
    assert_eq!(desk.ended(2, card()), ["read"]);
    assert_eq!(desk.see(CardPresence::Empty, 2), ["out"]);

    assert_eq!(desk.see(CardPresence::Mute, 3), ["in", "CARD_NO_ANSWER"]);
    assert_eq!(desk.see(CardPresence::Mute, 3), NOTHING);
    assert_eq!(desk.see(CardPresence::Present, 3), ["start 3"]);
    assert_eq!(desk.ended(3, card()), ["read"]);
}

#[test]
fn readers_and_service_going_end_what_they_held() {
    let mut desk = Desk::new();
    assert_eq!(
        desk.see(CardPresence::Present, 1),
        ["up", "reader", "in", "start 1"]
    );
    assert_eq!(
        say(desk.watch.see(Sighting::Readers(vec![]), desk.now)),
        ["NO_READER", "out", "no reader"]
    );
    assert_eq!(desk.see(CardPresence::Present, 0), ["reader", "in", "start 2"]);
    let down = |desk: &mut Desk| say(desk.watch.see(Sighting::ServiceDown, desk.now));
    assert_eq!(down(&mut desk), ["NO_PCSC_SERVICE", "out", "no reader", "down"]);
    assert_eq!(down(&mut desk), NOTHING);
    assert_eq!(desk.ended(2, card()), NOTHING);
    assert_eq!(desk.see(CardPresence::Empty, 0), ["up", "reader"]);
    assert_eq!(
        down(&mut Desk::new()),
        ["down"],
        "a watch begins with what is the case"
    );
}
