//! What happens when a reminder goes off.

use domain::event::{Event, REMINDER_DUE};
use edge::inbox::{Apply, Consumer};
use edge::{Call, Problem, Reply};
use serde_json::json;

use crate::store;

const CONSUMER: Consumer = Consumer { name: "notifications", in_order: false, handler, after: None };

fn handler(kind: &str) -> Option<Apply> {
    (kind == REMINDER_DUE).then_some(apply)
}

pub fn receive(call: &Call) -> Result<Reply, Problem> {
    CONSUMER.receive(call)
}

pub fn tick(call: &Call) -> Result<Reply, Problem> {
    let tried = CONSUMER.tick(call)?;
    Ok(Reply::json(200, &json!({"tried": tried})))
}

fn apply(call: &Call, event: &Event) -> Result<(), Problem> {
    store::deliver(call, event.userid, event.id).map(|_made| ())
}
