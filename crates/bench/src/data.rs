//! The database that all targets work on: a private cluster, as durable as a real one, with fixed users and tasks.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use domain::token::{self, Claims};
use host::cluster::{Binaries, Cluster, Options};
use host::migrate::{self, Migrations};
use jiff::Timestamp;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

/// The database's name.
pub const NAME: &str = "bench";
/// The key that signs tokens, and the password of the components' roles. They guard nothing.
pub const TOKEN_KEYS: &str = "k1=YmVuY2gtYmVuY2gtYmVuY2gtYmVuY2gtYmVuY2gtYmVuY2g";
/// The password of the components' roles.
pub const PASSWORD: &str = "bench";
/// Whose 10,000 tasks are read.
pub const READER: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_000a_0001);
/// Who creates tasks.
pub const WRITER: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_000a_0002);
/// Who completes tasks.
pub const DOER: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_000a_0003);
/// Tasks of the reader.
pub const READABLE: u32 = 10_000;
/// Tasks of the doer: more than can be completed while a figure is taken.
pub const OPEN: u32 = 60_000;

/// What the server is started with beyond what every private cluster has.
const SETTINGS: &[&str] = &["shared_preload_libraries=pg_stat_statements"];

/// Open tasks of user $1, $2 in number, one a second from the beginning of 2026, with ids that tell user and number.
const FILL: &str = "
insert into task (
    id, user_id, title, description, priority, tags, due_at, reminder_minutes, version, created_at, updated_at)
select
    ('01900000-0000-7000-8000-' || right($1::uuid::text, 2) || lpad(to_hex(n), 10, '0'))::uuid, $1,
    'Buy milk and bread ' || n, 'two litres of oat milk and one loaf of rye bread from the corner shop', 1 + n % 4,
    array['home', 'errand'], '2027-01-01T00:00:00Z'::timestamptz + n * interval '1 minute', '{30}', 1,
    '2026-01-01T00:00:00Z'::timestamptz + n * interval '1 second',
    '2026-01-01T00:00:00Z'::timestamptz + n * interval '1 second'
from generate_series(1, $2::bigint) n";

/// The running database.
pub struct Data {
    /// Where the bench keeps its files.
    pub folder: PathBuf,
    /// As the schema's owner.
    pub client: Client,
    cluster: Cluster,
}

impl Data {
    /// Starts the cluster, and makes a new database with the schema and the tasks.
    ///
    /// # Errors
    /// As those of the cluster and the migrations.
    pub async fn prepare(root: &Path) -> Result<Data> {
        let folder = root.join("target/bench");
        eprintln!("preparing PostgreSQL in {}", folder.display());
        let options = Options { durable: true, patience: Duration::from_secs(10), settings: SETTINGS };
        let cluster = Cluster::start(&folder.join("postgres"), options)?;
        connect(&cluster, "postgres").await?.batch_execute("drop database if exists bench with (force)").await?;
        cluster.ensure_database(NAME).await?;
        let mut client = connect(&cluster, NAME).await?;
        migrate::roles(&client, PASSWORD).await?;
        migrate::up(&mut client, &Migrations::load(&root.join("migrations"))?).await?;
        let statistics = client.batch_execute("create extension pg_stat_statements").await;
        statistics.context("PostgreSQL lacks pg_stat_statements: install its contrib package")?;
        let data = Data { folder, client, cluster };
        data.fill(READER, READABLE).await?;
        data.write_ids("readable", READER, READABLE)?;
        data.write_ids("open", DOER, OPEN)?;
        data.reset().await?;
        Ok(data)
    }

    /// Where the server is, as `host:port`.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.cluster.port())
    }

    /// The database for its owner.
    pub fn owner_url(&self) -> String {
        self.cluster.owner_url(NAME)
    }

    /// The database for a component's role, whose limits then hold for every target.
    pub fn tasks_url(&self) -> String {
        format!("postgres://spindle_tasks:{PASSWORD}@{}/{NAME}", self.host())
    }

    /// The process that all of PostgreSQL's processes descend from.
    ///
    /// # Errors
    /// When the server does not run.
    pub fn postmaster(&self) -> Result<u32> {
        let file = self.cluster.place().join("data/postmaster.pid");
        let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        text.lines().next().and_then(|line| line.parse().ok()).context("postmaster.pid names no process")
    }

    /// pgbench, which not every PostgreSQL package has beside the server.
    ///
    /// # Errors
    /// When there is no PostgreSQL.
    pub fn pgbench(&self) -> Result<PathBuf> {
        let beside = Binaries::find(self.cluster.place(), None)?.program("pgbench");
        Ok(if beside.is_file() { beside } else { "pgbench".into() })
    }

    /// The file with the ids of one kind.
    pub fn ids(&self, kind: &str) -> PathBuf {
        self.folder.join(format!("{kind}.ids"))
    }

    /// Puts back what a load has changed, so that the next one finds the same.
    ///
    /// # Errors
    /// When PostgreSQL refuses.
    pub async fn reset(&self) -> Result<()> {
        let changed = "delete from task where user_id = any ($1)";
        self.client.execute(changed, &[&[WRITER, DOER].as_slice()]).await?;
        self.client.batch_execute("truncate outbox, event_stream, inbox").await?;
        self.fill(DOER, OPEN).await?;
        // Each alone: a vacuum runs in no transaction.
        for statement in ["vacuum (analyze) task", "vacuum (analyze) outbox", "checkpoint"] {
            self.client.batch_execute(statement).await?;
        }
        Ok(())
    }

    async fn fill(&self, user: Uuid, count: u32) -> Result<()> {
        self.client.execute(FILL, &[&user, &i64::from(count)]).await?;
        Ok(())
    }

    fn write_ids(&self, kind: &str, user: Uuid, count: u32) -> Result<()> {
        let ids: String = (1..=count).map(|number| format!("{}\n", task_id(user, number))).collect();
        std::fs::write(self.ids(kind), ids).with_context(|| format!("cannot write {}", self.ids(kind).display()))
    }
}

/// The id that [`FILL`] gives to a user's task of this number.
pub fn task_id(user: Uuid, number: u32) -> Uuid {
    let owner = user.as_u128() & 0xff;
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 | owner << 40 | u128::from(number))
}

/// An access token of a user, good for a day.
pub fn token(user: Uuid) -> Result<String> {
    let keys = token::keys(TOKEN_KEYS).map_err(|error| anyhow::anyhow!("{error}"))?;
    let key = keys.first().context("there is no key")?;
    let iat = Timestamp::now().as_second();
    let zoneinfo = "Europe/Berlin".to_string();
    let claims = Claims { sub: user, zoneinfo, iat, exp: iat + 86_400, jti: Uuid::now_v7(), sid: Uuid::now_v7() };
    Ok(token::sign(key, &claims))
}

async fn connect(cluster: &Cluster, database: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(&cluster.owner_url(database), NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}
