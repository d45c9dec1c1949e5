//! The shipped components in the host, on a real PostgreSQL.

mod harness;
mod journey;
mod seen;
