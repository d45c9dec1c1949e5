//! One trace from a request to what consumers do, across the sidecars and the broker.

use std::collections::BTreeSet;

use host::parts::Transport;
use serde_json::json;

use crate::api::{Person, send};
use crate::collector::{Collector, flush};
use crate::stage::Stage;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka and daprd: cargo xtask test kafka"]
async fn one_trace_crosses_the_broker() {
    let collector = Collector::start().await;
    let telemetry = collector.telemetry();
    let stage = Stage::traced("traces", Transport::KafkaBinding, telemetry.clone()).await;
    let ada = Person::new(stage.port, "ada").await.expect("Ada");
    let due = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let task = json!({"title": "a", "due_date": due, "reminder_minutes": [0]}).to_string();
    let (bearer, traceparent) = (ada.bearer(), format!("00-{TRACE}-00f067aa0ba902b7-01"));
    let headers = [("authorization", bearer.as_str()), ("traceparent", traceparent.as_str())];
    let answer = send(stage.port, "POST", "/api/v1/tasks", &headers, &task).await.expect("an answer");
    assert_eq!(answer.status, 201, "{answer:?}");
    stage.until("a notification", "select count(*) from notification").await;
    stage.quiet().await;
    flush(&telemetry).await;
    let spans = collector.trace(TRACE);
    let ran: BTreeSet<&str> =
        spans.iter().filter_map(|span| span.name.strip_prefix("execute_wasm_component ")).collect();
    // each is called by its sidecar, which goes on with the trace that the relay gave to its own
    assert!(ran.is_superset(&["tasks", "reminders", "audit", "notifications"].into()), "{ran:?}");
    assert!(!ran.contains("relay"), "its runs hand over the events of many");
}
