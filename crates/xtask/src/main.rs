//! The commands of the project: `cargo xtask build`, `up`, `parts`, `test`, `soak`, `bench`, `tidy`.

mod bench;
mod build;
mod checks;
mod coverage;
mod parts;
mod soak;
mod step;
mod tidy;
mod tools;
mod up;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

/// The commands of the project.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build every component for wasm32-wasip2, and bring that target if it is missing
    Build {
        /// Build the binary `spindle` too, with optimisation
        #[arg(long)]
        release: bool,
    },
    /// Build what changed and run Spindle on this machine, with a database of its own; Ctrl-C stops it
    Up {
        /// Where to listen; port 0 takes a free one
        #[arg(long, default_value = "127.0.0.1:3000")]
        listen: SocketAddr,
        /// Send events by Kafka and Dapr's sidecars, as in a cluster; brings them
        #[arg(long)]
        kafka: bool,
    },
    /// Bring Kafka and Dapr's sidecar into the user's cache; the first time takes some minutes
    Parts,
    /// Run the checks and tests in order, up to the first that fails
    Test {
        /// Also what takes minutes or brings tools: licences, coverage, every crash point
        #[arg(long)]
        all: bool,
        /// The name of one step, or words of the names of tests
        filter: Option<String>,
    },
    /// Measure Spindle beside pgbench, native Rust and FastAPI on this machine; takes a quarter of an hour
    #[command(disable_help_flag = true)]
    Bench {
        /// What the bench is told: --events, --quick, --json, --explain, --work get,list, --write FILE, --help …
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Kill everything in turn while users change things, and see that nothing is lost, doubled or reordered
    Soak(soak::Arguments),
    /// Check the rules of the code that no compiler knows
    Tidy,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    let root = root()?;
    match command {
        Command::Build { release } => build::build(&root, release),
        Command::Up { listen, kafka } => up::up(&root, listen, kafka),
        Command::Parts => parts::bring(&root).map(|_| println!("Kafka and daprd are ready")),
        Command::Test { all, filter } => checks::test(&root, all, filter.as_deref()),
        Command::Bench { arguments } => bench::bench(&root, &arguments),
        Command::Soak(arguments) => soak::soak(&root, &arguments),
        Command::Tidy => tidy::run(&root),
    }
}

/// The project's folder: this crate is two levels below it.
fn root() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.parent().and_then(Path::parent).context("xtask lies in crates/xtask")?;
    root.canonicalize().with_context(|| format!("{} is gone: run from a checkout", root.display()))
}
