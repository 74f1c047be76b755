//! In words: layers of other funds, terms of treatment elsewhere, limits of selling offline.

use smol_str::SmolStr;

use super::{each, of_pay};
use crate::codes::Lang;
use crate::pack::{Layer, OfflineMode, Pack, Per, Region};

pub(super) fn of_layer(pack: &Pack, layer: &Layer, lang: Lang) -> String {
    let statuses = layer
        .statuses
        .iter()
        .filter_map(|status| pack.statuses.get(*status));
    let mut whom: Vec<&str> = statuses.map(SmolStr::as_str).collect();
    if layer.civil_servant {
        whom.push(lang.pick("公务员", "civil servants"));
    }
    if whom.is_empty() {
        whom.push(lang.pick("所有人", "everybody"));
    }
    let threshold = layer.threshold.as_ref();
    let threshold = threshold.map_or_else(
        || lang.pick("无起付标准", "no threshold").to_owned(),
        |threshold| format!("{} {}", lang.pick("起付标准", "threshold"), threshold.name),
    );
    let parts = [
        (layer.covers.deductible, lang.pick("起付", "deductible")),
        (layer.covers.share, lang.pick("比例自付", "share")),
        (
            layer.covers.first_self_pay,
            lang.pick("先行自付", "first self-pay"),
        ),
    ];
    let parts: Vec<&str> = parts
        .into_iter()
        .filter(|part| part.0)
        .map(|part| part.1)
        .collect();
    let per = if layer.by_year { Per::Year } else { Per::Settlement };
    format!(
        "{}; {}; {}; {threshold} ({}); {}",
        whom.join(" "),
        layer.benefits.join(" "),
        parts.join(" + "),
        each(per, lang),
        of_pay(pack, &layer.pay, lang)
    )
}

pub(super) fn elsewhere(region: &Region, lang: Lang) -> String {
    let advance = if region.advance {
        lang.pick("全额垫付", "the person pays in advance")
    } else {
        lang.pick("联网结算", "settled")
    };
    format!("{}; {advance}; {}", region.conditions(), region.article)
}

pub(super) fn offline(pack: &Pack, lang: Lang) -> String {
    let limits = &pack.offline;
    if limits.mode == OfflineMode::SelfPay {
        return lang.pick("仅全额自费", "full self-pay only").to_owned();
    }
    match lang {
        Lang::Zh => format!(
            "单笔 ≤ {}，每人 ≤ {}，每次断网 ≤ {}，快照 ≤ {} 小时，账户份额 {}，{} 小时内结算",
            limits.fund_per_sale_max,
            limits.fund_per_person_max,
            limits.fund_per_outage_max,
            limits.snapshot_age_h_max,
            limits.account_share,
            limits.settle_within_h
        ),
        Lang::En => format!(
            "a sale ≤ {}, a person ≤ {}, an outage ≤ {}, snapshot ≤ {} h, account share {}, settled within {} h",
            limits.fund_per_sale_max,
            limits.fund_per_person_max,
            limits.fund_per_outage_max,
            limits.snapshot_age_h_max,
            limits.account_share,
            limits.settle_within_h
        ),
    }
}
