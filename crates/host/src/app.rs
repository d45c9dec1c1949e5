//! An application that runs: from its manifest to open ports and back.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::BodyExt as _;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use crate::load::AppOptions;
use crate::load::{self, Loaded};
use crate::runtime::Runtime;
use crate::testbed::TestBed;
use crate::triggers::http::workers::Workers;
use crate::triggers::http::{Server, body, listener};
use crate::triggers::{cron, redis};

/// How long instances may go on when the application stops.
pub(crate) const STOP: Duration = Duration::from_secs(5);

/// A running application.
pub struct App {
    runtime: Arc<Runtime>,
    server: Arc<Server>,
    crons: Vec<Arc<cron::Trigger>>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl App {
    /// Loads the manifest, composes and compiles its components (or takes them from the cache), listens and runs the
    /// triggers. Errors tell what to change: a manifest, a variable, a component, an address in use, no Redis.
    pub async fn start(options: AppOptions) -> anyhow::Result<App> {
        let (listen, redis_url, threads) = (options.listen, options.redis_url.clone(), options.threads);
        let loaded =
            tokio::task::spawn_blocking(move || load::load(&options)).await.context("loading the manifest")??;
        let Loaded { runtime, router, base, subscriptions, redis_address, crons, messages } = loaded;
        let server = Arc::new(Server::new(runtime.clone(), router, &base));
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("cannot listen on {listen}: is another program using it?"))?;
        let address = listener.local_addr()?;
        let (stop, stopping) = watch::channel(false);
        let workers = Workers::start(threads, &server, &stopping)?;
        let mut app = App { runtime, server, crons, address, stop, tasks: Vec::new() };
        match (messages, redis_address) {
            (Some(queue), _) => app.run(redis::run_local(app.runtime.clone(), subscriptions, queue)),
            (None, _) if subscriptions.is_empty() => {}
            (None, address) => {
                let address = address.filter(|address| !address.is_empty()).or(redis_url);
                let address = address.context("the Redis trigger has no address")?;
                let server = redis::subscribe(&address, &subscriptions).await?;
                app.run(redis::run_server(app.runtime.clone(), subscriptions, address, server));
            }
        }
        app.run(listener::listen(listener, workers, stopping));
        if !app.bed().is_virtual() {
            app.crons.clone().into_iter().for_each(|cron| app.run(cron.run(app.runtime.clone())));
        }
        Ok(app)
    }

    fn run(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.push(tokio::spawn(task));
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers `request` in process: the same routes and limits as through the port.
    ///
    /// An answer whose body breaks off is given as a 502 with an empty body.
    pub async fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        let mut request = request.map(body::whole);
        if request.uri().authority().is_none() && !request.headers().contains_key(header::HOST) {
            let host = HeaderValue::try_from(self.address.to_string());
            host.into_iter().for_each(|host| drop(request.headers_mut().insert(header::HOST, host)));
        }
        let (mut head, body) = self.server.handle(request, ([127, 0, 0, 1], 0).into()).await.into_parts();
        match body.collect().await {
            Ok(body) => Response::from_parts(head, body.to_bytes()),
            Err(error) => {
                tracing::error!("an answer broke off: {error}");
                head.status = http::StatusCode::BAD_GATEWAY;
                Response::from_parts(head, Bytes::new())
            }
        }
    }

    /// Fires every cron trigger once, one after the other, and waits for their ends. Errors: those of all that failed.
    pub async fn fire_cron(&self) -> anyhow::Result<()> {
        let timestamp = u64::try_from(self.bed().now_micros() / 1_000_000).unwrap_or(0);
        let mut failures = Vec::new();
        for cron in &self.crons {
            if let Err(error) = cron.fire(&self.runtime, timestamp).await {
                failures.push(format!("{error:#}"));
            }
        }
        if failures.is_empty() { Ok(()) } else { Err(anyhow!(failures.join("\n"))) }
    }

    /// Waits until no instance runs and no in-process message waits.
    pub async fn settle(&self) {
        self.runtime.work.settle().await;
    }

    /// Time, chance, faults and records.
    pub fn bed(&self) -> &TestBed {
        &self.runtime.bed
    }

    /// Stops to accept requests, waits for the instances that run, at most 5 seconds, and sends what is left of
    /// telemetry. An error if some instances still run.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.send_replace(true);
        let settled = tokio::time::timeout(STOP, self.settle()).await;
        self.tasks.iter().for_each(JoinHandle::abort);
        let telemetry = self.runtime.telemetry.clone();
        tokio::task::spawn_blocking(move || telemetry.stop()).await.context("ending telemetry")?;
        if settled.is_err() {
            bail!("instances were still running {STOP:?} after the stop; they are cut off");
        }
        Ok(())
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}
