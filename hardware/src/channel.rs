//! The port to a card: bytes out, bytes back, and how a reader can break.

use std::error::Error;

/// What carries command APDUs to one powered card.
pub trait CardChannel {
    /// How this channel breaks; it says nothing about what the card answered.
    type Error: Into<ReaderFault>;

    /// The answer to reset of the card.
    fn atr(&self) -> &[u8];

    /// Sends one command APDU and returns the whole answer, status word included.
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, Self::Error>;
}

/// The reader, its service or the contact to the card failed: the card itself has refused nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReaderFault {
    /// The smart-card service of the machine does not run.
    #[error("the smart-card service does not run")]
    NoService,
    /// No reader is connected, or none of the wanted name.
    #[error("no card reader is connected")]
    NoReader,
    /// The reader is empty.
    #[error("no card in the reader")]
    NoCard,
    /// The card was pulled before the reading ended.
    #[error("the card was pulled while it was being read")]
    CardRemoved,
    /// Another program holds the card or the reader.
    #[error("another program is using the card reader")]
    Busy,
    /// Another program reset the card, again and again.
    #[error("another program reset the card")]
    CardReset,
    /// The card did not answer in time, or not at all.
    #[error("the card does not answer")]
    NoAnswer,
    /// Anything else the reader's driver reported.
    #[error("the card reader failed")]
    Other {
        /// What the driver or the service said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl ReaderFault {
    /// The stable code of this fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoService => "NO_PCSC_SERVICE",
            Self::NoReader => "NO_READER",
            Self::NoCard => "NO_CARD",
            Self::CardRemoved => "CARD_REMOVED",
            Self::Busy => "READER_BUSY",
            Self::CardReset => "CARD_RESET",
            Self::NoAnswer => "CARD_NO_ANSWER",
            Self::Other { .. } => "READER_FAULT",
        }
    }
}
