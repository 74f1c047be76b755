//! 2101, 2102, 2103 and 2601: sales computed by the agency's own records, committed, undone.

use serde_json::Value;
use yijie_rules::{Claim, Lang, Money, Options, Outcome, Settlement, split};

use super::{
    Agency, Fail, Request,
    claim::{Bill, multiplied},
    input,
};
use crate::{
    clock::{beijing_now, compact_time, wire_time},
    messages::{
        person::PersonData,
        pharmacy::{CancelInput, SaleInput, Transactions, clr_type_of},
        reversal::ReversalInput,
    },
    sandbox::{
        book::{Original, Sent, difference},
        ledger::{Debit, Entry, Registered, Settled, SettlementState},
        persons::ec_token,
        replies::{self, No},
    },
};

impl Agency {
    /// 2101: computes, commits nothing.
    pub(super) fn presettle(&self, request: &Request) -> Result<Value, Fail> {
        let bill = sale_of(request)?;
        let (_, settled) = self.compute(request, &bill, false)?;
        Ok(replies::settlement(&settled, &self.seal.profile))
    }

    /// 2102.
    pub(super) fn settle(&mut self, request: &Request) -> Result<Value, Fail> {
        let bill = sale_of(request)?;
        bill.sale.check_settling()?;
        let (opening, settled) = self.compute(request, &bill, true)?;
        self.accounts_open(&settled)?;
        let output = replies::settlement(&settled, &self.seal.profile);
        let opening = opening
            .into_iter()
            .map(|registered| Entry::Registered(Box::new(registered)));
        self.commit(opening.chain([Entry::Settled(Box::new(settled))]).collect())?;
        Ok(output)
    }

    pub(super) fn commit(&mut self, entries: Vec<Entry>) -> Result<(), Fail> {
        self.ledger.append(&entries)?;
        for entry in &entries {
            self.book.apply(entry);
        }
        Ok(())
    }

    /// The split by the agency's own records, and the opening of a person it takes over.
    pub(super) fn compute(
        &self,
        request: &Request,
        bill: &Bill,
        settling: bool,
    ) -> Result<(Option<Registered>, Settled), Fail> {
        let claimed = self.claim_of(request, bill)?;
        self.check_credential(&bill.sale, &claimed)?;
        let claim = if self.old_figures && !settling {
            self.book.with_first_facts(&claimed, self.any_person)
        } else {
            self.book.with_own_facts(&claimed, self.any_person)
        };
        let claim = claim.ok_or_else(|| No::new("PERSON_UNKNOWN", "未查询到该人员的参保信息"))?;
        let options = Options {
            pack: None,
            trace: false,
            lang: Lang::Zh,
        };
        let settlement = match split(&self.packs, &claim, &options) {
            Outcome::Settled(settlement) => settlement,
            Outcome::Refused(refusal) => return Err(No::new(refusal.code(), refusal.says).into()),
        };
        let opening = (!self.book.knows(&claim.person.psn_no)).then(|| registered(&claim));
        Ok((opening, self.settled(request, &claim, *settlement, settling)))
    }

    /// A credential of somebody else settles nothing.
    fn check_credential(&self, sale: &SaleInput, claim: &Claim) -> Result<(), No> {
        let info = &sale.druginfo;
        let data = PersonData {
            mdtrt_cert_type: info.mdtrt_cert_type.clone(),
            mdtrt_cert_no: info.mdtrt_cert_no.clone(),
            ..PersonData::default()
        };
        let number = data.mdtrt_cert_no.as_str();
        let holder = self.persons.iter().map(|person| &person.record).find(|record| {
            match info.mdtrt_cert_type.as_str() {
                "01" => ec_token(record) == number,
                "02" => record.baseinfo.certno == number,
                _ => record
                    .facts
                    .card
                    .as_ref()
                    .is_some_and(|card| card.card_no == number),
            }
        });
        match holder {
            Some(record) if record.baseinfo.psn_no != claim.person.psn_no.as_str() => {
                Err(No::new("CREDENTIAL_OF_ANOTHER", "就诊凭证与人员不符"))
            }
            _ => Ok(()),
        }
    }

    fn settled(&self, request: &Request, claim: &Claim, settlement: Settlement, settling: bool) -> Settled {
        let number = self.book.len() + 1;
        let place = claim.person.insuplc_admdvs.as_deref();
        let place = place
            .unwrap_or(&request.insuplc_admdvs)
            .get(..4)
            .unwrap_or("0000");
        let med_type = claim.visit.med_type.to_string();
        Settled {
            infno: "2102".to_owned(),
            setl_id: if settling {
                format!("{}{number:09}", compact_time(beijing_now()))
            } else {
                String::new()
            },
            mdtrt_id: if settling {
                format!("M{}{number:09}", compact_time(beijing_now()))
            } else {
                String::new()
            },
            msgid: request.msgid.clone(),
            fixmedins_code: request.fixmedins_code.clone(),
            psn_no: claim.person.psn_no.to_string(),
            insutype: claim.person.insutype.to_string(),
            clr_type: clr_type_of(&med_type).to_owned(),
            clr_optins: format!("{place}99"),
            med_type,
            setl_time: wire_time(beijing_now()),
            year: claim.visit.settled_at().date().year(),
            used: difference(&claim.accumulated, &settlement.accumulated_after),
            debits: debits(claim, &settlement),
            setlinfo: settlement.setlinfo,
            setldetail: settlement.setldetail,
            detlcutinfo: settlement.detlcutinfo,
            accumulated_after: settlement.accumulated_after,
        }
    }

    /// 2103.
    pub(super) fn cancel(&mut self, request: &Request) -> Result<Value, Fail> {
        let data = input::<CancelInput>(request)?.data;
        let found = self
            .book
            .find(&data.psn_no, &data.setl_id, "", "")
            .and_then(|at| self.book.settlement(at));
        let (settled, state) = found.ok_or_else(|| No::new("SETTLEMENT_NOT_FOUND", "未找到该结算"))?;
        let number = self.seal.profile.national_of(&request.infno);
        if Transactions::settled_by(&settled.infno).cancel != number {
            return Err(No::new("TRANSACTION_OTHER", "该结算应由对应的撤销交易撤销").into());
        }
        if settled.mdtrt_id != data.mdtrt_id {
            return Err(No::new("SETTLEMENT_NOT_FOUND", "结算与就诊不符").into());
        }
        if state == SettlementState::Reversed {
            return Err(No::new("ALREADY_REVERSED", "原交易已冲正").into());
        }
        self.accounts_open(settled)?;
        let settled = settled.clone();
        let cancel_setl_id = format!("R{}", settled.setl_id);
        self.commit(vec![Entry::Cancelled {
            msgid: request.msgid.clone(),
            cancel_setl_id: cancel_setl_id.clone(),
            setl_id: settled.setl_id.clone(),
            time: wire_time(beijing_now()),
        }])?;
        let balance = self
            .book
            .own_account(&settled.psn_no)
            .map(|own| own.balc)
            .unwrap_or(Money::ZERO);
        Ok(replies::cancellation(
            &settled,
            &cancel_setl_id,
            &request.msgid,
            balance,
            &self.seal.profile,
        ))
    }

    /// A month whose clearing was applied for takes no settlement and gives none back.
    pub(super) fn accounts_open(&self, settled: &Settled) -> Result<(), No> {
        if self.book.is_cleared(settled) {
            return Err(No::new("ACCOUNTS_CLOSED", "该月已申请清算"));
        }
        Ok(())
    }

    /// 2601.
    pub(super) fn reverse(&mut self, request: &Request) -> Result<Value, Fail> {
        let data = input::<ReversalInput>(request)?.data;
        let profile = &self.seal.profile;
        let original = profile.national_of(&data.oinfno);
        if !profile.reversible.iter().any(|number| number == original) {
            return Err(No::new("NOT_REVERSIBLE", "该交易不可冲正").into());
        }
        if let Some(number) = self.book.number_of(&data.omsgid)
            && number != original
        {
            return Err(No::new("TRANSACTION_OTHER", "原交易编号不符").into());
        }
        if let Some((psn_no, mdtrt_id)) = self.book.admission(&data.omsgid) {
            if psn_no != data.psn_no {
                return Err(No::new("ORIGINAL_OF_ANOTHER", "原交易不属于该人员").into());
            }
            let mdtrt_id = mdtrt_id.to_owned();
            return self.reverse_admission(request, data.omsgid, mdtrt_id);
        }
        if let Some(Sent::Settlement(at) | Sent::Cancellation(at)) = self.book.sent(&data.omsgid)
            && let Some((settled, SettlementState::Settled)) = self.book.settlement(at)
        {
            self.accounts_open(settled)?;
        }
        let (msgid, omsgid, time) = (request.msgid.clone(), data.omsgid, wire_time(beijing_now()));
        match self.book.original(&data.psn_no, &omsgid) {
            Original::Standing => self
                .commit(vec![Entry::Reversed { msgid, omsgid, time }])
                .map(|()| Value::Null),
            Original::AlreadyReversed => Err(No::new("ALREADY_REVERSED", "原交易已冲正").into()),
            Original::UsedSince => Err(No::new("LATER_SETTLEMENT", "撤销后已有新的结算，不能恢复").into()),
            Original::OfAnother => Err(No::new("ORIGINAL_OF_ANOTHER", "原交易不属于该人员").into()),
            Original::NotReversible => Err(No::new("NOT_REVERSIBLE", "该交易不可冲正").into()),
            Original::NotFound => {
                // Should the original still be on its way, it must not count after this answer.
                self.commit(vec![Entry::Tombstone {
                    msgid,
                    omsgid,
                    psn_no: data.psn_no,
                    time,
                }])?;
                Err(No::new("ORIGINAL_NOT_FOUND", "未找到原交易").into())
            }
        }
    }
}

/// The bill of 2101 and 2102.
fn sale_of(request: &Request) -> Result<Bill, Fail> {
    let sale = input::<SaleInput>(request)?;
    for row in &sale.drugdetail {
        multiplied(&row.cnt, &row.pric, &row.det_item_fee_sumamt)?;
    }
    Ok(Bill {
        sale,
        endtime: String::new(),
    })
}

fn registered(claim: &Claim) -> Registered {
    Registered {
        person: claim.person.clone(),
        own: claim.accounts.own.clone(),
        family: claim.accounts.family.clone(),
        accumulated: claim.accumulated.clone(),
        year: claim.visit.settled_at().date().year(),
    }
}

fn debits(claim: &Claim, settlement: &Settlement) -> Vec<Debit> {
    let own = (claim.person.psn_no.to_string(), settlement.setlinfo.acct_pay);
    let family = settlement.accounts_after.family.iter().filter_map(|after| {
        let before = claim
            .accounts
            .family
            .iter()
            .find(|before| before.psn_no == after.psn_no)?;
        Some((after.psn_no.to_string(), before.balc.checked_sub(after.balc)?))
    });
    let all = std::iter::once(own)
        .chain(family)
        .filter(|(_, amount)| !amount.is_zero());
    all.map(|(psn_no, amount)| Debit { psn_no, amount }).collect()
}
