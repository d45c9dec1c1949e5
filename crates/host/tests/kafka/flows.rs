//! What users and operators get, the same by each way that events can cross.

use std::time::Duration;

use host::parts::Transport;
use serde_json::json;

use crate::api::{Person, send};
use crate::checker;
use crate::settings::INTERNAL_TOKEN;
use crate::stage::{API_TOKEN, Stage};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka and daprd: cargo xtask test kafka"]
async fn by_the_kafka_binding() {
    suite(&Stage::start("binding", Transport::KafkaBinding).await).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka and daprd: cargo xtask test kafka"]
async fn by_topics_over_kafka() {
    suite(&Stage::start("topics", Transport::KafkaTopics).await).await;
}

/// Another file in `dapr/`, and nothing else.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Redis and daprd: cargo xtask test kafka"]
async fn by_topics_over_redis() {
    suite(&Stage::start("redis", Transport::RedisTopics).await).await;
}

async fn suite(stage: &Stage) {
    stage.app.bed().record_calls();
    a_journey(stage).await;
    streams_keep_their_order(stage).await;
    nothing_is_lost_while_the_database_refuses(stage).await;
    a_forged_call_changes_nothing(stage).await;
    assert_eq!(checker::faults(&stage.sql).await, Vec::<String>::new());
    assert_eq!(checker::healed(&stage.sql).await, 0, "nothing was lost on the way");
    what_is_no_event_holds_up_nothing(stage).await;
    only_the_relay_calls_a_sidecar(stage);
}

/// A weekly task, its reminder, its completion, the next one.
async fn a_journey(stage: &Stage) {
    let ada = Person::new(stage.port, "ada").await.expect("Ada");
    let due = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let task = json!({
        "title": "Weekly", "due_date": due, "recurrence_rule": "FREQ=WEEKLY", "reminder_minutes": [0]
    });
    let task = ada.make(task).await.expect("a task");
    stage.until("a notification", "select count(*) from notification").await;
    let path = format!("/api/v1/tasks/{}/complete", task["id"].as_str().expect("an id"));
    assert_eq!(ada.call("POST", &path, &json!(null)).await.expect("an answer").status, 200);
    stage.until("the next occurrence", "select count(*) from task where completed_at is null").await;
    stage.quiet().await;
    let audit = ada.call("GET", "/api/v1/audit", &json!(null)).await.expect("the audit log").json;
    let mut types: Vec<_> = audit["items"].as_array().expect("items").iter().map(|e| e["type"].to_string()).collect();
    types.sort();
    let expected =
        ["reminder.due", "series.advanced", "series.created", "task.completed", "task.created", "task.created"];
    assert_eq!(types, expected.map(|kind| format!("\"dev.spindle.{kind}.v1\"")));
}

async fn streams_keep_their_order(stage: &Stage) {
    let ben = Person::new(stage.port, "ben").await.expect("Ben");
    let edits = (0..20).map(|n| {
        let ben = ben.clone();
        tokio::spawn(async move {
            let task = ben.make(json!({"title": format!("task {n}")})).await.expect("a task");
            let path = format!("/api/v1/tasks/{}", task["id"].as_str().expect("an id"));
            for edit in 0..9 {
                let answer = ben.call("PATCH", &path, &json!({"title": format!("edit {edit}")})).await;
                assert_eq!(answer.expect("an answer").status, 200);
            }
        })
    });
    for edit in edits.collect::<Vec<_>>() {
        edit.await.expect("twenty tasks");
    }
    stage.quiet().await;
    assert_eq!(stage.count("select count(*) from audit_entry where action like '%task.updated%'").await, 180);
}

/// A consumer that cannot store an event answers 500, and gets it again.
async fn nothing_is_lost_while_the_database_refuses(stage: &Stage) {
    let receive = include_str!("../../../edge/sql/receive.sql");
    let before = stage.count("select count(*) from inbox_done").await;
    stage.app.bed().rewrite_sql(receive, "select (1 / 0)::text as state");
    let cy = Person::new(stage.port, "cy").await.expect("Cy");
    for n in 0..5 {
        cy.make(json!({"title": format!("task {n}")})).await.expect("a task");
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(stage.count("select count(*) from inbox_done").await, before, "nobody could receive");
    stage.app.bed().rewrite_sql(receive, receive);
    stage.quiet().await;
    assert_eq!(stage.count("select count(*) from inbox_done").await, before + 10, "by audit and reminders");
}

async fn a_forged_call_changes_nothing(stage: &Stage) {
    let before = stage.count("select (select count(*) from inbox) + (select count(*) from inbox_done)").await;
    let wrong: [&[(&str, &str)]; 4] = [
        &[],
        &[("dapr-api-token", "")],
        &[("dapr-api-token", API_TOKEN)],
        // what a record of Kafka can bring along
        &[("dapr-app-token", INTERNAL_TOKEN)],
    ];
    for consumer in domain::event::CONSUMERS {
        for headers in wrong {
            let path = format!("/internal/{consumer}/events");
            let answer = send(stage.port, "POST", &path, headers, "no event").await.expect("an answer");
            assert_eq!(answer.status, 401, "{path} {headers:?}");
        }
    }
    let after = stage.count("select (select count(*) from inbox) + (select count(*) from inbox_done)").await;
    assert_eq!(after, before);
}

/// Garbage in a topic is kept as dead by each consumer of it, and what comes after it is applied.
async fn what_is_no_event_holds_up_nothing(stage: &Stage) {
    stage.publish_garbage("task-events", 24).await;
    stage.until("dead rows", "select count(*) from inbox where state = 'dead' and type = 'unreadable'").await;
    let dee = Person::new(stage.port, "dee").await.expect("Dee");
    for n in 0..24 {
        dee.make(json!({"title": format!("task {n}")})).await.expect("a task");
    }
    stage.quiet().await;
    for consumer in ["audit", "recurrence", "reminders"] {
        let dead = format!("select count(*) from inbox where consumer = '{consumer}' and state = 'dead'");
        stage.until("every consumer has its dead rows", &format!("select ({dead}) / 24")).await;
        assert_eq!(stage.count(&dead).await, 24, "{consumer}");
    }
}

fn only_the_relay_calls_a_sidecar(stage: &Stage) {
    let base = stage.sidecars.base();
    let calls = stage.app.bed().calls();
    let to_sidecar = calls.iter().filter(|call| call.effect.as_ref().is_some_and(|effect| effect.contains(&base)));
    let components: std::collections::BTreeSet<_> = to_sidecar.map(|call| call.component.as_str()).collect();
    assert_eq!(components, ["relay"].into());
}
