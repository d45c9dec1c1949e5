//! Hosts as processes of their own, so that they can be killed: this very program, started again.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use host::app::{App, AppOptions};
use host::manifest::Manifest;
use serde::{Deserialize, Serialize};

use super::variants::Variant;
use crate::settings::root;
use crate::stage::variables;

/// What a host is told.
#[derive(Clone, Serialize, Deserialize)]
pub struct Orders {
    pub port: u16,
    pub db_port: u16,
    pub database: String,
    pub dapr_base: String,
    pub redis_url: String,
    /// The components it runs.
    pub only: Vec<String>,
    pub variant: String,
}

const ORDERS: &str = "SPINDLE_SOAK_HOST";

/// A host that runs.
pub struct Host {
    orders: Orders,
    process: Child,
}

impl Host {
    /// Starts it and waits until it listens.
    pub fn start(orders: Orders, log: &Path) -> Host {
        let out = std::fs::File::options().create(true).append(true).open(log).expect("a log");
        let process = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "soak::hosts::a_host", "--ignored", "--nocapture"])
            .env(ORDERS, serde_json::to_string(&orders).expect("JSON"))
            .stdin(Stdio::null())
            .stdout(out.try_clone().expect("a log"))
            .stderr(out)
            .spawn()
            .expect("a host starts");
        let host = Host { orders, process };
        let start = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", host.orders.port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(60), "the host does not listen: see {}", log.display());
            std::thread::sleep(Duration::from_millis(20));
        }
        host
    }

    pub fn process(&self) -> u32 {
        self.process.id()
    }

    /// Kills it; answers what the next one is told.
    pub fn kill(mut self) -> Orders {
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.orders.clone()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Not a test: what a started process does until it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "started by the soak"]
async fn a_host() {
    let Ok(orders) = std::env::var(ORDERS) else { return };
    let orders: Orders = serde_json::from_str(&orders).expect("orders");
    let _first = tracing_subscriber::fmt().with_target(false).try_init();
    let manifest = Manifest::load(&root().join("spin.toml")).expect("a manifest");
    let mut options = AppOptions::new(root().join("spin.toml"));
    options.listen = ([127, 0, 0, 1], orders.port).into();
    options.variables = variables(orders.db_port, &orders.database, orders.port);
    options.variables.insert("event_transport".to_owned(), "dapr-binding".to_owned());
    options.variables.insert("dapr_base".to_owned(), orders.dapr_base);
    options.variables.insert("redis_url".to_owned(), orders.redis_url.clone());
    options.redis_url = Some(orders.redis_url);
    let left_out = manifest.components.keys().filter(|name| !orders.only.contains(name)).cloned();
    options.without = left_out.collect::<BTreeSet<_>>();
    options.cache_dir = root().join("target/component-cache");
    if let Some(variant) = Variant::named(&orders.variant) {
        variant.rewrite(&options.bed);
    }
    let _app = App::start(options).await.expect("the application starts");
    std::future::pending::<()>().await;
}
