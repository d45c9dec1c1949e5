//! A private PostgreSQL cluster in a data directory, for laptops and tests.
//!
//! One process owns a running cluster: it holds the lock file and a guard process. The guard waits for the
//! owner's end, however that comes (`kill -9` too), stops PostgreSQL and only then lets go of the lock.
//! Other processes may use the cluster while its owner lives. The data stay.

mod account;
mod binaries;
mod guard;
mod package;
mod place;
mod process;
mod server;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio_postgres::NoTls;

use account::Account;
pub use binaries::Binaries;
use guard::Guard;
pub use place::random_hex;

/// How a cluster is run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether a commit survives a power cut (`fsync`). Only tests turn it off.
    pub durable: bool,
    /// How long to wait for another owner's end before its running cluster is used as it is.
    /// Zero suits a short command; a long-lived process waits, lest a short one stop the cluster under it.
    pub patience: Duration,
    /// Settings of the server beyond those of every cluster, as `name=value`.
    pub settings: &'static [&'static str],
}

impl Default for Options {
    fn default() -> Self {
        Options { durable: true, patience: Duration::ZERO, settings: &[] }
    }
}

/// The role that owns the cluster and every schema in it.
pub const OWNER: &str = "spindle";

/// How long another process may take to start or stop the cluster.
const TURN: Duration = Duration::from_secs(90);

/// A running cluster. Dropping it stops PostgreSQL if this process owns it.
#[derive(Debug)]
pub struct Cluster {
    place: PathBuf,
    port: u16,
    password: String,
    guard: Option<Guard>,
}

impl Cluster {
    /// Starts the cluster of `dir`, or uses it where it already runs; makes it on first use.
    ///
    /// Blocks, for a second or two as a rule. As root it runs PostgreSQL as an unprivileged user; where that user
    /// cannot reach `dir`, the cluster lives in another place, which is said on stderr and by [`Cluster::place`].
    ///
    /// # Errors
    /// Says which package to install when there is no PostgreSQL, or shows the end of the server's log.
    pub fn start(dir: &Path, options: Options) -> Result<Cluster> {
        let account = Account::for_server()?;
        let place = place::prepare(dir, account.as_ref())?;
        let lock = place.join("lock");
        let file = File::create(&lock).with_context(|| format!("cannot open {}", lock.display()))?;
        if take(&file, &place, options.patience)? {
            return own(place, file, account.as_ref(), options);
        }
        let running = server::running(&place).context("the cluster stopped just now: try again")?;
        let password = place::password(&place, account.as_ref())?;
        Ok(Cluster { place, port: running.port, password, guard: None })
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where the data, the password and the log are.
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// Whether this process started the cluster, and its end stops it.
    pub fn owned(&self) -> bool {
        self.guard.is_some()
    }

    /// The address of a database for its owner, as `postgres://…`. It holds the password.
    pub fn owner_url(&self, database: &str) -> String {
        format!("postgres://{OWNER}:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    /// Makes a database, unless there is one of that name.
    ///
    /// # Errors
    /// When PostgreSQL refuses, or the name has anything but lower-case letters, digits and `_`.
    pub async fn ensure_database(&self, name: &str) -> Result<()> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.is_empty() || !name.chars().all(plain) {
            bail!("database name {name:?}: use lower-case letters, digits and _");
        }
        let (client, connection) = tokio_postgres::connect(&self.owner_url("postgres"), NoTls)
            .await
            .context("cannot connect to the private cluster")?;
        let connection = tokio::spawn(connection);
        let found = client.query_opt("select from pg_database where datname = $1", &[&name]).await?;
        if found.is_none() {
            client.batch_execute(&format!("create database {name}")).await.context("cannot make the database")?;
        }
        drop(client);
        connection.await??;
        Ok(())
    }

    /// Stops PostgreSQL if this process owns it, and waits for its end. Open connections are cut.
    ///
    /// # Errors
    /// When PostgreSQL does not stop; the message names the log.
    pub fn stop(mut self) -> Result<()> {
        match self.guard.take() {
            Some(guard) => guard.release().with_context(|| format!("see {}", server::log(&self.place).display())),
            None => Ok(()),
        }
    }
}

/// Takes the lock, or returns false once another living process has the cluster ready for use.
fn take(file: &File, place: &Path, patience: Duration) -> Result<bool> {
    let since = Instant::now();
    let mut said = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(std::fs::TryLockError::WouldBlock) => {}
            Err(std::fs::TryLockError::Error(error)) => return Err(error).context("cannot lock the cluster"),
        }
        let ready = guard::owner_lives(place) && server::running(place).is_some_and(|server| server.ready);
        if ready && since.elapsed() >= patience {
            return Ok(false);
        }
        if since.elapsed() > TURN {
            bail!("another process has been starting or stopping {} for {} s: end it", place.display(), TURN.as_secs());
        }
        if !said && since.elapsed() > Duration::from_secs(2) {
            eprintln!("waiting for another process that uses {}", place.display());
            said = true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// With the lock held: adopts a server whose owner was killed together with its guard, or starts one.
fn own(place: PathBuf, lock: File, account: Option<&Account>, options: Options) -> Result<Cluster> {
    let data = place.join("data");
    let binaries = Binaries::find(&place, server::data_version(&data)?)?;
    let password = place::password(&place, account)?;
    if !data.exists() {
        server::create(&binaries, &place, account, options.durable)?;
    }
    let port = match server::running(&place) {
        Some(server) if server.ready => server.port,
        _ => server::start(&binaries, &place, account, options)?,
    };
    let guard = Guard::set(&binaries, &place, account, lock)?;
    Ok(Cluster { place, port, password, guard: Some(guard) })
}
