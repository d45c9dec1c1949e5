//! Rules of the components' statements.

use super::{Finding, Source};

/// Time and chance come as parameters.
const CALLS: [&str; 9] = [
    "now",
    "random",
    "gen_random_uuid",
    "uuid_generate_v4",
    "clock_timestamp",
    "statement_timestamp",
    "transaction_timestamp",
    "current_timestamp",
    "pg_advisory_lock",
];

/// What a statement begins with; not `begin`, `set`, `listen` and the like, which outlive the statement.
const VERBS: [&str; 5] = ["select", "with", "insert", "update", "delete"];

/// One statement a file, with a header, of values it is given, for one user or with a reason.
pub fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |line, words: String| findings.push(Finding::new(&source.path, line, words));
    if !source.text.starts_with("-- ") {
        add(1, "the file begins with a comment that says what it does and what its parameters are".to_string());
    }
    let code = code(&source.text);
    let tokens = tokens(&code);
    match tokens.first() {
        Some((_, first)) if VERBS.contains(&first.as_str()) => {}
        Some((line, first)) => add(*line, format!("a statement begins with {}, not {first}", VERBS.join(", "))),
        None => add(1, "the file holds no statement".to_string()),
    }
    for (line, word) in tokens.iter().filter(|(_, word)| CALLS.contains(&word.as_str())) {
        add(*line, format!("{word}: time and chance are parameters, since a test sets them"));
    }
    if let Some(at) = code.trim_end().trim_end_matches(';').find(';') {
        add(line_of(&code, at), "one statement a file".to_string());
    }
    if !names_user(&tokens) && !has_reason(&source.text) {
        let words = "no `user_id = $n`: name the user, or say in the header why not (`-- system: why`)";
        add(1, words.to_string());
    }
    findings
}

/// The text in lower case with comments, strings and quoted names blanked: every character keeps its line.
fn code(text: &str) -> String {
    let mut rest = text.chars().peekable();
    let mut until = None;
    let mut blanked = String::with_capacity(text.len());
    while let Some(c) = rest.next() {
        let hidden = until.is_some();
        match until {
            Some(end) if c == end => until = None,
            Some(_) => {}
            None if c == '\'' || c == '"' => until = Some(c),
            None if c == '-' && rest.peek() == Some(&'-') => until = Some('\n'),
            None => {}
        }
        let shown = c == '\n' || !(hidden || until.is_some());
        blanked.push(if shown { c.to_ascii_lowercase() } else { ' ' });
    }
    blanked
}

/// Words, numbers and parameters, and each other sign by itself, with their lines from 1.
fn tokens(code: &str) -> Vec<(usize, String)> {
    let mut tokens: Vec<(usize, String)> = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let mut joins = false;
        for c in line.chars() {
            let word = c.is_alphanumeric() || c == '_' || c == '$';
            match tokens.last_mut() {
                Some((_, token)) if word && joins => token.push(c),
                _ if c.is_whitespace() => {}
                _ => tokens.push((index + 1, c.to_string())),
            }
            joins = word;
        }
    }
    tokens
}

/// Whether the statement compares a column `user_id` with a parameter.
fn names_user(tokens: &[(usize, String)]) -> bool {
    tokens.windows(3).any(|three| match three {
        [(_, column), (_, equals), (_, value)] => column == "user_id" && equals == "=" && value.starts_with('$'),
        _ => false,
    })
}

/// Whether the header says `-- system: why`.
fn has_reason(text: &str) -> bool {
    let mut header = text.lines().take_while(|line| line.starts_with("--"));
    header.any(|line| line.strip_prefix("-- system: ").is_some_and(|why| why.trim().len() > 3))
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::super::words;
    use super::*;

    fn check(text: &str) -> Vec<String> {
        let source = Source { path: "s.sql".to_string(), text: text.to_string() };
        words(&super::check(&source))
    }

    #[test]
    fn a_good_statement_passes() {
        let none = Vec::<String>::new();
        assert_eq!(
            check("-- One. $1 user\nselect id, 'now()' as \"random\" from task where user_id = $1; -- now()\n"),
            none
        );
        assert_eq!(check("-- One.\n-- system: the relay serves all users\nupdate task set a = $1\n"), none);
        assert_eq!(
            check("-- One.\nwith a as (select 1) select from a, task t where t.user_id=$12 and now_at = $2\n"),
            none
        );
    }

    #[test]
    fn a_header_is_needed() {
        let found = check("select from task where user_id = $1\n");
        assert!(found.len() == 1 && found[0].starts_with("s.sql:1: the file begins with a comment"), "{found:?}");
    }

    #[test]
    fn time_and_chance_are_parameters() {
        for call in ["now()", "random()", "gen_random_uuid()", "CLOCK_TIMESTAMP()", "current_timestamp"] {
            let found = check(&format!("-- X.\nselect from t\nwhere user_id = $1 and at < {call}\n"));
            assert!(found.len() == 1 && found[0].starts_with("s.sql:3: "), "{call}: {found:?}");
        }
    }

    #[test]
    fn only_one_plain_statement() {
        for verb in ["begin", "set local x = 1", "commit", "listen x", "savepoint s", "do"] {
            let found = check(&format!("-- X.\n-- system: a test\n{verb}\n"));
            assert!(found.len() == 1 && found[0].contains("a statement begins with"), "{verb}: {found:?}");
        }
        let found = check("-- X.\n-- system: a test\nselect 1;\nselect 2;\n");
        assert_eq!(found, ["s.sql:3: one statement a file"]);
        assert_eq!(check("-- X.\n-- system: a test\n"), ["s.sql:1: the file holds no statement"]);
    }

    #[test]
    fn the_user_is_named_or_a_reason_given() {
        let missing = "s.sql:1: no `user_id = $n`";
        for text in [
            "-- X.\nselect from task where id = $1\n",
            "-- X. user_id = $1\nselect from task where id = 'user_id = $1'\n",
            "-- X.\nselect from task t, a where t.user_id = a.user_id\n",
            "-- X.\n-- system: ?\nselect from task\n",
            "-- X.\nselect from task -- system: too late\n",
        ] {
            let found = check(text);
            assert!(found.len() == 1 && found[0].starts_with(missing), "{text}: {found:?}");
        }
    }
}
