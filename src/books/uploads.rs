//! Packs the agency's books of goods are still to be told of (3505, 3506): after a settlement, and again where it was
//! undone. It is a queue of its own: nothing in it sends a settlement again.

use serde::{Deserialize, Serialize};
use yijie_agency::SoldCode;
use yijie_offline_cache::Key;

use super::row::{Course, SaleRow, SaleState};
use super::{Books, BooksError, Found as _, Rows, TRACES, UPLOADS, decode};
use crate::record::{Goods, Record};

/// One message about packs that left, or was about to.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Upload {
    /// Message id.
    pub msgid: String,
    /// Which packs.
    pub goods: Goods,
    /// What came of it.
    pub state: UploadState,
}

/// What came of such a message.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum UploadState {
    /// No answer yet.
    Leaving,
    /// The agency took it.
    Done,
    /// The agency refused it: stable code, text, and whether a supervisor has closed that.
    Refused(String, String, bool),
    /// It had no answer, and its packs came back. A copy of it may still arrive.
    Withdrawn,
    /// By a refusal of what was told after it, such a copy has arrived: its packs have to come back again.
    Late,
}

impl Upload {
    /// Nobody knows, or it is likely, that the agency counts its packs as sold although no answer said so.
    fn in_doubt(&self) -> bool {
        !self.goods.returned && matches!(self.state, UploadState::Leaving | UploadState::Late)
    }
}

/// The next message about a sale's packs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// One that left before without an answer.
    Again(Upload),
    /// A new one.
    New(Goods),
}

impl SaleRow {
    /// Settlement and visit the packs count as sold with; blank where the patient paid all. Nothing while the settlement's
    /// number is not known.
    fn sold_with(&self) -> Option<(&str, &str)> {
        match self.state {
            SaleState::Settled => {
                let reply = self.reply.as_ref().filter(|reply| !reply.setl_id.is_empty())?;
                Some((&reply.setl_id, &reply.mdtrt_id))
            }
            SaleState::SelfPaid => Some(("", "")),
            _ => None,
        }
    }

    /// What is to be told next, if anything is: returns of what a settlement that no longer stands took along, then
    /// what was sold. Provinces that take one code a message get one. While the sale itself is open, nothing.
    #[must_use]
    pub fn next_upload(&self, one_code: bool) -> Option<Next> {
        if !self.state.is_final() {
            return None;
        }
        self.next_return().or_else(|| self.next_sold(one_code))
    }

    fn next_return(&self) -> Option<Next> {
        let standing = self.sold_with().map(|(setl_id, _)| setl_id);
        for sold in self.uploads.iter().filter(|upload| !upload.goods.returned) {
            let not_there = matches!(sold.state, UploadState::Refused(..) | UploadState::Withdrawn);
            if not_there || Some(sold.goods.setl_id.as_str()) == standing {
                continue;
            }
            let back = sold.goods.coming_back();
            match self.upload_about(&back) {
                None => return Some(Next::New(back)),
                Some(upload) if upload.state == UploadState::Leaving => {
                    return Some(Next::Again(upload.clone()));
                }
                Some(_) => {}
            }
        }
        None
    }

    fn next_sold(&self, one_code: bool) -> Option<Next> {
        let (setl_id, mdtrt_id) = self.sold_with()?;
        let mut told = Vec::new();
        let with_this = |upload: &&Upload| {
            !upload.goods.returned
                && upload.goods.setl_id == setl_id
                && upload.state != UploadState::Withdrawn
        };
        for upload in self.uploads.iter().filter(with_this) {
            if upload.in_doubt() {
                match self.upload_about(&upload.goods.coming_back()) {
                    None => return Some(Next::Again(upload.clone())),
                    Some(back) if back.state == UploadState::Leaving => {
                        return Some(Next::Again(back.clone()));
                    }
                    // The agency does not take them back: somebody has to see to it.
                    Some(_) => {}
                }
            }
            told.extend(&upload.goods.codes);
        }
        let mut left = self.sale.traces.iter().filter(|code| !told.contains(code));
        let first = left.next()?;
        let same = |code: &&SoldCode| !one_code && code.goes_with(first);
        Some(Next::New(Goods {
            setl_id: setl_id.to_owned(),
            mdtrt_id: mdtrt_id.to_owned(),
            feedetl_sn: first.feedetl_sn.clone(),
            codes: std::iter::once(first).chain(left.filter(same)).cloned().collect(),
            returned: false,
        }))
    }

    fn upload_about(&self, goods: &Goods) -> Option<&Upload> {
        self.uploads.iter().rev().find(|upload| upload.goods == *goods)
    }

    /// Refusals that stand and nobody has closed. One about a settlement that was undone since closed itself.
    fn refusals(&self) -> impl Iterator<Item = (&Goods, &str, &str)> {
        let standing = self.sold_with().map(|(setl_id, _)| setl_id);
        self.uploads.iter().filter_map(move |upload| match &upload.state {
            UploadState::Refused(code, message, false)
                if upload.goods.returned || standing == Some(upload.goods.setl_id.as_str()) =>
            {
                Some((&upload.goods, code.as_str(), message.as_str()))
            }
            _ => None,
        })
    }

    /// The first of them: stable code and the agency's text.
    #[must_use]
    pub fn upload_refused(&self) -> Option<(&str, &str)> {
        self.refusals().next().map(|(_, code, message)| (code, message))
    }

    /// The packs they are about.
    #[must_use]
    pub fn refused_goods(&self) -> Vec<Goods> {
        self.refusals().map(|(goods, ..)| goods.clone()).collect()
    }
}

impl Course {
    /// Takes over what an entry says about the packs.
    pub(super) fn tell_packs(&mut self, record: &Record) {
        match record {
            Record::Uploading { msgid, goods, .. } => {
                // What was refused before is tried again.
                self.uploads.retain(|upload| {
                    upload.goods != *goods
                        || matches!(upload.state, UploadState::Done | UploadState::Withdrawn)
                });
                self.uploads.push(Upload {
                    msgid: msgid.clone(),
                    goods: goods.clone(),
                    state: UploadState::Leaving,
                });
            }
            Record::Uploaded { msgid, .. } => {
                self.answered(msgid, &UploadState::Done);
                self.withdraw(msgid);
            }
            Record::UploadRefused {
                msgid, code, message, ..
            } => self.refused(msgid, code, message),
            Record::UploadDropped { .. } => {
                for upload in &mut self.uploads {
                    if let UploadState::Refused(.., closed) = &mut upload.state {
                        *closed = true;
                    }
                }
            }
            _ => {}
        }
    }

    /// Packs came back of which nobody knew whether they had arrived: they are told of anew.
    fn withdraw(&mut self, msgid: &str) {
        let Some(back) = self.goods_of(msgid).filter(|goods| goods.returned) else {
            return;
        };
        let taken_back = |upload: &Upload| upload.in_doubt() && upload.goods.coming_back() == back;
        if !self.uploads.iter().any(taken_back) {
            return;
        }
        self.uploads.retain(|upload| {
            upload.msgid != msgid && !(upload.state == UploadState::Late && taken_back(upload))
        });
        for upload in self.uploads.iter_mut().filter(|upload| taken_back(upload)) {
            upload.state = UploadState::Withdrawn;
        }
    }

    fn refused(&mut self, msgid: &str, code: &str, message: &str) {
        if !self.came_late(msgid) {
            let refused = UploadState::Refused(code.to_owned(), message.to_owned(), false);
            self.answered(msgid, &refused);
        }
    }

    /// Packs told of anew are refused, and a copy of what had no answer may have come before: each such message is given
    /// the blame once.
    fn came_late(&mut self, msgid: &str) -> bool {
        let Some(goods) = self.goods_of(msgid) else {
            return false;
        };
        let withdrawn =
            |upload: &&mut Upload| upload.state == UploadState::Withdrawn && upload.goods == goods;
        let Some(earlier) = self.uploads.iter_mut().find(withdrawn) else {
            return false;
        };
        earlier.state = UploadState::Late;
        self.uploads.retain(|upload| upload.msgid != msgid);
        true
    }

    fn goods_of(&self, msgid: &str) -> Option<Goods> {
        let told = self.uploads.iter().find(|upload| upload.msgid == msgid);
        told.map(|told| told.goods.clone())
    }

    fn answered(&mut self, msgid: &str, state: &UploadState) {
        for upload in self.uploads.iter_mut().filter(|upload| upload.msgid == msgid) {
            upload.state.clone_from(state);
        }
    }
}

/// Whether a sale stands in the queue of uploads: something is to be told, or was refused.
fn waits(row: &SaleRow) -> bool {
    row.next_upload(false).is_some() || row.upload_refused().is_some()
}

/// Where a sale stands among what is to be told, after an entry about it.
pub(super) fn place(rows: &mut Rows, before: Option<&SaleRow>, row: &SaleRow) -> Result<(), BooksError> {
    if row.sale.traces.is_empty() {
        return Ok(());
    }
    if before.is_none() {
        for code in row.sale.traces.iter().filter(|code| !code.split) {
            rows.put(TRACES, Key::Secret(code.code.as_bytes()), &row.sale.id)?;
        }
    }
    let at = row.seq.to_be_bytes();
    match (before.is_some_and(waits), waits(row)) {
        (false, true) => rows.put(UPLOADS, Key::Plain(&at), &row.sale.id),
        (true, false) => {
            rows.delete(UPLOADS, Key::Plain(&at));
            Ok(())
        }
        _ => Ok(()),
    }
}

impl Books {
    /// Sales whose packs the agency is still to be told of or has refused, oldest first, read as they are walked.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn uploads(&self) -> Result<impl Iterator<Item = Result<SaleRow, BooksError>> + use<'_>, BooksError> {
        Ok(self.kept.store.scan(UPLOADS)?.map(|item| {
            let id: String = decode(&item?.1)?;
            self.sale(&id)?.ok_or(BooksError::NoSuchSale)
        }))
    }

    /// The sale of this till that a whole pack stands with: sold, and not undone.
    ///
    /// # Errors
    /// [`BooksError`] if the store cannot be read.
    pub fn pack_sold(&self, code: &str) -> Result<Option<String>, BooksError> {
        let id: Option<String> = self.kept.store.read(TRACES, Key::Secret(code.as_bytes()))?;
        let Some(row) = id.map(|id: String| self.sale(&id)).transpose()?.flatten() else {
            return Ok(None);
        };
        let undone = matches!(row.state, SaleState::Refused | SaleState::Reversed);
        Ok((!undone).then_some(row.sale.id.clone()))
    }
}

#[cfg(test)]
mod tests {
    use yijie_agency::Credential;
    use yijie_rules::{Claim, Lang};

    use super::*;
    use crate::desk::offline::paid_in_full;
    use crate::record::Sale;

    /// A sale of one pack that is paid in full.
    fn sold() -> SaleRow {
        let claim = r#"{"person": {"psn_no": "1", "insutype": "310", "psn_type": "11"}, "institution": {},
            "visit": {"med_type": "41", "begntime": "2026-03-01 09:30:00"},
            "lines": [{"feedetl_sn": "1", "det_item_fee_sumamt": "1.00"}]}"#;
        let claim = Claim::from_json(claim.as_bytes()).unwrap();
        let settlement = paid_in_full(&claim, Lang::En);
        let [id, msgid, certno, operator] = ["a", "m", "", "001"].map(str::to_owned);
        let mut sale = Sale::new(
            id,
            msgid,
            claim,
            settlement,
            Credential::IdNumber { certno },
            operator,
        );
        sale.traces = vec![SoldCode {
            feedetl_sn: "1".to_owned(),
            code: "8".to_owned(),
            ..SoldCode::default()
        }];
        let mut row = SaleRow::new(sale, false, 1, 0);
        row.state = SaleState::SelfPaid;
        row
    }

    /// Whether what is told next comes back, told under that message id; it has no answer yet.
    fn tell(row: &mut SaleRow, msgid: &str) -> Option<bool> {
        let goods = match row.next_upload(false)? {
            Next::New(goods) => goods,
            Next::Again(upload) => upload.goods.coming_back(),
        };
        let (sale, msgid, returned) = ("a".to_owned(), msgid.to_owned(), goods.returned);
        row.course.tell_packs(&Record::Uploading { sale, msgid, goods });
        Some(returned)
    }

    fn taken(row: &mut SaleRow, msgid: &str) {
        let (sale, msgid) = ("a".to_owned(), msgid.to_owned());
        row.course.tell_packs(&Record::Uploaded { sale, msgid });
    }

    fn refused(row: &mut SaleRow, msgid: &str) {
        let [sale, msgid, code, message] = ["a", msgid, "TRACE_CODE_USED", ""].map(str::to_owned);
        row.course.tell_packs(&Record::UploadRefused {
            sale,
            msgid,
            code,
            message,
        });
    }

    /// What had no answer comes back; a copy of it that arrives after that is in the way of telling anew, once.
    #[test]
    fn a_late_copy_comes_back_too_and_a_true_refusal_stands() {
        for used_elsewhere in [false, true] {
            let mut row = sold();
            assert_eq!(tell(&mut row, "told"), Some(false));
            assert_eq!(tell(&mut row, "back"), Some(true));
            taken(&mut row, "back");
            assert_eq!(tell(&mut row, "anew"), Some(false));
            refused(&mut row, "anew");
            assert_eq!(row.upload_refused(), None);
            assert_eq!(tell(&mut row, "back again"), Some(true));
            taken(&mut row, "back again");
            assert_eq!(tell(&mut row, "last"), Some(false));
            if used_elsewhere {
                refused(&mut row, "last");
                assert_eq!(row.upload_refused(), Some(("TRACE_CODE_USED", "")));
            } else {
                taken(&mut row, "last");
                assert_eq!(row.upload_refused(), None);
            }
            assert_eq!(tell(&mut row, "more"), None);
        }
    }

    #[test]
    fn each_message_without_an_answer_is_given_the_blame_once() {
        let mut row = sold();
        for [told, back] in [["1", "2"], ["3", "4"]] {
            assert_eq!(tell(&mut row, told), Some(false));
            assert_eq!(tell(&mut row, back), Some(true));
            taken(&mut row, back);
        }
        for [told, back] in [["5", "6"], ["7", "8"]] {
            assert_eq!(tell(&mut row, told), Some(false));
            refused(&mut row, told);
            assert_eq!(tell(&mut row, back), Some(true));
            taken(&mut row, back);
        }
        assert_eq!(tell(&mut row, "9"), Some(false));
        refused(&mut row, "9");
        assert_eq!(
            (tell(&mut row, "10"), row.upload_refused().is_some()),
            (None, true)
        );
    }
}
