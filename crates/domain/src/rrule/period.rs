//! Periods: the years, months, weeks, days or hours that a rule looks at.
//!
//! Every period has a unit number that grows by one from each to the next; a rule uses those whose distance from
//! DTSTART's unit is a multiple of INTERVAL.

use jiff::civil::DateTime;

use super::Freq;
use super::day::{Day, before_year};
use super::plan::Plan;

impl Plan<'_> {
    /// The unit that a time is in.
    pub(super) fn unit(&self, at: DateTime) -> i64 {
        let day = Day::from_date(at.date());
        match self.rule.freq {
            Freq::Hourly => day.number * 24 + i64::from(at.hour()),
            Freq::Daily => day.number,
            Freq::Weekly => self.week(day),
            Freq::Monthly => day.year * 12 + day.month - 1,
            Freq::Yearly => day.year,
        }
    }

    /// Weeks are numbered by their first day, in whole sevens from the day of week 0 that is WKST.
    fn week(&self, day: Day) -> i64 {
        day.week_begin(self.rule.week_start).div_euclid(7)
    }

    /// The first unit from `unit` on that INTERVAL uses.
    pub(super) fn in_step(&self, unit: i64) -> i64 {
        let unit = unit.max(self.start_unit);
        unit + (self.start_unit - unit).rem_euclid(self.rule.interval)
    }

    /// The first day of a unit, and how many days it has.
    fn days(&self, unit: i64) -> (Day, i64) {
        match self.rule.freq {
            Freq::Hourly => (Day::from_number(unit.div_euclid(24)), 1),
            Freq::Daily => (Day::from_number(unit), 1),
            Freq::Weekly => (Day::from_number(self.week_day(unit)), 7),
            Freq::Monthly => {
                let first = Day::new(unit.div_euclid(12), unit.rem_euclid(12) + 1, 1);
                (first, first.days_in_month())
            }
            Freq::Yearly => (Day::new(unit, 1, 1), before_year(unit + 1) - before_year(unit)),
        }
    }

    /// The first day of week number `unit`: the one in `unit * 7 .. unit * 7 + 7` that is WKST.
    fn week_day(&self, unit: i64) -> i64 {
        Day::from_number(unit * 7 + 6).week_begin(self.rule.week_start)
    }

    /// Puts the days of a unit that the rule picks into `days`.
    pub(super) fn pick_days(&self, unit: i64, days: &mut Vec<Day>) {
        days.clear();
        let (mut day, length) = self.days(unit);
        let beyond = day.number + length;
        while day.number < beyond {
            if !self.picks_month(day) {
                day = day.next_month();
                continue;
            }
            if self.picks(day) {
                days.push(day);
            }
            day = day.tomorrow();
        }
    }

    /// The unit after one without a slot, past others that cannot have one either.
    pub(super) fn after_empty(&self, unit: i64) -> i64 {
        let (day, _) = self.days(unit);
        let next = if self.picks_month(day) { day.tomorrow() } else { day.next_month() };
        let first_hour = next.number * 24 + self.by.hour.first().map_or(0, |hour| i64::from(*hour));
        match self.rule.freq {
            Freq::Hourly if !self.picks(day) => first_hour,
            Freq::Hourly if self.by.hour.is_empty() => unit + 1,
            Freq::Hourly => {
                let mut hours = self.by.hour.iter().map(|hour| day.number * 24 + i64::from(*hour));
                hours.find(|hour| *hour > unit).unwrap_or(first_hour)
            }
            Freq::Daily => next.number,
            Freq::Weekly | Freq::Monthly | Freq::Yearly => unit + 1,
        }
    }
}
