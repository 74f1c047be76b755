//! What changes between two sets of packs, in words: what, for whom, from which day.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::civil::Date;
use serde::Serialize;
use smol_str::{SmolStr, format_smolstr};

use super::describe::{facts, quantity};
use super::figure::{Dated, Parameter};
use super::file::Axis;
use super::{Pack, Packs, Pay};
use crate::codes::Lang;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The pack it is in.
    pub pack: SmolStr,
    /// First day on which a bill is settled otherwise; null = the day the new pack is taken into use.
    pub from: Option<Date>,
    /// Last day; null = until further notice.
    pub until: Option<Date>,
    /// What changes, from what to what, and for whom.
    pub says: String,
}

/// Every change from one set of packs to another, by pack and day.
pub fn diff(old: &Packs, new: &Packs, lang: Lang) -> Vec<Change> {
    let ids: BTreeSet<&str> = old.iter().chain(new.iter()).map(Pack::id).collect();
    let mut changes = Vec::new();
    for id in ids {
        match (old.get(id), new.get(id)) {
            (Some(old), Some(new)) => changes.extend(between(old, new, lang)),
            (None, Some(new)) => changes.push(Change {
                pack: new.id.clone(),
                from: Some(new.from),
                until: new.until(),
                says: match lang {
                    Lang::Zh => format!("新增规则包 {} {}：{}", new.id, new.version, of_whom(new, lang)),
                    Lang::En => format!("new pack {} {}: {}", new.id, new.version, of_whom(new, lang)),
                },
            }),
            (Some(old), None) => changes.push(Change {
                pack: old.id.clone(),
                from: None,
                until: None,
                says: match lang {
                    Lang::Zh => format!("取消规则包 {}：{}不再有规则", old.id, of_whom(old, lang)),
                    Lang::En => {
                        format!(
                            "the pack {} is withdrawn: no rules any more for {}",
                            old.id,
                            of_whom(old, lang)
                        )
                    }
                },
            }),
            (None, None) => {}
        }
    }
    changes
}

fn of_whom(pack: &Pack, lang: Lang) -> String {
    let insutype = pack.insutype.join(" ");
    match lang {
        Lang::Zh => format!("{}（统筹区 {}，险种 {insutype}）", pack.title, pack.area),
        Lang::En => format!("{} (area {}, insutype {insutype})", pack.title, pack.area),
    }
}

fn between(old: &Pack, new: &Pack, lang: Lang) -> Vec<Change> {
    let mut changes = Vec::new();
    let undated = |says: String| Change {
        pack: new.id.clone(),
        from: None,
        until: None,
        says,
    };
    if old.version != new.version {
        let word = lang.pick("版本", "version");
        changes.push(undated(format!("{word} {} → {}", old.version, new.version)));
    }
    let names: BTreeSet<&SmolStr> = old
        .parameters
        .iter()
        .chain(&new.parameters)
        .map(|p| &p.name)
        .collect();
    for name in names {
        let find = |pack: &'_ Pack| pack.parameters.iter().find(|known| known.name == *name).cloned();
        match (find(old), find(new)) {
            (Some(before), Some(after)) => changes.extend(figures((old, &before), (new, &after), lang)),
            (None, Some(after)) => {
                let whole = table(new, &after, new.from.max(first_day(&after)), lang);
                changes.push(Change {
                    from: Some(first_day(&after).max(new.from)),
                    ..undated(match lang {
                        Lang::Zh => format!("新增 {}：{whole}{}", after.title, uses(new, &after, lang)),
                        Lang::En => format!(
                            "new {} ({}): {whole}{}",
                            after.name,
                            after.title,
                            uses(new, &after, lang)
                        ),
                    })
                });
            }
            (Some(before), None) => changes.push(undated(match lang {
                Lang::Zh => format!("取消 {}{}", before.title, uses(old, &before, lang)),
                Lang::En => format!(
                    "{} ({}) is gone{}",
                    before.name,
                    before.title,
                    uses(old, &before, lang)
                ),
            })),
            (None, None) => {}
        }
    }
    let (before, after) = (facts(old, lang), facts(new, lang));
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let none = lang.pick("（无）", "(nothing)").to_owned();
    for key in keys {
        let (was, is) = (before.get(key).unwrap_or(&none), after.get(key).unwrap_or(&none));
        if was != is {
            changes.push(undated(format!("{key}: {was} → {is}")));
        }
    }
    changes
}

fn first_day(parameter: &Parameter) -> Date {
    parameter.values.first().map_or(Date::MIN, |value| value.from)
}

/// Where a parameter is used: the benefits it is for.
fn uses(pack: &Pack, parameter: &Parameter, lang: Lang) -> String {
    let of = |title: &SmolStr, id: &SmolStr| lang.pick(title.as_str(), id.as_str()).to_owned();
    let is = |known: &Arc<Parameter>| known.name == parameter.name;
    let mut named: Vec<String> = Vec::new();
    for benefit in &pack.benefits {
        let deductible = benefit.deductible.as_ref();
        let by_deductible = deductible.is_some_and(|deductible| {
            let own = [
                Some(&deductible.amount),
                deductible.times.as_ref(),
                deductible.year_max.as_ref(),
                deductible.takes_over.as_ref().map(|takes_over| &takes_over.days),
            ];
            own.into_iter().flatten().any(is)
        });
        let by_pay = benefit.pay.iter().any(|pay| of_pay(pay).any(is));
        let before = benefit.first_self_pay.iter().chain(&benefit.case_price);
        if by_deductible || by_pay || before.into_iter().any(is) {
            named.push(of(&benefit.title, &benefit.id));
        }
    }
    for layer in &pack.layers {
        if of_pay(&layer.pay).chain(&layer.threshold).any(is) {
            named.push(of(&layer.pay.pool.title, &layer.pay.pool.id));
        }
    }
    named.dedup();
    if named.is_empty() {
        return String::new();
    }
    match lang {
        Lang::Zh => format!("；用于：{}", named.join("、")),
        Lang::En => format!("; used by: {}", named.join(", ")),
    }
}

/// The figures a step rests on: its ratios, its most, the limits of its pool and of those it counts with.
fn of_pay(pay: &Pay) -> impl Iterator<Item = &Arc<Parameter>> {
    let pools = std::iter::successors(Some(&*pay.pool), |pool| pool.within.as_deref());
    let limits = pools.filter_map(|pool| pool.limit.as_ref()).flat_map(|limit| {
        std::iter::once(&limit.amount)
            .chain(&limit.each_further_disease)
            .chain(&limit.at_most)
    });
    pay.ratio
        .iter()
        .chain(&pay.times)
        .chain(&pay.at_most)
        .chain(limits)
}

/// The changes of one parameter, day by day: each cell that differs, on the days on which it does.
fn figures(old: (&Pack, &Parameter), new: (&Pack, &Parameter), lang: Lang) -> Vec<Change> {
    let ((old_pack, before), (new_pack, after)) = (old, new);
    let mut days: BTreeSet<Date> = BTreeSet::from([new_pack.from]);
    for value in before.values.iter().chain(&after.values) {
        days.insert(value.from);
        days.extend(value.until.tomorrow());
    }
    let days: Vec<Date> = days
        .into_iter()
        .filter(|day| new_pack.from <= *day && *day <= new_pack.until)
        .collect();
    let mut found: Vec<(SmolStr, String, Date, Date)> = Vec::new();
    for (place, day) in days.iter().enumerate() {
        let last = days
            .get(place + 1)
            .and_then(|next| next.yesterday().ok())
            .unwrap_or(new_pack.until);
        let was = cells(old_pack, before, *day, lang);
        let is = cells(new_pack, after, *day, lang);
        let mut keys: Vec<&SmolStr> = is.iter().chain(&was).map(|(key, _)| key).collect();
        keys.sort();
        keys.dedup();
        for key in keys {
            let of = |list: &[(SmolStr, String)]| {
                let cell = list.iter().find(|(known, _)| known == key);
                cell.map_or_else(
                    || lang.pick("（无）", "(nothing)").to_owned(),
                    |(_, figure)| figure.clone(),
                )
            };
            let (was, is) = (of(&was), of(&is));
            if was == is {
                continue;
            }
            let says = format!("{was} → {is}");
            match found.iter_mut().find(|(known, words, _, until)| {
                known == key && *words == says && until.tomorrow().ok() == Some(*day)
            }) {
                Some((_, _, _, until)) => *until = last,
                None => found.push((key.clone(), says, *day, last)),
            }
        }
    }
    let cite = |day: Date| {
        after
            .values
            .iter()
            .find(|value| value.from <= day && day <= value.until)
    };
    found
        .into_iter()
        .map(|(cell, says, from, until)| {
            let source = cite(from).map_or("", |value| value.cite.as_str());
            let cell = if cell.is_empty() {
                String::new()
            } else {
                format!(" [{cell}]")
            };
            let name = match lang {
                Lang::Zh => after.title.to_string(),
                Lang::En => format!("{} ({})", after.name, after.title),
            };
            Change {
                pack: new_pack.id.clone(),
                from: Some(from),
                until: (until < Date::MAX).then_some(until),
                says: format!("{name}{cell}: {says} ({source}){}", uses(new_pack, after, lang)),
            }
        })
        .collect()
}

/// The figures of a parameter on a day, each with whom it is for.
fn cells(pack: &Pack, parameter: &Parameter, day: Date, lang: Lang) -> Vec<(SmolStr, String)> {
    let Some(value) = parameter
        .values
        .iter()
        .find(|value| value.from <= day && day <= value.until)
    else {
        return Vec::new();
    };
    if value.cells.is_empty() {
        let words = lang.pick("未公布", "not published").to_owned();
        return vec![(SmolStr::default(), words)];
    }
    let mut keys = vec![String::new()];
    for axis in &parameter.by {
        let names = names(pack, *axis, value, lang);
        keys = keys
            .iter()
            .flat_map(|key| {
                names.iter().map(move |name| {
                    let gap = if key.is_empty() { "" } else { " · " };
                    format!("{key}{gap}{name}")
                })
            })
            .collect();
    }
    keys.into_iter()
        .zip(&value.cells)
        .map(|(key, cell)| {
            let figure = cell.map_or_else(
                || lang.pick("未公布", "not published").to_owned(),
                |scaled| quantity(parameter.unit, scaled, lang),
            );
            (SmolStr::from(key), figure)
        })
        .collect()
}

/// The rows of an axis as people call them.
fn names(pack: &Pack, axis: Axis, value: &Dated, lang: Lang) -> Vec<SmolStr> {
    let ages = |ages: &[u8]| {
        let named = ages.iter().map(|from| match lang {
            Lang::Zh => format_smolstr!("{from} 岁起"),
            Lang::En => format_smolstr!("from age {from}"),
        });
        named.collect()
    };
    match axis {
        Axis::Level => {
            let named = pack.levels.iter().map(|level| match lang {
                Lang::Zh => format_smolstr!("{level} 级"),
                Lang::En => format_smolstr!("level {level}"),
            });
            named.collect()
        }
        Axis::Status => pack.statuses.clone(),
        Axis::Disease => pack.classes.clone(),
        Axis::Region => pack.region_names.clone(),
        Axis::Turn => pack.turns.clone(),
        Axis::Age => ages(&pack.ages),
        Axis::Band => {
            let named = value.bands.iter().map(|from| {
                let from = crate::money::Money::from_fen(*from);
                match lang {
                    Lang::Zh => format_smolstr!("{from} 元起"),
                    Lang::En => format_smolstr!("from {from}"),
                }
            });
            named.collect()
        }
    }
}

/// A whole table in one line.
fn table(pack: &Pack, parameter: &Parameter, day: Date, lang: Lang) -> String {
    let mut words = String::new();
    for (key, figure) in cells(pack, parameter, day, lang) {
        let gap = if words.is_empty() { "" } else { ", " };
        let space = if key.is_empty() { "" } else { " " };
        // writing to a String cannot fail
        let _ = write!(words, "{gap}{key}{space}{figure}");
    }
    words
}
