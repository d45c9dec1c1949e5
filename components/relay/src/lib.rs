//! Relay: hands the events of the outbox over to their consumers, stream by stream, in order.
//! Owns tables `outbox`, `event_stream`, `outbox_archive`, `inbox_done` and `consumer`. A stream is leased while its
//! event is on the way; an acknowledgement must name the lease's token, so that a relay which was thought dead cannot
//! acknowledge for another. Shows operators what is stuck, and lets them put it right.

mod api;
mod deliver;
mod store;

use deliver::Targets;
use edge::{Call, Problem, Reply, Route, clock, get, internal, post};
use jiff::SignedDuration;
use serde_json::json;

/// How often, and for how long, one run looks for more; what is left waits for the next hint or tick.
const ROUNDS: usize = 400;
const RUN: SignedDuration = SignedDuration::from_secs(10);
/// How long a lease holds: longer than a batch can take with every consumer at its slowest would be too long to wait
/// after a crash, so a run that gets slow gives the rest back.
const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// How often one tick looks for more gaps, and for more to delete.
const TICK_ROUNDS: usize = 24;

const ROUTES: &[Route] = &[
    internal("/internal/relay/run", run),
    internal("/internal/relay/tick", tick),
    get("/api/v1/admin/events", api::dead).operator(),
    get("/api/v1/admin/events/lag", api::lag).operator(),
    get("/api/v1/admin/events/{id}", api::show).operator(),
    post("/api/v1/admin/events/redrive", api::redrive).operator(),
    post("/api/v1/admin/events/skip", api::skip).operator(),
];

edge::http_component!(ROUTES);

fn run(call: &Call) -> Result<Reply, Problem> {
    let (mut handed, mut failed) = (0, 0);
    let targets = Targets::read()?;
    for at in 0..ROUNDS {
        let round = round(call, &targets, targets.batch(at == 0))?;
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

fn round(call: &Call, targets: &Targets, rows: i64) -> Result<Round, Problem> {
    let lease = store::claim(call, rows, LEASE)?;
    let outcome = targets.hand_over(lease.events, lease.send_until);
    let round = Round { handed: outcome.done.len(), failed: outcome.failed.len() };
    if round.handed > 0 {
        store::ack(call, lease.token, outcome.done)?;
    }
    if round.failed > 0 {
        store::fail(call, lease.token, outcome.failed, targets.patience())?;
    }
    Ok(round)
}

/// Finds what the transport lost, and deletes what is old.
fn tick(call: &Call) -> Result<Reply, Problem> {
    let (mut healed, mut purged) = (0, 0);
    for _ in 0..TICK_ROUNDS {
        let gaps = store::heal(call)?;
        healed += gaps.healed;
        if !gaps.behind {
            break;
        }
    }
    for _ in 0..TICK_ROUNDS {
        let rows = store::purge(call)?;
        purged += rows;
        if rows == 0 {
            break;
        }
    }
    Ok(Reply::json(200, &json!({"healed": healed, "purged": purged})))
}
