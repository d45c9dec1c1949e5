//! Whether the tests of `it` have been everywhere: each statement executed, each documented answer seen, each type of
//! event published. It reads what they noted in target/seen, so it comes after them and is not among the tests that
//! `cargo test` runs by itself.

#[allow(dead_code, reason = "`it` uses the rest")]
#[path = "it/statements.rs"]
mod statements;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Documented answers that the tests cannot bring about, each with the reason.
const UNSEEN: [(&str, &str); 0] = [];

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("crates/host has a root").to_path_buf()
}

/// The different lines of a file in target/seen.
fn seen(file: &str) -> BTreeSet<String> {
    let path = root().join("target/seen").join(file);
    let words = || panic!("{} is not there: run `cargo test -p host --test it` first", path.display());
    let text = fs::read_to_string(&path).unwrap_or_else(|_| words());
    text.lines().map(str::to_owned).collect()
}

#[test]
fn every_statement_was_executed() {
    let seen = seen("statements.txt");
    let unknown: Vec<_> = seen.iter().filter(|line| line.contains(" ? ")).collect();
    assert!(
        unknown.is_empty(),
        "statements that are in no .sql file (or of guests built from other files): {unknown:#?}"
    );
    let executed: BTreeSet<_> = seen.iter().filter_map(|line| line.split_once(' ')).collect();
    let all = statements::all(&root());
    assert!(all.len() > 30, "only {} statements found", all.len());
    let never = all.iter().filter(|each| !executed.iter().any(|(_, name)| *name == each.name));
    let never: Vec<_> = never.map(|each| &each.name).collect();
    assert!(never.is_empty(), "never executed: {never:#?}\nlet a test run into it, or delete the file");
}

/// Each was checked against its schema when it was noted.
#[test]
fn every_type_of_event_was_published() {
    let seen = seen("events.txt");
    let missing: Vec<_> = domain::event::TYPES.into_iter().filter(|kind| !seen.contains(*kind)).collect();
    assert!(missing.is_empty(), "never published: {missing:#?}\nlet a test bring it about");
}

/// `METHOD path status` of everything that the API's description promises, but for what is broken inside.
fn documented() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("schemas/openapi.yaml")).expect("schemas/openapi.yaml");
    let api: Value = serde_yaml_ng::from_str(&text).expect("YAML");
    let mut found = BTreeSet::new();
    for (path, item) in api["paths"].as_object().expect("paths") {
        for method in METHODS {
            let responses = item[method]["responses"].as_object();
            let statuses = responses.into_iter().flat_map(|responses| responses.keys());
            let expected = statuses.filter(|status| !status.starts_with('5'));
            found.extend(expected.map(|status| format!("{} {path} {status}", method.to_uppercase())));
        }
    }
    found
}

#[test]
fn every_documented_answer_was_seen() {
    let (documented, seen) = (documented(), seen("routes.txt"));
    assert!(documented.len() > 80, "only {} answers are documented", documented.len());
    let excused = |answer: &String| UNSEEN.iter().any(|(known, _why)| known == answer);
    let missing: Vec<_> = documented.iter().filter(|answer| !seen.contains(*answer) && !excused(answer)).collect();
    assert!(missing.is_empty(), "documented, but never seen: {missing:#?}\nlet a test bring it about");
    let stale: Vec<_> = UNSEEN.iter().filter(|(known, _)| seen.contains(*known)).collect();
    assert!(stale.is_empty(), "excused, but seen: {stale:?}");
}

/// And nothing else: an answer below 500 of a documented path is documented (405 is for all).
#[test]
fn every_answer_that_was_seen_is_documented() {
    let documented = documented();
    let paths: BTreeSet<_> = documented.iter().filter_map(|line| line.split(' ').nth(1)).collect();
    let mut surprising = Vec::new();
    for line in seen("routes.txt") {
        let parts: Vec<_> = line.split(' ').collect();
        let [method, path, status] = parts[..] else { panic!("a line is METHOD path status: {line}") };
        let asked = METHODS.contains(&method.to_lowercase().as_str()) && paths.contains(path);
        let for_all = status == "405" || status.starts_with('5');
        if asked && !for_all && !documented.contains(&line) {
            surprising.push(line);
        }
    }
    assert!(surprising.is_empty(), "seen, but not documented: {surprising:#?}");
}
