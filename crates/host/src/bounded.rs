//! A guest's run with its limits of time.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::Sleep;

/// What a guest's run ends with.
pub type Outcome<T> = wasmtime::Result<T>;

/// A run that fails once it has computed too long, or its deadline has passed. Dropped, the instance is gone.
pub struct Bounded<T> {
    run: Pin<Box<dyn Future<Output = Outcome<T>> + Send>>,
    deadline: Pin<Box<Sleep>>,
    wall: Duration,
    cpu: Duration,
    used: Duration,
}

impl<T> Bounded<T> {
    /// Bounds `run`, from now on.
    pub fn new(run: impl Future<Output = Outcome<T>> + Send + 'static, wall: Duration, cpu: Duration) -> Self {
        Bounded { run: Box::pin(run), deadline: Box::pin(tokio::time::sleep(wall)), wall, cpu, used: Duration::ZERO }
    }

    /// Sets a new deadline, `wall` from now.
    pub fn extend(&mut self, wall: Duration) {
        self.wall = wall;
        self.deadline.as_mut().reset(tokio::time::Instant::now() + wall);
    }
}

impl<T> Future for Bounded<T> {
    type Output = Outcome<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let start = Instant::now();
        let polled = self.run.as_mut().poll(context);
        self.used += start.elapsed();
        if polled.is_ready() {
            return polled;
        }
        if self.used > self.cpu {
            return Poll::Ready(Err(Exceeded::Cpu(self.cpu).into()));
        }
        let wall = self.wall;
        self.deadline.as_mut().poll(context).map(|()| Err(Exceeded::Wall(wall).into()))
    }
}

/// The limit that ended a run.
#[derive(Debug)]
pub enum Exceeded {
    /// It computed for longer than this.
    Cpu(Duration),
    /// It took longer than this.
    Wall(Duration),
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exceeded::Cpu(limit) => write!(f, "stopped: it computed for more than {limit:?}"),
            Exceeded::Wall(limit) => write!(f, "stopped: it took more than {limit:?}"),
        }
    }
}

impl std::error::Error for Exceeded {}
