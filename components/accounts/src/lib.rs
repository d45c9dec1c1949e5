//! Accounts: sign-up, sign-in, tokens.
//! Owns tables `account`, `session`, `sign_in_attempt`. Emits nothing.

mod api;
mod password;
mod store;
mod tokens;

use edge::{Route, get, internal, post};

const ROUTES: &[Route] = &[
    post("/api/v1/accounts", api::sign_up).public(),
    get("/api/v1/accounts/me", api::me),
    post("/api/v1/tokens", tokens::grant).public(),
    internal("/internal/accounts/tick", tokens::tick),
];

edge::http_component!(ROUTES);
