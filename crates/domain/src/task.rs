//! What a task may be, and what becomes of it when a client creates or patches it.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use serde_json::Value;

use crate::input::{self, FieldError, Input};
use crate::rrule::Rule;
use crate::series::ALL_DAY;
use crate::zone;

/// Most reminders a task can have.
pub const REMINDERS_MAX: usize = 10;
/// Most tags a task can have.
pub const TAGS_MAX: usize = 50;
/// The longest time a reminder comes before its task, in minutes: a year.
pub const REMINDER_MINUTES_MAX: i64 = 525_600;

/// The fields of a task that a client writes, `id` aside.
pub const FIELDS: [&str; 8] =
    ["title", "description", "priority", "tags", "due_date", "time_zone", "recurrence_rule", "reminder_minutes"];

/// When a task is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// A day without a time, wherever the user is.
    Day(civil::Date),
    /// An instant.
    At(Timestamp),
}

impl Due {
    /// Reads a date (`2026-02-10`) or a date-time with an offset (RFC 3339, section 5.6), of which whole seconds count.
    ///
    /// # Errors
    /// `type` or `format`, with what is allowed.
    pub fn parse(value: &Value) -> Result<Self, (&'static str, String)> {
        let allowed =
            "must be a date (2026-02-10) or a date-time with an offset (2026-02-10T09:00:00Z), from 1970 to 9998";
        let Some(text) = value.as_str() else {
            return Err(("type", allowed.to_owned()));
        };
        let due = if text.len() == 10 {
            crate::time::date(text).map(Due::Day)
        } else {
            crate::time::parse(text).and_then(whole_second).map(Due::At)
        };
        due.filter(|due| (1970..=9998).contains(&due.local(&TimeZone::UTC).year()))
            .ok_or_else(|| ("format", allowed.to_owned()))
    }

    /// The wall clock in `zone`; midnight for a day.
    pub fn local(&self, zone: &TimeZone) -> civil::DateTime {
        match self {
            Due::Day(day) => day.to_datetime(civil::Time::midnight()),
            Due::At(at) => zone::to_local(*at, zone),
        }
    }

    /// The instant from which reminders count back: for a day, [`ALL_DAY`] in `zone`.
    pub fn instant(&self, zone: &TimeZone) -> Timestamp {
        match self {
            Due::Day(day) => zone::to_utc(day.to_datetime(ALL_DAY), zone),
            Due::At(at) => *at,
        }
    }
}

/// The second that an instant is in; none for one before 1970, which would be rounded into it.
fn whole_second(at: Timestamp) -> Option<Timestamp> {
    Timestamp::from_second(at.as_second()).ok().filter(|second| *second <= at)
}

/// What a client decides about a task.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Task {
    /// 1 to 500 characters.
    pub title: String,
    /// Up to 20,000 characters.
    pub description: Option<String>,
    /// 1 (most urgent) to 4.
    pub priority: Option<i32>,
    /// Sorted, without repeats.
    pub tags: Vec<String>,
    /// When it is due.
    pub due: Option<Due>,
    /// IANA name; none means the account's.
    pub time_zone: Option<String>,
    /// Canonical RRULE (RFC 5545, section 3.3.10).
    pub rule: Option<String>,
    /// Minutes before it is due, the longest first.
    pub reminder_minutes: Vec<i32>,
}

impl Task {
    /// The task after what `input` says: absent fields stay, null ones go back to their default (RFC 7396). A new task
    /// is a patch of the default one, whose title is then required.
    pub fn patched(&self, input: &mut Input) -> Task {
        let title = if self.title.is_empty() || input.has("title") {
            input.require("title", title).unwrap_or_default()
        } else {
            self.title.clone()
        };
        let mut task = Task {
            title,
            description: option(input, "description", &self.description, |v| input::text(v, 0, 20_000)),
            priority: option(input, "priority", &self.priority, priority),
            tags: input.read("tags", tags).over(self.tags.clone(), Vec::new()),
            due: option(input, "due_date", &self.due, Due::parse),
            time_zone: option(input, "time_zone", &self.time_zone, time_zone),
            rule: option(input, "recurrence_rule", &self.rule, rule),
            reminder_minutes: input
                .read("reminder_minutes", reminder_minutes)
                .over(self.reminder_minutes.clone(), Vec::new()),
        };
        if task.description.as_deref() == Some("") {
            task.description = None;
        }
        if task.rule.is_some() && task.due.is_none() && !input.faulty("due_date") {
            input.fault("due_date", "required", "a recurring task needs a due_date: its first occurrence");
        }
        task
    }

    /// The names of the fields in which `after` differs.
    pub fn changes(&self, after: &Task) -> Vec<String> {
        let differs = [
            self.title != after.title,
            self.description != after.description,
            self.priority != after.priority,
            self.tags != after.tags,
            self.due != after.due,
            self.time_zone != after.time_zone,
            self.rule != after.rule,
            self.reminder_minutes != after.reminder_minutes,
        ];
        let names = FIELDS.iter().zip(differs).filter(|(_, differs)| *differs);
        names.map(|(name, _)| (*name).to_owned()).collect()
    }

    /// The zone that counts for this task: its own, else the account's, else UTC.
    pub fn zone(&self, account_zone: &str) -> (String, TimeZone) {
        let name = self.time_zone.as_deref().unwrap_or(account_zone);
        match zone::zone(name) {
            Ok(zone) => (name.to_owned(), zone),
            Err(_) => ("UTC".to_owned(), TimeZone::UTC),
        }
    }
}

/// An optional field: absent keeps `present`, null clears.
fn option<T: Clone>(
    input: &mut Input,
    field: &str,
    present: &Option<T>,
    parse: impl FnOnce(&Value) -> Result<T, (&'static str, String)>,
) -> Option<T> {
    input.read(field, |value| parse(value).map(Some)).over(present.clone(), None)
}

fn title(value: &Value) -> Result<String, (&'static str, String)> {
    let title = input::text(value, 1, 500)?;
    let trimmed = title.trim();
    if trimmed.is_empty() {
        return Err(("length", "must not be blank".to_owned()));
    }
    Ok(trimmed.to_owned())
}

/// `P1` to `P4`.
fn priority(value: &Value) -> Result<i32, (&'static str, String)> {
    match value.as_str() {
        Some("P1") => Ok(1),
        Some("P2") => Ok(2),
        Some("P3") => Ok(3),
        Some("P4") => Ok(4),
        Some(_) => Err(("format", "must be P1, P2, P3, P4 or null".to_owned())),
        None => Err(("type", "must be P1, P2, P3, P4 or null".to_owned())),
    }
}

fn tags(value: &Value) -> Result<Vec<String>, (&'static str, String)> {
    let allowed = || format!("must be a list of at most {TAGS_MAX} strings of 1 to 50 characters");
    let Some(list) = value.as_array() else {
        return Err(("type", allowed()));
    };
    if list.len() > TAGS_MAX {
        return Err(("length", allowed()));
    }
    let mut tags = BTreeSet::new();
    for tag in list {
        let tag = input::text(tag, 1, 50).map_err(|(code, detail)| (code, format!("{}: {detail}", allowed())))?;
        if tag.trim().is_empty() {
            return Err(("length", allowed()));
        }
        tags.insert(tag.trim().to_owned());
    }
    Ok(tags.into_iter().collect())
}

fn time_zone(value: &Value) -> Result<String, (&'static str, String)> {
    let allowed = "must be an IANA time zone such as Europe/Berlin";
    let Some(name) = value.as_str() else {
        return Err(("type", allowed.to_owned()));
    };
    match zone::zone(name) {
        Ok(_) => Ok(name.to_owned()),
        Err(_) => Err(("format", allowed.to_owned())),
    }
}

fn rule(value: &Value) -> Result<String, (&'static str, String)> {
    let Some(text) = value.as_str() else {
        return Err((
            "type",
            "must be an RRULE such as FREQ=WEEKLY;BYDAY=MO, or daily, weekly, monthly, yearly".to_owned(),
        ));
    };
    Rule::parse(text).map(|rule| rule.to_string()).map_err(|error| ("format", error.message))
}

fn reminder_minutes(value: &Value) -> Result<Vec<i32>, (&'static str, String)> {
    let allowed = || {
        format!("must be a list of at most {REMINDERS_MAX} whole numbers of minutes from 0 to {REMINDER_MINUTES_MAX}")
    };
    let list = match value {
        Value::Array(list) => list.as_slice(),
        // one reminder may stand without its list
        Value::Number(_) => std::slice::from_ref(value),
        _ => return Err(("type", allowed())),
    };
    if list.len() > REMINDERS_MAX {
        return Err(("length", allowed()));
    }
    let mut minutes = BTreeSet::new();
    for item in list {
        let item = input::integer(item, 0, REMINDER_MINUTES_MAX).map_err(|(code, _)| (code, allowed()))?;
        minutes.insert(i32::try_from(item).map_err(|_| ("range", allowed()))?);
    }
    Ok(minutes.into_iter().rev().collect())
}

/// What a change of a task means for its series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeriesChange {
    /// It goes on as it was, or there is none.
    Keep,
    /// It ends; the task is no longer recurring.
    End,
    /// A series starts here; one that the task belonged to ends.
    Start,
}

/// Decides what becomes of the series when `before` turns into `after`. Moving the due date moves this occurrence only;
/// another rule, another zone, or a day in place of an instant starts afresh.
pub fn series_change(before: &Task, after: &Task) -> SeriesChange {
    let all_day = |task: &Task| matches!(task.due, Some(Due::Day(_)));
    match (&before.rule, &after.rule) {
        (None, None) => SeriesChange::Keep,
        (Some(_), None) => SeriesChange::End,
        (None, Some(_)) => SeriesChange::Start,
        (Some(old), Some(new)) if old != new => SeriesChange::Start,
        _ if before.time_zone != after.time_zone || all_day(before) != all_day(after) => SeriesChange::Start,
        _ => SeriesChange::Keep,
    }
}

/// Reads a new task.
///
/// # Errors
/// All faults of the body.
pub fn create(body: &Value) -> Result<(Option<uuid::Uuid>, Task), Vec<FieldError>> {
    let mut known = vec!["id"];
    known.extend(FIELDS);
    let mut input = Input::new(body, &known)?;
    let id = option(&mut input, "id", &None, input::uuid_v7);
    let task = Task::default().patched(&mut input);
    input.finish().map(|()| (id, task))
}

/// The fields that stand for themselves: what they may be does not depend on the others, and nothing follows from them.
const WORDS: [&str; 4] = ["title", "description", "priority", "tags"];

/// A patch of such fields alone, which can be stored without a look at the task.
pub struct Words {
    /// The names of the fields that it sets.
    pub fields: Vec<String>,
    /// Their values; what it does not set means nothing here.
    pub values: Task,
}

/// Reads a patch that sets nothing but fields that stand for themselves; `None` for any other.
///
/// # Errors
/// As [`patch`].
pub fn words(body: &Value) -> Result<Option<Words>, Vec<FieldError>> {
    let Some(fields) = body.as_object().map(|body| body.keys().cloned().collect::<Vec<_>>()) else { return Ok(None) };
    if fields.is_empty() || !fields.iter().all(|field| WORDS.contains(&field.as_str())) {
        return Ok(None);
    }
    let any = Task { title: "any".to_owned(), ..Task::default() };
    patch(&any, body).map(|values| Some(Words { fields, values }))
}

/// Reads a patch of `task` (RFC 7396).
///
/// # Errors
/// All faults of the body.
pub fn patch(task: &Task, body: &Value) -> Result<Task, Vec<FieldError>> {
    let mut input = Input::new(body, &FIELDS)?;
    let task = task.patched(&mut input);
    input.finish().map(|()| task)
}
