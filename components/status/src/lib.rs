//! Status: is it up, is it ready, how is it doing. Owns nothing.

use edge::{Call, Problem, Reply, Route, get, params, row};
use serde_json::Value;

/// The schema that these components need.
const SCHEMA: i64 = 8;

const ROUTES: &[Route] =
    &[get("/healthz", health).public(), get("/readyz", ready).public(), get("/metrics", metrics).public()];

edge::http_component!(ROUTES);

row! {
    struct Ready { schema_version: i64 }
}

row! {
    struct Metrics {
        outbox_events: i64,
        outbox_oldest_seconds: f64,
        reminders_overdue: i64,
        inbox_waiting: i64,
        inbox_dead: i64,
        gaps_healed: Value,
    }
}

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
    let row: Metrics = call.db()?.one(include_str!("../sql/metrics.sql"), &params![call.now])?;
    let lines = [
        line("spindle_outbox_events", "Events that have not been handed over.", row.outbox_events as f64),
        line("spindle_outbox_oldest_seconds", "Age of the oldest of them.", row.outbox_oldest_seconds),
        line(
            "spindle_reminders_overdue",
            "Reminders whose moment has come and that wait.",
            row.reminders_overdue as f64,
        ),
        line("spindle_inbox_waiting", "Received events that wait to be applied.", row.inbox_waiting as f64),
        line("spindle_inbox_dead", "Received events that were given up.", row.inbox_dead as f64),
        healed(&row.gaps_healed),
    ];
    Ok(Reply::bytes(200, "text/plain; version=0.0.4; charset=utf-8", lines.concat().into_bytes()))
}

fn line(name: &str, help: &str, value: f64) -> String {
    format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n")
}

fn healed(gaps: &Value) -> String {
    let name = "spindle_events_gaps_healed_total";
    let help = "Events that were handed over and lost, and that were found missing.";
    let consumers = gaps.as_object().into_iter().flatten();
    let values = consumers.map(|(consumer, count)| format!("{name}{{consumer=\"{consumer}\"}} {count}\n"));
    format!("# HELP {name} {help}\n# TYPE {name} counter\n{}", values.collect::<String>())
}
