//! `spindle doctor`: what would keep Spindle from working.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use host::TestBed;
use host::migrate::{self, Migrations, State};
use serde::Serialize;
use tokio_postgres::Client;

use super::Places;
use super::database::Database;
use super::terminal::{bold, green, red};

/// The oldest PostgreSQL that the statements are written for, as `server_version_num`.
const OLDEST: i32 = 150_000;

/// How far this machine's clock and the database's may be apart. Reminders go by this machine's.
const SKEW: Duration = Duration::from_secs(1);

/// One thing that was looked at.
#[derive(Serialize)]
struct Finding {
    name: &'static str,
    good: bool,
    /// What was seen.
    seen: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

impl Finding {
    fn new(name: &'static str, good: bool, seen: String, advice: &str) -> Finding {
        Finding { name, good, seen, advice: (!good).then(|| advice.to_string()) }
    }
}

/// Looks at everything, and says what to do about what is not good. The exit code is 1 if there is anything.
pub async fn run(places: &Places, json: bool) -> Result<ExitCode> {
    let findings = match Database::open(&places.state, Duration::ZERO).await {
        Ok(database) => {
            let findings = examine(places, &database).await;
            database.close().await?;
            findings
        }
        Err(error) => Err(error),
    };
    let findings = findings.unwrap_or_else(|error| {
        let advice = "start PostgreSQL, correct DATABASE_URL, or unset it to use a private database";
        vec![Finding::new("database", false, format!("{error:#}"), advice)]
    });
    report(&findings, json)?;
    let good = findings.iter().all(|finding| finding.good);
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn examine(places: &Places, database: &Database) -> Result<Vec<Finding>> {
    let client = database.connect().await?;
    let reached = Finding::new("database", true, database.words(), "");
    Ok(vec![
        reached,
        version(&client).await?,
        clock(&client).await?,
        roles(&client).await?,
        schema(places, &client).await,
    ])
}

async fn version(client: &Client) -> Result<Finding> {
    let sql = "select current_setting('server_version_num')::int, current_setting('server_version')";
    let row = client.query_one(sql, &[]).await.context("cannot ask for the version")?;
    let good = row.get::<_, i32>(0) >= OLDEST;
    Ok(Finding::new("PostgreSQL", good, row.get(1), "use PostgreSQL 15 or newer"))
}

/// Compares the clocks by the middle of the fastest of three round trips.
async fn clock(client: &Client) -> Result<Finding> {
    let mut best: Option<(i64, i64)> = None;
    for _ in 0..3 {
        let before = TestBed::real().now_micros();
        let sql = "select (extract(epoch from clock_timestamp()) * 1000000)::bigint";
        let there: i64 = client.query_one(sql, &[]).await.context("cannot ask for the time")?.get(0);
        let after = TestBed::real().now_micros();
        let (trip, ahead) = (after - before, there - before.midpoint(after));
        if best.is_none_or(|(fastest, _)| trip < fastest) {
            best = Some((trip, ahead));
        }
    }
    let (trip, ahead) = best.unwrap_or_default();
    let good = Duration::from_micros(ahead.unsigned_abs()) <= SKEW;
    let seen = format!("the database's clock is {} ms ahead (± {} ms)", ahead / 1000, trip / 2000 + 1);
    Ok(Finding::new("clock", good, seen, "let both machines set their clocks by NTP (chrony, systemd-timesyncd)"))
}

async fn roles(client: &Client) -> Result<Finding> {
    let names = migrate::ROLES.map(String::from).to_vec();
    let sql = "select rolname::text from pg_roles where rolname = any($1) and rolcanlogin";
    let rows = client.query(sql, &[&names]).await.context("cannot ask for the roles")?;
    let found: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let missing: Vec<String> = names.into_iter().filter(|name| !found.contains(name)).collect();
    let seen = if missing.is_empty() { "all there".to_string() } else { format!("missing: {}", missing.join(", ")) };
    Ok(Finding::new("roles", missing.is_empty(), seen, "run `spindle migrate roles`"))
}

async fn schema(places: &Places, client: &Client) -> Finding {
    match Migrations::load(&places.migrations) {
        Ok(migrations) => match migrate::status(client, &migrations).await {
            Ok(all) => of_status(&all),
            Err(error) => Finding::new("schema", false, format!("{error:#}"), "see the message"),
        },
        Err(error) => Finding::new("schema", false, format!("{error:#}"), "name the folder by --migrations"),
    }
}

fn of_status(all: &[migrate::Status]) -> Finding {
    let count = |state| all.iter().filter(|each| each.state == state).count();
    let (pending, edited, unknown) = (count(State::Pending), count(State::Edited), count(State::Unknown));
    let seen = format!("{} applied, {pending} pending, {edited} edited, {unknown} unknown", count(State::Applied));
    let advice = match () {
        () if edited > 0 => "put the edited files back as they were (`spindle migrate status` names them)",
        () if unknown > 0 => "the database is ahead of this build: use a newer build",
        () => "run `spindle migrate up`",
    };
    Finding::new("schema", pending + edited + unknown == 0, seen, advice)
}

fn report(findings: &[Finding], json: bool) -> Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(findings)?);
        return Ok(());
    }
    for finding in findings {
        let mark = if finding.good { green("ok ") } else { red("bad") };
        println!("{mark} {}: {}", bold(finding.name), finding.seen);
        if let Some(advice) = &finding.advice {
            println!("    → {advice}");
        }
    }
    Ok(())
}
