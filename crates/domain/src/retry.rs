//! When something that failed is tried again.

/// Attempts after which a delivery or an event counts as dead: visible, and tried again only when someone asks.
pub const MAX_ATTEMPTS: u32 = 8;

/// The longest wait between two attempts, in seconds.
const LONGEST_WAIT: u32 = 300;

/// Seconds to wait after failed attempt number `attempt` (1 is the first): 2^attempt, at most 300.
pub fn backoff_seconds(attempt: u32) -> u32 {
    2u32.checked_pow(attempt).map_or(LONGEST_WAIT, |wait| wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_five_minutes() {
        let waits: Vec<u32> = (0..=10).map(backoff_seconds).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(backoff_seconds(31), 300);
        assert_eq!(backoff_seconds(32), 300);
        assert_eq!(backoff_seconds(u32::MAX), 300);
    }
}
