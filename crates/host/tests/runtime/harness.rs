//! Builds the guests, runs one PostgreSQL for all tests, and an application with a database of its own for each.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use host::cluster::{self, Cluster};
use host::{App, AppOptions, TestBed};
use http::{Request, Response};
use tokio_postgres::{Client, NoTls};

/// Where virtual time starts: 2026-02-01T00:00:00Z, in microseconds.
pub const START: i64 = 1_769_904_000_000_000;

static CLUSTER: LazyLock<Cluster> = LazyLock::new(|| {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pg-runtime");
    let options = cluster::Options { durable: false, patience: Duration::from_secs(20), ..Default::default() };
    Cluster::start(&dir, options).unwrap()
});

/// The folder of the built guests.
static GUESTS: LazyLock<PathBuf> = LazyLock::new(|| {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests/probe");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../guests");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--release", "--examples", "--target", "wasm32-wasip2", "--target-dir"]);
    assert!(build.arg(&target).current_dir(source).status().unwrap().success(), "the guests do not build");
    target.join("wasm32-wasip2/release/examples")
});

/// A running application and its database.
pub struct Site {
    pub app: App,
    pub db: Client,
    pub db_url: String,
}

/// What an answer was.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub text: String,
}

impl Site {
    /// The probes under virtual time.
    pub async fn start() -> Site {
        Site::with(|options| options.bed = TestBed::virtual_time(START, 1)).await
    }

    /// The probes with options of the test's choice.
    pub async fn with(change: impl FnOnce(&mut AppOptions)) -> Site {
        Site::try_with(change).await.unwrap()
    }

    /// The same where the start may fail.
    pub async fn try_with(change: impl FnOnce(&mut AppOptions)) -> anyhow::Result<Site> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("r{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        CLUSTER.ensure_database(&name).await.unwrap();
        let db_url = CLUSTER.owner_url(&name);
        let (db, connection) = tokio_postgres::connect(&db_url, NoTls).await.unwrap();
        tokio::spawn(connection);
        db.batch_execute("create table seen (id serial primary key, what text)").await.unwrap();
        let mut options = AppOptions::new(manifest(&name));
        options.listen.set_port(0);
        options.limits.instances = 64;
        options.cache_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
        options.variables.insert("db_url".into(), db_url.clone());
        options.variables.insert("db_origin".into(), format!("postgres://127.0.0.1:{}", CLUSTER.port()));
        change(&mut options);
        Ok(Site { app: App::start(options).await?, db, db_url })
    }

    /// What `path` answers to a POST of `body`.
    pub async fn post(&self, path: &str, body: impl Into<Bytes>) -> Answer {
        let request = Request::post(path).body(body.into()).unwrap();
        answer(self.app.handle(request).await)
    }

    /// What `path` answers to a GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.post(path, "").await
    }

    /// The text that the probe answers to `path`; the status must be 200.
    pub async fn text(&self, path: &str, body: impl Into<Bytes>) -> String {
        let answer = self.post(&format!("/probe/{path}"), body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.text.replace("DbValue::", "")
    }

    /// What a SQL script of the probe says.
    pub async fn sql(&self, script: impl Into<Bytes>) -> String {
        self.text("sql", script).await
    }

    /// What the guests wrote, in order.
    pub async fn seen(&self) -> Vec<String> {
        let rows = self.db.query("select what from seen order by id", &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Raw bytes to the port, and all that comes back until the other side closes.
    pub async fn raw(&self, bytes: &[u8]) -> String {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut stream = tokio::net::TcpStream::connect(self.app.address()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut back = Vec::new();
        stream.read_to_end(&mut back).await.unwrap();
        String::from_utf8_lossy(&back).into_owned()
    }
}

fn answer(response: Response<Bytes>) -> Answer {
    let status = response.status().as_u16();
    Answer { status, text: String::from_utf8_lossy(response.body()).into_owned() }
}

fn manifest(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sites").join(name);
    std::fs::create_dir_all(folder.join("files")).unwrap();
    std::fs::write(folder.join("files/greeting.txt"), "from a file").unwrap();
    std::fs::write(folder.join("secret.txt"), "outside").unwrap();
    let path = folder.join("spin.toml");
    let guests = GUESTS.display().to_string();
    std::fs::write(&path, include_str!("probe.toml").replace("GUESTS", &guests)).unwrap();
    path
}
