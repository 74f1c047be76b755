//! The client of the national interface: one mutual-TLS connection pool, one method a transaction.

mod carrier;
mod find;
mod header;
mod http;
mod questions;
mod sale;
mod session;
mod settings;
mod statements;
mod visit;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use header::Headers;
use http::{Http, Post};
use sale::Trials;
use session::{Session, or_not_sent};

use crate::{
    answer::{AgencyRefusal, Answer, Cause},
    clock::{beijing_now, wire_time},
    decode::{Weight, understand},
    envelope::Envelope,
    fields::{Checked, FieldFault},
    keys::Keys,
    messages::{
        codes,
        ec_query::{self, DecodedPerson, EcQuery, EcQueryData, EcReply},
        files::{self, DownloadData, DownloadInput, FileTicket, UploadData, UploadInput},
        lost_cards::{self, LostCard},
        person::{self, Credential, PersonInput, PersonRecord},
        pharmacy::Insured,
        reversal::{ReversalData, ReversalInput},
        settled::SettledReply,
        sign,
        statement::{self, StatementInput, StatementResult, StatementTotals},
    },
    output::Output,
    profile::HeaderScheme,
    seal::Seal,
    zip_text,
};

pub use carrier::{Carried, Carrier};
pub(crate) use header::tif_signature;
pub(crate) use questions::{PACKS_FILE, PACKS_QUERY_NO};
pub use settings::{ClientError, ClientSettings, InstitutionId};

/// A terminal's connection to its agency. Clones share it.
#[derive(Clone)]
pub struct Client {
    way: Way,
    seal: Arc<Seal>,
    settings: Arc<ClientSettings>,
    session: Arc<Mutex<Session>>,
    trials: Arc<Mutex<Trials>>,
    /// Whoever signs in anew holds it; the others wait for the same number.
    signing_in: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Clone)]
enum Way {
    Https(Http, Box<Headers>),
    Within(Arc<dyn Carrier>),
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Makes a client; nothing is sent yet.
    pub fn new(settings: ClientSettings) -> Result<Client, ClientError> {
        let http = Http::new(&settings)?;
        let keys = Keys::of_terminal(&settings.profile, &settings.tls_dir)?;
        let headers = Headers::new(&settings.profile, keys.gateway.clone());
        Ok(Client::by(Way::Https(http, Box::new(headers)), keys, settings))
    }

    /// A client whose messages go another way than over TLS; address, TLS files and keys are not looked at.
    pub fn within(settings: ClientSettings, carrier: Arc<dyn Carrier>) -> Client {
        Client::by(Way::Within(carrier), Keys::default(), settings)
    }

    fn by(way: Way, keys: Keys, settings: ClientSettings) -> Client {
        let session = Session::begun(settings.operator.clone());
        let seal = Seal {
            profile: settings.profile.clone(),
            keys,
        };
        Client {
            way,
            seal: Arc::new(seal),
            settings: Arc::new(settings),
            session: Arc::new(Mutex::new(session)),
            trials: Arc::default(),
            signing_in: Arc::default(),
        }
    }

    /// The settings this client was made with.
    pub fn settings(&self) -> &ClientSettings {
        &self.settings
    }

    /// How far the agency's clock is ahead of this computer's, in milliseconds, by the date of its last answer.
    pub fn agency_ahead_ms(&self) -> Option<i64> {
        match &self.way {
            Way::Https(http, _) => http.ahead_ms(),
            Way::Within(_) => None,
        }
    }

    /// ec.query: the person a scanned medical-insurance code stands for.
    pub async fn decode_code(&self, qr: &str) -> Answer<DecodedPerson> {
        let body = serde_json::to_vec(&self.ec_query(qr));
        let Ok(body) = body else {
            return Answer::NotSent(Cause::RequestInvalid {
                field: "ecQrCode",
                problem: "can't be written",
            });
        };
        let path = &self.seal.profile.ec_query_path;
        let carried = self.post(path, body, Weight::Asks).await;
        carried.and_then(|body| match ec_query::read(&body) {
            EcReply::Person(person) => Answer::Done(person),
            EcReply::Refused { code, message } => Answer::Refused(AgencyRefusal::new(code, message)),
            EcReply::Unreadable(what) => Answer::Unknown(Cause::BodyUnreadable { what }),
        })
    }

    fn ec_query(&self, qr: &str) -> EcQuery {
        let institution = &self.settings.institution;
        let session = self.session();
        EcQuery {
            data: EcQueryData {
                org_id: institution.code.clone(),
                business_type: if institution.is_pharmacy() {
                    codes::BUYS
                } else {
                    codes::SETTLES
                }
                .to_owned(),
                operator_id: session.operator.id.clone(),
                operator_name: session.operator.name.clone(),
                office_id: institution.code.clone(),
                office_name: institution.name.clone(),
                ec_qr_code: qr.to_owned(),
            },
            org_id: institution.code.clone(),
            trans_type: "ec.query".to_owned(),
        }
    }

    /// 1101: the agency's record of whoever the credential belongs to. Registered diseases, which the national record does
    /// not hold, are asked for (5301) where the province does not tell them with it.
    pub async fn person(&self, credential: &Credential) -> Answer<PersonRecord> {
        let input = PersonInput::from(credential);
        let read = |output: &Output<'_>| Some((person::read_person(output)?, person::tells_facts(output)));
        match self.ask("1101", "", &input, read).await {
            Answer::Done((mut record, false)) => {
                record.facts.registered_diseases = self.diseases_of(&record).await;
                Answer::Done(record)
            }
            other => other.map(|(record, _)| record),
        }
    }

    /// 2601: reverses the transaction `oinfno` that was sent as `omsgid` and whose outcome is not known.
    pub async fn reverse(&self, msgid: &str, insured: &Insured, omsgid: &str, oinfno: &str) -> Answer<()> {
        let profile = &self.seal.profile;
        if !profile.reversible.iter().any(|number| number == oinfno) {
            return not_fit(&FieldFault {
                field: "oinfno",
                problem: "this province reverses no such transaction",
            });
        }
        let data = ReversalData {
            psn_no: insured.psn_no.clone(),
            omsgid: omsgid.to_owned(),
            oinfno: profile.number_of(oinfno).to_owned(),
        };
        let input = ReversalInput { data };
        self.send("2601", msgid, &insured.insuplc_admdvs, &input, |_| Some(()))
            .await
    }

    /// 3201: compares the totals of a period.
    pub async fn statement_total(&self, totals: &StatementTotals) -> Answer<StatementResult> {
        let input = StatementInput::from(totals);
        let style = &self.seal.profile.statement;
        let read = |output: &Output<'_>| statement::read_statement(output, style);
        self.ask("3201", "", &input, read).await
    }

    /// 9101: hands the agency a file (a ZIP). Sent twice it is two files, which does no harm.
    pub async fn upload_file(&self, filename: &str, content: &[u8]) -> Answer<FileTicket> {
        let institution = &self.settings.institution.code;
        let input = UploadInput {
            upload: UploadData::of(content, filename, institution),
        };
        self.ask("9101", "", &input, files::read_ticket)
            .await
            .map(|ticket| FileTicket {
                filename: if ticket.filename.is_empty() {
                    filename.to_owned()
                } else {
                    ticket.filename
                },
                ..ticket
            })
    }

    /// 9102: the bytes (a ZIP) of a file that the agency made for this institution.
    pub async fn download_file(&self, file_qury_no: &str, filename: &str) -> Answer<Vec<u8>> {
        let institution = &self.settings.institution.code;
        self.download(file_qury_no, filename, institution, Ok).await
    }

    /// 9102: the list of cards reported lost. Number and name of the file are the sandbox's convention.
    pub async fn lost_cards(&self) -> Answer<Vec<LostCard>> {
        self.download(
            lost_cards::LOST_CARDS_QUERY_NO,
            lost_cards::LOST_CARDS_FILE,
            files::FOR_EVERYBODY,
            |zip| lost_cards::read_lost_cards(&zip),
        )
        .await
    }

    /// The answer is the ZIP itself, or an envelope that says why not.
    async fn download<T>(
        &self,
        file_qury_no: &str,
        filename: &str,
        fixmedins_code: &str,
        read: impl FnOnce(Vec<u8>) -> Result<T, &'static str>,
    ) -> Answer<T> {
        let input = DownloadInput {
            download: DownloadData {
                file_qury_no: file_qury_no.to_owned(),
                filename: filename.to_owned(),
                fixmedins_code: fixmedins_code.to_owned(),
            },
        };
        let (msgid, sign_no) = (self.settings.msgids.next(), self.session().sign_no.clone());
        let zip = self.fetch(&msgid, &input).await;
        let mut zip = match self.unless_signed_off(zip, &sign_no).await {
            Some(zip) => zip,
            None => or_not_sent(self.fetch(&msgid, &input).await),
        };
        if let Some(msgid) = self.drawn_anew(&msgid, &zip) {
            zip = self.fetch(&msgid, &input).await;
        }
        zip.and_then(|zip| match read(zip) {
            Ok(content) => Answer::Done(content),
            Err(what) => Answer::Unknown(Cause::BodyUnreadable { what }),
        })
    }

    /// 9102.
    async fn fetch(&self, msgid: &str, input: &DownloadInput) -> Answer<Vec<u8>> {
        let body = match self.letter("9102", msgid, "", input) {
            Ok(body) => body,
            Err(fault) => return not_fit(&fault),
        };
        let path = self.seal.profile.path_of("9102");
        let carried = self.post(&path, body, Weight::Asks).await;
        carried.and_then(|body| {
            if zip_text::is_zip(&body) {
                Answer::Done(body)
            } else {
                understand(&self.seal, &body, "9102", |_| None)
            }
        })
    }

    /// An id of a later second for a question whose id the agency has seen: what was only asked stands in no journal, so
    /// that another process of this till may have drawn the same one.
    fn drawn_anew<T>(&self, msgid: &str, answer: &Answer<T>) -> Option<String> {
        let repeated = matches!(answer, Answer::Refused(refusal) if refusal.is_repetition());
        repeated.then(|| {
            self.settings.msgids.note_used(msgid);
            self.settings.msgids.next()
        })
    }

    fn trials(&self) -> MutexGuard<'_, Trials> {
        self.trials.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask<I: Serialize + Checked, T>(
        &self,
        infno: &str,
        place: &str,
        input: &I,
        read: impl Fn(&Output<'_>) -> Option<T>,
    ) -> Answer<T> {
        let msgid = self.settings.msgids.next();
        let answer = self.send(infno, &msgid, place, input, &read).await;
        let Some(msgid) = self.drawn_anew(&msgid, &answer) else {
            return answer;
        };
        // Or the network brought it twice, and the first one was done: what that one did, a second refuses.
        let in_doubt = Answer::Unknown(Cause::BodyUnreadable {
            what: "the agency has had this message id before",
        });
        let weight = Weight::of(infno);
        if weight == Weight::Commits {
            return in_doubt;
        }
        match self.send(infno, &msgid, place, input, read).await {
            Answer::Refused(_) if weight == Weight::Changes => in_doubt,
            again => again,
        }
    }

    /// Sends it, and once more where somebody had to sign in first.
    async fn send<I: Serialize + Checked, T>(
        &self,
        infno: &str,
        msgid: &str,
        place: &str,
        input: &I,
        read: impl Fn(&Output<'_>) -> Option<T>,
    ) -> Answer<T> {
        let sign_no = self.session().sign_no.clone();
        let answer = self.send_once(infno, msgid, place, input, &read).await;
        if sign::NUMBERS.contains(&infno) {
            return answer;
        }
        match self.unless_signed_off(answer, &sign_no).await {
            Some(answer) => answer,
            None => or_not_sent(self.send_once(infno, msgid, place, input, read).await),
        }
    }

    async fn send_once<I: Serialize + Checked, T>(
        &self,
        infno: &str,
        msgid: &str,
        place: &str,
        input: &I,
        read: impl FnOnce(&Output<'_>) -> Option<T>,
    ) -> Answer<T> {
        let (national, infno) = (infno, self.seal.profile.number_of(infno));
        let body = match self.letter(infno, msgid, place, input) {
            Ok(body) => body,
            Err(fault) => return not_fit(&fault),
        };
        let path = self.seal.profile.path_of(infno);
        let carried = self.post(&path, body, Weight::of(national)).await;
        carried.and_then(|body| understand(&self.seal, &body, national, read))
    }

    /// The checked message in its envelope, as bytes.
    fn letter<I: Serialize + Checked>(
        &self,
        infno: &str,
        msgid: &str,
        place: &str,
        input: &I,
    ) -> Result<Vec<u8>, FieldFault> {
        input.check()?;
        let (settings, profile) = (&self.settings, &self.settings.profile);
        let session = self.session();
        let own_region = &settings.institution.admdvs;
        let envelope = Envelope {
            infno: infno.to_owned(),
            msgid: msgid.to_owned(),
            mdtrtarea_admvs: own_region.clone(),
            insuplc_admdvs: if place.is_empty() {
                own_region.clone()
            } else {
                place.to_owned()
            },
            recer_sys_code: profile.recer_sys_code.clone(),
            dev_no: settings.dev_no.clone(),
            dev_safe_info: String::new(),
            cainfo: String::new(),
            signtype: String::new(),
            enc_type: String::new(),
            infver: profile.infver.clone(),
            opter_type: session.operator.kind.clone(),
            opter: session.operator.id.clone(),
            opter_name: session.operator.name.clone(),
            inf_time: wire_time(beijing_now()),
            fixmedins_code: settings.institution.code.clone(),
            fixmedins_name: settings.institution.name.clone(),
            sign_no: session.sign_no.clone(),
            input,
        };
        self.seal.letter(envelope)
    }

    /// A token that the gateway no longer takes is asked for anew; what may be asked twice goes once more with it.
    async fn post(&self, path: &str, body: Vec<u8>, weight: Weight) -> Carried {
        let (http, headers) = match &self.way {
            Way::Https(http, headers) => (http, headers),
            Way::Within(carrier) => return carrier.carry(path, body).await,
        };
        let again = (weight != Weight::Commits && self.seal.profile.headers == HeaderScheme::Bearer)
            .then(|| body.clone());
        let carried = self.post_once(http, headers, path, body).await;
        if carried != Carried::Unknown(Cause::HttpStatus { status: 401 }) {
            return carried;
        }
        headers.refused().await;
        match again {
            Some(body) => self.post_once(http, headers, path, body).await,
            None => carried,
        }
    }

    async fn post_once(&self, http: &Http, headers: &Headers, path: &str, body: Vec<u8>) -> Carried {
        let base = &self.settings.url;
        let headers = match headers.next(http, base).await {
            Ok(headers) => headers,
            // Without a token the message has not left.
            Err(cause) => return Carried::NotSent(cause),
        };
        let post = Post {
            path,
            content_type: "application/json; charset=utf-8",
            headers: &headers,
            body,
        };
        // Large, and everything that waits for it would hold room for it in itself.
        Box::pin(http.post(base, post)).await
    }
}

fn not_fit<T>(fault: &FieldFault) -> Answer<T> {
    Answer::NotSent(Cause::RequestInvalid {
        field: fault.field,
        problem: fault.problem,
    })
}

/// A reply for another person than the one asked about proves nothing.
fn of_person(answer: Answer<SettledReply>, psn_no: &str) -> Answer<SettledReply> {
    match answer {
        Answer::Done(reply) if !reply.psn_no.is_empty() && reply.psn_no != psn_no => {
            Answer::Unknown(Cause::ReplyOther)
        }
        other => other,
    }
}
