//! Relay: hands the events of the outbox over to their consumers, stream by stream, in order.
//! Owns tables `outbox` and `event_stream`. A stream is leased while its event is on the way; an acknowledgement must
//! name the lease's token, so that a relay which was thought dead cannot acknowledge for another.

mod deliver;
mod store;

use edge::{Call, Problem, Reply, Route, clock, internal};
use jiff::SignedDuration;
use serde_json::json;

/// Streams taken at once.
const BATCH: i64 = 50;
/// How often, and for how long, one run looks for more; what is left waits for the next hint or tick.
const ROUNDS: usize = 40;
const RUN: SignedDuration = SignedDuration::from_secs(10);
/// How long a lease holds: longer than a batch can take with every consumer at its slowest would be too long to wait
/// after a crash, so a run that gets slow gives the rest back.
const LEASE: SignedDuration = SignedDuration::from_secs(30);

const ROUTES: &[Route] = &[internal("/internal/relay/run", run)];

edge::http_component!(ROUTES);

fn run(call: &Call) -> Result<Reply, Problem> {
    let (mut handed, mut failed) = (0, 0);
    let targets = deliver::Targets::read()?;
    for _ in 0..ROUNDS {
        let round = round(call, &targets)?;
        handed += round.handed;
        failed += round.failed;
        if round.handed == 0 || clock::now() > clock::shifted(call.now, RUN) {
            break;
        }
    }
    Ok(Reply::json(200, &json!({"handed_over": handed, "failed": failed})))
}

struct Round {
    handed: usize,
    failed: usize,
}

fn round(call: &Call, targets: &deliver::Targets) -> Result<Round, Problem> {
    let lease = store::claim(call, BATCH, LEASE)?;
    let mut done = Vec::new();
    let mut failed = Vec::new();
    for event in lease.events {
        // what the lease no longer covers must not be sent: another relay may have it
        let sent = if clock::now() < lease.send_until { targets.deliver(&event) } else { Err("late".to_owned()) };
        match sent {
            Ok(()) => done.push(event.stream),
            Err(error) => {
                eprintln!("{} {} of {} not handed over: {error}", event.kind, event.id, event.stream);
                failed.push(event.stream);
            }
        }
    }
    let round = Round { handed: done.len(), failed: failed.len() };
    if !done.is_empty() {
        store::ack(call, lease.token, done)?;
    }
    if !failed.is_empty() {
        store::fail(call, lease.token, failed)?;
    }
    Ok(round)
}
