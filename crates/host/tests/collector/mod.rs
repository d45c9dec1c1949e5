//! A collector of OpenTelemetry in the test's process: an HTTP server that decodes what it is sent as OTLP has it.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use host::telemetry::{Config, Telemetry};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use prost::Message as _;
use tokio::net::TcpListener;
use wasmtime_wasi_http::io::TokioIo;

/// Attributes by name, as text.
pub type Attributes = BTreeMap<String, String>;

/// A span as it arrived.
#[derive(Clone, Debug)]
pub struct Span {
    pub trace: String,
    pub id: String,
    /// Empty for the first of a trace.
    pub parent: String,
    pub name: String,
    /// 1 internal, 2 server, 3 client, 5 consumer.
    pub kind: i32,
    pub failed: bool,
    pub attributes: Attributes,
    /// The traces of the spans that it links to.
    pub links: Vec<String>,
    /// Who told it.
    pub resource: Attributes,
}

impl Span {
    /// An attribute; empty if there is none of that name.
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

/// A point of a histogram.
#[derive(Clone, Debug)]
pub struct Point {
    pub metric: String,
    pub unit: String,
    pub count: u64,
    pub attributes: Attributes,
}

/// The collector. It goes with its runtime.
#[derive(Clone)]
pub struct Collector {
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<(String, Bytes)>>>,
}

impl Collector {
    pub async fn start() -> Collector {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let collector = Collector { address: listener.local_addr().unwrap(), requests: Arc::default() };
        let this = collector.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let this = this.clone();
                let service = service_fn(move |request| this.clone().take(request));
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
            }
        });
        collector
    }

    async fn take(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
        let (head, body) = request.into_parts();
        assert_eq!(head.headers["content-type"], "application/x-protobuf");
        let body = body.collect().await?.to_bytes();
        self.requests.lock().unwrap().push((head.uri.path().to_owned(), body));
        Ok(Response::new(Full::default()))
    }

    /// Telemetry that goes here.
    pub fn telemetry(&self) -> Telemetry {
        telemetry(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{}", self.address))])
    }

    /// All that came, as bytes.
    pub fn bytes(&self) -> Vec<u8> {
        self.requests.lock().unwrap().iter().flat_map(|(_, body)| body.to_vec()).collect()
    }

    /// The spans that came.
    pub fn spans(&self) -> Vec<Span> {
        let requests = self.requests.lock().unwrap().clone();
        let bodies = requests.iter().filter(|(path, _)| path == "/v1/traces").map(|(_, body)| body.clone());
        let batches = bodies.flat_map(|body| ExportTraceServiceRequest::decode(body).unwrap().resource_spans);
        let told = batches.flat_map(|batch| {
            let resource = attributes(batch.resource.map(|resource| resource.attributes).unwrap_or_default());
            let spans = batch.scope_spans.into_iter().flat_map(|scope| scope.spans);
            spans.map(move |span| (span, resource.clone())).collect::<Vec<_>>()
        });
        told.map(|(span, resource)| Span {
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
            name: span.name,
            kind: span.kind,
            failed: span.status.is_some_and(|status| status.code == 2),
            attributes: attributes(span.attributes),
            links: span.links.iter().map(|link| hex(&link.trace_id)).collect(),
            resource,
        })
        .collect()
    }

    /// The spans of one trace.
    pub fn trace(&self, id: &str) -> Vec<Span> {
        self.spans().into_iter().filter(|span| span.trace == id).collect()
    }

    /// The points of histograms that came.
    pub fn points(&self) -> Vec<Point> {
        let requests = self.requests.lock().unwrap().clone();
        let bodies = requests.iter().filter(|(path, _)| path == "/v1/metrics").map(|(_, body)| body.clone());
        let batches = bodies.flat_map(|body| ExportMetricsServiceRequest::decode(body).unwrap().resource_metrics);
        let metrics = batches.flat_map(|batch| batch.scope_metrics).flat_map(|scope| scope.metrics);
        let points = metrics.flat_map(|metric| {
            let points = match metric.data {
                Some(Data::Histogram(histogram)) => histogram.data_points,
                _ => Vec::new(),
            };
            points.into_iter().map(move |point| (metric.name.clone(), metric.unit.clone(), point)).collect::<Vec<_>>()
        });
        points
            .map(|(metric, unit, point)| Point {
                metric,
                unit,
                count: point.count,
                attributes: attributes(point.attributes),
            })
            .collect()
    }
}

/// Telemetry as these variables say.
pub fn telemetry(variables: &[(&str, &str)]) -> Telemetry {
    let find = |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
    Telemetry::start(&Config::read(find).unwrap()).unwrap()
}

/// Sends what waits. The threads that send need the test's runtime, so this must not block it.
pub async fn flush(telemetry: &Telemetry) {
    let telemetry = telemetry.clone();
    tokio::task::spawn_blocking(move || telemetry.flush()).await.unwrap();
}

fn attributes(pairs: Vec<KeyValue>) -> Attributes {
    pairs.into_iter().map(|pair| (pair.key, text(pair.value))).collect()
}

fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(yes)) => yes.to_string(),
        other => format!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
