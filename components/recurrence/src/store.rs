//! One function a statement.

use edge::page::Page;
use edge::{Call, Problem, clock, params, row};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use serde::Serialize;
use uuid::Uuid;

use crate::calendar::Next;

row! {
    /// A series with the task of its latest occurrence.
    #[derive(Serialize)]
    pub struct SeriesRow {
        id: Uuid,
        rule: String,
        time_zone: String,
        dtstart: DateTime,
        all_day: bool,
        occurrence: DateTime,
        ended_at: Option<Timestamp>,
        end_reason: Option<String>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        task_id: Option<Uuid>,
        title: Option<String>,
        status: Option<String>,
    }
}

row! {
    /// A series whose latest occurrence has been completed.
    pub struct Current {
        series_id: Uuid,
        version: i64,
        rule: String,
        time_zone: String,
        dtstart: DateTime,
        all_day: bool,
        occurrence: DateTime,
        guard_day: Date,
        guard_count: i32,
    }
}

row! {
    /// A completed task whose series did not go on.
    pub struct Missed {
        user_id: Uuid,
        task_id: Uuid,
    }
}

row! {
    struct Advanced { advanced: bool }
}

row! {
    struct Finished { ended: bool }
}

pub fn get(call: &Call, id: Uuid) -> Result<Option<SeriesRow>, Problem> {
    call.db()?.first(include_str!("../sql/get.sql"), &params![call.user()?.sub, id])
}

pub fn list(call: &Call, page: &Page) -> Result<Vec<SeriesRow>, Problem> {
    let parameters = params![call.user()?.sub, page.before.at, page.before.id, page.rows()];
    call.db()?.rows(include_str!("../sql/list.sql"), &parameters)
}

pub fn current(call: &Call, user: Uuid, task: Uuid) -> Result<Option<Current>, Problem> {
    call.db()?.first(include_str!("../sql/current.sql"), &params![user, task])
}

pub fn missed(call: &Call, from: Timestamp, before: Timestamp, rows: i64) -> Result<Vec<Missed>, Problem> {
    call.db()?.rows(include_str!("../sql/missed.sql"), &params![from, before, rows])
}

/// The completion that a series goes on from.
pub struct Completion {
    pub user: Uuid,
    pub task: Uuid,
    /// The received event that told of it, if it was one.
    pub event: Option<Uuid>,
    /// The trace that what follows belongs to.
    pub traceparent: Option<String>,
}

/// Answers whether this call moved the series.
pub fn advance(call: &Call, from: &Completion, series: &Current, next: &Next) -> Result<bool, Problem> {
    let [task, event, task_event] = clock::new_ids(call.now);
    let parameters = params![
        from.user,
        series.series_id,
        series.version,
        from.task,
        next.local,
        next.due,
        series.all_day.then(|| next.local.date()),
        task,
        call.now,
        next.skipped,
        from.event,
        event,
        task_event,
        from.traceparent.as_deref(),
    ];
    let row: Advanced = call.db()?.one(include_str!("../sql/advance.sql"), &parameters)?;
    Ok(row.advanced)
}

/// Answers whether this call ended the series.
pub fn finish(call: &Call, from: &Completion, series: &Current, reason: &str) -> Result<bool, Problem> {
    let event = clock::new_id(call.now);
    let parameters = params![
        from.user,
        series.series_id,
        series.version,
        reason,
        call.now,
        from.event,
        event,
        from.traceparent.as_deref(),
    ];
    let row: Finished = call.db()?.one(include_str!("../sql/finish.sql"), &parameters)?;
    Ok(row.ended)
}
