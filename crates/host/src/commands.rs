//! The commands of `spindle`.

mod audit;
mod database;
mod doctor;
mod events;
mod migrate;
mod secrets;
pub mod terminal;
mod transport;
mod up;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Runs Spindle on this machine, and looks after its database.
///
/// The database is the one that DATABASE_URL names, else a private one under .spindle/.
#[derive(Parser)]
#[command(name = "spindle", version)]
pub struct Arguments {
    /// Where the private database, the secrets and compiled components are kept
    #[arg(long, global = true, default_value = ".spindle", value_name = "FOLDER")]
    state: PathBuf,
    /// The folder of the migrations
    #[arg(long, global = true, default_value = "migrations", value_name = "FOLDER")]
    migrations: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Prepare the database and run the application; Ctrl-C stops both
    Up(up::Arguments),
    /// Bring the database's schema to where it should be
    #[command(subcommand)]
    Migrate(migrate::Command),
    /// Look after the audit log
    #[command(subcommand)]
    Audit(audit::Command),
    /// See which events are stuck, and put it right
    #[command(subcommand)]
    Events(events::Command),
    /// Look for what would keep Spindle from working, and say what to do
    Doctor {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Where the commands find things.
pub struct Places {
    /// The folder of the private database and the secrets.
    pub state: PathBuf,
    /// The folder of the migrations.
    pub migrations: PathBuf,
}

/// Runs one command.
pub async fn run(arguments: Arguments) -> Result<ExitCode> {
    let places = Places { state: arguments.state, migrations: arguments.migrations };
    match arguments.command {
        Command::Up(arguments) => up::run(&places, arguments).await,
        Command::Migrate(command) => migrate::run(&places, command).await,
        Command::Audit(command) => audit::run(&places, command).await,
        Command::Events(command) => events::run(&places, command).await,
        Command::Doctor { json } => doctor::run(&places, json).await,
    }
}
