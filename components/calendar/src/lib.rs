//! Recurrence rules as a component that others depend on: pure, without imports beyond what Rust's std brings.
#![allow(unsafe_code, missing_docs, reason = "generated exports")]

use domain::rrule::{Rule, RuleError as DomainError};
use domain::series::{Next, next_occurrence};
use domain::zone;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

wit_bindgen::generate!({ path: "../../wit/calendar", world: "calendar" });

use exports::spindle::calendar::rules::{Guest, LocalTime, RuleError, Series, Upcoming};

struct Calendar;
export!(Calendar);

impl Guest for Calendar {
    fn normalise(rule: String) -> Result<String, RuleError> {
        Ok(Rule::parse(&rule)?.to_string())
    }

    fn next(rule: String, start: LocalTime, after: LocalTime) -> Result<Option<LocalTime>, RuleError> {
        let next = Rule::parse(&rule)?.next(start.try_into()?, after.try_into()?)?;
        Ok(next.map(LocalTime::from))
    }

    fn between(
        rule: String,
        start: LocalTime,
        from: LocalTime,
        to: LocalTime,
        limit: u32,
    ) -> Result<Vec<LocalTime>, RuleError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let found = Rule::parse(&rule)?.between(start.try_into()?, from.try_into()?, to.try_into()?, limit)?;
        Ok(found.into_iter().map(LocalTime::from).collect())
    }

    fn next_due(series: Series, cursor: LocalTime, now: i64) -> Result<Option<Upcoming>, RuleError> {
        let rule = Rule::parse(&series.rule)?;
        let zone = zone::zone(&series.zone).map_err(|error| invalid("unknown-zone", error.to_string()))?;
        let now = Timestamp::from_microsecond(now).map_err(|error| invalid("out-of-range", error.to_string()))?;
        let next = next_occurrence(&rule, series.start.try_into()?, &zone, cursor.try_into()?, series.all_day, now)?;
        Ok(match next {
            Next::Ended => None,
            Next::At { local, due, skipped } => {
                Some(Upcoming { local: local.into(), due: due.as_microsecond(), skipped })
            }
        })
    }
}

fn invalid(code: &str, message: String) -> RuleError {
    RuleError { code: code.to_owned(), message }
}

impl From<DomainError> for RuleError {
    fn from(error: DomainError) -> Self {
        invalid(error.code, error.message)
    }
}

impl From<DateTime> for LocalTime {
    fn from(local: DateTime) -> Self {
        // the parts of a date and a time of day are never negative
        let part = |part: i8| part.unsigned_abs();
        Self {
            year: local.year(),
            month: part(local.month()),
            day: part(local.day()),
            hour: part(local.hour()),
            minute: part(local.minute()),
            second: part(local.second()),
        }
    }
}

impl TryFrom<LocalTime> for DateTime {
    type Error = RuleError;

    fn try_from(local: LocalTime) -> Result<Self, RuleError> {
        let part = |part: u8| i8::try_from(part).unwrap_or(-1);
        let date = Date::new(local.year, part(local.month), part(local.day));
        let time = jiff::civil::Time::new(part(local.hour), part(local.minute), part(local.second), 0);
        match (date, time) {
            (Ok(date), Ok(time)) => Ok(date.to_datetime(time)),
            _ => Err(invalid("out-of-range", format!("{local:?} is no local time"))),
        }
    }
}
