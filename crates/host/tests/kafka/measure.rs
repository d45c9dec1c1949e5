//! How long events take and what they cost: `cargo xtask bench --events`. It prints a table, and asserts nothing of
//! time.

mod load;
mod sink;

use std::time::{Duration, Instant};

use host::App;
use host::parts::Transport;
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::checker;
use crate::settings::INTERNAL_TOKEN;
use crate::stage::{Stage, application};
use load::{Load, Seen, median};

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(8);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Kafka and daprd, and minutes: cargo xtask bench --events"]
async fn events() {
    println!("| what | measured |\n|---|---|");
    relay_alone().await;
    chain().await;
    let mut stage = Stage::start("measure", Transport::KafkaBinding).await;
    latency("dapr-binding", stage.port, &stage.sql).await;
    poison(&stage).await;
    broker_down(&mut stage).await;
}

fn row(what: &str, measured: &str) {
    println!("| {what} | {measured} |");
}

/// From the beginning of a request that changes something to its entry in the audit log, at 50 changes a second.
async fn latency(transport: &str, port: u16, sql: &Client) {
    for _ in 0..ROUNDS {
        let since = chrono::Utc::now();
        Load { port, clients: 5, pace: Duration::from_millis(100), reads: false }.run(ROUND).await;
        until_quiet(sql).await;
        row(
            &format!("request → audit entry, {transport}, 50 changes/s"),
            &delays(sql, since, "true").await.to_string(),
        );
    }
}

/// Delays of the audit log for events since a moment, in milliseconds.
async fn delays(sql: &Client, since: chrono::DateTime<chrono::Utc>, which: &str) -> Seen {
    let query = format!(
        "select (extract(epoch from d.done_at - a.time) * 1000)::float8
        from outbox_archive a join inbox_done d on d.slot = a.slot and d.event_id = a.id and d.consumer = 'audit'
        where a.time >= to_timestamp({}::float8 / 1e6) and a.stream like 'task/%' and {which}",
        since.timestamp_micros()
    );
    Seen::new(sql.query(&query, &[]).await.expect("delays").iter().map(|row| row.get(0)).collect())
}

async fn chain() {
    let (app, sql, port) = application("chain", &[], &[]).await;
    latency("chain", port, &sql).await;
    app.stop().await.expect("a stop");
}

/// A backlog on streams of their own, and a sidecar that answers at once.
async fn relay_alone() {
    const BACKLOG: i64 = 20_000;
    let sink = sink::start().await;
    let variables = [("event_transport", "dapr-binding".to_owned()), ("dapr_base", format!("http://127.0.0.1:{sink}"))];
    let (app, sql, _) = application("backlog", &variables, &["ticker", "relay-wake"]).await;
    for relays in [1, 2, 4] {
        sql.batch_execute(&backlog(BACKLOG)).await.expect("a backlog");
        let start = Instant::now();
        futures::future::join_all((0..relays).map(|_| drain(&app, &sql))).await;
        let rate = BACKLOG as f64 / start.elapsed().as_secs_f64();
        row(
            &format!("relay, {relays} runs at once, from a backlog of {BACKLOG} to a sink"),
            &format!("{rate:.0} events/s"),
        );
    }
}

fn backlog(events: i64) -> String {
    format!(
        "with fresh as (select gen_random_uuid() as id, gen_random_uuid() as task from generate_series(1, {events})),
        streams as (insert into event_stream (stream, last_seq) select 'task/' || task, 1 from fresh)
        insert into outbox (id, stream, stream_seq, topic, type, user_id, time, data)
        select id, 'task/' || task, 1, 'task-events', 'dev.spindle.task.created.v1', id, '2026-01-01',
            jsonb_build_object('task_id', task, 'version', 1, 'title', 'a task of usual length', 'status', 'open')
        from fresh;
        analyze outbox; analyze event_stream"
    )
}

async fn drain(app: &App, sql: &Client) {
    loop {
        let request = http::Request::post("/internal/relay/run").header("dapr-api-token", INTERNAL_TOKEN);
        let answer = app.handle(request.body(bytes::Bytes::new()).expect("a request")).await;
        let json: Value = serde_json::from_slice(answer.body()).expect("JSON");
        assert_eq!((answer.status().as_u16(), &json["failed"]), (200, &json!(0)), "{json}");
        if count(sql, "select count(*) from outbox").await == 0 {
            return;
        }
    }
}

async fn count(sql: &Client, query: &str) -> i64 {
    sql.query_one(query, &[]).await.expect(query).get(0)
}

async fn until_quiet(sql: &Client) -> Duration {
    let start = Instant::now();
    while !checker::unfinished(sql).await.is_empty() {
        assert!(start.elapsed() < Duration::from_secs(300), "not quiet");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    start.elapsed()
}

/// Gives up what notifications cannot apply, as an operator would.
const GIVE_UP: &str = "with gone as (delete from inbox where consumer = 'notifications' returning *)
    insert into inbox_done (slot, consumer, event_id, done_at)
    select slot, consumer, event_id, received_at from gone on conflict do nothing";

/// One event in a hundred cannot be applied, and one body in a hundred is no event: what does it do to the others?
async fn poison(stage: &Stage) {
    let (mut ratios, load) =
        (Vec::new(), Load { port: stage.port, clients: 10, pace: Duration::from_millis(100), reads: false });
    for _ in 0..ROUNDS {
        let since = chrono::Utc::now();
        load.run(ROUND).await;
        until_quiet(&stage.sql).await;
        let clean = delays(&stage.sql, since, "true").await;
        let since = chrono::Utc::now();
        tokio::join!(load.run(ROUND), poisoned(stage, ROUND));
        tokio::time::sleep(Duration::from_secs(1)).await;
        let poisoned = delays(&stage.sql, since, "true").await;
        ratios.push(poisoned.median / clean.median);
        while !checker::unfinished(&stage.sql).await.is_empty() {
            stage.sql.batch_execute(GIVE_UP).await.expect("cleaned");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    row("median delay of the others with 1 % poison, of without", &format!("{:.2} ×", median(ratios)));
}

async fn poisoned(stage: &Stage, time: Duration) {
    let start = Instant::now();
    let mut number = 0;
    while start.elapsed() < time {
        let id = uuid::Uuid::from_u128(rand::random());
        let poison = format!(
            "with s as (insert into event_stream (stream, last_seq) values ('reminder/{id}', 1))
            insert into outbox (id, stream, stream_seq, topic, type, user_id, time, data)
            values ('{id}', 'reminder/{id}', 1, 'reminders', 'dev.spindle.reminder.due.v1', '{id}', '2026-01-01',
                '{{\"due_at\": \"never\"}}')"
        );
        stage.sql.batch_execute(&poison).await.expect("poison");
        number += 1;
        stage.publish_garbage("task-events", 1).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(number > 0);
}

/// The broker is gone for whole rounds, in turn with rounds in which it is there.
async fn broker_down(stage: &mut Stage) {
    let load = Load { port: stage.port, clients: 20, pace: Duration::from_millis(100), reads: true };
    let (mut medians, mut tails, mut drains, mut failed) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let up = load.run(ROUND).await;
        until_quiet(&stage.sql).await;
        stage.kafka.as_mut().expect("a broker").stop();
        let down = load.run(ROUND).await;
        failed += up.failed + down.failed;
        medians.push(down.times.median / up.times.median);
        tails.push(down.times.p99 / up.times.p99);
        let backlog = count(&stage.sql, "select count(*) from outbox").await as f64;
        stage.kafka.as_mut().expect("a broker").restart().await.expect("the broker starts");
        let drained = until_quiet(&stage.sql).await;
        let input = backlog / ROUND.as_secs_f64();
        drains.push(backlog / drained.as_secs_f64() / input);
    }
    row("requests that failed, broker up and down", &failed.to_string());
    row("p50 of the API, broker down of up", &format!("{:.2} ×", median(medians)));
    row("p99 of the API, broker down of up", &format!("{:.2} ×", median(tails)));
    row("the backlog is applied by all, of the rate at which it grew", &format!("{:.1} ×", median(drains)));
}
