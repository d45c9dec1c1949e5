//! Time zones, and the instants of local times that do not exist or exist twice.

use domain::zone::{UnknownZone, to_local, to_utc, zone};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use proptest::prelude::*;

/// Zone, local time, instant.
const TIMES: &[(&str, &str, &str)] = &[
    ("UTC", "2026-11-21T12:00", "2026-11-21T12:00:00Z"),
    ("America/New_York", "2026-03-08T01:59:59", "2026-03-08T06:59:59Z"),
    ("America/New_York", "2026-03-08T02:30", "2026-03-08T07:30:00Z"),
    ("America/New_York", "2026-03-08T03:00", "2026-03-08T07:00:00Z"),
    ("America/New_York", "2026-11-01T01:30", "2026-11-01T05:30:00Z"),
    ("America/New_York", "2026-11-01T02:00", "2026-11-01T07:00:00Z"),
    // Half an hour of daylight saving, in the southern summer.
    ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:45:00Z"),
    ("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45:00Z"),
    ("Pacific/Kiritimati", "2026-01-01T00:00", "2025-12-31T10:00:00Z"),
    ("Pacific/Pago_Pago", "2026-01-01T00:00", "2026-01-01T11:00:00Z"),
    // Samoa skipped this day.
    ("Pacific/Apia", "2011-12-29T23:59:59", "2011-12-30T09:59:59Z"),
    ("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T22:00:00Z"),
    ("Pacific/Apia", "2011-12-31T00:00", "2011-12-30T10:00:00Z"),
    ("Asia/Kathmandu", "2026-06-01T09:00", "2026-06-01T03:15:00Z"),
    // Daylight saving that is negative, in winter.
    ("Europe/Dublin", "2026-10-25T01:30", "2026-10-25T00:30:00Z"),
    // Where the table of transitions ends, its rule goes on.
    ("America/New_York", "2150-07-01T09:00", "2150-07-01T13:00:00Z"),
];

#[test]
fn instants_of_local_times() {
    for (name, local, utc) in TIMES {
        let local: DateTime = local.parse().unwrap();
        assert_eq!(to_utc(local, &zone(name).unwrap()).to_string(), *utc, "{local} in {name}");
    }
}

#[test]
fn only_the_names_of_the_database() {
    for name in ["UTC", "Europe/Berlin", "America/Argentina/ComodRivadavia", "Etc/GMT+5", "US/Eastern", "GMT"] {
        assert_eq!(zone(name).unwrap().iana_name(), Some(name));
    }
    let refused = [
        "",
        " ",
        "utc",
        "Utc",
        "europe/berlin",
        "EUROPE/BERLIN",
        " UTC",
        "UTC ",
        "UTC\0",
        "+02:00",
        "Z",
        "EST5EDT4",
        "EST5EDT,M3.2.0,M11.1.0",
        ":UTC",
        "Etc/Unknown",
        "etc/unknown",
        "local",
        "Europe",
        "Europe/",
        "../UTC",
        "/etc/localtime",
        "Mars/Olympus",
    ];
    for name in refused {
        assert_eq!(zone(name), Err(UnknownZone(name.to_owned())), "{name:?}");
    }
    let error = zone(&"x".repeat(10_000)).unwrap_err().to_string();
    assert!(error.len() < 200 && error.contains("Europe/Berlin"), "{error}");
}

#[test]
fn the_ends_of_time_are_the_ends() {
    let fixed = |hours| TimeZone::fixed(jiff::tz::offset(hours));
    let last = Timestamp::from_second(Timestamp::MAX.as_second()).unwrap();
    assert_eq!(to_utc(DateTime::MAX, &fixed(-25)), last);
    assert_eq!(Timestamp::from_microsecond(last.as_microsecond()).unwrap(), last);
    assert_eq!(to_utc(DateTime::MIN, &fixed(25)), to_utc(DateTime::MIN, &fixed(25)).max(Timestamp::MIN));
    for name in ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/New_York"] {
        let zone = zone(name).unwrap();
        assert!(to_utc(DateTime::MAX, &zone) > to_utc(DateTime::MIN, &zone));
        assert!(to_local(Timestamp::MAX, &zone) > to_local(Timestamp::MIN, &zone));
    }
}

proptest! {
    /// An instant shows as a local time whose first instant is that one or, in an overlap, an earlier one.
    #[test]
    fn there_and_back(seconds in -5_000_000_000i64..20_000_000_000, name in 0usize..TIMES.len()) {
        let zone = zone(TIMES[name].0).unwrap();
        let at = Timestamp::from_second(seconds).unwrap();
        let back = to_utc(to_local(at, &zone), &zone);
        prop_assert!(back <= at && to_local(back, &zone) == to_local(at, &zone), "{at} {back}");
    }
}
