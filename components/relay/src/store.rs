//! One function a statement.

use domain::event;
use domain::operator::{Filter, REDRIVEN_AT_ONCE, Redrive, Skip};
use edge::page::Page;
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
    let (consumers, types) = event::uses();
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

row! {
    /// A dead event, with what it is listed by.
    pub struct Dead {
        received_at: Timestamp,
        key: i64,
        body: Value,
    }
}

row! {
    /// What is answered as it is.
    pub struct Shown { body: Value }
}

row! {
    struct Redriven { redriven: i64 }
}

row! {
    struct Skipped { skipped: bool }
}

/// A page of dead events; `key` is the second part of the page's.
pub fn dead(call: &Call, filter: Filter, page: &Page, key: i64) -> Result<Vec<Dead>, Problem> {
    let Filter { consumer, stream, kind } = filter;
    let parameters = params![consumer, stream, kind, page.before.at, key, page.rows()];
    call.db()?.rows(include_str!("../sql/dead.sql"), &parameters)
}

pub fn lag(call: &Call) -> Result<Shown, Problem> {
    call.db()?.one(include_str!("../sql/lag.sql"), &params![call.now])
}

/// Where an event is; with `consumer`, only how it stands with that one.
pub fn show(call: &Call, id: Uuid, consumer: Option<String>) -> Result<Option<Shown>, Problem> {
    let (consumers, types) = event::uses();
    let parameters = params![id, event::slot(id), consumers, types, consumer];
    call.db()?.first(include_str!("../sql/show.sql"), &parameters)
}

/// Lets dead events be tried again, [`REDRIVEN_AT_ONCE`] at most; answers how many.
pub fn redrive(call: &Call, Redrive { consumer, which }: Redrive) -> Result<i64, Problem> {
    let (id, stream, kind, all) = which.columns();
    let parameters = params![call.now, consumer, id, stream, kind, all, REDRIVEN_AT_ONCE];
    let row: Redriven = call.db()?.one(include_str!("../sql/redrive.sql"), &parameters)?;
    Ok(row.redriven)
}

/// Gives up a dead event; answers whether it was there.
pub fn skip(call: &Call, Skip { consumer, id, reason }: Skip) -> Result<bool, Problem> {
    let parameters = params![consumer, id, reason, call.now, clock::new_id(call.now), event::EVENT_SKIPPED];
    let row: Skipped = call.db()?.one(include_str!("../sql/skip.sql"), &parameters)?;
    Ok(row.skipped)
}
