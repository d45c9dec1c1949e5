//! Reminders whose moment passed while nobody looked.

use serde_json::json;

use super::{at, notified, states};
use crate::harness::Spindle;
use crate::steps::id;

/// Up to a day late it comes at once, without any tick; later it is kept as expired, in the list and in the audit log.
#[tokio::test(flavor = "multi_thread")]
async fn a_moment_that_was_past_from_the_start() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    app.app.bed().advance_micros(1);
    for (due, state) in [
        ("2026-02-01T00:00:00Z", "fired"),
        ("2026-01-31T00:00:01Z", "fired"),
        ("2026-01-31T00:00:00Z", "expired"),
        ("2026-01-01T00:00:00Z", "expired"),
    ] {
        let before = notified(&app).await;
        let task = ada.make(json!({"title": due, "due_date": due, "reminder_minutes": [0]})).await;
        app.app.settle().await;
        let now = notified(&app).await - before;
        assert_eq!(now, i64::from(state == "fired"), "{due}");
        let reminders = ada.items("/api/v1/reminders?limit=100").await;
        let reminder = reminders.iter().find(|reminder| reminder["task_id"] == task["id"]).expect("a reminder");
        assert_eq!((&reminder["state"], &reminder["fire_at"]), (&json!(state), &json!(due)));
        app.quiet().await;
        let told = if state == "fired" { "due" } else { "expired" };
        let events = app.events(&format!("reminder/{}", id(reminder))).await;
        assert_eq!(events.len(), 1);
        assert_eq!((events[0].1.as_str(), &events[0].2["title"]), (told, &json!(due)));
    }
    app.tick_at("2026-02-03T00:00:00Z").await;
    assert_eq!(notified(&app).await, 2);
}

/// Exactly a day late is not too late.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_late_is_in_time() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    ada.make(json!({"title": "a", "due_date": "2026-01-31T00:00:00Z", "reminder_minutes": [0]})).await;
    app.quiet().await;
    assert_eq!(notified(&app).await, 1);
}

/// Down for twenty-five hours: what is at most a day late comes at the first tick, the rest is told as expired.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_day_and_an_hour_of_silence() {
    let app = Spindle::start().await;
    let mut ada = app.person("ada", "UTC").await;
    for hour in 0..26 {
        let due = format!("2026-02-{:02}T{:02}:00:00Z", 10 + hour / 24, hour % 24);
        ada.make(json!({"title": due, "due_date": due, "reminder_minutes": [0]})).await;
    }
    app.quiet().await;
    at(&app, &mut ada, "2026-02-11T01:00:00Z").await;
    let states = states(&ada).await;
    assert_eq!(states[0], ("2026-02-10T00:00:00Z".to_owned(), "expired".to_owned()));
    assert!(states[1..].iter().all(|(_, state)| state == "fired"), "{states:?}");
    assert_eq!(notified(&app).await, 25);
    let expired = "select count(*) from audit_entry where action like '%reminder.expired.v1'";
    assert_eq!(app.count(expired).await, 1);
    assert_eq!(ada.all("/api/v1/reminders", 7).await.len(), 26);
}

/// The parts were down one by one while its moment came.
#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_was_down_makes_it_late_and_not_lost() {
    for part in ["relay", "reminders", "notifications", "ticker"] {
        let setup = crate::harness::Setup { without: vec![part], ..Default::default() };
        let app = Spindle::with(setup).await;
        let ada = app.person("ada", "UTC").await;
        ada.make(json!({"title": "a", "due_date": "2026-02-01T01:00:00Z", "reminder_minutes": [0]})).await;
        app.app.settle().await;
        app.tick_at("2026-02-01T01:00:00Z").await;
        assert_eq!(notified(&app).await, 0, "without {part}");
        let database = app.database.clone();
        app.app.stop().await.expect("a stop");
        let bed = host::testbed::TestBed::virtual_time(crate::harness::micros("2026-02-01T01:10:00Z"), 2);
        let app = Spindle::on(database, crate::harness::Setup { bed, ..Default::default() }).await;
        app.tick().await;
        app.tick().await;
        app.quiet().await;
        assert_eq!(notified(&app).await, 1, "without {part}");
    }
}
