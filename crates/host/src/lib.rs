//! The runtime.

pub mod app;
mod bindings;
mod bounded;
pub mod cluster;
pub mod compose;
pub mod engine;
mod guest_variables;
mod http_out;
mod instance;
mod load;
pub mod manifest;
pub mod migrate;
pub mod outbound_hosts;
pub mod parts;
mod pg;
mod redis;
pub mod routes;
pub mod runtime;
pub mod telemetry;
pub mod testbed;
mod triggers;
pub mod variables;
mod wasi;

pub use app::{App, AppOptions};
pub use runtime::Limits;
pub use telemetry::Telemetry;
pub use testbed::{HostCall, TestBed};
