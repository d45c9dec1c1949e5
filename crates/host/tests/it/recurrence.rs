//! Recurrence: completing a task brings the next one, once, where the calendar has it.

mod calendar;
mod changes;
mod races;

use serde_json::{Value, json};

use crate::harness::{Person, Spindle};
use crate::steps::{id, path};

/// Makes a recurring task.
async fn recurring(person: &Person<'_>, due: &str, rule: &str) -> Value {
    person.make(json!({"title": "a", "due_date": due, "recurrence_rule": rule})).await
}

/// Completes a task and answers the next one of its series, if there is one.
async fn next(person: &Person<'_>, task: &Value) -> Option<Value> {
    person.complete(task).await;
    person.app.quiet().await;
    let series = series(person, task).await;
    (series["task_id"] != task["id"]).then_some(())?;
    Some(person.look(&json!({"id": series["task_id"]})).await)
}

/// The series of a task.
async fn series(person: &Person<'_>, task: &Value) -> Value {
    let found = person.get(&format!("/api/v1/recurring-tasks/{}", series_id(task))).await;
    assert_eq!(found.status, 200, "{}", found.json);
    found.json
}

fn series_id(task: &Value) -> &str {
    task["series_id"].as_str().expect("a series")
}

/// How many tasks a series has had.
async fn tasks_of(app: &Spindle, task: &Value) -> i64 {
    app.count(&format!("select count(*) from task where series_id = '{}'", series_id(task))).await
}

/// The data of the last event of a task's series, and its kind.
async fn last_event(app: &Spindle, task: &Value) -> (String, Value) {
    let (_, kind, data) = app.events(&format!("series/{}", series_id(task))).await.pop().expect("an event");
    (kind, data)
}

#[tokio::test(flavor = "multi_thread")]
async fn completing_late_jumps_over_what_is_past() {
    let app = Spindle::start().await;
    let mut ada = app.person("ada", "UTC").await;
    let timed = recurring(&ada, "2026-02-10T09:00:00Z", "weekly").await;
    let daily = recurring(&ada, "2026-02-10", "daily").await;
    ada.wait_until("2026-03-05T10:00:00Z").await;
    assert_eq!(next(&ada, &timed).await.expect("a next one")["due_date"], "2026-03-10T09:00:00Z");
    let (kind, data) = last_event(&app, &timed).await;
    assert_eq!((kind.as_str(), &data["skipped"]), ("advanced", &json!(3)), "17 and 24 February, 3 March");
    assert_eq!(next(&ada, &daily).await.expect("a next one")["due_date"], "2026-03-05", "today is not past");
    assert_eq!(last_event(&app, &daily).await.1["skipped"], 22);
}

/// An occurrence is past once its instant is before now: at that very instant it is the next one.
#[tokio::test(flavor = "multi_thread")]
async fn an_occurrence_at_this_instant_is_not_past() {
    let app = Spindle::start().await;
    let mut ada = app.person("ada", "UTC").await;
    for (now, due) in
        [("2026-02-11T09:00:00Z", "2026-02-11T09:00:00Z"), ("2026-02-11T09:00:00.000001Z", "2026-02-12T09:00:00Z")]
    {
        let task = recurring(&ada, "2026-02-10T09:00:00Z", "daily").await;
        ada.wait_until(now).await;
        assert_eq!(next(&ada, &task).await.expect("a next one")["due_date"], due, "at {now}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn completing_early_goes_to_the_next_one() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    let mut task = recurring(&ada, "2026-02-10T09:00:00Z", "weekly").await;
    for due in ["2026-02-17T09:00:00Z", "2026-02-24T09:00:00Z", "2026-03-03T09:00:00Z"] {
        task = next(&ada, &task).await.expect("a next one");
        assert_eq!((&task["due_date"], &task["created_at"]), (&json!(due), &json!("2026-02-01T00:00:00.000000Z")));
        assert_eq!(last_event(&app, &task).await.1["skipped"], 0);
    }
    let stream = format!("series/{}", series_id(&task));
    assert_eq!(app.story(&stream).await, ["created", "advanced", "advanced", "advanced"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn count_and_until_end_a_series() {
    let app = Spindle::start().await;
    let mut ada = app.person("ada", "America/New_York").await;
    for (rule, due, tasks) in [
        ("FREQ=DAILY;COUNT=3", "2026-02-10T14:00:00Z", 3),
        ("FREQ=DAILY;COUNT=1", "2026-02-10T14:00:00Z", 1),
        ("FREQ=DAILY;UNTIL=20260212", "2026-02-10T14:00:00Z", 3),
        // 09:00 in New York is 14:00Z: the last moment is itself included
        ("FREQ=DAILY;UNTIL=20260212T140000Z", "2026-02-10T14:00:00Z", 3),
        ("FREQ=DAILY;UNTIL=20260212T135959Z", "2026-02-10T14:00:00Z", 2),
        ("FREQ=DAILY;UNTIL=20260212T090000", "2026-02-10T14:00:00Z", 3),
        ("FREQ=DAILY;UNTIL=20260212", "2026-02-10", 3),
        ("FREQ=DAILY;UNTIL=20260101", "2026-02-10", 1),
    ] {
        let mut task = recurring(&ada, due, rule).await;
        let mut made = 1;
        while let Some(following) = next(&ada, &task).await {
            (task, made) = (following, made + 1);
            assert!(made <= 5, "{rule} does not end");
        }
        assert_eq!(made, tasks, "{rule}");
        let series = series(&ada, &task).await;
        assert_eq!((&series["end_reason"], &series["ended_at"]), (&json!("finished"), &json!("2026-02-01T00:00:00Z")));
        assert_eq!(last_event(&app, &task).await.1["reason"], "finished", "{rule}");
        assert_eq!(series["version"], app.story(&format!("series/{}", id(&series))).await.len());
    }
    assert_eq!(ada.open().await.len(), 0);
    // late: occurrences that were jumped over count
    let task = recurring(&ada, "2026-02-10", "FREQ=DAILY;COUNT=3").await;
    ada.wait_until("2026-02-20T00:00:00Z").await;
    assert!(next(&ada, &task).await.is_none());
    assert_eq!(series(&ada, &task).await["end_reason"], "finished");
}

/// What the next task takes along is what the completed one was at the end, not at the beginning.
#[tokio::test(flavor = "multi_thread")]
async fn the_next_task_reads_as_the_last_one_did() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    let made = ada
        .make(json!({
            "title": "a", "description": "b", "priority": "P3", "tags": ["c"], "due_date": "2026-02-10T09:00:00Z",
            "time_zone": "Europe/Berlin", "recurrence_rule": "daily", "reminder_minutes": [5],
        }))
        .await;
    let edited =
        json!({"title": "A", "description": null, "priority": "P1", "tags": ["D", "E"], "reminder_minutes": [20, 10]});
    let task = ada.edit(&made, edited).await;
    let following = next(&ada, &task).await.expect("a next one");
    for field in ["title", "description", "priority", "tags", "time_zone", "recurrence_rule", "reminder_minutes"] {
        assert_eq!(following[field], task[field], "{field}");
    }
    assert_eq!((&following["status"], &following["version"]), (&json!("open"), &json!(1)));
    assert!(following["completed_at"].is_null() && following["series_id"] == task["series_id"]);
    let reminders = ada.items("/api/v1/reminders").await;
    let pending: Vec<_> = reminders.iter().filter(|reminder| reminder["state"] == "pending").collect();
    assert_eq!(pending.len(), 2);
    assert!(pending.iter().all(|reminder| reminder["task_id"] == following["id"]));
    // and what is edited after the completion changes the past only
    ada.edit(&task, json!({"title": "old"})).await;
    assert_eq!(ada.look(&following).await["title"], "A");
}

#[tokio::test(flavor = "multi_thread")]
async fn series_are_listed_with_their_task() {
    let app = Spindle::start().await;
    let (ada, bob) = (app.person("ada", "Europe/Berlin").await, app.person("bob", "UTC").await);
    let mut tasks = Vec::new();
    for n in 1..=5 {
        app.app.bed().advance_micros(1);
        tasks.push(recurring(&ada, "2026-02-10", &format!("FREQ=DAILY;INTERVAL={n}")).await);
    }
    ada.make(json!({"title": "once"})).await;
    let following = next(&ada, &tasks[0]).await.expect("a next one");
    let all = ada.all("/api/v1/recurring-tasks", 2).await;
    let rules: Vec<_> = all.iter().map(|series| series["rule"].as_str().expect("a rule")).collect();
    let expected: Vec<_> = tasks.iter().rev().map(|task| task["recurrence_rule"].as_str().expect("a rule")).collect();
    assert_eq!(rules, expected);
    let oldest = all.last().expect("a series");
    assert_eq!((&oldest["task_id"], &oldest["title"]), (&following["id"], &json!("a")));
    assert_eq!((&oldest["time_zone"], &oldest["all_day"]), (&json!("Europe/Berlin"), &json!(true)));
    assert_eq!(
        (&oldest["dtstart"], &oldest["occurrence"]),
        (&json!("2026-02-10T00:00:00"), &json!("2026-02-11T00:00:00"))
    );
    assert_eq!(*oldest, series(&ada, &tasks[0]).await);
    assert_eq!(bob.items("/api/v1/recurring-tasks").await.len(), 0);
    assert_eq!(bob.get(&format!("/api/v1/recurring-tasks/{}", series_id(&tasks[0]))).await.status, 404);
    assert_eq!(bob.post(&format!("{}/complete", path(&tasks[1])), json!({})).await.status, 404);
    assert_eq!(tasks_of(&app, &tasks[1]).await, 1);
}
