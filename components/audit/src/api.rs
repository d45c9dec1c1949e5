//! One function an endpoint.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::page::Cursor;
use edge::page::Page;
use edge::{Call, Problem, Reply};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::store::{self, EntryRow};

/// A cursor holds a UUID; an entry's key holds a number, which is kept in its low half.
pub fn list(call: &Call) -> Result<Reply, Problem> {
    let page = Page::read(&call.query(&["limit", "cursor"])?)?;
    let (_, low) = page.before.id.as_u64_pair();
    let seq = i64::try_from(low).unwrap_or(i64::MAX);
    let rows = store::list(call, page.before.at, seq, page.rows())?;
    let items = page.items(rows, |row| Cursor { at: row.at, id: Uuid::from_u64_pair(0, row.seq.unsigned_abs()) });
    Ok(Reply::json(200, &items.map(entry)))
}

fn entry(row: EntryRow) -> Value {
    let data: Option<Value> = row.payload.as_deref().and_then(|payload| serde_json::from_str(payload).ok());
    json!({
        "seq": row.seq,
        "event_id": row.event_id,
        "time": row.at,
        "type": row.action,
        "subject": row.stream,
        "sequence": row.stream_seq,
        "data": data,
        "commitment": STANDARD.encode(row.commitment),
        "hash": STANDARD.encode(row.hash),
    })
}
