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
    eprintln!("{tool} is missing: building it, which takes some minutes");
    let install = Line::new(["cargo", "install", "--locked", tool]);
    install.run(root).with_context(|| format!("needs {tool}"))
}

/// Installs wrk, which makes the load, unless it is there.
pub fn wrk(root: &Path) -> Result<()> {
    // It ends with 1 after saying its version.
    if Line::new(["sh", "-c", "command -v wrk"]).output(root).is_ok() {
        return Ok(());
    }
    eprintln!("wrk is missing: installing the package of that name");
    package_of_debian(root, "wrk").context("needs wrk: install the package of that name")
}

/// Installs `redis-server`, unless it is there.
pub fn redis(root: &Path) -> Result<()> {
    if Line::new(["redis-server", "--version"]).output(root).is_ok() {
        return Ok(());
    }
    eprintln!("redis-server is missing: installing the package of that name");
    package_of_debian(root, "redis-server").context("needs redis-server: install the package of that name")
}

/// Installs Java and Maven, unless they are there.
pub fn java(root: &Path) -> Result<()> {
    for (program, package) in [("java", "openjdk-17-jre-headless"), ("mvn", "maven")] {
        if Line::new([program, "-version"]).output(root).is_err() {
            eprintln!("{program} is missing: installing the package {package}");
            package_of_debian(root, package).with_context(|| format!("needs {program}: install {package}"))?;
        }
    }
    Ok(())
}

/// Finds Go; its releases are not in Debian's packages as new as daprd needs them.
pub fn go(root: &Path) -> Result<()> {
    let found = Line::new(["go", "version"]).output(root);
    found.map(|_| ()).context("needs Go as new as dapr/daprd/go.mod says, to build Dapr's sidecar: install Go")
}

/// Installs a package of Debian's; the package's own service is not started.
pub fn package_of_debian(root: &Path, package: &str) -> Result<()> {
    let script = format!(
        "apt-get -qq update && \
         DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq install -y --no-install-recommends {package}"
    );
    Line::new(["sh", "-c", &script]).output(root).map(|_| ())
}
