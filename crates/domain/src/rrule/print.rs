//! The canonical text of a rule: upper case, parts in a fixed order, defaults left out.

use std::fmt::{self, Display, Formatter};

use jiff::civil::{Date, DateTime};

use super::{ByDay, End, Freq, Rule, Until};

/// The codes of the weekdays, from Monday.
pub(super) const WEEKDAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

impl Display for Rule {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "FREQ={}", self.freq)?;
        if self.interval > 1 {
            write!(f, ";INTERVAL={}", self.interval)?;
        }
        match self.end {
            End::Never => {}
            End::Count(count) => write!(f, ";COUNT={count}")?,
            End::Until(until) => write!(f, ";UNTIL={until}")?,
        }
        if self.week_start != 0 {
            write!(f, ";WKST={}", weekday(self.week_start))?;
        }
        list(f, "BYMONTH", &self.by.month)?;
        list(f, "BYWEEKNO", &self.by.week_no)?;
        list(f, "BYYEARDAY", &self.by.year_day)?;
        list(f, "BYMONTHDAY", &self.by.month_day)?;
        list(f, "BYDAY", &self.by.day)?;
        list(f, "BYHOUR", &self.by.hour)?;
        list(f, "BYMINUTE", &self.by.minute)?;
        list(f, "BYSECOND", &self.by.second)?;
        list(f, "BYSETPOS", &self.by.set_pos)
    }
}

fn list<T: Display>(f: &mut Formatter<'_>, name: &str, values: &[T]) -> fmt::Result {
    for (i, value) in values.iter().enumerate() {
        if i == 0 {
            write!(f, ";{name}={value}")?;
        } else {
            write!(f, ",{value}")?;
        }
    }
    Ok(())
}

fn weekday(number: i64) -> &'static str {
    usize::try_from(number).ok().and_then(|number| WEEKDAYS.get(number)).copied().unwrap_or("MO")
}

impl Display for Freq {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Freq::Hourly => "HOURLY",
            Freq::Daily => "DAILY",
            Freq::Weekly => "WEEKLY",
            Freq::Monthly => "MONTHLY",
            Freq::Yearly => "YEARLY",
        })
    }
}

impl Display for ByDay {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.nth {
            0 => f.write_str(weekday(self.weekday)),
            nth => write!(f, "{nth}{}", weekday(self.weekday)),
        }
    }
}

impl Display for Until {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Until::Date(date) => write_date(f, *date),
            Until::Local(at) => write_time(f, *at),
            Until::Utc(at) => write_time(f, *at).and_then(|()| f.write_str("Z")),
        }
    }
}

fn write_date(f: &mut Formatter<'_>, date: Date) -> fmt::Result {
    write!(f, "{:04}{:02}{:02}", date.year(), date.month(), date.day())
}

fn write_time(f: &mut Formatter<'_>, at: DateTime) -> fmt::Result {
    write_date(f, at.date())?;
    write!(f, "T{:02}{:02}{:02}", at.hour(), at.minute(), at.second())
}
