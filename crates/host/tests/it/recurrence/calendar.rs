//! Where the next occurrence is. The instants are written out by hand, from the zones' own rules.

use serde_json::json;

use super::next;
use crate::harness::Spindle;

/// Zone, rule, the first due date, the following ones.
type Row = (&'static str, &'static str, &'static str, &'static [&'static str]);

const PLAIN: [Row; 10] = [
    ("UTC", "daily", "2026-02-27T09:00:00Z", &["2026-02-28T09:00:00Z", "2026-03-01T09:00:00Z"]),
    ("UTC", "weekly", "2026-12-28T09:00:00Z", &["2027-01-04T09:00:00Z", "2027-01-11T09:00:00Z"]),
    ("UTC", "FREQ=WEEKLY;BYDAY=MO,FR", "2026-02-02", &["2026-02-06", "2026-02-09", "2026-02-13"]),
    ("UTC", "FREQ=MONTHLY;BYDAY=-1FR", "2026-02-27", &["2026-03-27", "2026-04-24", "2026-05-29"]),
    ("UTC", "FREQ=MONTHLY;BYMONTHDAY=-1", "2026-02-28", &["2026-03-31", "2026-04-30", "2026-05-31"]),
    // the month's last day where it is shorter, counted from the start and not from the last result
    (
        "UTC",
        "monthly",
        "2026-01-31T09:00:00Z",
        &["2026-02-28T09:00:00Z", "2026-03-31T09:00:00Z", "2026-04-30T09:00:00Z", "2026-05-31T09:00:00Z"],
    ),
    ("UTC", "monthly", "2026-03-30", &["2026-04-30", "2026-05-30", "2026-06-30"]),
    // RFC 5545 as it is: a month without the day has no occurrence
    ("UTC", "FREQ=MONTHLY;BYMONTHDAY=31", "2026-03-31", &["2026-05-31", "2026-07-31", "2026-08-31"]),
    ("UTC", "yearly", "2028-02-29", &["2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29", "2033-02-28"]),
    ("UTC", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2028-02-29", &["2032-02-29", "2036-02-29"]),
];

const ZONES: [Row; 14] = [
    // 09:00 stays 09:00, forwards and back
    ("America/New_York", "daily", "2026-03-07T14:00:00Z", &["2026-03-08T13:00:00Z", "2026-03-09T13:00:00Z"]),
    ("America/New_York", "daily", "2026-10-31T13:00:00Z", &["2026-11-01T14:00:00Z", "2026-11-02T14:00:00Z"]),
    ("Europe/Berlin", "daily", "2026-03-28T08:00:00Z", &["2026-03-29T07:00:00Z", "2026-03-30T07:00:00Z"]),
    ("Europe/Berlin", "weekly", "2026-10-18T07:00:00Z", &["2026-10-25T08:00:00Z", "2026-11-01T08:00:00Z"]),
    ("Europe/Berlin", "monthly", "2026-01-31T08:00:00Z", &["2026-02-28T08:00:00Z", "2026-03-31T07:00:00Z"]),
    (
        "Europe/Berlin",
        "FREQ=MONTHLY;INTERVAL=6",
        "2026-02-15T08:00:00Z",
        &["2026-08-15T07:00:00Z", "2027-02-15T08:00:00Z"],
    ),
    // half an hour: +11:00 until 5 April, +10:30, +11:00 from 4 October
    ("Australia/Lord_Howe", "daily", "2026-04-03T22:00:00Z", &["2026-04-04T22:30:00Z", "2026-04-05T22:30:00Z"]),
    ("Australia/Lord_Howe", "daily", "2026-10-02T22:30:00Z", &["2026-10-03T22:00:00Z", "2026-10-04T22:00:00Z"]),
    // 02:30 does not exist on 8 March: the offset before it; 02:15 on Lord Howe's 4 October
    ("America/New_York", "daily", "2026-03-07T07:30:00Z", &["2026-03-08T07:30:00Z", "2026-03-09T06:30:00Z"]),
    ("Australia/Lord_Howe", "daily", "2026-10-02T15:45:00Z", &["2026-10-03T15:45:00Z", "2026-10-04T15:15:00Z"]),
    // 01:30 comes twice on 1 November, 02:30 on Berlin's 25 October: the first of them, once
    ("America/New_York", "daily", "2026-10-31T05:30:00Z", &["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"]),
    ("Europe/Berlin", "daily", "2026-10-24T00:30:00Z", &["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]),
    // a zone without daylight saving, and one a day ahead: 1 March there is still 28 February in UTC
    ("Asia/Kolkata", "monthly", "2026-03-31T03:30:00Z", &["2026-04-30T03:30:00Z", "2026-05-31T03:30:00Z"]),
    (
        "Pacific/Kiritimati",
        "FREQ=MONTHLY;BYMONTHDAY=1",
        "2026-02-28T15:00:00Z",
        &["2026-03-31T15:00:00Z", "2026-04-30T15:00:00Z"],
    ),
];

async fn runs(rows: &[Row]) {
    let app = Spindle::start().await;
    let ada = app.person("ada", "Asia/Tokyo").await;
    for (zone, rule, first, following) in rows {
        let body = json!({"title": "a", "due_date": first, "time_zone": zone, "recurrence_rule": rule});
        let mut task = ada.make(body).await;
        for due in *following {
            task = next(&ada, &task).await.unwrap_or_else(|| panic!("{rule} in {zone} ended before {due}"));
            assert_eq!(task["due_date"], *due, "{rule} in {zone} from {first}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_go_by_the_calendar() {
    runs(&PLAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_local_hour_stays() {
    runs(&ZONES).await;
}

/// Without a zone of its own a series goes by the account's.
#[tokio::test(flavor = "multi_thread")]
async fn the_accounts_zone_counts() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "America/New_York").await;
    let body = json!({"title": "a", "due_date": "2026-03-07T14:00:00Z", "recurrence_rule": "daily"});
    let task = ada.make(body).await;
    assert_eq!(task["occurrence"], "2026-03-07T09:00:00");
    let following = next(&ada, &task).await.expect("a next one");
    assert_eq!((&following["due_date"], &following["time_zone"]), (&json!("2026-03-08T13:00:00Z"), &json!(null)));
}
