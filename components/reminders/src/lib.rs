//! Reminders: kept in step with tasks, set off once each when their moment has come.
//! Owns table `reminder`. Consumes `task.*`. Emits `reminder.due`, `reminder.expired`.

mod api;
mod events;
mod store;

use edge::{Route, get, internal};

const ROUTES: &[Route] = &[
    get("/api/v1/reminders", api::list),
    internal("/internal/reminders/events", events::receive),
    internal("/internal/reminders/tick", events::tick),
];

edge::http_component!(ROUTES);
