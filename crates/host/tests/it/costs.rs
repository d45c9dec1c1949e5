//! What a request costs, counted: statements and calls of the guest into the host for each route, and that neither they
//! nor the blocks that are read grow with the number of tasks.

use std::fmt::Write as _;

use serde_json::json;
use tokio_postgres::Client;

use crate::golden;
use crate::harness::{Person, Spindle, root};
use crate::plans;
use crate::statements;
use crate::steps::{id, without_hints};

/// Blocks by which a statement may read more among a hundred times as many tasks: an index has one level more, and a
/// statement goes down one or two of them.
const DEEPER: i64 = 3;

/// Statements and host calls of what `request` makes the components do.
async fn cost(app: &Spindle, request: impl Future<Output = u16>) -> (u64, usize) {
    let bed = app.app.bed();
    let statements = || bed.statements().values().sum::<u64>();
    let before = statements();
    bed.record_calls();
    let status = request.await;
    app.app.settle().await;
    assert!((200..300).contains(&status), "answered {status}");
    (statements() - before, bed.calls().len())
}

/// Statements and host calls of each route, as the list says. A route that costs more is a decision.
#[tokio::test(flavor = "multi_thread")]
async fn requests_cost_what_the_list_says() {
    let app = Spindle::with(without_hints()).await;
    let ada = app.person("ada", "Europe/Berlin").await;
    let due = json!({"title": "a", "due_date": "2026-01-31T09:00:00Z", "reminder_minutes": [0], "tags": ["x"]});
    let weekly = json!({"title": "b", "due_date": "2026-02-03", "recurrence_rule": "FREQ=WEEKLY"});
    let (task, series) = (ada.make(due.clone()).await, ada.make(weekly.clone()).await);
    app.relay().await;
    app.quiet().await;
    let note = ada.items("/api/v1/notifications").await;
    let task = format!("/api/v1/tasks/{}", id(&task));
    let series = format!("/api/v1/recurring-tasks/{}", series["series_id"].as_str().expect("a series"));
    let note = format!("/api/v1/notifications/{}/read", id(&note[0]));
    let event = ada.items("/api/v1/audit").await[0]["event_id"].clone();
    let event = format!("/api/v1/admin/events/{}", event.as_str().expect("an id"));
    let (operator, sign_in) = (app.operator(), json!({"email": ada.email, "password": ada.password}));
    let requests = [
        ("GET", "/api/v1/tasks", json!(null)),
        ("GET", "/api/v1/tasks?status=open", json!(null)),
        ("POST", "/api/v1/tasks", due),
        ("POST", "/api/v1/tasks", weekly),
        ("GET", &task, json!(null)),
        ("PATCH", &task, json!({"title": "c"})),
        ("PATCH", &task, json!({"title": "c"})),
        ("POST", &format!("{task}/complete"), json!(null)),
        ("POST", &format!("{task}/reopen"), json!(null)),
        ("DELETE", &task, json!(null)),
        ("GET", "/api/v1/recurring-tasks", json!(null)),
        ("GET", &series, json!(null)),
        ("GET", "/api/v1/reminders", json!(null)),
        ("GET", "/api/v1/notifications", json!(null)),
        ("GET", "/api/v1/notifications/unread-count", json!(null)),
        ("POST", &note, json!(null)),
        ("POST", "/api/v1/notifications/read-all", json!(null)),
        ("GET", "/api/v1/audit", json!(null)),
        ("GET", "/api/v1/accounts/me", json!(null)),
        ("POST", "/api/v1/tokens", sign_in),
        ("GET", "/healthz", json!(null)),
        ("GET", "/readyz", json!(null)),
        ("GET", "/metrics", json!(null)),
        ("GET", "/api/v1/admin/events", json!(null)),
        ("GET", "/api/v1/admin/events/lag", json!(null)),
        ("GET", &event, json!(null)),
        ("POST", "/api/v1/admin/events/redrive", json!({"consumer": "audit", "all": true})),
        ("POST", "/api/v1/admin/events/skip", json!({"consumer": "audit", "id": ada.id, "reason": "no"})),
    ];
    let mut list = String::from("statements, host calls, request\n");
    for (method, path, body) in requests {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let who = if path.starts_with("/api/v1/admin/") { &operator } else { &ada };
        let (statements, calls) = cost(&app, async { who.call(method, path, text).await.status }).await;
        let shown = path.split('/').map(|part| if part.len() == 36 { "{id}" } else { part }).collect::<Vec<_>>();
        let what = if body["recurrence_rule"].is_string() { ", recurring" } else { "" };
        writeln!(list, "{statements} {calls:>3}  {method} {}{what}", shown.join("/")).expect("a string");
    }
    golden::check(&root().join("crates/host/tests/it/costs.txt"), &list);
}

/// The task that is looked at among the others.
const TASK: &str = "20000000-0000-7000-8000-000000001388";

/// Adds tasks of a person up to `count`, the streams of their events, and a hundred events that wait for the relay.
async fn grow(sql: &Client, person: &Person<'_>, count: u32) {
    let fill = format!(
        "insert into task (id, user_id, title, tags, reminder_minutes, version, created_at, updated_at)
         select ('20000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, '{}', 'Task ' || n, '{{work}}', '{{}}',
             1, timestamptz '2026-01-01 00:00:00Z' + n * interval '1 second', timestamptz '2026-01-01 00:00:00Z'
         from generate_series(1, {count}) n on conflict (id) do nothing;
         insert into event_stream (stream, last_seq, acked_seq)
         select 'task/' || id, 1, 1 from task on conflict (stream) do nothing;
         insert into audit_entry (user_id, seq, event_id, at, action, stream, stream_seq, commitment, hash)
         select user_id, -1, id, created_at, 'created', 'task/' || id, 1, '', '' from task
         where id = '{TASK}' on conflict do nothing;",
        person.id
    );
    sql.batch_execute(&fill).await.expect("filled");
    for table in ["task", "event_stream", "outbox"] {
        sql.batch_execute(&format!("vacuum (analyze) {table}")).await.expect("vacuumed");
    }
}

/// What the routes and statements cost now: `name, statements, calls` and `name, blocks`.
async fn measure(app: &Spindle, ada: &Person<'_>, sql: &Client, task: &str) -> (Vec<(u64, usize)>, Vec<i64>) {
    let path = format!("/api/v1/tasks/{task}");
    let mut requests = Vec::new();
    for (method, path) in [
        ("GET", path.clone()),
        ("GET", "/api/v1/tasks?limit=50".to_owned()),
        ("GET", "/api/v1/tasks?limit=50&status=open".to_owned()),
        ("POST", format!("{path}/complete")),
    ] {
        requests.push(cost(app, async { ada.call(method, &path, "").await.status }).await);
    }
    requests.push(cost(app, async { app.relay().await.status }).await);
    ada.call("POST", &format!("{path}/reopen"), "").await;
    let user = format!("'{}'", ada.id);
    let last = "'2027-01-01', 'ffffffff-ffff-ffff-ffff-ffffffffffff', 51";
    let token = "'90000000-0000-7000-8000-000000000001'";
    let mut blocks = Vec::new();
    for (name, arguments) in [
        ("tasks/get", format!("({user}, '{task}')")),
        ("tasks/list", format!("({user}, {last})")),
        ("tasks/list_status", format!("({user}, {last}, 'open')")),
        ("tasks/complete", format!("({user}, '{task}', '2026-02-01', {token}, null)")),
        ("relay/claim", format!("('2026-02-01', {token}, '2026-02-01', 50)")),
        ("relay/ack", format!("('2026-02-01', {token}, array['task/{task}'], array[1])")),
    ] {
        let all = statements::all(&root());
        let text = &all.iter().find(|each| each.name == name).expect("a statement").text;
        blocks.push(plans::blocks(sql, name, text, &arguments).await);
    }
    // what the relay must find again the next time
    app.relay().await;
    app.quiet().await;
    (requests, blocks)
}

/// With `SPINDLE_ALL=1` a hundred times as many, a million; else ten times.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_costs_more_among_a_million_tasks() {
    let all = std::env::var("SPINDLE_ALL").is_ok_and(|value| value == "1");
    let app = Spindle::with(without_hints()).await;
    let ada = app.person("ada", "UTC").await;
    let sql = app.sql().await;
    sql.batch_execute("set plan_cache_mode = force_generic_plan").await.expect("a setting");
    grow(&sql, &ada, 10_000).await;
    // the first time prepares statements and makes rows that later times find
    measure(&app, &ada, &sql, TASK).await;
    let (requests, blocks) = measure(&app, &ada, &sql, TASK).await;
    grow(&sql, &ada, if all { 1_000_000 } else { 100_000 }).await;
    let (more_requests, more_blocks) = measure(&app, &ada, &sql, TASK).await;
    println!("{requests:?} {blocks:?}\n{more_requests:?} {more_blocks:?}");
    assert_eq!(requests, more_requests, "statements and host calls of get, list, open ones, complete, relay");
    for (few, many) in blocks.iter().zip(&more_blocks) {
        assert!(*many <= few + DEEPER, "blocks grew: {blocks:?} to {more_blocks:?}");
    }
}
