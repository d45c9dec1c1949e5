//! Audit: everything that happened to a user's things, in an append-only hash chain.
//! Owns tables `audit_entry` and `audit_head`. Consumes every event, in the order of its stream.

mod api;
mod events;
mod store;

use edge::{Route, get, internal};

const ROUTES: &[Route] = &[
    get("/api/v1/audit", api::list),
    internal("/internal/audit/events", events::receive),
    internal("/internal/audit/tick", events::tick),
];

edge::http_component!(ROUTES);
