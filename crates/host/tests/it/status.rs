//! Status: up, ready, and how it is doing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::harness::{Setup, Spindle, database, micros, root};
use crate::statements;
use crate::steps::without_hints;

/// The metrics, read as Prometheus does: each name with a HELP and a TYPE line before its values.
pub async fn metrics(app: &Spindle) -> BTreeMap<String, f64> {
    let answer = app.send("GET", "/metrics", &[], "").await;
    assert_eq!(answer.status, 200);
    assert!(answer.headers["content-type"].to_str().expect("text").starts_with("text/plain; version=0.0.4"));
    let text = String::from_utf8(answer.body.to_vec()).expect("UTF-8");
    assert!(text.ends_with('\n'));
    let (mut found, mut names, mut name) = (BTreeMap::new(), BTreeSet::new(), "");
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            name = help.split_once(' ').expect("a name and words").0;
            assert!(name.starts_with("spindle_") && name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{name}");
            let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
            assert_eq!(lines.next(), Some(format!("# TYPE {name} {kind}").as_str()));
            assert!(names.insert(name), "{name} comes twice");
            continue;
        }
        let (series, value) = line.rsplit_once(' ').expect("a name and a value");
        assert_eq!(series.split('{').next(), Some(name), "{line}");
        let value: f64 = value.parse().expect("a number");
        assert!(value >= 0.0 && found.insert(series.to_owned(), value).is_none(), "{line}");
    }
    found
}

/// The series of a metric, without its common beginning.
fn of(metrics: &BTreeMap<String, f64>, name: &str) -> BTreeMap<String, f64> {
    let series = metrics.iter().filter_map(|(series, value)| Some((series.strip_prefix(name)?, *value)));
    series.filter(|(label, _)| label.starts_with('{')).map(|(label, value)| (label.to_owned(), value)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_count() {
    let app = Spindle::with(without_hints()).await;
    let quiet = metrics(&app).await;
    assert!(quiet.values().all(|value| *value == 0.0), "{quiet:?}");
    let ada = app.person("ada", "UTC").await;
    for minute in [1, 2, 60] {
        let due = format!("2026-02-01T{:02}:{:02}:00Z", minute / 60, minute % 60);
        ada.make(json!({"title": "a", "due_date": due, "reminder_minutes": [0]})).await;
        app.app.bed().advance_micros(1_000_000);
    }
    app.app.bed().set_now_micros(micros("2026-02-01T00:01:30.500Z"));
    let waiting = metrics(&app).await;
    let tasks = "{topic=\"task-events\"}";
    let outbox = ["events", "oldest_seconds"].map(|what| waiting[&format!("spindle_outbox_{what}{tasks}")]);
    assert_eq!(outbox, [3.0, 90.5]);
    assert_eq!(of(&waiting, "spindle_outbox_events")["{topic=\"reminders\"}"], 0.0);
    assert_eq!(waiting["spindle_relay_attempts"], 0.0, "nothing has been tried");
    app.relay().await;
    app.app.bed().set_now_micros(micros("2026-02-01T00:02:00Z"));
    let late = metrics(&app).await;
    assert_eq!(late["spindle_reminders_overdue"], 1.0, "the first went off when it was made, late");
    app.tick().await;
    app.quiet().await;
    let quiet = metrics(&app).await;
    assert!(quiet.values().all(|value| *value == 0.0), "{quiet:?}");
}

/// What was given up and what waits, by consumer; and how often a relay has tried in vain.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_stuck_shows_by_consumer() {
    let mut setup = without_hints();
    setup.without = vec!["notifications"];
    let app = Spindle::with(setup).await;
    let ada = app.person("ada", "UTC").await;
    let append = include_str!("../../../../components/audit/sql/append.sql");
    app.app.bed().rewrite_sql(append, "select 1/0 > 0 as appended");
    ada.make(json!({"title": "a", "due_date": "2026-01-31T09:00:00Z", "reminder_minutes": [0]})).await;
    app.relay().await;
    app.app.settle().await;
    app.app.bed().set_now_micros(micros("2026-02-01T00:00:01.500Z"));
    app.relay().await;
    let stuck = metrics(&app).await;
    let audit = |what: &str| stuck[&format!("spindle_inbox_{what}{{consumer=\"audit\"}}")];
    assert_eq!((audit("waiting"), audit("oldest_seconds"), audit("dead")), (2.0, 1.5, 0.0), "{stuck:?}");
    assert_eq!(stuck["spindle_inbox_waiting{consumer=\"reminders\"}"], 0.0);
    assert_eq!(stuck["spindle_outbox_events{topic=\"reminders\"}"], 1.0, "notifications is not there to take it");
    assert_eq!(stuck["spindle_relay_attempts"], 1.0);
    app.tamper("update inbox set state = 'dead' where consumer = 'audit' and type like '%task%'").await;
    let dead = of(&metrics(&app).await, "spindle_inbox_dead");
    assert_eq!(
        dead.into_iter().filter(|(_, value)| *value > 0.0).collect::<Vec<_>>(),
        [("{consumer=\"audit\"}".into(), 1.0)]
    );
}

/// A graph has a line for each topic and consumer from the beginning.
#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_know_every_topic_and_consumer() {
    let app = Spindle::start().await;
    let found = metrics(&app).await;
    let sql = "select pg_get_constraintdef(oid) from pg_constraint where conname = 'outbox_topic_check'";
    let check: String = app.sql().await.query_one(sql, &[]).await.expect("the check on topics").get(0);
    let topics =
        check.split('\'').skip(1).step_by(2).map(|topic| format!("{{topic=\"{topic}\"}}")).collect::<BTreeSet<_>>();
    assert!(topics.len() >= 2, "{check}");
    assert_eq!(of(&found, "spindle_outbox_events").into_keys().collect::<BTreeSet<_>>(), topics);
    let all = statements::components(&root()).into_iter().filter(|name| statements::consumes(&root(), name));
    let consumers = all.map(|name| format!("{{consumer=\"{name}\"}}")).collect::<BTreeSet<_>>();
    assert_eq!(of(&found, "spindle_inbox_dead").into_keys().collect::<BTreeSet<_>>(), consumers);
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
