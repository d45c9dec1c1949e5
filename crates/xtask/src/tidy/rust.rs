//! Rules of Rust files.

use super::{Finding, Source};

/// The longest function, from its `fn` to its closing brace, in lines.
const FUNCTION: usize = 70;

/// The longest file, in lines.
const FILE: usize = 400;

/// The SDK as code and as a dependency; in two pieces, so that this file does not name it.
const SDK: &str = concat!("spin", "_sdk");
const SDK_CRATE: &str = concat!("spin", "-sdk");

/// What must not stay in the code; in pieces for the same reason.
const UNFINISHED: [&str; 5] = [
    concat!("to", "do!"),
    concat!("db", "g!"),
    concat!("FIX", "ME"),
    concat!("unimple", "mented!"),
    concat!("TO", "DO"),
];

/// Length of file and functions, who names the SDK, what is unfinished.
pub fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let lines = source.text.lines().count();
    if lines > FILE {
        let words = format!("the file has {lines} lines: split it by responsibility, at most {FILE}");
        findings.push(Finding::new(&source.path, FILE + 1, words));
    }
    findings.extend(long_functions(source));
    findings.extend(banned_words(source));
    findings
}

/// A package other than `edge` must not depend on the SDK.
pub fn check_manifest(source: &Source) -> Vec<Finding> {
    if source.path == "Cargo.toml" || may_name_sdk(&source.path) {
        return Vec::new();
    }
    let lines = source.text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with(SDK_CRATE));
    lines.map(|(index, _)| sdk(source, index)).collect()
}

fn banned_words(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        if line.contains(SDK) && !may_name_sdk(&source.path) {
            findings.push(sdk(source, index));
        }
        for word in UNFINISHED.iter().filter(|word| has_word(line, word)) {
            findings.push(Finding::new(&source.path, index + 1, format!("{word} must not stay: finish it")));
        }
    }
    findings
}

/// `edge`, the guests that test the host's own bindings, and the hello by the stock SDK that ours is measured against.
fn may_name_sdk(path: &str) -> bool {
    ["crates/edge/", "crates/host/tests/", "crates/bench/hello/"].iter().any(|place| path.starts_with(place))
}

fn sdk(source: &Source, index: usize) -> Finding {
    Finding::new(&source.path, index + 1, format!("only crates/edge names {SDK}: use edge"))
}

/// Whether the line has the word by itself, not inside a longer one.
fn has_word(line: &str, word: &str) -> bool {
    let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = line.split_at(at);
        !inside(before.chars().next_back()) && !inside(after[word.len()..].chars().next())
    })
}

/// Functions by rustfmt's layout: the closing brace stands where the line of `fn` begins.
fn long_functions(source: &Source) -> Vec<Finding> {
    let lines: Vec<&str> = source.text.lines().collect();
    let mut findings = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = line.len() - line.trim_start().len();
        let end = format!("{}}}", " ".repeat(indent));
        // One without a body, or of one line, ends at once.
        if line.ends_with(';') || line.ends_with('}') {
            continue;
        }
        let Some(length) = lines[start..].iter().position(|line| *line == end || *line == format!("{end};")) else {
            continue;
        };
        if length + 1 > FUNCTION {
            let words = format!("fn {name} has {} lines: at most {FUNCTION}", length + 1);
            findings.push(Finding::new(&source.path, start + 1, words));
        }
    }
    findings
}

/// The name of the function whose signature begins on this line.
fn function_name(line: &str) -> Option<&str> {
    let (before, after) = line.trim_start().split_once("fn ")?;
    let modifier = |word: &str| {
        matches!(word, "async" | "const" | "unsafe" | "extern" | "\"C\"" | "default") || word.starts_with("pub")
    };
    let inside_pub = |word: &str| word.ends_with(')') || word == "in";
    before.split_whitespace().all(|word| modifier(word) || inside_pub(word)).then_some(())?;
    let end = after.find(|c: char| !(c.is_alphanumeric() || c == '_'))?;
    (end > 0).then(|| &after[..end])
}

#[cfg(test)]
mod tests {
    use super::super::words;
    use super::*;

    fn source(path: &str, text: impl Into<String>) -> Source {
        Source { path: path.to_string(), text: text.into() }
    }

    fn function(lines: usize) -> String {
        format!("impl X {{\n    pub(crate) async fn f<T>(\n{}    }}\n}}\n", "        x;\n".repeat(lines - 2))
    }

    #[test]
    fn a_function_may_have_70_lines() {
        assert_eq!(check(&source("a.rs", function(70))), []);
        assert_eq!(words(&check(&source("a.rs", function(71)))), ["a.rs:2: fn f has 71 lines: at most 70"]);
    }

    #[test]
    fn knows_a_function_when_it_sees_one() {
        assert_eq!(function_name("    pub const unsafe fn get(&self)"), Some("get"));
        assert_eq!(function_name("fn main() {}"), Some("main"));
        assert_eq!(function_name("    let f: fn (u8) = g;"), None);
        assert_eq!(function_name("    // the fn takes"), None);
        assert_eq!(function_name("    run: impl Fn(u8),"), None);
    }

    #[test]
    fn a_file_may_have_400_lines() {
        assert_eq!(check(&source("a.rs", "\n".repeat(400))), []);
        assert_eq!(check(&source("a.rs", "\n".repeat(401))).len(), 1);
    }

    #[test]
    fn only_edge_names_the_sdk() {
        let code = format!("use {SDK}::http;\n");
        assert_eq!(check(&source("crates/edge/src/a.rs", code.clone())), []);
        let found = check(&source("components/tasks/src/a.rs", code));
        assert_eq!(words(&found), [format!("components/tasks/src/a.rs:1: only crates/edge names {SDK}: use edge")]);
        let manifest = format!("[dependencies]\n{SDK_CRATE}.workspace = true\n");
        assert_eq!(check_manifest(&source("crates/edge/Cargo.toml", manifest.clone())), []);
        assert_eq!(check_manifest(&source("Cargo.toml", manifest.clone())), []);
        assert_eq!(check_manifest(&source("components/tasks/Cargo.toml", manifest)).len(), 1);
    }

    #[test]
    fn unfinished_code_is_found() {
        for word in UNFINISHED {
            let found = check(&source("a.rs", format!("fn a() {{}}\n    {word}(x) // é\n")));
            assert_eq!(words(&found), [format!("a.rs:2: {word} must not stay: finish it")]);
        }
        assert_eq!(check(&source("a.rs", format!("my_{}(); x{}y", UNFINISHED[1], UNFINISHED[4]))), []);
    }
}
