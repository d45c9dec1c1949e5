//! What an operator does about events that a consumer has given up: look at them, let them be tried again, skip them.

use domain::event::Event;
use serde_json::{Value, json};

use crate::audit::verdict;
use crate::harness::{Person, START, Setup, Spindle};
use crate::steps::{id, without_hints};
use host::testbed::TestBed;

const ADMIN: &str = "/api/v1/admin/events";
const APPEND: &str = include_str!("../../../../components/audit/sql/append.sql");
const SKIPPED: &str = "dev.spindle.event.skipped.v1";

/// The audit log fails at the second event of every stream, or does not.
fn poison(app: &Spindle, poisoned: bool) {
    let fails = "where 1 / (1 - (i.stream_seq = 2)::int) = 1 and i.consumer";
    let text = if poisoned { APPEND.replace("where i.consumer", fails) } else { APPEND.to_owned() };
    app.app.bed().rewrite_sql(APPEND, &text);
}

/// Lets time go until everything that fails has been given up.
async fn give_up(app: &Spindle) {
    for _ in 0..9 {
        app.app.settle().await;
        app.app.bed().advance_micros(301_000_000);
        app.tick().await;
    }
}

/// A stream of three events whose second one the audit log has given up; and the id of that.
async fn stuck(app: &Spindle, ada: &Person<'_>) -> (String, String) {
    poison(app, true);
    let task = ada.make(json!({"title": "a"})).await;
    for title in ["b", "c"] {
        ada.edit(&task, json!({"title": title})).await;
    }
    for _ in 0..3 {
        app.relay().await;
    }
    give_up(app).await;
    let stream = format!("task/{}", id(&task));
    assert_eq!(app.story(&stream).await, ["created"]);
    let dead = app.operator().items(&format!("{ADMIN}?stream={stream}")).await;
    assert_eq!((dead.len(), &dead[0]["sequence"]), (1, &json!(2)), "what follows waits: {dead:?}");
    (stream, id(&dead[0]).to_owned())
}

/// An event of Ada's that `recurrence` has given up, since it names no task.
async fn pointless(app: &Spindle, ada: &Person<'_>) -> Value {
    let id = "019c1680-0000-7000-8000-000000000001".parse().expect("an id");
    let kind = "dev.spindle.task.completed.v1".to_owned();
    let (time, user) = ("2026-02-01T00:00:00Z".parse().expect("an instant"), ada.id.parse().expect("an id"));
    let event = Event::new(id, kind, "task/1".to_owned(), 1, time, user, json!({"no": "task_id"}));
    let event = serde_json::to_value(event).expect("JSON");
    assert_eq!(app.internal("/internal/recurrence/events", event.to_string()).await.status, 200);
    give_up(app).await;
    event
}

async fn redrive(app: &Spindle, body: Value) -> Value {
    let answer = app.operator().post(&format!("{ADMIN}/redrive"), body).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    answer.json
}

async fn skip(app: &Spindle, consumer: &str, id: &str) -> Value {
    let body = json!({"consumer": consumer, "id": id, "reason": "it names no task"});
    let answer = app.operator().post(&format!("{ADMIN}/skip"), body).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    answer.json
}

/// What `GET …/{id}` says of one consumer.
async fn standing(app: &Spindle, event: &str, consumer: &str) -> Value {
    let shown = app.operator().get(&format!("{ADMIN}/{event}?consumer={consumer}")).await;
    assert_eq!(shown.status, 200, "{}", shown.json);
    assert_eq!(shown.json["consumers"].as_array().map(Vec::len), Some(1), "{}", shown.json);
    shown.json["consumers"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redriven_event_is_applied_before_what_follows_it() {
    let app = Spindle::with(without_hints()).await;
    let ada = app.person("ada", "UTC").await;
    let (stream, dead) = stuck(&app, &ada).await;
    let lag = app.operator().get(&format!("{ADMIN}/lag")).await.json;
    assert_eq!(lag["consumers"][0]["consumer"], "audit");
    assert_eq!((&lag["consumers"][0]["dead"], &lag["consumers"][0]["waiting"]), (&json!(1), &json!(1)), "{lag}");
    assert!(lag["consumers"][0]["oldest_seconds"].as_f64() > Some(2700.0), "{lag}");
    poison(&app, false);
    app.tick().await;
    assert_eq!(app.story(&stream).await, ["created"], "nobody asked for it");

    assert_eq!(redrive(&app, json!({"consumer": "reminders", "stream": stream})).await["redriven"], 0, "another's");
    let done = redrive(&app, json!({"consumer": "audit", "stream": stream})).await;
    assert_eq!(done, json!({"redriven": 1, "more": false}));
    let now = standing(&app, &dead, "audit").await;
    assert_eq!((&now["state"], &now["attempts"]), (&json!("waiting"), &json!(0)), "{now}");
    assert_eq!(redrive(&app, json!({"consumer": "audit", "stream": stream})).await["redriven"], 0, "once");
    app.tick().await;
    assert_eq!(app.story(&stream).await, ["created", "updated", "updated"]);
    let order: Vec<i64> = app.events(&stream).await.iter().map(|(sequence, ..)| *sequence).collect();
    assert_eq!(order, [1, 2, 3]);
    let titles = app.events(&stream).await.into_iter().map(|(.., data)| data["title"].clone()).collect::<Vec<_>>();
    assert_eq!(titles, ["a", "b", "c"]);
    assert!(verdict(&app).await.0);
    app.quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_redriven_with_its_cause_dies_again() {
    let app = Spindle::with(without_hints()).await;
    let ada = app.person("ada", "UTC").await;
    let (stream, dead) = stuck(&app, &ada).await;
    let before = standing(&app, &dead, "audit").await;
    assert_eq!((&before["state"], &before["attempts"]), (&json!("dead"), &json!(8)), "{before}");
    assert!(before["error"].as_str().expect("a reason").contains("division by zero"), "{before}");
    assert_eq!(redrive(&app, json!({"consumer": "audit", "all": true})).await["redriven"], 1);
    for tries in 1..=8 {
        app.tick().await;
        let now = standing(&app, &dead, "audit").await;
        assert_eq!((&now["state"], &now["attempts"]), (&json!("waiting"), &json!(tries)));
        app.app.bed().advance_micros(301_000_000);
    }
    app.tick().await;
    assert_eq!(standing(&app, &dead, "audit").await, before);
    assert_eq!(app.story(&stream).await, ["created"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_audit_log_skips_is_an_entry_in_its_place() {
    let app = Spindle::with(without_hints()).await;
    let ada = app.person("ada", "UTC").await;
    let (stream, dead) = stuck(&app, &ada).await;
    poison(&app, false);
    assert_eq!(skip(&app, "audit", &dead).await, json!({"skipped": true}));
    assert_eq!(skip(&app, "audit", &dead).await, json!({"skipped": false}), "once");
    app.tick().await;
    assert_eq!(app.story(&stream).await, ["created", "skipped", "updated"]);
    let said = json!({
        "consumer": "audit", "event_id": dead, "type": "dev.spindle.task.updated.v1", "reason": "it names no task",
    });
    assert_eq!(app.events(&stream).await[1].2, said);
    let (whole, chains) = verdict(&app).await;
    assert!(whole && chains[0]["entries"] == 3, "{chains}");
    assert_eq!(skip(&app, "audit", &dead).await, json!({"skipped": false}), "for good");
    app.quiet().await;
}

/// An entry that tells of a skip may itself die; skipping that goes on telling of the first.
#[tokio::test(flavor = "multi_thread")]
async fn what_tells_of_a_skip_is_not_skipped() {
    let app = Spindle::with(without_hints()).await;
    let ada = app.person("ada", "UTC").await;
    let (stream, dead) = stuck(&app, &ada).await;
    skip(&app, "audit", &dead).await;
    give_up(&app).await;
    assert_eq!(standing(&app, &dead, "audit").await["state"], "dead", "it is still the second event");
    poison(&app, false);
    assert_eq!(skip(&app, "audit", &dead).await, json!({"skipped": true}));
    app.tick().await;
    assert_eq!(app.story(&stream).await, ["created", "skipped", "updated"]);
    assert_eq!(app.events(&stream).await[1].2["type"], "dev.spindle.task.updated.v1");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_skips_is_told_to_the_audit_log() {
    let app = Spindle::with(without_hints()).await;
    let mut ada = app.person("ada", "UTC").await;
    let event = pointless(&app, &ada).await;
    assert_eq!(skip(&app, "recurrence", id(&event)).await, json!({"skipped": true}));
    assert_eq!(skip(&app, "recurrence", id(&event)).await, json!({"skipped": false}), "once");
    let now = standing(&app, id(&event), "recurrence").await;
    assert_eq!((&now["state"], &now["reason"]), (&json!("skipped"), &json!("it names no task")), "{now}");
    app.tick().await;
    // it comes once more: it is done with
    assert_eq!(app.internal("/internal/recurrence/events", event.to_string()).await.status, 200);
    app.quiet().await;
    ada.sign_in().await;
    let log = ada.items("/api/v1/audit").await;
    let said = json!({
        "consumer": "recurrence", "event_id": event["id"], "type": event["type"], "reason": "it names no task",
    });
    assert_eq!(log.len(), 1, "{log:?}");
    assert_eq!((&log[0]["type"], &log[0]["data"], &log[0]["sequence"]), (&json!(SKIPPED), &said, &json!(1)));
    assert_eq!(log[0]["subject"], format!("event/{}/recurrence", id(&event)));
    assert!(verdict(&app).await.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_event_can_only_be_skipped() {
    let app = Spindle::with(without_hints()).await;
    for consumer in ["audit", "reminders"] {
        app.internal(&format!("/internal/{consumer}/events"), "no event").await;
        let dead = app.operator().items(&format!("{ADMIN}?consumer={consumer}&type=unreadable")).await;
        assert_eq!((dead.len(), &dead[0]["attempts"]), (1, &json!(0)), "{dead:?}");
        for which in [json!({"id": dead[0]["id"]}), json!({"stream": dead[0]["stream"]}), json!({"all": true})] {
            let mut body = which;
            body["consumer"] = json!(consumer);
            assert_eq!(redrive(&app, body).await["redriven"], 0, "it can never be applied");
        }
        assert_eq!(skip(&app, consumer, id(&dead[0])).await, json!({"skipped": true}));
        assert_eq!(standing(&app, id(&dead[0]), consumer).await["state"], "skipped");
    }
    app.quiet().await;
    assert_eq!(app.count("select count(*) from audit_entry").await, 0, "it is nobody's");
    assert_eq!(app.count("select count(*) from inbox_done where skipped is not null").await, 2);
}

/// Events that several consumers received at one moment, some on each page.
#[tokio::test(flavor = "multi_thread")]
async fn dead_events_are_listed_page_by_page() {
    let app = Spindle::with(without_hints()).await;
    app.tamper(
        "
        insert into inbox (
            consumer, event_id, stream, stream_seq, type, user_id, time, data, state, attempts, not_before,
            received_at, error)
        select consumer, ('019c1680-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'task/' || n % 2, n,
            'x.v' || n % 3, '019c1680-0000-7000-8000-000000000000', '2026-01-01', '{}', 'dead', 9, '2026-01-01',
            timestamptz '2026-01-01Z' + n / 3 * interval '1 hour', 'no'
        from generate_series(1, 6) n, unnest(array['audit', 'reminders']) consumer",
    )
    .await;
    let operator = app.operator();
    let whole = operator.items(ADMIN).await;
    let mut keys: Vec<_> = whole.iter().map(|each| (each["consumer"].to_string(), id(each))).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!((whole.len(), keys.len()), (12, 12));
    assert!(whole.windows(2).all(|two| two[0]["received_at"].as_str() >= two[1]["received_at"].as_str()));
    for limit in [1, 2, 5, 12] {
        assert_eq!(operator.all(ADMIN, limit).await, whole, "limit {limit}");
    }
    for (filter, count) in
        [("consumer=audit", 6), ("stream=task/1", 6), ("type=x.v0", 4), ("consumer=audit&stream=task/0&type=x.v1", 1)]
    {
        assert_eq!(operator.items(&format!("{ADMIN}?{filter}")).await.len(), count, "{filter}");
    }
    let one = json!({
        "consumer": whole[0]["consumer"], "id": "019c1680-0000-7000-8000-000000000006", "type": "x.v0",
        "stream": "task/0", "sequence": 6, "user_id": "019c1680-0000-7000-8000-000000000000",
        "time": "2026-01-01T00:00:00.000000Z", "received_at": "2026-01-01T02:00:00.000000Z", "attempts": 8,
        "error": "no",
    });
    assert_eq!(whole[0], one);
    let by_type = redrive(&app, json!({"consumer": "audit", "type": "x.v0"})).await;
    assert_eq!(by_type, json!({"redriven": 2, "more": false}));
    assert_eq!(operator.items(ADMIN).await.len(), 10);
}

/// Where an event is on its whole way.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_found_wherever_it_is() {
    let mut setup = without_hints();
    setup.without = vec!["reminders"];
    let app = Spindle::with(setup).await;
    let operator = app.operator();
    let ada = app.person("ada", "UTC").await;
    let task = ada.make(json!({"title": "a"})).await;
    let event: uuid::Uuid = app.sql().await.query_one("select id from outbox", &[]).await.expect("an event").get(0);
    let path = format!("{ADMIN}/{event}");
    app.relay().await;
    let shown = operator.get(&path).await.json;
    assert_eq!(
        (&shown["outbox"]["topic"], &shown["outbox"]["attempts"]),
        (&json!("task-events"), &json!(1)),
        "{shown}"
    );
    assert_eq!(shown["archive"], json!(null));
    let states = |shown: &Value| -> Vec<(String, String)> {
        let text = |each: &Value, name: &str| each[name].as_str().expect("text").to_owned();
        let all = shown["consumers"].as_array().expect("consumers").iter();
        all.map(|each| (text(each, "consumer"), text(each, "state"))).collect()
    };
    let expected =
        |reminders: &str| vec![("audit".to_owned(), "done".to_owned()), ("reminders".to_owned(), reminders.to_owned())];
    assert_eq!(states(&shown), expected("absent"));
    let envelope = ["id", "type", "stream", "sequence", "user_id"].map(|name| shown[name].clone());
    let stream = format!("task/{}", id(&task));
    assert_eq!(json!(envelope), json!([event, "dev.spindle.task.created.v1", stream, 1, ada.id]));
    assert_eq!(shown["data"]["title"], "a");
    let lag = operator.get(&format!("{ADMIN}/lag")).await.json;
    let outbox = json!([{"topic": "task-events", "waiting": 1, "oldest_seconds": 0, "most_attempts": 1, "leased": 0}]);
    assert_eq!(lag["outbox"], outbox);

    let database = app.database.clone();
    app.app.stop().await.expect("a stop");
    let bed = TestBed::virtual_time(START + 600_000_000, 2);
    let app = Spindle::on(database, Setup { bed, ..without_hints() }).await;
    app.relay().await;
    let shown = app.operator().get(&path).await.json;
    assert_eq!((&shown["outbox"], &shown["archive"]["topic"]), (&json!(null), &json!("task-events")), "{shown}");
    assert_eq!(states(&shown), expected("done"));
    assert_eq!(shown["type"], "dev.spindle.task.created.v1");
    assert_eq!(app.operator().get(&format!("{ADMIN}/lag")).await.json["outbox"], json!([]));
    let unknown = app.operator().get(&format!("{ADMIN}/019c1680-0000-7000-8000-000000000009")).await;
    assert_eq!((unknown.status, unknown.text("type").as_str()), (404, "/problems/not-found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_of_its_own_the_service_shows_operators_nothing() {
    let setup = Setup { variables: vec![("operator_token", String::new())], ..Setup::default() };
    let app = Spindle::with(setup).await;
    for header in ["Bearer ", "Bearer x", ""] {
        let answer = app.send("GET", ADMIN, &[("authorization", header)], "").await;
        assert_eq!((answer.status, answer.text("type").as_str()), (500, "/problems/internal"), "{header:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_asks_wrongly_is_named() {
    let app = Spindle::with(without_hints()).await;
    let operator = app.operator();
    let pointers = |answer: &crate::harness::Answer| -> Vec<String> {
        assert_eq!(answer.status, 422, "{}", answer.json);
        let errors = answer.json["errors"].as_array().expect("errors").iter();
        errors.map(|error| error["pointer"].as_str().expect("a pointer").to_owned()).collect()
    };
    let post = async |what: &str, body: Value| pointers(&operator.post(&format!("{ADMIN}/{what}"), body).await);
    assert_eq!(post("redrive", json!({"consumer": "audit"})).await, ["/id"], "nothing is chosen by saying nothing");
    assert_eq!(post("redrive", json!({"consumer": "x", "all": 1, "y": 1})).await, ["/y", "/consumer", "/all"]);
    assert_eq!(post("skip", json!({"id": 7, "reason": "x".repeat(501)})).await, ["/consumer", "/id", "/reason"]);
    let query = async |query: &str| pointers(&operator.get(&format!("{ADMIN}{query}")).await);
    assert_eq!(query("?consumer=x&stream=").await, ["consumer", "stream"]);
    assert_eq!(query("/lag?x=1").await, ["x"]);
    assert_eq!(query("/019c1680-0000-7000-8000-000000000009?consumer=x").await, ["consumer"]);
    assert_eq!(operator.get(&format!("{ADMIN}/x")).await.status, 404);
}
