//! Events, received and then applied. Receiving is one insert, after which 200 is safe; applying is one statement with
//! the effect and the move from the inbox to the ledger. What fails waits for the tick, ever longer, and is dead after
//! [`MAX_ATTEMPTS`](domain::retry::MAX_ATTEMPTS) tries.

use domain::event::{self, Event};
use domain::{retry, trace};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Call, Problem, Reply, clock, params, row};

/// Events taken up at once by a tick, and how often it looks for more.
const BATCH: i64 = 100;
const ROUNDS: usize = 20;
/// How much is kept of a body that is no event, in bytes.
const KEPT: usize = 8192;

/// A consumer of events.
pub struct Consumer {
    /// Its name in the inbox.
    pub name: &'static str,
    /// Whether events of a stream must be applied in their order.
    pub in_order: bool,
    /// What to do with an event of this type, if anything.
    pub handler: fn(kind: &str) -> Option<Apply>,
    /// What to do after an event has been taken up: wake the relay, where applying it writes events.
    pub after: Option<fn()>,
}

/// Applies an event: one statement with the effect and the mark in the inbox. Applied twice, it must change nothing.
pub type Apply = fn(&Call, &Event) -> Result<(), Problem>;

row! {
    struct Received { state: String }
}

row! {
    struct Waiting {
        event_id: Uuid,
        stream: String,
        stream_seq: i64,
        kind: String,
        user_id: Uuid,
        time: Timestamp,
        data: Value,
        state: String,
        traceparent: Option<String>,
    }
}

impl Consumer {
    /// Receives the event in the body and tries to apply it. A body that is no event is kept as a dead one: sent again
    /// it would be no better, and would hold up what comes after it.
    ///
    /// # Errors
    /// 5xx when it could not be received and must be sent again.
    pub fn receive(&self, call: &Call) -> Result<Reply, Problem> {
        let reply = Reply::json(200, &json!({}));
        let bytes = match call.bytes() {
            Ok(bytes) => bytes,
            Err(problem) if problem.status == 413 => return self.bury(call, b"", &problem.detail).map(|()| reply),
            Err(problem) => return Err(problem),
        };
        let mut event = match Event::parse(&bytes) {
            Ok(event) => event,
            Err(error) => return self.bury(call, &bytes, &error).map(|()| reply),
        };
        event.traceparent = trace::nearest(event.traceparent.take(), call.traceparent());
        let Some(apply) = (self.handler)(&event.kind) else { return Ok(reply) };
        if !self.take_in(call, &event)? {
            return Ok(reply);
        }
        self.try_to(apply, call, &event);
        Ok(match self.after {
            Some(work) => reply.after(work),
            None => reply,
        })
    }

    /// Keeps a body that is no event. The same bytes are kept once.
    fn bury(&self, call: &Call, bytes: &[u8], reason: &str) -> Result<(), Problem> {
        eprintln!("{} received what is no event: {reason}", self.name);
        let id = match bytes.is_empty() {
            true => clock::new_id(call.now),
            false => event::unreadable_id(call.now, bytes),
        };
        let start = bytes.get(..KEPT).unwrap_or(bytes);
        // PostgreSQL's JSON has no NUL
        let text = String::from_utf8_lossy(start).replace('\0', "\u{fffd}");
        let data = json!({"body": text, "bytes": bytes.len()});
        let parameters = params![self.name, id, event::UNREADABLE, &data, call.now, shortened(reason.to_owned())];
        call.db()?.execute(include_str!("../sql/bury.sql"), &parameters)
    }

    /// Takes an event into the inbox; answers whether it still is to be applied.
    fn take_in(&self, call: &Call, event: &Event) -> Result<bool, Problem> {
        let retry = clock::shifted(call.now, SignedDuration::from_secs(i64::from(retry::backoff_seconds(1))));
        let parameters = params![
            self.name,
            event.id,
            event.subject.as_str(),
            event.stream_seq().unwrap_or(0),
            event.kind.as_str(),
            event.userid,
            event.time,
            &event.data,
            call.now,
            retry,
            event::slot(event.id),
            event.traceparent.as_deref(),
        ];
        let received: Option<Received> = call.db()?.first(include_str!("../sql/receive.sql"), &parameters)?;
        Ok(received.is_none_or(|received| received.state == "new"))
    }

    /// Applies an event; a failure is noted and left for the tick.
    fn try_to(&self, apply: Apply, call: &Call, event: &Event) {
        let Err(problem) = apply(call, event) else { return };
        let cause = problem.cause.unwrap_or(problem.detail);
        eprintln!("{} cannot apply {} {}: {cause}", self.name, event.kind, event.id);
        let parameters = params![self.name, event.id, shortened(cause)];
        let noted = call.db().and_then(|db| db.execute(include_str!("../sql/note_error.sql"), &parameters));
        if let Err(problem) = noted {
            eprintln!("{} cannot note it: {}", self.name, problem.cause.unwrap_or_default());
        }
    }

    /// Takes up again what waits; answers how many events it tried.
    ///
    /// # Errors
    /// 5xx when the database does not answer.
    pub fn tick(&self, call: &Call) -> Result<usize, Problem> {
        let mut tried = 0;
        for _ in 0..ROUNDS {
            let attempts = i32::try_from(retry::MAX_ATTEMPTS).unwrap_or(i32::MAX);
            let parameters = params![self.name, call.now, BATCH, attempts, self.in_order];
            let waiting: Vec<Waiting> = call.db()?.rows(include_str!("../sql/claim.sql"), &parameters)?;
            if waiting.is_empty() {
                break;
            }
            tried += waiting.len();
            for event in waiting {
                self.again(call, event)?;
            }
        }
        Ok(tried)
    }

    fn again(&self, call: &Call, waiting: Waiting) -> Result<(), Problem> {
        if waiting.state == "dead" {
            eprintln!("{} gives up on {} {} of {}", self.name, waiting.kind, waiting.event_id, waiting.stream);
            return Ok(());
        }
        let Waiting { event_id, stream, stream_seq, kind, user_id, time, data, traceparent, .. } = waiting;
        let event = Event { traceparent, ..Event::new(event_id, kind, stream, stream_seq, time, user_id, data) };
        match (self.handler)(&event.kind) {
            Some(apply) => self.try_to(apply, call, &event),
            None => self.done(call, event.id)?,
        }
        Ok(())
    }

    /// Marks an event as done that asks nothing of its consumer.
    ///
    /// # Errors
    /// 5xx when the database does not answer.
    pub fn done(&self, call: &Call, event: Uuid) -> Result<(), Problem> {
        call.db()?.execute(include_str!("../sql/done.sql"), &params![self.name, event, call.now])
    }
}

/// A cause as it is kept beside its event.
fn shortened(cause: String) -> String {
    cause.chars().take(1000).collect()
}
