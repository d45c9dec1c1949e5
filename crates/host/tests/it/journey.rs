//! The whole journey: a task, its reminder, its next occurrence, its audit trail; and that it breaks where it should.

use serde_json::{Value, json};

use crate::chains::chains_verify;
use crate::harness::{Person, Setup, Spindle};

/// The step at which a journey broke.
type Broken = &'static str;

fn check(holds: bool, step: Broken) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(step) }
}

/// What the journey is about, which differs between its two runs.
struct Plan {
    time_zone: &'static str,
    due: &'static str,
    reminder_at: &'static str,
    completed_at: &'static str,
    next_due: &'static str,
}

const UTC: Plan = Plan {
    time_zone: "UTC",
    due: "2026-02-10T09:00:00Z",
    reminder_at: "2026-02-10T08:30:00Z",
    completed_at: "2026-02-10T09:10:00Z",
    next_due: "2026-02-17T09:00:00Z",
};

/// 09:00 in New York is 14:00 UTC before 8 March and 13:00 after.
const NEW_YORK: Plan = Plan {
    time_zone: "America/New_York",
    due: "2026-03-03T14:00:00Z",
    reminder_at: "2026-03-03T13:30:00Z",
    completed_at: "2026-03-03T14:10:00Z",
    next_due: "2026-03-10T13:00:00Z",
};

async fn journey(app: &Spindle, plan: &Plan) -> Result<(), Broken> {
    let mut person = app.person("ada", plan.time_zone).await;
    let task = create(&person, plan).await?;
    check(
        app.count("select count(*) from event_stream where stream like 'task/%' and last_seq = 1").await == 1,
        "outbox",
    )?;
    // the hint wakes the relay without any tick
    app.app.settle().await;
    check(app.count("select count(*) from inbox_done").await > 0, "relay")?;
    check(story(&person).await.contains(&"dev.spindle.task.created.v1".to_owned()), "audit")?;

    app.tick_at("2026-02-01T00:05:00Z").await;
    remind(app, &mut person, plan, &task).await?;
    go_on(app, &mut person, plan, &task).await?;
    let told = story(&person).await;
    for kind in ["task.completed", "series.created", "series.advanced", "reminder.due"] {
        check(told.contains(&format!("dev.spindle.{kind}.v1")), "audit")?;
    }
    check(told.iter().filter(|kind| kind.contains("task.created")).count() == 2, "audit")?;
    check(chains_verify(&app.sql().await).await, "audit chain")?;
    check(app.unfinished().await == 0, "quiet")
}

async fn create(person: &Person<'_>, plan: &Plan) -> Result<Value, Broken> {
    let body = json!({
        "title": "Weekly standup", "priority": "P1", "tags": ["work", "meetings"], "recurrence_rule": "weekly",
        "due_date": plan.due, "reminder_minutes": 30,
    });
    let made = person.post("/api/v1/tasks", body).await;
    check(made.status == 201, "create")?;
    check(made.json["priority"] == "P1" && made.json["tags"] == json!(["meetings", "work"]), "create")?;
    check(made.json["due_date"] == plan.due && made.json["recurrence_rule"] == "FREQ=WEEKLY", "create")?;
    Ok(made.json)
}

/// Nothing a moment before its time, one notification at it, and no second one later.
async fn remind(app: &Spindle, person: &mut Person<'_>, plan: &Plan, task: &Value) -> Result<(), Broken> {
    let moment = plan.reminder_at.parse::<jiff::Timestamp>().expect("an instant");
    app.tick_at(&(moment - jiff::SignedDuration::from_micros(1)).to_string()).await;
    person.sign_in().await;
    check(found(person, "/api/v1/notifications").await.is_empty(), "reminder too early")?;
    app.tick_at(plan.reminder_at).await;
    check(app.count("select count(*) from reminder where state = 'fired'").await == 1, "reminder")?;
    app.tick().await;
    let notifications = found(person, "/api/v1/notifications").await;
    check(notifications.len() == 1, "notification")?;
    let notification = &notifications[0];
    check(notification["task_id"] == task["id"] && notification["title"] == "Weekly standup", "notification")?;
    check(notification["fire_at"] == plan.reminder_at && notification["read_at"].is_null(), "notification")
}

/// Completing the task brings the next one, with its own reminder, and no more than one.
async fn go_on(app: &Spindle, person: &mut Person<'_>, plan: &Plan, task: &Value) -> Result<(), Broken> {
    app.tick_at(plan.completed_at).await;
    person.sign_in().await;
    let path = format!("/api/v1/tasks/{}/complete", task["id"].as_str().unwrap_or_default());
    check(person.post(&path, json!({})).await.json["status"] == "completed", "complete")?;
    check(person.post(&path, json!({})).await.json["version"] == 2, "complete again")?;
    app.app.settle().await;
    app.tick().await;
    let open = found(person, "/api/v1/tasks?status=open").await;
    check(open.len() == 1, "next occurrence")?;
    check(open[0]["due_date"] == plan.next_due && open[0]["series_id"] == task["series_id"], "next occurrence")?;
    check(open[0]["title"] == "Weekly standup" && open[0]["reminder_minutes"] == json!([30]), "next occurrence")?;
    let reminders = found(person, "/api/v1/reminders").await;
    let pending: Vec<_> = reminders.iter().filter(|reminder| reminder["state"] == "pending").collect();
    check(pending.len() == 1 && pending[0]["task_id"] == open[0]["id"], "next reminder")
}

/// The items at `path`; none where a component is left out.
async fn found(person: &Person<'_>, path: &str) -> Vec<Value> {
    person.get(path).await.json["items"].as_array().cloned().unwrap_or_default()
}

async fn story(person: &Person<'_>) -> Vec<String> {
    let entries = found(person, "/api/v1/audit?limit=100").await;
    entries.iter().filter_map(|entry| entry["type"].as_str().map(str::to_owned)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journey_runs() {
    let app = Spindle::start().await;
    assert_eq!(journey(&app, &UTC).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journey_crosses_daylight_saving() {
    let app = Spindle::start().await;
    assert_eq!(journey(&app, &NEW_YORK).await, Ok(()));
}

/// Without one of its parts the journey must break at the step that names it; a journey that does not would prove
/// nothing.
#[tokio::test(flavor = "multi_thread")]
async fn the_journey_needs_every_part() {
    let parts = [
        ("relay", "relay"),
        ("recurrence", "next occurrence"),
        ("reminders", "reminder"),
        ("notifications", "notification"),
        ("audit", "audit"),
    ];
    for (part, step) in parts {
        let app = Spindle::with(Setup { without: vec![part], ..Setup::default() }).await;
        assert_eq!(journey(&app, &UTC).await, Err(step), "without {part}");
    }
}
