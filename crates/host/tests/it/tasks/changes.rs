//! Changing tasks.

use futures::future::join_all;
use serde_json::{Value, json};

use super::full;
use crate::harness::{Person, Spindle};
use crate::steps::{id, path};

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_changes_what_it_names() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    let changes = [
        ("title", json!("Pay less rent")),
        ("description", Value::Null),
        ("description", json!("new")),
        ("priority", Value::Null),
        ("priority", json!("P4")),
        ("tags", json!(["one"])),
        ("tags", Value::Null),
        ("reminder_minutes", json!([5])),
        ("reminder_minutes", Value::Null),
        ("due_date", json!("2026-03-02T17:30:00Z")),
        ("time_zone", Value::Null),
        ("recurrence_rule", json!("FREQ=DAILY")),
        ("recurrence_rule", Value::Null),
        ("due_date", Value::Null),
    ];
    let mut expected = ada.make(full()).await;
    let expected_kinds = vec!["created".to_owned(), "updated".to_owned()];
    for (version, (field, value)) in (2..).zip(&changes) {
        app.app.bed().advance_micros(1_000_000);
        let change = Value::Object([((*field).to_owned(), value.clone())].into_iter().collect());
        let edited = ada.edit(&expected, change).await;
        let cleared = if matches!(*field, "tags" | "reminder_minutes") { json!([]) } else { Value::Null };
        let value = if value.is_null() { cleared } else { value.clone() };
        assert_eq!((&edited[field], &edited["version"]), (&value, &json!(version)), "{field}");
        let series = ["series_id", "occurrence"];
        for moved in series.iter().chain(&["version", "updated_at", field]) {
            expected[*moved] = edited[*moved].clone();
        }
        assert_eq!(edited, expected, "{field} and nothing else");
        assert_eq!(ada.look(&edited).await, edited);
    }
    app.quiet().await;
    let mut story = app.story(&format!("task/{}", id(&expected))).await;
    assert_eq!(story.len(), changes.len() + 1);
    story.dedup();
    assert_eq!(story, expected_kinds);
}

/// Nothing, the same, and the same in other words.
#[tokio::test(flavor = "multi_thread")]
async fn a_patch_that_changes_nothing_is_no_change() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    let task = ada.make(full()).await;
    app.app.bed().advance_micros(1_000_000);
    let same = [
        json!({}),
        full(),
        json!({"title": "  Pay the rent, 家賃 🏠 "}),
        json!({"tags": ["Ä", "money", "home", "home", " money"]}),
        json!({"due_date": "2026-03-01T18:30:00.999+01:00"}),
        json!({"recurrence_rule": "rrule:freq=monthly;interval=1;bymonthday=1"}),
        json!({"reminder_minutes": [0, 60, 1440, 60]}),
    ];
    for patch in same {
        assert_eq!(ada.edit(&task, patch.clone()).await, task, "{patch}");
    }
    app.quiet().await;
    assert_eq!(app.story(&format!("task/{}", id(&task))).await, ["created"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_patch_changes_nothing() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    let task = ada.make(full()).await;
    let bad = [
        (json!({"title": null}), "/title"),
        (json!({"title": " "}), "/title"),
        (json!({"title": "new", "status": "completed"}), "/status"),
        (json!({"title": "new", "version": 1}), "/version"),
        (json!({"title": "new", "due_date": null}), "/due_date"),
        (json!({"title": "new", "priority": "P5"}), "/priority"),
        (json!({"title": "new", "priority": 1}), "/priority"),
        (json!({"title": "new", "tags": "a"}), "/tags"),
        (json!({"title": "new", "reminder_minutes": [-1]}), "/reminder_minutes"),
        (json!({"title": "new", "reminder_minutes": [1.5]}), "/reminder_minutes"),
        (json!({"title": "new", "time_zone": "Mars/Olympus"}), "/time_zone"),
        (json!({"title": "new", "recurrence_rule": "every full moon"}), "/recurrence_rule"),
        (json!([]), ""),
        (json!("title"), ""),
    ];
    for (patch, pointer) in bad {
        let refused = ada.patch(&path(&task), patch.clone()).await;
        assert_eq!((refused.status, &refused.json["errors"][0]["pointer"]), (422, &json!(pointer)), "{patch}");
    }
    assert_eq!(ada.call("PATCH", &path(&task), "{").await.status, 400);
    assert_eq!(ada.look(&task).await, task);
}

/// Tries a change again as long as others are in its way.
async fn insist(person: &Person<'_>, task: &Value, change: &Value) -> u64 {
    for tries in 0..50 {
        let answer = person.patch(&path(task), change.clone()).await;
        match answer.status {
            200 => return tries,
            409 => assert_eq!(answer.json["type"], "/problems/busy"),
            status => panic!("{status} {}", answer.json),
        }
    }
    panic!("never got through");
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_eight_clients_are_all_kept() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    for round in 0..5 {
        let task = ada.make(json!({"title": "a", "due_date": "2026-05-05", "recurrence_rule": "daily"})).await;
        let changes = [
            json!({"title": format!("round {round}")}),
            json!({"description": "d"}),
            json!({"priority": "P1"}),
            json!({"tags": ["t"]}),
            json!({"due_date": "2026-06-06"}),
            json!({"time_zone": "Asia/Tokyo"}),
            json!({"recurrence_rule": "FREQ=WEEKLY"}),
            json!({"reminder_minutes": [7]}),
        ];
        join_all(changes.iter().map(|change| insist(&ada, &task, change))).await;
        let after = ada.look(&task).await;
        for (field, value) in changes.iter().flat_map(|change| change.as_object().expect("fields")) {
            assert_eq!(after[field], *value, "{field} was lost");
        }
        assert_eq!(after["version"], 9);
        app.quiet().await;
        assert_eq!(app.story(&format!("task/{}", id(&task))).await.len(), 9);
        let open = "select count(*) from series where ended_at is null";
        assert_eq!(app.count(open).await, round + 1, "one series a task goes on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn completing_twice_is_one_event() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    let task = ada.make(json!({"title": "a"})).await;
    assert_eq!(ada.reopen(&task).await, task, "it is open");
    let completed = ada.complete(&task).await;
    assert_eq!((&completed["status"], &completed["version"]), (&json!("completed"), &json!(2)));
    assert_eq!(completed["completed_at"], "2026-02-01T00:00:00.000000Z");
    app.app.bed().advance_micros(1_000_000);
    let again = join_all((0..8).map(|_| ada.complete(&task))).await;
    assert!(again.iter().all(|answer| *answer == completed), "the first time is kept");
    let reopened = join_all((0..8).map(|_| ada.reopen(&task))).await;
    assert!(reopened.iter().all(|answer| answer["version"] == 3 && answer["completed_at"].is_null()));
    app.quiet().await;
    let story = app.story(&format!("task/{}", id(&task))).await;
    assert_eq!(story, ["created", "completed", "reopened"]);
}

/// Many clients do everything to a few tasks; whatever comes of it, versions and events agree.
#[tokio::test(flavor = "multi_thread")]
async fn versions_and_events_are_dense() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    let mut tasks = Vec::new();
    for n in 0..3 {
        tasks.push(
            ada.make(json!({"title": n.to_string(), "due_date": "2026-02-02", "recurrence_rule": "daily"})).await,
        );
    }
    let deeds = (0..48).map(|n: usize| {
        let (task, ada) = (&tasks[n % 3], &ada);
        async move {
            match n % 5 {
                0 => ada.post(&format!("{}/complete", path(task)), json!({})).await,
                1 => ada.post(&format!("{}/reopen", path(task)), json!({})).await,
                2 if n > 40 => ada.delete(&path(task)).await,
                _ => ada.patch(&path(task), json!({"title": format!("title {n}")})).await,
            }
        }
    });
    for answer in join_all(deeds).await {
        assert!(matches!(answer.status, 200 | 204 | 404 | 409), "{} {}", answer.status, answer.json);
    }
    app.quiet().await;
    let streams = "select 'task/' || id, version from task union all select 'series/' || id, version from series";
    for row in app.sql().await.query(streams, &[]).await.expect("streams") {
        let (stream, version): (String, i64) = (row.get(0), row.get(1));
        assert_eq!(app.story(&stream).await.len() as i64, version, "{stream}");
        let last = format!("select last_seq from event_stream where stream = '{stream}' and acked_seq = last_seq");
        assert_eq!(app.count(&last).await, version, "{stream}");
    }
}
