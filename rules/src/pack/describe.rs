//! A pack's blocks in words, one line each: what the comparison of two packs goes by.

mod around;

use std::collections::BTreeMap;
use std::sync::Arc;

use smol_str::SmolStr;

use super::figure::NONE;
use super::file::Unit;
use super::{Benefit, Counts, Deductible, Pack, Parameter, Pay, Per, Place, Pool};
use crate::codes::Lang;
use crate::decimal::Ratio;
use crate::money::Money;
use around::{elsewhere, of_layer, offline};

/// A figure of a unit as people write it.
pub(super) fn quantity(unit: Unit, scaled: i64, lang: Lang) -> String {
    match unit {
        Unit::Yuan if scaled == NONE => lang.pick("无", "none").to_owned(),
        Unit::Yuan => Money::from_fen(scaled).to_string(),
        Unit::Ratio => Ratio::from_scaled(scaled).percent(),
        Unit::Days => format!("{scaled} {}", lang.pick("天", "days")),
        Unit::Months => format!("{scaled} {}", lang.pick("个月", "months")),
    }
}

/// What a pack says beside its figures, each under the name people look for it by.
pub(super) fn facts(pack: &Pack, lang: Lang) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    let mut say = |zh: &str, en: &str, words: String| {
        facts.insert(lang.pick(zh, en).to_owned(), words);
    };
    let until = pack.until().map_or_else(String::new, |until| until.to_string());
    say(
        "适用日期",
        "days it answers for",
        format!("{} … {until}", pack.from),
    );
    say("统筹区", "area", pack.area.to_string());
    say("险种", "insutype", pack.insutype.join(" "));
    say(
        "不得刷卡的物品",
        "goods that may not be paid",
        format!("{:?}", pack.goods_excluded).to_lowercase(),
    );
    say(
        "药店须有编码的物品",
        "goods that need a code at a pharmacy",
        format!("{:?}", pack.goods_uncoded_at_pharmacy).to_lowercase(),
    );
    let accounts = &pack.accounts;
    say(
        "账户",
        "accounts",
        match lang {
            Lang::Zh => format!(
                "个人账户 {}，家庭共济 {}，范围 {}，可付范围外费用 {}",
                yes(accounts.own, lang),
                accounts.relations.join(" "),
                accounts.family_area,
                yes(accounts.pays_out_of_scope, lang)
            ),
            Lang::En => format!(
                "own account {}, family {}, area {}, pays out of scope {}",
                yes(accounts.own, lang),
                accounts.relations.join(" "),
                accounts.family_area,
                yes(accounts.pays_out_of_scope, lang)
            ),
        },
    );
    let article = &pack.article;
    let cited = [
        (
            lang.pick("科室暂停", "department suspended"),
            &article.department_suspended,
        ),
        (lang.pick("执业医师", "practitioner"), &article.practitioner),
        (lang.pick("超量开药", "quantity"), &article.quantity),
        (lang.pick("病种项目", "item of a disease"), &article.disease_item),
    ];
    let cited: Vec<String> = cited
        .into_iter()
        .filter_map(|(name, cite)| Some(format!("{name} ({})", cite.as_ref()?)))
        .collect();
    say("另行检查", "checked too", cited.join("; "));
    say(
        "不问同意",
        "consent not asked",
        med_types(pack, pack.consent_not_asked),
    );
    say(
        "监督举报电话",
        "phone for complaints",
        pack.complaints_phone.to_string(),
    );
    say("离线限额", "offline limits", offline(pack, lang));
    for rule in &pack.causes {
        let name = format!("{} {:?}", lang.pick("不予支付", "not payable"), rule.cause).to_lowercase();
        let account = lang.pick("个人账户可用", "account may pay");
        facts.insert(
            name,
            format!("{} ({account} {})", rule.article, yes(rule.account, lang)),
        );
    }
    for reading in &pack.readings {
        let name = format!("{} {}", lang.pick("开关", "reading"), reading.name);
        facts.insert(name, format!("{} ({})", reading.value, reading.question));
    }
    for (place, region) in pack.regions.iter().enumerate() {
        let name = pack.region_names.get(region.row).cloned().unwrap_or_default();
        let name = format!("{} {} {name}", lang.pick("异地", "elsewhere"), place + 1);
        facts.insert(name, elsewhere(region, lang));
    }
    let mut nth: BTreeMap<&SmolStr, usize> = BTreeMap::new();
    for benefit in &pack.benefits {
        let place = nth.entry(&benefit.id).or_default();
        *place += 1;
        let name = lang.pick(benefit.title.as_str(), benefit.id.as_str());
        let name = if *place > 1 && lang == Lang::En {
            format!("{name} ({place})")
        } else {
            name.to_owned()
        };
        let word = lang.pick("待遇", "benefit");
        for (aspect, words) in of_benefit(pack, benefit, lang) {
            facts.insert(format!("{word} {name} · {aspect}"), words);
        }
    }
    for layer in &pack.layers {
        let pool = lang.pick(layer.pay.pool.title.as_str(), layer.pay.pool.id.as_str());
        let name = format!("{} {pool}", lang.pick("补充层", "layer"));
        facts.insert(name, of_layer(pack, layer, lang));
    }
    for pool in pools(pack) {
        let title = lang.pick(pool.title.as_str(), pool.id.as_str());
        let name = format!("{} {title}", lang.pick("额度", "pool"));
        facts.insert(name, of_pool(&pool, lang));
    }
    facts
}

fn yes(it_is: bool, lang: Lang) -> &'static str {
    if it_is {
        lang.pick("是", "yes")
    } else {
        lang.pick("否", "no")
    }
}

fn pools(pack: &Pack) -> impl Iterator<Item = Arc<Pool>> {
    let of_benefits = pack.benefits.iter().flat_map(|benefit| &benefit.pay);
    let of_layers = pack.layers.iter().map(|layer| &layer.pay);
    let of = |pay: &'_ Pay| std::iter::successors(Some(pay.pool.clone()), |pool| pool.within.clone());
    of_benefits.chain(of_layers).flat_map(of)
}

fn of_pool(pool: &Pool, lang: Lang) -> String {
    let within = pool.within.as_ref().map_or_else(String::new, |parent| {
        format!("{} {}", lang.pick("，计入", ", counts with"), parent.id)
    });
    let needs = pool.needs.as_ref().map_or_else(String::new, |needs| {
        format!(
            "{} {} ({})",
            lang.pick("，须参加险种", ", for those insured in"),
            needs.insutype,
            needs.article
        )
    });
    let within = format!("{within}{needs}");
    let Some(limit) = &pool.limit else {
        return format!("{}{within}", lang.pick("不设限额", "no limit"));
    };
    let counted = match limit.of {
        Counts::InScope => lang.pick("按政策范围内费用", "by in-scope expense"),
        Counts::AboveDeductible => lang.pick("按起付标准以上费用", "by expense above the deductible"),
        Counts::Fund => lang.pick("按基金支付", "by fund payments"),
    };
    let further = limit.each_further_disease.as_ref();
    let further = further.map_or_else(String::new, |parameter| format!(" + {}", parameter.name));
    let members = match limit.each_member {
        true => lang.pick(" × 家庭人数", " × household members"),
        false => "",
    };
    let most = limit.at_most.as_ref();
    let most = most.map_or_else(String::new, |parameter| format!(" ≤ {}", parameter.name));
    let each = each(limit.per, lang);
    format!(
        "{}{further}{members}{most} ({counted}, {each}){within}",
        limit.amount.name
    )
}

fn med_types(pack: &Pack, mask: u64) -> String {
    let known = pack.med_types.iter().enumerate();
    let named = known.filter(|(place, _)| mask & (1 << place) != 0);
    named.map(|(_, code)| code.as_str()).collect::<Vec<_>>().join(" ")
}

fn of_benefit(pack: &Pack, benefit: &Benefit, lang: Lang) -> [(&'static str, String); 6] {
    let level = pack.levels.get(benefit.level_min).cloned().unwrap_or_default();
    let whens = benefit.when.iter().map(|when| {
        let mut words = format!("med_type {}", med_types(pack, when.med_types));
        if let Some(at) = when.at {
            words.push_str(match at {
                Place::Hospital => " @hospital",
                Place::Pharmacy => " @pharmacy",
                Place::Prescription => " @prescription",
            });
        }
        if let Some(disease) = &when.disease {
            let classes = when.classes.iter().filter_map(|class| pack.classes.get(*class));
            let classes: Vec<&str> = classes.map(SmolStr::as_str).collect();
            words.push_str(&format!(" disease {disease} {}", classes.join(" ")));
        }
        if when.negotiated {
            words.push_str(" negotiated");
        }
        if let Some(ambulance) = when.prehospital_120 {
            words.push_str(&format!(" 120 {ambulance}"));
        }
        for (names, rows) in [
            (&pack.levels, &when.levels),
            (&pack.statuses, &when.statuses),
            (&pack.age_names, &when.ages),
            (&pack.region_names, &when.regions),
        ] {
            for name in rows.iter().filter_map(|row| names.get(*row)) {
                words.push(' ');
                words.push_str(name);
            }
        }
        if let Some(civil) = when.civil_servant {
            words.push_str(&format!(" civil_servant {civil}"));
        }
        words.trim_end().to_owned()
    });
    let whens: Vec<String> = whens.collect();
    let deductible = benefit.deductible.as_ref().map_or_else(
        || lang.pick("无起付标准", "no deductible").to_owned(),
        |deductible| of_deductible(pack, deductible, lang),
    );
    let pays: Vec<String> = benefit.pay.iter().map(|pay| of_pay(pack, pay, lang)).collect();
    let named = |parameter: &Option<Arc<Parameter>>| {
        let name = parameter.as_ref().map(|parameter| parameter.name.as_str());
        name.unwrap_or("–").to_owned()
    };
    let before = format!(
        "{} / {} / {}",
        named(&benefit.first_self_pay),
        named(&benefit.case_price),
        yes(benefit.account_first, lang)
    );
    [
        (lang.pick("最低级别", "lowest level"), level.to_string()),
        (lang.pick("适用于", "for"), whens.join(" | ")),
        (
            lang.pick(
                "先行自付 / 病种价 / 先用个人账户",
                "first self-pay / case price / own account first",
            ),
            before,
        ),
        (lang.pick("起付", "deductible"), deductible),
        (lang.pick("支付", "pays"), pays.join(" → ")),
        (lang.pick("依据", "article"), benefit.article.to_string()),
    ]
}

/// How often a deductible is borne, in words.
pub(crate) fn each(per: Per, lang: Lang) -> &'static str {
    match per {
        Per::Settlement => lang.pick("每次结算", "each settlement"),
        Per::Visit => lang.pick("每次就诊", "each visit"),
        Per::Day => lang.pick("每日", "a day"),
        Per::Month => lang.pick("每月累计", "a month"),
        Per::Quarter => lang.pick("每季度累计", "a quarter"),
        Per::Year => lang.pick("每年累计", "once a year"),
        Per::DrugYear => lang.pick("每种药品每年", "each drug once a year"),
        Per::DiseaseYear => lang.pick("每个病种每年", "each disease once a year"),
        Per::DiseaseMonth => lang.pick("每个病种每月", "each disease once a month"),
    }
}

fn of_deductible(pack: &Pack, deductible: &Deductible, lang: Lang) -> String {
    let mut words = format!(
        "{} {} ({})",
        lang.pick("起付标准", "deductible"),
        deductible.amount.name,
        each(deductible.per, lang)
    );
    let level = deductible.level.and_then(|level| pack.levels.get(level));
    for (sign, name) in [
        (" × ", deductible.times.as_ref().map(|times| &times.name)),
        (" ≤ ", deductible.year_max.as_ref().map(|most| &most.name)),
        (" @", level),
        (" − ", deductible.takes_over.as_ref().map(|over| &over.row)),
        (" = ", deductible.shared.as_ref()),
    ] {
        if let Some(name) = name {
            words.push_str(sign);
            words.push_str(name);
        }
    }
    words
}

fn of_pay(pack: &Pack, pay: &Pay, lang: Lang) -> String {
    let ratio: Vec<&str> = pay.ratio.iter().map(|ratio| ratio.name.as_str()).collect();
    let ratio = if ratio.is_empty() {
        "100 %".to_owned()
    } else {
        ratio.join(" + ")
    };
    let times: String = pay
        .times
        .iter()
        .map(|times| format!(" × {}", times.name))
        .collect();
    let ratio = format!("{ratio}{times}");
    let beside = if pay.beside {
        lang.pick("（并行）", " (beside)")
    } else {
        ""
    };
    let most = pay.at_most.as_ref();
    let most = most.map_or_else(String::new, |most| format!(" ≤ {}", most.name));
    let level = pay.level.and_then(|level| pack.levels.get(level));
    let level = level.map_or_else(String::new, |level| format!(" @{level}"));
    let bands = pay.bands.as_ref().map_or("", |bands| {
        if bands.in_year {
            lang.pick("（按年分段）", " (bands by the year)")
        } else {
            lang.pick("（按次分段）", " (bands by settlement)")
        }
    });
    let stops = if pay.goes_on {
        ""
    } else {
        lang.pick("，用完为止", ", stops there")
    };
    format!("{}{beside}: {ratio}{level}{most}{bands}{stops}", pay.pool.id)
}
