//! Due dates: days, instants, and the ends of time.

use serde_json::json;

use crate::harness::Spindle;
use crate::steps::{each, id};

/// What is written, and what is read: instants in UTC, in whole seconds, days as they are.
const TAKEN: [(&str, &str); 14] = [
    ("2026-02-10", "2026-02-10"),
    ("2028-02-29", "2028-02-29"),
    ("2026-02-10T09:00:00Z", "2026-02-10T09:00:00Z"),
    ("2026-02-10T09:00:00+05:30", "2026-02-10T03:30:00Z"),
    ("2026-02-10T23:30:00-08:00", "2026-02-11T07:30:00Z"),
    ("2026-02-10t09:00:00z", "2026-02-10T09:00:00Z"),
    ("2026-02-10T09:00:00-00:00", "2026-02-10T09:00:00Z"),
    ("2026-02-10T09:00:00.5Z", "2026-02-10T09:00:00Z"),
    ("2026-02-10T08:59:59.999999999Z", "2026-02-10T08:59:59Z"),
    ("1970-01-01", "1970-01-01"),
    ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
    ("9998-12-31", "9998-12-31"),
    ("9998-12-31T23:59:59Z", "9998-12-31T23:59:59Z"),
    ("9998-12-31T23:59:59+14:00", "9998-12-31T09:59:59Z"),
];

const REFUSED: [&str; 18] = [
    "",
    "soon",
    "2026-02-30",
    "2026-2-1",
    "20260210",
    "2026-02-10 09:00:00Z",
    "2026-02-10T09:00:00",
    "2026-02-10T09:00Z",
    "2026-02-10T24:00:00Z",
    "2026-02-10T09:60:00Z",
    "2026-02-10T09:00:00+0530",
    "2026-02-10T09:00:00+25:00",
    "2026-02-10T09:00:00Z[UTC]",
    "+002026-02-10T09:00:00Z",
    "1969-12-31",
    "9999-01-01",
    "1969-12-31T23:59:59.5Z",
    "9998-12-31T23:59:59-12:00",
];

#[tokio::test(flavor = "multi_thread")]
async fn due_dates_are_what_was_said() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "Pacific/Kiritimati").await;
    for (written, read) in TAKEN {
        let body = json!({"title": written, "due_date": written, "reminder_minutes": [525_600, 0]});
        let made = ada.make(body).await;
        assert_eq!(made["due_date"], read, "{written}");
        assert_eq!(ada.look(&made).await, made);
    }
    for written in REFUSED {
        let refused = ada.post("/api/v1/tasks", json!({"title": "a", "due_date": written})).await;
        assert_eq!((refused.status, &refused.json["errors"][0]["pointer"]), (422, &json!("/due_date")), "{written:?}");
    }
    assert_eq!(ada.post("/api/v1/tasks", json!({"title": "a", "due_date": 20_260_210})).await.status, 422);
    app.quiet().await;
    assert_eq!(app.count("select count(*) from reminder").await, 2 * TAKEN.len() as i64);
    ada.items("/api/v1/reminders?limit=100").await;
}

/// The next task of each may be due where the calendar ends; nothing breaks there.
#[tokio::test(flavor = "multi_thread")]
async fn series_go_on_at_the_ends_of_time() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "Etc/GMT+12").await;
    for due in ["1970-01-01", "1970-01-01T00:00:00Z", "9998-12-31", "9998-12-31T23:59:59Z"] {
        for rule in ["daily", "yearly", "FREQ=YEARLY;INTERVAL=1000"] {
            let task = ada.make(json!({"title": "a", "due_date": due, "recurrence_rule": rule})).await;
            ada.complete(&task).await;
            app.quiet().await;
            let series = format!("/api/v1/recurring-tasks/{}", task["series_id"].as_str().expect("a series"));
            let series = ada.get(&series).await;
            assert_eq!(series.status, 200, "{due} {rule}: {}", series.json);
        }
    }
}

/// A day stays the same day wherever it is looked at, and its reminders count from nine in the morning there.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_a_day_in_its_zone() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "America/New_York").await;
    let day = json!({"title": "a", "due_date": "2026-02-10", "reminder_minutes": 0});
    let here = ada.make(day.clone()).await;
    let mut there = day;
    there["time_zone"] = json!("Asia/Tokyo");
    let there = ada.make(there).await;
    app.quiet().await;
    let reminders = ada.items("/api/v1/reminders").await;
    assert_eq!(each(&reminders, "fire_at"), ["2026-02-10T14:00:00Z", "2026-02-10T00:00:00Z"]);
    assert_eq!(each(&reminders, "task_id"), [id(&here), id(&there)]);
    // a zone of its own moves the reminder, not the day
    let moved = ada.edit(&here, json!({"time_zone": "Europe/Berlin"})).await;
    assert_eq!(moved["due_date"], "2026-02-10");
    app.quiet().await;
    let reminders = ada.items("/api/v1/reminders").await;
    let pending: Vec<_> = reminders.iter().filter(|reminder| reminder["state"] == "pending").collect();
    assert_eq!(pending[0]["fire_at"], "2026-02-10T08:00:00Z");
    assert_eq!(pending.len(), 2);
}
