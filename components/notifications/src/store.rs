//! One function a statement.

use edge::page::Page;
use edge::{Call, Problem, clock, params, row};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

row! {
    /// A notification.
    #[derive(Serialize)]
    pub struct NotificationRow {
        id: Uuid,
        reminder_id: Uuid,
        task_id: Uuid,
        title: String,
        due_at: Timestamp,
        fire_at: Timestamp,
        created_at: Timestamp,
        read_at: Option<Timestamp>,
    }
}

row! {
    /// How many are unread.
    #[derive(Serialize)]
    pub struct Unread { unread: i64 }
}

row! {
    /// How many were marked.
    #[derive(Serialize)]
    pub struct Marked { marked: i64 }
}

row! {
    struct Made { made: bool }
}

pub fn list(call: &Call, page: &Page) -> Result<Vec<NotificationRow>, Problem> {
    let parameters = params![call.user()?.sub, page.before.at, page.before.id, page.rows()];
    call.db()?.rows(include_str!("../sql/list.sql"), &parameters)
}

pub fn unread_count(call: &Call) -> Result<Unread, Problem> {
    call.db()?.one(include_str!("../sql/unread_count.sql"), &params![call.user()?.sub])
}

pub fn mark_read(call: &Call, id: Uuid) -> Result<Option<NotificationRow>, Problem> {
    call.db()?.first(include_str!("../sql/mark_read.sql"), &params![call.user()?.sub, id, call.now])
}

pub fn mark_all_read(call: &Call, up_to: Timestamp) -> Result<Marked, Problem> {
    call.db()?.one(include_str!("../sql/mark_all_read.sql"), &params![call.user()?.sub, call.now, up_to])
}

/// Answers whether this call made the notification.
pub fn deliver(call: &Call, user: Uuid, event: Uuid) -> Result<bool, Problem> {
    let parameters = params![user, event, clock::new_id(call.now), call.now];
    let row: Made = call.db()?.one(include_str!("../sql/deliver.sql"), &parameters)?;
    Ok(row.made)
}
