//! Pools and benefits: the blocks, with every name resolved and the ratios of the levels compared.

use std::sync::Arc;

use smol_str::{SmolStr, format_smolstr};

use super::super::fault::PackFault;
use super::super::figure::Parameter;
use super::super::file::{Axis, BenefitFile, DeductibleFile, PayFile, Unit, WhenFile, Word};
use super::super::{Bands, Benefit, Deductible, Pay, Per, Pool, TakesOver, When};
use super::Compiler;
use crate::decimal::Ratio;

const PER: &[(&str, Per)] = &[
    ("settlement", Per::Settlement),
    ("visit", Per::Visit),
    ("day", Per::Day),
    ("month", Per::Month),
    ("quarter", Per::Quarter),
    ("year", Per::Year),
    ("drug-year", Per::DrugYear),
    ("disease-year", Per::DiseaseYear),
    ("disease-month", Per::DiseaseMonth),
];

impl Compiler<'_> {
    /// `None` = the word is there and names nothing.
    pub(super) fn maybe_parameter(
        &mut self,
        word: Option<&Word>,
        unit: Unit,
    ) -> Option<Option<Arc<Parameter>>> {
        match word {
            Some(word) => self.parameter(word, unit).map(Some),
            None => Some(None),
        }
    }

    /// Every parameter of a list, each of a ratio.
    pub(super) fn shares(&mut self, words: &[Word]) -> Option<Vec<Arc<Parameter>>> {
        words
            .iter()
            .map(|word| self.parameter(word, Unit::Ratio))
            .collect()
    }

    fn maybe_level(&mut self, word: Option<&Word>) -> Option<Option<usize>> {
        match word {
            Some(word) => self.level(word).map(Some),
            None => Some(None),
        }
    }

    pub(super) fn benefits(&mut self) -> Vec<Benefit> {
        let mut benefits = Vec::new();
        for file in &self.parts.base.benefit {
            let at = file.span().start;
            if let Some(benefit) = self.benefit(file.get_ref(), at) {
                benefits.push(benefit);
            }
        }
        benefits
    }

    fn benefit(&mut self, file: &BenefitFile, at: usize) -> Option<Benefit> {
        let cite = self.cite(0, &file.source, &file.article);
        let level_min = self.maybe_level(file.level_min.as_ref());
        let when: Vec<When> = file.when.iter().filter_map(|when| self.when(when, at)).collect();
        let first_self_pay = self.maybe_parameter(file.first_self_pay.as_ref(), Unit::Ratio);
        let case_price = self.maybe_parameter(file.case_price.as_ref(), Unit::Yuan);
        let deductible = match &file.deductible {
            Some(deductible) => self.deductible(deductible).map(Some),
            None => Some(None),
        };
        let (_, article) = cite?;
        let pay: Vec<Pay> = file
            .pay
            .iter()
            .filter_map(|pay| self.pay(pay, &article))
            .collect();
        if pay.first().is_some_and(|first| first.beside) {
            let expected = "beside = true only below another [[benefit.pay]]".to_owned();
            let found = SmolStr::from(file.id.get_ref());
            self.fault(0, file.id.span().start, PackFault::BadValue { found, expected });
        }
        self.turns_are_counted(&file.id, deductible.as_ref()?.as_ref(), &pay);
        Some(Benefit {
            id: SmolStr::from(file.id.get_ref()),
            title: SmolStr::from(&file.title),
            article,
            level_min: level_min?.unwrap_or(0),
            when,
            first_self_pay: first_self_pay?,
            account_first: file.account_first,
            case_price: case_price?,
            deductible: deductible?,
            pay,
        })
    }

    /// The year's row of a benefit tells a first time from a later one; to count further, each visit needs its own row.
    fn turns_are_counted(&mut self, id: &Word, deductible: Option<&Deductible>, pay: &[Pay]) {
        let by_turn = |parameter: &Arc<Parameter>| parameter.by.contains(&Axis::Turn);
        let amounts =
            deductible.map(|deductible| std::iter::once(&deductible.amount).chain(&deductible.times));
        let shares = pay.iter().flat_map(|pay| pay.ratio.iter().chain(&pay.times));
        let asked = amounts.into_iter().flatten().chain(shares).any(by_turn);
        let counted = deductible.is_some_and(|deductible| matches!(deductible.per, Per::Visit | Per::Day));
        if asked && self.turns.len() > 2 && !counted {
            let found = SmolStr::from(id.get_ref());
            let expected =
                "a deductible per = \"visit\": tables by more than two turns count the visits' rows"
                    .to_owned();
            self.fault(0, id.span().start, PackFault::BadValue { found, expected });
        }
    }

    /// The places of names in a list.
    fn places(&mut self, words: &[Word], names: &[SmolStr], kind: &'static str) -> Vec<usize> {
        let mut places = Vec::with_capacity(words.len());
        for word in words {
            match names.iter().position(|name| name == word.get_ref()) {
                Some(place) => places.push(place),
                None => self.unknown(self.origin, word, kind),
            }
        }
        places
    }

    fn when(&mut self, file: &WhenFile, at: usize) -> Option<When> {
        if let Some(disease) = &file.disease {
            self.benefit_named(disease);
        }
        Some(When {
            med_types: self.med_types(at, &file.med_type),
            at: file.at,
            disease: file.disease.as_ref().map(|word| SmolStr::from(word.get_ref())),
            classes: file
                .class
                .iter()
                .map(|class| self.class(class))
                .collect::<Option<Vec<usize>>>()?,
            negotiated: file.line.is_some(),
            prehospital_120: file.prehospital_120,
            levels: self.places(&file.level, &self.levels.clone(), "level"),
            statuses: self.places(&file.status, &self.statuses.clone(), "status"),
            ages: self.places(&file.age, &self.ages.clone(), "age group"),
            regions: self.places(&file.region, &self.regions.clone(), "region"),
            civil_servant: file.civil_servant,
        })
    }

    fn deductible(&mut self, file: &DeductibleFile) -> Option<Deductible> {
        let amount = self.parameter(&file.amount, Unit::Yuan);
        let level = self.maybe_level(file.level.as_ref());
        let times = self.maybe_parameter(file.times.as_ref(), Unit::Ratio);
        let per = self.choice(&file.per, PER);
        let year_max = self.maybe_parameter(file.year_max.as_ref(), Unit::Yuan);
        let takes_over = match &file.takes_over {
            Some(takes_over) => {
                self.benefit_named(&takes_over.row);
                let days = self.parameter(&takes_over.days, Unit::Days)?;
                let any_institution = match &takes_over.institution {
                    Some(word) => self.choice(word, &[("same", false), ("any", true)])?,
                    None => false,
                };
                Some(TakesOver {
                    row: SmolStr::from(takes_over.row.get_ref()),
                    days,
                    any_institution,
                })
            }
            None => None,
        };
        let shared = file.shared.as_ref().map(|row| self.shared_row(row));
        Some(Deductible {
            amount: amount?,
            level: level?,
            times: times?,
            per: per?,
            year_max: year_max?,
            shared,
            takes_over,
        })
    }

    /// A row of its own: those of benefits and pools hold other figures too.
    fn shared_row(&mut self, word: &Word) -> SmolStr {
        let row = SmolStr::from(word.get_ref());
        let benefits = &self.parts.base.benefit;
        let is_benefit = benefits
            .iter()
            .any(|benefit| benefit.get_ref().id.get_ref() == word.get_ref());
        if is_benefit || self.pools.iter().any(|pool| pool.id == row) {
            let expected = "a name that no benefit and no pool has".to_owned();
            let found = row.clone();
            self.fault(0, word.span().start, PackFault::BadValue { found, expected });
        }
        row
    }

    fn pay(&mut self, file: &PayFile, article: &SmolStr) -> Option<Pay> {
        let pool = self.pool_named(&file.pool);
        let in_year = match &file.bands {
            Some(word) => self.choice(word, &[("settlement", false), ("year", true)])?,
            None => false,
        };
        let from_zero = match &file.bands_from {
            Some(word) => self.choice(word, &[("deductible", false), ("zero", true)])?,
            None => false,
        };
        let (ratio, bands) = self.ratios(&file.ratio, in_year, from_zero)?;
        let times = self.shares(&file.times)?;
        let at_most = self.maybe_parameter(file.at_most.as_ref(), Unit::Yuan)?;
        let goes_on = match &file.exhausted {
            Some(word) => self.choice(word, &[("go-on", true), ("stop", false)])?,
            None => true,
        };
        let own_article = match (&file.source, &file.article) {
            (Some(source), Some(article)) => self.cite(0, source, article).map(|(_, cite)| cite)?,
            (None, None) => article.clone(),
            (Some(word), None) | (None, Some(word)) => {
                self.fault(0, word.span().start, PackFault::NoArticle);
                return None;
            }
        };
        let level = self.maybe_level(file.level.as_ref());
        Some(Pay {
            pool: pool?,
            ratio,
            times,
            beside: file.beside,
            bands,
            at_most,
            level: level?,
            goes_on,
            article: own_article,
        })
    }

    pub(super) fn pool_named(&mut self, word: &Word) -> Option<Arc<Pool>> {
        let pool = self.pools.iter().find(|pool| pool.id == word.get_ref()).cloned();
        match &pool {
            Some(pool) => {
                self.pools_used.insert(pool.id.clone());
            }
            None => self.unknown(self.origin, word, "pool"),
        }
        pool
    }

    /// The shares of a step, and the one among them that goes by amount.
    pub(super) fn ratios(
        &mut self,
        words: &[Word],
        in_year: bool,
        from_zero: bool,
    ) -> Option<(Vec<Arc<Parameter>>, Option<Bands>)> {
        let mut ratio: Vec<Arc<Parameter>> = Vec::with_capacity(words.len());
        let mut bands: Option<Bands> = None;
        for word in words {
            let parameter = self.parameter(word, Unit::Ratio)?;
            self.grassroots(&parameter);
            if parameter.by.contains(&Axis::Band) {
                if bands.is_some() {
                    let expected = "one ratio that goes by band, not two".to_owned();
                    let found = parameter.name.clone();
                    self.fault(
                        self.origin,
                        word.span().start,
                        PackFault::BadValue { found, expected },
                    );
                }
                let of = parameter.clone();
                bands = Some(Bands {
                    of,
                    in_year,
                    from_zero,
                });
            }
            ratio.push(parameter);
        }
        Some((ratio, bands))
    }

    /// Where the pack names the article that wants it: a lower level's ratio is higher than the next one's.
    fn grassroots(&mut self, parameter: &Parameter) {
        let by_level = parameter.by.iter().position(|axis| *axis == Axis::Level);
        let (Some(axis), true) = (by_level, self.parts.base.article.grassroots.is_some()) else {
            return;
        };
        let (origin, at) = self
            .parameter_places()
            .get(&parameter.name)
            .copied()
            .unwrap_or_default();
        for value in &parameter.values {
            let after = parameter.by.iter().skip(axis + 1);
            let inner: usize = after
                .map(|next| match next {
                    Axis::Band => value.bands.len(),
                    axis => self.axis_keys(*axis).len(),
                })
                .product();
            for (place, pair) in value.cells.iter().zip(value.cells.iter().skip(inner)).enumerate() {
                let lower_place = (place / inner) % self.levels.len();
                let ((Some(lower_is), Some(higher_is)), true) = (
                    (pair.0.as_ref(), pair.1.as_ref()),
                    lower_place + 1 < self.levels.len(),
                ) else {
                    continue;
                };
                if lower_is > higher_is {
                    continue;
                }
                let named = |place: usize, scaled: i64| {
                    let level = self.levels.get(place).cloned().unwrap_or_default();
                    format_smolstr!("{level} ({})", Ratio::from_scaled(scaled).percent())
                };
                let fault = PackFault::GrassrootsNotHigher {
                    parameter: parameter.name.clone(),
                    lower: named(lower_place, *lower_is),
                    higher: named(lower_place + 1, *higher_is),
                };
                let known = self.faults.iter().any(|known| known.fault == fault);
                if !known {
                    self.fault(origin, at, fault);
                }
            }
        }
    }
}
