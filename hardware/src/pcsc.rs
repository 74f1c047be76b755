//! Card readers of the machine, through PC/SC.
//!
//! A command to a card can block without limit, and nothing frees the thread but the card's answer or its removal.
//! So every conversation runs in a thread of its own, and who asked waits no longer than the deadline.

use std::ffi::{CStr, CString};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use ::pcsc::{
    Card, Context, Disposition, Error, PNP_NOTIFICATION, Protocols, Scope, ShareMode, State, Transaction,
};
use serde::Serialize;

use crate::card_error::CardError;
use crate::card_record::hex;
use crate::channel::{CardChannel, ReaderFault};
use crate::pin::Pin;
use crate::psam::{AuthRequest, Psam, SecurityModule};
use crate::reader_decisions::{ReaderView, Sighting};
use crate::social_card::{SocialCard, read_with_module};

/// How long the service may take to see that a card came or went.
const CARD_SETTLE: Duration = Duration::from_millis(1500);
/// Pause between two tries to reach the service.
const SERVICE_PAUSE: Duration = Duration::from_millis(200);
/// Pause between two tries to reach a card that is in use or lost contact.
const RETRY_PAUSE: Duration = Duration::from_millis(50);
/// Longest wait for news from the service; what is missed in between is seen then.
const NEWS_WAIT: Duration = Duration::from_millis(500);
/// Longest answer of a card without extended length.
const ANSWER_LENGTH_MAX: usize = 258;

/// What is in a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CardPresence {
    /// Nothing.
    Empty,
    /// A card.
    Present,
    /// A card that does not answer to power: upside down, dirty or broken.
    Mute,
    /// A card that another program holds for itself.
    HeldByOther,
}

/// A reader, and what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReaderState {
    /// Name of the reader, as the service gives it.
    pub name: String,
    /// What is in it.
    pub card: CardPresence,
    /// Answer to reset of the card, hexadecimal; empty without a card.
    pub atr: String,
}

impl From<Error> for ReaderFault {
    fn from(error: Error) -> Self {
        match error {
            Error::NoService | Error::ServiceStopped | Error::CommError => Self::NoService,
            Error::NoReadersAvailable | Error::UnknownReader | Error::ReaderUnavailable => Self::NoReader,
            Error::NoSmartcard => Self::NoCard,
            Error::RemovedCard => Self::CardRemoved,
            Error::SharingViolation => Self::Busy,
            Error::ResetCard => Self::CardReset,
            Error::NotTransacted | Error::UnresponsiveCard | Error::UnpoweredCard => Self::NoAnswer,
            other => Self::Other {
                source: Box::new(other),
            },
        }
    }
}

/// The readers of the machine and what is in them.
pub fn list_readers() -> Result<Vec<ReaderState>, ReaderFault> {
    states_of(&Context::establish(Scope::User)?)
}

fn states_of(context: &Context) -> Result<Vec<ReaderState>, ReaderFault> {
    let mut states: Vec<_> = names_of(context)?
        .into_iter()
        .map(|name| ::pcsc::ReaderState::new(name, State::UNAWARE))
        .collect();
    if !states.is_empty() {
        context.get_status_change(Duration::ZERO, &mut states)?;
    }
    Ok(states
        .iter()
        .map(|state| ReaderState {
            name: text(state.name()),
            card: presence(state.event_state()),
            atr: hex(state.atr()),
        })
        .collect())
}

fn names_of(context: &Context) -> Result<Vec<CString>, Error> {
    match context.list_readers_owned() {
        Err(Error::NoReadersAvailable) => Ok(Vec::new()),
        names => names,
    }
}

fn presence(state: State) -> CardPresence {
    match state {
        state if !state.contains(State::PRESENT) => CardPresence::Empty,
        state if state.contains(State::MUTE) => CardPresence::Mute,
        state if state.contains(State::EXCLUSIVE) => CardPresence::HeldByOther,
        _ => CardPresence::Present,
    }
}

/// What is shown to a card.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// The holder's PIN.
    pub pin: Option<Pin>,
    /// The reader with the security module, for cards of generation 3.0.
    pub psam: Option<String>,
}

/// Reads the social-security card in the reader of this name, or in the first reader that holds one.
/// Waits a moment for a card just put in, and in all no longer than `deadline`.
pub fn read_in_reader(
    name: Option<&str>,
    shown: &Shown,
    deadline: Duration,
) -> Result<SocialCard, CardError> {
    let until = Instant::now() + deadline;
    let mut readers = readers_with_card(name, until.min(Instant::now() + CARD_SETTLE))?;
    readers.retain(|reader| name.is_some() || shown.psam.as_ref() != Some(reader));
    let mut first_error = None;
    for reader in readers {
        match read_until(reader, shown, until) {
            Ok(card) => return Ok(card),
            // A PIN is shown to one card only.
            Err(error) if shown.pin.is_some() => return Err(error),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(first_error.unwrap_or(CardError::Reader(ReaderFault::NoCard)))
}

fn readers_with_card(name: Option<&str>, until: Instant) -> Result<Vec<String>, ReaderFault> {
    let context = Context::establish(Scope::User)?;
    loop {
        let mut readers = states_of(&context)?;
        readers.retain(|reader| name.is_none_or(|name| reader.name == name));
        if readers.is_empty() {
            return Err(ReaderFault::NoReader);
        }
        readers.retain(|reader| reader.card != CardPresence::Empty);
        if !readers.is_empty() {
            return Ok(readers.into_iter().map(|reader| reader.name).collect());
        }
        if Instant::now() >= until {
            return Err(ReaderFault::NoCard);
        }
        thread::sleep(RETRY_PAUSE);
    }
}

fn read_until(reader: String, shown: &Shown, until: Instant) -> Result<SocialCard, CardError> {
    let patience = until.saturating_duration_since(Instant::now());
    let (sender, receiver) = mpsc::channel();
    let reading = start_reading(reader, shown.clone(), patience, move |result| {
        // Nobody listens any more once the deadline has passed.
        let _ = sender.send(result);
    })?;
    receiver
        .recv_timeout(patience)
        .unwrap_or_else(|_| Err(reading.overdue().into()))
}

/// A conversation that goes on in its own thread.
#[derive(Debug)]
pub(crate) struct Reading {
    talking: Arc<AtomicBool>,
}

impl Reading {
    /// Why the conversation has not ended by now: no answer from the card, or never our turn.
    pub(crate) fn overdue(&self) -> ReaderFault {
        if self.talking.load(Ordering::Acquire) {
            ReaderFault::NoAnswer
        } else {
            ReaderFault::Busy
        }
    }
}

/// Starts to read the card in a reader. `done` is called once, from the conversation's thread.
pub(crate) fn start_reading(
    reader: String,
    shown: Shown,
    patience: Duration,
    done: impl FnOnce(Result<SocialCard, CardError>) + Send + 'static,
) -> Result<Reading, ReaderFault> {
    let talking = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&talking);
    thread::Builder::new()
        .name("card-reading".to_owned())
        .spawn(move || done(read_patiently(&reader, &shown, Instant::now() + patience, &told)))
        .map_err(|error| ReaderFault::Other {
            source: Box::new(error),
        })?;
    Ok(Reading { talking })
}

/// Reads the card, and begins anew after what may pass: another program holds or resets the card, contact is lost.
fn read_patiently(
    reader: &str,
    shown: &Shown,
    until: Instant,
    talking: &AtomicBool,
) -> Result<SocialCard, CardError> {
    let reader = CString::new(reader).map_err(|_| ReaderFault::NoReader)?;
    let context = Context::establish(Scope::User).map_err(ReaderFault::from)?;
    // When contact to the card was first lost.
    let mut lost: Option<Instant> = None;
    loop {
        let result = match (context.connect(&reader, ShareMode::Shared, Protocols::ANY), lost) {
            // A PIN is not shown again by itself: the try that lost contact may have counted.
            (Ok(_), Some(_)) if shown.pin.is_some() => return Err(ReaderFault::NoAnswer.into()),
            (Ok(card), _) => converse(card, &context, shown, talking),
            (Err(Error::NoSmartcard), Some(_)) => Err(ReaderFault::CardRemoved.into()),
            (Err(error), _) => Err(ReaderFault::from(error).into()),
        };
        let now = Instant::now();
        let out_of_time = now + RETRY_PAUSE >= until;
        match result {
            Err(CardError::Reader(ReaderFault::Busy)) if !out_of_time => {}
            // It takes the service a while to see that a card has gone; until then the card just does not answer.
            Err(CardError::Reader(fault @ (ReaderFault::NoAnswer | ReaderFault::CardReset))) => {
                let since = *lost.get_or_insert(now);
                if out_of_time || now.duration_since(since) >= CARD_SETTLE {
                    return Err(fault.into());
                }
            }
            result => return result,
        }
        thread::sleep(RETRY_PAUSE);
    }
}

/// One conversation, in a transaction, so that no other program's command comes between.
fn converse(
    mut card: Card,
    context: &Context,
    shown: &Shown,
    talking: &AtomicBool,
) -> Result<SocialCard, CardError> {
    let pin = shown.pin.as_ref();
    let mut psam = shown.psam.as_deref().map(|reader| PsamReader { context, reader });
    let module = psam.as_mut().map(|psam| psam as &mut dyn SecurityModule);
    let result = card
        .transaction()
        .map_err(|error| CardError::Reader(error.into()))
        .and_then(|transaction| {
            talking.store(true, Ordering::Release);
            let atr = transaction
                .status2_owned()
                .map_err(ReaderFault::from)?
                .atr()
                .to_vec();
            read_with_module(&mut PcscChannel { transaction, atr }, pin, module)
        });
    // A shown PIN must not stay valid for the next program. Failing to let go changes nothing of what was read.
    let _ = card.disconnect(if pin.is_some() {
        Disposition::ResetCard
    } else {
        Disposition::LeaveCard
    });
    result
}

/// A security module in a reader; it is only spoken to when a card asks for it.
struct PsamReader<'context> {
    context: &'context Context,
    reader: &'context str,
}

impl PsamReader<'_> {
    fn ask<T>(
        &self,
        question: impl FnOnce(&mut Psam<PcscChannel<'_>>) -> Result<T, CardError>,
    ) -> Result<T, CardError> {
        let reader = CString::new(self.reader).map_err(|_| CardError::ModuleMissing)?;
        let connected = self.context.connect(&reader, ShareMode::Shared, Protocols::ANY);
        let mut module = connected.map_err(|_| CardError::ModuleMissing)?;
        let transaction = module.transaction().map_err(ReaderFault::from)?;
        let atr = Vec::new();
        question(&mut Psam(PcscChannel { transaction, atr }))
    }
}

impl SecurityModule for PsamReader<'_> {
    fn cryptogram(&mut self, request: &AuthRequest) -> Result<[u8; 8], CardError> {
        self.ask(|module| module.cryptogram(request))
    }
}

/// Whether a security module answers in this reader.
pub fn check_module(reader: &str) -> Result<(), CardError> {
    let context = Context::establish(Scope::User).map_err(ReaderFault::from)?;
    let reader = PsamReader {
        context: &context,
        reader,
    };
    reader.ask(|module| module.select())
}

struct PcscChannel<'card> {
    transaction: Transaction<'card>,
    atr: Vec<u8>,
}

impl CardChannel for PcscChannel<'_> {
    type Error = Error;

    fn atr(&self) -> &[u8] {
        &self.atr
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, Error> {
        let mut answer = zeroize::Zeroizing::new([0; ANSWER_LENGTH_MAX]);
        match self.transaction.transmit(command, answer.as_mut_slice())? {
            // So the driver answers for a card that is being pulled: without a status word.
            [] | [_] => Err(Error::NotTransacted),
            answer => Ok(answer.to_vec()),
        }
    }
}

/// Tells what the service sees, again and again, until `stop`: `tell` gets every change, and at times no change.
pub(crate) fn sight_readers(stop: &AtomicBool, mut tell: impl FnMut(Sighting)) {
    while !stop.load(Ordering::Acquire) {
        if let Ok(context) = Context::establish(Scope::User) {
            // It ends when the service goes away; a context does not survive its service.
            let _ = sight_with(&context, stop, &mut tell);
        }
        if !stop.load(Ordering::Acquire) {
            tell(Sighting::ServiceDown);
            thread::sleep(SERVICE_PAUSE);
        }
    }
}

fn sight_with(context: &Context, stop: &AtomicBool, tell: &mut impl FnMut(Sighting)) -> Result<(), Error> {
    let mut states = vec![::pcsc::ReaderState::new(PNP_NOTIFICATION(), State::UNAWARE)];
    while !stop.load(Ordering::Acquire) {
        let names = names_of(context)?;
        let is_plug = |state: &::pcsc::ReaderState| state.name() == PNP_NOTIFICATION();
        states.retain(|state| is_plug(state) || names.iter().any(|name| name.as_c_str() == state.name()));
        for name in names {
            if !states.iter().any(|state| state.name() == name.as_c_str()) {
                states.push(::pcsc::ReaderState::new(name, State::UNAWARE));
            }
        }
        match context.get_status_change(NEWS_WAIT, &mut states) {
            Ok(()) | Err(Error::Timeout) => {}
            // A reader went away between the two calls.
            Err(Error::UnknownReader | Error::ReaderUnavailable) => continue,
            Err(error) => return Err(error),
        }
        let views = states.iter().filter(|state| !is_plug(state)).map(view).collect();
        for state in &mut states {
            state.sync_current_state();
        }
        tell(Sighting::Readers(views));
    }
    Ok(())
}

fn view(state: &::pcsc::ReaderState) -> ReaderView {
    ReaderView {
        name: text(state.name()),
        card: presence(state.event_state()),
        changes: state.event_count(),
    }
}

fn text(name: &CStr) -> String {
    name.to_string_lossy().into_owned()
}
