//! What a statement does to its session, told from its text: opens or closes a transaction, leaves state behind.
//!
//! A function that a statement calls can hide a change of state from this; our own SQL calls none that does.

/// What a statement does to the transaction, if it succeeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// `begin`, `start transaction`, or a close with `and chain`.
    Opens,
    /// `commit`, `end`, `abort`, `rollback`, `prepare transaction`.
    Closes,
    /// Everything else, also `rollback to savepoint`.
    Nothing,
}

/// All that a statement does to its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nature {
    /// To its transaction.
    pub effect: Effect,
    /// Whether it could leave settings, locks, cursors or temporary tables behind.
    pub leaves_state: bool,
    /// Whether it makes prepared statements invalid.
    pub drops_statements: bool,
}

impl Nature {
    /// The nature of `sql`. Reads all of it, so it is kept with the prepared statement.
    pub fn of(sql: &str) -> Self {
        Nature { effect: effect(sql), leaves_state: leaves_state(sql), drops_statements: drops_statements(sql) }
    }
}

fn effect(sql: &str) -> Effect {
    let mut words = words(sql);
    let first = words.next().unwrap_or_default();
    let closes = match first.as_str() {
        "begin" | "start" => return Effect::Opens,
        "commit" | "end" | "abort" => true,
        "rollback" => !matches!(words.next().as_deref(), Some("to")) && !words_of(sql).any(|word| word == "to"),
        "prepare" => words.next().as_deref() == Some("transaction"),
        _ => false,
    };
    let chains = closes && words_of(sql).any(|word| word == "chain") && !words_of(sql).any(|word| word == "no");
    match (closes, chains) {
        (true, true) => Effect::Opens,
        (true, false) => Effect::Closes,
        (false, _) => Effect::Nothing,
    }
}

fn leaves_state(sql: &str) -> bool {
    let plain = ["select", "insert", "update", "delete", "with", "merge", "values", "table"];
    let first = words(sql).next().unwrap_or_default();
    !plain.contains(&first.as_str())
        || words(sql).any(|word| {
            ["set_config", "temp", "temporary", "nextval", "setval"].contains(&word.as_str())
                || word.starts_with("pg_advisory_lock")
                || word.starts_with("pg_try_advisory_lock")
        })
}

fn drops_statements(sql: &str) -> bool {
    matches!(words(sql).next().as_deref(), Some("deallocate" | "discard" | "prepare"))
}

fn words_of(sql: &str) -> impl Iterator<Item = String> + '_ {
    words(sql).skip(1)
}

/// The words of `sql` in lower case, comments left out.
fn words(sql: &str) -> impl Iterator<Item = String> + '_ {
    let mut rest = sql;
    std::iter::from_fn(move || {
        rest = skip_space(rest);
        let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        (!word.is_empty()).then(|| word.to_ascii_lowercase())
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// `sql` from its next word on.
fn skip_space(sql: &str) -> &str {
    let mut rest = sql;
    loop {
        rest = rest.trim_start_matches(|c: char| !is_word(c) && c != '-' && c != '/');
        rest = if rest.starts_with("--") {
            rest.split_once('\n').map_or("", |(_, after)| after)
        } else if rest.starts_with("/*") {
            after_comment(rest)
        } else if rest.starts_with(['-', '/']) {
            &rest[1..]
        } else {
            return rest;
        };
    }
}

/// `sql` behind the comment it starts with; comments nest (PostgreSQL manual, 4.1.5).
fn after_comment(sql: &str) -> &str {
    let mut depth = 0_u32;
    let mut rest = sql;
    while let Some(at) = rest.find(['/', '*']) {
        rest = &rest[at..];
        let step = if rest.starts_with("/*") {
            depth += 1;
            2
        } else if rest.starts_with("*/") {
            depth -= 1;
            2
        } else {
            1
        };
        rest = &rest[step..];
        if depth == 0 {
            return rest;
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transactions_open_and_close() {
        let cases = [
            ("begin", Effect::Opens),
            ("-- system: why\n/* a /* b */ c */ BEGIN isolation level serializable", Effect::Opens),
            ("start transaction", Effect::Opens),
            (" Commit ; ", Effect::Closes),
            ("end", Effect::Closes),
            ("abort", Effect::Closes),
            ("rollback", Effect::Closes),
            ("rollback to savepoint a", Effect::Nothing),
            ("rollback work to a", Effect::Nothing),
            ("commit and chain", Effect::Opens),
            ("rollback and no chain", Effect::Closes),
            ("prepare transaction 'x'", Effect::Closes),
            ("prepare s as select 1", Effect::Nothing),
            ("select 'begin'", Effect::Nothing),
            ("", Effect::Nothing),
        ];
        for (sql, expected) in cases {
            assert_eq!(effect(sql), expected, "{sql}");
        }
    }

    #[test]
    fn plain_statements_leave_nothing() {
        for sql in ["select 1", "-- c\n  with a as (select 1) insert into t select * from a", "(select 1)"] {
            assert!(!leaves_state(sql), "{sql}");
        }
        let leaving = ["set a = 1", "listen x", "select set_config('a','b',false)", "select pg_advisory_lock(1)"];
        for sql in leaving.into_iter().chain(["declare c cursor for select 1", "create temp table t()", "begin"]) {
            assert!(leaves_state(sql), "{sql}");
        }
        assert!(drops_statements("DISCARD ALL") && !drops_statements("select 1"));
    }
}
