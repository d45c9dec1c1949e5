//! Traces: one from a request through outbox, relay and consumers to what they do, with telemetry and without; and what
//! is not to be seen in them.

use std::collections::BTreeSet;

use serde_json::json;

use crate::collector::{Collector, Span, flush};
use crate::harness::{Person, Setup, Spindle};
use crate::steps::{id, path, without_hints};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CLIENT: &str = "00f067aa0ba902b7";

/// What a client that traces sends.
fn traceparent() -> String {
    format!("00-{TRACE}-{CLIENT}-01")
}

impl Person<'_> {
    /// A request with a header `traceparent`.
    async fn traced(&self, method: &str, path: &str, body: serde_json::Value, traceparent: &str) -> serde_json::Value {
        let bearer = format!("Bearer {}", self.token);
        let headers = [("authorization", bearer.as_str()), ("traceparent", traceparent)];
        let answer = self.app.send(method, path, &headers, body.to_string()).await;
        assert!((200..300).contains(&answer.status), "{}", answer.json);
        answer.json
    }
}

/// The spans of this name.
fn named<'a>(spans: &'a [Span], name: &str) -> Vec<&'a Span> {
    spans.iter().filter(|span| span.name == name).collect()
}

/// The names of a span and of those around it, outwards.
fn ancestry(spans: &[Span], span: &Span) -> Vec<String> {
    let mut names = vec![span.name.clone()];
    let mut parent = &span.parent;
    while let Some(outer) = spans.iter().find(|span| span.id == *parent) {
        names.push(outer.name.clone());
        parent = &outer.parent;
    }
    assert_eq!(parent, CLIENT, "{names:?} does not lead to the client's span");
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_leads_from_the_request_to_the_notification() {
    let collector = Collector::start().await;
    let telemetry = collector.telemetry();
    let app = Spindle::with(Setup { telemetry: telemetry.clone(), ..Setup::default() }).await;
    let ada = app.person("ada", "UTC").await;
    let task = json!({"title": "a", "due_date": "2026-02-01T09:00:00Z", "reminder_minutes": [30]});
    ada.traced("POST", "/api/v1/tasks", task, &traceparent()).await;
    app.quiet().await;
    app.tick_at("2026-02-01T08:30:00Z").await;
    app.quiet().await;
    assert_eq!(app.count("select count(*) from notification").await, 1);
    flush(&telemetry).await;

    let spans = collector.trace(TRACE);
    let request = named(&spans, "POST /api/v1/tasks/...")[0];
    assert_eq!((request.parent.as_str(), request.kind, request.failed), (CLIENT, 2, false));
    assert_eq!(
        (request.attribute("http.response.status_code"), request.attribute("http.route")),
        ("201", "/api/v1/tasks/...")
    );
    let statement = named(&spans, "spin_outbound_pg.query")[0];
    assert_eq!(ancestry(&spans, statement)[1..], ["execute_wasm_component tasks", "POST /api/v1/tasks/..."]);
    let summary = "Creates a task that does not recur, with its event. A repeated id answers the stored task.";
    assert_eq!((statement.attribute("db.query.summary"), statement.kind), (summary, 3));
    let hint = named(&spans, "spin_outbound_redis.publish")[0];
    assert_eq!(ancestry(&spans, hint)[1], "execute_wasm_component tasks");

    let (run, send) =
        (|name: &str| format!("execute_wasm_component {name}"), "spin_outbound_http.send_request".to_owned());
    let way = |name: &str| {
        let found: Vec<_> = named(&spans, &run(name)).into_iter().map(|span| ancestry(&spans, span)).collect();
        assert!(!found.is_empty(), "{name} is in no span of the trace");
        found
    };
    let tasks = [run("tasks"), "POST /api/v1/tasks/...".to_owned()];
    let reminders = [[run("reminders"), send.clone()].as_slice(), &tasks].concat();
    assert_eq!(way("reminders"), std::slice::from_ref(&reminders));
    assert!(named(&spans, &run("recurrence")).is_empty(), "it has no use for a task that is new");
    let notified = [[run("notifications"), send.clone()].as_slice(), &reminders].concat();
    assert_eq!(way("notifications"), [notified], "the reminder went off by a tick, hours later");
    let audited: BTreeSet<_> = way("audit").into_iter().map(|names| names.len()).collect();
    assert_eq!(audited, BTreeSet::from([4, 6]), "the task's event, and the reminder's");

    // the relay's runs and the ticks have traces of their own, to which the sends link
    assert!(named(&spans, &run("relay")).is_empty() && named(&spans, &run("ticker")).is_empty());
    let all = collector.spans();
    let runs: BTreeSet<_> = named(&all, &run("relay")).into_iter().map(|span| span.trace.clone()).collect();
    for send in named(&spans, &send) {
        assert!(send.links.iter().any(|link| runs.contains(link)), "{send:?}");
    }
    let woken = named(&all, "spin_trigger_redis.handle_message");
    assert!(woken.iter().any(|span| span.parent.is_empty() && runs.contains(&span.trace)), "{woken:?}");
    assert!(named(&all, "spin_trigger_cron.handle_cron_event").iter().all(|span| span.parent.is_empty()));
    app.app.stop().await.expect("a stop");
}

/// Every event of a journey, whoever wrote it, and where it was written and received.
async fn traces(app: &Spindle) -> BTreeSet<Option<String>> {
    let sql = "select traceparent from outbox union select traceparent from inbox
        union select traceparent from outbox_archive union select traceparent from reminder";
    app.sql().await.query(sql, &[]).await.expect("traces").into_iter().map(|row| row.get(0)).collect()
}

/// On a host that does not trace the header goes through as it is; so it does on Spin with telemetry off.
#[tokio::test(flavor = "multi_thread")]
async fn events_keep_their_trace_where_nobody_traces() {
    let app = Spindle::with(without_hints()).await;
    let ada = app.person("ada", "UTC").await;
    let body =
        json!({"title": "a", "due_date": "2026-02-10", "recurrence_rule": "FREQ=DAILY", "reminder_minutes": [0]});
    let task = ada.traced("POST", "/api/v1/tasks", body, &traceparent()).await;
    let of_trace = BTreeSet::from([Some(traceparent())]);
    assert_eq!(traces(&app).await, of_trace);
    app.relay().await;
    app.quiet().await;
    assert_eq!(app.count("select count(*) from reminder where traceparent is not null").await, 1);
    assert_eq!(traces(&app).await, of_trace);
    // each way to change a task, and what follows from it
    let at = path(&task);
    let complete = format!("{at}/complete");
    let reopen = format!("{at}/reopen");
    for (method, path, body) in [
        ("PATCH", at.as_str(), json!({"title": "b"})),
        ("PATCH", at.as_str(), json!({"due_date": "2026-02-11"})),
        ("PATCH", at.as_str(), json!({"recurrence_rule": "FREQ=WEEKLY"})),
        ("POST", complete.as_str(), json!({})),
        ("POST", reopen.as_str(), json!({})),
        ("DELETE", at.as_str(), json!({})),
    ] {
        ada.traced(method, path, body, &traceparent()).await;
        app.relay().await;
        app.quiet().await;
        assert_eq!(traces(&app).await, of_trace, "{method} {path}");
    }
    assert_eq!(app.count("select count(*) from task").await, 2, "the completed one went on");
    assert_eq!(app.count("select count(distinct type) from outbox_archive").await, 8);
}

/// What the tick applies because it failed at first still belongs to its trace, and so does what is written then.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_applied_later_keeps_its_trace() {
    let app = Spindle::with(without_hints()).await;
    let ada = app.person("ada", "UTC").await;
    let body = json!({"title": "a", "due_date": "2026-02-10", "recurrence_rule": "FREQ=DAILY"});
    let task = ada.make(body).await;
    app.relay().await;
    app.quiet().await;
    let advance = include_str!("../../../../components/recurrence/sql/advance.sql");
    app.app.bed().rewrite_sql(advance, "select 1/0 > 0 as advanced");
    ada.traced("POST", &format!("{}/complete", path(&task)), json!({}), &traceparent()).await;
    app.relay().await;
    app.app.bed().rewrite_sql(advance, advance);
    app.tick_at("2026-02-01T00:00:10Z").await;
    app.quiet().await;
    let sql = "select count(*) from outbox_archive where type like '%advanced%' and traceparent = ";
    assert_eq!(app.count(&format!("{sql}'{}'", traceparent())).await, 1);
}

/// Without a trace, or with what is none, nothing is kept and nothing is sent.
#[tokio::test(flavor = "multi_thread")]
async fn what_names_no_trace_is_left_out() {
    let app = Spindle::with(without_hints()).await;
    let ada = app.person("ada", "UTC").await;
    ada.make(json!({"title": "a"})).await;
    for wrong in ["", "hello", "00-00000000000000000000000000000000-00f067aa0ba902b7-01", &traceparent().to_uppercase()]
    {
        ada.traced("POST", "/api/v1/tasks", json!({"title": "a"}), wrong).await;
    }
    assert_eq!(traces(&app).await, BTreeSet::from([None]));
    app.relay().await;
    app.quiet().await;
    assert_eq!(app.count("select count(*) from inbox_done").await, 10, "reminders' and audit's of five tasks");
    assert_eq!(traces(&app).await, BTreeSet::from([None]));
}

/// Words that a user or an operator would not want in a trace.
const CANARIES: [&str; 8] = [
    "canary-title",
    "canary-description",
    "canary-tag",
    "canary-password",
    "canary-query",
    "canary-path",
    "canary@example.org",
    "canary-broken",
];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_users_wrote_is_in_a_trace() {
    let collector = Collector::start().await;
    let telemetry = collector.telemetry();
    let app = Spindle::with(Setup { telemetry: telemetry.clone(), ..Setup::default() }).await;
    let mut ada = app.person("canary", "UTC").await;
    let wrong = json!({"email": ada.email, "password": "canary-password"}).to_string();
    assert_eq!(app.send("POST", "/api/v1/tokens", &[], wrong).await.status, 401);
    let refreshed = ada.sign_in().await;
    let body = json!({
        "title": "canary-title", "description": "canary-description", "tags": ["canary-tag"],
        "due_date": "2026-01-31T09:00:00Z", "reminder_minutes": [0], "recurrence_rule": "FREQ=DAILY",
    });
    let task = ada.make(body).await;
    app.quiet().await;
    ada.edit(&task, json!({"title": "canary-title-2"})).await;
    ada.complete(&task).await;
    assert_eq!(ada.get("/api/v1/tasks?cursor=canary-query").await.status, 422);
    assert_eq!(ada.get("/api/v1/tasks/canary-path").await.status, 404);
    assert_eq!(ada.get("/canary-path").await.status, 404);
    ada.call("CANARY", "/api/v1/tasks", "").await;
    // statements that fail with a value in the error's text
    let get = include_str!("../../../../components/tasks/sql/get.sql");
    let broken = "select 'canary-broken'::int::text as body where $1::uuid is not null or $2::uuid is not null";
    app.app.bed().rewrite_sql(get, broken);
    assert_eq!(ada.get(&path(&task)).await.status, 500);
    app.app.bed().rewrite_sql(get, get);
    app.quiet().await;
    flush(&telemetry).await;

    let spans = collector.spans();
    for part in ["accounts", "tasks", "recurrence", "reminders", "notifications", "audit", "relay", "relay-wake"] {
        let seen = spans.iter().any(|span| span.attribute("component_id") == part);
        assert!(seen, "{part} is in no span");
    }
    assert!(spans.iter().any(|span| span.failed), "the broken statement is not seen as failed");
    let sent = collector.bytes();
    let text = String::from_utf8_lossy(&sent).to_lowercase();
    let secrets = [refreshed.text("access_token"), refreshed.text("refresh_token"), id(&task).to_owned()];
    let of_host = ["internal-token-of-tests", "role-password-of-tests"].map(str::to_owned);
    let canaries = CANARIES.map(str::to_owned).into_iter().chain(secrets).chain(of_host).chain(["canary".to_owned()]);
    for canary in canaries {
        assert!(!text.contains(&canary.to_lowercase()), "{canary} is in what was sent");
    }
    app.app.stop().await.expect("a stop");
}
