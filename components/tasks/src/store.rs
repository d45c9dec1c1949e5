//! One function a statement.

use domain::task::{Due, Task, Words};
use edge::db::Listed;
use edge::page::Page;
use edge::{Call, Problem, clock, params, row};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use uuid::Uuid;

row! {
    /// A task as it is answered: JSON, which for one row costs PostgreSQL no more than the columns would.
    pub struct Answer { body: String }
}

row! {
    /// A task as a statement left it.
    pub struct Outcome {
        body: String,
        /// Whether the statement changed the task, or only found it.
        changed: bool,
    }
}

row! {
    /// A task before it is changed.
    pub struct Current {
        title: String,
        description: Option<String>,
        priority: Option<i32>,
        tags: Vec<String>,
        due_on: Option<Date>,
        due_at: Option<Timestamp>,
        time_zone: Option<String>,
        recurrence_rule: Option<String>,
        reminder_minutes: Vec<i32>,
        series_id: Option<Uuid>,
        occurrence: Option<DateTime>,
        status: String,
        version: i64,
        body: String,
    }
}

row! {
    /// What became of a task that was to be deleted.
    pub struct Removed { changed: bool }
}

impl Current {
    /// The part that clients write.
    pub fn to_task(&self) -> Task {
        Task {
            title: self.title.clone(),
            description: self.description.clone(),
            priority: self.priority,
            tags: self.tags.clone(),
            due: self.due_on.map(Due::Day).or(self.due_at.map(Due::At)),
            time_zone: self.time_zone.clone(),
            rule: self.recurrence_rule.clone(),
            reminder_minutes: self.reminder_minutes.clone(),
        }
    }
}

/// A task's place in the calendar: the instant of its due date, and for a recurring one its place in its series.
pub struct Place {
    due_on: Option<Date>,
    due_at: Option<Timestamp>,
    zone_name: String,
    local: Option<DateTime>,
}

impl Place {
    /// Resolves the due date of `task` in its zone, or else in the account's.
    pub fn of(task: &Task, account_zone: &str) -> Self {
        let (zone_name, zone): (String, TimeZone) = task.zone(account_zone);
        let due_on = match task.due {
            Some(Due::Day(day)) => Some(day),
            _ => None,
        };
        Self {
            due_on,
            due_at: task.due.map(|due| due.instant(&zone)),
            local: task.due.filter(|_| task.rule.is_some()).map(|due| due.local(&zone)),
            zone_name,
        }
    }

    /// The wall clock of the due date in the task's zone, for a recurring task.
    pub fn local(&self) -> Option<DateTime> {
        self.local
    }
}

pub fn get(call: &Call, id: Uuid) -> Result<Option<Answer>, Problem> {
    call.db()?.first(include_str!("../sql/get.sql"), &params![call.user()?.sub, id])
}

pub fn current(call: &Call, id: Uuid) -> Result<Option<Current>, Problem> {
    call.db()?.first(include_str!("../sql/current.sql"), &params![call.user()?.sub, id])
}

pub fn list(call: &Call, page: &Page, status: Option<&str>) -> Result<Listed, Problem> {
    let (db, user) = (call.db()?, call.user()?.sub);
    let (at, id, rows) = (page.before.at, page.before.id, page.rows());
    match status {
        None => db.list(include_str!("../sql/list.sql"), &params![user, at, id, rows]),
        Some(status) => db.list(include_str!("../sql/list_status.sql"), &params![user, at, id, rows, status]),
    }
}

pub fn create(call: &Call, id: Uuid, task: &Task) -> Result<Option<Outcome>, Problem> {
    let user = call.user()?;
    let place = Place::of(task, &user.zoneinfo);
    let Some(rule) = task.rule.as_deref() else { return create_once(call, user.sub, id, task, &place) };
    let [series, event, series_event] = clock::new_ids(call.now);
    let parameters = params![
        user.sub,
        id,
        task.title.as_str(),
        task.description.as_deref(),
        task.priority,
        task.tags.clone(),
        place.due_on,
        place.due_at,
        task.time_zone.as_deref(),
        rule,
        task.reminder_minutes.clone(),
        place.local.map(|_| series),
        place.local,
        place.zone_name,
        call.now,
        event,
        series_event,
        call.traceparent(),
    ];
    call.db()?.first(include_str!("../sql/create_recurring.sql"), &parameters)
}

/// A task that does not recur: most are such, and a statement that knows it costs PostgreSQL less.
fn create_once(call: &Call, user: Uuid, id: Uuid, task: &Task, place: &Place) -> Result<Option<Outcome>, Problem> {
    let parameters = params![
        user,
        id,
        task.title.as_str(),
        task.description.as_deref(),
        task.priority,
        task.tags.clone(),
        place.due_on,
        place.due_at,
        task.time_zone.as_deref(),
        task.reminder_minutes.clone(),
        call.now,
        clock::new_id(call.now),
        call.traceparent(),
    ];
    call.db()?.first(include_str!("../sql/create.sql"), &parameters)
}

/// What becomes of a task's series: the one it then belongs to, whether that one starts here, and the one that ends.
pub struct SeriesAfter {
    /// The series and the occurrence in it.
    pub member_of: Option<(Uuid, DateTime)>,
    /// Whether it is a new one.
    pub starts: bool,
    /// The series that ends.
    pub ends: Option<Uuid>,
}

pub fn change(
    call: &Call,
    id: Uuid,
    version: i64,
    (before, after): (&Task, &Task),
    place: Place,
    series: SeriesAfter,
) -> Result<Option<Answer>, Problem> {
    let [event, started, ended] = clock::new_ids(call.now);
    let parameters = params![
        call.user()?.sub,
        id,
        version,
        after.title.as_str(),
        after.description.as_deref(),
        after.priority,
        after.tags.clone(),
        place.due_on,
        place.due_at,
        after.time_zone.as_deref(),
        after.rule.as_deref(),
        after.reminder_minutes.clone(),
        series.member_of.map(|(id, _)| id),
        series.member_of.map(|(_, occurrence)| occurrence),
        place.zone_name,
        series.starts,
        series.ends,
        before.changes(after),
        call.now,
        event,
        started,
        ended,
        call.traceparent(),
    ];
    call.db()?.first(include_str!("../sql/change.sql"), &parameters)
}

/// Changes fields that stand for themselves, in one statement.
pub fn change_words(call: &Call, id: Uuid, words: &Words) -> Result<Option<Outcome>, Problem> {
    let parameters = params![
        call.user()?.sub,
        id,
        words.fields.clone(),
        words.values.title.as_str(),
        words.values.description.as_deref(),
        words.values.priority,
        words.values.tags.clone(),
        call.now,
        clock::new_id(call.now),
        call.traceparent(),
    ];
    call.db()?.first(include_str!("../sql/change_words.sql"), &parameters)
}

pub fn complete(call: &Call, id: Uuid) -> Result<Option<Outcome>, Problem> {
    flip(call, id, include_str!("../sql/complete.sql"))
}

pub fn reopen(call: &Call, id: Uuid) -> Result<Option<Outcome>, Problem> {
    flip(call, id, include_str!("../sql/reopen.sql"))
}

fn flip(call: &Call, id: Uuid, sql: &str) -> Result<Option<Outcome>, Problem> {
    let event = clock::new_id(call.now);
    call.db()?.first(sql, &params![call.user()?.sub, id, call.now, event, call.traceparent()])
}

pub fn delete(call: &Call, id: Uuid) -> Result<Option<Removed>, Problem> {
    let [event, ended] = clock::new_ids(call.now);
    let parameters = params![call.user()?.sub, id, call.now, event, ended, call.traceparent()];
    call.db()?.first(include_str!("../sql/delete.sql"), &parameters)
}
