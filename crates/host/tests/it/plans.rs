//! How much each statement reads in a database that has grown.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::harness::{connect, database, root};
use crate::statements;

/// Blocks that a statement may read to find things, besides those for its rows.
const BLOCKS: i64 = 40;
/// Blocks for each row that it answers.
const BLOCKS_READ: i64 = 4;
/// Blocks for each row that it changes: found, locked, and found again by its key.
const BLOCKS_CHANGED: i64 = 10;

/// Statements that read more than they answer, each with the reason in its header.
const SWEEPS: [&str; 6] =
    ["notifications/mark_all_read", "recurrence/missed", "relay/heal", "relay/lag", "relay/show", "status/metrics"];

/// Each statement with arguments that find much: `U` is the user with 100,000 tasks, `<digit>:<n>` an id of the filled
/// database (`8:1` the token of a lease), `N` the present.
const CALLS: [(&str, &str); 51] = [
    ("accounts/create", "9:1, 'n@example.org', 'n@example.org', 'hash', 'UTC', N"),
    ("accounts/get", "U"),
    ("accounts/purge", "N, at(100)"),
    ("accounts/rotate", "int8send(77), int8send(99999), N, N"),
    ("accounts/sign_in", "'77@example.org', N, N"),
    ("accounts/start_session", "9:1, U, int8send(99999), N, N, '77@example.org'"),
    ("audit/append", "U, 6:30000, '\\x00', '{}', '\\x00', N"),
    ("audit/list", "U, N, 9000, 51"),
    ("edge/bury", "'audit', 9:1, 'unreadable', '{}', N, 'no'"),
    ("edge/claim", "'audit', N, 100, 8, true"),
    ("edge/claim", "'reminders', N, 100, 8, false"),
    ("edge/done", "'audit', 6:30000, N"),
    ("edge/note_error", "'audit', 6:30000, 'no'"),
    ("edge/receive", "'audit', 9:1, 'task/9', 1, 'kind', U, N, '{}', N, N, 3, null"),
    ("notifications/deliver", "U, 6:30000, 9:1, N"),
    ("notifications/list", "U, N, 9:1, 51"),
    ("notifications/mark_read", "U, 5:500, N"),
    ("notifications/unread_count", "U"),
    ("recurrence/advance", "U, 3:500, 1, 2:500, '2026-02-01', N, null, 9:1, N, 0, 6:30000, 9:2, 9:3, null"),
    ("recurrence/current", "U, 2:500"),
    ("recurrence/finish", "U, 3:500, 1, 'guard', N, 6:30000, 9:1, null"),
    ("recurrence/get", "U, 3:500"),
    ("recurrence/list", "U, N, 9:1, 51"),
    ("relay/ack", "N, 8:1, LEASED, SLOTS"),
    ("relay/claim", "N, 8:2, N, 50"),
    ("relay/dead", "null, null, null, N, 0, 51"),
    ("relay/dead", "'audit', null, null, N, 0, 51"),
    ("relay/fail", "N, 8:1, LEASED, 300"),
    ("relay/purge", "3"),
    ("relay/redrive", "N, 'audit', 6:50001, null, null, false, 1000"),
    ("relay/redrive", "N, 'audit', null, 'task/50', null, false, 1000"),
    ("relay/redrive", "N, 'audit', null, null, 'dev.spindle.task.created.v1', false, 1000"),
    ("relay/redrive", "N, 'audit', null, null, null, true, 1000"),
    ("relay/skip", "'audit', 6:50001, 'no', N, 9:1, 'skipped'"),
    ("relay/skip", "'reminders', 6:50001, 'no', N, 9:1, 'skipped'"),
    ("reminders/fire", "N, 200, IDS"),
    ("reminders/follow", "U, 2:30000, 6:30000, IDS, N, null"),
    ("reminders/list", "U, N, 9:1, 51"),
    ("status/ready", ""),
    (
        "tasks/change",
        "U, 2:500, 1, 'New', null, 1, '{}', null, N, null, 'FREQ=DAILY', '{}', 9:1, N, 'UTC', true, 3:500, '{title}', \
         N, 9:2, 9:3, 9:4, null",
    ),
    ("tasks/change_words", "U, 2:500, '{title}', 'New', null, 1, '{}', N, 9:1, null"),
    ("tasks/complete", "U, 2:501, N, 9:1, null"),
    ("tasks/create", "U, 9:1, 'New', null, 1, '{work}', null, N, null, '{30}', N, 9:3, null"),
    (
        "tasks/create_recurring",
        "U, 9:1, 'New', null, 1, '{work}', null, N, null, 'FREQ=DAILY', '{30}', 9:2, N, 'UTC', N, 9:3, 9:4, null",
    ),
    ("tasks/current", "U, 2:500"),
    ("tasks/delete", "U, 2:500, N, 9:1, 9:2, null"),
    ("tasks/get", "U, 2:500"),
    ("tasks/list", "U, N, 9:1, 51"),
    ("tasks/list_status", "U, N, 9:1, 51, 'open'"),
    ("tasks/list_status", "U, N, 9:1, 51, 'completed'"),
    ("tasks/reopen", "U, 2:500, N, 9:1, null"),
];

/// The arguments as SQL.
fn arguments(short: &str) -> String {
    let id = |kind: &str, n: u64| format!("'{kind}0000000-0000-7000-8000-{n:012x}'");
    let leased = (39_951..40_001).map(|n| format!("'task/' || {}", id("2", n))).collect::<Vec<_>>().join(", ");
    let ids = (0..200).map(|n| id("9", 100 + n)).collect::<Vec<_>>().join(", ");
    let word = |word: &str| match word {
        "U" => id("1", 1),
        "N" => "'2026-03-01'".to_owned(),
        "LEASED" => format!("array[{leased}]"),
        "SLOTS" => "array_fill(1, array[50])".to_owned(),
        "IDS" => format!("array[{ids}]"),
        word => match word.split_once(':').and_then(|(kind, n)| Some((kind, n.parse().ok()?))) {
            Some((kind, n)) if kind.len() == 1 => id(kind, n),
            _ => word.to_owned(),
        },
    };
    let list = short.split(", ").map(word).collect::<Vec<_>>().join(", ");
    if list.is_empty() { list } else { format!("({list})") }
}

/// What a plan did.
#[derive(Debug, Default)]
struct Done {
    /// Blocks that were read to find rows; writing a row into a table and its indexes is not in it.
    blocks: i64,
    answered: i64,
    /// Rows that its parts inserted, updated or deleted.
    written: i64,
}

impl Done {
    /// Adds a node with what is below it; answers the blocks of both.
    fn add(&mut self, plan: &Value) -> i64 {
        let below = plan["Plans"].as_array().map(Vec::as_slice).unwrap_or_default();
        let modifies = plan["Node Type"] == "ModifyTable";
        if modifies {
            self.written += below.first().map_or(0, |plan| number(plan, "Actual Rows"));
        }
        let below: i64 = below.iter().map(|plan| self.add(plan)).sum();
        let own = number(plan, "Shared Hit Blocks") + number(plan, "Shared Read Blocks");
        // what a scan of a `with` part pulls is counted where that part stands, and a part that nothing reads runs
        // after its node has ended
        if !modifies && plan["Node Type"] != "CTE Scan" {
            self.blocks += (own - below).max(0);
        }
        own.max(below)
    }
}

fn number(plan: &Value, key: &str) -> i64 {
    plan[key].as_f64().map_or(0, |number| number.ceil() as i64)
}

async fn run(client: &Client, name: &str, sql: &str, arguments: &str) -> (Done, String) {
    let sql = sql.trim_end().trim_end_matches(';');
    let begin = format!("begin; prepare it as {sql}");
    client.batch_execute(&begin).await.unwrap_or_else(|e| panic!("{name}: {e:?}"));
    let explain = format!("explain (analyze, buffers, format json) execute it{arguments}");
    let rows = client.simple_query(&explain).await.unwrap_or_else(|e| panic!("{name}: {e:?}"));
    client.batch_execute("rollback; deallocate it").await.expect("a rollback");
    let text = rows.iter().find_map(|row| match row {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    let text = text.expect("a plan").to_owned();
    let json: Value = serde_json::from_str(&text).expect("a plan is JSON");
    let plan = &json[0]["Plan"];
    let mut done = Done { answered: number(plan, "Actual Rows"), ..Done::default() };
    done.add(plan);
    (done, text)
}

/// The blocks that a statement reads with these arguments, as SQL in brackets.
pub async fn blocks(client: &Client, name: &str, sql: &str, arguments: &str) -> i64 {
    run(client, name, sql, arguments).await.0.blocks
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_read_little_in_a_database_that_has_grown() {
    let client = connect(&database().await).await;
    client.batch_execute(include_str!("plans/fill.sql")).await.expect("filled");
    client.batch_execute("vacuum analyze").await.expect("vacuumed");
    // autovacuum, which looks at what is new too, keeps pages from being marked as visible to all
    let unmarked = "select exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relkind = 'r' and c.relallvisible < c.relpages)";
    for _ in 0..50 {
        if !client.query_one(unmarked, &[]).await.expect("an answer").get::<_, bool>(0) {
            break;
        }
        client.batch_execute("vacuum").await.expect("vacuumed");
    }
    client.batch_execute("set plan_cache_mode = force_generic_plan").await.expect("a setting");
    let mut bad = String::new();
    for (name, short) in CALLS {
        let all = statements::all(&root());
        let statement = all.iter().find(|each| each.name == name).unwrap_or_else(|| panic!("{name}.sql is gone"));
        let (done, plan) = run(&client, name, &statement.text, &arguments(short)).await;
        println!("{name} {done:?}");
        assert!(done.answered + done.written > 0, "{name} finds nothing, which proves nothing");
        let budget = BLOCKS + (BLOCKS_READ * done.answered).max(BLOCKS_CHANGED * done.written);
        if done.blocks > budget {
            writeln!(bad, "{name} ({short}) may read {budget} blocks: {done:?}").expect("a string");
            println!("{plan}");
        }
    }
    assert!(bad.is_empty(), "{bad}see the plans above; an index or another wording is needed");
}

#[test]
fn every_statement_has_its_call() {
    let all = statements::all(&root());
    let sweeps: BTreeSet<_> = all.iter().filter(|each| each.is_sweep()).map(|each| each.name.as_str()).collect();
    assert_eq!(sweeps, BTreeSet::from(SWEEPS), "the list of statements that read more than they answer");
    for statement in &all {
        let called = CALLS.iter().any(|(name, _)| *name == statement.name);
        assert!(called || statement.is_sweep(), "{}: add it to the list of calls", statement.name);
    }
}
