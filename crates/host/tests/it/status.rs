//! Status: up, ready, and how it is doing.

use std::collections::BTreeMap;

use serde_json::json;

use crate::harness::{Setup, Spindle, database, micros};
use crate::steps::without_hints;

/// The metrics, read as Prometheus does: each value with a HELP and a TYPE line before it, and at the end a counter for
/// each consumer.
pub async fn metrics(app: &Spindle) -> BTreeMap<String, f64> {
    let answer = app.send("GET", "/metrics", &[], "").await;
    assert_eq!(answer.status, 200);
    assert!(answer.headers["content-type"].to_str().expect("text").starts_with("text/plain; version=0.0.4"));
    let text = String::from_utf8(answer.body.to_vec()).expect("UTF-8");
    assert!(text.ends_with('\n'));
    let mut found = BTreeMap::new();
    let (text, healed) = text.split_once("# HELP spindle_events_gaps_healed_total ").expect("what was healed");
    let (_, healed) = healed.split_once("\n# TYPE spindle_events_gaps_healed_total counter\n").expect("its type");
    for line in healed.lines() {
        let (name, value) = line.rsplit_once(' ').expect("a name and a value");
        assert!(found.insert(name.to_owned(), value.parse().expect("a number")).is_none(), "{line}");
    }
    let lines: Vec<&str> = text.lines().collect();
    for three in lines.chunks(3) {
        let [help, kind, value] = three else { panic!("{three:?}") };
        let (name, value) = value.split_once(' ').expect("a name and a value");
        assert!(name.starts_with("spindle_") && name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{name}");
        assert!(help.starts_with(&format!("# HELP {name} ")) && *kind == format!("# TYPE {name} gauge"), "{three:?}");
        let value: f64 = value.parse().expect("a number");
        assert!(value >= 0.0 && found.insert(name.to_owned(), value).is_none(), "{name} {value}");
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_count() {
    let app = Spindle::with(without_hints()).await;
    let quiet = metrics(&app).await;
    assert_eq!(quiet.len(), 5 + 4);
    assert!(quiet.values().all(|value| *value == 0.0), "{quiet:?}");
    let ada = app.person("ada", "UTC").await;
    for minute in [1, 2, 60] {
        let due = format!("2026-02-01T{:02}:{:02}:00Z", minute / 60, minute % 60);
        ada.make(json!({"title": "a", "due_date": due, "reminder_minutes": [0]})).await;
        app.app.bed().advance_micros(1_000_000);
    }
    app.app.bed().set_now_micros(micros("2026-02-01T00:01:30.500Z"));
    let waiting = metrics(&app).await;
    assert_eq!((waiting["spindle_outbox_events"], waiting["spindle_outbox_oldest_seconds"]), (3.0, 90.5));
    app.relay().await;
    app.app.bed().set_now_micros(micros("2026-02-01T00:02:00Z"));
    let late = metrics(&app).await;
    assert_eq!(late["spindle_reminders_overdue"], 1.0, "the first went off when it was made, late");
    app.tick().await;
    app.quiet().await;
    let quiet = metrics(&app).await;
    assert!(quiet.values().all(|value| *value == 0.0), "{quiet:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_database_it_is_up_but_not_ready() {
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    let setup = Setup { variables: vec![("db_host", nowhere.to_string())], ..Setup::default() };
    let app = Spindle::on(database().await, setup).await;
    let health = app.send("GET", "/healthz", &[], "").await;
    assert_eq!((health.status, &health.body[..]), (200, &b"ok\n"[..]));
    for path in ["/readyz", "/metrics"] {
        let answer = app.send("GET", path, &[], "").await;
        assert_eq!(
            (answer.status, &answer.headers["retry-after"]),
            (503, &http::HeaderValue::from_static("2")),
            "{path}"
        );
        assert_eq!(answer.json["type"], "/problems/unavailable");
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(!text.contains("127.0.0.1") && !text.contains("postgres"), "tells too much: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ready_means_migrated() {
    let app = Spindle::start().await;
    let ready = app.send("GET", "/readyz", &[], "").await;
    assert_eq!((ready.status, &ready.body[..]), (200, &b"ready\n"[..]));
    app.tamper("delete from schema_migration where number > 7").await;
    assert_eq!(app.send("GET", "/readyz", &[], "").await.status, 503);
    assert_eq!(app.send("GET", "/healthz", &[], "").await.status, 200);
    assert_eq!(app.send("POST", "/healthz", &[], "").await.status, 405);
    assert_eq!(app.send("HEAD", "/healthz", &[], "").await.status, 200);
}
