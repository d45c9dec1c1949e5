//! How telemetry is sent: by the same HTTP client that guests' requests go through, on the runtime of the process.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt as _, Limited};
use opentelemetry_http::{HttpClient, HttpError};
use tokio::runtime::Handle;
use wasmtime_wasi_http::{RequestOptions, default_send_request};

use super::config::Target;
use crate::triggers::http::body;

/// The most bytes of an answer that are read: it says at most how much was refused.
const ANSWER: usize = 64 << 10;

/// Sends to one collector. Called by the threads of the SDK, which have no runtime of their own.
#[derive(Debug)]
pub struct Client {
    runtime: Handle,
    timeout: Duration,
    endpoint: String,
    failing: AtomicBool,
}

impl Client {
    /// To `target`, on the runtime of the caller.
    pub fn new(target: &Target) -> Self {
        let (timeout, endpoint) = (target.timeout, target.endpoint.clone());
        Client { runtime: Handle::current(), timeout, endpoint, failing: AtomicBool::new(false) }
    }

    /// Says once that a collector cannot be reached, and once that it can again.
    fn note(&self, failure: Option<&HttpError>) {
        let failed = self.failing.swap(failure.is_some(), Ordering::Relaxed);
        match failure {
            Some(error) if !failed => tracing::warn!("telemetry does not reach {}: {error}", self.endpoint),
            None if failed => tracing::warn!("telemetry reaches {} again", self.endpoint),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let timeout = self.timeout;
        let sent = self.runtime.spawn(async move { tokio::time::timeout(timeout, send(request, timeout)).await });
        let answer = match sent.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(format!("no answer within {timeout:?}").into()),
            Err(error) => Err(error.into()),
        };
        self.note(answer.as_ref().err());
        answer
    }
}

async fn send(request: Request<Bytes>, timeout: Duration) -> Result<Response<Bytes>, HttpError> {
    let mut request = request.map(body::whole);
    if let Some(authority) = request.uri().authority() {
        let host = authority.as_str().rsplit('@').next().unwrap_or_default().parse()?;
        request.headers_mut().insert(header::HOST, host);
    }
    let bound = Some(timeout);
    let options = RequestOptions { connect_timeout: bound, first_byte_timeout: bound, between_bytes_timeout: bound };
    let (response, connection) = default_send_request(request, Some(options)).await?;
    let connection = tokio::spawn(connection);
    let (head, body) = response.into_parts();
    let body = Limited::new(body, ANSWER).collect().await?.to_bytes();
    connection.abort();
    Ok(Response::from_parts(head, body))
}
