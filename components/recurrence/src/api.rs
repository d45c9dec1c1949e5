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

pub fn read(call: &Call) -> Result<Reply, Problem> {
    call.query(&[])?;
    let row = store::get(call, call.id("series")?)?;
    Ok(Reply::json(200, &row.ok_or_else(|| Problem::not_found("series"))?))
}
