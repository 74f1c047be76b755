//! Trace codes after the settlement: each pack sold is told to the agency (3505), each that comes back too (3506). What
//! fails is tried again by itself; a settlement is never sent again for it.

use std::sync::Arc;

use tokio::task::JoinSet;
use yijie_agency::{Answer, BaseInfo, Cause, GoodsReturned, GoodsSold, TraceCodes};
use yijie_rules::{Claim, Flag, Line, RxFlag};

use super::{REQUESTS_AT_ONCE_MAX, Sync, insured, invoice_no};
use crate::books::BooksError;
use crate::books::row::SaleRow;
use crate::books::uploads::Next;
use crate::clock;
use crate::record::{Goods, Record};

/// A returned pack of which the agency knows no sale.
const NEVER_SOLD: &str = "TRACE_CODE_NOT_SOLD";
/// More messages than any sale's packs take in one go.
const MESSAGES_MAX: usize = 400;

impl Sync {
    /// Works on the queue of uploads; how many messages were taken. Stops at the first without an answer: sales go on.
    ///
    /// # Errors
    /// [`BooksError`] if the books cannot be read or written.
    pub(super) async fn upload(self: &Arc<Self>) -> Result<usize, BooksError> {
        let mut taken = 0;
        let mut at_work = JoinSet::new();
        for row in self.books.uploads()? {
            let id = row?.sale.id.clone();
            while at_work.len() >= REQUESTS_AT_ONCE_MAX {
                if let Some(done) = at_work.join_next().await {
                    taken += done.unwrap_or(Err(BooksError::Stalled))?;
                }
            }
            if !self.may_tell_goods() {
                break;
            }
            let this = self.clone();
            at_work.spawn(async move { this.upload_of(&id).await });
        }
        while let Some(done) = at_work.join_next().await {
            taken += done.unwrap_or(Err(BooksError::Stalled))?;
        }
        Ok(taken)
    }

    /// Tells of one sale's packs as far as the agency answers; how many messages it took that bring it further.
    ///
    /// # Errors
    /// [`BooksError`] if the books cannot be read or written.
    pub async fn upload_of(&self, id: &str) -> Result<usize, BooksError> {
        let Some(_turn) = self.uploading.try_turn(id) else {
            return Ok(0);
        };
        let profile = &self.client.settings().profile;
        let one_code = profile.trace_codes == TraceCodes::SaleSingle;
        let mut taken = 0;
        for _ in 0..MESSAGES_MAX {
            // Read anew each time: the sale may have been undone meanwhile.
            let row = self.books.sale(id)?.ok_or(BooksError::NoSuchSale)?;
            let mut withdrawn = false;
            let (left, goods) = match row.next_upload(one_code) {
                None => return Ok(taken),
                // What has come back before does not come back twice.
                Some(Next::Again(upload)) if upload.goods.returned || profile.repeated_msgid_idempotent => {
                    (Some(upload.msgid), upload.goods)
                }
                // It may have arrived, and told of twice its packs count as sold twice: first they come back.
                Some(Next::Again(upload)) => {
                    withdrawn = true;
                    (None, upload.goods.coming_back())
                }
                Some(Next::New(goods)) => (None, goods),
            };
            let msgid = match left {
                Some(msgid) => msgid,
                None => {
                    let msgid = self.books.next_msgid();
                    self.note(Record::Uploading {
                        sale: id.to_owned(),
                        msgid: msgid.clone(),
                        goods: goods.clone(),
                    })
                    .await?;
                    msgid
                }
            };
            let Some(record) = self.told(&row, msgid, &goods).await else {
                return Ok(taken);
            };
            self.note(record).await?;
            taken += usize::from(!withdrawn);
        }
        Ok(taken)
    }

    /// What the agency refused of a sale's packs is told once more: someone asked for it.
    ///
    /// # Errors
    /// [`BooksError`] if the books cannot be read or written.
    pub async fn upload_again(&self, id: &str) -> Result<(), BooksError> {
        let row = self.books.sale(id)?.ok_or(BooksError::NoSuchSale)?;
        for goods in row.refused_goods() {
            self.note(Record::Uploading {
                sale: id.to_owned(),
                msgid: self.books.next_msgid(),
                goods,
            })
            .await?;
        }
        self.upload_of(id).await?;
        Ok(())
    }

    /// One message; None where there is no answer to it yet.
    async fn told(&self, row: &SaleRow, msgid: String, goods: &Goods) -> Option<Record> {
        let (client, place) = (&self.client, insured(row).insuplc_admdvs);
        let codes: Vec<String> = goods.codes.iter().map(|code| code.code.clone()).collect();
        // By name where the till knows it; a program that sells has none.
        let known = self.books.operator(&row.sale.operator).ok().flatten();
        let operator = known.map_or_else(|| row.sale.operator.clone(), |operator| operator.name);
        let person = self.books.person(&row.sale.claim.person.psn_no).ok().flatten();
        let who = person.map(|(_, record)| record.baseinfo).unwrap_or_default();
        let said = said(row, goods, who, operator);
        let answer = if goods.returned {
            let returned = returned(row, goods, said);
            client.goods_returned(&msgid, &place, returned, &codes).await
        } else {
            let here = &client.settings().institution.admdvs;
            let elsewhere = !place.is_empty() && !same_city(&place, here);
            let sold = sold(row, goods, said, elsewhere);
            client.goods_sold(&msgid, &place, sold, &codes).await
        };
        let sale = row.sale.id.clone();
        let refused = |code: &str, message: String| Record::UploadRefused {
            sale: sale.clone(),
            msgid: msgid.clone(),
            code: code.to_owned(),
            message,
        };
        match answer {
            Answer::Refused(refusal) if refusal.infcode == -1 => {
                self.goods_line.failed(Cause::AgencySystemError.code());
                None
            }
            Answer::NotSent(cause @ Cause::RequestInvalid { .. }) => {
                Some(refused(cause.code(), cause.to_string()))
            }
            Answer::NotSent(cause) | Answer::Unknown(cause) => {
                self.goods_line.failed(cause.code());
                None
            }
            Answer::Refused(refusal) => {
                self.goods_line.answered();
                // The first copy arrived; nothing is there to come back.
                let done = refusal.is_repetition() || goods.returned && refusal.reason() == Some(NEVER_SOLD);
                if done {
                    return Some(Record::Uploaded { sale, msgid });
                }
                let code = refusal.reason().unwrap_or("AGENCY_REFUSED").to_owned();
                Some(refused(&code, refusal.message))
            }
            Answer::Done(()) => {
                self.goods_line.answered();
                Some(Record::Uploaded { sale, msgid })
            }
        }
    }
}

/// What both messages say of the goods.
struct Said {
    code: String,
    name: String,
    /// The row of the institution's own books.
    own_no: String,
    split: &'static str,
    count: String,
    rx: &'static str,
    /// The person, as far as the agency told.
    who: BaseInfo,
    time: String,
    visit: String,
    lot: String,
    made_on: String,
    expires_on: String,
    operator: String,
}

fn said(row: &SaleRow, goods: &Goods, who: BaseInfo, operator: String) -> Said {
    let claim = &row.sale.claim;
    let line: Option<&Line> = claim
        .lines
        .iter()
        .find(|line| line.feedetl_sn.as_str() == goods.feedetl_sn);
    let code = line
        .and_then(|line| line.med_list_codg.as_ref())
        .map_or_else(|| goods.feedetl_sn.clone(), ToString::to_string);
    let name = line.and_then(|line| line.name.as_ref()).map(ToString::to_string);
    let of_line = row
        .sale
        .traces
        .iter()
        .filter(|trace| trace.feedetl_sn == goods.feedetl_sn);
    // All of a line's packs at once are its quantity; some of them are as many as there are codes.
    let whole_line = of_line.count() == goods.codes.len();
    let quantity = line.and_then(|line| line.cnt).filter(|_| whole_line);
    // One message tells of one lot.
    let pack = goods.codes.first().cloned().unwrap_or_default();
    Said {
        name: name.unwrap_or_else(|| code.clone()),
        code,
        own_no: format!("{:016}-{}", row.seq, goods.feedetl_sn),
        split: flag(goods.codes.iter().any(|code| code.split)),
        count: quantity.map_or_else(|| goods.codes.len().to_string(), |cnt| cnt.to_string()),
        rx: match line.and_then(|line| line.rx_flag) {
            Some(RxFlag::Otc) => "0",
            Some(RxFlag::Prescription) => "1",
            Some(RxFlag::Both) => "2",
            None => flag(prescribed(claim)),
        },
        who,
        time: clock::stamp(row.time_ms),
        lot: pack.lot,
        made_on: pack.made_on,
        expires_on: pack.expires_on,
        operator,
        visit: if goods.mdtrt_id.is_empty() {
            invoice_no(row)
        } else {
            goods.mdtrt_id.clone()
        },
    }
}

fn flag(set: bool) -> &'static str {
    if set { "1" } else { "0" }
}

/// The bill is for an outside prescription.
fn prescribed(claim: &Claim) -> bool {
    claim.visit.rxno.is_some() || claim.visit.rx_circ_flag == Some(Flag::Yes)
}

/// Both regions are of one city: their first four digits.
fn same_city(one: &str, other: &str) -> bool {
    one.get(..4) == other.get(..4)
}

/// 3505.
fn sold(row: &SaleRow, goods: &Goods, said: Said, elsewhere: bool) -> GoodsSold {
    let claim = &row.sale.claim;
    let settled = !goods.setl_id.is_empty();
    GoodsSold {
        hi_feesetl_type: match (settled, elsewhere) {
            (false, _) => "0",
            (true, false) => "1",
            (true, true) => "2",
        }
        .to_owned(),
        psn_cert_type: said.who.psn_cert_type,
        certno: said.who.certno,
        psn_name: said.who.psn_name,
        rxno: claim
            .visit
            .rxno
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        med_list_codg: said.code.clone(),
        fixmedins_hilist_id: said.code,
        fixmedins_hilist_name: said.name,
        fixmedins_bchno: said.own_no,
        setl_id: goods.setl_id.clone(),
        mdtrt_sn: said.visit,
        psn_no: claim.person.psn_no.to_string(),
        manu_lotnum: said.lot,
        manu_date: said.made_on,
        expy_end: said.expires_on,
        rx_flag: said.rx.to_owned(),
        trdn_flag: said.split.to_owned(),
        rx_circ_flag: flag(prescribed(claim)).to_owned(),
        rtal_docno: invoice_no(row),
        sel_retn_cnt: said.count,
        sel_retn_time: said.time,
        sel_retn_opter_name: said.operator,
        mdtrt_setl_type: if settled { "1" } else { "2" }.to_owned(),
        ..GoodsSold::default()
    }
}

/// 3506.
fn returned(row: &SaleRow, goods: &Goods, said: Said) -> GoodsReturned {
    GoodsReturned {
        psn_cert_type: said.who.psn_cert_type,
        certno: said.who.certno,
        psn_name: said.who.psn_name,
        med_list_codg: said.code.clone(),
        fixmedins_hilist_id: said.code,
        fixmedins_hilist_name: said.name,
        fixmedins_bchno: said.own_no,
        setl_id: goods.setl_id.clone(),
        psn_no: row.sale.claim.person.psn_no.to_string(),
        manu_lotnum: said.lot,
        manu_date: said.made_on,
        expy_end: said.expires_on,
        rx_flag: said.rx.to_owned(),
        trdn_flag: said.split.to_owned(),
        sel_retn_cnt: said.count,
        sel_retn_time: said.time,
        sel_retn_opter_name: said.operator,
        medins_prod_sel_no: invoice_no(row),
        mdtrt_sn: said.visit,
        ..GoodsReturned::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use yijie_agency::{Credential, SoldCode};
    use yijie_rules::Lang;

    use super::*;
    use crate::desk::offline::paid_in_full;
    use crate::record::Sale;

    fn row(visit: Value, line: Value) -> SaleRow {
        let mut claim = json!({
            "person": {"psn_no": "1", "insutype": "310", "psn_type": "11"}, "institution": {},
            "visit": {"med_type": "41", "begntime": "2026-03-01 09:30:00"},
            "lines": [{"feedetl_sn": "1", "det_item_fee_sumamt": "1.00"}],
        });
        for (place, more) in [("/visit", visit), ("/lines/0", line)] {
            let fields = claim.pointer_mut(place).unwrap().as_object_mut().unwrap();
            fields.extend(more.as_object().unwrap().clone());
        }
        let claim = Claim::from_json(claim.to_string().as_bytes()).unwrap();
        let settlement = paid_in_full(&claim, Lang::En);
        let credential = Credential::IdNumber {
            certno: String::new(),
        };
        let text = str::to_owned;
        let sale = Sale::new(text("a"), text("m"), claim, settlement, credential, text("001"));
        SaleRow::new(sale, true, 1, 0)
    }

    fn goods(setl_id: &str) -> Goods {
        Goods {
            setl_id: setl_id.to_owned(),
            mdtrt_id: String::new(),
            feedetl_sn: "1".to_owned(),
            codes: vec![SoldCode {
                code: "8".to_owned(),
                lot: "AB12".to_owned(),
                expires_on: "2028-12-31".to_owned(),
                ..SoldCode::default()
            }],
            returned: false,
        }
    }

    fn told(row: &SaleRow, goods: &Goods, elsewhere: bool) -> GoodsSold {
        let who = BaseInfo {
            psn_cert_type: "01".to_owned(),
            certno: "53".to_owned(),
            psn_name: "甲".to_owned(),
            ..BaseInfo::default()
        };
        sold(row, goods, said(row, goods, who, "001".to_owned()), elsewhere)
    }

    /// Whether a drug needs a prescription is one thing, whether there was one from outside another.
    #[test]
    fn a_drug_and_its_prescription() {
        for (visit, line, rx, circ, rxno) in [
            (json!({}), json!({"rx_flag": "1"}), "1", "0", ""),
            (json!({}), json!({"rx_flag": "2"}), "2", "0", ""),
            (
                json!({"rx_circ_flag": "1"}),
                json!({"rx_flag": "0"}),
                "0",
                "1",
                "",
            ),
            (json!({"rxno": "R7"}), json!({}), "1", "1", "R7"),
            (json!({}), json!({}), "0", "0", ""),
        ] {
            let sold = told(&row(visit, line), &goods("S1"), false);
            let (said, known) = ([sold.rx_flag, sold.rx_circ_flag, sold.rxno], [rx, circ, rxno]);
            assert_eq!(said, known);
        }
    }

    #[test]
    fn who_paid_and_what_is_known_of_person_and_pack() {
        let row = row(json!({}), json!({}));
        for (setl_id, elsewhere, paid) in [
            ("S1", false, ["1", "1"]),
            ("S1", true, ["2", "1"]),
            ("", true, ["0", "2"]),
        ] {
            let sold = told(&row, &goods(setl_id), elsewhere);
            assert_eq!([sold.hi_feesetl_type, sold.mdtrt_setl_type], paid);
            let person = [sold.psn_cert_type, sold.certno, sold.psn_name];
            assert_eq!(person, ["01", "53", "甲"]);
            assert_eq!([sold.manu_lotnum, sold.expy_end], ["AB12", "2028-12-31"]);
        }
        assert!(same_city("530100", "530199") && !same_city("530100", "510400"));
    }
}
