//! Everything that can be killed: PostgreSQL, Kafka, Redis, three hosts and the sidecars.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use host::cluster::{Cluster, Options};
use host::parts::{Brokers, Kafka, Sidecars, Transport, free_port};
use tokio_postgres::{Client, NoTls};

use super::hosts::{Host, Orders};
use super::proxy::Proxy;
use super::variants::Variant;
use crate::redis_process::Redis;
use crate::settings::root;
use crate::stage::{folder, make_database, tokens};

const DATABASE: &str = "soak";
const API: [&str; 8] = ["tasks", "recurrence", "reminders", "notifications", "audit", "accounts", "status", "calendar"];
const RELAY: [&str; 2] = ["relay", "relay-wake"];

/// Dropped in this order.
pub struct Stand {
    pub sidecars: Sidecars,
    pub proxy: Proxy,
    /// The routes of users and the consumers; then the two relays, which look after each other's work.
    pub hosts: Vec<Option<Host>>,
    pub kafka: Kafka,
    pub redis: Option<Redis>,
    cluster: Cluster,
    place: PathBuf,
    ports: [u16; 3],
}

impl Stand {
    pub async fn start(variant: Option<Variant>) -> Stand {
        let place = folder("soak");
        // what a real one does: a commit is on disk
        let cluster = Cluster::start(&place.join("postgres"), Options::default()).expect("PostgreSQL starts");
        make_database(&cluster, DATABASE).await;
        let settings = root().join("dapr/broker/server.properties");
        let kafka = Kafka::start(&place.join("kafka"), &settings).await.expect("Kafka starts");
        let redis = Redis::any();
        let brokers = Brokers { kafka: Some(kafka.brokers()), redis: None };
        let dapr = Variant::resources(variant);
        let sidecars = Sidecars::new(&dapr, &place.join("dapr"), Transport::KafkaBinding, brokers, tokens())
            .expect("the parts are there");
        let ports = [(); 3].map(|()| free_port().expect("a port"));
        let orders = |at: usize, only: &[&str]| Orders {
            port: ports[at],
            db_port: cluster.port(),
            database: DATABASE.to_owned(),
            dapr_base: sidecars.base(),
            redis_url: format!("redis://127.0.0.1:{}", redis.port),
            only: only.iter().map(|name| (*name).to_owned()).collect(),
            variant: std::env::var("SPINDLE_SOAK_VARIANT").unwrap_or_default(),
        };
        let orders = [orders(0, &API), orders(1, &RELAY), orders(2, &RELAY)];
        let hosts =
            std::iter::zip(0.., orders).map(|(at, orders)| Some(Host::start(orders, &log(&place, at)))).collect();
        let proxy = Proxy::start(ports[0], variant == Some(Variant::Answer204)).await;
        let mut stand = Stand { sidecars, proxy, hosts, kafka, redis: Some(redis), cluster, place, ports };
        stand.start_sidecars().await;
        stand
    }

    /// The folder with the data and logs of all.
    pub fn place(&self) -> &Path {
        &self.place
    }

    pub fn api_port(&self) -> u16 {
        self.ports[0]
    }

    /// A connection as the owner, once PostgreSQL answers.
    pub async fn sql(&self) -> Client {
        let start = Instant::now();
        loop {
            if let Ok((client, connection)) = tokio_postgres::connect(&self.cluster.owner_url(DATABASE), NoTls).await {
                tokio::spawn(connection);
                return client;
            }
            assert!(start.elapsed() < Duration::from_secs(60), "PostgreSQL is not back");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub async fn start_sidecars(&mut self) {
        let (api, relay) = (self.proxy.port, self.ports[1]);
        self.sidecars.start(|name| if name == "relay" { relay } else { api }).await.expect("the sidecars start");
    }

    /// Kills a host and, after a while, starts it again.
    pub async fn kill_host(&mut self, at: usize, down: Duration) {
        let Some(host) = self.hosts[at].take() else { return };
        let orders = host.kill();
        tokio::time::sleep(down).await;
        self.hosts[at] = Some(Host::start(orders, &log(&self.place, at)));
    }

    /// Kills the postmaster, and starts it again with the same words once its children are gone.
    pub async fn kill_postgres(&mut self, down: Duration) {
        let data = self.cluster.place().join("data");
        let pid = fs::read_to_string(data.join("postmaster.pid")).expect("a postmaster");
        kill("-9", pid.lines().next().expect("a process"));
        tokio::time::sleep(down.max(Duration::from_secs(1))).await;
        let words = fs::read_to_string(data.join("postmaster.opts")).expect("its words");
        let words: Vec<String> = words.split_whitespace().map(|word| word.trim_matches('"').to_owned()).collect();
        let owner = fs::metadata(&data).expect("the data");
        let _stale = fs::remove_file(data.join("postmaster.pid"));
        let log = fs::File::options().append(true).create(true).open(self.place.join("postgres.log")).expect("a log");
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir("/").uid(owner.uid()).gid(owner.gid()).process_group(0);
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log);
        let mut postmaster = command.spawn().expect("PostgreSQL starts");
        std::thread::spawn(move || postmaster.wait());
        drop(self.sql().await);
    }

    pub async fn kill_redis(&mut self, down: Duration) {
        let Some(redis) = self.redis.take() else { return };
        let port = redis.port;
        drop(redis);
        tokio::time::sleep(down).await;
        self.redis = Some(Redis::start(port));
    }

    pub async fn kill_kafka(&mut self, down: Duration) {
        kill("-9", &self.kafka.process().expect("Kafka runs").to_string());
        tokio::time::sleep(down).await;
        self.kafka.restart().await.expect("Kafka starts again");
    }

    pub async fn kill_sidecar(&mut self, name: &str, process: u32, down: Duration) {
        kill("-9", &process.to_string());
        tokio::time::sleep(down).await;
        self.sidecars.lost(name);
        self.start_sidecars().await;
    }
}

fn log(place: &Path, at: usize) -> PathBuf {
    place.join(format!("host-{at}.log"))
}

/// Sends a signal; a process that is gone already is no fault.
pub fn kill(signal: &str, process: &str) {
    let _ = Command::new("kill").args([signal, process]).status();
}
