//! Instants as the API writes and reads them (RFC 3339).

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::Offset;

/// Whether `text` has the form of an RFC 3339 date-time (section 5.6): with seconds and an offset, and nothing that
/// other ISO 8601 readers would also take.
fn is_rfc3339(text: &str) -> bool {
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

/// The instant that `text` says, an RFC 3339 date-time; `None` for any other text. A leap second counts as the one
/// before it, as POSIX has none.
///
/// jiff reads more than this, names of zones for one, and so brings its zone data into every component that reads a
/// time, 200 KB of them.
pub fn parse(text: &str) -> Option<Timestamp> {
    if !is_rfc3339(text) {
        return None;
    }
    let two = |at: usize| text.get(at..at + 2)?.parse::<i8>().ok();
    let date = date(text.get(..10)?)?;
    let rest = text.get(19..)?;
    let (fraction, zone) = rest.split_at_checked(rest.len() - fraction_end(rest.as_bytes()).len())?;
    let nanos = format!("{:0<9}", fraction.trim_start_matches('.')).parse().ok()?;
    let second = two(17)?;
    let time = Time::new(two(11)?, two(14)?, if second == 60 { 59 } else { second }, nanos).ok()?;
    offset(zone)?.to_timestamp(date.to_datetime(time)).ok()
}

/// An instant as an RFC 3339 date-time in UTC with microseconds, as the answers have it.
///
/// jiff's own way brings the words for all its errors along, 90 KB of them.
pub fn print(at: Timestamp) -> String {
    let utc = Offset::UTC.to_datetime(at);
    let (year, month, day) = (utc.year(), utc.month(), utc.day());
    let (hour, minute, second) = (utc.hour(), utc.minute(), utc.second());
    let micros = utc.subsec_nanosecond() / 1000;
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// The date that `text` says, as RFC 3339 has it (`full-date`, section 5.6).
pub fn date(text: &str) -> Option<Date> {
    let mut parts = text.split('-');
    let mut part = |digits: usize| {
        let part = parts.next()?;
        (part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse::<i16>().ok())?
    };
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok();
    date.filter(|_| parts.next().is_none())
}

/// An offset as RFC 3339 has it.
fn offset(text: &str) -> Option<Offset> {
    if matches!(text, "Z" | "z") {
        return Some(Offset::UTC);
    }
    let (sign, digits) = text.split_at_checked(1)?;
    let (hours, minutes) = digits.split_once(':')?;
    let seconds = hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60;
    Offset::from_seconds(if sign == "-" { -seconds } else { seconds }).ok()
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
    fn reads_instants_as_jiff_does() {
        for text in [
            "2026-02-10T09:00:00Z",
            "1969-12-31t23:59:59z",
            "2026-02-10T09:00:00.5+05:30",
            "2026-02-10T09:00:00.000001Z",
            "2028-02-29T23:59:59.123456789-23:59",
            "0001-01-01T00:00:00Z",
            "2016-12-31T23:59:60Z",
        ] {
            assert_eq!(parse(text), text.parse().ok(), "{text}");
            assert!(parse(text).is_some(), "{text}");
        }
        for text in ["2026-02-30T09:00:00Z", "2026-13-01T09:00:00Z", "2026-02-10T24:00:00Z", "2026-02-10", "x"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn reads_dates() {
        assert_eq!(date("2028-02-29"), Some(Date::constant(2028, 2, 29)));
        for text in ["2026-02-29", "2026-2-10", "2026-02-10-", "2026-02-1x", "+026-02-10", "20260210", "", "2026-02"] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn prints_what_it_reads() {
        let at = Timestamp::from_microsecond(1_770_000_000_000_001).unwrap();
        assert_eq!(print(at), "2026-02-02T02:40:00.000001Z");
        assert_eq!(parse(&print(at)), Some(at));
        assert_eq!(print(Timestamp::from_second(-62_135_596_800).unwrap()), "0001-01-01T00:00:00.000000Z");
    }

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
