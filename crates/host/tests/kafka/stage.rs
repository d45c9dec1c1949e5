//! The application in this process, with a real broker, sidecars and PostgreSQL.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use host::app::{App, AppOptions};
use host::cluster::{Cluster, Options};
use host::migrate::{self, Migrations};
use host::parts::{Brokers, Kafka, Sidecars, Tokens, Transport, free_port};
use host::telemetry::Telemetry;
use tokio_postgres::{Client, NoTls};

use crate::redis_process::Redis;
use crate::settings::{self, DB_PASSWORD, INTERNAL_TOKEN, root};

/// What the relay shows to its sidecar.
pub const API_TOKEN: &str = "sidecar-token-of-tests";

/// A folder for a test's data, empty.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _old = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// A PostgreSQL for those tests that do not stop it.
pub fn shared_cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kafka-postgres");
        Cluster::start(&dir, Options { durable: false, ..Options::default() }).expect("PostgreSQL starts")
    })
}

pub async fn connect(cluster: &Cluster, database: &str) -> Client {
    let (client, connection) =
        tokio_postgres::connect(&cluster.owner_url(database), NoTls).await.expect("PostgreSQL answers");
    tokio::spawn(connection);
    client
}

/// An empty database of this name, with the schema.
pub async fn make_database(cluster: &Cluster, name: &str) {
    let admin = connect(cluster, "postgres").await;
    admin.batch_execute(&format!("drop database if exists {name} with (force)")).await.expect("dropped");
    admin.batch_execute(&format!("create database {name}")).await.expect("a database");
    let mut client = connect(cluster, name).await;
    migrate::roles_with_limit(&client, DB_PASSWORD, 64).await.expect("roles");
    let migrations = Migrations::load(&root().join("migrations")).expect("migrations");
    migrate::up(&mut client, &migrations).await.expect("migrated");
}

/// The variables of an application that listens on `port`.
pub fn variables(db_port: u16, database: &str, port: u16) -> BTreeMap<String, String> {
    let mut values = settings::variables(db_port, database, port);
    values.insert("dapr_api_token".to_owned(), API_TOKEN.to_owned());
    values
}

pub fn tokens() -> Tokens {
    Tokens { app: INTERNAL_TOKEN.to_owned(), api: API_TOKEN.to_owned() }
}

/// Everything that one test uses. Dropped in this order.
pub struct Stage {
    pub sidecars: Sidecars,
    pub app: App,
    pub kafka: Option<Kafka>,
    _redis: Option<Redis>,
    pub sql: Client,
    pub port: u16,
    transport: Transport,
}

/// An application in this process on an empty database of this name, with its port; `more` are further variables.
pub async fn application(name: &str, more: &[(&str, String)], without: &[&str]) -> (App, Client, u16) {
    start(name, None, Telemetry::default(), more, without).await
}

/// The same with its hints over a Redis server.
pub async fn application_with_redis(name: &str, redis: u16, without: &[&str]) -> (App, Client, u16) {
    let url = format!("redis://127.0.0.1:{redis}");
    start(name, Some(url.clone()), Telemetry::default(), &[("redis_url", url)], without).await
}

async fn start(
    name: &str,
    redis_url: Option<String>,
    telemetry: Telemetry,
    more: &[(&str, String)],
    without: &[&str],
) -> (App, Client, u16) {
    let _already = tracing_subscriber::fmt().with_test_writer().with_target(false).try_init();
    let (cluster, database) = (shared_cluster(), format!("stage_{name}"));
    make_database(cluster, &database).await;
    let port = free_port().expect("a port");
    let mut options = AppOptions::new(root().join("spin.toml"));
    options.listen = ([127, 0, 0, 1], port).into();
    options.variables = variables(cluster.port(), &database, port);
    options.variables.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    options.without = without.iter().map(|name| (*name).to_owned()).collect();
    options.cache_dir = root().join("target/component-cache");
    options.redis_url = redis_url;
    options.telemetry = telemetry;
    let app = App::start(options).await.expect("the application starts");
    (app, connect(cluster, &database).await, port)
}

impl Stage {
    pub async fn start(name: &str, transport: Transport) -> Stage {
        Self::traced(name, transport, Telemetry::default()).await
    }

    pub async fn traced(name: &str, transport: Transport, telemetry: Telemetry) -> Stage {
        let place = folder(&format!("stage-{name}"));
        let (mut kafka, mut redis, mut brokers) = (None, None, Brokers::default());
        if transport == Transport::RedisTopics {
            let server = Redis::any();
            brokers.redis = Some(format!("127.0.0.1:{}", server.port));
            redis = Some(server);
        } else {
            let settings = root().join("dapr/broker/server.properties");
            let broker = Kafka::start(&place.join("kafka"), &settings).await.expect("Kafka starts");
            brokers.kafka = Some(broker.brokers());
            kafka = Some(broker);
        }
        let mut sidecars = Sidecars::new(&root().join("dapr"), &place.join("dapr"), transport, brokers, tokens())
            .expect("the parts are there");
        let variables = [("event_transport", transport.variable().to_owned()), ("dapr_base", sidecars.base())];
        let (app, sql, port) = self::start(name, None, telemetry, &variables, &["ticker"]).await;
        sidecars.start(|_| port).await.expect("the sidecars start");
        Stage { sidecars, app, kafka, _redis: redis, sql, port, transport }
    }

    /// One number from the database.
    pub async fn count(&self, sql: &str) -> i64 {
        self.sql.query_one(sql, &[]).await.expect(sql).get(0)
    }

    /// Waits until nothing waits: no event to hand over, to receive or to apply.
    pub async fn quiet(&self) {
        let start = Instant::now();
        loop {
            let left = crate::checker::unfinished(&self.sql).await;
            if left.is_empty() {
                return;
            }
            assert!(start.elapsed() < Duration::from_secs(60), "not quiet after a minute: {left:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Publishes bodies that are no events, each another, by the sidecar of the relay.
    pub async fn publish_garbage(&self, topic: &str, count: usize) {
        let port = self.sidecars.base().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        for n in 0..count {
            let body = serde_json::json!({"no": "event", "n": n});
            let binding = serde_json::json!({
                "operation": "create", "data": body, "metadata": {"partitionKey": n.to_string()}
            });
            let (path, body) = match self.transport {
                Transport::KafkaBinding => (format!("/v1.0/bindings/{topic}"), binding),
                _ => (format!("/v1.0/publish/events/{topic}?metadata.rawPayload=true"), body),
            };
            let headers = [("dapr-api-token", API_TOKEN), ("content-type", "application/json")];
            let answer = crate::api::send(port, "POST", &path, &headers, &body.to_string()).await.expect("an answer");
            assert_eq!(answer.status, 204, "{answer:?}");
        }
    }

    /// Waits until a query answers a number above zero.
    pub async fn until(&self, what: &str, sql: &str) {
        let start = Instant::now();
        while self.count(sql).await == 0 {
            assert!(start.elapsed() < Duration::from_secs(60), "{what}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
