//! What a patient who paid everything in advance takes to the agency (未联网结算费用), and until when.

use jiff::civil::Date;
use yijie_rules::Code;

use crate::books::row::{SaleRow, SaleState};

/// The papers, where they go and until when, with the article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimPapers {
    /// Documents, originals.
    pub documents: &'static [&'static str],
    /// Where they are handed in.
    pub office: &'static str,
    /// Last day; absent where the regulation names none.
    pub until: Option<Date>,
    /// By which article.
    pub article: &'static str,
}

/// 红政规〔2022〕2号 第二十二条.
const HONGHE: &[&str] = &["出院证明（住院）", "医疗费用发票", "费用清单", "患者身份证明"];
/// 昆政办〔2022〕15号 第二十六条.
const KUNMING: &[&str] = &["医保凭证", "医疗费用发票", "病历等材料"];
/// Where neither applies: what both ask for.
const ELSEWHERE: &[&str] = &[
    "医保凭证",
    "患者身份证明",
    "医疗费用发票",
    "费用清单",
    "病历或出院证明",
];

/// The papers for a sale that the patient paid in advance; none where the agency settled or will settle it.
#[must_use]
pub fn of(row: &SaleRow) -> Option<ClaimPapers> {
    let sale = &row.sale;
    let suspended = |note: &yijie_rules::Note| note.code == Code::AdvancePayment;
    let in_advance = row.state == SaleState::SelfPaid || sale.settlement.notes.iter().any(suspended);
    if !in_advance || row.state == SaleState::Reversed {
        return None;
    }
    let person = &sale.claim.person;
    let insured_in = person.insuplc_admdvs.as_deref().unwrap_or_default();
    Some(match (person.insutype.as_str(), insured_in.get(..4)) {
        ("390", Some("5325")) => ClaimPapers {
            documents: HONGHE,
            office: "参保地经办机构",
            until: december_20_after(sale.claim.visit.begntime.0.date()),
            article: "红政规〔2022〕2号 第二十二条",
        },
        ("310", Some("5301")) => ClaimPapers {
            documents: KUNMING,
            office: "参保地医保经办机构",
            until: None,
            article: "昆政办〔2022〕15号 第二十六条",
        },
        _ => ClaimPapers {
            documents: ELSEWHERE,
            office: "参保地医保经办机构",
            until: None,
            article: "参保地规定",
        },
    })
}

/// A year's costs are taken in until 20 December of the next.
fn december_20_after(day: Date) -> Option<Date> {
    let next = day.year().checked_add(1)?;
    Date::new(next, 12, 20).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn costs_of_a_year_are_taken_in_until_20_december_of_the_next() {
        assert_eq!(december_20_after(date(2026, 1, 1)), Some(date(2027, 12, 20)));
        assert_eq!(december_20_after(date(2026, 12, 31)), Some(date(2027, 12, 20)));
    }
}
