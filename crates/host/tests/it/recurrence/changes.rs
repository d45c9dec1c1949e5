//! What a change of a task does to its series.

use serde_json::json;

use super::{last_event, next, recurring, series, tasks_of};
use crate::harness::Spindle;
use crate::steps::path;

/// Moving one occurrence moves neither the rule nor what comes after it.
#[tokio::test(flavor = "multi_thread")]
async fn moving_an_occurrence_does_not_move_the_series() {
    let app = Spindle::start().await;
    let mut ada = app.person("ada", "UTC").await;
    let task = recurring(&ada, "2026-02-10T09:00:00Z", "weekly").await;
    let before = series(&ada, &task).await;
    let moved = ada.edit(&task, json!({"due_date": "2026-02-12T18:00:00Z"})).await;
    assert_eq!((&moved["series_id"], &moved["occurrence"]), (&task["series_id"], &task["occurrence"]));
    assert_eq!(series(&ada, &task).await, before, "not a byte of it");
    let second = next(&ada, &moved).await.expect("a next one");
    assert_eq!(second["due_date"], "2026-02-17T09:00:00Z");
    // to behind the one that follows: that one is skipped, no day gets two
    let moved = ada.edit(&second, json!({"due_date": "2026-02-25T09:00:00Z"})).await;
    ada.wait_until("2026-02-25T09:30:00Z").await;
    let third = next(&ada, &moved).await.expect("a next one");
    assert_eq!(third["due_date"], "2026-03-03T09:00:00Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_rule_starts_another_series() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    let changes = [
        json!({"recurrence_rule": "FREQ=DAILY;INTERVAL=2"}),
        json!({"time_zone": "Europe/Berlin"}),
        json!({"due_date": "2026-02-10"}),
        json!({"recurrence_rule": "monthly", "due_date": "2026-02-28T09:00:00Z"}),
    ];
    for change in changes {
        let task = recurring(&ada, "2026-02-10T09:00:00Z", "weekly").await;
        let changed = ada.edit(&task, change.clone()).await;
        assert_ne!(changed["series_id"], task["series_id"], "{change}");
        let (old, new) = (series(&ada, &task).await, series(&ada, &changed).await);
        assert_eq!((&old["end_reason"], &old["version"]), (&json!("changed"), &json!(2)), "{change}");
        assert_eq!((&new["task_id"], &new["rule"]), (&task["id"], &changed["recurrence_rule"]), "{change}");
        assert_eq!(new["occurrence"], changed["occurrence"]);
        app.quiet().await;
        assert_eq!(last_event(&app, &task).await.1["reason"], "changed", "{change}");
        assert_eq!(last_event(&app, &changed).await.0, "created", "{change}");
        let following = next(&ada, &changed).await.expect("a next one");
        assert_eq!(following["series_id"], changed["series_id"], "{change}");
        assert_eq!(tasks_of(&app, &task).await, 0, "the old series has no task left, {change}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_can_be_added_and_removed() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    let task = ada.make(json!({"title": "a", "due_date": "2026-02-10"})).await;
    let recurring = ada.edit(&task, json!({"recurrence_rule": "daily"})).await;
    let started = series(&ada, &recurring).await;
    assert_eq!((&started["rule"], &started["all_day"]), (&json!("FREQ=DAILY"), &json!(true)));
    let following = next(&ada, &recurring).await.expect("a next one");
    let plain = ada.edit(&following, json!({"recurrence_rule": null})).await;
    assert!(plain["series_id"].is_null() && plain["occurrence"].is_null());
    let ended = series(&ada, &recurring).await;
    assert_eq!((&ended["end_reason"], &ended["version"]), (&json!("changed"), &json!(3)));
    ada.complete(&plain).await;
    app.quiet().await;
    assert_eq!(ada.open().await.len(), 0, "nothing recurs any more");
    assert_eq!(last_event(&app, &recurring).await.1["reason"], "changed");
}

/// Deleting the current task ends its series; deleting one of its past does not.
#[tokio::test(flavor = "multi_thread")]
async fn deleting_ends_what_is_current() {
    let app = Spindle::start().await;
    let ada = app.person("ada", "UTC").await;
    let first = recurring(&ada, "2026-02-10", "daily").await;
    let second = next(&ada, &first).await.expect("a next one");
    assert_eq!(ada.delete(&path(&first)).await.status, 204);
    assert!(series(&ada, &first).await["ended_at"].is_null());
    let third = next(&ada, &second).await.expect("a next one");
    ada.reopen(&second).await;
    assert_eq!(ada.delete(&path(&second)).await.status, 204, "open, but no longer the current one");
    assert!(series(&ada, &first).await["ended_at"].is_null());
    assert_eq!(ada.delete(&path(&third)).await.status, 204);
    assert_eq!(ada.delete(&path(&third)).await.status, 204);
    app.quiet().await;
    assert_eq!(series(&ada, &first).await["end_reason"], "deleted");
    let (kind, data) = last_event(&app, &first).await;
    assert_eq!((kind.as_str(), &data["reason"]), ("ended", &json!("deleted")));
    app.tick_at("2026-02-11T00:00:00Z").await;
    assert_eq!(tasks_of(&app, &first).await, 3);
}

/// What is done keeps its rule, or a second series would begin beside the one that goes on; the rest may be edited.
#[tokio::test(flavor = "multi_thread")]
async fn editing_the_past_starts_no_second_series() {
    let app = Spindle::start().await;
    let mut ada = app.person("ada", "UTC").await;
    let first = recurring(&ada, "2026-02-10", "daily").await;
    let second = next(&ada, &first).await.expect("a next one");
    let changes =
        [json!({"recurrence_rule": "weekly"}), json!({"recurrence_rule": null}), json!({"time_zone": "Asia/Tokyo"})];
    for change in changes {
        let refused = ada.patch(&path(&first), change.clone()).await;
        assert_eq!((refused.status, &refused.json["type"]), (409, &json!("/problems/completed")), "{change}");
    }
    ada.edit(&first, json!({"title": "b", "due_date": "2026-02-09"})).await;
    app.tick_at("2026-02-01T00:05:00Z").await;
    ada.sign_in().await;
    assert_eq!(ada.open().await, [second]);
    assert_eq!(ada.items("/api/v1/recurring-tasks").await.len(), 1);
}
