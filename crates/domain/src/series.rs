//! Series: which occurrence of a recurring task comes next.

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::rrule::{Rule, RuleError};
use crate::zone::{to_local, to_utc};

/// The time from which the reminders of an all-day task count back: 09:00 on its date, local time.
pub const ALL_DAY: Time = Time::constant(9, 0, 0, 0);

/// The most past occurrences that are counted one by one.
const MAX_SKIPPED: u32 = 10_000;

/// No local time later than this before now is past by the clock and still to come as an instant: a change of
/// offset moves a clock by at most a day.
const LONGEST_SHIFT: SignedDuration = SignedDuration::from_hours(48);

/// What comes after a series' cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// There is an occurrence that is not yet past.
    At {
        /// Its identity: the naive local time.
        local: DateTime,
        /// When it is due; for an all-day series at [`ALL_DAY`] on its date.
        due: Timestamp,
        /// How many occurrences lie between the cursor and it, already past. 10,000 means that many or more.
        skipped: u32,
    },
    /// The rule has no more occurrences.
    Ended,
}

/// The first occurrence after `cursor` that is not yet past at `now`.
///
/// An occurrence is past once its instant is before `now`; of an all-day series (`date_only`) once its date is before
/// today in the zone. A UTC `UNTIL` is compared in `zone`. Errors are those of [`Rule::next`].
pub fn next_occurrence(
    rule: &Rule,
    dtstart: DateTime,
    zone: &TimeZone,
    cursor: DateTime,
    date_only: bool,
    now: Timestamp,
) -> Result<Next, RuleError> {
    let rule = rule.until_in(zone);
    let today = to_local(now, zone);
    let past = |local: DateTime| if date_only { local.date() < today.date() } else { to_utc(local, zone) < now };
    let mut walk = rule.walk(dtstart, cursor);
    let mut skipped = 0;
    while let Some(local) = walk.advance()? {
        if !past(local) {
            let at = if date_only { local.date().to_datetime(ALL_DAY) } else { local };
            return Ok(Next::At { local, due: to_utc(at, zone), skipped });
        }
        if skipped < MAX_SKIPPED {
            skipped += 1;
            if skipped == MAX_SKIPPED {
                walk = rule.walk(dtstart, local.max(today.saturating_sub(LONGEST_SHIFT)));
            }
        }
    }
    Ok(Next::Ended)
}
