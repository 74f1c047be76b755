//! Parameters: dated figures, each with its source, and tables chosen by level, status or disease.

use jiff::civil::Date;
use smol_str::SmolStr;

use super::file::{Axis, Unit};
use crate::outcome::Grade;

/// A named figure of a pack.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: SmolStr,
    pub(crate) title: SmolStr,
    pub(crate) unit: Unit,
    pub(crate) by: Vec<Axis>,
    /// In order of their days, without gap or overlap over the pack's days.
    pub(crate) values: Vec<Dated>,
}

/// A figure that says there is none: no limit, no price.
pub(crate) const NONE: i64 = i64::MAX;

/// A parameter's value on some days.
#[derive(Clone, Debug)]
pub(crate) struct Dated {
    pub(crate) from: Date,
    pub(crate) until: Date,
    pub(crate) cite: SmolStr,
    pub(crate) grade: Grade,
    /// Lower bounds of the bands in fen, from 0 up; empty when the table does not go by amount.
    pub(crate) bands: Vec<i64>,
    /// One cell for each combination of the axes (the last axis runs fastest); `None` = not published.
    pub(crate) cells: Vec<Option<i64>>,
}

/// Where a claim stands on each axis.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axes {
    pub(crate) level: usize,
    pub(crate) levels: usize,
    /// `None` = the pack does not know the psn_type.
    pub(crate) status: Option<usize>,
    pub(crate) statuses: usize,
    pub(crate) class: usize,
    pub(crate) classes: usize,
    pub(crate) region: usize,
    pub(crate) regions: usize,
    /// `None` = the date of birth is not known.
    pub(crate) age: Option<usize>,
    pub(crate) ages: usize,
    /// 0 = the benefit's first time in the year.
    pub(crate) turn: usize,
    pub(crate) turns: usize,
    /// Amount in fen that a table by band is asked for.
    pub(crate) amount: i64,
}

/// A figure on one day for one claim: fen, millionths or days.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figure<'a> {
    pub(crate) scaled: i64,
    pub(crate) cite: &'a SmolStr,
    pub(crate) grade: Grade,
}

/// Why there is no figure.
#[derive(Clone, Debug)]
pub(crate) enum FigureFault<'a> {
    /// The regulation leaves it to a later document; the article that does.
    NotPublished { parameter: &'a Parameter, cite: &'a str },
    /// The table goes by status, and the pack does not know the psn_type.
    NoStatus,
    /// The table goes by age, and the date of birth is not known.
    NoAge,
}

impl Parameter {
    /// The figure on a day. No text is compared.
    pub(crate) fn on(&self, day: Date, axes: &Axes) -> Result<Figure<'_>, FigureFault<'_>> {
        let Some(value) = self.value_on(day) else {
            return Err(FigureFault::NotPublished {
                parameter: self,
                cite: "",
            });
        };
        let mut cell = 0;
        for axis in &self.by {
            let (place, size) = match axis {
                Axis::Level => (axes.level, axes.levels),
                Axis::Status => (axes.status.ok_or(FigureFault::NoStatus)?, axes.statuses),
                Axis::Disease => (axes.class, axes.classes),
                Axis::Region => (axes.region, axes.regions),
                Axis::Age => (axes.age.ok_or(FigureFault::NoAge)?, axes.ages),
                Axis::Turn => (axes.turn, axes.turns),
                Axis::Band => (value.band(axes.amount), value.bands.len()),
            };
            cell = cell * size + place;
        }
        match value.cells.get(cell).copied().flatten() {
            Some(scaled) => Ok(Figure {
                scaled,
                cite: &value.cite,
                grade: value.grade,
            }),
            None => Err(FigureFault::NotPublished {
                parameter: self,
                cite: &value.cite,
            }),
        }
    }

    fn value_on(&self, day: Date) -> Option<&Dated> {
        self.values
            .iter()
            .find(|value| value.from <= day && day <= value.until)
    }

    /// The lower bounds of its bands on a day, fen; empty when it does not go by amount.
    pub(crate) fn bands_on(&self, day: Date) -> &[i64] {
        self.value_on(day).map_or(&[], |value| &value.bands)
    }
}

impl Dated {
    /// The band an amount lies in; a bound belongs to the band above it.
    fn band(&self, amount: i64) -> usize {
        self.bands
            .partition_point(|from| *from <= amount)
            .saturating_sub(1)
    }
}
