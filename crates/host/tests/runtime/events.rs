//! Messages and the clock.

use std::time::Duration;

use crate::harness::{START, Site};
use host::TestBed;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hint_wakes_its_subscriber() {
    let site = Site::start().await;
    assert_eq!(site.text("publish?hints", "one").await, "Ok(())");
    assert_eq!(site.text("publish?elsewhere", "two").await, "Ok(())");
    site.app.settle().await;
    assert_eq!(site.seen().await, ["message one"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_are_handled_one_after_the_other() {
    let site = Site::start().await;
    for message in ["wait", "panic", "fail", "wait", "last"] {
        site.text("publish?hints", message).await;
    }
    site.app.settle().await;
    assert_eq!(site.seen().await, ["wait begins", "wait ends", "wait begins", "wait ends", "message last"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_may_not_chain() {
    let site = Site::start().await;
    site.text("publish?hints", "chain").await;
    site.app.settle().await;
    assert_eq!(site.seen().await, ["chained: false"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_process_channels_only_publish() {
    let site = Site::start().await;
    assert!(site.text("redis-get?key", "").await.contains("in-process channels only publish"));
    assert!(site.text("redis-open?redis://elsewhere:6379", "").await.contains("InvalidAddress"));
    assert!(site.text("redis-open?nonsense", "").await.contains("InvalidAddress"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cron_fires_on_demand_under_virtual_time() {
    let site = Site::start().await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(site.seen().await, Vec::<String>::new());
    site.app.fire_cron().await.unwrap();
    assert_eq!(site.seen().await, [format!("cron {}", START / 1_000_000)]);
    let site = Site::with(|options| {
        options.bed = TestBed::virtual_time(START, 1);
        options.variables.insert("cron_fails".into(), "yes".into());
    })
    .await;
    let error = site.app.fire_cron().await.unwrap_err().to_string();
    assert!(error.contains("clock") && error.contains("told to fail"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cron_fires_by_itself_under_real_time() {
    let site = Site::with(|_| {}).await;
    let mut seen = Vec::new();
    for _ in 0..60 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        seen = site.seen().await;
        if seen.len() >= 2 {
            break;
        }
    }
    let at = |line: &String| line.strip_prefix("cron ").unwrap().parse::<i64>().unwrap();
    assert!(seen.len() >= 2 && at(&seen[1]) == at(&seen[0]) + 1, "{seen:?}");
}
