//! Programs that run beside Spindle on this machine, as a cluster has them: a Kafka broker and Dapr's sidecars.
//!
//! Each has a guard that ends it when this process ends, however that comes.

mod guarded;
mod kafka;
mod sidecar;

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use guarded::Guarded;
pub use kafka::Kafka;
pub use sidecar::{Brokers, Sidecars, Tokens, Transport};

/// A folder or program that `cargo xtask parts` brings: where `variable` says, else in the user's cache.
///
/// # Errors
/// When it is not there; the message has the command that brings it.
fn part(variable: &str, name: &str) -> Result<PathBuf> {
    let named = std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from);
    let path = named.unwrap_or_else(|| cache().join(name));
    if !path.exists() {
        bail!("{} is missing: run `cargo xtask parts`, or set {variable}", path.display());
    }
    Ok(path)
}

/// The folder that parts are kept in between checkouts.
fn cache() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = || set("HOME").map(|home| home.join(".cache"));
    set("XDG_CACHE_HOME").or_else(home).unwrap_or_else(std::env::temp_dir).join("spindle")
}

/// Below the ports that Linux gives to connections, one of which might take a port before its program listens.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A port of this machine that is free now, that no connection is given, and that this process was not told before:
/// who gets it may not listen yet.
///
/// # Errors
/// When there is none.
pub fn free_port() -> Result<u16> {
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| AtomicU16::new(rand::random_range(PORTS)));
    let turn = || PORTS.start + NEXT.fetch_add(1, Ordering::Relaxed) % (PORTS.end - PORTS.start);
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    std::iter::repeat_with(turn).take(PORTS.len()).find(free).context("no free port")
}

/// Waits until a port answers, as long as its program lives.
async fn answers(port: u16, program: &mut Guarded, patience: Duration) -> Result<()> {
    let start = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        program.check(start.elapsed(), patience)?;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// The end of a log, for a message.
fn end_of(log: &Path) -> String {
    let text = std::fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let mut last: Vec<&str> = text.lines().rev().filter(|line| !line.trim().is_empty()).take(5).collect();
    last.reverse();
    last.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_told_once() {
        let ports: std::collections::BTreeSet<u16> = (0..500).map(|_| free_port().unwrap()).collect();
        assert_eq!(ports.len(), 500);
        assert!(ports.iter().all(|port| PORTS.contains(port)));
    }
}
