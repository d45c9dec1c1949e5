//! Statements that no route reaches with the id of somebody else's thing, because another one looked before: Ben sends
//! them himself.

use tokio_postgres::{Client, SimpleQueryMessage};

use super::Pair;
use super::people::dump;
use crate::harness::root;
use crate::statements;

/// A statement, what is done before, and its arguments. `:a:task` is Anna's task, `:b` is Ben.
struct Try {
    name: &'static str,
    before: &'static str,
    arguments: &'static str,
}

const TRIES: [Try; 10] = [
    Try { name: "audit/append", before: "", arguments: "':b', ':a:waiting', '\\x00', '{}', '\\x00', ':now'" },
    Try { name: "notifications/deliver", before: "", arguments: "':b', ':a:waiting', ':1', ':now'" },
    Try {
        name: "recurrence/advance",
        before: "",
        arguments: "':b', ':a:series', 1, ':a:task', ':now', ':now', null, ':1', ':now', 0, null, ':2', ':3', null",
    },
    Try {
        name: "recurrence/current",
        before: "update task set completed_at = ':now' where id = ':a:task'",
        arguments: "':b', ':a:task'",
    },
    Try { name: "recurrence/finish", before: "", arguments: "':b', ':a:series', 1, 'guard', ':now', null, ':1', null" },
    Try {
        name: "reminders/follow",
        before: "",
        arguments: "':b', ':a:task', ':b:waiting', array[':1', ':2'], ':now', null",
    },
    // a reminder of Anna's that stands, wrongly, under Ben's task
    Try {
        name: "reminders/follow",
        before: "update reminder set task_id = ':b:task', minutes = minutes + 1 where user_id = ':a'",
        arguments: "':b', ':b:task', ':b:waiting', array[':1', ':2'], ':now', null",
    },
    Try {
        name: "tasks/change",
        before: "",
        arguments: "':b', ':a:task', 1, 'Ben now', null, 1, '{}', null, null, null, null, '{}', null, null, 'UTC', \
                    false, null, '{}', ':now', ':1', ':2', ':3', null",
    },
    // Ben's own task, with Anna's series to end
    Try {
        name: "tasks/change",
        before: "",
        arguments: "':b', ':b:task', 1, 'Ben now', null, 1, '{}', null, null, null, null, '{}', null, null, 'UTC', \
                    false, ':a:series', '{}', ':now', ':1', ':2', ':3', null",
    },
    // Ben's own task, which stands, wrongly, in Anna's series
    Try {
        name: "tasks/delete",
        before: "update task set series_id = null, occurrence = null where id = ':a:task';
            update task set series_id = ':a:series' where id = ':b:task'",
        arguments: "':b', ':b:task', ':now', ':1', ':2', null",
    },
];

/// What Ben gets at; with `mutant`, only by that statement and in those words.
pub async fn walk(sql: &Client, pair: &Pair, mutant: Option<(&str, &str)>) -> Vec<String> {
    let mut found = Vec::new();
    for (at, each) in TRIES.iter().enumerate() {
        let files = statements::all(&root());
        let file = files.iter().find(|file| file.name == each.name).unwrap_or_else(|| panic!("{} is gone", each.name));
        let text = match mutant {
            None => &file.text,
            Some((name, mutant)) if name == each.name => mutant,
            Some(_) => continue,
        };
        sql.batch_execute(&format!("begin; {}", fill(each.before, pair))).await.expect(each.name);
        let before = dump(sql, &pair.anna).await;
        let answer = execute(sql, text, &fill(each.arguments, pair)).await;
        if dump(sql, &pair.anna).await != before {
            found.push(format!("{}, try {at}: rows of Anna's have changed", each.name));
        }
        if pair.anna.shows(&answer) {
            found.push(format!("{}, try {at}: shows what is Anna's: {answer}", each.name));
        }
        sql.batch_execute("rollback; deallocate all").await.expect("a rollback");
    }
    found
}

async fn execute(sql: &Client, text: &str, arguments: &str) -> String {
    let text = text.trim_end().trim_end_matches(';');
    sql.batch_execute(&format!("prepare it as {text}")).await.unwrap_or_else(|e| panic!("{e:?}: {text}"));
    let execute = format!("execute it ({arguments})");
    let rows = sql.simple_query(&execute).await.unwrap_or_else(|e| panic!("{e:?}: {text} {execute}"));
    let cells = rows.iter().filter_map(|row| match row {
        SimpleQueryMessage::Row(row) => Some((0..row.len()).filter_map(|at| row.get(at)).collect::<Vec<_>>().join(" ")),
        _ => None,
    });
    cells.collect::<Vec<_>>().join("\n")
}

fn fill(text: &str, pair: &Pair) -> String {
    let mut text = text.to_owned();
    for (letter, who) in [("a", &pair.anna), ("b", &pair.ben)] {
        for (kind, id) in &who.ids {
            text = text.replace(&format!(":{letter}:{kind}'"), &format!("{id}'"));
        }
        text = text.replace(&format!("':{letter}'"), &format!("'{}'", who.id));
    }
    for n in 1..4 {
        text = text.replace(&format!("':{n}'"), &format!("'00000000-0000-7000-8000-00000000000{n}'"));
    }
    // a minute later than everything else, so that a row which is written again differs
    text.replace("':now'", "'2026-02-10T08:41:00'")
}
