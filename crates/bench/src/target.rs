//! Who does the work: servers that are started here, and pgbench.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use uuid::Uuid;

use crate::data::{self, Data};
use crate::process;
use crate::run::median;
use crate::work::{WORKS, Work};

/// How long a server may take to start; the first time components are compiled.
const START: Duration = Duration::from_secs(60);

/// The targets in the order of tables.
pub const NAMES: &[&str] = &["pgbench", "native", "fastapi", "spindle", "spindle-sdk", "spin"];

/// One target that is ready.
pub struct Target {
    /// Its name in tables.
    pub name: &'static str,
    /// Where it answers; none for pgbench.
    pub base: Option<String>,
    /// From its start to its first answer.
    pub start_ms: Option<f64>,
    server: Option<Child>,
}

impl Drop for Target {
    fn drop(&mut self) {
        let Some(server) = &mut self.server else { return };
        // SIGTERM, so that workers of workers end too
        let _ = Command::new("kill").arg(server.id().to_string()).status();
        let _ = server.wait();
    }
}

impl Target {
    /// Whether it can do a work.
    pub fn does(&self, work: &Work) -> bool {
        match self.name {
            "pgbench" => work.statement.is_some(),
            "spindle-sdk" => work.name == "hello",
            _ => true,
        }
    }

    /// Seconds of processor time used so far; none for pgbench, which is the load itself.
    pub fn cpu_seconds(&self) -> Option<f64> {
        self.server.as_ref().map(|server| process::cpu_seconds(server.id()))
    }

    /// Megabytes it holds now.
    pub fn resident_mb(&self) -> Option<f64> {
        self.server.as_ref().map(|server| process::resident_mb(server.id()))
    }
}

/// Starts those of `wanted` that this machine has, all but `spin` being required, and checks what they answer.
///
/// # Errors
/// A server that does not start, or an answer that is not the expected one.
pub async fn start(root: &Path, data: &Data, wanted: &[String]) -> Result<Vec<Target>> {
    let mut targets = Vec::new();
    for name in NAMES.iter().filter(|name| wanted.iter().any(|wanted| wanted == *name)) {
        if *name == "spin" && Command::new("spin").arg("--version").output().is_err() {
            eprintln!("spin is not installed here: left out");
            continue;
        }
        let target = start_one(root, data, name).with_context(|| format!("starting {name}"))?;
        check(&target)?;
        targets.push(target);
    }
    // All targets connect as one role, whose limit is meant for one of them.
    data.client.batch_execute("alter role spindle_tasks connection limit 250").await?;
    data.reset().await?;
    Ok(targets)
}

fn start_one(root: &Path, data: &Data, name: &'static str) -> Result<Target> {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr())?.to_string();
    let Some(mut command) = command(root, data, name, &address) else {
        return Ok(Target { name, base: None, start_ms: None, server: None });
    };
    let log = std::fs::File::create(data.folder.join(format!("{name}.log")))?;
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).current_dir(root);
    let mut starts = Vec::new();
    // The second start finds its components compiled.
    loop {
        let begin = Instant::now();
        let server = command.spawn().with_context(|| format!("cannot run {:?}", command.get_program()))?;
        let base = format!("http://{address}");
        let mut target = Target { name, base: Some(base), start_ms: None, server: Some(server) };
        wait(&mut target, begin).with_context(|| format!("see {}/{name}.log", data.folder.display()))?;
        starts.push(begin.elapsed().as_secs_f64() * 1000.0);
        if starts.len() == 4 {
            starts.remove(0);
            target.start_ms = median(starts);
            return Ok(target);
        }
    }
}

/// The command that serves at `address`; none for pgbench.
fn command(root: &Path, data: &Data, name: &str, address: &str) -> Option<Command> {
    let state = data.folder.join("state");
    let mut command = match name {
        "native" => {
            let mut command = Command::new(root.join("target/native/reference"));
            command.arg(address).env("DATABASE_URL", data.tasks_url()).env("TOKEN_KEYS", data::TOKEN_KEYS);
            command
        }
        "fastapi" => {
            let (host, port) = address.split_once(':')?;
            let mut command = Command::new(data.folder.join("python/bin/uvicorn"));
            command.args(["app:app", "--workers", "2", "--loop", "uvloop", "--http", "httptools", "--no-access-log"]);
            command.args(["--log-level", "warning", "--host", host, "--port", port]);
            command.arg("--app-dir").arg(root.join("crates/bench/fastapi"));
            let url = data.tasks_url().replacen("postgres://", "postgresql+asyncpg://", 1);
            command.env("DATABASE_URL", url).env("TOKEN_KEYS", data::TOKEN_KEYS);
            command
        }
        "spindle" | "spindle-sdk" => {
            let mut command = Command::new(root.join("target/native/spindle"));
            command.arg("--state").arg(state).args(["up", "--listen", address]).env("DATABASE_URL", data.owner_url());
            match name {
                "spindle" => command.args(["-c", "tasks", "-c", "status"]),
                _ => command.arg("--manifest").arg(root.join("crates/bench/hello/spin.toml")),
            };
            command
        }
        "spin" => {
            let mut command = Command::new("spin");
            command.args(["up", "--listen", address, "-c", "tasks", "-c", "status"]);
            command
        }
        _ => return None,
    };
    // Without a channel for hints no component waits for Redis; nobody listens here.
    for (variable, value) in [
        ("TOKEN_KEYS", data::TOKEN_KEYS),
        ("DB_PASSWORD", data::PASSWORD),
        ("DB_HOST", &data.host()),
        ("DB_NAME", data::NAME),
        ("INTERNAL_TOKEN", "bench"),
        ("OPERATOR_TOKEN", ""),
        ("HINT_CHANNEL", ""),
    ] {
        command.env(format!("SPIN_VARIABLE_{variable}"), value);
    }
    Some(command)
}

fn wait(target: &mut Target, begin: Instant) -> Result<()> {
    let base = target.base.clone().context("has no address")?;
    while begin.elapsed() < START {
        if ureq::get(format!("{base}/healthz")).call().is_ok() {
            return Ok(());
        }
        if let Some(status) = target.server.as_mut().and_then(|server| server.try_wait().transpose()) {
            bail!("it ended ({})", status?);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    bail!("no answer within {START:?}")
}

/// Does each work once.
fn check(target: &Target) -> Result<()> {
    for work in WORKS.iter().filter(|work| target.does(work)) {
        let Some(base) = &target.base else { continue };
        let status = request(base, work, 1).with_context(|| format!("{} cannot {}", target.name, work.name))?.0;
        if status != work.status {
            bail!("{} answers {status} to {}, not {}", target.name, work.name, work.status);
        }
    }
    Ok(())
}

/// Keeps its connections.
static AGENT: LazyLock<ureq::Agent> =
    LazyLock::new(|| ureq::Agent::config_builder().http_status_as_error(false).build().into());

/// The status and body of one request of a work, for the task of this number.
///
/// # Errors
/// When there is no answer.
pub fn request(base: &str, work: &Work, number: u32) -> Result<(u16, String)> {
    let mut headers = Vec::new();
    if let Some(user) = work.user {
        headers.push(("authorization", bearer(user)?));
    }
    if work.body.is_some() {
        headers.push(("content-type", "application/json".to_string()));
    }
    let body = if work.changes() { Some(work.body.unwrap_or_default()) } else { None };
    send(work.method, &format!("{base}{}", work.path_of(number)), &headers, body)
}

/// What a user's requests have in `authorization`.
pub fn bearer(user: Uuid) -> Result<String> {
    Ok(format!("Bearer {}", data::token(user)?))
}

/// The status and body of one request.
///
/// # Errors
/// When there is no answer.
pub fn send(method: &str, url: &str, headers: &[(&str, String)], body: Option<&str>) -> Result<(u16, String)> {
    let mut request = http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let answer = match body {
        Some(body) => AGENT.run(request.body(body)?),
        None => AGENT.run(request.body(())?),
    };
    let mut answer = answer.with_context(|| format!("{method} {url}"))?;
    Ok((answer.status().as_u16(), answer.body_mut().read_to_string()?))
}
