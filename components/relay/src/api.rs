//! One function an endpoint, for operators. `spindle events` does the same by the same statements.

use domain::operator::{self, REDRIVEN_AT_ONCE};
use domain::page::Cursor;
use edge::page::Page;
use edge::{Call, Problem, Reply};
use serde_json::json;
use uuid::Uuid;

use crate::store;

/// A cursor holds a UUID; the number of a dead event's key is kept in its low half.
pub fn dead(call: &Call) -> Result<Reply, Problem> {
    let parameters = call.query(&["limit", "cursor", "consumer", "stream", "type"])?;
    let page = Page::read(&parameters)?;
    let (_, low) = page.before.id.as_u64_pair();
    let rows = store::dead(call, operator::filter(&parameters)?, &page, low.cast_signed())?;
    let cursor =
        |row: &store::Dead| Cursor { at: row.received_at, id: Uuid::from_u64_pair(0, row.key.cast_unsigned()) };
    Ok(Reply::json(200, &page.items(rows, cursor).map(|row| row.body)))
}

pub fn lag(call: &Call) -> Result<Reply, Problem> {
    call.query(&[])?;
    Ok(Reply::json(200, &store::lag(call)?.body))
}

pub fn show(call: &Call) -> Result<Reply, Problem> {
    let filter = operator::filter(&call.query(&["consumer"])?)?;
    let shown = store::show(call, call.id("event")?, filter.consumer)?;
    let shown = shown.ok_or_else(|| Problem::not_found("event"))?;
    Ok(Reply::json(200, &shown.body))
}

/// `more` says that the same request finds more.
pub fn redrive(call: &Call) -> Result<Reply, Problem> {
    let wanted = operator::redrive(&call.json()?)?;
    let words = format!("{wanted:?}");
    let redriven = store::redrive(call, wanted)?;
    eprintln!("relay: an operator asked for {words}: {redriven} events");
    Ok(Reply::json(200, &json!({"redriven": redriven, "more": redriven == REDRIVEN_AT_ONCE})))
}

pub fn skip(call: &Call) -> Result<Reply, Problem> {
    let wanted = operator::skip(&call.json()?)?;
    let words = format!("{wanted:?}");
    let skipped = store::skip(call, wanted)?;
    eprintln!("relay: an operator asked for {words}: {}", if skipped { "done" } else { "nothing to do" });
    Ok(Reply::json(200, &json!({"skipped": skipped})))
}
