//! Load: wrk for HTTP, pgbench for a statement alone.

use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::data::{self, Data};
use crate::work::Work;

/// What a load saw.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Seen {
    /// Requests that were answered.
    pub requests: u64,
    /// How long it took.
    pub seconds: f64,
    /// Latencies in milliseconds.
    pub p50_ms: f64,
    /// 95 of 100 were not slower.
    pub p95_ms: f64,
    /// 99 of 100 were not slower.
    pub p99_ms: f64,
    /// Answers of another status than 2xx and 3xx, and requests without an answer.
    pub errors: u64,
}

/// Loads an HTTP server at `base` by one thread of wrk.
pub fn http(data: &Data, base: &str, work: &Work, connections: usize, seconds: u32) -> Result<Seen> {
    let out = data.folder.join("load.json");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("load.lua");
    let mut command = Command::new("wrk");
    command.args(["-t1", &format!("-c{connections}"), &format!("-d{seconds}s"), "--timeout", "10s", "-s"]);
    command.arg(script).arg(base).env("METHOD", work.method).env("TARGET", work.path).env("OUT", &out);
    if let Some(body) = work.body {
        command.env("BODY", body);
    }
    if let Some(user) = work.user {
        command.env("TOKEN", data::token(user)?);
    }
    if let Some((kind, once)) = work.ids {
        command.env("IDS", data.ids(kind)).env("ORDER", if once { "once" } else { "random" });
    }
    done("wrk", &mut command)?;
    let text = std::fs::read_to_string(&out).context("wrk left no figures")?;
    let seen: Seen = serde_json::from_str(&text).context("reading wrk's figures")?;
    if work.ids.is_some_and(|(_, once)| once) && seen.requests > u64::from(data::OPEN) {
        bail!("{} requests used up the {} tasks: take fewer seconds", seen.requests, data::OPEN);
    }
    Ok(seen)
}

/// The most connections of pgbench, each of which is one to PostgreSQL: as many as a pool of the host ever has.
const POOL: usize = 64;

/// Runs a work's statement alone, prepared, by one thread of pgbench.
pub fn pgbench(data: &Data, work: &Work, connections: usize, seconds: u32) -> Result<Seen> {
    let statement = work.statement.as_ref().context("this work has no statement")?;
    let script = data.folder.join("pgbench.sql");
    std::fs::write(&script, statement.script()).context("writing pgbench's script")?;
    let log = data.folder.join("pgbench-log");
    let mut command = Command::new(data.pgbench()?);
    command.args(["--no-vacuum", "--protocol=prepared", "--log", "--log-prefix"]).arg(&log).arg("-f").arg(&script);
    command.args(["-j1", &format!("-c{}", connections.min(POOL)), &format!("-T{seconds}"), &data.tasks_url()]);
    let output = done("pgbench", &mut command)?;
    let mut latencies = latencies(&data.folder)?;
    latencies.sort_by(f64::total_cmp);
    let failed = String::from_utf8_lossy(&output.stderr).matches("ERROR").count() as u64;
    let at = |share: f64| latencies.get((latencies.len() as f64 * share) as usize).copied().unwrap_or_default();
    Ok(Seen {
        requests: latencies.len() as u64,
        seconds: f64::from(seconds),
        p50_ms: at(0.50),
        p95_ms: at(0.95),
        p99_ms: at(0.99),
        errors: failed,
    })
}

/// Reads and removes the logs of pgbench, whose third column is a latency in microseconds.
fn latencies(folder: &Path) -> Result<Vec<f64>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("pgbench-log")) {
            let text = std::fs::read_to_string(&path)?;
            let micros = text.lines().filter_map(|line| line.split(' ').nth(2)?.parse::<f64>().ok());
            all.extend(micros.map(|micros| micros / 1000.0));
            std::fs::remove_file(&path)?;
        }
    }
    Ok(all)
}

fn done(name: &str, command: &mut Command) -> Result<Output> {
    let output = command.output().with_context(|| format!("cannot run {name}: `cargo xtask bench` installs it"))?;
    if !output.status.success() {
        bail!("{name} failed: {}", String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default());
    }
    Ok(output)
}
