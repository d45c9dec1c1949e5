//! Which occurrence of a series comes next: what is past is counted and left out.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use domain::rrule::Rule;
use domain::series::{ALL_DAY, Next, next_occurrence};
use domain::zone::{to_utc, zone};
use jiff::civil::DateTime;
use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;

struct Case {
    rule: &'static str,
    dtstart: &'static str,
    zone: &'static str,
    cursor: &'static str,
    all_day: bool,
    now: &'static str,
}

/// A weekly series on Mondays at nine in New York.
const MONDAYS: Case = Case {
    rule: "FREQ=WEEKLY;BYDAY=MO",
    dtstart: "2026-03-02T09:00",
    zone: "America/New_York",
    cursor: "2026-03-02T09:00",
    all_day: false,
    now: "2026-03-02T15:00:00Z",
};

/// Local time, instant and number of skipped occurrences; or `ended`.
fn next(case: &Case) -> String {
    let rule = Rule::parse(case.rule).unwrap();
    let (dtstart, cursor): (DateTime, DateTime) = (case.dtstart.parse().unwrap(), case.cursor.parse().unwrap());
    let zone = zone(case.zone).unwrap();
    match next_occurrence(&rule, dtstart, &zone, cursor, case.all_day, case.now.parse().unwrap()).unwrap() {
        Next::At { local, due, skipped } => format!("{local} {due} {skipped}"),
        Next::Ended => "ended".to_owned(),
    }
}

#[test]
fn the_next_one_keeps_its_local_time_when_the_clocks_change() {
    assert_eq!(next(&MONDAYS), "2026-03-09T09:00:00 2026-03-09T13:00:00Z 0");
    let winter = Case { cursor: "2026-10-26T09:00", now: "2026-10-26T13:00:00Z", ..MONDAYS };
    assert_eq!(next(&winter), "2026-11-02T09:00:00 2026-11-02T14:00:00Z 0");
    let gap = Case { rule: "daily", dtstart: "2026-03-07T02:30", cursor: "2026-03-07T02:30", ..MONDAYS };
    assert_eq!(next(&gap), "2026-03-08T02:30:00 2026-03-08T07:30:00Z 0");
}

#[test]
fn past_ones_are_skipped_and_counted() {
    assert_eq!(next(&Case { now: "2026-03-30T12:59:59Z", ..MONDAYS }), "2026-03-30T09:00:00 2026-03-30T13:00:00Z 3");
    assert_eq!(next(&Case { now: "2026-03-30T13:00:00Z", ..MONDAYS }), "2026-03-30T09:00:00 2026-03-30T13:00:00Z 3");
    assert_eq!(
        next(&Case { now: "2026-03-30T13:00:00.000001Z", ..MONDAYS }),
        "2026-04-06T09:00:00 2026-04-06T13:00:00Z 4"
    );
    let early = Case { cursor: "2026-06-01T09:00", ..MONDAYS };
    assert_eq!(next(&early), "2026-06-08T09:00:00 2026-06-08T13:00:00Z 0");
}

#[test]
fn an_all_day_one_lasts_until_its_day_is_over_in_the_zone() {
    let days =
        Case { rule: "daily", dtstart: "2026-03-01T00:00", cursor: "2026-03-01T00:00", all_day: true, ..MONDAYS };
    // 23:59 and 00:00 in New York.
    assert_eq!(next(&Case { now: "2026-03-06T04:59:59Z", ..days }), "2026-03-05T00:00:00 2026-03-05T14:00:00Z 3");
    assert_eq!(next(&Case { now: "2026-03-06T05:00:00Z", ..days }), "2026-03-06T00:00:00 2026-03-06T14:00:00Z 4");
    assert_eq!(ALL_DAY.hour(), 9);
}

#[test]
fn a_series_ends() {
    assert_eq!(
        next(&Case { rule: "FREQ=WEEKLY;COUNT=3", now: "2026-03-16T13:00:00Z", ..MONDAYS }).split(' ').next(),
        Some("2026-03-16T09:00:00")
    );
    assert_eq!(next(&Case { rule: "FREQ=WEEKLY;COUNT=3", now: "2026-03-16T13:00:01Z", ..MONDAYS }), "ended");
    assert_eq!(next(&Case { rule: "FREQ=WEEKLY;COUNT=1", ..MONDAYS }), "ended");
    // 13:00 UTC is 09:00 in New York once the clocks have changed.
    let until = |rule| next(&Case { rule, ..MONDAYS });
    assert_eq!(until("FREQ=WEEKLY;UNTIL=20260309T130000Z"), "2026-03-09T09:00:00 2026-03-09T13:00:00Z 0");
    assert_eq!(until("FREQ=WEEKLY;UNTIL=20260309T125959Z"), "ended");
}

#[test]
fn a_long_sleep_is_not_walked_through() {
    let hours = Case { rule: "FREQ=HOURLY", dtstart: "1990-01-01T00:00", cursor: "1990-01-01T00:00", ..MONDAYS };
    assert_eq!(next(&hours), "2026-03-02T10:00:00 2026-03-02T15:00:00Z 10000");
    // Counted exactly up to 9,999; from 10,000 on the number means "or more".
    let year = Case { dtstart: "2025-01-01T00:00", cursor: "2025-01-01T00:00", zone: "UTC", ..hours };
    assert_eq!(next(&Case { now: "2026-02-21T16:00:00Z", ..year }), "2026-02-21T16:00:00 2026-02-21T16:00:00Z 9999");
    assert_eq!(next(&Case { now: "2026-02-21T17:00:00Z", ..year }), "2026-02-21T17:00:00 2026-02-21T17:00:00Z 10000");
    assert_eq!(next(&Case { now: "2026-02-21T18:00:00Z", ..year }), "2026-02-21T18:00:00 2026-02-21T18:00:00Z 10000");
    let begun = Instant::now();
    let ages = Case { dtstart: "0001-01-01T00:00", cursor: "0001-01-01T00:00", now: "9999-01-01T00:00:00Z", ..year };
    assert_eq!(next(&ages), "9999-01-01T00:00:00 9999-01-01T00:00:00Z 10000");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let ended = Case { rule: "FREQ=HOURLY;COUNT=20000", now: "2030-01-01T00:00:00Z", ..year };
    assert_eq!(next(&ended), "ended");
}

/// A local time in a gap is an instant after that of later local times.
#[test]
fn what_is_past_by_the_clock_may_be_still_to_come() {
    let gap = Case { rule: "FREQ=HOURLY", dtstart: "2026-03-08T01:30", cursor: "2026-03-08T01:30", ..MONDAYS };
    assert_eq!(next(&Case { now: "2026-03-08T07:20:00Z", ..gap }), "2026-03-08T02:30:00 2026-03-08T07:30:00Z 0");
    let apia = Case { zone: "Pacific/Apia", cursor: "2011-12-29T12:00", dtstart: "2005-12-29T12:00", ..gap };
    assert_eq!(next(&Case { now: "2011-12-30T12:00:00Z", ..apia }).split(' ').next(), Some("2011-12-30T02:00:00"));
    let far = Case { cursor: "2005-12-29T12:00", ..apia };
    assert_eq!(next(&Case { now: "2011-12-30T12:00:00Z", ..far }), "2011-12-30T02:00:00 2011-12-30T12:00:00Z 10000");
}

proptest! {
    #[test]
    fn never_past_and_none_left_out(
        (hours, days, cursor) in (1i64..40, 0i64..800, 0i64..400),
        all_day: bool,
        place in 0usize..4,
    ) {
        let zone = zone(["UTC", "America/New_York", "Australia/Lord_Howe", "Pacific/Kiritimati"][place]).unwrap();
        let dtstart: DateTime = "2025-01-01T02:15".parse().unwrap();
        let rule = Rule::parse(&format!("FREQ=HOURLY;INTERVAL={hours}")).unwrap();
        let now: Timestamp = "2025-01-01T00:00:00Z".parse::<Timestamp>().unwrap() + (days * 25).hours();
        let cursor = dtstart + cursor.days();
        let next = next_occurrence(&rule, dtstart, &zone, cursor, all_day, now).unwrap();
        let Next::At { local, due, skipped } = next else { return Err(TestCaseError::fail("ended")) };
        let today = zone.to_datetime(now).date();
        let past = |at: DateTime| if all_day { at.date() < today } else { to_utc(at, &zone) < now };
        let before = rule.between(dtstart, cursor + 1.nanoseconds(), local, 10_000).unwrap();
        prop_assert!(!past(local) && local > cursor && before.iter().all(|at| past(*at)));
        prop_assert_eq!(before.len() as u32, skipped);
        prop_assert!(all_day || due >= now);
    }
}
