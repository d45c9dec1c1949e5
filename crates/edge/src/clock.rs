//! The one place where time and chance enter: everything else gets them from here, as parameters.
#![allow(clippy::disallowed_methods, reason = "this is that place")]

use jiff::Timestamp;
use uuid::Uuid;

/// The time, in whole microseconds, as PostgreSQL keeps it.
pub fn now() -> Timestamp {
    let now = wasi::clocks::wall_clock::now();
    let micros = i64::try_from(now.seconds).unwrap_or(0).saturating_mul(1_000_000) + i64::from(now.nanoseconds / 1000);
    Timestamp::from_microsecond(micros).unwrap_or_default()
}

/// `count` random bytes from the host's secure source.
pub fn random(count: u64) -> Vec<u8> {
    wasi::random::random::get_random_bytes(count)
}

/// A new id: a UUID of version 7 (RFC 9562, section 5.7) of the moment `at`.
pub fn new_id(at: Timestamp) -> Uuid {
    let [id] = new_ids(at);
    id
}

/// Several new ids for the price of one call to the host.
pub fn new_ids<const N: usize>(at: Timestamp) -> [Uuid; N] {
    let bytes = random(10 * N as u64);
    let millis = u64::try_from(at.as_millisecond()).unwrap_or(0);
    let mut chunks = bytes.chunks_exact(10);
    std::array::from_fn(|_| {
        let mut tail = [0; 10];
        if let Some(chunk) = chunks.next() {
            tail.copy_from_slice(chunk);
        }
        uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid()
    })
}
