//! What the agency's answers are booked as.

use yijie_agency::{AgencyRefusal, Answer, Cause, Insured, MSGID_REPEATED, SettledReply, clr_type_of};

use crate::books::row::SaleRow;
use crate::record::{Difference, Record};

/// What an answer to a settlement request is booked as.
pub(super) fn outcome(row: &SaleRow, answer: Answer<SettledReply>) -> Record {
    let sale = row.sale.id.clone();
    match answer {
        Answer::Done(reply) => settled(row, reply),
        // The agency has seen this message id before: the first copy arrived, so what became of it is to be asked.
        Answer::Refused(refusal) if refusal.is_repetition() => Record::Unknown {
            sale,
            cause: MSGID_REPEATED.to_owned(),
        },
        Answer::Refused(refusal) => refused(&sale, refusal),
        Answer::Unknown(cause) => Record::Unknown {
            sale,
            cause: cause.code().to_owned(),
        },
        // No waiting makes such a request fit.
        Answer::NotSent(cause) if unfit(&cause) => Record::Refused {
            sale,
            infcode: cause.code().to_owned(),
            message: cause.to_string(),
        },
        Answer::NotSent(cause) => Record::NotSent {
            sale,
            cause: cause.code().to_owned(),
            offline: None,
            withdrawn: None,
        },
    }
}

/// The request itself is at fault, not the way to the agency.
pub(super) fn unfit(cause: &Cause) -> bool {
    matches!(cause, Cause::RequestInvalid { .. })
}

/// Number of the receipt at the agency (invono, 20 characters): till-wide, from the journal entry.
pub(super) fn invoice_no(row: &SaleRow) -> String {
    format!("{:020}", row.seq)
}

pub(super) fn insured(row: &SaleRow) -> Insured {
    let person = &row.sale.claim.person;
    Insured {
        psn_no: person.psn_no.to_string(),
        insuplc_admdvs: person
            .insuplc_admdvs
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
    }
}

/// The settling agency of an area, as long as none is told: its city's.
pub(crate) fn place_of(admdvs: &str) -> String {
    format!("{}99", admdvs.get(..4).unwrap_or(admdvs))
}

fn refused(id: &str, refusal: AgencyRefusal) -> Record {
    Record::Refused {
        sale: id.to_owned(),
        infcode: refusal.infcode.to_string(),
        message: refusal.message,
    }
}

/// The agency's figures stand; where they differ from what the patient was told, the difference is kept. What the
/// statements go by and the agency left out is what it usually is: were it another, the statement would say so.
pub(super) fn settled(row: &SaleRow, mut reply: SettledReply) -> Record {
    let claim = &row.sale.claim;
    let area = claim.visit.mdtrtarea_admvs.as_ref();
    let area = area
        .or(claim.person.insuplc_admdvs.as_ref())
        .map_or("", |area| area.as_str());
    let usual = [
        (&mut reply.insutype, claim.person.insutype.to_string()),
        (&mut reply.med_type, claim.visit.med_type.to_string()),
        (&mut reply.clr_type, clr_type_of(&claim.visit.med_type).to_owned()),
        (&mut reply.clr_optins, place_of(area)),
    ];
    for (told, usual) in usual {
        if told.is_empty() {
            *told = usual;
        }
    }
    let (told, stands) = (&row.sale.told, &reply.setlinfo);
    let account = |sums: &yijie_rules::SetlInfo| sums.acct_pay.saturating_add(sums.acct_mulaid_pay);
    let difference = Difference {
        fund: stands.fund_pay_sumamt.saturating_sub(told.fund_pay_sumamt),
        account: account(stands).saturating_sub(account(told)),
        cash: stands.psn_cash_pay.saturating_sub(told.psn_cash_pay),
    };
    Record::Settled {
        sale: row.sale.id.clone(),
        msgid: row.msgid.clone(),
        difference: (difference != Difference::default()).then_some(difference),
        reply: Box::new(reply),
    }
}
