//! What seldom happens: a rule that ends, an event that nobody can apply, and what an operator sees of it.

use domain::event::Event;
use serde_json::json;

use crate::harness::{INTERNAL_TOKEN, Spindle};

#[tokio::test(flavor = "multi_thread")]
async fn a_series_ends_with_its_rule() {
    let app = Spindle::start().await;
    let person = app.person("ada", "UTC").await;
    let task = json!({"title": "Twice", "due_date": "2026-02-10", "recurrence_rule": "FREQ=DAILY;COUNT=2"});
    let first = person.post("/api/v1/tasks", task).await;
    assert_eq!(first.status, 201, "{}", first.json);
    for due in ["2026-02-10", "2026-02-11"] {
        let open = person.items("/api/v1/tasks?status=open").await;
        assert_eq!((open.len(), &open[0]["due_date"]), (1, &json!(due)));
        let path = format!("/api/v1/tasks/{}/complete", open[0]["id"].as_str().expect("an id"));
        assert_eq!(person.post(&path, json!({})).await.status, 200);
        app.app.settle().await;
        app.tick().await;
    }
    assert!(person.items("/api/v1/tasks?status=open").await.is_empty());
    let series = person.get(&format!("/api/v1/recurring-tasks/{}", first.text("series_id"))).await;
    assert_eq!((series.status, series.text("end_reason").as_str()), (200, "finished"));
    assert!(series.json["ended_at"].is_string());
    let told = person.items("/api/v1/audit").await;
    assert!(told.iter().any(|entry| entry["type"] == "dev.spindle.series.ended.v1"), "{told:?}");
    assert_eq!(app.unfinished().await, 0);
}

/// How many events of recurrence's inbox wait, or were given up.
async fn inbox(app: &Spindle, what: &str) -> f64 {
    let name = format!("spindle_inbox_{what}{{consumer=\"recurrence\"}}");
    let answer = app.send("GET", "/metrics", &[], "").await;
    assert_eq!(answer.status, 200);
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in {text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_cannot_be_applied_is_given_up_and_seen() {
    let app = Spindle::start().await;
    let id = "01900000-0000-7000-8000-000000000001".parse().expect("an id");
    let kind = "dev.spindle.task.completed.v1".to_owned();
    let time = "2026-02-01T00:00:00Z".parse().expect("an instant");
    let event = Event::new(id, kind, "task/1".to_owned(), 1, time, id, json!({"no": "task_id"}));
    let event = serde_json::to_string(&event).expect("JSON");
    let headers = [("dapr-api-token", INTERNAL_TOKEN)];
    // it is safe with its consumer, so it is not sent again
    assert_eq!(app.send("POST", "/internal/recurrence/events", &headers, event).await.status, 200);
    assert_eq!((inbox(&app, "waiting").await, inbox(&app, "dead").await), (1.0, 0.0));
    for attempt in 1..=8 {
        let row = app.sql().await.query_one("select attempts, state, error from inbox", &[]).await.expect("a row");
        assert_eq!((row.get(0), row.get::<_, &str>(1)), (attempt, "new"));
        assert!(row.get::<_, &str>(2).contains("task_id"), "the reason is kept");
        app.app.bed().advance_micros(1_000_000);
        app.tick().await;
        app.app.bed().advance_micros(300_000_000);
        app.tick().await;
    }
    assert_eq!((inbox(&app, "waiting").await, inbox(&app, "dead").await), (0.0, 1.0));
    assert_eq!(app.send("GET", "/readyz", &[], "").await.status, 200);
    assert_eq!(app.send("GET", "/healthz", &[], "").await.status, 200);
}
