//! The one place where time and chance enter: everything else gets them from here, as parameters.
#![allow(clippy::disallowed_methods, reason = "this is that place")]

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// The time, in whole microseconds, as PostgreSQL keeps it.
pub fn now() -> Timestamp {
    let now = wasi::clocks::wall_clock::now();
    let micros = i64::try_from(now.seconds).unwrap_or(0).saturating_mul(1_000_000) + i64::from(now.nanoseconds / 1000);
    Timestamp::from_microsecond(micros).unwrap_or_default()
}

/// The moment `by` after `at`, or before it where `by` is negative, in whole microseconds.
///
/// A moment that no timestamp can hold is `at` itself: jiff's own `+` would panic, and brings 100 KB of words for it.
pub fn shifted(at: Timestamp, by: SignedDuration) -> Timestamp {
    let by = i64::try_from(by.as_micros()).unwrap_or(0);
    Timestamp::from_microsecond(at.as_microsecond().saturating_add(by)).unwrap_or(at)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_shifted_both_ways_and_never_out_of_range() {
        let at = Timestamp::from_second(60).unwrap();
        assert_eq!(shifted(at, SignedDuration::from_secs(30)).as_second(), 90);
        assert_eq!(shifted(at, SignedDuration::from_millis(-1)).as_millisecond(), 59_999);
        assert_eq!(shifted(Timestamp::MAX, SignedDuration::from_hours(1)), Timestamp::MAX);
    }
}
