//! The database that a command works on.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use host::cluster::{Cluster, Options};
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls};

use super::terminal::patiently;

/// The database of a private cluster.
const NAME: &str = "spindle";

/// The owner's way to the database, and the private cluster it is in.
pub struct Database {
    config: Config,
    cluster: Option<Cluster>,
}

impl Database {
    /// The database of DATABASE_URL, or else of the private cluster in `state`, which is started.
    /// A command that stays waits `patience` for a short one that has just started the cluster.
    ///
    /// # Errors
    /// Says what to install or to correct.
    pub async fn open(state: &Path, patience: Duration) -> Result<Database> {
        if let Some(url) = std::env::var("DATABASE_URL").ok().filter(|url| !url.is_empty()) {
            let config: Config =
                url.parse().context("DATABASE_URL is no postgres://user:password@host:port/database")?;
            return Ok(Database { config, cluster: None });
        }
        let dir = state.join("postgres");
        let options = Options { patience, ..Options::default() };
        let start = tokio::task::spawn_blocking(move || Cluster::start(&dir, options));
        let cluster = patiently("starting PostgreSQL", start).await.context("the start was cut off")??;
        cluster.ensure_database(NAME).await?;
        let config = cluster.owner_url(NAME).parse().context("cannot use the private database")?;
        Ok(Database { config, cluster: Some(cluster) })
    }

    /// A connection as the schema's owner.
    ///
    /// # Errors
    /// Names the host and what PostgreSQL said.
    pub async fn connect(&self) -> Result<Client> {
        let connecting = self.config.connect(NoTls);
        let (client, connection) = patiently("connecting to PostgreSQL", connecting)
            .await
            .with_context(|| format!("cannot connect to PostgreSQL at {}", self.words()))?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("the connection to PostgreSQL ended: {error}");
            }
        });
        Ok(client)
    }

    /// Host and port for the components: `127.0.0.1:5432`.
    ///
    /// # Errors
    /// When the address is a Unix socket, which no component can reach.
    pub fn host(&self) -> Result<String> {
        match self.config.get_hosts() {
            [Host::Tcp(host), ..] => Ok(format!("{host}:{}", self.port())),
            _ => bail!("DATABASE_URL names no host: components reach PostgreSQL by TCP only"),
        }
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        self.config.get_dbname().or(self.config.get_user()).unwrap_or(NAME)
    }

    /// Where it is, for people, without the password.
    pub fn words(&self) -> String {
        let host = self.host().unwrap_or_else(|_| "a socket".to_string());
        match &self.cluster {
            Some(cluster) => format!("{host}/{} (private, in {})", self.name(), cluster.place().display()),
            None => format!("{host}/{} (DATABASE_URL)", self.name()),
        }
    }

    /// Stops the private cluster, if this process started it.
    ///
    /// # Errors
    /// When it does not stop; the message names its log.
    pub async fn close(self) -> Result<()> {
        match self.cluster {
            Some(cluster) => tokio::task::spawn_blocking(|| cluster.stop()).await.context("the stop was cut off")?,
            None => Ok(()),
        }
    }

    fn port(&self) -> u16 {
        self.config.get_ports().first().copied().unwrap_or(5432)
    }
}
