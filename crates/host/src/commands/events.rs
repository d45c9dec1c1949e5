//! `spindle events …`: which events are stuck, and what an operator does about it. The relay's routes under
//! `/api/v1/admin/events` do the same by the same statements.

mod store;
mod words;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Subcommand;
use clap::builder::PossibleValuesParser;
use domain::event::CONSUMERS;
use domain::input::FieldError;
use domain::operator::{self, Filter, REDRIVEN_AT_ONCE, Redrive};
use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use super::Places;
use super::database::Database;
use super::terminal::patiently;

/// What to do about events.
#[derive(Subcommand)]
pub enum Command {
    /// Say what waits and what is dead, in the outbox by topic and at each consumer
    Lag {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the events that consumers have given up, the latest received first
    Dead {
        /// Only this consumer's
        #[arg(long, value_parser = consumers())]
        consumer: Option<String>,
        /// Only of this stream, such as task/<id>
        #[arg(long)]
        stream: Option<String>,
        /// Only of this type
        #[arg(long = "type", value_name = "TYPE")]
        kind: Option<String>,
        /// How many at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=1000))]
        limit: i64,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say where one event is, and what each consumer has made of it
    Show {
        /// The event
        id: Uuid,
        /// Only this consumer
        #[arg(long, value_parser = consumers())]
        consumer: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Let a consumer try dead events again, once what they died of is gone
    Redrive {
        /// The consumer that gave them up
        #[arg(long, value_parser = consumers())]
        consumer: String,
        #[command(flatten)]
        which: Which,
        /// Say how many it would be, and change nothing
        #[arg(long)]
        dry_run: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Give up a dead event for a consumer, for good; the audit log tells of it
    Skip {
        /// The consumer that gave it up
        #[arg(long, value_parser = consumers())]
        consumer: String,
        /// The event
        #[arg(long)]
        id: Uuid,
        /// Why, in up to 500 characters
        #[arg(long)]
        reason: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Which dead events; exactly one must be given.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub struct Which {
    /// This event
    #[arg(long)]
    id: Option<Uuid>,
    /// Those of this stream, such as task/<id>
    #[arg(long)]
    stream: Option<String>,
    /// Those of this type
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// All of the consumer's
    #[arg(long)]
    all: bool,
}

fn consumers() -> PossibleValuesParser {
    PossibleValuesParser::new(CONSUMERS)
}

/// Opens the database, does it, and closes the database whatever came of it.
pub async fn run(places: &Places, command: Command) -> Result<ExitCode> {
    let database = Database::open(&places.state, Duration::ZERO).await?;
    let done = async { patiently("looking at the events", perform(&mut database.connect().await?, command)).await };
    let done = done.await;
    let closed = database.close().await;
    done?;
    closed?;
    Ok(ExitCode::SUCCESS)
}

async fn perform(client: &mut Client, command: Command) -> Result<()> {
    match command {
        Command::Lag { json } => report(json, &store::lag(client).await?, words::lag),
        Command::Dead { consumer, stream, kind, limit, json } => {
            let dead = store::dead(client, &Filter { consumer, stream, kind }, limit).await?;
            let full = i64::try_from(dead.len()) == Ok(limit);
            report(json, &Value::from(dead), words::dead)?;
            if full && !json {
                println!("→ there may be more: --limit, up to 1000");
            }
            Ok(())
        }
        Command::Show { id, consumer, json } => match store::show(client, id, consumer.as_deref()).await? {
            Some(event) => report(json, &event, words::show),
            None => bail!(
                "there is no event {id} in the outbox, in the archive of the last 15 days or at a consumer; \
                 `spindle events dead` lists those that are dead"
            ),
        },
        Command::Redrive { consumer, which, dry_run, json } => {
            let wanted = operator::redrive(&which.body(&consumer)).map_err(faults)?;
            let redriven = redrive(client, &wanted, dry_run).await?;
            let done = json!({"consumer": consumer, "redriven": redriven, "dry_run": dry_run});
            report(json, &done, words::redrive)
        }
        Command::Skip { consumer, id, reason, json } => {
            let wanted = operator::skip(&json!({"consumer": consumer, "id": id, "reason": reason})).map_err(faults)?;
            let skipped = store::skip(client, &wanted).await?;
            report(json, &json!({"consumer": consumer, "id": id, "skipped": skipped}), words::skip)
        }
    }
}

impl Which {
    /// As the body of the route, so that both are read by the same rules.
    fn body(self, consumer: &str) -> Value {
        let mut body = json!({"consumer": consumer});
        let all = self.all.then_some(json!(true));
        let given = [("id", self.id.map(|id| json!(id))), ("stream", self.stream.map(Value::from)), ("all", all)];
        for (name, value) in given.into_iter().chain([("type", self.kind.map(Value::from))]) {
            if let Some(value) = value {
                body[name] = value;
            }
        }
        body
    }
}

fn faults(faults: Vec<FieldError>) -> anyhow::Error {
    let words = faults.iter().map(|fault| format!("--{} {}", fault.pointer.trim_start_matches('/'), fault.detail));
    anyhow::anyhow!("{}", words.collect::<Vec<_>>().join("; "))
}

/// Statement after statement until nothing is left; a dry run takes all of it back.
async fn redrive(client: &mut Client, wanted: &Redrive, dry_run: bool) -> Result<i64> {
    let mut redriven = 0;
    if dry_run {
        let trial = client.transaction().await?;
        while more(store::redrive(&trial, wanted).await?, &mut redriven) {}
        trial.rollback().await?;
    } else {
        while more(store::redrive(client, wanted).await?, &mut redriven) {}
    }
    Ok(redriven)
}

fn more(count: i64, sum: &mut i64) -> bool {
    *sum += count;
    count == REDRIVEN_AT_ONCE
}

fn report(json: bool, value: &Value, words: fn(&Value)) -> Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(value)?);
    } else {
        words(value);
    }
    Ok(())
}
