//! The wake-up of the relay: a word on a Redis channel that something is in the outbox. It may be lost; the tick is the
//! net under it.

use spin_sdk::redis::Connection;

/// Publishes the hint, unless the variable `hint_channel` is empty. Failure is of no consequence.
pub fn publish() {
    let variable = |name| spin_sdk::variables::get(name).ok().filter(|value: &String| !value.is_empty());
    let (Some(channel), Some(url)) = (variable("hint_channel"), variable("redis_url")) else {
        return;
    };
    if let Ok(connection) = Connection::open(&url) {
        let _lost = connection.publish(&channel, b"outbox".as_ref());
    }
}
