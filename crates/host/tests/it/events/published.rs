//! Every event that a component writes, in whatever test, is checked against its schema.

use std::collections::BTreeSet;

use domain::event::Event;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_postgres::{Client, Row};

use super::{asyncapi, schemas};
use crate::harness::{Spindle, connect};
use crate::seen;
use crate::steps::without_hints;

/// Takes the kept events out, so that none is checked twice.
const TAKE: &str = "delete from published.event
    returning id, type, stream, stream_seq, (extract(epoch from time) * 1000000)::bigint, user_id, data, topic";

/// Bad events that are shown.
const SHOWN: usize = 3;

/// Checks, once it is dropped, what the components of an application have published, and fails its test. What still
/// runs then is not waited for.
pub struct Published {
    database: String,
}

impl Published {
    /// From now on keeps what is published in a database.
    pub async fn of(database: &str) -> Self {
        connect(database).await.batch_execute(include_str!("published.sql")).await.expect("kept events");
        Self { database: database.to_owned() }
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        let database = self.database.clone();
        // a thread of its own, since a runtime that is at work cannot wait in a drop
        let check = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async { faults(&connect(&database).await).await })
        });
        let words = match check.join() {
            Ok(faults) if faults.is_empty() => return,
            Ok(faults) => format!("{}\n\n{} bad events", faults[..faults.len().min(SHOWN)].join("\n\n"), faults.len()),
            Err(_) => "the published events could not be read".to_owned(),
        };
        if std::thread::panicking() {
            eprintln!("{words}");
        } else {
            panic!("{words}");
        }
    }
}

/// What is wrong with the events that were published since the last time.
async fn faults(sql: &Client) -> Vec<String> {
    let rows = sql.query(TAKE, &[]).await.expect("published events");
    let types: BTreeSet<&str> = rows.iter().map(|row| row.get("type")).collect();
    seen::append("events.txt", &types.into_iter().map(|kind| format!("{kind}\n")).collect::<String>());
    rows.iter().filter_map(fault).collect()
}

fn fault(row: &Row) -> Option<String> {
    let (kind, topic): (&str, &str) = (row.get(1), row.get("topic"));
    let time = Timestamp::from_microsecond(row.get(4)).expect("an instant");
    let event = Event::new(row.get(0), kind.to_owned(), row.get(2), row.get(3), time, row.get(5), row.get(6));
    let event: Value = serde_json::to_value(event).expect("JSON");
    let described = asyncapi::topic(kind);
    let elsewhere = || described != Some(topic);
    let misplaced = || format!("{event:#}\nis in the topic {topic}; schemas/asyncapi.yaml says {described:?}");
    schemas::check(&event).err().or_else(|| elsewhere().then(misplaced))
}

/// A bad event that nobody looks at fails the test that made it; here it is looked at.
#[tokio::test(flavor = "multi_thread")]
async fn a_bad_event_is_found() {
    const COMPLETE: &str = include_str!("../../../../../components/tasks/sql/complete.sql");
    let app = Spindle::with(without_hints()).await;
    let (ada, sql) = (app.person("ada", "UTC").await, app.sql().await);
    for (from, to, words) in [
        ("'title', title", "'title', null", "/data/title: null is not of type"),
        ("'title', title", "'title', title, 'tags', tags", "'tags' was unexpected"),
        ("'task_id', id", "'task_id', series_id", "/data/task_id: null is not of type"),
        ("US\"Z\"'),\n        'series_id'", "US'),\n        'series_id'", "/data/due_at"),
        ("'version', version,", "'version', version + 1,", "subject and sequence are not those of the data"),
        ("'task/' || id, version, 'task-events'", "'task/' || id, version, 'reminders'", "is in the topic reminders"),
        ("completed.v1'", "completed.v0'", "has a type that has no schema"),
    ] {
        let task = ada.make(json!({"title": "a", "due_date": "2026-02-10"})).await;
        assert_eq!(faults(&sql).await, [""; 0], "before");
        app.app.bed().rewrite_sql(COMPLETE, &COMPLETE.replacen(from, to, 1));
        ada.complete(&task).await;
        app.app.bed().rewrite_sql(COMPLETE, COMPLETE);
        let faults = faults(&sql).await;
        assert!(faults.len() == 1 && faults[0].contains(words), "{to}: {faults:?}");
    }
}
