//! Transcripts of a conversation with a card: recorded by a channel around a channel, replayed strictly.
//!
//! The form is JSON Lines: first `{"atr":"…"}`, then one `{"tx":"…","rx":"…"}` for each command, in hexadecimal.
//! A transcript holds whatever the card holds. Only those of test cards may be kept.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::card_record::{from_hex, hex};
use crate::channel::{CardChannel, ReaderFault};

/// A recorded conversation. `Debug` shows only its length.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Transcript {
    atr: Vec<u8>,
    exchanges: Vec<(Vec<u8>, Vec<u8>)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    atr: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    tx: String,
    rx: String,
}

/// Why a transcript cannot be read, or why a replay is not the recorded conversation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TranscriptError {
    /// A line is not of the form.
    #[error("line {line} of the transcript cannot be read")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What the JSON reader says; absent where the hexadecimal is wrong.
        #[source]
        source: Option<serde_json::Error>,
    },
    /// The terminal sent another command than the recorded one, or one more.
    #[error("command {number} is not the recorded one")]
    Mismatch {
        /// Its number, from 1.
        number: usize,
    },
    /// The terminal stopped before the end.
    #[error("{left} recorded commands were not sent")]
    LeftOver {
        /// How many are left.
        left: usize,
    },
}

impl TranscriptError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Line { .. } => "TRANSCRIPT_INVALID",
            Self::Mismatch { .. } => "TRANSCRIPT_MISMATCH",
            Self::LeftOver { .. } => "TRANSCRIPT_LEFT_OVER",
        }
    }
}

impl From<TranscriptError> for ReaderFault {
    fn from(error: TranscriptError) -> Self {
        Self::Other {
            source: Box::new(error),
        }
    }
}

impl std::fmt::Debug for Transcript {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transcript")
            .field("exchanges", &self.exchanges.len())
            .finish_non_exhaustive()
    }
}

impl Transcript {
    /// What was sent to the card, in order.
    pub fn commands(&self) -> impl Iterator<Item = &[u8]> {
        self.exchanges.iter().map(|(sent, _)| sent.as_slice())
    }

    /// Reads the JSON Lines form.
    pub fn from_jsonl(text: &str) -> Result<Self, TranscriptError> {
        let mut lines = text.lines().enumerate();
        let (_, first) = lines.next().ok_or(TranscriptError::Line {
            line: 1,
            source: None,
        })?;
        let header: Header = parse(1, first)?;
        let atr = bytes(1, &header.atr)?;
        let mut exchanges = Vec::new();
        for (index, line) in lines {
            let Exchange { tx, rx } = parse(index + 1, line)?;
            exchanges.push((bytes(index + 1, &tx)?, bytes(index + 1, &rx)?));
        }
        Ok(Self { atr, exchanges })
    }

    /// Writes the JSON Lines form.
    pub fn to_jsonl(&self) -> String {
        let header = format!("{{\"atr\":\"{}\"}}\n", hex(&self.atr));
        self.exchanges.iter().fold(header, |text, (tx, rx)| {
            text + &format!("{{\"tx\":\"{}\",\"rx\":\"{}\"}}\n", hex(tx), hex(rx))
        })
    }

    /// How many commands were recorded.
    pub fn len(&self) -> usize {
        self.exchanges.len()
    }

    /// Whether no command was recorded.
    pub fn is_empty(&self) -> bool {
        self.exchanges.is_empty()
    }

    /// A channel that plays the card's part.
    pub fn replay(self) -> ReplayChannel {
        ReplayChannel {
            atr: self.atr,
            left: self.exchanges.into(),
            sent: 0,
        }
    }
}

fn parse<'text, T: Deserialize<'text>>(line: usize, text: &'text str) -> Result<T, TranscriptError> {
    serde_json::from_str(text).map_err(|source| TranscriptError::Line {
        line,
        source: Some(source),
    })
}

fn bytes(line: usize, text: &str) -> Result<Vec<u8>, TranscriptError> {
    from_hex(text).ok_or(TranscriptError::Line { line, source: None })
}

/// A channel that writes down what passes through it.
#[derive(Debug)]
pub struct RecordingChannel<C> {
    inner: C,
    transcript: Transcript,
}

impl<C: CardChannel> RecordingChannel<C> {
    /// Records the conversation with `inner`.
    pub fn new(inner: C) -> Self {
        let transcript = Transcript {
            atr: inner.atr().to_vec(),
            exchanges: Vec::new(),
        };
        Self { inner, transcript }
    }

    /// What was recorded so far.
    pub fn into_transcript(self) -> Transcript {
        self.transcript
    }
}

impl<C: CardChannel> CardChannel for RecordingChannel<C> {
    type Error = C::Error;

    fn atr(&self) -> &[u8] {
        self.inner.atr()
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, C::Error> {
        let answer = self.inner.transmit(command)?;
        self.transcript.exchanges.push((command.to_vec(), answer.clone()));
        Ok(answer)
    }
}

/// A channel that accepts the recorded commands only, in their order.
pub struct ReplayChannel {
    atr: Vec<u8>,
    left: VecDeque<(Vec<u8>, Vec<u8>)>,
    sent: usize,
}

impl std::fmt::Debug for ReplayChannel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReplayChannel")
            .field("sent", &self.sent)
            .field("left", &self.left.len())
            .finish()
    }
}

impl ReplayChannel {
    /// Ends the replay. Fails if a recorded command was not sent.
    pub fn finish(self) -> Result<(), TranscriptError> {
        match self.left.len() {
            0 => Ok(()),
            left => Err(TranscriptError::LeftOver { left }),
        }
    }
}

impl CardChannel for ReplayChannel {
    type Error = TranscriptError;

    fn atr(&self) -> &[u8] {
        &self.atr
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TranscriptError> {
        self.sent += 1;
        match self.left.pop_front() {
            Some((tx, rx)) if tx == command => Ok(rx),
            _ => Err(TranscriptError::Mismatch { number: self.sent }),
        }
    }
}
