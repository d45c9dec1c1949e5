//! What happens when a task changes, and when a reminder's moment comes.

use domain::event::{Event, TASK_COMPLETED, TASK_CREATED, TASK_DELETED, TASK_REOPENED, TASK_UPDATED};
use edge::inbox::{Apply, Consumer};
use edge::{Call, Problem, Reply, hint};
use serde_json::json;

use crate::store;

/// How often one tick looks for more.
const ROUNDS: usize = 20;

const CONSUMER: Consumer = Consumer { name: "reminders", in_order: false, handler, after: Some(hint::publish) };

fn handler(kind: &str) -> Option<Apply> {
    matches!(kind, TASK_CREATED | TASK_UPDATED | TASK_COMPLETED | TASK_REOPENED | TASK_DELETED).then_some(apply)
}

pub fn receive(call: &Call) -> Result<Reply, Problem> {
    CONSUMER.receive(call)
}

pub fn tick(call: &Call) -> Result<Reply, Problem> {
    let tried = CONSUMER.tick(call)?;
    let events = fire_all(call)?;
    let reply = Reply::json(200, &json!({"tried": tried, "events": events}));
    Ok(if events > 0 { reply.after(hint::publish) } else { reply })
}

fn apply(call: &Call, event: &Event) -> Result<(), Problem> {
    let task = event.data_id("task_id").ok_or_else(|| Problem::internal("the event has no task_id"))?;
    let due = store::follow(call, task, event)?;
    if due > 0 {
        // its moment was past when the reminder was made: it goes off now, not at the next tick
        fire_all(call)?;
    }
    Ok(())
}

/// Sets off what is due; answers how many events it wrote.
fn fire_all(call: &Call) -> Result<i64, Problem> {
    let mut events = 0;
    for _ in 0..ROUNDS {
        let fired = store::fire(call)?;
        events += fired.events;
        if fired.settled == 0 {
            break;
        }
    }
    Ok(events)
}
