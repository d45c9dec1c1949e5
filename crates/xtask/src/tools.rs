//! Tools that only `cargo xtask test --all` needs, and that it brings.

use std::path::Path;

use anyhow::{Context, Result};

use crate::step::Line;

/// Checks licences, sources and doubled crates against deny.toml. Advisories need a database from outside any
/// package registry, so they are left to whoever runs `cargo deny check` with the network.
pub fn licences(root: &Path) -> Result<()> {
    bring(root, "cargo-deny")?;
    Line::new(["cargo", "deny", "--log-level", "error", "check", "bans", "licenses", "sources"]).run(root)
}

/// Installs a tool of cargo's, unless it is there.
pub fn bring(root: &Path, tool: &str) -> Result<()> {
    if Line::new([tool, "--version"]).output(root).is_ok() {
        return Ok(());
    }
    println!("{tool} is missing: building it, which takes some minutes");
    let install = Line::new(["cargo", "install", "--locked", tool]);
    install.run(root).with_context(|| format!("needs {tool}"))
}
