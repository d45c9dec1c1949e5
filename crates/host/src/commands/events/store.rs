//! One function a statement: those of the relay, with the schema's owner as the one who asks.

use anyhow::{Context, Result};
use chrono::{DateTime, NaiveDateTime};
use domain::event;
use domain::operator::{Filter, REDRIVEN_AT_ONCE, Redrive, Skip};
use host::TestBed;
use host::cluster::random_hex;
use serde_json::Value;
use tokio_postgres::{Client, GenericClient};
use uuid::Uuid;

/// What to do when a statement fails.
const ADVICE: &str = "cannot look at the events: `spindle doctor` says whether the schema is as it should be";

const DEAD: &str = include_str!("../../../../../components/relay/sql/dead.sql");
const LAG: &str = include_str!("../../../../../components/relay/sql/lag.sql");
const REDRIVE: &str = include_str!("../../../../../components/relay/sql/redrive.sql");
const SHOW: &str = include_str!("../../../../../components/relay/sql/show.sql");
const SKIP: &str = include_str!("../../../../../components/relay/sql/skip.sql");

pub async fn lag(client: &Client) -> Result<Value> {
    Ok(client.query_one(LAG, &[&now()]).await.context(ADVICE)?.get("body"))
}

pub async fn dead(client: &Client, filter: &Filter, rows: i64) -> Result<Vec<Value>> {
    let Filter { consumer, stream, kind } = filter;
    let found = client.query(DEAD, &[consumer, stream, kind, &NaiveDateTime::MAX, &i64::MAX, &rows]).await;
    Ok(found.context(ADVICE)?.iter().map(|row| row.get("body")).collect())
}

pub async fn show(client: &Client, id: Uuid, consumer: Option<&str>) -> Result<Option<Value>> {
    let (consumers, types) = event::uses();
    let found = client.query_opt(SHOW, &[&id, &event::slot(id), &consumers, &types, &consumer]).await;
    Ok(found.context(ADVICE)?.map(|row| row.get("body")))
}

/// Answers how many there were, [`REDRIVEN_AT_ONCE`] at most.
pub async fn redrive(client: &impl GenericClient, wanted: &Redrive) -> Result<i64> {
    let (id, stream, kind, all) = wanted.which.clone().columns();
    let redriven =
        client.query_one(REDRIVE, &[&now(), &wanted.consumer, &id, &stream, &kind, &all, &REDRIVEN_AT_ONCE]).await;
    Ok(redriven.context(ADVICE)?.get("redriven"))
}

/// Answers whether it was there.
pub async fn skip(client: &Client, wanted: &Skip) -> Result<bool> {
    let Skip { consumer, id, reason } = wanted;
    let skipped = client.query_one(SKIP, &[consumer, id, reason, &now(), &new_id()?, &event::EVENT_SKIPPED]).await;
    Ok(skipped.context(ADVICE)?.get("skipped"))
}

/// The time as statements take it: in UTC, in whole microseconds.
fn now() -> NaiveDateTime {
    DateTime::from_timestamp_micros(TestBed::real().now_micros()).unwrap_or_default().naive_utc()
}

/// A UUID of version 7.
fn new_id() -> Result<Uuid> {
    let chance = u128::from_str_radix(&random_hex()?[..20], 16)?.to_be_bytes();
    let [_, _, _, _, _, _, tail @ ..] = chance;
    let millis = u64::try_from(TestBed::real().now_micros() / 1000)?;
    Ok(uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid())
}
