//! The examples of RFC 5545 section 3.8.5.3, and what the RFC leaves to us.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use domain::rrule::Rule;
use domain::zone::zone;
use jiff::civil::DateTime;

/// Reads `1997-09-02`, at 09:00, or `1997-09-02T12:20`; a day without its year or month takes those before it.
fn times(text: &str) -> Vec<DateTime> {
    let (mut year, mut month) = (String::new(), String::new());
    let read = |word: &str| {
        let (date, time) = word.split_once('T').unwrap_or((word, "09:00"));
        let mut parts: Vec<&str> = date.split('-').collect();
        let day = parts.pop().unwrap();
        month = parts.pop().map_or(month.clone(), str::to_owned);
        year = parts.pop().map_or(year.clone(), str::to_owned);
        format!("{year}-{month}-{day}T{time}:00").parse().unwrap_or_else(|e| panic!("{word}: {e}"))
    };
    text.split_whitespace().map(read).collect()
}

fn list(rule: &str, dtstart: DateTime, limit: usize) -> Vec<DateTime> {
    let rule = Rule::parse(rule).unwrap_or_else(|e| panic!("{rule}: {e}"));
    let rule = rule.until_in(&zone("America/New_York").unwrap());
    rule.between(dtstart, dtstart, DateTime::MAX, limit).unwrap()
}

/// Each with DTSTART, rule and occurrences; `…` at the end means that it goes on.
const EXAMPLES: &[(&str, &str, &str)] = &[
    ("1997-09-02", "FREQ=DAILY;COUNT=10", "1997-09-02 03 04 05 06 07 08 09 10 11"),
    ("1997-09-02", "FREQ=DAILY;INTERVAL=2", "1997-09-02 04 06 08 10 12 14 16 18 20 22 24 26 28 30 10-02 …"),
    ("1997-09-02", "FREQ=DAILY;INTERVAL=10;COUNT=5", "1997-09-02 12 22 10-02 12"),
    ("1997-09-02", "FREQ=WEEKLY;COUNT=10", "1997-09-02 09 16 23 30 10-07 14 21 28 11-04"),
    (
        "1997-09-02",
        "FREQ=WEEKLY;UNTIL=19971224T000000Z",
        "1997-09-02 09 16 23 30 10-07 14 21 28 11-04 11 18 25 12-02 09 16 23",
    ),
    (
        "1997-09-02",
        "FREQ=WEEKLY;INTERVAL=2;WKST=SU",
        "1997-09-02 16 30 10-14 28 11-11 25 12-09 23 1998-01-06 20 02-03 17 …",
    ),
    (
        "1997-09-02",
        "FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH",
        "1997-09-02 04 09 11 16 18 23 25 30 10-02",
    ),
    ("1997-09-02", "FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH", "1997-09-02 04 09 11 16 18 23 25 30 10-02"),
    (
        "1997-09-01",
        "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR",
        "1997-09-01 03 05 15 17 19 29 10-01 03 13 15 17 27 29 31 11-10 12 14 24 26 28 12-08 10 12 22",
    ),
    ("1997-09-02", "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH", "1997-09-02 04 16 18 30 10-02 14 16"),
    (
        "1997-09-05",
        "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
        "1997-09-05 10-03 11-07 12-05 1998-01-02 02-06 03-06 04-03 05-01 06-05",
    ),
    ("1997-09-05", "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR", "1997-09-05 10-03 11-07 12-05"),
    (
        "1997-09-07",
        "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
        "1997-09-07 28 11-02 30 1998-01-04 25 03-01 29 05-03 31",
    ),
    ("1997-09-22", "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO", "1997-09-22 10-20 11-17 12-22 1998-01-19 02-16"),
    ("1997-09-28", "FREQ=MONTHLY;BYMONTHDAY=-3", "1997-09-28 10-29 11-28 12-29 1998-01-29 02-26 …"),
    ("1997-09-02", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15", "1997-09-02 15 10-02 15 11-02 15 12-02 15 1998-01-02 15"),
    (
        "1997-09-30",
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
        "1997-09-30 10-01 31 11-01 30 12-01 31 1998-01-01 31 02-01",
    ),
    (
        "1997-09-10",
        "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
        "1997-09-10 11 12 13 14 15 1999-03-10 11 12 13",
    ),
    (
        "1997-09-02",
        "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU",
        "1997-09-02 09 16 23 30 11-04 11 18 25 1998-01-06 13 20 27 03-03 10 17 24 31 …",
    ),
    (
        "1997-06-10",
        "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
        "1997-06-10 07-10 1998-06-10 07-10 1999-06-10 07-10 2000-06-10 07-10 2001-06-10 07-10",
    ),
    (
        "1997-03-10",
        "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
        "1997-03-10 1999-01-10 02-10 03-10 2001-01-10 02-10 03-10 2003-01-10 02-10 03-10",
    ),
    (
        "1997-01-01",
        "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
        "1997-01-01 04-10 07-19 2000-01-01 04-09 07-18 2003-01-01 04-10 07-19 2006-01-01",
    ),
    ("1997-05-19", "FREQ=YEARLY;BYDAY=20MO", "1997-05-19 1998-05-18 1999-05-17 …"),
    ("1997-05-12", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "1997-05-12 1998-05-11 1999-05-17 …"),
    ("1997-03-13", "FREQ=YEARLY;BYMONTH=3;BYDAY=TH", "1997-03-13 20 27 1998-03-05 12 19 26 1999-03-04 11 18 25 …"),
    (
        "1997-06-05",
        "FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8",
        "1997-06-05 12 19 26 07-03 10 17 24 31 08-07 14 21 28 1998-06-04 11 18 25 07-02 09 16 23 30 08-06 13 20 27 …",
    ),
    // The RFC excludes DTSTART by EXDATE; here it is none, since the rule does not yield it.
    ("1997-09-02", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "1998-02-13 03-13 11-13 1999-08-13 2000-10-13 …"),
    (
        "1997-09-13",
        "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
        "1997-09-13 10-11 11-08 12-13 1998-01-10 02-07 03-07 04-11 05-09 06-13 …",
    ),
    (
        "1996-11-05",
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
        "1996-11-05 2000-11-07 2004-11-02 …",
    ),
    ("1997-09-04", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "1997-09-04 10-07 11-06"),
    (
        "1997-09-29",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
        "1997-09-29 10-30 11-27 12-30 1998-01-29 02-26 03-30 …",
    ),
    // With the time of erratum 3883.
    ("1997-09-02", "FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T210000Z", "1997-09-02T09:00 02T12:00 02T15:00"),
    (
        "1997-09-02",
        "FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40",
        "1997-09-02T09:00 02T09:20 02T09:40 02T10:00 02T10:20 02T10:40 02T11:00 02T11:20 02T11:40 02T12:00 02T12:20 \
         02T12:40 02T13:00 02T13:20 02T13:40 02T14:00 02T14:20 02T14:40 02T15:00 02T15:20 02T15:40 02T16:00 02T16:20 \
         02T16:40 03T09:00 …",
    ),
    ("1997-08-05", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "1997-08-05 10 19 24"),
    ("1997-08-05", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "1997-08-05 17 19 31"),
    ("2007-01-15", "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "2007-01-15 30 02-15 03-15 30"),
];

/// What the RFC leaves open, or what we do differently on purpose.
const OURS: &[(&str, &str, &str)] = &[
    // Without a BY part the last days of a month move to the end of shorter ones, counted from the anchor.
    ("2026-01-31", "monthly", "2026-01-31 02-28 03-31 04-30 05-31 …"),
    ("2028-01-30", "FREQ=MONTHLY;INTERVAL=1;COUNT=3", "2028-01-30 02-29 03-30"),
    ("2024-02-29", "yearly", "2024-02-29 2025-02-28 2026-02-28 2027-02-28 2028-02-29 …"),
    ("2026-01-31", "FREQ=MONTHLY;INTERVAL=13", "2026-01-31 2027-02-28 2028-03-31 …"),
    // With one they are skipped, as the RFC says.
    ("2026-01-31", "FREQ=MONTHLY;BYMONTHDAY=31", "2026-01-31 03-31 05-31 07-31 08-31 …"),
    ("2026-01-31", "FREQ=MONTHLY;BYHOUR=9", "2026-01-31 03-31 05-31 …"),
    ("2024-02-29", "FREQ=YEARLY;BYMONTH=2", "2024-02-29 2028-02-29 2032-02-29 …"),
    // The day within a named week comes from DTSTART; weeks 53 exist only in long years.
    ("2026-01-01", "FREQ=YEARLY;BYWEEKNO=53", "2026-12-31 2032-12-30 2037-12-31 …"),
    ("2026-01-01", "FREQ=YEARLY;BYWEEKNO=-1;BYDAY=TH", "2026-12-31 2027-12-30 2028-12-28 …"),
    ("2026-01-05", "FREQ=YEARLY;BYMONTHDAY=5", "2026-01-05 02-05 03-05 …"),
    ("2026-01-01", "FREQ=YEARLY;BYYEARDAY=-1", "2026-12-31 2027-12-31 2028-12-31 …"),
    ("2026-01-01", "FREQ=YEARLY;BYYEARDAY=366", "2028-12-31 2032-12-31 …"),
    // BYSETPOS counts within the whole period, also within the part of it before DTSTART.
    ("2026-01-14", "FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=1", "2026-01-19 26 02-02 …"),
    ("2026-01-14", "FREQ=MONTHLY;BYDAY=FR;BYSETPOS=1,1,-1,-4,5", "2026-01-30 02-06 27 03-06 27 04-03 24 05-01 08 …"),
    // A leap second is the second before it; DTSTART counts as an occurrence only if the rule yields it.
    ("2026-01-02", "FREQ=WEEKLY;BYDAY=MO;COUNT=2", "2026-01-05 12"),
    ("2026-01-01", "FREQ=DAILY;UNTIL=20260103", "2026-01-01 02 03"),
    ("2026-01-01", "FREQ=DAILY;UNTIL=20260103T085959", "2026-01-01 02"),
    ("2026-01-01", "FREQ=DAILY;UNTIL=20260103T090000", "2026-01-01 02 03"),
    ("2026-01-01", "FREQ=DAILY;UNTIL=20251231", ""),
    ("2026-01-01", "FREQ=HOURLY;INTERVAL=23;BYDAY=FR", "2026-01-02T08:00 2026-01-09T01:00 2026-01-16T17:00 …"),
    ("2026-01-31", "FREQ=HOURLY;BYMONTH=3;BYHOUR=23;BYMINUTE=5,50", "2026-03-01T23:05 01T23:50 02T23:05 …"),
    ("9999-12-30", "daily", "9999-12-30 31"),
];

fn check(examples: &[(&str, &str, &str)]) {
    for (dtstart, rule, expected) in examples {
        let dtstart = times(dtstart)[0];
        let (expected, open) = match expected.strip_suffix('…') {
            Some(expected) => (times(expected), true),
            None => (times(expected), false),
        };
        let limit = expected.len() + usize::from(!open);
        assert_eq!(list(rule, dtstart, limit), expected, "{rule}");
    }
}

#[test]
fn the_examples_of_the_rfc() {
    check(EXAMPLES);
}

#[test]
fn where_the_rfc_leaves_a_choice() {
    check(OURS);
}

#[test]
fn long_examples_of_the_rfc() {
    let start = |text: &str| times(text)[0];
    let daily = list("FREQ=DAILY;UNTIL=19971224T000000Z", start("1997-09-02"), 1000);
    assert_eq!((daily.len(), daily.last()), (113, Some(&start("1997-12-23"))));
    let january = list("FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1", start("1998-01-01"), 1000);
    assert_eq!((january.len(), january.last()), (93, Some(&start("2000-01-31"))));
    let same = "FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA";
    assert_eq!(list(same, start("1998-01-01"), 1000), january);
}

#[test]
fn next_is_strictly_after_and_drops_fractions() {
    let rule = Rule::parse("daily").unwrap();
    let next = |dtstart: &str, after: &str| {
        rule.next(dtstart.parse().unwrap(), after.parse().unwrap()).unwrap().map(|at| at.to_string())
    };
    assert_eq!(next("2026-01-01T09:00", "2026-01-01T08:59:59.999999999").as_deref(), Some("2026-01-01T09:00:00"));
    assert_eq!(next("2026-01-01T09:00", "2026-01-01T09:00").as_deref(), Some("2026-01-02T09:00:00"));
    assert_eq!(next("2026-01-01T09:00", "2026-01-01T09:00:00.000000001").as_deref(), Some("2026-01-02T09:00:00"));
    assert_eq!(next("2026-01-01T09:00:00.5", "2025-01-01T09:00").as_deref(), Some("2026-01-01T09:00:00"));
    assert_eq!(next("2026-01-01T09:00", "9999-12-31T09:00"), None);
    assert_eq!(rule.next("2026-01-01T09:00".parse().unwrap(), DateTime::MAX), Ok(None));
    assert_eq!(rule.next(DateTime::MIN, DateTime::MIN).unwrap().unwrap().to_string(), "-009999-01-02T00:00:00");
}

#[test]
fn an_until_in_utc_is_read_in_the_zone_of_the_series() {
    let rule = Rule::parse("FREQ=DAILY;UNTIL=20260310T120000Z").unwrap();
    let here = |name: &str| rule.until_in(&zone(name).unwrap()).to_string();
    assert_eq!(here("America/New_York"), "FREQ=DAILY;UNTIL=20260310T080000");
    assert_eq!(here("Asia/Tokyo"), "FREQ=DAILY;UNTIL=20260310T210000");
    let local = Rule::parse("FREQ=DAILY;UNTIL=20260310T120000").unwrap();
    assert_eq!(local.until_in(&zone("Asia/Tokyo").unwrap()), local);
}
