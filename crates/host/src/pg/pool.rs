//! Pools of PostgreSQL connections: one an address string, 64 connections each, as Spin has them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, bail};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls, Statement};

/// Connections an address string may have.
const SIZE: usize = 64;

/// Prepared statements kept a connection; beyond, all are forgotten and made again.
const MAX_STATEMENTS: usize = 256;

/// What a session can carry over to its next user; prepared statements stay, they are the point of the pool.
const RESET: &str = "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; \
    SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES";

/// The pools of a host.
#[derive(Default)]
pub struct Pools {
    pools: Mutex<BTreeMap<String, Arc<Pool>>>,
}

impl Pools {
    /// The pool for `address`, a `postgres://` URL or a list of `key=value`, checked by [`targets`] before.
    pub fn get(&self, address: &str, config: Config) -> Arc<Pool> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools.entry(address.into()).or_insert_with(|| Arc::new(Pool::new(config))).clone()
    }
}

/// The hosts and ports that `config` may connect to. An error for anything but TCP.
pub fn targets(config: &Config) -> anyhow::Result<Vec<(String, u16)>> {
    let ports = config.get_ports();
    let port = |at: usize| ports.get(at).or_else(|| ports.first()).copied().unwrap_or(5432);
    if config.get_hosts().is_empty() || !config.get_hostaddrs().is_empty() {
        bail!("the address must name its host, and no hostaddr");
    }
    let hosts = config.get_hosts().iter().enumerate();
    hosts
        .map(|(at, host)| match host {
            Host::Tcp(name) => Ok((name.clone(), port(at))),
            Host::Unix(_) => bail!("sockets in the file system are not allowed, name a TCP host"),
        })
        .collect()
}

/// Connections of one address string.
pub struct Pool {
    config: Config,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Backend>>,
}

/// A connection and the statements prepared on it.
pub struct Backend {
    /// The connection.
    pub client: Client,
    statements: HashMap<String, Statement>,
}

/// A connection taken from its pool, and the right to one of the pool's places.
pub struct Lease {
    pool: Arc<Pool>,
    backend: Backend,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    fn new(config: Config) -> Self {
        Pool { config, permits: Arc::new(Semaphore::new(SIZE)), idle: Mutex::default() }
    }

    /// Waits for a place, then takes an idle connection or makes one.
    pub async fn take(self: Arc<Self>) -> anyhow::Result<Lease> {
        let permit = self.permits.clone().acquire_owned().await.context("the pool is closed")?;
        while let Some(backend) = self.pop() {
            if !backend.client.is_closed() {
                return Ok(Lease { pool: self, backend, _permit: permit });
            }
        }
        let (client, connection) = self.config.connect(NoTls).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("a PostgreSQL connection ended: {error}");
            }
        });
        let backend = Backend { client, statements: HashMap::new() };
        Ok(Lease { pool: self, backend, _permit: permit })
    }

    fn pop(&self) -> Option<Backend> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn push(&self, backend: Backend) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(backend);
    }
}

impl Lease {
    /// The connection.
    pub fn client(&self) -> &Client {
        &self.backend.client
    }

    /// `sql` prepared on this connection, from before if it was.
    pub async fn prepare(&mut self, sql: &str) -> Result<Statement, tokio_postgres::Error> {
        if let Some(statement) = self.backend.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.backend.client.prepare(sql).await?;
        if self.backend.statements.len() >= MAX_STATEMENTS {
            self.backend.statements.clear();
        }
        self.backend.statements.insert(sql.into(), statement.clone());
        Ok(statement)
    }

    /// Forgets `sql`; whether it was prepared.
    pub fn forget(&mut self, sql: &str) -> bool {
        self.backend.statements.remove(sql).is_some()
    }

    /// Gives back a connection that holds no state.
    pub fn give_back(self) {
        self.pool.push(self.backend);
    }

    /// Gives the connection back once its session is reset.
    pub fn reset_and_give_back(self) {
        in_background(async move {
            match self.backend.client.batch_execute(RESET).await {
                Ok(()) => self.give_back(),
                Err(error) => tracing::warn!("closing a PostgreSQL connection that could not be reset: {error}"),
            }
        });
    }

    /// Closes the connection and stops what it runs.
    pub fn close(self) {
        let cancel = self.backend.client.cancel_token();
        in_background(async move {
            if let Err(error) = cancel.cancel_query(NoTls).await {
                tracing::debug!("could not cancel a statement: {error}");
            }
            drop(self);
        });
    }
}

/// Spawns `work`. Where no runtime is left, the process ends, and its connections with it.
fn in_background(work: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(work);
    }
}
