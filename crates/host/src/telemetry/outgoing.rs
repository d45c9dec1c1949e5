//! What the host tells of a request that a guest sends: a client span, by the semantic conventions for HTTP.
//!
//! Unlike Spin it leaves out the path and the query, which can hold a secret or what a user wrote.

use http::{Request, StatusCode};
use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanBuilder, SpanKind};
use wasmtime_wasi_http::Error;

use super::request::known;
use super::{Scope, Span};

/// Begins the span of a request, and names it in the request's headers.
///
/// A guest that has named a span itself has said to which trace the request belongs: the relay sends the events of many
/// traces in one run. Spin would put the span of the run in its place.
pub fn begin<B>(scope: &Scope, request: &mut Request<B>) -> Span {
    let span = scope.caused_by(request.headers(), || describe(request));
    span.scope().write(request.headers_mut());
    span
}

fn describe<B>(request: &Request<B>) -> SpanBuilder {
    let mut attributes = vec![KeyValue::new("http.request.method", known(request.method()))];
    attributes.extend(request.uri().host().map(|host| KeyValue::new("server.address", host.to_owned())));
    attributes.extend(request.uri().port_u16().map(|port| KeyValue::new("server.port", i64::from(port))));
    let name = "spin_outbound_http.send_request";
    SpanBuilder::from_name(name).with_kind(SpanKind::Client).with_attributes(attributes)
}

/// Tells that it was answered.
pub fn answered(span: &Span, status: StatusCode) {
    span.set(|| KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
    if status.is_client_error() || status.is_server_error() {
        span.fail(|| status.as_str().to_owned());
    }
}

/// Tells that it was not.
pub fn failed(span: &Span, error: &Error) {
    span.fail(|| kind(error));
}

/// An error's name, without what it says.
fn kind(error: &Error) -> String {
    let words = format!("{error:?}");
    words.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_known_by_its_name() {
        assert_eq!(kind(&Error::ConnectionTimeout), "ConnectionTimeout");
        assert_eq!(kind(&Error::InternalError(Some("secret".into()))), "InternalError");
        assert_eq!(kind(&Error::DnsError { rcode: Some("secret".into()), info_code: None }), "DnsError");
    }
}
