//! Threads that serve connections: one for each core, each with a runtime of its own.
//!
//! A connection, the guests that answer on it and their connections to PostgreSQL stay on one thread, so that nothing
//! has to wake another one. With a runtime that shares its work among threads a hello cost 45 µs, with these 38.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::Context as _;
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Server;
use super::listener::connection;
use crate::app::STOP;

/// A connection on its way to the thread that serves it.
type Accepted = (std::net::TcpStream, SocketAddr);

/// The threads of a listener. Dropped, they end once their connections and guests have ended, or are cut off.
pub struct Workers {
    queues: Vec<UnboundedSender<Accepted>>,
    next: AtomicUsize,
}

impl Workers {
    /// Starts `count` threads that serve `server` until `stop` turns true. Errors when one cannot be started.
    pub fn start(count: usize, server: &Arc<Server>, stop: &watch::Receiver<bool>) -> anyhow::Result<Self> {
        let start = |number| {
            let (queue, accepted) = unbounded_channel();
            let (server, stop) = (server.clone(), stop.clone());
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let work = move || runtime.block_on(serve(accepted, server, stop));
            thread::Builder::new().name(format!("http-{number}")).spawn(work)?;
            Ok(queue)
        };
        let queues: std::io::Result<_> = (0..count.max(1)).map(start).collect();
        Ok(Workers { queues: queues.context("starting a thread that serves HTTP")?, next: AtomicUsize::new(0) })
    }

    /// Hands a connection to the next thread in turn.
    pub fn serve(&self, stream: TcpStream, peer: SocketAddr) -> std::io::Result<()> {
        let stream = stream.into_std()?;
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.queues.len();
        self.queues[turn].send((stream, peer)).map_err(|_| std::io::Error::other("the thread has ended"))
    }
}

async fn serve(mut accepted: UnboundedReceiver<Accepted>, server: Arc<Server>, stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    while let Some((stream, peer)) = accepted.recv().await {
        match TcpStream::from_std(stream) {
            Ok(stream) => drop(connections.spawn(connection(stream, peer, server.clone(), stop.clone()))),
            Err(error) => tracing::warn!("cannot serve the connection of {peer}: {error}"),
        }
        while connections.try_join_next().is_some() {}
    }
    let ended = async {
        connections.join_all().await;
        server.settle().await;
    };
    if tokio::time::timeout(STOP, ended).await.is_err() {
        tracing::warn!("requests were still running {STOP:?} after the stop; they are cut off");
    }
}
