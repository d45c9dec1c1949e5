//! Clients at a steady pace, and what they saw.

use std::fmt;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::api::Person;

/// So many clients, each with a request every `pace`.
pub struct Load {
    pub port: u16,
    pub clients: usize,
    pub pace: Duration,
    /// Whether every other request reads.
    pub reads: bool,
}

/// What the clients saw.
pub struct Report {
    pub times: Seen,
    pub failed: usize,
}

impl Load {
    pub async fn run(&self, time: Duration) -> Report {
        let clients = (0..self.clients).map(|_| tokio::spawn(client(self.port, self.pace, self.reads, time)));
        let (mut times, mut failed) = (Vec::new(), 0);
        for client in clients.collect::<Vec<_>>() {
            let (seen, lost) = client.await.expect("a client");
            times.extend(seen);
            failed += lost;
        }
        Report { times: Seen::new(times), failed }
    }
}

async fn client(port: u16, pace: Duration, reads: bool, time: Duration) -> (Vec<f64>, usize) {
    let name = format!("load-{}", uuid::Uuid::from_u128(rand::random()));
    let person = Person::new(port, &name).await.expect("an account");
    let (mut times, mut failed, start) = (Vec::new(), 0, Instant::now());
    let mut interval = tokio::time::interval(pace);
    for number in 0.. {
        interval.tick().await;
        if start.elapsed() > time {
            break;
        }
        let sent = Instant::now();
        let answer = if reads && number % 2 == 1 {
            person.call("GET", "/api/v1/tasks?limit=10", &Value::Null).await
        } else {
            person.call("POST", "/api/v1/tasks", &json!({"title": "a task of usual length"})).await
        };
        match answer {
            Ok(answer) if answer.status < 300 => times.push(sent.elapsed().as_secs_f64() * 1000.0),
            _ => failed += 1,
        }
    }
    (times, failed)
}

/// Times in milliseconds.
pub struct Seen {
    pub median: f64,
    pub p95: f64,
    pub p99: f64,
    count: usize,
}

impl Seen {
    pub fn new(mut times: Vec<f64>) -> Seen {
        times.sort_by(f64::total_cmp);
        let at = |part: f64| times[((times.len() - 1) as f64 * part).round() as usize];
        Seen { median: at(0.5), p95: at(0.95), p99: at(0.99), count: times.len() }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms of {}", self.median, self.p95, self.p99, self.count)
    }
}

/// The middle one.
pub fn median(values: Vec<f64>) -> f64 {
    Seen::new(values).median
}
