//! Where a component meets its host: the only crate that names the Spin SDK and WASI. A component is a list of
//! [`Route`]s; a handler takes a [`Call`] and answers a [`Reply`] or a [`Problem`].
//!
//! - [`route`]: routes · [`http`]: calls, replies · [`problem`]: errors for clients (RFC 9457)
//! - [`db`]: statements and rows · [`inbox`]: events, received and then applied
//! - [`clock`]: the one place where time and chance enter · [`config`]: variables
//! - [`auth`]: who calls · [`send`]: calls to others · [`hint`]: the wake-up of the relay
//! - [`trigger`]: components that Redis or cron start

pub mod auth;
mod body;
pub mod clock;
pub mod config;
pub mod db;
pub mod hint;
pub mod http;
pub mod inbox;
pub mod page;
pub mod problem;
mod query;
pub mod route;
pub mod send;
pub mod trigger;

pub use http::{Call, Reply, serve};
pub use problem::Problem;
pub use route::{Route, delete, get, internal, patch, post};
#[doc(hidden)]
pub use {wasi, wit_bindgen};

/// Makes a component out of a list of routes.
#[macro_export]
macro_rules! http_component {
    ($routes:expr) => {
        struct Component;
        impl $crate::wasi::exports::http::incoming_handler::Guest for Component {
            fn handle(
                request: $crate::wasi::http::types::IncomingRequest,
                out: $crate::wasi::http::types::ResponseOutparam,
            ) {
                $crate::serve(request, out, $routes)
            }
        }
        $crate::wasi::http::proxy::export!(Component with_types_in $crate::wasi);
    };
}
