//! Pools of PostgreSQL connections: one an address string, each as large as the machine has use for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, ThreadId};

use anyhow::{Context as _, bail};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls, Statement};

use super::session::Nature;

/// Connections an address string may have: 8 for each core, at least 16, and no more than Spin's 64. More of them at
/// once only get in each other's way: with 64 on two cores a create cost PostgreSQL half as much again.
fn size() -> usize {
    thread::available_parallelism().map_or(16, |cores| (cores.get() * 8).clamp(16, 64))
}

/// Prepared statements kept a connection; beyond, all are forgotten and made again.
const MAX_STATEMENTS: usize = 256;

/// What a session can carry over to its next user; prepared statements stay, they are the point of the pool.
const RESET: &str = "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; \
    SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES";

/// Pools by address: all of a host, or those that one component may use.
#[derive(Default)]
pub struct Pools {
    pools: RwLock<BTreeMap<String, Arc<Pool>>>,
}

impl Pools {
    /// The pool for `address`, if it has been used before.
    pub fn get(&self, address: &str) -> Option<Arc<Pool>> {
        self.pools.read().unwrap_or_else(PoisonError::into_inner).get(address).cloned()
    }

    /// The pool for `address`, a `postgres://` URL or a list of `key=value`; `pool` makes one on its first use.
    pub fn get_or_add(&self, address: &str, pool: impl FnOnce() -> Arc<Pool>) -> Arc<Pool> {
        let mut pools = self.pools.write().unwrap_or_else(PoisonError::into_inner);
        pools.entry(address.into()).or_insert_with(pool).clone()
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
struct Backend {
    client: Client,
    /// By their text, of which two differ early: a comparison ends soon, where a hash would read all of it.
    statements: BTreeMap<String, Prepared>,
    /// Whose runtime reads and writes the socket: others have to wake it.
    home: ThreadId,
}

/// A statement that is prepared on a connection.
#[derive(Clone)]
pub struct Prepared {
    /// What the server knows.
    pub statement: Statement,
    /// What it does to the session.
    pub nature: Nature,
}

/// A connection taken from its pool, and the right to one of the pool's places.
pub struct Lease {
    pool: Arc<Pool>,
    backend: Backend,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    /// No connection yet. `config` was checked by [`targets`].
    pub fn new(config: Config) -> Self {
        Pool { config, permits: Arc::new(Semaphore::new(size())), idle: Mutex::default() }
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
        let backend = Backend { client, statements: BTreeMap::new(), home: thread::current().id() };
        Ok(Lease { pool: self, backend, _permit: permit })
    }

    /// An idle connection: of this thread if there is one, else of another.
    fn pop(&self) -> Option<Backend> {
        let here = thread::current().id();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        match idle.iter().rposition(|backend| backend.home == here) {
            Some(at) => Some(idle.swap_remove(at)),
            None => idle.pop(),
        }
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
    pub async fn prepare(&mut self, sql: &str) -> Result<Prepared, tokio_postgres::Error> {
        if let Some(prepared) = self.backend.statements.get(sql) {
            return Ok(prepared.clone());
        }
        let prepared = Prepared { statement: self.backend.client.prepare(sql).await?, nature: Nature::of(sql) };
        if self.backend.statements.len() >= MAX_STATEMENTS {
            self.backend.statements.clear();
        }
        self.backend.statements.insert(sql.into(), prepared.clone());
        Ok(prepared)
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
