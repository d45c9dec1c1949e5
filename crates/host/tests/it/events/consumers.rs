//! What consumers do with events: they take what AsyncAPI says, ignore what they do not know, and apply a fact once,
//! whatever versions tell of it. See schemas/events/README.md.

use std::collections::{BTreeMap, BTreeSet};

use domain::event::{MEDIA_TYPE, TYPES};
use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use super::story::{Told, tell};
use super::{asyncapi, schemas};
use crate::chains::chains_verify;
use crate::harness::Spindle;
use crate::steps::without_hints;

/// How often a consumer is done with an event.
const DONE: &str = "select count(*) from inbox_done";

/// The same event.
fn plain(event: &Value) -> Vec<Value> {
    vec![event.clone()]
}

/// The same with an attribute, a field and an object that no consumer knows.
fn with_more(event: &Value) -> Vec<Value> {
    let mut more = event.clone();
    more["tracestate"] = json!("a=b");
    more["data"]["unheard"] = json!({"of": [1]});
    vec![more]
}

/// As `with_more` writes it into the canonical data of the audit log, where the version or nothing comes behind it.
const MORE: &str = ",\"unheard\":{\"of\":[1]}";

/// The same fact under another id.
fn again(event: &Value) -> Value {
    let mut other = event.clone();
    let id: Uuid = event["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    other["id"] = json!(Uuid::from_u128(id.as_u128() ^ 1 << 32));
    other
}

/// The same fact in the next version, which no consumer could read as the first.
fn next_version(event: &Value) -> Value {
    let mut next = again(event);
    next["type"] = json!(event["type"].as_str().expect("a type").replace(".v1", ".v2"));
    next["data"] = json!({"v2": event["data"]});
    next
}

/// The lines of a state that begin with `kind`, and the others.
fn split(state: Vec<String>, kind: &str) -> (Vec<String>, Vec<String>) {
    state.into_iter().partition(|line| line.starts_with(kind))
}

#[tokio::test(flavor = "multi_thread")]
async fn relay_and_consumers_do_as_described() {
    let told = tell(plain).await;
    let mut sent: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for post in &told.posts {
        schemas::check(&post.event).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(post.content_type, MEDIA_TYPE);
        let kind = post.event["type"].as_str().expect("a type");
        let topic = asyncapi::topic(kind).expect("a topic");
        sent.entry((post.consumer.clone(), topic.to_owned())).or_default().insert(kind.to_owned());
    }
    let seen: BTreeSet<&str> = sent.values().flatten().map(String::as_str).collect();
    assert_eq!(seen, TYPES.into(), "every type happens");
    let described = asyncapi::receivers();
    assert!(sent.keys().eq(described.keys()), "consumer and topic: {:?}", sent.keys());
    // a consumer keeps what it applies, and nothing else
    let done = "select distinct d.consumer, a.type from inbox_done d join outbox_archive a on a.id = d.event_id";
    let rows = told.app.sql().await.query(done, &[]).await.expect("what is done");
    let mut applied: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for (consumer, kind) in rows.iter().map(|row| (row.get::<_, String>(0), row.get::<_, String>(1))) {
        let topic = asyncapi::topic(&kind).expect("a topic").to_owned();
        applied.entry((consumer, topic)).or_default().insert(kind);
    }
    assert_eq!(applied, described);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_consumer_does_not_know_is_ignored() {
    let (expected, told) = (tell(plain).await, tell(with_more).await);
    let (audit, other) = split(told.state, "audit");
    let (expected_audit, expected) = split(expected.state, "audit");
    assert_eq!(other, expected);
    assert!(audit.iter().all(|line| line.contains(MORE)), "the log keeps the data as they came: {audit:#?}");
    let without: Vec<_> = audit.iter().map(|line| line.replace(MORE, "")).collect();
    assert_eq!(without, expected_audit);
}

/// A consumer that takes both versions for a while applies a fact twice; so here, where both are the first version.
#[tokio::test(flavor = "multi_thread")]
async fn a_fact_under_two_ids_is_applied_once() {
    let expected = tell(plain).await;
    let Told { app, state, .. } = tell(|event| vec![event.clone(), again(event)]).await;
    assert_eq!(state, expected.state);
    let (once, twice) = (expected.app.count(DONE).await, app.count(DONE).await);
    assert_eq!(twice, 2 * once, "each was received twice");
    assert!(chains_verify(&app.sql().await).await);
}

/// The first version comes first, as the relay sends them: nothing is different but what audit has received.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_version_beside_the_first_changes_nothing() {
    let expected = tell(plain).await;
    let told = tell(|event| vec![event.clone(), next_version(event)]).await;
    assert_eq!(told.state, expected.state);
    let facts = expected.app.count("select count(*) from audit_entry").await;
    assert_eq!(told.app.count(DONE).await, expected.app.count(DONE).await + facts, "audit has both versions of each");
    assert!(chains_verify(&told.app.sql().await).await);
}

/// The other way round the log has the second version of each fact, and the others go on by the first.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_version_may_come_first() {
    let expected = tell(plain).await;
    let told = tell(|event| vec![next_version(event), event.clone()]).await;
    let (audit, other) = split(told.state, "audit");
    let (expected_audit, expected) = split(expected.state, "audit");
    let other: Vec<_> = other.into_iter().filter(|line| !line.contains(".v2")).collect();
    assert_eq!(other, expected);
    let wrapped = |line: &String| {
        let (head, data) = line.rsplit_once(" | ").expect("data");
        format!("{} | {{\"v2\":{data}}}", head.replace(".v1", ".v2"))
    };
    assert_eq!(audit, expected_audit.iter().map(wrapped).collect::<Vec<_>>());
    assert!(chains_verify(&told.app.sql().await).await);
}

/// Neither sees the other's entry before it writes its own.
#[tokio::test(flavor = "multi_thread")]
async fn versions_that_come_at_once_make_one_entry() {
    const FACTS: i64 = 60;
    let app = Spindle::with(without_hints()).await;
    let ada = app.person("ada", "UTC").await;
    let example = schemas::read(&schemas::folder().join("examples/dev.spindle.task.created.v1.json"));
    let fact = |n: i64| {
        let mut event = example.clone();
        event["id"] = json!(Uuid::from_u128(n as u128));
        event["subject"] = json!(format!("task/{}", Uuid::from_u128(n as u128)));
        event["userid"] = json!(ada.id);
        event
    };
    let both = (0..FACTS).map(fact).flat_map(|event| [next_version(&event), event]);
    let answers = join_all(both.map(|event| app.internal("/internal/audit/events", event.to_string()))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    app.tick_at("2026-02-01T00:00:10Z").await;
    assert_eq!(app.unfinished().await, 0);
    assert_eq!(app.count("select count(*) from audit_entry").await, FACTS);
    assert_eq!(app.count("select count(*) from inbox_done").await, 2 * FACTS);
    assert!(chains_verify(&app.sql().await).await);
}
