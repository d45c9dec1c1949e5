//! The component dependency `spindle:calendar`, which knows the rules.
#![allow(unsafe_code, missing_docs, reason = "generated imports")]

use edge::Problem;
use jiff::Timestamp;
use jiff::civil::DateTime;

wit_bindgen::generate!({ path: "../../wit/calendar", world: "calendar-user" });

use spindle::calendar::rules::{LocalTime, Series, next_due};

use crate::store::Current;

/// The occurrence that a series goes on with.
pub struct Next {
    /// Its wall clock.
    pub local: DateTime,
    /// When it is due.
    pub due: Timestamp,
    /// How many occurrences were jumped over because they are past.
    pub skipped: i32,
}

/// The first occurrence after the series' latest that is not yet past at `now`; none when the rule has no more.
pub fn next(series: &Current, now: Timestamp) -> Result<Option<Next>, Problem> {
    let place = Series {
        rule: series.rule.clone(),
        start: to_wit(series.dtstart),
        zone: series.time_zone.clone(),
        all_day: series.all_day,
    };
    let broken = |what: String| Problem::internal(format!("series {}: {what}", series.series_id));
    let next = next_due(&place, to_wit(series.occurrence), now.as_microsecond())
        .map_err(|error| broken(format!("{} {}", error.code, error.message)))?;
    let Some(next) = next else { return Ok(None) };
    let local = from_wit(next.local).ok_or_else(|| broken("the calendar answered no local time".to_owned()))?;
    let due = Timestamp::from_microsecond(next.due).map_err(|_| broken(format!("{} is no instant", next.due)))?;
    Ok(Some(Next { local, due, skipped: i32::try_from(next.skipped).unwrap_or(i32::MAX) }))
}

fn to_wit(local: DateTime) -> LocalTime {
    let part = |part: i8| part.unsigned_abs();
    LocalTime {
        year: local.year(),
        month: part(local.month()),
        day: part(local.day()),
        hour: part(local.hour()),
        minute: part(local.minute()),
        second: part(local.second()),
    }
}

fn from_wit(local: LocalTime) -> Option<DateTime> {
    let part = |part: u8| i8::try_from(part).ok();
    let (month, day) = part(local.month).zip(part(local.day))?;
    let ((hour, minute), second) = part(local.hour).zip(part(local.minute)).zip(part(local.second))?;
    DateTime::new(local.year, month, day, hour, minute, second, 0).ok()
}
