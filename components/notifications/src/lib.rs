//! Notifications: exactly one for each reminder that went off.
//! Owns table `notification`. Consumes `reminder.due`.

mod api;
mod events;
mod store;

use edge::{Route, get, internal, post};

const ROUTES: &[Route] = &[
    get("/api/v1/notifications", api::list),
    get("/api/v1/notifications/unread-count", api::unread_count),
    post("/api/v1/notifications/read-all", api::mark_all_read),
    post("/api/v1/notifications/{id}/read", api::mark_read),
    internal("/internal/notifications/events", events::receive),
    internal("/internal/notifications/tick", events::tick),
];

edge::http_component!(ROUTES);
