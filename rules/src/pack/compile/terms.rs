//! Terms of persons and places: regions, age groups, days of benefits, layers of other funds.

use smol_str::SmolStr;

use super::super::fault::PackFault;
use super::super::file::{Unit, Word};
use super::super::file_terms::{EnrolmentFile, LayerFile};
use super::super::{Covers, Enrolment, Layer, Newborn, PaidYear, Pay, Region, Waiting};
use super::{Compiler, YES_NO};

/// The row of the tables by region of a visit that meets no region.
const LOCAL: &str = "local";

impl Compiler<'_> {
    /// The rows of the tables by region: `local`, then each name once.
    pub(super) fn region_names(&mut self) {
        self.regions = vec![SmolStr::new_static(LOCAL)];
        for file in &self.parts.base.region {
            let name = SmolStr::from(file.name.get_ref());
            if !file.advance && !self.regions.contains(&name) {
                self.regions.push(name);
            }
        }
    }

    pub(super) fn age_names(&mut self) {
        let mut next = 0;
        for (place, file) in self.parts.base.age.iter().enumerate() {
            let name = SmolStr::from(file.name.get_ref());
            if (place == 0 && file.from != 0) || (place > 0 && file.from < next) || self.ages.contains(&name)
            {
                let expected = "age groups from 0 up, each beginning above the one before".to_owned();
                let found = name.clone();
                self.fault(0, file.name.span().start, PackFault::BadValue { found, expected });
            }
            next = file.from.saturating_add(1);
            self.ages.push(name);
        }
    }

    /// The rows of the tables by turn.
    pub(super) fn turn_names(&mut self) {
        let files = &self.parts.base.turns;
        if files.is_empty() {
            self.turns = vec![SmolStr::new_static("first"), SmolStr::new_static("later")];
            return;
        }
        for word in files {
            let name = SmolStr::from(word.get_ref());
            if files.len() < 2 || self.turns.contains(&name) {
                let expected = "two or more different names, the last for every later time".to_owned();
                let found = name.clone();
                self.fault(0, word.span().start, PackFault::BadValue { found, expected });
            }
            self.turns.push(name);
        }
    }

    pub(super) fn region_rules(&mut self) -> Vec<Region> {
        let mut regions = Vec::new();
        for file in &self.parts.base.region {
            let cite = self.cite(0, &file.source, &file.article);
            let row = self.regions.iter().position(|name| name == file.name.get_ref());
            let areas = |list: &[String]| list.iter().map(SmolStr::from).collect::<Vec<_>>();
            if let Some((_, article)) = cite {
                regions.push(Region {
                    row: row.unwrap_or(0),
                    article,
                    treated_in: areas(&file.treated_in),
                    treated_outside: areas(&file.treated_outside),
                    insured_in: areas(&file.insured_in),
                    referral: file.referral.clone(),
                    med_types: self.med_types(file.name.span().start, &file.med_type),
                    advance: file.advance,
                });
            }
        }
        regions
    }

    pub(super) fn enrolment(&mut self) -> Option<Enrolment> {
        let Some(file) = &self.parts.base.enrolment else {
            return Some(Enrolment::default());
        };
        let EnrolmentFile {
            year,
            newborn,
            waiting,
        } = file;
        let year = match year {
            Some(year) => {
                let at_once =
                    self.choice(&year.paid_in_the_year, &[("next-year", false), ("at-once", true)])?;
                let (_, article) = self.cite(0, &year.source, &year.article)?;
                Some(PaidYear { article, at_once })
            }
            None => None,
        };
        let newborn = match newborn {
            Some(newborn) => {
                let days = self.maybe_parameter(newborn.days.as_ref(), Unit::Days)?;
                let (_, article) = self.cite(0, &newborn.source, &newborn.article)?;
                Some(Newborn { article, days })
            }
            None => None,
        };
        let waiting = match waiting {
            Some(waiting) => {
                let months = self.parameter(&waiting.months, Unit::Months)?;
                let months_max = self.maybe_parameter(waiting.months_max.as_ref(), Unit::Months)?;
                let each = self.maybe_parameter(waiting.months_each_missed_year.as_ref(), Unit::Months)?;
                let in_the_year_is_late = self.choice(
                    &waiting.enrolled_in_the_year,
                    &[("late", true), ("in-time", false)],
                )?;
                let interrupted_months_min = self.parameter(&waiting.interrupted_months_min, Unit::Months)?;
                let (_, article) = self.cite(0, &waiting.source, &waiting.article)?;
                Some(Waiting {
                    article,
                    months,
                    months_max,
                    months_each_missed_year: each,
                    interrupted_months_min,
                    in_the_year_is_late,
                })
            }
            None => None,
        };
        Some(Enrolment {
            year,
            newborn,
            waiting,
        })
    }

    /// The pack's layers, then those of its overlays.
    pub(super) fn layers(&mut self) -> Vec<Layer> {
        let parts = self.parts;
        let overlays = parts.overlays.iter().map(|overlay| &overlay.layer);
        let lists = std::iter::once(&parts.base.layer).chain(overlays);
        let mut layers = Vec::new();
        for (origin, file) in lists
            .enumerate()
            .flat_map(|(origin, list)| list.iter().map(move |file| (origin, file)))
        {
            self.origin = origin;
            if let Some(layer) = self.layer(file) {
                layers.push(layer);
            }
        }
        self.origin = 0;
        layers
    }

    fn layer(&mut self, file: &LayerFile) -> Option<Layer> {
        for benefit in &file.benefits {
            self.benefit_named(benefit);
        }
        let mut statuses = Vec::with_capacity(file.status.len());
        for word in &file.status {
            match self.statuses.iter().position(|status| status == word.get_ref()) {
                Some(place) => statuses.push(place),
                None => self.unknown(self.origin, word, "status"),
            }
        }
        let pool = self.pool_named(&file.pool);
        let threshold = self.maybe_parameter(file.threshold.as_ref(), Unit::Yuan);
        let (_, article) = self.cite(self.origin, &file.source, &file.article)?;
        let by_year = match &file.per {
            Some(word) => self.choice(word, &[("year", true), ("settlement", false)])?,
            None => true,
        };
        let from_zero = match &file.bands_from {
            Some(word) => self.choice(word, &[("threshold", false), ("zero", true)])?,
            None => false,
        };
        let covers = self.covers(&file.covers);
        let (ratio, bands) = self.ratios(&file.ratio, by_year, from_zero)?;
        let times = self.shares(&file.times)?;
        let at_most = self.maybe_parameter(file.at_most.as_ref(), Unit::Yuan)?;
        Some(Layer {
            benefits: file
                .benefits
                .iter()
                .map(|word| SmolStr::from(word.get_ref()))
                .collect(),
            statuses,
            civil_servant: file.civil_servant,
            covers,
            threshold: threshold?,
            by_year,
            pay: Pay {
                pool: pool?,
                ratio,
                times,
                beside: false,
                bands,
                at_most,
                level: None,
                goes_on: false,
                article,
            },
        })
    }

    /// The parts of the person's burden that a layer looks at.
    fn covers(&mut self, words: &[Word]) -> Covers {
        let all = words.is_empty();
        let mut covers = Covers {
            deductible: all,
            share: all,
            first_self_pay: false,
        };
        for word in words {
            let part = self.choice(word, &[("deductible", 0), ("share", 1), ("first-self-pay", 2)]);
            match part {
                Some(0) => covers.deductible = true,
                Some(1) => covers.share = true,
                Some(_) => covers.first_self_pay = true,
                None => {}
            }
        }
        covers
    }

    /// Whether the scheme has personal accounts.
    pub(super) fn own_accounts(&mut self) -> Option<bool> {
        match &self.parts.base.accounts.own {
            Some(word) => self.choice(word, YES_NO),
            None => Some(true),
        }
    }
}
