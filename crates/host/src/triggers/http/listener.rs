//! Accepts connections and speaks HTTP/1.1 on them.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use wasmtime_wasi_http::Error;
use wasmtime_wasi_http::io::TokioIo;

use super::Server;
use super::workers::Workers;

/// Pause after an error of accept, as when the process has no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves connections until `stop` turns true; those that are open end after the request they are in.
pub async fn listen(listener: TcpListener, workers: Workers, mut stop: watch::Receiver<bool>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => return,
        };
        match accepted.and_then(|(stream, peer)| workers.serve(stream, peer)) {
            Ok(()) => {}
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the application is gone, which is a stop, too.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Answers the requests of one connection.
pub async fn connection(stream: TcpStream, peer: SocketAddr, server: Arc<Server>, mut stop: watch::Receiver<bool>) {
    // Without it small answers wait for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let server = server.clone();
        async move {
            let request = request.map(|body| body.map_err(Error::from).boxed_unsync());
            Ok::<_, Infallible>(server.handle(request, peer).await)
        }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let result = tokio::select! {
        biased;
        result = connection.as_mut() => result,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!("the connection of {peer} ended: {error}");
    }
}
