//! Between the sidecars and the application: a witness of what is delivered, which can say 204 where the application
//! said 200.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;
use wasmtime_wasi_http::io::TokioIo;

/// A proxy for one application.
pub struct Proxy {
    pub port: u16,
    delivered: Delivered,
}

/// How often an event was delivered to a consumer and answered 2xx.
type Delivered = Arc<Mutex<BTreeMap<(String, Uuid), u64>>>;

impl Proxy {
    /// Starts it in front of `to`.
    pub async fn start(to: u16, answer_204: bool) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let delivered = Delivered::default();
        let seen = delivered.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let seen = seen.clone();
                let service = service_fn(move |request| pass(request, to, answer_204, seen.clone()));
                let serve = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                tokio::spawn(async move { drop(serve.await) });
            }
        });
        Proxy { port, delivered }
    }

    /// How many deliveries there were, and of how many events to a consumer.
    pub fn deliveries(&self) -> (u64, usize) {
        let delivered = self.delivered.lock().expect("deliveries");
        (delivered.values().sum(), delivered.len())
    }

    /// Those of the events, id and type, that were never delivered to a consumer with a use for them.
    pub fn missing(&self, events: &[(Uuid, String)]) -> Vec<String> {
        let delivered = self.delivered.lock().expect("deliveries");
        let wanted = events.iter().flat_map(|(id, kind)| {
            domain::event::consumers(kind).iter().map(move |consumer| ((*consumer).to_owned(), *id))
        });
        let missing = wanted.filter(|each| !delivered.contains_key(each));
        missing.map(|(consumer, id)| format!("{id} was never delivered to {consumer}")).collect()
    }

    /// Some events come again when a sidecar dies, but not all of them.
    pub fn repeated(&self) -> Option<String> {
        let (deliveries, events) = self.deliveries();
        (deliveries > 2 * events as u64)
            .then(|| format!("{events} events for a consumer were delivered {deliveries} times"))
    }
}

async fn pass(
    request: Request<Incoming>,
    to: u16,
    answer_204: bool,
    seen: Delivered,
) -> anyhow::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let event = event(head.uri.path(), &body);
    let body = Full::new(body);
    let stream = TcpStream::connect(("127.0.0.1", to)).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let (mut head, body) = sender.send_request(Request::from_parts(head, body)).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    connection.abort();
    if let Some(event) = event
        && head.status == StatusCode::OK
    {
        *seen.lock().expect("deliveries").entry(event).or_default() += 1;
        if answer_204 {
            return Ok(Response::builder().status(204).body(Full::default())?);
        }
    }
    head.headers.remove("transfer-encoding");
    Ok(Response::from_parts(head, Full::new(body)))
}

/// The consumer of a path `/internal/<consumer>/events`, and the event's id.
fn event(path: &str, body: &[u8]) -> Option<(String, Uuid)> {
    let consumer = path.strip_prefix("/internal/")?.strip_suffix("/events")?;
    let event: Value = serde_json::from_slice(body).ok()?;
    Some((consumer.to_owned(), event["id"].as_str()?.parse().ok()?))
}
