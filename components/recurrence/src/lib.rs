//! Recurrence: series, and the next occurrence of what was completed.
//! Owns table `series`; makes the next task of a series in the statement that moves the series on.
//! Consumes `task.completed`. Emits `series.advanced`, `series.ended`, `task.created`.

mod api;
mod calendar;
mod events;
mod store;

use edge::{Route, get, internal};

const ROUTES: &[Route] = &[
    get("/api/v1/recurring-tasks", api::list),
    get("/api/v1/recurring-tasks/{id}", api::read),
    internal("/internal/recurrence/events", events::receive),
    internal("/internal/recurrence/tick", events::tick),
];

edge::http_component!(ROUTES);
