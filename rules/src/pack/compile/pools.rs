//! Pools: who pays, the limits, and whose limit counts too.

use std::sync::Arc;

use smol_str::SmolStr;

use super::super::fault::PackFault;
use super::super::file::{LimitFile, Unit};
use super::super::{Counts, Limit, Needs, Per, Pool};
use super::Compiler;

const LIMIT_PER: &[(&str, Per)] = &[
    ("year", Per::Year),
    ("quarter", Per::Quarter),
    ("month", Per::Month),
    ("day", Per::Day),
    ("visit", Per::Visit),
    ("disease-year", Per::DiseaseYear),
    ("disease-month", Per::DiseaseMonth),
];

const COUNTS: &[(&str, Counts)] = &[
    ("fund", Counts::Fund),
    ("in-scope", Counts::InScope),
    ("above-deductible", Counts::AboveDeductible),
];

impl Compiler<'_> {
    pub(super) fn pools(&mut self) {
        let parts = self.parts;
        let overlays = parts.overlays.iter().map(|overlay| &overlay.pool);
        let lists = std::iter::once(&parts.base.pool).chain(overlays).enumerate();
        for (origin, file) in lists.flat_map(|(origin, list)| list.iter().map(move |file| (origin, file))) {
            self.origin = origin;
            let at = file.span().start;
            let file = file.get_ref();
            let id = SmolStr::from(file.id.get_ref());
            if self.pools.iter().any(|known| known.id == id) {
                self.fault(
                    origin,
                    file.id.span().start,
                    PackFault::Twice {
                        kind: "pool",
                        name: id.clone(),
                    },
                );
            }
            let limit = file.limit.as_ref().and_then(|limit| self.limit(limit));
            let within = file.within.as_ref().and_then(|word| self.pool_named(word));
            match (&file.limit, &file.unlimited) {
                (None, None) if file.within.is_some() => {}
                (None, None) => self.fault(origin, at, PackFault::PoolWithoutLimit { pool: id.clone() }),
                (Some(_), Some(cite)) => {
                    let expected = "either limit or unlimited".to_owned();
                    self.fault(
                        origin,
                        cite.source.span().start,
                        PackFault::BadValue {
                            found: "unlimited".into(),
                            expected,
                        },
                    );
                }
                (None, Some(cite)) => {
                    self.cite(origin, &cite.source, &cite.article);
                }
                (Some(_), None) => {}
            }
            let needs = file.needs.as_ref().and_then(|needs| {
                let (_, article) = self.cite(origin, &needs.source, &needs.article)?;
                let insutype = SmolStr::from(&needs.insutype);
                Some(Needs { insutype, article })
            });
            self.pools.push(Arc::new(Pool {
                id,
                title: SmolStr::from(&file.title),
                fund_pay_type: SmolStr::from(&file.fund_pay_type),
                column: file.column,
                limit,
                within,
                needs,
            }));
        }
        self.origin = 0;
    }

    fn limit(&mut self, file: &LimitFile) -> Option<Limit> {
        let amount = self.parameter(&file.amount, Unit::Yuan);
        let each_further_disease = self.maybe_parameter(file.each_further_disease.as_ref(), Unit::Yuan);
        let at_most = self.maybe_parameter(file.at_most.as_ref(), Unit::Yuan);
        let of = match &file.of {
            Some(word) => self.choice(word, COUNTS)?,
            None => Counts::Fund,
        };
        let per = match &file.per {
            Some(word) => self.choice(word, LIMIT_PER)?,
            None => Per::Year,
        };
        Some(Limit {
            amount: amount?,
            of,
            per,
            each_further_disease: each_further_disease?,
            each_member: file.each_member,
            at_most: at_most?,
        })
    }
}
