//! Tasks: what a client writes is what it reads, and every change is one version and one event.

mod changes;
mod dates;
mod pages;

use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::Spindle;
use crate::steps::{id, path};

/// A new id of version 7, the `n`th of its kind.
fn uuid_v7(n: u8) -> String {
    uuid::Builder::from_unix_timestamp_millis(1_769_904_000_000, &[n; 10]).into_uuid().to_string()
}

fn full() -> Value {
    json!({
        "title": "Pay the rent, 家賃 🏠", "description": "line one\n\tline two \"quoted\" \\ ß", "priority": "P2",
        "tags": ["home", "Ä", "money"], "due_date": "2026-03-01T17:30:00Z", "time_zone": "Europe/Berlin",
        "recurrence_rule": "FREQ=MONTHLY;BYMONTHDAY=1", "reminder_minutes": [1440, 60, 0],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_comes_back() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    let made = ada.make(full()).await;
    for (field, value) in full().as_object().expect("fields").iter().filter(|(field, _)| *field != "tags") {
        assert_eq!(made[field], *value, "{field}");
    }
    assert_eq!(made["tags"], json!(["home", "money", "Ä"]), "sorted");
    assert_eq!((&made["status"], &made["version"]), (&json!("open"), &json!(1)));
    assert_eq!(made["created_at"], "2026-02-01T00:00:00.000000Z");
    assert_eq!(made["updated_at"], made["created_at"]);
    assert!(made["completed_at"].is_null() && made["series_id"].is_string());
    assert_eq!(ada.look(&made).await, made);
    assert_eq!(ada.items("/api/v1/tasks").await, [made]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_title_is_needed() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    let made = ada.make(json!({"title": "  buy milk "})).await;
    assert_eq!(made["title"], "buy milk");
    for field in ["description", "priority", "due_date", "time_zone", "recurrence_rule", "series_id", "occurrence"] {
        assert!(made[field].is_null() && made.get(field).is_some(), "{field} is there as null");
    }
    assert_eq!((&made["tags"], &made["reminder_minutes"]), (&json!([]), &json!([])));
    let answer = ada.post("/api/v1/tasks", json!({"title": "b"})).await;
    let location = answer.headers["location"].to_str().expect("text").to_owned();
    assert_eq!(ada.get(&location).await.json, answer.json);
}

/// The longest of everything, in characters of four bytes: it fits the columns, and its events fit theirs.
#[tokio::test(flavor = "multi_thread")]
async fn the_longest_task_fits() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    let emoji = |count: usize| "🦀".repeat(count);
    let tags: Vec<String> = (10..60).map(|n| format!("{}{n}", emoji(48))).collect();
    let mut body = json!({
        "title": emoji(500), "description": emoji(20_000), "tags": tags, "due_date": "9998-12-31",
        "reminder_minutes": [525_600, 9, 8, 7, 6, 5, 4, 3, 2, 1],
    });
    let made = ada.make(body.clone()).await;
    assert_eq!(ada.look(&made).await["description"], body["description"]);
    assert_eq!(made["tags"].as_array().map(Vec::len), Some(50));
    app.quiet().await;
    assert_eq!(ada.items("/api/v1/reminders").await.len(), 10);
    for (field, value) in
        [("title", json!(emoji(501))), ("description", json!(emoji(20_001))), ("tags", json!([emoji(51)]))]
    {
        body[field] = value;
        let refused = ada.post("/api/v1/tasks", body.clone()).await;
        assert_eq!(refused.status, 422, "{field}");
        assert_eq!(refused.json["errors"][0]["pointer"], format!("/{field}"));
        body[field] = made[field].clone();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_create_answers_the_stored_task() {
    let app = Spindle::start().await;
    let (ada, bob) = (app.person("ada", "UTC").await, app.person("bob", "UTC").await);
    let mut body = full();
    body["id"] = json!(uuid_v7(1));
    let made = ada.make(body.clone()).await;
    app.app.bed().advance_micros(1_000_000);
    body["title"] = json!("something else");
    let again = ada.post("/api/v1/tasks", body.clone()).await;
    assert_eq!((again.status, &again.json), (200, &made));
    assert_eq!(bob.post("/api/v1/tasks", body.clone()).await.status, 409, "someone else's id");
    assert_eq!(bob.get(&path(&made)).await.status, 404);
    app.quiet().await;
    assert_eq!(app.story(&format!("task/{}", id(&made))).await, ["created"]);
    assert_eq!(app.count("select count(*) from series").await, 1);
    assert_eq!(ada.delete(&path(&made)).await.status, 204);
    assert_eq!(ada.post("/api/v1/tasks", body).await.status, 409, "the id of a deleted task");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_create_at_once_makes_one_task() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    for n in 1..=5 {
        let mut body = full();
        body["id"] = json!(uuid_v7(n));
        let answers = join_all((0..8).map(|_| ada.post("/api/v1/tasks", body.clone()))).await;
        let made = answers.iter().filter(|answer| answer.status == 201).count();
        let found = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!((made, found), (1, 7), "{:?}", answers.iter().map(|a| a.status).collect::<Vec<_>>());
        assert!(answers.iter().all(|answer| answer.json == answers[0].json));
        app.quiet().await;
        assert_eq!(app.story(&format!("task/{}", uuid_v7(n))).await, ["created"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_ids_of_version_seven_are_taken() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    for bad in [json!(Uuid::nil().to_string()), json!("x"), json!(7), json!("0197a000-0000-4000-8000-000000000001")] {
        let refused = ada.post("/api/v1/tasks", json!({"title": "a", "id": bad})).await;
        assert_eq!((refused.status, &refused.json["errors"][0]["pointer"]), (422, &json!("/id")), "{bad}");
    }
    assert_eq!(ada.items("/api/v1/tasks").await.len(), 0);
}

/// What was deleted is gone for everything but another delete.
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_task_is_gone() {
    let app = Spindle::start().await;
    let (ada, bob) = (app.person("ada", "UTC").await, app.person("bob", "UTC").await);
    let task = ada.make(json!({"title": "a"})).await;
    assert_eq!(bob.delete(&path(&task)).await.status, 404);
    assert_eq!(ada.look(&task).await["version"], 1);
    for _ in 0..2 {
        let removed = ada.delete(&path(&task)).await;
        assert_eq!((removed.status, removed.body.len()), (204, 0));
    }
    assert_eq!(ada.get(&path(&task)).await.status, 404);
    assert_eq!(ada.patch(&path(&task), json!({"title": "b"})).await.status, 404);
    for verb in ["complete", "reopen"] {
        assert_eq!(ada.post(&format!("{}/{verb}", path(&task)), json!({})).await.status, 404, "{verb}");
    }
    assert_eq!(ada.items("/api/v1/tasks").await.len(), 0);
    let unknown = json!({"id": uuid_v7(9)});
    assert_eq!(ada.delete(&path(&unknown)).await.status, 404);
    app.quiet().await;
    assert_eq!(app.story(&format!("task/{}", id(&task))).await, ["created", "deleted"]);
}
