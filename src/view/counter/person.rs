//! Who is served, as the panel on the left says it.

use yijie_rules::{Code, Lang};
use yijie_ui::slint::SharedString;
use yijie_ui::{Level, Pair, PersonState};

use super::RELATIONS;
use crate::desk::State;
use crate::desk::patient::{Patient, Verified};
use crate::record::Agent;
use crate::view::{figure, name, number};
use crate::{advice, clock};

pub(super) fn person(state: &State) -> (PersonState, SharedString, SharedString) {
    let lang = state.lang;
    match &state.patient {
        Patient::None => (PersonState::None, SharedString::new(), SharedString::new()),
        Patient::Checking { .. } => (PersonState::Checking, SharedString::new(), SharedString::new()),
        Patient::Refused(notice, _) => (
            PersonState::Refused,
            SharedString::new(),
            advice::text(&notice.code, lang).into(),
        ),
        Patient::Verified(verified) => {
            let shown = match verified.credential.cert_type() {
                "03" => lang.pick("社保卡", "Social-security card"),
                "01" => lang.pick("医保码", "Insurance code"),
                _ => lang.pick("身份证号（主管核准）", "ID number, approved"),
            };
            if !verified.insured() {
                let known = verified.name();
                let name = known.map(|known| name(Some(&known), state));
                let name = name.unwrap_or_else(|| lang.pick("自费顾客", "Cash customer").to_owned());
                return (PersonState::SelfPaying, name.into(), SharedString::new());
            }
            let note = if verified.card_out {
                format!("{shown} · {}", lang.pick("卡已取出", "card taken out"))
            } else if verified.from_snapshot {
                let taken = clock::stamp(verified.record_ms);
                format!(
                    "{shown} · {} {}",
                    lang.pick("本机缓存", "cached"),
                    taken.get(5..16).unwrap_or_default()
                )
            } else {
                format!("{shown} · {}", lang.pick("已联网核验", "verified online"))
            };
            (
                PersonState::Verified,
                name(Some(&verified.record.baseinfo.psn_name), state).into(),
                note.into(),
            )
        }
    }
}

pub(super) fn particulars(verified: &Verified, state: &State) -> Vec<Pair> {
    let lang = state.lang;
    let pair = |zh: &str, en: &str, value: String, level: Level| Pair {
        label: lang.pick(zh, en).into(),
        value: value.into(),
        level,
    };
    let person = &verified.person;
    let insured = match person.insutype.as_str() {
        "310" => lang.pick("职工医保", "Employee"),
        "390" => lang.pick("居民医保", "Resident"),
        other => other,
    };
    let kind = match person.psn_type.get(..2) {
        Some("11") => lang.pick("在职", "active"),
        Some("12") => lang.pick("退休", "retired"),
        _ => person.psn_type.as_str(),
    };
    let mut pairs = vec![
        pair("险种", "Insurance", format!("{insured} · {kind}"), Level::Info),
        pair(
            "证件号",
            "ID number",
            number(&verified.record.baseinfo.certno, state),
            Level::Info,
        ),
        pair(
            "参保地",
            "Insured in",
            person.insuplc_admdvs.as_deref().unwrap_or("—").to_owned(),
            Level::Info,
        ),
        status(verified, lang),
    ];
    let own = verified
        .record
        .facts
        .own
        .as_ref()
        .map(|own| own.balc)
        .or_else(|| {
            verified
                .record
                .insuinfo
                .iter()
                .find(|row| row.insutype == person.insutype.as_str())
                .and_then(|row| row.balc)
        });
    let balance = own.map_or_else(|| lang.pick("无账户", "None").to_owned(), figure);
    pairs.push(pair("账户余额", "Account", balance, Level::Info));
    if let Some(day) = verified.shown.expires_on {
        pairs.push(pair("卡有效期", "Card valid to", day.to_string(), Level::Info));
    }
    for note in &verified.notes {
        pairs.push(pair(
            "注意",
            "Note",
            note.code.text().text(lang).to_owned(),
            Level::Warning,
        ));
    }
    pairs
}

fn status(verified: &Verified, lang: Lang) -> Pair {
    let suspended = verified
        .notes
        .iter()
        .any(|note| note.code == Code::AdvancePayment);
    let (value, level) = if suspended {
        (lang.pick("暂停联网结算", "Suspended"), Level::Warning)
    } else {
        (lang.pick("正常参保", "Insured"), Level::Info)
    };
    Pair {
        label: lang.pick("状态", "Status").into(),
        value: value.into(),
        level,
    }
}

pub(super) fn agent_text(agent: &Agent, state: &State) -> String {
    let lang = state.lang;
    let relation = RELATIONS.iter().find(|(code, ..)| *code == agent.relation);
    let relation = relation
        .map(|(_, zh, en)| lang.pick(*zh, *en))
        .unwrap_or_default();
    if state.shows_persons() {
        return format!("{} · {relation} · {}", agent.name, agent.id_no);
    }
    format!("{} · {relation}", name(Some(&agent.name), state))
}

pub(super) fn self_paying(reason: &str, lang: Lang) -> Pair {
    Pair {
        label: lang.pick("原因", "Why").into(),
        value: advice::text(reason, lang).into(),
        level: Level::Warning,
    }
}
