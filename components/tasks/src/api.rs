//! One function an endpoint.

use domain::task::{self, SeriesChange, Task};
use edge::page::Page;
use edge::{Call, Problem, Reply, clock, hint};
use jiff::civil::DateTime;
use uuid::Uuid;

use crate::store::{self, Current, Outcome, Place, SeriesAfter};

/// How often a change that lost a race against another is tried.
const TRIES: usize = 3;

pub fn list(call: &Call) -> Result<Reply, Problem> {
    let parameters = call.query(&["limit", "cursor", "status"])?;
    let page = Page::read(&parameters)?;
    let status = parameters.iter().find(|(name, _)| name == "status").map(|(_, value)| value.as_str());
    if !matches!(status, None | Some("open" | "completed")) {
        return Err(Problem::invalid_parameter("status", "format", "must be open or completed"));
    }
    Ok(Reply::text(200, page.json(&store::list(call, &page, status)?)))
}

pub fn create(call: &Call) -> Result<Reply, Problem> {
    let (id, task) = task::create(&call.json()?)?;
    let id = id.unwrap_or_else(|| clock::new_id(call.now));
    // a second look finds the row of a twin of this request that the first could not see yet
    let row = match store::create(call, id, &task)? {
        Some(row) => Some(row),
        None => store::create(call, id, &task)?,
    };
    let taken = || Problem::conflict("id-taken", "this id is taken; make another UUID of version 7");
    let row = row.ok_or_else(taken)?;
    let status = if row.changed { 201 } else { 200 };
    let location = format!("/api/v1/tasks/{id}");
    Ok(Reply::text(status, row.body).header("location", location).after(hint::publish))
}

pub fn read(call: &Call) -> Result<Reply, Problem> {
    call.query(&[])?;
    let answer = store::get(call, call.id("task")?)?;
    Ok(Reply::text(200, answer.ok_or_else(missing)?.body))
}

pub fn change(call: &Call) -> Result<Reply, Problem> {
    let (id, body) = (call.id("task")?, call.json()?);
    if let Some(words) = task::words(&body)? {
        return changed(store::change_words(call, id, &words)?);
    }
    let user = call.user()?;
    for _ in 0..TRIES {
        let row = store::current(call, id)?.ok_or_else(missing)?;
        let before = row.to_task();
        let after = task::patch(&before, &body)?;
        if before == after {
            return Ok(Reply::text(200, row.body));
        }
        if row.status == "completed" && task::series_change(&before, &after) != SeriesChange::Keep {
            let detail = "a completed task keeps its recurrence; reopen it, or change the series' current task";
            return Err(Problem::conflict("completed", detail));
        }
        let place = Place::of(&after, &user.zoneinfo);
        let series = series_after(&row, &before, &after, place.local(), clock::new_id(call.now));
        if let Some(answer) = store::change(call, id, row.version, (&before, &after), place, series)? {
            return Ok(Reply::text(200, answer.body).after(hint::publish));
        }
    }
    Err(Problem::conflict("busy", "others change this task at the same time; try again"))
}

/// What a change does to the series of the task, whose due date is at `local` in its zone; `fresh` is the id of a
/// series that would start here.
fn series_after(row: &Current, before: &Task, after: &Task, local: Option<DateTime>, fresh: Uuid) -> SeriesAfter {
    match task::series_change(before, after) {
        SeriesChange::Keep => SeriesAfter { member_of: row.series_id.zip(row.occurrence), starts: false, ends: None },
        SeriesChange::End => SeriesAfter { member_of: None, starts: false, ends: row.series_id },
        SeriesChange::Start => {
            SeriesAfter { member_of: local.map(|local| (fresh, local)), starts: local.is_some(), ends: row.series_id }
        }
    }
}

pub fn complete(call: &Call) -> Result<Reply, Problem> {
    changed(store::complete(call, call.id("task")?)?)
}

pub fn reopen(call: &Call) -> Result<Reply, Problem> {
    changed(store::reopen(call, call.id("task")?)?)
}

fn changed(outcome: Option<Outcome>) -> Result<Reply, Problem> {
    let Outcome { body, changed } = outcome.ok_or_else(missing)?;
    let reply = Reply::text(200, body);
    Ok(if changed { reply.after(hint::publish) } else { reply })
}

pub fn remove(call: &Call) -> Result<Reply, Problem> {
    let removed = store::delete(call, call.id("task")?)?.ok_or_else(missing)?;
    Ok(if removed.changed { Reply::empty().after(hint::publish) } else { Reply::empty() })
}

fn missing() -> Problem {
    Problem::not_found("task")
}
