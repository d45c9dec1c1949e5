//! `spindle migrate …`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Subcommand;
use host::migrate::{self, Migrations, State, Status};
use tokio_postgres::Client;

use super::database::Database;
use super::terminal::{green, patiently, yellow};
use super::{Places, secrets};

/// What to do with the schema.
#[derive(Subcommand)]
pub enum Command {
    /// Apply the migrations that are missing
    Up {
        /// Stop after this number
        #[arg(long)]
        to: Option<i32>,
    },
    /// Take the last migration back
    Down {
        /// Take back everything after this number; 0 is everything
        #[arg(long)]
        to: Option<i32>,
    },
    /// Take the last migration back and apply it again
    Redo,
    /// List the migrations and how they stand
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make the components' roles, or set their password and limits again
    Roles {
        /// Connections a role: 64 times the pods of its component
        #[arg(long, default_value_t = 64)]
        connection_limit: u32,
    },
    /// Print the schema; migrations/schema.sql is this text
    Dump,
}

/// Opens the database, does it, and closes the database whatever came of it.
pub async fn run(places: &Places, command: Command) -> Result<ExitCode> {
    let migrations = Migrations::load(&places.migrations)?;
    let database = Database::open(&places.state, Duration::ZERO).await?;
    let done = perform(places, &database, &migrations, command).await;
    let closed = database.close().await;
    let code = done?;
    closed?;
    Ok(code)
}

async fn perform(places: &Places, database: &Database, all: &Migrations, command: Command) -> Result<ExitCode> {
    let mut client = database.connect().await?;
    match command {
        Command::Up { to } => {
            // The migrations grant rights to the roles, so those come first.
            roles(places, &client, 64).await?;
            let run = migrate::up_to(&mut client, all, to.unwrap_or(all.last()));
            report(
                &patiently("applying migrations", run).await?,
                "applied",
                "nothing to apply: the schema is up to date",
            );
        }
        Command::Down { to: Some(to) } => {
            report(&migrate::down_to(&mut client, all, to).await?, "took back", "nothing to take back");
        }
        Command::Down { to: None } => {
            report(&migrate::down(&mut client, all).await?, "took back", "nothing to take back")
        }
        Command::Redo => {
            report(&migrate::redo(&mut client, all).await?, "applied again", "no migration was applied yet")
        }
        Command::Status { json } => return status(&migrate::status(&client, all).await?, json),
        Command::Roles { connection_limit } => {
            roles(places, &client, connection_limit).await?;
            println!("the roles are ready: {}", migrate::ROLES.join(", "));
        }
        Command::Dump => print!("{}", migrate::schema(&client).await?),
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes the roles with the password that the components are given.
async fn roles(places: &Places, client: &Client, connection_limit: u32) -> Result<()> {
    migrate::roles_with_limit(client, &secrets::db_password(&places.state)?, connection_limit).await
}

fn report(names: &[String], verb: &str, nothing: &str) {
    for name in names {
        println!("{verb} {name}");
    }
    if names.is_empty() {
        println!("{nothing}");
    }
}

/// Prints the list; the exit code is 1 unless everything is applied as it is.
fn status(all: &[Status], json: bool) -> Result<ExitCode> {
    let current = all.iter().all(|each| each.state == State::Applied);
    if json {
        println!("{}", serde_json::to_string_pretty(all)?);
    } else {
        for each in all {
            let (state, at) = (words(each.state), each.applied_at.as_deref().unwrap_or_default());
            println!("{:<24} {state} {at}", each.name);
        }
        if !current {
            println!("run `spindle migrate up`; a file that was edited must be put back first");
        }
    }
    Ok(if current { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn words(state: State) -> String {
    match state {
        State::Applied => green("applied"),
        State::Pending => yellow("pending"),
        State::Edited => yellow("edited after it was applied"),
        State::Unknown => yellow("applied by a newer build"),
    }
}
