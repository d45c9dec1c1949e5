//! `cargo xtask bench`: Spindle beside pgbench, a native reference, FastAPI and a real Spin, on this machine.
//!
//! All targets do the same work on the same data with the same statements. They take turns in every round, in an order
//! drawn anew, so that what else the machine does falls on all of them: ratios within a round are what counts.
#![allow(clippy::disallowed_methods, reason = "it is no guest: time and ids are the machine's")]

mod clock;
mod counts;
mod data;
mod explain;
mod load;
mod process;
mod report;
mod run;
mod target;
mod work;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;

/// Measures Spindle beside others on this machine; `cargo xtask bench` builds what it needs first.
#[derive(Parser)]
#[command(name = "bench")]
struct Arguments {
    /// Two short rounds, to see that all is well
    #[arg(long)]
    quick: bool,
    /// Rounds; the median of each figure counts
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of load for each figure of a round
    #[arg(long, default_value_t = 2)]
    seconds: u32,
    /// Only these works: hello, get, list, create, complete
    #[arg(long, value_delimiter = ',')]
    work: Vec<String>,
    /// Only these targets: pgbench, native, fastapi, spindle, spindle-sdk, spin
    #[arg(long, value_delimiter = ',')]
    target: Vec<String>,
    /// Connections at once
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 100])]
    connections: Vec<usize>,
    /// Print JSON rows instead of tables
    #[arg(long)]
    json: bool,
    /// Put the tables into this file too, between its lines `<!-- measured -->` and `<!-- /measured -->`
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Instead, show where the time of a request goes, in the host and in each component
    #[arg(long)]
    explain: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = runtime.context("cannot start tokio").and_then(|runtime| runtime.block_on(run(arguments)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let data = data::Data::prepare(&root).await?;
    if arguments.explain {
        return explain::run(&root, &data, arguments.json).await;
    }
    let plan = run::Plan::from(&arguments);
    let targets = target::start(&root, &data, &plan.targets).await?;
    let measured = run::run(&plan, &targets, &data).await?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&measured)?);
    } else {
        print!("{}", report::tables(&measured));
    }
    match &arguments.write {
        Some(file) => report::write(&root.join(file), &measured),
        None => Ok(()),
    }
}
