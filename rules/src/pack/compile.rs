//! From the file's words to the compiled pack; every mistake is collected, none stops the search for the next.

mod blocks;
mod figures;
mod pools;
mod sound;
mod terms;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use smol_str::SmolStr;

use super::fault::{PackError, PackFault};
use super::file::{CiteFile, OfflineFile, OverlayFile, PackFile, Word};
use super::{
    AccountRules, Articles, CauseRule, Diseases, OfflineLimits, Pack, Parameter, Pool, Reading, Source,
};

/// The texts a pack is made of: its own file, then its overlays.
#[derive(Clone, Debug)]
pub(super) struct Sheet {
    pub(super) file: String,
    pub(super) text: String,
}

impl Sheet {
    pub(super) fn error(&self, at: usize, fault: PackFault) -> PackError {
        let before = self.text.bytes().take(at);
        let line = before.filter(|byte| *byte == b'\n').count() + 1;
        PackError {
            file: self.file.clone(),
            line,
            fault,
        }
    }

    pub(super) fn not_readable(&self, error: &toml::de::Error) -> PackError {
        let at = error.span().map_or(0, |span| span.start);
        self.error(
            at,
            PackFault::NotReadable {
                reason: error.message().replace('\n', " "),
            },
        )
    }
}

/// A pack file with its overlays, before it is compiled.
#[derive(Clone)]
pub(super) struct Parts {
    pub(super) sheets: Vec<Sheet>,
    pub(super) base: PackFile,
    pub(super) overlays: Vec<OverlayFile>,
}

/// What every block of the pack may refer to.
struct Compiler<'a> {
    parts: &'a Parts,
    faults: Vec<PackError>,
    sources: Vec<Source>,
    readings: Vec<Reading>,
    /// Origin and place of each reading's name; an overlay's stands after the pack's.
    reading_places: Vec<(SmolStr, usize, usize)>,
    readings_used: BTreeSet<SmolStr>,
    levels: Vec<SmolStr>,
    statuses: Vec<SmolStr>,
    classes: Vec<SmolStr>,
    med_types: Vec<SmolStr>,
    from: Date,
    until: Date,
    parameters: BTreeMap<SmolStr, Arc<Parameter>>,
    parameters_used: BTreeSet<SmolStr>,
    pools: Vec<Arc<Pool>>,
    pools_used: BTreeSet<SmolStr>,
    /// Rows of the tables by region.
    regions: Vec<SmolStr>,
    ages: Vec<SmolStr>,
    turns: Vec<SmolStr>,
    /// The file whose blocks are being compiled: 0 = the pack's own, 1… = the overlays in order.
    origin: usize,
}

/// Compiles; the pack is only good when there are no mistakes.
pub(super) fn compile(parts: &Parts) -> Result<Pack, Vec<PackError>> {
    let base = &parts.base;
    let mut compiler = Compiler {
        parts,
        faults: Vec::new(),
        sources: Vec::new(),
        readings: Vec::new(),
        reading_places: Vec::new(),
        readings_used: BTreeSet::new(),
        levels: base
            .level
            .known
            .iter()
            .map(|level| SmolStr::from(level.get_ref()))
            .collect(),
        statuses: base.status.keys().map(SmolStr::from).collect(),
        classes: std::iter::once("other")
            .chain(base.disease.classes.iter().map(String::as_str))
            .map(SmolStr::from)
            .collect(),
        med_types: Vec::new(),
        from: Date::MIN,
        until: Date::MAX,
        parameters: BTreeMap::new(),
        parameters_used: BTreeSet::new(),
        pools: Vec::new(),
        pools_used: BTreeSet::new(),
        regions: Vec::new(),
        ages: Vec::new(),
        turns: Vec::new(),
        origin: 0,
    };
    let pack = compiler.pack();
    let mut faults = compiler.faults;
    match pack {
        Some(pack) if faults.is_empty() => Ok(pack),
        _ => {
            faults.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
            Err(faults)
        }
    }
}

impl<'a> Compiler<'a> {
    /// `None` when something that the rest hangs on is missing; the mistake is then noted.
    fn pack(&mut self) -> Option<Pack> {
        let parts = self.parts;
        let base = &parts.base;
        self.from = self.date(0, base.from.span().start, base.from.get_ref())?;
        if let Some(until) = &base.until {
            self.until = self.date(0, until.span().start, until.get_ref())?;
        }
        self.head()?;
        self.sources();
        self.readings();
        self.region_names();
        self.age_names();
        self.turn_names();
        self.figures();
        self.pools();
        let inpatient_med_types = self.med_types(0, &base.dates.inpatient_med_type);
        let benefits = self.benefits();
        self.reachable(&benefits);
        let layers = self.layers();
        let regions = self.region_rules();
        let own = self.own_accounts();
        let enrolment = self.enrolment()?;
        let level_otherwise = self.level(&base.level.otherwise)?;
        let inpatient = self.choice(
            &base.dates.inpatient,
            &[("discharge", false), ("admission", true)],
        );
        let pays_out_of_scope = self.choice(&base.accounts.pays_out_of_scope, YES_NO);
        let article = self.articles()?;
        let consent_not_asked = self.consent()?;
        let complaints_phone = self.complaints()?;
        let causes = self.causes();
        let diseases = self.diseases();
        let offline = base
            .offline
            .as_ref()
            .map_or(Some(OfflineLimits::SELF_PAY), |file| self.offline(file))?;
        self.unused();
        Some(Pack {
            id: SmolStr::from(base.id.get_ref()),
            version: self.version(),
            title: SmolStr::from(&base.title),
            area: SmolStr::from(base.area.get_ref()),
            insutype: base.insutype.iter().map(SmolStr::from).collect(),
            from: self.from,
            until: self.until,
            sources: std::mem::take(&mut self.sources),
            readings: std::mem::take(&mut self.readings),
            levels: self.levels.clone(),
            level_otherwise,
            status_prefixes: self.status_prefixes(),
            statuses: self.statuses.clone(),
            classes: self.classes.clone(),
            diseases,
            med_types: std::mem::take(&mut self.med_types),
            inpatient_med_types,
            inpatient_by_admission: inpatient?,
            article,
            goods_excluded: base.goods.excluded.clone(),
            goods_uncoded_at_pharmacy: base.goods.uncoded_at_pharmacy.clone(),
            consent_not_asked,
            complaints_phone,
            causes,
            regions,
            region_names: self.regions.clone(),
            ages: base.age.iter().map(|age| age.from).collect(),
            age_names: self.ages.clone(),
            turns: self.turns.clone(),
            enrolment,
            accounts: AccountRules {
                own: own?,
                relations: base
                    .accounts
                    .relations
                    .iter()
                    .map(|word| SmolStr::from(word.get_ref()))
                    .collect(),
                family_area: SmolStr::from(base.accounts.family_area.get_ref()),
                pays_out_of_scope: pays_out_of_scope?,
            },
            parameters: std::mem::take(&mut self.parameters).into_values().collect(),
            benefits,
            layers,
            offline,
        })
    }

    fn version(&self) -> SmolStr {
        let overlays = self.parts.overlays.iter().map(|overlay| overlay.version.as_str());
        let versions: Vec<&str> = std::iter::once(self.parts.base.version.as_str())
            .chain(overlays)
            .collect();
        SmolStr::from(versions.join("+"))
    }

    fn status_prefixes(&self) -> Vec<(SmolStr, usize)> {
        let of = |(place, prefixes): (usize, &'a Vec<Word>)| {
            prefixes
                .iter()
                .map(move |prefix| (SmolStr::from(prefix.get_ref()), place))
        };
        self.parts.base.status.values().enumerate().flat_map(of).collect()
    }

    fn articles(&mut self) -> Option<Articles> {
        let file = &self.parts.base.article;
        let mut cite = |cite: &CiteFile| self.cite(0, &cite.source, &cite.article).map(|(_, text)| text);
        // the outer `None` = a mistake
        let mut maybe = |file: &Option<CiteFile>| match file {
            Some(file) => cite(file).map(Some),
            None => Some(None),
        };
        let (department_suspended, practitioner) =
            (maybe(&file.department_suspended)?, maybe(&file.practitioner)?);
        let (quantity, disease_item) = (maybe(&file.quantity)?, maybe(&file.disease_item)?);
        maybe(&file.grassroots)?;
        Some(Articles {
            scope: cite(&file.scope)?,
            first_self_pay: cite(&file.first_self_pay)?,
            goods: cite(&file.goods)?,
            price: cite(&file.price)?,
            insured: cite(&file.insured)?,
            person_suspended: cite(&file.person_suspended)?,
            institution_suspended: cite(&file.institution_suspended)?,
            account: cite(&file.account)?,
            family: cite(&file.family)?,
            cash: cite(&file.cash)?,
            department_suspended,
            practitioner,
            quantity,
            disease_item,
        })
    }

    /// The med_types in which nobody is asked to agree.
    fn consent(&mut self) -> Option<u64> {
        let Some(file) = &self.parts.base.consent else {
            return Some(0);
        };
        self.cite(0, &file.source, &file.article)?;
        Some(self.med_types(file.source.span().start, &file.not_asked_med_type))
    }

    fn complaints(&mut self) -> Option<SmolStr> {
        let Some(file) = &self.parts.base.complaints else {
            return Some(SmolStr::default());
        };
        self.cite(0, &file.source, &file.article)?;
        Some(SmolStr::from(&file.phone))
    }

    fn causes(&mut self) -> Vec<CauseRule> {
        let mut causes: Vec<CauseRule> = Vec::new();
        for file in &self.parts.base.cause {
            let account = self.choice(&file.account, YES_NO);
            let cite = self.cite(0, &file.source, &file.article);
            if causes.iter().any(|known| known.cause == file.cause) {
                let name = SmolStr::from(file.article.get_ref());
                self.fault(
                    0,
                    file.article.span().start,
                    PackFault::Twice { kind: "cause", name },
                );
            }
            if let (Some(account), Some((_, article))) = (account, cite) {
                causes.push(CauseRule {
                    cause: file.cause,
                    article,
                    account,
                });
            }
        }
        causes
    }

    fn diseases(&mut self) -> Diseases {
        let file = &self.parts.base.disease;
        let mut diseases = Diseases::default();
        for entry in &file.by_code {
            self.benefit_named(&entry.benefit);
            let class = entry.class.as_ref().map_or(Some(0), |class| self.class(class));
            let benefit = SmolStr::from(entry.benefit.get_ref());
            diseases
                .by_code
                .push((SmolStr::from(&entry.code), benefit, class.unwrap_or(0)));
        }
        for entry in &file.by_med_type {
            self.benefit_named(&entry.benefit);
            diseases.by_med_type.push((
                SmolStr::from(&entry.med_type),
                SmolStr::from(entry.benefit.get_ref()),
            ));
        }
        diseases
    }

    fn benefit_named(&mut self, word: &Word) {
        if !self
            .parts
            .base
            .benefit
            .iter()
            .any(|benefit| benefit.get_ref().id.get_ref() == word.get_ref())
        {
            self.unknown(self.origin, word, "benefit");
        }
    }

    fn offline(&mut self, file: &OfflineFile) -> Option<OfflineLimits> {
        let (source, article) = self.cite(0, &file.source, &file.article)?;
        Some(OfflineLimits {
            mode: file.mode,
            fund_per_sale_max: file.fund_per_sale_max,
            fund_per_person_max: file.fund_per_person_max,
            fund_per_outage_max: file.fund_per_outage_max,
            snapshot_age_h_max: file.snapshot_age_h_max,
            account_share: file.account_share,
            settle_within_h: file.settle_within_h,
            source: source.title,
            article,
            grade: source.grade,
        })
    }

    /// Parameters, pools and readings that nothing refers to.
    fn unused(&mut self) {
        let readings: Vec<_> = self
            .parts
            .base
            .reading
            .iter()
            .map(|reading| (&reading.name, "reading"))
            .collect();
        let pools = (self.parts.overlays.iter().map(|overlay| &overlay.pool)).enumerate();
        let pools: Vec<_> = std::iter::once((0, &self.parts.base.pool))
            .chain(pools.map(|(place, list)| (place + 1, list)))
            .flat_map(|(origin, list)| list.iter().map(move |pool| (origin, &pool.get_ref().id, "pool")))
            .collect();
        let readings = readings.into_iter().map(|(word, kind)| (0, word, kind));
        for (origin, word, kind) in readings.chain(pools) {
            let used = if kind == "pool" {
                &self.pools_used
            } else {
                &self.readings_used
            };
            let name = SmolStr::from(word.get_ref());
            if !used.contains(&name) {
                self.fault(origin, word.span().start, PackFault::Unused { kind, name });
            }
        }
        for (name, (origin, at)) in self.parameter_places() {
            if self.parameters_used.contains(&name) || !self.parameters.contains_key(&name) {
                continue;
            }
            let fault = if name.contains("limit") {
                PackFault::LimitWithoutPool { parameter: name }
            } else {
                PackFault::Unused {
                    kind: "parameter",
                    name,
                }
            };
            self.fault(origin, at, fault);
        }
    }
}

const YES_NO: &[(&str, bool)] = &[("yes", true), ("no", false)];
