//! Real-name verification (实名核验): what must hold before the first line of a bill. A refusal is a [`Notice`].
//!
//! 昆明市人民政府令第161号 第二十二条, 第二十六条, 第二十七条.

use jiff::civil::Date;
use yijie_agency::{Credential, InsuredRow, PersonRecord};
use yijie_hardware::{IdNumber, SocialCard};
use yijie_rules::{Packs, Visit};

use super::{Level, Notice};

/// What the patient showed, as far as it names the person.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// Citizen number, from the card or the decoded code.
    pub id_no: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Card identification code.
    pub card_sn: Option<String>,
    /// Last day of the card.
    pub expires_on: Option<Date>,
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shown")
            .field("card", &self.card_sn.is_some())
            .finish_non_exhaustive()
    }
}

fn refuse(code: &str) -> Notice {
    Notice::new(Level::Error, code)
}

/// What a card says by itself: complete, unexpired, not on the lost-card list, a citizen number that can exist.
///
/// # Errors
/// `CARD_HIDES_HOLDER`, `CARD_EXPIRED`, `CARD_LOST`, `ID_NUMBER_WRONG`.
pub fn card(card: &SocialCard, today: Date, lost_cards: &[String]) -> Result<(Credential, Shown), Notice> {
    if lost_cards.contains(&card.card_sn) {
        return Err(refuse("CARD_LOST"));
    }
    if let Some(day) = card.expires_on
        && day < today
    {
        return Err(refuse("CARD_EXPIRED").about(day.to_string()));
    }
    let (Some(card_no), Some(id_no)) = (&card.card_no, &card.id_no) else {
        return Err(refuse("CARD_HIDES_HOLDER"));
    };
    id_number(id_no)?;
    let credential = Credential::Card {
        card_no: card_no.clone(),
        card_sn: card.card_sn.clone(),
    };
    let shown = Shown {
        id_no: Some(id_no.clone()),
        name: card.name.clone(),
        card_sn: Some(card.card_sn.clone()),
        expires_on: card.expires_on,
    };
    Ok((credential, shown))
}

/// A citizen number with a check digit and a birth date that can be.
///
/// # Errors
/// `ID_NUMBER_WRONG`.
pub fn id_number(text: &str) -> Result<(), Notice> {
    match IdNumber::parse(text) {
        Some(_) => Ok(()),
        None => Err(refuse("ID_NUMBER_WRONG")),
    }
}

/// What was shown against what the agency has on record.
///
/// # Errors
/// `RECORD_OTHER_PERSON`, `CARD_LOST`, `CARD_REPLACED`, `CARD_EXPIRED`.
pub fn agree(shown: &Shown, record: &PersonRecord, today: Date) -> Result<(), Notice> {
    let base = &record.baseinfo;
    let differs = |shown: &Option<String>, recorded: &str| {
        shown
            .as_ref()
            .is_some_and(|text| !recorded.is_empty() && !text.eq_ignore_ascii_case(recorded))
    };
    if differs(&shown.id_no, &base.certno) || differs(&shown.name, &base.psn_name) {
        return Err(refuse("RECORD_OTHER_PERSON"));
    }
    let (Some(card_sn), Some(card)) = (&shown.card_sn, &record.facts.card) else {
        return Ok(());
    };
    if !card.card_sn.is_empty() && !card.card_sn.eq_ignore_ascii_case(card_sn) {
        return Err(refuse("CARD_REPLACED"));
    }
    if card.lost {
        return Err(refuse("CARD_LOST"));
    }
    match card.expires_on.parse::<Date>() {
        Ok(day) if day < today => Err(refuse("CARD_EXPIRED").about(day.to_string())),
        _ => Ok(()),
    }
}

/// The insurance a bill is settled under: an active one this till has rules for, else an active one, else the first.
#[must_use]
pub fn insured<'a>(record: &'a PersonRecord, packs: &Packs, visit: &Visit) -> Option<&'a InsuredRow> {
    let active = |row: &&InsuredRow| row.psn_insu_stas == "1";
    let ruled = |row: &InsuredRow| packs.choose_for(&record.to_rules_person(row), visit).is_some();
    record
        .insuinfo
        .iter()
        .find(|row| active(row) && ruled(row))
        .or_else(|| record.insuinfo.iter().find(active))
        .or_else(|| record.insuinfo.first())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use yijie_agency::{BaseInfo, CardFacts, PersonFacts};

    fn record(certno: &str, name: &str, card: Option<CardFacts>) -> PersonRecord {
        PersonRecord {
            baseinfo: BaseInfo {
                certno: certno.to_owned(),
                psn_name: name.to_owned(),
                ..BaseInfo::default()
            },
            insuinfo: Vec::new(),
            idetinfo: Vec::new(),
            facts: PersonFacts {
                card,
                ..PersonFacts::default()
            },
        }
    }

    #[test]
    fn the_record_must_be_of_the_person_and_card_shown() {
        let shown = Shown {
            id_no: Some("53010019580302001X".to_owned()),
            name: Some("张三".to_owned()),
            card_sn: Some("530100D15600000500000001".to_owned()),
            expires_on: None,
        };
        let card = |sn: &str, lost: bool, expires_on: &str| {
            Some(CardFacts {
                card_sn: sn.to_owned(),
                lost,
                expires_on: expires_on.to_owned(),
                ..CardFacts::default()
            })
        };
        let sn = "530100d15600000500000001";
        for (id, name, card, expected) in [
            ("53010019580302001x", "张三", None, Ok(())),
            (
                "53010019580302001X",
                "张三",
                card(sn, false, "2030-01-01"),
                Ok(()),
            ),
            (
                "53010019580302001X",
                "张三",
                card(sn, false, "2026-02-28"),
                Err("CARD_EXPIRED"),
            ),
            ("53010019580302001X", "张三", card(sn, true, ""), Err("CARD_LOST")),
            (
                "53010019580302001X",
                "张三",
                card("530100D156000005FFFFFFFF", false, ""),
                Err("CARD_REPLACED"),
            ),
            ("530100195803020028", "张三", None, Err("RECORD_OTHER_PERSON")),
            ("53010019580302001X", "张四", None, Err("RECORD_OTHER_PERSON")),
        ] {
            let found = agree(&shown, &record(id, name, card), date(2026, 3, 1));
            assert_eq!(
                found.map_err(|n| n.code),
                expected.map_err(str::to_owned),
                "{id} {name}"
            );
        }
    }
}
