//! Reminders: never early, never lost, never doubled.

mod lateness;

use futures::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Person, Spindle, micros};
use crate::steps::{each, id, path};

/// The states of a person's reminders and the moments they are for, the earliest first.
async fn states(person: &Person<'_>) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let mut reminders = person.items("/api/v1/reminders?limit=100").await;
    reminders.reverse();
    reminders.iter().map(|reminder| (text(&reminder["fire_at"]), text(&reminder["state"]))).collect()
}

async fn notified(app: &Spindle) -> i64 {
    app.count("select count(*) from notification").await
}

/// Lets the clock go to `at`, and everything happen twice that is due then.
async fn at(app: &Spindle, person: &mut Person<'_>, at: &str) {
    app.tick_at(at).await;
    app.tick().await;
    app.quiet().await;
    person.sign_in().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_comes_at_its_moment_and_once() {
    let app = Spindle::start().await;
    let mut ada = app.person("ada", "UTC").await;
    let task = ada
        .make(json!({
            "title": "a", "due_date": "2026-02-10T09:00:00Z", "reminder_minutes": [1440, 30, 10, 0],
        }))
        .await;
    app.quiet().await;
    let moments = ["2026-02-09T09:00:00Z", "2026-02-10T08:30:00Z", "2026-02-10T08:50:00Z", "2026-02-10T09:00:00Z"];
    assert_eq!(states(&ada).await, moments.map(|moment| (moment.to_owned(), "pending".to_owned())));
    for (n, moment) in (0..).zip(moments) {
        app.app.bed().set_now_micros(micros(moment) - 1);
        app.tick().await;
        app.tick().await;
        assert_eq!(notified(&app).await, n, "early for {moment}");
        at(&app, &mut ada, moment).await;
        assert_eq!(notified(&app).await, n + 1, "at {moment}");
        let newest = ada.items("/api/v1/notifications").await.remove(0);
        assert_eq!((&newest["fire_at"], &newest["created_at"]), (&json!(moment), &json!(moment)));
        assert_eq!(newest["task_id"], task["id"]);
    }
    at(&app, &mut ada, "2026-02-12T00:00:00Z").await;
    assert_eq!(notified(&app).await, 4);
    assert!(states(&ada).await.iter().all(|(_, state)| state == "fired"));
    for reminder in ada.items("/api/v1/reminders").await {
        assert_eq!(app.story(&format!("reminder/{}", id(&reminder))).await, ["due"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moved_due_date_moves_its_reminders() {
    let app = Spindle::start().await;
    let mut ada = app.person("ada", "UTC").await;
    let body = json!({"title": "a", "due_date": "2026-02-10T09:00:00Z", "reminder_minutes": [30]});
    let task = ada.make(body).await;
    app.quiet().await;
    ada.edit(&task, json!({"due_date": "2026-02-10T12:00:00Z"})).await;
    app.quiet().await;
    let cancelled = ("2026-02-10T08:30:00Z".to_owned(), "cancelled".to_owned());
    let pending = ("2026-02-10T11:30:00Z".to_owned(), "pending".to_owned());
    assert_eq!(states(&ada).await, [cancelled, pending]);
    at(&app, &mut ada, "2026-02-10T08:30:00Z").await;
    assert_eq!(notified(&app).await, 0, "for a time that no longer is");
    // back, after its first moment has passed: it is late, and comes at once
    ada.edit(&task, json!({"due_date": "2026-02-10T08:31:00Z"})).await;
    app.quiet().await;
    assert_eq!(notified(&app).await, 1);
    // other minutes, the old ones gone
    ada.edit(&task, json!({"due_date": "2026-02-11T09:00:00Z", "reminder_minutes": [60, 5]})).await;
    app.quiet().await;
    at(&app, &mut ada, "2026-02-12T00:00:00Z").await;
    let fired: Vec<_> =
        states(&ada).await.into_iter().filter(|(_, state)| state == "fired").map(|(at, _)| at).collect();
    assert_eq!(fired, ["2026-02-10T08:01:00Z", "2026-02-11T08:00:00Z", "2026-02-11T08:55:00Z"]);
    assert_eq!(notified(&app).await, 3);
}

/// The move is known to the reminder even if its event has not come yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_move_counts_before_its_event_is_there() {
    let app = Spindle::with(crate::steps::without_hints()).await;
    let mut ada = app.person("ada", "UTC").await;
    let mut tasks = Vec::new();
    for title in ["moved", "completed", "deleted", "other minutes", "as it was"] {
        tasks
            .push(ada.make(json!({"title": title, "due_date": "2026-02-10T09:00:00Z", "reminder_minutes": [0]})).await);
    }
    app.relay().await;
    ada.wait_until("2026-02-10T09:00:00Z").await;
    ada.edit(&tasks[0], json!({"due_date": "2026-02-10T10:00:00Z"})).await;
    ada.complete(&tasks[1]).await;
    ada.delete(&path(&tasks[2])).await;
    ada.edit(&tasks[3], json!({"reminder_minutes": []})).await;
    app.internal("/internal/reminders/tick", "").await;
    app.relay().await;
    let notifications = ada.items("/api/v1/notifications").await;
    assert_eq!(each(&notifications, "title"), ["as it was"]);
    // taken back: what was cancelled comes after all
    ada.reopen(&tasks[1]).await;
    app.relay().await;
    app.relay().await;
    assert_eq!(each(&ada.items("/api/v1/notifications").await, "title").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn completing_and_deleting_cancel_and_reopening_revives() {
    let app = Spindle::start().await;
    let mut ada = app.person("ada", "UTC").await;
    let mut tasks = Vec::new();
    for title in ["stays", "completed", "deleted", "reopened", "reopened late", "reopened too late", "no longer due"] {
        tasks.push(ada.make(json!({"title": title, "due_date": "2026-02-10T09:00:00Z", "reminder_minutes": 0})).await);
    }
    app.quiet().await;
    for completed in [1, 3, 4, 5] {
        ada.complete(&tasks[completed]).await;
    }
    ada.delete(&path(&tasks[2])).await;
    ada.edit(&tasks[6], json!({"due_date": null})).await;
    app.quiet().await;
    let count = |state| format!("select count(*) from reminder where state = '{state}'");
    assert_eq!(app.count(&count("cancelled")).await, 6);
    ada.reopen(&tasks[3]).await;
    app.quiet().await;
    assert_eq!(app.count(&count("pending")).await, 2, "revived");
    at(&app, &mut ada, "2026-02-10T09:00:00Z").await;
    let titles = each(&ada.items("/api/v1/notifications").await, "title").into_iter().cloned().collect::<Vec<_>>();
    assert!(titles.len() == 2 && titles.contains(&json!("stays")) && titles.contains(&json!("reopened")), "{titles:?}");
    ada.wait_until("2026-02-11T09:00:00Z").await;
    ada.reopen(&tasks[4]).await;
    app.quiet().await;
    assert_eq!(notified(&app).await, 3, "a day late, at once");
    ada.wait_until("2026-02-11T09:00:00.000001Z").await;
    ada.reopen(&tasks[5]).await;
    app.quiet().await;
    assert_eq!((notified(&app).await, app.count(&count("expired")).await), (3, 1), "more than a day late");
    // one that went off never does again
    ada.complete(&tasks[0]).await;
    ada.reopen(&tasks[0]).await;
    at(&app, &mut ada, "2026-02-11T09:01:00Z").await;
    assert_eq!(notified(&app).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn five_ticks_at_once_are_one() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    for n in 0..20 {
        let body = json!({"title": n.to_string(), "due_date": "2026-02-10T09:00:00Z", "reminder_minutes": [1, 0]});
        ada.make(body).await;
    }
    app.quiet().await;
    app.app.bed().set_now_micros(micros("2026-02-10T09:00:00Z"));
    for fired in join_all((0..5).map(|_| app.app.fire_cron())).await {
        fired.expect("a tick");
    }
    app.quiet().await;
    assert_eq!(notified(&app).await, 40);
    let events = "select count(*) from audit_entry where action like '%reminder.due.v1'";
    assert_eq!(app.count(events).await, 40);
    assert_eq!(app.count("select count(distinct reminder_id) from notification").await, 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_at_one_instant_come_once_each() {
    let app = Spindle::start().await;
    let mut ada = app.person("ada", "UTC").await;
    for chunk in 0..10 {
        let made = (0..50).map(|n| {
            let title = format!("task {}", chunk * 50 + n);
            ada.make(json!({"title": title, "due_date": "2026-02-10T09:00:00Z", "reminder_minutes": [15]}))
        });
        join_all(made).await;
    }
    app.quiet().await;
    app.tick_at("2026-02-10T08:44:59.999999Z").await;
    assert_eq!(notified(&app).await, 0);
    app.tick_at("2026-02-10T08:45:00Z").await;
    app.quiet().await;
    assert_eq!(notified(&app).await, 500);
    ada.sign_in().await;
    let notifications = ada.all("/api/v1/notifications", 100).await;
    let mut titles: Vec<_> = each(&notifications, "title").into_iter().map(Value::to_string).collect();
    titles.sort_unstable();
    titles.dedup();
    assert_eq!((titles.len(), notifications.len()), (500, 500));
}
