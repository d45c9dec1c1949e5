//! What is counted, not timed: statements and bytes of write-ahead log a request.

use anyhow::Result;
use serde::Serialize;

use crate::data::Data;
use crate::target::{Target, request};
use crate::work::Work;

/// Requests that a count is the average of.
const REQUESTS: u32 = 200;

/// The counts of one work by one target.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Counts {
    /// Statements of any kind, transaction control included.
    pub statements: f64,
    /// Bytes of write-ahead log.
    pub wal_bytes: f64,
}

/// Counts what a target's requests do, one after the other.
///
/// # Errors
/// When an answer is not the expected one.
pub async fn count(target: &Target, work: &Work, data: &Data) -> Result<Option<Counts>> {
    let (Some(base), Some(_)) = (&target.base, &work.statement) else { return Ok(None) };
    data.reset().await?;
    // The first requests after a checkpoint write whole pages to the log, so they are not counted.
    let ask = |from: u32| (from..from + REQUESTS).try_for_each(|number| request(base, work, number).map(drop));
    ask(1)?;
    data.client.batch_execute("select pg_stat_statements_reset()").await?;
    ask(1 + REQUESTS)?;
    let sql = "select coalesce(sum(calls), 0)::float8, coalesce(sum(wal_bytes), 0)::float8 \
               from pg_stat_statements s join pg_database d on d.oid = s.dbid \
               where d.datname = current_database() and query not like '%pg_stat_statements%'";
    let row = data.client.query_one(sql, &[]).await?;
    let each = |at: usize| row.get::<_, f64>(at) / f64::from(REQUESTS);
    Ok(Some(Counts { statements: each(0), wal_bytes: each(1) }))
}
