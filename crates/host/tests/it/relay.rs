//! The relay: every event reaches every consumer, in the order of its stream, whoever fails on the way.

use domain::event::{self, Event};
use futures::future::join_all;
use serde_json::json;

use crate::harness::{START, Setup, Spindle, micros};
use crate::status::metrics;
use crate::steps::{id, without_hints};
use host::testbed::TestBed;

const ACK: &str = include_str!("../../../../components/relay/sql/ack.sql");
const CLAIM: &str = include_str!("../../../../components/relay/sql/claim.sql");

/// Hands over nothing and acknowledges nothing.
const LOST_ACK: &str = "select count(*) as acked from event_stream
    where $1::timestamp is null and lease_token = $2::uuid and stream = any ($3::text[]) and $4::int4[] is not null";

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_while_a_consumer_is_down() {
    let mut setup = without_hints();
    setup.without = vec!["audit"];
    let app = Spindle::with(setup).await;
    let ada = app.person("ada", "UTC").await;
    let tasks = [ada.make(json!({"title": "a"})).await, ada.make(json!({"title": "b"})).await];
    for n in 0..3 {
        ada.edit(&tasks[0], json!({"title": n.to_string()})).await;
        let run = app.relay().await;
        assert_eq!((run.status, &run.json["handed_over"]), (200, &json!(0)), "{}", run.json);
    }
    assert_eq!(app.count("select count(*) from outbox").await, 5);
    // the consumers that are up have what came first, once
    assert_eq!(app.count("select count(*) from inbox_done where consumer = 'reminders'").await, 2);
    let database = app.database.clone();
    app.app.stop().await.expect("a stop");

    let bed = TestBed::virtual_time(START + 600_000_000, 2);
    let app = Spindle::on(database, Setup { bed, ..without_hints() }).await;
    assert_eq!(app.relay().await.json, json!({"handed_over": 5, "failed": 0}));
    app.quiet().await;
    let story = app.story(&format!("task/{}", id(&tasks[0]))).await;
    assert_eq!(story, ["created", "updated", "updated", "updated"]);
    let titles: Vec<_> =
        app.events(&format!("task/{}", id(&tasks[0]))).await.into_iter().map(|(.., d)| d["title"].clone()).collect();
    assert_eq!(titles, ["a", "0", "1", "2"]);
}

/// A stream whose consumer fails is tried again after 2 s, then 4, then 8, up to five minutes.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_waits_longer_each_time() {
    let mut setup = without_hints();
    setup.without = vec!["reminders"];
    let app = Spindle::with(setup).await;
    let ada = app.person("ada", "UTC").await;
    ada.make(json!({"title": "a"})).await;
    for wait in [2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
        assert_eq!(app.relay().await.json["failed"], 1, "before {wait}");
        app.app.bed().advance_micros(wait * 1_000_000);
        assert_eq!(app.relay().await.json["failed"], 0, "{wait} s are not over");
        app.app.bed().advance_micros(1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn relays_at_once_hand_each_event_over_once() {
    let app = Spindle::with(without_hints()).await;
    let ada = app.person("ada", "UTC").await;
    let mut tasks = Vec::new();
    for n in 0..60 {
        let task = ada.make(json!({"title": "a", "due_date": "2026-02-10", "reminder_minutes": [0]})).await;
        if n % 2 == 0 {
            ada.edit(&task, json!({"title": "b"})).await;
        }
        tasks.push(task);
    }
    let runs = join_all((0..6).map(|_| app.relay())).await;
    let mut handed: u64 = runs.iter().map(|run| run.json["handed_over"].as_u64().expect("a number")).sum();
    handed += app.relay().await.json["handed_over"].as_u64().expect("a number");
    assert_eq!(handed, 90, "each once");
    assert!(runs.iter().all(|run| run.json["failed"] == 0));
    app.quiet().await;
    assert_eq!(app.count("select count(*) from audit_entry").await, 90);
    assert_eq!(app.count("select count(*) from reminder").await, 60);
    for (n, task) in tasks.iter().enumerate() {
        let expected: &[&str] = if n % 2 == 0 { &["created", "updated"] } else { &["created"] };
        assert_eq!(app.story(&format!("task/{}", id(task))).await, expected);
    }
}

/// A relay that dies between handing over and acknowledging: the event comes again when its lease is over, to the same
/// effect.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_acknowledgement_is_made_good() {
    let app = Spindle::with(without_hints()).await;
    let ada = app.person("ada", "UTC").await;
    let task = ada.make(json!({"title": "a", "due_date": "2026-01-31T12:00:00Z", "reminder_minutes": [0]})).await;
    app.app.bed().rewrite_sql(ACK, LOST_ACK);
    app.relay().await;
    assert!(app.count("select count(*) from outbox where stream like 'task/%'").await == 1, "not acknowledged");
    app.app.bed().rewrite_sql(ACK, ACK);
    ada.edit(&task, json!({"title": "b"})).await;
    app.app.bed().set_now_micros(micros("2026-02-01T00:00:30Z"));
    app.relay().await;
    assert_eq!(app.story(&format!("task/{}", id(&task))).await, ["created"], "the lease holds back what follows");
    app.app.bed().advance_micros(1);
    app.relay().await;
    app.quiet().await;
    assert_eq!(app.story(&format!("task/{}", id(&task))).await, ["created", "updated"]);
    assert_eq!(app.count("select count(*) from notification").await, 1);
    assert_eq!(app.count("select count(*) from reminder").await, 1);
}

/// Who lost the lease cannot acknowledge: neither late, nor for somebody else.
#[tokio::test(flavor = "multi_thread")]
async fn an_expired_lease_acknowledges_nothing() {
    let app = Spindle::with(without_hints()).await;
    let ada = app.person("ada", "UTC").await;
    let task = ada.make(json!({"title": "a"})).await;
    let stream = vec![format!("task/{}", id(&task))];
    let sql = app.sql().await;
    let at = |text: &str| text.parse::<chrono::NaiveDateTime>().expect("a time");
    let (first, second) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
    let claim = async |now: &str, token, until: &str| {
        sql.query(CLAIM, &[&at(now), &token, &at(until), &50i64]).await.expect("claim").len()
    };
    let ack = async |now: &str, token| {
        let row = sql.query_one(ACK, &[&at(now), &token, &stream, &vec![1i32]]).await.expect("ack");
        row.get::<_, i64>(0)
    };
    assert_eq!(claim("2026-02-01T00:00:00", first, "2026-02-01T00:00:30").await, 1);
    assert_eq!(claim("2026-02-01T00:00:30", second, "2026-02-01T00:01:00").await, 0, "leased");
    assert_eq!(ack("2026-02-01T00:00:10", second).await, 0, "not its lease");
    assert_eq!(ack("2026-02-01T00:00:30", first).await, 0, "too late");
    assert_eq!(claim("2026-02-01T00:00:31", second, "2026-02-01T00:01:00").await, 1);
    assert_eq!(ack("2026-02-01T00:00:32", first).await, 0, "another has it");
    assert_eq!(app.count("select count(*) from outbox").await, 1);
    assert_eq!(ack("2026-02-01T00:00:32", second).await, 1);
    assert_eq!(ack("2026-02-01T00:00:32", second).await, 0, "once");
    assert_eq!(app.count("select count(*) from outbox").await, 0);
    assert_eq!(app.count("select acked_seq from event_stream").await, 1);
}

/// Two hundred streams that cannot move do not keep the others waiting.
#[tokio::test(flavor = "multi_thread")]
async fn streams_that_fail_do_not_hold_up_others() {
    let mut setup = without_hints();
    setup.without = vec!["notifications"];
    let app = Spindle::with(setup).await;
    let ada = app.person("ada", "UTC").await;
    app.tamper(
        "
        insert into outbox (id, stream, stream_seq, topic, type, user_id, time, data)
        select gen_random_uuid(), 'reminder/' || n, 1, 'reminders', 'dev.spindle.reminder.due.v1',
            gen_random_uuid(), '2026-01-01', '{}'
        from generate_series(1, 200) n;
        insert into event_stream (stream, last_seq) select 'reminder/' || n, 1 from generate_series(1, 200) n",
    )
    .await;
    let task = ada.make(json!({"title": "a"})).await;
    for _ in 0..6 {
        app.relay().await;
    }
    assert_eq!(app.story(&format!("task/{}", id(&task))).await, ["created"]);
    assert_eq!(app.count("select count(*) from outbox").await, 200, "they are still there to be looked at");
}

/// What was handed over and never received is found after a minute, and comes from the archive.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_transport_lost_is_put_right() {
    let app = Spindle::with(without_hints()).await;
    let ada = app.person("ada", "UTC").await;
    let lost = ada.make(json!({"title": "a", "due_date": "2026-02-10", "reminder_minutes": [0]})).await;
    let kept = ada.make(json!({"title": "b"})).await;
    app.relay().await;
    let stream = format!("task/{}", id(&lost));
    app.tamper(&format!(
        "delete from inbox_done where event_id in (select id from outbox_archive where stream = '{stream}');
        delete from audit_entry where stream = '{stream}'; delete from reminder"
    ))
    .await;
    // the audit log keeps the order of the stream: what comes after waits
    ada.edit(&lost, json!({"title": "c"})).await;
    app.relay().await;
    assert_eq!(app.story(&stream).await, Vec::<String>::new());
    app.tick_at("2026-02-01T00:00:59Z").await;
    let healed = "select sum(gaps_healed)::bigint from consumer";
    assert_eq!(app.count(healed).await, 0, "it may still be on its way");
    app.tick_at("2026-02-01T00:01:00.5Z").await;
    assert_eq!(app.count(healed).await, 2, "for audit and reminders; recurrence has no use for it");
    app.tick_at("2026-02-01T00:10:00Z").await;
    app.quiet().await;
    assert_eq!(app.story(&stream).await, ["created", "updated"]);
    assert_eq!(app.story(&format!("task/{}", id(&kept))).await, ["created"]);
    assert_eq!(app.count("select count(*) from reminder").await, 1);
    assert_eq!(app.count(healed).await, 2);
    let metrics = metrics(&app).await;
    let healed =
        event::CONSUMERS.map(|name| metrics[&format!("spindle_events_gaps_healed_total{{consumer=\"{name}\"}}")]);
    assert_eq!(healed, [1.0, 0.0, 0.0, 1.0]);
}

/// The day that leaves the archive and the ledger goes a part at a time; younger ones stay.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_is_deleted() {
    let app = Spindle::with(without_hints()).await;
    let ada = app.person("ada", "UTC").await;
    ada.make(json!({"title": "a"})).await;
    app.tick().await;
    app.tamper(
        "
        insert into outbox_archive (slot, id, stream, stream_seq, topic, type, user_id, time, data, handed_at)
        select slot, id, stream, n, topic, type, user_id, time, data, handed_at
        from outbox_archive, generate_series(1, 4999) n",
    )
    .await;
    let kept = "select (select count(*) from outbox_archive) + (select count(*) from inbox_done)";
    assert_eq!(app.count(kept).await, 5000 + 2);
    for day in ["2026-02-14", "2026-02-15", "2026-02-16"] {
        app.tick_at(&format!("{day}T23:59:00Z")).await;
        assert_eq!(app.count(kept).await, 5002, "{day}");
    }
    app.tick_at("2026-02-17T00:00:00Z").await;
    assert_eq!(app.count(kept).await, 0);
}

/// Each consumer stores the types that the relay believes it has a use for, and no others.
#[tokio::test(flavor = "multi_thread")]
async fn consumers_take_what_is_said_of_them() {
    let app = Spindle::with(without_hints()).await;
    let ada = app.person("ada", "UTC").await;
    let user = ada.id.parse().expect("an id");
    for (n, kind) in event::TYPES.iter().enumerate() {
        for (m, consumer) in event::CONSUMERS.iter().enumerate() {
            let id = uuid::Uuid::from_u128((n * 10 + m + 1) as u128);
            let time = "2026-02-01T00:00:00Z".parse().expect("an instant");
            let event = Event::new(id, (*kind).to_owned(), format!("x/{n}{m}"), 1, time, user, json!({}));
            let path = format!("/internal/{consumer}/events");
            assert_eq!(app.internal(&path, serde_json::to_string(&event).expect("JSON")).await.status, 200);
            let stored = format!(
                "select (select count(*) from inbox where event_id = '{id}')
                    + (select count(*) from inbox_done where event_id = '{id}')"
            );
            let expected = i64::from(event::consumers(kind).contains(consumer));
            assert_eq!(app.count(&stored).await, expected, "{kind} at {consumer}");
        }
    }
}

/// The partition of an id is the same to PostgreSQL and to the components.
#[tokio::test(flavor = "multi_thread")]
async fn an_id_has_one_slot() {
    let app = Spindle::with(without_hints()).await;
    app.tamper(
        "
        insert into inbox (consumer, event_id, stream, stream_seq, type, user_id, time, data, not_before, received_at)
        select 'audit', gen_random_uuid(), 'x', 1, 'x', gen_random_uuid(), '2026-01-01', '{}', 'infinity', '2026-01-01'
        from generate_series(1, 200) n",
    )
    .await;
    for row in app.sql().await.query("select event_id, slot from inbox", &[]).await.expect("rows") {
        assert_eq!(event::slot(row.get(0)), row.get::<_, i32>(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_inside_runs_it() {
    let app = Spindle::with(without_hints()).await;
    let ada = app.person("ada", "UTC").await;
    ada.make(json!({"title": "a"})).await;
    for tick in [
        "relay/run",
        "relay/tick",
        "recurrence/tick",
        "reminders/tick",
        "notifications/tick",
        "audit/tick",
        "accounts/tick",
    ] {
        let path = format!("/internal/{tick}");
        assert_eq!(app.send("POST", &path, &[], "").await.status, 401, "{path}");
        assert_eq!(app.send("POST", &path, &[("dapr-api-token", "x")], "").await.status, 401, "{path}");
        assert_eq!(ada.post(&path, json!({})).await.status, 401, "{path}");
        assert_eq!(app.send("GET", &path, &[], "").await.status, 405, "{path}");
    }
    assert_eq!(app.count("select count(*) from outbox").await, 1);
}
