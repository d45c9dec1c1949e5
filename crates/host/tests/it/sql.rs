//! Every .sql file against the migrated schema and the rules for statements.

use std::collections::BTreeSet;

use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls};

use crate::harness::{DB_PASSWORD, database, root, variables};
use crate::statements::{self, Statement};
use crate::{golden, harness};

/// The statements that rightly look at no user, each with the reason in its header. One more is a decision.
const SYSTEM: [&str; 23] = [
    "accounts/create",
    "accounts/purge",
    "accounts/rotate",
    "accounts/sign_in",
    "accounts/start_session",
    "edge/bury",
    "edge/claim",
    "edge/done",
    "edge/note_error",
    "edge/receive",
    "recurrence/missed",
    "relay/ack",
    "relay/claim",
    "relay/dead",
    "relay/fail",
    "relay/heal",
    "relay/lag",
    "relay/purge",
    "relay/redrive",
    "relay/show",
    "relay/skip",
    "reminders/fire",
    "status/metrics",
];
/// The same, of statements that read no user's rows at all.
const SYSTEM_WITHOUT_USERS: [&str; 1] = ["status/ready"];

/// What makes a statement depend on more than its parameters and the tables, or outlive its end.
const BANNED: [&str; 21] = [
    "now",
    "clock_timestamp",
    "statement_timestamp",
    "transaction_timestamp",
    "timeofday",
    "current_timestamp",
    "current_date",
    "current_time",
    "localtimestamp",
    "localtime",
    "random",
    "gen_random_uuid",
    "nextval",
    "begin",
    "commit",
    "savepoint",
    "set_config",
    "pg_notify",
    "pg_sleep",
    "truncate",
    "txid_current",
];

/// A connection as a component has it.
pub async fn connect_as(component: &str, database: &str) -> Client {
    let host = variables(database, 0).remove("db_host").expect("db_host");
    let role = component.replace('-', "_");
    let url = format!("postgres://spindle_{role}:{DB_PASSWORD}@{host}/{database}");
    let (client, connection) =
        tokio_postgres::connect(&url, NoTls).await.unwrap_or_else(|e| panic!("{component}: {e}"));
    tokio::spawn(connection);
    client
}

/// The name of a type that Spin carries both ways.
fn carried(kind: &Type) -> Option<&'static str> {
    Some(match *kind {
        Type::BOOL => "bool",
        Type::BYTEA => "bytea",
        Type::INT2 => "int2",
        Type::INT4 => "int4",
        Type::INT8 => "int8",
        Type::FLOAT4 => "float4",
        Type::FLOAT8 => "float8",
        Type::TEXT => "text",
        Type::TIMESTAMP => "timestamp",
        Type::DATE => "date",
        Type::TIME => "time",
        Type::UUID => "uuid",
        Type::JSONB => "jsonb",
        Type::NUMERIC => "numeric",
        Type::INTERVAL => "interval",
        Type::INT4_ARRAY => "int4[]",
        Type::INT8_ARRAY => "int8[]",
        Type::NUMERIC_ARRAY => "numeric[]",
        Type::TEXT_ARRAY => "text[]",
        _ => return None,
    })
}

/// `tasks/complete ($1 uuid, …) -> id uuid, …`; PostgreSQL refuses to prepare more than one statement.
async fn signature(client: &Client, statement: &Statement) -> String {
    let name = &statement.name;
    let prepared = client.prepare(&statement.text).await.unwrap_or_else(|e| panic!("{name}: {}", words(&e)));
    let carried = |what: &str, kind: &Type| {
        carried(kind).unwrap_or_else(|| panic!("{name}: {what} is {kind}, which Spin cannot carry: cast it"))
    };
    let parameters = prepared.params().iter().enumerate();
    let parameters = parameters.map(|(at, kind)| {
        let place = format!("${}", at + 1);
        format!("{place} {}", carried(&place, kind))
    });
    let columns = prepared.columns().iter().map(|column| {
        assert_ne!(column.name(), "?column?", "{name}: a column has no name");
        format!("{} {}", column.name(), carried(column.name(), column.type_()))
    });
    let (parameters, columns) = (parameters.collect::<Vec<_>>().join(", "), columns.collect::<Vec<_>>().join(", "));
    format!("{name} ({parameters}) -> {}", if columns.is_empty() { "nothing" } else { &columns })
}

/// PREPARE asks for no rights; the start of the executor, which EXPLAIN includes, does.
async fn explain(client: &Client, statement: &Statement, parameters: usize) -> Result<(), String> {
    let nulls = vec!["null"; parameters].join(", ");
    let arguments = if parameters == 0 { String::new() } else { format!("({nulls})") };
    let sql = format!(
        "prepare it as {} ; explain execute it{arguments}; deallocate it",
        statement.text.trim_end().trim_end_matches(';')
    );
    client.batch_execute(&sql).await.map_err(|error| words(&error))
}

fn words(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |error| format!("{} {error}", error.code().code()))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_prepares_with_its_own_role() {
    let database = database().await;
    let mut lines = Vec::new();
    for statement in statements::all(&root()) {
        assert!(!statement.senders.is_empty(), "{}: nobody sends it", statement.name);
        let mut signatures = BTreeSet::new();
        for sender in &statement.senders {
            let client = connect_as(sender, &database).await;
            client.batch_execute("set plan_cache_mode = force_generic_plan").await.expect("a setting");
            let signature = signature(&client, &statement).await;
            let parameters = signature.matches('$').count();
            let explained = explain(&client, &statement, parameters).await;
            explained.unwrap_or_else(|e| panic!("{} as {sender}: {e}: grant it in the migration", statement.name));
            signatures.insert(signature);
        }
        assert_eq!(signatures.len(), 1, "{signatures:?}");
        lines.extend(signatures);
    }
    golden::check(&root().join("crates/host/tests/it/statements.txt"), &(lines.join("\n") + "\n"));
}

#[test]
fn statements_depend_on_nothing_but_their_parameters() {
    for statement in statements::all(&root()) {
        let code = statement.code();
        let first = code.split(' ').next().unwrap_or_default();
        let begins = ["with", "select", "insert", "update", "delete"].contains(&first);
        assert!(begins, "{}: begins with {first}", statement.name);
        let mut words = code.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        let found = words.find(|word| BANNED.contains(&word.to_lowercase().as_str()) || word.contains("advisory"));
        assert_eq!(found, None, "{}: time, chance and transactions do not belong here", statement.name);
    }
}

#[test]
fn every_statement_looks_at_its_user_or_says_why_not() {
    let mut system = BTreeSet::new();
    for statement in statements::all(&root()) {
        if statement.is_system() {
            system.insert(statement.name);
            continue;
        }
        let looks = !predicates(&statement.text).is_empty();
        let name = &statement.name;
        assert!(looks, "{name}: no `user_id = $n`, and no `-- system: why` in its header");
    }
    let listed = SYSTEM.iter().chain(&SYSTEM_WITHOUT_USERS).map(|name| (*name).to_owned());
    assert_eq!(system, listed.collect(), "the list of statements that look at no user");
}

/// Where a statement's text asks for the user: each predicate as it stands there.
pub fn predicates(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("user_id = $") {
        let start = text[..at].rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).map_or(0, |at| at + 1);
        let digits = text[at + 11..].find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
        found.push((start, text[start..at + 11 + digits].to_owned()));
    }
    const ACCOUNT: &str = "user_account where id = $1";
    found.extend(text.match_indices(ACCOUNT).map(|(at, _)| (at + ACCOUNT.len() - 7, "id = $1".to_owned())));
    found
}

/// Statements whose every event is the first of its stream.
const NEW: [&str; 2] = ["tasks/create", "tasks/create_recurring"];

/// The outbox row is a literal insert of the statement that makes the change, with its trace, and the relay finds it by
/// its stream.
#[test]
fn an_event_is_written_with_its_stream() {
    let mut writers = 0;
    for statement in statements::all(&root()) {
        let (code, name) = (statement.code(), &statement.name);
        let count = |part: &str| code.matches(part).count();
        if ["relay", "status"].contains(&statement.owner.as_str()) {
            assert_eq!(count("insert into outbox ("), 0, "{name}: writes an event of its own");
            continue;
        }
        let mentions = code.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| *word == "outbox");
        let written =
            count("insert into outbox (id, stream, stream_seq, topic, type, user_id, time, data, traceparent) select");
        assert_eq!(mentions.count(), written, "{name}: the outbox is only for a literal insert .. select");
        let upserts = count("insert into event_stream (stream, last_seq) select");
        let advances = count("on conflict (stream) do update set last_seq = excluded.last_seq");
        assert_eq!(upserts, written, "{name}: an event needs its row in event_stream");
        // what is new has a new stream, and needs no `on conflict`
        let old = if NEW.contains(&name.as_str()) { 0 } else { written };
        assert_eq!(advances, old, "{name}: an event needs its row in event_stream");
        writers += written;
    }
    assert!(writers >= 8, "only {writers} statements write events");
}

/// Whoever may write events may not do more than that with them.
#[tokio::test(flavor = "multi_thread")]
async fn a_component_cannot_do_what_it_was_not_granted() {
    let database = harness::database().await;
    for (component, forbidden) in [
        ("audit", "update audit_entry set action = ''"),
        ("audit", "delete from audit_entry"),
        ("tasks", "delete from task"),
        ("tasks", "select data from outbox"),
        ("recurrence", "update task set title = ''"),
        ("notifications", "select * from task"),
        ("status", "update inbox set state = 'new'"),
        ("accounts", "select * from task"),
        ("reminders", "create table mine ()"),
    ] {
        let client = connect_as(component, &database).await;
        let refused = client.batch_execute(forbidden).await.err().map(|error| words(&error));
        let refused = refused.unwrap_or_else(|| panic!("{component} may: {forbidden}"));
        assert!(refused.starts_with("42501 "), "{component}: {forbidden}: {refused}");
    }
}
