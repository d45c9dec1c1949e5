//! From a manifest to a runtime: variables, composition, compilation, routes.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedReceiver;
use wasmtime::Engine;
use wasmtime::component::Linker;
use wasmtime_wasi_http::p2::bindings::ProxyPre;

use crate::bindings::cron_trigger::SpinCronPre;
use crate::bindings::redis_trigger::RedisTriggerPre;
use crate::instance::Instance;
use crate::manifest::{FileMount, Manifest};
use crate::outbound_hosts::AllowedHosts;
use crate::pg::pool::Pools;
use crate::redis::{Bus, Message};
use crate::routes::Router;
use crate::runtime::{self, Component, Limits, Runtime, Work};
use crate::telemetry::Telemetry;
use crate::testbed::TestBed;
use crate::triggers::{cron, redis};
use crate::variables::Variables;
use crate::wasi::Mount;
use crate::{compose, engine};

/// How to run an application.
pub struct AppOptions {
    /// The manifest, `spin.toml`.
    pub manifest: PathBuf,
    /// Values of application variables; others come from `SPIN_VARIABLE_…` and the manifest's defaults.
    pub variables: BTreeMap<String, String>,
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// `None` for in-process channels, whatever address a guest or the manifest names. Otherwise guests reach the
    /// servers they name, and a trigger whose address is empty listens to this one.
    pub redis_url: Option<String>,
    /// Components left out: their triggers vanish, and chaining to them fails.
    pub without: BTreeSet<String>,
    /// Time, chance and faults.
    pub bed: TestBed,
    /// What an instance may use.
    pub limits: Limits,
    /// Where compiled components are kept.
    pub cache_dir: PathBuf,
    /// Threads that serve HTTP.
    pub threads: usize,
    /// Where spans and metrics go.
    pub telemetry: Telemetry,
}

impl AppOptions {
    /// The application of `manifest` with the real clock and no faults on 127.0.0.1:3000, in-process channels, compiled
    /// code cached in `.spindle/cache` beside the manifest, a thread for each core, no telemetry.
    pub fn new(manifest: impl Into<PathBuf>) -> Self {
        let manifest = manifest.into();
        let cache_dir = manifest.parent().map(PathBuf::from).unwrap_or_default().join(".spindle/cache");
        AppOptions {
            manifest,
            variables: BTreeMap::new(),
            listen: (Ipv4Addr::LOCALHOST, 3000).into(),
            redis_url: None,
            without: BTreeSet::new(),
            bed: TestBed::real(),
            limits: Limits::default(),
            cache_dir,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            telemetry: Telemetry::default(),
        }
    }
}

/// An application that is ready to be served.
pub struct Loaded {
    /// What instances share.
    pub runtime: Arc<Runtime>,
    /// Public routes.
    pub router: Router,
    /// What every public route begins with.
    pub base: String,
    /// Redis triggers.
    pub subscriptions: Vec<redis::Subscription>,
    /// The server of the Redis triggers, as the manifest names it.
    pub redis_address: Option<String>,
    /// Cron triggers.
    pub crons: Vec<Arc<cron::Trigger>>,
    /// The other end of the in-process channels, if there are any.
    pub messages: Option<UnboundedReceiver<Message>>,
}

/// Loads the application; takes seconds when components have to be compiled.
pub fn load(options: &AppOptions) -> anyhow::Result<Loaded> {
    let manifest = leave_out(Manifest::load(&options.manifest)?, &options.without);
    let variables = Variables::new(&manifest, &options.variables, |name| std::env::var(name).ok())?;
    let limits = options.limits.clone();
    let engine = engine::engine(limits.instances, limits.memory_bytes, &options.cache_dir)?;
    let components = Loader { engine: &engine, manifest: &manifest, variables: &variables }.components()?;
    let (bus, messages) = match options.redis_url {
        Some(_) => (Bus::Server, None),
        None => {
            let (bus, messages) = Bus::local();
            (bus, Some(messages))
        }
    };
    let runtime = Arc::new(Runtime {
        engine,
        components,
        bed: options.bed.clone(),
        places: Semaphore::new(limits.instances.try_into().unwrap_or(Semaphore::MAX_PERMITS)),
        limits,
        pools: Pools::default(),
        bus,
        telemetry: options.telemetry.clone(),
        work: Work::default(),
    });
    Ok(Loaded {
        router: Router::new(&manifest.http_base, &manifest.http_triggers)?,
        base: manifest.http_base.clone(),
        subscriptions: subscriptions(&runtime, &manifest, &variables)?,
        redis_address: manifest.redis_address.as_ref().map(|address| variables.expand(address)).transpose()?,
        crons: crons(&runtime, &manifest)?,
        messages,
        runtime,
    })
}

fn leave_out(mut manifest: Manifest, without: &BTreeSet<String>) -> Manifest {
    manifest.components.retain(|id, _| !without.contains(id));
    manifest.http_triggers.retain(|trigger| !without.contains(&trigger.component));
    manifest.redis_triggers.retain(|trigger| !without.contains(&trigger.component));
    manifest.cron_triggers.retain(|trigger| !without.contains(&trigger.component));
    manifest
}

fn subscriptions(
    runtime: &Runtime,
    manifest: &Manifest,
    variables: &Variables,
) -> anyhow::Result<Vec<redis::Subscription>> {
    let subscription = |trigger: &crate::manifest::RedisTrigger| {
        let component = component(runtime, &trigger.component)?;
        if component.redis.is_none() {
            bail!("{} has a Redis trigger but does not export fermyon:spin/inbound-redis", component.id);
        }
        Ok(redis::Subscription { channel: variables.expand(&trigger.channel)?, component })
    };
    manifest.redis_triggers.iter().map(subscription).collect()
}

fn crons(runtime: &Runtime, manifest: &Manifest) -> anyhow::Result<Vec<Arc<cron::Trigger>>> {
    let cron = |trigger: &crate::manifest::CronTrigger| {
        let component = component(runtime, &trigger.component)?;
        if component.cron.is_none() {
            bail!("{} has a cron trigger but does not export handle-cron-event", component.id);
        }
        Ok(Arc::new(cron::Trigger::new(component, &trigger.cron_expression)?))
    };
    manifest.cron_triggers.iter().map(cron).collect()
}

fn component(runtime: &Runtime, id: &str) -> anyhow::Result<Arc<Component>> {
    runtime.components.get(id).cloned().with_context(|| format!("no component `{id}`"))
}

struct Loader<'a> {
    engine: &'a Engine,
    manifest: &'a Manifest,
    variables: &'a Variables,
}

impl Loader<'_> {
    /// The components that a trigger runs. Those for HTTP must serve it.
    fn components(&self) -> anyhow::Result<BTreeMap<String, Arc<Component>>> {
        let linker = runtime::linker(self.engine).map_err(engine::plain)?;
        let http: BTreeSet<_> = self.manifest.http_triggers.iter().map(|trigger| &trigger.component).collect();
        let redis = self.manifest.redis_triggers.iter().map(|trigger| &trigger.component);
        let cron = self.manifest.cron_triggers.iter().map(|trigger| &trigger.component);
        let used: BTreeSet<_> = http.iter().copied().chain(redis).chain(cron).collect();
        let mut components = BTreeMap::new();
        for id in used {
            let component = self.component(&linker, id).with_context(|| format!("component `{id}`"))?;
            if component.http.is_none() && http.contains(id) {
                bail!("component `{id}` has an HTTP trigger but does not export wasi:http/incoming-handler");
            }
            components.insert(id.clone(), Arc::new(component));
        }
        Ok(components)
    }

    fn component(&self, linker: &Linker<Instance>, id: &str) -> anyhow::Result<Component> {
        let described = self.manifest.component(id)?;
        let code = engine::compile(self.engine, &compose::compose(self.manifest, id)?)?;
        let code = linker.instantiate_pre(&code).map_err(engine::plain)?;
        Ok(Component {
            id: id.into(),
            http: ProxyPre::new(code.clone()).ok(),
            redis: RedisTriggerPre::new(code.clone()).ok(),
            cron: SpinCronPre::new(code).ok(),
            variables: self.variables.component_variables(id),
            environment: described.environment.clone().into_iter().collect(),
            mounts: described.files.iter().map(mount).collect::<anyhow::Result<_>>()?,
            allowed: AllowedHosts::of_component(id, &described.allowed_outbound_hosts, self.variables),
            databases: Pools::default(),
        })
    }
}

fn mount(files: &FileMount) -> anyhow::Result<Mount> {
    if !files.source.is_dir() {
        bail!("`files` mounts {}, which is no folder: build it first, or name a folder", files.source.display());
    }
    Ok(Mount { source: files.source.clone(), destination: files.destination.clone() })
}
