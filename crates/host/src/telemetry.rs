//! OpenTelemetry: traces and metrics of what the host does, sent by OTLP over HTTP, switched on as in Spin.
//!
//! With telemetry off there is neither a thread nor a connection, and a request passes by a few empty options. With it
//! on, spans go into a queue that is bounded: a collector that is slow or down costs spans, never a request.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use http::Request;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Histogram, MeterProvider as _};
use opentelemetry::trace::{SpanBuilder, TracerProvider as _};
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::resource::{EnvResourceDetector, ResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

mod client;
mod config;
pub(crate) mod outgoing;
mod request;
mod span;

pub use config::Config;
pub(crate) use request::Received;
pub(crate) use span::{Scope, Span};

/// The bounds of the histogram of durations, in seconds, as the semantic conventions advise.
const BOUNDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// How long the end of the process waits for what has not been sent yet.
const STOP: Duration = Duration::from_secs(2);

/// Where spans and metrics go; off by default. A clone is the same.
#[derive(Clone, Default)]
pub struct Telemetry(Option<Arc<Signals>>);

struct Signals {
    traces: Option<(SdkTracerProvider, SdkTracer)>,
    metrics: Option<Metrics>,
}

struct Metrics {
    provider: SdkMeterProvider,
    duration: Histogram<f64>,
}

impl Telemetry {
    /// As the environment says (`OTEL_…`): off unless it names an endpoint.
    ///
    /// To be called on a tokio runtime, which then sends. Errors: what is set wrongly, by the variable's name.
    pub fn from_environment() -> anyhow::Result<Self> {
        Self::start(&Config::read(|name| std::env::var(name).ok())?)
    }

    /// As `config` says. To be called on a tokio runtime, which then sends.
    pub fn start(config: &Config) -> anyhow::Result<Self> {
        if config.traces.is_none() && config.metrics.is_none() {
            return Ok(Telemetry(None));
        }
        let traces = config.traces.as_ref().map(traces).transpose().context("tracing")?;
        let metrics = config.metrics.as_ref().map(metrics).transpose().context("metrics")?;
        Ok(Telemetry(Some(Arc::new(Signals { traces, metrics }))))
    }

    /// The request that now begins to be answered.
    pub(crate) fn received<B>(&self, request: &Request<B>, peer: std::net::SocketAddr) -> Received {
        let Some(signals) = &self.0 else { return Received::default() };
        let span = self.scope().caused_by(request.headers(), || request::describe(request, peer));
        let duration = signals.metrics.as_ref().map(|metrics| metrics.duration.clone());
        Received::new(span, duration, request.method())
    }

    /// What causes a trace of its own: a message, the clock.
    pub(crate) fn root(&self, describe: impl FnOnce() -> SpanBuilder) -> Span {
        self.scope().child(describe)
    }

    /// The outside of all spans.
    fn scope(&self) -> Scope {
        let tracer = self.0.as_ref().and_then(|signals| signals.traces.as_ref());
        tracer.map_or_else(Scope::default, |(_, tracer)| Scope::outermost(tracer.clone()))
    }

    /// Sends what waits, and waits for its end, a few seconds at most. It blocks the thread.
    pub fn flush(&self) {
        let Some(signals) = &self.0 else { return };
        // failures are logged where they happen
        let _ = signals.traces.as_ref().map(|(provider, _)| provider.force_flush());
        let _ = signals.metrics.as_ref().map(|metrics| metrics.provider.force_flush());
    }

    /// Sends what waits and ends, in [`STOP`] at most for each signal. It blocks the thread.
    pub fn stop(&self) {
        let Some(signals) = &self.0 else { return };
        let _ = signals.traces.as_ref().map(|(provider, _)| provider.shutdown_with_timeout(STOP));
        let _ = signals.metrics.as_ref().map(|metrics| metrics.provider.shutdown_with_timeout(STOP));
    }
}

fn traces(target: &config::Target) -> anyhow::Result<(SdkTracerProvider, SdkTracer)> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client::Client::new(target))
        .with_endpoint(&target.endpoint)
        .with_timeout(target.timeout)
        .build()?;
    let provider = SdkTracerProvider::builder().with_resource(resource()).with_batch_exporter(exporter).build();
    let tracer = provider.tracer("spindle");
    Ok((provider, tracer))
}

fn metrics(target: &config::Target) -> anyhow::Result<Metrics> {
    let exporter = MetricExporter::builder()
        .with_http()
        .with_http_client(client::Client::new(target))
        .with_endpoint(&target.endpoint)
        .with_timeout(target.timeout)
        .build()?;
    let provider = SdkMeterProvider::builder().with_resource(resource()).with_periodic_exporter(exporter).build();
    let duration = provider
        .meter("spindle")
        .f64_histogram("http.server.request.duration")
        .with_unit("s")
        .with_description("Duration of HTTP server requests.")
        .with_boundaries(BOUNDS.to_vec())
        .build();
    Ok(Metrics { provider, duration })
}

/// Who tells: `OTEL_SERVICE_NAME` goes before `OTEL_RESOURCE_ATTRIBUTES`, and both before what is known here.
fn resource() -> Resource {
    let own = [KeyValue::new("service.name", "spindle"), KeyValue::new("service.version", env!("CARGO_PKG_VERSION"))];
    let detectors: [Box<dyn ResourceDetector>; 2] =
        [Box::new(TelemetryResourceDetector), Box::new(EnvResourceDetector::new())];
    let resource = Resource::builder_empty().with_attributes(own).with_detectors(&detectors);
    match std::env::var("OTEL_SERVICE_NAME") {
        Ok(name) if !name.is_empty() => resource.with_service_name(name).build(),
        _ => resource.build(),
    }
}
