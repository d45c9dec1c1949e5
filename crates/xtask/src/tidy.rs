//! `cargo xtask tidy`: the rules of the code that no compiler knows.

mod dapr;
mod rust;
mod sql;
mod tree;

use std::fmt::{self, Display};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The longest line of a source file, in characters.
const COLUMNS: usize = 120;

/// Folders that hold what is made, fetched or drawn, not written.
const MADE: [&str; 7] = ["target", ".git", ".spindle", "node_modules", "dist", "fuzz-target", "test-results"];

/// A text file of the project.
struct Source {
    /// Its path from the project's folder, with `/`.
    path: String,
    text: String,
}

/// What is wrong, and where.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    /// From 1.
    line: usize,
    words: String,
}

impl Finding {
    fn new(path: &str, line: usize, words: impl Into<String>) -> Finding {
        Finding { path: path.to_string(), line, words: words.into() }
    }
}

impl Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.words)
    }
}

/// Checks the whole project.
///
/// # Errors
/// When a rule is broken; every finding is on stderr as `file:line: words`.
pub fn run(root: &Path) -> Result<()> {
    let sources = sources(root)?;
    let mut findings = Vec::new();
    for source in &sources {
        findings.extend(check(source));
    }
    findings.extend(tree::check(root)?);
    for finding in &findings {
        eprintln!("{finding}");
    }
    if !findings.is_empty() {
        bail!("{} places break the rules of CONTRIBUTING.md", findings.len());
    }
    println!("{} files are tidy", sources.len());
    Ok(())
}

/// The rules of one file.
fn check(source: &Source) -> Vec<Finding> {
    let mut findings = wide_lines(source);
    if source.path.ends_with(".rs") {
        findings.extend(rust::check(source));
    }
    if source.path.ends_with(".sql") && source.path.contains("/sql/") {
        findings.extend(sql::check(source));
    }
    if source.path.starts_with("dapr/") && source.path.ends_with(".yaml") {
        findings.extend(dapr::check(source));
    }
    if source.path.ends_with("Cargo.toml") {
        findings.extend(rust::check_manifest(source));
    }
    findings
}

fn wide_lines(source: &Source) -> Vec<Finding> {
    // The golden schema is printed by a program, a line an index.
    let written =
        source.path.ends_with(".rs") || (source.path.ends_with(".sql") && !source.path.ends_with("/schema.sql"));
    let lines = source.text.lines().enumerate().filter(|(_, line)| written && line.chars().count() > COLUMNS);
    let words = |(index, line): (usize, &str)| {
        let words = format!("the line has {} characters: at most {COLUMNS}", line.chars().count());
        Finding::new(&source.path, index + 1, words)
    };
    lines.map(words).collect()
}

/// Every .rs, .sql and Cargo.toml of the project, in the order of their paths.
fn sources(root: &Path) -> Result<Vec<Source>> {
    let mut paths = Vec::new();
    walk(root, &mut paths)?;
    paths.sort();
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let name = path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/");
        Ok(Source { path: name, text })
    };
    paths.iter().map(read).collect()
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if entry.file_type()?.is_dir() {
            if !MADE.contains(&name.as_str()) {
                walk(&path, paths)?;
            }
        } else if name.ends_with(".rs") || name.ends_with(".sql") || name == "Cargo.toml" {
            paths.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
fn words(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_may_have_120_characters() {
        let text = format!("{}\n{}\n", "é".repeat(120), "x".repeat(121));
        let source = |path: &str| Source { path: path.to_string(), text: text.clone() };
        assert_eq!(words(&wide_lines(&source("a/b.rs"))), ["a/b.rs:2: the line has 121 characters: at most 120"]);
        assert_eq!(wide_lines(&source("components/x/sql/y.sql")).len(), 1);
        assert_eq!(wide_lines(&source("migrations/schema.sql")), []);
    }
}
