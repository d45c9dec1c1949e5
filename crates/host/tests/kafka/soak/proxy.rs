//! Between the sidecars and the application: counts what is delivered, and can say 204 where the application said 200.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use tokio::net::{TcpListener, TcpStream};
use wasmtime_wasi_http::io::TokioIo;

/// A proxy for one application.
pub struct Proxy {
    pub port: u16,
    deliveries: Arc<AtomicU64>,
}

impl Proxy {
    /// Starts it in front of `to`.
    pub async fn start(to: u16, answer_204: bool) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let deliveries = Arc::new(AtomicU64::new(0));
        let count = deliveries.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let count = count.clone();
                let service = service_fn(move |request| pass(request, to, answer_204, count.clone()));
                let serve = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                tokio::spawn(async move { drop(serve.await) });
            }
        });
        Proxy { port, deliveries }
    }

    /// Events that were delivered to a consumer and answered 2xx.
    pub fn deliveries(&self) -> u64 {
        self.deliveries.load(Ordering::SeqCst)
    }

    /// An event goes to three consumers at most; some come twice when a sidecar dies.
    pub fn faults(&self, events: u64) -> Option<String> {
        let deliveries = self.deliveries();
        (deliveries > 6 * events).then(|| format!("{events} events were delivered {deliveries} times"))
    }
}

async fn pass(
    request: Request<Incoming>,
    to: u16,
    answer_204: bool,
    count: Arc<AtomicU64>,
) -> anyhow::Result<Response<Full<Bytes>>> {
    let event = request.uri().path().ends_with("/events");
    let (head, body) = request.into_parts();
    let body = Full::new(body.collect().await?.to_bytes());
    let stream = TcpStream::connect(("127.0.0.1", to)).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let (mut head, body) = sender.send_request(Request::from_parts(head, body)).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    connection.abort();
    if event && head.status == StatusCode::OK {
        count.fetch_add(1, Ordering::SeqCst);
        if answer_204 {
            return Ok(Response::builder().status(204).body(Full::default())?);
        }
    }
    head.headers.remove("transfer-encoding");
    Ok(Response::from_parts(head, Full::new(body)))
}
