//! Tables for people, in Markdown.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::run::{Measured, Row};

const BEGIN: &str = "<!-- measured -->";
const END: &str = "<!-- /measured -->";

/// What was measured, as Markdown.
pub fn tables(measured: &Measured) -> String {
    let mut text = String::from(
        "| work | connections | target | requests/s | p50 / p95 / p99 ms | CPU µs a request: server + PostgreSQL | \
         requests/s, of FastAPI's | of native's | CPU, of FastAPI's | PostgreSQL's CPU, of pgbench's | statements | \
         WAL bytes | errors |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for row in &measured.rows {
        let counts = row.counts;
        let cells = [
            row.work.to_string(),
            row.connections.to_string(),
            row.target.to_string(),
            format!("{:.0}", row.rps),
            format!("{:.2} / {:.2} / {:.2}", row.p50_ms, row.p95_ms, row.p99_ms),
            cpu(row),
            times(row.ratio_to_fastapi),
            times(row.ratio_to_native),
            times(row.cpu_ratio_to_fastapi.filter(|_| row.target != "pgbench")),
            times(row.postgres_ratio_to_pgbench),
            counts.map_or("–".into(), |counts| format!("{:.1}", counts.statements)),
            counts.map_or("–".into(), |counts| format!("{:.0}", counts.wal_bytes)),
            row.errors.to_string(),
        ];
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text.push_str("\n| server | start to first answer, ms | resident after all loads, MB |\n|---|---|---|\n");
    for server in &measured.servers {
        let _ = writeln!(text, "| {} | {:.0} | {:.0} |", server.target, server.start_ms, server.resident_mb);
    }
    text
}

/// Puts the tables between the marks of a file, with the command as it was given.
///
/// # Errors
/// When the file cannot be read or written or lacks its marks.
pub fn write(file: &Path, measured: &Measured) -> Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let marks = || format!("{} has no lines {BEGIN} and {END}", file.display());
    let (before, rest) = text.split_once(BEGIN).with_context(marks)?;
    let (_, after) = rest.split_once(END).with_context(marks)?;
    let today = jiff::Zoned::now().date();
    let command = std::env::args().skip(1).fold("cargo xtask bench".to_string(), |line, word| line + " " + &word);
    let tables = tables(measured);
    let text = format!("{before}{BEGIN}\n`{command}`, {today}:\n\n{tables}{END}{after}");
    std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

fn cpu(row: &Row) -> String {
    match row.target {
        "pgbench" => format!("{:.0}", row.postgres_cpu_us),
        _ => format!("{:.1} + {:.0}", row.server_cpu_us, row.postgres_cpu_us),
    }
}

fn times(ratio: Option<f64>) -> String {
    ratio.map_or("–".into(), |ratio| format!("{ratio:.2}×"))
}
