//! One function a statement.

use domain::event::Event;
use domain::task::REMINDERS_MAX;
use edge::page::Page;
use edge::{Call, Problem, clock, params, row};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

/// Most reminders that one statement sets off.
pub const FIRE_ROWS: usize = 200;

row! {
    /// A reminder.
    #[derive(Serialize)]
    pub struct ReminderRow {
        id: Uuid,
        task_id: Uuid,
        due_at: Timestamp,
        minutes: i32,
        fire_at: Timestamp,
        state: String,
    }
}

row! {
    struct Followed { due: i64 }
}

row! {
    /// What a tick did.
    pub struct Fired {
        settled: i64,
        events: i64,
    }
}

pub fn list(call: &Call, page: &Page) -> Result<Vec<ReminderRow>, Problem> {
    let parameters = params![call.user()?.sub, page.before.at, page.before.id, page.rows()];
    call.db()?.rows(include_str!("../sql/list.sql"), &parameters)
}

/// Brings the reminders of `task` in step with it because of `event`; answers how many of them have come due.
pub fn follow(call: &Call, task: Uuid, event: &Event) -> Result<i64, Problem> {
    let ids: [Uuid; REMINDERS_MAX] = clock::new_ids(call.now);
    let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    let parameters = params![event.userid, task, event.id, ids, call.now, event.traceparent.as_deref()];
    let row: Followed = call.db()?.one(include_str!("../sql/follow.sql"), &parameters)?;
    Ok(row.due)
}

pub fn fire(call: &Call) -> Result<Fired, Problem> {
    let ids: [Uuid; FIRE_ROWS] = clock::new_ids(call.now);
    let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    let rows = i64::try_from(FIRE_ROWS).unwrap_or(0);
    call.db()?.one(include_str!("../sql/fire.sql"), &params![call.now, rows, ids])
}
