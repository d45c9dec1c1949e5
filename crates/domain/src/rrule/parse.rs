//! From text to a rule: the grammar and the ranges of RFC 5545 section 3.3.10.

use std::ops::RangeInclusive;
use std::str::FromStr;

use jiff::civil::{Date, Time};

use super::print::WEEKDAYS;
use super::{ByDay, End, Freq, Parts, Rule, RuleError, Until, check};

/// The longest text that is looked at, in bytes.
const MAX_BYTES: usize = 500;
const MAX_INTERVAL: i64 = 1_000;
const MAX_COUNT: u32 = 100_000;
const FREQUENCIES: &str = "FREQ is HOURLY, DAILY, WEEKLY, MONTHLY or YEARLY";

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Rule, RuleError> {
        Rule::parse(text)
    }
}

impl Rule {
    /// Reads a rule such as `FREQ=WEEKLY;BYDAY=MO,FR`, or one of the words daily, weekly, monthly and yearly.
    ///
    /// Upper and lower case are the same, and `RRULE:` may come first. At most 500 bytes, INTERVAL 1 to 1,000, COUNT 1
    /// to 100,000, no part twice. Codes: `rule-syntax`, `rule-value`, `rule-combination`, `rule-too-frequent`.
    pub fn parse(text: &str) -> Result<Rule, RuleError> {
        if text.len() > MAX_BYTES {
            return Err(syntax(format!("a rule has at most {MAX_BYTES} characters")));
        }
        let text = text.trim().to_ascii_uppercase();
        let text = text.strip_prefix("RRULE:").unwrap_or(&text);
        let text = match text {
            "DAILY" | "WEEKLY" | "MONTHLY" | "YEARLY" => format!("FREQ={text}"),
            _ => text.to_owned(),
        };
        let rule = read(&text)?;
        check::combination(&rule)?;
        Ok(rule)
    }
}

fn read(text: &str) -> Result<Rule, RuleError> {
    let mut seen: Vec<&str> = Vec::new();
    let mut freq = None;
    let mut rule = Rule { freq: Freq::Daily, interval: 1, end: End::Never, week_start: 0, by: Parts::default() };
    for part in text.split(';') {
        let (name, value) = part
            .split_once('=')
            .ok_or_else(|| syntax(format!("{part:?} is not NAME=VALUE; a rule looks like FREQ=WEEKLY;BYDAY=MO,FR")))?;
        if seen.contains(&name) {
            return Err(syntax(format!("{name} comes twice; write it once")));
        }
        seen.push(name);
        match name {
            "FREQ" => freq = Some(frequency(value)?),
            _ => rule.set(name, value)?,
        }
    }
    if seen.contains(&"COUNT") && seen.contains(&"UNTIL") {
        return Err(RuleError::new("rule-combination", "COUNT and UNTIL exclude each other; keep one of them"));
    }
    rule.freq = freq.ok_or_else(|| syntax(format!("FREQ is missing; {FREQUENCIES}")))?;
    Ok(rule)
}

fn frequency(value: &str) -> Result<Freq, RuleError> {
    match value {
        "HOURLY" => Ok(Freq::Hourly),
        "DAILY" => Ok(Freq::Daily),
        "WEEKLY" => Ok(Freq::Weekly),
        "MONTHLY" => Ok(Freq::Monthly),
        "YEARLY" => Ok(Freq::Yearly),
        "MINUTELY" | "SECONDLY" => {
            Err(RuleError::new("rule-too-frequent", format!("a series needs an hour: {FREQUENCIES}")))
        }
        _ => Err(wrong("FREQ", value, FREQUENCIES)),
    }
}

impl Rule {
    fn set(&mut self, name: &str, value: &str) -> Result<(), RuleError> {
        match name {
            "INTERVAL" => {
                let interval = digits(value).map(i64::from).filter(|n| (1..=MAX_INTERVAL).contains(n));
                self.interval = interval.ok_or_else(|| wrong(name, value, "use 1 to 1000"))?;
            }
            "COUNT" => {
                let count = digits(value).filter(|n| (1..=MAX_COUNT).contains(n));
                self.end = End::Count(count.ok_or_else(|| wrong(name, value, "use 1 to 100000"))?);
            }
            "UNTIL" => {
                let allowed = "use a date like 20261231, a local time like 20261231T090000, or UTC with a Z behind it";
                self.end = End::Until(until(value).ok_or_else(|| wrong(name, value, allowed))?);
            }
            "WKST" => {
                self.week_start =
                    weekday(value).ok_or_else(|| wrong(name, value, "use MO, TU, WE, TH, FR, SA or SU"))?;
            }
            "BYDAY" => self.by.day = sorted(value, by_day)?,
            _ => self.set_numbers(name, value)?,
        }
        Ok(())
    }

    /// The parts that are lists of numbers: where each goes, its range, and whether it may count from the end.
    fn set_numbers(&mut self, name: &str, value: &str) -> Result<(), RuleError> {
        let by = &mut self.by;
        let (list, range, from_end) = match name {
            "BYMONTH" => (&mut by.month, 1..=12, false),
            "BYWEEKNO" => (&mut by.week_no, 1..=53, true),
            "BYYEARDAY" => (&mut by.year_day, 1..=366, true),
            "BYMONTHDAY" => (&mut by.month_day, 1..=31, true),
            "BYHOUR" => (&mut by.hour, 0..=23, false),
            "BYMINUTE" => (&mut by.minute, 0..=59, false),
            "BYSECOND" => (&mut by.second, 0..=60, false),
            "BYSETPOS" => (&mut by.set_pos, 1..=366, true),
            _ => return Err(unknown(name)),
        };
        *list = sorted(value, |item| by_number(name, item, &range, from_end))?;
        Ok(())
    }
}

fn sorted<T: Ord>(value: &str, read: impl Fn(&str) -> Result<T, RuleError>) -> Result<Vec<T>, RuleError> {
    let mut list = value.split(',').map(read).collect::<Result<Vec<T>, RuleError>>()?;
    list.sort_unstable();
    list.dedup();
    Ok(list)
}

/// A leap second becomes the second before it (RFC 5545 section 3.3.12).
fn by_number(name: &str, item: &str, range: &RangeInclusive<i16>, from_end: bool) -> Result<i16, RuleError> {
    let number = if from_end { signed(item) } else { digits(item).and_then(|n| i16::try_from(n).ok()) };
    let allowed = |n: &i16| range.contains(n) || (from_end && range.contains(&n.saturating_neg()));
    match number.filter(allowed) {
        Some(60) if name == "BYSECOND" => Ok(59),
        Some(number) => Ok(number),
        None => {
            let (first, last) = (range.start(), range.end());
            let end = if from_end { format!(", or -{last} to -{first} from the end") } else { String::new() };
            Err(wrong(name, item, &format!("use {first} to {last}{end}")))
        }
    }
}

fn by_day(item: &str) -> Result<ByDay, RuleError> {
    let read = || {
        let (nth, code) = item.split_at_checked(item.len().checked_sub(2)?)?;
        let nth = if nth.is_empty() { 0 } else { signed(nth).filter(|n| (1..=53).contains(&n.abs()))? };
        Some(ByDay { weekday: weekday(code)?, nth: nth.into() })
    };
    let allowed = "use MO, TU, WE, TH, FR, SA or SU, with 1 to 53 or -53 to -1 before it for the nth";
    read().ok_or_else(|| wrong("BYDAY", item, allowed))
}

fn weekday(code: &str) -> Option<i64> {
    WEEKDAYS.iter().position(|name| *name == code).and_then(|at| i64::try_from(at).ok())
}

/// One to six digits and nothing else.
fn digits(text: &str) -> Option<u32> {
    let plain = (1..=6).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// One to three digits, with or without a sign.
fn signed(text: &str) -> Option<i16> {
    let (sign, number) = match text.strip_prefix('-') {
        Some(number) => (-1, number),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let number = digits(number).filter(|_| number.len() <= 3)?;
    i16::try_from(number).ok().map(|number| sign * number)
}

/// `yyyymmdd`, or that with `Thhmmss` behind it, or also `Z`.
fn until(text: &str) -> Option<Until> {
    let Some((date, time)) = text.split_once('T') else {
        return Some(Until::Date(read_date(text)?));
    };
    let (time, utc) = time.strip_suffix('Z').map_or((time, false), |time| (time, true));
    let [hour, minute, second] = fields(time, [2, 2, 2])?;
    let time = Time::new(hour.try_into().ok()?, minute.try_into().ok()?, second.min(59).try_into().ok()?, 0);
    let at = read_date(date)?.to_datetime(time.ok().filter(|_| second <= 60)?);
    Some(if utc { Until::Utc(at) } else { Until::Local(at) })
}

fn read_date(text: &str) -> Option<Date> {
    let [year, month, day] = fields(text, [4, 2, 2])?;
    Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok()
}

/// Numbers of fixed width that fill the text.
fn fields(mut text: &str, widths: [usize; 3]) -> Option<[i16; 3]> {
    let mut numbers = [0; 3];
    for (number, width) in numbers.iter_mut().zip(widths) {
        let (field, rest) = text.split_at_checked(width)?;
        *number = digits(field).and_then(|n| i16::try_from(n).ok())?;
        text = rest;
    }
    text.is_empty().then_some(numbers)
}

fn syntax(message: String) -> RuleError {
    RuleError::new("rule-syntax", message)
}

fn wrong(name: &str, value: &str, allowed: &str) -> RuleError {
    RuleError::new("rule-value", format!("{name}: {value:?} is not allowed; {allowed}"))
}

fn unknown(name: &str) -> RuleError {
    let known = "FREQ, INTERVAL, COUNT, UNTIL, WKST, BYMONTH, BYWEEKNO, BYYEARDAY, BYMONTHDAY, BYDAY, BYHOUR, \
                 BYMINUTE, BYSECOND and BYSETPOS";
    syntax(format!("{name:?} is no part of a rule; the parts are {known}"))
}
