//! Status: is it up, is it ready, how is it doing. Owns nothing.

use std::collections::BTreeMap;

use domain::event::CONSUMERS;
use edge::{Call, Problem, Reply, Route, get, params, row};

/// The schema that these components need.
const SCHEMA: i64 = 9;

const ROUTES: &[Route] =
    &[get("/healthz", health).public(), get("/readyz", ready).public(), get("/metrics", metrics).public()];

edge::http_component!(ROUTES);

row! {
    struct Ready { schema_version: i64 }
}

row! {
    struct Number {
        metric: String,
        label: String,
        value: f64,
    }
}

/// What numbers are counted by: the label's name, and the values that are shown even when there is nothing to count, so
/// that a graph has no holes.
type Label = (&'static str, &'static [&'static str]);

const TOPIC: Label = ("topic", &["reminders", "task-events"]);
const CONSUMER: Label = ("consumer", &CONSUMERS);
/// Counted over all.
const ALL: Label = ("", &[""]);

/// The numbers of `metrics.sql`: name, meaning, label.
const METRICS: [(&str, &str, Label); 8] = [
    ("outbox_events", "Events that have not been handed over.", TOPIC),
    ("outbox_oldest_seconds", "Age of the oldest of them.", TOPIC),
    ("relay_attempts", "How often the one that was tried the most has been tried.", ALL),
    ("reminders_overdue", "Reminders whose moment has come and that wait.", ALL),
    ("inbox_waiting", "Received events that wait to be applied.", CONSUMER),
    ("inbox_oldest_seconds", "Since when the oldest of them waits.", CONSUMER),
    ("inbox_dead", "Received events that were given up.", CONSUMER),
    ("events_gaps_healed_total", "Events that were handed over, and found missing a minute later.", CONSUMER),
];

/// The process answers; nothing else is asked.
fn health(_call: &Call) -> Result<Reply, Problem> {
    Ok(Reply::bytes(200, "text/plain; charset=utf-8", b"ok\n".to_vec()))
}

/// The database answers, and its schema is new enough.
fn ready(call: &Call) -> Result<Reply, Problem> {
    let ready: Ready = call.db()?.one(include_str!("../sql/ready.sql"), &params![])?;
    if ready.schema_version < SCHEMA {
        let found = ready.schema_version;
        return Err(Problem::unavailable(format!("schema {found} is older than {SCHEMA}; run `spindle migrate up`")));
    }
    Ok(Reply::bytes(200, "text/plain; charset=utf-8", b"ready\n".to_vec()))
}

/// Prometheus' text format, version 0.0.4.
fn metrics(call: &Call) -> Result<Reply, Problem> {
    let numbers: Vec<Number> = call.db()?.rows(include_str!("../sql/metrics.sql"), &params![call.now])?;
    let text: String = METRICS.iter().map(|(name, help, label)| metric(name, help, *label, &numbers)).collect();
    Ok(Reply::bytes(200, "text/plain; version=0.0.4; charset=utf-8", text.into_bytes()))
}

/// One metric with its values. A name that ends in `_total` is a counter's, by Prometheus' convention.
fn metric(name: &str, help: &str, (label, known): Label, numbers: &[Number]) -> String {
    let found = numbers.iter().filter(|number| number.metric == name);
    let mut values: BTreeMap<&str, f64> = known.iter().map(|value| (*value, 0.0)).collect();
    values.extend(found.map(|number| (number.label.as_str(), number.value)));
    let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
    let mut text = format!("# HELP spindle_{name} {help}\n# TYPE spindle_{name} {kind}\n");
    for (of, value) in values {
        // topics and consumers are words of ours: nothing to escape
        let label = if label.is_empty() { String::new() } else { format!("{{{label}=\"{of}\"}}") };
        text.push_str(&format!("spindle_{name}{label} {value}\n"));
    }
    text
}
