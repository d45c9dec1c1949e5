//! What the host tells of a request that it answers: a server span and a duration, by the semantic conventions of HTTP.
//!
//! Unlike Spin it leaves out the path, the query and `x-forwarded-for`: they can hold what a user wrote, a token, or
//! who the user is.

use std::net::SocketAddr;
use std::time::Instant;

use http::{Method, Request, StatusCode};
use opentelemetry::KeyValue;
use opentelemetry::metrics::Histogram;
use opentelemetry::trace::{SpanBuilder, SpanKind};

use super::{Scope, Span};

/// A request that is being answered; nothing when telemetry is off.
#[derive(Default)]
pub struct Received(Option<Open>);

struct Open {
    span: Span,
    duration: Option<Histogram<f64>>,
    method: &'static str,
    route: Option<String>,
    begin: Instant,
}

impl Received {
    /// A request that came just now.
    pub fn new(span: Span, duration: Option<Histogram<f64>>, method: &Method) -> Self {
        Received(Some(Open { span, duration, method: known(method), route: None, begin: Instant::now() }))
    }

    /// The route that it matches.
    pub fn routed(&mut self, route: &str) {
        let Some(open) = &mut self.0 else { return };
        open.span.rename(|| format!("{} {route}", open.method));
        open.span.set(|| KeyValue::new("http.route", route.to_owned()));
        open.route = Some(route.to_owned());
    }

    /// Where the spans of the answer begin.
    pub fn scope(&self) -> Scope {
        self.0.as_ref().map(|open| open.span.scope()).unwrap_or_default()
    }

    /// The answer has begun.
    pub fn answered(self, status: StatusCode) {
        let Some(open) = self.0 else { return };
        open.span.set(|| KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
        if status.is_server_error() {
            open.span.fail(|| status.as_str().to_owned());
        }
        let Some(duration) = open.duration else { return };
        let mut attributes = vec![
            KeyValue::new("http.request.method", open.method),
            KeyValue::new("http.response.status_code", i64::from(status.as_u16())),
            KeyValue::new("url.scheme", "http"),
        ];
        attributes.extend(open.route.map(|route| KeyValue::new("http.route", route)));
        if status.is_server_error() {
            attributes.push(KeyValue::new("error.type", status.as_str().to_owned()));
        }
        duration.record(open.begin.elapsed().as_secs_f64(), &attributes);
    }
}

/// What is known of a request before its route is.
pub fn describe<B>(request: &Request<B>, peer: SocketAddr) -> SpanBuilder {
    let method = known(request.method());
    SpanBuilder::from_name(method).with_kind(SpanKind::Server).with_attributes([
        KeyValue::new("http.request.method", method),
        KeyValue::new("url.scheme", "http"),
        KeyValue::new("network.protocol.name", "http"),
        KeyValue::new("network.peer.address", peer.ip().to_string()),
        KeyValue::new("network.peer.port", i64::from(peer.port())),
    ])
}

/// The name of a method; one that nobody has standardised might be anything, and is `_OTHER`.
pub fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => "_OTHER",
    }
}
