//! The engine against a slow and obvious one, against the `rrule` crate, and against itself.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use domain::rrule::Rule;
use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Weekday, date};
use proptest::collection::btree_set;
use proptest::prelude::*;
use proptest::sample::select;

const DAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
const YEARS: i16 = 9;

/// A random rule, in the form that the slow engine below reads.
#[derive(Clone, Debug, Default)]
struct Spec {
    freq: &'static str,
    interval: i32,
    count: Option<usize>,
    until: Option<Date>,
    /// Monday = 0.
    week_start: i8,
    month: Vec<i16>,
    week_no: Vec<i16>,
    year_day: Vec<i16>,
    month_day: Vec<i16>,
    day: Vec<(i16, i8)>,
    hour: Vec<i16>,
    minute: Vec<i16>,
    set_pos: Vec<i16>,
}

impl Spec {
    fn text(&self) -> String {
        let mut text = format!("FREQ={};INTERVAL={}", self.freq, self.interval);
        self.count.inspect(|count| text += &format!(";COUNT={count}"));
        self.until.inspect(|until| text += &until.strftime(";UNTIL=%Y%m%dT235959Z").to_string());
        text += &format!(";WKST={}", DAYS[self.week_start as usize]);
        let lists = [
            ("BYMONTH", &self.month),
            ("BYWEEKNO", &self.week_no),
            ("BYYEARDAY", &self.year_day),
            ("BYMONTHDAY", &self.month_day),
            ("BYHOUR", &self.hour),
            ("BYMINUTE", &self.minute),
            ("BYSETPOS", &self.set_pos),
        ];
        for (name, list) in lists {
            let list: Vec<String> = list.iter().map(i16::to_string).collect();
            text += &if list.is_empty() { String::new() } else { format!(";{name}={}", list.join(",")) };
        }
        let code = |(nth, day): &(i16, i8)| match nth {
            0 => DAYS[*day as usize].to_owned(),
            nth => format!("{nth}{}", DAYS[*day as usize]),
        };
        let days: Vec<String> = self.day.iter().map(code).collect();
        text + &if days.is_empty() { String::new() } else { format!(";BYDAY={}", days.join(",")) }
    }

    fn plain(&self) -> bool {
        let lists = [&self.month, &self.week_no, &self.year_day, &self.month_day, &self.hour, &self.minute];
        lists.iter().all(|list| list.is_empty()) && self.day.is_empty()
    }
}

fn list(range: std::ops::RangeInclusive<i16>, from_end: bool, most: usize) -> BoxedStrategy<Vec<i16>> {
    let value = (range, any::<bool>()).prop_map(move |(n, negative)| if from_end && negative { -n } else { n });
    let list = btree_set(value, 1..=most).prop_map(|set| set.into_iter().collect());
    prop_oneof![2 => Just(vec![]), 1 => list].boxed()
}

fn days() -> impl Strategy<Value = Vec<(i16, i8)>> {
    let nth = prop_oneof![3 => Just(0), 2 => prop_oneof![-5i16..=-1, 1i16..=5], 1 => select(vec![-53, -20, 20, 53])];
    let list = btree_set((nth, 0i8..7), 1..5).prop_map(|set| set.into_iter().collect());
    prop_oneof![2 => Just(vec![]), 2 => list]
}

/// Rules that parse: what does not go together is left out.
fn specs() -> impl Strategy<Value = Spec> {
    let freq = select(vec!["HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"]);
    let interval = prop_oneof![4 => 1..=4, 1 => 5..=40];
    let end = prop_oneof![
        Just((None, None)),
        (1usize..60).prop_map(|count| (Some(count), None)),
        (0i32..2500).prop_map(|days| (None, Some(date(2024, 1, 1) + days.days()))),
    ];
    let dates = (list(1..=12, false, 4), list(1..=53, true, 4), list(1..=366, true, 6), list(1..=31, true, 5), days());
    let times = (list(0..=23, false, 3), list(0..=59, false, 2), list(1..=9, true, 3));
    (freq, interval, end, 0i8..7, dates, times).prop_map(|(freq, interval, end, week_start, dates, times)| {
        let (month, week_no, year_day, month_day, day) = dates;
        let (hour, minute, set_pos) = times;
        let (count, until) = end;
        let spec = Spec {
            freq,
            interval,
            count,
            until,
            week_start,
            month,
            week_no,
            year_day,
            month_day,
            day,
            ..Spec::default()
        };
        allowed(Spec { hour, minute, set_pos, ..spec })
    })
}

fn allowed(mut spec: Spec) -> Spec {
    if spec.freq != "YEARLY" {
        spec.week_no.clear();
    }
    if matches!(spec.freq, "DAILY" | "WEEKLY" | "MONTHLY") {
        spec.year_day.clear();
    }
    if spec.freq == "WEEKLY" {
        spec.month_day.clear();
    }
    if !matches!(spec.freq, "MONTHLY" | "YEARLY") || !spec.week_no.is_empty() {
        spec.day.iter_mut().for_each(|(nth, _)| *nth = 0);
        spec.day.sort();
        spec.day.dedup();
    }
    if spec.plain() {
        spec.set_pos.clear();
    }
    spec
}

fn starts() -> impl Strategy<Value = DateTime> {
    (0i32..1500, 0i8..24, 0i8..60)
        .prop_map(|(day, hour, minute)| (date(2022, 1, 1) + day.days()).at(hour, minute, 0, 0))
}

/// All occurrences in YEARS years from DTSTART's: every minute that could be one is put into its period.
fn slow(spec: &Spec, dtstart: DateTime) -> Vec<DateTime> {
    let mut periods: BTreeMap<i64, Vec<DateTime>> = BTreeMap::new();
    let first = date(dtstart.year(), 1, 1) - 7.days();
    for day in first.series(1.day()).take_while(|day| *day < window(dtstart).date() + 7.days()) {
        if slow_day(spec, dtstart, day) {
            for hour in 0..24i8 {
                let time = |minute| day.at(hour, minute, 0, 0);
                let key = key(spec, time(0)) - key(spec, dtstart);
                let hours = if spec.hour.is_empty() && spec.freq != "HOURLY" {
                    vec![dtstart.hour().into()]
                } else {
                    spec.hour.clone()
                };
                if key % i64::from(spec.interval) == 0 && in_list(&hours, hour.into()) {
                    let minutes =
                        if spec.minute.is_empty() { vec![dtstart.minute().into()] } else { spec.minute.clone() };
                    periods.entry(key).or_default().extend(minutes.iter().map(|minute| time(*minute as i8)));
                }
            }
        }
    }
    let chosen = periods.into_values().flat_map(|slots| chosen(spec, slots));
    let until = spec.until.map_or(DateTime::MAX, |until| until.at(23, 59, 59, 0));
    chosen
        .filter(|at| *at >= dtstart && *at <= until && *at < window(dtstart))
        .take(spec.count.unwrap_or(usize::MAX))
        .collect()
}

fn chosen(spec: &Spec, slots: Vec<DateTime>) -> Vec<DateTime> {
    let place = |i: usize| [i as i16 + 1, i as i16 - slots.len() as i16];
    let named = |i: usize| spec.set_pos.is_empty() || place(i).iter().any(|at| spec.set_pos.contains(at));
    slots.iter().enumerate().filter(|(i, _)| named(*i)).map(|(_, at)| *at).collect()
}

fn key(spec: &Spec, at: DateTime) -> i64 {
    let days = |date: Date| i64::from((date - date_zero()).get_days());
    match spec.freq {
        "YEARLY" => at.year().into(),
        "MONTHLY" => i64::from(at.year()) * 12 + i64::from(at.month()),
        "WEEKLY" => days(week_begin(at.date(), spec.week_start)).div_euclid(7),
        "DAILY" => days(at.date()),
        _ => days(at.date()) * 24 + i64::from(at.hour()),
    }
}

fn date_zero() -> Date {
    date(2000, 1, 1)
}

fn week_begin(mut day: Date, week_start: i8) -> Date {
    while day.weekday() != Weekday::from_monday_zero_offset(week_start).unwrap() {
        day = day.yesterday().unwrap();
    }
    day
}

fn in_list(list: &[i16], value: i16) -> bool {
    list.is_empty() || list.contains(&value)
}

/// Whether a list names the day, from the front or from the end.
fn named(list: &[i16], at: i16, length: i16) -> bool {
    in_list(list, at) || list.contains(&(at - length - 1))
}

fn slow_day(spec: &Spec, dtstart: DateTime, day: Date) -> bool {
    let no_day = spec.year_day.is_empty() && spec.month_day.is_empty() && spec.day.is_empty();
    let same_day = match spec.freq {
        _ if !no_day => true,
        "WEEKLY" => day.weekday() == dtstart.weekday(),
        "YEARLY" if !spec.week_no.is_empty() => day.weekday() == dtstart.weekday(),
        "YEARLY" | "MONTHLY" => {
            let last = if spec.plain() { day.days_in_month() } else { 31 };
            let same_month = day.month() == dtstart.month() || spec.freq == "MONTHLY" || !spec.month.is_empty();
            same_month && day.day() == dtstart.day().min(last)
        }
        _ => true,
    };
    same_day
        && in_list(&spec.month, day.month().into())
        && named(&spec.month_day, day.day().into(), day.days_in_month().into())
        && named(&spec.year_day, day.day_of_year(), day.days_in_year())
        && (spec.day.is_empty() || spec.day.iter().any(|by| slow_weekday(spec, day, *by)))
        && slow_week(spec, day)
}

fn slow_weekday(spec: &Spec, day: Date, (nth, weekday): (i16, i8)) -> bool {
    if day.weekday() != Weekday::from_monday_zero_offset(weekday).unwrap() {
        return false;
    }
    let in_month = spec.freq == "MONTHLY" || !spec.month.is_empty();
    let (first, last) =
        if in_month { (day.first_of_month(), day.last_of_month()) } else { (day.first_of_year(), day.last_of_year()) };
    let same: Vec<Date> =
        first.series(1.day()).take_while(|d| *d <= last).filter(|d| d.weekday() == day.weekday()).collect();
    let at = same.iter().position(|d| *d == day).unwrap() as i16;
    nth == 0 || nth == at + 1 || nth == at - same.len() as i16
}

/// Weeks of the year that has four or more of the week's days, counted one by one.
fn slow_week(spec: &Spec, day: Date) -> bool {
    if spec.week_no.is_empty() {
        return true;
    }
    let begin = week_begin(day, spec.week_start);
    let year = (begin + 3.days()).year();
    let mut week = week_begin(date(year, 1, 4), spec.week_start);
    let (mut at, mut weeks) = (0, 0);
    while (week + 3.days()).year() == year {
        weeks += 1;
        at = if week == begin { weeks } else { at };
        week += 7.days();
    }
    named(&spec.week_no, at, weeks)
}

fn window(dtstart: DateTime) -> DateTime {
    date(dtstart.year() + YEARS, 1, 1).at(0, 0, 0, 0)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_slow_engine(spec in specs(), dtstart in starts(), days in -100i32..3000, hours in 0i32..24) {
        let rule = Rule::parse(&spec.text()).unwrap();
        let expected = slow(&spec, dtstart);
        let listed = rule.between(dtstart, dtstart, window(dtstart), 10_000).unwrap();
        let most = expected.len().min(10_000);
        prop_assert_eq!(&listed, &expected[..most], "{}", rule);
        let after = dtstart + days.days() + hours.hours();
        let expected = expected.iter().copied().find(|at| *at > after);
        let next = rule.next(dtstart, after).ok().flatten().filter(|at| *at < window(dtstart));
        if after < window(dtstart) {
            prop_assert_eq!(next, expected, "{} after {}", rule, after);
        }
    }

    #[test]
    fn between_is_next_again_and_again(spec in specs(), dtstart in starts(), days in -100i32..9000) {
        let rule = Rule::parse(&spec.text()).unwrap();
        let from = dtstart + days.days();
        let listed = rule.between(dtstart, from, DateTime::MAX, 30);
        let mut after = from - 1.nanoseconds();
        for at in listed.iter().flatten() {
            let next = rule.next(dtstart, after);
            prop_assert!(next == Ok(Some(*at)) || (next.is_err() && spec.count.is_some()), "{rule} after {after}");
            prop_assert!(*at > after && *at >= dtstart);
            after = *at;
        }
        if let Ok(listed) = &listed && listed.len() < 30 {
            let next = rule.next(dtstart, after);
            prop_assert!(next == Ok(None) || (next.is_err() && spec.count.is_some()), "{rule} after {after}");
        }
    }

    #[test]
    fn reads_what_it_prints(spec in specs()) {
        let rule = Rule::parse(&spec.text()).unwrap();
        let printed = rule.to_string();
        prop_assert_eq!(&Rule::parse(&printed).unwrap(), &rule);
        prop_assert_eq!(Rule::parse(&printed.to_lowercase()).unwrap().to_string(), printed);
    }

    #[test]
    fn any_text_is_a_rule_or_an_error(text in "(FREQ=(DAILY|YEARLY|X)|[A-Z]{2,9}=[0-9MOTUWEZ,+-]{0,9}|;|\\PC){0,6}") {
        if let Ok(rule) = Rule::parse(&text) {
            prop_assert_eq!(Rule::parse(&rule.to_string()).unwrap(), rule);
        }
    }

    #[test]
    fn agrees_with_the_rrule_crate(spec in specs(), dtstart in starts()) {
        prop_assume!(reads_alike(&spec, dtstart));
        let Some(theirs) = theirs(&spec, dtstart) else {
            return Err(TestCaseError::reject("too much for the other crate"));
        };
        let rule = Rule::parse(&spec.text()).unwrap();
        let ours = rule.between(dtstart, dtstart, date(2050, 1, 1).at(0, 0, 0, 0), 60).unwrap_or_default();
        let ours: Vec<String> = ours.iter().map(|at| at.to_string()).collect();
        prop_assert_eq!(ours, theirs, "{} from {}", rule, dtstart);
    }
}

/// Whether the `rrule` crate means the same by a rule.
///
/// It skips short months without any BY part, yields whole weeks for a BYWEEKNO alone, does not count a neighbouring
/// year's week from the end, reads BYDAY=2MO,TU as Mondays and Tuesdays at once, and lets DTSTART cut the first week
/// before BYSETPOS counts.
fn reads_alike(spec: &Spec, dtstart: DateTime) -> bool {
    let no_day = spec.day.is_empty() && spec.month_day.is_empty() && spec.year_day.is_empty();
    let numbered = spec.day.iter().filter(|(nth, _)| *nth != 0).count();
    (!spec.plain() || dtstart.day() <= 28)
        && (spec.week_no.is_empty() || !no_day)
        && spec.week_no.iter().all(|week| *week > 0)
        && (numbered == 0 || numbered == spec.day.len())
        && (spec.freq != "WEEKLY" || spec.set_pos.is_empty())
}

/// The first 60 occurrences before 2050 by the `rrule` crate; `None` if it refuses the rule or gives up on it.
fn theirs(spec: &Spec, dtstart: DateTime) -> Option<Vec<String>> {
    let text = format!("DTSTART:{}\nRRULE:{}", dtstart.strftime("%Y%m%dT%H%M%SZ"), spec.text());
    let before = chrono::DateTime::from_timestamp(2_524_608_000 - 1, 0)?.with_timezone(&rrule::Tz::UTC);
    let found = text.parse::<rrule::RRuleSet>().ok()?.before(before).all(60);
    if found.limited && found.dates.len() < 60 {
        return None;
    }
    Some(found.dates.iter().map(|at| at.format("%Y-%m-%dT%H:%M:%S").to_string()).collect())
}
