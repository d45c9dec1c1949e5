//! `spindle events`.

use serde_json::{Value, json};

use crate::ALICE;
use crate::bed::Bed;

/// Ids of version 7: an event that audit and reminders have given up, the one after it, and one that waits in the
/// outbox; and of version 8, a body that is no event.
const DEAD: &str = "019c15bc-0000-7000-8000-00000000000a";
const NEXT: &str = "019c15bc-0000-7000-8000-00000000000b";
const WAITS: &str = "019c15bc-0000-7000-8000-00000000000c";
const UNREADABLE: &str = "019c15bc-0000-8000-8000-00000000000d";

/// What is stuck: see above.
async fn stuck(bed: &Bed) {
    let (words, good) = bed.says("migrate up");
    assert!(good, "{words}");
    let columns = "consumer, event_id, stream, stream_seq, type, user_id, time, data, state, attempts, error, \
        not_before, received_at";
    let row = |consumer: &str, event: &str, rest: &str| {
        format!("('{consumer}', '{event}', {rest}, '2026-02-01Z', '2026-02-01Z')")
    };
    let dead = format!("'task/x', 2, 'x.v1', '{ALICE}', '2026-02-01Z', '{{\"n\": 1}}', 'dead', 9, 'no such thing'");
    let next = format!("'task/x', 3, 'x.v1', '{ALICE}', '2026-02-01Z', '{{}}', 'new', 1, null");
    let bad = "'unreadable/x', 1, 'unreadable', '00000000-0000-0000-0000-000000000000', '2026-02-01Z', '{}', 'dead', 1,
        'no JSON'";
    let rows = [
        ("audit", DEAD, dead.as_str()),
        ("reminders", DEAD, &dead),
        ("audit", NEXT, &next),
        ("audit", UNREADABLE, bad),
    ];
    let rows = rows.map(|(consumer, event, rest)| row(consumer, event, rest)).join(", ");
    let event = format!("'x.v1', '{ALICE}', '2026-02-01Z', '{{}}'");
    bed.sql(&format!(
        "insert into inbox ({columns}) values {rows};
        insert into outbox_archive (slot, id, stream, stream_seq, topic, type, user_id, time, data, handed_at)
        select slot, event_id, stream, stream_seq, 'task-events', type, user_id, time, data, time from inbox
        where event_id = '{DEAD}' and consumer = 'audit';
        insert into event_stream (stream, last_seq, attempts) values ('task/y', 1, 3);
        insert into outbox (stream, stream_seq, id, topic, type, user_id, time, data)
        values ('task/y', 1, '{WAITS}', 'task-events', {event});
        update consumer set gaps_healed = 2, healed_at = '2026-02-01Z' where name = 'audit'"
    ))
    .await;
}

/// Inbox and ledger as text.
async fn events(bed: &Bed) -> String {
    let sql = "select (select string_agg(i::text, e'\\n' order by i::text) from inbox i)
        || coalesce((select string_agg(d::text, e'\\n' order by d::text) from inbox_done d), '')";
    bed.client.query_one(sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn stuck_events_are_seen() {
    let bed = Bed::new("events-seen").await;
    stuck(&bed).await;
    let before = events(&bed).await;
    let lag = bed.json("events lag --json");
    let outbox = &lag["outbox"][0];
    assert_eq!(
        (&outbox["topic"], &outbox["waiting"], &outbox["most_attempts"]),
        (&json!("task-events"), &json!(1), &json!(3))
    );
    let audit = &lag["consumers"][0];
    let numbers = ["consumer", "waiting", "dead", "gaps_healed", "healed_at"].map(|name| audit[name].clone());
    assert_eq!(json!(numbers), json!(["audit", 1, 2, 2, "2026-02-01T00:00:00.000000Z"]));
    assert!(audit["oldest_seconds"].as_f64() > Some(0.0) && lag["consumers"].as_array().map(Vec::len) == Some(4));
    let (words, good) = bed.says("events lag");
    assert!(good && words.contains("3 dead: `spindle events dead` lists them"), "{words}");
    assert!(words.contains("the relay cannot hand events over") && !words.contains("nothing is stuck"), "{words}");

    let count = |arguments: &str| bed.json(&format!("events dead {arguments} --json")).as_array().map(Vec::len);
    let filters = ["", "--consumer audit", "--stream task/x", "--type unreadable", "--limit 1", "--type x.v2"];
    assert_eq!(filters.map(count), [3, 2, 2, 1, 1, 0].map(Some));
    let dead = bed.json("events dead --consumer reminders --json");
    let expected = json!([{
        "consumer": "reminders", "id": DEAD, "type": "x.v1", "stream": "task/x", "sequence": 2, "user_id": ALICE,
        "time": "2026-02-01T00:00:00.000000Z", "received_at": "2026-02-01T00:00:00.000000Z", "attempts": 8,
        "error": "no such thing",
    }]);
    assert_eq!(dead, expected);
    let (words, good) = bed.says("events dead");
    assert!(good && words.contains(DEAD) && words.contains("2 of task/x: no such thing"), "{words}");
    assert!(words.contains("spindle events redrive") && words.contains("spindle events skip"), "{words}");
    assert!(bed.says("events dead --type x.v2").0.contains("nothing to do"));
    assert!(!bed.says("events dead --consumer nobody").1, "there is no such consumer");
    assert!(bed.says("events dead --limit 1").0.contains("there may be more"));

    let shown = bed.json(&format!("events show {DEAD} --json"));
    assert_eq!(
        (&shown["data"]["n"], &shown["archive"]["topic"], &shown["outbox"]),
        (&json!(1), &json!("task-events"), &json!(null))
    );
    let states = shown["consumers"].as_array().unwrap().iter().map(|each| each["state"].clone());
    assert_eq!(states.collect::<Vec<_>>(), ["dead", "dead"]);
    let shown = bed.json(&format!("events show {WAITS} --json"));
    assert_eq!((&shown["stream"], &shown["outbox"]["attempts"]), (&json!("task/y"), &json!(3)));
    let (words, good) = bed.says(&format!("events show {DEAD} --consumer reminders"));
    assert!(good && words.contains(&format!("spindle events redrive --consumer reminders --id {DEAD}")), "{words}");
    assert!(!words.contains("audit:"), "only the one asked for: {words}");
    let (words, _) = bed.says(&format!("events show {UNREADABLE}"));
    assert!(words.contains("events skip --consumer audit") && !words.contains("redrive"), "it is no event: {words}");
    let (words, good) = bed.says(&format!("events show {ALICE}"));
    assert!(!good && words.contains("there is no event"), "{words}");
    assert_eq!(events(&bed).await, before, "looking changes nothing");
}

#[tokio::test]
async fn dead_events_are_redriven() {
    let bed = Bed::new("events-redriven").await;
    stuck(&bed).await;
    let before = events(&bed).await;
    for (arguments, words) in [
        ("--consumer audit", "--all"),
        ("--all", "--consumer"),
        ("--consumer audit --all --stream task/x", "cannot be used with"),
        ("--consumer audit --type unreadable", "skip it by its id"),
        ("--consumer nobody --all", "possible values"),
    ] {
        let (said, good) = bed.says(&format!("events redrive {arguments}"));
        assert!(!good && said.contains(words), "{arguments}: {said}");
    }
    let dry = bed.json("events redrive --consumer audit --all --dry-run --json");
    assert_eq!(dry, json!({"consumer": "audit", "redriven": 1, "dry_run": true}));
    let (words, good) = bed.says(&format!("events redrive --consumer audit --id {DEAD} --dry-run"));
    assert!(good && words.contains("1 of audit would be tried again"), "{words}");
    assert_eq!(events(&bed).await, before, "a dry run changes nothing");

    let (words, good) = bed.says("events redrive --consumer audit --stream task/x");
    assert!(good && words.contains("redriven: 1 of audit"), "{words}");
    let sql = "select state || ' ' || attempts || ' ' || consumer from inbox where event_id = $1::text::uuid
        order by consumer";
    let rows = bed.client.query(sql, &[&DEAD]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get(0)).collect::<Vec<String>>(), ["new 0 audit", "dead 9 reminders"]);
    let due = "select abs(extract(epoch from clock_timestamp() - not_before)) < 60 from inbox
        where event_id = $1::text::uuid and consumer = 'audit'";
    assert!(bed.client.query_one(due, &[&DEAD]).await.unwrap().get::<_, bool>(0), "it is due now");
    let after = events(&bed).await;
    let (words, good) = bed.says("events redrive --consumer audit --stream task/x");
    assert!(good && words.starts_with("nothing to do"), "{words}");
    let again = bed.json("events redrive --consumer audit --all --json");
    assert_eq!(again, json!({"consumer": "audit", "redriven": 0, "dry_run": false}));
    assert_eq!(events(&bed).await, after, "the second time nothing is done");

    // more than one statement takes
    bed.sql(
        "insert into inbox (
            consumer, event_id, stream, stream_seq, type, user_id, time, data, state, not_before, received_at)
        select 'recurrence', gen_random_uuid(), 'task/' || n, 1, 'x.v1', gen_random_uuid(), '2026-02-01Z', '{}', 'dead',
            '2026-02-01Z', '2026-02-01Z'
        from generate_series(1, 2345) n",
    )
    .await;
    for (dry_run, arguments) in [(true, "--dry-run"), (false, "")] {
        let done = bed.json(&format!("events redrive --consumer recurrence --type x.v1 {arguments} --json"));
        assert_eq!(done, json!({"consumer": "recurrence", "redriven": 2345, "dry_run": dry_run}));
    }
}

#[tokio::test]
async fn a_dead_event_is_skipped_once() {
    let bed = Bed::new("events-skipped").await;
    stuck(&bed).await;
    let before = events(&bed).await;
    let long = "x".repeat(501);
    for (arguments, words) in [
        (format!("--consumer audit --id {DEAD}"), "--reason"),
        (format!("--consumer audit --id {DEAD} --reason="), "--reason must have 1 to 500 characters"),
        (format!("--consumer audit --id {DEAD} --reason={long}"), "--reason must have 1 to 500 characters"),
        ("--consumer audit --reason no".to_string(), "--id"),
        (format!("--id {DEAD} --reason no"), "--consumer"),
    ] {
        let (said, good) = bed.says(&format!("events skip {arguments}"));
        assert!(!good && said.contains(words), "{arguments}: {said}");
    }
    let (words, good) = bed.says(&format!("events skip --consumer audit --id {NEXT} --reason no"));
    assert!(good && words.starts_with("nothing to do"), "what is not dead is not skipped: {words}");
    assert_eq!(events(&bed).await, before);

    let skip = |consumer: &str, id: &str| format!("events skip --consumer {consumer} --id {id} --reason no-use");
    let (words, good) = bed.says(&skip("reminders", DEAD));
    assert!(good && words.contains("skipped: reminders will never apply"), "{words}");
    assert_eq!(
        bed.json(&format!("{} --json", skip("audit", DEAD))),
        json!({"consumer": "audit", "id": DEAD, "skipped": true})
    );
    assert!(bed.says(&skip("audit", UNREADABLE)).1);
    let after = events(&bed).await;
    for (consumer, id) in [("reminders", DEAD), ("audit", DEAD), ("audit", UNREADABLE)] {
        let (words, good) = bed.says(&skip(consumer, id));
        assert!(good && words.starts_with("nothing to do"), "{words}");
        let again = bed.json(&format!("{} --json", skip(consumer, id)));
        assert_eq!(again["skipped"], false);
    }
    assert_eq!(events(&bed).await, after, "the second time nothing is done");

    // what audit will make entries of: the event in its place, and one that tells of the other consumer
    let sql = "select jsonb_agg(jsonb_build_array(stream, stream_seq, user_id, state, attempts, data) order by stream)
        from inbox where type = 'dev.spindle.event.skipped.v1' and consumer = 'audit'";
    let told: Value = bed.client.query_one(sql, &[]).await.unwrap().get(0);
    let said = |consumer: &str| json!({"consumer": consumer, "event_id": DEAD, "type": "x.v1", "reason": "no-use"});
    let other = format!("event/{DEAD}/reminders");
    assert_eq!(
        told,
        json!([[other, 1, ALICE, "new", 0, said("reminders")], ["task/x", 2, ALICE, "new", 0, said("audit")]])
    );
    let sql = "select jsonb_agg(jsonb_build_array(consumer, event_id, skipped) order by consumer) from inbox_done";
    let ledger: Value = bed.client.query_one(sql, &[]).await.unwrap().get(0);
    assert_eq!(ledger, json!([["audit", UNREADABLE, "no-use"], ["reminders", DEAD, "no-use"]]));
    let (words, _) = bed.says(&format!("events show {UNREADABLE}"));
    assert!(words.contains("nothing else is known") && words.contains(": no-use"), "{words}");
    let shown = bed.json(&format!("events show {DEAD} --consumer reminders --json"));
    assert_eq!(
        (&shown["consumers"][0]["state"], &shown["consumers"][0]["reason"]),
        (&json!("skipped"), &json!("no-use"))
    );
}
