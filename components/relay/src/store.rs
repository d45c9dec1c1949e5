//! One function a statement.

use edge::{Call, Problem, clock, params, row};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use uuid::Uuid;

row! {
    /// The first event of a stream that has not been handed over.
    pub struct Pending {
        id: Uuid,
        stream: String,
        stream_seq: i64,
        topic: String,
        kind: String,
        user_id: Uuid,
        time: Timestamp,
        data: Value,
        attempts: i32,
        traceparent: Option<String>,
    }
}

row! {
    struct Acked { acked: i64 }
}

/// The streams that this run may hand over for now.
pub struct Lease {
    /// Its acknowledgement must name it.
    pub token: Uuid,
    /// The first event of each stream.
    pub events: Vec<Pending>,
    /// After this nothing more may be sent under it: a send takes some seconds at most.
    pub send_until: Timestamp,
}

pub fn claim(call: &Call, rows: i64, hold: SignedDuration) -> Result<Lease, Problem> {
    let now = clock::now();
    let token = clock::new_id(now);
    let events =
        call.db()?.rows(include_str!("../sql/claim.sql"), &params![now, token, clock::shifted(now, hold), rows])?;
    Ok(Lease { token, events, send_until: clock::shifted(now, hold / 2) })
}

/// Acknowledges the first event of each of the streams.
pub fn ack(call: &Call, token: Uuid, streams: Vec<String>) -> Result<(), Problem> {
    let wanted = streams.len();
    let row: Acked = call.db()?.one(include_str!("../sql/ack.sql"), &params![clock::now(), token, streams])?;
    if usize::try_from(row.acked) != Ok(wanted) {
        eprintln!("relay: {wanted} handed over, {} acknowledged; the others will be sent again", row.acked);
    }
    Ok(())
}

pub fn fail(call: &Call, token: Uuid, streams: Vec<String>) -> Result<(), Problem> {
    call.db()?.execute(include_str!("../sql/fail.sql"), &params![clock::now(), token, streams])
}
