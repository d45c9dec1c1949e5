//! The wasmtime engine: pooled memory, interruption of guests that compute, compiled code cached on disk.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use wasmtime::component::Component;
use wasmtime::{Cache, CacheConfig, Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// How often a guest that computes gives its thread back: others on the same thread wait so long for each such guest.
pub const TICK: Duration = Duration::from_millis(2);

/// How many ticks `time` has, rounded down.
pub fn ticks(time: Duration) -> u64 {
    u64::try_from(time.as_millis() / TICK.as_millis()).unwrap_or(u64::MAX)
}

/// Memory that stays with a pool slot when an instance ends. Above a guest's working set, else every request pays
/// page faults and TLB shootdowns for what it touches beyond.
const KEEP_MEMORY: usize = 8 << 20;
const KEEP_TABLES: usize = 64 << 10;

/// The engine for a host that runs at most `instances` guests at once, each with at most `memory` bytes.
///
/// Compiled code is cached under `cache_dir` by wasmtime, keyed by the SHA-256 of the component, the compiler's
/// settings and wasmtime's version. Starts a thread that ends with the engine.
pub fn engine(instances: u32, memory: usize, cache_dir: &Path) -> anyhow::Result<Engine> {
    let mut config = Config::new();
    config.epoch_interruption(true);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(instances, memory)));
    config.cache(Some(cache(cache_dir)?));
    let engine = Engine::new(&config).map_err(plain).context("starting wasmtime")?;
    tick(&engine).context("starting the thread that interrupts guests")?;
    Ok(engine)
}

/// Compiles `wasm`, or takes it from the cache.
pub fn compile(engine: &Engine, wasm: &[u8]) -> anyhow::Result<Component> {
    Component::new(engine, wasm).map_err(plain)
}

/// A wasmtime error among others.
pub fn plain(error: wasmtime::Error) -> anyhow::Error {
    anyhow::Error::from_boxed(error.into())
}

fn pool(instances: u32, memory: usize) -> PoolingAllocationConfig {
    // A composed component holds several core modules: the guest, its adapters, its dependencies.
    let modules = instances.saturating_mul(8);
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(instances)
        .total_core_instances(modules)
        .total_memories(instances.saturating_mul(2))
        .total_tables(modules)
        .total_stacks(instances)
        .max_core_instances_per_component(64)
        .max_memories_per_component(8)
        .max_tables_per_component(64)
        .table_elements(100_000)
        // Growing beyond fails in the guest.
        .max_memory_size(memory)
        .linear_memory_keep_resident(KEEP_MEMORY)
        .table_keep_resident(KEEP_TABLES);
    // All that stays is zeroed. To ask the kernel which pages were written (`pagemap_scan`) costs half as much, but
    // wasmtime 48 asks for those that are present, and misses a page that the kernel is moving: the next guest saw it.
    pool.pagemap_scan(Enabled::No);
    pool
}

fn cache(dir: &Path) -> anyhow::Result<Cache> {
    std::fs::create_dir_all(dir).with_context(|| format!("creating the cache directory {}", dir.display()))?;
    let dir = dir.canonicalize().with_context(|| format!("resolving the cache directory {}", dir.display()))?;
    let mut config = CacheConfig::new();
    config.with_directory(dir);
    Cache::new(config).map_err(plain)
}

fn tick(engine: &Engine) -> std::io::Result<()> {
    let engine = engine.weak();
    let ticker = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    };
    std::thread::Builder::new().name("ticker".into()).spawn(ticker).map(drop)
}
