//! Shows faults of a manifest with the line they are on.

use std::ops::Range;
use std::path::Path;

/// A fault and the bytes of the file that it is about.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) span: Range<usize>,
    pub(super) message: String,
}

/// The file, for messages.
pub(super) struct Source<'a> {
    path: &'a Path,
    text: &'a str,
}

/// Keys of Spin that this host does not have, and what to do instead.
const UNSUPPORTED: [(&str, &str); 13] = [
    ("key_value_stores", "this host has no key-value stores: keep the data in PostgreSQL"),
    ("sqlite_databases", "this host has no SQLite: keep the data in PostgreSQL"),
    ("ai_models", "this host has no models"),
    ("allowed_http_hosts", "deprecated in Spin: use allowed_outbound_hosts"),
    ("exclude_files", "this host mounts whole folders: keep what to leave out in another folder"),
    ("executor", "components run as wasi:http or by their SDK's interface; leave the key out"),
    ("static_response", "this host has no static responses: let a component answer"),
    ("targets", "Spin checks targets at build time; leave the key out here"),
    ("profile", "build profiles are of Spin 4; this host follows 3.6"),
    ("version", "a dependency comes from a file here: { path = \"target/...wasm\" }"),
    ("registry", "a dependency comes from a file here: { path = \"target/...wasm\" }"),
    ("spin_version", "manifest version 1 is not supported: write spin_manifest_version = 2"),
    ("tool", "own tables belong under [application.tool.<name>] or [component.<id>.tool.<name>]"),
];

impl<'a> Source<'a> {
    pub(super) fn new(path: &'a Path, text: &'a str) -> Self {
        Self { path, text }
    }

    /// What the parser says, with the line and, for keys that Spin knows, what to do instead.
    pub(super) fn parse_error(&self, error: &toml::de::Error) -> anyhow::Error {
        let mut message = error.message().to_owned();
        let hint = UNSUPPORTED.iter().find(|(key, _)| message.starts_with(&format!("unknown field `{key}`")));
        if let Some((_, hint)) = hint {
            message = format!("{message}\n{hint}");
        }
        let span = error.span().unwrap_or_default();
        anyhow::anyhow!(self.show(&Problem { span, message }))
    }

    /// All faults in the order of the file.
    pub(super) fn problems(&self, mut problems: Vec<Problem>) -> anyhow::Error {
        problems.sort_by_key(|problem| problem.span.start);
        let shown: Vec<_> = problems.iter().map(|problem| self.show(problem)).collect();
        anyhow::anyhow!(shown.join("\n"))
    }

    fn show(&self, problem: &Problem) -> String {
        let start = problem.span.start.min(self.text.len());
        let before = &self.text[..self.text.floor_char_boundary(start)];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count();
        let text = self.text.lines().nth(line - 1).unwrap_or_default();
        let length = problem.span.len().min(text.chars().count().saturating_sub(column)).max(1);
        let number = line.to_string();
        let gutter = " ".repeat(number.len());
        format!(
            "{}:{line}:{}: {}\n {gutter} |\n {number} | {text}\n {gutter} | {}{}",
            self.path.display(),
            column + 1,
            problem.message,
            " ".repeat(column),
            "^".repeat(length),
        )
    }
}
