//! The days of benefits that follow from birth, enrolment and payment, where the registry does not say them.

use jiff::civil::Date;
use jiff::{Span, ToSpan};
use smol_str::SmolStr;

use super::refusal;
use super::{Refused, select};
use crate::claim::{Person, Visit};
use crate::codes::{Code, Lang};
use crate::outcome::Grade;
use crate::pack::{FigureFault, Pack, PaidYear, Parameter, Waiting};

/// What the pack's rules of enrolment say of one person on one day of treatment.
pub(super) struct Enrolled<'a> {
    pub(super) pack: &'a Pack,
    pub(super) person: &'a Person,
    pub(super) visit: &'a Visit,
    pub(super) lang: Lang,
    /// The weakest grade of any figure used.
    pub(super) grade: Grade,
}

impl Enrolled<'_> {
    /// Refuses a day before the benefits begin or after the paid year. The registry's own first day goes before this.
    pub(super) fn check(&mut self, treated: Date) -> Result<(), Refused> {
        let (pack, person) = (self.pack, self.person);
        let rules = &pack.enrolment;
        let Some(completed) = person.paid_on.max(person.enrolled_on) else {
            return Ok(());
        };
        if let (Some(newborn), Some(born)) = (&rules.newborn, person.brdy)
            && born <= completed
            && completed < after(born, 12.months())
        {
            let Some(days) = &newborn.days else { return Ok(()) };
            let days = self.figure(days)?;
            let first = newborn_from(days, born, completed);
            return self.within(first, Date::MAX, treated, &newborn.article);
        }
        if let Some(waiting) = &rules.waiting {
            let interrupted = person.interrupted_months.map_or(0, i64::from);
            let late = waiting.in_the_year_is_late && completed.year() == treated.year();
            if late || interrupted >= self.figure(&waiting.interrupted_months_min)? {
                return self.wait(waiting, completed, treated);
            }
        }
        match (&rules.year, person.paid_on) {
            (Some(year), Some(paid)) => self.paid_year(year, paid, treated),
            _ => Ok(()),
        }
    }

    /// Nothing is paid before the enrolment or within so many months after it. After the longest waiting period the
    /// regulation allows, its length need not be known.
    fn wait(&mut self, waiting: &Waiting, completed: Date, treated: Date) -> Result<(), Refused> {
        if completed <= treated
            && let Some(months_max) = &waiting.months_max
        {
            let longest = self.figure(months_max)?;
            if treated >= after(completed, longest.months()) {
                return Ok(());
            }
        }
        let first = if treated < completed {
            completed
        } else {
            let mut months = self.figure(&waiting.months)?;
            if let Some(each) = &waiting.months_each_missed_year {
                let missed = self.person.interrupted_months.map_or(0, i64::from) / 12;
                months += self.figure(each)? * missed;
            }
            after(completed, months.months())
        };
        self.within(first, Date::MAX, treated, &waiting.article)
    }

    /// Paid in one year for the next, 1 January to 31 December.
    fn paid_year(&self, year: &PaidYear, paid: Date, treated: Date) -> Result<(), Refused> {
        let next = after(paid.first_of_year(), 1.year());
        let first = if year.at_once { paid } else { next };
        self.within(first, next.last_of_year(), treated, &year.article)
    }

    fn within(&self, first: Date, last: Date, treated: Date, article: &SmolStr) -> Result<(), Refused> {
        let code = if treated < first {
            Code::WaitingPeriod
        } else if last < treated {
            Code::NotInsured
        } else {
            return Ok(());
        };
        let mut refused = refusal(code, article.clone(), self.lang);
        if code == Code::WaitingPeriod {
            refused.says = format!("{} {first}", refused.says);
        }
        Err(Box::new(refused))
    }

    fn figure(&mut self, parameter: &Parameter) -> Result<i64, Refused> {
        let axes = select::no_axes(self.pack);
        match parameter.on(self.pack.rule_date(self.visit), &axes) {
            Ok(figure) => {
                self.grade = self.grade.max(figure.grade);
                Ok(figure.scaled)
            }
            Err(FigureFault::NotPublished { parameter, cite }) => {
                Err(super::not_published(parameter, cite, self.lang))
            }
            Err(FigureFault::NoStatus | FigureFault::NoAge) => Err(Box::new(refusal(
                Code::PersonTypeNotCovered,
                SmolStr::default(),
                self.lang,
            ))),
        }
    }
}

/// Enrolled within the days (the day of birth is day 0): from birth; later: from the month after payment.
fn newborn_from(days: i64, born: Date, completed: Date) -> Date {
    let age = born.until(completed).map_or(0, |span| i64::from(span.get_days()));
    if age <= days {
        born
    } else {
        after(completed.first_of_month(), 1.month())
    }
}

fn after(day: Date, span: Span) -> Date {
    day.saturating_add(span)
}
