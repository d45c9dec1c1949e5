//! People with one of everything.

use std::collections::BTreeMap;

use domain::event::Event;
use domain::token::{self, Claims};
use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use super::NOW;
use crate::harness::{Spindle, TOKEN_KEYS, micros};

/// Somebody, without a password.
pub struct Somebody {
    pub name: &'static str,
    pub id: Uuid,
    pub token: String,
    /// One id of each kind of thing: `task`, `done` (a completed one), `series`, `reminder`, `notification`, `entry`,
    /// `waiting` (an event in the inbox), `session`.
    pub ids: BTreeMap<&'static str, String>,
    /// An event of theirs, as the relay would send it.
    pub event: String,
}

impl Somebody {
    /// Whether a text has anything of theirs in it.
    pub fn shows(&self, text: &str) -> bool {
        text.contains(&format!("{}'s", self.name)) || self.ids.values().any(|id| text.contains(id))
    }
}

/// An access token, good between two times in seconds.
pub fn token(keys: &str, user: Uuid, from: i64, until: i64) -> String {
    let keys = token::keys(keys).expect("keys");
    let claims = Claims { sub: user, zoneinfo: "UTC".to_owned(), iat: from, exp: until, jti: new_id(), sid: new_id() };
    token::sign(&keys[0], &claims)
}

/// Ids need only be different here.
fn new_id() -> Uuid {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Uuid::from_u64_pair(0x0190_0000_0000_7000, 0x8000_0000_0000_0000 | NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The tables that have a column of this name.
async fn tables(sql: &Client, column: &str) -> Vec<String> {
    let text = "select table_name::text from information_schema.columns
        where table_schema = current_schema() and table_name not in ('schema_migration', 'consumer')
            and not (select relispartition from pg_class where oid = (table_schema || '.' || table_name)::regclass)
            and column_name like $1 group by 1 order by 1";
    sql.query(text, &[&column]).await.expect("tables").iter().map(|row| row.get(0)).collect()
}

/// Empties every table.
pub async fn empty(sql: &Client) {
    let all = tables(sql, "%").await.join(", ");
    sql.batch_execute(&format!("truncate {all}")).await.expect("empty tables");
}

/// Every row of every table.
pub async fn everything(sql: &Client) -> String {
    rows(sql, &tables(sql, "%").await, "true").await
}

/// Every row that is somebody's.
pub async fn dump(sql: &Client, who: &Somebody) -> String {
    let theirs = rows(sql, &tables(sql, "user_id").await, &format!("t.user_id = '{}'", who.id)).await;
    theirs + &rows(sql, &["account".to_owned()], &format!("t.id = '{}'", who.id)).await
}

async fn rows(sql: &Client, tables: &[String], which: &str) -> String {
    let each = tables
        .iter()
        .map(|table| format!("select '{table}' as name, to_jsonb(t)::text as row from {table} t where {which}"));
    let all = each.collect::<Vec<_>>().join(" union all ");
    let text = format!("select coalesce(string_agg(name || ' ' || row, e'\\n' order by name, row), '') from ({all}) x");
    sql.query_one(&text, &[]).await.expect("rows").get(0)
}

/// Somebody with an account and nothing else.
pub async fn sign_up(sql: &Client, name: &'static str) -> Somebody {
    let id = new_id();
    let email = format!("{name}@example.org");
    let text = format!("insert into account values ('{id}', '{email}', '{email}', '{name}''s hash', 'UTC', '{NOW}')");
    sql.batch_execute(&text).await.expect("an account");
    let now = micros(NOW) / 1_000_000;
    Somebody { name, id, token: token(TOKEN_KEYS, id, now, now + 300), ids: BTreeMap::new(), event: String::new() }
}

/// Gives somebody one of everything.
pub async fn acquire(app: &Spindle, sql: &Client, who: &mut Somebody) {
    let weekly = json!({
        "title": format!("{}'s standup", who.name), "recurrence_rule": "weekly", "due_date": "2026-02-10T09:00:00Z",
        "reminder_minutes": [10, 30],
    });
    let weekly = post(app, who, "/api/v1/tasks", weekly).await;
    let report = post(app, who, "/api/v1/tasks", json!({"title": format!("{}'s report", who.name)})).await;
    let done = report["id"].as_str().expect("an id").to_owned();
    post(app, who, &format!("/api/v1/tasks/{done}/complete"), json!({})).await;
    app.app.settle().await;
    app.tick().await;
    wait_for(sql, who).await;
    who.ids.insert("task", weekly["id"].as_str().expect("an id").to_owned());
    who.ids.insert("done", done);
    for (kind, column, table) in [
        ("series", "id", "series"),
        ("reminder", "id", "reminder"),
        ("notification", "id", "notification"),
        ("entry", "event_id", "audit_entry"),
        ("waiting", "event_id", "inbox where state = 'new' and consumer = 'audit' and true"),
        ("session", "id", "session"),
    ] {
        let glue = if table.contains(" where ") { "and" } else { "where" };
        let text = format!("select min({column}::text) from {table} {glue} user_id = $1");
        let id: Option<String> = sql.query_one(&text, &[&who.id]).await.expect(kind).get(0);
        who.ids.insert(kind, id.unwrap_or_else(|| panic!("{} has no {kind}", who.name)));
    }
    for table in tables(sql, "user_id").await.into_iter().filter(|table| table != "outbox") {
        let text = format!("select exists (select from {table} where user_id = $1)");
        let has: bool = sql.query_one(&text, &[&who.id]).await.expect("rows").get(0);
        assert!(has, "{} owns nothing in {table}: let them own something", who.name);
    }
}

async fn post(app: &Spindle, who: &Somebody, path: &str, body: Value) -> Value {
    let bearer = format!("Bearer {}", who.token);
    let answer = app.send("POST", path, &[("authorization", &bearer)], body.to_string()).await;
    assert!(answer.status < 300, "{path}: {}", answer.json);
    answer.json
}

/// A session, and an event that each consumer has received and not applied.
async fn wait_for(sql: &Client, who: &mut Somebody) {
    let (session, waiting, reminder, task) = (new_id(), new_id(), new_id(), new_id());
    let (id, name) = (who.id, who.name);
    let data = json!({
        "reminder_id": reminder, "task_id": task, "title": format!("{name}'s"), "due_at": NOW, "fire_at": NOW,
        "version": 1,
    });
    let text = format!(
        "insert into session values ('{session}', '{id}', '{name}', '{name} before', '{NOW}', '{NOW}', 'infinity');
        insert into inbox (consumer, event_id, stream, stream_seq, type, user_id, time, data, not_before, received_at)
        select consumer, '{waiting}', 'reminder/{reminder}', 1, 'dev.spindle.reminder.due.v1', '{id}', '{NOW}',
            '{}', 'infinity', '{NOW}'
        from unnest(array['audit', 'notifications', 'recurrence', 'reminders']) consumer",
        data.to_string().replace('\'', "''")
    );
    sql.batch_execute(&text).await.expect("what waits");
    let now = NOW.parse().expect("an instant");
    let kind = "dev.spindle.reminder.due.v1".to_owned();
    let event = Event::new(new_id(), kind, format!("reminder/{}", new_id()), 1, now, id, data);
    who.event = serde_json::to_string(&event).expect("JSON");
}
