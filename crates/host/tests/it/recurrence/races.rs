//! Once, whoever is fast, slow or lost.

use futures::future::join_all;
use serde_json::json;

use super::{last_event, next, recurring, series, series_id, tasks_of};
use crate::harness::Spindle;
use crate::steps::{id, path, without_hints};

#[tokio::test(flavor = "multi_thread")]
async fn eight_clients_complete_and_one_task_follows() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    let mut task = recurring(&ada, "2026-02-10", "daily").await;
    for round in 1..=6 {
        let answers = join_all((0..8).map(|_| ada.complete(&task))).await;
        assert!(answers.iter().all(|answer| answer["version"] == 2));
        app.quiet().await;
        assert_eq!(tasks_of(&app, &task).await, round + 1);
        assert_eq!(app.story(&format!("task/{}", id(&task))).await, ["created", "completed"]);
        task = ada.open().await.remove(0);
    }
    assert_eq!(app.story(&format!("series/{}", series_id(&task))).await.len(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn reopening_makes_no_second_successor() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    let task = recurring(&ada, "2026-02-10", "daily").await;
    let following = next(&ada, &task).await.expect("a next one");
    for _ in 0..3 {
        ada.reopen(&task).await;
        app.quiet().await;
        assert_eq!(ada.open().await.len(), 2, "the reopened one and its successor");
        ada.complete(&task).await;
        app.quiet().await;
        assert_eq!(ada.open().await, std::slice::from_ref(&following));
    }
    app.tick_at("2026-02-01T00:05:00Z").await;
    assert_eq!(tasks_of(&app, &task).await, 2);
}

/// The event of a completion that has been taken back finds nothing to do.
#[tokio::test(flavor = "multi_thread")]
async fn a_completion_taken_back_in_time_brings_nothing() {
    let app = Spindle::with(without_hints()).await;
    let ada = app.person("ada", "UTC").await;
    let task = recurring(&ada, "2026-02-10", "daily").await;
    ada.complete(&task).await;
    ada.reopen(&task).await;
    app.tick().await;
    app.quiet().await;
    assert_eq!(tasks_of(&app, &task).await, 1);
    ada.complete(&task).await;
    app.tick().await;
    assert_eq!(tasks_of(&app, &task).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn completing_and_reopening_at_once_leaves_one_successor() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    for _ in 0..5 {
        let task = recurring(&ada, "2026-02-10", "daily").await;
        join_all((0..8).map(|n| {
            let (ada, task) = (&ada, &task);
            async move {
                match n % 3 {
                    0 => ada.reopen(task).await,
                    _ => ada.complete(task).await,
                }
            }
        }))
        .await;
        ada.complete(&task).await;
        app.quiet().await;
        app.app.bed().advance_micros(5_000_000);
        app.tick().await;
        assert_eq!(tasks_of(&app, &task).await, 2);
        assert_eq!(app.story(&format!("series/{}", series_id(&task))).await, ["created", "advanced"]);
        let version = ada.look(&task).await["version"].as_u64().expect("a version");
        assert_eq!(app.story(&format!("task/{}", id(&task))).await.len() as u64, version);
    }
}

/// Done and cleared away at once: it was completed, so its series goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_completed_task_that_is_deleted_has_a_successor() {
    let app = Spindle::with(without_hints()).await;
    let ada = app.person("ada", "UTC").await;
    let task = recurring(&ada, "2026-02-10", "daily").await;
    ada.complete(&task).await;
    assert_eq!(ada.delete(&path(&task)).await.status, 204);
    app.tick().await;
    app.quiet().await;
    assert!(series(&ada, &task).await["ended_at"].is_null());
    let open = ada.open().await;
    assert_eq!(open.len(), 1, "the next one");
    assert_eq!(open[0]["due_date"], "2026-02-11");
}

/// The event is lost on its way, or once received: the tick finds the completion itself, half a minute later.
#[tokio::test(flavor = "multi_thread")]
async fn the_tick_repairs_a_series_whose_event_was_lost() {
    let app = Spindle::with(without_hints()).await;
    let ada = app.person("ada", "UTC").await;
    let (sent, received) = (recurring(&ada, "2026-02-10", "daily").await, recurring(&ada, "2026-02-10", "daily").await);
    app.relay().await;
    let advance = include_str!("../../../../../components/recurrence/sql/advance.sql");
    app.app.bed().rewrite_sql(advance, "select 1/0 > 0 as advanced");
    ada.complete(&sent).await;
    let stream = format!("task/{}", id(&sent));
    app.tamper(&format!("delete from outbox where stream = '{stream}'")).await;
    app.tamper(&format!("update event_stream set acked_seq = last_seq where stream = '{stream}'")).await;
    ada.complete(&received).await;
    app.relay().await;
    assert_eq!(app.count("select count(*) from inbox where state = 'new' and error is not null").await, 1);
    app.tamper("delete from inbox where consumer = 'recurrence' and state = 'new'").await;
    app.app.bed().rewrite_sql(advance, advance);
    app.tick_at("2026-02-01T00:00:30Z").await;
    assert_eq!(tasks_of(&app, &sent).await + tasks_of(&app, &received).await, 2, "not before its event had its time");
    app.tick_at("2026-02-01T00:00:30.000001Z").await;
    for task in [&sent, &received] {
        assert_eq!(tasks_of(&app, task).await, 2);
        assert_eq!(series(&ada, task).await["version"], 2);
    }
    app.tick_at("2026-02-01T00:05:00Z").await;
    assert_eq!(tasks_of(&app, &sent).await + tasks_of(&app, &received).await, 4, "once");
}

/// A series that is completed by a machine as fast as it comes stops at a thousand tasks a day, and says why.
#[tokio::test(flavor = "multi_thread")]
async fn the_guard_stops_a_series_that_runs_away() {
    let app = Spindle::start().await;
    let mut ada = app.person("ada", "UTC").await;
    let mut task = recurring(&ada, "2026-02-01T01:00:00Z", "FREQ=HOURLY").await;
    for _ in 0..3 {
        task = next(&ada, &task).await.expect("a next one");
    }
    let made = format!("select guard_count::bigint from series where id = '{}'", series_id(&task));
    assert_eq!(app.count(&made).await, 4, "the first task counts");
    app.tamper("update series set guard_count = 999").await;
    ada.wait_until("2026-02-01T23:59:59Z").await;
    task = next(&ada, &task).await.expect("the thousandth");
    let other = recurring(&ada, "2026-02-02T01:00:00Z", "FREQ=HOURLY").await;
    app.tamper(&format!("update series set guard_count = 1000 where id = '{}'", series_id(&other))).await;
    assert!(next(&ada, &task).await.is_none(), "the thousand and first");
    let ended = series(&ada, &task).await;
    assert_eq!((&ended["end_reason"], &ended["ended_at"]), (&json!("guard"), &json!("2026-02-01T23:59:59Z")));
    assert_eq!(
        last_event(&app, &task).await,
        (
            "ended".to_owned(),
            json!({
                "series_id": series_id(&task), "version": ended["version"], "reason": "guard",
            })
        )
    );
    // a new day, and the other one has its thousand again
    ada.wait_until("2026-02-02T00:00:00Z").await;
    assert!(next(&ada, &other).await.is_some());
    assert_eq!(
        app.count(&format!("select guard_count::bigint from series where id = '{}'", series_id(&other))).await,
        1
    );
}
