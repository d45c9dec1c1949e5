//! One function an endpoint.

use domain::page::Cursor;
use edge::page::Page;
use edge::{Call, Problem, Reply};

use crate::store;

pub fn list(call: &Call) -> Result<Reply, Problem> {
    let page = Page::read(&call.query(&["limit", "cursor"])?)?;
    let rows = store::list(call, &page)?;
    Ok(Reply::json(200, &page.items(rows, |row| Cursor { at: row.created_at, id: row.id })))
}

pub fn unread_count(call: &Call) -> Result<Reply, Problem> {
    call.query(&[])?;
    Ok(Reply::json(200, &store::unread_count(call)?))
}

pub fn mark_read(call: &Call) -> Result<Reply, Problem> {
    let row = store::mark_read(call, call.id("notification")?)?;
    Ok(Reply::json(200, &row.ok_or_else(|| Problem::not_found("notification"))?))
}

/// Marks what is there now; what arrives while this runs stays unread.
pub fn mark_all_read(call: &Call) -> Result<Reply, Problem> {
    Ok(Reply::json(200, &store::mark_all_read(call, call.now)?))
}
