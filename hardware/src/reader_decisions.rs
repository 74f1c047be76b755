//! What follows from what is seen at the readers: events and cards to be read. No IO, no clock, no thread.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::card_error::CardError;
use crate::channel::ReaderFault;
use crate::pcsc::CardPresence;
use crate::reader_watch::{ReaderEvent, WatchSettings};
use crate::social_card::SocialCard;

/// What the service says at one moment.
#[derive(Debug)]
pub(crate) enum Sighting {
    ServiceDown,
    Readers(Vec<ReaderView>),
}

/// One reader at one moment.
#[derive(Debug, Clone)]
pub(crate) struct ReaderView {
    pub(crate) name: String,
    pub(crate) card: CardPresence,
    /// How many times a card came or went, as the service counts.
    pub(crate) changes: u32,
}

/// What follows from a sighting, a result or the time.
#[derive(Debug)]
pub(crate) enum Step {
    Tell(ReaderEvent),
    Read { reader: String, insertion: u64 },
}

#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) settings: WatchSettings,
    service: Option<bool>,
    slots: BTreeMap<String, Slot>,
    insertions: u64,
}

#[derive(Debug)]
struct Slot {
    changes: u32,
    card: CardState,
}

#[derive(Debug, Clone, Copy)]
enum CardState {
    Out,
    /// In, does not answer to power.
    Mute,
    Reading {
        insertion: u64,
        deadline: Instant,
    },
    /// Still being read after its deadline, which was told.
    Overdue {
        insertion: u64,
    },
    /// Not read because another program held it.
    Waiting,
    /// Read, or not to be read.
    Done,
}

impl Watch {
    pub(crate) fn new(settings: WatchSettings) -> Self {
        Self {
            settings,
            service: None,
            slots: BTreeMap::new(),
            insertions: 0,
        }
    }

    /// The next time at which [`Watch::pass_time`] has something to say.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.slots
            .values()
            .filter_map(|slot| match slot.card {
                CardState::Reading { deadline, .. } => Some(deadline),
                _ => None,
            })
            .min()
    }

    pub(crate) fn see(&mut self, sighting: Sighting, now: Instant) -> Vec<Step> {
        let mut steps = Vec::new();
        let views = match sighting {
            Sighting::ServiceDown => {
                self.drop_readers(|_| true, || ReaderFault::NoService, &mut steps);
                if self.service.replace(false) != Some(false) {
                    steps.push(Step::Tell(ReaderEvent::ServiceDown));
                }
                return steps;
            }
            Sighting::Readers(mut views) => {
                views.retain(|view| self.settings.watches(&view.name));
                views
            }
        };
        if self.service.replace(true) != Some(true) {
            steps.push(Step::Tell(ReaderEvent::ServiceUp));
        }
        let gone = |name: &str| !views.iter().any(|view| view.name == name);
        self.drop_readers(gone, || ReaderFault::NoReader, &mut steps);
        for view in views {
            self.see_reader(view, now, &mut steps);
        }
        steps
    }

    fn see_reader(&mut self, view: ReaderView, now: Instant, steps: &mut Vec<Step>) {
        let ReaderView { name, card, changes } = view;
        let slot = self.slots.entry(name.clone()).or_insert_with(|| {
            steps.push(Step::Tell(ReaderEvent::ReaderIn { reader: name.clone() }));
            Slot {
                changes,
                card: CardState::Out,
            }
        });
        // Out and in again between two sightings.
        let swapped = changes.wrapping_sub(slot.changes) >= 2;
        slot.changes = changes;
        if card == CardPresence::Empty || swapped {
            slot.take_out(&name, || ReaderFault::CardRemoved, steps);
        }
        if card == CardPresence::Empty {
            return;
        }
        if matches!(slot.card, CardState::Out) {
            steps.push(Step::Tell(ReaderEvent::CardIn { reader: name.clone() }));
        }
        match (slot.card, card) {
            (CardState::Out, CardPresence::Mute) => {
                slot.card = CardState::Mute;
                let error = ReaderFault::NoAnswer.into();
                steps.push(Step::Tell(ReaderEvent::CardFault { reader: name, error }));
            }
            (CardState::Out, _) | (CardState::Mute | CardState::Waiting, CardPresence::Present) => {
                self.insertions += 1;
                let insertion = self.insertions;
                slot.card = CardState::Reading {
                    insertion,
                    deadline: now + self.settings.read_deadline,
                };
                steps.push(Step::Read {
                    reader: name,
                    insertion,
                });
            }
            _ => {}
        }
    }

    pub(crate) fn read_ended(&mut self, insertion: u64, result: Result<SocialCard, CardError>) -> Vec<Step> {
        let slot = self
            .slots
            .iter_mut()
            .find(|(_, slot)| slot.insertion() == Some(insertion));
        // The card has gone meanwhile, and that was told.
        let Some((name, slot)) = slot else {
            return Vec::new();
        };
        let told = matches!(slot.card, CardState::Overdue { .. });
        slot.card = match &result {
            Err(CardError::Reader(ReaderFault::Busy)) => CardState::Waiting,
            _ => CardState::Done,
        };
        let reader = name.clone();
        match result {
            Ok(card) => vec![Step::Tell(ReaderEvent::CardRead {
                reader,
                card: Box::new(card),
            })],
            Err(_) if told => Vec::new(),
            Err(error) => vec![Step::Tell(ReaderEvent::CardFault { reader, error })],
        }
    }

    /// Tells which cards have not been read in time; `fault` knows why.
    pub(crate) fn pass_time(&mut self, now: Instant, fault: impl Fn(u64) -> ReaderFault) -> Vec<Step> {
        let mut steps = Vec::new();
        for (name, slot) in &mut self.slots {
            if let CardState::Reading { insertion, deadline } = slot.card
                && deadline <= now
            {
                slot.card = CardState::Overdue { insertion };
                let error = fault(insertion).into();
                steps.push(Step::Tell(ReaderEvent::CardFault {
                    reader: name.clone(),
                    error,
                }));
            }
        }
        steps
    }

    fn drop_readers(
        &mut self,
        gone: impl Fn(&str) -> bool,
        fault: fn() -> ReaderFault,
        steps: &mut Vec<Step>,
    ) {
        self.slots.retain(|name, slot| {
            let gone = gone(name);
            if gone {
                slot.take_out(name, fault, steps);
                steps.push(Step::Tell(ReaderEvent::ReaderOut { reader: name.clone() }));
            }
            !gone
        });
    }
}

impl Slot {
    fn insertion(&self) -> Option<u64> {
        match self.card {
            CardState::Reading { insertion, .. } | CardState::Overdue { insertion } => Some(insertion),
            _ => None,
        }
    }

    /// The card is gone; one that was being read is told as a fault first.
    fn take_out(&mut self, reader: &str, fault: fn() -> ReaderFault, steps: &mut Vec<Step>) {
        let before = std::mem::replace(&mut self.card, CardState::Out);
        let reader = reader.to_owned();
        if matches!(before, CardState::Reading { .. }) {
            steps.push(Step::Tell(ReaderEvent::CardFault {
                reader: reader.clone(),
                error: fault().into(),
            }));
        }
        if !matches!(before, CardState::Out) {
            steps.push(Step::Tell(ReaderEvent::CardOut { reader }));
        }
    }
}

#[cfg(test)]
#[path = "reader_decisions_tests.rs"]
mod tests;
