//! One function a statement.

use edge::{Call, Problem, clock, params, row};
use jiff::Timestamp;
use uuid::Uuid;

row! {
    /// An entry of a user's chain.
    pub struct EntryRow {
        seq: i64,
        event_id: Uuid,
        at: Timestamp,
        action: String,
        stream: String,
        stream_seq: i64,
        payload: Option<String>,
        commitment: Vec<u8>,
        hash: Vec<u8>,
    }
}

row! {
    /// What became of an event.
    pub struct Appended {
        appended: bool,
        waits: bool,
    }
}

/// Entries before the key (`at`, `seq`), the latest first.
pub fn list(call: &Call, at: Timestamp, seq: i64, rows: i64) -> Result<Vec<EntryRow>, Problem> {
    call.db()?.rows(include_str!("../sql/list.sql"), &params![call.user()?.sub, at, seq, rows])
}

pub fn append(
    call: &Call,
    user: Uuid,
    event: Uuid,
    salt: &[u8; 32],
    payload: &str,
    commitment: [u8; 32],
) -> Result<Appended, Problem> {
    // the end of the way, not when the request came: how long events take is measured by it
    let parameters = params![user, event, salt.to_vec(), payload, commitment.to_vec(), clock::now()];
    call.db()?.one(include_str!("../sql/append.sql"), &parameters)
}
