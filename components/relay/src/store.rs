//! One function a statement.

use domain::event;
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
    }
}

row! {
    struct Acked { acked: i64 }
}

row! {
    /// What a comparison of the archive with the inboxes found.
    pub struct Healed {
        healed: i64,
        behind: bool,
    }
}

row! {
    struct Purged { purged: i64 }
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

/// Acknowledges the first event of each of the streams, given with its slot.
pub fn ack(call: &Call, token: Uuid, done: Vec<(String, i32)>) -> Result<(), Problem> {
    let wanted = done.len();
    let (streams, slots): (Vec<_>, Vec<_>) = done.into_iter().unzip();
    let row: Acked = call.db()?.one(include_str!("../sql/ack.sql"), &params![clock::now(), token, streams, slots])?;
    if usize::try_from(row.acked) != Ok(wanted) {
        eprintln!("relay: {wanted} handed over, {} acknowledged; the others will be sent again", row.acked);
    }
    Ok(())
}

/// Gives streams back; none waits longer than `patience` seconds.
pub fn fail(call: &Call, token: Uuid, streams: Vec<String>, patience: i32) -> Result<(), Problem> {
    call.db()?.execute(include_str!("../sql/fail.sql"), &params![clock::now(), token, streams, patience])
}

/// Puts into the inboxes what was handed over and never received.
pub fn heal(call: &Call) -> Result<Healed, Problem> {
    let uses = event::TYPES.iter().flat_map(|kind| event::consumers(kind).iter().map(move |name| (*name, *kind)));
    let (consumers, types): (Vec<_>, Vec<_>) = uses.map(|(name, kind)| (name.to_owned(), kind.to_owned())).unzip();
    let healed: Healed = call.db()?.one(include_str!("../sql/heal.sql"), &params![call.now, consumers, types])?;
    if healed.healed > 0 {
        eprintln!("relay: {} events were handed over and never received; they are in the inboxes now", healed.healed);
    }
    Ok(healed)
}

/// Deletes a part of what leaves the archive and the ledger; answers how many rows.
pub fn purge(call: &Call) -> Result<i64, Problem> {
    let row: Purged = call.db()?.one(include_str!("../sql/purge.sql"), &params![event::leaving_slot(call.now)])?;
    Ok(row.purged)
}
