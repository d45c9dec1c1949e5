//! WASI for one instance: clocks and randomness from the test bed, output lines to the log, files read-only.

use std::convert::Infallible;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use rand::TryRng;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use wasmtime_wasi::{FsPerms, HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxBuilder};

use crate::testbed::TestBed;

/// A directory of the machine that a component sees, read-only.
#[derive(Clone, Debug)]
pub struct Mount {
    /// Directory on the machine.
    pub source: PathBuf,
    /// Absolute path inside the guest.
    pub destination: String,
}

/// Bytes a guest may write in one line of output before the line is cut.
const MAX_LINE: usize = 16 << 10;

/// The WASI context of a new instance of `component`.
pub fn context(
    component: &Arc<str>,
    environment: &[(String, String)],
    mounts: &[Mount],
    bed: &TestBed,
) -> anyhow::Result<WasiCtx> {
    let mut wasi = WasiCtx::builder();
    wasi.envs(environment);
    wasi.stdout(GuestLog::new(component)).stderr(GuestLog::new(component));
    wasi.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
    for mount in mounts {
        wasi.preopened_dir(&mount.source, &mount.destination, FsPerms::ReadOnly)
            .map_err(crate::engine::plain)
            .with_context(|| format!("opening {} for {component}", mount.source.display()))?;
    }
    if bed.is_virtual() {
        virtualise(&mut wasi, bed);
    }
    Ok(wasi.build())
}

fn virtualise(wasi: &mut WasiCtxBuilder, bed: &TestBed) {
    let mut seed = [0; 16];
    bed.fill_random(&mut seed);
    wasi.wall_clock(Clock(bed.clone()))
        .monotonic_clock(Clock(bed.clone()))
        .secure_random(Chance(bed.clone()))
        .insecure_random(Chance(bed.clone()))
        .insecure_random_seed(u128::from_le_bytes(seed));
}

struct Clock(TestBed);

impl Clock {
    fn micros(&self) -> u64 {
        u64::try_from(self.0.now_micros()).unwrap_or(0)
    }
}

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        Duration::from_micros(1)
    }

    fn now(&self) -> Duration {
        Duration::from_micros(self.micros())
    }
}

impl HostMonotonicClock for Clock {
    fn resolution(&self) -> u64 {
        1_000
    }

    fn now(&self) -> u64 {
        self.micros().saturating_mul(1_000)
    }
}

struct Chance(TestBed);

impl TryRng for Chance {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill_random(bytes);
        Ok(())
    }
}

/// Writes whole lines of a guest's output to the log as `component: line`.
struct GuestLog {
    component: Arc<str>,
    line: Vec<u8>,
}

impl GuestLog {
    fn new(component: &Arc<str>) -> Self {
        GuestLog { component: component.clone(), line: Vec::new() }
    }

    fn take(&mut self, mut bytes: &[u8]) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.line.extend_from_slice(&bytes[..end]);
            self.emit();
            bytes = &bytes[end + 1..];
        }
        let room = MAX_LINE.saturating_sub(self.line.len());
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn emit(&mut self) {
        tracing::info!(target: "guest", "{}: {}", self.component, String::from_utf8_lossy(&self.line));
        self.line.clear();
    }
}

impl Drop for GuestLog {
    fn drop(&mut self) {
        if !self.line.is_empty() {
            self.emit();
        }
    }
}

impl IsTerminal for GuestLog {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestLog {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(GuestLog::new(&self.component))
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(GuestLog::new(&self.component))
    }
}

impl OutputStream for GuestLog {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MAX_LINE)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for GuestLog {
    async fn ready(&mut self) {}
}

impl AsyncWrite for GuestLog {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
