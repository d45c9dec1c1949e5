//! Faults at host calls.

use host::HostCall;

use crate::harness::Site;

const SCRIPT: &str = "! insert into seen (what) values ('one')\n! insert into seen (what) values ('two')";

fn effects(calls: &[HostCall]) -> Vec<&str> {
    calls.iter().filter_map(|call| call.effect.as_deref()).collect()
}

fn index_of(calls: &[HostCall], effect: &str) -> u64 {
    calls.iter().find(|call| call.effect.as_deref().is_some_and(|text| text.contains(effect))).unwrap().index
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_counted_with_their_effects() {
    let site = Site::start().await;
    site.sql(SCRIPT).await;
    assert!(site.app.bed().calls().is_empty());
    site.app.bed().record_calls();
    site.sql(SCRIPT).await;
    let calls = site.app.bed().calls();
    assert_eq!(
        effects(&calls),
        [
            "pg open",
            "pg execute insert into seen (what) values ('one')",
            "pg execute insert into seen (what) values ('two')"
        ]
    );
    assert!(calls.iter().zip(1..).all(|(call, index)| call.index == index && call.component == "probe"));
    site.app.bed().record_calls();
    site.text("post?http://other.spin.internal/echo", "x").await;
    site.text("publish?hints", "x").await;
    site.app.settle().await;
    let calls = site.app.bed().calls();
    assert_eq!(
        effects(&calls),
        [
            "http POST http://other.spin.internal/echo",
            "redis publish hints",
            "pg open",
            "pg execute insert into seen (what) values ($1)"
        ]
    );
    assert!(calls.iter().any(|call| call.component == "other"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trap_strikes_before_or_after_exactly_that_call() {
    let site = Site::start().await;
    let bed = site.app.bed();
    bed.record_calls();
    site.sql(SCRIPT).await;
    let second = index_of(&bed.calls(), "'two'");
    site.db.batch_execute("truncate seen").await.unwrap();

    bed.record_calls();
    bed.trap_before(second);
    assert_eq!(site.post("/probe/sql", SCRIPT).await.status, 500);
    assert!(bed.trapped());
    assert_eq!(bed.calls().len() as u64, second);
    assert_eq!(site.seen().await, ["one"]);

    bed.record_calls();
    assert!(!bed.trapped());
    bed.trap_after(second);
    assert_eq!(site.post("/probe/sql", SCRIPT).await.status, 500);
    assert!(bed.trapped());
    assert_eq!(bed.calls().len() as u64, second);
    assert_eq!(site.seen().await, ["one", "one", "two"]);

    site.sql(SCRIPT).await;
    assert_eq!(site.seen().await.len(), 5, "a fault fires once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_can_be_a_crash() {
    let site = Site::start().await;
    let bed = site.app.bed();
    bed.record_calls();
    site.sql(SCRIPT).await;
    let count = bed.calls().len() as u64;
    for index in 1..=count {
        for after in [false, true] {
            bed.record_calls();
            if after {
                bed.trap_after(index)
            } else {
                bed.trap_before(index)
            }
            let status = site.post("/probe/sql", SCRIPT).await.status;
            assert!(bed.trapped(), "{index} {after}");
            assert!(status == 500 || (status == 200 && index + 12 > count), "{index} of {count} {after}: {status}");
        }
    }
    assert_eq!(site.text("hello", "").await, "Hello");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_makes_the_same_calls() {
    let site = Site::start().await;
    let bed = site.app.bed();
    let mut runs = std::collections::BTreeSet::new();
    for _ in 0..60 {
        bed.record_calls();
        site.sql(SCRIPT).await;
        runs.insert(bed.calls().into_iter().map(|call| call.effect).collect::<Vec<_>>());
    }
    assert_eq!(runs.len(), 1, "{runs:?}");
}
