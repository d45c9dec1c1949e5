//! Notifications: one for each reminder that went off, read when somebody says so.

use futures::future::{join, join_all};
use serde_json::{Value, json};

use crate::harness::{Person, Spindle};
use crate::steps::id;

/// Gives somebody `count` notifications, now.
async fn notify(person: &Person<'_>, count: usize) {
    let due = person.app.app.bed().now_micros();
    let due = jiff::Timestamp::from_second(due / 1_000_000).expect("an instant").to_string();
    for n in 0..count {
        person.make(json!({"title": format!("{n} {due}"), "due_date": due, "reminder_minutes": [0]})).await;
    }
    person.app.quiet().await;
}

async fn unread(person: &Person<'_>) -> u64 {
    person.get("/api/v1/notifications/unread-count").await.json["unread"].as_u64().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_one_keeps_its_first_time() {
    let app = Spindle::start().await;
    let (ada, bob) = (app.person("ada", "UTC").await, app.person("bob", "UTC").await);
    notify(&ada, 3).await;
    assert_eq!((unread(&ada).await, unread(&bob).await), (3, 0));
    let all = ada.items("/api/v1/notifications").await;
    assert!(all.iter().all(|notification| notification["read_at"].is_null()));
    let read = format!("/api/v1/notifications/{}/read", id(&all[1]));
    assert_eq!(bob.post(&read, json!({})).await.status, 404);
    assert_eq!(unread(&ada).await, 3);
    app.app.bed().advance_micros(1_000_000);
    let first = ada.post(&read, json!({})).await;
    assert_eq!((first.status, &first.json["read_at"]), (200, &json!("2026-02-01T00:00:01Z")));
    app.app.bed().advance_micros(1_000_000);
    assert_eq!(ada.post(&read, json!({})).await.json, first.json, "again");
    assert_eq!(unread(&ada).await, 2);
    assert_eq!(ada.items("/api/v1/notifications").await[1], first.json);
    let unknown = "/api/v1/notifications/0197a000-0000-7000-8000-000000000001/read";
    assert_eq!(ada.post(unknown, json!({})).await.status, 404);
    assert_eq!(ada.post("/api/v1/notifications/x/read", json!({})).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_all_leaves_what_comes_later() {
    let app = Spindle::start().await;
    let (ada, bob) = (app.person("ada", "UTC").await, app.person("bob", "UTC").await);
    notify(&ada, 3).await;
    notify(&bob, 2).await;
    let one = ada.items("/api/v1/notifications").await.remove(0);
    let one = ada.post(&format!("/api/v1/notifications/{}/read", id(&one)), json!({})).await.json;
    app.app.bed().advance_micros(5_000_000);
    let marked = ada.post("/api/v1/notifications/read-all", json!({})).await;
    assert_eq!((marked.status, &marked.json["marked"]), (200, &json!(2)));
    assert_eq!(ada.post("/api/v1/notifications/read-all", json!({})).await.json["marked"], 0);
    notify(&ada, 1).await;
    assert_eq!((unread(&ada).await, unread(&bob).await), (1, 2));
    let all = ada.items("/api/v1/notifications").await;
    assert!(all[0]["read_at"].is_null() && all[1..].iter().all(|notification| notification["read_at"].is_string()));
    assert!(all.contains(&one), "what was read before keeps its time");
}

/// While one marks all, others come: none of them is both marked and new to the reader's count.
#[tokio::test(flavor = "multi_thread")]
async fn the_count_is_what_the_list_shows() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    for _ in 0..3 {
        let read = async {
            for _ in 0..5 {
                ada.post("/api/v1/notifications/read-all", json!({})).await;
            }
        };
        join(notify(&ada, 5), read).await;
        app.app.bed().advance_micros(1_000_000);
        let all = ada.items("/api/v1/notifications?limit=100").await;
        let shown = all.iter().filter(|notification| notification["read_at"].is_null()).count();
        assert_eq!(unread(&ada).await, shown as u64);
    }
    assert_eq!(ada.all("/api/v1/notifications", 4).await.len(), 15);
}

fn due(n: u32, reminder: u32, user: &str) -> Value {
    let uuid = |kind: u32, n: u32| format!("0197a000-000{kind}-7000-8000-{n:012}");
    json!({
        "specversion": "1.0", "id": uuid(1, n), "source": "/spindle", "type": "dev.spindle.reminder.due.v1",
        "subject": format!("reminder/{}", uuid(2, reminder)), "time": "2026-02-01T00:00:00Z",
        "datacontenttype": "application/json", "userid": user, "sequence": "1",
        "data": {
            "reminder_id": uuid(2, reminder), "task_id": uuid(3, reminder), "title": "a", "minutes": 0,
            "due_at": "2026-02-01T00:00:00Z", "fire_at": "2026-02-01T00:00:00Z",
        },
    })
}

const EVENTS: &str = "/internal/notifications/events";

#[tokio::test(flavor = "multi_thread")]
async fn one_reminder_has_one_notification() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    for _ in 0..2 {
        let answers = join_all((0..10).map(|_| app.internal(EVENTS, due(1, 1, &ada.id).to_string()))).await;
        assert!(answers.iter().all(|answer| answer.status == 200));
    }
    // the same reminder in another event, and the same event delivered by the tick as well
    assert_eq!(app.internal(EVENTS, due(2, 1, &ada.id).to_string()).await.status, 200);
    app.tick_at("2026-02-01T00:05:00Z").await;
    assert_eq!(ada.items("/api/v1/notifications").await.len(), 1);
    assert_eq!(app.internal(EVENTS, due(3, 2, &ada.id).to_string()).await.status, 200);
    assert_eq!((ada.items("/api/v1/notifications").await.len(), unread(&ada).await), (2, 2));
    assert_eq!(app.unfinished().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_inside_delivers() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    let event = due(1, 1, &ada.id).to_string();
    let wrong: [&[(&str, &str)]; 4] = [
        &[],
        &[("dapr-api-token", "")],
        &[("dapr-api-token", "internal-token-of-test")],
        // what a client writes before the proxy's own does not count
        &[("dapr-api-token", crate::harness::INTERNAL_TOKEN), ("dapr-api-token", "x")],
    ];
    for headers in wrong {
        assert_eq!(app.send("POST", EVENTS, headers, event.clone()).await.status, 401, "{headers:?}");
    }
    assert_eq!(ada.call("POST", EVENTS, event.clone()).await.status, 401, "a user is not the inside");
    let other = event.replace("reminder.due", "task.created");
    assert_eq!(app.internal(EVENTS, other).await.status, 200, "not for it");
    assert_eq!(app.count("select (select count(*) from inbox) + (select count(*) from inbox_done)").await, 0);
}

/// Sent again it would be no better, so it is kept for an operator, once, and holds up nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_event_is_kept_as_dead() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    let event = due(1, 1, &ada.id).to_string();
    let large = format!("{event}{}", " ".repeat(300 * 1024));
    for _ in 0..2 {
        for broken in ["{", "[]", "{}", "\u{0}", &event.replace("1.0", "0.3"), &event.replace("\"1\"", "\"0\"")] {
            assert_eq!(app.internal(EVENTS, broken.to_owned()).await.status, 200, "{broken}");
        }
    }
    assert_eq!(app.internal(EVENTS, large.clone()).await.status, 200);
    assert_eq!(app.internal(EVENTS, event[..event.len() - 1].to_owned()).await.status, 200);
    let dead = "select count(*) from inbox where state = 'dead' and type = 'unreadable' and error is not null";
    assert_eq!(app.count(dead).await, 8);
    assert_eq!(app.count("select count(*) from inbox where data->>'body' = '{'").await, 1);
    assert_eq!(app.internal(EVENTS, event).await.status, 200);
    assert_eq!(unread(&ada).await, 1, "the next one is applied");
    app.app.bed().advance_micros(300_000_000);
    app.tick().await;
    assert_eq!(app.count(dead).await, 8, "nothing tries them again");
}

/// An event that cannot be applied is tried eight times, kept as dead, and holds up no other.
#[tokio::test(flavor = "multi_thread")]
async fn a_poisonous_event_dies_alone() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    let mut poison = due(1, 1, &ada.id);
    poison["data"]["due_at"] = json!("no time at all");
    assert_eq!(app.internal(EVENTS, poison.to_string()).await.status, 200, "received");
    assert_eq!(app.internal(EVENTS, due(2, 2, &ada.id).to_string()).await.status, 200);
    assert_eq!(unread(&ada).await, 1);
    let attempts = "select attempts::bigint from inbox where state <> 'done'";
    let mut tries = vec![app.count(attempts).await];
    for _ in 0..12 {
        app.app.bed().advance_micros(300_000_000);
        app.tick().await;
        tries.push(app.count(attempts).await);
    }
    assert_eq!(app.count("select count(*) from inbox where state = 'dead' and error is not null").await, 1);
    assert_eq!(
        (tries[0], tries[1], *tries.last().expect("one")),
        (1, 2, 9),
        "eight tries and the giving up: {tries:?}"
    );
    let metrics = app.send("GET", "/metrics", &[], "").await;
    assert!(String::from_utf8_lossy(&metrics.body).contains("\nspindle_inbox_dead{consumer=\"notifications\"} 1\n"));
}
