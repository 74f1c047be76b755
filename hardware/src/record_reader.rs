//! Reads single records of a selected social-security application, whichever addressing the card understands.
//!
//! Readers in the field address records in four ways: by tag or by number, in the selected file or by short file
//! identifier. By tag is the same on all generations; the numbers of the holder's file differ. So: by tag first,
//! the short way before the long one, and by number as the last resort, taking the tag from the record itself.

use zeroize::Zeroizing;

use crate::apdu::{Response, StatusWord, exchange, read_record, select_file};
use crate::card_error::{CardError, CardItem, CardStep, DataFault};
use crate::card_files::{CardFile, Place};
use crate::card_record::{split, value_of};
use crate::channel::CardChannel;

/// Highest record number tried in a file that is read by number.
const RECORD_NUMBER_MAX: u8 = 16;

type Value = Zeroizing<Vec<u8>>;

/// What a card said to the request for one record.
pub(crate) enum Record {
    /// Its value.
    Value(Value),
    /// There is none.
    Absent,
    /// There may be one, and the card does not show it without authentication.
    Hidden,
}

/// How a record is named: by tag or number, in the selected file or in one given by its short identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Addressing {
    ShortTag,
    SelectedTag,
    ShortNumber,
    SelectedNumber,
}

const ADDRESSINGS: [Addressing; 4] = [
    Addressing::ShortTag,
    Addressing::SelectedTag,
    Addressing::ShortNumber,
    Addressing::SelectedNumber,
];

pub(crate) struct RecordReader<'channel, C> {
    channel: &'channel mut C,
    /// The addressing that has worked, with the file it worked in.
    proven: Option<(CardFile, Addressing)>,
    selected: Option<CardFile>,
    /// All records of a file that had to be read by number.
    by_number: Option<(CardFile, Vec<(u8, Value)>)>,
}

impl<'channel, C: CardChannel> RecordReader<'channel, C> {
    pub(crate) fn new(channel: &'channel mut C) -> Self {
        Self {
            channel,
            proven: None,
            selected: None,
            by_number: None,
        }
    }

    pub(crate) fn channel(&mut self) -> &mut C {
        self.channel
    }

    /// Reads one item.
    pub(crate) fn read(&mut self, item: CardItem) -> Result<Record, CardError> {
        let Some(place) = item.place() else {
            return Ok(Record::Absent);
        };
        let proven = self.proven.map(|(_, addressing)| addressing);
        if self.is_proven(place.file)
            && let Some(addressing) = proven
        {
            return match self.read_addressed(item, place, addressing)? {
                Attempt::Answered(record) => Ok(record),
                Attempt::NotThisWay(status) => none_of(item, status),
            };
        }
        let mut refused = None;
        // What worked in the other file is tried first.
        let others = ADDRESSINGS.into_iter().filter(|other| Some(*other) != proven);
        for addressing in proven.into_iter().chain(others) {
            match self.read_addressed(item, place, addressing)? {
                Attempt::Answered(record) => {
                    self.proven = Some((place.file, addressing));
                    return Ok(record);
                }
                Attempt::NotThisWay(status) => refused = refused.or(status),
            }
        }
        none_of(item, refused)
    }

    /// Whether an addressing has worked in this file.
    fn is_proven(&self, file: CardFile) -> bool {
        self.proven.is_some_and(|(proven, _)| proven == file)
    }

    fn read_addressed(
        &mut self,
        item: CardItem,
        place: Place,
        addressing: Addressing,
    ) -> Result<Attempt, CardError> {
        let by_tag = matches!(addressing, Addressing::ShortTag | Addressing::SelectedTag);
        let short = matches!(addressing, Addressing::ShortTag | Addressing::ShortNumber);
        if !short && !self.select(place.file)? {
            return Ok(Attempt::NotThisWay(Some(StatusWord::FILE_NOT_FOUND)));
        }
        let file_in_p2 = if short { place.file.short_id_in_p2() } else { 0x00 };
        if !by_tag {
            return self.read_by_number(item, place, file_in_p2 | 0x04);
        }
        let answer = self.read_tag(place, file_in_p2)?;
        match answer.status.0 {
            RECORD | RECORD_SHORT => match value_of(&answer.data, place.tag) {
                Ok(value) => Ok(Attempt::Answered(Record::Value(Zeroizing::new(value.to_vec())))),
                // A card that took the tag for a number answers with another record.
                Err(DataFault::WrongTag { .. }) if !self.is_proven(place.file) => {
                    Ok(Attempt::NotThisWay(None))
                }
                Err(source) => Err(CardError::Unreadable { item, source }),
            },
            // No card hides its identification code.
            NOT_AUTHENTICATED if item != CardItem::CardSn => Ok(Attempt::Answered(Record::Hidden)),
            _ => Ok(Attempt::NotThisWay(Some(answer.status))),
        }
    }

    /// READ RECORD with the usual length, and without one where the card knows better and does not say what.
    fn read_tag(&mut self, place: Place, p2: u8) -> Result<Response, CardError> {
        let answer = exchange(
            self.channel,
            &read_record(place.tag, p2, place.length.saturating_add(2)),
        )?;
        if answer.status == StatusWord::WRONG_LENGTH {
            return exchange(self.channel, &read_record(place.tag, p2, 0x00));
        }
        Ok(answer)
    }

    /// Reads all records of a file by number, once, and looks the item up by its tag.
    fn read_by_number(&mut self, item: CardItem, place: Place, p2: u8) -> Result<Attempt, CardError> {
        if self
            .by_number
            .as_ref()
            .is_none_or(|(file, _)| *file != place.file)
        {
            let mut records = Vec::new();
            let mut hidden = false;
            for number in 1..=RECORD_NUMBER_MAX {
                let answer = exchange(self.channel, &read_record(number, p2, 0x00))?;
                match answer.status.0 {
                    RECORD | RECORD_SHORT if matches!(answer.data.first(), Some(0x00 | 0xFF)) => {}
                    RECORD | RECORD_SHORT => {
                        let (tag, value) =
                            split(&answer.data).map_err(|source| CardError::Unreadable { item, source })?;
                        records.push((tag, Zeroizing::new(value.to_vec())));
                    }
                    NOT_AUTHENTICATED => hidden = true,
                    _ if number == 1 => return Ok(Attempt::NotThisWay(Some(answer.status))),
                    _ => break,
                }
            }
            if records.is_empty() && hidden {
                return Ok(match item {
                    CardItem::CardSn => Attempt::NotThisWay(Some(StatusWord::SECURITY)),
                    _ => Attempt::Answered(Record::Hidden),
                });
            }
            self.by_number = Some((place.file, records));
        }
        let found = self
            .by_number
            .iter()
            .flat_map(|(_, records)| records)
            .find(|(tag, _)| *tag == place.tag);
        Ok(Attempt::Answered(found.map_or(Record::Absent, |(_, value)| {
            Record::Value(value.clone())
        })))
    }

    /// SELECT of a file, with P1 02 and, where the card wants it so, 00.
    fn select(&mut self, file: CardFile) -> Result<bool, CardError> {
        if self.selected == Some(file) {
            return Ok(true);
        }
        for p1 in [0x02, 0x00] {
            let status = exchange(self.channel, &select_file(p1, file.id()))?.status;
            if status == StatusWord::OK {
                self.selected = Some(file);
                return Ok(true);
            }
        }
        Ok(false)
    }
}

enum Attempt {
    Answered(Record),
    /// The card does not understand this addressing, or has no such record.
    NotThisWay(Option<StatusWord>),
}

/// 9000, and 6282: the record ends before Le; what came is all there is.
const RECORD: u16 = 0x9000;
const RECORD_SHORT: u16 = 0x6282;
/// 6982: not without authentication.
const NOT_AUTHENTICATED: u16 = 0x6982;

/// What it means that no addressing brought the record.
fn none_of(item: CardItem, refused: Option<StatusWord>) -> Result<Record, CardError> {
    match refused {
        None => Ok(Record::Absent),
        Some(status) => match status.0 {
            // No such file or record, or no such function.
            0x6700 | 0x6981 | 0x6986 | 0x6A80..=0x6A86 | 0x6B00 | 0x6D00 => Ok(Record::Absent),
            // 6985: conditions of use not satisfied.
            0x6985 if item != CardItem::CardSn => Ok(Record::Hidden),
            _ => Err(CardError::Refused {
                step: CardStep::Read(item),
                status,
            }),
        },
    }
}
