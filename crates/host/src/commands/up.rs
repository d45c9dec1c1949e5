//! `spindle up`: the application on this machine.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use host::manifest::Manifest;
use host::migrate::{self, Migrations};
use host::{App, AppOptions, Telemetry};
use tokio::signal::unix::{SignalKind, signal};

use super::database::Database;
use super::terminal::{bold, green, patiently};
use super::transport::{Beside, Events};
use super::{Places, secrets};

/// How to run the application.
#[derive(clap::Args)]
pub struct Arguments {
    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// The application's manifest
    #[arg(long, default_value = "spin.toml", value_name = "FILE")]
    manifest: PathBuf,
    /// Run only this component, as `spin up -c` does; may be given several times
    #[arg(short = 'c', long = "component-id", value_name = "ID")]
    components: Vec<String>,
    /// How events reach their consumers
    #[arg(long, value_enum, default_value = "chain")]
    events: Events,
}

/// A short command that has started the private cluster is done within this time.
const TURN: Duration = Duration::from_secs(10);

/// Runs until Ctrl-C or SIGTERM, then stops the application and the private cluster, in this order.
pub async fn run(places: &Places, arguments: Arguments) -> Result<ExitCode> {
    // What is set wrongly is said before anything is done.
    let telemetry = Telemetry::from_environment()?;
    // Taken first, so that a signal during the start still ends in an orderly stop.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let end = async {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    };
    let database = Database::open(&places.state, TURN).await?;
    let served = serve(places, &arguments, &database, telemetry, end).await;
    let closed = database.close().await;
    served?;
    closed?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(
    places: &Places,
    arguments: &Arguments,
    database: &Database,
    telemetry: Telemetry,
    end: impl Future<Output = ()>,
) -> Result<()> {
    let mut end = std::pin::pin!(end);
    let starting = start(places, arguments, database, telemetry);
    let (app, mut beside) = tokio::select! {
        started = starting => started?,
        () = &mut end => return Ok(()),
    };
    welcome(app.address(), database, beside.as_ref().map(|beside| beside.words(places)));
    end.await;
    println!("stopping");
    if let Some(beside) = &mut beside {
        // they still hand over what they read, so they stop before the application, and the broker after it
        beside.quiesce();
    }
    patiently("waiting for requests in flight", app.stop()).await
}

async fn start(
    places: &Places,
    arguments: &Arguments,
    database: &Database,
    telemetry: Telemetry,
) -> Result<(App, Option<Beside>)> {
    prepare(places, database).await?;
    let mut options = AppOptions::new(&arguments.manifest);
    options.listen = chosen(arguments.listen)?;
    options.cache_dir = places.state.join("cache");
    options.telemetry = telemetry;
    options.redis_url = std::env::var("REDIS_URL").ok().filter(|url| !url.is_empty());
    let manifest = Manifest::load(&arguments.manifest)?;
    options.without = others(&manifest, &arguments.components)?;
    let mut values = variables(places, database, &options)?;
    let mut beside = Beside::prepare(places, arguments.events, options.redis_url.as_deref()).await?;
    if let Some(beside) = &beside {
        values.extend(beside.variables());
        // the sidecars call the ticks
        options.without.insert("ticker".to_owned());
    }
    // What the environment says goes before what we make, and what the manifest does not declare is left out.
    options.variables =
        values.into_iter().filter(|(name, _)| manifest.variables.contains_key(name) && !in_environment(name)).collect();
    let starting = App::start(options);
    let app = patiently("compiling the components; the next start takes them from the cache", starting).await?;
    if let Some(beside) = &mut beside {
        beside.start(app.address().port()).await?;
    }
    Ok((app, beside))
}

/// The components to leave out where only `chosen` ones are to run; none are chosen when all are.
fn others(manifest: &Manifest, chosen: &[String]) -> Result<BTreeSet<String>> {
    if let Some(unknown) = chosen.iter().find(|id| !manifest.components.contains_key(*id)) {
        let known = manifest.components.keys().cloned().collect::<Vec<_>>().join(", ");
        bail!("there is no component `{unknown}`; the manifest has {known}");
    }
    let left_out = |id: &&String| !chosen.is_empty() && !chosen.contains(id);
    Ok(manifest.components.keys().filter(left_out).cloned().collect())
}

/// Roles first, since the migrations grant them their rights.
async fn prepare(places: &Places, database: &Database) -> Result<()> {
    let migrations = Migrations::load(&places.migrations)?;
    let mut client = database.connect().await?;
    migrate::roles(&client, &secrets::db_password(&places.state)?).await?;
    for name in patiently("applying migrations", migrate::up(&mut client, &migrations)).await? {
        println!("applied {name}");
    }
    Ok(())
}

/// The values that depend on this machine.
fn variables(places: &Places, database: &Database, options: &AppOptions) -> Result<BTreeMap<String, String>> {
    let mut values = secrets::load(&places.state)?;
    values.insert("db_host".to_string(), database.host()?);
    values.insert("db_name".to_string(), database.name().to_string());
    values.insert("internal_base".to_string(), format!("http://{}", reachable(options.listen)));
    if let Some(url) = &options.redis_url {
        values.insert("redis_url".to_string(), url.clone());
    }
    Ok(values)
}

fn in_environment(name: &str) -> bool {
    std::env::var_os(format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase())).is_some()
}

/// A free port for port 0: the application must know its own address before it listens.
fn chosen(listen: SocketAddr) -> Result<SocketAddr> {
    if listen.port() != 0 {
        return Ok(listen);
    }
    TcpListener::bind(listen)
        .and_then(|socket| socket.local_addr())
        .with_context(|| format!("cannot listen on {listen}"))
}

/// Where a listener on every address is reached from this machine.
fn reachable(mut listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() {
        listen.set_ip(if listen.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    listen
}

fn welcome(address: SocketAddr, database: &Database, events: Option<String>) {
    let base = format!("http://{}", reachable(address));
    println!("{} Spindle answers at {}", green("ready:"), bold(&base));
    println!("  database  {}", database.words());
    if let Some(events) = events {
        println!("  events    {events}");
    }
    println!("  health    curl {base}/healthz");
    if Path::new("docs/demo.sh").exists() {
        println!("  try       docs/demo.sh {base}");
    }
    println!("Ctrl-C stops it; the data stay.");
}
