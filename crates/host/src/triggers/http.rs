//! HTTP: from a request to the component whose route it matches, and back.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{Request, Response, StatusCode, header};
use http_body::Body as _;
use opentelemetry::KeyValue;
use opentelemetry::trace::SpanBuilder;
use tokio::sync::oneshot;
use tracing::{Instrument as _, trace_span};
use wasmtime_wasi_http::WasiHttpView as _;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;

use crate::bounded::Bounded;
use crate::instance::{Cause, FirstFault, Instance};
use crate::routes::Router;
use crate::runtime::{Component, Runtime};
use crate::telemetry::{Received, Scope};

pub mod body;
mod exchange;
pub mod headers;
pub mod listener;
pub mod workers;

use body::Body;
use exchange::{Exchange, Said};

/// The public side of an application.
pub struct Server {
    runtime: Arc<Runtime>,
    router: Router,
    base: String,
}

impl Server {
    /// Serves `router`, whose routes begin with `base`.
    pub fn new(runtime: Arc<Runtime>, router: Router, base: &str) -> Self {
        Server { runtime, router, base: base.into() }
    }

    /// Waits until no instance runs.
    pub async fn settle(&self) {
        self.runtime.work.settle().await;
    }

    /// Answers a request that `peer` sent.
    pub async fn handle(&self, request: Request<Body>, peer: SocketAddr) -> Response<Body> {
        let mut received = self.runtime.telemetry.received(&request, peer);
        let response = self.answer(request, peer, &mut received).await;
        received.answered(response.status());
        response
    }

    async fn answer(&self, mut request: Request<Body>, peer: SocketAddr, received: &mut Received) -> Response<Body> {
        let path = request.uri().path();
        if path == "/.well-known/spin/health" {
            return Response::new(body::whole("OK"));
        }
        let Some(route) = self.router.find(path) else { return empty(StatusCode::NOT_FOUND) };
        received.routed(route.route);
        let Some(component) = self.runtime.components.get(route.component) else {
            return empty(StatusCode::NOT_FOUND);
        };
        let Some(url) = full_url(&request) else { return empty(StatusCode::BAD_REQUEST) };
        if !headers::are_utf8(request.headers()) {
            tracing::error!("a request to {} has a header that is not UTF-8", component.id);
            return empty(StatusCode::INTERNAL_SERVER_ERROR);
        }
        headers::announce(request.headers_mut(), &url, &self.base, &route, peer);
        serve(self.runtime.clone(), component.clone(), request, received.scope()).await
    }
}

fn full_url(request: &Request<Body>) -> Option<String> {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let authority = request.uri().authority().map(|authority| authority.as_str()).or(host)?;
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    Some(format!("http://{authority}{path}"))
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(body::whole(""));
    *response.status_mut() = status;
    response
}

/// Answers `request` by a new instance of `component`, which runs to its end whether or not anybody waits for it.
pub async fn serve(
    runtime: Arc<Runtime>,
    component: Arc<Component>,
    request: Request<Body>,
    scope: Scope,
) -> Response<Body> {
    if request.body().size_hint().lower() > runtime.limits.request_body_bytes {
        return empty(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let (answer, answered) = oneshot::channel();
    let work = runtime.work.begin();
    tokio::spawn(async move {
        run(&runtime, &component, request, answer, &scope).await;
        drop(work);
    });
    answered.await.unwrap_or_else(|_| empty(StatusCode::INTERNAL_SERVER_ERROR))
}

async fn run(
    runtime: &Arc<Runtime>,
    component: &Arc<Component>,
    mut request: Request<Body>,
    answer: oneshot::Sender<Response<Body>>,
    scope: &Scope,
) {
    let limits = &runtime.limits;
    let Ok(Ok(_place)) = tokio::time::timeout(limits.wall, runtime.places.acquire()).await else {
        tracing::error!("{} waited too long for its turn: answered 503", component.id);
        let _ = answer.send(empty(StatusCode::SERVICE_UNAVAILABLE));
        return;
    };
    let span = scope.child(|| {
        let id = KeyValue::new("component_id", component.id.clone());
        SpanBuilder::from_name(format!("execute_wasm_component {}", component.id)).with_attributes([id])
    });
    // What the guest passes on names its own run, so that a trace has no hole where a guest stands.
    span.scope().write(request.headers_mut());
    let oversize = Arc::new(AtomicBool::new(false));
    let request = request.map(|body| body::limited(body, limits.request_body_bytes, oversize.clone()));
    let fault = FirstFault::default();
    let (say, said) = oneshot::channel();
    let guest = guest(runtime.clone(), component.clone(), request, fault.clone(), span.scope(), say);
    let mut exchange = Exchange::new(Bounded::new(guest, limits.wall, limits.cpu), said);
    exchange.start().await;
    if let Some(failure) = exchange.failure() {
        tracing::error!("{}: {failure:?}", component.id);
        span.fail(|| "trap".to_owned());
    }
    let response = if oversize.load(Ordering::Relaxed) {
        empty(StatusCode::PAYLOAD_TOO_LARGE)
    } else {
        let said = exchange.answer();
        let checked = fault.get().map_or(said, |fault| Err(fault.into()));
        checked.unwrap_or_else(|why| {
            tracing::error!("{} {why}: answered 500", component.id);
            span.fail(|| "no_answer".to_owned());
            empty(StatusCode::INTERNAL_SERVER_ERROR)
        })
    };
    // Nobody may be waiting any more; the guest does not care.
    let _ = answer.send(response);
    if let Some(mut guest) = exchange.take_guest() {
        guest.extend(limits.stream);
        if let Err(error) = guest.await {
            tracing::error!("{} failed after its answer began: {error:?}", component.id);
            span.fail(|| "trap".to_owned());
        }
    }
}

/// A guest's whole run, its instance included. The spans are for `cargo xtask bench --explain`.
async fn guest(
    runtime: Arc<Runtime>,
    component: Arc<Component>,
    request: Request<Body>,
    fault: FirstFault,
    scope: Scope,
    say: oneshot::Sender<Said>,
) -> wasmtime::Result<()> {
    let code = component.http.as_ref().ok_or_else(|| wasmtime::format_err!("the component does not serve HTTP"))?;
    let making = trace_span!("store").entered();
    let store = Instance::store(&runtime, &component, Cause::Request, fault, scope);
    let mut store = store.map_err(|error| wasmtime::Error::from_boxed(error.into()))?;
    let request = store.data_mut().http().new_incoming_request(Scheme::Http, request)?;
    let say = store.data_mut().http().new_response_outparam(say)?;
    drop(making);
    let proxy = code.instantiate_async(&mut store).instrument(trace_span!("instantiate")).await?;
    let running = proxy.wasi_http_incoming_handler().call_handle(&mut store, request, say);
    let result = running.instrument(trace_span!("guest")).await;
    trace_span!("reset").in_scope(|| drop(store));
    result
}
