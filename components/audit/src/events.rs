//! Every event becomes an entry.

use domain::audit;
use domain::event::Event;
use edge::inbox::{Apply, Consumer};
use edge::{Call, Problem, Reply, clock};
use serde_json::json;

use crate::store;

const CONSUMER: Consumer = Consumer { name: "audit", in_order: true, handler, after: None };

fn handler(_kind: &str) -> Option<Apply> {
    Some(apply)
}

pub fn receive(call: &Call) -> Result<Reply, Problem> {
    CONSUMER.receive(call)
}

pub fn tick(call: &Call) -> Result<Reply, Problem> {
    let tried = CONSUMER.tick(call)?;
    Ok(Reply::json(200, &json!({"tried": tried})))
}

/// An event behind an earlier one of its stream stays in the inbox, and the tick comes back to it.
fn apply(call: &Call, event: &Event) -> Result<(), Problem> {
    let payload = audit::canonical(&event.data);
    let salt: [u8; 32] =
        clock::random(32).try_into().map_err(|_| Problem::internal("the host gave too few random bytes"))?;
    let commitment = audit::commitment(&salt, &payload);
    let done = store::append(call, event.userid, event.id, &salt, &payload, commitment)?;
    if done.waits && !done.appended {
        eprintln!("audit: {} of {} waits for an earlier one, or is there already", event.sequence, event.subject);
    }
    Ok(())
}
