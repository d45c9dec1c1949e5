//! One function a statement.

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

/// Answers how many of the task's reminders have come due.
pub fn follow(call: &Call, user: Uuid, task: Uuid, event: Uuid) -> Result<i64, Problem> {
    let ids: [Uuid; REMINDERS_MAX] = clock::new_ids(call.now);
    let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    let parameters = params![user, task, event, ids, call.now];
    let row: Followed = call.db()?.one(include_str!("../sql/follow.sql"), &parameters)?;
    Ok(row.due)
}

pub fn fire(call: &Call) -> Result<Fired, Problem> {
    let ids: [Uuid; FIRE_ROWS] = clock::new_ids(call.now);
    let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    let rows = i64::try_from(FIRE_ROWS).unwrap_or(0);
    call.db()?.one(include_str!("../sql/fire.sql"), &params![call.now, rows, ids])
}
