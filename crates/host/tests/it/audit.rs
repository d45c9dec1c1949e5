//! Audit: everything that happened, in order, and nobody can change it unseen.

use std::process::Command;

use serde_json::{Value, json};

use crate::chains::chains_verify;
use crate::harness::{Person, Spindle, root};
use crate::steps::{each, id, without_hints};

/// A life of a task, told by six events and those of its series.
async fn live(person: &mut Person<'_>) -> Value {
    let body = json!({"title": "a", "due_date": "2026-02-10", "recurrence_rule": "daily", "reminder_minutes": [0]});
    let task = person.make(body).await;
    for (second, change) in (1..).zip([json!({"title": "b"}), json!({"priority": "P1", "description": "c"})]) {
        person.wait_until(&format!("2026-02-01T00:00:0{second}Z")).await;
        person.edit(&task, change).await;
    }
    person.wait_until("2026-02-01T00:00:03Z").await;
    person.complete(&task).await;
    person.wait_until("2026-02-01T00:00:04Z").await;
    person.reopen(&task).await;
    person.wait_until("2026-02-01T00:00:05Z").await;
    person.delete(&crate::steps::path(&task)).await;
    person.app.quiet().await;
    task
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_tells_the_story_of_a_task() {
    let app = Spindle::start().await;
    let (mut ada, bob) = (app.person("ada", "UTC").await, app.person("bob", "UTC").await);
    let task = live(&mut ada).await;
    let log = ada.items("/api/v1/audit?limit=100").await;
    let subject = format!("task/{}", id(&task));
    let mut story: Vec<&Value> = log.iter().filter(|entry| entry["subject"] == subject.as_str()).collect();
    story.reverse();
    let kinds: Vec<_> = story.iter().map(|entry| entry["type"].as_str().expect("a type")).collect();
    let expected = ["created", "updated", "updated", "completed", "reopened", "deleted"];
    assert_eq!(kinds, expected.map(|kind| format!("dev.spindle.task.{kind}.v1")));
    for (second, entry) in story.iter().enumerate() {
        assert_eq!(entry["time"], format!("2026-02-01T00:00:0{second}Z"));
        assert_eq!((&entry["sequence"], &entry["data"]["version"]), (&json!(second + 1), &json!(second + 1)));
        assert_eq!(entry["data"]["task_id"], task["id"]);
    }
    assert_eq!(story[1]["data"]["changed"], json!(["title"]));
    assert_eq!(story[2]["data"]["changed"], json!(["description", "priority"]));
    assert_eq!(story[1]["data"]["title"], "b");
    assert_eq!(bob.items("/api/v1/audit").await.len(), 0);
    assert!(chains_verify(&app.sql().await).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_go_back_in_time() {
    let app = Spindle::start().await;
    let mut ada = app.person("ada", "UTC").await;
    live(&mut ada).await;
    let whole = ada.items("/api/v1/audit?limit=100").await;
    assert_eq!(app.count("select count(*) from audit_entry").await, whole.len() as i64);
    let key = |entry: &Value| {
        let time: jiff::Timestamp = entry["time"].as_str().expect("a time").parse().expect("an instant");
        (time, entry["seq"].as_i64().expect("a number"))
    };
    assert!(whole.windows(2).all(|two| key(&two[0]) > key(&two[1])), "the latest first");
    let mut seqs: Vec<i64> = whole.iter().map(|entry| key(entry).1).collect();
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=whole.len() as i64).collect::<Vec<_>>(), "dense");
    for limit in [1, 2, 5, whole.len()] {
        assert_eq!(ada.all("/api/v1/audit", limit).await, whole, "limit {limit}");
    }
}

fn event(n: u32, stream_seq: u32, user: &str) -> String {
    json!({
        "specversion": "1.0", "id": format!("0197a000-0000-7000-8000-{n:012}"), "source": "/spindle",
        "type": "dev.spindle.task.updated.v1", "subject": "task/0197a000-0000-7000-8000-000000000099",
        "time": format!("2026-02-01T00:00:{stream_seq:02}Z"), "datacontenttype": "application/json", "userid": user,
        "sequence": stream_seq.to_string(), "data": {"n": n, "z": 1.5, "a": "ü\u{1F980}"},
    })
    .to_string()
}

/// An event that overtook another waits for it; one that comes again changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_kept_in_its_order() {
    let app = Spindle::with(without_hints()).await;
    let ada = app.person("ada", "UTC").await;
    for n in [1, 3, 2, 2, 1] {
        assert_eq!(app.internal("/internal/audit/events", event(n, n, &ada.id)).await.status, 200);
    }
    app.tick_at("2026-02-01T00:01:00Z").await;
    let log = ada.items("/api/v1/audit").await;
    assert_eq!(each(&log, "sequence"), [3, 2, 1], "by the time of the event");
    assert_eq!(log[0]["data"], json!({"n": 3, "z": 1.5, "a": "ü\u{1F980}"}));
    assert_eq!(app.count("select count(*) from audit_entry").await, 3);
    assert!(chains_verify(&app.sql().await).await);
    assert_eq!(app.send("POST", "/internal/audit/events", &[], event(4, 4, &ada.id)).await.status, 401);
}

/// What `spindle audit verify` says of a database.
pub async fn verdict(app: &Spindle) -> (bool, Value) {
    let place = root().join("target/test-cluster");
    let options = host::cluster::Options { durable: false, ..Default::default() };
    let url = tokio::task::spawn_blocking(move || host::cluster::Cluster::start(&place, options)).await;
    let url = url.expect("joined").expect("the cluster").owner_url(&app.database);
    let mut command = Command::new(env!("CARGO_BIN_EXE_spindle"));
    let output =
        command.args(["audit", "verify", "--json"]).env("DATABASE_URL", url).output().expect("the command runs");
    let json = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    (output.status.success(), json)
}

const TAMPERINGS: [(&str, &str); 12] = [
    ("payload", "update audit_entry set payload = replace(payload, '\"b\"', '\"B\"') where payload like '%\"b\"%'"),
    ("a blank in the payload", "update audit_entry set payload = payload || ' ' where seq = 2"),
    ("salt", "update audit_entry set salt = decode(repeat('00', 32), 'hex') where seq = 3"),
    ("half an erasure", "update audit_entry set salt = null where seq = 3"),
    ("action", "update audit_entry set action = 'dev.spindle.task.updated.v1' where action like '%deleted%'"),
    ("time", "update audit_entry set at = at - interval '1 microsecond' where seq = 4"),
    ("event id", "update audit_entry set event_id = '0197a000-0000-7000-8000-000000000001' where seq = 4"),
    ("deleted", "delete from audit_entry where seq = 5"),
    ("the first deleted", "delete from audit_entry where seq = 1"),
    (
        "reordered",
        "update audit_entry set seq = -seq where seq in (3, 4);
         update audit_entry set seq = 7 + seq where seq < 0",
    ),
    ("the tail cut", "delete from audit_entry where seq = (select max(seq) from audit_entry)"),
    ("all cut", "delete from audit_entry"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_tampering_is_found() {
    let app = Spindle::start().await;
    let mut ada = app.person("ada", "UTC").await;
    live(&mut ada).await;
    app.tamper("create table kept as select * from audit_entry").await;
    let entries = app.count("select count(*) from audit_entry").await;
    let (whole, chains) = verdict(&app).await;
    assert!(whole && chains[0]["entries"] == entries, "{chains}");
    for (what, sql) in TAMPERINGS {
        app.tamper(sql).await;
        let (whole, chains) = verdict(&app).await;
        assert!(!whole && chains[0]["whole"] == false && chains[0]["seq"].is_number(), "{what}: {chains}");
        assert!(!chains_verify(&app.sql().await).await, "{what}");
        app.tamper("delete from audit_entry; insert into audit_entry select * from kept").await;
    }
    // the head goes with the tail: the one cut that the log alone cannot tell is one entry and head together
    app.tamper("delete from audit_head").await;
    assert!(!verdict(&app).await.0, "without its head");
}

/// Personal data can be erased, payload and salt together, without breaking the chain.
#[tokio::test(flavor = "multi_thread")]
async fn an_erased_payload_leaves_the_chain_whole() {
    let app = Spindle::start().await;
    let mut ada = app.person("ada", "UTC").await;
    live(&mut ada).await;
    app.tamper("update audit_entry set payload = null, salt = null where seq in (1, 3)").await;
    assert!(verdict(&app).await.0);
    let log = ada.items("/api/v1/audit?limit=100").await;
    let erased: Vec<_> = log.iter().filter(|entry| entry["data"].is_null()).map(|entry| &entry["seq"]).collect();
    assert_eq!(erased.len(), 2);
}

/// The chains of users are their own, also when their events come all at once.
#[tokio::test(flavor = "multi_thread")]
async fn chains_grow_side_by_side() {
    let app = Spindle::start().await;
    let (ada, bob) = (app.person("ada", "UTC").await, app.person("bob", "UTC").await);
    let deeds = (0..60).map(|n| [&ada, &bob][n % 2].make(json!({"title": n.to_string()})));
    futures::future::join_all(deeds).await;
    app.quiet().await;
    let (whole, chains) = verdict(&app).await;
    assert!(whole, "{chains}");
    assert_eq!(each(chains.as_array().expect("chains"), "entries"), [30, 30]);
}

/// The subject and the sequence that the API shows are part of what is hashed.
#[tokio::test(flavor = "multi_thread")]
async fn a_moved_entry_is_found() {
    let app = Spindle::start().await;
    let mut ada = app.person("ada", "UTC").await;
    live(&mut ada).await;
    app.tamper("update audit_entry set stream = 'task/0197a000-0000-7000-8000-000000000001' where seq = 1").await;
    assert!(!verdict(&app).await.0, "another subject");
    app.tamper("update audit_entry set stream = 'task/x', stream_seq = stream_seq + 1 where seq = 2").await;
    assert!(!verdict(&app).await.0, "another sequence");
}
