//! The binary `spindle`: runs Spindle on this machine, and the operator's commands.

mod commands;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

/// A request allocates some hundred times on one thread and frees on the same: glibc's allocator took an eighth of its
/// time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = commands::Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,guest=info"));
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr).init();
    match commands::run(arguments).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{} {error:#}", commands::terminal::red("error:"));
            ExitCode::FAILURE
        }
    }
}
