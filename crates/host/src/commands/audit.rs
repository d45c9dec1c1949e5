//! `spindle audit verify`: whether the audit log is whole.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Subcommand;
use domain::audit::{self, Entry};
use serde::Serialize;
use tokio_postgres::{Client, IsolationLevel, Row, Transaction};
use uuid::Uuid;

use super::Places;
use super::database::Database;
use super::terminal::{green, patiently, red};

/// What to do with the audit log.
#[derive(Subcommand)]
pub enum Command {
    /// Check every user's hash chain; the exit code is 1 when one is broken
    Verify {
        /// Only this user's
        #[arg(long)]
        user: Option<Uuid>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// One user's chain.
#[derive(Serialize)]
struct Chain {
    user: Uuid,
    whole: bool,
    /// Entries in the whole chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<u64>,
    /// The first entry that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    what: Option<String>,
}

const USERS: &str = "
    select user_id from audit_head where $1::uuid is null or user_id = $1
    union
    select user_id from audit_entry where $1::uuid is null or user_id = $1
    order by 1";

const ENTRIES: &str = "
    select seq, event_id, (extract(epoch from at) * 1000000)::bigint, action, stream,
        stream_seq, salt, payload, commitment, hash
    from audit_entry where user_id = $1 order by seq";

const HEAD: &str = "select seq, hash from audit_head where user_id = $1";

/// Opens the database, checks, and closes the database whatever came of it.
pub async fn run(places: &Places, command: Command) -> Result<ExitCode> {
    let Command::Verify { user, json } = command;
    let database = Database::open(&places.state, Duration::ZERO).await?;
    let done = async { patiently("reading the audit log", verify(&mut database.connect().await?, user)).await };
    let done = done.await;
    let closed = database.close().await;
    let chains = done?;
    closed?;
    report(&chains, json)?;
    let whole = chains.iter().all(|chain| chain.whole);
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Checks the chains as they stand at one moment, while the log may go on growing.
async fn verify(client: &mut Client, user: Option<Uuid>) -> Result<Vec<Chain>> {
    let builder = client.build_transaction().read_only(true).isolation_level(IsolationLevel::RepeatableRead);
    let moment = builder.start().await.context("cannot read the audit log")?;
    let users = moment.query(USERS, &[&user]).await.context("cannot read the audit log: run `spindle migrate up`")?;
    let mut chains = Vec::new();
    for row in users {
        chains.push(chain(&moment, row.get(0)).await?);
    }
    Ok(chains)
}

async fn chain(moment: &Transaction<'_>, user: Uuid) -> Result<Chain> {
    let rows = moment.query(ENTRIES, &[&user]).await.context("cannot read audit_entry")?;
    let head = moment.query_opt(HEAD, &[&user]).await.context("cannot read audit_head")?;
    let head = head.map(|row| (row.get(0), hash(row.get(1))));
    let verdict = audit::verify(rows.iter().map(entry), head);
    Ok(match verdict {
        Ok(entries) => Chain { user, whole: true, entries: Some(entries), seq: None, what: None },
        Err(broken) => {
            Chain { user, whole: false, entries: None, seq: Some(broken.seq), what: Some(broken.to_string()) }
        }
    })
}

fn entry(row: &Row) -> Entry {
    Entry {
        seq: row.get(0),
        event_id: row.get(1),
        at_micros: row.get(2),
        action: row.get(3),
        stream: row.get(4),
        stream_seq: row.get(5),
        salt: row.get(6),
        payload: row.get(7),
        commitment: hash(row.get(8)),
        hash: hash(row.get(9)),
    }
}

/// A stored hash. One of another length equals no SHA-256, and so is found as altered.
fn hash(bytes: &[u8]) -> [u8; 32] {
    bytes.try_into().unwrap_or([0; 32])
}

fn report(chains: &[Chain], json: bool) -> Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(chains)?);
        return Ok(());
    }
    let broken: Vec<&Chain> = chains.iter().filter(|chain| !chain.whole).collect();
    for chain in &broken {
        let what = chain.what.as_deref().unwrap_or("is broken");
        println!("{} user {}: {what}", red("broken:"), chain.user);
    }
    let entries: u64 = chains.iter().filter_map(|chain| chain.entries).sum();
    if broken.is_empty() {
        println!("{} {} chains with {entries} entries", green("whole:"), chains.len());
    } else {
        println!(
            "{} of {} chains are broken: compare that entry with a backup, and find who may write to the database",
            broken.len(),
            chains.len()
        );
    }
    Ok(())
}
