//! Events as they travel: CloudEvents 1.0 in structured JSON.

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A task was created.
pub const TASK_CREATED: &str = "dev.spindle.task.created.v1";
/// Fields of a task were changed; `changed` names them.
pub const TASK_UPDATED: &str = "dev.spindle.task.updated.v1";
/// A task was completed.
pub const TASK_COMPLETED: &str = "dev.spindle.task.completed.v1";
/// A completed task was opened again.
pub const TASK_REOPENED: &str = "dev.spindle.task.reopened.v1";
/// A task was deleted.
pub const TASK_DELETED: &str = "dev.spindle.task.deleted.v1";
/// A series began with its first task.
pub const SERIES_CREATED: &str = "dev.spindle.series.created.v1";
/// A series went on to its next occurrence.
pub const SERIES_ADVANCED: &str = "dev.spindle.series.advanced.v1";
/// A series ended; `reason` says why.
pub const SERIES_ENDED: &str = "dev.spindle.series.ended.v1";
/// A reminder went off.
pub const REMINDER_DUE: &str = "dev.spindle.reminder.due.v1";
/// A reminder was more than a day late and did not go off.
pub const REMINDER_EXPIRED: &str = "dev.spindle.reminder.expired.v1";

/// Every type that the relay hands over.
pub const TYPES: [&str; 10] = [
    TASK_CREATED,
    TASK_UPDATED,
    TASK_COMPLETED,
    TASK_REOPENED,
    TASK_DELETED,
    SERIES_CREATED,
    SERIES_ADVANCED,
    SERIES_ENDED,
    REMINDER_DUE,
    REMINDER_EXPIRED,
];

/// An operator gave up an event for a consumer; `reason` says why. What skips the event writes this into the inbox of
/// the audit log: it never crosses the relay, so it is not among [`TYPES`].
pub const EVENT_SKIPPED: &str = "dev.spindle.event.skipped.v1";

/// A body that was received and is no event; it is kept for an operator and never applied.
pub const UNREADABLE: &str = "unreadable";

/// Every consumer, by the name that its inbox, its routes and its Kafka consumer group have.
pub const CONSUMERS: [&str; 4] = ["audit", "notifications", "recurrence", "reminders"];

/// Who has a use for events of a type. Types that are not known are kept in the audit log alone.
pub fn consumers(kind: &str) -> &'static [&'static str] {
    match kind {
        TASK_COMPLETED => &["recurrence", "reminders", "audit"],
        TASK_CREATED | TASK_UPDATED | TASK_REOPENED | TASK_DELETED => &["reminders", "audit"],
        REMINDER_DUE => &["notifications", "audit"],
        _ => &["audit"],
    }
}

/// Every consumer and type that it has a use for, in pairs: the names, and the types.
pub fn uses() -> (Vec<String>, Vec<String>) {
    let pairs = TYPES.iter().flat_map(|kind| consumers(kind).iter().map(move |name| (*name, *kind)));
    pairs.map(|(name, kind)| (name.to_owned(), kind.to_owned())).unzip()
}

/// How many days an event is told from those before it: archive and ledger are partitioned by [`slot`].
pub const SLOTS: i64 = 17;

/// The partition of an event's id: the day in a UUID of version 7 (RFC 9562, section 5.7), modulo [`SLOTS`].
pub fn slot(id: Uuid) -> i32 {
    let millis = id.as_u128() >> 80;
    i32::try_from(millis / 86_400_000 % SLOTS.unsigned_abs() as u128).unwrap_or(0)
}

/// An id for a body that is no event: of version 8 (RFC 9562, section 5.8), the moment's day and the body's SHA-256, so
/// that the same body has the same id all day.
pub fn unreadable_id(now: Timestamp, body: &[u8]) -> Uuid {
    let mut bytes = [0; 16];
    let day = day(now).unsigned_abs() * 86_400_000;
    let hash = Sha256::digest(body);
    for (to, from) in bytes.iter_mut().zip(day.to_be_bytes().into_iter().skip(2).chain(hash)) {
        *to = from;
    }
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// The partition that is emptied at an instant: of the day that will be written to next.
pub fn leaving_slot(now: Timestamp) -> i32 {
    i32::try_from((day(now) + 1).rem_euclid(SLOTS)).unwrap_or(0)
}

/// The day of an instant in UTC, counted from 1970-01-01.
fn day(at: Timestamp) -> i64 {
    at.as_second().div_euclid(86_400)
}

/// The media type of an event in structured JSON (CloudEvents HTTP binding, section 3.2).
pub const MEDIA_TYPE: &str = "application/cloudevents+json";

/// An event (CloudEvents 1.0, section 3), as `schemas/events` describes it. Unknown attributes are ignored, as its
/// consumers must.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Always `1.0`.
    pub specversion: String,
    /// Unique for ever: an event that comes again has the same.
    pub id: Uuid,
    /// Always `/spindle`.
    pub source: String,
    /// One of [`TYPES`].
    #[serde(rename = "type")]
    pub kind: String,
    /// The stream: `task/<id>`, `series/<id>` or `reminder/<id>`.
    pub subject: String,
    /// When it happened.
    #[serde(serialize_with = "write_time", deserialize_with = "read_time")]
    pub time: Timestamp,
    /// Always `application/json`.
    pub datacontenttype: String,
    /// Whose event it is (extension attribute).
    pub userid: Uuid,
    /// Its place in its stream, dense from 1, as digits (extension attribute `sequence`). Versions of an event that
    /// tell of the same fact share `subject` and `sequence`.
    pub sequence: String,
    /// The trace it belongs to, if any (CloudEvents' extension "Distributed Tracing"); what names none is not taken.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "read_traceparent")]
    pub traceparent: Option<String>,
    /// What happened.
    pub data: Value,
}

fn write_time<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&crate::time::print(*time))
}

fn read_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    crate::time::parse(&text).ok_or_else(|| D::Error::custom("time is no RFC 3339 date-time"))
}

fn read_traceparent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(value.as_str().filter(|text| crate::trace::is_parent(text)).map(str::to_owned))
}

impl Event {
    /// An event of our own, which belongs to no trace.
    pub fn new(
        id: Uuid,
        kind: String,
        subject: String,
        sequence: i64,
        time: Timestamp,
        userid: Uuid,
        data: Value,
    ) -> Self {
        Self {
            specversion: "1.0".to_owned(),
            id,
            source: "/spindle".to_owned(),
            kind,
            subject,
            time,
            datacontenttype: "application/json".to_owned(),
            userid,
            sequence: sequence.to_string(),
            traceparent: None,
            data,
        }
    }

    /// Reads an event.
    ///
    /// # Errors
    /// What is wrong with it, for the log.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let event: Event = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if event.specversion != "1.0" {
            return Err(format!("specversion {} is not 1.0", event.specversion));
        }
        if event.stream_seq().is_none() {
            return Err(format!("sequence {:?} is not a number from 1", event.sequence));
        }
        Ok(event)
    }

    /// Its place in its stream, from 1.
    pub fn stream_seq(&self) -> Option<i64> {
        self.sequence.parse().ok().filter(|seq| *seq >= 1)
    }

    /// An id in the data, such as `task_id`.
    pub fn data_id(&self, name: &str) -> Option<Uuid> {
        self.data.get(name)?.as_str()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event() -> Event {
        let data = json!({"task_id": "0197a000-0000-7000-8000-000000000002"});
        let time = Timestamp::from_second(1_770_000_000).unwrap();
        Event::new(Uuid::from_u128(1), TASK_CREATED.into(), "task/x".into(), 3, time, Uuid::from_u128(2), data)
    }

    #[test]
    fn survives_its_own_json() {
        let event = event();
        let json = serde_json::to_vec(&event).unwrap();
        assert_eq!(Event::parse(&json), Ok(event.clone()));
        assert_eq!(event.stream_seq(), Some(3));
        assert!(event.data_id("task_id").is_some());
    }

    #[test]
    fn ignores_what_it_does_not_know() {
        let mut json = serde_json::to_value(event()).unwrap();
        json["tracestate"] = json!("a=b");
        assert!(Event::parse(json.to_string().as_bytes()).is_ok());
    }

    #[test]
    fn a_day_that_is_emptied_holds_nothing_younger_than_fifteen_days() {
        const DAY: u64 = 86_400;
        let id = |second: u64| uuid::Builder::from_unix_timestamp_millis(second * 1000, &[0; 10]).into_uuid();
        for now in [1_770_000_000, 1_770_076_800 - 1, 1_770_076_800] {
            let leaving = leaving_slot(Timestamp::from_second(now as i64).unwrap());
            for days in 0..=15 {
                assert_ne!(slot(id(now - days * DAY)), leaving, "{days} days old");
            }
            assert_eq!(slot(id(now - 16 * DAY)), leaving);
            assert_eq!(slot(id(now + DAY)), leaving, "before it is written to");
        }
    }

    #[test]
    fn the_same_unreadable_body_has_the_same_id_all_day() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let id = unreadable_id(at(1_770_000_000), b"x");
        assert_eq!(id, unreadable_id(at(1_770_000_001), b"x"));
        assert_ne!(id, unreadable_id(at(1_770_000_001), b"y"));
        assert_eq!(leaving_slot(at(1_770_000_000 - 86_400)), slot(id), "it goes with its day");
        assert_eq!(id.get_version_num(), 8);
    }

    #[test]
    fn every_type_is_for_known_consumers_and_the_audit_log() {
        for kind in TYPES {
            assert!(consumers(kind).contains(&"audit"), "{kind}");
            assert!(consumers(kind).iter().all(|name| CONSUMERS.contains(name)), "{kind}");
        }
    }

    #[test]
    fn carries_its_trace_and_is_read_without_one() {
        let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let mut json = serde_json::to_value(event()).unwrap();
        assert_eq!(json.get("traceparent"), None);
        json["traceparent"] = json!(traceparent);
        let read = Event::parse(json.to_string().as_bytes()).unwrap();
        assert_eq!(read.traceparent.as_deref(), Some(traceparent));
        assert_eq!(serde_json::to_value(read).unwrap(), json);
        for unread in [json!("00-1-1-01"), json!(7), json!(null)] {
            json["traceparent"] = unread;
            assert_eq!(Event::parse(json.to_string().as_bytes()), Ok(event()));
        }
    }

    #[test]
    fn refuses_a_bad_envelope() {
        for (field, value) in [("specversion", "0.3"), ("sequence", "0"), ("sequence", "x"), ("id", "x"), ("time", "x")]
        {
            let mut json = serde_json::to_value(event()).unwrap();
            json[field] = json!(value);
            assert!(Event::parse(json.to_string().as_bytes()).is_err(), "{field}={value}");
        }
    }
}
