//! Lists of tasks, page by page.

use std::collections::BTreeSet;

use serde_json::json;

use crate::harness::{Person, Spindle};
use crate::steps::{id, path};

async fn make(person: &Person<'_>, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 0..count {
        // several of the same moment, so that the id has to break the tie
        if n % 4 == 0 {
            person.app.app.bed().advance_micros(1);
        }
        ids.push(id(&person.make(json!({"title": n.to_string()})).await).to_owned());
    }
    ids
}

/// Between the pages tasks come and go; those that stay are met once each, those of later not at all.
#[tokio::test(flavor = "multi_thread")]
async fn pages_neither_skip_nor_repeat() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    let ids = make(&ada, 40).await;
    for limit in [1, 3, 7, 40, 41] {
        let (mut met, mut gone) = (Vec::new(), BTreeSet::new());
        let mut from = format!("/api/v1/tasks?limit={limit}");
        loop {
            let page = ada.get(&from).await.json;
            met.extend(page["items"].as_array().expect("items").iter().map(|task| id(task).to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            from = format!("/api/v1/tasks?limit={limit}&cursor={next}");
            app.app.bed().advance_micros(1);
            let newcomer = ada.make(json!({"title": "later"})).await;
            gone.insert(id(&newcomer).to_owned());
            // the very task that the cursor points behind
            let last = json!({"id": met.last().expect("a task")});
            if met.len() % 2 == 1 && ids.contains(met.last().expect("a task")) {
                assert_eq!(ada.delete(&path(&last)).await.status, 204);
            }
        }
        assert_eq!(met.iter().collect::<BTreeSet<_>>().len(), met.len(), "a task came twice, limit {limit}");
        assert!(met.iter().all(|met| !gone.contains(met)), "a later task came, limit {limit}");
        let left: BTreeSet<_> = ada.all("/api/v1/tasks", 100).await.iter().map(|task| id(task).to_owned()).collect();
        let missed: Vec<_> = left.iter().filter(|left| !met.contains(left) && !gone.contains(*left)).collect();
        assert!(missed.is_empty(), "{missed:?} were skipped, limit {limit}");
        for newcomer in gone {
            ada.delete(&path(&json!({"id": newcomer}))).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_comes_first_and_pages_join() {
    let app = Spindle::start().await;
    let (ada, bob) = (app.person("ada", "UTC").await, app.person("bob", "UTC").await);
    make(&ada, 25).await;
    make(&bob, 3).await;
    let whole = ada.items("/api/v1/tasks?limit=100").await;
    assert_eq!(whole.len(), 25);
    let key = |task: &serde_json::Value| (task["created_at"].to_string(), id(task).to_owned());
    assert!(whole.windows(2).all(|two| key(&two[0]) > key(&two[1])), "the newest first");
    for limit in [1, 4, 24, 25, 26] {
        assert_eq!(ada.all("/api/v1/tasks", limit).await, whole, "limit {limit}");
    }
    let exact = ada.get("/api/v1/tasks?limit=25").await;
    assert!(exact.json["next"].is_null(), "no empty page behind the last");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_one_status_has_no_other() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    for n in 0..9 {
        let task = ada.make(json!({"title": n.to_string()})).await;
        if n % 3 == 0 {
            ada.complete(&task).await;
        }
    }
    for (status, count) in [("open", 6), ("completed", 3)] {
        let mut met = 0;
        let mut from = format!("/api/v1/tasks?status={status}&limit=2");
        loop {
            let page = ada.get(&from).await.json;
            let items = page["items"].as_array().expect("items");
            assert!(items.iter().all(|task| task["status"] == status), "{status}");
            met += items.len();
            let Some(next) = page["next"].as_str() else { break };
            from = format!("/api/v1/tasks?status={status}&limit=2&cursor={next}");
        }
        assert_eq!(met, count, "{status}");
    }
    for bad in [
        "status=done",
        "status=",
        "statu=open",
        "status=open&status=open",
        "limit=0",
        "limit=101",
        "limit=x",
        "cursor=x",
        "cursor=",
    ] {
        let refused = ada.get(&format!("/api/v1/tasks?{bad}")).await;
        assert_eq!((refused.status, refused.json["status"].as_u64()), (422, Some(422)), "{bad}");
    }
}
