//! Whether a settlement is there: 5203 by the message id it was sent under, or for each visit that 5201 names.

use std::collections::HashSet;

use jiff::civil::Date;

use super::Client;
use crate::{
    answer::{AgencyRefusal, Answer, Cause},
    clock::beijing_now,
    messages::{
        benefits::{self, PersonTimeQuestion, cell},
        form::Data,
        pharmacy::Insured,
        query::{QueryData, QueryInput},
        settled::{self, SettledReply},
    },
    output::Output,
};

impl Client {
    /// 5203: the settlement that was sent as `settled_msgid`, if the agency holds one.
    ///
    /// Asks by medins_setl_id, which holds the msgid of the settlement, where the province's 5203 takes it; the
    /// specification's asks by setl_id and mdtrt_id only. Where it does not, or cannot say, each of the person's visits
    /// is looked through that 5201 names. `None` says that no settlement is there now; one still under way may yet
    /// arrive, which a reversal excludes.
    pub async fn find_settlement(
        &self,
        insured: &Insured,
        settled_msgid: &str,
    ) -> Answer<Option<SettledReply>> {
        if !self.seal.profile.query_by_msgid {
            return self.find_by_visits(insured, settled_msgid).await;
        }
        let data = QueryData {
            psn_no: insured.psn_no.clone(),
            medins_setl_id: settled_msgid.to_owned(),
            ..QueryData::default()
        };
        match self.settlement_of(insured, data).await {
            Answer::Done(Some(reply)) if reply.medins_setl_id != settled_msgid => {
                self.find_by_visits(insured, settled_msgid).await
            }
            Answer::Refused(_) | Answer::Unknown(Cause::BodyUnreadable { .. }) => {
                self.find_by_visits(insured, settled_msgid).await
            }
            other => other,
        }
    }

    /// 5201, then 5203 for each visit, the latest first: the settlement that was sent as `settled_msgid`.
    async fn find_by_visits(&self, insured: &Insured, settled_msgid: &str) -> Answer<Option<SettledReply>> {
        let (begntime, endtime) = around(settled_msgid);
        let question = PersonTimeQuestion {
            psn_no: insured.psn_no.clone(),
            begntime,
            endtime,
            ..PersonTimeQuestion::default()
        };
        let question = Data { data: question };
        let asked = self.ask("5201", &insured.insuplc_admdvs, &question, benefits::read_rows);
        let visits = match asked.await {
            Answer::Done(visits) => visits,
            other => return other.map(|_| None),
        };
        let mut seen = HashSet::new();
        for row in visits.rows.iter().rev() {
            let (mdtrt_id, setl_id) = (cell(row, "mdtrt_id").to_owned(), cell(row, "setl_id").to_owned());
            let named = cell(row, "medins_setl_id");
            let other = !named.is_empty() && named != settled_msgid;
            if mdtrt_id.is_empty() || other || !seen.insert((mdtrt_id.clone(), setl_id.clone())) {
                continue;
            }
            let data = QueryData {
                psn_no: insured.psn_no.clone(),
                setl_id,
                mdtrt_id,
                ..QueryData::default()
            };
            let is_settled = !data.setl_id.is_empty();
            match self.settlement_of(insured, data).await {
                Answer::Done(Some(reply)) if reply.medins_setl_id == settled_msgid => {
                    return Answer::Done(Some(reply));
                }
                // Which settlement it is was not said, so that it may be the one.
                Answer::Refused(refusal) if is_settled || self.says_nothing(&refusal) => {
                    return Answer::Refused(refusal);
                }
                // A visit that is not settled has no settlement.
                Answer::Done(_) | Answer::Refused(_) => {}
                other => return other,
            }
        }
        if visits.incomplete {
            let what = "visits on further pages";
            return Answer::Unknown(Cause::BodyUnreadable { what });
        }
        Answer::Done(None)
    }

    /// Whether a refusal is an error of the agency's own, which says nothing of what was asked.
    #[must_use]
    pub fn says_nothing(&self, refusal: &AgencyRefusal) -> bool {
        refusal.infcode == -1 && self.seal.profile.system_error_unknown
    }

    /// 5203.
    async fn settlement_of(&self, insured: &Insured, data: QueryData) -> Answer<Option<SettledReply>> {
        let read = |output: &Output<'_>| settled::read_found(output, &self.seal.profile);
        let input = QueryInput { data };
        match self.ask("5203", &insured.insuplc_admdvs, &input, read).await {
            Answer::Done(Some(reply)) if reply.psn_no != insured.psn_no => Answer::Unknown(Cause::ReplyOther),
            other => other,
        }
    }
}

/// From the day before a message was sent to the end of today: an agency's clock may be half a day off.
fn around(msgid: &str) -> (String, String) {
    let sent = msgid
        .get(12..20)
        .and_then(|day| Date::strptime("%Y%m%d", day).ok());
    let first = sent.and_then(|day| day.yesterday().ok());
    let last = beijing_now().date();
    (
        first.map(|day| format!("{day} 00:00:00")).unwrap_or_default(),
        format!("{last} 23:59:59"),
    )
}
