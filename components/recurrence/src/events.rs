//! What happens when a task of a series is completed.

use domain::event::{Event, TASK_COMPLETED};
use edge::inbox::{Apply, Consumer};
use edge::{Call, Problem, Reply, clock, hint};
use jiff::SignedDuration;
use jiff::tz::Offset;
use serde_json::json;

use crate::calendar;
use crate::store::{self, Completion, Current};

/// Most occurrences that a series makes in a day (UTC); more is a rule that runs away.
const GUARD: i32 = 1000;
/// A completion this old should have been seen to by its event.
const MISSED_AFTER: SignedDuration = SignedDuration::from_secs(30);
/// How far back the tick looks for completions that were missed.
const MISSED_SINCE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Most missed completions that one tick repairs.
const MISSED_ROWS: i64 = 100;

const CONSUMER: Consumer = Consumer { name: "recurrence", in_order: false, handler, after: Some(hint::publish) };

fn handler(kind: &str) -> Option<Apply> {
    (kind == TASK_COMPLETED).then_some(apply)
}

pub fn receive(call: &Call) -> Result<Reply, Problem> {
    CONSUMER.receive(call)
}

pub fn tick(call: &Call) -> Result<Reply, Problem> {
    let tried = CONSUMER.tick(call)?;
    let ago = |time: SignedDuration| clock::shifted(call.now, -time);
    let missed = store::missed(call, ago(MISSED_SINCE), ago(MISSED_AFTER), MISSED_ROWS)?;
    let repaired = missed.len();
    for completion in missed {
        let (user, task) = (completion.user_id, completion.task_id);
        go_on(call, &Completion { user, task, event: None, traceparent: call.traceparent() })?;
    }
    let reply = Reply::json(200, &json!({"tried": tried, "repaired": repaired}));
    Ok(if tried + repaired > 0 { reply.after(hint::publish) } else { reply })
}

fn apply(call: &Call, event: &Event) -> Result<(), Problem> {
    let task = event.data_id("task_id").ok_or_else(|| Problem::internal("the event has no task_id"))?;
    let traceparent = event.traceparent.clone();
    if !go_on(call, &Completion { user: event.userid, task, event: Some(event.id), traceparent })? {
        // reopened since, no series, or the series has gone on already
        CONSUMER.done(call, event.id)?;
    }
    Ok(())
}

/// Moves the series of a completed task on, or ends it; answers whether there was anything to do.
fn go_on(call: &Call, from: &Completion) -> Result<bool, Problem> {
    let Some(series) = store::current(call, from.user, from.task)? else {
        return Ok(false);
    };
    if runs_away(&series, call) {
        eprintln!("series {} made {GUARD} tasks in a day and is ended", series.series_id);
        store::finish(call, from, &series, "guard")?;
        return Ok(true);
    }
    match calendar::next(&series, call.now)? {
        Some(next) => store::advance(call, from, &series, &next)?,
        None => store::finish(call, from, &series, "finished")?,
    };
    Ok(true)
}

fn runs_away(series: &Current, call: &Call) -> bool {
    series.guard_day == Offset::UTC.to_datetime(call.now).date() && series.guard_count >= GUARD
}
