//! Tasks: create, read, list, change, complete, reopen, delete.
//! Owns table `task`; starts and ends a `series` with its task. Emits `task.*`, `series.created`, `series.ended`.

mod api;
mod store;

use edge::{Route, delete, get, patch, post};

const ROUTES: &[Route] = &[
    get("/api/v1/tasks", api::list),
    post("/api/v1/tasks", api::create),
    get("/api/v1/tasks/{id}", api::read),
    patch("/api/v1/tasks/{id}", api::change),
    delete("/api/v1/tasks/{id}", api::remove),
    post("/api/v1/tasks/{id}/complete", api::complete),
    post("/api/v1/tasks/{id}/reopen", api::reopen),
];

edge::http_component!(ROUTES);
