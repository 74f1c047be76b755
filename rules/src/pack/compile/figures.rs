//! Parameters: every day of the pack has exactly one value, every table every cell, every figure its article.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use smol_str::SmolStr;
use toml::Spanned;

use super::super::fault::PackFault;
use super::super::figure::{Dated, NONE, Parameter};
use super::super::file::{Axis, ParameterFile, Unit, ValueFile, Word};
use super::Compiler;
use crate::decimal::parse_scaled;

impl Compiler<'_> {
    /// The file and place of each parameter; an overlay's stands in for the pack's.
    fn parameter_files(&self) -> BTreeMap<SmolStr, Spanned<ParameterFile>> {
        let mut files = BTreeMap::new();
        let overlays = self.parts.overlays.iter().map(|overlay| &overlay.parameter);
        for (origin, list) in std::iter::once(&self.parts.base.parameter)
            .chain(overlays)
            .enumerate()
        {
            for (name, file) in list {
                let mut file = file.clone();
                file.get_mut().origin = origin;
                files.insert(SmolStr::from(name), file);
            }
        }
        files
    }

    pub(super) fn parameter_places(&self) -> BTreeMap<SmolStr, (usize, usize)> {
        let place = |file: Spanned<ParameterFile>| (file.get_ref().origin, file.span().start);
        self.parameter_files()
            .into_iter()
            .map(|(name, file)| (name, place(file)))
            .collect()
    }

    pub(super) fn figures(&mut self) {
        for (name, file) in self.parameter_files() {
            let at = file.span().start;
            let file = file.into_inner();
            let mut values: Vec<(usize, Dated)> = Vec::new();
            for value in &file.value {
                let at = value.span().start;
                if let Some(dated) = self.dated(&name, &file, value.get_ref(), at) {
                    values.push((at, dated));
                }
            }
            if values.len() == file.value.len() {
                values.sort_by_key(|(_, value)| value.from);
                self.coverage(&name, file.origin, at, &values);
            }
            let values = values.into_iter().map(|(_, value)| value).collect();
            let parameter = Parameter {
                name: name.clone(),
                title: SmolStr::from(&file.title),
                unit: file.unit,
                by: file.by,
                values,
            };
            self.parameters.insert(name, Arc::new(parameter));
        }
    }

    fn dated(&mut self, name: &SmolStr, file: &ParameterFile, value: &ValueFile, at: usize) -> Option<Dated> {
        let from = self.date(file.origin, at, &value.from)?;
        let until = match &value.until {
            Some(until) => self.date(file.origin, at, until)?,
            None => Date::MAX,
        };
        if until < from {
            self.fault(
                file.origin,
                at,
                PackFault::Backwards {
                    parameter: name.clone(),
                },
            );
        }
        let bands = self.bounds(file, value, at);
        let cells = match (&value.value, &value.table, value.not_published) {
            (Some(word), None, false) if file.by.is_empty() => {
                vec![self.figure(file, word.get_ref(), word.span().start)]
            }
            (None, Some(table), false) if !file.by.is_empty() => self.table(name, file, table, &value.bands),
            (None, None, true) => Vec::new(),
            _ => {
                self.fault(
                    file.origin,
                    at,
                    PackFault::NoFigure {
                        parameter: name.clone(),
                    },
                );
                return None;
            }
        };
        let (source, cite) = self.cite(file.origin, &value.source, &value.article)?;
        Some(Dated {
            from,
            until,
            cite,
            grade: source.grade,
            bands,
            cells,
        })
    }

    /// The lower bounds of the bands in fen; from 0.00 up, and only where the table goes by band, as its last axis.
    fn bounds(&mut self, file: &ParameterFile, value: &ValueFile, at: usize) -> Vec<i64> {
        let bounds: Vec<i64> = value
            .bands
            .iter()
            .filter_map(|word| parse_scaled(word.get_ref(), 2).ok())
            .collect();
        let by_band = file.by.iter().position(|axis| *axis == Axis::Band);
        let last = by_band.is_none_or(|place| place + 1 == file.by.len());
        let rising = bounds.first() == Some(&0) && bounds.windows(2).all(|pair| pair.first() < pair.last());
        let good = match by_band {
            Some(_) if value.not_published => value.bands.is_empty(),
            Some(_) => last && rising && bounds.len() == value.bands.len(),
            None => value.bands.is_empty(),
        };
        if !good {
            let found = "bands".into();
            let expected =
                "by = [… \"band\"] as the last axis, and bands = [\"0.00\", …] rising in yuan".to_owned();
            self.fault(file.origin, at, PackFault::BadValue { found, expected });
        }
        bounds
    }

    fn figure(&mut self, file: &ParameterFile, text: &str, at: usize) -> Option<i64> {
        let (places, expected) = match file.unit {
            Unit::Yuan => (2, "an amount in yuan such as \"90.00\", or \"none\""),
            Unit::Ratio => (6, "a ratio between -1 and 1 such as \"0.55\""),
            Unit::Days | Unit::Months => (0, "a whole number such as \"3\""),
        };
        let fits = |scaled: i64| match file.unit {
            Unit::Ratio => scaled.abs() <= 1_000_000,
            Unit::Months => (0..=1_200).contains(&scaled),
            Unit::Yuan | Unit::Days => (0..10_000_000_000_000).contains(&scaled),
        };
        if text == "none" && file.unit == Unit::Yuan {
            return Some(NONE);
        }
        let figure = parse_scaled(text, places).ok().filter(|scaled| fits(*scaled));
        if figure.is_none() {
            self.fault(
                file.origin,
                at,
                PackFault::BadValue {
                    found: text.into(),
                    expected: expected.into(),
                },
            );
        }
        figure
    }

    /// The cells of a table of one or two axes, the last axis running fastest.
    fn table(
        &mut self,
        name: &SmolStr,
        file: &ParameterFile,
        table: &Spanned<toml::Table>,
        bands: &[Word],
    ) -> Vec<Option<i64>> {
        let at = table.span().start;
        let mut rows = vec![(String::new(), Some(toml::Value::Table(table.get_ref().clone())))];
        for axis in &file.by {
            let keys = match axis {
                Axis::Band => bands.iter().map(|bound| SmolStr::from(bound.get_ref())).collect(),
                axis => self.axis_keys(*axis),
            };
            let mut below = Vec::with_capacity(rows.len() * keys.len());
            for (path, row) in rows {
                if let Some(toml::Value::Table(row)) = &row {
                    for stray in row
                        .keys()
                        .filter(|key| !keys.contains(&SmolStr::from(key.as_str())))
                    {
                        let expected = keys.join(" | ");
                        self.fault(
                            file.origin,
                            at,
                            PackFault::BadValue {
                                found: stray.into(),
                                expected,
                            },
                        );
                    }
                }
                for key in &keys {
                    let row = row.as_ref().and_then(toml::Value::as_table);
                    let otherwise = if *axis == Axis::Disease { "other" } else { "" };
                    let cell = row.and_then(|row| row.get(key.as_str()).or_else(|| row.get(otherwise)));
                    below.push((format!("{path} {key}"), cell.cloned()));
                }
            }
            rows = below;
        }
        let mut cells = Vec::with_capacity(rows.len());
        for (path, cell) in rows {
            match cell {
                Some(toml::Value::String(text)) => cells.push(self.figure(file, &text, at)),
                Some(_) => {
                    let expected = "a figure as text".to_owned();
                    self.fault(
                        file.origin,
                        at,
                        PackFault::BadValue {
                            found: path.into(),
                            expected,
                        },
                    );
                }
                None => {
                    let cell = path.trim().to_owned();
                    self.fault(
                        file.origin,
                        at,
                        PackFault::MissingCell {
                            parameter: name.clone(),
                            cell,
                        },
                    );
                }
            }
        }
        cells
    }

    pub(super) fn axis_keys(&self, axis: Axis) -> Vec<SmolStr> {
        match axis {
            Axis::Level => self.levels.clone(),
            Axis::Status => self.statuses.clone(),
            Axis::Disease => self.classes.clone(),
            Axis::Region => self.regions.clone(),
            Axis::Age => self.ages.clone(),
            Axis::Turn => self.turns.clone(),
            Axis::Band => Vec::new(),
        }
    }

    /// Exactly one value on each day the pack answers for.
    fn coverage(&mut self, name: &SmolStr, origin: usize, at: usize, values: &[(usize, Dated)]) {
        let parameter = || name.clone();
        let day_after = |day: Date| day.tomorrow().unwrap_or(Date::MAX);
        let day_before = |day: Date| day.yesterday().unwrap_or(Date::MIN);
        let mut next = self.from;
        for (place, value) in values {
            if value.from > next {
                let until = day_before(value.from);
                self.fault(
                    origin,
                    *place,
                    PackFault::Gap {
                        parameter: parameter(),
                        from: next,
                        until,
                    },
                );
            }
            if value.from < next && next > self.from {
                let until = value.until.min(day_before(next));
                self.fault(
                    origin,
                    *place,
                    PackFault::Overlap {
                        parameter: parameter(),
                        from: value.from,
                        until,
                    },
                );
            }
            if value.until == Date::MAX {
                next = Date::MAX;
            } else {
                next = next.max(day_after(value.until));
            }
        }
        let open = values.last().is_some_and(|(_, value)| value.until == Date::MAX);
        if !open && next <= self.until {
            self.fault(
                origin,
                at,
                PackFault::Gap {
                    parameter: parameter(),
                    from: next,
                    until: self.until,
                },
            );
        }
    }

    /// The parameter a block names.
    pub(super) fn parameter(&mut self, word: &Word, unit: Unit) -> Option<Arc<Parameter>> {
        let Some(parameter) = self.parameters.get(word.get_ref().as_str()).cloned() else {
            self.unknown(self.origin, word, "parameter");
            return None;
        };
        self.parameters_used.insert(parameter.name.clone());
        if parameter.unit != unit {
            let expected = format!("a parameter of unit {unit:?}").to_lowercase();
            self.fault(
                self.origin,
                word.span().start,
                PackFault::BadValue {
                    found: parameter.name.clone(),
                    expected,
                },
            );
        }
        Some(parameter)
    }
}
