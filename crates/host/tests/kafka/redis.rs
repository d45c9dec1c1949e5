//! Redis only hints: without it events flow by the tick, and nobody who uses the API notices.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio_postgres::Client;

use crate::api::Person;
use crate::checker;
use crate::redis_process::Redis;
use crate::stage::application_with_redis;

/// The cron of the ticker.
const TICK: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Redis: cargo xtask test kafka"]
async fn a_hint_wakes_the_relay_and_a_lost_server_is_found_again() {
    let redis = Redis::any();
    let port = redis.port;
    let (_app, sql, api) = application_with_redis("hints", port, &["ticker"]).await;
    let ada = Person::new(api, "ada").await.expect("Ada");
    ada.make(json!({"title": "by a hint"})).await.expect("a task");
    flows_within(&sql, Duration::from_secs(3), "a hint wakes the relay, without any tick").await;

    drop(redis);
    ada.make(json!({"title": "unheard"})).await.expect("a task without Redis");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!checker::unfinished(&sql).await.is_empty(), "nobody was woken");
    let _redis = Redis::start(port);
    let start = Instant::now();
    while !checker::unfinished(&sql).await.is_empty() {
        assert!(start.elapsed() < Duration::from_secs(20), "hints do not arrive any more");
        ada.make(json!({"title": "heard again"})).await.expect("a task");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Redis: cargo xtask test kafka"]
async fn without_redis_events_flow_by_the_tick() {
    let redis = Redis::any();
    let (_app, sql, api) = application_with_redis("no_hints", redis.port, &[]).await;
    let ada = Person::new(api, "ada").await.expect("Ada");

    // it accepts, and never answers
    signal("-STOP", redis.process());
    for n in 0..200 {
        let sent = Instant::now();
        ada.make(json!({"title": format!("while it hangs {n}")})).await.expect("a task");
        assert!(sent.elapsed() < Duration::from_secs(1), "an answer waits for no hint");
    }
    flows_within(&sql, 2 * TICK, "while Redis hangs").await;
    signal("-CONT", redis.process());

    drop(redis);
    ada.make(json!({"title": "without it"})).await.expect("a task");
    flows_within(&sql, 2 * TICK, "while Redis is gone").await;
}

async fn flows_within(sql: &Client, time: Duration, when: &str) {
    let start = Instant::now();
    while !checker::unfinished(sql).await.is_empty() {
        assert!(start.elapsed() < time, "{when}: {:?}", checker::unfinished(sql).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn signal(signal: &str, process: u32) {
    let sent = Command::new("kill").args([signal, &process.to_string()]).status().expect("kill");
    assert!(sent.success());
}
