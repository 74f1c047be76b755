//! What every message is checked for before its own rules: the envelope, its message id, the sign-in, the person's place
//! of insurance. And 9001 and 9002.

use serde_json::{Value, json};

use super::{Agency, Fail, Request, input};
use crate::{
    answer::{MSGID_REPEATED, SIGNED_OFF},
    clock::{beijing_now, compact_time, wire_time},
    fields::Checked,
    messages::sign::{SignInInput, SignOutInput},
    sandbox::{
        book::Sent,
        ledger::Entry,
        replies::{self, No},
    },
};

/// Message ids have 30 characters; shorter ones, of institutions whose code is, are in use too.
const MSGID_MIN: usize = 20;
/// What the ledger keeps under its message id.
const KEPT: [&str; 10] = [
    "2102", "2103", "2207", "2208", "2304", "2305", "2401", "2601", "3505", "3506",
];

impl Agency {
    /// Refuses what no transaction takes. Under a profile that says so, a settlement's repeated id gets its first answer
    /// again.
    pub(super) fn received(&mut self, request: &Request) -> Result<Option<Value>, Fail> {
        request.check()?;
        let msgid = &request.msgid;
        for (right, problem) in [
            (
                request.recer_sys_code == self.seal.profile.recer_sys_code,
                "recer_sys_code: another system's",
            ),
            (
                msgid.len() >= MSGID_MIN && msgid.bytes().all(|byte| byte.is_ascii_alphanumeric()),
                "msgid: not of its form",
            ),
        ] {
            if !right {
                return Err(No::new("FIELD_INVALID", problem).into());
            }
        }
        let needs_none = request.sign_no.is_empty() && !self.seal.profile.signed_in;
        let signs_in = request.infno == "9001" || needs_none;
        if !signs_in && !self.is_signed_in(request) {
            return Err(No::new(SIGNED_OFF, "未签到或已签退").into());
        }
        if let Some(psn_no) = person_of(&request.input) {
            if request.insuplc_admdvs.is_empty() {
                return Err(No::new("FIELD_INVALID", "insuplc_admdvs: missing").into());
            }
            if !self.any_person && !self.book.insured_in(psn_no, &request.insuplc_admdvs) {
                return Err(No::new("FIELDS_DISAGREE", "insuplc_admdvs: not the person's").into());
            }
        }
        Ok(self.fresh(request)?)
    }

    /// Refuses a msgid that was used before, whatever became of it then. Those that changed nothing are forgotten when
    /// the sandbox ends; and what a question had may still be a settlement's, as two processes of one till can draw the
    /// same id within a second, and a settlement that is refused for it would count as arrived.
    fn fresh(&mut self, request: &Request) -> Result<Option<Value>, No> {
        let (msgid, profile) = (&request.msgid, &self.seal.profile);
        if self.book.is_tombstoned(msgid) {
            return Err(No::new("MSGID_REVERSED", "该报文已被冲正，不再受理"));
        }
        if let Some(Sent::Settlement(at)) = self.book.sent(msgid)
            && profile.repeated_msgid_idempotent
            && let Some((settled, _)) = self.book.settlement(at)
            && settled.infno == profile.national_of(&request.infno)
        {
            return Ok(Some(replies::settlement(settled, profile)));
        }
        let keeps = KEPT.contains(&profile.national_of(&request.infno));
        let heard = (request.fixmedins_code.clone(), msgid.clone());
        let kept = self.heard.insert(heard.clone(), keeps);
        if self.book.has_used(msgid) || kept.is_some_and(|kept| kept || !keeps) {
            self.heard.insert(heard, kept.unwrap_or(true));
            return Err(No::new(MSGID_REPEATED, "报文ID重复"));
        }
        Ok(None)
    }

    /// Whether 9001 gave this institution the number today, and 9002 has not ended it.
    fn is_signed_in(&self, request: &Request) -> bool {
        let given = request.sign_no.strip_prefix(request.mdtrtarea_admvs.as_str());
        self.book.is_signed_in(&request.fixmedins_code, &request.sign_no)
            && given.and_then(|given| given.get(..8)) == compact_time(beijing_now()).get(..8)
    }

    /// 9001.
    pub(super) fn sign_in(&mut self, request: &Request) -> Result<Value, Fail> {
        input::<SignInInput>(request)?;
        let now = beijing_now();
        // The day it holds for stands in it.
        let sign_no = format!(
            "{}{}{:010}",
            request.mdtrtarea_admvs,
            compact_time(now),
            self.serial
        );
        self.commit(vec![Entry::SignedIn {
            sign_no: sign_no.clone(),
            fixmedins_code: request.fixmedins_code.clone(),
        }])?;
        Ok(json!({"signinoutb": {"sign_no": sign_no, "sign_time": wire_time(now)}}))
    }

    /// 9002.
    pub(super) fn sign_out(&mut self, request: &Request) -> Result<Value, Fail> {
        let sign_no = input::<SignOutInput>(request)?.sign_out.sign_no;
        if !self.book.is_signed_in(&request.fixmedins_code, &sign_no) {
            return Err(No::new(SIGNED_OFF, "未签到或已签退").into());
        }
        self.commit(vec![Entry::SignedOut { sign_no }])?;
        Ok(json!({"signinoutb": {"sign_time": wire_time(beijing_now())}}))
    }
}

/// The person a message is about: psn_no of one of its nodes, or of a node's first row.
fn person_of(input: &Value) -> Option<&str> {
    let nodes = input.as_object()?.values();
    let rows = nodes.map(|node| node.get(0).unwrap_or(node));
    rows.filter_map(|row| row.get("psn_no")?.as_str())
        .find(|psn_no| !psn_no.is_empty())
}
