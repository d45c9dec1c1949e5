//! Days of the Gregorian calendar, counted so that stepping from one to the next costs next to nothing.

use jiff::civil::Date;

/// Days from 1 January of year 1 to 1 January 1970.
const DAYS_TO_1970: i64 = 719_162;
/// After so many days the calendar repeats, weekdays included.
pub(super) const DAYS_IN_400_YEARS: i64 = 146_097;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day {
    /// Days since 1 January 1970.
    pub(super) number: i64,
    pub(super) year: i64,
    /// 1 to 12.
    pub(super) month: i64,
    /// 1 to 31.
    pub(super) day: i64,
}

impl Day {
    pub(super) fn new(year: i64, month: i64, day: i64) -> Day {
        let number = before_year(year) + before_month(year, month) + day - 1;
        Day { number, year, month, day }
    }

    pub(super) fn from_date(date: Date) -> Day {
        Day::new(date.year().into(), date.month().into(), date.day().into())
    }

    pub(super) fn from_number(number: i64) -> Day {
        // The mean year gives the year or one beside it.
        let mut year = ((number + DAYS_TO_1970) * 400).div_euclid(DAYS_IN_400_YEARS) + 1;
        while before_year(year) > number {
            year -= 1;
        }
        while before_year(year + 1) <= number {
            year += 1;
        }
        let mut day = number - before_year(year) + 1;
        let mut month = 1;
        while month < 12 && day > days_in_month(year, month) {
            day -= days_in_month(year, month);
            month += 1;
        }
        Day { number, year, month, day }
    }

    /// The same day for jiff; `None` outside its years, -9999 to 9999.
    pub(super) fn to_date(self) -> Option<Date> {
        let (year, month, day) = (self.year.try_into().ok()?, self.month.try_into().ok()?, self.day.try_into().ok()?);
        Date::new(year, month, day).ok()
    }

    pub(super) fn tomorrow(self) -> Day {
        if self.day < days_in_month(self.year, self.month) {
            return Day { number: self.number + 1, day: self.day + 1, ..self };
        }
        self.next_month()
    }

    /// The first day of the following month.
    pub(super) fn next_month(self) -> Day {
        let number = self.number + days_in_month(self.year, self.month) - self.day + 1;
        match self.month {
            12 => Day { number, year: self.year + 1, month: 1, day: 1 },
            month => Day { number, year: self.year, month: month + 1, day: 1 },
        }
    }

    /// Monday = 0.
    pub(super) fn weekday(self) -> i64 {
        // 1 January 1970 was a Thursday.
        (self.number + 3).rem_euclid(7)
    }

    /// The number of the first day of the week that this day is in.
    pub(super) fn week_begin(self, week_start: i64) -> i64 {
        self.number - (self.weekday() - week_start).rem_euclid(7)
    }

    /// 1 to 366.
    pub(super) fn of_year(self) -> i64 {
        self.number - before_year(self.year) + 1
    }

    pub(super) fn days_in_month(self) -> i64 {
        days_in_month(self.year, self.month)
    }

    pub(super) fn days_in_year(self) -> i64 {
        days_in_year(self.year)
    }

    /// The number of the day's week in its week-year, and how many weeks that year has.
    ///
    /// Week 1 is the first with at least four days in the year (RFC 5545 section 3.3.10, BYWEEKNO), so a week belongs
    /// to the year of its fourth day.
    pub(super) fn week(self, week_start: i64) -> (i64, i64) {
        let fourth = Day::from_number(self.week_begin(week_start) + 3);
        let week = (fourth.of_year() - 1) / 7 + 1;
        (week, week + (fourth.days_in_year() - fourth.of_year()) / 7)
    }
}

fn leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_year(year: i64) -> i64 {
    if leap(year) { 366 } else { 365 }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The number of the first day of a year.
pub(super) fn before_year(year: i64) -> i64 {
    let past = year - 1;
    past * 365 + past.div_euclid(4) - past.div_euclid(100) + past.div_euclid(400) - DAYS_TO_1970
}

fn before_month(year: i64, month: i64) -> i64 {
    (1..month).map(|month| days_in_month(year, month)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_jiff_on_every_day_of_four_hundred_years_and_at_the_ends() {
        for (first, last) in [(-9999, -9990), (-5, 5), (1899, 2301), (9990, 9999)] {
            agrees(Date::constant(first, 1, 1), Date::constant(last, 12, 31));
        }
        assert_eq!(Day::new(9999, 12, 31).tomorrow().to_date(), None);
        assert_eq!(Day::new(1970, 1, 1).number, 0);
    }

    fn agrees(mut date: Date, last: Date) {
        let mut day = Day::from_date(date);
        loop {
            assert_eq!(day, Day::from_date(date));
            assert_eq!(day, Day::from_number(day.number));
            assert_eq!(day.to_date(), Some(date));
            assert_eq!(day.weekday(), i64::from(date.weekday().to_monday_zero_offset()), "{date}");
            assert_eq!((day.of_year(), day.days_in_year()), (date.day_of_year().into(), date.days_in_year().into()));
            assert_eq!(day.days_in_month(), i64::from(date.days_in_month()));
            let iso = date.iso_week_date();
            assert_eq!(day.week(0), (iso.week().into(), iso.weeks_in_year().into()), "{date}");
            if date == last {
                break;
            }
            (date, day) = (date.tomorrow().unwrap(), day.tomorrow());
        }
    }
}
