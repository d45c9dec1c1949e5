//! `wasi:http/outgoing-handler`: allowed hosts, chaining to components of the same application, time limits.
//!
//! Redirects are not followed; that is left to the guest, which the allowed hosts then bind.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_send_request};

use crate::instance::{Cause, FirstFault, Trace};
use crate::outbound_hosts::{Chaining, chaining_target};
use crate::routes::RouteMatch;
use crate::runtime::{Component, Runtime};
use crate::telemetry::{Scope, Span, outgoing};
use crate::triggers::http::{headers, serve};

type Background = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Result<(Response<WasiBody>, Background), Error>;

/// The address that a component sees when another one calls it.
const CHAINED_PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// Sends the requests of one instance.
pub struct Outgoing {
    runtime: Arc<Runtime>,
    component: Arc<Component>,
    cause: Cause,
    trace: Trace,
    fault: FirstFault,
    scope: Scope,
}

impl Outgoing {
    /// For the instance of `component` that `trace`, `fault` and `scope` belong to.
    pub fn new(
        runtime: &Arc<Runtime>,
        component: &Arc<Component>,
        cause: Cause,
        trace: &Trace,
        fault: &FirstFault,
        scope: &Scope,
    ) -> Self {
        let (runtime, component, trace) = (runtime.clone(), component.clone(), trace.clone());
        Outgoing { runtime, component, cause, trace, fault: fault.clone(), scope: scope.clone() }
    }

    /// The component that `uri` means, `None` for a host outside; an error if it is not allowed.
    fn target(&self, uri: &Uri) -> Result<Option<Arc<Component>>, Error> {
        let host = uri.host().ok_or(Error::HttpRequestUriInvalid)?;
        if let Some(id) = chaining_target(host) {
            return self.chained(id).map(Some);
        }
        let scheme = uri.scheme_str().unwrap_or("https");
        if self.component.allowed.allows(scheme, host, uri.port_u16()) {
            return Ok(None);
        }
        let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
        self.deny(&format!("{scheme}://{host}{port}"))
    }

    fn chained(&self, id: &str) -> Result<Arc<Component>, Error> {
        if self.cause == Cause::Event {
            let caller = &self.component.id;
            tracing::error!("{caller} runs by an event and may not call {id}.spin.internal: use its address");
            return Err(Error::DnsError { rcode: Some("address not available".into()), info_code: None });
        }
        let running = self.runtime.components.get(id).filter(|component| component.http.is_some());
        match (self.component.allowed.chaining(), running) {
            (Chaining::All, Some(component)) => Ok(component.clone()),
            (Chaining::Only(ids), Some(component)) if ids.contains(id) => Ok(component.clone()),
            (Chaining::Only(ids), None) if ids.contains(id) => {
                self.fault.set(format!("called component `{id}`, which does not run"));
                Err(Error::InternalError(Some(format!("unknown routing destination '{id}'"))))
            }
            _ => self.deny(&format!("http://{id}.spin.internal")),
        }
    }

    fn deny<T>(&self, origin: &str) -> Result<T, Error> {
        tracing::error!("{} may not connect to {origin}: add it to allowed_outbound_hosts", self.component.id);
        Err(Error::HttpRequestDenied)
    }

    fn options(&self, options: Option<RequestOptions>) -> RequestOptions {
        let given = options.unwrap_or_default();
        let default = self.runtime.limits.outgoing;
        RequestOptions {
            connect_timeout: given.connect_timeout.or(Some(default)),
            first_byte_timeout: given.first_byte_timeout.or(Some(default)),
            between_bytes_timeout: given.between_bytes_timeout.or(Some(default)),
        }
    }

    fn chain(
        &self,
        component: Arc<Component>,
        mut request: Request<WasiBody>,
        patience: Duration,
        span: Span,
    ) -> Sending {
        let path = request.uri().path().to_owned();
        let url = request.uri().to_string();
        headers::announce(request.headers_mut(), &url, "/", &RouteMatch::chained(&component.id, &path), CHAINED_PEER);
        // Begun here, not when the future is first polled: the callee then runs whatever becomes of the caller.
        let answer = tokio::spawn(serve(self.runtime.clone(), component, request, span.scope()));
        Box::new(async move {
            let answer = tokio::time::timeout(patience, answer).await.map_err(|_| Error::ConnectionReadTimeout);
            let answer = answer.and_then(|answer| answer.map_err(|e| Error::InternalError(Some(e.to_string()))));
            let response = answer.inspect_err(|error| outgoing::failed(&span, error))?;
            outgoing::answered(&span, response.status());
            Ok((response, Box::new(async { Ok(()) }) as Background))
        })
    }
}

type Sending = Box<dyn Future<Output = Sent> + Send>;

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        mut request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Background,
    ) -> Sending {
        self.trace.effect(|| format!("http {} {}", request.method(), request.uri()));
        let options = self.options(options);
        let span = outgoing::begin(&self.scope, &mut request);
        match self.target(request.uri()) {
            Err(error) => {
                outgoing::failed(&span, &error);
                Box::new(async { Err(error) })
            }
            Ok(Some(component)) => {
                let patience = options.first_byte_timeout.unwrap_or(self.runtime.limits.outgoing);
                self.chain(component, request, patience, span)
            }
            Ok(None) => Box::new(async move {
                let sent = default_send_request(request, Some(options)).await;
                let (response, connection) = sent.inspect_err(|error| outgoing::failed(&span, error))?;
                outgoing::answered(&span, response.status());
                Ok((response.map(BodyExt::boxed_unsync), Box::new(connection) as Background))
            }),
        }
    }
}
