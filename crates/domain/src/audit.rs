//! The audit log's chain: canonical JSON, the hashes of an entry, and the check of a whole chain.
//!
//! An entry's hash covers the hash before it, so nothing can be changed, dropped or moved without every later hash
//! changing. It covers the payload only through a salted commitment: a payload may be erased together with its
//! salt, and the chain still verifies.

mod canonical;

use std::fmt;

use sha2::{Digest, Sha256};
use uuid::Uuid;

pub use canonical::canonical;

/// The hash before a chain's first entry, whose `seq` is 1.
pub const GENESIS: [u8; 32] = [0; 32];

/// One stored entry of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Position in the chain, from 1.
    pub seq: i64,
    /// The event that the entry records.
    pub event_id: Uuid,
    /// When it happened, in microseconds since 1970 UTC.
    pub at_micros: i64,
    /// What happened, for example `task.completed`.
    pub action: String,
    /// Whose event it was: the stream, such as `task/<id>`.
    pub stream: String,
    /// The event's place in its stream.
    pub stream_seq: i64,
    /// The commitment's 32 random bytes; `None` once the payload is erased.
    pub salt: Option<Vec<u8>>,
    /// The payload as [`canonical`] JSON; `None` once erased.
    pub payload: Option<String>,
    /// [`commitment`] of salt and payload.
    pub commitment: [u8; 32],
    /// [`entry_hash`] of the entry.
    pub hash: [u8; 32],
}

/// Where a chain is broken first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The position that is wrong or missing.
    pub seq: i64,
    /// What is wrong there.
    pub what: BrokenKind,
}

/// What can be wrong with a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokenKind {
    /// The entry is missing although later ones exist: it was deleted.
    Gap,
    /// The entry does not hash to what it stores, or the stored head names another hash for it.
    AlteredEntry,
    /// The payload or its salt is not what the entry committed to.
    AlteredPayload,
    /// The entry does not stand in its place, or stands there twice.
    Reordered,
    /// The entry and all after it are missing although the head names it or a later one.
    TailCut,
    /// There are entries but no head, or the head is older than this entry.
    HeadMissing,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            BrokenKind::Gap => "is missing",
            BrokenKind::AlteredEntry => "was altered",
            BrokenKind::AlteredPayload => "has an altered payload",
            BrokenKind::Reordered => "is out of order",
            BrokenKind::TailCut => "is missing from the end",
            BrokenKind::HeadMissing => "is not covered by the head",
        };
        write!(f, "audit entry {} {what}", self.seq)
    }
}

impl std::error::Error for Broken {}

/// What an entry says about its payload: sha256(salt ‖ payload).
pub fn commitment(salt: &[u8; 32], payload: &str) -> [u8; 32] {
    Sha256::new().chain_update(salt).chain_update(payload).finalize().into()
}

/// The hash that an entry must have after `prev`: sha256(prev ‖ seq ‖ event_id ‖ at_micros ‖ sha256(action) ‖
/// sha256(stream) ‖ stream_seq ‖ commitment). The entry's own `hash` does not count.
///
/// The numbers are eight bytes big-endian (PostgreSQL's `int8send`), the id its sixteen bytes.
pub fn entry_hash(prev: &[u8; 32], entry: &Entry) -> [u8; 32] {
    let place = Sha256::new().chain_update(prev).chain_update(entry.seq.to_be_bytes());
    let event = place.chain_update(entry.event_id.as_bytes()).chain_update(entry.at_micros.to_be_bytes());
    let event = event.chain_update(Sha256::digest(&entry.action)).chain_update(Sha256::digest(&entry.stream));
    event.chain_update(entry.stream_seq.to_be_bytes()).chain_update(entry.commitment).finalize().into()
}

/// Checks a chain, given in the order of `seq`, and says how many entries it has.
///
/// `head` is the position and hash of the newest entry, kept apart from the entries. Erased payloads pass.
/// The error names the first position where the chain is broken.
pub fn verify(mut entries: impl Iterator<Item = Entry>, head: Option<(i64, [u8; 32])>) -> Result<u64, Broken> {
    let (mut last, mut prev) = (0i64, GENESIS);
    while let Some(entry) = entries.next() {
        let seq = last.saturating_add(1);
        if entry.seq != seq {
            let moved = entry.seq < seq || entries.any(|later| later.seq == seq);
            return Err(Broken { seq, what: if moved { BrokenKind::Reordered } else { BrokenKind::Gap } });
        }
        check(&prev, &entry).map_err(|what| Broken { seq, what })?;
        (last, prev) = (seq, entry.hash);
    }
    check_head(last, &prev, head)?;
    Ok(last.unsigned_abs())
}

fn check(prev: &[u8; 32], entry: &Entry) -> Result<(), BrokenKind> {
    if entry_hash(prev, entry) != entry.hash {
        return Err(BrokenKind::AlteredEntry);
    }
    let (salt, payload) = match (&entry.salt, &entry.payload) {
        (None, None) => return Ok(()),
        (Some(salt), Some(payload)) => (salt.as_slice(), payload),
        _ => return Err(BrokenKind::AlteredPayload),
    };
    match salt.try_into() {
        Ok(salt) if commitment(salt, payload) == entry.commitment => Ok(()),
        _ => Err(BrokenKind::AlteredPayload),
    }
}

fn check_head(last: i64, hash: &[u8; 32], head: Option<(i64, [u8; 32])>) -> Result<(), Broken> {
    let (seq, expected) = head.unwrap_or((0, GENESIS));
    if seq > last {
        return Err(Broken { seq: last.saturating_add(1), what: BrokenKind::TailCut });
    }
    if seq < last {
        return Err(Broken { seq: seq.max(0).saturating_add(1), what: BrokenKind::HeadMissing });
    }
    if expected != *hash {
        return Err(Broken { seq, what: BrokenKind::AlteredEntry });
    }
    Ok(())
}
