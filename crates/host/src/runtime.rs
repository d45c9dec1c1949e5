//! What all instances share: the engine, the compiled components, connections, limits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};
use wasmtime_wasi_http::p2::bindings::ProxyPre;

use crate::bindings::cron_trigger::SpinCronPre;
use crate::bindings::imports::Imports;
use crate::bindings::redis_trigger::RedisTriggerPre;
use crate::instance::Instance;
use crate::outbound_hosts::AllowedHosts;
use crate::pg::pool::Pools;
use crate::redis::Bus;
use crate::telemetry::Telemetry;
use crate::testbed::TestBed;
use crate::wasi::Mount;

/// What one instance may use. Spin has no such limits but that of memory.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Linear memory of an instance, in bytes.
    pub memory_bytes: usize,
    /// Time until a request's answer begins, or until an event is handled.
    pub wall: Duration,
    /// Time for what follows the beginning of an answer: the rest of a stream, late work.
    pub stream: Duration,
    /// Time an instance may compute in all.
    pub cpu: Duration,
    /// Bytes of a request's body; a larger one is answered 413.
    pub request_body_bytes: u64,
    /// Instances at once; more wait.
    pub instances: u32,
    /// For each phase of an outgoing request where the guest sets none: connect, first byte, between bytes.
    pub outgoing: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            memory_bytes: 128 << 20,
            wall: Duration::from_secs(30),
            stream: Duration::from_secs(15 * 60),
            cpu: Duration::from_secs(10),
            request_body_bytes: 50 << 20,
            instances: 1_000,
            outgoing: Duration::from_secs(30),
        }
    }
}

/// A component that is ready to run.
pub struct Component {
    /// Its id in the manifest.
    pub id: Arc<str>,
    /// Its code, linked, if it exports `wasi:http/incoming-handler`.
    pub http: Option<ProxyPre<Instance>>,
    /// Its code, linked, if it exports `fermyon:spin/inbound-redis`.
    pub redis: Option<RedisTriggerPre<Instance>>,
    /// Its code, linked, if it exports `handle-cron-event`.
    pub cron: Option<SpinCronPre<Instance>>,
    /// Its variables, templates filled in.
    pub variables: BTreeMap<String, String>,
    /// Its environment.
    pub environment: Vec<(String, String)>,
    /// What it sees of the machine's files.
    pub mounts: Vec<Mount>,
    /// Where it may connect to.
    pub allowed: AllowedHosts,
    /// The databases it has connected to, which it therefore may.
    pub databases: Pools,
}

/// Everything that instances share.
pub struct Runtime {
    /// The compiler and the pool of memory.
    pub engine: Engine,
    /// The components that run, by id.
    pub components: BTreeMap<String, Arc<Component>>,
    /// Time, chance and faults.
    pub bed: TestBed,
    /// What an instance may use.
    pub limits: Limits,
    /// PostgreSQL connections.
    pub pools: Pools,
    /// Channels of hints.
    pub bus: Bus,
    /// Where spans and metrics go.
    pub telemetry: Telemetry,
    /// How many instances run and hints wait.
    pub work: Work,
    /// Bounds the instances that run.
    pub places: tokio::sync::Semaphore,
}

/// A linker with all that guests may import.
pub fn linker(engine: &Engine) -> wasmtime::Result<Linker<Instance>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    Imports::add_to_linker::<_, HasSelf<_>>(&mut linker, |instance| instance)?;
    Ok(linker)
}

/// Counts work that is under way.
#[derive(Default)]
pub struct Work(Arc<Count>);

#[derive(Default)]
struct Count {
    under_way: AtomicUsize,
    idle: Notify,
}

impl Work {
    /// Counts one more until the guard is dropped.
    pub fn begin(&self) -> WorkGuard {
        self.0.under_way.fetch_add(1, Ordering::SeqCst);
        WorkGuard(self.0.clone())
    }

    /// Waits until nothing is under way.
    pub async fn settle(&self) {
        loop {
            // Listened to before the count is read, so that no end is missed.
            let idle = self.0.idle.notified();
            if self.0.under_way.load(Ordering::SeqCst) == 0 {
                return;
            }
            idle.await;
        }
    }
}

/// One piece of work under way.
pub struct WorkGuard(Arc<Count>);

impl Drop for WorkGuard {
    fn drop(&mut self) {
        if self.0.under_way.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}
