//! One request to one instance: until its answer is complete, or has begun and the guest waits.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::response::{Parts, Response};
use http_body::Body as _;
use tokio::sync::oneshot;
use wasmtime_wasi_http::Error;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;

use super::body::{self, Body};
use crate::bounded::Bounded;

/// Bytes of an answer that are gathered before it counts as a stream.
const MAX_GATHERED: usize = 1 << 20;

/// What a guest says: an answer or why there is none.
pub type Said = Result<Response<Body>, ErrorCode>;

/// The state of an exchange.
pub struct Exchange {
    guest: Option<Bounded<()>>,
    failure: Option<wasmtime::Error>,
    said: oneshot::Receiver<Said>,
    head: Option<Parts>,
    refused: Option<ErrorCode>,
    body: Option<Body>,
    gathered: VecDeque<Bytes>,
    size: usize,
    broken: Option<Error>,
}

impl Exchange {
    /// An exchange in which `guest` runs and answers by `said`.
    pub fn new(guest: Bounded<()>, said: oneshot::Receiver<Said>) -> Self {
        Exchange {
            guest: Some(guest),
            failure: None,
            said,
            head: None,
            refused: None,
            body: None,
            gathered: VecDeque::new(),
            size: 0,
            broken: None,
        }
    }

    /// Runs the guest until it has ended, or its answer is complete, or its answer has begun and it waits.
    ///
    /// A small answer is complete here even if the guest wrote it in pieces, and goes out in one write.
    pub async fn start(&mut self) {
        std::future::poll_fn(|context| self.poll_start(context)).await;
    }

    fn poll_start(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            self.poll_guest(context);
            self.hear();
            let progressed = self.gather(context);
            let answered = self.head.is_some() && self.body.is_none();
            if self.guest.is_none() || answered || self.refused.is_some() || self.size > MAX_GATHERED {
                return Poll::Ready(());
            }
            // What was read made room for the guest to write on.
            if progressed {
                continue;
            }
            return if self.head.is_some() { Poll::Ready(()) } else { Poll::Pending };
        }
    }

    fn poll_guest(&mut self, context: &mut Context<'_>) {
        let Some(guest) = &mut self.guest else { return };
        if let Poll::Ready(outcome) = Pin::new(guest).poll(context) {
            self.guest = None;
            self.failure = outcome.err();
        }
    }

    fn hear(&mut self) {
        match self.said.try_recv() {
            Ok(Ok(response)) => {
                let (head, body) = response.into_parts();
                self.head = Some(head);
                self.body = Some(body);
            }
            Ok(Err(code)) => self.refused = Some(code),
            Err(_) => {}
        }
    }

    /// Takes what the guest has written so far; whether there was any.
    fn gather(&mut self, context: &mut Context<'_>) -> bool {
        let mut progressed = false;
        while self.size <= MAX_GATHERED {
            let Some(body) = &mut self.body else { break };
            match Pin::new(body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => {
                    let data = frame.into_data().unwrap_or_default();
                    self.size += data.len();
                    self.gathered.push_back(data);
                    progressed = true;
                }
                Poll::Ready(Some(Err(error))) => {
                    self.broken = Some(error);
                    self.body = None;
                }
                Poll::Ready(None) => self.body = None,
                Poll::Pending => break,
            }
        }
        progressed
    }

    /// The guest, if it still runs.
    pub fn take_guest(&mut self) -> Option<Bounded<()>> {
        self.guest.take()
    }

    /// Why the guest failed, if it ended so.
    pub fn failure(&self) -> Option<&wasmtime::Error> {
        self.failure.as_ref()
    }

    /// The answer, or why there is none. To be called after [`Exchange::start`].
    pub fn answer(&mut self) -> Result<Response<Body>, String> {
        if let Some(code) = &self.refused {
            return Err(format!("refused to answer: {code:?}"));
        }
        if let Some(error) = &self.broken {
            return Err(format!("broke off its answer: {error}"));
        }
        let head = self.head.take().ok_or("ended without an answer")?;
        let gathered = std::mem::take(&mut self.gathered);
        Ok(Response::from_parts(
            head,
            match self.body.take() {
                Some(rest) => body::resumed(gathered, rest),
                None => body::whole(join(gathered)),
            },
        ))
    }
}

fn join(mut chunks: VecDeque<Bytes>) -> Bytes {
    if chunks.len() <= 1 {
        return chunks.pop_front().unwrap_or_default();
    }
    let mut all = BytesMut::with_capacity(chunks.iter().map(Bytes::len).sum());
    chunks.iter().for_each(|chunk| all.extend_from_slice(chunk));
    all.freeze()
}
