//! Time zones: IANA names, and the one place where local time becomes an instant.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};

/// The text is no IANA name of the bundled database; it holds that text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownZone(pub String);

impl fmt::Display for UnknownZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start: String = self.0.chars().take(64).collect();
        write!(f, "{start:?} is no time zone: use an IANA name such as Europe/Berlin or UTC")
    }
}

impl std::error::Error for UnknownZone {}

/// The zone of an IANA name, spelt exactly as in the bundled database.
///
/// Offsets, POSIX strings and other spellings of a name are refused: a stored name must mean the same everywhere.
pub fn zone(name: &str) -> Result<TimeZone, UnknownZone> {
    let found = TimeZoneDatabase::bundled().get(name);
    found.ok().filter(|zone| zone.iana_name() == Some(name)).ok_or_else(|| UnknownZone(name.to_owned()))
}

/// The instant of a local time.
///
/// In a gap the offset before it counts (02:30 in spring is 03:30 on the new clock), in an overlap the first of the
/// two instants (RFC 5545 section 3.3.5). Beyond the range of [`Timestamp`] the nearest end is the answer, in
/// whole seconds, since its last fraction of a second has no count of microseconds that could be read back.
pub fn to_utc(local: DateTime, zone: &TimeZone) -> Timestamp {
    let end = if local.year() < 1970 { Timestamp::MIN } else { Timestamp::MAX };
    let end = Timestamp::from_second(end.as_second()).unwrap_or(end);
    let offset = match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset,
        AmbiguousOffset::Gap { before, .. } | AmbiguousOffset::Fold { before, .. } => before,
    };
    offset.to_timestamp(local).unwrap_or(end)
}

/// What the clocks of the zone show at an instant.
pub fn to_local(at: Timestamp, zone: &TimeZone) -> DateTime {
    zone.to_offset(at).to_datetime(at)
}
