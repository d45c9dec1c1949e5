//! Recurrence rules: RFC 5545 section 3.3.10, in naive local time.
//!
//! A rule cuts time into periods of its FREQ and INTERVAL, counted from DTSTART's. Each period yields a set of slots
//! (the days that the BY parts pick, times the hours, minutes and seconds), from which BYSETPOS chooses.
//!
//! - `parse`, `check`, `print`: text to rule and back; `parse(print(rule)) == rule`
//! - `plan`: what DTSTART adds to a rule, and whether a day is picked
//! - `period`: where a period begins and which days it has; periods never overlap
//! - `slots`: the slots of one period, without listing them
//! - `walk`: from period to period, within a limit of steps
//! - `day`: arithmetic on days
//!
//! Differences from the RFC, on purpose: DTSTART is an occurrence only if the rule yields it; a monthly or yearly
//! rule without any BY part moves the days 29 to 31 to the month's last day where the month is shorter; what lies
//! more than 400 years ahead does not exist; frequencies below HOURLY are refused.

mod check;
mod day;
mod parse;
mod period;
mod plan;
mod print;
mod slots;
mod walk;

use std::fmt;

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};

pub(crate) use walk::Walk;

/// The most occurrences that [`Rule::between`] lists.
pub const MAX_LISTED: usize = 10_000;

/// A recurrence rule that can be computed with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    freq: Freq,
    /// 1 to 1,000 periods from one to the next.
    interval: i64,
    end: End,
    /// The day on which weeks begin, Monday = 0.
    week_start: i64,
    by: Parts,
}

/// Why a rule is refused or cannot be computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// Stable and for programs, for example `rule-value`.
    pub code: &'static str,
    /// For the person who wrote the rule: which part is wrong and what is allowed.
    pub message: String,
}

impl RuleError {
    fn new(code: &'static str, message: impl Into<String>) -> RuleError {
        RuleError { code, message: message.into() }
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RuleError {}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Freq {
    Hourly,
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum End {
    Never,
    Count(u32),
    Until(Until),
}

/// The last moment of a rule, itself included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Until {
    /// All of this day.
    Date(Date),
    Local(DateTime),
    /// What the clocks in UTC show.
    Utc(DateTime),
}

/// The BY parts. Each list is sorted and has no value twice; an empty list is a part that was not given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Parts {
    month: Vec<i16>,
    week_no: Vec<i16>,
    year_day: Vec<i16>,
    month_day: Vec<i16>,
    day: Vec<ByDay>,
    hour: Vec<i16>,
    minute: Vec<i16>,
    second: Vec<i16>,
    set_pos: Vec<i16>,
}

/// One entry of BYDAY.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct ByDay {
    /// Monday = 0.
    weekday: i64,
    /// The nth of the month or year, from the end if negative; 0 is every one.
    nth: i64,
}

impl Rule {
    /// The first occurrence strictly after `after`, or `None` if the rule has no more.
    ///
    /// Both times are naive; fractions of a second of `dtstart` are dropped. COUNT counts from `dtstart`. An
    /// occurrence more than 400 years after `after` (or `dtstart`, if later) is not looked for.
    ///
    /// A rule without COUNT is computed from `after`, however far `dtstart` is back; with COUNT from `dtstart`.
    /// `rule-too-sparse` is the error when 200,000 periods had to be looked at.
    pub fn next(&self, dtstart: DateTime, after: DateTime) -> Result<Option<DateTime>, RuleError> {
        self.walk(dtstart, after).advance()
    }

    /// The occurrences from `from` on and before `to`: the first `limit` of them, and at most [`MAX_LISTED`].
    ///
    /// Errors are those of [`Rule::next`].
    pub fn between(
        &self,
        dtstart: DateTime,
        from: DateTime,
        to: DateTime,
        limit: usize,
    ) -> Result<Vec<DateTime>, RuleError> {
        let mut walk = Walk::new(self, dtstart, from, to);
        let mut found = Vec::new();
        while found.len() < limit.min(MAX_LISTED) {
            match walk.advance()? {
                Some(at) if at < to => found.push(at),
                _ => break,
            }
        }
        Ok(found)
    }

    /// This rule for a series in `zone`: an UNTIL in UTC becomes what the clocks of the zone show then.
    ///
    /// From then on it is compared as local time, like every occurrence. A rule that still has an UNTIL in UTC is
    /// computed as if the series were in UTC.
    pub fn until_in(&self, zone: &TimeZone) -> Rule {
        let mut rule = self.clone();
        if let End::Until(Until::Utc(utc)) = self.end {
            let local = Offset::UTC.to_timestamp(utc).map_or(utc, |at| zone.to_datetime(at));
            rule.end = End::Until(Until::Local(local));
        }
        rule
    }

    /// The occurrences after `after`, one at a time.
    pub(crate) fn walk(&self, dtstart: DateTime, after: DateTime) -> Walk<'_> {
        let from = after.saturating_add(SignedDuration::from_nanos(1));
        Walk::new(self, dtstart, from, DateTime::MAX)
    }
}
