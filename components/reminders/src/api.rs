//! One function an endpoint.

use domain::page::Cursor;
use edge::page::Page;
use edge::{Call, Problem, Reply};

use crate::store;

pub fn list(call: &Call) -> Result<Reply, Problem> {
    let page = Page::read(&call.query(&["limit", "cursor"])?)?;
    let rows = store::list(call, &page)?;
    Ok(Reply::json(200, &page.items(rows, |row| Cursor { at: row.fire_at, id: row.id })))
}
