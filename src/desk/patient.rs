//! Who is served: card in, code scanned, the agency asked, the answer verified. The sale starts by itself.

use yijie_agency::{
    AgencyRefusal, Answer, Cause as Failure, Credential, DecodedPerson, InsuredRow, PersonRecord, SoldCode,
};
use yijie_hardware::{CodeKind, IdReaderEvent, ReaderEvent, Scan, ScannerEvent, SocialCard};
use yijie_rules::{Cause, Institution, Note, Person, Stamp, Visit, check_person};

use super::approval::{self, Deed};
use super::verify::{self, Shown};
use super::{Effect, Health, Level, Notice, Page, State, bill, devices, offline};
use crate::clock;
use crate::record::{Agent, Record};

/// The patient at the counter.
#[derive(Debug, Clone, Default)]
pub enum Patient {
    /// Nobody.
    #[default]
    None,
    /// A credential was shown.
    Checking {
        /// What it says so far.
        shown: Shown,
        /// Who is being asked: an answer about anything else is late and does not count.
        asked: Asked,
    },
    /// Verified: lines may be sold.
    Verified(Box<Verified>),
    /// Not served under insurance; why, and what was shown.
    Refused(Notice, Shown),
}

/// Who is asked about a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// The card, what stands on it.
    Card,
    /// The agency, to decode this medical-insurance code.
    Code(String),
    /// The agency, else the books, for the record of the person.
    Person(Credential),
}

/// A verified patient.
#[derive(Debug, Clone)]
pub struct Verified {
    /// What was shown.
    pub credential: Credential,
    /// What it says.
    pub shown: Shown,
    /// The agency's record.
    pub record: PersonRecord,
    /// The person as the rules see them.
    pub person: Person,
    /// When the record was taken.
    pub record_ms: i64,
    /// From the books, not asked just now.
    pub from_snapshot: bool,
    /// What the rules want told (a suspension …).
    pub notes: Vec<Note>,
    /// The card was taken out after it was read.
    pub card_out: bool,
}

impl Verified {
    /// The agency knows an insurance of the person; without one the customer pays all.
    #[must_use]
    pub fn insured(&self) -> bool {
        !self.record.insuinfo.is_empty()
    }

    /// Name as the agency keeps it, else as it was shown.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        let recorded = &self.record.baseinfo.psn_name;
        let known = (!recorded.is_empty()).then(|| recorded.clone());
        known.or_else(|| self.shown.name.clone())
    }
}

impl Asked {
    /// Whether it ends when the card is taken out.
    fn of_card(&self) -> bool {
        matches!(self, Asked::Card | Asked::Person(Credential::Card { .. }))
    }
}

/// An insured person's lines stand on the bill: nobody else can be served. A recalled bill waits for anyone, and a cash
/// customer's becomes insured when a card is shown before the money is taken.
pub(super) fn mid_bill(state: &State) -> bool {
    let paying = state.pay.sale.is_some();
    matches!(&state.patient, Patient::Verified(verified) if verified.insured() || paying)
        && !state.bill.lines.is_empty()
}

/// What was shown with the credential, if its person is the one being asked for.
fn shown_with(state: &State, credential: &Credential) -> Option<Shown> {
    match &state.patient {
        Patient::Checking {
            shown,
            asked: Asked::Person(asked),
        } if asked == credential => Some(shown.clone()),
        _ => None,
    }
}

/// The reader told something.
pub(super) fn reader(state: &mut State, event: ReaderEvent) -> Vec<Effect> {
    devices::reader(state, &event);
    match event {
        ReaderEvent::ServiceDown => no_reader(state, "NO_PCSC_SERVICE"),
        // Another reader is still there.
        ReaderEvent::ReaderOut { .. } if !state.devices.readers.is_empty() => {
            state.reader.set(Health::Ok, "");
        }
        ReaderEvent::ServiceUp | ReaderEvent::ReaderOut { .. } => no_reader(state, "NO_READER"),
        ReaderEvent::ReaderIn { .. } => {
            state.mended(&["NO_READER", "NO_PCSC_SERVICE"]);
            state.reader.set(Health::Ok, "");
        }
        ReaderEvent::CardIn { .. } => {
            state.reader.set(Health::Busy, "");
            if state.page == Page::Counter && matches!(state.patient, Patient::None | Patient::Refused(..)) {
                state.patient = Patient::Checking {
                    shown: Shown::default(),
                    asked: Asked::Card,
                };
                state.notice = None;
            }
        }
        ReaderEvent::CardRead { card, .. } => {
            state.reader.set(Health::Ok, "");
            return card_read(state, &card);
        }
        ReaderEvent::CardFault { error, .. } => {
            state.reader.set(Health::Warning, error.code());
            if state.operator.is_some() && state.page != Page::Devices {
                if matches!(&state.patient, Patient::Checking { asked, .. } if asked.of_card()) {
                    state.patient = Patient::None;
                }
                return state.fail(error.code());
            }
        }
        ReaderEvent::CardOut { .. } => {
            state.reader.set(Health::Ok, "");
            return card_out(state);
        }
    }
    Vec::new()
}

/// Without a reader the till goes on with codes; what to do about it is told once.
fn no_reader(state: &mut State, code: &str) {
    state.reader.set(Health::Fault, code);
    state.tell(Level::Warning, code);
}

fn card_out(state: &mut State) -> Vec<Effect> {
    state.card_waiting = None;
    if state.page == Page::Receipt {
        state.next_patient();
        return Vec::new();
    }
    match &mut state.patient {
        Patient::Checking { asked, .. } if asked.of_card() => {
            state.patient = Patient::None;
            state.tell(Level::Warning, "CARD_REMOVED");
        }
        Patient::Verified(verified) if matches!(verified.credential, Credential::Card { .. }) => {
            verified.card_out = true;
            if state.bill.lines.is_empty() && !state.pay.committing() {
                state.next_patient();
            }
        }
        Patient::Refused(..) => state.patient = Patient::None,
        _ => {}
    }
    Vec::new()
}

pub(super) fn card_read(state: &mut State, card: &SocialCard) -> Vec<Effect> {
    if !state.sells() || state.page == Page::Devices {
        state.card_waiting = Some(Box::new(card.clone()));
        return Vec::new();
    }
    if state.page == Page::Receipt {
        state.next_patient();
    }
    match verify::card(card, clock::today(state.now_ms), &state.setup.lost_cards) {
        Ok((credential, shown)) => {
            let mid_bill = mid_bill(state);
            if let Patient::Verified(verified) = &mut state.patient {
                if verified.insured() && verified.shown.id_no == shown.id_no {
                    verified.card_out = false;
                    state.notice = None;
                    return Vec::new();
                }
                if mid_bill {
                    return state.fail("OTHER_PERSON_MID_BILL");
                }
            }
            ask_shown(state, credential, shown)
        }
        Err(notice) if mid_bill(state) => {
            state.notice = Some(notice);
            Vec::new()
        }
        Err(notice) => refuse(
            state,
            notice,
            Shown {
                id_no: card.id_no.clone(),
                name: card.name.clone(),
                ..Shown::default()
            },
        ),
    }
}

/// The identity-card reader told something: a card is a citizen number, shown and not only typed.
pub(super) fn id_reader(state: &mut State, event: IdReaderEvent) -> Vec<Effect> {
    if devices::id_reader(state, &event) {
        return Vec::new();
    }
    match event {
        IdReaderEvent::Ready => state.mended(&["ID_READER_MISSING", "ID_READER_BUSY", "ID_READER_NO_ANSWER"]),
        IdReaderEvent::Lost { error } | IdReaderEvent::Fault { error } => {
            state.tell(Level::Warning, error.code());
        }
        IdReaderEvent::Read(_) if !state.sells() => {}
        IdReaderEvent::Read(_) if state.page != Page::Counter => return state.fail("SCAN_NOT_HERE"),
        IdReaderEvent::Read(card) => match verify::id_number(&card.id_no) {
            Ok(()) => return id_typed(state, &card.id_no),
            Err(notice) => state.notice = Some(notice),
        },
    }
    Vec::new()
}

/// The scanner told something.
pub(super) fn scanner(state: &mut State, event: ScannerEvent) -> Vec<Effect> {
    match event {
        ScannerEvent::Opened => {
            let told = state.scanner.code.clone();
            state.mended(&[told.as_str()]);
            state.scanner.set(Health::Ok, "");
        }
        ScannerEvent::Lost { error } => {
            state.scanner.set(Health::Fault, error.code());
            state.tell(Level::Warning, error.code());
        }
        ScannerEvent::Garbage => {
            state.scanner.set(Health::Warning, "SCANNER_GARBAGE");
            if state.operator.is_some() {
                state.tell(Level::Warning, "SCANNER_GARBAGE");
            }
        }
        ScannerEvent::Scanned(scan) => {
            state.scanner.set(Health::Ok, "");
            return scanned(state, &scan);
        }
    }
    Vec::new()
}

fn scanned(state: &mut State, scan: &Scan) -> Vec<Effect> {
    if devices::scanned(state, scan) || !state.sells() {
        return Vec::new();
    }
    if state.page == Page::Receipt {
        state.next_patient();
    }
    if state.page != Page::Counter {
        return state.fail("SCAN_NOT_HERE");
    }
    match &scan.kind {
        CodeKind::InsuranceCode => code(state, &scan.text),
        CodeKind::IdNumber => id_typed(state, &scan.text),
        CodeKind::Gs1 {
            gtin: Some(gtin),
            lot,
            expires_on,
            serial,
        } => {
            let pack = SoldCode {
                code: serial.clone().unwrap_or_default(),
                lot: lot.clone().unwrap_or_default(),
                expires_on: expires_on.map(|day| day.to_string()).unwrap_or_default(),
                ..SoldCode::default()
            };
            bill::accept_pack(state, gtin.trim_start_matches('0'), pack)
        }
        _ => bill::accept(state, &scan.text),
    }
}

/// A medical-insurance code: opaque here, the agency decodes it.
fn code(state: &mut State, text: &str) -> Vec<Effect> {
    if mid_bill(state) {
        return state.fail("OTHER_PERSON_MID_BILL");
    }
    state.patient = Patient::Checking {
        shown: Shown::default(),
        asked: Asked::Code(text.to_owned()),
    };
    state.notice = None;
    asks_for_insurance(state);
    vec![Effect::Decode(text.to_owned())]
}

pub(super) fn decoded(state: &mut State, code: &str, answer: Answer<DecodedPerson>) -> Vec<Effect> {
    if !matches!(&state.patient, Patient::Checking { asked: Asked::Code(asked), .. } if asked == code) {
        return Vec::new();
    }
    match answer {
        Answer::Done(person) => {
            state.line_up();
            if let Err(notice) = verify::id_number(&person.id_no) {
                return refuse(state, notice, Shown::default());
            }
            let shown = Shown {
                id_no: Some(person.id_no.clone()),
                name: Some(person.name.clone()),
                ..Shown::default()
            };
            ask_shown(
                state,
                Credential::Token {
                    ec_token: person.ec_token.clone(),
                },
                shown,
            )
        }
        Answer::Refused(refusal) => refuse(
            state,
            Notice::new(Level::Error, "CODE_NOT_ACCEPTED").about(refusal.message),
            Shown::default(),
        ),
        Answer::NotSent(cause) | Answer::Unknown(cause) => {
            state.line_down(cause.code());
            let today = clock::today(state.now_ms);
            let (allowed, limits) =
                offline::for_one_unknown(&state.setup.packs, &state.setup.institution.area, today);
            let notice = Notice::new(Level::Error, allowed).about(limits);
            refuse(state, notice, Shown::default())
        }
    }
}

/// A citizen number as the last resort: a supervisor approves it first.
pub(super) fn id_typed(state: &mut State, text: &str) -> Vec<Effect> {
    if mid_bill(state) {
        return state.fail("OTHER_PERSON_MID_BILL");
    }
    approval::ask(state, Deed::IdNumber(text.to_owned()))
}

/// Asks the agency about a person who showed no more than a number.
pub(super) fn ask(state: &mut State, credential: Credential) -> Vec<Effect> {
    let shown = Shown {
        id_no: Some(credential.cert_no().to_owned()),
        ..Shown::default()
    };
    ask_shown(state, credential, shown)
}

fn ask_shown(state: &mut State, credential: Credential, shown: Shown) -> Vec<Effect> {
    state.notice = None;
    state.awaiting_approval = None;
    state.patient = Patient::Checking {
        shown,
        asked: Asked::Person(credential.clone()),
    };
    if !matches!(state.page, Page::Counter | Page::Pay | Page::Receipt) {
        state.page = Page::Counter;
    }
    asks_for_insurance(state);
    vec![Effect::AskPerson(credential)]
}

/// What stands on the bill is no cash customer's any more.
fn asks_for_insurance(state: &mut State) {
    state.bill.self_pay = None;
    bill::resplit(state);
}

fn refuse(state: &mut State, notice: Notice, shown: Shown) -> Vec<Effect> {
    state.patient = Patient::Refused(notice.clone(), shown);
    state.notice = Some(notice);
    Vec::new()
}

/// The customer pays all of the bill: by choice, because insurance refuses, or because nothing was shown. What was
/// shown stands on the slip.
pub(super) fn pays_all(state: &mut State) -> Vec<Effect> {
    let (reason, shown) = match &state.patient {
        Patient::Checking { .. } => return Vec::new(),
        Patient::Verified(_) => {
            state.bill.self_pay = Some("SELF_PAY_CHOSEN".to_owned());
            state.notice = None;
            bill::resplit(state);
            return Vec::new();
        }
        Patient::Refused(notice, shown) => (notice.code.clone(), shown.clone()),
        Patient::None => ("SELF_PAY_CHOSEN".to_owned(), Shown::default()),
    };
    state.patient = Patient::Verified(Box::new(Verified {
        credential: Credential::IdNumber {
            certno: shown.id_no.clone().unwrap_or_default(),
        },
        shown,
        person: PersonRecord::default().to_rules_person(&InsuredRow::default()),
        record: PersonRecord::default(),
        record_ms: state.now_ms,
        from_snapshot: false,
        notes: Vec::new(),
        card_out: false,
    }));
    state.bill.self_pay = Some(reason);
    state.bill.disease = None;
    state.bill.emergency = false;
    state.notice = None;
    bill::resplit(state);
    Vec::new()
}

pub(super) fn answered(
    state: &mut State,
    credential: &Credential,
    answer: Answer<PersonRecord>,
) -> Vec<Effect> {
    let Some(shown) = shown_with(state, credential) else {
        return Vec::new();
    };
    match answer {
        Answer::Done(record) => {
            state.line_up();
            let keep = Effect::Write(Box::new(Record::Person {
                person: Box::new(record.clone()),
            }));
            let now_ms = state.now_ms;
            let mut effects = vec![keep];
            effects.extend(verified(state, credential, shown, record, now_ms, false));
            effects
        }
        Answer::Refused(AgencyRefusal { message, .. }) => {
            state.line_up();
            refuse(
                state,
                Notice::new(Level::Error, "PERSON_NOT_FOUND").about(message),
                shown,
            )
        }
        Answer::NotSent(cause @ Failure::RequestInvalid { .. }) => refuse(
            state,
            Notice::new(Level::Error, cause.code()).about(cause.to_string()),
            shown,
        ),
        Answer::NotSent(cause) | Answer::Unknown(cause) => {
            state.line_down(cause.code());
            vec![Effect::FindSnapshot(credential.clone())]
        }
    }
}

pub(super) fn snapshot(
    state: &mut State,
    credential: &Credential,
    found: Option<(i64, Box<PersonRecord>)>,
) -> Vec<Effect> {
    let Some(shown) = shown_with(state, credential) else {
        return Vec::new();
    };
    match found {
        Some((taken_ms, record)) => verified(state, credential, shown, *record, taken_ms, true),
        None => refuse(state, Notice::new(Level::Error, "OFFLINE_PERSON_UNKNOWN"), shown),
    }
}

fn verified(
    state: &mut State,
    credential: &Credential,
    shown: Shown,
    record: PersonRecord,
    record_ms: i64,
    from_snapshot: bool,
) -> Vec<Effect> {
    if let Err(notice) = verify::agree(&shown, &record, clock::today(state.now_ms)) {
        return refuse(state, notice, shown);
    }
    let Some(person) =
        verify::insured(&record, &state.setup.packs, &visit(state)).map(|row| record.to_rules_person(row))
    else {
        return refuse(state, Notice::new(Level::Error, "NOT_INSURED"), shown);
    };
    match check_person(&state.setup.packs, &person, &institution(state), &visit(state)) {
        Err(refusal) => refuse(
            state,
            Notice::new(Level::Error, refusal.code()).about(refusal.article),
            shown,
        ),
        Ok(notes) => {
            let told = notes
                .first()
                .map(|note| Notice::new(Level::Warning, note.code.as_str()).about(note.article.as_str()));
            state.awaiting_approval = None;
            state.patient = Patient::Verified(Box::new(Verified {
                credential: credential.clone(),
                shown,
                record,
                person,
                record_ms,
                from_snapshot,
                notes,
                card_out: false,
            }));
            state.notice = told;
            bill::resplit(state);
            Vec::new()
        }
    }
}

/// Someone collects for the patient: both identities are needed.
pub(super) fn agent(state: &mut State, agent: Agent) -> Vec<Effect> {
    if let Err(notice) = verify::id_number(&agent.id_no) {
        state.notice = Some(Notice {
            code: "AGENT_ID_WRONG".to_owned(),
            ..notice
        });
        return Vec::new();
    }
    if agent.name.trim().is_empty() {
        return state.fail("AGENT_NAME_MISSING");
    }
    if let Patient::Verified(verified) = &state.patient
        && verified.record.baseinfo.certno.eq_ignore_ascii_case(&agent.id_no)
    {
        return state.fail("AGENT_IS_PATIENT");
    }
    state.bill.agent = Some(agent);
    state.notice = None;
    Vec::new()
}

/// The institution as the rules see it.
pub(super) fn institution(state: &State) -> Institution {
    let own = &state.setup.institution;
    Institution {
        fixmedins_code: own.code.as_str().into(),
        fixmedins_type: Some(own.kind.as_str().into()),
        medinslv: own.level.as_deref().map(Into::into),
        fund_settlement_suspended: None,
    }
}

/// The visit as the rules see it, now.
pub(super) fn visit(state: &State) -> Visit {
    Visit {
        med_type: state.bill.med_type(&state.setup.institution).into(),
        begntime: Stamp(clock::beijing(state.now_ms)),
        enddate: None,
        setl_time: None,
        dise_codg: state.bill.disease.as_deref().map(Into::into),
        cause: Cause::Illness,
        prehospital_120: false,
        internet_hospital: false,
        rx_circ_flag: None,
        rxno: None,
        prescriber_medinslv: None,
        registered_referral: None,
        mdtrtarea_admvs: Some(state.setup.institution.area.as_str().into()),
        // a counter of several desks knows neither; a hospital's own program says them
        practitioner: None,
        department: None,
    }
}
