//! Making, starting and looking at a PostgreSQL server through its own programs.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

use super::account::{self, Account};
use super::binaries::Binaries;
use super::process;
use super::{OWNER, Options};

/// Settings of every cluster. TCP only, since a socket's path is bounded to 107 bytes.
const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=300",
    "timezone=UTC",
    "log_timezone=UTC",
    // Statements here are short, and compiling one costs more than running it.
    "jit=off",
];

/// A server as its postmaster.pid describes it.
pub struct Running {
    /// The port on 127.0.0.1.
    pub port: u16,
    /// Whether it takes connections.
    pub ready: bool,
}

/// The server's log file.
pub fn log(place: &Path) -> PathBuf {
    place.join("log")
}

/// The major version that made the data directory; None where there is none yet.
pub fn data_version(data: &Path) -> Result<Option<u32>> {
    let path = data.join("PG_VERSION");
    if !data.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).with_context(|| format!("{} is not a data directory", data.display()))?;
    let version = text.trim().parse().with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Some(version))
}

/// Makes the data directory. It appears under its name only when it is whole.
pub fn create(binaries: &Binaries, place: &Path, account: Option<&Account>, durable: bool) -> Result<()> {
    let fresh = place.join("data.new");
    if fresh.exists() {
        fs::remove_dir_all(&fresh).context("cannot remove an unfinished data directory")?;
    }
    let output = initdb(binaries, place, account, durable, "C.UTF-8")?;
    if !output.status.success() {
        // A machine without that locale: then only ASCII letters have an upper and a lower case in SQL.
        let second = initdb(binaries, place, account, durable, "C")?;
        check("initdb", &second).with_context(|| String::from_utf8_lossy(&output.stderr).trim().to_string())?;
    }
    fs::rename(&fresh, place.join("data")).context("cannot put the data directory in its place")
}

fn initdb(binaries: &Binaries, place: &Path, account: Option<&Account>, durable: bool, locale: &str) -> Result<Output> {
    let mut command = account::command(&binaries.program("initdb"), account);
    command.current_dir(place).args(["--username", OWNER, "--auth", "scram-sha-256", "--encoding", "UTF8"]);
    command.args(["--locale", locale, "--pwfile", "password", "--pgdata", "data.new"]);
    if !durable {
        command.arg("--no-sync");
    }
    output(&mut command)
}

/// Starts the server on a free port, waits until it takes connections, and returns the port.
pub fn start(binaries: &Binaries, place: &Path, account: Option<&Account>, options: Options) -> Result<u16> {
    forget_dead_server(place)?;
    let mut last = None;
    // Between finding a port free and binding it, another process may take it.
    for _ in 0..3 {
        let port = TcpListener::bind("127.0.0.1:0").context("no free port on 127.0.0.1")?.local_addr()?.port();
        let status = pg_ctl(binaries, account, place)
            .args(["start", "--silent", "--wait", "--timeout", "60", "--log"])
            .arg(log(place))
            .arg("--options")
            .arg(server_options(port, options))
            // With pipes this would wait for the server's end: it inherits them.
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .context("cannot run pg_ctl")?;
        if status.success() {
            return Ok(port);
        }
        last = Some(status);
    }
    let words = log_end(place);
    bail!("PostgreSQL did not start ({last:?}); the end of {}:\n{words}", log(place).display())
}

fn pg_ctl(binaries: &Binaries, account: Option<&Account>, place: &Path) -> Command {
    let mut command = account::command(&binaries.program("pg_ctl"), account);
    command.current_dir(place).arg("-D").arg(place.join("data"));
    command
}

/// The options as the shell that pg_ctl starts will read them.
fn server_options(port: u16, options: Options) -> String {
    let unsafe_for_data: &[&str] = &["fsync=off", "synchronous_commit=off", "full_page_writes=off"];
    let extra = if options.durable { &[] } else { unsafe_for_data };
    let settings = SETTINGS.iter().chain(extra).chain(options.settings).map(|setting| format!(" -c {setting}"));
    format!("-p {port}{}", settings.collect::<String>())
}

/// The server of this data directory, if one runs.
pub fn running(place: &Path) -> Option<Running> {
    let text = fs::read_to_string(place.join("data/postmaster.pid")).ok()?;
    let mut lines = text.lines();
    let pid = lines.next()?;
    let port = lines.nth(2)?.trim().parse().ok()?;
    let ready = lines.nth(3).is_some_and(|status| status.trim() == "ready");
    serves(pid, place).then_some(Running { port, ready })
}

/// Removes a postmaster.pid whose process is gone. PostgreSQL itself would take any other process that has got the
/// same id since then for a server, which is common in containers.
fn forget_dead_server(place: &Path) -> Result<()> {
    let path = place.join("data/postmaster.pid");
    let Ok(text) = fs::read_to_string(&path) else { return Ok(()) };
    if serves(text.lines().next().unwrap_or_default(), place) {
        bail!("a server of {} is still starting or stopping: try again in a few seconds", place.display());
    }
    fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))
}

/// Whether process `pid` is a PostgreSQL server that works in this data directory.
fn serves(pid: &str, place: &Path) -> bool {
    let data = place.join("data");
    process::arguments(pid).is_some_and(|words| words.contains("postgres") && words.contains(&*data.to_string_lossy()))
}

fn log_end(place: &Path) -> String {
    let text = fs::read_to_string(log(place)).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines.iter().skip(lines.len().saturating_sub(8)).map(|line| format!("  {line}\n")).collect()
}

fn output(command: &mut Command) -> Result<Output> {
    let output = command.output();
    output.with_context(|| format!("cannot run {}", command.get_program().display()))
}

fn check(what: &str, output: &Output) -> Result<()> {
    if output.status.success() {
        return Ok(());
    }
    bail!("{what} failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim())
}
