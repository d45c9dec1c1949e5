//! One PostgreSQL for all tests, a database for each, and people who use the API.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use host::Telemetry;
use host::app::{App, AppOptions};
use host::cluster::{self, Cluster};
use host::migrate::{self, Migrations};
use host::testbed::TestBed;
use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls};

use crate::events::published::Published;
pub use crate::settings::{DB_PASSWORD, INTERNAL_TOKEN, OPERATOR_TOKEN, TOKEN_KEYS, root};

/// Where the tests' clock starts: 2026-02-01T00:00:00Z, in microseconds.
pub const START: i64 = 1_769_904_000_000_000;

/// An instant as microseconds.
pub fn micros(rfc3339: &str) -> i64 {
    rfc3339.parse::<jiff::Timestamp>().expect("RFC 3339").as_microsecond()
}

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let options = cluster::Options { durable: false, ..cluster::Options::default() };
        // two runs at once: one that ends stops the cluster of both, so each may have its own
        let own = std::env::var_os("SPINDLE_TEST_CLUSTER").map(PathBuf::from);
        let dir = own.unwrap_or_else(|| root().join("target/test-cluster"));
        Cluster::start(&dir, options).expect("PostgreSQL starts")
    })
}

/// A connection as the owner of the schema.
pub async fn connect(database: &str) -> Client {
    let url = cluster().owner_url(database);
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.expect("PostgreSQL answers");
    tokio::spawn(connection);
    client
}

/// A database of its own, with the schema.
pub async fn database() -> String {
    static TEMPLATE: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    TEMPLATE.get_or_init(template).await;
    let name = format!("test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let postgres = connect("postgres").await;
    postgres.batch_execute(&format!("create database {name} template {}", template_name())).await.expect("a database");
    name
}

fn template_name() -> String {
    format!("template_{}", std::process::id())
}

async fn template() {
    let name = template_name();
    // what earlier runs left behind
    let postgres = connect("postgres").await;
    let old = "select datname from pg_database where datname ~ '^(test|template)_[0-9]+'";
    for row in postgres.query(old, &[]).await.expect("databases") {
        let old: String = row.get(0);
        if Path::new("/proc").join(old.split('_').nth(1).unwrap_or_default()).exists() {
            continue; // of a run at the same time
        }
        let _still_in_use = postgres.batch_execute(&format!("drop database if exists {old}")).await;
    }
    postgres.batch_execute(&format!("create database {name}")).await.expect("a template");
    let mut client = connect(&name).await;
    migrate::roles_with_limit(&client, DB_PASSWORD, 200).await.expect("roles");
    let migrations = Migrations::load(&root().join("migrations")).expect("migrations");
    migrate::up(&mut client, &migrations).await.expect("migrated");
}

/// An application with a database of its own.
pub struct Spindle {
    pub app: App,
    pub database: String,
    /// Notes at the end which statements were executed.
    _statements: crate::seen::Statements,
    /// Checks at the end what its components have published.
    _published: Published,
}

/// How a test wants its application.
pub struct Setup {
    pub bed: TestBed,
    pub without: Vec<&'static str>,
    pub variables: Vec<(&'static str, String)>,
    pub telemetry: Telemetry,
}

impl Default for Setup {
    fn default() -> Self {
        let bed = TestBed::virtual_time(START, 1);
        Setup { bed, without: Vec::new(), variables: Vec::new(), telemetry: Telemetry::default() }
    }
}

/// The variables of an application on `database` that listens on `port`.
pub fn variables(database: &str, port: u16) -> BTreeMap<String, String> {
    crate::settings::variables(cluster().port(), database, port)
}

impl Spindle {
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> Self {
        // what guests log is shown with a failing test
        let _already = tracing_subscriber::fmt().with_test_writer().without_time().with_target(false).try_init();
        let database = database().await;
        Self::on(database, setup).await
    }

    /// An application on a database that is there already.
    pub async fn on(database: String, setup: Setup) -> Self {
        // the port must be known before the start, since the application calls itself
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port");
        let mut options = AppOptions::new(root().join("spin.toml"));
        options.listen = free;
        options.variables = variables(&database, free.port());
        options.variables.extend(setup.variables.into_iter().map(|(name, value)| (name.to_owned(), value)));
        options.without = setup.without.iter().map(|name| (*name).to_owned()).collect();
        let statements = crate::seen::Statements::of(&setup.bed);
        let published = Published::of(&database).await;
        options.bed = setup.bed;
        options.telemetry = setup.telemetry;
        options.cache_dir = root().join("target/component-cache");
        let app = App::start(options).await.expect("the application starts");
        Spindle { app, database, _statements: statements, _published: published }
    }

    /// A connection to its database as the owner.
    pub async fn sql(&self) -> Client {
        connect(&self.database).await
    }

    /// One number from its database.
    pub async fn count(&self, sql: &str) -> i64 {
        self.sql().await.query_one(sql, &[]).await.expect(sql).get(0)
    }

    /// Sends a request as it is.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        let mut request = http::Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.app.handle(request.body(body.into()).expect("a request")).await;
        let answer = Answer::of(answer);
        crate::seen::note(method, path, &answer);
        answer
    }

    /// Signs up and in.
    pub async fn person<'a>(&'a self, name: &str, time_zone: &str) -> Person<'a> {
        let (email, password) = (format!("{name}@example.org"), format!("the long password of {name}"));
        let account = json!({"email": email, "password": password, "time_zone": time_zone}).to_string();
        let answer = self.send("POST", "/api/v1/accounts", &[], account).await;
        assert_eq!(answer.status, 201, "{}", answer.json);
        let id = answer.text("id");
        let mut person = Person { app: self, id, email, password, token: String::new() };
        person.sign_in().await;
        person
    }

    /// Lets the clock go to an instant and everything happen that is due then.
    pub async fn tick_at(&self, rfc3339: &str) {
        // a guest that still runs would see its time jump
        self.app.settle().await;
        self.app.bed().set_now_micros(micros(rfc3339));
        self.tick().await;
    }

    /// Fires the schedules and waits until nothing is on its way.
    pub async fn tick(&self) {
        self.app.fire_cron().await.expect("the ticks run");
        self.app.settle().await;
    }

    /// What waits, or was given up: nothing, once all is quiet.
    pub async fn unfinished(&self) -> i64 {
        self.count("select (select count(*) from outbox) + (select count(*) from inbox where state <> 'done')").await
    }
}

/// Somebody with an account.
pub struct Person<'a> {
    pub app: &'a Spindle,
    pub id: String,
    pub email: String,
    pub password: String,
    pub token: String,
}

impl Person<'_> {
    /// Gets a new access token: they last five minutes of the tests' clock.
    pub async fn sign_in(&mut self) -> Answer {
        let body = json!({"email": self.email, "password": self.password}).to_string();
        let answer = self.app.send("POST", "/api/v1/tokens", &[], body).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        self.token = answer.text("access_token");
        answer
    }

    pub async fn call(&self, method: &str, path: &str, body: impl Into<Bytes>) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        self.app.send(method, path, &[("authorization", &bearer)], body).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, "").await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call("POST", path, body.to_string()).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call("PATCH", path, body.to_string()).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path, "").await
    }

    /// The items of the first page at `path`.
    pub async fn items(&self, path: &str) -> Vec<Value> {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        answer.json["items"].as_array().expect("items").clone()
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: Bytes,
    /// Null when the body is no JSON.
    pub json: Value,
}

impl Answer {
    fn of(answer: http::Response<Bytes>) -> Self {
        let (head, body) = answer.into_parts();
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Answer { status: head.status.as_u16(), headers: head.headers, body, json }
    }

    /// A field that must be a string.
    pub fn text(&self, field: &str) -> String {
        self.json[field].as_str().unwrap_or_else(|| panic!("{field} in {} {}", self.status, self.json)).to_owned()
    }
}
