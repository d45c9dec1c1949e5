//! `spin:postgres@4.0.0` over pooled connections.
//!
//! As in Spin 3.6.3, an error while `query` runs a statement arrives as text without its SQLSTATE, while errors of
//! preparing and all errors of `execute` are structured. Stricter than Spin: a guest that leaves a transaction open
//! fails its request, and the connection is closed instead of handed on.
#![allow(clippy::result_large_err, reason = "the error is the generated one that guests get")]

use std::sync::Arc;

use anyhow::Context as _;
use futures::TryStreamExt as _;
use tokio_postgres::error::DbError as ServerError;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, Statement};
use wasmtime::component::Resource;

use crate::bindings::imports::spin::postgres::postgres::{
    DbError, Error, Host, HostConnection, ParameterValue, QueryError, RowSet,
};
use crate::instance::{FirstFault, Instance};
use crate::testbed::TestBed;

pub mod pool;
mod session;
mod spans;
mod types;

use pool::{Lease, Pool, Prepared};
use session::{Effect, Nature};

/// Bytes of rows that one `query` may bring into the host.
const MAX_RESULT: usize = 128 << 20;

/// A guest's connection. Dropped, by the guest or with the instance, it goes back to its pool or is closed.
pub struct Connection {
    lease: Option<Lease>,
    in_transaction: bool,
    changed: bool,
    busy: bool,
    component: Arc<str>,
    bed: TestBed,
    fault: FirstFault,
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(lease) = self.lease.take() else { return };
        if self.in_transaction {
            tracing::error!("{} left a transaction open; its connection is closed", self.component);
            self.bed.add_open_transaction(&self.component);
            self.fault.set("left a transaction open");
        }
        if self.in_transaction || self.busy {
            lease.close();
        } else if self.changed {
            lease.reset_and_give_back();
        } else {
            lease.give_back();
        }
    }
}

impl Connection {
    fn lease(&mut self) -> Result<&mut Lease, Error> {
        self.lease.as_mut().ok_or_else(|| Error::Other("the connection is closed".into()))
    }

    async fn query(&mut self, sql: &str, values: &[types::Parameter]) -> Result<RowSet, Error> {
        let prepared = self.begin(sql).await?;
        let mut result = rows(self.lease()?, &prepared.statement, values).await;
        if self.is_stale(sql, &result) {
            let prepared = self.begin(sql).await?;
            result = rows(self.lease()?, &prepared.statement, values).await;
        }
        self.end(prepared.nature, result.is_ok());
        result
    }

    async fn execute(&mut self, sql: &str, values: &[types::Parameter]) -> Result<u64, Error> {
        let prepared = self.begin(sql).await?;
        let mut result = count(self.lease()?, &prepared.statement, values).await;
        if self.is_stale(sql, &result) {
            let prepared = self.begin(sql).await?;
            result = count(self.lease()?, &prepared.statement, values).await;
        }
        self.end(prepared.nature, result.is_ok());
        result
    }

    /// Prepares a statement that is about to run.
    async fn begin(&mut self, sql: &str) -> Result<Prepared, Error> {
        // Whoever drops the call in the middle leaves a statement running: the connection is then of no more use.
        self.busy = true;
        let prepared = self.lease()?.prepare(sql).await;
        self.busy = prepared.is_ok();
        let prepared = prepared.map_err(|error| failed(&error))?;
        self.changed |= prepared.nature.leaves_state;
        Ok(prepared)
    }

    /// Keeps account of what a statement that has run did to the session.
    fn end(&mut self, nature: Nature, worked: bool) {
        self.busy = nature.drops_statements;
        match nature.effect {
            Effect::Opens if worked => self.in_transaction = true,
            // A commit that fails has rolled back.
            Effect::Closes => self.in_transaction = false,
            _ => {}
        }
    }

    /// Whether a statement failed only because its cached plan no longer fits the schema. It has not run then, and is
    /// forgotten, to be prepared anew.
    fn is_stale<T>(&mut self, sql: &str, result: &Result<T, Error>) -> bool {
        let Err(error) = result else { return false };
        let stale = match error {
            Error::QueryFailed(QueryError::DbError(error)) => {
                error.code == "26000" || (error.code == "0A000" && error.message.starts_with("cached plan"))
            }
            Error::QueryFailed(QueryError::Text(text)) => text.contains("cached plan must not change result type"),
            _ => false,
        };
        stale && !self.in_transaction && self.lease().is_ok_and(|lease| lease.forget(sql))
    }
}

async fn rows(lease: &Lease, statement: &Statement, values: &[types::Parameter]) -> Result<RowSet, Error> {
    let stream = lease.client().query_raw(statement, borrowed(values)).await.map_err(|error| failed(&error))?;
    let mut stream = std::pin::pin!(stream);
    let mut set = RowSet { columns: Vec::new(), rows: Vec::new() };
    let mut bytes = 0;
    while let Some(row) = stream.try_next().await.map_err(|error| Error::QueryFailed(QueryError::Text(text(&error))))? {
        if set.columns.is_empty() {
            set.columns = types::columns(row.columns());
        }
        let row = types::row(&row).map_err(|error| Error::ValueConversionFailed(format!("{error:#}")))?;
        bytes += row.iter().map(types::size).sum::<usize>();
        if bytes > MAX_RESULT {
            return Err(Error::Other(format!("the result is larger than {MAX_RESULT} bytes: ask for fewer rows")));
        }
        set.rows.push(row);
    }
    Ok(set)
}

async fn count(lease: &Lease, statement: &Statement, values: &[types::Parameter]) -> Result<u64, Error> {
    lease.client().execute_raw(statement, borrowed(values)).await.map_err(|error| failed(&error))
}

fn borrowed(values: &[types::Parameter]) -> impl ExactSizeIterator<Item = &(dyn ToSql + Sync)> {
    values.iter().map(|value| &**value as &(dyn ToSql + Sync))
}

fn failed(error: &tokio_postgres::Error) -> Error {
    let as_text = text(error);
    Error::QueryFailed(match error.as_db_error() {
        None => QueryError::Text(as_text),
        Some(server) => QueryError::DbError(DbError {
            as_text,
            severity: server.severity().into(),
            code: server.code().code().into(),
            message: server.message().into(),
            detail: server.detail().map(Into::into),
            extras: extras(server),
        }),
    })
}

fn extras(error: &ServerError) -> Vec<(String, String)> {
    let named = [
        ("column", error.column()),
        ("constraint", error.constraint()),
        ("routine", error.routine()),
        ("hint", error.hint()),
        ("table", error.table()),
        ("datatype", error.datatype()),
        ("schema", error.schema()),
        ("file", error.file()),
        ("where_", error.where_()),
    ];
    let line = error.line().map(|line| ("line".to_owned(), line.to_string()));
    named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).chain(line).collect()
}

/// The error with its causes, as in `db error: ERROR: duplicate key …`.
fn text(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

impl Instance {
    async fn connect(&mut self, address: &str) -> Result<Connection, Error> {
        let lease = self.lease(address).await.map_err(|error| Error::ConnectionFailed(format!("{error:#}")))?;
        Ok(Connection {
            lease: Some(lease),
            in_transaction: false,
            changed: false,
            busy: false,
            component: self.component.id.clone(),
            bed: self.runtime.bed.clone(),
            fault: self.fault.clone(),
        })
    }

    async fn lease(&mut self, address: &str) -> anyhow::Result<Lease> {
        let pool = match self.component.databases.get(address) {
            Some(pool) => pool,
            None => self.admit(address)?,
        };
        pool.take().await
    }

    /// Reads an address and checks it against the hosts that the component may connect to, once for each address.
    fn admit(&self, address: &str) -> anyhow::Result<Arc<Pool>> {
        let config: Config = address.parse().context("not a PostgreSQL address")?;
        for (host, port) in pool::targets(&config)? {
            if !self.component.allowed.allows("postgres", &host, port) {
                let wanted = format!("postgres://{host}:{port}");
                tracing::error!("{} may not connect to {wanted}: add it to allowed_outbound_hosts", self.component.id);
                anyhow::bail!("address {wanted} is not permitted");
            }
        }
        let pool = self.runtime.pools.get_or_add(address, || Arc::new(Pool::new(config)));
        Ok(self.component.databases.get_or_add(address, || pool))
    }

    /// Records the statement, and gives the text that is to be sent.
    fn announce(&self, verb: &str, sql: String) -> String {
        self.trace.effect(|| format!("pg {verb} {}", sql.trim().chars().take(60).collect::<String>()));
        self.runtime.bed.add_statement(&self.component.id, &sql);
        self.runtime.bed.rewritten(sql)
    }
}

impl Host for Instance {}

impl HostConnection for Instance {
    async fn open(&mut self, address: String) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        self.trace.effect(|| "pg open".into());
        let span = spans::begin(&self.scope, "spin_outbound_pg.open", None);
        let opened = self.connect(&address).await;
        spans::end(span, &opened);
        Ok(match opened {
            Ok(connection) => Ok(self.table.push(connection)?),
            Err(error) => Err(error),
        })
    }

    async fn query(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        params: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<RowSet, Error>> {
        let sql = self.announce("query", statement);
        let span = spans::begin(&self.scope, "spin_outbound_pg.query", Some(&sql));
        let connection = self.table.get_mut(&connection)?;
        let result = match parameters(params) {
            Ok(values) => connection.query(&sql, &values).await,
            Err(error) => Err(error),
        };
        spans::end(span, &result);
        Ok(result)
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        params: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<u64, Error>> {
        let sql = self.announce("execute", statement);
        let span = spans::begin(&self.scope, "spin_outbound_pg.execute", Some(&sql));
        let connection = self.table.get_mut(&connection)?;
        let result = match parameters(params) {
            Ok(values) => connection.execute(&sql, &values).await,
            Err(error) => Err(error),
        };
        spans::end(span, &result);
        Ok(result)
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        drop(self.table.delete(connection)?);
        Ok(())
    }
}

fn parameters(params: Vec<ParameterValue>) -> Result<Vec<types::Parameter>, Error> {
    let values: anyhow::Result<_> = params.into_iter().map(types::parameter).collect();
    values.map_err(|error| Error::BadParameter(format!("{error:#}")))
}
