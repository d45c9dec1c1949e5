//! Which texts are rules, what the canonical text is, and what hostile rules cost.

use std::time::{Duration, Instant};

use domain::rrule::Rule;
use jiff::civil::{DateTime, date};

const REFUSED: &[(&str, &str, &str)] = &[
    ("", "rule-syntax", "NAME=VALUE"),
    ("fortnightly", "rule-syntax", "NAME=VALUE"),
    ("RRULE:", "rule-syntax", "NAME=VALUE"),
    ("RRULE:RRULE:FREQ=DAILY", "rule-syntax", "RRULE:FREQ"),
    ("FREQ=DAILY;", "rule-syntax", "NAME=VALUE"),
    (";FREQ=DAILY", "rule-syntax", "NAME=VALUE"),
    ("FREQ", "rule-syntax", "NAME=VALUE"),
    ("INTERVAL=2", "rule-syntax", "FREQ is missing"),
    ("FREQ=DAILY;FREQ=DAILY", "rule-syntax", "FREQ comes twice"),
    ("FREQ=DAILY;byhour=1;BYHOUR=2", "rule-syntax", "BYHOUR comes twice"),
    ("FREQ=DAILY;RSCALE=GREGORIAN", "rule-syntax", "RSCALE"),
    ("FREQ=DAILY;BYEASTER=1", "rule-syntax", "BYEASTER"),
    ("FREQ=DAILY\nDTSTART:20260101", "rule-value", "FREQ"),
    ("FREQ=DAILY; INTERVAL=2", "rule-syntax", "INTERVAL"),
    ("FREQ=", "rule-value", "FREQ"),
    ("FREQ=FORTNIGHTLY", "rule-value", "HOURLY, DAILY"),
    ("FREQ=MINUTELY", "rule-too-frequent", "a series needs an hour"),
    ("FREQ=SECONDLY;INTERVAL=1000", "rule-too-frequent", "a series needs an hour"),
    ("FREQ=DAILY;INTERVAL=0", "rule-value", "1 to 1000"),
    ("FREQ=DAILY;INTERVAL=1001", "rule-value", "1 to 1000"),
    ("FREQ=DAILY;INTERVAL=+1", "rule-value", "INTERVAL"),
    ("FREQ=DAILY;INTERVAL=99999999999999999999", "rule-value", "INTERVAL"),
    ("FREQ=DAILY;INTERVAL=٣", "rule-value", "INTERVAL"),
    ("FREQ=DAILY;COUNT=0", "rule-value", "1 to 100000"),
    ("FREQ=DAILY;COUNT=100001", "rule-value", "1 to 100000"),
    ("FREQ=DAILY;COUNT=-1", "rule-value", "COUNT"),
    ("FREQ=DAILY;COUNT=5;UNTIL=20260101", "rule-combination", "COUNT and UNTIL"),
    ("FREQ=DAILY;UNTIL=20260101;COUNT=5", "rule-combination", "COUNT and UNTIL"),
    ("FREQ=DAILY;UNTIL=20260230", "rule-value", "UNTIL"),
    ("FREQ=DAILY;UNTIL=2026010", "rule-value", "UNTIL"),
    ("FREQ=DAILY;UNTIL=20260101T", "rule-value", "UNTIL"),
    ("FREQ=DAILY;UNTIL=20260101T09000", "rule-value", "UNTIL"),
    ("FREQ=DAILY;UNTIL=20260101T240000", "rule-value", "UNTIL"),
    ("FREQ=DAILY;UNTIL=20260101T006000", "rule-value", "UNTIL"),
    ("FREQ=DAILY;UNTIL=20260101T000061", "rule-value", "UNTIL"),
    ("FREQ=DAILY;UNTIL=20260101T090000+01", "rule-value", "UNTIL"),
    ("FREQ=DAILY;UNTIL=20260101T090000ZZ", "rule-value", "UNTIL"),
    ("FREQ=DAILY;UNTIL=20260101Z", "rule-value", "UNTIL"),
    ("FREQ=DAILY;UNTIL=+2026-01", "rule-value", "UNTIL"),
    ("FREQ=DAILY;UNTIL=2026é01", "rule-value", "UNTIL"),
    ("FREQ=WEEKLY;WKST=XX", "rule-value", "WKST"),
    ("FREQ=WEEKLY;WKST=1MO", "rule-value", "WKST"),
    ("FREQ=DAILY;BYSECOND=61", "rule-value", "0 to 60"),
    ("FREQ=DAILY;BYMINUTE=60", "rule-value", "0 to 59"),
    ("FREQ=DAILY;BYHOUR=24", "rule-value", "0 to 23"),
    ("FREQ=DAILY;BYHOUR=-1", "rule-value", "0 to 23"),
    ("FREQ=DAILY;BYHOUR=", "rule-value", "BYHOUR"),
    ("FREQ=DAILY;BYHOUR=1,,2", "rule-value", "BYHOUR"),
    ("FREQ=DAILY;BYHOUR=1, 2", "rule-value", "BYHOUR"),
    ("FREQ=YEARLY;BYMONTH=0", "rule-value", "1 to 12"),
    ("FREQ=YEARLY;BYMONTH=13", "rule-value", "1 to 12"),
    ("FREQ=YEARLY;BYMONTH=-1", "rule-value", "1 to 12"),
    ("FREQ=YEARLY;BYWEEKNO=54", "rule-value", "1 to 53, or -53 to -1"),
    ("FREQ=YEARLY;BYWEEKNO=0", "rule-value", "BYWEEKNO"),
    ("FREQ=YEARLY;BYYEARDAY=367", "rule-value", "1 to 366"),
    ("FREQ=YEARLY;BYYEARDAY=-367", "rule-value", "1 to 366"),
    ("FREQ=MONTHLY;BYMONTHDAY=32", "rule-value", "1 to 31"),
    ("FREQ=MONTHLY;BYMONTHDAY=0001", "rule-value", "1 to 31"),
    ("FREQ=MONTHLY;BYMONTHDAY=--1", "rule-value", "1 to 31"),
    ("FREQ=MONTHLY;BYMONTHDAY=-+1", "rule-value", "1 to 31"),
    ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0", "rule-value", "1 to 366"),
    ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=367", "rule-value", "1 to 366"),
    ("FREQ=MONTHLY;BYDAY=0MO", "rule-value", "BYDAY"),
    ("FREQ=YEARLY;BYDAY=54MO", "rule-value", "BYDAY"),
    ("FREQ=YEARLY;BYDAY=1", "rule-value", "BYDAY"),
    ("FREQ=YEARLY;BYDAY=M", "rule-value", "BYDAY"),
    ("FREQ=YEARLY;BYDAY=é", "rule-value", "BYDAY"),
    ("FREQ=WEEKLY;BYDAY=1MO", "rule-combination", "BYDAY"),
    ("FREQ=DAILY;BYDAY=-1MO", "rule-combination", "BYDAY"),
    ("FREQ=HOURLY;BYDAY=1MO", "rule-combination", "BYDAY"),
    ("FREQ=YEARLY;BYWEEKNO=1;BYDAY=1MO", "rule-combination", "BYWEEKNO"),
    ("FREQ=MONTHLY;BYWEEKNO=1", "rule-combination", "BYWEEKNO"),
    ("FREQ=HOURLY;BYWEEKNO=1", "rule-combination", "BYWEEKNO"),
    ("FREQ=DAILY;BYYEARDAY=1", "rule-combination", "BYYEARDAY"),
    ("FREQ=WEEKLY;BYYEARDAY=1", "rule-combination", "BYYEARDAY"),
    ("FREQ=MONTHLY;BYYEARDAY=1", "rule-combination", "BYYEARDAY"),
    ("FREQ=WEEKLY;BYMONTHDAY=1", "rule-combination", "BYMONTHDAY"),
    ("FREQ=DAILY;BYSETPOS=1", "rule-combination", "BYSETPOS"),
    ("FREQ=DAILY;WKST=SU;COUNT=3;BYSETPOS=1", "rule-combination", "BYSETPOS"),
];

#[test]
fn refused_with_a_code_and_a_reason() {
    for (text, code, reason) in REFUSED {
        let error = Rule::parse(text).expect_err(text);
        assert_eq!(error.code, *code, "{text}: {error}");
        assert!(error.message.contains(reason), "{text}: {error}");
    }
    let long = format!("FREQ=DAILY;BYHOUR={}1", "1,".repeat(250));
    assert_eq!(Rule::parse(&long).expect_err("long").code, "rule-syntax");
}

#[test]
fn canonical_text() {
    let table = [
        ("daily", "FREQ=DAILY"),
        (" Weekly\n", "FREQ=WEEKLY"),
        ("MONTHLY", "FREQ=MONTHLY"),
        ("yearly", "FREQ=YEARLY"),
        ("rrule:freq=daily;interval=1", "FREQ=DAILY"),
        ("WKST=MO;INTERVAL=007;FREQ=HOURLY", "FREQ=HOURLY;INTERVAL=7"),
        ("wkst=su;freq=weekly;byday=fr,mo,fr,+sa", ""),
        ("wkst=su;freq=weekly;byday=fr,mo,fr", "FREQ=WEEKLY;WKST=SU;BYDAY=MO,FR"),
        ("FREQ=MONTHLY;BYDAY=+1SU,-1SU,MO,01MO", "FREQ=MONTHLY;BYDAY=MO,1MO,-1SU,1SU"),
        ("FREQ=DAILY;BYSECOND=60,59,0", "FREQ=DAILY;BYSECOND=0,59"),
        ("FREQ=DAILY;UNTIL=20161231T235960Z", "FREQ=DAILY;UNTIL=20161231T235959Z"),
        ("FREQ=DAILY;UNTIL=00010203", "FREQ=DAILY;UNTIL=00010203"),
        ("FREQ=DAILY;COUNT=000100", "FREQ=DAILY;COUNT=100"),
        (
            "BYSETPOS=-1,1;BYSECOND=1;BYMINUTE=2;BYHOUR=3;BYDAY=TU;BYMONTHDAY=-5,5;BYYEARDAY=6;BYWEEKNO=7;BYMONTH=8;\
             WKST=TU;UNTIL=20260101T010203;INTERVAL=9;FREQ=YEARLY",
            "FREQ=YEARLY;INTERVAL=9;UNTIL=20260101T010203;WKST=TU;BYMONTH=8;BYWEEKNO=7;BYYEARDAY=6;BYMONTHDAY=-5,5;\
             BYDAY=TU;BYHOUR=3;BYMINUTE=2;BYSECOND=1;BYSETPOS=-1,1",
        ),
    ];
    for (text, canonical) in table {
        let printed = Rule::parse(text).map(|rule| rule.to_string()).unwrap_or_default();
        assert_eq!(printed, canonical, "{text}");
    }
}

/// Rules that yield nothing or next to nothing. What is wrong with them may only show after a bounded time.
#[test]
fn hostile_rules_end_quickly() {
    let minutes: Vec<String> = (0..60).map(|n| n.to_string()).collect();
    let every_second = format!("FREQ=YEARLY;BYDAY=MO,TU;BYMINUTE={0};BYSECOND={0};BYSETPOS=-1", minutes.join(","));
    let table: &[(&str, Result<Option<&str>, &&str>)] = &[
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", Ok(None)),
        ("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30", Ok(None)),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", Ok(None)),
        ("FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30", Ok(None)),
        ("FREQ=DAILY;BYMONTH=4,6,9,11;BYMONTHDAY=31", Ok(None)),
        ("FREQ=HOURLY;BYMONTH=4,6,9,11;BYMONTHDAY=31", Ok(None)),
        ("FREQ=YEARLY;BYWEEKNO=30;BYMONTH=1", Ok(None)),
        ("FREQ=YEARLY;BYWEEKNO=30;BYYEARDAY=1;BYMONTHDAY=1;BYDAY=MO", Ok(None)),
        ("FREQ=YEARLY;BYDAY=53SU;BYYEARDAY=1", Ok(None)),
        ("FREQ=YEARLY;INTERVAL=1000", Ok(None)),
        ("FREQ=YEARLY;INTERVAL=1000;BYDAY=MO", Ok(Some("2026-11-23T09:00:00"))),
        ("FREQ=MONTHLY;BYDAY=6MO", Ok(None)),
        ("FREQ=WEEKLY;BYDAY=MO;BYSETPOS=366", Ok(None)),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=MO", Ok(None)),
        ("FREQ=DAILY;BYHOUR=1;BYSETPOS=2", Ok(None)),
        ("FREQ=HOURLY;INTERVAL=2;BYHOUR=10", Ok(None)),
        ("FREQ=HOURLY;BYMINUTE=1;BYSETPOS=2", Err(&"rule-too-sparse")),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;INTERVAL=100", Ok(None)),
        (&every_second, Ok(Some("2026-12-29T09:59:59"))),
        ("FREQ=DAILY;BYMONTH=1;BYMONTHDAY=1;BYDAY=MO;COUNT=100000", Ok(Some("2029-01-01T09:00:00"))),
    ];
    let start = date(2026, 11, 22).at(9, 0, 0, 0);
    for (text, expected) in table {
        let rule = Rule::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        let begun = Instant::now();
        let next = rule.next(start, start);
        let took = begun.elapsed();
        let next = next.map(|at| at.map(|at| at.to_string())).map_err(|e| e.code);
        assert_eq!(next.as_ref().map(Option::as_deref), *expected, "{text}");
        assert!(took < Duration::from_secs(2), "{text} took {took:?}");
    }
}

/// A rule without COUNT does not walk from DTSTART; with COUNT it does, but at most 100,000 occurrences.
#[test]
fn far_from_dtstart() {
    let start = date(1000, 1, 1).at(9, 0, 0, 0);
    let after = date(2026, 11, 22).at(9, 30, 0, 0);
    let table = [
        ("FREQ=HOURLY", Ok(Some("2026-11-22T10:00:00"))),
        ("FREQ=HOURLY;INTERVAL=5", Ok(Some("2026-11-22T13:00:00"))),
        ("FREQ=DAILY;INTERVAL=7", Ok(Some("2026-11-25T09:00:00"))),
        ("FREQ=WEEKLY;INTERVAL=2", Ok(Some("2026-12-02T09:00:00"))),
        ("FREQ=HOURLY;COUNT=100000", Ok(None)),
        ("FREQ=DAILY;COUNT=100000", Ok(None)),
        ("FREQ=MONTHLY;COUNT=100000", Ok(Some("2026-12-01T09:00:00"))),
        ("FREQ=HOURLY;INTERVAL=2;BYHOUR=2;COUNT=2", Err("rule-too-sparse")),
    ];
    for (text, expected) in table {
        let begun = Instant::now();
        let next = Rule::parse(text).unwrap().next(start, after).map(|at| at.map(|at| at.to_string()));
        let took = begun.elapsed();
        assert_eq!(next.as_ref().map(Option::as_deref).map_err(|e| e.code), expected, "{text}");
        assert!(took < Duration::from_secs(2), "{text} took {took:?}");
    }
}

#[test]
fn lists_are_bounded() {
    let rule = Rule::parse("FREQ=DAILY;BYHOUR=0,1,2;BYMINUTE=0,1,2;BYSECOND=0,1,2").unwrap();
    let start = date(2026, 1, 1).at(0, 0, 0, 0);
    let listed = |limit| rule.between(start, start, DateTime::MAX, limit).unwrap().len();
    assert_eq!((listed(0), listed(28), listed(usize::MAX)), (0, 28, domain::rrule::MAX_LISTED));
    assert_eq!(rule.between(start, start, start, 10), Ok(vec![]));
    assert_eq!(rule.between(start, DateTime::MAX, DateTime::MIN, 10), Ok(vec![]));
}
