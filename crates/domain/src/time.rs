//! Instants as the API writes and reads them (RFC 3339).

use jiff::Timestamp;

/// Whether `text` has the form of an RFC 3339 date-time (section 5.6): with seconds and an offset, and nothing that
/// other ISO 8601 readers would also take.
pub fn is_rfc3339(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(head), Some(rest)) = (bytes.get(..19), bytes.get(19..)) else {
        return false;
    };
    let shape = head.iter().zip(b"0000-00-00T00:00:00").all(|(byte, form)| match form {
        b'0' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b't'),
        other => byte == other,
    });
    shape && is_offset(fraction_end(rest))
}

/// What follows an optional fraction of 1 to 9 digits.
fn fraction_end(rest: &[u8]) -> &[u8] {
    let Some(digits) = rest.strip_prefix(b".") else {
        return rest;
    };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if (1..=9).contains(&count) { digits.get(count..).unwrap_or_default() } else { b"?" }
}

fn is_offset(text: &[u8]) -> bool {
    match text {
        b"Z" | b"z" => true,
        [b'+' | b'-', hour @ .., b':', m1, m2] => up_to(hour, b"23") && up_to(&[*m1, *m2], b"59"),
        _ => false,
    }
}

/// Whether `number` is two digits that are not more than `last`.
fn up_to(number: &[u8], last: &[u8; 2]) -> bool {
    number.len() == 2 && number.iter().all(u8::is_ascii_digit) && number <= last.as_slice()
}

/// The same instant without what is finer than a microsecond, which PostgreSQL could not keep.
pub fn to_micros(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_rfc_3339() {
        for good in
            ["2026-02-10T09:00:00Z", "2026-02-10t09:00:00z", "2026-02-10T09:00:00.5+05:30", "2026-02-10T09:00:00-23:59"]
        {
            assert!(is_rfc3339(good), "{good}");
        }
        for bad in [
            "",
            "2026-02-10",
            "2026-02-10T09:00Z",
            "2026-02-10T09:00:00",
            "2026-02-10 09:00:00Z",
            "20260210T090000Z",
            "2026-02-10T09:00:00.Z",
            "2026-02-10T09:00:00+0530",
            "2026-02-10T09:00:00+24:00",
            "2026-02-10T09:00:00+01:60",
            "2026-02-10T09:00:00+:30",
            "2026-02-10T09:00:00Z[UTC]",
            "+002026-02-10T09:00:00Z",
        ] {
            assert!(!is_rfc3339(bad), "{bad}");
        }
    }
}
