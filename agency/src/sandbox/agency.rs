//! The sandbox's transactions: what arrives, is checked and answered. Sales are in `agency/sales.rs`.

mod claim;
mod goods;
mod head;
mod sales;
mod statements;
#[cfg(test)]
mod tests;
mod visits;

use std::collections::{BTreeMap, HashMap};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use yijie_rules::Packs;

use super::{
    book::Book,
    files::Files,
    ledger::{Entry, Ledger, Written},
    persons::{SandboxPerson, ec_token},
    replies::{self, No},
};
use crate::{
    PersonRecord,
    client::{PACKS_FILE, PACKS_QUERY_NO},
    clock::beijing_now,
    envelope::Envelope,
    fields::{Checked, FieldFault},
    lenient::Node,
    messages::{
        ec_query::EcQuery,
        files::{DownloadInput, FOR_EVERYBODY, UploadInput},
        lost_cards::{LOST_CARDS_FILE, LOST_CARDS_QUERY_NO},
        person::{PersonData, PersonInput},
        query::QueryInput,
    },
    seal::{Rejected, Seal},
};

/// What goes back.
pub(crate) enum Answered {
    Json(String),
    Zip(Vec<u8>),
}

type Request = Envelope<Value>;

/// The agency behind the counter of its server.
pub(crate) struct Agency {
    seal: Seal,
    persons: Vec<SandboxPerson>,
    any_person: bool,
    packs: Packs,
    ledger: Ledger,
    book: Book,
    files: Files,
    serial: u64,
    /// Institution and id of every message there was since the start, and whether the ledger keeps such a one.
    heard: HashMap<(String, String), bool>,
    /// Questions are answered from the state before anybody's first settlement.
    old_figures: bool,
    /// Refusals are told in words, without their code.
    words_only: bool,
}

/// Why a request was not done.
enum Fail {
    No(No),
    /// The ledger or a file can't be written.
    System(Box<dyn std::error::Error>),
}

impl From<No> for Fail {
    fn from(no: No) -> Fail {
        Fail::No(no)
    }
}

impl From<Rejected> for No {
    fn from(rejected: Rejected) -> No {
        match rejected {
            Rejected::Unreadable => No::new("ENVELOPE_UNREADABLE", "报文无法解析"),
            Rejected::Input => No::new("INPUT_UNREADABLE", "入参形式不符或无法解密"),
            Rejected::Signature => No::new("SIGNATURE_INVALID", "报文签名验证失败"),
        }
    }
}

impl From<FieldFault> for Fail {
    fn from(fault: FieldFault) -> Fail {
        Fail::No(No::new(
            "FIELD_INVALID",
            format!("{}: {}", fault.field, fault.problem),
        ))
    }
}

impl From<super::LedgerError> for Fail {
    fn from(error: super::LedgerError) -> Fail {
        Fail::System(Box::new(error))
    }
}

impl From<std::io::Error> for Fail {
    fn from(error: std::io::Error) -> Fail {
        Fail::System(Box::new(error))
    }
}

impl Agency {
    pub(crate) fn new(
        seal: Seal,
        persons: Vec<SandboxPerson>,
        any_person: bool,
        files: Files,
        ledger: Ledger,
        entries: &[Entry],
    ) -> Agency {
        let mut book = Book::default();
        for person in &persons {
            book.insure(&person.record);
        }
        for entry in entries {
            book.apply(entry);
        }
        Agency {
            seal,
            persons,
            any_person,
            packs: Packs::builtin().with_sandbox_figures(),
            ledger,
            book,
            files,
            serial: 0,
            heard: HashMap::new(),
            old_figures: false,
            words_only: false,
        }
    }

    /// All settlements, oldest first.
    pub(crate) fn ledger(&self) -> Vec<super::LedgerRow> {
        self.book.ledger_rows()
    }

    /// Trace codes of the packs that count as sold, and the sale of each.
    pub(crate) fn packs_sold(&self) -> BTreeMap<String, String> {
        let packs = self.book.packs_sold();
        packs
            .map(|(code, sale)| (code.to_owned(), sale.to_owned()))
            .collect()
    }

    /// The transaction number of a body, for the faults file; empty if there is none.
    pub(crate) fn infno_of(body: &[u8]) -> String {
        let text = std::str::from_utf8(body).ok();
        let fields = text.and_then(Node::parse).and_then(Node::fields);
        fields.map(|fields| fields.text("infno")).unwrap_or_default()
    }

    /// Whether a path is the decoder's.
    pub(crate) fn is_ec_query(&self, path: &str) -> bool {
        path == self.seal.profile.ec_query_path
    }

    /// Whether a path is one of the interface's for this transaction.
    pub(crate) fn is_transaction(&self, path: &str, infno: &str) -> bool {
        path == self.seal.profile.path_of(infno)
    }

    /// ec.query.
    pub(crate) fn ec_query(&self, body: &[u8]) -> Answered {
        let refused = |code: i32, message: &str| {
            Answered::Json(json!({"code": code, "message": message, "data": null}).to_string())
        };
        let Ok(query) = serde_json::from_slice::<EcQuery>(body) else {
            return refused(500_001, "请求无法解析");
        };
        if query.trans_type != "ec.query" || query.org_id.is_empty() || query.data.ec_qr_code.is_empty() {
            return refused(500_002, "请求缺少必填项");
        }
        let known = |person: &&SandboxPerson| person.ec_codes.contains(&query.data.ec_qr_code);
        let Some(person) = self.persons.iter().find(known) else {
            return refused(500_049, "电子凭证二维码无效");
        };
        let base = &person.record.baseinfo;
        let data = json!({
            "idNo": base.certno, "idType": base.psn_cert_type, "userName": base.psn_name,
            "ecToken": ec_token(&person.record),
            "insuOrg": person.record.insuinfo.first().map(|row| row.insuplc_admdvs.clone()),
            "gender": match base.gend.as_str() { "1" => "男", "2" => "女", _ => "未知" },
            "birthday": base.brdy.replace('-', "."), "nationality": "中国", "email": "null", "extra": "",
        });
        // As the national decoder does it: JSON inside a string.
        let reply =
            json!({"code": 0, "message": "处理成功", "orgId": query.org_id, "data": data.to_string()});
        Answered::Json(reply.to_string())
    }

    /// One transaction, committed before it is answered.
    pub(crate) fn transact(&mut self, body: &[u8]) -> Answered {
        self.serial += 1;
        let request = match self.seal.request(body) {
            Ok(request) => request,
            Err(rejected) => return self.refuse("", &rejected.into()),
        };
        let region = request.mdtrtarea_admvs.clone();
        match self.dispatch(&request) {
            Ok(Answered::Json(output)) => {
                let output = serde_json::from_str(&output).unwrap_or(Value::Null);
                self.answered(replies::success(&region, self.serial, output))
            }
            Ok(zip) => zip,
            Err(Fail::No(no)) => self.refuse(&region, &no),
            Err(Fail::System(error)) => {
                tracing::error!(%error, "the sandbox's records can't be written");
                self.answered(replies::system_error(&region, self.serial, "系统异常，请冲正"))
            }
        }
    }

    /// How far the ledger goes now: what was done is not answered before that much is on disk.
    pub(crate) fn written(&self) -> Written {
        self.ledger.written()
    }

    /// The national number of a transaction.
    pub(crate) fn national_of<'a>(&'a self, infno: &'a str) -> &'a str {
        self.seal.profile.national_of(infno)
    }

    /// One transaction, answered as if nobody had settled anything yet. What moves money is done as ever.
    pub(crate) fn by_old_figures(&mut self, body: &[u8]) -> Answered {
        self.old_figures = true;
        let answered = self.transact(body);
        self.old_figures = false;
        answered
    }

    /// One transaction; a refusal is told in words only.
    pub(crate) fn in_words(&mut self, body: &[u8]) -> Answered {
        self.words_only = true;
        let answered = self.transact(body);
        self.words_only = false;
        answered
    }

    /// infcode -1, whatever was asked.
    pub(crate) fn broken(&mut self, body: &[u8]) -> Answered {
        self.serial += 1;
        let region = self.seal.request(body).map(|request| request.mdtrtarea_admvs);
        let region = region.unwrap_or_default();
        self.answered(replies::system_error(&region, self.serial, "系统异常，请冲正"))
    }

    fn refuse(&self, region: &str, no: &No) -> Answered {
        self.answered(replies::refusal(region, self.serial, &no.told(self.words_only)))
    }

    fn answered(&self, reply: Map<String, Value>) -> Answered {
        Answered::Json(self.seal.answer(reply))
    }

    fn dispatch(&mut self, request: &Request) -> Result<Answered, Fail> {
        if let Some(again) = self.received(request)? {
            return Ok(Answered::Json(again.to_string()));
        }
        let output = match self.seal.profile.national_of(&request.infno) {
            "9001" => self.sign_in(request)?,
            "9002" => self.sign_out(request)?,
            "1101" => self.person(request)?,
            "2101" => self.presettle(request)?,
            "2102" => self.settle(request)?,
            "2103" | "2208" | "2305" => self.cancel(request)?,
            "2201" => self.register(request)?,
            "2202" => self.close_visit(request, false)?,
            "2203" => self.describe(request)?,
            "2204" => self.details(request, false)?,
            "2205" => self.drop_details(request, false)?,
            "2206" => self.presettle_visit(request, false)?,
            "2207" => self.settle_visit(request, false)?,
            "2301" => self.details(request, true)?,
            "2302" => self.drop_details(request, true)?,
            "2303" => self.presettle_visit(request, true)?,
            "2304" => self.settle_visit(request, true)?,
            "2401" => self.admit(request)?,
            "2402" => self.discharge(request, true)?,
            "2403" => self.correct_admission(request)?,
            "2404" => self.close_visit(request, true)?,
            "2405" => self.discharge(request, false)?,
            "2001" => self.benefits(request)?,
            "3101" | "3102" => self.audit(request)?,
            "3505" => self.goods_sold(request)?,
            "3506" => self.goods_returned(request)?,
            "5201" => self.visits(request)?,
            "5202" => self.diagnoses(request)?,
            "5204" => self.fee_details(request)?,
            "5205" => self.chronic_drugs(request)?,
            "5206" => self.used(request)?,
            "5301" => self.diseases(request)?,
            "2601" => self.reverse(request)?,
            "3201" => self.statement(request)?,
            "3202" => self.detail(request)?,
            "3203" => self.apply_for_clearing(request)?,
            "3204" => self.withdraw_clearing(request)?,
            "5203" => self.find(request)?,
            "9101" => self.upload(request)?,
            "9102" => return self.download(request),
            other => return Err(No::new("INFNO_UNKNOWN", format!("不支持的交易 {other}")).into()),
        };
        Ok(Answered::Json(output.to_string()))
    }

    fn person(&self, request: &Request) -> Result<Value, Fail> {
        let data = input::<PersonInput>(request)?.data;
        let person = self
            .shown(&data)?
            .ok_or_else(|| No::new("PERSON_UNKNOWN", "未查询到人员信息"))?;
        let psn_no = &person.baseinfo.psn_no;
        let year = data
            .begntime
            .get(..4)
            .and_then(|year| year.parse().ok())
            .unwrap_or(beijing_now().year());
        let mut record = person.clone();
        if !self.old_figures {
            record.facts.accumulated = self.book.accumulated(psn_no, year);
            record.facts.own = self.book.own_account(psn_no);
            record.facts.family = self.book.family_accounts(psn_no);
        }
        let own_region = record.facts.own.as_ref().map(|own| own.balc);
        for row in &mut record.insuinfo {
            // An employee's account belongs to the employee insurance.
            row.balc = if row.insutype == "310" { own_region } else { None };
        }
        Ok(replies::person(&record))
    }

    /// Whose credential it is.
    fn shown(&self, data: &PersonData) -> Result<Option<&PersonRecord>, No> {
        let number = data.mdtrt_cert_no.as_str();
        let mut records = self.persons.iter().map(|person| &person.record);
        match data.mdtrt_cert_type.as_str() {
            "01" => Ok(records.find(|record| ec_token(record) == number)),
            "02" => Ok(records.find(|record| record.baseinfo.certno == number)),
            "03" => {
                let card_of = |record: &&PersonRecord| {
                    record
                        .facts
                        .card
                        .as_ref()
                        .is_some_and(|card| card.card_no == number)
                };
                let Some(record) = records.find(card_of) else {
                    return Ok(None);
                };
                let same_chip = |card: &crate::CardFacts| card.card_sn.eq_ignore_ascii_case(&data.card_sn);
                match &record.facts.card {
                    Some(card) if !card.card_sn.is_empty() && !same_chip(card) => {
                        Err(No::new("CARD_SN_OTHER", "卡识别码与登记不符"))
                    }
                    _ => Ok(Some(record)),
                }
            }
            other => Err(No::new(
                "CERT_TYPE_UNKNOWN",
                format!("不支持的就诊凭证类型 {other}"),
            )),
        }
    }

    fn find(&self, request: &Request) -> Result<Value, Fail> {
        let data = input::<QueryInput>(request)?.data;
        if !self.seal.profile.query_by_msgid && data.setl_id.is_empty() && data.mdtrt_id.is_empty() {
            return Err(No::new("FIELD_INVALID", "setl_id: missing").into());
        }
        let at = self
            .book
            .find(&data.psn_no, &data.setl_id, &data.mdtrt_id, &data.medins_setl_id);
        let found = at
            .filter(|_| !self.old_figures)
            .and_then(|at| self.book.settlement(at));
        Ok(found.map_or_else(
            || json!({"setlinfo": null, "setldetail": []}),
            |(settled, state)| replies::found(settled, state, &self.seal.profile),
        ))
    }

    /// 9101: keeps the file as it came.
    fn upload(&mut self, request: &Request) -> Result<Value, Fail> {
        let file = input::<UploadInput>(request)?.upload;
        let ticket = self
            .files
            .keep(&file.filename, &file.bytes()?, &request.fixmedins_code)?;
        Ok(json!({
            "file_qury_no": ticket.file_qury_no, "filename": ticket.filename,
            "fixmedins_code": request.fixmedins_code, "dld_endtime": ticket.dld_endtime,
        }))
    }

    fn download(&self, request: &Request) -> Result<Answered, Fail> {
        let file = input::<DownloadInput>(request)?.download;
        let missing = || No::new("FILE_NOT_FOUND", "文件不存在或已过期");
        if file.fixmedins_code != FOR_EVERYBODY {
            let found = self.files.find(&file.file_qury_no, &request.fixmedins_code)?;
            let found = found.filter(|found| found.filename == file.filename);
            let found = found.filter(|_| file.fixmedins_code == request.fixmedins_code);
            return Ok(Answered::Zip(found.ok_or_else(missing)?.content));
        }
        if file.file_qury_no == LOST_CARDS_QUERY_NO && file.filename == LOST_CARDS_FILE {
            let zip = replies::lost_cards(self.persons.iter().map(|person| &person.record));
            return zip.map(Answered::Zip).map_err(|_| missing().into());
        }
        if file.file_qury_no == PACKS_QUERY_NO && file.filename == PACKS_FILE {
            return Ok(Answered::Zip(self.files.packs()?.ok_or_else(missing)?));
        }
        Err(missing().into())
    }
}

/// The input of a message, checked.
fn input<I: DeserializeOwned + Checked>(request: &Request) -> Result<I, Fail> {
    if request.input.is_null() {
        return Err(Fail::from(FieldFault {
            field: "input",
            problem: "missing",
        }));
    }
    // The error would repeat what stands there.
    let input = I::deserialize(&request.input).map_err(|_| No::new("INPUT_UNREADABLE", "入参形式不符"))?;
    input.check()?;
    Ok(input)
}
