//! What a rule means for one DTSTART, and whether it picks a day.

use jiff::civil::{DateTime, Time};

use super::day::Day;
use super::{ByDay, Freq, Parts, Rule};

/// A rule together with what it inherits from DTSTART.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) rule: &'a Rule,
    /// DTSTART in whole seconds.
    pub(super) start: DateTime,
    /// The unit that DTSTART is in, see `period`.
    pub(super) start_unit: i64,
    /// The BY parts with DTSTART's values where the rule leaves them open.
    pub(super) by: Parts,
    /// For a rule without BY parts: the day of the month, or the month's last where it is shorter.
    day_or_last: Option<i64>,
}

impl Plan<'_> {
    pub(super) fn new(rule: &Rule, dtstart: DateTime) -> Plan<'_> {
        let time = Time::new(dtstart.hour(), dtstart.minute(), dtstart.second(), 0);
        let start = time.map_or(dtstart, |time| dtstart.date().to_datetime(time));
        let mut plan = Plan { rule, start, start_unit: 0, by: rule.by.clone(), day_or_last: None };
        plan.start_unit = plan.unit(start);
        plan.inherit_days();
        plan.inherit_time();
        plan
    }

    /// RFC 5545 section 3.3.10: what the rule does not say about the day "would be the same as for DTSTART".
    fn inherit_days(&mut self) {
        let (freq, given) = (self.rule.freq, &self.rule.by);
        let start = Day::from_date(self.start.date());
        let no_day = given.year_day.is_empty() && given.month_day.is_empty() && given.day.is_empty();
        let weekday = ByDay { weekday: start.weekday(), nth: 0 };
        if !no_day || matches!(freq, Freq::Hourly | Freq::Daily) {
            return;
        }
        if freq == Freq::Weekly || !given.week_no.is_empty() {
            return self.by.day = vec![weekday];
        }
        if freq == Freq::Yearly && given.month.is_empty() {
            self.by.month = vec![self.start.month().into()];
        }
        if *given == Parts::default() {
            self.day_or_last = Some(start.day);
        } else {
            self.by.month_day = vec![self.start.day().into()];
        }
    }

    /// The hour of an hourly rule is its period's, see `slots`.
    fn inherit_time(&mut self) {
        let inherit = |list: &mut Vec<i16>, value: i8| {
            if list.is_empty() {
                list.push(value.into());
            }
        };
        if self.rule.freq != Freq::Hourly {
            inherit(&mut self.by.hour, self.start.hour());
        }
        inherit(&mut self.by.minute, self.start.minute());
        inherit(&mut self.by.second, self.start.second());
    }

    /// Whether every BY part about days allows this one.
    ///
    /// Expanding (RFC 5545, the table in section 3.3.10) and limiting come to the same when all days of the period
    /// are asked: both leave those that every part names.
    pub(super) fn picks(&self, day: Day) -> bool {
        self.picks_month(day)
            && self.picks_month_day(day)
            && within(&self.by.year_day, || (day.of_year(), day.days_in_year()))
            && (self.by.day.is_empty() || self.by.day.iter().any(|by| self.is_nth(day, *by)))
            && within(&self.by.week_no, || day.week(self.rule.week_start))
    }

    pub(super) fn picks_month(&self, day: Day) -> bool {
        self.by.month.is_empty() || self.by.month.iter().any(|month| i64::from(*month) == day.month)
    }

    fn picks_month_day(&self, day: Day) -> bool {
        match self.day_or_last {
            Some(wanted) => day.day == wanted.min(day.days_in_month()),
            None => within(&self.by.month_day, || (day.day, day.days_in_month())),
        }
    }

    /// Ordinals count within the month for MONTHLY and for YEARLY with BYMONTH, else within the year.
    fn is_nth(&self, day: Day, by: ByDay) -> bool {
        if by.weekday != day.weekday() || by.nth == 0 {
            return by.weekday == day.weekday();
        }
        let monthly = self.rule.freq == Freq::Monthly || !self.rule.by.month.is_empty();
        let (at, length) = if monthly { (day.day, day.days_in_month()) } else { (day.of_year(), day.days_in_year()) };
        by.nth == (at - 1) / 7 + 1 || by.nth == -((length - at) / 7 + 1)
    }
}

/// Whether a list names a position, counted from the front or from the end of a range of some length.
fn within(list: &[i16], place: impl Fn() -> (i64, i64)) -> bool {
    if list.is_empty() {
        return true;
    }
    let (at, length) = place();
    list.iter().any(|named| i64::from(*named) == at || i64::from(*named) == at - length - 1)
}
